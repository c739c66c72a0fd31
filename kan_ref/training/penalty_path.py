"""Train with a penalty that grows from fit to fit.

With the L1 penalty on edges (Liu et al. 2024, eq. 2.17) of the weights w_1 < w_2 < ..., each fit
begins where the one before has ended:

    (T23)  theta_1 = minimise(w_1, theta_0),   theta_p = minimise(w_p, theta_{p-1})

In this order a network first uses all its edges, and then loses those that the data do not need. In
the reverse order, edges and nodes that a strong penalty has made 0 stay near 0: the interaction in
Friedman's first test function is then lost.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_number
from kan_ref.data import Data
from kan_ref.network import Network
from kan_ref.training.fitting import fit
from kan_ref.training.history import Run, Step

WEIGHTS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
FEW = 100  # training samples; with fewer, every other weight
WINDOW, SETTLED = 10, 1e-3  # steps, and the relative fall of the objective over them


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
        """Train on the path (T23), and yield the run of each weight."""
        for place, weight in enumerate(self.weights):
            # [eq:penalty-path]
            run = fit(
                network,
                data,
                optimizer="lbfgs",
                loss=self.loss,
                n_steps=self.n_steps if place == 0 else (self.n_steps + 1) // 2,
                penalty_weight=weight,
                entropy_weight=0.0,
                callback=Settled(),
            )
            network = run.network
            # [/eq:penalty-path]
            yield run
            if run.interrupted:
                raise KeyboardInterrupt


def usual_weights(n: int) -> tuple[float, ...]:
    """Return the weights for n training samples.

    The relative standard error of a mean squared error on n samples with Gaussian noise is
    sqrt(2 / n). Below 100 samples it is 14 % or more, and networks of neighbouring weights differ
    by less: then every other weight is left out, and with it nearly half of the time.
    """
    return WEIGHTS if n >= FEW else WEIGHTS[::2]


def check_weights(weights: object) -> tuple[float, ...]:
    """Return `weights` as strictly increasing positive numbers."""
    if isinstance(weights, str) or not isinstance(weights, Sequence | np.ndarray):
        raise TypeError(
            f"weights is {weights!r}, but must be a sequence of numbers such as (0.001, 0.01, 0.1)"
        )
    path = tuple(
        check_number(f"weights[{place}]", weight, low=0.0) for place, weight in enumerate(weights)
    )
    if not path or path[0] == 0.0 or list(path) != sorted(set(path)):
        raise ValueError(
            f"weights is {path}, but must be strictly increasing numbers above 0, at least one"
        )
    return path
