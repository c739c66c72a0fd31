"""Tables 1 and 2, 15 special functions and 27 Feynman equations by KANs and MLPs, and Figs. 3.2, D.1, D.2, D.3, F.1 and F.2, drawn from their runs.

Liu et al. 2024, sections 3.2 and 3.3, appendices D and F. `problem` has the functions and boxes, `table_method` the
training. KANs have the paper's shapes, width 5, and pruned ones; MLPs the same data, chosen in the same way.

- Table 1: the paper's minimal and best shapes; MLPs of widths 5 and 100.
- Table 2: the paper's human-constructed shapes too (trained, as there; `table_2_human` has them exactly), and for two equations the shape that
  does without poles; MLPs of width 5 with three activations.

A Pareto frontier is the error against the number of parameters. Diagrams show the networks of the first seed: the best ones, whose shape is
chosen on validation data, and the smallest ones with a test error below 1e-2.

Summaries of the records of Tables 1 and 2, medians over seeds and two ways to choose a shape, and their pictures.

The paper reports the lowest test error of all its shapes and seeds. We compare it with our shape of the lowest median over seeds,
so that shapes, but not seeds, are picked by test error as in the paper. A second number needs no test data: in each seed the
shape with the lowest validation error.

The pictures: errors row by row (the tables), Pareto frontiers (Figs 3.2, D.1), best KANs (F.1, D.2), smallest KANs (F.2, D.3).
Each picture has at most two columns, so that it can be read at the width of a page and on a phone.

The claims are the rows of both tables, and the statements of sections 3.2 and 3.3 on sizes and shapes. Every number is a count of rows or comparisons, or a factor, that is judged by the bars in its row. The bars were set before the numbers were
computed: a statement on all rows is a "yes" from nine tenths of them on, and "partly" from half of them on.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import (
    Bar,
    Claim,
    Config,
    DerivedFigure,
    FigureValue,
    Record,
    median,
    seed_count,
    shape_name,
    spread,
)
from figures.machine.pictures import BLUE, GREY, VERMILION, entry
from figures.machine.stored_network import draw_settled, restored
from figures.tables.problem import FEYNMAN, SPECIAL_FUNCTIONS, Problem, named, points
from figures.tables.table_2_human import SMOOTH
from figures.tables.table_method import DRAWN_SEED, KAN, MLP, PRUNED, WIDE, config_of, learn

# --- summaries of the records of Tables 1 and 2, medians over seeds and two ways to choose a shape, and their pictures

BOXES = "the box of the inputs is ours, for the paper states none"
SMALL_ENOUGH = 1e-2  # test error below which the paper looks for its smallest shape


def of_function(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return the records of one function and some kinds of model."""
    return [
        record
        for record in records
        if record["config"]["function"] == problem.name and record["config"]["model"] in models
    ]


