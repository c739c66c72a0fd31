"""The columns of pykan and efficient-kan, which run on PyTorch, by their public attributes and methods.

efficient-kan's `KAN` and `KANLinear` come from the package efficient_kan if it is installed, else from ikan, which has copies of them.
ikan's KANLinear has efficient-kan's arrays, arguments and methods, but other default scales of the initialization; efficient-kan's
defaults are passed here. Only the one file of ikan that holds them is loaded: its other layers need triton, which it does not declare.
"""

import contextlib
import importlib.util
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import subject
from benchmarks.equivalence.library import (
    Library,
    Pair,
    count,
    fill,
    least_squares,
    load,
    numbers,
    outputs,
    places_of,
    precision,
    slopes,
    tensor,
    watch,
)
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
            precision(),
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
        fill(model, kr.to_pykan(network))
        return model

    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Return `model(x)`."""
        return outputs(model, x)

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
        return numbers(layer.grid)[:, layer.k : -layer.k]

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return the counts of `model.parameters()`."""
        return count(self._new(widths, n_intervals, degree, auto_save=False))

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return the knots that `KAN` builds."""
        with precision("float64" if double else "float32"):
            model = self._new((1, 1), subject.N_INTERVALS, subject.DEGREE, auto_save=False)
            return numbers(model.act_fun[0].grid[0])

    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by automatic differentiation; pykan's edges are [in, out]."""
        layer = model.act_fun[0]
        found = slopes(model, x, (layer.coef, layer.scale_base, layer.scale_sp))
        return max(float(np.abs(part[edge[::-1]]).max()) for part in found)

    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays of `KAN(seed=...)`."""
        layer = self._new((n_in, n_out), n_intervals, 3, seed=seed, auto_save=False).act_fun[0]
        found = {"w_base": layer.scale_base, "w_spline": layer.scale_sp, "coef": layer.coef}
        return {name: numbers(part).swapaxes(0, 1) for name, part in found.items()}

    def side_effects(self) -> dict[str, Any]:
        """Watch `KAN(width=[2, 5, 1])`, with the caller's list passed in."""
        one, other = (
            numbers(layer.coef) for layer in self._new((4, 4, 4), 3, 3, auto_save=False).act_fun
        )
        return watch(lambda widths: load("kan").KAN(width=widths)) | {
            "twins": bool(np.array_equal(one, other))
        }

    def update(self, model: Any, x: FloatArray) -> Any:
        """Apply `update_grid_from_samples`, in place."""
        model.update_grid_from_samples(tensor(x))
        return model

    def extend(self, model: Any, x: FloatArray, n_intervals: int) -> Any:
        """Apply `refine`, after a forward pass of the samples."""
        model.get_act(tensor(x))
        return model.refine(n_intervals)

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the solution of `torch.linalg.lstsq`."""
        return least_squares(a, b)

    def penalties(self, model: Any, x: FloatArray) -> dict[str, Pair]:
        """Return `get_reg` with one weight 1 and the others 0; "lamb_coef, lamb_coefdiff" is the
        pair of these two.
        """
        model.get_act(tensor(x))
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
        model.get_act(tensor(x))
        model.attribute()
        found = {
            "edge_scores": model.edge_scores,
            "acts_scale": model.acts_scale,
            "edge_actscale": model.edge_actscale,
        }
        return {name: numbers(parts[0]) for name, parts in found.items()}

    def prune(self, model: Any, x: FloatArray) -> dict[str, tuple[list[int], Any]]:
        """Apply `prune()`."""
        before = numbers(model.act_fun[0].coef).swapaxes(0, 1)
        model.get_act(tensor(x))
        smaller = model.prune()
        return {
            "prune": (
                places_of(before, numbers(smaller.act_fun[0].coef).swapaxes(0, 1)),
                smaller,
            )
        }

    def r2(self, x: FloatArray, y: FloatArray) -> float:
        """Return R2 of `kan.utils.fit_params`."""
        _, r2 = load("kan.utils").fit_params(tensor(x), tensor(y), load("torch").sin, verbose=False)
        return float(r2)


# --- efficient-kan

SCALES = {"scale_noise": 0.1, "scale_base": 1.0, "scale_spline": 1.0}


class EfficientKan(Library):
    """efficient-kan."""

    name = "efficient-kan"

    def __init__(self) -> None:
        self.source = "efficient_kan" if importlib.util.find_spec("efficient_kan") else "ikan"
        self.modules = ("torch", self.source)
        self.packages = ("torch", self.source.replace("_", "-"))

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Set float64 as the type of new tensors."""
        with precision():
            yield

    def _library(self) -> Any:
        if self.source == "efficient_kan":
            return load(self.source)
        if self.source not in sys.modules:
            path = Path(str(distribution(self.source).locate_file("ikan/KAN.py")))
            spec = importlib.util.spec_from_file_location(self.source, path)
            if spec is None or spec.loader is None:
                raise ImportError(f"{path} is not a module of Python")
            sys.modules[self.source] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[self.source])
        return sys.modules[self.source]

    def _new(self, widths: Sequence[int], n_intervals: int, degree: int, **settings: Any) -> Any:
        return self._library().KAN(
            list(widths), grid_size=n_intervals, spline_order=degree, **{**SCALES, **settings}
        )

    def network(self, network: kr.Network) -> Any:
        """Return a model, by `load_state_dict`."""
        first = network.layers[0]
        model = self._new(network.widths, first.n_intervals, first.degree)
        fill(model, kr.to_efficient_kan(network))
        return model

    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Return `model(x)`."""
        return outputs(model, x)

    def arrays(self, model: Any) -> dict[str, Any]:
        """Return the arrays of `layers[0]`."""
        layer = model.layers[0]
        return {
            name: getattr(layer, name)
            for name in ("grid", "spline_weight", "base_weight", "spline_scaler")
        }

    def breakpoints(self, model: Any) -> FloatArray:
        """Return the inner part of `layers[0].grid`."""
        layer = model.layers[0]
        return numbers(layer.grid)[:, layer.spline_order : -layer.spline_order]

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return the counts of `model.parameters()`."""
        return count(self._new(widths, n_intervals, degree))

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return the knots that `KAN` builds."""
        with precision("float64" if double else "float32"):
            return numbers(self._new((1, 1), subject.N_INTERVALS, subject.DEGREE).layers[0].grid[0])

    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by automatic differentiation."""
        layer = model.layers[0]
        found = slopes(model, x, (layer.spline_weight, layer.base_weight, layer.spline_scaler))
        return max(float(np.abs(part[edge]).max()) for part in found)

    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays after `torch.manual_seed`, which is the only way to set the seed."""
        load("torch").manual_seed(seed)
        layer = self._new((n_in, n_out), n_intervals, 3).layers[0]
        found = {
            "w_base": layer.base_weight,
            "w_spline": layer.spline_scaler,
            "coef": layer.spline_weight,
        }
        return {name: numbers(part) for name, part in found.items()}

    def side_effects(self) -> dict[str, Any]:
        """Watch `KAN([2, 5, 1])`."""
        one, other = (numbers(layer.spline_weight) for layer in self._new((4, 4, 4), 3, 3).layers)
        return watch(self._library().KAN) | {"twins": bool(np.array_equal(one, other))}

    def update(self, model: Any, x: FloatArray) -> Any:
        """Apply `layers[0].update_grid`, in place."""
        model.layers[0].update_grid(tensor(x))
        return model

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the solution of `torch.linalg.lstsq`."""
        return least_squares(a, b)

    def penalties(self, model: Any, x: FloatArray) -> dict[str, Pair]:
        """Return `regularization_loss` with one weight 1 and the other 0; it needs no samples."""
        return {
            "regularization_loss": (
                _number(model.regularization_loss(1.0, 0.0)),
                _number(model.regularization_loss(0.0, 1.0)),
            )
        }

    def base_scales(self) -> dict[str, float]:
        """Return the standard deviations for 256 x 256 edges."""
        found = {}
        for scale in (0.1, 1.0, 10.0):
            load("torch").manual_seed(0)
            model = self._new((256, 256), subject.N_INTERVALS, subject.DEGREE, scale_base=scale)
            found[f"{scale:g}"] = float(numbers(model.layers[0].base_weight).std())
        return found


def _number(tensor: Any) -> float:
    return float(tensor.detach())
