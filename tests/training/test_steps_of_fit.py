"""What a step of `fit` evaluates: no sample twice, with mini-batches the batch alone, on many samples losses by chunks."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
from cases import for_all
from networks import goal_objective

import kan_ref as kr
from kan_ref.network import Network, layer_inputs, place_hidden_grids
from kan_ref.sparsity import PenaltyWeights
from kan_ref.training import one_grid, penalties, settings
from kan_ref.training.data_goal import MSE, DataGoal, check_batch
from kan_ref.training.goal import LastEvaluation, values_at
from kan_ref.training.held_out import Validation

GRADIENTS = ["lbfgs", "adam"]


def example(n_train=40, n_test=20, widths=(2, 3, 1)):
    """A random network and smooth data."""
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=n_train, n_test=n_test, rng=rng)
    return kr.init_network(
        widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), x=data.x_train, rng=rng
    ), data


def error(network, x, y):
    return np.sqrt(np.mean((network(x) - y) ** 2))


def taken(run):
    return run.history.step[~np.isnan(run.history.test_rmse)].tolist()


def sizes_of(monkeypatch):
    """The sizes of all batches that networks prepare from now on."""
    seen, prepare = [], Network.prepare

    def watched(self, x, workspaces=()):
        seen.append(len(x))
        return prepare(self, x, workspaces)

    monkeypatch.setattr(Network, "prepare", watched)
    return seen


# --- test errors


@pytest.mark.parametrize("options", [{}, {"penalty_weight": 1e-3}])
def test_a_hidden_grid_moves_by_outputs_of_the_first_layer_that_the_step_has_computed(
    monkeypatch, options
):
    network, data = example()
    known, answers = [], iter([False, True])

    def place(network, x, *, after_first):
        known.append(after_first)
        np.testing.assert_allclose(
            after_first, list(layer_inputs(network.layers, data.x_train))[1], rtol=1e-12, atol=1e-14
        )
        return place_hidden_grids(network, x, after_first=after_first)

    monkeypatch.setattr(one_grid, "place_hidden_grids", place)
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))

    kr.fit(network, data, optimizer="adam", n_steps=9, **options)

    assert len(known) == 1


@pytest.mark.parametrize("optimizer", ["lm", *GRADIENTS])
def test_test_errors_are_taken_at_intervals_and_at_both_ends_of_each_grid(optimizer):
    network, data = example()

    run = kr.fit(network, data, optimizer=optimizer, n_steps=5, grids=(3, 6), test_every=2)

    assert taken(run) == [0, 2, 4, 5, 5, 7, 9, 10]
    assert np.array_equal(np.isnan(run.history.test_loss), np.isnan(run.history.test_rmse))
    assert not np.isnan(run.history.train_rmse).any()
    assert run.history.test_rmse[-1] == pytest.approx(
        error(run.network, data.x_test, data.y_test), rel=1e-12
    )


@pytest.mark.parametrize(
    ("optimizer", "n_train", "n_test", "steps"),
    [("lm", 40, 10, [0, 1, 2, 3, 4, 5, 6]), ("adam", 40, 10, [0, 5, 6]), ("lbfgs", 40, 41, [0, 6])],
)
def test_by_default_test_errors_cost_a_fraction_of_the_steps(optimizer, n_train, n_test, steps):
    network, data = example(n_train, n_test)

    assert taken(kr.fit(network, data, optimizer=optimizer, n_steps=6)) == steps


@pytest.mark.parametrize("end", ["callback", "interrupt"])
def test_a_run_that_ends_early_has_a_test_error_at_its_end(end):
    network, data = example()

    def stop(step):
        if step.step == 3 and end == "interrupt":
            raise KeyboardInterrupt
        return step.step == 3

    run = kr.fit(network, data, optimizer="lbfgs", n_steps=9, test_every=100, callback=stop)

    assert taken(run) == [0, 3]


def test_the_network_with_the_smallest_held_out_loss_has_a_test_error():
    network, data = example()

    run = kr.fit(
        network, data, optimizer="lbfgs", n_steps=40, validation_share=0.3, test_every=1000
    )

    best = int(np.argmin(run.history.validation_loss))
    assert run.history.test_rmse[best] == pytest.approx(
        error(run.network, data.x_test, data.y_test), rel=1e-12
    )


@pytest.mark.parametrize("optimizer", ["lm", *GRADIENTS])
def test_the_interval_of_test_errors_changes_no_bit_of_the_network(optimizer):
    network, data = example()

    one, two = (
        kr.fit(network, data, optimizer=optimizer, n_steps=7, test_every=every) for every in (1, 5)
    )

    np.testing.assert_array_equal(one.network.theta, two.network.theta)
    np.testing.assert_array_equal(one.history.train_loss, two.history.train_loss)


@pytest.mark.parametrize(
    ("batch_size", "steps"), [(10, [0, 20, 21]), (1000, [0, 5, 10, 15, 20, 21])]
)
def test_with_mini_batches_test_errors_cost_a_fraction_of_steps_on_the_samples_of_a_batch(
    batch_size, steps
):
    """A batch has at most all 40 samples, and 20 steps on it for each test error have 10 samples each at least."""
    network, data = example(n_train=40, n_test=10)
    rng = np.random.default_rng(0)

    run = kr.fit(network, data, optimizer="adam", n_steps=21, batch_size=batch_size, rng=rng)

    assert taken(run) == steps


def test_test_samples_are_prepared_once_on_a_grid(monkeypatch):
    network, data = example(n_train=40, n_test=17)
    sizes, prepared = sizes_of(monkeypatch), []

    def watch(step):
        prepared.append(sizes.count(17))

    kr.fit(network, data, n_steps=4, grids=(3, 6), test_every=1, callback=watch)

    assert prepared == [1] * 5 + [2] * 5


def test_the_best_network_of_a_grid_that_moved_has_a_test_error(monkeypatch):
    network, data = example()
    answers = iter([False, True])
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))

    run = kr.fit(network, data, optimizer="adam", n_steps=9, learning_rate=0.1, test_every=1000)

    best = int(np.argmin(run.history.train_rmse))
    assert 0 < best < 9
    assert taken(run) == [0, best, 9]
    assert run.history.test_rmse[best] == pytest.approx(
        error(run.network, data.x_test, data.y_test), rel=1e-12
    )


def test_moved_hidden_grids_leave_the_test_samples_prepared(monkeypatch):
    network, data = example(n_train=40, n_test=17)
    sizes, answers = sizes_of(monkeypatch), iter([False, True])
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))
    seen = []

    run = kr.fit(
        network,
        data,
        optimizer="adam",
        n_steps=9,
        learning_rate=0.5,
        test_every=1000,
        callback=lambda step: seen.append(sizes.count(17)),
    )

    assert "hidden grids moved" in run.stopped
    assert seen == [1] * 10
    assert sizes.count(17) == 2  # the note on test samples outside the grids has its own


def test_the_best_network_may_be_of_an_earlier_grid_than_the_last():
    network, data = example(n_train=30)

    run = kr.fit(
        network,
        data,
        optimizer="adam",
        n_steps=9,
        learning_rate=0.3,
        grids=(3, 12),
        test_every=1000,
        validation_share=0.2,
    )

    best = int(np.argmin(run.history.validation_loss))
    assert 0 < best < 9
    assert run.network.n_intervals == 3
    assert run.history.test_rmse[best] == pytest.approx(
        error(run.network, data.x_test, data.y_test), rel=1e-12
    )


def test_an_interval_below_one_is_refused():
    network, data = example()

    with pytest.raises(ValueError, match="test_every is 0, but must be at least 1"):
        kr.fit(network, data, test_every=0)


# --- training errors


@pytest.mark.parametrize("optimizer", GRADIENTS)
@pytest.mark.parametrize("penalty_weight", [0.0, 1e-3])
def test_training_errors_cost_no_forward_pass(optimizer, penalty_weight, monkeypatch):
    network, data = example()
    calls = []
    for name in ("run_flow", "flow"):
        whole = getattr(Network, name)

        def counted(self, inputs, *workspaces, whole=whole):
            calls.append(len(inputs.base))
            return whole(self, inputs, *workspaces)

        monkeypatch.setattr(Network, name, counted)

    run = kr.fit(
        network,
        data,
        optimizer=optimizer,
        n_steps=10,
        update_grids=False,
        test_every=100,
        penalty_weight=penalty_weight,
        precondition=None,
    )

    # one more at the start and one at the end, for the note on units; with the penalty another one
    allowed = int(run.history.n_evaluations[-1]) + 2 + (penalty_weight > 0.0)
    assert sum(size == len(data.x_train) for size in calls) <= allowed


@pytest.mark.parametrize("loss", ["mse", "logistic", "cross_entropy"])
def test_errors_are_those_of_the_network_of_the_step_for_every_loss(loss):
    network, data = example(widths=(2, 3, 2))
    labels = (data.y_train > np.median(data.y_train)).astype(int)
    y = {
        "mse": np.tile(data.y_train, 2),
        "logistic": np.tile(labels, 2),
        "cross_entropy": labels[:, 0],
    }
    data = kr.Data(data.x_train, y[loss], data.x_train[:9], y[loss][:9])
    seen = []

    run = kr.fit(network, data, optimizer="lbfgs", loss=loss, n_steps=4, callback=seen.append)

    for step, value in zip(seen, run.history.train_loss, strict=True):
        assert value == pytest.approx(
            kr.value_and_grad(step.network, data.x_train, data.y_train, loss)[0], rel=1e-12
        )


def test_grids_are_checked_and_moved_at_values_that_a_step_has_computed(monkeypatch):
    network, data = example(widths=(2, 5, 4, 1))

    def fail(*_):
        raise AssertionError("hidden nodes are evaluated again")

    monkeypatch.setattr(one_grid, "layer_inputs", fail)
    seen = []
    kr.fit(network, data, optimizer="lbfgs", n_steps=12, callback=seen.append)

    first, last = (step.network.layers[1].breakpoints for step in (seen[0], seen[-1]))
    assert not np.array_equal(first, last)  # hidden grids moved


@pytest.mark.parametrize("batch_size", [None, 8])
def test_held_out_samples_stay_unprepared_with_mini_batches(batch_size, monkeypatch):
    """Mini-batches are for data that need not fit in memory with their basis functions."""
    network, data = example(widths=(2, 3, 1))
    by_chunks, right = [], Validation.enter_grid

    def enter_grid(self, model, **options):
        by_chunks.append(options["by_chunks"])
        right(self, model, **options)

    monkeypatch.setattr(Validation, "enter_grid", enter_grid)
    kr.fit(
        network,
        data,
        optimizer="adam",
        n_steps=2,
        batch_size=batch_size,
        validation_share=0.2,
        rng=np.random.default_rng(0),
    )

    assert by_chunks == [batch_size is not None]


def test_steps_reuse_the_memory_of_hidden_layers_and_change_no_network_of_another_step():
    network, data = example(widths=(2, 5, 4, 1))
    seen = []

    run = kr.fit(network, data, optimizer="lbfgs", n_steps=5, callback=seen.append)

    for step, rmse in zip(seen, run.history.train_rmse, strict=True):
        assert rmse == pytest.approx(error(step.network, data.x_train, data.y_train), rel=1e-12)


def test_what_was_computed_is_found_at_the_same_parameters_alone():
    network, _ = example()
    last = LastEvaluation()
    assert last.at(network) is None

    found = object()
    last.model, last.found = network, found

    assert last.at(network) is found
    assert last.at(network.with_theta(network.theta)) is found
    assert last.at(network.with_theta(1.5 * network.theta)) is None


def test_the_flow_of_a_prepared_goal_has_the_outputs_of_every_layer_of_the_network_at_hand():
    network, data = example(widths=(2, 3, 2, 1))
    other = network.with_theta(0.5 * network.theta)
    whole = check_batch(network, data.x_train, data.y_train)
    goal = whole.prepare(network)

    for model in (network, other, network):
        expected = list(layer_inputs(model.layers, data.x_train))[1:]
        for values, right in zip(goal.flow(model), expected, strict=True):
            np.testing.assert_allclose(values, right, rtol=1e-12, atol=1e-14)
    assert whole.flow(network) is None


# --- mini-batches


def test_a_step_with_mini_batches_evaluates_no_other_training_sample(monkeypatch):
    network, data = example(n_train=300)
    run = SimpleNamespace(sizes=sizes_of(monkeypatch), begun=None)

    def watch(step):
        if step.step == 0:
            run.begun = len(run.sizes)
        if step.step == 29:
            run.ended = len(run.sizes)

    kr.fit(
        network,
        data,
        optimizer="adam",
        n_steps=30,
        batch_size=7,
        rng=np.random.default_rng(0),
        test_every=1000,
        callback=watch,
    )

    assert set(run.sizes[run.begun : run.ended]) <= {7, 300 % 7}


def test_training_errors_with_mini_batches_are_those_of_all_samples_at_both_ends():
    network, data = example(n_train=100)

    run = kr.fit(
        network, data, optimizer="adam", n_steps=6, batch_size=10, rng=np.random.default_rng(0)
    )

    for place, one in ((0, network), (-1, run.network)):
        assert run.history.train_rmse[place] == pytest.approx(
            error(one, data.x_train, data.y_train), rel=1e-12
        )
    assert run.history.train_rmse[3] != run.history.train_rmse[-1]


def test_all_samples_are_looked_for_one_that_left_a_hidden_grid_by_chunks(monkeypatch):
    network, data = example(n_train=40)
    seen = []

    def watched(layers, x):
        seen.append(len(x))
        return layer_inputs(layers, x)

    monkeypatch.setattr(one_grid, "layer_inputs", watched)
    monkeypatch.setattr(one_grid, "rows_at_once", lambda network, n_samples: 7)
    goal = check_batch(network, data.x_train, data.y_train)

    assert not one_grid._left_grids(network, goal, data.x_train, every=True)
    assert seen == [7, 7, 7, 7, 7, 5]

    for place in (0, 20, 39):
        points = data.x_train.copy()
        points[place] = 9.0
        assert one_grid._left_grids(network, goal, points, every=True)


@for_all("batch_size", [None, 10])
def test_a_stopped_run_with_held_out_samples_names_no_network_but_that_of_the_smallest_loss(
    batch_size,
):
    network, data = example(n_train=50)

    def stop(step):
        if step.step == 12:
            raise KeyboardInterrupt

    run = kr.fit(
        network,
        data,
        optimizer="adam",
        learning_rate=0.3,
        n_steps=20,
        batch_size=batch_size,
        validation_share=0.2,
        rng=np.random.default_rng(0),
        callback=stop,
    )

    best = np.argmin(run.history.validation_loss)
    assert run.stopped.startswith(
        f"interrupted after 12 steps; the network is that of step {best}, with the smallest"
    )


@pytest.mark.parametrize("penalty_weight", [0.0, 1e-3])
def test_a_stopped_run_with_mini_batches_returns_its_last_network(penalty_weight):
    network, data = example(n_train=100)
    seen = []

    def stop(step):
        seen.append(step.network)
        if step.step == 5:
            raise KeyboardInterrupt

    run = kr.fit(
        network,
        data,
        optimizer="adam",
        n_steps=9,
        batch_size=10,
        penalty_weight=penalty_weight,
        rng=np.random.default_rng(0),
        callback=stop,
    )

    assert run.network is seen[-1]
    assert "this is the last network" in run.stopped
    assert run.history.train_rmse[-1] == pytest.approx(
        error(run.network, data.x_train, data.y_train), rel=1e-12
    )
    assert np.isfinite(run.history.penalty).all()


def network():
    rng = np.random.default_rng(0)
    return kr.init_network((1, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)


def chunks_of(numbers, monkeypatch):
    """A sample has 41 numbers in the network's largest layer: 2 inputs of 20 and 1 output."""
    for name, number in (("_AT_ONCE", numbers), ("_NUMBERS", numbers), ("_FEWEST", 1)):
        monkeypatch.setattr(f"kan_ref.network.definedness.{name}", number)


