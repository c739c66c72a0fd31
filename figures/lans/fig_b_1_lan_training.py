"""Fig. B.1: a learnable activation network during training on exp(sin(pi x) + y^2), compared with a KAN and MLPs.

Liu et al. 2024, appendix B: a LAN has curves on its nodes and weights on its edges; it is "simpler" than a KAN, its picture harder to
read, and its accuracy between those of an MLP and of a KAN. The paper shows one network.

The paper leaves open, and we chose: the widths [2,5,1,1], of which two nodes of the first hidden layer would suffice (one curve sin(pi x), one
y^2, then exp); 1000 uniform points of [-1, 1]^2 to train on, as many to test; Levenberg-Marquardt for all, the best of eight starts of 60
steps, then 60 steps on each of 5, 10 and 20 intervals (see `lan_runs`). The KAN is [2,1,1]; the MLPs have two hidden layers and as
many parameters as the LAN at the end, and the same numbers of starts and steps.

Optimizers and initializations are the paper's, without scaled variables.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.lans.lan_runs import (
    SETTINGS,
    VALIDATION,
    draw_lan,
    purity,
    restored_lan,
    shape_with_params,
    stored_lan,
    train_lan,
)
from figures.machine.machine import Bar, Claim, Config, Record, runs_of, seed_count, shape_name, spread
from figures.machine.pictures import BLUE, GREEN, PURPLE, VERMILION
from figures.machine.training import OPTIMIZERS, best_start, n_failed
from kan_ref.training import hold_out

NAME = "b.1"
TITLE = "training of a LAN"
SEEDS, SEEDS_QUICK = 5, 1
WIDTHS = {
    "lan": [2, 5, 1, 1],
    "kan": [2, 1, 1],
    "silu": [2, 0, 0, 1],
    "tanh": [2, 0, 0, 1],
}  # 0: chosen by the number of parameters
COLORS = {"lan": BLUE, "kan": VERMILION, "silu": GREEN, "tanh": PURPLE}
SNAPSHOTS = (0, 5, 20)  # steps of the chosen start that are drawn, besides the end
SETTLED = 0.9  # a node of at least this purity has one input


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each model and seed."""
    known = {"target": "exp_sin", "n_train": 1000, "n_test": 1000, "smoothness_weight": 1e-8, **SETTINGS}
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    return [
        {"model": model, "widths": widths, **known, "seed": seed}
        for model, widths in WIDTHS.items()
        for seed in range(count)
    ]


