"""Operations on a network do not check again what its constructors have checked."""

import sys

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.network.refinement import with_knots

NETWORK = kr.init_network(
    (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
)
X = np.random.default_rng(1).uniform(-1.0, 1.0, (40, 2))


def n_checks(call):
    """Number of calls of `check_float_array` during a call."""
    found = []

    def count(frame, event, _):
        if event == "call" and frame.f_code.co_name == "check_float_array":
            found.append(frame.f_back.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(before)
    return len(found)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: kr.extend_grid(NETWORK, n_intervals=10), 0),
        (lambda: kr.extend_grid(NETWORK, X, n_intervals=8), 1),
    ],
    ids=["nested", "with samples"],
)
def test_extending_a_grid_checks_the_samples_alone(call, expected):
    assert n_checks(call) == expected


def test_a_layer_on_other_knots_computes_the_same_as_one_that_is_constructed():
    layer = NETWORK.layers[0]
    knots = kr.uniform_knots([-1.0, -2.0], [1.5, 1.0], 7, 3)
    coef = np.random.default_rng(2).normal(size=(5, 2, 10))

    moved = with_knots(layer, knots, coef)
    built = kr.Layer(
        knots, coef, layer.w_base, layer.w_spline, layer.mask, layer.degree, layer.base
    )

    np.testing.assert_array_equal(
        kr.forward(kr.Network((moved,)), X)[0], kr.forward(kr.Network((built,)), X)[0]
    )
    assert repr(moved) == repr(built)
