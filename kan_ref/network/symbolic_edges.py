"""Symbolic edges: c f(a x + b) + d with a named function f, beside the spline edges of a layer.

Theorem (Liu et al. 2024, section 2.5.1, and the chain rule). An edge fixed to a function f has four
affine parameters, and with u = a x + b

    (L8)   phi(x)  = c f(u) + d
    (L9)   phi'(x) = c a f'(u)
    (L10)  d_a = sum_b e_b c f'(u_b) x_b,    d_b = sum_b e_b c f'(u_b),
           d_c = sum_b e_b f(u_b),           d_d = sum_b e_b,

where e_b = dR/d phi(x_b) = dy_bj + d_edges_bji. Edges of one layer that are locked together share
one row (a, b, c, d); its gradient is the sum over them. For jets, which carry derivatives with
respect to x through a network, with q = 0, ..., 3,

    (L11)  phi^(q)(x)      = c a^q f^(q)(u) + (d where q = 0)
    (L12)  d phi^(q) / d a = c (q a^(q-1) f^(q)(u) + a^q f^(q+1)(u) x)
           d phi^(q) / d b = c a^q f^(q+1)(u)
           d phi^(q) / d c = a^q f^(q)(u)
           d phi^(q) / d d = 1 where q = 0, else 0

Outside the domain of f an edge is undefined: inside the package its value is then nan, which no
optimizer accepts. Public functions raise an error with the sample and the edge, see `definedness`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import Function, Values


@dataclass(frozen=True)
class SymbolicEdge:
    """A symbolic edge from `input` to `output`: its function, its row of the layer's `affine`."""

    output: int
    input: int
    function: Function
    row: int

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.name

    def __repr__(self) -> str:
        name = getattr(self.function, "name", self.function)
        return f"SymbolicEdge(output {self.output}, input {self.input}, {name!r}, row {self.row})"


def check_edges(
    symbolic: object, affine: object, mask: FloatArray
) -> tuple[tuple[SymbolicEdge, ...], FloatArray]:
    """Check the symbolic edges of a layer, and sort them by output and input.

    Parameters
    ----------
    symbolic : sequence of SymbolicEdge
    affine : (n_rows, 4)
        a, b, c, d.
    mask : (n_out, n_in)
        1 on spline edges.

    Returns
    -------
    symbolic : tuple of SymbolicEdge
        Sorted, rows renumbered.
    affine : (n_rows, 4)
        In the new order; a row that no edge uses is left out.

    Raises
    ------
    ValueError, TypeError
        "symbolic has an edge from input 0 to output 1, but mask says that it is
        a spline edge"
    """
    if not isinstance(symbolic, Sequence):
        raise TypeError(f"symbolic is {symbolic!r}, but must be a sequence of SymbolicEdge")
    rows = checks.array("affine", affine, ("n_rows", 4))
    for edge in symbolic:
        if not isinstance(edge, SymbolicEdge) or not isinstance(edge.function, Function):
            raise TypeError(f"symbolic contains {edge!r}, but must be a sequence of SymbolicEdge")
        j = checks.integer("output of a symbolic edge", edge.output, low=0, high=mask.shape[0] - 1)
        i = checks.integer("input of a symbolic edge", edge.input, low=0, high=mask.shape[1] - 1)
        checks.integer("row of a symbolic edge", edge.row, low=0, high=len(rows) - 1)
        if mask[j, i] != 0.0:
            raise ValueError(
                f"symbolic has an edge from input {i} to output {j}, "
                "but mask says that it is a spline edge"
            )
    edges = sorted(symbolic, key=lambda edge: (edge.output, edge.input))
    for one, other in pairwise(edges):
        if (one.output, one.input) == (other.output, other.input):
            raise ValueError(
                f"symbolic has the edge from input {one.input} to output {one.output} twice"
            )
    order: dict[int, Function] = {}
    for edge in edges:
        if order.setdefault(edge.row, edge.function) != edge.function:
            names = f"{order[edge.row].name!r} and {edge.name!r}"
            raise ValueError(
                f"symbolic has {names} on row {edge.row} of affine, "
                "but edges that share a row need one function"
            )
    places = {row: place for place, row in enumerate(order)}
    renumbered = tuple(
        SymbolicEdge(edge.output, edge.input, edge.function, places[edge.row]) for edge in edges
    )
    return renumbered, rows[list(order)].reshape(-1, 4)


def _inner(edge: SymbolicEdge, affine: FloatArray, x: FloatArray) -> FloatArray:
    inner_scale, inner_shift = affine[edge.row, :2]
    return np.asarray(inner_scale * x[:, edge.input] + inner_shift)


