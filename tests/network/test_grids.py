"""Grids of a network: where a new network, extend_grid, update_grid, refine and fit put them; the function stays when they change.

The first grids lie on the inputs' domain, hidden ones on what flows into them. The function stays exactly where the finer grid contains the
old one, nearly elsewhere, and on hard data too: always judged by what the networks compute, never by their parameters. Which changes of the
parameters keep the function, and under which conditions, is tested too.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_layer, seeds
from oracles_training import bits, covered_network
from scipy import stats

import kan_ref as kr
from kan_ref.network.network import Network
from kan_ref.network.refinement import place_hidden_grids, refine
from kan_ref.numerics import dense_form

# --- a new network: the paper's random numbers, on grids that lie where the data are


def made(widths=(2, 5, 3), *, seed=0, n_intervals=5, degree=3, domain=(-1.0, 1.0), **options):
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=degree, domain=domain, rng=np.random.default_rng(seed), **options
    )


def ends(layer):
    """Low and high end of each grid, (n_in,) each."""
    return layer.breakpoints[:, 0], layer.breakpoints[:, -1]


# --- numbers

WIDE = {"widths": (40, 50, 30), "n_intervals": 5, "degree": 3}


@pytest.mark.parametrize("number", [0, 1])
def test_coefficients_are_normal_with_standard_deviation_one_tenth(number):
    coef = made(**WIDE).layers[number].coef

    assert coef.std() == pytest.approx(0.1, rel=0.02)  # of 12000 numbers or more: three standard errors
    assert stats.kstest(coef.ravel() / 0.1, "norm").pvalue > 1e-3


@pytest.mark.parametrize("number", [0, 1])
def test_base_weights_are_uniform_up_to_the_bound_of_xavier(number):
    layer = made(**WIDE).layers[number]
    bound = np.sqrt(6.0 / (layer.n_in + layer.n_out))

    assert np.abs(layer.w_base).max() <= bound
    assert stats.kstest(layer.w_base.ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3


def test_numbers_are_drawn_layer_by_layer_coef_before_w_base():
    network, rng = made((2, 5, 3), seed=7), np.random.default_rng(7)

    for layer in network.layers:
        np.testing.assert_array_equal(layer.coef, 0.1 * rng.standard_normal(layer.coef.shape))
        bound = np.sqrt(6.0 / (layer.n_in + layer.n_out))
        np.testing.assert_array_equal(layer.w_base, rng.uniform(-bound, bound, layer.w_base.shape))


@pytest.mark.parametrize(
    "options", [{}, {"x": np.random.default_rng(1).uniform(-1, 1, (30, 2))}], ids=["bounds", "probe batch"]
)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(options):
    one, same, other = made(seed=3, **options), made(seed=3, **options), made(seed=4, **options)

    assert one.theta.tobytes() == same.theta.tobytes()
    assert all(a.knots.tobytes() == b.knots.tobytes() for a, b in zip(one.layers, same.layers, strict=True))
    assert not np.array_equal(one.theta, other.theta)


@for_all("base", ["silu", "identity", "zero"])
@for_all("degree", [0, 1, 7])
def test_sizes_degree_and_base_are_those_asked_for(degree, base):
    network = made((3, 2, 4), n_intervals=6, degree=degree, base=base)

    assert network.widths == (3, 2, 4)
    assert [(layer.n_intervals, layer.degree, layer.base) for layer in network.layers] == [(6, degree, base)] * 2
    assert network.n_params == (3 * 2 + 2 * 4) * (6 + degree + 2)


# --- grids


def test_all_grids_are_uniform_and_continue_beyond_their_ends():
    network = made(domain=[[0.0, 1.0], [-3.0, 5.0]], x=np.random.default_rng(3).uniform(0, 1, (50, 2)), n_intervals=4)

    for layer in network.layers:
        low, high = ends(layer)
        steps = low[:, None] + (high - low)[:, None] / 4 * np.arange(-3, 8)
        np.testing.assert_allclose(layer.knots, steps, rtol=0, atol=1e-14 * np.abs(steps).max())


def test_two_numbers_are_the_bounds_of_every_input():
    low, high = ends(made((3, 2), domain=(-2.0, 0.5)).layers[0])

    np.testing.assert_array_equal(low, [-2.0] * 3)
    np.testing.assert_array_equal(high, [0.5] * 3)


def test_a_pair_for_each_input_is_bounds_even_where_it_could_be_samples():
    """Shape (2, 2): two inputs with their bounds, not two samples of two inputs."""
    low, high = ends(made((2, 2), domain=[[0.0, 1.0], [-3.0, 5.0]]).layers[0])

    np.testing.assert_array_equal(low, [0.0, -3.0])
    np.testing.assert_array_equal(high, [1.0, 5.0])


@pytest.mark.parametrize("n_samples", [1, 3, 40])
def test_any_other_shape_is_samples_with_five_percent_of_their_range_on_each_side(n_samples):
    samples = np.random.default_rng(4).normal(size=(n_samples, 2)) * [1.0, 30.0]

    low, high = ends(made(domain=samples).layers[0])

    least, most = samples.min(axis=0), samples.max(axis=0)
    spread = most - least
    if n_samples == 1:  # one value: half its size, at least one half, on both sides
        half = 0.5 * np.maximum(1.0, np.abs(least))
        least, most, spread = least - half, most + half, 0.0
    np.testing.assert_allclose(low, least - 0.05 * spread, rtol=1e-14)
    np.testing.assert_allclose(high, most + 0.05 * spread, rtol=1e-14)


BOXES = {
    "unit": (-1.0, 1.0),
    "far from zero": (100.0, 110.0),
    "tiny": (-1e-6, 1e-6),
    "different sizes": [[0.0, 1.0], [-3e5, 5e5]],
}


@for_all("base", ["silu", "identity", "zero"])
@for_all("box", BOXES)
def test_with_bounds_alone_hidden_grids_lie_where_inputs_from_the_box_send_activations(box, base):
    for seed in range(5):
        network = made((2, 4, 3, 1), seed=seed, domain=BOXES[box], base=base)
        low, high = ends(network.layers[0])
        x = np.random.default_rng(100 + seed).uniform(low, high, (2000, 2))

        flow = network.flow(network.prepare(x))

        for layer, activations in zip(network.layers[1:], flow, strict=False):
            low, high = ends(layer)
            inside = (activations >= low) & (activations <= high)
            width = np.ptp(activations, axis=0)
            assert inside.mean() > 0.999
            # a margin of a fifth of the range, nothing more
            assert (high - low < 1.5 * np.maximum(width, 1.0)).all()


@for_all(("n_intervals", "share"), [(1, 1.0), (5, 0.2), (20, 0.05), (50, 0.05)])
@for_all("given", ["samples", "bounds and x", "samples and x"])
def test_hidden_grids_hold_the_activations_of_the_probe_batch_with_a_margin(given, n_intervals, share):
    """The margin is R / n_intervals or 5 % of R, what is more; x serves as probe batch before the samples do."""
    samples, x = (
        np.random.default_rng(5).uniform(-1, 1, (60, 2)),
        np.random.default_rng(6).uniform(-0.5, 0.2, (25, 2)),
    )
    options = {"samples": {"domain": samples}, "bounds and x": {"x": x}, "samples and x": {"domain": samples, "x": x}}[
        given
    ]

    network = made((2, 4, 3, 2), n_intervals=n_intervals, **options)

    inputs = network.prepare(samples if given == "samples" else x)
    for layer, activations in zip(network.layers[1:], network.flow(inputs), strict=False):
        least, most = activations.min(axis=0), activations.max(axis=0)
        low, high = ends(layer)
        np.testing.assert_allclose(low, least - share * (most - least), rtol=0, atol=1e-14)
        np.testing.assert_allclose(high, most + share * (most - least), rtol=0, atol=1e-14)


def test_a_probe_batch_does_not_move_the_bounds_of_the_inputs():
    low, high = ends(made(domain=(-1.0, 1.0), x=np.full((5, 2), 0.25)).layers[0])

    np.testing.assert_array_equal([low, high], [[-1.0, -1.0], [1.0, 1.0]])


# --- what reads a domain


def test_a_probe_batch_from_bounds_has_the_documented_thousand_points():
    rng, fresh = np.random.default_rng(5), np.random.default_rng(5)
    kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    for n_in, n_out in ((2, 3), (3, 1)):
        fresh.standard_normal((n_out, n_in, 8))
        fresh.uniform(-1, 1, (n_out, n_in))
    fresh.uniform(-1, 1, (1000, 2))

    assert rng.random() == fresh.random()


# --- in the units of the data

UNITS = [(300.0, 1.0, 0.0, 1.0), (-7.0, 1e5, 100.0, 1e-6), (0.0, 1e-6, 3.0, 1e6)]


def data_in_units(shift=0.0, factor=1.0, y_shift=0.0, y_factor=1.0):
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (60, 2))
    y = np.stack([np.sin(x[:, 0]), x[:, 1] ** 2, x[:, 0]], axis=1)
    return np.array([factor, 1.0]) * x + shift, y_factor * y + y_shift


@for_all("units", UNITS)
@for_all("base", ["silu", "identity", "zero"])
@for_all("widths", [(2, 4, 3), (2, 3)])
def test_with_targets_the_network_is_the_same_function_in_all_units(widths, base, units):
    x, y = data_in_units()
    moved, targets = data_in_units(*units)
    plain = made(widths, domain=x, y=y, base=base)(x)

    outputs = made(widths, domain=moved, y=targets, base=base)(moved)

    standard = (outputs - targets.mean(axis=0)) / targets.std(axis=0)
    np.testing.assert_allclose(standard, (plain - y.mean(axis=0)) / y.std(axis=0), atol=1e-6)


def test_with_targets_the_network_is_close_to_the_papers_on_the_papers_domain():
    x = np.concatenate([np.random.default_rng(1).uniform(-1.0, 1.0, (60, 2))])
    y = np.random.default_rng(2).standard_normal((60, 1))
    y = (y - y.mean()) / y.std()
    paper, own = (made((2, 4, 1), domain=(-1.0, 1.0), x=x, n_intervals=10, **options) for options in ({}, {"y": y}))

    np.testing.assert_allclose(own(x), paper(x), atol=1e-4)
    assert not own.layers[0].w_base.any()
    np.testing.assert_allclose(own.layers[1].w_base, paper.layers[1].w_base, rtol=1e-12)


@for_all(
    "options",
    [
        {"widths": (2,)},
        {"widths": (2, 0)},
        {"domain": (1.0, 1.0)},
        {"domain": [[0.0, 1.0], [3.0, 2.0]]},
        {"domain": np.zeros((5, 3))},
        {"x": np.zeros((5, 3))},
        {"x": np.zeros((5, 2)), "y": np.zeros((4, 3))},
    ],
)
def test_what_does_not_fit_the_widths_or_is_no_interval_is_refused(options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        made(**options)


# --- where extend_grid, update_grid, refine and fit put grids: the first on the inputs' domain, hidden ones on what flows into them


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
            expected = [np.interp(4 * n / n_intervals, range(5), old_row) for n in range(n_intervals + 1)]
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
            np.testing.assert_allclose(layer.knots[:, degree - n], low - n * (high - low) / n_intervals, rtol=1e-13)
            np.testing.assert_allclose(
                layer.knots[:, layer.knots.shape[1] - 1 - degree + n], high + n * (high - low) / n_intervals, rtol=1e-13
            )


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_a_nested_grid_keeps_the_outer_knots(degree):
    network, _ = example(degree=degree, even=False)

    finer = kr.extend_grid(network, n_intervals=8)

    for old, new in zip(network.layers, finer.layers, strict=True):
        np.testing.assert_array_equal(new.knots[:, :degree], old.knots[:, :degree])
        n_old, n_new = old.knots.shape[1], new.knots.shape[1]
        np.testing.assert_array_equal(new.knots[:, n_new - degree :], old.knots[:, n_old - degree :])


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
        assert not np.allclose(np.diff(layer.breakpoints), np.diff(layer.breakpoints)[:, :1], rtol=0.1)


def test_update_with_a_share_between_blends_the_two():
    network, x = example((2, 3))

    grids = [kr.update_grid(network, x**3, uniform_share=share).layers[0].breakpoints for share in (0.0, 0.25, 1.0)]

    np.testing.assert_allclose(grids[1][:, 1:-1], (0.75 * grids[0] + 0.25 * grids[2])[:, 1:-1], rtol=1e-13, atol=1e-15)


def test_update_places_a_hidden_grid_on_what_the_moved_layers_before_it_make():
    """The first layer's move changes its outputs a little; the second grid must hold the new ones."""
    network, x = example()

    updated = kr.update_grid(network, 0.8 * x, margin=0.0)

    inflow, old_inflow = flow(updated, 0.8 * x)[1], flow(network, 0.8 * x)[1]
    assert np.abs(inflow - old_inflow).max() > 1e-3
    np.testing.assert_allclose(ends(updated.layers[1]), (inflow.min(axis=0), inflow.max(axis=0)), rtol=1e-12)


