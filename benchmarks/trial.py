"""A step in a process of its own: whether it runs, whether it agrees with kan_ref, and its memory.

All subjects are measured in the same way. The network and the batch exist, a step of a tiny network has loaded the libraries, and
free memory has been returned; the memory of a step is then the resident set's high-water mark above the resident set before it.
NumPy's allocations are counted separately (tracemalloc). A step that needs too much memory or time ends its own process alone.
"""

import ctypes
import json
import os
import re
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

import kan_ref as kr
from benchmarks.shapes import Shape, problem
from benchmarks.subjects import Step, Subject

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
    """The outcome: `failure` in a few words or "", else CPU seconds of a step, MiB, and errors
    relative to kan_ref.

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


def try_step(subject: Subject, shape: Shape, limits: Limits | None = None) -> Trial:
    """Take the step in a fresh process; never raise an error."""
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


def measure(subject: Subject, shape: Shape) -> Trial:
    """Run the trial in this process."""
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
    arrays = None if subject.package else _allocated(step)
    return Trial("", seconds, resident, arrays, loss_error, gradient_error)


def main(arguments: Sequence[str]) -> int:
    """Run `python -m benchmarks.trial MODULE NAME SHAPE GIB`: print a trial as a line of JSON."""
    home, name, shape, gib = arguments
    fields = json.loads(shape)
    threading.Thread(target=_watch, args=(float(gib),), daemon=True).start()
    subject = {subject.name: subject for subject in import_module(home).SUBJECTS}[name]
    trial = measure(subject, Shape(**{**fields, "widths": tuple(fields["widths"])}))
    print("\n" + json.dumps(asdict(trial)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
