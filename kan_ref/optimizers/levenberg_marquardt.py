"""Levenberg-Marquardt: minimize a sum of squares by damped Gauss-Newton steps.

The value is r^T r (no factor 1/2), its gradient 2 J^T r with J = dr/dtheta. With a
damping mu > 0 and a metric D, diagonal with positive entries, the step h is the
minimizer of |r + J h|^2 + mu h^T D h. The quality rho of the step is the actual fall of
the value divided by the predicted one, and controls the damping:

    (O19)  (J^T J + mu D) h = -J^T r
    (O21)  predicted = r^T r - |r + J h|^2 = h^T (mu D h - J^T r)
    (O22)  rho = fall / predicted
           fall = r^T r - r_new^T r_new = (r - r_new)^T (r + r_new)
    (O23)  rho > 0:    mu <- mu max(1/3, 1 - (2 rho - 1)^3),  nu <- 2
           otherwise:  mu <- mu nu,  nu <- 2 nu

Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., IMM
2004, Algorithm 3.16 with D = I (its F is half of our value, so rho is the same);
Marquardt, SIAM J. Appl. Math. 11, 1963, takes the diagonal of J^T J for D. The second
form of the fall in (O22) has no cancellation where r and r_new are close.

Once `predicted` is below the rounding error of r^T r, rho is noise. A step is then
accepted if the gradient halves (and the value stays within the rounding error of the
residuals); otherwise the run ends. This way theta gains digits after the value has
reached its rounding error.
"""

import math
from collections.abc import Callable

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.numerics import Jacobian, NormalSums, normal_sums, solve_positive_definite
from kan_ref.optimizers import points

Linearize = Callable[[FloatArray], tuple[FloatArray, Jacobian | NormalSums]]
Residuals = Callable[[FloatArray], FloatArray]
# squares (n_params,) of the columns of J, some perhaps 0 -> the diagonal of D, positive
Metric = Callable[[FloatArray], FloatArray]

# relative error of a value whose residuals are small differences of large numbers
_NOISE = 1e-8
_LEAST_CHANGE = 1e-16  # of a parameter, relative to it: no other number is so near


def levenberg_marquardt(
    linearize: Linearize,
    theta: FloatArray,
    residuals: Residuals | None = None,
    damping: float = 1e-3,
    metric: Metric | None = None,
) -> points.Points:
    """Yield the points of Levenberg-Marquardt, down to a local minimizer of r^T r.

    Parameters
    ----------
    linearize : callable
        theta (n_params,) -> (r (n_residuals,), J): J dense, `RowSparse`, or a sequence
        of such blocks stacked on top of each other, or `NormalSums(J^T J, J^T r)` in a
        new array every time.
    theta : (n_params,)
        The start; not modified.
    residuals : callable, optional
        theta -> r, cheaper than `linearize`; for trial points.
    damping : float
        Positive: the first mu is damping * max_i (J^T J)_ii / D_ii.
    metric : callable, optional
        The squared norms of the columns of J, (n_params,) -> the diagonal of D,
        (n_params,), all above 0. It is called once, at the start, and D then stays.
        None is D = I.

    Returns
    -------
    points : generator of Point
        The records have `.theta` (read-only), `.value`, `.gradient_norm` and
        `.n_evaluations`, the calls of `linearize` and of `residuals`; the first one is
        the start. They end where the gradient is exactly zero, where the next step
        changes no parameter, or where a further fall is lost in rounding.
        `kan_ref.optimizers.Steps` takes a number of steps and says why a run ended.

    Notes
    -----
    Implements :eq:`nielsen-damping` and :eq:`fall`. No tolerance ends a run that still
    makes progress: in a narrow valley a spline network lowers its value by a few
    millionths per step for hundreds of steps. A damping that falls to a third each step
    lets small gains grow.

    Examples
    --------
    >>> def linearize(theta):
    ...     return theta - 1.0, np.eye(2)
    >>> *_, last = levenberg_marquardt(linearize, [3.0, 4.0])
    >>> last.theta, last.value
    (array([1., 1.]), 0.0)
    """
    checks.function("linearize", linearize)
    damping = checks.number("damping", damping, above=0.0)
    theta = points.start_vector(theta)
    r, sums = _sums_at(linearize, theta)
    points.check_start(float(r @ r), sums.half_gradient, theta)
    metric = metric or np.ones_like
    return _points(linearize, theta, residuals, damping, metric, r, sums)


