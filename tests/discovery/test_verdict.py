"""Verdicts on formulas: exact, within noise, not explained; the tests of residuals; which samples test a number."""

from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all

import kan_ref as kr
from kan_ref.discovery import residual_tests as tests
from kan_ref.discovery.verdict import (
    Law,
    Verdict,
    fitted_numbers,
    is_like_noise,
    judge,
    too_few_samples,
    unseen_error,
)

RNG = np.random.default_rng
SIGNS = 1.0 - 2.0 * ((np.arange(1024)[:, None] >> np.arange(10)) & 1)  # all signs of ten residuals
BOX = RNG(0).uniform(-1.0, 1.0, (1000, 2))


def verdict(true, formula=None, x=BOX, *, noise=0.0, names=("x", "y"), seed=0, **options):
    """The verdict on a formula for samples of a true one, both as texts, with noise in units of the samples' spread."""
    true, formula = sympy.sympify(true), sympy.sympify(formula or true)
    y = Law(true, names).values(x)
    y = y + noise * np.std(y) * RNG(seed).standard_normal(len(x))
    data = options.pop("data", kr.Data(x, y[:, None], x[:0], y[:0, None]))
    return judge((formula,), names, data, **options)


# --- the three kinds


@for_all("unit, shift", [(1, 0), ("1e-20", 0), ("1e20", 0), (1, "1e5")])
def test_a_formula_is_exact_up_to_rounding_errors_in_any_units(unit, shift):
    y = f"{unit}*(exp(x)*sin(3*y) + {shift})"
    rounded = y.replace("exp(x)*sin(3*y)", "exp(x + 3)*sin(3*y)*exp(-3)")

    assert verdict(y, rounded).kind == "exact"
    assert str(verdict(y)).startswith("exact: the largest error on 1000 samples is 0.0e+00")


@for_all("size", [2e-12, 1e-11, 1e-9, 1e-6, 1e-3, 0.1])
@for_all("wrong", ["x**2", "x*y", "sin(5*y)", "Abs(x)"])
def test_a_wrong_formula_without_noise_is_not_explained(size, wrong):
    found = verdict("exp(x)*sin(3*y)", f"exp(x)*sin(3*y) + {size}*{wrong}")

    assert found.kind == "not explained"
    assert "structure" in found.reasons[0]


def test_small_errors_without_structure_are_exact_and_one_large_one_is_not():
    x, y = BOX, np.exp(BOX[:, :1])
    noise = 3e-12 * RNG(2).uniform(-1.0, 1.0, y.shape)
    one = 1e-6 * (np.arange(1000) == 17)[:, None]

    kinds = [
        judge((sympy.sympify("exp(x)"),), ("x", "y"), kr.Data(x, y + e, x, y)).kind
        for e in (noise, one)
    ]

    assert kinds == ["exact", "within noise"]


@for_all(
    "true, kind",
    [("exp(t/2 - 2003/2)", "exact"), ("exp(t/2 - 2003/2) + 2e-12*sin(t)", "not explained")],
)
def test_rounding_errors_of_large_numbers_in_a_formula_are_no_structure(true, kind):
    """Its constant alone changes the value by 1e-13 of it when its last bit changes."""
    t = RNG(0).uniform(2000.0, 2006.0, (300, 1))
    formula = f"exp(t/2 - 1000)*{float(np.exp(-1.5))!r}"

    assert verdict(true, formula, t, names=("t",)).kind == kind


LAWS = [
    "sin(3.7*a + 2.2)",
    "1000.1 - 999.9*exp(0.001*b)",
    "(b**2 + 1.1)/(b + 0.3)",
    "exp(0.31*a - 620.1)",
]


@for_all("text", LAWS)
def test_rounding_errors_of_a_formula_are_bounded_and_not_by_far(text):
    mpmath = pytest.importorskip("mpmath")
    x = RNG(0).uniform([1990.0, 1.0], [2010.0, 2.0], (100, 2))
    law = Law(sympy.sympify(text), ("a", "b"))
    with mpmath.workdps(40):
        f = sympy.lambdify(sympy.symbols("a b"), law.formula, "mpmath")
        exact = [f(*map(mpmath.mpf, row)) for row in x.tolist()]
        errors = [float(abs(a - b)) for a, b in zip(exact, law.values(x).tolist(), strict=True)]

    assert 0.02 < (np.array(errors) / law.rounding_errors(x)).max() < 1.0


