"""Cases beside the B-splines: other bases, optimizers, formulas, counts, files, side effects.

Families of basis functions other than the paper's are

    (C27)  gaussian    B_m(x) = exp(-((x - c_m) / h)^2)                  centres c, width h
    (C28)  chebyshev   B_m(x) = T_m(u), m = 0, ..., degree;  u = x or tanh x
    (C29)  fourier     cos x, ..., cos(n x), sin x, ..., sin(n x)         n frequencies
    (C30)  relu        B_m(x) = 16 / (e_m - s_m)^4 [max(0, e_m - x) max(0, x - s_m)]^2

A layer of a family is y_j = sum_i sum_m coef_jim B_m(x_i), without base function, weights or bias.
Derivatives are those of truncated Taylor series: a number is [f, f', f'' / 2]. No case of a family
counts with those of the B-splines.

The gradients g_1, g_2, ... of an optimizer's steps are given: they do not depend on theta, so that
the errors of one step are not amplified by the next. With m_0 = v_0 = 0

    (C25)  theta_t = theta_{t-1} - rate g_t
    (C26)  m_t = beta1 m_{t-1} + (1 - beta1) g_t,   v_t = beta2 v_{t-1} + (1 - beta2) g_t^2,
           theta_t = theta_{t-1} - rate (m_t / (1 - beta1^t))
                                   / (sqrt(v_t / (1 - beta2^t)) + epsilon)

Sources: Li 2024, arXiv 2405.06721 (Gaussian); Sidharth et al. 2024, arXiv 2405.07200 (Chebyshev,
with tanh); Qiu et al. 2024, arXiv 2406.02075, eq. 6 (ReLU); the Fourier basis has no common source.
Kingma & Ba 2015, Algorithm 1 (C26). Liu et al. 2024, section 2.2 (initial coefficients of standard
deviation 0.1, w_spline 1, w_base Xavier), section 2.3 (counts), section 2.5.1 (affine fits).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate import recipes as make
from kan_ref.conformance.generate.encode import Case, array, case, dice, drawn, topic, within
from kan_ref.conformance.generate.exact import Number, Rows, Sums, context, precise, total
from kan_ref.conformance.generate.grids import polynomials

EVEN = make.EVEN
# --- families of basis functions

FAMILIES = 1e-12  # of the largest sum of absolute terms
Family = dict[str, Any]
Line = list[float]
Series = list[Number]  # f, f', f'' / 2
ONE, ZERO = precise(1), precise(0)


def multiply(a: Series, b: Series) -> Series:
    """Return the first three Taylor coefficients of a product."""
    return [total(a[r] * b[n - r] for r in range(n + 1)) for n in range(3)]


def gaussians(family: Family, x: Number) -> list[Series]:
    """Return (C27): with z = (x - c) / h, B' = -2 z / h B and B'' = (4 z^2 - 2) / h^2 B."""
    h, found = precise(family["width"]), []
    for centre in family["centres"]:
        z = (x - precise(centre)) / h
        value = context().exp(-z * z)
        found.append([value, -2 * z / h * value, (2 * z * z - 1) / h**2 * value])
    return found


def chebyshevs(family: Family, x: Number) -> list[Series]:
    """Return (C28) by T_{m+1} = 2 u T_m - T_{m-1}."""
    u = [x, ONE, ZERO]
    if family["argument"] == "tanh":
        t = context().tanh(x)
        u = [t, 1 - t * t, -t * (1 - t * t)]
    found = [[ONE, ZERO, ZERO], u]
    while len(found) <= family["degree"]:
        doubled = multiply([2 * term for term in u], found[-1])
        found.append([a - b for a, b in zip(doubled, found[-2], strict=True)])
    return found[: family["degree"] + 1]


def fouriers(family: Family, x: Number) -> list[Series]:
    """Return (C29)."""
    frequencies = range(1, family["n_frequencies"] + 1)
    waves = [(k, context().cos(k * x), context().sin(k * x)) for k in frequencies]
    cosines = [[c, -k * s, -k * k * c / 2] for k, c, s in waves]
    return [*cosines, *([s, k * c, -k * k * s / 2] for k, c, s in waves)]


