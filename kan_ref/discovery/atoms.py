"""The table of columns by which curves are named: functions at lines, compositions, products.

On the interval of the samples let t = (x - middle) / half width lie in [-1, 1]. Lines are laid
where f bends on the interval, in units of t, and at textbook values in the user's units, such as
x, 3 x, pi x and x + 1. For a composition f(alpha g + beta), g is scaled to [-1, 1], too: the shape
of a power or a logarithm depends on beta / alpha alone, that of an exponential on alpha alone.

For columns p, q of the table and targets y, all of length 1,

    (D13)  min over a, b of |y - a p - b q|^2 = 1 - (r_p^2 + r_q^2 - 2 g r_p r_q) / (1 - g^2)

with r_p = p . y, r_q = q . y, g = p . q: for all pairs at once these are a few matrix products.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply
from kan_ref.functions import lookup

ZEROS = tuple(np.linspace(-1.5, 1.5, 13))
OUTSIDE = (1.02, 1.15, 1.5, 2.5, 6.0)  # of zeros and poles, on both sides
RATES = tuple(np.geomspace(0.3, 16.0, 15))
FREQUENCIES = (0.7, 1.2, 1.8, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0)
CENTRES = (-1.0, -0.5, 0.0, 0.5, 1.0)
TEXTBOOK_SCALES = (1.0, 2.0, 3.0, 0.5, np.pi, 2.0 * np.pi)
SCALES = (0.3, 0.8, 1.6, 3.2, 6.0)
EXPONENTS = (0.2, 0.25, 1 / 3, 0.4, 0.6, 2 / 3, 0.75, 0.8, 1.25, 4 / 3, 5 / 3, 2.5, 3.5,
             -0.2, -1 / 3, -2 / 3, -1.5, -2.5)  # fmt: skip
PHASES = (0.0, 0.25 * np.pi, 0.5 * np.pi, 0.75 * np.pi)
TEXTBOOK = ("x", "x^2", "x^3", "x^4", "x^5", "sin", "cos", "exp", "log", "sqrt", "1/x", "1/x^2")
PLAIN_SCALES = (1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5)  # of factors, whose shifts are 0 or 1
MOST_PLAIN = 60
POWERS = ("x", "x^2", "x^3", "sqrt", "1/x", "1/x^2", "1/x^3", "1/sqrt")  # times any of
WAVES = ("exp", "sin", "cos", "gaussian", "tanh")
LARGEST = 1e100
_POWERS = ("x^2", "x^3", "x^4", "x^5", "sqrt", "1/x")
_UNDONE = {"sqrt": _POWERS, "1/x": _POWERS, "log": (*_POWERS, "exp"), "exp": ("log",)}  # simpler
Line = tuple[float, float]


@dataclass(frozen=True)
class Atom:
    """A function of the library at a line of x, or of another atom, perhaps times another one.

    `group` names the functions; `size` is the largest absolute value at the samples.
    """

    name: str
    line: Line
    inner: "Atom | None" = None
    other: "Atom | None" = None
    size: float = 1.0

    @property
    def group(self) -> str:
        """The functions, without the lines."""
        name = self.name if self.inner is None else f"{self.name}({self.inner.group})"
        return name if self.other is None else f"{name} * {self.other.group}"

    @property
    def is_textbook(self) -> bool:
        """Whether the line has no number but 1 and 0, and the function is one of `TEXTBOOK`."""
        is_known = self.name in TEXTBOOK or self.name in POWERS
        return self.line == (1.0, 0.0) and self.inner is None and is_known

    @property
    def is_plain(self) -> bool:
        """Whether products with it are formed."""
        is_simple = self.line[0] in PLAIN_SCALES and self.line[1] in (0.0, 1.0)
        return is_simple and (self.inner is None or self.inner.line == self.line == (1.0, 0.0))

    @property
    def is_inner(self) -> bool:
        """Whether it is tried inside of other functions."""
        is_any = self.name in ("x^2", "x^3", "exp", "sin")
        return is_any or (self.name in ("x^4", *TEXTBOOK[6:11]) and self.line[1] in (0.0, 1.0))

    @property
    def tree(self) -> Tree:
        """The atom as a tree; a scale 1 and a shift 0 are fixed, other numbers are trainable."""
        scale, shift = self.line
        part = Input(0) if self.inner is None else self.inner.tree
        part = part if scale == 1.0 else multiply(Number(scale), part)
        tree = apply(self.name, part if shift == 0.0 else add(part, Number(shift)))
        return tree if self.other is None else multiply(tree, self.other.tree)


def column_table(x: FloatArray) -> tuple[list[Atom], FloatArray, tuple[int, int]]:
    """Return the columns that suit the points x (n,), and their values (n, n_columns) in units of
    the largest one. The first ones are textbook functions, then come others that are no
    compositions; the numbers of the former and of both are returned, too.
    """
    single = [Atom("x", (1.0, 0.0)), *_single(float(x.min()), float(x.max()))]
    atoms, table = _fine(single, [_values(one, x) for one in single])
    inner = [k for k, atom in enumerate(atoms) if atom.is_inner]
    for k in inner:
        new = list(_composed(atoms[k], table[:, k] * atoms[k].size))
        both = _fine(new, [_values(one, table[:, k] * atoms[k].size) for one in new])
        atoms, table = [*atoms, *both[0]], np.hstack([table, both[1]])
    plain = sorted(range(len(atoms)), key=lambda k: not atoms[k].is_textbook)
    plain = [k for k in plain if atoms[k].is_textbook or atoms[k].is_plain][:MOST_PLAIN]
    pairs = [(p, q) for n, p in enumerate(plain) for q in plain[n:]]
    powers = [k for k, atom in enumerate(atoms) if atom.is_textbook and atom.name in POWERS]
    waves = [
        k for k, a in enumerate(atoms) if a.inner is None and a.name in WAVES and not a.is_plain
    ]
    pairs += [(p, q) for p in powers for q in waves]
    products = [replace(atoms[p], other=atoms[q]) for p, q in pairs]
    sizes = np.array([atom.size for atom in atoms])
    values = [table[:, p] * table[:, q] * (sizes[p] * sizes[q]) for p, q in pairs]
    both = _fine(products, values)
    atoms, table = [*atoms, *both[0]], np.hstack([table, both[1]])
    kinds = [1 + ("(" in a.group) if a.other or not a.is_textbook else 0 for a in atoms]
    order = sorted(range(len(atoms)), key=lambda k: (kinds[k], not atoms[k].is_plain))
    counts = kinds.count(0), len(kinds) - kinds.count(2)
    return [atoms[k] for k in order], table[:, order], counts


def _values(atom: Atom, g: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        return np.asarray(lookup(atom.name).f(atom.line[0] * g + atom.line[1]))


def _fine(atoms: list[Atom], values: list[FloatArray]) -> tuple[list[Atom], FloatArray]:
    """Return the atoms that are finite and not constant, with their values in units of the size."""
    table = np.stack(values, axis=1) if values else np.zeros((0, 0))
    with np.errstate(all="ignore"):
        size = np.abs(table).max(axis=0, initial=0.0)
        fine = np.isfinite(table).all(axis=0) & (size < LARGEST) & (size > 1.0 / LARGEST)
        table = table / np.where(fine, size, 1.0)
        fine &= np.std(np.where(fine, table, 0.0), axis=0) > 1e-9
    kept = np.flatnonzero(fine).tolist()
    return [replace(atoms[k], size=float(size[k])) for k in kept], table[:, kept]


def _single(low: float, high: float) -> Iterator[Atom]:
    """Yield functions at lines of x."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)

    def laid(scale: float, zero: float) -> Line:
        """Return the line scale (t - zero) in units of x."""
        return scale / half, -scale * (middle / half + zero)

    plain, zeros = (1.0, 0.0), [laid(1.0, zero) for zero in ZEROS]
    outside = [laid(s, -s * zero) for zero in OUTSIDE for s in (1.0, -1.0)]
    sides = [plain, (1.0, 1.0), (-1.0, 1.0), *outside]
    natural = [(rate, 0.0) for rate in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)]
    waves = [(scale, 0.0) for scale in TEXTBOOK_SCALES] + [laid(s, 0.0) for s in FREQUENCIES]
    bends = [laid(scale, centre) for scale in (1.0, 2.0, 4.0) for centre in CENTRES]
    steep = [plain, *(laid(scale, 0.0) for scale in (0.5, 0.9, 0.99))]
    lines = {
        "x^2": [plain, (1.0, 0.5), (1.0, -0.5), *zeros],  # x^2 + x is (x + 1/2)^2 - 1/4
        **{name: [plain, *zeros] for name in ("x^3", "x^4", "abs")},
        "x^5": [plain],
        **dict.fromkeys(("log", "sqrt", "1/sqrt", "1/x^3", "x^1.5"), sides),
        **{name: [*sides, *zeros] for name in ("1/x", "1/x^2")},
        "exp": [*natural, *(laid(sign * rate, 0.0) for rate in RATES for sign in (1.0, -1.0))],
        **dict.fromkeys(("sin", "cos"), waves),
        **dict.fromkeys(("tanh", "arctan", "gaussian"), bends),
        **dict.fromkeys(("arcsin", "arctanh", "tan"), steep),
    }
    yield from (Atom(name, line) for name, some in lines.items() for line in some)


