"""The table of knots: hyperbolic invariants, signatures as classes, and samples of both.

`make_table` says what the columns are and how they were computed. With the names of Liu et al. 2024, section 4.3,

    (R22) slope = Re(lambda / mu) = lambda mu_r / (mu_r^2 + mu_i^2)

is the real part of the quotient of longitude and meridian (Davies et al. 2021), and mu = mu_r + i mu_i. The table has their columns without
the two torsion degrees: 9 numbers, among them the injectivity radius, which is half of the length of the shortest
geodesic, and 6 indicators of symmetry groups. Their files exchange the names of mu_r and mu_i; here mu_r is the real part.
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
MOST_CROSSINGS = 13  # of the knots that the figures use: the table has all hyperbolic ones

NUMBERS = (
    "volume",
    "chern_simons",
    "cusp_volume",
    "longitude",
    "meridian_re",
    "meridian_im",
    "geodesic_re",
    "geodesic_im",
    "injectivity_radius",
)
GROUPS = ("0", "D3", "D4", "D6", "D8", "Z/2+Z/2")  # of symmetries; all others have no indicator
COMMON = ("0", "Z/2+Z/2")  # those of more than 1 % of the knots
THREE = ("meridian_re", "meridian_im", "longitude")  # the inputs of the slope
SYMBOLS = {
    "volume": "vol",
    "chern_simons": "CS",
    "cusp_volume": "V",
    "longitude": "$\\lambda$",
    "meridian_re": "$\\mu_r$",
    "meridian_im": "$\\mu_i$",
    "geodesic_re": "$g_r$",
    "geodesic_im": "$g_i$",
    "injectivity_radius": "$r$",
    "signature": "$\\sigma$",
    **{group: group for group in GROUPS},
}


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
    numbers = {
        name: np.array(by_name[name], dtype=np.float64)
        for name in NUMBERS
        if name != "injectivity_radius"
    }
    numbers["injectivity_radius"] = 0.5 * numbers["geodesic_re"]
    symmetry = np.array(by_name["symmetry"])
    indicators = {group: (symmetry == group).astype(np.float64) for group in GROUPS}
    names = by_name["name"]
    crossings = [int(name[1:].replace("n", "a").partition("a")[0]) for name in names]
    signature = np.array(by_name["signature"], dtype=np.int64)
    return Knots(names, np.array(crossings), signature, numbers | indicators)


def slope(knots: Knots) -> FloatArray:
    """Return (R22), (n,)."""
    longitude, re, im = (
        knots.columns[name] for name in ("longitude", "meridian_re", "meridian_im")
    )
    return np.asarray(longitude * re / (re**2 + im**2))
