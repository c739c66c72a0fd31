"""Mutation testing: small changes of the code, of which the tests should notice each.

    python -m benchmarks.mutation                                      12 mutants of every module: hours
    python -m benchmarks.mutation --module kan_ref.optimizers          of the modules of one package
    python -m benchmarks.mutation --module kan_ref.optimizers.lbfgs --n 1000       all mutants of one module
    python -m benchmarks.mutation --module kan_ref.bspline --tests tests/bspline   judged by these tests alone

A mutant is killed if one of the tests that run its line fails, or takes 5 times its recorded time and `--grace` s more. Which tests run
which lines is recorded at the beginning, which takes as long as `pytest --cov` of the chosen tests. Tests that start a Python process,
which would run the unchanged code, are left out. The checkout is not written to. Mutants in equivalent_mutants.toml are not judged. The
exit status is 0 without survivors, 1 with survivors, and 2 for arguments that cannot be used.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.mutation.mutants import EQUIVALENT_MUTANTS, Mutant, draw, modules_of, read_judged
from benchmarks.mutation.testing import FACTOR, Outcome, Records, Task, Test, judge, read_records, run_forked, units
from kan_ref.program import check_output, run_program

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
NOT_RUN, EQUIVALENT, UNCLEAR = "no test runs it", "equivalent", "unclear"
FAILED, INTERRUPTED = 1, 2  # the status of pytest
TIMERS = ("SIGPROF", "SIGKILL")  # of a test, and of the whole process
# what the tests use and no mutant changes: imported once for all forked processes
LOADED_BEFORE = "numpy scipy.interpolate scipy.optimize scipy.special sympy matplotlib.figure"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: one of the constants above, the test that noticed it, and how many tests there were."""

    mutant: Mutant
    status: str
    by: str = ""
    n_tests: int = 0


def verdict_of(mutant: Mutant, tests: Sequence[Test], outcome: Outcome) -> Verdict:
    """Return the verdict that the end of a mutant's process implies."""
    n = len(tests)
    if outcome.result is None:
        status = TIMEOUT if outcome.ended_by in TIMERS else KILLED
        return Verdict(mutant, status, f"{outcome.note} ({outcome.ended_by})", n)
    failed, status = outcome.result["failed"], outcome.result["status"]
    # tests may run the mutant as they are loaded; an import that fails, or a KeyboardInterrupt, interrupts pytest
    if failed or status == INTERRUPTED or (status == FAILED and outcome.result["loaded"]):
        return Verdict(mutant, KILLED, failed[0] if failed else outcome.note, n)
    if status or not outcome.result["loaded"]:
        return Verdict(mutant, UNCLEAR, " ".join(outcome.log[-300:].split()), n)
    return Verdict(mutant, SURVIVED, "", n)


def judged(mutants: Sequence[Mutant], path: Path, records: Records, options: argparse.Namespace) -> list[Verdict]:
    """Return the verdicts on mutants of one module, in their order."""
    source = path.read_text(encoding="utf-8")
    tests = [records.relevant(mutant, path) for mutant in mutants]
    verdicts = [Verdict(mutant, NOT_RUN) for mutant in mutants]
    numbers = [i for i, some in enumerate(tests) if some]
    tasks = []
    for i in numbers:
        module = mutants[i].module, path, mutants[i].applied(source)
        limits = [(test.name, FACTOR * test.seconds + options.grace) for test in tests[i]]
        seconds = 120.0 + 2.0 * FACTOR * sum(test.seconds for test in tests[i])
        tasks.append(Task(partial(judge, options.root, module, limits), seconds))
    for outcome in run_forked(tasks, options.jobs):
        i = numbers[outcome.index]
        verdicts[i] = one = verdict_of(mutants[i], tests[i], outcome)
        tell(f"{one.mutant.module}, line {one.mutant.line}: {one.status} {one.by}")
    return verdicts


