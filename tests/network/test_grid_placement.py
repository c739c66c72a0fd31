"""Where extend_grid, update_grid, refine and fit put grids: the first on the inputs' domain, hidden ones on what flows into them."""

import numpy as np
import pytest
from cases import for_all
from oracles_training import bits, covered_network

import kan_ref as kr
from kan_ref.network.network import Network
from kan_ref.network.refinement import place_hidden_grids, refine


def example(widths=(2, 3, 2), *, degree=3, n_intervals=4, seed=0, **options):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (80, widths[0]))
    return covered_network(rng, widths, degree=degree, n_intervals=n_intervals, x=x, **options), x


def flow(network, x):
    """What enters every layer: [(batch, n_0), ..., (batch, n_{L-1})]."""
    values = [x]
    for layer in network.layers[:-1]:
        values.append(Network((layer,))(values[-1]))
    return values


def ends(layer):
    return layer.breakpoints[:, 0], layer.breakpoints[:, -1]


def hidden_ends(values, n_intervals):
    """The rule for hidden grids: R/G or 5 % of R beyond the activations, whichever is more."""
    low, high = values.min(axis=0), values.max(axis=0)
    pad = np.maximum((high - low) / n_intervals, 0.05 * (high - low))
    return low - pad, high + pad


def assert_even(layer):
    steps = np.diff(layer.knots, axis=1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), rtol=1e-9)


# --- extend_grid


