"""Poisson's equation on nested grids: part of Fig. 3.3, beside runs that begin anew on every grid.

A network is trained on a coarse grid, its grids are halved, and training goes on from the same
function: the trained curves are in the finer space, and only what the coarse grid could not
represent remains to be learnt. On a grid of width h a spline of degree k has errors of order
h^(k+1), and its second derivative of order h^(k-1) (de Boor, A Practical Guide to Splines, rev.
ed., ch. XII). The residual of the equation contains second derivatives, so

    (R16)  root of the weighted mean squares of the residuals ~ G^-(k-1)

At k = 5 the optimizer works on scaled variables, the default of `fit`, at k = 3 on the parameters
themselves, as in the paper. At first k = 5 had plain parameters, too, and 30, 25, 20 steps. The median
of L2^2 was then 3.7e-11, above its level. Its present recipe was chosen on the seeds 100 to 104 and
run once on those of the records. Scaled variables do not help at k = 3: the median on the same seeds
was 1.1e-8, against 6.5e-9 of the plain parameters.

A record holds the numbers at the end of every grid. The MLPs are those of Fig. 3.3, trained by the
same optimizer on the same points; their errors during training are in their records.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

import kan_ref as kr
from figures.equations import poisson
from figures.equations.poisson import MLP_LM, runs_of
from figures.machine.machine import Bar, Claim, Config, Record, median, seed_count, shape_name, slope, spread
from figures.machine.style import BLUE, GREEN, ORANGE

PROBLEM = "documentation"
SHAPES = {3: [2, 10, 1], 5: [2, 5, 1]}  # widths by degree
GRIDS = {3: [5, 10, 20, 40], 5: [5, 10, 20]}
STEPS = {3: [30, 25, 20, 20], 5: [45, 40, 30]}  # on each grid in turn
SCALED = {3: {}, 5: {"precondition": "jacobian"}}
COLORS = {3: BLUE, 5: GREEN}
JUDGED = 20  # intervals at which errors are judged
LEVELS = {3: 1e-8, 5: 2e-11}  # the largest medians of L2^2 that we call reached
CHANGED = {
    3: "tried a second time in scaled variables, which gave 1.1e-08 on the same seeds",
    5: "recipe chosen on other seeds after a first result of 3.7e-11 on these had been seen",
}
MLP_LEVEL = 1.3e-9  # L2^2 of an MLP of 921 parameters, with which CPU times are compared
STEEP = -1.8  # of the exponent -(k - 1) = -2 of (R16) at k = 3


def is_nested(record: Record) -> bool:
    """Return whether a record of Fig. 3.3 is one of nested grids."""
    return "grids" in record["config"]


def configs(full: bool, n_seeds: int) -> list[Config]:
    """Return one configuration for each degree and seed; a quick run has two grids."""
    return [
        {
            "problem": PROBLEM,
            "model": "nested kan",
            "widths": SHAPES[degree],
            "degree": degree,
            "grids": GRIDS[degree] if full else GRIDS[degree][:2],
            "optimizer": "lm",
            "n_steps": STEPS[degree][: len(GRIDS[degree]) if full else 2],
            **SCALED[degree],
            "alpha": poisson.ALPHA,
            "seed": seed,
        }
        for seed in range(n_seeds)
        for degree in SHAPES
    ]


def run(config: Config) -> dict[str, Any]:
    """Train a network on each grid in turn; return errors and CPU seconds at the end of each, the
    seconds counted from the start and without the time for measuring errors.
    """
    rng = np.random.default_rng(config["seed"])
    terms, lattice = poisson.problem(config["problem"], rng), poisson.mesh()
    found: dict[str, list[float]] = {key: [] for key in ("n_params", "l2", "h1", "residual", "seconds")}
    began, spent = time.process_time(), 0.0
    network = kr.init_network(
        config["widths"], n_intervals=config["grids"][0], degree=config["degree"], domain=(-1.0, 1.0), rng=rng
    )
    for grid, n_steps in zip(config["grids"], config["n_steps"], strict=True):
        trained = kr.fit(
            network, equations=terms, optimizer=kr.LM(scaled="precondition" in config), n_steps=n_steps, grids=(grid,)
        )
        network = trained.network
        measuring = time.process_time()
        l2, h1 = poisson.errors(config["problem"], network, lattice)
        spent += time.process_time() - measuring
        row = (l2, h1, trained.train_rmse, time.process_time() - began - spent)
        for key, value in zip(found, (network.n_params, *row), strict=True):
            found[key].append(value)
    return found


# --- the table


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows about nested grids, ours beside the paper's statements."""
    nested = [record for record in records if is_nested(record)]
    mlps = _mlps(records)
    rows = []
    for degree in SHAPES:
        runs = [record for record in nested if record["config"]["degree"] == degree]
        if not runs or JUDGED not in runs[0]["config"]["grids"]:
            continue
        rows.append(_level_claim(runs, degree))
        if mlps:
            rows += [_time_claim(runs, mlps, degree), _equal_claim(runs, mlps, degree)]
        if len(runs[0]["config"]["grids"]) > 3:
            rows.append(_slope_claim(runs, degree))
    return rows


