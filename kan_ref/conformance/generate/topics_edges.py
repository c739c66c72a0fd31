"""Cases about single edges: a spline, a base function, both; and the fit of a formula to a curve.

    phi(x) = w_b b(x) + w_s sum_m c_m B_m(x)          (Liu et al. 2024, eqs. 2.10-2.12)
    c f(a x + b) + d                                  (section 2.5.1)

Where the affine fit of a formula leaves a residual, the formula is f(u) = u: the best fit is then
the regression line. r2 = sxy^2 / (sxx syy) with the sums of products of deviations from the means,
in exact fractions.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import context, precise
from kan_ref.conformance.generate.layer_case import Case, Rows, make_layer, points, value_case
from kan_ref.conformance.generate.layer_readings import filled
from kan_ref.conformance.generate.topics_knots import uniform_knots


def edges() -> dict[str, Any]:
    """Return the cases of layer_forward(layer, x) -> y for one edge."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    zeros = filled(0.0, 1, 1)
    one = points("layers-one", 4, 1)

    def spline(
        name: str, flags: str, knots: Sequence[float], degree: int, x: Rows, weight: float = 1.0
    ) -> Case:
        return value_case(
            name,
            flags,
            make_layer(name, 1, 1, [knots], degree, w_base=zeros, w_spline=[[weight]]),
            x,
        )

    def base(name: str, flags: str, x: Rows, weight: float, kind: str = "silu") -> Case:
        return value_case(
            name,
            flags,
            make_layer(name, 1, 1, [knots], 3, w_base=[[weight]], w_spline=zeros, base=kind),
            x,
        )

    uneven, repeated = (
        [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0],
        [-0.5, -0.25, 0.0, 0.5, 0.5, 1.0, 1.25, 1.5],
    )
    cases = [
        spline("spline-alone", "SplineSum", knots, 3, one),
        spline("spline-weighted", "MissingWSpline WSplineTwice", knots, 3, one, 1.75),
        spline("spline-fading", "FadeOutside", knots, 3, [[-2.25], [-1.125], [1.375], [2.0]]),
        spline("spline-beyond-row", "ZeroOutside FadeOutside", knots, 3, [[-3.5], [4.0]]),
        spline("spline-end-of-grid", "GridEnd", knots, 3, [[-1.0], [1.0]]),
        spline(
            "spline-last-knot",
            "LastEnd RepeatedKnots",
            [0.0] * 4 + [0.5] + [1.0] * 4,
            3,
            [[0.0], [1.0]],
        ),
        spline(
            "spline-thousand-intervals",
            "ManyIntervals",
            uniform_knots(-1.0, 1.0, 1000, 3),
            3,
            [[-0.7], [0.123]],
        ),
        spline("spline-uneven", "UnevenKnots", uneven, 2, one),
        spline("spline-repeated-knots", "RepeatedKnots", repeated, 2, [[0.25], [0.5], [0.75]]),
        base("silu-alone", "SiluForm MissingBase", [[-3.0], [-0.5], [0.0], [2.5]], 1.0),
        base("silu-weighted", "MissingWBase SiluForm", one, -1.5),
        base("silu-far", "SiluOverflow", [[-800.0], [-100.0], [100.0], [800.0]], 1.0),
        base("identity-alone", "BaseName MissingWBase", one, 1.5, "identity"),
        base("zero-alone", "BaseName", one, 1.5, "zero"),
        value_case(
            "spline-and-silu",
            "BaseScaled SiluForm MissingWBase MissingWSpline",
            make_layer("edge", 1, 1, [knots], 3),
            one,
        ),
        value_case(
            "spline-and-identity",
            "BaseName BaseScaled MissingWBase MissingWSpline",
            make_layer("identity", 1, 1, [knots], 3, base="identity"),
            one,
        ),
        value_case(
            "spline-and-silu-outside",
            "FadeOutside SiluForm MissingWBase",
            make_layer("beyond", 1, 1, [knots], 3),
            [[-3.5], [-1.25], [4.0]],
        ),
        value_case(
            "masked", "MissingMask", make_layer("masked", 1, 1, [knots], 3, mask=zeros), one
        ),
    ]
    return topic(
        "edges", level=2, needs=["bases"], equation="Liu et al. 2024, eqs. 2.10-2.12", cases=cases
    )


