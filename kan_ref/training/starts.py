"""Several short runs from different draws, and the best of them on samples that none of them saw.

Training is not convex: on a coarse grid a random start finds a good basin often, not always (the curves that the network
needs are unique up to trivial changes, the ways to miss them are not). If one start succeeds with probability p,

    (H1)  P(all of n starts fail) = (1 - p)^n

so that a few short runs on a coarse grid, where a step is cheap, buy near certainty. The choice is made on a part of the
training data set aside for it; test data are never looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import data_bounds
from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.data import Data, DataLike, check_data
from kan_ref.network import Network, init_network
from kan_ref.training.fitting import fit

FAILED = (
    10.0  # times the best error: good basins differ by less than two, a missed one by more than ten
)


@dataclass(frozen=True, eq=False)
class Starts:
    """What several starts came to.

    `network`: the best of them; `chosen`: its place; `validation_rmse`, `train_rmse` (n_starts,): errors on the samples
    set aside and on those trained on.
    """

    network: Network
    chosen: int
    validation_rmse: FloatArray
    train_rmse: FloatArray

    @property
    def n_failed(self) -> int:
        """Starts whose validation error is more than ten times the best."""
        return int((self.validation_rmse > FAILED * self.validation_rmse.min()).sum())

    def __repr__(self) -> str:
        low, high = self.validation_rmse.min(), self.validation_rmse.max()
        return f"Starts({len(self.validation_rmse)} starts, validation_rmse {low:.1e} to {high:.1e}, {self.n_failed} failed)"


def run_starts(
    widths: Sequence[int],
    data: DataLike,
    *,
    n_starts: int = 8,
    n_intervals: int,
    degree: int,
    domain: object = None,
    base: str = "silu",
    n_steps: int = 30,
    optimizer: str | None = None,
    smoothness_weight: float = 0.0,
    validation_share: float = 0.2,
    rng: np.random.Generator,
) -> Starts:
    """Short runs from `n_starts` draws of the parameters, judged on a part of the training data.

    Parameters
    ----------
    widths, data, n_starts, n_intervals, degree, domain, base, n_steps, optimizer, smoothness_weight, validation_share, rng
        As in `best_start`, which hands out the best of them.

    Returns
    -------
    starts : Starts

    Raises
    ------
    ValueError, TypeError
        As `init_network` and `fit`.
    KeyboardInterrupt
        Passed on: a part of the starts would be a choice that nobody asked for.

    Notes
    -----
    Implements :eq:`best-of-starts`. n_starts short runs, one after another.
    """
    n_starts = check_integer("n_starts", n_starts, low=1)
    share = check_number("validation_share", validation_share, low=0.0, high=0.5)
    rng = check_generator("rng", rng)
    checked = check_data(data)
    part = _set_aside(checked, share, rng)
    runs = []
    for _ in range(n_starts):
        network = init_network(
            widths,
            n_intervals=n_intervals,
            degree=degree,
            domain=_samples_as_domain(checked.x_train) if domain is None else domain,
            x=part.x_train,
            base=base,
            rng=rng,
        )
        run = fit(
            network, part, optimizer=optimizer, n_steps=n_steps, smoothness_weight=smoothness_weight
        )
        if run.interrupted:
            raise KeyboardInterrupt
        runs.append(run)
    # [eq:best-of-starts]
    validation = np.array([run.history.test_rmse[-1] for run in runs])
    chosen = int(np.argmin(validation))
    # [/eq:best-of-starts]
    train = np.array([run.history.train_rmse[-1] for run in runs])
    return Starts(runs[chosen].network, chosen, validation, train)


def best_start(
    widths: Sequence[int],
    data: DataLike,
    *,
    n_starts: int = 8,
    n_intervals: int,
    degree: int,
    domain: object = None,
    base: str = "silu",
    n_steps: int = 30,
    optimizer: str | None = None,
    smoothness_weight: float = 0.0,
    validation_share: float = 0.2,
    rng: np.random.Generator,
) -> Network:
    """The network of the best of several short runs: `run_starts(...).network`.

    Parameters
    ----------
    widths, n_intervals, degree, base
        As in `init_network`.
    data : record with x_train, y_train, x_test, y_test
        Test data are not looked at.
    n_starts : int
        At least 1.
    domain : (2,) or (n_in, 2), or (N, n_in), optional
        As in `init_network`; x_train if None.
    n_steps, optimizer, smoothness_weight
        As in `fit`, for each start.
    validation_share : float
        Between 0 and 0.5: the part of the training samples, drawn once, on which starts are compared; with 0, or where
        it comes to no sample, they are compared on the samples trained on.
    rng : numpy.random.Generator
        Draws the validation samples, then start after start.

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError, TypeError
        As `init_network` and `fit`.
    KeyboardInterrupt
        Passed on.

    Notes
    -----
    See tutorials/05_optimizers.md, "several starts".
    """
    return run_starts(
        widths,
        data,
        n_starts=n_starts,
        n_intervals=n_intervals,
        degree=degree,
        domain=domain,
        base=base,
        n_steps=n_steps,
        optimizer=optimizer,
        smoothness_weight=smoothness_weight,
        validation_share=validation_share,
        rng=rng,
    ).network


def _samples_as_domain(x: FloatArray) -> FloatArray:
    """The samples, or where two samples of two inputs would be read as bounds, the bounds that they stand for."""
    return np.stack(data_bounds(x), axis=1) if x.shape == (2, 2) else x


def _set_aside(data: Data, share: float, rng: np.random.Generator) -> Data:
    """Training samples split in two: `x_train` to train on, `x_test` to compare on."""
    n_aside = int(share * len(data.x_train))
    if n_aside == 0:
        return Data(data.x_train, data.y_train, data.x_train, data.y_train)
    order = rng.permutation(len(data.x_train))
    aside, kept = order[:n_aside], order[n_aside:]
    return Data(data.x_train[kept], data.y_train[kept], data.x_train[aside], data.y_train[aside])
