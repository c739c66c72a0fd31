"""What a release says about itself agrees: version, address, files of the community."""

import re
import sys
import tomllib

import pytest
from checkout import ROOT

import kan_ref as kr

sys.path.append(str(ROOT / ".ci"))
import check_release

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
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
