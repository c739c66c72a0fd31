"""Identities that every correct implementation satisfies, as checks for property tests.

    (C17)  sum_m B_m(x) = 1 on the grid                      partition of unity
    (C18)  f(x)_b depends on x_b alone                       independence of the batch
    (C19)  f(p, q) - f(p', q) - f(p, q') + f(p', q') = 0     one layer is a sum over its inputs
    (C20)  <u, d/dt f(x + t v)> = <J^T u, v>                 first derivatives
           d/dt d/ds <u, f(x + s v + t w)> = <H_u v, w>      second derivatives
    (C21)  new(x) = old(x)                                   a finer grid, a copy, another backend
    (C22)  read(write(value)) is value, bit for bit          files

H_u is the Hessian of <u, f>. (C19) for all pairs of inputs is equivalent to f(x) = sum_i phi_i(x_i)
(Liu et al. 2024, eq. 2.5). Errors in (C17) to (C21) are compared with the largest sum of absolute
terms in the array; (C22) is exact. Except in (C20), a `tolerance` that is not given is 1e-12, or 50
roundings of the answers (6e-6 in float32). A ValueError has the place and the size of the error.
"""

from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.conformance.round_trip import check_round_trip as check_round_trip

Answer = Callable[..., Any]
_EPS = float(np.finfo(float).eps)
_ROUNDING, _ROUNDING_OF_X = 50.0, 8.0  # roundings of a difference's sums; of x + step, inside f
_REPEATS = 8  # calls that must give the same answer before a batch is said to change it


def check_partition_of_unity(basis: Answer, x: object, *, tolerance: float | None = None) -> None:
    """Check that the basis functions sum to 1 at every point (C17).

    Parameters
    ----------
    basis : callable
        x (n,) -> (n, n_basis).
    x : (n,)
        Points of the grid [a, b], its ends among them.
    tolerance : float, optional
        Largest |sum - 1|.

    Raises
    ------
    ValueError
        "basis is not a partition of unity: at x = 1 (position 4) the basis functions sum to 0, ..."
    """
    points = checks.array("x", x, ("n",))
    _at_least("x", "points", len(points), 1)
    values, eps = _asked("basis", basis, (points,), (len(points), "n_basis"))
    tolerance = _tolerance(tolerance, eps)
    sums = values.sum(axis=1)
    worst = int(np.argmax(np.abs(sums - 1.0)))
    if abs(sums[worst] - 1.0) > tolerance:
        raise ValueError(
            f"basis is not a partition of unity: at x = {points[worst]:.17g} (position {worst}) "
            f"the basis functions sum to {sums[worst]:.17g}, but must sum to 1 within {tolerance:g}"
        )


def check_batch_independence(f: Answer, x: object, *, tolerance: float | None = None) -> None:
    """Check that the answer for a sample does not depend on its batch (C18).

    The sample is evaluated in its batch, alone, in the reversed batch, and a second time, by
    batch + 3 calls of f, and up to 8 more before an error.

    Parameters
    ----------
    f : callable
        x (batch, n_in) -> (batch, n_out).
    x : (batch, n_in)
        At least two samples that differ.
    tolerance : float, optional
        Largest difference over the largest |f|.

    Raises
    ------
    ValueError
        "f depends on the batch: sample 2, output 0 is 0.3 in its batch of 5 and 0.7 alone ...", or
        "f gives another answer in a second call: ..."
    """
    points = checks.array("x", x, ("batch", "n_in"))
    _at_least("x", "distinct samples", len(np.unique(points, axis=0)), 2)
    together, eps = _asked("f", f, (points,), (len(points), "n_out"))
    allowed = _tolerance(tolerance, eps)
    alone = np.concatenate(
        [_answer("f", f, (points[b : b + 1],), (1, together.shape[1])) for b in range(len(points))]
    )
    turned = _answer("f", f, (points[::-1],), together.shape)[::-1]

    def repeat() -> None:
        again = "f gives another answer in a second call: {where} is {one:.17g}, then {other:.17g}"
        _compare(again, together, _answer("f", f, (points,), together.shape), allowed)

    repeat()
    changed = f"f depends on the batch: {{where}} is {{one:.17g}} in its batch of {len(points)} and"
    for other, how in ((alone, "alone"), (turned, "in the reversed batch")):
        try:
            _compare(f"{changed} {{other:.17g}} {how}", together, other, allowed)
        except ValueError:
            for _ in range(_REPEATS):  # random answers may agree by chance
                repeat()
            raise


