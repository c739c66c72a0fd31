"""MLPs and LANs: values by loops, derivatives along random directions, theta, copies, first draws and grids."""

import copy
import pickle
from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from oracles_jets import activation
from oracles_layer import base_value, bspline

import kan_ref as kr
from kan_ref.baselines.lan import LAN_BASE_NAMES, pre_activations
from kan_ref.functions.base_function import ACTIVATION_NAMES
from kan_ref.numerics import central_difference

WIDTHS = {1: (3, 2), 2: (2, 4, 3), 3: (2, 3, 4, 1), 4: (3, 2, 3, 2, 2)}
depths = for_all("depth", WIDTHS)
KINDS = [("MLP", name) for name in ACTIVATION_NAMES] + [("LAN", name) for name in LAN_BASE_NAMES]
kinds = for_all("kind", KINDS, ids=" ".join)


def example(kind, depth, seed=0, degree=3):
    """(model with numbers of size one, x, rng); no argument of relu near its kink, some off the grids of splines."""
    rng, widths, (model, name) = np.random.default_rng(seed), WIDTHS[depth], kind
    while True:
        weights = tuple(rng.normal(size=(n_out, n_in)) for n_in, n_out in pairwise(widths))
        biases = tuple(rng.normal(size=n) for n in widths[1:])
        x = rng.normal(size=(6, widths[0]))
        if model == "MLP":
            found = kr.MLP(weights, biases, name)
        else:
            gaps = [rng.uniform(0.3, 0.7, (n, 5 + 2 * degree)) for n in widths[1:-1]]
            knots = tuple(np.cumsum(row, axis=1) - 2.5 for row in gaps)
            coefs = tuple(rng.normal(size=(len(r), r.shape[1] - degree - 1)) for r in knots)
            found = kr.LAN(weights, biases, coefs, knots, degree, name)
        if name != "relu" or all(np.abs(z).min() > 1e-3 for z in pre_activations(found, x)[:-1]):
            return found, x, rng


def node(model, name, number, j, z):
    """The curve of node j of hidden layer `number` at z."""
    value = (activation if name in ACTIVATION_NAMES else base_value)(name, z)
    if isinstance(model, kr.LAN):
        row = model.knots[number][j]
        for m, c in enumerate(model.coefs[number][j]):
            value += c * bspline(m, model.degree, row, z)
    return value


def by_loops(model, name, x):
    """Outputs, one sample and one node at a time."""
    outputs = []
    for sample in x:
        values, last = sample, len(model.weights) - 1
        for number, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
            sums = [float(bias[j] + sum(weight[j] * values)) for j in range(len(bias))]
            if number < last:
                sums = [node(model, name, number, j, z) for j, z in enumerate(sums)]
            values = np.array(sums)
        outputs.append(values)
    return np.array(outputs)


# --- values


@kinds
@depths
def test_outputs_are_those_of_loops(kind, depth):
    for degree in (0, 1, 3, 4) if kind[0] == "LAN" else (0,):
        model, x, _ = example(kind, depth, degree=degree)
        np.testing.assert_allclose(model(x), by_loops(model, kind[1], x), rtol=1e-11, atol=1e-12)


def test_a_node_of_an_mlp_by_hand():
    """relu(2 * 3 - 1) = 5 and 0.5 + 4 * 5."""
    mlp = kr.MLP(([[2.0]], [[4.0]]), ([-1.0], [0.5]), "relu")

    np.testing.assert_array_equal(mlp([[3.0], [0.0]]), [[20.5], [0.5]])


def test_a_node_of_a_lan_by_hand():
    """z = 2 * 0.25 = 0.5 on the hats of 0, 1, 2 has 0.5 of the first and 0.5 of the second: 3 * 0.5 + 5 * 0.5 = 4; y = 10 * 4 + 1."""
    row = np.array([[-1.0, 0.0, 1.0, 2.0, 3.0]])
    lan = kr.LAN(([[2.0]], [[10.0]]), ([0.0], [1.0]), ([[3.0, 5.0, 0.0]],), (row,), 1, "zero")

    assert lan(np.array([[0.25]])) == 41.0


@kinds
def test_the_flow_holds_the_outputs_of_every_layer(kind):
    model, x, _ = example(kind, 3)

    flow, caches = model.run_flow(model.prepare(x))

    assert [values.shape for values in flow] == [(6, 3), (6, 4), (6, 1)]
    np.testing.assert_array_equal(flow[-1], model(x))
    for cache, made in zip(caches[1:], flow, strict=False):
        np.testing.assert_array_equal(cache.x, made)


