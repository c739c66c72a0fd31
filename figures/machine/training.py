"""What figures share in training: the paper's optimizers and penalty, and the best of several short runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config
from kan_ref.training import hold_out

# on the parameters themselves, as in the paper
OPTIMIZERS: dict[str, kr.LM | kr.LBFGS] = {"lm": kr.LM(scaled=False), "lbfgs": kr.LBFGS(scaled=False)}
FAILED = 10.0  # times the smallest error: good minima differ by less than 2, failures by more than 10


def blind(data: kr.Data) -> kr.Data:
    """Return the data with a single test point, which costs nothing: a clock should count training."""
    return kr.Data(data.x_train, data.y_train, data.x_test[:1], data.y_test[:1])


def penalty_of(config: Config) -> kr.Penalty:
    """Return the penalty (2.20) with the weights of a configuration."""
    return kr.Penalty(config["penalty_weight"], l1=config["l1_weight"], entropy=config["entropy_weight"])


def n_failed(errors: Sequence[float]) -> int:
    """Return how many runs have an error of more than ten times the smallest."""
    return sum(error > FAILED * min(errors) for error in errors)


def best_start(
    widths: Sequence[int],
    data: kr.Data,
    *,
    n_starts: int,
    n_intervals: int,
    degree: int,
    domain: object,
    n_steps: int = 30,
    in_units: bool = False,
    rng: np.random.Generator,
    **fit_options: Any,
) -> tuple[kr.Network, int]:
    """Return the network that `kr.best_start` chooses, and how many of the runs failed.

    Initializations are the paper's, or with `in_units` those of `kr.best_start`.
    """
    part, runs = hold_out(data, 0.2, rng), []
    for _ in range(n_starts):
        network = kr.init_network(
            widths,
            n_intervals=n_intervals,
            degree=degree,
            domain=domain,
            x=part.x_train,
            y=part.y_train if in_units else None,
            rng=rng,
        )
        runs.append(kr.fit(network, part, n_steps=n_steps, **fit_options))
    errors = [run.test_rmse for run in runs]
    return runs[int(np.argmin(errors))].network, n_failed(errors)
