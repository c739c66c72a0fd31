"""Programs that measure: the table and its status, what each refuses, times in turns, and that like is compared with like."""

import importlib

import numpy as np
import pytest

import kan_ref as kr
from benchmarks import accuracy, bars, fit_step, jets, noise, steps, units
from benchmarks.bars import Verdict
from kan_ref.numerics.differences import central_difference

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
    assert [bars.above(value, 1.0, "x") != "" for value in (0.5, 1.0, 1.1, np.nan)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_runs_come_back_in_their_order_from_one_process_or_several(jobs):
    assert bars.run_all(divmod, [(7, 2), (9, 4), (5, 3)], jobs) == [(3, 1), (2, 1), (1, 2)]


REFUSED = [
    ("accuracy", ["lm-1"], "NAME is 'lm-1', but must be one of lm-1000"),
    ("estimators", ["trucks"], "NAME is 'trucks', but must be one of diabetes"),
    ("fit_step", ["z"], "NAME is 'z', but must be one of a, b"),
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

    found = bars.take_turns(
        [work("short", 1e-4), work("other", 1e-4), work("long", 0.2)], seconds=0.5, repeats=4
    )

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
    rows = [[1.0, 1.0, 3.0, ratio] for ratio in (1.0, 1.1, 5.0)]

    assert fit_step.limit("a", rows).missed == ""
    assert fit_step.limit("a", rows[1:]).missed == "ratio 3.05 > 1.15"
    assert fit_step.limit("memory", [[99.0]]).missed == ""
    assert len({len(fit_step.limit(name, [row]).cells) for name, row in (("a", rows[0]), ("wide", [1.0, 2.0]), ("memory", [9.0]))}) == 1  # fmt: skip
