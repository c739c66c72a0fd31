"""The weight of the smoothness penalty, chosen on held-out samples, grid after grid.

On a fine grid the data leave many coefficients undetermined. The smoothness penalty (T9) of
`penalties` determines them, if its weight is right: with too small a weight curves follow the gaps
between samples, with too large a weight they cannot bend. The weight is chosen by hold-out
validation
(Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd ed., section 7.2): a part
of the training samples is held out once. On each grid, starting from the refined network f_G of the
grid before,

    (T13)  candidates = {f_G} + {f_G trained with weight w on the other samples : w of the weights}
    (T14)  the network of this grid is the candidate with the smallest error on the held-out samples

Since f_G is a candidate itself, the error on the held-out samples never rises, except by what
refinement itself changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.checks import FloatArray, Record, check_generator, check_number
from kan_ref.data import DataLike, check_data
from kan_ref.network import Network, check_inputs, network_values, refine
from kan_ref.training.data_goal import mean_squared_error
from kan_ref.training.fit_arguments import check_schedule, check_start
from kan_ref.training.fitting import fit
from kan_ref.training.held_out import hold_out

WEIGHTS = (0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4)


@dataclass(frozen=True, eq=False)
class SmoothGrid:
    """The result on one grid.

    `weight` is the one chosen, None where the refined network was best; `validation_rmse` is taken
    on the held-out samples, `train_rmse` on those trained on; `rivals` (n_weights + 1,) are the
    validation errors of all candidates, the untrained one first.
    """

    n_intervals: int
    weight: float | None
    validation_rmse: float
    train_rmse: float
    rivals: FloatArray = field(repr=False)
    network: Network = field(repr=False)


@dataclass(frozen=True, eq=False)
class SmoothRun(Record):
    """A finished schedule.

    Parameters
    ----------
    network : Network
        Of the last grid.
    grids : tuple of SmoothGrid
        The result on each grid.
    """

    network: Network
    grids: tuple[SmoothGrid, ...]

    def __repr__(self) -> str:
        steps = ", ".join(
            f"G {grid.n_intervals}: {grid.weight!r} {grid.validation_rmse:.1e}"
            for grid in self.grids
        )
        return f"SmoothRun({self.network!r}; {steps})"


@np.errstate(all="ignore")
def fit_smooth(
    network: Network,
    data: DataLike,
    *,
    grids: Sequence[int],
    weights: Sequence[float] = WEIGHTS,
    optimizer: str | None = None,
    n_steps: int = 30,
    precondition: str | None = "auto",
    validation_share: float = 0.2,
    rng: np.random.Generator,
) -> SmoothRun:
    """Train on finer and finer grids, and choose the smoothness weight of each on held-out samples.

    Parameters
    ----------
    network : Network
        Best trained a little before (`best_start`), since errors of a coarse grid persist.
    data : record with x_train, y_train, x_test, y_test
        Numbers, no class labels. Test data are not used.
    grids : sequence of int
        Strictly increasing numbers of intervals, none below the network's.
    weights : sequence of float
        At least one, each at least 0, each once.
    optimizer, n_steps, precondition
        As in `fit`, for each weight on each grid.
    validation_share : float
        Above 0, at most 0.5: the held-out fraction of the training samples.
    rng : numpy.random.Generator
        Draws the held-out samples.

    Returns
    -------
    run : SmoothRun

    Raises
    ------
    ValueError, TypeError
        "weights is (1e-08, -1.0), but weights must be at least 0"; as `fit`; where a symbolic edge
        has no finite value or derivative at a training sample.
    KeyboardInterrupt
        Passed on, because a choice among fewer candidates was not asked for.

    Notes
    -----
    Implements :eq:`smooth-candidates`. It takes len(weights) runs of `fit` per grid.
    """
    checked = check_data(data)
    if checked.y_train.ndim != 2:
        raise ValueError(
            f"y_train has shape {checked.y_train.shape}, but needs columns of numbers: class "
            "labels have no smooth fit here"
        )
    schedule = _check_rising(grids)
    tried = _check_weights(weights)
    check_start(network, check_inputs(network, checked.x_train, "x_train"), highest=1)
    fraction = check_number("validation_share", validation_share, low=0.0, high=0.5)
    if int(fraction * len(checked.x_train)) == 0:
        raise ValueError(
            f"validation_share is {fraction:g}, but of {len(checked.x_train)} training samples it "
            "must hold out at least one"
        )
    part = hold_out(checked, fraction, check_generator("rng", rng))

    done = []
    for n_intervals in schedule:
        # [eq:smooth-candidates]
        refined = network
        if network.n_intervals != n_intervals:
            refined = refine(network, part.x_train, n_intervals)
        candidates: list[tuple[float | None, Network]] = [(None, refined)]
        for weight in tried:
            run = fit(
                refined,
                part,
                optimizer=optimizer,
                n_steps=n_steps,
                precondition=precondition,
                smoothness_weight=weight,
            )
            if run.interrupted:
                raise KeyboardInterrupt
            candidates.append((weight, run.network))
        rivals = np.array([rmse(one, part.x_test, part.y_test) for _, one in candidates])
        chosen = int(np.argmin(rivals))
        # [/eq:smooth-candidates]
        weight_chosen, network = candidates[chosen]
        train = rmse(network, part.x_train, part.y_train)
        done.append(
            SmoothGrid(n_intervals, weight_chosen, float(rivals[chosen]), train, rivals, network)
        )
    return SmoothRun(network, tuple(done))


def rmse(network: Network, x: FloatArray, y: FloatArray) -> float:
    """Compute the root mean square error on a checked batch; infinite where it is undefined."""
    error = float(np.sqrt(mean_squared_error(network_values(network, x), y)[0]))
    return error if np.isfinite(error) else np.inf


def _check_rising(grids: object) -> tuple[int, ...]:
    """Return `grids` as strictly increasing numbers of intervals."""
    schedule = check_schedule(grids)
    if len(set(schedule)) < len(schedule):
        raise ValueError(f"grids is {schedule}, but each number of intervals must be there once")
    return schedule


def _check_weights(weights: object) -> tuple[float, ...]:
    """Return `weights` as different numbers of at least 0."""
    if isinstance(weights, str) or not isinstance(weights, Sequence | np.ndarray):
        raise TypeError(
            f"weights is {weights!r}, but must be a sequence of numbers such as (0.0, 1e-8)"
        )
    tried = tuple(
        check_number(f"weights[{place}]", weight, low=0.0) for place, weight in enumerate(weights)
    )
    if not tried or len(set(tried)) != len(tried):
        raise ValueError(f"weights is {tried}, but must be numbers, at least one, each once")
    return tried
