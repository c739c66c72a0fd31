"""Tables 1 and 2 under one rule: KANs and MLPs on the same points, in equal CPU time, and at equal numbers of parameters.

Liu et al. 2024, sections 3.2 and 3.3. The rule was fixed before the run. The picture
shows the errors row by row, and MLPs against KANs of equal size. Rows of the table of claims compare with the paper's errors, and KANs with
MLPs of equal size. Their bars were set before the run. Several seeds count by their medians.

The rule by which Tables 1 and 2 are computed again, for KANs and MLPs alike, fixed before the run. It runs with
five seeds, which draw points and networks, and whose medians are judged.

Points. 1000 training points, the same for KAN and MLP, uniform on the box of `problem`; 200 of them are held out, and every choice is made by
the error on these. 10000 test points, which choose nothing. Inputs are scaled to [-1, 1], targets standardised; errors are in units of y.

Sizes. About 60, 120, 250 and 520 parameters, each within 5 % of the size, so that a KAN and an MLP of a size differ by at most a tenth.
Every record of a table has the same CPU seconds of search, 36 in Table 1 and 12 in Table 2, divided among the four sizes (`SHARES`), the same for
KAN and MLP.

Architectures. KANs: hidden widths of `HIDDEN` and the shapes that the paper reports for the row, degree 3 or 5; the number of intervals, at
least 2, follows from the size. MLPs: 1 to 4 hidden layers of widths that differ by at most 1, and follow from the size; tanh or silu.
What does not come within 5 % of the size is left out.

Search at one size, by Levenberg-Marquardt on the 800 points:

    finer grids   KANs alone: the best networks of the size below, one of each of at most 3 architectures, on the grids of this size
    starts        random networks, until half of the time is over; after each round the better half of the architectures (at
                  least 2) gets another round
    more steps    the best 8 networks get more steps, then the best 4 of these, 2, and the best one as long as there is time

KANs have scaled variables, the default of `kan_ref.fit`, and the same small smoothness penalty in all but the first steps. MLPs have the
plain variables, their default. A step of a small MLP takes about a third of the time of a KAN's, so that MLPs have 50 first steps where KANs
have 20, and 150 where KANs have 60. Damping starts anew with every run of the optimizer, which costs about ten steps, and again wherever hidden
grids move. So runs are long, and after the first steps hidden grids move before a run alone, where the image of a point of the box lies outside.

So a KAN of 520 parameters has had the time of all four sizes, by grid extension. An MLP of 520 parameters has had that of its own size, some
hundred steps, starts included. The chosen networks are compared without such a difference: in equal time, whatever their size.

End. For each size the network with the smallest held-out error is trained further for 60 (150) steps with all 1000 points. Its test error counts
at this size; that of the size with the smallest held-out error counts in the table. Hidden grids contain the images of the whole box.

The number of starts follows from the time. So a second run on another machine differs in digits; the records have the numbers of starts.
The constants were set on four functions that are not in the tables. With the first ones, runs of 20 (50) steps whose hidden grids moved at any
time, and a smoothness of 1e-9, 11 rows of Table 1 and 22 of Table 2 reached the paper's best KAN. Length, grids and smoothness were then set
again, on six other functions and other seeds, before the second run: the Struve, Gegenbauer, Kummer, Tricomi, Hurwitz zeta and beta functions
of two arguments, whose median errors of three seeds became 0.05 to 1.3 times those of before. In that run, with 12 seconds a record, 13 rows of
Table 1 and 24 of Table 2 reached the paper's best KAN. It is the one recorded for Table 2. Table 1 was computed a third time with 36 seconds,
because its training errors were still falling when the time was over, and nothing else was changed. On the six functions, two seeds each, that
made test errors 0.47 times as large in the median (0.02 to 245 times). In Table 1 14 rows reach the paper's best KAN now.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, FigureValue, Record, median, seed_count, shape_name, spread
from figures.machine.pictures import BLUE, GREY, VERMILION, entry
from figures.machine.training import blind, rmse
from figures.splines.fig_u_shape import off_a_grid, place_grids
from figures.tables.problem import FEYNMAN, N_TEST, N_TRAIN, SPECIAL_FUNCTIONS, Problem, named, sample
from figures.tables.table_method import KAN, MLP, in_units, n_params, probe_of, set_aside
from figures.tables.tables_1_and_2 import BOXES, draw_errors, of_function, verdict_on
from kan_ref.checks import FloatArray

# --- the rule by which Tables 1 and 2 are computed again, for KANs and MLPs alike, fixed before the run. It runs with five seeds, which draw points and networks, and whose medians are judged

SIZES = (60, 120, 250, 520)
SHARES = (0.15, 0.3, 0.25, 0.3)  # of the time
TOLERANCE = 0.05  # of the size
SAME_SIZE = 2.0 * TOLERANCE
QUICK_SECONDS = 0.5
HIDDEN = ((1,), (2,), (3,), (5,), (2, 1), (2, 2), (3, 2), (2, 2, 1), (5, 5))
DEGREES = (3, 5)
FEWEST_INTERVALS = 2
DEPTHS = (1, 2, 3, 4)  # hidden layers of an MLP
ACTIVATIONS = ("tanh", "silu")
_COMMON: Config = {
    "n_train": N_TRAIN, "n_test": N_TEST, "held_out": 0.2, "sizes": list(SIZES), "shares": list(SHARES),
    "tolerance": TOLERANCE, "start_share": 0.5, "n_active": 8,
}  # fmt: skip


@dataclass(frozen=True)
class Architecture:
    """Widths of a network; of a KAN its degree and number of intervals, of an MLP its activation."""

    widths: tuple[int, ...]
    degree: int = 0
    n_intervals: int = 0
    activation: str = ""

    @property
    def family(self) -> tuple[tuple[int, ...], int]:
        """What a KAN has in common on all grids."""
        return self.widths, self.degree


def configs_of(
    problems: Sequence[Problem], seconds: float, *, full: bool, seeds: int | None, n_seeds: int
) -> list[Config]:
    """Return one configuration for each function, model and seed; if `seeds` is None, `n_seeds` of them, or one for a quick look."""
    seconds = seconds if full else QUICK_SECONDS
    return [
        config_of(problem, model, seed, seconds)
        for seed in range(seeds or (n_seeds if full else 1))
        for problem in problems
        for model in (KAN, MLP)
    ]


def config_of(problem: Problem, model: str, seed: int, seconds: float) -> Config:
    """Return the configuration of a search in so many CPU seconds, the definition of the function included."""
    first, steps = (20, 60) if model == KAN else (50, 150)
    config = {
        "function": problem.name,
        "definition": problem.plain,
        "box": [list(bounds) for bounds in problem.box],
        "model": model,
        "seed": seed,
        "seconds": seconds,
        "start_steps": first,
        "more_steps": steps,
        "end_steps": steps,
        **_COMMON,
    }
    if model == MLP:
        return {**config, "n_in": problem.n_in, "depths": list(DEPTHS), "activations": list(ACTIVATIONS)}
    reported = [shape[1:-1] for shape in problem.shapes.values()]
    return {
        **config,
        "shapes": [[problem.n_in, *hidden, 1] for hidden in dict.fromkeys([*HIDDEN, *reported])],
        "degrees": list(DEGREES),
        "fewest_intervals": FEWEST_INTERVALS,
        "smoothness": 1e-8,
        "n_refined": 3,
    }


def architectures(config: Config, size: int) -> list[Architecture]:
    """Return the architectures of a configuration whose number of parameters is within the tolerance of the size."""
    most = config["tolerance"] * size
    if config["model"] == MLP:
        by_depth = [mlp_widths(config["n_in"], depth, size) for depth in config["depths"]]
        return [
            Architecture(widths, activation=activation)
            for widths in by_depth
            if abs(sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths)) - size) <= most
            for activation in config["activations"]
        ]
    found = []
    for widths, degree in product(config["shapes"], config["degrees"]):
        n_edges = sum(n_in * n_out for n_in, n_out in pairwise(widths))
        n_intervals = round(size / n_edges) - degree - 2
        near = abs(n_params(widths, n_intervals, degree) - size) <= most
        if near and n_intervals >= config["fewest_intervals"]:
            found.append(Architecture(tuple(widths), degree, n_intervals))
    return found


def mlp_widths(n_in: int, depth: int, size: int) -> tuple[int, ...]:
    """Return the widths of the MLP with the number of parameters nearest to the size; hidden widths differ by at most 1, wider ones first.

    Examples
    --------
    >>> mlp_widths(2, 2, 60)
    (2, 6, 5, 1)
    """
    hidden = ((width + 1,) * wider + (width,) * (depth - wider) for width in range(1, size) for wider in range(depth))
    return min(
        ((n_in, *widths, 1) for widths in hidden),
        key=lambda widths: abs(sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths)) - size),
    )


# --- the search

N_PROBE = 1000  # random points of the box, without values, that hidden grids have to contain

Clock = Callable[[], float]


@dataclass(frozen=True)
class Trial:
    """A network in training: its architecture, and its error on the held-out points."""

    architecture: Architecture
    network: Any
    validation: float


@dataclass
class Search:
    """What the trials of one record share: the points of training, the settings, the clock."""

    data: kr.Data  # all points; x in [-1, 1], y standardised
    part: kr.Data  # four fifths of them, the others as test points
    probe: FloatArray
    config: Config
    rng: np.random.Generator
    clock: Clock
    n_starts: int = 0

    def start(self, architecture: Architecture) -> Trial:
        """Return a network from random parameters after the first steps."""
        self.n_starts += 1
        if architecture.degree:
            network: Any = kr.init_network(
                architecture.widths,
                n_intervals=architecture.n_intervals,
                degree=architecture.degree,
                domain=(-1.0, 1.0),
                x=self.part.x_train,
                y=self.part.y_train,
                rng=self.rng,
            )
        else:
            network = kr.init_mlp(architecture.widths, activation=architecture.activation, rng=self.rng)
        return self._judged(architecture, network, "start_steps")

    def refined(self, trial: Trial, finer: Architecture) -> Trial:
        """Return a KAN on finer grids after some steps there."""
        return self._judged(finer, place_grids(trial.network, self.probe, finer.n_intervals, margin=True), "more_steps")

    def continued(self, trial: Trial) -> Trial:
        """Return the trial after more steps."""
        return self._judged(trial.architecture, trial.network, "more_steps")

    def _judged(self, architecture: Architecture, network: Any, steps: str) -> Trial:
        """Return a network after steps on the part of the points that is not held out."""
        network = self.trained(network, self.part, steps)
        error = rmse(network, self.part.x_test, self.part.y_test)
        return Trial(architecture, network, error if np.isfinite(error) else np.inf)

    def trained(self, network: Any, data: kr.Data, steps: str) -> Any:
        """Return a network after so many steps as the configuration says; in the first ones alone hidden grids follow the activations."""
        options: dict[str, Any] = {}
        if isinstance(network, kr.Network):
            if off_a_grid(network, self.probe).any():
                network = place_grids(network, self.probe, network.layers[0].n_intervals, margin=True)
            first = steps == "start_steps"
            options = {"smoothness_weight": 0.0 if first else self.config["smoothness"], "update_grids": first}
        return kr.fit(network, blind(data), optimizer="lm", n_steps=self.config[steps], **options).network


def trials_of_size(search: Search, size: int, before: Sequence[Trial], seconds: float) -> list[Trial]:
    """Return the trials of one size after so many seconds, that with the smallest held-out error first.

    `before` are the trials of the size below in this order.
    """
    known, began = architectures(search.config, size), search.clock()

    def spent() -> float:
        return (search.clock() - began) / seconds

    trials = finer_trials(search, known, before)
    trials += first_trials(search, known, spent)
    trials += longer_trials(search, trials, spent)
    return sorted(trials, key=_validation)


def finer_trials(search: Search, known: Sequence[Architecture], before: Sequence[Trial]) -> list[Trial]:
    """Return the best trials of the size below on finer grids, one of each architecture; none for MLPs."""
    finer = {one.family: one for one in known if one.degree}
    best: dict[Any, Trial] = {}
    for trial in before:
        if trial.architecture.family in finer:
            best.setdefault(trial.architecture.family, trial)
    chosen = list(best.items())[: search.config.get("n_refined", 0)]
    return [search.refined(trial, finer[family]) for family, trial in chosen]


def first_trials(search: Search, known: Sequence[Architecture], spent: Callable[[], float]) -> list[Trial]:
    """Return trials from random networks, at least one; after each round the better half of the architectures gets another one."""
    trials: list[Trial] = []
    left = list(known)
    while not trials or spent() < search.config["start_share"]:
        least = dict.fromkeys(left, np.inf)
        for architecture in left:
            if trials and spent() >= search.config["start_share"]:
                return trials
            trials.append(search.start(architecture))
        for trial in trials:
            if trial.architecture in least:
                least[trial.architecture] = min(least[trial.architecture], trial.validation)
        left = sorted(left, key=least.__getitem__)[: max(2, -(-len(left) // 2))]
    return trials


def longer_trials(search: Search, trials: Sequence[Trial], spent: Callable[[], float]) -> list[Trial]:
    """Return the best trials after more steps; after each round the better half goes on, the best one as long as there is time."""
    longer: list[Trial] = []
    active, n_active = list(trials), int(search.config["n_active"])
    while spent() < 1.0:
        chosen, active = sorted(active, key=_validation)[:n_active], []
        for trial in chosen:
            if spent() >= 1.0:
                break
            active.append(search.continued(trial))
        longer += active
        n_active = max(1, n_active // 2)
    return longer


def _validation(trial: Trial) -> float:
    return trial.validation


def learn(problem: Problem, config: Config, clock: Clock = time.process_time) -> dict[str, Any]:
    """Return for each size the errors of the best network by the held-out points."""
    rng = np.random.default_rng(config["seed"])
    raw = sample(problem, rng, n_train=config["n_train"], n_test=config["n_test"])
    mean, spread = float(raw.y_train.mean()), float(raw.y_train.std())
    x, x_test = (in_units(some, config["box"]) for some in (raw.x_train, raw.x_test))
    y, y_test = ((some - mean) / spread for some in (raw.y_train, raw.y_test))
    data = kr.Data(x, y, x_test, y_test)
    probe = probe_of(x, ((-1.0, 1.0),) * problem.n_in, N_PROBE)
    search = Search(data, set_aside(data, config["held_out"]), probe, config, rng, clock)

    began, found = clock(), []
    trials: list[Trial] = []
    for size, share in zip(config["sizes"], config["shares"], strict=True):
        n_before, at = search.n_starts, clock()
        trials = trials_of_size(search, size, trials, share * config["seconds"])
        best = trials[0]
        network = search.trained(best.network, data, "end_steps")
        found.append(
            {
                "size": size,
                "widths": list(best.architecture.widths),
                "degree": best.architecture.degree,
                "n_intervals": best.architecture.n_intervals,
                "activation": best.architecture.activation,
                "n_params": network.n_params,
                "validation": spread * best.validation,
                "train": spread * rmse(network, x, y),
                "test": spread * rmse(network, x_test, y_test),
                "n_starts": search.n_starts - n_before,
                "seconds": round(clock() - at, 3),
            }
        )
    return {
        "sizes": found,
        "chosen": int(np.argmin([one["validation"] for one in found])),
        "spread": float(np.std(raw.y_test)),
        "seconds": round(clock() - began, 3),
    }


# --- tables 1 and 2 under one rule: KANs and MLPs on the same points, in equal CPU time, and at equal numbers of parameters

# --- claims


def chosen(records: Sequence[Record], problem: Problem, model: str) -> list[dict[str, Any]]:
    """Return for each seed the network of the size with the smallest error on the held-out points."""
    return [record["results"]["sizes"][record["results"]["chosen"]] for record in of_function(records, problem, model)]


def chosen_errors(records: Sequence[Record], problem: Problem, model: str) -> list[float]:
    """Return the test errors of the chosen networks."""
    return [float(one["test"]) for one in chosen(records, problem, model)]


def mlp_to_kan(records: Sequence[Record], problem: Problem, size: int) -> float | None:
    """Return the MLP's error at a size in units of the KAN's, medians over seeds; None where one of them is missing."""
    found = []
    for model in (KAN, MLP):
        sizes = [one for record in of_function(records, problem, model) for one in record["results"]["sizes"]]
        found.append([float(one["test"]) for one in sizes if one["size"] == size])
    kan, mlp = found
    return median(mlp) / median(kan) if kan and mlp else None


def _median(records: Sequence[Record], problem: Problem, model: str) -> float:
    return median(chosen_errors(records, problem, model))


def _conditions(records: Sequence[Record]) -> str:
    seconds = median([record["config"]["seconds"] for record in records])
    seeds = seed_count({record["seed"] for record in records})
    return (
        f"{seeds}, the same 1000 points for KAN and MLP; Levenberg-Marquardt, {seconds:g} CPU s of search for "
        f"each; everything chosen on held-out points; {BOXES}"
    )


def _against_mlps(claim: str, paper: str, ratios: dict[str, float], evidence: str, note: str = "") -> list[Claim]:
    """Return the row on errors of MLPs in units of the KANs', by function; none without them."""
    if not ratios:
        return []
    lost = [name for name, ratio in ratios.items() if not ratio > 1.0]
    n_won = len(ratios) - len(lost)
    bar = verdict_on(n_won, len(ratios))
    names = f": {', '.join(lost)}" if lost else ""
    won = f"the KAN in {n_won} of {len(ratios)} rows, the MLP in {len(lost)}{names}"
    ours = f"{won}; MLP / KAN {spread(list(ratios.values()), '.2g')}{note}"
    return [Claim(f"one rule: {claim}", paper, ours, bar, f"{evidence}; rows, {bar.text}")]