@for_all("shift, kind", [(1e5, "exact"), (1e7, "within noise"), (1e12, "within noise")])
def test_no_formula_is_exact_where_rounding_errors_of_y_are_above_a_billionth(shift, kind):
    found = verdict(f"exp(x)*sin(3*y) + {shift:.0f}")

    assert found.kind == kind
    assert ("rounding errors" in found.why) == (kind != "exact")


def test_right_formulas_are_within_noise_and_errors_of_a_third_of_it_are_seen():
    true = "exp(x)*sin(3*y)"
    right = [verdict(true, noise=0.05, seed=seed) for seed in range(10)]
    wrong = [verdict(true, f"{true} + 0.015*sin(4*x)", noise=0.03, seed=seed) for seed in range(5)]

    assert [one.kind for one in right].count("within noise") >= 9
    assert {one.kind for one in wrong} == {"not explained"}
    assert "cannot be seen" in right[0].why


def test_the_worst_output_decides_and_is_named():
    data = kr.Data(BOX, BOX, BOX[:0], BOX[:0])

    found = judge(sympy.sympify(("x", "y + x/9")), ("x", "y"), data)

    assert found.kind == "not explained"
    assert found.reasons[0].startswith("output 1: ")


def test_an_end_of_the_search_and_other_forms_are_told_and_change_no_kind():
    found = Verdict("within noise", ("a", "b"), ended="the time is over", several=True)

    assert str(found) == (
        "within noise: one of several forms that fit; a; b (the time is over: the best formula so far)"
    )
    assert replace(found, ended="", several=False).why == "a; b"


@for_all("other, error, several", [
    ("1.02*sin(0.98*x)", 0.1, False),  # the same form
    ("x - 0.16*x**3", 0.1, True),
    ("x - 0.16*x**3", 0.12, False),  # a larger error
    ("x", 0.1, False),  # samples tell it apart
    ("sin(x) + 0.0123*cos(3.21*x) + 0.0111*x**2.1", 0.1, False),  # BIC
])  # fmt: skip
def test_a_form_of_the_same_worth_that_samples_cannot_tell_apart_is_told(other, error, several):
    options = {
        "x": BOX[:400],
        "noise": 0.2,
        "others": [[SimpleNamespace(rmse=error, formula=sympy.sympify(other))]],
    }

    found = verdict("sin(x)", **options)

    assert found.kind == "within noise"
    assert found.several == several


# --- samples


@for_all(
    "n, n_points, p, kind, is_enough",
    [(10, 10, 6, "exact", True), (10, 10, 7, "exact", False), (200, 10, 7, "exact", False),
     (50, 50, 25, "within noise", True), (50, 50, 26, "within noise", False), (49, 49, 0, "within noise", False)],
)  # fmt: skip
def test_an_exact_formula_needs_a_spare_sample_for_two_numbers_and_noise_one_for_each(
    n, n_points, p, kind, is_enough
):
    assert (too_few_samples(n, n_points, p, 50, kind) == "") == is_enough


@for_all("n, kind", [(6, "not explained"), (7, "exact")])
def test_samples_at_the_same_point_test_a_formula_once(n, kind):
    """Another input, which differs everywhere, is not in the formula. 5 numbers need 2.5 spare points: 8 of them."""
    x = np.column_stack([np.repeat(np.arange(1.0, n + 2.0), 20), RNG(1).uniform(size=20 * n + 20)])

    assert verdict("0.71*x**4 + 1.23*x**3 - 0.37*x**2 + 5.11*x + 0.93", x=x).kind == kind
    assert verdict("0.71234", x=x).kind == "exact"  # all samples test a constant


def test_the_unseen_error_is_that_of_the_fit_and_of_eight_standard_errors():
    """Least squares of p columns leave an error of sigma sqrt(p / N) on average."""
    n, p, sigma = 100, 20, 0.3
    columns, _ = np.linalg.qr(RNG(0).standard_normal((n, p)))
    noise = sigma * RNG(1).standard_normal((400, n))
    fits = noise @ columns @ columns.T
    size = np.sqrt(np.mean((noise - fits) ** 2))

    expected = np.sqrt(np.mean(fits**2) + 64.0 * sigma**2 / n)
    np.testing.assert_allclose(unseen_error(size, n, p), expected, rtol=0.01)


