"""Levenberg-Marquardt: minimize a sum of squares by damped Gauss-Newton steps.

The value is r^T r (no factor 1/2), its gradient 2 J^T r with J = dr/dtheta. At a point, with the
damping mu > 0, the step h and the predicted fall of the value are those of `normal_equations`,
(O19)-(O21). `damped_steps` accepts or rejects the step and controls the damping, (O22) and (O23).
"""

from collections.abc import Callable
from dataclasses import dataclass

from kan_ref.checks import FloatArray, check_pair, quiet_except
from kan_ref.numerics import Jacobian, NormalSums, as_jacobian, multiply_transposed, shape
from kan_ref.optimizers.damped_steps import Residuals, Tolerances, damped_steps
from kan_ref.optimizers.normal_equations import (
    Metric,
    NormalEquations,
    normal_equations,
    summed_equations,
)
from kan_ref.optimizers.result import Callback, OptimizeResult, check_functions

Linearize = Callable[[FloatArray], tuple[FloatArray, Jacobian | NormalSums]]


@dataclass(frozen=True, eq=False)
class _Stored:
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


@quiet_except("linearize", "residuals", "metric", "callback")
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

    def stored(theta: FloatArray) -> tuple[FloatArray, _Stored]:
        found, jacobian = check_pair("linearize", linearize(theta), "(residuals, Jacobian)")
        return found, _Stored(
            jacobian if isinstance(jacobian, NormalSums) else as_jacobian(jacobian)
        )

    return damped_steps(
        stored,
        theta,
        residuals=residuals,
        n_steps=n_steps,
        damping=damping,
        metric=metric,
        tolerances=Tolerances(gradient_tolerance, step_tolerance, value_tolerance),
        callback=callback,
    )
