"""Knot vectors that code for evenly spaced knots handles in a branch of its own.

All have the grid -1, -1/2, 0, 1/2, 1. Outer knots lie whole steps of the grid away, a different
number of them for each input; or 2^40 away; or on the ends of the grid. An inner knot is repeated.
Points as far away as 1e100 exceed the range of the integers that number the intervals.
"""

from collections.abc import Sequence

from kan_ref.conformance.generate.exact import Layer
from kan_ref.conformance.generate.layer_case import Rows, make_layer

GRID = (-1.0, -0.5, 0.0, 0.5, 1.0)
FAR = 2.0**40
FARTHEST = (-1e100, -1e19, 1e19, 1e100)
INSIDE = ([-0.8125, 0.6875], [-0.1875, -0.5625], [0.9375, 0.3125])
_STEPS = ((1, 3, 4, 7), (2, 3, 5, 6), (1, 2, 3, 4), (3, 4, 6, 9))


def whole_steps(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with outer knots whole steps away."""
    left, right = (_STEPS[(turn + shift) % len(_STEPS)][:degree] for shift in (0, 1))
    return [*(-1.0 - 0.5 * n for n in reversed(left)), *GRID, *(1.0 + 0.5 * n for n in right)]


def far(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with outer knots 2^40 and more away."""
    outer = [FAR * (n + 1 + turn) for n in range(degree)]
    return [*(-knot for knot in reversed(outer)), *GRID, *outer]


def clamped(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with its ends repeated, for odd `turn` on the left alone."""
    right = whole_steps(degree)[-degree:] if turn % 2 else [1.0] * degree
    return [*[-1.0] * degree, *GRID, *right]


def repeated(degree: int, turn: int = 0) -> list[float]:
    """Return knots with a double one at 0, or at 1/2 for odd `turn`, instead of that at -1/2."""
    knots = whole_steps(degree, 2)
    knots.remove(-0.5)
    return sorted([*knots, 0.5 * (turn % 2)])


KINDS = (
    ("outer-knots-whole-steps", "UnevenKnots SharedRow", whole_steps),
    ("outer-knots-far", "ScaledRow UnevenKnots", far),
    ("clamped-knots", "RepeatedKnots UnevenKnots", clamped),
    ("repeated-inner-knots", "RepeatedKnots UnevenKnots", repeated),
)


def unusual_layers(degree: int = 2) -> list[tuple[str, str, Layer, Rows]]:
    """Return (name, flags, layer, x), with another knot vector of the kind for each input."""
    found: list[tuple[str, str, Layer, Rows]] = []
    for name, flags, row in KINDS:
        rows = [row(degree, 0), row(degree, 1)]
        found.append((name, flags, make_layer(f"{name}-{degree}", 2, 2, rows, degree), INSIDE))
    return found


def farthest_layer() -> tuple[str, str, Layer, Rows]:
    """Return (name, flags, layer, x) of splines alone at points as far away as 1e100."""
    rows = [whole_steps(2, 2), whole_steps(2, 1)]
    layer = make_layer("farthest", 1, 2, rows, 2, base="zero")
    return (
        "farthest-points",
        "ZeroOutside FadeOutside SiluOverflow",
        layer,
        [[x, -x] for x in FARTHEST],
    )


def unusual_networks() -> list[tuple[str, str, list[Layer], Rows]]:
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
