"""The five toy functions of section 3.1 of Liu et al. 2024, the models that learn them, and how.

The paper leaves open, and we chose: 3000 uniform points of [-1, 1]^d to train on and as many to test, the same for every model.
KANs start from the best of several short runs at G = 3, chosen on a fifth of the training data; then follows each number of intervals, with

    L-BFGS                 200 iterations a grid, as in the paper, no penalty
    Levenberg-Marquardt    30 steps a grid, smoothness weight 1e-8. For xy, whose [2,2,1] is exact in cubics, at any G, the minimum is
                           flat and a penalty would only distort the curves: 300 steps, weight 0
    degree 5               the same, smoothness weight 1e-9

and for the function of four inputs also on the shape that an elimination finds, starting from the [4,4,2,1] of the paper's list: nodes
and edges are removed as long as the error on held-out data stays below four times the smallest; then 50 steps a grid from G = 10.
The best possible error: with the curves of the exact form fitted by least squares to 20000 points, on grids with the margins of `kr.fit`,
the test RMSE at G = 50 and degree 3 is 3.0e-7; without margins it is 2.1e-7. The same function is also learnt by the [4,9,1] of two layers,
by Levenberg-Marquardt up to G = 20.

MLPs: depths 2 to 5 (layers of weights), all hidden layers of one width, 5 to 20, with tanh 50 too, from one initialization; 1800 L-BFGS
iterations, as in the paper, or 100 Levenberg-Marquardt steps, these only up to 1100 parameters. One seed each: the best of all shapes and
activations counts.

Optimizers and initializations are the paper's, without scaled variables.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.ladder import rmse
from figures.machine.machine import Config
from figures.machine.training import OPTIMIZERS, best_start, blind
from kan_ref.discovery.elimination import VALIDATION_SHARE, Search, run_elimination
from kan_ref.training import hold_out

SEEDS, SEEDS_MLP, SEEDS_TWO_LAYERS = 5, 1, 3
ACTIVATIONS, DEPTHS, WIDTHS = ("tanh", "silu", "relu"), (2, 3, 4, 5), (5, 10, 20)
WIDEST = {"tanh": 50}  # of one activation: they are most of the work
MOST_LM_PARAMS = 1100
SAMPLES = {"n_train": 3000, "n_test": 3000}
ELIMINATION = {"grids": [5, 10], "allowed": 4.0}
N_STEPS = 30  # of the elimination, on each grid
TWO_LAYERS = (4, 9, 1)  # the shape of the Kolmogorov-Arnold theorem, for the function of four inputs
GRIDS = (3, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Toy:
    """A function: its name in `kr.TARGETS`, its formula, the paper's shape, the finest grids of
    L-BFGS and of LM.
    """

    target: str
    latex: str
    plain: str
    widths: tuple[int, ...]
    finest: tuple[int, int]


TOYS = (
    Toy("bessel", "J_0(20x)", "J0(20x)", (1, 1), (500, 500)),
    Toy("exp_sin", r"\exp(\sin(\pi x)+y^2)", "exp(sin(pi x)+y^2)", (2, 1, 1), (200, 200)),
    Toy("product", "xy", "xy", (2, 2, 1), (100, 20)),
    Toy(
        "exp_two_sines",
        r"\exp(\frac{1}{2}(\sin\pi(x_1^2+x_2^2)+\sin\pi(x_3^2+x_4^2)))",
        "the 4-dimensional one",
        (4, 4, 2, 1),
        (50, 50),
    ),
    Toy(
        "exp_mean_sin2",
        r"\exp(\frac{1}{100}\sum_i\sin^2\frac{\pi x_i}{2})",
        "the 100-dimensional one",
        (100, 1, 1),
        (20, 10),
    ),
)
DEGREE_5 = ("bessel", "exp_sin")


# --- configurations


def kan_configs(toy: Toy, seed: int, *, full: bool) -> list[Config]:
    """Return the configurations of the KANs of a function and a seed."""
    many = toy.widths[0] > 10
    common = {
        "target": toy.target,
        "model": "kan",
        **SAMPLES,
        "domain": [-1.0, 1.0],
        "n_starts": (2 if full else 1) if many else 8,
        "start_steps": 30,
    }
    exact = toy.target == "product"
    lm: Config = {"optimizer": "lm", "n_steps": 300 if exact else 30, "smoothness_weight": 0.0 if exact else 1e-8}
    lbfgs: Config = {"optimizer": "lbfgs", "n_steps": 200, "smoothness_weight": 0.0}
    paper: Config = {**common, "widths": list(toy.widths), "shape": "paper", "degree": 3, "seed": seed}
    finest = (
        toy.finest
        if full
        else (
            min(toy.finest[0], 10 if many else 100),
            min(toy.finest[1], {"product": 10, "exp_two_sines": 20, "exp_mean_sin2": 5}.get(toy.target, 100)),
        )
    )
    grids = [[grid for grid in GRIDS if grid <= most] for most in finest]
    found = [{**paper, **lbfgs, "grids": grids[0]}, {**paper, **lm, "grids": grids[1]}]
    if toy.target in DEGREE_5:
        found.append(
            {**paper, **lm, "degree": 5, "smoothness_weight": 1e-9, "grids": [grid for grid in grids[1] if grid <= 100]}
        )
    if toy.target == "exp_two_sines" and full:
        two_layers = {"widths": list(TWO_LAYERS), "shape": "two layers", "n_starts": 4}
        if seed < SEEDS_TWO_LAYERS:
            found.append({**paper, **lm, **two_layers, "grids": [3, 5, 10, 20]})
        for degree in (3, 5):
            small = {
                "shape": "eliminated",
                "n_starts": 4,
                "n_steps": 50,
                "smoothness_weight": 1e-9,
                "elimination": ELIMINATION,
            }
            found.append({**paper, **lm, **small, "degree": degree, "grids": [10, 20, 50, 100]})
    return found


def mlp_configs(toy: Toy, seed: int, *, full: bool) -> list[Config]:
    """Return the configurations of the MLPs of a function and a seed."""
    found = []
    n_in, n_out = toy.widths[0], toy.widths[-1]
    for activation in ACTIVATIONS if full else ACTIVATIONS[:1]:
        for depth in DEPTHS if full else DEPTHS[:2]:
            for width in _widths(activation) if full else WIDTHS[:2]:
                widths = [n_in, *[width] * (depth - 1), n_out]
                common = {
                    "target": toy.target,
                    "model": "mlp",
                    **SAMPLES,
                    "activation": activation,
                    "widths": widths,
                    "seed": seed,
                }
                found.append({**common, "optimizer": "lbfgs", "n_steps": 1800 if full else 200})
                if n_params(widths) <= MOST_LM_PARAMS:
                    found.append({**common, "optimizer": "lm", "n_steps": 100 if full else 20})
    return found


def _widths(activation: str) -> tuple[int, ...]:
    return (*WIDTHS, WIDEST[activation]) if activation in WIDEST else WIDTHS


def n_params(widths: Sequence[int]) -> int:
    """Return the number of weights and biases of an MLP."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))


