"""The cause of the right arm of the U: the records of `fig_u_shape` compared with the paper's reading of its Fig. 2.3."""

from collections.abc import Sequence

import numpy as np

from figures.machine.ladder import SMALL, WIDE, Method, chosen, count, grids_of, methods_in, series
from figures.machine.machine import Bar, Claim, Record, grid_spread, shape_name, slope, spread

RISE, STRONG = (
    2.0,
    10.0,
)  # an error at the finest grid that is so many times the best has risen; has risen strongly
SLOPE_RANGE, FLATTER = (5, 50), 0.1


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each method and shape the U, its cause, and the effect of the margin, as far as
    both runs exist.
    """
    rows = []
    for method in methods_in(records):
        for widths in (SMALL, WIDE):
            without, with_margin = (
                chosen(records, method, widths, margin=margin) for margin in (False, True)
            )
            if without and with_margin:
                rows += _claims_of(f"{shape_name(widths)}, {method.short}", without, with_margin)
        runs = chosen(records, method, SMALL, margin=False)
        rows += [_slope_claim(runs, method)] if runs else []
    return rows


def _rise(runs: Sequence[Record], name: str) -> list[float]:
    errors = series(runs, name)
    return [float(row[-1] / np.nanmin(row)) for row in errors]


def _claims_of(about: str, without: Sequence[Record], with_margin: Sequence[Record]) -> list[Claim]:
    grids = grids_of(without)
    all_points, on_grid, cured = (
        _rise(without, "test_rmse"),
        _rise(without, "test_rmse_on_grid"),
        _rise(with_margin, "test_rmse"),
    )
    best = [grids[int(place)] for place in series(without, "test_rmse").argmin(axis=1)]
    last = without[0]["config"]["n_test"], [record["results"]["grids"][-1] for record in without]
    counts, shares = ([grid[name] for grid in last[1]] for name in ("n_off_grid", "share_off_grid"))
    others = [1.0 - share for share in shares]
    evidence = f"G up to {grids[-1]}, {count(without)}"
    risen = Bar(float(np.median(all_points)), RISE)
    # a statement on an interpolation threshold holds if the error rises on the grid as well
    threshold = Bar(float(np.median(on_grid)), STRONG, RISE)
    gone = Bar(float(np.median(cured)), RISE, STRONG, most=True)
    return [
        Claim(
            f"{about}: without margin the test error is U-shaped in G",
            "U-shaped",
            f"at G = {grids[-1]} {spread(all_points, '.3g')} times the best, which is at {grid_spread(best)}",
            risen.word,
            f"{evidence}; times the best, {risen.text}",
        ),
        Claim(
            f"{about}: the rise marks an interpolation threshold",
            "interpolation threshold",
            f"{spread(counts, '.0f')} of {last[0]} points, off a hidden grid, make all but {spread(others, '.1g')} of the squared error; "
            f"without them {spread(on_grid, '.3g')} times the best",
            threshold.word,
            f"{evidence}, at the finest grid; times the best without those points, {threshold.text}",
        ),
        Claim(
            f"{about}: with margin the rise is gone",
            "not tried",
            f"at G = {grids[-1]} {spread(cured, '.3g')} times the best",
            gone.word,
            f"{evidence}; times the best, {gone.text}",
        ),
    ]


def _slope_claim(runs: Sequence[Record], method: Method) -> Claim:
    grids = grids_of(runs)
    of_all, on_grid = (
        [slope(grids, errors, *SLOPE_RANGE) for errors in series(runs, name)]
        for name in ("test_rmse", "test_rmse_on_grid")
    )
    bar = Bar(float(np.median(of_all) - np.median(on_grid)), FLATTER, form=".2f")
    return Claim(
        f"{shape_name(SMALL)}, {method.short}: without margin a few bad points at the boundary flatten the slope of the test RMSE",
        "-3 for the mean, closer to -4 for the median",
        f"all points {spread(of_all)}, points on the grid {spread(on_grid)}",
        bar.word,
        f"{count(runs)}; slope over G = {SLOPE_RANGE[0]} to {SLOPE_RANGE[1]}; flatter by, {bar.text}",
    )
