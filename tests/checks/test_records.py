"""Attributes that do not exist: a message with the remedy, and nothing changes for those that do."""

import ast
import copy
import inspect
import pickle
import re

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from refusals import CURVED, NET, PERCEPTRON, X, Y, data

import kan_ref as kr
from kan_ref.checks import network_remedy, what
from kan_ref.checks.other_names import ATTRIBUTES, CALLS
from kan_ref.discovery.elimination import Elimination
from kan_ref.discovery.pipeline import Discovery
from kan_ref.training import run_starts


def holding(kind):
    """A record of a search that holds a network and nothing else."""
    record = object.__new__(kind)
    vars(record)["network"] = NET
    return record


RECORDS = {
    "Network": NET,
    "Layer": NET.layers[0],
    "MLP": PERCEPTRON,
    "LAN": CURVED,
    "Data": kr.Data(X, Y, X, Y),
    "Run": kr.fit(NET, data(), n_steps=0),
    "SmoothRun": kr.SmoothRun(NET, ()),
    "Elimination": holding(Elimination),
    "Discovery": holding(Discovery),
    "Starts": run_starts(
        (2, 1), data(), n_starts=1, n_intervals=3, degree=3, n_steps=0, rng=np.random.default_rng(0)
    ),
}
ROWS = [(kind, name, remedy) for kinds, name, remedy in ATTRIBUTES for kind in kinds.split()]


def code_of(remedy):
    """The code of a remedy, without the words that follow it."""
    return remedy.partition(": ")[0].partition(", or ")[0]


def check_calls(code):
    """Raise AttributeError or TypeError for a public name or an argument that does not exist."""
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        path = ast.unparse(call.func)
        if path.startswith("kr."):
            thing = kr
            for name in path.split(".")[1:]:
                thing = getattr(thing, name)
            by_name = {keyword.arg: keyword.value for keyword in call.keywords}
            assert inspect.signature(thing).bind(*call.args, **by_name).arguments


def attributes_in(code):
    """Paths such as run.network.theta, without the calls of public functions."""
    return [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and not ast.unparse(node).startswith("kr.")
    ]


@for_all(("kind", "name", "remedy"), ROWS)
def test_an_attribute_of_the_table_raises_its_remedy_and_is_no_attribute(kind, name, remedy):
    record = RECORDS[kind]

    with pytest.raises(AttributeError) as caught:
        getattr(record, name)
    assert str(caught.value).endswith(f" {kind} has no attribute {name}: write {remedy}")
    assert (caught.value.name, caught.value.obj) == (name, record)
    assert not hasattr(record, name)
    assert not hasattr(type(record), name)
    assert name not in dir(record)


@for_all(("kind", "name", "remedy"), ROWS)
def test_a_remedy_can_be_written(kind, name, remedy):
    check_calls(code_of(remedy))
    own = RECORDS[kind]
    things = {"net": own, "layer": own, "data": own, "run": own, "found": own}

    assert all(
        eval(ast.unparse(path), things) is not None for path in attributes_in(code_of(remedy))
    )


@for_all("name", CALLS)
def test_a_public_name_of_another_library_leads_to_a_call_that_can_be_made(name):
    check_calls(code_of(CALLS[name]))

    with pytest.raises(AttributeError) as caught:
        getattr(kr, name)
    assert str(caught.value) == f"module 'kan_ref' has no attribute {name!r}: write {CALLS[name]}"
    assert name not in kr.__all__


@for_all("record", RECORDS.values(), ids=RECORDS)
def test_records_can_be_copied_and_pickled_and_find_attributes_without_a_detour(record):
    for twin in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert type(twin) is type(record)
        assert vars(twin).keys() == vars(record).keys()
    assert type(record).__getattribute__ is object.__getattribute__
    assert not hasattr(type(record), "__getattr__")


@for_all("record", RECORDS.values(), ids=RECORDS)
def test_attributes_that_are_missing_are_not_shown(record):
    shown = dir(record)

    assert {"__class__", *vars(record)} <= set(shown)
    assert not {name for kind, name, _ in ROWS if kind == type(record).__name__} & set(shown)


def test_a_discovery_without_a_network_leads_to_its_verdict():
    record = holding(Discovery)
    vars(record)["network"] = None

    assert network_remedy(record) == (
        ": the network of this Discovery is None, and its verdict says why"
    )
    assert network_remedy(Discovery) == network_remedy(3) == ""


@pytest.mark.parametrize("kind", ["Run", "SmoothRun", "Starts"])
def test_a_record_that_holds_a_network_says_where(kind):
    for call in (lambda v: kr.save(v, "never.npz"), lambda v: kr.forward(v, X)):
        with pytest.raises(TypeError, match=f"must be a Network: a {kind} has it as .network$"):
            call(RECORDS[kind])
    with pytest.raises(TypeError, match=f"or a LAN: a {kind} has it as .network$"):
        kr.fit(RECORDS[kind], data())


def test_a_message_names_a_record_by_its_kind_and_anything_else_by_its_text():
    assert what(RECORDS["Run"]) == "a Run"
    assert what(kr.init_mlp((1, 2, 1), activation="tanh", rng=np.random.default_rng(0))) == "an MLP"
    assert what("a.npz") == "'a.npz'"
    with pytest.raises(TypeError, match=r"^network is a Run, but must be a Network: a Run has it"):
        kr.prune(RECORDS["Run"], X)


def test_every_method_of_pykan_in_the_table_of_the_documentation_has_its_row():
    page = (ROOT / "docs" / "from_pykan.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    theirs = {name for row in rows for name in re.findall(r"\bmodel\.(\w+)", row)}

    assert {"fit", "plot", "lock"} <= theirs
    assert theirs - {"speed"} <= {name for kind, name, _ in ROWS if kind == "Network"}


def test_a_class_of_ones_own_explains_and_may_define_the_names_that_are_missing():
    class Mine(kr.Network):
        def fit(self):
            return "mine"

    mine = Mine(NET.layers)

    assert mine.fit() == "mine"
    with pytest.raises(AttributeError, match=r"^a Mine has no attribute plot: write kr\.draw_"):
        mine.plot  # noqa: B018
