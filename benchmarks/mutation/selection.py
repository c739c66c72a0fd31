"""Which tests run a line: recorded once for each file of tests, and kept as long as that file and the code that it runs are the same."""

import ast
import gzip
import json
import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.mutation.drawing import Mutant, modules_of
from benchmarks.mutation.forking import Outcome, Task, run_forked
from benchmarks.mutation.testing import digest, record

MOST_SECONDS = 3600.0  # to record one file of tests
VERSION = "1"  # of the records


@dataclass(frozen=True)
class Test:
    """A test, its seconds while lines were recorded, and whether it shares a fixture with others of its file."""

    name: str
    seconds: float
    shares: bool

    __test__ = False  # for pytest

    @property
    def file(self) -> str:
        """Return the file of the test."""
        return self.name.partition("::")[0]


def cache_folder() -> Path:
    """Return where records are kept, outside of the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kan_ref_mutation"


def units(root: Path, package: str, paths: Sequence[str] = ()) -> list[str]:
    """Return the files of tests below `paths`, by default those that `pytest` runs without arguments.

    Modules with examples in their docstrings are among them if pytest runs doctests.

    Raises
    ------
    ValueError
        One of `paths` has no tests: all mutants would survive.
    """
    file = root / "pyproject.toml"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    options = tomllib.loads(text).get("tool", {}).get("pytest", {}).get("ini_options", {})
    skipped = [] if paths else [root / name for name in options.get("norecursedirs", [])]
    doctests = "--doctest-modules" in options.get("addopts", "")
    found: list[str] = []
    for start in paths or options.get("testpaths", ["tests"]):
        path, n_before = root / start, len(found)
        for one in sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.is_file():
            name = one.relative_to(root)
            if any(folder in one.parents for folder in skipped):
                continue
            if name.parts[0] == package:
                if doctests and ">>> " in one.read_text(encoding="utf-8"):
                    found.append(name.as_posix())
            elif one.name.startswith("test_"):
                found.append(name.as_posix())
        if start in paths and len(found) == n_before:
            raise ValueError(f"tests are {start!r}, but must be a file or a folder with tests")
    return found


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return plain | {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


def sources_of(root: Path, unit: str) -> list[Path]:
    """Return a file of tests, the helpers that it imports, and the conftest.py of its folders."""
    helpers = {path.stem: path for path in (root / "tests" / "helpers").glob("*.py")}
    found, waiting = set(), [root / unit]
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting += {helpers[name] for name in _imported(path) & helpers.keys()} - found
    above = [folder / "conftest.py" for folder in (root / unit).parents if root in folder.parents]
    return sorted(found | {path for path in above if path.exists()})


def _key(root: Path, unit: str) -> str:
    texts = [path.read_bytes() for path in sources_of(root, unit)]
    profile = os.environ.get("HYPOTHESIS_PROFILE", "")
    return digest("\n".join([VERSION, unit, profile, *map(digest, texts)]).encode())


def _is_valid(found: dict[str, Any], root: Path) -> bool:
    return all(
        (root / name).is_file() and digest((root / name).read_bytes()) == seen
        for name, seen in found["sources"].items()
    )


def _kept(root: Path, unit: str, cache: Path) -> dict[str, Any] | None:
    for path in sorted(cache.glob(f"{_key(root, unit)}-*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
        if _is_valid(found, root):
            return found
    return None


def _keep(found: dict[str, Any], root: Path, unit: str, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{_key(root, unit)}-{digest(json.dumps(found['sources']).encode())}.json.gz"
    partial_file = cache / f"{name}.{os.getpid()}"
    with gzip.open(partial_file, "wt", encoding="utf-8") as file:
        json.dump(found, file)
    partial_file.replace(cache / name)


class Records:
    """Which tests run which lines of a package.

    Parameters
    ----------
    root : Path
        Of the checkout.
    package : str
        Its name.
    records : dict
        File of tests -> what `record` returned.
    """

    def __init__(self, root: Path, package: str, records: dict[str, dict[str, Any]]) -> None:
        self.root, self.package = root, package
        self.tests: dict[str, Test] = {}
        self.failing: list[str] = []
        self.starting_python: list[str] = []
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for found in records.values():
            self.failing += found["failed"]
            for name, test in found["tests"].items():
                if test["starts_python"]:
                    self.starting_python.append(name)
                elif name not in found["failed"]:
                    self.tests[name] = Test(name, test["seconds"], test["shares"])
            for file, lines in found["lines"].items():
                for line, names in lines.items():
                    self.lines[file][int(line)] |= set(names)
        for lines_of_file in self.lines.values():
            for names in lines_of_file.values():
                names.intersection_update(self.tests)

    def _running(self, file: str, lines: Iterable[int] | None) -> set[str]:
        recorded = self.lines.get(file, {})
        chosen = recorded if lines is None else [line for line in lines if line in recorded]
        return set().union(*(recorded[line] for line in chosen))

    def relevant(self, mutant: Mutant, path: Path) -> list[Test]:
        """Return the tests that run a mutant, those of its package first, the quickest first.

        A line that runs on import counts for all tests that run a function of its module, or of
        its package where the module has none; one in a class also for those that run a line of
        the package with the name of the class, since Python generates functions such as a
        dataclass's __repr__. Tests that share a fixture stay together.
        """
        file = path.relative_to(self.root).as_posix()
        names = self._running(file, range(mutant.first, mutant.last + 1))
        if not mutant.in_function:
            names |= self._running(file, function_lines(path))
            for name in classes_around(path, mutant.line):
                for other in modules_of(self.root, self.package).values():
                    lines = lines_with(other, name)
                    names |= self._running(other.relative_to(self.root).as_posix(), lines)
            if not names:
                inside = modules_of(self.root, mutant.module.rpartition(".")[0])
                for sibling in inside.values():
                    name = sibling.relative_to(self.root).as_posix()
                    names |= self._running(name, function_lines(sibling))
        return self._ordered([self.tests[name] for name in names], mutant.module, file)

    def _ordered(self, tests: list[Test], module: str, file: str) -> list[Test]:
        own = module.split(".")[1:2]

        def is_far(test: Test) -> bool:
            return test.file != file and not set(own) & set(Path(test.file).parts[:-1])

        cost: dict[str, float] = defaultdict(float)
        for test in tests:
            if test.shares:
                cost[test.file] += test.seconds

        def key(test: Test) -> tuple[bool, bool, float, str, float, str]:
            group = (cost[test.file], test.file) if test.shares else (0.0, "")
            return (is_far(test), test.shares, *group, test.seconds, test.name)

        return sorted(tests, key=key)


def function_lines(path: Path) -> set[int]:
    """Return the lines inside the functions of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, kinds):
            body = node.body if isinstance(node.body, list) else [node.body]
            found |= set(range(body[0].lineno, (node.end_lineno or 0) + 1))
    return found


