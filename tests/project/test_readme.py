"""README.md and docs/from_pykan.md stay true: their Python runs and prints what it says, commands are tested, links lead somewhere.

Every call in the table for those who come from pykan exists and takes these arguments.
"""

import ast
import inspect
import math
import os
import re
import stat
import subprocess
import sys
import tomllib

import pytest
import tree
from cases import for_all
from checkout import ROOT
from test_packages import MAY_IMPORT

import kan_ref as kr

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "NOTATION.md",
    "CHANGELOG.md",
    "docs/conformance.md",
    "docs/promises.md",
    "docs/usage.md",
    "docs/faq.md",
)

MAIN_LINE = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/python -m kan_ref"
TEST_LINE = 'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]" && .venv/bin/pytest'


def blocks(text, language):
    """The fenced blocks of one language in a Markdown text."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def agree(printed, promised, factor=3.0):
    """Whether two texts have the same words, and numbers that differ by less than `factor`; whole numbers are words."""
    pairs = list(zip(printed.split(), promised.split(), strict=False))
    return len(printed.split()) == len(promised.split()) and all(
        a == b
        or (_is_measured(a) and _is_measured(b) and 1 / factor < float(a) / float(b) < factor)
        for a, b in pairs
    )


def _is_measured(word):
    try:
        return math.isfinite(float(word)) and float(word) != 0 and not word.isdigit()
    except ValueError:
        return False


def test_the_python_blocks_run_in_one_fresh_process_without_warnings_and_print_what_is_said(
    tmp_path,
):
    code = "\n".join(blocks(README, "python"))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stderr == ""
    assert run.returncode == 0
    assert agree(run.stdout, "".join(blocks(README, "text output"))), run.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_two_commands_are_the_promised_ones():
    assert [line for block in blocks(README, "sh") for line in block.splitlines()] == [
        MAIN_LINE,
        TEST_LINE,
    ]


def test_continuous_integration_runs_the_commands_of_this_page():
    script = ROOT / ".ci" / "run"

    listed = subprocess.run([script, "--list"], check=True, capture_output=True, text=True).stdout

    assert listed.splitlines() == [MAIN_LINE, TEST_LINE]
    assert script.stat().st_mode & stat.S_IXUSR
    assert (
        re.findall(r'\brun "\$\w+_line"', script.read_text(encoding="utf-8"))
        == [
            'run "$main_line"',
            'run "$test_line"',
        ]
        * 2
    )  # in the checkout and in the source distribution


@for_all("page", PAGES)
def test_links_between_files_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]

    assert [
        target for target in targets if not (ROOT / page).parent.joinpath(target).exists()
    ] == []


@pytest.mark.parametrize(
    "text",
    [README.partition("## What it promises")[2].partition("\n## ")[0], PROMISES],
    ids=["README", "promises"],
)
def test_every_promise_names_a_test_that_exists(text):
    promises = [row.split("|")[1:3] for row in text.splitlines() if row.startswith("| ")][1:]

    assert len(promises) > 5
    for _, keeper in promises:
        files = re.findall(r"\]\((?:\.\./)?(tests/[\w/]+\.py)\)", keeper)
        assert files
        names = re.findall(r"`(test_\w+)`", keeper)
        assert all(
            any(f"def {name}(" in (ROOT / file).read_text(encoding="utf-8") for file in files)
            for name in names
        )


def test_the_numbers_of_the_promises_are_right():
    lines = sum(
        len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "kan_ref").rglob("*.py")
    )
    said = int(re.search(r"About ([\d,]+) lines", README)[1].replace(",", ""))

    assert said == pytest.approx(lines, rel=0.1)
    assert f"{len(tree.tagged_lines())} formulas are tagged" in README


def test_the_dependencies_are_those_that_the_promise_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (said,) = re.findall(r"the package (NumPy, .+?)\. \|", README)

    assert said.lower().split(", ") == [
        re.split(r"[><=]", dependency)[0] for dependency in project["dependencies"]
    ]


def test_this_page_names_every_package_with_what_it_may_import():
    (plan,) = [block for block in blocks(README, "text") if "bspline" in block]
    shown = {
        line.split("  ")[0].strip(): set(line.rpartition("  ")[2].split())
        for line in plan.splitlines()
    }
    packages = {name for name in MAY_IMPORT if (ROOT / "kan_ref" / name / "__init__.py").exists()}

    assert shown == {name: set(MAY_IMPORT[name]) or {"-"} for name in packages}


# --- the readers of this file can fail


def test_blocks_are_read_by_language():
    text = "```python\na\n```\n\n```text\nb\n```\n```python\nc\nd\n```\n"

    assert blocks(text, "python") == ["a\n", "c\nd\n"]
    assert blocks(text, "text") == ["b\n"]


@for_all(
    ("printed", "answer"),
    [
        ("rmse 1.7e-05 at 20", True),
        ("rmse 3.0e-05 at 20", True),
        ("rmse 9.0e-05 at 20", False),
        ("rmse -1.7e-05 at 20", False),
        ("rmse 1.7e-05 at 10", False),
        ("rms 1.7e-05 at 20", False),
        ("rmse nan at 20", False),
        ("rmse 1.7e-05 at", False),
        ("rmse 1.7e-05 at 20 50", False),
    ],
)
def test_outputs_agree_in_words_and_whole_numbers_and_nearly_in_measured_ones(printed, answer):
    assert agree(printed, "rmse 1.7e-05\nat 20") is answer


PAGE = (ROOT / "docs" / "from_pykan.md").read_text(encoding="utf-8")
TABLE = [row.strip("|").split("|") for row in PAGE.splitlines() if row.startswith("| ")][1:]
CODES = [code for row in TABLE for code in re.findall(r"`([^`]+)`", row[1])]
CALLS = [
    node
    for code in CODES
    if "kr." in code
    for node in ast.walk(ast.parse(code))
    if isinstance(node, ast.Call)
]
OURS = [call for call in CALLS if ast.unparse(call.func).startswith("kr.")]


def resolve(path):
    """What a dotted name such as kr.bspline.basis stands for."""
    thing = kr
    for name in path.split(".")[1:]:
        thing = getattr(thing, name)
    return thing


def refusal(call):
    """Why a call cannot be made, or None: the name or the arguments."""
    try:
        function = resolve(ast.unparse(call.func))
        inspect.signature(function).bind(
            *call.args, **{keyword.arg: keyword.value for keyword in call.keywords}
        )
    except (AttributeError, TypeError) as error:
        return str(error)
    return None


def test_the_table_is_read():
    assert len(TABLE) > 30
    assert len(OURS) > 30


@for_all("call", OURS, ids=ast.unparse)
def test_every_call_of_ours_exists_and_takes_these_arguments(call):
    assert refusal(call) is None


def test_names_of_ours_outside_of_calls_exist_too():
    names = {name for code in CODES for name in re.findall(r"\bkr(?:\.\w+)+", code)}

    assert [name for name in names if not callable(resolve(name))] == []


@pytest.mark.parametrize(
    "code", ["kr.prune_node(net, x)", "kr.prune(net, x, limit=0.1)", "kr.prune()"]
)
def test_a_call_that_cannot_be_made_is_refused(code):
    (call,) = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))

    assert refusal(call) is not None
