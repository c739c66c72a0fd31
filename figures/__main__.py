"""`python -m figures [NAME...]`: compute what is missing, draw, and set the paper's claims beside ours.

Finished records are used again, so that an interrupted run goes on where it was, here or on a cluster. Quick runs go to
build/figures, full ones to figures/results. Whatever records there are is drawn; pictures and table say what they lack.

Exit status: 0 done, 1 a record failed, 2 the command is wrong or the cluster not there, 3 `--minutes` are over and records
missing, 130 interrupted by Ctrl-C (nothing is drawn then; `--minutes 0` draws what there is).
"""

import os

# before NumPy loads, here and in every worker: small matrices gain nothing from threads, and sums keep one order
os.environ.update(
    dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        "1",
    )
)
# workers keep the memory that a step frees, where the C library is glibc: else a fifth of their time goes into asking for it again
os.environ.update(dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**30)))

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from figures.machine.catalog import all_figures, find_figures
from figures.machine.computing import (
    Backend,
    UnavailableError,
    compute_all,
    in_processes,
    one_by_one,
    versions,
)
from figures.machine.machine import (
    Claim,
    Figure,
    Plan,
    Task,
    claims_table,
    file_stem,
    make_plan,
    provenance,
    write_atomically,
)
from figures.machine.style import picture_bytes, style, write_below

ROOT = Path(__file__).parents[1]
TABLE = "claims.md"
FAILED, USAGE, TIME_IS_UP = 1, 2, 3
INTERRUPTED = 130  # what a shell expects after Ctrl-C
Rows = list[tuple[str, Claim]]


def backend_of(options: argparse.Namespace) -> Backend:
    """Where records are computed."""
    if options.backend == "local":
        return one_by_one if options.jobs in (None, 1) else in_processes(options.jobs)
    try:
        from figures.machine import cluster  # here, because the packages for it are an extra
    except ImportError as error:
        raise UnavailableError(
            f'--backend dask needs a package that is not there ({error}): pip install -e ".[cluster]"'
        ) from None
    return cluster.on_cluster(options.scheduler)


def compute_missing(tasks: Sequence[Task], backend: Backend, minutes: float) -> list[str]:
    """Compute records under a bar that shows the time left; the failures, a text each."""
    failures = []
    form = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left{postfix}"
    # whole milliseconds: their sum is the total in any order
    with tqdm(
        total=sum(_milliseconds(task) for task in tasks), bar_format=form, mininterval=0.5
    ) as bar:
        bar.set_postfix_str(f"0 of {len(tasks)} records")
        for n_done, (task, failure) in enumerate(
            compute_all(tasks, backend, seconds=60.0 * minutes), start=1
        ):
            bar.set_postfix_str(f"{n_done} of {len(tasks)} records", refresh=False)
            bar.update(_milliseconds(task))
            if failure:
                failures.append(f"{task.path.name}, {task.config}:\n{failure}")
    return failures


def _milliseconds(task: Task) -> int:
    return round(1000.0 * task.cost)


def draw(plan: Plan, folder: Path) -> list[Path]:
    """Write a figure's picture in both formats; one that lacks records says so."""
    paths = []
    with style():
        picture = plan.figure.draw(plan.finished)
        if plan.missing:
            write_below(picture, plan.lack)
        for ending, content in picture_bytes(picture).items():
            paths.append(folder / f"{file_stem(plan.figure)}.{ending}")
            write_atomically(paths[-1], content)
    return paths


def list_figures(plans: Sequence[Plan]) -> str:
    """Names, titles, and what is left to compute."""
    lines = []
    for plan in plans:
        n_done, minutes = len(plan.finished), sum(task.cost for task in plan.missing) / 60.0
        count = f"{n_done:3d} of {n_done + len(plan.missing):3d} records"
        lines.append(
            f"{plan.figure.NAME:12s} {plan.figure.TITLE:45s} {count}, about {minutes:5.1f} CPU minutes left"
        )
    return "\n".join(lines)