@for_all(
    "text, numbers",
    [
        ("x**2 + 3*y/2 - sin(pi*x)", set()), ("0.7*sin(0.7*x) - 0.7 + 0.3*y", {0.7, 0.3}),
        ("0.9999999999999999*x + 3.141592653589793*y + 2.4999999999", set()),
        ("0.9999*x + 1e-12", {0.9999, 1e-12}), ("123456.5*x", {123456.5}),
    ],
)  # fmt: skip
def test_numbers_that_samples_have_determined_are_counted(text, numbers):
    assert fitted_numbers(sympy.sympify(text)) == numbers


def test_the_effect_of_a_number_is_the_value_it_is_responsible_for():
    x = BOX[:20, :1]

    law = Law(sympy.sympify("3*x + 5.25 - x**2"), ("x",))
    powers, terms, constants = law.effects(x, 1e-3)

    np.testing.assert_array_equal(law.numbers, [2.0, 3.0, 5.25])
    np.testing.assert_allclose(terms, 3.0 * np.abs(x[:, 0]), rtol=1e-10)
    np.testing.assert_allclose(constants, 5.25, rtol=1e-10)
    assert np.array_equal(np.isinf(powers), x[:, 0] < 0.0)  # x^2.002 is undefined there


PEAK = "exp(-(1000*x - {at})**2)"


@for_all(
    "term, noise, kind",
    [
        (f"2*{PEAK}", 0.0, "not explained"),  # all numbers are chosen
        (f"2.345678*{PEAK}", 0.0, "not explained"),
        (f"2.345678*{PEAK}", 0.05, "not explained"),
        ("2.345678*exp(-(2*x - 1)**2)", 0.0, "exact"),
        ("2.345678*exp(-(2*x - 1)**2)", 0.05, "within noise"),
        ("1e-5/(x - {pole})", 0.05, "not explained"),
        ("tanh(80000*x - 24000.25)", 0.0, "not explained"),  # no sample shows how steep it is
        ("3.1e-17", 0.0, "exact"),  # what training leaves of 0
        ("0.001*x", 0.05, "within noise"),
    ],
)  # fmt: skip
def test_each_number_matters_at_several_samples(term, noise, kind):
    x = BOX[:60, :1]
    term = term.format(at=round(1000 * x[7, 0]), pole=x[7, 0] - 1e-5)

    found = verdict(f"1.5*x**2 + {term}", x=x, noise=noise, names=("x",))

    assert found.kind == kind
    assert ("too few" in found.why or "matters at" in found.reasons[0]) == (kind == "not explained")


def test_right_numbers_of_values_over_many_decades_keep_their_verdict():
    x = 10.0 ** RNG(0).uniform(-2.0, 2.0, (60, 2))

    assert verdict("1.2345*x/y**2", x=x).kind == "exact"


# --- places and inputs


def test_a_formula_that_is_undefined_at_samples_or_between_them_is_not_explained():
    x = np.array([[-1.0], [-0.91], [0.91], [1.0], [1.1]])
    y, x_test = np.ones((5, 1)), np.array([[0.0], [-5.0]])
    root = sympy.sympify("sqrt((x - 0.9)*(x + 0.9))")

    reasons = []
    for formula, tested in ((root, x_test), (root, x[:0]), (sympy.sympify("log(x)"), x[:0])):
        data = kr.Data(x, y, tested, np.ones((len(tested), 1)))
        found = judge((formula,), ("x",), data)
        assert found.kind == "not explained"
        reasons.append(found.why)

    assert "undefined at 1 of 1 test samples inside the range" in reasons[0]
    assert "between samples the formula is undefined" in reasons[1]
    assert "undefined at 2 of 5 samples" in reasons[2]


