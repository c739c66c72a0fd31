"""The table of knots: hyperbolic invariants and signatures, read from `knots.csv.xz`, and the program that computes this file with SnapPy and
Spherogram (`pip install -e ".[knots]"`).

A hyperbolic knot K has a complement S^3 - K with exactly one complete hyperbolic metric of finite volume (Thurston 1982; Mostow rigidity), so that
volume, cusp and geodesics are invariants of K. On the maximal cusp, which is a torus, the meridian translates by a complex number mu and the
longitude by a real number lambda > 0. Its area is lambda Im(mu), twice the cusp's volume (Davies et al. 2021, "The signature and cusp geometry
of hyperbolic knots"). The signature is that of the symmetrized Seifert matrix V + V^T, here with the sign for which it grows with the slope
Re(lambda / mu), as theirs does. It is computed from the smaller Goeritz matrix G of one colour of a chessboard colouring of the diagram,

    (R24) sigma = sign(G) - sum of eta(c) over crossings c of type II,    G_fg = -sum of eta(c) over crossings between f and g,    sum_g G_fg = 0

(Gordon & Litherland 1978, "On the signature of a link"; one region f is left out). `check` compares it with V + V^T.

    python -m figures.knots.make_table compute WORK.csv     appends the knots that WORK.csv has not yet; may be interrupted at any time
    python -m figures.knots.make_table check WORK.csv N     compares the signatures of N knots of it with their Seifert matrices
    python -m figures.knots.make_table pack WORK.csv        writes the table of the repository

Knots: all of SnapPy's table of Hoste and Thistlethwaite with at most 13 crossings that are hyperbolic, 12 955 of 12 965. All invariants of a knot
come from one oriented exterior, `M.link().exterior()`, because the table's own manifold may be the mirror image of the diagram.

The shortest geodesic is the shortest one among the dual curves of the triangulation with at most 6 segments. It is not proved to be the
shortest of all, because a length spectrum takes many seconds a knot. The injectivity radius, half of its length, is not in the table. The
paper's two torsion degrees need Sage, and are missing.

SnapPy and Spherogram are free software under the GPL, version 2 or later. The table has numbers that were computed with them, and no part of them.

With the names of Liu et al. 2024, section 4.3,

    (R22) slope = Re(lambda / mu) = lambda mu_r / (mu_r^2 + mu_i^2)

is the real part of the quotient of longitude and meridian (Davies et al. 2021), and mu = mu_r + i mu_i. The table has their columns without
the two torsion degrees: 9 numbers, among them the injectivity radius, which is half of the length of the shortest
geodesic, and 6 indicators of symmetry groups. Their files exchange the names of mu_r and mu_i; here mu_r is the real part.
"""

import argparse
import csv
import functools
import importlib.util
import io
import lzma
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.program import check_output, given_count, given_path, run_program

FILE = Path(__file__).with_name("knots.csv.xz")
N_KNOTS = 12_955  # a table with other numbers of rows does not replace it
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


# --- the program

SEED = 0  # of the knots that `check` draws
DECIMALS = 7
SEGMENTS = 6  # of the dual curves
TRIES = 20  # retriangulations before a knot counts as not hyperbolic
NEEDED = ("snappy", "spherogram")  # by the commands compute and check
COMMANDS = {
    "compute": "append the knots that WORK.csv has not yet; may be interrupted at any time",
    "check": "compare the signatures of N knots of WORK.csv with their Seifert matrices",
    "pack": "write the table of the repository from WORK.csv",
}
COLUMNS = (
    "name",
    "signature",
    "symmetry",
    *(number for number in NUMBERS if number != "injectivity_radius"),  # half of the geodesic
)
NOTE = (
    "Invariants of hyperbolic knots, computed with SnapPy and Spherogram by figures/knots/make_table.py, whose head says how and which.",
    "The file has numbers that were computed with these packages (GPL), and no part of them. Its licence is that of kan_ref, MIT.",
)


def chosen() -> Iterator[tuple[str, Any]]:
    """Yield the name and the manifold of each knot with at most 13 crossings."""
    from snappy import HTLinkExteriors

    for crossings in range(3, MOST_CROSSINGS + 1):
        table = HTLinkExteriors(knots_vs_links="knots", crossings=crossings)
        for place in range(len(table)):
            manifold = table[place]
            yield manifold.name(), manifold


def signature(link: Any) -> int:
    """Return the signature (R24) of a knot's diagram."""
    faces = link.faces()
    # corner (c, n) of a crossing lies between its strands n and n + 1, counterclockwise; 0 is the one that comes in below
    face_of = {
        (corner.crossing.label, corner.strand_index): place
        for place, face in enumerate(faces)
        for corner in face
    }
    is_white, waiting = {0: True}, [0]
    while waiting:
        place = waiting.pop()
        for corner in faces[place]:
            for step in (1, 3):
                other = face_of[corner.crossing.label, (corner.strand_index + step) % 4]
                if other not in is_white:
                    is_white[other] = not is_white[place]
                    waiting.append(other)
    row = {place: n for n, place in enumerate(place for place in is_white if is_white[place])}
    goeritz, correction = np.zeros((len(row), len(row))), 0
    for crossing in link.crossings:
        first = 0 if is_white[face_of[crossing.label, 0]] else 1
        eta = 1 - 2 * first
        f, g = (row[face_of[crossing.label, first + step]] for step in (0, 2))
        if f != g:
            goeritz[f, g] -= eta
            goeritz[g, f] -= eta
            goeritz[f, f] += eta
            goeritz[g, g] += eta
        if (crossing.sign > 0) != (first == 1):  # type II
            correction += eta
    eigenvalues = np.linalg.eigvalsh(goeritz[1:, 1:])  # not singular: the determinant is odd
    return int((eigenvalues > 0.0).sum() - (eigenvalues < 0.0).sum()) - correction