def test_a_flat_feature_gets_a_grid_of_width_1_around_it_or_as_wide_as_it_is_large():
    network, _ = example((3, 1))
    x = np.tile([0.3, -8.0, 0.0], (5, 1))

    updated = kr.update_grid(network, x, uniform_share=0.0)

    np.testing.assert_allclose(ends(updated.layers[0]), ([-0.2, -12.0, -0.5], [0.8, -4.0, 0.5]), rtol=1e-14)
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
    assert intervals == pytest.approx(margin * n_intervals / (n_intervals + 2.0 * margin), abs=1e-12)


# --- refine and place_hidden_grids


@pytest.mark.parametrize("n_intervals", [4, 6, 8, 50])
def test_refinement_for_training_extends_the_first_grid_and_lays_the_others_anew(n_intervals):
    """Up to 20 intervals the margin is one interval's worth of the range, beyond it 5 %."""
    network, x = example(n_intervals=4)

    finer = refine(network, x, n_intervals)

    np.testing.assert_array_equal(
        finer.layers[0].knots, kr.extend_grid(network, n_intervals=n_intervals, outer="even").layers[0].knots
    )
    np.testing.assert_allclose(ends(finer.layers[1]), hidden_ends(flow(finer, x)[1], n_intervals), rtol=1e-12)
    assert_even(finer.layers[1])
    assert [layer.n_intervals for layer in finer.layers] == [n_intervals, n_intervals]


