"""Prepared knot vectors, and the interval of each point by the half-open interval convention."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import degrees, knot_rows, points_anywhere, seeds

from kan_ref.bspline.evaluation import find_intervals
from kan_ref.bspline.knots import breakpoints, prepare_knots, uniform_knots
from kan_ref.bspline.refined_grids import interpolate_in_rank, keep_outer_knots


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

    assert divided.bins_per_unit is not None
    assert divided.interval_of_bin is None
    assert bisected.bins_per_unit is None
    expected, _ = find_intervals(bisected, points, slice(0, 2))
    found, _ = find_intervals(divided, points)

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("shift", "even"), [(0.24, True), (0.26, False), (-0.24, True), (-0.26, False)]
)
def test_knots_count_as_evenly_spaced_to_a_quarter_of_an_interval(shift, even):
    knots = np.arange(8.0)[None]
    knots[0, 3] += shift

    vectors = prepare_knots(knots, 2)

    assert (vectors.bins_per_unit is not None) is even
    assert vectors.n_basis == 5
    assert not any(
        array.flags.writeable for array in vars(vectors).values() if isinstance(array, np.ndarray)
    )


@for_all("factor", [2, 3, 40])
@for_all("degree", range(6))
def test_outer_knots_farther_apart_than_the_grid_are_found_by_division_too(degree, factor):
    coarse = uniform_knots([-1.0, 0.1], [1.0, 0.7], 5, degree)
    grid = interpolate_in_rank(breakpoints(coarse, degree), 5 * factor)
    knots = keep_outer_knots(coarse, grid, degree)
    rng = np.random.default_rng(degree)
    between = rng.uniform(knots[:, :1], knots[:, -1:], (2, 500))
    points = np.concatenate(
        [between, knots, np.nextafter(knots, 9.0), np.nextafter(knots, -9.0)], axis=1
    )
    points = np.clip(points, knots[:, :1], knots[:, -1:])

    vectors = prepare_knots(knots, degree)
    mu, _ = find_intervals(vectors, points)

    assert vectors.bins_per_unit is not None
    assert (vectors.interval_of_bin is None) is (degree == 0)
    for row, own, found in zip(knots, points, mu, strict=True):
        expected = np.searchsorted(row, own, side="right") - 1
        np.testing.assert_array_equal(found, np.minimum(expected, len(row) - 2))


@given(
    seeds,
    st.integers(0, 5),
    st.integers(1, 6),
    st.lists(st.sampled_from([0, 1, 2, 3, 7]), min_size=10, max_size=10),
    st.floats(0.0, 0.3),
)
def test_every_spacing_of_outer_knots_gives_the_intervals_of_bisection(
    seed, degree, n_intervals, steps, jitter
):
    """Outer knots repeated, farther apart, or beside the edges of bins."""
    rng = np.random.default_rng(seed)
    left = -np.cumsum(steps[:degree])[::-1]
    right = n_intervals + np.cumsum(steps[5 : 5 + degree])
    row = np.concatenate([left, np.arange(n_intervals + 1.0), right]) - 3.7
    row = np.sort(row + jitter * rng.uniform(-1, 1, len(row)) * (np.diff(row, prepend=-99) > 0))
    points = np.concatenate([rng.uniform(row[0], row[-1], 50), row])

    mu, around = find_intervals(prepare_knots(row[None].copy(), degree), points[None])

    filled = np.flatnonzero(np.diff(row) > 0)
    expected = np.clip(np.searchsorted(row, points, side="right") - 1, filled[0], filled[-1])
    np.testing.assert_array_equal(mu[0], expected)
    np.testing.assert_array_equal(around[max(degree, 1) - 1, 0], row[expected])


@for_all(
    ("left", "right", "divided"),
    [
        (1.0, 1.0, True),
        (1e9, 1.0, False),
        (1.0, 1e9, False),
        (1e9, 1e9, False),
        (16 * 8 - 6, 1.0, True),
        (16 * 8 - 5, 1.0, False),
        (1.0, 16 * 8 - 6, True),
        (1.0, 16 * 8 - 5, False),
    ],
)
@for_all("unit", [1.0, 2.0**-7, 2.0**7, 2.0**-990])
def test_a_table_is_made_for_at_most_16_bins_for_each_knot(left, right, divided, unit):
    """8 knots, the inner ones one unit apart; the smallest unit is 1e-298."""
    knots = unit * np.concatenate([[-left], np.arange(6.0), [5.0 + right]])[None]

    vectors = prepare_knots(knots, 1)

    assert (vectors.bins_per_unit is not None) is divided
    mu, _ = find_intervals(vectors, unit * np.array([[-left / 2, 0.5, 5.0 + right / 2]]))
    np.testing.assert_array_equal(mu, [[0, 1, 6]])


@pytest.mark.parametrize("shift", [0.0, 0.2, -0.2])
@pytest.mark.parametrize("outer", ["even", "far"])
def test_vectors_of_several_inputs_stand_side_by_side(shift, outer):
    """Tables of different lengths, or none; knots beside the edges of bins; points at and beside all knots."""
    inner = np.arange(6.0)
    inner[2] += shift
    ends = {"even": [(-1.0, 6.0)] * 3, "far": [(-1.0, 6.0), (-3.0, 9.0), (-2.0, 8.0)]}[outer]
    rows = zip(ends, [0.0, 100.0, -7.0], strict=True)
    knots = np.array([np.array([low, *inner, high]) + place for (low, high), place in rows])
    near = np.concatenate([knots, np.nextafter(knots, 1e9), np.nextafter(knots, -1e9)], axis=1)
    points = np.concatenate([np.linspace(knots[:, 0], knots[:, -1], 43, axis=1), near], axis=1)
    points = np.clip(points, knots[:, :1], knots[:, -1:])

    vectors = prepare_knots(knots, 1)
    mu, around = find_intervals(vectors, points)

    assert vectors.bins_per_unit is not None
    assert (vectors.interval_of_bin is None) is (outer == "even")
    for row, own, found, sides in zip(knots, points, mu, around.swapaxes(0, 1), strict=True):
        expected = np.minimum(np.searchsorted(row, own, side="right") - 1, len(row) - 2)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(sides, [row[expected], row[expected + 1]])


@pytest.mark.parametrize("n_left", [0, 2])
@pytest.mark.parametrize("n_right", [0, 2])
def test_knots_repeated_at_the_ends_of_an_even_grid_are_found_by_division(n_left, n_right):
    knots = np.concatenate([n_left * [-1.0], np.arange(-1.0, 7.0), n_right * [6.0]])[None]
    degree = 3

    vectors = prepare_knots(knots, degree)
    mu, _ = find_intervals(vectors, np.array([[-1.0, 0.25, 5.5, 6.0]]))

    assert vectors.bins_per_unit is not None
    np.testing.assert_array_equal(mu - n_left, [[0, 1, 6, 6]])


def test_one_row_of_knots_that_are_not_even_sends_all_to_bisection():
    """An inner knot that repeats, one off by a quarter, an outer knot between bins or too far out, and intervals of 1e-300."""
    even = np.arange(8.0)
    assert (3.0 * 1e-300) / 3.0 == 1e-300
    for row in (
        np.array([0.0, 1.0, 2.0, 2.0, 4.0, 5.0, 6.0, 7.0]),
        even + 0.25 * (even == 3.0),
        even - 0.5 * (even == 0.0),
        even - 200.0 * (even == 0.0),
        1e-300 * (even - 2.0),
    ):
        for rows in ([even, row], [row, even]):
            assert prepare_knots(np.array(rows), 2).bins_per_unit is None
    assert prepare_knots(np.array([even, 2.0 * even]), 2).bins_per_unit is not None
