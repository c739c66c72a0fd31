"""Lanes and releases: every test runs in continuous integration, lanes are those of CONTRIBUTING.md, version and addresses agree everywhere.

A table of cases in one test is run to its end.
"""

import re
import subprocess
import sys
import tomllib

import pytest
from cases import for_all
from checkout import ROOT

import kan_ref as kr

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


# --- tables of cases in one test


def test_all_cases_run_in_all_combinations_and_the_error_names_those_that_failed():
    seen = []

    @for_all("sign", [-1, 1])
    @for_all(("n", "square"), [(2, 4), pytest.param(3, 8, id="three"), (4, 16), (5, 24)])
    def check(n, square, sign):
        seen.append((sign, n))
        assert (sign * n) ** 2 == square

    with pytest.raises(AssertionError) as failure:
        check()

    assert seen == [(sign, n) for sign in (-1, 1) for n in (2, 3, 4, 5)]
    assert failure.value.__notes__ == [
        "2 of 4 cases failed, this is the first: three, 5-24",
        "2 of 2 cases failed, this is the first: -1, 1",
    ]


@pytest.mark.parametrize(
    ("names", "cases", "message"),
    [
        ("n", [], "n: there are no cases"),
        ("n", [pytest.param(1, marks=pytest.mark.long)], "a case with marks needs pytest"),
        ("n, m", [(1,)], "shorter"),
        ("k", [1], "are not arguments of"),
    ],
)
def test_a_table_that_is_no_table_of_cases_is_refused(names, cases, message):
    with pytest.raises((ValueError, AssertionError), match=message):
        for_all(names, cases)(lambda n, m=0: None)()


sys.path.append(str(ROOT / ".ci"))
import check_release  # noqa: E402

CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_citation_has_the_version_and_the_licence_of_the_package():
    assert re.search(r"^version: (.+)$", CITATION, flags=re.MULTILINE)[1] == kr.__version__
    assert (
        re.search(r"^license: (.+)$", CITATION, flags=re.MULTILINE)[1]
        == PYPROJECT["project"]["license"]
    )


def test_the_address_of_the_repository_is_the_same_everywhere():
    address = PYPROJECT["project"]["urls"]["Source"]
    owner_and_name = address.removeprefix("https://github.com/")
    readme = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]

    assert f'repository-code: "{address}"' in CITATION
    assert all(url.startswith(address) for url in PYPROJECT["project"]["urls"].values())
    assert all(f"/{owner_and_name}/" in one["replacement"] for one in readme["substitutions"])


def test_the_description_on_a_package_index_has_no_relative_link():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    n_relative = len(check_release.relative_links(text))
    readme = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for one in readme["substitutions"]:
        text = re.sub(one["pattern"], one["replacement"], text)

    assert n_relative > 20
    assert check_release.relative_links(text) == []


@pytest.mark.parametrize(
    "page", re.findall(r"/blob/main/([\w./]+)", str(PYPROJECT["project"]["urls"]))
)
def test_addresses_in_the_metadata_lead_to_files_of_the_checkout(page):
    assert (ROOT / page).is_file()


def test_the_workflow_calls_the_commands_of_the_checkout():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    commands = re.findall(r"^ +- run: (.+)$", workflow, flags=re.MULTILINE)
    lanes = re.search(
        r"^lanes=\((.+)\)", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert commands[0] == ".ci/run"
    assert {one.removeprefix(".ci/run --lane ") for one in commands[1:]} <= set(lanes[1].split())


def test_supported_versions_of_python_are_classified_and_the_lowest_is_required():
    project = PYPROJECT["project"]
    minor = [
        int(found[1])
        for one in project["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", one))
    ]

    assert project["requires-python"] == f">=3.{min(minor)}"
    assert minor == list(range(min(minor), max(minor) + 1))
