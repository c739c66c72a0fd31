"""Training on data in other units: `python -m benchmarks.units [--seeds N] [--steps N]`.

Every row moves or scales inputs or targets of exp(sin(pi x) + y^2), 1000 samples, and has the median over seeds of the test error
divided by the standard deviation of the targets. The columns are

    init_network, plain   the paper's initialization and `fit(optimizer=kr.LM(scaled=False))`
    init_network          the same with `fit`'s own scaled variables
    best_start            also the initialization in the units of the data: what a user gets by `best_start` and `fit`
    KANRegressor          the estimator of `kan_ref.sklearn` with two folds and one weight of the penalty, 0.001

The first three train [2,5,1] for 60 steps of Levenberg-Marquardt on grids of 5 intervals; `best_start` takes the best of three. The
estimator standardizes the data and has a penalty, so its error is larger, and the same in all rows up to rounding.

The last row has the largest error of a column divided by that of the first row. Bar: at most 5 for `best_start` and the estimator;
the exit status is 1 if it is missed.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.tables import aligned
from kan_ref.checks import FloatArray
from kan_ref.program import run_program
from kan_ref.sklearn import KANRegressor

ONE, BOTH = np.array([1.0, 0.0]), np.array([1.0, 1.0])
# name -> (shift of x, factor of x, shift of y, factor of y)
ROWS: dict[str, tuple[FloatArray, FloatArray, float, float]] = {
    "as it is": (0 * BOTH, BOTH, 0.0, 1.0),
    "x + 300": (300 * BOTH, BOTH, 0.0, 1.0),
    "x_1 + 300": (300 * ONE, BOTH, 0.0, 1.0),
    "1e5 x": (0 * BOTH, 1e5 * BOTH, 0.0, 1.0),
    "1e5 x_1": (0 * BOTH, np.array([1e5, 1.0]), 0.0, 1.0),
    "1e-6 x": (0 * BOTH, 1e-6 * BOTH, 0.0, 1.0),
    "1e-6 x_1": (0 * BOTH, np.array([1e-6, 1.0]), 0.0, 1.0),
    "1e6 y": (0 * BOTH, BOTH, 0.0, 1e6),
    "1e-6 y": (0 * BOTH, BOTH, 0.0, 1e-6),
    "y + 1e6": (0 * BOTH, BOTH, 1e6, 1.0),
    "1e5 x + 300, 1e6 y + 1e6": (300 * BOTH, 1e5 * BOTH, 1e6, 1e6),
    "1e5 x_1 + 300, 1e-6 y + 1": (300 * ONE, np.array([1e5, 1.0]), 1.0, 1e-6),
}
METHODS = {
    "init_network, plain": (False, kr.LM(scaled=False)),
    "init_network": (False, kr.LM()),
    "best_start": (True, kr.LM()),
}
ESTIMATOR = "KANRegressor"
N_INTERVALS, N_STEPS, N_STARTS = 5, 60, 3
BAR = 5.0  # for the last two columns


def data_of(row: str, seed: int, n_train: int = 1000) -> kr.Data:
    """Return the data of a row; the points are the same for every row."""
    data = kr.sample("exp_sin", n_train=n_train, n_test=1000, rng=np.random.default_rng(seed))
    shift, factor, y_shift, y_factor = ROWS[row]
    return kr.Data(
        factor * data.x_train + shift,
        y_factor * data.y_train + y_shift,
        factor * data.x_test + shift,
        y_factor * data.y_test + y_shift,
    )


def measure(
    row: str, method: str, seed: int, *, n_steps: int = N_STEPS
) -> tuple[float, kr.Run[kr.Network]]:
    """Return test error / std(y) of one run, and the run."""
    started, optimizer = METHODS[method]
    data, rng = data_of(row, seed), np.random.default_rng(1000 + seed)
    options: dict[str, Any] = {"n_intervals": N_INTERVALS, "degree": 3, "rng": rng}
    if started:
        network = kr.best_start((2, 5, 1), data, n_starts=N_STARTS, optimizer=optimizer, **options)
    else:
        network = kr.init_network((2, 5, 1), domain=data.x_train, **options)
    run = kr.fit(network, data, n_steps=n_steps, optimizer=optimizer)
    return float(run.test_rmse / data.y_test.std()), run


def measure_estimator(row: str, seed: int) -> float:
    """Return test error / std(y) of the estimator."""
    data = data_of(row, seed)
    model = KANRegressor(
        n_intervals=N_INTERVALS, penalty_weights=(1e-3,), n_folds=2, random_state=seed
    )
    residual = model.fit(data.x_train, data.y_train[:, 0]).predict(data.x_test) - data.y_test[:, 0]
    return float(np.sqrt(np.mean(residual**2)) / data.y_test.std())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if the bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.units",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=5, help="runs of each cell (5)")
    parser.add_argument("--steps", type=int, default=N_STEPS, help="of the last fit (60)")
    options = parser.parse_args(arguments)
    columns: dict[str, list[float]] = {name: [] for name in (*METHODS, ESTIMATOR)}
    for row in ROWS:
        for name, medians in columns.items():
            errors = [
                measure_estimator(row, seed)
                if name == ESTIMATOR
                else measure(row, name, seed, n_steps=options.steps)[0]
                for seed in range(options.seeds)
            ]
            medians.append(float(np.median(errors)))
    ratios = [max(medians) / medians[0] for medians in columns.values()]
    table = [["test RMSE / std(y)", *columns]]
    for row, medians_of_row in zip(ROWS, zip(*columns.values(), strict=True), strict=True):
        table.append([row, *(f"{median:.1e}" for median in medians_of_row)])
    print(aligned([*table, ["largest / first", *(f"{ratio:.1f}" for ratio in ratios)]]))
    return int(max(ratios[-2:]) > BAR)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
