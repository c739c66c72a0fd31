"""BFGS: a quasi-Newton method that keeps the whole inverse Hessian H.

Nocedal & Wright, Numerical Optimization, 2nd ed., Algorithm 6.1: a line search along -H gradient,
then an update of H. The first H is a multiple of the identity, their (6.20); the updates
(O16)-(O18) are those of `broyden_family`.
"""

import numpy as np

from kan_ref.checks import FloatArray, check_choice, quiet_except
from kan_ref.optimizers.broyden_family import UPDATES, update_inverse_hessian
from kan_ref.optimizers.line_search import LineSearch, line_search
from kan_ref.optimizers.result import (
    Callback,
    Iterate,
    OptimizeResult,
    ValueAndGrad,
    asked_to_stop,
    check_run,
    evaluate_start,
    gradient_norm,
    is_small,
    steps_are_done,
)

MOST_PARAMETERS = 16384  # their matrix of doubles takes 2 GiB

_ROUNDING = 20 * float(np.finfo(np.float64).eps)  # of a value: a few units in the last place
_PATIENCE = (
    10  # line searches without progress: close to rounding error not every step gains digits
)


class _Progress:
    """Counts line searches in a row without progress.

    Progress lowers the value by more than its rounding error, or the gradient norm below its
    minimum.
    """

    def __init__(self, value: float, norm: float) -> None:
        self.value, self.norm, self.n_idle = value, norm, 0

    def reason_to_stop(self, value: float, norm: float) -> str | None:
        """Count a line search; return why the run stops, or None if it continues."""
        self.n_idle += 1
        if self.value - value > _ROUNDING * abs(value) or norm < self.norm:
            self.value, self.norm, self.n_idle = min(value, self.value), min(norm, self.norm), 0
        if self.n_idle < _PATIENCE:
            return None
        return (
            f"{_PATIENCE} line searches lowered neither the value {value:.2g} beyond its rounding "
            f"nor the gradient norm {self.norm:.2g}"
        )


def _updated(
    inverse: FloatArray | None,
    theta: FloatArray,
    gradient: FloatArray,
    search: LineSearch,
    update: str,
) -> FloatArray | None:
    """Return H after a step from theta; None, for a restart, if the step has no positive curvature.

    Notes
    -----
    Implements :eq:`first-inverse-hessian`.
    """
    step, grad_change = search.theta - theta, search.gradient - gradient
    # on overflow H is not finite, and the line search rejects the next direction
    if inverse is not None:
        model_curvature = -search.step * float(step @ gradient)
    else:
        # [eq:first-inverse-hessian]
        scale = float((step @ grad_change) / (grad_change @ grad_change))  # nan if both underflow
        # [/eq:first-inverse-hessian]
        if not scale > 0.0:
            return None
        inverse = np.zeros((step.size, step.size))
        inverse.reshape(-1)[:: step.size + 1] = scale
        model_curvature = float(step @ step) / scale
    possible = update_inverse_hessian(inverse, step, grad_change, model_curvature, update)
    return inverse if possible else None


@quiet_except("value_and_grad", "callback")
def bfgs(
    value_and_grad: ValueAndGrad,
    theta: FloatArray,
    *,
    n_steps: int = 200,
    update: str = "bfgs",
    gradient_tolerance: float = 1e-12,
    callback: Callback | None = None,
) -> OptimizeResult:
    """Find a local minimizer of a smooth function by Algorithm 6.1 with one of three updates.

    Parameters
    ----------
    value_and_grad : callable
        theta (n_params,) -> (value, gradient (n_params,)).
    theta : (n_params,)
        The initial point; not modified. At most 16384 numbers.
    n_steps : int
        Maximum number of accepted line searches; 0 evaluates the initial point.
    update : str
        "bfgs" (O16), "ssbfgs" (O17) or "ssbroyden" (O18).
    gradient_tolerance : float
        Stop when the largest absolute entry of the gradient is below; 0 continues until rounding
        error dominates.
    callback : callable, optional
        Iterate -> bool or None, after every accepted step; True stops.

    Returns
    -------
    result : OptimizeResult

    Raises
    ------
    TypeError, ValueError
        theta is not a finite vector, or so long that its matrix takes more than 2 GiB; value or
        gradient at the initial point are not finite; the gradient has another length than theta.

    Notes
    -----
    Implements :eq:`bfgs-step`. The first step goes along the gradient, with the trial length min(1,
    |gradient|). After a step without positive curvature, or a failed line search, H is discarded
    and the run restarts along the gradient. When a search fails there, or ten searches in a row
    make no progress, the run stops. Besides the caller's function a step takes 50 and 350
    microseconds for 100 and 600 parameters, 10 to 25 ms for 3000.

    Examples
    --------
    >>> result = bfgs(lambda theta: (0.5 * theta @ theta, theta), np.array([0.6, 0.8]))
    >>> result.value, result.stopped
    (0.0, 'the gradient is exactly zero')
    """
    theta, n_steps, gradient_tolerance = check_run(theta, n_steps, gradient_tolerance)
    if theta.size > MOST_PARAMETERS:
        raise ValueError(
            f"theta has {theta.size} numbers, but their matrix of {theta.size}^2 doubles takes "
            f"{theta.size**2 / 2**27:.1f} GiB, and at most {MOST_PARAMETERS} numbers (2 GiB) "
            "are allowed; lbfgs keeps no matrix"
        )
    update = check_choice("update", update, UPDATES)
    value, gradient = evaluate_start(value_and_grad, theta)
    norm = gradient_norm(gradient)
    step, n_evaluations, stopped = 0, 1, None
    inverse: FloatArray | None = None
    progress = _Progress(value, norm)
    while True:
        stopped = stopped or is_small(norm, gradient_tolerance)
        if not stopped and step == n_steps:
            stopped = steps_are_done(n_steps)
        if stopped:
            return OptimizeResult(theta, value, norm, step, n_evaluations, stopped)
        # [eq:bfgs-step]
        length = norm * float(np.linalg.norm(gradient / norm))  # squares of tiny numbers underflow
        first_step = min(1.0, 1.0 / length) if inverse is None else 1.0
        direction = -gradient if inverse is None else -(inverse @ gradient)
        search = line_search(
            value_and_grad, theta, direction, value, gradient, first_step=first_step
        )
        # [/eq:bfgs-step]
        n_evaluations += search.n_evaluations
        if search.found:
            inverse = _updated(inverse, theta, gradient, search, update)
            theta, value, gradient = search.theta, search.value, search.gradient
            step, norm = step + 1, gradient_norm(gradient)
            stopped = asked_to_stop(callback, Iterate(theta, value, norm, step, n_evaluations))
        elif inverse is None:
            stopped = f"the line search found no decrease along the gradient: {search.reason}"
        else:
            inverse = None
        stopped = stopped or progress.reason_to_stop(value, norm)
