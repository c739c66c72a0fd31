"""One Kolmogorov-Arnold layer: a curve on every edge, summed at every output; forward, backward, and an edge by itself.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.10-2.12, and the chain rule). The edge from input i to output j is the curve
phi_ji(x) = w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x). With F = basis.reshape(batch, n_in * n_basis),
C = (w_spline * mask)[..., None] * coef as (n_out, n_in * n_basis), W = w_base * mask, and dy = dR/dy of a scalar R,

    (L1)  y          = base @ W.T + F @ C.T
    (L2)  d_C        = dy.T @ F
    (L3)  d_coef     = mask * w_spline * d_C
    (L4)  d_w_spline = mask * sum_m coef * d_C
    (L5)  d_w_base   = mask * (dy.T @ base)
    (L6)  dx         = (dy @ W) * base_slope + sum_m (dy @ C) * basis_slope
    (L7)  where R also depends on each edge by itself, d_edges_bji = dR/d phi_ji(x_bi): dy_bj becomes
          dy_bj + d_edges_bji in (L2)-(L6)

There is no bias: the bases sum to 1 on the grid, so a constant lives in the coefficients.
Arrays are indexed batch first, but in memory the batch comes last: NumPy's inner loops are long then. Hence (A.T @ B.T).T for B @ A.
"""

from dataclasses import dataclass, field

import numpy as np

from kan_ref import contraction
from kan_ref.base_function import BASE_NAMES, base_function
from kan_ref.checks import FloatArray, choice, float_array, integer
from kan_ref.contraction import Bases
from kan_ref.knots import check_knots
from kan_ref.live_bspline import KnotRows, prepare_rows


@dataclass(frozen=True, eq=False)
class Layer:
    """Parameters of one layer, checked and copied at construction, never changed after.

    Parameters
    ----------
    knots : (n_in, n_intervals + 2 degree + 1)
        One row per input, rising, shared by all outputs.
    coef : (n_out, n_in, n_basis)
        n_basis = n_intervals + degree.
    w_base, w_spline : (n_out, n_in)
        Weights of base function and spline.
    mask : (n_out, n_in)
        1 where the edge lives, 0 where it is dead.
    degree : int
        At least 0.
    base : str
        "silu", "identity" or "zero".

    Raises
    ------
    ValueError, TypeError
        "coef has shape (5, 2, 7), but 5 outputs, 2 inputs and n_intervals 5 + degree 3 need (5, 2, 8)", and the like
        for every other argument.
    """

    knots: FloatArray
    coef: FloatArray
    w_base: FloatArray
    w_spline: FloatArray
    mask: FloatArray
    degree: int
    base: str = "silu"
    rows: KnotRows = field(init=False, repr=False)

    def __post_init__(self) -> None:
        degree = integer("degree", self.degree, low=0)
        knots = check_knots("knots", self.knots, degree)
        n_in, n_intervals = knots.shape[0], knots.shape[1] - 2 * degree - 1
        w_base = float_array("w_base", self.w_base, ("n_out", n_in))
        if 0 in w_base.shape:
            raise ValueError(f"w_base has shape {w_base.shape}, but a layer needs at least one output and one input")
        n_out, n_basis = w_base.shape[0], n_intervals + degree
        coef = float_array("coef", self.coef, ("n_out", "n_in", "n_basis"))
        if coef.shape != (n_out, n_in, n_basis):
            raise ValueError(
                f"coef has shape {coef.shape}, but {n_out} outputs, {n_in} inputs and "
                f"n_intervals {n_intervals} + degree {degree} need {(n_out, n_in, n_basis)}"
            )
        mask = float_array("mask", self.mask, (n_out, n_in), flags=True)
        if not np.isin(mask, (0.0, 1.0)).all():
            j, i = (int(n) for n in np.argwhere(~np.isin(mask, (0.0, 1.0)))[0])
            raise ValueError(f"mask is {mask[j, i]:g} at output {j}, input {i}, but every edge needs 0 or 1")
        checked = {
            "knots": knots,
            "coef": coef,
            "w_base": w_base,
            "w_spline": float_array("w_spline", self.w_spline, (n_out, n_in)),
            "mask": mask,
        }
        for name, array in checked.items():
            own = array.copy()
            own.flags.writeable = False
            object.__setattr__(self, name, own)
        object.__setattr__(self, "degree", degree)
        object.__setattr__(self, "base", choice("base", self.base, BASE_NAMES))
        object.__setattr__(self, "rows", prepare_rows(self.knots, degree))

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.coef.shape[1])

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(self.coef.shape[0])

    @property
    def n_basis(self) -> int:
        """Number of B-splines per edge, n_intervals + degree."""
        return int(self.coef.shape[2])

    @property
    def n_intervals(self) -> int:
        """Number of grid intervals between the ends of the grid."""
        return int(self.coef.shape[2]) - self.degree

    @property
    def breakpoints(self) -> FloatArray:
        """The grid in [a, b], (n_in, n_intervals + 1)."""
        return self.knots[:, self.degree : self.knots.shape[1] - self.degree]

    @property
    def spline_matrix(self) -> FloatArray:
        """C of (L1): masked and weighted coefficients, (n_out, n_in * n_basis)."""
        weighted = self.coef * (self.w_spline * self.mask)[:, :, None]
        return weighted.reshape(self.n_out, -1)

    @property
    def base_matrix(self) -> FloatArray:
        """W of (L1): masked base weights, (n_out, n_in)."""
        return self.w_base * self.mask

    def __reduce__(self) -> tuple[type["Layer"], tuple[object, ...]]:
        """Copies and pickles are built, and checked, anew: read-only like the original."""
        return Layer, (self.knots, self.coef, self.w_base, self.w_spline, self.mask, self.degree, self.base)

    def __repr__(self) -> str:
        dead = int((self.mask == 0).sum())
        note = f", {dead} dead edges" if dead else ""
        return f"Layer({self.n_in} -> {self.n_out}, n_intervals {self.n_intervals}, degree {self.degree}, base {self.base!r}{note})"


