"""Networks in files: .npz for machines, .json for people and other languages; written whole or not at all, read with distrust.

Both formats hold the one document of `plain_form`.

JSON (RFC 8259): UTF-8; float64 as the shortest decimals that give the same bits back; no NaN, no infinity, no key twice.
npz: a zip archive of uncompressed .npy members, which `numpy.load(path, allow_pickle=False)` opens too: `coef` of layer 0 is
`layer_0_coef`, little-endian float64; what is no array stands as JSON in the 0-d unicode array `meta`.

Nothing in a file is executed or unpickled. No size is believed before that many bytes have been found in the file, and no
file above `MOST_BYTES` is read. The same network gives the same bytes: no clock, no user, no folder enters a file.
"""

import io
import json
import math
import os
import re
import zipfile
from reprlib import repr as short
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from kan_ref.files import replace_file
from kan_ref.io.document import holds_numbers, layer_entries, network_from_plain, network_to_plain
from kan_ref.network import Network

MOST_BYTES = {".npz": 2**30, ".json": 2**27}  # reading takes about 4 and 25 times as much memory
MOST_DIRECTORY_BYTES, MOST_META_CHARACTERS = 2**20, 2**20

# the two kinds of array that we write; no literal of a file is ever evaluated
_NPY_HEADER = re.compile(
    r"\{'descr': '<(f8|U\d{1,8})', 'fortran_order': (True|False), 'shape': \(([\d, ]{0,60})\), \} *\n"
)


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """The network in a file, from which `load` makes the same one, bit for bit.

    Parameters
    ----------
    network : Network
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    None
        An older file is replaced in one step at the very end; if anything fails before, it stays as it was.

    Raises
    ------
    ValueError, TypeError, OSError
        Another ending; no network, or one with numbers that are not finite; no such folder, no permission, disk full.
    """
    if not isinstance(network, Network):
        raise TypeError(f"network is {short(network)}, but must be a Network")
    name, suffix = _name_and_suffix(path)
    document = network_to_plain(network)
    network_from_plain(document)  # what could not be read must not replace what can
    data = (
        _npz_bytes(document)
        if suffix == ".npz"
        else _json_text(document, "\n").encode("ascii") + b"\n"
    )
    if len(data) > MOST_BYTES[suffix]:
        raise ValueError(
            f"network takes {len(data)} bytes as {suffix}, but such a file may have at most {MOST_BYTES[suffix]}"
        )
    replace_file(name, data)


def load(path: str | os.PathLike[str]) -> Network:
    """The network in a file that `save` wrote; the file may come from anywhere.

    Parameters
    ----------
    path : str or path, ending in ".npz" or ".json"

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError, TypeError, OSError
        "hello.npz holds no network that can be read: layer 0 lacks 'coef'", and the like for every other fault; no such file.
    """
    name, suffix = _name_and_suffix(path)
    with open(name, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES[suffix]:
            raise ValueError(
                f"{name} has {size} bytes, but a {suffix} file may have at most {MOST_BYTES[suffix]}"
            )
        data = file.read(size)
    try:
        return network_from_plain(_npz_document(data) if suffix == ".npz" else _json_document(data))
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


# --- JSON


def _json_text(value: Any, line: str) -> str:
    """JSON with one row of numbers on a line; `line` is the line break with its indentation."""
    deeper = line + " "
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(
                f"{deeper}{json.dumps(key)}: {_json_text(inner, deeper)}"
                for key, inner in value.items()
            )
            + line
            + "}"
        )
    if isinstance(value, list) and isinstance(value[0], list | dict):
        return "[" + ",".join(deeper + _json_text(inner, deeper) for inner in value) + line + "]"
    return json.dumps(value)


def _json_document(data: bytes) -> Any:
    document = _parse_json(data.decode("utf-8"))
    for number, plain in enumerate(layer_entries(document)):
        plain.update(
            {
                name: _array(f"layer {number}: {short(name)}", value)
                for name, value in plain.items()
                if holds_numbers(name, value)
            }
        )
    return document


