"""A network: layers one after another, one vector of parameters, and which sample and edge a message names where it is undefined.

Nothing in a network changes or is checked twice. Large batches are computed by chunks. Networks and samples of sizes between 1e-100 and 1e100
give finite numbers.
"""

import copy
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import SPLINE_ARRAYS, WAYS, contraction_by, network_cases, random_batch, random_layer, random_network
from oracles_layer import network_values, theta_by_hand

import kan_ref as kr
from kan_ref.functions import lookup
from kan_ref.functions.library import LIBRARY
from kan_ref.network import (
    check_derivatives,
    definedness,
    evaluate,
    first_cause,
    has_limits,
    layer_inputs,
    layer_outputs,
    new_workspaces,
    place_hidden_grids,
    sample_numbers,
    sample_slices,
    undefined_values,
)
from kan_ref.network import layer as edges
from kan_ref.network import network as stack
from kan_ref.network.definedness import chunk_size, outputs_at
from kan_ref.network.editing import EdgeSpec, symbolic_layer
from kan_ref.network.symbolic_edges import SymbolicEdge

# --- what a network is: layers one after another, one vector of parameters, nothing that changes or is checked twice

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

    np.testing.assert_allclose(network(x), expected, rtol=0, atol=1e-10 * max(1.0, np.abs(expected).max()))


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
    network = kr.init_network((2, 3, 3, 1), n_intervals=4, degree=3, domain=(-1, 1), rng=np.random.default_rng(0))
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (7, 2))
    workspaces = new_workspaces(3)

    first, second = (network.run_flow(network.prepare(x, workspaces), workspaces)[1] for _ in range(2))

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
    "make", [lambda n: n, lambda n: n.with_theta(2.0 * n.theta), lambda n: kr.mask_edges(n, 1, np.zeros((3, 5)))]
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
        assert not any(getattr(layer, name).flags.writeable for name in ("knots", "coef", "w_base", "w_spline", "mask"))
        assert np.shares_memory(layer.coef, other.theta)


# --- masks


def test_a_mask_stands_for_itself_and_does_not_multiply_the_old_one():
    network, x = example(dead=0.0)

    revived = kr.mask_edges(kr.mask_edges(network, 1, np.zeros((3, 5))), 1, np.ones((3, 5)))

    assert same_function(revived, network, x)


# --- what it prints


def test_a_network_prints_widths_grids_degree_and_parameters():
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))

    assert repr(network) == "Network([2, 5, 1], n_intervals [5, 5], degree 3, 150 parameters)"
    assert (
        repr(kr.mask_edges(network, 0, [[1, 0]] * 5))
        == "Network([2, 5, 1], n_intervals [5, 5], degree 3, 150 parameters, 5 masked edges)"
    )


NETWORK = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
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


# --- symbolic edges that are undefined at a sample: every public function that needs their values says where

