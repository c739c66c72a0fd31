"""Fig. 3.3: Poisson's equation solved by KANs and MLPs; errors during training and against the number of parameters.

Liu et al. 2024, section 3.4. `poisson` defines the equation, its points and the errors. Besides the
paper's networks there are KANs of degree 5, and every network is trained by both optimizers. MLPs
are trained on the same points. Levenberg-Marquardt solves a system in all parameters, which is too
expensive for 20 thousand of them: the wide MLP is trained by L-BFGS alone, those of up to 921
parameters by both. `poisson` also has KANs that go on from grid to finer grid.

The claims are those of section 3.4 about Fig. 3.3.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.equations import poisson
from figures.equations.poisson import (
    KAN_LBFGS,
    KAN_LM,
    KAN_LM_5,
    METHODS,
    MLP_LBFGS,
    MLP_LM,
    Method,
    config_of,
    runs_of,
    spread_of,
)
from figures.machine.machine import Bar, Claim, Config, Record, median, seed_count, shape_name, slope, spread
from figures.machine.pictures import GREY

NAME = "3.3"
TITLE = "Poisson's equation, KAN and MLP"
QUICK_SEEDS, FULL_SEEDS = 1, 5
PROBLEMS = ("paper", "documentation")
DEEP = [2, 100, 100, 100, 1]
SMALLER = ([2, 10, 10, 10, 1], [2, 20, 20, 20, 1], [2, 50, 50, 50, 1])
SCALED = "documentation"  # on whose fewer points models of several sizes are trained


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each problem, model, optimizer and seed. A quick run has a small
    MLP, and leaves out the paper's 10800 points.
    """
    n_seeds = seeds or (FULL_SEEDS if full else QUICK_SEEDS)
    found = poisson.nested_configs(full, n_seeds)
    for name in PROBLEMS if full else PROBLEMS[1:]:
        for seed in range(n_seeds):
            for method in METHODS:
                n_steps = method.quick_steps if not full else method.paper_steps if name == "paper" else method.n_steps
                sizes = _sizes(method, full, scaled=name == SCALED)
                found += [
                    config_of(name, method.model, shape.pop("widths"), method.optimizer, n_steps, seed, **shape)
                    for shape in sizes
                ]
    return found


def _sizes(method: Method, full: bool, *, scaled: bool) -> list[dict[str, Any]]:
    """Return the shapes of a method's models: grids of KANs, widths of MLPs. The widest MLP has too
    many parameters for least squares.
    """
    if method.model == "kan":
        grids = (5, 10, 20) if full and method.scales and scaled else (5,)
        return [{"widths": [2, 10, 1], "n_intervals": grid, "degree": method.degree} for grid in grids]
    if not full:
        widths: Sequence[list[int]] = SMALLER[:1]
    elif method.optimizer == "lm":
        widths = SMALLER[:2] if scaled else SMALLER[1:2]
    else:
        widths = (*SMALLER, DEEP) if scaled else (DEEP,)
    return [{"widths": list(shape), "activation": "tanh"} for shape in widths]