def _composed(inner: Atom, g: FloatArray) -> Iterator[Atom]:
    """Yield compositions f(alpha g + beta) with a function g of x, whose values are given."""
    middle, half = 0.5 * float(g.min() + g.max()), 0.5 * float(g.max() - g.min())

    def laid(name: str, scale: float, beta: float) -> Atom:
        """Return f(scale t + beta), where g = middle + half t."""
        return Atom(name, (scale / half, beta - scale * middle / half), inner)

    for name in ("log", "sqrt", "1/x", "1/x^2", "1/sqrt"):
        if inner.name != name:
            yield from (laid(name, sign, ratio) for ratio in OUTSIDE for sign in (1.0, -1.0))
    if inner.name != "log":
        yield from (laid("exp", sign * scale, 0.0) for scale in SCALES for sign in (1.0, -1.0))
    yield from (laid("sin", scale, phase) for scale in SCALES for phase in PHASES)
    if inner.name not in ("x^2", "x^3", "x^4", "sqrt"):
        yield from (laid("x^2", 1.0, -zero) for zero in (-0.5, 0.0, 0.5))
    yield from (laid("tanh", scale, shift) for scale in (0.8, 2.0) for shift in (-1.0, 0.0, 1.0))
    shifts = [-0.25] if inner.name == "x^2" and abs(inner.line[1]) == 0.5 else []
    for name in ("exp", "sin", "cos", "log", "sqrt", "1/x"):  # as in textbooks
        if inner.name != name:
            lines = [(1.0, 0.0), (-1.0, 0.0)] if inner.name not in _UNDONE.get(name, ()) else []
            yield from (Atom(name, line, inner) for line in [*lines, (1.0, 1.0), (-1.0, 1.0)])
        yield from (Atom(name, (1.0, shift), inner) for shift in shifts)
    if inner.name == "log":
        yield from (Atom("exp", (exponent, 0.0), inner) for exponent in EXPONENTS)  # x^p


