"""Knot vectors: uniform, extended, refined, nested and prepared ones, the interval of each point; and where grids lie for samples."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import degrees, knot_arrays, knot_rows, points_anywhere, seeds

from kan_ref.bspline.bases import basis
from kan_ref.bspline.evaluation import find_intervals
from kan_ref.bspline.knots import (
    breakpoints,
    check_knots,
    contains_breakpoints,
    extended_knots,
    keep_outer_knots,
    prepare_knots,
    refined_breakpoints,
    uniform_knots,
)
from kan_ref.bspline.placement import blended_knots, data_bounds, hidden_bounds

# --- knot vectors: uniform, extended, refined and nested ones; prepared ones, and the interval of each point; what is rejected

numbers = st.floats(-1e3, 1e3)


@st.composite
def grids(draw, repeats=False):
    """Breakpoints (n_in, G + 1), unevenly spaced; with `repeats`, some inner ones are repeated."""
    n_in, n = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    gap = st.one_of(st.just(0.0), st.floats(0.01, 1.0)) if repeats else st.floats(0.01, 1.0)
    gaps = draw(arrays(float, (n_in, n), elements=gap))
    gaps[:, 0] += 0.01
    return draw(st.sampled_from([1.0, 1e-4, 1e5])) * (
        draw(st.floats(-2.0, 2.0)) + np.cumsum(np.hstack([0 * gaps[:, :1], gaps]), axis=1)
    )


# --- uniform knot vectors


@given(arrays(float, (3,), elements=numbers), st.floats(1e-3, 1e3), st.integers(1, 50), degrees())
def test_uniform_rows_are_even_and_both_ends_of_the_grid_are_exact(low, width, n_intervals, degree):
    high = low + width

    knots = uniform_knots(low, high, n_intervals, degree)

    assert knots.shape == (3, n_intervals + 2 * degree + 1)
    np.testing.assert_array_equal(breakpoints(knots, degree)[:, [0, -1]], np.stack([low, high], axis=1))
    ideal = low[:, None] + (high - low)[:, None] * (np.arange(-degree, n_intervals + degree + 1) / n_intervals)
    np.testing.assert_allclose(knots, ideal, rtol=0, atol=4e-16 * np.abs(knots).max())


# --- outer knots


@given(grids(repeats=True), degrees())
def test_outer_knots_continue_with_the_mean_interval_and_the_grid_stays_inside_bit_for_bit(grid, degree):
    knots = extended_knots(grid, degree)

    np.testing.assert_array_equal(breakpoints(knots, degree), grid)
    h = (grid[:, -1:] - grid[:, :1]) / (grid.shape[1] - 1)
    atol = 4e-16 * np.abs(knots).max()
    np.testing.assert_allclose(np.diff(knots[:, : degree + 1]), np.repeat(h, degree, axis=1), rtol=0, atol=atol)
    np.testing.assert_allclose(
        np.diff(knots[:, knots.shape[1] - degree - 1 :]), np.repeat(h, degree, axis=1), rtol=0, atol=atol
    )


# --- input validation


@for_all("degree", [0, 1, 2])
def test_a_finer_grid_keeps_the_outer_knots_that_it_is_given(degree):
    knots, grid = np.arange(3.0 + 2 * degree)[None], degree + np.linspace(0.0, 2.0, 5)[None]

    found = keep_outer_knots(knots, grid, degree)

    expected = [*range(degree), *grid[0], *range(degree + 3, 3 + 2 * degree)]
    np.testing.assert_array_equal(found, [expected])


@given(degrees().flatmap(lambda degree: st.tuples(st.just(degree), knot_arrays(degree))))
def test_rows_of_every_kind_pass_the_door_unchanged(case):
    degree, rows = case

    assert check_knots("knots", rows, degree) is rows


@for_all(
    ("rows", "degree"),
    [
        ([[0.0, 1.0], [0.0, 1.0], [0.4, 0.35]], 0),
        ([[0.0, 1.0, 2.0]], 1),
        ([[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 2.0]], 1),
        ([[0.0, 2.0, 1.0, 3.0]], 0),
        ([[0.0, np.nan]], 0),
        ([0.0, 1.0], 0),
    ],
)
def test_rows_that_bear_no_splines_are_refused_under_the_caller_s_name(rows, degree):
    with pytest.raises(ValueError, match=r"^own name "):
        check_knots("own name", rows, degree)


@for_all(
    ("low", "high"),
    [
        (1.0, 1.0),
        ([0.0, 2.0], [1.0, 1.5]),
        ([0.0, 1.0], [1.0, np.nextafter(1.0, 2.0)]),
        ([0.0, 0.0], [1.0, 1.0, 1.0]),
        (0.0, [1.0, np.inf]),
        ([[0.0]], 1.0),
    ],
)
def test_ends_that_bear_no_uniform_row_are_refused(low, high):
    with pytest.raises(ValueError, match=r"^(low|high) "):
        uniform_knots(low, high, 5, 3)
    with pytest.raises(ValueError, match=r"^low is 2.0 and high 1.0 at input 1, but must lie below"):
        uniform_knots([0.0, 2.0], 1.0, 5, 3)


def test_one_number_serves_all_inputs():
    expected = [[-1.0, 0.0, 1.0, 2.0], [-3.0, 0.0, 3.0, 6.0]]

    np.testing.assert_array_equal(uniform_knots(0.0, [1.0, 3.0], 1, 1), expected)


# --- refinement


@given(grids(repeats=True), st.integers(1, 40))
def test_a_multiple_of_n_intervals_keeps_every_old_breakpoint_bit_for_bit(grid, factor):
    n_intervals = grid.shape[1] - 1

    finer = refined_breakpoints(grid, factor * n_intervals)

    np.testing.assert_array_equal(finer[:, ::factor], grid)
    assert contains_breakpoints(grid, finer).all()


def test_a_refined_grid_has_at_least_one_interval():
    with pytest.raises(ValueError, match="n_intervals is 0"):
        refined_breakpoints([[0.0, 1.0]], 0)


@given(grids(repeats=True), st.integers(1, 60))
def test_refined_grids_rise_keep_their_ends_and_divide_each_old_interval_evenly(grid, n_intervals):
    finer = refined_breakpoints(grid, n_intervals)

    assert finer.shape == (len(grid), n_intervals + 1)
    assert (np.diff(finer, axis=1) >= 0).all()
    np.testing.assert_array_equal(finer[:, [0, -1]], grid[:, [0, -1]])
    rank = np.arange(n_intervals + 1) * (grid.shape[1] - 1) / n_intervals
    cell = np.minimum(rank.astype(int), grid.shape[1] - 2)
    ideal = grid[:, cell] + (rank - cell) * (grid[:, cell + 1] - grid[:, cell])
    np.testing.assert_allclose(finer, ideal, rtol=0, atol=2e-15 * np.abs(grid).max())


@for_all(
    ("old", "new", "nested"),
    [
        ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], True),
        ([0.0, 1.0, 2.0], [-3.0, 0.0, 0.5, 1.0, 2.0, 9.0], True),
        ([0.0, 1.0, 2.0], [0.0, np.nextafter(1.0, 2.0), 2.0], False),
        ([0.0, 1.0, 2.0], [0.0, 1.0, 1.9], False),
        ([0.0, 1.0, 2.0], [-1.0, 1.0, 2.0], False),
        ([0.0, 1.0, 1.0, 2.0], [0.0, 0.5, 1.0, 2.0], False),
        ([0.0, 1.0, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 2.0], True),
        ([0.0, 0.0, 1.0, 2.0, 2.0], [0.0, 1.0, 2.0], True),
        ([-0.0, 1.0], [0.0, 0.5, 1.0], True),
    ],
)
def test_nested_grids_hold_every_old_breakpoint_as_often_inside_and_once_at_the_ends(old, new, nested):
    assert contains_breakpoints(np.array([old]), np.array([new])).tolist() == [nested]


def test_nesting_is_told_for_every_input_by_itself():
    assert contains_breakpoints(np.array([[0.0, 1.0], [0.0, 2.0]]), np.array([[0.0, 1.0]] * 2)).tolist() == [
        True,
        False,
    ]


# --- prepared knot vectors, and intervals of points by the half-open interval convention


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


@pytest.mark.parametrize(("shift", "even"), [(0.24, True), (0.26, False), (-0.24, True), (-0.26, False)])
def test_knots_count_as_evenly_spaced_to_a_quarter_of_an_interval(shift, even):
    knots = np.arange(8.0)[None]
    knots[0, 3] += shift

    vectors = prepare_knots(knots, 2)

    assert (vectors.bins_per_unit is not None) is even
    assert vectors.n_basis == 5
    assert not any(array.flags.writeable for array in vars(vectors).values() if isinstance(array, np.ndarray))


@given(
    seeds,
    st.integers(0, 5),
    st.integers(1, 6),
    st.lists(st.sampled_from([0, 1, 2, 3, 7]), min_size=10, max_size=10),
    st.floats(0.0, 0.3),
)
def test_every_spacing_of_outer_knots_gives_the_intervals_of_bisection(seed, degree, n_intervals, steps, jitter):
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
@for_all("unit", [1.0, 2.0**-7, 2.0**7, 2.0**-300])
def test_a_table_is_made_for_at_most_16_bins_for_each_knot(left, right, divided, unit):
    """8 knots, the inner ones one unit apart; the smallest unit is 1e-90."""
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

    vectors = prepare_knots(knots, 3)
    mu, _ = find_intervals(vectors, np.array([[-1.0, 0.25, 5.5, 6.0]]))

    assert vectors.bins_per_unit is not None
    np.testing.assert_array_equal(mu - n_left, [[0, 1, 6, 6]])


def test_one_row_of_knots_that_are_not_even_sends_all_to_bisection():
    """An inner knot that repeats, one off by a quarter, an outer knot between bins or too far out."""
    even = np.arange(8.0)
    for row in (
        np.array([0.0, 1.0, 2.0, 2.0, 4.0, 5.0, 6.0, 7.0]),
        even + 0.25 * (even == 3.0),
        even - 0.5 * (even == 0.0),
        even - 200.0 * (even == 0.0),
    ):
        for rows in ([even, row], [row, even]):
            assert prepare_knots(np.array(rows), 2).bins_per_unit is None
    assert prepare_knots(np.array([even, 2.0 * even]), 2).bins_per_unit is not None


# --- where grids lie for samples: one rule per test, and what is rejected

# --- bounds of samples


@for_all("middle", [0.0, 0.3, -1.0, 7.0, -1e5, 1e100, 1e-100])
def test_flat_samples_get_half_of_the_larger_of_1_and_the_middle_on_both_sides_and_no_pad(middle):
    low, high = data_bounds([[middle], [middle]])

    w = 0.5 * max(1.0, abs(middle))
    assert (low[0], high[0]) == (middle - w, middle + w)


@for_all(("width", "flat"), [(0.99e-9, True), (1.01e-9, False)])
@for_all("middle", [0.0, 0.5, -1e3, 1e100])
def test_flat_means_a_range_of_at_most_1e_9_of_the_larger_of_1_and_the_middle(middle, width, flat):
    half = 0.5 * width * max(1.0, abs(middle))

    low, high = data_bounds([[middle - half], [middle + half]])

    assert (high[0] - low[0] > 0.9 * max(1.0, abs(middle))) == flat


def test_input_grids_taken_from_data_reach_5_percent_beyond_them():
    low, high = data_bounds([[0.0, 5.0], [20.0, 5.0], [10.0, 5.0]])

    np.testing.assert_allclose(low, [-1.0, 2.5], rtol=1e-15)
    np.testing.assert_allclose(high, [21.0, 7.5], rtol=1e-15)


@pytest.mark.parametrize(("n_intervals", "pad"), [(1, 20.0), (5, 4.0), (19, 20.0 / 19.0), (20, 1.0), (200, 1.0)])
def test_hidden_grids_reach_one_interval_or_5_percent_beyond_the_activations_what_is_more(n_intervals, pad):
    low, high = hidden_bounds([[0.0], [20.0]], n_intervals)

    np.testing.assert_allclose([low[0], high[0]], [-pad, 20.0 + pad], rtol=1e-15)


# --- between uniform and quantiles

features = st.one_of(
    st.floats(-3.0, 3.0),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([1e100, -1e100, 0.0]),
    st.sampled_from([0.0, 1e-100]),
    st.sampled_from([1.0, np.nextafter(1.0, 2.0), 1.0 + 1e-9, 1.0 + 4e-9]),
)
samples = st.tuples(st.integers(1, 12), st.integers(1, 3)).flatmap(
    lambda shape: arrays(float, shape, elements=features.filter(lambda v: not 0 < abs(v) < 1e-100))
)


@given(samples, st.integers(2, 9), st.sampled_from([0.0, 1e-100, 0.5]), st.sampled_from([0.0, 0.5]))
def test_no_breakpoint_repeats_however_often_samples_do(x, n_intervals, share, margin):
    """A cubic with a breakpoint that occurs four times may jump there; each sample occurs 4 times here."""
    knots = blended_knots(np.repeat(x, 4, axis=0), n_intervals, 3, uniform_share=share, margin=margin)

    assert (np.diff(knots) > 0.0).all()


@for_all(
    ("values", "expected"),
    [
        # between different quantiles a repeated one has the middle of its ranks, 2 to 5
        ([0.0, 1.0, *[4.0] * 4, 7.0, 9.0], [0.0, 1.0, 2.2, 3.4, 4.6, 5.8, 7.0, 9.0]),
        ([0.0, 1.0, *[4.0] * 3, 7.0], [0.0, 1.0, 2.5, 4.0, 5.5, 7.0]),
        # ends keep the first and the last rank
        ([*[0.0] * 3, 3.0, *[5.0] * 2], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ([*[0.0] * 40, 1.0], np.arange(41) / 40),
        # rounding is no difference, and samples that differ by more stay where they are
        ([0.0, 1.0, 4.0, 4.0 + 4e-15, 4.0 - 4e-15, 7.0], [0.0, 1.0, 2.5, 4.0, 5.5, 7.0]),
        ([-7.0, -4.0, -4.0 - 4e-15, -4.0 + 4e-15, -1.0, 0.0], [-7.0, -5.5, -4.0, -2.5, -1.0, 0.0]),
        ([0.0, 1e-12, 2e-12, 4.0], [0.0, 1e-12, 2e-12, 4.0]),
    ],
)
def test_equal_quantiles_are_spread_evenly_towards_their_neighbours(values, expected):
    knots = blended_knots(np.array(values)[:, None], len(values) - 1, 0, uniform_share=0.0, margin=0.0)

    np.testing.assert_allclose(knots, [expected], rtol=1e-14, atol=0)


@given(
    arrays(float, st.tuples(st.integers(2, 30), st.integers(1, 2)), elements=st.floats(-3.0, 3.0)), st.integers(1, 9)
)
def test_share_0_puts_breakpoints_at_the_quantiles_of_the_samples(x, n_intervals):
    """NumPy's own quantiles, linear in rank, are the reference; equal samples, which are spread, are excluded."""
    x[0] -= 10.0
    x += 0.001 * np.arange(x.size).reshape(x.shape)
    quantiles = np.quantile(x, np.arange(n_intervals + 1) / n_intervals, axis=0).T
    assume((np.diff(quantiles) > 1e-12).all())

    knots = blended_knots(x, n_intervals, 0, uniform_share=0.0, margin=0.0)

    np.testing.assert_allclose(knots, quantiles, rtol=0, atol=1e-14 * np.abs(x).max())


