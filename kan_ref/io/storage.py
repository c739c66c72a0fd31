"""Save networks in files and load them: .npz (compact) or .json (readable by people and programs).

Both hold the same document (`document`). In an .npz file `coef` of layer 0 is `layer_0_coef`, and
all that is no array is JSON in the text `meta`. A file is written completely or not at all. Nothing
in a file is executed or unpickled, and one of more than `MOST_BYTES` is not read.
"""

import io
import json
import os
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.files import read_regular, replace_file
from kan_ref.io.document import json_document, json_text, network_from_plain, network_to_plain
from kan_ref.network import Network, check_network

MOST_BYTES = 2**28  # reading takes about 4 times as much memory, 25 times for .json


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, from which `load` restores it bit for bit.

    Parameters
    ----------
    network : Network
        A file holds the names of its functions only: register your own where it is loaded.
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    None
        An existing file is replaced in one step at the very end. It stays as it was if the network
        could not be loaded again, such as one of more than 2^28 bytes.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kr.save(net, os.path.join(folder, "net.npz"))
    ...     again = kr.load(os.path.join(folder, "net.npz"))
    >>> bool((again.theta == net.theta).all())
    True
    """
    document = network_to_plain(check_network("network", network))
    name, is_npz = _check_path(path)
    network_from_plain(document)  # a document that cannot be read must not replace a file
    data = npz_bytes(document) if is_npz else json_text(document).encode("ascii") + b"\n"
    if len(data) > MOST_BYTES:
        checks.fail("the size of the file", len(data), f"must be at most {MOST_BYTES} bytes")
    replace_file(name, data)


def load(path: str | os.PathLike[str]) -> Network:
    """Return the network in a file that `save` wrote; files from any source are safe to load.

    Parameters
    ----------
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    network : Network
        A file that holds none raises a ValueError with its name.

    Examples
    --------
    See `save`.
    """
    name, is_npz = _check_path(path)
    data = read_regular(name, MOST_BYTES)
    try:
        return network_from_plain(npz_document(data) if is_npz else json_document(data))
    except Exception as error:  # damaged archives raise errors of many kinds in NumPy and zipfile
        reason = f"{error or type(error).__name__}"[:300]
        raise ValueError(f"{name} holds no network that can be read: {reason}") from error


def _check_path(path: object) -> tuple[str, bool]:
    """Return the name of a file, and whether it is an archive."""
    if not isinstance(path, str | os.PathLike):
        checks.fail("path", path, "must be a str or a pathlib.Path", TypeError)
    name = os.fspath(path)
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in (".npz", ".json"):
        checks.fail("path", name, "must end in '.npz' or '.json'")
    return name, suffix == ".npz"


def npz_bytes(document: dict[str, Any]) -> bytes:
    """Return the bytes of the archive of a document."""
    arrays: dict[str, Any] = {}
    layers = []
    for number, plain in enumerate(document["layers"]):
        rest = {name: value for name, value in plain.items() if not isinstance(value, np.ndarray)}
        arrays |= {f"layer_{number}_{name}": plain[name] for name in plain if name not in rest}
        layers.append(rest)
    buffer = io.BytesIO()
    meta = np.array(json.dumps({**document, "layers": layers}))
    np.savez(buffer, meta=meta, **arrays)
    return buffer.getvalue()


def npz_document(data: bytes) -> Any:
    """Return the document in the bytes of an archive."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        size = sum(info.file_size for info in archive.zip.infolist())  # of all, unpacked
        if size > MOST_BYTES:
            raise ValueError(f"its arrays have {size} bytes, but may have at most {MOST_BYTES}")
        document = json_document(archive["meta"].item().encode())
        for name in archive.files:
            if name != "meta":
                _, number, entry = name.split("_", 2)
                document["layers"][int(number)][entry] = archive[name]
    return document
