"""Screen for one or two atoms beside a polynomial: y = P(x) + a p(x) + b q(x).

Columns p, q and the targets y are replaced by what a polynomial of the degree of P cannot explain,
their residuals. Then a and b minimise (D13) of these, as without P.
"""

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import Atoms, powers_of, variable_of
from kan_ref.discovery.pairs_of_atoms import Candidate, pair_misfit, smallest, unit, with_outer
from kan_ref.discovery.trees import Number, Tree, add, multiply

N_COMPOSED = 300  # the best compositions are paired
LEFT = 1e-5  # of a column: a smaller residual is rounding, or another polynomial


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
            terms.append(multiply(Number(c), powers_of(variable, power)))
        group = " + ".join(atom.group for atom in picked) + f" + polynomial {degree}"
        found.append((least, group, add(*terms, Number(coef[-1]))))
    return found
