"""Which tests run which lines, and pytest with a module whose source is another one.

Both run in forked copies of this process, which has loaded what takes long to import; limits hold for each copy alone.
"""

import ast
import contextlib
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from benchmarks.mutation.mutants import Mutant

# --- work in forked copies of this process, which has loaded what takes long to import; limits hold for each copy alone

MEMORY = 8 * 2**30  # bytes of addresses; a mutant that needs more ends with MemoryError


@dataclass(frozen=True)
class Task:
    """A function to call in a copy of this process, with the seconds after which the copy is ended.

    The function gets a path, which it may write to, and returns what JSON can hold.
    """

    function: Callable[[Path], Any]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """The index of a task, its result or None, why it has none ("" or a signal's name), and the
    texts that it wrote to its path and printed.
    """

    index: int
    result: Any
    ended_by: str
    note: str
    log: str


def _child(task: Task, folder: Path) -> None:
    os.setsid()
    with (folder / "log").open("w") as log, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sys.stdin = nothing
        sys.stdout = sys.stderr = log
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        result = task.function(folder / "note")
        (folder / "result").write_text(json.dumps(result), encoding="utf-8")


def _start(task: Task, folder: Path) -> int:
    """Start a copy of this process for a task; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        _child(task, folder)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(status)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _outcome(index: int, status: int, folder: Path) -> Outcome:
    text = _text(folder / "result")
    if os.WIFSIGNALED(status):
        ended_by = signal.Signals(os.WTERMSIG(status)).name
    else:
        ended_by = "" if text else f"status {os.WEXITSTATUS(status)}"
    result = json.loads(text) if text and not ended_by else None
    return Outcome(index, result, ended_by, _text(folder / "note"), _text(folder / "log"))


def run_forked(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of each task as it ends, at most `jobs` of them at a time.

    A copy that takes longer than its task's seconds is ended by SIGKILL, with all that it started.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[int, tuple[int, Path, float]] = {}
    with tempfile.TemporaryDirectory(prefix="mutation-") as root:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    index, task = waiting.pop()
                    folder = Path(root) / str(index)
                    folder.mkdir()
                    ends = time.monotonic() + task.seconds
                    running[_start(task, folder)] = (index, folder, ends)
                for process, (index, folder, ends) in list(running.items()):
                    done, status = os.waitpid(process, os.WNOHANG)
                    if done:
                        del running[process]
                        _end_group(process)
                        yield _outcome(index, status, folder)
                    elif time.monotonic() > ends:
                        _end_group(process)
                time.sleep(0.01)
        finally:
            for process in running:
                _end_group(process)
                os.waitpid(process, 0)


def _end_group(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


# --- which tests run which lines, and pytest with a module whose source is another one; both in forked processes

# messages are not read, and a failing example is not made smaller
OPTIONS = ("-n0", "-q", "--tb=no", "--no-header", "--assert=plain", "-p", "no:cacheprovider")
FACTOR = 5.0  # of its recorded time: the CPU seconds of a test, besides `grace`
MOST_SECONDS = 3600.0  # to record one file of tests
COLLECTION = 60.0  # CPU seconds for the collection of tests


class Loader(SourceFileLoader):
    """Load a module from a text in place of its file."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text
        self.used = False

    def get_code(self, fullname: str) -> Any:
        """Return the compiled text."""
        self.used = True
        return compile(self.text, self.path, "exec", dont_inherit=True)


class Finder(MetaPathFinder):
    """Find one module of a given name."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's spec, or None for all other modules."""
        if name != self.loader.name:
            return None
        file = Path(self.loader.path)
        inside = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, file, loader=self.loader, submodule_search_locations=inside)


