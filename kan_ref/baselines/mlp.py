"""The multilayer perceptron (MLP) that a KAN is compared with, on one flat vector of
parameters.

Theorem (Liu et al. 2024, eq. 2.9, and the chain rule; Rumelhart, Hinton & Williams
1986). With weights W_l (n_{l+1}, n_l), biases v_l (n_{l+1},), an activation s, x_0 = x,
and dy = dR/dy of a scalar R,

    (M1)  z_l = x_l W_l^T + v_l,    x_{l+1} = s(z_l) for l < L - 1,    y = z_{L-1}
    (M2)  d_W_l = dz_l^T x_l,       d_v_l = sum_b dz_l,                dz_{L-1} = dy
    (M3)  dx_l = dz_l W_l,          dz_{l-1} = dx_l * s'(z_{l-1})
    (M4)  d prediction_n / d W_l,ji = S_l[n, j] x_l,bi,   d prediction_n / d v_l,j = S_l[n, j],
          n = (sample b, output o),   S_{L-1}[(b, o), j] = 1 where j = o, else 0;
          S_{l-1} = (S_l W_l) * s'(z_{l-1})

theta runs layer by layer: W_l in C order, then v_l. In a learnable activation network
(`lan`) each hidden node has an s of its own, with coefficients, which follow v_l in
theta.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.bspline import Bases, KnotVectors
from kan_ref.checks import FloatArray
from kan_ref.functions import ACTIVATION_NAMES, activation_values
from kan_ref.network import Model, check_widths

_SIREN_FREQUENCY = 30.0  # Sitzmann et al. 2020, section 3.2


class Cache(NamedTuple):
    """A layer's inputs `x` (batch, n_in); of hidden nodes s'(z), and the bases of their
    splines.
    """

    x: FloatArray
    slope: FloatArray | None
    bases: Bases | None


@dataclass(frozen=True, eq=False, repr=False)
class Perceptron(Model):
    """Affine maps with an activation on every hidden node: what an MLP and a LAN have
    in common.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    rows = tuple[KnotVectors, ...]()  # of the hidden layers, where nodes have splines

    def checked(self) -> list[FloatArray]:
        """Return [W_0, v_0, W_1, ...], checked, and set the widths."""
        if len(self.weights) == 0 or len(self.weights) != len(self.biases):
            n = len(self.weights), len(self.biases)
            checks.fail(
                "(len(weights), len(biases))",
                n,
                "both need the same number, at least 1",
            )
        found: list[FloatArray] = []
        for number, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            n_in = len(found[-1]) if found else "n_in"
            found.append(checks.samples(f"weights[{number}]", weight, ("n_out", n_in)))
            found.append(checks.array(f"biases[{number}]", bias, (len(found[-1]),)))
        self.__dict__["widths"] = (found[0].shape[1], *map(len, found[1::2]))
        return found

    def curves(
        self, number: int, z: FloatArray
    ) -> tuple[FloatArray, FloatArray, Bases | None]:
        """Return s(z), s'(z) of the hidden nodes of layer `number`, and the bases of
        splines.
        """
        raise NotImplementedError

    def curve_gradients(self, cache: Cache, dy: FloatArray) -> list[FloatArray]:
        """Return the gradients of the coefficients of a layer with dR/dx_{l+1} = dy."""
        return []

    def curve_rows(self, cache: Cache, sensitivity: FloatArray) -> list[FloatArray]:
        """Return the columns of the Jacobian for the coefficients of a layer."""
        return []

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of parameters of each layer: consecutive parts of theta."""
        return tuple(sum(map(np.prod, shapes)) for shapes in self._shapes())

    def _shapes(self) -> list[list[tuple[int, ...]]]:
        """Return the shapes of W_l, v_l, c_l of each layer; c_l is empty without
        splines.
        """
        n_bases = [row.n_basis for row in self.rows] + [0] * (
            len(self.widths) - len(self.rows)
        )
        ends = zip(pairwise(self.widths), n_bases, strict=False)
        return [[(n_out, n_in), (n_out,), (n_out, n)] for (n_in, n_out), n in ends]

    def views(self, theta: FloatArray) -> dict[str, object]:
        """Return weights, biases and coefficients on theta."""
        arrays = _split(theta, [shape for shapes in self._shapes() for shape in shapes])
        coefs = tuple(arrays[2::3][: len(self.rows)])
        return {
            "weights": tuple(arrays[::3]),
            "biases": tuple(arrays[1::3]),
            "coefs": coefs,
        }

    def run_flow(
        self, inputs: FloatArray, workspaces: Sequence[object] = ()
    ) -> tuple[list[FloatArray], tuple[Cache, ...]]:
        """Compute the outputs of every layer by (M1), and caches; it needs no
        workspaces.
        """
        flow, caches, x = [], [], inputs
        # [eq:mlp-forward]
        for number, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            z = x @ weight.T
            z += bias
            if number == len(self.weights) - 1:
                caches.append(Cache(x, None, None))
                x = z
            else:
                value, slope, bases = self.curves(number, z)
                caches.append(Cache(x, slope, bases))
                x = value
            flow.append(x)
        # [/eq:mlp-forward]
        return flow, tuple(caches)

    def run_backward(self, caches: Sequence[Cache], dy: FloatArray) -> FloatArray:
        """Compute dR/d theta, (n_params,), by (M2) and (M3), given dy (batch, n_out).
        """
        return self.gradients(caches, dy)[1]

    def gradients(
        self, caches: Sequence[Cache], dy: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute dR/dx (batch, n_in) and dR/d theta (n_params,), given dy (batch,
        n_out).
        """
        pieces: list[FloatArray] = []
        # [eq:mlp-backward]
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            of_curves = self.curve_gradients(cache, dy)
            dz = dy if cache.slope is None else dy * cache.slope
            pieces[:0] = [dz.T @ cache.x, dz.sum(axis=0), *of_curves]
            dy = dz @ weight
        # [/eq:mlp-backward]
        return dy, np.concatenate(pieces, axis=None)  # flattened

    def jacobian(self, caches: Sequence[Cache], scale: float = 1.0) -> list[FloatArray]:
        """Compute d (scale * prediction) / d theta by (M4): one dense block, row b *
        n_out + o.

        Implements :eq:`mlp-jacobian`. Memory: 16 batch n_out n_params bytes.
        """
        batch, n_last = len(caches[0].x), self.widths[-1]
        sensitivity = np.broadcast_to(scale * np.eye(n_last), (batch, n_last, n_last))
        blocks: list[FloatArray] = []
        # [eq:mlp-jacobian]
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            of_curves = self.curve_rows(cache, sensitivity)
            if cache.slope is not None:
                sensitivity = sensitivity * cache.slope[:, None, :]
            of_weights = sensitivity[:, :, :, None] * cache.x[:, None, None, :]
            blocks[:0] = [of_weights, sensitivity, *of_curves]
            sensitivity = sensitivity @ weight
        # [/eq:mlp-jacobian]
        n_rows = batch * n_last
        sizes = [int(np.prod(block.shape[2:])) for block in blocks]
        flat = [
            block.reshape(n_rows, n) for block, n in zip(blocks, sizes, strict=True)
        ]
        return [np.concatenate(flat, axis=1)]