def check_separability(f: Answer, x: object, *, tolerance: float | None = None) -> None:
    """Check that one layer is a sum of functions of one input each (C19).

    Implements :eq:`separability` by 1 + n_in (n_in + 1) / 2 calls of f.

    Parameters
    ----------
    f : callable
        One layer, x (batch, n_in) -> (batch, n_out).
    x : (batch, n_in)
        At least two inputs; p', q' are those of the next sample, which must differ in both once.
    tolerance : float, optional
        Largest mixed difference over the largest sum of its four absolute terms.

    Raises
    ------
    ValueError
        "f mixes inputs 0 and 2: their mixed difference at sample 1, output 0 is 0.21, ..."
    """
    points = checks.array("x", x, ("batch", "n_in"))
    _at_least("x", "samples", len(points), 2)
    _at_least("x", "inputs", points.shape[1], 2)
    still, eps = _asked("f", f, (points,), (len(points), "n_out"))
    others = np.roll(points, -1, axis=0)

    def moved(*inputs: int) -> FloatArray:
        changed = points.copy()
        changed[:, inputs] = others[:, inputs]
        return _answer("f", f, (changed,), still.shape)

    single = [moved(i) for i in range(points.shape[1])]
    for p, q in combinations(range(points.shape[1]), 2):
        n_moved = int((points != others)[:, [p, q]].all(axis=1).sum())
        _at_least("x", f"samples that differ from the next one in inputs {p} and {q}", n_moved, 1)
        terms = np.stack([still, -single[p], -single[q], moved(p, q)])
        # [eq:separability]
        mixed = terms.sum(axis=0)
        # [/eq:separability]
        allowed = _tolerance(tolerance, eps) * np.abs(terms).sum(axis=0).max()
        b, j = np.unravel_index(np.argmax(np.abs(mixed)), mixed.shape)
        if abs(mixed[b, j]) > allowed:
            raise ValueError(
                f"f mixes inputs {p} and {q}: their mixed difference at sample {b}, output {j} "
                f"is {mixed[b, j]:.6g}, but must be 0 (allowed {allowed:.3g})"
            )


def check_gradient(
    f: Answer,
    vjp: Answer,
    x: object,
    *,
    rng: np.random.Generator,
    order: int = 1,
    n_directions: int = 3,
    step: float | None = None,
    tolerance: float | None = None,
) -> None:
    """Check derivatives with respect to the inputs against central differences of f (C20).

    Parameters
    ----------
    f : callable
        x (batch, n_in) -> (batch, n_out), each sample by itself.
    vjp : callable
        Order 1: (x, dy) -> J^T dy, (batch, n_in). Order 2: (x, dy, v) -> H v, (batch, n_in), the
        derivative of J^T dy along v (batch, n_in).
    x : (batch, n_in)
        At least one sample, farther than two steps from kinks: f needs order + 2 derivatives.
    rng : numpy.random.Generator
        Draws dy and the directions.
    order : int
        1 or 2.
    n_directions : int
        Number of random directions, at least 1.
    step : float, optional
        1e-6 for order 1, 3e-5 for order 2.
    tolerance : float, optional
        Relative to the largest sum of absolute terms; 1e-6 for order 1, 1e-4 for order 2. A bound
        on the rounding error of the difference is added, of f and x in the format of f's answers.

    Raises
    ------
    ValueError
        "vjp is wrong at sample 3: along a random direction it gives 0.52, a central difference of f
        0.61 (difference 0.09, allowed 2e-06): ...", or "step is 1e-06, which shows nothing: ..."

    Notes
    -----
    Implements :eq:`derivative-of-inputs` by 2 order n_directions calls of f. The difference has an
    error of step^2 / 6 times derivatives of order 3 or 4: for steep curves choose a smaller step,
    in float32 a larger one, such as 0.003.
    Of one sample, or where f hardly varies over the samples, zeros pass if |f| or |x| is large.
    """
    points, rng = checks.array("x", x, ("batch", "n_in")), checks.generator("rng", rng)
    _at_least("x", "samples", len(points), 1)
    order = checks.integer("order", order, low=1, high=2)
    n_directions = checks.integer("n_directions", n_directions, low=1)
    h = checks.number("step", (1e-6, 3e-5)[order - 1] if step is None else step, low=1e-300)
    tolerance = _tolerance(tolerance, least=(1e-6, 1e-4)[order - 1])
    (y, eps), reach = _asked("f", f, (points,), (len(points), "n_out")), np.abs(points).max()
    for _ in range(n_directions):
        dy = rng.normal(size=y.shape)
        v, w = rng.normal(size=points.shape), rng.normal(size=points.shape)
        along = partial(_moved, f, points, dy, v, w)
        function = along if order == 1 else partial(_moved_slope, along, h)
        # [eq:derivative-of-inputs]
        ends = function(h), function(-h)
        expected = (ends[0] - ends[1]) / (2.0 * h)
        answer = _answer("vjp", vjp, (points, dy, v)[: order + 1], points.shape)
        terms = answer * (v if order == 1 else w)
        given = terms.sum(axis=1)
        # [/eq:derivative-of-inputs]
        slopes = points * answer if order == 1 else reach * ends[0][:, None]
        unsure = eps * (_ROUNDING * _largest(dy * y) + _ROUNDING_OF_X * _largest(slopes))
        rounding = unsure / h**order
        size, error = max(_largest(terms), np.abs(expected).max()), np.abs(given - expected)
        allowed, b = tolerance * size + rounding, int(np.argmax(error))
        if error[b] > allowed:
            raise ValueError(
                f"vjp is wrong at sample {b}: along a random direction it gives {given[b]:.6g}, a "
                f"central difference of f {expected[b]:.6g} (difference {error[b]:.3g}, allowed "
                f"{allowed:.3g}): correct it, or take a smaller step than {h:g} if f is steep"
            )
        # how far f changes over all samples shows how large its derivatives are
        change, width = _largest(dy * np.ptp(y, axis=0)), np.ptp(points, axis=0).max()
        lost = size <= rounding and unsure < change < rounding * width**order
        if lost or h <= np.spacing(reach) * (eps / _EPS):
            raise ValueError(
                f"step is {h:g}, which shows nothing: with |f| up to {np.abs(y).max():.3g} and |x| "
                f"up to {reach:.3g} the difference has an error of up to {rounding:.2g}, more than "
                "the derivative: take a larger step, or subtract constants from f and x"
            )


