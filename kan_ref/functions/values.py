"""Values and first three derivatives of the symbolic candidates, as plain array code.

Theorem (chain rule, and the differential equation that each function satisfies). With g
= e^(-u^2), t = tanh u, q = 1 / (1 + u^2), r = (1 - u)(1 + u), w = tan u, the sigmoid s
= 1 / (1 + e^-u), p = s (1 - s) and h = 1 / cosh^2 u, the first, second and third
derivatives are

    (F9)   power      n u^(n-1),  n (n-1) u^(n-2),  n (n-1) (n-2) u^(n-3)
    (F10)  tan        1 + w^2,    2 w (1 + w^2),    (1 + w^2)(2 + 6 w^2)
    (F11)  tanh       h,          -2 t h,           h (6 t^2 - 2)
    (F12)  sigmoid    p,          -p tanh(u/2),     p (1 - 6 p)
    (F13)  arcsin     r^(-1/2),   u r^(-3/2),       (1 + 2 u^2) r^(-5/2)
    (F14)  arctan     q,          -2 u q^2,         2 q^2 (3 - 4 q)
    (F15)  arctanh    1/r,        2 u / r^2,        (2 + 6 u^2) / r^3
    (F16)  gaussian   -2 u g,     (4 u^2 - 2) g,    4 u (3 - 2 u^2) g
    (F21)  log cosh   t,          h,                -2 t h
    (F22)  1/|u|      -z / u^2,   2 / |u|^3,        -6 z / u^4          with z = sgn u

and arccos = pi/2 - arcsin (Abramowitz & Stegun, Handbook of Mathematical Functions,
sections 4.3 to 4.6). The code computes p and h from e^-|u| and e^-2|u|, so they keep
their digits where they are tiny. The last form of (F14), by u^2 = 1/q - 1, cannot
overflow. Where cosh u overflows, log cosh u is computed as |u| + log(1 + e^-2|u|) - log
2, and where it is near 1, as log(1 + 2 sinh^2(u/2)).

Every function takes arrays of any shape. It returns nan outside the domain and infinity
where the value exceeds float64, without warnings; nothing is clipped. At an end that
belongs to the domain a derivative is its one-sided limit, which may be infinite (sqrt
at 0, arcsin at 1). sgn(0) = 0, and the derivatives of sgn and abs at 0 are 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray

Values = Callable[[FloatArray], FloatArray]
Orders = Callable[[FloatArray, int], FloatArray]  # with the order of a derivative


@dataclass(frozen=True)
class OnDomain:
    """A function evaluated where `low` <= u <= `high`, without warnings; else nan."""

    function: Values
    low: float = -np.inf
    high: float = np.inf

    def __call__(self, u: FloatArray) -> FloatArray:
        """Evaluate at each number of `u`."""
        u = np.asarray(u, dtype=np.float64)
        inside = (u >= self.low) & (u <= self.high)
        with np.errstate(all="ignore"):
            if inside.all():
                return np.asarray(self.function(u), dtype=np.float64)
            values = np.full_like(u, np.nan)
            values[inside] = self.function(u[inside])
        return values


@dataclass(frozen=True)
class Derivative:
    """A function below with a fixed order of its derivative; it can be pickled."""

    function: Orders
    order: int

    def __call__(self, u: FloatArray) -> FloatArray:
        """Evaluate at each number of `u`."""
        u = np.asarray(u, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.asarray(self.function(u, self.order), dtype=np.float64)


@dataclass(frozen=True)
class Power:
    """u^exponent and its derivatives.

    The domain is u >= 0 for a fractional exponent; a negative exponent excludes 0.
    """

    exponent: float

    def __call__(self, u: FloatArray, order: int) -> FloatArray:
        """Evaluate the derivative of an order at each number of `u`."""
        n, left = self.exponent, self.exponent - order
        outside = np.isnan(u)
        if n < 0.0:
            outside |= u == 0.0
        if float(n).is_integer():
            left = int(left)  # so NumPy also computes powers of negative numbers
        else:
            outside |= u < 0.0
        # [eq:power]
        factor = float(np.prod([n - k for k in range(order)]))
        values = factor * u**left if factor else np.zeros_like(u)
        # [/eq:power]
        return np.where(outside, np.nan, values)


def zero(u: FloatArray, order: int) -> FloatArray:
    """Return 0 or a derivative."""
    return np.where(np.isnan(u), np.nan, 0.0)


def exp(u: FloatArray, order: int) -> FloatArray:
    """Return e^u or a derivative."""
    return np.exp(u)


def log(u: FloatArray, order: int) -> FloatArray:
    """Return the natural logarithm or a derivative."""
    inside = np.where(u > 0.0, u, np.nan)
    if order == 0:
        return np.log(inside)
    return Power(-1.0)(inside, order - 1)


def absolute(u: FloatArray, order: int) -> FloatArray:
    """Return |u| or a derivative."""
    if order == 0:
        return np.abs(u)
    return sign(u, order - 1)


def sign(u: FloatArray, order: int) -> FloatArray:
    """Return the sign of u or a derivative."""
    if order == 0:
        return np.sign(u)
    return zero(u, order)


def sin(u: FloatArray, order: int) -> FloatArray:
    """Return sin u or a derivative."""
    values = np.cos(u) if order % 2 else np.sin(u)
    if order % 4 >= 2:
        return -values
    return values


def cos(u: FloatArray, order: int) -> FloatArray:
    """Return cos u or a derivative."""
    return sin(u, order + 1)


def cosh(u: FloatArray, order: int) -> FloatArray:
    """Return cosh u or a derivative."""
    return np.sinh(u) if order % 2 else np.cosh(u)


def tan(u: FloatArray, order: int) -> FloatArray:
    """Return tan u, (F10) or a derivative."""
    w = np.tan(u)
    if order == 0:
        return w
    # [eq:tan]
    slope = 1.0 + w**2
    if order == 1:
        return slope
    if order == 2:
        return 2.0 * w * slope
    return slope * (2.0 + 6.0 * w**2)
    # [/eq:tan]


def _bell(u: FloatArray) -> FloatArray:
    """Return s (1 - s) of the sigmoid s, as e^-|u| / (1 + e^-|u|)^2."""
    small = np.exp(-np.abs(u))
    return np.asarray(small / (1.0 + small) ** 2)


def tanh(u: FloatArray, order: int) -> FloatArray:
    """Return tanh u, (F11) or a derivative."""
    t = np.tanh(u)
    if order == 0:
        return t
    # [eq:tanh]
    h = 4.0 * _bell(2.0 * u)
    if order == 1:
        return h
    if order == 2:
        return -2.0 * t * h
    return h * (6.0 * t**2 - 2.0)
    # [/eq:tanh]


def sigmoid(u: FloatArray, order: int) -> FloatArray:
    """Return the sigmoid, (F12) or a derivative."""
    if order == 0:
        small = np.exp(-np.abs(u))
        return np.where(u < 0.0, small, 1.0) / (1.0 + small)
    # [eq:sigmoid]
    p = _bell(u)
    if order == 1:
        return p
    if order == 2:
        return -p * np.tanh(0.5 * u)
    return p * (1.0 - 6.0 * p)
    # [/eq:sigmoid]


def arcsin(u: FloatArray, order: int) -> FloatArray:
    """Return arcsin u, (F13) or a derivative."""
    if order == 0:
        return np.arcsin(u)
    # [eq:arcsin]
    r = np.where(np.abs(u) <= 1.0, (1.0 - u) * (1.0 + u), np.nan)
    power = r ** (0.5 - order)
    if order == 1:
        return power
    if order == 2:
        return u * power
    return (1.0 + 2.0 * u**2) * power
    # [/eq:arcsin]


def arccos(u: FloatArray, order: int) -> FloatArray:
    """Return pi/2 - arcsin u or a derivative."""
    if order == 0:
        return np.arccos(u)
    return -arcsin(u, order)


def arctan(u: FloatArray, order: int) -> FloatArray:
    """Return arctan u, (F14) or a derivative."""
    if order == 0:
        return np.arctan(u)
    # [eq:arctan]
    q = 1.0 / (1.0 + u**2)
    if order == 1:
        return q
    if order == 2:
        return u * q * (-2.0 * q)
    return 2.0 * q**2 * (3.0 - 4.0 * q)
    # [/eq:arctan]


def arctanh(u: FloatArray, order: int) -> FloatArray:
    """Return arctanh u, (F15) or a derivative."""
    u = np.where(np.abs(u) < 1.0, u, np.nan)
    if order == 0:
        return np.arctanh(u)
    # [eq:arctanh]
    q = 1.0 / ((1.0 - u) * (1.0 + u))
    if order == 1:
        return q
    if order == 2:
        return 2.0 * u * q**2
    return (2.0 + 6.0 * u**2) * q**3
    # [/eq:arctanh]


def gaussian(u: FloatArray, order: int) -> FloatArray:
    """Return e^(-u^2), (F16) or a derivative."""
    # beyond 40 g is 0, and it must not be multiplied by infinity
    u = np.minimum(np.maximum(u, -40.0), 40.0)
    g = np.exp(-(u**2))
    if order == 0:
        return g
    # [eq:gaussian]
    if order == 1:
        return -2.0 * u * g
    if order == 2:
        return (4.0 * u**2 - 2.0) * g
    return 4.0 * u * (3.0 - 2.0 * u**2) * g
    # [/eq:gaussian]


def log_cosh(u: FloatArray, order: int) -> FloatArray:
    """Return log cosh u, (F21) or a derivative."""
    if order > 0:
        return tanh(u, order - 1)
    # [eq:log-cosh]
    size = np.abs(u)
    far = size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)
    near = np.log1p(2.0 * np.sinh(0.5 * np.minimum(size, 1.0)) ** 2)
    return np.where(size < 1.0, near, far)
    # [/eq:log-cosh]


def inverse_absolute(u: FloatArray, order: int) -> FloatArray:
    """Return 1/|u|, (F22) or a derivative."""
    # [eq:inverse-absolute]
    return np.sign(u) * Power(-1.0)(u, order)
    # [/eq:inverse-absolute]
