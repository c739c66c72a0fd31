"""Layers in the layout of efficient-kan, which many libraries have taken over: ikan and ConvKAN3D here, convkan with groups.

    base_weight (n_out, n_in)   spline_weight (n_out, n_in, n_basis)   spline_scaler (n_out, n_in)   grid (n_in, n_knots)

It has no mask. `regularization_loss` is of the coefficients, not of the edges' outputs. Its grid does not become finer.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import EFFICIENT_KAN
from kan_ref.conformance.adapters.torch_layers import (
    PlainLayer,
    TorchAdapter,
    base_function,
    tensor,
)


class EfficientKan(TorchAdapter):
    """What the layers of this layout have in common."""

    axes = EFFICIENT_KAN

    def linear(self) -> Any:
        """The library's class of layers."""
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
        """KANLinear, by its own defaults."""
        sizes = {"grid_size": n_intervals, "spline_order": degree, "grid_range": [low, high]}
        return self.linear()(n_in, n_out, **sizes, base_activation=base_function(base))

    def places(self, module: Any) -> dict[str, Any]:
        """Their names."""
        return {
            "coef": module.spline_weight,
            "w_base": module.base_weight,
            "w_spline": module.spline_scaler,
            "knots": module.grid,
        }

    def bases(self, module: Any, x: Any) -> Any:
        """b_splines."""
        return module.b_splines(x)

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """update_grid, with grid_eps for the uniform share."""
        module = self.make(layer)
        module.grid_eps = uniform_share
        module.update_grid(self.batch(x), margin=margin)
        return self.read(module, layer["degree"], layer["base"])

    def batch(self, x: FloatArray) -> Any:
        """Samples as `update_grid` takes them."""
        return tensor(x)

    def penalties(self, layers: Sequence[PlainLayer], x: FloatArray) -> dict[str, float]:
        """regularization_loss, summed over layers: of the coefficients, whatever the samples are."""
        modules = [self.make(layer) for layer in layers]
        l1 = sum(float(module.regularization_loss(1.0, 0.0)) for module in modules)
        return {
            "l1": l1,
            "entropy": sum(float(module.regularization_loss(0.0, 1.0)) for module in modules),
        }
