"""The benchmarks compare like with like, and report what they ran; the race to small errors; two checkouts timed in turns.

Of the race: what the clock counts, when a run ends, and what the table says of runs that never arrive. Of two checkouts: ratios are those
of medians, and the first answers do not count.
"""

import json
import math
import os
import signal
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

import kan_ref as kr
from benchmarks import (
    accuracy,
    discovery,
    discovery_page,
    jets,
    race,
    srbench,
    two_checkouts,
)
from benchmarks.measuring import run_all
from benchmarks.racers import RACERS, Racer
from benchmarks.subjects import Shape, textbook_step
from kan_ref.numerics.differences import central_difference


@pytest.mark.parametrize("contraction", ["matmul", "einsum"])
@pytest.mark.parametrize("widths", [(2, 1, 1), (2, 5, 1), (3, 4, 2, 2)])
def test_the_textbook_step_computes_what_ours_computes(widths, contraction):
    rng = np.random.default_rng(0)
    network = kr.init_network(widths, n_intervals=6, degree=3, domain=(-1.0, 1.0), rng=rng)
    network = network.with_theta(network.theta + 0.3 * rng.standard_normal(network.n_params))
    x, y = rng.uniform(-1.2, 1.2, (40, widths[0])), rng.standard_normal((40, widths[-1]))

    value, gradient = textbook_step(network, x, y, contraction)

    ours, d_theta = kr.value_and_grad(network, x, y)
    assert value == pytest.approx(ours, rel=1e-12)
    np.testing.assert_allclose(gradient, d_theta, rtol=0, atol=1e-12 * np.abs(d_theta).max())


def test_the_jet_step_is_the_value_and_gradient_of_the_squared_residual():
    network, x, f = jets.problem(jets.Case((2, 3, 2, 1), 3, n_samples=40))
    direction = np.random.default_rng(0).normal(size=network.n_params)

    def loss(t):
        return np.mean(
            (kr.input_laplacian(network.with_theta(network.theta + t * direction), x)[:, 0] - f)
            ** 2
        )

    value, gradient = jets.jet_step(network, x, f)()

    assert value == pytest.approx(loss(0.0), rel=1e-12)
    assert gradient @ direction == pytest.approx(central_difference(loss), rel=1e-6)


def test_the_levenberg_marquardt_iteration_solves_its_damped_normal_equations_for_all_parameters():
    step = jets.lm_iteration(jets.CASES[0])()

    assert step.shape == (jets.problem(jets.CASES[0])[0].n_params,)
    assert np.isfinite(step).all()
    assert step.any()


def test_the_memory_of_a_jet_step_grows_with_batch_and_width_and_not_with_the_grid():
    peak = {
        key: jets.peak(
            jets.Case((2, width, width, 1), 3, n_intervals=n_intervals, n_samples=n_samples)
        )
        for key, (width, n_intervals, n_samples) in {
            "plain": (10, 20, 900),
            "batch": (10, 20, 1800),
            "width": (20, 20, 900),
            "grid": (10, 320, 900),
        }.items()
    }

    assert 1.7 <= peak["batch"] / peak["plain"] <= 2.1
    assert 1.5 <= peak["width"] / peak["plain"] <= 2.5
    assert peak["grid"] / peak["plain"] <= 1.1
    assert peak["plain"] <= 10 * jets.unit(jets.Case((2, 10, 10, 1), 3))


def test_a_case_of_the_accuracy_table_is_run_and_reported_over_seeds():
    case = accuracy.Case("small", "lm", 200, 3, (3, 5, 10), 10, 1e-8, (5, 10), "none")

    outcomes = [accuracy.run_seed(case, seed) for seed in range(2)]

    text = accuracy.report(case, outcomes)
    errors = np.array([outcome.test for outcome in outcomes])
    assert errors.shape == (2, 3)
    assert f"{np.median(errors[:, -1]):.1e}" in text
    assert (
        f"slope of the median, G = 5 to 10: {np.log(np.median(errors[:, 2]) / np.median(errors[:, 1])) / np.log(2):.2f}"
        in text
    )
    assert accuracy.run_seed(case, 0).test.tobytes() == outcomes[0].test.tobytes()


@pytest.mark.parametrize("jobs", [1, 2])
def test_runs_come_back_in_their_order_from_one_process_or_several(jobs):
    assert run_all(divmod, [(7, 2), (9, 4), (5, 3)], jobs) == [(3, 1), (2, 1), (1, 2)]


def end_at_nine(first, second):
    if first == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return divmod(first, second)


def test_a_run_whose_process_is_terminated_is_named_after_all_others_have_ended():
    with pytest.raises(RuntimeError) as caught:
        run_all(end_at_nine, [(7, 2), (9, 4), (5, 3)], 2)

    assert str(caught.value).splitlines() == [
        "1 of 3 runs failed:",
        "(9, 4): its process was terminated by SIGKILL (signal 9), perhaps for lack of memory",
    ]


