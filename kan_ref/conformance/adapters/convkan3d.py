"""ConvKAN3D: the copy of efficient-kan's layer that its convolutions over volumes use."""

from typing import Any

from kan_ref.conformance.adapters.efficient_kan import EfficientKan


class Convkan3d(EfficientKan):
    """`ConvKAN3D.efficient_kan.KANLinear`."""

    distribution = "ConvKAN3D"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from ConvKAN3D.efficient_kan import KANLinear

        return KANLinear
