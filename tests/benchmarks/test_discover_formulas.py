"""`discover` without widths on more formulas: units, noise, several outputs, the same seed; the benchmark of formulas for classes."""

import json

import numpy as np
import pytest
import sympy

import kan_ref as kr
from benchmarks import class_formulas, discovery_page

RNG = np.random.default_rng


def data_of(f, n_in=2, box=(-1.0, 1.0), n=600, noise=0.0, seed=0):
    rng = RNG(seed)
    low, high = np.broadcast_to(np.array(box, dtype=float), (n_in, 2)).T
    x, x_test = (rng.uniform(low, high, (n, n_in)) for _ in range(2))
    y, y_test = (np.asarray(f(*points.T)).reshape(n, -1) for points in (x, x_test))
    return kr.Data(x, y + noise * y.std(axis=0) * rng.standard_normal(y.shape), x_test, y_test)


def relative_error(found, data):
    return np.sqrt(np.mean((found.predict(data.x_test) - data.y_test) ** 2)) / np.std(data.y_test)


FORMULAS = [
    ("x*y*(z + 2)", lambda x, y, z: x * y * (z + 2), 3, (-1.0, 1.0)),
    ("log(x)*y", lambda x, y: np.log(x) * y, 2, (0.5, 3.0)),
    ("sqrt(x**2 + y**2)", lambda x, y: np.hypot(x, y), 2, (0.5, 2.0)),
]


@pytest.mark.parametrize(("text", "f", "n_in", "box"), FORMULAS)
def test_a_formula_is_found_without_widths_and_called_exact(text, f, n_in, box):
    data = data_of(f, n_in, box)

    found = kr.discover(data, names=("x", "y", "z")[:n_in], rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10
    assert sympy.simplify(found.formula - sympy.sympify(text)) == 0
    assert found.alternatives[-1].rmse < 1e-10 * np.std(data.y_train)
    complexities = [one.complexity for one in found.alternatives]
    errors = [one.rmse for one in found.alternatives]
    assert complexities == sorted(complexities)
    assert errors == sorted(errors, reverse=True)
    splines = found.scaler.inverse_y(found.splines(found.scaler.transform_x(data.x_test)))
    assert np.std(splines - data.y_test) < 0.05 * np.std(data.y_test)
    if found.network is not None:
        np.testing.assert_allclose(
            found.network(data.x_test), found.predict(data.x_test), rtol=0, atol=1e-9
        )


def test_a_formula_does_not_depend_on_units():
    for unit in (1e-9, 1e12):
        data = data_of(lambda m, v: 0.5 * m * v**2, 2, ((1e-27, 4e-27), (unit, 3 * unit)))

        found = kr.discover(data, names=("m", "v"), rng=RNG(1))

        assert found.verdict.kind == "exact"
        m, v = sympy.symbols("m v")
        factor = float((found.formula / (m * v**2)).simplify())
        np.testing.assert_allclose(factor, 0.5, rtol=1e-9)


def test_what_is_not_found_is_not_called_exact():
    data = data_of(lambda x, y: np.sin(7 * x * y + x**3) * np.exp(np.sin(4 * y - x)), n=300)

    found = kr.discover(data, rng=RNG(0), seconds=20.0)

    if relative_error(found, data) > 1e-9:
        assert found.verdict.kind == "not explained"
        assert str(found.verdict).startswith("not explained: the residual")


@pytest.mark.long
def test_noise_leads_to_the_form_and_the_verdict_gives_its_size():
    data = data_of(lambda x, y: x * np.exp(y), noise=0.02, n=1000, seed=3)

    found = kr.discover(data, names=("x", "y"), rng=RNG(0))

    assert found.verdict.kind == "within noise"
    assert relative_error(found, data) < 4 * 0.02 / np.sqrt(1000)
    assert found.train_rmse == pytest.approx(0.02 * np.std(data.y_train), rel=0.1)


def test_each_output_has_its_formula_and_the_verdict_is_that_of_the_worst():
    data = data_of(lambda x, y: np.stack([x * y, x + np.sin(2 * y)], axis=1), n=500)

    found = kr.discover(data, names=("x", "y"), rng=RNG(0))

    x, y = sympy.symbols("x y")
    assert sympy.simplify(found.formula[0] - x * y) == 0
    assert sympy.simplify(found.formula[1] - x - sympy.sin(2 * y)) == 0
    assert found.verdict.kind == "exact"
    assert len(found.alternatives) == 2
    assert found.predict(data.x_test).shape == data.y_test.shape


def test_the_same_seed_gives_the_same_formula():
    data = data_of(lambda x, y: x * np.cos(2 * y), n=400)

    one, other = (kr.discover(data, rng=RNG(5)) for _ in range(2))

    assert str(one.formula) == str(other.formula)
    assert str(one.verdict) == str(other.verdict)


DISTANCES = [
    (lambda w, x, y, z: np.sqrt((x - y) ** 2 + (z - w) ** 2 + 1.0), None),
    (lambda w, x, y, z: np.tanh((x - y) ** 2 + (z - w) ** 2), None),
    (lambda w, x, y, z: 1.0 / np.hypot(x - y, z - w), ((-1, 1), (-1, 0), (1, 2), (-1, 1))),
]


@pytest.mark.parametrize(("f", "box"), DISTANCES, ids=["radius", "tanh", "reciprocal"])
def test_functions_of_a_distance_in_two_planes_are_exact(f, box):
    data = data_of(f, 4, box or (-1.0, 1.0))

    found = kr.discover(data, names=("w", "x", "y", "z"), rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10


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


def test_records_replace_those_of_the_same_run_and_all_are_counted(tmp_path):
    path = tmp_path / "records.jsonl"
    one = {"name": "circle", "seed": 0, "accuracy": 0.86, "accuracy_of_z": 0.87, "same_side": 0.98}
    one |= {"equivalent": True, "kind": "within noise"}
    other = {**one, "seed": 1, "equivalent": False, "same_side": 0.9}
    class_formulas.write([one], path)
    class_formulas.write([other, {**one, "accuracy": 0.9}], path)

    found = class_formulas.read(path)
    assert [(run["seed"], run["accuracy"]) for run in found] == [(0, 0.9), (1, 0.86)]
    text = class_formulas.summary(found)
    assert "Equivalent: circle 1 of 2. 2 of 2 are called within noise, also 1 that" in text
    assert "labels is 0.880, that of the true z 0.870; both have the same sign at 90.0%" in text
    assert class_formulas.read(tmp_path / "none.jsonl") == []


def test_the_page_has_the_summary_of_the_records():
    page = discovery_page.PAGE.read_text(encoding="utf-8")

    assert class_formulas.summary(class_formulas.read()) in page


def test_a_run_finds_a_line_and_its_record_is_json():
    record = class_formulas.run_one("line", 0)

    assert json.loads(json.dumps(record)) == record
    assert record["equivalent"]
    assert record["same_side"] > 0.95
    assert record["kind"] == "within noise"
