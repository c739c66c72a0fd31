"""Data: targets by their definitions and their draws, the input validation of `Data`, and data of one's own.

Of one's own are tables that are split, functions that are sampled, names of columns and classes.
"""

import math
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr
from kan_ref import checks
from kan_ref.data import Data, check_data
from kan_ref.targets import TARGETS, sample
from kan_ref.training.held_out import hold_out


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
from kan_ref.training.held_out import hold_out
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
            r"y_train has shape \(4,\), but needs shape \(n_train, n_out\): give y_train\[:, None\]",
        ),
        (
            "y_test",
            lambda y: y[:, 0],
            r"y_test has shape \(3,\), but needs shape \(n_test, n_out\): give y_test\[:, None\]",
        ),
        (
            "x_train",
            lambda x: x[:, 0],
            r"x_train has shape \(4,\), .*\(n_train, n_in\): give x_train\[:, None\]",
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
            "x_train contains nan at row 2, column 1, but needs finite numbers",
        ),
        (
            "y_test",
            lambda y: np.where(y == y[1, 0], -np.inf, y),
            "y_test contains -inf at row 1, column 0, but needs finite numbers",
        ),
        (
            "x_train",
            lambda x: x[:0],
            r"x_train has shape \(0, 2\), but needs at least one row and one column",
        ),
        ("x_test", lambda x: x[:0], "y_test has 3 rows, but x_test has 0"),
        (
            "x_test",
            lambda x: x[:0, :0],
            r"x_test has shape \(0, 0\), but needs at least one column",
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


# --- data of one's own


RNG = np.random.default_rng
N = 40
X = RNG(1).normal(size=(N, 3))
Y = X @ [1.0, 2.0, 3.0]
NAN = float("nan")


class Table:
    """Columns of several kinds, as a DataFrame has them."""

    def __init__(self, **columns):
        self.parts = {name: np.asarray(column) for name, column in columns.items()}
        self.columns = list(self.parts)

    def __getitem__(self, name):
        return self.parts[name]

    def __array__(self, dtype=None, copy=None):
        return np.column_stack(list(self.parts.values())).astype(dtype)


TABLE = Table(age=X[:, 0], size=np.arange(N), flag=X[:, 2] > 0.0)


def split(x=X, y=Y, **settings):
    return kr.Data.split(x, y, **({"rng": RNG(0)} | settings))


def test_every_sample_is_in_one_part_with_its_value_and_in_order():
    data = split()

    both = np.vstack([data.x_train, data.x_test])
    rows = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in both]
    assert sorted(rows) == list(range(N))
    assert len(data.x_test) == N // 5
    np.testing.assert_array_equal(np.vstack([data.y_train, data.y_test])[:, 0], Y[rows])
    assert rows[:32] == sorted(rows[:32])
    assert rows[32:] == sorted(rows[32:])


@given(st.integers(2, 60), st.floats(0.0, 1.0))
def test_both_parts_have_a_sample_for_every_share(n, share):
    data = split(np.arange(float(n))[:, None], np.zeros(n), test_share=share)

    assert len(data.x_test) == min(max(round(share * n), 1), n - 1)
    assert len(data.x_train) == n - len(data.x_test)


@given(st.lists(st.sampled_from("abcd"), min_size=3, max_size=60), st.floats(0.0, 1.0))
def test_each_class_with_two_samples_is_in_both_parts_and_one_alone_is_trained_on(labels, share):
    counts = {one: labels.count(one) for one in labels}
    if len(counts) < 2 or max(counts.values()) < 2:
        return
    data = split(np.zeros((len(labels), 1)), labels, test_share=share)

    for place, one in enumerate(sorted(counts)):
        assert (data.y_train == place).sum() >= 1
        assert (data.y_test == place).sum() == (
            min(max(round(share * counts[one]), 1), counts[one] - 1)
        )


def test_a_table_gives_its_columns_and_their_names():
    data = split(TABLE)

    assert data.names == ("age", "size", "flag")
    assert data.x_train.dtype == np.float64
    assert set(data.x_train[:, 2]) == {0.0, 1.0}


def test_columns_without_names_of_text_give_no_names():
    table = Table(a=X[:, 0], b=X[:, 1])
    table.columns = [0, 1]

    assert split(table).names is None


