"""Save networks in files and load them: .npz (compact) or .json (readable by people and programs).

Both formats hold the same document (`document`). A file is written completely or not at all.
Nothing in a file is executed or unpickled. Memory is allocated only for bytes that the file has,
and no file above `MOST_BYTES` is read. The same network gives the same bytes: no time, user or
folder is stored.

An .npz file is a zip archive of uncompressed .npy members; `numpy.load(path, allow_pickle=False)`
opens it too. `coef` of layer 0 is the member `layer_0_coef`, little-endian float64. Everything that
is not an array is JSON in the 0-d unicode array `meta`.
"""

import io
import json
import math
import os
import re
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.files import read_regular, replace_file
from kan_ref.io.document import (
    json_document,
    json_text,
    layer_entries,
    network_from_plain,
    network_to_plain,
    parse_document,
)
from kan_ref.network import Network

# the two kinds of array that are written; no literal of a file is ever evaluated
_NPY_HEADER = re.compile(
    r"\{'descr': '<(f8|U\d{1,9})', 'fortran_order': (True|False), "
    r"'shape': \(([\d, ]{0,60})\), \} *\n"
)

MOST_BYTES = {".npz": 2**30, ".json": 2**27}  # reading takes about 4 and 25 times as much memory
MOST_DIRECTORY_BYTES = 2**20
# of an archive's text, which is the .json file without its numbers: each symbolic edge takes about
# 60. No network is too large for this text alone, and an archive full of it has 2^29 bytes
MOST_META_CHARACTERS = MOST_BYTES[".json"]


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, from which `load` restores it bit for bit.

    Parameters
    ----------
    network : Network
        A file holds the names of its functions only. Functions of your own have to be registered
        again where it is loaded.
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
        Another ending; no network, or one with numbers that are not finite, with functions that are
        not in the library, or with more than a file can hold; no such folder, no permission, disk
        full.
    """
    if not isinstance(network, Network):
        raise TypeError(f"network is {checks.shown(network)}, but must be a Network")
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
    if suffix == ".npz":
        try:  # a good file must not be replaced by one that `load` rejects
            npz_document(data)
        except ValueError as error:
            raise ValueError(
                f"network is too large for a file that can be read again ({error}): remove edges "
                "with prune, or save parts of it"
            ) from error
    replace_file(name, data)


def load(path: str | os.PathLike[str]) -> Network:
    """Return the network in a file that `save` wrote; files from any source are safe to load.

    Parameters
    ----------
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    network : Network
        Its symbolic edges have the functions that the library has under their names now.

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
        raise TypeError(f"path is {checks.shown(path)}, but must be a str or a pathlib.Path")
    try:
        unusable = b"\0" in os.fsencode(name)
    except UnicodeEncodeError:
        unusable = True
    if unusable:
        raise ValueError(f"path is {name!r}, but has a character that no file's name can have")
    suffix = os.path.splitext(name)[1].lower()
    if not suffix and os.path.basename(name).lower() in MOST_BYTES:
        raise ValueError(
            f"path is {name!r}, but must have a name before its ending, as in "
            f"{os.path.join(os.path.dirname(name), 'network' + os.path.basename(name))!r}"
        )
    if suffix not in MOST_BYTES:
        raise ValueError(f"path is {name!r}, but must end in '.npz' or '.json'")
    return name, suffix


def npz_bytes(document: dict[str, Any]) -> bytes:
    """Return the bytes of the archive; the same document gives the same bytes."""
    entries = [
        (number, name, value)
        for number, plain in enumerate(document["layers"])
        for name, value in plain.items()
    ]
    arrays = {
        f"layer_{number}_{name}": value
        for number, name, value in entries
        if isinstance(value, np.ndarray)
    }
    layers = [
        {name: value for name, value in plain.items() if not isinstance(value, np.ndarray)}
        for plain in document["layers"]
    ]
    meta = np.array(json.dumps({**document, "layers": layers}))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in {"meta": meta, **arrays}.items():
            info = zipfile.ZipInfo(f"{name}.npy")  # dated 1980
            info.create_system = 3
            with archive.open(info, "w") as member:
                npy.write_array(
                    member,
                    array.astype(array.dtype.newbyteorder("<"), copy=False),
                    allow_pickle=False,
                )
    return buffer.getvalue()


def npz_document(data: bytes) -> Any:
    """Return the document in the bytes of an archive; ValueError if there is none."""
    members = _zip_members(data)
    meta = _npy_array("meta.npy", members.pop("meta.npy", b""))
    if meta.shape or meta.dtype.kind != "U" or meta.dtype.itemsize > 4 * MOST_META_CHARACTERS:
        raise ValueError(
            f"its member 'meta.npy' must be text of at most {MOST_META_CHARACTERS} characters "
            "in a 0-d array"
        )
    document = parse_document(meta.tobytes().decode("utf-32-le"))
    layers = layer_entries(document)
    for name, member in members.items():
        place = re.fullmatch(r"layer_(0|[1-9]\d{0,3})_(\w+)\.npy", name)
        if not place or int(place[1]) >= len(layers) or place[2] in layers[int(place[1])]:
            raise ValueError(
                f"its member {checks.shown(name)} has no place in a network of {len(layers)} layers"
            )
        layers[int(place[1])][place[2]] = _npy_array(name, member)
    return document


def _zip_members(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip archive that are stored uncompressed.

    Together they cannot be larger than the file.
    """
    if (
        data[-22:-18] != b"PK\5\6"
        or data[-42:-38] == b"PK\6\7"
        or int.from_bytes(data[-10:-6], "little") > MOST_DIRECTORY_BYTES
    ):
        raise ValueError("it does not end like a small zip archive: truncated, or no .npz file")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _stored_members(archive, len(data))
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, OverflowError) as error:
        raise ValueError(
            f"it is not a valid zip archive: {str(error) or 'it is truncated'}"
        ) from error


def _stored_members(archive: zipfile.ZipFile, most: int) -> dict[str, bytes]:
    found = archive.infolist()
    if any(info.compress_type or info.compress_size != info.file_size for info in found):
        raise ValueError("a member is compressed, but must be stored uncompressed")
    if (
        len({info.filename for info in found}) < len(found)
        or sum(info.file_size for info in found) > most
    ):
        raise ValueError("a member occurs twice, or overlaps another")
    return {info.filename: archive.read(info) for info in found}


def _npy_array(name: str, member: bytes) -> NDArray[Any]:
    end = 10 + int.from_bytes(member[8:10], "little")
    header = _NPY_HEADER.fullmatch(member[10:end].decode("latin-1"))
    if not member.startswith(b"\x93NUMPY\1\0") or not header:
        raise ValueError(
            f"its member {checks.shown(name)} is missing, or no .npy array of float64 or text"
        )
    descr, fortran, sizes = header.groups()
    shape = tuple(map(int, re.findall(r"\d+", sizes)))
    if math.prod(shape) * np.dtype(descr).itemsize != len(member) - end:
        raise ValueError(
            f"its member {checks.shown(name)} has {len(member) - end} bytes, "
            f"but declares {math.prod(shape)} numbers"
        )
    return np.frombuffer(member, "<" + descr, offset=end).reshape(
        shape, order="F" if fortran == "True" else "C"
    )
