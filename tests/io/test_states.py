"""Networks from the arrays of other libraries and back, compared with loops written from their formulas."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import BASES, random_network, seeds
from oracles_layer import base_value, bspline

import kan_ref as kr
from benchmarks import states as program
from kan_ref.functions.library import LIBRARY

RNG = np.random.default_rng
GRIDS = (-1.0, 1.0), (-50.0, 50.0), (-900.0, 900.0)


def close(one, other):
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
            0.1
            * (high - low)
            / n_intervals
            * rng.uniform(-1.0, 1.0, knots[:, k + 1 : -k - 1].shape)
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
        found[b, j, i] = (
            layer["base"][j, i] * base_value(base, float(x[b, i])) + layer["spline"][j, i] * curve
        )
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
            f"layers.{n}.grid": np.array(
                [layer["knots"][i] for _ in range(n_out) for i in range(n_in)]
            )
            if by_edge
            else layer["knots"],
            f"layers.{n}.c_basis": layer["coef"].reshape(n_out * n_in, n_basis)
            if by_edge
            else layer["coef"],
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
        h = (
            nodes["subnode_scale"] * their_edges(layer, h, k, base).sum(axis=2)
            + nodes["subnode_bias"]
        )
        h = nodes["node_scale"] * h + nodes["node_bias"]

    network = kr.from_pykan(state, base=base)

    assert network.widths == widths
    assert all(layer.degree == k and layer.base == base for layer in network.layers)
    close(network(x), h)


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
    close(network(x), h)


def test_products_of_three_are_refused():
    state = as_pykan(drawn(RNG(0), (2, 3)))
    state |= {"node_scale_0": np.ones(1), "node_bias_0": np.zeros(1)}

    for options in ({}, {"mult_arity": 3}):
        with pytest.raises(ValueError, match=r"state has 3 sums|^mult_arity is 3"):
            kr.from_pykan(state, **options)


def test_masks_of_pykan_are_read_as_input_by_output():
    layers, x = drawn(RNG(2), (2, 2)), RNG(3).uniform(-1.0, 1.0, (5, 2))
    state = as_pykan(layers) | {
        "act_fun.0.mask": np.array([[1.0, 0.0], [1.0, 1.0]])
    }  # dead: from input 0 to output 1
    edges = their_edges(layers[0], x, 2)
    edges[:, 1, 0] = 0.0

    close(kr.from_pykan(state)(x), edges.sum(axis=2))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sin", "sin"), ("x^2", "x^2"), ("x^0.5", "sqrt"), ("1/sqrt(x)", "1/sqrt"), ("0", "0")],
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

    assert [(edge.output, edge.input, edge.name) for edge in network.layers[0].symbolic] == [
        (2, 1, ours)
    ]
    close(network(x), edges.sum(axis=2) * state["node_scale_0"])


def test_an_efficient_kan_is_the_same_network_also_beyond_its_grids():
    layers, x = drawn(RNG(6), (2, 3, 1)), RNG(7).uniform(-3.0, 3.0, (9, 2))
    state, h = {}, x
    for n, layer in enumerate(layers):
        state |= {f"layers.{n}.{theirs}": layer[own] for theirs, own in
                  {"grid": "knots", "spline_weight": "coef", "base_weight": "base", "spline_scaler": "spline"}.items()}  # fmt: skip
        h = their_edges(layer, h, 2).sum(axis=2)

    close(kr.from_efficient_kan(state)(x), h)


def test_without_a_scaler_the_splines_of_efficient_kan_have_the_weight_1():
    state = kr.to_efficient_kan(random_network(RNG(8), base="silu"))
    bare = {name: array for name, array in state.items() if not name.endswith("scaler")}
    ones = {
        name: np.ones_like(array) if name.endswith("scaler") else array
        for name, array in state.items()
    }

    assert all((layer.w_spline == 1.0).all() for layer in kr.from_efficient_kan(bare).layers)
    np.testing.assert_array_equal(
        kr.from_efficient_kan(bare).theta, kr.from_efficient_kan(ones).theta
    )


@pytest.mark.parametrize("layer_type", ["base", "spline"])
def test_a_jaxkan_with_biases_is_the_same_network_on_its_grids(layer_type):
    rng, widths = RNG(9), (2, 3, 2)
    layers, x = drawn(rng, widths), rng.uniform(-1.0, 1.0, (7, 2))
    state, h = as_jaxkan(layers, layer_type), x
    for n, layer in enumerate(layers):
        state[f"layers.{n}.bias"] = rng.normal(size=widths[n + 1])
        h = their_edges(layer, h, 2).sum(axis=2) + state[f"layers.{n}.bias"]

    close(kr.from_jaxkan(state)(x), h)


@pytest.mark.parametrize("layer_type", ["base", "spline"])
def test_what_a_jaxkan_does_not_have_is_nothing_or_1(layer_type):
    (layer,) = drawn(RNG(10), (2, 3))
    x = RNG(11).uniform(-1.0, 1.0, (4, 2))
    state = as_jaxkan([layer], layer_type) | {"layers.0.bias": np.zeros(3), "layers.0.c_res": None}
    plain = {name: array for name, array in state.items() if name != "layers.0.c_spl"}

    close(
        kr.from_jaxkan(state)(x), their_edges(layer | {"base": np.zeros((3, 2))}, x, 2).sum(axis=2)
    )
    bare = layer | {"base": np.zeros((3, 2)), "spline": np.ones((3, 2))}
    close(kr.from_jaxkan(plain)(x), their_edges(bare, x, 2).sum(axis=2))


# --- there and back


@given(seeds, st.sampled_from(BASES))
def test_pykan_gives_back_every_number_and_every_mask_bit_for_bit(seed, base):
    network = random_network(RNG(seed), base=base)
    if base == "zero":  # what their model would never use is not kept
        network = kr.Network(
            tuple(replace(layer, w_base=0.0 * layer.w_base) for layer in network.layers)
        )

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
def test_libraries_without_masks_give_back_active_edges_bit_for_bit_and_dead_ones_with_weights_0(
    way, seed
):
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
    network = kr.mask_edges(
        random_network(RNG(17), widths=(2, 2), base="silu", dead=0.0), 0, [[1, 1], [0, 0]]
    )
    network = kr.fix_symbolic(network, 0, output=1, input=0, name="0", affine=(1.0, 0.0, 1.0, 0.75))
    state = {"pykan": kr.to_pykan, "jaxkan": kr.to_jaxkan}[library](network)
    again = {"pykan": kr.from_pykan, "jaxkan": kr.from_jaxkan}[library](state)
    x = network.layers[0].breakpoints[:, [0, -1]].T

    np.testing.assert_array_equal(
        state[{"pykan": "node_bias_0", "jaxkan": "layers.0.bias"}[library]], [0.0, 0.75]
    )
    close(again(x), network(x))


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
        state["layers.1.bias"].shape == (1,) and state["layers.0.c_res"].shape == (3, 2)
        for state in (edges, plain)
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
        kr.to_pykan(random_network(RNG(0), widths=widths, base="silu"))
        for widths in ((2, 4, 1), (2, 3, 1))
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