def _record_task(root: Path, package: str, unit: str, _note: Path) -> dict[str, Any]:
    return record(root, package, unit)


def read_records(
    root: Path,
    package: str,
    chosen: Sequence[str],
    cache: Path,
    jobs: int,
    tell: Callable[[str], None],
) -> Records:
    """Return the records of files of tests, and record those that are missing or outdated.

    Raises
    ------
    RuntimeError
        A file of tests ends the process that runs it.
    """
    found = {unit: _kept(root, unit, cache) for unit in chosen}
    missing = [unit for unit, one in found.items() if one is None]
    tasks = [Task(partial(_record_task, root, package, unit), MOST_SECONDS) for unit in missing]
    for n, outcome in enumerate(run_forked(tasks, jobs), 1):
        unit = missing[outcome.index]
        _check(outcome, unit)
        found[unit] = outcome.result
        _keep(outcome.result, root, unit, cache)
        tell(f"recorded {n} of {len(missing)}: {unit}")
    return Records(root, package, {unit: one for unit, one in found.items() if one is not None})


def _check(outcome: Outcome, unit: str) -> None:
    if outcome.result is None:
        raise RuntimeError(
            f"the tests of {unit} cannot be recorded: {outcome.ended_by}\n{outcome.log[-2000:]}"
        )


def classes_around(path: Path, line: int) -> list[str]:
    """Return the names of the classes whose bodies contain a line of a module."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    return [one.name for one in classes if one.lineno <= line <= (one.end_lineno or 0)]


def lines_with(path: Path, name: str) -> list[int]:
    """Return the lines inside functions of a module that contain a name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [n for n in sorted(function_lines(path)) if re.search(rf"\b{name}\b", lines[n - 1])]