@pytest.mark.parametrize(("factor", "outer"), [(1.0, "even"), (-1.0, "even"), (1.2, "kept"), (-1.2, "kept")])
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

    np.testing.assert_allclose(ends(placed.layers[1]), hidden_ends(flow(placed, 0.5 * x)[1], 6), rtol=1e-12)
    assert placed.layers[1].n_intervals == 6
    for name in ("knots", "coef", "w_base", "w_spline"):
        np.testing.assert_array_equal(getattr(placed.layers[0], name), getattr(network.layers[0], name))


def test_every_hidden_grid_is_placed_on_the_activations_of_the_network_as_it_was():
    network, x = example((2, 3, 3, 1))

    placed = place_hidden_grids(network, 0.5 * x)

    for number in (1, 2):
        found = ends(placed.layers[number])
        np.testing.assert_allclose(found, hidden_ends(flow(network, 0.5 * x)[number], 4), rtol=1e-12)


def test_known_outputs_of_the_layers_place_the_same_grids():
    network, x = example((2, 3, 3, 1))

    known = place_hidden_grids(network, x, 6, flow=network.flow(network.prepare(x)))

    expected = place_hidden_grids(network, x, 6)
    for layer, other in zip(known.layers, expected.layers, strict=True):
        np.testing.assert_allclose(layer.knots, other.knots, rtol=1e-12)
        np.testing.assert_allclose(layer.coef, other.coef, rtol=0, atol=1e-12)


