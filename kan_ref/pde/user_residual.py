"""Residuals that users define: evaluation, and a check of their partial derivatives.

A nonlinear differential equation is given as a function R(x, u, du, d2u) of the points and of a
model's values and derivatives there. The function also returns its partial derivatives with respect
to u, du and d2u. Before training they are compared with central differences of R. For each argument
v = u, du, d2u,

    (J35)  (R(v + h w) - R(v - h w)) / (2 h) = sum_k by_v,k w_k + O(h^2)

with one direction w for all points, in which each component has its own size.
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
_STEP = 1e-6  # the h of (J35)
_TOLERANCE = 1e-5  # relative difference allowed between both sides of (J35): O(h^2) and rounding
_ROUNDING = 1e-14  # of R, relative to the sum of its absolute terms: about 50 float64 epsilons
_MISSES = 10  # one point of so many may be at a kink, where a difference is not a derivative


def evaluate_residual(
    function: Residual, arguments: Arguments
) -> tuple[FloatArray, tuple[FloatArray | None, ...]]:
    """Return a user's residual and its partial derivatives, after a check of types and shapes.

    Parameters
    ----------
    function : callable
    arguments : (x, u, du, d2u)
        They become read-only: a function that writes into them raises an error.

    Returns
    -------
    residual : (n,) or (n, n_residuals)
    partials : (by_u, by_du, by_d2u)
        Each an array, or None where it is zero.

    Raises
    ------
    TypeError, ValueError
        "by_du has shape (9, 1), but residual (9,) and du (9, 1, 1) need by_du of shape (9, 1, 1)".
    """
    for array in arguments:
        if array is not None:
            array.flags.writeable = False
    answer: Any = function(*arguments)
    if not isinstance(answer, Sequence) or len(answer) != 4:
        what = (
            f"{len(answer)} items" if isinstance(answer, Sequence) else f"a {type(answer).__name__}"
        )
        raise TypeError(
            f"function returned {what}, but must return (residual, by_u, by_du, by_d2u), "
            "with None for a partial derivative that is zero"
        )
    n = len(arguments[0])
    residual = _check_real("residual", answer[0])
    if residual.ndim not in (1, 2) or len(residual) != n or residual.size == 0:
        raise ValueError(
            f"residual has shape {residual.shape}, "
            f"but {n} points need shape ({n},) or ({n}, n_residuals)"
        )
    partials = tuple(
        None if value is None else _check_partial(name, value, residual, argument)
        for name, value, argument in zip(_PARTIALS, answer[1:], arguments[1:], strict=True)
    )
    return residual, partials


def _check_partial(
    name: str, value: object, residual: FloatArray, argument: FloatArray | None
) -> FloatArray:
    """Return a partial derivative as float64; raise an error if its shape is wrong."""
    if argument is None:
        raise ValueError(
            f"{name} is given, but this term has no such derivatives: its order is too low"
        )
    array, shape = _check_real(name, value), (*residual.shape, *argument.shape[1:])
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape}, but residual {residual.shape} and "
            f"{name[3:]} {argument.shape} need {name} of shape {shape}"
        )
    return array


def _check_real(name: str, value: object) -> FloatArray:
    """Return an array of real numbers as float64; raise an error for anything else."""
    array = check_rectangular(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, but needs real numbers")
    return array.astype(np.float64, copy=False)


# --- partial derivatives against differences


def check_partials(function: Residual, arguments: Arguments, name: str) -> None:
    """Raise an error if a partial derivative of a user's residual disagrees with differences.

    Parameters
    ----------
    function : callable
    arguments : (x, u, du, d2u)
        Of the initial model. d2u is nan at second derivatives that the term does not use.
    name : str
        Name of the term, with which every message begins.

    Raises
    ------
    ValueError, TypeError
        "terms[0]: by_u is wrong: at point 3, for the initial model, the residual changes by 2 per
        unit along a direction of u, but by_u gives 1".

    Notes
    -----
    Implements :eq:`partial-differences`. The direction w is fixed and irregular. Every residual is
    checked separately, at every point. One point in ten may disagree, at kinks. Exactly at a kink,
    such as |u| at u = 0, a one-sided difference is accepted too.
    """
    try:
        residual, partials = evaluate_residual(function, arguments)
        _check_finite(arguments[3], residual, partials)
        size = np.abs(residual)  # becomes the sum of R's absolute terms: rounding is relative to it
        for partial, argument in zip(partials, arguments[1:], strict=True):
            if partial is not None and argument is not None:
                size = size + _along(np.abs(partial), np.abs(np.nan_to_num(argument)))
        for place, partial in enumerate(partials, start=1):
            argument = arguments[place]
            if argument is not None:
                direction = _direction(np.nan_to_num(argument))
                _compare(function, arguments, place, direction, residual, partial, size)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _check_finite(
    d2u: FloatArray | None, residual: FloatArray, partials: Sequence[FloatArray | None]
) -> None:
    """Raise ValueError if the residual or a partial derivative is not finite."""
    lacking = d2u is not None and np.isnan(d2u).any()
    for name, array in zip(("residual", *_PARTIALS), (residual, *partials), strict=True):
        if array is not None and not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0]
            hint = "; d2u is nan at pairs that are not in pairs=" if lacking else ""
            raise ValueError(
                f"{name} is {array[tuple(place)]} at point {place[0]} for the initial model, "
                f"but must be finite{hint}"
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
    """Raise ValueError if both sides of (J35) differ for the argument at `place`."""
    name = _PARTIALS[place - 1]
    # [eq:partial-differences]
    with np.errstate(all="ignore"):  # R may be undefined after a step: nan counts as a disagreement
        ahead, behind = (
            evaluate_residual(function, _moved(arguments, place, step * direction))[0]
            for step in (_STEP, -_STEP)
        )
        central = (ahead - behind) / (2.0 * _STEP)
        one_sided = (ahead - residual) / _STEP, (residual - behind) / _STEP
        differences = np.array([central, *one_sided])
        along = np.zeros_like(residual) if partial is None else _along(partial, direction)
        gaps = np.abs(differences - along) - _TOLERANCE * (np.abs(differences) + np.abs(along))
    # [/eq:partial-differences]
    n = len(residual)
    misses = ~(gaps <= _ROUNDING / _STEP * size).any(axis=0).reshape(n, -1)
    for column in np.flatnonzero(misses.sum(axis=0) > n // _MISSES):
        point = int(misses[:, column].argmax())
        which = "the residual" if residual.ndim == 1 else f"residual {column}"
        found, given = (array.reshape(n, -1)[point, column] for array in (central, along))
        raise ValueError(
            f"{name} is wrong: at point {point}, for the initial model, {which} changes by "
            f"{found:.6g} per unit along a direction of {name[3:]}, but {name} gives {given:.6g}"
        )


def _direction(argument: FloatArray) -> FloatArray:
    """Return the w of (J35), each component in proportion to its root mean square.

    The direction of a Hessian is symmetric.
    """
    scale = np.sqrt((argument**2).mean(axis=0))
    pattern = np.cos(1.0 + 2.3 * np.arange(argument.size)).reshape(argument.shape)
    if argument.ndim == 4:
        pattern = pattern + pattern.swapaxes(2, 3)
    direction: FloatArray = np.where(scale > 0.0, scale, 1.0) * pattern
    return direction


def _along(partial: FloatArray, direction: FloatArray) -> FloatArray:
    """Return the sum of partial times direction over an argument's components."""
    n, size = len(direction), direction[0].size
    sums: FloatArray = partial.reshape(n, -1, size) @ direction.reshape(n, size, 1)
    return sums.reshape(partial.shape[: partial.ndim - direction.ndim + 1])


def _moved(arguments: Arguments, place: int, step: FloatArray) -> Arguments:
    """Return the arguments with a step added to the one at `place`."""
    x, u, du, d2u = arguments
    return (
        x,
        u + step if place == 1 else u,
        du + step if place == 2 and du is not None else du,
        d2u + step if place == 3 and d2u is not None else d2u,
    )
