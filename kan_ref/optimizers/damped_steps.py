"""Damped steps: what all forms of Levenberg-Marquardt share, whatever solves their equations.

At a point, with the damping mu > 0, a step h and the predicted fall of the value come from the
caller's equations. The quality rho of the step is the actual fall divided by the predicted one, and
controls the damping:

    (O22)  rho = fall / predicted,   fall = r^T r - r_new^T r_new = (r - r_new)^T (r + r_new)
    (O23)  rho > 0:    mu <- mu max(1/3, 1 - (2 rho - 1)^3),  nu <- 2
           otherwise:  mu <- mu nu,  nu <- 2 nu

Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., IMM 2004,
Algorithm 3.16 (its F is half of our value, so rho is the same). The second form of the fall in
(O22) has no cancellation where r and r_new are close.

Once `predicted` is below the rounding error of r^T r, rho is noise. A step is then accepted if the
gradient halves (and the value stays within the rounding error of the residuals); otherwise the run
ends. This way theta gains digits after the value has reached its rounding error.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from kan_ref.checks import FloatArray, check_float_array, check_number
from kan_ref.optimizers.normal_equations import Metric
from kan_ref.optimizers.result import (
    Callback,
    Iterate,
    OptimizeResult,
    as_vector,
    asked_to_stop,
    check_functions,
    check_run,
    check_start_value,
    check_start_vector,
    gradient_norm,
    is_small,
    steps_are_done,
)

Residuals = Callable[[FloatArray], FloatArray]

_TINY = float(np.finfo(np.float64).tiny)
# relative error of a value: a pairwise sum of thousands of terms loses a few eps
_ROUNDING = 10 * float(np.finfo(np.float64).eps)
# the same where residuals are small differences of large numbers, with the rounding error of these
_NOISE = 1e-8


class Equations(Protocol):
    """The damped equations at a point."""

    @property
    def every_metric(self) -> FloatArray:
        """The diagonal of D, (n_params,)."""

    def largest_square(self) -> float:
        """Return max_i (J^T J)_ii / D_ii."""

    def step(self, damping: float) -> tuple[FloatArray, float]:
        """Return the step h (n_params,), and the predicted fall of the value; LinAlgError."""


class Linear(Protocol):
    """The linearization r + J h of the residuals at a point."""

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of residuals and parameters."""

    def half_gradient(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_params,)."""

    def equations(self, residuals: FloatArray, metric: Metric | None) -> Equations:
        """Return the equations of a step."""


class Tolerances(NamedTuple):
    """When a run stops; see `levenberg_marquardt`."""

    gradient: float
    step: float
    value: float


class _Point(NamedTuple):
    """A point with its residuals, linearization, value and gradient norm."""

    theta: FloatArray
    residuals: FloatArray
    linear: Linear
    value: float
    norm: float


class _Problem:
    """The caller's functions, with the number of their calls.

    `linearize`: theta -> residuals and what solves the damped equations there.
    """

    def __init__(
        self,
        linearize: Callable[[FloatArray], tuple[FloatArray, Linear]],
        residuals: Residuals | None,
    ) -> None:
        self.linearize, self.residuals = linearize, residuals
        self.n_evaluations = 0

    def start(self, theta: FloatArray) -> _Point:
        """Evaluate and check the initial point; TypeError or ValueError if it is unusable."""
        residuals, linear = self._call_linearize(theta)
        check_start_vector("the residual vector at the start", residuals, "n_residuals")
        check_start_value(float(residuals @ residuals))
        point = self.point(theta, residuals, linear)
        half_gradient = linear.half_gradient(residuals)
        check_start_vector("the gradient at the start", half_gradient, theta.size)
        return point

    def try_at(self, theta: FloatArray) -> tuple[FloatArray, Linear | None]:
        """Return the residuals at a trial point, and the linearization if it came with them."""
        if self.residuals is None:
            return self._call_linearize(theta)
        self.n_evaluations += 1
        return as_vector("residuals(theta)", self.residuals(theta), "n_residuals").copy(), None

    def point(self, theta: FloatArray, residuals: FloatArray, linear: Linear | None) -> _Point:
        """Complete an accepted point with its derivatives.

        The residuals stay those of the trial, also if `linearize` rounds them differently.
        """
        if linear is None:
            _, linear = self._call_linearize(theta)
        if linear.shape != (residuals.size, theta.size):
            raise ValueError(
                f"the Jacobian has shape {linear.shape}, "
                f"but needs shape ({residuals.size}, {theta.size})"
            )
        norm = gradient_norm(2.0 * linear.half_gradient(residuals))
        return _Point(theta, residuals, linear, float(residuals @ residuals), norm)

    def _call_linearize(self, theta: FloatArray) -> tuple[FloatArray, Linear]:
        """Call the caller's `linearize` once."""
        self.n_evaluations += 1
        residuals, linear = self.linearize(theta)
        name = "the residual vector" + (" at the start" if self.n_evaluations == 1 else "")
        return as_vector(name, residuals, "n_residuals").copy(), linear


