"""`python -m benchmarks.noise [NAME...] [--seeds N]`: predictions from noisy tables, without scikit-learn.

Each table is drawn from a known function with noise, and standardised. The predictions are judged by R^2 on 1000 new samples without
noise, 1 - mse / variance: 0 is the mean of the targets, 1 the function itself. Compared are

    ridge     a spline of 3 intervals for each input, with a ridge penalty whose weight is chosen in 5 folds: no interactions
    fit       `kan_ref.fit` with its defaults, [n, 5, 1]
    stopped   the same with `validation_share=0.2`
    validated `kan_ref.cross_validate` with its defaults

A cell is the median over seeds, with the smallest and the largest in brackets; behind it are what `cross_validate` chose and the
CPU seconds that it took on one thread. There is no bar: the table compares.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from benchmarks import bars
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.program import run_program

N_NEW = 1000
METHODS = ("ridge", "fit", "stopped", "validated")


@dataclass(frozen=True)
class Table:
    """A function of n_in inputs in [0, 1], the number of samples, and how the noise is drawn.

    `noise` is in units of the function's standard deviation; `kind` is "normal", "growing" (with the first input),
    "outliers" (5 % are 20 times as large) or "far inputs" (the inputs have heavy tails).
    """

    name: str
    f: Callable[[FloatArray], FloatArray]
    n_in: int
    n: int
    noise: float
    kind: str = "normal"

    def draw(self, rng: np.random.Generator) -> kr.Data:
        """Return standardised samples; the test samples are new ones without noise."""
        x = rng.uniform(0.0, 1.0, (self.n + N_NEW, self.n_in))
        if self.kind == "far inputs":
            x = 0.5 + 0.2 * rng.standard_t(2, x.shape)
        y = self.f(x)
        y = y / (np.std(y) or 1.0)
        errors = self.noise * rng.standard_normal(self.n)
        if self.kind == "growing":
            errors *= 2.0 * x[: self.n, 0]
        if self.kind == "outliers":
            errors[rng.uniform(size=self.n) < 0.05] *= 20.0
        noisy, exact = (y[: self.n] + errors)[:, None], y[self.n :, None]
        (x_mean, x_std), (y_mean, y_std) = _moments(x[: self.n]), _moments(noisy)
        x = (x - x_mean) / x_std
        return kr.Data(x[: self.n], (noisy - y_mean) / y_std, x[self.n :], (exact - y_mean) / y_std)


def _moments(array: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of the columns."""
    return array.mean(axis=0), array.std(axis=0)


def _friedman_1(x: FloatArray) -> FloatArray:
    product = 10.0 * np.sin(np.pi * x[:, 0] * x[:, 1])
    value: FloatArray = product + 20.0 * (x[:, 2] - 0.5) ** 2 + 10.0 * x[:, 3] + 5.0 * x[:, 4]
    return value


