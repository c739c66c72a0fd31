"""Every test runs in continuous integration, and its lanes are those of CONTRIBUTING.md."""

import re
import subprocess
import sys
import tomllib

from checkout import ROOT

RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folders_named(text):
    """The folders of tests that commands such as `.venv/bin/pytest tests/site` name."""
    return {
        folder
        for command in re.findall(r"\.venv/bin/pytest ([\w /.]+)", text)
        for folder in command.split()
        if folder.startswith("tests/") and "." not in folder
    }


def test_every_folder_of_tests_is_run_by_default_or_by_a_lane():
    left_out = {
        folder
        for folder in PYPROJECT["tool"]["pytest"]["ini_options"]["norecursedirs"]
        if folder.startswith("tests/")
    }

    assert left_out - {"tests/helpers"} == folders_named(RUN)
    assert all((ROOT / folder).is_dir() for folder in left_out)


def test_long_tests_are_left_out_by_default_and_run_by_a_lane():
    assert PYPROJECT["tool"]["pytest"]["ini_options"]["addopts"].endswith("-m 'not long'")
    assert re.search(r"^    run '\.venv/bin/pytest -m long'$", RUN, flags=re.MULTILINE)


def test_every_lane_and_its_command_are_in_the_table_of_commands():
    lanes = " ".join(re.findall(r"^(?:lanes|named)=\((.+)\)", RUN, flags=re.MULTILINE))
    defined = re.findall(r"^lane_(\w+)\(\)", RUN, flags=re.MULTILINE)
    table = CONTRIBUTING.partition("## Commands")[2].partition("\n## ")[0]

    assert sorted(lanes.split()) == sorted(defined)
    assert [lane for lane in lanes.split() if f"lane `{lane}`" not in table] == []
    assert folders_named(table) == folders_named(RUN)


def test_the_lowest_versions_are_those_of_pyproject():
    program = [sys.executable, ROOT / ".ci" / "lowest.py"]

    shown = subprocess.run(program, check=True, capture_output=True, text=True).stdout

    project = PYPROJECT["project"]
    allowed = project["dependencies"] + project["optional-dependencies"]["test"]
    assert [line.replace("==", ">=") for line in shown.splitlines()] == allowed
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", one) for one in allowed)


def test_an_unknown_lane_ends_with_status_2_and_the_names():
    done = subprocess.run(
        [ROOT / ".ci" / "run", "--lane", "nothing"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "lanes: main test lint release long" in done.stderr
    assert done.stderr.endswith("only when named: explore\n")
