"""One Kolmogorov-Arnold layer: a learnable curve on every edge, summed at every output.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.10-2.12, and the chain rule). The edge from
input i to output j is exactly one of three:

    mask_ji = 1           a spline edge,
                          w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x)
    listed in `symbolic`  a symbolic edge, c f(a x + b) + d
    neither               masked: its value is 0

With F = basis.reshape(batch, n_in * n_basis), C = (w_spline * mask)[..., None] * coef
as (n_out, n_in * n_basis), W = w_base * mask, and dy = dR/dy of a scalar R,

    (L1)  y          = base @ W.T + F @ C.T
    (L2)  d_C        = dy.T @ F
    (L3)  d_coef     = mask * w_spline * d_C
    (L4)  d_w_spline = mask * sum_m coef * d_C
    (L5)  d_w_base   = mask * (dy.T @ base)
    (L6)  dx         = (dy @ W) * base_slope + sum_m (dy @ C) * basis_slope
    (L7)  if R also depends on each edge separately, with
          d_edges_bji = dR/d phi_ji(x_bi):
          dy_bj becomes dy_bj + d_edges_bji in (L2)-(L6)

Symbolic edges add (L8)-(L10) of `symbolic_edges`. There is no bias: the basis functions
sum to 1 on the grid, so the coefficients hold a constant. Arrays are indexed batch
first, but in memory the batch comes last, because NumPy's inner loops are long then.
Hence (A.T @ B.T).T for B @ A.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from kan_ref import bspline, checks
from kan_ref.bspline import Bases, KnotVectors, Workspace
from kan_ref.checks import FloatArray, Record
from kan_ref.functions import BASE_FUNCTIONS, BASE_NAMES
from kan_ref.network import symbolic_edges
from kan_ref.network.symbolic_edges import SymbolicEdge

# part of theta -> its array
PARAMETER_ARRAYS = {
    "coef": "coef",
    "w_base": "w_base",
    "w_spline": "w_spline",
    "symbolic": "affine",
}
PARAMETER_NAMES = tuple(PARAMETER_ARRAYS)


class Rebuilt(Record):
    """A base class of records whose copies and pickles are checked and read-only.

    They are built again.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        entries = fields(self)  # type: ignore[arg-type]
        given = [getattr(self, entry.name) for entry in entries if entry.init]
        return type(self), tuple(given)


@dataclass(frozen=True, eq=False)
class Layer(Rebuilt):
    """Parameters of one layer, checked and copied at construction, never changed after.

    Parameters
    ----------
    knots : (n_in, n_intervals + 2 degree + 1)
        One extended knot vector per input, nondecreasing, shared by all outputs.
    coef : (n_out, n_in, n_basis)
        n_basis = n_intervals + degree.
    w_base, w_spline : (n_out, n_in)
        Weights of base function and spline. See tutorials/02_an_edge.md, "the redundant
        weight".
    mask : (n_out, n_in)
        1 for a spline edge, 0 for a masked or symbolic one.
    degree : int
        At least 0.
    base : str
        "silu", "identity" or "zero".
    symbolic : sequence of SymbolicEdge
        The symbolic edges; kept sorted by output and input.
    affine : (n_rows, 4)
        a, b, c, d of the symbolic edges; edges with the same row share them.

    Attributes
    ----------
    n_in, n_out, n_basis, n_intervals : int
    breakpoints : (n_in, n_intervals + 1)
        The grid in [a, b].

    Examples
    --------
    >>> import kan_ref as kr
    >>> knots = kr.uniform_knots(0.0, 2.0, n_intervals=2, degree=1)
    >>> kr.Layer(knots, [[[4.0, -2.0, 6.0]]], [[2.0]], [[0.5]], [[1.0]], 1)
    Layer(1 -> 1, n_intervals 2, degree 1, base 'silu')
    """

    knots: FloatArray
    coef: FloatArray
    w_base: FloatArray
    w_spline: FloatArray
    mask: FloatArray
    degree: int
    base: str = "silu"
    symbolic: Sequence[SymbolicEdge] = ()
    affine: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    rows: KnotVectors = field(init=False)
    breakpoints: FloatArray = field(init=False)
    n_in: int = field(init=False)
    n_out: int = field(init=False)
    n_basis: int = field(init=False)
    n_intervals: int = field(init=False)
    # whether its sums gather coefficients (`bspline.gathers`)
    gathered: bool = field(init=False)

    def __post_init__(self) -> None:
        degree = checks.integer("degree", self.degree)
        knots = bspline.check_knots("knots", self.knots, degree)
        n_in = len(knots)
        w_base = checks.samples("w_base", self.w_base, ("n_out", n_in))
        n_out = len(w_base)
        mask = checks.array("mask", self.mask, w_base.shape)
        for j, i in np.argwhere((mask != 0.0) & (mask != 1.0)):
            where = f"mask at output {j}, input {i}"
            checks.fail(where, mask[j, i], "every edge needs 0 or 1")
        symbolic, affine = symbolic_edges.check_edges(self.symbolic, self.affine, mask)
        n_basis = knots.shape[1] - degree - 1
        coef = checks.array("coef", self.coef, (n_out, n_in, n_basis))
        w_spline = checks.array("w_spline", self.w_spline, w_base.shape)
        checks.choice("base", self.base, BASE_NAMES)

        arrays = {
            "knots": knots.copy(),
            "coef": coef.copy(),
            "w_base": w_base.copy(),
            "w_spline": w_spline.copy(),
            "mask": mask.copy(),
            "affine": affine,
        }
        for array in arrays.values():
            array.flags.writeable = False
        self.__dict__.update(
            arrays, degree=degree, n_in=n_in, n_out=n_out, symbolic=symbolic
        )
        self.__dict__.update(knot_fields(arrays["knots"], degree, n_out))

    @property
    def base_matrix(self) -> FloatArray:
        """W of (L1): masked base weights, (n_out, n_in)."""
        return self.w_base * self.mask

    @property
    def spline_matrix(self) -> FloatArray:
        """C of (L1): masked and weighted coefficients, (n_out, n_in * n_basis)."""
        weighted = self.coef * (self.w_spline * self.mask)[:, :, None]
        return weighted.reshape(self.n_out, -1)

    @property
    def n_params(self) -> int:
        """Number of parameters, those of masked edges too."""
        return self.coef.size + 2 * self.w_base.size + self.affine.size

    @property
    def n_active(self) -> int:
        """Number of edges that are not masked."""
        return int(self.mask.sum()) + len(self.symbolic)

    def __repr__(self) -> str:
        text = (
            f"Layer({self.n_in} -> {self.n_out}, n_intervals {self.n_intervals}, "
            f"degree {self.degree}, base {self.base!r}"
        )
        if self.symbolic:
            text += ", symbolic " + ", ".join(edge.name for edge in self.symbolic[:4])
        if len(self.symbolic) > 4:
            text += f" and {len(self.symbolic) - 4} more"
        masked = self.mask.size - self.n_active
        if masked:
            text += f", {masked} masked edges"
        return text + ")"