def relus(family: Family, x: Number) -> list[Series]:
    """Return (C30)."""
    found = []
    for start, end in zip(family["starts"], family["ends"], strict=True):
        s, e = precise(start), precise(end)
        bump = multiply([e - x, -ONE, ZERO], [x - s, ONE, ZERO])
        factor = 16 / (e - s) ** 4 if s < x < e else ZERO
        found.append([factor * term for term in multiply(bump, bump)])
    return found


KINDS = {"gaussian": gaussians, "chebyshev": chebyshevs, "fourier": fouriers, "relu": relus}
GAUSSIAN: Family = {"family": "gaussian", "centres": [-1.0, -0.5, 0.25, 1.0], "width": 0.625}
CHEBYSHEV: Family = {"family": "chebyshev", "degree": 5, "argument": "x"}
SQUASHED: Family = {"family": "chebyshev", "degree": 4, "argument": "tanh"}
FOURIER: Family = {"family": "fourier", "n_frequencies": 3}
RELU: Family = {
    "family": "relu",
    "starts": [-1.5, -0.75, -0.25, 0.5],
    "ends": [-0.25, 0.375, 1.0, 1.5],
}
# supports of one width, (k + 1) / g with k = 2 and g = 4
EVEN_RELU: Family = {
    "family": "relu",
    "starts": [-0.5, -0.25, 0.0, 0.25, 0.5, 0.75],
    "ends": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5],
}


def basis_values(family: Family, x: float, order: int = 0) -> list[Number]:
    """Return the basis functions at x, or their first or second derivatives."""
    found = KINDS[family["family"]](family, precise(x))
    return [math.factorial(order) * series[order] for series in found]


HIGH = CHEBYSHEV | {"degree": 14}
WIDE: Family = {"family": "gaussian", "centres": [2.0, -3.0, 0.0], "width": 2.5}
MANY: Family = {"family": "fourier", "n_frequencies": 20}
SIDHARTH = "Sidharth et al. 2024, arXiv 2405.07200"
SPECIAL: dict[str, tuple[tuple[str, str, Family, list[float], int, int], ...]] = {
    # cases of basis functions: name, flags, family, x, order, since
    "gaussian": (
        ("far", "FamilyBasis", GAUSSIAN, [-40.0, 25.0], 0, 2),
        ("unsorted-centres", "GaussianWidth FamilyBasis", WIDE, [-1.0, 0.0, 2.5], 0, 2),
        ("unsorted-centres-slope", "FamilySlope", WIDE, [-1.0, 0.0, 2.5], 1, 2),
    ),
    "chebyshev": (
        ("ends", "ChebyshevEnds", CHEBYSHEV, [-1.0, 1.0], 0, 2),
        ("ends-slope", "ChebyshevEnds", CHEBYSHEV, [-1.0, 1.0], 1, 2),
        ("high-degree", "ChebyshevKind FamilyBasis", HIGH, [-0.9, 0.1, 0.97], 0, 2),
        ("degree-0", "FamilyBasis", CHEBYSHEV | {"degree": 0}, [0.25, -0.5], 0, 2),
        ("tanh-far", "ChebyshevArgument", SQUASHED, [-3.0, 2.0], 0, 2),
        ("tanh-is-one", "ChebyshevEnds", SQUASHED, [-20.0, 25.0], 0, 3),
        ("tanh-is-one-slope", "ChebyshevEnds", SQUASHED, [-20.0, 25.0], 1, 3),
    ),
    "fourier": (
        ("at-zero", "FourierFrequency FourierOrder", FOURIER, [0.0], 0, 2),
        ("many-frequencies", "FourierFrequency FamilyBasis", MANY, [0.3, -2.7, 3.1], 0, 2),
    ),
    "relu": (
        ("at-ends", "FamilyBasis", RELU, [-1.5, -0.25, 1.5], 0, 2),
        ("at-ends-slope", "FamilySlope", RELU, [-1.5, -0.25, 1.5], 1, 2),
        ("outside", "ReluSquare FamilyBasis", RELU, [-2.0, 1.75], 0, 2),
        ("outside-slope", "FamilySlope", RELU, [-2.0, 1.75], 1, 2),
    ),
}
FAMILY_TOPICS: tuple[tuple[str, str, str, tuple[Family, ...]], ...] = (
    # name, source, flags, families
    ("gaussian", "Li 2024, arXiv 2405.06721", "GaussianWidth", (GAUSSIAN, WIDE)),
    ("chebyshev", SIDHARTH, "ChebyshevArgument ChebyshevKind", (CHEBYSHEV, SQUASHED)),
    ("fourier", "cosines and sines of n x", "FourierOrder FourierFrequency", (FOURIER,)),
    ("relu", "Qiu et al. 2024, arXiv 2406.02075, eq. 6", "ReluScale ReluSquare", (RELU, EVEN_RELU)),
)


