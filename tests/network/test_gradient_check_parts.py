"""What a gradient check moves, what it pulls back, how it compares, and in which networks it checks dx."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network import gradient_check, gradient_steps
from kan_ref.network.symbolic_edges import SymbolicEdge

BLOCKS = ("coef", "w_base", "w_spline")
STEP = 1e-5


def made(widths=(2, 3, 2), *, seed=0, degree=3, domain=(-1.0, 1.0)):
    rng = np.random.default_rng(seed)
    network = kr.init_network(widths, n_intervals=4, degree=degree, domain=domain, rng=rng)
    return network, rng.uniform(*domain, (15, widths[0])), rng


# --- directions


def steps_of(network, x, rng, **options):
    """(theta moves or not, change of theta and of activations in one step, scales) of every comparison."""
    ends, found = [], []
    with pytest.MonkeyPatch.context() as patch:

        def activations(network, theta, points):
            ends.append(theta)
            return gradient_steps.activations(network, theta, points)

        def clear_of_kinks(network, before, scales, after):
            theta = (ends[-1] - ends[-2]) / (2.0 * STEP)
            pairs = zip(before, after, strict=True)
            found.append((theta, [(b - a) / (2.0 * STEP) for a, b in pairs], scales))
            return gradient_steps.clear_of_kinks(network, before, scales, after)

        patch.setattr(gradient_check, "_partial", lambda network, x: [])
        patch.setattr(gradient_check, "activations", activations)
        patch.setattr(gradient_check, "clear_of_kinks", clear_of_kinks)
        kr.check_gradients(network, x, rng=rng, n_directions=1, step=STEP, **options)
    return found


def hidden_pace(changes, scales):
    return max(
        (
            np.abs(change / unit).max()
            for change, unit in zip(changes[1:-1], scales.lengths[1:], strict=True)
        ),
        default=0.0,
    )


def output_pace(changes, scales):
    return np.abs(changes[-1] / scales.units).max()


@given(seeds, st.sampled_from([-3.0, 0.0, 3.0]), st.sampled_from([-3.0, 0.0, 3.0]))
def test_inputs_move_in_units_of_their_lengths_and_hidden_nodes_by_at_most_one_of_theirs(
    seed, steepness, size
):
    """Steep first layers, hidden nodes that bend early or late: the step in x becomes shorter, never longer."""
    network, x, rng = made(seed=seed)
    first, last = network.layers
    first = replace(first, w_base=first.w_base * 10.0**steepness, coef=first.coef * 10.0**steepness)
    last = replace(last, knots=last.knots * 10.0**size)
    network = kr.Network((first, last))

    for theta, changes, scales in steps_of(network, x, rng)[:1]:
        assert not theta.any()
        assert hidden_pace(changes, scales) <= 1.1
        relative = np.abs(changes[0] / scales.lengths[0])
        assert relative.max() < 6.0  # of some hundred normal numbers
        pace = np.max(np.abs(changes[1] / scales.lengths[1]), axis=1)
        slow = pace < 0.5
        assert slow.sum() < 8 or 0.1 < np.sqrt(np.mean(relative[slow] ** 2)) < 3.0


@given(seeds, st.sampled_from([-3.0, 0.0, 3.0]))
def test_each_kind_of_parameter_moves_hidden_nodes_or_outputs_by_one_unit_at_most(seed, power):
    network, x, rng = made(seed=seed)
    network = network.with_theta(10.0**power * network.theta)

    blocks = steps_of(network, x, rng)[1:-1]

    assert len(blocks) == 2 * len(BLOCKS)
    for n, (theta, changes, scales) in enumerate(blocks):
        sizes = [getattr(layer, name).size for layer in network.layers for name in BLOCKS]
        start = sum(sizes[:n])
        assert not np.delete(theta, slice(start, start + sizes[n])).any()
        assert not changes[0].any()
        pace = (hidden_pace if n < len(BLOCKS) else output_pace)(changes, scales)
        assert 0.9 < pace < 1.1 or (pace == 0.0 and n > 2)  # no activation lies on a hidden grid


@given(seeds, st.sampled_from([-4.0, -1.0, 0.0, 2.0]))
def test_all_parameters_together_move_by_no_more_than_their_values_and_one_unit(seed, power):
    network, x, rng = made(seed=seed)
    network = network.with_theta(10.0**power * network.theta)

    theta, changes, scales = steps_of(network, x, rng)[-1]

    moved, pace = network.with_theta(theta), hidden_pace(changes, scales)
    assert not changes[0].any()
    assert pace < 1.1
    for layer, own in zip(network.layers, moved.layers, strict=True):
        for name in BLOCKS:
            values, change = (
                np.abs(getattr(one, name).reshape(layer.n_out, layer.n_in, -1)).max(axis=2)
                for one in (layer, own)
            )
            assert (change <= (1.0 + 1e-6) * values + 1e-9 * 10.0**power).all()
            assert change.any()


def test_the_last_layer_moves_where_most_outputs_are_almost_zero():
    """silu far on the left: half of the outputs of this network are below 1e-60."""
    network, x, rng = made(seed=24548)
    network = network.with_theta(100.0 * network.theta)
    assert np.median(np.abs(network(x))) < 1e-60

    moves = [theta[network.layers[0].n_params :] for theta, *_ in steps_of(network, x, rng)]

    assert [bool(move.any()) for move in moves] == [False] * 4 + [True] * 4


@given(seeds)
def test_symbolic_parameters_move_by_their_units_even_where_that_moves_nodes_little(seed):
    network, x, rng = made((2, 2, 1), seed=seed)
    first, last = network.layers
    edges = [SymbolicEdge(0, 0, LIBRARY["sin"], 0), SymbolicEdge(1, 1, LIBRARY["x^2"], 1)]
    mask = 1.0 - np.eye(2)
    first = replace(first, mask=mask, symbolic=edges, affine=rng.normal(size=(2, 4)) + 3.0)
    network = kr.Network((first, replace(last, knots=1e4 * last.knots, base="zero")))  # long units

    theta, changes, scales = steps_of(network, x, rng)[4]

    units = gradient_steps._affine_units(first, x)
    own = theta[first.n_params - 8 : first.n_params].reshape(2, 4)
    assert np.count_nonzero(theta) == 8
    assert hidden_pace(changes, scales) < 1.0
    assert np.abs(own / units).max() < 6.0
    assert np.sqrt(np.mean((own / units) ** 2)) > 0.1


@pytest.mark.parametrize("power", [-6.0, 0.0, 6.0])
def test_upstream_gradients_are_normal_numbers_in_units_of_the_outputs(power):
    network, x, rng = made((2, 2))
    network, pulled = network.with_theta(10.0**power * network.theta), []

    def backward(network, caches, dy):
        pulled.append(dy)
        return kr.backward(network, caches, dy)

    kr.check_gradients(network, x, rng=rng, backward=backward)

    units = gradient_steps.measure_scales(network, x, kr.forward(network, x)[1]).units
    full = [dy * units for n, dy in enumerate(pulled) if n % 7 not in (1, 2)]  # not of the parts
    assert 0.8 < np.std(full) < 1.2
    assert np.abs(full).max() < 6.0


# --- networks and samples


def test_a_network_without_active_edges_has_no_error():
    network, x, rng = made((2, 2))
    network = kr.mask_edges(network, 0, np.zeros((2, 2)))

    report = kr.check_gradients(network, x, rng=rng)

    assert report.worst == 0.0


def test_a_sample_at_a_kink_counts_for_no_part_even_if_only_inputs_move_it():
    network, x, rng = made((1, 2), degree=1)
    x[4] = 0.5  # a knot

    assert kr.check_gradients(network, x, rng=rng).n_samples == len(x) - 1


def test_without_options_a_check_has_the_documented_ones():
    network, x, _ = made()
    documented = {"n_directions": 3, "step": 1e-5, "tolerance": 1e-7}

    reports = [
        kr.check_gradients(network, x, rng=np.random.default_rng(1), **options)
        for options in ({}, documented)
    ]

    assert reports[0] == reports[1]
    signature = inspect.signature(kr.check_gradients).parameters
    assert {name: signature[name].default for name in documented} == documented


def only(network, x, kind):
    """The outputs of a network with one kind of summand, "w_base" or "w_spline", alone."""
    other = {"w_base": "w_spline", "w_spline": "w_base"}[kind]
    layers = [replace(one, **{other: np.zeros_like(one.w_base)}) for one in network.layers]
    return kr.Network(layers)(x)


@given(seeds)
def test_dx_is_checked_without_splines_and_without_base_functions_too(seed):
    rng = np.random.default_rng(seed)
    network = with_formulas(rng, random_network(rng, widths=(2, 3, 2), degrees=[3]), share=0.2)
    x = random_batch(rng, network.layers[0], 4)

    parts = gradient_check._partial(network, x)

    active = [
        any((layer.mask * getattr(layer, name)).any() for layer in network.layers)
        for name in ("w_base", "w_spline")
    ]
    if all(active):
        for part, kind in zip(parts, ("w_base", "w_spline"), strict=True):
            np.testing.assert_array_equal(part(x), only(network, x, kind))
    else:
        assert parts == []


@pytest.mark.parametrize("missing", ["w_base", "w_spline"])
def test_a_network_of_one_kind_of_summand_is_checked_once_and_one_that_lacks_it_in_a_layer_thrice(
    missing,
):
    network, x, _ = made()
    first, last = (
        replace(layer, **{missing: np.zeros_like(layer.w_base)}) for layer in network.layers
    )

    assert gradient_check._partial(kr.Network((first, last)), x) == []
    assert len(gradient_check._partial(kr.Network((first, network.layers[1])), x)) == 2
    assert len(gradient_check._partial(kr.Network((network.layers[0], last)), x)) == 2


def test_a_part_that_is_undefined_where_the_network_is_defined_is_left_out():
    """The spline cancels the base function; without it, the argument of exp becomes too large at one sample."""
    knots = kr.uniform_knots(0.0, 2000.0, 2, 3)
    greville = np.array([np.mean(knots[0, m + 1 : m + 4]) for m in range(5)])
    line = kr.Layer(knots, -greville[None, None], *[[[1.0]]] * 3, 3, "identity")
    edge = SymbolicEdge(0, 0, LIBRARY["exp"], 0)
    exp = kr.Layer(knots, np.zeros((1, 1, 5)), *[[[0.0]]] * 3, 3, "zero", [edge], [[1, 0, 1, 0]])
    network, x = kr.Network((line, exp)), np.array([[1.0], [1500.0]])

    assert len(gradient_check._partial(network, x[:1])) == 2
    assert len(gradient_check._partial(network, x)) == 1
    assert kr.check_gradients(network, x, rng=np.random.default_rng(0)).worst <= 1e-7


def test_sizes_beyond_float64_at_one_sample_are_rejected():
    knots = kr.uniform_knots([-1.0, -1.0], [1.0, 1.0], 2, 1)
    layer = kr.Layer(
        knots, np.zeros((1, 2, 3)), [[1.0, 1.0]], [[0.0] * 2], [[1.0] * 2], 1, "identity"
    )
    x = np.array([[0.1, 0.2], [1.5e308, -1.5e308], [0.3, 0.4]])

    with pytest.raises(ValueError, match=r"^x and the parameters give activations or derivatives"):
        kr.check_gradients(kr.Network((layer,)), x, rng=np.random.default_rng(0))


# --- comparisons


def comparison(*numbers, tolerance=1e-7):
    """The error that a comparison keeps."""
    network, x, rng = made((1, 1))
    check = gradient_check._Check.of(network, x, STEP, tolerance, rng)
    check._compare("part", numbers[0], numbers[1:], keeps=lambda: True)
    return check.errors["part"]


sizes = st.floats(-9.0, 3.0).map(lambda power: 10.0**power)


@given(sizes, sizes, st.floats(0.0, 0.999), st.sampled_from([-1.0, 1.0]))
def test_an_accepted_difference_has_an_error_of_at_most_the_tolerance(scale, rounding, part, sign):
    apart = sign * part * (1e-7 * scale + rounding)

    error = comparison(apart, 0.0, scale, rounding)

    assert error == pytest.approx(part * 1e-7, rel=1e-6)


@given(sizes, sizes, st.floats(1.001, 100.0), st.sampled_from([-1.0, 1.0]))
def test_a_difference_beyond_tolerance_and_rounding_is_rejected(scale, rounding, factor, sign):
    with pytest.raises(ValueError, match=r"^part is wrong: "):
        comparison(0.0, sign * factor * (1e-7 * scale + rounding), scale, rounding)


def test_two_equal_numbers_have_no_error_even_without_any_scale():
    assert comparison(0.0, 0.0, 0.0, 0.0) == 0.0
    assert comparison(2.0, 2.0, 0.0, 0.0, tolerance=0.0) == 0.0
    assert comparison(1.0, 1.0 - 5e-8, 1.0, 0.0) == pytest.approx(5e-8, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_gradient_of_zeros_has_the_difference_as_its_scale_whatever_the_sign(seed, monkeypatch):
    """Its relative error is 1, or less where the rounding error of the outputs divided by 1e-7 is not small beside the difference."""
    network, x, rng = made(seed=seed)
    seen, compare = [], gradient_check._Check._compare

    def spy(check, name, by_backward, numbers, keeps):
        seen.append((by_backward, *numbers))
        return compare(check, name, by_backward, numbers, keeps)

    def zeros(network, caches, dy):
        return np.zeros_like(x), network.with_theta(np.zeros(network.n_params))

    monkeypatch.setattr(gradient_check._Check, "_compare", spy)

    with pytest.raises(ValueError, match=r"\(relative error ") as caught:
        kr.check_gradients(network, x, rng=rng, backward=zeros)

    by_backward, difference, scale, rounding = seen[-1]
    assert by_backward == 0.0
    assert scale == abs(difference) > 0.0
    error = scale / (scale + rounding / 1e-7)
    assert f"(relative error {error:.1g}, allowed 1e-07)" in str(caught.value)


def test_a_small_error_in_an_edge_of_small_weight_is_found():
    """The coefficients of that edge take part in the direction of one block as all others do."""
    network, x, rng = made((2, 1))
    (layer,) = network.layers
    network = kr.Network((replace(layer, w_spline=[[1.0, 1e-3]]),))
    block = slice(layer.n_basis, 2 * layer.n_basis)

    def wrong(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        theta = grads.theta.copy()
        theta[block] *= 1.0 + 1e-5
        return dx, grads.with_theta(theta)

    with pytest.raises(ValueError, match=r"^d_coef of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong)
