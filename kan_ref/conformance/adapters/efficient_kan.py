"""Layers in the layout of efficient-kan, which several libraries have adopted.

    base_weight (n_out, n_in)    spline_weight (n_out, n_in, n_basis)
    spline_scaler (n_out, n_in)  grid (n_in, n_knots)

These are ikan and ConvKAN3D, and convkan with groups. The layers have no mask, and their grid
cannot be made finer. `regularization_loss` depends on the coefficients, not on the edges' outputs.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import EFFICIENT_KAN, PlainLayer
from kan_ref.conformance.adapters.torch_layers import TorchAdapter
from kan_ref.conformance.adapters.torch_tensors import base_function, tensor


class EfficientKan(TorchAdapter):
    """Base class of the adapters for this layout."""

    axes = EFFICIENT_KAN

    def linear(self) -> Any:
        """Return the library's class of layers."""
        raise NotImplementedError

    def fresh(
        self,
        n_in: int,
        n_out: int,
        n_intervals: int,
        degree: int,
        low: float,
        high: float,
        base: str,
    ) -> Any:
        """Return a KANLinear with the library's own defaults."""
        sizes = {"grid_size": n_intervals, "spline_order": degree, "grid_range": [low, high]}
        return self.linear()(n_in, n_out, **sizes, base_activation=base_function(base))

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        return {
            "coef": module.spline_weight,
            "w_base": module.base_weight,
            "w_spline": module.spline_scaler,
            "knots": module.grid,
        }

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of `b_splines`."""
        return module.b_splines(x)

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """Return the layer on a grid moved to the samples; grid_eps is the blending weight."""
        module = self.make(layer)
        module.grid_eps = uniform_share
        module.update_grid(self.batch(x), margin=margin)
        return self.read(module, layer["degree"], layer["base"])

    def batch(self, x: FloatArray) -> Any:
        """Return samples in the shape that `update_grid` takes."""
        return tensor(x)

    def penalties(self, layers: Sequence[PlainLayer], x: FloatArray) -> dict[str, float]:
        """Return l1 and entropy by `regularization_loss`, summed over layers.

        They depend on the coefficients alone, not on the samples.
        """
        modules = [self.make(layer) for layer in layers]
        l1 = sum(float(module.regularization_loss(1.0, 0.0)) for module in modules)
        return {
            "l1": l1,
            "entropy": sum(float(module.regularization_loss(0.0, 1.0)) for module in modules),
        }
