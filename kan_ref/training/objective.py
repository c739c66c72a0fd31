"""The number that training makes small, as a function of a flat vector: value and gradient, or residuals and Jacobian.

    (O1)  objective(theta) = loss(model_theta(x), y) + smoothness_weight * smoothness(model_theta)
                             + penalty_weight * (l1_weight * l1 + entropy_weight * entropy)

Without the last term, and with the mean squared error, it is a sum of squares: its residuals are (prediction - y) / sqrt(n) and
sqrt(smoothness_weight) * jumps, and objective = residuals @ residuals. Where the model is to fulfil differential equations, (E1) of
`problem` stands for the loss. Optimizers see nothing of a model but these functions. A KAN's first layer's B-splines depend on x and its
knots alone: they are evaluated once, whatever the number of steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, IntArray, check_choice, check_float_array, check_number
from kan_ref.network import PARAMETER_ARRAYS, PARAMETER_NAMES, Network, run_flow
from kan_ref.numerics import Block, Jacobian, select_columns
from kan_ref.pde import Family, Model, PreparedProblem, family_of
from kan_ref.sparsity import PENALTY_NAMES, PenaltyWeights, penalized_backward, penalty_value
from kan_ref.training.losses import Loss, mean_squared_error, named_loss
from kan_ref.training.smoothness import (
    Smoothness,
    prepare_smoothness,
    smoothness_jacobian,
    smoothness_residuals,
    smoothness_value_and_grad,
)


@dataclass(frozen=True, eq=False)
class Objective:
    """(O1) for one model's shape and grids and one batch, as functions of the trainable part of theta.

    `network` (a KAN or a perceptron) gives everything that stays; `inputs` is what its family evaluated of `x` once; `targets`
    (batch, n_out) in the loss's own form; `free` (n_params,) is True where a number of theta moves, None where all do. With `equations`
    they stand for the loss, and `x` is all their points: there the penalties on edges are taken, and `targets` means nothing.
    """

    network: Any
    family: Family
    inputs: Any
    x: FloatArray
    targets: FloatArray
    loss: Loss
    smoothness: Smoothness | None
    smoothness_weight: float
    penalty: PenaltyWeights | None
    free: NDArray[np.bool_] | None
    equations: PreparedProblem | None = None

    def start(self) -> FloatArray:
        """The model's own parameters, the trainable part."""
        theta: FloatArray = self.network.theta
        return theta.copy() if self.free is None else theta[self.free]

    def network_at(self, free_theta: FloatArray) -> Any:
        """The model with the trainable part of its parameters replaced."""
        if self.free is None:
            return self.family.replace_theta(self.network, free_theta.copy())
        theta = self.network.theta.copy()
        theta[self.free] = free_theta
        return self.family.replace_theta(self.network, theta)

    def value_and_grad(self, free_theta: FloatArray) -> tuple[float, FloatArray]:
        """Objective and its gradient, (n_free,)."""
        network = self.network_at(free_theta)
        # [eq:objective]
        if self.equations is not None:
            value, gradient = self.equations.value_and_grad(network)
            if self.penalty is not None:
                flow, caches = run_flow(network, self.inputs)
                penalty, d_penalty = penalized_backward(
                    network, self.x, caches, flow, np.zeros_like(flow[-1]), self.penalty
                )
                value, gradient = value + penalty, gradient + d_penalty
        elif self.penalty is None:
            prediction, caches = self.family.run_forward(network, self.inputs)
            value, d_prediction = self.loss.value_and_grad(prediction, self.targets)
            gradient = self.family.run_backward(network, caches, d_prediction)
        else:
            flow, caches = run_flow(network, self.inputs)
            value, d_prediction = self.loss.value_and_grad(flow[-1], self.targets)
            penalty, gradient = penalized_backward(
                network, self.x, caches, flow, d_prediction, self.penalty
            )
            value += penalty
        if self.smoothness is not None:
            smoothness, d_smoothness = smoothness_value_and_grad(self.smoothness, network)
            value += self.smoothness_weight * smoothness
            gradient += self.smoothness_weight * d_smoothness
        # [/eq:objective]
        return value, gradient if self.free is None else gradient[self.free]

    def residuals(self, free_theta: FloatArray) -> FloatArray:
        """Residuals whose squares sum to the objective: data first (samples, then outputs), then jumps."""
        network = self.network_at(free_theta)
        if self.equations is not None:
            return self._stack(network, self.equations.residuals(network))
        return self._stack(network, self._loss_residuals(self.family.predict(network, self.inputs)))

    def linearize(self, free_theta: FloatArray) -> tuple[FloatArray, Jacobian]:
        """Residuals and their Jacobian with respect to the trainable part, as blocks on top of each other."""
        network = self.network_at(free_theta)
        blocks: list[Block]
        if self.equations is not None:
            residuals, blocks = self.equations.linearize(network)
        else:
            prediction, caches = self.family.run_forward(network, self.inputs)
            residuals = self._loss_residuals(prediction)
            data = self.family.jacobian(network, caches, 1.0 / np.sqrt(self.targets.size))
            blocks = list(data) if isinstance(data, list | tuple) else [data]  # type: ignore[list-item]
        if self.smoothness is not None:
            blocks += smoothness_jacobian(self.smoothness, network, np.sqrt(self.smoothness_weight))
        jacobian: Jacobian = blocks if self.free is None else select_columns(blocks, self.free)
        return self._stack(network, residuals), jacobian

    def added(self, network: Any) -> float:
        """What (O1) adds to the loss."""
        total = 0.0
        if self.smoothness is not None:
            jumps = smoothness_residuals(self.smoothness, network)
            total += self.smoothness_weight * float(np.vdot(jumps, jumps))
        if self.penalty is not None:
            flow, caches = run_flow(network, self.inputs)
            total += penalty_value(network, self.x, caches, flow, self.penalty)
        return total

    def on_samples(self, chosen: IntArray) -> "Objective":
        """The objective of some of the samples: a mini-batch."""
        x = self.x[chosen]
        return replace(
            self, x=x, targets=self.targets[chosen], inputs=self.family.prepare(self.network, x)
        )

    def judge(self, network: Any, prediction: FloatArray | None) -> tuple[float, float, float]:
        """Loss, root mean square error and accuracy (nan without classes) on the samples; for equations (E1), its root, and nan."""
        if self.equations is not None:
            value = self.equations.value(network)
            return value, float(np.sqrt(value)), np.nan
        own = self.family.predict(network, self.inputs) if prediction is None else prediction
        return judge_predictions(self.loss, own, self.targets)

    def _loss_residuals(self, prediction: FloatArray) -> FloatArray:
        if self.loss.residuals is None:
            raise ValueError(f"loss {self.loss.name!r} is no sum of squares: it has no residuals")
        return self.loss.residuals(prediction, self.targets)

    def _stack(self, network: Any, residuals: FloatArray) -> FloatArray:
        if self.penalty is not None:
            raise ValueError(
                "with an L1 or entropy penalty the objective is no sum of squares: it has no residuals"
            )
        # [eq:objective-residuals]
        if self.smoothness is not None:
            jumps = np.sqrt(self.smoothness_weight) * smoothness_residuals(self.smoothness, network)
            residuals = np.concatenate([residuals, jumps])
        # [/eq:objective-residuals]
        return residuals

    def __repr__(self) -> str:
        n_free = self.network.n_params if self.free is None else int(self.free.sum())
        goal = (
            f"{self.loss.name}, {len(self.x)} samples"
            if self.equations is None
            else f"equations at {len(self.x)} points"
        )
        return f"Objective({self.network!r}, {goal}, {n_free} trainable parameters)"


