"""Differential equations beyond the paper: errors over seeds, and a solution that becomes a formula.

`further_equations` defines them. All errors are absolute root mean squares on a mesh; the
solutions are of size one.

Optimizers work on the parameters themselves (`precondition=None`), as in the paper.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.equations import poisson
from figures.equations.further_equations import EQUATIONS, Equation
from figures.machine.ladder import count
from figures.machine.machine import Bar, Claim, Config, Record, all_bar, shape_name, spread
from figures.machine.stored_network import symbolic_network
from figures.machine.style import BLUE, GREY, VERMILION

NAME = "equations"
TITLE = "further differential equations, and a formula"
FORMULA = "formula"
QUICK_SEEDS, FULL_SEEDS = 1, 5
MESH = {1: 1001, 2: 101}
KEPT = {1: 201, 2: 41}  # points on each axis that a record keeps for the picture
LEVEL = {
    "pendulum": 1e-6,
    "burgers": 1e-6,
    "layer": 1e-6,
    "heat": 1e-4,
    "helmholtz": 1e-3,
}  # an error below which we call an equation solved
EXACT = 1e-12


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each equation and seed."""
    found = []
    for seed in range(seeds or (FULL_SEEDS if full else QUICK_SEEDS)):
        for name, equation in EQUATIONS.items():
            grids = list(equation.grids if full else equation.quick().grids)
            found.append(
                {"equation": name, "grids": grids, "n_steps": equation.n_steps, "seed": seed}
            )
        found.append({"equation": FORMULA, "n_steps": 60, "seed": seed})
    return found


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record, as measured on one core."""
    if config["equation"] == FORMULA:
        return 22.0
    equation = EQUATIONS[config["equation"]]
    return (
        equation.seconds
        if len(config["grids"]) == len(equation.grids)
        else equation.quick().seconds
    )


def run(config: Config) -> dict[str, Any]:
    """Solve an equation; return the error at the end of every grid, and the solution on a mesh for
    the picture.
    """
    rng = np.random.default_rng(config["seed"])
    if config["equation"] == FORMULA:
        return _find_formula(config, rng)
    equation = EQUATIONS[config["equation"]]
    lattice = equation.mesh(MESH[len(equation.box)])
    exact, began = equation.exact(lattice), time.process_time()
    problem = kr.residual_problem(equation.terms(rng))
    network = kr.init_network(
        equation.widths,
        n_intervals=config["grids"][0],
        degree=equation.degree,
        domain=equation.box,
        rng=rng,
    )
    errors, losses = [], []
    for grid in config["grids"]:
        trained = kr.fit(
            network,
            problem=problem,
            optimizer="lm",
            n_steps=config["n_steps"],
            grids=(grid,),
            precondition=None,
        )
        network = trained.network
        errors.append(float(np.sqrt(np.mean((network(lattice)[:, 0] - exact) ** 2))))
        losses.append(trained.train_rmse)
    seconds = time.process_time() - began
    shown = equation.mesh(KEPT[len(equation.box)])
    values = [float(f"{value:.6g}") for value in network(shown)[:, 0]]
    return {
        "errors": errors,
        "residuals": losses,
        "n_params": network.n_params,
        "seconds": seconds,
        "values": values,
    }


def _find_formula(config: Config, rng: np.random.Generator) -> dict[str, Any]:
    """Solve Poisson's equation by [2,10,1], give samples of the solution to `discover`, and train
    its formula on the equation.
    """
    began = time.process_time()
    problem, lattice = poisson.problem("documentation", rng), poisson.mesh()
    network = kr.init_network((2, 10, 1), n_intervals=5, degree=5, domain=(-1.0, 1.0), rng=rng)
    solved = kr.fit(
        network, problem=problem, optimizer="lm", n_steps=config["n_steps"], precondition=None
    ).network
    x, x_test = rng.uniform(-1.0, 1.0, (2, 1000, 2))
    found = kr.discover(
        kr.Data(x, solved(x), x_test, solved(x_test)), widths=(2, 5, 1), names=("x", "y"), rng=rng
    )
    network = symbolic_network(found)
    named = all(not layer.mask.any() for layer in network.layers)
    last = kr.fit(network, problem=problem, optimizer="lm", n_steps=100, precondition=None)
    steps = [solved, network, last.network]
    recognised = (
        kr.recognise_constants(kr.formula(last.network, names=("x", "y")), x, names=("x", "y"))
        if named
        else None
    )
    return {
        "widths": list(network.widths),
        "named": named,
        "errors": [
            float(np.sqrt(poisson.errors("documentation", step, lattice)[0])) for step in steps
        ],
        "residual": last.train_rmse,
        "formula": None if recognised is None else str(recognised.expression),
        "seconds": time.process_time() - began,
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a row for each equation, the solution on the left and the errors of all seeds on the
    right; the last row has the three steps to a formula.
    """
    present = [name for name in (*EQUATIONS, FORMULA) if _runs(records, name)]
    picture = Figure(figsize=(8.2, 3.2 * len(present)))
    axes = picture.subplots(len(present), 2, squeeze=False)
    for row, name in enumerate(present):
        runs, (upper, lower) = _runs(records, name), axes[row]
        if name == FORMULA:
            _draw_formula(upper, lower, runs)
            continue
        _draw_solution(picture, upper, EQUATIONS[name], runs[0])
        _draw_errors(lower, runs)
    return picture


