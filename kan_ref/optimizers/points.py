"""What all optimizers share: the points of a run, its steps, its start; and Adam.

An optimizer is a generator. Each `yield` is an accepted point, the first one is the
start, and `return` says in a sentence why there is no further point. Nothing else ends
it: the caller takes as many points as he wants, with `for` and `break`, or with
`Steps`. Where the function's variables change, as when grids move, `send(theta)` goes
on from the theta that now has the same function: without the memory of steps before,
and for Adam without an evaluation, from the gradient that it has.

One norm of the gradient is used everywhere, so that runs of different optimizers can be
compared (it is the norm in Algorithm 3.16 of Madsen, Nielsen & Tingleff, Methods for
Non-Linear Least Squares Problems, 2nd ed., IMM 2004):

    (O5)  gradient norm = max_j |d value / d theta_j|

Adam, the simplest of them, takes gradient steps with momentum, scaled for each
parameter by the recent size of its gradient. From m_0 = v_0 = 0, with g_t the gradient
at theta_{t-1} and all operations entrywise, step t = 1, 2, ... is

    (O1)  m_t = beta1 m_{t-1} + (1 - beta1) g_t       biased first moment estimate
    (O2)  v_t = beta2 v_{t-1} + (1 - beta2) g_t^2     biased second raw moment estimate
    (O3)  m^_t = m_t / (1 - beta1^t),   v^_t = v_t / (1 - beta2^t)
    (O4)  theta_t = theta_{t-1} - alpha m^_t / (sqrt(v^_t) + epsilon)

Kingma & Ba, Adam: A Method for Stochastic Optimization, ICLR 2015 (arXiv 1412.6980),
Algorithm 1. The weights of the sums in (O3) add up to 1: a constant gradient has m^ = g
and v^ = g^2 from the first step on, and every parameter moves by alpha, whatever the
size of g (except for epsilon). A run therefore ends at a distance of that order from a
minimizer.

The sums of (O1) and (O2) are kept without their factors 1 - beta, which enter (O4) as
two numbers. That saves three operations for every parameter, about a tenth of the time
of a step.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray

# theta -> (value, gradient)
Function = Callable[[FloatArray], tuple[float, FloatArray]]

EPS = float(np.finfo(np.float64).eps)

# relative error of a value: a sum of thousands of terms loses a few eps
ROUNDING = 10.0 * EPS


class Point(NamedTuple):
    """A point of a run: read-only theta (n_params,), the value and the norm (O5) there.

    n_evaluations are the calls of the caller's functions so far.
    """

    theta: FloatArray
    value: float
    gradient_norm: float
    n_evaluations: int


Points = Generator[Point, FloatArray | None, str]


class Steps:
    """The first steps of an optimizer: n_steps + 1 points with the start, or fewer.

    Parameters
    ----------
    points : generator
        What `adam`, `lbfgs` or `levenberg_marquardt` return.
    n_steps : int

    Attributes
    ----------
    stopped : str
        After the last point: why there is no further one.
    moved : (n_params,), optional
        What is sent to the generator with its next step.

    Examples
    --------
    >>> import kan_ref as kr
    >>> def bowl(theta):
    ...     return 0.5 * theta @ theta, theta
    >>> steps = Steps(kr.lbfgs(bowl, [0.6, 0.8]), 100)
    >>> [point.value for point in steps], steps.stopped
    ([0.5, 0.0], 'the gradient is exactly zero')
    >>> Steps(kr.lbfgs(bowl, [3.0, 4.0]), 1).last().value
    8.0
    """

    def __init__(self, points: Points, n_steps: int) -> None:
        self.points = points
        self.n_steps = checks.integer("n_steps", n_steps)
        self.stopped = "the loop over the points was left"
        self.moved: FloatArray | None = None

    def __iter__(self) -> Iterator[Point]:
        for _ in range(self.n_steps + 1):
            try:
                moved, self.moved = self.moved, None
                yield self.points.send(moved)
            except StopIteration as end:
                self.stopped = end.value
                return
        self.stopped = steps_done(self.n_steps)

    def last(self) -> Point:
        """Take all steps and return the last point."""
        return deque(self, maxlen=1)[0]


def steps_done(n: int) -> str:
    """Return the sentence that so many steps are done."""
    if n == 1:
        return "1 step is done"
    return f"{n} steps are done"


class Counted:
    """A caller's function theta -> (value, gradient), and the number `n` of calls."""

    def __init__(self, function: Function) -> None:
        self.function = checks.function("function", function)
        self.n = 0

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the function's answer, the gradient as `own`."""
        self.n += 1
        value, gradient = self.function(theta)
        return float(value), own(gradient)


def own(vector: Any) -> FloatArray:
    """Return a vector that will not change: a copy, as callers may fill one array."""
    if isinstance(vector, np.ndarray) and not vector.flags.writeable:
        return vector
    return np.array(vector, dtype=np.float64)


def start_vector(theta: object) -> FloatArray:
    """Return a read-only copy of the initial theta, so that functions may keep it."""
    vector = checks.array("theta", theta, ("n_params",)).copy()
    vector.flags.writeable = False
    return vector


