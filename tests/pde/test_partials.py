"""A user's partial derivatives are checked before training: wrong ones raise an error with their name, right ones never do."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import seeds
from oracles_training import random_polynomial

import kan_ref as kr
from kan_ref.pde import Equations
from kan_ref.pde.user_residual import check_partials

N = 24
X1 = np.linspace(0.05, 0.95, N)[:, None]
X2 = np.random.default_rng(0).uniform(-0.9, 0.9, (N, 2))


def network(widths, scale=1.0, seed=0):
    """A network whose outputs are about `scale`."""
    rng = np.random.default_rng(seed)
    net = kr.init_network(widths, n_intervals=4, degree=4, domain=(-1.0, 1.0), rng=rng)
    theta = net.theta + 0.3 * rng.normal(size=net.n_params)
    last = net.layers[-1]
    factors = np.ones(net.n_params)
    factors[net.n_params - last.n_params : net.n_params - last.w_spline.size] = scale
    return net.with_theta(theta * factors)


NET1, NET2 = network((1, 2, 1)), network((2, 3, 2))


def judge(net, x, function, **options):
    """What `fit` does before its first step."""
    Equations([kr.value_term(x), kr.function_term(x, function, **options)]).check(net)


# --- wrong ones


def burgers(x, u, du, d2u):
    """u u' - 0.1 u'' + u^3 of shape (n,): all three partials count."""
    by_d2u = np.full((len(x), 1, 1, 1), -0.1)
    residual = u[:, 0] * du[:, 0, 0] - 0.1 * d2u[:, 0, 0, 0] + u[:, 0] ** 3
    return [residual, du[:, :, 0] + 3 * u**2, u[:, :, None], by_d2u]


def spoil(place, change):
    def function(x, u, du, d2u):
        answer = burgers(x, u, du, d2u)
        answer[place] = change(answer[place])
        return answer

    return function


def at_one_point(partial):
    partial = partial.copy()
    partial[17] *= 1.1
    return partial


PLACES = {"by_u": 1, "by_du": 2, "by_d2u": 3}
WRONG = {
    "of the wrong sign": lambda partial: -partial,
    "without a factor of two": lambda partial: partial / 2,
    "a thousandth too large": lambda partial: 1.001 * partial,
    "forgotten": lambda partial: None,
    "with something more": lambda partial: partial + 0.01,
    "at one point": at_one_point,
}


@for_all("name", PLACES)
@for_all("defect", WRONG)
def test_a_wrong_partial_is_refused_by_its_name_and_that_of_its_term(name, defect):
    point = "17" if defect == "at one point" else r"\d+"
    message = rf"^equations\[1\]: {name} is wrong: at point {point} the residual .* {name} gives "

    with pytest.raises(ValueError, match=message):
        judge(NET1, X1, spoil(PLACES[name], WRONG[defect]))


def test_one_wrong_residual_of_twelve_is_found():
    by_u = np.tile(np.eye(2)[np.arange(12) % 2], (N, 1, 1))
    by_u[:, 7] *= 1.5

    with pytest.raises(ValueError, match=r"by_u is wrong: at point 0 residual 7 changes"):
        judge(NET2, X2, lambda x, u, du, d2u: (u[:, np.arange(12) % 2], by_u, None, None), order=0)


def test_transposed_outputs_and_inputs_are_found():
    by_du = np.zeros((N, 2, 2))
    by_du[:, 1, 0] = 1.0

    with pytest.raises(ValueError, match="by_du is wrong"):
        judge(NET2, X2, lambda x, u, du, d2u: (du[:, 0, 1], None, by_du, None), order=1)


def test_a_wrong_partial_that_counts_little_beside_the_rest_is_found():
    def function(x, u, du, d2u):
        residual = 1e6 * du[:, 0, 0] + u[:, 0]
        return residual, 1.1 * np.ones((N, 1)), np.full((N, 1, 1), 1e6), None

    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(NET1, X1, function, order=1)


def test_a_wrong_partial_is_found_where_the_model_is_zero_at_all_points():
    zero = NET1.with_theta(np.zeros(NET1.n_params))

    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(zero, X1, lambda x, u, du, d2u: (u[:, 0], np.full((N, 1), 2.0), None, None), order=0)


