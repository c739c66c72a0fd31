"""Cases about what real networks do: uneven knots, large batches and widths, masks as factors.

Batches of 9, 17, 33 and 257 samples and widths of 9 and 65 leave one element over in blocks of 2,
4, 8, ..., and of other even sizes that divide one number less. A batch of 1030 samples and widths
of 130 leave a part of a block of 512 or 100 over. The known defect of code that works in blocks
leaves it out. Large arrays are numbers (C23) of `encode`, so that a file states their
recurrence only.
"""

from collections.abc import Sequence
from itertools import pairwise

from kan_ref.conformance.generate.encode import drawn
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import (
    Case,
    Rows,
    make_layer,
    points,
    value_case,
    vjp_case,
)
from kan_ref.conformance.generate.layer_readings import filled
from kan_ref.conformance.generate.topics_knots import (
    FARTHEST,
    INSIDE,
    KINDS,
    uneven_row,
    uneven_twin,
    uniform_knots,
    whole_steps,
)

SHAPES = (
    # name, outputs, inputs, batch
    ("batch-9", 2, 2, 9),
    ("batch-17", 2, 1, 17),
    ("batch-33", 1, 2, 33),
    ("batch-257", 1, 1, 257),
    ("nine-inputs", 2, 9, 2),
    ("sixty-five-inputs", 1, 65, 2),
    ("nine-outputs", 9, 2, 2),
    ("sixty-five-outputs", 65, 1, 2),
)
LARGE = (
    ("batch-1030", 1, 1, 1030),
    ("hundred-thirty-inputs", 1, 130, 2),
    ("hundred-thirty-outputs", 130, 1, 2),
)  # in layer_forward alone
NETWORKS = (
    # name, widths, batch
    ("nine-samples", (2, 2, 1), 9),
    ("thirty-three-samples", (1, 2, 1), 33),
    ("nine-hidden", (2, 9, 1), 2),
    ("sixty-five-hidden", (1, 65, 1), 2),
)


def block_layer(start: int, n_out: int, n_in: int, low: float = -1.0, high: float = 1.0) -> Layer:
    """Return a quadratic layer of 3 uneven intervals on [low, high] with the numbers (C23)."""
    even = uniform_knots(low, high, 3, 2)
    return {
        "knots": [uneven_row(even, 2, turn % 5) for turn in range(n_in)],
        "coef": drawn(start, (n_out, n_in, 5), -2.0, 2.0),
        "w_base": drawn(start + 101, (n_out, n_in), -2.0, 2.0),
        "w_spline": drawn(start + 211, (n_out, n_in), -2.0, 2.0),
        "mask": filled(1.0, n_out, n_in),
        "degree": 2,
        "base": "silu",
    }


def block_network(start: int, widths: Sequence[int]) -> list[Layer]:
    """Return layers of `block_layer`, those after the first on [-8, 8]."""
    return [
        block_layer(start + 1009 * n, n_out, n_in, *((-8.0, 8.0) if n else (-1.0, 1.0)))
        for n, (n_in, n_out) in enumerate(pairwise(widths))
    ]


def samples(start: int, n: int, n_in: int) -> Rows:
    """Return (n, n_in) numbers (C23) in [-1, 1]."""
    return drawn(start, (n, n_in), -1.0, 1.0)


def factor_layer() -> Case:
    """Return the case of a mask of other numbers than 0 and 1, which the contract leaves open."""
    rows, mask = [uniform_knots(-1.0, 1.0, 4, 3)] * 2, [[0.5, 1.0], [0.25, 0.0]]
    layer = make_layer("mask-factor", 2, 2, rows, 3, mask=mask)
    x = points("mask-factor", 3, 2)
    return value_case(
        "mask-factor",
        "MaskFactor LeftOpen",
        layer,
        x,
        kind="acceptable",
        since=2,
    )