def _mlps(records: Sequence[Record]) -> list[Record]:
    """Return the runs of the largest MLP by the same optimizer on the same problem."""
    some = [one for one in records if not is_nested(one) and one["config"]["problem"] == PROBLEM]
    return runs_of(some, MLP_LM, headline=True)


def _at(runs: Sequence[Record], key: str, grid: int = JUDGED) -> list[float]:
    """Return a number of each run at the end of a grid."""
    return [run["results"][key][run["config"]["grids"].index(grid)] for run in runs]


def _name(runs: Sequence[Record]) -> str:
    config = runs[0]["config"]
    return f"nested KAN {shape_name(config['widths'])}, k = {config['degree']}"


def _evidence(runs: Sequence[Record], last: int = JUDGED) -> str:
    config = runs[0]["config"]
    count = config["grids"].index(last) + 1
    return (
        f"{seed_count(runs)}; the mesh of 51 x 51 points and its sides, LM with "
        f"{', '.join(map(str, config['n_steps'][:count]))} steps at G = {', '.join(map(str, config['grids'][:count]))}"
        f"{' in scaled variables' * ('precondition' in config)}"
    )


def _level_claim(runs: Sequence[Record], degree: int) -> Claim:
    errors = _at(runs, "l2")
    bar = Bar(median(errors), LEVELS[degree], most=True, form=".1e")
    return Claim(
        f"{PROBLEM}: error of the {_name(runs)}",
        "not tried",
        f"L2^2 {spread(errors, '.1e')}, H1^2 {spread(_at(runs, 'h1'), '.1e')}",
        bar,
        f"{_evidence(runs)}; errors on 201 x 201 points; {CHANGED[degree]}; median of L2^2 {bar.text}",
    )


def _seconds_to(run: Record, level: float) -> float:
    """Return the CPU seconds after which a run of Fig. 3.3 was first at a level of L2^2, or inf."""
    curve = run["results"]["curve"]
    return min((t for t, e in zip(curve["seconds"], curve["l2"], strict=True) if e <= level), default=np.inf)  # fmt: skip


def _time_claim(runs: Sequence[Record], mlps: Sequence[Record], degree: int) -> Claim:
    # an MLP that never came to the level counts with its whole time, which is less than it needs
    waits = [min(_seconds_to(run, MLP_LEVEL), run["results"]["seconds"]) for run in mlps]
    seconds = _at(runs, "seconds")
    ratio = float(np.median(waits) / np.median(seconds))
    reached = sum(np.isfinite(_seconds_to(run, MLP_LEVEL)) for run in mlps)
    return Claim(
        f"{PROBLEM}: the {_name(runs)} takes less time than an MLP takes to {MLP_LEVEL:g} (L2^2)",
        "not tried",
        f"{spread(seconds, '.1f')} CPU s against {spread(waits, '.1f')}: {ratio:.2g} times",
        Bar(ratio, 1.0, form=".2g"),
        f"{_evidence(runs)}; {shape_name(mlps[0]['config']['widths'])} by LM, {reached} of {len(mlps)} seeds come to that level, "
        f"the others count with the time of their whole run; times faster",
    )


