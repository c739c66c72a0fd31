"""What a noisy table chooses among: architectures, each trained with a penalty that grows.

The architectures, from no dependence at all to interactions, with their initial parameters:

    constant    the mean of the targets, or the frequencies of the classes
    linear      one layer of lines
    additive    one layer of splines, y = sum_i phi_i(x_i)
    hidden      a network with hidden layers, which can represent interactions

The lines are a network of one layer, too: the identity is its base function, and one basis function
of degree 0, which is 1 far beyond the samples, gives the constant.

With the L1 penalty on edges (Liu et al. 2024, eq. 2.17) of the weights w_1 < w_2 < ..., each fit
begins where the one before has ended:

    (T23)  theta_1 = minimise(w_1, theta_0),   theta_p = minimise(w_p, theta_{p-1})

In this order a network first uses all its edges, and then loses those that the data do not need. In
the reverse order, edges and nodes that a strong penalty has made 0 stay near 0: the interaction in
Friedman's first test function is then lost.

The penalty on |phi| also shrinks the constant of a sum of curves. Standardised targets have the
mean 0, so theirs is small. Logits z need one for the frequencies n_j / n of the classes. With the
weight w, mean probabilities at a minimum differ from the frequencies by up to w, or w n_out for
"logistic", towards 1/2 or 1 / n_classes. So each trained network of classes gets the constants c_j
with the smallest loss without the penalty, whose derivatives with respect to c are 0:

    (T35)  z_j + c_j  with  mean_b p_j(z_b + c) = n_j / n,  half a sample where n_j = 0
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.data import Data
from kan_ref.network import (
    Network,
    domain_of_samples,
    fold_constants,
    init_network,
    layer_inputs,
    replace_layer,
)
from kan_ref.optimizers import lbfgs
from kan_ref.training.class_losses import CROSS_ENTROPY
from kan_ref.training.data_goal import MSE, DataGoal, check_batch, check_test
from kan_ref.training.fitting import fit
from kan_ref.training.history import Run, Step
from kan_ref.training.notes import OTHER_DOMAIN

WEIGHTS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
FEW = 100  # training samples; with fewer, every other weight
WINDOW, SETTLED = 10, 1e-3  # steps, and the relative fall of the objective over them

LARGEST_MEAN = 1.0  # absolute, of a standardised column
LEAST_STD, LARGEST_STD = 0.25, 4.0
WIDER = 10.0  # times the width of the samples: how far the constant of the lines reaches


def initial_networks(
    x: FloatArray,
    n_out: int,
    hidden: Sequence[int],
    *,
    n_intervals: int,
    degree: int,
    rng: np.random.Generator,
) -> dict[str, Network]:
    """Return the networks "linear", "additive" and, unless `hidden` is empty, "hidden"."""
    n_in, ends = x.shape[1], domain_of_samples(x)
    networks = {"linear": initial_line(x, n_out, rng)}
    widths = {"additive": (n_in, n_out), "hidden": (n_in, *hidden, n_out)}
    for name in ("additive", "hidden") if len(hidden) else ("additive",):
        networks[name] = init_network(
            widths[name], n_intervals=n_intervals, degree=degree, domain=ends, x=x, rng=rng
        )
    return networks


def initial_line(x: FloatArray, n_out: int, rng: np.random.Generator) -> Network:
    """Return the network of lines for samples x (batch, n_in)."""
    ends = domain_of_samples(x)
    wide = ends + WIDER * np.array([-1.0, 1.0]) * (ends[:, 1:] - ends[:, :1])
    widths = (x.shape[1], n_out)
    return init_network(widths, n_intervals=1, degree=0, domain=wide, base="identity", rng=rng)


def fewest_samples(name: str, n_basis: int, n_in: int) -> int:
    """Return how many samples a fold must train on so that an architecture is compared.

    One spline has n_basis coefficients, and a sum of curves has as many for each input. With fewer
    samples than one curve needs, only lines are compared; with fewer than the sum needs, the curves
    of single inputs are underdetermined, and no interactions of inputs are looked for.
    """
    return {"linear": 0, "additive": n_basis, "hidden": n_in * n_basis}[name]


def constant_network(line: Network, constant: FloatArray) -> Network:
    """Return the network of lines as a constant (n_out,), divided among its inputs."""
    (layer,) = line.layers
    each = constant / layer.coef.shape[1]
    coef = np.broadcast_to(each[:, None, None], layer.coef.shape)
    return Network((replace(layer, coef=coef, w_base=np.zeros_like(layer.w_base)),))


def sample_range(x: FloatArray) -> FloatArray:
    """Return the smallest and largest value of each column, (n_in, 2)."""
    return np.stack([x.min(axis=0), x.max(axis=0)], axis=1)


def clipped(x: FloatArray, domain: FloatArray) -> FloatArray:
    """Return the nearest inputs within the domain (n_in, 2)."""
    return np.clip(x, domain[:, 0], domain[:, 1])


def fold_targets(data: Data, goal: DataGoal, kept: IntArray) -> tuple[NDArray[Any], DataGoal]:
    """Return y_train and the goal for a fold that trains on the samples `kept`.

    Numbers are shifted until the mean of those kept is that of all, which is 0 where targets are
    standardised. Without the shift a network that a penalty has shrunk to 0 predicts the mean of
    all samples. On noise it then has a smaller held-out loss than the constant, which is the mean
    of those kept. Labels stay.
    """
    if goal.loss is not MSE:
        return data.y_train, goal
    shift = goal.targets.mean(axis=0) - goal.targets[kept].mean(axis=0)
    goal = replace(goal, targets=goal.targets + shift)
    return goal.targets, goal


def with_frequencies(network: Network, goal: DataGoal) -> Network:
    """Return a network of logits with the constants (T35) of training samples; for "mse" itself.

    A spline that contains the samples holds each constant, (L21).
    """
    if goal.loss is MSE:
        return network
    *_, inputs, logits = layer_inputs(network.layers, goal.x)
    least = 0.5 / len(logits)
    frequencies = goal.targets.mean(axis=0).clip(least, 1.0 - least)
    if goal.loss is CROSS_ENTROPY:
        frequencies /= frequencies.sum()
    targets = np.broadcast_to(frequencies, logits.shape)

    def value_and_grad(shift: FloatArray) -> tuple[float, FloatArray]:
        value, d_logits = goal.loss.value_and_grad(logits + shift, targets)
        return value, d_logits.sum(axis=0)

    shift = lbfgs(value_and_grad, np.zeros(logits.shape[1])).theta
    last = len(network.layers) - 1
    return replace_layer(network, last, fold_constants(network.layers[last], inputs, shift))


def check_goals(network: Network, data: Data, loss: str) -> DataGoal:
    """Return the goal of the training data, after checks of all that training and test data need.

    An error of the test data alone would otherwise come after the last fold.
    """
    goal = check_batch(network, data.x_train, data.y_train, ("x_train", "y_train"), loss)
    check_standardised(goal)
    if goal.loss is CROSS_ENTROPY and data.y_test.max(initial=0) > data.y_train.max():
        place = int(np.argmax(data.y_test > data.y_train.max()))
        label = data.y_test[place]
        raise ValueError(
            f"y_test is {label} at position {place}, but y_train has no sample of class {label}: "
            "leave such samples out of the test data, or move some into the training data"
        )
    check_test(network, data, loss)
    return goal


def check_standardised(goal: DataGoal) -> None:
    """Raise ValueError where a column is far from mean 0 and standard deviation 1."""
    arrays = {"x_train": goal.x}
    if goal.loss.probabilities is None:
        arrays["y_train"] = goal.targets
    for name, array in arrays.items():
        means, stds = array.mean(axis=0), array.std(axis=0)
        constant = np.ptp(array, axis=0) == 0.0
        wrong = (np.abs(means) > LARGEST_MEAN) | (
            ~constant & ((stds < LEAST_STD) | (stds > LARGEST_STD))
        )
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(
                f"{name} has mean {means[i]:.3g} and standard deviation {stds[i]:.3g} in column "
                f"{i}, but the weights of the penalty are those for standardised columns: the mean "
                f"must lie between -1 and 1, the standard deviation between {LEAST_STD:g} and "
                f"{LARGEST_STD:g}. Subtract the mean, and divide by the standard deviation"
            )


class Settled:
    """A callback that ends a fit when WINDOW steps have lowered the objective by too little.

    Such small gains do not decide between candidates.
    """

    def __init__(self) -> None:
        self.values: list[float] = []

    def __call__(self, step: Step) -> bool:
        """Return whether the fit may end."""
        self.values.append(step.train_loss + step.penalty)
        before, now = self.values[0], self.values[-1]
        if len(self.values) > WINDOW:
            self.values.pop(0)
            return before - now <= SETTLED * abs(now)
        return False


@dataclass(frozen=True)
class Recipe:
    """Settings of all fits: loss, strictly increasing weights, number of steps of the first fit.

    `initial(x)` returns the initial networks by the names of their architectures.
    """

    loss: str
    weights: tuple[float, ...]
    n_steps: int
    initial: Callable[[FloatArray], dict[str, Network]]

    def path(self, network: Network, data: Data) -> Iterator[Run[Network]]:
        """Train on the path (T23), and yield the run of each weight; an interrupted one ends it."""
        for place, weight in enumerate(self.weights):
            # [eq:penalty-path]
            n_steps = self.n_steps if place == 0 else (self.n_steps + 1) // 2
            run = self._fit(network, data, weight, n_steps)
            network = run.network
            # [/eq:penalty-path]
            yield run
            if run.interrupted:
                return

    def _fit(self, network: Network, data: Data, weight: float, n_steps: int) -> Run[Network]:
        """Train with one weight of the penalty."""
        return fit(
            network,
            data,
            optimizer="lbfgs",
            loss=self.loss,
            n_steps=n_steps,
            penalty_weight=weight,
            entropy_weight=0.0,
            callback=Settled(),
        )

    def last(self, network: Network, data: Data, goal: DataGoal) -> Run[Network]:
        """Return the last run of the path, for classes with (T35) and its errors as a last entry.

        Where it is of a smaller weight than the last one, `stopped` says so.
        """
        runs = list(self.path(network, data))
        run, weight = runs[-1], self.weights[len(runs) - 1]
        network = with_frequencies(run.network, goal)
        if network is not run.network:
            after = self._fit(network, data, weight, 0)
            history = run.history.followed_by(after.history)
            run = replace(run, network=network, history=history, entry=len(history.step) - 1)
        if weight == self.weights[-1]:
            return run
        return replace(run, stopped=f"{run.stopped}; its penalty_weight is {weight:g}")


def usual_weights(n: int) -> tuple[float, ...]:
    """Return the weights for n training samples.

    The relative standard error of a mean squared error on n samples with Gaussian noise is
    sqrt(2 / n). Below 100 samples it is 14 % or more, and networks of neighbouring weights differ
    by less: then every other weight is left out, and with it nearly half of the time.
    """
    return WEIGHTS if n >= FEW else WEIGHTS[::2]


def reason(stopped: str, names: Sequence[str] | None) -> str:
    """Return why a fit of standardized inputs ended, with their names and a remedy for outliers."""
    stopped = stopped.replace("the callback asked to stop", "the objective settled")
    remedy = "or clip or transform the input, whose numbers here are standard deviations"
    stopped = stopped.replace(OTHER_DOMAIN, f"{remedy} from its mean")
    if names is None:
        return stopped
    return re.sub(
        r"; input (\d+) varies", lambda found: f"; input {names[int(found[1])]!r} varies", stopped
    )


def check_weights(weights: object) -> tuple[float, ...]:
    """Return `weights` as strictly increasing positive numbers."""
    if isinstance(weights, str) or not isinstance(weights, Sequence | np.ndarray):
        raise TypeError(
            f"weights is {weights!r}, but must be a sequence of numbers such as (0.001, 0.01, 0.1)"
        )
    path = tuple(checks.number(f"weights[{place}]", weight) for place, weight in enumerate(weights))
    if not path or path[0] <= 0.0 or list(path) != sorted(set(path)):
        raise ValueError(
            f"weights is {path}, but must be strictly increasing numbers above 0, at least one"
        )
    return path
