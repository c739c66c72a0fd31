"""pytest in a forked process: with a module whose source is another one, or with a record of the lines that each test runs."""

import hashlib
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

import coverage
import pytest
from hypothesis import Phase, settings

# messages are not read, and a failing example is not made smaller
OPTIONS = ("-n0", "-q", "--tb=no", "--no-header", "--assert=plain", "-p", "no:cacheprovider")
FACTOR = 5.0  # of its recorded time: the CPU seconds of a test, besides `grace`
COLLECTION = 60.0  # CPU seconds for the collection of tests


def digest(data: bytes) -> str:
    """Return a short name of the data."""
    return hashlib.sha256(data).hexdigest()[:16]


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
        return importlib.util.spec_from_file_location(
            name, file, loader=self.loader, submodule_search_locations=inside
        )


class _Plugin:
    """What both kinds of runs have in common: the results of tests, and no search for smaller examples."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.running = "collection"

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Let Hypothesis stop at the first failing example."""
        phases = [phase for phase in settings().phases if phase is not Phase.shrink]
        settings.register_profile(
            "mutation", settings(), phases=phases, report_multiple_bugs=False, print_blob=False
        )
        settings.load_profile("mutation")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be imported."""
        if report.failed:
            self.failed.append(f"import of {report.nodeid}")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note which test runs."""
        self.running = nodeid

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Note the test that a KeyboardInterrupt ends, which pytest does not count as failed."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)  # the report that follows is not the test's
        self.failed.append(self.running)

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
            (item for item in items if item.nodeid in self.order),
            key=lambda item: self.order[item.nodeid],
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Limit the time of a test: the process ends by SIGPROF."""
        self.note.write_text(item.nodeid)
        signal.setitimer(signal.ITIMER_PROF, self.limits[item.nodeid])
        return (yield)


def judge(
    root: Path,
    module: tuple[str, Path, str],
    tests: Sequence[tuple[str, float]],
    note: Path,
    *,
    to_the_end: bool = False,
) -> dict[str, Any]:
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
    to_the_end : bool
        Go on after a failure.

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
    stop = [] if to_the_end else ["-x"]
    status = pytest.main([*OPTIONS, *stop, *files], plugins=[plugin])
    return {"failed": plugin.failed, "loaded": loader.used, "status": int(status)}


class _Recorder(_Plugin):
    """Note seconds, shared fixtures and started Python processes of each test."""

    def __init__(self, tracer: coverage.Coverage) -> None:
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
        fixtures = getattr(item, "_fixtureinfo", None)
        scopes = {
            fixture.scope
            for many in (fixtures.name2fixturedefs.values() if fixtures else ())
            for fixture in many
        }
        self.current = {
            "seconds": 0.0,
            "shares": bool(scopes & {"module", "class"}),
            "starts_python": False,
        }
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


def record(root: Path, package: str, unit: str) -> dict[str, Any]:
    """Run the tests of one file, and return which lines of the package each runs.

    Returns
    -------
    dict
        "tests": id -> seconds, shares, starts_python; "failed": ids; "lines": file -> line -> ids;
        "sources": file -> digest, of all files of the package that were loaded.
    """
    os.chdir(root)
    tracer = coverage.Coverage(
        data_file=None, source=[str(root / package)], config_file=False, messages=False
    )
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
        "sources": {name: digest(Path(file).read_bytes()) for file, name in files.items()},
    }
