"""Input validation: valid values are returned by the rule, invalid ones raise one message that names them.

Remedies for arrays: the code in a message, run as it is, gives an array that passes.
"""

import ast
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from refusals import CLASSES, LABELS, NET, X, Y, data

import kan_ref as kr
from kan_ref.checks import (
    check_choice,
    check_finite,
    check_flag,
    check_float_array,
    check_generator,
    check_integer,
    check_number,
)
from kan_ref.numerics.differences import central_difference

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(float, array_shapes(max_dims=3, max_side=4), elements=finite))
def test_a_float64_array_that_fits_passes_without_a_copy(array):
    assert np.shares_memory(check_float_array("x", array, array.shape), array)


@given(arrays(np.float32, (3, 2), elements=st.floats(-1e6, 1e6, width=32)))
def test_float32_becomes_float64_exactly(array):
    out = check_float_array("x", array, ("batch", 2))

    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, array)


@given(arrays(np.int64, (2, 3), elements=st.integers(-(2**52), 2**52)))
def test_integers_become_float64_exactly(array):
    np.testing.assert_array_equal(
        check_float_array("x", array, ("batch", 3)).astype(np.int64), array
    )


@pytest.mark.parametrize(
    "view", [lambda a: a.T, lambda a: a[::2, ::-1], lambda a: np.asfortranarray(a)]
)
def test_the_result_is_contiguous_in_c_order_with_the_same_values(view):
    array = view(np.arange(24.0).reshape(4, 6))

    out = check_float_array("x", array, ("batch", "n_in"))

    assert out.flags.c_contiguous
    np.testing.assert_array_equal(out, array)


def test_an_axis_given_by_name_may_have_any_length():
    assert check_float_array("x", np.zeros((0, 2)), ("batch", 2)).shape == (0, 2)
    assert check_float_array("x", np.zeros((9, 2)), ("batch", 2)).shape == (9, 2)


@pytest.mark.parametrize(
    ("value", "shape", "sentence"),
    [
        (np.zeros(3), ("batch", 2), r"x has shape \(3,\), but needs shape \(batch, 2\)"),
        (np.zeros((4, 3)), ("batch", 2), r"x has shape \(4, 3\), but needs shape \(batch, 2\)"),
        (np.zeros((1, 3)), ("n",), r"x has shape \(1, 3\), but needs shape \(n,\)"),
        (1.5, ("n",), r"x has shape \(\), but needs shape \(n,\)"),
        (np.zeros((2, 2, 2)), (2, 2), r"x has shape \(2, 2, 2\), but needs shape \(2, 2\)"),
        (
            [[1.0, 2.0], [3.0]],
            ("batch", 2),
            "x is not a rectangular array: its rows differ in length",
        ),
    ],
)
def test_a_wrong_shape_is_named_with_the_right_one(value, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_float_array("x", value, shape)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ("abc", "<U3"),
        ([True, False], "bool"),
        ([1j], "complex128"),
        ([None], "object"),
        ([b"a"], "S1"),
    ],
)
def test_what_is_no_real_number_is_named_with_its_dtype(value, dtype):
    with pytest.raises(TypeError, match=rf"x has dtype \|?{dtype}, but needs real numbers"):
        check_float_array("x", value, ("n",))


@for_all(
    ("shape", "index", "where"),
    [
        ((5,), (3,), "position 3"),
        ((4, 3), (2, 1), "row 2, column 1"),
        ((2, 3, 4), (1, 0, 2), "axis 0 1, axis 1 0, axis 2 2"),
    ],
)
@for_all("bad", [np.nan, np.inf, -np.inf])
def test_the_first_number_that_is_not_finite_is_named_with_its_place(shape, index, where, bad):
    array = np.zeros(shape)
    array[index] = bad
    array.reshape(-1)[-1] = np.inf  # a later one, not to be named

    with pytest.raises(
        ValueError, match=f"^weights contains {bad} at {where}, but needs finite numbers$"
    ):
        check_finite("weights", array)


def test_a_float_array_of_numbers_that_are_not_finite_is_refused():
    with pytest.raises(
        ValueError,
        match="x contains nan at row 1, column 0, but needs finite numbers: leave such samples out",
    ):
        check_float_array("x", [[0.0, 1.0], [np.nan, 2.0]], ("batch", 2))


@given(st.integers(-5, 5), st.sampled_from([int, np.int8, np.int64, np.intp]))
def test_an_integer_in_range_comes_out_as_an_int(value, kind):
    out = check_integer("n", kind(value), low=-5, high=5)

    assert type(out) is int
    assert out == value


