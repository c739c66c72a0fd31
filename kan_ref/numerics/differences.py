"""The central difference, which checks derivatives.

The central difference of a function g of one real variable at 0 has an error of second
order,

    (N4)  (g(h) - g(-h)) / (2 h) = g'(0) + h^2 g'''(xi) / 6        for some |xi| <= h

(Taylor's theorem on both sides; Nocedal & Wright, Numerical Optimization, 2nd ed.,
section 8.1). Rounding adds about eps |g| / h. For functions of size one the two errors
balance near h = 1e-6.
"""

from collections.abc import Callable
from typing import TypeVar

from kan_ref.checks import FloatArray

Value = TypeVar("Value", float, FloatArray)


def central_difference(function: Callable[[float], Value], step: float = 1e-6) -> Value:
    """Return a function's derivative at 0, from its values at -step and step.

    Parameters
    ----------
    function : callable
        float -> float or array: usually t -> f(x + t direction).
    step : float
        Positive.

    Returns
    -------
    derivative : float or array
        Of the function's type, with the error (N4). Implements
        :eq:`central-difference`.

    Examples
    --------
    >>> round(central_difference(lambda t: (2.0 + t) ** 3), 6)
    12.0
    """
    # [eq:central-difference]
    return (function(step) - function(-step)) / (2.0 * step)
    # [/eq:central-difference]
