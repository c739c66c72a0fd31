"""Least squares for spline curves: what data correct in a given curve.

With the design matrix B (n, n_basis) of the basis functions at the points, targets y
and initial coefficients c0, the least-squares coefficients nearest to c0 are

    (B23)  c = c0 + lstsq(B, y - B c0)

where lstsq is the least-squares solution of smallest norm (by singular values; Golub &
Van Loan, Matrix Computations, 4th ed., section 5.5). A basis function without points
keeps its old coefficient, which a fit from zero would erase.

When a layer moves to other knots, the edges from an input share its points, so that one
factorization serves them all. With the eigenvalues s^2 and eigenvectors V of B^T B, of
which those with s above a share of the largest are kept,

    (B26)  c = c0 + V diag(1/s^2) V^T B^T (y - B c0)
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.bspline.bases import all_bases, knot_averages
from kan_ref.bspline.blossom import continue_curves, transfer_coef
from kan_ref.bspline.knots import breakpoints, check_knots, contains_breakpoints
from kan_ref.checks import FloatArray

# Singular values below this fraction of the largest are cut when samples correct a
# curve. Samples that touch only the tip of a support would change its coefficient by
# ten thousand times a small residual, and the curve would oscillate between the
# samples. Measured on exp(sin(pi x) + y^2), 5 seeds, 30 LM steps per grid, median and
# worst test RMSE at G = 100: cut at rounding 4e-8 and 5e-4, 1e-4: 4e-8 and 7e-6, 1e-2:
# 4e-8 and 8e-8.
DATA_CUT = 1e-2
# How far the end polynomials are continued beyond [a, b], in units of b - a; farther
# out their large values would drown the samples. Measured on [2, 3, 1], cubic, G = 5,
# samples 10 times as wide as the grid, worst change of the function on them: no limit
# 2e6 of its size, 1: 0.26, 1/2: 0.08, 1/4: 0.08, which is the resolution of the new
# grid.
CONTINUED = 0.5
_AT_ONCE = 2**17  # entries of a design matrix, 1 MiB: more take twice as long
# Added to B^T B, in units of its largest entry, so that a basis function without points
# keeps its start: a rounding error, whose effect a second solution removes
_RIDGE = 1e-13


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A fitted curve and the quality of the fit.

    `coef` (n_out, n_basis); `rank` of the design matrix; `unsupported`: indices of the
    basis functions without points, which keep their initial coefficients; `residual`
    (n_out,): root mean square of the residuals.
    """

    coef: FloatArray
    rank: int
    unsupported: tuple[int, ...]
    residual: FloatArray

    def __repr__(self) -> str:
        n_out, n_basis = self.coef.shape
        worst = self.residual.max(initial=0.0)
        return (
            f"CurveFit({n_out} curves of {n_basis} basis functions, rank {self.rank}, "
            f"{len(self.unsupported)} without points, residual {worst:.2g})"
        )


def fit_curve(
    x: object, y: object, *, knots: object, degree: int, start: object = None
) -> CurveFit:
    """Fit curves on one knot vector to points by least squares.

    Parameters
    ----------
    x : (n,)
        At least one point.
    y : (n, n_out)
        One column per curve.
    knots : (n_knots,)
        Nondecreasing.
    degree : int
        At least 0.
    start : (n_out, n_basis), optional
        Initial coefficients c0; zero without it.

    Returns
    -------
    fit : CurveFit
        Implements :eq:`nearest-least-squares`. See tutorials/06_grids.md, "refits start
        from the old curve".

    Examples
    --------
    >>> x, y, knots = [0.0, 1.0], [[1.0], [3.0]], [-1.0, 0.0, 1.0, 2.0]
    >>> fit = fit_curve(x, y, knots=knots, degree=1)
    >>> fit.coef.round(12), fit.rank
    (array([[1., 3.]]), 2)
    """
    degree = checks.integer("degree", degree)
    vector = check_knots(
        "knots", checks.array("knots", knots, ("n_knots",))[None], degree
    )
    points = checks.samples("x", x, ("n",))
    targets = checks.array("y", y, (len(points), "n_out"))
    shape = (targets.shape[1], vector.shape[1] - degree - 1)
    initial = np.zeros(shape) if start is None else checks.array("start", start, shape)
    design = all_bases(points[:, None], vector, degree)[:, 0]
    # [eq:nearest-least-squares]
    seen = design.any(axis=0)  # the others keep their coefficients to the bit
    residuals = targets - design @ initial.T
    correction, _, rank, _ = np.linalg.lstsq(design[:, seen], residuals)
    coef = initial.copy()
    coef[:, seen] += correction.T
    # [/eq:nearest-least-squares]
    residual = np.sqrt(np.mean((targets - design @ coef.T) ** 2, axis=0))
    unsupported = tuple(np.flatnonzero(~seen).tolist())
    return CurveFit(coef, int(rank), unsupported, residual)


