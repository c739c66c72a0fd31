"""Benchmarks: the table and its status, what each refuses, times in turns, like with like; and formulas that `discover` should find.

Problems, verdicts and records; units, noise, several outputs, the same seed; formulas for classes.
"""

import importlib
import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import sympy

import kan_ref as kr
from benchmarks import (
    accuracy,
    bars,
    class_formulas,
    discovery,
    discovery_page,
    fit_step,
    jets,
    noise,
    srbench,
    steps,
    units,
)
from benchmarks.bars import Verdict
from kan_ref.numerics.differences import central_difference

# --- programs that measure: the table and its status, what each refuses, times in turns, and that like is compared with like

SMALL = steps.Shape("s", (2, 3, 1), 4, 50)

# --- the table


def half(name, seed):
    """A run: twice its seed over the length of its name."""
    return 2 * seed / len(name)


def test_a_row_has_the_results_of_all_seeds_and_one_above_its_bar_gives_status_1(capsys):
    def limit(name, found):
        most = 3.0 if name == "four" else 1.0
        return Verdict([f"{max(found):g}"], bars.above(max(found), most, "worst"), ["a note"])

    for names, status in ((["four"], 0), (["four", "ab"], 1)):
        assert bars.bar(names, ["", "worst"], half, limit, seeds=range(3)) == status
    four, note, ab, _ = capsys.readouterr().out.splitlines()[-4:]

    assert (four.split(), note.strip()) == (["four", "1", "met"], "a note")
    assert ab.split(maxsplit=2) == ["ab", "2", "missed: worst 2 > 1"]


def test_an_error_costs_its_row_and_no_other(capsys):
    def measure(name, seed):
        return 1 / (name != "bad")

    assert bars.bar(["bad", "good"], [""], measure, lambda *_: Verdict([], None)) == 1
    said = capsys.readouterr()
    assert "bad: ZeroDivisionError" in said.err
    assert said.out.splitlines()[-1].strip() == "good"


def test_a_number_that_is_nan_misses_its_bar():
    assert [bars.above(value, 1.0, "x") != "" for value in (0.5, 1.0, 1.1, np.nan)] == [False, False, True, True]


@pytest.mark.parametrize("jobs", [1, 2])
def test_runs_come_back_in_their_order_from_one_process_or_several(jobs):
    assert bars.run_all(divmod, [(7, 2), (9, 4), (5, 3)], jobs) == [(3, 1), (2, 1), (1, 2)]


REFUSED = [
    ("accuracy", ["lm-1"], "NAME is 'lm-1', but must be one of lm-1000"),
    ("estimators", ["trucks"], "NAME is 'trucks', but must be one of diabetes"),
    ("fit_step", ["z"], "NAME is 'z', but must be one of a-12, a-60"),
    ("hello_world", ["--jobs", "0"], "--jobs is 0, but must be at least 1"),
    ("jets", ["[1]"], "NAME is '[1]', but must be one of [2,10,1] k=3"),
    ("noise", ["17 samples"], "NAME is '17 samples', but must be one of Friedman 1"),
    ("scaled_variables", ["99"], "NAME is '99', but must be one of 1, 2"),
    ("steps", ["h"], "NAME is 'h', but must be one of a, b"),
    ("symbolic_search", ["--seeds", "0"], "--seeds is 0, but must be at least 1"),
    ("units", ["1e9 x"], "NAME is '1e9 x', but must be one of as it is"),
    ("class_formulas", ["square"], "NAME is 'square', but must be one of line"),
]


@pytest.mark.parametrize(("name", "words", "sentence"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_program_refuses_before_it_measures(name, words, sentence, capsys):
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"benchmarks.{name}").main(words)

    assert end.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words", "row"),
    [
        ("accuracy", ["lbfgs-1000", "--seeds", "1"], "lbfgs-1000"),
        ("noise", ["16 samples", "--seeds", "1"], "16 samples"),
        ("scaled_variables", ["19", "--seeds", "1"], "19"),
        ("jets", ["[2,10,1] k=3", "--seconds", "0"], "[2,10,1] k=3"),
        ("steps", ["b", "--seconds", "0"], "b"),
    ],
)
def test_a_program_prints_its_row(name, words, row, capsys):
    assert importlib.import_module(f"benchmarks.{name}").main(words) in (0, 1)

    assert capsys.readouterr().out.splitlines()[-1].startswith(row)


