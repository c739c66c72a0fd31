"""A training step of every subject for a shape: tried alone first, then timed in turns with all others in one process."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from typing import Any

from benchmarks.clock import take_turns
from benchmarks.shapes import Shape, problem
from benchmarks.subjects import Step, Subject
from benchmarks.trial import Limits, Trial, few_words, try_step

ONCE = 1.0  # CPU seconds: slower steps are not repeated, and the trial's time is used
SAME = 1e-9  # with larger errors of loss or gradient a subject computes something else


@dataclass(frozen=True)
class Cell:
    """One subject at one shape. `times` is a `Times.as_record`; with one repeat it is the trial's,
    not measured in turns.
    """

    subject: str
    shape: Shape
    trial: Trial
    times: dict[str, float]
    failure: str = ""

    @property
    def least(self) -> float:
        """Return the smallest milliseconds of a step; nan if there are none."""
        return self.times.get("least", float("nan"))

    @property
    def same(self) -> bool:
        """Return whether the subject computes the same as kan_ref."""
        return (
            not self.failure and self.trial.loss_error <= SAME and self.trial.gradient_error <= SAME
        )

    def as_record(self) -> dict[str, Any]:
        """Return plain data; None for missing numbers."""
        trial = self.trial
        numbers = {"resident_mib": trial.resident, "arrays_mib": trial.arrays}
        numbers |= {"loss_error": trial.loss_error, "gradient_error": trial.gradient_error}
        known = {} if self.failure else numbers
        return {
            "subject": self.subject,
            "shape": self.shape.name,
            "failure": self.failure,
            "milliseconds": self.times,
            **known,
        }


def prepare(subject: Subject, shape: Shape) -> Step | str:
    """Return a step that has run once, or the reason why there is none."""
    if subject.missing():
        return subject.missing()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the peers', about their own dependencies
            step = subject.step(*problem(shape))
            step.run()
    except Exception as error:  # whatever a peer raises goes into the table, and the others go on
        return few_words(f"{type(error).__name__}: {error}")
    return step


def compare(
    shape: Shape,
    subjects: Sequence[Subject],
    *,
    seconds: float,
    tell: Callable[[str], object],
    limits: Limits | None = None,
) -> list[Cell]:
    """Return the cells of all subjects at a shape, from about `seconds` of CPU time for each that
    can be repeated. `tell` is called as work proceeds.
    """

    def tried(subject: Subject) -> Trial:
        trial = try_step(subject, shape, limits)
        tell(f"({shape.name}) {subject.name}")
        return trial

    with ThreadPool(
        min(2, os.cpu_count() or 1)
    ) as pool:  # each waits for a process; memory is not affected by the others
        trials = pool.map(tried, subjects, chunksize=1)
    steps: dict[int, Step] = {}
    failures = [trial.failure for trial in trials]
    for place, subject in enumerate(subjects):
        if not failures[place] and trials[place].seconds <= ONCE:
            prepared = prepare(subject, shape)
            if isinstance(prepared, str):
                failures[place] = prepared
            else:
                steps[place] = prepared
    times = dict(
        zip(steps, take_turns([step.run for step in steps.values()], seconds=seconds), strict=True)
    )
    tell(f"({shape.name}) in turns")
    cells = []
    for place, (subject, trial) in enumerate(zip(subjects, trials, strict=True)):
        once = {} if failures[place] else {"least": round(1e3 * trial.seconds, 4), "repeats": 1}
        record = times[place].as_record() if place in times else once
        cells.append(Cell(subject.name, shape, trial, record, failures[place]))
    return cells
