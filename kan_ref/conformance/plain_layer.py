"""Numbers and layers that a subject has returned, with the basis functions of `kan_ref.plain`.

The package's own layer is a subject like all others, so none of its code is used here.
"""

from collections.abc import Mapping, Sequence, Sized
from itertools import pairwise
from reprlib import repr as short
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.plain import basis_and_slope

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")
NULL = (
    'null (None) in an array is not a number: write "NaN", "Infinity" or "-Infinity", for which '
    "JSON.stringify of JavaScript writes null"
)
BASES = ("silu", "identity", "zero")
MOST_DEGREE = 50  # far above every case: values of a degree of 10^5 would take hours


def read_numbers(value: Any) -> FloatArray:
    """Return answered numbers as a float64 array; an error if there are others than real ones."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiuO":
        raise TypeError(f"the answer has dtype {array.dtype}, but needs real numbers")
    for item in array.flat if array.dtype.kind == "O" else ():
        if item is None:
            raise ValueError(NULL)
        if not hasattr(item, "__float__"):
            kind = type(item).__name__
            raise TypeError(f"the answer holds a value of type {kind}, but needs real numbers")
    return array.astype(np.float64)


def read_number(name: str, value: Any) -> float:
    """Return one answered number, or raise an error that names it."""
    array = read_numbers(value)
    if array.shape:
        raise ValueError(f"{name} has shape {array.shape}, but must be one number")
    return float(array)


def read_layer(answer: Any) -> dict[str, Any]:
    """Return an answered layer with float64 arrays that fit together, or raise an error."""
    if not isinstance(answer, Mapping):
        raise TypeError(
            f"the answer is a {type(answer).__name__}, but must be a layer: "
            f"a dict of {', '.join(ARRAYS)}, degree, base"
        )
    missing = [name for name in (*ARRAYS, "degree", "base") if name not in answer]
    if missing:
        raise ValueError(f"the answered layer lacks {', '.join(missing)}")
    layer = {name: read_numbers(answer[name]) for name in ARRAYS}
    degree, base = read_number("degree", answer["degree"]), answer["base"]
    if not degree.is_integer() or not 0 <= degree <= MOST_DEGREE:
        raise ValueError(
            f"the answered layer has degree {degree:g}, "
            f"but needs an integer from 0 to {MOST_DEGREE}"
        )
    degree = int(degree)
    if not isinstance(base, str) or base not in BASES:
        raise ValueError(
            f"the answered layer has base {short(base)}, but must have one of {', '.join(BASES)}"
        )
    if layer["coef"].ndim != 3 or layer["knots"].ndim != 2:
        raise ValueError(
            f"the answered layer has coef {layer['coef'].shape} and knots {layer['knots'].shape}: "
            "3 and 2 axes are needed"
        )
    n_out, n_in, n_basis = layer["coef"].shape
    for name in ("w_base", "w_spline", "mask"):
        if layer[name].shape != (n_out, n_in):
            raise ValueError(
                f"the answered layer has {name} {layer[name].shape}, "
                f"but coef {layer['coef'].shape} needs {(n_out, n_in)}"
            )
    if layer["knots"].shape != (n_in, n_basis + degree + 1):
        raise ValueError(
            f"the answered layer has knots {layer['knots'].shape}, but {n_basis} basis functions "
            f"of degree {degree} on {n_in} inputs need {(n_in, n_basis + degree + 1)}"
        )
    return {**layer, "degree": degree, "base": base}


def read_layers(answer: Any, n_layers: int) -> list[dict[str, Any]]:
    """Return answered layers that fit together, or raise an error."""
    if not isinstance(answer, Sequence) or len(answer) != n_layers:
        length = f" of {len(answer)}" if isinstance(answer, Sized) else ""
        raise ValueError(
            f"a list of {n_layers} layers is needed, "
            f"but a {type(answer).__name__}{length} was answered"
        )
    layers = [read_layer(layer) for layer in answer]
    for number, (before, after) in enumerate(pairwise(layers)):
        if len(before["coef"]) != len(after["knots"]):
            n_out, n_in = len(before["coef"]), len(after["knots"])
            raise ValueError(
                f"answered layer {number} has {n_out} outputs, "
                f"but layer {number + 1} has {n_in} inputs"
            )
    return layers


def outputs(layer: Mapping[str, Any], x: FloatArray) -> FloatArray:
    """Return the outputs (n, n_out) of a layer that `read_layer` has read."""
    base = {"silu": x / (1.0 + np.exp(-x)), "identity": x, "zero": np.zeros_like(x)}[layer["base"]]
    basis, _ = basis_and_slope(x, layer["knots"], layer["degree"])
    spline_weights = (layer["mask"] * layer["w_spline"])[:, :, None] * layer["coef"]
    y: FloatArray = np.einsum("bim,jim->bj", basis, spline_weights)
    y += base @ (layer["mask"] * layer["w_base"]).T
    return y


def network_outputs(layers: Sequence[Mapping[str, Any]], x: FloatArray) -> FloatArray:
    """Return the outputs (n, n_out) of layers in sequence."""
    for layer in layers:
        x = outputs(layer, x)
    return x


def count_active(layers: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Count the nodes of each hidden layer that have a nonzero incoming and outgoing edge."""
    nonzero = []
    for layer in layers:
        curved = (layer["w_spline"] != 0.0) & (layer["coef"] != 0.0).any(axis=2)
        nonzero.append(
            (layer["mask"] != 0.0)
            & (curved | ((layer["w_base"] != 0.0) & (layer["base"] != "zero")))
        )
    return np.array(
        [
            float((before.any(axis=1) & after.any(axis=0)).sum())
            for before, after in pairwise(nonzero)
        ]
    )


def grid(layer: Mapping[str, Any]) -> FloatArray:
    """Return the breakpoints in [a, b], (n_in, n_intervals + 1)."""
    knots: FloatArray = layer["knots"]
    return knots[:, layer["degree"] : knots.shape[1] - layer["degree"]]
