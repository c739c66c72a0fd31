"""Which share of small bugs the conformance kit detects, and how often it names them: mutants of correct implementations.

    python -m benchmarks.conformance_mutants                      all mutants, a few CPU seconds each
    python -m benchmarks.conformance_mutants --only plain --n 5   5 mutants of one implementation
    python -m benchmarks.conformance_mutants --record             write the results into the file of records
    python -m benchmarks.conformance_mutants --draw               list the mutants and run nothing

Four correct implementations of different style (`tests/helpers/conformance_subjects.py`; the one on SciPy was written for this program) are changed in one
expression each, by the operators of `benchmarks.mutation`. Mutants are drawn with a seed from all changes of lines that a run of the kit executes.
Each is tested with all vectors, and as in a user's tests under pytest, in a process of its own. A seed whose mutants are in the file of records is not drawn again,
because new cases of the kit execute other lines: its recorded mutants are tested. Those whose line the code no longer has cannot be tested:
they are listed, and their records stay as they are.

The file of records has one line for each mutant of each seed, with a label that was given by reading the change: the flags of the catalogue that describe
it, none if it only raises or the catalogue has no name for it, or the reason why no answer that the contract requires can show it ("equivalent"). `--record`
adds the results. A mutant
without a label counts as detected or missed, but not as named. A mutant that an earlier seed of the file has drawn counts there alone, and a new seed passes over it. Correct variants
(`VARIANTS`) must pass.
The exit status is 1 if a bar is missed: 97 % detected, 85 % of those with a flag named first, in both ways, and no failure of a correct implementation.
"""

import argparse
import importlib
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import numpy as np

from benchmarks.mutation.mutants import Mutant, all_mutants, is_a_change, modules_of
from benchmarks.mutation.testing import Finder, Loader, Task, run_forked
from kan_ref.program import run_program

ROOT = Path(__file__).parents[1]
HELPERS = ROOT / "tests" / "helpers"
RECORDS = Path(__file__).with_suffix(".jsonl")
SECONDS = 120.0  # for one mutant, which may loop for ever
DETECTED, NAMED = 0.97, 0.85  # the bars
Record = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """An implementation: its adapter "module:Class", and the modules that are changed."""

    adapter: str
    modules: tuple[str, ...]

    @property
    def files(self) -> dict[str, Path]:
        """The modules by name with their files; helpers of the tests have names without dots."""
        found: dict[str, Path] = {}
        for name in self.modules:
            found |= modules_of(ROOT if "." in name else HELPERS, name)
        return found


_HERE = "conformance_subjects"  # a helper of the tests
SUBJECTS = {
    "plain": Subject(f"{_HERE}:PlainModules", ("kan_ref.plain",)),
    "loops": Subject(f"{_HERE}:Loops", ("oracles_layer", "oracles_jets")),
    "scipy": Subject(f"{_HERE}:SciPyNetwork", ("conformance_scipy",)),
    "package": Subject(
        "kan_ref.conformance.adapters.reference:Reference",
        # without symbolic fitting: a search from many starts finds the same without some of them
        (
            *("kan_ref.bspline", "kan_ref.functions", "kan_ref.network", "kan_ref.sparsity"),
            *("kan_ref.pde", "kan_ref.optimizers.points"),
        ),
    ),
}
VARIANTS = (
    *("Lists", "Masked", "Partial", "Quantiles", "Dense", "Draws", "LeftLimits", "Raising"),
    *("Fortran", "Remembering"),
)


# --- one process for each run


def _loaded(subject: Subject, mutant: Mutant | None) -> tuple[Any, Loader | None]:
    """Return the adapter of an implementation, and what has loaded the changed module."""
    sys.path[:0] = [str(HELPERS)]
    files = subject.files
    for name in [one for one in sys.modules if one in files]:  # the kit keeps its kan_ref.plain
        package, _, own = name.rpartition(".")
        del sys.modules[name]
        vars(sys.modules[package]).pop(own, None)
    loader = None
    if mutant is not None:
        path = files[mutant.module]
        loader = Loader(mutant.module, str(path), mutant.applied(path.read_text(encoding="utf-8")))
        sys.meta_path.insert(0, Finder(loader))
    module, _, name = subject.adapter.partition(":")
    return getattr(importlib.import_module(module), name)(), loader


