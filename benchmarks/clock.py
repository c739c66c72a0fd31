"""CPU time of functions that take turns, so that what else the machine does hits all of them alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

BURST = 0.005  # CPU seconds: in training step follows step, and finds its data in the cache
SLOW = 0.05  # CPU seconds: what a neighbour leaves behind does not count beside that


@dataclass(frozen=True)
class Times:
    """CPU seconds of a call, one number a repeat."""

    samples: tuple[float, ...]

    @property
    def least(self) -> float:
        """The least: what the machine takes when nothing disturbs it."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The median."""
        return float(np.median(self.samples))

    def as_record(self) -> dict[str, float]:
        """Milliseconds, rounded to what the clock can tell, and the number of repeats."""
        low, middle, high = (
            round(1e3 * float(value), 4) for value in np.quantile(self.samples, (0.25, 0.5, 0.75))
        )
        return {
            "least": round(1e3 * self.least, 4),
            "quartile": low,
            "median": middle,
            "upper": high,
            "repeats": len(self.samples),
        }


def take_turns(
    functions: Sequence[Callable[[], object]], *, seconds: float, repeats: int = 3
) -> list[Times]:
    """CPU times of each function: about `seconds` for each, at least `repeats` repeats.

    In a round each function is called once uncounted, unless it is slow, so that it finds its own data in the cache and pays for
    nothing that its neighbour put off; then for `BURST` on end, and the mean of these calls is one repeat. A function that has had
    its time sits out the rounds that are left.
    """
    samples: list[list[float]] = [[] for _ in functions]
    spent = [0.0] * len(functions)
    waiting = list(range(len(functions)))
    while waiting:
        for place in waiting:
            known = min(samples[place], default=0.0)
            calls = 1 + int(BURST / known) if known else 1
            if known < SLOW:
                functions[place]()
            start = time.process_time()
            for _ in range(calls):
                functions[place]()
            burst = time.process_time() - start
            spent[place] += burst
            samples[place].append(burst / calls)
        waiting = [
            place for place in waiting if spent[place] < seconds or len(samples[place]) < repeats
        ]
    return [Times(tuple(row)) for row in samples]
