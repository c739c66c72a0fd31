"""The Bessel function J0 as a candidate for edges, while a context lasts; the library has only functions of SymPy and NumPy.

J0' = -J1,    J0'' = (J2 - J0) / 2,    J0''' = (3 J1 - J3) / 4         (Abramowitz & Stegun, 9.1.27)
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.functions.library import Redundancy

BESSEL = "J0"
COMPLEXITY = 4  # the same as arctan


@contextlib.contextmanager
def bessel() -> Iterator[None]:
    """Register J0 in `kr.LIBRARY` while the context lasts; if it is there already, it stays."""
    if BESSEL in kr.LIBRARY:
        yield
        return
    kr.register_function(
        BESSEL,
        j0,
        d1,
        d2,
        d3,
        complexity=COMPLEXITY,
        redundancy=Redundancy(parity=1),
        formula=_formula,
    )
    try:
        yield
    finally:
        kr.unregister_function(BESSEL)


def j0(u: FloatArray) -> FloatArray:
    """Return J0."""
    from scipy import special  # here, because one panel of one figure needs SciPy

    return np.asarray(special.j0(u))


def d1(u: FloatArray) -> FloatArray:
    """Return the first derivative of J0."""
    from scipy import special

    return np.asarray(-special.j1(u))


def d2(u: FloatArray) -> FloatArray:
    """Return the second derivative of J0."""
    from scipy import special

    return np.asarray(0.5 * (special.jv(2, u) - special.j0(u)))


def d3(u: FloatArray) -> FloatArray:
    """Return the third derivative of J0."""
    from scipy import special

    return np.asarray(0.25 * (3.0 * special.j1(u) - special.jv(3, u)))


def _formula(u: Any) -> Any:
    import sympy

    return sympy.besselj(0, u)
