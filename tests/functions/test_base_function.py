"""The base functions against fifty digits, against central differences, and at the limits of float64."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles import exact_silu

from kan_ref.functions.base_function import BASE_NAMES, base_function
from kan_ref.numerics.differences import central_difference

PLACES = [
    0.0,
    5e-324,
    1e-300,
    1e-8,
    1e-3,
    0.5,
    1.0,
    1.2784645427610738,
    2.3993572805154476,
    5.0,
    17.0,
    36.8,
    40.0,
    300.0,
    700.0,
]
x_values = st.one_of(
    st.floats(-700.0, 700.0), st.floats(-8.0, 8.0), st.sampled_from(PLACES + [-x for x in PLACES])
)


def terms(x, order):
    """Sum of the absolute terms of each derivative in (F1)-(F4), which cancel near a zero of the derivative."""
    u, size = np.exp(-abs(x)), abs(x)
    s, p = (1.0 if x >= 0 else u) / (1.0 + u), u / (1.0 + u) ** 2
    tilt = 1.0 + 2.0 * s
    return (
        size * s,
        s + size * p,
        p * (2.0 + size * tilt),
        p * (3.0 * tilt + size * (1.0 + 6.0 * p)),
    )[order]


@given(x_values)
def test_silu_is_right_to_4_ulp_also_far_left_where_it_is_tiny(x):
    exact = exact_silu(x, 0)

    (got,) = base_function("silu", np.array([x]))

    assert abs(got[0] - exact) <= 4 * np.spacing(abs(float(exact)))


@given(x_values, st.integers(1, 3))
def test_derivatives_of_silu_are_right_to_1e_15_of_the_sum_of_their_terms(x, order):
    (got,) = base_function("silu", np.array([x]), derivatives=(order,))

    assert abs(got[0] - exact_silu(x, order)) <= 1e-15 * terms(x, order)


@given(x_values, st.integers(1, 3))
def test_derivatives_of_silu_are_right_to_1e_14_of_themselves_away_from_their_zeros(x, order):
    """Away: the derivative is more than a tenth of the sum of its absolute terms."""
    exact = exact_silu(x, order)

    (got,) = base_function("silu", np.array([x]), derivatives=(order,))

    if abs(exact) > 0.1 * terms(x, order):
        assert abs(got[0] - exact) <= 1e-14 * abs(exact)


@for_all("name", BASE_NAMES)
@for_all("order", [1, 2, 3])
def test_every_derivative_is_the_central_difference_of_the_one_before(name, order):
    x = np.random.default_rng(order).uniform(-9.0, 9.0, (50, 3))

    (got,) = base_function(name, x, (order,))

    difference = central_difference(
        lambda step: base_function(name, x + step, (order - 1,))[0], step=1e-5
    )
    np.testing.assert_allclose(got, difference, rtol=0, atol=2e-10)


def test_silu_by_hand():
    """silu(ln 3) = 3/4 ln 3 and silu(-ln 3) = -1/4 ln 3: the sigmoid is 3/4 and 1/4 there, p is 3/16."""
    x = np.log(3.0)

    values, slopes, seconds = base_function("silu", np.array([x, -x]), (0, 1, 2))

    np.testing.assert_allclose(values, [0.75 * x, -0.25 * x], rtol=1e-15)
    np.testing.assert_allclose(slopes, [0.75 + 3 / 16 * x, 0.25 - 3 / 16 * x], rtol=1e-15)
    np.testing.assert_allclose(seconds, [3 / 16 * (2 - x / 2), 3 / 16 * (2 - x / 2)], rtol=2e-15)


@given(st.floats(-745.0, 745.0))
def test_silu_of_x_less_silu_of_minus_x_is_x_and_the_second_derivative_is_even(x):
    values, seconds, thirds = base_function("silu", np.array([x, -x]), (0, 2, 3))

    assert values[0] - values[1] == pytest.approx(x, rel=1e-15)
    assert seconds[0] == pytest.approx(seconds[1], rel=1e-13, abs=1e-15 * terms(x, 2))
    assert thirds[0] == pytest.approx(-thirds[1], rel=1e-13, abs=1e-15 * terms(x, 3))


@pytest.mark.parametrize("name", BASE_NAMES)
def test_no_finite_x_overflows(name):
    x = np.array(
        [
            1.7e308,
            -1.7e308,
            1e308,
            -1e308,
            1e154,
            -1e154,
            710.0,
            -710.0,
            745.2,
            -745.2,
            5e-324,
            -5e-324,
            0.0,
        ]
    )

    with np.errstate(over="raise", invalid="raise", divide="raise"):
        derivatives = base_function(name, x, (0, 1, 2, 3))

    assert np.isfinite(derivatives).all()


def test_silu_is_zero_far_left_and_the_identity_far_right():
    values, slopes, seconds, thirds = base_function(
        "silu", np.array([-1e308, -1e4, 1e4, 1e308]), (0, 1, 2, 3)
    )

    np.testing.assert_array_equal(values, [0.0, 0.0, 1e4, 1e308])
    np.testing.assert_array_equal(slopes, [0.0, 0.0, 1.0, 1.0])
    assert not seconds.any()
    assert not thirds.any()


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5),
    st.lists(st.integers(0, 3), max_size=5),
    st.sampled_from(BASE_NAMES),
)
def test_orders_come_in_the_order_asked_for_and_do_not_depend_on_each_other(numbers, orders, name):
    x = np.array([numbers])

    together = base_function(name, x, orders)

    assert len(together) == len(orders)
    for order, got in zip(orders, together, strict=True):
        assert got.shape == x.shape
        np.testing.assert_array_equal(got, base_function(name, x, (order,))[0])


def test_identity_and_zero_are_what_their_names_say():
    x = np.array([[-2.0, 3.5]])

    np.testing.assert_array_equal(
        base_function("identity", x, (0, 1, 2, 3)), [x, [[1.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.0]]]
    )
    assert not np.any(base_function("zero", x, (0, 1, 2, 3)))


@pytest.mark.parametrize("name", BASE_NAMES)
def test_results_are_new_arrays_and_x_stays(name):
    x = np.array([-1.0, 0.0, 2.0])

    first, second = base_function(name, x, (0, 0))
    first[:] = 7.0

    np.testing.assert_array_equal(x, [-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(second, base_function(name, x)[0])


@pytest.mark.parametrize(
    ("name", "orders", "kind", "sentence"),
    [
        (
            "silo",
            (0,),
            ValueError,
            r"base is 'silo', but must be one of 'silu', 'identity', 'zero' \(did you mean 'silu'\?\)",
        ),
        (None, (0,), TypeError, "base is None, but must be one of 'silu', 'identity', 'zero'"),
        ("silu", (0, 4), ValueError, "order of derivative is 4, but must be between 0 and 3"),
        ("zero", (-1,), ValueError, "order of derivative is -1, but must be between 0 and 3"),
        ("identity", (1.0,), TypeError, "order of derivative is 1.0, but must be an integer"),
    ],
)
def test_unknown_names_and_orders_are_refused(name, orders, kind, sentence):
    with pytest.raises(kind, match=sentence):
        base_function(name, np.zeros(2), orders)