def family_cases(name: str, flags: str, families: Sequence[Family]) -> Iterator[Case]:
    """Yield the cases of a topic: basis functions, layers and gradients, and special points."""
    for number, family in enumerate(families):
        ending, since = f"-{number + 1}" if number else "", 3 if family is EVEN_RELU else 2
        x = dice(f"{name}-{number}", 4, low=-1.0, high=1.0)
        for order, what in enumerate(("values", "slopes", "curves")):
            first = "FamilySlope" if order else "FamilyBasis"
            yield _basis(f"{what}{ending}", f"{first} {flags}", family, x, order, since)
        yield _basis(f"no-points{ending}", "EmptyBatch", family, [], 0, since)
        for what, n_out, at in (
            ("two-to-three", 3, make.points(f"{name}-2", 3, 2)),
            ("three-to-two", 2, make.points(f"{name}-3", 2, 3)),
            ("nine-samples", 1, make.samples(1300 + number, 9, 1)),
        ):
            yield from _layers_of_family(f"{what}{ending}", family, n_out, at, since)
    yield from (_basis(*row) for row in SPECIAL[name])


for _name, _source, _flags, _families in FAMILY_TOPICS:
    _make = partial(family_cases, _name, _flags, _families)
    topic(_name, 1, "", f"{_source}; not of the paper", _name)(_make)


def _basis(
    name: str, flags: str, family: Family, x: Sequence[float], order: int, since: int
) -> Case:
    """Return the case of family_basis(family, x, order) -> (n, n_basis)."""
    right = [basis_values(family, at, order) for at in x]
    largest = max((abs(float(value)) for row in right for value in row), default=1.0)
    given = {"family": family, "x": array(x, [len(x)]), "order": order}
    shape = [len(x), len(basis_values(family, 0.5))]
    answers = {"basis": (array(right, shape), FAMILIES * max(largest, 1.0))}
    return case(name, "family_basis", flags, given, answers, since=since)


def _layers_of_family(name: str, family: Family, n_out: int, x: Rows, since: int) -> Iterator[Case]:
    """Yield the cases of family_forward(family, coef, x) and family_vjp(family, coef, x, dy)."""
    n_in, n_basis = len(x[0]), len(basis_values(family, 0.5))
    coef = drawn(1700 + n_out, (n_out, n_in, n_basis), -2.0, 2.0)
    dy = make.points(f"{name}-dy", len(x), n_out, -2.0, 2.0)
    y, dx, d_coef = Sums(len(x), n_out), Sums(len(x), n_in), Sums(n_out, n_in, n_basis)
    for b, row in enumerate(x):
        for i, at in enumerate(row):
            values, slopes = (basis_values(family, at, order) for order in (0, 1))
            for j in range(n_out):
                d = precise(dy[b][j])
                for m, c in enumerate(map(precise, coef[j][i])):
                    y.add((b, j), c * values[m])
                    dx.add((b, i), d * c * slopes[m])
                    d_coef.add((j, i, m), d * values[m])
    given = {"family": family, "coef": coef, "x": x}
    large = len(x) > 8
    flags = "BlockRemainder FamilySum" if large else "FamilySum MeanOverInputs"
    yield case(name, "family_forward", flags, given, within({"y": y}, FAMILIES), since=since)
    flags = "BlockRemainder OneSampleOnly" if large else "FamilySlope MeanOverBatch DyIgnored"
    answers, given = within({"dx": dx, "d_coef": d_coef}, FAMILIES), given | {"dy": dy}
    yield case(f"{name}-gradient", "family_vjp", flags, given, answers, since=since)


