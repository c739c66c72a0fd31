"""Terms of a differential problem: residuals at points, and their derivatives by the jet of the model's outputs.

A jet u_k of the outputs at a point is a list of numbers: values and derivatives by the inputs, the parts of `jet_kind`. A residual r is a
function of these numbers, so that how it moves with a parameter theta_p is the chain rule dr/d theta_p = sum_k dr/du_k du_k/d theta_p.
The second factors are the model's, by the reverse sweep of `jets`; a term gives the residual and the first ones, the seeds of that sweep:

    (R1)  linear      r_o = c u_o,0 + u_o,s - f_o,    dr_o/du_o,0 = c,    dr_o/du_o,s = 1          (part 0: the value,
    (R2)  function    r = R(x, u, du, d2u),           dr/du_k from the user's partial derivatives        part s: A : D^2 u + b . grad u)
          d2u_pq and d2u_qp are one part of the jet, whose seed is by_d2u_pq + by_d2u_qp

A user's partials are compared with differences of the residual before anything is trained with them: for each argument v = u, du, d2u,

    (R3)  (R(v + h w) - R(v - h w)) / (2 h) = sum_k by_v,k w_k + O(h^2)       with one w for all points, each component in its own size
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, rectangular
from kan_ref.jet_kind import JetKind

Residual = Callable[[FloatArray, FloatArray, FloatArray | None, FloatArray | None], Sequence[FloatArray | None]]
Arguments = tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]  # x, u, du, d2u


@dataclass(frozen=True, eq=False)
class LinearTerm:
    """(Q1) of `equations`, at some points.

    `x` (n, n_in), `kind` with at most one second-order part, `zeroth` (n,) or (1,), `source` (n, n_out) or one number (),
    `weight` (n,) or (1,).
    """

    x: FloatArray
    kind: JetKind
    zeroth: FloatArray
    source: FloatArray
    weight: FloatArray

    def residuals(self, jet: FloatArray) -> FloatArray:
        """(R1), (n_out, n), at the outputs' jet (n_out, n_parts, n)."""
        # [eq:linear-residual]
        residuals: FloatArray = self.zeroth * jet[:, 0] + jet[:, self.kind.second].sum(axis=1) - self.source.T
        # [/eq:linear-residual]
        return residuals

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (n_out, n) and their seeds dr/d jet, (n_out, n_out, n_parts, n)."""
        seeds = np.zeros((len(jet), *jet.shape))
        # [eq:linear-seeds]
        for output, seed in enumerate(seeds):
            seed[output, 0] = self.zeroth
            seed[output, self.kind.second] = 1.0
        # [/eq:linear-seeds]
        return self.residuals(jet), seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """ValueError if the source does not fit the model's outputs."""
        if self.source.ndim and self.source.shape[1] != len(jet):
            raise ValueError(f"{name} gives values for {self.source.shape[1]} outputs, but the model has {len(jet)}")

    def __repr__(self) -> str:
        return f"LinearTerm({len(self.x)} points, {self.kind!r})"


