"""`python -m figures [NAME...]`: compute missing records, draw, and compare the paper's claims with
our results.

Quick runs use build/figures, full ones figures/results. Finished records are used again, so an
interrupted run continues where it stopped, here or on a cluster. Figures are drawn from the records
that there are; pictures and table say what is missing. `--collect` merges the files of single
records into one sorted file a figure, which is what the repository keeps.

Exit status: 0 done; 1 a record failed, rows of a figure cannot be computed from its records, or
`--collect` met a broken one; 2 the command is wrong, `--collect` or `--stale` found no records, a
file cannot be written, a package is not installed or the cluster does not answer; 3 `--minutes` are
over and records are missing; 74 the disk is full or standard output closed; 130 interrupted by Ctrl-C
(nothing is drawn then; `--minutes 0` draws what there is).
"""

import os

from kan_ref.program import check_output, given_path, report_interrupts, run_program

if __name__ == "__main__":
    report_interrupts()

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
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from figures.machine.catalog import (
    Rows,
    all_figures,
    complaints,
    find_figures,
    list_figures,
    missing_files,
    other_origins,
    progress,
    read_claims,
    table_file,
    unreadable,
)
from figures.machine.computing import (
    Backend,
    UnavailableError,
    backend_of,
    compute_all,
)
from figures.machine.machine import Figure, claims_table, sources
from figures.machine.records import Plan, Task, collect, file_stem, has_records, make_plan
from figures.machine.reproduced import page, read_items
from figures.machine.stale import Stale, draw, find_stale, recheck
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
    status = 0
    for folder in folders:
        for figure in figures:
            merged = collect(folder, figure)
            if merged.n_merged:
                number = f"{merged.n_merged} record{'s' if merged.n_merged > 1 else ''}"
                print(f"figure {figure.NAME}: {number} merged in {folder}")
            for complaint in merged.complaints:
                print(f"figure {figure.NAME}: {complaint}", file=sys.stderr)
                status = FAILED
    return status


def report_stale(found: Sequence[Stale], minutes: float) -> int:
    """Print the figures with stale records; check a sample of each until the time is over; return the exit status."""
    end, status = time.time() + 60.0 * minutes, 0
    for stale in found:
        if time.time() >= end:
            print(f"{stale.line}: not checked")
            status = status or (TIME_IS_UP if minutes > 0.0 else 0)
            continue
        difference = recheck(stale)
        print(f"{stale.line}: {difference or 'all verdicts are the same'}", flush=True)
        if difference:
            print(f"figure {stale.plan.figure.NAME}: compute its records again", file=sys.stderr)
            status = FAILED
    if not found:
        print("no record is stale")
    return status


def report_no_records(folders: Sequence[Path], names: Sequence[str]) -> int:
    """Print that folders have no records of the figures with these names; return the exit status."""
    print(
        f"the folder is {' or '.join(map(str, folders))}, but must hold records of "
        f"{', '.join(names) or 'any figure'}: is its name right, and is --full given for full runs?",
        file=sys.stderr,
    )
    return USAGE


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
        type=given_path,
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
    instead.add_argument(
        "--stale",
        action="store_true",
        help="list records whose code has changed, compute a sample of each figure's again, and say whether all verdicts are the same; --minutes 0: only list",
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
    if not (options.list or options.collect or options.stale):
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
    folder = folder_of(options)
    if options.collect or options.stale:  # those of a derived figure are the records of others
        figures = list(dict.fromkeys(home for one in figures for home in sources(one)))
    if options.collect:
        folders = [folder] if options.out or options.full else [QUICK, FULL]
        if figures and not any(
            has_records(place, figure) for place in folders for figure in figures
        ):
            return report_no_records(folders, options.names)
        return collect_all(folders, figures)

    def plan(figure: Figure) -> Plan:
        return make_plan(figure, folder, full=options.full, seeds=options.seeds)

    plans = [plan(figure) for figure in figures]
    printed = complaints(plans)
    for message in [*printed, *other_origins(plans, folder)]:
        print(message, file=sys.stderr)
    if options.list:
        print(list_figures(plans))
        return 0

    if options.stale:
        if figures and not any(one.finished for one in plans):
            return report_no_records([folder], options.names)
        return report_stale(find_stale(plans), options.minutes)
    # several figures may be drawn from one record
    missing = list({task.path: task for one in plans for task in one.missing}.values())
    failures: list[str] = []
    try:
        if missing and options.minutes > 0.0 and not options.table:
            failures = compute_missing(
                missing,
                backend_of(options.jobs, options.scheduler),
                options.minutes,
            )
    except UnavailableError as reason:
        print(reason, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: {progress(missing, map(plan, figures))}") from None
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    now_planned = [plan(figure) for figure in figures]
    late = len(missing_files(now_planned)) > len(failures)
    if late and not options.table:
        print(
            f"{options.minutes:g} minutes are over: {progress(missing, now_planned)}",
            file=sys.stderr,
        )

    rows: Rows = []
    unread: dict[str, str] = {}  # figures whose records have another form, with a message each
    folder.mkdir(parents=True, exist_ok=True)
    for done in now_planned:
        name = done.figure.NAME
        if done.missing:
            print(
                f"figure {name}: {done.lack}" + ("" if done.drawable else ", it is not drawn"),
                file=sys.stderr,
            )
        if not done.drawable:
            continue
        try:
            claims = done.figure.claims(done.finished)
            files = {} if options.table else draw(done)
        except Exception as error:  # results of a form that the figure does not write
            unread[name] = unreadable(done, error, folder)
            continue
        rows += [(name, claim) for claim in claims]
        for file, content in files.items():
            replace_file(os.fspath(folder / file), content)
            print(f"wrote {folder / file}")
    everything = [plan(figure) for figure in all_figures().values()]
    all_rows = read_claims(everything, folder, unread)
    # the page holds every figure that has records, not only the chosen ones
    others = [one for one in everything if one.figure not in figures]
    lacks = [f"figure {one.figure.NAME}: {one.lack}" for one in others if one.finished and one.lack]
    found = [message for message in complaints(everything) if message not in printed]
    for message in [*found, *lacks, *unread.values()]:
        print(message, file=sys.stderr)
    command = (
        "python -m figures"
        + (" --full" if options.full else "")
        + (f" --seeds {options.seeds}" if options.seeds else "")
    )
    replace_file(os.fspath(folder / TABLE), table_file(everything, all_rows, unread, command))
    replace_file(os.fspath(folder / REPRODUCED), page(read_items()).encode())
    print(f"wrote {folder / TABLE}\nwrote {folder / REPRODUCED}\n")
    print(claims_table(rows, evidence=False), end="")
    return FAILED if failures or unread else TIME_IS_UP if late else 0


if __name__ == "__main__":
    run_program(main)
