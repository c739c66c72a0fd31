"""The score of each package, and the mutants that no test noticed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.mutation.equivalents import Equivalent
from benchmarks.mutation.judging import EQUIVALENT, NOT_RUN, SURVIVED, UNCLEAR, Verdict


def package_of(module: str) -> str:
    """Return the first two parts of a module's name."""
    return ".".join(module.split(".")[:2])


def scores(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """Return the numbers of each package: drawn, killed, timeout, equivalent, survived, unclear."""
    found: dict[str, dict[str, int]] = {}
    for package in dict.fromkeys(package_of(v.mutant.module) for v in verdicts):
        own = [v for v in verdicts if package_of(v.mutant.module) == package]
        status = Counter(v.status for v in own)
        found[package] = {
            "drawn": len(own),
            "killed": sum(v.is_killed for v in own),
            "equivalent": status[EQUIVALENT],
            "survived": status[SURVIVED] + status[NOT_RUN],
            "unclear": status[UNCLEAR],
        }
    return found


def score_line(package: str, numbers: dict[str, int]) -> str:
    """Return one line of the table of scores."""
    judged = numbers["drawn"] - numbers["equivalent"]
    share = f"{100 * numbers['killed'] / judged:.0f} %" if judged else "-"
    return (
        f"{package:28} {numbers['killed']:5} of {judged:5} killed {share:>6}"
        f"   drawn {numbers['drawn']}, equivalent {numbers['equivalent']},"
        f" survived {numbers['survived']}, unclear {numbers['unclear']}"
    )


def total(numbers: Sequence[dict[str, int]]) -> dict[str, int]:
    """Return the sums of the packages' numbers."""
    return {key: sum(one[key] for one in numbers) for key in numbers[0]} if numbers else {}


def survivor_lines(verdicts: Sequence[Verdict], files: dict[str, Path], root: Path) -> list[str]:
    """Return, for each mutant that was not noticed, its place, and the lines before and after."""
    lines = []
    for v in verdicts:
        if v.status in (SURVIVED, NOT_RUN, UNCLEAR):
            m = v.mutant
            place = f"{files[m.module].relative_to(root).as_posix()}:{m.line}"
            why = {SURVIVED: f"{v.n_tests} tests pass", UNCLEAR: f"unclear: {v.by}"}
            lines += [f"{place}: {m.kind}, {why.get(v.status, v.status)}"]
            lines += [f"    - {m.original}", f"    + {m.mutated}"]
    return lines


def outdated_lines(entries: Sequence[Equivalent]) -> list[str]:
    """Return one line for each entry of the file of equivalent mutants that matches nothing."""
    return [f"outdated entry: {e.module}: {e.line} -> {e.mutation}" for e in entries]


def as_json(verdicts: Sequence[Verdict], settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings, scores and verdicts as what JSON can hold."""
    return {
        **settings,
        "packages": scores(verdicts),
        "mutants": [
            {
                "module": v.mutant.module,
                "line": v.mutant.line,
                "kind": v.mutant.kind,
                "original": v.mutant.original,
                "mutated": v.mutant.mutated,
                "status": v.status,
                "by": v.by,
                "n_tests": v.n_tests,
            }
            for v in verdicts
        ],
    }
