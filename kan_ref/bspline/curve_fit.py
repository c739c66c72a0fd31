"""Least squares for spline curves: corrections of a given curve that the data
determine.

With the design matrix B (n, n_basis) of the basis functions at the points, targets y
and initial coefficients c0, the least-squares coefficients nearest to c0 are

    (B23)  c = c0 + lstsq(B, y - B c0)

where lstsq is the least-squares solution of smallest norm (by singular values; Golub &
Van Loan, Matrix Computations, 4th ed., section 5.5). A basis function without points
keeps its old coefficient, which a fit from zero would erase.
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
    >>> fit = fit_curve([0.0, 1.0], [[1.0], [3.0]], knots=[-1.0, 0.0, 1.0, 2.0], degree=1)
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
    coef, rank = nearest_coefficients(design, targets, initial)
    residuals = design @ coef.T - targets
    return CurveFit(
        coef=coef,
        rank=rank,
        unsupported=tuple(np.flatnonzero(~design.any(axis=0)).tolist()),
        residual=np.sqrt(np.mean(residuals**2, axis=0)),
    )


def nearest_coefficients(
    design: FloatArray,
    targets: FloatArray,
    start: FloatArray,
    *,
    cut: float | None = None,
) -> tuple[FloatArray, int]:
    """Return the least-squares coefficients nearest to `start`, (B23), and the rank.

    For several curves at once: design (n, n_basis), targets (n, n_out), start (n_out,
    n_basis). Directions whose singular value is below `cut` times the largest keep
    their initial values; None cuts at rounding.
    """
    # [eq:nearest-least-squares]
    seen = design.any(axis=0)  # the others keep their coefficients to the bit
    correction, _, rank, _ = np.linalg.lstsq(
        design[:, seen], targets - design @ start.T, rcond=cut
    )
    coef = start.copy()
    coef[:, seen] += correction.T
    # [/eq:nearest-least-squares]
    return coef, int(rank)


def move_coefficients(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    new_knots: FloatArray,
    x: FloatArray | None = None,
) -> FloatArray:
    """Return the coefficients (n_out, n_in, new n_basis) of the same curves on new knot
    vectors.

    Where the new breakpoints include all the old ones, they are the exact blossoms.
    Elsewhere, and where the new grid reaches beyond the old [a, b] by more than
    `CONTINUED` times its width, the curve is fitted on 4 n_basis uniform points of the
    new [a, b]. Its end polynomials are continued beyond the old [a, b] by at most that
    width and are constant from there. The fit starts from the curve's values at the
    Greville points, so that an interval too narrow to contain a point has coefficients
    too.

    Samples x (n, n_in), at which the old values are kept first, then add a correction
    by (B23). It does not change what they do not touch, or touch with less than 1 % of
    the largest weight (`DATA_CUT`). The blossoms take time proportional to n_basis, a
    fit one that grows with n_basis^3.
    """
    old_grids, new_grids = breakpoints(knots, degree), breakpoints(new_knots, degree)
    reach = CONTINUED * (old_grids[:, -1] - old_grids[:, 0])
    low, high = old_grids[:, 0] - reach, old_grids[:, -1] + reach
    nested = contains_breakpoints(old_grids, new_grids)
    nested &= (new_grids[:, 0] >= low) & (new_grids[:, -1] <= high)
    n_basis = new_knots.shape[1] - degree - 1
    moved = np.empty((*coef.shape[:2], n_basis))
    moved[:, nested] = transfer_coef(
        knots[nested], degree, coef[:, nested], new_knots[nested]
    )
    for i in range(len(knots)):
        old, new, curves = knots[i : i + 1], new_knots[i : i + 1], coef[:, i : i + 1]
        if not nested[i]:
            points = np.linspace(new_grids[i, 0], new_grids[i, -1], 4 * n_basis)
            places = np.append(points, knot_averages(new, degree))[:, None]
            values = continue_curves(
                old, degree, curves, np.clip(places, low[i], high[i])
            )[..., 0]
            design = all_bases(points[:, None], new, degree)[:, 0]
            moved[:, i], _ = nearest_coefficients(
                design, values[:-n_basis], values[-n_basis:].T
            )
        if x is not None:
            before, after = (
                all_bases(x[:, i : i + 1], row, degree)[:, 0] for row in (old, new)
            )
            moved[:, i], _ = nearest_coefficients(
                after, before @ curves[:, 0].T, moved[:, i], cut=DATA_CUT
            )
    return moved
