"""What an optimizer returns, what its callback gets, and the checks that all of them share.

One norm is used everywhere, so that runs of different optimizers can be compared and a tolerance
does not depend on the number of parameters:

    (O5)  gradient norm = max_j |d value / d theta_j|

(the norm in Algorithm 3.16 of Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares
Problems, 2nd ed., IMM 2004).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray

ValueAndGrad = Callable[[FloatArray], tuple[float, FloatArray]]


def _line(record: "Iterate | OptimizeResult") -> str:
    """Return one line for a record: theta by its length, everything else by its value."""
    rest = ", ".join(
        f"{name}={value!r}"
        for name, value in vars(record).items()
        if name not in ("theta", "own_theta")
    )
    return f"{type(record).__name__}(theta of {record.theta.size} numbers, {rest})"


@dataclass(frozen=True, eq=False, repr=False)
class Iterate:
    """The state after an accepted step, for a callback.

    Attributes
    ----------
    own_theta : (n_params,)
        The optimizer's vector, which is never changed, not even by a callback.
    theta : (n_params,)
        A copy of it, which the callback may keep or change.
    value : float
    gradient_norm : float
        (O5).
    step : int
        1, 2, ...: accepted steps so far.
    n_evaluations : int
        Calls of the caller's functions so far.
    """

    own_theta: FloatArray
    value: float
    gradient_norm: float
    step: int
    n_evaluations: int

    @cached_property
    def theta(self) -> FloatArray:
        """The parameters, as a copy of `own_theta`."""
        return self.own_theta.copy()

    def __repr__(self) -> str:
        return _line(self)


@dataclass(frozen=True, eq=False, repr=False)
class OptimizeResult:
    """The end of a run and its reason.

    Attributes
    ----------
    theta : (n_params,)
    value : float
        At theta, from the caller's function.
    gradient_norm : float
        At theta, (O5).
    n_steps : int
        Accepted steps.
    n_evaluations : int
        Calls of the caller's functions, including the first one.
    stopped : str
        Why the run ended, with the numbers.

    Examples
    --------
    >>> import numpy as np
    >>> print(OptimizeResult(np.zeros(3), 0.5, 1e-9, 7, 9, "7 steps are done").stopped)
    7 steps are done
    """

    theta: FloatArray
    value: float
    gradient_norm: float
    n_steps: int
    n_evaluations: int
    stopped: str

    def __repr__(self) -> str:
        return _line(self)


Callback = Callable[[Iterate], bool | None]
FLOAT = np.dtype(np.float64)
_UNDEFINED = "start at other parameters, where the function and its derivatives are finite"
_REMEDY = "scale x, y and the parameters to size one, as kan_ref.scaled does for data"


def start_vector(theta: object) -> FloatArray:
    """Return a copy of `theta` as a float64 vector, read-only, so that functions may keep it.

    Raises
    ------
    TypeError, ValueError
        theta is not a vector of finite real numbers, or is empty.
    """
    vector = checks.array("theta", theta, ("n_params",)).copy()
    if vector.size == 0:
        raise ValueError("theta is empty, but needs at least 1 number")
    vector.flags.writeable = False
    return vector


def check_run(
    theta: object, n_steps: int, gradient_tolerance: float, callback: object
) -> tuple[FloatArray, int, float]:
    """Check the arguments that all optimizers share, and return them with a copy of theta."""
    check_functions(or_none=True, callback=callback)
    return (
        start_vector(theta),
        checks.integer("n_steps", n_steps, low=0),
        checks.number("gradient_tolerance", gradient_tolerance, low=0.0),
    )


def check_start_value(value: object) -> float:
    """Return the value at the start as a finite float; ValueError names the remedy."""
    value = _without_axes(value)
    try:
        return checks.number("the value at the start", value)
    except ValueError as error:
        undefined = isinstance(value, float | np.floating) and np.isnan(value)
        raise ValueError(f"{error}: {_remedy(bool(undefined))}") from None


def _remedy(undefined: bool) -> str:
    """Return what to do where a function is infinite at the start, or else undefined (nan)."""
    # scaling changes nothing where a function is undefined, but inf times 0 gives nan, too
    return f"{_UNDEFINED}, or {_REMEDY}" if undefined else _REMEDY


def _without_axes(value: object) -> object:
    """Return the number of an array without axes; any other value is returned itself."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def as_vector(name: str, value: object, length: int | str) -> FloatArray:
    """Return a caller's vector of real numbers as float64; they need not be finite.

    `length` is an int that it must have, or a name for the message.
    """
    shape = checks.rectangular(name, value).shape
    if len(shape) != 1 or (isinstance(length, int) and shape != (length,)):
        raise ValueError(f"{name} has shape {shape}, but needs shape ({length},)")
    return checks.array(name, value, (length,), finite=False)


