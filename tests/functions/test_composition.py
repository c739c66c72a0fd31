"""Composed functions: names by a strict grammar, domains, poles, symmetries, and no digits where none are left."""

import re

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr
from kan_ref.functions.library import LIBRARY, lookup, register_function, unregister_function
from kan_ref.functions.record import domain_rule, singular_points

HALF = 0.5 * np.pi


def parts(function):
    return function.f, function.d1, function.d2, function.d3


@pytest.fixture
def tidy():
    """The library as it was, afterwards."""
    before = set(LIBRARY)
    yield
    for name in set(LIBRARY) - before:
        unregister_function(name)


def registered(name):
    return register_function(
        name,
        lambda u: u**3 + u,
        lambda u: 3.0 * u**2 + 1.0,
        lambda u: 6.0 * u,
        lambda u: np.full_like(u, 6.0),
        complexity=4,
    )


# --- names


def test_a_composed_function_is_found_by_its_name_and_not_listed():
    function = kr.compose("log", "x^2")

    assert lookup("log(x^2)") == LIBRARY["log(x^2)"] == function
    assert "log(x^2)" in LIBRARY
    assert "log(x^2)" not in list(LIBRARY)
    assert function.complexity == LIBRARY["log"].complexity + LIBRARY["x^2"].complexity


def test_composition_is_associative():
    """By name, by record and from either side."""
    one = kr.compose("sin", kr.compose("log", "x^2"))
    other = kr.compose(kr.compose("sin", "log"), "x^2")

    assert one == other == kr.compose("sin(log)", "x^2") == lookup("sin(log(x^2))")
    assert [part.name for part in one.parts] == ["sin", "log", "x^2"]


@pytest.mark.parametrize(
    ("outer", "inner", "sentence"),
    [
        ("log", "x", r"'log\(x\)' has the inner function 'x', which is a line: a, b, c, d of"),
        ("0", "sin", r"'0\(sin\)' has the outer function '0', which is a constant"),
        ("log", "x^7", r"inner is 'x\^7', but must be one of"),
        (
            "sin(gausian)",
            "exp",
            r"the part of the name 'sin\(gausian\)' is 'gausian', .*'gaussian'",
        ),
        ("arcsin", "cosh", r"'arcsin\(cosh\)' is defined on no interval: 'arcsin' needs values"),
        ("sin(sin(sin))", "sin(sin(sin(sin)))", "which has 7 functions, but .* at most 6"),
    ],
)
def test_what_cannot_be_composed_is_refused_in_a_sentence(outer, inner, sentence):
    with pytest.raises(ValueError, match=sentence):
        kr.compose(outer, inner)


def test_what_is_neither_a_name_nor_a_function_of_the_library_is_refused():
    stranger = kr.compose("sin", "x^2").__class__("sin", *parts(LIBRARY["cos"]))

    with pytest.raises(
        TypeError, match=r"inner is <ufunc 'sin'>, but must be the name of a function"
    ):
        kr.compose("exp", np.sin)
    with pytest.raises(
        ValueError, match=r"outer is .*, but the library has another function of that"
    ):
        kr.compose(stranger, "exp")


letters = st.text(alphabet="()x^/|1 s", max_size=12)
pieces = st.lists(
    st.sampled_from(["sin", "log", "x^2", "(", ")", " ", "__import__", "x"]), max_size=9
)


@given(st.one_of(st.text(max_size=30), letters, pieces.map("".join)))
def test_a_name_is_a_function_or_an_error_whatever_it_is(name):
    """What is accepted is written from its parts again; nothing else is."""
    if name in LIBRARY:
        function = lookup(name)
        assert function.name == name
        names = [part.name for part in function.parts] or [name]
        assert name == "(".join(names) + ")" * (len(names) - 1)
        assert all(part in list(LIBRARY) for part in names)
    else:
        with pytest.raises(ValueError, match=re.escape(repr(name))):
            lookup(name)


