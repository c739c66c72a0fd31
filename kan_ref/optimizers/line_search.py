"""Line search: a step along a descent direction d that satisfies the strong Wolfe conditions.

With phi(a) = value(theta + a d), phi'(0) < 0 and 0 < c1 < c2 < 1, a step a is accepted when

    (O6)  phi(a)    <= phi(0) + c1 a phi'(0)                sufficient decrease
    (O7)  |phi'(a)| <= c2 |phi'(0)|                         curvature
    (O8)  phi'(a)   <= (2 c1 - 1) phi'(0)                   in place of (O6) below rounding error

The first two are in Nocedal & Wright, Numerical Optimization, 2nd ed., (3.7). A smooth phi that is
bounded below has such steps (Lemma 3.1 there). Algorithms 3.5 and 3.6 find one by a bracket [low,
high], whose next point is the minimizer of a cubic,

    (O9)  a+ = a - (a - b) (phi'(a) + d2 - d1) / (phi'(a) - phi'(b) + 2 d2),
          d1 = phi'(a) + phi'(b) - 3 (phi(a) - phi(b)) / (a - b),
          d2 = sign(a - b) sqrt(d1^2 - phi'(a) phi'(b))

(their (3.59), b the earlier point). Near a minimizer the decrease is smaller than the rounding
error of phi, while derivatives still distinguish left from right. Hager & Zhang, SIAM J. Optim. 16
(2005), section 4, therefore also accept the "approximate Wolfe conditions" (O8) with (O7); for a
quadratic phi, (O8) is (O6). Here (O8) decides exactly where |phi(a) - phi(0)| is within rounding,
so a value may rise by that much and no more.

A first trial can be too short by any factor: of a function of size 1e-20 the gradient moves nothing
that its value shows. Where values differ by rounding alone, the next step is that of the line
through both derivatives, up to 10^10 times as long, so that few trials reach a right length. With
targets of 1e-8 to 1e-60, L-BFGS then has the same relative errors as with targets of size 1 in
the same number of steps.
"""

import math
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.optimizers.result import ValueAndGrad, real_answer

C1 = 1e-4  # Nocedal & Wright's values for quasi-Newton directions, section 3.1
C2 = 0.9
# relative error of a value: a pairwise sum of thousands of terms loses a few eps
_ROUNDING = 10 * np.finfo(np.float64).eps
_LEAP = 1e10  # derivatives along the line show curvature to about 10 digits
_MARGIN = 0.1  # distance of a new point from the ends of the bracket, relative to its length


@dataclass(frozen=True, eq=False)
class Trial:
    """A point of the line: step a, theta + a d, phi(a), phi'(a), and the gradient there.

    Where value or derivative are not finite the step was too long, and the value is stored as inf.
    """

    step: float
    theta: FloatArray
    value: float
    slope: float
    gradient: FloatArray


@dataclass(frozen=True, eq=False)
class LineSearch:
    """The accepted point, or the initial point with step 0 if `found` is False.

    Attributes
    ----------
    step : float
    theta, gradient : (n_params,)
    value : float
        At theta; no further evaluation is needed.
    n_evaluations : int
    found : bool
        Whether the point is accepted.
    reason : str
        Which conditions hold, or why there is no point.
    """

    step: float
    theta: FloatArray
    value: float
    gradient: FloatArray
    n_evaluations: int
    found: bool
    reason: str


