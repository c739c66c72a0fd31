"""Mutation testing: small changes of the code, of which the tests should notice each.

    python -m benchmarks.mutation                                      12 mutants of every module: hours
    python -m benchmarks.mutation --module kan_ref.optimizers          of the modules of one package
    python -m benchmarks.mutation --module kan_ref.optimizers.lbfgs --n 1000       all mutants of one module
    python -m benchmarks.mutation --module kan_ref.bspline --tests tests/bspline   judged by these tests alone

A mutant is killed if one of the tests that run its line fails, or takes 5 times its recorded time and `--grace` s more. Which tests run
which lines is recorded before, and again where the tests or the code have changed; the records are kept in
~/.cache/kan_ref_mutation. Tests that start a Python process, which would run the unchanged code, are left out. The checkout is
not written to. Mutants in equivalent_mutants.toml are not judged. The exit status is 0 without survivors, 1 with survivors, and
2 for arguments that cannot be used.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from benchmarks.mutation.drawing import Mutant, draw, modules_of
from benchmarks.mutation.judging import (
    EQUIVALENT,
    FILE,
    NOT_RUN,
    SURVIVED,
    Equivalent,
    Judge,
    Verdict,
    as_json,
    judge_all,
    outdated,
    outdated_lines,
    read_equivalents,
    score_line,
    scores,
    survivor_lines,
    total,
)
from benchmarks.mutation.selection import cache_folder, read_records, units
from kan_ref.program import check_output, run_program

LOADED_BEFORE = (
    "numpy",
    "scipy.interpolate",
    "scipy.optimize",
    "scipy.special",
    "sympy",
    "matplotlib.figure",
    "jsonschema",
)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--module", action="append", help="module or package; several are allowed")
    parser.add_argument("--n", type=int, default=12, help="mutants of each module (12)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of mutants (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (1)")
    parser.add_argument("--tests", nargs="+", default=[], help="folders or files of tests")
    parser.add_argument("--json", type=Path, help="file for all verdicts")
    parser.add_argument(
        "--judged-too", action="store_true", help="run also mutants that were judged equivalent"
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=5.0,
        help="CPU seconds of a test besides 5 times its own (5)",
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="a checkout")
    parser.add_argument("--equivalents", type=Path, default=FILE, help="file of judged mutants")
    options = parser.parse_args(words)
    if options.json is not None:
        check_output(parser, "--json", options.json)
    return options


def tell(text: str) -> None:
    """Print how far the run is, to standard error."""
    print(text, file=sys.stderr, flush=True)


def load_before() -> None:
    """Import what the tests use and no mutant changes, once for all forked processes."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # NumPy reads them when it is imported
    for name in LOADED_BEFORE:
        try:
            __import__(name)
        except ImportError:  # then no test needs it
            tell(f"{name} is not installed")


def chosen_modules(root: Path, names: list[str]) -> dict[str, Path]:
    """Return the modules of these names: name -> file.

    Raises
    ------
    ValueError
        There is none of that name, or they belong to several packages.
    """
    files = {name: path for one in names for name, path in modules_of(root, one).items()}
    if len({name.split(".")[0] for name in files}) != 1:
        raise ValueError(f"modules are {names}, but must belong to one package at the root")
    return files


def root_package(files: dict[str, Path]) -> str:
    """Return the package at the root to which all modules belong."""
    return next(iter(files)).split(".")[0]


def judged(
    args: argparse.Namespace, files: dict[str, Path], tests: list[str], entries: list[Equivalent]
) -> list[Verdict]:
    """Draw the mutants of all modules and return the verdicts, in the order of their lines."""
    drawn = {
        name: draw(name, path.read_text(encoding="utf-8"), args.n, args.seed)
        for name, path in files.items()
    }

    def is_judged(mutant: Mutant) -> bool:
        return not args.judged_too and any(entry.matches(mutant) for entry in entries)

    records = read_records(args.root, root_package(files), tests, cache_folder(), args.jobs, tell)
    judge = Judge(args.root, files, records, args.jobs, args.grace, tell)
    print(
        f"{len(records.tests)} tests; left out: {len(records.starting_python)} that start a Python "
        f"process, {len(records.failing)} that fail without a mutation"
    )
    for name in records.failing:
        print(f"    fails without a mutation: {name}")
    verdicts = []
    for name, mutants in drawn.items():
        open_ones = [mutant for mutant in mutants if not is_judged(mutant)]
        found = judge_all(judge, open_ones)
        found += [Verdict(mutant, EQUIVALENT) for mutant in mutants if is_judged(mutant)]
        verdicts += found
        for line in survivor_lines(found, files, args.root):
            print(line, flush=True)
        tell(f"{name}: {len(mutants)} mutants")
    return verdicts


def main(words: list[str] | None = None) -> int:
    """Run the program; return its exit status."""
    args = arguments(words)
    args.root = args.root.resolve()
    began = time.monotonic()
    try:
        files = chosen_modules(args.root, args.module or ["kan_ref"])
        tests = units(args.root, root_package(files), args.tests)
        entries = read_equivalents(args.equivalents)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    sys.path.insert(0, str(args.root))
    load_before()
    verdicts = judged(args, files, tests, entries)
    print()
    for line in outdated_lines(outdated(entries, files)):
        print(line)
    numbers = scores(verdicts)
    for package, one in numbers.items():
        print(score_line(package, one))
    print(score_line("all", total(list(numbers.values()))) if numbers else "no mutants")
    seconds = time.monotonic() - began
    settings = {"seed": args.seed, "n": args.n, "tests": args.tests, "seconds": round(seconds, 1)}
    print(
        f"seed {args.seed}, at most {args.n} mutants of each of {len(files)} modules, {seconds:.0f} s"
    )
    if args.json:
        args.json.write_text(json.dumps(as_json(verdicts, settings), indent=1) + "\n")
    return int(any(v.status in (SURVIVED, NOT_RUN) for v in verdicts))


if __name__ == "__main__":
    run_program(main)
