"""The learnable activation network: values by loops, derivatives along random directions, theta as the one door, grids, refusals."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from oracles_jets import activation
from oracles_layer import base_value, bspline

import kan_ref as kr
from kan_ref.baselines.lan import (
    LAN_BASE_NAMES,
    node_curve,
    pre_activations,
)
from kan_ref.functions.base_function import ACTIVATION_NAMES
from kan_ref.numerics.differences import central_difference

bases = pytest.mark.parametrize("base", LAN_BASE_NAMES)
WIDTHS = {1: (3, 2), 2: (2, 4, 3), 3: (2, 3, 4, 1), 4: (3, 2, 3, 2, 2)}
depths = for_all("depth", WIDTHS)


def example(base, depth, seed=0, n_samples=6, degree=3):
    """(network with numbers of size one on uneven grids, x, rng); no pre-activation near a kink, some off their grids."""
    rng = np.random.default_rng(seed)
    widths = WIDTHS[depth]
    while True:
        weights = tuple(rng.normal(size=(n_out, n_in)) for n_in, n_out in pairwise(widths))
        biases = tuple(rng.normal(size=n) for n in widths[1:])
        knots = tuple(
            np.cumsum(rng.uniform(0.3, 0.7, (n, 5 + 2 * degree)), axis=1) - 2.5
            for n in widths[1:-1]
        )
        coefs = tuple(rng.normal(size=(len(rows), rows.shape[1] - degree - 1)) for rows in knots)
        lan = kr.LAN(weights, biases, coefs, knots, degree, base)
        x = rng.normal(size=(n_samples, widths[0]))
        hidden = pre_activations(lan, x)[:-1]
        if base != "relu" or all(np.abs(z).min() > 1e-3 for z in hidden):
            return lan, x, rng


def base_of(name, z):
    return activation(name, z) if name in ACTIVATION_NAMES else base_value(name, z)


def by_loops(lan, x):
    """Outputs, one sample, one node, one basis function at a time."""
    y = []
    for sample in x:
        values = [float(v) for v in sample]
        for number, (weight, bias) in enumerate(zip(lan.weights, lan.biases, strict=True)):
            sums = []
            for j in range(len(bias)):
                z = float(bias[j]) + sum(
                    float(weight[j, i]) * values[i] for i in range(len(values))
                )
                if number < len(lan.coefs):
                    row, coef = lan.knots[number][j], lan.coefs[number][j]
                    z = base_of(lan.base, z) + sum(
                        float(coef[m]) * bspline(m, lan.degree, row, z) for m in range(len(coef))
                    )
                sums.append(z)
            values = sums
        y.append(values)
    return np.array(y)


def task(n=60, seed=0):
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, (n, 2))
    return kr.Data(x, x[:, :1] * x[:, 1:], x[::3], x[::3, :1] * x[::3, 1:])


# --- values


@bases
@depths
@for_all("degree", [0, 1, 3, 4])
def test_outputs_are_those_of_loops(base, depth, degree):
    lan, x, _ = example(base, depth, degree=degree)

    np.testing.assert_allclose(lan(x), by_loops(lan, x), rtol=1e-11, atol=1e-12)


def test_a_node_by_hand():
    """z = 2 * 0.25 = 0.5 on the hats of 0, 1, 2 has 0.5 of the first and 0.5 of the second: 3 * 0.5 + 5 * 0.5 = 4; y = 10 * 4 + 1."""
    row = np.array([[-1.0, 0.0, 1.0, 2.0, 3.0]])
    lan = kr.LAN(([[2.0]], [[10.0]]), ([0.0], [1.0]), ([[3.0, 5.0, 0.0]],), (row,), 1, "zero")

    assert lan(np.array([[0.25]])) == 41.0


def test_a_curve_far_off_its_grid_is_the_base_function():
    lan = kr.init_lan(
        (1, 3, 2),
        n_intervals=4,
        degree=3,
        domain=(-1.0, 1.0),
        base="tanh",
        rng=np.random.default_rng(0),
    )
    far = np.array([[1e4], [-1e200]])
    mlp = kr.MLP(lan.weights, lan.biases, "tanh")

    np.testing.assert_array_equal(lan(far), mlp(far))


def test_without_hidden_nodes_it_is_linear():
    lan = kr.LAN((np.array([[2.0, -1.0]]),), (np.array([0.5]),), (), (), 3, "silu")

    np.testing.assert_array_equal(lan(np.array([[1.0, 3.0]])), [[-0.5]])
    assert repr(lan) == "LAN([2, 1], n_intervals [], degree 3, silu, 3 parameters)"


def test_an_empty_batch_has_no_outputs():
    assert example("silu", 3)[0](np.empty((0, 2))).shape == (0, 1)


@depths
def test_the_flow_holds_the_outputs_of_every_layer(depth):
    lan, x, _ = example("silu", depth)

    flow, caches = lan.run_flow(x)

    assert len(flow) == len(caches) == depth
    np.testing.assert_array_equal(flow[-1], lan(x))
    pre = pre_activations(lan, x)
    for made, weight, bias, z in zip(flow, lan.weights[1:], lan.biases[1:], pre[1:], strict=False):
        np.testing.assert_array_equal(made @ weight.T + bias, z)


# --- derivatives


@bases
@depths
def test_backward_is_the_transpose_of_the_derivative(base, depth):
    for seed in range(6):
        lan, x, rng = example(base, depth, seed)
        dy, d_theta, dx = (
            rng.normal(size=(len(x), lan.widths[-1])),
            rng.normal(size=lan.n_params),
            rng.normal(size=x.shape),
        )
        _, caches = lan.run_flow(x)

        pulled, pulled_x = lan.run_backward(caches, dy), lan.gradients(caches, dy)[0]
        slope = central_difference(
            lambda t: float((dy * lan.with_theta(lan.theta + t * d_theta)(x)).sum()), 1e-6
        )
        slope_x = central_difference(lambda t: float((dy * lan(x + t * dx)).sum()), 1e-6)

        assert abs(pulled @ d_theta - slope) <= 1e-7 * (
            np.abs(pulled * d_theta).sum() + np.abs(dy * lan(x)).sum()
        )
        assert abs((pulled_x * dx).sum() - slope_x) <= 1e-7 * (
            np.abs(pulled_x * dx).sum() + np.abs(dy * lan(x)).sum()
        )


@bases
@depths
def test_the_jacobian_times_a_direction_is_the_derivative_of_every_prediction(base, depth):
    for seed in range(6):
        lan, x, rng = example(base, depth, seed)
        direction = rng.normal(size=lan.n_params)

        jacobian = lan.jacobian(lan.run_flow(x)[1], 0.5)[0]
        slope = 0.5 * central_difference(
            lambda t: lan.with_theta(lan.theta + t * direction)(x).reshape(-1), 1e-6
        )

        assert jacobian.shape == (lan(x).size, lan.n_params)
        scale = np.abs(jacobian * direction).sum(axis=1) + np.abs(lan(x)).reshape(-1)
        np.testing.assert_array_less(np.abs(jacobian @ direction - slope), 1e-7 * scale)


@bases
@depths
def test_the_transposed_jacobian_times_dy_is_the_gradient(base, depth):
    lan, x, rng = example(base, depth)
    dy = rng.normal(size=(len(x), lan.widths[-1]))
    _, caches = lan.run_flow(x)

    by_jacobian = lan.jacobian(caches)[0].T @ dy.reshape(-1)

    np.testing.assert_allclose(lan.run_backward(caches, dy), by_jacobian, rtol=1e-11, atol=1e-12)


def test_a_wrong_gradient_of_one_part_would_be_seen():
    """The check above with gradients of coefficients that are 0: it must not agree."""
    lan, x, rng = example("silu", 3)
    dy, direction = rng.normal(size=(len(x), 1)), rng.normal(size=lan.n_params)
    pulled = lan.run_backward(lan.run_flow(x)[1], dy)
    start = lan.weights[0].size + lan.biases[0].size
    pulled[start : start + lan.coefs[0].size] = 0.0

    slope = central_difference(
        lambda t: float((dy * lan.with_theta(lan.theta + t * direction)(x)).sum()), 1e-6
    )

    assert abs(pulled @ direction - slope) > 1e-3 * abs(slope)


def test_value_and_grad_serves_it():
    lan, x, rng = example("silu", 2)
    y, direction = rng.normal(size=(len(x), 3)), rng.normal(size=lan.n_params)

    value, gradient = kr.value_and_grad(lan, x, y)
    slope = central_difference(
        lambda t: kr.value_and_grad(lan.with_theta(lan.theta + t * direction), x, y)[0], 1e-6
    )

    assert value == pytest.approx(np.mean((lan(x) - y) ** 2), rel=1e-13)
    assert gradient @ direction == pytest.approx(slope, rel=1e-7)


# --- theta


def test_theta_runs_through_weights_biases_and_coefficients_layer_by_layer():
    row = np.arange(4.0)[None]  # degree 0: three bases
    lan = kr.LAN(
        ([[1.0]], [[6.0], [7.0]]), ([2.0], [8.0, 9.0]), ([[3.0, 4.0, 5.0]],), (row,), 0, "silu"
    )

    np.testing.assert_array_equal(lan.theta, np.arange(1.0, 10.0))
    assert (lan.n_params, lan.widths) == (9, (1, 1, 2))


def test_with_theta_and_theta_are_inverse():
    lan, x, rng = example("silu", 3)
    theta = rng.normal(size=lan.n_params)

    moved = lan.with_theta(theta)

    np.testing.assert_array_equal(moved.theta, theta)
    np.testing.assert_array_equal(lan.with_theta(lan.theta)(x), lan(x))
    assert (moved.base, moved.degree, moved.widths) == (lan.base, lan.degree, lan.widths)


def same_state(twin, lan):
    """Whether `twin` is bitwise the same, read-only, and its parameters are views of its own theta."""
    own = [*twin.weights, *twin.biases, *twin.coefs]
    return (
        twin.theta.tobytes() == lan.theta.tobytes()
        and (twin.base, twin.degree, twin.widths) == (lan.base, lan.degree, lan.widths)
        and all(
            np.array_equal(row, other) for row, other in zip(twin.knots, lan.knots, strict=True)
        )
        and all(np.shares_memory(array, twin.theta) for array in own)
        and not any(array.flags.writeable for array in [twin.theta, *own, *twin.knots])
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda lan: kr.LAN(lan.weights, lan.biases, lan.coefs, lan.knots, lan.degree, lan.base),
        lambda lan: kr.LAN(
            *(list(part) for part in (lan.weights, lan.biases, lan.coefs, lan.knots)),
            lan.degree,
            lan.base,
        ),
        lambda lan: lan.with_theta(lan.theta),
        copy.copy,
        copy.deepcopy,
        lambda lan: pickle.loads(pickle.dumps(lan)),
    ],
    ids=["built", "built from lists", "with_theta", "copy", "deepcopy", "pickle"],
)
def test_however_it_was_made_its_arrays_are_read_only_views_of_theta(make):
    lan = example("tanh", 3)[0]

    assert same_state(make(lan), lan)


def test_arrays_of_the_caller_are_copied():
    parts = [
        np.ones((1, 1)),
        np.ones(1),
        np.ones((1, 2)),
        np.arange(3.0)[None],
        np.ones((1, 1)),
        np.ones(1),
    ]
    weight, bias, coef, row, last, last_bias = parts
    lan = kr.LAN((weight, last), (bias, last_bias), (coef,), (row,), 0, "zero")

    for part in parts:
        part[:] = 9.0

    np.testing.assert_array_equal(lan.theta, np.ones(6))
    np.testing.assert_array_equal(lan.knots[0], [[0.0, 1.0, 2.0]])


def test_it_cannot_be_changed():
    lan = example("tanh", 2)[0]

    for array in (lan.theta, lan.weights[0], lan.coefs[0], lan.knots[0]):
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 1.0
    with pytest.raises(AttributeError):
        lan.base = "relu"


def test_repr_tells_widths_grids_base_and_parameters():
    lan, x, _ = example("tanh", 2)

    assert repr(lan) == "LAN([2, 4, 3], n_intervals [4], degree 3, tanh, 55 parameters)"
    assert [repr(cache) for cache in lan.run_flow(x)[1]] == [
        "LANCache(x (6, 2), slope (6, 4))",
        "LANCache(x (6, 4), slope None)",
    ]


# --- first draws, grids


@bases
def test_draws_are_the_perceptrons_and_small_curves(base):
    lan, again, other = (
        kr.init_lan(
            (3, 200, 2),
            n_intervals=20,
            degree=3,
            domain=(-1.0, 1.0),
            base=base,
            rng=np.random.default_rng(seed),
        )
        for seed in (1, 1, 2)
    )
    mlp = kr.init_mlp(
        (3, 200, 2),
        activation=base if base in ACTIVATION_NAMES else "tanh",
        rng=np.random.default_rng(1),
    )

    assert all(
        np.array_equal(mine, theirs) for mine, theirs in zip(lan.weights, mlp.weights, strict=True)
    )
    assert lan.coefs[0].shape == (200, 23)
    assert lan.coefs[0].std() == pytest.approx(0.1, rel=0.05)
    assert lan.theta.tobytes() == again.theta.tobytes() != other.theta.tobytes()


def test_grids_lie_on_the_pre_activations_with_a_margin():
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (300, 2))
    lan = kr.init_lan(
        (2, 5, 4, 1), n_intervals=10, degree=3, domain=x, rng=np.random.default_rng(0)
    )

    for z, rows in zip(pre_activations(lan, x)[:-1], lan.knots, strict=True):
        pad = 0.1 * np.ptp(z, axis=0)
        np.testing.assert_allclose(rows[:, 3], z.min(axis=0) - pad, rtol=0, atol=1e-12)
        np.testing.assert_allclose(rows[:, -4], z.max(axis=0) + pad, rtol=0, atol=1e-12)


def test_without_samples_grids_lie_on_the_widest_bounds():
    lan = kr.init_lan(
        (2, 3, 3, 1),
        n_intervals=4,
        degree=1,
        domain=[[-1.0, 1.0], [0.0, 3.0]],
        rng=np.random.default_rng(0),
    )

    for rows in lan.knots:
        np.testing.assert_array_equal(rows, [[-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]] * 3)


def test_a_probe_batch_places_grids_whatever_the_domain_says():
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    settings = {"n_intervals": 4, "degree": 3}
    placed = [
        kr.init_lan(
            (2, 3, 3, 1), domain=domain, x=x, rng=np.random.default_rng(0), **settings
        ).knots[1]
        for domain in (x, (-9.0, 9.0))
    ]

    np.testing.assert_array_equal(*placed)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_an_mlp_becomes_a_network_with_the_same_outputs(activation):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    mlp = kr.init_mlp((2, 5, 4, 3), activation=activation, rng=rng)

    lan = kr.lan_from_mlp(mlp, x, n_intervals=6, degree=3)

    np.testing.assert_array_equal(lan(x), mlp(x))
    assert lan.base == activation
    assert not any(coef.any() for coef in lan.coefs)


@pytest.mark.parametrize("factor", [1, 3])
def test_moved_grids_lie_on_the_samples_and_keep_the_function(factor):
    """Curves that are cubics on grids that hold all samples are carried over without loss, whatever the new breakpoints."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (200, 2))
    lan = kr.init_lan((2, 3, 3, 1), n_intervals=8, degree=3, domain=x, rng=rng)
    rows = np.tile(kr.uniform_knots(-20.0, 20.0, 8, 3), (3, 1))
    greville = np.lib.stride_tricks.sliding_window_view(rows[:, 1:-1], 3, axis=1).mean(axis=2)
    lan = kr.LAN(
        lan.weights, lan.biases, (0.3 * greville, -0.2 * greville), (rows, rows), 3, "silu"
    )  # lines
    before = lan(x)

    moved = kr.update_lan_grids(lan, x, n_intervals=8 * factor)

    assert [len(row[0]) for row in moved.knots] == [8 * factor + 7] * 2
    for z, rows in zip(pre_activations(moved, x)[:-1], moved.knots, strict=True):
        assert (rows[:, 3] < z.min(axis=0)).all()
        assert (rows[:, -4] > z.max(axis=0)).all()
    np.testing.assert_allclose(moved(x), before, rtol=1e-11, atol=1e-12)


