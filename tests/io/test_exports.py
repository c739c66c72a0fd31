"""Networks elsewhere: as C code, edges as SciPy splines, and the arrays of other libraries both ways.

The text in C is compiled once for all networks and compared with them; other libraries' networks are compared with loops written from their
formulas.
"""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from c_code import build, call, close, needs_compiler
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    BASES,
    KINDS,
    draws,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
    with_formulas,
)
from oracles_layer import base_value, bspline
from scipy.interpolate import BSpline

import kan_ref as kr
from benchmarks import states as program
from kan_ref.functions.library import BUILT_IN, LIBRARY
from kan_ref.network.layer import Layer

# --- networks as C code, and edges as SciPy splines

RNG = np.random.default_rng


def samples(network, seed=0):
    """Return points inside and outside the grid, where the basis functions decay, at knots and one ulp beside them."""
    layer, rng = network.layers[0], RNG(seed)
    drawn = random_batch(rng, layer, 60, at_knots=True)
    far = np.array([[-1e6], [1e6]]) * np.ones(layer.n_in)
    knots = layer.knots.T
    return np.vstack([drawn, far, knots, np.nextafter(knots, -9.0), np.nextafter(knots, 9.0)])


SINGLE = {
    f"layer_{kind}_{degree}_{base}": kr.Network(
        (random_layer(RNG(10 * degree), 2, 3, degree=degree, n_intervals=4, kind=kind, base=base, dead=0.2),)
    )
    for kind in KINDS
    for degree in range(6)
    for base in ("silu", "identity", "zero")
}
DEEP = {f"deep_{seed}": random_network(RNG(seed), degrees=range(6), widths=(3, 4, 2, 2)) for seed in draws(12)}
MIXED = {f"mixed_{seed}": with_formulas(RNG(seed), network) for seed, network in enumerate(DEEP.values())}


def formula_network(name):
    """Return a network of two inputs whose first edge is c f(a x + b) + d."""
    net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(1))
    return kr.fix_symbolic(net, 0, output=0, input=0, name=name, affine=(0.9, 0.05, -1.7, 0.3))


