"""The multilayer perceptron (MLP) that a KAN is compared with, on a vector theta.

Theorem (Liu et al. 2024, eq. 2.9, and the chain rule; Rumelhart, Hinton & Williams
1986). With weights W_l (n_{l+1}, n_l), biases v_l (n_{l+1},), an activation s, x_0 = x,
and dy = dR/dy of a scalar R,

    (M1)  z_l = x_l W_l^T + v_l,    x_{l+1} = s(z_l) for l < L - 1,    y = z_{L-1}
    (M2)  d_W_l = dz_l^T x_l,       d_v_l = sum_b dz_l,                dz_{L-1} = dy
    (M3)  dx_l = dz_l W_l,          dz_{l-1} = dx_l * s'(z_{l-1})
    (M4)  d prediction_n / d W_l,ji = S_l[n, j] x_l,bi
          d prediction_n / d v_l,j  = S_l[n, j]
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
    """A layer's inputs `x` (batch, n_in); of hidden nodes s'(z), and their bases."""

    x: FloatArray
    slope: FloatArray | None
    bases: Bases | None


@dataclass(frozen=True, eq=False, repr=False)
class Perceptron(Model):
    """Affine maps with activations on hidden nodes: what MLP and LAN have in common."""

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    rows = tuple[KnotVectors, ...]()  # of the hidden layers, where nodes have splines

    def checked(self) -> list[FloatArray]:
        """Return [W_0, v_0, W_1, ...], checked, and set the widths."""
        n_weights = len(self.weights)
        n_biases = len(self.biases)
        if n_weights == 0 or n_weights != n_biases:
            rule = "both need the same number, at least 1"
            checks.fail("(len(weights), len(biases))", (n_weights, n_biases), rule)

        found: list[FloatArray] = []
        n_in: int | str = "n_in"
        layers = zip(self.weights, self.biases, strict=True)
        for number, (weight, bias) in enumerate(layers):
            weight = checks.samples(f"weights[{number}]", weight, ("n_out", n_in))
            n_in = len(weight)
            bias = checks.array(f"biases[{number}]", bias, (n_in,))
            found += [weight, bias]

        n_first = found[0].shape[1]
        n_outs = map(len, found[1::2])
        self.__dict__["widths"] = (n_first, *n_outs)
        return found

    def curves(
        self, number: int, z: FloatArray
    ) -> tuple[FloatArray, FloatArray, Bases | None]:
        """Return s(z), s'(z) of hidden nodes of layer `number`, and splines' bases."""
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
        sizes = []
        for shapes in self._shapes():
            size = sum(map(np.prod, shapes))
            sizes.append(size)
        return tuple(sizes)

    def _shapes(self) -> list[list[tuple[int, ...]]]:
        """Return the shapes of each W_l, v_l, c_l; c_l is empty without splines."""
        shapes: list[list[tuple[int, ...]]] = []
        for number, (n_in, n_out) in enumerate(pairwise(self.widths)):
            n_basis = 0
            if number < len(self.rows):
                n_basis = self.rows[number].n_basis
            of_layer = [(n_out, n_in), (n_out,), (n_out, n_basis)]
            shapes.append(of_layer)
        return shapes

    def views(self, theta: FloatArray) -> dict[str, object]:
        """Return weights, biases and coefficients on theta."""
        arrays = []
        for shapes in self._shapes():
            for shape in shapes:
                size = math.prod(shape)
                arrays.append(theta[:size].reshape(shape))
                theta = theta[size:]

        coefs = arrays[2::3][: len(self.rows)]
        return {
            "weights": tuple(arrays[::3]),
            "biases": tuple(arrays[1::3]),
            "coefs": tuple(coefs),
        }

    def run_flow(
        self, inputs: FloatArray, workspaces: Sequence[object] = ()
    ) -> tuple[list[FloatArray], tuple[Cache, ...]]:
        """Compute outputs of every layer by (M1), and caches, without workspaces."""
        flow, caches = [], []
        last = len(self.weights) - 1
        x = inputs
        layers = zip(self.weights, self.biases, strict=True)
        # [eq:mlp-forward]
        for number, (weight, bias) in enumerate(layers):
            z = x @ weight.T
            z += bias
            if number == last:
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
        """Compute dR/d theta, (n_params,), by (M2) and (M3), from dy (batch, n_out)."""
        return self.gradients(caches, dy)[1]

    def gradients(
        self, caches: Sequence[Cache], dy: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute dR/dx (batch, n_in), dR/d theta (n_params,), from dR/dy."""
        pieces: list[FloatArray] = []
        # [eq:mlp-backward]
        layers = tuple(zip(self.weights, caches, strict=True))
        for weight, cache in reversed(layers):
            of_curves = self.curve_gradients(cache, dy)
            dz = dy if cache.slope is None else dy * cache.slope
            d_weight = dz.T @ cache.x
            d_bias = dz.sum(axis=0)
            pieces[:0] = [d_weight, d_bias, *of_curves]
            dy = dz @ weight
        # [/eq:mlp-backward]
        d_theta = np.concatenate(pieces, axis=None)  # flattened
        return dy, d_theta

    def jacobian(self, caches: Sequence[Cache], scale: float = 1.0) -> list[FloatArray]:
        """Compute d (scale * prediction) / d theta by (M4): a block, row b * n_out + o.

        Implements :eq:`mlp-jacobian`. Memory: 16 batch n_out n_params bytes.
        """
        batch = len(caches[0].x)
        n_last = self.widths[-1]
        one = scale * np.eye(n_last)
        sensitivity = np.broadcast_to(one, (batch, n_last, n_last))
        blocks: list[FloatArray] = []
        # [eq:mlp-jacobian]
        layers = tuple(zip(self.weights, caches, strict=True))
        for weight, cache in reversed(layers):
            of_curves = self.curve_rows(cache, sensitivity)
            if cache.slope is not None:
                sensitivity = sensitivity * cache.slope[:, None, :]
            of_weights = sensitivity[:, :, :, None] * cache.x[:, None, None, :]
            blocks[:0] = [of_weights, sensitivity, *of_curves]
            sensitivity = sensitivity @ weight
        # [/eq:mlp-jacobian]

        n_rows = batch * n_last
        flat = [block.reshape(n_rows, math.prod(block.shape[2:])) for block in blocks]
        return [np.concatenate(flat, axis=1)]


@dataclass(frozen=True, eq=False, repr=False)
class MLP(Perceptron):
    """A multilayer perceptron; immutable, its parameters also as a vector `theta`.

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
        Read-only.
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
        theta = np.concatenate(self.checked(), axis=None)  # flattened
        self.set_theta(theta)

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
            deviation = np.sqrt(2.0 / n_in)
            weights.append(deviation * rng.standard_normal((n_out, n_in)))
            continue

        bound = np.sqrt(6.0 / (n_in + n_out))
        if activation == "sine":
            bound = np.sqrt(6.0 / n_in)
            if number == 0:
                bound = _SIREN_FREQUENCY / n_in
        weights.append(rng.uniform(-bound, bound, (n_out, n_in)))

    biases = tuple(map(np.zeros, sizes[1:]))
    return MLP(tuple(weights), biases, activation)
