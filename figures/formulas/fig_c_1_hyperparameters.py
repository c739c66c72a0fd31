"""Fig. C.1: how the hyperparameters of training affect the interpretability of a network.

Liu et al. 2024, appendix C: [2,5,1] learns exp(sin(pi x) + y^2), whose smallest network has three active edges, with different

    a  weights mu_2 of the entropy       c  weights lambda of the penalty       e  degrees k
    b  seeds                             d  numbers of intervals G

Each row shows three networks with seed 0 (in b with the first three seeds), and counts over all seeds of all values. An
edge is active if its mean magnitude on the training samples, (2.17), is above 1e-2.
The claims are those of appendix C, a row for each of a to e.

Settings are changed one at a time. The paper has its values in the picture alone. These are those of its code's documentation: lambda = 0.01, mu_1 = 1, mu_2 = 2, G = 5,
k = 3, L-BFGS with 20 steps of 20 iterations; row a also at lambda = 0.1, which it uses too. The degrees, and the penalty as it is
printed, are ours. Points are uniform on [-1, 1]^2, 1000 to train and 1000 to test.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.formulas.fig_2_4_symbolic_regression import sparsify
from figures.machine.machine import Bar, Claim, Config, Record, all_bar, median, spread
from figures.machine.pictures import BLUE, GREY, VERMILION, entry
from figures.machine.stored_network import draw_settled, headline, network_panel, stored
from kan_ref.checks import BoolArray

BASE: Config = {
    "widths": [2, 5, 1], "n_train": 1000, "n_test": 1000, "n_steps": 400, "n_intervals": 5, "degree": 3,
    "penalty_weight": 0.01, "l1_weight": 1.0, "entropy_weight": 2.0,
}  # fmt: skip
ACTIVE = 1e-2  # the threshold of the paper's pruning, of a mean magnitude (2.17)
AIM = 3  # active edges of the smallest network, [2,1,1]
FULL_SEEDS, QUICK_SEEDS, DRAWN = 10, 2, 3


@dataclass(frozen=True)
class Row:
    """A row of the figure: the setting `name` takes `values`, with `changes` of the base; `drawn`
    of them are shown, also in quick runs.
    """

    letter: str
    title: str
    symbol: str
    name: str
    values: tuple[float, ...]
    drawn: tuple[float, ...]
    changes: tuple[tuple[str, float], ...] = ()

    @property
    def penalty_weight(self) -> float:
        """Return lambda of the row, unless lambda is its subject."""
        return float({**BASE, **dict(self.changes)}["penalty_weight"])

    def configs(self, seed: int, *, full: bool) -> list[Config]:
        """Return one configuration for each value."""
        return [
            config_of(seed, {**dict(self.changes), self.name: value}) for value in (self.values if full else self.drawn)
        ]


ENTROPY = Row("a", "the weight of the entropy", r"\mu_2", "entropy_weight", (0.0, 2.0, 10.0), (0.0, 2.0, 10.0))
ENTROPY_AT_TENTH = Row("a", "", r"\mu_2", "entropy_weight", (0.0, 2.0, 10.0), (), (("penalty_weight", 0.1),))
SEED = Row("b", "the seed", r"\mathrm{seed}", "seed", (), ())
WEIGHT = Row("c", "the weight of the penalty", r"\lambda", "penalty_weight", (0.0, 0.01, 0.1, 1.0), (0.0, 0.01, 1.0))
GRID = Row("d", "the number of intervals", "G", "n_intervals", (1, 3, 5, 10, 20), (1, 5, 20))
DEGREE = Row("e", "the degree", "k", "degree", (1, 2, 3, 4, 5), (2, 3, 5))
ROWS = (ENTROPY, SEED, WEIGHT, GRID, DEGREE)


def config_of(seed: int, changes: Config) -> Config:
    """Return the configuration of a run."""
    return {"seed": seed, **BASE, **changes}


def runs_of(records: Sequence[Record], row: Row) -> dict[float, list[Record]]:
    """Return a dict from values of the row's setting to the records that otherwise have the row's
    settings; values without records are left out.
    """
    found = {}
    for value in row.values:
        same = [
            record
            for record in records
            if record["config"] == config_of(record["seed"], {**dict(row.changes), row.name: value})
        ]
        if same:
            found[value] = same
    return found


def base_runs(records: Sequence[Record]) -> list[Record]:
    """Return the records of the base, one for each seed."""
    return [record for record in records if record["config"] == config_of(record["seed"], {})]


# --- what is counted


def active(record: Record) -> list[BoolArray]:
    """Return which edges (n_out, n_in) of each layer are active."""
    return [np.array(scores) > ACTIVE for scores in record["results"]["scores"]]


def active_edges(record: Record) -> int:
    """Return the number of active edges."""
    return int(sum(layer.sum() for layer in active(record)))


def active_nodes(record: Record) -> int:
    """Return the number of hidden nodes with an active edge on both sides, (2.21)."""
    lower, upper = active(record)
    return int((lower.any(axis=1) & upper.any(axis=0)).sum())


NAME = "c.1"
TITLE = "hyperparameters and readable networks"

BETA = 10.0  # opacity of an edge: tanh(BETA A); with the paper's 3, edges far above the threshold are invisible


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return each setting and seed once; the base, the subject of row b, has as many seeds as are
    drawn.
    """
    count = seeds or (FULL_SEEDS if full else QUICK_SEEDS)
    found = [config_of(seed, {}) for seed in range(seeds or max(count, DRAWN))]
    for row in (*ROWS, ENTROPY_AT_TENTH):
        found += [config for seed in range(count) for config in row.configs(seed, full=full) if config not in found]
    return found


