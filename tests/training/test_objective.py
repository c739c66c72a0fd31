"""What training minimizes: losses, standardized data, and the objective with its gradient, residuals and Jacobian.

All agree with the definitions, with differences and with one another.
"""

import math
from itertools import combinations

import numpy as np
import pytest
import sympy
from networks import SPLINE_ARRAYS, data_objective, random_batch, random_network, with_formulas
from oracles_training import bits, covered_network, mean_square, prediction_rows, scaled_jumps, smoothness

import kan_ref as kr
from kan_ref.numerics import NormalSums, central_difference, dense_form
from kan_ref.pde import Equations
from kan_ref.sparsity import Penalty, penalty_value
from kan_ref.training import Scaler, scaled
from kan_ref.training import terms as module
from kan_ref.training.losses import LOSSES, MSE, mean_square_residuals
from kan_ref.training.objective import Objective
from kan_ref.training.terms import DataTerm, SmoothTerm, values_at

# --- losses: values against their definitions, gradients against differences, targets that cannot be broadcast or misread

NAMES = ("mse", "cross_entropy", "logistic")


def case(name, seed, *, batch=5, n_out=3, size=3.0):
    """Predictions and targets (batch, n_out) of a loss."""
    rng = np.random.default_rng(seed)
    z = size * rng.normal(size=(batch, n_out))
    if name == "cross_entropy":
        return z, np.eye(n_out)[rng.integers(n_out, size=batch)]
    return z, rng.normal(size=z.shape) if name == "mse" else rng.integers(2, size=z.shape) * 1.0