def mlp():
    return kr.init_mlp((1, 20, 2), activation="tanh", rng=np.random.default_rng(0))


def samples(n):
    x = np.linspace(-1.0, 1.0, n)[:, None]
    return kr.Data(x, np.sin(3.0 * x), x, np.sin(3.0 * x))


@pytest.mark.parametrize(("batch_size", "step"), [(None, 1), (4, 3)])
def test_the_first_penalty_of_a_run_is_of_all_samples_or_for_batches_of_a_spread_chunk(
    batch_size, step, monkeypatch
):
    """20 samples, of which 7 are a chunk: every third one, also 7."""
    chunks_of(7 * 41, monkeypatch)
    model, data = network(), samples(20)
    rng = np.random.default_rng(0)

    run = kr.fit(
        model, data, optimizer="adam", n_steps=0, penalty_weight=0.5, batch_size=batch_size, rng=rng
    )

    x = data.x_train[::step]
    alone, _ = kr.value_and_grad(model, x, model(x), penalty_weight=0.5)  # without a loss
    assert run.history.penalty[0] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("kind", ["data", "equations"])
def test_the_penalty_at_the_point_evaluated_last_is_not_computed_again(kind, monkeypatch):
    model, x = network(), samples(20).x_train
    goal = DataGoal(MSE, x, 0.0 * x).prepare(model)
    if kind == "equations":
        goal = kr.residual_problem([kr.value_term(x, 0.0)]).prepare(model)
    objective = goal_objective(model, goal, x, penalty=PenaltyWeights(0.5, 1.0, 1.0, "paper"))
    penalty = objective.added(model)
    objective.value_and_grad(objective.start())

    def fail(*_):
        raise AssertionError("the penalty is computed twice")

    monkeypatch.setattr(penalties, "penalty_value", fail)
    assert objective.added(model) == pytest.approx(penalty, rel=1e-14)


