"""Scaled variables: the same objective in other variables, so that optimizers see columns of similar length."""

import numpy as np
import pytest
from cases import for_all
from oracles_training import samples

import kan_ref as kr
from kan_ref.numerics import column_squares, dense_form
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.objective import make_objective
from kan_ref.training.variables import LayerMetric, layer_metric, parameter_scale


def toy(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def toy_data(n_train=80, seed=0):
    return samples(toy, 2, np.random.default_rng(seed), n_train=n_train)


def made(widths=(2, 3, 1), *, seed=0, n_intervals=4):
    return kr.init_network(
        widths,
        n_intervals=n_intervals,
        degree=3,
        domain=(-1.0, 1.0),
        rng=np.random.default_rng(seed),
    )


def objectives(network, data, **options):
    """The objective in theta, and in z."""
    goal = DataGoal(MSE, data.x_train, data.y_train).prepare(network)
    return make_objective(network, goal, **options), make_objective(
        network, goal, scaled=True, **options
    )


def locked():
    """A network with two locked symbolic edges, a symbolic edge beside a spline edge and a masked edge."""
    network = kr.mask_edges(made((2, 3, 2)), 0, [[1, 1], [1, 0], [1, 1]])
    for output in (0, 1):
        network = kr.fix_symbolic(
            network, 0, output=output, input=0, name="sin", affine=(1.1, 0.2, 0.7, 0.1)
        )
    network = kr.fix_symbolic(network, 1, output=0, input=0, name="exp")
    return kr.lock_edges(network, 0, [(0, 0), (1, 0)])


def lan():
    return kr.init_lan(
        (2, 3, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(2)
    )


def mlp():
    return kr.init_mlp((2, 4, 3, 2), activation="tanh", rng=np.random.default_rng(1))


# --- squared column norms


@pytest.mark.parametrize("make", [lambda: made((2, 3, 2, 3, 2)), locked, mlp, lan])
def test_squared_column_norms_are_those_of_the_jacobian(make):
    model, x = make(), np.random.default_rng(3).uniform(-1.2, 1.2, (40, 2))
    caches = model.run_forward(model.prepare(x))[1]

    squares = model.column_squares(caches)

    expected = (dense_form(model.jacobian(caches, 1.0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(squares, expected, rtol=1e-12, atol=1e-14 * expected.max())
    assert sum(model.layer_sizes) == model.n_params


def test_squared_column_norms_do_not_depend_on_the_chunks_of_samples(monkeypatch):
    from kan_ref.training import variables

    network, data = made(), toy_data()
    goal = DataGoal(MSE, data.x_train, data.y_train).prepare(network)
    n_rows, squares = variables._data_squares(network, goal)
    monkeypatch.setattr(variables, "_CHUNK_NUMBERS", 6 * 7)

    again, in_chunks = variables._data_squares(network, goal)

    assert again == n_rows
    np.testing.assert_allclose(in_chunks, squares, rtol=1e-12, atol=1e-15)


# --- the metric


def test_the_metric_has_the_median_of_each_layer_as_its_scale():
    squares = np.array([0.0, 1.0, 4.0, 100.0, 1e6, 1e6, 0.0, 9e6])

    metric = LayerMetric((4, 4), 0.5)(squares)

    np.testing.assert_array_equal(metric, [4.0, 2.0, 4.0, 100.0, 1e6, 1e6, 1e6, 9e6])


def test_a_layer_without_influence_has_the_metric_one():
    np.testing.assert_array_equal(LayerMetric((2, 1), 1.0)(np.array([0.0, 0.0, 4.0])), [1, 1, 4])


@pytest.mark.parametrize(("n_train", "share"), [(2700, 0.01), (270, 0.1), (9, 1.0)])
def test_the_share_of_the_median_is_the_number_of_parameters_per_row(monkeypatch, n_train, share):
    from kan_ref.training import variables

    shares = []
    monkeypatch.setattr(
        variables,
        "layer_metric",
        lambda model, free, share: shares.append(share) or np.ones_like,
    )
    objectives(made((2, 1, 1)), toy_data(n_train))  # 3 edges with 7 + 2 parameters each

    assert shares == [pytest.approx(share)]


def test_the_metric_has_the_trained_parameters_of_each_layer():
    free = np.ones(27, dtype=bool)
    free[[0, 20, 21]] = False

    assert layer_metric(made((2, 1, 1)), free, 1.0).sizes == (17, 7)


def test_scales_are_powers_of_two_with_median_one():
    network, data = made(), toy_data()
    scale = parameter_scale(
        network, DataGoal(MSE, data.x_train, data.y_train).prepare(network), None
    )

    assert np.sort(scale)[len(scale) // 2] == 1.0
    assert np.all(np.frexp(scale)[0] == 0.5)


# --- the objective in z


@pytest.mark.parametrize(
    "options", [{}, {"trainable": ("w_base", "coef")}, {"smoothness_weight": 1e-3}]
)
def test_the_objective_in_z_has_the_value_of_theta_and_the_gradient_times_the_scale(options):
    plain, scaled = objectives(made(), toy_data(), **options)
    theta = plain.start() + 0.1
    z = theta / scaled.scale

    value, gradient = plain.value_and_grad(theta)
    value_z, gradient_z = scaled.value_and_grad(z)

    assert value_z == value
    np.testing.assert_array_equal(gradient_z, gradient * scaled.scale)
    np.testing.assert_array_equal(scaled.model_at(z).theta, plain.model_at(theta).theta)
    np.testing.assert_allclose(
        dense_form(scaled.linearize(z)[1]),
        dense_form(plain.linearize(theta)[1]) * scaled.scale,
        rtol=1e-13,
    )


def test_converting_to_z_and_back_is_exact():
    network = made()
    _, scaled = objectives(network, toy_data())

    np.testing.assert_array_equal(scaled.model_at(scaled.start()).theta, network.theta)


def test_the_z_of_a_callback_is_its_own():
    _, scaled = objectives(made(), toy_data())
    z = scaled.start()
    model = scaled.model_at(z)
    z += 1.0

    np.testing.assert_array_equal(model.theta, scaled.model_at(scaled.start()).theta)


# --- fit


def equations():
    x = np.linspace(-1.0, 1.0, 21)[:, None]
    term = kr.linear_term(x, second=[1.0], source=-(np.pi**2) * np.sin(np.pi * x), weight=0.01)
    return kr.residual_problem([term, kr.value_term([[-1.0], [1.0]], 0.0)])


@for_all("optimizer", ["lm", "lbfgs", "bfgs"])
@for_all("kind", ["network", "locked", "mlp", "lan", "equations", "classes"])
def test_every_kind_of_run_lowers_its_objective_in_scaled_variables(kind, optimizer):
    data = toy_data()
    both = kr.Data(
        *(
            np.repeat(y, 2, axis=1) if place % 2 else y
            for place, y in enumerate((data.x_train, data.y_train, data.x_test, data.y_test))
        )
    )
    labels = (data.y_train[:, 0] > 1.0).astype(int)
    options = {
        "network": (made(), {"data": data, "grids": (4, 6)}),
        "locked": (locked(), {"data": both}),
        "mlp": (mlp(), {"data": both}),
        "lan": (lan(), {"data": both}),
        "equations": (made((1, 2, 1)), {"problem": equations()}),
        "classes": (
            made((2, 2, 2)),
            {
                "data": kr.Data(data.x_train, labels, data.x_train, labels),
                "loss": "cross_entropy",
            },
        ),
    }
    model, arguments = options[kind]
    if kind == "classes" and optimizer == "lm":
        optimizer = "lbfgs"

    run = kr.fit(model, **arguments, optimizer=optimizer, n_steps=5, precondition="jacobian")
    plain = kr.fit(model, **arguments, optimizer=optimizer, n_steps=5, precondition=None)

    assert run.history.train_loss[-1] < 0.9 * run.history.train_loss[0]
    assert run.history.train_loss[0] == plain.history.train_loss[0]
    assert not np.array_equal(run.network.theta, plain.network.theta)


@pytest.mark.parametrize(
    ("options", "same_as"),
    [
        ({}, "jacobian"),
        ({"optimizer": "lbfgs"}, "jacobian"),
        ({"optimizer": "bfgs"}, "jacobian"),
        ({"optimizer": "ssbroyden"}, None),
        ({"optimizer": "adam"}, None),
        ({"optimizer": "lbfgs", "penalty_weight": 1e-2}, None),
    ],
)
def test_the_default_is_scaled_for_lm_lbfgs_and_bfgs_without_penalty_on_edges(options, same_as):
    network, data = made(), toy_data()

    run = kr.fit(network, data, n_steps=3, **options)
    named = kr.fit(network, data, n_steps=3, precondition=same_as, **options)

    np.testing.assert_array_equal(run.network.theta, named.network.theta)


@pytest.mark.parametrize("make", [mlp, lan])
def test_the_default_is_plain_for_mlps_and_lans(make):
    data = toy_data()
    two = np.repeat(data.y_train, 2, axis=1)
    data = kr.Data(data.x_train, two, data.x_train, two)

    run, plain = (kr.fit(make(), data, n_steps=3, **one) for one in ({}, {"precondition": None}))

    np.testing.assert_array_equal(run.network.theta, plain.network.theta)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"penalty_weight": 1e-2}, "L1 or entropy penalty"),
        ({"optimizer": "adam"}, "Adam scales"),
    ],
)
def test_scaled_variables_are_refused_where_they_do_not_help(options, words):
    with pytest.raises(ValueError, match=words):
        kr.fit(made(), toy_data(), precondition="jacobian", **options)


def test_an_unknown_precondition_is_refused():
    with pytest.raises(ValueError, match="precondition"):
        kr.fit(made(), toy_data(), precondition="hessian")


def test_a_parameter_that_is_not_trained_stays_bitwise():
    network = made()
    for optimizer in ("lm", "lbfgs"):
        run = kr.fit(network, toy_data(), optimizer=optimizer, n_steps=3, trainable=("coef",))
        for old, new in zip(network.layers, run.network.layers, strict=True):
            np.testing.assert_array_equal(new.w_base, old.w_base)
            assert not np.array_equal(new.coef, old.coef)


def test_scaled_variables_lower_the_error_of_lbfgs_on_fine_grids():
    data = toy_data(400)
    start = kr.best_start(
        (2, 1, 1), data, n_starts=3, n_intervals=3, degree=3, rng=np.random.default_rng(0)
    )
    errors = [
        kr.fit(
            start, data, optimizer="lbfgs", grids=(10, 20), n_steps=80, precondition=kind
        ).history.train_rmse[-1]
        for kind in ("jacobian", None)
    ]
    assert errors[0] < 0.3 * errors[1]


# --- Levenberg-Marquardt with a metric


@pytest.mark.parametrize("n_rows", [4, 30])
def test_a_step_with_a_metric_solves_the_damped_equations(n_rows):
    from kan_ref.optimizers.normal_equations import normal_equations

    rng = np.random.default_rng(0)
    jacobian, residuals = rng.standard_normal((n_rows, 9)), rng.standard_normal(n_rows)
    jacobian[:, 4] = 0.0
    metric = column_squares(jacobian) + 0.1

    equations = normal_equations(jacobian, residuals, metric=lambda squares: squares + 0.1)
    step, predicted = equations.step(0.3)

    expected = np.linalg.solve(
        jacobian.T @ jacobian + 0.3 * np.diag(metric), -jacobian.T @ residuals
    )
    np.testing.assert_allclose(step, expected, atol=1e-12)
    fall = residuals @ residuals - ((residuals + jacobian @ step) ** 2).sum()
    assert predicted == pytest.approx(fall, rel=1e-10)
    assert equations.largest_square() == pytest.approx((column_squares(jacobian) / metric).max())


def test_steps_with_the_diagonal_as_metric_do_not_depend_on_units_of_parameters():
    rng = np.random.default_rng(1)
    matrix, target = rng.standard_normal((20, 5)), rng.standard_normal(20)
    units = 2.0 ** np.array([-30, -10, 0, 10, 30])

    def run(units):
        return kr.levenberg_marquardt(
            lambda z: (np.tanh(matrix @ (units * z)) - target, (1 - np.tanh(matrix @ (units * z))[:, None] ** 2) * matrix * units),
            np.ones(5) / units,
            n_steps=5,
            metric=lambda squares: squares,
        )  # fmt: skip

    np.testing.assert_allclose(units * run(units).theta, run(np.ones(5)).theta, rtol=1e-10)


def test_the_metric_is_that_of_the_initial_point():
    calls = []

    def metric(squares):
        calls.append(squares)
        return 1.0 + squares

    kr.levenberg_marquardt(
        lambda z: (z**3 - 2.0, np.diag(3.0 * z**2)), np.array([3.0, 4.0]), n_steps=4, metric=metric
    )

    np.testing.assert_array_equal(calls, [[729.0, 2304.0]])