@pytest.mark.parametrize("value", [True, np.True_, 2.0, "2", None, np.float64(3)])
def test_what_is_no_integer_is_refused_by_kind(value):
    with pytest.raises(TypeError, match=r"n is .*, but must be an integer"):
        check_integer("n", value, low=0)


@pytest.mark.parametrize(
    ("value", "bounds", "rule"),
    [
        (-1, {"low": 0}, "at least 0"),
        (0, {"low": 1, "high": 3}, "between 1 and 3"),
        (4, {"low": 1, "high": 3}, "between 1 and 3"),
    ],
)
def test_an_integer_out_of_range_is_refused_with_the_range(value, bounds, rule):
    with pytest.raises(ValueError, match=f"^n is {value}, but must be {rule}$"):
        check_integer("n", value, **bounds)


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_an_integer_beyond_float64_is_refused_without_its_digits(value):
    with pytest.raises(
        ValueError, match=r"^n is an integer beyond float64 .*, but must be at least 0$"
    ):
        check_integer("n", value, low=0)


@given(finite, st.sampled_from([float, np.float64]))
def test_a_finite_number_comes_out_as_a_float_of_the_same_value(value, kind):
    out = check_number("h", kind(value))

    assert type(out) is float
    assert out == value


@pytest.mark.parametrize("value", [0, np.int32(7), np.float32(0.5)])
def test_other_real_scalars_become_floats(value):
    assert check_number("h", value) == value
    assert type(check_number("h", value)) is float


@pytest.mark.parametrize("value", [True, np.False_, 1j, "1", None, [1.0]])
def test_what_is_no_number_is_refused_by_kind(value):
    with pytest.raises(TypeError, match=r"h is .*, but must be a real number"):
        check_number("h", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match=f"^h is {value}, but must be finite$"):
        check_number("h", value)