def test_a_lan_far_off_its_grids_is_the_mlp_of_its_base_function():
    rng = np.random.default_rng(0)
    lan = kr.init_lan((1, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), base="tanh", rng=rng)
    far = np.array([[1e4], [-1e10]])

    np.testing.assert_array_equal(lan(far), kr.MLP(lan.weights, lan.biases, "tanh")(far))


# --- derivatives


@kinds
@depths
def test_backward_is_the_transpose_of_the_derivative(kind, depth):
    for seed in range(3):
        model, x, rng = example(kind, depth, seed)
        dy = rng.normal(size=(len(x), model.widths[-1]))
        d_theta, dx = rng.normal(size=model.n_params), rng.normal(size=x.shape)

        pulled_x, pulled = model.gradients(model.run_flow(x)[1], dy)
        slope = central_difference(lambda t: float((dy * model.with_theta(model.theta + t * d_theta)(x)).sum()), 1e-6)
        slope_x = central_difference(lambda t: float((dy * model(x + t * dx)).sum()), 1e-6)

        size = np.abs(dy * model(x)).sum()
        assert abs(pulled @ d_theta - slope) <= 1e-7 * (np.abs(pulled * d_theta).sum() + size)
        assert abs((pulled_x * dx).sum() - slope_x) <= 1e-7 * (np.abs(pulled_x * dx).sum() + size)


@kinds
@depths
def test_the_jacobian_times_a_direction_is_the_derivative_of_every_prediction(kind, depth):
    for seed in range(3):
        model, x, rng = example(kind, depth, seed)
        direction = rng.normal(size=model.n_params)

        (jacobian,) = model.jacobian(model.run_flow(x)[1], 0.5)
        slope = 0.5 * central_difference(lambda t: model.with_theta(model.theta + t * direction)(x).reshape(-1), 1e-6)

        assert jacobian.shape == (model(x).size, model.n_params)
        scale = np.abs(jacobian * direction).sum(axis=1) + np.abs(model(x)).reshape(-1)
        np.testing.assert_array_less(np.abs(jacobian @ direction - slope), 1e-7 * scale)


@kinds
@depths
def test_the_transposed_jacobian_times_dy_is_the_gradient(kind, depth):
    model, x, rng = example(kind, depth)
    dy = rng.normal(size=(len(x), model.widths[-1]))
    _, caches = model.run_flow(x)

    by_jacobian = model.jacobian(caches)[0].T @ dy.reshape(-1)

    size = np.abs(by_jacobian).max()
    np.testing.assert_allclose(model.run_backward(caches, dy), by_jacobian, atol=1e-12 * size)


def test_relu_has_slope_zero_at_its_kink():
    mlp = kr.MLP(([[1.0]], [[1.0]]), ([0.0], [0.0]), "relu")

    assert mlp.gradients(mlp.run_flow(np.zeros((1, 1)))[1], np.ones((1, 1)))[0] == 0.0


# --- theta


def test_theta_of_an_mlp_runs_through_weights_in_c_order_then_biases_layer_by_layer():
    mlp = kr.MLP(([[1.0, 2.0], [3.0, 4.0]], [[7.0, 8.0]]), ([5.0, 6.0], [9.0]), "tanh")

    np.testing.assert_array_equal(mlp.theta, np.arange(1.0, 10.0))
    assert (mlp.n_params, mlp.widths, mlp.layer_sizes) == (9, (2, 2, 1), (6, 3))


def test_theta_of_a_lan_runs_through_weights_biases_and_coefficients_layer_by_layer():
    row = np.arange(4.0)[None]  # degree 0: three basis functions
    weights, biases = ([[1.0]], [[6.0], [7.0]]), ([2.0], [8.0, 9.0])
    lan = kr.LAN(weights, biases, ([[3.0, 4.0, 5.0]],), (row,), 0, "silu")

    np.testing.assert_array_equal(lan.theta, np.arange(1.0, 10.0))
    assert (lan.n_params, lan.widths, lan.layer_sizes) == (9, (1, 1, 2), (5, 4))


@kinds
def test_with_theta_and_theta_are_inverse(kind):
    model, x, rng = example(kind, 3)
    theta = rng.normal(size=model.n_params)

    moved = model.with_theta(theta)

    np.testing.assert_array_equal(moved.theta, theta)
    np.testing.assert_array_equal(moved.with_theta(model.theta)(x), model(x))
    assert repr(moved) == repr(model)


def arrays_of(model):
    return [*model.weights, *model.biases, *model.coefs]


