"""Input validation: valid values are returned by the rule, invalid ones raise one message that names them."""

import math

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from refusals import CLASSES, LABELS, NET, X, Y

import kan_ref as kr
from kan_ref import checks
from kan_ref.numerics.differences import central_difference

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(float, array_shapes(max_dims=3, max_side=4), elements=finite))
def test_a_float64_array_that_fits_passes_without_a_copy(array):
    assert np.shares_memory(checks.array("x", array, array.shape), array)


@given(arrays(np.float32, (3, 2), elements=st.floats(-1e6, 1e6, width=32)))
def test_float32_becomes_float64_exactly(array):
    out = checks.array("x", array, ("batch", 2))

    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, array)


@given(arrays(np.int64, (2, 3), elements=st.integers(-(2**52), 2**52)))
def test_integers_become_float64_exactly(array):
    np.testing.assert_array_equal(checks.array("x", array, ("batch", 3)).astype(np.int64), array)


@pytest.mark.parametrize(
    "view", [lambda a: a.T, lambda a: a[::2, ::-1], lambda a: np.asfortranarray(a)]
)
def test_the_result_is_contiguous_in_c_order_with_the_same_values(view):
    array = view(np.arange(24.0).reshape(4, 6))

    out = checks.array("x", array, ("batch", "n_in"))

    assert out.flags.c_contiguous
    np.testing.assert_array_equal(out, array)


def test_an_axis_given_by_name_may_have_any_length():
    assert checks.array("x", np.zeros((0, 2)), ("batch", 2)).shape == (0, 2)
    assert checks.array("x", np.zeros((9, 2)), ("batch", 2)).shape == (9, 2)


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
        checks.array("x", value, shape)


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
        checks.array("x", value, ("n",))


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
        checks.finite("weights", array)


def test_a_float_array_has_finite_numbers_unless_it_may_have_others():
    with pytest.raises(ValueError, match=r"^x contains nan at row 1, column 0, but needs finite"):
        checks.array("x", [[0.0, 1.0], [np.nan, 2.0]], ("batch", 2))
    assert np.isnan(checks.array("x", [[np.nan]], ("batch", 1), finite=False)).all()


@given(st.integers(-5, 5), st.sampled_from([int, np.int8, np.int64, np.intp]))
def test_an_integer_in_range_comes_out_as_an_int(value, kind):
    out = checks.integer("n", kind(value), low=-5, high=5)

    assert type(out) is int
    assert out == value


@pytest.mark.parametrize("value", [True, np.True_, 2.0, "2", None, np.float64(3)])
def test_what_is_no_integer_is_refused_by_kind(value):
    with pytest.raises(TypeError, match=r"n is .*, but must be an integer"):
        checks.integer("n", value, low=0)


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
        checks.integer("n", value, **bounds)


@given(finite, st.sampled_from([float, np.float64]))
def test_a_finite_number_comes_out_as_a_float_of_the_same_value(value, kind):
    out = checks.number("h", kind(value))

    assert type(out) is float
    assert out == value


@pytest.mark.parametrize("value", [0, np.int32(7), np.float32(0.5)])
def test_other_real_scalars_become_floats(value):
    assert checks.number("h", value) == value
    assert type(checks.number("h", value)) is float


@pytest.mark.parametrize("value", [True, np.False_, 1j, "1", None, [1.0]])
def test_what_is_no_number_is_refused_by_kind(value):
    with pytest.raises(TypeError, match=r"h is .*, but must be a real number"):
        checks.number("h", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match=f"^h is {value}, but must be finite$"):
        checks.number("h", value)


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
        checks.number("h", value, **bounds)


@given(st.floats(0, 1))
def test_the_ends_of_a_range_belong_to_it(value):
    assert checks.number("h", value, low=value, high=value) == value
    assert checks.integer("n", 3, low=3, high=3) == 3


