"""Steps with the strong Wolfe conditions, and where rounding, infinities or wrong derivatives leave none."""

import math

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_optimizers import satisfies_strong_wolfe
from scipy.interpolate import CubicHermiteSpline

from kan_ref.optimizers.lbfgs import C2, Trial, _cubic_minimizer, line_search

EPS = float(np.finfo(float).eps)
seeds = st.integers(0, 2**32 - 1)


class Curve:
    """A function of one number as a function of a vector of one; it records where it was called."""

    def __init__(self, phi, slope):
        self.phi, self.slope, self.calls = phi, slope, []

    def __call__(self, theta):
        self.calls.append(float(theta[0]))
        return float(self.phi(theta[0])), np.array([float(self.slope(theta[0]))])

    def search(self, start=0.0, direction=1.0, **options):
        value, gradient = self.phi(start), np.array([self.slope(start)])
        return line_search(
            self, np.array([start]), np.array([direction]), value, gradient, **options
        )


def parabola(minimizer=1.0):
    return Curve(lambda a: (a - minimizer) ** 2, lambda a: 2.0 * (a - minimizer))


def through(*rows):
    """A piecewise cubic curve through (position, value, derivative)."""
    curve = CubicHermiteSpline(*zip(*rows, strict=True))
    return Curve(curve, curve.derivative())


def random_curve(rng):
    """A smooth function on a >= 0 with phi'(0) = -1, bounded below, with several minima; and its derivative."""
    wave, frequency = rng.uniform(0.0, 2.0), rng.uniform(0.5, 8.0)
    curvature = 10.0 ** rng.uniform(-3, 3)
    return Curve(
        lambda a: -a + 0.5 * curvature * a * a + wave * (1.0 - math.cos(frequency * a)),
        lambda a: -1.0 + curvature * a + wave * frequency * math.sin(frequency * a),
    )


# --- accepted steps


@given(seeds, st.floats(-6, 6), st.sampled_from([(1e-4, 0.9), (1e-4, 0.1), (0.4, 0.9)]))
def test_the_accepted_step_satisfies_the_strong_wolfe_conditions(seed, exponent, constants):
    """Whatever the first trial: far too short, right, or far too long; it is the last call, and none is repeated."""
    curve = random_curve(np.random.default_rng(seed))

    found = curve.search(1e-300, 1.0, first_step=10.0**exponent, c1=constants[0], c2=constants[1])

    assert satisfies_strong_wolfe(curve.phi, curve.slope, found.step, *constants)
    assert found.theta[0] == curve.calls[-1]
    assert (found.value, found.gradient[0]) == (
        curve.phi(curve.calls[-1]),
        curve.slope(curve.calls[-1]),
    )
    assert len(curve.calls) == len(set(curve.calls))


def test_a_decrease_and_a_derivative_of_exactly_the_allowed_size_are_accepted():
    """a^2 / 2 - a falls by 1/2 at 1; a^2 / 4 - a has the derivatives -1 and -1/2 at 0 and 1."""
    half = Curve(lambda a: 0.5 * a * a - a, lambda a: a - 1.0)
    quarter = Curve(lambda a: 0.25 * a * a - a, lambda a: 0.5 * a - 1.0)

    assert half.search(c1=0.5).step == quarter.search(c2=0.5).step == 1.0
    assert half.calls == quarter.calls == [1.0]


@given(st.floats(0.01, 0.99), st.floats(-0.85, -0.05), st.sampled_from([1e-4, 0.1, 0.4]))
def test_a_fall_that_is_too_small_is_not_accepted_whatever_the_derivative(part, slope, c1):
    """At the first trial the value has fallen by a part of c1, beyond rounding, and goes on falling slowly: (O7) and (O8) hold."""
    curve = through((0, 0.0, -1.0), (1, -part * c1, slope), (4, -3.0, 0.0), (100, -4.0, 0.0))

    step = curve.search(c1=c1).step

    assert step != 1.0
    assert satisfies_strong_wolfe(curve.phi, curve.slope, step, c1, C2)


def test_a_minimum_between_two_falling_points_is_not_jumped_over():
    """Trials 1 and 10 both go down steeply, but phi(10) > phi(1): the search turns back."""
    curve = through(
        (0, 0.0, -0.5), (1, -0.495, -0.49), (5, -1.5, 0.0), (10, -0.45, -0.49), (100, -50.0, 0.0)
    )

    assert 1.0 < curve.search().step < 10.0


