"""A new network: the paper's random numbers, on grids that lie where the data are."""

import numpy as np
import pytest
from cases import for_all
from scipy import stats

import kan_ref as kr


def made(widths=(2, 5, 3), *, seed=0, n_intervals=5, degree=3, domain=(-1.0, 1.0), **options):
    return kr.init_network(
        widths,
        n_intervals=n_intervals,
        degree=degree,
        domain=domain,
        rng=np.random.default_rng(seed),
        **options,
    )


def ends(layer):
    """Low and high end of each grid, (n_in,) each."""
    return layer.breakpoints[:, 0], layer.breakpoints[:, -1]


# --- numbers

WIDE = {"widths": (40, 50, 30), "n_intervals": 5, "degree": 3}


@pytest.mark.parametrize("number", [0, 1])
def test_coefficients_are_normal_with_standard_deviation_one_tenth(number):
    coef = made(**WIDE).layers[number].coef

    assert coef.std() == pytest.approx(
        0.1, rel=0.02
    )  # of 12000 numbers or more: three standard errors
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
    "options",
    [{}, {"x": np.random.default_rng(1).uniform(-1, 1, (30, 2))}],
    ids=["bounds", "probe batch"],
)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(options):
    one, same, other = made(seed=3, **options), made(seed=3, **options), made(seed=4, **options)

    assert one.theta.tobytes() == same.theta.tobytes()
    assert all(
        a.knots.tobytes() == b.knots.tobytes() for a, b in zip(one.layers, same.layers, strict=True)
    )
    assert not np.array_equal(one.theta, other.theta)


@for_all("base", ["silu", "identity", "zero"])
@for_all("degree", [0, 1, 7])
def test_sizes_degree_and_base_are_those_asked_for(degree, base):
    network = made((3, 2, 4), n_intervals=6, degree=degree, base=base)

    assert network.widths == (3, 2, 4)
    assert [(layer.n_intervals, layer.degree, layer.base) for layer in network.layers] == [
        (6, degree, base)
    ] * 2
    assert network.n_params == (3 * 2 + 2 * 4) * (6 + degree + 2)


# --- grids


def test_all_grids_are_uniform_and_continue_beyond_their_ends():
    network = made(
        domain=[[0.0, 1.0], [-3.0, 5.0]],
        x=np.random.default_rng(3).uniform(0, 1, (50, 2)),
        n_intervals=4,
    )

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
def test_hidden_grids_hold_the_activations_of_the_probe_batch_with_a_margin(
    given, n_intervals, share
):
    """The margin is R / n_intervals or 5 % of R, what is more; x serves as probe batch before the samples do."""
    samples, x = (
        np.random.default_rng(5).uniform(-1, 1, (60, 2)),
        np.random.default_rng(6).uniform(-0.5, 0.2, (25, 2)),
    )
    options = {
        "samples": {"domain": samples},
        "bounds and x": {"x": x},
        "samples and x": {"domain": samples, "x": x},
    }[given]

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
    paper, own = (
        made((2, 4, 1), domain=(-1.0, 1.0), x=x, n_intervals=10, **options)
        for options in ({}, {"y": y})
    )

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
