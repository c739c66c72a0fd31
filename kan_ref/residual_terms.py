"""Terms of a differential problem: residuals at points, linearized in the jet of the model's outputs.

With the parts of `jet_kind`, u_k the jet of the outputs at a point, a term gives its residuals r and their seeds dr/du_k,

    (R1)  linear      r_o = c u_o,0 + u_o,s - f_o,    dr_o/du_o,0 = c,    dr_o/du_o,s = 1          (s: the operator A : D^2 + b . grad)
    (R2)  function    r = R(x, u, du, d2u),           dr/du_k from the user's partial derivatives; d2u_pq and d2u_qp are one part

A user's partials are asked to agree with central differences of the residual before anything is trained with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.jet_kind import JetKind

Residual = Callable[[FloatArray, FloatArray, FloatArray | None, FloatArray | None], Sequence[FloatArray | None]]
Arguments = tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]  # x, u, du, d2u


@dataclass(frozen=True, eq=False)
class LinearTerm:
    """(Q1): `x` (n, n_in), `kind` with at most one second-order part, `zeroth` (n,) or (1,), `source` (n, n_out) or (1, 1), `weight`."""

    x: FloatArray
    kind: JetKind
    zeroth: FloatArray
    source: FloatArray
    weight: FloatArray

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (n_out, n) and their seeds dr/d jet, (n_out, n_out, n_parts, n), at the outputs' jet (n_out, n_parts, n)."""
        # [eq:linear-residual]
        residuals = self.zeroth * jet[:, 0] + jet[:, self.kind.second].sum(axis=1) - self.source.T
        # [/eq:linear-residual]
        seeds = np.zeros((len(jet), *jet.shape))
        for output, seed in enumerate(seeds):
            seed[output, 0] = self.zeroth
            seed[output, self.kind.second] = 1.0
        return residuals, seeds

    def check(self, jet: FloatArray) -> None:
        """ValueError if the source does not fit the model's outputs."""
        if self.source.shape[1] not in (1, len(jet)) or (self.source.shape[1] == 1 and len(jet) > 1 and len(self.source) > 1):
            raise ValueError(f"source has {self.source.shape[1]} columns, but the model has {len(jet)} outputs")

    def __repr__(self) -> str:
        return f"LinearTerm({len(self.x)} points, {self.kind!r})"


@dataclass(frozen=True, eq=False)
class FunctionTerm:
    """(Q2): `x` (n, n_in), `kind` with all first derivatives and those of `pairs`, the user's `function`, `weight`."""

    x: FloatArray
    kind: JetKind
    pairs: tuple[tuple[int, int], ...]
    function: Residual
    weight: FloatArray

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

    def check(self, jet: FloatArray) -> None:
        """ValueError if shapes do not fit, or a partial derivative is not that of the residual, at this jet."""
        check_partials(self, jet)

    def arguments(self, jet: FloatArray) -> Arguments:
        """X, u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out, n_in, n_in), nan where a second derivative was not asked for."""
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
_STEP, _TOLERANCE, _ROUNDING = 1e-6, 1e-5, 1e-15  # of the central difference that judges a user's partials


def ask(function: Residual, arguments: Arguments) -> tuple[FloatArray, tuple[FloatArray | None, ...]]:
    """What a user's residual answers: the residual (n,) or (n, n_residuals), and its three partials, shapes checked."""
    answer: Any = function(*arguments)
    if not isinstance(answer, Sequence) or len(answer) != 4:
        what = f"{len(answer)} things" if isinstance(answer, Sequence) else f"a {type(answer).__name__}"
        raise TypeError(f"function returned {what}, but must return (residual, by_u, by_du, by_d2u), with None for what is zero")
    n = len(arguments[0])
    residual = np.asarray(answer[0], dtype=np.float64)
    if residual.ndim not in (1, 2) or len(residual) != n:
        raise ValueError(f"residual has shape {residual.shape}, but {n} points need shape ({n},) or ({n}, n_residuals)")
    partials: list[FloatArray | None] = []
    for name, value, thing in zip(_PARTIALS, answer[1:], arguments[1:], strict=True):
        if value is None:
            partials.append(None)
            continue
        if thing is None:
            raise ValueError(f"{name} is given, but this term has no such derivatives: its order is too low")
        shape = (*residual.shape, *thing.shape[1:])
        array = np.asarray(value, dtype=np.float64)
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, but the residual's {residual.shape} and {name[3:]} need {shape}")
        partials.append(array)
    return residual, tuple(partials)


def check_partials(term: FunctionTerm, jet: FloatArray) -> None:
    """ValueError if a partial derivative of a user's residual is not what a central difference says at this jet.

    Notes
    -----
    Each argument moves along one fixed direction without pattern, all samples at once; a tenth of them may miss, at kinks.
    """
    arguments = term.arguments(jet)
    residual, partials = ask(term.function, arguments)
    if not np.isfinite(residual).all():
        sample = int(np.argwhere(~np.isfinite(residual))[0][0])
        hint = "; d2u is nan at pairs that the term does not ask for" if term.pairs else ""
        raise ValueError(f"residual is {residual[sample]} at point {sample} of the start, but must be finite{hint}")
    for place, (name, partial) in enumerate(zip(_PARTIALS, partials, strict=True), start=1):
        thing = arguments[place]
        if thing is None:
            continue
        direction = np.cos(1.0 + 2.3 * np.arange(thing.size)).reshape(thing.shape) * max(1.0, float(np.nanmax(np.abs(thing))))
        if thing.ndim == 4:
            direction += direction.swapaxes(2, 3)  # a Hessian stays symmetric
        ahead, behind = (_moved(arguments, place, sign * _STEP * direction) for sign in (1.0, -1.0))
        difference = (ask(term.function, ahead)[0] - ask(term.function, behind)[0]) / (2.0 * _STEP)
        along = np.zeros_like(residual)
        if partial is not None:
            products = partial * direction.reshape(len(thing), *(1,) * (residual.ndim - 1), *thing.shape[1:])
            along = products.sum(axis=tuple(range(residual.ndim, products.ndim)))
        allowed = _TOLERANCE * (np.abs(difference) + np.abs(along)) + _ROUNDING / _STEP * np.abs(residual).max()
        if not np.quantile(np.abs(difference - along) - allowed, 0.9) <= 0.0:  # also refuses nan
            raise ValueError(
                f"{name} is wrong: along a direction residuals change by {np.abs(difference).mean():.6g} a unit, in the mean over points, "
                f"{name} says {np.abs(along).mean():.6g}"
            )


def _moved(arguments: Arguments, place: int, step: FloatArray) -> Arguments:
    x, u, du, d2u = arguments
    return (
        x,
        u + step if place == 1 else u,
        du + step if place == 2 and du is not None else du,
        d2u + step if place == 3 and d2u is not None else d2u,
    )
