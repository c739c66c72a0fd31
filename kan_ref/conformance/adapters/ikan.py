"""ikan, a distribution of efficient-kan."""

from typing import Any

from kan_ref.conformance.adapters.efficient_kan import EfficientKan


class Ikan(EfficientKan):
    """`ikan.KAN.KANLinear`."""

    distribution = "ikan"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from ikan.KAN import KANLinear

        return KANLinear