def power_of(variable: Tree, exponent: float) -> Tree:
    """Return a power of a tree, with an integer or a half as the exponent, as a tree."""
    whole, half = divmod(abs(exponent), 1.0)
    parts = [apply("x^3", variable)] * (int(whole) // 3) if whole > 5.0 else []
    left = int(whole) - 3 * len(parts)
    if left:
        parts.append(apply("x" if left == 1 else f"x^{left}", variable))
    if half:
        parts.append(apply("sqrt", variable))
    product = multiply(*parts)
    return apply("1/x", product) if exponent < 0.0 else product


def variable_of(x: FloatArray) -> tuple[Tree, float]:
    """Return the variable of polynomials: x - middle and the middle; x and 0 if x is near 0."""
    middle, half = 0.5 * float(x.min() + x.max()), 0.5 * float(x.max() - x.min())
    if abs(middle) <= 4.0 * half:
        return Input(0), 0.0
    return add(Input(0), Number(-middle, True)), middle


def polynomial(degree: int, x: FloatArray) -> Tree:
    """Return a polynomial with all powers; in x - middle where x is far from 0."""
    variable, _ = variable_of(x)
    terms = [multiply(Number(1.0), power_of(variable, power)) for power in range(1, degree + 1)]
    return add(Number(0.0), *terms)


def pair_misfit(r_p: FloatArray, r_q: FloatArray, g: FloatArray) -> FloatArray:
    """Compute (D13); 1 where the two columns are nearly one."""
    # [eq:pair-misfit]
    rest = 1.0 - g**2
    misfit = 1.0 - (r_p**2 + r_q**2 - 2.0 * g * r_p * r_q) / np.maximum(rest, 1e-6)
    # [/eq:pair-misfit]
    return np.where(rest > 1e-6, misfit, 1.0)


def smallest(misfit: FloatArray, n: int) -> Iterator[tuple[int, int]]:
    """Yield the indices of the n smallest entries."""
    flat = misfit.ravel()
    n = min(n, flat.size)
    for k in np.argpartition(flat, n - 1)[:n]:
        yield int(k) // misfit.shape[1], int(k) % misfit.shape[1]