# --- optimizers

STEPS = 2e-14  # of the largest parameter plus the sum of the absolute steps


def adam_points(
    theta: Sequence[float], gradients: Rows, rate: float, betas: tuple[float, float], epsilon: float
) -> tuple[list[Number], Number]:
    """Return theta after all steps of (C26), and the largest sum of absolute steps."""
    found, moved = [], []
    beta1, beta2 = map(precise, betas)
    for place, start in enumerate(theta):
        m, v, at, size = ZERO, ZERO, precise(start), ZERO
        for t, row in enumerate(gradients, start=1):
            g = precise(row[place])
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            left, right = (1 - beta**t for beta in (beta1, beta2))
            step = precise(rate) * (m / left) / (context().sqrt(v / right) + precise(epsilon))
            at, size = at - step, size + abs(step)
        found.append(at)
        moved.append(size)
    return found, max(moved)


@topic("optimizer_steps", 1, "", "Kingma & Ba 2015, Algorithm 1; gradient descent")
def optimizer_steps() -> Iterator[Case]:
    """Yield the cases of adam_steps(...) and gradient_steps(...) -> theta (n_params,)."""
    theta = dice("theta", 4, low=-2.0, high=2.0)
    slopes = [dice(f"slopes-{t}", 4, low=-4.0, high=4.0) for t in range(5)]
    tiny = [[1e-7 * g for g in row] for row in slopes]
    paused = [[0.0, *row[1:]] for row in slopes]
    many = [dice(f"many-{t}", 4, low=-1.0, high=1.0) for t in range(40)]
    usual, other, none, pair = (0.9, 0.999), (0.5, 0.75), (0.0, 0.5), [[1.5], [-0.25]]
    for name, flags, start, gradients, rate, betas, epsilon, since in (
        ("one-step", "AdamBias StepSign", theta, slopes[:1], 0.125, usual, 1e-8, 2),
        ("two-steps", "AdamBias AdamRoot", theta, slopes[:2], 0.125, usual, 1e-8, 2),
        ("five-steps", "AdamBias AdamMoments", theta, slopes, 0.01, usual, 1e-8, 2),
        ("other-betas", "AdamMoments", theta, slopes[:3], 0.25, other, 1e-8, 2),
        ("large-epsilon", "AdamEpsilon", theta, slopes[:2], 0.25, usual, 0.5, 2),
        ("tiny-gradients", "AdamEpsilon", theta, tiny[:3], 0.125, usual, 1e-8, 2),
        ("no-gradient", "AdamEpsilon", theta, paused[:2], 0.125, usual, 1e-8, 2),
        ("forty-steps", "AdamBias AdamMoments", theta, many, 0.01, usual, 1e-8, 4),
        ("no-momentum", "AdamMoments", theta, slopes[:3], 0.125, none, 1e-8, 4),
        ("one-parameter", "AdamBias", theta[:1], pair, 0.25, other, 1e-8, 4),
    ):
        right, moved = adam_points(start, gradients, rate, betas, epsilon)
        given = {"theta": start, "gradients": gradients, "learning_rate": rate}
        given |= {"beta1": betas[0], "beta2": betas[1], "epsilon": epsilon}
        answers = {"theta": (right, STEPS * float(max(map(abs, start)) + moved))}
        options: dict[str, Any] = {"float32": False, "since": since}
        yield case(f"adam-{name}", "adam_steps", flags, given, answers, **options)
    for name, gradients, rate in (("one-step", slopes[:1], 0.125), ("five-steps", slopes, 0.0625)):
        columns = list(zip(*gradients, strict=True))
        right = [
            precise(at) - precise(rate) * total(map(precise, column))
            for at, column in zip(theta, columns, strict=True)
        ]
        size = max(map(abs, theta)) + rate * max(sum(map(abs, column)) for column in columns)
        given = {"theta": theta, "gradients": gradients, "learning_rate": rate}
        answers = {"theta": (right, STEPS * size)}
        yield case(f"gradient-{name}", "gradient_steps", "StepSign", given, answers, since=2)


