"""Symbolic edges: c f(a x + b) + d with a named function f, beside the spline edges of
a layer.

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
    """A symbolic edge from `input` to `output`: its function, its row of the layer's
    `affine`.
    """

    output: int
    input: int
    function: Function
    row: int

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.name

    def __repr__(self) -> str:
        return f"SymbolicEdge(output {self.output}, input {self.input}, {self.name!r}, {self.row})"


def check_edges(
    symbolic: Sequence[object], affine: object, mask: FloatArray
) -> tuple[tuple[SymbolicEdge, ...], FloatArray]:
    """Return the checked edges sorted by output and input, and the rows that they use,
    in order.
    """
    rows = checks.array("affine", affine, ("n_rows", 4))
    found: dict[tuple[int, int], SymbolicEdge] = {}
    for number, one in enumerate(symbolic):
        edge = checks.instance(f"symbolic[{number}]", one, SymbolicEdge)
        checks.instance(f"symbolic[{number}].function", edge.function, Function)
        j = checks.integer(
            f"symbolic[{number}].output", edge.output, high=mask.shape[0] - 1
        )
        i = checks.integer(
            f"symbolic[{number}].input", edge.input, high=mask.shape[1] - 1
        )
        checks.integer(f"symbolic[{number}].row", edge.row, high=len(rows) - 1)
        if mask[j, i] or (j, i) in found:
            checks.fail(
                f"symbolic[{number}]", edge, "that edge is a spline or symbolic already"
            )
        found[j, i] = edge
    edges = [found[place] for place in sorted(found)]
    functions: dict[int, Function] = {}
    for edge in edges:
        if functions.setdefault(edge.row, edge.function) != edge.function:
            checks.fail("symbolic", edge, "edges that share a row need one function")
    places = {row: place for place, row in enumerate(functions)}
    return tuple(replace(edge, row=places[edge.row]) for edge in edges), rows[
        list(functions)
    ]


def numbers(symbolic: Sequence[SymbolicEdge]) -> tuple[list[int], list[int]]:
    """Return outputs j and inputs i of all symbolic edges, to index arrays (n_out,
    n_in).
    """
    return [edge.output for edge in symbolic], [edge.input for edge in symbolic]


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
    """Add (L8) of every symbolic edge to y (batch, n_out); a sum that is not finite
    becomes nan.
    """
    for edge, curve in zip(symbolic, values(symbolic, affine, x).T, strict=True):
        y[:, edge.output] += curve
    y[~np.isfinite(y)] = np.nan


@np.errstate(all="ignore")
def derivatives(
    symbolic: Sequence[SymbolicEdge],
    affine: FloatArray,
    x: FloatArray,
    orders: Sequence[int],
) -> FloatArray:
    """Compute (L11): derivatives with respect to x of orders 0 to 3, (n_edges,
    n_orders, batch).

    Of order 1 they are (L9).
    """
    planes = np.empty((len(symbolic), len(orders), len(x)))
    for rows, edge in zip(planes, symbolic, strict=True):
        inner_scale, inner_shift, outer_scale, outer_shift = affine[edge.row]
        u = inner_scale * x[:, edge.input] + inner_shift
        for row, order in zip(rows, orders, strict=True):
            # [eq:symbolic-derivative]
            row[:] = (
                outer_scale * inner_scale**order * _by_order(edge.function)[order](u)
            )
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
    """Add the symbolic edges' part of dR/dx to dx (batch, n_in), given dy (batch,
    n_out).
    """
    for edge, slope in zip(symbolic, slopes(symbolic, affine, x).T, strict=True):
        dx[:, edge.input] += dy[:, edge.output] * slope


@np.errstate(all="ignore")
def affine_slopes(
    symbolic: Sequence[SymbolicEdge], affine: FloatArray, x: FloatArray, order: int = 0
) -> FloatArray:
    """Compute (L12) for an order q of at most 2: derivatives by a, b, c, d, (batch,
    n_edges, 4).

    Implements :eq:`symbolic-parameters`. The order in memory is (n_edges, 4, batch).
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
        by_d[:] = 1.0 if order == 0 else 0.0
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
    upstream = (
        dy[:, outputs]
        if d_edges is None
        else dy[:, outputs] + d_edges[:, outputs, inputs]
    )
    by_edge = np.einsum("be,bep->ep", upstream, affine_slopes(symbolic, affine, x))
    gradient = np.zeros_like(affine)
    np.add.at(gradient, [edge.row for edge in symbolic], by_edge)
    # [/eq:layer-backward-symbolic]
    return gradient
