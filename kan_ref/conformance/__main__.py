"""Test an implementation of KANs against the vectors: `python -m kan_ref.conformance`.

Without a subject kan_ref itself is tested. `report` as the first word tests published libraries and
writes their report cards (`cards`). Exit status: 0 if every required case passes or is listed as
failing, 1 if one fails, 2 for a wrong call, a subject that cannot start or supports no chosen
case, or a report that cannot be written, 130 after Ctrl-C.
"""

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kan_ref.program import check_output, run_program

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices gain nothing from a second thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tqdm import tqdm

from kan_ref.conformance import cards, suite
from kan_ref.conformance.cases import BSPLINE, DTYPES, families
from kan_ref.conformance.export import export
from kan_ref.conformance.report import WRITERS
from kan_ref.conformance.subjects import MEMORY, TIMEOUT, ProcessSubject, python_adapter
from kan_ref.conformance.wire import MOST_GIBIBYTES

OURSELVES = "kan_ref.conformance.adapters.reference:Reference"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance",
        description="Test an implementation of KANs against the vectors.",
        epilog="'report' as the first word tests published libraries and writes their report "
        "cards: report --help. Exit status: 0 if every required case passes or is listed by "
        "--xfail, 1 if one fails, 2 for wrong arguments, a subject that cannot start or supports "
        "no chosen case, or a report that cannot be written, 130 after Ctrl-C",
    )
    who = found.add_mutually_exclusive_group()
    who.add_argument(
        "--adapter",
        metavar="MODULE:CLASS",
        help="a Python adapter, built without arguments (default: kan_ref itself)",
    )
    who.add_argument("--program", metavar="COMMAND", help="any program that answers JSON lines")
    found.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="GLOB",
        help="cases or topics to run, such as 'bases' or 'layer_vjp/*mask*'",
    )
    found.add_argument(
        "--skip", action="append", default=[], metavar="GLOB", help="cases or topics to leave out"
    )
    found.add_argument(
        "--family",
        choices=families(),
        default=BSPLINE,
        help="basis functions: those of the paper (default %(default)s), or others, which are "
        "tested and counted apart",
    )
    found.add_argument(
        "--xfail",
        type=Path,
        metavar="FILE",
        help="file of globs of cases known to fail, one on each line; # starts a comment",
    )
    found.add_argument(
        "--dtype",
        choices=DTYPES,
        default="float64",
        help="precision of the arrays given to the subject (default %(default)s)",
    )
    found.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT,
        metavar="S",
        help="seconds for one case (default %(default)g)",
    )
    found.add_argument(
        "--memory",
        type=float,
        default=MEMORY,
        metavar="GIB",
        help="addresses that the subject may use, 0 for no limit (default %(default)g; Linux)",
    )
    for name, what in (
        ("--json", "the report as JSON"),
        ("--junit", "the report as JUnit XML"),
        ("--badge", "the result as JSON of a badge (shields.io)"),
    ):
        found.add_argument(name, type=Path, metavar="OUT", help=what)
    found.add_argument(
        "--export",
        type=Path,
        metavar="DIR",
        help="write vectors, schemas, hashes and licence there, and run nothing",
    )
    found.add_argument("--list", action="store_true", help="print the cases, and run nothing")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status; KeyboardInterrupt is left to the caller."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["report"]:
        return cards.main(words[1:])
    line = parser()
    options = line.parse_args(words)
    if options.export is not None:
        return _export(line, options.export)
    outputs = {name: path for name in WRITERS if (path := getattr(options, name)) is not None}
    for name, least in (("timeout", 1e-3), ("memory", 0.0)):
        if not least <= (limit := getattr(options, name)) <= MOST_GIBIBYTES:
            line.error(f"--{name} is {limit:g}, but must be between {least:g} and 1e+06")
    # a run whose report would be lost is not begun
    for name, path in outputs.items():
        check_output(line, f"--{name}", path)
    _check_globs(line, {"--only": options.only, "--skip": options.skip})
    chosen = suite.choose(options.only, options.skip, family=options.family)
    if not chosen:
        line.error(f"--only and --skip leave no case of --family {options.family}")
    if options.list:
        for _, cases in chosen:
            for case in cases:
                print(f"{case.id}  {case.kind}  {' '.join(case.flags)}")
        return 0
    xfail = _read_xfail(line, options.xfail)
    subject = _subject(line, options)
    n_cases = sum(len(cases) for _, cases in chosen)
    try:
        with tqdm(total=n_cases, unit=" cases", leave=False, disable=None) as bar:
            report = suite.run(
                subject, chosen, xfail=xfail, dtype=options.dtype, callback=lambda _: bar.update()
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted: no report without every case") from None
    finally:
        subject.close()
    if all(outcome.status == "skipped" for outcome in report.outcomes):
        line.error(
            f"{report.subject} supports none of the {n_cases} chosen cases, so that nothing is "
            f"tested ({report.outcomes[0].reason}): choose others, or support their methods"
        )
    status = 1 if report.failures else 0
    for name, path in outputs.items():
        try:
            WRITERS[name](report, path)
        except OSError as error:  # such as a full disk: the printed report is still worth a run
            print(f"--{name} is {path}, which cannot be written: {error}", file=sys.stderr)
            status = 2
    print(f"{report.subject}, {report.dtype}, {n_cases} cases")
    for text in suite.lines(report):
        print(text)
    return status


def _export(line: argparse.ArgumentParser, folder: Path) -> int:
    if os.path.exists(folder) and not folder.is_dir():
        line.error(f"--export is {folder}, which is a file, but must be a folder")
    try:
        written = export(folder)
    except OSError as error:
        line.error(f"--export is {folder}, which cannot be written: {error}")
    print(f"{len(written)} files in {folder}")
    return 0


def _subject(line: argparse.ArgumentParser, options: argparse.Namespace) -> ProcessSubject:
    if options.program is None:
        subject = python_adapter(
            OURSELVES if options.adapter is None else options.adapter,
            dtype=options.dtype,
            timeout=options.timeout,
            memory=options.memory,
        )
        if reason := subject.refused or subject.silent:
            subject.close()
            line.error(f"--adapter is {options.adapter!r}, which cannot be built: {reason}")
        return subject
    try:
        command = shlex.split(options.program)
    except ValueError as error:
        line.error(f"--program is {options.program!r}, which cannot be split into words: {error}")
    if not command or shutil.which(command[0]) is None:
        line.error(f"--program is {options.program!r}, which names no program that can be run")
    failed = f"--program is {options.program!r}, which cannot be started"
    try:
        subject = ProcessSubject(
            command,
            name=options.program,
            dtype=options.dtype,
            timeout=options.timeout,
            memory=options.memory,
        )
    except OSError as error:
        line.error(f"{failed}: {error}")
    if subject.silent is not None:
        subject.close()
        line.error(f"{failed}: {subject.silent}")
    return subject


def _read_xfail(line: argparse.ArgumentParser, path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        rows = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        line.error(f"--xfail is {path}, which cannot be read: {error}")
    globs = [glob for row in rows if (glob := row.partition("#")[0].strip())]
    _check_globs(line, {f"a glob of --xfail {path}": globs})
    return globs


def _check_globs(line: argparse.ArgumentParser, globs: Mapping[str, Sequence[str]]) -> None:
    try:
        suite.check_globs(globs)
    except ValueError as error:
        line.error(str(error))


if __name__ == "__main__":
    run_program(main)