@for_all(
    ("y", "classes"),
    [
        (["b", "a"] * 20, ["a", "b"]),
        (np.array(["b", "a"] * 20, dtype=object), ["a", "b"]),
        (np.array(["b", "a"] * 20)[:, None], ["a", "b"]),
        ([True, False] * 20, [False, True]),
        ([7, 3] * 20, [3, 7]),
        (np.array([7, 3] * 20, dtype=np.uint8), [3, 7]),
    ],
)
def test_text_booleans_and_integers_become_labels_of_sorted_classes(y, classes):
    data = split(y=y)

    assert data.classes.tolist() == classes
    assert data.y_train.ndim == 1
    assert data.y_train.dtype.kind == "i"
    again = data.classes[np.concatenate([data.y_train, data.y_test])].tolist()
    assert sorted(again) == sorted(np.asarray(y).reshape(-1).tolist())


@for_all(
    ("y", "n_out"),
    [
        (Y, 1),
        (Y.astype(np.float32), 1),
        (np.array([0.0, 1.0] * 20), 1),
        (np.arange(N)[:, None], 1),
        (np.eye(2)[[0, 1] * 20], 2),
        (np.column_stack([Y > 0, Y > 1]), 2),
        (Table(a=Y, b=Y), 2),
    ],
)
def test_real_numbers_and_columns_of_numbers_stay_numbers(y, n_out):
    data = split(y=y)

    assert data.classes is None
    assert data.y_train.shape == (32, n_out)
    assert data.y_train.dtype == np.float64


@pytest.mark.parametrize("y", [np.arange(N) % 21, 10**6 * (np.arange(N) % 39)])
def test_integers_that_hardly_repeat_are_numbers_or_classes_only_on_request(y):
    with pytest.raises(ValueError, match="different integers in 40 rows") as error:
        split(y=y)

    assert "for regression give y.astype(float), for classes y.astype(str)" in str(error.value)
    assert split(y=y.astype(float)).classes is None
    assert len(split(y=y.astype(str)).classes) == len(np.unique(y))


def test_few_integers_are_classes_with_two_samples_each():
    assert len(split(y=np.arange(N) % 20).classes) == 20


@for_all(
    ("x", "y", "kind", "sentence"),
    [
        (Table(sex=["m", "f"] * 20), Y, TypeError, r"x\['sex'\] has dtype <U1, but needs real"),
        (Table(a=np.where(Y > 0, NAN, Y)), Y, ValueError, r"x\['a'\] contains nan at position"),
        (np.where(np.isin(X, X[2, 1]), np.inf, X), Y, ValueError, "x contains inf at row 2, col"),
        (X, np.where(np.arange(N) == 5, NAN, Y), ValueError, "y contains nan at row 5, column 0"),
        (X, Y[:30], ValueError, "y has 30 rows, but x has 40"),
        (X, ["a", None] * 20, ValueError, "y is None at row 1, but every class"),
        (X, ["a", NAN] * 20, ValueError, "y is nan at row 1, but every class"),
        (X, ["a", 1] * 20, ValueError, "y is 1 at row 1, but every class"),
        (X, ["a"] * N, ValueError, "y has the one class 'a', but a network needs at least two"),
        (X[:3], list("abc"), ValueError, "each class of y has one sample, but a split needs"),
        (X[:, 0], Y, ValueError, r"x has shape \(40,\), .* give x\[:, None\]$"),
        (X[:1], Y[:1], ValueError, r"x has shape \(1, 3\), but a split needs at least 2 samples"),
        (None, Y, TypeError, "x is None, but needs real numbers"),
        (X, None, TypeError, "y is None, but needs real numbers"),
        (X, Y * 1j, TypeError, "y has dtype complex128, but needs real numbers"),
    ],
)
def test_what_cannot_be_read_is_reported_by_name_and_place(x, y, kind, sentence):
    with pytest.raises(kind, match=f"^{sentence}"):
        split(x, y)


