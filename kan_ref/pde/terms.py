"""Differential equations and boundary conditions as residuals of a model at points.

Liu et al. 2024, section 3.4, solve a differential equation by minimising the weighted
mean squares of its residual (Lagaris, Likas & Fotiadis 1998; Raissi, Perdikaris &
Karniadakis 2019, "physics-informed"). A term is one condition at its own points x_b,

    (J30)  linear      r_o = sum_pq A_pq d_p d_q u_o + sum_p b_p d_p u_o + c u_o - f_o
                       for every output o
    (J31)  function    r = R(x, u, du, d2u)
                       with its partial derivatives by_u, by_du, by_d2u
    (J32)  objective   sum over terms of sum_b (weight_b / n) mean_o r_bo^2

A, b, c, f may depend on x. The sums with A and b together are one component of a jet
(`jet_kind`). So a linear equation needs one component of second order, for any number
of variables.

The jet of the outputs at a point is a list of numbers u_k, and a residual r is a
function of these. By the chain rule dr/d theta_p = sum_k dr/du_k du_k/d theta_p. The
factors du_k/d theta_p belong to the model (`jets`). A term supplies r and dr/du_k, the
seed derivatives of the backward pass:

    (J33)  linear      r_o = c u_o,0 + u_o,s - f_o
                       dr_o/du_o,0 = c,    dr_o/du_o,s = 1
                       with the value u_o,0
                       and the operator u_o,s = A : D^2 u_o + b . grad u_o
    (J34)  function    r = R(x, u, du, d2u)
                       dr/du_k from the user's partial derivatives

In (J34), d2u_pq and d2u_qp are one component of the jet, whose seed derivative is
by_d2u_pq + by_d2u_qp. With exact seeds the gradient, and the rows of
Levenberg-Marquardt, are as exact as those of a fit to data.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.pde.jet_kind import JetKind, directional_kind, operator_kind
from kan_ref.pde.scales import Scales
from kan_ref.pde.user_residual import (
    Arguments,
    Residual,
    check_partials,
    evaluate_residual,
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Term(ABC):
    """A condition at points `x` (n, n_in), with `weight` (n,) or (1,).

    `kind`: the components of the jets that it needs. `scales`: those that made it
    dimensionless.
    """

    x: FloatArray
    kind: JetKind
    weight: FloatArray
    scales: Scales | None = None

    def residuals(self, jet: FloatArray) -> FloatArray:
        """Return the residuals (n_residuals, n) at the jet (n_out, n_components, n)."""
        return self.linearize(jet)[0]

    @abstractmethod
    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the residuals, and dr/d jet (n_residuals, n_out, n_components, n)."""

    @abstractmethod
    def check(self, jet: FloatArray, name: str) -> None:
        """Raise an error, which begins with `name`, if the term does not fit a jet."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.x)} points, order {self.kind.order})"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LinearTerm(Term):
    """The condition (J30).

    `zeroth`: (n,) or (1,). `source`: (n, n_out), or one number ().
    """

    zeroth: FloatArray
    source: FloatArray

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the residuals (n_out, n) and dr/d jet.

        The latter is (n_out, n_out, n_components, n).
        """
        operator = jet[:, self.kind.second].sum(axis=1)
        # [eq:linear-residual]
        residuals = self.zeroth * jet[:, 0] + operator - self.source.T
        # [/eq:linear-residual]
        seeds = np.zeros((len(jet), *jet.shape))
        # [eq:linear-seeds]
        for output, seed in enumerate(seeds):
            seed[output, 0] = self.zeroth
            seed[output, self.kind.second] = 1.0
        # [/eq:linear-seeds]
        return residuals, seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """Raise ValueError if the source does not fit the model's outputs."""
        if self.source.ndim and self.source.shape[1] != len(jet):
            what = f"{name} gives values for {self.source.shape[1]}"
            outputs = checks.counted(len(jet), "output")
            raise ValueError(f"{what}, but the model has {outputs}")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FunctionTerm(Term):
    """The condition (J31): the user's `function`.

    `kind` has all first derivatives (none at order 0) and the second derivatives of
    `pairs`.
    """

    pairs: Sequence[tuple[int, int]]
    function: Residual

    def residuals(self, jet: FloatArray) -> FloatArray:
        """Return the residuals (n_residuals, n) at the jet (n_out, n_components, n)."""
        residual, _ = evaluate_residual(self.function, self.arguments(jet))
        return residual.reshape(len(self.x), -1).T

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the residuals, and dr/d jet (n_residuals, n_out, n_components, n)."""
        residual, partials = evaluate_residual(self.function, self.arguments(jet))
        by_u, by_du, by_d2u = partials
        n = len(self.x)
        n_out = len(jet)
        n_in = self.kind.n_in
        seeds = np.zeros((residual.size // n, *jet.shape))
        by_point = np.moveaxis(seeds, -1, 0)
        # [eq:function-seeds]
        if by_u is not None:
            by_point[..., 0] = by_u.reshape(n, -1, n_out)
        if by_du is not None:
            by_point[..., self.kind.first] = by_du.reshape(n, -1, n_out, n_in)
        if by_d2u is not None:
            by_d2u = by_d2u.reshape(n, -1, n_out, n_in, n_in)
            for place, (p, q) in enumerate(self.pairs, start=self.kind.second.start):
                by_point[..., place] = by_d2u[..., p, q]
                if p != q:
                    by_point[..., place] += by_d2u[..., q, p]
        # [/eq:function-seeds]
        return residual.reshape(n, -1).T, seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """Raise an error if shapes do not fit, or a partial derivative is wrong."""
        check_partials(self.function, self.arguments(jet), name)

    def arguments(self, jet: FloatArray) -> Arguments:
        """Return `x`, u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out, n_in, n_in).

        du and d2u are None above the term's order; d2u is nan at pairs that the term
        does not use.
        """
        n_in = self.kind.n_in
        du = None
        d2u = None
        u = np.ascontiguousarray(jet[:, 0].T)
        if self.kind.n_first:
            du = np.ascontiguousarray(jet[:, self.kind.first].transpose(2, 0, 1))
        if self.pairs:
            d2u = np.full((*u.shape, n_in, n_in), np.nan)
            for place, (p, q) in enumerate(self.pairs, start=self.kind.second.start):
                second = jet[:, place].T
                d2u[:, :, p, q] = second
                d2u[:, :, q, p] = second
        return self.x, u, du, d2u


# --- terms that users make


def linear_term(
    x: object,
    *,
    second: object = None,
    first: object = None,
    zeroth: object = None,
    source: object = 0.0,
    weight: object = 1.0,
) -> LinearTerm:
    """Return a linear condition of order at most two at some points.

    The condition is an equation at interior points, or one on the boundary. Implements
    :eq:`linear-residual` and :eq:`linear-seeds` (Liu et al. 2024, section 3.4).

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    second : (n_in,), (n_in, n_in) or (n, n_in, n_in), optional
        The matrix A. One axis gives the diagonal, so that ones are the Laplacian. Only
        the symmetric part enters.
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

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> linear_term(x, second=[1.0], zeroth=1.0)  # u'' + u = 0
    LinearTerm(9 points, order 2)
    """
    if second is None and first is None and zeroth is None:
        raise ValueError("linear_term needs second, first or zeroth")
    points = _check_points(x)
    n, n_in = points.shape
    kind = directional_kind(np.zeros((0, n_in)), ())
    if second is not None or first is not None:
        if second is None:
            second = np.zeros(n_in)
        if first is None:
            first = np.zeros(n_in)
        matrix = _array("second", second, (n_in,), (n_in, n_in), (n, n_in, n_in))
        if matrix.ndim == 1:
            matrix = np.diag(matrix)
        kind = operator_kind(matrix, _array("first", first, (n_in,), (n, n_in)))
    if zeroth is None:
        zeroth = 0.0
    return LinearTerm(
        x=points,
        kind=kind,
        weight=_check_weight(weight, n),
        zeroth=np.atleast_1d(_array("zeroth", zeroth, (), (n,))),
        source=_array("source", source, (), (n, "n_out")),
    )


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

    Examples
    --------
    >>> value_term([[0.0], [1.0]], 0.0)  # u(0) = u(1) = 0
    LinearTerm(2 points, order 0)
    """
    points = _check_points(x)
    values = _array("y", y, (), (len(points), "n_out"))
    return linear_term(points, zeroth=1.0, source=values, weight=weight)


