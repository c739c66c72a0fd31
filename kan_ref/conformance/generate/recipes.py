"""What cases are made from: knot vectors, layers, samples and networks of short binary numbers.

    (C5)  t_m = a + (m - k) (b - a) / G,  m = 0, ..., G + 2 k       (Liu et al. 2024, section 2.4)

Grid updates leave uneven knots. A twin of a layer has the same [a, b], but each input has other
uneven breakpoints and other uneven outer knots.

Unusual knot vectors have the grid -1, -1/2, 0, 1/2, 1. Outer knots lie whole steps of the grid
away, a different number of them for each input; or 2^40 away; or on the ends of the grid. An inner
knot is repeated. Points as far away as 1e100 exceed the range of the integers that number the
intervals.

Batches of 9, 17, 33 and 257 samples and widths of 9 and 65 leave one element over in blocks of 2,
4, 8, ..., and of other even sizes that divide one number less. A batch of 1030 samples and widths
of 130 leave a part of a block of 512 or 100 over. The known defect of code that works in blocks
leaves it out. Large arrays are numbers (C23) of `encode`, so that a file states their recurrence.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from kan_ref.conformance.generate.encode import Case, Drawn, array, case, dice, drawn, within
from kan_ref.conformance.generate.exact import Layer, Rows, forward, layer_vjp, sizes

VALUES = 1e-13  # of the largest sum of absolute terms
GRADIENTS = 2e-13


# --- knot vectors


def uniform(low: float, high: float, n_intervals: int, degree: int) -> list[float]:
    """Return the knots (C5), each rounded once."""
    a, h = Fraction(low), (Fraction(high) - Fraction(low)) / n_intervals
    return [float(a + (m - degree) * h) for m in range(n_intervals + 2 * degree + 1)]


EVEN = uniform(-1.0, 1.0, 4, 3)
WIDTHS = (5, 11, 3, 9, 2, 13, 7)  # of neighbouring intervals, in proportion
OUTER = (0.75, 1.5, 0.5, 1.25, 1.0, 0.625, 1.375)  # of outer intervals, in units of (b - a) / G
FINE = 1024  # breakpoints are multiples of (b - a) / FINE: short in binary where a and b are


def uneven(row: Sequence[float], degree: int, turn: int = 0) -> list[float]:
    """Return uneven knots with the ends of the grid and the length of a row; `turn` varies them."""
    a, b = row[degree], row[len(row) - 1 - degree]
    n_intervals = len(row) - 1 - 2 * degree
    parts = list(accumulate(WIDTHS[(turn + n) % len(WIDTHS)] for n in range(n_intervals)))
    inner = [a + (b - a) * round(FINE * part / parts[-1]) / FINE for part in parts[:-1]]
    h = (b - a) / n_intervals
    left, right = (
        [
            h * offset
            for offset in accumulate(OUTER[(turn + shift + n) % len(OUTER)] for n in range(degree))
        ]
        for shift in (0, 3)
    )
    return [*(a - offset for offset in reversed(left)), a, *inner, b, *(b + o for o in right)]


GRID = (-1.0, -0.5, 0.0, 0.5, 1.0)
FARTHEST = (-1e100, -1e19, 1e19, 1e100)
INSIDE = ([-0.8125, 0.6875], [-0.1875, -0.5625], [0.9375, 0.3125])
_STEPS = ((1, 3, 4, 7), (2, 3, 5, 6), (1, 2, 3, 4), (3, 4, 6, 9))


def whole_steps(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with outer knots whole steps away."""
    left, right = (_STEPS[(turn + shift) % len(_STEPS)][:degree] for shift in (0, 1))
    return [*(-1.0 - 0.5 * n for n in reversed(left)), *GRID, *(1.0 + 0.5 * n for n in right)]


