"""The library of symbolic candidates: forty digits, the ends of domains, symmetries, and the checks of new functions.

At the end the base functions: against fifty digits, central differences, and at the limits of float64.
"""

import pickle
import sys
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles import exact_silu

from kan_ref.functions.base_function import ACTIVATION_NAMES, BASE_NAMES, activation_values, base_function
from kan_ref.functions.library import FAMILIES, LIBRARY, lookup, register_function, same_family, unregister_function
from kan_ref.functions.record import Function, Redundancy, _power, domain_rule, singular_points
from kan_ref.numerics.differences import central_difference

# what each name means, in exact arithmetic
MEANING = {
    "0": lambda u: mpmath.mpf(0),
    "x": lambda u: u,
    "x^2": lambda u: u**2,
    "x^3": lambda u: u**3,
    "x^4": lambda u: u**4,
    "x^5": lambda u: u**5,
    "1/x": lambda u: 1 / u,
    "1/x^2": lambda u: 1 / u**2,
    "1/x^3": lambda u: 1 / u**3,
    "1/x^4": lambda u: 1 / u**4,
    "1/x^5": lambda u: 1 / u**5,
    "sqrt": mpmath.sqrt,
    "1/sqrt": lambda u: 1 / mpmath.sqrt(u),
    "x^1.5": lambda u: u * mpmath.sqrt(u),
    "exp": mpmath.exp,
    "log": mpmath.log,
    "abs": abs,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "tanh": mpmath.tanh,
    "cosh": mpmath.cosh,
    "sgn": mpmath.sign,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "arctanh": mpmath.atanh,
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "gaussian": lambda u: mpmath.exp(-(u**2)),
    "logcosh": lambda u: mpmath.log(mpmath.cosh(u)),
    "1/|x|": lambda u: 1 / abs(u),
}
names = for_all("name", MEANING)


def parts(function):
    return function.f, function.d1, function.d2, function.d3


def inner_points(function, n=25, seed=0):
    """Points of the domain, up to 6 in size, none nearer than 0.01 to an end or a singular point."""
    low, high = (min(max(end, -6.0), 6.0) for end in function.domain)
    u = np.random.default_rng(seed).uniform(low + 0.01, high - 0.01, n)
    walls = np.array([*singular_points(function, -9.0, 9.0), 99.0])
    return u[np.min(np.abs(u[:, None] - walls), axis=1) > 0.01]


def cube(**changes):
    """Arguments that register u^3, with some of them changed."""
    arguments = {
        "name": "cube",
        "f": lambda u: u**3,
        "d1": lambda u: 3 * u**2,
        "d2": lambda u: 6 * u,
        "d3": lambda u: 6.0 + 0.0 * u,
    }
    return arguments | {"complexity": 3} | changes


@pytest.fixture
def tidy():
    """The library as it was, afterwards."""
    before = set(LIBRARY)
    yield
    for name in set(LIBRARY) - before:
        unregister_function(name)


# --- values and derivatives


COSTS = "0123332234522422322335344444353"


def test_the_library_has_the_names_and_complexities_of_pykan_and_two_more():
    assert list(LIBRARY) == list(MEANING)
    assert "".join(str(function.complexity) for function in LIBRARY.values()) == COSTS
    assert Function("own", *parts(LIBRARY["sin"])).complexity == 1
    assert {name: function.name for name, function in LIBRARY.items()} == {name: name for name in MEANING}


@names
@for_all("order", [0, 1, 2, 3])
def test_values_and_derivatives_are_right_to_2e_14_of_forty_digits(name, order):
    """Relative to the values, and to the neighbouring derivatives where its terms cancel."""
    u = inner_points(LIBRARY[name])
    with mpmath.workdps(40):
        exact = [
            [float(mpmath.diff(MEANING[name], mpmath.mpf(float(place)), k)) for place in u]
            for k in range(max(order, 1) + 1)
        ]

    got = parts(LIBRARY[name])[order](u)

    scale = (
        np.abs(exact[order]) + 0.1 * np.abs(exact[order - 1]) + (np.abs(u) * np.abs(exact[1]) if order == 0 else 0.0)
    )
    assert np.max(np.abs(got - exact[order]) - 2e-14 * scale) <= 0.0


