"""Steps with the strong Wolfe conditions, and results where rounding, infinities or wrong derivatives leave none."""

import math
import re

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import PROBLEMS, satisfies_strong_wolfe
from scipy import optimize
from scipy.interpolate import CubicHermiteSpline

import kan_ref as kr
from kan_ref.optimizers.line_search import C1, C2, Trial, _cubic_minimizer, line_search

seeds = st.integers(0, 2**32 - 1)


class Counted:
    """A function of one number as value_and_grad of a vector of one; it records where it was called."""

    def __init__(self, phi, slope):
        self.phi, self.slope, self.calls = phi, slope, []

    def __call__(self, theta):
        self.calls.append(float(theta[0]))
        return self.phi(theta[0]), np.array([self.slope(theta[0])])

    def search(self, start=0.0, direction=1.0, **options):
        value, gradient = self.phi(start), np.array([self.slope(start)])
        return line_search(
            self, np.array([start]), np.array([direction]), value, gradient, **options
        )


def random_curve(rng):
    """A smooth function on a >= 0 with phi'(0) = -1, bounded below, with several minima; and its derivative."""
    wave, frequency = rng.uniform(0.0, 2.0), rng.uniform(0.5, 8.0)
    curvature = 10.0 ** rng.uniform(-3, 3)

    def phi(a):
        return -a + 0.5 * curvature * a * a + wave * (1.0 - math.cos(frequency * a))

    def slope(a):
        return -1.0 + curvature * a + wave * frequency * math.sin(frequency * a)

    return phi, slope


@given(seeds, st.floats(-6, 6), st.sampled_from([(1e-4, 0.9), (1e-4, 0.1), (0.4, 0.9)]))
def test_the_accepted_step_satisfies_the_strong_wolfe_conditions(seed, exponent, constants):
    """Whatever the first trial: far too short, right, or far too long."""
    phi, slope = random_curve(np.random.default_rng(seed))
    c1, c2 = constants

    search = Counted(phi, slope).search(first_step=10.0**exponent, c1=c1, c2=c2)

    assert search.found, search.reason
    assert satisfies_strong_wolfe(phi, slope, search.step, c1, c2)


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_it_finds_a_step_where_scipy_does_and_the_same_one_if_the_first_trial_is_right(problem):
    """Along the gradient and the Gauss-Newton direction; SciPy's step passes our oracle too."""
    theta = np.array(problem.start)
    value, gradient = problem.value_and_grad(theta)
    gauss_newton = -np.linalg.lstsq(problem.jacobian(theta), problem.residuals(theta))[0]
    for direction in (-gradient / np.linalg.norm(gradient), gauss_newton):

        def phi(a, d=direction):
            return problem.value_and_grad(theta + a * d)[0]

        def slope(a, d=direction):
            return float(problem.value_and_grad(theta + a * d)[1] @ d)

        theirs = optimize.line_search(
            phi_of(problem, 0), phi_of(problem, 1), theta, direction, gradient, value, c1=C1, c2=C2
        )[0]
        ours = line_search(problem.value_and_grad, theta, direction, value, gradient)

        assert satisfies_strong_wolfe(phi, slope, theirs, C1, C2)
        assert satisfies_strong_wolfe(phi, slope, ours.step, C1, C2)
        assert (
            (theirs == 1.0) == (ours.step == 1.0) == satisfies_strong_wolfe(phi, slope, 1.0, C1, C2)
        )


def phi_of(problem, part):
    return lambda theta: problem.value_and_grad(theta)[part]


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


def test_a_quadratic_needs_one_interpolation_for_its_minimizer():
    """phi = (a - 3)^2 from a first trial of 8 with a strict slope: the cubic through both ends is phi itself."""
    search = Counted(lambda a: (a - 3.0) ** 2, lambda a: 2.0 * (a - 3.0)).search(
        first_step=8.0, c2=1e-3
    )

    assert search.n_evaluations == 2
    assert search.step == pytest.approx(3.0, abs=1e-14)


def test_a_small_slope_without_enough_decrease_is_not_accepted():
    """(a - 1)^2 with c1 = 0.4: at 1.5 the slope is half of the initial one, but (O6) allows steps up to 1.2 only."""
    search = Counted(lambda a: (a - 1.0) ** 2, lambda a: 2.0 * (a - 1.0)).search(
        first_step=1.5, c1=0.4
    )

    assert search.step <= 1.2


def test_a_decrease_of_exactly_the_required_size_is_accepted():
    """a^2 / 2 - a falls by 1/2 at 1: with c1 = 1/2 both sides of (O6) are equal, without rounding."""
    search = Counted(lambda a: 0.5 * a * a - a, lambda a: a - 1.0).search(c1=0.5)

    assert search.step == 1.0
    assert search.n_evaluations == 1


