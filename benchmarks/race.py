"""Time to accuracy: CPU seconds until the test error of exp(sin(pi x) + y^2) is at most 1e-2, 1e-3, ... 1e-6.

Every racer trains on the same 1000 samples of a seed, in a process of its own, until its recipe ends, its error is below the
last level, or its time is over. Time is CPU time from the construction of the network on, compilation included; imports and the
errors on the 1000 test samples, taken after every step, do not count.
"""

import argparse
import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import kan_ref as kr
from benchmarks.racers import RACERS, Predict, Racer
from benchmarks.trial import few_words
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from kan_ref.program import run_program

ROOT = Path(__file__).parents[1]
LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
FUNCTION, N_POINTS = "exp_sin", 1000
PATIENCE = 10.0  # wall-clock seconds of a process for each CPU second of its time
COLOURS = {
    "kan_ref": BLUE,
    "pykan": VERMILION,
    "jaxkan": GREEN,
    "inkan": PURPLE,
    "flashkan": ORANGE,
    "torch": GREY,
}
LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))


@dataclass(frozen=True)
class Run:
    """One training: the CPU seconds at which the test error was smaller than ever before, and these errors."""

    racer: str
    seed: int
    seconds: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    failure: str = ""

    def time_to(self, level: float) -> float:
        """Return the CPU seconds until the error is at most the level; inf if it never is."""
        return next(
            (t for t, e in zip(self.seconds, self.errors, strict=True) if e <= level), math.inf
        )

    def error_at(self, seconds: float) -> float:
        """Return the smallest error up to a time; inf before the first."""
        return min(
            (e for t, e in zip(self.seconds, self.errors, strict=True) if t <= seconds),
            default=math.inf,
        )


class _OverError(Exception):
    """The time of a run is over, or its last level is reached."""


def race(
    racer: Racer, seed: int, limit: float, clock: Callable[[], float] = time.process_time
) -> Run:
    """Train in this process until `limit` seconds of the clock are over."""
    rng = np.random.default_rng(1000 + seed)
    data = kr.sample(FUNCTION, n_train=N_POINTS, n_test=N_POINTS, rng=rng)
    seconds: list[float] = []
    errors: list[float] = []
    outside = 0.0
    racer.load()
    start = clock()

    def watch(predict: Predict) -> None:
        nonlocal outside
        now = clock()
        spent = now - start - outside
        error = float(np.sqrt(np.mean((predict(data.x_test) - data.y_test) ** 2)))
        if error < min(errors, default=math.inf):
            seconds.append(round(spent, 4))
            errors.append(float(f"{error:.4g}"))
        if spent >= limit or min(errors, default=math.inf) <= LEVELS[-1]:
            raise _OverError
        outside += clock() - now

    with contextlib.suppress(_OverError):
        racer.race(data, seed, watch)
    return Run(racer.name, seed, tuple(seconds), tuple(errors))


def try_race(racer: Racer, seed: int, limit: float) -> Run:
    """Train in a fresh process; a failure is part of what is returned."""
    if racer.missing():
        return Run(racer.name, seed, failure=racer.missing())
    command = [sys.executable, "-m", "benchmarks.race", racer.name, str(seed), str(limit)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60.0 + PATIENCE * limit,
            check=False,
        )
    except subprocess.TimeoutExpired as over:
        return Run(racer.name, seed, failure=f"takes over {over.timeout:g} s")
    answer = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not answer.startswith("{"):
        reason = done.stderr.strip().rpartition("\n")[2]
        return Run(racer.name, seed, failure=few_words(reason or f"status {done.returncode}"))
    found = json.loads(answer)
    return Run(**{**found, "seconds": tuple(found["seconds"]), "errors": tuple(found["errors"])})


def run_races(
    racers: Sequence[Racer], *, seeds: int, limit: float, tell: Callable[[str], object]
) -> list[Run]:
    """Return the runs of all racers and seeds, one after the other: all racers with a seed, then with the next one."""
    runs = []
    for seed in range(seeds):
        for racer in racers:
            runs.append(try_race(racer, seed, limit))
            tell(f"{racer.name}, seed {seed}")
    return runs


def median_time(runs: Sequence[Run], level: float) -> float:
    """Return the median over seeds of the time to a level; inf where half of the runs or more never reach it."""
    times = sorted(run.time_to(level) for run in runs)
    return (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2.0


def as_record(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return plain data."""
    return [asdict(run) for run in runs]


def draw(runs: Sequence[Run]) -> Figure:
    """Draw the median over seeds of the smallest error so far against CPU seconds, one line a racer."""
    picture = Figure(figsize=(9.5, 5.2))
    ax = picture.subplots()
    of_library: dict[str, int] = {}
    names = dict.fromkeys(run.racer for run in runs if not run.failure)
    for name in names:
        mine = [run for run in runs if run.racer == name and not run.failure]
        times = sorted({t for run in mine for t in run.seconds})
        medians = [float(np.median([run.error_at(t) for run in mine])) for t in times]
        library = name.partition(",")[0].partition(" ")[0]
        place = of_library.get(library, 0)
        of_library[library] = place + 1
        known = [(t, e) for t, e in zip(times, medians, strict=True) if math.isfinite(e)]
        ax.step(
            [t for t, _ in known],
            [e for _, e in known],
            where="post",
            color=COLOURS.get(library, SKY),
            linestyle=LINES[place % len(LINES)],
            marker="o",
            markevery=[max(0, len(known) - 1)],  # the end; a run of one error is this point alone
            label=name,
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    for level in LEVELS:
        ax.axhline(level, color="#dddddd", linewidth=0.6, zorder=0)
    ax.set_xlabel("CPU seconds")
    ax.set_ylabel("smallest test RMSE so far, median over seeds")
    ax.set_title("exp(sin(pi x) + y^2), 1000 samples, one thread, float64")
    legend = picture.legend(loc="outside right upper", handlelength=3.6)
    for line in legend.get_lines():
        line.set_marker("")  # it would hide the dashes by which lines of a library differ
    return picture


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a run as a line of JSON; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.race",
        description="Print a run of the race as a line of JSON. `python -m benchmarks race` starts it.",
    )
    racers = {racer.name: racer for racer in RACERS}
    parser.add_argument("name", metavar="NAME", help="of a racer")
    parser.add_argument("seed", metavar="SEED", type=int)
    parser.add_argument("limit", metavar="SECONDS", type=float, help="CPU seconds")
    options = parser.parse_args(arguments)
    if options.name not in racers:
        parser.error(f"NAME is {options.name!r}, but the racers are {'; '.join(racers)}")
    run = race(racers[options.name], options.seed, options.limit)
    print("\n" + json.dumps(asdict(run)), flush=True)
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
