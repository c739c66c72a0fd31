"""A network as plain data, the document that files hold: numbers and names, no code; and as JSON.

A document holds the state of the network and nothing else. In JSON it is

    {"format": "kan_ref network",
     "version": 1,                               format version, see below
     "kan_ref": "0.1.0",                         version of the writer, a short text, not used
     "layers": [{"degree": 3, "base": "silu",    one entry for each layer, from the inputs on
                 "knots": [[...], ...],          (n_in, n_intervals + 2 degree + 1)
                 "coef": [[[...], ...], ...],    (n_out, n_in, n_intervals + degree)
                 "w_base": [[...], ...],         (n_out, n_in), as the next two
                 "w_spline": [[...], ...], "mask": [[...], ...]}]}

A layer with symbolic edges has two more entries, and the format version is then 2. Functions are
stored by name and looked up in the library, so a document can hold an edge only if the library has
its function under that name; nothing of a name is executed. A network without symbolic edges has
version 1. Version 3 is read as version 2.

                 "symbolic": [{"output": 0, "input": 1, "function": "sin", "row": 0}, ...],
                 "affine": [[...], ...]          (n_rows, 4): a, b, c, d

The entries of "symbolic" are in [output, input] order. The text follows RFC 8259, in UTF-8: float64
as the shortest decimals that read back the same bits; no NaN, no infinity, no repeated key.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.files import parse_json
from kan_ref.functions import LIBRARY
from kan_ref.network import Layer, Network, SymbolicEdge
from kan_ref.version import __version__

FORMAT, VERSION = "kan_ref network", 3
ARRAY_NAMES = ("knots", "coef", "w_base", "w_spline", "mask")
FORMULA_NAMES = ("symbolic", "affine")
MOST_LAYERS = 1000


def network_to_plain(network: Network) -> dict[str, Any]:
    """Return the document of a network: dicts, lists, numbers, text, and float64 arrays.

    ValueError if the library does not have the function of a symbolic edge.
    """
    for number, layer in enumerate(network.layers):
        for edge in layer.symbolic:
            _check_function(number, edge)
    return {
        "format": FORMAT,
        "version": 2 if any(layer.symbolic for layer in network.layers) else 1,
        "kan_ref": __version__,
        "layers": [layer_to_plain(layer) for layer in network.layers],
    }


def _check_function(number: int, edge: SymbolicEdge) -> None:
    """Raise ValueError if the library does not have an edge's function under its name."""
    known = LIBRARY.get(edge.name)
    if known == edge.function:
        return
    place = f"the edge from input {edge.input} to output {edge.output} of layer {number}"
    if known is None:
        raise ValueError(
            f"network has {edge.name!r} on {place}, but the library has no function of that name, "
            "and a file holds only the name: register the function first"
        )
    raise ValueError(
        f"network has {edge.name!r} on {place}, but the library has another function of that name, "
        "and a file holds only the name: put the library's function on the edge with fix_symbolic, "
        "or unregister that one and register the edge's own function again"
    )


def layer_to_plain(layer: Layer) -> dict[str, Any]:
    """Return the state of a layer by name: degree, base, five arrays, symbolic edges if any."""
    plain = {
        "degree": layer.degree,
        "base": layer.base,
        **{name: getattr(layer, name) for name in ARRAY_NAMES},
    }
    if layer.symbolic:
        plain["symbolic"] = [
            {"output": edge.output, "input": edge.input, "function": edge.name, "row": edge.row}
            for edge in layer.symbolic
        ]
        plain["affine"] = layer.affine
    return plain


def network_from_plain(document: object) -> Network:
    """Return the network of a document; ValueError if there is none."""
    layers = tuple(
        layer_from_plain(plain, f"layer {number}")
        for number, plain in enumerate(layer_entries(document))
    )
    return Network(layers)


