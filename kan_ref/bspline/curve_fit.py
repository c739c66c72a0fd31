"""Least squares for spline curves: corrections of a given curve that the data determine.

With the design matrix B (n, n_basis) of the basis functions at the points, targets y and initial
coefficients c0, the least-squares coefficients nearest to c0 are

    (B23)  c = c0 + lstsq(B, y - B c0)

where lstsq is the least-squares solution of smallest norm (by singular values; Golub & Van Loan,
Matrix Computations, 4th ed., section 5.5). A basis function without points keeps its old
coefficient, which a fit from zero would erase.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.bspline.bases import all_bases, knot_averages
from kan_ref.bspline.blossom import continue_curves, transfer_coef
from kan_ref.bspline.knots import breakpoints, check_knots
from kan_ref.bspline.refined_grids import contains_breakpoints
from kan_ref.checks import BoolArray, FloatArray, IntArray

# Singular values below this fraction of the largest are cut when samples correct a curve. Samples
# that touch only the tip of a support would change its coefficient by ten thousand times a small
# residual, and the curve would oscillate between the samples. Measured on exp(sin(pi x) + y^2), 5
# seeds, 30 LM steps per grid, median and worst test RMSE at G = 100: cut at rounding 4e-8 and 5e-4,
# 1e-4: 4e-8 and 7e-6, 1e-2: 4e-8 and 8e-8.
DATA_CUT = 1e-2
# How far the end polynomials are continued beyond [a, b], in units of b - a; farther out their
# large values would drown the samples. Measured on [2, 3, 1], cubic, G = 5, samples 10 times as
# wide as the grid, worst change of the function on them: no limit 2e6 of its size, 1: 0.26, 1/2:
# 0.08, 1/4: 0.08, which is the resolution of the new grid.
CONTINUED = 0.5
# Coefficients of a curve that are solved for together. Their design matrix has four times as many
# rows, which is 8 GiB here, and hours pass: time grows with the third power.
MOST_COEFFICIENTS = 2**14
_NUMBERS = 2**20  # entries of a design matrix at once: 8 MiB


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A fitted curve and the quality of the fit.

    `coef` (n_out, n_basis); `rank` of the design matrix; `unsupported`: indices of the basis
    functions without points, which keep their initial coefficients; `residual` (n_out,): root mean
    square of the residuals.
    """

    coef: FloatArray
    rank: int
    unsupported: tuple[int, ...]
    residual: FloatArray

    def __repr__(self) -> str:
        n_out, n_basis = self.coef.shape
        worst = float(self.residual.max(initial=0.0))
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
        Finite, at least one point.
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

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite, no points.

    Notes
    -----
    Implements :eq:`nearest-least-squares`. O(n n_basis^2). See tutorials/06_grids.md, "refits start
    from the old curve".

    Examples
    --------
    >>> fit = fit_curve([0.0, 1.0], [[1.0], [3.0]], knots=[-1.0, 0.0, 1.0, 2.0], degree=1)
    >>> fit.coef.round(12), fit.rank
    (array([[1., 3.]]), 2)
    """
    degree = checks.integer("degree", degree, low=0)
    vector = check_knots("knots", checks.array("knots", knots, ("n_knots",))[None], degree)
    points = checks.array("x", x, ("n",))
    targets = checks.array("y", y, ("n", "n_out"))
    if len(points) == 0 or len(points) != len(targets):
        raise ValueError(
            f"x has {len(points)} points and y {len(targets)} rows, but a fit needs "
            "the same number, at least 1"
        )
    shape = (targets.shape[1], vector.shape[1] - degree - 1)
    initial = np.zeros(shape) if start is None else checks.array("start", start, shape)
    design = all_bases(points[:, None], vector, degree)[:, 0]
    coef, rank = nearest_coefficients(design, targets, initial)
    residuals = design @ coef.T - targets
    return CurveFit(
        coef=coef,
        rank=rank,
        unsupported=tuple(int(m) for m in np.flatnonzero(~(design != 0).any(axis=0))),
        residual=np.sqrt(np.mean(residuals**2, axis=0)),
    )


def nearest_coefficients(
    design: FloatArray, targets: FloatArray, start: FloatArray, *, cut: float | None = None
) -> tuple[FloatArray, int]:
    """Return the least-squares coefficients nearest to `start`, (B23), and the rank.

    For several curves at once: design (n, n_basis), targets (n, n_out), start (n_out, n_basis).
    Directions whose singular value is below `cut` times the largest keep their initial values; None
    cuts at rounding.
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
    """Return the coefficients of the same curves on new knot vectors, from checked arguments.

    Parameters
    ----------
    knots : (n_in, n_knots)
        The old knot vectors.
    degree : int
    coef : (n_out, n_in, n_basis)
    new_knots : (n_in, any)
        The new knot vectors, with more or fewer knots.
    x : (n, n_in), optional
        Samples at which the old values are kept first.

    Returns
    -------
    coef : (n_out, n_in, new n_basis)

    Notes
    -----
    Where the new breakpoints include all the old ones, the coefficients are the exact blossoms.
    Elsewhere, and where the new grid reaches beyond the old [a, b] by more than `CONTINUED` times
    its width, the curve is fitted on 4 n_basis uniform points of the new [a, b]. Its end
    polynomials are continued beyond the old [a, b] by at most that width and are constant from
    there. The fit starts from the curve's values at the Greville points, so that an interval too
    narrow to contain a point has coefficients too. Samples then add a correction by (B23). It does
    not change what they do not touch, or touch with less than 1 % of the largest weight
    (`DATA_CUT`). The blossoms take time proportional to n_basis. A fit, or a correction, of one
    input's curves takes time that grows with n_basis^3 and memory with n_basis^2.

    Raises
    ------
    ValueError
        "n_intervals is 20000, but ..." for a fit or a correction with more than 16384 coefficients.
    """
    n_out, n_in = coef.shape[:2]
    old_grids, new_grids = breakpoints(knots, degree), breakpoints(new_knots, degree)
    reach = CONTINUED * (old_grids[:, -1] - old_grids[:, 0])
    low, high = old_grids[:, 0] - reach, old_grids[:, -1] + reach
    nested = contains_breakpoints(old_grids, new_grids)
    nested &= (new_grids[:, 0] >= low) & (new_grids[:, -1] <= high)
    moved = np.empty((n_out, n_in, new_knots.shape[1] - degree - 1))
    if nested.any():
        moved[:, nested] = transfer_coef(knots[nested], degree, coef[:, nested], new_knots[nested])
    n_basis = moved.shape[2]
    if n_basis > MOST_COEFFICIENTS and not (nested.all() and x is None):
        raise ValueError(
            f"n_intervals is {n_basis - degree}, but at most {MOST_COEFFICIENTS - degree} are "
            "allowed for grids without all the old breakpoints, such as hidden grids of fit, "
            f"since a fit solves for their coefficients with a matrix of 4 x {n_basis}^2 numbers: "
            "give fewer intervals (grids= in fit)"
        )
    for own in _parts(np.flatnonzero(~nested), 4 * n_basis * n_basis):
        moved[:, own] = _sampled_coefficients(
            knots[own], degree, coef[:, own], new_knots[own], low[own], high[own]
        )
    if x is not None:
        for own in _parts(np.arange(n_in), len(x) * n_basis):
            before = all_bases(x[:, own], knots[own], degree)
            after = all_bases(x[:, own], new_knots[own], degree)
            moved[:, own] += _corrections(before, coef[:, own], after, moved[:, own])
    return moved