# --- the clock


def test_times_are_of_calls_that_follow_each_other_with_their_data_in_the_cache(monkeypatch):
    now, last, calls = [0.0], [""], dict.fromkeys(("short", "other", "long"), 0)
    monkeypatch.setattr(bars.time, "process_time", lambda: now[0])

    def work(name, seconds):
        def call():  # another one has just emptied the cache
            now[0] += seconds if last[0] == name else 5.0 * seconds
            last[0] = name
            calls[name] += 1

        return call

    found = bars.take_turns([work("short", 1e-4), work("other", 1e-4), work("long", 0.2)], seconds=0.5, repeats=4)

    np.testing.assert_allclose(found, [1e-4, 1e-4, 0.2], rtol=1e-6)
    assert calls["long"] == 1 + 4  # the first, before anything is known of it, does not count
    assert calls["short"] >= 5000


# --- like is compared with like


@pytest.mark.parametrize("widths", [(2, 1, 1), (2, 5, 1), (3, 4, 2, 2)])
def test_every_step_in_numpy_has_the_loss_and_gradient_of_kan_ref(widths):
    network, x, y = steps.problem(steps.Shape("", widths, 6, 40))
    network = network.with_theta(network.theta + np.linspace(-0.3, 0.3, network.n_params))
    expected, d_theta = kr.value_and_grad(network, 1.2 * x, y)

    for step in steps.own_steps(network, 1.2 * x, y):
        value, gradient = step()
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(gradient, d_theta, rtol=0, atol=1e-12 * np.abs(d_theta).max())


def test_the_first_layers_splines_are_kept_from_step_to_step_unless_the_step_is_fresh(monkeypatch):
    made, counts, prepare = [], [], kr.Network.prepare
    monkeypatch.setattr(kr.Network, "prepare", lambda *given: made.append(given) or prepare(*given))
    *_, cached, fresh = steps.own_steps(*steps.problem(SMALL))

    for step in (cached, fresh):
        step()
        before = len(made)
        step()
        counts.append(len(made) - before)

    assert counts == [0, 1]


def test_the_network_on_one_grid_is_the_same_but_for_its_knots_and_has_no_spline_weights():
    network, _, _ = steps.problem(SMALL)
    network = network.with_theta(network.theta + np.linspace(0.1, 0.2, network.n_params))

    for old, new in zip(network.layers, steps.on_one_grid(network).layers, strict=True):
        row = kr.uniform_knots(-1.0, 1.0, 4, 3)
        np.testing.assert_array_equal(new.knots, np.tile(row, (old.n_in, 1)))
        np.testing.assert_array_equal(new.spline_matrix, old.spline_matrix)
        assert (new.w_spline == 1.0).all()


def test_the_jet_step_is_the_value_and_gradient_of_the_squared_residual():
    network, x, f = jets.problem(jets.Case((2, 3, 2, 1), 3, n_samples=40))
    direction = np.random.default_rng(0).normal(size=network.n_params)

    def loss(t):
        moved = network.with_theta(network.theta + t * direction)
        return np.mean((kr.input_laplacian(moved, x)[:, 0] - f) ** 2)

    value, gradient = jets.jet_step(network, x, f)()

    assert value == pytest.approx(loss(0.0), rel=1e-12)
    assert gradient @ direction == pytest.approx(central_difference(loss), rel=1e-6)