def by_definition(name, z, y):
    if name == "mse":
        return mean_square(z, y)
    if name == "logistic":  # the right answer has probability s(z) for 1, s(-z) for 0
        signs = np.where(y == 1.0, 1.0, -1.0)
        return float(np.mean([math.log1p(math.exp(-v)) for v in (signs * z).ravel()]))
    right = z[y == 1.0]
    return float(np.mean([math.log(sum(map(math.exp, z[b] - r))) for b, r in enumerate(right)]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_a_loss_is_its_definition(name, seed):
    z, y = case(name, seed)

    assert LOSSES[name].value_and_grad(z, y)[0] == pytest.approx(by_definition(name, z, y), 1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_a_loss_is_its_derivative_along_any_direction(name, seed):
    z, y = case(name, seed)
    direction = np.random.default_rng(seed + 9).normal(size=z.shape)

    slope = central_difference(lambda t: LOSSES[name].value_and_grad(z + t * direction, y)[0])

    assert np.vdot(LOSSES[name].value_and_grad(z, y)[1], direction) == pytest.approx(slope, rel=1e-7, abs=1e-9)


def test_the_squares_of_residuals_sum_to_the_loss_the_first_sample_first():
    z, y = case("mse", 0)
    residuals = mean_square_residuals(z, y)

    assert residuals @ residuals == pytest.approx(mean_square(z, y), rel=1e-14)
    assert residuals[1] == pytest.approx((z - y)[0, 1] / math.sqrt(z.size), rel=1e-14)


@pytest.mark.parametrize("name", ["cross_entropy", "logistic"])
def test_losses_of_huge_logits_are_finite_and_linear(name):
    z = np.array([[1e4, -1e4]])
    wrong = np.array([[0.0, 1.0]])

    value, gradient = LOSSES[name].value_and_grad(z, wrong)

    assert value == pytest.approx(2e4 if name == "cross_entropy" else 1e4)
    assert np.abs(gradient).max() <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_writes_into_nothing_that_it_is_given(name):
    z, y = case(name, 0)
    before = z.copy(), y.copy()

    LOSSES[name].value_and_grad(z, y)

    assert (z == before[0]).all()
    assert (y == before[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_judgement_is_loss_error_and_share_of_right_answers(name):
    z, y = case(name, 1, batch=40)
    loss, rmse, accuracy = LOSSES[name].judge(z, y)

    probabilities, right = z, math.nan
    if name == "cross_entropy":
        probabilities = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        right = np.mean([row.argmax() == label.argmax() for row, label in zip(z, y, strict=True)])
    elif name == "logistic":
        probabilities, right = 1.0 / (1.0 + np.exp(-z)), ((z > 0) == (y == 1)).mean()
    assert loss == pytest.approx(by_definition(name, z, y), rel=1e-12)
    assert rmse == pytest.approx(math.sqrt(mean_square(probabilities, y)), rel=1e-12)
    assert accuracy == pytest.approx(right, nan_ok=True)


# --- probabilities


@pytest.mark.parametrize(("widths", "loss"), [((2, 3), None), ((2, 1), None), ((2, 3), "logistic")])
def test_probabilities_are_those_of_the_loss(widths, loss):
    network = random_network(np.random.default_rng(0), widths=widths, degrees=(3,))
    x = np.random.default_rng(1).uniform(-1, 1, (6, 2))

    found = kr.predict_proba(network, x, loss=loss)

    z = network(x)
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    if widths[-1] == 1 or loss == "logistic":
        expected = 1.0 / (1.0 + np.exp(-z))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_probabilities_of_far_logits_are_zero_and_one():
    line = kr.init_network((1, 2), n_intervals=1, degree=1, domain=(-1, 1), rng=np.random.default_rng(0))
    line = line.with_theta(np.array([0, 0, 0, 0, 1e4, -1e4, 1, 1.0]))

    np.testing.assert_array_equal(kr.predict_proba(line, [[1.0]]), [[1.0, 0.0]])
    np.testing.assert_array_equal(kr.predict_proba(line, [[1.0]], loss="logistic"), [[1.0, 0.0]])


def test_one_output_has_no_cross_entropy():
    network = random_network(np.random.default_rng(0), widths=(2, 1))

    with pytest.raises(ValueError, match="loss"):
        kr.predict_proba(network, np.zeros((1, 2)), loss="cross_entropy")


# --- targets are read by name and position, and never broadcast


@pytest.mark.parametrize(
    ("loss", "y", "words"),
    [
        ("mse", np.zeros(4), r"y.*\(4,\).*y\[:, None\]"),
        ("mse", np.zeros((4, 1)), r"y.*\(4, 1\)"),
        ("mse", np.zeros((3, 2)), "y.*3.*4"),
        ("mse", np.array([[0, 0], [0, 0], [0, np.nan], [0, 0]]), "y.*nan.*row 2.*column 1"),
        ("logistic", np.array([[0, 1], [0, 1], [0, 0.5], [1, 1]]), "y.*row 2.*column 1"),
        ("logistic", np.zeros(4), "y"),
        ("cross_entropy", np.array([0, 1, 2, 0]), "y at position 2.*2"),
        ("cross_entropy", np.array([0, -1, 0, 0]), "y at position 1.*-1"),
        ("cross_entropy", np.zeros(4), "y.*float64"),
        ("cross_entropy", np.zeros((4, 2), int), r"y.*\(4, 2\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, y, words):
    network = random_network(np.random.default_rng(0), widths=(3, 2))

    with pytest.raises(ValueError, match=words):
        kr.value_and_grad(network, np.zeros((4, 3)), y, loss)


def test_labels_become_rows_with_a_one_in_their_column():
    rows = LOSSES["cross_entropy"].read_targets("y", np.array([2, 0], dtype=np.uint8), 3)

    np.testing.assert_array_equal(rows, [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("seed", range(2))
def test_the_gradient_of_a_class_loss_reaches_the_parameters_of_a_network(seed):
    network = random_network(np.random.default_rng(seed), widths=(2, 3, 3), degrees=(2, 3))
    x = np.random.default_rng(seed).uniform(-1, 1, (7, 2))
    labels = np.arange(7) % 3
    direction = np.random.default_rng(seed + 1).normal(size=network.n_params)

    def value(t):
        return kr.value_and_grad(network.with_theta(network.theta + t * direction), x, labels, "cross_entropy")[0]

    slope = kr.value_and_grad(network, x, labels, "cross_entropy")[1] @ direction

    assert slope == pytest.approx(central_difference(value), rel=1e-6)


# --- the objective: value, gradient, residuals and Jacobian agree with the definitions, with differences and with one another

SUBSETS = [names for n in (1, 2, 3) for names in combinations(SPLINE_ARRAYS, n)]
DISTINCT = ("uniform", "uneven", "clamped")  # kinds of rows without repeated inner breakpoints


def example(seed=0, *, widths=(2, 3, 2), n=9, degrees=(2, 3), kind="uneven", **options):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=widths, degrees=degrees, kind=kind)
    x = random_batch(rng, network.layers[0], n)
    y = rng.normal(size=(n, widths[-1]))
    return network, x, y, data_objective(network, x, y, **options)


def slope_along(objective, z, direction):
    return central_difference(lambda t: objective.value_and_grad(z + t * direction)[0])


def dense(objective, z):
    residuals, blocks = objective.linearize(z)
    return residuals, dense_form(blocks)


# --- values and derivatives


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weight", [0.0, 1e-8, 0.3, 1e4])
def test_the_value_is_mean_square_and_weighted_smoothness(seed, weight):
    network, x, y, objective = example(seed, smoothness_weight=weight)
    expected = mean_square(network(x), y) + weight * smoothness(network)

    value, _ = objective.value_and_grad(objective.start())
    residuals = objective.residuals(objective.start())

    assert value == pytest.approx(expected, rel=1e-11)
    assert residuals @ residuals == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "options", [{}, {"smoothness_weight": 0.3}, {"penalty": Penalty(0.3, 0.7, 1.3)}, {"loss": "logistic"}]
)
def test_the_gradient_is_the_derivative_along_any_direction(seed, options):
    network, x, y, _ = example(seed)
    targets = (y > 0.0) * 1.0 if "loss" in options else y
    objective = data_objective(network, x, targets, **options)
    z = objective.start()
    direction = np.random.default_rng(seed).normal(size=z.size)
    gradient = objective.value_and_grad(z)[1]

    error = gradient @ direction - slope_along(objective, z, direction)

    assert abs(error) <= 1e-6 * np.abs(gradient) @ np.abs(direction)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_jacobian_has_rows_of_predictions_then_of_jumps(seed, weight):
    network, x, y, objective = example(seed, smoothness_weight=weight)
    z = objective.start()

    residuals, jacobian = dense(objective, z)

    np.testing.assert_array_equal(residuals, objective.residuals(z))
    rows = prediction_rows(network, x) / np.sqrt(y.size)
    np.testing.assert_allclose(jacobian[: y.size], rows, atol=1e-11 * np.abs(rows).max())
    direction = np.random.default_rng(seed).normal(size=z.size)
    slope = central_difference(lambda t: objective.residuals(z + t * direction))
    np.testing.assert_allclose(jacobian @ direction, slope, atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_twice_the_transposed_jacobian_times_the_residuals(seed):
    *_, objective = example(seed, smoothness_weight=0.3)
    residuals, jacobian = dense(objective, objective.start())
    gradient = objective.value_and_grad(objective.start())[1]

    np.testing.assert_allclose(gradient, 2.0 * jacobian.T @ residuals, atol=1e-11 * np.abs(gradient).max())


@pytest.mark.parametrize("options", [{}, {"penalty": 0.3}, {"smoothness_weight": 0.3}])
def test_value_and_grad_is_the_objective(options):
    network, x, y, _ = example()
    weight = options.get("penalty")
    kinds = {**options, "penalty": None if weight is None else Penalty(weight)}
    expected = data_objective(network, x, y, **kinds).value_and_grad(network.theta)

    value, gradient = kr.value_and_grad(network, x, y, **options)

    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


@pytest.mark.parametrize("kind", ["paper", "pykan"])
def test_a_penalty_adds_its_weighted_sums_and_is_told_apart(kind):
    network, x, y, objective = example(penalty=Penalty(0.3, 0.7, 1.3, kind))
    flow, caches = network.run_flow(network.prepare(x))
    expected = penalty_value(network, x, caches, flow, Penalty(0.3, 0.7, 1.3, kind))

    value, _ = objective.value_and_grad(objective.start())
    penalty, (loss, rmse, accuracy) = objective.judge(objective.model_at(objective.start()), value)

    assert penalty == pytest.approx(expected, rel=1e-12)
    assert value == pytest.approx(mean_square(network(x), y) + expected, rel=1e-12)
    assert loss == pytest.approx(rmse**2) == pytest.approx(mean_square(network(x), y))
    assert np.isnan(accuracy)


@pytest.mark.parametrize("evaluated", [False, True])
@pytest.mark.parametrize("options", [{"penalty": Penalty(0.3)}, {"smoothness_weight": 0.3}])
def test_judgements_do_not_depend_on_what_was_evaluated_last(evaluated, options):
    network, _, _, objective = example(**options)
    z = objective.start()
    other = network.with_theta(1.1 * network.theta)
    value, _ = objective.value_and_grad(z)
    penalty, judged = objective.judge(objective.model_at(z), value)

    objective.value_and_grad(other.theta)
    model = network if not evaluated else objective.model_at(z)

    again, judged_again = objective.judge(model, value)
    assert again == pytest.approx(penalty, rel=1e-12)
    assert judged_again == pytest.approx(judged, rel=1e-12, nan_ok=True)


def test_a_gradient_is_read_only_so_that_optimizers_may_keep_it():
    *_, objective = example()

    assert not objective.value_and_grad(objective.start())[1].flags.writeable


# --- parts of the parameters


@pytest.mark.parametrize("names", SUBSETS)
def test_a_part_has_the_entries_of_the_whole_gradient_and_jacobian(names):
    network, x, y, whole = example(smoothness_weight=0.3)
    part = data_objective(network, x, y, smoothness_weight=0.3, trainable=names)
    free = part.free if part.free is not None else np.ones(network.n_params, bool)

    np.testing.assert_array_equal(part.start(), network.theta[free])
    gradients = [one.value_and_grad(one.start())[1] for one in (part, whole)]
    np.testing.assert_array_equal(gradients[0], gradients[1][free])
    jacobians = [dense(one, one.start())[1] for one in (part, whole)]
    np.testing.assert_array_equal(jacobians[0], jacobians[1][:, free])


@pytest.mark.parametrize("names", [*SUBSETS[:-1], ("symbolic",)])
def test_moving_a_part_leaves_the_other_parameters(names):
    rng = np.random.default_rng(0)
    network = with_formulas(rng, random_network(rng, widths=(2, 3, 2), degrees=(3,)))
    objective = data_objective(network, np.zeros((1, 2)), np.zeros((1, 2)), trainable=names)

    moved = objective.model_at(objective.start() + 1.0)

    for before, after in zip(network.layers, moved.layers, strict=True):
        for name in (*SPLINE_ARRAYS, "symbolic"):
            array = "affine" if name == "symbolic" else name
            step = 1.0 if name in names else 0.0
            np.testing.assert_array_equal(getattr(after, array), getattr(before, array) + step)


def test_all_names_in_any_order_are_the_whole():
    network, x, y, _ = example()
    names = ("symbolic", "w_spline", "coef", "w_base")

    assert data_objective(network, x, y, trainable=names).free is None


# --- many samples: sums by chunks


@pytest.mark.parametrize("names", [None, ("coef",)])
@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_sums_by_chunks_are_those_of_the_stored_jacobian(names, weight, monkeypatch):
    network, x, y, objective = example(n=50, smoothness_weight=weight, trainable=names)
    z = objective.start()
    residuals, jacobian = dense(objective, z)

    monkeypatch.setattr(module, "MOST_ENTRIES", 1)
    monkeypatch.setattr(module, "_CHUNK_ENTRIES", 1000)
    *_, by_chunks = example(n=50, smoothness_weight=weight, trainable=names)
    own, sums = by_chunks.linearize(z)

    assert isinstance(sums, NormalSums)
    np.testing.assert_allclose(own, residuals, atol=1e-13 * np.abs(residuals).max())
    matrix, half = jacobian.T @ jacobian, jacobian.T @ residuals
    np.testing.assert_allclose(sums.matrix, matrix, atol=1e-12 * np.abs(matrix).max())
    np.testing.assert_allclose(sums.half_gradient, half, atol=1e-12 * np.abs(half).max())
    np.testing.assert_allclose(by_chunks.residuals(z), residuals, atol=1e-13)
    assert by_chunks.judge(by_chunks.model_at(z), own @ own)[1][0] == pytest.approx(mean_square(network(x), y))


@pytest.mark.parametrize("kind", ["network", "mlp", "lan"])
def test_a_jacobian_is_stored_up_to_a_number_of_entries(kind, monkeypatch):
    rng = np.random.default_rng(0)
    models = {
        "network": kr.init_network(
            (2, 3), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng
        ),  # 6 edges with 4 coefficients, w_base and w_spline
        "mlp": kr.init_mlp((2, 3), activation="tanh", rng=rng),
        "lan": kr.init_lan((2, 3), n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=rng),
    }
    entries = 6 * 6 if kind == "network" else models[kind].n_params
    term = DataTerm(MSE, np.zeros((5, 2)), np.zeros((5, 3)), models[kind])

    monkeypatch.setattr(module, "MOST_ENTRIES", 15 * entries)
    assert term.is_stored
    monkeypatch.setattr(module, "MOST_ENTRIES", 15 * entries - 1)
    assert not term.is_stored


def test_values_by_chunks_are_the_values(monkeypatch):
    network, *_ = example()
    x = np.random.default_rng(0).uniform(-1, 1, (700, 2))
    expected = values_at(network, x)

    monkeypatch.setattr(module, "MOST_ENTRIES", 1)

    np.testing.assert_allclose(values_at(network, x), expected, rtol=1e-13)
    np.testing.assert_allclose(expected, network(x), rtol=1e-13)
    assert values_at(network, x[:0]).shape == (0, 2)


def test_a_term_on_some_samples_is_the_term_of_them():
    network, x, y, _ = example(n=20)
    rows = np.array([3, 0, 17])
    whole = DataTerm(MSE, x, y, network, Penalty(0.3))

    value, gradient = whole.on_samples(rows).value_and_grad(network)

    expected = DataTerm(MSE, x[rows], y[rows], network, Penalty(0.3)).value_and_grad(network)
    assert value == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-10, atol=1e-13)


# --- smoothness


@pytest.mark.parametrize("kind", DISTINCT)
@pytest.mark.parametrize("degree", range(5))
def test_smoothness_is_the_sum_of_squared_jumps_of_live_edges(kind, degree):
    network = random_network(np.random.default_rng(degree), degrees=(degree,), kind=kind)
    expected = smoothness(network)

    value, _ = SmoothTerm(0.5, network).value_and_grad(network)

    assert value == pytest.approx(0.5 * expected, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("degree", range(4))
def test_jumps_run_by_layer_output_input_and_breakpoint(degree):
    network = random_network(np.random.default_rng(degree), degrees=(degree,), kind="uneven")
    expected = [
        float(layer.w_spline[j, i] * layer.mask[j, i]) * float(jump)
        for layer in network.layers
        for j in range(layer.n_out)
        for i in range(layer.n_in)
        for jump in scaled_jumps(layer.knots[i], degree, layer.coef[j, i])
    ]

    residuals = SmoothTerm(4.0, network).residuals(network)

    np.testing.assert_allclose(residuals, 2.0 * np.array(expected), atol=1e-10)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_polynomials_cost_nothing(degree):
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 1), n_intervals=6, degree=degree, domain=(-1.0, 1.0), rng=rng)
    x = np.linspace(-1, 1, 50)[:, None]
    design = kr.bspline.basis(x, network.layers[0].knots, degree)[:, 0]
    coef = np.linalg.lstsq(design, x[:, 0] ** degree)[0]
    network = network.with_theta(np.concatenate([coef, [0.3, 1.7]]))

    assert SmoothTerm(1.0, network).value_and_grad(network)[0] < 1e-25


def test_a_layer_without_inner_breakpoints_has_no_rows():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 2), n_intervals=1, degree=3, domain=(-1.0, 1.0), rng=rng)

    residuals, blocks = SmoothTerm(1.0, network).linearize(network)

    assert (residuals.size, blocks) == (0, [])


# --- scaled variables


def metric_by_definition(network, squares, share):
    """(T16), layer by layer."""
    found = []
    for own in np.split(squares, np.cumsum(network.layer_sizes)[:-1]):
        median = np.median(own[own > 0.0])
        found += [median if d == 0.0 else max(d, share * median) for d in own]
    return np.array(found)


def covered(n=40, n_intervals=4):
    rng = np.random.default_rng(3)
    x = rng.uniform(-1.0, 1.0, (n, 2))
    network = covered_network(rng, (2, 2, 1), degree=3, n_intervals=n_intervals, x=x, pad=0.6)
    return network, x, rng.normal(size=(n, 1))


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_the_metric_is_bounded_below_by_a_share_of_the_median_of_its_layer(share):
    network, x, y = covered()
    jacobian = dense(data_objective(network, x, y), network.theta)[1]
    squares = (jacobian**2).sum(axis=0)
    assert (squares == 0.0).any()  # of coefficients that no sample reaches

    found = data_objective(network, x, y).metric(share)(squares)

    np.testing.assert_allclose(found, metric_by_definition(network, squares, share), rtol=1e-14)


def test_the_metric_of_a_part_is_that_of_its_own_columns():
    network, x, y = covered()
    objective = data_objective(network, x, y, trainable=("w_base", "w_spline"))
    squares = np.arange(1.0, objective.start().size + 1)

    found = objective.metric(1.0)(squares)

    n_first = 2 * network.layers[0].w_base.size
    first, second = squares[:n_first], squares[n_first:]
    expected = [np.maximum(first, np.median(first)), np.maximum(second, np.median(second))]
    np.testing.assert_array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("n", [20, 400, 20000])
def test_scales_are_powers_of_two_near_the_inverse_root_of_the_metric(n):
    network, x, y = covered(n)
    objective = data_objective(network, x, y).in_scaled_variables()
    rows = prediction_rows(network, x[:400]) if n <= 400 else None
    if rows is None:
        jacobian = dense(data_objective(network, x, y), network.theta)[1]
        rows = jacobian * np.sqrt(y.size)

    share = np.clip(network.n_params / n, 0.01, 1.0)
    exponents = -0.5 * np.log2(metric_by_definition(network, (rows**2).sum(axis=0), share))
    offset = exponents - np.log2(objective.scale)
    assert np.ptp(offset) <= 1.0 + 1e-6  # rounded to the nearest power, up to a common factor
    assert np.sort(objective.scale)[network.n_params // 2] == 1.0
    np.testing.assert_array_equal(np.frexp(objective.scale)[0], 0.5)


def test_scaled_variables_change_the_gradient_by_the_chain_rule_and_no_value():
    network, x, y = covered()
    plain = data_objective(network, x, y)
    objective = plain.in_scaled_variables()
    z = objective.start()

    value, gradient = objective.value_and_grad(z)

    assert bits(objective.model_at(z)) == bits(network)
    assert value == plain.value_and_grad(network.theta)[0]
    np.testing.assert_array_equal(gradient, plain.value_and_grad(network.theta)[1] * objective.scale)


def test_scales_of_class_losses_are_those_of_predictions_and_of_parts_their_own():
    network, x, _ = covered()
    labels = (x[:, :1] > 0.0) * 1.0
    scales = [data_objective(network, x, labels, loss=loss).in_scaled_variables().scale for loss in ("mse", "logistic")]
    part = data_objective(network, x, labels, trainable=("coef",)).in_scaled_variables()

    np.testing.assert_array_equal(*scales)
    assert part.scale.size == sum(layer.coef.size for layer in network.layers)


def test_scales_of_data_and_equations_are_those_of_all_residuals():
    network, x, y = covered(200)
    left = x[:, 0] < 0.0  # each has coefficients of its own
    condition = kr.value_term(x[~left], y[~left])
    terms = [DataTerm(MSE, x[left], y[left], network), Equations([condition]).prepare(network)]
    objective = Objective(network, terms)
    squares = (dense(objective, network.theta)[1] ** 2).sum(axis=0)

    scale = objective.in_scaled_variables().scale

    share = np.clip(network.n_params / 200, 0.01, 1.0)
    exponents = -0.5 * np.log2(metric_by_definition(network, squares, share))
    assert np.ptp(exponents - np.log2(scale)) <= 1.0 + 1e-6


# --- protections


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((4, 2)), np.zeros((3, 2)), "y.*3.*4"),
        (np.zeros((4, 3)), np.zeros((4, 2)), r"x.*\(4, 3\)"),
        (np.array([[0.0, np.inf]]), np.zeros((1, 2)), "x.*inf.*row 0.*column 1"),
    ],
)
def test_samples_that_do_not_fit_are_refused_by_name_and_position(x, y, words):
    network, *_ = example()

    with pytest.raises(ValueError, match=words):
        kr.value_and_grad(network, x, y)


def test_a_model_without_curves_has_no_smoothness_and_no_penalty():
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))

    for option in ({"smoothness_weight": 0.1}, {"penalty": 0.1}):
        with pytest.raises(TypeError, match="network"):
            kr.value_and_grad(mlp, np.zeros((1, 2)), np.zeros((1, 1)), **option)


def test_an_undefined_edge_is_named_in_place_of_a_nan():
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="log", affine=(1, 0, 1, 0))

    with pytest.raises(ValueError, match="log"):
        kr.value_and_grad(network, [[0.5], [-0.5]], [[0.0], [0.0]])


