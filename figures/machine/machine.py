"""What a figure offers (`Figure`), its claims (`Claim`), the numbers that judge them (`Bar`), and the
table of claims.

A figure's `run` turns a configuration into a record of plain numbers, `draw` turns records into a
picture, and `claims` compares the paper's statements with them. Drawing computes nothing. Every
figure imports this module, so nothing else belongs here: `records` keeps records on disk and finds
those that are missing, `computing` and `cluster` compute them.

A figure may also have `RECORDS_OF`, a tuple of other figures. It then has no records of its own and
is drawn from theirs; with an empty tuple it is drawn from code alone. It is a `DerivedFigure`, a value
in a module.
"""

import importlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from kan_ref.checks import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

Config = dict[str, Any]
Record = dict[str, Any]


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


@dataclass(frozen=True)
class Claim:
    """A row of the table: a statement, the paper's value, ours, the bar that judges it, and the evidence.

    The evidence ends with what is judged; the number and its bars are added, unless the text has them already.
    """

    claim: str
    paper: str
    ours: str
    bar: Bar
    evidence: str

    @property
    def agrees(self) -> str:
        """The verdict: "yes", "partly" or "no"."""
        return self.bar.word

    @property
    def cells(self) -> list[str]:
        """The columns of the table."""
        judged = "" if self.bar.text in self.evidence else f", {self.bar.text}"
        return [self.claim, self.paper, self.ours, self.agrees, self.evidence + judged]


class Figure(Protocol):
    """What a figure offers: a module with these names, or a value in a module.

    Runs may end early: `draw` and `claims` have to accept any nonempty part of the records.
    """

    __name__: str
    NAME: str
    TITLE: str

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return the configurations of all records, quick or full.

        `seeds` is the number of repetitions, None for the figure's own number.
        """
        ...

    def run(self, config: Config) -> Any:
        """Return the results of a configuration as plain data; nothing else may enter them."""
        ...

    def draw(self, records: Sequence[Record]) -> "Picture":
        """Return the picture of some records, which come in the order of `configs`."""
        ...

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Return the rows of the table that some records suffice for."""
        ...


# --- figures without records of their own


def sources(figure: Figure) -> tuple[Figure, ...]:
    """Return the figures whose records a figure is drawn from: itself, unless its module has
    `RECORDS_OF`.
    """
    found: tuple[Figure, ...] = getattr(figure, "RECORDS_OF", (figure,))
    return found


@dataclass(eq=False)
class FigureValue:
    """A figure as a value in a module, where a module of its own would say little more than its name.

    `full_name` is the name of the module and of the value, and its last part names the files.
    """

    full_name: str
    NAME: str
    TITLE: str

    def __post_init__(self) -> None:
        self.__name__ = self.full_name  # as modules have it


@dataclass(eq=False)
class DerivedFigure(FigureValue):
    """A figure value with `RECORDS_OF`."""

    RECORDS_OF: tuple[Figure, ...]
    draw: Callable[[Sequence[Record]], "Picture"]
    claims: Callable[[Sequence[Record]], list[Claim]]

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return no configuration: the records are those of other figures."""
        return []

    def run(self, config: Config) -> Any:
        """Raise TypeError, because there is no record to compute."""
        raise TypeError(f"config is {config}, but a figure with RECORDS_OF computes no records")


def load_figure(name: str) -> Figure:
    """Return the figure of a full name: a module, or a value in a module."""
    home, _, last = name.rpartition(".")
    module: Any = importlib.import_module(home) if home else None
    figure = getattr(module, last, None) or importlib.import_module(name)
    return cast(Figure, figure)


# --- the table


def claims_table(claims: Sequence[tuple[str, Claim]], *, evidence: bool) -> str:
    """Return claims as a Markdown table, from pairs of a figure's name and a claim.

    The last column is left out unless `evidence` is true.
    """
    heads = ["figure", "claim", "paper", "ours", "agrees?", "evidence"]
    rows = [[figure, *(cell.replace("|", "\\|") for cell in claim.cells)] for figure, claim in claims]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line[: 6 if evidence else 5])} |" for line in lines) + "\n"


def provenance(records: Sequence[Record]) -> str:
    """Return the origin of numbers in one sentence: records, seeds, versions, kind of CPU, time."""
    made_with = sorted(
        {", ".join(f"{name} {version}" for name, version in record["versions"].items()) for record in records}
    )
    seeds = sorted({record["seed"] for record in records if record["seed"] is not None})
    chance = f"seeds {', '.join(map(str, seeds))}" if seeds else "no seed"
    minutes = sum(record["seconds"] for record in records) / 60.0
    number = f"{len(records)} record{'s' if len(records) > 1 else ''}"
    return f"{number}, {chance}, {minutes:.1f} minutes in all; {'; '.join(made_with)}."


# --- some of the records, slopes, medians with their range


def runs_of(records: Sequence[Record], **settings: Any) -> list[Record]:
    """Return the records whose configuration has these settings, ordered by seed."""
    found = [record for record in records if settings.items() <= record["config"].items()]
    return sorted(found, key=lambda record: int(record["seed"] or 0))


def slope(grids: Sequence[int], errors: Sequence[float] | FloatArray, low: int, high: int) -> float:
    """Return the slope of log error against log G by least squares over low <= G <= high.

    Examples
    --------
    >>> round(slope([1, 2, 4, 8], [9.0, 1.0, 1 / 8, 1 / 64], 2, 8), 12)
    -3.0
    """
    chosen = [place for place, grid in enumerate(grids) if low <= grid <= high]
    if len(chosen) < 2:
        raise ValueError(f"grids is {list(grids)}, but a slope from G = {low} to {high} needs at least two of them")
    points = np.array([[grids[place], errors[place]] for place in chosen], dtype=np.float64)
    return float(np.polyfit(np.log(points[:, 0]), np.log(points[:, 1]), 1)[0])


def median(values: Sequence[float] | FloatArray) -> float:
    """Return the median."""
    return float(np.median(values))


def seed_count(runs: Collection[Any]) -> str:
    """Return the number of runs, one a seed, in words: as in "1 seed" or "5 seeds"."""
    return f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"


def spread(values: Sequence[float] | FloatArray, form: str = ".2f") -> str:
    """Return the median and, for several values, the range as text. See
    tutorials/12_paper_and_findings.md, "how a claim is judged".

    Examples
    --------
    >>> spread([-3.0, -4.0, -2.0])
    '-3.00 (-4.00 to -2.00)'
    """
    middle = format(median(values), form)
    return f"{middle} ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else middle


def known_median(values: FloatArray) -> FloatArray:
    """Return the median of each column over its numbers that are not nan; nan if there is none.

    Examples
    --------
    >>> known_median(np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]]))
    array([ 2.,  5., nan])
    """
    columns = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else np.nan for column in columns])


def median_grid(grids: Sequence[int]) -> float:
    """Return the median of G on the logarithmic axis, on which grids are even: of two middle grids
    their geometric mean.
    """
    return float(np.exp(median(np.log(grids))))


def grid_spread(grids: Sequence[int]) -> str:
    """Return the median grid and, for several, the range as text.

    Examples
    --------
    >>> grid_spread([20, 50, 10, 20]), grid_spread([20, 50])
    ('G = 20 (10 to 50)', 'G = 32 (20 to 50)')
    """
    middle = f"G = {median_grid(grids):.0f}"
    return f"{middle} ({min(grids)} to {max(grids)})" if len(grids) > 1 else middle


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
