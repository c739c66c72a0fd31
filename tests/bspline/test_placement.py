"""Where grids lie for samples: one rule per test, and what is rejected."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import degrees

from kan_ref.bspline.bases import basis
from kan_ref.bspline.knots import breakpoints, uniform_knots
from kan_ref.bspline.placement import blended_knots, data_bounds, hidden_bounds

numbers = st.floats(-1e3, 1e3)


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
    knots = blended_knots(
        np.repeat(x, 4, axis=0), n_intervals, 3, uniform_share=share, margin=margin
    )

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
    knots = blended_knots(
        np.array(values)[:, None], len(values) - 1, 0, uniform_share=0.0, margin=0.0
    )

    np.testing.assert_allclose(knots, [expected], rtol=1e-14, atol=0)


@given(
    arrays(float, st.tuples(st.integers(2, 30), st.integers(1, 2)), elements=st.floats(-3.0, 3.0)),
    st.integers(1, 9),
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
    bounds = (
        np.where(flat, middle - 0.5 * size, low - pad),
        np.where(flat, middle + 0.5 * size, high + pad),
    )

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
