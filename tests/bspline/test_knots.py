"""Where knots lie: the rules of placement, one sentence each, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import degrees, knot_arrays

from kan_ref.bspline.bases import basis
from kan_ref.bspline.knots import (
    blended_knots,
    breakpoints,
    check_knots,
    data_bounds,
    extended_knots,
    grid_bounds,
    hidden_bounds,
    is_nested,
    refined_breakpoints,
    uniform_knots,
)

numbers = st.floats(-1e3, 1e3)


@st.composite
def grids(draw, repeats=False):
    """Breakpoint rows (n_in, G + 1), uneven; with `repeats`, some inner ones stand more than once."""
    n_in, n = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    gap = st.one_of(st.just(0.0), st.floats(0.01, 1.0)) if repeats else st.floats(0.01, 1.0)
    gaps = draw(arrays(float, (n_in, n), elements=gap))
    gaps[:, 0] += 0.01
    return draw(st.sampled_from([1.0, 1e-4, 1e5])) * (
        draw(st.floats(-2.0, 2.0)) + np.cumsum(np.hstack([0 * gaps[:, :1], gaps]), axis=1)
    )


# --- uniform rows


@given(arrays(float, (3,), elements=numbers), st.floats(1e-3, 1e3), st.integers(1, 50), degrees())
def test_uniform_rows_are_even_and_both_ends_of_the_grid_are_exact(low, width, n_intervals, degree):
    high = low + width

    knots = uniform_knots(low, high, n_intervals, degree)

    assert knots.shape == (3, n_intervals + 2 * degree + 1)
    np.testing.assert_array_equal(
        breakpoints(knots, degree)[:, [0, -1]], np.stack([low, high], axis=1)
    )
    ideal = low[:, None] + (high - low)[:, None] * (
        np.arange(-degree, n_intervals + degree + 1) / n_intervals
    )
    np.testing.assert_allclose(knots, ideal, rtol=0, atol=4e-16 * np.abs(knots).max())


def test_one_number_serves_all_inputs():
    np.testing.assert_array_equal(
        uniform_knots(0.0, [1.0, 3.0], 1, 1), [[-1.0, 0.0, 1.0, 2.0], [-3.0, 0.0, 3.0, 6.0]]
    )
    np.testing.assert_array_equal(uniform_knots(np.int64(0), 1, 1, 0), [[0.0, 1.0]])


def test_a_uniform_row_of_tiny_or_huge_range_is_one_too():
    for low, high in [(0.0, 1e-300), (-1e300, 1e300), (1e16, 1e16 + 20.0), (0.0, 5e-323)]:
        knots = uniform_knots(low, high, 5, 2)

        assert (np.diff(knots) > 0).all()
        assert (knots[0, 2], knots[0, 7]) == (low, high)


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (1.0, 1.0, "low must lie below high, but they are 1.0 and 1.0 at input 0"),
        ([0.0, 2.0], [1.0, 1.5], "low must lie below high, but they are 2.0 and 1.5 at input 1"),
        (np.nan, 1.0, "low contains nan at position 0"),
        (0.0, [1.0, np.inf], "high contains inf at position 1"),
        ([0.0, 0.0], [1.0, 1.0, 1.0], r"high has shape \(3,\), but needs shape \(2,\)"),
        ([[0.0]], 1.0, r"low has shape \(1, 1\), but needs shape \(n_in,\)"),
        (
            [0.0, 1.0],
            [1.0, np.nextafter(1.0, 2.0)],
            "the range from 1.0 to 1.0000000000000002 at input 1 is too narrow for 12 different",
        ),
        (-1e308, 1e308, r"the range from -1e\+308 to 1e\+308 at input 0 is too wide"),
        (0.0, 1.7e308, r"the range from 0.0 to 1.7e\+308 at input 0 is too wide"),
    ],
)
def test_ends_that_bear_no_uniform_row_are_refused(low, high, sentence):
    with pytest.raises(ValueError, match=sentence):
        uniform_knots(low, high, 5, 3)


def test_counts_of_intervals_and_degrees_are_asked_for():
    with pytest.raises(ValueError, match="n_intervals is 0, but must be at least 1"):
        uniform_knots(0.0, 1.0, 0, 3)
    with pytest.raises(ValueError, match="degree is -1, but must be at least 0"):
        uniform_knots(0.0, 1.0, 5, -1)
    with pytest.raises(TypeError, match="low has dtype <U1, but needs real numbers"):
        uniform_knots("a", 1.0, 5, 3)


# --- outer knots


@given(grids(repeats=True), degrees())
def test_outer_knots_continue_with_the_mean_interval_and_the_grid_stays_inside_bit_for_bit(
    grid, degree
):
    knots = extended_knots(grid, degree)

    np.testing.assert_array_equal(breakpoints(knots, degree), grid)
    h = (grid[:, -1:] - grid[:, :1]) / (grid.shape[1] - 1)
    atol = 4e-16 * np.abs(knots).max()
    np.testing.assert_allclose(
        np.diff(knots[:, : degree + 1]), np.repeat(h, degree, axis=1), rtol=0, atol=atol
    )
    np.testing.assert_allclose(
        np.diff(knots[:, knots.shape[1] - degree - 1 :]),
        np.repeat(h, degree, axis=1),
        rtol=0,
        atol=atol,
    )


@given(grids(repeats=True), degrees())
def test_extended_rows_pass_the_door(grid, degree):
    knots = extended_knots(grid, degree)

    assert check_knots("knots", knots, degree) is knots


def test_breakpoints_are_a_view_and_the_whole_row_at_degree_0():
    knots = np.arange(8.0)[None]

    np.testing.assert_array_equal(breakpoints(knots, 2), [[2.0, 3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(breakpoints(knots, 0), knots)
    assert np.shares_memory(breakpoints(knots, 2), knots)


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        (
            [[0.0, 2.0, 1.0]],
            "breakpoints must rise along each row; row 0 falls from 2.0 to 1.0 at position 2",
        ),
        (
            [[0.0, 1.0], [3.0, 3.0]],
            "breakpoints must have some width, but row 1 begins and ends at 3.0",
        ),
        ([[0.0]], r"breakpoints has shape \(1, 1\), but a grid needs at least 2 breakpoints"),
        ([0.0, 1.0], r"breakpoints has shape \(2,\), but needs shape \(n_in, n_intervals \+ 1\)"),
        ([[0.0, np.inf]], "breakpoints contains inf at row 0, column 1"),
        ([[0.0, 1e308]], r"the range from 0.0 to 1e\+308 at input 0 is too wide"),
    ],
)
def test_breakpoints_that_are_no_grid_are_refused(grid, sentence):
    with pytest.raises(ValueError, match=sentence):
        extended_knots(grid, 3)


# --- the door


@given(degrees().flatmap(lambda degree: st.tuples(st.just(degree), knot_arrays(degree))))
def test_rows_of_every_kind_pass_the_door_unchanged(case):
    degree, rows = case

    assert check_knots("knots", rows, degree) is rows


@pytest.mark.parametrize(
    ("rows", "degree", "sentence"),
    [
        (
            [[0.0, 1.0], [0.0, 1.0], [0.4, 0.35]],
            0,
            "grid must rise along each row; row 2 falls from 0.4 to 0.35 at position 1",
        ),
        (
            [[0.0, 1.0, 2.0]],
            1,
            r"grid has 3 knots in a row, but degree 1 needs at least 4 \(2 degree \+ 2\)",
        ),
        (
            [[0.0, 1.0, 1.0, 2.0]],
            1,
            r"grid must leave \[a, b\] some width, but row 0 has both ends at 1.0",
        ),
        ([0.0, 1.0], 0, r"grid has shape \(2,\), but needs shape \(n_in, n_knots\)"),
        ([[0.0, np.nan]], 0, "grid contains nan at row 0, column 1"),
        ([[-1e308, 1e308]], 0, r"the range from -1e\+308 to 1e\+308 at input 0 is too wide"),
        ([[0.0, 1.0]], -1, "degree is -1, but must be at least 0"),
    ],
)
def test_rows_that_bear_no_splines_are_refused_under_the_caller_s_name(rows, degree, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_knots("grid", rows, degree)


def test_rows_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match="grid has dtype bool, but needs real numbers"):
        check_knots("grid", [[False, True]], 0)


# --- refinement


@given(grids(repeats=True), st.integers(1, 40))
def test_a_multiple_of_n_intervals_keeps_every_old_breakpoint_bit_for_bit(grid, factor):
    n_intervals = grid.shape[1] - 1

    finer = refined_breakpoints(grid, factor * n_intervals)

    np.testing.assert_array_equal(finer[:, ::factor], grid)
    assert is_nested(grid, finer).all()


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


@pytest.mark.parametrize("n_intervals", [2, 3, 7])
def test_no_multiple_up_to_200_moves_an_old_breakpoint_by_an_ulp(n_intervals):
    """49 times 1/49 is not 1 in float64: ranks must be divided, not stepped."""
    grid = np.cumsum(
        np.random.default_rng(n_intervals).uniform(0.1, 1.0, (1, n_intervals + 1)), axis=1
    )

    for factor in range(1, 201):
        np.testing.assert_array_equal(
            refined_breakpoints(grid, factor * n_intervals)[:, ::factor], grid
        )


def test_a_number_of_intervals_that_is_no_multiple_is_not_nested():
    assert not is_nested([[0.0, 1.0, 4.0]], refined_breakpoints([[0.0, 1.0, 4.0]], 3)).any()


@pytest.mark.parametrize(
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
def test_nested_grids_hold_every_old_breakpoint_as_often_inside_and_once_at_the_ends(
    old, new, nested
):
    assert is_nested([old], [new]).tolist() == [nested]


def test_nesting_is_told_for_every_input_by_itself():
    assert is_nested([[0.0, 1.0], [0.0, 2.0]], [[0.0, 1.0], [0.0, 1.0]]).tolist() == [True, False]


def test_grids_of_different_numbers_of_inputs_are_not_compared():
    with pytest.raises(ValueError, match="old_breakpoints has 1 rows, but new_breakpoints has 2"):
        is_nested([[0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]])


# --- bounds of samples


def test_bounds_move_out_by_the_pad_on_both_sides():
    low, high = grid_bounds([0.0, -4.0], [2.0, 4.0], [0.5, 1.0])

    assert (low.tolist(), high.tolist()) == ([-0.5, -5.0], [2.5, 5.0])


@pytest.mark.parametrize("middle", [0.0, 0.3, -1.0, 7.0, -1e5, 1e300, 1e-300, 5e-324])
@pytest.mark.parametrize("pad", [0.0, 100.0])
def test_flat_samples_get_half_of_the_larger_of_1_and_the_middle_on_both_sides_and_no_pad(
    middle, pad
):
    low, high = grid_bounds(middle, middle, pad)

    w = 0.5 * max(1.0, abs(middle))
    assert (low[0], high[0]) == (middle - w, middle + w)


@pytest.mark.parametrize(("width", "flat"), [(0.99e-9, True), (1.01e-9, False)])
@pytest.mark.parametrize("middle", [0.0, 0.5, -1e3, 1e300])
def test_flat_means_a_range_of_at_most_1e_9_of_the_larger_of_1_and_the_middle(middle, width, flat):
    half = 0.5 * width * max(1.0, abs(middle))

    low, high = grid_bounds(middle - half, middle + half, 0.0)

    assert (high[0] - low[0] > 0.9 * max(1.0, abs(middle))) == flat


@pytest.mark.parametrize(
    ("low", "high", "pad", "sentence"),
    [
        (
            [0.0, 2.0],
            [1.0, 1.0],
            0.0,
            "low must not lie above high, but they are 2.0 and 1.0 at input 1",
        ),
        (0.0, 1.0, [0.1, -0.1], "pad must be at least 0, but is -0.1 at input 1"),
        (0.0, 1.0, np.nan, "pad contains nan at position 0"),
        (-1e308, 1e308, 0.0, r"the range from -1e\+308 to 1e\+308 at input 0 is too wide"),
        (0.0, 1e308, 1e308, r"the range from 0.0 to 1e\+308 at input 0 is too wide"),
        (1.5e308, 1.5e308, 0.0, r"the range from 1.5e\+308 to 1.5e\+308 at input 0 is too wide"),
    ],
)
def test_bounds_that_are_none_are_refused(low, high, pad, sentence):
    with pytest.raises(ValueError, match=sentence):
        grid_bounds(low, high, pad)


def test_input_grids_taken_from_data_reach_5_percent_beyond_them():
    low, high = data_bounds([[0.0, 5.0], [20.0, 5.0], [10.0, 5.0]])

    np.testing.assert_allclose(low, [-1.0, 2.5], rtol=1e-15)
    np.testing.assert_allclose(high, [21.0, 7.5], rtol=1e-15)


@pytest.mark.parametrize(
    ("n_intervals", "pad"), [(1, 20.0), (5, 4.0), (19, 20.0 / 19.0), (20, 1.0), (200, 1.0)]
)
def test_hidden_grids_reach_one_interval_or_5_percent_beyond_the_activations_what_is_more(
    n_intervals, pad
):
    low, high = hidden_bounds([[0.0], [20.0]], n_intervals)

    np.testing.assert_allclose([low[0], high[0]], [-pad, 20.0 + pad], rtol=1e-15)


# --- between uniform and quantiles

features = st.one_of(
    st.floats(-3.0, 3.0),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([1e300, -1e300, 0.0]),
    st.sampled_from([0.0, 1e-300, 5e-324]),
    st.sampled_from([1.0, np.nextafter(1.0, 2.0), 1.0 + 1e-9, 1.0 + 4e-9]),
)
samples = st.tuples(st.integers(1, 12), st.integers(1, 3)).flatmap(
    lambda shape: arrays(float, shape, elements=features)
)


@given(
    samples,
    st.integers(1, 9),
    degrees(),
    st.floats(0.0, 1.0),
    st.one_of(st.just(0.0), st.floats(0.0, 3.0)),
)
def test_features_of_every_kind_get_a_legal_row_that_holds_all_their_samples(
    x, n_intervals, degree, share, margin
):
    knots = blended_knots(x, n_intervals, degree, uniform_share=share, margin=margin)

    assert knots.shape == (x.shape[1], n_intervals + 2 * degree + 1)
    check_knots("knots", knots, degree)
    grid = breakpoints(knots, degree)
    assert (grid[:, 0] <= x.min(axis=0)).all()
    assert (grid[:, -1] >= x.max(axis=0)).all()


@given(
    arrays(float, st.tuples(st.integers(2, 30), st.integers(1, 2)), elements=st.floats(-3.0, 3.0)),
    st.integers(1, 9),
)
def test_share_0_puts_breakpoints_at_the_quantiles_of_the_samples(x, n_intervals):
    """NumPy's own quantiles, linear in rank, are the second opinion; a flat feature, which has none, is kept out."""
    x[0] -= 10.0

    knots = blended_knots(x, n_intervals, 0, uniform_share=0.0, margin=0.0)

    quantiles = np.quantile(x, np.arange(n_intervals + 1) / n_intervals, axis=0).T
    np.testing.assert_allclose(knots, quantiles, rtol=0, atol=1e-14 * np.abs(x).max())


