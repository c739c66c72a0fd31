"""Edges that are formulas: values by hand, gradients and Jacobians against differences, and what is refused."""

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    clear_samples,
    data_objective,
    random_batch,
    random_network,
    symbolic_cases,
    with_formulas,
)

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import edge_slopes, layer_edge_outputs
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import (
    SymbolicEdge,
    affine_slopes,
    check_edges,
    derivatives,
    numbers,
)
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form
from kan_ref.sparsity.penalties import PENALTY_NAMES
from kan_ref.training.data_goal import check_penalty


def formula_layer(edges, rows, shape=(1, 1)):
    """A layer of formulas alone: edges as (output, input, name, row)."""
    n_out, n_in = shape
    base = kr.init_network(
        (n_in, n_out), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers[0]
    symbolic = [SymbolicEdge(j, i, LIBRARY[name], row) for j, i, name, row in edges]
    return replace(
        base, mask=np.zeros(shape), symbolic=symbolic, affine=np.array(rows, dtype=float)
    )


def case(seed, n_samples=20, widths=(3, 3, 2)):
    rng = np.random.default_rng(seed)
    network = with_formulas(rng, random_network(rng, degrees=(3,), widths=widths))
    return network, random_batch(rng, network.layers[0], n_samples), rng


# --- values


def test_an_edge_is_c_f_of_a_x_plus_b_plus_d():
    network = Network((formula_layer([(0, 0, "sin", 0)], [[2.0, 0.5, 3.0, -1.0]]),))

    np.testing.assert_allclose(
        network([[0.25], [2.0]])[:, 0], 3.0 * np.sin([1.0, 4.5]) - 1.0, rtol=1e-15
    )


def test_formulas_and_splines_add_up_at_their_output():
    network, x, _ = case(1)
    layer = network.layers[0]
    splines = Network((replace(layer, symbolic=(), affine=np.empty((0, 4))),))(x)
    for edge in layer.symbolic:
        a, b, c, d = layer.affine[edge.row]
        splines[:, edge.output] += c * edge.function.f(a * x[:, edge.input] + b) + d

    assert layer.symbolic
    assert layer.mask.any()
    np.testing.assert_allclose(Network((layer,))(x), splines, rtol=1e-14, atol=1e-14)


@given(symbolic_cases())
def test_the_edges_by_themselves_are_the_summands(drawn):
    network, x, _ = drawn
    for layer, outputs in zip(network.layers, kr.edge_outputs(network, x), strict=True):
        y = Network((layer,))(x)
        np.testing.assert_allclose(
            outputs.sum(axis=2), y, rtol=1e-12, atol=1e-12 * np.abs(outputs).max(initial=1.0)
        )
        x = y


@given(symbolic_cases())
def test_a_curve_is_its_edge_alone(drawn):
    network, _, rng = drawn
    number = int(rng.integers(len(network.layers)))
    layer, points = network.layers[number], random_batch(rng, network.layers[number], 4)
    at = Network((layer,))
    for j in range(layer.n_out):
        for i in range(layer.n_in):
            curve = kr.edge_curve(network, number, output=j, input=i, x=points[:, i])
            np.testing.assert_allclose(
                curve, kr.edge_outputs(at, points)[0][:, j, i], rtol=1e-13, atol=1e-13
            )


def test_locked_edges_share_one_row_of_theta():
    layer = formula_layer(
        [(0, 0, "sin", 0), (1, 0, "sin", 0), (1, 1, "x^2", 1)], [[1, 0, 1, 0], [1, 2, 3, 4]], (2, 2)
    )
    network = Network((layer,))

    assert layer.affine.shape == (2, 4)
    moved = network.with_theta(
        np.where(np.arange(network.n_params) == network.n_params - 6, 5.0, network.theta)
    )
    np.testing.assert_array_equal(moved.layers[0].affine, [[1, 0, 5, 0], [1, 2, 3, 4]])
    np.testing.assert_allclose(moved([[1.0, 0.0]]), [[5 * np.sin(1.0), 5 * np.sin(1.0) + 16.0]])


def test_edges_are_kept_in_order_and_rows_in_order_of_first_use():
    symbolic = [
        SymbolicEdge(1, 0, LIBRARY["exp"], 2),
        SymbolicEdge(0, 1, LIBRARY["sin"], 1),
        SymbolicEdge(0, 0, LIBRARY["sin"], 1),
    ]

    edges, affine = check_edges(
        symbolic, [[9, 9, 9, 9], [1, 2, 3, 4], [5, 6, 7, 8]], np.zeros((2, 2))
    )

    assert [(edge.output, edge.input, edge.name, edge.row) for edge in edges] == [
        (0, 0, "sin", 0),
        (0, 1, "sin", 0),
        (1, 0, "exp", 1),
    ]
    np.testing.assert_array_equal(affine, [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_theta_holds_a_layers_formulas_after_its_weights():
    network, _, _ = case(2)
    first = network.layers[0]

    np.testing.assert_array_equal(
        network.theta[first.n_params - first.affine.size : first.n_params], first.affine.reshape(-1)
    )
    assert np.shares_memory(first.affine, network.theta)
    assert sum(layer.n_params for layer in network.layers) == network.n_params


def test_active_parameters_count_shared_rows_once():
    layer = formula_layer([(0, 0, "sin", 0), (1, 0, "sin", 0)], [[1, 0, 1, 0]], (2, 1))

    assert Network((layer,)).n_active_params == 4
    assert layer.n_active == 2


def test_copies_and_pickles_keep_formulas():
    network, x, _ = case(3)

    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(twin(x), network(x))
        assert [layer.symbolic for layer in twin.layers] == [
            layer.symbolic for layer in network.layers
        ]
        assert not twin.layers[0].affine.flags.writeable


def test_a_repr_names_the_formulas():
    network, _, _ = case(4)

    assert f"{sum(len(layer.symbolic) for layer in network.layers)} symbolic edges" in repr(network)
    assert network.layers[0].symbolic[0].name in repr(network.layers[0])


# --- gradients


@given(symbolic_cases(degrees=(3, 4), n_samples=st.just(6)))
def test_backward_gives_the_derivatives_of_forward(drawn):
    network, x, rng = drawn
    x = clear_samples(network, x, 1e-3)
    if len(x) == 0:
        return

    report = kr.check_gradients(network, x, rng=rng)

    assert any(name.startswith("d_affine") for name in report.errors) == any(
        layer.symbolic for layer in network.layers
    )


@pytest.mark.parametrize("fault", [0, 1, 2, 3])
def test_a_wrong_derivative_by_a_b_c_or_d_is_refused(fault):
    network, x, rng = case(5)

    def wrong(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        layer = grads.layers[0]
        affine = layer.affine.copy()
        affine[0, fault] = 1.01 * affine[0, fault] + 1e-3
        return dx, Network((replace(layer, affine=affine), *grads.layers[1:]))

    with pytest.raises(ValueError, match="d_affine of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong)


@given(symbolic_cases())
def test_the_transpose_of_the_jacobian_is_backward(drawn):
    network, x, rng = drawn
    y, caches = kr.forward(network, x)
    dy = rng.normal(size=y.shape)

    by_rows = dense_form(prediction_jacobian(network.layers, caches, 1.0)).T @ dy.reshape(-1)
    _, grads = kr.backward(network, caches, dy)

    scale = (
        np.abs(dense_form(prediction_jacobian(network.layers, caches, 1.0)).T * dy.reshape(-1))
        .sum(axis=1)
        .max()
    )
    np.testing.assert_allclose(by_rows, grads.theta, rtol=0, atol=1e-12 * max(scale, 1.0))


@given(symbolic_cases())
def test_slopes_of_the_edges_are_those_of_the_curves(drawn):
    network, x, _ = drawn
    layer = network.layers[0]
    x = clear_samples(Network((layer,)), x, 1e-3)
    _, (cache,) = kr.forward(Network((layer,)), x)

    difference = central_difference(
        lambda t: layer_edge_outputs(layer, kr.forward(Network((layer,)), x + t)[1][0]), 1e-5
    )

    np.testing.assert_allclose(
        edge_slopes(layer, cache),
        difference,
        rtol=1e-6,
        atol=1e-6 * np.abs(difference).max(initial=1.0),
    )


def off_the_kink(seed):
    """A case whose samples and edges keep clear of the zeros of |phi| and of edges that hardly vary."""
    for further in range(100):
        network, x, rng = case(1000 * seed + further, 40, (2, 2, 2))
        x = clear_samples(network, x, 1e-3)
        active = [layer.mask == 1.0 for layer in network.layers]
        for own, layer in zip(active, network.layers, strict=True):
            own[numbers(layer.symbolic)] = True
        values = np.concatenate(
            [edges[:, own] for edges, own in zip(kr.edge_outputs(network, x), active, strict=True)],
            axis=1,
        )
        clear = np.abs(values).min(axis=1) > 1e-4
        if clear.any() and values[clear].std(axis=0).min() > 0.01:
            return network, x[clear], rng
    raise AssertionError("no case is off the kink")


@for_all("kind", PENALTY_NAMES)
@for_all("seed", range(5))
def test_penalties_see_formulas_and_their_gradients_are_right(kind, seed):
    network, x, rng = off_the_kink(seed)
    objective = data_objective(
        network, x, rng.normal(size=(len(x), 2)), penalty=check_penalty(kind, 0.7, 1.0, 2.0)
    )
    theta, direction = objective.start(), rng.normal(size=network.n_params)

    _, gradient = objective.value_and_grad(theta)
    difference = central_difference(
        lambda t: objective.value_and_grad(theta + t * direction)[0], 1e-6
    )

    assert difference == pytest.approx(
        float(gradient @ direction), abs=1e-7 * np.abs(gradient * direction).sum()
    )


def test_trainable_symbolic_moves_the_formulas_alone():
    network, x, rng = case(6)
    data = kr.Data(x, rng.normal(size=(len(x), 2)), x, rng.normal(size=(len(x), 2)))

    run = kr.fit(
        network, data, optimizer="lm", n_steps=5, trainable=("symbolic",), update_grids=False
    )

    assert run.history.train_rmse[-1] < run.history.train_rmse[0]
    for old, new in zip(network.layers, run.network.layers, strict=True):
        np.testing.assert_array_equal(new.coef, old.coef)
        np.testing.assert_array_equal(new.w_base, old.w_base)
        assert not np.array_equal(new.affine, old.affine)


def test_levenberg_marquardt_brings_affine_parameters_to_machine_precision():
    rng = np.random.default_rng(7)
    data = kr.sample("exp_sin", n_train=200, n_test=200, rng=rng)
    inner = formula_layer(
        [(0, 0, "sin", 0), (0, 1, "x^2", 1)],
        [[3.1, 0.05, 0.9, 0.1], [1.05, 0.02, 1.0, 0.0]],
        (1, 2),
    )
    outer = formula_layer([(0, 0, "exp", 0)], [[1.0, 0.0, 0.9, 0.1]])

    run = kr.fit(Network((inner, outer)), data, optimizer="lm", n_steps=50)

    assert run.history.test_rmse[-1] < 1e-14


# --- outside the domain


def test_an_argument_outside_the_domain_is_refused_with_its_place():
    network = Network(
        (
            formula_layer([(0, 0, "x", 0)], [[1, 0, 1, 0]]),
            formula_layer([(0, 0, "log", 0)], [[1, 0, 1, 0]]),
        )
    )
    x = np.array([[1.0], [2.0], [-3.0]])

    for call in (network, lambda x: kr.forward(network, x), lambda x: kr.edge_scores(network, x)):
        with pytest.raises(
            ValueError,
            match=r"x\[2\] gives log on the edge from input 0 to output 0 of layer 1 the argument -3",
        ):
            call(x)


def test_an_overflow_is_refused_like_an_argument_outside_the_domain():
    network = Network(
        (
            formula_layer([(0, 0, "exp", 0)], [[1000.0, 0, 1, 0]]),
            formula_layer([(0, 0, "x", 0)], [[1, 0, 1, 0]]),
        )
    )

    with pytest.raises(ValueError, match=r"x\[0\] gives exp .* of layer 0 the argument 1000"):
        network([[1.0]])


@pytest.mark.parametrize("base", ["silu", "identity", "zero"])
def test_what_is_undefined_stays_so_through_later_splines_without_a_warning(base):
    later = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), base=base, rng=np.random.default_rng(0)
    ).layers[0]
    network = Network((formula_layer([(0, 0, "log", 0)], [[1, 0, 1, 0]]), later))
    x = np.array([[0.5], [-1.0]])
    data = kr.Data(np.array([[0.5], [0.7]]), np.ones((2, 1)), x, np.ones((2, 1)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = kr.fit(network, data, optimizer="lm", n_steps=2, update_grids=False)

    assert np.isfinite(run.history.train_rmse).all()
    assert np.isnan(run.history.test_rmse).all()


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
def test_no_optimizer_walks_out_of_the_domain(optimizer):
    rng = np.random.default_rng(8)
    x = rng.uniform(0.0, 1.0, (50, 1))
    data = kr.Data(x, np.log(x + 0.01), x, np.log(x + 0.01))
    network = Network((formula_layer([(0, 0, "log", 0)], [[1.0, 0.2, 0.5, 0.0]]),))

    run = kr.fit(network, data, optimizer=optimizer, n_steps=60)

    assert np.isfinite(run.network(x)).all()
    assert run.history.train_rmse[-1] < run.history.train_rmse[0]


# --- editing, grids, files


def test_masking_keeps_active_formulas_kills_them_and_revives_dead_edges_as_splines():
    network, _, _ = case(12)
    layer = network.layers[0]
    keep = layer.symbolic[0]
    mask = np.zeros(layer.mask.shape)
    mask[keep.output, keep.input] = 1.0
    dead = layer.mask == 0.0
    dead[numbers(layer.symbolic)] = False
    revived = np.argwhere(dead)[0].tolist()
    mask[tuple(revived)] = 1.0

    new = kr.mask_edges(network, 0, mask).layers[0]

    assert [(e.output, e.input, e.name) for e in new.symbolic] == [
        (keep.output, keep.input, keep.name)
    ]
    np.testing.assert_array_equal(new.affine, layer.affine[[keep.row]])
    assert np.argwhere(new.mask).tolist() == [revived]


def test_grids_move_under_formulas():
    network, x, _ = case(10)

    for moved in (kr.extend_grid(network, n_intervals=60), kr.update_grid(network, x)):
        for old, new in zip(network.layers, moved.layers, strict=True):
            assert new.symbolic == old.symbolic
            np.testing.assert_array_equal(new.affine, old.affine)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("seed", range(5))
def test_files_keep_formulas_and_locks_bit_for_bit(tmp_path, suffix, seed):
    network, x, _ = case(seed)

    kr.save(network, tmp_path / f"formulas{suffix}")
    loaded = kr.load(tmp_path / f"formulas{suffix}")

    assert [layer.symbolic for layer in loaded.layers] == [
        layer.symbolic for layer in network.layers
    ]
    assert loaded.theta.tobytes() == network.theta.tobytes()
    assert loaded(x).tobytes() == network(x).tobytes()


# --- the door


@for_all(
    ("edges", "rows", "mask", "sentence"),
    [
        (
            [(1, 0, "sin", 0)],
            [[1, 0, 1, 0]],
            0,
            "output of a symbolic edge is 1, but must be between 0 and 0",
        ),
        ([(0, 2, "sin", 0)], [[1, 0, 1, 0]], 0, "input of a symbolic edge is 2"),
        (
            [(0, 0, "sin", 1)],
            [[1, 0, 1, 0]],
            0,
            "row of a symbolic edge is 1, but must be between 0 and 0",
        ),
        ([(0, 0, "sin", 0)], [[1, 0, 1, 0]], 1, "mask says that it is a spline edge"),
        (
            [(0, 0, "sin", 0), (0, 0, "exp", 1)],
            [[1, 0, 1, 0]] * 2,
            0,
            "the edge from input 0 to output 0 twice",
        ),
        (
            [(0, 0, "sin", 0), (0, 1, "exp", 0)],
            [[1, 0, 1, 0]],
            0,
            "'sin' and 'exp' on row 0 of affine",
        ),
        ([(0, 0, "sin", 0)], [[1, 0, np.nan, 0]], 0, "affine contains nan"),
        ([(0, 0, "sin", 0)], [[1, 0, 1]], 0, "affine has shape"),
    ],
)
def test_formulas_that_do_not_fit_are_refused(edges, rows, mask, sentence):
    symbolic = [SymbolicEdge(j, i, LIBRARY[name], row) for j, i, name, row in edges]

    with pytest.raises(ValueError, match=sentence):
        check_edges(symbolic, rows, np.full((1, 2), float(mask)))


@pytest.mark.parametrize("symbolic", [3, ["sin"], [SymbolicEdge(0, 0, "sin", 0)]])
def test_what_is_no_sequence_of_edges_is_refused(symbolic):
    with pytest.raises(TypeError, match="symbolic"):
        check_edges(symbolic, [[1, 0, 1, 0]], np.zeros((1, 1)))


def test_trainable_symbolic_without_formulas_is_refused():
    data = kr.sample("exp_sin", n_train=10, n_test=10, rng=np.random.default_rng(0))
    network = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    with pytest.raises(ValueError, match="has no symbolic edges"):
        kr.fit(network, data, trainable=("symbolic",))


NAMED = [(0, 0, "exp", 0), (0, 0, "sin", 0), (0, 0, "x^3", 0), (0, 0, "gaussian", 0)]


@pytest.mark.parametrize("edge", NAMED, ids=lambda edge: edge[2])
def test_derivatives_of_every_order_are_those_of_the_whole_curve(edge):
    """Each against differences of the one before; d counts in the value alone."""
    layer = formula_layer([edge], [(0.7, -0.3, 1.5, 2.0)])
    x = np.linspace(-0.9, 0.9, 7)[:, None]

    def curve(points, order):
        return derivatives(layer.symbolic, layer.affine, points, [order])[0, 0]

    f = LIBRARY[edge[2]].f
    np.testing.assert_allclose(curve(x, 0), 1.5 * f(0.7 * x[:, 0] - 0.3) + 2.0, rtol=1e-15)
    for order in (1, 2, 3):
        slope = central_difference(lambda t, order=order: curve(x + t, order - 1))
        np.testing.assert_allclose(curve(x, order), slope, rtol=1e-7, atol=1e-8)


@for_all("order", [0, 1, 2])
@for_all("edge", NAMED, ids=lambda edge: edge[2])
def test_slopes_in_the_parameters_are_differences_of_the_derivative_of_that_order(edge, order):
    affine = np.array([[0.7, -0.3, 1.5, 2.0]])
    layer = formula_layer([edge], affine)
    x = np.linspace(-0.9, 0.9, 7)[:, None]

    slopes = affine_slopes(layer.symbolic, affine, x, order)

    for number in range(4):
        step = np.eye(4)[[number]]
        expected = central_difference(
            lambda t, step=step: derivatives(layer.symbolic, affine + t * step, x, [order])[0, 0]
        )
        np.testing.assert_allclose(slopes[:, 0, number], expected, rtol=1e-7, atol=1e-8)