def test_inputs_with_few_values_and_dependent_ones_are_named_if_the_formula_has_them():
    a, b = BOX[:60].T
    x = np.column_stack([np.arange(60) % 3, np.arange(60) % 2, a, 2.0 * a + 1.0, b, 0.0 * b + 7.0])
    names = ("few", "other", "first", "second", "free", "constant")

    why = verdict("few + first + free", x=x, names=names).why

    assert "few takes 3 values" in why
    assert "constant takes 1 value" in why
    assert "first and second are linearly dependent" in why
    assert "other takes" not in why
    assert "dependent" not in verdict("few + free", x=x, names=names).why


def test_a_part_that_another_curve_fits_better_is_named_and_makes_it_one_of_several_forms():
    names, x = tuple("abcdpq"), RNG(1).uniform(1.0, 3.0, (600, 6))
    form = "a*b*c*d*exp(p/q)"

    for seed in range(3):
        found = verdict(
            f"{form}*(1 + 0.05*sin(4*p/q))", form, x=x, names=names, noise=0.1, seed=seed
        )
        assert found.kind == "within noise"
        assert found.several
        assert found.reasons[0].startswith("perhaps another form: a curve in place of")
    # a kink has a part, too; the right form is doubted in about 3 of 100 draws of noise
    assert verdict("Abs(x + y) + sign(x)*y", noise=0.1).kind == "within noise"
    assert sum(verdict("x*exp(y)", noise=0.1, seed=seed).several for seed in range(40)) <= 5


# --- tests of residuals


def test_the_pairs_are_each_sample_with_its_nearest_ones_by_brute_force():
    z = RNG(6).standard_normal((40, 3))
    distances = np.linalg.norm(z[:, None] - z[None], axis=2)
    expected = {tuple(sorted((i, j))) for i in range(40) for j in np.argsort(distances[i])[1:4]}

    assert {tuple(pair) for pair in tests.neighbour_pairs(z)} == expected
    along = tests.pairs_along(np.array([0.3, 0.1, 0.2, 0.4])).tolist()
    assert sorted(map(sorted, along)) == [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]


def test_the_statistic_of_products_has_the_variance_over_all_signs():
    pairs = tests.neighbour_pairs(RNG(7).standard_normal((10, 2)))
    r = RNG(8).standard_cauchy(10)
    sums = np.sum((SIGNS * r)[:, pairs[:, 0]] * (SIGNS * r)[:, pairs[:, 1]], axis=1)

    np.testing.assert_allclose(np.mean(sums), 0.0, atol=1e-12 * np.abs(sums).max())
    np.testing.assert_allclose(
        tests.product_statistic(pairs, r), sums[0] / np.std(sums), rtol=1e-12
    )


def test_the_statistic_of_signs_has_mean_and_variance_over_all_orders():
    pairs = tests.pairs_along(RNG(9).standard_normal(7))
    r = np.array([1.0, 2.0, -0.1, 3.0, -5.0, -1.0, 0.2])
    u = np.sign(r) - np.mean(np.sign(r))
    sums = [u[list(p)][pairs[:, 0]] @ u[list(p)][pairs[:, 1]] for p in permutations(range(7))]

    expected = (sums[0] - np.mean(sums)) / np.std(sums)
    np.testing.assert_allclose(tests.sign_statistic(pairs, r), expected, rtol=1e-10)
    assert tests.sign_statistic(pairs, np.abs(r)) == 0.0


def test_columns_are_orthonormal_products_of_all_inputs_up_to_a_degree():
    x = RNG(0).uniform(-1.0, 1.0, (300, 2))
    columns = tests.product_columns(x)
    inside, outside = x[:, 0] ** 3 * x[:, 1] ** 2, x[:, 0] ** 9

    np.testing.assert_allclose(columns.T @ columns, np.eye(columns.shape[1]), atol=1e-12)
    np.testing.assert_allclose(columns @ (columns.T @ inside), inside, atol=1e-10)
    assert np.abs(outside - columns @ (columns.T @ outside)).max() > 1e-3
    assert tests.product_columns(np.column_stack([x[:50, 0], np.zeros(50)])).shape == (50, 3)


