"""The gradient checker does not depend on units: grids and outputs of any size, and whether products keep their digits."""

import re

import hypothesis
import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_network, rescaled, seeds, with_formulas
from test_gradient_check_can_fail import FAULTS, backward_with, example

import kan_ref as kr
from kan_ref.network import gradient_check, gradient_digits

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


@hypothesis.example(seed=42055)  # silu underflows at all samples
@hypothesis.example(seed=141888)
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


def test_a_base_function_that_underflows_moves_nothing_and_is_accepted():
    """silu(-740) is about 1e-319: a step of its weight that moves the output would lie beyond float64."""
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 2), n_intervals=3, degree=3, domain=(-741.0, -730.0), rng=rng)
    x = rng.uniform(-740.0, -735.0, (5, 1))

    assert 0.0 < np.abs(kr.forward(network, x)[1][0].base).max() < 1e-300
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


@hypothesis.example(seed=1979578, fault="mask missing in d_coef")  # in rows of small w_spline
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


# --- products that underflow


def scaled_blocks(**powers):
    """A network of sizes (2, 2, 1) whose arrays of a layer, such as coef_0, are multiplied by powers of 10; inputs."""
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    theta = [
        10.0 ** powers.get(f"{name}_{number}", 0.0) * getattr(layer, name).ravel()
        for number, layer in enumerate(network.layers)
        for name in ("coef", "w_base", "w_spline")
    ]
    return network.with_theta(np.concatenate(theta)), rng.uniform(-1.0, 1.0, (12, 2))


def small(power):
    return {f"{name}_{n}": power for name in ("coef", "w_base", "w_spline") for n in (0, 1)}


@for_all("power", [-162.0, -200.0, -250.0, -280.0])
def test_a_gradient_that_underflows_cannot_be_checked_and_is_not_wrong(power):
    """d_coef of layer 0 is a product of two parameters; its direction is so long that the outputs change by more than rounding."""
    network, x = scaled_blocks(**small(power))

    with pytest.raises(
        ValueError,
        match=r"^d_coef of layer 0 cannot be checked: along a random direction backward gives .*, a central difference "
        r".*e-\d+, but products leave the range .* \(2\.2e-308 to 1\.8e308\): scale x, y and the parameters to size one$",
    ):
        kr.check_gradients(network, x, rng=np.random.default_rng(1), n_directions=1)