# --- what the forward pass keeps, and what the backward pass returns


@dataclass(frozen=True)
class Cache:
    """Values of the forward pass that the backward pass needs.

    `inputs` (batch, n_in); `bases`, the basis functions there; `base`, `base_slope`
    (batch, n_in): b(x), b'(x). Where no gradient with respect to x is needed (a first
    layer in training) `base_slope` is None.
    """

    inputs: FloatArray
    bases: Bases
    base: FloatArray
    base_slope: Any  # or None

    def __repr__(self) -> str:
        return f"Cache(inputs {self.inputs.shape}, {self.bases!r})"


# outputs of every layer, and the caches of every layer
Flow = tuple[list[FloatArray], tuple[Cache, ...]]


class Gradients(NamedTuple):
    """dR/d coef, ...: each has the shape of its parameter; in the order of theta."""

    coef: FloatArray
    w_base: FloatArray
    w_spline: FloatArray
    affine: FloatArray


def new_workspaces(n_layers: int) -> list[Workspace]:
    """Return memory for the basis functions of layers, used again at every step."""
    return [Workspace() for _ in range(n_layers)]


def knot_fields(knots: FloatArray, degree: int, n_out: int) -> dict[str, object]:
    """Return the fields of a `Layer` that follow from its knots."""
    n_basis = knots.shape[1] - degree - 1
    return {
        "rows": bspline.prepare_knots(knots, degree),
        "breakpoints": knots[:, degree : n_basis + 1],
        "n_basis": n_basis,
        "n_intervals": n_basis - degree,
        "gathered": bspline.gathers(n_out, n_basis, degree),
    }


def parameter_arrays(layer: Layer) -> tuple[FloatArray, ...]:
    """Return coef, w_base, w_spline, affine: a layer's part of theta, in its order."""
    return layer.coef, layer.w_base, layer.w_spline, layer.affine


def with_parameters(layer: Layer, arrays: Sequence[FloatArray]) -> Layer:
    """Return the layer with other parameter arrays, neither copied nor checked."""
    new = object.__new__(Layer)
    new.__dict__.update(layer.__dict__)
    new.__dict__.update(zip(PARAMETER_ARRAYS.values(), arrays, strict=True))
    return new


def evaluate(
    layer: Layer,
    x: FloatArray,
    *,
    slopes: bool = True,
    workspace: Workspace | None = None,
) -> Cache:
    """Evaluate all in a layer that depends on x and the knots, but not on parameters.

    Once is enough where x does not change. A `workspace` lends the cache memory until
    the next use.
    """
    x = np.ascontiguousarray(x.T).T  # batch last in memory, like all arrays made of it
    orders = (0, 1) if slopes else (0,)
    bases = bspline.evaluate_bases(layer.rows, x, orders[-1], layer.gathered, workspace)
    base, *slope = BASE_FUNCTIONS[layer.base](x, orders)
    base_slope = slope[0] if slopes else None
    return Cache(x, bases, base, base_slope)


