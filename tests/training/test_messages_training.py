"""Every refusal of the goal and workshop floors: a builtin exception and one sentence with name, what came, and the rule."""

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


def spoiled(array, place, value):
    copy = array.copy()
    copy[place] = value
    return copy


def assert_refused(kind, sentence, call):
    """The whole sentence, in one line, in lower case but for names, without a full stop."""
    with pytest.raises(kind) as refusal:
        call()
    assert type(refusal.value) is kind
    message = str(refusal.value)
    assert re.fullmatch(sentence, message), message
    assert "\n" not in message
    assert not message.endswith(".")


# --- value_and_grad

BATCHES = {
    "flat y": (
        {"y": Y[:, 0]},
        ValueError,
        r"y has shape \(5,\), but needs shape \(batch, n_out\): give y\[:, None\] for one output, .*",
    ),
    "y too wide": (
        {"y": np.hstack([Y, Y])},
        ValueError,
        r"y has shape \(5, 2\), but needs shape \(batch, 1\)",
    ),
    "x too wide": (
        {"x": np.ones((5, 3))},
        ValueError,
        r"x has shape \(5, 3\), but needs shape \(batch, 2\)",
    ),
    "lengths": ({"y": Y[:3]}, ValueError, "y has 3 rows, but x has 5"),
    "no rows": (
        {"x": X[:0], "y": Y[:0]},
        ValueError,
        "x has no rows, but a loss needs at least one sample",
    ),
    "nan": (
        {"x": spoiled(X, (3, 1), np.nan)},
        ValueError,
        "x contains nan at row 3, column 1, but needs finite numbers",
    ),
    "infinite": (
        {"y": spoiled(Y, (2, 0), -np.inf)},
        ValueError,
        "y contains -inf at row 2, column 0, but needs finite numbers",
    ),
    "text": (
        {"x": [["a", "b"]]},
        TypeError,
        "x has dtype <U1, but needs real numbers",
    ),
    "complex": (
        {"y": Y + 1j},
        TypeError,
        r"y has dtype complex128, but needs real numbers",
    ),
    "booleans": (
        {"y": Y > 0},
        TypeError,
        r"y has dtype bool, but needs real numbers",
    ),
    "loss": ({"loss": "mae"}, ValueError, r"loss is 'mae', but must be one of 'mse'.*"),
    "loss of another kind": (
        {"loss": None},
        TypeError,
        "loss is None, but must be one of 'mse', 'cross_entropy', 'logistic'",
    ),
    "weight": (
        {"smoothness_weight": -1.0},
        ValueError,
        r"smoothness_weight is -1\.0, but must be at least 0",
    ),
    "weight not finite": (
        {"smoothness_weight": np.inf},
        ValueError,
        "smoothness_weight is inf, but must be finite",
    ),
    "weight of another kind": (
        {"smoothness_weight": "1"},
        TypeError,
        "smoothness_weight is '1', but must be a real number",
    ),
}


@for_all("name", BATCHES)
def test_value_and_grad_refuses(name):
    arguments, kind, sentence = BATCHES[name]

    assert_refused(
        kind, sentence, lambda: kr.value_and_grad(network(), **({"x": X, "y": Y} | arguments))
    )


# --- fit: data

DATA = {
    "flat y_train": (
        {"y_train": Y[:, 0]},
        ValueError,
        r"y_train has shape \(5,\), but needs shape \(batch, n_out\): give y_train\[:, None\] for one output, .*",
    ),
    "flat y_test": (
        {"y_test": Y[:, 0]},
        ValueError,
        r"y_test has shape \(5,\), but needs shape \(batch, n_out\): give y_test\[:, None\] for one output, .*",
    ),
    "outputs": (
        {"y_train": np.hstack([Y, Y])},
        ValueError,
        r"y_train has shape \(5, 2\), but needs shape \(batch, 1\)",
    ),
    "inputs": (
        {"x_test": X[:, :1]},
        ValueError,
        r"x_test has shape \(5, 1\), but needs shape \(batch, 2\)",
    ),
    "lengths": ({"x_train": X[:4]}, ValueError, "y_train has 5 rows, but x_train has 4"),
    "lengths of the test": ({"y_test": Y[:4]}, ValueError, "y_test has 4 rows, but x_test has 5"),
    "no training samples": (
        {"x_train": X[:0], "y_train": Y[:0]},
        ValueError,
        "x_train has no rows, but a loss needs at least one sample",
    ),
    "test targets alone": ({"x_test": X[:0]}, ValueError, "y_test has 5 rows, but x_test has 0"),
    "nan in x_train": (
        {"x_train": spoiled(X, (0, 1), np.nan)},
        ValueError,
        "x_train contains nan at row 0, column 1, but needs finite numbers",
    ),
    "nan in y_train": (
        {"y_train": spoiled(Y, (4, 0), np.nan)},
        ValueError,
        "y_train contains nan at row 4, column 0, but needs finite numbers",
    ),
    "inf in x_test": (
        {"x_test": spoiled(X, (1, 0), np.inf)},
        ValueError,
        "x_test contains inf at row 1, column 0, but needs finite numbers",
    ),
    "nan in y_test": (
        {"y_test": spoiled(Y, (3, 0), np.nan)},
        ValueError,
        "y_test contains nan at row 3, column 0, but needs finite numbers",
    ),
    "text": (
        {"x_train": [["a", "b"]] * 5},
        TypeError,
        "x_train has dtype <U1, but needs real numbers",
    ),
    "objects": (
        {"y_train": np.array([[None]] * 5)},
        TypeError,
        r"y_train has dtype object, but needs real numbers",
    ),
}