@given(arrays(float, (8, 2), elements=numbers), st.integers(1, 9), degrees(), st.floats(0.0, 3.0))
def test_share_1_is_the_uniform_row_between_the_widened_bounds(x, n_intervals, degree, margin):
    low, high = x.min(axis=0), x.max(axis=0)
    bounds = grid_bounds(low, high, margin / n_intervals * (high - low))

    knots = blended_knots(x, n_intervals, degree, uniform_share=1.0, margin=margin)

    np.testing.assert_array_equal(knots, uniform_knots(*bounds, n_intervals, degree))


@given(st.floats(0.0, 1.0))
def test_the_share_mixes_the_two_rows_breakpoint_by_breakpoint(share):
    x = np.array([[0.0], [0.5], [1.0], [2.0], [10.0]])

    uniform, quantiles, mixed = (
        blended_knots(x, 4, 2, uniform_share=s, margin=0.0) for s in (1.0, 0.0, share)
    )

    np.testing.assert_array_equal(breakpoints(quantiles, 2), x.T)
    np.testing.assert_allclose(
        mixed, share * uniform + (1.0 - share) * quantiles, rtol=0, atol=1e-14
    )


def test_the_margin_counts_in_mean_intervals_and_moves_the_ends_of_quantile_rows_alone():
    x = [[0.0], [1.0], [2.0], [3.0], [8.0]]

    grid = blended_knots(x, 4, 0, uniform_share=0.0, margin=0.5)

    np.testing.assert_array_equal(grid, [[-1.0, 1.0, 2.0, 3.0, 9.0]])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_feature_that_never_changes_gets_a_uniform_row_around_it(share):
    knots = blended_knots(np.full((7, 1), 3.0), 4, 1, uniform_share=share, margin=1.0)

    np.testing.assert_array_equal(knots, uniform_knots(1.5, 4.5, 4, 1))


