"""The conformance vectors: reproduced byte for byte, valid by their schema, confirmed by other oracles; what cases may ask; their page.

Implementations by loops and by SciPy also pass all vectors (`test_conformance_mutants`).
"""

import ast
import json
import math
import re
import struct
import sys
from itertools import pairwise
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from oracles import exact_basis
from oracles_layer import layer_edges, layer_values, mean_magnitude, pykan

from kan_ref.conformance import calls, cases
from kan_ref.conformance.generate import __main__ as program
from kan_ref.conformance.generate import encode, others, recipes, scores, splines
from kan_ref.conformance.generate.exact import precise, to_float

TOPICS = cases.load_topics()
CASES = {case.id: case for topic in TOPICS for case in topic.cases}
SCHEMA = json.loads((cases.HOME / "schemas" / "vectors.schema.json").read_text(encoding="utf-8"))
FILES = sorted((cases.HOME / "vectors").glob("*.json"))
DOCUMENTS = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
CONTRACT = (ROOT / "docs" / "conformance_contract.md").read_text(encoding="utf-8")


def of(*methods, kind=None):
    """Return the cases of methods that are called once, of one class or all."""
    return [c for c in CASES.values() if c.method in methods and not c.call and kind in (None, c.kind)]


# --- the files


@pytest.mark.parametrize(
    "make",  # the topic of second derivatives runs the lines of that of first ones
    [
        pytest.param(make, id=make.__name__, marks=[pytest.mark.long] * (make.__name__ == "input_jacobian"))
        for make in program.TOPICS
    ],
)
def test_a_file_is_made_anew_byte_for_byte(make):
    document = make()

    assert encode.text(document) == (cases.HOME / "vectors" / f"{document['topic']}.json").read_text(encoding="utf-8")


def test_checking_tells_a_changed_a_missing_and_a_superfluous_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(program, "TOPICS", (splines.knots, others.counts))
    monkeypatch.setattr(program, "HOME", tmp_path / "vectors")

    assert [program.main([]), program.main(["--check"])] == [0, 0]
    (tmp_path / "vectors" / "count_parameters.json").write_text("{}", encoding="utf-8")
    (tmp_path / "vectors" / "knots.json").rename(tmp_path / "vectors" / "old.json")
    assert program.main(["--check"]) == 1
    said = capsys.readouterr().out
    for words in ("differs: vectors/count_parameters", "differs: vectors/knots", "no longer generated: vectors/old"):
        assert f"{words}.json" in said
    assert not (tmp_path / "vectors" / "knots.json").exists()


def test_the_generator_imports_the_standard_library_and_mpmath_alone():
    """Its program also imports `kan_ref.program`, which computes nothing: how programs end."""
    for path in (cases.HOME / "generate").glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        allowed = {"mpmath", "kan_ref.program"} if path.name == "__main__.py" else {"mpmath"}
        for one in names:
            is_own = one.startswith("kan_ref.conformance.generate")
            assert is_own or one.partition(".")[0] in sys.stdlib_module_names or one in allowed, (path.name, one)


FIRST = DOCUMENTS[0]["cases"][0]


def test_files_are_valid_by_the_schema_and_stay_below_five_megabytes():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for document in DOCUMENTS:
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert sum(path.stat().st_size for path in FILES) < 5e6


@for_all(
    "change",
    [
        {"schema": 1},
        {"basis_family": "wavelet"},
        {"cases": []},
        {"cases": [{**FIRST, "class": "optional"}]},
        {"cases": [{**FIRST, "inputs": {"x": {**FIRST["inputs"]["x"], "hex": "3ff"}}}]},
        {"cases": [{k: v for k, v in FIRST.items() if k != "tolerance"}]},
    ],
)
def test_a_spoiled_file_is_not_valid(change):
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({**DOCUMENTS[0], **change})


def arrays(value):
    """Yield the encoded arrays of a document."""
    if isinstance(value, dict) and "hex" in value:
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from arrays(item)


def test_decimals_and_bits_are_the_same_numbers_and_fill_the_shape():
    for written in arrays(DOCUMENTS):
        numbers = struct.unpack(f">{len(written['decimal'])}d", bytes.fromhex(written["hex"]))
        assert list(numbers) == written["decimal"]
        assert len(numbers) == math.prod(written["shape"])
        assert all(map(math.isfinite, numbers))


def test_large_inputs_are_the_numbers_of_the_recurrence_that_the_file_states():
    found = cases.decode(encode.array(encode.drawn(65535, (3, 2), -2.0, 2.0)))
    states = [65535, (75 * 65535 + 74) % 65537]

    assert found.ravel()[:2].tolist() == [-2 + (2 * s + 1) / 2**15 for s in states]
    assert found.tolist() == encode.drawn(65535, (3, 2), -2.0, 2.0)
    assert len(set(encode.drawn(0, (65536,), -1.0, 1.0))) == 65536
    with pytest.raises(ValueError, match="high - low must be a power of two"):
        encode.drawn(1, (2,), -1.0, 2.0)


