"""A user's partial derivatives are checked before training: wrong ones raise an error with their name, right ones never do."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import seeds
from oracles_training import random_polynomial

import kan_ref as kr

N = 24
X1 = np.linspace(0.05, 0.95, N)[:, None]
X2 = np.random.default_rng(0).uniform(-0.9, 0.9, (N, 2))


def network(widths, scale=1.0, seed=0):
    """A network whose outputs are about `scale`."""
    rng = np.random.default_rng(seed)
    net = kr.init_network(widths, n_intervals=4, degree=4, domain=(-1.0, 1.0), rng=rng)
    last = net.layers[-1]
    before, weights = net.n_params - last.n_params, last.w_spline.size
    factors = np.concatenate(
        [np.ones(before), np.full(last.n_params - weights, scale), np.ones(weights)]
    )
    return net.with_theta((net.theta + 0.3 * rng.normal(size=net.n_params)) * factors)


NET1, NET2 = network((1, 2, 1)), network((2, 3, 2))


def judge(net, x, function, **options):
    """What `fit` does before its first step."""
    kr.fit(
        net,
        problem=kr.residual_problem(
            [kr.value_term(x, 0.0), kr.function_term(x, function, **options)]
        ),
        n_steps=0,
    )


# --- wrong ones


def burgers(x, u, du, d2u):
    """u u' - 0.1 u'' + u^3 of shape (n,): all three partials count."""
    by_d2u = np.full((len(x), 1, 1, 1), -0.1)
    residual = u[:, 0] * du[:, 0, 0] - 0.1 * d2u[:, 0, 0, 0] + u[:, 0] ** 3
    return [residual, du[:, :, 0] + 3 * u**2, u[:, :, None], by_d2u]


def spoil(place, change):
    def function(x, u, du, d2u):
        answer = burgers(x, u, du, d2u)
        answer[place] = change(answer[place], u)
        return answer

    return function


PLACES = {"by_u": 1, "by_du": 2, "by_d2u": 3}
WRONG = {
    "of the wrong sign": lambda partial, u: -partial,
    "without a factor of two": lambda partial, u: partial / 2,
    "a thousandth too large": lambda partial, u: 1.001 * partial,
    "forgotten": lambda partial, u: None,
    "with something more": lambda partial, u: partial + 0.01 * np.abs(u).mean(),
    "of another point": lambda partial, u: (
        partial[::-1] * (1 + np.arange(N)).reshape(-1, *[1] * (partial.ndim - 1)) / N
    ),
}


@for_all("name", PLACES)
@for_all("defect", WRONG)
def test_a_wrong_partial_is_refused_by_its_name_and_that_of_its_term(name, defect):
    with pytest.raises(
        ValueError,
        match=rf"^terms\[1\]: {name} is wrong: at point \d+, for the initial model, the residual changes by .* {name} gives ",
    ):
        judge(NET1, X1, spoil(PLACES[name], WRONG[defect]))


def test_the_right_ones_pass():
    judge(NET1, X1, burgers)


