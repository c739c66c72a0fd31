"""Many edges named at once."""

import numpy as np
import pytest
from networks import random_network, with_formulas

import kan_ref as kr


def three_layers(seed=0, share=0.5):
    """A network with splines, formulas, some of them locked, and masked edges; and samples."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, degrees=(3,), widths=(2, 3, 2, 1), kind="uniform", base="silu")
    network = with_formulas(rng, network, share=share)
    return network, rng.uniform(-1.0, 1.0, (50, 2))


def plain_network(widths=(2, 2, 1)):
    return kr.init_network(
        widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )


def kinds(network):
    """What stands on each edge: the name of a function, "spline" or "0"."""
    found = []
    for layer in network.layers:
        names = np.where(layer.mask == 1.0, "spline", "0").astype(object)
        for edge in layer.symbolic:
            names[edge.output, edge.input] = edge.name
        found.append(names.tolist())
    return found


# --- patterns


def test_a_pattern_names_edges_masks_edges_and_leaves_the_others():
    pattern = [[["sin", None], ["0", "log"]], [["exp", "0"]]]

    fixed = kr.fix_pattern(plain_network(), pattern)

    assert kinds(fixed) == [[["sin", "spline"], ["0", "log"]], [["exp", "0"]]]


def test_a_pattern_fits_each_edge_to_the_network_as_it_was():
    """As `fix_symbolic` on each edge of the same network does."""
    network, x = plain_network(), np.random.default_rng(1).uniform(-1.0, 1.0, (80, 2))

    fixed = kr.fix_pattern(network, [[["sin", "x^2"], ["tanh", None]], [["exp", None]]], x)

    for layer, j, i, name in [
        (0, 0, 0, "sin"),
        (0, 0, 1, "x^2"),
        (0, 1, 0, "tanh"),
        (1, 0, 0, "exp"),
    ]:
        alone = kr.fix_symbolic(network, layer, output=j, input=i, name=name, x=x).layers[layer]
        (edge,) = [e for e in fixed.layers[layer].symbolic if (e.output, e.input) == (j, i)]
        np.testing.assert_array_equal(fixed.layers[layer].affine[edge.row], alone.affine[0])


def test_a_pattern_of_none_changes_nothing_and_a_masked_edge_stays_masked():
    network, x = three_layers()

    same = kr.fix_pattern(network, [None, [[None] * 3, [None] * 3], None], x)
    some = kr.fix_pattern(network, [[["0", None], [None] * 2, [None] * 2], None, None])

    assert kinds(same) == kinds(network)
    np.testing.assert_array_equal(same.theta, network.theta)
    expected = kinds(network)
    expected[0][0][0] = "0"
    assert kinds(some) == expected


def test_without_samples_an_edge_that_has_its_function_keeps_its_parameters():
    first = kr.fix_symbolic(
        plain_network((1, 1)), 0, output=0, input=0, name="sin", affine=(2.0, 0.1, 3.0, 0.4)
    )

    assert kr.fix_pattern(first, [[["sin"]]]).layers[0].affine.tolist() == [[2.0, 0.1, 3.0, 0.4]]
    assert kr.fix_pattern(first, [[["cos"]]]).layers[0].affine.tolist() == [[1.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize("pattern", [[], [[["sin"]], None], [None, "sin"]])
def test_a_pattern_of_another_shape_is_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        kr.fix_pattern(plain_network(), pattern)
