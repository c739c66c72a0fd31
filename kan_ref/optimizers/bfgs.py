"""BFGS and its self-scaled relatives: quasi-Newton methods that keep the whole inverse Hessian.

With s = theta_{k+1} - theta_k, y = gradient_{k+1} - gradient_k, B the model of the Hessian, H = B^-1, and the four numbers

    (F1)  b = s^T B s / y^T s,   h = y^T H y / y^T s,   a = b h - 1 >= 0 (Cauchy-Schwarz),   c = sqrt(a / (1 + a)),

the scaled Broyden family is, with w = sqrt(s^T B s) (y / y^T s - B s / s^T B s) and v = sqrt(y^T H y) (s / y^T s - H y / y^T H y),

    (F2)  B+ = tau (B - B s s^T B / s^T B s + theta w w^T) + y y^T / y^T s
    (F3)  H+ = (H - H y y^T H / y^T H y + phi v v^T) / tau + s s^T / y^T s,   phi = (1 - theta) / sigma,   sigma = 1 + a theta

(F3) is the inverse of (F2), and H+ y = s. det B+ = det B tau^(n-1) sigma / b, so that both stay positive definite if and only if y^T s, tau
and sigma are positive. In the metric of B the new matrix, H^(1/2) B+ H^(1/2), has n - 2 eigenvalues tau and the two roots of
lambda^2 - (tau sigma + h) lambda + tau sigma / b; their quotient is least at tau sigma = h, where they are h (1 - c) and h (1 + c).

    (F4)  "bfgs"       tau = 1,  theta = 0
    (F5)  "ssbfgs"     tau = min(1, 1 / b),  theta = 0
    (F6)  "ssbroyden"  b <= 1:  theta = min(1, 1 / b - 1),               tau = sigma^(-1/(n-1))
                       b > 1:   theta = max((rho - 1) / a, 1 / b - 1),   tau = min(sigma^(-1/(n-1)) / b, sigma),   rho = h (1 - c)

(F2) to (F4): Nocedal & Wright, Numerical Optimization, 2nd ed., (6.17) and section 6.3, with the factor of Oren & Luenberger, Management
Science 20 (1974), in front; Algorithm 6.1 is the loop, (6.20) the first H. 1 / b scales B to the curvature just seen along s. (F5) does
so only downwards: tau <= 1 is the safeguard of Al-Baali, Computational Optimization and Applications 9 (1998), since BFGS by itself raises
low eigenvalues well and lowers high ones slowly. (F6) goes from BFGS towards DFP (theta = 1) where B was too low along s, b < 1, and beyond
BFGS, theta < 0, where it was too high, as far as sigma >= rho; -1 < theta <= 1, 0 < tau <= 1 and phi >= 0. It goes after Al-Baali,
Spedicato & Maggioni, Optimization Methods and Software 29 (2014), and Urban, Stefanou & Pons, J. Comput. Phys. 523 (2025), arXiv
2405.04230; what "ssbroyden" means here is (F6) as it stands above.
"""

import math
from typing import NamedTuple

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_integer, check_number
from kan_ref.optimizers.line_search import LineSearch, line_search
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

UPDATES = ("bfgs", "ssbfgs", "ssbroyden")
MOST_PARAMETERS = 16384  # their matrix of doubles takes 2 GiB

_EPS = float(np.finfo(np.float64).eps)
_ROUNDING = 20 * _EPS  # of a value: what a few steps of one unit in the last place add up to
_PATIENCE = 10  # line searches without gain: near the floor of rounding slopes still gain digits of theta, but not in each step
_HUGE = 1e150  # of b, h and their inverses: beyond, products of them overflow
_BLOCK_ENTRIES = (
    2**15
)  # of the matrix, updated at once: they stay in the cache, 2 to 3 times as fast as all at once


class Member(NamedTuple):
    """One member of the family (F3): tau > 0, theta, and phi >= 0."""

    tau: float
    theta: float
    phi: float