@for_all("loss", ["mse", "logistic", "cross_entropy"])
def test_without_test_samples_errors_on_them_are_nan_and_training_is_the_same(loss):
    y = np.sin(2.0 * X[:, :1])
    y = {"mse": y, "logistic": np.sign(y) / 2.0 + 0.5, "cross_entropy": (y[:, 0] > 0).astype(int)}
    y, n_out = y[loss], 2 if loss == "cross_entropy" else 1
    data = kr.Data(X, y, X[:0], y[:0])
    net = kr.init_network((3, n_out), n_intervals=3, degree=3, domain=X, rng=RNG(0))

    run = kr.fit(net, data, n_steps=3, loss=loss)
    seen = kr.fit(net, kr.Data(X, y, X, y), n_steps=3, loss=loss)

    np.testing.assert_array_equal(run.network.theta, seen.network.theta)
    assert np.isnan(run.test_rmse)
    assert np.isnan([run.history.test_loss, run.history.test_accuracy]).all()
    assert "test" not in repr(run)
    assert kr.scaled(data)[0].x_test.shape == (0, 3)
    found = kr.discover(data, loss=loss, seconds=0.0, rng=RNG(0))
    assert np.isnan([step.test_rmse for step in found.steps]).all()
    assert not re.search("test_rmse|test samples", f"{found!r} {found.steps} {found.verdict}")
    assert ">nan<" not in found._repr_html_()


def test_settings_of_a_split_are_checked_by_name():
    with pytest.raises(ValueError, match=r"test_share is 1.5, but must be between 0 and 1"):
        split(test_share=1.5)


# --- tables: the order of their columns, and names for their headers


AB = Table(a=X[:, 0], b=X[:, 1])
BA = Table(b=X[:, 1], a=X[:, 0])
OTHER = Table(c=X[:, 0], d=X[:, 1])
LESS = Table(b=X[:, 1])


def test_data_of_a_table_have_its_column_names_unless_others_are_given():
    y = Y[:, None]

    data = kr.Data(AB, y, AB, y)

    assert data.names == ("a", "b")
    assert kr.Data(AB, y, AB, y, names=("u", "v")).names == ("u", "v")
    assert kr.Data(AB, y, X[:, :2], y, names=("a", "b")).names == ("a", "b")
    assert kr.Data(X[:, :2], y, AB, y).names is None
    assert kr.scaled(data)[1].names == ("a", "b")
    with pytest.raises(ValueError, match=r"^names is \('b', 'a'\), but the names of the data"):
        kr.discover(data, names=("b", "a"), rng=np.random.default_rng(0))


