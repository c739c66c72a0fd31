"""flashkan: one uniform grid for all inputs; no w_spline, no mask.

A layer of any degree can be requested, but the cubic is computed.
"""

from typing import Any

from kan_ref.conformance.adapters.axes import EFFICIENT_KAN
from kan_ref.conformance.adapters.torch_layers import TorchAdapter
from kan_ref.conformance.adapters.torch_tensors import base_function


class Flashkan(TorchAdapter):
    """`flashkan.KANLayer`, without compilation.

    To compile a layer for each shape takes longer than a case may take.
    """

    distribution = "flashkan"
    axes = EFFICIENT_KAN
    any_knots = False

    def __init__(self) -> None:
        import torch

        super().__init__()
        torch.compiler.set_stance("force_eager")

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
        """Return a KANLayer."""
        from flashkan import KANLayer

        return KANLayer(
            n_in,
            n_out,
            n_intervals,
            degree,
            base_activation=base_function(base),
            grid_range=(low, high),
        )

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        return {"coef": module.spline_weight, "w_base": module.base_weight}

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of the function that its forward pass calls."""
        from flashkan.basis import bspline_basis

        return bspline_basis(x, module.grid_starts, module.inv_h)
