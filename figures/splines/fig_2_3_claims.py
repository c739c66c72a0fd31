"""The statements of section 2.4 of the paper about Fig. 2.3, compared with the records of `fig_2_3_grid_extension`.

A statement about large G is judged only if a sequence of grids reaches that far (`FAR`); quick runs end earlier.
"""

from collections.abc import Sequence

import numpy as np

from figures.machine.ladder import (
    LBFGS,
    LBFGS_PAPER,
    LM,
    SMALL,
    WIDE,
    Method,
    chosen,
    count,
    grids_of,
    methods_in,
    series,
)
from figures.machine.machine import (
    Bar,
    Claim,
    Record,
    all_bar,
    grid_spread,
    median_grid,
    shape_name,
    slope,
    spread,
)

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
        (method, shape_name(widths)): chosen(records, method, widths)
        for method in present
        for widths in (WIDE, SMALL)
    }
    rows = []
    for method in (method for method in present if method is not LM):
        wide, small = (runs[method, shape_name(widths)] for widths in (WIDE, SMALL))
        there = [some for some in (wide, small) if some]  # quick runs leave out the longest
        far = [some for some in there if grids_of(some)[-1] >= FAR]
        rows += [_stairs_claim(some, method) for some in there] + [
            _rise_claim(some, method) for some in far
        ]
        if len(far) == 2:
            rows.append(_optimum_claim(wide, method))
            seeds = {record["seed"] for record in wide} & {record["seed"] for record in small}
            wide, small_too = (
                [record for record in some if record["seed"] in seeds] for some in (wide, small)
            )
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
    return f"G up to {grids_of(runs)[-1]}, {count(runs)}"


def _stairs_claim(runs: Sequence[Record], method: Method) -> Claim:
    train, grids = series(runs, "train_rmse"), grids_of(runs)
    shares = np.median(train[:, 1:] / train[:, :-1], axis=0)
    to_the_end = grids[-1] == LAST
    before = shares[:-1] if to_the_end else shares
    drops = int((before < DROP).sum())
    ours, good, why = (
        f"drops at {drops} of {len(before)} extensions to G = {grids[len(before)]}",
        [drops == len(before)],
        "",
    )
    if to_the_end:
        steps = float(np.median(series(runs, "n_steps")[:, -1]))
        at_rest = steps < AT_REST * method.n_steps
        ours += f", at G = {LAST} to {shares[-1]:.2g} of the error before"
        # no drop where training had nothing left to do is not what the paper saw
        good.append(bool(shares[-1] >= DROP) and not at_rest)
        why = f"; at G = {LAST} it took {steps:.0f} steps" + (
            ", the gradient being below its tolerance" if at_rest else ""
        )
    bar = all_bar(good)
    return Claim(
        _about(
            runs,
            method,
            "training loss drops at each extension" + (" but the last" if to_the_end else ""),
        ),
        f"each but G = {LAST}",
        ours,
        bar.word,
        _evidence(runs)
        + f", medians; dropped: below {DROP:g} of the error before{why}; parts of the statement that hold, {bar.text}",
    )


def _rise_claim(runs: Sequence[Record], method: Method) -> Claim:
    test = series(runs, "test_rmse")
    rise = test[:, -1] / test.min(axis=1)
    bar = Bar(float(np.median(rise)), RISE)
    return Claim(
        _about(runs, method, "test loss is U-shaped in G"),
        "falls, then rises",
        f"at the finest grid {spread(list(rise), '.3g')} times the best",
        bar.word,
        _evidence(runs)
        + f"; hidden grids have their margin, figure u-shape is about those without; times the best, {bar.text}",
    )


def _optimum_claim(runs: Sequence[Record], method: Method) -> Claim:
    grids = grids_of(runs)
    best = [grids[int(place)] for place in series(runs, "test_rmse").argmin(axis=1)]
    middle = median_grid(best)
    off = max(middle / THRESHOLD, THRESHOLD / middle)
    bar = Bar(off, 1.0, 2.5, most=True)
    return Claim(
        _about(runs, method, "test loss is best near the interpolation threshold"),
        "G = 50 (1000 samples / 15 = 67)",
        grid_spread(best),
        bar.word,
        f"{_evidence(runs)}; median of log G; factor from G = {THRESHOLD:g}, {bar.text}",
    )


def _shape_claim(wide: Sequence[Record], small: Sequence[Record], method: Method) -> Claim:
    n_grids = min(len(grids_of(wide)), len(grids_of(small)))
    best = [series(runs, "test_rmse")[:, :n_grids].min(axis=1) for runs in (wide, small)]
    factor = best[0] / best[1]
    bar = all_bar([bool(value > 1.0) for value in factor])
    return Claim(
        _about(small, method, f"reaches lower test loss than {shape_name(WIDE)}"),
        "lower",
        f"by a factor {spread(list(factor), '.3g')}; {np.median(best[1]):.1e} against {np.median(best[0]):.1e}",
        bar.word,
        f"best of G up to {grids_of(small)[n_grids - 1]}, {count(small)}; seeds with a lower loss, {bar.text}",
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
    mean, median = float(np.median(means)), float(np.median(medians))
    near = Bar(abs(mean + 3.0), NEAR, 2 * NEAR, most=True, form=".2f")
    faster = all_bar([median < mean, abs(median + 4.0) < abs(mean + 4.0)])
    return [
        Claim(
            _about(runs, method, "test RMSE falls as G^-3"),
            "about -3",
            spread(means),
            near.word,
            f"{where}; distance of the median from -3, {near.text}",
        ),
        Claim(
            _about(
                runs, method, "the root of the median squared error falls faster, closer to G^-4"
            ),
            "closer to -4",
            f"{spread(medians)}; root of the mean {mean:.2f}",
            faster.word,
            f"{where}; of the two, faster and closer, {faster.text}",
        ),
    ]


def _theory_claim(runs: Sequence[Record]) -> Claim:
    means, medians, where = _slopes(runs, LM)
    bar = Bar(abs(float(np.median(means)) + 4.0), NEAR, most=True, form=".2f")
    return Claim(
        _about(runs, LM, "test RMSE falls as Theorem 2.1 allows"),
        "theorem: -4",
        f"{spread(means)}; root of the median {np.median(medians):.2f}",
        bar.word,
        f"{where}; distance of the median from -4, {bar.text}",
    )


def _time_claim(runs: Sequence[Record], method: Method) -> Claim:
    grids, seconds = grids_of(runs), np.median(series(runs, "seconds"), axis=0)
    bar = Bar(float(seconds[-1] / seconds[0]), 1.0)
    return Claim(
        _about(runs, method, "training takes longer on finer grids"),
        "drawn, no number",
        f"{seconds[0]:.2g} s at G = {grids[0]}, {seconds[-1]:.2g} s at G = {grids[-1]}",
        bar.word,
        _evidence(runs)
        + f"; CPU seconds on one thread with the extension, without errors on test points; times as long, {bar.text}",
    )
