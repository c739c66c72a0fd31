"""A training step of every subject for a shape: tried and timed alone in a process of its own, then in turns with all others in one.

All subjects are tried in the same way: whether the step runs, whether it agrees with kan_ref, and its memory. The network and the batch
exist, a step of a tiny network has loaded the libraries, and free memory has been returned; the memory of a step is then the resident set's
high-water mark above the resident set before it. NumPy's allocations are counted separately (tracemalloc). A step that needs too much
memory or time ends its own process alone.

The two times differ with glibc: it keeps freed memory up to a limit that the largest array of a process sets. Alone, a step may wait for new
pages that it does not need beside others.
"""

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.measuring import take_turns
from benchmarks.subjects import Shape, Step, Subject, problem
from kan_ref.program import run_program

ROOT = Path(__file__).parents[1]
TINY = Shape("tiny", (1, 1), 5, 10)
MIB = 2**20
SLOW = 5.0  # CPU seconds: a first step that takes longer is not taken again


@dataclass(frozen=True)
class Limits:
    """The limits of a trial: resident set in GiB, seconds on the wall clock."""

    gib: float = 8.0
    seconds: float = 120.0


@dataclass(frozen=True)
class Trial:
    """The outcome: `failure` in a few words or "", else CPU seconds of a step (the least of its
    repeats), MiB, and errors relative to kan_ref.

    `resident` is the growth of the resident set, `arrays` what NumPy had allocated at the most (None where others allocate). The
    gradient's error is the largest over the gradient's largest.
    """

    failure: str = ""
    seconds: float = float("nan")
    resident: float = float("nan")
    arrays: float | None = None
    loss_error: float = float("nan")
    gradient_error: float = float("nan")


def few_words(error: str) -> str:
    """Return an error as one short line for a table, without paths."""
    line = re.sub(r"(?:/[\w.~-]+){2,}", "...", " ".join(error.split()))
    return line if len(line) <= 60 else line[:57] + "..."


def try_step(
    subject: Subject, shape: Shape, limits: Limits | None = None, repeated: float = 0.0
) -> Trial:
    """Take the step in a fresh process, for about `repeated` CPU seconds; never raise an error."""
    limits = limits or Limits()
    if subject.missing():
        return Trial(failure=subject.missing())
    command = [
        sys.executable,
        "-m",
        "benchmarks.trial",
        subject.home,
        subject.name,
        json.dumps(asdict(shape)),
        str(limits.gib),
        str(repeated),
    ]
    try:
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Trial(failure=f"takes over {limits.seconds:g} s")
    answer = run.stdout.strip().rpartition("\n")[2]
    if run.returncode or not answer.startswith("{"):
        reason = run.stderr.strip().rpartition("\n")[2]
        return Trial(failure=few_words(reason or f"ended by signal or status {run.returncode}"))
    return Trial(**json.loads(answer))


# --- in turns

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
            "alone_milliseconds": None if self.failure else round(1e3 * self.trial.seconds, 4),
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
    can be repeated, alone and once more in turns. `tell` is called as work proceeds.
    """
    trials = []
    for subject in subjects:  # one after the other: a process beside it would slow a step down
        trials.append(try_step(subject, shape, limits, seconds))
        tell(f"({shape.name}) {subject.name}")
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


# --- in the other process


def peak_resident() -> float:
    """Return the high-water mark of this process's resident set in MiB.

    From /proc if it exists: the mark of `getrusage` includes that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = re.search(
            r"^VmHWM:\s+(\d+) kB$",
            status.read_text(encoding="ascii", errors="replace"),
            re.MULTILINE,
        )
        if line:
            return int(line[1]) / 1024
    import resource  # without this module too, a trial fails with a message

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def resident_now() -> float:
    """Return the resident set of this process in MiB and reset its high-water mark; return the mark
    itself without /proc.
    """
    marks = Path("/proc/self/clear_refs")
    if not marks.exists():
        return peak_resident()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
    marks.write_text("5", encoding="ascii")
    return peak_resident()


def _watch(gib: float) -> None:
    while peak_resident() < 1024 * gib:
        time.sleep(0.02)
    print(json.dumps(asdict(Trial(failure=f"needs over {gib:g} GiB"))), flush=True)
    os._exit(0)


def _allocated(step: Step) -> float:
    tracemalloc.start()
    step.run()
    peak = tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()
    return peak


def measure(subject: Subject, shape: Shape, repeated: float) -> Trial:
    """Run the trial in this process, and the step for about `repeated` CPU seconds more."""
    subject.step(*problem(TINY)).run()
    network, x, y = problem(shape)
    step = subject.step(network, x, y)
    before = resident_now()
    start = time.process_time()
    outcome = step.run()
    seconds = time.process_time() - start
    resident = peak_resident() - before

    value, gradient = step.read(outcome)
    expected, slopes = kr.value_and_grad(subject.nearest(network), x, y)
    known = ~np.isnan(gradient)
    loss_error = abs(value - expected) / abs(expected)
    gradient_error = float(np.abs(gradient - slopes)[known].max() / np.abs(slopes).max())
    if seconds < SLOW:
        start = time.process_time()
        step.run()
        seconds = min(seconds, time.process_time() - start)
    if repeated and seconds <= ONCE:
        seconds = take_turns([step.run], seconds=repeated)[0].least
    arrays = None if subject.package else _allocated(step)
    return Trial("", seconds, resident, arrays, loss_error, gradient_error)


def _given_shape(text: str) -> Shape:
    """Return the shape in an argument of the command line, as `type` of argparse."""
    try:
        fields = json.loads(text)
        return Shape(**{**fields, "widths": tuple(fields["widths"])})
    except (ValueError, TypeError, KeyError):
        raise argparse.ArgumentTypeError(
            f"the shape is {text!r}, but must be a JSON object such as {json.dumps(asdict(TINY))}"
        ) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a trial as a line of JSON; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trial",
        description="Print a trial of a step as a line of JSON. `python -m benchmarks step` starts it.",
    )
    parser.add_argument("home", metavar="MODULE", help="whose SUBJECTS have the subject")
    parser.add_argument("name", metavar="NAME", help="of the subject")
    parser.add_argument("shape", metavar="SHAPE", type=_given_shape, help="as JSON")
    parser.add_argument("gib", metavar="GIB", type=float, help="most resident memory")
    parser.add_argument(
        "repeated",
        metavar="SECONDS",
        type=float,
        help="CPU seconds of repeats",
    )
    options = parser.parse_args(arguments)
    threading.Thread(target=_watch, args=(options.gib,), daemon=True).start()
    try:
        home = import_module(options.home)
    except ModuleNotFoundError as error:
        if not options.home.startswith(str(error.name)):  # a library that the module needs
            raise
        parser.error(f"there is no module {options.home!r}")
    subjects = {subject.name: subject for subject in getattr(home, "SUBJECTS", ())}
    if options.name not in subjects:
        parser.error(
            f"NAME is {options.name!r}, but the SUBJECTS of {options.home} are "
            f"{', '.join(subjects) or 'none'}"
        )
    trial = measure(subjects[options.name], options.shape, options.repeated)
    print("\n" + json.dumps(asdict(trial)), flush=True)
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
