"""Layers as known defects read them."""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.exact import Layer, Rules, sizes
from kan_ref.conformance.generate.topics_knots import even_readings


def filled(value: float, n_out: int, n_in: int) -> list[list[float]]:
    """Return (n_out, n_in) of one value."""
    return [[value] * n_in for _ in range(n_out)]


def transposed(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the transposed matrix."""
    return [list(column) for column in zip(*matrix, strict=True)]


def clamped(layer: Layer, x: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the samples clamped to the grid of their inputs, as a known defect reads them."""
    k = layer["degree"]
    ends = [(row[k], row[-k - 1]) for row in layer["knots"]]
    return [[min(max(v, a), b) for v, (a, b) in zip(row, ends, strict=True)] for row in x]


def with_defects(layer: Layer) -> dict[str, tuple[Layer, Rules]]:
    """Return the layer as known defects read it: flag -> (layer, rules).

    A reading that does not change the outputs leaves no mark in the case.
    """
    n_out, n_in, _ = sizes(layer)
    squared = [[w * w for w in row] for row in layer["w_spline"]]
    changes: dict[str, dict[str, Any]] = {
        "MissingWSpline": {"w_spline": filled(1.0, n_out, n_in)},
        "WSplineTwice": {"w_spline": squared},
        "MissingWBase": {"w_base": filled(1.0, n_out, n_in)},
        "MissingBase": {"base": "zero"},
        "MissingMask": {"mask": filled(1.0, n_out, n_in)},
        "SharedRow": {"knots": [layer["knots"][0]] * n_in},
    }
    if layer["base"] == "silu":
        changes["SiluForm"] = {"base": "identity"}
    else:
        changes["BaseName"] = {"base": "silu"}
    if n_in == n_out:
        changes["TransposedMask"] = {"mask": transposed(layer["mask"])}
        weights = {name: transposed(layer[name]) for name in ("w_base", "w_spline")}
        changes["TransposedWeights"] = weights
    found = {flag: (layer | change, Rules()) for flag, change in changes.items()}
    if any(flag not in (0.0, 1.0) for row in layer["mask"] for flag in row):
        found["MaskFactor"] = (
            layer | {"mask": [[float(f > 0) for f in r] for r in layer["mask"]]},
            Rules(),
        )
    found["FadeOutside"] = (layer, Rules(outside="continue"))
    found["BaseScaled"] = (layer, Rules(base_scaled=True))
    return found


def transposed_alone(layer: Layer) -> list[Layer]:
    """Return a square layer with w_base or w_spline alone transposed; no layer if not square."""
    n_out, n_in, _ = sizes(layer)
    names = ("w_base", "w_spline") if n_in == n_out else ()
    return [layer | {name: transposed(layer[name])} for name in names]


def readings(layer: Layer, *, derivatives: bool = False) -> list[tuple[str, Layer, Rules]]:
    """Return (flag, layer, rules) of `with_defects`, and of the defects that assume even knots."""
    return [
        *((flag, one, rules) for flag, (one, rules) in with_defects(layer).items()),
        *(("TransposedWeights", one, Rules()) for one in transposed_alone(layer)),
        *even_readings(layer, derivatives=derivatives),
    ]