def family_member(update: str, b: float, h: float, n_params: int) -> Member:
    """The member (F4), (F5) or (F6) for a step with the numbers (F1).

    Parameters
    ----------
    update : str
        "bfgs", "ssbfgs" or "ssbroyden".
    b, h : float
        Positive, with b h >= 1 but for rounding.
    n_params : int
        n; with one parameter all members agree.

    Returns
    -------
    member : Member

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
    rho = 1.0 / (
        b * (1.0 + math.sqrt(a / (1.0 + a)))
    )  # h (1 - c) = h (1 - c^2) / (1 + c), and 1 - c^2 = 1 / (b h)
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
    """Turn H into H+ in place, and say whether that was possible.

    Parameters
    ----------
    inverse : (n_params, n_params)
        H, symmetric positive definite; overwritten with H+ (F3), or left alone if the answer is False.
    step, grad_change : (n_params,)
        s and y.
    model_curvature : float
        s^T B s: an optimizer knows it without B, since B s = -a gradient after a step of length a along -H gradient.
    update : str
        "bfgs", "ssbfgs" or "ssbroyden".

    Returns
    -------
    updated : bool
        False if the curvature y^T s is not positive beyond rounding, judged by lengths and in the metric of H.

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
    lost = image / math.sqrt(tau * inverse_curvature)
    turned = math.sqrt(phi / tau) * v
    won = step / math.sqrt(curvature)
    left = np.stack([lost, turned, won], axis=1)
    if not float(np.abs(left).max()) < _HUGE:
        return False
    right = np.stack([-lost, turned, won])
    n_rows = max(1, _BLOCK_ENTRIES // step.size)
    for start in range(0, step.size, n_rows):
        block = inverse[start : start + n_rows]
        block *= 1.0 / tau
        block += left[start : start + n_rows] @ right
    # [/eq:inverse-broyden-update]
    return True


def _learn(
    inverse: FloatArray | None,
    theta: FloatArray,
    gradient: FloatArray,
    search: LineSearch,
    update: str,
) -> FloatArray | None:
    """H after a step from theta; None, to start again along the gradient, if the step has no curvature to learn from.

    Notes
    -----
    Implements :eq:`first-inverse-hessian`.
    """
    step, grad_change = search.theta - theta, search.gradient - gradient
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # then H is not finite, and the next direction is refused
        if inverse is None:
            # [eq:first-inverse-hessian]
            scale = (
                float(step @ grad_change) / float(grad_change @ grad_change)
                if grad_change.any()
                else 0.0
            )
            # [/eq:first-inverse-hessian]
            if not scale > 0.0:
                return None
            inverse = np.zeros((step.size, step.size))
            inverse.reshape(-1)[:: step.size + 1] = scale
            model_curvature = float(step @ step) / scale
        else:
            model_curvature = -search.step * float(step @ gradient)
        return (
            inverse
            if update_inverse_hessian(inverse, step, grad_change, model_curvature, update)
            else None
        )


class _Watch:
    """Counts line searches in a row that lowered neither the value by more than its rounding nor the gradient's norm below its least."""

    def __init__(self, value: float, norm: float) -> None:
        self.value, self.norm, self.n_idle = value, norm, 0

    def see(self, value: float, norm: float) -> str | None:
        """The sentence of a run that has come to a standstill, or None."""
        self.n_idle += 1
        if self.value - value > _ROUNDING * abs(value) or norm < self.norm:
            self.value, self.norm, self.n_idle = min(value, self.value), min(norm, self.norm), 0
        if self.n_idle < _PATIENCE:
            return None
        return f"{_PATIENCE} line searches lowered neither the value {value:.2g} beyond its rounding nor the gradient norm {self.norm:.2g}"


def bfgs(
    value_and_grad: ValueAndGrad,
    theta: FloatArray,
    *,
    n_steps: int = 200,
    update: str = "bfgs",
    gradient_tolerance: float = 1e-12,
    callback: Callback | None = None,
) -> OptimizeResult:
    """A local minimizer of a smooth function by Algorithm 6.1 with one of three updates.

    Parameters
    ----------
    value_and_grad : callable
        theta (n_params,) -> (value, gradient (n_params,)).
    theta : (n_params,)
        The start; not modified. At most 16384 numbers.
    n_steps : int
        At most so many accepted line searches; 0 evaluates the start.
    update : str
        "bfgs" (F4), "ssbfgs" (F5) or "ssbroyden" (F6).
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
        theta is no finite vector, or so long that its matrix takes more than 2 GiB; value or gradient at the start are not finite;
        the gradient has another length than theta.

    Notes
    -----
    Implements :eq:`bfgs-step`. The first step goes along the gradient and is tried with length min(1, |gradient|). After a step without
    positive curvature, or a failed line search, H is forgotten and the run starts again along the gradient; when a search fails there, or
    ten searches in a row gain nothing, the run stops. Beside the caller's function a step takes 50 and 350 microseconds
    for 100 and 600 parameters, 10 to 25 ms for 3000.

    Examples
    --------
    >>> result = bfgs(lambda theta: (0.5 * theta @ theta, theta), np.array([0.6, 0.8]))
    >>> result.value, result.stopped
    (0.0, 'the gradient is exactly zero')
    """
    theta = start_vector(theta)
    if theta.size > MOST_PARAMETERS:
        raise ValueError(
            f"theta has {theta.size} numbers, but their matrix of {theta.size}^2 doubles takes {theta.size**2 / 2**27:.1f} GiB, "
            f"and at most {MOST_PARAMETERS} numbers (2 GiB) are allowed; lbfgs keeps no matrix"
        )
    n_steps = check_integer("n_steps", n_steps, low=0)
    update = check_choice("update", update, UPDATES)
    gradient_tolerance = check_number("gradient_tolerance", gradient_tolerance, low=0.0)
    value, gradient = evaluate_start(value_and_grad, theta)
    step, n_evaluations, stopped = 0, 1, None
    inverse: FloatArray | None = None
    norm = gradient_norm(gradient)
    watch = _Watch(value, norm)
    while True:
        stopped = (
            stopped
            or is_small(norm, gradient_tolerance)
            or (steps_are_done(n_steps) if step == n_steps else None)
        )
        if stopped:
            return OptimizeResult(theta, value, norm, step, n_evaluations, stopped)
        # [eq:bfgs-step]
        length = norm * float(
            np.linalg.norm(gradient / norm)
        )  # squares of tiny numbers would vanish
        first_step = min(1.0, 1.0 / length) if inverse is None else 1.0
        with np.errstate(over="ignore", invalid="ignore"):
            direction = -gradient if inverse is None else -(inverse @ gradient)
        search = line_search(
            value_and_grad, theta, direction, value, gradient, first_step=first_step
        )
        # [/eq:bfgs-step]
        n_evaluations += search.n_evaluations
        if search.found:
            inverse = _learn(inverse, theta, gradient, search, update)
            theta, value, gradient = search.theta, search.value, search.gradient
            step, norm = step + 1, gradient_norm(gradient)
            stopped = asked_to_stop(callback, Iterate(theta, value, norm, step, n_evaluations))
        elif inverse is None:
            stopped = f"the line search found no decrease along the gradient: {search.reason}"
        else:
            inverse = None
        stopped = stopped or watch.see(value, norm)