def table_file(plans: Sequence[Plan], rows: Rows, command: str) -> bytes:
    """The Markdown page with all claims and where their numbers come from."""
    head = f"# Claims of the paper, and what came out\n\nWritten by `{command}`.\n\n"
    origin = "\n".join(
        f"- {plan.figure.NAME}: {plan.figure.TITLE}. {provenance(plan.finished)}{_warning(plan)}"
        for plan in plans
    )
    return (head + claims_table(rows, evidence=True) + "\n## Records\n\n" + origin + "\n").encode()


def _warning(plan: Plan) -> str:
    return f" **{plan.lack}.**" if plan.missing else ""


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[Figure]]:
    """The command line; unknown figures end the program."""
    parser = argparse.ArgumentParser(
        prog="python -m figures", description="Compute and draw the paper's toy figures."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(all_figures())}; all without a name",
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
        help="records computed at a time on this machine (default 1)",
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
        help="begin no record later than that, 0: only draw",
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="repetitions of what depends on chance"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default build/figures, with --full figures/results"
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="show figures, their records and the time they need; compute nothing",
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
    options.out = options.out or ROOT / ("figures/results" if options.full else "build/figures")
    return options, figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status."""
    options, figures = parse(arguments)

    def plan(figure: Figure) -> Plan:
        return make_plan(figure, options.out, full=options.full, seeds=options.seeds)

    plans = [plan(figure) for figure in figures]
    for complaint in (complaint for one in plans for complaint in one.complaints):
        print(complaint, file=sys.stderr)
    now = versions()
    n_other = sum(record["versions"] != now for one in plans for record in one.finished)
    if n_other:
        print(
            f"{n_other} records in {options.out / 'records'} stem from other versions or sources; delete them to compute anew",
            file=sys.stderr,
        )
    if options.list:
        print(list_figures(plans))
        return 0

    missing = [task for one in plans for task in one.missing]
    failures: list[str] = []
    try:
        if missing and options.minutes > 0.0:
            failures = compute_missing(missing, backend_of(options), options.minutes)
    except UnavailableError as reason:
        print(reason, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(f"interrupted: {progress(missing, map(plan, figures))}", file=sys.stderr)
        return INTERRUPTED
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    now_planned = [plan(figure) for figure in figures]
    late = sum(len(one.missing) for one in now_planned) > len(failures)
    if late:
        print(
            f"{options.minutes:g} minutes are over: {progress(missing, now_planned)}",
            file=sys.stderr,
        )

    rows: Rows = []
    for done in now_planned:
        name = done.figure.NAME
        if done.missing:
            print(
                f"figure {name}: {done.lack}" + ("" if done.finished else ", it is not drawn"),
                file=sys.stderr,
            )
        if done.finished:
            rows += [(name, claim) for claim in done.figure.claims(done.finished)]
            for path in draw(done, options.out):
                print(f"wrote {path}")
    # the page holds every figure that has records, not only those asked for
    begun = [one for one in map(plan, all_figures().values()) if one.finished]
    page = [(one.figure.NAME, claim) for one in begun for claim in one.figure.claims(one.finished)]
    command = (
        "python -m figures"
        + (" --full" if options.full else "")
        + (f" --seeds {options.seeds}" if options.seeds else "")
    )
    write_atomically(options.out / TABLE, table_file(begun, page, command))
    print(f"wrote {options.out / TABLE}\n")
    print(claims_table(rows, evidence=False), end="")
    return FAILED if failures else TIME_IS_UP if late else 0


def progress(missing: Sequence[Task], plans: Iterable[Plan]) -> str:
    """How many records of those that were missing are there by now."""
    n_done = len(missing) - sum(len(plan.missing) for plan in plans)
    return f"{n_done} of {len(missing)} records were finished; the same command goes on from there"


if __name__ == "__main__":
    sys.exit(main())
