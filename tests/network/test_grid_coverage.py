"""Coverage: shares and distances of the samples outside the grids, counted one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr
from kan_ref.network import uncovered

RNG = np.random.default_rng


def network(widths=(2, 3, 1), **settings):
    return kr.init_network(
        widths, **({"n_intervals": 4, "degree": 3, "domain": (-1.0, 1.0), "rng": RNG(0)} | settings)
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 3.0))
def test_shares_and_distances_are_those_of_a_count_sample_by_sample(seed, size):
    net = network()
    x = RNG(seed).uniform(-size, size, (30, 2))

    found = kr.coverage(net, x)

    hidden = [x, net.layers[0] and kr.edge_outputs(net, x)[0].sum(axis=2)]
    for layer, h in enumerate(hidden):
        outside = set()
        for i, row in enumerate(net.layers[layer].breakpoints):
            step = (row[-1] - row[0]) / 4
            below = [b for b in range(30) if h[b, i] < row[0]]
            above = [b for b in range(30) if h[b, i] > row[-1]]
            far = [(row[0] - h[b, i]) / step for b in below]
            far += [(h[b, i] - row[-1]) / step for b in above]
            assert found.below[layer][i] == len(below) / 30
            assert found.above[layer][i] == len(above) / 30
            np.testing.assert_allclose(found.distance[layer][i], max(far, default=0.0), rtol=1e-9)
            outside |= {*below, *above}
        assert found.outside[layer] == len(outside) / 30


@given(st.integers(0, 2**32 - 1))
def test_samples_that_leave_no_grid_are_the_covered_ones(seed):
    net, x = network(), RNG(seed).uniform(-2.0, 2.0, (20, 2))

    alone = [any(kr.coverage(net, row[None]).outside) for row in x]

    assert uncovered(net, x).tolist() == alone


def test_the_ends_of_a_grid_belong_to_it():
    net = network((1, 1))

    assert kr.coverage(net, [[-1.0], [1.0]]).outside == (0.0,)
    assert kr.coverage(net, [[np.nextafter(1.0, 2.0)]]).outside == (1.0,)


def test_an_input_without_spline_edges_is_covered():
    net = kr.fix_symbolic(network((2, 1)), 0, output=0, input=0, name="x")
    net = kr.mask_edges(net, 0, [[1, 0]])

    assert kr.coverage(net, [[50.0, 50.0]]).outside == (0.0,)


def test_the_text_lists_the_inputs_that_are_left():
    x = [[0.0, 0.0], [0.0, -1.5], [0.0, 1.25], [0.1, 0.1]]

    text = str(kr.coverage(network((2, 1)), x))

    assert text.splitlines() == [
        "of 4 samples 2 leave the grid of layer 0",
        "layer  input   below   above  farthest, in intervals",
        "    0      1  25.00%  25.00%                       1",
    ]


def test_the_text_says_that_nothing_is_outside():
    found = kr.coverage(network((2, 1)), [[0.0, 0.0]])

    assert str(found) == "no layer has one of the 1 sample outside its grid"
    assert repr(found) == "Coverage(1 samples, outside the grid of each layer: 0.00%)"


def test_no_sample_is_an_error():
    with pytest.raises(ValueError, match="x has no rows, but coverage needs at least one sample"):
        kr.coverage(network(), np.zeros((0, 2)))
