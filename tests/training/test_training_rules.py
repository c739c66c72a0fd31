"""Rules that hold for every run: defaults, the schedule of hidden grids, the best of equals, what is refused and what is allowed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import data_objective, random_batch, random_network
from oracles_training import bits, samples

import kan_ref as kr
from kan_ref.network.network import Network
from kan_ref.sparsity import PenaltyWeights
from kan_ref.training import fitting, one_grid, starts
from kan_ref.training.class_losses import cross_entropy, softmax
from kan_ref.training.data_goal import LOSSES, DataGoal
from kan_ref.training.fit_arguments import on_batches
from kan_ref.training.one_grid import Recorder
from kan_ref.training.settings import Settings
from kan_ref.training.starts import Starts


def curve(x):
    return np.sin(2.0 * x[:, :1])


def example(widths=(2, 2, 1), *, n_intervals=3, degree=3, f=curve, seed=0, **options):
    rng = np.random.default_rng(seed)
    data = samples(f, widths[0], rng, **({"n_train": 30, "n_test": 10} | options))
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
    ), data


# --- what is left out


def watched_fit(monkeypatch, module):
    """Let runs of `fit` note their data and options, and return their network untrained."""
    calls = []

    def fit(network, data, **options):
        calls.append((data, options))
        ones = np.ones(1)
        history = SimpleNamespace(test_rmse=ones, train_rmse=ones, test_loss=ones)
        return SimpleNamespace(network=network, history=history, interrupted=False, entry=0)

    monkeypatch.setattr(module, "fit", fit)
    return calls


def test_starts_are_8_runs_of_30_steps_compared_on_a_fifth_of_the_samples(monkeypatch):
    _, data = example(widths=(1, 1), n_train=20)
    calls = watched_fit(monkeypatch, starts)

    kr.run_starts((1, 1), data, n_intervals=3, degree=3, rng=np.random.default_rng(0))

    assert [options for _, options in calls] == [
        {
            "optimizer": None,
            "n_steps": 30,
            "loss": "mse",
            "precondition": "auto",
            "smoothness_weight": 0.0,
            "callback": None,
        }
    ] * 8
    assert {(len(part.x_train), len(part.x_test)) for part, _ in calls} == {(16, 4)}


def test_a_fit_takes_100_steps_without_any_penalty_and_lets_grids_follow(monkeypatch):
    network, data = example(widths=(1, 1))
    found, original = [], fitting.read_settings

    def read_settings(*arguments, **options):
        found.append(original(*arguments, **options))
        return found[-1]

    monkeypatch.setattr(fitting, "read_settings", read_settings)
    kr.fit(network, data, callback=lambda step: True)
    kr.fit(network, data, penalty_weight=2.0, callback=lambda step: True)

    plain, penalized = found
    assert (plain.optimizer, plain.n_steps, plain.penalty) == ("lm", 100, None)
    assert (plain.smoothness_weight, plain.update_grids, plain.options) == (0.0, True, {})
    assert penalized.optimizer == "lbfgs"
    assert penalized.penalty == PenaltyWeights(2.0, 1.0, 1.0, "paper")


def test_every_name_of_an_optimizer_is_that_optimizer():
    network, data = example(widths=(1, 2, 1))
    objective = data_objective(network, data.x_train, data.y_train)
    theta, n_steps = objective.start(), 12
    batches = on_batches(objective, 10, np.random.default_rng(5))
    direct = {
        "lbfgs": kr.lbfgs(objective.value_and_grad, theta, n_steps=n_steps),
        "adam": kr.adam(batches, theta, n_steps=n_steps),
    }

    for name, result in direct.items():
        batch = {"batch_size": 10, "rng": np.random.default_rng(5)} if name == "adam" else {}
        options = {"n_steps": n_steps, "update_grids": False, "precondition": None} | batch
        run = kr.fit(network, data, optimizer=name, **options)

        np.testing.assert_allclose(run.network.theta, result.theta, rtol=1e-9, atol=1e-12)
    ends = np.array([result.theta for result in direct.values()])
    apart = np.abs(ends[:, None] - ends).max(axis=2) + np.eye(len(ends))
    assert apart.min() > 1e-6


# --- hidden grids follow on schedule


def steps_of_checks(monkeypatch, n_steps, answer=False, **options):
    """The steps after which a run asks whether activations have left their grids."""
    network, data = example(widths=(1, 2, 2, 1))
    step, asked = [-1], []
    original = one_grid.Recorder.add

    def add(self, *arguments, **options):
        original(self, *arguments, **options)
        step[0] = self.n_steps

    def left_grids(self, flow):
        asked.append(step[0] + 1)
        return answer

    monkeypatch.setattr(one_grid.Recorder, "add", add)
    monkeypatch.setattr(Network, "left_grids", left_grids)
    run = kr.fit(network, data, optimizer="adam", n_steps=n_steps, learning_rate=1e-4, **options)
    return asked, run


def test_grids_are_checked_at_the_start_and_after_every_fifth_step_up_to_the_fiftieth(monkeypatch):
    asked, _ = steps_of_checks(monkeypatch, 61)

    assert asked == [0, *range(5, 51, 5)]


@pytest.mark.parametrize("n_steps", [0, 4, 5, 6, 10, 11, 50, 51])
def test_after_the_last_step_no_grid_is_checked_or_moved(monkeypatch, n_steps):
    asked, run = steps_of_checks(monkeypatch, n_steps)

    assert asked == [0, *range(5, min(n_steps, 51), 5)]
    assert run.history.step.tolist() == list(range(n_steps + 1))


def test_no_grid_is_checked_where_none_may_move(monkeypatch):
    assert steps_of_checks(monkeypatch, 12, update_grids=False)[0] == []


@pytest.mark.parametrize("widths", [(1, 1), (1, 2, 1), (1, 2, 2, 2, 1)])
@pytest.mark.parametrize("optimizer", ["lm", "adam"])
def test_errors_at_the_steps_of_checks_are_those_of_the_network_too(widths, optimizer):
    network, data = example(widths=widths)
    seen = []

    kr.fit(network, data, optimizer=optimizer, n_steps=11, callback=lambda step: seen.append(step))

    for step in seen:
        difference = step.network(data.x_train) - data.y_train
        assert step.train_rmse == pytest.approx(np.sqrt((difference**2).mean()), rel=1e-10)


def test_grids_that_hold_their_activations_stay_where_they_are(monkeypatch):
    network, data = example(widths=(1, 2, 1))
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: False)
    monkeypatch.setattr(one_grid, "place_hidden_grids", None)

    run = kr.fit(network, data, n_steps=7)

    for old, new in zip(network.layers, run.network.layers, strict=True):
        assert old.knots.tobytes() == new.knots.tobytes()


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("wanted", [12, 100])
def test_a_run_ends_for_the_reason_of_its_last_optimizer(monkeypatch, moves, wanted):
    """Where grids have moved, that optimizer counts the steps that were left, and the run counts all of them."""
    network, data = example(widths=(1, 2, 1))
    answers, original = iter([False, moves]), Settings.run

    def run(self, objective, n_steps, callback):
        result = original(self, objective, min(n_steps, 7 if moves else 12), callback)
        return result if result.n_steps == n_steps else replace(result, stopped="converged")

    monkeypatch.setattr(Settings, "run", run)
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))

    found = kr.fit(network, data, optimizer="adam", n_steps=wanted)

    assert found.history.step[-1] == 12
    reason = "12 steps are done" if wanted == 12 else "converged"
    assert found.stopped.partition(";")[0] == reason


def test_a_callback_has_the_last_word_at_the_last_step_of_grids_that_moved(monkeypatch):
    network, data = example(widths=(1, 2, 1))
    answers = iter([False, True])
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))

    run = kr.fit(network, data, n_steps=8, callback=lambda step: step.step == 8)

    assert run.stopped.partition(";")[0] == "the callback asked to stop after step 8"


# --- records


def entry_of(value):
    """An objective of this value, as far as the recorder looks at it."""
    return SimpleNamespace(
        model=None,
        added=lambda network: 0.25,
        goal=SimpleNamespace(judge=lambda network: (value - 0.25, value, np.nan)),
    )


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(0, 7))
def test_the_best_of_equals_is_the_first(values, at):
    recorder, networks = Recorder(None, None, n_steps=None), list("abcdefgh")
    begun = at % len(values)
    for step, (value, network) in enumerate(zip(values, networks, strict=False)):
        if step == begun:
            recorder.enter_grid(entry_of(100.0))
        recorder.add(network, entry_of(float(value)), 1)

    here = values[begun:]
    assert recorder.best == networks[values.index(min(values))]
    assert recorder.best_here == networks[begun + here.index(min(here))]
    assert recorder.best_entry_here == begun + here.index(min(here)) + 1
    place = values.index(min(values))
    assert recorder.best_entry == place + (place >= begun)


def test_counts_are_integers_and_measured_numbers_are_not():
    network, data = example()
    found = kr.fit(network, data, n_steps=1).history

    for name, column in vars(found).items():
        kind = "i" if name in ("step", "n_intervals", "n_evaluations") else "f"
        assert column.dtype.kind == kind, name


def test_records_print_numbers_and_no_network():
    network, data = example(widths=(2, 1))
    seen = []
    kr.fit(network, data, n_steps=1, callback=lambda step: seen.append(step))

    text = repr(seen[-1])
    assert text.startswith("Step(step=1, n_intervals=3, train_rmse=")
    assert "network" not in text
    assert "array" not in text


def test_a_start_of_exactly_ten_times_the_smallest_error_has_not_failed():
    errors = np.array([1.0, 10.0, np.nextafter(10.0, 11.0), 19.0])

    assert Starts(None, 0, errors, errors).n_failed == 2


def test_a_callback_that_asked_to_stop_is_called_no_more():
    network, data = example()
    for optimizer in ("lm", "lbfgs", "adam"):
        for place in (0, 1, 5):
            seen = []

            def stop(step, seen=seen, place=place):
                seen.append(step.step)
                return step.step >= place

            run = kr.fit(network, data, optimizer=optimizer, n_steps=9, grids=(3, 4), callback=stop)

            assert seen == list(range(place + 1))
            assert run.stopped == f"the callback asked to stop after step {place}"


@pytest.mark.parametrize("name", [None, "sqrt"])
def test_an_error_of_the_callback_is_passed_on_as_it_is(name):
    """Also where a symbolic edge without a derivative at a sample is not trained."""
    network, data = example(widths=(1, 1, 1), f=lambda x: x)
    data.x_train = np.abs(data.x_train)
    data.x_train[0] = 0.0
    if name is not None:
        network = kr.fix_symbolic(
            network, 0, output=0, input=0, name=name, affine=(1.0, 0.0, 1.0, 0.0)
        )
        data.x_test = np.abs(data.x_test)
    own = ValueError("mine")

    def fail(step):
        if step.step == 1:
            raise own

    with pytest.raises(ValueError, match=r"^mine$") as caught:
        kr.fit(network, data, trainable=("coef",), callback=fail)
    assert caught.value is own


# --- classes and logits


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e3, 1e4]))
def test_samples_of_very_different_logits_stand_in_one_batch(seed, size):
    """A shift of a sample's own logits changes neither its probabilities nor its loss, whatever the others are."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(3, 3))
    onehot = np.eye(3)[rng.integers(0, 3, 3)]
    moved = logits + size * np.array([[-1.0], [0.0], [1.0]])

    np.testing.assert_allclose(softmax(moved), softmax(logits), rtol=1e-10)
    for one, other in zip(cross_entropy(moved, onehot), cross_entropy(logits, onehot), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_logits_of_one_sample_may_differ_by_any_amount():
    logits = np.array([[2000.0, 0.0, -2000.0], [0.0, 0.0, 0.0], [-900.0, -900.0, 900.0]])
    third = 1.0 / 3.0

    np.testing.assert_array_equal(softmax(logits)[[0, 2]], [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(softmax(logits)[1], third, rtol=1e-14)
    loss, _ = cross_entropy(logits, np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]]))
    assert loss == pytest.approx(np.log(3.0) / 3.0, rel=1e-14)


