"""Why the test error rises again on fine grids: points that fall off a hidden grid.

Liu et al. 2024, section 2.4 and Fig. 2.3: the test loss is U-shaped in G, which the paper reads as an interpolation
threshold. The hidden grids of its code lie exactly on the training activations. A test point whose hidden value lies beyond
[a, b] is where the basis functions decay to zero within k intervals, k R / G for activations with range R: the finer the
grid, the steeper the decay.

Two runs differ in one thing alone. Both place every hidden grid again when the number of intervals changes, evenly over
the training activations, and keep it during the steps on that grid (`update_grids=False`):

    (R5)  without margin    [a, b] = [min, max] of the activations
    (R6)  with margin       each end further out by max(R / G, 5 % of R), the rule of `kr.fit`

Input grids are [-1, 1] throughout, so that all points are on them. A point is off a grid if, in the trained network, a hidden
value of it is not in [a, b].

Optimizers work on the parameters themselves, as in the paper.

The claims are the paper's reading of its Fig. 2.3 and ours of the right arm of the U.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import kan_ref as kr
from figures.machine.machine import (
    Bar,
    Claim,
    Config,
    Record,
    grid_spread,
    known_median,
    median,
    seed_count,
    shape_name,
    slope,
    spread,
)
from figures.machine.pictures import BLUE, GREY, VERMILION, entry, label_grids
from figures.machine.training import (
    LBFGS,
    LBFGS_PAPER,
    LM,
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
from kan_ref.bspline.knots import extended_knots, refined_breakpoints, uniform_knots
from kan_ref.bspline.placement import hidden_bounds
from kan_ref.checks import FloatArray
from kan_ref.network.refinement import move_layer

NAME = "u-shape"
TITLE = "the cause of the U-shaped test error"
FINEST, FINEST_WIDE_LM, FINEST_WIDE_LM_QUICK = 200, 100, 50  # LM for [2,5,1] has 15 G unknowns
N_CLOUD = 400  # points on the grid that the scatter plot keeps
DASHED = (0, (3, 1.5))


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each shape, method, margin and seed."""
    found = []
    for method in (LBFGS, LBFGS_PAPER, LM) if full else (LBFGS, LM):
        for widths in (SMALL, WIDE):
            finest = FINEST if method is not LM or widths is SMALL else FINEST_WIDE_LM if full else FINEST_WIDE_LM_QUICK
            runs = [config_of(method, widths, finest, seed) for seed in range(seeds or (10 if full else 2))]
            found += [{**config, "margin": margin} for margin in (False, True) for config in runs]
    return found


# --- the two ways to place hidden grids


def place_grids(network: kr.Network, x: FloatArray, n_intervals: int, *, margin: bool) -> kr.Network:
    """Refine every grid to `n_intervals` intervals: the input grid over its own [a, b], hidden
    grids by (R5) or (R6).
    """
    first = network.layers[0]
    finer = extended_knots(refined_breakpoints(first.breakpoints, n_intervals), first.degree)
    layers = [move_layer(first, finer, None if n_intervals % first.n_intervals == 0 else x)]
    for layer in network.layers[1:]:
        values = kr.Network(tuple(layers))(x)
        # [eq:hidden-bounds]
        low, high = hidden_bounds(values, n_intervals) if margin else (values.min(axis=0), values.max(axis=0))
        # [/eq:hidden-bounds]
        layers.append(move_layer(layer, uniform_knots(low, high, n_intervals, layer.degree), values))
    return kr.Network(tuple(layers))


def off_a_grid(network: kr.Network, x: FloatArray) -> NDArray[np.bool_]:
    """Return for each point (n,) whether one of its hidden values is outside the [a, b] of the
    layer that takes it.
    """
    hidden = network.flow(network.prepare(x))[:-1]
    off = np.zeros(len(x), dtype=np.bool_)
    for layer, values in zip(network.layers[1:], hidden, strict=True):
        off |= ((values < layer.breakpoints[:, 0]) | (values > layer.breakpoints[:, -1])).any(axis=1)
    return off


def run(config: Config) -> dict[str, Any]:
    """Train on one grid after the other; return for each grid the errors over all test points and
    over those inside all grids.
    """
    begin = start(config)
    data, network, grids = begin.data, begin.network, []
    for n_intervals in config["grids"]:
        network = kr.fit(
            place_grids(network, data.x_train, n_intervals, margin=config["margin"]),
            begin.data_to_train,
            optimizer=OPTIMIZERS[config["optimizer"]],
            n_steps=config["n_steps"],
            smoothness_weight=config["smoothness_weight"],
            update_grids=False,
        ).network
        squares, off = ((network(data.x_test) - data.y_test)[:, 0] ** 2, off_a_grid(network, data.x_test))
        grids.append(
            {
                "n_intervals": n_intervals,
                "train_rmse": rmse(network, data.x_train, data.y_train),
                "test_rmse": float(np.sqrt(squares.mean())),
                "test_rmse_on_grid": float(np.sqrt(squares[~off].mean())) if not off.all() else None,
                "share_off_grid": float(squares[off].sum() / squares.sum()),
                "n_off_grid": int(off.sum()),
                "n_train_off_grid": int(off_a_grid(network, data.x_train).sum()),
            }
        )
    results: dict[str, Any] = {"grids": grids, "n_failed_starts": begin.n_failed}
    if network.widths[1] == 1:
        results["cloud"] = _cloud(network, data.x_test, np.sqrt(squares), off)
    return results