# --- forward


def layer_forward(layer: Layer, x: FloatArray) -> tuple[FloatArray, Cache]:
    """Compute the outputs (batch, n_out) at x (batch, n_in), and the cache there."""
    cache = evaluate(layer, x)
    return layer_outputs(layer, cache), cache


def layer_outputs(layer: Layer, cache: Cache) -> FloatArray:
    """Compute the outputs (batch, n_out) from the cache: :eq:`layer-forward`."""
    # [eq:layer-forward]
    y = (layer.base_matrix @ cache.base.T).T
    y += bspline.spline_sums(layer.spline_matrix, cache.bases)
    # [/eq:layer-forward]
    if layer.symbolic:
        symbolic_edges.add_outputs(layer.symbolic, layer.affine, cache.inputs, y)
    return y


# --- backward


def layer_backward(
    layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None
) -> tuple[FloatArray, Gradients]:
    """Compute dR/dx (batch, n_in) of a scalar R, and the gradients of parameters.

    dy (batch, n_out) is dR/dy at the x of `cache`, d_edges (batch, n_out, n_in) the
    part of dR/d phi_ji(x_bi) that does not come through y (a penalty on edges).
    Implements :eq:`layer-input-gradient` and :eq:`layer-backward-edges`. About two
    forward passes.
    """
    grads = parameter_gradients(layer, cache, dy, d_edges)
    # [eq:layer-input-gradient]
    dx = (layer.base_matrix.T @ dy.T).T * cache.base_slope
    dx += bspline.slope_sums(layer.spline_matrix, cache.bases, dy)
    # [/eq:layer-input-gradient]
    if layer.symbolic:
        symbolic_edges.add_input_gradient(
            layer.symbolic, layer.affine, cache.inputs, dy, dx
        )
    if d_edges is not None:
        # [eq:layer-backward-edges]
        dx += (d_edges * edge_slopes(layer, cache)).sum(axis=1)
        # [/eq:layer-backward-edges]
    return dx, grads


def parameter_gradients(
    layer: Layer,
    cache: Cache,
    dy: FloatArray,
    d_edges: FloatArray | None = None,
    out: FloatArray | None = None,
) -> Gradients:
    """Compute what `layer_backward` does but dx.

    `out` (n_out, n_in * n_basis) lends d_coef its memory.
    """
    # [eq:layer-backward]
    d_base_matrix = dy.T @ cache.base
    d_spline_matrix = bspline.matrix_gradient(dy, cache.bases, out)
    # [/eq:layer-backward]
    if d_edges is not None:
        d_base_matrix += np.einsum("bji,bi->ji", d_edges, cache.base)
        d_spline_matrix += bspline.edge_matrix_gradient(d_edges, cache.bases)
    d_affine = layer.affine  # empty without symbolic edges
    if layer.symbolic:
        d_affine = symbolic_edges.affine_gradient(
            layer.symbolic, layer.affine, cache.inputs, dy, d_edges
        )
    grads = weight_gradients(layer, d_spline_matrix, d_base_matrix)
    return Gradients(*grads, d_affine)


def weight_gradients(
    layer: Layer, d_spline_matrix: FloatArray, d_base_matrix: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute d_coef, d_w_base, d_w_spline from d_C, which is overwritten, and d_W."""
    # [eq:layer-weights]
    d_w_base = d_base_matrix * layer.mask
    d_weighted = d_spline_matrix.reshape(layer.coef.shape)  # d_C by [out, in, m]
    d_w_spline = layer.mask * np.einsum("jim,jim->ji", layer.coef, d_weighted)
    weights = (layer.mask * layer.w_spline)[:, :, None]
    d_coef = np.multiply(weights, d_weighted, out=d_weighted)
    # [/eq:layer-weights]
    return d_coef, d_w_base, d_w_spline


# --- each edge separately


def layer_edge_outputs(layer: Layer, cache: Cache) -> FloatArray:
    """Compute phi_ji(x_bi), (batch, n_out, n_in), the summands of (L1).

    Masked edges give 0.
    """
    sums = bspline.edge_sums(layer.spline_matrix, cache.bases)
    values = cache.base[:, None, :] * layer.base_matrix + sums
    own = symbolic_edges.values(layer.symbolic, layer.affine, cache.inputs)
    values[:, *symbolic_edges.numbers(layer.symbolic)] = own
    return values


def edge_slopes(layer: Layer, cache: Cache) -> FloatArray:
    """Compute the derivatives phi'_ji(x_bi), (batch, n_out, n_in)."""
    sums = bspline.edge_sums(layer.spline_matrix, cache.bases, plane=1)
    slopes: FloatArray = cache.base_slope[:, None, :] * layer.base_matrix + sums
    own = symbolic_edges.slopes(layer.symbolic, layer.affine, cache.inputs)
    slopes[:, *symbolic_edges.numbers(layer.symbolic)] = own
    return slopes