# --- formulas


@topic("fit_affine", 2, "", "Liu et al. 2024, section 2.5.1")
def affine_fits() -> Iterator[Case]:
    """Yield the cases of fit_affine(x, y, name) -> {"a", "b", "c", "d", "r2"}.

    They compare c f(a x + b) + d at x, and r2.
    """
    mp = context()
    functions: dict[str, Callable[[Any], Any]] = {
        "x^2": lambda u: u * u,
        "gaussian": lambda u: mp.exp(-u * u),
        "x": lambda u: u,
        **{name: getattr(mp, name) for name in ("sin", "exp", "tanh", "log", "sqrt")},
    }
    for name, flags, function, (a, b, c, d), low, high in (
        ("sine", "AffineFit", "sin", (3.0, 0.5, 2.0, -1.0), -1.0, 1.0),
        ("fast-sine", "AffineWide", "sin", (12.0, 0.25, 1.5, 0.5), -1.0, 1.0),
        ("small-sine", "R2Offset", "sin", (3.0, 0.0, 1e-4, 0.0), -1.0, 1.0),
        ("square", "AffineFit", "x^2", (1.0, 0.5, 1.0, 0.25), -1.0, 1.0),
        ("exponential", "AffineFit", "exp", (-1.5, 0.0, 2.0, 1.0), -1.0, 1.0),
        ("large-exponential", "AffineFit R2Offset", "exp", (2.0, 0.0, 1e6, -1e5), -1.0, 1.0),
        ("tanh", "AffineFit", "tanh", (2.0, -0.5, 1.5, 0.25), -2.0, 2.0),
        ("logarithm", "AffineFit", "log", (1.5, 2.0, 1.0, 0.5), -1.0, 1.0),
        ("root", "AffineFit", "sqrt", (1.0, 1.5, -2.0, 1.0), -1.0, 1.0),
        ("gaussian", "AffineFit", "gaussian", (2.0, 0.5, 1.0, 0.0), -1.0, 1.0),
        ("far-line", "AffineFit", "x", (2.0, -3.0, 1.0, 0.0), 100.0, 101.0),
    ):
        x = [low + (high - low) * n / 64 for n in range(65)]
        y = [float(c * functions[function](a * precise(at) + b) + d) for at in x]
        yield _fit(name, flags, x, y, function, y, 1.0)
    for name, x, curve in (
        ("line-through-parabola", [n / 16 for n in range(-16, 33)], lambda at: at * at),
        ("line-through-scattered", dice("scattered", 40, low=-2.0, high=2.0), abs),
        ("line-through-few", [0.0, 0.25, 1.0, 3.0], lambda at: at * at * at - 3 * at),
    ):
        # the best fit of f(u) = u is the regression line, and r2 = sxy^2 / (sxx syy)
        at = [Fraction(one) for one in x]
        values: list[Fraction] = [curve(one) for one in at]
        mean_x, mean_y = sum(at) / len(x), sum(values) / len(x)
        sxy = sum((u - mean_x) * (v - mean_y) for u, v in zip(at, values, strict=True))
        sxx, syy = sum((u - mean_x) ** 2 for u in at), sum((v - mean_y) ** 2 for v in values)
        line = [float(mean_y + sxy / sxx * (u - mean_x)) for u in at]
        y, r2 = [float(v) for v in values], float(sxy * sxy / (sxx * syy))
        yield _fit(name, "AffineFit R2Offset", x, y, "x", line, r2, since=4)
    x, level = [n / 16 for n in range(-16, 17)], [2.5] * 33
    given, answers = {"x": x, "y": level, "name": "sin"}, {"values": (level, 1e-9)}
    yield case("constant", "fit_affine", "ConstantTarget", given, answers, float32=False)


