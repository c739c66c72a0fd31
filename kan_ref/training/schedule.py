"""Schedules of grids: numbers of intervals that never fall, none below the network's."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kan_ref.checks import check_integer
from kan_ref.network import Network


def check_schedule(grids: object) -> tuple[int, ...]:
    """Return `grids` as a tuple of at least one positive int, else raise an error."""
    if isinstance(grids, str) or not isinstance(grids, Sequence | np.ndarray):
        raise TypeError(
            f"grids is {grids!r}, but must be a sequence of integers such as (5, 10, 20)"
        )
    schedule = tuple(check_integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids))
    if not schedule:
        raise ValueError("grids is empty, but a schedule needs at least one number of intervals")
    if any(later < earlier for earlier, later in pairwise(schedule)):
        raise ValueError(f"grids is {schedule}, but must not fall")
    return schedule


def check_grids(network: object, grids: object) -> tuple[int, ...]:
    """Return the schedule for a network, none of it below the network's own grids."""
    if not isinstance(network, Network):
        raise TypeError(
            f"grids is {grids!r}, but only the grids of a Network are refined during a run: "
            f"this is {network!r}"
        )
    schedule = check_schedule(grids)
    finest = max(layer.n_intervals for layer in network.layers)
    if schedule[0] < finest:
        raise ValueError(
            f"grids begins with {schedule[0]}, but the network has {finest} intervals already "
            "and a grid is only made finer"
        )
    return schedule