def judge_predictions(
    loss: Loss, prediction: FloatArray, targets: FloatArray
) -> tuple[float, float, float]:
    """Loss, root mean square error and accuracy (nan without classes) of predictions."""
    value = loss.value_and_grad(prediction, targets)[0]
    error = float(np.sqrt(mean_squared_error(loss.probabilities(prediction), targets)[0]))
    return (
        value,
        error,
        np.nan if loss.hits is None else float(loss.hits(prediction, targets).mean()),
    )


def make_objective(
    network: Model,
    x: FloatArray,
    targets: FloatArray,
    *,
    loss: str = "mse",
    smoothness_weight: float = 0.0,
    penalty: PenaltyWeights | None = None,
    trainable: Sequence[str] = PARAMETER_NAMES,
    inputs: Any = None,
    equations: PreparedProblem | None = None,
) -> Objective:
    """(O1) for a model and a checked batch x (batch, n_in), targets (batch, n_out); `inputs` if they are evaluated already.

    With `equations` x is all their points, and `targets` means nothing.
    """
    family = family_of(network)
    if not isinstance(network, Network) and (smoothness_weight or penalty is not None):
        raise TypeError(
            f"network is {network!r}, but smoothness and penalties on edges need the curves of a Network"
        )
    smoothness = (
        prepare_smoothness(network) if smoothness_weight and isinstance(network, Network) else None
    )
    return Objective(
        network=network,
        family=family,
        inputs=family.prepare(network, x) if inputs is None else inputs,
        x=x,
        targets=targets,
        loss=named_loss(loss),
        smoothness=smoothness,
        smoothness_weight=smoothness_weight,
        penalty=penalty,
        free=trainable_places(network, trainable),
        equations=equations,
    )


