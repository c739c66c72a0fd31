"""efficient-kan's column: `KAN` and `KANLinear`, from the package efficient_kan if it is installed, else from ikan, which has copies of them.

ikan's KANLinear has efficient-kan's arrays, arguments and methods, but other default scales of the initialization; efficient-kan's
defaults are passed here. Only the one file of ikan that holds them is loaded: its other layers need triton, which it does not declare.
"""

import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import on_torch, subject
from benchmarks.equivalence.library import Library, Pair, load, watch
from kan_ref.checks import FloatArray

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
        with on_torch.precision():
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
        on_torch.fill(model, kr.to_efficient_kan(network))
        return model

    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Return `model(x)`."""
        return on_torch.outputs(model, x)

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
        return on_torch.numbers(layer.grid)[:, layer.spline_order : -layer.spline_order]

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return the counts of `model.parameters()`."""
        return on_torch.count(self._new(widths, n_intervals, degree))

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return the knots that `KAN` builds."""
        with on_torch.precision("float64" if double else "float32"):
            return on_torch.numbers(
                self._new((1, 1), subject.N_INTERVALS, subject.DEGREE).layers[0].grid[0]
            )

    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by automatic differentiation."""
        layer = model.layers[0]
        found = on_torch.slopes(
            model, x, (layer.spline_weight, layer.base_weight, layer.spline_scaler)
        )
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
        return {name: on_torch.numbers(part) for name, part in found.items()}

    def side_effects(self) -> dict[str, Any]:
        """Watch `KAN([2, 5, 1])`."""
        one, other = (
            on_torch.numbers(layer.spline_weight) for layer in self._new((4, 4, 4), 3, 3).layers
        )
        return watch(self._library().KAN) | {"twins": bool(np.array_equal(one, other))}

    def update(self, model: Any, x: FloatArray) -> Any:
        """Apply `layers[0].update_grid`, in place."""
        model.layers[0].update_grid(on_torch.tensor(x))
        return model

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the solution of `torch.linalg.lstsq`."""
        return on_torch.least_squares(a, b)

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
            found[f"{scale:g}"] = float(on_torch.numbers(model.layers[0].base_weight).std())
        return found


def _number(tensor: Any) -> float:
    return float(tensor.detach())