def _equal_time(records: Sequence[Record], run: Sequence[Problem]) -> list[Claim]:
    both = [one for one in run if of_function(records, one, MLP)]
    return _against_mlps(
        "the KAN has a smaller test error than the MLP in equal CPU time",
        "not tried",
        {one.name: _median(records, one, MLP) / _median(records, one, KAN) for one in both},
        f"{_conditions(records)}; sizes of {SIZES[0]} to {SIZES[-1]} parameters",
    )


def _equal_size(records: Sequence[Record], run: Sequence[Problem], size: int) -> list[Claim]:
    ratios = {one.name: ratio for one in run if (ratio := mlp_to_kan(records, one, size)) is not None}
    without = len(run) - len(ratios)
    return _against_mlps(
        f"at {size} parameters the KAN has a smaller test error than the MLP",
        "KANs below MLPs in all panels of Figs. 3.2 and D.1",
        ratios,
        f"numbers of parameters within {100 * SAME_SIZE:.0f} % of each other, and the same CPU time for this size; KANs go on from the size "
        f"below, MLPs of every size begin anew; {_conditions(records)}",
        f"; no KAN of that size in {without}" if without else "",
    )


def _row(records: Sequence[Record], problem: Problem) -> Claim:
    kans, mlps = (chosen(records, problem, model) for model in (KAN, MLP))
    ours = chosen_errors(records, problem, KAN)
    least, most = sorted((problem.best_kan, problem.paper["MLP"]))
    judged = Bar(median(ours), problem.best_kan, most if most > least else None, most=True, form=".2e")
    scale = float(of_function(records, problem, KAN)[0]["results"]["spread"])
    baseline = f"; MLP {spread(chosen_errors(records, problem, MLP), '.2e')}, {_shapes(mlps)}" if mlps else ""
    searches = "; ".join(
        f"{model} {sum(one['n_starts'] for one in first['results']['sizes'])} starts in {first['results']['seconds']:.0f} CPU s"
        for model in (KAN, MLP)
        for first in of_function(records, problem, model)[:1]
    )
    return Claim(
        f"{problem.name}, {problem.plain}, one rule: test RMSE",
        problem.reported,
        f"KAN {spread(ours, '.2e')}, {median(ours) / scale:.1e} of std(y), {_shapes(kans)}{baseline}",
        judged,
        f"{searches}; {BOXES}; median {judged.text}{problem.conflicting}",
    )