@given(st.integers(0, 2**32 - 1))
def test_accuracy_counts_the_right_sides_of_0_however_near_the_logits_are(seed):
    rng = np.random.default_rng(seed)
    logits, answers = rng.uniform(-1.0, 1.0, (6, 2)), rng.integers(0, 2, (6, 2)).astype(float)
    goal = DataGoal(LOSSES["logistic"], np.zeros((6, 1)), answers)

    model = SimpleNamespace(prepare=lambda x: logits, values=lambda logits: logits, widths=(1, 2))
    accuracy = goal.judge(model)[2]

    right = [(z > 0.0) == (y == 1.0) for z, y in zip(logits.flat, answers.flat, strict=True)]
    assert accuracy == pytest.approx(sum(right) / 12.0)


def test_an_undecided_logit_is_a_no():
    assert LOSSES["logistic"].hits(np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]])).tolist() == [
        [1.0, 0.0]
    ]


# --- objectives


@given(st.integers(1, 9), st.integers(1, 12), st.integers(0, 20))
def test_a_generator_draws_one_order_an_epoch_and_nothing_else(n_samples, batch_size, n_calls):
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    shown = SimpleNamespace(
        goal=SimpleNamespace(x=np.zeros((n_samples, 1))),
        model=None,
        on_samples=lambda chosen: SimpleNamespace(
            value_and_grad=lambda theta: (chosen.tolist(), theta)
        ),
    )
    draw = on_batches(shown, batch_size, rng)

    found = [draw(None)[0] for _ in range(n_calls)]

    expected = []
    while len(expected) < n_calls:
        order = other.permutation(n_samples).tolist()
        expected += [order[n : n + batch_size] for n in range(0, n_samples, batch_size)]
    assert found == expected[:n_calls]
    assert rng.bit_generator.state == other.bit_generator.state


