"""Two candidates for edges that the library lacks, while a context lasts: 1/|u| and log cosh u.

f = 1/|u|,         f' = -sgn(u)/u^2,    f'' = 2/|u|^3,         f''' = -6 sgn(u)/u^4
f = log cosh u,    f' = tanh u,         f'' = cosh(u)^-2,     f''' = -2 tanh(u) cosh(u)^-2
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.functions.library import Gauge

INVERSE_MODULUS, LOG_COSH = "1/|x|", "log cosh"


@contextlib.contextmanager
def further_functions() -> Iterator[None]:
    """Register both functions in `kr.LIBRARY` while the context lasts; what is there already, stays."""
    added = [name for name in (INVERSE_MODULUS, LOG_COSH) if name not in kr.LIBRARY]
    try:
        if INVERSE_MODULUS in added:
            _register_inverse_modulus()
        if LOG_COSH in added:
            _register_log_cosh()
        yield
    finally:
        for name in added:
            if name in kr.LIBRARY:
                kr.unregister_function(name)


def _register_inverse_modulus() -> None:
    kr.register_function(
        INVERSE_MODULUS,
        lambda u: 1.0 / np.abs(u),
        lambda u: -np.sign(u) / u**2,
        lambda u: 2.0 / np.abs(u) ** 3,
        lambda u: -6.0 * np.sign(u) / u**4,
        complexity=3,  # the same as abs
        singular=(0.0,),
        gauge=Gauge("power", degree=-1.0, parity=1),
        formula=_inverse_modulus,
    )


def _register_log_cosh() -> None:
    kr.register_function(
        LOG_COSH,
        lambda u: np.logaddexp(u, -u) - np.log(2.0),
        np.tanh,
        _inverse_square_cosh,
        lambda u: -2.0 * np.tanh(u) * _inverse_square_cosh(u),
        complexity=5,  # the same as cosh
        gauge=Gauge(parity=1),
        formula=_log_cosh,
    )


def _inverse_square_cosh(u: FloatArray) -> FloatArray:
    """Return cosh(u)^-2, without overflow."""
    small = np.exp(-2.0 * np.abs(u))
    return np.asarray(4.0 * small / (1.0 + small) ** 2)


def _inverse_modulus(u: Any) -> Any:
    import sympy

    return 1 / sympy.Abs(u)


def _log_cosh(u: Any) -> Any:
    import sympy

    return sympy.log(sympy.cosh(u))
