"""Screen sums, products and compositions of atoms for a curve, by linear least squares.

All pairs of the columns of a table of atoms (`atoms`) are compared by their misfit (D13). Products
f (g + k) are pairs of the columns f g and f. For one or two atoms beside a polynomial,
y = P(x) + a p(x) + b q(x), the columns p, q and the targets y are replaced by what a polynomial of
the degree of P cannot explain, their residuals. Then a and b minimise (D13) of these.
"""

from collections.abc import Iterator

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import (
    Atoms,
    Candidate,
    composed_atoms,
    pair_misfit,
    power_of,
    simple_atoms,
    smallest,
    unit,
    variable_of,
    with_outer,
)
from kan_ref.discovery.trees import Number, Tree, add, affine, complexity, multiply

N_COMPOSED = 300  # the best compositions are paired
LEFT = 1e-5  # of a column: a smaller residual is rounding, or another polynomial

TEXTBOOK = ("x", "x^2", "x^3", "x^4", "x^5", "sin", "cos", "exp", "log", "sqrt", "1/x", "1/x^2")


def screened(x: FloatArray, y: FloatArray, more: int = 1) -> list[Tree]:
    """Return the most promising compositions, sums and products, a few of each kind.

    `more` is a factor of their number.
    """
    atoms = simple_atoms(x)
    composed = composed_atoms(atoms)
    z = y - y.mean()
    z = z / np.linalg.norm(z)
    plain = atoms.only([k for k, atom in enumerate(atoms.atoms) if atom.is_textbook])
    kinds = (
        (4, _best_alone(plain, y, z)),
        (8, _best_alone(composed, y, z)),
        (8, _best_sums(atoms, atoms, y, z)),
        (10, _best_sums(composed, atoms, y, z)),
        *((8, found) for found in _best_products(atoms, atoms, y, z)),
        *((5, found) for found in _best_products(composed, atoms, y, z)),
        (4, _stepwise(atoms, composed, y)),
        *((5, beside_polynomial(atoms, composed, x, y, degree)) for degree in (1, 2, 3)),
    )
    return [tree for most, found in kinds for tree in _best_groups(found, more * most)]


def beside_polynomial(
    atoms: Atoms, composed: Atoms, x: FloatArray, y: FloatArray, degree: int
) -> list[Candidate]:
    """Return candidates with one atom or two beside a polynomial of x."""
    variable, middle = variable_of(x)
    v = (x - middle) / np.abs(x - middle).max()
    basis, _ = np.linalg.qr(v[:, None] ** np.arange(degree + 1))

    def residual(columns: FloatArray) -> FloatArray:
        once = columns - basis @ (basis.T @ columns)
        return np.asarray(once - basis @ (basis.T @ once))

    z = residual(y[:, None])[:, 0]
    size = float(np.linalg.norm(z))
    if size <= 1e-9 * float(np.linalg.norm(y)):
        return []
    z = z / size
    both = atoms.joined(composed)
    table = residual(both.table / np.abs(both.table).max(axis=0))
    norms = np.linalg.norm(table, axis=0)
    fine = np.flatnonzero(norms > LEFT * len(x) ** 0.5)
    both, table = both.only(fine.tolist()), unit(table[:, fine])
    alone = 1.0 - (z @ table) ** 2
    textbook = np.array([atom.is_textbook for atom in both.atoms])
    order = np.argsort(alone - textbook)[:N_COMPOSED]
    chosen = table[:, order]
    misfit = pair_misfit((z @ chosen)[:, None], (z @ chosen)[None, :], chosen.T @ chosen)
    misfit = np.where(np.tri(len(order), dtype=bool), 1.0, misfit)
    places = [(int(order[k]), int(order[m])) for k, m in smallest(misfit, 60)]
    places += [(int(k), int(k)) for k in np.argsort(alone)[:20]]
    found = []
    scale = np.abs(x - middle).max() ** -np.arange(1.0, degree + 1.0)
    for k, m in places:
        picked = [both.atoms[k], both.atoms[m]] if k != m else [both.atoms[k]]
        columns = [both.table[:, k], both.table[:, m]][: len(picked)]
        powers = [v**power for power in range(1, degree + 1)]
        coef, least = with_outer([*columns, *powers], y)
        terms: list[Tree] = [
            multiply(Number(c), atom.tree) for c, atom in zip(coef, picked, strict=False)
        ]
        for power, c in enumerate((coef[len(picked) : -1] * scale).tolist(), 1):
            terms.append(multiply(Number(c), power_of(variable, power)))
        group = " + ".join(atom.group for atom in picked) + f" + polynomial {degree}"
        found.append((least, group, add(*terms, Number(coef[-1]))))
    return found


def _best_groups(found: list[Candidate], most: int) -> Iterator[Tree]:
    """Yield the best of the best groups; the price of complexity keeps rich forms behind."""
    found = sorted(found, key=lambda one: np.log(max(one[0], 1e-24)) + 0.15 * complexity(one[2]))
    seen: set[str] = set()
    for _, group, tree in found:
        if group not in seen and len(seen) < most:
            seen.add(group)
            yield tree


def _best_alone(atoms: Atoms, y: FloatArray, z: FloatArray) -> list[Candidate]:
    misfit = 1.0 - (z @ unit(atoms.table)) ** 2
    found = []
    for k in np.argsort(misfit)[:40]:
        (c, d), least = with_outer([atoms.table[:, k]], y)
        found.append((least, atoms.atoms[k].group, affine(atoms.atoms[k].tree, c, d)))
    return found


