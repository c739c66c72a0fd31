"""Data: targets by their definitions and their draws, what `Data` takes, tables and classes, functions of one's own."""

import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr
from kan_ref.data import ARRAYS, Data, check_data, check_loss
from kan_ref.targets import TARGETS, sample

RNG = np.random.default_rng
N = 40
X = RNG(0).normal(size=(N, 3))
Y = X[:, 0] + X[:, 1]


class Table(dict):
    """What the package reads of a DataFrame: columns by their names."""

    @property
    def columns(self):
        return list(self)

    def __array__(self, dtype=None, copy=None):
        return np.column_stack(list(self.values()))


AB = Table(a=X[:, 0], b=X[:, 1])
BA = Table(b=X[:, 1], a=X[:, 0])

# --- the functions of the paper


def bessel_by_integral(x):
    """J_0(x) = (1/2 pi) int_0^{2 pi} cos(x sin t) dt; the midpoint rule converges faster than any power of 1/n."""
    n = 200
    return math.fsum(math.cos(x * math.sin(2 * math.pi * (q + 0.5) / n)) for q in range(n)) / n


BY_DEFINITION = {
    "bessel": lambda x: bessel_by_integral(20 * x[0]),
    "exp_sin": lambda x: math.exp(math.sin(math.pi * x[0]) + x[1] ** 2),
    "product": lambda x: x[0] * x[1],
    "exp_mean_sin2": lambda x: math.exp(sum(math.sin(math.pi * v / 2) ** 2 for v in x) / 100),
    "exp_two_sines": lambda x: math.exp(sum(math.sin(math.pi * (x[i] ** 2 + x[i + 1] ** 2)) for i in (0, 2)) / 2),
}
SHAPES = [(1, 1), (2, 1, 1), (2, 2, 1), (100, 1, 1), (4, 4, 2, 1)]


def small(f="exp_sin", **settings):
    return sample(f, **({"n_train": 7, "n_test": 5, "rng": RNG(3)} | settings))


@pytest.mark.parametrize(("name", "shape"), [*zip(BY_DEFINITION, SHAPES, strict=True)])
def test_each_target_follows_its_definition_in_both_halves(name, shape):
    data = small(name)

    assert TARGETS[name].shape == shape
    assert data.x_test.shape == (5, shape[0])
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        expected = [[BY_DEFINITION[name](row)] for row in x.tolist()]
        np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-13)


@given(st.sampled_from(sorted(TARGETS)), st.integers(0, 2**32 - 1))
def test_points_fill_the_domain_and_stay_in_it(name, seed):
    data = sample(name, n_train=2000, n_test=50, rng=RNG(seed))

    assert np.abs(np.concatenate([data.x_train, data.x_test])).max() <= 1.0
    # missed with probability 0.975^2000, about 1e-22
    assert data.x_train.max(axis=0).min() > 0.95
    assert data.x_train.min(axis=0).max() < -0.95


