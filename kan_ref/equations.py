"""Differential equations and boundary conditions as residuals: what a model has to fulfil at given points.

Liu et al. 2024, section 3.4, solve a differential equation by making small the weighted mean squares of what is left of it (Lagaris, Likas
& Fotiadis 1998; Raissi, Perdikaris & Karniadakis 2019, "physics-informed"). A term is one condition at its own points x_b,

    (Q1)  linear      r_o = sum_pq A_pq d_p d_q u_o + sum_p b_p d_p u_o + c u_o - f_o       for every output o
    (Q2)  function    r   = R(x, u, du, d2u), with its partial derivatives by u, du, d2u
    (Q3)  objective   sum over terms of (weight / n) sum_b mean_o r_bo^2                    (weight may depend on b)

A, b, c, f may depend on x. The first two coefficients of (Q1) are one part of a jet, so that a linear equation costs one second-order part
whatever it looks like. The partials of (Q2) are the seeds of the reverse sweep, and of rows for Levenberg-Marquardt.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray, float_array, integer, rectangular
from kan_ref.jet_kind import directional_kind, operator_kind, value_kind
from kan_ref.residual_terms import FunctionTerm, LinearTerm, Residual


def linear_term(
    x: object, *, second: object = None, first: object = None, zeroth: object = None, source: object = 0.0, weight: object = 1.0
) -> LinearTerm:
    """A linear condition of order at most two, (Q1), at some points: an equation inside, or a condition on the boundary.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    second : (n_in,), (n_in, n_in) or (n, n_in, n_in), optional
        A; one axis is a diagonal, so that ones are the Laplacian. Only the symmetric part counts.
    first : (n_in,) or (n, n_in), optional
        b.
    zeroth : float or (n,), optional
        c.
    source : float or (n, n_out)
        f.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm

    Raises
    ------
    ValueError, TypeError
        "linear_term needs second, first or zeroth"; "second has shape (3, 3), but needs shape (2,), (2, 2) or (100, 2, 2)".

    Notes
    -----
    Implements :eq:`linear-residual`. Liu et al. 2024, section 3.4.

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> linear_term(x, second=[1.0], zeroth=1.0)  # u'' + u = 0
    LinearTerm(9 points, JetKind(1 variables, 1 first derivatives, 1 operators of second order))
    """
    points = _points(x)
    n, n_in = points.shape
    if second is None and first is None and zeroth is None:
        raise ValueError("linear_term needs second, first or zeroth")
    matrix = np.zeros((n_in, n_in)) if second is None else _one_of("second", second, ((n_in,), (n_in, n_in), (n, n_in, n_in)))
    drift = np.zeros(n_in) if first is None else _one_of("first", first, ((n_in,), (n, n_in)))
    kind = value_kind(n_in)
    if second is not None or first is not None:
        kind = operator_kind(np.diag(matrix) if matrix.ndim == 1 else matrix, drift)
    constant = np.zeros(1) if zeroth is None else np.atleast_1d(_one_of("zeroth", zeroth, ((), (n,))))
    values = np.atleast_2d(_one_of("source", source, ((), (n, "n_out"))))
    return LinearTerm(points, kind, constant, values, _weight(weight, n))


def value_term(x: object, y: object = 0.0, *, weight: object = 1.0) -> LinearTerm:
    """The condition u = y at some points: Dirichlet's boundary condition, an initial value, or a measurement.

    Parameters
    ----------
    x : (n, n_in)
    y : float or (n, n_out)
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm
    """
    return linear_term(x, zeroth=1.0, source=y, weight=weight)


def function_term(
    x: object, function: Residual, *, order: int = 2, pairs: Sequence[tuple[int, int]] | None = None, weight: object = 1.0
) -> FunctionTerm:
    """A condition that need not be linear, (Q2), at some points.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    function : callable
        (x (n, n_in), u (n, n_out), du (n, n_out, n_in), d2u (n, n_out, n_in, n_in)) -> (residual, by_u, by_du, by_d2u): the residual (n,)
        or (n, n_residuals) and its partial derivatives, each of the residual's shape followed by the axes of u, du or d2u after the first;
        None for a partial that is zero. It must treat every point by itself.
    order : int
        0, 1 or 2: the highest derivative needed; du and d2u above it are None.
    pairs : sequence of (p, q), optional
        Which second derivatives are needed; all without it. Others are nan in d2u.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : FunctionTerm

    Raises
    ------
    ValueError, TypeError
        Here for shapes and kinds; when a problem meets its model, also "by_du is wrong: ..." where a partial is not what a central
        difference says.

    Notes
    -----
    Implements :eq:`function-seeds`. The entries (p, q) and (q, p) of by_d2u add up, as those of d2u move together.

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> def logistic(x, u, du, d2u):  # u' = u (1 - u)
    ...     return du[:, :, 0] - u * (1 - u), (2 * u - 1)[:, :, None], np.ones((9, 1, 1, 1)), None
    >>> function_term(x, logistic, order=1)
    FunctionTerm(9 points, JetKind(1 variables, 1 first derivatives, 0 operators of second order))
    """
    points = _points(x)
    n, n_in = points.shape
    if not callable(function):
        raise TypeError(f"function is {function!r}, but must be a function of x, u, du, d2u")
    order = integer("order", order, low=0, high=2)
    if pairs is not None and order < 2:
        raise ValueError(f"pairs is {pairs!r}, but with order {order} there are no second derivatives")
    upper = zip(*(places.tolist() for places in np.triu_indices(n_in)), strict=True)
    chosen = tuple(upper) if pairs is None else _check_pairs(pairs, n_in)
    if order < 2:
        chosen = ()
    directions = np.eye(n_in) if order else np.zeros((0, n_in))
    return FunctionTerm(points, directional_kind(directions, chosen), chosen, function, _weight(weight, n))


def _points(x: object) -> FloatArray:
    points = float_array("x", x, ("n", "n_in"))
    if 0 in points.shape:
        raise ValueError(f"x has shape {points.shape}, but needs at least one point of at least one variable")
    return points


def _one_of(name: str, value: object, shapes: Sequence[tuple[int | str, ...]]) -> FloatArray:
    """`value` as a finite array of one of the shapes; ValueError that lists them."""
    array = rectangular(name, value)
    for shape in shapes:
        if len(shape) == array.ndim:
            return float_array(name, array, shape).reshape(array.shape)
    wanted = " or ".join(f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else "a number" for shape in shapes)
    raise ValueError(f"{name} has shape {array.shape}, but needs shape {wanted}")


def _weight(weight: object, n: int) -> FloatArray:
    array = np.atleast_1d(_one_of("weight", weight, ((), (n,))))
    if (array < 0.0).any():
        raise ValueError(f"weight is {array.min():g} at point {int(array.argmin())}, but must be at least 0")
    return array


def _check_pairs(pairs: object, n_in: int) -> tuple[tuple[int, int], ...]:
    if isinstance(pairs, str) or not isinstance(pairs, Sequence) or not pairs:
        raise TypeError(f"pairs is {pairs!r}, but must be a sequence of pairs of inputs such as ((0, 0), (0, 1))")
    found = []
    for pair in pairs:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise TypeError(f"pairs contains {pair!r}, but must be a sequence of pairs of inputs such as ((0, 0), (0, 1))")
        p, q = sorted(integer("an input in pairs", number, low=0, high=n_in - 1) for number in pair)
        found.append((p, q))
    if len(set(found)) != len(found):
        raise ValueError(f"pairs is {pairs!r}, but needs each pair once")
    return tuple(found)