def test_the_memory_of_a_jet_step_grows_with_batch_and_width_and_not_with_the_grid():
    def peak(width, n_intervals, n_samples):
        shape = {"n_intervals": n_intervals, "n_samples": n_samples}
        return jets.peak(jets.Case((2, width, width, 1), 3, **shape))

    plain = peak(10, 20, 900)

    assert 1.7 <= peak(10, 20, 1800) / plain <= 2.1
    assert 1.5 <= peak(20, 20, 900) / plain <= 2.5
    assert peak(10, 320, 900) / plain <= 1.1


def test_the_accuracy_of_a_case_is_judged_by_medians_slope_and_the_last_rise():
    errors = 10.0 * np.array(accuracy.LADDER, dtype=float) ** -4.0
    found = [(errors * factor, 1.0) for factor in (0.5, 1.0, 9.0)]

    met = accuracy.judge(accuracy.Case("lm", 9, most=((100, 1.01e-7),), keeps=True), found)
    missed = accuracy.judge(accuracy.Case("lm", 9, most=((100, 0.9e-7),), most_slope=-4.1), found)
    risen = accuracy.judge(accuracy.Case("lm", 9, keeps=True), [(errors[[*range(6), 4]], 1.0)])

    assert met.missed == ""
    assert met.cells[:1] + met.cells[-3:] == ["1.2e-01", "5.6e-08", "-4.00", "1.0"]
    assert missed.missed == "slope -4 > -4.1, error at G = 100 1e-07 > 9e-08"
    assert "last error" in risen.missed


def test_every_row_of_units_has_the_same_points_in_other_units():
    plain = units.data_of(units.FIRST, 3)
    for row, (shift, factor, y_shift, y_factor) in units.ROWS.items():
        data = units.data_of(row, 3)
        np.testing.assert_allclose((data.x_train - shift) / factor, plain.x_train, atol=1e-9)
        np.testing.assert_allclose((data.y_test - y_shift) / y_factor, plain.y_test, atol=1e-6)


def test_a_noisy_table_is_standardised_and_its_new_samples_have_no_noise():
    for table in noise.TABLES:
        data = table.draw(np.random.default_rng(0))
        assert data.x_train.shape == (table.n, table.n_in)
        np.testing.assert_allclose(data.x_train.mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(data.y_train.std(axis=0), 1.0, rtol=1e-12)
    line = noise.Table("line", lambda x: x[:, 0], 1, 50, 1.0).draw(np.random.default_rng(0))
    columns = np.column_stack([line.x_test, line.y_test, np.ones(noise.N_NEW)])
    assert np.linalg.matrix_rank(columns, tol=1e-8) == 2


def test_a_sum_of_splines_with_a_ridge_penalty_predicts_a_sum_of_curves():
    table = noise.Table("curves", lambda x: np.sin(4.0 * x[:, 0]) + x[:, 1] ** 2, 3, 300, 0.05)
    data = table.draw(np.random.default_rng(0))

    assert np.mean((noise.additive_ridge(data) - data.y_test) ** 2) < 0.02 * np.var(data.y_test)


def test_a_step_of_fit_is_judged_by_the_median_ratio_of_its_seeds():
    rows = [[1.0, 0.5, ratio, 9.0] for ratio in (1.0, 1.1, 5.0)]

    assert fit_step.limit("a-12", rows).missed == ""
    assert fit_step.limit("a-12", rows[1:]).missed == "ratio 3.05 > 1.3"
    assert fit_step.limit("memory", [[99.0]]).missed == ""
    assert len({len(fit_step.limit(name, [row]).cells) for name, row in (("a-12", rows[0]), ("wide", [1.0, 2.0]), ("memory", [9.0]))}) == 1  # fmt: skip


# --- the benchmark of formulas that `discover` should find: its problems, verdicts and records


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


# --- `discover` without widths on more formulas: units, noise, several outputs, the same seed; the benchmark of formulas for classes

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
        np.testing.assert_allclose(found.network(data.x_test), found.predict(data.x_test), rtol=0, atol=1e-9)


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
    network = kr.fix_symbolic(network, 0, output=0, input=0, name=name, affine=(0.9, 0.1, -5.0, 2.0))
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
