"""Cases about parameter counts, initial draws, files, and the steps of an optimizer.

The gradients g_1, g_2, ... of the steps are given: they do not depend on theta, so that the errors
of one step are not amplified by the next. With m_0 = v_0 = 0

    (C25)  theta_t = theta_{t-1} - rate g_t
    (C26)  m_t = beta1 m_{t-1} + (1 - beta1) g_t,   v_t = beta2 v_{t-1} + (1 - beta2) g_t^2,
           theta_t = theta_{t-1} - rate (m_t / (1 - beta1^t))
                                   / (sqrt(v_t / (1 - beta2^t)) + epsilon)

Sources: Liu et al. 2024, section 2.3 (counts), section 2.2 (initial coefficients of standard
deviation 0.1, w_spline 1, w_base Xavier); Kingma & Ba 2015, Algorithm 1.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, layer_array, topic
from kan_ref.conformance.generate.exact import Number, context, precise
from kan_ref.conformance.generate.layer_case import Case, Rows, make_layer
from kan_ref.conformance.generate.topics_knots import uniform_knots


def counts() -> dict[str, Any]:
    """Return the cases of count_parameters(widths, n_intervals, degree)."""
    cases: list[Case] = []
    for widths, n_intervals, degree in (
        ((2, 5, 1), 5, 3),
        ((1, 1), 1, 0),
        ((4, 2, 1, 1), 10, 3),
        ((2, 1, 1), 200, 5),
        ((3, 7, 2), 3, 1),
    ):
        edges = sum(n_in * n_out for n_in, n_out in pairwise(widths))
        right = edges * (n_intervals + degree + 2)
        given = {"widths": list(widths), "n_intervals": n_intervals, "degree": degree}
        wrong = [
            ("CountBases", {"count": edges * (n_intervals + 2)}),
            ("CountWeights", {"count": edges * (n_intervals + degree)}),
            ("CountBias", {"count": right + sum(widths[1:])}),
        ]
        name, flags = (
            f"{'-'.join(map(str, widths))}-G{n_intervals}-k{degree}",
            "CountBases CountWeights",
        )
        expected, room = {"count": array(right)}, {"count": 0.0}
        cases.append(case(name, "count_parameters", flags, given, expected, room, wrong=wrong))
    equation = "Liu et al. 2024, section 2.3"
    return topic("count_parameters", level=1, needs=[], equation=equation, cases=cases)


def initial_draws() -> dict[str, Any]:
    """Return the cases of initial_layer(n_in, n_out, n_intervals, degree, seed) -> layer.

    The definition leaves the draws open. A case says whether their scale is the usual one: mean and
    standard deviation within six standard errors. A uniform and a normal distribution of Xavier's
    scale have the same standard deviation, sqrt(2 / (n_in + n_out)). Coefficients are compared
    after a division by the standard deviation that the answer states as `sigma`, times 0.1.
    """
    cases: list[Case] = []
    for n_in, n_out, n_intervals, seed in (
        (40, 50, 5, 0),
        (40, 50, 5, 1),
        (10, 160, 20, 0),
        (160, 10, 3, 2),
    ):
        n, n_coef = n_in * n_out, n_in * n_out * (n_intervals + 3)
        deviation = math.sqrt(2.0 / (n_in + n_out))
        parts = {
            "InitCoef": {
                "coef_mean": (0.0, 0.6 / math.sqrt(n_coef)),
                "coef_std": (0.1, 0.6 / math.sqrt(2 * n_coef)),
            },
            "InitWBase": {
                "w_base_mean": (0.0, 6 * deviation / math.sqrt(n)),
                "w_base_std": (deviation, 6 * deviation / math.sqrt(2 * n)),
            },
            "InitWSpline": {"w_spline_least": (1.0, 0.0), "w_spline_largest": (1.0, 0.0)},
        }
        for flag, moments in parts.items():
            name = f"{flag.lower()}-{n_in}-to-{n_out}-seed-{seed}"
            expected: dict[str, Any] = {output: array(one) for output, (one, _) in moments.items()}
            room = {output: bound for output, (_, bound) in moments.items()}
            given = _sizes(n_in, n_out, n_intervals, 3, seed)
            cases.append(_initial(name, flag, given, expected, room, kind="acceptable"))
    given, once = _sizes(3, 2, 4, 3, 1), {"second_equal": 1}
    same = _initial("same-seed", "StateKept", given, once, {"second_equal": 0.0}, since=3)
    cases.append({**same, "call": "twice"})
    for n_in, n_out, n_intervals, degree in ((2, 3, 5, 3), (3, 1, 1, 3), (1, 4, 6, 2)):
        name = f"sizes-{n_in}-to-{n_out}-G{n_intervals}-k{degree}"
        even = [-1.0 + 2.0 * place / n_intervals for place in range(n_intervals + 1)]
        expected = {"breakpoints": array([even] * n_in), "finite": 1, "masked": 0}
        given = _sizes(n_in, n_out, n_intervals, degree, 0)
        cases.append(_initial(name, "InitLayer", given, expected, {"breakpoints": 1e-12}, since=4))
    equation = "Liu et al. 2024, section 2.2"
    return topic("initial_layer", level=2, needs=["knots"], equation=equation, cases=cases)


def _sizes(n_in: int, n_out: int, n_intervals: int, degree: int, seed: int) -> dict[str, int]:
    sizes = {"n_in": n_in, "n_out": n_out, "n_intervals": n_intervals}
    return sizes | {"degree": degree, "seed": seed}


def _initial(
    name: str,
    flag: str,
    given: dict[str, int],
    expected: dict[str, Any],
    room: dict[str, float],
    **options: Any,
) -> Case:
    return case(name, "initial_layer", flag, given, expected, room, float32=False, **options)


def files() -> dict[str, Any]:
    """Return the cases of save_load(layer) -> layer, bit for bit."""
    knots, degree_0 = uniform_knots(-1.0, 1.0, 5, 3), uniform_knots(0.0, 0.7, 3, 0)
    coef = [[[1 / 3, 5e-324, 1e300, -1e-300, 0.1, -2 / 7, 2.0**-1022, 1.0 + 2.0**-52]]]
    mask = [[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
    arrays = ("knots", "coef", "w_base", "w_spline", "mask")
    cases = []
    for name, layer in (
        ("plain", make_layer("s", 2, 3, [knots] * 3, 3, mask=mask)),
        (
            "awkward-numbers",
            make_layer("s-awkward", 1, 1, [knots], 3, coef=coef, w_base=[[-1 / 3]]),
        ),
        ("identity-base", make_layer("s-identity", 1, 2, [knots, knots], 3, base="identity")),
        ("degree-0", make_layer("s-0", 2, 1, [degree_0], 0, base="zero")),
    ):
        expected = {output: array(layer[output]) for output in arrays}
        expected |= {"degree": layer["degree"], "base": layer["base"]}
        given, room = {"layer": layer_array(layer)}, dict.fromkeys(arrays, 0.0)
        cases.append(case(name, "save_load", "RoundTrip", given, expected, room, float32=False))
    equation = "none: what is saved is what comes back"
    return topic("save_load", level=1, needs=[], equation=equation, cases=cases)


# --- the steps of an optimizer

STEPS = 2e-14  # of the largest parameter plus the sum of the absolute steps
# (m, v, 1 - beta1^t, 1 - beta2^t, epsilon) -> the step divided by the rate
Rule = Callable[[Number, Number, Number, Number, Number], Number]


def adam_rule(m: Number, v: Number, left: Number, right: Number, epsilon: Number) -> Number:
    """Return the step of (C26), divided by the rate."""
    return (m / left) / (context().sqrt(v / right) + epsilon)


DEFECTS: tuple[tuple[str, Rule], ...] = (
    ("AdamBias", lambda m, v, left, right, e: m / (context().sqrt(v) + e)),
    ("AdamBias", lambda m, v, left, right, e: (m / left) / (context().sqrt(v) + e)),
    ("AdamBias", lambda m, v, left, right, e: m / (context().sqrt(v / right) + e)),
    ("AdamEpsilon", lambda m, v, left, right, e: (m / left) / context().sqrt(v / right + e)),
    (
        "AdamEpsilon",
        lambda m, v, left, right, e: (m / left) * context().sqrt(right) / (context().sqrt(v) + e),
    ),
    ("AdamRoot", lambda m, v, left, right, e: (m / left) / (v / right + e)),
    ("StepSign", lambda m, v, left, right, e: -adam_rule(m, v, left, right, e)),
)


def adam_points(
    theta: Sequence[float],
    gradients: Rows,
    rate: float,
    betas: tuple[float, float],
    epsilon: float,
    rule: Rule = adam_rule,
) -> tuple[list[Number], Number]:
    """Return theta after all steps of (C26), and the largest sum of absolute steps."""
    points, sizes = [], []
    beta1, beta2 = map(precise, betas)
    for place, start in enumerate(theta):
        m, v, at, size = precise(0), precise(0), precise(start), precise(0)
        for t, row in enumerate(gradients, start=1):
            g = precise(row[place])
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            step = precise(rate) * rule(m, v, 1 - beta1**t, 1 - beta2**t, precise(epsilon))
            at, size = at - step, size + abs(step)
        points.append(at)
        sizes.append(size)
    return points, max(sizes)


def optimizer_steps() -> dict[str, Any]:
    """Return the cases of adam_steps(...) and gradient_steps(...) -> theta (n_params,)."""
    theta = dice("theta", 4, low=-2.0, high=2.0)
    slopes = [dice(f"slopes-{t}", 4, low=-4.0, high=4.0) for t in range(5)]
    tiny = [[1e-7 * g for g in row] for row in slopes]
    paused = [[0.0, *row[1:]] for row in slopes]
    many = [dice(f"many-{t}", 4, low=-1.0, high=1.0) for t in range(40)]
    usual, other = (0.9, 0.999), (0.5, 0.75)
    cases = [
        _adam("adam-one-step", "AdamBias StepSign", theta, slopes[:1], 0.125, usual, 1e-8),
        _adam("adam-two-steps", "AdamBias AdamRoot", theta, slopes[:2], 0.125, usual, 1e-8),
        _adam("adam-five-steps", "AdamBias AdamMoments", theta, slopes, 0.01, usual, 1e-8),
        _adam("adam-other-betas", "AdamMoments", theta, slopes[:3], 0.25, other, 1e-8),
        _adam("adam-large-epsilon", "AdamEpsilon", theta, slopes[:2], 0.25, usual, 0.5),
        _adam("adam-tiny-gradients", "AdamEpsilon", theta, tiny[:3], 0.125, usual, 1e-8),
        _adam("adam-no-gradient", "AdamEpsilon", theta, paused[:2], 0.125, usual, 1e-8),
        _adam("adam-forty-steps", "AdamBias AdamMoments", theta, many, 0.01, usual, 1e-8, 4),
        _adam("adam-no-momentum", "AdamMoments", theta, slopes[:3], 0.125, (0.0, 0.5), 1e-8, 4),
        _adam("adam-one-parameter", "AdamBias", theta[:1], [[1.5], [-0.25]], 0.25, other, 1e-8, 4),
        _descent("gradient-one-step", theta, slopes[:1], 0.125),
        _descent("gradient-five-steps", theta, slopes, 0.0625),
    ]
    equation = "Kingma & Ba 2015, Algorithm 1; gradient descent"
    return topic("optimizer_steps", level=1, needs=[], equation=equation, cases=cases)


def _given(theta: Sequence[float], gradients: Rows, rate: float) -> dict[str, Any]:
    return {"theta": array(theta), "gradients": array(gradients), "learning_rate": array(rate)}


def _adam(
    name: str,
    flags: str,
    theta: Sequence[float],
    gradients: Rows,
    rate: float,
    betas: tuple[float, float],
    epsilon: float,
    since: int = 2,
) -> Case:
    right, moved = adam_points(theta, gradients, rate, betas, epsilon)
    swapped = adam_points(theta, gradients, rate, (betas[1], betas[0]), epsilon)[0]
    wrong = [("AdamMoments", {"theta": swapped})]
    for flag, rule in DEFECTS:
        # without a gradient, epsilon alone keeps a defect's denominator above 0
        found = adam_points(theta, gradients, rate, betas, epsilon, rule)[0]
        wrong.append((flag, {"theta": found}))
    given = _given(theta, gradients, rate)
    given |= {"beta1": array(betas[0]), "beta2": array(betas[1]), "epsilon": array(epsilon)}
    expected, room = {"theta": array(right)}, {"theta": STEPS * float(max(map(abs, theta)) + moved)}
    options: dict[str, Any] = {"wrong": wrong, "float32": False, "since": since}
    return case(name, "adam_steps", flags, given, expected, room, **options)


def _descent(name: str, theta: Sequence[float], gradients: Rows, rate: float) -> Case:
    columns = list(zip(*gradients, strict=True))
    sums = [sum(map(precise, column)) for column in columns]
    right = [at - precise(rate) * slope for at, slope in zip(theta, sums, strict=True)]
    ascent = [at + precise(rate) * slope for at, slope in zip(theta, sums, strict=True)]
    size = max(map(abs, theta)) + rate * max(sum(map(abs, column)) for column in columns)
    expected, room = {"theta": array(right)}, {"theta": STEPS * size}
    given, wrong = _given(theta, gradients, rate), [("StepSign", {"theta": ascent})]
    return case(name, "gradient_steps", "StepSign", given, expected, room, wrong=wrong, since=2)
