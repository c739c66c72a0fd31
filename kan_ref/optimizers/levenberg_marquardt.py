"""Levenberg-Marquardt: sums of squares made small by damped Gauss-Newton steps.

The value is r^T r (no factor 1/2), its gradient 2 J^T r with J = dr/dtheta. At a point, with damping mu > 0, the step is the
minimizer of the damped linear model |r + J h|^2 + mu |h|^2, and its quality is judged by what the model without damping promised:

    (V1)  (J^T J + mu I) h = -J^T r
    (V2)  h = J^T z,   (J J^T + mu I) z = -r                            the same h; smaller if parameters outnumber residuals
    (V3)  predicted = r^T r - |r + J h|^2 = h^T (mu h - J^T r)
    (V4)  rho = (r^T r - r_new^T r_new) / predicted,   r^T r - r_new^T r_new = (r - r_new)^T (r + r_new)
    (V5)  rho > 0:   mu <- mu max(1/3, 1 - (2 rho - 1)^3),  nu <- 2;    otherwise   mu <- mu nu,  nu <- 2 nu

(V1), (V3)-(V5): Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., IMM 2004, Algorithm 3.16
(its F is half of our value, so rho is the same). (V2): J^T (J J^T + mu I) = (J^T J + mu I) J^T. The second form of the fall in (V4)
loses nothing where r and r_new are close. A column of zeros gives h = 0 there and is left out.

Rounding. Once `predicted` is below the rounding of r^T r, rho is noise. A step is then accepted if the gradient halves (and the value
stays within the noise of residuals), and the run ends where it does not: theta gains digits after the value has none left to gain.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, check_float_array, check_integer, check_number
from kan_ref.numerics import (
    Jacobian,
    active_columns,
    dense_form,
    gram_matrix,
    multiply_transposed,
    normal_matrix,
    select_columns,
    shape,
    solve_positive_definite,
)
from kan_ref.optimizers.result import (
    Callback,
    Iterate,
    OptimizeResult,
    asked_to_stop,
    gradient_norm,
    is_small,
    start_vector,
    steps_are_done,
)

Linearize = Callable[[FloatArray], tuple[FloatArray, Jacobian]]
Residuals = Callable[[FloatArray], FloatArray]

_TINY = float(np.finfo(np.float64).tiny)
_ROUNDING = 10 * float(
    np.finfo(np.float64).eps
)  # of a value: thousands of terms, summed pairwise, lose a few eps
_NOISE = 1e-8  # of a value: residuals that are small differences of large numbers carry the rounding of the large ones


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """(V1) or (V2) at one point, assembled once and solved for as many dampings as it takes."""

    jacobian: Jacobian  # its active columns only
    active: NDArray[np.bool_]  # (n_params,)
    residuals: FloatArray
    half_gradient: FloatArray  # J^T r, (n_active,)
    matrix: FloatArray  # J^T J, or J J^T if dual
    dual: bool

    def largest_square(self) -> float:
        """max_i (J^T J)_ii."""
        if self.dual:
            dense = dense_form(self.jacobian)
            return float(np.einsum("bi,bi->i", dense, dense).max())
        return float(self.matrix.diagonal().max())

    def step(self, damping: float) -> tuple[FloatArray, float]:
        """The step h (n_params,), and the fall of the value that the linear model predicts, (V3).

        Raises
        ------
        numpy.linalg.LinAlgError
            The damped matrix is not positive definite in float64, or the step overflows.

        Notes
        -----
        Implements :eq:`damped-normal-equations` and :eq:`predicted-fall`; n^3 / 3 flops for a matrix with n rows.
        """
        damped = self.matrix.copy()
        damped.reshape(-1)[:: len(damped) + 1] += damping
        with np.errstate(over="ignore", invalid="ignore"):
            # [eq:damped-normal-equations]
            if self.dual:
                step = multiply_transposed(
                    self.jacobian, solve_positive_definite(damped, -self.residuals)
                )
            else:
                step = solve_positive_definite(damped, -self.half_gradient)
            # [/eq:damped-normal-equations]
            # [eq:predicted-fall]
            predicted = float(step @ (damping * step - self.half_gradient))
            # [/eq:predicted-fall]
        if not math.isfinite(predicted):
            raise np.linalg.LinAlgError("the step overflows float64")
        whole = np.zeros(self.active.size)
        whole[self.active] = step
        return whole, predicted


def normal_equations(
    jacobian: Jacobian, residuals: FloatArray, *, dual: bool | None = None
) -> NormalEquations:
    """The equations at a point; dual=None takes (V2) where active parameters outnumber residuals."""
    active = active_columns(jacobian)
    chosen = jacobian if active.all() else select_columns(jacobian, active)
    if dual is None:
        dual = int(active.sum()) > residuals.size
    with np.errstate(
        over="ignore"
    ):  # then the matrix is refused, whatever the damping, and the run says so
        matrix = gram_matrix(chosen) if dual else normal_matrix(chosen)
    return NormalEquations(
        chosen, active, residuals, multiply_transposed(chosen, residuals), matrix, dual
    )


class _Point(NamedTuple):
    theta: FloatArray
    residuals: FloatArray
    jacobian: Jacobian
    value: float
    norm: float


class _Problem:
    """The caller's functions: counted, and not called twice where once is enough."""

    def __init__(self, linearize: Linearize, residuals: Residuals | None) -> None:
        self.linearize, self.residuals = linearize, residuals
        self.n_evaluations = 0

    def start(self, theta: FloatArray) -> _Point:
        """The start, or a sentence that says what is wrong with it."""
        residuals, jacobian = self._call_linearize(theta)
        check_float_array("the residual vector at the start", residuals, ("n_residuals",))
        if shape(jacobian) != (residuals.size, theta.size):
            raise ValueError(
                f"the Jacobian has shape {shape(jacobian)}, but needs shape ({residuals.size}, {theta.size})"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            check_number("the value at the start", float(residuals @ residuals))
            check_float_array(
                "the gradient at the start", multiply_transposed(jacobian, residuals), (theta.size,)
            )
        return self.point(theta, residuals, jacobian)

    def try_at(self, theta: FloatArray) -> tuple[FloatArray, Jacobian | None]:
        """Residuals at a trial point; the Jacobian too if it came with them."""
        if self.residuals is None:
            return self._call_linearize(theta)
        self.n_evaluations += 1
        return np.array(self.residuals(theta), dtype=np.float64), None

    def point(self, theta: FloatArray, residuals: FloatArray, jacobian: Jacobian | None) -> _Point:
        """A point with its derivatives. Its residuals stay those that decided, also if `linearize` rounds them differently."""
        if jacobian is None:
            _, jacobian = self._call_linearize(theta)
        norm = gradient_norm(2.0 * multiply_transposed(jacobian, residuals))
        return _Point(theta, residuals, jacobian, float(residuals @ residuals), norm)

    def _call_linearize(self, theta: FloatArray) -> tuple[FloatArray, Jacobian]:
        self.n_evaluations += 1
        residuals, jacobian = self.linearize(theta)
        return np.array(residuals, dtype=np.float64), jacobian


@dataclass
class _Damping:
    mu: float
    nu: float = 2.0

    # [eq:nielsen-damping]
    def accept(self, rho: float) -> None:
        self.mu *= max(1.0 / 3.0, 1.0 - (2.0 * min(rho, 1.0) - 1.0) ** 3)
        self.nu = 2.0

    def reject(self) -> None:
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
    """The next accepted point, or the sentence why there is none. The comments quote Algorithm 3.16."""
    rounding = _ROUNDING * point.value
    size = float(np.linalg.norm(point.theta))
    while math.isfinite(state.mu):
        try:  # "Solve (A + mu I) h = -g"
            step, predicted = equations.step(state.mu)
        except np.linalg.LinAlgError:
            state.reject()
            continue
        length = float(np.linalg.norm(step))
        if length <= step_tolerance * (size + step_tolerance):  # "if |h| <= eps2 (|x| + eps2)"
            return f"the next step, of length {length:.2g}, is below {step_tolerance:g} of theta's length {size:.2g}"
        with np.errstate(
            over="ignore", invalid="ignore", divide="ignore"
        ):  # a trial may go too far: then it is refused
            trial, jacobian = problem.try_at(point.theta + step)
            if trial.shape != point.residuals.shape:
                raise ValueError(
                    f"residuals have shape {trial.shape}, but had shape {point.residuals.shape} at the start"
                )
            # [eq:fall]
            fall = float((point.residuals - trial) @ (point.residuals + trial))
            # [/eq:fall]
            decidable = predicted > rounding
            if fall > (
                0.0 if decidable else -_NOISE * point.value
            ):  # "if rho > 0 {step acceptable}"; False for nan
                new = problem.point(point.theta + step, trial, jacobian)
                good = math.isfinite(new.norm) if decidable else new.norm <= 0.5 * point.norm
                if good:
                    state.accept(fall / predicted if decidable else 1.0)
                    return new
        if not decidable:
            return f"a further fall of {predicted:.2g} is lost in the rounding of value {point.value:.2g}, and the gradient does not halve"
        state.reject()
    return "the damping has grown beyond all numbers, and still no step lowers the value"


def levenberg_marquardt(
    linearize: Linearize,
    theta: FloatArray,
    *,
    residuals: Residuals | None = None,
    n_steps: int = 100,
    damping: float = 1e-3,
    gradient_tolerance: float = 0.0,
    step_tolerance: float = 1e-16,
    value_tolerance: float = 0.0,
    callback: Callback | None = None,
) -> OptimizeResult:
    """A local minimizer of value = r^T r by Algorithm 3.16.

    Parameters
    ----------
    linearize : callable
        theta (n_params,) -> (r (n_residuals,), J): J dense, `RowSparse`, or a sequence of such blocks on top of each other; new
        arrays every time.
    theta : (n_params,)
        The start; not modified.
    residuals : callable, optional
        theta -> r, cheaper than `linearize`; for trial points.
    n_steps : int
        At most so many accepted steps; 0 evaluates the start.
    damping : float
        Positive: the first mu is damping * max_i (J^T J)_ii.
    gradient_tolerance : float
        Stop when max |2 J^T r| is below.
    step_tolerance : float
        Stop when |h| <= step_tolerance (|theta| + step_tolerance).
    value_tolerance : float
        Stop when an accepted step lowers the value by no more than this part of it; 0 disables.
    callback : callable, optional
        Iterate -> bool or None, after every accepted step; True stops.

    Returns
    -------
    result : OptimizeResult
        `n_evaluations` counts the calls of `linearize` and of `residuals`.

    Raises
    ------
    TypeError, ValueError
        theta is no finite vector; residuals, value or gradient at the start are not finite; shapes do not fit.

    Notes
    -----
    Implements :eq:`nielsen-damping` and :eq:`fall`. J^T J is assembled once an accepted step. A trial whose residuals or derivatives
    are not finite, or a matrix that is not positive definite in float64, counts as rejected.

    The defaults never stop a run that still gains. In a narrow valley a spline network gains a few millionths of its value a step
    for hundreds of steps, and a damping that fell to a third each step makes small gains grow, so no positive `value_tolerance` is
    safe. At the floor of rounding a run ends all the same: where the value is not near zero, by `predicted` against the rounding;
    where it is, because nu doubles with every refusal, so that after about ten of them h is shorter than `step_tolerance` says.

    Examples
    --------
    >>> result = levenberg_marquardt(lambda theta: (theta - 1.0, np.eye(2)), np.array([3.0, 4.0]))
    >>> result.theta, result.value
    (array([1., 1.]), 0.0)
    """
    theta = start_vector(theta)
    n_steps = check_integer("n_steps", n_steps, low=0)
    damping = check_number("damping", damping, low=_TINY)
    gradient_tolerance = check_number("gradient_tolerance", gradient_tolerance, low=0.0)
    step_tolerance = check_number("step_tolerance", step_tolerance, low=0.0)
    value_tolerance = check_number("value_tolerance", value_tolerance, low=0.0)
    problem = _Problem(linearize, residuals)
    point = problem.start(theta)
    state, step, stopped = None, 0, None
    while True:
        stopped = (
            stopped
            or is_small(point.norm, gradient_tolerance)
            or (steps_are_done(n_steps) if step == n_steps else None)
        )
        if stopped:
            return OptimizeResult(
                point.theta, point.value, point.norm, step, problem.n_evaluations, stopped
            )
        equations = normal_equations(point.jacobian, point.residuals)
        if state is None:  # "mu := tau max a_ii"
            state = _Damping(max(damping * equations.largest_square(), _TINY))
        outcome = _next_point(problem, point, state, equations, step_tolerance)
        if isinstance(outcome, str):
            return OptimizeResult(
                point.theta, point.value, point.norm, step, problem.n_evaluations, outcome
            )
        fall, allowed = point.value - outcome.value, value_tolerance * point.value
        point, step = outcome, step + 1
        stopped = asked_to_stop(
            callback, Iterate(point.theta, point.value, point.norm, step, problem.n_evaluations)
        )
        if not stopped and value_tolerance > 0.0 and fall <= allowed:
            stopped = f"step {step} lowered the value by {fall:.2g}, not more than {value_tolerance:g} of it"