def chosen(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return for each seed the record with the smallest validation error."""
    best: dict[int, Record] = {}
    for record in of_function(records, problem, *models):
        seed = int(record["seed"])
        if seed not in best or record["results"]["validation"] < best[seed]["results"]["validation"]:
            best[seed] = record
    return [best[seed] for seed in sorted(best)]


def best_shape(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return the records, ordered by seed, of the shape (and activation) with the lowest median
    test error among shapes that most seeds have.
    """
    groups: dict[str, list[Record]] = {}
    for record in of_function(records, problem, *models):
        config = record["config"]
        groups.setdefault(f"{config['model']} {config['widths']} {config.get('activation')}", []).append(record)
    most = max((len(group) for group in groups.values()), default=0)
    whole = [group for group in groups.values() if 2 * len(group) > most]
    if not whole:
        return []
    best = whole[int(np.argmin([np.median(errors(group)) for group in whole]))]
    return sorted(best, key=lambda record: int(record["seed"]))


def minimal(records: Sequence[Record], problem: Problem) -> Record | None:
    """Return the KAN with the smallest sum of widths whose test error is below 1e-2, the paper's
    criterion, and of several the most accurate one; None if there is none.
    """
    good = [record for record in of_function(records, problem, KAN, PRUNED) if record["results"]["test"] < SMALL_ENOUGH]
    return min(good, key=lambda record: (sum(record["results"]["widths"]), record["results"]["test"]), default=None)


def errors(records: Sequence[Record]) -> list[float]:
    """Return test errors."""
    return [float(record["results"]["test"]) for record in records]


def frontier(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points (parameters, error) of the Pareto frontier.

    Examples
    --------
    >>> frontier([(10, 1.0), (20, 2.0), (20, 0.5), (30, 0.5)])
    [(10, 1.0), (20, 0.5)]
    """
    kept: list[tuple[int, float]] = []
    for size, error in sorted(points):
        if not kept or error < kept[-1][1]:
            kept.append((size, error))
    return kept


# --- pictures

BETA = 3.0
IDLE = 1e-3  # edges whose score is below this share of the layer's largest are left out of a diagram
N_DRAWN = 300  # points behind a diagram's curves
TICKS = (10, 30, 100, 300, 1000, 3000)  # of parameters
WIDTH, COLUMNS = 6.6, 2  # inches and panels of a picture's width


# --- a row for each function


def draw_errors(
    ax: Axes, problems: Sequence[Problem], ours: Callable[[Problem, str], list[float]], **look: Any
) -> None:
    """Draw for each function the test errors: our KAN and MLP, by (problem, model), with their range over seeds, and the paper's best."""
    for place, problem in enumerate(problems):
        for model, paper, color, mark, off in (
            (KAN, problem.best_kan, BLUE, "o", -0.14),
            (MLP, problem.paper["MLP"], VERMILION, "s", 0.14),
        ):
            ax.plot(paper, place + off, mark, color=color, mfc="white", ms=5.5, mew=1.3)
            if found := ours(problem, model):
                ax.plot([min(found), max(found)], [place + off] * 2, color=color, lw=1.2, **look)
                ax.plot(median(found), place + off, mark, color=color, ms=5)
    ax.set_xscale("log")
    ax.set_yticks(range(len(problems)), labels=[problem.name for problem in problems])
    ax.set_ylim(len(problems) - 0.5, -0.5)
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)
    ax.set_xlabel("test RMSE")


def draw_rows(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw the errors of the best shapes row by row."""

    def ours(problem: Problem, model: str) -> list[float]:
        return errors(best_shape(records, problem, *((KAN, PRUNED) if model == KAN else (MLP,))))

    picture = Figure(figsize=(WIDTH, 0.36 * len(problems) + 1.7))
    draw_errors(picture.subplots(), problems, ours, alpha=0.6)
    lines = [
        entry("our KAN: median and range of the seeds", BLUE, "o", ls=""),
        entry("best KAN of the paper", BLUE, "o", ls="", mfc="white"),
        entry("our MLP", VERMILION, "s", ls=""),
        entry("best MLP of the paper", VERMILION, "s", ls="", mfc="white"),
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=2)
    return picture


# --- a panel for each function


def _panels(n: int, height: float, top: float) -> tuple[Figure, list[Axes]]:
    """Return a picture with n panels of so many inches in `COLUMNS` columns; what remains of the last row is blank."""
    n_rows = -(-n // COLUMNS)
    picture = Figure(figsize=(WIDTH, height * n_rows + top))
    axes = list(picture.subplots(n_rows, COLUMNS, squeeze=False).flat)
    for ax in axes[n:]:
        ax.set_axis_off()
    return picture, axes[:n]


def draw_frontiers(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw for each function the test errors of all runs over their numbers of parameters, with the Pareto frontiers of test and training error."""
    picture, axes = _panels(len(problems), 2.15, 0.9)
    for ax, problem in zip(axes, problems, strict=True):
        _draw_pareto(ax, records, problem)
    for ax in axes[-COLUMNS:]:
        ax.set_xlabel("parameters")
    lines = [
        one
        for model, color, mark in (("KAN", BLUE, "o"), ("MLP", VERMILION, "s"))
        for one in (
            entry(f"{model}, test", color, mark),
            entry(f"{model}, training", color, ls=":"),
            entry(f"best {model} of the paper", color, ls="--", lw=1.0),
        )
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=2)
    return picture


def cloud(records: Sequence[Record], problem: Problem, *models: str, error: str = "test") -> list[tuple[int, float]]:
    """Return (parameters, error) of every run of some kinds of model, and of every grid that it passed."""
    runs = of_function(records, problem, *models)
    found = [(int(run["results"]["n_params"]), float(run["results"][error])) for run in runs]
    return found + [(int(rung["n_params"]), float(rung[error])) for run in runs for rung in run["results"]["rungs"]]


def _draw_pareto(ax: Axes, records: Sequence[Record], problem: Problem) -> None:
    ax.set(xscale="log", yscale="log")
    for models, color, mark in (((KAN, PRUNED), BLUE, "o"), ((MLP,), VERMILION, "s")):
        tested = cloud(records, problem, *models)
        trained = cloud(records, problem, *models, error="train")
        if not tested:
            continue
        # hundreds of points, which would make a file of a megabyte as paths
        ax.plot(*zip(*tested, strict=True), mark, color=color, ms=2, alpha=0.2, mew=0, rasterized=True)
        ax.plot(*zip(*frontier(trained), strict=True), color=color, ls=":", lw=1.2)
        ax.plot(*zip(*frontier(tested), strict=True), color=color, marker=mark, ms=3.5, lw=1.4)
    ax.axhline(problem.best_kan, color=BLUE, ls="--", lw=1.0)
    ax.axhline(problem.paper["MLP"], color=VERMILION, ls="--", lw=1.0)
    ax.set(title=problem.name, ylabel="RMSE")
    low, high = ax.get_xlim()
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    ax.minorticks_off()


def draw_diagrams(records: Sequence[Record], problems: Sequence[Problem], *, best: bool) -> Figure:
    """Draw for each function the diagram of a KAN of the first seed: the best one by validation error, or the smallest with a test error below 1e-2."""
    picture, axes = _panels(len(problems), 2.5, 0.3)
    seeds = [record for record in records if record["seed"] == DRAWN_SEED]
    drawings: list[Callable[[], None]] = []
    for ax, problem in zip(axes, problems, strict=True):
        ax.set_axis_off()
        picked = chosen(seeds, problem, KAN, PRUNED)
        record = (picked[0] if picked else None) if best else minimal(seeds, problem)
        if record is None or record["results"]["network"] is None:
            ax.set_title(f"{problem.name}\nnone", color=GREY)
            continue
        results = record["results"]
        ax.set_title(f"{problem.name}\n{shape_name(results['widths'])}, RMSE {results['test']:.1e}")
        drawings.append(partial(_draw_network, ax, record, problem))
    draw_settled(picture, drawings)
    return picture


def _draw_network(ax: Axes, record: Record, problem: Problem) -> None:
    x = points(problem.box, N_DRAWN, np.random.default_rng(0))
    network = without_idle_edges(restored(record["results"]["network"]), x)
    kr.draw_network(network, x, ax=ax, names=problem.names, output_names=("f",), beta=BETA)


def without_idle_edges(network: kr.Network, x: Any) -> kr.Network:
    """Return the network without the edges whose outputs vary by less than `IDLE` of the largest variation of their layer; its drawing would show
    their rounding errors as curves.
    """
    for number, outputs in enumerate(kr.edge_outputs(network, x)):
        spread = outputs.std(axis=0)
        kept = (spread > IDLE * spread.max()).astype(float)
        network = kr.mask_edges(network, number, kept * (np.asarray(network.layers[number].mask) > 0))
    return network


NEARLY_ALL, HALF = 0.9, 0.5
EQUAL, SIMILAR = 3.0, 10.0  # factors between errors that count as about equal, and as partly so


def n_edges(widths: Sequence[int]) -> int:
    """Return the number of edges between nodes of neighbouring layers.

    Examples
    --------
    >>> n_edges([2, 5, 1])
    15
    """
    return sum(n_in * n_out for n_in, n_out in pairwise(widths))


def verdict_on(count: int, n: int) -> Bar:
    """Return the bar of a statement on n cases that holds in so many of them."""
    return Bar(count, math.ceil(NEARLY_ALL * n), math.ceil(HALF * n))


# --- a row for each function


def row_claims(
    records: Sequence[Record], problems: Sequence[Problem], *, beat_mlp: bool, rows_needed: int
) -> list[Claim]:
    """Return a row for each function that has KANs; the first row has the number of those that are
    reached.
    """
    rows, found = [], []
    for problem in problems:
        kans, picked = best_shape(records, problem, KAN, PRUNED), chosen(records, problem, KAN, PRUNED)
        if kans:
            found.append((problem, median(errors(kans)), median(errors(picked))))
            rows.append(_row_claim(problem, kans, picked, best_shape(records, problem, MLP), beat_mlp=beat_mlp))
    if not rows:
        return []
    n, n_all = len(rows), len(problems)
    good = sum(error <= problem.best_kan for problem, error, _ in found)
    below_mlp = sum(error < problem.paper["MLP"] for problem, error, _ in found)
    blind = sum(error <= problem.best_kan for problem, _, error in found)
    reason = f"not all of the {n_all} rows are below the paper's MLP" if beat_mlp and below_mlp < n_all else ""
    head = Claim(
        "our KAN is at or below the paper's best KAN",
        "the errors of its table, row by row",
        f"{good} of {n} rows, below the paper's MLP on {below_mlp}; {blind} with shapes chosen on validation data"
        + ("" if n == n_all else f"; {n_all - n} rows have not been run"),
        Bar(good, rows_needed, 1.0, reason=reason),
        "medians over seeds of the test error; initializations, grids and penalties chosen on validation data, the shape by its median; "
        f"{BOXES}, so that the two numbers belong to different data; the bars are ours"
        + (", and all rows have to be below the paper's MLP" if beat_mlp else "")
        + "; rows",
    )
    return [head, *rows]


def _row_claim(
    problem: Problem, kans: Sequence[Record], picked: Sequence[Record], mlps: Sequence[Record], *, beat_mlp: bool
) -> Claim:
    ours, paper_mlp = errors(kans), problem.paper["MLP"]
    shapes = sorted({shape_name(record["results"]["widths"]) for record in kans})
    share = median([record["results"]["test"] / record["results"]["spread"] for record in kans])
    baseline = f"; our MLP {spread(errors(mlps), '.2e')}" if mlps else ""
    least, most = sorted((problem.best_kan, paper_mlp))
    above = "it is not below the paper's MLP" if beat_mlp and median(ours) >= paper_mlp else ""
    judged = Bar(median(ours), least if beat_mlp else problem.best_kan, most, most=True, form=".2e", reason=above)
    names = ", ".join(f"{name} {shape_name(shape)}" for name, shape in problem.shapes.items())
    return Claim(
        f"{problem.name}, {problem.plain}: test RMSE",
        f"{problem.reported} ({names})",
        f"KAN {spread(ours, '.2e')}, {share:.1e} of std(y), {' or '.join(shapes)}; "
        f"chosen on validation data {spread(errors(picked), '.2e')}{baseline}",
        judged,
        f"{seed_count(kans)}; {BOXES}; median {judged.text}{problem.conflicting}",
    )


# --- KANs and MLPs of equal size


def smallest_error(records: Sequence[Record], problem: Problem, n_most: int) -> float | None:
    """Return the smallest median over seeds of the test error among KANs of at most so many parameters; None if no KAN of one kind, shape and grid
    is that small in most seeds.
    """
    groups: dict[tuple[Any, ...], dict[int, tuple[int, float]]] = {}
    n_seeds = len({record["seed"] for record in records})
    for record in of_function(records, problem, KAN, PRUNED):
        config, results = record["config"], record["results"]
        for rung in [*results["rungs"], {**results, "smoothness": "end"}]:
            # of several rungs of one grid and weight (pruned networks have one ladder for each penalty) the last one counts
            kind = (config["model"], tuple(config["widths"]), rung["smoothness"])
            place = "" if rung["smoothness"] == "end" else rung["n_intervals"]
            found = groups.setdefault((*kind, place), {})
            found[int(record["seed"])] = (int(rung["n_params"]), float(rung["test"]))
    small = [
        median([error for _, error in group.values()])
        for group in groups.values()
        if 2 * len(group) > n_seeds and max(size for size, _ in group.values()) <= n_most
    ]
    return min(small, default=None)


def equal_size_claims(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return for each optimizer of the MLPs a row on whether KANs of at most as many parameters have smaller errors."""
    optimizers = dict.fromkeys(record["config"]["optimizer"] for record in records if record["config"]["model"] == MLP)
    rows = (_equal_size_claim(records, problems, optimizer) for optimizer in optimizers)
    return [row for row in rows if row is not None]


def _equal_size_claim(records: Sequence[Record], problems: Sequence[Problem], optimizer: str) -> Claim | None:
    n_won, n_compared, n_without, sizes = 0, 0, 0, set()
    for problem in problems:
        runs = of_function(records, problem, MLP)
        runs = [record for record in runs if record["config"]["optimizer"] == optimizer]
        for widths in sorted({tuple(record["config"]["widths"]) for record in runs}):
            shaped = [record for record in runs if tuple(record["config"]["widths"]) == widths]
            mlps = best_shape(shaped, problem, MLP)
            size = int(mlps[0]["results"]["n_params"])
            ours = smallest_error(records, problem, size)
            sizes.add(size)
            n_compared += 1
            n_without += ours is None
            n_won += ours is not None and ours < median(errors(mlps))
    if not n_compared:
        return None
    name = {"lm": "Levenberg-Marquardt", "lbfgs": "L-BFGS"}[optimizer]
    return Claim(
        f"KANs have smaller test errors than MLPs of equal size, MLPs trained by {name}",
        "KANs below MLPs in all panels",
        f"in {n_won} of {n_compared} comparisons; in {n_without} of them no KAN is that small",
        verdict_on(n_won, n_compared),
        f"MLPs of {' or '.join(map(str, sorted(sizes)))} parameters, the best activation, against the best KAN of at most as many, trained by "
        f"Levenberg-Marquardt; medians over seeds, shapes and grids by their test error; {BOXES}; comparisons won",
    )


def about_equal_claim(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the row on whether the best KANs and MLPs of all sizes are about equal on average; none without both."""
    ratios = []
    for problem in problems:
        kans, mlps = (errors(best_shape(records, problem, *models)) for models in ((KAN, PRUNED), (MLP,)))
        if kans and mlps:
            ratios.append(float(np.median(mlps) / np.median(kans)))
    if not ratios:
        return []
    mean = float(np.exp(np.mean(np.log(ratios))))
    n_below = sum(ratio > 1.0 for ratio in ratios)
    side = "below" if mean > 1.0 else "above"
    return [
        Claim(
            "KANs and MLPs are about equal on average over the equations",
            "comparable on average",
            f"KANs are {side} by a factor {max(mean, 1.0 / mean):.3g} in the geometric mean, and below in {n_below} of {len(ratios)} rows",
            Bar(max(mean, 1.0 / mean), EQUAL, SIMILAR, most=True),
            f"best shapes by their median over seeds, whatever their size: KANs have up to 800 parameters, MLPs 51 to 71; {BOXES}; factor",
        )
    ]


# --- shapes


def paper_shape_claim(records: Sequence[Record], problems: Sequence[Problem], kind: str) -> list[Claim]:
    """Return the row on the paper's "best" or "minimal" shapes: whether ours of that shape reach its error, or an error below 1e-2."""
    reached, n = [], 0
    for problem in problems:
        runs = [
            run for run in of_function(records, problem, KAN) if tuple(run["config"]["widths"]) == problem.shapes[kind]
        ]
        n += bool(runs)
        if runs and median(errors(runs)) <= (problem.best_kan if kind == "best" else SMALL_ENOUGH):
            reached.append(problem.name)
    if not n:
        return []
    run_ones = [problem.name for problem in problems if of_function(records, problem, KAN)]
    lacking = [name for name in run_ones if name not in reached]
    text = (
        "a KAN of the paper's best shape is at or below the paper's error"
        if kind == "best"
        else "a KAN of the paper's smallest shape has a test error below 1e-2"
    )
    return [
        Claim(
            text,
            "all rows",
            f"{len(reached)} of {n} rows" + (f", not {', '.join(lacking)}" if lacking and len(lacking) <= 8 else ""),
            verdict_on(len(reached), n),
            f"medians over seeds; {BOXES}; rows",
        )
    ]


def smaller_than_human_claim(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the row on whether shapes found by pruning have fewer edges than the shapes that people construct; none without pruned networks."""
    smaller, equal, n = 0, 0, 0
    for problem in problems:
        runs, human = of_function(records, problem, PRUNED), n_edges(problem.shapes["human"])
        sizes = [n_edges(run["results"]["widths"]) for run in runs if run["results"]["test"] < SMALL_ENOUGH]
        smaller += 2 * sum(size < human for size in sizes) > len(runs)
        equal += 2 * sizes.count(human) > len(runs)
        n += bool(runs)
    if not n:
        return []
    return [
        Claim(
            "shapes that are found automatically are mostly smaller than those that people construct",
            "mostly smaller",
            f"in {smaller} of {n} rows; of equal size in {equal}",
            Bar(smaller, math.ceil(HALF * n), 1.0),
            f"smaller: in most seeds the network pruned from width 5 has fewer edges than the paper's human-constructed shape, and a test error "
            f"below {SMALL_ENOUGH:g}; pruning keeps the two layers that it begins with; {BOXES}; rows",
        )
    ]


# --- tables 1 and 2, 15 special functions and 27 Feynman equations by KANs and MLPs, and Figs. 3.2, D.1, D.2, D.3, F.1 and F.2, drawn from their runs

Shape = tuple[int, ...]


@dataclass(eq=False)
class TableFigure(FigureValue):
    """A table of `problems`; `mlps` gives the widths and the activation of each MLP of a full run, and `beat_mlp` and `rows_needed` are those of `row_claims`."""

    problems: Sequence[Problem]
    mlps: Callable[[int], list[tuple[Shape, str]]]
    beat_mlp: bool
    rows_needed: int

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each function, model, shape and seed."""
        models = [(problem, model) for problem in self.problems for model in self._models(problem, full=full)]
        return [
            config_of(problem, kind, widths, seed, full=full, activation=activation)
            for seed in range(seeds or (5 if full else 1))
            for problem, (kind, widths, activation) in models
        ]

    def _models(self, problem: Problem, *, full: bool) -> list[tuple[str, Shape, str]]:
        """Return the kind, widths and activation of each model of a function."""
        n_in, wide = problem.n_in, (problem.n_in, WIDE, 1)
        mlps = [(MLP, widths, activation) for widths, activation in self.mlps(n_in)]
        shapes = [*problem.shapes.values(), wide, (n_in, WIDE, WIDE, 1)] if full else [problem.shapes["best"], wide]
        if full and problem.name in SMOOTH:
            shapes.append((n_in, *(len(nodes) for nodes in SMOOTH[problem.name].layers)))
        kans = [(KAN, shape, "") for shape in dict.fromkeys(shapes)]
        return [*kans, (PRUNED, wide, ""), *mlps] if full else [*kans, mlps[0]]

    def run(self, config: Config) -> dict[str, Any]:
        """Train the model of a configuration on its function and return the errors."""
        return learn(named(self.problems, config["function"]), config)

    def draw(self, records: Sequence[Record]) -> Figure:
        """Draw the errors row by row."""
        return draw_rows(records, self.problems)

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Return the number of rows that are reached, and a row for each function."""
        return row_claims(records, self.problems, beat_mlp=self.beat_mlp, rows_needed=self.rows_needed)


def _tanh_mlps(n_in: int) -> list[tuple[Shape, str]]:
    shapes = [(n_in, WIDE, WIDE, 1), (n_in, WIDE, WIDE, WIDE, 1), (n_in, 100, 1)]
    return [(shape, "tanh") for shape in shapes]


def _mlps_of_width_5(n_in: int) -> list[tuple[Shape, str]]:
    return [((n_in, WIDE, WIDE, 1), activation) for activation in ("tanh", "relu", "silu")]


table_1 = TableFigure(
    f"{__name__}.table_1", "table-1", "special functions", SPECIAL_FUNCTIONS, _tanh_mlps, beat_mlp=True, rows_needed=13
)
table_2 = TableFigure(
    f"{__name__}.table_2", "table-2", "Feynman equations", FEYNMAN, _mlps_of_width_5, beat_mlp=False, rows_needed=22
)

# --- figures that are drawn from the runs of a table


def _drawn(file: str, name: str, title: str, table: TableFigure, draw: Any, claims: Any) -> DerivedFigure:
    """Return a figure on all problems of a table, which `draw` and `claims` take as `problems`."""
    drawn, claimed = (partial(function, problems=table.problems) for function in (draw, claims))
    return DerivedFigure(f"{__name__}.{file}", name, title, (table,), drawn, claimed)


BEST, SMALLEST = partial(draw_diagrams, best=True), partial(draw_diagrams, best=False)
BEST_SHAPES, SMALLEST_SHAPES = partial(paper_shape_claim, kind="best"), partial(paper_shape_claim, kind="minimal")


def _all_sizes(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the rows on KANs and MLPs of any and of equal size."""
    return [*about_equal_claim(records, problems), *equal_size_claims(records, problems)]


def _smallest(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the rows on the paper's smallest shapes, and on automatic and human shapes."""
    return [*SMALLEST_SHAPES(records, problems), *smaller_than_human_claim(records, problems)]


fig_3_2_frontiers = _drawn(
    "fig_3_2_frontiers", "3.2", "Pareto frontiers of special functions", table_1, draw_frontiers, equal_size_claims
)
fig_f_1_best = _drawn("fig_f_1_best", "f.1", "best KANs of special functions", table_1, BEST, BEST_SHAPES)
fig_f_2_minimal = _drawn(
    "fig_f_2_minimal", "f.2", "smallest KANs of special functions", table_1, SMALLEST, SMALLEST_SHAPES
)
fig_d_1_frontiers = _drawn(
    "fig_d_1_frontiers", "d.1", "Pareto frontiers of Feynman equations", table_2, draw_frontiers, _all_sizes
)
fig_d_2_best = _drawn("fig_d_2_best", "d.2", "best KANs of Feynman equations", table_2, BEST, BEST_SHAPES)
fig_d_3_minimal = _drawn("fig_d_3_minimal", "d.3", "smallest KANs of Feynman equations", table_2, SMALLEST, _smallest)
