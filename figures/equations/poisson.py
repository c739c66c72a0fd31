"""Poisson's equation on [-1, 1]^2 for Fig. 3.3: two solutions, their points, models, runs and errors, and the methods that are compared.

Liu et al. 2024, section 3.4: u_xx + u_yy = f inside, u = 0 on the boundary. The loss is

    (R7)  alpha (1/n_i) sum (u_xx + u_yy - f)^2 + (1/n_b) sum u^2,        alpha = 0.01

    "paper"          u = sin(pi x) sin(pi y^2);  n_i = 10000 and n_b = 800 points drawn uniformly, as printed
    "documentation"  u = sin(pi x) sin(pi y), the example of the paper's code, on its mesh of 51 x 51 points, 4 x 51 on the sides

Errors are, on the mesh of 201 x 201 points of the closed square, with e = model - u,

    (R8)  L2^2 = mean e^2,        H1^2 = mean (e^2 + |grad e|^2)

The paper leaves open G (here 5), optimizers and steps, and the activation of the MLPs (tanh). Points
and initialization depend on the seed, nothing else does.

Optimizers work on the parameters themselves, as in the paper.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config, Record, shape_name
from figures.machine.style import BLUE, GREEN, ORANGE, PURPLE, VERMILION
from figures.machine.training import OPTIMIZERS
from kan_ref.checks import FloatArray
from kan_ref.pde.input_derivatives import JetModel as Model
from kan_ref.training import Step

ALPHA, LINES = 0.01, 201
PI = np.pi


@dataclass(frozen=True)
class Poisson:
    """A solution u with its gradient and Laplacian, each a function of x (n, 2), and its `formula`
    in TeX.
    """

    formula: str
    u: Callable[[FloatArray], FloatArray]
    gradient: Callable[[FloatArray], FloatArray]
    laplacian: Callable[[FloatArray], FloatArray]


def _paper_laplacian(x: FloatArray) -> FloatArray:
    s, y = np.sin(PI * x[:, 0]), x[:, 1]
    return np.asarray(-(PI**2) * (1 + 4 * y**2) * s * np.sin(PI * y**2) + 2 * PI * s * np.cos(PI * y**2))


def _paper_gradient(x: FloatArray) -> FloatArray:
    by_x = PI * np.cos(PI * x[:, 0]) * np.sin(PI * x[:, 1] ** 2)
    return np.stack([by_x, 2 * PI * x[:, 1] * np.sin(PI * x[:, 0]) * np.cos(PI * x[:, 1] ** 2)], axis=1)


def _sines(x: FloatArray) -> FloatArray:
    return np.asarray(np.sin(PI * x[:, 0]) * np.sin(PI * x[:, 1]))


def _sines_gradient(x: FloatArray) -> FloatArray:
    (s, t), (c, d) = np.sin(PI * x.T), np.cos(PI * x.T)
    return np.stack([PI * c * t, PI * s * d], axis=1)


SOLUTIONS = {
    "paper": Poisson(
        r"\sin(\pi x)\sin(\pi y^2)",
        lambda x: np.sin(PI * x[:, 0]) * np.sin(PI * x[:, 1] ** 2),
        _paper_gradient,
        _paper_laplacian,
    ),
    "documentation": Poisson(r"\sin(\pi x)\sin(\pi y)", _sines, _sines_gradient, lambda x: -2 * PI**2 * _sines(x)),
}


def mesh() -> FloatArray:
    """Return the points of the mesh of (R8), (LINES^2, 2)."""
    line = np.linspace(-1.0, 1.0, LINES)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def around(along: FloatArray) -> FloatArray:
    """Return points (4 n, 2) on the four sides of the square from positions along them, (4, n) in
    [-1, 1].
    """
    one = np.ones(along.shape[1])
    sides = [(along[0], one), (along[1], -one), (one, along[2]), (-one, along[3])]
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def points(name: str, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the points inside and those on the boundary."""
    if name == "paper":
        return rng.uniform(-1.0, 1.0, (10000, 2)), around(rng.uniform(-1.0, 1.0, (4, 200)))
    line = np.linspace(-1.0, 1.0, 51)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), around(np.tile(line, (4, 1)))


def problem(name: str, rng: np.random.Generator) -> list[Any]:
    """Return the terms of (R7)."""
    inside, boundary = points(name, rng)
    source = SOLUTIONS[name].laplacian(inside)[:, None]
    # [eq:poisson]
    equation = kr.linear_term(inside, second=[1.0, 1.0], source=source, weight=ALPHA)
    return [equation, kr.value_term(boundary)]
    # [/eq:poisson]


def errors(name: str, model: Model, x: FloatArray) -> tuple[float, float]:
    """Return L2^2 and H1^2 of a model on the mesh x, (R8)."""
    solution = SOLUTIONS[name]
    # [eq:poisson-errors]
    squares = (model(x)[:, 0] - solution.u(x)) ** 2
    slopes = ((kr.input_jacobian(model, x)[:, 0] - solution.gradient(x)) ** 2).sum(axis=1)
    # [/eq:poisson-errors]
    return float(squares.mean()), float((squares + slopes).mean())


# --- a run


def model_of(config: Config, rng: np.random.Generator) -> Model:
    """Return the untrained model of a configuration."""
    if config["model"] == "mlp":
        return kr.init_mlp(config["widths"], activation=config["activation"], rng=rng)
    return kr.init_network(
        config["widths"], n_intervals=config["n_intervals"], degree=config["degree"], domain=(-1.0, 1.0), rng=rng
    )


