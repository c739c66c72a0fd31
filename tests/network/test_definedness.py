"""Large batches by chunks, and which sample and edge a message names where a network has no finite value or derivative."""

import re
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all

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
    place_hidden_grids,
    sample_numbers,
    sample_slices,
    undefined_values,
)
from kan_ref.network.definedness import chunk_size, outputs_at
from kan_ref.network.editing import EdgeSpec, symbolic_layer
from kan_ref.network.symbolic_edges import SymbolicEdge


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


X = np.array([[0.5], [1.0], [-1.5], [-2.0]])
LOG = "x[2] gives log on the edge from input 0 to output 0 of layer {} the argument -2.5"


# --- the cause


@pytest.mark.parametrize("names", [("log", None), (None, "log")])
def test_the_first_undefined_sample_and_its_edge_are_found_in_any_layer(names):
    found = undefined_values(network_with(names).layers, X, "x")

    assert found == f"{LOG.format(names.index('log'))}, where it has no finite value"


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
        lambda n: n(X),
        lambda n: kr.extend_grid(n, X, n_intervals=6),
        lambda n: kr.update_grid(n, X),
        lambda n: place_hidden_grids(n, X, 6),
    ],
)
@for_all("names", [("log", None), (None, "log")])
def test_what_needs_a_value_at_a_sample_rejects_it(call, names):
    with pytest.raises(
        ValueError, match=re.escape(" gives log on the edge from input 0 to output 0")
    ):
        call(network_with(names))


@pytest.mark.parametrize("names", [("log", None), (None, "log")])
def test_hidden_grids_that_keep_their_numbers_stay_where_a_sample_is_undefined(names):
    network = network_with(names)

    assert place_hidden_grids(network, X) is network
    assert place_hidden_grids(network, X[:2]) is not network


# --- missing arguments


# --- samples of a refinement


def test_samples_decide_where_a_grid_that_does_not_contain_the_old_one_keeps_the_function():
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(1)
    )
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
        (n_in, n_out),
        n_intervals=n_intervals,
        degree=degree,
        domain=(-1.0, 1.0),
        rng=np.random.default_rng(0),
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
    ("name", "limited"),
    [("sin", False), ("x^2", False), ("sqrt", True), ("log", True), ("1/x", True)],
)
def test_edges_whose_functions_are_not_defined_everywhere_are_known(name, limited):
    network = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(0.5, 1.0), rng=np.random.default_rng(0)
    )
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
