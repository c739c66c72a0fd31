"""Texts in the diagram of a network: their sizes and places.

Widths are those of DejaVu Sans, which Matplotlib ships, in a few classes of letters and rounded up.
Matplotlib measures lines with a formula between dollar signs, since roots and fractions are higher
than their letters. So an estimate is rather too large than too small. Lengths are in inches, sizes
of letters in points.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray

NAME_POINTS, FUNCTION_POINTS, TITLE_POINTS, NOTE_POINTS, LEAST_POINTS = 10.0, 9.0, 11.0, 8.0, 5.0
BETWEEN_NAMES = 0.05

_EMS = {  # widths of letters; 0.64 for all others
    **dict.fromkeys("ijlI.,:;|'! /", 0.41),
    **dict.fromkeys("frt()[]-", 0.45),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ+=<>~w", 0.84),
    **dict.fromkeys("mMW@%\u2026", 1.0),
}
LINE, FORMULA_LINE = 1.2, 1.4  # heights of lines, in units of the letters' size
ROUNDING = 1.05  # small letters are set on whole pixels: a formula can be larger than measured


@dataclass(frozen=True)
class Label:
    """A text with its place.

    `at` is the middle of its lower edge, of its upper edge or of the text itself, for `anchor`
    "bottom", "top" or "center". `angle` is 0 or 90, `role` is "name", "title", "note" or
    "function", `points` is the size of the letters.
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


def check_drawable(name: str, text: str) -> None:
    """Raise ValueError if a text holds half of a surrogate pair, for which no font has a sign."""
    half = re.search("[\ud800-\udfff]", text)
    if half:
        raise ValueError(
            f"{name} is {text!r}, but {half[0]!r} is half of a surrogate pair and no character: "
            "write the whole character, or decode the text with its own encoding"
        )


def text_size(text: str, points: float) -> tuple[float, float]:
    """Return width and height of a text, rather too large than too small."""
    ems = [_formula_ems(line) or _letters_ems(line) for line in text.split("\n")]
    width, height = max(em[0] for em in ems), sum(em[1] for em in ems)
    return width * points / 72.0, height * points / 72.0


def _letters_ems(line: str) -> tuple[float, float]:
    """Return width and height of a line of letters, in units of their size."""
    letters = line.replace(r"\$", "$")  # as Matplotlib draws them
    return sum(_EMS.get(letter, 0.64 if letter < "\u2e80" else 1.0) for letter in letters), LINE


def _formula_ems(line: str) -> tuple[float, float] | None:
    """Return width and height of a line with a formula, in units of its letters' size.

    None for a line without a formula, or with one that Matplotlib cannot set.
    """
    if "$" not in line:
        return None
    from matplotlib.cbook import is_math_text
    from matplotlib.font_manager import FontProperties

    return _measured(line, FontProperties(size=72.0)) if is_math_text(line) else None


@lru_cache(maxsize=4096)  # a layout reads the same sizes many times
def _measured(line: str, font: Any) -> tuple[float, float] | None:
    from matplotlib.mathtext import MathTextParser

    try:
        width, height, *_ = MathTextParser("path").parse(line, 72, font)
    except ValueError:  # an error with the text's role comes from `check_formulas`
        return None
    height = max(FORMULA_LINE, LINE * ROUNDING * float(height) / 72.0)
    return ROUNDING * float(width) / 72.0, height


def largest_text(titles: Sequence[str | None]) -> str:
    """Return a text as large as any title.

    It is the widest of all lines, as often as the highest title needs.
    """
    texts = [title or "" for title in titles]
    lines = [line for text in texts for line in text.split("\n")]
    widest = max(lines, key=lambda line: text_size(line, 1.0)[0])
    ratio = max(text_size(text, 1.0)[1] for text in texts) / text_size(widest, 1.0)[1]
    return "\n".join([widest] * ceil(ratio - 1e-9))  # rounding adds no line


def widest_name(texts: Sequence[str], row: IntArray) -> float:
    """Return the width of the widest of the names at the indices `row` (n,); 0 if it is empty."""
    return max((text_size(texts[i], NAME_POINTS)[0] for i in row.tolist()), default=0.0)


def name_labels(texts: Sequence[str], at: FloatArray, y: float, anchor: str) -> list[Label]:
    """Return labels with the names of the nodes at `at` (nan: not drawn), all at height `y`.

    Names that would touch are turned upright, and made smaller where even that is too wide.
    """
    row = np.flatnonzero(np.isfinite(at))
    spacing = float(np.diff(at[row]).min(initial=np.inf))
    angle = 90.0 if widest_name(texts, row) + BETWEEN_NAMES > spacing else 0.0
    points = NAME_POINTS
    if angle:
        highest = max(FORMULA_LINE / 72.0, *(text_size(texts[i], 1.0)[1] for i in row.tolist()))
        points = float(np.clip(0.97 * spacing / highest, LEAST_POINTS, NAME_POINTS))
    return [Label(texts[i], (float(at[i]), y), points, "name", anchor, angle) for i in row.tolist()]


def caption_text(name: str, width: float, points: float) -> str:
    """Return the text for a library function, cut off with an ellipsis where it is too wide.

    It fits in `width` with letters of `points`, unless even one letter does not.
    """
    text = function_text(name)
    for end in range(len(name) - 1, 0, -1):
        if text_size(text, points)[0] <= width:
            break
        text = function_text(name[:end] + "\u2026")
    return text


def function_text(name: str) -> str:
    """Return the text for a library function: "x^2" with a raised 2, "1/sqrt" with a root.

    Other names are shown as they are, with dollar signs too.
    """
    if re.fullmatch(r"(1/)?x(\^[0-9.]+)?", name):
        return "$" + re.sub(r"\^([0-9.]+)", r"^{\1}", name) + "$"
    return {"sqrt": r"$\sqrt{x}$", "1/sqrt": r"$1/\sqrt{x}$"}.get(name, checks.literal(name))
