"""Targets: the functions by their definitions, the draws, and the input validation of `Data`."""

import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.data import Data, check_data
from kan_ref.targets import TARGETS, sample


def bessel_by_integral(x):
    """J_0(x) = (1/2 pi) int_0^{2 pi} cos(x sin t) dt; the midpoint rule converges faster than any power of 1/n."""
    n = 200
    return math.fsum(math.cos(x * math.sin(2 * math.pi * (q + 0.5) / n)) for q in range(n)) / n


BY_DEFINITION = {
    "bessel": lambda x: bessel_by_integral(20 * x[0]),
    "exp_sin": lambda x: math.exp(math.sin(math.pi * x[0]) + x[1] ** 2),
    "product": lambda x: x[0] * x[1],
    "exp_mean_sin2": lambda x: math.exp(math.fsum(math.sin(math.pi * v / 2) ** 2 for v in x) / 100),
    "exp_two_sines": lambda x: math.exp(
        (math.sin(math.pi * (x[0] ** 2 + x[1] ** 2)) + math.sin(math.pi * (x[2] ** 2 + x[3] ** 2)))
        / 2
    ),
}


def small(name="exp_sin", **settings):
    return sample(name, **({"n_train": 7, "n_test": 5, "rng": np.random.default_rng(3)} | settings))


@pytest.mark.parametrize("name", TARGETS)
def test_values_follow_the_definition_in_both_halves(name):
    data = small(name)

    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        np.testing.assert_allclose(
            y, [[BY_DEFINITION[name](row)] for row in x.tolist()], rtol=1e-14, atol=1e-14
        )


def test_every_target_has_a_definition_here_and_its_own_key():
    assert TARGETS.keys() == BY_DEFINITION.keys()
    assert all(name == target.name for name, target in TARGETS.items())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bessel", (1, 1)),
        ("exp_sin", (2, 1, 1)),
        ("product", (2, 2, 1)),
        ("exp_mean_sin2", (100, 1, 1)),
        ("exp_two_sines", (4, 4, 2, 1)),
    ],
)
def test_shapes_are_the_papers_and_begin_with_the_number_of_inputs(name, shape):
    target = TARGETS[name]

    assert target.shape == shape
    assert target.n_in == shape[0]
    assert small(name).x_test.shape == (5, target.n_in)
    assert small(name).y_test.shape == (5, shape[-1])


@given(st.sampled_from(sorted(TARGETS)), st.integers(0, 2**32 - 1))
def test_points_fill_the_domain_and_stay_in_it(name, seed):
    data = sample(name, n_train=2000, n_test=50, rng=np.random.default_rng(seed))

    assert np.all((data.x_train >= -1) & (data.x_train < 1))
    assert np.all((data.x_test >= -1) & (data.x_test < 1))
    assert np.all(
        data.x_train.max(axis=0) > 0.95
    )  # missed with probability 0.975^2000, about 1e-22
    assert np.all(data.x_train.min(axis=0) < -0.95)


