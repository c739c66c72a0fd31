"""Fig. 2.3: grid extension makes training a staircase; errors and times against the number of intervals.

Liu et al. 2024, section 2.4: [2,5,1] and [2,1,1] learn exp(sin(pi x) + y^2) from 1000 samples while every grid is made finer,
G = 3 to 1000. By Theorem 2.1 the root mean square error of the best network falls as G^-4 at degree 3. `training` has
the settings.

Hidden grids are those of `kr.fit`: they reach beyond the activations by 1/G or 5 % of their range R. `fig_u_shape` shows what happens
where they do not.

Apart from optimizers on the parameters themselves, as in the paper, `kr.fit` is used as it is.

The claims are those of section 2.4 about Fig. 2.3. One about large G is judged only if a sequence of grids reaches that far (`FAR`); quick runs end earlier.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import (
    Bar,
    Claim,
    Config,
    Record,
    all_bar,
    grid_spread,
    median,
    median_grid,
    seed_count,
    shape_name,
    slope,
    spread,
)
from figures.machine.pictures import GREY, draw_band, entry, label_grids
from figures.machine.training import (
    LBFGS,
    LBFGS_PAPER,
    LM,
    METHODS,
    OPTIMIZERS,
    SMALL,
    WIDE,
    Method,
    chosen,
    config_of,
    grids_of,
    longest_grids,
    methods_in,
    rmse,
    series,
    start,
)
from kan_ref.training import Step

NAME = "2.3"
TITLE = "grid extension on exp(sin(pi x) + y^2)"
STAIRS = 40  # points of a curve on each grid
N_STAIR_TEST = 1000  # the paper's number of test points, for the curves; the numbers at a grid's end use all
DASHED = (0, (3, 1.5))
# by method and hidden nodes, the finest grid of the full run if it is not 1000 (LM's normal equations for [2,5,1] have 15 G unknowns), and of
# the quick one, None: not run
FINEST: dict[tuple[Method, int], int | None] = {(LM, 5): 200}
FINEST_QUICK = {(LBFGS_PAPER, 1): 50, (LBFGS_PAPER, 5): None, (LM, 1): 200, (LM, 5): 100}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each shape, method and seed."""
    finest = FINEST if full else FINEST_QUICK
    return [
        config_of(method, widths, most, seed)
        for widths in (SMALL, WIDE)
        for method in METHODS
        if (most := finest.get((method, widths[1]), 1000)) is not None
        for seed in range(seeds or (10 if full else 2))
    ]


