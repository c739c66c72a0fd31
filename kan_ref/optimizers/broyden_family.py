"""Updates of the inverse Hessian in BFGS and its self-scaled relatives, the scaled Broyden family.

Let s = theta_{k+1} - theta_k and y = gradient_{k+1} - gradient_k. B is the model of the Hessian and
H = B^-1. With the numbers

    (O13)  b = s^T B s / y^T s,   h = y^T H y / y^T s,   a = b h - 1,   c = sqrt(a / (1 + a)),

where a >= 0 by Cauchy-Schwarz, and the vectors w = sqrt(s^T B s) (y / y^T s - B s / s^T B s) and
v = sqrt(y^T H y) (s / y^T s - H y / y^T H y), the family is

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

For (O14) to (O16) see Nocedal & Wright, Numerical Optimization, 2nd ed., (6.17), section 6.3; the
factor tau is that of Oren & Luenberger, Management Science 20 (1974). 1 / b scales B to the
curvature measured along s. (O17) scales only downwards: tau <= 1 is the safeguard of Al-Baali,
Computational Optimization and Applications 9 (1998), since BFGS corrects low eigenvalues of B well
and high ones slowly. (O18) moves from BFGS towards DFP (theta = 1) where B was too low along s,
b < 1. Where B was too high it moves in the other direction, theta < 0, as far as sigma >= rho. The
ranges are -1 < theta <= 1, 0 < tau <= 1 and phi >= 0. It follows Al-Baali, Spedicato & Maggioni,
Optimization Methods and Software 29 (2014), and Urban, Stefanou & Pons, J. Comput. Phys. 523
(2025), arXiv 2405.04230; "ssbroyden" here means (O18) exactly.
"""

import math
from typing import NamedTuple

import numpy as np

from kan_ref.checks import FloatArray

UPDATES = ("bfgs", "ssbfgs", "ssbroyden")

_EPS = float(np.finfo(np.float64).eps)
_HUGE = 1e150  # of b, h and their inverses: beyond, products of them overflow
_BLOCK_ENTRIES = (
    2**15
)  # of the matrix, updated at once: they stay in the cache, 2 to 3 times as fast


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
