"""Differential equations and boundary conditions as residuals of a model at given points.

Liu et al. 2024, section 3.4, solve a differential equation by minimising the weighted mean squares
of its residual (Lagaris, Likas & Fotiadis 1998; Raissi, Perdikaris & Karniadakis 2019,
"physics-informed"). A term is one condition at its own points x_b,

    (J30)  linear      r_o = sum_pq A_pq d_p d_q u_o + sum_p b_p d_p u_o + c u_o - f_o
           for every output o
    (J31)  function    r = R(x, u, du, d2u), with its partial derivatives by_u, by_du, by_d2u
    (J32)  objective   sum over terms of sum_b (weight_b / n) mean_o r_bo^2

A, b, c, f may depend on x. The sums with A and b together are one component of a jet (`jet_kind`).
So a linear equation needs one component of second order, for any number of variables. The partial
derivatives of (J31), which the user derives by hand, are the first factors of the backward pass.
With them the gradient, and the rows of Levenberg-Marquardt, are as exact as those of a fit to data.
Beside terms of `equation_term` with scales, all numbers of these terms are dimensionless.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
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
    """Return a linear condition (J30) of order at most two at some points.

    The condition is an equation at interior points, or one on the boundary.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    second : (n_in,), (n_in, n_in) or (n, n_in, n_in), optional
        The matrix A. One axis gives the diagonal, so that ones are the Laplacian. Only the
        symmetric part enters.
    first : (n_in,) or (n, n_in), optional
        The coefficient b.
    zeroth : float or (n,), optional
        The coefficient c. At least one of A, b, c is needed.
    source : float or (n, n_out)
        The right-hand side f. A number holds for every point and output.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm

    Raises
    ------
    ValueError, TypeError
        "linear_term needs second, first or zeroth"; coefficients that are 0 at every point;
        "second has shape (3, 3), but must be of shape (2,), (2, 2) or (100, 2, 2)".

    Notes
    -----
    Implements :eq:`linear-residual` and :eq:`linear-seeds`. Liu et al. 2024, section 3.4; see
    tutorials/10_derivatives.md.

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> linear_term(x, second=[1.0], zeroth=1.0)  # u'' + u = 0
    LinearTerm(9 points, JetKind(1 variables, 1 first derivatives, 1 operators of second order))
    """
    if second is None and first is None and zeroth is None:
        raise ValueError("linear_term needs second, first or zeroth")
    term = _linear(x, second, first, zeroth, source, weight, "source")
    if term.kind.order == 0 and not term.zeroth.any():
        raise ValueError(
            "second, first and zeroth have only numbers 0, so no training can change the residual: "
            "give a coefficient that is not 0 at every point, or leave the term out"
        )
    return term


def value_term(x: object, y: object = 0.0, *, weight: object = 1.0) -> LinearTerm:
    """Return the condition u = y at some points.

    It is a Dirichlet boundary condition, an initial value, or a measurement.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    y : float or (n, n_out)
        A number holds for every point and output.
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
    """Return a condition (J31) at some points that need not be linear.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    function : callable
        It receives x (n, n_in), u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out, n_in, n_in),
        and returns (residual, by_u, by_du, by_d2u). The residual is (n,) or (n, n_residuals). Its
        partial derivatives have the residual's shape, followed by the axes of u, du or d2u after
        the first: by_u is (n, n_out) or (n, n_residuals, n_out). None is a partial derivative that
        is zero. Each point is evaluated separately, and the arguments must not be changed.
        `numpy.errstate` is that of the call of `function_term`.
    order : int
        0, 1 or 2: the highest derivative that `function` needs; du and d2u above it are None.
        Splines of a lower degree are rejected.
    pairs : sequence of (p, q), optional
        The second derivatives that `function` needs; None means all. Others are nan in d2u.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : FunctionTerm

    Raises
    ------
    ValueError, TypeError
        For a wrong function, order or pair. When training begins, "terms[0]: by_du is wrong: ..."
        if a shape does not fit, or if a partial derivative disagrees with differences.

    Notes
    -----
    Implements :eq:`function-seeds`. The entries (p, q) and (q, p) of by_d2u add
    up, since d2u is symmetric.

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> def logistic(x, u, du, d2u):  # u' = u (1 - u)
    ...     return du[:, :, 0] - u * (1 - u), (2 * u - 1)[:, :, None], np.ones((9, 1, 1, 1)), None
    >>> function_term(x, logistic, order=1)
    FunctionTerm(9 points, JetKind(1 variables, 1 first derivatives, 0 operators of second order))
    """
    points = _check_points(x)
    n, n_in = points.shape
    if not callable(function):
        raise TypeError(
            f"function is a {type(function).__name__}, but must be a function of x, u, du, d2u"
        )
    order = checks.integer("order", order, low=0, high=2)
    if pairs is not None and order < 2:
        raise ValueError(f"pairs is given, but with order {order} there are no second derivatives")
    used: tuple[tuple[int, int], ...] = ()
    if pairs is not None:
        used = _check_pairs(pairs, n_in)
    elif order == 2:
        used = tuple((p, q) for p in range(n_in) for q in range(p, n_in))
    kind = directional_kind(np.eye(n_in) if order else np.zeros((0, n_in)), used)
    return FunctionTerm(points, kind, used, function, _check_weight(weight, n))


