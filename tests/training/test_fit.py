"""Runs of `fit`: what they record, which network they return, what they follow, and that they do the same again."""

import pickle
import re
import sys
import tracemalloc
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from checkout import ROOT
from oracles_training import bits, growing, mean_square, samples, smoothness
from tqdm import tqdm

import kan_ref as kr
from kan_ref.network import layer_inputs
from kan_ref.optimizers import Steps, adam, lbfgs, levenberg_marquardt
from kan_ref.sparsity import Penalty
from kan_ref.training import LBFGS, LM, Adam, DataTerm, Objective
from kan_ref.training import terms as terms_module
from kan_ref.training.fit import Log, Plan
from kan_ref.training.losses import MSE
from kan_ref.training.methods import read_method
from kan_ref.training.objective import trainable_places

METHODS = ("lm", "lbfgs", "adam")


def toy(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def example(*, widths=(2, 2, 1), n_intervals=3, seed=0, f=toy, **options):
    rng = np.random.default_rng(seed)
    data = samples(f, widths[0], rng, **options)
    shape = {"n_intervals": n_intervals, "degree": 3, "domain": data.x_train}
    return kr.init_network(widths, **shape, rng=rng), data


def rmse(network, x, y):
    return np.sqrt(mean_square(network(x), y))


class Seen(list):
    """A callback that keeps all steps, and stops, or interrupts, at one."""

    def __init__(self, stop=None, interrupt=None):
        self.stop, self.interrupt = stop, interrupt

    def __call__(self, step):
        self.append(step)
        if len(self) == self.interrupt:
            raise KeyboardInterrupt
        return len(self) == self.stop


# --- errors fall, by the method that was asked for


@pytest.mark.parametrize("optimizer", [None, *METHODS, Adam(batch_size=20)])
@pytest.mark.parametrize("kind", ["network", "mlp", "lan"])
def test_errors_fall_for_every_model_and_method(optimizer, kind):
    network, data = example()
    if kind != "network":
        rng = np.random.default_rng(0)
        network = (
            kr.init_mlp((2, 8, 1), activation="tanh", rng=rng)
            if kind == "mlp"
            else kr.init_lan((2, 8, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
        )
    rng = np.random.default_rng(0)

    run = kr.fit(network, data, optimizer=optimizer, n_steps=60, rng=rng)

    assert run.train_rmse < 0.7 * rmse(network, data.x_train, data.y_train)
    assert run.train_rmse == pytest.approx(rmse(run.network, data.x_train, data.y_train))
    assert run.test_rmse == pytest.approx(rmse(run.network, data.x_test, data.y_test))


@pytest.mark.parametrize(
    ("given", "squares", "found"),
    [
        (None, True, LM()),
        (None, False, LBFGS()),
        ("adam", True, Adam()),
        ("lbfgs", True, LBFGS()),
        (LM(damping=1.0), True, LM(True, 1.0)),
    ],
)
def test_a_method_is_named_or_a_record_or_follows_from_the_objective(given, squares, found):
    assert read_method(given, squares) == found


def test_a_class_in_the_place_of_an_optimizer_is_named_with_the_remedy():
    with pytest.raises(TypeError, match=r"^optimizer .* kr\.Adam\(\)$"):
        read_method(Adam, True)


def test_least_squares_need_a_sum_of_squares():
    network, data = example()

    with pytest.raises(ValueError, match=r"optimizer.*lbfgs"):
        kr.fit(network, data, optimizer="lm", penalty=0.1)


@pytest.mark.parametrize(
    ("record", "options"),
    [
        (LM, {"damping": 0.0}),
        (LM, {"scaled": 1}),
        (LBFGS, {"history": 0}),
        (Adam, {"learning_rate": 0.0}),
        (Adam, {"batch_size": 0}),
    ],
)
def test_options_of_a_method_are_checked(record, options):
    with pytest.raises((TypeError, ValueError), match=next(iter(options))):
        record(**options)


@pytest.mark.parametrize("method", [LM(False, 0.3), LBFGS(False, 3), Adam(0.05)])
def test_a_run_takes_the_steps_of_its_optimizer_with_its_options(method):
    network, data = example()
    objective = Objective(network, [DataTerm(MSE, data.x_train, data.y_train, network)])
    if isinstance(method, LM):
        functions = objective.linearize, network.theta, objective.residuals
        points = levenberg_marquardt(*functions, method.damping)
    elif isinstance(method, LBFGS):
        points = lbfgs(objective.value_and_grad, network.theta, method.history)
    else:
        points = adam(objective.value_and_grad, network.theta, method.learning_rate)
    expected = Steps(points, 8).last()

    run = kr.fit(network, data, optimizer=method, n_steps=8, update_grids=False)

    np.testing.assert_allclose(run.network.theta, expected.theta, rtol=1e-9, atol=1e-11)
    assert run.history.n_evaluations[-1] == expected.n_evaluations


@pytest.mark.parametrize("method", [LM, LBFGS])
def test_scaled_variables_are_the_default(method):
    network, data = example()
    runs = [kr.fit(network, data, optimizer=method(scaled), n_steps=3) for scaled in (True, False)]
    default = kr.fit(network, data, optimizer=method(), n_steps=3)

    assert bits(default.network) == bits(runs[0].network) != bits(runs[1].network)


def test_an_edge_penalty_is_minimised_in_plain_variables():
    network, data = example()
    runs = [kr.fit(network, data, penalty=0.1, optimizer=LBFGS(scaled), n_steps=5) for scaled in (True, False)]

    assert bits(runs[0].network) == bits(runs[1].network)


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic"])
@pytest.mark.parametrize("kind", ["network", "mlp"])
def test_classes_are_learned(loss, kind):
    network, data = example(widths=(2, 2), n_train=120)
    if kind == "mlp":
        network = kr.init_mlp((2, 6, 2), activation="tanh", rng=np.random.default_rng(0))
    for part in ("train", "test"):
        first = getattr(data, f"x_{part}")[:, 0] > 0.1
        labels = first.astype(int) if loss == "cross_entropy" else np.stack([first, ~first], 1) * 1.0
        setattr(data, f"y_{part}", labels)

    run = kr.fit(network, data, loss=loss, n_steps=40)

    assert run.history.train_accuracy[-1] == 1.0
    assert run.history.test_accuracy[-1] > 0.9
    truth = kr.predict_proba(run.network, data.x_train, loss=loss)
    targets = np.eye(2)[data.y_train] if loss == "cross_entropy" else data.y_train
    assert run.train_rmse == pytest.approx(np.sqrt(mean_square(truth, targets)))


def test_a_weight_on_smoothness_buys_a_smoother_network():
    network, data = example()
    rough, smooth = (kr.fit(network, data, n_steps=30, smoothness_weight=weight) for weight in (0.0, 1e-2))

    assert smoothness(smooth.network) < 0.2 * smoothness(rough.network)
    expected = 1e-2 * smoothness(smooth.network)
    assert smooth.history.penalty[-1] == pytest.approx(expected, rel=1e-9)


def test_a_penalty_silences_the_input_that_does_not_matter():
    network, data = example(widths=(2, 1), f=lambda x: np.sin(3.0 * x[:, :1]))

    run = kr.fit(network, data, penalty=Penalty(0.05, entropy=0.0), n_steps=100)

    scores = kr.edge_scores(run.network, data.x_train)[0][0]
    assert scores[1] < 1e-2 * scores[0]


# --- the history


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize("options", [{}, {"smoothness_weight": 1e-3}, {"validation_share": 0.2}])
def test_entries_are_those_of_the_networks_that_the_callback_sees(optimizer, options):
    network, data = example(n_train=50, n_test=20)
    seen = Seen()

    run = kr.fit(network, data, optimizer=optimizer, n_steps=4, grids=(3, 6), callback=seen, **options)

    history = run.history
    assert history.step.tolist() == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]
    assert history.n_intervals.tolist() == [3] * 5 + [6] * 5
    assert (np.diff(history.seconds) >= 0.0).all()
    assert (np.diff(history.n_evaluations) >= 1).all()
    for n, step in enumerate(seen):
        for name, number in zip(step._fields[:-1], step[:-1], strict=True):
            if not np.isnan(number):  # the test error of the best network is written down later
                assert getattr(history, name)[n] == number
        assert step.n_intervals == step.network.layers[0].n_intervals
        if not options.get("validation_share"):
            own = rmse(step.network, data.x_train, data.y_train)
            assert step.train_rmse == pytest.approx(own, rel=1e-9)
            assert step.train_loss == pytest.approx(own**2, rel=1e-9)
        if not np.isnan(step.test_rmse):
            own = rmse(step.network, data.x_test, data.y_test)
            assert step.test_rmse == pytest.approx(own, rel=1e-9)
        weight = options.get("smoothness_weight", 0.0)
        assert step.penalty == pytest.approx(weight * smoothness(step.network), abs=1e-13)


@pytest.mark.parametrize("penalty", [None, 1e-2])
def test_the_penalty_of_an_entry_is_that_of_its_network(penalty):
    network, data = example()
    seen = Seen()
    kr.fit(network, data, optimizer="lbfgs", penalty=penalty, n_steps=6, callback=seen)

    for step in seen:
        value, _ = kr.value_and_grad(step.network, data.x_train, data.y_train, penalty=penalty)
        assert step.train_loss + step.penalty == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs"])
@pytest.mark.parametrize("weight", [0.0, 1e-4])
def test_the_objective_never_rises_on_one_grid(optimizer, weight):
    network, data = example()
    options = {"optimizer": optimizer, "smoothness_weight": weight, "update_grids": False}
    history = kr.fit(network, data, n_steps=40, **options).history

    assert (np.diff(history.train_loss + history.penalty) <= 1e-15).all()


@pytest.mark.parametrize(
    ("method", "n_train", "n_test", "tested"),
    [
        ("lm", 40, 40, range(31)),
        ("lbfgs", 40, 10, [0, 5, 10, 15, 20, 25, 30]),
        ("adam", 60, 40, [0, 14, 28, 30]),
        (Adam(batch_size=20), 60, 10, [0, 10, 20, 30]),
    ],
)
def test_test_errors_cost_a_fraction_of_the_steps(method, n_train, n_test, tested):
    network, data = example(n_train=n_train, n_test=n_test)
    rng = np.random.default_rng(0)

    run = kr.fit(network, data, optimizer=method, n_steps=30, update_grids=False, rng=rng)

    assert run.history.step[~np.isnan(run.history.test_rmse)].tolist() == list(tested)


def test_a_finer_grid_starts_where_the_coarser_one_ended():
    network, data = example(widths=(2, 1), n_intervals=4)
    history = kr.fit(network, data, n_steps=10, optimizer="lbfgs", grids=(4, 8, 16)).history

    for begin in (11, 22):
        assert history.train_rmse[begin] == pytest.approx(history.train_rmse[begin - 1], rel=1e-9)


def test_records_print_in_one_line_and_names_are_checked():
    network, data = example()
    run = kr.fit(network, data, n_steps=2)

    assert "\n" not in repr(run) + repr(run.history)
    for word in ("train_rmse", "test_rmse", "2 steps", run.stopped):
        assert word in repr(run)
    with pytest.raises(AttributeError, match=r"train_mse.*train_rmse"):
        run.history.train_mse  # noqa: B018


def test_a_run_is_pickled_with_all_its_numbers():
    network, data = example()
    run = kr.fit(network, data, n_steps=3)

    again = pickle.loads(pickle.dumps(run))

    assert bits(again.network) == bits(run.network)
    assert (again.stopped, again.entry) == (run.stopped, run.entry)
    np.testing.assert_array_equal(again.history.train_rmse, run.history.train_rmse)
    assert again.findings == run.findings


# --- why runs end


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize(("grids", "n_steps", "total"), [(None, 0, 0), (None, 1, 1), ((3, 5), 3, 6)])
def test_a_run_takes_its_steps_on_every_grid_and_says_so(optimizer, grids, n_steps, total):
    network, data = example()
    run = kr.fit(network, data, optimizer=optimizer, n_steps=n_steps, grids=grids)

    assert run.stopped == (f"{total} steps are done" if total != 1 else "1 step is done")
    assert run.history.step[-1] == total
    if not total:
        assert run.network is network or bits(run.network) == bits(network)


def test_a_target_that_is_met_stops_the_run_early():
    network, data = example()
    data.y_train = network(data.x_train)

    run = kr.fit(network, data, n_steps=50)

    assert run.history.step[-1] == 0
    assert "steps" not in run.stopped


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize(("at", "steps"), [(1, 0), (4, 3), (9, 7)])
def test_a_callback_that_says_true_stops_the_run_there(optimizer, at, steps):
    network, data = example()
    seen = Seen(stop=at)

    run = kr.fit(network, data, optimizer=optimizer, n_steps=5, grids=(3, 4), callback=seen)

    assert len(seen) == at
    assert run.stopped.endswith(f"after step {steps}")
    assert bits(run.network) == bits(seen[-1].network)
    assert run.test_rmse == pytest.approx(rmse(run.network, data.x_test, data.y_test))
    assert not run.interrupted


@pytest.mark.parametrize("optimizer", [*METHODS, Adam(0.5)])
def test_an_interrupt_gives_the_best_network_so_far(optimizer):
    network, data = example()
    seen = Seen(interrupt=9)

    run = kr.fit(network, data, optimizer=optimizer, n_steps=20, callback=seen)

    best = int(np.argmin([step.train_loss for step in seen]))
    assert run.interrupted
    assert "8 steps" in run.stopped
    assert bits(run.network) == bits(seen[best].network)
    assert run.entry == best
    assert run.test_rmse == pytest.approx(rmse(run.network, data.x_test, data.y_test))


def test_the_best_network_of_an_interrupted_run_may_be_of_an_earlier_grid():
    network, data = example(n_intervals=5, n_train=200, f=lambda x: np.sin(9 * x[:, :1]) * x[:, 1:])
    seen = Seen(interrupt=22)  # at the start of a grid that does not contain the one before
    run = kr.fit(network, data, n_steps=20, grids=(5, 7), callback=seen, update_grids=False)

    assert seen[21].n_intervals == 7
    assert run.entry == int(np.argmin([step.train_loss for step in seen]))


def test_an_interrupt_before_the_first_entry_is_passed_on(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "linearize", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kr.fit(*example())


@pytest.fixture
def bars(monkeypatch):
    """Every bar that a run opens."""
    opened = []

    class Bar(tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            opened.append(self)
            self.closed = False

        def close(self):
            super().close()
            self.closed = True

    monkeypatch.setattr("tqdm.tqdm", Bar)
    return opened


@pytest.mark.parametrize("end", ["all", "interrupt", "error"])
def test_a_bar_counts_the_steps_of_all_grids_on_standard_error_and_is_closed(end, bars, capfd):
    network, data = example()
    seen = Seen(interrupt=4 if end == "interrupt" else None)

    def fails(step):
        raise ArithmeticError

    options = {"n_steps": 5, "grids": (3, 4), "progress": True}
    if end == "error":
        with pytest.raises(ArithmeticError):
            kr.fit(network, data, callback=fails, **options)
    else:
        kr.fit(network, data, callback=seen, **options)

    (bar,) = bars
    assert bar.unit == "step"
    assert (bar.total, bar.n, bar.closed) == (10, {"all": 10, "interrupt": 3, "error": 0}[end], True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "train" in err or end == "error"


# --- nothing else changes


@pytest.mark.parametrize("method", [*METHODS, Adam(batch_size=16)])
def test_the_same_seed_gives_the_same_bits_whoever_watches(method, capfd):
    network, data = example()
    other = SimpleNamespace(**{**vars(data), "x_test": data.x_test[:5], "y_test": data.y_test[:5]})
    options = {"optimizer": method, "n_steps": 6, "grids": (3, 4), "validation_share": 0.2}

    runs = [
        kr.fit(network, own, rng=np.random.default_rng(seed), callback=watcher, **options)
        for own, seed, watcher in ((data, 0, None), (other, 0, Seen()), (data, 1, None))
    ]

    assert bits(runs[0].network) == bits(runs[1].network) != bits(runs[2].network)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("optimizer", METHODS)
def test_the_network_and_the_data_that_came_stay(optimizer):
    network, data = example()
    before = bits(network), {name: array.copy() for name, array in vars(data).items()}

    kr.fit(network, data, optimizer=optimizer, n_steps=8, grids=(3, 6))

    assert bits(network) == before[0]
    for name, array in vars(data).items():
        np.testing.assert_array_equal(array, before[1][name])


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize("names", [("coef",), ("w_base", "w_spline")])
def test_only_what_is_trainable_moves(optimizer, names):
    network, data = example()
    run = kr.fit(network, data, optimizer=optimizer, n_steps=5, trainable=names, update_grids=False)

    free = trainable_places(network, names)
    moved = run.network.theta != network.theta
    assert moved[free].mean() > 0.8
    assert not moved[~free].any()


@pytest.mark.parametrize("optimizer", METHODS)
def test_dead_edges_stay_dead_and_keep_what_they_held(optimizer):
    network, data = example()
    network = kr.mask_edges(network, 0, np.array([[1.0, 0.0], [1.0, 1.0]]))

    run = kr.fit(network, data, optimizer=optimizer, n_steps=5, update_grids=False)

    before, after = network.layers[0], run.network.layers[0]
    np.testing.assert_array_equal(after.mask, before.mask)
    np.testing.assert_array_equal(after.coef[0, 1], before.coef[0, 1])
    assert (after.coef[1, 1] != before.coef[1, 1]).any()


def test_least_squares_by_chunks_are_least_squares(monkeypatch):
    network, data = example()
    stored = kr.fit(network, data, n_steps=6, smoothness_weight=1e-4)
    monkeypatch.setattr(terms_module, "MOST_ENTRIES", 1)
    monkeypatch.setattr(terms_module, "_CHUNK_ENTRIES", 500)

    by_chunks = kr.fit(network, data, n_steps=6, smoothness_weight=1e-4)

    np.testing.assert_allclose(by_chunks.history.train_rmse, stored.history.train_rmse, rtol=1e-6)


def test_least_squares_of_many_samples_need_memory_for_a_chunk_alone():
    network, data = example(widths=(2, 5, 1), n_intervals=5, n_train=100_000)
    kr.fit(network, samples(toy, 2, np.random.default_rng(0)), n_steps=1)  # loads what it needs

    tracemalloc.start()
    try:
        kr.fit(network, data, n_steps=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 100 * 2**20


# --- grids that move


def outside(network, x):
    """How far activations lie outside the grids of their layers, at most."""
    inputs = list(layer_inputs(network.layers, x))[: len(network.layers)]
    return max(
        float(np.maximum(layer.breakpoints[:, 0] - own, own - layer.breakpoints[:, -1]).max(initial=0))
        for layer, own in zip(network.layers[1:], inputs[1:], strict=True)
    )


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs"])
def test_hidden_grids_follow_activations_and_the_best_network_of_the_grid_is_kept(optimizer):
    network, data = growing(0)
    seen = Seen()

    run = kr.fit(network, data, optimizer=optimizer, n_steps=60, callback=seen)

    grids = [step.network.layers[1].knots.tobytes() for step in seen]
    changes = [n for n in range(1, len(grids)) if grids[n] != grids[n - 1]]
    assert changes  # they moved, after a check at 5, 10, ..., 50
    assert {seen[n].step - 1 for n in changes} <= set(range(5, 51, 5))
    assert outside(network, data.x_train) == 0.0
    assert run.history.step.tolist() == list(range(run.history.step[-1] + 1))
    best = int(np.argmin(run.history.train_loss))
    assert run.entry == best
    assert bits(run.network) == bits(seen[best].network)


def test_grids_stay_where_they_may_not_follow_or_hold_all_activations():
    network, data = growing(0)
    fixed = kr.fit(network, data, n_steps=30, update_grids=False)
    assert outside(fixed.network, data.x_train) > 0.0

    network, data = example()
    run = kr.fit(network, data, n_steps=3)
    for before, after in zip(network.layers, run.network.layers, strict=True):
        np.testing.assert_array_equal(before.knots, after.knots)


def test_grids_are_checked_up_to_step_50_and_not_after_the_last_step():
    data = example()[1]
    own = data.x_train, data.y_train

    def checked(n_steps, follow=True):
        plan = Plan(LM(), n_steps, (None,), follow, MSE, own, None, 0.0, None, (), None)
        return list(plan.grid_checks)

    assert checked(100) == list(range(0, 51, 5))
    assert checked(51) == list(range(0, 51, 5))
    assert checked(50) == list(range(0, 50, 5))
    assert checked(5) == [0]
    assert checked(0) == checked(100, follow=False) == []


# --- mini-batches


def test_batches_use_every_sample_once_before_one_comes_again(monkeypatch):
    network, data = example(n_train=10)
    drawn = []
    on_samples = DataTerm.on_samples

    def spy(term, rows):
        drawn.append(rows.tolist())
        return on_samples(term, rows)

    monkeypatch.setattr(DataTerm, "on_samples", spy)
    kr.fit(network, data, optimizer=Adam(batch_size=4), n_steps=5, rng=np.random.default_rng(0))

    assert [len(rows) for rows in drawn] == [4, 4, 2, 4, 4, 2]  # the start, and five steps
    assert sorted(chain(*drawn[:3])) == sorted(chain(*drawn[3:])) == list(range(10))
    assert drawn[:3] != drawn[3:]


def test_a_batch_of_all_samples_is_the_whole_objective():
    network, data = example()
    options = {"n_steps": 5, "smoothness_weight": 0.1}
    whole = kr.fit(network, data, optimizer="adam", **options)
    rng = np.random.default_rng(0)

    run = kr.fit(network, data, optimizer=Adam(batch_size=10_000), rng=rng, **options)

    np.testing.assert_allclose(run.network.theta, whole.network.theta, rtol=1e-8)


def test_with_batches_the_last_network_is_returned_with_errors_of_all_samples():
    network, data = example()
    seen = Seen()
    run = kr.fit(
        network,
        data,
        optimizer=Adam(0.3, batch_size=7),
        n_steps=11,
        penalty=1e-3,
        rng=np.random.default_rng(0),
        callback=seen,
    )

    assert bits(run.network) == bits(seen[-1].network)
    assert run.train_rmse == pytest.approx(rmse(run.network, data.x_train, data.y_train))
    assert seen[-1].train_rmse != run.train_rmse


def test_an_interrupted_run_with_batches_returns_its_last_network():
    network, data = example()
    seen, rng = Seen(interrupt=9), np.random.default_rng(0)

    run = kr.fit(network, data, optimizer=Adam(0.5, 7), n_steps=20, callback=seen, rng=rng)

    assert np.argmin([step.train_loss for step in seen]) < 8
    assert bits(run.network) == bits(seen[-1].network)
    assert run.train_rmse == pytest.approx(rmse(run.network, data.x_train, data.y_train))


def test_batches_need_a_generator():
    with pytest.raises(TypeError, match="rng"):
        kr.fit(*example(), optimizer=Adam(batch_size=4))


# --- held-out samples


@pytest.mark.parametrize("optimizer", METHODS)
def test_the_network_with_the_smallest_held_out_loss_is_returned(optimizer):
    network, data = example(n_train=30)
    data.y_train = data.y_train + np.random.default_rng(5).normal(size=data.y_train.shape)

    run = kr.fit(network, data, optimizer=optimizer, n_steps=40, grids=(3, 6), validation_share=0.3)

    assert run.entry == int(np.argmin(run.history.validation_loss))
    best = run.history.validation_rmse[run.entry]
    assert best < run.history.validation_rmse[-1]
    assert run.test_rmse == pytest.approx(rmse(run.network, data.x_test, data.y_test))


def test_training_does_not_see_the_held_out_samples():
    network, data = example()
    seen = Seen()
    run = kr.fit(network, data, n_steps=4, validation_share=0.25, callback=seen)
    n_held = 15
    n_kept = 45

    for step in seen:  # the mean of all losses is that of both parts
        whole = mean_square(step.network(data.x_train), data.y_train)
        parts = n_held * step.validation_loss + n_kept * step.train_loss
        assert parts / 60 == pytest.approx(whole, rel=1e-10)
    assert np.isnan(kr.fit(network, data, n_steps=1).history.validation_loss).all()
    assert not np.isnan(run.history.validation_loss).any()


@pytest.mark.parametrize(("n_steps", "patience"), [(40, 10), (100, 20)])
def test_a_grid_ends_after_a_fifth_of_its_steps_without_a_smaller_held_out_loss(n_steps, patience):
    network, data = example(n_train=20)
    data.y_train = np.random.default_rng(5).normal(size=data.y_train.shape)

    run = kr.fit(network, data, n_steps=n_steps, validation_share=0.4)

    assert run.stopped == f"no smaller held-out loss in {patience} steps"
    assert run.history.step[-1] == run.entry + patience


def test_a_grid_without_a_smaller_held_out_loss_ends_the_run():
    network, data = example(n_train=20)
    data.y_train = np.random.default_rng(10).normal(size=data.y_train.shape)

    run = kr.fit(network, data, n_steps=40, grids=(3, 6, 12, 24), validation_share=0.4)

    assert (run.network.n_intervals, run.history.n_intervals[-1]) == (6, 12)
    assert run.stopped == "no smaller held-out loss on the last grid"


def test_classes_are_held_out_by_their_loss():
    network, data = example(widths=(2, 2), n_train=40)
    rng = np.random.default_rng(10)
    data.y_train, data.y_test = rng.integers(2, size=40), rng.integers(2, size=40)

    run = kr.fit(network, data, loss="cross_entropy", n_steps=60, validation_share=0.5)

    history = run.history
    assert run.entry == int(np.argmin(history.validation_loss))
    assert np.argmin(history.validation_rmse) != run.entry
    assert 0.0 < history.validation_accuracy[run.entry] < 1.0


def test_the_first_of_equal_values_is_kept_and_one_that_is_not_finite_beats_none():
    _, data = example()
    own = data.x_train, data.y_train
    log = Log(Plan(LM(), 9, (None,), True, MSE, own, None, 0.0, None, (), None), None, own, None)
    log.enter_grid(None)

    kept = []
    for value in (np.nan, 2.0, 1.0, 1.0, np.inf):
        log.entries.append(None)
        log.keep(value, None if np.isnan(value) else value)
        kept.append((log.best[2], log.best_here[2], log.waited))

    assert kept == [(0, 0, 0), (1, 1, 0), (2, 2, 0), (2, 2, 1), (2, 2, 2)]


def test_an_interrupted_run_returns_the_network_with_the_smallest_held_out_loss():
    network, data = example(n_train=20)
    data.y_train = np.random.default_rng(5).normal(size=data.y_train.shape)
    seen = Seen(interrupt=16)

    run = kr.fit(network, data, n_steps=40, validation_share=0.4, callback=seen)

    best = int(np.argmin([step.validation_loss for step in seen]))
    assert best < 15
    assert bits(run.network) == bits(seen[best].network)


# --- equations


def poisson(n=30):
    """u'' = -pi^2 sin(pi x), u(-1) = u(1) = 0."""
    x, ends = np.linspace(-1, 1, n)[:, None], np.array([[-1.0], [1.0]])
    terms = [
        kr.linear_term(x, second=np.ones((1, 1)), source=-(np.pi**2) * np.sin(np.pi * x)),
        kr.value_term(ends, np.zeros((2, 1)), weight=10.0),
    ]
    return terms, x, np.sin(np.pi * x)


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs"])
def test_equations_are_solved_and_a_known_solution_is_test_data(optimizer):
    terms, x, solution = poisson()
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    known = SimpleNamespace(x_train=x[:0], y_train=solution[:0], x_test=x, y_test=solution)

    run = kr.fit(network, known, equations=terms, grids=(5, 10), n_steps=60, optimizer=optimizer)

    assert run.test_rmse < 1e-3
    assert run.test_rmse == pytest.approx(rmse(run.network, x, solution))
    assert np.isnan(kr.fit(network, equations=terms, n_steps=1).test_rmse)


def test_equations_and_data_add_to_one_objective():
    terms, x, solution = poisson()
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 2, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    data = SimpleNamespace(x_train=x, y_train=solution, x_test=x, y_test=solution)
    seen = Seen()
    alone = kr.fit(network, equations=terms, n_steps=0)

    run = kr.fit(network, data, equations=terms, n_steps=5, smoothness_weight=1e-3, callback=seen)

    expected = alone.train_rmse**2 + mean_square(network(x), solution)
    assert seen[0].train_loss == pytest.approx(expected, rel=1e-10)
    assert seen[0].penalty == pytest.approx(1e-3 * smoothness(network), rel=1e-9)
    total = run.history.train_loss + run.history.penalty
    assert (np.diff(total) <= 0.0).all()
    assert run.train_rmse == pytest.approx(np.sqrt(run.history.train_loss[-1]))


def test_hidden_grids_hold_the_points_of_equations_and_the_samples():
    rng = np.random.default_rng(0)
    x, far = np.linspace(0.0, 1.0, 20)[:, None], np.linspace(-4.0, -3.0, 20)[:, None]
    shape = {"n_intervals": 4, "degree": 3, "domain": (-5.0, 2.0), "base": "identity"}
    network = kr.init_network((1, 2, 1), **shape, rng=rng)
    data = SimpleNamespace(x_train=x, y_train=x, x_test=x, y_test=x)

    options = {"grids": (5,), "n_steps": 0}

    run = kr.fit(network, data, equations=[kr.value_term(far, far)], **options)

    assert outside(run.network, np.concatenate([x, far])) == 0.0
    assert outside(kr.fit(network, data, **options).network, far) > 0.0


@pytest.mark.parametrize("options", [{"loss": "logistic"}, {"penalty": 0.1}, {"optimizer": Adam(batch_size=4)}])
def test_equations_are_a_sum_of_squares_over_all_points(options):
    terms, *_ = poisson()
    network = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(-1, 1), rng=np.random.default_rng(0))

    with pytest.raises(ValueError, match="equations"):
        kr.fit(network, equations=terms, rng=np.random.default_rng(0), **options)


# --- protections


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_train": np.zeros(60)}, r"y_train.*\(60,\)"),
        ({"y_train": np.zeros((1, 1))}, "y_train.*1.*60"),
        ({"y_train": np.zeros((60, 2))}, r"y_test.*\(40, 2\)"),
        ({"x_train": np.zeros((60, 1))}, r"x_test.*\(n_test, 1\)"),
        ({"x_train": np.full((60, 2), np.nan)}, "x_train.*nan.*row 0.*column 0"),
        ({"y_test": np.full((40, 1), np.inf)}, "y_test.*inf.*row 0.*column 0"),
        ({"x_test": np.zeros((3, 2))}, "y_test.*40.*3"),
    ],
)
def test_data_that_would_broadcast_or_are_not_finite_are_refused(changes, words):
    network, data = example()

    with pytest.raises(ValueError, match=words):
        kr.fit(network, SimpleNamespace(**{**vars(data), **changes}))


def test_labels_of_classes_are_not_fitted_as_numbers():
    network, data = example()
    data.y_train = np.arange(60) % 2

    with pytest.raises(ValueError, match="y_train"):
        kr.fit(network, data)


def test_an_edge_that_is_undefined_at_a_training_sample_is_named():
    network, data = example()
    network = kr.fix_symbolic(network, 0, output=0, input=1, name="log", affine=(1, 0, 1, 0))

    with pytest.raises(ValueError, match=r"x_train.*log"):
        kr.fit(network, data)


@pytest.mark.parametrize("grids", [(2,), (3, 2), (5, 3, 10), ()])
def test_grids_never_fall(grids):
    with pytest.raises(ValueError, match="grids"):
        kr.fit(*example(), grids=grids)


def test_a_model_without_grids_has_no_schedule():
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))

    with pytest.raises(ValueError, match="grids"):
        kr.fit(mlp, example()[1], grids=(4,))


def test_something_to_fit_is_needed():
    network, data = example()
    none = {"x_train": data.x_train[:0], "y_train": data.y_train[:0]}
    nothing = SimpleNamespace(**{**vars(data), **none})

    with pytest.raises(ValueError, match="data"):
        kr.fit(network)
    with pytest.raises(ValueError, match="x_train"):
        kr.fit(network, nothing)
    with pytest.raises(ValueError, match="validation_share"):
        kr.fit(network, data, validation_share=0.51)
    with pytest.raises(TypeError, match="y_test"):
        kr.fit(network, SimpleNamespace(x_train=0, y_train=0, x_test=0))


def test_a_callback_may_say_why_it_stops():
    network, data = example()

    run = kr.fit(network, data, callback=lambda step: "enough" * (step.step == 2))

    assert (run.stopped, run.history.step[-1]) == ("enough", 2)


def test_data_with_units_beside_equations_with_scales_are_refused():
    t = np.linspace(0.0, 100.0, 11)[:, None]
    scales = kr.Scales(domain=[(0.0, 100.0)], values=(0.0, 5.0))
    symbol = sympy.Symbol("t")
    u = sympy.Function("u")(symbol)
    term = kr.equation_term(u.diff(symbol) + u / 50, t, scales=scales)
    net = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))

    with pytest.raises(ValueError, match="x_test has units"):
        kr.fit(net, kr.Data(t[:0], t[:0], t, t), equations=[term])
    x, y = scales.inputs(t), scales.outputs(t)
    assert np.isfinite(kr.fit(net, kr.Data(x[:0], y[:0], x, y), equations=[term]).test_rmse)


def test_docs_usage_names_exactly_the_modules_that_a_step_runs_through():
    calls = {}

    def watch(frame, event, _):
        name, code = frame.f_globals.get("__name__", ""), frame.f_code
        is_ours = name.startswith("kan_ref.") and code.co_filename.endswith(".py")
        if event == "call" and is_ours and not code.co_name.startswith("<"):
            calls[name.removeprefix("kan_ref."), code.co_qualname] = None

    def second_step_alone(step):
        sys.setprofile(watch if step.step == 1 else None)

    data = kr.sample("exp_sin", n_train=100, n_test=100, rng=np.random.default_rng(0))
    net = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=data.x_train, rng=np.random.default_rng(0))
    kr.fit(net, data, optimizer="adam", n_steps=3, callback=second_step_alone)

    page = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
    section = page.split("## How a step works")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+\.\w+)`", section)) - {"kr.fit"}
    assert named == {module for module, _ in calls}
