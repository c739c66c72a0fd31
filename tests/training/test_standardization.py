"""Standardized data and their inverse; units of the data, which training does not depend on, or says that it does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import kan_ref as kr
from kan_ref.training.data_goal import check_batch
from kan_ref.training.notes import note_on_units

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


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_columns_of_any_size_are_standardized(size):
    x = size * np.array([[1.0], [2.0], [4.0]])

    new, _ = kr.scaled(data(x, x))

    np.testing.assert_allclose(new.x_train.std(), 1.0, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-160, 1.0, 1e160])
def test_a_sample_at_the_mean_becomes_0(size):
    x = size * np.array([[-1.0], [0.0], [1.0]])

    new, scaler = kr.scaled(data(x, x))

    np.testing.assert_allclose(scaler.x_scale, size * np.sqrt(2.0 / 3.0), rtol=1e-14)
    assert new.x_train[1, 0] == 0.0


def test_a_constant_column_becomes_0_with_scale_1():
    x = np.full((7, 1), 0.1)

    new, scaler = kr.scaled(data(x, x))

    assert scaler.x_scale.tolist() == [1.0]
    assert not new.x_train.any()
    assert scaler.inverse_y(new.y_train).tolist() == x.tolist()


def test_numbers_beyond_float64_are_reported():
    x = np.array([[-1.7e308], [1.7e308], [1.7e308]])

    with pytest.raises(ValueError, match="the standard deviation of x_train lies beyond float64"):
        kr.scaled(data(x, np.ones((3, 1))))


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


@pytest.mark.parametrize(
    ("n", "shown"), [(4, "[1, 2, 3, 4]"), (5, "[1, 2, ..., 5]"), (9, "[1, 2, ..., 9]")]
)
def test_of_many_columns_the_first_two_and_the_last_one_are_printed(n, shown):
    scaler = kr.Scaler(1.0 + np.arange(n), np.ones(n), None, None)

    assert f"x_mean {shown}, x_scale [1" in repr(scaler)


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


def test_a_line_in_standardized_variables_is_a_line_in_the_users_units():
    import sympy

    x = np.array([[10.0], [20.0], [40.0]])
    _, scaler = kr.scaled(data(x, 3.0 * x + 5.0))

    found = scaler.formula(sympy.Symbol("x_1"))  # u = z
    slope, shift = sympy.Poly(found, sympy.Symbol("x_1")).all_coeffs()

    assert abs(slope - 3.0) < 1e-14
    assert abs(shift - 5.0) < 1e-12


def test_inputs_that_swap_their_names_are_not_mixed_up():
    import sympy

    a, b = sympy.symbols("a b")
    scaler = kr.Scaler([1.0, 2.0], [10.0, 100.0], [0.0], [1.0])

    found = scaler.formula(a - b, names=("b", "a"))

    assert float(found.subs({a: 202.0, b: 11.0})) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda s, a: s.formula(a, names=("b",)), "expression contains 'a', but the inputs are"),
        (lambda s, a: s.formula((a, a)), "expression has 2 parts, but the data have 1 outputs"),
        (lambda s, a: s.formula(a, names=("a", "b")), "names has 2 entries, but 1 inputs need 1"),
        (
            lambda s, a: s.transform_x([[1.0, 2.0]]),
            r"x has shape \(1, 2\), but needs shape \(batch",
        ),
        (lambda s, a: kr.Scaler([0.0], [0.0], None, None), r"x_scale is \[0.0\], but must be posi"),
        (lambda s, a: kr.Scaler([0.0], [1.0, 1.0], None, None), r"x_scale has shape \(2,\), but"),
        (lambda s, a: s.inverse_y([[1e300]]), "y in its own units lies beyond float64"),
        (
            lambda s, a: kr.Scaler([0.0], [1e-9], None, None).transform_x([[1e300]]),
            "standardized x lies beyond float64",
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


def test_a_run_says_when_samples_outside_the_grids_determine_the_test_error():
    x = np.linspace(-1.0, 1.0, 100)[:, None]
    far = np.vstack([x[:50], [[3.0]], [[4.0]]])
    net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    run = kr.fit(net, kr.Data(x, wave(x), far, wave(far)), n_steps=10)

    assert "; of 52 samples of x_test 2 leave the grids, with 100% of the squared" in run.stopped


@pytest.mark.parametrize("case", ["inside", "outside but as good", "all outside", "classes"])
def test_a_run_without_that_trouble_says_nothing(case):
    x = np.linspace(-1.0, 1.0, 100)[:, None]
    test = {"inside": x, "outside but as good": 1.05 * x, "all outside": x + 5.0}.get(case, 2.0 * x)
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


@pytest.mark.parametrize("name", ["moved inputs", "large targets"])
def test_a_run_in_plain_variables_says_so_for_smaller_differences(name):
    data = toy_data(*UNITS[name])

    stopped = kr.fit(random_network(data), data, n_steps=3, precondition=None).stopped

    assert "not initialized for the units of these data" in stopped


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


def test_the_deviation_of_several_targets_is_that_of_each_about_its_own_mean():
    data = toy_data()
    y = np.hstack([data.y_train + 1e5, data.y_train - 1e5])
    data = kr.Data(data.x_train, y, data.x_train, y)

    stopped = kr.fit(random_network(data, (2, 2)), data, n_steps=0).stopped

    assert f"and standard deviation {data.y_train[:, 0].std():.3g})" in stopped
