"""Scaled variables against plain ones: `python -m benchmarks.scaled_variables [NAME...] [--seeds N]`.

Both runs of a pair have the same data, initialization and number of iterations. The table has the medians over seeds of the final
training objective and of the error on test data, with `precondition=None` and with "jacobian", and the ratio of the medians. For
classes the test error is the loss. `slopes` trains [2,1,1] by L-BFGS on finer and finer grids, and fits the slope of log(test error)
against log(G).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.tables import aligned
from kan_ref.checks import FloatArray
from kan_ref.program import given_count, run_program

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
        data = (
            _many_inputs(widths[0], n_train, rng)
            if target == "squares"
            else _of(target, n_train, rng)
        )
        network = kr.init_network(
            widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
        )
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
    network = kr.fix_symbolic(
        network, 1, output=0, input=0, name="exp", affine=(0.8, 0.1, 1.2, 0.2)
    )
    theta = network.theta * (1.0 + 0.1 * rng.standard_normal(network.n_params))
    return network.with_theta(theta), options


def _half_symbolic(rng: Generator) -> tuple[Any, dict[str, Any]]:
    """Return a network with one symbolic edge among spline edges."""
    network, options = _kan("exp_sin", (2, 2, 1), 1000)(rng)
    return kr.fix_symbolic(network, 0, output=0, input=0, name="sin", affine=(3, 0, 1, 0)), options


def _mlp(rng: Generator) -> tuple[Any, dict[str, Any]]:
    return kr.init_mlp((2, 20, 20, 1), activation="tanh", rng=rng), {
        "data": _of("exp_sin", 1000, rng)
    }


def _lan(rng: Generator) -> tuple[Any, dict[str, Any]]:
    data = _of("exp_sin", 1000, rng)
    lan = kr.init_lan((2, 5, 5, 1), n_intervals=5, degree=3, domain=data.x_train, rng=rng)
    return lan, {"data": data}


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
    solution = kr.Data(x[:0], x[:0], x, np.sin(np.pi * x))  # test data alone
    network = kr.init_network((1, 2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    return network, {"data": solution, "equations": [inside, kr.value_term([[-1.0], [1.0]])]}


LBFGS = {"optimizer": "lbfgs", "n_steps": 200}
LM = {"optimizer": "lm", "n_steps": 30}
PAIRS = (
    Pair("1", "L-BFGS [2,1,1] N 1000", _kan("exp_sin", (2, 1, 1), 1000), {**LBFGS, "grids": GRIDS}),
    Pair(
        "2", "L-BFGS [2,5,1] N 1000", _kan("exp_sin", (2, 5, 1), 1000), {**LBFGS, "grids": (5, 20)}
    ),
    Pair("3", "L-BFGS [2,5,1] N 100", _kan("exp_sin", (2, 5, 1), 100), {**LBFGS, "grids": (5, 20)}),
    Pair(
        "4",
        "L-BFGS [2,2,1] N 1000 x y",
        _kan("product", (2, 2, 1), 1000),
        {**LBFGS, "grids": (5, 20)},
    ),
    Pair(
        "5",
        "L-BFGS [4,4,2,1] N 1000",
        _kan("exp_two_sines", (4, 4, 2, 1), 1000),
        {**LBFGS, "grids": (5, 20)},
    ),
    Pair(
        "6",
        "L-BFGS [20,20,20,1] N 1000",
        _kan("squares", (20, 20, 20, 1), 1000),
        {**LBFGS, "n_steps": 30},
    ),
    Pair(
        "7",
        "L-BFGS [100,1,1] N 1000",
        _kan("exp_mean_sin2", (100, 1, 1), 1000),
        {**LBFGS, "n_steps": 50, "grids": (10,)},
    ),
    Pair("8", "L-BFGS symbolic N 1000", _symbolic, {**LBFGS, "n_steps": 30}),
    Pair("9", "L-BFGS half symbolic N 1000", _half_symbolic, {**LBFGS, "n_steps": 100}),
    Pair("10", "L-BFGS MLP [2,20,20,1]", _mlp, LBFGS),
    Pair("11", "L-BFGS LAN [2,5,5,1]", _lan, LBFGS),
    Pair("12", "L-BFGS classes [2,3,3]", _classes, {**LBFGS, "n_steps": 50}),
    Pair("13", "L-BFGS Poisson [1,2,1]", _poisson, {**LBFGS, "grids": (5, 10)}),
    Pair("14", "LM [2,1,1] N 1000", _kan("exp_sin", (2, 1, 1), 1000), {**LM, "grids": GRIDS[:3]}),
    Pair("15", "LM [2,5,1] N 1000", _kan("exp_sin", (2, 5, 1), 1000), {**LM, "grids": GRIDS[:3]}),
    Pair("16", "LM [2,5,1] N 100", _kan("exp_sin", (2, 5, 1), 100), {**LM, "grids": (5, 20)}),
    Pair("17", "LM [2,2,1] N 1000 x y", _kan("product", (2, 2, 1), 1000), {**LM, "grids": (5, 20)}),
    Pair(
        "18",
        "LM [4,4,2,1] N 1000",
        _kan("exp_two_sines", (4, 4, 2, 1), 1000),
        {**LM, "grids": (5, 10)},
    ),
    Pair("19", "LM symbolic N 1000", _symbolic, {**LM, "n_steps": 6}),
    Pair("20", "LM half symbolic N 1000", _half_symbolic, LM),
    Pair("21", "LM MLP [2,20,20,1]", _mlp, LM),
    Pair("22", "LM LAN [2,5,5,1]", _lan, LM),
    Pair("23", "LM Poisson [1,2,1]", _poisson, {**LM, "grids": (5, 10)}),
)


def measure(pair: Pair, seed: int, precondition: str | None) -> tuple[float, float]:
    """Return the final objective and test error of one run."""
    model, arguments = pair.make(np.random.default_rng(seed))
    run = kr.fit(model, **arguments, **pair.options, precondition=precondition)
    history = run.history
    test = history.test_loss if "loss" in arguments else history.test_rmse
    return float(history.train_loss[-1] + history.penalty[-1]), float(test[-1])


def slopes(n_seeds: int) -> str:
    """Return the table of L-BFGS on [2,1,1], from the best of eight starts of the paper's kind."""
    rows = [["[2,1,1], test RMSE", *(f"G = {n}" for n in GRIDS), "slope"]]
    for precondition in (None, "jacobian"):
        found = []
        for seed in range(n_seeds):
            rng = np.random.default_rng(seed)
            data = _of("exp_sin", 1000, rng)
            options: dict[str, Any] = {**LBFGS, "precondition": precondition}
            network = kr.best_start(
                (2, 1, 1), data, n_intervals=3, degree=3, initialization="paper", rng=rng, **options
            )
            history = kr.fit(network, data, grids=GRIDS, **options).history
            found.append([history.test_rmse[history.n_intervals == n][-1] for n in GRIDS])
        medians = np.median(found, axis=0)
        slope = np.polyfit(np.log(GRIDS), np.log(medians), 1)[0]
        rows.append([str(precondition), *(f"{one:.1e}" for one in medians), f"{slope:.2f}"])
    return aligned(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of the pairs, then that of the slopes; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scaled_variables",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="numbers of pairs, or slopes; all of them if none"
    )
    parser.add_argument("--seeds", type=given_count(), default=5, help="runs of each pair (5)")
    options = parser.parse_args(arguments)
    known = [*(pair.name for pair in PAIRS), "slopes"]
    names = options.names or known
    if unknown := [name for name in names if name not in known]:
        parser.error(f"NAME is {unknown[0]!r}, but must be one of {', '.join(known)}")
    head = ["", "objective: plain", "scaled", "ratio", "test error: plain", "scaled", "ratio"]
    rows = [head]
    for pair in (pair for pair in PAIRS if pair.name in names):
        plain, scaled = (
            np.median([measure(pair, seed, kind) for seed in range(options.seeds)], axis=0)
            for kind in (None, "jacobian")
        )
        cells = [
            f"{n:.2g}"
            for place in (0, 1)
            for n in (plain[place], scaled[place], scaled[place] / plain[place])
        ]
        rows.append([f"{pair.name:>2} {pair.shape}", *cells])
    if len(rows) > 1:
        print(aligned(rows))
    if "slopes" in names:
        print(slopes(options.seeds))
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
