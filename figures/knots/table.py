"""The table of knots: hyperbolic invariants and signatures, read from `knots.csv.xz`.

SnapPy and Spherogram, free software under the GPL, computed the table once, with the program
`figures/knots/make_table.py` of commit 5838fb5d; the table has numbers alone and no part of them.

A hyperbolic knot K has a complement S^3 - K with exactly one complete hyperbolic metric of finite
volume (Thurston 1982; Mostow rigidity), so that volume, cusp and geodesics are invariants of K. On
the maximal cusp, which is a torus, the meridian translates by a complex number mu and the longitude
by a real number lambda > 0. Its area is lambda Im(mu), twice the cusp's volume (Davies et al. 2021,
"The signature and cusp geometry of hyperbolic knots"). The signature is that of the symmetrized
Seifert matrix V + V^T, here with the sign for which it grows with the slope, as theirs does. It was
computed from a Goeritz matrix of the diagram (Gordon & Litherland 1978, "On the signature of a
link") and compared with V + V^T.

Knots: all of SnapPy's table of Hoste and Thistlethwaite with at most 13 crossings that are
hyperbolic, 12 955 of 12 965. All invariants of a knot come from one oriented exterior,
`M.link().exterior()`, because the table's own manifold may be the mirror image of the diagram. The
shortest geodesic is the shortest one among the dual curves of the triangulation with at most 6
segments. It is not proved to be the shortest of all, because a length spectrum takes many seconds a
knot. The injectivity radius, half of its length, is not in the table. The paper's two torsion
degrees need Sage, and are missing.

With the names of Liu et al. 2024, section 4.3,

    (R22) slope = Re(lambda / mu) = lambda mu_r / (mu_r^2 + mu_i^2)

is the real part of the quotient of longitude and meridian (Davies et al. 2021), and mu = mu_r + i
mu_i. The figures use 9 numbers and 6 indicators of symmetry groups. The paper's files exchange the
names of mu_r and mu_i; here mu_r is the real part.
"""

import csv
import functools
import io
import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kan_ref.checks import FloatArray, IntArray

FILE = Path(__file__).with_name("knots.csv.xz")
MOST_CROSSINGS = 13  # of the knots that the figures use

SYMBOLS = {
    "volume": "vol", "chern_simons": "CS", "cusp_volume": "V",
    "longitude": "$\\lambda$", "meridian_re": "$\\mu_r$", "meridian_im": "$\\mu_i$",
    "geodesic_re": "$g_r$", "geodesic_im": "$g_i$", "injectivity_radius": "$r$",
}  # fmt: skip
NUMBERS = tuple(SYMBOLS)
GROUPS = ("0", "D3", "D4", "D6", "D8", "Z/2+Z/2")  # of symmetries; all others have no indicator
COMMON = ("0", "Z/2+Z/2")  # those of more than 1 % of the knots
THREE = ("meridian_re", "meridian_im", "longitude")  # the inputs of the slope
SYMBOLS |= {"signature": "$\\sigma$"} | {group: group for group in GROUPS}


@dataclass(frozen=True)
class Knots:
    """Knots by columns: names, crossings, signatures, and the numbers and indicators by name, each of shape (n,)."""

    names: list[str]
    crossings: IntArray
    signature: IntArray
    columns: dict[str, FloatArray]

    def inputs(self, names: tuple[str, ...]) -> FloatArray:
        """Return the columns with these names, (n, n_names); "signature" is one of them."""
        known = {**self.columns, "signature": self.signature.astype(np.float64)}
        return np.stack([known[name] for name in names], axis=1)

    def chosen(self, places: IntArray) -> "Knots":
        """Return some of the knots."""
        return Knots(
            [self.names[place] for place in places],
            self.crossings[places],
            self.signature[places],
            {name: column[places] for name, column in self.columns.items()},
        )


@functools.cache
def all_knots() -> Knots:
    """Return the whole table; takes about half a second."""
    text = lzma.decompress(FILE.read_bytes()).decode()
    rows = csv.DictReader(io.StringIO(text[text.index("\nname,") + 1 :]))
    by_name: dict[str, list[str]] = {name: [] for name in rows.fieldnames or ()}
    for row in rows:
        for name, value in row.items():
            by_name[name].append(value)
    numbers = {name: np.array(by_name[name], dtype=np.float64) for name in NUMBERS if name != "injectivity_radius"}
    numbers["injectivity_radius"] = 0.5 * numbers["geodesic_re"]
    symmetry = np.array(by_name["symmetry"])
    indicators = {group: (symmetry == group).astype(np.float64) for group in GROUPS}
    names = by_name["name"]
    crossings = [int(name[1:].replace("n", "a").partition("a")[0]) for name in names]
    signature = np.array(by_name["signature"], dtype=np.int64)
    return Knots(names, np.array(crossings), signature, numbers | indicators)


def slope(knots: Knots) -> FloatArray:
    """Return (R22), (n,)."""
    longitude, re, im = (knots.columns[name] for name in ("longitude", "meridian_re", "meridian_im"))
    return np.asarray(longitude * re / (re**2 + im**2))