def test_a_choice_among_the_options_passes():
    assert checks.choice("base", "silu", ("silu", "zero")) == "silu"


@pytest.mark.parametrize(
    ("value", "guess"), [("sliu", r" \(did you mean 'silu'\?\)"), ("sigmu", ""), ("qqq", "")]
)
def test_another_choice_is_refused_with_all_options_and_the_nearest(value, guess):
    with pytest.raises(
        ValueError, match=f"^base is '{value}', but must be one of 'silu', 'zero'{guess}$"
    ):
        checks.choice("base", value, ("silu", "zero"))


def test_a_choice_that_is_no_text_is_refused_by_kind():
    with pytest.raises(TypeError, match="base is 3, but must be one of 'silu', 'zero'"):
        checks.choice("base", 3, ("silu", "zero"))


def test_a_generator_passes_as_it_is():
    rng = np.random.default_rng(0)

    assert checks.generator("rng", rng) is rng


@pytest.mark.parametrize("value", [None, 0, np.random.RandomState(0), np.random])
def test_other_sources_of_chance_are_refused_with_the_way_to_make_one(value):
    with pytest.raises(
        TypeError,
        match=r"rng is .*, but must be a numpy.random.Generator such as numpy.random.default_rng\(0\)",
    ):
        checks.generator("rng", value)


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


# --- messages


@pytest.mark.parametrize(
    ("came", "wanted", "end"),
    [
        ((6,), ("batch", 1), r"\(batch, 1\): give y\[:, None\]"),
        ((6,), ("batch", "n_out"), r"\(batch, n_out\): give y\[:, None\]"),
        ((2,), ("batch", 2), r"\(batch, 2\)"),
        ((2, 6), ("batch", 2), r"\(batch, 2\)"),
    ],
)
def test_one_axis_in_the_place_of_a_column_is_named_with_the_code_and_another_shape_alone(
    came, wanted, end
):
    with pytest.raises(ValueError, match=f"needs shape {end}$"):
        checks.array("y", np.ones(came), wanted)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (lambda: checks.integer("n", np.float64(2.5), low=1), "n is 2.5, but"),
        (lambda: checks.number("n", np.str_("a")), "n is 'a', but"),
        (lambda: checks.choice("n", np.str_("a"), ("b", "c")), "n is 'a', but"),
        (lambda: checks.flag("n", np.True_), "n is True, but"),
        (lambda: checks.number("n", np.ones((4, 30))), r"n is an array of shape \(4, 30\), but"),
        (lambda: checks.number("n", "a" * 1000), r"n is '\S{1,40}', but"),
        (lambda: checks.generator("n", [[1.0] * 90]), r"n is \[\[1.0, .{1,60}, but"),
    ],
)
def test_messages_show_values_on_one_short_line(check, text):
    with pytest.raises((TypeError, ValueError), match=f"^{text}"):
        check()


def test_a_choice_of_numpy_becomes_plain_text():
    assert type(checks.choice("n", np.str_("b"), ("b", "c"))) is str


def test_targets_with_one_axis_are_a_column_or_labels():
    with pytest.raises(ValueError, match=r"^y has shape \(6,\), .* give y\[:, None\] .*cross_ent"):
        kr.value_and_grad(NET, X, Y[:, 0])
    assert kr.value_and_grad(CLASSES, X, LABELS, "cross_entropy")[0] > 0.0


def test_two_samples_of_two_inputs_in_the_place_of_bounds_are_sent_to_x():
    samples = np.array([[0.3, 0.5], [0.1, -0.2]])
    options = {"n_intervals": 3, "degree": 3, "rng": np.random.default_rng(0)}

    with pytest.raises(ValueError, match=r"^domain is 0.1 to -0.2 at input 1, .* given as x=$"):
        kr.init_network((2, 1), domain=samples, **options)

    assert kr.init_network((2, 1), domain=(-1.0, 1.0), x=samples, **options).widths == (2, 1)
