"""`python -m figures [NAME...]`: compute missing records, draw, and compare the paper's claims with our results.

Quick runs use build/figures, full ones figures/results. Finished records are used again, so an interrupted run continues
where it stopped, here or on a cluster. Figures are drawn from the records that there are; pictures and table say what is
missing.

Exit status: 0 done; 1 a record failed, or a file of records is broken; 2 the command is wrong, a file cannot be written,
a package is not installed or the cluster does not answer; 3 `--minutes` are over and records are missing; 74 the disk is
full or standard output closed; 130 interrupted by Ctrl-C (nothing is drawn then; `--minutes 0` draws what there is).
"""

import os

from figures.machine.workers import THREADS
from kan_ref.program import check_output, run_program

# before NumPy loads, here and in every worker: small matrices gain nothing from threads, and sums keep one order
os.environ.update(dict.fromkeys(THREADS, "1"))
# with glibc: workers keep the memory that a step frees; requesting it again takes a fifth of the time
os.environ.update(dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**30)))

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from figures.machine.catalog import all_figures, find_figures, list_figures, page, read_claims, read_items, table_file
from figures.machine.computing import Backend, UnavailableError, backend_of, compute_all
from figures.machine.machine import Figure, claims_table
from figures.machine.pictures import FORMATS, draw
from figures.machine.records import Plan, RecordError, Task, config_key, file_stem, make_plan, records_path
from kan_ref.files import replace_file

ROOT = Path(__file__).parents[1]
QUICK, FULL = ROOT / "build/figures", ROOT / "figures/results"
TABLE, REPRODUCED = "claims.md", "reproduced.md"
FAILED, USAGE, TIME_IS_UP = 1, 2, 3
FLAGS = {
    "full": "all seeds, all grids (hours) instead of a quick look (minutes)",
    "list": "show figures and their records; compute nothing",
    "table": f"write {TABLE} from the records that there are; compute and draw nothing",
}
VALUES: dict[str, tuple[Any, str, str]] = {
    "jobs": (int, "N", "records computed at a time, in processes of this machine (default 1)"),
    "scheduler": (str, "ADDRESS", "of the Dask scheduler, such as tcp://host:8786"),
    "minutes": (float, "N", "begin no record after N minutes; 0: only draw"),
    "seeds": (int, "N", "repetitions of what depends on chance"),
    "out": (Path, "DIR", "default build/figures, with --full figures/results"),
}


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[Figure]]:
    """Read the command line: options and figures. A wrong command ends the program with a message."""
    parser = argparse.ArgumentParser(prog="python -m figures", description="Compute and draw the paper's toy figures.")
    names = f"of {', '.join(all_figures())}; all if none is given"
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    instead = parser.add_mutually_exclusive_group()
    for option, meaning in FLAGS.items():
        group = parser if option == "full" else instead
        group.add_argument(f"--{option}", action="store_true", help=meaning)
    for option, (kind, word, meaning) in VALUES.items():
        parser.add_argument(f"--{option}", type=kind, metavar=word, help=meaning)
    parser.add_argument(
        "--backend", choices=("local", "dask"), default="local", help='this machine, or a cluster (extra "cluster")'
    )
    parser.set_defaults(minutes=math.inf)
    options = parser.parse_args(arguments)
    for name, low in (("jobs", 1), ("seeds", 1), ("minutes", 0)):
        value = getattr(options, name)
        if value is not None and not value >= low:
            parser.error(f"--{name} is {value:g}, but must be at least {low}")
    if (options.backend == "dask") != (options.scheduler is not None):
        parser.error(
            f"--backend is {options.backend} and --scheduler {options.scheduler}, but dask needs an address, and only dask"
        )
    if options.backend == "dask" and options.jobs is not None:
        parser.error(f"--jobs is {options.jobs}, but a cluster computes one record a worker")
    try:
        figures = find_figures(options.names)
    except ValueError as error:
        parser.error(str(error))
    options.out = options.out or (FULL if options.full else QUICK)
    if not options.list:
        files = [options.out / name for name in (TABLE, REPRODUCED)]
        for figure in [] if options.table else figures:
            files += [options.out / f"{file_stem(figure)}.{ending}" for ending in FORMATS]
            files += [records_path(options.out, figure)]
        for file in files:
            check_output(parser, "a file", file, makes_folder=True)
    return options, figures


