"""A layer's values by the textbook recursion: how the runner looks at a layer that a subject gave back.

Nothing here is shared with the package's own layer, which is a subject like others.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")


def read_layer(answer: Any) -> dict[str, Any]:
    """An answered layer with float64 arrays that fit together; ValueError or TypeError in words otherwise."""
    if not isinstance(answer, Mapping):
        raise TypeError(f"the answer is a {type(answer).__name__}, but must be a layer: a dict of {', '.join(ARRAYS)}, degree, base")
    missing = [name for name in (*ARRAYS, "degree", "base") if name not in answer]
    if missing:
        raise ValueError(f"the answered layer lacks {', '.join(missing)}")
    layer = {name: np.asarray(answer[name], dtype=np.float64) for name in ARRAYS}
    degree = int(answer["degree"])
    if layer["coef"].ndim != 3 or layer["knots"].ndim != 2:
        raise ValueError(f"the answered layer has coef {layer['coef'].shape} and knots {layer['knots'].shape}: 3 and 2 axes are needed")
    n_out, n_in, n_basis = layer["coef"].shape
    for name in ("w_base", "w_spline", "mask"):
        if layer[name].shape != (n_out, n_in):
            raise ValueError(f"the answered layer has {name} {layer[name].shape}, but coef {layer['coef'].shape} needs {(n_out, n_in)}")
    if layer["knots"].shape != (n_in, n_basis + degree + 1):
        raise ValueError(f"the answered layer has knots {layer['knots'].shape}, but {n_basis} bases of degree {degree} on {n_in} inputs "
                         f"need {(n_in, n_basis + degree + 1)}")  # fmt: skip
    return {**layer, "degree": degree, "base": str(answer["base"])}


def basis(x: FloatArray, row: FloatArray, degree: int) -> FloatArray:
    """(n, n_basis) by the recursion of Cox and de Boor; 0/0 := 0."""
    last = row[:-1][row[:-1] < row[-1]].max(initial=-np.inf)
    column = x[:, None]
    values: FloatArray = ((row[:-1] <= column) & (column < row[1:])).astype(np.float64)
    values[x == row[-1]] = (row[:-1] == last) & (row[1:] == row[-1])
    for d in range(1, degree + 1):
        width = row[d:] - row[:-d]
        share = np.divide(column - row[:-d], width, out=np.zeros((len(x), len(width))), where=width > 0)
        rest = np.divide(row[d:] - column, width, out=np.zeros((len(x), len(width))), where=width > 0)
        values = share[:, :-1] * values[:, :-1] + rest[:, 1:] * values[:, 1:]
    return values


def outputs(layer: Mapping[str, Any], x: FloatArray) -> FloatArray:
    """Outputs (n, n_out) of a layer that `read_layer` has read."""
    base = {"silu": x / (1.0 + np.exp(-x)), "identity": x, "zero": np.zeros_like(x)}[layer["base"]]
    y: FloatArray = base @ (layer["w_base"] * layer["mask"]).T
    for i, row in enumerate(layer["knots"]):
        weighted = layer["coef"][:, i] * (layer["w_spline"] * layer["mask"])[:, i, None]
        y = y + basis(x[:, i], row, layer["degree"]) @ weighted.T
    return y


def grid(layer: Mapping[str, Any]) -> FloatArray:
    """Breakpoints in [a, b], (n_in, n_intervals + 1)."""
    knots: FloatArray = layer["knots"]
    return knots[:, layer["degree"] : knots.shape[1] - layer["degree"]]