def test_only_grids_that_an_activation_has_left_are_placed_if_asked():
    network, x = example((2, 3, 2))
    assert place_hidden_grids(network, x, only_left=True) is network
    low, high = ends(network.layers[1])
    knots = network.layers[1].knots.copy()
    knots[1] = 0.5 * (knots[1] + 0.5 * (low[1] + high[1]))  # half as wide
    narrow = Network([network.layers[0], replace(network.layers[1], knots=knots)])

    placed = place_hidden_grids(narrow, x, only_left=True)

    stayed, moved = placed.layers[1], place_hidden_grids(narrow, x).layers[1]
    np.testing.assert_array_equal(stayed.knots[1], moved.knots[1])
    np.testing.assert_array_equal(stayed.coef[:, 1], moved.coef[:, 1])
    for i in (0, 2):
        np.testing.assert_array_equal(stayed.knots[i], narrow.layers[1].knots[i])
        np.testing.assert_array_equal(stayed.coef[:, i], narrow.layers[1].coef[:, i])


def test_an_activation_at_the_end_of_a_grid_has_not_left_it_and_one_ulp_beyond_it_has():
    """The first layer is the identity, so that samples are activations."""
    network, _ = example((2, 3, 2))
    layer = network.layers[1]
    zero = np.zeros((3, 3))
    identity = replace(
        layer,
        coef=0.0 * layer.coef[:1].repeat(3, axis=0),
        w_base=np.eye(3),
        w_spline=zero,
        mask=zero + 1.0,
        base="identity",
    )
    network = Network([identity, layer])
    at_ends = np.stack(ends(layer))

    assert place_hidden_grids(network, at_ends, only_left=True) is network
    for b, i, towards in ((0, 2, -np.inf), (1, 1, np.inf)):
        beyond = at_ends.copy()
        beyond[b, i] = np.nextafter(beyond[b, i], towards)
        moved = place_hidden_grids(network, beyond, only_left=True).layers[1].knots != layer.knots
        assert moved.any(axis=1).tolist() == [n == i for n in range(3)]


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