def test_a_function_that_mixes_points_is_refused():
    def function(x, u, du, d2u):
        return u[:, 0] - u.mean(), np.ones((N, 1)), None, None

    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(NET1, X1, function, order=0)


ANSWERS = {
    "by_u": [lambda p: p[:, 0], lambda p: 0.0],
    "by_du": [lambda p: p[:, 0], lambda p: p + 1j],
    "by_d2u": [lambda p: p[:, :, 0], lambda p: p * np.nan],
    "residual": [
        lambda p: p[:, None, None],
        lambda p: p[1:],
        lambda p: np.where(np.arange(N) == 3, np.inf, p),
        lambda p: p.astype(str),
    ],
}


@for_all("name", ANSWERS)
def test_an_answer_of_a_wrong_shape_or_kind_or_that_is_not_finite_is_refused_by_name(name):
    for change in ANSWERS[name]:
        with pytest.raises((ValueError, TypeError), match=rf"^equations\[1\]: {name} "):
            judge(NET1, X1, spoil(PLACES.get(name, 0), change))


@for_all("answer", [lambda u: u[:, 0], lambda u: (u[:, 0], None), lambda u: None])
def test_an_answer_that_is_no_four_things_is_refused(answer):
    with pytest.raises(TypeError, match=r"^equations\[1\]: function must return "):
        judge(NET1, X1, lambda x, u, du, d2u: answer(u))


def test_a_partial_by_something_that_the_order_leaves_out_is_refused():
    def function(x, u, du, d2u):
        return u[:, 0], np.ones((N, 1)), np.zeros((N, 1, 1)), None

    with pytest.raises(ValueError, match="by_du is given"):
        judge(NET1, X1, function, order=0)


def test_what_an_order_leaves_out_is_none_and_pairs_that_are_not_asked_for_are_nan():
    seen = []

    def watch(x, u, du, d2u):
        seen.append((du is None, d2u is None or np.isfinite(d2u).all(axis=(0, 1)).tolist()))
        return u[:, 0], np.tile([1.0, 0.0], (N, 1)), None, None

    for options in ({"order": 0}, {"order": 1}, {"pairs": ((1, 0),)}, {}):
        judge(NET2, X2, watch, **options)

    mixed, every = [[False, True], [True, False]], [[True, True], [True, True]]
    found = [one for place, one in enumerate(seen) if one not in seen[:place]]
    assert found == [(True, True), (False, True), (False, mixed), (False, every)]


@for_all("place", range(4))
def test_a_function_that_writes_into_its_arguments_is_told_so(place):
    def writes(*arguments):
        arguments[place][:] *= 2.0
        return arguments[1][:, 0], np.ones((N, 1)), None, None

    with pytest.raises(ValueError, match="read-only"):
        judge(NET1, X1, writes, order=2)


# --- right ones

powers = st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6])


@given(seeds, st.integers(0, 2), powers, powers, st.integers(1, 3), st.booleans())
def test_right_partials_of_any_polynomial_are_never_refused(seed, order, scale, size, n_residuals, flat):
    """The model's outputs are about `scale`, the residual is a polynomial in outputs over `scale`, times `size`."""
    rng = np.random.default_rng(seed)
    options = {"n_residuals": 1 if flat else n_residuals, "flat": flat}
    function = random_polynomial(rng, N, 2, 2, order=order, scale=scale, size=size, **options)

    judge(network((2, 3, 2), scale), X2, function, order=order)


@given(seeds, st.sampled_from([1e-12, 1e-6, 1.0, 1e6, 1e12]))
def test_with_outputs_of_very_different_sizes_wrong_partials_alone_are_refused(seed, ratio):
    """sin of one output and of the other over `ratio`: one step for both would be too long or too short."""
    net = network((2, 2), seed=seed % 1000)
    size = net.layers[0].coef[0].size
    factors = np.concatenate([np.repeat([1.0, ratio], n) for n in (size, 2)] + [np.ones(4)])
    sizes = np.array([1.0, ratio])

    def function(x, u, du, d2u, factor=1.0):
        partials = np.eye(2) * (np.cos(u / sizes) / sizes)[:, None]
        return np.sin(u / sizes), partials * [1.0, factor], None, None

    net = net.with_theta(net.theta * factors)
    judge(net, X2, function, order=0)
    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(net, X2, lambda *at: function(*at, factor=1.1), order=0)


