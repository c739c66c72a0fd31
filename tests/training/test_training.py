"""Training: what a run records, why it stops, what it never touches, and that it does the same again."""

import contextlib
import re
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from networks import SPLINE_ARRAYS
from oracles_training import (
    bits,
    covered_network,
    mean_square,
    root_mean_square,
    samples,
    smoothness,
)
from tqdm import tqdm

import kan_ref as kr
from kan_ref.network.refinement import refine

OPTIMIZERS = ("lm", "lbfgs")
FIELDS = [
    "step",
    "n_intervals",
    "train_rmse",
    "test_rmse",
    "penalty",
    "n_evaluations",
    "seconds",
    "train_loss",
    "test_loss",
    "train_accuracy",
    "test_accuracy",
    "validation_rmse",
    "validation_loss",
    "validation_accuracy",
]


def toy(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def example(*, widths=(2, 2, 1), degree=3, n_intervals=3, seed=0, f=toy, **options):
    rng = np.random.default_rng(seed)
    data = samples(f, widths[0], rng, **options)
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), x=data.x_train, rng=rng
    ), data


@pytest.fixture
def bars(monkeypatch):
    """Every bar that a run opens, kept, so that none is closed merely because it was forgotten."""
    opened = []

    class Bar(tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            opened.append(self)

    monkeypatch.setattr("tqdm.tqdm", Bar)
    return opened


def closed(bar):
    """What tqdm sets when a bar is taken away."""
    return bar.disable


def columns(history, without=()):
    return {name: getattr(history, name) for name in FIELDS if name not in without}


# --- it learns


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, None])
def test_errors_fall(optimizer):
    network, data = example(n_train=200)

    run = kr.fit(network, data, optimizer=optimizer, n_steps=60)

    assert run.history.train_rmse[-1] < 0.1 * run.history.train_rmse[0]
    assert run.history.test_rmse[-1] < 0.2 * run.history.test_rmse[0]


def test_levenberg_marquardt_is_the_default():
    network, data = example()

    assert bits(kr.fit(network, data, n_steps=5).network) == bits(
        kr.fit(network, data, n_steps=5, optimizer="lm").network
    )


def test_a_curve_that_the_network_holds_is_found_to_rounding():
    """One layer is linear in its parameters but for w_spline times coef: the residuals can vanish, and do."""
    rng = np.random.default_rng(0)
    network, data = example(widths=(2, 1), n_train=300)
    truth = network.with_theta(rng.normal(size=network.n_params))
    data = SimpleNamespace(
        x_train=data.x_train,
        y_train=truth(data.x_train),
        x_test=data.x_test,
        y_test=truth(data.x_test),
    )

    run = kr.fit(network, data, n_steps=200)

    assert run.history.train_rmse[-1] <= 1e-12
    assert run.history.test_rmse[-1] <= 1e-10


def test_several_outputs_are_learned_together():
    network, data = example(
        widths=(2, 3, 2), n_train=200, f=lambda x: np.hstack([toy(x), x[:, :1] * x[:, 1:]])
    )

    run = kr.fit(network, data, n_steps=60)

    apart = np.sqrt(np.mean((run.network(data.x_test) - data.y_test) ** 2, axis=0))
    assert (apart < 0.2 * np.std(data.y_test, axis=0)).all()


def test_a_weight_on_smoothness_buys_a_smoother_network():
    network, data = example(widths=(2, 1), n_intervals=20, n_train=60)

    plain, smooth = (
        kr.fit(network, data, n_steps=40, smoothness_weight=weight) for weight in (0.0, 1e-2)
    )

    assert smoothness(smooth.network) < 0.1 * smoothness(plain.network)
    assert smooth.history.train_rmse[-1] > plain.history.train_rmse[-1]