def test_by_default_a_fall_of_a_thousandth_of_the_tangent_s_is_enough():
    curve = through((0, 0.0, -1.0), (1, -1e-3, -0.5), (9, -3.0, 0.0))

    assert curve.search().step == 1.0


def test_a_minimum_between_the_left_end_and_a_steep_right_one_is_found():
    """The first trial is lower and rises steeply; the next one falls: the minimum lies between these two."""
    curve = through((0, 0.0, -1.0), (0.8, -0.5, -1.5), (1, -0.6, 2.0))

    step = curve.search(c2=0.1).step

    assert curve.slope(curve.calls[1]) < -0.1
    assert satisfies_strong_wolfe(curve.phi, curve.slope, step, 1e-4, 0.1)


# --- the next trial


@given(st.tuples(*[st.floats(-3, 3)] * 4), st.floats(-2, 2), st.floats(-2, 2))
def test_interpolation_finds_the_minimizer_of_a_cubic(coefficients, a, b):
    """From values and slopes at two points, in either order; nan exactly if the cubic has no minimizer."""
    cubic = np.polynomial.Polynomial(coefficients)
    first, second = cubic.deriv(), cubic.deriv(2)
    radicand = coefficients[2] ** 2 - 3 * coefficients[3] * coefficients[1]
    if abs(a - b) < 0.1 or abs(radicand) < 1e-3 or abs(coefficients[3]) < 1e-2:
        return  # too close to a cubic without a clear minimizer to say which it is

    points = [Trial(t, np.empty(0), float(cubic(t)), float(first(t)), np.empty(0)) for t in (a, b)]
    for one, other in (points, points[::-1]):
        found = _cubic_minimizer(one, other)
        assert math.isnan(found) == (radicand < 0)
        if radicand > 0:
            assert abs(first(found)) <= 1e-6
            assert second(found) > 0


@for_all(
    ("curve", "ends"),
    [
        (Curve(lambda t: -(t**2), lambda t: -2.0 * t), (0.0, 1.0)),
        (Curve(lambda t: -((t - 1.0) ** 3), lambda t: -3.0 * (t - 1.0) ** 2), (0.0, 3.0)),
    ],
)
def test_a_downward_parabola_and_a_horizontal_inflection_have_no_minimizer(curve, ends):
    points = [Trial(t, np.empty(0), curve.phi(t), curve.slope(t), np.empty(0)) for t in ends]

    assert math.isnan(_cubic_minimizer(*points))
    assert math.isnan(_cubic_minimizer(*points[::-1]))


def test_a_step_between_two_trials_is_the_minimizer_of_the_cubic_through_them():
    curve = parabola(1.6)

    curve.search(c2=1e-3)

    assert curve.calls == pytest.approx([1.0, 2.0, 1.6])


@given(st.floats(1.01, 1000.0))
def test_a_longer_step_is_the_minimizer_of_the_cubic_between_2_and_10_times_the_step(minimizer):
    """On a quadratic the cubic has the same minimizer, and the derivative at step 1 is too large to stop."""
    curve = parabola(minimizer)

    curve.search(c2=1e-3 * (minimizer - 1.0) / minimizer)

    assert curve.calls[:2] == pytest.approx([1.0, min(max(minimizer, 2.0), 10.0)], rel=1e-9)


def test_without_a_lower_bound_steps_grow_to_the_lowest_point_of_all_trials():
    """Where the cubic has no minimizer a longer step is 6 times the step."""
    curve = Curve(lambda t: -t, lambda t: -1.0)

    found = curve.search()

    assert curve.calls[:3] == [1.0, 6.0, 36.0]
    assert len(curve.calls) == 30
    assert found.step == curve.calls[-1]


@for_all(
    ("end", "slope", "second"),
    [(-0.89, 0.1, 0.9), (100.0, 200.0, 0.1), (0.5, 2.0, 1 / 3), (-2 / 3, -1.0, 0.5)],
    ids=["near the end", "near the start", "between", "none"],
)
def test_a_step_in_a_bracket_is_a_tenth_of_it_away_from_both_ends(end, slope, second):
    """The minimizer of the cubic through both ends would be 0.97, 0.005, and 1/3; without one, the middle is taken."""
    curve = through((0, 0.0, -1.0), (1, end, slope))

    curve.search(c1=0.9, c2=0.95)

    assert curve.calls[:2] == pytest.approx([1.0, second], abs=1e-6)


# --- trials that are not finite