def _runs(records: Sequence[Record], name: str) -> list[Record]:
    return sorted(
        (record for record in records if record["config"]["equation"] == name),
        key=lambda record: int(record["seed"]),
    )


def _draw_solution(picture: Figure, ax: Axes, equation: Equation, record: Record) -> None:
    n = KEPT[len(equation.box)]
    points, values = equation.mesh(n), np.array(record["results"]["values"])
    ax.set_title(
        f"{equation.title}: ${equation.formula}$\nKAN {shape_name(equation.widths)}, seed {record['seed']}"
    )
    ax.set_xlabel(equation.labels[0])
    if len(equation.box) == 1:
        ax.plot(points[:, 0], equation.exact(points), color=GREY, lw=4.0, alpha=0.4, label="exact")
        ax.plot(points[:, 0], values, color=BLUE, label="network")
        ax.set_ylabel("$u$")
        ax.legend()
        return
    ax.set_ylabel(equation.labels[1])
    (left, right), (low, high) = equation.box
    image = ax.imshow(
        values.reshape(n, n).T,
        origin="lower",
        extent=(left, right, low, high),
        aspect="auto",
        cmap="RdBu_r",
        interpolation="bilinear",
    )
    picture.colorbar(image, ax=ax, label="$u$")


def _draw_errors(ax: Axes, runs: Sequence[Record]) -> None:
    grids = runs[0]["config"]["grids"]
    for record in runs:
        ax.plot(range(len(grids)), record["results"]["errors"], "o-", color=BLUE, alpha=0.6, lw=1.2)
        ax.plot(
            range(len(grids)),
            record["results"]["residuals"],
            "s:",
            color=VERMILION,
            alpha=0.6,
            lw=1.0,
        )
    ax.plot([], [], "o-", color=BLUE, label=f"error of $u$ ({count(runs)})")
    ax.plot([], [], "s:", color=VERMILION, label="weighted residual")
    ax.set_yscale("log")
    ax.set_xticks(range(len(grids)), [str(grid) for grid in grids])
    ax.set_xlim(-0.3, len(grids) - 0.7)
    ax.set_xlabel("intervals per grid, $G$")
    ax.set_ylabel("root mean square")
    ax.legend()


def _draw_formula(upper: Axes, lower: Axes, runs: Sequence[Record]) -> None:
    upper.set_axis_off()
    upper.set_title("Poisson's equation:\nfrom the solution to its formula")
    named = [record for record in runs if record["results"]["named"]]
    formula = named[0]["results"]["formula"] if named else "no formula"
    upper.text(0.5, 0.6, _typeset(formula) if named else formula, ha="center", fontsize=12)
    upper.text(0.5, 0.4, f"found in {len(named)} of {len(runs)} seeds", ha="center", color=GREY)
    for record in runs:
        lower.plot(range(3), record["results"]["errors"], "o-", color=BLUE, alpha=0.6, lw=1.2)
    lower.set_yscale("log")
    lower.set_xticks(range(3), ["[2,10,1]\nsolves", "kr.discover\nnames", "formula\ntrained"])
    lower.set_xlim(-0.4, 2.4)
    lower.set_ylabel("root mean square error of $u$")


def _typeset(formula: str) -> str:
    """Return a formula that SymPy wrote in TeX, for Matplotlib."""
    import sympy

    return f"${sympy.latex(sympy.sympify(formula))}$"


# --- the table


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return one row for each equation; the paper solves Poisson's equation alone, so the levels to
    compare with are ours.
    """
    rows = []
    for name in EQUATIONS:
        runs = _runs(records, name)
        if not runs:
            continue
        errors = [run["results"]["errors"][-1] for run in runs]
        seconds = float(np.median([run["results"]["seconds"] for run in runs]))
        bar = Bar(float(np.median(errors)), LEVEL[name], most=True, form=".1e")
        rows.append(
            Claim(
                f"{EQUATIONS[name].title} equation is solved to {LEVEL[name]:.0e} (median)",
                "not tried",
                f"root mean square error {spread(errors, '.1e')}",
                bar.word,
                f"{count(runs)}, KAN {shape_name(EQUATIONS[name].widths)}, degree {EQUATIONS[name].degree}, "
                f"G = {', '.join(map(str, runs[0]['config']['grids']))}; {seconds:.1f} CPU s; against the exact solution; median {bar.text}",
            )
        )
    runs = _runs(records, FORMULA)
    if runs:
        good = [run["results"]["named"] and run["results"]["errors"][-1] <= EXACT for run in runs]
        bar = all_bar(good)
        rows.append(
            Claim(
                "the solution of Poisson's equation becomes a formula to machine precision",
                "sin(pi x) sin(pi y) in the documentation, [2,2,1] with functions set by hand",
                f"{sum(good)} of {len(good)} seeds; error {spread([run['results']['errors'][-1] for run in runs], '.0e')}",
                bar.word,
                f"{count(runs)}; [2,10,1], degree 5, then kr.discover on 1000 of its values, then the formula's parameters on the equation; seeds, {bar.text}",
            )
        )
    return rows