@for_all("name", DATA)
def test_fit_refuses_data_by_name_and_position(name):
    changes, kind, sentence = DATA[name]

    assert_refused(kind, sentence, lambda: kr.fit(network(), data(**changes)))


# --- fit: settings

SETTINGS = {
    "optimizer": (
        {"optimizer": "adamw"},
        ValueError,
        r"optimizer is 'adamw', but must be one of 'lm', 'lm_cg', 'lbfgs', 'bfgs', 'ssbfgs', 'ssbroyden', 'adam' \(did you mean 'adam'\?\)",
    ),
    "optimizer nearly": (
        {"optimizer": "lbgfs"},
        ValueError,
        r"optimizer is 'lbgfs', but must be one of 'lm', 'lm_cg', 'lbfgs', 'bfgs', 'ssbfgs', 'ssbroyden', 'adam' \(did you mean 'lbfgs'\?\)",
    ),
    "optimizer of another kind": (
        {"optimizer": 3},
        TypeError,
        "optimizer is 3, but must be one of 'lm', 'lm_cg', 'lbfgs', 'bfgs', 'ssbfgs', 'ssbroyden', 'adam'",
    ),
    "steps": ({"n_steps": -1}, ValueError, "n_steps is -1, but must be at least 0"),
    "half a step": ({"n_steps": 2.5}, TypeError, r"n_steps is 2\.5, but must be an integer"),
    "true steps": ({"n_steps": True}, TypeError, "n_steps is True, but must be an integer"),
    "loss": (
        {"loss": "crossentropy"},
        ValueError,
        r"loss is 'crossentropy', but must be one of 'mse', 'cross_entropy', 'logistic' \(did you mean 'cross_entropy'\?\)",
    ),
    "weight": (
        {"smoothness_weight": -1e-9},
        ValueError,
        "smoothness_weight is -1e-09, but must be at least 0",
    ),
    "weight nan": (
        {"smoothness_weight": np.nan},
        ValueError,
        "smoothness_weight is nan, but must be finite",
    ),
    "update_grids": (
        {"update_grids": 1},
        TypeError,
        "update_grids is 1, but must be True or False",
    ),
    "grids fall": ({"grids": (5, 10, 7)}, ValueError, r"grids is \(5, 10, 7\), but must not fall"),
    "grids coarser": (
        {"grids": (4, 8)},
        ValueError,
        "grids begins with 4, but the network has 5 intervals already and a grid is only made finer",
    ),
    "grids empty": (
        {"grids": ()},
        ValueError,
        "grids is empty, but a schedule needs at least one number of intervals",
    ),
    "grids text": (
        {"grids": "5"},
        TypeError,
        r"grids is '5', but must be a sequence of integers such as \(5, 10, 20\)",
    ),
    "grids a number": (
        {"grids": 5},
        TypeError,
        r"grids is 5, but must be a sequence of integers such as \(5, 10, 20\)",
    ),
    "grids a set": (
        {"grids": {5}},
        TypeError,
        r"grids is \{5\}, but must be a sequence of integers such as \(5, 10, 20\)",
    ),
    "grids of floats": (
        {"grids": (5, 10.0)},
        TypeError,
        r"grids\[1\] is 10\.0, but must be an integer",
    ),
    "grids of text": ({"grids": ("5",)}, TypeError, r"grids\[0\] is '5', but must be an integer"),
    "grids of nothing": ({"grids": (0, 5)}, ValueError, r"grids\[0\] is 0, but must be at least 1"),
    "trainable text": (
        {"trainable": "coef"},
        TypeError,
        r"trainable is 'coef', but must be a sequence of names such as \('coef', 'w_base'\)",
    ),
    "trainable empty": (
        {"trainable": ()},
        ValueError,
        r"trainable is \(\), but needs at least one name, each once",
    ),
    "trainable twice": (
        {"trainable": ("coef", "coef")},
        ValueError,
        r"trainable is \('coef', 'coef'\), but needs at least one name, each once",
    ),
    "trainable unknown": (
        {"trainable": ("coef", "w_spine")},
        ValueError,
        r"trainable is 'w_spine', but must be one of 'coef', 'w_base', 'w_spline', 'symbolic' \(did you mean 'w_spline'\?\)",
    ),
    "trainable of numbers": (
        {"trainable": (1,)},
        TypeError,
        "trainable is 1, but must be one of 'coef', 'w_base', 'w_spline', 'symbolic'",
    ),
}


