"""Training for a row of Tables 1 and 2: a KAN of given widths, one found by pruning, or an MLP. One record each.

Liu et al. 2024, sections 3.2 and 3.3, train on grids of 3 to 200 intervals and report the lowest test error of all runs. Here everything
is chosen on a held-out fifth of the training data: the initialization, the grid, the weight of the smoothness penalty, the weight of the
sparsity penalty. Test data are used once the choice is made (and for the curves of the pictures, which choose nothing).

    start     the best of several short runs of Levenberg-Marquardt, at G = 3
    ladder    finer and finer grids, as long as there are no more parameters than training samples and the validation error does not
              explode; the best grid once more with a stronger smoothness penalty
    end       the chosen network trained further with all training data, on hidden grids that contain the images of the whole box:
              outside a grid splines decay, and a few test points there would dominate the error (`fig_u_shape`)

Pruned networks begin with width 5 and the paper's penalty, L1 and entropy, by L-BFGS; then they are trained on the same grids.

Optimizers and initializations are the paper's, without scaled variables.
"""

import itertools
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config
from figures.machine.stored_network import stored
from figures.machine.training import OPTIMIZERS, blind, rmse
from figures.splines.fig_u_shape import off_a_grid, place_grids
from figures.tables.problem import N_TEST, N_TRAIN, Problem, points, sample
from kan_ref.checks import FloatArray

KAN, PRUNED, MLP = "KAN", "pruned", "MLP"
WIDE = 5
SHARE = 0.2  # of the training samples, held out for choices
EXPLODED = 3.0  # a validation error of so many times the best ends the sequence of grids
N_PROBE = 2000
DRAWN_SEED = 0
_KAN_SETTINGS: Config = {"degree": 3, "start_steps": 25, "n_steps": 20, "end_steps": 20, "start_smoothness": 1e-8}


def config_of(
    problem: Problem, model: str, widths: Sequence[int], seed: int, *, full: bool, activation: str = ""
) -> Config:
    """Return the configuration of a run, the definition of the function included."""
    config: Config = {
        "function": problem.name,
        "definition": problem.plain,
        "box": [list(bounds) for bounds in problem.box],
        "model": model,
        "widths": list(widths),
        "n_train": N_TRAIN,
        "n_test": N_TEST,
        "n_starts": 6 if full else 3,
        "seed": seed,
    }
    if model == MLP:
        narrow = max(widths[1:-1]) <= WIDE
        optimizer = {"optimizer": "lm" if narrow else "lbfgs", "start_steps": 30, "n_steps": 300 if narrow else 500}
        return {**config, "activation": activation, **optimizer, **({} if narrow else {"n_starts": 1})}
    ladder = {"grids": [3, 5, 10, 20, 50, 100, 200] if full else [3, 5, 10, 20], "smoothness": [1e-8, 1e-6]}
    sparse = {"penalties": [1e-2, 1e-3], "penalty_steps": 200} if model == PRUNED else {}
    return {**config, **_KAN_SETTINGS, **ladder, **sparse}


def n_params(widths: Sequence[int], n_intervals: int, degree: int) -> int:
    """Return the number of parameters of a KAN."""
    return sum(n_in * n_out for n_in, n_out in pairwise(widths)) * (n_intervals + degree + 2)


def grids_within(config: Config) -> list[int]:
    """Return the grids on which a network has no more parameters than samples remain for training;
    at least the two coarsest.
    """
    n_left = (1.0 - SHARE) * config["n_train"]
    few = [grid for grid in config["grids"] if n_params(config["widths"], grid, config["degree"]) <= n_left]
    return few if len(few) > 1 else list(config["grids"][:2])


# --- a run


def learn(problem: Problem, config: Config) -> dict[str, Any]:
    """Train by the method of a configuration; return the errors of the chosen network and of all
    grids.
    """
    return train(problem, config)[1]


def train(problem: Problem, config: Config) -> tuple[Any, dict[str, Any], kr.Data]:
    """Return the chosen network, the details that `learn` reports of it, and all data."""
    rng = np.random.default_rng(config["seed"])
    data = sample(problem, rng, n_train=config["n_train"], n_test=config["n_test"])
    part = set_aside(data)
    began = time.process_time()
    network: Any
    if config["model"] == MLP:
        network, found = _mlp(data, part, config, rng)
    elif config["model"] == PRUNED:
        network, found = _pruned(data, part, config, rng)
    else:
        network, found = _climb(_start(part, config, rng), data, part, config)
    return (
        network,
        {**found, "spread": float(np.std(data.y_test)), "seconds": round(time.process_time() - began, 3)},
        data,
    )


def set_aside(data: kr.Data, share: float = SHARE) -> kr.Data:
    """Split training data in two parts, the held-out one as test data; samples are in random order
    already.
    """
    n_aside = int(share * len(data.x_train))
    return kr.Data(data.x_train[n_aside:], data.y_train[n_aside:], data.x_train[:n_aside], data.y_train[:n_aside])


def in_units(x: FloatArray, box: Sequence[Sequence[float]]) -> FloatArray:
    """Return points (n, n_in) of a box as points of [-1, 1]^n_in."""
    low, high = np.array(box).T
    return np.asarray((2.0 * x - low - high) / (high - low))