def _shapes(found: Sequence[dict[str, Any]]) -> str:
    texts = []
    for one in found:
        kind = f"degree {one['degree']}, G = {one['n_intervals']}" if one["degree"] else one["activation"]
        texts.append(f"{shape_name(one['widths'])} {kind}, {one['n_params']} parameters")
    return " or ".join(dict.fromkeys(texts))


# --- figures

WIDTH, ROW = 6.6, 0.34  # inches


@dataclass(eq=False)
class BudgetFigure(FigureValue):
    """A table under the rule, of `problems`, by default for `n_seeds`, with so many CPU `seconds` for a record; the claim on the rows that are reached needs `yes` and `partly` of them. `earlier` runs reached so many."""

    problems: Sequence[Problem]
    seconds: float
    n_seeds: int
    yes: int
    partly: int
    earlier: Sequence[int] = ()

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each function, model and seed."""
        return configs_of(self.problems, self.seconds, full=full, seeds=seeds, n_seeds=self.n_seeds)

    def run(self, config: Config) -> dict[str, Any]:
        """Search for networks of each size and return their errors."""
        return learn(named(self.problems, config["function"]), config)

    def draw(self, records: Sequence[Record]) -> Figure:
        """Draw the errors row by row, and MLPs against KANs of equal size."""
        return draw_budget(records, self.problems)

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Return the number of rows that are reached, the comparisons with MLPs, and a row for each function."""
        run = [problem for problem in self.problems if of_function(records, problem, KAN)]
        if not run:
            return []
        return [
            self._head(records, run),
            *_equal_time(records, run),
            *(claim for size in SIZES for claim in _equal_size(records, run, size)),
            *(_row(records, problem) for problem in run),
        ]

    def _head(self, records: Sequence[Record], run: Sequence[Problem]) -> Claim:
        reached = [one for one in run if _median(records, one, KAN) <= one.best_kan]
        mlps = [one for one in run if of_function(records, one, MLP)]
        mlps_reach = sum(_median(records, one, MLP) <= one.best_kan for one in mlps)
        lacking = ", ".join(one.name for one in run if one not in reached)
        bar = Bar(len(reached), self.yes, self.partly)
        before = ""
        if self.earlier and all(record["config"]["seconds"] == self.seconds for record in records):
            counts = " and ".join(map(str, self.earlier))
            before = f"; run {len(self.earlier) + 1}: other constants or less time gave {counts} rows before"
        return Claim(
            "one rule: our KAN is at or below the paper's best KAN",
            "the errors of its table, row by row",
            f"{len(reached)} of {len(run)} rows"
            + (f", not {lacking}" if lacking else "")
            + f"; our MLP, by the same rule, is at or below the paper's best KAN on {mlps_reach} of {len(mlps)}"
            + ("" if len(run) == len(self.problems) else f"; {len(self.problems) - len(run)} rows not run"),
            bar,
            f"{_conditions(records)}{before}; the bars are ours; rows, {bar.text}",
        )


