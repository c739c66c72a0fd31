"""From samples of exp(sin(pi x) + y^2) to the formula in five steps: by hand, and by `kr.discover`, for Fig. 2.4.

Liu et al. 2024, sections 2.5.1 and 2.5.2, on a [2,5,1] network with lambda = 1e-2:

    1  train with the penalty (2.20)       4  train a, b, c, d of c f(a x + b) + d
    2  prune, (2.21)                       5  write the formula down
    3  make the edges sin, x^2, exp

What the paper leaves open: points are uniform on [-1, 1]^2, 1000 to train and 1000 to test. G = 5, k = 3 and L-BFGS with 20 steps of
20 iterations are the documentation's, as is the entropy's weight mu_2 = 10 beside the printed mu_2 = 1; 100 steps are the default of
the paper's code. There is no training between pruning and symbolic fitting. Step 4 is Levenberg-Marquardt. Noise is on the training targets alone.

Optimizers work on the parameters themselves, as in the paper.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config, Record
from figures.machine.stored_network import stored
from figures.machine.style import BLUE, GREEN, ORANGE, PURPLE, VERMILION
from figures.machine.training import OPTIMIZERS, penalty_of
from kan_ref.network.network import Network
from kan_ref.symbolic.canonical import canonical_form

AIM = [2, 1, 1]
INPUTS = ("x", "y")
RIGHT = {(0, 0, 0): "sin", (0, 0, 1): "x^2", (1, 0, 0): "exp"}  # (layer, output, input) -> name
WRONG = {**RIGHT, (0, 0, 1): "cosh"}  # the documentation's example of a wrong guess
NOISE = 1e-2
DISCOVERED = ("sparsify", "prune", "refine", "canonical")  # steps of `discover` that are kept
Steps = list[tuple[str, Network]]


@dataclass(frozen=True)
class Way:
    """A way from data to formula: `entropy_weight` and L-BFGS iterations by hand, None and 0 for
    `discover`.
    """

    label: str
    color: str
    entropy_weight: float | None
    n_steps: int
    noise: float
    quick_seeds: int


PRINTED = Way("by hand, $\\mu_2 = 1$, 400 iterations", BLUE, 1.0, 400, 0.0, 3)
DOCUMENTED = Way("by hand, $\\mu_2 = 10$, 400 iterations", PURPLE, 10.0, 400, 0.0, 0)
LONGER = Way("by hand, $\\mu_2 = 1$, 2000 iterations", ORANGE, 1.0, 2000, 0.0, 0)
DISCOVER = Way("kr.discover", VERMILION, None, 0, 0.0, 3)
NOISY = Way("kr.discover, noise 0.01", GREEN, None, 0, NOISE, 1)
WAYS = (PRINTED, DOCUMENTED, LONGER, DISCOVER, NOISY)
BY_HAND = (PRINTED, DOCUMENTED, LONGER)
FULL_SEEDS = 20


def config_of(way: Way, seed: int) -> Config:
    """Return the configuration of a run."""
    shared = {"seed": seed, "widths": [2, 5, 1], "n_intervals": 5, "degree": 3, "n_train": 1000, "n_test": 1000}
    shared |= {"noise": way.noise, "penalty_weight": 1e-2}
    if way.entropy_weight is None:
        return {"way": "discover", **shared}
    by_hand = {
        "l1_weight": 1.0,
        "entropy_weight": way.entropy_weight,
        "n_steps": way.n_steps,
        "threshold": 1e-2,
        "affine_steps": 100,
    }
    return {"way": "by hand", **shared, **by_hand}


def way_of(config: Config) -> Way:
    """Return the way that a configuration belongs to."""
    same = ("noise", "entropy_weight", "n_steps")
    return next(way for way in WAYS if all(config_of(way, 0).get(name) == config.get(name) for name in same))


def runs_of(records: Sequence[Record], way: Way) -> list[Record]:
    """Return the records of a way."""
    return [record for record in records if way_of(record["config"]) is way]


def walk(config: Config) -> dict[str, Any]:
    """Take all steps; return their networks, the formula, the error of its parameters, and CPU
    seconds.
    """
    rng = np.random.default_rng(config["seed"])
    clean = kr.sample("exp_sin", n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    noise = config["noise"] * rng.standard_normal(clean.y_train.shape) if config["noise"] else 0.0
    data = kr.Data(clean.x_train, clean.y_train + noise, clean.x_test, clean.y_test)
    began = time.process_time()
    steps = _discover(config, data, rng) if config["way"] == "discover" else _by_hand(config, data, rng)
    seconds = round(time.process_time() - began, 3)
    last, structure = (steps[-1][1], [network for name, network in steps if name in ("prune", "refine")][-1])
    finished = steps[-1][0] == "canonical"
    return {
        "steps": [
            {"name": name, "test_rmse": _test_rmse(network, data), "network": stored(network)}
            for name, network in steps
        ],
        "widths": list(structure.widths),
        "formula": formula_text(last) if finished else None,
        "coefficient_error": coefficient_error(last),
        "wrong_rmse": _wrong_rmse(config, structure, data) if finished and config["way"] == "by hand" else None,
        "seconds": seconds,
    }


def sparsify(config: Config, data: kr.Data, rng: np.random.Generator) -> kr.Run[kr.Network]:
    """Train a network for the unit square with the penalty, which is step 1."""
    network = kr.init_network(
        config["widths"],
        n_intervals=config["n_intervals"],
        degree=config["degree"],
        domain=(-1.0, 1.0),
        x=data.x_train,
        rng=rng,
    )
    return kr.fit(network, data, optimizer=OPTIMIZERS["lbfgs"], n_steps=config["n_steps"], penalty=penalty_of(config))


def _by_hand(config: Config, data: kr.Data, rng: np.random.Generator) -> Steps:
    """Take steps 1 and 2 and, if they lead to [2,1,1] with all its edges, 3 and 4."""
    sparse = sparsify(config, data, rng).network
    pruned = kr.prune(sparse, data.x_train, threshold=config["threshold"], kind="mean")
    steps = [("sparsify", sparse), ("prune", pruned)]
    if list(pruned.widths) != AIM or not all(layer.mask.all() for layer in pruned.layers):
        return steps
    named = _name(pruned, data, RIGHT)
    return [*steps, ("name", named), ("canonical", canonical_form(_train_affine(config, named, data)))]


def _name(network: Network, data: kr.Data, names: dict[tuple[int, int, int], str]) -> Network:
    for (layer, output, source), name in names.items():
        network = kr.fix_symbolic(network, layer, output=output, input=source, name=name, x=data.x_train)
    return network


def _train_affine(config: Config, network: Network, data: kr.Data) -> Network:
    return kr.fit(network, data, optimizer=OPTIMIZERS["lm"], n_steps=config["affine_steps"]).network


def _wrong_rmse(config: Config, pruned: Network, data: kr.Data) -> float:
    return _test_rmse(_train_affine(config, _name(pruned, data, WRONG), data), data)


def _discover(config: Config, data: kr.Data, rng: np.random.Generator) -> Steps:
    """Take the five steps as `discover` does, which begins with them where it gets widths.

    Where their formula does not explain the data, `discover` goes on with slices of a network and may return another form of
    the formula, such as a product of exponentials. The figure is about the five steps, so slices are no part of it.
    """
    options = {name: config[name] for name in ("widths", "n_intervals", "degree", "penalty_weight")}
    found = kr.discover(data, rng=rng, **options)
    return [(step.name, step.network) for step in found.steps if step.name in DISCOVERED and step.network is not None]


def _test_rmse(network: Network, data: kr.Data) -> float:
    return float(np.sqrt(np.mean((network(data.x_test) - data.y_test) ** 2)))


def coefficient_error(network: Network) -> float | None:
    """Return the largest difference of a parameter of a canonical network from 1 exp(1 sin(pi x) +
    1 y^2); None if the form differs.

    Parameters that should be 0 count too: the sine's phase (as the amplitude of the cosine beside it), the square's shift, constants.
    """
    formulas = {
        (number, edge.output, edge.input): (edge.name, layer.affine[edge.row])
        for number, layer in enumerate(network.layers)
        for edge in layer.symbolic
    }
    if {place: name for place, (name, _) in formulas.items()} != RIGHT or any(
        layer.mask.any() for layer in network.layers
    ):
        return None
    sine, square, exponential = (formulas[place][1] for place in RIGHT)
    a, b, c, d = sine
    errors = [a - np.pi, c * np.cos(b) - 1.0, c * np.sin(b), d]
    a, b, c, d = square
    errors += [a**2 * c - 1.0, b / a, d]
    a, b, c, d = exponential
    errors += [a - 1.0, c * np.exp(b) - 1.0, d]
    return float(np.abs(errors).max())


def formula_text(network: Network) -> str:
    """Return LaTeX with two decimals, as the paper prints it."""
    import sympy

    expression = sympy.sympify(kr.formula(network, names=INPUTS))
    rounded = {number: round(float(number), 2) for number in expression.atoms(sympy.Float)}
    numbers = {number: sympy.Float(value, 3) if value else sympy.Integer(0) for number, value in rounded.items()}
    return str(sympy.latex(expression.xreplace(numbers)))