def _sums_at(linearize: Linearize, theta: FloatArray) -> tuple[FloatArray, NormalSums]:
    """Return the residuals r at theta, with J^T J and J^T r."""
    r, jacobian = linearize(theta)
    r = points.own(r)
    return r, normal_sums(jacobian, r)


def _points(
    linearize: Linearize,
    theta: FloatArray,
    residuals: Residuals | None,
    damping: float,
    metric: Metric,
    r: FloatArray,
    sums: NormalSums,
) -> points.Points:
    """Yield the points after a start; comments quote Algorithm 3.16."""
    n = 1
    diagonal: FloatArray | None = None
    while True:
        value = float(r @ r)
        norm = points.gradient_norm(2.0 * sums.half_gradient)
        moved = yield points.Point(theta, value, norm, n)
        if moved is not None:
            theta, n, diagonal = moved, n + 1, None
            r, sums = _sums_at(linearize, theta)
            value = float(r @ r)
            norm = points.gradient_norm(2.0 * sums.half_gradient)
        if diagonal is None:
            squares = sums.matrix.diagonal()
            diagonal = metric(squares)
            mu = damping * float((squares / diagonal).max())  # "mu := tau max a_ii"
            nu = 2.0
        if norm == 0.0:
            return "the gradient is exactly zero"
        accepted = False
        with np.errstate(all="ignore"):  # too long a step may overflow, and is rejected
            while not accepted:
                try:  # "Solve (A + mu I) h = -g"
                    h, predicted = damped_step(sums, mu * diagonal)
                except np.linalg.LinAlgError:
                    if not math.isfinite(mu):
                        return (
                            "the damped matrix is not positive definite for any damping"
                        )
                    mu *= nu
                    nu *= 2.0
                    continue

                # "if |h| <= eps2 (|x| + eps2)", but for each entry: in any units
                if (np.abs(h) <= _LEAST_CHANGE * np.abs(theta)).all():
                    return "the next step changes no parameter"
                trial = theta + h
                trial.flags.writeable = False  # so that the functions may keep it
                new_jacobian = None
                if residuals:
                    new = residuals(trial)
                else:
                    new, new_jacobian = linearize(trial)
                new = points.own(new)
                n += 1
                # [eq:fall]
                fall = float((r - new) @ (r + new))
                # [/eq:fall]
                hidden = predicted <= points.ROUNDING * value
                least_fall = -_NOISE * value if hidden else 0.0
                if fall > least_fall:  # "rho > 0 {step acceptable}"
                    if new_jacobian is None:
                        _, new_jacobian = linearize(trial)
                        n += 1
                    new_sums = normal_sums(new_jacobian, new)
                    new_norm = points.gradient_norm(2.0 * new_sums.half_gradient)
                    accepted = math.isfinite(new_norm)
                    if hidden:
                        accepted = new_norm <= 0.5 * norm
                # [eq:nielsen-damping]
                if accepted:
                    rho = 1.0 if hidden else min(fall / predicted, 1.0)
                    mu *= max(1.0 / 3.0, 1.0 - (2.0 * rho - 1.0) ** 3)
                    nu = 2.0
                else:
                    mu *= nu
                    nu *= 2.0
                # [/eq:nielsen-damping]
                if hidden and not accepted:
                    return (
                        f"a further fall of {predicted:.2g} is lost in the rounding "
                        "of the value"
                    )
        theta, r, sums = trial, new, new_sums


def damped_step(sums: NormalSums, damping: FloatArray) -> tuple[FloatArray, float]:
    """Return the step h of (O19) and the predicted fall (O21); `damping` is mu D.

    Implements :eq:`damped-normal-equations` and :eq:`predicted-fall`; n^3 / 3 flops.
    """
    matrix, half_gradient = sums
    # [eq:damped-normal-equations]
    damped = matrix.copy()
    damped.reshape(-1)[:: len(damped) + 1] += damping
    h = solve_positive_definite(damped, -half_gradient)
    # [/eq:damped-normal-equations]
    # [eq:predicted-fall]
    predicted = float(h @ (damping * h - half_gradient))
    # [/eq:predicted-fall]
    return h, predicted
