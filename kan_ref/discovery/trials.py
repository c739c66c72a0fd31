"""Compare architectures, choices of nodes and edges, by their refined validation error.

The validation error e of an architecture is the smallest over a ladder of grids, each of which the
network is trained on:

    (D1)  e = min over grids G of the validation error after training on G

where the error is the root mean square error, for classes the mean loss.

One coarse grid would mislead: there a small correct architecture has a larger error than a rich
wrong one, because nodes make up for the error of the splines. Which e is acceptable beside the
smallest one, `acceptance` decides.

Every fifth training sample is held out for validation; test data are only reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.network import Network, network_values
from kan_ref.training import check_batch, fit, sample_losses

LADDER = (5, 10, 20, 50)
WORTH = 0.7  # a finer grid must lower the error to this fraction, or the ladder ends there
MOST_PARAMETERS = 0.6  # of the number of training samples: finer grids are not tried
VALIDATION_SHARE = 0.2  # every fifth sample is held out
LEAST_SAMPLES = 10  # two of them are held out
LEAST_RANGE = 1e-140  # of a column: squares of errors of 1e-13 of it are above 1e-308
ROUNDING = 1e-13  # of the largest value: a column that varies by less is constant


@dataclass(frozen=True, eq=False)
class ArchitectureTrial:
    """One architecture that was tried.

    `what`, in words; the refined `network`; its `validation_rmse`; `falling`: whether that error
    was still falling fast on the last grid; `kept`: whether the search continued from it; `losses`
    (n_held_out,): its squared errors, whose mean is the square of `validation_rmse`. For classes
    `losses` are cross entropies or logistic losses, `validation_loss` is their mean, else None, and
    `validation_rmse` is that of probabilities.
    """

    what: str
    network: Network
    validation_rmse: float
    falling: bool = False
    kept: bool = True
    losses: FloatArray | None = field(default=None, repr=False)
    validation_loss: float | None = None

    @property
    def error(self) -> float:
        """The error that compares trials: the loss for classes, else the root mean square error."""
        return self.validation_rmse if self.validation_loss is None else self.validation_loss

    def __repr__(self) -> str:
        word = "kept" if self.kept else "not kept"
        which = "rmse" if self.validation_loss is None else "loss"
        error = f"validation_{which} {self.error:.2e}"
        return f"{self.what}: {list(self.network.widths)}, {error}, {word}"


class Rule(Protocol):
    """Decides which trials are acceptable beside another one."""

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the trial is acceptable beside the reference."""

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the next reference, after a trial was kept."""


@dataclass(frozen=True)
class Search:
    """The data and settings that all trials of one elimination share."""

    data: Data  # its test part are the held-out samples
    rule: Rule
    n_steps: int
    ladder: tuple[int, ...]
    smoothness_weight: float
    rng: np.random.Generator | None = None
    report: Callable[[ArchitectureTrial], None] = lambda trial: None
    loss: str = "mse"

    def trained(self, network: Network, n_intervals: int) -> tuple[Network, float]:
        """Train a network on one grid or its own finer one; return it and its validation error."""
        n_intervals = max(n_intervals, *(layer.n_intervals for layer in network.layers))
        trained = fitted(
            network,
            self.data,
            grids=(n_intervals,),
            optimizer="lm" if self.loss == "mse" else None,
            n_steps=self.n_steps,
            loss=self.loss,
            smoothness_weight=self.smoothness_weight,
        )
        return trained, self.error(trained)

    def losses(self, network: Network) -> FloatArray:
        """Return the loss (n_held_out,) of each held-out sample.

        That is the squared error, the mean over outputs, or the loss of its class.
        """
        predicted = network_values(network, self.data.x_test)
        if self.loss == "mse":
            return np.asarray(np.mean((predicted - self.data.y_test) ** 2, axis=1))
        goal = check_batch(network, self.data.x_test, self.data.y_test, loss=self.loss)
        return sample_losses(goal, predicted)

    def error(self, network: Network) -> float:
        """Return the RMSE on the held-out samples, for classes the mean loss.

        Infinite if the network is undefined there.
        """
        mean = float(np.mean(self.losses(network)))
        value = float(np.sqrt(mean)) if self.loss == "mse" else mean
        return value if np.isfinite(value) else np.inf

    def _tried(
        self, what: str, network: Network, error: float, *, falling: bool, kept: bool
    ) -> ArchitectureTrial:
        """Return the trial of a network with this error."""
        losses = self.losses(network)
        if self.loss == "mse":
            return ArchitectureTrial(what, network, error, falling, kept, losses)
        goal = check_batch(network, self.data.x_test, self.data.y_test, loss=self.loss)
        rmse = goal.judge_all(network)[1] if np.isfinite(error) else np.inf
        return ArchitectureTrial(what, network, rmse, falling, kept, losses, error)

    def refined(self, what: str, network: Network, kept: bool = True) -> ArchitectureTrial:
        """Train on finer and finer grids of the ladder while that pays; return the best, (D1)."""
        best, least, falling = network, self.error(network), False
        finest = max(layer.n_intervals for layer in network.layers)
        for place, n_intervals in enumerate(
            [count for count in self.ladder if count >= finest] or [finest]
        ):
            if place and network.n_active_params * n_intervals > self.most(network):
                break
            network, error = self.trained(network, n_intervals)
            worth, falling = error < WORTH * least, error < WORTH**4 * least
            if error < least:
                best, least = network, error
            if place and not worth:
                break
        return self._tried(what, best, least, falling=falling, kept=kept)

    def most(self, network: Network) -> float:
        """Return the largest product of parameters and intervals that the samples can determine."""
        return (
            MOST_PARAMETERS
            * len(self.data.x_train)
            * max(layer.n_intervals for layer in network.layers)
        )


def check_samples(data: Data) -> None:
    """Check that there are enough samples to hold some out, and that no squares underflow.

    Raises
    ------
    ValueError
        If there are fewer than 10 training samples, or a column that varies has a range below
        1e-140.
    """
    if len(data.x_train) < LEAST_SAMPLES:
        raise ValueError(
            f"data has {len(data.x_train)} training samples, but at least {LEAST_SAMPLES} are "
            "needed, since a fifth of them is held out to compare formulas: give more samples"
        )
    for name, array in (("x_train", data.x_train), ("y_train", data.y_train)):
        for place, column in enumerate(array.T if array.ndim == 2 else ()):  # labels have no unit
            low, high = float(column.min()), float(column.max())
            if ROUNDING * max(-low, high) < high - low < LEAST_RANGE:
                raise ValueError(
                    f"{name} has values between {low:g} and {high:g} in column {place}, but a "
                    f"column that varies needs a range of at least {LEAST_RANGE:g}, or squares of "
                    "errors are below float64: multiply it by a power of 10"
                )


def fitted(network: Network, data: Data, **options: Any) -> Network:
    """Train a network as `fit` does, and raise KeyboardInterrupt if the user interrupts the run."""
    # plain variables: the errors at which architectures and formulas are accepted were measured so
    plain = options.get("loss", "mse") == "mse"
    run = fit(network, data, precondition=None if plain else "auto", **options)
    if run.interrupted:
        raise KeyboardInterrupt
    return run.network
