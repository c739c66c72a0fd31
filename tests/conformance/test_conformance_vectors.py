"""The conformance vectors: reproduced byte for byte, valid by their schemas, confirmed by independent oracles; their page agrees."""

import ast
import json
import math
import re
import struct
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from oracles import exact_basis
from oracles_layer import (
    layer_backward,
    layer_edges,
    layer_values,
    mean_magnitude,
    network_values,
    paper,
    pykan,
)

from kan_ref.conformance import calls, cases
from kan_ref.conformance.cases import load_topics
from kan_ref.conformance.generate import __main__ as program
from kan_ref.conformance.generate import encode, others, scores, splines
from kan_ref.conformance.generate.encode import array, case, dice
from kan_ref.conformance.generate.exact import context, precise, to_float

HOME = Path(cases.HOME)
FILES = sorted((HOME / "vectors").glob("*.json"))
SCHEMA = json.loads((HOME / "schemas" / "vectors.schema.json").read_text(encoding="utf-8"))
DOCUMENTS = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
CASES = {case.id: case for topic in cases.load_topics() for case in topic.cases}


def of(method, **wanted):
    return [
        pytest.param(c, id=c.id)
        for c in CASES.values()
        if c.method == method and not c.call and all(getattr(c, k) == v for k, v in wanted.items())
    ]


def arrays(value):
    if isinstance(value, dict):
        if "hex" in value:
            yield value
        else:
            for item in value.values():
                yield from arrays(item)
    elif isinstance(value, list):
        for item in value:
            yield from arrays(item)


# --- the files


SLOW = {"input_jacobian"}  # the topic of second derivatives runs its lines


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            make, id=make.__name__, marks=[pytest.mark.long] if make.__name__ in SLOW else []
        )
        for make in program.TOPICS
    ],
)
def test_a_file_is_made_anew_byte_for_byte(make):
    document = make()
    path = HOME / "vectors" / f"{document['topic']}.json"

    assert encode.text(document) == path.read_text(encoding="utf-8")


def test_checking_tells_a_changed_a_missing_and_a_superfluous_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(program, "TOPICS", (splines.knots, others.counts))
    monkeypatch.setattr(program, "HOME", tmp_path / "vectors")

    assert program.main([]) == 0
    assert program.main(["--check"]) == 0
    (tmp_path / "vectors" / "count_parameters.json").write_text("{}", encoding="utf-8")
    (tmp_path / "vectors" / "knots.json").unlink()
    (tmp_path / "vectors" / "old.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()

    assert program.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "differs: vectors/count_parameters.json" in said
    assert "differs: vectors/knots.json" in said
    assert "no longer generated: vectors/old.json" in said
    assert not (tmp_path / "vectors" / "knots.json").exists()


def test_the_generator_imports_the_standard_library_and_mpmath_alone():
    """Its program also imports `kan_ref.program`, which computes nothing: how programs end."""
    for path in (HOME / "generate").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for name in names:
                outside = name.partition(".")[0] in sys.stdlib_module_names or name == "mpmath"
                outside |= (path.name, name) == ("__main__.py", "kan_ref.program")
                assert outside or name.startswith("kan_ref.conformance.generate"), (path.name, name)


def test_all_vectors_together_stay_below_five_megabytes():
    assert sum(path.stat().st_size for path in FILES) < 5e6


def test_a_file_is_valid_by_the_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for document in DOCUMENTS:
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


FIRST = DOCUMENTS[0]["cases"][0]
SPOILED = {
    "schema": {"schema": 1},
    "family": {"basis_family": "wavelet"},
    "no cases": {"cases": []},
    "since": {"cases": [{**FIRST, "since": 0}]},
    "class": {"cases": [{**FIRST, "class": "optional"}]},
    "inputs": {"cases": [{**FIRST, "inputs": {}}]},
    "bits": {"cases": [{**FIRST, "inputs": {"x": {**FIRST["inputs"]["x"], "hex": "3ff"}}}]},
    "unknown field": {"cases": [{**FIRST, "betrays": []}]},
    "no tolerance": {"cases": [{k: v for k, v in FIRST.items() if k != "tolerance"}]},
}


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED)
def test_a_spoiled_file_is_not_valid(change):
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({**DOCUMENTS[0], **change})


