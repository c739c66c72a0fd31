"""What an optimizer answers, what it shows after every step, and the questions that all of them ask at the start.

One norm is used everywhere, so that runs of different optimizers compare and a tolerance does not grow with the number of
parameters:

    (N1)  gradient norm = max_j |d value / d theta_j|

(the norm in Algorithm 3.16 of Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., IMM 2004).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_float_array, check_integer, check_number

ValueAndGrad = Callable[[FloatArray], tuple[float, FloatArray]]


def _line(record: "Iterate | OptimizeResult") -> str:
    """One line for a record: theta by its length, all else by its value."""
    rest = ", ".join(f"{name}={value!r}" for name, value in vars(record).items() if name != "theta")
    return f"{type(record).__name__}(theta of {record.theta.size} numbers, {rest})"


@dataclass(frozen=True, eq=False, repr=False)
class Iterate:
    """What a callback gets after every accepted step: its own copy of theta, and what is known there.

    Attributes
    ----------
    theta : (n_params,)
        The callback may keep or change it; the run does not.
    value : float
    gradient_norm : float
        (N1).
    step : int
        1, 2, ...: accepted steps so far.
    n_evaluations : int
        Calls of the caller's functions so far.
    """

    theta: FloatArray
    value: float
    gradient_norm: float
    step: int
    n_evaluations: int

    def __repr__(self) -> str:
        return _line(self)


@dataclass(frozen=True, eq=False, repr=False)
class OptimizeResult:
    """Where a run ended and why.

    Attributes
    ----------
    theta : (n_params,)
    value : float
        At theta, as the caller's function gave it.
    gradient_norm : float
        At theta, (N1).
    n_steps : int
        Accepted steps.
    n_evaluations : int
        Calls of the caller's functions, the one at the start included.
    stopped : str
        A sentence with its numbers.

    Examples
    --------
    >>> OptimizeResult(np.zeros(3), 0.5, 1e-9, 7, 9, "7 steps are done")
    OptimizeResult(theta of 3 numbers, value=0.5, gradient_norm=1e-09, n_steps=7, n_evaluations=9, stopped='7 steps are done')
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


def start_vector(theta: object) -> FloatArray:
    """A copy of `theta` as a float64 vector, so that the caller's array is never touched.

    Raises
    ------
    TypeError, ValueError
        theta is no vector of finite real numbers, or is empty.
    """
    vector = check_float_array("theta", theta, ("n_params",)).copy()
    if vector.size == 0:
        raise ValueError("theta is empty, but needs at least 1 number")
    return vector


def check_run(
    theta: object, n_steps: int, gradient_tolerance: float
) -> tuple[FloatArray, int, float]:
    """Check the arguments that all optimizers share, and return them with a copy of theta."""
    return (
        start_vector(theta),
        check_integer("n_steps", n_steps, low=0),
        check_number("gradient_tolerance", gradient_tolerance, low=0.0),
    )


def evaluate_start(value_and_grad: ValueAndGrad, theta: FloatArray) -> tuple[float, FloatArray]:
    """Value and gradient (a copy) at the start, or a sentence that says what is wrong with them.

    Raises
    ------
    TypeError, ValueError
        The value is no finite number; the gradient is not finite or has another length than theta.
    """
    value, gradient = value_and_grad(theta)
    value = check_number("the value at the start", value)
    return value, check_float_array("the gradient at the start", gradient, (theta.size,)).copy()


def gradient_norm(gradient: FloatArray) -> float:
    """Largest absolute entry (N1) of a gradient.

    Notes
    -----
    Implements :eq:`gradient-norm`.
    """
    # [eq:gradient-norm]
    return float(np.abs(gradient).max())
    # [/eq:gradient-norm]


def is_small(norm: float, tolerance: float) -> str | None:
    """The sentence of a run that stops on its gradient, or None if it goes on. A zero gradient always stops.

    Examples
    --------
    >>> is_small(3e-9, 1e-8)
    'gradient norm 3e-09 is below 1e-08'
    """
    if norm == 0.0:
        return "the gradient is exactly zero"
    return f"gradient norm {norm:.2g} is below {tolerance:g}" if norm < tolerance else None


def asked_to_stop(callback: Callback | None, iterate: Iterate) -> str | None:
    """The sentence of a run that its callback stops, or None if there is no callback or it lets the run go on."""
    if callback is None:
        return None
    shown = Iterate(
        iterate.theta.copy(),
        iterate.value,
        iterate.gradient_norm,
        iterate.step,
        iterate.n_evaluations,
    )
    return f"the callback asked to stop after step {iterate.step}" if callback(shown) else None


def steps_are_done(n_steps: int) -> str:
    """The sentence of a run that used up its steps.

    Examples
    --------
    >>> steps_are_done(1)
    '1 step is done'
    """
    return f"{n_steps} step{' is' if n_steps == 1 else 's are'} done"