def test_grids_keep_their_number_of_intervals_without_another():
    lan, x, _ = example("silu", 3)

    assert [row.shape for row in kr.update_lan_grids(lan, x).knots] == [
        row.shape for row in lan.knots
    ]


# --- training


@pytest.mark.long
@pytest.mark.parametrize("optimizer", [None, "lm", "lbfgs", "adam"])
def test_fit_trains_it_with_every_optimizer(optimizer):
    data = task()
    lan = kr.init_lan(
        (2, 4, 1), n_intervals=4, degree=3, domain=data.x_train, rng=np.random.default_rng(0)
    )

    run = kr.fit(lan, data, optimizer=optimizer, n_steps=400 if optimizer == "adam" else 60)

    assert isinstance(run.network, kr.LAN)
    assert run.history.train_rmse[-1] <= 0.1 * run.history.train_rmse[0]
    assert run.history.train_rmse[-1] == pytest.approx(
        np.sqrt(np.mean((run.network(data.x_train) - data.y_train) ** 2)), rel=1e-12
    )
    assert not run.history.penalty.any()


@pytest.mark.long
@bases
def test_levenberg_marquardt_trains_every_base(base):
    """The best of five starts: some end in a bad valley, most of all those of curves that are zero off their grids."""
    data, falls = task(), []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        lan = kr.init_lan(
            (2, 4, 4, 1), n_intervals=4, degree=3, domain=data.x_train, base=base, rng=rng
        )
        history = kr.fit(lan, data, optimizer="lm", n_steps=30).history
        falls.append(history.train_rmse[-1] / history.train_rmse[0])

    assert min(falls) <= 0.01


