"""Calls that do not fit, and attributes that do not exist: one message with the right names and the remedy, and nothing changes for those that fit."""

import ast
import copy
import inspect
import pickle
import re

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st
from refusals import CURVED, NET, SMALL_MLP, X, Y, data

import kan_ref as kr
from kan_ref.checks import explain_call, network_remedy, what
from kan_ref.checks.other_names import ARGUMENTS, ATTRIBUTES, CALLS, REQUIRED
from kan_ref.checks.unknown_names import call_message
from kan_ref.discovery.elimination import Elimination
from kan_ref.discovery.pipeline import Discovery
from kan_ref.training import run_starts

FUNCTIONS = [name for name in kr.__all__ if callable(getattr(kr, name))]
PARAMETERS = {name: tuple(inspect.signature(getattr(kr, name)).parameters) for name in FUNCTIONS}
DOCUMENTED = [(name, argument) for name in FUNCTIONS for argument in PARAMETERS[name]]
COLUMN = [[0.0], [1.0]]
WORDS = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)


def refusal(function, *args, **kwargs):
    with pytest.raises(TypeError) as caught:
        getattr(kr, function)(*args, **kwargs)
    return str(caught.value)


def suggestion(function, unknown):
    """What the message names for an unknown argument."""
    message = refusal(function, **{unknown: 1})
    start = f"{function} has no argument {unknown!r}: "

    assert message.startswith(start)
    return message.removeprefix(start)


@for_all(("function", "argument"), DOCUMENTED)
def test_an_argument_with_a_slip_of_the_keys_leads_to_an_argument_of_the_function(
    function, argument
):
    slip = argument + argument[-1]
    if slip in PARAMETERS[function]:
        slip += slip[-1]
    words = suggestion(function, slip)

    if len(argument) > 2:
        assert words == f"did you mean {argument!r}?"
    else:
        assert any(name in words for name in PARAMETERS[function])


@pytest.mark.parametrize("function", FUNCTIONS)
@given(WORDS)
def test_any_unknown_argument_leads_to_names_that_exist(function, unknown):
    if unknown in PARAMETERS[function]:
        return
    words = suggestion(function, unknown)
    row = [row for row in ARGUMENTS if row.words and row.words in words]

    assert (
        row
        or any(repr(name) in words for name in PARAMETERS[function])
        or (words == f"its arguments are {', '.join(PARAMETERS[function])}")
    )


@for_all("row", ARGUMENTS, ids=lambda row: f"{row.theirs}-{row.function}")
def test_a_row_names_an_argument_that_the_function_has_under_this_name_alone(row):
    if not row.ours:
        assert not row.function
        return

    assert row.ours in PARAMETERS[row.function]
    assert row.theirs not in PARAMETERS[row.function]
    assert re.search(rf"\b{row.ours}\b", row.words)
    assert suggestion(row.function, row.theirs) == row.words


def test_the_argument_of_another_function_comes_with_that_function():
    assert suggestion("init_network", "lamb") == (
        "the weight of the penalty is penalty_weight, an argument of fit"
    )


def test_all_unknown_arguments_are_named_at_once():
    assert refusal("init_network", width=[2, 1], grid=5, k=3) == (
        "init_network has no arguments 'width', 'grid', 'k': write widths=(2, 5, 1); the number "
        "of grid intervals is n_intervals; the degree of the splines is degree"
    )


def test_arguments_that_come_by_position_and_go_by_name_are_listed():
    assert refusal("extend_grid", 1, 2, 3) == (
        "extend_grid takes 2 arguments by position (network, x), but 3 came: "
        "give the others by name (n_intervals=, outer=)"
    )
    assert refusal("Data", 1, 2, 3, 4, 5, 6, 7) == (
        "Data takes 6 arguments by position (x_train, y_train, x_test, y_test, names, classes), "
        "but 7 came"
    )


def test_samples_in_the_place_of_data_lead_to_the_split():
    assert refusal("discover", 1, 2).endswith(
        "; samples x and y become data by kan_ref.Data.split(x, y, rng=rng)"
    )


