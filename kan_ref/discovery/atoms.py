"""A table of curves f(a x + b) and compositions f(alpha g + beta), and the fits of its pairs.

On the interval of the data let t = (x - middle) / half width lie in [-1, 1]. Initial lines are laid
where f bends on the interval, in units of t, and at textbook values in the user's units, such as x,
3 x, pi x and x + 1. For a composition, g is scaled to [-1, 1] too: for u = alpha g + beta the
shape of a power or a logarithm depends on the ratio beta / alpha alone, that of an exponential
on alpha alone.

For columns p, q of the table and targets y, all centred and of length 1,

    (D13)  min over a, b of |y - a p - b q|^2 = 1 - (r_p^2 + r_q^2 - 2 g r_p r_q) / (1 - g^2)

with r_p = p . y, r_q = q . y, g = p . q: for all pairs at once these are a few matrix products.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, fixed, multiply
from kan_ref.functions import lookup

ZEROS = tuple(np.linspace(-1.5, 1.5, 13))
OUTSIDE = (1.02, 1.15, 1.5, 2.5, 6.0)  # of zeros and poles, on both sides
RATES = (0.4, 1.0, 2.0, 4.0, 8.0)
FREQUENCIES = (0.7, 1.2, 1.8, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0)
CENTRES = (-1.0, -0.5, 0.0, 0.5, 1.0)
ONE_SIDED = ("log", "sqrt", "1/sqrt", "1/x", "1/x^2", "1/x^3", "x^1.5")
TEXTBOOK_SCALES = (1.0, 2.0, 3.0, 0.5, np.pi, 2.0 * np.pi)
RATIOS = (1.02, 1.15, 1.5, 2.5, 6.0)
SCALES = (0.3, 0.8, 1.6, 3.2, 6.0)
EXPONENTS = (0.2, 0.25, 1 / 3, 0.4, 0.6, 2 / 3, 0.75, 0.8, 1.25, 4 / 3, 5 / 3, 2.5, 3.5,
             -0.2, -1 / 3, -2 / 3, -1.5, -2.5)  # fmt: skip
PHASES = (0.0, 0.25 * np.pi, 0.5 * np.pi, 0.75 * np.pi)
LARGEST = 1e100
_POWERS = ("x^2", "x^3", "x^4", "x^5", "sqrt", "1/x")
_UNDONE = {
    "sqrt": _POWERS,
    "1/x": _POWERS,
    "log": (*_POWERS, "exp"),
    "exp": ("log",),
}  # f(g) is a simpler function
Line = tuple[float, float]
Candidate = tuple[float, str, Tree]  # misfit (D13), functions, tree


@dataclass(frozen=True)
class Atom:
    """A function of the library at a line of x, or of another atom; `group` names the functions."""

    name: str
    line: Line
    inner: "Atom | None" = None

    @property
    def group(self) -> str:
        """The functions, without the lines."""
        return self.name if self.inner is None else f"{self.name}({self.inner.group})"

    @property
    def is_textbook(self) -> bool:
        """Whether the lines have no number but 1 and 0."""
        return self.line == (1.0, 0.0) and (self.inner is None or self.inner.is_textbook)

    @property
    def tree(self) -> Tree:
        """The atom as a tree; a scale 1 and a shift 0 are fixed, other numbers are trainable."""
        scale, shift = self.line
        part = Input(0) if self.inner is None else self.inner.tree
        part = part if scale == 1.0 else multiply(Number(scale), part)
        return apply(self.name, part if shift == 0.0 else add(part, Number(shift)))


@dataclass(frozen=True, eq=False)
class Atoms:
    """Atoms and their values (n_points, n_atoms)."""

    atoms: tuple[Atom, ...]
    table: FloatArray

    def __len__(self) -> int:
        return len(self.atoms)

    def only(self, chosen: Sequence[int]) -> "Atoms":
        """Return some of the atoms."""
        return Atoms(tuple(self.atoms[k] for k in chosen), self.table[:, list(chosen)])

    def joined(self, other: "Atoms") -> "Atoms":
        """Return the atoms of both."""
        return Atoms(self.atoms + other.atoms, np.hstack([self.table, other.table]))


def _kept(atoms: Sequence[Atom], table: FloatArray) -> Atoms:
    """Return the atoms that are finite and not constant at all points."""
    size = np.abs(table).max(axis=0)
    fine = np.isfinite(table).all(axis=0) & (size < LARGEST) & (size > 1.0 / LARGEST)
    spread = np.std(np.where(fine, table, 0.0), axis=0)
    return Atoms(tuple(atoms), table).only(np.flatnonzero(fine & (spread > 1e-7 * size)).tolist())


def simple_atoms(x: FloatArray) -> Atoms:
    """Return the functions of the library at lines that suit the points x (n_points,)."""
    middle, half = 0.5 * (x.min() + x.max()), 0.5 * (x.max() - x.min())
    atoms: list[Atom] = [Atom("x", (1.0, 0.0))]
    columns = [x[:, None]]
    for name, lines in _lines(float(middle), float(half)):
        scale, shift = np.array(lines).T
        atoms += [Atom(name, line) for line in lines]
        with np.errstate(all="ignore"):
            columns.append(lookup(name).f(scale * x[:, None] + shift))
    return _kept(atoms, np.hstack(columns))


def _lines(middle: float, half: float) -> Iterable[tuple[str, list[Line]]]:
    """Yield each function with its lines."""

    def laid(scale: float, zero: float) -> Line:
        """Return the line scale (t - zero) in units of x."""
        return scale / half, -scale * (middle / half + zero)

    plain = (1.0, 0.0)
    for name in ("x^2", "x^3", "x^4", "abs"):
        halves = [(1.0, 0.5), (1.0, -0.5)] if name == "x^2" else []  # x^2 + x is (x + 1/2)^2 - 1/4
        yield name, [plain, *halves, *(laid(1.0, zero) for zero in ZEROS)]
    yield "x^5", [plain]
    outside = [laid(s, -s * zero) for zero in OUTSIDE for s in (1.0, -1.0)]
    for name in ONE_SIDED:
        inside = [laid(1.0, zero) for zero in ZEROS] if name in ("1/x", "1/x^2") else []
        yield name, [plain, (1.0, 1.0), (-1.0, 1.0), *outside, *inside]
    natural = [(rate, 0.0) for rate in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)]
    yield "exp", [*natural, *(laid(sign * rate, 0.0) for rate in RATES for sign in (1.0, -1.0))]
    for name in ("sin", "cos"):
        textbook = [(scale, 0.0) for scale in TEXTBOOK_SCALES]
        yield name, [*textbook, *(laid(scale, 0.0) for scale in FREQUENCIES)]
    for name in ("tanh", "arctan", "gaussian"):
        yield name, [laid(scale, centre) for scale in (1.0, 2.0, 4.0) for centre in CENTRES]
    for name in ("arcsin", "arctanh", "tan"):
        yield name, [plain, *(laid(scale, 0.0) for scale in (0.5, 0.9, 0.99))]


def composed_atoms(atoms: Atoms) -> Atoms:
    """Return compositions f(alpha g + beta) of functions g among the atoms."""
    inner = atoms.only([k for k, atom in enumerate(atoms.atoms) if _is_inner(atom)])
    g = inner.table
    low, high = g.min(axis=0), g.max(axis=0)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    found: list[Atom] = []
    columns = [np.zeros((len(g), 0))]
    groups = np.array([atom.name for atom in inner.atoms])
    for name, alpha, beta, left_out in _outer_lines():
        chosen = np.flatnonzero(~np.isin(groups, left_out))
        scale = alpha / half[chosen]
        shift = beta - scale * middle[chosen]
        _append(found, columns, inner, chosen, name, scale, shift)
    for name in ("exp", "sin", "cos", "log", "sqrt", "1/x"):  # as in textbooks
        for scale, shift in ((1.0, 0.0), (1.0, 1.0), (-1.0, 0.0), (-1.0, 1.0)):
            left_out = (name, *(_UNDONE.get(name, ()) if shift == 0.0 else ()))
            chosen = np.flatnonzero(~np.isin(groups, left_out))
            same = np.ones(len(chosen))
            _append(found, columns, inner, chosen, name, scale * same, shift * same)
    halves = np.flatnonzero([a.name == "x^2" and abs(a.line[1]) == 0.5 for a in inner.atoms])
    for name in ("exp", "sin", "cos", "log", "sqrt", "1/x"):
        same = np.ones(len(halves))
        _append(found, columns, inner, halves, name, same, -0.25 * same)
    logs = np.flatnonzero(groups == "log")
    for exponent in EXPONENTS:  # x^p = exp(p log(x))
        same = np.ones(len(logs))
        _append(found, columns, inner, logs, "exp", exponent * same, 0.0 * same)
    return _kept(found, np.hstack(columns))


def _append(
    found: list[Atom],
    columns: list[FloatArray],
    inner: Atoms,
    chosen: np.ndarray,
    name: str,
    scale: FloatArray,
    shift: FloatArray,
) -> None:
    found += [
        Atom(name, (float(a), float(b)), inner.atoms[k])
        for k, a, b in zip(chosen, scale, shift, strict=True)
    ]
    with np.errstate(all="ignore"):
        columns.append(lookup(name).f(scale * inner.table[:, chosen] + shift))


def _is_inner(atom: Atom) -> bool:
    """Return whether the atom is tried inside of other functions."""
    if atom.name in ("x^2", "x^3"):
        return True
    return atom.name in ("x^4", "exp", "sin", "cos", "log", "sqrt", "1/x") and (
        atom.line[1] in (0.0, 1.0) or atom.name in ("exp", "sin")
    )


def _outer_lines() -> Iterable[tuple[str, float, float, tuple[str, ...]]]:
    """Yield f, alpha, beta of u = alpha g + beta with g in [-1, 1], and the g left out."""
    for name in ("log", "sqrt", "1/x", "1/x^2", "1/sqrt"):
        for ratio in RATIOS:
            yield name, 1.0, ratio, (name,)
            yield name, -1.0, ratio, (name,)
    for scale in SCALES:
        yield "exp", scale, 0.0, ("log",)
        yield "exp", -scale, 0.0, ("log",)
        for phase in PHASES:
            yield "sin", scale, phase, ()
    for zero in (-0.5, 0.0, 0.5):
        yield "x^2", 1.0, -zero, ("x^2", "x^3", "x^4", "sqrt")
    for scale in (0.8, 2.0):
        for shift in (-1.0, 0.0, 1.0):
            yield "tanh", scale, shift, ()


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
    terms: list[Tree] = [Number(0.0)]
    terms += [multiply(Number(1.0), power_of(variable, power)) for power in range(1, degree + 1)]
    return add(*terms) if degree else fixed(0.0)


def unit(table: FloatArray) -> FloatArray:
    """Return columns that are centred and have length 1."""
    centred = table - table.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(norms > 0.0, norms, 1.0))


def with_outer(columns: Sequence[FloatArray], y: FloatArray) -> tuple[FloatArray, float]:
    """Return the coefficients of the columns and of 1, and the misfit (D13)."""
    design = np.stack([*columns, np.ones(len(y))], axis=1)
    size = np.maximum(np.abs(design).max(axis=0), 1e-300)
    coef = np.linalg.lstsq(design / size, y, rcond=1e-13)[0]
    rest = y - (design / size) @ coef
    centred = y - y.mean()
    return coef / size, float(rest @ rest) / float(centred @ centred)


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