table_1_budget = BudgetFigure(
    f"{__name__}.table_1_budget", "table-1-budget", "special functions under one rule",
    SPECIAL_FUNCTIONS, seconds=36.0, n_seeds=5, yes=14, partly=8, earlier=(11, 13),
)  # fmt: skip
table_2_budget = BudgetFigure(
    f"{__name__}.table_2_budget", "table-2-budget", "Feynman equations under one rule",
    FEYNMAN, seconds=12.0, n_seeds=5, yes=24, partly=22, earlier=(22,),
)  # fmt: skip


def draw_budget(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw on the left the test errors of our and the paper's best KAN and MLP, on the right the MLP's error in units of the KAN's at each size."""
    picture = Figure(figsize=(WIDTH, ROW * len(problems) + 1.9))
    left, right = picture.subplots(1, 2, sharey=True, width_ratios=(1.25, 1.0))
    draw_errors(left, problems, partial(chosen_errors, records))
    _draw_ratios(right, records, problems)
    lines = [
        entry("our KAN", BLUE, "o", ls=""),
        entry("best KAN of the paper", BLUE, "o", ls="", mfc="white"),
        entry("our MLP", VERMILION, "s", ls=""),
        entry("best MLP of the paper", VERMILION, "s", ls="", mfc="white"),
        *(entry(f"{size} parameters", shade, "D", ls="") for size, shade in zip(SIZES, _shades(), strict=True)),
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=2)
    return picture


def _shades() -> list[tuple[float, float, float, float]]:
    return [mpl.colormaps["viridis"](place) for place in np.linspace(0.9, 0.1, len(SIZES))]


def _draw_ratios(ax: Axes, records: Sequence[Record], problems: Sequence[Problem]) -> None:
    for place, problem in enumerate(problems):
        for number, (size, shade) in enumerate(zip(SIZES, _shades(), strict=True)):
            ratio = mlp_to_kan(records, problem, size)
            if ratio is not None:
                y = place + 0.16 * (number - 0.5 * (len(SIZES) - 1))
                ax.plot(ratio, y, "D", color=shade, ms=4)
    ax.axvline(1.0, color=GREY, lw=1.0)
    ax.set_xscale("log")
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)
    ax.set_xlabel("MLP's error / KAN's, equal size\n(left of 1 the MLP is better)")