def test_large_inputs_are_the_numbers_of_the_recurrence_that_the_file_states():
    found = cases.decode(array(encode.drawn(65535, (3, 2), -2.0, 2.0)))
    states = [65535, (75 * 65535 + 74) % 65537]

    assert found.shape == (3, 2)
    assert found.ravel()[:2].tolist() == [-2 + (2 * s + 1) / 2**15 for s in states]
    assert found.tolist() == encode.drawn(65535, (3, 2), -2.0, 2.0)
    assert (found.astype(np.float32) == found).all()
    with pytest.raises(ValueError, match="high - low must be a power of two"):
        encode.drawn(1, (2,), -1.0, 2.0)


def test_the_recurrence_does_not_repeat_before_it_has_given_all_numbers():
    assert len(set(encode.drawn(0, (65536,), -1.0, 1.0))) == 65536


@for_all("document", DOCUMENTS, ids=[d["topic"] for d in DOCUMENTS])
def test_decimals_and_bits_are_the_same_numbers_and_fill_the_shape(document):
    for written in arrays(document["cases"]):
        numbers = struct.unpack(f">{len(written['decimal'])}d", bytes.fromhex(written["hex"]))
        assert list(numbers) == written["decimal"]
        assert len(numbers) == math.prod(written["shape"])
        assert all(map(math.isfinite, numbers))


def test_a_header_counts_its_cases_and_explains_every_flag():
    for document in DOCUMENTS:
        used = {flag for entry in document["cases"] for flag in entry["flags"]}
        shown = {f for f, row in encode.FLAGS.items() if document["topic"] in row.get("shows", ())}
        assert document["n_cases"] == len(document["cases"])
        assert not used & shown
        assert used | shown == set(document["notes"])
        assert all(
            note["defect"] == encode.FLAGS[flag]["defect"]
            for flag, note in document["notes"].items()
        )


def test_every_note_is_used_by_some_case():
    assert {flag for document in DOCUMENTS for flag in document["notes"]} == set(encode.FLAGS)


def test_what_a_topic_needs_is_a_topic_of_a_lower_level():
    level = {document["topic"]: document["level"] for document in DOCUMENTS}

    assert all(
        level[need] < document["level"] for document in DOCUMENTS for need in document["needs"]
    )


def test_every_topic_has_cases_for_float32_or_is_judged_by_fits():
    without = {
        document["topic"]
        for document in DOCUMENTS
        if not any(entry["float32"] for entry in document["cases"])
    }

    assert without == {
        "grid_extension",
        "grid_update",
        "fit_affine",
        "initial_layer",
        "save_load",
        "side_effects",
    }


def test_case_ids_are_unique_and_plain():
    assert len(CASES) == sum(document["n_cases"] for document in DOCUMENTS)
    assert all(re.fullmatch(r"[a-z_0-9]+/[A-Za-z0-9-]+", name) for name in CASES)


def test_every_flag_is_explained_and_the_page_has_a_place_for_all():
    page = (HOME.parents[1] / "docs" / "conformance.md").read_text(encoding="utf-8")

    assert page.rstrip().endswith("<!-- flags -->")
    assert all(len(row["text"]) > 40 for row in encode.FLAGS.values())


def test_pages_say_how_many_cases_of_the_paper_there_are():
    n_paper = sum(len(t.cases) for t in cases.load_topics() if t.basis_family == cases.BSPLINE)
    for name in ("README.md", "CHANGELOG.md", "docs/conformance.md"):
        said = re.findall(
            r"(\d+)(?: cases| vectors from)",
            (HOME.parents[1] / name).read_text(encoding="utf-8"),
        )
        assert said
        assert {int(number) for number in said} == {n_paper}, name


# --- the numbers, by other oracles