SHAPES = {
    "by_u": (
        1,
        lambda p: p[:, 0],
        r"by_u has shape \(24,\), but residual \(24,\) and u \(24, 1\) need by_u of shape \(24, 1\)",
    ),
    "by_du": (
        2,
        lambda p: p[:, 0],
        r"by_du has shape \(24, 1\), but residual \(24,\) and du \(24, 1, 1\) need by_du of shape \(24, 1, 1\)",
    ),
    "by_d2u": (
        3,
        lambda p: p[:, :, 0],
        r"by_d2u has shape \(24, 1, 1\), but residual \(24,\) and d2u \(24, 1, 1, 1\) need by_d2u of shape \(24, 1, 1, 1\)",
    ),
    "a number": (1, lambda p: 0.0, r"by_u has shape \(\), but residual .*"),
    "text": (1, lambda p: np.full(p.shape, "a"), "by_u has dtype <U1, but needs real numbers"),
    "complex": (2, lambda p: p + 1j, "by_du has dtype complex128, but needs real numbers"),
    "nan": (
        3,
        lambda p: p * np.nan,
        "by_d2u is nan at point 0 for the initial model, but must be finite",
    ),
    "residual a column too many": (
        0,
        lambda p: p[:, None, None],
        r"residual has shape \(24, 1, 1\), but 24 points need shape .*",
    ),
    "residual of too few points": (
        0,
        lambda p: p[1:],
        r"residual has shape \(23,\), but 24 points need shape \(24,\) or \(24, n_residuals\)",
    ),
    "no residuals": (
        0,
        lambda p: p[:, None][:, :0],
        r"residual has shape \(24, 0\), but 24 points need shape .*",
    ),
    "infinite residual": (
        0,
        lambda p: np.where(np.arange(N) == 3, np.inf, p),
        "residual is inf at point 3 for the initial model, but must be finite",
    ),
    "residual of text": (
        0,
        lambda p: np.full(p.shape, "a"),
        "residual has dtype <U1, but needs real numbers",
    ),
}


@for_all("name", SHAPES)
def test_an_answer_of_a_wrong_kind_or_shape_is_refused_by_name(name):
    place, change, sentence = SHAPES[name]

    with pytest.raises((ValueError, TypeError), match=rf"^terms\[1\]: {sentence}$"):
        judge(NET1, X1, spoil(place, lambda partial, u: change(partial)))


@pytest.mark.parametrize("answer", [lambda u: u[:, 0], lambda u: (u[:, 0], None), lambda u: None])
def test_an_answer_that_is_no_four_things_is_refused(answer):
    with pytest.raises(TypeError, match=r"function must return four items"):
        judge(NET1, X1, lambda x, u, du, d2u: answer(u))


def test_a_partial_by_something_that_the_order_leaves_out_is_refused():
    with pytest.raises(
        ValueError,
        match="by_du is given, but this term has no such derivatives: its order is too low",
    ):
        judge(
            NET1,
            X1,
            lambda x, u, du, d2u: (u[:, 0], np.ones((N, 1)), np.zeros((N, 1, 1)), None),
            order=0,
        )


def test_what_an_order_leaves_out_is_none():
    seen = []

    def watch(x, u, du, d2u):
        seen.append((u.shape, du is None, d2u is None))
        return u[:, 0], np.ones((N, 1)), None, None

    for order in (0, 1, 2):
        judge(NET1, X1, watch, order=order)

    assert set(seen) == {((N, 1), True, True), ((N, 1), False, True), ((N, 1), False, False)}


def test_second_derivatives_not_asked_for_are_nan_and_the_refusal_says_so():
    with pytest.raises(
        ValueError,
        match="residual is nan at point 0 for the initial model, but must be finite; d2u is nan at pairs that are not in",
    ):
        judge(
            NET2,
            X2,
            lambda x, u, du, d2u: (d2u[:, 0, 1, 1], None, None, np.zeros((N, 2, 2, 2))),
            pairs=((0, 0),),
        )


def test_one_wrong_residual_of_twelve_is_found():
    """Each is checked separately: a fraction of all residuals would let it pass."""
    by_u = np.tile(np.eye(2)[np.arange(12) % 2], (N, 1, 1))
    by_u[:, 7] *= 1.5

    with pytest.raises(
        ValueError, match="by_u is wrong: at point 0, for the initial model, residual 7 changes by"
    ):
        judge(NET2, X2, lambda x, u, du, d2u: (u[:, np.arange(12) % 2], by_u, None, None), order=0)


def test_transposed_pairs_of_outputs_and_inputs_are_found():
    def function(x, u, du, d2u):
        by_du = np.zeros((N, 2, 2))
        by_du[:, 1, 0] = 1.0
        return du[:, 0, 1], None, by_du, None

    with pytest.raises(ValueError, match="by_du is wrong"):
        judge(NET2, X2, function, order=1)