@given(arrays(float, (8, 2), elements=numbers), st.integers(1, 9), degrees(), st.floats(0.0, 3.0))
def test_share_1_is_the_uniform_row_between_the_widened_bounds(x, n_intervals, degree, margin):
    low, high = x.min(axis=0), x.max(axis=0)
    middle, pad = 0.5 * (low + high), margin / n_intervals * (high - low)
    size = np.maximum(1.0, np.abs(middle))
    flat = high - low <= 1e-9 * size
    bounds = (np.where(flat, middle - 0.5 * size, low - pad), np.where(flat, middle + 0.5 * size, high + pad))

    knots = blended_knots(x, n_intervals, degree, uniform_share=1.0, margin=margin)

    np.testing.assert_array_equal(knots, uniform_knots(*bounds, n_intervals, degree))


@given(st.floats(0.0, 1.0))
def test_the_share_mixes_the_two_rows_breakpoint_by_breakpoint(share):
    x = np.array([[0.0], [0.5], [1.0], [2.0], [10.0]])

    uniform, quantiles, mixed = (blended_knots(x, 4, 2, uniform_share=s, margin=0.0) for s in (1.0, 0.0, share))

    np.testing.assert_array_equal(breakpoints(quantiles, 2), x.T)
    np.testing.assert_allclose(mixed, share * uniform + (1.0 - share) * quantiles, rtol=0, atol=1e-14)