def test_with_a_penalty_too_the_loss_at_the_point_evaluated_last_costs_no_forward_pass(monkeypatch):
    model, x = network(), samples(20).x_train
    goal = DataGoal(MSE, x, 0.0 * x + 3.0).prepare(model)
    objective = goal_objective(model, goal, x, penalty=PenaltyWeights(0.5, 1.0, 1.0, "paper"))
    objective.value_and_grad(objective.start())

    def fail(*_):
        raise AssertionError("the network is evaluated twice")

    monkeypatch.setattr(DataGoal, "_flow", fail)
    loss, error, _ = objective.goal.judge(model)

    assert loss == pytest.approx(np.mean((model(x) - 3.0) ** 2), rel=1e-13)
    assert error == pytest.approx(np.sqrt(loss), rel=1e-15)


@pytest.mark.parametrize("ask", ["value_and_grad", "residuals", "linearize"])
def test_the_loss_at_the_point_evaluated_last_costs_no_forward_pass(ask, monkeypatch):
    model, x = network(), samples(20).x_train
    goal = DataGoal(MSE, x, 0.0 * x + 3.0).prepare(model)
    getattr(goal, ask)(model)

    def fail(*_):
        raise AssertionError("the network is evaluated twice")

    monkeypatch.setattr(DataGoal, "_flow", fail)
    loss, *_ = goal.judge(model)

    assert loss == pytest.approx(np.mean((model(x) - 3.0) ** 2), rel=1e-13)


