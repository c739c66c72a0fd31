"""Save networks in files and load them: .npz (compact) or .json (readable by people and programs).

Both formats hold the same document (`document`). A file is written completely or not at all.
Nothing in a file is executed or unpickled. Memory is allocated only for bytes that the file has,
and no file above `MOST_BYTES` is read. The same network gives the same bytes: no time, user or
folder is stored.
"""

import os

from kan_ref.checks import network_remedy, short
from kan_ref.files import read_regular, replace_file
from kan_ref.io.document import network_from_plain, network_to_plain
from kan_ref.io.json_file import json_document, json_text
from kan_ref.io.npz_file import npz_bytes, npz_document
from kan_ref.network import Network

MOST_BYTES = {".npz": 2**30, ".json": 2**27}  # reading takes about 4 and 25 times as much memory


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, from which `load` restores it bit for bit.

    Parameters
    ----------
    network : Network
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    None
        An existing file is replaced in one step at the very end; if an error occurs before, it does
        not change. A process that is terminated by force may leave a file `.kan_ref-*.tmp` beside
        it, which the next `save` into the folder on the same machine removes.

    Raises
    ------
    ValueError, TypeError, OSError
        Another ending; no network, or one with numbers that are not finite or functions that are
        not in the library; no such folder, no permission, disk full.
    """
    if not isinstance(network, Network):
        raise TypeError(
            f"network is {short(network)}, but must be a Network{network_remedy(network)}"
        )
    name, suffix = _name_and_suffix(path)
    document = network_to_plain(network)
    network_from_plain(document)  # a document that cannot be read must not replace a file
    data = (
        npz_bytes(document)
        if suffix == ".npz"
        else json_text(document, "\n").encode("ascii") + b"\n"
    )
    if len(data) > MOST_BYTES[suffix]:
        raise ValueError(
            f"network takes {len(data)} bytes as {suffix}, "
            f"but such a file may have at most {MOST_BYTES[suffix]}"
        )
    replace_file(name, data)


def load(path: str | os.PathLike[str]) -> Network:
    """Return the network in a file that `save` wrote; files from any source are safe to load.

    Parameters
    ----------
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError, TypeError, OSError
        "hello.npz holds no network that can be read: layer 0 lacks 'coef'", and the like for every
        other fault; no such file, or something else than a regular file, such as a named pipe.
    """
    name, suffix = _name_and_suffix(path)
    data = read_regular(name, MOST_BYTES[suffix])
    try:
        return network_from_plain(npz_document(data) if suffix == ".npz" else json_document(data))
    except ValueError as error:
        raise ValueError(f"{name} holds no network that can be read: {str(error)[:300]}") from error


def _name_and_suffix(path: object) -> tuple[str, str]:
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(name, str):
        raise TypeError(f"path is {short(path)}, but must be a str or a pathlib.Path")
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in MOST_BYTES:
        raise ValueError(f"path is {name!r}, but must end in '.npz' or '.json'")
    return name, suffix