@for_all("case", of("basis") + of("basis_derivative"))
def test_bases_and_derivatives_are_the_fractions_of_another_oracle(case):
    given = case.inputs
    right = [
        exact_basis(x, given["knots"].tolist(), given["degree"], given.get("order", 0))
        for x in given["x"].tolist()
    ]
    (found,) = case.expected.values()

    assert found.tolist() == [[float(number) for number in row] for row in right]


def record(layer):
    return SimpleNamespace(**layer, n_out=layer["coef"].shape[0], n_in=layer["coef"].shape[1])


@for_all("case", of("layer_forward"))
def test_layer_values_are_those_of_another_oracle(case):
    y = layer_values(record(case.inputs["layer"]), case.inputs["x"])

    assert np.abs(y - case.expected["y"]).max(initial=0.0) <= case.tolerance["y"]


@for_all("case", of("layer_vjp"))
def test_layer_gradients_are_those_of_another_oracle(case):
    found = layer_backward(record(case.inputs["layer"]), case.inputs["x"], case.inputs["dy"])

    for name, array_ in zip(("dx", "d_coef", "d_w_base", "d_w_spline"), found, strict=True):
        assert np.abs(array_ - case.expected[name]).max(initial=0.0) <= case.tolerance[name]


def network_of(case):
    return SimpleNamespace(layers=[record(layer) for layer in case.inputs["layers"]])


@for_all("case", of("network_forward"))
def test_network_values_are_those_of_another_oracle(case):
    y = network_values(network_of(case), case.inputs["x"])

    assert np.abs(y - case.expected["y"]).max(initial=0.0) <= case.tolerance["y"]


@for_all("case", of("input_jacobian"))
def test_jacobians_and_curvatures_agree_with_central_differences_of_another_oracle(case):
    network, x, h = network_of(case), case.inputs["x"], 1e-4
    curved = CASES[case.id.replace("input_jacobian", "input_hessian_diag")]
    if len(x) == 0:
        assert case.expected["jacobian"].shape == curved.expected["hessian_diag"].shape == (0, 1, 2)
        return
    middle = network_values(network, x)
    for i in range(x.shape[1]):
        step = h * np.eye(x.shape[1])[i]
        up, down = network_values(network, x + step), network_values(network, x - step)
        slope, curve = case.expected["jacobian"][:, :, i], curved.expected["hessian_diag"][:, :, i]
        assert np.abs((up - down) / (2 * h) - slope).max() < 1e-4 * (1 + np.abs(slope).max())
        assert np.abs((up - 2 * middle + down) / h**2 - curve).max() < 1e-2 * (
            1 + np.abs(curve).max()
        )


@for_all("case", of("penalties"))
def test_penalties_of_both_conventions_are_those_of_another_oracle(case):
    x, l1, entropy = case.inputs["x"], 0.0, 0.0
    convention = {"penalties": paper, "penalties_pykan": pykan, "zero_edges": paper}[case.topic]
    for layer in network_of(case).layers:
        if layer.mask.any():
            one, other = convention(layer, x)
            l1, entropy = l1 + one, entropy + other
        x = layer_values(layer, x)

    assert abs(l1 - case.expected["l1"]) <= case.tolerance["l1"]
    assert abs(entropy - case.expected["entropy"]) <= case.tolerance["entropy"]


def oracle_scores(layers, x):
    """Return the edge scores of every layer by loops."""
    found = []
    for layer in layers:
        outputs = layer_edges(layer, x)
        found.append(
            [[mean_magnitude(outputs, j, i) for i in range(layer.n_in)] for j in range(layer.n_out)]
        )
        x = layer_values(layer, x)
    return found


@pytest.mark.parametrize("case", of("node_scores"))
def test_node_scores_are_the_largest_edge_scores_of_another_oracle(case):
    scores = oracle_scores(network_of(case).layers, case.inputs["x"])

    assert len(case.expected) == 2 * (len(scores) - 1)
    for n, (before, after) in enumerate(pairwise(scores)):
        for side, found in (
            ("incoming", [max(line) for line in before]),
            ("outgoing", [max(column) for column in zip(*after, strict=True)]),
        ):
            assert (
                np.abs(np.array(found) - case.expected[f"{n}.{side}"]).max()
                <= case.tolerance[f"{n}.{side}"]
            )