@pytest.mark.parametrize("names", [("coef",), ("coef", "w_base", "w_spline", "symbolic")])
def test_the_start_is_a_vector_of_ones_own(names):
    network = random_network(np.random.default_rng(0), widths=(2, 1), degrees=[3])
    x = random_batch(np.random.default_rng(1), network.layers[0], 4)
    objective = data_objective(network, x, x[:, :1], trainable=names)
    before = bits(network)

    start = objective.start()
    start += 1.0

    assert bits(network) == bits(objective.model) == before


@pytest.mark.parametrize("penalty", ["paper", "pykan", "coef"])
def test_loss_and_penalty_of_data_share_one_forward_pass(penalty, monkeypatch):
    network, data = example()
    passes = []
    for name in ("run_flow", "run_backward"):
        original = getattr(Network, name)

        def counted(self, *arguments, name=name, original=original):
            passes.append(name)
            return original(self, *arguments)

        monkeypatch.setattr(Network, name, counted)

    kr.value_and_grad(network, data.x_train, data.y_train, penalty_weight=1e-2, penalty=penalty)

    assert passes == ["run_flow"]


def test_weights_that_add_nothing_are_no_penalty():
    network, data = example()
    plain = kr.value_and_grad(network, data.x_train, data.y_train)

    for weights in (
        {"penalty_weight": 0.0, "l1_weight": 2.0},
        {"penalty_weight": 3.0, "l1_weight": 0.0, "entropy_weight": 0.0},
        {"penalty_weight": 0.0, "l1_weight": 0.0, "entropy_weight": 0.0},
    ):
        same = kr.value_and_grad(network, data.x_train, data.y_train, **weights)

        assert (same[0], same[1].tobytes()) == (plain[0], plain[1].tobytes())
        assert kr.fit(network, data, optimizer="lm", n_steps=1, **weights).history.step[-1] == 1


