"""Conjugate gradients with a preconditioner, for A x = b with A positive definite.

From x = 0, r = A x - b, y = M^-1 r, p = -y, repeat

    (O24)  alpha = r^T y / p^T A p,   x <- x + alpha p,   r <- r + alpha A p,   y = M^-1 r
    (O25)  beta = r_new^T y_new / r^T y,   p <- -y + beta p

Nocedal & Wright, Numerical Optimization, 2nd ed., Algorithm 5.3. M is symmetric positive definite.
Each iteration takes one product with A, and no matrix. In exact arithmetic r is orthogonal to x,
and x minimises x^T A x / 2 - b^T x over the directions so far: also an x that is stopped early
lowers it.
"""

import math
from collections.abc import Callable

import numpy as np

from kan_ref.checks import FloatArray

Product = Callable[[FloatArray], FloatArray]


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
