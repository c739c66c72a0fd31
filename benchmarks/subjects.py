"""The subjects: a training step of kan_ref, of a textbook and, in `peers`, of other implementations, behind one interface.

A step is the mean squared error of a network on a full batch and its gradient with respect to all parameters.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks import textbook
from benchmarks.clock import take_turns
from benchmarks.objectives import mean_square_objective
from kan_ref.checks import FloatArray
from kan_ref.network.network import Network


@dataclass(frozen=True)
class Step:
    """One training step of one network on one batch.

    `run` takes the step and returns whatever the implementation returns; `read` turns that into loss and gradient (n_params,) in
    the order of kan_ref's theta, nan where the implementation has no such parameter.
    """

    run: Callable[[], Any]
    read: Callable[[Any], tuple[float, FloatArray]]


def keep(network: Network) -> Network:
    """Return the network itself."""
    return network


@dataclass(frozen=True)
class Subject:
    """An implementation in one of its modes.

    `make` builds its step for a network and a batch. `home` is the module whose SUBJECTS holds it, so that another process finds
    it by name. `needs` lists the modules that must be importable, `package` the package that has them; `note` says what it does
    differently; `nearest` turns a network into one that it can represent; `drawn` says whether its growth is measured.
    """

    name: str
    home: str
    make: Callable[[Network, FloatArray, FloatArray], Step]
    note: str
    needs: tuple[str, ...] = ()
    package: str = ""
    nearest: Callable[[Network], Network] = keep
    drawn: bool = True

    def step(self, network: Network, x: FloatArray, y: FloatArray) -> Step:
        """Return the step for the nearest network that the subject can represent."""
        return self.make(self.nearest(network), x, y)

    def missing(self) -> str:
        """Return the missing packages as a message; "" if nothing is missing."""
        absent = [name for name in self.needs if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""


# --- NumPy


def _as_is(outcome: tuple[float, FloatArray]) -> tuple[float, FloatArray]:
    return outcome


def _as_in_fit(network: Network, x: FloatArray, y: FloatArray) -> Step:
    objective, theta = mean_square_objective(network, x, y), network.theta.copy()
    return Step(lambda: objective.value_and_grad(theta), _as_is)


def _fresh(network: Network, x: FloatArray, y: FloatArray) -> Step:
    theta = network.theta.copy()
    return Step(lambda: mean_square_objective(network, x, y).value_and_grad(theta), _as_is)


def _textbook(network: Network, x: FloatArray, y: FloatArray) -> Step:
    ways = [
        partial(textbook.value_and_grad, network, x, y, contraction)
        for contraction in textbook.CONTRACTIONS
    ]
    times = take_turns(ways, seconds=0.01)
    return Step(ways[int(np.argmin([of_way.least for of_way in times]))], _as_is)


SUBJECTS = (
    Subject(
        "kan_ref, as in fit",
        __name__,
        _as_in_fit,
        "the first layer's B-splines are kept from step to step: the full batch does not change",
    ),
    Subject(
        "kan_ref, fresh",
        __name__,
        _fresh,
        "evaluates the first layer's B-splines at every step, as the peers do",
    ),
    Subject(
        "textbook",
        __name__,
        _textbook,
        "dense arrays in NumPy, contracted by einsum or one matrix product, whichever is faster",
    ),
)
