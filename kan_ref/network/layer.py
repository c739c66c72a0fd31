"""One layer's parameters: knots, coefficients, weights, and which edge is a spline, a formula, or dead.

The edge from input i to output j is exactly one of three (Liu et al. 2024, eqs. 2.10 and 2.12, section 2.5.1):

    mask_ji = 1                  the spline edge w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x)
    listed in `symbolic`         the formula c f(a x + b) + d
    neither                      dead: it gives 0

The parameters that an optimizer moves are, in this order, the arrays coef, w_base, w_spline and affine (all formulas' a, b, c, d).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.bspline import KnotVectors, check_knots, prepare_knots
from kan_ref.checks import FloatArray, check_choice, check_float_array, check_integer
from kan_ref.functions import BASE_NAMES
from kan_ref.network.symbolic_edges import SymbolicEdge, check_edges

PARAMETER_ARRAYS = {
    "coef": "coef",
    "w_base": "w_base",
    "w_spline": "w_spline",
    "symbolic": "affine",
}  # name of a part -> its array
PARAMETER_NAMES = tuple(PARAMETER_ARRAYS)


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
        Weights of base function and spline. See tutorials/02_an_edge.md, "the redundant weight".
    mask : (n_out, n_in)
        1 where a spline stands, 0 where the edge is dead or a formula.
    degree : int
        At least 0.
    base : str
        "silu", "identity" or "zero".
    symbolic : sequence of SymbolicEdge
        The edges that are formulas; kept sorted by output and input.
    affine : (n_rows, 4)
        a, b, c, d of the formulas; edges with the same row share them.

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
    symbolic: Sequence[SymbolicEdge] = ()
    affine: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    rows: KnotVectors = field(init=False, repr=False)

    def __post_init__(self) -> None:
        degree = check_integer("degree", self.degree, low=0)
        knots = check_knots("knots", self.knots, degree)
        n_in, n_intervals = knots.shape[0], knots.shape[1] - 2 * degree - 1
        w_base = check_float_array("w_base", self.w_base, ("n_out", n_in))
        if 0 in w_base.shape:
            raise ValueError(
                f"w_base has shape {w_base.shape}, but a layer needs at least one output and one input"
            )
        n_out, n_basis = w_base.shape[0], n_intervals + degree
        coef = check_float_array("coef", self.coef, ("n_out", "n_in", "n_basis"))
        if coef.shape != (n_out, n_in, n_basis):
            raise ValueError(
                f"coef has shape {coef.shape}, but {n_out} outputs, {n_in} inputs and "
                f"n_intervals {n_intervals} + degree {degree} need {(n_out, n_in, n_basis)}"
            )
        mask = check_float_array("mask", self.mask, (n_out, n_in), flags=True)
        if not np.isin(mask, (0.0, 1.0)).all():
            j, i = (int(n) for n in np.argwhere(~np.isin(mask, (0.0, 1.0)))[0])
            raise ValueError(
                f"mask is {mask[j, i]:g} at output {j}, input {i}, but every edge needs 0 or 1"
            )
        symbolic, affine = check_edges(self.symbolic, self.affine, mask)
        checked = {
            "knots": knots,
            "coef": coef,
            "w_base": w_base,
            "w_spline": check_float_array("w_spline", self.w_spline, (n_out, n_in)),
            "mask": mask,
            "affine": affine,
        }
        for name, array in checked.items():
            own = array.copy()
            own.flags.writeable = False
            object.__setattr__(self, name, own)
        object.__setattr__(self, "degree", degree)
        object.__setattr__(self, "base", check_choice("base", self.base, BASE_NAMES))
        object.__setattr__(self, "symbolic", symbolic)
        object.__setattr__(self, "rows", prepare_knots(self.knots, degree))

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

    @property
    def n_params(self) -> int:
        """Number of parameters, those of dead edges too."""
        return self.coef.size + 2 * self.w_base.size + self.affine.size

    @property
    def n_live(self) -> int:
        """Number of edges that are not dead."""
        return int(self.mask.sum()) + len(self.symbolic)

    def __reduce__(self) -> tuple[type["Layer"], tuple[object, ...]]:
        """Copies and pickles are built, and checked, anew: read-only like the original."""
        state = (
            self.knots,
            self.coef,
            self.w_base,
            self.w_spline,
            self.mask,
            self.degree,
            self.base,
            self.symbolic,
            self.affine,
        )
        return Layer, state

    def __repr__(self) -> str:
        dead = self.mask.size - self.n_live
        names = (
            f", symbolic {', '.join(edge.name for edge in self.symbolic[:4])}"
            if self.symbolic
            else ""
        )
        more = f" and {len(self.symbolic) - 4} more" if len(self.symbolic) > 4 else ""
        note = f", {dead} dead edges" if dead else ""
        return (
            f"Layer({self.n_in} -> {self.n_out}, n_intervals {self.n_intervals}, degree {self.degree}, base {self.base!r}"
            f"{names}{more}{note})"
        )


def with_parameters(layer: Layer, arrays: Sequence[FloatArray]) -> Layer:
    """`layer` with other arrays coef, w_base, w_spline, affine of the same shapes, taken as they are: no copy, no check."""
    new = object.__new__(Layer)
    new.__dict__.update(layer.__dict__, **dict(zip(PARAMETER_ARRAYS.values(), arrays, strict=True)))
    return new


def with_knots(layer: Layer, knots: FloatArray, coef: FloatArray) -> Layer:
    """Return `layer` with other knots and coefficients, taken as they are: no copy, no check."""
    new = object.__new__(Layer)
    vectors = prepare_knots(knots, layer.degree)
    new.__dict__.update(layer.__dict__, knots=knots, coef=coef, rows=vectors)
    return new


def parameter_arrays(layer: Layer) -> tuple[FloatArray, ...]:
    """The arrays coef, w_base, w_spline, affine: a layer's part of theta, in its order."""
    return (layer.coef, layer.w_base, layer.w_spline, layer.affine)


def parameter_vector(layer: Layer) -> FloatArray:
    """A layer's part of theta as one vector."""
    return np.concatenate([array.reshape(-1) for array in parameter_arrays(layer)])