@for_all("name", ["tanh", "sigmoid", "gaussian"])
@for_all("order", [1, 2, 3])
@for_all("u", [-26.0, -17.0, 9.0, 20.0, 26.0])
def test_tails_keep_their_digits(name, order, u):
    """There the derivatives are between 1e-12 and 1e-290; none is a difference of numbers of size one."""
    with mpmath.workdps(400):
        exact = float(mpmath.diff(MEANING[name], mpmath.mpf(u), order))

    assert parts(LIBRARY[name])[order](np.array([u]))[0] == pytest.approx(exact, rel=1e-12)


@for_all("u", [1e-3, 0.4, 1.0 - 1e-12, 1.0, 5.0, 40.0, 800.0, 1e5])
def test_log_cosh_has_all_its_digits_near_0_and_far_away(u):
    with mpmath.workdps(50):
        exact = mpmath.mpf(u) + mpmath.log((1 + mpmath.exp(-2 * mpmath.mpf(u))) / 2)

    found = LIBRARY["logcosh"].f(np.array([u, -u]))

    np.testing.assert_allclose(found, float(exact), rtol=4e-16)


@names
def test_shapes_are_kept_and_nothing_warns_anywhere(name):
    """Also where e^u, u^5 or u^-5 overflow or underflow, and at nan."""
    far = np.array([[-1.7e308, -1e200, -800.0, -1.0, -1e-200, 0.0], [1e-200, 1.0, 800.0, 1e200, 1.7e308, np.nan]])

    for part in parts(LIBRARY[name]):
        assert part(far).shape == (2, 6)
        assert part(np.zeros((0, 3))).shape == (0, 3)
        assert part(np.float64(0.5)).shape == ()
        assert part(far).dtype == np.float64
        assert np.isnan(part(far)[1, -1])
        np.testing.assert_array_equal(part(np.array([-1, 2])), part(np.array([-1.0, 2.0])))


@names
def test_values_are_nan_outside_the_domain_and_only_there(name):
    function = LIBRARY[name]
    low, high = function.domain
    u = np.array([-1e9, -1.0 - 1e-15, -1.0, -1e-9, 0.0, 1e-9, 1.0, 1.0 + 1e-15, 1e9])
    beyond = (u < low) | (u > high) | np.isin(u, function.singular)

    undefined = [np.isnan(part(u)) for part in parts(function)]

    ends = (u == low) | (u == high)
    for found in undefined:
        np.testing.assert_array_equal(found[~ends], beyond[~ends])
    np.testing.assert_array_equal(undefined[0][ends], [name not in ("sqrt", "x^1.5", "arcsin", "arccos")] * ends.sum())


def test_derivatives_at_a_closed_end_are_the_limits_from_inside():
    ends = np.array([-1.0, 1.0])

    np.testing.assert_array_equal(
        [part(np.array(0.0)) for part in parts(LIBRARY["sqrt"])], [0.0, np.inf, -np.inf, np.inf]
    )
    np.testing.assert_array_equal(
        [part(np.array(0.0)) for part in parts(LIBRARY["x^1.5"])], [0.0, 0.0, np.inf, -np.inf]
    )
    np.testing.assert_array_equal(
        [part(ends) for part in parts(LIBRARY["arcsin"])[1:]], [[np.inf, np.inf], [-np.inf, np.inf], [np.inf] * 2]
    )
    np.testing.assert_array_equal(
        [part(ends) for part in parts(LIBRARY["arccos"])[1:]], [[-np.inf] * 2, [np.inf, -np.inf], [-np.inf] * 2]
    )


def test_sgn_and_the_slopes_of_abs_and_sgn_are_zero_at_zero():
    zero = np.array([0.0])

    assert (
        LIBRARY["sgn"].f(zero) == LIBRARY["abs"].d1(zero) == LIBRARY["sgn"].d1(zero) == LIBRARY["abs"].d2(zero) == 0.0
    )
    np.testing.assert_array_equal(LIBRARY["abs"].d1(np.array([-2.0, 3.0])), [-1.0, 1.0])


# --- records


WAVES = ["sin", "cos", "tan"]


def test_what_is_even_or_odd_or_turns_is_known_to_be():
    """Every symmetry matters: without it one curve would have two canonical forms."""
    neither = {name for name, function in LIBRARY.items() if function.redundancy.parity == 0}

    assert neither == {"sqrt", "1/sqrt", "x^1.5", "exp", "log"}
    assert [name for name, record in LIBRARY.items() if record.redundancy.turn] == WAVES
    assert LIBRARY["sin"].redundancy == replace(LIBRARY["cos"].redundancy, parity=-1)
    assert LIBRARY["x^3"].redundancy == Redundancy("power", degree=3.0, parity=-1)
    assert LIBRARY["x"].redundancy == Redundancy("line", degree=1.0, parity=-1)


