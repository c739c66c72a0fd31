"""Levenberg-Marquardt without matrices: damped equations by preconditioned conjugate gradients.

The equations (O19), (J^T J + mu D) h = -J^T r, are of the form A x = b with A positive definite.
Conjugate gradients solve them approximately. From x = 0, r = A x - b, y = M^-1 r, p = -y, repeat

    (O24)  alpha = r^T y / p^T A p,   x <- x + alpha p,   r <- r + alpha A p,   y = M^-1 r
    (O25)  beta = r_new^T y_new / r^T y,   p <- -y + beta p

Nocedal & Wright, Numerical Optimization, 2nd ed., Algorithm 5.3. M is symmetric positive definite.
Each iteration takes one product with A, here one with J and one with J^T, and no matrix. In exact
arithmetic r is orthogonal to x, and x minimises x^T A x / 2 - b^T x over the directions so far:
also an x that is stopped early lowers it.

The preconditioner M has the diagonal of the equations, with d the squared norms of the columns
of J:

    (O26)  diag M = d + mu D

It is this diagonal itself, or for an operator with `kronecker_blocks`, such as that of a network on
data, (N11) of `numerics.operators`. Its nu is the median of mu D_i / d_i, by which damping weakens
the correlations, but at least 0.05: (N11) does not approximate small eigenvalues.

Since the residual of conjugate gradients is orthogonal to h, (O21) is the predicted fall also of
an approximate h. `damped_steps` accepts or rejects the step and controls the damping.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_integer, check_number, check_pair, quiet_except
from kan_ref.numerics import (
    FactoredOperator,
    Jacobian,
    KroneckerBlock,
    KroneckerPreconditioner,
    Operator,
    as_operator,
)
from kan_ref.optimizers.damped_steps import Residuals, Tolerances, damped_steps
from kan_ref.optimizers.normal_equations import Metric
from kan_ref.optimizers.result import Callback, OptimizeResult, check_functions

Product = Callable[[FloatArray], FloatArray]

# nu of (N11) on [20, 20, 20, 1]: 0.05 and 0.2 lower the model equally fast, without it no faster
# than the diagonal does where the damping is small
_LEAST_SHIFT = 0.05
LinearizeOperator = Callable[[FloatArray], tuple[FloatArray, Jacobian | Operator]]


def conjugate_gradients(
    product: Product, rhs: FloatArray, precondition: Product, *, tolerance: float, n_steps: int
) -> tuple[FloatArray, int]:
    """Return an approximate solution of A x = b, and the number of products.

    Parameters
    ----------
    product : callable
        u (n,) -> A u.
    rhs : (n,)
        b.
    precondition : callable
        r (n,) -> M^-1 r.
    tolerance : float
        Stop when sqrt(r^T M^-1 r) is at most this fraction of its value at x = 0.
    n_steps : int
        Most iterations.

    Returns
    -------
    x : (n,)
        Where rounding leaves p^T A p not positive, the last one before.
    n_products : int

    Notes
    -----
    Implements :eq:`conjugate-gradients`.

    Examples
    --------
    >>> matrix = np.array([[4.0, 0.0], [0.0, 1.0]])
    >>> x, n = conjugate_gradients(
    ...     lambda u: matrix @ u,
    ...     np.array([8.0, 3.0]),
    ...     lambda r: r / matrix.diagonal(),
    ...     tolerance=0.0,
    ...     n_steps=9,
    ... )
    >>> x, n
    (array([2., 3.]), 1)
    """
    x, r = np.zeros(rhs.size), -rhs
    y = precondition(r)
    p, size = -y, float(r @ y)
    least = tolerance**2 * size
    for n_products in range(n_steps):
        if not size > least:
            return x, n_products
        image = product(p)
        curvature = float(p @ image)
        if not (curvature > 0.0 and math.isfinite(curvature)):
            return x, n_products + 1
        # [eq:conjugate-gradients]
        alpha = size / curvature
        x += alpha * p
        r += alpha * image
        y = precondition(r)
        new_size = float(r @ y)
        p = -y + (new_size / size) * p
        size = new_size
        # [/eq:conjugate-gradients]
    return x, n_steps


@dataclass(frozen=True, eq=False)
class _Equations:
    """(O19) at a point, by products."""

    operator: Operator
    half_gradient: FloatArray
    squares: FloatArray
    every_metric: FloatArray
    blocks: Sequence[KroneckerBlock]
    tolerance: float
    cg_steps: int

    def largest_square(self) -> float:
        """Return max_i (J^T J)_ii / D_ii."""
        return float((self.squares / self.every_metric).max())

    def step(self, damping: float) -> tuple[FloatArray, float]:
        """Return an approximate step h and the predicted fall of the value.

        Raises
        ------
        numpy.linalg.LinAlgError
            The step overflows.
        """
        damped = damping * self.every_metric

        def product(u: FloatArray) -> FloatArray:
            return self.operator.normal_product(u) + damped * u

        # [eq:damped-equations-by-products]
        step, _ = conjugate_gradients(
            product,
            -self.half_gradient,
            self._preconditioner(damped),
            tolerance=self.tolerance,
            n_steps=self.cg_steps,
        )
        predicted = float(step @ (damped * step - self.half_gradient))
        # [/eq:damped-equations-by-products]
        if not np.isfinite(predicted):  # nor is it where an entry of the step is not
            raise np.linalg.LinAlgError("the step overflows float64")
        return step, predicted

    def _preconditioner(self, damped: FloatArray) -> Product:
        """Return r -> M^-1 r, (O26)."""
        diagonal = self.squares + damped
        if not self.blocks:
            return lambda r: r / diagonal
        active = self.squares > 0.0
        weakened = np.median(damped[active] / self.squares[active]) if active.any() else 0.0
        return KroneckerPreconditioner(self.blocks, diagonal, max(_LEAST_SHIFT, float(weakened)))


@dataclass(frozen=True, eq=False)
class _Products:
    """A linearization by products."""

    operator: Operator
    tolerance: float
    cg_steps: int

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of residuals and parameters."""
        return self.operator.shape

    def half_gradient(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_params,)."""
        return self.operator.multiply_transposed(residuals)

    def equations(self, residuals: FloatArray, metric: Metric | None) -> _Equations:
        """Return (O19) with the column norms that its preconditioner needs."""
        squares = self.operator.column_squares()
        diagonal = np.ones(len(squares)) if metric is None else metric(squares)
        blocks: Sequence[KroneckerBlock] = ()
        if isinstance(self.operator, FactoredOperator) and np.isfinite(squares).all():
            blocks = self.operator.kronecker_blocks(squares)
        return _Equations(
            self.operator,
            self.half_gradient(residuals),
            squares,
            diagonal,
            blocks,
            self.tolerance,
            self.cg_steps,
        )


@quiet_except("linearize", "residuals", "metric", "callback")
def levenberg_marquardt_cg(
    linearize: LinearizeOperator,
    theta: FloatArray,
    *,
    residuals: Residuals | None = None,
    n_steps: int = 100,
    damping: float = 1.0,
    metric: Metric | None = None,
    cg_tolerance: float = 0.1,
    cg_steps: int = 100,
    gradient_tolerance: float = 0.0,
    step_tolerance: float = 1e-16,
    value_tolerance: float = 0.0,
    callback: Callback | None = None,
) -> OptimizeResult:
    """Find a local minimizer of value = r^T r by Algorithm 3.16 with conjugate gradients.

    Parameters
    ----------
    linearize : callable
        theta (n_params,) -> (r (n_residuals,), J): a Jacobian as for `levenberg_marquardt`, or an
        operator with `shape`, `multiply`, `multiply_transposed`, `normal_product` and
        `column_squares`, and optionally `kronecker_blocks`, as in `numerics.operators`.
    theta : (n_params,)
        The initial point; not modified.
    residuals, n_steps, metric
        As in `levenberg_marquardt`.
    damping : float
        As there. The default is larger, because a rejected step costs as many products as an
        accepted one, and the first steps from random parameters are rejected with a small damping.
    cg_tolerance : float
        At least 0 and below 1: conjugate gradients stop when the residual of the equations, in the
        norm of the inverse preconditioner, has fallen to this fraction.
    cg_steps : int
        At least 1: most products with J^T J for a step.
    gradient_tolerance, step_tolerance, value_tolerance, callback
        As in `levenberg_marquardt`.

    Returns
    -------
    result : OptimizeResult
        `n_evaluations` counts the calls of `linearize` and of `residuals`, not the products.

    Raises
    ------
    TypeError, ValueError
        As `levenberg_marquardt`.

    Notes
    -----
    Implements :eq:`damped-equations-by-products`. A step takes at most `cg_steps` products with
    J^T J; besides those the work and the memory are a few vectors of n_params numbers.

    Examples
    --------
    >>> result = levenberg_marquardt_cg(lambda theta: (theta - 1.0, np.eye(2)), np.zeros(2))
    >>> result.theta, result.value
    (array([1., 1.]), 0.0)
    """
    tolerance = check_number("cg_tolerance", cg_tolerance, low=0.0)
    if tolerance >= 1.0:
        raise ValueError(
            f"cg_tolerance is {tolerance:g}, but must be below 1, because conjugate gradients "
            "begin there and would make no step: give 0.1, for instance"
        )
    most = check_integer("cg_steps", cg_steps, low=1)

    check_functions(linearize=linearize)

    def products(theta: FloatArray) -> tuple[FloatArray, _Products]:
        found, jacobian = check_pair("linearize", linearize(theta), "(residuals, Jacobian)")
        return found, _Products(as_operator(jacobian), tolerance, most)

    return damped_steps(
        products,
        theta,
        residuals=residuals,
        n_steps=n_steps,
        damping=damping,
        metric=metric,
        tolerances=Tolerances(gradient_tolerance, step_tolerance, value_tolerance),
        callback=callback,
    )
