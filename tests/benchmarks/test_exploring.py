"""HYPOTHESIS_PROFILE=explore: fresh cases by one seed, printed with the command that repeats a failure."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from checkout import ROOT

TESTS = """
import pytest
from hypothesis import given, strategies as st

@given(st.integers(0, 10**9), st.floats(-1e9, 1e9))
def test_fails_somewhere(n, x):
    assert n % 97 != 13 and x < 5e8

@pytest.mark.parametrize("seed", range(2))
def test_fails_with_a_fresh_seed(seed):
    assert seed in (0, 1)

@pytest.mark.parametrize("seed", [0, 1])
def test_with_chosen_seeds(seed):
    assert False

def test_without_random_cases():
    assert False
"""

# Hypothesis mixes constants of loaded modules into its cases: those of this one must not change the cases of the other
OTHER = """
from hypothesis import given, strategies as st

CONSTANTS = [110, 207, 13_000_017, 5.1e8, 6.66e8, -4.5e8]

@given(st.integers(0, 10**9))
def test_passes(n):
    assert n >= 0
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with these tests and the conftest.py of the project."""
    (tmp_path / "test_tiny.py").write_text(TESTS)
    (tmp_path / "test_other.py").write_text(OTHER)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    helpers = ROOT / "tests" / "helpers"
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\npythonpath = ["{helpers}", "{ROOT}"]\n'
    )
    return tmp_path


def explore(folder, *options):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={
            **os.environ,
            "HYPOTHESIS_PROFILE": "explore",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def examples(output):
    return re.findall(r"n=.*|x=.*|seed = \d+", output)


def test_a_run_draws_a_seed_and_prints_commands_that_repeat_its_failures(folder):
    """Under xdist; alone, each test fails at the same example. Tests without random cases do not run."""
    output = explore(folder, "-n", "1")

    (seed,) = set(re.findall(r"--hypothesis-seed=(\d+)", output))
    head, _, summary = output.partition(f"= explored with --hypothesis-seed={seed} =")
    commands = [line for line in summary.splitlines() if line.startswith("HYPOTHESIS_PROFILE")]
    assert f"exploring: --hypothesis-seed={seed}" in head
    assert all(command in head for command in commands)
    assert "3 failed, 1 passed" in summary
    assert {shlex.split(command)[-1].partition("::")[2] for command in commands} == {
        "test_fails_somewhere",
        "test_fails_with_a_fresh_seed[0]",
        "test_fails_with_a_fresh_seed[1]",
    }
    profile, program, *words = shlex.split(commands[0])
    assert profile == "HYPOTHESIS_PROFILE=explore"
    assert program.endswith("pytest")
    again = explore(folder, *words)
    assert examples(again)
    assert set(examples(again)) <= set(examples(head))