@for_all("case", of("prune"))
def test_pruned_values_are_those_of_another_oracle_with_the_weak_nodes_edges_replaced_by_their_means(
    case,
):
    layers, x = network_of(case).layers, case.inputs["x"]
    scores = oracle_scores(layers, x)
    weak = [[min(max(line), max(column)) <= case.inputs["threshold"] for line, column in zip(before, zip(*after, strict=True), strict=True)]
            for before, after in pairwise(scores)]  # fmt: skip
    for layer, gone in zip(layers, [[False] * layers[0].n_in, *weak], strict=True):
        outputs = layer_edges(layer, x)
        outputs[:, :, gone] = outputs[:, :, gone].mean(axis=0)
        x = outputs.sum(axis=2)

    assert case.expected["kept"].tolist() == [float(len(nodes) - sum(nodes)) for nodes in weak]
    for output, values in (("values", x), ("centred", x - x.mean(axis=0))):
        if output in case.expected:
            assert np.abs(values - case.expected[output]).max() <= case.tolerance[output]


def test_a_case_about_a_call_expects_its_check_alone():
    called = [one for one in CASES.values() if one.call]

    assert {one.call for one in called} == set(calls.CHECKS)
    assert all(one.expected == {calls.CHECKS[one.call]: 1} for one in called)
    outside = {one.id for one in CASES.values() if one.call and one.topic != "side_effects"}
    assert outside == {"initial_layer/same-seed", "initial_layer/same-seed-0"}
    assert all(one.call for one in CASES.values() if one.topic == "side_effects")


def test_no_required_case_asks_whether_pruned_nodes_leave_their_mean_behind():
    kinds = [one.kind for one in CASES.values() if "PruneMean" in one.flags]

    assert kinds == ["acceptable"] * 3


def test_what_only_another_convention_asks_is_never_required():
    conventions = {topic.name for topic in cases.load_topics() if topic.is_convention}

    assert conventions == {"penalties_pykan"}


def demands(case):
    """Yield (degree, order, knots, points) of the derivatives that a case evaluates at its own inputs."""
    order = {"layer_vjp": 1, "network_vjp": 1, "input_jacobian": 1, "input_hessian_diag": 2}.get(
        case.method, case.inputs.get("order")
    )
    if case.method == "basis_derivative":
        yield case.inputs["degree"], order, case.inputs["knots"], case.inputs["x"]
    elif order is not None and case.method != "family_basis":
        layer = case.inputs["layer"] if "layer" in case.inputs else case.inputs["layers"][0]
        for row, column in zip(layer["knots"], case.inputs["x"].T, strict=True):
            yield layer["degree"], order, row, column


def test_no_required_case_asks_for_a_derivative_at_a_knot_that_the_contract_leaves_open():
    asked = 0
    for one in CASES.values():
        for degree, order, row, points in demands(one) if one.kind == "required" else ():
            for x in points:
                multiplicity = int((row == x).sum())
                asked += multiplicity > 0
                assert multiplicity == 0 or order < degree + 1 - multiplicity, (one.id, x)
    assert asked > 20


NETWORKS = (
    *("network_forward", "network_vjp", "input_jacobian", "input_hessian_diag"),
    *("node_scores", "prune"),
)


def required(method):
    return [c for c in CASES.values() if (c.method, c.kind, c.call) == (method, "required", "")]


@for_all("method", NETWORKS)
def test_networks_are_evaluated_inside_the_first_grid_and_beyond_its_knots_on_both_sides(method):
    below = above = inside = False
    for one in required(method):
        layer, x = one.inputs["layers"][0], one.inputs["x"]
        knots, k = layer["knots"], layer["degree"]
        below |= bool((x < knots[:, 0]).any())
        above |= bool((x > knots[:, -1]).any())
        inside |= bool(((knots[:, k] < x) & (x < knots[:, -k - 1])).any())

    assert below
    assert above
    assert inside