class _Stairs:
    """A callback that measures errors at some steps, and its own CPU time, which does not count as
    training.
    """

    def __init__(self, data: kr.Data, n_steps: int) -> None:
        self.points: dict[str, list[float]] = {"step": [], "train_rmse": [], "test_rmse": []}
        self.seconds = 0.0
        self._data, self._every = data, max(1, n_steps // STAIRS)

    def __call__(self, step: Step) -> None:
        if step.step % self._every:
            return
        began = time.process_time()
        test = rmse(step.network, self._data.x_test[:N_STAIR_TEST], self._data.y_test[:N_STAIR_TEST])
        for name, value in (("step", step.step), ("train_rmse", step.train_rmse), ("test_rmse", test)):
            self.points[name].append(float(f"{value:.4g}"))
        self.seconds += time.process_time() - began


def run(config: Config) -> dict[str, Any]:
    """Train on one grid after the other; return errors during and after each grid, and CPU seconds
    of training with the extension.
    """
    begin = start(config)
    data, network, grids = begin.data, begin.network, []
    for n_intervals in config["grids"]:
        stairs, began = _Stairs(data, config["n_steps"]), time.process_time()
        fitted = kr.fit(
            network,
            begin.data_to_train,
            optimizer=OPTIMIZERS[config["optimizer"]],
            n_steps=config["n_steps"],
            smoothness_weight=config["smoothness_weight"],
            grids=(n_intervals,),
            callback=stairs,
        )
        seconds, network = time.process_time() - began - stairs.seconds, fitted.network
        squares = (network(data.x_test) - data.y_test) ** 2
        grids.append(
            {
                "n_intervals": n_intervals,
                "train_rmse": rmse(network, data.x_train, data.y_train),
                "test_rmse": float(np.sqrt(squares.mean())),
                "test_median": float(np.sqrt(np.median(squares))),
                "n_steps": int(fitted.history.step[-1]),
                "stopped": fitted.stopped,
                "seconds": round(seconds, 4),
                "stairs": stairs.points,
            }
        )
    return {"grids": grids, "start_seconds": round(begin.seconds, 4), "n_failed_starts": begin.n_failed}


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the staircases of both shapes above, errors and seconds against G below."""
    picture = Figure(figsize=(10.0, 8.6))
    axes = picture.subplots(2, 2)
    for ax, widths in zip(axes[0], (WIDE, SMALL), strict=True):
        _draw_stairs(ax, records, widths)
    top = max(ax.get_ylim()[1] for ax in axes[0])
    for ax in axes[0]:
        ax.set_ylim(min(axis.get_ylim()[0] for axis in axes[0]), top)
    _draw_errors(axes[1, 0], records)
    _draw_seconds(axes[1, 1], records)
    return picture


def _draw_stairs(ax: Axes, records: Sequence[Record], widths: Sequence[int]) -> None:
    ax.set_yscale("log")
    fractions = np.linspace(0.0, 1.0, STAIRS + 1)
    for method in methods_in(records):
        runs = chosen(records, method, widths)
        if not runs:
            continue
        for name, dash in (("train_rmse", "-"), ("test_rmse", DASHED)):
            medians = []
            for place in range(len(grids_of(runs))):
                stairs = [record["results"]["grids"][place]["stairs"] for record in runs]
                steps = [np.array(one["step"]) / method.n_steps for one in stairs]
                logs = [np.interp(fractions, x, np.log(one[name])) for x, one in zip(steps, stairs, strict=True)]
                medians.append(np.exp(np.median(logs, axis=0)))
            x = np.concatenate([place + fractions for place in range(len(medians))])
            ax.plot(x, np.concatenate(medians), color=method.color, ls=dash, lw=1.5)
    same = [record for record in records if record["config"]["widths"] == list(widths)]
    longest = longest_grids(same or records)
    for place in range(1, len(longest)):
        ax.axvline(place, color="0.88", lw=0.8, zorder=0)
    ax.set_xlim(0, len(longest))
    ax.set_xticks(np.arange(len(longest)) + 0.5, labels=[str(grid) for grid in longest])
    ax.tick_params(axis="x", length=0)
    ax.set(xlabel="training, grid after grid: intervals per grid, $G$", ylabel="root mean square error")
    ax.set_title(f"KAN {shape_name(widths)}: median over seeds")
    lines = [entry(f"{method.label}{_end(same, method, widths)}", method.color) for method in methods_in(same)]
    lines += [entry("training"), entry(f"test, {N_STAIR_TEST} of the points", ls=DASHED)]
    ax.legend(handles=lines, loc="lower left")


def _end(records: Sequence[Record], method: Method, widths: Sequence[int]) -> str:
    """Return where a method's grids end, if others of these records go on: as in ", to G = 200"."""
    last = grids_of(chosen(records, method, widths))[-1]
    return f", to G = {last}" if last < longest_grids(records)[-1] else ""


def _draw_errors(ax: Axes, records: Sequence[Record]) -> None:
    label_grids(ax, longest_grids(records))
    ax.set(
        yscale="log",
        ylabel=f"test error, {records[0]['config']['n_test']} points",
        title=f"KAN {shape_name(SMALL)}: test error, median and range over seeds",
    )
    methods = [method for method in methods_in(records) if chosen(records, method, SMALL)]
    if not methods:
        return
    for method in methods:
        runs = chosen(records, method, SMALL)
        grids = grids_of(runs)
        look: dict[str, Any] = {"color": method.color, "marker": method.marker}
        draw_band(ax, grids, series(runs, "test_rmse"), **look, label=method.label)
        medians = np.median(series(runs, "test_median"), axis=0)
        ax.plot(grids, medians, **look, mfc="white", ls=":", lw=1.3)
    anchor = max(np.median(series(chosen(records, method, SMALL), "test_rmse"), axis=0)[1] for method in methods)
    for power, dash, end, side in ((3, "-.", 300.0, "top"), (4, "--", 150.0, "center")):  # between the curves
        guide = np.array([5.0, end])
        line = 2.5 * anchor * (guide / guide[0]) ** -power
        ax.plot(guide, line, color=GREY, lw=1.1, ls=dash)
        ax.text(1.05 * end, line[1], f"$G^{{-{power}}}$", color=GREY, va=side, zorder=6)
    marks = [entry(method.label, method.color, method.marker) for method in methods]
    marks.append(entry("root of the mean squared error", GREY, "o"))
    marks.append(entry("root of the median squared error", GREY, "o", mfc="white", ls=":"))
    ax.legend(handles=marks, loc="lower left")


def _draw_seconds(ax: Axes, records: Sequence[Record]) -> None:
    label_grids(ax, longest_grids(records))
    ax.set_yscale("log")
    for method in methods_in(records):
        for widths, dash in ((SMALL, "-"), (WIDE, DASHED)):
            runs = chosen(records, method, widths)
            if runs:
                seconds = np.median(series(runs, "seconds"), axis=0)
                ax.plot(grids_of(runs), seconds, color=method.color, marker=method.marker, ls=dash)
    ax.set(ylabel="CPU seconds of training on one grid", title="training time, one thread: median over seeds")
    lines = [entry(method.label, method.color, method.marker) for method in methods_in(records)]
    shapes = ((SMALL, "-"), (WIDE, DASHED))
    lines += [entry(f"KAN {shape_name(widths)}", ls=dash) for widths, dash in shapes]
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.35)  # room for the legend
    ax.legend(handles=lines, loc="upper left")