def executed(subject: Subject) -> dict[str, list[int]]:
    """Return module -> lines that a run of the kit executes."""
    from kan_ref.conformance import suite
    from kan_ref.conformance.subjects import DirectSubject

    files = subject.files
    tracer = coverage.Coverage(data_file=None, include=[str(path) for path in files.values()], config_file=False)
    tracer.start()
    adapter, _ = _loaded(subject, None)
    suite.run(DirectSubject(adapter))
    tracer.stop()
    data = tracer.get_data()
    return {name: sorted(data.lines(str(path)) or ()) for name, path in files.items()}


def tested(subject: Subject, mutant: Mutant | None) -> Record:
    """Return what the kit says of an implementation, in a whole run and under pytest."""
    try:
        with np.errstate(all="ignore"):
            adapter, loader = _loaded(subject, mutant)
    except Exception as error:
        return {"loads": False, "detail": f"{type(error).__name__}: {error}"}
    found = _both(adapter)
    if loader is not None and not loader.used:  # some are loaded when they are first used
        raise RuntimeError(f"{loader.name} is not the module that the adapter has used")
    return {"loads": True, **found}


def _both(adapter: Any) -> Record:
    from kan_ref.conformance import pytest_cases, suite
    from kan_ref.conformance.subjects import DirectSubject

    with np.errstate(all="ignore"):
        report = suite.run(DirectSubject(adapter))
        failed = [outcome.case.id for outcome in report.failures]
        found: Record = {
            "failures": len(failed),
            "first": _first_named(report.findings),
            "findings": [[one.name, one.kind, one.agreement] for one in report.findings][:4],
            "cases": failed[:4],
        }
        checks = [parameter.values[0] for parameter in pytest_cases(adapter)]
        chosen = {check.case.id for check in checks}
        outcomes = tuple(one for one in report.outcomes if one.case.id in chosen)
        for check in checks:
            if check.case.id in failed:
                # the session would run the same cases again
                check.session.report = suite.Report(report.subject, report.dtype, outcomes)
                try:
                    check.check()
                except AssertionError:
                    first = _first_named(check.session.report.findings)
                    return {**found, "in_pytest": True, "first_in_pytest": first}
        return {**found, "in_pytest": False, "first_in_pytest": ""}


def _first_named(findings: Sequence[Any]) -> str:
    """Return the first flag of the catalogue."""
    from kan_ref.conformance.name import FACTS

    return next((one.name for one in findings if one.name not in FACTS), "")


def varied(name: str) -> Record:
    """Return what the kit says of a correct variant."""
    sys.path[:0] = [str(HELPERS)]
    return _both(getattr(importlib.import_module(_HERE), name)())


# --- drawing, labels and shares


def drawn(name: str, lines: Mapping[str, Sequence[int]], n: int, seed: int, known: Sequence[Record]) -> list[Mutant]:
    """Return n mutants of an implementation among those of executed lines, module by module.

    Mutants that `known` records have are passed over: a new seed draws bugs that nobody has seen.
    """
    seen_before = {key(one) for one in known}
    pool: list[tuple[Mutant, str]] = []
    for module, path in SUBJECTS[name].files.items():
        source, seen = path.read_text(encoding="utf-8"), set(lines[module])
        pool += [
            (mutant, source)
            for mutant in all_mutants(module, source)
            if mutant.in_function
            and seen & set(range(mutant.first, mutant.last + 1))
            and key(described(seed, name, mutant)) not in seen_before
        ]
    random.Random(f"{seed} {name}").shuffle(pool)
    changes = (mutant for mutant, source in pool if is_a_change(source, mutant.applied(source)))
    chosen = [mutant for _, mutant in zip(range(n), changes, strict=False)]
    return sorted(chosen, key=lambda one: (one.module, one.begin))


