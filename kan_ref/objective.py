"""The number that training makes small, as a function of a flat vector: value and gradient, or residuals and Jacobian.

    (O1)  objective(theta) = mse(network_theta(x), y) + smoothness_weight * smoothness(network_theta)

As a sum of squares it has the residuals (prediction - y) / sqrt(n) and sqrt(smoothness_weight) * jumps, so that
objective = residuals @ residuals. Optimizers see nothing of a network but these functions. The first layer's B-splines
depend on x and its knots alone: they are evaluated once, whatever the number of steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, choice, float_array, number
from kan_ref.jacobian import prediction_jacobian
from kan_ref.layer import Cache
from kan_ref.losses import LOSS_NAMES, mean_square_residuals, mean_squared_error
from kan_ref.network import (
    PARAMETER_NAMES,
    Network,
    check_inputs,
    evaluate_inputs,
    predict,
    replace_theta,
    run_backward,
    run_forward,
)
from kan_ref.optimizers.row_sparse import Jacobian, select_columns
from kan_ref.penalties import (
    Smoothness,
    prepare_smoothness,
    smoothness_jacobian,
    smoothness_residuals,
    smoothness_value_and_grad,
)


@dataclass(frozen=True)
class Objective:
    """(O1) for one network's shape and grids and one batch, as functions of the trainable part of theta.

    `network` gives knots, masks and the parameters that stay; `inputs` are its first layer's evaluated bases; `free`
    (n_params,) is True where a number of theta moves, None where all do.
    """

    network: Network
    inputs: Cache
    y: FloatArray
    smoothness: Smoothness
    smoothness_weight: float
    free: NDArray[np.bool_] | None

    def start(self) -> FloatArray:
        """The network's own parameters, the trainable part."""
        return self.network.theta.copy() if self.free is None else self.network.theta[self.free]

    def network_at(self, free_theta: FloatArray) -> Network:
        """The network with the trainable part of its parameters replaced."""
        if self.free is None:
            return replace_theta(self.network, free_theta.copy())
        theta = self.network.theta.copy()
        theta[self.free] = free_theta
        return replace_theta(self.network, theta)

    def value_and_grad(self, free_theta: FloatArray) -> tuple[float, FloatArray]:
        """Objective and its gradient, (n_free,)."""
        network = self.network_at(free_theta)
        prediction, caches = run_forward(network, self.inputs)
        # [eq:objective]
        value, d_prediction = mean_squared_error(prediction, self.y)
        gradient = run_backward(network, caches, d_prediction)
        if self.smoothness_weight:
            smoothness, d_smoothness = smoothness_value_and_grad(self.smoothness, network)
            value += self.smoothness_weight * smoothness
            gradient += self.smoothness_weight * d_smoothness
        # [/eq:objective]
        return value, gradient if self.free is None else gradient[self.free]

    def residuals(self, free_theta: FloatArray) -> FloatArray:
        """Residuals whose squares sum to the objective: data first (samples, then outputs), then jumps."""
        network = self.network_at(free_theta)
        return self._stack(network, predict(network, self.inputs))

    def linearize(self, free_theta: FloatArray) -> tuple[FloatArray, Jacobian]:
        """Residuals and their Jacobian with respect to the trainable part, as row-sparse blocks on top of each other."""
        network = self.network_at(free_theta)
        prediction, caches = run_forward(network, self.inputs)
        blocks = [prediction_jacobian(network, caches, 1.0 / np.sqrt(self.y.size))]
        if self.smoothness_weight:
            blocks += smoothness_jacobian(self.smoothness, network, np.sqrt(self.smoothness_weight))
        jacobian: Jacobian = blocks if self.free is None else select_columns(blocks, self.free)
        return self._stack(network, prediction), jacobian

    def penalty(self, network: Network) -> float:
        """What (O1) adds to the data's loss."""
        if not self.smoothness_weight:
            return 0.0
        jumps = smoothness_residuals(self.smoothness, network)
        return self.smoothness_weight * float(np.vdot(jumps, jumps))

    def _stack(self, network: Network, prediction: FloatArray) -> FloatArray:
        # [eq:objective-residuals]
        residuals = mean_square_residuals(prediction, self.y)
        if self.smoothness_weight:
            jumps = np.sqrt(self.smoothness_weight) * smoothness_residuals(self.smoothness, network)
            residuals = np.concatenate([residuals, jumps])
        # [/eq:objective-residuals]
        return residuals

    def __repr__(self) -> str:
        n_free = self.network.n_params if self.free is None else int(self.free.sum())
        return f"Objective({self.network!r}, {len(self.y)} samples, {n_free} trainable parameters)"