@for_all(
    ("call", "sentence"),
    [
        (lambda: kr.Data(AB, Y[:, None], BA, Y[:, None]), r"x_test has the columns \('b', 'a'\)"),
        (
            lambda: kr.Data(AB, Y[:, None], OTHER, Y[:, None]),
            r"x_test has the columns \('c', 'd'\), but needs \('a', 'b'\), the columns of x_train",
        ),
        (lambda: kr.Data(AB, Y[:, None], LESS, Y[:, None]), r"x_test has the columns \('b',\)"),
        (
            lambda: kr.Data(X[:, :2], Y[:, None], BA, Y[:, None], names=("a", "b")),
            r"x_test has the columns \('b', 'a'\), but needs \('a', 'b'\), the names of the inputs",
        ),
        (
            lambda: kr.Data(AB, Y[:, None], AB, Y[:, None], names=("b", "a")),
            r"names is \('b', 'a'\), but the columns of x_train are \('a', 'b'\): give the names in",
        ),
        (
            lambda: check_data(
                SimpleNamespace(x_train=AB, y_train=Y[:, None], x_test=BA, y_test=Y[:, None])
            ),
            r"x_test has the columns \('b', 'a'\)",
        ),
    ],
)
def test_tables_that_do_not_fit_together_are_reported(call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call()


def test_columns_that_agree_with_names_or_default_names_pass():
    for names in (("a", "b"), ("x_1", "x_2")):
        checks.same_columns("x", AB, names)
    checks.same_columns("x", Table(**{" a": Y, "b\n": Y}), ("a", "b"))
    with pytest.raises(
        ValueError, match=r"^x has the columns \('b', 'a'\), but needs \('a', 'b'\)"
    ):
        checks.same_columns("x", BA, ("a", "b"))
    with pytest.raises(ValueError, match=r"^x has the columns \('x_2', 'x_1'\), but needs"):
        checks.same_columns("x", Table(x_2=Y, x_1=Y), ("x_1", "x_2"))


def test_headers_become_names_without_line_breaks_and_spaces_at_the_ends():
    assert checks.input_names(["mass ", "a\n(kg)", "US$"]) == ("mass", "a (kg)", "US$")
    assert split(Table(**{"mass ": X[:, 0], "b": X[:, 1]})).names == ("mass", "b")
    with pytest.raises(ValueError, match=r"^names has 'a' twice"):
        split(Table(**{"a": X[:, 0], " a": X[:, 1]}))


def test_later_changes_of_classes_do_not_change_data():
    classes = np.array(["no", "yes"])
    data = kr.Data(X, np.arange(N) % 2, X, np.arange(N) % 2, classes=classes)

    classes[:] = "?"

    assert data.classes.tolist() == ["no", "yes"]


def test_data_show_names_and_classes():
    data = split(Table(**{f"c{i}": Y for i in range(8)}), ["no", "yes"] * 20)

    assert repr(data).endswith("names ('c0', 'c1', 'c2', 'c3', ..., 'c7'), classes ('no', 'yes'))")


@pytest.mark.parametrize(
    ("names", "kind", "sentence"),
    [
        (("a",), ValueError, "names has 1 name, but there are 3 inputs: give one for each"),
        ("abc", TypeError, "names is 'abc', but must be a sequence of 3 names"),
        (("a", "b", 3), TypeError, r"names\[2\] is 3, but must be text"),
        (5, TypeError, "names is 5, but must be a sequence of 3 names"),
        ({"a", "b", "c"}, TypeError, "but must be a sequence of 3 names"),
        (("a", "", "c"), ValueError, r"names\[1\] is '', but must be printable text"),
        (("a", "b", " c"), ValueError, r"names\[2\] is ' c', but must be printable text"),
        (("a", "b", "a"), ValueError, "names has 'a' twice"),
    ],
)
def test_names_of_inputs_are_checked(names, kind, sentence):
    with pytest.raises(kind, match=sentence):
        kr.Data(X, Y[:, None], X, Y[:, None], names)


@pytest.mark.parametrize(
    "given", [list("abc"), dict.fromkeys("abc"), np.array(["a", "b", "c"]), (one for one in "abc")]
)
def test_names_may_be_any_ordered_texts(given):
    names = kr.Data(X, Y[:, None], X, Y[:, None], given).names

    assert names == ("a", "b", "c")
    assert all(type(name) is str for name in names)


@pytest.mark.parametrize(
    ("y", "classes", "sentence"),
    [
        (Y[:, None], ["a", "b"], r"classes is given, but y_train has shape \(40, 1\)"),
        (np.arange(N) % 3, ["a", "b"], "y_train has labels 0 to 2, but 2 classes have labels 0 to"),
        (np.arange(N) % 2, ["a", "a"], "but must be a list of different classes"),
    ],
)
def test_classes_fit_the_labels(y, classes, sentence):
    with pytest.raises(ValueError, match=sentence):
        kr.Data(X, y, X, y, classes=classes)


def test_names_and_classes_of_other_objects_are_kept():
    arrays = {"x_train": X, "y_train": np.arange(N) % 2, "x_test": X, "y_test": np.arange(N) % 2}
    given = SimpleNamespace(**arrays, names=["a", "b", "c"], classes=["no", "yes"])

    data = kr.data.check_data(given)

    assert data.names == ("a", "b", "c")
    assert data.classes.tolist() == ["no", "yes"]
    assert hold_out(data, 0.2).names == ("a", "b", "c")


@pytest.mark.parametrize(
    "call",
    [
        lambda net, data: kr.fit(net, data),
        lambda net, data: kr.fit(net, data, loss="logistic"),
        lambda net, data: kr.eliminate(net, data),
        lambda net, data: kr.best_start(
            net.widths, data, n_starts=1, n_intervals=3, degree=3, rng=RNG(0)
        ),
        lambda net, data: kr.discover(data, widths=net.widths, rng=RNG(0)),
    ],
    ids=["fit", "logistic", "eliminate", "best_start", "discover"],
)
def test_labels_of_classes_are_not_fitted_as_numbers(call):
    net = kr.init_network((3, 2), n_intervals=3, degree=3, domain=X, rng=RNG(0))

    with pytest.raises(ValueError, match=r"the data hold labels of the 2 classes \(3, 7\): give"):
        call(net, split(y=[7, 3] * 20))


def test_labels_are_learnt_with_cross_entropy():
    data = split(y=np.where(X[:, 0] > 0.0, "yes", "no"))
    net = kr.init_network((3, 2), n_intervals=3, degree=3, domain=X, rng=RNG(0))

    run = kr.fit(net, data, loss="cross_entropy", n_steps=20)

    assert kr.predict_labels(run.network, X, data.classes).tolist() == [
        "yes" if one else "no" for one in X[:, 0] > 0.0
    ]


@pytest.mark.long
def test_discover_takes_the_names_of_the_data():
    x = RNG(0).uniform(-1.0, 1.0, (60, 2))
    data = kr.Data(x, x[:, :1] + 2.0 * x[:, 1:], x, x[:, :1] + 2.0 * x[:, 1:], ("mass", "speed"))
    options = {"widths": (2, 1), "functions": ("x",), "penalty_weight": 0.0, "rng": RNG(0)}

    found = kr.discover(data, **options)
    other = kr.discover(data, names=("a", "b"), **options)

    assert {str(symbol) for symbol in found.formula.free_symbols} == {"mass", "speed"}
    assert {str(symbol) for symbol in other.formula.free_symbols} == {"a", "b"}


# --- functions of one's own


def drawn(f, **settings):
    return kr.sample(f, **({"n_train": 7, "n_test": 5, "rng": RNG(3)} | settings))


def test_a_function_gives_its_values_at_uniform_points():
    data = drawn(lambda x: np.sin(x[:, 0]) * x[:, 1], n_train=500)

    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        np.testing.assert_array_equal(y[:, 0], np.sin(x[:, 0]) * x[:, 1])
    assert -1.0 <= data.x_train.min() < -0.95
    assert 0.95 < data.x_train.max() <= 1.0


def test_a_function_with_the_formula_of_a_name_gives_the_same_samples():
    ours, own = drawn("product", noise=0.1), drawn(lambda x: x[:, 0] * x[:, 1], noise=0.1)

    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(own, name))


