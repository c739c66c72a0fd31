"""Values of layers by the textbook recursion, to evaluate the layers that a subject returns.

Nothing here is shared with the package's own layer.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")


def read_layer(answer: Any) -> dict[str, Any]:
    """Return an answered layer with float64 arrays that fit together, or raise an error."""
    if not isinstance(answer, Mapping):
        raise TypeError(
            f"the answer is a {type(answer).__name__}, but must be a layer: a dict of {', '.join(ARRAYS)}, degree, base"
        )
    missing = [name for name in (*ARRAYS, "degree", "base") if name not in answer]
    if missing:
        raise ValueError(f"the answered layer lacks {', '.join(missing)}")
    layer = {name: np.asarray(answer[name], dtype=np.float64) for name in ARRAYS}
    degree = int(answer["degree"])
    if layer["coef"].ndim != 3 or layer["knots"].ndim != 2:
        raise ValueError(
            f"the answered layer has coef {layer['coef'].shape} and knots {layer['knots'].shape}: 3 and 2 axes are needed"
        )
    n_out, n_in, n_basis = layer["coef"].shape
    for name in ("w_base", "w_spline", "mask"):
        if layer[name].shape != (n_out, n_in):
            raise ValueError(
                f"the answered layer has {name} {layer[name].shape}, but coef {layer['coef'].shape} needs {(n_out, n_in)}"
            )
    if layer["knots"].shape != (n_in, n_basis + degree + 1):
        raise ValueError(f"the answered layer has knots {layer['knots'].shape}, but {n_basis} bases of degree {degree} on {n_in} inputs "
                         f"need {(n_in, n_basis + degree + 1)}")  # fmt: skip
    return {**layer, "degree": degree, "base": str(answer["base"])}


def read_layers(answer: Any, n_layers: int) -> list[dict[str, Any]]:
    """Return answered layers that fit together, or raise an error."""
    if isinstance(answer, Mapping) or len(answer) != n_layers:
        raise ValueError(
            f"a list of {n_layers} layers is needed, but a {type(answer).__name__} of {len(answer)} was answered"
        )
    layers = [read_layer(layer) for layer in answer]
    for number, (before, after) in enumerate(pairwise(layers)):
        if len(before["coef"]) != len(after["knots"]):
            n_out, n_in = len(before["coef"]), len(after["knots"])
            raise ValueError(
                f"answered layer {number} has {n_out} outputs, but layer {number + 1} has {n_in} inputs"
            )
    return layers


def basis(x: FloatArray, row: FloatArray, degree: int) -> FloatArray:
    """Return (n, n_basis) by the Cox-de Boor recursion; 0/0 := 0."""
    last = row[:-1][row[:-1] < row[-1]].max(initial=-np.inf)
    column = x[:, None]
    values: FloatArray = ((row[:-1] <= column) & (column < row[1:])).astype(np.float64)
    values[x == row[-1]] = (row[:-1] == last) & (row[1:] == row[-1])
    for d in range(1, degree + 1):
        width = row[d:] - row[:-d]
        share = np.divide(
            column - row[:-d], width, out=np.zeros((len(x), len(width))), where=width > 0
        )
        rest = np.divide(
            row[d:] - column, width, out=np.zeros((len(x), len(width))), where=width > 0
        )
        values = share[:, :-1] * values[:, :-1] + rest[:, 1:] * values[:, 1:]
    return values


def outputs(layer: Mapping[str, Any], x: FloatArray) -> FloatArray:
    """Return the outputs (n, n_out) of a layer from `read_layer`."""
    base = {"silu": x / (1.0 + np.exp(-x)), "identity": x, "zero": np.zeros_like(x)}[layer["base"]]
    y: FloatArray = base @ (layer["w_base"] * layer["mask"]).T
    for i, row in enumerate(layer["knots"]):
        weighted = layer["coef"][:, i] * (layer["w_spline"] * layer["mask"])[:, i, None]
        y = y + basis(x[:, i], row, layer["degree"]) @ weighted.T
    return y


def network_outputs(layers: Sequence[Mapping[str, Any]], x: FloatArray) -> FloatArray:
    """Return the outputs (n, n_out) of layers in sequence."""
    for layer in layers:
        x = outputs(layer, x)
    return x


def count_active(layers: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Count the nodes of each hidden layer that have a nonzero incoming and outgoing edge."""
    living = []
    for layer in layers:
        curved = (layer["w_spline"] != 0.0) & (layer["coef"] != 0.0).any(axis=2)
        living.append(
            (layer["mask"] != 0.0)
            & (curved | ((layer["w_base"] != 0.0) & (layer["base"] != "zero")))
        )
    return np.array(
        [
            float((before.any(axis=1) & after.any(axis=0)).sum())
            for before, after in pairwise(living)
        ]
    )


def grid(layer: Mapping[str, Any]) -> FloatArray:
    """Return the breakpoints in [a, b], (n_in, n_intervals + 1)."""
    knots: FloatArray = layer["knots"]
    return knots[:, layer["degree"] : knots.shape[1] - layer["degree"]]