# --- grids change, the function stays: exactly where the finer grid contains the old one, nearly elsewhere, and on hard data too

SHAPES = [(2, 5, 1), (2, 3, 3, 1)]


def change(old, new, x):
    """Largest difference of the outputs, relative to the largest output."""
    return kr.distance(old, new, x).max / np.abs(old(x)).max()


def sampled_example(widths=(2, 5, 1), *, degree=3, n_intervals=5, seed=0, n_samples=200, **options):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n_samples, widths[0]))
    return covered_network(rng, widths, degree=degree, n_intervals=n_intervals, x=x, **options), x


def smooth_example(degree, n_intervals, widths=(2, 3, 1)):
    return sampled_example(widths, degree=degree, n_intervals=n_intervals, smooth=True)


def all_fields(layer):
    """The fields of a layer, with those of its knot vectors instead of these."""
    return {**vars(layer), **vars(layer.rows), "rows": None}


@for_all("n_intervals", [5, 40])
@for_all("widths", SHAPES)
def test_layers_with_other_knots_have_the_fields_of_those_that_are_made_of_their_arrays(widths, n_intervals):
    network, x = sampled_example(widths)

    finer = kr.extend_grid(network, n_intervals=n_intervals)
    for changed in (finer, kr.update_grid(finer, x), place_hidden_grids(finer, x)):
        for layer in changed.layers:
            anew = pickle.loads(pickle.dumps(layer))  # by the constructor
            assert all_fields(layer).keys() == all_fields(anew).keys()
            for name, value in all_fields(anew).items():
                np.testing.assert_equal(all_fields(layer)[name], value, err_msg=name)
            for array in (layer.knots, layer.breakpoints):
                assert not array.flags.writeable
    assert {layer.gathered for layer in finer.layers} == ({True} if n_intervals > 5 else {True, False})