def test_the_margin_counts_in_mean_intervals_and_moves_the_ends_of_quantile_rows_alone():
    x = [[0.0], [1.0], [2.0], [3.0], [8.0]]

    grid = blended_knots(x, 4, 0, uniform_share=0.0, margin=0.5)

    np.testing.assert_array_equal(grid, [[-1.0, 1.0, 2.0, 3.0, 9.0]])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_feature_that_never_changes_gets_a_uniform_row_around_it(share):
    knots = blended_knots(np.full((7, 1), 3.0), 4, 1, uniform_share=share, margin=1.0)

    np.testing.assert_array_equal(knots, uniform_knots(1.5, 4.5, 4, 1))


@for_all("values", [(0.0, 1.0), (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, *np.linspace(-1.0, 1.0, 200))])
@for_all("share", [0.0, 0.02])
def test_splines_on_the_quantiles_of_a_discrete_feature_have_no_jumps(share, values):
    """Two thirds of the samples are 0 in the last one, so that most of its quantiles are 0."""
    count = 400 if len(values) > 100 else 1
    x = np.array([*[0.0] * count, *values])[:, None]

    knots = blended_knots(x, 10, 3, uniform_share=share, margin=0.0)

    low, high = breakpoints(knots, 3)[0, [0, -1]]
    inside = np.linspace(low, high, 1001)[:, None]
    near = np.sort(np.concatenate([inside, breakpoints(knots, 3).T * (1 - 1e-9)]), axis=0)
    assert np.abs(np.diff(basis(near, knots, 3), axis=0)).max() < 0.1
    np.testing.assert_allclose(basis(inside, knots, 3).sum(axis=2), 1.0, atol=1e-14)


# --- percentiles


@for_all("wrong", [{"uniform_share": -0.1}, {"uniform_share": 1.1}, {"margin": -0.5}])
def test_shares_that_place_no_grid_are_refused(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} is "):
        blended_knots([[0.0], [1.0]], 5, 3, **{"uniform_share": 0.5, "margin": 0.0} | wrong)
