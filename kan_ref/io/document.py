"""A network as plain data, the document that files hold: numbers, names and nothing that runs.

A network is its state, and a file holds nothing else; here as a JSON file has it:

    {"format": "kan_ref network", "version": 1,  a version grows when a file can say what the one before cannot
     "kan_ref": "0.1.0",                         the writer, for people alone
     "layers": [{"degree": 3, "base": "silu",    one entry a layer, from the inputs on
                 "knots": [[...], ...],          (n_in, n_intervals + 2 degree + 1)
                 "coef": [[[...], ...], ...],    (n_out, n_in, n_intervals + degree)
                 "w_base": [[...], ...], "w_spline": [[...], ...], "mask": [[...], ...]}]}      (n_out, n_in) each

Version 2 says formulas too. A layer that has some has two entries more; functions stand by name, and are looked up in the library,
never read from the file. A network without formulas is written as version 1.

                 "symbolic": [{"output": 0, "input": 1, "function": "sin", "row": 0}, ...],     in [out, in] order
                 "affine": [[...], ...]                                                         (n_rows, 4): a, b, c, d
"""

from reprlib import repr as short
from typing import Any

import numpy as np

from kan_ref.functions import LIBRARY
from kan_ref.network import Layer, Network, SymbolicEdge
from kan_ref.version import __version__

FORMAT, VERSION = "kan_ref network", 2
ARRAY_NAMES = ("knots", "coef", "w_base", "w_spline", "mask")
FORMULA_NAMES = ("symbolic", "affine")
MOST_LAYERS = 1000


def network_to_plain(network: Network) -> dict[str, Any]:
    """The whole document: dicts, lists, numbers and text, with float64 arrays as they are."""
    writer = __version__
    version = 2 if any(layer.symbolic for layer in network.layers) else 1
    return {
        "format": FORMAT,
        "version": version,
        "kan_ref": writer,
        "layers": [layer_to_plain(layer) for layer in network.layers],
    }


def layer_to_plain(layer: Layer) -> dict[str, Any]:
    """All state of a layer by name: degree, base, five arrays, and its formulas if it has some."""
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
    """The network of a document, else ValueError."""
    return Network(
        tuple(
            layer_from_plain(plain, f"layer {number}")
            for number, plain in enumerate(layer_entries(document))
        )
    )


def layer_from_plain(plain: dict[str, Any], owner: str = "layer") -> Layer:
    """The layer of what `layer_to_plain` gives, else ValueError; `owner` opens the sentence."""
    formulas = FORMULA_NAMES if "symbolic" in plain or "affine" in plain else ()
    _check_keys(owner, plain, ("degree", "base", *ARRAY_NAMES, *formulas))
    degree, base = plain["degree"], plain["base"]
    if type(degree) is not int or type(base) is not str or len(base) > 99:
        raise ValueError(
            f"{owner} has degree {short(degree)} and base {short(base)}, but needs an integer and a short name"
        )
    for name in (*ARRAY_NAMES, *formulas[1:]):
        if not isinstance(plain[name], np.ndarray) or plain[name].dtype.kind != "f":
            raise ValueError(f"{owner} has something else than an array of numbers as {name!r}")
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
        raise ValueError(f"symbolic is {short(entries)}, but needs a list of objects")
    edges = []
    for number, entry in enumerate(entries):
        _check_keys(f"symbolic edge {number}", entry, ("output", "input", "function", "row"))
        name = entry["function"]
        if type(name) is not str or name not in LIBRARY:
            raise ValueError(
                f"symbolic edge {number} has the function {short(name)}, which is not in the library: register it first"
            )
        if any(type(entry[key]) is not int for key in ("output", "input", "row")):
            raise ValueError(
                f"symbolic edge {number} is {short(entry)}, but needs integers as output, input and row"
            )
        edges.append(SymbolicEdge(entry["output"], entry["input"], LIBRARY[name], entry["row"]))
    return edges


def holds_numbers(name: str, value: object) -> bool:
    """Whether an entry of a layer is to be read as an array."""
    return isinstance(value, list) and name != "symbolic"


def layer_entries(document: Any) -> list[dict[str, Any]]:
    """The entries of the layers, if format and version are ours: a file of the future gets no further than that."""
    if type(document) is not dict or document.get("format") != FORMAT:
        raise ValueError(f"it does not say format {FORMAT!r}")
    version, writer, layers = (
        document.get("version"),
        short(document.get("kan_ref")),
        document.get("layers"),
    )
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError(
            f"it has format version {short(version)}, by kan_ref {writer}, but this kan_ref reads versions 1 to {VERSION}"
        )
    _check_keys("it", document, ("format", "version", "kan_ref", "layers"))
    if (
        type(layers) is not list
        or not 1 <= len(layers) <= MOST_LAYERS
        or any(type(plain) is not dict for plain in layers)
    ):
        raise ValueError(f"it needs its layers as a list of 1 to {MOST_LAYERS} objects")
    if version == 1 and any(name in plain for plain in layers for name in FORMULA_NAMES):
        raise ValueError("it has formulas, which have no place in format version 1")
    return layers


def _check_keys(owner: str, plain: dict[str, Any], names: tuple[str, ...]) -> None:
    faults = [f"lacks {name!r}" for name in names if name not in plain]
    faults += [
        f"has {short(name)}, which has no place in format version {VERSION}"
        for name in plain
        if name not in names
    ]
    if faults:
        raise ValueError(f"{owner} {faults[0]}")