def _parts(inputs: IntArray, n_numbers: int) -> Iterator[IntArray]:
    """Yield the inputs a part at a time, each with so many numbers in its design matrix."""
    at_once = max(1, _NUMBERS // max(1, n_numbers))
    for start in range(0, len(inputs), at_once):
        yield inputs[start : start + at_once]


def _corrections(
    before: FloatArray, coef: FloatArray, after: FloatArray, start: FloatArray
) -> FloatArray:
    """Return what (B23) adds to `start` (n_out, n_in, n_basis), cut at `DATA_CUT`.

    `before` (n, n_in, any) and `after` (n, n_in, n_basis) are the old and the new basis functions
    at the samples.
    """
    old, new = before.transpose(1, 2, 0), after.transpose(1, 2, 0)
    coef, start = coef.transpose(1, 2, 0), start.transpose(1, 2, 0)
    grams = new @ new.swapaxes(1, 2)
    # (B'B0) c takes fewer products than B'(B0 c) if there are many curves
    if coef.shape[2] > new.shape[1]:
        pulled = (new @ old.swapaxes(1, 2)) @ coef
    else:
        pulled = new @ (old.swapaxes(1, 2) @ coef)
    corrections, _ = _by_eigenvectors(grams, pulled - grams @ start)
    # coefficients without samples stay the same to the bit
    corrections[~grams.any(axis=2)] = 0.0
    return corrections.transpose(2, 0, 1)


def _by_eigenvectors(grams: FloatArray, pulled: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return lstsq(B, r) of every input, cut at `DATA_CUT`, from B'B and B'r; and where it is full.

    With B = U S V', lstsq(B, r) is V S^-2 V' B' r: eigenvectors of B'B suffice, because the
    singular values that are kept differ by a factor 1 / `DATA_CUT` at most. They take a tenth of
    the time of a solution by singular values where there are 64 curves. An input is full if nothing
    was cut.
    """
    squares, vectors = np.linalg.eigh(grams)
    kept = squares > DATA_CUT**2 * squares[:, -1:]
    inverse = np.divide(1.0, squares, out=np.zeros_like(squares), where=kept)
    found: FloatArray = vectors @ (inverse[:, :, None] * (vectors.swapaxes(1, 2) @ pulled))
    full: BoolArray = np.logical_and.reduce(kept, axis=1)
    return found, full


def _sampled_coefficients(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    new_knots: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Fit curves on new knot vectors to uniform points of their continuations in [low, high]."""
    grids = breakpoints(new_knots, degree)
    n_basis = new_knots.shape[1] - degree - 1
    points = np.linspace(grids[:, 0], grids[:, -1], 4 * n_basis)
    values, at_greville = (
        continue_curves(knots, degree, coef, np.clip(at, low, high))
        for at in (points, knot_averages(new_knots, degree).T)
    )
    design, start = all_bases(points, new_knots, degree), at_greville.transpose(2, 0, 1)
    rows = design.transpose(1, 2, 0)
    residual = values.transpose(2, 0, 1) - rows.swapaxes(1, 2) @ start
    corrections, full = _by_eigenvectors(rows @ rows.swapaxes(1, 2), rows @ residual)
    fitted: FloatArray = (start + corrections).transpose(2, 0, 1)
    for i in np.flatnonzero(~full):
        fitted[:, i], _ = nearest_coefficients(design[:, i], values[:, :, i], start[i].T)
    return fitted
