"""Networks of short binary numbers that several topics share, and bounds on rounding errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.coverage_cases import (
    NETWORKS,
    block_network,
    samples,
)
from kan_ref.conformance.generate.encode import array, case, layer_array
from kan_ref.conformance.generate.exact import Layer, edge_terms, precise, sizes, total
from kan_ref.conformance.generate.layer_case import Case, Rows, make_layer, points
from kan_ref.conformance.generate.topics_knots import (
    INSIDE,
    KINDS,
    uneven_twin,
    uniform_knots,
    whole_steps,
)


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


def network_arguments(layers: Sequence[Layer], x: Rows, **more: Rows) -> dict[str, Any]:
    """Return the encoded arguments `layers` and `x`, and `more` arrays of (batch, n_out)."""
    n_in, n_out = sizes(layers[0])[1], sizes(layers[-1])[0]
    found = {
        "layers": [layer_array(layer) for layer in layers],
        "x": array(x, [len(x), n_in]),
    }
    return found | {name: array(rows, [len(rows), n_out]) for name, rows in more.items()}


def network_case(
    one: "Example",
    method: str,
    flags: str,
    expected: Mapping[str, Any],
    tolerance: Mapping[str, float],
    **more: Rows,
) -> Case:
    """Return the case of a method of networks for an example; `more` are further arguments."""
    given = network_arguments(one.layers, one.x, **more)
    return case(one.name, method, flags, given, expected, tolerance, since=one.since)


@dataclass(frozen=True)
class Example:
    """A network of short binary numbers and its inputs.

    Flags of second derivatives come before `flags`, without `usual` behind them. `outside`: inputs
    lie outside the grid, and `flags` stand alone.
    """

    name: str
    flags: str
    layers: list[Layer]
    x: Rows
    since: int = 1
    usual: bool = True
    outside: bool = False


def examples() -> list[Example]:
    """Return all networks: on even knots, their twins on uneven ones, and large ones."""
    found = [Example(*one) for one in example_networks()]
    found += [
        Example(
            f"{one.name}-uneven",
            f"UnevenKnots {one.flags}",
            [uneven_twin(layer) for layer in one.layers],
            one.x[:2],
            since=2,
        )
        for one in found
        if one.name not in ("identity-base", "one-sample", "no-samples")
    ]
    four = make_network("four", (2, 2, 2, 2, 2), 2, low=-8.0, high=8.0)
    for name, flags, layers in (
        ("four-layers", "LayerChain", four),
        ("four-layers-uneven", "LayerChain UnevenKnots", [uneven_twin(layer) for layer in four]),
    ):
        found.append(Example(name, flags, layers, points("n-four", 2, 2), 2, False))
    found += [Example(*one, since=4) for one in _unusual_networks()]
    found += _low_and_outside()
    for number, (name, widths, n) in enumerate(NETWORKS):
        layers = block_network(5000 + 23 * number, widths)
        found.append(
            Example(
                name,
                "BlockRemainder UnevenKnots",
                layers,
                samples(617 + number, n, widths[0]),
                2,
                False,
            )
        )
    return found


def example_networks() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    """Return (name, flags, layers, x) of the networks on even knots."""
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


def _low_and_outside() -> list[Example]:
    """Return networks of degrees 1 and 0, and two with inputs outside the grid of the first layer.

    On both sides, some lie on the outer knots, others beyond them, where all B-splines are 0.
    """
    one, zero = make_network("n-1", (2, 2, 1), 1), make_network("n-0", (2, 2, 1), 0)
    wide, far = make_network("n-outside", (2, 2, 1)), make_network("n-far", (1, 2, 1))
    x = [[0.3125, -0.1875], [-1.25, 0.625], [0.375, 1.75], [-3.5, 4.5]]
    x_far = [[-800.0], [0.375], [100.0], [800.0]]  # 0.375: second derivatives of a usual size
    return [
        Example("degree-1", "LayerChain", one, points("n-1", 2, 2), 6),
        Example("degree-0", "DegreeZero LayerChain", zero, points("n-0", 2, 2), 6),
        Example("inputs-outside-grid", "FadeOutside", wide, x, 6, outside=True),
        Example("silu-far", "SiluOverflow FadeOutside", far, x_far, 6, outside=True),
    ]


def _unusual_networks() -> list[tuple[str, str, list[Layer], Rows]]:
    """Return (name, flags, layers, x): knots of each kind, and layers that differ from each other.

    Layers differ in degree, number of intervals and base function, or in degree alone.
    """
    found: list[tuple[str, str, list[Layer], Rows]] = []
    for name, flags, row in (KINDS[0], KINDS[2]):
        wide = [[8.0 * knot for knot in row(3, turn)] for turn in (1, 0)]
        first = make_layer(f"n-{name}-0", 2, 2, [row(3, 0), row(3, 1)], 3)
        last = make_layer(f"n-{name}-1", 1, 2, wide, 3)
        found.append((name, flags, [first, last], INSIDE[:2]))
    x = [[-0.6875, 0.4375], [0.3125, -0.8125]]
    found.append(("layers-of-other-degrees", "LayerChain HighDegree", _layers((2, 4, 3)), x))
    bases = ("zero", "identity", "silu")
    found.append(("layers-of-other-bases", "BaseName LayerChain", _layers((3, 3, 3), bases), x))
    return found


def _layers(degrees: Sequence[int], bases: Sequence[str] = ("silu",) * 3) -> list[Layer]:
    """Return the layers of a network of widths 2, 2, 2, 1 with these degrees and base functions."""
    layers = []
    for number, (degree, base) in enumerate(zip(degrees, bases, strict=True)):
        reach = 8.0 if number else 1.0
        rows = [[reach * knot for knot in whole_steps(degree, 2)]] * 2
        name = f"other-{number}-{degree}-{base}"
        layers.append(make_layer(name, 2 if number < 2 else 1, 2, rows, degree, base=base))
    return layers
