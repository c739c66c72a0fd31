"""Refusals of training that say more than the argument's name: positions, layers, and what to write instead."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr

X = np.linspace(-0.9, 0.9, 10).reshape(5, 2)
Y = X[:, :1] * X[:, 1:]


def network(n_intervals=5, widths=(2, 3, 1)):
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )


def data(**changes):
    return SimpleNamespace(**({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y} | changes))


@for_all("value", [np.nan, np.inf])
@for_all("name", ["x_train", "y_train", "x_test", "y_test"])
def test_fit_names_numbers_that_are_not_finite_by_position(name, value):
    spoiled = getattr(data(), name).copy()
    spoiled[3, -1] = value
    column = spoiled.shape[1] - 1

    with pytest.raises(ValueError, match=f"^{name} contains {value} at row 3, column {column}"):
        kr.fit(network(), data(**{name: spoiled}))


@for_all(
    ("changes", "message"),
    [
        ({"y_train": Y[:, 0]}, r"^y_train .* give y_train\[:, None\] for one output"),
        ({"y_train": np.hstack([Y, Y])}, r"^y_train has shape \(5, 2\), .* \(batch, 1\)$"),
        ({"x_train": X[:4]}, "^y_train has 5 rows, but x_train has 4$"),
        ({"y_test": Y[:4]}, "^y_test has 4 rows, but x_test has 5$"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "^x_train has no rows"),
    ],
)
def test_fit_refuses_shapes_that_differ(changes, message):
    with pytest.raises(ValueError, match=message):
        kr.fit(network(), data(**changes))


@for_all("settings", [{"optimizer": "adamw"}, {"n_steps": -1}, {"grids": (5, 4)}, {"loss": "mae"}])
def test_fit_refuses_settings_before_anything_runs(settings):
    called = []

    with pytest.raises(ValueError, match=f"^{next(iter(settings))} is "):
        kr.fit(network(), data(), callback=called.append, **settings)

    assert called == []


def test_the_finest_layer_of_a_network_decides_which_grid_is_coarser():
    mixed = kr.Network((*network(5, (2, 3)).layers, *network(8, (3, 1)).layers))

    with pytest.raises(ValueError, match=r"^grids begins with 6, but the network has 8 intervals"):
        kr.fit(mixed, data(), grids=(6,))
    with pytest.raises(ValueError, match=r"^n_intervals is 6, but layer 1 has 8 already"):
        kr.extend_grid(mixed, n_intervals=6)


def test_a_schedule_of_grids_needs_a_network():
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))

    with pytest.raises(TypeError, match=r"^grids is .* only the grids of a Network are refined"):
        kr.fit(mlp, data(), grids=(3, 5))


@for_all("optimizer", ["lm", "lbfgs", "adam"])
def test_a_callback_that_returns_an_array_is_reported(optimizer):
    """An array of one number would stop the run or not, by chance."""
    for shape in ((2,), (1, 1)):
        with pytest.raises(TypeError, match=f"^callback .* shape {re.escape(str(shape))}"):
            kr.fit(network(), data(), optimizer=optimizer, callback=lambda _, n=shape: np.zeros(n))
    answers = iter([None, False, np.False_, np.True_])
    run = kr.fit(
        network(), data(), optimizer=optimizer, n_steps=5, callback=lambda step: next(answers)
    )
    assert run.stopped.startswith("the callback asked to stop after step 3")


def test_two_classes_of_one_name_are_reported():
    with pytest.raises(ValueError, match=r"^classes has 'a' twice"):
        kr.predict_labels(network(widths=(2, 3)), X, classes=["b", "a", "a"])