def far(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with outer knots 2^40 and more away."""
    outer = [2.0**40 * (n + 1 + turn) for n in range(degree)]
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


# --- layers and samples


def filled(value: float, n_out: int, n_in: int) -> list[list[float]]:
    """Return (n_out, n_in) of one value."""
    return [[value] * n_in for _ in range(n_out)]


def layer(
    seed: str, n_out: int, rows: Sequence[Sequence[float]], degree: int = 3, /, **changes: Any
) -> Layer:
    """Return a layer of short binary numbers, with a knot vector for each input and `changes`."""
    n_in, n_basis = len(rows), len(rows[0]) - degree - 1
    numbers = dice(seed, n_out * n_in * (n_basis + 2), low=-2.0, high=2.0, steps=256)

    def take(*shape: int) -> Any:
        return [take(*shape[1:]) for _ in range(shape[0])] if shape else numbers.pop()

    layer = {
        "knots": [list(row) for row in rows],
        "coef": take(n_out, n_in, n_basis),
        "w_base": take(n_out, n_in),
        "w_spline": take(n_out, n_in),
        "mask": filled(1.0, n_out, n_in),
        "degree": degree,
        "base": "silu",
    }
    return layer | changes


def block(start: int, n_out: int, n_in: int, reach: float = 1.0) -> Layer:
    """Return a quadratic layer of 3 uneven intervals on [-reach, reach] with the numbers (C23)."""
    even = uniform(-reach, reach, 3, 2)
    return {
        "knots": [uneven(even, 2, turn % 5) for turn in range(n_in)],
        "coef": drawn(start, (n_out, n_in, 5), -2.0, 2.0),
        "w_base": drawn(start + 101, (n_out, n_in), -2.0, 2.0),
        "w_spline": drawn(start + 211, (n_out, n_in), -2.0, 2.0),
        "mask": filled(1.0, n_out, n_in),
        "degree": 2,
        "base": "silu",
    }


def twin(layer: Layer) -> Layer:
    """Return the layer on uneven knot vectors, a different one for each input."""
    degree = layer["degree"]
    twins = [uneven(row, degree, turn) for turn, row in enumerate(layer["knots"])]
    return layer | {"knots": twins}


def points(seed: str, n: int, n_in: int, low: float = -1.0, high: float = 1.0) -> list[list[float]]:
    """Return (n, n_in) samples strictly between low and high."""
    numbers = dice(seed, n * n_in, low=low, high=high)
    return [numbers[b * n_in : (b + 1) * n_in] for b in range(n)]


def samples(start: int, n: int, n_in: int) -> Drawn:
    """Return (n, n_in) numbers (C23) in [-1, 1]."""
    return drawn(start, (n, n_in), -1.0, 1.0)


def evenly(n: int, low: float, high: float) -> list[list[float]]:
    """Return `n` evenly spaced samples of one input, from low to high."""
    return [[low + (high - low) * place / (n - 1)] for place in range(n)]


# --- networks


def network(
    seed: str, widths: Sequence[int], degree: int = 3, reach: float = 4.0, **changes: Any
) -> list[Layer]:
    """Return layers of 4 intervals each, the first on [-1, 1], the others on [-reach, reach]."""
    first, other = (uniform(-end, end, 4, degree) for end in (1.0, reach))
    return [
        layer(f"{seed}-{n}", n_out, [other if n else first] * n_in, degree, **changes)
        for n, (n_in, n_out) in enumerate(pairwise(widths))
    ]


def changed(layers: Sequence[Layer], number: int, **changes: Any) -> list[Layer]:
    """Return the layers, with changes to layer `number`."""
    return [layer | changes if n == number else layer for n, layer in enumerate(layers)]


# --- cases


def layer_given(layer: Layer, x: Rows, dy: Rows | None = None) -> dict[str, Any]:
    """Return the arguments of a method of layers."""
    n_out, n_in, _ = sizes(layer)
    given = {"layer": layer, "x": array(x, (len(x), n_in))}
    return given if dy is None else given | {"dy": array(dy, (len(x), n_out))}


def network_given(layers: Sequence[Layer], x: Rows, dy: Rows | None = None) -> dict[str, Any]:
    """Return the arguments of a method of networks."""
    given = {"layers": list(layers), "x": array(x, (len(x), sizes(layers[0])[1]))}
    return given if dy is None else given | {"dy": array(dy, (len(x), sizes(layers[-1])[0]))}


def values(name: str, flags: str, layer: Layer, x: Rows, **options: Any) -> Case:
    """Return the case of layer_forward(layer, x) -> y."""
    answers = within({"y": forward(layer, x)}, VALUES)
    return case(name, "layer_forward", flags, layer_given(layer, x), answers, **options)


def vjp(name: str, flags: str, layer: Layer, x: Rows, dy: Rows, **options: Any) -> Case:
    """Return the case of layer_vjp(layer, x, dy) -> {"dx", "d_coef", "d_w_base", "d_w_spline"}."""
    answers = within(layer_vjp(layer, x, dy), GRADIENTS)
    return case(name, "layer_vjp", flags, layer_given(layer, x, dy), answers, **options)
