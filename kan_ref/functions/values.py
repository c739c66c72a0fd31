"""Values and first three derivatives of the symbolic candidates, as plain array code.

Theorem (chain rule, and the differential equation that each function satisfies). With g = e^(-u^2),
t = tanh u, q = 1 / (1 + u^2), r = (1 - u)(1 + u), w = tan u, the sigmoid s = 1 / (1 + e^-u),
p = s (1 - s) and h = 1 / cosh^2 u, the first, second and third derivatives are

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

and arccos = pi/2 - arcsin (Abramowitz & Stegun, Handbook of Mathematical Functions, sections 4.3 to
4.6). The code computes p and h from e^-|u| and e^-2|u|, so they keep their digits where they are
tiny. The last form of (F14), by u^2 = 1/q - 1, cannot overflow. Where cosh u overflows, log cosh u
is computed as |u| + log(1 + e^-2|u|) - log 2, and where it is near 1, as log(1 + 2 sinh^2(u/2)).

Every function takes arrays of any shape. It returns nan outside the domain and infinity where the
value exceeds float64, without warnings; nothing is clipped. At an end that belongs to the domain a
derivative is its one-sided limit, which may be infinite (sqrt at 0, arcsin at 1). sgn(0) = 0, and
the derivatives of sgn and abs at 0 are 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray

Values = Callable[[FloatArray], FloatArray]
Four = tuple[Values, Values, Values, Values]


@dataclass(frozen=True)
class OnDomain:
    """A function evaluated only where `low` <= u <= `high`, without warnings; nan elsewhere."""

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


def check_arrays(what: str, part: str, evaluate: Values, u: FloatArray) -> None:
    """Raise an error if a function does not map arrays to new real arrays of the same shape."""
    function = evaluate.function if isinstance(evaluate, OnDomain) else evaluate
    rule = (
        "must return real numbers in an array of this shape: for a function of one number give "
        f"np.vectorize({part}, otypes=[float])"
    )
    for shape in ((), (0,), (2, 3), u.shape):
        try:
            with np.errstate(all="ignore"):
                got = np.asarray(function(np.resize(u, shape)))
            is_complex = np.iscomplexobj(got)
            if not is_complex:
                got.astype(np.float64)  # text has no numbers
        except (TypeError, ValueError, IndexError) as error:
            raise TypeError(
                f"{what} raises {type(error).__name__} ({error}) for an array of shape {shape}, "
                f"but {rule}"
            ) from error
        if is_complex:
            raise TypeError(
                f"{what} returns complex numbers, but must return real ones: take their real part"
            )
        if got.shape != shape:
            raise ValueError(
                f"{what} returns shape {got.shape} for an array of shape {shape}, but {rule}"
            )


@dataclass(frozen=True)
class Derivative:
    """One of the functions below with a fixed order of derivative; it can be pickled."""

    function: Callable[[FloatArray, int], FloatArray]
    order: int

    def __call__(self, u: FloatArray) -> FloatArray:
        """Evaluate at each number of `u`."""
        with np.errstate(all="ignore"):
            return np.asarray(
                self.function(np.asarray(u, dtype=np.float64), self.order), dtype=np.float64
            )


@dataclass(frozen=True)
class Power:
    """The derivative of order `order` of u^exponent.

    The domain is u >= 0 for a fractional exponent; a negative exponent excludes 0.
    """

    exponent: float
    order: int = 0

    def __call__(self, u: FloatArray) -> FloatArray:
        """Evaluate at each number of `u`."""
        u = np.asarray(u, dtype=np.float64)
        whole = float(self.exponent).is_integer()
        left = self.exponent - self.order
        with np.errstate(all="ignore"):
            # [eq:power]
            factor = float(np.prod([self.exponent - k for k in range(self.order)]))
            # with an integer exponent NumPy also computes powers of negative numbers
            values = (
                np.zeros_like(u)
                if factor == 0.0
                else factor * (u ** int(left) if whole else u**left)
            )
            # [/eq:power]
        outside = np.isnan(u)
        if self.exponent < 0.0:
            outside |= u == 0.0
        if not whole:
            outside |= u < 0.0
        return np.asarray(np.where(outside, np.nan, values), dtype=np.float64)


def _zero(u: FloatArray, order: int) -> FloatArray:
    return np.where(np.isnan(u), np.nan, 0.0)


def _exp(u: FloatArray, order: int) -> FloatArray:
    return np.exp(u)


def _log(u: FloatArray, order: int) -> FloatArray:
    inside = np.where(u > 0.0, u, np.nan)
    return np.log(inside) if order == 0 else Power(-1.0, order - 1)(inside)


def _absolute(u: FloatArray, order: int) -> FloatArray:
    return np.abs(u) if order == 0 else _sign(u, order - 1)


def _sign(u: FloatArray, order: int) -> FloatArray:
    return np.sign(u) if order == 0 else _zero(u, order)


def _sin(u: FloatArray, order: int) -> FloatArray:
    values = np.sin(u) if order % 2 == 0 else np.cos(u)
    return -values if order % 4 >= 2 else values


def _cos(u: FloatArray, order: int) -> FloatArray:
    return _sin(u, order + 1)


def _cosh(u: FloatArray, order: int) -> FloatArray:
    return np.cosh(u) if order % 2 == 0 else np.sinh(u)


def _tan(u: FloatArray, order: int) -> FloatArray:
    w = np.tan(u)
    if order == 0:
        return w
    # [eq:tan]
    slope = 1.0 + w**2
    return slope if order == 1 else 2.0 * w * slope if order == 2 else slope * (2.0 + 6.0 * w**2)
    # [/eq:tan]


def _bell(u: FloatArray) -> FloatArray:
    """Return s (1 - s) of the sigmoid s, as e^-|u| / (1 + e^-|u|)^2."""
    small = np.exp(-np.abs(u))
    return np.asarray(small / (1.0 + small) ** 2)


def _tanh(u: FloatArray, order: int) -> FloatArray:
    t = np.tanh(u)
    if order == 0:
        return t
    # [eq:tanh]
    h = 4.0 * _bell(2.0 * u)
    return h if order == 1 else -2.0 * t * h if order == 2 else h * (6.0 * t**2 - 2.0)
    # [/eq:tanh]


def _sigmoid(u: FloatArray, order: int) -> FloatArray:
    if order == 0:
        small = np.exp(-np.abs(u))
        return np.where(u < 0.0, small, 1.0) / (1.0 + small)
    # [eq:sigmoid]
    p = _bell(u)
    return p if order == 1 else -p * np.tanh(0.5 * u) if order == 2 else p * (1.0 - 6.0 * p)
    # [/eq:sigmoid]


def _arcsin(u: FloatArray, order: int) -> FloatArray:
    if order == 0:
        return np.arcsin(u)
    # [eq:arcsin]
    r = np.where(np.abs(u) <= 1.0, (1.0 - u) * (1.0 + u), np.nan)
    top = 1.0 if order == 1 else u if order == 2 else 1.0 + 2.0 * u**2
    return np.asarray(top * r ** (0.5 - order))
    # [/eq:arcsin]


def _arccos(u: FloatArray, order: int) -> FloatArray:
    return np.arccos(u) if order == 0 else -_arcsin(u, order)


def _arctan(u: FloatArray, order: int) -> FloatArray:
    if order == 0:
        return np.arctan(u)
    # [eq:arctan]
    q = 1.0 / (1.0 + u**2)
    return q if order == 1 else u * q * (-2.0 * q) if order == 2 else 2.0 * q**2 * (3.0 - 4.0 * q)
    # [/eq:arctan]


def _arctanh(u: FloatArray, order: int) -> FloatArray:
    u = np.where(np.abs(u) < 1.0, u, np.nan)
    if order == 0:
        return np.arctanh(u)
    # [eq:arctanh]
    q = 1.0 / ((1.0 - u) * (1.0 + u))
    return q if order == 1 else 2.0 * u * q**2 if order == 2 else (2.0 + 6.0 * u**2) * q**3
    # [/eq:arctanh]


def _gaussian(u: FloatArray, order: int) -> FloatArray:
    # beyond 40 g is 0, and it must not be multiplied by infinity
    u = np.minimum(np.maximum(u, -40.0), 40.0)
    g = np.exp(-(u**2))
    # [eq:gaussian]
    if order == 1:
        return -2.0 * u * g
    return (
        g
        if order == 0
        else (4.0 * u**2 - 2.0) * g
        if order == 2
        else 4.0 * u * (3.0 - 2.0 * u**2) * g
    )
    # [/eq:gaussian]


def _log_cosh(u: FloatArray, order: int) -> FloatArray:
    if order > 0:
        return _tanh(u, order - 1)
    # [eq:log-cosh]
    size = np.abs(u)
    far = size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)
    near = np.log1p(2.0 * np.sinh(0.5 * np.minimum(size, 1.0)) ** 2)
    return np.where(size < 1.0, near, far)
    # [/eq:log-cosh]


def _inverse_absolute(u: FloatArray, order: int) -> FloatArray:
    # [eq:inverse-absolute]
    return np.sign(u) * Power(-1.0, order)(u)
    # [/eq:inverse-absolute]


def _four(function: Callable[[FloatArray, int], FloatArray]) -> Four:
    return (
        Derivative(function, 0),
        Derivative(function, 1),
        Derivative(function, 2),
        Derivative(function, 3),
    )


def powers(exponent: float) -> Four:
    """Return u^exponent and its first three derivatives."""
    return Power(exponent, 0), Power(exponent, 1), Power(exponent, 2), Power(exponent, 3)


# name -> value and first three derivatives, of all functions but the powers
VALUES: dict[str, Four] = {
    "0": _four(_zero),
    "exp": _four(_exp),
    "log": _four(_log),
    "abs": _four(_absolute),
    "sin": _four(_sin),
    "cos": _four(_cos),
    "tan": _four(_tan),
    "tanh": _four(_tanh),
    "cosh": _four(_cosh),
    "sgn": _four(_sign),
    "arcsin": _four(_arcsin),
    "arccos": _four(_arccos),
    "arctan": _four(_arctan),
    "arctanh": _four(_arctanh),
    "sigmoid": _four(_sigmoid),
    "gaussian": _four(_gaussian),
    "logcosh": _four(_log_cosh),
    "1/|x|": _four(_inverse_absolute),
}