@for_all("name", MEANING)
def test_values_grow_without_bound_at_singular_points_and_nowhere_else(name):
    function = LIBRARY[name]
    points = singular_points(function, -4.0, 4.0)
    grid = np.linspace(-4.0, 4.0, 8001)
    away = grid[np.min(np.abs(grid[:, None] - np.array([*points, 99.0])), axis=1) > 0.1]
    away = away[(away > function.domain[0] + 0.1) & (away < function.domain[1] - 0.1)]

    assert np.nanmax(np.abs(function.f(away))) < 1.1e5
    for point in points:
        assert np.all(np.abs(function.f(point + np.array([-1e-7, 1e-7]))) > 9e6)


def test_singular_points_of_a_turn_are_those_inside_the_interval():
    half = 0.5 * np.pi

    np.testing.assert_allclose(singular_points(LIBRARY["tan"], -5.0, 1.0), [-3 * half, -half])
    assert singular_points(LIBRARY["tan"], -half, half).size == 0
    np.testing.assert_array_equal(singular_points(LIBRARY["1/x^3"], -1.0, 1.0), [0.0])
    assert singular_points(LIBRARY["1/x^3"], 0.0, 1.0).size == singular_points(LIBRARY["exp"], -9.0, 9.0).size == 0


@for_all(
    ("name", "rule"),
    [
        ("exp", "every u"),
        ("log", "u > 0"),
        ("sqrt", "u >= 0"),
        ("1/sqrt", "u > 0"),
        ("arcsin", "-1 <= u <= 1"),
        ("arctanh", "-1 < u < 1"),
        ("1/x^2", "u != 0"),
        ("tan", "u != 1.5708 + 3.14159 k"),
    ],
)
def test_domains_are_told_in_words(name, rule):
    assert domain_rule(LIBRARY[name]) == rule
    assert rule in repr(LIBRARY[name])
    assert domain_rule(replace(LIBRARY["exp"], domain=(-np.inf, 2.0))) == "u <= 2"


@for_all(
    ("exponent", "kind", "parity", "low", "singular"),
    [
        (1.0, "line", -1, -np.inf, ()),
        (2.0, "power", 1, -np.inf, ()),
        (-3.0, "power", -1, -np.inf, (0.0,)),
        (-0.5, "power", 0, 0.0, ()),
    ],
)
def test_what_is_known_of_a_power(exponent, kind, parity, low, singular):
    record = _power("own", exponent, 7)

    assert record.redundancy == Redundancy(kind, degree=exponent, parity=parity)
    assert (record.name, record.domain, record.complexity) == ("own", (low, np.inf), 7)
    assert record.singular == singular


@names
def test_a_record_comes_back_from_pickle_as_it_was(name):
    assert pickle.loads(pickle.dumps(LIBRARY[name])) == LIBRARY[name]


# --- finding one


@pytest.mark.parametrize(
    ("one", "two", "line"),
    [("sin", "cos", (1.0, -0.5 * np.pi)), ("tanh", "sigmoid", (2.0, 0.0)), ("arcsin", "arccos", (1.0, 0.0))],
)
def test_a_family_is_one_curve_under_a_b_c_d(one, two, line):
    u = np.linspace(-0.9, 0.9, 7)
    f, g = LIBRARY[one].f(u), LIBRARY[two].f(line[0] * u + line[1])

    c, d = np.polyfit(g, f, 1)

    np.testing.assert_allclose(c * g + d, f, rtol=0, atol=1e-14)


# --- registering one


@pytest.mark.usefixtures("tidy")
def test_a_registered_function_stands_in_the_library_with_all_it_was_given():
    def formula(u):
        return u**3

    function = register_function(
        **cube(
            domain=(-2.0, np.inf), singular=(), redundancy=Redundancy("power", degree=3.0, parity=-1), formula=formula
        )
    )

    assert isinstance(function, Function)
    assert lookup("cube") is function
    assert (function.name, function.domain, function.complexity, function.formula) == (
        "cube",
        (-2.0, np.inf),
        3,
        formula,
    )
    np.testing.assert_array_equal([part(np.array([2.0])) for part in parts(function)], [[8.0], [12.0], [12.0], [6.0]])


