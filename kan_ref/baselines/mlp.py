"""What a KAN is compared with: the multilayer perceptron, by hand, behind the same flat vector of parameters.

Theorem (Liu et al. 2024, eq. 2.9, and the chain rule; Rumelhart, Hinton & Williams 1986). With weights W_l (n_{l+1}, n_l), biases
v_l (n_{l+1},), an activation s, x_0 = x, and given dy = dR/dy of a scalar R,

    (B1)  z_l = x_l W_l^T + v_l,    x_{l+1} = s(z_l) for l < L - 1,    y = z_{L-1}
    (B2)  d_W_l = dz_l^T x_l,       d_v_l = sum_b dz_l,                dz_{L-1} = dy
    (B3)  dx_l = dz_l W_l,          dz_{l-1} = dx_l * s'(z_{l-1})
    (B4)  d prediction_n / d W_l,ji = S_l[n, j] x_l,bi,   d prediction_n / d v_l,j = S_l[n, j],   n = (sample b, output o),
          S_{L-1}[(b, o), j] = 1 where j = o, else 0;      S_{l-1} = (S_l W_l) * s'(z_{l-1})

theta runs layer by layer: W_l in C order, then v_l.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_float_array, check_generator
from kan_ref.functions import ACTIVATION_NAMES, activation_values
from kan_ref.network import check_widths

_SIREN_FREQUENCY = 30.0


@dataclass(frozen=True, eq=False)
class MLP:
    """A multilayer perceptron; immutable, its parameters also as one read-only vector `theta`.

    Parameters
    ----------
    weights : sequence of (n_{l+1}, n_l)
        At least one; each takes as many inputs as the one before has outputs.
    biases : sequence of (n_{l+1},)
        One a layer.
    activation : str
        "tanh", "relu", "silu" or "sine", on all layers but the last.

    Raises
    ------
    ValueError, TypeError
        "weights[1] takes 3 inputs, but weights[0] has 5 outputs"
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    activation: str
    theta: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice("activation", self.activation, ACTIVATION_NAMES)
        for name, value in (("weights", self.weights), ("biases", self.biases)):
            if not isinstance(value, Sequence | np.ndarray):
                raise TypeError(
                    f"{name} is {value!r}, but must be a sequence of arrays, one a layer"
                )
        if len(self.weights) == 0 or len(self.weights) != len(self.biases):
            raise ValueError(
                f"weights has {len(self.weights)} layers and biases {len(self.biases)}, but both need the same number, at least 1"
            )
        pieces: list[FloatArray] = []
        shapes: list[tuple[int, int]] = []
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            matrix = check_float_array(f"weights[{number}]", weight, ("n_out", "n_in"))
            if 0 in matrix.shape:
                raise ValueError(
                    f"weights[{number}] has shape {matrix.shape}, but a layer needs at least one output and one input"
                )
            if shapes and matrix.shape[1] != shapes[-1][0]:
                raise ValueError(
                    f"weights[{number}] takes {matrix.shape[1]} inputs, but weights[{number - 1}] has {shapes[-1][0]} outputs"
                )
            pieces += [
                matrix.reshape(-1),
                check_float_array(f"biases[{number}]", bias, (matrix.shape[0],)),
            ]
            shapes.append((matrix.shape[0], matrix.shape[1]))
        _fill(self, shapes, self.activation, np.concatenate(pieces))

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of nodes (n_0, ..., n_L)."""
        return (int(self.weights[0].shape[1]), *(len(bias) for bias in self.biases))

    @property
    def n_params(self) -> int:
        """Length of theta."""
        return len(self.theta)

    def with_theta(self, theta: object) -> "MLP":
        """The same perceptron with other parameters (n_params,), copied once."""
        own = check_float_array("theta", theta, ("n_params",))
        if len(own) != self.n_params:
            raise ValueError(
                f"theta has {len(own)} numbers, but this perceptron has {self.n_params}"
            )
        return replace_theta(self, own.copy())

    def __call__(self, x: object) -> FloatArray:
        """Outputs (batch, n_out) at x (batch, n_in)."""
        return predict(self, check_float_array("x", x, ("batch", self.widths[0])))

    def __reduce__(self) -> tuple[type["MLP"], tuple[object, ...]]:
        """Copies and pickles are built anew: read-only, with arrays that are views of theta, like the original."""
        return MLP, (self.weights, self.biases, self.activation)

    def __repr__(self) -> str:
        return f"MLP({list(self.widths)}, {self.activation}, {self.n_params} parameters)"


def _fill(mlp: MLP, shapes: Sequence[tuple[int, int]], activation: str, theta: FloatArray) -> None:
    theta.flags.writeable = False
    theta = (
        theta.view()
    )  # of an array that nobody holds: a view of read-only memory stays read-only
    weights, biases, start = [], [], 0
    for n_out, n_in in shapes:
        weights.append(theta[start : start + n_out * n_in].reshape(n_out, n_in))
        start += n_out * n_in
        biases.append(theta[start : start + n_out])
        start += n_out
    mlp.__dict__.update(
        weights=tuple(weights), biases=tuple(biases), activation=activation, theta=theta
    )


def replace_theta(mlp: MLP, theta: FloatArray) -> MLP:
    """`mlp` with the parameters `theta`, taken as they are: no copy, no check; `theta` becomes read-only."""
    new = object.__new__(MLP)
    _fill(
        new,
        [
            (len(bias), weight.shape[1])
            for weight, bias in zip(mlp.weights, mlp.biases, strict=True)
        ],
        mlp.activation,
        theta,
    )
    return new


def init_mlp(widths: Sequence[int], *, activation: str, rng: np.random.Generator) -> MLP:
    """A perceptron with the usual random weights and zero biases.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L).
    activation : str
        "tanh": Glorot & Bengio 2010, uniform with bound sqrt(6 / (n_in + n_out)). "relu", "silu": He et al. 2015, normal with
        variance 2 / n_in. "sine": Sitzmann et al. 2020 (SIREN), uniform, bound 30 / n_in in the first layer, sqrt(6 / n_in)
        in the others (their factor 30 stands in the weights).
    rng : numpy.random.Generator

    Returns
    -------
    mlp : MLP

    Raises
    ------
    ValueError, TypeError
        Unknown activation, widths that are no positive integers.
    """
    sizes = check_widths(widths)
    check_choice("activation", activation, ACTIVATION_NAMES)
    rng = check_generator("rng", rng)
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


@dataclass(frozen=True)
class MLPCache:
    """What backward needs of a layer's forward: its inputs `x` (batch, n_in); `slope` (batch, n_out) of its activation, or None."""

    x: FloatArray
    slope: FloatArray | None

    def __repr__(self) -> str:
        return (
            f"MLPCache(x {self.x.shape}, slope {None if self.slope is None else self.slope.shape})"
        )


