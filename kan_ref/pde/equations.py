"""Differential equations and boundary conditions as residuals: what a model has to fulfil at given points.

Liu et al. 2024, section 3.4, solve a differential equation by making small the weighted mean squares of what is left of it (Lagaris, Likas
& Fotiadis 1998; Raissi, Perdikaris & Karniadakis 2019, "physics-informed"). A term is one condition at its own points x_b,

    (Q1)  linear      r_o = sum_pq A_pq d_p d_q u_o + sum_p b_p d_p u_o + c u_o - f_o       for every output o
    (Q2)  function    r   = R(x, u, du, d2u), with its partial derivatives by u, du, d2u
    (Q3)  objective   sum over terms of (weight / n) sum_b mean_o r_bo^2                    (weight may depend on b)

A, b, c, f may depend on x. The sums with A and b together are one part of a jet (`jet_kind`), so a linear equation costs one second-order
part, whatever it looks like and however many variables it has. The partial derivatives of (Q2), which the user gives by hand, are where the
reverse sweep begins: with them the gradient and the rows of Levenberg-Marquardt are as exact as those of a fit to data.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray, check_float_array, check_integer, check_rectangular
from kan_ref.pde.jet_kind import directional_kind, operator_kind, value_kind
from kan_ref.pde.residual_terms import FunctionTerm, LinearTerm
from kan_ref.pde.user_residual import Residual


def linear_term(
    x: object,
    *,
    second: object = None,
    first: object = None,
    zeroth: object = None,
    source: object = 0.0,
    weight: object = 1.0,
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
        c. At least one of A, b, c is needed.
    source : float or (n, n_out)
        f; a number is meant for every point and output.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm

    Raises
    ------
    ValueError, TypeError
        "linear_term needs second, first or zeroth"; "second has shape (3, 3), but must be of shape (2,), (2, 2) or (100, 2, 2)".

    Notes
    -----
    Implements :eq:`linear-residual` and :eq:`linear-seeds`. Liu et al. 2024, section 3.4; see
    tutorials/10_derivatives.md, "Poisson's equation".

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> linear_term(x, second=[1.0], zeroth=1.0)  # u'' + u = 0
    LinearTerm(9 points, JetKind(1 variables, 1 first derivatives, 1 operators of second order))
    """
    if second is None and first is None and zeroth is None:
        raise ValueError("linear_term needs second, first or zeroth")
    return _linear(x, second, first, zeroth, source, weight, "source")


def value_term(x: object, y: object = 0.0, *, weight: object = 1.0) -> LinearTerm:
    """The condition u = y at some points: Dirichlet's boundary condition, an initial value, or a measurement.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    y : float or (n, n_out)
        A number is meant for every point and output.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm

    Raises
    ------
    ValueError, TypeError
        "y has shape (9,), but must be a number or of shape (9, n_out)".

    Examples
    --------
    >>> value_term([[0.0], [1.0]], 0.0)  # u(0) = u(1) = 0
    LinearTerm(2 points, JetKind(1 variables, 0 first derivatives, 0 operators of second order))
    """
    return _linear(x, None, None, 1.0, y, weight, "y")