def test_each_input_has_its_own_bounds_and_their_number_gives_the_inputs():
    data = drawn(lambda x: x, domain=[(0, 1), (10, 20), (-5, -4)], n_train=200)

    assert data.x_train.shape == (200, 3)
    assert data.y_train.shape == (200, 3)
    assert (data.x_train >= [0, 10, -5]).all()
    assert (data.x_train <= [1, 20, -4]).all()


def test_a_function_may_change_its_argument():
    data = drawn(lambda x: x.__imul__(0.0).sum(axis=1))

    assert (data.x_train != 0.0).all()


@for_all(
    ("f", "settings", "sentence"),
    [
        (
            lambda x: x[0] * x[1],
            {},
            r"f returned shape \(2,\), but must return \(7,\) or \(7, n_out",
        ),
        (lambda x: 1.0, {}, r"f returned shape \(\), but must return"),
        (lambda x: x[:, :0], {}, r"f returned shape \(7, 0\), but must return"),
        (lambda a, b: a * b, {}, r"f raised TypeError: .*; f takes one array x of shape \(7, 2\)"),
        (lambda x: np.sqrt(x[:, 0]), {}, r"f returned nan at x = \[.*\]: choose a domain="),
        (lambda x: 1j * x[:, 0], {}, "f returned dtype complex128, but must return real numbers"),
        (lambda x: x, {"domain": (1, 1)}, r"domain is \[1.0, 1.0\] for input 0, but the lower"),
        (lambda x: x, {"domain": (0, 1, 2)}, r"domain has shape \(3,\), but needs shape \(2,\)"),
        (lambda x: x, {"n_in": 3, "domain": [(0, 1)] * 2}, r"domain has shape \(2, 2\), but needs"),
    ],
)
def test_a_function_that_cannot_be_sampled_is_reported(f, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawn(f, **settings)


@pytest.mark.parametrize("setting", [{"n_in": 2}, {"domain": (0, 1)}])
def test_a_name_has_its_own_inputs_and_domain(setting):
    (name,) = setting

    with pytest.raises(TypeError, match=re.escape(f"{name} is for functions of your own")):
        drawn("product", **setting)
