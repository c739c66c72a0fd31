"""Fig. 3.4: five peaks learnt one after the other, and the error on the first ones at the end.

Liu et al. 2024, section 3.5; set-up of its documentation: y = sum_i exp(-300 (x - c_i)^2) with centers c_i = -0.8, -0.4, 0, 0.4, 0.8; in
phase i 100 even points of [c_i - 0.2, c_i + 0.2] and no others; a [1,1] KAN with G = 200, k = 3, fixed grid, L-BFGS, scales frozen.

A sample changes k + 1 coefficients of a curve, whereas each of the scales w_base and w_spline changes the
curve everywhere. So the same KAN is also trained with its scales free. The paper leaves open, and we chose:
MLPs of two hidden layers of 50 nodes, with tanh and silu (with relu and zero biases all kinks start at 0,
and not even the first peak is learnt); 2000 L-BFGS iterations a phase for all, the most that 100 steps of
the documentation amount to; initial coefficients N(0, 0.1^2) as everywhere, which is the noise in regions
that have had no data yet.

Optimizers work on the parameters themselves, as in the paper.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Claim, Config, Record, all_bar, runs_of, seed_count, spread
from figures.machine.pictures import BLUE, GREY, ORANGE, PURPLE, VERMILION, draw_band
from figures.machine.training import OPTIMIZERS
from kan_ref.checks import FloatArray

NAME = "3.4"
TITLE = "continual learning on five peaks"
SEEDS, SEEDS_QUICK = 5, 1
MODELS = ("kan, scales frozen", "kan, scales free", "mlp, tanh", "mlp, silu")
COLORS = dict(zip(MODELS, (BLUE, ORANGE, VERMILION, PURPLE), strict=True))
SHOWN = MODELS[:3]
LABELS = {model: model[:3].upper() + model[3:] for model in MODELS}
N_LINE = 500
KEPT = 1e-3
CENTERS = [-0.8, -0.4, 0.0, 0.4, 0.8]


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each model and seed; quick runs have only the models whose
    curves are drawn.
    """
    known = {
        "centers": CENTERS,
        "sharpness": 300.0,
        "reach": 0.2,
        "n_points": 100,
        "optimizer": "lbfgs",
        "n_steps": 2000,
    }
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    found = []
    for model in MODELS if full else SHOWN:
        kan = model.startswith("kan")
        own = {"widths": [1, 1], "n_intervals": 200, "degree": 3} if kan else {"widths": [1, 50, 50, 1]}
        found += [{"model": model, **own, **known, "seed": seed} for seed in range(count)]
    return found


def peaks(config: Config, x: FloatArray) -> FloatArray:
    """Return the function (n, 1) at x (n, 1)."""
    distances: FloatArray = x - np.array(config["centers"], dtype=np.float64)
    values: FloatArray = np.exp(-float(config["sharpness"]) * distances**2).sum(axis=1, keepdims=True)
    return values


def phase_points(config: Config, phase: int) -> FloatArray:
    """Return the training points of a phase, (n_points, 1)."""
    center = config["centers"][phase]
    return np.linspace(center - config["reach"], center + config["reach"], config["n_points"])[:, None]