def shown_steps(n_steps: int) -> set[int]:
    """Return the steps at which errors are taken: the first, about five for each factor of two, the
    last.
    """
    return {
        0,
        n_steps,
        *np.unique(np.geomspace(1, n_steps, 2 + 5 * int(np.log2(n_steps))).round().astype(int)).tolist(),
    }


def run(config: Config) -> dict[str, Any]:
    """Train a model; return errors during training and at the end, and CPU seconds without the time
    for measuring errors.
    """
    rng = np.random.default_rng(config["seed"])
    name, lattice, shown = config["problem"], mesh(), shown_steps(config["n_steps"])
    terms, model = problem(name, rng), model_of(config, rng)
    curve: dict[str, list[float]] = {"step": [], "l2": [], "h1": [], "loss": [], "seconds": []}
    spent = 0.0

    def watch(step: Step) -> None:
        nonlocal spent
        if step.step not in shown:
            return
        began = time.process_time()
        row = (step.step, *errors(name, step.network, lattice), step.train_loss)
        spent += time.process_time() - began
        for column, value in zip(curve.values(), (*row, time.process_time() - start - spent), strict=True):
            column.append(float(f"{value:.5g}"))

    start = time.process_time()
    trained = kr.fit(
        model, equations=terms, optimizer=OPTIMIZERS[config["optimizer"]], n_steps=config["n_steps"], callback=watch
    )
    seconds = time.process_time() - start - spent
    l2, h1 = errors(name, trained.network, lattice)
    return {
        "n_params": model.n_params,
        "l2": l2,
        "h1": h1,
        "loss": float(trained.history.train_loss[trained.entry]),
        "seconds": seconds,
        "n_steps": int(trained.history.step[-1]),
        "stopped": trained.stopped,
        "curve": curve,
    }


def config_of(
    name: str, model: str, widths: Sequence[int], optimizer: str, n_steps: int, seed: int, **shape: Any
) -> Config:
    """Return the configuration of a run; `shape` holds n_intervals and degree, or the activation."""
    fixed = {
        "problem": name,
        "model": model,
        "widths": list(widths),
        "optimizer": optimizer,
        "n_steps": n_steps,
        "alpha": ALPHA,
    }
    return {**fixed, **shape, "seed": seed}


@dataclass(frozen=True)
class Method:
    """A kind of model (`degree` 0 for MLPs) with an optimizer and its steps, on the paper's many
    points and on fewer ones.

    `scales`: whether it is run at several sizes.
    """

    model: str
    degree: int
    optimizer: str
    n_steps: int
    paper_steps: int
    quick_steps: int
    scales: bool
    color: str
    dash: str
    marker: str

    def label(self, record: Record) -> str:
        """Return the method's name in a legend."""
        shape, optimizer = (shape_name(record["config"]["widths"]), {"lm": "LM", "lbfgs": "L-BFGS"}[self.optimizer])
        if self.model == "mlp":
            return f"MLP {shape} tanh, {optimizer}"
        return f"KAN {shape}, k = {self.degree}, {optimizer}"


KAN_LM = Method("kan", 3, "lm", 100, 100, 100, True, BLUE, "-", "o")
KAN_LM_5 = Method("kan", 5, "lm", 100, 100, 100, True, GREEN, "-", "s")
KAN_LBFGS = Method("kan", 3, "lbfgs", 1000, 1000, 250, False, PURPLE, "--", "v")
MLP_LM = Method("mlp", 0, "lm", 100, 100, 100, True, ORANGE, "-", "D")
MLP_LBFGS = Method("mlp", 0, "lbfgs", 500, 250, 250, True, VERMILION, "--", "^")
METHODS = (KAN_LM, KAN_LM_5, KAN_LBFGS, MLP_LM, MLP_LBFGS)
HEADLINE_GRID = 5


def method_of(record: Record) -> Method:
    """Return the method that a record was computed with."""
    config = record["config"]
    key = (config["model"], config.get("degree", 0), config["optimizer"])
    return next(method for method in METHODS if (method.model, method.degree, method.optimizer) == key)


def runs_of(records: Sequence[Record], method: Method, *, headline: bool = False) -> list[Record]:
    """Return the records of a method, ordered by seed; with `headline` only those of [2,10,1] at G
    = 5, or of the largest MLP.
    """
    found = [record for record in records if method_of(record) is method]
    if headline and method.model == "kan":
        found = [record for record in found if record["config"]["n_intervals"] == HEADLINE_GRID]
    elif headline and found:
        largest = max(record["results"]["n_params"] for record in found)
        found = [record for record in found if record["results"]["n_params"] == largest]
    return sorted(found, key=lambda record: int(record["seed"]))


def spread_of(runs: Sequence[Record], key: str) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return steps, and smallest, median and largest error of the runs. A run that has ended keeps
    its last error.
    """
    steps = sorted({step for run in runs for step in run["results"]["curve"]["step"]})
    curves = []
    for run in runs:
        own = np.array(run["results"]["curve"]["step"]), np.array(run["results"]["curve"][key])
        curves.append(own[1][np.searchsorted(own[0], steps, side="right") - 1])
    table = np.array(curves)
    return (np.array(steps, dtype=np.float64), table.min(axis=0), np.median(table, axis=0), table.max(axis=0))
