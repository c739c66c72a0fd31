"""Limited-memory BFGS, a quasi-Newton method that stores a few steps; line search.

With s_i = theta_{i+1} - theta_i, y_i = gradient_{i+1} - gradient_i, rho_i = 1 / (y_i^T
s_i) and V_i = I - rho_i y_i s_i^T, the approximate inverse Hessian after the last m
pairs i = k-m, ..., k-1 is

    (O10)  H <- gamma_k I,   then for each pair, oldest first:
           H <- V_i^T H V_i + rho_i s_i s_i^T
    (O11)  gamma_k = s_{k-1}^T y_{k-1} / (y_{k-1}^T y_{k-1})
    (O12)  theta_{k+1} = theta_k - a_k H gradient_k,   a_k by a line search

In Nocedal & Wright, Numerical Optimization, 2nd ed., (O10) is (7.16) with the BFGS
update (6.17); its product with a vector is Algorithm 7.4 (two-loop recursion). (O11) is
(7.20), (O12) Algorithm 7.5. H is positive definite as long as every y_i^T s_i > 0,
which (O7) ensures. The book's s, y, rho are `step`, `grad_change`, `rho` here, since y
means a layer's output.

Along a direction d with phi(a) = value(theta + a d), phi'(0) < 0 and 0 < c1 < c2 < 1, a
step a is accepted when it satisfies the strong Wolfe conditions, (3.7) in the book,

    (O6)  phi(a)    <= phi(0) + c1 a phi'(0)    sufficient decrease
    (O7)  |phi'(a)| <= c2 |phi'(0)|             curvature
    (O8)  phi'(a)   <= (2 c1 - 1) phi'(0)       in place of (O6) below rounding error

A smooth phi that is bounded below has such steps (Lemma 3.1). Algorithms 3.5 and 3.6
find one by a bracket [low, high], whose next point is the minimizer of a cubic, (3.59),
b the earlier point:

    (O9)  a+ = a - (a - b) (phi'(a) + d2 - d1) / (phi'(a) - phi'(b) + 2 d2),
          d1 = phi'(a) + phi'(b) - 3 (phi(a) - phi(b)) / (a - b),
          d2 = sign(a - b) sqrt(d1^2 - phi'(a) phi'(b))

Near a minimizer the decrease is smaller than the rounding error of phi, while
derivatives still distinguish left from right. Hager & Zhang, SIAM J. Optim. 16 (2005),
section 4, therefore also accept the "approximate Wolfe conditions" (O8) with (O7); for
a quadratic phi, (O8) is (O6). Here (O8) decides where |phi(a) - phi(0)| is within
rounding: a value may rise by that and no more.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.optimizers import points
from kan_ref.optimizers.points import EPS, Function, Points, Start

C1 = 1e-4  # Nocedal & Wright's values for quasi-Newton directions, section 3.1
C2 = 0.9
_MOST_TRIALS = 30  # after so many, the lowest point with (O6) is accepted
_MARGIN = 0.1  # of a new point to the bracket's ends, relative to the length
_STANDSTILL = 20.0 * EPS  # of theta and value: a few units in the last place


# --- the method


def lbfgs(function: Function, theta: FloatArray, history: int = 10) -> Points:
    """Yield the points of L-BFGS, down to a local minimizer of a smooth function.

    Parameters
    ----------
    function : callable
        theta (n_params,) -> (value, gradient (n_params,)). A gradient is copied if it
        is not read-only.
    theta : (n_params,)
        The start; not modified.
    history : int
        m >= 1: number of stored pairs.

    Returns
    -------
    points : generator of Point
        The records have `.theta` (read-only), `.value`, `.gradient_norm` and
        `.n_evaluations`. The first one is the start. They end where the gradient is
        exactly zero, or where no step lowers the value; the last bits may decide that.
        `kan_ref.optimizers.Steps` says why a run ended.

    Notes
    -----
    Implements :eq:`lbfgs-step`. Without a history the step goes along the gradient,
    with the trial length min(1, |gradient|). When a line search fails, the history is
    discarded. When one fails along the gradient, or again without progress, the run
    ends.

    Examples
    --------
    >>> for point in lbfgs(lambda theta: (0.5 * theta @ theta, theta), [3.0, 4.0]):
    ...     if point.gradient_norm < 1e-6:
    ...         break
    >>> point.value < 1e-12, point.n_evaluations
    (True, 3)
    """
    pairs: deque[Pair] = deque(maxlen=checks.integer("history", history, 1))
    return _points(points.start_at(theta, function), pairs)


def _points(start: Start, pairs: deque["Pair"]) -> Points:
    """Yield the points of L-BFGS; `pairs` is empty and keeps the last steps."""
    function, theta, value, gradient = start
    failed_at: tuple[FloatArray, float] | None = None
    while True:
        norm = points.gradient_norm(gradient)
        moved = yield points.Point(theta, value, norm, function.n)
        if moved is not None:
            pairs.clear()
            theta = moved
            value, gradient = function(theta)
            norm = points.gradient_norm(gradient)
        if norm == 0.0:
            return "the gradient is exactly zero"

        while True:
            # [eq:lbfgs-step]
            direction = two_loop_direction(gradient, pairs)
            first_step = 1.0
            if not pairs:
                first_step /= max(1.0, float(np.linalg.norm(gradient)))
            found = line_search(function, theta, direction, value, gradient, first_step)
            # [/eq:lbfgs-step]
            if isinstance(found, Trial):
                break
            if not pairs:
                return f"the line search found no decrease along the gradient: {found}"
            if failed_at is not None and not _progress(failed_at, (theta, value)):
                return f"the line search found no decrease twice at value {value:.2g}"
            failed_at = theta, value
            pairs.clear()

        pair = make_pair(found.theta - theta, found.gradient - gradient)
        if pair is not None:
            pairs.append(pair)
        theta, value, gradient = found.theta, found.value, found.gradient


def _progress(before: tuple[FloatArray, float], now: tuple[FloatArray, float]) -> bool:
    """Return whether theta moved and the value fell, both by more than rounding."""
    old_theta, old_value = before
    theta, value = now
    moved = np.abs(theta - old_theta).max() > _STANDSTILL * np.abs(theta).max()
    fell = old_value - value > _STANDSTILL * abs(value)
    return bool(moved and fell)


class Pair(NamedTuple):
    """One stored step: s (n_params,), y (n_params,) and rho = 1 / (y^T s) > 0."""

    step: FloatArray
    grad_change: FloatArray
    rho: float


def make_pair(step: FloatArray, grad_change: FloatArray) -> Pair | None:
    """Return the pair of a step, or None if y^T s is not positive beyond rounding.

    With such a pair H would not stay positive definite.
    """
    curvature = float(step @ grad_change)
    size = float(np.sqrt((step @ step) * (grad_change @ grad_change)))
    if not curvature > EPS * size:
        return None
    return Pair(step, grad_change, 1.0 / curvature)


def two_loop_direction(gradient: FloatArray, pairs: Iterable[Pair]) -> FloatArray:
    """Return the direction -H gradient of (O10), (O11), without H.

    Pairs are oldest first. Implements :eq:`two-loop-recursion`; 4 m n_params
    multiply-adds for m pairs.
    """
    pairs = list(pairs)
    # [eq:two-loop-recursion]
    # "q <- grad f_k", with the sign of p_k = -H grad f_k from the start
    direction = -gradient
    alphas = []
    for step, grad_change, rho in reversed(pairs):
        alpha = rho * (step @ direction)
        direction -= alpha * grad_change
        alphas.append(alpha)

    if pairs:
        _, grad_change, rho = pairs[-1]
        direction /= rho * (grad_change @ grad_change)  # gamma_k (O11)

    for (step, grad_change, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        beta = rho * (grad_change @ direction)
        direction += (alpha - beta) * step
    # [/eq:two-loop-recursion]
    return direction


# --- the line search


class Trial(NamedTuple):
    """A point of the line: step a, theta + a d, phi(a), phi'(a), and the gradient.

    Where value or derivative are not finite the step was too long, and the value is
    stored as inf.
    """

    step: float
    theta: FloatArray
    value: float
    slope: float
    gradient: FloatArray


@np.errstate(all="ignore")  # too long a step may overflow; then the bracket shrinks
def line_search(
    function: Function,
    theta: FloatArray,
    direction: FloatArray,
    value: float,
    gradient: FloatArray,
    first_step: float = 1.0,
    c1: float = C1,
    c2: float = C2,
) -> Trial | str:
    """Return a point theta + a direction with (O6) or (O8), and (O7), or why none is.

    One loop serves both algorithms: Algorithm 3.5 as long as `high` is None, then
    Algorithm 3.6 (zoom). Implements :eq:`strong-wolfe` and :eq:`approximate-wolfe`.
    """
    slope = float(direction @ gradient)
    if not slope < 0.0:
        return f"the direction does not lead downhill: its derivative is {slope:.2g}"

    start = low = Trial(0.0, theta, value, slope, gradient)
    high: Trial | None = None
    step = first_step
    rounding = points.ROUNDING * abs(value)
    for _ in range(_MOST_TRIALS):
        trial = _trial(function, theta, direction, step)
        if high is not None:
            is_low = np.array_equal(trial.theta, low.theta)
            if is_low or np.array_equal(trial.theta, high.theta):
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
            return trial
        else:
            toward_high = 1.0 if high is None else high.step - low.step
            if trial.slope * toward_high >= 0.0:
                high = low  # 3.5: zoom(trial, low); 3.6: high = low
            low = trial

        if high is None:  # 3.5: a_{i+1}
            step = _clip(_cubic_minimizer(low, start), 2.0 * low.step, 10.0 * low.step)
        else:  # 3.6: a_j
            step = _between(low, high)

    if low.value < value:
        return low
    return f"no step lowers the value, the last one tried is {trial.step:.2g}"


def _trial(
    function: Function, theta: FloatArray, direction: FloatArray, step: float
) -> Trial:
    """Evaluate the point at `step`."""
    point = theta + step * direction
    point.flags.writeable = False  # so that the function may keep it
    value, gradient = function(point)
    slope = float(direction @ gradient)
    if not (math.isfinite(value) and math.isfinite(slope)):
        value = math.inf
    return Trial(step, point, value, slope, gradient)


def _between(low: Trial, high: Trial) -> float:
    """Return a step inside the bracket: the cubic's minimizer, away from both ends."""
    width = high.step - low.step
    if high.value == math.inf:
        return low.step + _MARGIN * width
    part = (_cubic_minimizer(high, low) - low.step) / width
    return low.step + width * _clip(part, _MARGIN, 1.0 - _MARGIN)


def _cubic_minimizer(a: Trial, b: Trial) -> float:
    """Return the minimizer (O9) of the cubic through two trials, nan if it has none.

    Implements :eq:`cubic-interpolation`.
    """
    # [eq:cubic-interpolation]
    d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step)
    radicand = d1 * d1 - a.slope * b.slope
    d2 = math.copysign(math.sqrt(max(radicand, 0.0)), a.step - b.step)
    denominator = a.slope - b.slope + 2.0 * d2
    if not radicand > 0.0 or denominator == 0.0:
        return math.nan
    return a.step - (a.step - b.step) * (a.slope + d2 - d1) / denominator
    # [/eq:cubic-interpolation]


def _clip(number: float, low: float, high: float) -> float:
    """Clip `number` to [low, high]; the middle if it is nan."""
    if math.isnan(number):
        return 0.5 * (low + high)
    return min(max(number, low), high)