def _linear(
    x: object,
    second: object,
    first: object,
    zeroth: object,
    source: object,
    weight: object,
    source_name: str,
) -> LinearTerm:
    """Return the term (J30) after a check of every argument; None is a coefficient of 0."""
    points = _check_points(x)
    n, n_in = points.shape
    kind, constant = value_kind(n_in), np.zeros(1)
    if second is not None or first is not None:
        matrix, drift = np.zeros((n_in, n_in)), np.zeros(n_in)
        if second is not None:
            matrix = _one_of("second", second, ((n_in,), (n_in, n_in), (n, n_in, n_in)))
        if first is not None:
            drift = _one_of("first", first, ((n_in,), (n, n_in)))
        kind = operator_kind(np.diag(matrix) if matrix.ndim == 1 else matrix, drift)
    if zeroth is not None:
        constant = np.atleast_1d(_one_of("zeroth", zeroth, ((), (n,))))
    values = _one_of(source_name, source, ((), (n, "n_out")))
    return LinearTerm(points, kind, constant, values, _check_weight(weight, n))


# --- checks of arguments


def _check_points(x: object) -> FloatArray:
    """Return a copy of x (n, n_in) as float64; raise an error if it holds no point."""
    points = checks.array("x", x, ("n", "n_in"))
    if 0 in points.shape:
        raise ValueError(
            f"x has shape {points.shape}, but needs at least one point of at least one variable"
        )
    return points.copy()  # a later change of the caller's array must not change the term


def _one_of(name: str, value: object, shapes: Sequence[tuple[int | str, ...]]) -> FloatArray:
    """Return a copy of `value` as a finite array of one of the shapes; () is a number.

    Raise ValueError with all shapes if it has none of them.
    """
    array = checks.rectangular(name, value)
    for shape in shapes:
        if len(shape) == array.ndim and all(
            m in (n, "n_out") for n, m in zip(array.shape, shape, strict=True)
        ):
            return checks.array(name, array, shape).reshape(array.shape).copy()
    *others, last = [
        f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        for shape in shapes
        if shape
    ]
    wanted = f"of shape {', '.join(others)} or {last}" if others else f"a number or of shape {last}"
    raise ValueError(f"{name} has shape {array.shape}, but must be {wanted}")


def _check_weight(weight: object, n: int) -> FloatArray:
    """Return a weight as (1,) or (n,); raise an error below 0."""
    array = np.atleast_1d(_one_of("weight", weight, ((), (n,))))
    if (array < 0.0).any():
        raise ValueError(
            f"weight is {array.min():g} at point {int(array.argmin())}, but must be at least 0"
        )
    return array


def _check_pairs(pairs: Any, n_in: int) -> tuple[tuple[int, int], ...]:
    """Return pairs (p, q), p <= q; raise an error if one is not a pair of inputs, or repeated."""
    is_sequence = isinstance(pairs, Sequence | np.ndarray) and not isinstance(pairs, str)
    if not is_sequence or len(pairs) == 0:
        what = "empty" if is_sequence else f"a {type(pairs).__name__}"
        raise TypeError(
            f"pairs is {what}, but must be a sequence of pairs of inputs such as ((0, 0), (0, 1))"
        )
    found: list[tuple[int, int]] = []
    for place, pair in enumerate(pairs):
        if not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
            raise TypeError(f"pairs[{place}] is not a pair of inputs such as (0, 1)")
        p, q = sorted(
            checks.integer(f"an input in pairs[{place}]", number, low=0, high=n_in - 1)
            for number in pair
        )
        if (p, q) in found:
            raise ValueError(
                f"pairs[{place}] is ({p}, {q}) in some order, but that pair is there already"
            )
        found.append((p, q))
    return tuple(found)
