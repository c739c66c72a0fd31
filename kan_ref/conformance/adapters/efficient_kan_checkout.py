r"""efficient-kan itself, which is on no package index: from a checkout named by EFFICIENT_KAN.

EFFICIENT_KAN=~/efficient-kan python -m kan_ref.conformance \
        --adapter kan_ref.conformance.adapters.efficient_kan_checkout:EfficientKanCheckout
"""

import os
import sys
from pathlib import Path
from typing import Any

from kan_ref.conformance.adapters.efficient_kan import EfficientKan

VARIABLE = "EFFICIENT_KAN"


def source_folder() -> Path:
    """Return the folder of the checkout that holds the package `efficient_kan`.

    Raises
    ------
    FileNotFoundError
        "EFFICIENT_KAN is 'here', but must be the folder of a checkout of efficient-kan ..."
    """
    named = os.environ.get(VARIABLE, "")
    for folder in (Path(named).expanduser() / "src", Path(named).expanduser()):
        if named and (folder / "efficient_kan" / "kan.py").is_file():
            return folder
    raise FileNotFoundError(
        f"{VARIABLE} is {named!r}, but must be the folder of a checkout of efficient-kan, which "
        "holds src/efficient_kan/kan.py"
    )


class EfficientKanCheckout(EfficientKan):
    """`efficient_kan.KANLinear` of the checkout."""

    distribution = "torch"  # the checkout itself need not be installed

    def __init__(self) -> None:
        folder = str(source_folder())
        super().__init__()
        sys.path.insert(0, folder)
        self.name, self.version = "efficient-kan", "checkout"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from efficient_kan import KANLinear

        return KANLinear