@dataclass(frozen=True)
class Cache:
    """What backward needs of forward.

    `bases`: the B-splines of the batch. `base`, `base_slope` (batch, n_in): b(x), b'(x). x itself is not kept. Without
    slopes (a first layer in training) `base_slope` is None, and there is no gradient with respect to x.
    """

    bases: Bases
    base: FloatArray
    base_slope: FloatArray | None

    def fits(self, layer: Layer, batch: int) -> bool:
        """Whether this record can come from `layer` and a batch of that size."""
        return (
            self.base.shape == (batch, layer.n_in)
            and self.bases.n_columns == layer.n_in * layer.n_basis
            and len(self.bases.values) == layer.degree + 1
        )

    def __repr__(self) -> str:
        slope = "None" if self.base_slope is None else str(self.base_slope.shape)
        return f"Cache(base {self.base.shape}, base_slope {slope}, {self.bases!r})"


def with_parameters(layer: Layer, coef: FloatArray, w_base: FloatArray, w_spline: FloatArray) -> Layer:
    """`layer` with other parameters of the same shapes, taken as they are: no copy, no check, the knot rows shared."""
    new = object.__new__(Layer)
    new.__dict__.update(layer.__dict__, coef=coef, w_base=w_base, w_spline=w_spline)
    return new


def evaluate(layer: Layer, x: FloatArray, *, slopes: bool = True) -> Cache:
    """Everything in a layer that depends on x and the knots alone, not on the parameters.

    Where x does not change between two steps (a first layer, the full batch), this is computed once.
    """
    x = np.ascontiguousarray(x.T).T  # batch last, as all that is made of it
    bases = contraction.evaluate_bases(layer.rows, x, layer.n_out, slopes=slopes)
    if slopes:
        base, base_slope = base_function(layer.base, x, (0, 1))
        return Cache(bases, base, base_slope)
    return Cache(bases, base_function(layer.base, x, (0,))[0], None)


# --- forward