def compute_missing(tasks: Sequence[Task], backend: Backend, minutes: float) -> list[str]:
    """Compute records under a bar that shows the time left; return the failures, a text each."""
    form = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left, {n} of {total} records"
    outcomes = compute_all(tasks, backend, seconds=60.0 * minutes)
    shown = tqdm(outcomes, total=len(tasks), bar_format=form, mininterval=0.5, disable=None)
    return [f"{task.path.stem}, {task.config}:\n{failure}" for task, failure in shown if failure]


def missing_in(plans: Iterable[Plan]) -> list[Task]:
    """Return the missing records, each once: several figures may be drawn from one record."""
    tasks = [task for plan in plans for task in plan.missing]
    return list({(task.path, config_key(task.config)): task for task in tasks}.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return the exit status."""
    options, figures = parse(arguments)
    try:
        return compute_and_draw(options, figures)
    except RecordError as error:
        print(error, file=sys.stderr)
        return FAILED
    except UnavailableError as reason:
        print(reason, file=sys.stderr)
        return USAGE


def compute_and_draw(options: argparse.Namespace, figures: Sequence[Figure]) -> int:
    """Compute what is missing, then draw the figures and write the table; return the exit status."""
    folder: Path = options.out

    def plans_of(some: Iterable[Figure]) -> list[Plan]:
        return [make_plan(one, folder, full=options.full, seeds=options.seeds) for one in some]

    def progress() -> str:
        n_done = len(missing) - len(missing_in(plans_of(figures)))
        return f"{n_done} of {len(missing)} records were finished; the same command continues from there"

    plans = plans_of(figures)
    if options.list:
        print(list_figures(plans))
        return 0
    missing = missing_in(plans)
    failures: list[str] = []
    if missing and options.minutes > 0.0 and not options.table:
        backend = backend_of(options.jobs, options.scheduler)
        try:
            failures = compute_missing(missing, backend, options.minutes)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"interrupted: {progress()}") from None
        for failure in failures:
            print(f"failed: {failure}", file=sys.stderr)
        plans = plans_of(figures)
    n_left = len(missing_in(plans))
    if n_left > len(failures) and not options.table:
        print(f"{options.minutes:g} minutes are over: {progress()}", file=sys.stderr)

    folder.mkdir(parents=True, exist_ok=True)
    for plan in plans:
        if plan.missing:
            undrawn = "" if plan.drawable else ", it is not drawn"
            print(f"figure {plan.figure.NAME}: {plan.lack}{undrawn}", file=sys.stderr)
        for file, content in draw(plan).items() if plan.drawable and not options.table else ():
            replace_file(os.fspath(folder / file), content)
            print(f"wrote {folder / file}")
    # the page holds every figure that has records, not only the chosen ones
    everything = plans_of(all_figures().values())
    rows = read_claims(everything)
    seeds = f" --seeds {options.seeds}" if options.seeds else ""
    command = f"python -m figures{' --full' if options.full else ''}{seeds}"
    replace_file(os.fspath(folder / TABLE), table_file(everything, rows, command))
    replace_file(os.fspath(folder / REPRODUCED), page(read_items()).encode())
    print(f"wrote {folder / TABLE}\nwrote {folder / REPRODUCED}\n")
    names = {figure.NAME for figure in figures}
    print(claims_table([row for row in rows if row[0] in names], evidence=False), end="")
    return FAILED if failures else TIME_IS_UP if n_left else 0


if __name__ == "__main__":
    run_program(main)
