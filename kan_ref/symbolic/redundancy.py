"""The canonical parameters of c f(a x + b) + d among all (a, b, c, d) that give the same curve.

Parameters of an edge are redundant: scaling and shifting u = a x + b can be undone in c and d. The
identities of `kan_ref.functions.record` say how, and each of the following changes leaves the curve
as it is (s = |a|):

    (S1)  power        (a, b, c) -> (a/s, b/s, c s^n);  a = 1, c parity where f is even or odd
    (S2)  logarithm    (a, b, d) -> (a/s, b/s, d + c n log s)
    (S3)  exponential  (b, c)    -> (0, c e^(n b))
    (S4)  symmetry     (a, b, c, d) -> (-a, -b, parity c, d + (1 - parity) m c)  where a < 0
    (S5)  period       (b, c)    -> (b - k turn, sign^k c),  k an integer so that b lies in
                                    [first, first + turn)
    (S27)  mirror      (a, b)    -> (-a, mirror - b)         where a < 0

For log u and e^u themselves n is 1; composed functions can have other n. (S1) and (S3) are left
out where c s^n or c e^(n b) would overflow or underflow float64.
"""

import math

from kan_ref.functions import Function

Affine = tuple[float, float, float, float]
# rounding can put a phase just below the end of its period: sin(x + pi - 1e-16) is -sin(x)
PHASE_TOLERANCE = 1e-13
LARGEST_LOG = 700.0  # e^709 is the largest power of e in float64


def n_inner(function: Function) -> int:
    """Return the number of inner parameters that are not redundant: 0, 1 or 2 of a and b."""
    return {"constant": 0, "line": 0, "power": 1, "log": 1, "exp": 1}.get(
        function.redundancy.kind, 2
    )


def canonical_affine(function: Function, affine: Affine) -> Affine:
    """Return the canonical (a, b, c, d) of the curve that `affine` describes, up to rounding.

    Parameters
    ----------
    function : Function
    affine : (float, float, float, float)
        a, b, c, d.

    Returns
    -------
    affine : (float, float, float, float)
        "0": (1, 0, 0, d). "x": a = 1, b = 0. Powers, abs, sgn: a = 1; fractional powers and log:
        a = 1 or -1. exp: b = 0. sin, cos: a > 0, b in [0, pi); tan: a > 0, b in [-pi/2, pi/2);
        other even and odd functions: a > 0. An edge with a = 0 is constant and returned unchanged.

    Notes
    -----
    Implements :eq:`canonical-affine`.
    """
    a, b, c, d = affine
    redundancy = function.redundancy
    if redundancy.kind == "constant":
        return 1.0, 0.0, 0.0, d
    if a == 0.0:
        return affine
    # [eq:canonical-affine]
    if redundancy.kind == "line":
        return 1.0, 0.0, c * a, d + c * b
    if a < 0.0 and redundancy.parity != 0:
        a, b, c, d = (
            -a,
            -b,
            redundancy.parity * c,
            d + (1 - redundancy.parity) * redundancy.middle * c,
        )
    if a < 0.0 and redundancy.mirror != 0.0:
        a, b = -a, redundancy.mirror - b
    s = abs(a)
    if redundancy.kind == "power" and _fits_float64(c, redundancy.degree * math.log(s)):
        a, b, c = a / s, b / s, c * s**redundancy.degree
    elif redundancy.kind == "log":
        a, b, d = a / s, b / s, d + c * redundancy.factor * math.log(s)
    elif redundancy.kind == "exp" and _fits_float64(c, redundancy.factor * b):
        b, c = 0.0, c * math.exp(redundancy.factor * b)
    if redundancy.turn > 0.0:
        k = math.floor((b - redundancy.first) / redundancy.turn)
        b, c = b - k * redundancy.turn, c * redundancy.turn_sign ** (k % 2)
        if b - redundancy.first > redundancy.turn - PHASE_TOLERANCE:
            b, c = redundancy.first, c * redundancy.turn_sign
    # [/eq:canonical-affine]
    return a, b, c, d


def _fits_float64(c: float, log_factor: float) -> bool:
    """Return whether e^log_factor and c e^log_factor neither overflow nor underflow."""
    return abs(log_factor) < LARGEST_LOG and (
        c == 0.0 or abs(math.log(abs(c)) + log_factor) < LARGEST_LOG
    )