@for_all("name", SETTINGS)
def test_fit_refuses_settings_before_anything_runs(name):
    settings, kind, sentence = SETTINGS[name]
    called = []

    assert_refused(
        kind, sentence, lambda: kr.fit(network(), data(), callback=called.append, **settings)
    )

    assert called == []


def test_fit_names_the_finest_layer_of_a_network_that_a_schedule_would_make_coarser():
    fine = network(8, (3, 1)).layers[0]
    mixed = kr.Network((*network(5, (2, 3)).layers, fine))

    assert_refused(
        ValueError,
        "grids begins with 6, but the network has 8 intervals already and a grid is only made finer",
        lambda: kr.fit(mixed, data(), grids=(6,)),
    )


def test_a_schedule_of_grids_needs_a_network():
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))

    assert_refused(
        TypeError,
        r"grids is \(3, 5\), but only the grids of a Network are refined during a run: this is MLP.*",
        lambda: kr.fit(mlp, data(), grids=(3, 5)),
    )


OPTIMIZERS = ("lm", "lm_cg", "lbfgs", "bfgs", "ssbroyden", "adam")


@for_all("optimizer", OPTIMIZERS)
def test_a_callback_that_returns_an_array_is_reported(optimizer):
    """An array of one number would stop the run or not, by chance."""
    for shape in ((2,), (1, 1)):
        assert_refused(
            TypeError,
            f"callback returned an array of shape {re.escape(str(shape))}, but must return True to "
            "stop the run, or else False or None",
            lambda shape=shape: kr.fit(
                network(), data(), optimizer=optimizer, callback=lambda step: np.zeros(shape)
            ),
        )
    answers = iter([None, False, np.False_, np.True_])
    run = kr.fit(
        network(), data(), optimizer=optimizer, n_steps=5, callback=lambda step: next(answers)
    )
    assert run.stopped.startswith("the callback asked to stop after step 3")


@for_all("optimize", [kr.adam, kr.lbfgs, kr.bfgs])
def test_so_it_is_where_an_optimizer_is_called_itself(optimize):
    with pytest.raises(TypeError, match="callback returned an array of shape"):
        optimize(
            lambda t: (float(t @ t), 2.0 * t), np.ones(3), callback=lambda iterate: iterate.theta
        )


NEED_A_NETWORK = {
    "fit": lambda value: kr.fit(value, data()),
    "value_and_grad": lambda value: kr.value_and_grad(value, X, Y),
    "predict_labels": lambda value: kr.predict_labels(value, X),
    "coverage": lambda value: kr.coverage(value, X),
    "input_jacobian": lambda value: kr.input_jacobian(value, X),
}


@for_all("name", NEED_A_NETWORK)
def test_an_array_in_place_of_a_network_is_reported_by_its_shape(name):
    call = NEED_A_NETWORK[name]
    table = np.random.default_rng(0).normal(size=(50, 2))

    assert_refused(
        TypeError, r"network is an array of shape \(50, 2\), but .*", lambda: call(table)
    )
    assert_refused(
        TypeError, r"network is \[array\(.*\.\.\..*\], but .*", lambda: call([table] * 3)
    )
    assert_refused(TypeError, r"network is array\(\[1\.\]\), but .*", lambda: call(np.ones(1)))