# --- extension to a multiple


@for_all("even", [True, False])
@for_all("widths", SHAPES)
@for_all("degree", range(6))
def test_extension_in_steps_to_a_thousand_intervals_keeps_the_function_to_rounding(degree, widths, even):
    network, x = sampled_example(widths, degree=degree, even=even, seed=degree)

    finer = network
    for n_intervals in (10, 50, 1000):
        finer = kr.extend_grid(finer, n_intervals=n_intervals)
        assert change(network, finer, x) <= 1e-12

    assert [layer.n_intervals for layer in finer.layers] == [1000] * len(network.layers)
    assert np.std(network(x)) > 0.1


@given(seeds, st.integers(0, 5), st.sampled_from(["uniform", "uneven", "clamped", "repeated"]), st.integers(2, 7))
def test_a_layer_of_any_rows_keeps_its_function_everywhere(seed, degree, kind, factor):
    """With its outer knots kept on, beside and beyond the knot vector; with even ones on [a, b]."""
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 2, 2, degree=degree, n_intervals=3, kind=kind, dead=0.2, silent=0.2)
    network = Network((layer,))
    scale = np.abs(layer.coef).max() * np.abs(layer.w_spline).max()
    ends = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
    width = ends[1] - ends[0]

    for outer, reach in (("kept", 2.0), ("even", 0.0)):
        x = rng.uniform(ends[0] - reach * width, ends[1] + reach * width, (100, 2))
        if outer == "kept":  # at the knots themselves too
            x = np.concatenate([x, layer.knots.T])
        finer = kr.extend_grid(network, n_intervals=3 * factor, outer=outer)
        np.testing.assert_allclose(finer(x), network(x), rtol=0, atol=1e-12 * scale + 1e-14)


# --- extension to a number that is not a multiple