@pytest.mark.usefixtures("tidy")
def test_a_registered_function_is_composed_by_its_name_of_now():
    """A function registered anew under its name is not the one that was composed before."""
    registered("own")
    before = kr.compose("exp", "own")
    unregister_function("own")
    assert "exp(own)" not in LIBRARY
    registered("own")

    assert before.f(np.array(0.5)) == np.exp(0.625)
    assert lookup("exp(own)").parts[1] is LIBRARY["own"]


@pytest.mark.usefixtures("tidy")
def test_names_with_parentheses_are_registered_but_not_composed():
    registered("own(2)")

    assert lookup("own(2)") is LIBRARY["own(2)"]
    with pytest.raises(ValueError, match=r"'own\(2\)' is registered with parentheses in its name"):
        kr.compose("own(2)", "sin")
    with pytest.raises(
        ValueError, match=r"name is 'log\(x\^2\)', but that is the name of a composed"
    ):
        registered("log(x^2)")


# --- domains, poles, symmetries


@for_all(
    ("name", "domain", "singular"),
    [
        ("log(x^2)", (-np.inf, np.inf), (0.0,)),
        ("sqrt(log)", (1.0, np.inf), ()),
        ("log(log)", (1.0, np.inf), ()),
        ("arcsin(x^2)", (-1.0, 1.0), ()),
        ("sqrt(arccos)", (-1.0, 1.0), ()),
        ("log(arcsin)", (0.0, 1.0), ()),
        ("sqrt(x^3)", (0.0, np.inf), ()),
        ("arcsin(exp)", (-np.inf, 0.0), ()),
        ("log(sin)", (-np.inf, np.inf), (0.0, np.pi)),
        ("1/x(sin)", (-np.inf, np.inf), (0.0,)),
        ("1/x^2(cos)", (-np.inf, np.inf), (HALF,)),
        ("arctanh(sin)", (-np.inf, np.inf), (HALF,)),
        ("1/x(log)", (0.0, np.inf), (1.0,)),
        ("arctan(1/x)", (-np.inf, np.inf), ()),  # it jumps at 0, but stays finite
        ("x^2(tan)", (-np.inf, np.inf), (HALF,)),
        ("gaussian(tan)", (-np.inf, np.inf), ()),
        ("1/x(logcosh)", (-np.inf, np.inf), (0.0,)),
        ("exp(1/x)", (-np.inf, np.inf), (0.0,)),
    ],
)
def test_the_domain_and_the_poles_are_those_of_the_composition(name, domain, singular):
    function = lookup(name)

    assert function.domain == pytest.approx(domain, abs=1e-12)
    assert function.singular == pytest.approx(singular, abs=1e-12)


def test_poles_that_do_not_repeat_are_found_as_far_as_twelve():
    found = singular_points(lookup("tan(x^2)"), 0.0, 5.0)

    np.testing.assert_allclose(found, np.sqrt(HALF + np.pi * np.arange(len(found))), rtol=1e-13)
    assert len(found) == 8


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("log(x^2)", "x^2 > 0"),
        ("tan(x^2)", "x^2 != 1.5708 + 3.14159 k"),
        ("sqrt(log)", "u > 0 and log >= 0"),
        ("exp(sin)", "every u"),
        ("sin(log(x^2))", "x^2 > 0"),
        ("log(sin(sqrt))", "u >= 0 and sin(sqrt) > 0"),
    ],
)
def test_domains_are_told_part_by_part(name, rule):
    assert domain_rule(lookup(name)) == rule