def move_coefficients(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    new_knots: FloatArray,
    x: FloatArray | None = None,
) -> FloatArray:
    """Return coefficients (n_out, n_in, new n_basis) of the same curves on new knots.

    Where the new breakpoints include all the old ones, they are the exact blossoms.
    Elsewhere, and where the new grid reaches beyond the old [a, b] by more than
    `CONTINUED` times its width, the curves are fitted on uniform points.

    Samples x (n, n_in), at which the old values are kept first, then add a correction
    by (B26). It does not change what they do not touch, or touch with less than 1 % of
    the largest weight (`DATA_CUT`). The blossoms take time proportional to n_basis, a
    fit one that grows with n_basis^3.
    """
    n_out, n_in, n_basis = coef.shape
    if n_out > n_basis:
        # curves are sums of basis functions, which are fewer here and move alike
        units = np.repeat(np.eye(n_basis)[:, None], n_in, axis=1)
        moved = move_coefficients(knots, degree, units, new_knots, x)
        product = coef.swapaxes(0, 1) @ moved.swapaxes(0, 1)
        return np.ascontiguousarray(product.swapaxes(0, 1))

    old_grids, new_grids = breakpoints(knots, degree), breakpoints(new_knots, degree)
    low, high = _continued_ends(old_grids)
    nested = contains_breakpoints(old_grids, new_grids)
    nested &= (new_grids[:, 0] >= low) & (new_grids[:, -1] <= high)

    moved = np.empty((n_out, n_in, new_knots.shape[1] - degree - 1))
    for part, transfer in ((nested, transfer_coef), (~nested, _fit_continued)):
        if part.any():
            own = knots[part], degree, coef[:, part], new_knots[part]
            moved[:, part] = transfer(*own)
    if x is not None:
        # views with the axes [in, m, out]: what is added to `new` is added to `moved`
        old, new = coef.transpose(1, 2, 0), moved.transpose(1, 2, 0)
        new += _correction(x, degree, knots, old, new_knots, new)
    return moved


def _fit_continued(
    knots: FloatArray, degree: int, coef: FloatArray, new_knots: FloatArray
) -> FloatArray:
    """Return coefficients of curves fitted on 4 n_basis points of the new [a, b].

    They are uniform. The end polynomials are continued beyond the old [a, b] by at most
    `CONTINUED` times its width and are constant from there. The fit starts from the
    curve's values at the Greville points, so that an interval too narrow to contain a
    point has coefficients too.
    """
    grids, greville = breakpoints(new_knots, degree), knot_averages(new_knots, degree).T
    n_basis = len(greville)
    points = np.linspace(grids[:, 0], grids[:, -1], 4 * n_basis)
    places = np.concatenate([points, greville])
    places = np.clip(places, *_continued_ends(breakpoints(knots, degree)))
    values = continue_curves(knots, degree, coef, places).transpose(2, 0, 1)
    targets, fitted = values[:, :-n_basis], values[:, -n_basis:].copy()

    design = _designs(points, new_knots, degree)
    gram = design @ design.swapaxes(1, 2)
    largest = gram.max(axis=(1, 2), keepdims=True)
    gram += _RIDGE * largest * np.eye(n_basis)
    for _ in range(2):  # the second solution corrects the rounding errors of the first
        residuals = targets - design.swapaxes(1, 2) @ fitted
        fitted += np.linalg.solve(gram, design @ residuals)
    return fitted.transpose(2, 0, 1)


def _continued_ends(grids: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far curves on these breakpoints are continued, (n_in,), (n_in,)."""
    a, b = grids[:, 0], grids[:, -1]
    reach = CONTINUED * (b - a)
    return a - reach, b + reach


def _correction(
    x: FloatArray,
    degree: int,
    knots: FloatArray,
    coef: FloatArray,
    new_knots: FloatArray,
    new_coef: FloatArray,
) -> FloatArray:
    """Return what keeps the old values at samples, (B26), all [in, m, out]."""
    n_in, n_basis = new_coef.shape[:2]
    gram = np.zeros((n_in, n_basis, n_basis))
    mixed = np.zeros((n_in, n_basis, coef.shape[1]))
    size = max(256, _AT_ONCE // (n_in * n_basis))
    for start in range(0, len(x), size):
        samples = x[start : start + size]
        old, new = (_designs(samples, row, degree) for row in (knots, new_knots))
        # [eq:stacked-least-squares]
        gram += new @ new.swapaxes(1, 2)
        mixed += new @ old.swapaxes(1, 2)
    projected = mixed @ coef - gram @ new_coef
    squares, vectors = np.linalg.eigh(gram)
    kept = squares > DATA_CUT**2 * squares[:, -1:]
    inverse = np.divide(1.0, squares, out=np.zeros(squares.shape), where=kept)
    coordinates = inverse[:, :, None] * (vectors.swapaxes(1, 2) @ projected)
    correction: FloatArray = vectors @ coordinates
    # [/eq:stacked-least-squares]
    return correction


def _designs(x: FloatArray, knots: FloatArray, degree: int) -> FloatArray:
    """Return B^T of each input at x (n, n_in), (n_in, n_basis, n)."""
    return all_bases(x, knots, degree).transpose(1, 2, 0)