def _fit(
    name: str, flags: str, x: Line, y: Line, function: str, right: Line, r2: float, since: int = 1
) -> Case:
    answers = {"values": (right, 1e-6 * (max(y) - min(y))), "r2": (r2, 1e-9)}
    given = {"x": x, "y": y, "name": function}
    return case(name, "fit_affine", flags, given, answers, float32=False, since=since)


# --- counts, draws and files


@topic("count_parameters", 1, "", "Liu et al. 2024, section 2.3")
def counts() -> Iterator[Case]:
    """Yield the cases of count_parameters(widths, n_intervals, degree)."""
    few = (([2, 5, 1], 5, 3), ([1, 1], 1, 0), ([4, 2, 1, 1], 10, 3))
    for widths, n_intervals, degree in (*few, ([2, 1, 1], 200, 5), ([3, 7, 2], 3, 1)):
        edges = sum(n_in * n_out for n_in, n_out in pairwise(widths))
        given = {"widths": widths, "n_intervals": n_intervals, "degree": degree}
        name = f"{'-'.join(map(str, widths))}-G{n_intervals}-k{degree}"
        answers = {"count": (float(edges * (n_intervals + degree + 2)), 0.0)}
        yield case(name, "count_parameters", "CountBases CountWeights", given, answers)


@topic("initial_layer", 2, "knots", "Liu et al. 2024, section 2.2")
def initial_draws() -> Iterator[Case]:
    """Yield the cases of initial_layer(n_in, n_out, n_intervals, degree, seed) -> layer.

    The definition leaves the draws open. A case says whether their scale is the usual one: mean and
    standard deviation within six standard errors. A uniform and a normal distribution of Xavier's
    scale have the same standard deviation, sqrt(2 / (n_in + n_out)). Coefficients are compared
    after a division by the standard deviation that the answer states as `sigma`, times 0.1.
    """
    drawn_layers = ((40, 50, 5, 0), (40, 50, 5, 1), (10, 160, 20, 0), (160, 10, 3, 2))
    for n_in, n_out, n_intervals, seed in drawn_layers:
        n, n_coef = n_in * n_out, n_in * n_out * (n_intervals + 3)
        scale = math.sqrt(2.0 / (n_in + n_out))
        for flag, answers in (
            ("InitCoef", _moments("coef", 0.6, 0.1, n_coef)),
            ("InitWBase", _moments("w_base", 6 * scale, scale, n)),
            ("InitWSpline", {"w_spline_least": (1.0, 0.0), "w_spline_largest": (1.0, 0.0)}),
        ):
            name = f"{flag.lower()}-{n_in}-to-{n_out}-seed-{seed}"
            sizes = (n_in, n_out, n_intervals, 3, seed)
            yield _initial(name, flag, sizes, answers, kind="acceptable")
    equal = {"second_equal": (1, 0.0)}
    for name, seed, since in (("same-seed", 1, 3), ("same-seed-0", 0, 5)):
        sizes = (3, 2, 4, 3, seed)
        yield _initial(name, "StateKept", sizes, equal, since=since, call="twice")
    for n_in, n_out, n_intervals, degree in ((2, 3, 5, 3), (3, 1, 1, 3), (1, 4, 6, 2)):
        name = f"sizes-{n_in}-to-{n_out}-G{n_intervals}-k{degree}"
        even = [-1.0 + 2.0 * place / n_intervals for place in range(n_intervals + 1)]
        answers = {"breakpoints": ([even] * n_in, 1e-12), "finite": (1, None), "masked": (0, None)}
        sizes = (n_in, n_out, n_intervals, degree, 0)
        yield _initial(name, "InitLayer", sizes, answers, since=4)


def _moments(name: str, six_scale: float, scale: float, n: int) -> dict[str, Any]:
    """Return mean 0 and a standard deviation, with six standard errors of `n` draws."""
    mean, deviation = (0.0, six_scale / math.sqrt(n)), (scale, six_scale / math.sqrt(2 * n))
    return {f"{name}_mean": mean, f"{name}_std": deviation}


