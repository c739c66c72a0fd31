"""Limited-memory BFGS: a quasi-Newton method that remembers a few steps instead of a matrix.

With s_i = theta_{i+1} - theta_i, y_i = gradient_{i+1} - gradient_i, rho_i = 1 / (y_i^T s_i) and V_i = I - rho_i y_i s_i^T, the
inverse Hessian approximation after the last m pairs i = k-m, ..., k-1 is

    (Q1)  H <- gamma_k I,   then for each pair, oldest first:   H <- V_i^T H V_i + rho_i s_i s_i^T
    (Q2)  gamma_k = s_{k-1}^T y_{k-1} / (y_{k-1}^T y_{k-1})
    (Q3)  theta_{k+1} = theta_k - a_k H gradient_k,   a_k by a line search with the Wolfe conditions

(Q1): Nocedal & Wright, Numerical Optimization, 2nd ed., (7.16) with the BFGS update (6.17); its product with a vector by
Algorithm 7.4 (two-loop recursion); (Q2): (7.20); (Q3): Algorithm 7.5. H is positive definite as long as every y_i^T s_i > 0, which (W2)
of the line search ensures. The book's s, y, rho are `steps`, `grad_changes`, `rho` here, since y means a layer's output.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kan_ref.checks import FloatArray, check_integer, check_number
from kan_ref.optimizers.line_search import line_search
from kan_ref.optimizers.result import (
    Callback,
    Iterate,
    OptimizeResult,
    ValueAndGrad,
    asked_to_stop,
    evaluate_start,
    gradient_norm,
    is_small,
    start_vector,
    steps_are_done,
)

_EPS = float(np.finfo(np.float64).eps)
_STANDSTILL = (
    20 * _EPS
)  # of theta and value: what a few steps of one unit in the last place add up to


class Pair(NamedTuple):
    """One remembered step: s (n_params,), y (n_params,) and rho = 1 / (y^T s) > 0."""

    step: FloatArray
    grad_change: FloatArray
    rho: float


def make_pair(step: FloatArray, grad_change: FloatArray) -> Pair | None:
    """The pair of a step, or None if its curvature y^T s is not positive beyond rounding: it would spoil H."""
    curvature = float(step @ grad_change)
    if not curvature > _EPS * float(np.sqrt((step @ step) * (grad_change @ grad_change))):
        return None
    return Pair(step, grad_change, 1.0 / curvature)


def two_loop_direction(gradient: FloatArray, pairs: Iterable[Pair]) -> FloatArray:
    """The direction -H gradient of (Q1), (Q2), without H.

    Parameters
    ----------
    gradient : (n_params,)
    pairs : sequence of Pair
        Oldest first; without any, H = I.

    Returns
    -------
    direction : (n_params,)

    Notes
    -----
    Implements :eq:`two-loop-recursion`, Algorithm 7.4; 4 m n_params multiply-adds for m pairs.
    """
    pairs = list(pairs)
    # [eq:two-loop-recursion]
    direction = -gradient  # "q <- grad f_k", with the sign of p_k = -H grad f_k from the start
    alphas = []
    for step, grad_change, rho in reversed(pairs):
        alpha = rho * (step @ direction)
        direction -= alpha * grad_change
        alphas.append(alpha)
    if pairs:
        _, grad_change, rho = pairs[-1]
        direction /= rho * (grad_change @ grad_change)  # gamma_k (Q2)
    for (step, grad_change, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        beta = rho * (grad_change @ direction)
        direction += (alpha - beta) * step
    # [/eq:two-loop-recursion]
    return direction


def _progress(before: tuple[FloatArray, float], now: tuple[FloatArray, float]) -> bool:
    """Whether theta moved and the value fell by more than their rounding between two failed line searches."""
    moved = float(np.abs(now[0] - before[0]).max())
    return moved > _STANDSTILL * float(np.abs(now[0]).max()) and before[1] - now[
        1
    ] > _STANDSTILL * abs(now[1])


def lbfgs(
    value_and_grad: ValueAndGrad,
    theta: FloatArray,
    *,
    n_steps: int = 200,
    history: int = 10,
    gradient_tolerance: float = 1e-12,
    callback: Callback | None = None,
) -> OptimizeResult:
    """A local minimizer of a smooth function by Algorithm 7.5.

    Parameters
    ----------
    value_and_grad : callable
        theta (n_params,) -> (value, gradient (n_params,)).
    theta : (n_params,)
        The start; not modified.
    n_steps : int
        At most so many accepted line searches; 0 evaluates the start.
    history : int
        m >= 1: pairs remembered.
    gradient_tolerance : float
        Stop when the largest absolute entry of the gradient is below; 0 goes on until rounding ends it.
    callback : callable, optional
        Iterate -> bool or None, after every accepted step; True stops.

    Returns
    -------
    result : OptimizeResult

    Raises
    ------
    TypeError, ValueError
        theta is no finite vector; value or gradient at the start are not finite; the gradient has another length than theta.

    Notes
    -----
    Implements :eq:`lbfgs-step`. The first step, and the first after a forgotten history, goes along the gradient and is tried with
    length min(1, |gradient|). When a line search fails, the history is forgotten; when it fails along the gradient, or again without
    progress, the run stops. Beside the caller's function a step takes 55, 65 and 85 microseconds for 100, 1000 and 3000 parameters.

    Examples
    --------
    >>> result = lbfgs(lambda theta: (0.5 * theta @ theta, theta), np.array([0.6, 0.8]))
    >>> result.value, result.stopped
    (0.0, 'the gradient is exactly zero')
    """
    theta = start_vector(theta)
    n_steps = check_integer("n_steps", n_steps, low=0)
    pairs: deque[Pair] = deque(maxlen=check_integer("history", history, low=1))
    gradient_tolerance = check_number("gradient_tolerance", gradient_tolerance, low=0.0)
    value, gradient = evaluate_start(value_and_grad, theta)
    step, n_evaluations, stopped = 0, 1, None
    failed_at: tuple[FloatArray, float] | None = None
    norm = gradient_norm(gradient)
    while True:
        stopped = (
            stopped
            or is_small(norm, gradient_tolerance)
            or (steps_are_done(n_steps) if step == n_steps else None)
        )
        if stopped:
            return OptimizeResult(theta, value, norm, step, n_evaluations, stopped)
        # [eq:lbfgs-step]
        direction = two_loop_direction(gradient, pairs)
        # the norm by way of the largest entry, whose square may be below all numbers
        first_step = 1.0 if pairs else 1.0 / max(1.0, norm * float(np.linalg.norm(gradient / norm)))
        search = line_search(
            value_and_grad, theta, direction, value, gradient, first_step=first_step
        )
        # [/eq:lbfgs-step]
        n_evaluations += search.n_evaluations
        if not search.found:
            if not pairs:
                stopped = f"the line search found no decrease along the gradient: {search.reason}"
            elif failed_at is not None and not _progress(failed_at, (theta, value)):
                stopped = f"the line search found no decrease twice, with theta standing still in between at value {value:.2g}"
            failed_at = (theta, value)
            pairs.clear()
            continue
        pair = make_pair(search.theta - theta, search.gradient - gradient)
        if pair is not None:
            pairs.append(pair)
        theta, value, gradient = search.theta, search.value, search.gradient
        step, norm = step + 1, gradient_norm(gradient)
        stopped = asked_to_stop(callback, Iterate(theta, value, norm, step, n_evaluations))
