"""`python -m figures [NAME...]`: compute missing records, draw, and compare the paper's claims with
our results.

Quick runs use build/figures, full ones figures/results. Finished records are used again, so an
interrupted run continues where it stopped, here or on a cluster. Figures are drawn from the records
that there are; pictures and table say what is missing. `--collect` merges the files of single
records into one sorted file a figure, which is what the repository keeps.

Exit status: 0 done; 1 a record failed, or a file of records is broken; 2 the command is wrong,
`--collect` found no records, a file cannot be written, a package is not installed or the cluster
does not answer; 3 `--minutes` are over and records are missing; 74 the disk is full or standard
output closed; 130 interrupted by Ctrl-C (nothing is drawn then; `--minutes 0` draws what there is).
"""

import os

from kan_ref.program import check_output, run_program

# before NumPy loads, here and in every worker: small matrices gain nothing from threads, and sums
# keep one order
os.environ.update(
    dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        "1",
    )
)
# with glibc: workers keep the memory that a step frees; requesting it again takes a fifth of the time
os.environ.update(dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**30)))

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from figures.machine.catalog import (
    all_figures,
    find_figures,
    list_figures,
    read_claims,
    table_file,
)
from figures.machine.computing import (
    Backend,
    UnavailableError,
    backend_of,
    compute_all,
)
from figures.machine.machine import Figure, claims_table, sources
from figures.machine.pictures import draw
from figures.machine.records import (
    Plan,
    RecordError,
    Task,
    collect,
    collected_path,
    file_stem,
    make_plan,
)
from figures.machine.reproduced import page, read_items
from figures.machine.style import FORMATS
from kan_ref.files import replace_file

ROOT = Path(__file__).parents[1]
QUICK, FULL = ROOT / "build/figures", ROOT / "figures/results"
TABLE, REPRODUCED = "claims.md", "reproduced.md"
FAILED, USAGE, TIME_IS_UP = 1, 2, 3


def compute_missing(tasks: Sequence[Task], backend: Backend, minutes: float) -> list[str]:
    """Compute records under a bar that shows the time left; return the failures, a text each."""
    failures = []
    form = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left{postfix}"
    # whole milliseconds: their sum is the total in any order
    with tqdm(
        total=sum(_milliseconds(task) for task in tasks),
        bar_format=form,
        mininterval=0.5,
        disable=None,
    ) as bar:
        bar.set_postfix_str(f"0 of {len(tasks)} records")
        for n_done, (task, failure) in enumerate(
            compute_all(tasks, backend, seconds=60.0 * minutes), start=1
        ):
            bar.set_postfix_str(f"{n_done} of {len(tasks)} records", refresh=False)
            bar.update(_milliseconds(task))
            if failure:
                failures.append(f"{task.path.parent.name}, {task.config}:\n{failure}")
    return failures


def _milliseconds(task: Task) -> int:
    return round(1000.0 * task.cost)


