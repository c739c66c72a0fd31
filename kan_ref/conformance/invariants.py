"""Identities that every correct implementation satisfies, as checks for property tests.

    (C17)  sum_m B_m(x) = 1 on the grid                      partition of unity
    (C18)  f(x)_b depends on x_b alone                       independence of the batch
    (C19)  f(p, q) - f(p', q) - f(p, q') + f(p', q') = 0     one layer is a sum over its inputs
    (C20)  <dy, d/dt f(x + t v)> = <J^T dy, v>               derivatives
    (C21)  new(x) = old(x)                                   a finer grid, a copy, another backend
    (C22)  read(write(value)) is value, bit for bit          files

(C19) for all pairs of inputs is equivalent to f(x) = sum_i phi_i(x_i) (Liu et al. 2024, eq. 2.5).
Functions map arrays to arrays; x has shape (batch, n_in). Errors in (C17) to (C21) are compared
with the largest sum of absolute terms in the array; a `tolerance` that is not given is 1e-12, or 50
roundings of the answers (6e-6 in float32). A ValueError has the place and the size of the error.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, zip_longest
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray

Answer = Callable[..., Any]


def check_partition_of_unity(basis: Answer, x: object, *, tolerance: float | None = None) -> None:
    """Check that basis functions, x (n,) -> (n, n_basis), sum to 1 at points of the grid (C17).

    The ends of the grid should be among the points.

    Raises
    ------
    ValueError
        "basis is not a partition of unity: at x = 1 the basis functions sum to 0 ..."
    """
    points = checks.samples("x", x, ("n",))
    values, unit = _ask("basis", basis, (points,), (len(points), "n_basis"))
    sums = values.sum(axis=1)
    said = "basis is not a partition of unity: at x = {:.17g} the basis functions sum to {:.17g}"
    _judge(said, np.abs(sums - 1.0), _tolerance(tolerance, unit), points, sums)


def check_batch_independence(f: Answer, x: object, *, tolerance: float | None = None) -> None:
    """Check that a sample's answer is the same again, alone and in the reversed batch (C18).

    Raises
    ------
    ValueError
        "f depends on the batch: sample 2, output 0 is 0.3 in its batch and 0.7 alone ...", or
        "f gives another answer in a second call: ..."
    """
    points = checks.samples("x", x, ("batch", "n_in"))
    _at_least(2, "distinct samples", len(np.unique(points, axis=0)))
    together, unit = _ask("f", f, (points,), (len(points), "n_out"))

    def again(points: FloatArray) -> FloatArray:
        return _ask("f", f, (points,), (len(points), together.shape[1]))[0]

    alone = np.concatenate([again(points[b : b + 1]) for b in range(len(points))])
    changed = "f depends on the batch: {where} is {:.17g} in its batch and {:.17g} "
    for said, other in (
        ("f gives another answer in a second call: {where} {:.17g}, {:.17g}", again(points)),
        (changed + "alone", alone),
        (changed + "in the reversed batch", again(points[::-1])[::-1]),
    ):
        _same(said, together, other, _tolerance(tolerance, unit))


def check_separability(f: Answer, x: object, *, tolerance: float | None = None) -> None:
    """Check that a layer is a sum of functions of one input each (C19), as :eq:`separability`.

    p', q' are the inputs of the next sample, which must differ in both at least once.

    Raises
    ------
    ValueError
        "f mixes inputs 0 and 2: their mixed difference at sample 1, output 0 is 0.21, not 0 ..."
    """
    points = checks.samples("x", x, ("batch", "n_in"))
    _at_least(2, "inputs", points.shape[1])
    still, unit = _ask("f", f, (points,), (len(points), "n_out"))
    others = np.roll(points, -1, axis=0)

    def moved(*inputs: int) -> FloatArray:
        changed = points.copy()
        changed[:, inputs] = others[:, inputs]
        return _ask("f", f, (changed,), still.shape)[0]

    single = [moved(i) for i in range(points.shape[1])]
    for p, q in combinations(range(points.shape[1]), 2):
        n_moved = int((points != others)[:, [p, q]].all(axis=1).sum())
        _at_least(1, f"samples that differ from the next one in inputs {p} and {q}", n_moved)
        # [eq:separability]
        terms = np.stack([still, -single[p], -single[q], moved(p, q)])
        mixed = terms.sum(axis=0)
        # [/eq:separability]
        allowed = _tolerance(tolerance, unit) * np.abs(terms).sum(axis=0).max()
        said = f"f mixes inputs {p} and {q}: their mixed difference at {{where}} is {{:.6g}}, not 0"
        _judge(said, np.abs(mixed), allowed, mixed)


def check_gradient(
    f: Answer,
    vjp: Answer,
    x: object,
    *,
    rng: np.random.Generator,
    step: float = 1e-6,
    tolerance: float = 1e-6,
) -> None:
    """Check vjp, (x, dy) -> J^T dy, against central differences of f in 3 random directions (C20).

    Implements :eq:`derivative-of-inputs`. Samples must be farther than a step from kinks. For
    answers in float32 take a step of about 0.003. A Hessian-vector product of <dy, f> is checked
    as the derivative of the gradient: give x -> vjp(x, dy) and (x, v) -> hvp(x, dy, v).

    Raises
    ------
    ValueError
        "vjp is wrong at sample 3: along a random direction it gives 0.52, a central difference of f
        0.61; ... (difference 0.09, allowed 2e-06)", or "step is 1e-06, which shows nothing: ..."
    """
    points, rng = checks.samples("x", x, ("batch", "n_in")), checks.generator("rng", rng)
    h, tolerance = checks.number("step", step, above=0.0), _tolerance(tolerance, 0.0)
    y, unit = _ask("f", f, (points,), (len(points), "n_out"))
    for _ in range(3):
        dy, v = rng.normal(size=y.shape), rng.normal(size=points.shape)
        # [eq:derivative-of-inputs]
        ends = [(dy * _ask("f", f, (points + t * v,), y.shape)[0]).sum(axis=1) for t in (h, -h)]
        expected = (ends[0] - ends[1]) / (2.0 * h)
        dx = _ask("vjp", vjp, (points, dy), points.shape)[0]
        given = (dx * v).sum(axis=1)
        # [/eq:derivative-of-inputs]
        noise = unit * (50.0 * _largest(dy * y) + 8.0 * _largest(points * dx))  # of f, and of x
        size = max(_largest(dx * v), np.abs(expected).max())
        said = (
            "vjp is wrong at {where}: along a random direction it gives {:.6g}, a central "
            f"difference of f {{:.6g}}; if f is steep, take a step below {h:g}"
        )
        _judge(said, np.abs(given - expected), tolerance * size + noise / h, given, expected)
        # how far f changes over all samples shows how large its derivatives should be
        change, width = _largest(dy * np.ptp(y, axis=0)), np.ptp(points, axis=0).max()
        if size <= noise / h and noise < change < noise / h * width:
            raise ValueError(
                f"step is {h:g}, which shows nothing: the difference has rounding errors up to "
                f"{noise / h:.2g}, more than the derivative: take a larger step, or subtract "
                "constants from f and x"
            )


def check_same_function(
    old: Answer, new: Answer, x: object, *, tolerance: float | None = None
) -> None:
    """Check that two functions, x (batch, n_in) -> (batch, n_out), agree at x (C21).

    Raises
    ------
    ValueError
        "new is another function than old: sample 4, output 1 is 0.25 of old and 0.31 of new ..."
    """
    points = checks.samples("x", x, ("batch", "n_in"))
    one, unit = _ask("old", old, (points,), (len(points), "n_out"))
    other = _ask("new", new, (points,), one.shape)[0]
    said = "new is another function than old: {where} is {:.17g} of old and {:.17g} of new"
    _same(said, one, other, _tolerance(tolerance, unit))


def check_round_trip(round_trip: Callable[[Any], Any], value: object) -> None:
    """Check that a value that is written and read again is the same, bit for bit (C22).

    Equality is not enough: 0 = -0, and nan is not equal to nan. dtypes and shapes are compared too.
    The value is made of arrays, numbers, text and None in dicts, lists and tuples, as a layer is.

    Raises
    ------
    ValueError
        "round_trip changed value['coef'][0, 1, 2] from 0.1 to 0.10000000149011612"
    """
    before = list(_leaves("value", value))  # as bits, which the round trip cannot change
    after = _leaves("value", checks.function("round_trip", round_trip)(value))
    for one, other in zip_longest(before, after):
        if one != other:
            raise ValueError(f"round_trip changed {one[0]} from {one[1]} to {other[1]}")


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str, bytes]]:
    """Yield the name, the text and the bits of all that a value is made of, containers first."""
    if isinstance(value, Mapping):
        yield name, f"a dict of {sorted(map(str, value))}", b""
        for key in sorted(value, key=str):
            yield from _leaves(f"{name}[{key!r}]", value[key])
    elif isinstance(value, list | tuple):
        yield name, f"a {type(value).__name__} of {len(value)}", b""
        for place, item in enumerate(value):
            yield from _leaves(f"{name}[{place}]", item)
    elif value is None or isinstance(value, str | bytes | bool | int):
        yield name, repr(value), b""
    elif isinstance(value, np.ndarray | np.generic | float):
        array = np.asarray(value)
        yield name, f"{type(value).__name__} of {array.dtype} {array.shape}", b""
        for at in np.ndindex(array.shape):
            yield f"{name}{list(at) or ''}", str(array[at]), array[at].tobytes()
    else:
        rule = "must be made of arrays, numbers, text, None, dicts, lists and tuples"
        checks.fail(name, value, rule, TypeError)


def _ask(
    name: str, function: Answer, arguments: tuple[FloatArray, ...], shape: tuple[int | str, ...]
) -> tuple[FloatArray, float]:
    """Return the answer to copies of arguments in float64, and the rounding unit of its format."""
    given = checks.function(name, function)(*(argument.copy() for argument in arguments))
    answer = checks.samples(f"the answer of {name}", given, shape).copy()
    single = np.asarray(given).dtype.kind == "f" and np.asarray(given).dtype.itemsize < 8
    return answer, float(np.finfo(given.dtype if single else np.float64).eps)


def _tolerance(given: float | None, unit: float) -> float:
    return checks.number("tolerance", max(1e-12, 50.0 * unit) if given is None else given, low=0.0)


def _at_least(least: int, what: str, count: int) -> None:
    if count < least:
        raise ValueError(f"x has {count} {what}, which shows nothing: give at least {least}")


def _largest(terms: FloatArray) -> float:
    """Return the largest sum of absolute terms of a sample."""
    return float(np.abs(terms).sum(axis=1).max())


def _same(said: str, one: FloatArray, other: FloatArray, tolerance: float) -> None:
    _judge(said, np.abs(one - other), tolerance * np.abs(one).max(), one, other)


def _judge(said: str, error: FloatArray, allowed: float, *shown: FloatArray) -> None:
    """Raise ValueError with the numbers at the largest error, if that is larger than allowed."""
    place = np.unravel_index(np.argmax(error), error.shape)
    if error[place] > allowed:
        where = ", ".join(
            f"{axis} {i}" for axis, i in zip(("sample", "output"), place, strict=False)
        )
        filled = said.format(*(numbers[place] for numbers in shown), where=where)
        raise ValueError(f"{filled} (difference {error[place]:.3g}, allowed {allowed:.3g})")