def run(config: Config) -> dict[str, Any]:
    """Train; return the edges' scores, the errors, and for the first seeds the network."""
    rng = np.random.default_rng(config["seed"])
    data = kr.sample("exp_sin", n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    trained = sparsify(config, data, rng)
    return {
        "scores": [
            [[float(f"{score:.4g}") for score in row] for row in layer]
            for layer in kr.edge_scores(trained.network, data.x_train)
        ],
        "train_rmse": trained.train_rmse,
        "test_rmse": trained.test_rmse,
        "spread": float(np.std(data.y_test)),
        "n_steps": int(trained.history.step[-1]),
        "network": stored(trained.network) if config["seed"] < DRAWN else None,
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a row for each setting: three networks, and the counts of all seeds."""
    picture = Figure(figsize=(9.4, 13.6))
    drawings: list[Callable[[], None]] = []
    strips: Any = picture.subfigures(len(ROWS), 1)  # Any: an array, for the type checker perhaps one alone
    for strip, row in zip(strips, ROWS, strict=True):
        headline(strip, f"{row.letter}   {row.title}")
        left, right = strip.subfigures(1, 2, width_ratios=(DRAWN, 1.2))
        axes = left.subplots(1, DRAWN)
        for ax in axes:
            ax.set_axis_off()
        for ax, (label, record) in zip(axes, _shown(records, row), strict=False):
            title = f"{label}: {active_edges(record)} active\ntest RMSE {record['results']['test_rmse']:.1g}"
            drawings.append(network_panel(ax, title, record["results"]["network"], beta=BETA))
        _draw_seeds(right.subplots(), records) if row is SEED else _draw_counts(right.subplots(), records, row)
    draw_settled(picture, drawings)
    return picture


def _shown(records: Sequence[Record], row: Row) -> list[tuple[str, Record]]:
    """Return the records that a row shows, each with its title."""
    if row is SEED:
        return [(f"seed {record['seed']}", record) for record in base_runs(records) if record["seed"] < DRAWN]
    runs = runs_of(records, row)
    first = [(value, record) for value in row.drawn for record in runs.get(value, []) if record["seed"] == 0]
    return [(f"${row.symbol} = {value:g}$", record) for value, record in first]


def _draw_seeds(ax: Axes, records: Sequence[Record]) -> None:
    some = base_runs(records)
    ax.plot([record["seed"] for record in some], [active_edges(record) for record in some], "o", color=BLUE)
    _frame(ax)
    ax.set_xticks([record["seed"] for record in some])
    ax.set_xlabel("seed")


def _draw_counts(ax: Axes, records: Sequence[Record], row: Row) -> None:
    series = [(row, BLUE), *([(ENTROPY_AT_TENTH, VERMILION)] if row is ENTROPY else [])]
    drawn = [(one, color, runs_of(records, one)) for one, color in series]
    drawn = [(one, color, runs) for one, color, runs in drawn if len(runs) > 1]
    values = [value for value in row.values if any(value in runs for _, _, runs in drawn)] or row.values
    for place, (_, color, runs) in enumerate(drawn):
        for value, some in runs.items():
            at = values.index(value) + 0.36 * (place - (len(drawn) - 1) / 2)
            counts = [active_edges(record) for record in some]
            ax.plot(at + np.linspace(-0.12, 0.12, len(counts)), counts, "o", color=color, ms=4, alpha=0.7)
            ax.plot([at - 0.16, at + 0.16], [np.median(counts)] * 2, color=color, lw=2.2)
    _frame(ax)
    ax.set_xticks(range(len(values)), labels=[f"{value:g}" for value in values])
    ax.set(xlim=(-0.5, len(values) - 0.5), xlabel=f"${row.symbol}$")
    if len(drawn) > 1:
        names = [(f"$\\lambda = {one.penalty_weight:g}$", color) for one, color, _ in drawn]
        ax.legend(
            handles=[entry(name, color, "o") for name, color in names],
            loc="upper right",
            ncols=2,
            handlelength=1.2,  # with the usual length the legend is as wide as the panel
            columnspacing=1.2,
        )


def _frame(ax: Axes) -> None:
    ax.axhline(AIM, color=GREY, ls="--", lw=1.0, zorder=0)
    ax.set_ylim(0.0, 16.0)
    ax.set_yticks([0, 3, 6, 9, 12, 15])
    ax.set_ylabel("active edges")


# --- claims

Runs = dict[float, list[Record]]
LESS = 1.0  # medians that differ by less than one edge, or one node, count as equal


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return one row for each part of the figure, for the entropy one for each weight of the
    penalty. Rows without records are left out.
    """
    rows = []
    for row in (ENTROPY, ENTROPY_AT_TENTH):
        runs = runs_of(records, row)
        if len(runs) > 1 and 0.0 in runs:
            rows.append(_entropy_claim(runs, row.penalty_weight))
    if len(base_runs(records)) > 1:
        rows.append(_seed_claim(base_runs(records)))
    for row, make in ((WEIGHT, _weight_claim), (GRID, _grid_claim), (DEGREE, _degree_claim)):
        runs = runs_of(records, row)
        if len(runs) > 1 and (row is WEIGHT or BASE[row.name] in runs):
            rows.append(make(runs))
    return rows


def _edges(runs: Sequence[Record]) -> list[int]:
    return [active_edges(record) for record in runs]


def _nodes(runs: Sequence[Record]) -> list[int]:
    return [active_nodes(record) for record in runs]


def _counts(name: str, runs: Runs) -> str:
    return "active edges at " + "; ".join(
        f"{name} = {value:g}: {spread(_edges(some), 'g')}" for value, some in runs.items()
    )


def _evidence(runs: Runs) -> str:
    """Return seeds, hidden nodes and errors of each value as text."""
    seeds = sorted({len(some) for some in runs.values()})
    nodes = ", ".join(f"{np.median(_nodes(some)):g}" for some in runs.values())
    alone = ", ".join(str(_nodes(some).count(1)) for some in runs.values())
    errors = ", ".join(f"{np.median([_relative(record) for record in some]):.2g}" for some in runs.values())
    return (
        f"{' to '.join(map(str, seeds))} seeds a value, median and range; hidden nodes (2.21) {nodes} at the median, just one in {alone} "
        f"seeds; test RMSE / std {errors}"
    )


def _relative(record: Record) -> float:
    return float(record["results"]["test_rmse"] / record["results"]["spread"])


def _entropy_claim(runs: Runs, weight: float) -> Claim:
    without, rest = runs[0.0], [some for value, some in runs.items() if value]
    good = [np.median(count(without)) - np.median(count(some)) >= LESS for some in rest for count in (_edges, _nodes)]
    bar = all_bar([bool(one) for one in good])
    return Claim(
        f"a: the entropy is needed, L1 alone leaves duplicates (lambda = {weight:g})",
        "more than 3 active edges without it",
        _counts("mu_2", runs),
        bar,
        f"{_evidence(runs)}; edges and hidden nodes fewer with it at each mu_2, comparisons {bar.text}",
    )


def _seed_claim(some: Sequence[Record]) -> Claim:
    edges = _edges(some)
    errors, bar = [_relative(record) for record in some], Bar(len(set(edges)), 2.0)
    return Claim(
        "b: the seed matters",
        "other networks with other seeds",
        f"{len(set(edges))} different counts of active edges in {len(some)} seeds: {spread(edges, 'g')}",
        bar,
        f"hidden nodes (2.21) {spread(_nodes(some), 'g')}; test RMSE / std {spread(errors, '.2g')}; counts",
    )


def _weight_claim(runs: Runs) -> Claim:
    medians = [median(_edges(runs[value])) for value in sorted(runs)]
    return Claim(
        "c: lambda controls the sparsity",
        "fewer active edges with a larger lambda",
        _counts("lambda", runs),
        all_bar([before > after for before, after in pairwise(medians)]),
        f"{_evidence(runs)}; steps from one lambda to the next where the median falls",
    )


def _grid_claim(runs: Runs) -> Claim:
    coarse, usual, fine = runs[min(runs)], runs[BASE["n_intervals"]], runs[max(runs)]
    good = [
        np.median(count(coarse)) - np.median(count(some)) >= LESS
        for some in (usual, fine)
        for count in (_edges, _nodes)
    ]
    bar = all_bar([bool(one) for one in good])
    return Claim(
        "d: a coarse grid leaves many activations, which act together",
        "more active edges at small G",
        _counts("G", runs),
        bar,
        f"{_evidence(runs)}; edges and hidden nodes more at the coarsest than at G = {BASE['n_intervals']} and at the finest, comparisons {bar.text}",
    )


def _degree_claim(runs: Runs) -> Claim:
    medians = [median(_edges(some)) for some in runs.values()]
    base = _edges(runs[BASE["degree"]])
    between, within = max(medians) - min(medians), max(base) - min(base)
    return Claim(
        "e: the degree has a subtle effect, like another seed",
        "no trend",
        _counts("k", runs),
        Bar(between, within - 0.5, most=True),
        f"{_evidence(runs)}; medians differ by {between:g}, seeds at k = {BASE['degree']} by {within:g}; difference of medians",
    )
