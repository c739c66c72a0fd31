"""The damped normal equations: the step of Levenberg-Marquardt at one point.

For residuals r with the Jacobian J = dr/dtheta, a damping mu > 0 and a metric D, diagonal with
positive entries, the step h is the minimizer of |r + J h|^2 + mu h^T D h:

    (O19)  (J^T J + mu D) h = -J^T r
    (O20)  h = D^-1 J^T z,   (J D^-1 J^T + mu I) z = -r    the same h, for n_params > n_residuals
    (O21)  predicted = r^T r - |r + J h|^2 = h^T (mu D h - J^T r)

(Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., IMM 2004,
section 3.2, with D = I; Marquardt, SIAM J. Appl. Math. 11, 1963, with the diagonal of J^T J.) For
(O20) use J^T (J D^-1 J^T + mu I) = (J^T J + mu D) D^-1 J^T. A column of zeros gives h = 0 there and
is left out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray
from kan_ref.numerics import (
    Jacobian,
    NormalSums,
    active_columns,
    column_squares,
    gram_matrix,
    multiply_transposed,
    normal_matrix,
    scale_columns,
    select_columns,
    solve_positive_definite,
)

# squares (n_params,) of the columns of J, 0 where they are inactive -> the diagonal of D, positive
Metric = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """(O19) or (O20) at one point, assembled once and solved for any number of dampings."""

    jacobian: Jacobian | None  # its active columns only; None if only their sums were kept
    active: NDArray[np.bool_]  # (n_params,)
    residuals: FloatArray
    half_gradient: FloatArray  # J^T r, (n_active,)
    matrix: FloatArray  # J^T J, or J D^-1 J^T if dual
    every_metric: FloatArray  # the diagonal of D, (n_params,)
    squares: FloatArray  # the diagonal of J^T J, (n_active,)
    dual: bool

    @property
    def metric(self) -> FloatArray:
        """The diagonal of D for the active columns, (n_active,)."""
        return self.every_metric[self.active]

    def largest_square(self) -> float:
        """Return max_i (J^T J)_ii / D_ii."""
        return float((self.squares / self.metric).max())

    @np.errstate(all="ignore")  # an overflow is reported as an error
    def step(self, damping: float) -> tuple[FloatArray, float]:
        """Return the step h (n_params,), and the predicted fall of the value, (O21).

        Raises
        ------
        numpy.linalg.LinAlgError
            The damped matrix is not positive definite in float64, or the step overflows.

        Notes
        -----
        Implements :eq:`damped-normal-equations` and :eq:`predicted-fall`; n^3 / 3 flops for a
        matrix with n rows.
        """
        damped = self.matrix.copy()
        damped.reshape(-1)[:: len(damped) + 1] += damping if self.dual else damping * self.metric
        # [eq:damped-normal-equations]
        if self.dual and self.jacobian is not None:
            z = solve_positive_definite(damped, -self.residuals)
            step = multiply_transposed(self.jacobian, z) / self.metric
        else:
            step = solve_positive_definite(damped, -self.half_gradient)
        # [/eq:damped-normal-equations]
        # [eq:predicted-fall]
        predicted = float(step @ (damping * self.metric * step - self.half_gradient))
        # [/eq:predicted-fall]
        if not math.isfinite(predicted):
            raise np.linalg.LinAlgError("the step overflows float64")
        whole = np.zeros(self.active.size)
        whole[self.active] = step
        return whole, predicted


@np.errstate(all="ignore")  # Cholesky rejects a matrix with an overflow for every damping
def normal_equations(
    jacobian: Jacobian,
    residuals: FloatArray,
    *,
    dual: bool | None = None,
    metric: Metric | None = None,
) -> NormalEquations:
    """Assemble the equations at a point.

    `dual` None takes (O20) if there are more active parameters than residuals. `metric` None is D =
    I.
    """
    active = active_columns(jacobian)
    chosen = jacobian if active.all() else select_columns(jacobian, active)
    if dual is None:
        dual = int(active.sum()) > residuals.size
    matrix = np.empty((0, 0)) if dual else normal_matrix(chosen)
    squares = column_squares(chosen) if dual else matrix.diagonal()
    every = np.zeros(active.size)
    every[active] = squares
    diagonal = np.ones(active.size) if metric is None else metric(every)
    if dual:
        matrix = gram_matrix(scale_columns(chosen, 1.0 / np.sqrt(diagonal[active])))
    half_gradient = multiply_transposed(chosen, residuals)
    return NormalEquations(
        chosen, active, residuals, half_gradient, matrix, diagonal, squares, dual
    )


@np.errstate(all="ignore")
def summed_equations(sums: NormalSums, metric: Metric | None = None) -> NormalEquations:
    """Return (O19) from the sums of J^T J and J^T r over chunks of rows; `metric` None is D = I."""
    every = sums.matrix.diagonal().copy()
    active = every != 0.0  # nan too, which Cholesky rejects
    chosen = sums if active.all() else sums.select_columns(active)
    diagonal = np.ones(active.size) if metric is None else metric(every)
    return NormalEquations(
        None,
        active,
        np.empty(0),
        chosen.half_gradient,
        chosen.matrix,
        diagonal,
        chosen.matrix.diagonal(),
        dual=False,
    )
