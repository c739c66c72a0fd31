"""Texts in the picture of a network: how much room they take, and where they stand, without a font at hand.

Widths are those of DejaVu Sans, which Matplotlib ships, in a few classes of letters and rounded up; a formula between dollar signs
counts as its letters in full size. So an estimate is rather too large than too small. Lengths are inches, sizes of letters points.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, IntArray

NAME_POINTS, FUNCTION_POINTS, TITLE_POINTS, NOTE_POINTS, LEAST_POINTS = 10.0, 9.0, 11.0, 8.0, 5.0
BETWEEN_NAMES = 0.05

_EMS = {  # widths of letters; 0.64 for all others
    **dict.fromkeys("ijlI.,:;|'! /", 0.41),
    **dict.fromkeys("frt()[]-", 0.45),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ+=<>~w", 0.84),
    **dict.fromkeys("mMW@%", 1.0),
}
_COMMAND, _MATH_SIGNS = re.compile(r"\\[A-Za-z]+"), re.compile(r"[{}^_$]")


@dataclass(frozen=True)
class Label:
    """A text: `at` is the middle of its lower edge, its upper edge or itself (`anchor` "bottom", "top", "center"); `angle` 0 or 90.

    `role` is "name", "title", "note" or "function", `points` the size of the letters.
    """

    text: str
    at: tuple[float, float]
    points: float
    role: str
    anchor: str
    angle: float = 0.0
    opacity: float = 1.0

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top, as `text_size` estimates them."""
        width, height = text_size(self.text, self.points)[:: -1 if self.angle else 1]
        x, y = self.at
        bottom = y - height * {"bottom": 0.0, "center": 0.5, "top": 1.0}[self.anchor]
        return x - width / 2.0, bottom, x + width / 2.0, bottom + height


def text_size(text: str, points: float) -> tuple[float, float]:
    """Width and height of a text in the sans serif that Matplotlib ships, rather too large than too small."""
    lines = [
        _MATH_SIGNS.sub("", _COMMAND.sub("n", line)) if "$" in line else line
        for line in text.split("\n")
    ]
    ems = max(
        sum(_EMS.get(letter, 0.64 if letter < "\u2e80" else 1.0) for letter in line)
        for line in lines
    )
    return ems * points / 72.0, (1.2 * len(lines) + 0.2 * ("$" in text)) * points / 72.0


def widest_name(texts: Sequence[str], row: IntArray) -> float:
    """Width of the widest of the texts that `row` (n,) picks out, as names are set; 0 if it picks none."""
    return max((text_size(texts[i], NAME_POINTS)[0] for i in row.tolist()), default=0.0)


def name_labels(texts: Sequence[str], at: FloatArray, y: float, anchor: str) -> list[Label]:
    """Names of the nodes that stand at `at` (nan: not drawn); upright where they would touch, and smaller where even that is too wide."""
    row = np.flatnonzero(np.isfinite(at))
    spacing = float(np.diff(at[row]).min(initial=np.inf))
    angle = 90.0 if widest_name(texts, row) + BETWEEN_NAMES > spacing else 0.0
    points = (
        float(np.clip(50.0 * spacing, LEAST_POINTS, NAME_POINTS)) if angle else NAME_POINTS
    )  # a line is up to 1.4 / 72 high
    return [Label(texts[i], (float(at[i]), y), points, "name", anchor, angle) for i in row.tolist()]


def function_text(name: str) -> str:
    """The name of a function of the library as it stands in a box: "x^2" with a raised 2, "1/sqrt" with a root sign."""
    if re.fullmatch(r"(1/)?x(\^[0-9.]+)?", name):
        return "$" + re.sub(r"\^([0-9.]+)", r"^{\1}", name) + "$"
    return {"sqrt": r"$\sqrt{x}$", "1/sqrt": r"$1/\sqrt{x}$"}.get(name, name)
