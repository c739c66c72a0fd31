"""Learnable activation networks (LANs): an MLP whose activations are trained, one per hidden node.

Theorem (Liu et al. 2024, appendix B, and the chain rule). With weights W_l (n_{l+1}, n_l), biases
v_l (n_{l+1},), curves phi_lj of a fixed base function b and basis functions B_ljm on the knot
vector of node j, x_0 = x, and dy = dR/dy of a scalar R,

    (M5)  z_l = x_l W_l^T + v_l,    x_{l+1,j} = phi_lj(z_lj) for l < L - 1,    y = z_{L-1}
    (M6)  phi_lj(z) = b(z) + sum_m c_ljm B_ljm(z),   phi_lj'(z) = b'(z) + sum_m c_ljm B_ljm'(z)
    (M7)  d_W_l = dz_l^T x_l,   d_v_l = sum_b dz_l,   d_c_ljm = sum_b dx_{l+1,bj} B_ljm(z_l,bj),
          dz_{L-1} = dy
    (M8)  dx_l = dz_l W_l,    dz_{l-1} = dx_l * phi_{l-1}'(z_{l-1})
    (M9)  d prediction_n / d c_ljm = T_l[n, j] B_ljm(z_l,bj),   n = (sample b, output o),
          T_l = S_{l+1} W_{l+1},
          d prediction_n / d W_l,ji = S_l[n, j] x_l,bi,   d prediction_n / d v_l,j = S_l[n, j],
          S_l = T_l * phi_l'(z_l),   S_{L-1}[(b, o), j] = 1 where j = o, else 0

A node's curve needs no factors w_b, w_s: the weights of the next layer scale it. theta runs layer
by layer: W_l in C order, v_l, and, except in the last layer, c_l in C order. Outside its grid a
curve decays to b, as on the edges of a KAN.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from kan_ref import checks
from kan_ref.baselines.mlp import Baseline, check_sequences, check_weights, views_of
from kan_ref.bspline import (
    Bases,
    KnotVectors,
    check_knots,
    edge_matrix_gradient,
    edge_sums,
    evaluate_bases,
    prepare_knots,
    scatter,
    squared,
)
from kan_ref.checks import FloatArray
from kan_ref.functions import ACTIVATION_NAMES, BASE_NAMES, activation_values, base_function

LAN_BASE_NAMES = tuple(dict.fromkeys((*BASE_NAMES, *ACTIVATION_NAMES)))


@dataclass(frozen=True)
class LANCache:
    """A layer's inputs `x` (batch, n_in); its curves' `slope` (batch, n_out), `bases`, or None."""

    x: FloatArray
    slope: FloatArray | None
    bases: Bases | None

    def __repr__(self) -> str:
        slope = None if self.slope is None else self.slope.shape
        return f"LANCache(x {self.x.shape}, slope {slope})"


@dataclass(frozen=True, eq=False)
class LAN(Baseline):
    """A learnable activation network; immutable, its parameters also as a read-only vector `theta`.

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
        "silu", "identity", "zero", "tanh", "relu" or "sine": what every spline is added to.

    Attributes
    ----------
    theta : (n_params,)
    widths : tuple of int
        Numbers of nodes (n_0, ..., n_L).
    n_params : int

    Raises
    ------
    ValueError, TypeError
        "coefs[0] has shape (5, 7), but needs shape (5, 8)", and the like for every argument.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    coefs: tuple[FloatArray, ...]
    knots: tuple[FloatArray, ...]
    degree: int
    base: str
    theta: FloatArray = field(init=False)
    rows: tuple[KnotVectors, ...] = field(init=False)
    widths: tuple[int, ...] = field(init=False)
    n_params: int = field(init=False)

    def __post_init__(self) -> None:
        checks.choice("base", self.base, LAN_BASE_NAMES)
        degree = checks.integer("degree", self.degree, low=0)
        parts = {name: getattr(self, name) for name in ("weights", "biases", "coefs", "knots")}
        check_sequences(**parts)
        n_layers = len(self.weights)
        counts = {"biases": n_layers, "coefs": n_layers - 1, "knots": n_layers - 1}
        for name, wanted in counts.items():
            if n_layers == 0 or len(parts[name]) != wanted:
                raise ValueError(
                    f"weights has {n_layers} layers and {name} {len(parts[name])}, but weights "
                    "need at least 1, biases as many, coefs and knots one less"
                )
        rows: list[KnotVectors] = []
        pieces: list[FloatArray] = []
        for number, pair in enumerate(check_weights(self.weights, self.biases)):
            pieces += pair
            if number < n_layers - 1:
                row = check_knots(f"knots[{number}]", self.knots[number], degree)
                n_out = len(pair[1])
                if len(row) != n_out:
                    raise ValueError(
                        f"knots[{number}] has {len(row)} rows, "
                        f"but weights[{number}] has {n_out} outputs"
                    )
                rows.append(prepare_knots(row.copy(), degree))
                shape = (n_out, rows[-1].n_basis)
                pieces.append(checks.array(f"coefs[{number}]", self.coefs[number], shape))
        widths = (np.shape(self.weights[0])[1], *(len(bias) for bias in self.biases))
        theta = np.concatenate([piece.reshape(-1) for piece in pieces])
        self.__dict__.update(
            _on_theta(widths, rows, theta),
            degree=degree,
            knots=tuple(row.knots for row in rows),
            rows=tuple(rows),
            widths=widths,
            n_params=theta.size,
        )

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of parameters of each layer: consecutive parts of theta."""
        n_coefs = [coef.size for coef in self.coefs] + [0]
        return tuple(
            weight.size + len(weight) + size
            for weight, size in zip(self.weights, n_coefs, strict=True)
        )

    # --- what training needs of a model (`training.goal.Model`); arguments are not checked

    def replace_theta(self, theta: FloatArray) -> "LAN":
        """Return the same network on `theta` itself, which becomes read-only."""
        new = object.__new__(LAN)
        new.__dict__.update(self.__dict__, **_on_theta(self.widths, self.rows, theta))
        return new

    def prepare(self, x: FloatArray, workspaces: Sequence[object] = ()) -> FloatArray:
        """Return x: a LAN evaluates nothing in advance."""
        return x

    def values(self, x: FloatArray) -> FloatArray:
        """Compute outputs (batch, n_out), and keep nothing for a backward pass."""
        return pre_activations(self, x)[-1]

    def run_flow(
        self, x: FloatArray, workspaces: Sequence[object] = ()
    ) -> tuple[list[FloatArray], tuple[LANCache, ...]]:
        """Compute the outputs of every layer by (M5), and caches; it needs no workspaces."""
        flow, caches = [], []
        # [eq:lan-forward]
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = x @ weight.T
            z += bias
            if number == len(self.rows):
                caches.append(LANCache(x, None, None))
                x = z
            else:
                value, slope, bases = node_curve(self, number, z)
                caches.append(LANCache(x, slope, bases))
                x = value
            flow.append(x)
        # [/eq:lan-forward]
        return flow, tuple(caches)

    def run_backward(self, caches: Sequence[LANCache], dy: FloatArray) -> FloatArray:
        """Compute dR/d theta, (n_params,), by (M7) and (M8), given dy (batch, n_out)."""
        return self.gradients(caches, dy)[1]

    def gradients(
        self, caches: Sequence[LANCache], dy: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute dR/dx (batch, n_in) and dR/d theta (n_params,), given dy (batch, n_out)."""
        pieces: list[FloatArray] = []
        # [eq:lan-backward]
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            dz = dy if cache.slope is None else dy * cache.slope
            own = [(dz.T @ cache.x).reshape(-1), dz.sum(axis=0)]
            if cache.bases is not None:
                own.append(edge_matrix_gradient(dy[:, None], cache.bases).reshape(-1))
            pieces[:0] = own
            dy = dz @ weight
        # [/eq:lan-backward]
        return dy, np.concatenate(pieces)

    def jacobian(self, caches: Sequence[LANCache], scale: float = 1.0) -> list[FloatArray]:
        """Compute d (scale * prediction) / d theta by (M9): one dense block, row b * n_out + o.

        Notes
        -----
        Implements :eq:`lan-jacobian`. Memory: 8 batch n_out n_params bytes.
        """
        batch, n_last = len(caches[0].x), self.widths[-1]
        jacobian = np.empty((batch * n_last, self.n_params))
        # T of the current layer, then its S
        pulled: FloatArray = np.broadcast_to(scale * np.eye(n_last), (batch, n_last, n_last))
        end = self.n_params
        # [eq:lan-jacobian]
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            n_out, n_in = weight.shape
            if cache.slope is not None and cache.bases is not None:
                n_coefs = cache.bases.n_columns
                dense = scatter(cache.bases.active, 0, n_coefs).reshape(batch, 1, n_out, -1)
                products = (pulled[..., None] * dense).reshape(batch * n_last, -1)
                jacobian[:, end - n_coefs : end] = products
                end -= n_coefs
                pulled = pulled * cache.slope[:, None, :]
            jacobian[:, end - n_out : end] = pulled.reshape(-1, n_out)
            end -= n_out
            products = pulled[:, :, :, None] * cache.x[:, None, None, :]
            jacobian[:, end - n_out * n_in : end] = products.reshape(-1, n_out * n_in)
            end -= n_out * n_in
            pulled = pulled @ weight
        # [/eq:lan-jacobian]
        return [jacobian]

    def column_squares(self, caches: Sequence[LANCache]) -> FloatArray:
        """Compute the sums of squares of the columns of `jacobian`, (n_params,)."""
        batch, n_last = len(caches[0].x), self.widths[-1]
        pulled: FloatArray = np.broadcast_to(np.eye(n_last), (batch, n_last, n_last))
        pieces: list[FloatArray] = []
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            coefs = []
            if cache.slope is not None and cache.bases is not None:
                squares = (pulled**2).sum(axis=1)
                coefs = [edge_matrix_gradient(squares[:, None], squared(cache.bases)).reshape(-1)]
                pulled = pulled * cache.slope[:, None, :]
            squares = (pulled**2).sum(axis=1)
            own = [(squares.T @ cache.x**2).reshape(-1), squares.sum(axis=0)]
            pieces[:0] = own + coefs
            pulled = pulled @ weight
        return np.concatenate(pieces)

    def __reduce__(self) -> tuple[type["LAN"], tuple[object, ...]]:
        """Build copies and pickles through the constructor: read-only, with views of theta."""
        return LAN, (self.weights, self.biases, self.coefs, self.knots, self.degree, self.base)

    def __repr__(self) -> str:
        intervals = ", ".join(str(row.n_basis - self.degree) for row in self.rows)
        return (
            f"LAN({list(self.widths)}, n_intervals [{intervals}], degree {self.degree}, "
            f"{self.base}, {self.n_params} parameters)"
        )