def _parse_json(text: str) -> Any:
    def whole(
        digits: str,
    ) -> float:  # an int would lose the sign of -0, and may be long beyond all use
        return float(digits) if len(digits) > 15 or digits == "-0" else int(digits)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise ValueError(f"it has a key twice among {short([key for key, _ in pairs])}")
        return members

    try:
        return json.loads(text, parse_int=whole, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _array(name: str, value: list[Any]) -> NDArray[np.float64]:
    items = np.array(value, dtype=object)  # where rows differ in length, lists are left as items
    wrong = [item for item in items.ravel().tolist() if type(item) not in (float, int)]
    if wrong:
        raise ValueError(
            f"{name} contains {short(wrong[0])}, but needs numbers in rows of one length"
        )
    return items.astype(np.float64)


# --- npz


def _npz_bytes(document: dict[str, Any]) -> bytes:
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


def _npz_document(data: bytes) -> Any:
    members = _zip_members(data)
    meta = _npy_array("meta.npy", members.pop("meta.npy", b""))
    if meta.shape or meta.dtype.kind != "U" or meta.dtype.itemsize > 4 * MOST_META_CHARACTERS:
        raise ValueError(
            f"its member 'meta.npy' must be text of at most {MOST_META_CHARACTERS} characters in a 0-d array"
        )
    document = _parse_json(meta.tobytes().decode("utf-32-le"))
    layers = layer_entries(document)
    for name, member in members.items():
        place = re.fullmatch(r"layer_(0|[1-9]\d{0,3})_(\w+)\.npy", name)
        if not place or int(place[1]) >= len(layers) or place[2] in layers[int(place[1])]:
            raise ValueError(
                f"its member {short(name)} has no place in a network of {len(layers)} layers"
            )
        layers[int(place[1])][place[2]] = _npy_array(name, member)
    return document


def _zip_members(data: bytes) -> dict[str, bytes]:
    """The members of a zip archive, if they are stored as they are: together they cannot outgrow the file."""
    if (
        data[-22:-18] != b"PK\5\6"
        or data[-42:-38] == b"PK\6\7"
        or int.from_bytes(data[-10:-6], "little") > MOST_DIRECTORY_BYTES
    ):
        raise ValueError("it does not end like a small zip archive: cut short, or no .npz file")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _stored_members(archive, len(data))
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, OverflowError) as error:
        raise ValueError(
            f"it is no sound zip archive: {str(error) or 'it is cut short'}"
        ) from error


def _stored_members(archive: zipfile.ZipFile, most: int) -> dict[str, bytes]:
    found = archive.infolist()
    if any(info.compress_type or info.compress_size != info.file_size for info in found):
        raise ValueError("a member is compressed, but must be stored as it is")
    if (
        len({info.filename for info in found}) < len(found)
        or sum(info.file_size for info in found) > most
    ):
        raise ValueError("a member is there twice, or lies on top of another")
    return {info.filename: archive.read(info) for info in found}


def _npy_array(name: str, member: bytes) -> NDArray[Any]:
    end = 10 + int.from_bytes(member[8:10], "little")
    header = _NPY_HEADER.fullmatch(member[10:end].decode("latin-1"))
    if not member.startswith(b"\x93NUMPY\1\0") or not header:
        raise ValueError(
            f"its member {short(name)} is missing, or no .npy array of float64 or text"
        )
    descr, fortran, sizes = header.groups()
    shape = tuple(map(int, re.findall(r"\d+", sizes)))
    if math.prod(shape) * np.dtype(descr).itemsize != len(member) - end:
        raise ValueError(
            f"its member {short(name)} has {len(member) - end} bytes, but declares {math.prod(shape)} numbers"
        )
    return np.frombuffer(member, "<" + descr, offset=end).reshape(
        shape, order="F" if fortran == "True" else "C"
    )