def test_other_arguments_show_a_large_array_by_its_shape_too():
    table = np.random.default_rng(0).normal(size=(50, 2))

    for name in ("optimizer", "n_steps", "penalty_weight", "callback", "rng", "update_grids"):
        assert_refused(
            TypeError,
            rf"{name} is an array of shape \(50, 2\), but .*",
            lambda name=name: kr.fit(network(), data(), **{name: table}),
        )


def test_preconditions_are_listed_with_none():
    assert_refused(
        ValueError,
        "precondition is 'x', but must be one of 'auto', 'jacobian', None",
        lambda: kr.fit(network(), data(), precondition="x"),
    )


def test_two_classes_of_one_name_are_reported():
    two = network(widths=(2, 3))

    assert_refused(
        ValueError,
        "classes has 'a' twice, but each class needs a name of its own",
        lambda: kr.predict_labels(two, X, classes=["b", "a", "a"]),
    )
    assert kr.predict_labels(two, X, classes=np.array([2, 0, 1])).shape == (5,)


def test_a_gradient_that_overflows_at_the_start_is_reported_with_scaling():
    """inf times 0 is nan, as the derivative of an undefined function is."""
    large = data(x_train=1e150 * X, y_train=1e130 * X[:, :1])

    with pytest.raises(ValueError, match=r"needs finite.*, or scale x, y and .*kan_ref\.scaled"):
        kr.best_start((2, 2, 1), large, n_intervals=3, degree=3, rng=np.random.default_rng(0))


# --- grids

MOVES = {
    "coarser": (
        lambda: kr.extend_grid(network(), n_intervals=4),
        ValueError,
        "n_intervals is 4, but layer 0 has 5 already and a grid is only made finer",
    ),
    "nothing": (
        lambda: kr.extend_grid(network(), n_intervals=0),
        ValueError,
        "n_intervals is 0, but must be at least 1",
    ),
    "not whole": (
        lambda: kr.extend_grid(network(), n_intervals=10.0),
        TypeError,
        r"n_intervals is 10\.0, but must be an integer",
    ),
    "no samples": (
        lambda: kr.extend_grid(network(), X[:0], n_intervals=7),
        ValueError,
        r"x has shape \(0, 2\), but placing a grid needs at least one sample",
    ),
    "wrong samples": (
        lambda: kr.extend_grid(network(), X[:, :1], n_intervals=7),
        ValueError,
        r"x has shape \(5, 1\), but needs shape \(batch, 2\)",
    ),
    "samples that do not matter": (
        lambda: kr.extend_grid(network(), spoiled(X, (1, 1), np.nan), n_intervals=10),
        ValueError,
        "x contains nan at row 1, column 1, but needs finite numbers",
    ),
    "share": (
        lambda: kr.update_grid(network(), X, uniform_share=1.5),
        ValueError,
        r"uniform_share is 1\.5, but must be between 0 and 1",
    ),
    "share of another kind": (
        lambda: kr.update_grid(network(), X, uniform_share="half"),
        TypeError,
        "uniform_share is 'half', but must be a real number",
    ),
    "margin": (
        lambda: kr.update_grid(network(), X, margin=-0.1),
        ValueError,
        r"margin is -0\.1, but must be at least 0",
    ),
    "update without samples": (
        lambda: kr.update_grid(network(), X[:0]),
        ValueError,
        r"x has shape \(0, 2\), but placing a grid needs at least one sample",
    ),
    "update with inf": (
        lambda: kr.update_grid(network(), spoiled(X, (0, 0), np.inf)),
        ValueError,
        "x contains inf at row 0, column 0, but needs finite numbers",
    ),
}


@for_all("name", MOVES)
def test_moving_grids_refuses(name):
    call, kind, sentence = MOVES[name]

    assert_refused(kind, sentence, call)


def test_extension_names_the_layer_that_would_be_coarser():
    mixed = kr.Network((*network(5, (2, 3)).layers, *network(8, (3, 1)).layers))

    assert_refused(
        ValueError,
        "n_intervals is 6, but layer 1 has 8 already and a grid is only made finer",
        lambda: kr.extend_grid(mixed, n_intervals=6),
    )


# --- curves