@pytest.mark.long
def test_one_node_learns_the_curve_that_an_mlp_with_one_node_cannot():
    """sin(3 (x_1 + x_2)) is one curve of one sum: exact up to the spline for a LAN, out of reach for one silu; best of four starts."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (400, 2))
    y = np.sin(3.0 * x.sum(axis=1, keepdims=True))
    data = kr.Data(x, y, x, y)
    rngs = [np.random.default_rng(seed) for seed in range(4)]
    lans = [kr.init_lan((2, 1, 1), n_intervals=20, degree=3, domain=x, rng=rng) for rng in rngs]
    mlps = [kr.init_mlp((2, 1, 1), activation="silu", rng=rng) for rng in rngs]

    lan_error, mlp_error = (
        min(
            kr.fit(model, data, optimizer="lm", n_steps=100).history.train_rmse[-1]
            for model in models
        )
        for models in (lans, mlps)
    )

    assert lan_error < 1e-3
    assert mlp_error > 0.3


def test_labels_of_classes_train_it_too():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (200, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    lan = kr.init_lan((2, 5, 2), n_intervals=4, degree=3, domain=x, rng=rng)

    run = kr.fit(lan, kr.Data(x, labels, x, labels), loss="cross_entropy", n_steps=60)

    assert run.history.train_accuracy[-1] > 0.95


# --- the door

W, V, ROW, C = np.ones((2, 3)), np.ones(2), np.tile(np.arange(6.0), (2, 1)), np.ones((2, 3))
LAST, LAST_BIAS = np.ones((1, 2)), np.ones(1)
GOOD = {
    "weights": (W, LAST),
    "biases": (V, LAST_BIAS),
    "coefs": (C,),
    "knots": (ROW,),
    "degree": 2,
    "base": "silu",
}


def build(**changes):
    return kr.LAN(**(GOOD | changes))


def draw(**changes):
    return kr.init_lan(
        **(
            {
                "widths": (2, 3, 1),
                "n_intervals": 4,
                "degree": 3,
                "domain": (-1.0, 1.0),
                "rng": np.random.default_rng(0),
            }
            | changes
        )
    )


REFUSED = {
    "bias": (
        lambda: build(biases=(np.ones(3), LAST_BIAS)),
        r"biases\[0\] has shape \(3,\), but needs shape \(2,\)",
    ),
    "layers that do not fit": (
        lambda: build(weights=(W, W)),
        r"weights\[1\] takes 3 inputs, but weights\[0\] has 2 outputs",
    ),
    "no layers": (lambda: build(weights=()), "weights has 0 layers and biases 2, but"),
    "a curve too many": (
        lambda: build(coefs=(C, C)),
        "weights has 2 layers and coefs 2, but weights need at least 1, biases as many",
    ),
    "no sequence": (lambda: build(coefs=None), "coefs is None, but must be a sequence"),
    "text as a sequence": (lambda: build(knots="ab"), "knots is 'ab', but must be a sequence"),
    "coefficients": (
        lambda: build(coefs=(np.ones((2, 4)),)),
        r"coefs\[0\] has shape \(2, 4\), but needs shape \(2, 3\)",
    ),
    "coefficients not finite": (
        lambda: build(coefs=(C * np.nan,)),
        r"coefs\[0\] contains nan at row 0, column 0",
    ),
    "rows": (
        lambda: build(knots=(ROW[:1],)),
        r"knots\[0\] has 1 rows, but weights\[0\] has 2 outputs",
    ),
    "falling rows": (
        lambda: build(knots=(ROW[:, ::-1],)),
        r"knots\[0\] must be nondecreasing along each row",
    ),
    "no outputs": (
        lambda: build(weights=(np.ones((0, 3)), LAST)),
        r"weights\[0\] has shape \(0, 3\), but",
    ),
    "base": (
        lambda: build(base="slu"),
        r"base is 'slu', but must be one of .* \(did you mean 'silu'\?\)",
    ),
    "degree": (lambda: build(degree=-1), "degree is -1, but must be at least 0"),
    "theta": (
        lambda: build().with_theta(np.ones(7)),
        "theta has 7 numbers, but this network has 17",
    ),
    "theta not finite": (
        lambda: build().with_theta(np.full(17, np.inf)),
        "theta contains inf at position 0, but needs finite numbers",
    ),
    "x": (lambda: build()(np.ones((4, 2))), r"x has shape \(4, 2\), but needs shape \(batch, 3\)"),
    "nan in x": (
        lambda: build()(np.full((1, 3), np.nan)),
        "x contains nan at row 0, column 0, but needs finite numbers",
    ),
    "init base": (lambda: draw(base="gelu"), "base is 'gelu', but"),
    "init widths": (lambda: draw(widths=(2,)), r"widths is \(2,\), but"),
    "init domain": (
        lambda: draw(domain=(1.0, -1.0)),
        "domain is 1 to -1 at input 0, but low must lie below high",
    ),
    "init intervals": (lambda: draw(n_intervals=0), "n_intervals is 0, but must be at least 1"),
    "init degree": (lambda: draw(degree=1.5), "degree is 1.5, but must be an integer"),
    "init probe": (
        lambda: draw(x=np.ones((0, 2))),
        r"x has shape \(0, 2\), but a probe batch needs at least one sample",
    ),
    "init rng": (lambda: draw(rng=0), "rng is 0, but must be a numpy.random.Generator"),
    "no perceptron": (
        lambda: kr.lan_from_mlp(build(), W, n_intervals=3, degree=3),
        "mlp is LAN.*, but must be an MLP",
    ),
    "no network": (lambda: kr.update_lan_grids(None, W), "lan is None, but must be a LAN"),
    "no samples": (
        lambda: kr.update_lan_grids(build(), W[:0]),
        r"x has shape \(0, 3\), but placing a grid needs at least one sample",
    ),
    "no intervals": (
        lambda: kr.update_lan_grids(build(), W, n_intervals=0),
        "n_intervals is 0, but must be at least 1",
    ),
    "fewer intervals": (
        lambda: kr.update_lan_grids(example("silu", 3)[0], example("silu", 3)[1], n_intervals=1),
        "n_intervals is 1, but the curves of hidden layer 0 have [2-9] already and a grid is only",
    ),
}


@for_all("name", REFUSED)
def test_it_refuses_in_a_sentence(name):
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


@pytest.mark.parametrize("name", ONLY_FOR_KANS)
def test_what_only_a_kan_has_is_refused_by_name(name):
    lan, x, _ = example("tanh", 2)
    y = lan(x)

    with pytest.raises(TypeError, match=f"{name}.*|.*{name}") as refusal:
        kr.fit(lan, kr.Data(x, y, x, y), n_steps=0, **ONLY_FOR_KANS[name])

    assert "LAN([2, 4, 3], n_intervals [4], degree 3, tanh, 55 parameters)" in str(refusal.value)


def test_curves_of_nodes_can_be_looked_at():
    lan, _, _ = example("silu", 2)
    z = np.linspace(-2.0, 2.0, 5)[:, None] * np.ones(4)

    values, slopes, _ = node_curve(lan, 0, z)
    difference = central_difference(lambda t: node_curve(lan, 0, z + t, slopes=False)[0], 1e-6)

    np.testing.assert_allclose(slopes, difference, rtol=1e-6, atol=1e-7)
    assert values.shape == (5, 4)


def test_derivatives_by_the_inputs_are_refused_by_name():
    lan, x, _ = example("silu", 2)

    with pytest.raises(
        TypeError,
        match=r"network is .*, but derivatives with respect to the inputs need a Network or an MLP",
    ):
        kr.input_jacobian(lan, x)