# --- the same again


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_two_runs_give_the_same_bits(optimizer):
    runs = []
    for _ in range(2):
        network, data = example()
        runs.append(
            kr.fit(
                network, data, optimizer=optimizer, n_steps=12, grids=(3, 6), smoothness_weight=1e-6
            )
        )

    assert bits(runs[0].network) == bits(runs[1].network)
    assert runs[0].stopped == runs[1].stopped
    for name, column in columns(runs[0].history, without=["seconds"]).items():
        np.testing.assert_array_equal(column, getattr(runs[1].history, name))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_test_data_influence_nothing_but_their_own_error(optimizer):
    network, data = example()
    other = SimpleNamespace(
        x_train=data.x_train,
        y_train=data.y_train,
        x_test=9.0 * data.x_test[:7],
        y_test=-data.y_test[:7],
    )

    one, two = (
        kr.fit(network, d, optimizer=optimizer, n_steps=12, grids=(3, 6)) for d in (data, other)
    )

    assert bits(one.network) == bits(two.network)
    # of the samples only the second run says that they leave the grids
    assert two.stopped.startswith(f"{one.stopped}; of 7 samples of x_test 7 leave the grids")
    for name, column in columns(one.history, without=["seconds", "test_rmse", "test_loss"]).items():
        np.testing.assert_array_equal(column, getattr(two.history, name))
    assert (one.history.test_rmse != two.history.test_rmse).all()


def test_a_callback_that_watches_and_a_bar_change_nothing(capfd):
    network, data = example()

    plain = kr.fit(network, data, n_steps=8)
    watched = kr.fit(network, data, n_steps=8, callback=lambda step: None, progress=True)

    assert bits(plain.network) == bits(watched.network)
    assert capfd.readouterr().out == ""


def test_the_order_of_the_samples_matters_to_rounding_only():
    network, data = example(n_train=100)
    order = np.random.default_rng(1).permutation(100)
    mixed = SimpleNamespace(
        x_train=data.x_train[order],
        y_train=data.y_train[order],
        x_test=data.x_test,
        y_test=data.y_test,
    )

    one, two = (kr.fit(network, d, n_steps=5) for d in (data, mixed))

    np.testing.assert_allclose(two.history.train_rmse, one.history.train_rmse, rtol=1e-9)


# --- the history


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_there_is_an_entry_at_the_start_of_each_grid_and_after_every_step(optimizer):
    network, data = example()

    history = kr.fit(network, data, optimizer=optimizer, n_steps=4, grids=(3, 6, 12)).history

    assert list(vars(history)) == FIELDS
    assert history.step.tolist() == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12]
    assert history.n_intervals.tolist() == [3] * 5 + [6] * 5 + [12] * 5
    assert {column.shape for column in columns(history).values()} == {(15,)}
    assert {
        history.step.dtype.kind,
        history.n_intervals.dtype.kind,
        history.n_evaluations.dtype.kind,
    } == {"i"}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("weight", [0.0, 1e-3])
def test_every_entry_is_the_network_that_the_callback_sees(optimizer, weight):
    network, data = example()
    seen = []

    history = kr.fit(
        network,
        data,
        optimizer=optimizer,
        n_steps=4,
        grids=(3, 6),
        smoothness_weight=weight,
        test_every=1,
        callback=seen.append,
    ).history

    assert len(seen) == len(history.step) == 10
    for place, step in enumerate(seen):
        shown = [getattr(step, name) for name in FIELDS]
        np.testing.assert_array_equal(
            shown, [column[place] for column in columns(history).values()]
        )
        assert step.train_rmse == pytest.approx(
            root_mean_square(step.network(data.x_train), data.y_train), rel=1e-12
        )
        assert step.test_rmse == pytest.approx(
            root_mean_square(step.network(data.x_test), data.y_test), rel=1e-12
        )
        assert step.penalty == pytest.approx(weight * smoothness(step.network), rel=1e-9)


