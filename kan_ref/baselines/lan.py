"""Learnable activation networks (LANs): MLPs that train each hidden node's activation.

Theorem (Liu et al. 2024, appendix B, and the chain rule). With weights W_l (n_{l+1},
n_l), biases v_l (n_{l+1},), curves phi_lj of a fixed base function b and basis
functions B_ljm on the knot vector of node j, x_0 = x, and dy = dR/dy of a scalar R,

    (M5)  (M1)-(M4) of an MLP, with phi_lj in place of s
    (M6)  phi_lj(z)  = b(z)  + sum_m c_ljm B_ljm(z)
          phi_lj'(z) = b'(z) + sum_m c_ljm B_ljm'(z)
    (M7)  d_c_ljm = sum_b dx_{l+1,bj} B_ljm(z_l,bj)
    (M8)  d prediction_n / d c_ljm = T_l[n, j] B_ljm(z_l,bj)
          n = (sample b, output o),   T_l = S_{l+1} W_{l+1}

and for a new network

    (M9)  c ~ N(0, 0.1^2);   W_l, v_l as in an MLP with the same activation (`init_mlp`)
    (M10)  c = 0: the network equals the MLP with activation b
           (Liu et al. 2024, appendix B.3: "start from a pretrained MLP")

A node's curve needs no factors w_b, w_s: the weights of the next layer scale it. theta
runs layer by layer: W_l in C order, v_l, and, except in the last layer, c_l in C order.
Outside its grid a curve decays to b, as on the edges of a KAN. A node's grid lies on
its pre-activations z for a batch, with the margin that `hidden_bounds` gives the hidden
grids of a KAN.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_ref import bspline, checks
from kan_ref.baselines.mlp import MLP, Cache, Perceptron, init_mlp
from kan_ref.bspline import Bases, KnotVectors
from kan_ref.checks import FloatArray
from kan_ref.functions import (
    ACTIVATION_NAMES,
    BASE_NAMES,
    activation_values,
    base_function,
)
from kan_ref.network import COEF_SCALE, check_widths, read_domain

LAN_BASE_NAMES = tuple(dict.fromkeys((*BASE_NAMES, *ACTIVATION_NAMES)))


@dataclass(frozen=True, eq=False, repr=False)
class LAN(Perceptron):
    """A learnable activation network; immutable, parameters also as a vector `theta`.

    Parameters
    ----------
    weights : sequence of (n_{l+1}, n_l)
        At least one; each takes as many inputs as the one before has outputs.
    biases : sequence of (n_{l+1},)
        One per layer.
    coefs : sequence of (n_{l+1}, n_basis)
        Coefficients of the nodes' curves, one array per layer except the last.
    knots : sequence of (n_{l+1}, n_intervals + 2 degree + 1)
        Their knot vectors.
    degree : int
        At least 0; the same for all.
    base : str
        "silu", "identity", "zero", "tanh", "relu" or "sine": what every spline is added
        to.

    Attributes
    ----------
    theta : (n_params,)
        Read-only.
    widths : tuple of int
        Numbers of nodes (n_0, ..., n_L).
    n_params : int

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> kr.init_lan((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    LAN([2, 5, 1], n_intervals [5], degree 3, silu, 61 parameters)
    """

    coefs: tuple[FloatArray, ...]
    knots: tuple[FloatArray, ...]
    degree: int
    base: str
    rows: tuple[KnotVectors, ...] = field(init=False)

    def __post_init__(self) -> None:
        checks.choice("base", self.base, LAN_BASE_NAMES)
        degree = checks.integer("degree", self.degree)
        arrays = self.checked()
        hidden = self.widths[1:-1]
        for name in ("coefs", "knots"):
            n = len(getattr(self, name))
            if n != len(hidden):
                checks.fail(f"len({name})", n, f"there are {len(hidden)} hidden layers")

        rows = []
        pieces = arrays[:2]
        for number, n_out in enumerate(hidden):
            knots = bspline.check_knots(f"knots[{number}]", self.knots[number], degree)
            knots = checks.array(f"knots[{number}]", knots, (n_out, "n_knots"))
            row = bspline.prepare_knots(knots.copy(), degree)
            rows.append(row)

            shape = (n_out, row.n_basis)
            coef = checks.array(f"coefs[{number}]", self.coefs[number], shape)
            pieces.append(coef)
            pieces += arrays[2 * number + 2 : 2 * number + 4]

        self.__dict__["degree"] = degree
        self.__dict__["rows"] = tuple(rows)
        self.__dict__["knots"] = tuple(row.knots for row in rows)
        theta = np.concatenate(pieces, axis=None)  # flattened
        self.set_theta(theta)

    def curves(
        self, number: int, z: FloatArray
    ) -> tuple[FloatArray, FloatArray, Bases]:
        """Return for layer `number` at z (batch, n_nodes) values, slopes and bases."""
        row = self.rows[number]
        bases = bspline.evaluate_bases(row, z, 1, gathered=True, workspace=None)
        function = activation_values if self.base in ACTIVATION_NAMES else base_function
        base, base_slope = function(self.base, z, (0, 1))
        coef = self.coefs[number].reshape(1, -1)
        # [eq:lan-curve]
        value = base + bspline.edge_sums(coef, bases)[:, 0]
        slope = base_slope + bspline.edge_sums(coef, bases, plane=1)[:, 0]
        # [/eq:lan-curve]
        return value, slope, bases

    def curve_gradients(self, cache: Cache, dy: FloatArray) -> list[FloatArray]:
        """Return d_c of a layer, with dR/dx_{l+1} = dy."""
        if cache.bases is None:
            return []
        # [eq:lan-backward]
        return [bspline.edge_matrix_gradient(dy[:, None], cache.bases)]
        # [/eq:lan-backward]

    def curve_rows(self, cache: Cache, sensitivity: FloatArray) -> list[FloatArray]:
        """Return the columns of the Jacobian for the coefficients of a layer."""
        if cache.bases is None:
            return []
        # [eq:lan-jacobian]
        dense = bspline.scatter(cache.bases.active, 0, cache.bases.n_columns)
        n_nodes = sensitivity.shape[2]
        basis = dense.reshape(len(dense), 1, n_nodes, -1)
        return [sensitivity[..., None] * basis]
        # [/eq:lan-jacobian]

    def move_grids(
        self, x: FloatArray, knots_at: Callable[..., FloatArray], *, keep: bool = True
    ) -> "LAN":
        """Return the network with other grids, layer by layer; `keep` keeps curves."""
        lan = self
        for number, row in enumerate(self.rows):
            z = pre_activations(lan, x)[number]
            coefs = list(lan.coefs)
            knots = list(lan.knots)
            n_intervals = row.n_basis - lan.degree
            new = knots_at(z, n_intervals, lan.degree)
            knots[number] = new
            if keep:
                # to the spline code it is a layer with one output and one edge per node
                old = coefs[number][None]
                moved = bspline.move_coefficients(row.knots, lan.degree, old, new, z)
                coefs[number] = moved[0]
            lan = replace(lan, coefs=tuple(coefs), knots=tuple(knots))
        return lan

    def __repr__(self) -> str:
        intervals = [row.n_basis - self.degree for row in self.rows]
        kind = f"n_intervals {intervals}, degree {self.degree}, {self.base}"
        return f"LAN({list(self.widths)}, {kind}, {self.n_params} parameters)"


def pre_activations(lan: LAN, x: FloatArray) -> list[FloatArray]:
    """Compute the arguments of all curves, and the outputs: [z_0, ..., z_{L-1}]."""
    _, caches = lan.run_flow(x)
    parts = zip(caches, lan.weights, lan.biases, strict=True)
    return [cache.x @ weight.T + bias for cache, weight, bias in parts]


def _hidden_knots(z: FloatArray, n_intervals: int, degree: int) -> FloatArray:
    """Return even grids on pre-activations, with the margin of hidden grids."""
    low, high = bspline.hidden_bounds(z, n_intervals)
    return bspline.uniform_knots(low, high, n_intervals, degree)


@np.errstate(all="ignore")
def init_lan(
    widths: Sequence[int],
    *,
    n_intervals: int,
    degree: int,
    domain: object,
    x: object = None,
    base: str = "silu",
    rng: np.random.Generator,
) -> LAN:
    """Make a learnable activation network with random weights and curves.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L); the nodes of all layers between the first and the last have
        curves.
    n_intervals : int
        At least 1; the same for all curves.
    degree : int
        At least 0.
    domain : (2,) or (n_in, 2), or (N, n_in)
        Bounds of the inputs, low < high, for all or for each; any other shape is
        samples, which serve as the probe batch.
    x : (N, n_in), optional
        Probe batch on whose pre-activations the grids are placed. Without it and
        without samples every grid lies on [smallest low, largest high].
    base : str
        "silu", "identity", "zero", "tanh", "relu" or "sine". Weights are drawn as
        `init_mlp` draws them for that activation, and as for "tanh" where the base is
        not an activation.
    rng : numpy.random.Generator
        Draws all weights, then the coefficients layer by layer.

    Returns
    -------
    lan : LAN

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> kr.init_lan((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    LAN([2, 5, 1], n_intervals [5], degree 3, silu, 61 parameters)
    """
    sizes = check_widths(widths)
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree)
    checks.choice("base", base, LAN_BASE_NAMES)
    rng = checks.generator("rng", rng)
    low, high, probe = read_domain(domain, sizes[0])
    if x is not None:
        probe = checks.samples("x", x, ("batch", sizes[0]))

    activation = base if base in ACTIVATION_NAMES else "tanh"
    mlp = init_mlp(sizes, activation=activation, rng=rng)
    row = bspline.uniform_knots(low.min(), high.max(), n_intervals, degree)
    coefs, knots = [], []
    for n_out in sizes[1:-1]:
        # [eq:lan-draws]
        coefs.append(COEF_SCALE * rng.standard_normal((n_out, n_intervals + degree)))
        # [/eq:lan-draws]
        knots.append(np.repeat(row, n_out, axis=0))

    lan = LAN(mlp.weights, mlp.biases, tuple(coefs), tuple(knots), degree, base)
    if probe is None:
        return lan
    return lan.move_grids(probe, _hidden_knots, keep=False)


@np.errstate(all="ignore")
def lan_from_mlp(mlp: MLP, x: object, *, n_intervals: int, degree: int) -> LAN:
    """Convert an MLP, trained or not, into a LAN with equal outputs.

    Parameters
    ----------
    mlp : MLP
    x : (N, n_in)
        Probe batch: grids lie on its pre-activations.
    n_intervals, degree : int

    Returns
    -------
    lan : LAN
        With the MLP's activation as base function and zero coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> mlp = kr.init_mlp((2, 5, 1), activation="tanh", rng=rng)
    >>> x = rng.normal(size=(50, 2))
    >>> lan = kr.lan_from_mlp(mlp, x, n_intervals=5, degree=3)
    >>> bool((lan(x) == mlp(x)).all())
    True
    """
    checks.instance("mlp", mlp, MLP)
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree)
    probe = checks.samples("x", x, ("batch", mlp.widths[0]))

    row = bspline.uniform_knots(-1.0, 1.0, n_intervals, degree)
    coefs, knots = [], []
    for n_out in mlp.widths[1:-1]:
        coefs.append(np.zeros((n_out, n_intervals + degree)))
        knots.append(np.repeat(row, n_out, axis=0))

    base = mlp.activation
    lan = LAN(mlp.weights, mlp.biases, tuple(coefs), tuple(knots), degree, base)
    return lan.move_grids(probe, _hidden_knots, keep=False)