@np.errstate(all="ignore")  # after too long a step, which may overflow, the bracket shrinks
def line_search(
    value_and_grad: ValueAndGrad,
    theta: FloatArray,
    direction: FloatArray,
    value: float,
    gradient: FloatArray,
    *,
    first_step: float = 1.0,
    c1: float = C1,
    c2: float = C2,
    max_evaluations: int = 30,
) -> LineSearch:
    """Find a point theta + a direction, a > 0, that satisfies (O6) or (O8), and (O7).

    Parameters
    ----------
    value_and_grad : callable
        theta -> (value, gradient). A trial value or gradient that is not finite shortens the step.
    theta, direction : (n_params,)
    value, gradient : float and (n_params,)
        At theta.
    first_step : float
        Positive: the first trial a.
    c1, c2 : float
        0 < c1 < c2 < 1.
    max_evaluations : int
        After so many, the lowest point with (O6) is accepted, if there is one.

    Returns
    -------
    search : LineSearch

    Notes
    -----
    Implements :eq:`strong-wolfe` and :eq:`approximate-wolfe`. One loop serves both algorithms:
    Algorithm 3.5 as long as `high` is None, then Algorithm 3.6 (zoom). A trial costs one function
    call and, for 100 to 3000 parameters, 10 to 40 microseconds.
    """
    slope = float(direction @ gradient)
    start = Trial(0.0, theta, value, slope, gradient)
    if not -math.inf < slope < 0.0:
        reason = f"the direction does not lead downhill: its derivative is {slope:.2g}"
        return _result(start, 0, reason)
    rounding = _ROUNDING * abs(value)
    low, step = start, first_step
    high: Trial | None = None
    for n_evaluations in range(1, max_evaluations + 1):
        trial = _trial(value_and_grad, theta, direction, step)
        if high is not None and (
            np.array_equal(trial.theta, low.theta) or np.array_equal(trial.theta, high.theta)
        ):
            break  # rounding leaves no point inside the bracket
        # [eq:strong-wolfe]
        decreases = trial.value <= value + c1 * step * slope
        flattens = abs(trial.slope) <= -c2 * slope
        # [/eq:strong-wolfe]
        # [eq:approximate-wolfe]
        if abs(trial.value - value) <= rounding:
            decreases = trial.slope <= (2.0 * c1 - 1.0) * slope
        # [/eq:approximate-wolfe]
        if not decreases or trial.value >= low.value + rounding:
            high = trial  # 3.5: zoom(low, trial); 3.6: high = trial
        elif flattens:  # both: stop at this point
            return _result(trial, n_evaluations, "the Wolfe conditions hold")
        else:
            if trial.slope * (1.0 if high is None else high.step - low.step) >= 0.0:
                high = low  # 3.5: zoom(trial, low); 3.6: high = low
            low = trial
        # 3.5: a_{i+1}; 3.6: a_j
        step = _beyond(start, low, rounding) if high is None else _between(low, high)
    if low.value < value:
        reason = (
            f"the value fell, but no smaller derivative was found in {n_evaluations} evaluations"
        )
        return _result(low, n_evaluations, reason)
    way = "up" if high is None else "down"
    reason = f"no decrease in {n_evaluations} evaluations, {way} to a step of {trial.step:.2g}"
    if high is not None and high.value == math.inf:
        reason += f"; the value or the gradient is not finite at a step of {high.step:.2g}"
    return _result(start, n_evaluations, reason)


def _result(point: Trial, n_evaluations: int, reason: str) -> LineSearch:
    """Return the result of a search that ends at `point`."""
    return LineSearch(
        point.step,
        point.theta,
        point.value,
        point.gradient,
        n_evaluations,
        point.step > 0.0,
        reason,
    )


def _trial(
    value_and_grad: ValueAndGrad, theta: FloatArray, direction: FloatArray, step: float
) -> Trial:
    """Evaluate the point at `step`; copy the gradient, since the caller may reuse its array."""
    point = theta + step * direction
    point.flags.writeable = False  # so that the function may keep it
    pair = value_and_grad(point)
    if type(pair) is not tuple or len(pair) != 2:
        pair = tuple(pair)  # type: ignore[assignment]
    value, gradient = real_answer(*pair, theta)
    gradient = gradient.copy()
    slope = float(direction @ gradient)
    finite = math.isfinite(value) and math.isfinite(slope)
    return Trial(step, point, float(value) if finite else math.inf, slope, gradient)


def _beyond(start: Trial, low: Trial, rounding: float) -> float:
    """Return a longer step while there is no bracket: the cubic's minimizer in a range.

    Where values differ by rounding alone, and so say nothing of their minimizer, the zero of the
    line through both derivatives replaces it.
    """
    if abs(low.value - start.value) <= rounding:
        change = 1.0 - low.slope / start.slope
        if change > -1.0 / _LEAP:  # elsewhere the function bends downwards
            return low.step * _clip(1.0 / max(change, 1.0 / _LEAP), 2.0, _LEAP)
    return _clip(_cubic_minimizer(low, start), 2.0 * low.step, 10.0 * low.step)


def _between(low: Trial, high: Trial) -> float:
    """Return a step inside the bracket: the cubic's minimizer, away from both ends."""
    width = high.step - low.step
    if high.value == math.inf:
        return low.step + _MARGIN * width
    return low.step + width * _clip(
        (_cubic_minimizer(high, low) - low.step) / width, _MARGIN, 1.0 - _MARGIN
    )


def _cubic_minimizer(a: Trial, b: Trial) -> float:
    """Return the minimizer (O9) of the cubic through two trials, nan if it has none.

    Notes
    -----
    Implements :eq:`cubic-interpolation`.
    """
    # [eq:cubic-interpolation]
    d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step)
    radicand = d1 * d1 - a.slope * b.slope
    if not radicand > 0.0:
        return math.nan
    d2 = math.copysign(math.sqrt(radicand), a.step - b.step)
    denominator = a.slope - b.slope + 2.0 * d2
    return (
        math.nan
        if denominator == 0.0
        else a.step - (a.step - b.step) * (a.slope + d2 - d1) / denominator
    )
    # [/eq:cubic-interpolation]


def _clip(number: float, low: float, high: float) -> float:
    """Clip `number` to [low, high]; the middle if it is nan."""
    return 0.5 * (low + high) if math.isnan(number) else min(max(number, low), high)
