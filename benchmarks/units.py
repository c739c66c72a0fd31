"""Training on data in other units: `python -m benchmarks.units [NAME...] [--seeds N] [--steps N]`.

Every row moves or scales inputs or targets of exp(sin(pi x) + y^2), 1000 samples, and has the median over seeds of the test error
divided by the standard deviation of the targets. The columns are

    init_network, plain   the paper's initialization and `fit(optimizer=kr.LM(scaled=False))`
    init_network          the same with `fit`'s own scaled variables
    best_start            also the initialization in the units of the data: what a user gets by `best_start` and `fit`
    KANRegressor          the estimator of `kan_ref.sklearn` with two folds and one weight of the penalty, 0.001

The first three train [2,5,1] for 60 steps of Levenberg-Marquardt on grids of 5 intervals; `best_start` takes the best of three. The
estimator standardizes the data and has a penalty, so its error is larger, and the same in all rows up to rounding.

Bar: at most 5 times the error of the first row for `best_start` and the estimator. Five seeds take two
minutes of CPU time. One seed in five may miss it in the last row: fewer seeds judge that seed, not the method.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks import bars
from benchmarks.bars import above, median, missed
from kan_ref.checks import FloatArray
from kan_ref.program import run_program
from kan_ref.sklearn import KANRegressor

ONE, BOTH = np.array([1.0, 0.0]), np.array([1.0, 1.0])
FIRST = "as it is"
# name -> (shift of x, factor of x, shift of y, factor of y)
ROWS: dict[str, tuple[FloatArray, FloatArray, float, float]] = {
    FIRST: (0 * BOTH, BOTH, 0.0, 1.0),
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
N_STEPS, N_STARTS, BAR = 60, 3, 5.0
SHAPE: dict[str, Any] = {"n_intervals": 5, "degree": 3}


def data_of(row: str, seed: int) -> kr.Data:
    """Return the data of a row; the points are the same for every row."""
    data = kr.sample("exp_sin", n_train=1000, n_test=1000, rng=np.random.default_rng(seed))
    shift, factor, y_shift, y_factor = ROWS[row]
    x, x_test = (factor * one + shift for one in (data.x_train, data.x_test))
    return kr.Data(x, y_factor * data.y_train + y_shift, x_test, y_factor * data.y_test + y_shift)


def trained(data: kr.Data, method: str, seed: int, n_steps: int = N_STEPS) -> kr.Run[kr.Network]:
    """Return the run of one of the first three methods."""
    started, optimizer = METHODS[method]
    rng, widths = np.random.default_rng(1000 + seed), (2, 5, 1)
    if started:
        options: dict[str, Any] = {"n_starts": N_STARTS, "optimizer": optimizer, "rng": rng}
        network = kr.best_start(widths, data, **SHAPE, **options)
    else:
        network = kr.init_network(widths, domain=data.x_train, **SHAPE, rng=rng)
    return kr.fit(network, data, n_steps=n_steps, optimizer=optimizer)


def measure(n_steps: int, row: str, seed: int) -> list[float]:
    """Return test error / std(y) by every method."""
    data = data_of(row, seed)
    errors = [trained(data, method, seed, n_steps).test_rmse for method in METHODS]
    model = KANRegressor(n_intervals=5, penalty_weights=(1e-3,), n_folds=2, random_state=seed)
    predicted = model.fit(data.x_train, data.y_train[:, 0]).predict(data.x_test)
    errors.append(np.sqrt(np.mean((predicted - data.y_test[:, 0]) ** 2)))
    return [float(error / data.y_test.std()) for error in errors]


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if the bar is missed."""
    line = bars.command("units", __doc__, seeds=5)
    line.add_argument("--steps", type=int, default=N_STEPS, help="of the last fit (60)")
    options = bars.read(line, words, ROWS)
    first: list[float] = []

    def limit(row: str, found: list[list[float]]) -> bars.Verdict:
        errors = list(median(found))
        first[:] = first or errors
        ratios = [one / other for one, other in zip(errors, first, strict=True)]
        parts = [above(ratios[place], BAR, name) for place, name in ((2, "best_start"), (3, ESTIMATOR))]  # fmt: skip
        return bars.Verdict([f"{error:.1e}" for error in errors], missed(*parts))

    return bars.bar(
        dict.fromkeys([FIRST, *options.names]),
        ["test RMSE / std(y)", *METHODS, ESTIMATOR],
        partial(measure, options.steps),
        limit,
        seeds=range(options.seeds),
        jobs=options.jobs,
    )


if __name__ == "__main__":
    run_program(main, ends_fits=True)