def function_term(
    x: object,
    function: Residual,
    *,
    order: int = 2,
    pairs: Sequence[tuple[int, int]] | None = None,
    weight: object = 1.0,
) -> FunctionTerm:
    """Return a condition at some points that need not be linear.

    `fit` compares the partial derivatives with differences before it begins, and
    refuses wrong ones by name: "equations[0]: by_du is wrong". Implements
    :eq:`function-seeds`.

    Parameters
    ----------
    x : (n, n_in)
        At least one point.
    function : callable
        It receives x (n, n_in), u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out,
        n_in, n_in), and returns (residual, by_u, by_du, by_d2u). The residual is (n,)
        or (n, n_residuals). Its partial derivatives have the residual's shape, followed
        by the axes of u, du or d2u after the first: by_u is (n, n_out) or (n,
        n_residuals, n_out). None is a partial derivative that is zero. Each point is
        evaluated separately, and the arguments must not be changed. The entries (p, q)
        and (q, p) of by_d2u add up, since d2u is symmetric.
    order : int
        0, 1 or 2: the highest derivative that `function` needs; du and d2u above it are
        None. Splines of a lower degree are rejected.
    pairs : sequence of (p, q), optional
        The second derivatives that `function` needs; None means all. Others are nan in
        d2u.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : FunctionTerm

    Examples
    --------
    >>> x = np.linspace(0.1, 0.9, 9)[:, None]
    >>> def logistic(x, u, du, d2u):  # u' = u (1 - u)
    ...     residual, by_u = du[:, :, 0] - u * (1 - u), (2 * u - 1)[:, :, None]
    ...     return residual, by_u, np.ones((9, 1, 1, 1)), None
    >>> function_term(x, logistic, order=1)
    FunctionTerm(9 points, order 1)
    """
    points = _check_points(x)
    n, n_in = points.shape
    checks.function("function", function)
    order = checks.integer("order", order, low=0, high=2)
    if pairs is None:
        pairs = list(np.ndindex(n_in, n_in))
    used = set()
    if order == 2:
        for pair in pairs:
            p, q = sorted(checks.integer("pairs", i, high=n_in - 1) for i in pair)
            used.add((p, q))
    directions = np.eye(n_in) if order else np.zeros((0, n_in))
    return FunctionTerm(
        x=points,
        kind=directional_kind(directions, sorted(used)),
        weight=_check_weight(weight, n),
        pairs=sorted(used),
        function=function,
    )


def _check_points(x: object) -> FloatArray:
    """Return a read-only copy of x (n, n_in): the caller's array may change later."""
    points = checks.samples("x", x, ("n", "n_in")).copy()
    points.flags.writeable = False
    return points


def _array(name: str, value: object, *shapes: tuple[int | str, ...]) -> FloatArray:
    """Return a read-only copy of `value`, of the shape with its number of axes.

    If none has it, the last one is what the error asks for.
    """
    given = checks.rectangular(name, value)
    by_ndim = {len(shape): shape for shape in shapes}
    shape = by_ndim.get(given.ndim, shapes[-1])
    array = checks.array(name, given, shape).reshape(given.shape).copy()
    array.flags.writeable = False
    return array


def _check_weight(weight: object, n: int) -> FloatArray:
    """Return a weight as (1,) or (n,), at least 0."""
    array = np.atleast_1d(_array("weight", weight, (), (n,)))
    if (array < 0.0).any():
        checks.fail("weight", array.min(), "must be at least 0")
    return array
