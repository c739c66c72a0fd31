"""The benchmark of formulas for classes: labels, the test of equivalence, its tables."""

import json

import numpy as np
import pytest

import kan_ref as kr
from benchmarks import class_formulas

RNG = np.random.default_rng


def test_labels_have_the_odds_of_the_decision_function():
    x, labels = class_formulas.samples("line, weak y", 20000, RNG(0))

    z = class_formulas.logits("line, weak y", x)
    np.testing.assert_allclose(z, 4.0 * x[:, 0] + x[:, 1], rtol=1e-12)
    for low in (-3.0, -1.0, 1.0):
        part = (z > low) & (z < low + 1.0)
        expected = np.mean(1.0 / (1.0 + np.exp(-z[part])))
        assert abs(np.mean(labels[part]) - expected) < 4.0 * 0.5 / part.sum() ** 0.5


@pytest.mark.parametrize(("name", "is_equivalent"), [("x^2", True), ("cos", False)])
def test_a_formula_is_equivalent_if_numbers_alone_are_wrong(name, is_equivalent):
    network = kr.init_network((1, 1), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    network = kr.fix_symbolic(
        network, 0, output=0, input=0, name=name, affine=(0.9, 0.1, -5.0, 2.0)
    )
    x = RNG(1).uniform(-1.0, 1.0, (200, 1))

    error = class_formulas.form_error(network, "interval", x)

    assert (error <= class_formulas.EQUIVALENT) == is_equivalent


def test_records_replace_those_of_the_same_run_and_every_failure_is_in_the_table(tmp_path):
    path = tmp_path / "records.jsonl"
    one = {
        "name": "circle",
        "seed": 0,
        "accuracy": 0.86,
        "accuracy_of_z": 0.87,
        "same_side": 0.98,
        "equivalent": True,
        "form_error": 1e-16,
        "seconds": 3.0,
        "kind": "within noise",
        "formula": "x",
    }
    other = {**one, "seed": 1, "equivalent": False, "form_error": 0.02, "same_side": 0.9}
    class_formulas.write([one], path)
    class_formulas.write([other, {**one, "accuracy": 0.9}], path)

    found = class_formulas.read(path)
    assert [(run["seed"], run["accuracy"]) for run in found] == [(0, 0.9), (1, 0.86)]
    table = class_formulas.table(found)
    assert (
        "| circle | `8*(0.5 - x**2 - y**2)` | 1 of 2 | 0.880 | 0.870 | 90.0% | 2 | 1 | 3.0 |"
        in table
    )
    assert "| circle | 1 | 2.0e-02 | 90.0% | within noise | `x` |" in table
    assert class_formulas.read(tmp_path / "none.jsonl") == []


def test_a_run_finds_a_line_and_its_record_is_json():
    record = class_formulas.run_one("line", 0)

    assert json.loads(json.dumps(record)) == record
    assert record["equivalent"]
    assert record["same_side"] > 0.95
    assert record["kind"] == "within noise"


def test_unknown_names_are_rejected(capsys):
    with pytest.raises(SystemExit):
        class_formulas.main(["ellipse"])

    assert "NAME is 'ellipse', but must be one of line, " in capsys.readouterr().err