def check_start_vector(name: str, value: object, length: int | str) -> FloatArray:
    """Return a vector at the start, as `as_vector`; ValueError with the remedy if not finite."""
    vector = as_vector(name, value, length)
    if not np.isfinite(vector).all():
        place = int(np.argmin(np.isfinite(vector)))
        raise ValueError(
            f"{name} contains {vector[place]} at position {place}, "
            f"but needs finite numbers: {_remedy(bool(np.isnan(vector).any()))}"
        )
    return vector


def check_functions(*, or_none: bool = False, **functions: object) -> None:
    """Raise TypeError for an argument that is not a function; None may be allowed."""
    for name, function in functions.items():
        if not callable(function) and not (or_none and function is None):
            raise TypeError(f"{name} is {checks.shown(function)}, but must be a function")


def evaluate_start(value_and_grad: ValueAndGrad, theta: FloatArray) -> tuple[float, FloatArray]:
    """Compute value and gradient (a copy) at the initial theta, and check them.

    Raises
    ------
    TypeError, ValueError
        The value is not a finite number; the gradient is not finite, or its length differs from
        that of theta.
    """
    check_functions(value_and_grad=value_and_grad)
    value, gradient = value_and_grad(theta)
    value = check_start_value(value)
    return value, check_start_vector("the gradient at the start", gradient, theta.size).copy()


def real_answer(value: Any, gradient: Any, theta: FloatArray) -> tuple[float, FloatArray]:
    """Return value and gradient at a later theta as real numbers, which need not be finite.

    The gradient may be the caller's own array.
    """
    if not isinstance(value, float):
        value = _without_axes(value)
        value = (
            float(value) if isinstance(value, np.floating) else checks.number("the value", value)
        )
    usual = type(gradient) is np.ndarray and gradient.shape == theta.shape
    if not (usual and gradient.dtype == FLOAT):
        gradient = as_vector("the gradient", gradient, theta.size)
    return value, gradient


def gradient_norm(gradient: FloatArray) -> float:
    """Return the largest absolute entry (O5) of a gradient.

    Notes
    -----
    Implements :eq:`gradient-norm`.
    """
    # [eq:gradient-norm]
    return max(abs(float(gradient.max())), abs(float(gradient.min())))
    # [/eq:gradient-norm]


def is_small(norm: float, tolerance: float) -> str | None:
    """Say that a run stops because of its gradient, as it always does at 0, or return None.

    Examples
    --------
    >>> is_small(3e-9, 1e-8)
    'gradient norm 3e-09 is below 1e-08'
    """
    if norm == 0.0:
        return "the gradient is exactly zero"
    return f"gradient norm {norm:.2g} is below {tolerance:g}" if norm < tolerance else None


def asked_to_stop(callback: Callback | None, iterate: Iterate) -> str | None:
    """Call the callback; say that it stops the run, or return None."""
    return None if callback is None else stop_reason(callback(iterate), iterate.step)


def stop_reason(answer: object, step: int) -> str | None:
    """Say that the answer of a callback stops the run, or return None; TypeError for an array."""
    shape = getattr(answer, "shape", ())
    if shape:
        raise TypeError(
            f"callback returned an array of shape {tuple(shape)}, but must return True to stop the "
            "run, or else False or None"
        )
    return f"the callback asked to stop after step {step}" if answer else None


def steps_are_done(n_steps: int) -> str:
    """Say that all steps are done.

    Examples
    --------
    >>> steps_are_done(1)
    '1 step is done'
    """
    return f"{n_steps} step{' is' if n_steps == 1 else 's are'} done"
