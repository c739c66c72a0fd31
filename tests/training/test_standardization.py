"""Standardized data and their inverse, units of the data, and scaled variables of the objective.

Training does not depend on units, or says that it does. Scaled variables are the same objective in other variables, so that optimizers see
columns of similar length.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import Frame
from oracles_training import samples

import kan_ref as kr
from kan_ref.numerics import column_squares, dense_form
from kan_ref.training.data_goal import MSE, DataGoal, check_batch
from kan_ref.training.notes import note_on_outputs, note_on_units
from kan_ref.training.objective import make_objective
from kan_ref.training.variables import LayerMetric, layer_metric, parameter_scale

RNG = np.random.default_rng
units = st.floats(-1e6, 1e6, allow_subnormal=False)


def data(x, y, **settings):
    return kr.Data(x, y, x[:2], y[:2], **settings)


@given(arrays(float, (7, 3), elements=units), arrays(float, (7, 2), elements=units))
def test_training_columns_have_mean_0_and_deviation_1_or_are_constant(x, y):
    new, scaler = kr.scaled(data(x, y))

    for old, columns in ((x, new.x_train), (y, new.y_train)):
        size = np.abs(old).max(axis=0)
        flat = np.ptp(old, axis=0) <= 1e-14 * size
        deviation = np.where(flat, 1.0, columns.std(axis=0))
        np.testing.assert_allclose(deviation, 1.0, rtol=1e-9)
        # of numbers of size one: squares of small ones underflow
        ratio = np.where(flat, 1.0, (old / np.where(flat, 1.0, size)).std(axis=0))
        assert (np.abs(columns.mean(axis=0)) <= 1e-14 * (1.0 + 1.0 / ratio)).all()
    assert (scaler.x_scale > 0.0).all()


@given(arrays(float, (7, 3), elements=units), arrays(float, (7, 2), elements=units))
def test_the_way_back_returns_the_data(x, y):
    new, scaler = kr.scaled(data(x, y))

    for old, back, transformed in (
        (x, scaler.inverse_x(new.x_train), scaler.transform_x(x)),
        (y, scaler.inverse_y(new.y_train), scaler.transform_y(y)),
    ):
        np.testing.assert_allclose(back, old, rtol=0.0, atol=1e-15 * (1.0 + np.abs(old).max()))
        assert transformed.shape == old.shape
    np.testing.assert_array_equal(new.x_test, scaler.transform_x(x[:2]))


@pytest.mark.parametrize("size", [1e-100, 1.0, 1e100])
def test_columns_of_any_size_are_standardized(size):
    x = size * np.array([[1.0], [2.0], [4.0]])

    new, _ = kr.scaled(data(x, x))

    np.testing.assert_allclose(new.x_train.std(), 1.0, rtol=1e-12)


def test_a_constant_column_becomes_0_with_scale_1():
    x = np.full((7, 1), 0.1)

    new, scaler = kr.scaled(data(x, x))

    assert scaler.x_scale.tolist() == [1.0]
    assert not new.x_train.any()
    assert scaler.inverse_y(new.y_train).tolist() == x.tolist()


@for_all("constant", [0.0, 2e-6, -0.1, 3e17])
def test_a_network_with_errors_predicts_a_constant_target_exactly(constant):
    import sympy

    x = np.linspace(-1.0, 1.0, 9)[:, None]
    _, scaler = kr.scaled(data(x, np.column_stack([1e-6 * x, np.full(9, constant)])))

    predicted = scaler.inverse_y([[0.5, 0.3]])[0, 1]
    found = scaler.formula((sympy.Symbol("x_1"), 0.3 + sympy.Symbol("x_1")))[1]

    assert predicted == constant
    assert float(found) == constant


SHARES = RNG(0).dirichlet([1, 1, 1], 60)


@pytest.mark.parametrize(
    "column",
    [
        SHARES.sum(axis=1),
        1e-20 * SHARES.sum(axis=1),
        1.0 - np.finfo(float).eps * np.linspace(0.0, 8.0, 60),
        1.7e18 + RNG(0).uniform(0.0, 2000.0, 60),
    ],
    ids=["sums of shares", "small sums", "8 roundings", "nanoseconds"],
)
def test_a_column_that_is_constant_up_to_rounding_becomes_exactly_0_and_is_named(column):
    x = np.column_stack([SHARES[:, 0], column])
    assert np.ptp(column) > 0.0

    new, scaler = kr.scaled(kr.Data(x, x, x[::-1], x))

    assert not new.x_train[:, 1].any()
    assert not new.y_train[:, 1].any()
    assert not new.x_test[:, 1].any()
    assert scaler.x_constant.tolist() == scaler.y_constant.tolist() == [False, True]
    np.testing.assert_allclose(scaler.inverse_y(new.y_train)[:, 1], column, rtol=2e-15)


def test_a_number_beside_a_constant_column_keeps_its_distance():
    x = 1.0 + np.finfo(float).eps * np.array([[0.0], [4.0], [0.0], [0.0], [0.0]])

    _, scaler = kr.scaled(data(x, x))

    np.testing.assert_allclose(scaler.transform_x([[1.5], [1.0]]), [[0.5], [0.0]], rtol=1e-14)


def test_a_table_with_columns_in_another_order_is_not_scaled():
    x = np.arange(12.0).reshape(6, 2)
    scaler = kr.scaled(kr.Data(x, x, x, x, names=("a", "b")))[1]
    unnamed = kr.scaled(kr.Data(x, x, x, x))[1]

    for method in ("transform_x", "inverse_x"):
        ours, other = getattr(scaler, method), getattr(unnamed, method)
        np.testing.assert_array_equal(ours(Frame.of("ab", x)), ours(x))
        np.testing.assert_array_equal(other(Frame.of("ba", x)), ours(x))
        with pytest.raises(ValueError, match=r"^x has the columns \('b', 'a'\), "):
            ours(Frame.of("ba", x))


def test_later_changes_of_the_callers_arrays_do_not_change_a_scaler():
    numbers = np.ones((4, 2))
    scaler = kr.Scaler(*numbers)

    numbers[:] = 5.0

    assert scaler.transform_x([[3.0, 3.0]]).tolist() == [[2.0, 2.0]]
    assert scaler.inverse_y([[3.0, 3.0]]).tolist() == [[4.0, 4.0]]


def test_class_labels_names_and_classes_stay():
    labels = np.array([0, 1] * 5)
    given = data(
        RNG(0).normal(size=(10, 2)), labels, names=("a", "b"), classes=np.array(["no", "yes"])
    )

    new, scaler = kr.scaled(given)

    assert new.y_train.tolist() == labels.tolist()
    assert new.names == ("a", "b")
    assert new.classes.tolist() == ["no", "yes"]
    assert scaler.y_mean is None
    assert scaler.transform_y(labels).tolist() == labels.tolist()
    assert scaler.inverse_y(labels).tolist() == labels.tolist()
    assert repr(scaler).endswith("y class labels)")


def symbolic(widths, seed=0):
    """A network of symbolic edges that are defined everywhere."""
    rng = RNG(seed)
    net = kr.init_network(widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for number, layer in enumerate(net.layers):
        for j, i in np.ndindex(layer.mask.shape):
            name = str(rng.choice(["sin", "x^2", "tanh", "x"]))
            net = kr.fix_symbolic(
                net, number, output=j, input=i, name=name, affine=rng.uniform(-1.0, 1.0, 4)
            )
    return net


@pytest.mark.parametrize("seed", range(5))
def test_a_formula_in_the_users_units_has_the_values_of_the_scaled_network(seed):
    import sympy

    x = RNG(seed).normal(size=(9, 2)) * [1e-4, 30.0] + [5e-3, -700.0]
    y = 1e5 * np.column_stack([x[:, 0], x[:, 1] ** 2]) + 3.0
    _, scaler = kr.scaled(data(x, y, names=("e", "mass of it")))
    net = symbolic((2, 2, 2), seed)

    found = scaler.formula(kr.formula(net, names=("e", "mass of it")))

    wanted = scaler.inverse_y(net(scaler.transform_x(x)))
    symbols = [sympy.Symbol("e"), sympy.Symbol("mass of it")]
    values = [
        [float(part.xreplace(dict(zip(symbols, map(float, row), strict=True)))) for part in found]
        for row in x
    ]
    np.testing.assert_allclose(values, wanted, rtol=1e-11, atol=1e-11 * np.abs(wanted).max())


@for_all(
    "name, x",
    [("exp", 2000.0 + 6.0 * SHARES), ("sigmoid", 2000.0 + 6.0 * SHARES)],
    ids=["years", "sigmoid of years"],
)
def test_a_formula_in_the_users_units_has_no_numbers_beyond_float64(name, x):
    import sympy

    _, scaler = kr.scaled(data(x, x[:, :1]))
    net = symbolic((3, 1))
    for i in range(2):
        net = kr.fix_symbolic(net, 0, output=0, input=i, name=name, affine=(0.5, 3.0, 0.7, 0.1))

    found = scaler.formula(kr.formula(net))

    values = sympy.lambdify(sympy.symbols("x_1:4"), found)(*x.T)
    wanted = scaler.inverse_y(net(scaler.transform_x(x)))[:, 0]
    np.testing.assert_allclose(values, wanted, rtol=0.0, atol=3e-10 * np.abs(wanted).max())


def test_a_line_in_standardized_variables_is_a_line_in_the_users_units():
    import sympy

    x = np.array([[10.0], [20.0], [40.0]])
    _, scaler = kr.scaled(data(x, 3.0 * x + 5.0))

    found = scaler.formula(sympy.Symbol("x_1"))  # u = z
    slope, shift = sympy.Poly(found, sympy.Symbol("x_1")).all_coeffs()

    assert abs(slope - 3.0) < 1e-14
    assert abs(shift - 5.0) < 1e-12


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda s, a: s.formula(a, names=("b",)), "expression contains 'a', but the inputs are"),
        (lambda s, a: s.formula((a, a)), "expression has 2 parts, but the data have 1 outputs"),
        (lambda s, a: s.formula(a, names=("a", "b")), "names has 2 names, but there is 1 input"),
        (
            lambda s, a: s.transform_x([[1.0, 2.0]]),
            r"x has shape \(1, 2\), but needs shape \(batch",
        ),
        (lambda s, a: kr.Scaler([0.0], [0.0], None, None), r"x_scale is \[0.0\], but must be posi"),
        (lambda s, a: kr.Scaler([0.0], [1.0, 1.0], None, None), r"x_scale has shape \(2,\), but"),
        (lambda s, a: s.inverse_y([[1e300]]), "^y is so large that y in its own units lies beyond"),
        (
            lambda s, a: kr.Scaler([0.0], [1e-9], None, None).transform_x([[1e300]]),
            "^x is so large that standardized x lies beyond float64 .* scale x to size one$",
        ),
    ],
)
def test_what_does_not_fit_a_scaler_is_reported(call, sentence):
    import sympy

    scaler = kr.Scaler([0.0], [1.0], [0.0], [1e10])

    with pytest.raises(ValueError, match=sentence):
        call(scaler, sympy.Symbol("a"))


def test_a_network_learns_equally_well_in_all_units():
    x = RNG(0).uniform(-1.0, 1.0, (200, 2))
    y = np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)
    errors = []
    for x_unit, x_shift, y_unit, y_shift in ((1.0, 0.0, 1.0, 0.0), (1e5, 300.0, 1e-6, 1e-4)):
        new, scaler = kr.scaled(data(x_unit * x + x_shift, y_unit * y + y_shift))
        net = kr.init_network((2, 2, 1), n_intervals=5, degree=3, domain=new.x_train, rng=RNG(1))
        run = kr.fit(net, new, n_steps=15)
        prediction = scaler.inverse_y(run.network(new.x_train))
        errors.append(np.std((prediction - y_shift) / y_unit - y))

    assert errors[0] < 0.1
    np.testing.assert_allclose(*errors, rtol=0.2)


# --- predicted classes


def classifier(widths, seed=0):
    return kr.init_network(widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(seed))


def test_probabilities_are_those_that_the_loss_compares_with_the_labels():
    x, net = RNG(0).uniform(-1.0, 1.0, (20, 2)), classifier((2, 3))
    labels = np.arange(20) % 3

    p = kr.predict_proba(net, x)

    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-14)
    loss, _ = kr.value_and_grad(net, x, labels, "cross_entropy")
    np.testing.assert_allclose(-np.log(p[np.arange(20), labels]).mean(), loss, rtol=1e-12)


@pytest.mark.parametrize("n_out", [1, 2])
def test_logistic_probabilities_belong_to_each_output_alone(n_out):
    x, net = RNG(0).uniform(-1.0, 1.0, (20, 2)), classifier((2, n_out))

    p = kr.predict_proba(net, x, loss="logistic")

    np.testing.assert_allclose(p, 1.0 / (1.0 + np.exp(-net(x))), rtol=1e-14)


@pytest.mark.parametrize(("n_out", "classes"), [(1, ["b", "a"]), (2, ["b", "a"]), (3, [5, 9, 1])])
def test_the_most_probable_class_is_predicted_in_the_users_words(n_out, classes):
    x, net = RNG(0).uniform(-1.0, 1.0, (30, 2)), classifier((2, n_out))
    p = kr.predict_proba(net, x)
    likeliest = (p[:, 0] > 0.5).astype(int) if n_out == 1 else p.argmax(axis=1)

    assert kr.predict_labels(net, x).tolist() == likeliest.tolist()
    assert kr.predict_labels(net, x, classes).tolist() == [classes[j] for j in likeliest]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: kr.predict_labels(classifier((2, 3)), [[0.0, 0.0]], ["a"]), r"needs \(3,\): 3 cl"),
        (
            lambda: kr.predict_proba(classifier((2, 1)), [[0.0, 0.0]], loss="cross_entropy"),
            "the network has one output, whose softmax is always 1: give loss='logistic'",
        ),
        (
            lambda: kr.predict_proba(classifier((2, 1)), [[0.0, 0.0]], loss="mse"),
            "loss is 'mse', but must be one of 'cross_entropy', 'logistic'",
        ),
    ],
)
def test_classes_that_do_not_fit_a_network_are_reported(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_other_models_predict_classes_too():
    mlp = kr.init_mlp((2, 4, 3), activation="tanh", rng=RNG(0))

    assert kr.predict_proba(mlp, [[0.5, 0.5]]).shape == (1, 3)


# --- test samples outside the grids


def wave(x):
    return np.sin(3.0 * x)


def test_a_run_says_when_hidden_grids_are_left_and_another_one_can_place_them():
    rng = RNG(0)
    x = rng.uniform(-1.0, 1.0, (60, 2))
    y = wave(x[:, :1]) + x[:, 1:]
    net = kr.init_network((2, 2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(1))
    wide = replace(net.layers[0], w_base=8.0 * net.layers[0].w_base)
    left = kr.Network((wide, net.layers[1]))
    worst = np.argsort(np.abs(left(x) - y)[:, 0])[1:]  # a test error above that of training
    data = kr.Data(x, y, x[worst], y[worst])

    run = kr.fit(left, data, n_steps=0, update_grids=False)
    again = kr.fit(run.network, data, n_steps=10)

    assert (
        "and most leave those of layer 1, which follow activations of training: more samples, or fewer"
        in run.stopped
    )
    assert "leave" not in again.stopped
    assert again.history.test_rmse[-1] < 0.1 * run.history.test_rmse[-1]


@pytest.mark.parametrize(("low", "size"), [(0.0, 1e-10), (1e9, 0.5)])
def test_a_run_says_when_an_input_varies_within_a_small_part_of_an_interval(low, size):
    rng = RNG(0)
    u = rng.uniform(-1.0, 1.0, (200, 2))
    y, x = wave(u[:, :1]) + u[:, 1:] ** 2, u.copy()
    x[:, 1] = low + size * u[:, 1]
    data = kr.Data(x, y, x, y)
    start = kr.init_network((2, 2, 1), n_intervals=5, degree=3, domain=x, y=y, rng=RNG(1))

    run = kr.fit(start, data, n_steps=20)
    moved, _ = kr.scaled(data)
    again = kr.init_network((2, 2, 1), n_intervals=5, degree=3, domain=moved.x_train, rng=RNG(1))
    cured = kr.fit(again, moved, n_steps=20)

    assert "; input 1 varies by " in run.stopped
    assert run.stopped.endswith("so its curves are lines there: scale the data with kr.scaled")
    assert "varies by" not in cured.stopped
    assert cured.history.train_rmse[-1] < 0.1 * run.history.train_rmse[-1] / y.std()


def test_a_run_says_nothing_of_an_input_that_is_constant_or_does_not_matter():
    u = RNG(0).uniform(-1.0, 1.0, (200, 2))
    noise = RNG(1).standard_normal((200, 1))
    flat = np.column_stack([u[:, 0], np.full(200, 2.0)])
    small = np.column_stack([u[:, 0], 1e-10 * u[:, 1]])

    for x, y in ((flat, wave(u[:, :1]) + noise), (small, wave(u[:, :1]))):
        net = kr.init_network((2, 2, 1), n_intervals=5, degree=3, domain=x, rng=RNG(1))
        assert "varies" not in kr.fit(net, kr.Data(x, y, x, y), n_steps=20).stopped


def test_a_run_says_when_samples_outside_the_grids_determine_the_test_error():
    x = np.linspace(-1.0, 1.0, 100)[:, None]
    far = np.vstack([x[:50], [[3.0]], [[4.0]]])
    net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    run = kr.fit(net, kr.Data(x, wave(x), far, wave(far)), n_steps=10)

    assert "; of 52 samples of x_test 2 leave the grids, with 100% of the squared" in run.stopped


@pytest.mark.parametrize("case", ["inside", "outside but as good", "classes"])
def test_a_run_without_that_trouble_says_nothing(case):
    x = np.linspace(-1.0, 1.0, 100)[:, None]
    test = {"inside": x, "outside but as good": 1.05 * x}.get(case, 2.0 * x)
    y, y_test, loss, n_out = wave(x), wave(test), "mse", 1
    if case == "outside but as good":
        y, y_test = RNG(0).normal(size=(100, 1)), RNG(1).normal(size=(100, 1))
    if case == "classes":
        y, y_test, loss, n_out = np.arange(100) % 2, np.arange(100) % 2, "cross_entropy", 2
    net = kr.init_network((1, n_out), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    run = kr.fit(net, kr.Data(x, y, test, y_test), n_steps=5, loss=loss)

    assert "leave" not in run.stopped


# --- a table in other units than the grids


def in_other_units(factor, n_out=1, loss="mse"):
    """A run on inputs that are `factor` times as large as the grid, which is [-1, 1]."""
    x = np.linspace(-1.0, 1.0, 100)[:, None]
    y = wave(x) if loss == "mse" else (x[:, 0] > 0.2).astype(int)
    net = kr.init_network((1, n_out), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    return kr.fit(net, kr.Data(factor * x, y, factor * x, y), n_steps=5, loss=loss)


def test_a_run_says_when_most_training_samples_are_outside_the_grids_of_the_inputs():
    stopped = in_other_units(1000.0).stopped

    assert stopped.endswith(
        "; 100 of 100 training samples lie outside the grids of the inputs, where splines decay to "
        "zero (input 0 has numbers from -1e+03 to 1e+03, its grid goes from -1 to 1): start from "
        "init_network(..., domain=x_train), or scale the data with kr.scaled"
    )
    assert "grids of the inputs" in in_other_units(10.0, 2, "cross_entropy").stopped


@pytest.mark.parametrize("case", ["a third outside", "learned all the same", "no spline"])
def test_a_run_without_the_trouble_of_units_says_nothing(case):
    x = np.linspace(-1.0, 1.0, 100)[:, None] * (1.5 if case == "a third outside" else 1000.0)
    net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    y = {"a third outside": wave(x), "learned all the same": net(x)}.get(case, np.cos(x))
    if case == "no spline":
        net = kr.fix_symbolic(net, 0, output=0, input=0, name="tanh")

    run = kr.fit(net, kr.Data(x, y, x, y), n_steps=3)

    assert "grids of the inputs" not in run.stopped


# shift and factor of each input, shift and factor of the targets
UNITS = {
    "moved inputs": ([300.0, 0.0], [1.0, 1.0], 0.0, 1.0),
    "large inputs": ([0.0, 0.0], [1e5, 1e5], 0.0, 1.0),
    "one small input": ([0.0, 0.0], [1e-6, 1.0], 0.0, 1.0),
    "large targets": ([0.0, 0.0], [1.0, 1.0], 0.0, 1e6),
    "small targets": ([0.0, 0.0], [1.0, 1.0], 0.0, 1e-6),
    "moved targets": ([0.0, 0.0], [1.0, 1.0], 1e6, 1.0),
    "everything": ([300.0, -5.0], [1e5, 1e-6], 1e6, 1e6),
}


def toy_data(shift=0.0, factor=1.0, y_shift=0.0, y_factor=1.0):
    data = kr.sample("exp_sin", n_train=200, n_test=200, rng=np.random.default_rng(0))
    shift, factor = np.array(shift), np.array(factor)
    return kr.Data(
        factor * data.x_train + shift,
        y_factor * data.y_train + y_shift,
        factor * data.x_test + shift,
        y_factor * data.y_test + y_shift,
    )


def error(data, **options):
    rng = np.random.default_rng(3)
    start = kr.best_start(
        (2, 3, 1), data, n_starts=3, n_intervals=4, degree=3, n_steps=20, rng=rng, **options
    )
    run = kr.fit(start, data, n_steps=40)
    assert "units" not in run.stopped
    return run.history.train_rmse[-1] / data.y_train.std()


@pytest.mark.long
@pytest.mark.parametrize("name", UNITS)
def test_the_relative_error_after_best_start_does_not_depend_on_units(name):
    plain, moved = error(toy_data()), error(toy_data(*UNITS[name]))

    assert plain < 0.05
    assert moved < 5.0 * plain


def random_network(data, widths=(2, 3, 1)):
    return kr.init_network(
        widths, n_intervals=4, degree=3, domain=data.x_train, rng=np.random.default_rng(0)
    )


@pytest.mark.parametrize("name", ["large inputs", "small targets", "moved targets"])
def test_a_run_from_a_network_in_other_units_says_so_with_the_remedy(name):
    data = toy_data(*UNITS[name])

    stopped = kr.fit(random_network(data), data, n_steps=3).stopped

    assert "not initialized for the units of these data" in stopped
    assert all(remedy in stopped for remedy in ("kr.best_start", "kr.scaled"))


@for_all("optimizer", ["lm", "lbfgs"])
def test_a_run_in_scaled_variables_says_so_for_targets_that_are_much_larger(optimizer):
    data = toy_data(y_factor=1e9)

    stopped = [
        kr.fit(network, data, optimizer=optimizer, n_steps=2).stopped
        for network in (
            random_network(data, (2, 1)),
            kr.init_network(
                (2, 1),
                n_intervals=4,
                degree=3,
                domain=data.x_train,
                y=data.y_train,
                rng=np.random.default_rng(0),
            ),
        )
    ]

    assert (
        "; the network was not initialized for the units of these data: the targets" in stopped[0]
    )
    assert "units" not in stopped[1]


@pytest.mark.parametrize("name", ["moved inputs", "large targets"])
def test_a_run_in_plain_variables_says_so_for_smaller_differences(name):
    data = toy_data(*UNITS[name])

    stopped = kr.fit(random_network(data), data, n_steps=3, precondition=None).stopped

    assert "not initialized for the units of these data" in stopped


@pytest.mark.parametrize("optimizer", ["lm", "adam"])
def test_constant_outputs_are_no_question_of_units(optimizer):
    data = toy_data()
    constant = replace(
        data,
        x_train=np.full_like(data.x_train, 0.3),
        x_test=np.full_like(data.x_test, 0.3),
    )
    network = kr.init_network(
        (2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    still = network.with_theta(0.0 * network.theta)

    by_inputs = kr.fit(network, constant, optimizer=optimizer, n_steps=2).stopped
    by_theta = kr.fit(still, data, optimizer=optimizer, n_steps=2).stopped

    assert "every input is constant in the training samples" in by_inputs
    assert "the outputs at the start are the same for all samples" in by_theta
    assert "units" not in by_inputs + by_theta


@for_all("share", [0.09, 0.11])
@for_all("wild", [True, False])
def test_a_run_says_when_most_samples_lie_in_a_small_part_of_an_interval_beside_an_outlier(
    share, wild
):
    x = np.linspace(0.0, 1.0, 101)[:, None] * [share / 0.9, 4.0]
    x[7, 0] = 4.0 if wild else 0.0
    given = data(x, np.sin(9.0 * x[:, 1:]))
    net = kr.init_network((2, 1), n_intervals=4, degree=3, domain=(0.0, 4.0), rng=RNG(0))

    stopped = kr.fit(net, given, n_steps=0).stopped

    noted = share < 0.1 and wild
    assert (
        "input 0 varies by 0.091 in the training samples between percentiles" in stopped
    ) is noted
    assert ("percentile_bounds(x_train" in stopped) is noted


def test_the_note_on_an_outlier_has_a_remedy_and_a_rare_value_of_two_has_no_note():
    rng = RNG(0)
    x = rng.uniform(-1.0, 1.0, (200, 1))
    y = np.sin(3.0 * x)
    x[7] = 1000.0
    rare = np.zeros((200, 1))
    rare[:5] = 1.0
    options = {"n_intervals": 5, "degree": 3}

    def stopped(x, y, domain):
        net = kr.init_network((1, 1), domain=domain, rng=RNG(1), **options)
        return kr.fit(net, data(x, y), n_steps=5).stopped

    assert "percentiles" in stopped(x, y, x)
    assert "percentiles" not in stopped(x, y, kr.percentile_bounds(x, (5, 95)))
    assert "percentiles" not in stopped(rare, y, rare)


@pytest.mark.parametrize("options", [{}, {"precondition": None}, {"optimizer": "adam"}])
@pytest.mark.parametrize("n_steps", [0, 2])
def test_a_run_on_data_of_size_one_says_nothing_of_units(options, n_steps):
    data = toy_data([0.5, -1.0], [2.0, 0.3], 3.0, 4.0)

    assert "units" not in kr.fit(random_network(data), data, n_steps=n_steps, **options).stopped


def test_constant_targets_have_no_units():
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    data = kr.Data(x, np.full((50, 1), 7.0), x, np.full((50, 1), 7.0))

    assert "units" not in kr.fit(random_network(data), data, n_steps=1).stopped


@pytest.mark.parametrize(("error", "noted"), [(0.9e-2, False), (1.1e-2, True)])
def test_an_error_below_a_hundredth_of_the_targets_says_that_units_did_no_harm(error, noted):
    data = toy_data(*UNITS["moved targets"])
    network = random_network(data)
    goal = check_batch(network, data.x_train, data.y_train)

    note = note_on_units(network, goal, error * data.y_train.std(), scaled=True)

    assert bool(note) is noted


@for_all("size", [1e-9, 1e-2, 1e2, 1e9])
@for_all("optimizer", ["adam", "lm"])
def test_a_run_in_plain_variables_says_when_targets_are_far_from_size_one(optimizer, size):
    def stopped(factor):
        data = toy_data()
        factor = factor / float(data.y_train.std())
        data = replace(data, y_train=factor * data.y_train, y_test=factor * data.y_test)
        options = {"n_intervals": 4, "degree": 3, "rng": np.random.default_rng(0)}
        net = kr.init_network((2, 1), domain=data.x_train, y=data.y_train, **options)
        return (
            kr.fit(net, data, optimizer=optimizer, n_steps=1, precondition=None).stopped,
            kr.fit(net, data, optimizer="lbfgs", n_steps=1).stopped,
        )

    inward = 1.1 if size < 1.0 else 0.9

    plain, scaled = stopped(size / inward)
    assert "; the targets have a standard deviation of " in plain
    assert "kr.scaled" in plain
    assert "standard deviation" not in scaled
    if size in (1e-2, 1e2):
        assert "standard deviation" not in stopped(size * inward)[0]


def two_outputs(ratio, mean=0.0, n=60):
    """A product, and a square that varies `ratio` times as much; both are moved by `mean`."""
    x = RNG(0).uniform(-1.0, 1.0, (n, 2))
    y = np.hstack([x[:, :1] * x[:, 1:], x[:, 1:] ** 2])
    return data(x, y / y.std(axis=0) * [1.0, ratio] + mean)


def as_one(errors, targets):
    """A network whose outputs differ from targets by errors in standard deviations."""
    deviations = np.where(np.arange(len(targets)) % 2 == 0, 1.0, -1.0)[:, None]
    values = targets + deviations * errors * targets.std(axis=0)
    return SimpleNamespace(
        widths=(2, targets.shape[1]), prepare=lambda x: x, values=lambda inputs: values
    )


@for_all("ratio", [29.0, 31.0])
@for_all("errors", [(0.011, 0.001), (0.009, 0.0001), (0.011, 0.0012)])
def test_a_run_says_when_an_output_hardly_counts_beside_one_that_varies_more(ratio, errors):
    given = two_outputs(ratio)
    goal = check_batch(made((2, 2)), given.x_train, given.y_train)

    note = note_on_outputs(as_one(errors, given.y_train), goal, scaled=True)

    noted = ratio > 30.0 and errors == (0.011, 0.001)
    assert ("; output 0 has an error of 0.011 standard deviations" in note) is noted
    assert ("kr.scaled" in note) is noted


@for_all("scaled", [True, False])
@for_all("mean", [-1.1, -0.9, 0.9, 1.1])
@for_all("error", [0.009, 0.011])
def test_a_run_says_when_the_mean_of_targets_is_large_beside_what_varies(scaled, mean, error):
    given = two_outputs(1.0, mean=mean * (1e6 if scaled else 100.0))
    goal = check_batch(made((2, 2)), given.x_train, given.y_train)

    note = note_on_outputs(as_one((0.0, error), given.y_train), goal, scaled=scaled)

    noted = abs(mean) > 1.0 and error > 0.01
    assert ("; the targets of output 1 have a mean of " in note) is noted
    assert ("kr.scaled" in note) is noted


# --- scaled variables


def toy(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def toy_samples(n_train=80, seed=0):
    return samples(toy, 2, np.random.default_rng(seed), n_train=n_train)


def made(widths=(2, 3, 1), *, seed=0, n_intervals=4):
    return kr.init_network(
        widths,
        n_intervals=n_intervals,
        degree=3,
        domain=(-1.0, 1.0),
        rng=np.random.default_rng(seed),
    )


def objectives(network, data, **options):
    """The objective in theta, and in z."""
    goal = DataGoal(MSE, data.x_train, data.y_train).prepare(network)
    return make_objective(network, goal, **options), make_objective(
        network, goal, scaled=True, **options
    )


def locked():
    """A network with two locked symbolic edges, a symbolic edge beside a spline edge and a masked edge."""
    network = kr.mask_edges(made((2, 3, 2)), 0, [[1, 1], [1, 0], [1, 1]])
    for output in (0, 1):
        network = kr.fix_symbolic(
            network, 0, output=output, input=0, name="sin", affine=(1.1, 0.2, 0.7, 0.1)
        )
    network = kr.fix_symbolic(network, 1, output=0, input=0, name="exp")
    return kr.lock_edges(network, 0, [(0, 0), (1, 0)])


def lan():
    return kr.init_lan(
        (2, 3, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(2)
    )


def mlp():
    return kr.init_mlp((2, 4, 3, 2), activation="tanh", rng=np.random.default_rng(1))


# --- squared column norms


# --- the metric


def test_the_metric_has_the_median_of_each_layer_as_its_scale():
    squares = np.array([0.0, 1.0, 4.0, 100.0, 1e6, 1e6, 0.0, 9e6])

    metric = LayerMetric((4, 4), 0.5)(squares)

    np.testing.assert_array_equal(metric, [4.0, 2.0, 4.0, 100.0, 1e6, 1e6, 1e6, 9e6])


def test_a_layer_without_influence_has_the_metric_one():
    np.testing.assert_array_equal(LayerMetric((2, 1), 1.0)(np.array([0.0, 0.0, 4.0])), [1, 1, 4])


@pytest.mark.parametrize(("n_train", "share"), [(2700, 0.01), (270, 0.1), (9, 1.0)])
def test_the_share_of_the_median_is_the_number_of_parameters_per_row(monkeypatch, n_train, share):
    from kan_ref.training import variables

    shares = []
    monkeypatch.setattr(
        variables,
        "layer_metric",
        lambda model, free, share: shares.append(share) or np.ones_like,
    )
    objectives(made((2, 1, 1)), toy_samples(n_train))  # 3 edges with 7 + 2 parameters each

    assert shares == [pytest.approx(share)]


def test_the_metric_has_the_trained_parameters_of_each_layer():
    free = np.ones(27, dtype=bool)
    free[[0, 20, 21]] = False

    assert layer_metric(made((2, 1, 1)), free, 1.0).sizes == (17, 7)


@pytest.mark.parametrize("weight", [1.0, 1000.0])
def test_scales_are_powers_of_two_with_median_one(weight):
    """Also of a network whose outputs change 1000 times as much with its coef."""
    network, data = made((2, 1)), toy_samples()
    (layer,) = network.layers
    network = kr.Network([replace(layer, w_spline=weight * layer.w_spline)])
    scale = parameter_scale(
        network, DataGoal(MSE, data.x_train, data.y_train).prepare(network), None
    )

    assert np.sort(scale)[len(scale) // 2] == 1.0
    assert np.all(np.frexp(scale)[0] == 0.5)


# --- the objective in z


@pytest.mark.parametrize(
    "options", [{}, {"trainable": ("w_base", "coef")}, {"smoothness_weight": 1e-3}]
)
def test_the_objective_in_z_has_the_value_of_theta_and_the_gradient_times_the_scale(options):
    plain, scaled = objectives(made(), toy_samples(), **options)
    theta = plain.start() + 0.1
    z = theta / scaled.scale

    value, gradient = plain.value_and_grad(theta)
    value_z, gradient_z = scaled.value_and_grad(z)

    assert value_z == value
    np.testing.assert_array_equal(gradient_z, gradient * scaled.scale)
    np.testing.assert_array_equal(scaled.model_at(z).theta, plain.model_at(theta).theta)
    np.testing.assert_allclose(
        dense_form(scaled.linearize(z)[1]),
        dense_form(plain.linearize(theta)[1]) * scaled.scale,
        rtol=1e-13,
    )


def test_converting_to_z_and_back_is_exact():
    network = made()
    _, scaled = objectives(network, toy_samples())

    np.testing.assert_array_equal(scaled.model_at(scaled.start()).theta, network.theta)


def test_the_z_of_a_callback_is_its_own():
    _, scaled = objectives(made(), toy_samples())
    z = scaled.start()
    model = scaled.model_at(z)
    z += 1.0

    np.testing.assert_array_equal(model.theta, scaled.model_at(scaled.start()).theta)


# --- fit


def equations():
    x = np.linspace(-1.0, 1.0, 21)[:, None]
    term = kr.linear_term(x, second=[1.0], source=-(np.pi**2) * np.sin(np.pi * x), weight=0.01)
    return kr.residual_problem([term, kr.value_term([[-1.0], [1.0]], 0.0)])


@pytest.mark.long
@for_all("optimizer", ["lm", "lbfgs"])
@for_all("kind", ["network", "locked", "mlp", "lan", "equations", "classes"])
def test_every_kind_of_run_lowers_its_objective_in_scaled_variables(kind, optimizer):
    data = toy_samples()
    both = kr.Data(
        *(
            np.repeat(y, 2, axis=1) if place % 2 else y
            for place, y in enumerate((data.x_train, data.y_train, data.x_test, data.y_test))
        )
    )
    labels = (data.y_train[:, 0] > 1.0).astype(int)
    options = {
        "network": (made(), {"data": data, "grids": (4, 6)}),
        "locked": (locked(), {"data": both}),
        "mlp": (mlp(), {"data": both}),
        "lan": (lan(), {"data": both}),
        "equations": (made((1, 2, 1)), {"problem": equations()}),
        "classes": (
            made((2, 2, 2)),
            {
                "data": kr.Data(data.x_train, labels, data.x_train, labels),
                "loss": "cross_entropy",
            },
        ),
    }
    model, arguments = options[kind]
    if kind == "classes" and optimizer == "lm":
        optimizer = "lbfgs"

    run = kr.fit(model, **arguments, optimizer=optimizer, n_steps=5, precondition="jacobian")
    plain = kr.fit(model, **arguments, optimizer=optimizer, n_steps=5, precondition=None)

    assert run.history.train_loss[-1] < 0.9 * run.history.train_loss[0]
    assert run.history.train_loss[0] == plain.history.train_loss[0]
    assert not np.array_equal(run.network.theta, plain.network.theta)


@pytest.mark.parametrize(
    ("options", "same_as"),
    [
        ({}, "jacobian"),
        ({"optimizer": "lbfgs"}, "jacobian"),
        ({"optimizer": "adam"}, None),
        ({"optimizer": "lbfgs", "penalty_weight": 1e-2}, None),
    ],
)
def test_the_default_is_scaled_for_lm_and_lbfgs_without_penalty_on_edges(options, same_as):
    network, data = made(), toy_samples()

    run = kr.fit(network, data, n_steps=3, **options)
    named = kr.fit(network, data, n_steps=3, precondition=same_as, **options)

    np.testing.assert_array_equal(run.network.theta, named.network.theta)


@pytest.mark.parametrize("make", [mlp, lan])
def test_the_default_is_plain_for_mlps_and_lans(make):
    data = toy_samples()
    two = np.repeat(data.y_train, 2, axis=1)
    data = kr.Data(data.x_train, two, data.x_train, two)

    run, plain = (kr.fit(make(), data, n_steps=3, **one) for one in ({}, {"precondition": None}))

    np.testing.assert_array_equal(run.network.theta, plain.network.theta)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"penalty_weight": 1e-2}, "L1 or entropy penalty"),
        ({"optimizer": "adam"}, "Adam scales"),
    ],
)
def test_scaled_variables_are_refused_where_they_do_not_help(options, words):
    with pytest.raises(ValueError, match=words):
        kr.fit(made(), toy_samples(), precondition="jacobian", **options)


def test_a_parameter_that_is_not_trained_stays_bitwise():
    network = made()
    for optimizer in ("lm", "lbfgs"):
        run = kr.fit(network, toy_samples(), optimizer=optimizer, n_steps=3, trainable=("coef",))
        for old, new in zip(network.layers, run.network.layers, strict=True):
            np.testing.assert_array_equal(new.w_base, old.w_base)
            assert not np.array_equal(new.coef, old.coef)


def test_scaled_variables_lower_the_error_of_lbfgs_on_fine_grids():
    data = toy_samples(400)
    start = kr.best_start(
        (2, 1, 1), data, n_starts=3, n_intervals=3, degree=3, rng=np.random.default_rng(0)
    )
    errors = [
        kr.fit(
            start, data, optimizer="lbfgs", grids=(10, 20), n_steps=80, precondition=kind
        ).history.train_rmse[-1]
        for kind in ("jacobian", None)
    ]
    assert errors[0] < 0.3 * errors[1]


# --- Levenberg-Marquardt with a metric


@pytest.mark.parametrize("n_rows", [4, 30])
def test_a_step_with_a_metric_solves_the_damped_equations(n_rows):
    from kan_ref.optimizers.normal_equations import normal_equations

    rng = np.random.default_rng(0)
    jacobian, residuals = rng.standard_normal((n_rows, 9)), rng.standard_normal(n_rows)
    jacobian[:, 4] = 0.0
    metric = column_squares(jacobian) + 0.1

    equations = normal_equations(jacobian, residuals, metric=lambda squares: squares + 0.1)
    step, predicted = equations.step(0.3)

    expected = np.linalg.solve(
        jacobian.T @ jacobian + 0.3 * np.diag(metric), -jacobian.T @ residuals
    )
    np.testing.assert_allclose(step, expected, atol=1e-12)
    fall = residuals @ residuals - ((residuals + jacobian @ step) ** 2).sum()
    assert predicted == pytest.approx(fall, rel=1e-10)
    assert equations.largest_square() == pytest.approx((column_squares(jacobian) / metric).max())


def test_steps_with_the_diagonal_as_metric_do_not_depend_on_units_of_parameters():
    rng = np.random.default_rng(1)
    matrix, target = rng.standard_normal((20, 5)), rng.standard_normal(20)
    units = 2.0 ** np.array([-30, -10, 0, 10, 30])

    def run(units):
        return kr.levenberg_marquardt(
            lambda z: (np.tanh(matrix @ (units * z)) - target, (1 - np.tanh(matrix @ (units * z))[:, None] ** 2) * matrix * units),
            np.ones(5) / units,
            n_steps=5,
            metric=lambda squares: squares,
        )  # fmt: skip

    np.testing.assert_allclose(units * run(units).theta, run(np.ones(5)).theta, rtol=1e-10)


def test_the_metric_is_that_of_the_initial_point():
    calls = []

    def metric(squares):
        calls.append(squares)
        return 1.0 + squares

    kr.levenberg_marquardt(
        lambda z: (z**3 - 2.0, np.diag(3.0 * z**2)), np.array([3.0, 4.0]), n_steps=4, metric=metric
    )

    np.testing.assert_array_equal(calls, [[729.0, 2304.0]])


@for_all("loss", ["logistic", "cross_entropy"])
def test_classes_have_no_units(loss):
    """Logits far from 0 and 1 say nothing about the units of labels."""
    rng = np.random.default_rng(0)
    widths = (2, 2) if loss == "cross_entropy" else (2, 1)
    network = kr.init_network(widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    network = network.with_theta(1e3 * network.theta)
    labels = np.arange(20) % 2
    labels = labels if loss == "cross_entropy" else labels[:, None]
    goal = check_batch(network, rng.uniform(-1.0, 1.0, (20, 2)), labels, loss=loss)

    assert note_on_units(network, goal, 1e3, scaled=False) == ""