@for_all("with_samples", [False, True])
@for_all(("degree", "bound"), [(1, 2e-2), (2, 1e-3), (3, 2e-5), (4, 3e-7), (5, 1e-8)])
def test_extension_to_no_multiple_keeps_smooth_functions_nearly(degree, bound, with_samples):
    network, x = smooth_example(degree, 10)

    assert 0 < change(network, kr.extend_grid(network, x if with_samples else None, n_intervals=13), x) <= bound


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_what_it_changes_falls_with_the_power_of_degree_plus_1(degree):
    changes = []
    for n_intervals in (8, 32):
        network, x = smooth_example(degree, n_intervals)
        changes.append(
            kr.distance(network, kr.extend_grid(network, n_intervals=n_intervals + n_intervals // 2 + 1), x).rms
        )

    assert np.log(changes[0] / changes[1]) / np.log(4) >= degree


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_region_without_samples_keeps_its_curves(degree):
    """Samples fill the left half alone. A fit to them that started from nothing would erase the right half."""
    network, x = smooth_example(degree, 10, widths=(2, 1))
    left, right = x[(x < -0.1).all(axis=1)], x[(x > 0.3).all(axis=1)]

    finer = kr.extend_grid(network, left, n_intervals=13)

    assert len(left) > 20
    assert len(right) > 20
    assert kr.distance(network, finer, right).max <= 10.0 ** (-1 - degree) * np.abs(network(right)).max()
    assert min(np.abs(layer.coef).min() for layer in finer.layers) > 0


# --- grids that move


FEATURES = {
    "constant": [[0.3, -0.2]],
    "two-valued": [[0.0, -1.0], [1.0, 1.0], [0.0, 1.0]],
    "three-valued": [[-1.0, 0.1], [0.0, 0.1], [1.0, 0.1]],
    "one of them constant": [[0.25, -0.5], [0.25, 0.5], [0.25, 0.75]],
}


@for_all("share", [0.0, 0.5, 1.0])
@for_all("margin", [0.0, 1.0])
@for_all("name", FEATURES)
def test_update_keeps_the_function_on_discrete_features(name, margin, share):
    """As many values as coefficients or fewer: what the curve was there, it stays, to rounding. No w_spline is 1."""
    network, _ = sampled_example()
    x = np.array(FEATURES[name])[np.random.default_rng(1).integers(len(FEATURES[name]), size=100)]

    updated = kr.update_grid(network, x, uniform_share=share, margin=margin)

    assert change(network, updated, x) <= 1e-12


@for_all("share", [0.0, 0.5, 1.0])
@for_all(("degree", "bound"), [(1, 5e-3), (2, 2e-4), (3, 3e-6), (5, 5e-10)])
def test_update_keeps_smooth_functions_nearly(degree, bound, share):
    network, x = smooth_example(degree, 10)
    half = 0.5 * x  # the old grid is twice as wide

    updated = kr.update_grid(network, half, uniform_share=share)

    assert 0 < kr.distance(network, updated, half).rms <= bound * np.abs(network(half)).max()


@pytest.mark.parametrize("widths", SHAPES)
def test_refinement_for_training_keeps_the_function_on_its_data(widths):
    network, x = smooth_example(3, 10, widths)

    assert change(network, refine(network, x, 20), x) <= 1e-5
    assert change(network, refine(network, x, 23), x) <= 1e-5


# --- what no operation touches

OPERATIONS = {
    "extend_grid": lambda network, x: kr.extend_grid(network, n_intervals=10),
    "extend_grid to no multiple": lambda network, x: kr.extend_grid(network, x, n_intervals=7),
    "update_grid": kr.update_grid,
    "update_grid by quantiles": lambda network, x: kr.update_grid(network, x, uniform_share=0.0),
    "refine": lambda network, x: refine(network, x, 7),
    "place_hidden_grids": place_hidden_grids,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_old_network_and_the_samples_stay_bit_for_bit(name):
    network, x = sampled_example()
    before, samples, answer = bits(network), x.tobytes(), network(x)

    new = OPERATIONS[name](network, x)

    assert bits(network) == before
    assert x.tobytes() == samples
    np.testing.assert_array_equal(network(x), answer)
    assert not np.shares_memory(new.theta, network.theta)


@pytest.mark.parametrize("name", OPERATIONS)
def test_weights_and_masks_and_the_rest_are_carried_over(name):
    network, x = sampled_example(base="identity", degree=2)
    network = kr.mask_edges(network, 0, [[1, 0], [1, 1], [0, 1], [1, 1], [1, 1]])

    new = OPERATIONS[name](network, x)

    for old_layer, new_layer in zip(network.layers, new.layers, strict=True):
        np.testing.assert_array_equal(new_layer.w_base, old_layer.w_base)
        np.testing.assert_array_equal(new_layer.w_spline, old_layer.w_spline)
        np.testing.assert_array_equal(new_layer.mask, old_layer.mask)
        assert (new_layer.degree, new_layer.base) == (2, "identity")


# --- redundant parameters


SEEDS = st.integers(0, 999)
POWERS = st.sampled_from([2.0**power for power in range(-8, 9) if power])  # exact in rounding


def drawn(seed, base):
    rng = np.random.default_rng(seed)
    net = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), base=base, rng=rng)
    return net, rng.uniform(-1.5, 1.5, (50, 2))


def in_units(network, s):
    """The network with hidden nodes multiplied by `s`, and the edges above them adapted to it."""
    below, above = network.layers
    below = replace(below, w_base=below.w_base * s, w_spline=below.w_spline * s)
    above = replace(above, w_base=above.w_base / s, knots=above.knots * s)
    return kr.Network((below, above))


@given(SEEDS, POWERS, st.sampled_from(["zero", "identity"]))
def test_the_unit_of_a_hidden_node_is_free_where_edges_are_splines_and_multiples_of_x(seed, s, base):
    net, x = drawn(seed, base)
    moved = in_units(net, s)

    assert kr.distance(net, moved, x).max < 1e-12
    for one, other, factor in zip(kr.edge_scores(net, x), kr.edge_scores(moved, x), (s, 1.0), strict=True):
        np.testing.assert_allclose(other, factor * one, rtol=1e-10, atol=1e-300)


@given(SEEDS, POWERS)
def test_with_silu_the_unit_of_a_hidden_node_is_not_free(seed, s):
    net, x = drawn(seed, "silu")

    assert kr.distance(net, in_units(net, s), x).max > 1e-4 * net(x).std()


@given(SEEDS, POWERS, st.sampled_from(["zero", "identity", "silu"]))
def test_the_split_of_spline_weight_and_coefficients_is_free_with_every_base_function(seed, s, base):
    net, x = drawn(seed, base)
    split = kr.Network(tuple(replace(one, coef=one.coef / s, w_spline=one.w_spline * s) for one in net.layers))

    assert kr.distance(net, split, x).max == pytest.approx(0.0, abs=1e-13)


@given(SEEDS, POWERS, st.sampled_from([0.0, 64.0, -512.0]), st.sampled_from(["zero", "silu"]))
def test_inputs_may_have_any_unit_without_a_base_function_and_not_with_silu(seed, s, shift, base):
    net, x = drawn(seed, base)
    first, second = net.layers
    moved = kr.Network((replace(first, knots=first.knots * s + shift), second))
    change = abs(moved(x * s + shift) - net(x)).max()

    assert change < 1e-9 if base == "zero" else change > 1e-5 * net(x).std()


@given(SEEDS, st.integers(1, 8))
def test_far_below_its_grid_an_edge_with_silu_is_flat_and_far_above_it_has_the_slope_w_base(seed, n):
    net = kr.init_network((1, 1), n_intervals=n, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(seed))
    low, high = kr.input_jacobian(net, [[-40.0], [40.0]])[:, 0, 0]

    assert abs(low) < 1e-14
    assert high == pytest.approx(net.layers[0].w_base[0, 0], rel=1e-12)


@given(SEEDS, st.sampled_from([0.01, 100.0]))
def test_the_split_leaves_gauss_newton_steps_alone_to_first_order_but_not_damped_ones(seed, s):
    net, x = drawn(seed, "silu")
    split = kr.Network(tuple(replace(one, coef=one.coef / s, w_spline=one.w_spline * s) for one in net.layers))
    residuals = net(x).reshape(-1) - 1.0
    changes = []
    for one in (net, split):
        jacobian = dense_form(one.jacobian(kr.forward(one, x)[1]))
        gram = jacobian.T @ jacobian + 1e-2 * np.eye(one.n_params)
        # columns of length 1: the same directions count as none, whatever the split
        lengths = np.linalg.norm(jacobian, axis=0)
        units = jacobian / np.where(lengths > 0.0, lengths, 1.0)
        undamped = units @ np.linalg.lstsq(units, -residuals, rcond=1e-8)[0]
        damped = jacobian @ np.linalg.solve(gram, -jacobian.T @ residuals)
        changes.append((undamped, damped))
    (undamped, damped), (undamped_split, damped_split) = changes
    size = np.linalg.norm(undamped)

    assert np.linalg.norm(undamped - undamped_split) < 1e-6 * size
    assert np.linalg.norm(damped - damped_split) > 1e-4 * size


def test_a_grid_is_only_made_finer():
    network, x = sampled_example()

    for call in (lambda n: kr.extend_grid(network, n_intervals=n), lambda n: refine(network, x, n)):
        assert call(5).n_intervals == 5
        with pytest.raises(ValueError, match="n_intervals is 4"):
            call(4)