def probe_of(x: FloatArray, box: Sequence[Sequence[float]], n: int) -> FloatArray:
    """Return points, without values, that cover the inputs of networks: training points x, n random points of the box, and its corners."""
    return np.concatenate([x, points(box, n, np.random.default_rng(0)), np.array(list(itertools.product(*box)))])


def _start(part: kr.Data, config: Config, rng: np.random.Generator) -> kr.Network:
    return kr.best_start(
        config["widths"],
        part,
        n_starts=config["n_starts"],
        n_intervals=config["grids"][0],
        degree=config["degree"],
        domain=np.array(config["box"]),
        n_steps=config["start_steps"],
        optimizer=OPTIMIZERS["lm"],
        smoothness_weight=config["start_smoothness"] * float(np.var(part.y_train)),
        rng=rng,
        initialization="paper",
    )


def _climb(start: kr.Network, data: kr.Data, part: kr.Data, config: Config) -> tuple[kr.Network, dict[str, Any]]:
    """Return the best grid of a sequence, tried with other weights of the smoothness penalty and
    trained further. Weights are in variances of y.
    """
    variance, rungs = float(np.var(part.y_train)), []

    def fitted(network: kr.Network, n_intervals: int, weight: float) -> tuple[float, kr.Network, float]:
        run = kr.fit(
            network,
            part,
            optimizer=OPTIMIZERS["lm"],
            n_steps=config["n_steps"],
            grids=(n_intervals,),
            smoothness_weight=weight * variance,
        )
        validation = run.test_rmse
        rung = {
            "n_intervals": n_intervals,
            "smoothness": weight,
            "n_params": run.network.n_active_params,
            "validation": validation,
        }
        rungs.append({**rung, "train": run.train_rmse, "test": rmse(run.network, data.x_test, data.y_test)})
        return validation, run.network, weight

    first, *others = config["smoothness"]
    network, best = start, None
    for n_intervals in grids_within(config):
        tried = fitted(network, n_intervals, first)
        network = tried[1]
        best = tried if best is None or tried[0] < best[0] else best
        if tried[0] > EXPLODED * best[0]:
            break
    assert best is not None  # there is at least one grid
    best = min(
        [best, *(fitted(best[1], best[1].layers[0].n_intervals, weight) for weight in others)],
        key=lambda tried: tried[0],
    )
    validation, network, weight = best
    probe = probe_of(data.x_train, config["box"], N_PROBE)
    if off_a_grid(network, probe).any():
        network = place_grids(network, probe, network.layers[0].n_intervals, margin=True)
    ended = kr.fit(
        network,
        blind(data),
        optimizer=OPTIMIZERS["lm"],
        n_steps=config["end_steps"],
        smoothness_weight=weight * variance,
        update_grids=False,
    ).network
    return ended, {
        "widths": list(ended.widths),
        "n_params": ended.n_active_params,
        "n_intervals": ended.layers[0].n_intervals,
        "smoothness": weight,
        "validation": validation,
        "train": rmse(ended, data.x_train, data.y_train),
        "test": rmse(ended, data.x_test, data.y_test),
        "rungs": rungs,
        "network": stored(ended) if config["seed"] == DRAWN_SEED else None,
    }


def _pruned(
    data: kr.Data, part: kr.Data, config: Config, rng: np.random.Generator
) -> tuple[kr.Network, dict[str, Any]]:
    """Return the best of the networks that the weights of the penalty lead to."""
    start, found = _start(part, config, rng), []
    for weight in config["penalties"]:
        sparse = kr.fit(
            start, part, optimizer=OPTIMIZERS["lbfgs"], n_steps=config["penalty_steps"], penalty=weight
        ).network
        try:
            small = kr.prune(sparse, part.x_train)
        except ValueError:  # no path would be left
            continue
        network, results = _climb(small, data, part, config)
        found.append((network, {**results, "penalty_weight": weight}))
    if not found:  # the penalty was stronger than the function: the network stays as it was
        network, results = _climb(start, data, part, config)
        found.append((network, {**results, "penalty_weight": 0.0}))
    return min(found, key=lambda one: float(one[1]["validation"]))


def _mlp(data: kr.Data, part: kr.Data, config: Config, rng: np.random.Generator) -> tuple[kr.MLP, dict[str, Any]]:
    """Return the best of several initializations, trained further, at the end with all training
    data; inputs are scaled to [-1, 1].
    """

    def scaled(some: kr.Data) -> kr.Data:
        x, x_test = (in_units(points, config["box"]) for points in (some.x_train, some.x_test))
        return kr.Data(x, some.y_train, x_test, some.y_test)

    data, part = scaled(data), scaled(part)
    settings = {"optimizer": config["optimizer"]}
    runs = [
        kr.fit(
            kr.init_mlp(config["widths"], activation=config["activation"], rng=rng),
            part,
            n_steps=config["start_steps"],
            **settings,
        )
        for _ in range(config["n_starts"])
    ]
    start = min(runs, key=lambda run: run.test_rmse).network
    run = kr.fit(start, part, n_steps=config["n_steps"], **settings)
    ended = kr.fit(run.network, blind(data), n_steps=config["n_steps"] // 3, **settings).network
    return ended, {
        "widths": list(config["widths"]),
        "n_params": ended.n_params,
        "validation": run.test_rmse,
        "train": rmse(ended, data.x_train, data.y_train),
        "test": rmse(ended, data.x_test, data.y_test),
        "rungs": [],
        "network": None,
    }
