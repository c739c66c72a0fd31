"""BFGS and its self-scaled relatives: quasi-Newton methods that keep the whole inverse Hessian H.

Nocedal & Wright, Numerical Optimization, 2nd ed., Algorithm 6.1: a line search along -H gradient,
then an update of H. The first H is a multiple of the identity, their (6.20). Let
s = theta_{k+1} - theta_k and y = gradient_{k+1} - gradient_k. B is the model of the Hessian and
H = B^-1. With the numbers

    (O13)  b = s^T B s / y^T s,   h = y^T H y / y^T s,   a = b h - 1,   c = sqrt(a / (1 + a)),

where a >= 0 by Cauchy-Schwarz, and the vectors w = sqrt(s^T B s) (y / y^T s - B s / s^T B s) and
v = sqrt(y^T H y) (s / y^T s - H y / y^T H y), the scaled Broyden family of updates is

    (O14)  B+ = tau (B - B s s^T B / s^T B s + theta w w^T) + y y^T / y^T s
    (O15)  H+ = (H - H y y^T H / y^T H y + phi v v^T) / tau + s s^T / y^T s,
           phi = (1 - theta) / sigma,   sigma = 1 + a theta

The two are inverse to each other, and H+ y = s. Since det B+ = det B tau^(n-1) sigma / b, both
matrices stay positive definite if and only if y^T s, tau and sigma are positive. In the metric of B
the new matrix, H^(1/2) B+ H^(1/2), has n - 2 eigenvalues tau, and the two roots of

    lambda^2 - (tau sigma + h) lambda + tau sigma / b = 0.

Their quotient is smallest at tau sigma = h, where they are h (1 - c) and h (1 + c).

    (O16)  "bfgs"       tau = 1,  theta = 0
    (O17)  "ssbfgs"     tau = min(1, 1 / b),  theta = 0
    (O18)  "ssbroyden"  b <= 1:  theta = min(1, 1 / b - 1),   tau = sigma^(-1/(n-1))
                        b > 1:   theta = max((rho - 1) / a, 1 / b - 1),   rho = h (1 - c),
                                 tau = min(sigma^(-1/(n-1)) / b, sigma)

For (O14) to (O16) see Nocedal & Wright, (6.17), section 6.3; the factor tau is that of Oren &
Luenberger, Management Science 20 (1974). 1 / b scales B to the curvature measured along s. (O17)
scales only downwards: tau <= 1 is the safeguard of Al-Baali, Computational Optimization and
Applications 9 (1998), since BFGS corrects low eigenvalues of B well and high ones slowly. (O18)
moves from BFGS towards DFP (theta = 1) where B was too low along s, b < 1. Where B was too high it
moves in the other direction, theta < 0, as far as sigma >= rho. The ranges are -1 < theta <= 1,
0 < tau <= 1 and phi >= 0. It follows Al-Baali, Spedicato & Maggioni, Optimization Methods and
Software 29 (2014), and Urban, Stefanou & Pons, J. Comput. Phys. 523 (2025), arXiv 2405.04230;
"ssbroyden" here means (O18) exactly.
"""

import math
from typing import NamedTuple

import numpy as np

from kan_ref.checks import FloatArray, check_choice, quiet_except
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

UPDATES = ("bfgs", "ssbfgs", "ssbroyden")
_EPS = float(np.finfo(np.float64).eps)
_HUGE = 1e150  # of b, h and their inverses: beyond, products of them overflow
# of the matrix, updated at once: they stay in the cache, 2 to 3 times as fast
_BLOCK_ENTRIES = 2**15
MOST_PARAMETERS = 16384  # their matrix of doubles takes 2 GiB
_ROUNDING = 20 * _EPS  # of a value: a few units in the last place
# line searches without progress: close to rounding error not every step gains digits
_PATIENCE = 10


class Member(NamedTuple):
    """One member of the family (O15): tau > 0, theta, and phi >= 0."""

    tau: float
    theta: float
    phi: float