RNG = np.random.default_rng
GOOD = RNG(0).uniform(0.3, 1.0, (20, 2))
Y = GOOD[:, :1] ** 2
EDGE = {"output": 0, "input": 0}
BLANK = kr.init_network((2, 2, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
THROUGH = kr.fix_symbolic(BLANK, 0, **EDGE, name="x")
THROUGH = kr.mask_edges(THROUGH, 0, [[1, 0], [1, 1]])
# log u with u = x + 0.25 in the first layer or in the last one, undefined at x = -0.5
SHIFTED_LOG = {"name": "log", "affine": (1.0, 0.25, 1.0, 0.0)}
UNDEFINED = {n: kr.fix_symbolic((BLANK, THROUGH)[n], n, **EDGE, **SHIFTED_LOG) for n in (0, 1)}
ROOT = kr.fix_symbolic(BLANK, 0, **EDGE, name="sqrt")  # has a value at 0, but no derivative


def samples(odd):
    """Return 20 samples; the first input of sample 3 is `odd`."""
    x = GOOD.copy()
    x[3, 0] = odd
    return x


def data(x_train, x_test=GOOD):
    return kr.Data(x_train, Y, x_test, Y)


TRAINS = {
    "value_and_grad": lambda network, x: kr.value_and_grad(network, x, Y),
    "with a penalty": lambda network, x: kr.value_and_grad(network, x, Y, penalty=0.1),
    "backward": lambda network, x: kr.backward(network, kr.forward(network, x)[1], Y),
    "lm": lambda network, x: kr.fit(network, data(x), n_steps=2),
    "finer grids": lambda network, x: kr.fit(network, data(x), n_steps=2, grids=(4, 6)),
    "lbfgs": lambda network, x: kr.fit(network, data(x), n_steps=2, optimizer="lbfgs"),
    "adam": lambda network, x: kr.fit(network, data(x), n_steps=2, optimizer="adam"),
}
EVALUATES = TRAINS | {
    "Network": lambda network, x: network(x),
    "forward": kr.forward,
    "edge_outputs": kr.edge_outputs,
    "edge_scores": kr.edge_scores,
    "node_scores": kr.node_scores,
    "distance": lambda network, x: kr.distance(BLANK, network, x),
    "prune": kr.prune,
    "remove": lambda network, x: kr.remove(network, x, nodes={1: [1]}),
    "auto_symbolic": lambda network, x: kr.auto_symbolic(network, x, names=("x",)),
    "extend_grid": lambda network, x: kr.extend_grid(network, x, n_intervals=5),
    "update_grid": kr.update_grid,
    "draw_network": kr.draw_network,
    "coverage": kr.coverage,
    "predict_proba": lambda network, x: kr.predict_proba(network, x, loss="logistic"),
    "check_gradients": lambda network, x: kr.check_gradients(network, x, rng=RNG(0)),
    "equations": lambda network, x: kr.fit(network, equations=[kr.linear_term(x, first=[1.0, 0.0])], n_steps=1),
    "eliminate": lambda network, x: kr.eliminate(network, data(x), grids=(4,), n_steps=1),
    "input_jacobian": kr.input_jacobian,
    "input_hessian": kr.input_hessian,
}


@for_all("layer", UNDEFINED)
@for_all("name", EVALUATES)
def test_an_undefined_value_is_reported_by_edge_and_sample(name, layer):
    edge = rf"\[3\] gives log on the edge from input 0 to output 0 of layer {layer} the argument"

    with pytest.raises(ValueError, match=edge):
        EVALUATES[name](UNDEFINED[layer], samples(-0.5))


@for_all("name", TRAINS)
def test_training_reports_an_edge_without_a_derivative(name):
    with pytest.raises(ValueError, match=r"\[3\] gives sqrt on the edge .* its derivative"):
        TRAINS[name](ROOT, samples(0.0))


def test_test_samples_without_a_value_are_a_finding():
    run = kr.fit(UNDEFINED[0], data(GOOD, samples(-0.5)), n_steps=2, trainable=("coef",))

    assert np.isnan(run.test_rmse)
    assert [found.about for found in run.findings] == ["undefined"]
    assert "x_test[3]" in run.findings[0].what


def test_training_takes_no_step_to_an_undefined_value():
    """The argument of log is the smallest at the start, and the data ask for smaller ones."""
    x = np.linspace(0.01, 1.0, 40)[:, None]
    net = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(0.0, 1.0), rng=RNG(0))
    net = kr.fix_symbolic(net, 0, **EDGE, name="log", affine=(1.0, 0.0, 1.0, 0.0))
    y = np.log(x + 0.5)

    for optimizer in ("lm", "lbfgs", "adam"):
        run = kr.fit(net, kr.Data(x, -y, x, -y), n_steps=30, optimizer=optimizer)
        assert np.isfinite(run.network(x)).all()


@pytest.mark.parametrize("place", ["x", "y", "domain"])
@given(st.floats(-100.0, 100.0), st.sampled_from(("silu", "identity", "zero")), st.integers(0, 3))
def test_sizes_from_1e_100_to_1e100_give_finite_numbers(place, power, base, degree):
    size = 10.0**power
    bound = size if place == "domain" else 1.0
    network = kr.init_network((2, 2, 1), n_intervals=3, degree=degree, domain=(-bound, bound), base=base, rng=RNG(0))
    x = GOOD if place == "y" else size * GOOD
    y = size * Y if place == "y" else Y

    assert np.isfinite(network(x)).all()
    assert all(np.isfinite(part).all() for part in kr.value_and_grad(network, x, y))
    for moved in (kr.extend_grid(network, x, n_intervals=4), kr.update_grid(network, x)):
        assert np.isfinite(moved(x)).all()


# --- large batches by chunks, and which sample and edge a message names where a network has no finite value or derivative


def network_with(names, affine=(2.0, 0.5, 1.0, 0.0), widths=(1, 1, 1)):
    """Layers of splines, the first an identity, whose edges from input 0 to output 0 are symbolic where a name is given."""
    rng, layers = np.random.default_rng(0), []
    made = kr.init_network(widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for name, layer in zip(names, made.layers, strict=True):
        if name is None:
            line = {"base": "identity", "w_base": np.ones_like(layer.w_base)}
            layers.append(replace(layer, coef=0.0 * layer.coef, **line))
            continue
        mask = np.ones(layer.mask.shape)
        mask[0, 0] = 0.0
        edge = SymbolicEdge(0, 0, LIBRARY[name], 0)
        layers.append(replace(layer, mask=mask, symbolic=[edge], affine=[affine]))
    return kr.Network(layers)


BELOW = np.array([[0.5], [1.0], [-1.5], [-2.0]])
LOG_MESSAGE = "x[2] gives log on the edge from input 0 to output 0 of layer {} the argument -2.5"


# --- the cause


@pytest.mark.parametrize("names", [("log", None), (None, "log")])
def test_the_first_undefined_sample_and_its_edge_are_found_in_any_layer(names):
    found = undefined_values(network_with(names).layers, BELOW, "x")

    assert found == f"{LOG_MESSAGE.format(names.index('log'))}, where it has no finite value"


@pytest.mark.parametrize("name", ["sqrt", "x^1.5"])
def test_a_missing_derivative_is_a_cause_only_up_to_the_order_that_is_needed(name):
    """The root has a value and no derivative at 0, x^1.5 a derivative and no second one."""
    layers = network_with((name, None), affine=(1.0, 0.0, 1.0, 0.0)).layers
    x, missing = np.array([[1.0], [0.0]]), {"sqrt": 1, "x^1.5": 2}[name]
    order = {1: "its derivative", 2: "its second derivative"}[missing]

    assert undefined_values(layers, x) == ""
    for highest in range(4):
        found = first_cause(layers, list(layer_inputs(layers, x)), "x", highest=highest)
        assert found.startswith("x[1] gives ") == (highest >= missing)
        assert (order in found) == (highest >= missing)


def test_an_output_beyond_float64_is_reported_without_a_warning():
    network = network_with(("exp", None), affine=(1.0, 0.0, 1.0, 0.0))

    for call in (network, lambda x: kr.forward(network, x)):
        with pytest.raises(ValueError, match=r"x\[1\] gives exp on the edge"):
            call([[1.0], [1000.0]])


# --- what evaluates curves and moves grids


@for_all(
    "call",
    [
        lambda n: n(BELOW),
        lambda n: kr.extend_grid(n, BELOW, n_intervals=6),
        lambda n: kr.update_grid(n, BELOW),
        lambda n: place_hidden_grids(n, BELOW, 6),
    ],
)
@for_all("names", [("log", None), (None, "log")])
def test_what_needs_a_value_at_a_sample_rejects_it(call, names):
    with pytest.raises(ValueError, match=re.escape(" gives log on the edge from input 0 to output 0")):
        call(network_with(names))


@pytest.mark.parametrize("names", [("log", None), (None, "log")])
def test_hidden_grids_that_keep_their_numbers_stay_where_a_sample_is_undefined(names):
    network = network_with(names)

    assert place_hidden_grids(network, BELOW) is network
    assert place_hidden_grids(network, BELOW[:2]) is not network


# --- missing arguments


# --- samples of a refinement


def test_samples_decide_where_a_grid_that_does_not_contain_the_old_one_keeps_the_function():
    network = kr.init_network((1, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(1))
    layer = network.layers[0]
    network = kr.Network([replace(layer, coef=30.0 * layer.coef)])
    x = np.random.default_rng(2).uniform(-1.0, 1.0, (6, 1))

    with_x, without = (kr.extend_grid(network, given, n_intervals=5) for given in (x, None))

    assert kr.distance(network, with_x, x).rms < 0.1 * kr.distance(network, without, x).rms


# --- messages of single edges, and what NumPy says of them


def test_a_symbolic_layer_is_cubic_on_one_interval_from_minus_one_to_one():
    layer = symbolic_layer(2, 1, [EdgeSpec(0, 1, lookup("sin"))])

    assert (layer.degree, layer.n_intervals, layer.coef.shape) == (3, 1, (1, 2, 4))
    np.testing.assert_array_equal(layer.breakpoints, [[-1.0, 1.0], [-1.0, 1.0]])
    np.testing.assert_array_equal([layer.mask, layer.w_base, layer.w_spline], np.zeros((3, 1, 2)))
    assert [(edge.output, edge.input, edge.name) for edge in layer.symbolic] == [(0, 1, "sin")]


def a_layer(n_in=3, n_out=2, n_intervals=5, degree=3):
    return kr.init_network(
        (n_in, n_out), n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers[0]


def test_the_numbers_of_a_sample_are_those_of_the_largest_layer():
    """Basis functions, four nonzero ones with derivatives and places, and outputs."""
    small, large = a_layer(1, 1), a_layer(3, 2)

    assert sample_numbers([large]) == 3 * (8 + 3 * 3 + 5) + 2
    assert sample_numbers([small, large]) == sample_numbers([large]) > sample_numbers([small])


def test_chunks_of_32_mebibytes_cover_every_sample_once():
    assert [chunk_size(2**10, n) for n in (0, 2**12, 2**12 + 1)] == [1, 2**12, 2**12]
    assert chunk_size(2**30, 3) == 1
    assert [(part.start, part.stop) for part in sample_slices(10, 4)] == [(0, 4), (4, 8), (8, 10)]
    assert list(sample_slices(0, 4)) == []


@pytest.mark.parametrize(
    ("name", "limited"), [("sin", False), ("x^2", False), ("sqrt", True), ("log", True), ("1/x", True)]
)
def test_edges_whose_functions_are_not_defined_everywhere_are_known(name, limited):
    network = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(0.5, 1.0), rng=np.random.default_rng(0))
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name=name, affine=(1.0, 0.0, 1.0, 0.0))

    assert not has_limits(network.layers)
    assert has_limits(fixed.layers) is limited


def test_a_large_batch_is_evaluated_by_chunks_and_gives_the_same_outputs(monkeypatch):
    layer = a_layer()
    x = np.random.default_rng(1).uniform(-1.2, 1.2, (700, 3))
    whole, sizes = layer_outputs(layer, evaluate(layer, x)), []

    def watched(layer, x, **options):
        sizes.append(len(x))
        return evaluate(layer, x, **options)

    monkeypatch.setattr(definedness, "_AT_ONCE", 300 * sample_numbers([layer]))
    monkeypatch.setattr(definedness, "evaluate", watched)
    parts = outputs_at(layer, x)

    assert sizes == [300, 300, 100]
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14)


def test_a_sum_beyond_float64_is_found_without_a_warning():
    first = network_with((None,), widths=(2, 2)).layers[0]
    weights = np.array([[1.0, 0.0], [1e300, -1e300]])
    layers = (replace(first, w_base=weights), network_with((None,), widths=(2, 1)).layers[0])

    found = undefined_values(layers, np.array([[1.0, 1.0], [0.0, 1e10]]), "z")

    assert found.startswith("z[1] gives output 1 of layer 0 a value beyond")


def test_derivatives_that_are_not_finite_are_reported_with_their_cause():
    layers = network_with(("sqrt", None), affine=(1.0, 0.0, 1.0, 0.0)).layers
    x, fine, bad = np.array([[1.0], [0.0]]), np.ones((2, 1)), np.array([[1.0], [np.nan]])

    check_derivatives(layers, layer_inputs(layers, x), fine, fine)
    for arrays in ((fine, bad), (bad, fine)):
        with pytest.raises(ValueError, match=r"x\[1\] gives sqrt on the edge .* its derivative"):
            check_derivatives(layers, layer_inputs(layers, x), *arrays)
        with pytest.raises(ValueError, match="x gives derivatives beyond"):
            check_derivatives(layers, layer_inputs(layers, x[:1]), *arrays)


def test_a_gradient_that_is_infinite_is_reported_with_its_edge():
    network = network_with(("sqrt", None), affine=(1.0, 0.0, 1.0, 0.0))
    _, caches = kr.forward(network, [[1.0], [0.0]])

    with pytest.raises(ValueError, match=r"x\[1\] gives sqrt on the edge .* its derivative"):
        kr.backward(network, caches, [[1.0], [1.0]])


def test_the_curve_of_an_undefined_edge_names_the_sample():
    with pytest.raises(ValueError, match=r"x\[1\] is -1"):
        kr.edge_curve(network_with(("sqrt", None)), 0, output=0, input=0, x=[0.0, -1.0])