@pytest.mark.parametrize(
    ("make", "more", "chunks"),
    [
        (network, -1, False),
        (network, 0, True),
        (mlp, -1, False),
        (mlp, 0, True),
    ],
)
def test_lm_forms_sums_of_a_large_jacobian_only_if_it_has_a_row_for_each_parameter(
    make, more, chunks, monkeypatch
):
    """With fewer rows, J^T J would have more rows than the Jacobian."""
    monkeypatch.setattr(settings, "MOST_ENTRIES", 0)
    model = make()
    x = samples(model.n_params + more).x_train
    read = settings.read_settings(
        model,
        optimizer="lm",
        n_steps=1,
        loss="mse",
        penalty=None,
        smoothness_weight=0.0,
        update_grids=True,
        trainable=("coef", "w_base", "w_spline", "symbolic"),
        precondition=None,
        learning_rate=None,
        batch_size=None,
        rng=None,
    )

    assert read.by_chunks(model, DataGoal(MSE, x, x)) is chunks


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (network, [24, 24, 12]),
        (mlp, [25, 25, 10]),  # 40 weights in its largest layer
    ],
    ids=["network", "mlp"],
)
def test_outputs_of_many_samples_are_computed_by_chunks_of_so_many_numbers(
    make, sizes, monkeypatch
):
    model, x, prepared = make(), samples(60).x_train, []
    whole = values_at(model, x)
    chunks_of(1000, monkeypatch)
    real = type(model).prepare
    monkeypatch.setattr(
        type(model), "prepare", lambda self, x: prepared.append(len(x)) or real(self, x)
    )

    parts = values_at(model, x)

    assert prepared == sizes
    np.testing.assert_allclose(parts, whole, rtol=1e-13)