def collect_all(folders: Sequence[Path], figures: Sequence[Figure]) -> int:
    """Collect the records of figures in each folder, saying what was merged; return the exit
    status.
    """
    homes = list(dict.fromkeys(home for figure in figures for home in sources(figure)))
    status = USAGE
    for folder in folders:
        for home in homes:
            if n_merged := collect(folder, home):
                print(f"figure {home.NAME}: {n_merged} records merged in {folder}")
            if collected_path(folder, home).exists():
                status = 0
    if status:  # its name may be misspelt
        print(f"{' and '.join(map(str, folders))}: no records of these figures", file=sys.stderr)
    return status


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[Figure]]:
    """Read the command line: options and figures. A wrong command ends the program with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m figures", description="Compute and draw the paper's toy figures."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(all_figures())}; all if none is given",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="all seeds, all grids (hours) instead of a quick look (minutes)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="records computed at a time on this machine, in processes of their own (default 1)",
    )
    parser.add_argument(
        "--backend",
        choices=("local", "dask"),
        default="local",
        help='this machine, or a cluster (extra "cluster")',
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the Dask scheduler, such as tcp://host:8786"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="N",
        help="begin no record after N minutes; 0: only draw",
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="repetitions of what depends on chance"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="default build/figures, with --full figures/results",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--list",
        action="store_true",
        help="show figures, their records and the time they need; compute nothing",
    )
    instead.add_argument(
        "--table",
        action="store_true",
        help=f"write {TABLE} from the records that there are; compute and draw nothing",
    )
    instead.add_argument(
        "--collect",
        action="store_true",
        help="merge the files of single records into one file a figure, without --full and --out in both folders; compute and draw nothing",
    )
    options = parser.parse_args(arguments)
    for name in ("jobs", "seeds"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} is {getattr(options, name)}, but must be at least 1")
    if not options.minutes >= 0.0:
        parser.error(f"--minutes is {options.minutes:g}, but must be at least 0")
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
    if not (options.list or options.collect):
        folder, names = folder_of(options), [TABLE, REPRODUCED]
        for stem in [] if options.table else map(file_stem, figures):
            names += [*(f"{stem}.{ending}" for ending in FORMATS), f"records/{stem}/new.json"]
        for name in names:
            check_output(parser, "a file", folder / name, makes_folder=True)
    return options, figures


def folder_of(options: argparse.Namespace) -> Path:
    """Return the folder of records, pictures and table."""
    return options.out or (FULL if options.full else QUICK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return the exit status."""
    options, figures = parse(arguments)
    try:
        if options.collect:
            both = not options.out and not options.full
            return collect_all([QUICK, FULL] if both else [folder_of(options)], figures)
        return compute_and_draw(options, figures)
    except RecordError as error:
        print(error, file=sys.stderr)
        return FAILED
    except UnavailableError as reason:
        print(reason, file=sys.stderr)
        return USAGE


def compute_and_draw(options: argparse.Namespace, figures: Sequence[Figure]) -> int:
    """Compute what is missing, then draw the figures and write the table; return the exit status."""
    folder = folder_of(options)

    def plan(figure: Figure) -> Plan:
        return make_plan(figure, folder, full=options.full, seeds=options.seeds)

    plans = [plan(figure) for figure in figures]
    if options.list:
        print(list_figures(plans))
        return 0
    # several figures may be drawn from one record
    missing = list({task.path: task for one in plans for task in one.missing}.values())
    failures: list[str] = []
    if missing and options.minutes > 0.0 and not options.table:
        backend = backend_of(options.jobs, options.scheduler)
        try:
            failures = compute_missing(missing, backend, options.minutes)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"interrupted: {progress(missing)}") from None
        for failure in failures:
            print(f"failed: {failure}", file=sys.stderr)
        plans = [plan(figure) for figure in figures]
    n_left = len({task.path for one in plans for task in one.missing})
    if n_left > len(failures) and not options.table:
        print(f"{options.minutes:g} minutes are over: {progress(missing)}", file=sys.stderr)

    folder.mkdir(parents=True, exist_ok=True)
    for done in plans:
        if done.missing:
            undrawn = "" if done.drawable else ", it is not drawn"
            print(f"figure {done.figure.NAME}: {done.lack}{undrawn}", file=sys.stderr)
        for file, content in draw(done).items() if done.drawable and not options.table else ():
            replace_file(os.fspath(folder / file), content)
            print(f"wrote {folder / file}")
    # the page holds every figure that has records, not only the chosen ones
    everything = [plan(figure) for figure in all_figures().values()]
    rows = read_claims(everything)
    command = (
        "python -m figures"
        + (" --full" if options.full else "")
        + (f" --seeds {options.seeds}" if options.seeds else "")
    )
    replace_file(os.fspath(folder / TABLE), table_file(everything, rows, command))
    replace_file(os.fspath(folder / REPRODUCED), page(read_items()).encode())
    print(f"wrote {folder / TABLE}\nwrote {folder / REPRODUCED}\n")
    names = {figure.NAME for figure in figures}
    print(claims_table([row for row in rows if row[0] in names], evidence=False), end="")
    return FAILED if failures else TIME_IS_UP if n_left else 0


def progress(tasks: Sequence[Task]) -> str:
    """Return how many of the records that were missing have been finished."""
    n_done = sum(task.path.exists() for task in tasks)
    return f"{n_done} of {len(tasks)} records were finished; the same command continues from there"


if __name__ == "__main__":
    run_program(main)