ROW = kr.uniform_knots(0.0, 1.0, 4, 2)[0]
CURVES = {
    "no points": (
        {"x": [], "y": np.zeros((0, 1))},
        ValueError,
        "x has 0 points and y 0 rows, but a fit needs the same number, at least 1",
    ),
    "lengths": (
        {"y": [[1.0]]},
        ValueError,
        "x has 2 points and y 1 rows, but a fit needs the same number, at least 1",
    ),
    "flat y": (
        {"y": [1.0, 2.0]},
        ValueError,
        r"y has shape \(2,\), but needs shape \(n, n_out\): give y\[:, None\]",
    ),
    "nan": (
        {"x": [0.1, np.nan]},
        ValueError,
        "x contains nan at position 1, but needs finite numbers",
    ),
    "nan in y": (
        {"y": [[1.0], [np.nan]]},
        ValueError,
        "y contains nan at row 1, column 0, but needs finite numbers",
    ),
    "two rows": (
        {"knots": np.stack([ROW, ROW])},
        ValueError,
        r"knots has shape \(2, 9\), but needs shape \(n_knots,\)",
    ),
    "falling": (
        {"knots": ROW[::-1]},
        ValueError,
        r"knots must be nondecreasing along each row; row 0 decreases from 1\.5 to 1\.25 at position 1",
    ),
    "too few knots": (
        {"knots": ROW[:5]},
        ValueError,
        r"knots has 5 knots in a row, but degree 2 needs at least 6 \(2 degree \+ 2\)",
    ),
    "degree": ({"degree": -1}, ValueError, "degree is -1, but must be at least 0"),
    "start": (
        {"start": np.zeros((1, 5))},
        ValueError,
        r"start has shape \(1, 5\), but needs shape \(1, 6\)",
    ),
}


@for_all("name", CURVES)
def test_fitting_a_curve_refuses(name):
    changes, kind, sentence = CURVES[name]
    arguments = {"x": [0.1, 0.2], "y": [[1.0], [2.0]], "knots": ROW, "degree": 2} | changes

    assert_refused(kind, sentence, lambda: kr.fit_curve(**arguments))


# --- starts

STARTS = {
    "no starts": ({"n_starts": 0}, ValueError, "n_starts is 0, but must be at least 1"),
    "half a start": ({"n_starts": 0.5}, TypeError, r"n_starts is 0\.5, but must be an integer"),
    "share": (
        {"validation_share": 0.6},
        ValueError,
        r"validation_share is 0\.6, but must be between 0 and 0\.5",
    ),
    "rng": (
        {"rng": 0},
        TypeError,
        r"rng is 0, but must be a numpy\.random\.Generator such as numpy\.random\.default_rng\(0\)",
    ),
    "widths": (
        {"widths": (2,)},
        ValueError,
        r"widths is \(2,\), but a network needs at least two numbers of nodes",
    ),
    "inputs": (
        {"widths": (3, 1)},
        ValueError,
        r"^x_train has shape \(5, 2\), but needs shape \(batch, 3\)",
    ),
    "outputs": (
        {"widths": (2, 2)},
        ValueError,
        r"y_train has shape \(5, 1\), but needs shape \(batch, 2\)",
    ),
    "steps": ({"n_steps": -1}, ValueError, "n_steps is -1, but must be at least 0"),
    "optimizer": (
        {"optimizer": "sgd"},
        ValueError,
        "optimizer is 'sgd', but must be one of 'lm', 'lm_cg', 'lbfgs', 'bfgs', 'ssbfgs', 'ssbroyden', 'adam'",
    ),
    "base": (
        {"base": "relu"},
        ValueError,
        "base is 'relu', but must be one of 'silu', 'identity', 'zero'",
    ),
    "flat y": (
        {"data": data(y_train=Y[:, 0])},
        ValueError,
        r"y_train has shape \(5,\), but needs shape \(n_train, n_out\): give y_train\[:, None\]",
    ),
    "nan": (
        {"data": data(x_test=spoiled(X, (2, 0), np.nan))},
        ValueError,
        "x_test contains nan at row 2, column 0, but needs finite numbers",
    ),
    "no data": (
        {"data": {"x_train": X}},
        TypeError,
        r"data is a dict without attribute x_train, but needs x_train, y_train, x_test, y_test \(as kan_ref\.Data has them; kan_ref\.Data\.split\(x, y, rng=rng\) splits x and y\)",
    ),
}


@for_all("function", [kr.run_starts, kr.best_start])
@for_all("name", STARTS)
def test_starts_refuse(name, function):
    changes, kind, sentence = STARTS[name]
    arguments = {
        "widths": (2, 1),
        "data": data(),
        "n_intervals": 3,
        "degree": 3,
        "rng": np.random.default_rng(0),
    } | changes

    assert_refused(kind, sentence, lambda: function(**arguments))
