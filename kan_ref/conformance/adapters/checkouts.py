"""Checkouts of libraries that are on no package index, named by environment variables."""

import os
import sys
from pathlib import Path


def source_folder(variable: str, library: str, file: str) -> Path:
    """Return the folder of the checkout from which the library is imported.

    Parameters
    ----------
    variable : str
        Of the environment, which names the checkout.
    library : str
        Its name, for the message.
    file : str
        A file of the library, below the checkout or below `src` in it.

    Raises
    ------
    FileNotFoundError
        "EFFICIENT_KAN is 'here', but must be the folder of a checkout of efficient-kan ..."
    """
    named = os.environ.get(variable, "")
    for folder in (Path(named).expanduser() / "src", Path(named).expanduser()):
        if named and (folder / file).is_file():
            return folder
    raise FileNotFoundError(
        f"{variable} is {named!r}, but must be the folder of a checkout of {library}, which "
        f"holds {file} or src/{file}"
    )


def import_from(folder: Path) -> None:
    """Let imports of this process find the modules of a folder first."""
    sys.path.insert(0, str(folder))