@pytest.mark.parametrize("place", [0, 1, 4])
def test_an_interrupt_while_held_out_samples_are_evaluated_leaves_entries_that_belong_together(
    monkeypatch, place
):
    network, data = example(n_train=60)
    judged, judge = [], Validation.judge

    def interrupted(self, model, step):
        judged.append(step)
        if len(judged) == place + 1:
            raise KeyboardInterrupt
        return judge(self, model, step)

    monkeypatch.setattr(Validation, "judge", interrupted)

    run = kr.fit(
        network,
        data,
        optimizer="adam",
        batch_size=10,
        n_steps=9,
        rng=np.random.default_rng(0),
        validation_share=0.25,
        test_every=1000,
    )

    assert run.interrupted
    assert len(run.history.step) == place
    if place:
        assert run.test_rmse == pytest.approx(
            error(run.network, data.x_test, data.y_test), rel=1e-12
        )
    else:
        assert run.network is network


def square_root(shift, x):
    """sqrt(x + shift) as a network of one symbolic edge, and a target for which less shift is better."""
    network = kr.from_formula(sp.sqrt(sp.Symbol("x") + shift), domain=(0, 1))
    y = np.sqrt(np.maximum(x - 0.05, 0.0))
    return network, kr.Data(x, y, x[:5], y[:5])


