"""Training on data in other units: `python -m benchmarks.units [--seeds N]`.

Every row moves or scales inputs or targets of exp(sin(pi x) + y^2), 1000 samples, and has the median over seeds of the test error
divided by the standard deviation of the targets. The columns are

    init_network, plain   the paper's initialization and `fit(precondition=None)`
    init_network          the same with `fit`'s own scaled variables
    best_start            also the initialization in the units of the data: what a user gets by `best_start` and `fit`

All train [2,5,1] for 60 steps of Levenberg-Marquardt on grids of 5 intervals; `best_start` takes the best of three.
"""

import argparse
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.tables import aligned
from kan_ref.checks import FloatArray

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
    "init_network, plain": (False, None),
    "init_network": (False, "auto"),
    "best_start": (True, "auto"),
}
N_INTERVALS, N_STEPS, N_STARTS = 5, 60, 3


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


def measure(row: str, method: str, seed: int, *, n_steps: int = N_STEPS) -> tuple[float, kr.Run]:
    """Return test error / std(y) of one run, and the run."""
    started, precondition = METHODS[method]
    data, rng = data_of(row, seed), np.random.default_rng(1000 + seed)
    options: dict[str, Any] = {"n_intervals": N_INTERVALS, "degree": 3, "rng": rng}
    if started:
        network = kr.best_start(
            (2, 5, 1), data, n_starts=N_STARTS, precondition=precondition, **options
        )
    else:
        network = kr.init_network((2, 5, 1), domain=data.x_train, **options)
    run = kr.fit(network, data, n_steps=n_steps, precondition=precondition)
    return float(run.history.test_rmse[-1] / data.y_test.std()), run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="runs of each cell (5)")
    n_seeds = parser.parse_args().seeds
    rows = [["test RMSE / std(y)", *METHODS]]
    for row in ROWS:
        medians = [
            float(np.median([measure(row, method, seed)[0] for seed in range(n_seeds)]))
            for method in METHODS
        ]
        rows.append([row, *(f"{median:.1e}" for median in medians)])
    print(aligned(rows))


if __name__ == "__main__":
    main()