@dataclass(frozen=True, eq=False)
class FunctionTerm:
    """(Q2) of `equations`, at some points.

    `x` (n, n_in), `kind` with all first derivatives (none at order 0) and the second ones of `pairs`, the user's `function`,
    `weight` (n,) or (1,).
    """

    x: FloatArray
    kind: JetKind
    pairs: tuple[tuple[int, int], ...]
    function: Residual
    weight: FloatArray

    def residuals(self, jet: FloatArray) -> FloatArray:
        """(R2), (n_residuals, n), at the outputs' jet (n_out, n_parts, n)."""
        return ask(self.function, self.arguments(jet))[0].reshape(len(self.x), -1).T

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (n_residuals, n) and their seeds dr/d jet, (n_residuals, n_out, n_parts, n)."""
        residual, partials = ask(self.function, self.arguments(jet))
        n, n_out = len(self.x), len(jet)
        seeds = np.zeros((residual.size // n, *jet.shape))
        by_u, by_du, by_d2u = (
            None if p is None else np.moveaxis(p.reshape(n, -1, n_out, *p.shape[residual.ndim + 1 :]), 0, -1) for p in partials
        )
        # [eq:function-seeds]
        if by_u is not None:
            seeds[:, :, 0] = by_u
        if by_du is not None:
            seeds[:, :, self.kind.first] = by_du
        if by_d2u is not None:
            for place, (p, q) in enumerate(self.pairs, start=self.kind.second.start):
                seeds[:, :, place] = by_d2u[:, :, p, q] if p == q else by_d2u[:, :, p, q] + by_d2u[:, :, q, p]
        # [/eq:function-seeds]
        return residual.reshape(n, -1).T, seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """ValueError if shapes do not fit, or a partial derivative is not that of the residual, at this jet."""
        check_partials(self, jet, name)

    def arguments(self, jet: FloatArray) -> Arguments:
        """`x`, u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out, n_in, n_in), nan where a second derivative was not asked for."""
        n_in, du, d2u = self.kind.n_in, None, None
        if self.kind.n_first:
            du = np.ascontiguousarray(jet[:, self.kind.first].transpose(2, 0, 1))
        if self.pairs:
            d2u = np.full((len(self.x), len(jet), n_in, n_in), np.nan)
            for place, (p, q) in enumerate(self.pairs, start=self.kind.second.start):
                d2u[:, :, p, q] = d2u[:, :, q, p] = jet[:, place].T
        return self.x, np.ascontiguousarray(jet[:, 0].T), du, d2u

    def __repr__(self) -> str:
        return f"FunctionTerm({len(self.x)} points, {self.kind!r})"


Term = LinearTerm | FunctionTerm
_PARTIALS = ("by_u", "by_du", "by_d2u")
_STEP, _TOLERANCE, _ROUNDING = 1e-6, 1e-5, 1e-14  # of the differences (R3): h, and what may be between them and the partials, relatively
_MISSES = 10  # one point in so many may sit at a kink, where a difference says nothing


def ask(function: Residual, arguments: Arguments) -> tuple[FloatArray, tuple[FloatArray | None, ...]]:
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
        what = f"{len(answer)} things" if isinstance(answer, Sequence) else f"a {type(answer).__name__}"
        raise TypeError(f"function returned {what}, but must return (residual, by_u, by_du, by_d2u), with None for what is zero")
    n = len(arguments[0])
    residual = _real("residual", answer[0])
    if residual.ndim not in (1, 2) or len(residual) != n or residual.size == 0:
        raise ValueError(f"residual has shape {residual.shape}, but {n} points need shape ({n},) or ({n}, n_residuals)")
    partials: list[FloatArray | None] = []
    for name, value, thing in zip(_PARTIALS, answer[1:], arguments[1:], strict=True):
        if value is None:
            partials.append(None)
            continue
        if thing is None:
            raise ValueError(f"{name} is given, but this term has no such derivatives: its order is too low")
        array, shape = _real(name, value), (*residual.shape, *thing.shape[1:])
        if array.shape != shape:
            raise ValueError(
                f"{name} has shape {array.shape}, but residual {residual.shape} and {name[3:]} {thing.shape} need {name} of shape {shape}"
            )
        partials.append(array)
    return residual, tuple(partials)


def _real(name: str, value: object) -> FloatArray:
    array = rectangular(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, but needs real numbers")
    return array.astype(np.float64, copy=False)


def check_partials(term: FunctionTerm, jet: FloatArray, name: str) -> None:
    """ValueError if a partial derivative of a user's residual is not what differences say at this jet.

    Notes
    -----
    Implements :eq:`partial-differences`. w is fixed and without pattern. Every residual is judged by itself, at every point; of the
    points one in ten may miss, at kinks. At a kink that a start meets exactly, such as |u| at u = 0, a difference to one side will do.
    """
    arguments = term.arguments(jet)
    try:
        residual, partials = ask(term.function, arguments)
        _refuse_non_finite(term, residual, partials)
        size = np.abs(residual)  # of what is added up inside a residual: so much rounding there is
        for partial, thing in zip(partials, arguments[1:], strict=True):
            if partial is not None and thing is not None:
                size = size + _along(np.abs(partial), np.abs(np.nan_to_num(thing)))
        for place, (thing, partial) in enumerate(zip(arguments[1:], partials, strict=True), start=1):
            if thing is not None:
                _compare(term, arguments, place, _direction(np.nan_to_num(thing)), residual, partial, size)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _refuse_non_finite(term: FunctionTerm, residual: FloatArray, partials: Sequence[FloatArray | None]) -> None:
    n_in = term.kind.n_in
    for name, array in zip(("residual", *_PARTIALS), (residual, *partials), strict=True):
        if array is not None and not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0]
            lacking = 0 < len(term.pairs) < n_in * (n_in + 1) // 2
            hint = "; d2u is nan at pairs that the term does not ask for" if lacking else ""
            raise ValueError(f"{name} is {array[tuple(place)]} at point {place[0]} of the start, but must be finite{hint}")


def _compare(
    term: FunctionTerm,
    arguments: Arguments,
    place: int,
    direction: FloatArray,
    residual: FloatArray,
    partial: FloatArray | None,
    size: FloatArray,
) -> None:
    name = _PARTIALS[place - 1]
    # [eq:partial-differences]
    with np.errstate(all="ignore"):  # a step may leave where the residual is defined: then it misses
        ahead, behind = (ask(term.function, _moved(arguments, place, step * direction))[0] for step in (_STEP, -_STEP))
        differences = np.array([(ahead - behind) / (2.0 * _STEP), (ahead - residual) / _STEP, (residual - behind) / _STEP])
        along = np.zeros_like(residual) if partial is None else _along(partial, direction)
        gaps = np.abs(differences - along) - _TOLERANCE * (np.abs(differences) + np.abs(along))
    # [/eq:partial-differences]
    n, reached = len(residual), (gaps <= _ROUNDING / _STEP * size).any(axis=0)  # nan reaches nothing
    misses = ~reached.reshape(n, -1)
    for column in np.flatnonzero(misses.sum(axis=0) > n // _MISSES):
        point, which = int(misses[:, column].argmax()), "the residual" if residual.ndim == 1 else f"residual {column}"
        there, says = differences[0].reshape(n, -1)[point, column], along.reshape(n, -1)[point, column]
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