def run(config: Config) -> dict[str, Any]:
    """Train on one peak after the other; return after each phase the largest error on every peak so
    far, and with seed 0 the curve.
    """
    rng = np.random.default_rng(config["seed"])
    options: dict[str, Any] = {}
    model: kr.Network | kr.MLP
    if config["model"].startswith("kan"):
        model = kr.init_network(
            config["widths"], n_intervals=config["n_intervals"], degree=config["degree"], domain=(-1.0, 1.0), rng=rng
        )
        options["update_grids"] = False
        if config["model"] == "kan, scales frozen":
            options["trainable"] = ("coef",)
    else:
        model = kr.init_mlp(config["widths"], activation=config["model"].split(", ")[1], rng=rng)
    line = np.linspace(-1.0, 1.0, N_LINE)[:, None]
    phases = []
    for phase in range(len(config["centers"])):
        x = phase_points(config, phase)
        data = kr.Data(x, peaks(config, x), x, peaks(config, x))
        done = kr.fit(model, data, optimizer=OPTIMIZERS[config["optimizer"]], n_steps=config["n_steps"], **options)
        model = done.network
        seen = [phase_points(config, earlier) for earlier in range(phase + 1)]
        phases.append(
            {
                "train_rmse": done.train_rmse,
                "n_steps": int(done.history.step[-1]),
                "worst": [float(np.abs(model(points) - peaks(config, points)).max()) for points in seen],
                "rmse_of_all": float(np.sqrt(np.mean((model(line) - peaks(config, line)) ** 2))),
                "curve": [float(f"{value:.4g}") for value in model(line)[:, 0]] if config["seed"] == 0 else None,
            }
        )
    return {"n_params": model.n_params, "phases": phases}


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a column for each phase: the data, and the curves of three models after it; below, the
    error on the first peak.
    """
    config = records[0]["config"]
    n_phases = len(config["centers"])
    picture = Figure(figsize=(9.4, 8.6))
    grid = picture.add_gridspec(len(SHOWN) + 2, n_phases, height_ratios=[1.0] * (len(SHOWN) + 1) + [1.7])
    line = np.linspace(-1.0, 1.0, N_LINE)[:, None]
    truth = peaks(config, line)[:, 0]
    for phase in range(n_phases):
        x = phase_points(config, phase)
        ax = _panel(picture, grid[0, phase], x)
        ax.set_title(f"phase {phase + 1}")
        ax.plot(line[:, 0], truth, color="0.82", lw=1.2)
        ax.plot(x[:, 0], peaks(config, x)[:, 0], ".", color=GREY, ms=2.5)
        for row, model in enumerate(SHOWN, start=1):
            ax = _panel(picture, grid[row, phase], x)
            ax.plot(line[:, 0], truth, color="0.82", lw=1.2)
            for record in runs_of(records, model=model)[:1]:
                ax.plot(line[:, 0], record["results"]["phases"][phase]["curve"], color=COLORS[model], lw=1.3)
            if phase == 0:
                ax.set_ylabel(LABELS[model].replace(", ", "\n"))
            if row == len(SHOWN):
                ax.set_xticks([-1.0, 0.0, 1.0], labels=["-1", "0", "1"])
    picture.axes[0].set_ylabel("data")
    _draw_forgetting(picture.add_subplot(grid[-1, :]), records, n_phases)
    return picture


def _panel(picture: Figure, place: Any, x: FloatArray) -> Axes:
    ax = picture.add_subplot(place)
    ax.axvspan(float(x[0, 0]), float(x[-1, 0]), color="0.95", lw=0)
    ax.set(ylim=(-0.55, 1.45), xlim=(-1.0, 1.0))
    ax.set_xticks([])
    ax.set_yticks([0.0, 1.0], labels=["0", "1"])
    return ax


def _draw_forgetting(ax: Axes, records: Sequence[Record], n_phases: int) -> None:
    steps = np.arange(1, n_phases + 1)
    for model in models_in(records):
        worst = np.array(
            [[phase["worst"][0] for phase in record["results"]["phases"]] for record in runs_of(records, model=model)]
        )
        draw_band(ax, steps, worst, COLORS[model], "o", label=LABELS[model])
    ax.set_yscale("log")
    ax.axhline(KEPT, color=GREY, ls="--", lw=1.0)
    ax.set_xticks(steps)
    ax.set(xlabel="phases done", ylabel="largest error\non the first peak")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(MODELS))


def models_in(records: Sequence[Record]) -> list[str]:
    """Return the models that have records, in their order."""
    return [model for model in MODELS if runs_of(records, model=model)]


# --- the table

CLAIMS = {
    "kan, scales frozen": ("the earlier peaks are kept", "kept"),
    "kan, scales free": (
        "freezing the scales is essential: without, the earlier peaks are lost",
        "essential (documentation)",
    ),
}
FORGOTTEN = ("the earlier peaks are forgotten", "forgotten")


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each model the errors on the first four peaks at the end."""
    rows = []
    for model in models_in(records):
        runs = runs_of(records, model=model)
        worst = [max(record["results"]["phases"][-1]["worst"][:-1]) for record in runs]
        learnt = [max(phase["worst"][-1] for phase in record["results"]["phases"]) for record in runs]
        train = [max(phase["train_rmse"] for phase in record["results"]["phases"]) for record in runs]
        kept = [error <= KEPT for error in worst]
        frozen, (claim, paper) = model == MODELS[0], CLAIMS.get(model, FORGOTTEN)
        rows.append(
            Claim(
                f"{LABELS[model]}: {claim}",
                paper,
                f"largest error on the first four peaks at the end {spread(worst, '.1e')}, on each right after its phase "
                f"{spread(learnt, '.1e')}",
                all_bar(kept if frozen else [not good for good in kept]),
                f"{seed_count(runs)}; kept: at most {KEPT:g}; {runs[0]['results']['n_params']} parameters; "
                f"largest training RMSE of a phase {spread(train, '.1e')}"
                + (" (documentation 4.0e-06)" if frozen else "")
                + "; seeds",
            )
        )
    return rows
