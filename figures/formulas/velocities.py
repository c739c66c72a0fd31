"""Addition of velocities, eq. (3.1): f(u, v) = (u + v) / (1 + u v) = tanh(arctanh u + arctanh v), by a [2,1,1] network with locked edges.

Liu et al. 2024, section 3.3, explains with the rapidity arctanh why a [2,2,1] is found where people construct five layers. The documentation of the
paper's code trains [2,1,1] on [-0.9, 0.9]^2, locks both first edges to arctanh, sets tanh behind them and trains the parameters.
Here: Levenberg-Marquardt on splines with G = 10; then arctanh is set on both edges of the first layer and locked, so that they share a, b, c, d;
then tanh; then Levenberg-Marquardt on the five parameters that remain up to scales. A second run has x^3 instead of arctanh, as a wrong guess.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, spread
from figures.machine.stored_network import draw_settled, restored, stored
from kan_ref.checks import FloatArray

NAME = "velocities"
TITLE = "addition of velocities by arctanh, locked edges"
SEEDS, SEEDS_QUICK = 5, 1
FIRST, SECOND, WRONG = "arctanh", "tanh", "x^3"
ALIKE = 0.999  # R^2 of a curve that counts as the function
EXACT = 1e-10  # test error; the documentation reports 1.7e-11
N_DRAWN, PLACES = 300, 6


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each seed."""
    settings = {
        "domain": [-0.9, 0.9],
        "n_train": 1000,
        "n_test": 1000,
        "n_intervals": 10,
        "degree": 3,
        "n_starts": 4,
        "n_steps": 60,
        "affine_steps": 100,
    }
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    return [{**settings, "seed": seed} for seed in range(count)]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return 1.5


def added(x: FloatArray) -> FloatArray:
    """Return (u + v) / (1 + u v) of velocities x (n, 2), (n,)."""
    return np.asarray((x[:, 0] + x[:, 1]) / (1.0 + x[:, 0] * x[:, 1]))


def run(config: Config) -> dict[str, Any]:
    """Train splines, then the locked formula and the wrong one; return errors, R^2 of the curves, the formula and the networks."""
    rng, began = np.random.default_rng(config["seed"]), time.process_time()
    data = kr.sample(
        added,
        n_in=2,
        domain=tuple(config["domain"]),
        n_train=config["n_train"],
        n_test=config["n_test"],
        rng=rng,
    )
    start = kr.best_start(
        (2, 1, 1),
        data,
        n_starts=config["n_starts"],
        n_intervals=config["n_intervals"],
        degree=config["degree"],
        rng=rng,
    )
    splines = kr.fit(start, data, optimizer="lm", n_steps=config["n_steps"]).network
    results: dict[str, Any] = {
        "splines": {
            "error": error_of(splines, data),
            "r2": [_r2(splines, data, 0, FIRST, place) for place in range(2)]
            + [_r2(splines, data, 1, SECOND, 0)],
            "network": stored(splines),
        }
    }
    for name in (FIRST, WRONG):
        network = locked(splines, data, name, config["affine_steps"])
        results[name] = {
            "error": error_of(network, data),
            "formula": shortened(kr.formula(network, names=("u", "v"))),
            "n_params": int(sum(layer.affine.size for layer in network.layers)),
            "network": stored(network),
        }
    return {**results, "seconds": round(time.process_time() - began, 3)}


def locked(splines: kr.Network, data: kr.Data, name: str, n_steps: int) -> kr.Network:
    """Return the trained network with `name` on both first edges, which share their parameters, and tanh behind them."""
    network = splines
    for place in range(2):
        network = kr.fix_symbolic(network, 0, output=0, input=place, name=name, x=data.x_train)
    network = kr.lock_edges(network, 0, [(0, 0), (0, 1)])
    network = kr.fix_symbolic(network, 1, output=0, input=0, name=SECOND, x=data.x_train)
    return kr.fit(network, data, optimizer="lm", n_steps=n_steps).network


def shortened(expression: Any) -> str:
    """Return a formula as text, with its numbers rounded to `PLACES` decimals."""
    import sympy

    numbers = expression.atoms(sympy.Float)
    return str(
        expression.xreplace({one: sympy.Float(round(float(one), PLACES)) for one in numbers})
    )


def error_of(network: kr.Network, data: kr.Data) -> float:
    """Return the root mean square error on the test points."""
    return float(np.sqrt(np.mean((network(data.x_test) - data.y_test) ** 2)))


def _r2(network: kr.Network, data: kr.Data, layer: int, name: str, place: int) -> float:
    """Return the R^2 of a function fitted to an edge's curve over the training points."""
    inputs = (
        data.x_train if layer == 0 else kr.forward(kr.Network(network.layers[:1]), data.x_train)[0]
    )
    x = inputs[:, place]
    y = kr.edge_outputs(network, data.x_train)[layer][:, 0, place]
    return float(kr.fit_affine(x, y, name).r2)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the networks of the first record: splines, and the formula."""
    results = records[0]["results"]
    picture = Figure(figsize=(6.6, 3.7))
    axes, drawings = picture.subplots(1, 2), []
    for ax, way, title in zip(
        axes, ("splines", FIRST), ("splines", "arctanh, locked, and tanh"), strict=True
    ):
        ax.set_axis_off()
        ax.set_title(f"{title}\ntest RMSE {results[way]['error']:.1e}")
        drawings.append(partial(_draw_network, ax, results[way]["network"], records[0]["config"]))
    draw_settled(picture, drawings)
    return picture


def _draw_network(ax: Axes, document: dict[str, Any], config: Config) -> None:
    low, high = config["domain"]
    x = np.random.default_rng(0).uniform(low, high, (N_DRAWN, 2))
    kr.draw_network(
        restored(document), x, ax=ax, names=("$u$", "$v$"), output_names=("$f$",), beta=3.0
    )


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on the curves, the exact formula, and the wrong guess."""
    found = [record["results"] for record in records]
    seeds = f"{len(records)} seed{'s' if len(records) > 1 else ''}"
    worst = [min(one["splines"]["r2"]) for one in found]
    right, wrong = ([float(one[name]["error"]) for one in found] for name in (FIRST, WRONG))
    alike = Bar(float(np.median(worst)), ALIKE, form=".5f")
    exact = Bar(float(np.median(right)), EXACT, most=True, form=".1e")
    shows = Bar(float(np.median(np.array(wrong) / np.array(right))), 1e6)
    return [
        Claim(
            "velocities: a [2,1,1] network of splines learns arctanh on both first edges and tanh behind them",
            "arctanh and tanh, for f = tanh(arctanh u + arctanh v)",
            f"smallest R^2 of the three curves {spread(worst, '.5f')}; test RMSE {spread([float(one['splines']['error']) for one in found], '.1e')}",
            alike.word,
            f"{seeds}; the box is [-0.9, 0.9]^2, that of the documentation; R^2, {alike.text}",
        ),
        Claim(
            "velocities: with both first edges locked to arctanh, the addition is exact",
            "RMSE 1.7e-11 (documentation)",
            f"test RMSE {spread(right, '.1e')}; seed {records[0]['seed']}: {found[0][FIRST]['formula']}",
            exact.word,
            f"{seeds}; {found[0][FIRST]['n_params']} parameters, four of them shared by two edges; median {exact.text}",
        ),
        Claim(
            "velocities: a wrong guess, x^3 for arctanh, shows in the error",
            "not tried",
            f"test RMSE {spread(wrong, '.1e')}",
            shows.word,
            f"{seeds}; times the error of arctanh, {shows.text}",
        ),
    ]