@for_all("outside", [math.nan, math.inf, -math.inf])
@for_all("part", ["both", "value", "derivative"])
def test_a_trial_that_is_not_finite_shortens_the_step_to_a_tenth(outside, part):
    """Beyond a = 1/2, also where the value is lower there."""
    curve = Curve(
        lambda a: (a - 1.0) ** 2 if a < 0.5 else -9.0 if part == "derivative" else outside,
        lambda a: 2.0 * (a - 1.0) if a < 0.5 else 0.0 if part == "value" else outside,
    )

    found = curve.search(first_step=20.0)

    assert curve.calls == pytest.approx([20.0, 2.0, 0.2])
    assert found.step == pytest.approx(0.2)


# --- rounding


def test_where_rounding_hides_the_decrease_the_slope_decides():
    """1e10 + t^2 at t = 1e-4: the fall of 1e-8 is lost in a value whose last digit is 2e-6, the slope is exact."""
    curve = Curve(lambda t: 1e10 + t * t, lambda t: 2.0 * t)

    found = curve.search(start=1e-4, direction=-2e-4, c2=0.1)

    assert abs(found.theta[0]) <= 0.1 * 1e-4
    assert found.value == 1e10


def test_below_rounding_a_derivative_of_exactly_the_allowed_size_is_accepted():
    """(O8) with c1 = 1/4: up to half the size of the initial derivative, of the other sign."""
    curve = Curve(lambda a: 1.0, lambda a: -1.0 + 1.5 * a)

    assert curve.search(c1=0.25).step == 1.0
    assert curve.calls == [1.0]


@for_all("size", [1.0, -1.0, 2.0**20])
@for_all(("units", "decides"), [(9.0, True), (10.0, False), (-10.0, True), (-11.0, False)])
def test_the_derivative_decides_where_the_value_rose_by_less_than_10_units_of_rounding_or_fell_by_10(
    units, decides, size
):
    """The first trial has half the initial derivative, and so satisfies (O7) and (O8), but not (O6)."""
    rise = units * EPS * abs(size)
    curve = Curve(lambda a: size + rise * (a > 0), lambda a: -abs(size) / (1.0 + a))

    curve.search()

    assert (len(curve.calls) == 1) is decides


def test_a_search_ends_where_rounding_leaves_no_point_inside_the_bracket():
    """Two units of rounding wide: nine tenths of them are the upper end again."""
    inner, width = through((0, 0.0, -1.0), (1, -0.89, 0.1)), 2.0 * EPS
    curve = Curve(
        lambda t: inner.phi((t - 1.0) / width), lambda t: inner.slope((t - 1) / width) / width
    )

    found = curve.search(start=1.0, direction=width, c1=0.9, c2=0.95)

    assert isinstance(found, str)
    assert curve.calls == [1.0 + width] * 2


@given(seeds, st.floats(-3, 3), st.integers(-40, 40))
def test_a_search_does_not_depend_on_the_unit_of_the_values(seed, exponent, power):
    """Not by a bit for powers of two, with and without rounding that hides the decrease."""
    for shift in (0.0, 1e18):
        one, unit = random_curve(np.random.default_rng(seed)), 2.0**power
        other = Curve(lambda a: unit * (one.phi(a) + shift), lambda a: unit * one.slope(a))
        same = Curve(lambda a: one.phi(a) + shift, one.slope)

        for curve in (other, same):
            curve.search(first_step=10.0**exponent, c2=0.1)

        assert other.calls == same.calls


# --- no step


def test_a_rise_by_more_than_rounding_is_never_accepted():
    """A derivative that is negative everywhere, and a value that increases."""
    curve = Curve(lambda a: 1.0 + 1e-12 * (a > 0), lambda a: -1e-13 / (1.0 + a))

    assert isinstance(curve.search(), str)


def test_without_any_decrease_the_answer_is_a_sentence():
    """|t| at its kink, with a slope that points downhill."""
    curve = Curve(abs, lambda t: -1.0 if t <= 0 else 1.0)

    assert "no step" in curve.search()
    assert len(curve.calls) <= 30


@for_all("derivative", [0.0, 1e-9, 0.5, 1.0, 1e100, math.nan])
def test_a_direction_that_does_not_lead_downhill_is_rejected_without_a_call(derivative):
    """The value falls along the direction all the same: only the derivative decides."""
    curve = Curve(lambda a: -a, lambda a: derivative)

    assert "downhill" in curve.search()
    assert curve.calls == []