def _impedance(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the resistance and the reactance of Friedman's second and third function."""
    omega = np.pi * (40.0 + 520.0 * x[:, 1])
    return 100.0 * x[:, 0], omega * x[:, 2] - 1.0 / (omega * (1.0 + 10.0 * x[:, 3]))


TABLES = (
    Table("Friedman 1", _friedman_1, 10, 400, 0.2),
    Table("Friedman 2", lambda x: np.hypot(*_impedance(x)), 4, 300, 0.33),
    Table("Friedman 3", lambda x: np.arctan2(*_impedance(x)[::-1]), 4, 300, 0.33),
    Table("lines", lambda x: x @ np.arange(8.0), 8, 100, 1.0),
    Table("curves", lambda x: np.sin(6.0 * x[:, 0]) + 4.0 * (x[:, 1] - 0.5) ** 2, 4, 150, 0.5),
    Table("product", lambda x: (x[:, 0] - 0.5) * (x[:, 1] - 0.5), 2, 200, 0.3),
    Table("no dependence", lambda x: 0.0 * x[:, 0], 5, 100, 1.0),
    Table("16 samples", lambda x: x[:, 0] - x[:, 1], 3, 16, 1.0),
    Table("growing noise", lambda x: np.sin(6.0 * x[:, 0]) + x[:, 1], 4, 300, 1.0, "growing"),
    Table("outliers", lambda x: np.sin(6.0 * x[:, 0]) + x[:, 1], 4, 300, 0.2, "outliers"),
    Table("far inputs", lambda x: x[:, 0] + np.tanh(4.0 * x[:, 1]), 5, 200, 0.5, "far inputs"),
)


@dataclass(frozen=True)
class Outcome:
    """R^2 of each method on one drawn table, what `cross_validate` chose, and its CPU seconds."""

    r2: tuple[float, ...]
    chosen: str
    seconds: float


def measure(name: str, seed: int) -> Outcome:
    """Draw a table and predict its new samples by all methods."""
    rng = np.random.default_rng(seed)
    (table,) = (one for one in TABLES if one.name == name)
    data = table.draw(rng)
    network = kr.init_network((table.n_in, 5, 1), n_intervals=3, degree=3, domain=data.x_train, x=data.x_train, rng=rng)
    predictions = [additive_ridge(data)]
    predictions.append(kr.fit(network, data).network(data.x_test))
    stopped = kr.fit(network, data, validation_share=0.2, rng=rng)
    predictions.append(stopped.network(data.x_test))
    began = time.process_time()
    run = kr.cross_validate(data, rng=rng)
    seconds = time.process_time() - began
    assert run.chosen is not None
    predictions.append(run.predict(data.x_test))
    spread = float(np.std(data.y_test))
    scale = spread if spread > 1e-9 else 1.0  # of the noisy targets, where the function is constant
    r2 = tuple(1.0 - float(np.mean((y - data.y_test) ** 2)) / scale**2 for y in predictions)
    return Outcome(r2, run.chosen.architecture, seconds)


def additive_ridge(data: kr.Data) -> FloatArray:
    """Predict by a sum of splines with a ridge penalty, whose weight is the best of 13 in 5 folds."""
    ends = np.stack([data.x_train.min(axis=0), data.x_train.max(axis=0) + 1e-9])
    knots = np.stack([kr.uniform_knots(a, b, n_intervals=3, degree=3)[0] for a, b in ends.T])

    def features(x: FloatArray) -> FloatArray:
        inside = np.clip(x, *ends)
        return kr.bspline.basis(inside, knots, 3).reshape(len(x), -1)

    center = features(data.x_train).mean(axis=0)
    f, mean = features(data.x_train) - center, data.y_train.mean()

    def solve(rows: BoolArray, weight: float) -> FloatArray:
        normal = f[rows].T @ f[rows] + weight * np.eye(f.shape[1])
        solution: FloatArray = np.linalg.solve(normal, f[rows].T @ (data.y_train[rows] - mean))
        return solution

    weights, places = np.logspace(-3.0, 3.0, 13), np.arange(len(f))
    losses = np.zeros(len(weights))
    for fold in range(5):
        out = places % 5 == fold
        for place, weight in enumerate(weights):
            error = mean + f[out] @ solve(~out, weight) - data.y_train[out]
            losses[place] += float(np.sum(error**2))
    best = solve(places >= 0, float(weights[int(np.argmin(losses))]))
    prediction: FloatArray = mean + (features(data.x_test) - center) @ best
    return prediction


def limit(name: str, outcomes: Sequence[Outcome]) -> bars.Verdict:
    """Return the cells of one table."""
    columns = zip(*(one.r2 for one in outcomes), strict=True)
    cells = [f"{np.median(r2):.3f} ({min(r2):.3f} to {max(r2):.3f})" for r2 in columns]
    chosen = Counter(one.chosen for one in outcomes).most_common()
    cells.append(", ".join(f"{kind} {count}" for kind, count in chosen))
    return bars.Verdict([*cells, f"{np.median([one.seconds for one in outcomes]):.1f}"], None)


def main(words: Sequence[str] | None = None) -> int:
    """Print one line for each table; return the exit status."""
    known = {table.name: table for table in TABLES}
    options = bars.read(bars.command("noise", __doc__, seeds=5), words, known)
    columns = ["R^2 (worst to best)", *(f"{one:>24}" for one in METHODS), f"{'chosen':>16}", "CPU s"]
    return bars.bar(options.names, columns, measure, limit, seeds=range(options.seeds), jobs=options.jobs)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
