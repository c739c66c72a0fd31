"""`python -m figures [NAME...]`: compute what is missing, draw, and set the paper's claims beside ours.

Finished records are used again, so that an interrupted run goes on where it was. Quick runs go to build/figures, full ones
to figures/results.
"""

import os

# before NumPy loads, here and in every worker: small matrices gain nothing from threads, and sums keep one order
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"))

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from figures.catalog import all_figures, find_figures
from figures.machine import (
    Claim,
    Figure,
    Plan,
    Record,
    Task,
    claims_table,
    compute_all,
    file_stem,
    make_plan,
    provenance,
    versions,
    write_atomically,
)
from figures.style import picture_bytes, style

ROOT = Path(__file__).parents[1]
TABLE = "claims.md"
INTERRUPTED = 130  # what a shell expects after Ctrl-C
Rows = list[tuple[str, Claim]]


def compute_missing(tasks: Sequence[Task], jobs: int) -> list[str]:
    """Compute records under a bar that shows the time left; the failures, a text each."""
    failures = []
    form = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left{postfix}"
    with tqdm(total=sum(task.cost for task in tasks), bar_format=form, mininterval=0.5) as bar:
        bar.set_postfix_str(f"0 of {len(tasks)} records")
        for n_done, (task, failure) in enumerate(compute_all(tasks, jobs), start=1):
            bar.set_postfix_str(f"{n_done} of {len(tasks)} records", refresh=False)
            bar.update(task.cost)
            if failure:
                failures.append(f"{task.path.name}, {task.config}:\n{failure}")
    return failures


def draw(figure: Figure, records: Sequence[Record], folder: Path) -> list[Path]:
    """Write a figure's picture in both formats."""
    paths = []
    with style():
        for ending, content in picture_bytes(figure.draw(records)).items():
            paths.append(folder / f"{file_stem(figure)}.{ending}")
            write_atomically(paths[-1], content)
    return paths


def list_figures(plans: Sequence[Plan]) -> str:
    """Names, titles, and what is left to compute."""
    lines = []
    for plan in plans:
        n_done, minutes = len(plan.finished), sum(task.cost for task in plan.missing) / 60.0
        count = f"{n_done:3d} of {n_done + len(plan.missing):3d} records"
        lines.append(f"{plan.figure.NAME:12s} {plan.figure.TITLE:45s} {count}, about {minutes:5.1f} CPU minutes left")
    return "\n".join(lines)


def table_file(plans: Sequence[Plan], rows: Rows, command: str) -> bytes:
    """The Markdown page with all claims and where their numbers come from."""
    head = f"# Claims of the paper, and what came out\n\nWritten by `{command}`.\n\n"
    origin = "\n".join(f"- {plan.figure.NAME}: {plan.figure.TITLE}. {provenance(plan.finished)}" for plan in plans)
    return (head + claims_table(rows, evidence=True) + "\n## Records\n\n" + origin + "\n").encode()


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[Figure]]:
    """The command line; unknown figures end the program."""
    parser = argparse.ArgumentParser(prog="python -m figures", description="Compute and draw the paper's toy figures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(all_figures())}; all without a name")
    parser.add_argument("--full", action="store_true", help="all seeds, all grids (hours) instead of a quick look (minutes)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="records computed at a time (default %(default)s)")
    parser.add_argument("--seeds", type=int, metavar="N", help="repetitions of what depends on chance")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default build/figures, with --full figures/results")
    parser.add_argument("--list", action="store_true", help="show figures, their records and the time they need; compute nothing")
    options = parser.parse_args(arguments)
    for name in ("jobs", "seeds"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} is {getattr(options, name)}, but must be at least 1")
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
    failures = []
    if missing:
        try:
            failures = compute_missing(missing, options.jobs)
        except KeyboardInterrupt:
            n_done = len(missing) - sum(len(plan(figure).missing) for figure in figures)
            print(f"interrupted: {n_done} of {len(missing)} records were finished; the same command goes on from there", file=sys.stderr)
            return INTERRUPTED
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)

    rows: Rows = []
    for figure in figures:
        done = plan(figure)
        if done.missing:
            print(f"figure {figure.NAME} lacks {len(done.missing)} records and is not drawn", file=sys.stderr)
            continue
        rows += [(figure.NAME, claim) for claim in figure.claims(done.finished)]
        for path in draw(figure, done.finished, options.out):
            print(f"wrote {path}")
    # the page holds every figure whose records are there, not only those asked for
    complete = [one for one in map(plan, all_figures().values()) if not one.missing]
    page = [(one.figure.NAME, claim) for one in complete for claim in one.figure.claims(one.finished)]
    command = "python -m figures" + (" --full" if options.full else "") + (f" --seeds {options.seeds}" if options.seeds else "")
    write_atomically(options.out / TABLE, table_file(complete, page, command))
    print(f"wrote {options.out / TABLE}\n")
    print(claims_table(rows, evidence=False), end="")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