def add_outputs(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray, y: FloatArray
) -> None:
    """Add (L8) of every symbolic edge to y (batch, n_out); a sum that is not finite becomes nan."""
    with np.errstate(all="ignore"):
        for edge in symbolic:
            outer_scale, outer_shift = affine[edge.row, 2:]
            # [eq:symbolic-edge]
            y[:, edge.output] += (
                outer_scale * edge.function.f(_inner(edge, affine, x)) + outer_shift
            )
            # [/eq:symbolic-edge]
    y[~np.isfinite(y)] = np.nan


def values(symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray) -> FloatArray:
    """Compute (L8) of every symbolic edge, (batch, n_edges)."""
    columns = np.empty((len(symbolic), len(x)))
    with np.errstate(all="ignore"):
        for column, edge in zip(columns, symbolic, strict=True):
            outer_scale, outer_shift = affine[edge.row, 2:]
            column[:] = outer_scale * edge.function.f(_inner(edge, affine, x)) + outer_shift
    return columns.T


def slopes(symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray) -> FloatArray:
    """Compute (L9) of every symbolic edge, (batch, n_edges)."""
    columns = np.empty((len(symbolic), len(x)))
    with np.errstate(all="ignore"):
        for column, edge in zip(columns, symbolic, strict=True):
            inner_scale, _, outer_scale, _ = affine[edge.row]
            # [eq:symbolic-slope]
            column[:] = outer_scale * inner_scale * edge.function.d1(_inner(edge, affine, x))
            # [/eq:symbolic-slope]
    return columns.T


def add_input_gradient(
    symbolic: Sequence[SymbolicEdge],
    affine: FloatArray,
    x: FloatArray,
    dy: FloatArray,
    dx: FloatArray,
) -> None:
    """Add the symbolic edges' part of dR/dx to dx (batch, n_in), given dy (batch, n_out)."""
    for edge, slope in zip(symbolic, slopes(symbolic, affine, x).T, strict=True):
        dx[:, edge.input] += dy[:, edge.output] * slope


def derivatives(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray, orders: Sequence[int]
) -> FloatArray:
    """Compute (L11): derivatives with respect to x of orders 0 to 3, (n_edges, n_orders, batch)."""
    planes = np.empty((len(symbolic), len(orders), len(x)))
    with np.errstate(all="ignore"):
        for rows, edge in zip(planes, symbolic, strict=True):
            inner_scale, _, outer_scale, outer_shift = affine[edge.row]
            u, by_u = _inner(edge, affine, x), _by_order(edge.function)
            for row, order in zip(rows, orders, strict=True):
                # [eq:symbolic-derivative]
                row[:] = outer_scale * inner_scale**order * by_u[order](u)
                # [/eq:symbolic-derivative]
                row += outer_shift if order == 0 else 0.0
    return planes


def affine_slopes(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray, order: int = 0
) -> FloatArray:
    """Compute (L12) for an order q of at most 2: derivatives by a, b, c, d, (batch, n_edges, 4).

    Notes
    -----
    Implements :eq:`symbolic-parameters`. The order in memory is (n_edges, 4, batch).
    """
    terms = np.empty((len(symbolic), 4, len(x)))
    with np.errstate(all="ignore"):
        for (by_a, by_b, by_c, by_d), edge in zip(terms, symbolic, strict=True):
            u, by_u = _inner(edge, affine, x), _by_order(edge.function)
            inner_scale, _, outer_scale, _ = affine[edge.row]
            # [eq:symbolic-parameters]
            by_b[:] = outer_scale * inner_scale**order * by_u[order + 1](u)
            by_a[:] = by_b * x[:, edge.input]
            by_c[:] = by_u[order](u)
            if order > 0:
                by_a += outer_scale * order * inner_scale ** (order - 1) * by_c
                by_c *= inner_scale**order
            by_d[:] = 1.0 if order == 0 else 0.0
            # [/eq:symbolic-parameters]
    return np.moveaxis(terms, 2, 0)


def _by_order(function: Function) -> tuple[Values, ...]:
    return function.f, function.d1, function.d2, function.d3


def affine_gradient(
    symbolic: Sequence[SymbolicEdge],
    affine: FloatArray,
    x: FloatArray,
    dy: FloatArray,
    d_edges: FloatArray | None,
) -> FloatArray:
    """Compute dR / d affine (n_rows, 4) by (L10)."""
    outputs, inputs = numbers(symbolic)
    # [eq:layer-backward-symbolic]
    upstream = dy[:, outputs] if d_edges is None else dy[:, outputs] + d_edges[:, outputs, inputs]
    by_edge = np.einsum("be,bep->ep", upstream, affine_slopes(symbolic, affine, x))
    gradient = np.zeros_like(affine)
    np.add.at(gradient, [edge.row for edge in symbolic], by_edge)
    # [/eq:layer-backward-symbolic]
    return gradient


def numbers(symbolic: Sequence[SymbolicEdge]) -> tuple[list[int], list[int]]:
    """Return outputs j and inputs i of all symbolic edges, to index arrays (n_out, n_in)."""
    return [edge.output for edge in symbolic], [edge.input for edge in symbolic]