@given(st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_bits(seed):
    first, second = (small(noise=0.1, rng=np.random.default_rng(seed)) for _ in range(2))

    for part in ("x_train", "y_train", "x_test", "y_test"):
        assert getattr(first, part).tobytes() == getattr(second, part).tobytes()


def test_the_number_of_test_points_leaves_the_training_part_alone():
    few, many = small(n_test=1, noise=0.3), small(n_test=50, noise=0.3)

    np.testing.assert_array_equal(few.x_train, many.x_train)
    np.testing.assert_array_equal(few.y_train, many.y_train)


def test_noise_changes_the_training_values_only():
    quiet, loud = small(), small(noise=0.5)

    assert np.all(quiet.y_train != loud.y_train)
    for part in ("x_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(quiet, part), getattr(loud, part))


def test_noise_is_the_standard_deviation_of_a_centred_normal():
    rng = np.random.default_rng(0)
    data = sample("product", n_train=20000, n_test=1, noise=0.25, rng=rng)

    errors = data.y_train - data.x_train[:, :1] * data.x_train[:, 1:]

    assert (
        abs(errors.std() / 0.25 - 1) < 0.02
    )  # four standard deviations of the estimate, 1/sqrt(2 n)
    assert abs(errors.mean()) < 4 * 0.25 / math.sqrt(20000)
    assert 0.66 < np.mean(np.abs(errors) < 0.25) < 0.70  # erf(1/sqrt 2) = 0.683


def test_scipy_is_loaded_by_the_bessel_function_alone():
    code = """
import sys
import numpy as np
from kan_ref.targets import TARGETS, sample
for name in TARGETS:
    if name != "bessel":
        sample(name, n_train=2, n_test=2, rng=np.random.default_rng(0))
assert not any(module.split(".")[0] == "scipy" for module in sys.modules)
sample("bessel", n_train=2, n_test=2, rng=np.random.default_rng(0))
assert "scipy.special" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_refused_with_the_nearest_known_one():
    with pytest.raises(
        ValueError,
        match=r"f is 'exp_sine', but must be one of 'bessel', .* \(did you mean 'exp_sin'\?\)",
    ):
        small("exp_sine")


@pytest.mark.parametrize(
    ("settings", "kind", "sentence"),
    [
        ({"n_train": 0}, ValueError, "n_train is 0, but must be at least 1"),
        ({"n_test": 0}, ValueError, "n_test is 0, but must be at least 1"),
        ({"n_train": 10.0}, TypeError, "n_train is 10.0, but must be an integer"),
        ({"noise": -0.1}, ValueError, "noise is -0.1, but must be at least 0"),
        ({"rng": 0}, TypeError, "rng is 0, but must be a numpy.random.Generator"),
    ],
)
def test_settings_out_of_range_are_named(settings, kind, sentence):
    with pytest.raises(kind, match=sentence):
        small(**settings)


def parts(n_train=4, n_test=3, n_in=2, n_out=1):
    rng = np.random.default_rng(1)
    return {
        "x_train": rng.normal(size=(n_train, n_in)),
        "y_train": rng.normal(size=(n_train, n_out)),
        "x_test": rng.normal(size=(n_test, n_in)),
        "y_test": rng.normal(size=(n_test, n_out)),
    }


@for_all(
    ("name", "replace", "sentence"),
    [
        (
            "y_train",
            lambda y: y[:, 0],
            r"y_train has shape \(4,\), but needs shape \(n_train, n_out\); for one output write y_train\[:, None\]",
        ),
        (
            "y_test",
            lambda y: y[:, 0],
            r"y_test has shape \(3,\), but needs shape \(n_test, n_out\); for one output write y_test\[:, None\]",
        ),
        (
            "x_train",
            lambda x: x[:, 0],
            r"x_train has shape \(4,\), .*\(n_train, n_in\); for one input write x_train\[:, None\]",
        ),
        (
            "x_test",
            lambda x: x[None],
            r"x_test has shape \(1, 3, 2\), but needs shape \(n_test, n_in\)",
        ),
        ("y_train", lambda y: y[1:], "y_train has 3 rows, but x_train has 4"),
        ("y_test", lambda y: y[1:], "y_test has 2 rows, but x_test has 3"),
        ("x_test", lambda x: x[:, :1], "x_test has 1 columns, but x_train has 2"),
        ("y_test", lambda y: np.hstack([y, y]), "y_test has 2 columns, but y_train has 1"),
        (
            "x_train",
            lambda x: np.where(x == x[2, 1], np.nan, x),
            "x_train contains nan at row 2, column 1, but needs finite numbers: leave such samples out",
        ),
        (
            "y_test",
            lambda y: np.where(y == y[1, 0], -np.inf, y),
            "y_test contains -inf at row 1, column 0, but needs finite numbers: leave such samples out",
        ),
        (
            "x_test",
            lambda x: x[:0],
            r"x_test has shape \(0, 2\), but needs at least one row and one column",
        ),
        (
            "y_train",
            lambda y: y[:, :0],
            r"y_train has shape \(4, 0\), but needs at least one row and one column",
        ),
    ],
)
def test_data_that_do_not_fit_together_are_refused_by_name(name, replace, sentence):
    arrays = parts()
    arrays[name] = replace(arrays[name])

    with pytest.raises(ValueError, match=sentence):
        Data(**arrays)


def test_lists_and_other_real_types_become_float64():
    data = Data(
        [[1, 2], [3, 4]], [[1], [0]], np.array([[1, 2]], np.float32), np.array([[7]], np.int8)
    )

    assert all(
        array.dtype == np.float64
        for array in (data.x_train, data.y_train, data.x_test, data.y_test)
    )
    np.testing.assert_array_equal(data.x_train, [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(data.y_test, [[7.0]])


def test_float64_arrays_are_not_copied():
    arrays = parts()

    data = Data(**arrays)

    assert all(np.shares_memory(getattr(data, name), array) for name, array in arrays.items())


def test_several_outputs_keep_their_columns():
    assert Data(**parts(n_out=3)).y_train.shape == (4, 3)


def test_data_print_their_shapes_and_no_numbers():
    assert (
        repr(Data(**parts()))
        == "Data(x_train (4, 2), y_train (4, 1), x_test (3, 2), y_test (3, 1))"
    )


def test_check_data_accepts_anything_with_the_four_arrays():
    arrays = parts()

    data = check_data(SimpleNamespace(**arrays))

    assert isinstance(data, Data)
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(data, name), array)


def test_check_data_lets_checked_data_pass_as_they_are():
    data = small()

    assert check_data(data) is data


def test_check_data_checks_foreign_arrays_like_its_own():
    with pytest.raises(ValueError, match="y_train has 3 rows, but x_train has 4"):
        check_data(SimpleNamespace(**(parts() | {"y_train": np.ones((3, 1))})))


@pytest.mark.parametrize("missing", ["x_train", "y_train", "x_test", "y_test"])
def test_check_data_names_the_array_that_is_missing(missing):
    arrays = parts()
    del arrays[missing]

    with pytest.raises(
        TypeError,
        match=f"data is a SimpleNamespace without attribute {missing}, but needs x_train, y_train",
    ):
        check_data(SimpleNamespace(**arrays))