def test_the_loss_is_the_square_of_the_error_and_there_is_no_accuracy_without_classes():
    network, data = example()

    history = kr.fit(network, data, n_steps=4).history

    np.testing.assert_allclose(history.train_loss, history.train_rmse**2, rtol=1e-14)
    np.testing.assert_allclose(history.test_loss, history.test_rmse**2, rtol=1e-14)
    assert np.isnan(history.train_accuracy).all()
    assert np.isnan(history.test_accuracy).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_last_entry_is_the_network_that_is_returned(optimizer):
    network, data = example()
    seen = []

    run = kr.fit(network, data, optimizer=optimizer, n_steps=7, grids=(3, 5), callback=seen.append)

    assert bits(run.network) == bits(seen[-1].network)
    assert run.history.train_rmse[-1] == pytest.approx(
        np.sqrt(mean_square(run.network(data.x_train), data.y_train)), rel=1e-12
    )
    assert run.history.test_rmse[-1] == pytest.approx(
        np.sqrt(mean_square(run.network(data.x_test), data.y_test)), rel=1e-12
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("weight", [0.0, 1e-4])
def test_the_objective_never_rises_on_one_grid(optimizer, weight):
    network, data = example()

    history = kr.fit(
        network,
        data,
        optimizer=optimizer,
        n_steps=25,
        grids=(3, 6),
        smoothness_weight=weight,
        update_grids=False,
    ).history

    objective = history.train_rmse**2 + history.penalty
    for n_intervals in (3, 6):
        on_grid = objective[history.n_intervals == n_intervals]
        assert len(on_grid) > 10
        assert (np.diff(on_grid) <= 1e-15 * on_grid[:-1]).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_evaluations_and_seconds_add_up_over_grids(optimizer):
    network, data = example()

    history = kr.fit(network, data, optimizer=optimizer, n_steps=5, grids=(3, 6)).history

    after_steps = np.diff(history.step) == 1
    assert history.n_evaluations[0] == 0
    assert (np.diff(history.n_evaluations)[after_steps] >= 1).all()
    assert (np.diff(history.n_evaluations) >= 0).all()
    assert history.seconds[0] >= 0
    assert (np.diff(history.seconds) > 0).all()


def test_evaluations_count_the_calls_of_the_objective(monkeypatch):
    """Two grids with a restart in between: every call that an optimizer made before an entry is counted in it."""
    from kan_ref.training.objective import Objective

    network, data = example()
    calls, at_entries = [0], []
    plain = Objective.value_and_grad

    def counted(self, theta):
        calls[0] += 1
        return plain(self, theta)

    monkeypatch.setattr(Objective, "value_and_grad", counted)
    run = kr.fit(
        network,
        data,
        optimizer="lbfgs",
        n_steps=6,
        grids=(3, 6),
        callback=lambda step: at_entries.append(calls[0]),
    )

    assert run.history.n_evaluations.tolist() == at_entries


def test_a_finer_grid_starts_where_the_coarser_one_ended():
    network, data = example(widths=(2, 1), n_train=200)

    history = kr.fit(network, data, n_steps=10, grids=(3, 6)).history

    first, second = (
        np.flatnonzero(history.n_intervals == 3)[-1],
        np.flatnonzero(history.n_intervals == 6)[0],
    )
    assert history.train_rmse[second] == pytest.approx(history.train_rmse[first], rel=1e-10)


def test_records_print_in_one_line():
    network, data = example()

    run = kr.fit(network, data, n_steps=2)

    assert repr(run.history) == f"History(3 entries: {', '.join(FIELDS)})"
    assert repr(run).startswith(f"Run({run.network!r}, 2 steps, train_rmse ")
    assert repr(run).endswith("stopped '2 steps are done')")


def test_a_step_prints_its_numbers_and_no_network():
    network, data = example()
    seen = []

    kr.fit(network, data, n_steps=0, callback=seen.append)

    assert repr(seen[0]).startswith("Step(step=0, n_intervals=3, train_rmse=")
    assert "Network" not in repr(seen[0])


# --- how it stops


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_steps_leave_the_network_and_say_so(optimizer):
    network, data = example()

    run = kr.fit(network, data, optimizer=optimizer, n_steps=0)

    assert bits(run.network) == bits(network)
    assert run.history.step.tolist() == [0]
    assert run.history.n_evaluations.tolist() == [0]
    assert run.stopped == "0 steps are done"


def test_no_steps_on_finer_grids_only_refine():
    network, data = example()

    run = kr.fit(network, data, n_steps=0, grids=(3, 9))

    assert run.stopped == "0 steps are done"
    assert bits(run.network) == bits(refine(network, data.x_train, 9))
    assert run.history.step.tolist() == [0, 0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_that_uses_its_steps_says_so(optimizer):
    network, data = example()

    assert (
        kr.fit(network, data, optimizer=optimizer, n_steps=3, update_grids=False).stopped
        == "3 steps are done"
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_of_all_grids_are_counted(optimizer):
    network, data = example()

    run = kr.fit(network, data, optimizer=optimizer, n_steps=3, grids=(3, 5, 6))

    assert run.history.step[-1] == 9
    assert run.stopped.partition(";")[0] == "9 steps are done"


def test_a_constant_target_that_is_met_stops_the_run_early():
    network, data = example(widths=(2, 1), f=lambda x: np.full((len(x), 1), 2.5))

    run = kr.fit(network, data, n_steps=200)

    assert run.history.step[-1] < 200
    assert run.history.train_rmse[-1] <= 1e-12
    np.testing.assert_allclose(run.network(data.x_train), 2.5, rtol=1e-11)
    assert "steps are done" not in run.stopped


@pytest.mark.parametrize("answer", [True, np.True_, 1])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_callback_that_says_true_stops_the_run_there(optimizer, answer):
    network, data = example()

    run = kr.fit(
        network,
        data,
        optimizer=optimizer,
        n_steps=20,
        grids=(3, 6),
        callback=lambda step: answer if step.step == 3 else None,
    )

    assert run.history.step.tolist() == [0, 1, 2, 3]
    assert run.stopped == "the callback asked to stop after step 3"
    assert [layer.n_intervals for layer in run.network.layers] == [3, 3]
    assert root_mean_square(run.network(data.x_train), data.y_train) == pytest.approx(
        run.history.train_rmse[-1], rel=1e-12
    )


def test_the_sentence_counts_steps_from_the_start_of_the_run():
    network, data = example()

    run = kr.fit(network, data, n_steps=4, grids=(3, 6), callback=lambda step: step.step == 6)

    assert run.history.step[-1] == 6
    assert run.stopped == "the callback asked to stop after step 6"


def test_a_callback_can_stop_at_the_start_of_a_run_and_of_a_grid():
    network, data = example()

    at_once = kr.fit(network, data, callback=lambda step: True)
    at_second = kr.fit(
        network, data, n_steps=2, grids=(3, 6, 12), callback=lambda step: step.n_intervals == 6
    )

    assert at_once.history.step.tolist() == [0]
    assert bits(at_once.network) == bits(network)
    assert at_once.stopped == "the callback asked to stop after step 0"
    assert at_second.history.step.tolist() == [0, 1, 2, 2]
    assert at_second.history.n_intervals.tolist() == [3, 3, 3, 6]
    assert at_second.network.layers[0].n_intervals == 6
    assert at_second.stopped == "the callback asked to stop after step 2"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_interrupt_gives_the_best_network_so_far(optimizer, capfd, bars):
    network, data = example()
    seen = []

    def interrupt(step):
        seen.append(step)
        if step.step == 6:
            raise KeyboardInterrupt

    run = kr.fit(
        network,
        data,
        optimizer=optimizer,
        n_steps=4,
        grids=(3, 6),
        callback=interrupt,
        progress=True,
    )

    best = min(seen, key=lambda step: step.train_rmse)
    assert bits(run.network) == bits(best.network)
    which = "" if best is seen[-1] else f", that of step {best.step}"
    assert run.stopped == f"interrupted after 6 steps: this is the best network so far{which}"
    assert run.history.step.tolist() == [0, 1, 2, 3, 4, 4, 5, 6]
    assert [closed(bar) for bar in bars] == [True]
    assert capfd.readouterr().out == ""


def test_the_best_network_may_be_one_before_the_grid_changed():
    """Refinement to no multiple can cost something: an interrupt right after it gives back what was there before."""
    network, data = example(n_intervals=4, n_train=300)
    seen = []

    def interrupt(step):
        seen.append(step)
        if step.n_intervals == 5:
            raise KeyboardInterrupt

    run = kr.fit(network, data, n_steps=30, grids=(4, 5), callback=interrupt)

    assert seen[-1].train_rmse > seen[-2].train_rmse
    assert bits(run.network) == bits(seen[-2].network)


def stop_at(number):
    def interrupt(step):
        if step.step == number:
            raise KeyboardInterrupt

    return interrupt


LARGE_STEPS = {"optimizer": "adam", "learning_rate": 0.3, "n_steps": 12}
RUNS = {
    "the last of its steps": {"n_steps": 3},
    "the best where hidden grids moved": LARGE_STEPS,
    "the best before an interrupt": LARGE_STEPS | {"callback": stop_at(11)},
    "the best on held-out samples": LARGE_STEPS | {"validation_share": 0.2, "grids": (3, 6)},
    "the best of the grid before": LARGE_STEPS | {"grids": (3, 4), "callback": stop_at(13)},
    "the last of mini-batches": LARGE_STEPS | {"batch_size": 7, "rng": np.random.default_rng(0)},
    "the only one": {"n_steps": 0},
}


@for_all("name", RUNS)
def test_the_entry_of_a_run_has_the_errors_of_its_network(name):
    network, data = example(widths=(2, 3, 3, 1), n_train=60, n_test=50)

    run = kr.fit(network, data, **RUNS[name])

    test = root_mean_square(run.network(data.x_test), data.y_test)
    assert run.test_rmse == run.history.test_rmse[run.entry] == pytest.approx(test, rel=1e-10)
    assert f"test_rmse {test:.2e}" in repr(run)
    if "validation_share" not in RUNS[name]:
        train = root_mean_square(run.network(data.x_train), data.y_train)
        assert run.train_rmse == run.history.train_rmse[run.entry]
        assert run.train_rmse == pytest.approx(train, rel=1e-10)
        assert f"train_rmse {train:.2e}" in repr(run)
    else:
        assert run.entry == np.argmin(run.history.validation_loss)
    step = run.history.step[run.entry]
    assert (f"that of step {step}" in run.stopped) == (
        step < run.history.step[-1] or "validation_share" in RUNS[name]
    )


def test_an_interrupt_before_the_first_entry_gives_the_network_as_it_came(monkeypatch):
    network, data = example()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("kan_ref.training.fitting.refine", interrupt)
    run = kr.fit(network, data, grids=(6,))

    assert bits(run.network) == bits(network)
    assert run.history.step.shape == (0,)
    assert {run.history.step.dtype.kind, run.history.n_intervals.dtype.kind} == {"i"}
    assert run.history.n_evaluations.dtype.kind == "i"
    assert run.history.train_rmse.dtype.kind == "f"
    assert run.stopped == "interrupted after 0 steps: this is the best network so far"
    assert repr(run) == f"Run({network!r}, stopped {run.stopped!r})"


def test_any_other_exception_of_a_callback_goes_through_and_closes_the_bar(capfd, bars):
    network, data = example()

    def fail(step):
        if step.step == 2:
            raise ZeroDivisionError("the caller's own")

    with pytest.raises(ZeroDivisionError, match="the caller's own"):
        kr.fit(network, data, n_steps=5, callback=fail, progress=True)

    assert [closed(bar) for bar in bars] == [True]
    assert capfd.readouterr().out == ""


# --- the bar


def test_a_run_writes_nothing_at_all(capfd, bars):
    network, data = example()

    kr.fit(network, data, n_steps=3, grids=(3, 6))

    assert capfd.readouterr() == ("", "")
    assert bars == []


def test_the_bar_counts_all_steps_of_all_grids_on_standard_error_alone(capfd, bars):
    network, data = example()

    kr.fit(network, data, n_steps=3, grids=(3, 6), progress=True)

    out, err = capfd.readouterr()
    assert out == ""
    assert "6/6" in err
    assert re.search(r"G 6, train \d\.\de-\d\d, test \d\.\de-\d\d", err)
    assert [(bar.n, bar.total, closed(bar)) for bar in bars] == [(6, 6, True)]


def test_a_run_leaves_numpy_s_error_handling_and_generator_alone():
    network, data = example()
    before, state = np.geterr(), np.random.get_state()[1].copy()  # noqa: NPY002 the global generator is the one that must rest

    kr.fit(network, data, n_steps=2)

    assert np.geterr() == before
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002 as above


def root_of_a_negative_number(*arguments):
    np.sqrt(np.array([-1.0]))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_warnings_of_numpy_in_a_callback_reach_the_caller(optimizer):
    network, data = example()

    with pytest.warns(RuntimeWarning, match="invalid value encountered in sqrt"):
        kr.fit(network, data, optimizer=optimizer, n_steps=1, callback=root_of_a_negative_number)


def test_warnings_of_numpy_in_a_problem_s_function_reach_the_caller():
    def decay(x, u, du, d2u):
        root_of_a_negative_number()
        return du[:, 0, 0] + u[:, 0], np.ones_like(u), np.ones_like(du), None

    network = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(0.0, 1.0), rng=np.random.default_rng(0)
    )
    with np.errstate(invalid="ignore"):
        quiet = kr.residual_problem(
            [kr.function_term(np.linspace(0.0, 1.0, 9)[:, None], decay, order=1)]
        )
    loud = kr.residual_problem(
        [kr.function_term(np.linspace(0.0, 1.0, 9)[:, None], decay, order=1)]
    )

    kr.fit(network, problem=quiet, n_steps=1)
    with (
        np.errstate(invalid="ignore"),
        pytest.warns(RuntimeWarning, match="invalid value encountered in sqrt"),
    ):
        kr.fit(network, problem=loud, n_steps=1)


# --- what it does not touch


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_network_and_the_data_that_came_stay_bit_for_bit(optimizer):
    network, data = example()
    before, arrays = bits(network), {name: array.tobytes() for name, array in vars(data).items()}

    run = kr.fit(network, data, optimizer=optimizer, n_steps=10, grids=(3, 6))

    assert bits(network) == before
    assert {name: array.tobytes() for name, array in vars(data).items()} == arrays
    assert not np.shares_memory(run.network.theta, network.theta)


def test_networks_shown_to_a_callback_cannot_be_changed():
    network, data = example()
    refused = []

    def vandal(step):
        for array in (
            step.network.theta,
            step.network.layers[0].coef,
            step.network.layers[0].knots,
        ):
            with contextlib.suppress(ValueError):
                array[...] = 7.0
                refused.append(False)

    run = kr.fit(network, data, n_steps=3, callback=vandal)

    assert refused == []
    assert bits(run.network) == bits(kr.fit(network, data, n_steps=3).network)


@for_all("optimizer", OPTIMIZERS)
@for_all(
    "names", [("coef",), ("w_base",), ("w_spline",), ("coef", "w_spline"), ("w_spline", "w_base")]
)
def test_only_what_is_trainable_moves(optimizer, names):
    network, data = example()

    run = kr.fit(network, data, optimizer=optimizer, n_steps=5, trainable=names, update_grids=False)

    for old, new in zip(network.layers, run.network.layers, strict=True):
        for name in SPLINE_ARRAYS:
            assert np.array_equal(getattr(new, name), getattr(old, name)) == (name not in names)
    assert run.history.train_rmse[-1] < run.history.train_rmse[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_dead_edges_stay_dead_and_keep_what_they_held(optimizer):
    network, data = example(widths=(2, 3, 1))
    network = kr.mask_edges(network, 0, [[1, 0], [0, 1], [1, 1]])

    run = kr.fit(
        network, data, optimizer=optimizer, n_steps=10, update_grids=False, smoothness_weight=1e-6
    )

    for old, new in zip(network.layers, run.network.layers, strict=True):
        np.testing.assert_array_equal(new.mask, old.mask)
        for name in SPLINE_ARRAYS:
            np.testing.assert_array_equal(
                getattr(new, name)[new.mask == 0], getattr(old, name)[old.mask == 0]
            )
    assert run.history.train_rmse[-1] < 0.5 * run.history.train_rmse[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_network_without_active_edges_has_nothing_to_learn(optimizer):
    network, data = example(widths=(2, 1))
    network = kr.mask_edges(network, 0, [[0, 0]])

    run = kr.fit(network, data, optimizer=optimizer, n_steps=5)

    assert bits(run.network) == bits(network)
    assert run.stopped.startswith("the gradient is exactly zero; the outputs at the start are")
    assert "the outputs at the start are the same for all samples" in run.stopped
    assert run.history.train_rmse[0] == pytest.approx(
        root_mean_square(np.zeros_like(data.y_train), data.y_train), rel=1e-12
    )


# --- data of every kind


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_numbers_of_lower_precision_are_learned_in_float64(kind):
    network, data = example()
    low = SimpleNamespace(**{name: array.astype(kind) for name, array in vars(data).items()})
    same = SimpleNamespace(
        **{name: array.astype(kind).astype(np.float64) for name, array in vars(data).items()}
    )

    run = kr.fit(network, low, n_steps=4)

    assert run.network.theta.dtype == np.float64
    assert bits(run.network) == bits(kr.fit(network, same, n_steps=4).network)


def test_integers_and_nested_lists_are_learned():
    network, _ = example()
    x, y = [[-1, 0], [0, 1], [1, -1], [1, 1]], [[0], [1], [2], [3]]

    run = kr.fit(network, SimpleNamespace(x_train=x, y_train=y, x_test=x, y_test=y), n_steps=30)

    assert run.history.train_rmse[-1] <= 1e-6


def test_arrays_in_any_memory_order_are_learned():
    network, data = example()
    strided = SimpleNamespace(
        **{
            name: np.asfortranarray(np.repeat(array, 2, axis=0))[::2]
            for name, array in vars(data).items()
        }
    )

    assert bits(kr.fit(network, strided, n_steps=4).network) == bits(
        kr.fit(network, data, n_steps=4).network
    )


def test_anything_with_the_four_attributes_is_data():
    network, data = example()

    class Lazy:
        x_train, y_train = data.x_train, data.y_train

        @property
        def x_test(self):
            return data.x_test

        @property
        def y_test(self):
            return data.y_test

    expected = bits(kr.fit(network, data, n_steps=3).network)
    assert bits(kr.fit(network, Lazy(), n_steps=3).network) == expected
    assert bits(kr.fit(network, kr.Data(**vars(data)), n_steps=3).network) == expected


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_data_without_one_of_the_four_attributes_are_refused_by_its_name(name):
    network, data = example()
    delattr(data, name)

    with pytest.raises(
        TypeError, match=rf"^data is a SimpleNamespace without attribute {name}, but needs x_train"
    ):
        kr.fit(network, data)


def test_labels_of_classes_are_not_fitted_as_numbers():
    network, data = example(widths=(2, 1))
    names = np.where(data.x_train[:, 0] > 0.0, "above", "below")
    split = kr.Data.split(data.x_train, names, rng=np.random.default_rng(0))

    with pytest.raises(
        ValueError,
        match=r"^loss is 'mse', but the data hold labels of the 2 classes .*: give loss='cross_entropy'",
    ):
        kr.fit(network, split)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_single_sample_is_learned(optimizer):
    network, data = example()
    one = SimpleNamespace(
        x_train=data.x_train[:1], y_train=data.y_train[:1], x_test=data.x_test, y_test=data.y_test
    )

    run = kr.fit(network, one, optimizer=optimizer, n_steps=30, grids=(3, 6))

    assert run.history.train_rmse[-1] <= 1e-9
    assert np.isfinite(run.network(data.x_test)).all()


def test_samples_outside_the_grid_are_learned_by_the_base_functions():
    network, data = example(widths=(2, 1), f=lambda x: 3.0 * x[:, :1])
    far = SimpleNamespace(
        **{name: array + (40.0 if name[0] == "x" else 0.0) for name, array in vars(data).items()}
    )
    far.y_train, far.y_test = 3.0 * far.x_train[:, :1], 3.0 * far.x_test[:, :1]

    run = kr.fit(network, far, n_steps=20)

    assert run.history.test_rmse[-1] <= 1e-9
    np.testing.assert_array_equal(run.network.layers[0].coef, network.layers[0].coef)


@for_all("degree", [0, 1, 2, 5])
@for_all("optimizer", OPTIMIZERS)
def test_every_degree_learns(optimizer, degree):
    network, data = example(degree=degree, n_train=200)

    history = kr.fit(network, data, optimizer=optimizer, n_steps=20, grids=(3, 6)).history

    assert history.train_rmse[-1] < 0.6 * history.train_rmse[0]


def test_layers_of_different_degrees_grids_and_rows_learn():
    rng = np.random.default_rng(0)
    data = samples(toy, 2, rng)
    first = covered_network(rng, (2, 3), degree=2, n_intervals=4, x=data.x_train, even=False)
    second = covered_network(
        rng, (3, 1), degree=4, n_intervals=6, x=first(data.x_train), even=False
    )
    network = kr.Network((*first.layers, *second.layers))

    run = kr.fit(network, data, n_steps=15, grids=(6, 12))

    assert run.history.train_rmse[-1] < 0.1 * run.history.train_rmse[0]
    assert [(layer.degree, layer.n_intervals) for layer in run.network.layers] == [(2, 12), (4, 12)]