@given(st.floats(0.01, 0.99), st.floats(-0.85, -0.05), st.sampled_from([1e-4, 0.1, 0.4]))
def test_a_fall_that_is_too_small_is_not_accepted_whatever_the_derivative(part, slope, c1):
    """At the first trial the value has fallen by a part of c1, beyond rounding, and goes on falling slowly: (O7) and (O8) hold."""
    curve = CubicHermiteSpline(
        [0, 1, 4, 100], [0.0, -part * c1, -3.0, -4.0], [-1.0, slope, 0.0, 0.0]
    )

    search = Counted(curve, curve.derivative()).search(c1=c1)

    assert search.found, search.reason
    assert search.step != 1.0
    assert satisfies_strong_wolfe(curve, curve.derivative(), search.step, c1, C2)


def test_a_minimum_between_two_falling_points_is_not_jumped_over():
    """Trials 1 and 10 both go down steeply, but phi(10) > phi(1): there is a minimum in between, and the search turns back."""
    curve = CubicHermiteSpline(
        [0, 1, 5, 10, 100], [0.0, -0.495, -1.5, -0.45, -50.0], [-0.5, -0.49, 0.0, -0.49, 0.0]
    )

    search = Counted(curve, curve.derivative()).search(first_step=1.0)

    assert search.found
    assert 1.0 < search.step < 10.0


def test_a_short_first_step_grows_fast():
    """From 1e-6 to the minimizer 1: six factors of ten, and a few trials to settle."""
    search = Counted(lambda a: (a - 1.0) ** 2, lambda a: 2.0 * (a - 1.0)).search(
        first_step=1e-6, c2=0.1
    )

    assert search.found
    assert search.n_evaluations <= 10


@pytest.mark.parametrize("outside", [math.nan, math.inf, -math.inf])
def test_a_trial_that_is_not_finite_shortens_the_step(outside):
    """-log(1 - a) - 3 a is defined for a < 1 and is smallest at a = 2/3."""

    def phi(a):
        return -math.log(1.0 - a) - 3.0 * a if a < 1.0 else outside

    def slope(a):
        return 1.0 / (1.0 - a) - 3.0 if a < 1.0 else outside

    search = Counted(phi, slope).search(first_step=1e4)

    assert search.found
    assert satisfies_strong_wolfe(phi, slope, search.step, C1, C2)


def test_a_finite_value_with_a_gradient_that_is_not_shortens_the_step():
    def slope(a):
        return 2.0 * (a - 1.0) if a < 3.0 else math.nan

    search = Counted(lambda a: min((a - 1.0) ** 2, 0.5), slope).search(first_step=5.0)

    assert search.found
    assert search.step < 3.0


def test_where_rounding_hides_the_decrease_the_slope_decides():
    """1e10 + t^2 at t = 1e-4: the fall of 1e-8 is lost in a value whose last digit is 2e-6, the slope is exact."""
    curve = Counted(lambda t: 1e10 + t * t, lambda t: 2.0 * t)

    search = curve.search(start=1e-4, direction=-2e-4, first_step=1.0, c2=0.1)

    assert search.found
    assert abs(search.theta[0]) <= 0.1 * 1e-4
    assert search.value == 1e10


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e3])
def test_where_rounding_hides_the_decrease_the_derivative_may_be_as_large_as_on_a_parabola(size):
    """t^2 beside a value that hides it. (O8) with c1 = 0.1 allows 0.8 times the initial derivative, (O7) 0.9; at the first trial it is 0.85."""
    hidden = 1e18 * size * size
    curve = Counted(lambda t: hidden + t * t, lambda t: 2.0 * t)

    search = curve.search(start=-size, direction=1.85 * size, c1=0.1)

    assert search.found
    assert curve.calls[0] == pytest.approx(0.85 * size)
    assert abs(search.theta[0]) <= 0.8 * size


def test_a_rise_by_more_than_rounding_is_never_accepted():
    """A derivative that is negative everywhere, and a value that increases."""
    search = Counted(lambda a: 1.0 + 1e-12 * (a > 0), lambda a: -1e-13 / (1.0 + a)).search()

    assert not search.found
    assert search.step == 0.0


def test_without_any_decrease_the_start_is_returned_with_a_sentence():
    """|t| at its kink, with a slope that points downhill."""
    curve = Counted(abs, lambda t: -1.0 if t <= 0 else 1.0)

    search = curve.search(start=0.0, direction=1.0)

    assert not search.found
    assert search.theta[0] == 0.0
    assert search.value == 0.0
    assert search.n_evaluations == len(curve.calls) <= 30
    assert search.reason.startswith("no decrease in 30 evaluations, down to a step of ")