def test_a_wrong_partial_that_counts_little_beside_the_rest_is_found():
    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(
            NET1,
            X1,
            lambda x, u, du, d2u: (
                1e6 * du[:, 0, 0] + u[:, 0],
                1.1 * np.ones((N, 1)),
                np.full((N, 1, 1), 1e6),
                None,
            ),
            order=1,
        )


def test_a_function_that_mixes_points_is_refused():
    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(
            NET1,
            X1,
            lambda x, u, du, d2u: (u[:, 0] - u.mean(), np.ones((N, 1)), None, None),
            order=0,
        )


def test_a_function_that_writes_into_its_arguments_is_told_so():
    def writes(x, u, du, d2u):
        x *= 2.0
        return u[:, 0], np.ones((N, 1)), None, None

    with pytest.raises(ValueError, match="read-only"):
        judge(NET1, X1, writes, order=0)


def test_an_error_in_the_function_itself_names_the_term_and_keeps_its_own_words():
    def broken(x, u, du, d2u):
        return u[:, 0] + np.ones(5)

    with pytest.raises(
        ValueError, match=r"^terms\[1\]: operands could not be broadcast"
    ) as refusal:
        judge(NET1, X1, broken, order=0)

    assert isinstance(refusal.value.__cause__, ValueError)


# --- right ones

powers = st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6])


@given(seeds, st.integers(0, 2), powers, powers, st.integers(1, 3), st.booleans())
def test_right_partials_of_any_polynomial_are_never_refused(
    seed, order, scale, size, n_residuals, flat
):
    """The model's outputs are about `scale`, the residual is a polynomial in outputs over `scale`, times `size`."""
    rng = np.random.default_rng(seed)
    function = random_polynomial(
        rng,
        N,
        2,
        2,
        order=order,
        n_residuals=1 if flat else n_residuals,
        flat=flat,
        scale=scale,
        size=size,
    )

    judge(network((2, 3, 2), scale), X2, function, order=order)


@given(seeds, powers)
def test_nor_are_they_with_outputs_of_very_different_sizes(seed, ratio):
    """sin of one output and of the other over `ratio`: one step for both would be too long or too short."""
    rng = np.random.default_rng(seed)
    net = network((2, 2), seed=int(rng.integers(1000)))
    layer = net.layers[0]
    factors = np.concatenate(
        [np.repeat([1.0, ratio], layer.coef[0].size), np.repeat([1.0, ratio], 2), np.ones(4)]
    )

    def function(x, u, du, d2u):
        sizes = np.array([1.0, ratio])
        return np.sin(u / sizes).sum(axis=1), np.cos(u / sizes) / sizes, None, None

    judge(net.with_theta(net.theta * factors), X2, function, order=0)


@given(seeds, powers)
def test_kinks_met_by_few_points_are_allowed(seed, scale):
    """|u| + |du| + |d2u|, at one of 24 points exactly at a kink of its first output: u - u(x_5)."""
    net = network((2, 3, 2), scale, seed % 1000)
    at = net(X2)[5, 0]

    def function(x, u, du, d2u):
        moved = u - np.array([at, 0.0])
        residual = (
            np.abs(moved).sum(axis=1)
            + np.abs(du).sum(axis=(1, 2))
            + np.abs(d2u[:, :, 0, 0]).sum(axis=1)
        ) / scale
        by_d2u = np.zeros((N, 2, 2, 2))
        by_d2u[:, :, 0, 0] = np.sign(d2u[:, :, 0, 0]) / scale
        one_sided = np.where(moved > 0.0, 1.0, -1.0)  # at the kink the derivative to the left
        return residual, one_sided / scale, np.sign(du) / scale, by_d2u

    judge(net, X2, function, pairs=((0, 0),))


def test_right_partials_pass_where_large_terms_cancel_at_the_start():
    """A network that already solves its equation: the residual is rounding of terms a million times larger than the one with d2u."""
    exact = NET1(X1)

    def function(x, u, du, d2u):
        return (
            1e6 * (u[:, 0] - exact[:, 0]) + 1e-6 * d2u[:, 0, 0, 0],
            np.full((N, 1), 1e6),
            None,
            np.full((N, 1, 1, 1), 1e-6),
        )

    judge(NET1, X1, function)


