"""Cases about affine fits that leave a residual: with f(u) = u the best fit is the regression line.

r2 = sxy^2 / (sxx syy) with the sums of products of deviations from the means, in exact fractions.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import context, precise
from kan_ref.conformance.generate.layer_case import Case


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
