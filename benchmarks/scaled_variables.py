"""Scaled variables against plain ones: `python -m benchmarks.scaled_variables [NAME...] [--seeds N]`.

Both runs of a pair have the same data, initialization and number of iterations. The table has the medians over seeds of the final
training objective and of the error on test data, with and without `scaled` of the optimizer, and the ratio of the medians. For
classes the test error is the loss. The row `slopes` trains [2,1,1] by L-BFGS from the best of eight starts of the paper's kind on finer
and finer grids; in place of the objective it has the slope of log(test error) against log(G). There is no bar: the table compares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks import bars
from kan_ref.checks import FloatArray
from kan_ref.program import run_program

Generator = np.random.Generator
GRIDS = (5, 10, 20, 50)


@dataclass(frozen=True)
class Pair:
    """A problem: `make` draws model and arguments of `fit`."""

    name: str
    shape: str
    make: Callable[[Generator], tuple[Any, dict[str, Any]]]
    options: dict[str, Any] = field(default_factory=dict)


def _kan(
    target: str, widths: Sequence[int], n_train: int, n_intervals: int = 5, degree: int = 3
) -> Callable[[Generator], tuple[Any, dict[str, Any]]]:
    """Return a drawer of a KAN and data of a target, or of a sum of squares with more inputs."""

    def make(rng: Generator) -> tuple[Any, dict[str, Any]]:
        data = _many_inputs(widths[0], n_train, rng) if target == "squares" else _of(target, n_train, rng)
        network = kr.init_network(widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng)
        return network, {"data": data}

    return make


def _of(target: str, n_train: int, rng: Generator) -> kr.Data:
    return kr.sample(target, n_train=n_train, n_test=1000, rng=rng)


def _many_inputs(n_in: int, n_train: int, rng: Generator) -> kr.Data:
    """Return exp(mean sin^2(pi x / 2)) of any number of inputs."""

    def f(x: FloatArray) -> FloatArray:
        mean: FloatArray = np.mean(np.sin(0.5 * np.pi * x) ** 2, axis=1, keepdims=True)
        return np.exp(mean)

    x_train, x_test = rng.uniform(-1, 1, (n_train, n_in)), rng.uniform(-1, 1, (1000, n_in))
    return kr.Data(x_train, f(x_train), x_test, f(x_test))


def _symbolic(rng: Generator) -> tuple[Any, dict[str, Any]]:
    """Return a network of symbolic edges, with parameters near those of exp(sin(pi x) + y^2)."""
    network, options = _kan("exp_sin", (2, 1, 1), 1000)(rng)
    for place, name in ((0, "sin"), (1, "x^2")):
        affine = (3.0, 0.2, 0.8, 0.1) if name == "sin" else (1.3, 0.1, 0.8, -0.1)
        network = kr.fix_symbolic(network, 0, output=0, input=place, name=name, affine=affine)
    network = kr.fix_symbolic(network, 1, output=0, input=0, name="exp", affine=(0.8, 0.1, 1.2, 0.2))
    theta = network.theta * (1.0 + 0.1 * rng.standard_normal(network.n_params))
    return network.with_theta(theta), options


def _half_symbolic(rng: Generator) -> tuple[Any, dict[str, Any]]:
    """Return a network with one symbolic edge among spline edges."""
    network, options = _kan("exp_sin", (2, 2, 1), 1000)(rng)
    return kr.fix_symbolic(network, 0, output=0, input=0, name="sin", affine=(3, 0, 1, 0)), options


def _classes(rng: Generator) -> tuple[Any, dict[str, Any]]:
    """Return three classes by the angle of noisy points."""
    x = rng.uniform(-1, 1, (1500, 2))
    noisy = x + 0.05 * rng.standard_normal(x.shape)
    labels = np.floor((np.arctan2(noisy[:, 1], noisy[:, 0]) / np.pi + 1.0) * 1.4999).astype(int)
    network = kr.init_network((2, 3, 3), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    data = kr.Data(x[:1000], labels[:1000], x[1000:], labels[1000:])
    return network, {"data": data, "loss": "cross_entropy"}


def _poisson(rng: Generator) -> tuple[Any, dict[str, Any]]:
    """Return u'' = -pi^2 sin(pi x), u(-1) = u(1) = 0, on a grid of 5."""
    x = np.linspace(-1.0, 1.0, 101)[:, None]
    inside = kr.linear_term(x, second=[1.0], source=-(np.pi**2) * np.sin(np.pi * x), weight=0.01)
    ends = kr.value_term([[-1.0], [1.0]], 0.0)
    solution = kr.Data(x[:0], x[:0], x, np.sin(np.pi * x))
    network = kr.init_network((1, 2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    return network, {"data": solution, "equations": [inside, ends]}


LBFGS: dict[str, Any] = {"optimizer": kr.LBFGS, "n_steps": 200}
LM: dict[str, Any] = {"optimizer": kr.LM, "n_steps": 30}
PAIRS = (
    Pair("1", "L-BFGS [2,1,1] N 1000", _kan("exp_sin", (2, 1, 1), 1000), {**LBFGS, "grids": GRIDS}),
    Pair("2", "L-BFGS [2,5,1] N 1000", _kan("exp_sin", (2, 5, 1), 1000), {**LBFGS, "grids": (5, 20)}),
    Pair("3", "L-BFGS [2,5,1] N 100", _kan("exp_sin", (2, 5, 1), 100), {**LBFGS, "grids": (5, 20)}),
    Pair("4", "L-BFGS [2,2,1] N 1000 x y", _kan("product", (2, 2, 1), 1000), {**LBFGS, "grids": (5, 20)}),
    Pair("5", "L-BFGS [4,4,2,1] N 1000", _kan("exp_two_sines", (4, 4, 2, 1), 1000), {**LBFGS, "grids": (5, 20)}),
    Pair("6", "L-BFGS [20,20,20,1] N 1000", _kan("squares", (20, 20, 20, 1), 1000), {**LBFGS, "n_steps": 30}),
    Pair(
        "7",
        "L-BFGS [100,1,1] N 1000",
        _kan("exp_mean_sin2", (100, 1, 1), 1000),
        {**LBFGS, "n_steps": 50, "grids": (10,)},
    ),
    Pair("8", "L-BFGS symbolic N 1000", _symbolic, {**LBFGS, "n_steps": 30}),
    Pair("9", "L-BFGS half symbolic N 1000", _half_symbolic, {**LBFGS, "n_steps": 100}),
    Pair("12", "L-BFGS classes [2,3,3]", _classes, {**LBFGS, "n_steps": 50}),
    Pair("13", "L-BFGS Poisson [1,2,1]", _poisson, {**LBFGS, "grids": (5, 10)}),
    Pair("14", "LM [2,1,1] N 1000", _kan("exp_sin", (2, 1, 1), 1000), {**LM, "grids": GRIDS[:3]}),
    Pair("15", "LM [2,5,1] N 1000", _kan("exp_sin", (2, 5, 1), 1000), {**LM, "grids": GRIDS[:3]}),
    Pair("16", "LM [2,5,1] N 100", _kan("exp_sin", (2, 5, 1), 100), {**LM, "grids": (5, 20)}),
    Pair("17", "LM [2,2,1] N 1000 x y", _kan("product", (2, 2, 1), 1000), {**LM, "grids": (5, 20)}),
    Pair("18", "LM [4,4,2,1] N 1000", _kan("exp_two_sines", (4, 4, 2, 1), 1000), {**LM, "grids": (5, 10)}),
    Pair("19", "LM symbolic N 1000", _symbolic, {**LM, "n_steps": 6}),
    Pair("20", "LM half symbolic N 1000", _half_symbolic, LM),
    Pair("23", "LM Poisson [1,2,1]", _poisson, {**LM, "grids": (5, 10)}),
)


def measure(name: str, seed: int) -> list[tuple[float, float]]:
    """Return objective and test error of the plain and of the scaled run."""
    if name == "slopes":
        return [slope(seed, scaled=scaled) for scaled in (False, True)]
    (pair,), found = (one for one in PAIRS if one.name == name), []
    for scaled in (False, True):
        model, arguments = pair.make(np.random.default_rng(seed))
        options = pair.options | {"optimizer": pair.options["optimizer"](scaled=scaled)}
        history = kr.fit(model, **arguments, **options).history
        test = history.test_loss if "loss" in arguments else history.test_rmse
        found.append((float(history.train_loss[-1] + history.penalty[-1]), float(test[-1])))
    return found


def slope(seed: int, *, scaled: bool) -> tuple[float, float]:
    """Return the slope of log error against log G of L-BFGS on [2,1,1], and the last error."""
    rng = np.random.default_rng(seed)
    data = _of("exp_sin", 1000, rng)
    options: dict[str, Any] = {**LBFGS, "optimizer": kr.LBFGS(scaled=scaled)}
    network = kr.best_start((2, 1, 1), data, n_intervals=3, degree=3, initialization="paper", rng=rng, **options)
    history = kr.fit(network, data, grids=GRIDS, **options).history
    errors = [history.test_rmse[history.n_intervals == n][-1] for n in GRIDS]
    return float(np.polyfit(np.log(GRIDS), np.log(errors), 1)[0]), float(errors[-1])


def limit(name: str, found: list[list[tuple[float, float]]]) -> bars.Verdict:
    """Return medians of both runs and their ratios."""
    plain, scaled = bars.median(found)
    triples = ((plain[i], scaled[i], scaled[i] / plain[i]) for i in (0, 1))
    shapes = {pair.name: pair.shape for pair in PAIRS}
    return bars.Verdict([shapes.get(name, "L-BFGS [2,1,1]"), *(f"{n:.2g}" for three in triples for n in three)], None)


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    rows = [*(pair.name for pair in PAIRS), "slopes"]
    options = bars.read(bars.command("scaled_variables", __doc__, seeds=5), words, rows)
    columns = ["", f"{'':>26}", "objective: plain", "scaled", "ratio", "test error: plain", "scaled"]
    return bars.bar(options.names, [*columns, "ratio"], measure, limit, seeds=range(options.seeds), jobs=options.jobs)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
