"""Least squares for spline curves that starts from a curve and changes only what the data speak of.

With the design matrix B (n, n_basis) of the bases at the points, targets y and a starting curve c0, of all coefficients
that fit the data best the one nearest to c0 is

    (F1)  c = c0 + lstsq(B, y - B c0)

where lstsq is the least-squares solution of smallest norm (by singular values; Golub & Van Loan, Matrix Computations,
4th ed., section 5.5). A basis with no point under it keeps its old coefficient, where a fit from zero would erase it.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.bspline.bases import basis, greville
from kan_ref.bspline.blossom import blossom_coef, continued_values
from kan_ref.bspline.knots import breakpoints, check_knots, is_nested
from kan_ref.checks import FloatArray, check_float_array, check_integer

# Samples that reach into a basis by the tip of its support would, for a tiny misfit, move its coefficient by ten thousand
# times that; between the samples the curve then goes astray. Measured on exp(sin(pi x) + y^2), 5 seeds, 30 LM steps a
# grid, median and worst test RMSE at G = 100: cut at rounding 4e-8 and 5e-4, 1e-4: 4e-8 and 7e-6, 1e-2: 4e-8 and 8e-8.
DATA_CUT = 1e-2
# How far beyond [a, b], in units of b - a, an end polynomial is believed: farther out it only makes large numbers that drown what
# samples say. Measured on [2, 3, 1], cubic, G = 5, samples 10 times as wide as the grid, worst change of the function on them: no
# limit 2e6 of its size, 1: 0.26, 1/2: 0.08, 1/4: 0.08, as near as the coarse new grid comes.
CONTINUED = 0.5


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A fitted curve and what the fit was worth.

    `coef` (n_out, n_basis); `rank` of the design matrix; `unsupported`: indices of the bases that no point touches, which
    keep their starting coefficients; `residual` (n_out,): root mean square of what is left.
    """

    coef: FloatArray
    rank: int
    unsupported: tuple[int, ...]
    residual: FloatArray

    def __repr__(self) -> str:
        n_out, n_basis = self.coef.shape
        worst = float(self.residual.max(initial=0.0))
        return (
            f"CurveFit({n_out} curves of {n_basis} bases, rank {self.rank}, "
            f"{len(self.unsupported)} bases without points, residual {worst:.2g})"
        )


def fit_curve(
    x: object, y: object, *, knots: object, degree: int, start: object = None
) -> CurveFit:
    """Curves on one knot row through points, as near as least squares comes.

    Parameters
    ----------
    x : (n,)
        Finite, at least one point.
    y : (n, n_out)
        One column a curve.
    knots : (n_knots,)
        Rising.
    degree : int
        At least 0.
    start : (n_out, n_basis), optional
        Curves to start from; zero without it.

    Returns
    -------
    fit : CurveFit

    Raises
    ------
    ValueError, TypeError
        For wrong shapes, falling knots, numbers that are not finite, no points.

    Notes
    -----
    Implements :eq:`nearest-least-squares`. O(n n_basis^2). See tutorials/06_grids.md, "refits start from the old curve".

    Examples
    --------
    >>> fit = fit_curve([0.0, 1.0], [[1.0], [3.0]], knots=[-1.0, 0.0, 1.0, 2.0], degree=1)
    >>> fit.coef.round(12), fit.rank
    (array([[1., 3.]]), 2)
    """
    degree = check_integer("degree", degree, low=0)
    row = check_knots("knots", check_float_array("knots", knots, ("n_knots",))[None], degree)
    points = check_float_array("x", x, ("n",))
    targets = check_float_array("y", y, ("n", "n_out"))
    if len(points) == 0 or len(points) != len(targets):
        raise ValueError(
            f"x has {len(points)} points and y {len(targets)} rows, but a fit needs the same number, at least 1"
        )
    shape = (targets.shape[1], row.shape[1] - degree - 1)
    origin = np.zeros(shape) if start is None else check_float_array("start", start, shape)
    design = basis(points[:, None], row, degree)[:, 0]
    coef, rank = nearest_coefficients(design, targets, origin)
    left = design @ coef.T - targets
    return CurveFit(
        coef=coef,
        rank=rank,
        unsupported=tuple(int(m) for m in np.flatnonzero(~(design != 0).any(axis=0))),
        residual=np.sqrt(np.mean(left**2, axis=0)),
    )


def nearest_coefficients(
    design: FloatArray, targets: FloatArray, start: FloatArray, *, cut: float | None = None
) -> tuple[FloatArray, int]:
    """(F1) for several curves at once: design (n, n_basis), targets (n, n_out), start (n_out, n_basis); also the rank.

    Directions whose singular value is below `cut` times the largest stay at the start; None cuts at rounding.
    """
    # [eq:nearest-least-squares]
    seen = design.any(axis=0)  # the others keep their coefficients to the bit
    correction, _, rank, _ = np.linalg.lstsq(design[:, seen], targets - design @ start.T, rcond=cut)
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
    """Coefficients of the same curves on other knot rows.

    Parameters
    ----------
    knots : (n_in, n_knots)
        The old rows.
    degree : int
    coef : (n_out, n_in, n_basis)
    new_knots : (n_in, any)
        The new rows; more or fewer knots.
    x : (n, n_in), optional
        Samples at which the old values count most.

    Returns
    -------
    coef : (n_out, n_in, new n_basis)

    Notes
    -----
    Where the new breakpoints inside the old [a, b] include all the old ones, the curve is carried over exactly by its
    blossom. Elsewhere it is fitted on 4 n_basis uniform points of the new [a, b], with its end polynomials continued
    beyond the old [a, b], by at most `CONTINUED` times its width, and held constant from there; the fit starts from the
    curve's values at the Greville points, so that an interval too narrow to hold a point has a coefficient too. Samples
    then add a correction by (F1) that leaves alone what they do not touch, or touch with less than 1 % of the weight of
    what they touch most (`DATA_CUT`). A new grid that reaches farther than `CONTINUED` is fitted also where it is nested.
    """
    n_out, n_in = coef.shape[:2]
    old_grids, new_grids = breakpoints(knots, degree), breakpoints(new_knots, degree)
    reach = CONTINUED * (old_grids[:, -1] - old_grids[:, 0])
    low, high = old_grids[:, 0] - reach, old_grids[:, -1] + reach
    nested = is_nested(old_grids, new_grids) & (new_grids[:, 0] >= low) & (new_grids[:, -1] <= high)
    moved = np.empty((n_out, n_in, new_knots.shape[1] - degree - 1))
    if nested.any():
        moved[:, nested] = blossom_coef(knots[nested], degree, coef[:, nested], new_knots[nested])
    for i in np.flatnonzero(~nested).tolist():
        old, new = slice(i, i + 1), new_knots[i : i + 1]
        grid = breakpoints(new, degree)[0]
        points = np.linspace(grid[0], grid[-1], 4 * moved.shape[2])[:, None]
        values, at_greville = (
            continued_values(knots[old], degree, coef[:, old], np.clip(at, low[i], high[i]))[
                :, :, 0
            ]
            for at in (points, greville(new, degree).T)
        )
        moved[:, i], _ = nearest_coefficients(
            basis(points, new, degree)[:, 0], values, at_greville.T
        )
    if x is not None:
        for i in range(n_in):
            old = slice(i, i + 1)
            values = basis(x[:, old], knots[old], degree)[:, 0] @ coef[:, i].T
            design = basis(x[:, old], new_knots[old], degree)[:, 0]
            moved[:, i], _ = nearest_coefficients(design, values, moved[:, i], cut=DATA_CUT)
    return moved
