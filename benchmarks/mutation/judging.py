"""The verdict on each mutant: its tests run until the first one fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.mutation.drawing import Mutant
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
