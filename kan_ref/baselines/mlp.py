"""The multilayer perceptron (MLP) that a KAN is compared with, on one flat vector of parameters.

Theorem (Liu et al. 2024, eq. 2.9, and the chain rule; Rumelhart, Hinton & Williams 1986). With
weights W_l (n_{l+1}, n_l), biases v_l (n_{l+1},), an activation s, x_0 = x, and dy = dR/dy of a
scalar R,

    (M1)  z_l = x_l W_l^T + v_l,    x_{l+1} = s(z_l) for l < L - 1,    y = z_{L-1}
    (M2)  d_W_l = dz_l^T x_l,       d_v_l = sum_b dz_l,                dz_{L-1} = dy
    (M3)  dx_l = dz_l W_l,          dz_{l-1} = dx_l * s'(z_{l-1})
    (M4)  d prediction_n / d W_l,ji = S_l[n, j] x_l,bi,   d prediction_n / d v_l,j = S_l[n, j],
          n = (sample b, output o),   S_{L-1}[(b, o), j] = 1 where j = o, else 0;
          S_{l-1} = (S_l W_l) * s'(z_{l-1})

theta runs layer by layer: W_l in C order, then v_l. The checks of weights, the views of theta
and `Baseline` serve LANs (`lan`) too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record
from kan_ref.functions import ACTIVATION_NAMES, activation_values
from kan_ref.network import check_widths

_SIREN_FREQUENCY = 30.0  # Sitzmann et al. 2020, section 3.2


def check_sequences(**values: object) -> None:
    """Raise TypeError if one of the named values is not a sequence of arrays."""
    for name, value in values.items():
        if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
            raise TypeError(f"{name} is {value!r}, but must be a sequence of arrays, one per layer")


def check_weights(
    weights: Sequence[object], biases: Sequence[object]
) -> list[tuple[FloatArray, FloatArray]]:
    """Return (W_l, v_l) of each layer, with shapes (n_{l+1}, n_l) and (n_{l+1},).

    Raises
    ------
    ValueError, TypeError
        "weights[1] takes 3 inputs, but weights[0] has 5 outputs"
    """
    found: list[tuple[FloatArray, FloatArray]] = []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        matrix = checks.array(f"weights[{number}]", weight, ("n_out", "n_in"))
        if 0 in matrix.shape:
            raise ValueError(
                f"weights[{number}] has shape {matrix.shape}, but a layer needs at least one "
                "output and one input"
            )
        if found and matrix.shape[1] != len(found[-1][0]):
            raise ValueError(
                f"weights[{number}] takes {matrix.shape[1]} inputs, "
                f"but weights[{number - 1}] has {len(found[-1][0])} outputs"
            )
        found.append((matrix, checks.array(f"biases[{number}]", bias, (len(matrix),))))
    return found


def views_of(theta: FloatArray, shapes: Sequence[Sequence[int]]) -> list[FloatArray]:
    """Return consecutive parts of theta in these shapes; theta becomes read-only."""
    theta.flags.writeable = False
    theta = theta.view()  # stays read-only: nothing else refers to its memory
    views, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        views.append(theta[start : start + size].reshape(shape))
        start += size
    return views


class Baseline(Record):
    """What an MLP and a LAN have in common: calls, and copies with other parameters."""

    def with_theta(self: Any, theta: object) -> Any:
        """Return the same network with other parameters (n_params,), which are copied once."""
        own = checks.array("theta", theta, ("n_params",))
        if len(own) != self.n_params:
            raise ValueError(f"theta has {len(own)} numbers, but this network has {self.n_params}")
        return self.replace_theta(own.copy())

    @np.errstate(all="ignore")
    def __call__(self: Any, x: object) -> FloatArray:
        """Compute outputs (batch, n_out) at x (batch, n_in)."""
        outputs: FloatArray = self.values(checks.array("x", x, ("batch", self.widths[0])))
        return outputs


@dataclass(frozen=True)
class MLPCache:
    """A layer's inputs `x` (batch, n_in), and `slope` (batch, n_out), s'(z) or None at the last."""

    x: FloatArray
    slope: FloatArray | None

    def __repr__(self) -> str:
        slope = None if self.slope is None else self.slope.shape
        return f"MLPCache(x {self.x.shape}, slope {slope})"


@dataclass(frozen=True, eq=False)
class MLP(Baseline):
    """A multilayer perceptron; immutable, its parameters also as one read-only vector `theta`.

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

    Raises
    ------
    ValueError, TypeError
        "weights[1] takes 3 inputs, but weights[0] has 5 outputs"
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    activation: str
    theta: FloatArray = field(init=False)
    widths: tuple[int, ...] = field(init=False)
    n_params: int = field(init=False)

    def __post_init__(self) -> None:
        checks.choice("activation", self.activation, ACTIVATION_NAMES)
        check_sequences(weights=self.weights, biases=self.biases)
        if len(self.weights) == 0 or len(self.weights) != len(self.biases):
            raise ValueError(
                f"weights has {len(self.weights)} layers and biases {len(self.biases)}, "
                "but both need the same number, at least 1"
            )
        arrays = [array for pair in check_weights(self.weights, self.biases) for array in pair]
        widths = (arrays[0].shape[1], *(len(bias) for bias in arrays[1::2]))
        theta = np.concatenate([array.reshape(-1) for array in arrays])
        self.__dict__.update(_on_theta(widths, theta), widths=widths, n_params=theta.size)

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of parameters of each layer: consecutive parts of theta."""
        return tuple(weight.size + len(weight) for weight in self.weights)

    # --- what training needs of a model (`training.goal.Model`); arguments are not checked

    def replace_theta(self, theta: FloatArray) -> "MLP":
        """Return the same MLP on `theta` itself, which becomes read-only."""
        new = object.__new__(MLP)
        new.__dict__.update(self.__dict__, **_on_theta(self.widths, theta))
        return new

    def prepare(self, x: FloatArray, workspaces: Sequence[object] = ()) -> FloatArray:
        """Return x: an MLP evaluates nothing in advance."""
        return x

    def values(self, x: FloatArray) -> FloatArray:
        """Compute outputs (batch, n_out)."""
        return self.run_flow(x)[0][-1]

    def run_flow(
        self, x: FloatArray, workspaces: Sequence[object] = ()
    ) -> tuple[list[FloatArray], tuple[MLPCache, ...]]:
        """Compute the outputs of every layer by (M1), and caches; it needs no workspaces."""
        flow, caches = [], []
        last = len(self.weights) - 1
        # [eq:mlp-forward]
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = x @ weight.T
            z += bias
            if number == last:
                caches.append(MLPCache(x, None))
                x = z
            else:
                value, slope = activation_values(self.activation, z, (0, 1))
                caches.append(MLPCache(x, slope))
                x = value
            flow.append(x)
        # [/eq:mlp-forward]
        return flow, tuple(caches)

    def run_backward(self, caches: Sequence[MLPCache], dy: FloatArray) -> FloatArray:
        """Compute dR/d theta, (n_params,), by (M2) and (M3), given dy (batch, n_out)."""
        return self.gradients(caches, dy)[1]

    def gradients(
        self, caches: Sequence[MLPCache], dy: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute dR/dx (batch, n_in) and dR/d theta (n_params,), given dy (batch, n_out)."""
        pieces: list[FloatArray] = []
        # [eq:mlp-backward]
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            dz = dy if cache.slope is None else dy * cache.slope
            pieces[:0] = ((dz.T @ cache.x).reshape(-1), dz.sum(axis=0))
            dy = dz @ weight
        # [/eq:mlp-backward]
        return dy, np.concatenate(pieces)

    def jacobian(self, caches: Sequence[MLPCache], scale: float = 1.0) -> list[FloatArray]:
        """Compute d (scale * prediction) / d theta by (M4): one dense block, row b * n_out + o.

        Notes
        -----
        Implements :eq:`mlp-jacobian`. Memory: 8 batch n_out n_params bytes.
        """
        batch, n_last = len(caches[0].x), self.widths[-1]
        jacobian = np.empty((batch * n_last, self.n_params))
        sensitivity = np.broadcast_to(scale * np.eye(n_last), (batch, n_last, n_last))
        end = self.n_params
        # [eq:mlp-jacobian]
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            if cache.slope is not None:
                sensitivity = sensitivity * cache.slope[:, None, :]
            n_out, n_in = weight.shape
            jacobian[:, end - n_out : end] = sensitivity.reshape(-1, n_out)
            end -= n_out
            products = sensitivity[:, :, :, None] * cache.x[:, None, None, :]
            jacobian[:, end - n_out * n_in : end] = products.reshape(-1, n_out * n_in)
            end -= n_out * n_in
            sensitivity = sensitivity @ weight
        # [/eq:mlp-jacobian]
        return [jacobian]

    def column_squares(self, caches: Sequence[MLPCache]) -> FloatArray:
        """Compute the sums of squares of the columns of `jacobian`, (n_params,)."""
        batch, n_last = len(caches[0].x), self.widths[-1]
        sensitivity = np.broadcast_to(np.eye(n_last), (batch, n_last, n_last))
        pieces: list[FloatArray] = []
        for weight, cache in zip(reversed(self.weights), reversed(caches), strict=True):
            if cache.slope is not None:
                sensitivity = sensitivity * cache.slope[:, None, :]
            squares = (sensitivity**2).sum(axis=1)
            pieces[:0] = ((squares.T @ cache.x**2).reshape(-1), squares.sum(axis=0))
            sensitivity = sensitivity @ weight
        return np.concatenate(pieces)

    def __reduce__(self) -> tuple[type["MLP"], tuple[object, ...]]:
        """Build copies and pickles through the constructor: read-only, with views of theta."""
        return MLP, (self.weights, self.biases, self.activation)

    def __repr__(self) -> str:
        return f"MLP({list(self.widths)}, {self.activation}, {self.n_params} parameters)"