def _cloud(network: kr.Network, x: FloatArray, errors: FloatArray, off: NDArray[np.bool_]) -> dict[str, Any]:
    """Return hidden value and error of every point off the finest grid, and of some on it."""
    kept = np.concatenate([np.flatnonzero(off), np.flatnonzero(~off)[:N_CLOUD]])
    hidden, layer = (network.flow(network.prepare(x))[0][kept, 0], network.layers[1])
    return {
        "ends": [float(layer.breakpoints[0, 0]), float(layer.breakpoints[0, -1])],
        "interval": float(layer.breakpoints[0, 1] - layer.breakpoints[0, 0]),
        "hidden": [float(f"{value:.8g}") for value in hidden],
        "error": [float(f"{value:.4g}") for value in errors[kept]],
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a row for each method: errors of both shapes, and numbers of points off a grid; in the
    last row the errors along one grid, and what the lines mean.
    """
    methods = methods_in(records)
    picture = Figure(figsize=(9.4, 2.9 * (len(methods) + 1)))
    axes = picture.subplots(len(methods) + 1, 3, squeeze=False)
    for row, method in enumerate(methods):
        for column, widths in enumerate((SMALL, WIDE)):
            _draw_errors(axes[row, column], records, method, widths)
        _draw_counts(axes[row, 2], records, method)
    for column in (0, 1):
        _share_limits(list(axes[: len(methods), column]))
    _draw_cloud(axes[-1, 0], records, methods[-1])
    _explain(axes[-1, 1], axes[-1, 2])
    return picture


def _draw_errors(ax: Axes, records: Sequence[Record], method: Method, widths: Sequence[int]) -> None:
    without, with_margin = (chosen(records, method, widths, margin=margin) for margin in (False, True))
    label_grids(ax, longest_grids(records))  # the same for all methods
    ax.set_yscale("log")
    for runs, name, color, dash, mark in (
        (without, "test_rmse", VERMILION, "-", "s"),
        (without, "test_rmse_on_grid", VERMILION, DASHED, None),
        (with_margin, "test_rmse", BLUE, "-", "o"),
        (without, "train_rmse", GREY, ":", None),
    ):
        if not runs:
            continue
        errors, grids = series(runs, name), grids_of(runs)
        ax.plot(grids, known_median(errors), color=color, ls=dash, marker=mark)
        if mark:
            ax.fill_between(grids, errors.min(axis=0), errors.max(axis=0), color=color, alpha=0.15, lw=0)
    ax.set(title=f"{shape_name(widths)}, {method.short}", ylabel="root mean square error")


def _share_limits(axes: Sequence[Axes]) -> None:
    limits = [ax.get_ylim() for ax in axes]
    for ax in axes:
        ax.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))


def _draw_counts(ax: Axes, records: Sequence[Record], method: Method) -> None:
    label_grids(ax, longest_grids(records))
    ax.set_yscale("symlog", linthresh=1.0)
    for widths, dash in ((SMALL, "-"), (WIDE, DASHED)):
        for margin, color, mark in ((False, VERMILION, "s"), (True, BLUE, "o")):
            runs = chosen(records, method, widths, margin=margin)
            if runs:
                ax.plot(
                    grids_of(runs), np.median(series(runs, "n_off_grid"), axis=0), color=color, ls=dash, marker=mark
                )
    ax.set_ylim(-0.2, 1e4)
    ax.set_yticks([0, 1, 10, 100, 1000, 10000])
    ax.set(title="test points off a hidden grid", ylabel=f"of {records[0]['config']['n_test']}, median over seeds")


def _draw_cloud(ax: Axes, records: Sequence[Record], method: Method) -> None:
    runs = chosen(records, method, SMALL, margin=False)
    if not runs:
        ax.set_axis_off()
        return
    record = runs[0]
    cloud = record["results"]["cloud"]
    hidden, error = np.array(cloud["hidden"]), np.maximum(cloud["error"], 1e-14)
    low, high = cloud["ends"]
    off = (hidden < low) | (hidden > high)
    ax.axvspan(low, high, color="0.955", lw=0)
    ax.semilogy(hidden[~off], error[~off], ".", color=GREY, ms=3)
    ax.semilogy(hidden[off], error[off], "x", color=VERMILION, ms=5)
    ax.set(
        title=f"{shape_name(SMALL)}, {method.short}, G = {grids_of([record])[-1]}, seed {record['seed']}:\nwithout margin",
        xlabel="hidden value of a test point; shaded: the grid",
        ylabel="absolute error",
    )


def _explain(upper: Axes, lower: Axes) -> None:
    errors = [
        entry("test, hidden grid without margin", VERMILION, "s"),
        entry("the same without points off a grid", VERMILION, ls=DASHED),
        entry("test, hidden grid with margin", BLUE, "o"),
        entry("training, hidden grid without margin", ls=":"),
    ]
    counts = [
        entry("hidden grids without margin", VERMILION, "s"),
        entry("hidden grids with margin", BLUE, "o"),
        entry(f"KAN {shape_name(SMALL)}"),
        entry(f"KAN {shape_name(WIDE)}", ls=DASHED),
    ]
    look: dict[str, Any] = {"loc": "upper left", "fontsize": 9, "title_fontsize": 9, "alignment": "left"}
    for ax, lines, title in (
        (upper, errors, "errors: median (band: range) over seeds"),
        (lower, counts, "points off a hidden grid"),
    ):
        ax.set_axis_off()
        # wider than its panel, which should stay as wide as the others
        ax.legend(handles=lines, title=title, **look).set_in_layout(False)


RISE, STRONG = (2.0, 10.0)  # an error at the finest grid that is so many times the best has risen; has risen strongly
SLOPE_RANGE, FLATTER = (5, 50), 0.1


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each method and shape the U, its cause, and the effect of the margin, as far as
    both runs exist.
    """
    rows = []
    for method in methods_in(records):
        for widths in (SMALL, WIDE):
            without, with_margin = (chosen(records, method, widths, margin=margin) for margin in (False, True))
            if without and with_margin:
                rows += _claims_of(f"{shape_name(widths)}, {method.short}", without, with_margin)
        runs = chosen(records, method, SMALL, margin=False)
        rows += [_slope_claim(runs, method)] if runs else []
    return rows


def _rise(runs: Sequence[Record], name: str) -> list[float]:
    errors = series(runs, name)
    return [float(row[-1] / np.nanmin(row)) for row in errors]


def _claims_of(about: str, without: Sequence[Record], with_margin: Sequence[Record]) -> list[Claim]:
    grids, n_test = grids_of(without), without[0]["config"]["n_test"]
    all_points, on_grid = (_rise(without, name) for name in ("test_rmse", "test_rmse_on_grid"))
    cured = _rise(with_margin, "test_rmse")
    best = [grids[int(place)] for place in series(without, "test_rmse").argmin(axis=1)]
    counts, shares = (series(without, name)[:, -1] for name in ("n_off_grid", "share_off_grid"))
    evidence = f"G up to {grids[-1]}, {seed_count(without)}"
    # a statement on an interpolation threshold holds if the error rises on the grid as well
    return [
        Claim(
            f"{about}: without margin the test error is U-shaped in G",
            "U-shaped",
            f"at G = {grids[-1]} {spread(all_points, '.3g')} times the best, which is at {grid_spread(best)}",
            Bar(median(all_points), RISE),
            f"{evidence}; times the best",
        ),
        Claim(
            f"{about}: the rise marks an interpolation threshold",
            "interpolation threshold",
            f"{spread(counts, '.0f')} of {n_test} points, off a hidden grid, make all but {spread(1.0 - shares, '.1g')} of the squared error; "
            f"without them {spread(on_grid, '.3g')} times the best",
            Bar(median(on_grid), STRONG, RISE),
            f"{evidence}, at the finest grid; times the best without those points",
        ),
        Claim(
            f"{about}: with margin the rise is gone",
            "not tried",
            f"at G = {grids[-1]} {spread(cured, '.3g')} times the best",
            Bar(median(cured), RISE, STRONG, most=True),
            f"{evidence}; times the best",
        ),
    ]


def _slope_claim(runs: Sequence[Record], method: Method) -> Claim:
    grids = grids_of(runs)
    of_all, on_grid = (
        [slope(grids, errors, *SLOPE_RANGE) for errors in series(runs, name)]
        for name in ("test_rmse", "test_rmse_on_grid")
    )
    return Claim(
        f"{shape_name(SMALL)}, {method.short}: without margin a few bad points at the boundary flatten the slope of the test RMSE",
        "-3 for the mean, closer to -4 for the median",
        f"all points {spread(of_all)}, points on the grid {spread(on_grid)}",
        Bar(float(np.median(of_all) - np.median(on_grid)), FLATTER, form=".2f"),
        f"{seed_count(runs)}; slope over G = {SLOPE_RANGE[0]} to {SLOPE_RANGE[1]}; flatter by",
    )