@pytest.mark.parametrize("n_intervals", [5, 8, 11])
def test_extension_interpolates_every_grid_linearly_in_rank(n_intervals):
    network, _ = example(even=False)

    finer = kr.extend_grid(network, n_intervals=n_intervals)

    for old, new in zip(network.layers, finer.layers, strict=True):
        for old_row, new_row in zip(old.breakpoints, new.breakpoints, strict=True):
            expected = [
                np.interp(4 * n / n_intervals, range(5), old_row) for n in range(n_intervals + 1)
            ]
            np.testing.assert_allclose(new_row, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_a_multiple_contains_the_old_breakpoints_to_the_bit(factor):
    network, _ = example(even=False)

    finer = kr.extend_grid(network, n_intervals=4 * factor)

    for old, new in zip(network.layers, finer.layers, strict=True):
        np.testing.assert_array_equal(new.breakpoints[:, ::factor], old.breakpoints)


@for_all("degree", [0, 1, 3])
@for_all(("n_intervals", "outer"), [(8, "even"), (7, "even"), (7, "kept")])
def test_even_outer_knots_go_on_by_the_mean_interval(degree, n_intervals, outer):
    """Those of a grid that is not nested are always even."""
    network, _ = example(degree=degree, even=False)

    for layer in kr.extend_grid(network, n_intervals=n_intervals, outer=outer).layers:
        low, high = ends(layer)
        for n in range(1, degree + 1):
            np.testing.assert_allclose(
                layer.knots[:, degree - n], low - n * (high - low) / n_intervals, rtol=1e-13
            )
            np.testing.assert_allclose(
                layer.knots[:, layer.knots.shape[1] - 1 - degree + n],
                high + n * (high - low) / n_intervals,
                rtol=1e-13,
            )


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_a_nested_grid_keeps_the_outer_knots(degree):
    network, _ = example(degree=degree, even=False)

    finer = kr.extend_grid(network, n_intervals=8)

    for old, new in zip(network.layers, finer.layers, strict=True):
        np.testing.assert_array_equal(new.knots[:, :degree], old.knots[:, :degree])
        n_old, n_new = old.knots.shape[1], new.knots.shape[1]
        np.testing.assert_array_equal(
            new.knots[:, n_new - degree :], old.knots[:, n_old - degree :]
        )


def test_layers_with_different_numbers_of_intervals_end_with_one():
    first, x = example((2, 3), n_intervals=4)
    second = covered_network(np.random.default_rng(1), (3, 1), degree=2, n_intervals=6, x=first(x))
    network = Network((*first.layers, *second.layers))

    finer = kr.extend_grid(network, n_intervals=12)

    assert [layer.n_intervals for layer in finer.layers] == [12, 12]
    assert kr.distance(network, finer, x).max <= 1e-12 * np.abs(network(x)).max()


def test_samples_reach_a_later_layer_through_the_layers_that_were_extended_before_it():
    """Two layers at once are the first alone, and then the second alone on what the new first one makes."""
    network, x = example()

    finer = kr.extend_grid(network, x, n_intervals=7)

    first = kr.extend_grid(Network(network.layers[:1]), x, n_intervals=7)
    second = kr.extend_grid(Network(network.layers[1:]), first(x), n_intervals=7)
    assert bits(finer) == bits(Network((*first.layers, *second.layers)))
    assert np.abs(first(x) - Network(network.layers[:1])(x)).max() > 1e-4


# --- update_grid


@pytest.mark.parametrize("margin", [0.0, 0.5, 2.0])
def test_update_with_share_1_spaces_every_grid_evenly_around_its_activations(margin):
    network, x = example()

    updated = kr.update_grid(network, x, uniform_share=1.0, margin=margin)

    for layer, values in zip(updated.layers, flow(updated, x), strict=True):
        low, high = values.min(axis=0), values.max(axis=0)
        pad = margin * (high - low) / 4
        np.testing.assert_allclose(ends(layer), (low - pad, high + pad), rtol=1e-9)
        assert_even(layer)


def test_update_with_share_0_puts_inner_breakpoints_at_quantiles():
    network, x = example()

    updated = kr.update_grid(network, x**3, uniform_share=0.0, margin=1.0)

    for layer, values in zip(updated.layers, flow(updated, x**3), strict=True):
        expected = np.quantile(values, [0.25, 0.5, 0.75], axis=0).T
        np.testing.assert_allclose(layer.breakpoints[:, 1:-1], expected, rtol=1e-9, atol=1e-12)
        assert not np.allclose(
            np.diff(layer.breakpoints), np.diff(layer.breakpoints)[:, :1], rtol=0.1
        )


def test_update_with_a_share_between_blends_the_two():
    network, x = example((2, 3))

    grids = [
        kr.update_grid(network, x**3, uniform_share=share).layers[0].breakpoints
        for share in (0.0, 0.25, 1.0)
    ]

    np.testing.assert_allclose(
        grids[1][:, 1:-1], (0.75 * grids[0] + 0.25 * grids[2])[:, 1:-1], rtol=1e-13, atol=1e-15
    )


def test_update_places_a_hidden_grid_on_what_the_moved_layers_before_it_make():
    """The first layer's move changes its outputs a little; the second grid must hold the new ones."""
    network, x = example()

    updated = kr.update_grid(network, 0.8 * x, margin=0.0)

    inflow, old_inflow = flow(updated, 0.8 * x)[1], flow(network, 0.8 * x)[1]
    assert np.abs(inflow - old_inflow).max() > 1e-3
    np.testing.assert_allclose(
        ends(updated.layers[1]), (inflow.min(axis=0), inflow.max(axis=0)), rtol=1e-12
    )


def test_a_flat_feature_gets_a_grid_of_width_1_around_it_or_as_wide_as_it_is_large():
    network, _ = example((3, 1))
    x = np.tile([0.3, -8.0, 0.0], (5, 1))

    updated = kr.update_grid(network, x, uniform_share=0.0)

    np.testing.assert_allclose(
        ends(updated.layers[0]), ([-0.2, -12.0, -0.5], [0.8, -4.0, 0.5]), rtol=1e-14
    )
    assert_even(updated.layers[0])


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("n_intervals", [1, 2, 5, 20])
def test_a_margin_counts_in_units_of_the_range_over_the_number_of_intervals(n_intervals, margin):
    """Which are G / (G + 2 margin) intervals of the wider grid."""
    x = np.random.default_rng(n_intervals).normal(size=(50, 1))
    options = {"n_intervals": n_intervals, "degree": 3, "domain": (-1.0, 1.0)}
    network = kr.init_network((1, 1), **options, rng=np.random.default_rng(0))

    moved = kr.update_grid(network, x, uniform_share=1.0, margin=margin)

    breakpoints = moved.layers[0].breakpoints[0]
    pad = x.min() - breakpoints[0]
    assert pad == pytest.approx(margin * np.ptp(x) / n_intervals, abs=1e-12)
    intervals = pad / (breakpoints[1] - breakpoints[0])
    assert intervals == pytest.approx(
        margin * n_intervals / (n_intervals + 2.0 * margin), abs=1e-12
    )


# --- refine and place_hidden_grids


@pytest.mark.parametrize("n_intervals", [4, 6, 8, 50])
def test_refinement_for_training_extends_the_first_grid_and_lays_the_others_anew(n_intervals):
    """Up to 20 intervals the margin is one interval's worth of the range, beyond it 5 %."""
    network, x = example(n_intervals=4)

    finer = refine(network, x, n_intervals)

    np.testing.assert_array_equal(
        finer.layers[0].knots,
        kr.extend_grid(network, n_intervals=n_intervals, outer="even").layers[0].knots,
    )
    np.testing.assert_allclose(
        ends(finer.layers[1]), hidden_ends(flow(finer, x)[1], n_intervals), rtol=1e-12
    )
    assert_even(finer.layers[1])
    assert [layer.n_intervals for layer in finer.layers] == [n_intervals, n_intervals]


@pytest.mark.parametrize(
    ("factor", "outer"), [(1.0, "even"), (-1.0, "even"), (1.2, "kept"), (-1.2, "kept")]
)
def test_outer_knots_stay_in_training_only_where_an_input_lies_outside_the_grid(factor, outer):
    network, x = example(n_intervals=4)
    low, high = ends(network.layers[0])
    points = 0.5 * (low + high) + factor * 0.5 * (high - low) * x / np.abs(x).max()

    finer = refine(network, points, 8)

    expected = kr.extend_grid(network, n_intervals=8, outer=outer).layers[0]
    np.testing.assert_array_equal(finer.layers[0].knots, expected.knots)
    np.testing.assert_allclose(flow(finer, points)[1], flow(network, points)[1], rtol=0, atol=1e-12)


def test_hidden_grids_are_placed_with_as_many_intervals_as_they_have():
    first, x = example((2, 3), n_intervals=4)
    second = covered_network(np.random.default_rng(1), (3, 2), degree=2, n_intervals=6, x=first(x))
    network = Network((*first.layers, *second.layers))

    placed = place_hidden_grids(network, 0.5 * x)

    np.testing.assert_allclose(
        ends(placed.layers[1]), hidden_ends(flow(placed, 0.5 * x)[1], 6), rtol=1e-12
    )
    assert placed.layers[1].n_intervals == 6
    for name in ("knots", "coef", "w_base", "w_spline"):
        np.testing.assert_array_equal(
            getattr(placed.layers[0], name), getattr(network.layers[0], name)
        )


def test_a_third_layer_sees_what_the_placed_second_one_makes():
    network, x = example((2, 3, 3, 1))

    placed = place_hidden_grids(network, 0.5 * x)

    for number in (1, 2):
        np.testing.assert_allclose(
            ends(placed.layers[number]), hidden_ends(flow(placed, 0.5 * x)[number], 4), rtol=1e-12
        )


# --- whether an activation has left


def test_an_activation_at_the_end_of_a_grid_has_not_left_it_and_one_ulp_beyond_it_has():
    network, _ = example((2, 3, 2))
    low, high = ends(network.layers[1])
    at_ends = np.stack([low, high])
    below, above = at_ends.copy(), at_ends.copy()
    below[0, 2], above[1, 1] = np.nextafter(low[2], -np.inf), np.nextafter(high[1], np.inf)
    outputs = np.full((2, 2), 1e9)  # nothing takes them

    assert not network.left_grids([at_ends, outputs])
    assert network.left_grids([below, outputs])
    assert network.left_grids([above, outputs])


# --- fit


def test_fit_walks_through_its_schedule_and_ends_on_the_finest_grid():
    network, _ = example((2, 3, 1))

    run = kr.fit(
        network,
        kr.sample("exp_sin", n_train=80, n_test=9, rng=np.random.default_rng(0)),
        n_steps=2,
        grids=(4, 4, 6, 12),
    )

    assert [layer.n_intervals for layer in run.network.layers] == [12, 12]
    assert run.history.n_intervals.tolist() == [4] * 6 + [6] * 3 + [12] * 3
