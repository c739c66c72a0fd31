"""The table of the built-in functions: domain, complexity, singular points, symmetries, grids.

Values and derivatives are in `values`, the meaning of the columns in `record.Function`.
"""

import numpy as np

from kan_ref.functions.record import EVERYWHERE, Function, Redundancy
from kan_ref.functions.values import VALUES, powers


def _power(name: str, exponent: float, complexity: int) -> Function:
    """Return the record of u^exponent."""
    whole = float(exponent).is_integer()
    kind, parity = (
        ("line" if exponent == 1.0 else "power"),
        (0 if not whole else 1 if exponent % 2 == 0 else -1),
    )
    domain, singular = (-np.inf if whole else 0.0, np.inf), (0.0,) if whole and exponent < 0 else ()
    grids = ("outer zeros", "gaps") if singular else ("zeros",) if whole else ("outer zeros",)
    return Function(
        name,
        *powers(exponent),
        domain,
        complexity,
        singular,
        Redundancy(kind, degree=exponent, parity=parity),
        search_grids=grids,
    )


def _other(
    name: str,
    complexity: int,
    redundancy: Redundancy,
    *search_grids: str,
    domain: tuple[float, float] = EVERYWHERE,
    singular: tuple[float, ...] = (),
) -> Function:
    """Return the record of a function of `VALUES`."""
    four = VALUES[name]
    return Function(
        name, *four, domain, complexity, singular, redundancy, search_grids=search_grids
    )


TABLE = (
    _other("0", 0, Redundancy("constant", parity=1)),
    _power("x", 1.0, 1),
    _power("x^2", 2.0, 2),
    _power("x^3", 3.0, 3),
    _power("x^4", 4.0, 3),
    _power("x^5", 5.0, 3),
    _power("1/x", -1.0, 2),
    _power("1/x^2", -2.0, 2),
    _power("1/x^3", -3.0, 3),
    _power("1/x^4", -4.0, 4),
    _power("1/x^5", -5.0, 5),
    _power("sqrt", 0.5, 2),
    _power("1/sqrt", -0.5, 2),
    _power("x^1.5", 1.5, 4),
    _other("exp", 2, Redundancy("exp"), "scales"),
    _other("log", 2, Redundancy("log"), "outer zeros", domain=(0.0, np.inf)),
    _other("abs", 3, Redundancy("power", degree=1.0, parity=1), "zeros"),
    _other("sin", 2, Redundancy(parity=-1, turn=np.pi, turn_sign=-1), "frequencies"),
    _other("cos", 2, Redundancy(parity=1, turn=np.pi, turn_sign=-1), "frequencies"),
    _other(
        "tan",
        3,
        Redundancy(parity=-1, turn=np.pi, first=-0.5 * np.pi),
        "cell",
        "poles",
        singular=(0.5 * np.pi,),
    ),
    _other("tanh", 3, Redundancy(parity=-1), "features"),
    _other("cosh", 5, Redundancy(parity=1), "catenaries"),
    _other("sgn", 3, Redundancy("power", degree=0.0, parity=-1)),
    _other("arcsin", 4, Redundancy(parity=-1), "domain", domain=(-1.0, 1.0)),
    _other("arccos", 4, Redundancy(parity=-1, middle=0.5 * np.pi), "domain", domain=(-1.0, 1.0)),
    _other("arctan", 4, Redundancy(parity=-1), "features"),
    _other("arctanh", 4, Redundancy(parity=-1), "domain", domain=(-1.0, 1.0)),
    _other("sigmoid", 4, Redundancy(parity=-1, middle=0.5), "features"),
    _other("gaussian", 3, Redundancy(parity=1), "features"),
    _other("logcosh", 5, Redundancy(parity=1), "features"),
    _other(
        "1/|x|",
        3,
        Redundancy("power", degree=-1.0, parity=1),
        "outer zeros",
        "gaps",
        singular=(0.0,),
    ),
)