@pytest.mark.usefixtures("tidy")
def test_a_registered_function_sees_numbers_of_its_domain_alone_and_is_nan_elsewhere():
    seen = []

    def root(u):
        seen.append(u)
        return np.sqrt(u)

    slopes = {"d1": lambda u: 0.5 * u**-0.5, "d2": lambda u: -0.25 * u**-1.5, "d3": lambda u: 0.375 * u**-2.5}
    function = register_function(**cube(name="root", f=root, domain=(0.0, np.inf), **slopes))

    np.testing.assert_array_equal(function.f(np.array([[-1.0, 4.0], [9.0, np.nan]])), [[np.nan, 2.0], [3.0, np.nan]])
    assert min(float(u.min(initial=0.0)) for u in seen) == 0.0
    np.testing.assert_array_equal(function.d1(np.array([-1, 0, 4])), [np.nan, np.inf, 0.25])


@for_all("part", ["d1", "d2", "d3"])
@for_all("fault", [lambda f: lambda u: 1.01 * f(u), lambda f: lambda u: -f(u), lambda f: lambda u: f(u) + 0.1 * u])
def test_a_wrong_derivative_is_refused_by_its_name_and_with_both_numbers(part, fault):
    message = rf"^{part} of 'cube' is \S+ at u = \S+, but a central difference of \w+ gives \S+$"

    with pytest.raises(ValueError, match=message):
        register_function(**cube(**{part: fault(cube()[part])}))
    assert "cube" not in LIBRARY


def wave(rate):
    return {
        "f": lambda u: np.sin(rate * u),
        "d1": lambda u: rate * np.cos(rate * u),
        "d2": lambda u: -(rate**2) * np.sin(rate * u),
        "d3": lambda u: -(rate**3) * np.cos(rate * u),
    }


def step(rate):
    """As users write it: 1 - tanh^2 cancels, so that derivatives have no digits in the tails."""

    def t(u):
        return np.tanh(rate * u)

    return {
        "f": t,
        "d1": lambda u: rate * (1 - t(u) ** 2),
        "d2": lambda u: -2 * rate**2 * t(u) * (1 - t(u) ** 2),
        "d3": lambda u: rate**3 * (1 - t(u) ** 2) * (6 * t(u) ** 2 - 2),
    }


@for_all("made", [wave(30.0), wave(300.0), step(0.3), step(1.0), step(10.0)])
@for_all("part", ["d1", "d2", "d3"])
def test_functions_that_vary_fast_or_have_tails_are_taken_without_a_fault_alone(made, part):
    register_function(**cube(name="own", **made))
    unregister_function("own")

    with pytest.raises(ValueError, match=f"^{part} of 'own' is .* a central difference of "):
        register_function(**cube(name="own", **made | {part: lambda u: 1.01 * made[part](u)}))


@for_all(
    ("changes", "about"),
    [
        ({"name": "exp"}, "name"),
        ({"name": " cube"}, "name"),
        ({"name": "cu\nbe"}, "name"),
        ({"domain": (1.0, 1.0)}, "domain"),
        ({"domain": (np.nan, 1.0)}, "domain"),
        ({"domain": 3.0}, "domain"),
        ({"complexity": -1}, "complexity"),
        ({"singular": (np.inf,)}, "singular"),
        ({"f": lambda u: u.sum()}, r"f of 'cube' returns shape \(\) .* np.vectorize\(f, "),
        ({"f": lambda u: u[:1] if u.size > 6 else u**3}, r"f of 'cube' returns shape \(1,\)"),
        ({"d3": lambda u: np.full_like(u, np.inf)}, "d3 of 'cube' is inf at u = "),
        ({"formula": lambda u: 3 * u}, "formula of 'cube' is -11.* but f gives -49.8249"),
        ({"formula": lambda u: 2 * abs(u) * u**2 * abs(u).diff(u)}, "formula of 'cube' is "),
        ({"formula": lambda u: u**3 + 1e-6}, "formula of 'cube' is "),
        ({"formula": lambda u: u**3 + sympy.I}, "formula of 'cube' is "),
        ({"formula": lambda u: sympy.nan}, "formula of 'cube' is nan"),
        ({"formula": lambda u: sympy.Symbol("k") * u**3}, "formula of 'cube' is .*k, but must be"),
        ({"formula": lambda u: "u**3"}, "formula of 'cube' is 'u"),
        ({"redundancy": Redundancy("power", degree=2.0)}, r"f\(s u\) of 'cube'"),
        ({"redundancy": Redundancy("log")}, r"f\(s u\) of 'cube'"),
        ({"redundancy": Redundancy("line")}, r"f\(s u\) of 'cube'"),
        ({"redundancy": Redundancy("exp")}, r"f\(u \+ b\) of 'cube'"),
        ({"redundancy": Redundancy("constant")}, r"f\(u\) of 'cube'"),
        ({"redundancy": Redundancy(parity=1)}, r"f\(-u\) - m of 'cube'"),
        ({"redundancy": Redundancy(parity=-1, middle=0.1)}, r"f\(-u\) - m of 'cube'"),
        ({"redundancy": Redundancy(turn=1.0)}, r"f\(u \+ turn\) of 'cube'"),
    ],
)
def test_what_does_not_hold_cannot_be_registered(changes, about):
    before = dict(LIBRARY)

    with pytest.raises(ValueError, match=f"^{about}"):
        register_function(**cube(**changes))
    assert dict(LIBRARY) == before


