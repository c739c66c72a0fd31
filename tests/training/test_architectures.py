"""The architectures among which a noisy table chooses: their hidden grids, and which column is not standardised."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.network import layer_inputs
from kan_ref.training.candidates import check_standardised, initial_networks
from kan_ref.training.data_goal import check_batch


def test_hidden_grids_cover_the_activations_of_the_samples_and_little_else():
    """Equal columns fill a line of the domain alone, so random points of the domain have wider activations."""
    x = np.random.default_rng(1).normal(size=(200, 1)) * np.ones((1, 2))

    network = initial_networks(x, 1, (4,), n_intervals=3, degree=3, rng=np.random.default_rng(0))[
        "hidden"
    ]

    activations = list(layer_inputs(network.layers, x))[1]
    ends = network.layers[1].breakpoints[:, [0, -1]]
    low, high = activations.min(axis=0), activations.max(axis=0)
    assert (ends[:, 0] <= low).all()
    assert (high <= ends[:, 1]).all()
    assert (high - low > 0.5 * np.ptp(ends, axis=1)).all()


@pytest.mark.parametrize("name", ["x_train", "y_train"])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_the_column_that_is_not_standardised_is_named(name, column):
    even = np.linspace(-1.5, 1.5, 20)[:, None] * np.ones((1, 3))
    arrays = {"x_train": even, "y_train": even.copy()}
    arrays[name][:, column] += 3.0
    network = kr.init_network(
        (3, 3), n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    with pytest.raises(ValueError, match=rf"^{name} has mean 3 .* in column {column}, but"):
        check_standardised(check_batch(network, arrays["x_train"], arrays["y_train"]))
