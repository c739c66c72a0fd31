"""Symbolic edges: c f(a x + b) + d with a named function f, beside spline edges.

Theorem (Liu et al. 2024, section 2.5.1, and the chain rule). An edge fixed to a
function f has four affine parameters, and with u = a x + b

    (L8)   phi(x)  = c f(u) + d
    (L9)   phi'(x) = c a f'(u)
    (L10)  d_a = sum_b e_b c f'(u_b) x_b,    d_b = sum_b e_b c f'(u_b),
           d_c = sum_b e_b f(u_b),           d_d = sum_b e_b,

where e_b = dR/d phi(x_b) = dy_bj + d_edges_bji. Edges of one layer that are locked
together share one row (a, b, c, d); its gradient is the sum over them. For jets, which
carry derivatives with respect to x through a network, with q = 0, ..., 3,

    (L11)  phi^(q)(x)      = c a^q f^(q)(u) + (d where q = 0)
    (L12)  d phi^(q) / d a = c (q a^(q-1) f^(q)(u) + a^q f^(q+1)(u) x)
           d phi^(q) / d b = c a^q f^(q+1)(u)
           d phi^(q) / d c = a^q f^(q)(u)
           d phi^(q) / d d = 1 where q = 0, else 0

Outside the domain of f an edge is undefined: inside the package its value is then nan,
which no optimizer accepts. Public functions raise an error with the sample and the
edge, see `definedness`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import Function, Values


@dataclass(frozen=True)
class SymbolicEdge:
    """A symbolic edge from `input` to `output`: its function and row of `affine`."""

    output: int
    input: int
    function: Function
    row: int

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.name

    def __repr__(self) -> str:
        place = f"output {self.output}, input {self.input}"
        return f"SymbolicEdge({place}, {self.name!r}, {self.row})"


def check_edges(
    symbolic: Sequence[object], affine: object, mask: FloatArray
) -> tuple[tuple[SymbolicEdge, ...], FloatArray]:
    """Return checked edges, sorted by output and input, and the rows in their order."""
    rows = checks.array("affine", affine, ("n_rows", 4))
    n_out, n_in = mask.shape
    found: dict[tuple[int, int], SymbolicEdge] = {}
    for number, one in enumerate(symbolic):
        name = f"symbolic[{number}]"
        edge = checks.instance(name, one, SymbolicEdge)
        checks.instance(f"{name}.function", edge.function, Function)
        j = checks.integer(f"{name}.output", edge.output, high=n_out - 1)
        i = checks.integer(f"{name}.input", edge.input, high=n_in - 1)
        checks.integer(f"{name}.row", edge.row, high=len(rows) - 1)
        if mask[j, i] or (j, i) in found:
            checks.fail(name, edge, "that edge is a spline or symbolic already")
        found[j, i] = edge

    checked = []
    used: dict[int, tuple[Function, int]] = {}  # by old row: the function, the new row
    for place in sorted(found):
        edge = found[place]
        function, row = used.setdefault(edge.row, (edge.function, len(used)))
        if function != edge.function:
            checks.fail("symbolic", edge, "edges that share a row need one function")
        checked.append(replace(edge, row=row))
    return tuple(checked), rows[list(used)]


def numbers(symbolic: Sequence[SymbolicEdge]) -> tuple[list[int], list[int]]:
    """Return outputs j and inputs i of symbolic edges, which index (n_out, n_in)."""
    outputs = [edge.output for edge in symbolic]
    inputs = [edge.input for edge in symbolic]
    return outputs, inputs


def _by_order(function: Function) -> tuple[Values, ...]:
    return function.f, function.d1, function.d2, function.d3


@np.errstate(all="ignore")
def values(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray
) -> FloatArray:
    """Compute (L8) of every symbolic edge, (batch, n_edges)."""
    columns = np.empty((len(symbolic), len(x)))
    for column, edge in zip(columns, symbolic, strict=True):
        inner_scale, inner_shift, outer_scale, outer_shift = affine[edge.row]
        # [eq:symbolic-edge]
        u = inner_scale * x[:, edge.input] + inner_shift
        column[:] = outer_scale * edge.function.f(u) + outer_shift
        # [/eq:symbolic-edge]
    return columns.T


def add_outputs(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray, y: FloatArray
) -> None:
    """Add (L8) of every symbolic edge to y (batch, n_out).

    A sum that is not finite becomes nan.
    """
    curves = values(symbolic, affine, x).T
    for edge, curve in zip(symbolic, curves, strict=True):
        y[:, edge.output] += curve
    y[~np.isfinite(y)] = np.nan


@np.errstate(all="ignore")
def derivatives(
    symbolic: Sequence[SymbolicEdge],
    affine: FloatArray,
    x: FloatArray,
    orders: Sequence[int],
) -> FloatArray:
    """Compute (L11): derivatives with respect to x of orders 0 to 3.

    They are (n_edges, n_orders, batch); of order 1 they are (L9).
    """
    planes = np.empty((len(symbolic), len(orders), len(x)))
    for rows, edge in zip(planes, symbolic, strict=True):
        inner_scale, inner_shift, outer_scale, outer_shift = affine[edge.row]
        u = inner_scale * x[:, edge.input] + inner_shift
        by_u = _by_order(edge.function)
        for row, order in zip(rows, orders, strict=True):
            # [eq:symbolic-derivative]
            row[:] = outer_scale * inner_scale**order * by_u[order](u)
            row += outer_shift if order == 0 else 0.0
            # [/eq:symbolic-derivative]
    return planes


def slopes(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray
) -> FloatArray:
    """Compute (L9) of every symbolic edge, (batch, n_edges)."""
    return derivatives(symbolic, affine, x, (1,))[:, 0].T


def add_input_gradient(
    symbolic: Sequence[SymbolicEdge],
    affine: FloatArray,
    x: FloatArray,
    dy: FloatArray,
    dx: FloatArray,
) -> None:
    """Add the symbolic edges' part of dR/dx to dx (batch, n_in).

    dy: (batch, n_out).
    """
    by_x = slopes(symbolic, affine, x).T
    for edge, slope in zip(symbolic, by_x, strict=True):
        dx[:, edge.input] += dy[:, edge.output] * slope


@np.errstate(all="ignore")
def affine_slopes(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray, order: int = 0
) -> FloatArray:
    """Compute (L12) for an order q of at most 2: derivatives by a, b, c, d.

    They are (batch, n_edges, 4); the order in memory is (n_edges, 4, batch). Implements
    :eq:`symbolic-parameters`.
    """
    terms = np.empty((len(symbolic), 4, len(x)))
    for (by_a, by_b, by_c, by_d), edge in zip(terms, symbolic, strict=True):
        inner_scale, inner_shift, outer_scale, _ = affine[edge.row]
        u = inner_scale * x[:, edge.input] + inner_shift
        by_u = _by_order(edge.function)
        # [eq:symbolic-parameters]
        by_b[:] = outer_scale * inner_scale**order * by_u[order + 1](u)
        by_a[:] = by_b * x[:, edge.input]
        by_c[:] = by_u[order](u)
        if order > 0:
            by_a += outer_scale * order * inner_scale ** (order - 1) * by_c
            by_c *= inner_scale**order
        by_d[:] = order == 0
        # [/eq:symbolic-parameters]
    return np.moveaxis(terms, 2, 0)


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
    upstream = dy[:, outputs]
    if d_edges is not None:
        upstream = upstream + d_edges[:, outputs, inputs]
    terms = affine_slopes(symbolic, affine, x)
    by_edge = np.einsum("be,bep->ep", upstream, terms)
    gradient = np.zeros_like(affine)
    np.add.at(gradient, [edge.row for edge in symbolic], by_edge)
    # [/eq:layer-backward-symbolic]
    return gradient