def run(config: Config) -> dict[str, Any]:
    """Train a model; return the errors at every step, for a LAN also networks during training."""
    rng = np.random.default_rng(config["seed"])
    data = kr.sample(config["target"], n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    return (_run_lan if config["model"] == "lan" else _run_other)(config, data, rng)


def _run_lan(config: Config, data: kr.Data, rng: np.random.Generator) -> dict[str, Any]:
    steps: list[int] = []
    errors: list[float] = []
    snapshots: list[dict[str, Any]] = []

    def watch(step: int, network: Any, entry: Any) -> None:
        error = float(np.sqrt(np.mean((network(data.x_test) - data.y_test) ** 2)))
        steps.append(step)
        errors.append(error)
        if step in SNAPSHOTS:
            snapshots.append({"step": step, "test_rmse": error, "lan": stored_lan(network)})

    lan, validation = train_lan(config, data, rng, watch)
    snapshots.append({"step": steps[-1], "test_rmse": errors[-1], "lan": stored_lan(lan)})
    return {
        "widths": list(lan.widths),
        "n_params": lan.n_params,
        "step": steps,
        "test_rmse": [float(f"{error:.4g}") for error in errors],
        "n_failed_starts": n_failed(validation),
        "purity": purity(lan, data.x_train),
        "snapshots": snapshots,
        "probe": data.x_train[:200].round(4).tolist(),
    }


def _run_other(config: Config, data: kr.Data, rng: np.random.Generator) -> dict[str, Any]:
    """Train a KAN or an MLP with the same numbers of initializations and steps."""
    per_grid = config["n_rounds"] * config["round_steps"]
    if config["model"] == "kan":
        smooth = {"smoothness_weight": config["smoothness_weight"]}
        network, failed = best_start(config, data, n_intervals=3, rng=rng, **smooth)
        options = {"optimizer": OPTIMIZERS["lm"], "n_steps": per_grid, **smooth}
        run: kr.Run[Any] = kr.fit(network, data, grids=config["grids"], **options)
    else:
        shape = {"n_intervals": config["grids"][-1], "degree": config["degree"], "domain": (-1.0, 1.0)}
        width = shape_with_params(kr.init_lan(WIDTHS["lan"], **shape, rng=np.random.default_rng(0)), config["widths"])
        widths = [width if n == 0 else n for n in config["widths"]]
        part = hold_out(data, VALIDATION, rng)
        drawn = (kr.init_mlp(widths, activation=config["model"], rng=rng) for _ in range(config["n_starts"]))
        runs = [kr.fit(mlp, part, n_steps=config["start_steps"]) for mlp in drawn]
        validation = [one.test_rmse for one in runs]
        failed = n_failed(validation)
        run = kr.fit(runs[int(np.argmin(validation))].network, data, n_steps=per_grid * len(config["grids"]))
    return {
        "widths": list(run.network.widths),
        "n_params": run.network.n_params,
        "step": [config["start_steps"] + int(step) for step in run.history.step],
        "test_rmse": [float(f"{error:.4g}") for error in run.history.test_rmse],
        "n_failed_starts": failed,
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the LAN of the first seed during training above, test errors of all models and seeds
    below.
    """
    picture = Figure(figsize=(9.4, 7.4))
    grid = picture.add_gridspec(2, len(SNAPSHOTS) + 1, height_ratios=(1.25, 1.0))
    for results in [record["results"] for record in runs_of(records, model="lan")[:1]]:
        for column, snapshot in enumerate(results["snapshots"]):
            ax = picture.add_subplot(grid[0, column])
            draw_lan(
                ax,
                restored_lan(snapshot["lan"]),
                np.array(results["probe"]),
                names=("$x$", "$y$"),
                output_names=("$f$",),
            )
            ax.set_title(f"step {snapshot['step']}, test RMSE {snapshot['test_rmse']:.1g}")
    _draw_errors(picture.add_subplot(grid[1, :]), records)
    return picture


def _draw_errors(ax: Axes, records: Sequence[Record]) -> None:
    for model, color in COLORS.items():
        runs = runs_of(records, model=model)
        for place, record in enumerate(runs):
            label = _label(record) if place == 0 else None
            results = record["results"]
            ax.semilogy(
                results["step"],
                results["test_rmse"],
                color=color,
                lw=1.4,
                alpha=1.0 if place == 0 else 0.45,
                label=label,
            )
    settings = records[0]["config"]
    for place, n_intervals in enumerate(settings["grids"]):
        step = settings["start_steps"] + place * settings["n_rounds"] * settings["round_steps"]
        ax.axvline(step, color="0.85", lw=1.0, zorder=0)
        ax.annotate(
            f"$G = {n_intervals}$",
            (step, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -3),
            textcoords="offset points",
            va="top",
        )
    ax.set(xlabel="Levenberg-Marquardt step, of the start that was chosen and after it", ylabel="test RMSE")
    ax.legend(loc="lower left")


def _label(record: Record) -> str:
    results, model = record["results"], record["config"]["model"]
    kind = {"lan": "LAN", "kan": "KAN"}.get(model, f"MLP, {model},")
    return f"{kind} {shape_name(results['widths'])}, {results['n_params']} parameters"


# --- the table


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return rows on the accuracy between MLP and KAN, and on interpretability; none while a model
    is missing.
    """
    if not all(runs_of(records, model=model) for model in WIDTHS):
        return []
    last = {
        model: [float(one["results"]["test_rmse"][-1]) for one in runs_of(records, model=model)] for model in WIDTHS
    }
    n_params = {model: runs_of(records, model=model)[0]["results"]["n_params"] for model in WIDTHS}
    failed = [int(one["results"]["n_failed_starts"]) for one in runs_of(records, model="lan")]
    shares = [share for one in runs_of(records, model="lan") for share in one["results"]["purity"]]
    seeds = f"{seed_count(last['lan'])}"
    lan, evidence = (
        np.median(last["lan"]),
        f"{seeds}; median test RMSE after 240 LM steps; {n_params['lan']} parameters, MLPs {n_params['tanh']}",
    )
    rows = [
        Claim(
            f"a LAN is more accurate than an MLP with {activation} and as many parameters",
            "more accurate",
            f"LAN {spread(last['lan'], '.1e')}, MLP {spread(last[activation], '.1e')}",
            bar,
            f"{evidence}; times as accurate",
        )
        for activation in ("silu", "tanh")
        for bar in [Bar(float(np.median(last[activation]) / lan), 1.0)]
    ]
    alone = sum(share >= SETTLED for share in shares)
    return [
        *rows,
        Claim(
            "a LAN is less accurate than a KAN",
            "less accurate",
            f"LAN {spread(last['lan'], '.1e')}, KAN with {n_params['kan']} parameters and the same grids {spread(last['kan'], '.1e')}",
            Bar(float(lan / np.median(last["kan"])), 1.0),
            f"{seeds}; {sum(failed)} of {8 * len(failed)} initializations of the LAN failed; times less accurate",
        ),
        Claim(
            "a LAN is harder to read than a KAN, for weights mix the inputs",
            "less interpretable",
            f"{alone} of {len(shares)} nodes of the first hidden layer read one input alone",
            Bar(len(shares) - alone, math.ceil(0.5 * len(shares))),
            f"{seeds}; alone: {SETTLED:.0%} of the sum of |w| times the input's deviation; nodes that mix the inputs",
        ),
    ]
