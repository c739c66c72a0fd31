"""A network as plain data, the document that files hold: numbers and names, no code; and as JSON.

    {"format": "kan_ref network",
     "version": 1,                     2 with symbolic edges; 3 is read, too
     "kan_ref": "0.1.0",               of the writer, not used
     "layers": [{"degree": 3, "base": "silu",
                 "knots": [...],       (n_in, n_intervals + 2 degree + 1)
                 "coef": [...],        (n_out, n_in, n_intervals + degree)
                 "w_base": [...], "w_spline": [...], "mask": [...]}]}       (n_out, n_in)

A layer with symbolic edges has two more entries. Functions are stored by name and looked up in the
library; nothing of a name is executed.

    "symbolic": [{"output": 0, "input": 1, "function": "sin", "row": 0}, ...]
    "affine": [...]                    (n_rows, 4): a, b, c, d

JSON follows RFC 8259, with the shortest decimals that keep every bit.
"""

import json
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.files import parse_json
from kan_ref.functions import LIBRARY, lookup
from kan_ref.network import Layer, Network, SymbolicEdge
from kan_ref.version import __version__

FORMAT, LAST_VERSION = "kan_ref network", 3
ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")


def network_to_plain(network: Network) -> dict[str, Any]:
    """Return the document of a network: dicts, lists, numbers, text, and float64 arrays."""
    layers = []
    for number, layer in enumerate(network.layers):
        plain: dict[str, Any] = {"degree": layer.degree, "base": layer.base}
        plain |= {name: getattr(layer, name) for name in ARRAYS}
        for edge in layer.symbolic:
            if LIBRARY.get(edge.name) != edge.function:
                where = f"network has {edge.name!r} in layer {number}"
                raise ValueError(f"{where}, but the library has no such function: register it")
            entry = {"output": edge.output, "input": edge.input, "function": edge.name}
            plain.setdefault("symbolic", []).append({**entry, "row": edge.row})
            plain["affine"] = layer.affine
        layers.append(plain)
    version = 2 if any("symbolic" in plain for plain in layers) else 1
    return {"format": FORMAT, "version": version, "kan_ref": __version__, "layers": layers}


def network_from_plain(document: Any) -> Network:
    """Return the network of a document, whose arrays may be nested lists."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    checks.integer("its format version", document.get("version"), 1, LAST_VERSION)
    _check_keys("it", document, ("format", "version", "kan_ref", "layers"))
    layers = []
    for number, plain in enumerate(document["layers"]):
        try:
            layers.append(_layer_from_plain(plain))
        except (ValueError, TypeError) as error:
            raise ValueError(f"layer {number}: {error}") from error
    return Network(tuple(layers))


def _layer_from_plain(plain: dict[str, Any]) -> Layer:
    named = ("symbolic", "affine") if "symbolic" in plain or "affine" in plain else ()
    _check_keys("it", plain, ("degree", "base", *ARRAYS, *named))
    arrays = {name: _numbers(name, plain[name]) for name in (*ARRAYS, *named[1:])}
    edges = []
    for number, entry in enumerate(plain["symbolic"] if named else ()):
        _check_keys(f"symbolic[{number}]", entry, ("output", "input", "function", "row"))
        edges.append(SymbolicEdge(**{**entry, "function": lookup(entry["function"])}))
    if named and not edges:
        raise ValueError("symbolic is empty, but needs at least one edge")
    return Layer(degree=plain["degree"], base=plain["base"], symbolic=edges, **arrays)


def _check_keys(owner: str, plain: Any, names: tuple[str, ...]) -> None:
    for name in sorted(set(names) ^ set(checks.instance(owner, plain, dict))):
        raise ValueError(f"{owner} {'lacks' if name in names else 'has the unknown'} {name!r}")


def _numbers(name: str, value: Any) -> FloatArray:
    """Return an array; in lists NumPy would take true and text as numbers, too."""
    if isinstance(value, np.ndarray):
        return value
    items = np.array(value, dtype=object)  # rows of different length become lists as items
    for item in items.flat:
        if type(item) not in (float, int):
            checks.fail(f"an entry of {name}", item, "must be a number in rows of one length")
    return items.astype(np.float64)


def json_text(value: Any, line: str = "\n") -> str:
    """Return JSON with one row of numbers on a line; `line` is an indented break."""
    deeper = line + " "
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {json_text(one, deeper)}" for key, one in value.items()]
        return "{" + ",".join(deeper + entry for entry in entries) + line + "}"
    if isinstance(value, list) and isinstance(value[0], list | dict):
        return "[" + ",".join(deeper + json_text(one, deeper) for one in value) + line + "]"
    return json.dumps(value)


def json_document(data: bytes) -> Any:
    """Return the document in the bytes of a JSON file; ValueError if it is not strict JSON."""

    def whole(digits: str) -> float:  # an int would lose the sign of -0, and may be very long
        return float(digits) if len(digits) > 15 or digits == "-0" else int(digits)

    return parse_json(data, whole)
