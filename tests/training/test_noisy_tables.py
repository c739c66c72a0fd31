"""Noisy tables: what cross-validation chooses, and that the choice is as robust as the mean of the targets."""

import numpy as np
import pytest

import kan_ref as kr

FEW = {"n_steps": 30, "weights": (1e-2, 0.1), "n_folds": 3}


def table(f, n_inputs=2, *, n=120, noise=0.3, seed=0):
    """Standardised samples of f with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (2 * n, n_inputs))
    y = f(x).reshape(2 * n, -1)
    y = (y - y.mean(axis=0)) / max(y.std(), 1e-12)
    noisy = y + noise * rng.standard_normal(y.shape)
    return kr.Data(x[:n], noisy[:n] - noisy[:n].mean(axis=0), x[n:], y[n:])


def validated(data, **changes):
    return kr.fit_validated(data, **({"rng": np.random.default_rng(0)} | FEW | changes))


@pytest.mark.parametrize(
    ("f", "architecture"),
    [
        (lambda x: 0.0 * x[:, 0], "constant"),
        (lambda x: x[:, 0] - x[:, 1], "linear"),
        (lambda x: np.sin(2.0 * x[:, 0]) + x[:, 1] ** 2, "additive"),
        (lambda x: x[:, 0] * x[:, 1], "hidden"),
    ],
    ids=["constant", "linear", "additive", "hidden"],
)
def test_the_simplest_sufficient_architecture_is_chosen(f, architecture):
    data = table(f, noise=0.3 if architecture != "constant" else 1.0, seed=1)

    run = validated(data)

    assert run.chosen.architecture == architecture
    assert run.chosen in run.candidates
    assert run.stopped.startswith("chosen of 7: " + architecture)
