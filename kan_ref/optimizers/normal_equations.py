"""The damped normal equations: the step of Levenberg-Marquardt at one point.

For residuals r with the Jacobian J = dr/dtheta, and a damping mu > 0, the step h is the minimizer
of |r + J h|^2 + mu |h|^2:

    (O19)  (J^T J + mu I) h = -J^T r
    (O20)  h = J^T z,   (J J^T + mu I) z = -r         the same h, for n_params > n_residuals
    (O21)  predicted = r^T r - |r + J h|^2 = h^T (mu h - J^T r)

(Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., IMM 2004,
section 3.2.)
For (O20) use J^T (J J^T + mu I) = (J^T J + mu I) J^T. A column of zeros gives h = 0 there and is
left out.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray
from kan_ref.numerics import (
    Jacobian,
    active_columns,
    dense_form,
    gram_matrix,
    multiply_transposed,
    normal_matrix,
    select_columns,
    solve_positive_definite,
)


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """(O19) or (O20) at one point, assembled once and solved for any number of dampings."""

    jacobian: Jacobian  # its active columns only
    active: NDArray[np.bool_]  # (n_params,)
    residuals: FloatArray
    half_gradient: FloatArray  # J^T r, (n_active,)
    matrix: FloatArray  # J^T J, or J J^T if dual
    dual: bool

    def largest_square(self) -> float:
        """Return max_i (J^T J)_ii."""
        dense = dense_form(self.jacobian) if self.dual else None
        squares = self.matrix.diagonal() if dense is None else np.einsum("bi,bi->i", dense, dense)
        return float(squares.max())

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
        damped.reshape(-1)[:: len(damped) + 1] += damping
        # [eq:damped-normal-equations]
        if self.dual:
            z = solve_positive_definite(damped, -self.residuals)
            step = multiply_transposed(self.jacobian, z)
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


@np.errstate(all="ignore")  # Cholesky rejects a matrix with an overflow for every damping
def normal_equations(
    jacobian: Jacobian, residuals: FloatArray, *, dual: bool | None = None
) -> NormalEquations:
    """Assemble the equations at a point.

    `dual` None takes (O20) if there are more active parameters than residuals.
    """
    active = active_columns(jacobian)
    chosen = jacobian if active.all() else select_columns(jacobian, active)
    if dual is None:
        dual = int(active.sum()) > residuals.size
    matrix = gram_matrix(chosen) if dual else normal_matrix(chosen)
    half_gradient = multiply_transposed(chosen, residuals)
    return NormalEquations(chosen, active, residuals, half_gradient, matrix, dual)
