"""Levenberg-Marquardt: minimize a sum of squares by damped Gauss-Newton steps.

The value is r^T r (no factor 1/2), its gradient 2 J^T r with J = dr/dtheta. At a point, with the
damping mu > 0, the step h and the predicted fall of the value are those of `normal_equations`,
(O19)-(O21). The quality rho of the step is the actual fall divided by the predicted one, and
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
from typing import NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.numerics import Jacobian, NormalSums, as_jacobian, multiply_transposed, shape
from kan_ref.optimizers.normal_equations import (
    Metric,
    NormalEquations,
    normal_equations,
    summed_equations,
)
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

Linearize = Callable[[FloatArray], tuple[FloatArray, Jacobian | NormalSums]]
Residuals = Callable[[FloatArray], FloatArray]

_TINY = float(np.finfo(np.float64).tiny)
# relative error of a value: a pairwise sum of thousands of terms loses a few eps
_ROUNDING = 10 * float(np.finfo(np.float64).eps)
# the same where residuals are small differences of large numbers, with the rounding error of these
_NOISE = 1e-8


@dataclass(frozen=True, eq=False)
class _Linear:
    """A linearization by a stored Jacobian, or by its sums over chunks of rows."""

    jacobian: Jacobian | NormalSums

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of residuals and parameters."""
        stored = self.jacobian
        return stored.shape if isinstance(stored, NormalSums) else shape(stored)

    def half_gradient(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_params,); of sums, at the residuals that they were made of."""
        if isinstance(self.jacobian, NormalSums):
            return self.jacobian.half_gradient
        return multiply_transposed(self.jacobian, residuals)

    def equations(self, residuals: FloatArray, metric: Metric | None) -> NormalEquations:
        """Return (O19) or (O20)."""
        if isinstance(self.jacobian, NormalSums):
            return summed_equations(self.jacobian, metric)
        return normal_equations(self.jacobian, residuals, metric=metric)


class _Point(NamedTuple):
    """A point with its residuals, linearization, value and gradient norm."""

    theta: FloatArray
    residuals: FloatArray
    linear: _Linear
    value: float
    norm: float


class _Problem:
    """The caller's functions, with the number of their calls."""

    def __init__(self, linearize: Linearize, residuals: Residuals | None) -> None:
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

    def try_at(self, theta: FloatArray) -> tuple[FloatArray, _Linear | None]:
        """Return the residuals at a trial point, and the linearization if it came with them."""
        if self.residuals is None:
            return self._call_linearize(theta)
        self.n_evaluations += 1
        return as_vector("residuals(theta)", self.residuals(theta), "n_residuals").copy(), None

    def point(self, theta: FloatArray, residuals: FloatArray, linear: _Linear | None) -> _Point:
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

    def _call_linearize(self, theta: FloatArray) -> tuple[FloatArray, _Linear]:
        """Call the caller's `linearize` once."""
        self.n_evaluations += 1
        residuals, jacobian = self.linearize(theta)
        if not isinstance(jacobian, NormalSums):
            jacobian = as_jacobian(jacobian)
        name = "the residual vector" + (" at the start" if self.n_evaluations == 1 else "")
        return as_vector(name, residuals, "n_residuals").copy(), _Linear(jacobian)


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
    equations: NormalEquations,
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
        diagonal = checks.array("metric(squares)", metric(squares), (squares.size,))
        if not (diagonal > 0.0).all():
            place = int(np.argmin(diagonal))
            raise ValueError(
                f"metric(squares) has {diagonal[place]:g} at position {place}, "
                "but must be above 0 everywhere"
            )
        return diagonal

    return checked


@np.errstate(all="ignore")
def levenberg_marquardt(
    linearize: Linearize,
    theta: FloatArray,
    *,
    residuals: Residuals | None = None,
    n_steps: int = 100,
    damping: float = 1e-3,
    metric: Metric | None = None,
    gradient_tolerance: float = 0.0,
    step_tolerance: float = 1e-16,
    value_tolerance: float = 0.0,
    callback: Callback | None = None,
) -> OptimizeResult:
    """Find a local minimizer of value = r^T r by Algorithm 3.16.

    Parameters
    ----------
    linearize : callable
        theta (n_params,) -> (r (n_residuals,), J): J dense, `RowSparse`, or a sequence of such
        blocks stacked on top of each other; new arrays every time. With many residuals and few
        parameters `NormalSums` may take the place of J.
    theta : (n_params,)
        The initial point; not modified.
    residuals : callable, optional
        theta -> r, cheaper than `linearize`; for trial points.
    n_steps : int
        Maximum number of accepted steps; 0 evaluates the initial point.
    damping : float
        Positive: the first mu is damping * max_i (J^T J)_ii / D_ii.
    metric : callable, optional
        The squared norms of the columns of J, (n_params,) -> the diagonal of D, (n_params,), all
        above 0. It is called once, at the initial point, and D then stays. None is D = I.
    gradient_tolerance : float
        Stop when max |2 J^T r| is below.
    step_tolerance : float
        Stop when |h_i| <= step_tolerance |theta_i| for every parameter, each in any unit.
    value_tolerance : float
        Stop when an accepted step lowers the value by no more than this fraction of it; 0 disables.
    callback : callable, optional
        Iterate -> bool or None, after every accepted step; True stops.

    Returns
    -------
    result : OptimizeResult
        `n_evaluations` counts the calls of `linearize` and of `residuals`.

    Raises
    ------
    TypeError, ValueError
        theta is not a finite vector; residuals, value or gradient at the initial point are not
        finite; shapes that do not match.

    Notes
    -----
    Implements :eq:`nielsen-damping` and :eq:`fall`. J^T J is assembled once per accepted step. A
    trial whose residuals or derivatives are not finite, or a matrix that is not positive definite
    in float64, counts as rejected.

    By default no tolerance stops a run that still makes progress. In a narrow valley a spline
    network lowers its value by a few millionths per step for hundreds of steps, and a damping that
    falls to a third each step lets small gains grow, so no positive `value_tolerance` is safe. At
    rounding error a run still ends: where the value is not near zero, because `predicted` falls
    below the rounding error; where it is, because nu doubles with every rejection, so that after
    about ten of them h is below what `step_tolerance` allows (after about 45, if an entry of theta
    is 0, the damping overflows).

    With D = I one damping serves all parameters. Where their sizes differ by many powers of ten,
    `predicted` can be below the rounding error far from a minimizer, which ends the run. A `metric`
    such as the squares themselves, if no column of J is zero, gives each parameter a damping in its
    own unit.

    Examples
    --------
    >>> import numpy as np
    >>> result = levenberg_marquardt(lambda theta: (theta - 1.0, np.eye(2)), np.array([3.0, 4.0]))
    >>> result.theta, result.value
    (array([1., 1.]), 0.0)
    """
    check_functions(linearize=linearize)
    theta, n_steps, gradient_tolerance = check_run(theta, n_steps, gradient_tolerance, callback)
    check_functions(or_none=True, residuals=residuals, metric=metric)
    metric = None if metric is None else _checked(metric)
    damping = checks.number("damping", damping, low=_TINY)
    step_tolerance = checks.number("step_tolerance", step_tolerance, low=0.0)
    value_tolerance = checks.number("value_tolerance", value_tolerance, low=0.0)
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
