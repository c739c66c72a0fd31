"""Test an implementation of KANs against the vectors: `python -m kan_ref.conformance`.

Without a subject kan_ref itself is tested. `report` as the first word tests published libraries and
writes their report cards (`cards`). Exit status: 0 if every required case passes or is listed as
failing, 1 if one fails, 2 for a wrong call, a subject that cannot start or supports no chosen
case, or a report that cannot be written, 130 after Ctrl-C.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices gain nothing from a second thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tqdm import tqdm

from kan_ref.conformance import cards, suite
from kan_ref.conformance.cases import BSPLINE, DTYPES, export, families
from kan_ref.conformance.report import FORMS, write
from kan_ref.conformance.subjects import AdapterProcess, Limits, ProcessSubject
from kan_ref.program import check_output, run_program

OURSELVES = "kan_ref.conformance.adapters.reference:Reference"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance",
        description="Test an implementation of KANs against the vectors.",
        epilog="'report' as the first word tests published libraries: report --help. Exit status: "
        "0 if every required case passes or is listed by --xfail, 1 if one fails, 2 if nothing "
        "could be tested or a report not be written, 130 after Ctrl-C",
    )
    add = found.add_argument
    who = found.add_mutually_exclusive_group()
    text = "a Python adapter, built without arguments (default: kan_ref itself)"
    who.add_argument("--adapter", metavar="MODULE:CLASS", default=OURSELVES, help=text)
    who.add_argument("--program", metavar="COMMAND", help="any program that answers JSON lines")
    text = "cases or topics to {}, such as 'bases' or 'layer_vjp/*mask*'; repeatable"
    add("--only", action="append", default=[], metavar="GLOB", help=text.format("run"))
    add("--skip", action="append", default=[], metavar="GLOB", help=text.format("leave out"))
    text = "basis functions: those of the paper (default %(default)s), or others"
    add("--family", choices=families(), default=BSPLINE, help=text)
    text = "file of globs of cases known to fail, one on each line; # starts a comment"
    add("--xfail", type=Path, metavar="FILE", help=text)
    text = "precision of the arrays given to the subject (default %(default)s)"
    add("--dtype", choices=DTYPES, default="float64", help=text)
    text = "seconds for one case (default %(default)g)"
    add("--timeout", type=float, default=Limits.timeout, metavar="S", help=text)
    text = "addresses that the subject may use, 0 for no limit (default %(default)g; Linux)"
    add("--memory", type=float, default=Limits.memory, metavar="GIB", help=text)
    add("--json", type=Path, metavar="OUT", help="the report as JSON")
    add("--badge", type=Path, metavar="OUT", help="the result as JSON of a badge (shields.io)")
    text = "write vectors, schema, hashes and licence there, and run nothing"
    add("--export", type=Path, metavar="DIR", help=text)
    add("--list", action="store_true", help="print the cases, and run nothing")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status; KeyboardInterrupt is left to the caller."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["report"]:
        return cards.main(words[1:])
    line = parser()
    options = line.parse_args(words)
    if not 0.0 < options.timeout < 1e6 or not 0.0 <= options.memory < 1e6:
        line.error("--timeout must be a positive number, and --memory a number from 0, below 1e6")
    outputs = {form: path for form in FORMS if (path := getattr(options, form)) is not None}
    for form, path in outputs.items():  # a run whose report would be lost is not begun
        check_output(line, f"--{form}", path)
    try:
        chosen = suite.choose(options.only, options.skip, family=options.family)
        xfail = [] if options.xfail is None else read_globs(options.xfail)
        written = [] if options.export is None else export(options.export)
        subject = None if options.list or options.export else start(options)
    except (OSError, ValueError, RuntimeError) as error:
        line.error(str(error))
    if subject is None:
        if written:
            print(f"{len(written)} files in {options.export}")
        for case in (case for _, cases in chosen if options.list for case in cases):
            print(f"{case.id}  {case.kind}  {' '.join(case.flags)}")
        return 0
    n_cases = sum(len(cases) for _, cases in chosen)
    try:
        with tqdm(total=n_cases, unit=" cases", leave=False, disable=None) as bar:
            report = suite.run(subject, chosen, xfail=xfail, callback=lambda _: bar.update())
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted: no report without every case") from None
    finally:
        subject.close()
    if all(one.status == "skipped" for one in report.outcomes):
        line.error(f"{report.subject} supports none of the {n_cases} chosen cases")
    print(f"{report.subject}, {report.dtype}, {n_cases} cases")
    print("\n".join(suite.lines(report)))
    for form, path in outputs.items():
        try:
            write(report, form, path)
        except OSError as error:  # such as a full disk
            line.error(f"--{form} is {path}, which cannot be written: {error}")
    return 1 if report.failures else 0


def start(options: argparse.Namespace) -> AdapterProcess | ProcessSubject:
    """Start the subject in a process of its own; an error if it cannot be started."""
    limits = Limits(timeout=options.timeout, memory=options.memory)
    if options.program is None:
        return AdapterProcess(options.adapter, options.dtype, limits)
    command = shlex.split(options.program)
    if not command:
        raise ValueError("--program is empty, but must be a command")
    return ProcessSubject(command, options.dtype, limits)


def read_globs(path: Path) -> list[str]:
    """Return the globs of a file; ValueError for one that names no case."""
    rows = path.read_text(encoding="utf-8-sig").splitlines()
    globs = [glob for row in rows if (glob := row.partition("#")[0].strip())]
    suite.check_globs(f"a glob of --xfail {path}", globs)
    return globs


if __name__ == "__main__":
    run_program(main)