@pytest.mark.parametrize(
    ("value", "bounds", "rule"),
    [
        (-1.0, {"low": 0.0}, "at least 0"),
        (2.5, {"high": 2.0}, "at most 2"),
        (-0.1, {"low": 0.0, "high": 0.5}, "between 0 and 0.5"),
        (0.6, {"low": 0.0, "high": 0.5}, "between 0 and 0.5"),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_range(value, bounds, rule):
    with pytest.raises(ValueError, match=f"^h is {value}, but must be {rule}$"):
        check_number("h", value, **bounds)


@given(st.floats(0, 1))
def test_the_ends_of_a_range_belong_to_it(value):
    assert check_number("h", value, low=value, high=value) == value
    assert check_integer("n", 3, low=3, high=3) == 3


def test_a_choice_among_the_options_passes():
    assert check_choice("base", "silu", ("silu", "zero")) == "silu"


@pytest.mark.parametrize(
    ("value", "guess"), [("sliu", r" \(did you mean 'silu'\?\)"), ("sigmu", ""), ("qqq", "")]
)
def test_another_choice_is_refused_with_all_options_and_the_nearest(value, guess):
    with pytest.raises(
        ValueError, match=f"^base is '{value}', but must be one of 'silu', 'zero'{guess}$"
    ):
        check_choice("base", value, ("silu", "zero"))


def test_a_choice_that_is_no_text_is_refused_by_kind():
    with pytest.raises(TypeError, match="base is 3, but must be one of 'silu', 'zero'"):
        check_choice("base", 3, ("silu", "zero"))


def test_a_generator_passes_as_it_is():
    rng = np.random.default_rng(0)

    assert check_generator("rng", rng) is rng


@pytest.mark.parametrize("value", [None, 0, np.random.RandomState(0), np.random])
def test_other_sources_of_chance_are_refused_with_the_way_to_make_one(value):
    with pytest.raises(
        TypeError,
        match=r"rng is .*, but must be a numpy.random.Generator such as numpy.random.default_rng\(0\)",
    ):
        check_generator("rng", value)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_the_central_difference_of_a_parabola_is_its_slope(a, b, c):
    assert central_difference(lambda t: a + b * t + c * t**2, 0.5) == pytest.approx(b, abs=1e-14)


def test_the_error_of_the_central_difference_falls_with_the_square_of_the_step():
    coarse, fine = (central_difference(lambda t: math.exp(t), step) - 1.0 for step in (1e-2, 5e-3))

    assert coarse == pytest.approx(1e-4 / 6, rel=1e-4)  # (N4): h^2 g''' / 6
    assert coarse / fine == pytest.approx(4.0, rel=1e-3)


def test_the_default_step_suits_functions_of_size_one():
    assert central_difference(math.sin) == pytest.approx(1.0, abs=1e-10)


def test_the_central_difference_of_an_array_is_taken_entry_by_entry():
    slopes = central_difference(lambda t: np.array([[t, 2.0 - 3.0 * t], [t**2, 5.0]]), 0.25)

    np.testing.assert_allclose(slopes, [[1.0, -3.0], [0.0, 0.0]], atol=1e-15)


# --- remedies for arrays


class Series:
    """An array that is not an ndarray, as pandas and PyTorch have them."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.ndim, self.dtype, self.shape = self.values.ndim, "of their own", self.values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype) if dtype else self.values

    def __len__(self):
        return len(self.values)


class Frame(Series):
    """Named columns of several kinds, as a DataFrame has them."""

    def __init__(self, **columns):
        parts = {name: np.asarray(column) for name, column in columns.items()}
        super().__init__(np.column_stack([part.astype(object) for part in parts.values()]))
        self.columns, self.dtypes = list(parts), [part.dtype for part in parts.values()]


class Sparse:
    """A sparse matrix, which NumPy does not read."""

    def toarray(self):
        return X


def code_at(text, names):
    """The longest code at the beginning of a text that uses these names, or None."""
    for end in range(len(text), 0, -1):
        try:
            tree = ast.parse(text[:end], mode="eval")
        except SyntaxError:
            continue
        if {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= names:
            return text[:end].rstrip(", ")
    return None


def remedies(message, **names):
    """The values of all code in a message, which follows "give", "write", "with" or "labels"."""
    texts = re.split(r"\b(?:give|write|with|labels) ", message)[1:]
    codes = [code_at(text, {"np", "float", "int", *names}) for text in texts]
    return [eval(code, {"np": np, **names}) for code in codes if code is not None]


def refusal(call, *args, **kwargs):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*args, **kwargs)
    return str(caught.value)


@given(
    array_shapes(min_dims=0, max_dims=3, max_side=4),
    st.lists(
        st.integers(1, 4) | st.sampled_from(["batch", "n_in", "n_out"]), min_size=1, max_size=3
    ),
    st.sampled_from([np.asarray, np.ndarray.tolist, Series]),
)
def test_the_remedy_for_a_shape_gives_the_shape(came, wanted, kind):
    value, message = kind(np.ones(came)), ""
    try:
        check_float_array("x", value, wanted)
    except ValueError as error:
        message = str(error)
    results = remedies(message, x=value)

    assert len(results) == message.count("give")
    assert all(check_float_array("x", result, wanted).size for result in results)


@pytest.mark.parametrize(
    ("came", "wanted", "remedy"),
    [
        ((6,), ("batch", 1), "x[:, None]"),
        ((6,), ("batch", "n_in"), "x[:, None] for one input"),
        ((2,), ("batch", 2), "x[None, :] for one sample"),
        ((2,), ("n_directions", 2), "x[None, :] for one direction"),
        ((2,), (1, 2), "x[None, :]"),
        ((2, 6), ("batch", 2), "x.T"),
        ((6, 1), ("n",), "x.reshape(-1)"),
    ],
)
def test_a_shape_that_is_nearly_right_has_a_remedy(came, wanted, remedy):
    message = refusal(check_float_array, "x", np.ones(came), wanted)

    assert message.endswith(f": give {remedy}")


@for_all(
    "value",
    [
        X + 0j,
        X.astype(str),
        X.astype(object),
        X.astype(object).tolist(),
        X > 0.0,
        (X > 0.0).tolist(),
        Sparse(),
        Series(X.astype(str)),
        np.ma.masked_greater(X, 0.5),
    ],
    ids=[
        "complex",
        "texts of numbers",
        "objects",
        "real",
        "booleans",
        "lists of booleans",
        "sparse",
        "series of texts",
        "masked",
    ],
)
def test_the_remedy_for_a_kind_gives_an_array_that_passes(value):
    if isinstance(value, list) and not isinstance(value[0][0], bool):
        assert check_float_array("x", value, ("batch", 2)).shape == X.shape
        return
    results = remedies(refusal(check_float_array, "x", value, ("batch", 2)), x=value)

    assert results
    for result in results:
        assert check_float_array("x", result, ("batch", 2)).shape[1] == 2


@for_all(
    ("value", "end"),
    [
        (X + 0j, "give its .real, or the real and the imaginary part as columns"),
        (X > 0.0, "give its .astype(float)"),
        ((X > 0.0).tolist(), "give its .astype(float)"),
        (X.astype(str), "give its .astype(float)"),
        (X[:, 0], "give its [:, None] for one input"),
        (Sparse(), "it is a sparse Sparse, give its .toarray()"),
        (np.ma.masked_greater(X, 0.5), "fill them with .filled(0.0)"),
    ],
)
def test_words_that_name_a_value_are_no_part_of_the_code_in_a_remedy(value, end):
    message = refusal(check_float_array, "the gradient at the start", value, ("batch", "n_in"))

    assert message.startswith("the gradient at the start has ")
    assert message.endswith(f": {end}")


@pytest.mark.parametrize(
    "entry",
    [10**400, -(10**400), Fraction(10**400, 3)],
    ids=["integer", "long integer", "fraction"],
)
def test_a_number_that_float64_cannot_hold_is_named_with_the_remedy(entry):
    objects = X.astype(object)
    objects[4, 1] = objects[5, 0] = entry
    words = r"x\[4, 1\] is beyond float64 \(about 1.8e308\), scale the numbers to size one"

    with pytest.raises(TypeError, match=rf"^x has dtype object, but needs real numbers: {words}$"):
        kr.forward(NET, objects)


@pytest.mark.parametrize(
    ("bounds", "rule"),
    [({}, "finite"), ({"low": 0.0}, "at least 0"), ({"low": 0.0, "high": 1.0}, "between 0 and 1")],
)
def test_an_integer_beyond_float64_is_no_number_and_the_rule_is_named(bounds, rule):
    sentence = rf"^weight is an integer beyond float64 \(about 1.8e308\), but must be {rule}$"
    with pytest.raises(ValueError, match=sentence):
        check_number("weight", 10**5000, **bounds)


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        (lambda: check_integer("n", np.float64(2.5), low=1), "n is 2.5, but"),
        (lambda: check_number("n", np.str_("a")), "n is 'a', but"),
        (lambda: check_choice("n", np.str_("a"), ("b", "c")), "n is 'a', but"),
        (lambda: check_choice("n", np.float64(1.0), ("b", "c")), "n is 1.0, but"),
        (lambda: check_flag("n", np.True_), "n is True, but"),
    ],
)
def test_messages_show_scalars_of_numpy_as_plain_values(check, shown):
    with pytest.raises((TypeError, ValueError), match=f"^{shown}"):
        check()


def test_a_choice_of_numpy_becomes_plain_text():
    assert type(check_choice("n", np.str_("b"), ("b", "c"))) is str


@pytest.mark.parametrize(
    ("entry", "words"),
    [(None, "is None"), ("red", "is 'red'"), (True, "is True"), (1j, "is 1j"), ([1], r"is \[1\]")],
)
def test_among_objects_the_first_that_is_no_real_number_is_named(entry, words):
    objects = X.astype(object)
    objects[4, 1] = objects[5, 0] = entry

    with pytest.raises(TypeError, match=rf"^x has dtype object, .*: x\[4, 1\] {words}$"):
        kr.forward(NET, objects)


@pytest.mark.parametrize(
    ("column", "dtype"), [(["a"] * 6, "<U1"), ([True] * 6, "bool"), ([None] * 6, "object")]
)
def test_the_column_of_a_table_that_is_no_column_of_numbers_is_named(column, dtype):
    table = Frame(age=np.arange(6), kind=column)

    with pytest.raises(TypeError, match=rf": its column 'kind' has dtype {dtype}, which has to"):
        kr.Data(table, Y, X, Y)


@given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_masked_numbers_are_never_used(mask):
    masked = np.ma.array(X, mask=np.reshape(mask, X.shape))
    rows = [masked[i] for i in range(len(X))]
    calls = [
        lambda: kr.forward(NET, masked)[0],
        lambda: kr.forward(NET, rows)[0],
        lambda: kr.Data(masked, Y, X, Y).x_train,
        lambda: kr.fit(NET, data(x_train=masked), n_steps=0),
        lambda: kr.uniform_knots(masked[0] - 2.0, 2.0, 3, 3),
    ]
    hit = [any(mask)] * 4 + [any(mask[:2])]

    for call, wrong in zip(calls, hit, strict=True):
        if wrong:
            assert "has masked numbers, but every number counts here: fill them" in refusal(call)
        else:
            assert call() is not None


def test_masked_labels_are_never_used():
    masked = np.ma.array(LABELS, mask=LABELS == 2)

    for make in (
        kr.Data,
        lambda *parts: kr.fit(CLASSES, data(y_train=parts[1]), loss="cross_entropy"),
    ):
        message = refusal(make, X, masked, X, LABELS)
        assert message.startswith("y_train has masked numbers")
        assert all(not np.ma.is_masked(result) for result in remedies(message, y_train=masked))


TARGETS = {
    "integers": LABELS,
    "list of integers": LABELS.tolist(),
    "series of integers": Series(LABELS),
    "bytes": LABELS.astype(np.uint8),
    "whole numbers": LABELS.astype(float),
    "list of whole numbers": LABELS.astype(float).tolist(),
    "series of whole numbers": Series(LABELS.astype(float)),
    "booleans": LABELS > 0,
    "texts": np.array(["red", "green", "blue"])[LABELS],
    "list of texts": np.array(["red", "green", "blue"])[LABELS].tolist(),
    "series of texts": Series(np.array(["red", "green", "blue"])[LABELS].astype(object)),
    "column of integers": LABELS[:, None],
    "column of whole numbers": LABELS[:, None].astype(float),
    "list of columns": LABELS[:, None].tolist(),
    "column of texts": np.array(["red", "green", "blue"])[LABELS][:, None],
    "one column for each class": np.eye(3)[LABELS],
}


def classes_after_remedies(y, make):
    """Targets that `make` takes as classes: `y` after at most three remedies of its messages."""
    for _ in range(4):
        try:
            make(y)
        except (TypeError, ValueError) as error:
            name = str(error).partition(" ")[0]
            y = remedies(str(error), **{name: y})[-1]
        else:
            return y
    raise AssertionError("the remedies lead nowhere")


@for_all("y", TARGETS.values(), ids=TARGETS)
def test_remedies_lead_from_any_targets_to_classes_that_train(y):
    def train(y):
        kr.fit(CLASSES, data(y_train=y, y_test=y), loss="cross_entropy", n_steps=0)

    labels = classes_after_remedies(y, train)

    assert np.asarray(labels).dtype.kind in "iu"
    assert np.shape(labels) == (6,)


@for_all("name", [name for name, y in TARGETS.items() if np.ndim(y) == 1])
def test_remedies_of_data_and_of_the_loss_agree(name):
    y = classes_after_remedies(TARGETS[name], lambda y: kr.Data(X, y, X, y))

    run = kr.fit(CLASSES, kr.Data(X, y, X, y), loss="cross_entropy", n_steps=0)

    assert np.isfinite(run.history.train_loss).all()


@for_all("name", [name for name, y in TARGETS.items() if np.ndim(y) == 1])
def test_with_a_loss_of_numbers_one_axis_has_a_column_or_the_loss_of_classes_as_remedy(name):
    y = TARGETS[name]
    message = refusal(kr.value_and_grad, NET, X, y)
    texts = np.asarray(y).dtype.kind in "UO"

    assert ("loss='cross_entropy'" in message) == (np.asarray(y).dtype.kind != "f")
    if texts:
        labels = remedies(message, y=y)[-1]
        assert kr.value_and_grad(CLASSES, X, labels, "cross_entropy")[0] > 0.0
    else:
        column = remedies(message, y=y)[0]
        if column.dtype != bool:
            assert kr.value_and_grad(NET, X, column)[0] > 0.0


@pytest.mark.parametrize(
    ("call", "attribute"),
    [
        (lambda: kr.prune(NET, data()), "x_train"),
        (lambda: NET(data()), "x_train"),
        (lambda: kr.value_and_grad(NET, X, data()), "y_train"),
    ],
)
def test_data_in_the_place_of_an_array_lead_to_their_attribute(call, attribute):
    assert refusal(call).endswith(f"whose training samples are its .{attribute}")


@pytest.mark.parametrize("part", ["x_train", "y_train", "x_test", "y_test"])
def test_a_part_that_is_missing_is_asked_for(part):
    message = refusal(kr.Data, **{**vars(data()), part: None})

    assert message.startswith(f"{part} is None, but needs shape (n_")
    assert ("train again" in message) == part.endswith("test")


def test_two_samples_of_two_inputs_in_the_place_of_bounds_are_sent_to_x():
    samples = np.array([[0.3, 0.5], [0.1, -0.2]])
    options = {"n_intervals": 3, "degree": 3, "rng": np.random.default_rng(0)}

    message = refusal(kr.init_network, (2, 1), domain=samples, **options)

    assert message == (
        "domain is 0.1 to -0.2 at input 1, but low must lie below high: shape (2, 2) is bounds, "
        "and samples of this shape are given as x="
    )
    assert kr.init_network((2, 1), domain=(-1.0, 1.0), x=samples, **options).widths == (2, 1)
