"""Poles between samples: where one may lie, where the samples show one, which ones they support.

A pole lies between two neighbouring samples. It is accepted only where the samples grow towards
that gap from both sides. Next to a simple pole tau the samples are close to z = c / (t - tau), so
the two neighbours of the gap determine it:

    (S12)  tau = (z_left t_left - z_right t_right) / (z_left - z_right)
"""

import numpy as np

from kan_ref.checks import FloatArray

N_BESIDE = 3  # samples of each side that must grow towards the gap; two where there are no more
LEAST_HEIGHT = 5.0  # times the median distance from the median: smooth curves stay below


def pole_gaps(t: FloatArray, z: FloatArray) -> list[tuple[float, float]]:
    """Return the gaps (t_left, t_right) beside the most distant sample that may hold a pole."""
    distance = np.abs(z - np.median(z))
    top = int(np.argmax(distance))
    return [
        (float(t[left]), float(t[left + 1]))
        for left in (top - 1, top)
        if _grow_towards_gap(t, distance, left)
    ]


def simple_poles(t: FloatArray, z: FloatArray) -> FloatArray:
    """Return the simple poles that the samples show, increasing, by (S12).

    Beside each of them the samples change their sign about the median, are `LEAST_HEIGHT` times as
    far from it as the median sample, and grow towards the gap.
    """
    offset = z - np.median(z)
    distance = np.abs(offset)
    least = LEAST_HEIGHT * float(np.median(distance))
    left = np.flatnonzero(
        (offset[:-1] * offset[1:] < 0.0) & (np.minimum(distance[:-1], distance[1:]) > least)
    )
    left = left[np.array([_grow_towards_gap(t, distance, int(n)) for n in left], dtype=bool)]
    # [eq:simple-pole]
    return np.asarray(
        (offset[left] * t[left] - offset[left + 1] * t[left + 1])
        / (offset[left] - offset[left + 1])
    )
    # [/eq:simple-pole]


def holds_poles(t: FloatArray, z: FloatArray, poles: FloatArray) -> bool:
    """Return whether the samples grow towards each of these poles from both sides.

    Noise and single outliers do not, so they support no pole.
    """
    distance = np.abs(z - np.median(z))
    left = np.searchsorted(t, poles) - 1
    return all(_grow_towards_gap(t, distance, int(place)) for place in left)


def _grow_towards_gap(t: FloatArray, distance: FloatArray, left: int) -> bool:
    """Return whether `distance` grows on both sides towards the gap after sample `left`."""
    before = distance[max(left + 1 - N_BESIDE, 0) : left + 1]
    after = distance[left + 1 : left + 1 + N_BESIDE]
    if len(before) < 2 or len(after) < 2 or t[left] == t[left + 1]:
        return False
    return bool(np.all(np.diff(before) > 0.0) and np.all(np.diff(after) < 0.0))
