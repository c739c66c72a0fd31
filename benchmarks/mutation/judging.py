"""The verdict on each mutant: its tests run until the first one fails. Then the score of each package, and the mutants that survived.

Mutants that were judged to change nothing that a test could notice have a reason each, in equivalent_mutants.toml. They are not judged.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.mutation.drawing import Mutant, all_mutants
from benchmarks.mutation.forking import Outcome, Task, run_forked
from benchmarks.mutation.selection import Records, Test
from benchmarks.mutation.testing import FACTOR, judge

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
NOT_RUN, EQUIVALENT, UNCLEAR = "no test runs it", "equivalent", "unclear"
TIMERS = ("SIGPROF", "SIGKILL")  # of a test, and of the whole process


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: one of the constants above, the test that noticed it, and how many tests there were."""

    mutant: Mutant
    status: str
    by: str = ""
    n_tests: int = 0

    @property
    def is_killed(self) -> bool:
        """Return whether a test noticed the mutant."""
        return self.status in (KILLED, TIMEOUT)


@dataclass(frozen=True)
class Judge:
    """Where and how mutants are judged.

    Parameters
    ----------
    root : Path
        Of the checkout.
    files : dict
        Module -> file.
    records : Records
        Which tests run which lines.
    jobs : int
        Processes at a time.
    grace : float
        CPU seconds that a test may take besides 5 times its recorded time.
    tell : callable
        Gets a text after every mutant.
    """

    root: Path
    files: dict[str, Path]
    records: Records
    jobs: int
    grace: float
    tell: Callable[[str], None]

    def task(self, name: str, text: str, tests: list[Test], *, to_the_end: bool = False) -> Task:
        """Return the run of tests with another text of a module."""
        module = (name, self.files[name], text)
        limits = [(test.name, FACTOR * test.seconds + self.grace) for test in tests]
        function = partial(_run, self.root, module, limits, to_the_end)
        return Task(function, 120.0 + 2.0 * FACTOR * sum(test.seconds for test in tests))


def _run(
    root: Path,
    module: tuple[str, Path, str],
    limits: list[tuple[str, float]],
    to_the_end: bool,
    note: Path,
) -> dict[str, Any]:
    return judge(root, module, limits, note, to_the_end=to_the_end)


def verdict_of(mutant: Mutant, tests: Sequence[Test], outcome: Outcome) -> Verdict:
    """Return the verdict that the end of a mutant's process implies."""
    n = len(tests)
    if outcome.result is None:
        status = TIMEOUT if outcome.ended_by in TIMERS else KILLED
        return Verdict(mutant, status, f"{outcome.note} ({outcome.ended_by})", n)
    if outcome.result["failed"]:
        return Verdict(mutant, KILLED, outcome.result["failed"][0], n)
    if outcome.result["status"] != 0 or not outcome.result["loaded"]:
        why = "its module was not loaded" if not outcome.result["loaded"] else outcome.log[-300:]
        return Verdict(mutant, UNCLEAR, " ".join(why.split()), n)
    return Verdict(mutant, SURVIVED, "", n)


def judge_all(one: Judge, mutants: Sequence[Mutant]) -> list[Verdict]:
    """Return the verdict on each mutant, in their order.

    A mutant counts as unclear if a test that fails with it also fails with the unchanged module.
    """
    texts = {m.module: one.files[m.module].read_text(encoding="utf-8") for m in mutants}
    tests = [one.records.relevant(mutant, one.files[mutant.module]) for mutant in mutants]
    numbers = [i for i, some in enumerate(tests) if some]
    verdicts = [Verdict(mutant, NOT_RUN) for mutant in mutants]
    tasks = [
        one.task(mutants[i].module, mutants[i].applied(texts[mutants[i].module]), tests[i])
        for i in numbers
    ]
    for n, outcome in enumerate(run_forked(tasks, one.jobs), 1):
        i = numbers[outcome.index]
        verdicts[i] = v = verdict_of(mutants[i], tests[i], outcome)
        place = f"{v.mutant.module}, line {v.mutant.line}"
        one.tell(f"{n} of {len(tasks)}: {place}: {v.status} {v.by}")
    failing = _failing_unchanged(one, verdicts, texts)
    return [
        Verdict(v.mutant, UNCLEAR, f"{v.by} fails without a mutation", v.n_tests)
        if (v.mutant.module, v.by) in failing
        else v
        for v in verdicts
    ]


def _failing_unchanged(
    one: Judge, verdicts: Sequence[Verdict], texts: dict[str, str]
) -> set[tuple[str, str]]:
    """Return (module, test) of the tests that fail although the text of the module is unchanged."""
    tests = one.records.tests
    killers = {
        module: [tests[v.by] for v in verdicts if v.mutant.module == module and v.by in tests]
        for module in texts
    }
    names = [module for module, some in killers.items() if some]
    tasks = [
        one.task(name, texts[name], list(dict.fromkeys(killers[name])), to_the_end=True)
        for name in names
    ]
    found = set()
    for outcome in run_forked(tasks, one.jobs):
        name = names[outcome.index]
        ended = outcome.result is None
        failed = [t.name for t in killers[name]] if ended else outcome.result["failed"]
        found |= {(name, test) for test in failed}
    return found


FILE = Path(__file__).parents[1] / "equivalent_mutants.toml"


@dataclass(frozen=True)
class Equivalent:
    """A judged mutant: module, the changed lines before and after, and the reason."""

    module: str
    line: str
    mutation: str
    reason: str

    def matches(self, mutant: Mutant) -> bool:
        """Return whether a mutant is this one, wherever its line is now."""
        return (self.module, self.line, self.mutation) == (
            mutant.module,
            mutant.original,
            mutant.mutated,
        )


def read_equivalents(path: Path = FILE) -> list[Equivalent]:
    """Return the entries of a file.

    Raises
    ------
    ValueError
        An entry has other keys than module, line, mutation and reason, or an empty one.
    """
    found = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []):
        keys = {"module", "line", "mutation", "reason"}
        if set(entry) != keys or not all(isinstance(v, str) and v for v in entry.values()):
            raise ValueError(f"{path.name} has the entry {entry}, but needs texts {sorted(keys)}")
        found.append(Equivalent(**entry))
    return found


def outdated(entries: list[Equivalent], modules: dict[str, Path]) -> list[Equivalent]:
    """Return the entries of these modules that match none of their mutants any more."""
    found = []
    for module, path in modules.items():
        own = [entry for entry in entries if entry.module == module]
        mutants = all_mutants(module, path.read_text(encoding="utf-8")) if own else []
        found += [entry for entry in own if not any(entry.matches(m) for m in mutants)]
    return found


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
