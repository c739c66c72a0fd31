"""Least squares with many samples: sums over chunks in place of the Jacobian."""

import tracemalloc

import numpy as np
import pytest
from networks import random_batch, random_network

import kan_ref as kr
from kan_ref.numerics import (
    NormalSums,
    sum_chunks,
)
from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
from kan_ref.training import data_goal
from kan_ref.training.data_goal import MSE, DataGoal, order_by_cells
from kan_ref.training.objective import make_objective

# --- Kronecker factors


# --- Levenberg-Marquardt


def large_objective(rng, n=50, trainable=("coef", "w_base", "w_spline", "symbolic"), weight=0.0):
    """An objective of random numbers, stored and by chunks."""
    network = random_network(rng, widths=(2, 3, 2), degrees=(3, 3), dead=0.2)
    x = random_batch(rng, network.layers[0], n)
    goal = DataGoal(MSE, x, rng.standard_normal((n, 2)))
    return [
        make_objective(network, one, smoothness_weight=weight, trainable=trainable)
        for one in (goal.prepare(network), goal)
    ]


@pytest.mark.parametrize("trainable", [("coef", "w_base", "w_spline"), ("coef",)])
@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_sums_over_chunks_give_the_step_of_the_stored_jacobian(trainable, weight, monkeypatch):
    monkeypatch.setattr(data_goal, "_CHUNK_ENTRIES", 700)
    stored, chunked = large_objective(np.random.default_rng(4), trainable=trainable, weight=weight)
    _, sums = chunked.linearize(chunked.start())

    one, two = (
        levenberg_marquardt(
            objective.linearize, objective.start(), residuals=objective.residuals, n_steps=1
        )
        for objective in (stored, chunked)
    )

    assert isinstance(sums, NormalSums)
    np.testing.assert_allclose(two.theta, one.theta, rtol=1e-7, atol=1e-7)
    assert two.value == pytest.approx(one.value, rel=1e-9)


def test_chunks_are_added_to_the_first_sums_and_a_chunk_without_blocks_adds_nothing():
    """The smoothness of grids with one interval has no jumps, so that its Jacobian has no blocks."""
    rng = np.random.default_rng(6)
    (one, two), none = (
        ((rng.normal(size=(n, 4)), rng.normal(size=n)) for n in (2, 7)),
        ([], np.zeros(0)),
    )
    first = sum_chunks([one], 4)
    kept = first.matrix.copy(), first.half_gradient.copy()

    sums = sum_chunks([none, two, none], 4, first=first)

    matrix, residuals = (np.concatenate(parts) for parts in zip(one, two, strict=True))
    np.testing.assert_allclose(sums.matrix, matrix.T @ matrix, rtol=0.0, atol=1e-13)
    np.testing.assert_allclose(sums.half_gradient, matrix.T @ residuals, rtol=0.0, atol=1e-13)
    assert (sums.n_rows, first.n_rows, sum_chunks([none], 4).n_rows) == (9, 2, 0)
    np.testing.assert_array_equal(first.matrix, kept[0])
    np.testing.assert_array_equal(first.half_gradient, kept[1])


def test_sums_need_memory_for_a_chunk_alone():
    rng = np.random.default_rng(6)
    chunk = rng.standard_normal((100, 5)), rng.standard_normal(100)

    tracemalloc.start()
    sums = sum_chunks((chunk for _ in range(500)), 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert sums.shape == (50_000, 5)
    assert peak < 20_000


# --- fit


def example():
    rng = np.random.default_rng(7)
    data = kr.sample("exp_sin", n_train=200, n_test=50, rng=rng)
    return kr.init_network(
        (2, 3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), x=data.x_train, rng=rng
    ), data


def test_fit_by_chunks_is_fit(monkeypatch):
    network, data = example()
    stored = kr.fit(network, data, optimizer="lm", n_steps=4)
    monkeypatch.setattr("kan_ref.training.settings.MOST_ENTRIES", 0)
    monkeypatch.setattr("kan_ref.network.definedness._AT_ONCE", 0)
    monkeypatch.setattr(data_goal, "_CHUNK_ENTRIES", 3000)

    chunked = kr.fit(network, data, optimizer="lm", n_steps=4)

    np.testing.assert_allclose(chunked.history.train_rmse, stored.history.train_rmse, rtol=1e-6)
    assert stored.history.train_rmse[-1] < 0.5 * stored.history.train_rmse[0]


@pytest.mark.parametrize("name", ["mlp", "lan"])
def test_sums_of_dense_rows_have_chunks_of_at_least_as_many_rows_as_parameters(name, monkeypatch):
    """With fewer rows, the matrix of a chunk would have more numbers than its Jacobian."""
    rng = np.random.default_rng(3)
    if name == "mlp":
        model = kr.init_mlp((2, 4, 2), activation="tanh", rng=rng)
    else:
        model = kr.init_lan((2, 2, 2), n_intervals=2, degree=2, domain=(-1.0, 1.0), rng=rng)
    x, y = rng.uniform(-1.0, 1.0, (31, 2)), rng.normal(size=(31, 2))
    goal, sizes = DataGoal(MSE, x, y), []
    residuals, (jacobian,) = goal.prepare(model).linearize(model)
    monkeypatch.setattr(data_goal, "_CHUNK_ENTRIES", 0)
    run_flow = type(model).run_flow
    monkeypatch.setattr(
        type(model), "run_flow", lambda self, x: sizes.append(len(x)) or run_flow(self, x)
    )

    by_chunks, sums = goal.linearize(model)

    assert sizes == [model.n_params // 2] * (31 // sizes[0]) + [31 % sizes[0]]
    np.testing.assert_allclose(by_chunks, residuals, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(sums.matrix, jacobian.T @ jacobian, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(sums.half_gradient, jacobian.T @ residuals, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("widths", [(1, 2, 1), (3, 2, 1)])
def test_chunks_of_samples_ordered_by_cells_have_few_columns(widths):
    rng = np.random.default_rng(5)
    network = kr.init_network(widths, n_intervals=8, degree=2, domain=(-1.0, 1.0), rng=rng)
    layer, x = network.layers[0], rng.uniform(-1.0, 1.0, (600, widths[0]))

    order = order_by_cells(layer, x)

    cells = np.floor((x[order, :2] + 1.0) * 4.0).tolist()
    assert sorted(order.tolist()) == list(range(600))
    assert cells == sorted(cells)