def function_term(
    x: object,
    function: Residual,
    *,
    order: int = 2,
    pairs: Sequence[tuple[int, int]] | None = None,
    weight: object = 1.0,
) -> FunctionTerm:
    """A condition that need not be linear, (Q2), at some points.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    function : callable
        (x (n, n_in), u (n, n_out), du (n, n_out, n_in), d2u (n, n_out, n_in, n_in)) -> (residual, by_u, by_du, by_d2u): the residual (n,)
        or (n, n_residuals) and its partial derivatives, each of the residual's shape followed by the axes of u, du or d2u after the first:
        with n_residuals by_u is (n, n_residuals, n_out), without it (n, n_out). None for a partial that is zero. Every point by itself,
        and without writing into its arguments.
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
        Here for what is no function, order or pair. When a problem meets its model, "terms[0]: by_du is wrong: ..." where the shape of an
        answer does not fit, or a partial is not what differences of the residual say.

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
        raise TypeError(
            f"function is a {type(function).__name__}, but must be a function of x, u, du, d2u"
        )
    order = check_integer("order", order, low=0, high=2)
    if pairs is not None and order < 2:
        raise ValueError(f"pairs is given, but with order {order} there are no second derivatives")
    upper = zip(*(places.tolist() for places in np.triu_indices(n_in)), strict=True)
    chosen = tuple(upper) if pairs is None else _check_pairs(pairs, n_in)
    if order < 2:
        chosen = ()
    directions = np.eye(n_in) if order else np.zeros((0, n_in))
    return FunctionTerm(
        points, directional_kind(directions, chosen), chosen, function, _weight(weight, n)
    )


def _linear(
    x: object,
    second: object,
    first: object,
    zeroth: object,
    source: object,
    weight: object,
    source_name: str,
) -> LinearTerm:
    points = _points(x)
    n, n_in = points.shape
    kind = value_kind(n_in)
    if second is not None or first is not None:
        matrix = (
            np.zeros((n_in, n_in))
            if second is None
            else _one_of("second", second, ((n_in,), (n_in, n_in), (n, n_in, n_in)))
        )
        drift = np.zeros(n_in) if first is None else _one_of("first", first, ((n_in,), (n, n_in)))
        kind = operator_kind(np.diag(matrix) if matrix.ndim == 1 else matrix, drift)
    constant = (
        np.zeros(1) if zeroth is None else np.atleast_1d(_one_of("zeroth", zeroth, ((), (n,))))
    )
    return LinearTerm(
        points, kind, constant, _one_of(source_name, source, ((), (n, "n_out"))), _weight(weight, n)
    )


def _points(x: object) -> FloatArray:
    points = check_float_array("x", x, ("n", "n_in"))
    if 0 in points.shape:
        raise ValueError(
            f"x has shape {points.shape}, but needs at least one point of at least one variable"
        )
    return points.copy()  # a problem keeps its points, whatever becomes of the caller's


def _one_of(name: str, value: object, shapes: Sequence[tuple[int | str, ...]]) -> FloatArray:
    """A copy of `value` as a finite array of one of the shapes, () for a number; ValueError that lists them."""
    array = check_rectangular(name, value)
    for shape in shapes:
        if len(shape) == array.ndim and all(
            m in (n, "n_out") for n, m in zip(array.shape, shape, strict=True)
        ):
            return check_float_array(name, array, shape).reshape(array.shape).copy()
    *others, last = [
        f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        for shape in shapes
        if shape
    ]
    wanted = f"of shape {', '.join(others)} or {last}" if others else f"a number or of shape {last}"
    raise ValueError(f"{name} has shape {array.shape}, but must be {wanted}")


def _weight(weight: object, n: int) -> FloatArray:
    array = np.atleast_1d(_one_of("weight", weight, ((), (n,))))
    if (array < 0.0).any():
        raise ValueError(
            f"weight is {array.min():g} at point {int(array.argmin())}, but must be at least 0"
        )
    return array


def _check_pairs(pairs: object, n_in: int) -> tuple[tuple[int, int], ...]:
    """Pairs (p, q) with p <= q, each once."""
    if isinstance(pairs, str) or not isinstance(pairs, Sequence | np.ndarray) or len(pairs) == 0:
        what = (
            "empty"
            if isinstance(pairs, Sequence | np.ndarray) and len(pairs) == 0
            else f"a {type(pairs).__name__}"
        )
        raise TypeError(
            f"pairs is {what}, but must be a sequence of pairs of inputs such as ((0, 0), (0, 1))"
        )
    found: list[tuple[int, int]] = []
    for place, pair in enumerate(pairs):
        if not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
            raise TypeError(f"pairs[{place}] is no pair of inputs such as (0, 1)")
        p, q = sorted(
            check_integer(f"an input in pairs[{place}]", number, low=0, high=n_in - 1)
            for number in pair
        )
        if (p, q) in found:
            raise ValueError(
                f"pairs[{place}] is ({p}, {q}) in some order, but that pair is there already"
            )
        found.append((p, q))
    return tuple(found)