@for_all(
    ("name", "kind", "degree", "parity", "turn"),
    [
        ("log(x^2)", "log", 2.0, 1, 0.0),
        ("sqrt(x^4)", "power", 2.0, 1, 0.0),
        ("1/x^2(x^3)", "power", -6.0, 1, 0.0),
        ("x^3(exp)", "exp", 3.0, 0, 0.0),
        ("exp(log(x^2))", "power", 2.0, 1, 0.0),
        ("exp(sgn)", "power", 0.0, 0, 0.0),
        ("exp(sin)", "free", 0.0, 0, 2.0 * np.pi),
        ("x^2(sin)", "free", 0.0, 1, np.pi),
        ("x^3(cos)", "free", 0.0, 1, np.pi),
        ("tanh(x^3)", "free", 0.0, -1, 0.0),
        ("sin(arccos)", "free", 0.0, 0, 0.0),
    ],
)
def test_the_symmetries_are_those_of_the_composition_and_hold(name, kind, degree, parity, turn):
    redundancy = lookup(name).redundancy
    assert (redundancy.kind, redundancy.degree, redundancy.parity) == (kind, degree, parity)
    assert redundancy.turn == pytest.approx(turn)

    function = lookup(name)
    u, s = np.random.default_rng(0).uniform(0.3, 0.9, 9), 0.7
    value, close = function.f(u), {"rtol": 1e-12, "atol": 1e-12}
    if kind == "power":
        np.testing.assert_allclose(function.f(s * u), s**degree * value, **close)
    elif kind == "log":
        np.testing.assert_allclose(function.f(s * u), value + degree * np.log(s), **close)
    elif kind == "exp":
        np.testing.assert_allclose(function.f(u + s), np.exp(degree * s) * value, **close)
    if parity:
        even = redundancy.parity * (value - redundancy.middle) + redundancy.middle
        np.testing.assert_allclose(function.f(-u), even, **close)
    if redundancy.mirror:
        np.testing.assert_allclose(function.f(redundancy.mirror - u), value, **close)
    assert bool(redundancy.mirror) == (name == "exp(sin)")
    if turn:
        np.testing.assert_allclose(
            function.f(u + redundancy.turn), redundancy.turn_sign * value, **close
        )


@for_all("affine", [(-3.0, 1.2, 2.0, 0.5), (0.02, -0.4, -7.0, 1.0)])
@for_all("name", ["log(x^2)", "x^3(exp)", "sqrt(x^4)", "x^2(sin)", "exp(sin)"])
def test_the_canonical_form_of_a_composed_edge_is_the_same_curve_and_fixed(name, affine):
    net = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    net = kr.fix_symbolic(net, 0, output=0, input=0, name=name, affine=affine)
    x = np.linspace(-1.0, 1.0, 7)[:, None]

    once = kr.canonical_form(net)

    np.testing.assert_allclose(once(x), net(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kr.canonical_form(once).theta, once.theta, rtol=1e-13, atol=1e-13)
    if name == "log(x^2)":
        assert once.layers[0].affine[0, 0] == 1.0


# --- digits


@for_all("u", [400.0, 500.0, 800.0])
@for_all("name", ["log(exp)", "log(cosh)", "sqrt(log(exp))"])
def test_where_underflow_leaves_no_digits_a_derivative_is_nan_not_wrong(name, u):
    """Of f'' g'^2 + f' g'' = -1 + 1 the first product would underflow to 0."""
    second = lookup(name).d2(np.array([u]))[0]

    assert np.isnan(second) or abs(second) < 1e-6


@for_all("name", ["tanh(exp)", "arctan(x^5)", "1/x(cosh)", "sigmoid(x^3)"])
@for_all("order", [1, 2, 3])
def test_where_a_function_levels_off_its_derivatives_are_0(name, order):
    far = np.array([500.0, 900.0, 1e70, 1e110])

    np.testing.assert_allclose(parts(lookup(name))[order](far), 0.0, atol=1e-10)


@for_all("u", [1e-3, 0.4, 1.0 - 1e-12, 1.0, 5.0, 40.0, 800.0, 1e5, 1e300])
def test_log_cosh_has_all_its_digits_near_0_and_far_away(u):
    import mpmath

    with mpmath.workdps(50):
        exact = mpmath.mpf(u) + mpmath.log((1 + mpmath.exp(-2 * mpmath.mpf(u))) / 2)

    found = LIBRARY["logcosh"].f(np.array([u, -u]))

    np.testing.assert_allclose(found, float(exact), rtol=4e-16)
