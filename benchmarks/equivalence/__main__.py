"""`python -m benchmarks.equivalence`: the same layer in several libraries, and the page that compares them.

Without options it measures kan_ref, pykan, efficient-kan (or ikan, which has a copy of its layer) and jaxKAN, all in float64 and one
thread, and writes docs/equivalence.json and the tables of docs/equivalence.md. All libraries must be installed: a record holds all of
them. --render writes the tables from the existing record without measuring; --check tests whether they are up to date.
"""

import os

os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)  # before NumPy loads

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.equivalence.array_columns import JaxKan, KanRef
from benchmarks.equivalence.library import Library
from benchmarks.equivalence.measures import measure
from benchmarks.equivalence.page import rendered
from benchmarks.equivalence.torch_columns import EfficientKan, Pykan
from figures.machine.computing import versions
from kan_ref.files import replace_file
from kan_ref.program import run_program

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RECORD = DOCS / "equivalence.md", DOCS / "equivalence.json"


def libraries() -> list[Library]:
    """Return the columns in their order."""
    return [KanRef(), Pykan(), EfficientKan(), JaxKan("base"), JaxKan("spline")]


def record(columns: Sequence[Library]) -> dict[str, Any]:
    """Return the results of all libraries, with date and versions."""
    found: dict[str, Any] = {}
    for library in columns:
        print(f"measuring {library.name}", file=sys.stderr, flush=True)
        found[library.name] = measure(library)
    ours = {name: number for name, number in versions().items() if name in ("python", "numpy")}
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": ours,
        "columns": found,
    }


def content(of: dict[str, Any]) -> bytes:
    """Return a record as its file: one line for each result of each library."""
    lines = [f'"date": {json.dumps(of["date"])}', f'"versions": {json.dumps(of["versions"])}']
    columns = [
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(
            f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
            for key, value in answers.items()
        )
        + "\n}"
        for name, answers in of["columns"].items()
    ]
    lines.append('"columns": {\n' + ",\n".join(columns) + "\n}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.equivalence",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--render", action="store_true", help="write the tables from the record that there is"
    )
    parser.add_argument(
        "--check", action="store_true", help="status 1 if the page is not what the record renders"
    )
    options = parser.parse_args(arguments)
    if not options.render and not options.check:
        columns = libraries()
        absent = {library.name: missing for library in columns if (missing := library.missing())}
        if absent:
            print(
                "; ".join(f"{name} needs {', '.join(missing)}" for name, missing in absent.items())
                + ": pip install '.[peers]'"
            )
            return 2
        replace_file(os.fspath(RECORD), content(record(columns)))
    text = PAGE.read_text(encoding="utf-8")
    page = rendered(text, json.loads(RECORD.read_text(encoding="utf-8")))
    if options.check:
        print(
            "the page is what the record renders"
            if page == text
            else f"{PAGE.name} is not what {RECORD.name} renders: --render writes it"
        )
        return int(page != text)
    replace_file(os.fspath(PAGE), page.encode())
    print(f"wrote {PAGE.name}" if options.render else f"wrote {RECORD.name} and {PAGE.name}")
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
