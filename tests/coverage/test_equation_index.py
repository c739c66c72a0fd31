"""The index equation -> code -> tests -> page is true: every tag is in it, and the tests that it names run the lines of its equation."""

import os
import subprocess
import sys
from collections import defaultdict

import coverage
import pytest
import tree
from checkout import ROOT

TAGGED = tree.tagged_lines()
REGISTRY = tree.registry()

# the numbered equations of the paper that describe what is computed; the others state theorems, bounds and examples
IMPLEMENTED = {"2.5", "2.7", "2.9", "2.10", "2.11", "2.12", "2.16", "2.17", "2.18", "2.19", "2.20", "2.21"}


def lines_run(tests, folder, *more):
    """(file, line) of the package -> the tests, without their parameters, that run it: measured."""
    alien = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "COV_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(alien)}
    environment |= {"COVERAGE_FILE": str(folder / "coverage"), "HYPOTHESIS_PROFILE": "few"}
    plain = (
        "-q -x -p no:cacheprovider --cov=kan_ref --cov-context=test --cov-report= --cov-fail-under=0 --no-cov-on-fail"
    )
    options = [*plain.split(), "-m", ""]  # long ones too
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *more, *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:]
    data = coverage.CoverageData(str(folder / "coverage"))
    data.read()
    found = defaultdict(set)
    for path in data.measured_files():
        file = os.path.relpath(path, ROOT).replace(os.sep, "/")
        for line, contexts in data.contexts_by_lineno(path).items():
            found[file, line] |= {context.partition("|")[0].partition("[")[0] for context in contexts}
    return found


def idle_tests(registry, tagged, found):
    """(tag, test) where the test runs no line between the tags."""
    return [
        (tag, test)
        for tag, entry in registry.items()
        for test in entry["tests"]
        if not any(
            test in found.get((tagged[tag].file, line), ()) for line in range(tagged[tag].first, tagged[tag].last + 1)
        )
    ]


def test_every_tag_has_tests_and_nothing_else_has():
    assert set(REGISTRY) == set(TAGGED)
    assert [tag for tag, entry in REGISTRY.items() if not entry["tests"] or set(entry) - {"paper", "tests"}] == []


def test_every_equation_of_the_paper_that_is_carried_out_has_its_code():
    numbers = {number.strip() for entry in REGISTRY.values() for number in entry.get("paper", "").split(",")}

    assert {number for number in numbers if number[:1].isdigit()} == IMPLEMENTED


def test_every_test_that_the_index_names_runs_lines_of_its_equation(tmp_path):
    tests = sorted({test for entry in REGISTRY.values() for test in entry["tests"]})

    assert idle_tests(REGISTRY, TAGGED, lines_run(tests, tmp_path)) == []


# --- the readers can fail


def test_a_test_that_runs_no_line_of_its_equation_is_found(tmp_path):
    silu, knots = (
        "tests/functions/test_functions.py::test_silu_by_hand",
        "tests/bspline/test_knots.py::test_one_number_serves_all_inputs",
    )
    wrong = {"silu": {"tests": [silu, knots]}}

    assert idle_tests(wrong, TAGGED, lines_run([silu, knots], tmp_path, "-n1")) == [("silu", knots)]


def test_a_tag_is_read_with_its_file_lines_and_text_and_an_open_one_is_refused(tmp_path):
    (tmp_path / "kan_ref").mkdir()
    file = tmp_path / "kan_ref" / "a.py"
    file.write_text("x = 1\n    # [eq:sum]\n    y = 2\n    z = 3\n    # [/eq:sum]\n", encoding="utf-8")

    assert tree.tagged_lines(tmp_path) == {"sum": tree.Lines("kan_ref/a.py", 3, 4, "    y = 2\n    z = 3")}
    file.write_text("# [eq:sum]\ny = 2\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"kan_ref/a.py: \[eq:sum\] is not closed"):
        tree.tagged_lines(tmp_path)
