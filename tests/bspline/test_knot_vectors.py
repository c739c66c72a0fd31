"""Prepared knot vectors, and the interval of each point by the half-open interval convention."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import degrees, knot_rows, points_anywhere

from kan_ref.bspline.evaluation import find_intervals
from kan_ref.bspline.knot_vectors import prepare_knots
from kan_ref.bspline.knots import uniform_knots


@st.composite
def vectors_with_points(draw):
    """A degree, one knot vector, and points between its first and its last knot."""
    degree = draw(degrees())
    row = draw(knot_rows(degree))
    return degree, row, np.clip(draw(points_anywhere(row)), row[0], row[-1])


@given(vectors_with_points())
def test_a_point_lies_in_its_interval_or_at_the_right_end_of_the_last_one(case):
    degree, row, x = case

    mu, around = find_intervals(prepare_knots(row[None].copy(), degree), x[None])

    reach = max(degree, 1)
    left, right = row[mu[0]], row[mu[0] + 1]
    assert (left < right).all()
    assert ((left <= x) & ((x < right) | ((x == row[-1]) & (right == row[-1])))).all()
    np.testing.assert_array_equal(around[reach - 1, 0], left)
    np.testing.assert_array_equal(around[reach, 0], right)


@given(vectors_with_points())
def test_the_knots_around_an_interval_are_those_of_the_vector_continued_by_copies_of_its_ends(case):
    degree, row, x = case
    reach = max(degree, 1)

    mu, around = find_intervals(prepare_knots(row[None].copy(), degree), x[None])

    places = np.clip(mu[0] + np.arange(1 - reach, reach + 1)[:, None], 0, len(row) - 1)
    np.testing.assert_array_equal(around[:, 0], row[places])


def test_division_and_bisection_find_the_same_intervals_at_and_beside_the_knots():
    knots = uniform_knots([-1.0, 0.1], [1.0, 0.7], 37, 3)
    points = np.concatenate([knots, np.nextafter(knots, 9.0), np.nextafter(knots, -9.0)], axis=1)
    points = np.clip(points, knots[:, :1], knots[:, -1:])
    divided = prepare_knots(knots.copy(), 3)
    bisected = prepare_knots(np.concatenate([knots, [[0.0] + 43 * [1.0]]]), 3)

    assert divided.intervals_per_unit is not None
    assert bisected.intervals_per_unit is None
    expected, _ = find_intervals(bisected, points, slice(0, 2))
    found, _ = find_intervals(divided, points)

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("shift", "even"), [(0.24, True), (0.26, False)])
def test_knots_count_as_evenly_spaced_to_a_quarter_of_an_interval(shift, even):
    knots = np.arange(8.0)[None]
    knots[0, 3] += shift

    vectors = prepare_knots(knots, 2)

    assert (vectors.intervals_per_unit is not None) is even
    assert vectors.n_basis == 5
    assert not any(
        array.flags.writeable for array in vars(vectors).values() if isinstance(array, np.ndarray)
    )