def test_a_header_counts_its_cases_explains_its_flags_and_needs_topics_of_a_lower_level():
    level = {document["topic"]: document["level"] for document in DOCUMENTS}
    for document in DOCUMENTS:
        used = {flag for entry in document["cases"] for flag in entry["flags"]}
        shown = {flag for flag, row in encode.FLAGS.items() if document["topic"] in row.get("shows", ())}
        assert document["n_cases"] == len(document["cases"])
        assert used | shown == set(document["notes"])
        assert all(note["defect"] == encode.FLAGS[flag]["defect"] for flag, note in document["notes"].items())
        assert all(level[need] < document["level"] for need in document["needs"])
    assert {flag for document in DOCUMENTS for flag in document["notes"]} == set(encode.FLAGS)
    assert len(CASES) == sum(document["n_cases"] for document in DOCUMENTS)
    assert all(re.fullmatch(r"[a-z_0-9]+/[A-Za-z0-9-]+", one) for one in CASES)


@for_all("page", ["README.md", "CHANGELOG.md", "docs/conformance.md"])
def test_pages_say_how_many_cases_of_the_paper_there_are(page):
    n_paper = sum(len(one.cases) for one in TOPICS if one.basis_family == cases.BSPLINE)
    said = re.findall(r"(\d+)(?: cases| vectors from)", (ROOT / page).read_text(encoding="utf-8"))

    assert set(said) == {str(n_paper)}


# --- the numbers, by other oracles


@for_all("case", of("basis", "basis_derivative"))
def test_bases_and_derivatives_are_the_fractions_of_another_oracle_bit_for_bit(case):
    knots, degree, order = (case.inputs["knots"].tolist(), case.inputs["degree"], case.inputs.get("order", 0))
    (found,) = case.expected.values()
    right = [exact_basis(x, knots, degree, order) for x in case.inputs["x"].tolist()]

    assert found.tolist() == [[float(number) for number in row] for row in right]


def records(case):
    return [
        SimpleNamespace(**layer, n_out=len(layer["coef"]), n_in=len(layer["knots"])) for layer in case.inputs["layers"]
    ]


@for_all("case", [case for case in of("penalties") if case.topic == "penalties_pykan"])
def test_penalties_of_the_other_convention_are_those_of_another_oracle(case):
    x, found = case.inputs["x"], np.zeros(2)
    for layer in records(case):
        found += pykan(layer, x) if layer.mask.any() else 0.0
        x = layer_values(layer, x)

    assert abs(found[0] - case.expected["l1"]) <= case.tolerance["l1"]
    assert abs(found[1] - case.expected["entropy"]) <= case.tolerance["entropy"]


@for_all("case", of("prune"))
def test_pruned_values_are_those_of_another_oracle_with_the_weak_nodes_edges_replaced_by_their_means(case):
    layers, x = records(case), case.inputs["x"]
    found, at = [], x
    for layer in layers:
        outputs = layer_edges(layer, at)
        found.append(np.array([[mean_magnitude(outputs, j, i) for i in range(layer.n_in)] for j in range(layer.n_out)]))
        at = layer_values(layer, at)
    weak = [np.minimum(a.max(axis=1), b.max(axis=0)) <= case.inputs["threshold"] for a, b in pairwise(found)]
    for layer, gone in zip(layers, [np.zeros(layers[0].n_in, bool), *weak], strict=True):
        outputs = layer_edges(layer, x)
        outputs[:, :, gone] = outputs[:, :, gone].mean(axis=0)
        x = outputs.sum(axis=2)

    assert case.expected["kept"].tolist() == [float((~nodes).sum()) for nodes in weak]
    for output, values in (("values", x), ("centred", x - x.mean(axis=0))):
        if output in case.expected:
            assert np.abs(values - case.expected[output]).max() <= case.tolerance[output]


# --- what cases may ask


def test_cases_of_calls_and_conventions_stay_apart():
    called = {one.id: one for one in CASES.values() if one.call}

    assert {one.call for one in called.values()} == set(calls.CHECKS)
    assert all(one.expected == {calls.CHECKS[one.call]: 1} for one in called.values())
    assert all((one.topic == "side_effects") == bool(one.call) or "same-seed" in one.id for one in CASES.values())
    assert {one.name for one in TOPICS if one.is_convention} == {"penalties_pykan"}
    assert {one.kind for one in CASES.values() if "PruneMean" in one.flags} == {"acceptable"}


ORDERS = {"layer_vjp": 1, "network_vjp": 1, "input_jacobian": 1, "input_hessian_diag": 2}


@for_all("case", of("basis_derivative", *ORDERS, kind="required"))
def test_no_required_case_asks_for_a_derivative_at_a_knot_that_the_contract_leaves_open(case):
    given = case.inputs
    order = ORDERS.get(case.method, given.get("order"))
    layer = given["layers"][0] if "layers" in given else given.get("layer")
    rows = [(given["knots"], given["x"])] if layer is None else zip(layer["knots"], given["x"].T, strict=True)
    degree = given["degree"] if layer is None else layer["degree"]
    for row, points in rows:
        multiplicity = (row == points[:, None]).sum(axis=1)
        assert ((multiplicity == 0) | (order < degree + 1 - multiplicity)).all()


