"""`python -m benchmarks.discovery [NAME...] [--seeds N] [--noise S...] [--samples N] [--jobs N] [--every N] [--record] [--page]`:
which formulas `kan_ref.discover` finds.

NAME is a formula or a collection: known, SI, drawn, fields (`formula_sets`), Feynman, bonus, Strogatz (`srbench`); all without it.
`discover` gets samples of the formula, neither widths nor functions. Of SRBench's problems it gets no names of inputs and 60 CPU seconds
for a run. Noise is in units of the standard deviation of the samples without noise, of SRBench's problems in units of sqrt(mean(y^2)).

The error is the root mean square at 10,000 fresh points without noise, in units of their standard deviation. A formula is found if it is at
most 1e-9; with noise 4 noise / sqrt(N), four times the error of one parameter that is fitted to N samples. It is "literal" if SRBench's
judge says so, which also counts how it is written.

The program prints a line for each run, and the counts. `--record` adds each run to docs/formulas_found.jsonl as it ends; a run that is in
the file is not made again, so that an interrupted program goes on where it was (to repeat runs, take their lines out). `--page` prints
docs/formulas_found.md from the file without a run. The exit status is 1 if a formula with an error above 1e-9 has the verdict "exact", or
if a run ends with an error message. A formula that is not found, and is said not to be, is no error. Seconds are CPU seconds of one thread.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from unittest import mock

import numpy as np

import kan_ref as kr
from benchmarks import discovery_page, formula_sets, srbench
from benchmarks.discovery_page import EXACT, Record
from benchmarks.formula_sets import Problem
from figures.machine.workers import call_in_processes
from kan_ref.program import run_program

N_FRESH = 10_000  # points that judge a formula
MOST_SECONDS = 60.0  # CPU seconds of a run of SRBench
NEAR = 0.7  # with a larger error no formula is literal: numbers are trained, so no constant is missing
Task = tuple[Problem, float, int, int]


def run(problem: Problem, noise: float, n_samples: int, seed: int) -> Record:
    """Return what `discover` finds, as a record."""
    rng = np.random.default_rng(seed)
    x, y = problem.samples(n_samples, noise, rng)
    kind, several, error, literal = "no result", False, np.inf, False
    names, seconds = (None, MOST_SECONDS) if problem.is_srbench else (problem.inputs, None)
    began = time.process_time()
    try:
        # the limit in CPU seconds, so that other programs do not change the result
        with mock.patch.object(time, "monotonic", time.process_time):
            found = kr.discover(kr.Data(x, y, x[:0], y[:0]), names=names, seconds=seconds, rng=rng)
    except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as failure:
        spent, formula = time.process_time() - began, f"{type(failure).__name__}: {failure}"
    else:
        spent, formula = time.process_time() - began, str(found.formula)
        kind, several = found.verdict.kind, found.verdict.several
        fresh = problem.uniform(N_FRESH, np.random.default_rng([seed, 1]))
        true = problem.function()(fresh)
        residual = (found.predict(fresh) - true)[np.isfinite(true)]
        error = float(np.sqrt(np.mean(residual**2)) / np.std(true[np.isfinite(true)]))
        literal = problem.is_srbench and error < NEAR and srbench.is_literal(problem, formula)
    return {
        "name": problem.name,
        "collection": problem.collection,
        "noise": noise,
        "samples": len(x),
        "seed": seed,
        "kind": kind,
        "several": several,
        "error": float(f"{error:.1e}") if np.isfinite(error) else None,
        "literal": literal,
        "seconds": round(spent, 1),
        "formula": formula,
    }


def is_wrong_claim(record: Record) -> bool:
    """Return whether a formula that is not exact is said to be, or there is none at all."""
    is_exact = record["error"] is not None and record["error"] <= EXACT
    return record["kind"] == "no result" or (record["kind"] == "exact" and not is_exact)


def chosen(names: Sequence[str]) -> list[Problem]:
    """Return the problems with these names or of these collections; without names, all.

    Raises
    ------
    ValueError
        If a name is neither.
    """
    every = [*formula_sets.problems(), *srbench.problems()]
    known = {problem.name for problem in every} | {problem.collection for problem in every}
    for name in names:
        if name not in known:
            raise ValueError(f"NAME is {name!r}, but must be one of {', '.join(sorted(known))}")
    return [one for one in every if not names or one.name in names or one.collection in names]


def outcomes(tasks: Iterable[Task], jobs: int) -> Iterator[Record]:
    """Yield the record of each run as it ends; a run whose process is terminated costs its own record alone."""
    if jobs == 1:
        yield from (run(*task) for task in tasks)
        return
    for answer in call_in_processes(run, tasks, jobs):
        if answer.result is None:
            print(answer.failure, file=sys.stderr, flush=True)
        else:
            yield answer.result


def open_tasks(tasks: Sequence[Task], *, is_recorded: bool) -> Iterator[Task]:
    """Yield the tasks; with `is_recorded` those that the file does not have when their turn comes."""
    for problem, noise, n, seed in tasks:
        n = n if problem.points is None else len(problem.points)
        place = (problem.collection, problem.name, noise, n, seed)
        if not is_recorded or place not in map(discovery_page.key, discovery_page.read()):
            yield problem, noise, n, seed


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each run, and the counts; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.discovery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="*", help="formulas or collections, all without it")
    parser.add_argument("--seeds", type=int, default=1, help="default %(default)s")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0], help="default 0")
    parser.add_argument("--samples", type=int, default=1000, help="default %(default)s")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only every Nth formula")
    parser.add_argument("--record", action="store_true", help="keep the runs, and go on with them")
    parser.add_argument("--page", action="store_true", help="print the page from them, no runs")
    options = parser.parse_args(arguments)
    least = min(options.noise)
    if options.every < 1 or options.seeds < 1 or options.samples < 20 or not 0.0 <= least < np.inf:
        parser.error("--seeds, --every, --samples and --noise must be at least 1, 1, 20 and 0")
    if options.page:
        discovery_page.render()
        return 0
    try:
        problems = chosen(options.name)[:: options.every]
    except ValueError as error:
        parser.error(str(error))
    every = [
        (problem, noise, options.samples, seed)
        for noise in options.noise
        for seed in range(options.seeds)
        for problem in problems
    ]
    texts = {(one.collection, one.name): one.text for one in problems}
    records: list[Record] = []
    for record in outcomes(open_tasks(every, is_recorded=options.record), options.jobs):
        records.append(record)
        print(discovery_page.line(record), flush=True)
        if not discovery_page.is_found(record):
            print(f"    should be {texts[record['collection'], record['name']]}", flush=True)
        if options.record:
            discovery_page.append(record)
    print(f"\n{discovery_page.counts(records)}")
    wrong = [one for one in records if is_wrong_claim(one)]
    for one in wrong:
        print(f"called {one['kind']!r} with an error of {one['error']}: {one['name']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