def _on_theta(
    widths: Sequence[int], rows: Sequence[KnotVectors], theta: FloatArray
) -> dict[str, object]:
    """Return weights, biases and coefs as views of theta, and theta read-only."""
    shapes: list[tuple[int, ...]] = []
    for number, (n_in, n_out) in enumerate(pairwise(widths)):
        n_basis = rows[number].n_basis if number < len(rows) else 0
        shapes += [(n_out, n_in), (n_out,), (n_out, n_basis)]
    arrays = views_of(theta, shapes)
    parts = {"weights": arrays[::3], "biases": arrays[1::3], "coefs": arrays[2:-1:3]}
    return {name: tuple(part) for name, part in parts.items()} | {"theta": theta.view()}


def node_curve(
    lan: LAN, number: int, z: FloatArray, *, slopes: bool = True
) -> tuple[FloatArray, FloatArray | None, Bases]:
    """Compute (M6) for layer `number` at z (batch, n_nodes): values, derivatives or None, basis."""
    rows, row = lan.rows[number], lan.coefs[number].reshape(1, -1)
    orders = (0, 1) if slopes else (0,)
    bases = evaluate_bases(rows, z, orders[-1], gathered=True, workspace=None)
    function = activation_values if lan.base in ACTIVATION_NAMES else base_function
    base = function(lan.base, z, orders)
    # [eq:lan-curve]
    value = base[0] + edge_sums(row, bases)[:, 0]
    slope = base[1] + edge_sums(row, bases, plane=1)[:, 0] if slopes else None
    # [/eq:lan-curve]
    return value, slope, bases


def pre_activations(lan: LAN, x: FloatArray) -> list[FloatArray]:
    """Compute the arguments of all curves, and the outputs: [z_0, ..., z_{L-1}]."""
    found = []
    for number, (weight, bias) in enumerate(zip(lan.weights, lan.biases, strict=True)):
        found.append(x @ weight.T + bias)
        if number < len(lan.rows):
            x = node_curve(lan, number, found[-1], slopes=False)[0]
    return found
