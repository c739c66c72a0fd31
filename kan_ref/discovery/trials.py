"""Compare architectures, choices of nodes and edges, by their refined validation error.

The validation error e of an architecture is the smallest over a ladder of grids, each of which the
network is trained on:

    (D1)  e = min over grids G of the validation error after training on G

where the error is the root mean square error, for classes the mean loss. One coarse grid would
mislead: there a small correct architecture has a larger error than a rich wrong one, because nodes
make up for the error of the splines. Every fifth training sample is held out for validation; test
data are only reported.

A trial with error e is judged beside a reference with error r, on the same held-out samples. One
that was still falling fast on its last grid is limited by the grid, not by its architecture. Hence
the rule for errors without noise,

    (D2)  e <= allowed * r,   or e <= 10 r if e was still falling fast on the last grid

With noise (D2) fails: e and r contain the noise, and where that is large, an input that matters
raises the error by a small factor. The squared errors of the same sample contain the same noise,
which their difference d_b does not. A trial is acceptable, if it is by one of the two conditions

    (D8)  mean_b d_b <= std_b(d_b) / sqrt(n)               n held-out samples, standard error
    (D9)  (D2) with allowed = 1.5 and r at least 1e-7 s,   if r <= tolerance * s, or if e <= 0.1 s
                                                           was still falling fast

where s is the standard deviation of the targets. (D9) is for errors of splines and of training:
these are not noise, so that any difference is significant, even one from 1e-9 s to 1e-7 s.

For classes d_b is the difference of their losses. A trial is acceptable by (D8), or if its mean
loss is at most `tolerance`: 0.001 nats mean that right classes have probabilities near 0.999.
By (D8) alone an input with a weak effect is lost, where few labels are held out. Hence a trial is
acceptable by (D8) only if its residuals y - p at the training samples have no structure
(`residual_tests`), or those of the reference have some, too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.network import Network, network_values
from kan_ref.training import LBFGS, LM, LOSSES, compare, fit, sample_losses

LADDER = (5, 10, 20, 50)
WORTH = 0.7  # a finer grid must lower the error to this fraction, or the ladder ends there
MOST_PARAMETERS = 0.6  # of the number of training samples: finer grids are not tried
VALIDATION_SHARE = 0.2  # of the samples are held out
ALLOWED = 1.5  # times the reference's error
FALLING = 10.0  # the same where the error fell to WORTH^4 or less on the last grid
LEAST = 1e-7  # of the targets' standard deviation: smaller errors count as this one
MOST_FALLING = 0.1  # of it: a network with a larger error is not limited by its grid
MOST_EDGES = 200  # 2000 parameters on 5 intervals: a Levenberg-Marquardt step costs P^3 / 3
STEPS_FOR_ONE = 5  # L-BFGS steps for each Levenberg-Marquardt step, where there are more edges


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
    losses: FloatArray | None = None
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
    deadline: float = np.inf

    def training_options(self, n_edges: int) -> dict[str, Any]:
        """Return optimizer, steps and callback, as options of `fit`, for so many edges."""
        method = training_method(n_edges, self.n_steps, self.loss)
        return {"callback": stop_at(self.deadline), **method}

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline

    def trained(self, network: Network, n_intervals: int) -> tuple[Network, float]:
        """Train a network on one grid or its own finer one; return it and its validation error."""
        n_intervals = max(n_intervals, *(layer.n_intervals for layer in network.layers))
        trained = fitted(
            network,
            self.data,
            grids=(n_intervals,),
            n_steps=self.n_steps,
            loss=self.loss,
            smoothness_weight=self.smoothness_weight,
            deadline=self.deadline,
        )
        return trained, self.error(trained)

    def losses(self, network: Network) -> FloatArray:
        """Return the loss (n_held_out,) of each held-out sample.

        That is the squared error, the mean over outputs, or the loss of its class.
        """
        predicted = network_values(network, self.data.x_test)
        if self.loss == "mse":
            return np.asarray(np.mean((predicted - self.data.y_test) ** 2, axis=1))
        return sample_losses(LOSSES[self.loss], predicted, self._targets(network))

    def _targets(self, network: Network) -> FloatArray:
        """Return the targets (n_held_out, n_out), for classes as 0 and 1."""
        return LOSSES[self.loss].read_targets("y_test", self.data.y_test, network.widths[-1])

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
        predicted = network_values(network, self.data.x_test)
        rmse = LOSSES[self.loss].judge(predicted, self._targets(network))[1]
        rmse = rmse if np.isfinite(error) else np.inf
        return ArchitectureTrial(what, network, rmse, falling, kept, losses, error)

    def refined(self, what: str, network: Network, kept: bool = True) -> ArchitectureTrial:
        """Train on finer and finer grids of the ladder while that pays; return the best, (D1)."""
        best, least, falling = network, self.error(network), False
        finest = max(layer.n_intervals for layer in network.layers)
        for place, n_intervals in enumerate(
            [count for count in self.ladder if count >= finest] or [finest]
        ):
            is_fine = place and network.n_active_params * n_intervals > self.most(network)
            if is_fine or self.is_late:
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


def training_method(
    n_edges: int, n_steps: int, loss: str, *, scaled: bool = False
) -> dict[str, Any]:
    """Return optimizer and number of steps, as options of `fit`, for so many edges.

    Levenberg-Marquardt, or for more than 200 edges 5 times as many steps of L-BFGS. Plain variables
    by default: the errors at which architectures and formulas are accepted were measured so.
    """
    if loss == "mse" and n_edges > MOST_EDGES:
        return {"optimizer": LBFGS(scaled=scaled), "n_steps": STEPS_FOR_ONE * n_steps}
    return {"optimizer": LM(scaled=scaled) if loss == "mse" else None, "n_steps": n_steps}


def stop_at(deadline: float) -> Callable[[object], bool] | None:
    """Return a callback of `fit` that stops a run when the time is over; None without a limit."""
    return None if deadline == np.inf else lambda step: time.monotonic() > deadline


def fitted(
    network: Network,
    data: Data,
    *,
    n_steps: int,
    loss: str = "mse",
    deadline: float = np.inf,
    **options: Any,
) -> Network:
    """Train a network as `fit` does, and raise KeyboardInterrupt if the user interrupts the run.

    The optimizer is that of `training_method` where the options have none.
    """
    n_edges = sum(int(layer.mask.sum()) + len(layer.symbolic) for layer in network.layers)
    options = {**training_method(n_edges, n_steps, loss), **options, "loss": loss}
    run = fit(network, data, callback=stop_at(deadline), **options)
    if run.interrupted:
        raise KeyboardInterrupt
    return run.network


@dataclass(frozen=True)
class RatioRule:
    """(D2) alone, for all errors; the first reference stays."""

    allowed: float

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the error is allowed beside that of the reference, by (D2)."""
        return _allowed(trial, reference.error, self.allowed)

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the reference: errors of simpler architectures may not add up."""
        del kept
        return reference


@dataclass(frozen=True)
class PairedRule:
    """(D8) or (D9); the reference is the trial with the smallest error so far."""

    tolerance: float
    std: float  # of the targets

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the trial is as good as the reference, by (D8) or (D9)."""
        assert trial.losses is not None
        assert reference.losses is not None
        # [eq:acceptable-removal]
        as_good = compare(trial.losses, reference.losses).as_good
        exact = reference.error <= self.tolerance * self.std
        limited = trial.falling and trial.error <= MOST_FALLING * self.std
        least = max(reference.error, LEAST * self.std)
        return as_good or ((exact or limited) and _allowed(trial, least, ALLOWED))
        # [/eq:acceptable-removal]

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the better of the two, so that no later trial may lose what a removal gained."""
        return min(reference, kept, key=lambda trial: trial.error)


@dataclass(frozen=True)
class ClassRule:
    """The rule for classes; the reference is the trial with the smallest loss so far."""

    tolerance: float  # nats
    is_suspected: Callable[[Network], bool]  # whether a network's residual has structure

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the trial is as good as the reference, or has next to no loss."""
        assert trial.losses is not None
        assert reference.losses is not None
        if trial.error <= self.tolerance:
            return True
        return compare(trial.losses, reference.losses).as_good and (
            not self.is_suspected(trial.network) or self.is_suspected(reference.network)
        )

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the better of the two."""
        return min(reference, kept, key=lambda trial: trial.error)


def _allowed(trial: ArchitectureTrial, least: float, allowed: float) -> bool:
    """Return whether an error is allowed beside the smallest one, by (D2)."""
    # [eq:allowed-error]
    return trial.error <= (max(allowed, FALLING) if trial.falling else allowed) * least
    # [/eq:allowed-error]