FORMULAS = {f"formula_{number}": formula_network(name) for number, name in enumerate(sorted(BUILT_IN))}
ALL = SINGLE | DEEP | MIXED | FORMULAS


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return all networks of this file in one text; their names keep them apart."""
    return build("".join(kr.to_c(network, name=name) for name, network in ALL.items()), tmp_path_factory.mktemp("c"))


@needs_compiler
@pytest.mark.parametrize("name", SINGLE)
def test_one_layer_is_the_network_at_knots_ends_and_outside(library, name):
    network = SINGLE[name]
    x = samples(network)[np.abs(samples(network)).max(axis=1) < 1e5]
    far = samples(network)[60:62]

    close(call(library, network, x, name), network(x))
    close(call(library, network, far, name), network(far))


@needs_compiler
@pytest.mark.parametrize("name", [*DEEP, *MIXED])
def test_several_layers_with_or_without_formulas_are_the_network(library, name):
    network = ALL[name]
    x = random_batch(RNG(0), network.layers[0], 200, at_knots=True)

    close(call(library, network, x, name), network(x))


@needs_compiler
@pytest.mark.parametrize("name", FORMULAS)
def test_every_function_of_the_library_is_the_network(library, name):
    network = FORMULAS[name]
    symbol = network.layers[0].symbolic[0].name
    low, high = np.clip(LIBRARY[symbol].domain, -3.0, 3.0)
    u = np.linspace(low, high, 42)[1:-1]
    x = np.column_stack([(u - 0.05) / 0.9, np.linspace(-2.0, 2.0, 40)])

    close(call(library, network, x, name), network(x))


@needs_compiler
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite_give_nan_whatever_the_base(library, bad):
    for name in ("layer_uniform_3_silu", "layer_uniform_0_zero", "layer_clamped_2_identity"):
        x = np.zeros((1, ALL[name].widths[0]))
        x[0, -1] = bad

        assert np.isnan(call(library, ALL[name], x, name)).all()


UNDEFINED = {"log": 0.0, "sqrt": -1.0, "1/x": 0.0, "arcsin": 2.0, "1/|x|": 0.0}


@needs_compiler
@pytest.mark.parametrize("symbol", UNDEFINED)
def test_where_a_formula_has_no_value_the_network_refuses_and_c_gives_nan(library, symbol):
    number = sorted(BUILT_IN).index(symbol)
    network = FORMULAS[f"formula_{number}"]
    x = np.array([[(UNDEFINED[symbol] - 0.05) / 0.9, 0.5]])
    if 0.9 * x[0, 0] + 0.05 != UNDEFINED[symbol]:
        x[0, 0] = np.nextafter(x[0, 0], 2.0)
    with pytest.raises(ValueError, match=re.escape(symbol)):
        network(x)

    assert np.isnan(call(library, network, x, f"formula_{number}")).all()


@needs_compiler
def test_where_a_sum_overflows_the_network_refuses_and_c_gives_nan(tmp_path):
    ones = np.ones((1, 1))
    layer = Layer([[-1, 0, 1, 2]], np.zeros((1, 1, 2)), 4.0 * ones, ones, ones, 1, "identity")
    network = kr.Network((layer,))
    with pytest.raises(ValueError, match="beyond the largest float64"):
        network([[1e308]])

    found = call(build(kr.to_c(network), tmp_path), network, np.array([[1e308], [-0.5]]))

    assert np.isnan(found[0, 0])
    assert found[1, 0] == -2.0


def test_a_registered_function_is_refused():
    """Also under the name of one that C has."""
    name, sin = "cube of c", LIBRARY["sin"]
    cube = kr.register_function(name, sin.f, sin.d1, sin.d2, sin.d3, complexity=3)
    net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    try:
        registered = kr.fix_symbolic(net, 0, output=0, input=1, name=name)
    finally:
        kr.unregister_function(name)
    edge = replace(registered.layers[0].symbolic[0], function=replace(cube, name="sin"))
    disguised = kr.Network((replace(registered.layers[0], symbolic=[edge]),))

    for network, named in ((registered, name), (disguised, "sin")):
        with pytest.raises(ValueError, match=f"network has '{named}' in layer 0"):
            kr.to_c(network)


def test_the_text_is_ascii_and_the_same_each_time():
    source = kr.to_c(DEEP["deep_0"], name="predict")

    assert source.isascii()
    assert source == kr.to_c(DEEP["deep_0"], name="predict")


def test_every_function_that_the_library_was_born_with_has_its_c():
    assert {network.layers[0].symbolic[0].name for network in FORMULAS.values()} == set(LIBRARY)


# --- SciPy splines


def one_edge(degree, kind, seed=0, dead=0.0):
    """Return a network of one spline edge without a base, and its knot vector."""
    layer = random_layer(RNG(seed), 1, 1, degree=degree, n_intervals=5, kind=kind, base="zero", dead=dead, silent=0.0)
    return kr.Network((layer,)), layer.knots[0]


def curve(network, x):
    return kr.edge_curve(network, 0, output=0, input=0, x=x)


@for_all("kind", ["uniform", "uneven", "clamped"])
@for_all("degree", range(6))
def test_the_spline_is_the_edge_on_its_grid_at_both_ends_and_at_knots(degree, kind):
    network, row = one_edge(degree, kind)
    grid = network.layers[0].breakpoints[0]
    x = np.sort(
        np.concatenate(
            [np.linspace(grid[0], grid[-1], 101), grid, np.nextafter(grid[1:], -9), np.nextafter(grid[:-1], 9)]
        )
    )

    spline = kr.to_scipy(network, 0, output=0, input=0)

    assert isinstance(spline, BSpline)
    assert spline.k == degree
    np.testing.assert_array_equal(spline.t, row)
    np.testing.assert_allclose(spline(x), curve(network, x), rtol=0.0, atol=1e-14 * np.abs(spline.c).max())


@given(network_cases(degrees=range(6)))
def test_every_spline_edge_is_its_spline_and_its_base(case):
    """Repeated knots are included. Random points lie on no discontinuity, where SciPy may take the other limit."""
    network, _, rng = case
    for number, layer in enumerate(network.layers):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            a, b = layer.breakpoints[i, [0, -1]]
            x = rng.uniform(a, b, 20)
            base = {"silu": x / (1.0 + np.exp(-x)), "identity": x, "zero": 0.0 * x}[layer.base]
            spline = kr.to_scipy(network, number, output=j, input=i)

            found = layer.w_base[j, i] * base + spline(x)

            edge = kr.edge_curve(network, number, output=j, input=i, x=x)
            np.testing.assert_allclose(
                found, edge, rtol=0.0, atol=1e-13 * (1.0 + np.abs(spline.c).max() + abs(layer.w_base[j, i]))
            )


def test_outside_the_grid_scipy_extrapolates_or_gives_nan_and_the_edge_fades():
    network, row = one_edge(3, "uniform")
    spline, x = (
        kr.to_scipy(network, 0, output=0, input=0),
        np.array([row[0] - 1.0, 0.5 * (row[1] + row[2]), row[-1] + 1.0]),
    )

    assert curve(network, x)[[0, 2]].tolist() == [0.0, 0.0]
    assert np.isnan(spline(x, extrapolate=False)).all()
    first = np.polynomial.Polynomial.fit(np.linspace(row[3], row[4], 9), spline(np.linspace(row[3], row[4], 9)), 3)
    np.testing.assert_allclose(spline(x[:2]), first(x[:2]), rtol=1e-9)
    assert abs(spline(x[1]) - curve(network, x)[1]) > 1e-3


@pytest.mark.parametrize("degree", range(6))
def test_copies_of_the_end_knots_make_scipy_fade_as_the_edge_does(degree):
    network, row = one_edge(degree, "uneven", seed=1)
    spline, nothing = kr.to_scipy(network, 0, output=0, input=0), np.zeros(degree)
    x = np.linspace(row[0] - 1.0, row[-1] + 1.0, 301)

    whole = BSpline(np.r_[[row[0]] * degree, row, [row[-1]] * degree], np.r_[nothing, spline.c, nothing], degree)

    found = np.nan_to_num(whole(x, extrapolate=False), nan=0.0)
    np.testing.assert_allclose(found, curve(network, x), rtol=0.0, atol=1e-14 * np.abs(spline.c).max())


def test_a_dead_edge_is_the_spline_0_and_what_is_given_is_a_copy():
    dead, _ = one_edge(2, "uniform", dead=1.0)
    network, row = one_edge(2, "uniform")
    spline = kr.to_scipy(network, 0, output=0, input=0)
    before = curve(network, row)
    spline.c[:] = 7.0
    spline.t[:] += 1.0

    assert not kr.to_scipy(dead, 0, output=0, input=0).c.any()
    np.testing.assert_array_equal(curve(network, row), before)


# --- networks from the arrays of other libraries and back, compared with loops written from their formulas

GRIDS = (-1.0, 1.0), (-50.0, 50.0), (-900.0, 900.0)


def agree(one, other):
    np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-13 * np.abs(other).max())


def spline(row, coef, degree, x):
    """Return sum_m c_m B_m(x) by the recursion."""
    return sum(c * bspline(m, degree, row, x) for m, c in enumerate(coef))


def drawn(rng, widths, n_intervals=3, k=2):
    """Return for each layer knots (n_in, n_knots) and arrays of every edge [out, in]."""
    layers = []
    for (n_in, n_out), (low, high) in zip(pairwise(widths), GRIDS, strict=False):
        knots = np.tile(kr.uniform_knots(low, high, n_intervals, k), (n_in, 1))
        knots[:, k + 1 : -k - 1] += (
            0.1 * (high - low) / n_intervals * rng.uniform(-1.0, 1.0, knots[:, k + 1 : -k - 1].shape)
        )
        shape = (n_out, n_in)
        layers.append({
            "knots": knots, "coef": rng.normal(size=(*shape, n_intervals + k)), "base": rng.normal(size=shape),
            "spline": rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape),
        })  # fmt: skip
    return layers


def their_edges(layer, x, k, base="silu"):
    """Return phi_ji(x_bi), (batch, n_out, n_in), with one weight for the base and one for the spline."""
    n_out, n_in = layer["base"].shape
    found = np.zeros((len(x), n_out, n_in))
    for b, j, i in np.ndindex(found.shape):
        row = layer["knots"][i].tolist()
        curve = spline(row, layer["coef"][j, i], k, float(x[b, i]))
        found[b, j, i] = layer["base"][j, i] * base_value(base, float(x[b, i])) + layer["spline"][j, i] * curve
    return found


def as_pykan(layers):
    state = {}
    for n, layer in enumerate(layers):
        state |= {
            f"act_fun.{n}.grid": layer["knots"],
            f"act_fun.{n}.coef": layer["coef"].transpose(1, 0, 2),
            f"act_fun.{n}.scale_base": layer["base"].T,
            f"act_fun.{n}.scale_sp": layer["spline"].T,
            f"act_fun.{n}.mask": np.ones(layer["base"].shape).T,
        }
    return state


def as_jaxkan(layers, layer_type):
    state = {}
    for n, layer in enumerate(layers):
        n_out, n_in, n_basis = layer["coef"].shape
        by_edge = layer_type == "base"
        state |= {
            f"layers.{n}.grid": np.array([layer["knots"][i] for _ in range(n_out) for i in range(n_in)])
            if by_edge
            else layer["knots"],
            f"layers.{n}.c_basis": layer["coef"].reshape(n_out * n_in, n_basis) if by_edge else layer["coef"],
            f"layers.{n}.c_res": layer["base"],
            f"layers.{n}.c_spl": layer["spline"],
        }
    return state


# --- from their arrays


@pytest.mark.parametrize("base", BASES)
def test_a_pykan_model_with_scaled_and_shifted_nodes_is_the_same_network(base):
    rng, widths, k = RNG(1), (2, 3, 2), 2
    layers, x = drawn(rng, widths, k=k), rng.uniform(-1.0, 1.0, (7, 2))
    state, h = as_pykan(layers), x
    for n, layer in enumerate(layers):
        nodes = {
            name: rng.uniform(-1.5, 1.5, widths[n + 1])
            for name in ("node_scale", "node_bias", "subnode_scale", "subnode_bias")
        }
        state |= {f"{name}_{n}": array for name, array in nodes.items()}
        h = nodes["subnode_scale"] * their_edges(layer, h, k, base).sum(axis=2) + nodes["subnode_bias"]
        h = nodes["node_scale"] * h + nodes["node_bias"]

    network = kr.from_pykan(state, base=base)

    assert network.widths == widths
    assert all(layer.degree == k and layer.base == base for layer in network.layers)
    agree(network(x), h)


@pytest.mark.parametrize("size", [1.0, 1e-6, 1e9])
def test_nodes_of_pykan_that_multiply_two_sums_are_differences_of_squares(size):
    """KAN(width=[2, [1, 2], [0, 1]]), with scales and biases of sums and of nodes."""
    rng, k = RNG(20), 2
    layers = drawn(rng, (2, 5), k=k) + drawn(rng, (3, 2), k=k)
    layers[1]["knots"] *= 1e3  # so that all hidden values lie on the grid
    state, h = as_pykan(layers), rng.uniform(-1.0, 1.0, (7, 2))
    x = h
    for n, (n_sums, n_plain) in enumerate(((5, 1), (2, 0))):
        n_nodes = n_plain + (n_sums - n_plain) // 2
        inner, shift = rng.uniform(0.5, 1.5, n_sums), rng.normal(size=n_sums)
        inner[1::2], shift[1::2] = size * inner[1::2], size * shift[1::2]
        scale, bias = rng.uniform(0.5, 1.5, n_nodes), rng.normal(size=n_nodes)
        scale[n_plain:] /= size  # one of two factors has this size, the product has size one
        state |= {f"subnode_scale_{n}": inner, f"subnode_bias_{n}": shift}
        state |= {f"node_scale_{n}": scale, f"node_bias_{n}": bias}
        sums = inner * their_edges(layers[n], h, k).sum(axis=2) + shift
        nodes = [sums[:, j] for j in range(n_plain)]
        nodes += [sums[:, j] * sums[:, j + 1] for j in range(n_plain, n_sums, 2)]
        h = scale * np.column_stack(nodes) + bias

    network = kr.from_pykan(state)

    assert network.widths == (2, 5, 5, 3, 2, 2, 1)
    agree(network(x), h)


def test_products_of_three_are_refused():
    state = as_pykan(drawn(RNG(0), (2, 3)))
    state |= {"node_scale_0": np.ones(1), "node_bias_0": np.zeros(1)}

    for options in ({}, {"mult_arity": 3}):
        with pytest.raises(ValueError, match=r"state has 3 sums|^mult_arity is 3"):
            kr.from_pykan(state, **options)


def test_masks_of_pykan_are_read_as_input_by_output():
    layers, x = drawn(RNG(2), (2, 2)), RNG(3).uniform(-1.0, 1.0, (5, 2))
    state = as_pykan(layers) | {"act_fun.0.mask": np.array([[1.0, 0.0], [1.0, 1.0]])}  # dead: from input 0 to output 1
    edges = their_edges(layers[0], x, 2)
    edges[:, 1, 0] = 0.0

    agree(kr.from_pykan(state)(x), edges.sum(axis=2))


@pytest.mark.parametrize(
    ("theirs", "ours"), [("sin", "sin"), ("x^2", "x^2"), ("x^0.5", "sqrt"), ("1/sqrt(x)", "1/sqrt"), ("0", "0")]
)
def test_formulas_of_pykan_keep_their_affine_map_and_follow_the_scale_of_their_node(theirs, ours):
    layers, x = drawn(RNG(4), (2, 3)), RNG(5).uniform(-1.0, 1.0, (5, 2))
    a, b, c, d, scale = 0.5, 2.0, -1.5, 0.25, -2.0
    mask, symbolic, affine, names = (
        np.ones((2, 3)),
        np.zeros((3, 2)),
        np.zeros((3, 2, 4)),
        [["0", "0"], ["0", "0"], ["0", theirs]],
    )
    mask[1, 2], symbolic[2, 1], affine[2, 1] = 0.0, 1.0, (a, b, c, d)
    state = as_pykan(layers) | {
        "act_fun.0.mask": mask,
        "symbolic_fun.0.mask": symbolic,
        "symbolic_fun.0.affine": affine,
    }
    state["node_scale_0"] = np.array([1.0, 1.0, scale])
    edges = their_edges(layers[0], x, 2)
    edges[:, 2, 1] = c * LIBRARY[ours].f(a * x[:, 1] + b) + d

    network = kr.from_pykan(state, formulas=[names])

    assert [(edge.output, edge.input, edge.name) for edge in network.layers[0].symbolic] == [(2, 1, ours)]
    agree(network(x), edges.sum(axis=2) * state["node_scale_0"])


def test_an_efficient_kan_is_the_same_network_also_beyond_its_grids():
    layers, x = drawn(RNG(6), (2, 3, 1)), RNG(7).uniform(-3.0, 3.0, (9, 2))
    state, h = {}, x
    for n, layer in enumerate(layers):
        state |= {f"layers.{n}.{theirs}": layer[own] for theirs, own in
                  {"grid": "knots", "spline_weight": "coef", "base_weight": "base", "spline_scaler": "spline"}.items()}  # fmt: skip
        h = their_edges(layer, h, 2).sum(axis=2)

    agree(kr.from_efficient_kan(state)(x), h)


def test_without_a_scaler_the_splines_of_efficient_kan_have_the_weight_1():
    state = kr.to_efficient_kan(random_network(RNG(8), base="silu"))
    bare = {name: array for name, array in state.items() if not name.endswith("scaler")}
    ones = {name: np.ones_like(array) if name.endswith("scaler") else array for name, array in state.items()}

    assert all((layer.w_spline == 1.0).all() for layer in kr.from_efficient_kan(bare).layers)
    np.testing.assert_array_equal(kr.from_efficient_kan(bare).theta, kr.from_efficient_kan(ones).theta)


@pytest.mark.parametrize("layer_type", ["base", "spline"])
def test_a_jaxkan_with_biases_is_the_same_network_on_its_grids(layer_type):
    rng, widths = RNG(9), (2, 3, 2)
    layers, x = drawn(rng, widths), rng.uniform(-1.0, 1.0, (7, 2))
    state, h = as_jaxkan(layers, layer_type), x
    for n, layer in enumerate(layers):
        state[f"layers.{n}.bias"] = rng.normal(size=widths[n + 1])
        h = their_edges(layer, h, 2).sum(axis=2) + state[f"layers.{n}.bias"]

    agree(kr.from_jaxkan(state)(x), h)


@pytest.mark.parametrize("layer_type", ["base", "spline"])
def test_what_a_jaxkan_does_not_have_is_nothing_or_1(layer_type):
    (layer,) = drawn(RNG(10), (2, 3))
    x = RNG(11).uniform(-1.0, 1.0, (4, 2))
    state = as_jaxkan([layer], layer_type) | {"layers.0.bias": np.zeros(3), "layers.0.c_res": None}
    plain = {name: array for name, array in state.items() if name != "layers.0.c_spl"}

    agree(kr.from_jaxkan(state)(x), their_edges(layer | {"base": np.zeros((3, 2))}, x, 2).sum(axis=2))
    bare = layer | {"base": np.zeros((3, 2)), "spline": np.ones((3, 2))}
    agree(kr.from_jaxkan(plain)(x), their_edges(bare, x, 2).sum(axis=2))


# --- there and back


@given(seeds, st.sampled_from(BASES))
def test_pykan_gives_back_every_number_and_every_mask_bit_for_bit(seed, base):
    network = random_network(RNG(seed), base=base)
    if base == "zero":  # what their model would never use is not kept
        network = kr.Network(tuple(replace(layer, w_base=0.0 * layer.w_base) for layer in network.layers))

    again = kr.from_pykan(kr.to_pykan(network), base=base)

    np.testing.assert_array_equal(again.theta, network.theta)
    for one, other in zip(again.layers, network.layers, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.knots, other.knots)
        assert (one.degree, one.base) == (other.degree, other.base)


WAYS = {
    "efficient-kan": (kr.from_efficient_kan, kr.to_efficient_kan),
    "jaxkan base": (kr.from_jaxkan, lambda network: kr.to_jaxkan(network, layer_type="base")),
    "jaxkan spline": (kr.from_jaxkan, lambda network: kr.to_jaxkan(network, layer_type="spline")),
}


@pytest.mark.parametrize("way", WAYS)
@given(seeds)
def test_libraries_without_masks_give_back_active_edges_bit_for_bit_and_dead_ones_with_weights_0(way, seed):
    from_state, to_state = WAYS[way]
    network = random_network(RNG(seed), base="silu")
    x = RNG(seed).uniform(-3.0, 3.0, (4, network.widths[0]))

    again = from_state(to_state(network))

    for one, other in zip(again.layers, network.layers, strict=True):
        np.testing.assert_array_equal(one.coef, other.coef)
        np.testing.assert_array_equal(one.w_base, other.w_base * other.mask)
        np.testing.assert_array_equal(one.w_spline, other.w_spline * other.mask)
        np.testing.assert_array_equal(one.knots, other.knots)
    np.testing.assert_array_equal(again(x), network(x))


@pytest.mark.parametrize("library", ["pykan", "jaxkan"])
def test_a_constant_of_pruning_goes_into_their_bias_and_comes_back(library):
    network = kr.mask_edges(random_network(RNG(17), widths=(2, 2), base="silu", dead=0.0), 0, [[1, 1], [0, 0]])
    network = kr.fix_symbolic(network, 0, output=1, input=0, name="0", affine=(1.0, 0.0, 1.0, 0.75))
    state = {"pykan": kr.to_pykan, "jaxkan": kr.to_jaxkan}[library](network)
    again = {"pykan": kr.from_pykan, "jaxkan": kr.from_jaxkan}[library](state)
    x = network.layers[0].breakpoints[:, [0, -1]].T

    np.testing.assert_array_equal(state[{"pykan": "node_bias_0", "jaxkan": "layers.0.bias"}[library]], [0.0, 0.75])
    agree(again(x), network(x))


@pytest.mark.parametrize("to_state", [kr.to_pykan, kr.to_efficient_kan, kr.to_jaxkan])
def test_states_are_copies_in_memory_of_their_own(to_state):
    network = random_network(RNG(18), base="silu")
    before = network.theta.copy()

    for array in to_state(network).values():
        assert array.flags.writeable
        assert array.flags.c_contiguous
        array += 1.0

    np.testing.assert_array_equal(network.theta, before)


def test_names_and_shapes_are_those_of_the_libraries():
    network = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    shapes = {name: array.shape for name, array in kr.to_pykan(network).items()}
    edges, plain = kr.to_jaxkan(network), kr.to_jaxkan(network, layer_type="spline")

    assert len(shapes) == 22
    assert {name: shape for name, shape in shapes.items() if "0" in name} == {
        "act_fun.0.grid": (2, 11), "act_fun.0.coef": (2, 3, 7), "act_fun.0.mask": (2, 3), "act_fun.0.scale_base": (2, 3),
        "act_fun.0.scale_sp": (2, 3), "symbolic_fun.0.mask": (3, 2), "symbolic_fun.0.affine": (3, 2, 4), "node_scale_0": (3,),
        "node_bias_0": (3,), "subnode_scale_0": (3,), "subnode_bias_0": (3,),
    }  # fmt: skip
    assert {name: array.shape for name, array in kr.to_efficient_kan(network).items() if "0" in name} == {
        "layers.0.grid": (2, 11), "layers.0.spline_weight": (3, 2, 7), "layers.0.base_weight": (3, 2), "layers.0.spline_scaler": (3, 2)
    }  # fmt: skip
    assert (edges["layers.0.grid"].shape, edges["layers.0.c_basis"].shape) == ((6, 11), (6, 7))
    assert (plain["layers.0.grid"].shape, plain["layers.0.c_basis"].shape) == ((2, 11), (3, 2, 7))
    assert all(
        state["layers.1.bias"].shape == (1,) and state["layers.0.c_res"].shape == (3, 2) for state in (edges, plain)
    )


# --- the program that asks the libraries themselves


@pytest.mark.parametrize(("error", "status"), [(1e-15, 0), (1e-9, 1)])
def test_the_program_tells_errors_and_who_is_not_installed(error, status, monkeypatch, capsys):
    toys = {
        "toy": (("json",), lambda rng: iter([("from_toy", error)])),
        "absent": (("json", "kan_ref_no_such_module"), None),
    }
    monkeypatch.setattr(program, "LIBRARIES", toys)

    assert program.main([]) == status
    said = capsys.readouterr().out
    assert "absent: not installed: kan_ref_no_such_module" in said
    assert f"{error:.1e}" in said
    assert ("above the bar" in said) == (status == 1)
    assert said.endswith("1 measured, bar 1e-12\n")


# --- what cannot be converted


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"act_fun.0.coef": np.zeros((2, 3, 2))}, "layer 0"),
        ({"act_fun.1.coef": None}, "act_fun.1.coef"),
        ({"biases.0.weight": np.zeros(3)}, "biases.0.weight"),
        ({"act_fun.0.scale_sp": np.zeros((3, 2))}, "act_fun.0.scale_sp"),
        ({"act_fun.0.mask": np.full((2, 3), 0.5)}, "layer 0: mask"),
        ({"act_fun.0.mask": 1.0 - np.eye(2, 3), "symbolic_fun.0.mask": np.eye(3, 2)}, "formulas"),
        ({"symbolic_fun.0.mask": np.eye(3, 2)}, "layer 0"),
    ],
)
def test_a_state_of_pykan_that_is_not_whole_is_refused(changes, named):
    state = kr.to_pykan(random_network(RNG(0), widths=(2, 3, 1), base="silu"))

    with pytest.raises(ValueError, match=named):
        kr.from_pykan(state | changes)


def test_edges_of_a_jaxkan_without_a_number_of_outputs_are_refused():
    state = as_jaxkan(drawn(RNG(10), (2, 3)), "base")
    bare = {name: state[name] for name in ("layers.0.grid", "layers.0.c_basis")}

    with pytest.raises(ValueError, match=r"layers\.0\.bias"):
        kr.from_jaxkan(bare)
    assert kr.from_jaxkan(bare | {"layers.0.bias": np.zeros(3)}).widths == (2, 3)


def test_layers_that_do_not_follow_one_another_are_refused():
    first, other = (
        kr.to_pykan(random_network(RNG(0), widths=widths, base="silu")) for widths in ((2, 4, 1), (2, 3, 1))
    )
    state = other | {name: array for name, array in first.items() if "0" in name}

    with pytest.raises(ValueError, match="4 outputs in layer 0, but 3 inputs"):
        kr.from_pykan(state)


@pytest.mark.parametrize("to_state", [kr.to_pykan, kr.to_efficient_kan, kr.to_jaxkan])
def test_symbolic_edges_are_refused_and_unfixed_ones_are_not(to_state):
    net = random_network(RNG(0), widths=(2, 1), base="silu", dead=0.0)
    net = kr.fix_symbolic(net, 0, output=0, input=1, name="sin")

    with pytest.raises(ValueError, match=r"'sin' from input 1 to output 0 .*unfix_symbolic"):
        to_state(net)
    to_state(kr.unfix_symbolic(net, 0, output=0, input=1))
