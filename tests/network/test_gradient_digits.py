"""Whether products of a gradient check keep their digits: terms of <J^T u, v> from upstream gradients of several sizes."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.network import gradient_digits

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
        ({"near_2": [np.inf, -1.0]}, False),
        ({"near_0": [np.nan, -1.0]}, False),
        ({"rounding": 0.5, "far_250": [4.5, -1.0]}, True),
        ({"rounding": 0.5, "far_250": [4.6, -1.0]}, False),
    ],
)
def test_digits_are_kept_where_the_sum_is_the_same_at_all_sizes(terms, expected, monkeypatch):
    assert keeps(monkeypatch, **terms) == expected


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
