"""Networks of short binary numbers that several topics share, and bounds on rounding errors."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, layer_array
from kan_ref.conformance.generate.exact import Layer, Rules, edge_terms, precise, sizes, total
from kan_ref.conformance.generate.layer_case import Rows, make_layer, points, with_defects
from kan_ref.conformance.generate.topics_knots import uniform_knots


def make_network(
    seed: str,
    widths: Sequence[int],
    degree: int = 3,
    *,
    low: float = -4.0,
    high: float = 4.0,
    **changes: Any,
) -> list[Layer]:
    """Return layers of 4 intervals each, the first on [-1, 1], the others on [low, high]."""
    found = []
    for number, (n_in, n_out) in enumerate(pairwise(widths)):
        knots = (
            uniform_knots(low, high, 4, degree) if number else uniform_knots(-1.0, 1.0, 4, degree)
        )
        found.append(make_layer(f"{seed}-{number}", n_out, n_in, [knots] * n_in, degree, **changes))
    return found


def value_bound(layers: Sequence[Layer], x: Rows) -> float:
    """Return a bound on the rounding errors of all layers.

    The absolute terms of each layer are multiplied by the absolute derivatives of the layers after
    it.
    """
    inputs, worst = flow(layers, x), 0.0
    for b in range(len(x)):
        errors = [precise(0)] * len(x[b])
        for layer, rows in zip(layers, inputs[:-1], strict=True):
            n_out, n_in, _ = sizes(layer)
            errors = [
                total(
                    total(map(abs, edge_terms(layer, j, i, precise(rows[b][i]))))
                    + total(map(abs, edge_terms(layer, j, i, precise(rows[b][i]), 1))) * errors[i]
                    for i in range(n_in)
                )
                for j in range(n_out)
            ]
        worst = max(worst, *map(float, errors))
    return worst


def networks_with_defects(layers: Sequence[Layer]) -> dict[str, tuple[list[Layer], Rules]]:
    """Return all layers as known defects read them: flag -> (layers, rules)."""
    read = [with_defects(layer) for layer in layers]
    shared = [flag for flag in read[0] if all(flag in one for one in read)]
    return {flag: ([one[flag][0] for one in read], read[0][flag][1]) for flag in shared}


def network_arguments(layers: Sequence[Layer], x: Rows, **more: Rows) -> dict[str, Any]:
    """Return the encoded arguments `layers` and `x`, and `more` arrays of (batch, n_out)."""
    n_in, n_out = sizes(layers[0])[1], sizes(layers[-1])[0]
    found = {
        "layers": [layer_array(layer) for layer in layers],
        "x": array([list(row) for row in x], [len(x), n_in]),
    }
    return found | {
        name: array([list(row) for row in rows], [len(rows), n_out]) for name, rows in more.items()
    }


def example_networks() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    """Return (name, flags, layers, x) of the networks that several topics share."""
    wide, deep = (
        make_network("wide", (2, 3, 1)),
        make_network("deep", (2, 2, 2, 1), low=-6.0, high=6.0),
    )
    masked = make_network("masked", (2, 2, 2))
    masked[0]["mask"], masked[1]["mask"] = [[1.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]]
    tight = make_network("tight", (1, 2, 1), low=-0.5, high=0.5)
    return (
        ("one-layer", "SplineSum", make_network("single", (2, 1)), points("n-single", 3, 2)),
        ("two-layers", "LayerChain", wide, points("n-wide", 3, 2)),
        ("three-layers", "LayerChain", deep, points("n-deep", 2, 2)),
        ("masked", "MissingMask TransposedMask", masked, points("n-masked", 2, 2)),
        ("hidden-beyond-grid", "FadeOutside LayerChain", tight, points("n-tight", 3, 1)),
        (
            "identity-base",
            "BaseName LayerChain",
            make_network("n-identity", (1, 2, 1), base="identity"),
            points("n-identity", 3, 1),
        ),
        ("quadratic", "LayerChain", make_network("n-2", (2, 2, 1), 2), points("n-2", 2, 2)),
        (
            "degree-5",
            "HighDegree LayerChain",
            make_network("n-5", (1, 2, 1), 5, low=-6.0, high=6.0),
            points("n-5", 2, 1),
        ),
        ("one-sample", "BatchOfOne", wide, points("n-alone", 1, 2)),
        ("no-samples", "EmptyBatch", wide, []),
    )
