"""Large batches by chunks of samples: sizes, coverage and the same outputs."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.network import definedness, evaluate, sample_numbers, sample_slices
from kan_ref.network.definedness import chunk_size, outputs_at
from kan_ref.network.layer import layer_outputs


def a_layer(n_in=3, n_out=2, n_intervals=5, degree=3):
    return kr.init_network(
        (n_in, n_out),
        n_intervals=n_intervals,
        degree=degree,
        domain=(-1.0, 1.0),
        rng=np.random.default_rng(0),
    ).layers[0]


@pytest.mark.parametrize(
    ("numbers", "n_samples", "size"),
    [
        (2**10, 2**12, 2**12),  # 32 MiB at once
        (2**10, 2**12 + 1, 2**10),  # else 8 MiB
        (2**13, 2**12, 256),  # but 256 samples at least
        (2**30, 3, 256),
        (1, 0, 1),
    ],
)
def test_a_batch_is_evaluated_at_once_up_to_32_mebibytes(numbers, n_samples, size):
    assert chunk_size(numbers, n_samples) == size


def test_the_numbers_of_a_sample_are_those_of_the_largest_layer():
    """Basis functions, four nonzero ones with derivatives and places, and outputs."""
    small, large = a_layer(1, 1), a_layer(3, 2)

    assert sample_numbers([large]) == 3 * (8 + 3 * 3 + 5) + 2
    assert sample_numbers([small, large]) == sample_numbers([large]) > sample_numbers([small])


def test_a_large_batch_is_evaluated_by_chunks_and_gives_the_same_outputs(monkeypatch):
    layer, sizes = a_layer(), []
    x = np.random.default_rng(1).uniform(-1.2, 1.2, (700, 3))
    whole = outputs_at(layer, x)

    def watched(layer, x, **options):
        sizes.append(len(x))
        return evaluate(layer, x, **options)

    monkeypatch.setattr(definedness, "_AT_ONCE", 1000)
    monkeypatch.setattr(definedness, "_NUMBERS", 1000)
    monkeypatch.setattr(definedness, "evaluate", watched)
    parts = outputs_at(layer, x)

    assert sizes == [256, 256, 188]
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14)
    np.testing.assert_allclose(whole, layer_outputs(layer, evaluate(layer, x)), atol=1e-15)
    assert parts.T.flags.c_contiguous  # batch last in memory, as without chunks
    assert whole.T.flags.c_contiguous


def test_chunks_cover_every_sample_once():
    assert [(part.start, part.stop) for part in sample_slices(10, 4)] == [(0, 4), (4, 8), (8, 10)]
    assert list(sample_slices(0, 4)) == []
