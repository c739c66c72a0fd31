"""The perceptron: values by loops, gradients and Jacobian along random directions, theta as the one door, and its refusals."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import oracles_jets as oracle
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import seeds

import kan_ref as kr
from kan_ref.baselines.mlp import (
    ACTIVATION_NAMES,
)
from kan_ref.numerics.differences import central_difference

activations = pytest.mark.parametrize("activation", ACTIVATION_NAMES)
WIDTHS = {1: (3, 2), 2: (2, 4, 3), 3: (2, 3, 4, 1), 4: (3, 2, 3, 2, 2)}
depths = for_all("depth", WIDTHS)


def example(activation, depth, seed=0, n_samples=6):
    """(perceptron with weights and biases of size one, x, rng); for relu no sum lies near its kink."""
    rng = np.random.default_rng(seed)
    widths = WIDTHS[depth]
    while True:
        weights = tuple(rng.normal(size=(n_out, n_in)) for n_in, n_out in pairwise(widths))
        mlp = kr.MLP(weights, tuple(rng.normal(size=n) for n in widths[1:]), activation)
        x = rng.normal(size=(n_samples, widths[0]))
        if activation != "relu" or clear_of_zero(mlp, x):
            return mlp, x, rng


def clear_of_zero(mlp, x):
    for weight, bias in zip(mlp.weights[:-1], mlp.biases[:-1], strict=True):
        z = x @ weight.T + bias
        if np.abs(z).min() < 1e-3:
            return False
        x = np.maximum(z, 0.0)
    return True


# --- values


@activations
@depths
def test_outputs_are_those_of_loops(activation, depth):
    mlp, x, _ = example(activation, depth)

    np.testing.assert_allclose(
        mlp(x), oracle.perceptron(mlp.weights, mlp.biases, activation, x), rtol=1e-12, atol=1e-13
    )


@given(
    st.sampled_from(ACTIVATION_NAMES), st.lists(st.integers(1, 4), min_size=2, max_size=5), seeds
)
def test_outputs_are_those_of_loops_at_any_widths(activation, widths, seed):
    rng = np.random.default_rng(seed)
    mlp = kr.init_mlp(widths, activation=activation, rng=rng)
    x = rng.normal(size=(3, widths[0]))

    np.testing.assert_allclose(
        mlp(x), oracle.perceptron(mlp.weights, mlp.biases, activation, x), rtol=1e-9, atol=1e-11
    )


def test_a_node_by_hand():
    """z = 2 * 0.5 - 1 * 3 + 1 = -1; y = 4 relu(-1) + 7 = 7, and with x = (3, 1): z = 6, y = 31."""
    mlp = kr.MLP(
        (np.array([[2.0, -1.0]]), np.array([[4.0]])), (np.array([1.0]), np.array([7.0])), "relu"
    )

    np.testing.assert_array_equal(mlp(np.array([[0.5, 3.0], [3.0, 1.0]])), [[7.0], [31.0]])


def test_the_last_layer_has_no_activation():
    mlp = kr.MLP((np.array([[1.0]]),), (np.array([0.0]),), "tanh")

    np.testing.assert_array_equal(mlp(np.array([[5.0], [-5.0]])), [[5.0], [-5.0]])


def test_an_empty_batch_has_no_outputs():
    assert example("tanh", 3)[0](np.empty((0, 2))).shape == (0, 1)


@activations
def test_huge_inputs_have_finite_outputs(activation):
    mlp = example(activation, 2)[0]

    assert np.isfinite(mlp(np.array([[1e6, -1e6], [-1e200, 1e200]]))).all()


@depths
def test_the_flow_holds_the_outputs_of_every_layer(depth):
    mlp, x, _ = example("tanh", depth)

    flow, caches = mlp.run_flow(x)

    assert len(flow) == len(caches) == depth
    np.testing.assert_array_equal(flow[-1], mlp(x))
    for before, weight, bias, made in zip([x, *flow], mlp.weights, mlp.biases, flow, strict=False):
        z = before @ weight.T + bias
        np.testing.assert_array_equal(made, z if made is flow[-1] else np.tanh(z))


# --- derivatives


@activations
@depths
def test_backward_is_the_transpose_of_the_derivative(activation, depth):
    for seed in range(8):
        mlp, x, rng = example(activation, depth, seed)
        dy, d_theta, dx = (
            rng.normal(size=(len(x), mlp.widths[-1])),
            rng.normal(size=mlp.n_params),
            rng.normal(size=x.shape),
        )
        _, caches = mlp.run_flow(x)

        pulled, pulled_x = mlp.run_backward(caches, dy), mlp.gradients(caches, dy)[0]
        slope = central_difference(
            lambda t: float((dy * mlp.with_theta(mlp.theta + t * d_theta)(x)).sum()), 1e-6
        )
        slope_x = central_difference(lambda t: float((dy * mlp(x + t * dx)).sum()), 1e-6)

        assert abs(pulled @ d_theta - slope) <= 1e-7 * (
            np.abs(pulled * d_theta).sum() + np.abs(dy * mlp(x)).sum()
        )
        assert abs((pulled_x * dx).sum() - slope_x) <= 1e-7 * (
            np.abs(pulled_x * dx).sum() + np.abs(dy * mlp(x)).sum()
        )


@activations
@depths
def test_the_jacobian_times_a_direction_is_the_derivative_of_every_prediction(activation, depth):
    for seed in range(8):
        mlp, x, rng = example(activation, depth, seed)
        direction = rng.normal(size=mlp.n_params)

        jacobian = mlp.jacobian(mlp.run_flow(x)[1], 0.5)[0]
        slope = 0.5 * central_difference(
            lambda t: mlp.with_theta(mlp.theta + t * direction)(x).reshape(-1), 1e-6
        )

        assert jacobian.shape == (mlp(x).size, mlp.n_params)
        scale = np.abs(jacobian * direction).sum(axis=1) + np.abs(mlp(x)).reshape(-1)
        np.testing.assert_array_less(np.abs(jacobian @ direction - slope), 1e-7 * scale)


@activations
@depths
def test_the_transposed_jacobian_times_dy_is_the_gradient(activation, depth):
    mlp, x, rng = example(activation, depth)
    dy = rng.normal(size=(len(x), mlp.widths[-1]))
    _, caches = mlp.run_flow(x)

    by_jacobian = mlp.jacobian(caches)[0].T @ dy.reshape(-1)

    np.testing.assert_allclose(mlp.run_backward(caches, dy), by_jacobian, rtol=1e-11, atol=1e-12)


def test_relu_has_slope_zero_at_its_kink():
    mlp = kr.MLP((np.array([[1.0]]), np.array([[3.0]])), (np.array([0.0]), np.array([0.0])), "relu")

    gradient = mlp.run_backward(mlp.run_flow(np.array([[0.0]]))[1], np.array([[1.0]]))

    np.testing.assert_array_equal(gradient, [0.0, 0.0, 0.0, 1.0])


def test_value_and_grad_serves_perceptrons():
    mlp, x, rng = example("tanh", 2)
    y, direction = rng.normal(size=(len(x), 3)), rng.normal(size=mlp.n_params)

    value, gradient = kr.value_and_grad(mlp, x, y)
    slope = central_difference(
        lambda t: kr.value_and_grad(mlp.with_theta(mlp.theta + t * direction), x, y)[0], 1e-6
    )

    assert value == pytest.approx(np.mean((mlp(x) - y) ** 2), rel=1e-13)
    assert gradient @ direction == pytest.approx(slope, rel=1e-7)


# --- theta


def test_theta_runs_through_weights_then_biases_layer_by_layer():
    """[1, 2, 1]: W_0 = (1, 2)^T, v_0 = (3, 4), W_1 = (5, 6), v_1 = (7)."""
    mlp = kr.MLP(
        (np.array([[1.0], [2.0]]), np.array([[5.0, 6.0]])),
        (np.array([3.0, 4.0]), np.array([7.0])),
        "tanh",
    )

    np.testing.assert_array_equal(mlp.theta, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert (mlp.n_params, mlp.widths) == (7, (1, 2, 1))


def test_weights_in_theta_run_in_c_order():
    weight = np.arange(6.0).reshape(2, 3)

    np.testing.assert_array_equal(
        kr.MLP((np.asfortranarray(weight),), (np.zeros(2),), "tanh").theta[:6], weight.ravel()
    )


def test_with_theta_and_theta_are_inverse():
    mlp, x, rng = example("silu", 3)
    theta = rng.normal(size=mlp.n_params)

    moved = mlp.with_theta(theta)

    np.testing.assert_array_equal(moved.theta, theta)
    np.testing.assert_array_equal(mlp.with_theta(mlp.theta)(x), mlp(x))
    assert (moved.activation, moved.widths) == (mlp.activation, mlp.widths)


def same_state(twin, mlp):
    """Whether `twin` is bitwise the same, read-only, and its arrays are views of its own theta."""
    arrays = [*twin.weights, *twin.biases]
    return (
        twin.theta.tobytes() == mlp.theta.tobytes()
        and (twin.activation, twin.widths) == (mlp.activation, mlp.widths)
        and all(np.shares_memory(array, twin.theta) for array in arrays)
        and not any(array.flags.writeable for array in [twin.theta, *arrays])
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda mlp: kr.MLP(mlp.weights, mlp.biases, mlp.activation),
        lambda mlp: kr.MLP(list(mlp.weights), list(mlp.biases), mlp.activation),
        lambda mlp: mlp.with_theta(mlp.theta),
        copy.copy,
        copy.deepcopy,
        lambda mlp: pickle.loads(pickle.dumps(mlp)),
    ],
    ids=["built", "built from lists", "with_theta", "copy", "deepcopy", "pickle"],
)
def test_however_it_was_made_its_arrays_are_read_only_views_of_theta(make):
    mlp = example("tanh", 3)[0]

    assert same_state(make(mlp), mlp)


def test_arrays_of_the_caller_are_copied():
    weight, bias = np.ones((1, 1)), np.ones(1)
    mlp = kr.MLP((weight,), (bias,), "tanh")
    theta = np.full(2, 5.0)
    moved = mlp.with_theta(theta)

    weight[:], bias[:], theta[:] = 9.0, 9.0, 9.0

    np.testing.assert_array_equal(mlp.theta, [1.0, 1.0])
    np.testing.assert_array_equal(moved.theta, [5.0, 5.0])


def test_it_cannot_be_changed():
    mlp = example("tanh", 2)[0]

    with pytest.raises(ValueError, match="read-only"):
        mlp.theta[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        mlp.weights[0][0, 0] = 1.0
    with pytest.raises(AttributeError):
        mlp.activation = "relu"


def test_repr_tells_widths_activation_and_parameters():
    assert repr(example("tanh", 2)[0]) == "MLP([2, 4, 3], tanh, 27 parameters)"


def test_repr_of_a_cache_tells_shapes():
    mlp, x, _ = example("tanh", 2)

    assert [repr(cache) for cache in mlp.run_flow(x)[1]] == [
        "MLPCache(x (6, 2), slope (6, 4))",
        "MLPCache(x (6, 4), slope None)",
    ]


def test_float32_and_integers_are_computed_in_float64():
    mlp = kr.MLP((np.array([[1, 2]]),), (np.array([0.5], dtype=np.float32),), "tanh")

    y = mlp(np.array([[1, 1]], dtype=np.float32))

    assert mlp.theta.dtype == y.dtype == np.float64
    assert y[0, 0] == 3.5


# --- the door

W, V = np.ones((2, 3)), np.ones(2)
REFUSED = {
    "bias": (
        lambda: kr.MLP((W,), (np.ones(3),), "tanh"),
        r"biases\[0\] has shape \(3,\), but needs shape \(2,\)",
    ),
    "layers that do not fit": (
        lambda: kr.MLP((W, W), (V, V), "tanh"),
        r"weights\[1\] takes 3 inputs, but weights\[0\] has 2 outputs",
    ),
    "flat weight": (
        lambda: kr.MLP((V,), (V,), "tanh"),
        r"weights\[0\] has shape \(2,\), but needs shape \(n_out, n_in\)",
    ),
    "no layers": (
        lambda: kr.MLP((), (), "tanh"),
        "weights has 0 layers and biases 0, but both need the same number, at least 1",
    ),
    "a bias too many": (
        lambda: kr.MLP((W,), (V, V), "tanh"),
        "weights has 1 layers and biases 2, but",
    ),
    "a number": (lambda: kr.MLP(3, (V,), "tanh"), "weights is 3, but"),
    "no sequence of biases": (lambda: kr.MLP((W,), None, "tanh"), "biases is None, but"),
    "an array of weights": (
        lambda: kr.MLP(np.ones((2, 2, 2)), np.ones((3, 2)), "tanh"),
        "weights has 2 layers and biases 3",
    ),
    "no outputs": (
        lambda: kr.MLP((np.ones((0, 3)),), (np.ones(0),), "tanh"),
        r"weights\[0\] has shape \(0, 3\), but",
    ),
    "no inputs": (
        lambda: kr.MLP((np.ones((2, 0)),), (V,), "tanh"),
        r"weights\[0\] has shape \(2, 0\), but",
    ),
    "nan": (
        lambda: kr.MLP((W * np.nan,), (V,), "tanh"),
        r"weights\[0\] contains nan at row 0, column 0",
    ),
    "text": (
        lambda: kr.MLP((W,), (["a", "b"],), "tanh"),
        r"biases\[0\] has dtype <U1, but needs real numbers",
    ),
    "activation": (
        lambda: kr.MLP((W,), (V,), "tahn"),
        r"activation is 'tahn', but must be one of .* \(did you mean 'tanh'\?\)",
    ),
    "activation of another kind": (
        lambda: kr.MLP((W,), (V,), np.tanh),
        "activation is <ufunc 'tanh'>, but must be one of",
    ),
    "theta": (
        lambda: kr.MLP((W,), (V,), "tanh").with_theta(np.ones(7)),
        "theta has 7 numbers, but this network has 8",
    ),
    "theta not finite": (
        lambda: kr.MLP((W,), (V,), "tanh").with_theta(np.full(8, np.inf)),
        "theta contains inf at position 0, but needs finite numbers",
    ),
    "x": (
        lambda: kr.MLP((W,), (V,), "tanh")(np.ones((4, 2))),
        r"x has shape \(4, 2\), but needs shape \(batch, 3\)",
    ),
    "flat x": (
        lambda: kr.MLP((W,), (V,), "tanh")(np.ones(3)),
        r"x has shape \(3,\), but needs shape \(batch, 3\)",
    ),
    "nan in x": (
        lambda: kr.MLP((W,), (V,), "tanh")(np.full((1, 3), np.nan)),
        "x contains nan at row 0, column 0, but needs finite numbers",
    ),
    "init activation": (
        lambda: kr.init_mlp((2, 1), activation="gelu", rng=np.random.default_rng(0)),
        "activation is 'gelu', but",
    ),
    "init widths": (
        lambda: kr.init_mlp((2,), activation="tanh", rng=np.random.default_rng(0)),
        r"widths is \(2,\), but",
    ),
    "init width 0": (
        lambda: kr.init_mlp((2, 0), activation="tanh", rng=np.random.default_rng(0)),
        r"widths\[1\] is 0, but must be at least",
    ),
    "init rng": (
        lambda: kr.init_mlp((2, 1), activation="tanh", rng=0),
        "rng is 0, but must be a numpy.random.Generator",
    ),
}


@for_all("name", REFUSED)
def test_an_mlp_refuses_in_a_sentence(name):
    call, sentence = REFUSED[name]

    with pytest.raises((ValueError, TypeError), match=f"^{sentence}") as refusal:
        call()

    assert "\n" not in str(refusal.value)


ONLY_FOR_KANS = {
    "grids": {"grids": (5, 10)},
    "smoothness": {"smoothness_weight": 0.1},
    "penalties": {"penalty_weight": 0.1},
    "trainable": {"trainable": ("coef", "w_base")},
}


@for_all("name", ONLY_FOR_KANS)
@for_all("n_steps", [0, 3])
def test_what_only_a_kan_has_is_refused_by_name(name, n_steps):
    mlp, x, _ = example("tanh", 2)
    y = mlp(x)

    with pytest.raises(TypeError, match=f"{name}.*|.*{name}") as refusal:
        kr.fit(mlp, kr.Data(x, y, x, y), n_steps=n_steps, **ONLY_FOR_KANS[name])

    assert "MLP([2, 4, 3], tanh, 27 parameters)" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_value_and_grad_refuses_penalties_of_a_perceptron():
    mlp, x, _ = example("tanh", 2)

    for weights in ({"penalty_weight": 1.0}, {"smoothness_weight": 1.0}):
        with pytest.raises(
            TypeError, match="smoothness and penalties on edges need the curves of a Network"
        ):
            kr.value_and_grad(mlp, x, mlp(x), **weights)


# --- first draws


@pytest.mark.parametrize(
    ("activation", "bounds"), [("tanh", (0.2, 0.2)), ("sine", (0.3, 0.2449489742783178))]
)
def test_uniform_draws_fill_their_bounds(activation, bounds):
    """100 -> 50 -> 100 for tanh: sqrt(6 / 150) = 0.2 twice; for sine 100 -> 100 -> 100: 30 / 100 and sqrt(6 / 100)."""
    widths = (100, 50, 100) if activation == "tanh" else (100, 100, 100)
    mlp = kr.init_mlp(widths, activation=activation, rng=np.random.default_rng(0))

    for weight, bound in zip(mlp.weights, bounds, strict=True):
        assert 0.998 * bound <= np.abs(weight).max() <= bound
        assert abs(weight.mean()) <= 5.0 * bound / np.sqrt(3.0 * weight.size)
        assert weight.var() == pytest.approx(bound**2 / 3.0, rel=0.05)


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_normal_draws_have_variance_two_over_n_in(activation):
    mlp = kr.init_mlp((50, 200, 40), activation=activation, rng=np.random.default_rng(0))

    for weight, n_in in zip(mlp.weights, (50, 200), strict=True):
        assert weight.var() == pytest.approx(2.0 / n_in, rel=0.06)
        assert np.mean(np.abs(weight) > np.sqrt(2.0 / n_in)) == pytest.approx(
            0.3173, abs=0.02
        )  # a normal law, no uniform one


@activations
def test_biases_begin_at_zero_and_the_seed_decides(activation):
    first, again, other = (
        kr.init_mlp((3, 4, 2), activation=activation, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )

    assert not any(bias.any() for bias in first.biases)
    assert first.theta.tobytes() == again.theta.tobytes() != other.theta.tobytes()


# --- training


@pytest.mark.parametrize("optimizer", [None, "lm", "lbfgs"])
def test_fit_brings_an_mlp_near_a_sine(optimizer):
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    data = kr.Data(x, np.sin(3.0 * x), x[::3], np.sin(3.0 * x[::3]))
    mlp = kr.init_mlp((1, 6, 1), activation="tanh", rng=np.random.default_rng(0))

    run = kr.fit(mlp, data, optimizer=optimizer, n_steps=100)

    assert isinstance(run.network, kr.MLP)
    assert run.history.train_rmse[-1] <= 0.03 < 0.3 <= run.history.train_rmse[0]
    assert run.history.train_rmse[-1] == pytest.approx(
        np.sqrt(np.mean((run.network(x) - data.y_train) ** 2)), rel=1e-12
    )
    assert not run.history.n_intervals.any()
    assert not run.history.penalty.any()


@activations
def test_levenberg_marquardt_trains_every_activation(activation):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (60, 2))
    data = kr.Data(x, x[:, :1] * x[:, 1:], x, x[:, :1] * x[:, 1:])

    run = kr.fit(
        kr.init_mlp((2, 5, 5, 1), activation=activation, rng=rng), data, optimizer="lm", n_steps=30
    )

    assert run.history.train_rmse[-1] <= 0.1 * run.history.train_rmse[0]


def test_fit_leaves_the_perceptron_it_was_given_alone():
    mlp, x, _ = example("tanh", 2)
    before = mlp.theta.copy()

    kr.fit(mlp, kr.Data(x, np.zeros((6, 3)), x, np.zeros((6, 3))), n_steps=3)

    np.testing.assert_array_equal(mlp.theta, before)
