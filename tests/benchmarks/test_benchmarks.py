"""The benchmark of formulas that `discover` should find: its problems, verdicts and records."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

import kan_ref as kr
from benchmarks import discovery, discovery_page, srbench


def test_formulas_have_names_and_boxes_for_their_inputs_and_finite_values():
    every = discovery.chosen([])
    assert Counter(one.collection for one in every) == {
        "known": 53,
        "SI": 20,
        "drawn": 20,
        "fields": 40,
        "Feynman": 97,
        "bonus": 19,
        "Strogatz": 14,
    }
    assert len({(one.collection, one.name) for one in every}) == len(every)
    for one in every:
        x, y = one.samples(50, 0.0, np.random.default_rng(0))
        assert x.shape[1] == len(one.inputs) == len(one.box)
        assert len(x) == len(y) == (400 if one.collection == "Strogatz" else 50)
        assert np.isfinite(y).all(), one.name
        assert np.std(y) > 0.0, one.name


def test_noise_is_in_units_of_the_spread_and_in_srbench_of_the_root_mean_square():
    for name, unit in (("N12", np.std), ("III.15.12", lambda y: np.sqrt(np.mean(y**2)))):
        (problem,) = discovery.chosen([name])
        clean, noisy = (problem.samples(5000, s, np.random.default_rng(1))[1] for s in (0.0, 0.2))

        np.testing.assert_allclose(np.std(noisy - clean), 0.2 * unit(clean), rtol=0.05)


def test_trajectories_solve_their_differential_equations():
    first, second = discovery.chosen(["lv1", "lv2"])[-2:]

    np.testing.assert_array_equal(first.points[::100], [[1, 3], [4, 1], [8, 2], [3, 3]])
    slope = np.hstack([first.function()(first.points), second.function()(first.points)])[30:100]
    steps = np.gradient(first.points[30:100], 0.1, axis=0)
    np.testing.assert_allclose(steps[1:-1], slope[1:-1], rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("formula", "is_literal"),
    [
        ("sqrt(x_1**2/x_2**2 - pi**2/x_3**2)", True),
        ("2.5 + 3.0*sqrt(x_1**2/x_2**2 - 9.8696044/x_3**2)", False),
        ("3.0*sqrt(x_1**2/x_2**2 - 9.8696044/x_3**2)", True),
        ("2.5 + sqrt(x_1**2/x_2**2 - 9.8696044/x_3**2)", True),
        ("sqrt(x_1**2/x_2**2 - 9.7/x_3**2)", False),
    ],
)
def test_literal_formulas_differ_by_a_constant_or_a_factor_alone(formula, is_literal):
    (problem,) = discovery.chosen(["II.24.17"])

    assert srbench.is_literal(problem, formula) == is_literal


def line_of(formula, kind, predict):
    """What stands in for `discover`: a formula with the verdict, and values by `predict`."""
    verdict = SimpleNamespace(kind=kind, several=False)
    return lambda data, **_: SimpleNamespace(formula=formula, verdict=verdict, predict=predict)


@pytest.mark.parametrize(
    ("kind", "factor", "noise", "status", "found"),
    [
        ("exact", 1.0, [], 0, 1),
        ("exact", 1.0 + 1e-8, [], 1, 0),
        ("exact", np.nan, [], 1, 0),
        ("not explained", 1.1, [], 0, 0),
        ("within noise", 1.001, [], 0, 0),
        ("within noise", 1.001, ["--noise", "0.1"], 0, 1),
    ],
)
def test_a_wrong_formula_that_is_called_exact_fails_the_benchmark_and_no_other_one_does(
    monkeypatch, capsys, kind, factor, noise, status, found
):
    wrong = line_of("f", kind, lambda x: factor * np.prod(x, axis=1, keepdims=True))
    monkeypatch.setattr(kr, "discover", wrong)

    assert discovery.main(["three factors", *noise]) == status
    text = capsys.readouterr().out
    assert f" {found} of 1 |" in text
    assert ("should be x*y*z" in text) == (found == 0)


def test_an_error_of_discover_is_a_run_without_result(monkeypatch, capsys):
    def fail(data, **_):
        raise ValueError("no")

    monkeypatch.setattr(kr, "discover", fail)

    assert discovery.main(["three factors"]) == 1
    assert "ValueError: no" in capsys.readouterr().out


def test_a_result_that_is_wrong_on_a_small_part_of_the_box_is_not_found(monkeypatch):
    (product,) = discovery.chosen(["three factors"])

    def predict(x):
        return product.function()(x) + 0.01 * (x[:, :1] < -1.0 + 2e-3)

    monkeypatch.setattr(kr, "discover", line_of("x", "exact", predict))
    for seed in range(3):
        assert discovery.is_wrong_claim(discovery.run(product, 0.0, 50, seed))


def test_a_run_that_is_recorded_is_not_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr(discovery_page, "RECORDS", tmp_path / "runs.jsonl")
    calls = []

    def run(problem, noise, n_samples, seed):
        calls.append((problem.name, seed))
        row = {"name": problem.name, "collection": problem.collection, "noise": noise, "error": 0.0}
        row |= {"samples": n_samples, "seed": seed, "kind": "exact", "several": False}
        return row | {"literal": True, "seconds": 1.0, "formula": "x"}

    monkeypatch.setattr(discovery, "run", run)
    assert discovery.main(["capacitor", "vdp2", "--record"]) == 0
    assert discovery.main(["capacitor", "vdp2", "--record", "--seeds", "2"]) == 0

    assert calls == [("capacitor", 0), ("vdp2", 0), ("capacitor", 1), ("vdp2", 1)]
    assert [one["samples"] for one in discovery_page.read()] == [1000, 400, 1000, 400]


def test_the_page_of_formulas_is_what_its_records_render():
    records = discovery_page.read()

    assert len(records) == len(set(map(discovery_page.key, records)))
    page = discovery_page.PAGE.read_text(encoding="utf-8")
    assert discovery_page.rendered(page, records) == page
    assert not any(map(discovery.is_wrong_claim, records))


def test_the_benchmark_finds_a_law_in_si_units():
    (capacitor,) = discovery.chosen(["capacitor"])

    record = discovery.run(capacitor, 0.0, 200, 0)

    assert discovery_page.is_found(record)
    assert record["kind"] == "exact"
    assert json.loads(json.dumps(record)) == record
