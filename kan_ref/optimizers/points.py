"""What all optimizers share: the points of a run, its number of steps, and its start.

An optimizer is a generator. Each `yield` is an accepted point, the first one is the start, and
`return` says in a sentence why there is no further point. Nothing else ends it: the caller takes as
many points as he wants, with `for` and `break`, or with `Steps`.

One norm of the gradient is used everywhere, so that runs of different optimizers can be compared
(it is the norm in Algorithm 3.16 of Madsen, Nielsen & Tingleff, Methods for Non-Linear Least
Squares Problems, 2nd ed., IMM 2004):

    (O5)  gradient norm = max_j |d value / d theta_j|
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray

Function = Callable[[FloatArray], tuple[float, FloatArray]]  # theta -> (value, gradient)

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 10.0 * EPS  # relative error of a value: a sum of thousands of terms loses a few eps


class Point(NamedTuple):
    """A point of a run: read-only theta (n_params,), the value and the norm (O5) there.

    n_evaluations are the calls of the caller's functions so far.
    """

    theta: FloatArray
    value: float
    gradient_norm: float
    n_evaluations: int


Points = Generator[Point, None, str]


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
        self.points, self.n_steps = points, checks.integer("n_steps", n_steps)
        self.stopped = "the loop over the points was left"

    def __iter__(self) -> Iterator[Point]:
        for _ in range(self.n_steps + 1):
            try:
                yield next(self.points)
            except StopIteration as end:
                self.stopped = end.value
                return
        verb = "is" if self.n_steps == 1 else "are"
        self.stopped = f"{checks.counted(self.n_steps, 'step')} {verb} done"

    def last(self) -> Point:
        """Take all steps and return the last point."""
        return deque(self, maxlen=1)[0]


class Counted:
    """A caller's function theta -> (value, gradient), with the number `n` of its calls."""

    def __init__(self, function: Function) -> None:
        self.function, self.n = checks.function("function", function), 0

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the function's answer, the gradient as `own`."""
        self.n += 1
        value, gradient = self.function(theta)
        return float(value), own(gradient)


def own(vector: Any) -> FloatArray:
    """Return a vector that will not change: a copy, since callers may fill one array every time."""
    kept = isinstance(vector, np.ndarray) and not vector.flags.writeable
    return vector if kept else np.array(vector, dtype=np.float64)


def start_vector(theta: object) -> FloatArray:
    """Return a read-only copy of the initial theta, so that functions may keep it."""
    vector = checks.array("theta", theta, ("n_params",)).copy()
    vector.flags.writeable = False
    return vector


Start = tuple[Counted, FloatArray, float, FloatArray]  # function, theta, value, gradient


def start_at(theta: object, function: Function) -> Start:
    """Check the arguments that Adam and L-BFGS share, and call the function at the start."""
    counted, vector = Counted(function), start_vector(theta)
    value, gradient = counted(vector)
    check_start(value, gradient, vector)
    return counted, vector, value, gradient


def check_start(value: float, gradient: FloatArray, theta: FloatArray) -> None:
    """Raise ValueError if value or gradient at the start cannot be used."""
    checks.array("the gradient", gradient, theta.shape, finite=False)
    if not (math.isfinite(value) and np.isfinite(gradient).all()):
        raise ValueError(
            "theta is a start where the value or its gradient is not finite: start elsewhere, or "
            "scale the data as kr.scaled does"
        )


def gradient_norm(gradient: FloatArray) -> float:
    """Return the norm (O5): its largest absolute entry, nan if one is nan."""
    # [eq:gradient-norm]
    return max(float(gradient.max()), -float(gradient.min()))
    # [/eq:gradient-norm]
