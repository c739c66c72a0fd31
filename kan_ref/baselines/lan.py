"""Learnable activation networks: a perceptron whose activations are curves that train, one a hidden node.

Theorem (Liu et al. 2024, appendix B, and the chain rule). With weights W_l (n_{l+1}, n_l), biases v_l (n_{l+1},), curves phi_lj of a
fixed base function b and B-splines B_ljm on the knot row of node j, x_0 = x, and given dy = dR/dy of a scalar R,

    (A1)  z_l = x_l W_l^T + v_l,    x_{l+1,j} = phi_lj(z_lj) for l < L - 1,    y = z_{L-1}
    (A2)  phi_lj(z) = b(z) + sum_m c_ljm B_ljm(z),    phi_lj'(z) = b'(z) + sum_m c_ljm B_ljm'(z)
    (A3)  d_W_l = dz_l^T x_l,    d_v_l = sum_b dz_l,    d_c_ljm = sum_b dx_{l+1,bj} B_ljm(z_l,bj),    dz_{L-1} = dy
    (A4)  dx_l = dz_l W_l,    dz_{l-1} = dx_l * phi_{l-1}'(z_{l-1})
    (A5)  d prediction_n / d c_ljm = T_l[n, j] B_ljm(z_l,bj),    n = (sample b, output o),    T_l = S_{l+1} W_{l+1},
          d prediction_n / d W_l,ji = S_l[n, j] x_l,bi,    d prediction_n / d v_l,j = S_l[n, j],    S_l = T_l * phi_l'(z_l),
          S_{L-1}[(b, o), j] = 1 where j = o, else 0

A node's curve needs no factors w_b, w_s of its own: the weights that leave the node scale it. theta runs layer by layer: W_l in C order,
v_l, then, but for the last layer, c_l in C order. Off its grid a curve fades into b, as on the edges of a KAN.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.bspline import (
    Bases,
    KnotVectors,
    active_basis,
    check_knots,
    edge_matrix_gradient,
    edge_sums,
    prepare_knots,
    scatter,
)
from kan_ref.checks import FloatArray, check_choice, check_float_array, check_integer
from kan_ref.functions import ACTIVATION_NAMES, BASE_NAMES, activation_values, base_function

LAN_BASE_NAMES = tuple(dict.fromkeys((*BASE_NAMES, *ACTIVATION_NAMES)))


@dataclass(frozen=True, eq=False)
class LAN:
    """A learnable activation network; immutable, its parameters also as one read-only vector `theta`.

    Parameters
    ----------
    weights : sequence of (n_{l+1}, n_l)
        At least one; each takes as many inputs as the one before has outputs.
    biases : sequence of (n_{l+1},)
        One a layer.
    coefs : sequence of (n_{l+1}, n_basis)
        Coefficients of the curves of the nodes, one a layer but for the last.
    knots : sequence of (n_{l+1}, n_intervals + 2 degree + 1)
        Their knot rows.
    degree : int
        At least 0; the same for all.
    base : str
        "silu", "identity", "zero", "tanh", "relu" or "sine": what every curve has besides its spline.

    Raises
    ------
    ValueError, TypeError
        "weights[1] takes 3 inputs, but weights[0] has 5 outputs"; "coefs[0] has shape (5, 7), but needs shape (5, 8)"
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    coefs: tuple[FloatArray, ...]
    knots: tuple[FloatArray, ...]
    degree: int
    base: str
    theta: FloatArray = field(init=False, repr=False)
    rows: tuple[KnotVectors, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice("base", self.base, LAN_BASE_NAMES)
        degree = check_integer("degree", self.degree, low=0)
        for name in ("weights", "biases", "coefs", "knots"):
            if not isinstance(getattr(self, name), Sequence | np.ndarray) or isinstance(
                getattr(self, name), str
            ):
                raise TypeError(
                    f"{name} is {getattr(self, name)!r}, but must be a sequence of arrays, one a layer"
                )
        n_layers = len(self.weights)
        counts = {"biases": n_layers, "coefs": n_layers - 1, "knots": n_layers - 1}
        for name, wanted in counts.items():
            if n_layers == 0 or len(getattr(self, name)) != wanted:
                found = f"weights has {n_layers} layers and {name} {len(getattr(self, name))}"
                raise ValueError(
                    f"{found}, but weights need at least 1, biases as many, coefs and knots one less"
                )
        pieces: list[FloatArray] = []
        rows: list[KnotVectors] = []
        n_before = None
        for number, weight in enumerate(self.weights):
            matrix = check_float_array(f"weights[{number}]", weight, ("n_out", "n_in"))
            n_out, n_in = matrix.shape
            if 0 in matrix.shape:
                raise ValueError(
                    f"weights[{number}] has shape {matrix.shape}, but a layer needs at least one output and one input"
                )
            if n_before not in (None, n_in):
                raise ValueError(
                    f"weights[{number}] takes {n_in} inputs, but weights[{number - 1}] has {n_before} outputs"
                )
            n_before = n_out
            pieces += [
                matrix.reshape(-1),
                check_float_array(f"biases[{number}]", self.biases[number], (n_out,)),
            ]
            if number < n_layers - 1:
                row = check_knots(f"knots[{number}]", self.knots[number], degree)
                if len(row) != n_out:
                    raise ValueError(
                        f"knots[{number}] has {len(row)} rows, but weights[{number}] has {n_out} outputs"
                    )
                rows.append(prepare_knots(row.copy(), degree))
                pieces.append(
                    check_float_array(
                        f"coefs[{number}]", self.coefs[number], (n_out, rows[-1].n_basis)
                    ).reshape(-1)
                )
        shapes = [np.shape(weight) for weight in self.weights]
        _fill(self, shapes, tuple(rows), degree, self.base, np.concatenate(pieces))

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of nodes (n_0, ..., n_L)."""
        return (int(self.weights[0].shape[1]), *(len(bias) for bias in self.biases))

    @property
    def n_params(self) -> int:
        """Length of theta."""
        return len(self.theta)

    def with_theta(self, theta: object) -> "LAN":
        """The same network with other parameters (n_params,), copied once."""
        own = check_float_array("theta", theta, ("n_params",))
        if len(own) != self.n_params:
            raise ValueError(f"theta has {len(own)} numbers, but this network has {self.n_params}")
        return replace_theta(self, own.copy())

    def __call__(self, x: object) -> FloatArray:
        """Outputs (batch, n_out) at x (batch, n_in)."""
        return predict(self, check_float_array("x", x, ("batch", self.widths[0])))

    def __reduce__(self) -> tuple[type["LAN"], tuple[object, ...]]:
        """Copies and pickles are built anew: read-only, with arrays that are views of theta, like the original."""
        return LAN, (self.weights, self.biases, self.coefs, self.knots, self.degree, self.base)

    def __repr__(self) -> str:
        intervals = ", ".join(str(row.n_basis - self.degree) for row in self.rows)
        return f"LAN({list(self.widths)}, n_intervals [{intervals}], degree {self.degree}, {self.base}, {self.n_params} parameters)"


def _fill(
    lan: LAN,
    shapes: Sequence[Sequence[int]],
    rows: tuple[KnotVectors, ...],
    degree: int,
    base: str,
    theta: FloatArray,
) -> None:
    theta.flags.writeable = False
    theta = (
        theta.view()
    )  # of an array that nobody holds: a view of read-only memory stays read-only
    parts: tuple[list[FloatArray], list[FloatArray], list[FloatArray]] = ([], [], [])
    start = 0
    for number, (n_out, n_in) in enumerate(shapes):
        n_basis = rows[number].n_basis if number < len(rows) else 0
        for found, shape in zip(parts, ((n_out, n_in), (n_out,), (n_out, n_basis)), strict=True):
            size = int(np.prod(shape))
            if size:
                found.append(theta[start : start + size].reshape(shape))
            start += size
    weights, biases, coefs = map(tuple, parts)
    knots = tuple(row.knots for row in rows)
    lan.__dict__.update(
        weights=weights,
        biases=biases,
        coefs=coefs,
        knots=knots,
        degree=degree,
        base=base,
        theta=theta,
        rows=rows,
    )


def replace_theta(lan: LAN, theta: FloatArray) -> LAN:
    """`lan` with the parameters `theta`, taken as they are: no copy, no check; `theta` becomes read-only."""
    new = object.__new__(LAN)
    _fill(new, [weight.shape for weight in lan.weights], lan.rows, lan.degree, lan.base, theta)
    return new


def node_curve(
    lan: LAN, number: int, z: FloatArray, *, slopes: bool = True
) -> tuple[FloatArray, FloatArray | None, Bases]:
    """(A2) of the nodes of layer `number` at z (batch, n_nodes): values, slopes (None if not asked for), and the bases.

    Notes
    -----
    Implements :eq:`lan-curve`.
    """
    rows, row = lan.rows[number], lan.coefs[number].reshape(1, -1)
    orders = (0, 1) if slopes else (0,)
    bases = Bases(active_basis(rows, z, orders), row.size, None)
    base = (activation_values if lan.base in ACTIVATION_NAMES else base_function)(
        lan.base, z, orders
    )
    # [eq:lan-curve]
    value = base[0] + edge_sums(row, bases)[:, 0]
    slope = base[1] + edge_sums(row, bases, plane=1)[:, 0] if slopes else None
    # [/eq:lan-curve]
    return value, slope, bases


@dataclass(frozen=True)
class LANCache:
    """What backward needs of a layer's forward: its inputs `x` (batch, n_in); of its curves `slope` (batch, n_out) and `bases`, or None."""

    x: FloatArray
    slope: FloatArray | None
    bases: Bases | None

    def __repr__(self) -> str:
        return (
            f"LANCache(x {self.x.shape}, slope {None if self.slope is None else self.slope.shape})"
        )


# --- forward


def predict(lan: LAN, x: FloatArray) -> FloatArray:
    """(A1) without anything kept; x is not checked."""
    return pre_activations(lan, x)[-1]


def pre_activations(lan: LAN, x: FloatArray) -> list[FloatArray]:
    """What every layer hands to its curves, and the outputs: [z_0, ..., z_{L-1}], each (batch, n_{l+1})."""
    found = []
    for number, (weight, bias) in enumerate(zip(lan.weights, lan.biases, strict=True)):
        found.append(x @ weight.T + bias)
        if number < len(lan.rows):
            x = node_curve(lan, number, found[-1], slopes=False)[0]
    return found


def run_forward(lan: LAN, x: FloatArray) -> tuple[FloatArray, tuple[LANCache, ...]]:
    """(A1): outputs (batch, n_out) and what backward needs.

    Notes
    -----
    Implements :eq:`lan-forward`.
    """
    caches = []
    # [eq:lan-forward]
    for number, (weight, bias) in enumerate(zip(lan.weights, lan.biases, strict=True)):
        z = x @ weight.T
        z += bias
        if number == len(lan.rows):
            caches.append(LANCache(x, None, None))
            x = z
        else:
            value, slope, bases = node_curve(lan, number, z)
            caches.append(LANCache(x, slope, bases))
            x = value
    # [/eq:lan-forward]
    return x, tuple(caches)


# --- backward


def run_backward(lan: LAN, caches: Sequence[LANCache], dy: FloatArray) -> FloatArray:
    """(A3), (A4): dR/d theta, (n_params,), given dy (batch, n_out)."""
    return _pull_back(lan, caches, dy)[1]


def input_gradient(lan: LAN, caches: Sequence[LANCache], dy: FloatArray) -> FloatArray:
    """dR/dx, (batch, n_in), given dy (batch, n_out)."""
    return _pull_back(lan, caches, dy)[0]


def _pull_back(
    lan: LAN, caches: Sequence[LANCache], dy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    pieces: list[FloatArray] = []
    # [eq:lan-backward]
    for weight, cache in zip(reversed(lan.weights), reversed(caches), strict=True):
        dz = dy if cache.slope is None else dy * cache.slope
        own = [(dz.T @ cache.x).reshape(-1), dz.sum(axis=0)]
        if cache.bases is not None:
            own.append(edge_matrix_gradient(dy[:, None], cache.bases).reshape(-1))
        pieces[:0] = own
        dy = dz @ weight
    # [/eq:lan-backward]
    return dy, np.concatenate(pieces)


def prediction_jacobian(lan: LAN, caches: Sequence[LANCache], scale: float = 1.0) -> FloatArray:
    """(A5): d (scale * prediction) / d theta, dense (batch * n_out, n_params), row b * n_out + o.

    Notes
    -----
    Implements :eq:`lan-jacobian`. Memory: 8 batch n_out n_params bytes.
    """
    batch, n_last = len(caches[0].x), lan.widths[-1]
    jacobian = np.empty((batch * n_last, lan.n_params))
    pulled: FloatArray = np.broadcast_to(
        scale * np.eye(n_last), (batch, n_last, n_last)
    )  # T of the layer at hand, then its S
    end = lan.n_params
    # [eq:lan-jacobian]
    for weight, cache in zip(reversed(lan.weights), reversed(caches), strict=True):
        n_out, n_in = weight.shape
        if cache.slope is not None and cache.bases is not None:
            dense = scatter(cache.bases.active, 0, cache.bases.n_columns).reshape(
                batch, 1, n_out, -1
            )
            jacobian[:, end - cache.bases.n_columns : end] = (pulled[..., None] * dense).reshape(
                batch * n_last, -1
            )
            end -= cache.bases.n_columns
            pulled = pulled * cache.slope[:, None, :]
        jacobian[:, end - n_out : end] = pulled.reshape(-1, n_out)
        end -= n_out
        products = pulled[:, :, :, None] * cache.x[:, None, None, :]
        jacobian[:, end - n_out * n_in : end] = products.reshape(-1, n_out * n_in)
        end -= n_out * n_in
        pulled = pulled @ weight
    # [/eq:lan-jacobian]
    return jacobian