@given(st.floats(1e-6, 1e3), st.floats(0.0, 5.0), st.floats(0.1, 5.0))
def test_every_positive_weight_counts(weight, l1, entropy):
    network, data = example(widths=(2, 1))
    x, y = data.x_train, data.y_train
    plain = kr.value_and_grad(network, x, y)[0]
    unit = [
        kr.value_and_grad(network, x, y, penalty_weight=1.0, l1_weight=one, entropy_weight=other)[0]
        - plain
        for one, other in ((1.0, 0.0), (0.0, 1.0))
    ]
    rough = kr.value_and_grad(network, x, y, smoothness_weight=1.0)[0] - plain

    found = kr.value_and_grad(
        network,
        x,
        y,
        penalty_weight=weight,
        l1_weight=l1,
        entropy_weight=entropy,
        smoothness_weight=weight,
    )[0]

    expected = plain + weight * (l1 * unit[0] + entropy * unit[1] + rough)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n_intervals", [1, 2])
def test_a_layer_without_inner_breakpoints_has_no_block(n_intervals):
    network, data = example(widths=(2, 1), n_intervals=n_intervals)
    objective = data_objective(network, data.x_train, data.y_train, smoothness_weight=1.0)

    assert len(objective.smoothness.jacobian(network)) == n_intervals - 1


