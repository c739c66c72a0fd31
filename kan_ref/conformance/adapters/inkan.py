"""inkan: cubic splines on one uniform grid for all inputs; no w_spline, no mask.

weight (n_out, n_in * n_basis + n_in): for each output the coefficients of all inputs, then the base
weights
"""

from collections.abc import Mapping
from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import EFFICIENT_KAN
from kan_ref.conformance.adapters.torch_layers import TorchAdapter
from kan_ref.conformance.adapters.torch_tensors import base_function


class Inkan(TorchAdapter):
    """`inkan.KANLayer` without compilation, as its documentation says for second derivatives."""

    distribution = "inkan"
    axes = EFFICIENT_KAN
    any_knots, degrees = False, (3,)

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
        from inkan import KANLayer

        return KANLayer(
            n_in,
            n_out,
            n_intervals,
            degree,
            base_activation=base_function(base),
            grid_range=(low, high),
            compile_basis=False,
        )

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names; both are views of `weight`."""
        return {"coef": module.spline_weight, "w_base": module.base_weight}

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of the function that its forward pass calls."""
        from inkan.basis import bspline_basis_local_eager

        return bspline_basis_local_eager(x, module.grid_starts, module.inv_h, module.n_bases)

    def leaves(self, module: Any) -> dict[str, Any]:
        """Return the matrix of all weights."""
        return {"weight": module.weight}

    def ours(self, module: Any, slopes: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the gradient of the matrix, split into those of coef and w_base."""
        n_splines = module.in_features * module.n_bases
        coef, w_base = slopes["weight"][:, :n_splines], slopes["weight"][:, n_splines:]
        return {
            "d_coef": coef.reshape(module.spline_weight.shape),
            "d_w_base": w_base,
            "d_w_spline": None,
        }