def test_a_redundancy_is_by_default_none():
    assert Redundancy() == Redundancy("free", 0.0, 0, 0.0, 0.0, 1, 0.0)


@for_all("wrong", [{"formula": "u**3"}, {"d2": 6.0}, {"redundancy": "odd"}, {"name": 3}])
def test_arguments_of_another_kind_are_refused(wrong):
    with pytest.raises(TypeError, match=f"^{next(iter(wrong))} is "):
        register_function(**cube(**wrong))


@for_all("wrong", [{"kind": "odd"}, {"parity": 2}, {"parity": -2}, {"turn": -1.0}, {"turn_sign": 0}, {"turn_sign": 2}])
def test_a_redundancy_of_other_words_and_numbers_is_refused(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} of a redundancy"):
        Redundancy(**wrong)


@pytest.mark.usefixtures("tidy")
def test_the_same_function_may_be_registered_twice_and_another_of_that_name_may_not():
    arguments = cube()
    first = register_function(**arguments)

    assert register_function(**arguments) is first
    with pytest.raises(ValueError, match=r"^name is 'cube'"):
        register_function(**arguments | {"complexity": 4})


def test_only_a_registered_function_can_be_taken_out_again():
    function = register_function(**cube())

    assert unregister_function("cube") is function
    for name in ("cube", "exp"):
        with pytest.raises(ValueError, match=f"^name is '{name}'"):
            unregister_function(name)
    assert lookup("exp") is LIBRARY["exp"]


def test_families_have_the_same_curves_and_others_do_not():
    assert all(same_family(one, two) for family in FAMILIES for one in family for two in family)
    assert not same_family("sin", "tanh")
    assert not same_family("x^2", "x^4")


@pytest.mark.parametrize("name", MEANING)
def test_every_function_of_the_library_could_have_been_registered(name, tidy):
    function = LIBRARY[name]

    again = register_function(
        "twin",
        *parts(function),
        domain=function.domain,
        complexity=function.complexity,
        singular=function.singular,
        redundancy=function.redundancy,
    )

    u = inner_points(function)
    np.testing.assert_array_equal([part(u) for part in parts(again)], [part(u) for part in parts(function)])


@pytest.mark.usefixtures("tidy")
@for_all(
    "formula",
    [
        lambda u: u**3,
        lambda u: u**3 + sympy.Float(1e-12),
        lambda u: sympy.Piecewise((u**3, u > 0), (-((-u) ** 3), True)),
        lambda u: (1 - sympy.cos(u * 1e-5)) * u * 2e10 + u**5 / 12e10,  # cancels ten digits
        lambda u: sympy.Function("own")(u),  # which SymPy cannot evaluate
    ],
)
def test_a_formula_with_the_values_of_the_function_or_without_any_is_taken(formula):
    assert register_function(**cube(formula=formula)).formula is formula
    unregister_function("cube")


@pytest.mark.usefixtures("tidy")
def test_without_a_formula_nothing_needs_sympy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)

    assert register_function(**cube()) is LIBRARY["cube"]
    with pytest.raises(ImportError):
        register_function(**cube(name="other", formula=lambda u: u**3))


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("low", [-30.0, 5.0, 1e4])
def test_derivatives_are_judged_inside_the_domain_wherever_it_lies(low):
    """u^3 with a wrong second derivative is detected also where the domain is far from 0 or short."""
    for domain in ((low, low + 0.5), (low, np.inf), (-np.inf, low)):
        with pytest.raises(ValueError, match="d2 of 'cube'"):
            register_function(**cube(domain=domain, d2=lambda u: 6.1 * u))
        register_function(**cube(domain=domain))
        unregister_function("cube")