# --- what is refused, and what is just allowed


@pytest.mark.parametrize("grids", [(1,), (1, 2), (1, 1), (2, 2, 3), (3,), [1, 4], np.array([1, 2])])
def test_schedules_that_never_fall_run_from_one_interval_on(grids):
    network, data = example(widths=(1, 1), n_intervals=1)

    run = kr.fit(network, data, grids=grids, n_steps=1)

    assert run.network.n_intervals == grids[-1]
    assert len(run.history.step) == 2 * len(grids)


@pytest.mark.parametrize("grids", [(3, 2), (3, 5, 4), (5, 3, 10), (3, 4, 3, 9)])
def test_one_fall_anywhere_is_refused(grids):
    network, data = example(widths=(1, 1))

    with pytest.raises(ValueError, match=r"^grids is \(.*\), but must not fall$"):
        kr.fit(network, data, grids=grids)


def test_the_smallest_settings_are_allowed():
    network, data = example(widths=(1, 1))
    options = {"optimizer": "adam", "rng": np.random.default_rng(0), "n_steps": 2}

    run = kr.fit(network, data, **options, batch_size=1, learning_rate=1e-300)
    whole, alone = (
        kr.fit(network, data, **(options | {"rng": rng})) for rng in (None, options["rng"])
    )

    assert run.history.step[-1] == 2
    assert bits(whole.network) == bits(alone.network)


@pytest.mark.parametrize("name", ["l1_weight", "entropy_weight", "penalty_weight"])
def test_negative_weights_are_refused_by_name(name):
    network, data = example(widths=(1, 1))
    message = rf"^{name} is -0\.5, but must be at least 0$"

    with pytest.raises(ValueError, match=message):
        kr.value_and_grad(network, data.x_train, data.y_train, **{name: -0.5})
    with pytest.raises(ValueError, match=message):
        kr.fit(network, data, **{name: -0.5})


def test_half_of_the_samples_may_be_held_out_and_no_more():
    _, data = example(widths=(1, 1), n_train=4)

    def call(share):
        options = {"n_steps": 0, "rng": np.random.default_rng(0), "validation_share": share}
        return kr.run_starts((1, 1), data, n_intervals=3, degree=3, n_starts=1, **options)

    call(0.5)
    call(0.25)  # one sample
    for share in (0.51, -0.1):
        with pytest.raises(
            ValueError, match=rf"^validation_share is {share}, but must be between 0 and 0\.5$"
        ):
            call(share)


@pytest.mark.parametrize("option", [{"smoothness_weight": 0.1}, {"penalty_weight": 0.1}])
def test_penalties_on_curves_need_a_network_with_curves(option):
    _, data = example(widths=(1, 1))
    model = kr.init_mlp((1, 2, 1), activation="tanh", rng=np.random.default_rng(0))
    message = r"but smoothness and penalties on edges need the curves of a Network$"

    with pytest.raises(TypeError, match=message):
        kr.fit(model, data, **option)
    with pytest.raises(TypeError, match=message):
        kr.value_and_grad(model, data.x_train, data.y_train, **option)
    nothing = dict.fromkeys(option, 0.0)
    assert kr.fit(model, data, n_steps=1, **nothing).history.step[-1] == 1
    assert kr.value_and_grad(model, data.x_train, data.y_train, **nothing)[0] > 0.0


