"""Composed functions f(g(u)) of two functions of the library, with three derivatives.

Theorem (Faa di Bruno's formula for orders 1 to 3, the chain rule applied up to three times).
With v = g(u), f', f'', f''' taken at v and g', g'', g''' at u,

    (F23)  (f o g)'   = f' g'
    (F24)  (f o g)''  = f'' g'^2 + f' g''
    (F25)  (f o g)''' = f''' g'^3 + 3 f'' g' g'' + f' g'''

A composed function has no parameters of its own: on an edge c f(g(a x + b)) + d, the four affine
parameters are all that is trained. A scale or a shift between f and g needs two edges.

Symmetries follow from those of f and g (`record`). If g is a power of degree m, f(g(u)) is a power
of degree n m for a power f of degree n, and f(g(s u)) = f(g(u)) + n m log s for a logarithm. If g
is an exponential with the factor m, powers of it are exponentials with n m; if g is a logarithm
with the factor m, e^(n g) is a power of degree n m. f(g) is even where g is even, and where g is
odd it has the parity of f. If g repeats up to its sign, so does f(g) for an even or odd f; else
f(g) repeats after the full period of g. Since sin(pi - u) = sin u, f(sin u) has the same mirror.

In float64 a derivative of f can underflow where the powers of g' are huge, so that their product
has no digits. The derivative of f(g(u)) is then 0 where f levels off, as it is in exact arithmetic
up to 1e-90, and elsewhere nan, which the network reports. The same holds for 0 times infinity.
Where a derivative of f overflows, that of f(g(u)) is infinite or nan, however small g' is.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions.composed_domain import composed_domain
from kan_ref.functions.record import EVERYWHERE, Function, Redundancy, composed_name, near_domain
from kan_ref.functions.values import Four

MOST_PARTS = 6  # functions in one composition
SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)
LARGE_POWERS = (
    1e200  # of g': times the rounding of a number below SMALLEST_NORMAL it is below 1e-107
)
LEVEL = 1e100  # |v| from which a function that levels off is constant
SAME = 1e-9  # of u: singular points nearer to each other are one
NEAR_ZERO = 1e-6  # of |u|: nearer to 0, a large v is a pole of g

# order of f o g -> order of f, factor, orders of g: (F23), (F24), (F25)
TERMS: dict[int, tuple[tuple[int, float, tuple[int, ...]], ...]] = {
    1: ((1, 1.0, (1,)),),
    2: ((2, 1.0, (1, 1)), (1, 1.0, (2,))),
    3: ((3, 1.0, (1, 1, 1)), (2, 3.0, (1, 2)), (1, 1.0, (3,))),
}


@dataclass(frozen=True)
class Composed:
    """The derivative of order `order` of f(g(u)).

    `outer` and `inner` are the value and the derivatives of f and g. `vanishing` are the orders of
    the derivatives of f that are 0 everywhere.
    """

    outer: Four
    inner: Four
    order: int
    vanishing: tuple[int, ...] = ()

    def __call__(self, u: FloatArray) -> FloatArray:
        """Evaluate at each number of `u`."""
        u = np.asarray(u, dtype=np.float64)
        f, g = self.outer, self.inner
        with np.errstate(all="ignore"):
            v = g[0](u)
            if self.order == 0:
                return f[0](v)
            slopes = [part(u) for part in g[: self.order + 1]]
            value = f[0](v)
            levels_off = (
                (np.abs(v) > LEVEL)
                & (np.abs(u) > NEAR_ZERO)
                & np.isfinite(f[0](np.copysign(np.inf, v)))
            )
            total, lost = np.zeros_like(v), np.zeros(v.shape, dtype=bool)
            # [eq:faa-di-bruno]
            for order, factor, orders in TERMS[self.order]:
                if order not in self.vanishing:
                    slope = f[order](v)
                    term, size = factor * slope, np.ones_like(v)
                    for k in orders:  # from the left: the powers of g' alone could overflow
                        term, size = term * slopes[k], size * slopes[k]
                    total = total + term
                    lost |= ~(np.abs(slope) >= SMALLEST_NORMAL) & ~(np.abs(size) < LARGE_POWERS)
            # [/eq:faa-di-bruno]
            total = np.where(lost, np.where(levels_off, 0.0, np.nan), total)
            return np.where(np.isnan(value), np.nan, total)


def compose_records(outer: Function, inner: Function) -> Function:
    """Return the record of f(g(u)), g possibly composed itself.

    ValueError if f or g is constant or a line, or if f(g(u)) is defined on no interval.
    """
    parts = (outer, *(inner.parts or (inner,)))
    name = composed_name([part.name for part in parts])
    for role, part in (("outer", outer), ("inner", inner)):
        if part.redundancy.kind in ("constant", "line"):
            what = "a constant" if part.redundancy.kind == "constant" else "a line"
            raise ValueError(
                f"{name!r} has the {role} function {part.name!r}, which is {what}: a, b, c, d of "
                "an edge are all that it could add, so leave it out"
            )
    domain, singular = composed_domain(outer, inner)
    if domain is None:
        raise ValueError(
            f"{name!r} is defined on no interval: {outer.name!r} needs values that {inner.name!r} "
            "does not have"
        )
    redundancy = composed_redundancy(outer.redundancy, inner.redundancy)
    if redundancy.turn:
        singular = _in_one_turn(singular, redundancy.turn)
    f, g = _four(outer), _four(inner)
    vanishing = _vanishing(outer.redundancy)
    return Function(
        name,
        Composed(f, g, 0),
        Composed(f, g, 1, vanishing),
        Composed(f, g, 2, vanishing),
        Composed(f, g, 3, vanishing),
        domain,
        outer.complexity + inner.complexity,
        singular,
        redundancy,
        search_grids=_search_grids(parts[-1], domain, singular, redundancy),
        parts=parts,
    )


def _search_grids(
    innermost: Function,
    domain: tuple[float, float],
    singular: tuple[float, ...],
    redundancy: Redundancy,
) -> tuple[str, ...]:
    """Return the grids for the search of a and b; empty where other fields choose them."""
    is_wide = near_domain(domain) == EVERYWHERE
    if redundancy.kind != "free" or singular or not is_wide or redundancy.turn:
        return ()
    grids = innermost.search_grids
    grids = grids if grids == ("features",) else ("slow oscillations",)
    return grids if domain == EVERYWHERE else ("domain", *grids)


def _four(function: Function) -> Four:
    return function.f, function.d1, function.d2, function.d3


def _vanishing(redundancy: Redundancy) -> tuple[int, ...]:
    """Return the orders of derivatives that are 0: above n for a power (F17) of degree n >= 0."""
    degree = redundancy.degree
    if redundancy.kind != "power" or degree < 0.0 or not float(degree).is_integer():
        return ()
    return tuple(order for order in (1, 2, 3) if order > degree)


def _in_one_turn(points: tuple[float, ...], turn: float) -> tuple[float, ...]:
    """Return points moved by multiples of `turn` into [0, turn), each once."""
    found: list[float] = []
    for point in sorted(points, key=abs):  # those near 0 are the most accurate
        moved = point % turn
        distances = [min(abs(moved - one), turn - abs(moved - one)) for one in found]
        if min(distances, default=turn) > SAME:
            found.append(moved)
    return tuple(sorted(found))


def composed_redundancy(outer: Redundancy, inner: Redundancy) -> Redundancy:
    """Return the symmetries of f(g(u)) from those of f and g."""
    kind, degree = "free", 0.0
    if inner.kind == "power" and inner.degree == 0.0:  # a step: f(g) is one too
        kind = "power"
    elif inner.kind == "power" and outer.kind == "power":
        kind, degree = "power", outer.degree * inner.degree
    elif inner.kind == "power" and outer.kind == "log":
        kind, degree = "log", outer.factor * inner.degree
    elif inner.kind == "exp" and outer.kind == "power" and outer.degree != 0.0:
        kind, degree = "exp", outer.degree * inner.factor
    elif inner.kind == "log" and outer.kind == "exp":
        kind, degree = "power", outer.factor * inner.factor
    parity, middle = 0, 0.0
    if inner.parity == 1:
        parity = 1
    elif inner.parity == -1 and inner.middle == 0.0:
        parity, middle = outer.parity, outer.middle
    mirror = inner.mirror
    if inner.parity == -1 and inner.middle == 0.0 and inner.turn_sign == -1:
        mirror = inner.turn  # g(turn - u) = -g(u - turn) = g(u)
    turn, turn_sign = inner.turn, 1
    if inner.turn_sign == -1:
        if outer.parity == -1 and outer.middle == 0.0:
            turn_sign = -1
        elif outer.parity != 1:
            turn = 2.0 * inner.turn
    return Redundancy(
        kind, degree, parity, middle, turn, turn_sign, mirror=0.0 if parity else mirror
    )
