"""Input validation, and the table of protections in CONTRIBUTING.md, one test a row.

Valid values are returned by the rule, invalid ones raise one message that names them. Without each of the protections a wrong result would
look right: a row says the case, what happens, and the module that decides it.
"""

import math
import re

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import kan_ref as kr
from kan_ref import checks
from kan_ref.conformance.__main__ import main as conformance

# --- input validation: valid values are returned by the rule, invalid ones raise one message that names them

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(float, array_shapes(max_dims=3, max_side=4), elements=finite))
def test_a_float64_array_that_fits_passes_without_a_copy(array):
    assert np.shares_memory(checks.array("x", array, array.shape), array)


@given(arrays(np.float32, (3, 2), elements=st.floats(-1e6, 1e6, width=32)))
@pytest.mark.parametrize("kind", [np.float32, np.int64, bool])
def test_other_real_numbers_become_float64_exactly(kind, array):
    given_array = array.astype(kind)

    out = checks.array("x", given_array, ("batch", 2))

    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, given_array)


@pytest.mark.parametrize("view", [lambda a: a.T, lambda a: a[::2, ::-1], np.asfortranarray])
def test_the_result_is_contiguous_in_c_order_with_the_same_values(view):
    array = view(np.arange(24.0).reshape(4, 6))

    out = checks.array("x", array, ("batch", "n_in"))

    assert out.flags.c_contiguous
    np.testing.assert_array_equal(out, array)


def test_an_axis_given_by_name_may_have_any_length_but_samples_have_rows():
    assert checks.array("x", np.zeros((0, 2)), ("batch", 2)).shape == (0, 2)
    assert checks.samples("x", np.zeros((9, 2)), ("batch", 2)).shape == (9, 2)
    with pytest.raises(ValueError, match=r"^x has no rows"):
        checks.samples("x", np.zeros((0, 2)), ("batch", 2))


@pytest.mark.parametrize(
    ("value", "shape", "sentence"),
    [
        (np.zeros((4, 3)), ("batch", 2), r"x has shape \(4, 3\), but needs shape \(batch, 2\)"),
        (np.zeros((1, 3)), ("n",), r"x has shape \(1, 3\), but needs shape \(n,\)"),
        (1.5, ("n",), r"x has shape \(\), but needs shape \(n,\)"),
        (np.zeros((2, 2, 2)), (2, 2), r"x has shape \(2, 2, 2\), but needs shape \(2, 2\)"),
        ([[1.0, 2.0], [3.0]], ("batch", 2), "x is not a rectangular array"),
        (np.ones(6), ("batch", 1), r"x .* \(batch, 1\): give x\[:, None\]"),
        (np.ones(6), ("batch", "n_out"), r"x .* \(batch, n_out\): give x\[:, None\]"),
        (np.ones(2), ("batch", 2), r"x .* \(batch, 2\)"),
        (np.ones((2, 6)), ("batch", 1), r"x .* \(batch, 1\)"),
    ],
)
def test_a_wrong_shape_is_named_with_the_right_one_and_one_axis_for_a_column_with_the_code(value, shape, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}(: its rows differ in length)?$"):
        checks.array("x", value, shape)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("abc", "has dtype <U3"),
        ([1j], "has dtype complex128"),
        ([None], "contains None at position 0"),
        (np.array([2.0, True, "12.9 kg"], dtype=object), "contains '12.9 kg' at position 2"),
        (None, "is None"),
    ],
)
def test_what_is_no_real_number_is_named_with_its_dtype_or_place(value, what):
    with pytest.raises(TypeError, match=f"^x {what}, but needs real numbers$"):
        checks.array("x", value, ("n",))


def test_numbers_and_booleans_of_a_table_are_numbers():
    np.testing.assert_array_equal(checks.array("x", np.array([2.5, True, np.True_], dtype=object), ("n",)), [2.5, 1, 1])


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

    with pytest.raises(ValueError, match=f"^w contains {bad} at {where}, but needs finite numbers$"):
        checks.array("w", array, shape)
    assert checks.array("w", array, shape, finite=False) is array


@given(st.integers(-5, 5), st.sampled_from([int, np.int8, np.intp]))
def test_an_integer_in_range_comes_out_as_an_int(value, kind):
    out = checks.integer("n", kind(value), low=-5, high=5)

    assert type(out) is int
    assert out == value


@given(st.floats(0, 1), st.sampled_from([float, np.float64]))
def test_a_finite_number_comes_out_as_a_float_of_the_same_value_also_at_its_ends(value, kind):
    out = checks.number("h", kind(value), low=value, high=value)

    assert type(out) is float
    assert out == value