def recorded(name: str, seed: int, records: Sequence[Record]) -> list[Mutant]:
    """Return the mutants of an implementation that the records of a seed name, if the code has their lines; none without records."""
    wanted = {key(one): one["line"] for one in records if one["seed"] == seed and one["subject"] == name}
    found: dict[tuple[str, ...], list[Mutant]] = defaultdict(list)
    for module, path in SUBJECTS[name].files.items():
        if any(one[1] == module for one in wanted):
            for mutant in all_mutants(module, path.read_text(encoding="utf-8")):
                found[key(described(seed, name, mutant))].append(mutant)
    for _, module, original, mutated in sorted(wanted.keys() - found.keys()):
        change = f"{original}\n    which became {mutated}"
        print(f"{module} has changed, and no longer has: {change}", file=sys.stderr)
    # of lines with the same text the one that is nearest to where it was drawn
    return [min(found[one], key=lambda m: abs(m.line - at)) for one, at in wanted.items() if one in found]


def key(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what identifies a mutant among those of a seed."""
    return tuple(record[name] for name in ("subject", "module", "original", "mutated"))


def of_seed(records: Sequence[Record], seed: int) -> list[Record]:
    """Return the records of a seed without the mutants that an earlier seed of the file has drawn."""
    mine = [one for one in records if one["seed"] == seed]
    first = records.index(mine[0]) if mine else 0
    known = {key(one) for one in records[:first]}
    return [one for one in mine if key(one) not in known]


def read_records(path: Path) -> list[Record]:
    """Return the records of a file of JSON lines; none if there is no file."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def described(seed: int, name: str, mutant: Mutant) -> Record:
    """Return the record of a mutant before it is tested."""
    names = ("module", "line", "original", "mutated")
    return {"seed": seed, "subject": name} | {one: getattr(mutant, one) for one in names}


# way of testing -> names in a record: whether the mutant failed, and the first flag
_WAYS = {"in whole runs": ("failures", "first"), "under pytest": ("in_pytest", "first_in_pytest")}


def shares(records: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return detected and named mutants with the numbers of those that count, in both ways of testing.

    Mutants without a result, those that do not load, and equivalent ones do not count.
    """
    counted = [one for one in records if one.get("loads") and not one["label"].get("equivalent")]
    found: dict[str, tuple[int, int]] = {}
    for way, (caught, first) in _WAYS.items():
        seen = [one for one in counted if one[caught]]
        with_flag = [one for one in seen if one["label"].get("flags")]
        right = [one for one in with_flag if one[first] in one["label"]["flags"]]
        found[f"detected {way}"] = len(seen), len(counted)
        found[f"named first {way}"] = len(right), len(with_flag)
    return found


def report_lines(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the mutants that were missed or misnamed, and the shares."""
    for one in records:
        label = one["label"]
        change = (
            f"{one['subject']}, {one['module']}, line {one['line']}: {one['original']}\n    becomes {one['mutated']}"
        )
        if not one["loads"] or label.get("equivalent"):
            if one["loads"] and one["failures"]:
                yield f"not equivalent: {change}\n    {one['cases']}"
            continue
        if not one["failures"] or not one["in_pytest"]:
            yield f"missed: {change}"
        elif not label:
            yield f"without a label: {change}\n    {one['findings']} {one['cases']}"
        elif label["flags"] and not {one["first"], one["first_in_pytest"]} <= {*label["flags"]}:
            names = f"{one['first'] or '-'}, under pytest {one['first_in_pytest'] or '-'}"
            yield f"misnamed: {change}\n    {names}, not {' or '.join(label['flags'])}"
    for name, (right, counted) in shares(records).items():
        yield f"{name}: {right} of {counted} ({right / max(1, counted):.1%})"
    equivalent = sum(bool(one["label"].get("equivalent")) for one in records)
    broken = sum(not one["loads"] for one in records)
    yield f"{len(records)} drawn; {equivalent} equivalent, {broken} that cannot be loaded"


def _missed_bars(records: Sequence[Mapping[str, Any]]) -> list[str]:
    bars = {"detected": DETECTED, "named first": NAMED}
    return [
        name
        for name, (right, counted) in shares(records).items()
        if right < bars[name.removesuffix(" in whole runs").removesuffix(" under pytest")] * counted
    ]


def main(words: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.conformance_mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="an implementation")
    parser.add_argument("--n", type=int, default=40, help="mutants of each implementation (40)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (1)")
    parser.add_argument("--draw", action="store_true", help="list the mutants, as records")
    parser.add_argument("--record", action="store_true", help=f"write {RECORDS.name}")
    options = parser.parse_args(words)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    _load_before()
    names, known = options.only or list(SUBJECTS), read_records(RECORDS)
    tracing = [Task(partial(_quietly, executed, SUBJECTS[name]), SECONDS) for name in names]
    lines = {names[one.index]: _result(one) for one in run_forked(tracing, options.jobs)}
    seen = {one["subject"] for one in known if one["seed"] == options.seed}
    mutants = [
        (name, mutant)
        for name in names
        for mutant in (
            recorded(name, options.seed, known)
            if name in seen
            else drawn(name, lines[name], options.n, options.seed, known)
        )
    ]
    if options.draw:
        for name, mutant in mutants:
            print(json.dumps(described(options.seed, name, mutant)))
        return 0
    correct = _correct(names, options.jobs)
    labels = {(one["seed"], key(one)): one["label"] for one in known}
    records: list[Record] = [{} for _ in mutants]
    tasks = [Task(partial(_quietly, tested, SUBJECTS[name], mutant), SECONDS) for name, mutant in mutants]
    hangs = {"loads": True, "failures": 1, "first": "", "findings": [["NoAnswer", "", None]],
             "cases": [], "in_pytest": True, "first_in_pytest": ""}  # fmt: skip
    for n, outcome in enumerate(run_forked(tasks, options.jobs), 1):
        name, mutant = mutants[outcome.index]
        if outcome.result is None and outcome.ended_by.startswith("status"):
            raise RuntimeError(f"{described(options.seed, name, mutant)}: {outcome.log[-2000:]}")
        record = described(options.seed, name, mutant) | (outcome.result or hangs)
        label = labels.get((options.seed, key(record)), {})
        records[outcome.index] = record | {"label": label}
        print(f"{n} of {len(mutants)}", file=sys.stderr, flush=True)
        if options.record:
            _write(records)
    of_run = {key(one) for one in records}
    counted = [one for one in of_seed(_merged(known, records), options.seed) if key(one) in of_run]
    print("\n".join(report_lines(counted)))
    print(f"seed {options.seed}, {options.n} mutants of each of {', '.join(names)}")
    print(f"{len(records) - len(counted)} of them count for an earlier seed")
    return int(not correct or bool(_missed_bars(counted)))


def _merged(known: Sequence[Record], records: Sequence[Record]) -> list[Record]:
    """Return records with new ones in place of older ones of the same mutants, whose line may have moved."""
    found = {(one["seed"], key(one)): one for one in known}
    found |= {(one["seed"], key(one)): one for one in records if one}
    return list(found.values())


def _write(records: Sequence[Record]) -> None:
    text = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in _merged(read_records(RECORDS), records))
    RECORDS.write_text(text, encoding="utf-8")


def _correct(names: Sequence[str], jobs: int) -> bool:
    """Test the implementations without a change, and correct variants; print their failures."""
    tasks = {name: partial(tested, SUBJECTS[name], None) for name in names}
    tasks |= {name: partial(varied, name) for name in VARIANTS}
    all_names = list(tasks)
    right = 0
    for outcome in run_forked([Task(partial(_quietly, one), SECONDS) for one in tasks.values()], jobs):
        found = _result(outcome)
        if found["failures"] or found["in_pytest"]:
            print(f"false alarm: {all_names[outcome.index]} {found}")
        else:
            right += 1
    print(f"{right} of {len(tasks)} correct implementations and variants pass")
    return right == len(tasks)


def _load_before() -> None:
    """Import what takes long, and read the vectors, once for all processes."""
    from kan_ref.conformance import cases

    cases.load_topics()
    for name in (
        *("kan_ref.conformance.suite", "pytest", "sympy", "mpmath"),
        *("scipy.interpolate", "scipy.linalg", "scipy.special"),
    ):
        importlib.import_module(name)


def _quietly(function: Any, *given: Any) -> Any:
    """Call a function without the last argument, the path that a forked process may write to."""
    return function(*given[:-1])


def _result(outcome: Any) -> Any:
    if outcome.result is None:
        raise RuntimeError(f"a process ended: {outcome.ended_by}\n{outcome.log[-2000:]}")
    return outcome.result


if __name__ == "__main__":
    run_program(main)