def test_the_statistics_of_columns_have_mean_and_variance_over_all_signs():
    columns, _ = np.linalg.qr(RNG(3).standard_normal((10, 3)))
    r = RNG(8).standard_normal(10)
    sums = (SIGNS * r) @ columns  # the first row has the signs of r itself
    squares = np.sum(sums**2, axis=1)
    p = 2.0 * np.mean(squares) ** 2 / np.var(squares)
    ratio = squares[0] / np.mean(squares)

    t = tests.column_statistic(columns, r, [r**2])
    np.testing.assert_allclose(t, np.abs(sums[0] / np.std(sums, axis=0)).max(), rtol=1e-12)
    z = (ratio ** (1 / 3) - 1.0 + 2.0 / (9.0 * p)) / np.sqrt(2.0 / (9.0 * p))
    np.testing.assert_allclose(tests.joint_statistic(columns, r, [r**2]), z, rtol=1e-10)
    assert tests.column_statistic(columns, r, [r**2, 4.0 * r**2]) == pytest.approx(0.5 * t)
    assert tests.joint_statistic(columns, r, [r**2, 2.0 * r**2]) < z


@for_all("n_in, n", [(1, 28), (2, 100), (5, 100), (3, 400)])
def test_noise_of_any_distribution_is_rarely_called_structure(n_in, n):
    rng = RNG(10)
    x = rng.uniform(-1.0, 1.0, (n, n_in))
    draws = (
        lambda: rng.standard_normal(n),
        lambda: rng.standard_t(3, n),
        lambda: rng.exponential(size=n) - 1.0,
        lambda: rng.standard_normal(n) * np.exp(2.0 * x[:, 0]),
    )

    found = [tests.structure(x, draw()) for draw in draws for _ in range(15)]

    assert sum(map(bool, found)) <= 1


LATTICE = np.argwhere(np.ones((20, 20))) / 19.0


@for_all(
    "x, residual, words",
    [
        (BOX[:200], lambda x: np.sin((3 * x[:, 0] - 1) * (3 * x[:, 1] - 1)), "neighbouring samples"),
        (np.linspace(0.0, 1.0, 200)[:, None], lambda x: (-1.0) ** np.arange(200), "z = -"),
        (LATTICE, lambda x: (-1.0) ** np.round(19.0 * x[:, 0]), "neighbours along input 0"),
        (BOX, lambda x: RNG(0).standard_normal(1000) + 0.5 * np.cos(3 * np.arccos(x[:, 0])) * np.cos(4 * np.arccos(x[:, 1])), "one product"),
        (BOX, lambda x: RNG(0).standard_normal(1000) + 11.0 * tests.product_columns(x)[:, -30:].mean(axis=1) * 30**0.5, "products"),
        (LATTICE, lambda x: np.eye(400)[17], ""),  # one residual alone
        (BOX[:40], lambda x: x[:, 0], ""),  # too few
    ],
)  # fmt: skip
def test_each_kind_of_structure_is_seen_and_named(x, residual, words):
    found = tests.structure(x, residual(x))

    assert (words in found) if words else found == ""
    assert is_like_noise(x, 7.0 + residual(x), np.full(len(x), 7.0), 3) == (not words)
    assert not is_like_noise(x, residual(x), residual(x), len(x))


def test_of_many_samples_the_neighbours_of_some_are_compared():
    x = RNG(0).uniform(-1.0, 1.0, (4000, 2))
    assert len(tests.neighbour_pairs(x)) <= 6000
    assert tests.structure(x, np.sin(40.0 * x[:, 0] * x[:, 1])) != ""


# --- classes


def test_a_dropped_input_shows_in_the_residuals_of_classes_and_right_probabilities_do_not():
    x, y = sympy.symbols("x y")
    seen = []
    for seed in range(10):
        points = RNG(seed).uniform(-1.0, 1.0, (400, 2))
        z = 3.0 * points[:, :1] + 2.0 * points[:, 1:]
        labels = (RNG(100 + seed).random(z.shape) < 1.0 / (1.0 + np.exp(-z))).astype(float)
        data = kr.Data(points, labels, points, labels)
        right, dropped = (
            tests.class_structure(
                data, kr.from_formula(one, ("x", "y"), domain=(-1.0, 1.0)), "logistic"
            )
            for one in (3 * x + 2 * y, 3 * x)
        )
        assert right == ""
        seen.append(dropped)

    assert sum(one != "" for one in seen) >= 8