def test_right_partials_pass_where_large_terms_cancel_at_the_start():
    """A network that already solves its equation: the residual is rounding of terms a million times larger than the one with d2u."""
    exact = NET1(X1)

    def function(x, u, du, d2u):
        residual = 1e6 * (u[:, 0] - exact[:, 0]) + 1e-6 * d2u[:, 0, 0, 0]
        return residual, np.full((N, 1), 1e6), None, np.full((N, 1, 1, 1), 1e-6)

    judge(NET1, X1, function)


def test_a_point_where_the_check_leaves_the_domain_gives_no_error_and_no_warning():
    """u^1.5 where u is 1e-10 at one point: the differences of the check have values of u below 0."""
    others = np.where(np.arange(N) == 1, NET1(X1)[1, 0] - 1e-10, NET1(X1)[:, 0] - 1.0)

    def power(x, u, du, d2u):
        v = u[:, 0] - others
        return v**1.5, 1.5 * np.sqrt(v)[:, None], None, None

    judge(NET1, X1, power, order=0)


FAST = {"sin": (np.sin, np.cos), "log": (lambda v: np.log(v**2 + 1e-8), lambda v: 2.0 * v / (v**2 + 1e-8))}


def fast_residual(name, rate, factor):
    f, slope = FAST[name]

    def function(x, u, du, d2u):
        return f(rate * u[:, 0]) + u[:, 0], factor * rate * slope(rate * u) + 1.0, None, None

    return function


@for_all("rate", [1e2, 1e3, 1e5, 1e7])
@for_all("name", FAST)
def test_right_partials_of_residuals_that_vary_fast_are_never_refused(rate, name):
    """A step of 1e-6 is too long for sin(1e5 u): its difference is wrong by a thousandth."""
    judge(NET1, X1, fast_residual(name, rate, 1.0), order=0)


@for_all("rate", [1e2, 1e3, 1e5])
@for_all("factor", [-1.0, 0.0, 0.99, 1.0003, 2.0])
def test_wrong_partials_of_residuals_that_vary_fast_are_found(rate, factor):
    with pytest.raises(ValueError, match="by_u is wrong: at point "):
        judge(NET1, X1, fast_residual("sin", rate, factor), order=0)


def test_a_wrong_partial_of_a_single_point_is_found():
    judge(NET1, X1[:1], fast_residual("sin", 1e4, 1.0), order=0)
    with pytest.raises(ValueError, match="by_u is wrong: at point 0"):
        judge(NET1, X1[:1], fast_residual("sin", 1e4, 1.0003), order=0)


@for_all("sign", [1.0, -1.0])
def test_a_partial_derivative_may_differ_by_a_hundred_thousandth_of_both_sides(sign):
    def judge_cube(factor):
        judge(NET1, X1, lambda x, u, du, d2u: (u[:, 0] ** 3, 3 * factor * u**2, None, None), order=0)

    judge_cube(1.0 + sign * 1.5e-5)
    with pytest.raises(ValueError, match="by_u is wrong"):
        judge_cube(1.0 + sign * 3e-5)


def test_where_the_network_solves_the_equation_rounding_of_its_terms_is_no_wrong_partial():
    """R is 0, as after training, and its terms are not: their rounding may not be judged by the size of R."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (2000, 1))
    d2u = 100.0 * np.cos(9.0 * x)[:, :, None, None]
    source = x[:, 0] ** 3 - d2u[:, 0, 0, 0]

    def function(x, u, du, d2u):
        return [u[:, 0] ** 3 - d2u[:, 0, 0, 0] - source, 3.0 * u**2, None, -np.ones_like(d2u)]

    check_partials(function, (x, x, np.ones((2000, 1, 1)), d2u), "equation")


@for_all(("part", "found"), [(1e-12, False), (1e-6, True)])
def test_a_wrong_partial_derivative_is_found_unless_rounding_of_the_other_terms_hides_it(part, found):
    """Rounding of R is 1e-14 of its terms, which a difference with h = 1e-6 makes 1e-8."""

    def function(x, u, du, d2u):
        return u[:, 0] + part * du[:, 0, 0], np.ones_like(u), 3.0 * part * np.ones_like(du), None

    if not found:
        judge(NET1, X1, function, order=1)
        return
    with pytest.raises(ValueError, match="by_du is wrong"):
        judge(NET1, X1, function, order=1)