@pytest.mark.parametrize("broken", ["value", "slope"])
def test_a_search_that_ends_at_trials_that_are_not_finite_says_so(broken):
    """The start is finite, but no other point is."""

    def part(name, finite):
        return lambda a: math.nan if a > 1.0 and name == broken else finite

    search = Counted(part("value", 1.0), part("slope", -1.0)).search(start=1.0)

    assert not search.found
    assert re.fullmatch(
        r"no decrease in \d+ evaluations, down to a step of \S+; "
        r"the value or the gradient is not finite at a step of \S+e-1[56]",
        search.reason,
    )


@given(st.floats(-80.0, 0.0))
def test_a_first_trial_that_changes_no_digit_of_the_value_is_lengthened_in_few_trials(exponent):
    size = 10.0**exponent
    curve = Counted(lambda t: size * (t - 1.0) ** 2, lambda t: 2.0 * size * (t - 1.0))

    search = curve.search(direction=2.0 * size)

    assert search.found
    assert search.theta[0] == pytest.approx(1.0, abs=0.9)
    assert search.n_evaluations <= 28


def test_a_search_that_only_lengthens_its_step_says_up_to_which():
    curve = Counted(lambda t: 1.0, lambda t: -1.0)

    reason = curve.search(max_evaluations=4).reason

    assert reason == "no decrease in 4 evaluations, up to a step of 1e+30"


def test_an_uphill_direction_is_refused_without_evaluation():
    curve = Counted(lambda t: t * t, lambda t: 2.0 * t)

    search = curve.search(start=1.0)

    assert not search.found
    assert search.reason == "the direction does not lead downhill: its derivative is 2"
    assert curve.calls == []


def test_a_function_without_a_lower_bound_ends_with_the_lowest_point():
    curve = Counted(lambda t: -t, lambda t: -1.0)

    search = curve.search(max_evaluations=12)

    assert search.found
    assert search.value == min(-t for t in curve.calls)
    assert search.reason == "the value fell, but no smaller derivative was found in 12 evaluations"


@given(seeds)
def test_the_answer_is_the_last_evaluation_and_none_is_repeated(seed):
    rng = np.random.default_rng(seed)
    curve = Counted(*random_curve(rng))

    search = curve.search(first_step=10.0 ** rng.uniform(-3, 3), c2=0.1)

    assert search.n_evaluations == len(curve.calls) == len(set(curve.calls))
    assert search.theta[0] == curve.calls[-1] == search.step
    assert search.value == curve.phi(search.step)
    assert search.gradient[0] == curve.slope(search.step)


@for_all("derivative", [0.0, 5e-324, 1e-300, 1e-9, 0.5, 0.999, 1.0, 3.0, 1e300])
def test_a_direction_whose_derivative_is_not_negative_is_rejected_without_evaluation(derivative):
    """The value falls along the direction all the same: only the derivative decides."""
    function = Counted(lambda a: -a, lambda a: derivative)

    search = function.search()

    assert (search.found, search.step, search.n_evaluations) == (False, 0.0, 0)
    assert function.calls == []
    assert search.reason.startswith("the direction does not lead downhill: its derivative is ")


@given(st.floats(1.01, 1000.0))
def test_a_longer_step_is_the_minimizer_of_the_cubic_between_2_and_10_times_the_step(minimizer):
    """On a quadratic the cubic has the same minimizer, and the derivative at step 1 is too large to stop."""
    function = Counted(lambda a: 0.5 * (a - minimizer) ** 2, lambda a: a - minimizer)

    function.search(c2=1e-3 * (minimizer - 1.0) / minimizer)

    first, second = function.calls[:2]
    assert first == 1.0
    assert second == pytest.approx(min(max(minimizer, 2.0), 10.0), rel=1e-9)


def test_where_the_cubic_has_no_minimizer_a_longer_step_is_6_times_the_step():
    function = Counted(lambda a: -a, lambda a: -1.0)

    function.search(max_evaluations=3)

    assert function.calls == [1.0, 6.0, 36.0]


EPS = float(np.finfo(float).eps)


@for_all("size", [1.0, -1.0, 2.0**20])
@for_all(("units", "decides"), [(9.0, True), (10.0, False), (-10.0, True), (-11.0, False)])
def test_the_derivative_decides_where_the_value_rose_by_less_than_10_units_of_rounding_or_fell_by_10(
    units, decides, size
):
    """The first trial has half the initial derivative, and so satisfies (O7) and (O8), but not (O6)."""
    rise = units * EPS * abs(size)
    curve = Counted(lambda a: size + rise * (a > 0), lambda a: -abs(size) / (1.0 + a))

    search = curve.search()

    assert (search.n_evaluations == 1) is decides


