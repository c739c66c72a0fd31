"""The weight of the smoothness penalty, chosen grid by grid on samples set aside, so that finer grids do not undo what coarser ones learnt.

On a fine grid the data leave many coefficients free; what decides them is the smoothness penalty (P1) of `smoothness`, if its weight is
right: too small, and curves follow the gaps between samples, too large, and they cannot bend. The choice is made by hold-out validation
(Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd ed., section 7.2). A part of the training samples is set aside
once. On each grid, starting from the refined network f_G of the grid before,

    (W1)  candidates = {f_G as it is} + {f_G trained with weight w on the samples kept : w of the given weights}
    (W2)  the network of this grid is the candidate whose error on the samples set aside is least

As the refined network stands among its rivals, the error on the samples set aside never rises but by what refinement itself changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.data import Data, DataLike, check_data
from kan_ref.network import Network, check_network, evaluate_inputs, predict, refine
from kan_ref.training.fitting import fit

WEIGHTS = (0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4)


@dataclass(frozen=True, eq=False)
class SmoothGrid:
    """What one grid came to.

    `weight`: the one chosen, None where the refined network was left as it was; `validation_rmse` on the samples set aside,
    `train_rmse` on those trained on; `rivals` (n_weights + 1,): validation errors of all candidates, the untrained one first.
    """

    n_intervals: int
    weight: float | None
    validation_rmse: float
    train_rmse: float
    rivals: FloatArray = field(repr=False)
    network: Network = field(repr=False)


@dataclass(frozen=True, eq=False)
class SmoothRun:
    """A finished schedule.

    Parameters
    ----------
    network : Network
        Of the last grid.
    grids : tuple of SmoothGrid
        What each grid came to.
    """

    network: Network
    grids: tuple[SmoothGrid, ...]

    def __repr__(self) -> str:
        steps = ", ".join(
            f"G {grid.n_intervals}: {grid.weight!r} {grid.validation_rmse:.1e}"
            for grid in self.grids
        )
        return f"SmoothRun({self.network!r}; {steps})"


def fit_smooth(
    network: Network,
    data: DataLike,
    *,
    grids: Sequence[int],
    weights: Sequence[float] = WEIGHTS,
    optimizer: str | None = None,
    n_steps: int = 30,
    validation_share: float = 0.2,
    rng: np.random.Generator,
) -> SmoothRun:
    """Train through finer and finer grids, with the smoothness weight of each chosen on samples set aside.

    Parameters
    ----------
    network : Network
        Best trained a little: what is right on a coarse grid stays right (`best_start`).
    data : record with x_train, y_train, x_test, y_test
        Numbers, no class labels. Test data are not looked at.
    grids : sequence of int
        Numbers of intervals, rising, none below the network's.
    weights : sequence of float
        At least one, each at least 0, each once.
    optimizer, n_steps
        As in `fit`, for each weight on each grid.
    validation_share : float
        Above 0, at most 0.5: the part of the training samples that is set aside.
    rng : numpy.random.Generator
        Draws the samples that are set aside.

    Returns
    -------
    run : SmoothRun

    Raises
    ------
    ValueError, TypeError
        "weights is (1e-08, -1.0), but weights must be at least 0"; what `fit` refuses.
    KeyboardInterrupt
        Passed on: a choice among some of the candidates is not what was asked for.

    Notes
    -----
    Implements :eq:`smooth-candidates`. len(weights) runs of `fit` a grid.
    """
    check_network("network", network)
    checked = check_data(data)
    if checked.y_train.ndim != 2:
        raise ValueError(
            f"y_train has shape {checked.y_train.shape}, but needs columns of numbers: class labels have no smooth fit here"
        )
    schedule = _check_schedule(grids)
    tried = _check_weights(weights)
    share = check_number("validation_share", validation_share, low=0.0, high=0.5)
    n_aside = int(share * len(checked.x_train))
    if n_aside == 0:
        raise ValueError(
            f"validation_share is {share:g}, but of {len(checked.x_train)} training samples it must set at least one aside"
        )
    order = check_generator("rng", rng).permutation(len(checked.x_train))
    aside, kept = order[:n_aside], order[n_aside:]
    part = Data(
        checked.x_train[kept], checked.y_train[kept], checked.x_train[aside], checked.y_train[aside]
    )

    done = []
    for n_intervals in schedule:
        # [eq:smooth-candidates]
        refined = (
            network if _fits(network, n_intervals) else refine(network, part.x_train, n_intervals)
        )
        candidates: list[tuple[float | None, Network]] = [(None, refined)]
        for weight in tried:
            run = fit(refined, part, optimizer=optimizer, n_steps=n_steps, smoothness_weight=weight)
            if run.interrupted:
                raise KeyboardInterrupt
            candidates.append((weight, run.network))
        rivals = np.array([_rmse(one, part.x_test, part.y_test) for _, one in candidates])
        chosen = int(np.argmin(rivals))
        # [/eq:smooth-candidates]
        weight_chosen, network = candidates[chosen]
        train = _rmse(network, part.x_train, part.y_train)
        done.append(
            SmoothGrid(n_intervals, weight_chosen, float(rivals[chosen]), train, rivals, network)
        )
    return SmoothRun(network, tuple(done))


def _fits(network: Network, n_intervals: int) -> bool:
    return all(layer.n_intervals == n_intervals for layer in network.layers)


def _rmse(network: Network, x: FloatArray, y: FloatArray) -> float:
    return float(
        np.sqrt(np.mean((predict(network, evaluate_inputs(network, x, slopes=False)) - y) ** 2))
    )


def _check_schedule(grids: object) -> tuple[int, ...]:
    if isinstance(grids, str) or not isinstance(grids, Sequence | np.ndarray):
        raise TypeError(
            f"grids is {grids!r}, but must be a sequence of integers such as (5, 10, 20)"
        )
    schedule = tuple(check_integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids))
    if not schedule or list(schedule) != sorted(set(schedule)):
        raise ValueError(
            f"grids is {schedule}, but must be rising numbers of intervals, at least one"
        )
    return schedule


def _check_weights(weights: object) -> tuple[float, ...]:
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