def _initial(name: str, flag: str, sizes: tuple[int, ...], answers: Any, **options: Any) -> Case:
    names = ("n_in", "n_out", "n_intervals", "degree", "seed")
    given = dict(zip(names, sizes, strict=True))
    return case(name, "initial_layer", flag, given, answers, float32=False, **options)


@topic("save_load", 1, "", "none: what is saved is what comes back")
def files() -> Iterator[Case]:
    """Yield the cases of save_load(layer) -> layer, bit for bit."""
    knots, degree_0 = make.uniform(-1.0, 1.0, 5, 3), make.uniform(0.0, 0.7, 3, 0)
    coef = [[[1 / 3, 5e-324, 1e300, -1e-300, 0.1, -2 / 7, 2.0**-1022, 1.0 + 2.0**-52]]]
    mask = [[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
    for name, layer in (
        ("plain", make.layer("s", 2, [knots] * 3, mask=mask)),
        ("awkward-numbers", make.layer("s-awkward", 1, [knots], coef=coef, w_base=[[-1 / 3]])),
        ("identity-base", make.layer("s-identity", 1, [knots] * 2, base="identity")),
        ("degree-0", make.layer("s-0", 2, [degree_0], 0, base="zero")),
    ):
        answers = {
            output: (value, None if output in ("degree", "base") else 0.0)
            for output, value in layer.items()
        }
        yield case(name, "save_load", "RoundTrip", {"layer": layer}, answers, float32=False)


# --- side effects

OF_NETWORKS = "jacobian hessian edge-scores node-scores penalties"
EVERY, STEPPED = "basis layer gradient network network-gradient", "basis-steps steps"
ELSE = "derivative fit save adam descent"
WANTED = (
    # how a method is called, flag, what must be 1, which calls
    (
        *("arguments", "ArgumentsChanged", "arguments_kept"),
        f"{EVERY} identity update extension pruning {OF_NETWORKS} {ELSE}",
    ),
    ("twice", "StateKept", "second_equal", f"{EVERY} update extension pruning {OF_NETWORKS}"),
    ("kept", "BufferReused", "first_kept", f"{EVERY} identity {OF_NETWORKS}"),
    (
        *("fortran", "MemoryOrder", "fortran_equal"),
        f"layer gradient network-gradient update extension {OF_NETWORKS}",
    ),
    ("strided", "MemoryOrder", "strided_equal", f"{EVERY} update extension {OF_NETWORKS}"),
    (
        *("nan", "NaNSwallowed", "nan_shown"),
        f"basis layer splines gradient network {STEPPED} network-gradient jacobian hessian",
    ),
    ("threads", "ThreadUnsafe", "threads_equal", "layer gradient network-gradient"),
)
SINCE_4 = (
    f"identity {OF_NETWORKS} pruning-twice network-gradient-kept extension-fortran "
    "network-gradient-strided update-strided extension-strided network-gradient-nan"
).split()


@topic("side_effects", 6, "", "none: a method is a function of its arguments")
def side_effects() -> Iterator[Case]:
    """Yield the cases about what a call does besides its answer.

    The arguments are those of small usual cases; `call` says how the method is called. The check of
    a call is the only expected output, and must be 1: arguments that stay as they were, a second
    answer equal to the first, a first answer that a later call leaves alone, answers that do not
    depend on the order of arrays in memory, nan that is shown, and answers that are the same from
    two threads. The numbers themselves are not compared, so that no other defect fails these cases.
    """
    usual = _calls()
    outside = _outside(usual)
    for call, flag, check, names in WANTED:
        for name in [*names.split(), *(outside if call == "arguments" else ())]:
            method, given = (usual | outside)[name]
            since = 3 if name in STEPPED.split() else 2
            since = 4 if name in SINCE_4 or f"{name}-{call}" in SINCE_4 else since
            since = 5 if name in outside or name in ELSE.split() else since
            options: dict[str, Any] = {"float32": False, "since": since, "call": call}
            yield case(f"{name}-{call}", method, flag, given, {check: (1, 0.0)}, **options)


Called = tuple[str, dict[str, Any]]  # a method and its arguments


def _calls() -> dict[str, Called]:
    """Return calls of all methods, with usual arguments.

    Comparisons with degree 0 give 0 for nan and not nan.
    """
    layer = make.layer("side", 3, [EVEN, make.uneven(EVEN, 3)])
    splines = make.layer("side-zero", 2, [EVEN] * 2, base="zero")
    flat = make.uniform(-1.0, 1.0, 4, 0)
    steps = make.layer("side-steps", 2, [flat] * 2, 0, base="zero")
    x, dy = make.points("side", 3, 2), make.points("side-dy", 3, 3, -2.0, 2.0)
    up = make.points("side-network-dy", 3, 1, -2.0, 2.0)
    layers = make.network("side-network", (2, 2, 1))
    net = make.network_given(layers, make.points("side-network", 3, 2))
    weak = make.network("side-pruned", (2, 3, 1))
    weak[1]["mask"] = [[1.0, 0.0, 1.0]]
    to_prune = make.network_given(weak, make.points("side-pruned", 4, 2)) | {"threshold": 2.0**-4}
    cubics = polynomials(2, [EVEN] * 2, mask=[[1.0, 0.0], [1.0, 1.0]])
    moved = make.layer_given(cubics, [[0.5 * a, -0.75 * a] for (a,) in make.evenly(40, -1.0, 1.0)])
    few, at = [0.125, -0.375, 1.25], [-1.0, -0.5, 0.25, 0.5, 1.0, 1.5]
    line = {"x": at, "y": [(u + 0.5) ** 2 + 0.25 for u in at], "name": "x^2"}
    start = {"theta": [0.5, -1.25, 2.0], "gradients": [[1.5, -0.25, 0.75], [-0.5, 2.0, 1.0]]}
    descent: dict[str, Any] = {**start, "learning_rate": 0.125}
    adam = {**descent, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    identity = layer | {"base": "identity"}
    slope = {"x": [*few, -3.0], "knots": EVEN, "degree": 3, "order": 1}
    return {
        "basis": ("basis", {"x": few, "knots": EVEN, "degree": 3}),
        "layer": ("layer_forward", make.layer_given(layer, x)),
        "identity": ("layer_forward", make.layer_given(identity, x)),
        "splines": ("layer_forward", make.layer_given(splines, x)),
        "gradient": ("layer_vjp", make.layer_given(layer, x, dy)),
        "network": ("network_forward", net),
        "network-gradient": ("network_vjp", net | {"dy": up}),
        "jacobian": ("input_jacobian", net),
        "hessian": ("input_hessian_diag", net),
        "edge-scores": ("edge_scores", net),
        "node-scores": ("node_scores", net),
        "penalties": ("penalties", net),
        "update": ("update_grid", moved | {"uniform_share": 1.0, "margin": 0.0}),
        "extension": ("extend_grid", moved | {"n_intervals": 8}),
        "pruning": ("prune", to_prune),
        "basis-steps": ("basis", {"x": [0.125, -0.375, 0.75], "knots": flat, "degree": 0}),
        "steps": ("layer_forward", make.layer_given(steps, make.points("side-steps", 3, 2))),
        "derivative": ("basis_derivative", slope),
        "fit": ("fit_affine", line),
        "save": ("save_load", {"layer": layer}),
        "adam": ("adam_steps", adam),
        "descent": ("gradient_steps", descent),
    }


def _outside(usual: Mapping[str, Called]) -> dict[str, Called]:
    """Return calls of layers and networks with samples inside the grid, and far outside it."""
    return {
        f"{name}-outside": (method, given | {"x": make.points("side-outside", n, 2, -4.0, 4.0)})
        for name, (method, given) in usual.items()
        if {"layer", "layers"} & set(given) and name not in ("identity", "splines", "steps", "save")
        for n in [given["x"]["shape"][0]]
    }