FAR, LAST = 200, 1000
SLOPE_FROM, SLOPE_TO = 5, {LBFGS: 50, LBFGS_PAPER: 50, LM: 100}
DROP = 0.9  # an error below this share of the one before has dropped
AT_REST = 0.05  # a run that takes less than this share of its steps had converged before
RISE = 2.0  # an error at the finest grid beyond so many times the best has risen
THRESHOLD = 50.0  # the grid where the paper saw the least test loss
NEAR = 0.3  # of a measured slope to the one it is compared with


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the statements of section 2.4 for each reading of the paper's "step", then what
    Levenberg-Marquardt adds.
    """
    present = methods_in(records)
    runs = {
        (method, shape_name(widths)): chosen(records, method, widths) for method in present for widths in (WIDE, SMALL)
    }
    rows = []
    for method in (method for method in present if method is not LM):
        wide, small = (runs[method, shape_name(widths)] for widths in (WIDE, SMALL))
        there = [some for some in (wide, small) if some]  # quick runs leave out the longest
        far = [some for some in there if grids_of(some)[-1] >= FAR]
        rows += [_stairs_claim(some, method) for some in there] + [_rise_claim(some, method) for some in far]
        if len(far) == 2:
            rows.append(_optimum_claim(wide, method))
            seeds = {record["seed"] for record in wide} & {record["seed"] for record in small}
            wide, small_too = ([record for record in some if record["seed"] in seeds] for some in (wide, small))
            rows += [_shape_claim(wide, small_too, method)] if seeds else []
        if small:
            rows += [*_slope_claims(small, method), _time_claim(small, method)]
    small = runs.get((LM, shape_name(SMALL)), [])
    if small:
        rows += [_theory_claim(small), _time_claim(small, LM)]
    return rows


def _about(runs: Sequence[Record], method: Method, claim: str) -> str:
    return f"{shape_name(runs[0]['config']['widths'])}, {method.short}: {claim}"


def _evidence(runs: Sequence[Record]) -> str:
    return f"G up to {grids_of(runs)[-1]}, {seed_count(runs)}"


def _stairs_claim(runs: Sequence[Record], method: Method) -> Claim:
    train, grids = series(runs, "train_rmse"), grids_of(runs)
    shares = np.median(train[:, 1:] / train[:, :-1], axis=0)
    to_the_end = grids[-1] == LAST
    before = shares[:-1] if to_the_end else shares
    drops = int((before < DROP).sum())
    ours, good = f"drops at {drops} of {len(before)} extensions to G = {grids[len(before)]}", [drops == len(before)]
    claim, why = "training loss drops at each extension", ""
    if to_the_end:
        steps = median(series(runs, "n_steps")[:, -1])
        at_rest = steps < AT_REST * method.n_steps
        claim += " but the last"
        ours += f", at G = {LAST} to {shares[-1]:.2g} of the error before"
        # no drop where training had nothing left to do is not what the paper saw
        good.append(bool(shares[-1] >= DROP) and not at_rest)
        rest = ", the gradient being below its tolerance" if at_rest else ""
        why = f"; at G = {LAST} it took {steps:.0f} steps{rest}"
    judged = f"medians; dropped: below {DROP:g} of the error before{why}; parts of the statement that hold"
    return Claim(
        _about(runs, method, claim), f"each but G = {LAST}", ours, all_bar(good), f"{_evidence(runs)}, {judged}"
    )


def _rise_claim(runs: Sequence[Record], method: Method) -> Claim:
    test = series(runs, "test_rmse")
    rise = test[:, -1] / test.min(axis=1)
    return Claim(
        _about(runs, method, "test loss is U-shaped in G"),
        "falls, then rises",
        f"at the finest grid {spread(list(rise), '.3g')} times the best",
        Bar(median(rise), RISE),
        _evidence(runs) + "; hidden grids have their margin, figure u-shape is about those without; times the best",
    )


def _optimum_claim(runs: Sequence[Record], method: Method) -> Claim:
    grids = grids_of(runs)
    best = [grids[int(place)] for place in series(runs, "test_rmse").argmin(axis=1)]
    middle = median_grid(best)
    off = max(middle / THRESHOLD, THRESHOLD / middle)
    return Claim(
        _about(runs, method, "test loss is best near the interpolation threshold"),
        "G = 50 (1000 samples / 15 = 67)",
        grid_spread(best),
        Bar(off, 1.0, 2.5, most=True),
        f"{_evidence(runs)}; median of log G; factor from G = {THRESHOLD:g}",
    )


def _shape_claim(wide: Sequence[Record], small: Sequence[Record], method: Method) -> Claim:
    n_grids = min(len(grids_of(wide)), len(grids_of(small)))
    best = [series(runs, "test_rmse")[:, :n_grids].min(axis=1) for runs in (wide, small)]
    factor = best[0] / best[1]
    return Claim(
        _about(small, method, f"reaches lower test loss than {shape_name(WIDE)}"),
        "lower",
        f"by a factor {spread(list(factor), '.3g')}; {np.median(best[1]):.1e} against {np.median(best[0]):.1e}",
        all_bar([bool(value > 1.0) for value in factor]),
        f"best of G up to {grids_of(small)[n_grids - 1]}, {seed_count(small)}; seeds with a lower loss",
    )


def _slopes(runs: Sequence[Record], method: Method) -> tuple[list[float], list[float], str]:
    """Return the slopes of the root of the mean and of the median squared test error, seed by seed,
    and the range of G in words.
    """
    grids, high = grids_of(runs), SLOPE_TO[method]
    means, medians = (
        [slope(grids, errors, SLOPE_FROM, high) for errors in series(runs, name)]
        for name in ("test_rmse", "test_median")
    )
    return means, medians, f"{_evidence(runs)}; slope over G = {SLOPE_FROM} to {high}"


def _slope_claims(runs: Sequence[Record], method: Method) -> list[Claim]:
    means, medians, where = _slopes(runs, method)
    mean, of_median = median(means), median(medians)
    return [
        Claim(
            _about(runs, method, "test RMSE falls as G^-3"),
            "about -3",
            spread(means),
            Bar(abs(mean + 3.0), NEAR, 2 * NEAR, most=True, form=".2f"),
            f"{where}; distance of the median from -3",
        ),
        Claim(
            _about(runs, method, "the root of the median squared error falls faster, closer to G^-4"),
            "closer to -4",
            f"{spread(medians)}; root of the mean {mean:.2f}",
            all_bar([of_median < mean, abs(of_median + 4.0) < abs(mean + 4.0)]),
            f"{where}; of the two, faster and closer",
        ),
    ]


def _theory_claim(runs: Sequence[Record]) -> Claim:
    means, medians, where = _slopes(runs, LM)
    return Claim(
        _about(runs, LM, "test RMSE falls as Theorem 2.1 allows"),
        "theorem: -4",
        f"{spread(means)}; root of the median {np.median(medians):.2f}",
        Bar(abs(median(means) + 4.0), NEAR, most=True, form=".2f"),
        f"{where}; distance of the median from -4",
    )


def _time_claim(runs: Sequence[Record], method: Method) -> Claim:
    grids, seconds = grids_of(runs), np.median(series(runs, "seconds"), axis=0)
    return Claim(
        _about(runs, method, "training takes longer on finer grids"),
        "drawn, no number",
        f"{seconds[0]:.2g} s at G = {grids[0]}, {seconds[-1]:.2g} s at G = {grids[-1]}",
        Bar(float(seconds[-1] / seconds[0]), 1.0),
        _evidence(runs)
        + "; CPU seconds on one thread with the extension, without errors on test points; times as long",
    )
