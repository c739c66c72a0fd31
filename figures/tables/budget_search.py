"""Search for a network of each size, KAN or MLP, in equal CPU time; the rule is that of `budget_rule`."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.ladder import rmse
from figures.machine.machine import Config
from figures.machine.training import blind
from figures.splines.fig_u_shape import off_a_grid, place_grids
from figures.tables.budget_rule import Architecture, architectures
from figures.tables.problem import Problem, points, sample
from kan_ref.checks import FloatArray

N_PROBE = 1000  # random points of the box, without values, that hidden grids have to contain

Clock = Callable[[], float]


@dataclass(frozen=True)
class Trial:
    """A network in training: its architecture, and its error on the held-out points."""

    architecture: Architecture
    network: Any
    validation: float


@dataclass
class Search:
    """What the trials of one record share: the points of training, the settings, the clock."""

    data: kr.Data  # all points; x in [-1, 1], y standardised
    part: kr.Data  # four fifths of them, the others as test points
    probe: FloatArray
    config: Config
    rng: np.random.Generator
    clock: Clock
    n_starts: int = 0

    def start(self, architecture: Architecture) -> Trial:
        """Return a network from random parameters after the first steps."""
        self.n_starts += 1
        if architecture.degree:
            network: Any = kr.init_network(
                architecture.widths,
                n_intervals=architecture.n_intervals,
                degree=architecture.degree,
                domain=(-1.0, 1.0),
                x=self.part.x_train,
                y=self.part.y_train,
                rng=self.rng,
            )
        else:
            network = kr.init_mlp(architecture.widths, activation=architecture.activation, rng=self.rng)
        return self.trained(architecture, network, self.config["start_steps"], smoothness=0.0, first=True)

    def refined(self, trial: Trial, finer: Architecture) -> Trial:
        """Return a KAN on finer grids after some steps there."""
        network = place_grids(trial.network, self.probe, finer.n_intervals, margin=True)
        return self.trained(finer, network, self.config["more_steps"], smoothness=self.config.get("smoothness", 0.0))

    def continued(self, trial: Trial) -> Trial:
        """Return the trial after more steps."""
        return self.trained(
            trial.architecture, trial.network, self.config["more_steps"], smoothness=self.config.get("smoothness", 0.0)
        )

    def trained(
        self, architecture: Architecture, network: Any, n_steps: int, *, smoothness: float, first: bool = False
    ) -> Trial:
        """Return a network after steps on the part of the points that is not held out; hidden grids follow the activations in the first ones alone."""
        network = self._stepped(network, self.part, n_steps, smoothness, first=first)
        error = rmse(network, self.part.x_test, self.part.y_test)
        return Trial(architecture, network, error if np.isfinite(error) else np.inf)

    def ended(self, trial: Trial) -> Any:
        """Return the network of a trial after the last steps, with all points."""
        steps, smoothness = self.config["end_steps"], self.config.get("smoothness", 0.0)
        return self._stepped(trial.network, self.data, steps, smoothness)

    def _stepped(self, network: Any, data: kr.Data, n_steps: int, smoothness: float, *, first: bool = False) -> Any:
        options: dict[str, Any] = {}
        if isinstance(network, kr.Network):
            if off_a_grid(network, self.probe).any():
                network = place_grids(network, self.probe, network.layers[0].n_intervals, margin=True)
            options = {"smoothness_weight": smoothness, "update_grids": first}
        return kr.fit(network, blind(data), optimizer="lm", n_steps=n_steps, **options).network


def trials_of_size(search: Search, size: int, before: Sequence[Trial], seconds: float) -> list[Trial]:
    """Return the trials of one size after so many seconds, that with the smallest held-out error first.

    `before` are the trials of the size below in this order.
    """
    known, began = architectures(search.config, size), search.clock()

    def spent() -> float:
        return (search.clock() - began) / seconds

    trials = finer_trials(search, known, before)
    trials += first_trials(search, known, spent)
    trials += longer_trials(search, trials, spent)
    return sorted(trials, key=_validation)


def finer_trials(search: Search, known: Sequence[Architecture], before: Sequence[Trial]) -> list[Trial]:
    """Return the best trials of the size below on finer grids, one of each architecture; none for MLPs."""
    finer = {one.family: one for one in known if one.degree}
    best: dict[Any, Trial] = {}
    for trial in before:
        if trial.architecture.family in finer:
            best.setdefault(trial.architecture.family, trial)
    chosen = list(best.items())[: search.config.get("n_refined", 0)]
    return [search.refined(trial, finer[family]) for family, trial in chosen]


def first_trials(search: Search, known: Sequence[Architecture], spent: Callable[[], float]) -> list[Trial]:
    """Return trials from random networks, at least one; after each round the better half of the architectures gets another one."""
    trials: list[Trial] = []
    left = list(known)
    while not trials or spent() < search.config["start_share"]:
        least = dict.fromkeys(left, np.inf)
        for architecture in left:
            if trials and spent() >= search.config["start_share"]:
                return trials
            trials.append(search.start(architecture))
        for trial in trials:
            if trial.architecture in least:
                least[trial.architecture] = min(least[trial.architecture], trial.validation)
        left = sorted(left, key=least.__getitem__)[: max(2, -(-len(left) // 2))]
    return trials


def longer_trials(search: Search, trials: Sequence[Trial], spent: Callable[[], float]) -> list[Trial]:
    """Return the best trials after more steps; after each round the better half goes on, the best one as long as there is time."""
    longer: list[Trial] = []
    active, n_active = list(trials), int(search.config["n_active"])
    while spent() < 1.0:
        chosen, active = sorted(active, key=_validation)[:n_active], []
        for trial in chosen:
            if spent() >= 1.0:
                break
            active.append(search.continued(trial))
        longer += active
        n_active = max(1, n_active // 2)
    return longer


def _validation(trial: Trial) -> float:
    return trial.validation


def learn(problem: Problem, config: Config, clock: Clock = time.process_time) -> dict[str, Any]:
    """Return for each size the errors of the best network by the held-out points."""
    rng = np.random.default_rng(config["seed"])
    raw = sample(problem, rng, n_train=config["n_train"], n_test=config["n_test"])
    low, high = np.array(config["box"]).T
    mean, spread = float(raw.y_train.mean()), float(raw.y_train.std())
    x, x_test = ((2.0 * some - low - high) / (high - low) for some in (raw.x_train, raw.x_test))
    y, y_test = ((some - mean) / spread for some in (raw.y_train, raw.y_test))
    data = kr.Data(x, y, x_test, y_test)
    n_out = int(config["held_out"] * len(x))
    part = kr.Data(x[n_out:], y[n_out:], x[:n_out], y[:n_out])
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=problem.n_in)))
    box = ((-1.0, 1.0),) * problem.n_in
    probe = np.concatenate([x, points(box, N_PROBE, np.random.default_rng(0)), corners])
    search = Search(data, part, probe, config, rng, clock)

    began, found = clock(), []
    trials: list[Trial] = []
    for size, share in zip(config["sizes"], config["shares"], strict=True):
        n_before, at = search.n_starts, clock()
        trials = trials_of_size(search, size, trials, share * config["seconds"])
        best = trials[0]
        network = search.ended(best)
        found.append(
            {
                "size": size,
                "widths": list(best.architecture.widths),
                "degree": best.architecture.degree,
                "n_intervals": best.architecture.n_intervals,
                "activation": best.architecture.activation,
                "n_params": network.n_params,
                "validation": spread * best.validation,
                "train": spread * rmse(network, x, y),
                "test": spread * rmse(network, x_test, y_test),
                "n_starts": search.n_starts - n_before,
                "seconds": round(clock() - at, 3),
            }
        )
    return {
        "sizes": found,
        "chosen": int(np.argmin([one["validation"] for one in found])),
        "spread": float(np.std(raw.y_test)),
        "seconds": round(clock() - began, 3),
    }