def test_required_cases_have_every_degree_of_the_contract_in_layers_and_low_ones_in_networks():
    for method in ("layer_forward", "layer_vjp"):
        assert {one.inputs["layer"]["degree"] for one in required(method)} == set(range(8))
    for method in NETWORKS[:4]:
        degrees = {layer["degree"] for one in required(method) for layer in one.inputs["layers"]}
        assert {0, 1, 2, 3} <= degrees


def test_tolerances_of_derivatives_are_not_those_of_tiny_numbers():
    for one in required("input_jacobian") + required("input_hessian_diag"):
        if one.inputs["x"].size:
            assert all(bound > 1e-15 for bound in one.tolerance.values())


# --- the tools of the generator


def test_a_pruning_case_that_hangs_on_rounding_is_refused():
    network = scores.mixed_nodes(4)
    x = scores.make.points("prune-four", 6, 2)
    edge = scores.edge_scores_of(network[0], x)

    with pytest.raises(ValueError, match="too near the threshold"):
        scores.kept_nodes(network, x, float(max(edge[1])) * 1.1)


def test_sixty_digits_are_rounded_to_the_nearest_float64():
    third = precise(1) / 3

    assert to_float(third) == 1 / 3
    assert to_float(-third) == -1 / 3
    assert to_float(precise(1) + precise(2) ** -53 + precise(2) ** -150) == math.nextafter(1.0, 2.0)
    assert to_float(precise(1) + precise(2) ** -53) == 1.0
    assert to_float(precise(0)) == 0.0


def test_the_global_precision_of_mpmath_is_left_alone():
    import mpmath

    context()

    assert mpmath.mp.dps == 15


def test_drawn_numbers_depend_on_their_seed_alone_and_keep_within_their_ends():
    drawn = dice("seed", 500, low=-1.0, high=1.0)

    assert drawn == dice("seed", 500, low=-1.0, high=1.0)
    assert drawn != dice("other", 500, low=-1.0, high=1.0)
    assert -1.0 < min(drawn) < -0.9
    assert 0.9 < max(drawn) < 1.0


def test_a_case_with_an_unknown_flag_is_refused():
    with pytest.raises(ValueError, match=r"case a has flags \['Unheard'\], which flags\.toml"):
        case("a", "basis", "Unheard", {}, {"basis": ([1.0], 1e-13)})


def test_two_cases_of_one_id_are_refused():
    one = case("a", "basis", "CoxDeBoor", {}, {"basis": ([1.0], 1e-13)})

    with pytest.raises(ValueError, match=r"topic t has two cases with the same id: \['a'\]"):
        encode.document("t", [one, one], 1, "", "")


# --- the page of the contract

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


NETWORKS = ("network_forward", "network_vjp", "input_jacobian", "input_hessian_diag")
SCORES = ("penalties", "edge_scores", "node_scores")
IN_FLOAT32 = [
    *((m, "layer", ("coef", "w_base", "w_spline")) for m in ("layer_forward", "layer_vjp")),
    *((m, "layers", ("coef", "w_base", "w_spline")) for m in (*NETWORKS, *SCORES)),
    ("prune", "layers", ("coef",)),
    *((m, "x", ()) for m in (*NETWORKS, *SCORES, "prune")),
    *((m, "dy", ()) for m in ("layer_vjp", "network_vjp")),
    *((m, "theta", ()) for m in ("adam_steps", "gradient_steps")),
    *(("gradient_steps", name, ()) for name in ("gradients", "learning_rate")),
]


@for_all(("method", "argument", "parts"), IN_FLOAT32)
def test_the_page_lists_arguments_that_are_float32_numbers_in_every_required_case(
    method, argument, parts
):
    for one in CASES.values():
        if one.method == method and one.kind == "required" and not one.call:
            given = one.inputs[argument]
            layers = given if isinstance(given, list) else [given]
            values = [layer[part] for layer in layers for part in parts] if parts else [given]
            for value in values:
                assert np.array_equal(np.float32(value), value, equal_nan=True), one.id
