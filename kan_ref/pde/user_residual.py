"""What a user's own residual answers, and whether the partial derivatives that it gives are its own.

A differential equation that is not linear comes as a function R(x, u, du, d2u) of the points and of a model's values and derivatives
there, with its partial derivatives by u, du and d2u. Before anything is trained with them they are compared with differences of R: for
each argument v = u, du, d2u,

    (R3)  (R(v + h w) - R(v - h w)) / (2 h) = sum_k by_v,k w_k + O(h^2)       with one w for all points, each component in its own size
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_rectangular

Residual = Callable[
    [FloatArray, FloatArray, FloatArray | None, FloatArray | None], Sequence[FloatArray | None]
]
Arguments = tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]  # x, u, du, d2u
_PARTIALS = ("by_u", "by_du", "by_d2u")
_STEP, _TOLERANCE, _ROUNDING = (
    1e-6,
    1e-5,
    1e-14,
)  # of the differences (R3): h, and what may be between them and the partials, relatively
_MISSES = 10  # one point in so many may sit at a kink, where a difference says nothing


def ask(
    function: Residual, arguments: Arguments
) -> tuple[FloatArray, tuple[FloatArray | None, ...]]:
    """What a user's residual answers: the residual (n,) or (n, n_residuals), and its three partials, kinds and shapes checked.

    Raises
    ------
    TypeError, ValueError
        "by_du has shape (9, 1), but residual (9,) and du (9, 1, 1) need by_du of shape (9, 1, 1)".
    """
    for array in arguments:
        if array is not None:
            array.flags.writeable = False  # a function that writes into its arguments is told so, instead of changing the problem
    answer: Any = function(*arguments)
    if not isinstance(answer, Sequence) or len(answer) != 4:
        what = (
            f"{len(answer)} things"
            if isinstance(answer, Sequence)
            else f"a {type(answer).__name__}"
        )
        raise TypeError(
            f"function returned {what}, but must return (residual, by_u, by_du, by_d2u), with None for what is zero"
        )
    n = len(arguments[0])
    residual = _real("residual", answer[0])
    if residual.ndim not in (1, 2) or len(residual) != n or residual.size == 0:
        raise ValueError(
            f"residual has shape {residual.shape}, but {n} points need shape ({n},) or ({n}, n_residuals)"
        )
    partials: list[FloatArray | None] = []
    for name, value, thing in zip(_PARTIALS, answer[1:], arguments[1:], strict=True):
        if value is None:
            partials.append(None)
            continue
        if thing is None:
            raise ValueError(
                f"{name} is given, but this term has no such derivatives: its order is too low"
            )
        array, shape = _real(name, value), (*residual.shape, *thing.shape[1:])
        if array.shape != shape:
            raise ValueError(
                f"{name} has shape {array.shape}, but residual {residual.shape} and {name[3:]} {thing.shape} need {name} of shape {shape}"
            )
        partials.append(array)
    return residual, tuple(partials)


def _real(name: str, value: object) -> FloatArray:
    array = check_rectangular(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, but needs real numbers")
    return array.astype(np.float64, copy=False)


def check_partials(function: Residual, arguments: Arguments, name: str) -> None:
    """ValueError if a partial derivative of a user's residual is not what differences say at these arguments.

    Parameters
    ----------
    function : callable
    arguments : (x, u, du, d2u)
        At the start of a run; d2u is nan where a second derivative was not asked for.
    name : str
        How the caller knows the term; it opens every sentence.

    Raises
    ------
    ValueError, TypeError
        "terms[0]: by_u is wrong: at point 3 of the start the residual changes by 2 a unit along a direction of u, but by_u says 1".

    Notes
    -----
    Implements :eq:`partial-differences`. w is fixed and without pattern. Every residual is judged by itself, at every point; of the
    points one in ten may miss, at kinks. At a kink that a start meets exactly, such as |u| at u = 0, a difference to one side will do.
    """
    try:
        residual, partials = ask(function, arguments)
        _refuse_non_finite(arguments[3], residual, partials)
        size = np.abs(residual)  # of what is added up inside a residual: so much rounding there is
        for partial, thing in zip(partials, arguments[1:], strict=True):
            if partial is not None and thing is not None:
                size = size + _along(np.abs(partial), np.abs(np.nan_to_num(thing)))
        for place, (thing, partial) in enumerate(
            zip(arguments[1:], partials, strict=True), start=1
        ):
            if thing is not None:
                _compare(
                    function,
                    arguments,
                    place,
                    _direction(np.nan_to_num(thing)),
                    residual,
                    partial,
                    size,
                )
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _refuse_non_finite(
    d2u: FloatArray | None, residual: FloatArray, partials: Sequence[FloatArray | None]
) -> None:
    lacking = d2u is not None and np.isnan(d2u).any()
    for name, array in zip(("residual", *_PARTIALS), (residual, *partials), strict=True):
        if array is not None and not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0]
            hint = "; d2u is nan at pairs that the term does not ask for" if lacking else ""
            raise ValueError(
                f"{name} is {array[tuple(place)]} at point {place[0]} of the start, but must be finite{hint}"
            )


def _compare(
    function: Residual,
    arguments: Arguments,
    place: int,
    direction: FloatArray,
    residual: FloatArray,
    partial: FloatArray | None,
    size: FloatArray,
) -> None:
    name = _PARTIALS[place - 1]
    # [eq:partial-differences]
    with np.errstate(
        all="ignore"
    ):  # a step may leave where the residual is defined: then it misses
        ahead, behind = (
            ask(function, _moved(arguments, place, step * direction))[0] for step in (_STEP, -_STEP)
        )
        differences = np.array(
            [
                (ahead - behind) / (2.0 * _STEP),
                (ahead - residual) / _STEP,
                (residual - behind) / _STEP,
            ]
        )
        along = np.zeros_like(residual) if partial is None else _along(partial, direction)
        gaps = np.abs(differences - along) - _TOLERANCE * (np.abs(differences) + np.abs(along))
    # [/eq:partial-differences]
    n, reached = (
        len(residual),
        (gaps <= _ROUNDING / _STEP * size).any(axis=0),
    )  # nan reaches nothing
    misses = ~reached.reshape(n, -1)
    for column in np.flatnonzero(misses.sum(axis=0) > n // _MISSES):
        point, which = (
            int(misses[:, column].argmax()),
            "the residual" if residual.ndim == 1 else f"residual {column}",
        )
        there, says = (
            differences[0].reshape(n, -1)[point, column],
            along.reshape(n, -1)[point, column],
        )
        raise ValueError(
            f"{name} is wrong: at point {point} of the start {which} changes by {there:.6g} a unit along a direction of {name[3:]}, "
            f"but {name} says {says:.6g}"
        )


def _direction(thing: FloatArray) -> FloatArray:
    """The w of (R3): every component moves in proportion to its own size over all points; a Hessian stays symmetric."""
    scale = np.sqrt((thing**2).mean(axis=0))
    pattern = np.cos(1.0 + 2.3 * np.arange(thing.size)).reshape(thing.shape)
    if thing.ndim == 4:
        pattern = pattern + pattern.swapaxes(2, 3)
    direction: FloatArray = np.where(scale > 0.0, scale, 1.0) * pattern
    return direction


def _along(partial: FloatArray, direction: FloatArray) -> FloatArray:
    """Sum over the components of an argument of partial times direction, of the residual's shape."""
    n, n_components = len(direction), direction[0].size
    sums: FloatArray = partial.reshape(n, -1, n_components) @ direction.reshape(n, n_components, 1)
    return sums.reshape(partial.shape[: partial.ndim - direction.ndim + 1])


def _moved(arguments: Arguments, place: int, step: FloatArray) -> Arguments:
    x, u, du, d2u = arguments
    return (
        x,
        u + step if place == 1 else u,
        du + step if place == 2 and du is not None else du,
        d2u + step if place == 3 and d2u is not None else d2u,
    )