NETWORKS = ("network_forward", "network_vjp", "input_jacobian", "input_hessian_diag")


@for_all("method", [*NETWORKS, "node_scores", "prune"])
def test_networks_are_evaluated_inside_the_first_grid_and_beyond_its_knots_on_both_sides(method):
    below = above = inside = False
    for one in of(method, kind="required"):
        layer, x = one.inputs["layers"][0], one.inputs["x"]
        knots, k = layer["knots"], layer["degree"]
        below |= (x < knots[:, 0]).any()
        above |= (x > knots[:, -1]).any()
        inside |= ((knots[:, k] < x) & (x < knots[:, -k - 1])).any()

    assert [below, above, inside] == [True] * 3


def test_required_cases_have_every_degree_of_the_contract_in_layers_and_low_ones_in_networks():
    for method in ("layer_forward", "layer_vjp"):
        assert {one.inputs["layer"]["degree"] for one in of(method, kind="required")} == set(range(8))
    for method in NETWORKS:
        found = {layer["degree"] for one in of(method, kind="required") for layer in one.inputs["layers"]}
        assert found >= {0, 1, 2, 3}


SCORES = ("penalties", "edge_scores", "node_scores")
WEIGHTS = ("coef", "w_base", "w_spline")
IN_FLOAT32 = [
    *((method, "layer", WEIGHTS) for method in ("layer_forward", "layer_vjp")),
    *((method, "layers", WEIGHTS) for method in (*NETWORKS, *SCORES)),
    *((method, "x", ()) for method in (*NETWORKS, *SCORES, "prune")),
    *((method, "dy", ()) for method in ("layer_vjp", "network_vjp")),
    *((method, "theta", ()) for method in ("adam_steps", "gradient_steps")),
    *(("gradient_steps", name, ()) for name in ("gradients", "learning_rate")),
    ("prune", "layers", ("coef",)),
]


@for_all(("method", "argument", "parts"), IN_FLOAT32)
def test_the_page_lists_arguments_that_are_float32_numbers_in_every_required_case(method, argument, parts):
    for one in of(method, kind="required"):
        given = one.inputs[argument]
        layers = given if isinstance(given, list) else [given]
        for value in [layer[part] for layer in layers for part in parts] if parts else [given]:
            assert np.array_equal(np.float32(value), value, equal_nan=True), one.id


# --- the page of the contract

WORKED = re.findall(
    r"Worked case `([\w/-]+)`:((?:(?!Worked case).)*?)`([\w.]+)(?:\[([\d, ]+)\])?` = (-?\d+(?:\.\d+)?)",
    CONTRACT,
    flags=re.DOTALL,
)


@for_all(("name", "words", "output", "index", "number"), WORKED)
def test_a_worked_case_of_the_page_has_the_number_of_its_vector(name, words, output, index, number):
    place = tuple(int(one) for one in index.split(", ")) if index else ()

    assert float(np.asarray(CASES[name].expected[output])[place]) == pytest.approx(float(number), abs=2e-10)


def test_the_page_works_a_case_of_every_topic_and_names_every_output():
    outputs = {output for case in CASES.values() if case.method != "save_load" for output in case.expected}

    assert {topic.name for topic in TOPICS} == {name.partition("/")[0] for name, *_ in WORKED}
    assert [one for one in outputs if not one[0].isdigit() and f"`{one}`" not in CONTRACT] == []


# --- the tools of the generator


def test_a_pruning_case_that_hangs_on_rounding_is_refused():
    network, x = scores.mixed_nodes(4), recipes.points("prune-four", 6, 2)
    edge = scores.edge_scores_of(network[0], x)

    with pytest.raises(ValueError, match="too near the threshold"):
        scores.kept_nodes(network, x, float(max(edge[1])) * 1.1)


def test_sixty_digits_are_rounded_to_the_nearest_float64():
    half, third = precise(2) ** -53, precise(1) / 3

    assert [to_float(third), to_float(-third), to_float(precise(0))] == [1 / 3, -1 / 3, 0.0]
    assert to_float(precise(1) + half + precise(2) ** -150) == math.nextafter(1.0, 2.0)
    assert to_float(precise(1) + half) == 1.0


def test_drawn_numbers_depend_on_their_seed_alone_and_keep_within_their_ends():
    drawn = encode.dice("seed", 500, low=-1.0, high=1.0)

    assert drawn == encode.dice("seed", 500, low=-1.0, high=1.0)
    assert drawn != encode.dice("other", 500, low=-1.0, high=1.0)
    assert -1.0 < min(drawn) < -0.9
    assert 0.9 < max(drawn) < 1.0


def test_an_unknown_flag_and_two_cases_of_one_id_are_refused():
    one = encode.case("a", "basis", "CoxDeBoor", {}, {"basis": ([1.0], 1e-13)})

    with pytest.raises(ValueError, match=r"case a has flags \['Unheard'\], which flags\.toml"):
        encode.case("a", "basis", "Unheard", {}, {"basis": ([1.0], 1e-13)})
    with pytest.raises(ValueError, match=r"topic t has two cases with the same id: \['a'\]"):
        encode.document("t", [one, one], 1, "", "")