def test_after_a_trial_that_is_not_finite_the_step_shrinks_to_a_tenth():
    curve = Counted(lambda a: (a - 1.0) ** 2 if a < 0.5 else math.inf, lambda a: 2.0 * (a - 1.0))

    curve.search(first_step=20.0)

    assert curve.calls == pytest.approx([20.0, 2.0, 0.2])


@pytest.mark.parametrize(
    ("end", "slope", "second"),
    [(-0.89, 0.1, 0.9), (100.0, 200.0, 0.1), (0.5, 2.0, 1 / 3), (-2 / 3, -1.0, 0.5)],
    ids=["near the end", "near the start", "between", "none"],
)
def test_a_step_in_a_bracket_is_a_tenth_of_it_away_from_both_ends(end, slope, second):
    """The minimizer of the cubic through both ends would be 0.97, 0.005, and 1/3; without one, the middle is taken."""
    curve = CubicHermiteSpline([0.0, 1.0], [0.0, end], [-1.0, slope])
    search = Counted(curve, curve.derivative())

    search.search(c1=0.9, c2=0.95, max_evaluations=2)

    assert search.calls == pytest.approx([1.0, second], abs=1e-6)


def test_a_search_ends_where_rounding_leaves_no_point_inside_the_bracket():
    """Two units of rounding wide: nine tenths of them are the upper end again."""
    curve = CubicHermiteSpline([0.0, 1.0], [0.0, -0.89], [-1.0, 0.1])
    calls = []

    def value_and_grad(theta):
        step = (theta[0] - 1.0) / (2.0 * EPS)
        calls.append(step)
        return float(curve(step)), np.array([curve(step, 1) / (2.0 * EPS)])

    search = line_search(
        value_and_grad,
        np.array([1.0]),
        np.array([2.0 * EPS]),
        0.0,
        np.array([-1.0 / (2.0 * EPS)]),
        c1=0.9,
        c2=0.95,
    )

    assert calls == [1.0, 1.0]
    assert (search.found, search.n_evaluations) == (False, 2)


def test_below_rounding_a_derivative_of_exactly_the_allowed_size_is_accepted():
    """(O8) with c1 = 1/4: up to half the size of the initial derivative, of the other sign."""
    search = Counted(lambda a: 1.0, lambda a: -1.0 + 1.5 * a).search(c1=0.25)

    assert (search.step, search.n_evaluations) == (1.0, 1)


@pytest.mark.parametrize(
    ("value", "derivative"),
    [(-math.inf, 1.0), (math.nan, 1.0), (-100.0, math.nan), (-9.0, math.inf)],
)
def test_a_low_point_with_a_value_or_a_derivative_that_is_not_finite_is_not_accepted(
    value, derivative
):
    """Beyond a = 3."""
    curve = Counted(
        lambda a: (a - 1.0) ** 2 if a < 3.0 else value,
        lambda a: 2.0 * (a - 1.0) if a < 3.0 else derivative,
    )

    search = curve.search(first_step=5.0)

    assert search.found
    assert 0.0 < search.step < 2.0


def test_a_parabola_that_opens_downward_has_no_minimizer():
    points = [Trial(t, np.empty(0), -(t**2), -2.0 * t, np.empty(0)) for t in (0.0, 1.0)]

    for one, other in (points, points[::-1]):
        assert math.isnan(_cubic_minimizer(one, other))


def test_a_cubic_with_a_horizontal_inflection_has_no_minimizer():
    """-(t - 1)^3 at 0 and 3."""
    points = [
        Trial(t, np.empty(0), -((t - 1.0) ** 3), -3.0 * (t - 1.0) ** 2, np.empty(0))
        for t in (0.0, 3.0)
    ]

    assert math.isnan(_cubic_minimizer(*points))


def test_a_derivative_of_exactly_the_allowed_size_is_small_enough():
    """a^2 / 4 - a has the derivatives -1 at 0 and -1/2 at 1."""
    search = Counted(lambda a: 0.25 * a * a - a, lambda a: 0.5 * a - 1.0).search(c2=0.5)

    assert (search.step, search.n_evaluations) == (1.0, 1)


@for_all("offset, centre", [(1e6, 6.5), (1e10, 5.0), (1e10, 6.0)])
def test_a_well_on_a_large_offset_is_not_leapt_over(offset, centre):
    """Values do not show it from afar, where the derivative grows along the line."""

    def well(theta):
        bump = np.exp(-0.5 * (theta[0] - centre) ** 2)
        return offset + 1.0 - bump, np.array([(theta[0] - centre) * bump])

    assert kr.lbfgs(well, np.zeros(1)).theta[0] == pytest.approx(centre, abs=1e-6)
