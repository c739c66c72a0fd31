"""CPU time of functions that run in turns, so that disturbances of the machine affect all of them alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

BURST = (
    0.005  # CPU seconds: in training a step finds its data in the cache, left by the step before
)
SLOW = 0.05  # CPU seconds: effects of the function before are negligible over that time


@dataclass(frozen=True)
class Times:
    """CPU seconds of a call, one number for each repeat."""

    samples: tuple[float, ...]

    @property
    def least(self) -> float:
        """Return the smallest time: that of an undisturbed machine."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """Return the median."""
        return float(np.median(self.samples))

    def as_record(self) -> dict[str, float]:
        """Return milliseconds, rounded to the precision of the clock, and the number of repeats."""
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
    """Return CPU times of each function: about `seconds` for each, at least `repeats` repeats.

    In a round each function, unless it is slow, is called once without counting, so that its data are in the cache and work
    that the function before left undone is not counted. Then it is called for `BURST` seconds, and the mean of these calls is
    one repeat. A function that has used up its time is left out of the remaining rounds.
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