def test_arguments_that_are_missing_come_with_what_they_are():
    assert refusal("Data", COLUMN, COLUMN) == (
        "Data lacks the arguments x_test, y_test: "
        "kan_ref.Data.split(x, y, rng=rng) makes the four arrays of x and y"
    )
    assert refusal("prune", 1) == "prune lacks the argument x: x are samples, such as data.x_train"
    assert refusal("init_network", (2, 1)) == (
        "init_network lacks the arguments n_intervals, degree, domain, rng: the number of grid "
        "intervals is n_intervals, such as 5; the degree of the splines is degree, such as 3; the "
        "bounds of the inputs are domain, such as (-1.0, 1.0), or samples of them; random numbers "
        "come from rng, such as rng=numpy.random.default_rng(0)"
    )
    # where the names say enough, Python's own message stays
    assert refusal("mask_edges", 1).startswith("mask_edges() missing 2 required")


@for_all("name", REQUIRED)
def test_an_argument_that_is_explained_is_required_by_some_function(name):
    parameters = [inspect.signature(getattr(kr, function)).parameters for function in FUNCTIONS]
    empty = inspect.Parameter.empty

    assert any(name in own and own[name].default is empty for own in parameters)


def test_every_argument_of_pykan_in_the_table_of_the_documentation_has_its_row():
    page = (ROOT / "docs" / "from_pykan.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    theirs = {name for row in rows for name in re.findall(r"\b(\w+)=", row)}
    ours = {name for names in PARAMETERS.values() for name in names}

    assert {"lamb", "steps", "grid_eps"} <= theirs
    assert theirs - ours <= {row.theirs for row in ARGUMENTS}


@for_all("function", FUNCTIONS)
def test_a_public_function_keeps_its_signature_its_documentation_and_its_place(function):
    thing = getattr(kr, function)

    assert inspect.signature(thing) == inspect.signature(inspect.unwrap(thing))
    assert not [p for p in inspect.signature(thing).parameters.values() if p.kind == p.VAR_KEYWORD]
    assert pickle.loads(pickle.dumps(thing)) is thing
    assert getattr(kr, function) is thing


def fitting(a, b=2, *, c, d=4):
    return a, b, c, d


def open_ended(a, *rest, **options):
    return a, rest, options


def nothing():
    return 0


@given(
    st.sampled_from([fitting, open_ended, nothing]),
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "seed"]), st.integers(), max_size=4),
)
def test_a_call_fails_where_the_function_would_and_else_gives_its_result(function, args, kwargs):
    try:
        wanted = function(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError):
            explain_call(function)(*args, **kwargs)
    else:
        assert explain_call(function)(*args, **kwargs) == wanted


@given(st.sampled_from([TypeError, ValueError, KeyError, KeyboardInterrupt]))
def test_an_error_inside_of_the_function_passes_unchanged(kind):
    error = kind("inner")

    def failing(a):
        raise error

    with pytest.raises(kind) as caught:
        explain_call(failing)(1)
    assert caught.value is error
    assert caught.value.__context__ is None


@given(
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.integers(), max_size=4),
)
def test_a_call_that_fits_the_signature_has_no_message(args, kwargs):
    signature = inspect.signature(fitting)
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return

    assert call_message("fitting", signature.parameters, len(args), kwargs) is None


def test_the_message_has_no_second_error_above_it():
    with pytest.raises(TypeError) as caught:
        kr.fit(lamb=1.0)

    assert caught.value.__context__ is None


# --- attributes


def holding(kind):
    """A record of a search that holds a network and nothing else."""
    record = object.__new__(kind)
    vars(record)["network"] = NET
    return record


RECORDS = {
    "Network": NET,
    "Layer": NET.layers[0],
    "MLP": SMALL_MLP,
    "LAN": CURVED,
    "Data": kr.Data(X, Y, X, Y),
    "Run": kr.fit(NET, data(), n_steps=0),
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


@pytest.mark.parametrize("kind", ["Run", "Starts"])
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