@dataclass(frozen=True, eq=False, repr=False)
class MLP(Perceptron):
    """A multilayer perceptron; immutable, its parameters also as one read-only vector
    `theta`.

    Parameters
    ----------
    weights : sequence of (n_{l+1}, n_l)
        At least one; each takes as many inputs as the one before has outputs.
    biases : sequence of (n_{l+1},)
        One per layer.
    activation : str
        "tanh", "relu", "silu" or "sine", on all layers but the last.

    Attributes
    ----------
    theta : (n_params,)
    widths : tuple of int
        Numbers of nodes (n_0, ..., n_L).
    n_params : int

    Examples
    --------
    >>> import kan_ref as kr
    >>> mlp = kr.MLP(([[2.0]], [[3.0]]), ([-1.0], [0.5]), "relu")
    >>> mlp([[0.0], [1.0]])
    array([[0.5],
           [3.5]])
    """

    activation: str

    def __post_init__(self) -> None:
        checks.choice("activation", self.activation, ACTIVATION_NAMES)
        self.set_theta(np.concatenate(self.checked(), axis=None))  # flattened

    def curves(self, number: int, z: FloatArray) -> tuple[FloatArray, FloatArray, None]:
        """Return s(z), s'(z), and no bases."""
        value, slope = activation_values(self.activation, z, (0, 1))
        return value, slope, None

    def __repr__(self) -> str:
        return (
            f"MLP({list(self.widths)}, {self.activation}, {self.n_params} parameters)"
        )


def init_mlp(
    widths: Sequence[int], *, activation: str, rng: np.random.Generator
) -> MLP:
    """Make an MLP with the usual random weights and zero biases.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L).
    activation : str
        "tanh": Glorot & Bengio 2010, uniform with bound sqrt(6 / (n_in + n_out)).
        "relu", "silu": He et al. 2015, normal with variance 2 / n_in. "sine": Sitzmann
        et al. 2020 (SIREN), uniform, bound 30 / n_in in the first layer, sqrt(6 / n_in)
        in the others (the weights contain their factor 30).
    rng : numpy.random.Generator

    Returns
    -------
    mlp : MLP

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> kr.init_mlp((2, 5, 1), activation="tanh", rng=np.random.default_rng(0))
    MLP([2, 5, 1], tanh, 21 parameters)
    """
    sizes = check_widths(widths)
    rng = checks.generator("rng", rng)
    weights = []
    for number, (n_in, n_out) in enumerate(pairwise(sizes)):
        if activation in ("relu", "silu"):
            weights.append(np.sqrt(2.0 / n_in) * rng.standard_normal((n_out, n_in)))
            continue
        glorot = np.sqrt(6.0 / (n_in + n_out))
        siren = _SIREN_FREQUENCY / n_in if number == 0 else np.sqrt(6.0 / n_in)
        bound = siren if activation == "sine" else glorot
        weights.append(rng.uniform(-bound, bound, (n_out, n_in)))
    return MLP(
        tuple(weights), tuple(np.zeros(n_out) for n_out in sizes[1:]), activation
    )


def _split(theta: FloatArray, shapes: Sequence[tuple[int, ...]]) -> list[FloatArray]:
    """Return consecutive parts of theta in these shapes, as views."""
    views, start = [], 0
    for shape in shapes:
        end = start + math.prod(shape)
        views.append(theta[start:end].reshape(shape))
        start = end
    return views