@for_all(
    ("call", "kind", "sentence"),
    [
        *[(lambda v=v: checks.integer("n", v), TypeError, "must be an integer") for v in (True, 2.0, "2", None)],
        (lambda: checks.integer("n", -1), ValueError, "must be at least 0"),
        (lambda: checks.integer("n", 0, 1, 3), ValueError, "must be between 1 and 3"),
        (lambda: checks.integer("n", 4, 1, 3), ValueError, "must be between 1 and 3"),
        *[(lambda v=v: checks.number("n", v), TypeError, "must be a real number") for v in (True, 1j, "1", [1.0])],
        *[(lambda v=v: checks.number("n", v), ValueError, "must be finite") for v in (math.nan, -math.inf)],
        (lambda: checks.number("n", -1.0, low=0.0), ValueError, "must be at least 0"),
        (lambda: checks.number("n", 2.5, high=2.0), ValueError, "must be at most 2"),
        (lambda: checks.number("n", 0.6, 0.0, 0.5), ValueError, "must be between 0 and 0.5"),
        (lambda: checks.number("n", 0.0, above=0.0), ValueError, "must be above 0"),
        (lambda: checks.choice("n", "sliu", ("silu", "zero")), ValueError, r".* \(did you mean 'silu'\?\)"),
        (lambda: checks.choice("n", "qqq", ("silu", "zero")), ValueError, "must be one of 'silu', 'zero'"),
        (lambda: checks.choice("n", "qq", map(str, range(99))), ValueError, r"must be one of '0',.*'7', \.\.\."),
        (lambda: checks.choice("n", 3, ("silu", "zero")), TypeError, "must be one of 'silu', 'zero'"),
        (lambda: checks.flag("n", 1), TypeError, "must be True or False"),
        (lambda: checks.function("n", 1), TypeError, "must be a function"),
        (lambda: checks.instance("n", 1, dict), TypeError, "must be a dict"),
        (lambda: checks.generator("n", 0), TypeError, r"must be numpy\.random\.default_rng\(0\) .*"),
        (lambda: checks.generator("n", np.random.RandomState(0)), TypeError, "must be numpy.*"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_rule(call, kind, sentence):
    with pytest.raises(kind, match=f"^n is .*, but {sentence}$"):
        call()


def test_values_of_the_right_kind_pass_as_they_are():
    rng = np.random.default_rng(0)

    assert checks.generator("rng", rng) is rng
    assert checks.flag("n", value=True) is True
    assert checks.function("f", math.sin) is math.sin
    assert type(checks.choice("n", np.str_("b"), ("b", "c"))) is str
    assert checks.names("names", (one for one in "ab"), 2) == ("a", "b")


@pytest.mark.parametrize(
    ("value", "kind", "sentence"),
    [
        ("ab", TypeError, "names is 'ab', but must be a sequence of names"),
        ({"a", "b"}, TypeError, "names is .*, but must be a sequence of names"),
        (5, TypeError, "names is 5, but must be a sequence of names"),
        (("a", 3), TypeError, r"names\[1\] is 3, but must be text"),
        (("a", ""), ValueError, r"names\[1\] is '', but must be printable .*"),
        (("a", " b"), ValueError, r"names\[1\] is ' b', but must be printable .*"),
        (("a", "a"), ValueError, "names has 'a' twice, .*"),
        (("a",), ValueError, "names has 1 name, but there are 2: give one for each"),
    ],
)
def test_names_are_different_printable_texts_one_for_each(value, kind, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        checks.names("names", value, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(2.5), "2.5"),
        (np.str_("a"), "'a'"),
        (np.ones((4, 30)), "an array of shape (4, 30)"),
        ("line\nline", "'line\\nline'"),
    ],
)
def test_messages_show_values_on_one_line(value, text):
    assert checks.shown(value) == text
    assert len(checks.shown([[1.0] * 90] * 90)) < 100


# --- protections: without each of them a wrong result would look right. One test a row of the table in CONTRIBUTING.md

RNG = np.random.default_rng
X = RNG(0).uniform(-0.9, 0.9, (40, 2))
Y = X[:, :1] * X[:, 1:]
NET = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
LOG = kr.fix_symbolic(NET, 0, output=0, input=0, name="log", affine=(1.0, 1.0, 1.0, 0.0))
BEYOND = np.array([[0.0, 0.0], [-2.0, 0.0]])  # log(x + 1) is not defined at the second sample

TABLE = {}


def row(case, happens, module):
    """Enter a test into the table."""

    def enter(test):
        TABLE[case] = (happens, module, test)
        return test

    return enter


@row("shapes that would broadcast: y of shape (n,) for (n, 1)", "error with both shapes", "kan_ref.checks")
def shapes(_):
    for call in (lambda y: kr.value_and_grad(NET, X, y), lambda y: kr.fit(NET, kr.Data(X, y, X, y))):
        with pytest.raises(ValueError, match=r"y.* \(40,\).* give y.*\[:, None\]"):
            call(Y[:, 0])


@row("nan or inf in samples", "error with row and column", "kan_ref.checks")
def not_finite(_):
    for bad in (np.nan, np.inf):
        x = np.where(X[2, 1] == X, bad, X)
        for call in (NET, lambda x: kr.Data(x, Y, X, Y), lambda x: kr.prune(NET, x)):
            with pytest.raises(ValueError, match=f"contains {bad} at row 2, column 1"):
                call(x)


@row(
    "inputs or targets far from 0, or of sizes far from 1",
    "a finding; none after kr.scaled",
    "kan_ref.training.diagnose",
)
def units(_):
    for y in (1e8 + Y, 1e-6 * Y, 1e6 * Y):
        data = kr.Data(X, y, X, y)
        assert "units" in {one.about for one in kr.diagnose(NET, data)}
        assert "units" not in {one.about for one in kr.diagnose(NET, kr.scaled(data)[0])}


@row("samples outside the grids", "coverage counts them; a finding", "kan_ref.network.inspection")
def outside(_):
    data = kr.Data(20.0 * X, Y, X, Y)

    assert kr.coverage(NET, X).outside[0] == 0.0
    assert kr.coverage(NET, 20.0 * X).outside[0] > 0.5
    assert "grids" in {one.about for one in kr.diagnose(NET, data)}
    assert "grids" not in {one.about for one in kr.diagnose(NET, kr.Data(X, Y, X, Y))}


@row("a symbolic edge that is undefined at a sample", "error with sample and edge", "kan_ref.network.definedness")
def undefined(_):
    for call in (LOG, lambda x: kr.prune(LOG, x), lambda x: kr.fit(LOG, kr.Data(x, Y[:2], X, Y))):
        with pytest.raises(ValueError, match=r"\[1\] gives log on the edge from input 0 to output 0 of layer 0"):
            call(BEYOND)


@row("a wrong backward pass", "error that names the wrong part", "kan_ref.network.gradient_check")
def wrong_gradient(_):
    def twice_dx(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        return 2.0 * dx, grads

    assert kr.check_gradients(NET, X, rng=RNG(0)).worst < 1e-7
    with pytest.raises(ValueError, match=r"\bdx\b.* is wrong"):
        kr.check_gradients(NET, X, rng=RNG(0), backward=twice_dx)


@row("a wrong partial derivative of a residual", "error that names the derivative", "kan_ref.pde.user_residual")
def wrong_partial(_):
    def residual(factor):
        return lambda x, u, du, d2u: (u[:, 0] ** 2, factor * u[:, :1], None, None)

    right, wrong = (kr.function_term(X, residual(factor), order=0) for factor in (2.0, 2.001))
    assert np.isfinite(kr.fit(NET, equations=[right], n_steps=1).network.theta).all()
    with pytest.raises(ValueError, match=r"by_u is wrong"):
        kr.fit(NET, equations=[wrong], n_steps=1)


@row("noise, and structure that no formula has", "within noise, and not explained", "kan_ref.discovery.verdict")
def verdicts(_):
    rng = RNG(0)
    x, y = rng.uniform(-1.0, 1.0, (200, 2)), rng.standard_normal((200, 1))

    noise = kr.discover(kr.Data(x, y, x, y), rng=rng)
    missed = kr.discover(kr.Data(X, Y, X, Y), widths=(2, 1), functions=("x",), rng=rng)

    assert noise.verdict.kind == "within noise"
    assert not noise.formula.free_symbols
    assert missed.verdict.kind == "not explained"


@row("a correct implementation in the kit", "all required cases pass", "kan_ref.conformance.judge")
def no_false_alarm(_):
    assert conformance(["--only", "bases/*", "--only", "layer_vjp/*"]) == 0


@row("Ctrl-C in a fit", "the best network so far is returned", "kan_ref.training.fit")
def interrupt(_):
    calls = []

    def press(*_):
        calls.append(0)
        if len(calls) == 5:
            raise KeyboardInterrupt

    run = kr.fit(NET, kr.Data(X, Y, X, Y), optimizer="lbfgs", callback=press)

    assert "interrupted" in run.stopped
    assert np.mean((run.network(X) - Y) ** 2) < np.mean((NET(X) - Y) ** 2)


@row("a damaged or foreign file", "error; the file stays", "kan_ref.io.storage")
def damaged(folder):
    path = folder / "net.npz"
    kr.save(NET, path)
    whole = path.read_bytes()
    for content in (whole[:-40], b"", b"PK\x03\x04" + b"0" * 99, whole.replace(b"coef", b"cfeo")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="net"):
            kr.load(path)
        assert path.read_bytes() == content


@row("a failed save", "the old file stays, and nothing else", "kan_ref.files")
def failed_save(folder):
    path = folder / "net.npz"
    kr.save(NET, path)
    whole = path.read_bytes()

    with pytest.raises(TypeError):
        kr.save("not a network", path)
    with pytest.raises(OSError, match="no such"):
        kr.save(NET, folder / "no such folder" / "net.npz")

    assert path.read_bytes() == whole
    assert [one.name for one in folder.iterdir()] == ["net.npz"]
    np.testing.assert_array_equal(kr.load(path).theta, NET.theta)


@pytest.mark.parametrize("case", TABLE)
def test_each_case_ends_as_the_table_says(case, tmp_path):
    _, module, test = TABLE[case]

    assert (ROOT / (module.replace(".", "/") + ".py")).is_file()
    test(tmp_path)


def test_the_page_has_the_table():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [f"| {case} | {happens} | `{module}` |" for case, (happens, module, _) in TABLE.items()]

    found = re.search(r"\| case \| what happens \| decided in \|\n\|---\|---\|---\|\n((?:\|.*\n)*)", page)

    assert found[1].splitlines() == rows
