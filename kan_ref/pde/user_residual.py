"""Residuals that users define: evaluation, and a check of their partial derivatives.

A nonlinear differential equation is given as a function R(x, u, du, d2u) of the points and of a
model's values and derivatives there. The function also returns its partial derivatives with respect
to u, du and d2u. Before training they are compared with central differences of R. For each argument
v = u, du, d2u,

    (J35)  (R(v + h w) - R(v - h w)) / (2 h) = sum_k by_v,k w_k + O(h^2)

with one direction w for all points, in which each component has its own size. A partial derivative
is wrong where both sides differ and a smaller step h gives nearly the same difference. Where it
does not, R varies too fast for differences.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.pde.scales import Scales

Residual = Callable[
    [FloatArray, FloatArray, FloatArray | None, FloatArray | None], Sequence[FloatArray | None]
]
Wrong = tuple[int, int, float, float]  # point, number of the residual, both sides of (J35)
Arguments = tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]  # x, u, du, d2u
_PARTIALS = ("by_u", "by_du", "by_d2u")
_DERIVED = tuple(f"derivative of the residual with respect to {name[3:]}" for name in _PARTIALS)
_STEPS = (1e-6, 1e-8)  # the h of (J35)
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
        raise TypeError(
            "function must return four items, (residual, by_u, by_du, by_d2u), with None for a "
            "partial derivative that is zero"
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
    array = checks.rectangular(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, but needs real numbers")
    return array.astype(np.float64, copy=False)


# --- partial derivatives against differences


@np.errstate(all="ignore")  # R may be undefined after a step: nan agrees with nothing
def check_partials(
    function: Residual,
    arguments: Arguments,
    name: str,
    *,
    derived: bool = False,
    scales: Scales | None = None,
    values: str = "the initial model",
) -> None:
    """Raise an error if a partial derivative of a residual disagrees with differences.

    Parameters
    ----------
    function : callable
    arguments : (x, u, du, d2u)
        Of the initial model. d2u is nan at second derivatives that the term does not use.
    name : str
        Name of the term, with which every message begins.
    derived : bool
        Whether SymPy has derived the partial derivatives from an equation, and not the user.
    scales : Scales, optional
        Of the equation, whose unknowns m + s v are rounded relative to m, however small v is.
    values : str
        What the arguments belong to, for the messages.

    Raises
    ------
    ValueError, TypeError
        "terms[0]: by_u is wrong: at point 3, for the initial model, the residual changes by 2 per
        unit along a direction of u, but by_u gives 1".

    Notes
    -----
    Implements :eq:`partial-differences`. The direction w is fixed and irregular. Every residual is
    checked separately, at every point. One point in ten may disagree, at kinks such as that of |u|.
    """
    try:
        _compare_all(function, arguments, derived, scales, values)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _compare_all(
    function: Residual, arguments: Arguments, derived: bool, scales: Scales | None, values: str
) -> None:
    """Raise an error as `check_partials`, without the name of the term."""
    residual, partials = evaluate_residual(function, arguments)
    _, u, du, d2u = arguments
    _check_finite(d2u, (residual, *partials), derived, values)
    size = np.abs(residual)  # becomes the sum of R's absolute terms: rounding is relative to it
    n_out = u.shape[1]
    middle = 0.0 if scales is None else scales.output_middle(n_out) / scales.output_size(n_out)
    for partial, argument, offset in zip(partials, (u, du, d2u), (middle, 0.0, 0.0), strict=True):
        if partial is not None and argument is not None:
            size = size + _along(np.abs(partial), np.abs(np.nan_to_num(argument)) + np.abs(offset))
    again, _ = evaluate_residual(function, arguments)
    if (np.abs(again - residual) > _ROUNDING * size).any():
        raise ValueError(
            "function returns another residual when it is called again with the same arguments, "
            "but must return the same: draw random numbers once, before it is called"
        )
    for place, (partial, argument) in enumerate(zip(partials, (u, du, d2u), strict=True), start=1):
        if argument is not None:
            direction = _direction(np.nan_to_num(argument))
            along = np.zeros_like(residual) if partial is None else _along(partial, direction)
            wrong = _disagreement(function, arguments, place, direction, along, size)
            if wrong is not None:
                raise ValueError(_message(place, wrong, residual.ndim, derived, values))


def _check_finite(
    d2u: FloatArray | None, arrays: Sequence[FloatArray | None], derived: bool, values: str
) -> None:
    """Raise ValueError if the residual or a partial derivative is not finite."""
    lacking = d2u is not None and np.isnan(d2u).any() and not derived
    names = ("residual", *(_DERIVED if derived else _PARTIALS))
    for name, array in zip(names, arrays, strict=True):
        if array is not None and not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0]
            hint = "; d2u is nan at pairs that are not in pairs=" if lacking else ""
            if derived:
                hint = (
                    ": fit the model first to data with values at which the equation is defined, "
                    "or give equation_term scales= with such values"
                )
            raise ValueError(
                f"{name} is {array[tuple(place)]} at point {place[0]} for {values}, "
                f"but must be finite{hint}"
            )


def _disagreement(
    function: Residual,
    arguments: Arguments,
    place: int,
    direction: FloatArray,
    along: FloatArray,
    size: FloatArray,
) -> Wrong | None:
    """Return where both sides of (J35) differ for the argument at `place`, or None.

    `along`: the right side of (J35).
    """

    def difference(step: float) -> FloatArray:
        # [eq:partial-differences]
        ahead, behind = (
            evaluate_residual(function, _moved(arguments, place, one * direction))[0]
            for one in (step, -step)
        )
        return (ahead - behind) / (2.0 * step)
        # [/eq:partial-differences]

    found, nearer = (difference(step) for step in _STEPS)
    error = np.abs(found - along)
    allowed = _TOLERANCE * (np.abs(found) + np.abs(along)) + _ROUNDING / _STEPS[0] * size
    wrong = (error > allowed) & (np.abs(nearer - found) < 0.5 * error)
    wrong = wrong.reshape(len(wrong), -1)
    often = wrong.sum(axis=0) > len(wrong) // _MISSES
    if not often.any():
        return None
    column = int(often.argmax())
    point = int(wrong[:, column].argmax())
    limit, given = (float(one.reshape(wrong.shape)[point, column]) for one in (found, along))
    return point, column, limit, given


def _message(place: int, wrong: Wrong, ndim: int, derived: bool, values: str) -> str:
    """Return the message on a partial derivative that disagrees with differences."""
    point, column, limit, given = wrong
    name = _PARTIALS[place - 1]
    which = "the residual" if ndim == 1 else f"residual {column}"
    seen = (
        f"at point {point}, for {values}, {which} changes by {limit:.6g} per unit along a "
        f"direction of {name[3:]}, but"
    )
    if derived:
        return (
            f"{seen} the derivative that SymPy has derived gives {given:.6g}: write the equation "
            "without jumps, and without differences of large numbers, whose rounding is large"
        )
    return f"{name} is wrong: {seen} {name} gives {given:.6g}"


def _direction(argument: FloatArray) -> FloatArray:
    """Return the w of (J35), each component in proportion to its root mean square."""
    scale = np.sqrt((argument**2).mean(axis=0))
    pattern = np.cos(1.0 + 2.3 * np.arange(argument.size)).reshape(argument.shape)
    if argument.ndim == 4:  # the direction of a Hessian is symmetric
        pattern = pattern + pattern.swapaxes(2, 3)
    return np.asarray(np.where(scale > 0.0, scale, 1.0) * pattern)


def _along(partial: FloatArray, direction: FloatArray) -> FloatArray:
    """Return the sum of partial times direction over an argument's components."""
    n, size = len(direction), direction[0].size
    sums: FloatArray = partial.reshape(n, -1, size) @ direction.reshape(n, size, 1)
    return sums.reshape(partial.shape[: partial.ndim - direction.ndim + 1])


def _moved(arguments: Arguments, place: int, step: FloatArray) -> Arguments:
    """Return the arguments with a step added to the one at `place`."""
    moved: list[Any] = list(arguments)
    moved[place] = moved[place] + step
    return moved[0], moved[1], moved[2], moved[3]