def test_the_model_of_a_vector_is_made_once():
    *_, objective = example()
    z = objective.start()

    assert isinstance(objective, Objective)
    assert objective.model_at(z) is objective.model_at(z)


# --- standardized data: the moments, the ways back, constant columns, formulas in the user's units


def table(seed=0, n=30):
    """Three inputs and two targets in units far from one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * [1e-3, 1.0, 1e6] + [0.5, -3.0, 2e7]
    y = x[:, :2] * [1e5, 2.0] + 40.0
    return kr.Data(x[:20], y[:20], x[20:], y[20:], names=("a", "b", "c"))


def test_columns_get_mean_0_and_standard_deviation_1_of_the_training_samples():
    data = table()
    found, scaler = scaled(data)

    for before, after in ((data.x_train, found.x_train), (data.y_train, found.y_train)):
        np.testing.assert_allclose(after.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(after.std(axis=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose(after, (before - before.mean(axis=0)) / before.std(axis=0), atol=1e-9)
    np.testing.assert_allclose(scaler.x_mean, data.x_train.mean(axis=0))
    np.testing.assert_array_equal(found.x_test, scaler.transform_x(data.x_test))
    np.testing.assert_array_equal(found.y_test, scaler.transform_y(data.y_test))
    assert found.names == scaler.names == ("a", "b", "c")


def test_the_ways_back_lead_to_the_user_s_units():
    data = table()
    found, scaler = scaled(data)

    np.testing.assert_allclose(scaler.inverse_x(found.x_test), data.x_test, rtol=1e-12)
    np.testing.assert_allclose(scaler.inverse_y(found.y_test), data.y_test, rtol=1e-12)


def test_data_do_not_depend_on_units_once_they_are_scaled():
    data = table()
    moved = kr.Data(1e5 * data.x_train + 7.0, data.y_train / 3.0, 1e5 * data.x_test + 7.0, data.y_test / 3.0)

    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_allclose(getattr(scaled(moved)[0], name), getattr(scaled(data)[0], name), atol=1e-8)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7])
def test_a_column_that_is_constant_up_to_rounding_becomes_exactly_0_and_comes_back(value):
    data = table()
    columns = data.x_train.copy()
    columns[:, 1] = value * (1.0 + 2e-16 * (np.arange(20) % 2))
    y = np.full((20, 1), value)
    found, scaler = scaled(kr.Data(columns, y, columns[:3], y[:3]))

    assert (found.x_train[:, 1] == 0.0).all()
    assert (found.x_train[:, 0] != 0.0).any()
    assert (found.y_test == 0.0).all()
    assert scaler.x_scale[1] == 1.0
    assert (scaler.inverse_y(np.ones((2, 1))) == value).all()
    other = scaler.transform_x(columns[:1] + np.array([[0.0, 2.0, 0.0]]))  # another number is no rounding
    assert other[0, 1] == pytest.approx(2.0, rel=1e-6)


def test_labels_stay():
    data = kr.Data(np.arange(6.0)[:, None], [0, 1] * 3, np.ones((2, 1)), [1, 0])
    found, scaler = scaled(data)

    assert found.y_train.tolist() == [0, 1] * 3
    assert scaler.transform_y([1, 0]).tolist() == scaler.inverse_y([1, 0]).tolist() == [1, 0]
    assert scaler.y_mean is None
    assert "class labels" in repr(scaler)
    (formula,) = scaler.formula((sympy.Symbol("x_1"),))
    assert float(formula.subs("x_1", scaler.x_mean[0])) == 0.0


# --- formulas


@pytest.mark.parametrize("names", [None, ("u", "v", "w")])
def test_a_formula_in_the_user_s_units_has_the_values_of_the_network(names):
    data = table()
    found, scaler = scaled(data)
    symbols = sympy.symbols(names or data.names)
    expressions = (symbols[0] * sympy.sin(symbols[1]) + symbols[2], symbols[0] ** 2)

    moved = scaler.formula(expressions, names)

    values = np.stack([sympy.lambdify(symbols, part)(*found.x_test.T) for part in expressions], 1)
    own = np.stack([sympy.lambdify(symbols, part)(*data.x_test.T) for part in moved], axis=1)
    np.testing.assert_allclose(own, scaler.inverse_y(values), rtol=1e-8)


def test_one_formula_is_no_tuple_and_its_inputs_have_numbers_without_names():
    scaler = Scaler([20.0, 1.0], [10.0, 1.0], [100.0], [50.0])

    moved = scaler.formula(sympy.Symbol("x_1"))

    assert sympy.simplify(moved - 5.0 * sympy.Symbol("x_1")) == 0


def test_a_formula_of_a_constant_target_is_its_mean():
    x = np.arange(5.0)[:, None]
    _, scaler = scaled(kr.Data(x, np.full((5, 1), 7.0), x, np.full((5, 1), 7.0)))

    assert float(scaler.formula(sympy.Symbol("x_1"))) == 7.0


def test_a_standardized_input_stays_where_multiplying_out_would_overflow():
    year, tiny = sympy.Symbol("x_1"), Scaler([2003.0], [0.5], [0.0], [1.0])

    moved = tiny.formula(sympy.exp(year))

    assert moved.atoms(sympy.UnevaluatedExpr)
    assert float(moved.subs(year, 2004.0).doit()) == pytest.approx(np.exp(2.0))
    assert not Scaler([3.0], [0.5], [0.0], [1.0]).formula(sympy.exp(year)).atoms(sympy.UnevaluatedExpr)


@pytest.mark.parametrize(
    ("expression", "names", "word"),
    [
        (sympy.Symbol("q"), None, "expression"),
        ((sympy.Symbol("x_1"),) * 2, None, "expression"),
        (sympy.Symbol("a"), ("a", "b"), "names"),
    ],
)
def test_formulas_of_other_data_are_refused(expression, names, word):
    with pytest.raises(ValueError, match=word):
        Scaler([20.0], [10.0], [100.0], [50.0]).formula(expression, names)


# --- protections


def test_a_scaler_keeps_its_numbers():
    mean, scale = np.array([1.0]), np.array([2.0])
    scaler = Scaler(mean, scale, mean, scale, names=["a"])
    mean[0] = scale[0] = 5.0

    assert (scaler.x_mean[0], scaler.y_scale[0], scaler.names) == (1.0, 2.0, ("a",))
    assert repr(scaler) == "Scaler(x_mean [1.], x_scale [2.], y_mean [1.], y_scale [2.])"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (([0.0], [0.0], None, None), "x_scale"),
        (([0.0, 1.0], [1.0], None, None), "x_scale"),
        (([0.0], [1.0], [0.0], [-1.0]), "y_scale"),
        (([np.nan], [1.0], None, None), "x_mean"),
    ],
)
def test_scales_are_positive_numbers_of_each_column(arguments, word):
    with pytest.raises(ValueError, match=word):
        Scaler(*arguments)


def test_a_table_with_other_columns_and_arrays_of_other_shapes_are_refused():
    from networks import Frame

    _, scaler = scaled(table())

    with pytest.raises(ValueError, match="x"):
        scaler.transform_x(Frame.of(["b", "a", "c"], np.zeros((2, 3))))
    with pytest.raises(ValueError, match=r"x.*\(2, 2\)"):
        scaler.transform_x(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"y.*\(2,\)"):
        scaler.inverse_y(np.zeros(2))