def _best_sums(one: Atoms, other: Atoms, y: FloatArray, z: FloatArray) -> list[Candidate]:
    if not len(one) or not len(other):
        return []
    p, q = unit(one.table), unit(other.table)
    misfit = pair_misfit((z @ p)[:, None], (z @ q)[None, :], p.T @ q)
    if one is other:
        misfit = np.where(np.tri(len(one), dtype=bool), 1.0, misfit)
    found = []
    for k, m in smallest(misfit, 60):
        (a, b, d), least = with_outer([one.table[:, k], other.table[:, m]], y)
        terms = (multiply(Number(a), one.atoms[k].tree), multiply(Number(b), other.atoms[m].tree))
        group = f"{one.atoms[k].group} + {other.atoms[m].group}"
        found.append((least, group, add(*terms, Number(d))))
    return found


def _best_products(
    one: Atoms, other: Atoms, y: FloatArray, z: FloatArray
) -> tuple[list[Candidate], list[Candidate]]:
    """Return the best c f (g + k) + d and c f g + d, with f in one and g in other table."""
    if not len(one) or not len(other):
        return [], []
    n = len(y)
    size_f, size_g = np.abs(one.table).max(axis=0), np.abs(other.table).max(axis=0)
    f, g = one.table / size_f, other.table / size_g
    mean = (f.T @ g) / n
    square = (f**2).T @ g**2
    varies = square - n * mean**2 > 1e-8 * square  # else rounding errors would decide
    norm = np.sqrt(np.where(varies, square - n * mean**2, 1.0))
    r_p = np.where(varies, ((f * z[:, None]).T @ g) / norm, 0.0)
    unit_f = unit(f)
    r_q = z @ unit_f
    inner = ((f * unit_f).T @ g) / norm  # of the columns f g and f, which is centred
    misfit = pair_misfit(r_p, r_q[:, None], inner)
    alone = 1.0 - r_p**2  # without k
    found: tuple[list[Candidate], list[Candidate]] = ([], [])
    for table, with_shift in ((misfit, True), (alone, False)):
        for k, m in smallest(table, 60):
            product = one.table[:, k] * other.table[:, m]
            group = f"{one.atoms[k].group} * {other.atoms[m].group}"
            if with_shift:
                (a, b, d), least = with_outer([product, one.table[:, k]], y)
                if abs(a) < 1e-300 or not np.isfinite(b / a):
                    continue
                inside = add(other.atoms[m].tree, Number(b / a))
                tree = add(multiply(Number(a), one.atoms[k].tree, inside), Number(d))
                group += " + k"
            else:
                (a, d), least = with_outer([product], y)
                tree = affine(multiply(one.atoms[k].tree, other.atoms[m].tree), a, d)
            found[0 if with_shift else 1].append((least, group, tree))
    return found


def _stepwise(atoms: Atoms, composed: Atoms, y: FloatArray) -> list[Candidate]:
    """Return sums of three to five textbook terms, chosen one after the other."""
    plain = [k for k, a in enumerate(atoms.atoms) if a.is_textbook and a.name in TEXTBOOK]
    nested = [
        k
        for k, a in enumerate(composed.atoms)
        if a.is_textbook and a.name in ("sin", "cos", "exp", "log")
    ]
    terms_of = atoms.only(plain).joined(composed.only(nested))
    if len(terms_of) < 4:
        return []
    table = terms_of.table
    unit_table = unit(table)
    z = y - y.mean()
    z = z / np.linalg.norm(z)
    found: list[Candidate] = []
    beams: list[tuple[float, tuple[int, ...]]] = [(1.0, ())]
    for size in range(1, 6):
        grown: dict[tuple[int, ...], float] = {}
        for _, chosen in beams:
            for k, misfit in _next_terms(unit_table, z, chosen):
                grown[tuple(sorted((*chosen, k)))] = misfit
        beams = sorted((misfit, chosen) for chosen, misfit in grown.items())[:12]
        if size >= 3:
            for misfit, chosen in beams[:3]:
                coef, misfit = with_outer([table[:, k] for k in chosen], y)
                terms = [
                    multiply(Number(c), terms_of.atoms[k].tree)
                    for c, k in zip(coef, chosen, strict=False)
                ]
                found.append((misfit, f"{size} terms", add(*terms, Number(coef[-1]))))
        if not beams or beams[0][0] < 1e-24:
            break
    return found


def _next_terms(
    unit: FloatArray, z: FloatArray, chosen: tuple[int, ...]
) -> Iterator[tuple[int, float]]:
    """Yield the twelve columns that lower the misfit most beside those chosen, with the misfit."""
    if chosen:
        basis, _ = np.linalg.qr(unit[:, list(chosen)])
        rest = z - basis @ (basis.T @ z)
        columns = unit - basis @ (basis.T @ unit)
    else:
        rest, columns = z, unit
    norms = np.linalg.norm(columns, axis=0)
    gain = np.where(norms > 1e-6, (rest @ columns) / np.maximum(norms, 1e-6), 0.0) ** 2
    total = float(rest @ rest)
    for k in np.argsort(-gain)[:12].tolist():
        if gain[k] > 0.0:
            yield k, max(total - float(gain[k]), 0.0)