def make_objective(
    network: Network,
    x: FloatArray,
    y: FloatArray,
    *,
    smoothness_weight: float = 0.0,
    trainable: Sequence[str] = PARAMETER_NAMES,
    inputs: Cache | None = None,
) -> Objective:
    """(O1) for a network and a checked batch x (batch, n_in), y (batch, n_out); `inputs` if they are evaluated already."""
    return Objective(
        network=network,
        inputs=evaluate_inputs(network, x, slopes=False) if inputs is None else inputs,
        y=y,
        smoothness=prepare_smoothness(network),
        smoothness_weight=smoothness_weight,
        free=trainable_places(network, trainable),
    )


def trainable_places(network: Network, trainable: Sequence[str]) -> NDArray[np.bool_] | None:
    """True at the places in theta of the named parameters; None where that is all of them.

    Raises
    ------
    ValueError
        For an unknown name, a repeated one, or none at all.
    """
    if isinstance(trainable, str):
        raise TypeError(f"trainable is {trainable!r}, but must be a sequence of names such as ({trainable!r},)")
    names = [choice("trainable", name, PARAMETER_NAMES) for name in trainable]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"trainable is {tuple(names)}, but needs at least one name, each once")
    if len(names) == len(PARAMETER_NAMES):
        return None
    chosen = [np.full(getattr(layer, name).size, name in names) for layer in network.layers for name in PARAMETER_NAMES]
    return np.concatenate(chosen)


def check_batch(network: Network, x: object, y: object, names: tuple[str, str] = ("x", "y")) -> tuple[FloatArray, FloatArray]:
    """The door for a batch with targets: x (batch, n_in), y (batch, n_out), at least one sample."""
    points = check_inputs(network, x, names[0])
    if isinstance(y, np.ndarray) and y.ndim == 1:
        raise ValueError(f"{names[1]} has shape {y.shape}, but needs shape (batch, n_out): give {names[1]}[:, None] for one output")
    targets = float_array(names[1], y, ("batch", network.widths[-1]))
    if len(points) != len(targets):
        raise ValueError(f"{names[1]} has {len(targets)} rows, but {names[0]} has {len(points)}")
    if len(points) == 0:
        raise ValueError(f"{names[0]} has no rows, but a loss needs at least one sample")
    return points, targets


def value_and_grad(
    network: Network, x: object, y: object, loss: str = "mse", *, smoothness_weight: float = 0.0
) -> tuple[float, FloatArray]:
    """Loss of a network on a batch, and its gradient with respect to all parameters.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
    y : (batch, n_out)
    loss : str
        "mse": mean over all batch x n_out numbers.
    smoothness_weight : float
        At least 0; what (P1) of `penalties` counts beside the loss.

    Returns
    -------
    value : float
    gradient : (n_params,)
        In the order of `network.theta`.

    Raises
    ------
    ValueError, TypeError
        "y has shape (10,), but needs shape (batch, n_out): give y[:, None] for one output"

    Notes
    -----
    Implements :eq:`objective`. About three forward passes.
    """
    choice("loss", loss, LOSS_NAMES)
    points, targets = check_batch(network, x, y)
    weight = number("smoothness_weight", smoothness_weight, low=0.0)
    return make_objective(network, points, targets, smoothness_weight=weight).value_and_grad(network.theta)
