"""The gradient checker does not depend on units: small and large grids, inputs far from 0, outputs of any size."""

import re

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_network, rescaled, seeds, with_formulas
from test_gradient_check_can_fail import FAULTS, backward_with, example

import kan_ref as kr

KINKS = "cross a kink"
powers = st.floats(-6.0, 6.0)
output_powers = st.floats(-12.0, 12.0)


def accepted(network, x, rng):
    """Whether some sample was away from kinks; the checker raises if it finds an error."""
    try:
        report = kr.check_gradients(network, x, rng=rng, n_directions=1)
    except ValueError as error:
        if KINKS in str(error):
            return False
        raise
    assert report.worst <= 1e-7
    return True


@given(seeds)
def test_right_gradients_are_accepted_on_grids_and_outputs_of_any_size(seed):
    """Three networks a seed: each input and hidden node has a unit of its own from 1e-6 to 1e6, each output from 1e-12 to 1e12."""
    counted = 0
    for number in range(3):
        rng = np.random.default_rng([seed, number])
        network = random_network(rng)
        x = random_batch(rng, network.layers[0], int(rng.integers(2, 12)), at_knots=number == 0)
        counted += accepted(*rescaled(rng, network, x), rng)

    assert counted >= 1


@given(
    seeds,
    st.sampled_from(["silu", "identity", "zero"]),
    st.integers(0, 5),
    powers,
    st.sampled_from([(-1.0, 1.0), (0.0, 1.0), (100.0, 110.0), (-1010.0, -1000.0)]),
    output_powers,
)
def test_right_gradients_of_new_networks_are_accepted_on_any_domain(
    seed, base, degree, power, ends, output_power
):
    rng = np.random.default_rng(seed)
    domain = tuple(10.0**power * end for end in ends)
    network = kr.init_network(
        (2, 3, 2), n_intervals=4, degree=degree, domain=domain, base=base, rng=rng
    )
    network = network.with_theta(10.0**output_power * network.theta)
    x = rng.uniform(*domain, (20, 2))

    assert accepted(network, x, rng)


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1e2, 1e6])
def test_right_gradients_of_symbolic_edges_are_accepted_in_any_unit(scale):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        network = with_formulas(rng, random_network(rng, widths=(2, 2, 1), degrees=[3]))
        first, *others = network.layers
        affine = first.affine * [1.0 / scale, 1.0, 1.0, 1.0]
        unit = kr.Layer(
            first.knots * scale,
            first.coef,
            first.w_base / scale,
            first.w_spline,
            first.mask,
            3,
            first.base,
            first.symbolic,
            affine,
        )
        x = scale * random_batch(rng, network.layers[0], 8)

        assert accepted(kr.Network((unit, *others)), x, rng)


@given(seeds, st.sampled_from(sorted(FAULTS)))
def test_every_injected_bug_is_found_on_grids_and_outputs_of_any_size(seed, fault):
    network, x, _ = example(seed)
    rng = np.random.default_rng(seed)
    network, x = rescaled(rng, network, x, shifted=False)
    _, faults = FAULTS[fault]

    with pytest.raises(ValueError, match=" is wrong: along a random direction"):
        kr.check_gradients(network, x, rng=rng, backward=backward_with(**faults))


@for_all("scale", [1e-6, 1.0, 1e6])
@for_all("block", ["coef", "w_base", "w_spline"])
def test_a_bug_in_a_block_that_is_zero_is_found(block, scale):
    """The block starts at 0, so that its typical size says nothing about the step."""
    rng = np.random.default_rng(0)
    domain = (-scale, scale)
    network = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=domain, rng=rng)
    arrays = {name: getattr(network.layers[0], name) for name in ("coef", "w_base", "w_spline")}
    arrays[block] = np.zeros_like(arrays[block])
    first = kr.Layer(
        network.layers[0].knots, **arrays, mask=network.layers[0].mask, degree=3, base="silu"
    )
    network = kr.Network((first, *network.layers[1:]))
    x = rng.uniform(*domain, (9, 2))
    start = {"coef": 0, "w_base": first.coef.size, "w_spline": first.coef.size + 6}[block]

    def wrong(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        theta = grads.theta.copy()
        theta[start : start + first.w_base.size] *= 1.01
        return dx, grads.with_theta(theta)

    assert accepted(network, x, rng)
    with pytest.raises(ValueError, match=re.escape(f"d_{block} of layer 0 is wrong")):
        kr.check_gradients(network, x, rng=rng, backward=wrong)


@given(seeds, st.integers(0, 2), st.floats(-1.0, 1.0), powers)
def test_samples_beside_a_knot_at_which_a_derivative_jumps_give_no_false_alarm(
    seed, degree, distance, power
):
    """The other samples count, in either unit; the distance is up to twice the step."""
    rng, scale = np.random.default_rng(seed), 10.0**power
    network = kr.init_network(
        (1, 2, 1), n_intervals=4, degree=degree, domain=(-scale, scale), rng=rng
    )
    near = scale * (np.array([-0.5, 0.0, 0.5]) + 1e-5 * distance)
    x = np.concatenate([near, scale * np.array([-0.77, 0.13, 0.61])])[:, None]

    assert accepted(network, x, rng)