def layer_from_plain(plain: dict[str, Any], owner: str = "layer") -> Layer:
    """Return the layer of a dict from `layer_to_plain`; ValueError if there is none.

    `owner` is the first word of the message.
    """
    formulas = FORMULA_NAMES if "symbolic" in plain or "affine" in plain else ()
    _check_keys(owner, plain, ("degree", "base", *ARRAY_NAMES, *formulas))
    degree, base = plain["degree"], plain["base"]
    if type(degree) is not int or type(base) is not str or len(base) > 99:
        raise ValueError(
            f"{owner} has degree {checks.shown(degree)} and base {checks.shown(base)}, "
            "but needs an integer and a short name"
        )
    for name in (*ARRAY_NAMES, *formulas[1:]):
        if not isinstance(plain[name], np.ndarray) or plain[name].dtype.kind != "f":
            raise ValueError(f"{owner} needs an array of numbers as {name!r}")
    try:
        return Layer(
            **{**plain, "symbolic": _edges_from_plain(plain["symbolic"])} if formulas else plain
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{owner}: {error}") from error


def _edges_from_plain(entries: Any) -> list[SymbolicEdge]:
    if (
        type(entries) is not list
        or not entries
        or any(type(entry) is not dict for entry in entries)
    ):
        raise ValueError(f"symbolic is {checks.shown(entries)}, but needs a list of objects")
    edges = []
    for number, entry in enumerate(entries):
        _check_keys(f"symbolic edge {number}", entry, ("output", "input", "function", "row"))
        name = entry["function"]
        if type(name) is not str or name not in LIBRARY:
            raise ValueError(
                f"symbolic edge {number} has the function {checks.shown(name)}, "
                "which is not in the library: register it first"
            )
        if any(type(entry[key]) is not int for key in ("output", "input", "row")):
            raise ValueError(
                f"symbolic edge {number} is {checks.shown(entry)}, "
                "but needs integers as output, input and row"
            )
        edges.append(SymbolicEdge(entry["output"], entry["input"], LIBRARY[name], entry["row"]))
    return edges


def holds_numbers(name: str, value: object) -> bool:
    """Return whether an entry of a layer is read as an array."""
    return isinstance(value, list) and name != "symbolic"


def layer_entries(document: Any) -> list[dict[str, Any]]:
    """Return the entries of the layers; ValueError if format or version are not ours.

    The version is checked first, since a later format may differ in everything else.
    """
    if type(document) is not dict or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    version, writer, layers = (
        document.get("version"),
        checks.shown(document.get("kan_ref")),
        document.get("layers"),
    )
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError(
            f"it has format version {checks.shown(version)}, by kan_ref {writer}, "
            f"but this kan_ref reads versions 1 to {VERSION}"
        )
    _check_keys("it", document, ("format", "version", "kan_ref", "layers"))
    if (
        type(layers) is not list
        or not 1 <= len(layers) <= MOST_LAYERS
        or any(type(plain) is not dict for plain in layers)
    ):
        raise ValueError(f"it needs its layers as a list of 1 to {MOST_LAYERS} objects")
    if type(document["kan_ref"]) is not str or len(document["kan_ref"]) > 99:
        raise ValueError(f"it was written by kan_ref {writer}, but needs a short text there")
    if version == 1 and any(name in plain for plain in layers for name in FORMULA_NAMES):
        raise ValueError("it has symbolic edges, which have no place in format version 1")
    return layers


def _check_keys(owner: str, plain: dict[str, Any], names: tuple[str, ...]) -> None:
    faults = [f"lacks {name!r}" for name in names if name not in plain]
    faults += [
        f"has {checks.shown(name)}, which has no place in format version {VERSION}"
        for name in plain
        if name not in names
    ]
    if faults:
        raise ValueError(f"{owner} {faults[0]}")


def json_text(value: Any, line: str) -> str:
    """Return JSON with one row of numbers on a line.

    `line` is the line break with its indentation.
    """
    deeper = line + " "
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(
                f"{deeper}{json.dumps(key)}: {json_text(inner, deeper)}"
                for key, inner in value.items()
            )
            + line
            + "}"
        )
    if isinstance(value, list) and isinstance(value[0], list | dict):
        return "[" + ",".join(deeper + json_text(inner, deeper) for inner in value) + line + "]"
    return json.dumps(value)


def json_document(data: bytes) -> Any:
    """Return the document in a file's bytes, with float64 arrays; ValueError if there is none."""
    document = parse_document(data)
    for number, plain in enumerate(layer_entries(document)):
        plain.update(
            {
                name: _array(f"layer {number}: {checks.shown(name)}", value)
                for name, value in plain.items()
                if holds_numbers(name, value)
            }
        )
    return document


def parse_document(text: str | bytes) -> Any:
    """Return the value of a JSON text; ValueError if it is not strict JSON."""

    def whole(digits: str) -> float:  # an int would lose the sign of -0, and may be very long
        return float(digits) if len(digits) > 15 or digits == "-0" else int(digits)

    return parse_json(text, whole, constant=float)  # the check of the arrays names the place


def _array(name: str, value: list[Any]) -> NDArray[np.float64]:
    items = np.array(value, dtype=object)  # rows of different length become lists as items
    wrong = [item for item in items.ravel().tolist() if type(item) not in (float, int)]
    if wrong:
        raise ValueError(
            f"{name} contains {checks.shown(wrong[0])}, but needs numbers in rows of one length"
        )
    return items.astype(np.float64)
