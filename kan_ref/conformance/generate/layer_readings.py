"""Matrices of one number, and transposed ones."""

from collections.abc import Sequence


def filled(value: float, n_out: int, n_in: int) -> list[list[float]]:
    """Return (n_out, n_in) of one value."""
    return [[value] * n_in for _ in range(n_out)]


def transposed(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the transposed matrix."""
    return [list(column) for column in zip(*matrix, strict=True)]