def check_same_function(
    old: Answer, new: Answer, x: object, *, tolerance: float | None = None
) -> None:
    """Check that two callables, x (batch, n_in) -> (batch, n_out), agree at x (C21).

    Raises
    ------
    ValueError
        "new is another function than old: sample 4, output 1 is 0.25 of old and 0.31 of new ..."
    """
    points = checks.array("x", x, ("batch", "n_in"))
    _at_least("x", "samples", len(points), 1)
    one, eps = _asked("old", old, (points,), (len(points), "n_out"))
    other = _answer("new", new, (points,), one.shape)
    said = "new is another function than old: {where} is {one:.17g} of old and {other:.17g} of new"
    _compare(said, one, other, _tolerance(tolerance, eps))


def _moved(
    f: Answer, x: FloatArray, dy: FloatArray, v: FloatArray, w: FloatArray, s: float, t: float = 0.0
) -> FloatArray:
    """Return <dy, f(x + s v + t w)> of each sample."""
    return np.asarray((dy * _answer("f", f, (x + s * v + t * w,), dy.shape)).sum(axis=1))


def _moved_slope(along: Callable[[float, float], FloatArray], step: float, t: float) -> FloatArray:
    """Return the central difference of `along` in s, at t."""
    return (along(step, t) - along(-step, t)) / (2.0 * step)


def _largest(terms: FloatArray) -> float:
    """Return the largest sum of absolute terms of a sample."""
    return float(np.abs(terms).sum(axis=1).max())


def _at_least(name: str, what: str, count: int, least: int) -> None:
    if count < least:
        raise ValueError(f"{name} has {count} {what}, which shows nothing: give at least {least}")


def _answer(*asked: Any) -> FloatArray:
    """Return the array alone that `_asked` returns."""
    return _asked(*asked)[0]


def _asked(
    name: str, function: Answer, arguments: tuple[FloatArray, ...], shape: tuple[int | str, ...]
) -> tuple[FloatArray, float]:
    """Return the answer to copies of arguments in float64, and the rounding unit of its format."""
    if not callable(function):
        raise TypeError(f"{name} is a {type(function).__name__}, but must be a function")
    given = function(*(argument.copy() for argument in arguments))
    answer = checks.array(f"the answer of {name}", given, shape).copy()
    if answer.size == 0:
        raise ValueError(f"the answer of {name} has shape {answer.shape}, but needs a number")
    dtype = np.asarray(given).dtype
    return answer, max(_EPS, float(np.finfo(dtype).eps)) if dtype.kind == "f" else _EPS


def _tolerance(given: float | None, eps: float = _EPS, least: float = 1e-12) -> float:
    """Return a given tolerance, or that of answers with a rounding unit."""
    given = max(least, _ROUNDING * eps) if given is None else given
    return checks.number("tolerance", given, low=0.0)


def _compare(message: str, one: FloatArray, other: FloatArray, tolerance: float) -> None:
    """Raise ValueError with the message, filled in at the largest difference, if too large."""
    difference, allowed = np.abs(one - other), tolerance * np.abs(one).max()
    b, j = np.unravel_index(np.argmax(difference), difference.shape)
    if difference[b, j] > allowed:
        filled = message.format(where=f"sample {b}, output {j}", one=one[b, j], other=other[b, j])
        raise ValueError(f"{filled} (difference {difference[b, j]:.3g}, allowed {allowed:.3g})")