def forward(layer: Layer, x: FloatArray) -> tuple[FloatArray, Cache]:
    """Outputs of a layer and what backward needs.

    Parameters
    ----------
    layer : Layer
    x : (batch, n_in)
        Finite; not checked again here.

    Returns
    -------
    y : (batch, n_out)
    cache : Cache

    Notes
    -----
    Implements :eq:`layer-forward`, Liu et al. 2024, eqs. 2.5 and 2.10.
    """
    cache = evaluate(layer, x)
    return outputs(layer, cache), cache


def outputs(layer: Layer, cache: Cache) -> FloatArray:
    """(L1) from what is already evaluated, (batch, n_out)."""
    # [eq:layer-forward]
    return (layer.base_matrix @ cache.base.T).T + contraction.spline_sums(layer.spline_matrix, cache.bases)
    # [/eq:layer-forward]


# --- backward


def backward(layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None) -> tuple[FloatArray, Layer]:
    """Gradients of a scalar R with respect to the inputs and the parameters.

    Parameters
    ----------
    layer : Layer
    cache : Cache
        From `forward` at the same x.
    dy : (batch, n_out)
        dR/dy.
    d_edges : (batch, n_out, n_in), optional
        The part of dR/d phi_ji(x_bi) that does not come through y (a penalty on edges).

    Returns
    -------
    dx : (batch, n_in)
    grads : Layer
        The gradient lives in the space of its parameter: `grads.coef` is d_coef, and so on.

    Notes
    -----
    Implements :eq:`layer-backward` and :eq:`layer-backward-edges`. About two forward passes.
    """
    return input_gradient(layer, cache, dy, d_edges), parameter_gradients(layer, cache, dy, d_edges)


def input_gradient(layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None) -> FloatArray:
    """(L6), with `d_edges` (L7): dR/dx, (batch, n_in)."""
    if cache.base_slope is None:
        raise ValueError("cache holds no slopes, but a gradient with respect to x needs evaluate(..., slopes=True)")
    # [eq:layer-input-gradient]
    dx = (layer.base_matrix.T @ dy.T).T * cache.base_slope + contraction.slope_sums(layer.spline_matrix, cache.bases, dy)
    # [/eq:layer-input-gradient]
    if d_edges is not None:
        # [eq:layer-backward-edges]
        dx += (d_edges * edge_slopes(layer, cache)).sum(axis=1)
        # [/eq:layer-backward-edges]
    return dx


def parameter_gradients(layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None) -> Layer:
    """(L2)-(L5), with `d_edges` (L7): dR/d parameters, as a layer."""
    # [eq:layer-backward]
    d_matrix = contraction.matrix_gradient(dy, cache.bases)
    d_base_matrix = dy.T @ cache.base
    if d_edges is not None:
        d_matrix += contraction.edge_matrix_gradient(d_edges, cache.bases)
        d_base_matrix += np.einsum("bji,bi->ji", d_edges, cache.base)
    d_spline = d_matrix.reshape(layer.coef.shape)
    d_w_spline = layer.mask * np.einsum("jim,jim->ji", layer.coef, d_spline)
    d_coef = np.multiply((layer.mask * layer.w_spline)[:, :, None], d_spline, out=d_spline)
    d_w_base = d_base_matrix * layer.mask
    # [/eq:layer-backward]
    return with_parameters(layer, d_coef, d_w_base, d_w_spline)


# --- an edge by itself


def edge_outputs(layer: Layer, cache: Cache) -> FloatArray:
    """phi_ji(x_bi), (batch, n_out, n_in): the summands of (L1); dead edges are 0."""
    return cache.base[:, None, :] * layer.base_matrix + contraction.edge_sums(layer.spline_matrix, cache.bases)


def edge_slopes(layer: Layer, cache: Cache) -> FloatArray:
    """phi'_ji(x_bi), (batch, n_out, n_in)."""
    if cache.base_slope is None:
        raise ValueError("cache holds no slopes, but edge slopes need evaluate(..., slopes=True)")
    return cache.base_slope[:, None, :] * layer.base_matrix + contraction.edge_sums(layer.spline_matrix, cache.bases, plane=1)