def uneven_layers() -> list[Case]:
    """Return the twins on uneven knot vectors."""
    knots, outside = uniform_knots(-1.0, 1.0, 4, 3), [[-2.25], [-1.125], [1.375], [3.5]]
    mask = [[1.0, 0.0], [1.0, 1.0]]
    shapes: list[tuple[str, str, Layer, Rows]] = [
        ("two-to-three", "SplineSum", make_layer("2-3", 3, 2, [knots] * 2, 3), points("2-3", 3, 2)),
        ("three-to-two", "SharedRow", make_layer("3-2", 2, 3, [knots] * 3, 3), points("3-2", 3, 3)),
        (
            "square-mask",
            "TransposedMask MissingMask",
            make_layer("mask", 2, 2, [knots] * 2, 3, mask=mask),
            points("mask", 3, 2),
        ),
        ("fade", "FadeOutside", make_layer("u-fade", 1, 1, [knots], 3), outside),
        ("at-knots", "KnotOwnership", make_layer("u-knots", 1, 1, [knots], 3), [[-1.0], [1.0]]),
    ]
    for degree in (0, 1, 2, 4, 5, 6, 7):
        rows = [uniform_knots(-1.0, 1.0, 4, degree)] * 2
        layer = make_layer(f"degree-{degree}", 2, 2, rows, degree)
        flag = "DegreeZero" if degree == 0 else "HighDegree" if degree > 3 else "SplineSum"
        shapes.append((f"degree-{degree}", flag, layer, points(f"degree-{degree}", 3, 2)))
    return [
        *(
            value_case(f"{name}-uneven", f"UnevenKnots {flags}", uneven_twin(layer), x, since=since)
            for name, flags, layer, x in shapes
            for since in [6 if layer["degree"] == 6 else 2]
        ),
        _crowded_layer(),
        *(
            value_case(name, flags, layer, x, since=4)
            for name, flags, layer, x in (*_unusual_layers(), _farthest_layer())
        ),
    ]


def _unusual_layers(degree: int = 2) -> list[tuple[str, str, Layer, Rows]]:
    """Return (name, flags, layer, x), with another knot vector of the kind for each input."""
    found: list[tuple[str, str, Layer, Rows]] = []
    for name, flags, row in KINDS:
        rows = [row(degree, 0), row(degree, 1)]
        found.append((name, flags, make_layer(f"{name}-{degree}", 2, 2, rows, degree), INSIDE))
    return found


def _farthest_layer() -> tuple[str, str, Layer, Rows]:
    """Return (name, flags, layer, x) of splines alone at points as far away as 1e100."""
    rows = [whole_steps(2, 2), whole_steps(2, 1)]
    layer = make_layer("farthest", 1, 2, rows, 2, base="zero")
    return (
        "farthest-points",
        "ZeroOutside FadeOutside SiluOverflow",
        layer,
        [[x, -x] for x in FARTHEST],
    )


def _crowded_layer() -> Case:
    """Return the case of two inputs, one with its knots near the left end, one near the right."""
    left = [-1.0 + n / 64.0 for n in range(12)]
    rows = [[*left, 1.0], [-1.0, *(-knot for knot in reversed(left))]]
    layer = make_layer("crowded", 2, 2, rows, 1)
    x = [[-0.9765625, 0.9765625], [-0.8515625, -0.5], [0.5, 0.8515625]]
    return value_case("crowded-uneven", "SharedRow UnevenKnots", layer, x, since=3)


def block_layers() -> list[Case]:
    """Return the cases of large batches and widths."""
    cases = []
    for number, (name, n_out, n_in, n) in enumerate((*SHAPES, *LARGE)):
        large = number >= len(SHAPES)
        layer, x = block_layer(2000 + 19 * number, n_out, n_in), samples(97 + number, n, n_in)
        flags = "BlockRemainder" if large else "BlockRemainder UnevenKnots"
        cases.append(value_case(name, flags, layer, x, since=6 if large else 2))
    return cases


def block_gradients() -> list[Case]:
    """Return the cases of large batches and widths."""
    cases = []
    for number, (name, n_out, n_in, n) in enumerate(SHAPES):
        layer, x = block_layer(3000 + 17 * number, n_out, n_in), samples(411 + number, n, n_in)
        dy = drawn(977 + number, (n, n_out), -2.0, 2.0)
        cases.append(vjp_case(name, "BlockRemainder UnevenKnots", layer, x, dy, since=2))
    return cases


def unusual_gradients() -> list[Case]:
    """Return the cases on the knot vectors of `topics_knots`."""
    cases = []
    for name, flags, layer, x in (*_unusual_layers(), _farthest_layer()):
        dy = points(f"v-dy-{name}", len(x), sizes(layer)[0], -2.0, 2.0)
        cases.append(vjp_case(name, flags, layer, x, dy, since=4))
    return cases


def factor_gradient() -> Case:
    """Return the case of a mask of other numbers than 0 and 1, which the contract leaves open."""
    layer = make_layer(
        "v-factor", 2, 2, [uniform_knots(-1.0, 1.0, 4, 3)] * 2, 3, mask=[[0.5, 1.0], [0.25, 0.0]]
    )
    x, dy = points("v-factor", 3, 2), points("v-dy-factor", 3, 2, -2.0, 2.0)
    flags = "MaskFactor LeftOpen"
    return vjp_case("mask-factor", flags, layer, x, dy, kind="acceptable", since=2)