@for_all("power", [-20.0, -100.0, -150.0])
def test_small_parameters_whose_products_keep_their_digits_are_checked(power):
    network, x = scaled_blocks(**small(power))

    assert accepted(network, x, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"^d_coef of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=np.random.default_rng(1), backward=with_offset(1.01))


@for_all("power", [-160.0, -200.0])
def test_a_jacobian_that_underflows_cannot_be_checked_where_backward_from_large_gradients_does_not(
    power,
):
    """Backward starts from u of size 10^-power, the rows of the Jacobian from 1."""
    network, x = scaled_blocks(
        w_spline_0=power, coef_0=-power, coef_1=power, w_base_1=power, w_spline_1=power
    )

    with pytest.raises(ValueError, match=r"^jacobian cannot be checked: .*, but products leave"):
        kr.check_gradients(network, x, rng=np.random.default_rng(1), n_directions=1)
    accept = kr.check_gradients(network, x, rng=np.random.default_rng(1), backward=kr.backward)
    assert accept.worst <= 1e-7


def with_offset(factor, offset=0.0):
    """A backward pass whose gradient with respect to the first coefficients is multiplied, and moved by a number without u."""

    def backward(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        theta = grads.theta.copy()
        first = network.layers[0].coef.size
        theta[:first] = factor * theta[:first] + offset
        return dx, grads.with_theta(theta)

    return backward


def test_a_backward_pass_that_is_not_linear_is_wrong_and_not_excused_by_underflow():
    """An added number is lost beside large upstream gradients, as an underflow is; the package's own pass tells them apart."""
    network, x = scaled_blocks()

    with pytest.raises(ValueError, match=r"^d_coef of layer 0 is wrong"):
        kr.check_gradients(
            network, x, rng=np.random.default_rng(1), backward=with_offset(1.0, 1e-3)
        )


def test_a_wrong_jacobian_of_small_outputs_is_wrong(monkeypatch):
    network, x = scaled_blocks(w_base_1=-100.0, coef_1=-100.0)
    right = gradient_check.multiply
    monkeypatch.setattr(gradient_check, "multiply", lambda rows, v: 1.01 * right(rows, v))

    with pytest.raises(ValueError, match=r"^jacobian is wrong"):
        kr.check_gradients(network, x, rng=np.random.default_rng(1))


NEAR, FAR = (-64, 0, 64), (250, 500, 1000)


def keeps(monkeypatch, tolerance=0.25, rounding=0.0, **changed):
    """The answer for terms (3, -1) at all powers of 2, but those that are `changed`, as far_250."""
    terms = {power: [3.0, -1.0] for power in (*NEAR, *FAR)}
    names = {f"near_{n}": power for n, power in enumerate(NEAR)}
    names |= {f"far_{power}": power for power in FAR}
    terms |= {names[name]: value for name, value in changed.items()}
    monkeypatch.setattr(
        gradient_digits, "_terms", lambda *arguments: np.array(terms[arguments[-1]])
    )
    return gradient_digits.keeps_digits(None, None, None, None, tolerance, rounding)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, True),
        ({"far_250": [4.0, -1.0]}, True),  # as far apart as 0.25 (3 + 1) allows
        ({"far_250": [4.01, -1.0]}, False),
        ({"far_1000": [4.01, -1.0]}, False),
        ({"near_0": [0.0, 0.0]}, False),
        ({"near_1": [0.0, 0.0]}, False),
        ({"near_2": [0.0, 0.0]}, False),
        ({"far_500": [np.inf, -1.0], "far_1000": [np.nan, np.inf]}, True),  # they have overflowed
        # the scale is that of the largest terms, 40 here, although one power has terms of 4
        ({"near_1": [21.0, -19.0], "far_250": [12.0, -1.0]}, True),
        ({"near_1": [21.0, -19.0], "far_250": [13.1, -1.0]}, False),
        ({"near_2": [np.inf, -1.0]}, False),
        ({"near_0": [np.nan, -1.0]}, False),
        ({"rounding": 0.5, "far_250": [4.5, -1.0]}, True),
        ({"rounding": 0.5, "far_250": [4.6, -1.0]}, False),
    ],
)
def test_digits_are_kept_where_the_sum_is_the_same_at_all_sizes(terms, expected, monkeypatch):
    assert keeps(monkeypatch, **terms) == expected


def test_terms_may_be_as_small_as_the_least_scale_and_differences_must_be_finite():
    gradient_digits.check_digits("dx", 1e-300, 1e-290)
    for difference, scale in ((1e-300, np.nextafter(1e-290, 0.0)), (np.inf, 1.0), (np.nan, 1.0)):
        with pytest.raises(ValueError, match=r"^dx cannot be checked: .* the outputs change by"):
            gradient_digits.check_digits("dx", difference, scale)


def test_terms_are_those_of_backward_whatever_the_power():
    """Powers of 2 change nothing where products keep their digits; numbers of v that are 0 are left out."""
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    x, u = rng.uniform(-1.0, 1.0, (5, 2)), rng.normal(size=(5, 2))
    _, caches = kr.forward(network, x)
    dx, grads = kr.backward(network, caches, u)
    v = rng.normal(size=x.size + network.n_params)
    v[::3] = 0.0
    expected = (np.concatenate([dx.ravel(), grads.theta]) * v)[v != 0.0]

    for power in (-64, 0, 500):
        found = gradient_digits._terms(network, caches, u, v, power)
        np.testing.assert_array_equal(found, expected)
