"""Networks as C code, and edges as SciPy splines.

The text in C is compiled once for all networks and compared with them.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from c_code import build, call, close, needs_compiler
from cases import for_all
from hypothesis import given
from networks import (
    KINDS,
    draws,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    with_formulas,
)
from scipy.interpolate import BSpline

import kan_ref as kr
from kan_ref.functions.library import BUILT_IN, LIBRARY
from kan_ref.network.layer import Layer

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
        (
            random_layer(
                RNG(10 * degree), 2, 3, degree=degree, n_intervals=4, kind=kind, base=base, dead=0.2
            ),
        )
    )
    for kind in KINDS
    for degree in range(6)
    for base in ("silu", "identity", "zero")
}
DEEP = {
    f"deep_{seed}": random_network(RNG(seed), degrees=range(6), widths=(3, 4, 2, 2))
    for seed in draws(12)
}
MIXED = {
    f"mixed_{seed}": with_formulas(RNG(seed), network) for seed, network in enumerate(DEEP.values())
}


def formula_network(name):
    """Return a network of two inputs whose first edge is c f(a x + b) + d."""
    net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(1))
    return kr.fix_symbolic(net, 0, output=0, input=0, name=name, affine=(0.9, 0.05, -1.7, 0.3))


FORMULAS = {
    f"formula_{number}": formula_network(name) for number, name in enumerate(sorted(BUILT_IN))
}
ALL = SINGLE | DEEP | MIXED | FORMULAS


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return all networks of this file in one text; their names keep them apart."""
    return build(
        "".join(kr.to_c(network, name=name) for name, network in ALL.items()),
        tmp_path_factory.mktemp("c"),
    )


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
    layer = random_layer(
        RNG(seed), 1, 1, degree=degree, n_intervals=5, kind=kind, base="zero", dead=dead, silent=0.0
    )
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
            [
                np.linspace(grid[0], grid[-1], 101),
                grid,
                np.nextafter(grid[1:], -9),
                np.nextafter(grid[:-1], 9),
            ]
        )
    )

    spline = kr.to_scipy(network, 0, output=0, input=0)

    assert isinstance(spline, BSpline)
    assert spline.k == degree
    np.testing.assert_array_equal(spline.t, row)
    np.testing.assert_allclose(
        spline(x), curve(network, x), rtol=0.0, atol=1e-14 * np.abs(spline.c).max()
    )


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
                found,
                edge,
                rtol=0.0,
                atol=1e-13 * (1.0 + np.abs(spline.c).max() + abs(layer.w_base[j, i])),
            )


def test_outside_the_grid_scipy_extrapolates_or_gives_nan_and_the_edge_fades():
    network, row = one_edge(3, "uniform")
    spline, x = (
        kr.to_scipy(network, 0, output=0, input=0),
        np.array([row[0] - 1.0, 0.5 * (row[1] + row[2]), row[-1] + 1.0]),
    )

    assert curve(network, x)[[0, 2]].tolist() == [0.0, 0.0]
    assert np.isnan(spline(x, extrapolate=False)).all()
    first = np.polynomial.Polynomial.fit(
        np.linspace(row[3], row[4], 9), spline(np.linspace(row[3], row[4], 9)), 3
    )
    np.testing.assert_allclose(spline(x[:2]), first(x[:2]), rtol=1e-9)
    assert abs(spline(x[1]) - curve(network, x)[1]) > 1e-3


@pytest.mark.parametrize("degree", range(6))
def test_copies_of_the_end_knots_make_scipy_fade_as_the_edge_does(degree):
    network, row = one_edge(degree, "uneven", seed=1)
    spline, nothing = kr.to_scipy(network, 0, output=0, input=0), np.zeros(degree)
    x = np.linspace(row[0] - 1.0, row[-1] + 1.0, 301)

    whole = BSpline(
        np.r_[[row[0]] * degree, row, [row[-1]] * degree], np.r_[nothing, spline.c, nothing], degree
    )

    found = np.nan_to_num(whole(x, extrapolate=False), nan=0.0)
    np.testing.assert_allclose(
        found, curve(network, x), rtol=0.0, atol=1e-14 * np.abs(spline.c).max()
    )


def test_a_dead_edge_is_the_spline_0_and_what_is_given_is_a_copy():
    dead, _ = one_edge(2, "uniform", dead=1.0)
    network, row = one_edge(2, "uniform")
    spline = kr.to_scipy(network, 0, output=0, input=0)
    before = curve(network, row)
    spline.c[:] = 7.0
    spline.t[:] += 1.0

    assert not kr.to_scipy(dead, 0, output=0, input=0).c.any()
    np.testing.assert_array_equal(curve(network, row), before)