def test_a_seed_fixes_all_draws_the_test_part_none_of_training_and_noise_the_training_values_only():
    quiet, again, few, loud = small(), small(), small(n_test=1), small(noise=0.5)

    assert all(getattr(quiet, name).tobytes() == getattr(again, name).tobytes() for name in ARRAYS)
    np.testing.assert_array_equal(few.x_train, quiet.x_train)
    assert (quiet.y_train != loud.y_train).all()
    for name in ("x_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(quiet, name), getattr(loud, name))


def test_noise_is_the_standard_deviation_of_a_centred_normal():
    data = sample("product", n_train=20000, n_test=1, noise=0.25, rng=RNG(0))

    errors = data.y_train - data.x_train[:, :1] * data.x_train[:, 1:]

    assert abs(errors.std() / 0.25 - 1) < 0.02  # four standard deviations of it, 1/sqrt(2 n)
    assert abs(errors.mean()) < 4 * 0.25 / math.sqrt(20000)
    assert 0.66 < np.mean(np.abs(errors) < 0.25) < 0.70  # erf(1/sqrt 2) = 0.683


def test_scipy_is_loaded_by_the_bessel_function_alone():
    code = """
import sys, numpy as np
from kan_ref.targets import TARGETS, sample
for name in TARGETS:
    if name != "bessel":
        sample(name, n_train=2, n_test=2, rng=np.random.default_rng(0))
assert not any(module.split(".")[0] == "scipy" for module in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- functions of one's own


def test_a_function_gives_its_values_at_uniform_points_also_if_it_changes_its_argument():
    data = small(lambda x: np.sin(x[:, 0]) * x[:, 1])
    named, own = small("product", noise=0.1), small(lambda x: x[:, 0] * x[:, 1], noise=0.1)
    changed = small(lambda x: x.__imul__(0.0).sum(axis=1))

    np.testing.assert_array_equal(data.y_train[:, 0], np.sin(data.x_train[:, 0]) * data.x_train[:, 1])
    assert all(np.array_equal(getattr(named, name), getattr(own, name)) for name in ARRAYS)
    np.testing.assert_array_equal(changed.x_train, data.x_train)


def test_each_input_has_its_own_bounds_and_their_number_gives_the_inputs():
    data = small(lambda x: x, domain=[(0, 1), (10, 20), (-5, -4)], n_train=200)

    assert data.y_train.shape == data.x_train.shape == (200, 3)
    assert (data.x_train >= [0, 10, -5]).all()
    assert (data.x_train <= [1, 20, -4]).all()
    assert small(lambda x: x, n_in=4, domain=(2, 3)).x_test.min() >= 2.0


@for_all(
    ("f", "settings", "names"),
    [
        (lambda x: x[0] * x[1], {}, r"f\(x\) has shape"),
        (lambda x: 1.0, {}, r"f\(x\) has shape"),
        (lambda x: np.where(x[:, 0] < 0.0, np.nan, 1.0), {}, r"f\(x\) contains nan at row"),
        (lambda x: x, {"domain": [(0, 1), (1, 1)]}, "domain"),
        (lambda x: x, {"domain": (0, 1, 2)}, "domain"),
        (lambda x: x, {"n_in": 3, "domain": [(0, 1)] * 2}, "domain"),
    ],
)
def test_a_function_that_cannot_be_sampled_is_reported(f, settings, names):
    with pytest.raises(ValueError, match=f"^{names}"):
        small(f, **settings)


# --- the four arrays


def parts(n_train=4, n_test=3, n_in=2, n_out=1):
    rng = RNG(1)
    shapes = ((n_train, n_in), (n_train, n_out), (n_test, n_in), (n_test, n_out))
    return {name: rng.normal(size=shape) for name, shape in zip(ARRAYS, shapes, strict=True)}


def test_data_are_float64_of_lists_and_arrays_which_are_not_copied():
    arrays = parts(n_out=3)
    data = Data(**arrays)
    listed = Data([[1, 2], [3, 4]], [[1], [0]], np.array([[1, 2]], np.float32), [[True]])

    assert all(np.shares_memory(getattr(data, name), array) for name, array in arrays.items())
    assert repr(data) == "Data(x_train (4, 2), y_train (4, 3), x_test (3, 2), y_test (3, 3))"
    assert all(getattr(listed, name).dtype == np.float64 for name in ARRAYS)
    np.testing.assert_array_equal(listed.y_test, [[1.0]])


@pytest.mark.parametrize(("n_train", "n_test"), [(0, 3), (4, 0)])
def test_either_part_may_have_no_rows(n_train, n_test):
    data = Data(**parts(n_train, n_test))

    assert (len(data.x_train), len(data.x_test)) == (n_train, n_test)


def test_what_has_the_four_arrays_is_data_and_data_stay_as_they_are():
    labels = np.arange(N) % 2
    given = SimpleNamespace(x_train=X, y_train=labels, x_test=X, y_test=labels, names="abc", classes=["no", "yes"])
    given.names = ["a", "b", "c"]

    data = check_data(given)

    assert check_data(data) is data
    assert data.names == ("a", "b", "c")
    assert data.classes.tolist() == ["no", "yes"]


def test_data_need_all_four_arrays_and_as_many_rows_as_asked_for():
    with pytest.raises(TypeError, match=r"^data .*x_train, y_train, x_test, y_test"):
        check_data({"x_train": X})
    with pytest.raises(ValueError, match=r"^data has 0 rows of x_train"):
        check_data(Data(**parts(n_train=0)), least=1)
    with pytest.raises(TypeError, match=r"^x_train is Data.*, such as its x_train$"):
        Data(Data(**parts()), Y, X, Y)


# --- splits, tables, classes


def split(x=X, y=Y, **options):
    return kr.Data.split(x, y, **({"rng": RNG(0)} | options))


@given(st.integers(2, 60), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_a_split_uses_each_sample_once_in_its_order(n, share, seed):
    x = np.arange(float(n))[:, None]

    data = split(x, 2.0 * x, test_share=share, rng=RNG(seed))

    assert len(data.x_test) == min(max(round(share * n), 1), n - 1)
    for part in (data.x_train, data.x_test):
        assert (np.diff(part[:, 0]) > 0).all()
    assert sorted(np.concatenate([data.x_train, data.x_test])[:, 0]) == list(range(n))
    np.testing.assert_array_equal(data.y_test, 2.0 * data.x_test)


@given(st.lists(st.sampled_from("abc"), min_size=4, max_size=40), st.floats(0.0, 1.0))
def test_each_class_has_its_share_in_the_test_part(labels, share):
    counts = {one: labels.count(one) for one in sorted(set(labels))}
    if len(counts) < 2:
        return
    data = split(np.zeros((len(labels), 1)), labels, test_share=share)

    for place, n in enumerate(counts.values()):
        assert (data.y_test == place).sum() == min(max(round(share * n), 1), n - 1)
        assert (data.y_train == place).sum() >= 1


@for_all(
    ("y", "classes"),
    [
        (["b", "a"] * 20, ["a", "b"]),
        (np.array(["b", "a"] * 20, dtype=object)[:, None], ["a", "b"]),
        ([True, False] * 20, [False, True]),
        (np.array([7, 3] * 20, dtype=np.uint8), [3, 7]),
        (np.arange(N) % 20, list(range(20))),
    ],
)
def test_text_booleans_and_integers_become_labels_of_sorted_classes(y, classes):
    data = split(y=y)

    assert data.classes.tolist() == classes
    assert data.y_train.ndim == 1
    again = data.classes[np.concatenate([data.y_train, data.y_test])].tolist()
    assert sorted(again) == sorted(np.asarray(y).reshape(-1).tolist())


@for_all(
    ("y", "n_out"),
    [
        (Y.astype(np.float32), 1),
        (np.array([0.0, 1.0] * 20), 1),
        (np.arange(N)[:, None], 1),
        (np.column_stack([Y > 0, Y > 1]), 2),
    ],
)
def test_real_numbers_and_columns_of_numbers_stay_numbers(y, n_out):
    data = split(y=y)

    assert data.classes is None
    assert data.y_train.shape == (32, n_out)
    assert data.y_train.dtype == np.float64


@pytest.mark.parametrize("y", [np.arange(N) % 21, 10**6 * (np.arange(N) % 39)])
def test_integers_that_hardly_repeat_are_numbers_or_classes_only_on_request(y):
    with pytest.raises(ValueError, match=r"^y has .*y\.astype\(float\).*y\.astype\(str\)"):
        split(y=y)

    assert split(y=y.astype(float)).classes is None
    assert len(split(y=y.astype(str)).classes) == len(np.unique(y))


@for_all(
    ("x", "y", "kind", "names"),
    [
        (Table(a=Y, sex=["m", "f"] * 20), Y, TypeError, r"x\['sex'\]"),
        (Table(a=np.where(Y > 0, np.nan, Y)), Y, ValueError, r"x\['a'\] contains nan at position"),
        (X, ["a", None] * 20, ValueError, "y at row 1"),
        (X, ["a"] * N, ValueError, "every entry of y"),
        (X[:3], list("abc"), ValueError, "y has one sample of each class"),
        (X[:1], Y[:1], ValueError, "x has 1 rows"),
        (X, Y[:30], ValueError, "x has 40 rows and y 30"),
    ],
)
def test_what_cannot_be_split_is_reported_by_name_and_place(x, y, kind, names):
    with pytest.raises(kind, match=f"^{names}"):
        split(x, y)


def test_a_table_gives_its_columns_and_their_names_without_line_breaks_and_spaces_at_the_ends():
    data = split(Table({"age ": Y, "a\n(kg)": X[:, 1], "flag": Y > 0}))

    assert data.names == ("age", "a (kg)", "flag")
    assert set(data.x_train[:, 2]) == {0.0, 1.0}
    assert split(Table({0: Y, 1: Y})).names is None


def test_data_of_a_table_have_its_column_names_unless_others_are_given():
    y = Y[:, None]

    assert Data(AB, y, AB, y).names == ("a", "b")
    assert Data(AB, y, AB, y, names=("u", "v")).names == ("u", "v")
    assert Data(AB, y, X[:, :2], y, names=("a", "b")).names == ("a", "b")
    assert Data(X[:, :2], y, AB, y).names is None


@for_all(
    ("x_train", "x_test", "names", "about"),
    [
        (AB, BA, None, "x_test"),
        (AB, Table(c=Y, d=Y), None, "x_test"),
        (X[:, :2], BA, ("a", "b"), "x_test"),
        (AB, AB, ("b", "a"), "names"),
    ],
)
def test_tables_whose_columns_differ_are_reported(x_train, x_test, names, about):
    with pytest.raises(ValueError, match=f"^{about} "):
        Data(x_train, Y[:, None], x_test, Y[:, None], names)


def test_classes_are_shown_and_later_changes_of_them_do_not_change_data():
    classes, labels = np.array(["no", "yes"]), np.arange(N) % 2
    data = Data(X, labels, X, labels, classes=classes)

    classes[:] = "?"

    assert repr(data).endswith("y_test (40,), classes ('no', 'yes'))")


@pytest.mark.parametrize("labels", [np.arange(N) % 3, np.arange(N) % 2 - 1, Y[:, None]])
def test_classes_fit_the_labels(labels):
    with pytest.raises(ValueError, match=r"^classes "):
        Data(X, labels, X, labels, classes=["a", "b"])


def test_test_labels_go_with_training_labels():
    with pytest.raises(ValueError, match=r"^y_test is .* labels"):
        Data(X, np.arange(N) % 2, X, Y[:, None])


def test_labels_with_classes_are_fitted_by_cross_entropy_alone():
    data = split(y=[7, 3] * 20)

    check_loss(data, "cross_entropy")
    check_loss(split(), "mse")
    for loss in ("mse", "logistic"):
        with pytest.raises(ValueError, match=r"^loss is"):
            check_loss(data, loss)
