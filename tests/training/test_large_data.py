"""Runs on many samples: which losses are evaluated by chunks, and at which samples penalties are taken."""

import numpy as np
import pytest
from objectives import goal_objective

import kan_ref as kr
from kan_ref.sparsity import PenaltyWeights
from kan_ref.training import penalties, settings
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.goal import values_at


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


@pytest.mark.parametrize(
    ("optimizer", "more", "chunks"), [("lm", -1, False), ("lm", 0, True), ("lm_cg", -1, True)]
)
def test_lm_forms_sums_of_a_large_jacobian_only_if_it_has_a_row_for_each_parameter(
    optimizer, more, chunks, monkeypatch
):
    """With fewer rows, J^T J would have more rows than the Jacobian."""
    monkeypatch.setattr(settings, "MOST_ENTRIES", 0)
    model = network()
    x = samples(model.n_params + more).x_train
    read = settings.read_settings(
        model,
        optimizer=optimizer,
        n_steps=1,
        loss="mse",
        penalty=None,
        smoothness_weight=0.0,
        update_grids=True,
        trainable=("coef",),
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
