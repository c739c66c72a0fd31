"""convkan: efficient-kan's layer with groups of channels; here with one group."""

from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import Axes
from kan_ref.conformance.adapters.efficient_kan import EfficientKan
from kan_ref.conformance.adapters.torch_tensors import tensor


class Convkan(EfficientKan):
    """`convkan.KANLinear`; samples have a first axis of groups."""

    distribution = "convkan"
    axes = Axes(coef="goim", weights="goi", knots="git")

    def linear(self) -> Any:
        """Return the library's class of layers, for samples without groups."""
        from convkan import KANLinear

        class OneGroup(KANLinear):  # type: ignore[misc]
            """The layer on samples without groups."""

            def forward(self, x: Any) -> Any:
                return super().forward(x[None])[0]

        return OneGroup

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of `b_splines`."""
        return module.b_splines(x[None])[0]

    def batch(self, x: FloatArray) -> Any:
        """Return samples with the axis of groups."""
        return tensor(x)[None]
