"""Slopes, medians with their range, and the verdicts of the table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray


def slope(grids: Sequence[int], errors: Sequence[float] | FloatArray, low: int, high: int) -> float:
    """Return the slope of log error against log G by least squares over low <= G <= high.

    Examples
    --------
    >>> round(slope([1, 2, 4, 8], [9.0, 1.0, 1 / 8, 1 / 64], 2, 8), 12)
    -3.0
    """
    chosen = [place for place, grid in enumerate(grids) if low <= grid <= high]
    if len(chosen) < 2:
        raise ValueError(
            f"grids is {list(grids)}, but a slope from G = {low} to {high} needs at least two of them"
        )
    points = np.array([[grids[place], errors[place]] for place in chosen], dtype=np.float64)
    return float(np.polyfit(np.log(points[:, 0]), np.log(points[:, 1]), 1)[0])


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Return the median and, for several values, the range as text. See
    tutorials/12_paper_and_findings.md, "how a claim is judged".

    Examples
    --------
    >>> spread([-3.0, -4.0, -2.0])
    '-3.00 (-4.00 to -2.00)'
    """
    median = format(float(np.median(values)), form)
    return f"{median} ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else median


def known_median(values: FloatArray) -> FloatArray:
    """Return the median of each column over its numbers that are not nan; nan if there is none.

    Examples
    --------
    >>> known_median(np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]]))
    array([ 2.,  5., nan])
    """
    columns = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else np.nan for column in columns])


def grid_spread(grids: Sequence[int]) -> str:
    """Return the (lower) median grid and, for several, the range as text.

    Examples
    --------
    >>> grid_spread([20, 50, 10, 20])
    'G = 20 (10 to 50)'
    """
    middle = sorted(grids)[(len(grids) - 1) // 2]
    return f"G = {middle} ({min(grids)} to {max(grids)})" if len(grids) > 1 else f"G = {middle}"


@dataclass(frozen=True)
class Bar:
    """A judged number with the bars that give its verdict, so that the row of the table holds all that the verdict follows from.

    `value` is rounded as `form` prints it before it is compared. `most` says whether a value has to be at most (or at least) its bar.
    A `reason` against "yes" lowers it to "partly".

    Examples
    --------
    >>> bar = Bar(48.04, yes=100.0, partly=10.0)
    >>> bar.word, bar.text
    ('partly', 'judged: 48; yes: at least 100, partly: at least 10')
    """

    value: float
    yes: float
    partly: float | None = None
    most: bool = False
    form: str = ".3g"
    reason: str = ""

    def _holds(self, bar: float) -> bool:
        value = float(format(self.value, self.form))
        return value <= bar if self.most else value >= bar

    @property
    def word(self) -> str:
        """The verdict: "yes", "partly" or "no"."""
        if self._holds(self.yes):
            return "partly" if self.reason else "yes"
        return "partly" if self.partly is not None and self._holds(self.partly) else "no"

    @property
    def text(self) -> str:
        """The value, the bars and the reason, as the evidence column prints them."""
        side = "at most" if self.most else "at least"
        text = f"judged: {self.value:{self.form}}; yes: {side} {self.yes:g}"
        if self.partly is not None:
            text += f", partly: {side} {self.partly:g}"
        return text + (f"; no more than partly, because {self.reason}" if self.reason else "")


def all_bar(good: Sequence[bool]) -> Bar:
    """Return the bar of a statement on several cases: "yes" if it holds in all, "partly" if in some.

    Examples
    --------
    >>> all_bar([True, False]).text
    'judged: 1; yes: at least 2, partly: at least 1'
    """
    return Bar(sum(map(bool, good)), len(good), 1.0)


def shape_name(widths: Sequence[int]) -> str:
    """Return widths as the paper writes them, such as [2,5,1]."""
    return f"[{','.join(map(str, widths))}]"