def run(config: Config) -> dict[str, Any]:
    """Train the model of a configuration; return its errors and CPU seconds."""
    return poisson.run_nested(config) if "grids" in config else poisson.run(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw two rows for each problem: both errors during training, and both against the number of
    parameters. Nested grids have one more row, errors against G and against time.
    """
    nested = [record for record in records if poisson.is_nested(record)]
    plain = [record for record in records if not poisson.is_nested(record)]
    present = [name for name in PROBLEMS if any(record["config"]["problem"] == name for record in plain)]
    n_rows = 2 * len(present) + bool(nested)
    picture = Figure(figsize=(8.2, 3.2 * n_rows + 0.9))
    axes = picture.subplots(max(1, n_rows), 2, squeeze=False)
    if nested:
        poisson.draw_grids(axes[-1, 0], nested)
        poisson.draw_times(axes[-1, 1], records)
    for number, name in enumerate(present):
        row = axes[2 * number : 2 * number + 2].ravel()
        some = [record for record in plain if record["config"]["problem"] == name]
        for column, (key, label) in enumerate((("l2", "$L_2^2$ error"), ("h1", "$H_1^2$ error"))):
            _draw_curves(row[column], some, key, label, f"$u = {poisson.SOLUTIONS[name].formula}$")
            _draw_scaling(row[2 + column], some, key, label)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=2)
    return picture


def _draw_curves(ax: Axes, records: Sequence[Record], key: str, label: str, title: str) -> None:
    for method in METHODS:
        runs = runs_of(records, method, headline=True)
        if not runs:
            continue
        steps, low, middle, high = spread_of(runs, key)
        ax.plot(
            np.maximum(steps, 0.5),
            middle,
            color=method.color,
            ls=method.dash,
            label=f"{method.label(runs[0])}, {seed_count(runs)}",
        )
        ax.fill_between(np.maximum(steps, 0.5), low, high, color=method.color, alpha=0.15, lw=0)
    ax.set(xscale="log", yscale="log", xlabel="step (the start is drawn at 0.5)", ylabel=label, title=title)


def _draw_scaling(ax: Axes, records: Sequence[Record], key: str, label: str) -> None:
    ax.set(xscale="log", yscale="log")
    for method in METHODS:
        runs = runs_of(records, method)
        sizes = sorted({record["results"]["n_params"] for record in runs})
        if not sizes:
            continue
        errors = [
            [record["results"][key] for record in runs if record["results"]["n_params"] == size] for size in sizes
        ]
        middle = np.array([np.median(some) for some in errors])
        bars = np.array([[m - min(some), max(some) - m] for m, some in zip(middle, errors, strict=True)]).T
        ax.errorbar(
            sizes,
            middle,
            yerr=bars,
            color=method.color,
            ls=method.dash,
            marker=method.marker,
            capsize=2,
            elinewidth=1.0,
        )
    _draw_paper(ax, key)
    shown = [record["results"][key] for record in records]
    ax.set(
        ylim=(min(shown) / 4.0, 4.0 * max(shown)),
        xlim=(60.0, 5e4),
        xlabel="number of parameters",
        ylabel=label,
        title="against the number of parameters",
    )


def _draw_paper(ax: Axes, key: str) -> None:
    """Draw the values in the paper's text: a KAN of 1e2 parameters with an L2^2 of 1e-7, an MLP of
    1e4 with 1e-5.
    """
    if key == "l2":
        ax.plot([1e2, 1e4], [1e-7, 1e-5], "*", color=GREY, ms=11)
        for size, error, model in ((1e2, 1e-7, "KAN"), (1e4, 1e-5, "MLP")):
            ax.annotate(
                f"paper: {model}",
                (size, error),
                xytext=(0, -8),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=8.5,
                color=GREY,
                # on top of the curves, which pass here
                bbox={"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.8},
            )


PAPER_KAN, PAPER_MLP = 1e-7, 1e-5  # L2^2
MANY, LESS = 100.0, 10.0  # times: what the paper states, and an order of magnitude less
STEEP = -2.0  # half the exponent -(k + 1) of Theorem 2.1 at k = 3
OURS = {KAN_LM: (3e-7, 5e-5), KAN_LM_5: (1e-9, 1e-7)}  # the largest medians of L2^2 and H1^2 that we call reached
NEAR = 3.0  # times the paper's number counts as its level, which is read off a logarithmic axis


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows for the paper's three statements about its own problem, and for the levels
    reached on both problems. Rows without records are left out.
    """
    rows = []
    plain = [record for record in records if not poisson.is_nested(record)]
    for name in ("paper", "documentation"):
        some = [record for record in plain if record["config"]["problem"] == name]
        if not some:
            continue
        rows += [
            _level_claim(some, name, method)
            for method in (KAN_LM, KAN_LM_5, KAN_LBFGS)
            if runs_of(some, method, headline=True)
        ]
        headlines = {method: runs_of(some, method, headline=True) for method in METHODS}
        if headlines[KAN_LM] and headlines[MLP_LBFGS]:
            rows += [_ratio_claim(some, name), _size_claim(some, name)]
        if headlines[KAN_LM] and headlines[KAN_LBFGS] and headlines[MLP_LBFGS]:
            rows.append(_time_claim(some, name))
        if headlines[KAN_LM] and headlines[MLP_LM]:
            rows.append(_fair_claim(some, name))
        rows += [
            _slope_claim(some, name, method)
            for method in (KAN_LM, KAN_LM_5)
            if len(_sizes_of_models(runs_of(some, method))) > 2
        ]
    return rows + poisson.nested_claims(records)


def _numbers(runs: Sequence[Record], key: str) -> list[float]:
    return [float(run["results"][key]) for run in runs]


def _sizes_of_models(runs: Sequence[Record]) -> list[int]:
    return sorted({run["results"]["n_params"] for run in runs})


def _evidence(runs: Sequence[Record]) -> str:
    config = runs[0]["config"]
    n_points = (
        "10000 + 800 uniform points" if config["problem"] == "paper" else "the mesh of 51 x 51 points and its sides"
    )
    return f"{seed_count(runs)}; {n_points}, alpha = {config['alpha']:g}, {config['n_steps']} steps; errors on 201 x 201 points"


def _level_claim(records: Sequence[Record], name: str, method: Method) -> Claim:
    runs = runs_of(records, method, headline=True)
    l2, h1 = _numbers(runs, "l2"), _numbers(runs, "h1")
    bar = Bar(median(l2), NEAR * PAPER_KAN, most=True, form=".1e")
    meaning = f"median of L2^2 {bar.text}"
    if method in OURS and name == "documentation":
        reached = (median(l2) / OURS[method][0], median(h1) / OURS[method][1])
        bar = Bar(max(reached), 1.0, most=True, form=".2g")
        meaning = f"larger of the medians of L2^2 and H1^2, in units of {OURS[method][0]:g} and {OURS[method][1]:g}, {bar.text}"
    return Claim(
        f"{name}: error of the {method.label(runs[0])}",
        "L2^2 about 1e-7" if name == "paper" else "not run; [2,2,1], G = 20 in the documentation: 1.7e-4",
        f"L2^2 {spread(l2, '.1e')}, H1^2 {spread(h1, '.1e')}",
        bar,
        _evidence(runs) + f"; G = {runs[0]['config']['n_intervals']}; {meaning}",
    )


def _ratio_claim(records: Sequence[Record], name: str) -> Claim:
    kan, mlp = (runs_of(records, method, headline=True) for method in (KAN_LM, MLP_LBFGS))
    ours = float(np.median(_numbers(mlp, "l2")) / np.median(_numbers(kan, "l2")))
    level = median(_numbers(mlp, "l2"))
    reason = (
        f"the MLP's error {level:.1e} is above {10.0 * PAPER_MLP:g}: so few steps do not bring the MLP near the paper's error"
        if level > 10.0 * PAPER_MLP
        else ""
    )
    return Claim(
        f"{name}: the KAN is 100 times as accurate as an MLP of 4 layers of width 100 (L2^2)",
        f"{PAPER_KAN:.0e} against {PAPER_MLP:.0e}",
        f"{np.median(_numbers(kan, 'l2')):.1e} against {spread(_numbers(mlp, 'l2'), '.1e')}: {ours:.0f} times",
        Bar(ours, MANY, LESS, reason=reason),
        f"{shape_name(mlp[0]['config']['widths'])} with L-BFGS, {mlp[0]['config']['n_steps']} steps, {seed_count(mlp)}; the KAN with LM, "
        f"{kan[0]['config']['n_steps']} steps; times as accurate",
    )


def _fair_claim(records: Sequence[Record], name: str) -> Claim:
    kan, mlp = (runs_of(records, method, headline=True) for method in (KAN_LM, MLP_LM))
    ours = float(np.median(_numbers(mlp, "l2")) / np.median(_numbers(kan, "l2")))
    return Claim(
        f"{name}: the KAN is ahead of a small MLP with the same optimizer, too (L2^2)",
        "not tried",
        f"{np.median(_numbers(kan, 'l2')):.1e} against {spread(_numbers(mlp, 'l2'), '.1e')}: {ours:.2g} times",
        Bar(ours, 1.0, form=".2g"),
        f"{kan[0]['results']['n_params']} and {mlp[0]['results']['n_params']} parameters, {mlp[0]['config']['n_steps']} steps of LM, "
        f"{seed_count(mlp)}; {np.median(_numbers(mlp, 'seconds')):.0f} CPU s for the MLP, "
        f"{np.median(_numbers(kan, 'seconds')):.0f} for the KAN; times as accurate",
    )


def _size_claim(records: Sequence[Record], name: str) -> Claim:
    kan, mlp = (_sizes_of_models(runs_of(records, method, headline=True))[-1] for method in (KAN_LM, MLP_LBFGS))
    return Claim(
        f"{name}: with 100 times fewer parameters",
        "1e2 against 1e4",
        f"{kan} against {mlp}: {mlp / kan:.0f} times",
        Bar(mlp / kan, MANY, LESS, form=".0f"),
        "all parameters counted: G + k + 2 an edge; times fewer",
    )


def _time_claim(records: Sequence[Record], name: str) -> Claim:
    def per_step(method: Method) -> list[float]:
        runs = runs_of(records, method, headline=True)
        return [run["results"]["seconds"] / max(1, run["results"]["n_steps"]) for run in runs]

    kan, mlp = per_step(KAN_LBFGS), per_step(MLP_LBFGS)
    ratio = float(np.median(kan) / np.median(mlp))
    lm = _numbers(runs_of(records, KAN_LM, headline=True), "seconds")
    return Claim(
        f"{name}: the KAN trains about 10 times slower",
        "10 times",
        f"{1e3 * np.median(kan):.0f} ms against {1e3 * np.median(mlp):.0f} ms an L-BFGS step: {ratio:.2g} times; "
        f"{np.median(lm):.0f} s in all with LM",
        Bar(ratio, 5.0, form=".2g"),
        "CPU seconds on one thread, errors not counted; times slower",
    )


def _slope(runs: Sequence[Record]) -> float:
    """Return the slope of the median L2 error against the number of parameters; 0 if there is one
    number alone.
    """
    sizes = _sizes_of_models(runs)
    if len(sizes) < 2:
        return 0.0
    squares = [
        np.median([run["results"]["l2"] for run in runs if run["results"]["n_params"] == size]) for size in sizes
    ]
    return slope(sizes, np.sqrt(squares), sizes[0], sizes[-1])


def _slope_claim(records: Sequence[Record], name: str, method: Method) -> Claim:
    runs, others = runs_of(records, method), runs_of(records, MLP_LBFGS)
    found, of_mlps = _slope(runs), _slope(others)
    bar = Bar(found, min(STEEP, of_mlps), of_mlps, most=True, form=".1f")
    return Claim(
        f"{name}: a KAN's error falls steeply with its parameters ({method.label(runs[0])})",
        "steeper than the MLPs'",
        f"L2 ~ parameters^{found:.1f}; MLPs: {of_mlps:.1f}",
        bar,
        f"median over seeds at {', '.join(map(str, _sizes_of_models(runs)))} parameters; MLPs at {', '.join(map(str, _sizes_of_models(others)))}; "
        f"exponent {bar.text}",
    )