def invariants(manifold: Any) -> list[Any] | None:
    """Return the invariants of a knot in the order of `COLUMNS`, without its name; None if the knot is not hyperbolic.

    Raises
    ------
    ArithmeticError
        If the cusp's area is not twice its volume: a numerical error.
    """
    link = manifold.link()
    exterior = link.exterior()
    for _ in range(TRIES):
        if exterior.solution_type() == "all tetrahedra positively oriented":
            return [signature(link), *_geometry(exterior)]
        exterior.randomize()
    return None


def _maximal_cusp(exterior: Any) -> tuple[complex, complex, float]:
    """Return the meridian, the longitude and the volume of the maximal cusp."""
    from snappy.exceptions import SnapPeaFatalError

    cusp = exterior.cusp_neighborhood()
    try:
        cusp.set_displacement(cusp.stopping_displacement())
    except (
        SnapPeaFatalError
    ):  # its canonical decomposition fails for a few knots; this is a slower way without it
        ((meridian, longitude),) = exterior.cusp_translations()
        return complex(meridian), complex(longitude), 0.5 * float(exterior.cusp_areas()[0])
    meridian, longitude = cusp.translations()
    return complex(meridian), complex(longitude), float(cusp.volume())


def _geometry(exterior: Any) -> list[str]:
    """Return the columns after the signature of an exterior with its hyperbolic structure."""
    mu, longitude, volume = _maximal_cusp(exterior)
    area_error = abs(longitude.real * mu.imag - 2.0 * volume)
    if area_error > 1e-8 or abs(longitude.imag) > 1e-8:
        raise ArithmeticError(
            f"longitude {longitude}, area - 2 volume {area_error:.1g}, but they must be real and 0: numerical error"
        )
    geodesic = min(
        (complex(curve.filled_length) for curve in exterior.dual_curves(max_segments=SEGMENTS)),
        key=lambda length: length.real,
    )
    numbers = (
        float(exterior.volume()),
        float(exterior.chern_simons()),
        volume,
        longitude.real,
        mu.real,
        mu.imag,
        geodesic.real,
        geodesic.imag,
    )
    symmetry = str(exterior.symmetry_group()).replace(" ", "")
    return [symmetry, *(f"{round(number, DECIMALS) + 0.0:.{DECIMALS}f}" for number in numbers)]


def compute(work: Path) -> None:
    """Append the chosen knots that a file has not yet; those that are not hyperbolic have a name alone."""
    known = set()
    if work.exists():
        whole = work.read_text().rpartition("\n")[0]  # the last line may be cut off
        work.write_text(whole + "\n" if whole else "")
        known = {line.partition(",")[0] for line in whole.splitlines()}
    with work.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for name, manifold in chosen():
            if name not in known:
                writer.writerow([name, *(invariants(manifold) or [])])
                file.flush()


def check(work: Path, number: int) -> str:
    """Return for how many of some random knots the signature is that of V + V^T."""
    from snappy import HTLinkExteriors

    rows = [row for row in csv.reader(work.read_text().splitlines()) if len(row) > 1]
    if number > len(rows):
        sys.exit(
            f"N is {number}, but must be at most {len(rows)}, the knots of {work} with invariants"
        )
    right = 0
    for row in random.Random(SEED).sample(rows, number):
        seifert = np.array(HTLinkExteriors[row[0]].link().seifert_matrix(), dtype=np.float64)
        eigenvalues = np.linalg.eigvalsh(seifert + seifert.T)
        sigma = int(np.sum(eigenvalues < 0.0)) - int(np.sum(eigenvalues > 0.0))
        right += sigma == int(row[COLUMNS.index("signature")])
    return f"of {number} signatures {right} are right"


def _order(name: str) -> tuple[int, str, int]:
    kind = "a" if "a" in name else "n"
    crossings, number = name[1:].split(kind)
    return int(crossings), kind, int(number)


def pack(work: Path, target: Path = FILE) -> None:
    """Write the table of the repository, sorted by name; the same rows give the same bytes for the same version of liblzma."""
    rows = [row for row in csv.reader(work.read_text().splitlines()) if len(row) == len(COLUMNS)]
    if target == FILE and len(rows) != N_KNOTS:
        sys.exit(
            f"{work} has {len(rows)} whole rows, but the table needs {N_KNOTS}: go on with compute"
        )
    rows.sort(key=lambda row: _order(row[0]))
    lines = [*(f"# {line}" for line in NOTE), ",".join(COLUMNS), *(",".join(row) for row in rows)]
    target.write_bytes(lzma.compress(("\n".join(lines) + "\n").encode(), preset=9))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; a wrong one ends the program with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m figures.knots.make_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument("work", type=given_path, metavar="WORK.csv", help="a row for each knot")
        if name == "check":
            one.add_argument("number", type=given_count(), metavar="N", help="of knots")
    options = parser.parse_args(arguments)
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if absent and options.command != "pack":
        parser.error(
            f"{options.command} needs {' and '.join(NEEDED)}, but {' and '.join(absent)} cannot be imported: "
            'pip install -e ".[knots]"'
        )
    if options.command == "compute":
        check_output(parser, "WORK.csv", options.work)
    elif not options.work.is_file():
        parser.error(f"WORK.csv is {options.work}, but must be a file that compute has written")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the three commands; return the exit status."""
    options = parse(arguments)
    if options.command == "compute":
        compute(options.work)
    elif options.command == "check":
        sys.stdout.write(check(options.work, options.number) + "\n")
    else:
        pack(options.work)
    return 0


if __name__ == "__main__":
    run_program(main)