def test_a_domain_that_the_start_keeps_to_is_enough():
    """log(u) where u is positive at every point; no warning from outside the domain."""
    low = NET1(X1).min()

    def logarithm(x, u, du, d2u):
        return np.log(u[:, 0] - low + 1e-3), 1.0 / (u - low + 1e-3), None, None

    judge(NET1, X1, logarithm, order=0)


def test_a_point_where_the_check_leaves_the_domain_gives_no_warning():
    """u^1.5 where u is 1e-10 at one point: the differences of the check have values of u below 0."""
    u_1 = NET1(X1)[1, 0] - 1e-10
    others = np.where(np.arange(N) == 1, u_1, NET1(X1)[:, 0] - 1.0)

    def power(x, u, du, d2u):
        v = u[:, 0] - others
        return v**1.5, 1.5 * np.sqrt(v)[:, None], None, None

    problem = kr.residual_problem([kr.function_term(X1, power, order=0)])
    kr.fit(NET1, problem=problem, n_steps=0, update_grids=False)


def test_single_points_are_judged_too():
    judge(NET1, X1[:1], lambda x, u, du, d2u: (u[:, 0] ** 2, 2 * u, None, None), order=0)
    with pytest.raises(ValueError, match="by_u is wrong"):
        judge(NET1, X1[:1], lambda x, u, du, d2u: (u[:, 0] ** 2, u, None, None), order=0)


def test_none_and_zeros_say_the_same():
    answers = [
        lambda x, u, du, d2u, by_du=by_du: (u[:, 0], np.ones((N, 1)), by_du, None)
        for by_du in (None, np.zeros((N, 1, 1)))
    ]

    ends = [
        kr.fit(
            NET1, problem=kr.residual_problem([kr.function_term(X1, f, order=1)]), n_steps=3
        ).network.theta
        for f in answers
    ]

    np.testing.assert_array_equal(*ends)


FAST = [1e2, 1e3, 1e5]
FAST_RESIDUALS = {
    "sin": (np.sin, np.cos),
    "exp": (lambda v: np.exp(-np.abs(v)), lambda v: -np.sign(v) * np.exp(-np.abs(v))),
    "log": (lambda v: np.log(v**2 + 1e-8), lambda v: 2.0 * v / (v**2 + 1e-8)),
}


def fast_residual(name, rate, factor):
    f, slope = FAST_RESIDUALS[name]

    def function(x, u, du, d2u):
        return f(rate * u[:, 0]) + u[:, 0], factor * rate * slope(rate * u) + 1.0, None, None

    return function


@for_all("rate", FAST)
@for_all("name", FAST_RESIDUALS)
def test_right_partials_of_residuals_that_vary_fast_are_never_refused(rate, name):
    """A step of 1e-6 is too long for sin(1e5 u): its difference is wrong by a thousandth."""
    judge(NET1, X1, fast_residual(name, rate, 1.0), order=0)


@for_all("rate", FAST)
@for_all("factor", [-1.0, 0.0, 0.99, 1.0003, 2.0])
def test_wrong_partials_of_residuals_that_vary_fast_are_found(rate, factor):
    with pytest.raises(ValueError, match=r"terms\[1\]: by_u is wrong: at point "):
        judge(NET1, X1, fast_residual("sin", rate, factor), order=0)


@pytest.mark.parametrize("size", [1e-9, 1.0])
def test_a_function_that_draws_random_numbers_is_told_so(size):
    rng = np.random.default_rng(0)

    with pytest.raises(ValueError, match=r"another residual when it is called again.*draw random"):
        judge(
            NET1,
            X1,
            lambda x, u, du, d2u: (
                u[:, 0] + size * rng.normal(size=N),
                np.ones((N, 1)),
                None,
                None,
            ),
            order=0,
        )