def test_a_class_of_models_is_no_model():
    _, data = example()

    for value in (kr.Network, 3, None, SimpleNamespace(theta=1, widths=(1, 1)), "network"):
        for call in (
            lambda value=value: kr.fit(value, data),
            lambda value=value: kr.value_and_grad(value, data.x_train, data.y_train),
        ):
            with pytest.raises(
                TypeError, match=r"^network is .*, but must be a Network, an MLP or a LAN"
            ):
                call()


def test_names_of_parameters_need_parameters_of_that_name():
    network, data = example(widths=(1, 1))
    model = kr.init_mlp((1, 2, 1), activation="tanh", rng=np.random.default_rng(0))

    with pytest.raises(
        ValueError, match=r"^trainable is \('symbolic',\), but .* has no symbolic edges$"
    ):
        kr.fit(network, data, trainable=(np.str_("symbolic"),))
    with pytest.raises(
        TypeError, match=r"^trainable is \('coef',\), but the parameters of MLP\(.*have no"
    ):
        kr.fit(model, data, trainable=("coef",))


@pytest.mark.parametrize("optimizer", ["lm", "adam"])
def test_the_network_is_the_last_one_or_the_run_names_the_step_that_it_is_of(
    optimizer, monkeypatch
):
    """After a grid has moved, the best network of its grid is kept: here the first, with steps much too long."""
    network, data = example(widths=(1, 2, 1))
    rate = {"learning_rate": 5.0} if optimizer == "adam" else {}
    answers, seen = iter([False, True]), []
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))

    run = kr.fit(network, data, optimizer=optimizer, n_steps=9, callback=seen.append, **rate)

    best = int(np.argmin(run.history.train_rmse))
    note = f"; hidden grids moved, and the network is that of step {best}, the best on its grid"
    assert bits(run.network) == bits(seen[best].network)
    assert (note in run.stopped) == (best != 9)
    assert optimizer == "lm" or best != 9


# --- a run that ends above the error of a coarser grid


def wide_run(**options):
    """A network whose first weights do not suit inputs of 1e9, on three grids."""
    rng = np.random.default_rng(2)
    x = rng.uniform(-1e9, 1e9, (60, 1))
    y = np.sin(2e-9 * x)
    network = kr.init_network((1, 2, 2, 1), n_intervals=4, degree=2, domain=x, rng=rng)
    return kr.fit(network, kr.Data(x, y, x[:0], y[:0]), n_steps=3, grids=(4, 8, 13), **options)


def test_a_run_says_that_it_ends_above_the_error_of_a_coarser_grid():
    run = wide_run()

    errors, grids = run.history.train_rmse, run.history.n_intervals
    best = int(np.argmin(np.where(grids < 13, errors, np.inf)))
    assert run.train_rmse > 2.0 * errors[best]
    assert run.stopped.endswith(
        f"; the training error was {errors[best]:.3g} on {grids[best]} intervals and is "
        f"{run.train_rmse:.3g} now: take more steps on each grid, or fewer intervals"
    )
    for option in ({"smoothness_weight": 1e-300}, {"penalty_weight": 1e-300}):
        assert "training error was" not in wide_run(**option).stopped  # it may rise as is asked for


@pytest.mark.parametrize(
    ("errors", "grids", "is_noted"),
    [
        ([1.0, 0.5, 1.1], [3, 3, 6], True),
        ([1.0, 0.5, 0.9], [3, 3, 6], False),
        ([1.0, 0.1, 0.9], [3, 3, 3], False),  # on one grid
        ([1.0, 3e-9, 9e-9], [3, 3, 6], False),  # rounding, since y has a deviation of 1
        ([1.0, 3e-9, 2e-8], [3, 3, 6], True),
        ([1.0, np.nan], [3, 6], False),
    ],
)
def test_an_error_counts_as_lost_from_twice_that_of_a_coarser_grid(errors, grids, is_noted):
    y = np.array([[-1.0], [1.0]])
    history = SimpleNamespace(train_rmse=np.array(errors), n_intervals=np.array(grids))

    note = fitting.note_on_schedule(history, len(errors) - 1, DataGoal(LOSSES["mse"], y, y))

    assert bool(note) == is_noted