# --- forward


def predict(mlp: MLP, x: FloatArray) -> FloatArray:
    """(B1) without anything kept; x is not checked."""
    return run_forward(mlp, x)[0]


def run_forward(mlp: MLP, x: FloatArray) -> tuple[FloatArray, tuple[MLPCache, ...]]:
    """(B1): outputs (batch, n_out) and what backward needs.

    Notes
    -----
    Implements :eq:`mlp-forward`.
    """
    caches = []
    last = len(mlp.weights) - 1
    # [eq:mlp-forward]
    for number, (weight, bias) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
        z = x @ weight.T
        z += bias
        if number == last:
            caches.append(MLPCache(x, None))
            x = z
        else:
            value, slope = activation_values(mlp.activation, z, (0, 1))
            caches.append(MLPCache(x, slope))
            x = value
    # [/eq:mlp-forward]
    return x, tuple(caches)


# --- backward


def run_backward(mlp: MLP, caches: Sequence[MLPCache], dy: FloatArray) -> FloatArray:
    """(B2), (B3): dR/d theta, (n_params,), given dy (batch, n_out)."""
    return _pull_back(mlp, caches, dy)[1]


def input_gradient(mlp: MLP, caches: Sequence[MLPCache], dy: FloatArray) -> FloatArray:
    """dR/dx, (batch, n_in), given dy (batch, n_out)."""
    return _pull_back(mlp, caches, dy)[0]


def _pull_back(
    mlp: MLP, caches: Sequence[MLPCache], dy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    pieces: list[FloatArray] = []
    # [eq:mlp-backward]
    for weight, cache in zip(reversed(mlp.weights), reversed(caches), strict=True):
        dz = dy if cache.slope is None else dy * cache.slope
        pieces[:0] = ((dz.T @ cache.x).reshape(-1), dz.sum(axis=0))
        dy = dz @ weight
    # [/eq:mlp-backward]
    return dy, np.concatenate(pieces)


def prediction_jacobian(mlp: MLP, caches: Sequence[MLPCache], scale: float = 1.0) -> FloatArray:
    """(B4): d (scale * prediction) / d theta, dense (batch * n_out, n_params), row b * n_out + o.

    Notes
    -----
    Implements :eq:`mlp-jacobian`. Memory: 8 batch n_out n_params bytes.
    """
    batch, n_last = len(caches[0].x), mlp.widths[-1]
    jacobian = np.empty((batch * n_last, mlp.n_params))
    sensitivity = np.broadcast_to(scale * np.eye(n_last), (batch, n_last, n_last))
    end = mlp.n_params
    # [eq:mlp-jacobian]
    for weight, cache in zip(reversed(mlp.weights), reversed(caches), strict=True):
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
    return jacobian
