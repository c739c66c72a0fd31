"""What the benchmarks share: a table whose rows are measured over seeds and have a bar each, and CPU times of functions in turns.

A program names its rows and columns, a function `measure(row, seed)`, and a function `limit(row, results)` of the results of all seeds.
`bar` runs them and prints a row of the table as soon as it is measured. The exit status is 1 if a row misses its bar.

Functions that are compared run in turns, so that disturbances of the machine affect all of them alike.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

import numpy as np

# CPU seconds: in training a step finds its data in the cache, left by the step before
BURST = 0.005
# CPU seconds: effects of the function before are negligible over that time
SLOW = 0.05
WIDTH = 9  # of a column, at least


class Verdict(NamedTuple):
    """The cells of a row, what of its bar is missed ("" if nothing is, None if it has no bar), and lines to print below."""

    cells: Sequence[str]
    missed: str | None = ""
    notes: Sequence[str] = ()


def command(name: str, text: str, *, seeds: int | None = None) -> argparse.ArgumentParser:
    """Return the command line of a program: names of rows and, with a number of seeds, how many are run in how many processes."""
    line = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    line.add_argument("names", nargs="*", metavar="NAME", help="rows; all of them if none")
    if seeds is not None:
        line.add_argument("--seeds", type=int, default=seeds, help="of a row (default %(default)s)")
        line.add_argument("--jobs", type=int, default=1, help="processes (default %(default)s)")
    return line


def read(line: argparse.ArgumentParser, words: Sequence[str] | None, rows: Collection[str]) -> argparse.Namespace:
    """Read the command line; end the program with status 2 if it names no row or no seeds."""
    options = line.parse_args(words)
    if unknown := [name for name in options.names if name not in rows]:
        line.error(f"NAME is {unknown[0]!r}, but must be one of {', '.join(rows)}")
    for name in ("seeds", "jobs"):
        if getattr(options, name, 1) < 1:
            line.error(f"--{name} is {getattr(options, name)}, but must be at least 1")
    options.names = options.names or list(rows)
    return options


def bar(
    rows: Iterable[str],
    columns: Sequence[str],
    measure: Callable[[str, int], Any],
    limit: Callable[[str, list[Any]], Verdict],
    *,
    seeds: Iterable[int] = (0,),
    jobs: int = 1,
) -> int:
    """Print a line for each row and whether it meets its bar; return 1 if one does not.

    `columns` has the titles, that of the row's name first. A run that raises ValueError, ArithmeticError or RuntimeError
    costs its row and no other.
    """
    names, seeds, status = list(rows), list(seeds), 0
    widths = [max(map(len, [columns[0], *names])), *(max(WIDTH, len(one)) for one in columns[1:])]

    def show(cells: Sequence[str], last: str) -> None:
        padded = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        print("  ".join([cells[0].ljust(widths[0]), *padded, last]).rstrip(), flush=True)

    show(columns, "bar")
    for name in names:
        try:
            verdict = limit(name, run_all(measure, [(name, seed) for seed in seeds], jobs))
        except (ValueError, ArithmeticError, RuntimeError) as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            status = 1
            continue
        said = {None: "", "": "met"}.get(verdict.missed, f"missed: {verdict.missed}")
        show([name, *verdict.cells], said)
        print(*(f"    {note}\n" for note in verdict.notes), sep="", end="", flush=True)
        status |= bool(verdict.missed)
    return int(status)


def run_all(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], jobs: int) -> list[Any]:
    """Return function(*arguments) for each tuple of arguments, in their order, from `jobs` processes."""
    if jobs == 1 or len(tasks) == 1:
        return [function(*task) for task in tasks]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=fresh) as pool:
        return [one.result() for one in [pool.submit(function, *task) for task in tasks]]


def take_turns(functions: Sequence[Callable[[], object]], *, seconds: float, repeats: int = 3) -> list[float]:
    """Return the least CPU seconds of a call of each function, from about `seconds` for each and at least `repeats` repeats.

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
        waiting = [place for place in waiting if spent[place] < seconds or len(samples[place]) < repeats]
    return [min(row) for row in samples]


def above(value: float, most: float, name: str) -> str:
    """Return that a number is above its bar, or nan, in words; "" if it is not."""
    return "" if value <= most else f"{name} {value:.3g} > {most:.3g}"


def missed(*parts: str) -> str:
    """Return all that is missed as one text."""
    return ", ".join(filter(None, parts))


def median(values: Any) -> Any:
    """Return the median over seeds of numbers or of rows of numbers."""
    return np.median(np.array(values, dtype=float), axis=0)