def _equal_claim(runs: Sequence[Record], mlps: Sequence[Record], degree: int) -> Claim:
    limit = median(_at(runs, "seconds"))
    then = []
    for run in mlps:
        curve = run["results"]["curve"]
        then.append(min(e for t, e in zip(curve["seconds"], curve["l2"], strict=True) if t <= limit))  # fmt: skip
    ours = float(np.median(then) / np.median(_at(runs, "l2")))
    return Claim(
        f"{PROBLEM}: the {_name(runs)} is ahead of an MLP of no fewer parameters after equal CPU time (L2^2)",
        "not tried",
        f"{np.median(_at(runs, 'l2')):.1e} against {spread(then, '.1e')}: {ours:.2g} times",
        Bar(ours, 1.0, form=".2g"),
        f"{_evidence(runs)}; {int(_at(runs, 'n_params')[0])} parameters and {mlps[0]['results']['n_params']} of "
        f"{shape_name(mlps[0]['config']['widths'])}, which is taken at its best within {limit:.1f} CPU s; times as accurate",
    )


def _slope_claim(runs: Sequence[Record], degree: int) -> Claim:
    grids = runs[0]["config"]["grids"]
    slopes = [slope(grids, run["results"]["residual"], grids[0], grids[-1]) for run in runs]
    bar = Bar(median(slopes), STEEP, most=True)
    errors = [slope(grids, np.sqrt(run["results"]["l2"]), grids[0], grids[-1]) for run in runs]
    return Claim(
        f"{PROBLEM}: on nested grids the residual falls as G^-(k-1) ({_name(runs)})",
        "not tried",
        f"residual ~ G^{spread(slopes)}, L2 ~ G^{spread(errors)}",
        bar,
        f"{_evidence(runs, grids[-1])}; residual at the points of training; least squares over G = {grids[0]} to {grids[-1]}; median exponent {bar.text}",
    )


# --- the picture


def draw_grids(ax: Axes, records: Sequence[Record]) -> None:
    """Draw residual and L2 error against G: all seeds, and the slopes of (R16)."""
    for record in filter(is_nested, records):
        config, results = record["config"], record["results"]
        color = COLORS[config["degree"]]
        ax.plot(config["grids"], results["residual"], "s:", color=color, alpha=0.6, lw=1.0)
        ax.plot(config["grids"], np.sqrt(results["l2"]), "o-", color=color, alpha=0.6, lw=1.2)
    for degree, color in COLORS.items():
        ax.plot([], [], color=color, label=f"nested {shape_name(SHAPES[degree])}, k = {degree}")
    ax.plot([], [], "ko-", label="$L_2$ error")
    ax.plot([], [], "ks:", label="residual")
    ax.set(xscale="log", yscale="log")
    ticks = sorted({grid for grids in GRIDS.values() for grid in grids})
    ax.set_xticks(ticks, [str(grid) for grid in ticks])
    ax.minorticks_off()
    ax.set(xlabel="intervals per grid, $G$", ylabel="root mean square", title="nested grids")
    # below the panel, because the curves of both degrees fill it
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=8)


def draw_times(ax: Axes, records: Sequence[Record]) -> None:
    """Draw the L2^2 error against CPU time, of nested KANs and of the MLP by the same optimizer."""
    for record in filter(is_nested, records):
        results = record["results"]
        color = COLORS[record["config"]["degree"]]
        ax.plot(results["seconds"], results["l2"], "o-", color=color, alpha=0.6, lw=1.2)
    mlps = _mlps(records)
    for run in mlps:
        curve = run["results"]["curve"]
        ax.plot(curve["seconds"][1:], curve["l2"][1:], color=ORANGE, alpha=0.6, lw=1.2)
    if mlps:
        ax.plot([], [], color=ORANGE, label=MLP_LM.label(mlps[0]))
        # below the panel, because it is too wide for a free corner
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=8)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="CPU seconds",
        ylabel="$L_2^2$ error",
        title="the same optimizer, the same points",
    )
