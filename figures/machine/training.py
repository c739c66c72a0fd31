"""What figures share in training: the paper's optimizers and penalty, the best of several short runs, and ever finer grids.

The sequence of grids is for the figures on exp(sin(pi x) + y^2), the problem of Fig. 2.3 of Liu et al. 2024. What the paper leaves open is
taken from its code: uniform points of [-1, 1]^2, all weights trainable, no penalty with L-BFGS. One "step" of the paper is a call of an
optimizer that does up to 20 L-BFGS iterations, so its 200 steps a grid are up to 4000 iterations; 200 iterations are the other reading.
Levenberg-Marquardt has this package's smoothness penalty. Training is not convex: the best of eight short runs at G = 3, chosen on training
data, goes on to the finer grids.

Optimizers and initializations are the paper's, without scaled variables.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config, Record, runs_of
from figures.machine.pictures import BLUE, GREEN, VERMILION
from kan_ref.checks import FloatArray
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
    config: Config, data: kr.Data, *, n_intervals: int, rng: np.random.Generator, **fit_options: Any
) -> tuple[kr.Network, int]:
    """Return the network that `kr.best_start` chooses from the paper's initializations, and how many of the runs failed.

    The configuration has widths, degree, n_starts and start_steps; its domain is [-1, 1] and its optimizer "lm" unless it says otherwise.
    """
    part, runs = hold_out(data, 0.2, rng), []
    shape = {"degree": config["degree"], "domain": config.get("domain", (-1.0, 1.0)), "x": part.x_train}
    fit_options |= {"optimizer": OPTIMIZERS[config.get("optimizer", "lm")], "n_steps": config["start_steps"]}
    for _ in range(config["n_starts"]):
        network = kr.init_network(config["widths"], n_intervals=n_intervals, **shape, rng=rng)
        runs.append(kr.fit(network, part, **fit_options))
    errors = [run.test_rmse for run in runs]
    return runs[int(np.argmin(errors))].network, n_failed(errors)


# --- ever finer grids

SMALL, WIDE = [2, 1, 1], [2, 5, 1]
GRIDS = (3, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Method:
    """An optimizer with its steps on each grid and its weight of the smoothness penalty, and its
    look in pictures and tables.
    """

    optimizer: str
    n_steps: int
    smoothness_weight: float
    label: str
    short: str
    color: str
    marker: str


LBFGS = Method("lbfgs", 200, 0.0, "L-BFGS, 200 iterations a grid", "L-BFGS 200", VERMILION, "s")
LBFGS_PAPER = Method("lbfgs", 4000, 0.0, "L-BFGS, 4000 iterations a grid", "L-BFGS 4000", GREEN, "^")
LM = Method("lm", 30, 1e-8, "Levenberg-Marquardt, 30 steps a grid", "LM 30", BLUE, "o")
METHODS = (LBFGS, LBFGS_PAPER, LM)


def config_of(method: Method, widths: Sequence[int], finest: int, seed: int) -> Config:
    """Return the configuration of one run over all grids."""
    return {
        "target": "exp_sin",
        "widths": list(widths),
        "degree": 3,
        "domain": [-1.0, 1.0],
        "optimizer": method.optimizer,
        "n_steps": method.n_steps,
        "smoothness_weight": method.smoothness_weight,
        "grids": [grid for grid in GRIDS if grid <= finest],
        "n_train": 1000,
        "n_test": 10000,
        "n_starts": 8,
        "start_steps": 30,
        "seed": seed,
    }


def method_of(record: Record) -> Method:
    """Return the method that a record was computed with."""
    return next(
        method
        for method in METHODS
        if (method.optimizer, method.n_steps) == (record["config"]["optimizer"], record["config"]["n_steps"])
    )


def methods_in(records: Sequence[Record]) -> list[Method]:
    """Return the methods of some records, in the order of METHODS."""
    found = [method_of(record) for record in records]
    return [method for method in METHODS if method in found]


def chosen(records: Sequence[Record], method: Method, widths: Sequence[int], **settings: Any) -> list[Record]:
    """Return the records of one method and shape, and of further settings of the configuration,
    ordered by seed.
    """
    same = runs_of(records, widths=list(widths), **settings)
    return [record for record in same if method_of(record) is method]


def series(records: Sequence[Record], name: str) -> FloatArray:
    """Return one number of every grid of every record, (n_records, n_grids)."""
    return np.array([[grid[name] for grid in record["results"]["grids"]] for record in records], dtype=np.float64)


def longest_grids(records: Sequence[Record]) -> list[int]:
    """Return the longest sequence of grids of some records."""
    return max((grids_of([record]) for record in records), key=len)


def grids_of(records: Sequence[Record]) -> list[int]:
    """Return the grids of some records of one method and shape."""
    return [int(grid) for grid in records[0]["config"]["grids"]]


@dataclass(frozen=True)
class Start:
    """The beginning of a run: data, the same data with a single test point, the network, CPU
    seconds, failed initializations.
    """

    data: kr.Data
    data_to_train: kr.Data
    network: kr.Network
    seconds: float
    n_failed: int


def start(config: Config) -> Start:
    """Draw data and return the best of several short runs on the coarsest grid; everything depends
    on the seed alone.
    """
    rng = np.random.default_rng(config["seed"])
    data = kr.sample(config["target"], n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    began = time.process_time()
    network, failed = best_start(config, data, n_intervals=config["grids"][0], rng=rng)
    return Start(data, blind(data), network, time.process_time() - began, failed)


def rmse(network: Any, x: FloatArray, y: FloatArray) -> float:
    """Return the root mean square error of a network."""
    return float(np.sqrt(np.mean((network(x) - y) ** 2)))