# --- runs


def learn(config: Config) -> dict[str, Any]:
    """Train one model; return its errors and sizes, for a KAN at the end of every grid."""
    rng = np.random.default_rng(config["seed"])
    data = kr.sample(config["target"], n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    return {
        "spread": float(np.std(data.y_test)),
        **(_climb if config["model"] == "kan" else _train_mlp)(config, data, rng),
    }


def _errors(model: Any, data: kr.Data, began: float) -> dict[str, float]:
    errors = {"train_rmse": rmse(model, data.x_train, data.y_train), "test_rmse": rmse(model, data.x_test, data.y_test)}
    return {**errors, "seconds": round(time.process_time() - began, 3)}


def _train_mlp(config: Config, data: kr.Data, rng: np.random.Generator) -> dict[str, Any]:
    mlp = kr.init_mlp(config["widths"], activation=config["activation"], rng=rng)
    began = time.process_time()
    run = kr.fit(mlp, blind(data), optimizer=OPTIMIZERS[config["optimizer"]], n_steps=config["n_steps"])
    return {"n_params": mlp.n_params, **_errors(run.network, data, began), "n_steps": int(run.history.step[-1])}


def _climb(config: Config, data: kr.Data, rng: np.random.Generator) -> dict[str, Any]:
    began = time.process_time()
    weight = config["smoothness_weight"]
    network, failed = best_start(
        config["widths"],
        data,
        n_starts=config["n_starts"],
        n_intervals=3,
        degree=config["degree"],
        domain=config["domain"],
        n_steps=config["start_steps"],
        optimizer=OPTIMIZERS[config["optimizer"]],
        smoothness_weight=weight if config["shape"] == "eliminated" else 0.0,
        rng=rng,
    )
    grids = []
    if config["shape"] == "eliminated":
        network = _eliminated(network, data, config["elimination"], weight)
    for n_intervals in config["grids"]:
        options = {
            "optimizer": OPTIMIZERS[config["optimizer"]],
            "n_steps": config["n_steps"],
            "smoothness_weight": weight,
        }
        network = kr.fit(network, blind(data), grids=(n_intervals,), **options).network
        grids.append({"n_intervals": n_intervals, "n_params": network.n_active_params, **_errors(network, data, began)})
    edges = [[[int(j), int(i)] for j, i in np.argwhere(layer.mask)] for layer in network.layers]
    return {"grids": grids, "n_failed_starts": failed, "widths": list(network.widths), "edges": edges}


def _eliminated(network: kr.Network, data: kr.Data, settings: Config, smoothness_weight: float) -> kr.Network:
    """Return the network after `kr.eliminate`, with a ratio of errors as the rule: the targets have
    no noise, and the grids of the elimination are coarse.
    """
    part, grids = hold_out(data, VALIDATION_SHARE), tuple(settings["grids"])
    search = Search(part, N_STEPS, grids, smoothness_weight, tolerance=np.inf, allowed=settings["allowed"])
    return run_elimination(search, network).network
