"""Cases about layers on another grid: a finer one, or one that is moved to the samples.

The function that the layer computes is compared, not its coefficients. It is required to be kept
where the grids are nested, or where it is a polynomial:

    (C6)  coef_m = sum_r a_r e_r(t_{m+1}, ..., t_{m+k}) / binomial(k, r)

are the B-spline coefficients of the polynomial sum_r a_r x^r, r <= k, with the elementary symmetric
functions e_r (the blossom; Ramshaw 1989). Every grid of degree k represents such a polynomial, so
that every correct method keeps it. A finer grid has the old ends. A moved grid has breakpoints that
are evenly spaced, quantiles of the samples, or means of both:

    (C31)  t_n = share (low + n (high - low) / G) + (1 - share) q_{n/G},   n = 0, ..., G

Definitions of a quantile differ by less than the distance of neighbouring samples; two such
distances are the tolerance. Sources: Liu et al. 2024, section 2.4, eq. 2.16 (finer grids), and
section 2.2 (grid updates).
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

from kan_ref.conformance.generate import recipes as make
from kan_ref.conformance.generate.encode import Case, case, dice, topic
from kan_ref.conformance.generate.exact import Layer, Rows, forward, sizes

EVEN = make.EVEN
KEPT = 1e-10  # of the largest sum of absolute terms: enough for any stable least-squares fit
BREAKPOINTS = 1e-12
FIVES = make.uniform(-1.0, 1.0, 5, 3)
SHAPED = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]  # the mask of three outputs
Answers = dict[str, tuple[Any, float | None]]
Made = tuple[str, str, Layer, Rows]  # name, flags, layer, x
Finer = tuple[str, str, Layer, Rows, int, Rows]  # ..., n_intervals, probe


# --- layers of polynomials


def polynomial(knots: Sequence[float], degree: int, powers: Sequence[float]) -> list[float]:
    """Return the coefficients (C6), each rounded once."""
    t = [Fraction(knot) for knot in knots]

    def blossom(arguments: Sequence[Fraction]) -> Fraction:
        means = (
            Fraction(sum(map(math.prod, combinations(arguments, r)))) / math.comb(degree, r)
            for r in range(degree + 1)
        )
        return Fraction(sum(Fraction(a) * mean for a, mean in zip(powers, means, strict=False)))

    return [float(blossom(t[m + 1 : m + 1 + degree])) for m in range(len(knots) - degree - 1)]


def same_cubics(
    knots: Sequence[float], w_spline: float, w_base: float = 0.0, n_in: int = 1
) -> Layer:
    """Return a layer of one output with the same cubic on every edge."""
    weights = {"w_base": make.filled(w_base, 1, n_in), "w_spline": make.filled(w_spline, 1, n_in)}
    coef = [[polynomial(knots, 3, (0.5, -1.0, 0.75, 1.25))] * n_in]
    return make.layer("cubic", 1, [knots] * n_in, coef=coef, **weights)


def polynomials(
    n_out: int, rows: Sequence[Sequence[float]], degree: int = 3, **changes: Any
) -> Layer:
    """Return a layer with another polynomial of at most this degree on every edge."""

    def powers(j: int, i: int) -> tuple[float, ...]:
        return (0.5 + j, 0.25 * i - 1.0, 0.75 - 0.5 * j, 1.25 - i)[: degree + 1]

    coef = [
        [polynomial(row, degree, powers(j, i)) for i, row in enumerate(rows)] for j in range(n_out)
    ]
    return make.layer("cubics", n_out, rows, degree, coef=coef, **changes)


def moved_case(
    made: Made, method: str, given: dict[str, Any], probe: Rows, more: Answers, **options: Any
) -> Case:
    """Return a case that expects the old function at the points of the probe, and `more`."""
    name, flags, layer, x = made
    values, inputs = forward(layer, probe), {"layer": layer, "x": x, **given}
    answers: Answers = {"values": (values, KEPT * values.scale), "collapsed_rows": (0, None)}
    options |= {"probe": list(probe), "float32": False}
    return case(name, method, flags, inputs, answers | more, **options)


# --- finer grids


@topic("grid_extension", 4, "knots layer_forward", "Liu et al. 2024, section 2.4, eq. 2.16")
def extension() -> Iterator[Case]:
    """Yield the cases of extend_grid(layer, x, n_intervals) -> layer."""
    yield from _curves_on_finer_grids()
    nested, other, dense = "ExtensionNested", "ExtensionNotNested", make.evenly(81, -1.0, 1.0)
    scattered = [[a, -a] for (a,) in make.evenly(161, -1.0, 1.0)]
    curve = make.twin(make.layer("curve", 1, [FIVES], w_spline=[[1.0]]))
    scaled = curve | {"w_spline": [[2.5]]}
    quadratic = make.twin(make.layer("quadratic", 1, [make.uniform(0.0, 1.0, 3, 2)], 2))
    three = make.layer("three", 3, [EVEN] * 2, mask=SHAPED)
    cubics = polynomials(3, [make.uneven(FIVES, 3, turn) for turn in range(2)], mask=SHAPED)
    twin, half = make.twin(three), make.evenly(121, 0.0, 1.0)
    masked = f"OneOutput MissingMask {nested}"
    for name, flags, layer, x, n_intervals in (
        ("three-outputs", masked, three, scattered, 8),
        ("uneven-doubled", f"UnevenKnots {nested}", curve, dense, 10),
        ("uneven-weighted", f"UnevenKnots ScalerTwice {nested}", scaled, dense, 10),
        ("uneven-quadratic-tripled", f"UnevenKnots {nested}", quadratic, half, 9),
        ("uneven-three-outputs", f"UnevenKnots {masked}", twin, scattered, 8),
        ("uneven-five-to-seven", f"{other} OneOutput MissingMask", cubics, scattered, 7),
    ):
        at = make.points(f"probe-{name}", 8, len(x[0]), x[0][0], 1.0)
        yield _extend((name, flags, layer, x, n_intervals, at), since=2)
    yield from (_extend(row, ends=True, since=4) for row in _finer_layers())


def _extend(row: Finer, ends: bool = False, **options: Any) -> Case:
    """Return a case of extend_grid, which may compare the ends of the grid, too."""
    _, _, layer, _, n_intervals, probe = row
    more: Answers = {"n_intervals": (n_intervals, None)}
    if ends:
        k = layer["degree"]
        more["ends"] = ([[row[k], row[-k - 1]] for row in layer["knots"]], BREAKPOINTS)
    given = {"n_intervals": n_intervals}
    return moved_case(row[:4], "extend_grid", given, probe, more, **options)


def _curves_on_finer_grids() -> Iterator[Case]:
    dense, denser = make.evenly(81, -1.0, 1.0), make.evenly(161, -1.0, 1.0)
    curve = make.layer("curve", 1, [FIVES], w_spline=[[1.0]])
    scaled = curve | {"w_spline": [[2.5]]}
    own = [EVEN, make.uniform(-2.0, 2.0, 4, 3)]
    square = make.layer("square", 2, own, mask=[[1.0, 0.0], [1.0, 1.0]])
    in_two = [[x[0], 2.0 * y[0]] for x, y in zip(dense, dense[::-1], strict=True)]
    quadratic = make.layer("quadratic", 1, [make.uniform(0.0, 1.0, 3, 2)], 2)
    cubic, weighted = same_cubics(FIVES, 1.0, 0.5), same_cubics(FIVES, -1.5)
    few, right, one = make.points("few", 4, 1), make.evenly(60, 0.25, 1.0), [[0.125]]
    left, middle = make.evenly(60, -1.0, -0.25), make.evenly(40, -0.25, 0.25)
    in_left, in_middle = make.evenly(9, -0.95, -0.3), make.evenly(8, -0.2, 0.2)
    unit, steps = make.points("quadratic", 8, 1, 0.0, 1.0), make.evenly(61, 0.0, 1.0)
    nested, other, hole = "ExtensionNested", "ExtensionNotNested", "ZeroSupportFirstColumn"
    probe, elsewhere = make.points("probe", 12, 1), make.points("left", 6, 1, -1.0, 0.0)
    usual, any_curve = "required", "implementation-defined"
    for name, flags, layer, x, n_intervals, at, kind in (
        ("doubled", f"{nested} GridCount", curve, dense, 10, probe, usual),
        ("doubled-weighted", f"ScalerTwice {nested}", scaled, dense, 10, probe, usual),
        ("quadrupled", nested, curve, denser, 20, probe, usual),
        ("quadratic-tripled", nested, quadratic, steps, 9, unit, usual),
        ("two-by-two", nested, square, in_two, 8, make.points("two", 6, 2), usual),
        ("five-to-seven", f"{other} GridCount", cubic, dense, 7, probe, usual),
        ("five-to-seven-weighted", f"ScalerTwice {other}", weighted, dense, 7, probe, usual),
        ("five-to-seven-any-curve", f"LeftOpen {other}", curve, dense, 7, probe, any_curve),
        ("few-samples", "ExtensionFewSamples", curve, few, 10, few, usual),
        ("few-samples-between", "ExtensionFewSamples", curve, few, 10, probe, "acceptable"),
        ("samples-on-the-right", hole, curve, right, 10, right[3:-3:6], usual),
        ("samples-on-the-left", hole, curve, left, 10, in_left, usual),
        ("samples-in-the-middle", hole, curve, middle, 10, in_middle, usual),
        ("samples-on-the-right-elsewhere", hole, curve, right, 10, elsewhere, "acceptable"),
        ("one-sample", "ExtensionFewSamples BatchOfOne", curve, one, 10, one, usual),
    ):
        yield _extend((name, flags, layer, x, n_intervals, at), kind=kind)


def _finer_layers() -> Iterator[Finer]:
    """Yield rows whose finer grid contains the old one."""
    # multiples of a tenth: breakpoints of a finer grid may be rounded to the other side
    for degree, low, high, before, after in (
        (0, 0.1, 0.8, 7, 21),
        (0, -0.3, 1.0, 20, 60),
        (0, 0.0, 0.7, 10, 20),
        (0, 0.1, 1.0, 9, 27),
        (0, -1.0, 1.0, 4, 8),
        (1, 0.1, 0.8, 7, 21),
        (2, -1.0, 1.0, 1, 3),
        (4, -1.0, 1.0, 3, 6),
        (5, -2.0, 2.0, 4, 8),
    ):
        name = f"degree-{degree}-{before}-to-{after}"
        flag = "DegreeZero " if degree == 0 else "HighDegree " if degree > 3 else ""
        layer = make.layer(name, 2, [make.uniform(low, high, before, degree)], degree)
        # no sample and no probe lies at a breakpoint
        dense = [[low + (high - low) * (n + 0.5) / (8 * after)] for n in range(8 * after)]
        yield name, f"{flag}ExtensionNested", layer, dense, after, dense[1::5]
    at: Rows = make.evenly(161, -1.0, 1.0)
    for name, flags, row, base in (
        ("identity-base", "BaseName ExtensionNested", make.whole_steps(3, 2), "identity"),
        ("zero-base", "BaseName ExtensionNested", make.whole_steps(3, 2), "zero"),
        ("outer-knots-whole-steps", "ExtensionNested UnevenKnots", make.whole_steps(3), "silu"),
        ("clamped-knots", "RepeatedKnots ExtensionNested", make.clamped(3), "silu"),
    ):
        yield name, flags, make.layer(f"finer-{name}", 2, [row], base=base), at, 8, at[3::17]
    own = [make.uniform(0.0, 1.0, 4, 3), make.uniform(3.0, 11.0, 4, 3)]
    rising = make.evenly(161, 0.0, 1.0)
    x = [[a, 3.0 + 8.0 * b] for (a,), (b,) in zip(rising, rising[::-1], strict=True)]
    layer = make.layer("finer-own-ends", 3, own)
    yield "ends-of-their-own", "SharedRow ExtensionNested", layer, x, 12, x[2::20]


# --- moved grids


@topic("grid_update", 4, "knots layer_forward", "Liu et al. 2024, section 2.2")
def update() -> Iterator[Case]:
    """Yield the cases of update_grid(layer, x, uniform_share, margin) -> layer."""
    plain, scaled = same_cubics(FIVES, 1.0), same_cubics(FIVES, 2.0)
    mixed, pair = same_cubics(FIVES, 2.0, 0.5), same_cubics(FIVES, 1.5, 0.25, n_in=2)
    distant = same_cubics(make.uniform(4.0, 6.0, 4, 3), 1.0)
    draws = (dice(f"bump-{n}", 60, low=-1.0, high=1.0) for n in range(4))
    bumps = [[sum(values) / 4.0] for values in zip(*draws, strict=True)]
    inside, uneven = make.evenly(60, -0.75, 0.5), make.points("update", 80, 1, -0.75, 0.5)
    narrow, wide = make.evenly(40, -0.125, 0.125), make.evenly(60, -3.0, 3.0)
    two, three = [[-0.5], [0.75]] * 10, [[-0.5], [0.25], [0.75]] * 10
    same, beside = [[0.375]] * 10, [[0.375, value[0]] for value in inside]
    keeps, constant, discrete = "UpdateKeepsFunction", "ConstantFeature", "DiscreteFeature"
    zero, repeated = f"{discrete} ZeroSupportFirstColumn", f"{discrete} RepeatedKnots"
    for name, flags, layer, x, share, margin, what in (
        ("even-samples", f"{keeps} UpdateEnds GridCount", plain, inside, 1.0, 0.0, "ends"),
        ("weighted", f"ScalerTwice {keeps}", scaled, inside, 1.0, 0.0, "ends"),
        ("weighted-with-base", f"ScalerTwice {keeps}", mixed, uneven, 1.0, 0.0, "ends"),
        ("normal-samples", keeps, plain, bumps, 1.0, 0.0, "ends"),
        ("quantiles", keeps, scaled, bumps, 0.0, 0.0, "ends"),
        ("half-quantiles", keeps, scaled, uneven, 0.5, 0.0, "ends"),
        ("with-margin", keeps, scaled, inside, 1.0, 1.0, ""),
        ("narrow", keeps, plain, narrow, 1.0, 0.0, "ends"),
        ("constant", constant, scaled, same, 1.0, 0.0, ""),
        ("constant-beside-other", constant, pair, beside, 1.0, 0.0, ""),
        ("constant-far", constant, distant, [[5.25]] * 10, 1.0, 0.0, ""),
        ("one-sample", f"{constant} BatchOfOne", scaled, [[-0.25]], 1.0, 0.0, ""),
        ("two-values", discrete, scaled, two, 1.0, 0.0, "ends"),
        ("three-values", zero, scaled, three, 1.0, 0.0, "ends"),
        ("two-values-quantiles", repeated, scaled, two, 0.0, 0.0, "ends"),
        ("widened", "WidenedGrid", scaled, wide, 1.0, 0.0, "ends"),
    ):
        kind = "implementation-defined" if name == "widened" else "required"
        since = 3 if name == "constant-far" else 1
        yield _moved((name, flags, layer, x), share, margin, what, kind=kind, since=since)
    rows = [make.uneven(FIVES, 3, n) for n in range(2)]
    masked, both = "OneOutput MissingMask", [[a[0], -a[0]] for a in uneven]
    even, of_three = (polynomials(3, knots, mask=SHAPED) for knots in ([FIVES] * 2, rows))
    of_two, of_one = polynomials(2, rows, mask=SHAPED[:2]), polynomials(1, rows[:1])
    for name, flags, layer, x, share in (
        ("three-outputs", masked, even, both, 1.0),
        ("uneven-three-outputs", f"UnevenKnots {masked}", of_three, both, 1.0),
        ("uneven-quantiles", f"UnevenKnots {keeps}", of_two, both, 0.25),
        ("many-samples", f"{keeps} UnevenKnots", of_one, make.samples(1201, 257, 1), 0.5),
    ):
        yield _moved((name, flags, layer, x), share, 0.0, "ends", since=2)
    yield from _breakpoints()
    cubic = polynomials(2, [FIVES])
    far = polynomials(2, [make.uniform(100.0, 101.0, 4, 3)], base="zero")
    for name, flags, layer, x, share, margin in (
        ("with-margin", keeps, cubic, inside, 1.0, 0.5),
        ("quantiles-with-margin", keeps, cubic, inside, 0.0, 0.5),
        ("constant", constant, cubic, same, 1.0, 0.0),
        ("one-sample", f"{constant} BatchOfOne", cubic, [[-0.25]], 1.0, 0.0),
        ("constant-quantiles", constant, cubic, same, 0.0, 0.0),
        ("constant-far", constant, far, [[100.25]] * 10, 1.0, 0.0),
    ):
        yield _moved((f"{name}-contains", flags, layer, x), share, margin, "contains", since=4)


def _moved(made: Made, share: float, margin: float, what: str, **options: Any) -> Case:
    """Return a case of update_grid that compares `what`, too."""
    name, flags, layer, x = made
    columns = [sorted(column) for column in zip(*x, strict=True)]
    n_intervals = sizes(layer)[2] - layer["degree"]
    answers: Answers = {"n_intervals": (n_intervals, None)}
    if what == "ends":
        answers["ends"] = ([[column[0], column[-1]] for column in columns], BREAKPOINTS)
    elif what == "contains":
        answers["outside"] = (0, None)
    elif what == "breakpoints":
        answers["breakpoints"] = _placed(columns, n_intervals, share)
    if what in ("ends", "contains"):
        made = (name, f"{flags} UpdateEnds", layer, x)
    given, probe = {"uniform_share": share, "margin": margin}, x[:: max(1, len(x) // 10)]
    return moved_case(made, "update_grid", given, probe, answers, **options)


def _breakpoints() -> Iterator[Case]:
    """Yield the cases that compare breakpoints (C31)."""
    crowded = [[u * u * u] for u in dice("crowded", 120, low=-0.875, high=0.875)]
    two = [[0.5 * a, 0.25 - 0.5 * b * b] for (a,), (b,) in zip(crowded, crowded[::-1], strict=True)]
    cubic = polynomials(2, [FIVES])
    cubics = polynomials(3, [FIVES, make.uniform(-2.0, 2.0, 5, 3)])
    rows: list[tuple[str, str, Layer, Rows, float]] = [
        ("even-breakpoints", "", cubic, crowded, 1.0),
        ("quantile-breakpoints", "", cubic, crowded, 0.0),
        ("mixed-breakpoints", "", cubic, crowded, 0.25),
        ("even-in-two", "", cubics, two, 1.0),
        ("quantiles-in-two", "", cubics, two, 0.0),
    ]
    for degree in (0, 1, 2, 5):
        layer = polynomials(2, [make.uniform(-1.0, 1.0, 6, degree)], degree)
        rows.append((f"degree-{degree}", "" if degree else "DegreeZero", layer, crowded, 0.5))
    bases = ("identity", "zero")
    rows += [(f"{base}-base", "BaseName", cubic | {"base": base}, crowded, 1.0) for base in bases]
    for name, flags, layer, x, share in rows:
        flags = f"{flags} UpdateBreakpoints UpdateKeepsFunction"
        yield _moved((name, flags, layer, x), share, 0.0, "breakpoints", since=4)


def _placed(columns: Sequence[Sequence[float]], n: int, share: float) -> tuple[Any, float]:
    """Return the breakpoints (C31) of sorted samples, and the tolerance of them."""
    gaps, found = [0.0], []
    for column in columns:
        low, high, last = column[0], column[-1], len(column) - 1
        line = []
        for place in range(n + 1):
            rank = place / n * last
            below = min(int(rank), last - 1)
            quantile = column[below] + (rank - below) * (column[below + 1] - column[below])
            line.append(share * (low + (high - low) * place / n) + (1.0 - share) * quantile)
            if 0 < place < n:  # neighbouring samples about the quantile
                about = column[max(0, below - 1) : below + 3]
                gaps += [b - a for a, b in pairwise(about)]
        found.append(line)
    return found, max(BREAKPOINTS, 2.0 * (1.0 - share) * max(gaps))