MAKERS = {
    "with_theta": lambda model: model.with_theta(model.theta),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@for_all("kind", [("MLP", "tanh"), ("LAN", "tanh")], ids=" ".join)
@for_all("make", MAKERS)
def test_however_it_was_made_its_arrays_are_read_only_views_of_theta(make, kind):
    model = example(kind, 3)[0]

    twin = MAKERS[make](model)

    assert twin.theta.tobytes() == model.theta.tobytes()
    assert repr(twin) == repr(model)
    assert all(np.shares_memory(array, twin.theta) for array in arrays_of(twin))
    knots = getattr(twin, "knots", ())
    assert not any(array.flags.writeable for array in [twin.theta, *arrays_of(twin), *knots])
    with pytest.raises(FrozenInstanceError):
        twin.weights = ()


def test_arrays_of_the_caller_are_copied():
    weight, last, bias, last_bias = np.ones((1, 1)), np.ones((1, 1)), np.ones(1), np.ones(1)
    coef, row = np.ones((1, 2)), np.arange(3.0)[None]
    lan = kr.LAN((weight, last), (bias, last_bias), (coef,), (row,), 0, "zero")

    for part in (weight, last, bias, last_bias, coef, row):
        part[:] = 9.0

    np.testing.assert_array_equal(lan.theta, np.ones(6))
    np.testing.assert_array_equal(lan.knots[0], [[0.0, 1.0, 2.0]])


def test_a_repr_tells_widths_grids_activation_and_parameters():
    lan, mlp = (example((kind, "tanh"), 2)[0] for kind in ("LAN", "MLP"))

    assert repr(lan) == "LAN([2, 4, 3], n_intervals [4], degree 3, tanh, 55 parameters)"
    assert repr(mlp) == "MLP([2, 4, 3], tanh, 27 parameters)"


W, V, ROW, C = np.ones((2, 3)), np.ones(2), np.tile(np.arange(6.0), (2, 1)), np.ones((2, 3))
GOOD = {"weights": (W, np.ones((1, 2))), "biases": (V, np.ones(1)), "coefs": (C,), "knots": (ROW,)}
WRONG = [
    {"weights": (W, np.ones((1, 3)))},
    {"weights": (W,)},
    {"weights": (), "biases": ()},
    {"biases": (V, np.ones(2))},
    {"weights": (np.nan * W, np.ones((1, 2)))},
    {"coefs": (np.ones((1, 3)),)},
    {"coefs": ()},
    {"knots": (ROW[:1],)},
    {"knots": (ROW, ROW)},
]


@for_all("wrong", WRONG)
def test_arrays_that_would_broadcast_or_do_not_fit_are_refused_by_name(wrong):
    assert kr.LAN(**GOOD, degree=2, base="silu").widths == (3, 2, 1)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kr.LAN(**(GOOD | wrong), degree=2, base="silu")


# --- first draws, grids


@for_all("name", ACTIVATION_NAMES)
def test_weights_have_the_distribution_of_their_source_and_biases_are_zero(name):
    mlp = kr.init_mlp((40, 300, 20), activation=name, rng=np.random.default_rng(0))

    if name in ("relu", "silu"):
        found, expected = [w.std() for w in mlp.weights], np.sqrt([2 / 40, 2 / 300])
    else:
        found, expected = [abs(w).max() for w in mlp.weights], np.sqrt([6 / 340, 6 / 320])
    if name == "sine":
        expected = [30 / 40, np.sqrt(6 / 300)]
    np.testing.assert_allclose(found, expected, rtol=0.03)
    assert all(abs(w.mean()) < 0.05 * w.std() for w in mlp.weights)
    assert not any(bias.any() for bias in mlp.biases)


@for_all("base", LAN_BASE_NAMES)
def test_draws_are_those_of_the_mlp_and_small_curves(base):
    options = {"n_intervals": 20, "degree": 3, "domain": (-1.0, 1.0), "base": base}
    rngs = np.random.default_rng(1), np.random.default_rng(1), np.random.default_rng(1)
    lan, again = (kr.init_lan((3, 200, 2), **options, rng=rng) for rng in rngs[:2])
    like = base if base in ACTIVATION_NAMES else "tanh"
    mlp = kr.init_mlp((3, 200, 2), activation=like, rng=rngs[2])

    for mine, theirs in zip(lan.weights, mlp.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert lan.coefs[0].shape == (200, 23)
    assert lan.coefs[0].std() == pytest.approx(0.1, rel=0.05)
    assert lan.theta.tobytes() == again.theta.tobytes()


@for_all("given", ["samples", "bounds and x"])
def test_grids_lie_on_the_pre_activations_with_a_margin(given):
    x, rng = np.random.default_rng(0).uniform(-1.0, 1.0, (300, 2)), np.random.default_rng(0)
    where = {"domain": x} if given == "samples" else {"domain": (-9.0, 9.0), "x": x}
    lan = kr.init_lan((2, 5, 4, 1), n_intervals=10, degree=3, **where, rng=rng)

    for z, rows in zip(pre_activations(lan, x)[:-1], lan.knots, strict=True):
        pad = 0.1 * np.ptp(z, axis=0)
        np.testing.assert_allclose(rows[:, 3], z.min(axis=0) - pad, rtol=0, atol=1e-12)
        np.testing.assert_allclose(rows[:, -4], z.max(axis=0) + pad, rtol=0, atol=1e-12)


def test_without_samples_grids_lie_on_the_widest_bounds():
    box, rng = [[-1.0, 1.0], [0.0, 3.0]], np.random.default_rng(0)
    lan = kr.init_lan((2, 3, 3, 1), n_intervals=4, degree=1, domain=box, rng=rng)

    for rows in lan.knots:
        np.testing.assert_array_equal(rows, [[-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]] * 3)


@for_all("name", ACTIVATION_NAMES)
def test_an_mlp_becomes_a_lan_with_the_same_outputs_and_grids_on_its_samples(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    mlp = kr.init_mlp((2, 5, 4, 3), activation=name, rng=rng)

    lan = kr.lan_from_mlp(mlp, x, n_intervals=6, degree=3)

    np.testing.assert_array_equal(lan(x), mlp(x))
    assert lan.base == name
    assert not any(coef.any() for coef in lan.coefs)
    for z, rows in zip(pre_activations(lan, x)[:-1], lan.knots, strict=True):
        assert (rows[:, 3] < z.min(axis=0)).all()


@for_all("n_intervals", [None, 8, 24])
def test_moved_grids_lie_on_the_samples_and_keep_the_function(n_intervals):
    """Curves that are cubics on grids that hold all samples are carried over without loss, whatever the new breakpoints."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (200, 2))
    lan = kr.init_lan((2, 3, 3, 1), n_intervals=8, degree=3, domain=x, rng=rng)
    rows = np.tile(kr.uniform_knots(-20.0, 20.0, 8, 3), (3, 1))
    greville = np.lib.stride_tricks.sliding_window_view(rows[:, 1:-1], 3, axis=1).mean(axis=2)
    lines = (0.3 * greville, -0.2 * greville)
    lan = kr.LAN(lan.weights, lan.biases, lines, (rows, rows), 3, "silu")

    moved = kr.update_grid(lan, x, n_intervals=n_intervals)

    count = n_intervals or 8
    assert [len(row[0]) for row in moved.knots] == [count + 7] * 2
    for z, own in zip(pre_activations(moved, x)[:-1], moved.knots, strict=True):
        pad = np.ptp(z, axis=0) / count
        np.testing.assert_allclose(own[:, 3], z.min(axis=0) - pad, atol=1e-9)
        np.testing.assert_allclose(own[:, -4], z.max(axis=0) + pad, atol=1e-9)
    np.testing.assert_allclose(moved(x), lan(x), rtol=1e-11, atol=1e-12)


def test_a_model_without_grids_is_not_changed_by_an_update():
    mlp = example(("MLP", "tanh"), 2)[0]

    assert kr.update_grid(mlp, np.ones((1, 2))) is mlp


# --- training


@pytest.mark.long
def test_one_node_learns_the_curve_that_an_mlp_with_one_node_cannot():
    """sin(3 (x_1 + x_2)) is one curve of one sum: exact up to the spline for a LAN, out of reach for one silu; best of four starts."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (400, 2))
    y = np.sin(3.0 * x.sum(axis=1, keepdims=True))
    rngs = [np.random.default_rng(seed) for seed in range(4)]
    lans = [kr.init_lan((2, 1, 1), n_intervals=20, degree=3, domain=x, rng=rng) for rng in rngs]
    mlps = [kr.init_mlp((2, 1, 1), activation="silu", rng=rng) for rng in rngs]

    def least_error(models):
        runs = [kr.fit(model, kr.Data(x, y, x, y), optimizer="lm", n_steps=100) for model in models]
        return min(np.sqrt(np.mean((run.network(x) - y) ** 2)) for run in runs)

    assert least_error(lans) < 1e-3
    assert least_error(mlps) > 0.3
