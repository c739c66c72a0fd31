"""Least squares with many samples or parameters: products without the Jacobian, sums over chunks, conjugate gradients."""

import inspect
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from networks import random_batch, random_network

import kan_ref as kr
from kan_ref.numerics import (
    KroneckerPreconditioner,
    NormalSums,
    SelectedOperator,
    StackedOperator,
    StoredOperator,
    dense_form,
    sum_chunks,
)
from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
from kan_ref.optimizers.levenberg_marquardt_cg import (
    _Products,
    conjugate_gradients,
    levenberg_marquardt_cg,
)
from kan_ref.optimizers.normal_equations import normal_equations
from kan_ref.training import matrix_free
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.matrix_free import DataOperator, order_by_cells
from kan_ref.training.objective import make_objective


def symbolic_network(rng, widths):
    """A random network with two symbolic edges, locked together, and a masked one."""
    network = random_network(rng, widths=widths, degrees=(3,) * (len(widths) - 1), dead=0.2)
    for place in (0, 1):
        network = kr.fix_symbolic(
            network, 0, output=place, input=place, name="sin", affine=(1.1, 0.2, 0.7, -0.3)
        )
    return kr.lock_edges(network, 0, [(0, 0), (1, 1)])


def error(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


# --- operators


@pytest.mark.parametrize("widths", [(3, 2), (2, 5, 1), (2, 3, 4, 2)])
@pytest.mark.parametrize("kept", [True, False])
def test_products_are_those_of_the_dense_jacobian(widths, kept, monkeypatch):
    monkeypatch.setattr(matrix_free, "_CHUNK_NUMBERS", 3000)  # several chunks
    monkeypatch.setattr(matrix_free, "_KEPT_NUMBERS", 10**6 if kept else 0)
    rng = np.random.default_rng(0)
    network = symbolic_network(rng, widths)
    x = random_batch(rng, network.layers[0], 23)
    operator = DataOperator(network, x, 0.3)
    _, caches = network.run_flow(network.prepare(x))
    jacobian = dense_form(network.jacobian(caches, 0.3))
    u, v = rng.standard_normal(network.n_params), rng.standard_normal(23 * widths[-1])

    for _ in range(2):
        assert error(operator.multiply(u), jacobian @ u) < 1e-14
        assert error(operator.multiply_transposed(v), jacobian.T @ v) < 1e-14
        assert error(operator.normal_product(u), jacobian.T @ (jacobian @ u)) < 1e-14
        assert error(operator.column_squares(), (jacobian**2).sum(axis=0)) < 1e-14
    assert bool(operator.kept) is kept
    assert operator.shape == jacobian.shape


def test_stacked_and_selected_operators_are_those_of_the_matrix():
    rng = np.random.default_rng(1)
    top, bottom = rng.standard_normal((4, 3)), rng.standard_normal((2, 3))
    keep = np.array([True, False, True])
    matrix = np.concatenate([top, bottom])[:, keep]
    operator = SelectedOperator(
        StackedOperator([StoredOperator(top), StoredOperator(bottom)]), keep
    )
    u, v = rng.standard_normal(2), rng.standard_normal(6)

    assert operator.shape == (6, 2)
    assert error(operator.multiply(u), matrix @ u) < 1e-14
    assert error(operator.multiply_transposed(v), matrix.T @ v) < 1e-14
    assert error(operator.normal_product(u), matrix.T @ matrix @ u) < 1e-14
    assert error(operator.column_squares(), (matrix**2).sum(axis=0)) < 1e-14


# --- Kronecker factors


def blocks_of(rng, widths, monkeypatch, batch=40):
    """The operator of a random network with symbolic and masked edges, its blocks and Jacobian."""
    monkeypatch.setattr(matrix_free, "_CHUNK_NUMBERS", 3000)  # several chunks
    network = symbolic_network(rng, widths)
    x = random_batch(rng, network.layers[0], batch)
    operator = DataOperator(network, x, 0.3)
    _, caches = network.run_flow(network.prepare(x))
    blocks = operator.kronecker_blocks(operator.column_squares())
    return network, blocks, dense_form(network.jacobian(caches, 0.3)), x


def correlations(matrix):
    """A matrix scaled to a unit diagonal; rows and columns of zeros stay."""
    root = np.sqrt(matrix.diagonal())
    both = np.outer(root, root)
    return matrix / np.where(both > 0.0, both, 1.0)


def of_eigen(pair):
    """The matrix with these eigenvalues and eigenvectors."""
    values, vectors = pair
    return vectors * values @ vectors.T


@pytest.mark.parametrize("widths", [(3, 2), (2, 12, 2)])  # F is dense, gathered
def test_blocks_of_the_last_layer_are_the_correlations_of_its_jacobian(widths, monkeypatch):
    network, blocks, jacobian, _ = blocks_of(np.random.default_rng(9), widths, monkeypatch)
    last = blocks[-1]

    assert len(blocks) == len(network.layers)
    for j, (columns, signs) in enumerate(zip(last.columns, last.signs, strict=True)):
        part = jacobian[:, columns]
        expected = correlations(part.T @ part)
        found = np.outer(signs, signs) * of_eigen(last.of_features)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert of_eigen(last.of_outputs)[j, j] == pytest.approx(1.0)
    assert (last.signs == 0.0).any()
    np.testing.assert_allclose(of_eigen(last.of_outputs), np.eye(widths[-1]), atol=1e-12)


def test_blocks_of_a_hidden_layer_have_the_mean_products_of_sensitivities(monkeypatch):
    rng = np.random.default_rng(10)
    network, blocks, _, x = blocks_of(rng, (2, 3, 4, 2), monkeypatch)
    first, rest = kr.Network(network.layers[:2]), kr.Network(network.layers[2:])

    every = kr.input_jacobian(rest, first(x)).reshape(-1, 4)

    expected = correlations(every.T @ every)
    found = of_eigen(blocks[1].of_outputs)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.abs(expected - np.eye(4)).max() > 0.1


@pytest.mark.parametrize("shift", [0.05, 2.0])
def test_the_preconditioner_is_that_of_its_formula(shift, monkeypatch):
    rng = np.random.default_rng(11)
    network, blocks, jacobian, _ = blocks_of(rng, (2, 3, 2), monkeypatch)
    diagonal = 0.1 + (jacobian**2).sum(axis=0)
    inner = np.eye(network.n_params)
    for block in blocks:
        columns, signs = block.columns.ravel(), block.signs.ravel()
        kronecker = np.kron(of_eigen(block.of_outputs), of_eigen(block.of_features))
        shifted = (kronecker + shift * np.eye(signs.size)) / (1.0 + shift)
        own = np.outer(signs, signs) * np.linalg.inv(shifted)
        own += np.diag(signs == 0.0)
        inner[np.ix_(columns, columns)] = own
    inverse = inner / np.sqrt(np.outer(diagonal, diagonal))
    precondition = KroneckerPreconditioner(blocks, diagonal, shift)
    u = rng.standard_normal(network.n_params)

    assert np.linalg.eigvalsh(inverse)[0] > 0.0
    assert error(precondition(u), inverse @ u) < 1e-11


def test_a_layer_with_too_many_features_has_no_block(monkeypatch):
    monkeypatch.setattr("kan_ref.network.tangent._MOST_FEATURES", 25)
    network, blocks, _, _ = blocks_of(np.random.default_rng(12), (2, 4, 2, 1), monkeypatch)

    assert [layer.n_in * (layer.n_basis + 1) > 25 for layer in network.layers] == [0, 1, 0]
    starts = np.cumsum([0, *(layer.n_params for layer in network.layers)])
    assert [int(block.columns[0, 0]) for block in blocks] == [starts[0], starts[2]]


def test_the_kronecker_factors_save_products():
    rng = np.random.default_rng(13)
    x = rng.uniform(-1.0, 1.0, (2000, 6))
    y = np.sin(np.pi * x[:, ::2] * x[:, 1::2]).sum(axis=1)[:, None]
    network = kr.init_network((6, 6, 6, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    network = kr.fit(network, kr.Data(x, y, x, y), optimizer="lbfgs", n_steps=20).network
    operator = DataOperator(network, x, 1.0 / np.sqrt(len(x)))
    residuals = (network(x) - y).reshape(-1) / np.sqrt(len(x))
    squares, rhs = operator.column_squares(), -operator.multiply_transposed(residuals)
    damped = 0.01 * np.maximum(squares, np.median(squares))
    falls = []

    for precondition in (
        KroneckerPreconditioner(operator.kronecker_blocks(squares), squares + damped, 0.05),
        lambda r: r / (squares + damped),
    ):
        h, n_products = conjugate_gradients(
            lambda u: operator.normal_product(u) + damped * u,
            rhs,
            precondition,
            tolerance=0.0,
            n_steps=10,
        )
        assert n_products == 10
        falls.append(float(h @ rhs))

    assert falls[0] > 1.1 * falls[1] > 0.0


# --- conjugate gradients


def test_conjugate_gradients_solve_a_small_system():
    rng = np.random.default_rng(2)
    root = rng.standard_normal((9, 6)) * 10.0 ** np.arange(6)
    matrix, b = root.T @ root, rng.standard_normal(6)

    x, n_products = conjugate_gradients(
        lambda u: matrix @ u, b, lambda r: r / matrix.diagonal(), tolerance=1e-14, n_steps=60
    )

    assert (
        error(
            x * np.sqrt(matrix.diagonal()), np.linalg.solve(matrix, b) * np.sqrt(matrix.diagonal())
        )
        < 1e-9
    )
    assert n_products <= 20


def test_the_preconditioner_makes_a_badly_scaled_system_quick():
    """Sixteen steps cannot meet 40 eigenvalues over 10 decades; scaled, all lie near 1."""
    rng = np.random.default_rng(2)
    columns = np.eye(40) + 0.01 * rng.standard_normal((40, 40))
    root = columns * 10.0 ** np.linspace(0.0, 5.0, 40)
    matrix, b = root.T @ root, rng.standard_normal(40)
    solution = np.linalg.solve(matrix, b)

    with_it, without = (
        conjugate_gradients(
            lambda u: matrix @ u, b, lambda r, d=diagonal: r / d, tolerance=0.0, n_steps=16
        )[0]
        for diagonal in (matrix.diagonal(), np.ones(40))
    )

    assert error(with_it, solution) < 1e-9
    assert error(without, solution) > 1e-2


@pytest.mark.parametrize("n_steps", [1, 3])
def test_steps_stop_early_with_a_residual_orthogonal_to_them(n_steps):
    rng = np.random.default_rng(3)
    root, b = rng.standard_normal((30, 12)), rng.standard_normal(12)
    matrix = root.T @ root

    x, n_products = conjugate_gradients(
        lambda u: matrix @ u, b, lambda r: r / matrix.diagonal(), tolerance=0.0, n_steps=n_steps
    )

    assert n_products == n_steps
    assert abs(x @ (matrix @ x - b)) < 1e-12
    assert 0.5 * x @ matrix @ x - b @ x < 0.0


def test_a_product_that_is_not_positive_ends_conjugate_gradients():
    x, n_products = conjugate_gradients(
        lambda u: -u, np.ones(2), lambda r: r, tolerance=0.0, n_steps=9
    )

    assert x.tolist() == [0.0, 0.0]
    assert n_products == 1


def test_a_curvature_beyond_float64_ends_conjugate_gradients():
    """u . 1e10 u is 1e310 for u of 1e150, although both are finite."""
    with np.errstate(over="ignore"):
        x, n_products = conjugate_gradients(
            lambda u: 1e10 * u, np.array([1e150]), lambda r: r, tolerance=0.0, n_steps=9
        )

    assert x.tolist() == [0.0]
    assert n_products == 1


# --- Levenberg-Marquardt


def rosenbrock(theta):
    """Residuals and Jacobian of Rosenbrock's function."""
    x, y = theta
    return np.array([10.0 * (y - x * x), 1.0 - x]), np.array([[-20.0 * x, 10.0], [-1.0, 0.0]])


def test_steps_are_those_of_the_dense_equations():
    points = [[], []]
    for method, options, seen in (
        (levenberg_marquardt, {}, points[0]),
        (
            levenberg_marquardt_cg,
            {"damping": 1e-3, "cg_tolerance": 0.0, "cg_steps": 20},
            points[1],
        ),
    ):
        method(
            rosenbrock,
            [-1.2, 1.0],
            n_steps=8,
            callback=lambda iterate, seen=seen: seen.append(iterate.theta) and None,
            **options,
        )

    np.testing.assert_allclose(points[1], points[0], rtol=1e-8)


def test_the_minimum_is_found_with_few_products_a_step():
    result = levenberg_marquardt_cg(rosenbrock, [-1.2, 1.0], cg_steps=2)

    np.testing.assert_allclose(result.theta, [1.0, 1.0], rtol=1e-8)


@pytest.mark.parametrize(
    "name", ["gradient_tolerance", "step_tolerance", "value_tolerance", "n_steps"]
)
def test_both_optimizers_end_by_the_same_rules(name):
    dense, products = (
        inspect.signature(method).parameters[name].default
        for method in (levenberg_marquardt, levenberg_marquardt_cg)
    )

    assert products == dense
    runs = [
        method(rosenbrock, np.array([-1.2, 1.0]), **{name: dense})
        for method in (levenberg_marquardt, levenberg_marquardt_cg)
    ]
    assert all(np.allclose(run.theta, [1.0, 1.0], rtol=1e-8) for run in runs)


def test_one_product_a_step_is_allowed_and_every_tolerance_ends_a_run_by_itself():
    one = levenberg_marquardt_cg(rosenbrock, [-1.2, 1.0], n_steps=3, cg_steps=1)
    steep = levenberg_marquardt_cg(rosenbrock, [-1.2, 1.0], gradient_tolerance=1e9)
    short = levenberg_marquardt_cg(rosenbrock, [-1.2, 1.0], step_tolerance=1e9)

    assert one.value < rosenbrock([-1.2, 1.0])[0] @ rosenbrock([-1.2, 1.0])[0]
    assert (steep.n_steps, "gradient norm" in steep.stopped) == (0, True)
    assert (short.n_steps, "gradient norm" in short.stopped) == (0, False)


def test_the_preconditioner_has_the_blocks_of_the_operator_where_its_squares_are_finite(
    monkeypatch,
):
    rng = np.random.default_rng(7)
    network, blocks, _, x = blocks_of(rng, (2, 3, 2), monkeypatch)
    operator, residuals = DataOperator(network, x, 0.3), rng.standard_normal(len(x) * 2)
    products = _Products(operator, 1e-2, 9)

    equations = products.equations(residuals, None)
    with_blocks = equations._preconditioner(1e-3 * equations.every_metric)
    still = replace(equations, squares=np.zeros_like(equations.squares))
    squares = operator.column_squares()
    squares[0] = np.nan
    monkeypatch.setattr(DataOperator, "column_squares", lambda operator: squares)
    without = products.equations(residuals, None)

    assert len(equations.blocks) == len(blocks) > 0
    assert isinstance(with_blocks, KroneckerPreconditioner)
    assert np.ptp(equations.squares) > 1.0
    for share in (0.1, 0.7):  # damping by this share of the squares weakens correlations by it
        shift = equations._preconditioner(share * equations.squares).shift
        assert shift == pytest.approx(share, rel=1e-14)
    # nothing says how much damping weakens correlations: the least shift
    assert still._preconditioner(np.ones(len(squares))).shift == 0.05
    assert without.blocks == ()
    diagonal = without._preconditioner(np.ones(len(squares)))
    np.testing.assert_allclose(diagonal(np.ones(len(squares)))[1:], 1.0 / (squares[1:] + 1.0))


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
def test_conjugate_gradients_stop_at_the_tolerance_for_the_residual(tolerance):
    rng = np.random.default_rng(8)
    root, b = rng.standard_normal((60, 30)), rng.standard_normal(30)
    matrix, norms = root.T @ root, []

    conjugate_gradients(
        lambda u: matrix @ u,
        b,
        lambda r: norms.append(np.linalg.norm(r)) or r.copy(),
        tolerance=tolerance,
        n_steps=200,
    )

    assert norms[-1] <= tolerance * norms[0]
    assert all(norm > tolerance * norms[0] for norm in norms[:-1])


def test_dual_equations_of_sparse_rows_are_those_of_the_dense_jacobian():
    objective = large_objective(np.random.default_rng(9), n=8)[0]
    residuals, rows = objective.linearize(objective.start())

    sparse, dense = (
        normal_equations(jacobian, residuals, dual=True, metric=lambda squares: squares + 0.5)
        for jacobian in (rows, dense_form(rows))
    )

    np.testing.assert_allclose(sparse.matrix, dense.matrix, rtol=1e-12, atol=1e-14)


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
    monkeypatch.setattr(matrix_free, "_CHUNK_ENTRIES", 700)
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


@pytest.mark.parametrize("trainable", [("coef", "w_base", "w_spline"), ("coef",)])
@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_the_operator_of_an_objective_is_its_jacobian(trainable, weight):
    rng = np.random.default_rng(5)
    stored, chunked = large_objective(rng, trainable=trainable, weight=weight)
    residuals, jacobian = stored.linearize(stored.start())
    matrix, u = dense_form(jacobian), rng.standard_normal(len(stored.start()))

    for objective in (stored, chunked):
        found, operator = objective.operator(objective.start())
        np.testing.assert_allclose(found, residuals, rtol=0, atol=1e-14)
        assert error(operator.multiply(u), matrix @ u) < 1e-13
        assert error(operator.normal_product(u), matrix.T @ (matrix @ u)) < 1e-13


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


@pytest.mark.parametrize("optimizer", ["lm", "lm_cg"])
def test_fit_by_chunks_is_fit(optimizer, monkeypatch):
    network, data = example()
    stored = kr.fit(network, data, optimizer=optimizer, n_steps=4)
    monkeypatch.setattr("kan_ref.training.settings.MOST_ENTRIES", 0)
    monkeypatch.setattr("kan_ref.network.definedness._AT_ONCE", 0)
    monkeypatch.setattr(matrix_free, "_CHUNK_ENTRIES", 3000)

    chunked = kr.fit(network, data, optimizer=optimizer, n_steps=4)

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
    monkeypatch.setattr(matrix_free, "_CHUNK_ENTRIES", 0)
    run_flow = type(model).run_flow
    monkeypatch.setattr(
        type(model), "run_flow", lambda self, x: sizes.append(len(x)) or run_flow(self, x)
    )

    by_chunks, sums = goal.linearize(model)

    assert sizes == [model.n_params // 2] * (31 // sizes[0]) + [31 % sizes[0]]
    np.testing.assert_allclose(by_chunks, residuals, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(sums.matrix, jacobian.T @ jacobian, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(sums.half_gradient, jacobian.T @ residuals, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("precondition", [None, "jacobian"])
def test_matrix_free_fits_fall_with_and_without_scaled_damping(precondition):
    network, data = example()

    run = kr.fit(network, data, optimizer="lm_cg", n_steps=15, precondition=precondition)

    assert run.history.train_rmse[-1] < 0.1 * run.history.train_rmse[0]
    assert (np.diff(run.history.train_rmse[-9:]) <= 0.0).all()


def test_matrix_free_fits_take_smoothness_grids_and_parts_of_theta():
    network, data = example()

    run = kr.fit(
        network,
        data,
        optimizer="lm_cg",
        n_steps=5,
        grids=(3, 6),
        smoothness_weight=1e-6,
        trainable=("coef",),
    )

    assert run.history.train_rmse[-1] < 0.5 * run.history.train_rmse[0]


@pytest.mark.parametrize("kind", ["mlp", "problem"])
def test_other_models_and_equations_are_fitted_by_products_with_their_rows(kind):
    rng = np.random.default_rng(8)
    if kind == "mlp":
        _, data = example()
        run = kr.fit(
            kr.init_mlp((2, 5, 1), activation="tanh", rng=rng), data, optimizer="lm_cg", n_steps=10
        )
    else:
        x = np.linspace(0.0, 1.0, 20)[:, None]
        decay = kr.linear_term(x, first=[1.0], zeroth=1.0)
        problem = kr.residual_problem([decay, kr.value_term([[0.0]], 1.0)])
        network = kr.init_network((1, 1), n_intervals=4, degree=3, domain=(0.0, 1.0), rng=rng)
        run = kr.fit(network, problem=problem, optimizer="lm_cg", n_steps=10)

    assert run.history.train_rmse[-1] < 0.5 * run.history.train_rmse[0]


def test_matrix_free_least_squares_without_residuals_are_refused_by_name():
    network, data = example()

    with pytest.raises(ValueError, match="optimizer is 'lm_cg', but with an L1 or entropy penalty"):
        kr.fit(network, data, optimizer="lm_cg", penalty_weight=0.1)


@pytest.mark.parametrize("widths", [(1, 2, 1), (3, 2, 1)])
def test_chunks_of_samples_ordered_by_cells_have_few_columns(widths):
    rng = np.random.default_rng(5)
    network = kr.init_network(widths, n_intervals=8, degree=2, domain=(-1.0, 1.0), rng=rng)
    layer, x = network.layers[0], rng.uniform(-1.0, 1.0, (600, widths[0]))

    order = order_by_cells(layer, x)

    cells = np.floor((x[order, :2] + 1.0) * 4.0).tolist()
    assert sorted(order.tolist()) == list(range(600))
    assert cells == sorted(cells)
