"""SciPy's B-splines as a subject: `scipy.interpolate.BSpline`, values and derivatives.

SciPy evaluates between t[k] and t[-k-1] alone, and its last interval must not be empty. To evaluate
on the whole knot vector, each end is repeated until it occurs exactly k + 1 times. The B-splines of
the knot vector do not change; new ones are dropped, and missing ones are 0.
"""

import numpy as np

from kan_ref.checks import FloatArray


class SciPyBSplines:
    """`BSpline` on all unit coefficient vectors at once."""

    name = "scipy.interpolate.BSpline"

    def __init__(self) -> None:
        import scipy

        self.version = scipy.__version__

    def basis(self, x: FloatArray, knots: FloatArray, degree: int) -> FloatArray:
        """Return the basis functions (n, n_basis)."""
        return self.basis_derivative(x, knots, degree, 0)

    def basis_derivative(
        self, x: FloatArray, knots: FloatArray, degree: int, order: int
    ) -> FloatArray:
        """Return derivatives of the basis functions (n, n_basis)."""
        from scipy.interpolate import BSpline

        order = min(order, degree + 1)  # all zero; SciPy before 1.17 breaks at higher orders
        first, last = (degree + 1 - int((knots == end).sum()) for end in knots[[0, -1]])
        kept = knots[max(0, -first) : len(knots) - max(0, -last)]
        row = np.pad(kept, (max(0, first), max(0, last)), mode="edge")
        n_row = len(row) - degree - 1
        inside = ~((x < knots[0]) | (x > knots[-1]))  # nan is SciPy's to answer
        values = np.zeros((len(x), n_row))
        values[inside] = BSpline(row, np.eye(n_row), degree, extrapolate=False)(x[inside], nu=order)
        padded = np.pad(values, [(0, 0), (max(0, -first), max(0, -last))])
        return padded[:, max(0, first) : max(0, first) + len(knots) - degree - 1]