class _Plugin:
    """What both kinds of runs have in common: the results of tests, and no search for smaller examples."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Let Hypothesis stop at the first failing example."""
        phases = [phase for phase in settings().phases if phase is not Phase.shrink]
        settings.register_profile("mutation", settings(), phases=phases, report_multiple_bugs=False, print_blob=False)
        settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that failed."""
        if report.failed:
            self.failed.append(report.nodeid)


class _Judge(_Plugin):
    """Run chosen tests in a given order, each within its time limit; the current one is written to a file."""

    def __init__(self, tests: Sequence[tuple[str, float]], finder: Finder, note: Path) -> None:
        super().__init__()
        self.order = {test: i for i, (test, _) in enumerate(tests)}
        self.limits = dict(tests)
        self.finder, self.note = finder, note

    def pytest_sessionstart(self) -> None:
        """Put the finder before pytest's own, and limit the time of the collection."""
        sys.meta_path.remove(self.finder)
        sys.meta_path.insert(0, self.finder)
        self.note.write_text("collection")
        signal.setitimer(signal.ITIMER_PROF, COLLECTION)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen tests, in their order."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid]
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Limit the time of a test: the process ends by SIGPROF."""
        self.note.write_text(item.nodeid)
        signal.setitimer(signal.ITIMER_PROF, self.limits[item.nodeid])
        return (yield)


def judge(root: Path, module: tuple[str, Path, str], tests: Sequence[tuple[str, float]], note: Path) -> dict[str, Any]:
    """Run tests with a module whose source is another text, in this process.

    Parameters
    ----------
    root : Path
        Of the checkout.
    module : name, file and text
    tests : sequence of (id, CPU seconds)
        In the order in which they run; the process ends when a test takes longer.
    note : Path
        The id of the current test is written there.

    Returns
    -------
    dict
        "failed": ids, "loaded": whether the text was executed, "status": pytest's.
    """
    os.chdir(root)
    name, path, text = module
    loader = Loader(name, str(path), text)
    finder = Finder(loader)
    sys.meta_path.insert(0, finder)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    plugin = _Judge(tests, finder, note)
    files = dict.fromkeys(test.partition("::")[0] for test, _ in tests)
    status = pytest.main([*OPTIONS, "-x", *files], plugins=[plugin])
    return {"failed": plugin.failed, "loaded": loader.used, "status": int(status)}


class _Recorder(_Plugin):
    """Note seconds and started Python processes of each test."""

    def __init__(self, tracer: Any) -> None:
        super().__init__()
        self.tracer = tracer
        self.tests: dict[str, dict[str, Any]] = {}
        self.current: dict[str, Any] = {}
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            words = [args[1]] if isinstance(args[1], str | bytes) else list(args[1])
            if any("python" in Path(os.fsdecode(word)).name for word in [args[0] or "", words[0]]):
                self.current["starts_python"] = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the lines that a test runs under its id."""
        self.current = {"seconds": 0.0, "starts_python": False}
        self.tests[item.nodeid] = self.current
        self.tracer.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.tracer.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the seconds of a phase."""
        super().pytest_runtest_logreport(report)
        self.tests[report.nodeid]["seconds"] += report.duration


def record(root: Path, package: str, unit: str, _note: Path) -> dict[str, Any]:
    """Run the tests of one file, and return which lines of the package each runs.

    Returns
    -------
    dict
        "tests": id -> seconds, starts_python; "failed": ids; "lines": file -> line -> ids.
    """
    os.chdir(root)
    import coverage  # the rest of this module works without it

    tracer = coverage.Coverage(data_file=None, source=[str(root / package)], config_file=False, messages=False)
    plugin = _Recorder(tracer)
    tracer.start()
    status = pytest.main([*OPTIONS, unit], plugins=[plugin])
    tracer.stop()
    data = tracer.get_data()
    files = {file: os.path.relpath(file, root) for file in sorted(data.measured_files())}
    return {
        "status": int(status),
        "tests": plugin.tests,
        "failed": plugin.failed,
        "lines": {
            name: {
                str(line): sorted(set(contexts) - {""})
                for line, contexts in data.contexts_by_lineno(file).items()
                if set(contexts) - {""}
            }
            for file, name in files.items()
        },
    }


@dataclass(frozen=True)
class Test:
    """A test, and its seconds while lines were recorded."""

    name: str
    seconds: float

    __test__ = False  # for pytest

    @property
    def file(self) -> str:
        """Return the file of the test."""
        return self.name.partition("::")[0]


def units(root: Path, paths: Sequence[str] = ()) -> list[str]:
    """Return the files of tests below `paths`, by default those that `pytest` runs without arguments.

    Raises
    ------
    ValueError
        One of `paths` has no tests: all mutants would survive.
    """
    found: list[str] = []
    for one in paths or ("",):
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-n0", *filter(None, [one])]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        found += re.findall(r"^(\S+\.py): \d+$", done.stdout, re.MULTILINE)
        if done.returncode:
            raise ValueError(f"tests are {one!r}, but pytest collects none: {done.stdout[-300:]}")
    return found


class Records:
    """Which tests run which lines of a package: the answers of `record` for each file of tests."""

    def __init__(self, root: Path, records: Iterable[dict[str, Any]]) -> None:
        self.root = root
        self.tests: dict[str, Test] = {}
        self.failing: list[str] = []
        self.starting_python: list[str] = []
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for found in records:
            self.failing += found["failed"]
            for name, test in found["tests"].items():
                if test["starts_python"]:
                    self.starting_python.append(name)
                elif name not in found["failed"]:
                    self.tests[name] = Test(name, test["seconds"])
            for file, lines in found["lines"].items():
                for line, names in lines.items():
                    self.lines[file][int(line)] |= set(names)

    def relevant(self, mutant: Mutant, path: Path) -> list[Test]:
        """Return the tests that run a mutant: those of its package first, then the files that take least.

        A line that runs on import counts for all tests that run a function of its package. The tests of a file stay together and
        in their order, because they may share a fixture.
        """
        places = {path: list(range(mutant.first, mutant.last + 1))}
        if not mutant.in_function:
            places = {one: function_lines(one) for one in path.parent.rglob("*.py")}
        names: set[str] = set()
        for one, lines in places.items():
            recorded = self.lines.get(one.relative_to(self.root).as_posix(), {})
            names = names.union(*(recorded[line] for line in lines if line in recorded))
        tests = [test for name, test in self.tests.items() if name in names]
        own, file = mutant.module.split(".")[1:2], path.relative_to(self.root).as_posix()
        cost: dict[str, float] = defaultdict(float)
        for test in tests:
            cost[test.file] += test.seconds

        def key(test: Test) -> tuple[bool, float, str]:
            is_far = test.file != file and not set(own) & set(Path(test.file).parts[:-1])
            return is_far, cost[test.file], test.file

        return sorted(tests, key=key)


def function_lines(path: Path) -> list[int]:
    """Return the lines inside the functions of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = [node for node in nodes if isinstance(node, kinds)]
    return [line for one in functions for line in range(one.body[0].lineno, (one.end_lineno or 0) + 1)]


def read_records(root: Path, package: str, chosen: Sequence[str], jobs: int, tell: Callable[[str], None]) -> Records:
    """Return the records of files of tests.

    Raises
    ------
    RuntimeError
        A file of tests ends the process that runs it.
    """
    found: dict[str, Any] = dict.fromkeys(chosen)
    tasks = [Task(partial(record, root, package, unit), MOST_SECONDS) for unit in chosen]
    for n, outcome in enumerate(run_forked(tasks, jobs), 1):
        unit, said = chosen[outcome.index], f"{outcome.ended_by}\n{outcome.log[-2000:]}"
        if outcome.result is None or outcome.result["status"] not in (0, 1, 5):  # 5: no tests
            raise RuntimeError(f"the tests of {unit} cannot be recorded: {said}")
        found[unit] = outcome.result
        tell(f"recorded {n} of {len(chosen)}: {unit}")
    return Records(root, found.values())
