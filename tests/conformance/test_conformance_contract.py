"""The page of the contract agrees with the vectors, and the plugin of pytest gives a test every case."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT

from kan_ref.conformance.cases import load_topics

CONTRACT = (ROOT / "docs" / "conformance_contract.md").read_text(encoding="utf-8")
WORKED = re.compile(
    r"Worked case `([\w/-]+)`:((?:(?!Worked case).)*?)`([\w.]+)(?:\[([\d, ]+)\])?` = (-?\d+(?:\.\d+)?)",
    flags=re.DOTALL,
)


@for_all(
    ("name", "output", "index", "number"),
    [(case, output, index, number) for case, _, output, index, number in WORKED.findall(CONTRACT)],
)
def test_a_worked_case_of_the_page_has_the_number_of_its_vector(name, output, index, number):
    case = next(
        case for topic in load_topics() for case in topic.cases if case.id == name
    )  # a case that does not exist is an error
    places = tuple(int(place) for place in index.split(", ")) if index else ()

    assert float(np.asarray(case.expected[output])[places]) == pytest.approx(
        float(number), abs=2e-10
    )


def test_the_page_works_a_case_of_every_topic_and_names_every_output():
    worked = {name.partition("/")[0] for name, *_ in WORKED.findall(CONTRACT)}
    outputs = {
        output
        for topic in load_topics()
        for case in topic.cases
        for output in case.expected
        if not output[0].isdigit() and case.method != "save_load"
    }

    assert {topic.name for topic in load_topics()} - worked == set()
    assert {output for output in outputs if f"`{output}`" not in CONTRACT} == set()


# --- the plugin

TEST = "def test_conformance(conformance_case):\n    conformance_case.check()\n"
ADAPTER = """
class Mine:
    def count_parameters(self, widths, n_intervals, degree):
        n = sum(a * b for a, b in zip(widths, widths[1:])) * (n_intervals + degree + 2)
        return n + (len(widths) == 4)
"""


def run_pytest(folder, settings, *arguments, adapter=ADAPTER):
    (folder / "test_mine.py").write_text(TEST, encoding="utf-8")
    (folder / "mine.py").write_text(adapter, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = .\n{settings}", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "kan_ref.conformance.plugin", *arguments]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-q", str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_fixture_runs_every_case_of_the_configured_adapter_and_marks_listed_ones(tmp_path):
    settings = "conformance_adapter = mine:Mine\nconformance_xfail = count_parameters/4-*\n"

    status, said = run_pytest(tmp_path, settings)

    assert status == 0, said
    assert "4 passed, 1 xfailed" in said


def test_the_fixture_runs_the_cases_of_the_configured_family(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    gaussians = """
import numpy as np
class Mine:
    def family_basis(self, family, x, order):
        z = (x[:, None] - family["centres"]) / family["width"]
        scale = (1.0, -2.0 * z / family["width"], (4.0 * z**2 - 2.0) / family["width"] ** 2)
        return scale[order] * np.exp(-(z**2))
"""
    settings = "conformance_adapter = mine:Mine\nconformance_family = "

    status, said = run_pytest(tmp_path, f"{settings}gaussian\n", adapter=gaussians)
    wrong, message = run_pytest(folder, f"{settings}gauss\n", adapter=gaussians)

    assert status == 0, said
    assert "11 passed" in said
    assert wrong != 0
    assert "family is 'gauss', but must be one of bspline, chebyshev, fourier" in message


def test_a_test_with_the_fixture_needs_an_adapter_that_can_be_imported(tmp_path):
    for settings, sentence in (
        ("", "conformance_adapter is '', but conformance_case needs module:Class"),
        ("conformance_adapter = mine:Other\n", "which cannot be imported"),
    ):
        status, said = run_pytest(tmp_path, settings)
        assert status != 0
        assert sentence in said


def test_the_plugin_is_an_entry_point_and_loads_neither_numpy_nor_the_kit():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    code = (
        "import sys, kan_ref.conformance.plugin\n"
        "print([n for n in ('numpy', 'pytest', 'kan_ref.conformance.suite') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert 'kan_ref_conformance = "kan_ref.conformance.plugin"' in text
    assert done.stdout == "[]\n"
