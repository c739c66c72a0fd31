"""Knot insertion: two classical algorithms for new knot vectors that contain the old one.

They agree with the blossom of `blossom` and serve as independent checks of it. One knot t (Boehm
1980):

    (B20)  coef'_m = (1 - alpha_m) coef_{m-1} + alpha_m coef_m,
           alpha_m = (t - t_m) / (t_{m+k} - t_m), clipped to [0, 1]

A whole knot vector t' at once (the Oslo algorithm; Cohen, Lyche & Riesenfeld 1980), with 0/0 := 0:

    (B21)  A^0_{n,m} = 1 where t_m <= t'_n < t_{m+1}, else 0,
           w_{m,d} = (t'_{n+d} - t_m) / (t_{m+d} - t_m)
    (B22)  A^d_{n,m} = w_{m,d} A^{d-1}_{n,m} + (1 - w_{m+1,d}) A^{d-1}_{n,m+1},
           coef'_n = sum_m A^k_{n,m} coef_m
"""

import numpy as np

from kan_ref.bspline.knots import check_knots
from kan_ref.bspline.refined_grids import multiplicity
from kan_ref.checks import FloatArray, check_float_array, check_integer, check_number


def insert_knot(
    knots: object, degree: int, coef: object, t: float
) -> tuple[FloatArray, FloatArray]:
    """Insert one knot, and return the coefficients of the same curves on the new knot vector.

    Parameters
    ----------
    knots : (n_knots,)
    degree : int
    coef : (n_curves, n_basis)
    t : float
        Between the first and the last knot.

    Returns
    -------
    knots : (n_knots + 1,)
    coef : (n_curves, n_basis + 1)
        The curves are the same everywhere, even outside [a, b].

    Raises
    ------
    ValueError, TypeError
        A knot vector that is none; coef of another shape; t outside the knot vector.

    Notes
    -----
    Implements :eq:`boehm`.

    Examples
    --------
    >>> insert_knot([0.0, 1.0, 2.0, 3.0], 1, [[5.0, 7.0]], 1.5)
    (array([0. , 1. , 1.5, 2. , 3. ]), array([[5., 6., 7.]]))
    """
    degree = check_integer("degree", degree, low=0)
    (old,) = check_knots("knots", [knots], degree)
    n_basis = len(old) - degree - 1
    curves = check_float_array("coef", coef, ("n_curves", n_basis))
    t = check_number("t", t, low=float(old[0]), high=float(old[-1]))
    zeros = np.zeros((len(curves), 1))
    # [eq:boehm]
    low, high = old[: n_basis + 1], old[degree:]
    alpha = np.where(
        t >= high, 1.0, (np.clip(t, low, high) - low) / np.where(high > low, high - low, 1.0)
    )
    moved = (1.0 - alpha) * np.hstack([zeros, curves]) + alpha * np.hstack([curves, zeros])
    # [/eq:boehm]
    return np.insert(old, np.searchsorted(old, t), t), moved


def refinement_matrix(knots: object, degree: int, new_knots: object) -> FloatArray:
    """Return the matrix that maps coefficients to those of the same curve on a refined knot vector.

    Parameters
    ----------
    knots : (n_knots,)
    degree : int
    new_knots : (any number,)
        Every old knot at least as often as in `knots`.

    Returns
    -------
    matrix : (n_new, n_basis)
        Nonnegative; a row sums to 1 where its new basis function is nonzero on the old [a, b] only.

    Raises
    ------
    ValueError, TypeError
        A knot vector that is none, or a new one in which a knot is missing.

    Notes
    -----
    Implements :eq:`oslo`.

    Examples
    --------
    >>> refinement_matrix([0.0, 1.0, 2.0, 3.0], 1, [0.0, 1.0, 1.5, 2.0, 3.0])
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    degree = check_integer("degree", degree, low=0)
    (old,) = check_knots("knots", [knots], degree)
    (new,) = check_knots("new_knots", [new_knots], degree)
    values, needed = np.unique(old, return_counts=True)
    found = multiplicity(values, new)
    if np.any(found < needed):
        m = int(np.argmax(found < needed))
        raise ValueError(
            f"new_knots has {values[m]} {found[m]} times, but knots has it {needed[m]} times: "
            "every knot must stay"
        )
    n_new = len(new) - degree - 1
    t = new[:n_new, None]
    # [eq:oslo]
    matrix: FloatArray = ((old[:-1] <= t) & (t < old[1:])).astype(np.float64)
    for d in range(1, degree + 1):
        low, high = old[:-d], old[d:]
        # where an entry is nonzero t lies in [low, high] already; elsewhere clipping avoids
        # overflow
        t = np.clip(new[d : d + n_new, None], low, high)
        span = np.where(high > low, high - low, np.inf)
        matrix = ((t - low) / span * matrix)[:, :-1] + ((high - t) / span * matrix)[:, 1:]
    # [/eq:oslo]
    return matrix
