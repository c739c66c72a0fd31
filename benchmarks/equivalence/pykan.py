"""pykan's column: `KAN` of the package pykan, by its public attributes and methods."""

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import on_torch, subject
from benchmarks.equivalence.library import Library, Pair, load, places_of, watch
from kan_ref.checks import FloatArray

REGULARIZERS = (
    "edge_forward_spline_n",
    "edge_forward_sum",
    "edge_forward_spline_u",
    "edge_backward",
)


class Pykan(Library):
    """pykan."""

    name = "pykan"
    modules = ("torch", "kan")
    packages = ("pykan", "torch")

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Set float64, and a temporary folder: models write checkpoints, and print."""
        with (
            on_torch.precision(),
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            yield

    def _new(self, widths: Sequence[int], n_intervals: int, degree: int, **settings: Any) -> Any:
        return load("kan").KAN(width=list(widths), grid=n_intervals, k=degree, **settings)

    def network(self, network: kr.Network) -> Any:
        """Return a model, by `load_state_dict`."""
        first = network.layers[0]
        model = self._new(network.widths, first.n_intervals, first.degree)
        on_torch.fill(model, kr.to_pykan(network))
        return model

    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Return `model(x)`."""
        return on_torch.outputs(model, x)

    def arrays(self, model: Any) -> dict[str, Any]:
        """Return the arrays of `act_fun[0]`."""
        layer = model.act_fun[0]
        return {
            name: getattr(layer, name)
            for name in ("grid", "coef", "scale_base", "scale_sp", "mask")
        }

    def breakpoints(self, model: Any) -> FloatArray:
        """Return the inner part of `act_fun[0].grid`."""
        layer = model.act_fun[0]
        return on_torch.numbers(layer.grid)[:, layer.k : -layer.k]

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return the counts of `model.parameters()`."""
        return on_torch.count(self._new(widths, n_intervals, degree, auto_save=False))

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return the knots that `KAN` builds."""
        with on_torch.precision("float64" if double else "float32"):
            model = self._new((1, 1), subject.N_INTERVALS, subject.DEGREE, auto_save=False)
            return on_torch.numbers(model.act_fun[0].grid[0])

    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by automatic differentiation; pykan's edges are [in, out]."""
        layer = model.act_fun[0]
        found = on_torch.slopes(model, x, (layer.coef, layer.scale_base, layer.scale_sp))
        return max(float(np.abs(part[edge[::-1]]).max()) for part in found)

    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays of `KAN(seed=...)`."""
        layer = self._new((n_in, n_out), n_intervals, 3, seed=seed, auto_save=False).act_fun[0]
        found = {"w_base": layer.scale_base, "w_spline": layer.scale_sp, "coef": layer.coef}
        return {name: on_torch.numbers(part).swapaxes(0, 1) for name, part in found.items()}

    def side_effects(self) -> dict[str, Any]:
        """Watch `KAN(width=[2, 5, 1])`, with the caller's list passed in."""
        one, other = (
            on_torch.numbers(layer.coef)
            for layer in self._new((4, 4, 4), 3, 3, auto_save=False).act_fun
        )
        return watch(lambda widths: load("kan").KAN(width=widths)) | {
            "twins": bool(np.array_equal(one, other))
        }

    def update(self, model: Any, x: FloatArray) -> Any:
        """Apply `update_grid_from_samples`, in place."""
        model.update_grid_from_samples(on_torch.tensor(x))
        return model

    def extend(self, model: Any, x: FloatArray, n_intervals: int) -> Any:
        """Apply `refine`, after a forward pass of the samples."""
        model.get_act(on_torch.tensor(x))
        return model.refine(n_intervals)

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the solution of `torch.linalg.lstsq`."""
        return on_torch.least_squares(a, b)

    def penalties(self, model: Any, x: FloatArray) -> dict[str, Pair]:
        """Return `get_reg` with one weight 1 and the others 0; "lamb_coef, lamb_coefdiff" is the
        pair of these two.
        """
        model.get_act(on_torch.tensor(x))
        model.attribute()

        def ask(name: str, *weights: float) -> float:
            return float(model.get_reg(name, *weights).detach())

        pairs = {
            name: (ask(name, 1.0, 0.0, 0.0, 0.0), ask(name, 0.0, 1.0, 0.0, 0.0))
            for name in REGULARIZERS
        }
        first = REGULARIZERS[0]
        return pairs | {
            "lamb_coef, lamb_coefdiff": (
                ask(first, 0.0, 0.0, 1.0, 0.0),
                ask(first, 0.0, 0.0, 0.0, 1.0),
            )
        }

    def edge_scores(self, model: Any, x: FloatArray) -> dict[str, FloatArray]:
        """Return `edge_scores` after `attribute()`, and the scores of plots and penalties."""
        model.get_act(on_torch.tensor(x))
        model.attribute()
        found = {
            "edge_scores": model.edge_scores,
            "acts_scale": model.acts_scale,
            "edge_actscale": model.edge_actscale,
        }
        return {name: on_torch.numbers(parts[0]) for name, parts in found.items()}

    def prune(self, model: Any, x: FloatArray) -> dict[str, tuple[list[int], Any]]:
        """Apply `prune()`."""
        before = on_torch.numbers(model.act_fun[0].coef).swapaxes(0, 1)
        model.get_act(on_torch.tensor(x))
        smaller = model.prune()
        return {
            "prune": (
                places_of(before, on_torch.numbers(smaller.act_fun[0].coef).swapaxes(0, 1)),
                smaller,
            )
        }

    def r2(self, x: FloatArray, y: FloatArray) -> float:
        """Return R2 of `kan.utils.fit_params`."""
        _, r2 = load("kan.utils").fit_params(
            on_torch.tensor(x), on_torch.tensor(y), load("torch").sin, verbose=False
        )
        return float(r2)
