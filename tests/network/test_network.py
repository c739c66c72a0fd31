"""What a network is: layers one after another, one vector of parameters, nothing that changes or is checked twice."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    SPLINE_ARRAYS,
    WAYS,
    contraction_by,
    network_cases,
    random_batch,
    random_layer,
    random_network,
)
from oracles_layer import network_values, theta_by_hand

import kan_ref as kr
from kan_ref.network import layer as edges
from kan_ref.network import network as stack
from kan_ref.network import new_workspaces

ways = st.sampled_from(WAYS)


def example(seed=0, widths=(2, 5, 3, 1), **options):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=widths, degrees=[3], **options)
    return network, random_batch(rng, network.layers[0], 7)


def same_function(one, other, x):
    """Whether two networks give the same bits."""
    return one(x).tobytes() == other(x).tobytes()


# --- values


@given(network_cases(degrees=range(1, 5)), ways)
def test_a_network_is_its_layers_one_after_another(case, way):
    network, x, _ = case

    with contraction_by(way):
        y, at = network(x), x
        for layer in network.layers:
            at, _ = edges.layer_forward(layer, at)

    np.testing.assert_array_equal(y, at)


@given(network_cases(degrees=[3], n_samples=st.just(2)))
def test_a_network_computes_the_composition_of_the_paper(case):
    network, x, _ = case
    expected = network_values(network, x)

    np.testing.assert_allclose(
        network(x), expected, rtol=0, atol=1e-10 * max(1.0, np.abs(expected).max())
    )


@given(network_cases(), ways)
def test_forward_gives_the_same_bits_as_calling_the_network(case, way):
    network, x, _ = case

    with contraction_by(way):
        y, caches = kr.forward(network, x)
        np.testing.assert_array_equal(network(x), y)

    assert len(caches) == len(network.layers)


def test_predict_and_activations_walk_the_same_way():
    network, x = example()
    inputs = network.prepare(x)

    values = network.flow(inputs)

    assert [value.shape for value in values] == [(7, 5), (7, 3), (7, 1)]
    np.testing.assert_array_equal(values[-1], network(x))
    np.testing.assert_array_equal(values[-1], network.values(inputs))
    np.testing.assert_array_equal(values[1], stack.Network(network.layers[:2])(x))


def test_evaluated_inputs_serve_every_theta():
    network, x = example()
    inputs = network.prepare(x)
    other = network.with_theta(np.random.default_rng(1).normal(size=network.n_params))

    np.testing.assert_array_equal(other.values(inputs), other(x))


def test_the_cache_of_each_layer_lies_in_its_workspace_which_is_used_again():
    network = kr.init_network(
        (2, 3, 3, 1), n_intervals=4, degree=3, domain=(-1, 1), rng=np.random.default_rng(0)
    )
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (7, 2))
    workspaces = new_workspaces(3)

    first, second = (
        network.run_flow(network.prepare(x, workspaces), workspaces)[1] for _ in range(2)
    )

    planes = [[cache.bases.active.planes[0] for cache in caches] for caches in (first, second)]
    for layer, before in enumerate(planes[0]):
        shared = [np.shares_memory(before, after) for after in planes[1]]
        assert shared == [layer == other for other in range(3)]


# --- theta


@given(network_cases())
def test_theta_runs_layer_by_layer_through_coef_w_base_w_spline_with_the_last_index_fastest(case):
    network, _, _ = case

    np.testing.assert_array_equal(network.theta, theta_by_hand(network.layers))


@given(network_cases(), ways)
def test_the_gradient_of_theta_runs_in_the_order_of_theta(case, way):
    network, x, rng = case

    with contraction_by(way):
        y, caches = kr.forward(network, x)
        _, grads = kr.backward(network, caches, rng.normal(size=y.shape))

    np.testing.assert_array_equal(grads.theta, theta_by_hand(grads.layers))


@given(network_cases())
def test_with_theta_and_theta_are_inverse(case):
    network, x, rng = case
    theta = rng.normal(size=network.n_params)

    there = network.with_theta(theta)
    back = there.with_theta(network.theta)

    np.testing.assert_array_equal(there.theta, theta)
    np.testing.assert_array_equal(theta_by_hand(there.layers), theta)
    assert same_function(back, network, x)


def test_with_theta_keeps_knots_masks_degrees_and_bases():
    network, _ = example()

    other = network.with_theta(np.zeros(network.n_params))

    for old, new in zip(network.layers, other.layers, strict=True):
        np.testing.assert_array_equal(new.knots, old.knots)
        np.testing.assert_array_equal(new.mask, old.mask)
        assert (new.degree, new.base) == (old.degree, old.base)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n,
        lambda n: n.with_theta(2.0 * n.theta),
        lambda n: kr.mask_edges(n, 1, np.zeros((3, 5))),
    ],
)
def test_the_arrays_of_the_layers_are_views_of_theta(make):
    network = make(example()[0])

    for layer in network.layers:
        for name in SPLINE_ARRAYS:
            assert np.shares_memory(getattr(layer, name), network.theta)


def test_numbers_of_parameters_count_all_and_active_edges():
    layers = (
        random_layer(np.random.default_rng(2), 2, 3, degree=3, n_intervals=4, dead=0.0),
        random_layer(np.random.default_rng(3), 3, 1, degree=1, n_intervals=2, dead=0.0),
    )
    network = kr.mask_edges(kr.Network(layers), 0, [[1, 0], [0, 0], [1, 1]])

    assert (network.widths, network.n_intervals) == ((2, 3, 1), None)
    assert kr.Network(layers[:1]).n_intervals == 4
    assert network.n_params == 6 * (7 + 2) + 3 * (3 + 2)
    assert network.n_active_params == 3 * (7 + 2) + 3 * (3 + 2)


# --- nothing changes


def test_changing_the_array_given_to_with_theta_changes_nothing():
    network, x = example()
    theta = network.theta.copy()
    other = network.with_theta(theta)

    theta[:] = 0.0

    assert same_function(other, network, x)
    assert theta.flags.writeable  # nor is the caller's array taken away from him


@pytest.mark.parametrize("name", ["knots", "coef", "w_base", "w_spline", "mask", "breakpoints"])
def test_writing_into_the_array_of_a_layer_is_refused(name):
    network, _ = example()

    for layer in (*network.layers, *network.with_theta(2.0 * network.theta).layers):
        with pytest.raises(ValueError, match="read-only"):
            getattr(layer, name)[0] = 0.0


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
def test_a_copy_or_a_pickle_is_the_same_network_still_read_only_and_with_views(twin):
    network, x = example()

    other = twin(network)

    assert same_function(other, network, x)
    assert repr(other) == repr(network)
    assert not other.theta.flags.writeable
    for layer in other.layers:
        assert not any(
            getattr(layer, name).flags.writeable
            for name in ("knots", "coef", "w_base", "w_spline", "mask")
        )
        assert np.shares_memory(layer.coef, other.theta)


# --- masks


def test_a_mask_stands_for_itself_and_does_not_multiply_the_old_one():
    network, x = example(dead=0.0)

    revived = kr.mask_edges(kr.mask_edges(network, 1, np.zeros((3, 5))), 1, np.ones((3, 5)))

    assert same_function(revived, network, x)


# --- what it prints


def test_a_network_prints_widths_grids_degree_and_parameters():
    network = kr.init_network(
        (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    assert repr(network) == "Network([2, 5, 1], n_intervals [5, 5], degree 3, 150 parameters)"
    assert (
        repr(kr.mask_edges(network, 0, [[1, 0]] * 5))
        == "Network([2, 5, 1], n_intervals [5, 5], degree 3, 150 parameters, 5 masked edges)"
    )


NETWORK = kr.init_network(
    (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
)
X = np.random.default_rng(1).uniform(-1.0, 1.0, (40, 2))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X[:, :1], "x has shape"),
        (X[0], "x has shape"),
        (np.where(X[3, 1] == X, np.nan, X), "x contains nan at row 3, column 1"),
    ],
)
def test_inputs_that_would_broadcast_or_are_not_finite_are_refused(x, words):
    for call in (NETWORK, lambda x: kr.forward(NETWORK, x), lambda x: kr.edge_outputs(NETWORK, x)):
        with pytest.raises(ValueError, match=words):
            call(x)


def test_gradients_need_the_caches_of_the_network_and_a_dy_of_the_shape_of_its_outputs():
    _, caches = kr.forward(NETWORK, X)
    other = kr.extend_grid(NETWORK, n_intervals=10)

    for wrong in (caches[:1], caches[::-1], (*caches, caches[0]), kr.forward(other, X)[1]):
        with pytest.raises(ValueError, match="caches"):
            kr.backward(NETWORK, wrong, np.ones((40, 1)))
    for dy in (np.ones(40), np.ones((1, 1)), np.full((40, 1), np.inf)):
        with pytest.raises(ValueError, match="dy"):
            kr.backward(NETWORK, caches, dy)


def test_layers_that_do_not_fit_together_are_refused():
    first, last = NETWORK.layers

    for layers in ((), (first, first), (last, last)):
        with pytest.raises(ValueError, match="layers"):
            kr.Network(layers)
    with pytest.raises(TypeError, match="layers"):
        kr.Network((first, "layer"))
    with pytest.raises(ValueError, match="theta"):
        NETWORK.with_theta(np.ones(1))
