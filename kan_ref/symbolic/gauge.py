"""One edge, one name: the (a, b, c, d) that stands for all that give the same curve c f(a x + b) + d.

Each move below leaves the curve as it is ((F17) to (F20) of `functions.record`; s = |a|):

    (H1)  power       (a, b, c) -> (a/s, b/s, c s^n),  and a = 1, c parity where f is even or odd
    (H2)  logarithm   (a, b, d) -> (a/s, b/s, d + c log s)
    (H3)  exponential (b, c)    -> (0, c e^b)
    (H4)  symmetry    (a, b, c, d) -> (-a, -b, parity c, d + (1 - parity) m c) where a < 0
    (H5)  turn        (b, c)    -> (b - k turn, sign^k c), k whole, so that b lies in [first, first + turn)

Where c s^n or c e^b would leave the numbers of float64, (H1) and (H3) are left out.
"""

import math

from kan_ref.functions import Function

Affine = tuple[float, float, float, float]
# a phase that rounding has put just below the end of its turn belongs to the beginning: sin(x + pi - 1e-16) is -sin(x)
PHASE_TOLERANCE = 1e-13


def canonical_affine(function: Function, affine: Affine) -> Affine:
    """The representative of all (a, b, c, d) that give the curve of `affine`, up to rounding.

    Parameters
    ----------
    function : Function
    affine : (float, float, float, float)
        a, b, c, d.

    Returns
    -------
    affine : (float, float, float, float)
        "0": (1, 0, 0, d). "x": a = 1, b = 0. Powers, abs, sgn: a = 1; fractional powers and log: a = 1 or -1. exp: b = 0. sin, cos:
        a > 0, b in [0, pi); tan: a > 0, b in [-pi/2, pi/2); other even and odd functions: a > 0. An edge with a = 0 is a
        constant, and left alone.

    Notes
    -----
    Implements :eq:`canonical-affine`.
    """
    a, b, c, d = affine
    gauge = function.gauge
    if gauge.kind == "constant":
        return 1.0, 0.0, 0.0, d
    if a == 0.0:
        return affine
    # [eq:canonical-affine]
    if gauge.kind == "line":
        return 1.0, 0.0, c * a, d + c * b
    if a < 0.0 and gauge.parity != 0:
        a, b, c, d = -a, -b, gauge.parity * c, d + (1 - gauge.parity) * gauge.middle * c
    s = abs(a)
    if gauge.kind == "power" and _stays_a_number(c, gauge.degree * math.log(s)):
        a, b, c = a / s, b / s, c * s**gauge.degree
    elif gauge.kind == "log":
        a, b, d = a / s, b / s, d + c * math.log(s)
    elif gauge.kind == "exp" and _stays_a_number(c, b):
        b, c = 0.0, c * math.exp(b)
    if gauge.turn > 0.0:
        k = math.floor((b - gauge.first) / gauge.turn)
        b, c = b - k * gauge.turn, c * gauge.turn_sign ** (k % 2)
        if b - gauge.first > gauge.turn - PHASE_TOLERANCE:
            b, c = gauge.first, c * gauge.turn_sign
    # [/eq:canonical-affine]
    return a, b, c, d


def _stays_a_number(c: float, log_factor: float) -> bool:
    """Whether e^log_factor and its product with `c` lie well inside the numbers of float64."""
    return abs(log_factor) < 700.0 and (c == 0.0 or abs(math.log(abs(c)) + log_factor) < 700.0)
