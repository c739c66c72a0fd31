"""flashkan: one even grid for all inputs; no w_spline, no mask; a degree may be asked for, whatever is then computed."""

from typing import Any

from kan_ref.conformance.adapters.axes import EFFICIENT_KAN
from kan_ref.conformance.adapters.torch_layers import TorchAdapter, base_function


class Flashkan(TorchAdapter):
    """`flashkan.KANLayer`; PyTorch runs its functions as they are written, since compiling each shape takes longer than a case may."""

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
        """KANLayer."""
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
        """Their names."""
        return {"coef": module.spline_weight, "w_base": module.base_weight}

    def bases(self, module: Any, x: Any) -> Any:
        """The function that its forward calls."""
        from flashkan.basis import bspline_basis

        return bspline_basis(x, module.grid_starts, module.inv_h)
