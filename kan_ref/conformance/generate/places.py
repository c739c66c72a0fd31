"""Places in an array, as numbers in C order."""

from collections.abc import Sequence


def n_apart(shape: Sequence[int], one: int, other: int) -> int:
    """Return in how many axes two places of an array differ."""
    n = 0
    for length in reversed(shape):
        n += one % length != other % length
        one, other = one // length, other // length
    return n