def trainable_places(network: Model, trainable: Sequence[str]) -> NDArray[np.bool_] | None:
    """True at the places in theta of the named parameters; None where that is all of them.

    Raises
    ------
    ValueError, TypeError
        For an unknown name, a repeated one, or none at all; for a part of a perceptron; for formulas where there are none.
    """
    if isinstance(trainable, str) or not isinstance(trainable, Sequence):
        raise TypeError(
            f"trainable is {trainable!r}, but must be a sequence of names such as ('coef', 'w_base')"
        )
    names = [check_choice("trainable", name, PARAMETER_NAMES) for name in trainable]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"trainable is {tuple(names)}, but needs at least one name, each once")
    if len(names) == len(PARAMETER_NAMES):
        return None
    if not isinstance(network, Network):
        raise TypeError(
            f"trainable is {tuple(names)}, but the parameters of {network!r} have no such parts: they move together"
        )
    chosen = [
        np.full(getattr(layer, array).size, name in names)
        for layer in network.layers
        for name, array in PARAMETER_ARRAYS.items()
    ]
    places = np.concatenate(chosen)
    if not places.any():
        raise ValueError(f"trainable is {tuple(names)}, but {network!r} has no symbolic edges")
    return None if places.all() else places


def check_penalty(
    penalty: object, penalty_weight: object, l1_weight: object, entropy_weight: object
) -> PenaltyWeights | None:
    """The door for lambda, mu_1, mu_2 and the kind of penalty; None where it would add nothing."""
    kind = check_choice("penalty", penalty, PENALTY_NAMES)
    weights = PenaltyWeights(
        check_number("penalty_weight", penalty_weight, low=0.0),
        check_number("l1_weight", l1_weight, low=0.0),
        check_number("entropy_weight", entropy_weight, low=0.0),
        kind,
    )
    return weights if weights.weight * (weights.l1 + weights.entropy) > 0.0 else None


def check_batch(
    network: Model, x: object, y: object, names: tuple[str, str] = ("x", "y"), loss: str = "mse"
) -> tuple[FloatArray, FloatArray]:
    """The door for a batch with targets: x (batch, n_in), y as the loss wants it, at least one sample; y as (batch, n_out)."""
    points = check_float_array(names[0], x, ("batch", network.widths[0]))
    targets = named_loss(loss).targets(names[1], y, network.widths[-1])
    if len(points) != len(targets):
        raise ValueError(f"{names[1]} has {len(targets)} rows, but {names[0]} has {len(points)}")
    if len(points) == 0:
        raise ValueError(f"{names[0]} has no rows, but a loss needs at least one sample")
    return points, targets


def value_and_grad(
    network: Model,
    x: object,
    y: object,
    loss: str = "mse",
    *,
    penalty_weight: float = 0.0,
    l1_weight: float = 1.0,
    entropy_weight: float = 1.0,
    penalty: str = "paper",
    smoothness_weight: float = 0.0,
) -> tuple[float, FloatArray]:
    """Objective of a model on a batch, and its gradient with respect to all parameters.

    Parameters
    ----------
    network : Network, MLP or LAN
    x : (batch, n_in)
    y : (batch, n_out), or (batch,) of int
        Numbers; 0 or 1 for "logistic"; class labels 0 .. n_out - 1 for "cross_entropy".
    loss : str
        "mse" (mean over all batch x n_out numbers), "cross_entropy" or "logistic" (in nats).
    penalty_weight, l1_weight, entropy_weight : float
        lambda, mu_1, mu_2 of Liu et al. 2024, eq. 2.20; at least 0.
    penalty : str
        Which l1 and entropy: "paper", "pykan", "pykan-0.0" or "coef"; see `penalties`.
    smoothness_weight : float
        At least 0; what (P1) of `smoothness` counts beside the loss.

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
    Implements :eq:`objective`. About three forward passes; with a penalty on edges two more.
    """
    family_of(network)
    weights = check_penalty(penalty, penalty_weight, l1_weight, entropy_weight)
    smoothness = check_number("smoothness_weight", smoothness_weight, low=0.0)
    points, targets = check_batch(network, x, y, loss=named_loss(loss).name)
    objective = make_objective(
        network, points, targets, loss=loss, smoothness_weight=smoothness, penalty=weights
    )
    return objective.value_and_grad(network.theta)