@dataclass
class _Damping:
    """The damping mu with its factor nu, (O23)."""

    mu: float
    nu: float = 2.0

    # [eq:nielsen-damping]
    def accept(self, rho: float) -> None:
        """Lower mu after a good step, raise it after a poor one."""
        self.mu *= max(1.0 / 3.0, 1.0 - (2.0 * min(rho, 1.0) - 1.0) ** 3)
        self.nu = 2.0

    def reject(self) -> None:
        """Raise mu, by a factor that doubles each time."""
        self.mu *= self.nu
        self.nu *= 2.0

    # [/eq:nielsen-damping]


def _next_point(
    problem: _Problem,
    point: _Point,
    state: _Damping,
    equations: Equations,
    step_tolerance: float,
) -> _Point | str:
    """Find the next accepted point, or return why there is none.

    The comments quote Algorithm 3.16.
    """
    rounding = _ROUNDING * point.value
    least_change, last = step_tolerance * np.abs(point.theta), ""
    while math.isfinite(state.mu):
        try:  # "Solve (A + mu I) h = -g"
            step, predicted = equations.step(state.mu)
        except np.linalg.LinAlgError:
            state.reject()
            continue
        # "if |h| <= eps2 (|x| + eps2)", but for each entry, and without the last term: in any units
        if (np.abs(step) <= least_change).all():
            return f"the next step changes no parameter by more than {step_tolerance:g} of it{last}"
        # too long a step, which may overflow, is rejected
        theta = point.theta + step
        theta.flags.writeable = False  # so that the functions may keep it
        trial, linear = problem.try_at(theta)
        if trial.shape != point.residuals.shape:
            raise ValueError(
                f"residuals have shape {trial.shape}, "
                f"but had shape {point.residuals.shape} at the start"
            )
        # [eq:fall]
        fall = float((point.residuals - trial) @ (point.residuals + trial))
        # [/eq:fall]
        decidable = predicted > rounding
        least = 0.0 if decidable else -_NOISE * point.value
        finite = math.isfinite(fall)
        if fall > least:  # "if rho > 0 {step acceptable}"; False for nan
            new = problem.point(theta, trial, linear)
            finite = math.isfinite(new.norm)
            good = finite if decidable else new.norm <= 0.5 * point.norm
            if good:
                state.accept(fall / predicted if decidable else 1.0)
                return new
        if not decidable:
            return (
                f"a further fall of {predicted:.2g} is lost in the rounding of value "
                f"{point.value:.2g}, and the gradient does not halve"
            )
        last = "" if finite else ", and residuals or derivatives of the last trial were not finite"
        state.reject()
    return f"the damping overflowed before a step lowered the value{last}"


def _always(diagonal: FloatArray) -> Metric:
    """Return the metric that is `diagonal` at every point."""
    return lambda squares: diagonal


def _checked(metric: Metric) -> Metric:
    """Return the metric with a check of its answer."""

    def checked(squares: FloatArray) -> FloatArray:
        diagonal = check_float_array("metric(squares)", metric(squares), (squares.size,))
        if not (diagonal > 0.0).all():
            place = int(np.argmin(diagonal))
            raise ValueError(
                f"metric(squares) has {diagonal[place]:g} at position {place}, "
                "but must be above 0 everywhere"
            )
        return diagonal

    return checked


def damped_steps(
    linearize: Callable[[FloatArray], tuple[FloatArray, Linear]],
    theta: FloatArray,
    *,
    residuals: Residuals | None,
    n_steps: int,
    damping: float,
    metric: Metric | None,
    tolerances: Tolerances,
    callback: Callback | None,
) -> OptimizeResult:
    """Run Algorithm 3.16; arguments as in `levenberg_marquardt`, which are checked here.

    Notes
    -----
    Implements :eq:`nielsen-damping` and :eq:`fall`.
    """
    theta, n_steps, gradient_tolerance = check_run(theta, n_steps, tolerances.gradient, callback)
    check_functions(or_none=True, residuals=residuals, metric=metric)
    metric = None if metric is None else _checked(metric)
    damping = check_number("damping", damping, low=_TINY)
    step_tolerance = check_number("step_tolerance", tolerances.step, low=0.0)
    value_tolerance = check_number("value_tolerance", tolerances.value, low=0.0)
    problem = _Problem(linearize, residuals)
    point = problem.start(theta)
    state, step, stopped = None, 0, None
    while True:
        stopped = stopped or is_small(point.norm, gradient_tolerance)
        if not stopped and step == n_steps:
            stopped = steps_are_done(n_steps)
        if stopped:
            return OptimizeResult(
                point.theta.copy(),
                point.value,
                point.norm,
                step,
                problem.n_evaluations,
                stopped,
            )
        equations = point.linear.equations(point.residuals, metric)
        if state is None:  # "mu := tau max a_ii"
            state = _Damping(max(damping * equations.largest_square(), _TINY))
            metric = _always(equations.every_metric)
        outcome = _next_point(problem, point, state, equations, step_tolerance)
        if isinstance(outcome, str):
            stopped = outcome
            continue
        fall, allowed = point.value - outcome.value, value_tolerance * point.value
        point, step = outcome, step + 1
        stopped = asked_to_stop(
            callback, Iterate(point.theta, point.value, point.norm, step, problem.n_evaluations)
        )
        if not stopped and value_tolerance > 0.0 and fall <= allowed:
            stopped = (
                f"step {step} lowered the value by {fall:.2g}, "
                f"not more than {value_tolerance:g} of it"
            )
