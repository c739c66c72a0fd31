"""Figures without records of their own: `sources` says whose records a figure is drawn from.

Such a figure has `RECORDS_OF` (see `machine`). Its module imports `configs`, `cost` and `run` from here.
"""

from typing import Any

from figures.machine.machine import Config, Figure


def sources(figure: Figure) -> tuple[Figure, ...]:
    """Return the figures whose records a figure is drawn from: itself, unless its module has
    `RECORDS_OF`.
    """
    found: tuple[Figure, ...] = getattr(figure, "RECORDS_OF", (figure,))
    return found


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return no configuration: the records are those of other figures."""
    return []


def cost(config: Config) -> float:
    """Raise TypeError, because there is no record to compute."""
    raise TypeError(f"config is {config}, but a figure with RECORDS_OF computes no records")


def run(config: Config) -> Any:
    """Raise TypeError, because there is no record to compute."""
    raise TypeError(f"config is {config}, but a figure with RECORDS_OF computes no records")
