"""The table for those who come from pykan: every call of ours in it exists and takes these arguments."""

import ast
import inspect
import re

import pytest
from cases import for_all
from checkout import ROOT

import kan_ref as kr

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