def show_survivors(verdicts: Sequence[Verdict], path: Path) -> None:
    """Print the place of each mutant that was not noticed, and the lines before and after."""
    for one in verdicts:
        if one.status in (SURVIVED, NOT_RUN, UNCLEAR):
            why = {SURVIVED: f"{one.n_tests} tests pass", UNCLEAR: f"unclear: {one.by}"}.get(one.status, one.status)
            changed = f"    - {one.mutant.original}\n    + {one.mutant.mutated}"
            print(f"{path}:{one.mutant.line}: {one.mutant.kind}, {why}\n{changed}", flush=True)


def scores(verdicts: Sequence[Verdict]) -> dict[str, Counter[str]]:
    """Return, for each package and for all together, how many mutants have each status."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in verdicts:
        for name in (".".join(one.mutant.module.split(".")[:2]), "all"):
            found[name][one.status] += 1
    return {name: found[name] for name in sorted(found, key=lambda name: (name == "all", name))}


def score_line(name: str, numbers: Counter[str]) -> str:
    """Return one line of the table of scores: the share of killed mutants among those that are not equivalent."""
    n, killed = numbers.total() - numbers[EQUIVALENT], numbers[KILLED] + numbers[TIMEOUT]
    share = f"{100 * killed / n:.0f} %" if n else "-"
    rest = ", ".join(f"{one} {many}" for one, many in numbers.items() if one != KILLED)
    return f"{name:28} {killed:5} of {n:5} killed {share:>6}   {rest}"


def tell(text: str) -> None:
    """Print how far the run is, to standard error."""
    print(text, file=sys.stderr, flush=True)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--module", action="append", help="module or package; several are allowed")
    add("--n", type=int, default=12, help="mutants of each module (12)")
    add("--seed", type=int, default=0, help="of the choice of mutants (0)")
    add("--jobs", type=int, default=1, help="processes at a time (1)")
    add("--tests", nargs="+", default=[], help="folders or files of tests")
    add("--json", type=Path, help="file for all verdicts")
    add("--grace", type=float, default=5.0, help="CPU seconds besides 5 times a test's own (5)")
    add("--root", type=Path, default=Path(__file__).parents[2], help="a checkout")
    add("--equivalents", type=Path, default=EQUIVALENT_MUTANTS, help="file of judged mutants")
    options = parser.parse_args(words)
    options.root = options.root.resolve()
    if options.json is not None:
        check_output(parser, "--json", options.json)
    return options


def main(words: list[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options, began = arguments(words), time.monotonic()
    try:
        names = options.module or ["kan_ref"]
        files = {one: path for name in names for one, path in modules_of(options.root, name).items()}
        (package,) = {name.split(".")[0] for name in files}
        chosen = units(options.root, options.tests)
        known = read_judged(options.equivalents)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    sys.path.insert(0, str(options.root))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # NumPy reads them when it is imported
    for name in LOADED_BEFORE.split():
        __import__(name)
    records = read_records(options.root, package, chosen, options.jobs, tell)
    print(
        f"{len(records.tests)} tests; left out: {len(records.starting_python)} that start a Python process, "
        f"{len(records.failing)} that fail without a mutation",
        *records.failing,
        sep="\n    ",
    )
    verdicts: list[Verdict] = []
    for name, path in files.items():
        mutants = draw(name, path.read_text(encoding="utf-8"), options.n, options.seed)
        open_ones = [one for one in mutants if one.text not in known]
        found = judged(open_ones, path, records, options)
        show_survivors(found, path.relative_to(options.root))
        verdicts += [*found, *(Verdict(one, EQUIVALENT) for one in mutants if one.text in known)]
    print(*(score_line(name, one) for name, one in scores(verdicts).items()), sep="\n")
    seconds = time.monotonic() - began
    print(f"seed {options.seed}, at most {options.n} mutants of each of {len(files)} modules, {seconds:.0f} s")
    if options.json:
        of_mutant, of_verdict = ("module", "line", "kind", "original", "mutated"), ("status", "by", "n_tests")
        rows = [
            {name: getattr(one.mutant, name) for name in of_mutant} | {name: getattr(one, name) for name in of_verdict}
            for one in verdicts
        ]
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(one.status in (SURVIVED, NOT_RUN) for one in verdicts))


if __name__ == "__main__":
    run_program(main)
