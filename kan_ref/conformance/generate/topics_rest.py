"""Cases about parameter counts, initial draws, and files.

Sources: Liu et al. 2024, section 2.3 (counts), section 2.2 (initial coefficients of standard
deviation 0.1, w_spline 1, w_base Xavier).
"""

import math
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.layer_case import Case, make_layer
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
        name, flags = (
            f"{'-'.join(map(str, widths))}-G{n_intervals}-k{degree}",
            "CountBases CountWeights",
        )
        expected, room = {"count": array(right)}, {"count": 0.0}
        cases.append(case(name, "count_parameters", flags, given, expected, room))
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
    zero = _initial(
        "same-seed-0", "StateKept", given | {"seed": 0}, once, {"second_equal": 0.0}, since=5
    )
    cases += [{**one, "call": "twice"} for one in (same, zero)]
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