def family_member(update: str, b: float, h: float, n_params: int) -> Member:
    """Return the member (O16), (O17) or (O18) for a step with the numbers (O13).

    Parameters
    ----------
    update : str
        "bfgs", "ssbfgs" or "ssbroyden".
    b, h : float
        Positive, with b h >= 1 up to rounding.
    n_params : int
        n; with one parameter all members are equal.

    Notes
    -----
    Implements :eq:`family-member`.

    Examples
    --------
    >>> family_member("ssbfgs", 4.0, 1.0, 2)
    Member(tau=0.25, theta=0.0, phi=1.0)
    """
    # [eq:family-member]
    if update == "bfgs":
        return Member(1.0, 0.0, 1.0)
    a = max(b * h - 1.0, 0.0)
    if update == "ssbfgs" or a == 0.0:  # a = 0: then v = 0, and theta does not matter
        return Member(min(1.0, 1.0 / b), 0.0, 1.0)
    root = -1.0 / max(n_params - 1, 1)
    if b <= 1.0:
        theta = min(1.0, 1.0 / b - 1.0)
        sigma = 1.0 + a * theta
        return Member(sigma**root, theta, (1.0 - theta) / sigma)
    # rho = h (1 - c) = h (1 - c^2) / (1 + c), and 1 - c^2 = 1 / (b h)
    rho = 1.0 / (b * (1.0 + math.sqrt(a / (1.0 + a))))
    theta = max((rho - 1.0) / a, 1.0 / b - 1.0)
    sigma = max(1.0 + a * theta, rho)  # the sum may cancel
    return Member(min(sigma**root / b, sigma), theta, (1.0 - theta) / sigma)
    # [/eq:family-member]


def update_inverse_hessian(
    inverse: FloatArray,
    step: FloatArray,
    grad_change: FloatArray,
    model_curvature: float,
    update: str,
) -> bool:
    """Update H to H+ in place, and return whether that was possible.

    Parameters
    ----------
    inverse : (n_params, n_params)
        H, symmetric positive definite; overwritten with H+ (O15), or unchanged if the result is
        False.
    step, grad_change : (n_params,)
        s and y.
    model_curvature : float
        s^T B s, which needs no B: B s = -a gradient after a step of length a along -H gradient.
    update : str
        "bfgs", "ssbfgs" or "ssbroyden".

    Returns
    -------
    updated : bool
        False if the curvature y^T s is not positive beyond rounding, by lengths and in the metric
        of H.

    Notes
    -----
    Implements :eq:`inverse-broyden-update`; 5 n_params^2 multiply-adds, no second matrix.
    """
    curvature = float(grad_change @ step)
    if not curvature > _EPS * float(np.sqrt((step @ step) * (grad_change @ grad_change))):
        return False
    image = inverse @ grad_change  # H y
    inverse_curvature = float(grad_change @ image)
    b, h = model_curvature / curvature, inverse_curvature / curvature
    if not (1.0 / _HUGE < b < _HUGE and 1.0 / _HUGE < h < _HUGE and b * h < 1.0 / _EPS):
        return False
    tau, _, phi = family_member(update, b, h, step.size)
    # [eq:inverse-broyden-update]
    v = math.sqrt(inverse_curvature) * (step / curvature - image / inverse_curvature)
    removed = image / math.sqrt(tau * inverse_curvature)
    turned = math.sqrt(phi / tau) * v
    added = step / math.sqrt(curvature)
    left = np.stack([removed, turned, added], axis=1)
    if not float(np.abs(left).max()) < _HUGE:
        return False
    right = np.stack([-removed, turned, added])
    n_rows = max(1, _BLOCK_ENTRIES // step.size)
    for start in range(0, step.size, n_rows):
        block = inverse[start : start + n_rows]
        block *= 1.0 / tau
        block += left[start : start + n_rows] @ right
    # [/eq:inverse-broyden-update]
    return True


class _Progress:
    """Counts line searches in a row that lower neither the value beyond rounding nor the norm."""

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
        gradient at the initial point are not finite; a later one is not of real numbers; the
        gradient has another length than theta.

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
    theta, n_steps, gradient_tolerance = check_run(theta, n_steps, gradient_tolerance, callback)
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
            return OptimizeResult(theta.copy(), value, norm, step, n_evaluations, stopped)
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