def test_derivatives_are_judged_within_eight_of_the_end_of_a_domain_without_0():
    with pytest.raises(ValueError, match="d2 of 'cube'"):
        register_function(**cube(domain=(-np.inf, -10.0), d2=lambda u: np.where(u > -18.0, 6.1, 6.0) * u))


# --- base functions

PLACES = [
    0.0,
    5e-324,
    1e-300,
    1e-8,
    1e-3,
    0.5,
    1.0,
    1.2784645427610738,
    2.3993572805154476,
    5.0,
    17.0,
    36.8,
    40.0,
    300.0,
    700.0,
]
x_values = st.one_of(st.floats(-700.0, 700.0), st.floats(-8.0, 8.0), st.sampled_from(PLACES + [-x for x in PLACES]))


def terms(x, order):
    """Sum of the absolute terms of each derivative in (F1)-(F4), which cancel near a zero of the derivative."""
    u, size = np.exp(-abs(x)), abs(x)
    s, p = (1.0 if x >= 0 else u) / (1.0 + u), u / (1.0 + u) ** 2
    tilt = 1.0 + 2.0 * s
    return (size * s, s + size * p, p * (2.0 + size * tilt), p * (3.0 * tilt + size * (1.0 + 6.0 * p)))[order]


@given(x_values)
def test_silu_is_right_to_4_ulp_also_far_left_where_it_is_tiny(x):
    exact = exact_silu(x, 0)

    (got,) = base_function("silu", np.array([x]))

    assert abs(got[0] - exact) <= 4 * np.spacing(abs(float(exact)))


@given(x_values, st.integers(1, 3))
def test_derivatives_of_silu_are_right_to_1e_15_of_the_sum_of_their_terms(x, order):
    (got,) = base_function("silu", np.array([x]), derivatives=(order,))

    assert abs(got[0] - exact_silu(x, order)) <= 1e-15 * terms(x, order)


@for_all(
    ("function", "name"),
    [(base_function, name) for name in BASE_NAMES] + [(activation_values, name) for name in ACTIVATION_NAMES],
)
@for_all("order", [1, 2, 3])
def test_every_derivative_is_the_central_difference_of_the_one_before(function, name, order):
    x = np.random.default_rng(order).uniform(-9.0, 9.0, (50, 3))

    (got,) = function(name, x, (order,))

    difference = central_difference(lambda step: function(name, x + step, (order - 1,))[0], step=1e-5)
    np.testing.assert_allclose(got, difference, rtol=0, atol=1e-9)


@for_all("z", [-18.0, -3.1, -0.2, 0.7, 2.9, 3.1, 15.0])
@for_all("order", [0, 1, 2, 3])
def test_tanh_has_its_digits_also_where_it_saturates(z, order):
    with mpmath.workdps(60):
        exact = float(mpmath.diff(mpmath.tanh, mpmath.mpf(z), order))

    (got,) = activation_values("tanh", np.array([z]), (order,))

    np.testing.assert_allclose(got, exact, rtol=1e-13)
    assert activation_values("tanh", np.array([z]))[0] == np.tanh(z)


def test_silu_by_hand():
    """silu(ln 3) = 3/4 ln 3 and silu(-ln 3) = -1/4 ln 3: the sigmoid is 3/4 and 1/4 there, p is 3/16."""
    x = np.log(3.0)

    values, slopes, seconds = base_function("silu", np.array([x, -x]), (0, 1, 2))

    np.testing.assert_allclose(values, [0.75 * x, -0.25 * x], rtol=1e-15)
    np.testing.assert_allclose(slopes, [0.75 + 3 / 16 * x, 0.25 - 3 / 16 * x], rtol=1e-15)
    np.testing.assert_allclose(seconds, [3 / 16 * (2 - x / 2), 3 / 16 * (2 - x / 2)], rtol=2e-15)


def test_identity_and_zero_are_what_their_names_say():
    x = np.array([[-2.0, 3.5]])

    np.testing.assert_array_equal(
        base_function("identity", x, (0, 1, 2, 3)), [x, [[1.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.0]]]
    )
    assert not np.any(base_function("zero", x, (0, 1, 2, 3)))


@pytest.mark.parametrize("name", BASE_NAMES)
def test_results_are_new_arrays_and_x_stays(name):
    x = np.array([-1.0, 0.0, 2.0])

    first, second = base_function(name, x, (0, 0))
    first[:] = 7.0

    np.testing.assert_array_equal(x, [-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(second, base_function(name, x)[0])