def _on_theta(widths: Sequence[int], theta: FloatArray) -> dict[str, object]:
    """Return weights and biases as views of theta, and theta read-only."""
    shapes = [shape for n_in, n_out in pairwise(widths) for shape in ((n_out, n_in), (n_out,))]
    arrays = views_of(theta, shapes)
    parts = {"weights": tuple(arrays[::2]), "biases": tuple(arrays[1::2])}
    return parts | {"theta": theta.view()}


def init_mlp(widths: Sequence[int], *, activation: str, rng: np.random.Generator) -> MLP:
    """Make an MLP with the usual random weights and zero biases.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L).
    activation : str
        "tanh": Glorot & Bengio 2010, uniform with bound sqrt(6 / (n_in + n_out)). "relu", "silu":
        He et al. 2015, normal with variance 2 / n_in. "sine": Sitzmann et al. 2020 (SIREN),
        uniform, bound 30 / n_in in the first layer, sqrt(6 / n_in) in the others (the weights
        contain their factor 30).
    rng : numpy.random.Generator

    Returns
    -------
    mlp : MLP

    Raises
    ------
    ValueError, TypeError
        For an unknown activation, or widths that are not positive integers.
    """
    sizes = check_widths(widths)
    checks.choice("activation", activation, ACTIVATION_NAMES)
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
    return MLP(tuple(weights), tuple(np.zeros(n_out) for n_out in sizes[1:]), activation)