# function, theta, value, gradient
Start = tuple[Counted, FloatArray, float, FloatArray]


def start_at(theta: object, function: Function) -> Start:
    """Check the arguments of Adam and of L-BFGS, and call the function at the start."""
    counted = Counted(function)
    vector = start_vector(theta)
    value, gradient = counted(vector)
    check_start(value, gradient, vector)
    return counted, vector, value, gradient


def check_start(value: float, gradient: FloatArray, theta: FloatArray) -> None:
    """Raise ValueError if value or gradient at the start cannot be used."""
    checks.array("the gradient", gradient, theta.shape, finite=False)
    if not (math.isfinite(value) and np.isfinite(gradient).all()):
        raise ValueError(
            "theta is a start where the value or its gradient is not finite: start "
            "elsewhere, or scale the data as kr.scaled does"
        )


def gradient_norm(gradient: FloatArray) -> float:
    """Return the norm (O5): its largest absolute entry, nan if one is nan."""
    # [eq:gradient-norm]
    return max(float(gradient.max()), -float(gradient.min()))
    # [/eq:gradient-norm]


# --- Adam

# parameters at a time: their moments and the new theta stay in the cache
_BLOCK = 2**15


def adam(
    function: Function,
    theta: FloatArray,
    learning_rate: float = 1e-2,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Points:
    """Yield the points of Adam without end; their value need not fall at every step.

    Parameters
    ----------
    function : callable
        theta (n_params,) -> (value, gradient (n_params,)). It is called once for every
        point, in order, so that it may draw its next mini-batch every time. A gradient
        is copied if it is not read-only.
    theta : (n_params,)
        The start; not modified.
    learning_rate : float
        alpha > 0.
    beta1, beta2 : float
        In [0, 1): how much of the moments is kept from step to step.
    epsilon : float
        Positive: a parameter whose gradient has always been 0 does not move.

    Returns
    -------
    points : generator of Point
        The records have `.theta` (read-only), `.value`, `.gradient_norm` and
        `.n_evaluations`, the first one is the start. A step to a point that is not
        finite is undone and ends the run. `kan_ref.optimizers.Steps` takes a number of
        steps and says why a run ended.

    Notes
    -----
    Implements :eq:`adam`.

    Examples
    --------
    >>> from itertools import islice
    >>> def bowl(theta):
    ...     return 0.5 * theta @ theta, theta
    >>> points = adam(bowl, [3.0, -40.0], learning_rate=0.5)
    >>> [point.theta.round(6).tolist() for point in islice(points, 2)]
    [[3.0, -40.0], [2.5, -39.5]]
    """
    alpha = checks.number("learning_rate", learning_rate, above=0.0)
    beta1 = checks.number("beta1", beta1, 0.0, 1.0 - EPS)
    beta2 = checks.number("beta2", beta2, 0.0, 1.0 - EPS)
    epsilon = checks.number("epsilon", epsilon, above=0.0)
    return _points(start_at(theta, function), alpha, beta1, beta2, epsilon)


def _points(
    start: Start, alpha: float, beta1: float, beta2: float, epsilon: float
) -> Points:
    """Yield the points of Adam."""
    function, theta, value, gradient = start
    norm = gradient_norm(gradient)
    first = np.zeros(theta.size)
    second = np.zeros(theta.size)
    blocks = [slice(low, low + _BLOCK) for low in range(0, theta.size, _BLOCK)]
    t = 0
    while True:
        moved = yield Point(theta, value, norm, function.n)
        if moved is not None:
            # new moments: those of the first steps, whose gradients are large, would
            # shorten all steps to come
            theta, t = moved, 0
            first[:] = second[:] = 0.0
        t += 1
        trial = np.empty_like(theta)
        with np.errstate(all="ignore"):  # after too long a step
            # [eq:adam]
            # m, v without 1 - beta: m^_t = m_factor m, sqrt(v^_t) = v_root sqrt(v)
            m_factor = (1.0 - beta1) / (1.0 - beta1**t)
            v_root = math.sqrt((1.0 - beta2) / (1.0 - beta2**t))
            for part in blocks:
                g = gradient[part]
                m = first[part]
                v = second[part]
                update = trial[part]

                # "update biased first moment estimate"
                m *= beta1
                m += g

                # "update biased second raw moment estimate"
                v *= beta2
                v += np.multiply(g, g, out=update)

                # "update parameters", in the array of the new ones
                np.sqrt(v, out=update)
                update += epsilon / v_root
                np.divide(m, update, out=update)
                update *= alpha * m_factor / v_root
                np.subtract(theta[part], update, out=update)
            # [/eq:adam]
            trial.flags.writeable = False
            new_value = math.inf
            if math.isfinite(trial @ trial):
                new_value, gradient = function(trial)
                norm = gradient_norm(gradient)
        if not (math.isfinite(new_value) and math.isfinite(norm)):
            return (
                "theta, value or gradient after the next step is not finite: "
                "it is undone"
            )
        theta, value = trial, new_value
