"""Residuals that users define: evaluation, and a check of their partial derivatives.

A nonlinear differential equation is given as a function R(x, u, du, d2u) of the points
and of a model's values and derivatives there. The function also returns its partial
derivatives with respect to u, du and d2u. Before training they are compared with
central differences of R, at every point and for every residual. For each argument v =
u, du, d2u,

    (J35)  (R(v + h w) - R(v - h w)) / (2 h) = sum_k by_v,k w_k + O(h^2)

with one direction w for all points, in which each component has its own size. A partial
derivative is wrong where both sides differ for h = 1e-6, and h = 1e-8 gives nearly the
same difference. Where it does not, R varies too fast for differences, or is undefined
after the step.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.numerics import central_difference

# x, u, du, d2u
Arguments = tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]
Residual = Callable[..., Sequence[FloatArray | None]]  # of these arguments
_PARTIALS = ("by_u", "by_du", "by_d2u")
_STEPS = (1e-6, 1e-8)  # the h of (J35)
# relative difference allowed between both sides of (J35): O(h^2) and rounding
_TOLERANCE = 1e-5
# of R, relative to the sum of its absolute terms: about 50 float64 epsilons
_ROUNDING = 1e-14


def evaluate_residual(
    function: Residual,
    arguments: Arguments,
    *,
    finite: bool = False,
) -> tuple[FloatArray, list[FloatArray | None]]:
    """Return a residual (n,) or (n, n_residuals), and by_u, by_du, by_d2u.

    Partial derivatives that are zero are None. The arguments become read-only. With
    `finite` all numbers must be finite.
    """
    for array in arguments:
        if array is not None:
            array.flags.writeable = False

    answer: Any = function(*arguments)
    if not isinstance(answer, Sequence) or len(answer) != 4:
        raise TypeError(
            "function must return (residual, by_u, by_du, by_d2u), None for a zero one"
        )

    found = checks.rectangular("residual", answer[0])
    shape = (len(arguments[0]), "n_residuals")[: max(found.ndim, 1)]
    residual = checks.array("residual", found, shape, finite=finite)

    partials: list[FloatArray | None] = []
    for name, value, argument in zip(_PARTIALS, answer[1:], arguments[1:], strict=True):
        if value is None:
            partials.append(None)
            continue
        if argument is None:
            raise ValueError(
                f"{name} is given, but the order of this term is too low for it"
            )
        shape = (*residual.shape, *argument.shape[1:])
        partials.append(checks.array(name, value, shape, finite=finite))
    return residual, partials


@np.errstate(all="ignore")  # R may be undefined after a step: nan agrees with nothing
def check_partials(function: Residual, arguments: Arguments, name: str) -> None:
    """Raise an error if a partial derivative disagrees with differences.

    So it does if a shape is wrong, or a number is not finite; the error begins with
    `name`. d2u is nan at second derivatives that the term does not use.

    Notes
    -----
    Implements :eq:`partial-differences`.
    """
    try:
        _compare(function, arguments)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _compare(function: Residual, arguments: Arguments) -> None:
    """Raise an error as `check_partials`, without the name of the term."""
    residual, partials = evaluate_residual(function, arguments, finite=True)
    # becomes the sum of R's absolute terms: rounding is relative to it
    size = np.abs(residual)
    right_sides = []
    for place, partial in enumerate(partials, start=1):
        argument = arguments[place]
        if argument is None:
            continue
        argument = np.nan_to_num(argument)
        direction = _direction(argument)
        given = np.zeros_like(residual)
        if partial is not None:
            given = _along(partial, direction)
            size = size + _along(np.abs(partial), np.abs(argument))
        right_sides.append((place, direction, given))

    for place, direction, given in right_sides:
        found, nearer = _differences(function, arguments, place, direction)
        error = np.abs(found - given)
        allowed = _TOLERANCE * (np.abs(found) + np.abs(given))
        allowed += _ROUNDING / _STEPS[0] * size
        wrong = np.argwhere((error > allowed) & (np.abs(nearer - found) < 0.5 * error))
        if len(wrong):
            where = tuple(wrong[0].tolist())
            name = _PARTIALS[place - 1]
            which = "the residual" if residual.ndim == 1 else f"residual {where[1]}"
            raise ValueError(
                f"{name} is wrong: at point {where[0]} {which} changes by "
                f"{found[where]:.6g} per unit of a step in {name[3:]}, but "
                f"{name} gives {given[where]:.6g}"
            )


def _differences(
    function: Residual,
    arguments: Arguments,
    place: int,
    direction: FloatArray,
) -> list[FloatArray]:
    """Return the left side of (J35) for the argument at `place`, with each h."""

    def moved(distance: float) -> FloatArray:
        new: list[Any] = list(arguments)
        new[place] = new[place] + distance * direction
        residual, _ = evaluate_residual(function, tuple(new))
        return residual

    # [eq:partial-differences]
    return [central_difference(moved, h) for h in _STEPS]
    # [/eq:partial-differences]


def _direction(argument: FloatArray) -> FloatArray:
    """Return the w of (J35), each component in proportion to its root mean square."""
    scale = np.sqrt((argument**2).mean(axis=0))
    pattern = np.cos(1.0 + 2.3 * np.arange(argument.size)).reshape(argument.shape)
    if argument.ndim == 4:  # the direction of a Hessian is symmetric
        pattern = pattern + pattern.swapaxes(2, 3)
    size = np.where(scale > 0.0, scale, 1.0)
    return np.asarray(size * pattern)


def _along(partial: FloatArray, direction: FloatArray) -> FloatArray:
    """Return the sum of partial times direction over an argument's components."""
    n = len(direction)
    size = direction[0].size
    sums: FloatArray = partial.reshape(n, -1, size) @ direction.reshape(n, size, 1)
    return sums.reshape(partial.shape[: partial.ndim - direction.ndim + 1])
