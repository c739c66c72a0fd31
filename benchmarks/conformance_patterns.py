"""What known defects do to a correct implementation: which outputs of which cases of the conformance kit become wrong, and their fingerprints.

    python -m benchmarks.conformance_patterns                     compare the file of the kit with new patterns
    python -m benchmarks.conformance_patterns --write             write it (about 30 CPU seconds)

The implementation is `tests/helpers/conformance_plain.py`, and `tests/helpers/conformance_defects.py` lists the defects, with several changes for each flag.
The naming of the kit compares the failures of a run with these patterns. Only required cases that are called once are run. Relative errors below 3e-5 do
not count, because the size of such an error is a fact of its own.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mutation.testing import Task, run_forked
from kan_ref.program import run_program

HELPERS = Path(__file__).parents[1] / "tests" / "helpers"
SECONDS = 120.0


def _defects() -> Any:
    sys.path[:0] = [str(HELPERS)]
    return importlib.import_module("conformance_defects")


def tested(name: str) -> dict[str, Any]:
    """Return the pattern of a defect: flag, change, and the fingerprints of its wrong outputs by case."""
    defects = _defects()
    from kan_ref.conformance import name as naming
    from kan_ref.conformance import suite
    from kan_ref.conformance.subjects import DirectSubject

    old, new, flag = (defects.DEFECTS | defects.VARIANTS)[name]
    methods = defects.changed_methods(old)
    chosen = [
        (topic, [case for case in cases if naming.counted(case) and case.method in methods])
        for topic, cases in suite.choose()
    ]
    with np.errstate(all="ignore"):
        subject = DirectSubject(defects.defective(old, new))
        outcomes = suite.run(subject, [(topic, cases) for topic, cases in chosen if cases]).outcomes
    wrong = {one.case.id: dict(naming.wrong_outputs(one)) for one in outcomes}
    return {"flag": flag, "change": name, "wrong": {case: one for case, one in wrong.items() if one}}


def document(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the file of patterns, in the form that `name.load_patterns` describes."""
    from kan_ref.conformance import name as naming
    from kan_ref.conformance import suite

    cases = [case for _, members in suite.choose() for case in members if naming.counted(case)]
    places = [(case.id, output) for case in cases for output in case.expected]
    entries = []
    for one in found:
        shown = [n for n, (case, output) in enumerate(places) if output in one["wrong"].get(case, ())]
        prints = [one["wrong"][places[n][0]][places[n][1]] for n in shown]
        if shown:
            bits = f"{sum(1 << n for n in shown):x}"
            entries.append({**one, "wrong": bits, "prints": np.array(prints, ">f4").tobytes().hex()})
    return {"cases": [case.id for case in cases], "patterns": entries}


def all_patterns(jobs: int) -> dict[str, Any]:
    """Test every defect and return the file of patterns."""
    defects = _defects()
    from kan_ref.conformance import cases

    cases.load_topics()
    known = defects.DEFECTS | defects.VARIANTS
    names = [name for name, (_, _, flag) in known.items() if flag not in defects.UNSEEN]
    tasks = [Task(partial(_quietly, name), SECONDS) for name in names]
    results: dict[str, Any] = {}
    for outcome in run_forked(tasks, jobs):
        if outcome.result is None:
            raise RuntimeError(f"{names[outcome.index]}: {outcome.ended_by}\n{outcome.log[-2000:]}")
        results[names[outcome.index]] = outcome.result
    return document([results[name] for name in names])


def _quietly(name: str, _: Path) -> dict[str, Any]:
    return tested(name)


def written(made: dict[str, Any]) -> str:
    """Return the text of the file: one line for each pattern."""
    lines = ",\n".join(json.dumps(one) for one in made["patterns"])
    return f'{{"cases": {json.dumps(made["cases"])},\n"patterns": [\n{lines}\n]}}\n'


def main(words: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status, 1 if the file differs."""
    from kan_ref.conformance.name import FILE

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.conformance_patterns",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (1)")
    options = parser.parse_args(words)
    text = written(all_patterns(options.jobs))
    if options.write:
        FILE.write_text(text, encoding="utf-8")
        return 0
    same = FILE.read_text(encoding="utf-8") == text
    print("the patterns are up to date" if same else "the patterns differ: run it with --write")
    return int(not same)


if __name__ == "__main__":
    run_program(main)
