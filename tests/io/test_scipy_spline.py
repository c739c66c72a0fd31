"""Edges as SciPy splines."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from networks import network_cases, random_layer
from scipy.interpolate import BSpline

import kan_ref as kr
from kan_ref import bspline

RNG = np.random.default_rng


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


def test_derivative_and_integral_of_the_spline_are_those_of_the_bases():
    network, row = one_edge(3, "uneven")
    spline = kr.to_scipy(network, 0, output=0, input=0)
    a, b = network.layers[0].breakpoints[0, [0, -1]]
    x = np.linspace(a, b, 50)

    slopes = bspline.basis(x[:, None], row[None], 3, derivative=1)[:, 0] @ spline.c
    area = bspline.basis_integral(row[None], 3, a, b)[0] @ spline.c

    np.testing.assert_allclose(spline.derivative()(x), slopes, rtol=0.0, atol=1e-12)
    assert spline.integrate(a, b) == pytest.approx(area, abs=1e-13)


def test_a_dead_edge_is_the_spline_0_and_what_is_given_is_a_copy():
    dead, _ = one_edge(2, "uniform", dead=1.0)
    network, row = one_edge(2, "uniform")
    spline = kr.to_scipy(network, 0, output=0, input=0)
    before = curve(network, row)
    spline.c[:] = 7.0
    spline.t[:] += 1.0

    assert not kr.to_scipy(dead, 0, output=0, input=0).c.any()
    np.testing.assert_array_equal(curve(network, row), before)