def affine_fits() -> dict[str, Any]:
    """Return the cases of fit_affine(x, y, name) -> {"a", "b", "c", "d", "r2"}.

    They compare c f(a x + b) + d at x, and r2.
    """
    mp = context()
    curves: tuple[
        tuple[str, str, str, Callable[[Any], Any], tuple[float, ...], tuple[float, float]], ...
    ] = (
        ("sine", "AffineFit", "sin", mp.sin, (3.0, 0.5, 2.0, -1.0), (-1.0, 1.0)),
        ("fast-sine", "AffineWide", "sin", mp.sin, (12.0, 0.25, 1.5, 0.5), (-1.0, 1.0)),
        ("small-sine", "R2Offset", "sin", mp.sin, (3.0, 0.0, 1e-4, 0.0), (-1.0, 1.0)),
        ("square", "AffineFit", "x^2", lambda u: u * u, (1.0, 0.5, 1.0, 0.25), (-1.0, 1.0)),
        ("exponential", "AffineFit", "exp", mp.exp, (-1.5, 0.0, 2.0, 1.0), (-1.0, 1.0)),
        (
            "large-exponential",
            "AffineFit R2Offset",
            "exp",
            mp.exp,
            (2.0, 0.0, 1e6, -1e5),
            (-1.0, 1.0),
        ),
        ("tanh", "AffineFit", "tanh", mp.tanh, (2.0, -0.5, 1.5, 0.25), (-2.0, 2.0)),
        ("logarithm", "AffineFit", "log", mp.log, (1.5, 2.0, 1.0, 0.5), (-1.0, 1.0)),
        ("root", "AffineFit", "sqrt", mp.sqrt, (1.0, 1.5, -2.0, 1.0), (-1.0, 1.0)),
        (
            "gaussian",
            "AffineFit",
            "gaussian",
            lambda u: mp.exp(-u * u),
            (2.0, 0.5, 1.0, 0.0),
            (-1.0, 1.0),
        ),
        ("far-line", "AffineFit", "x", lambda u: u, (2.0, -3.0, 1.0, 0.0), (100.0, 101.0)),
    )
    cases: list[Case] = []
    for name, flags, function, f, (a, b, c, d), (low, high) in curves:
        x = [low + (high - low) * n / 64 for n in range(65)]
        y = [float(c * f(a * precise(at) + b) + d) for at in x]
        expected = {"values": array(y), "r2": array(1.0)}
        tolerance = {"values": 1e-6 * (max(y) - min(y)), "r2": 1e-9}
        arguments = {"x": array(x), "y": array(y), "name": function}
        cases.append(case(name, "fit_affine", flags, arguments, expected, tolerance, float32=False))
    cases += _regressions()
    x = [n / 16 for n in range(-16, 17)]
    arguments = {"x": array(x), "y": array([2.5] * len(x)), "name": "sin"}
    constant = case(
        "constant",
        "fit_affine",
        "ConstantTarget",
        arguments,
        {"values": array([2.5] * len(x))},
        {"values": 1e-9},
        float32=False,
    )
    equation = "Liu et al. 2024, section 2.5.1"
    return topic("fit_affine", level=2, needs=[], equation=equation, cases=[*cases, constant])


def _regressions() -> list[Case]:
    """Return the cases of f(u) = u, whose best fit is the regression line; r2 is below 1."""
    cases: list[Case] = []
    curves: tuple[tuple[str, list[float], Callable[[Any], Any]], ...] = (
        ("line-through-parabola", [n / 16 for n in range(-16, 33)], lambda at: at * at),
        ("line-through-scattered", dice("scattered", 40, low=-2.0, high=2.0), lambda at: abs(at)),
        ("line-through-few", [0.0, 0.25, 1.0, 3.0], lambda at: at * at * at - 3 * at),
    )
    for name, x, y in curves:
        values, at = [y(Fraction(one)) for one in x], [Fraction(one) for one in x]
        mean_x, mean_y = sum(at) / len(x), sum(values) / len(x)
        sxy = sum((a - mean_x) * (v - mean_y) for a, v in zip(at, values, strict=True))
        sxx = sum((a - mean_x) ** 2 for a in at)
        syy = sum((v - mean_y) ** 2 for v in values)
        line = [float(mean_y + sxy / sxx * (a - mean_x)) for a in at]
        arguments = {"x": array(x), "y": array([float(v) for v in values]), "name": "x"}
        expected = {"values": array(line), "r2": array(float(sxy * sxy / (sxx * syy)))}
        tolerance = {"values": 1e-6 * float(max(values) - min(values)), "r2": 1e-9}
        cases.append(
            case(
                name,
                "fit_affine",
                "AffineFit R2Offset",
                arguments,
                expected,
                tolerance,
                float32=False,
                since=4,
            )
        )
    return cases