def test_a_step_on_a_mini_batch_is_undone_where_a_sample_of_another_batch_has_no_value():
    x = np.random.default_rng(0).uniform(0.1, 1.0, (200, 1))
    x[7] = 0.0
    network, data = square_root(0.02, x)

    run = kr.fit(
        network, data, optimizer="adam", batch_size=10, n_steps=40, rng=np.random.default_rng(1)
    )

    assert run.stopped == "the next step led to a value of nan and is undone"
    assert np.isfinite(run.train_rmse)
    assert np.isfinite(run.network(x)).all()


@pytest.mark.parametrize(("n_moves", "n_steps"), [(0, 5), (1, 10)])
def test_a_run_ends_where_moved_grids_would_leave_an_edge_without_a_value(
    monkeypatch, n_moves, n_steps
):
    """Its steps are counted over all grids that it had."""
    network, data = example()
    network = kr.fix_symbolic(
        network, 1, output=0, input=0, name="log", affine=(1.0, 9.0, 1.0, 0.0)
    )
    place, answers = place_hidden_grids, iter([False, *[True] * (n_moves + 1)])
    moves = iter(range(n_moves))

    def lowered(network, x, *, after_first):
        moved = place(network, x, after_first=after_first)
        if next(moves, None) is not None:
            return moved
        layers = list(moved.layers)
        affine = layers[1].affine.copy()
        affine[0, 1] = -9.0
        layers[1] = replace(layers[1], affine=affine)
        return kr.Network(tuple(layers))

    monkeypatch.setattr(one_grid, "place_hidden_grids", lowered)
    monkeypatch.setattr(Network, "left_grids", lambda self, flow: next(answers, False))

    run = kr.fit(network, data, optimizer="adam", n_steps=19)

    assert run.stopped.startswith(f"step {n_steps}: activations left grids, but on moved ones x_tr")
    assert np.isfinite(run.network(data.x_train)).all()
    assert run.history.step[-1] == n_steps
