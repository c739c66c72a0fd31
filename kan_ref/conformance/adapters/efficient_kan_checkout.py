r"""efficient-kan itself, which is on no package index: from a checkout named by EFFICIENT_KAN.

EFFICIENT_KAN=~/efficient-kan python -m kan_ref.conformance \
        --adapter kan_ref.conformance.adapters.efficient_kan_checkout:EfficientKanCheckout
"""

from typing import Any

from kan_ref.conformance.adapters.checkouts import import_from, source_folder
from kan_ref.conformance.adapters.efficient_kan import EfficientKan


class EfficientKanCheckout(EfficientKan):
    """`efficient_kan.KANLinear` of the checkout."""

    distribution = "torch"  # the checkout itself need not be installed

    def __init__(self) -> None:
        folder = source_folder("EFFICIENT_KAN", "efficient-kan", "efficient_kan/kan.py")
        super().__init__()
        import_from(folder)
        self.name, self.version = "efficient-kan", "checkout"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from efficient_kan import KANLinear

        return KANLinear