def test_quantiles_of_a_two_valued_feature_repeat_and_its_bases_still_sum_to_1_between_them():
    x = np.array([[0.0]] * 5 + [[1.0]] * 5)

    knots = blended_knots(x, 4, 3, uniform_share=0.0, margin=0.0)

    np.testing.assert_array_equal(breakpoints(knots, 3), [[0.0, 0.0, 0.5, 1.0, 1.0]])
    np.testing.assert_allclose(
        basis(np.linspace(0.0, 1.0, 9)[:, None], knots, 3).sum(axis=2), 1.0, atol=1e-14
    )


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "sentence"),
    [
        (
            (np.zeros((0, 2)), 5, 3),
            {},
            ValueError,
            r"x has shape \(0, 2\), but a grid needs at least one row of samples",
        ),
        (([[1.0], [np.inf]], 5, 3), {}, ValueError, "x contains inf at row 1, column 0"),
        (
            ([1.0, 2.0], 5, 3),
            {},
            ValueError,
            r"x has shape \(2,\), but needs shape \(batch, n_in\)",
        ),
        (([[1.0], [2.0]], 0, 3), {}, ValueError, "n_intervals is 0, but must be at least 1"),
        (([[1.0], [2.0]], 5, -1), {}, ValueError, "degree is -1, but must be at least 0"),
        (
            ([[1.0], [2.0]], 5, 3),
            {"uniform_share": 1.5},
            ValueError,
            "uniform_share is 1.5, but must be between 0 and 1",
        ),
        (
            ([[1.0], [2.0]], 5, 3),
            {"margin": -0.5},
            ValueError,
            "margin is -0.5, but must be at least 0",
        ),
        (
            ([[1.0], [2.0]], 5, 3),
            {"margin": None},
            TypeError,
            "margin is None, but must be a real number",
        ),
        (
            ([[1.0], [11.0]], 5, 3),
            {"margin": 1.7e308},
            ValueError,
            "the range from 1.0 to 11.0 at input 0 is too wide",
        ),
        (
            ([[-1e308], [1e308]], 5, 3),
            {},
            ValueError,
            r"the range from -1e\+308 to 1e\+308 at input 0 is too wide",
        ),
    ],
)
def test_samples_and_shares_that_place_no_grid_are_refused(arguments, options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        blended_knots(*arguments, **{"uniform_share": 0.5, "margin": 0.0} | options)


def test_no_samples_have_no_bounds():
    with pytest.raises(
        ValueError, match=r"x has shape \(0, 1\), but a grid needs at least one row"
    ):
        data_bounds(np.zeros((0, 1)))
    with pytest.raises(
        ValueError, match=r"x has shape \(0, 1\), but a grid needs at least one row"
    ):
        hidden_bounds(np.zeros((0, 1)), 5)