# --- formulas that `discover` should find


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


# --- the race to small errors


OURS = [racer for racer in RACERS if not racer.needs]


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def toy(errors, clock=None, *, predict_seconds=0.0, step_seconds=0.0):
    """A racer whose predictions are off by the given errors, one a step."""
    clock = clock or Clock()

    def run(data, seed, watch):
        truth = {data.x_test.tobytes(): data.y_test}

        def predict(points, error):
            clock.now += predict_seconds
            return truth[points.tobytes()] + error

        for error in errors:
            clock.now += step_seconds
            watch(lambda points, error=error: predict(points, error))

    return Racer("toy", run, "a toy")


def test_a_run_keeps_the_errors_that_are_smaller_than_all_before():
    clock = Clock()
    run = race.race(toy([0.5, 0.7, 0.03, 0.04, 2e-3], clock, step_seconds=1.0), 0, 60.0, clock)

    assert run.errors == pytest.approx((0.5, 0.03, 2e-3), rel=1e-3)
    assert run.seconds == (1.0, 3.0, 5.0)


def test_a_run_ends_when_the_last_level_is_reached():
    taken = []

    def errors():
        for error in (0.1, 9e-7, 1e-9):
            taken.append(error)
            yield error

    run = race.race(toy(errors()), 0, 60.0)

    assert taken == [0.1, 9e-7]
    assert run.errors[-1] == pytest.approx(9e-7, rel=1e-3)


def test_a_run_ends_when_its_time_is_over():
    clock = Clock()
    endless = toy((1.0 / step for step in range(1, 10**6)), clock, step_seconds=0.5)

    run = race.race(endless, 0, 2.0, clock)

    assert run.seconds == (0.5, 1.0, 1.5, 2.0)


def test_the_clock_does_not_count_the_errors_on_the_test_samples():
    clock = Clock()
    racer = toy([0.5, 0.4, 0.3], clock, predict_seconds=4.0, step_seconds=1.0)

    assert race.race(racer, 0, 60.0, clock).seconds == (1.0, 2.0, 3.0)


def test_time_to_a_level_is_that_of_the_first_error_at_or_below_it():
    run = race.Run("toy", 0, (1.0, 2.0, 5.0), (1e-1, 1e-2, 1e-4))

    assert [run.time_to(level) for level in (1e-1, 1e-2, 1e-3)] == [1.0, 2.0, 5.0]
    assert run.time_to(1e-5) == math.inf
    assert [run.error_at(t) for t in (0.5, 1.0, 4.9, 9.0)] == [math.inf, 1e-1, 1e-2, 1e-4]


def test_the_median_over_seeds_is_infinite_where_half_of_the_runs_never_arrive():
    fast, slow, never = (
        race.Run("toy", 0, (t,), (e,)) for t, e in ((1.0, 0.0), (3.0, 0.0), (2.0, 1.0))
    )

    assert race.median_time([fast, slow, never], 1e-2) == 3.0
    assert race.median_time([fast, slow], 1e-2) == 2.0
    assert race.median_time([fast, never], 1e-2) == math.inf


@pytest.mark.parametrize("racer", OURS, ids=lambda racer: racer.name)
def test_our_racers_train_the_network_whose_error_counts(racer):
    seen = []

    def watch(predict):
        seen.append(predict)
        if len(seen) == 8:
            raise StopIteration

    data = kr.sample("exp_sin", n_train=200, n_test=50, rng=np.random.default_rng(0))
    with pytest.raises(StopIteration):
        racer.race(data, 0, watch)

    first, last = (
        np.sqrt(np.mean((p(data.x_train) - data.y_train) ** 2)) for p in (seen[0], seen[-1])
    )
    assert last < 0.9 * first


def test_a_run_in_a_process_of_its_own_is_the_one_in_this_process():
    here, there = race.race(OURS[0], 1, 30.0), race.try_race(OURS[0], 1, 30.0)

    assert there.failure == ""
    assert there.errors[:10] == here.errors[:10]


# --- two checkouts


def test_ratios_are_medians_of_groups_and_those_to_itself_their_range():
    one_group = np.array([[4.0, 6.0, 3.0], [2.0, 7.0, 3.0], [3.0, 1.0, 9.0]])  # medians 3, 6, 3
    times = np.stack([one_group, one_group * [2.0, 1.0, 3.0], one_group * [1.0, 2.0, 2.0]], axis=1)

    assert two_checkouts.ratios(times) == (6.0, 2.0, (0.5, 1.5))


@pytest.mark.parametrize("name", two_checkouts.NAMES)
def test_a_process_answers_with_the_seconds_of_a_step(name):
    root = two_checkouts.Path(two_checkouts.__file__).parents[1]
    process = two_checkouts.start(root, Shape("s", (2, 1), 3, 50), name)
    try:
        assert 1e-6 < two_checkouts.ask(process, name) < 1.0
    finally:
        process.kill()
        process.communicate()
