"""Lines, powers and constants at every scale and place of the samples, and which of several equal inner lines is taken."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.functions.library import LIBRARY
from kan_ref.functions.record import Function, Redundancy
from kan_ref.symbolic import affine_fit
from kan_ref.symbolic.affine_fit import fit_affine, fit_samples, standardise
from kan_ref.symbolic.ranking import rank_functions

SEARCHED = tuple(name for name in LIBRARY if name not in ("0", "x", "sgn"))


def noisy_curve(name, seed=4, n=120):
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, n)
    y = LIBRARY[name].f(1.2 * x + 1.5) if name != "arcsin" else np.arcsin(0.4 * x + 0.5)
    return x, y / np.abs(y).max() + 0.01 * np.cos(40.0 * x)


# --- scales


@for_all("name", ["x", "x^2", "x^3", "x^5", "1/x", "1/x^2", "sqrt", "log", "arctan"])
@for_all("width", [1e-305, 1e-200, 1e-100, 1e-60, 1e60, 1e100, 1e200, 1e307])
def test_no_width_of_the_samples_is_too_small_or_too_large_for_lines_and_powers(name, width):
    x, y = noisy_curve(name)
    plain = fit_affine(x, y, name)

    fit = fit_affine(width * x, 1e-3 * y, name)

    assert fit.r2 == pytest.approx(plain.r2, abs=1e-9)
    np.testing.assert_allclose(fit(width * x), 1e-3 * plain(x), atol=1e-6)


@for_all("largest", [5e-324, 1e-310, 1e300, 9e307, 1.7976931348623157e308])
@for_all("name", ["0", "x", "sgn", "sqrt"])
def test_outputs_of_any_size_have_a_fit_that_is_finite_and_no_worse_than_their_mean(largest, name):
    x = np.linspace(0.0, 1.0, 9)
    y = largest * np.array([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])

    fit = fit_affine(x, y, name)

    assert np.isfinite([*fit.affine, fit.r2, fit.rms]).all()
    assert fit.rms <= 0.5 * largest + 5e-324


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_outputs_near_the_largest_number_are_ranked_like_any_other(sign):
    x = np.linspace(-1.0, 1.0, 40)
    y = sign * np.where(x > 0.1, 1.0, -1.0)

    plain = [fit.name for fit in rank_functions(x, y, ("0", "x", "sgn"))]
    large = rank_functions(x, 1.1e308 * y, ("0", "x", "sgn"))

    assert [fit.name for fit in large] == plain
    assert np.isfinite([fit.score for fit in large]).all()


@given(st.floats(1.0, 300.0), st.integers(-900, 900))
def test_the_unit_of_outputs_is_a_power_of_two_with_the_largest_in_one_to_two(y, exponent):
    outputs = np.ldexp([0.5 * y, -y, 0.25 * y], exponent)

    samples = standardise(np.arange(3.0), outputs)

    assert np.frexp(samples.unit)[0] == 0.5
    np.testing.assert_array_equal(samples.y * samples.unit, outputs)
    assert 1.0 <= np.abs(samples.y).max() < 2.0


@pytest.mark.parametrize(
    ("x", "y"),
    [([0.0, 1.0, 2.0], [3.0, 3.0, 3.0]), ([2.0, 2.0], [0.0, 1.0]), ([1.0, 5.0], [0.0, 0.0])],
)
def test_samples_that_determine_no_curve_have_no_shape(x, y):
    samples = standardise(np.array(x), np.array(y))

    assert samples.std == 0.0
    assert samples.t.tolist() == samples.z.tolist() == [0.0] * len(x)


def test_outputs_are_constant_where_they_differ_by_16_roundings_and_not_by_more():
    x, eps = np.arange(4.0), np.finfo(float).eps

    for offset, is_constant in ((15.0, True), (17.0, False), (30.0, False)):
        y = np.array([1.0, 1.0 - offset * eps, 1.0, 1.0])
        assert (standardise(x, y).std == 0.0) == is_constant
        assert fit_affine(x, y, "0").r2 == pytest.approx(float(is_constant), abs=0.1)


# --- constants


PLACES = [
    (-5.0, 40.0),
    (-3e8, -2e8),
    (1e16, 1.1e16),
    (-1e60, 1e60),
    (1e17, 1e17 + 64.0),
    (-1e17 - 64.0, -1e17),
    (3.0, 3.0),
    (0.0, 0.0),
    (-1e-9, 1e-9),
]


@for_all("name", LIBRARY)
@for_all(("low", "high"), PLACES)
def test_a_constant_is_finite_at_all_samples_wherever_they_lie(name, low, high):
    x = np.linspace(low, high, 33)

    fit = fit_affine(x, np.full(33, 2.5), name)

    assert (fit.c, fit.d, fit.r2, fit.rms) == (0.0, 2.5, 1.0, 0.0)
    assert np.isfinite(fit(x)).all()
    assert fit.singular == ()


def own(**record):
    return Function("own", *(np.cos,) * 4, **record)


@for_all(
    ("function", "cell"),
    [
        (own(domain=(-3.0, 5.0)), (-3.0, 5.0)),
        (own(domain=(-3.0, 5.0), singular=(-2.95, 1.0)), (-2.95, 1.0)),
        (own(domain=(-3.0, 5.0), singular=(-2.85, 1.0)), (-3.0, -2.85)),
        (own(singular=(0.0,), redundancy=Redundancy(turn=4.0)), None),
        (own(domain=(0.0, 0.2)), (0.0, 0.2)),
    ],
)
@for_all(("low", "high"), [(-1.0, 3.0), (10.0, 10.5), (0.0, 1000.0)])
def test_a_constant_takes_the_middle_half_of_the_first_wide_interval_or_less(
    function, cell, low, high
):
    x, y = np.linspace(low, high, 5), np.full(5, 2.5)

    fit = fit_samples(function, standardise(x, y))

    u = fit.a * x + fit.b
    if cell is None:  # the interval between -inf and the first singular point
        assert np.isfinite(u).all()
        assert fit.singular == ()
        return
    left, right = cell
    assert np.ptp(u) == pytest.approx(min(high - low, 0.5 * (right - left)), rel=1e-9)
    assert 0.5 * (u[0] + u[-1]) == pytest.approx(0.5 * (left + right), rel=1e-9)


@pytest.mark.parametrize(
    ("domain", "end", "which"), [((2.0, np.inf), 3.0, 0), ((-np.inf, 2.0), 1.0, -1)]
)
def test_a_constant_keeps_a_distance_of_1_from_the_only_end_of_a_domain(domain, end, which):
    x = np.linspace(7.0, 11.0, 5)

    fit = fit_samples(own(domain=domain), standardise(x, np.full(5, 2.5)))

    assert fit.a == 1.0
    assert (fit.a * x + fit.b)[which] == pytest.approx(end)


@pytest.mark.parametrize(("largest", "a"), [(11.0, 1.0), (100.0, 1.0), (1e5, 1e-3)])
def test_a_constant_of_a_function_without_ends_is_that_of_x_itself_up_to_100(largest, a):
    fit = fit_samples(own(), standardise(np.linspace(-largest, 0.7, 5), np.full(5, 2.5)))

    assert fit.affine == (a, 0.0, 0.0, 2.5)


# --- candidates that are equal up to rounding


@given(
    st.sampled_from(["x^2", "1/x", "log", "sqrt", "exp", "tanh", "sin", "tan"]),
    st.floats(-50.0, 50.0),
    st.floats(0.1, 100.0),
    st.floats(-40.0, 40.0),
    st.floats(-40.0, 40.0),
)
def test_all_candidates_are_the_same_line_with_unit_slope_for_powers(name, low, width, p, q):
    redundancy = LIBRARY[name].redundancy
    if abs(q - p) < 1e-3:
        q = p + 1.0
    samples = standardise(
        np.array([low, low + 0.3 * width, low + width]), np.array([0.0, 1.0, 3.0])
    )
    low, high = samples.low, samples.high

    lines = affine_fit._lines(LIBRARY[name], samples, p, q)

    scale = (high - low) / abs(q - p) if redundancy.kind in ("power", "log") else 1.0
    turns = redundancy.turn > 0.0 and low * high > 0.0
    size = 1e-12 * scale * (abs(p) + abs(q) + abs(q - p) * max(abs(low), abs(high)) / (high - low))
    for a, b in lines[1:] if turns else lines:
        assert a * low + b == pytest.approx(scale * p, abs=size)
        assert a * high + b == pytest.approx(scale * q, abs=size)
    if redundancy.kind in ("power", "log"):
        np.testing.assert_allclose([abs(a) for a, _ in lines[:2]], 1.0, rtol=1e-12)
    assert len(lines) == 3 + turns
    assert abs(lines[-1][0]) < abs(lines[-2][0])
    assert lines[-1][0] == pytest.approx(lines[-2][0], rel=1e-14)
    if turns:
        a, b = lines[0]
        assert b / redundancy.turn == pytest.approx(round(b / redundancy.turn), abs=1e-9)
        assert abs(b - lines[1][1]) <= 0.5 * redundancy.turn + 1e-9
        assert a * (low + high) + 2.0 * b == pytest.approx(p + q, abs=1e-9)


def test_a_line_without_slope_is_no_candidate():
    samples = standardise(np.arange(3.0), np.array([0.0, 1.0, 3.0]))

    assert affine_fit._lines(LIBRARY["tanh"], samples, 0.5, 0.5) == []


@pytest.mark.parametrize("noise", [0.0, 1e-13, 1e-11, 1e-9, 1e-3])
@pytest.mark.parametrize("name", ["sin", "cos", "sqrt", "x^2"])
def test_a_simpler_candidate_costs_at_most_a_millionth_of_a_millionth_and_no_more_than_the_misfit(
    name, noise
):
    """Phases and zeros that are nearly those of the simplest candidate."""
    rng = np.random.default_rng(0)
    for shift in (0.0, 1e-13, 1e-11, 1e-10, 3e-9):
        x = rng.uniform(99.0, 101.0, 60)
        y = LIBRARY[name].f(3.0 * x + shift) + noise * rng.standard_normal(60)
        samples = standardise(x, y)
        ends = affine_fit.best_line(LIBRARY[name], samples.t, samples.z)
        candidates = [
            affine_fit._with_outer(LIBRARY[name], samples, a, b).rms
            for a, b in affine_fit._lines(LIBRARY[name], samples, *ends)
        ]

        rms = fit_affine(x, y, name).rms

        least = min(candidates)
        bound = max(least, min(2.0 * least, 1e-12 * samples.std * samples.unit))
        assert rms == next(one for one in candidates if one <= bound)


@pytest.mark.parametrize("slope", [2.0, -2.0])
def test_a_line_over_a_range_whose_ends_differ_by_400_powers_of_ten_is_exact(slope):
    """In either direction: the end of the larger size gives the unit of x."""
    for x in (np.array([1e-200, 1e100, 1e200]), np.array([-1e200, -1e100, -1e-200])):
        fit = fit_affine(x, slope * x, "x")

        assert fit.affine == (1.0, 0.0, slope, 0.0)
        assert (fit.r2, fit.rms) == (1.0, 0.0)
