"""How a training step grows with the grid, the width, the depth and the batch: each by itself, all else fixed.

The picture has four panels, both scales logarithmic, one line a subject.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.measuring import take_turns
from benchmarks.subjects import Shape, Step, Subject
from benchmarks.trial import prepare
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

TOO_LONG = 1.0  # CPU seconds: a line ends after a step that takes longer


@dataclass(frozen=True)
class Axis:
    """One panel: what grows, what is fixed, and the values."""

    name: str
    label: str
    held: str
    shape: Callable[[int], Shape]
    values: tuple[int, ...]
    quick: tuple[int, ...]


AXES = (
    Axis(
        "G",
        "intervals per grid, G",
        "[2,5,1], N = 1000",
        lambda n: Shape("G", (2, 5, 1), n, 1000),
        (5, 10, 20, 50, 100, 200, 500, 1000),
        (5, 20),
    ),
    Axis(
        "width",
        "width, n",
        "[n,n,n], G = 5, N = 1000",
        lambda n: Shape("width", (n, n, n), 5, 1000),
        (1, 2, 4, 8, 16, 32, 64, 128),
        (1, 4),
    ),
    Axis(
        "depth",
        "layers",
        "8 wide, G = 5, N = 1000",
        lambda n: Shape("depth", (8,) * (n + 1), 5, 1000),
        (1, 2, 4, 8, 16),
        (1, 2),
    ),
    Axis(
        "batch",
        "samples, N",
        "[2,5,1], G = 5",
        lambda n: Shape("batch", (2, 5, 1), 5, n),
        (10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000),
        (10, 100),
    ),
)


@dataclass(frozen=True)
class Line:
    """A subject along an axis: values, smallest milliseconds, and the reason why the line ends
    early ("" if it does not).
    """

    axis: str
    subject: str
    values: tuple[int, ...]
    milliseconds: tuple[float, ...]
    ends: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return plain data."""
        numbers = {
            "values": list(self.values),
            "milliseconds": [round(number, 4) for number in self.milliseconds],
        }
        return {"axis": self.axis, "subject": self.subject, **numbers, "ends": self.ends}

    @property
    def exponent(self) -> float:
        """Return the slope of log time against log value over the last third of the values; nan
        with fewer than two points.
        """
        n_last = max(2, (len(self.values) + 2) // 3)
        if len(self.values) < 2:
            return float("nan")
        return float(
            np.polyfit(np.log(self.values[-n_last:]), np.log(self.milliseconds[-n_last:]), 1)[0]
        )


def along(
    axis: Axis,
    subjects: Sequence[Subject],
    *,
    quick: bool,
    seconds: float,
    tell: Callable[[str], object],
) -> list[Line]:
    """Return the lines of all subjects along an axis; `tell` is called for each finished value."""
    points: dict[str, list[tuple[int, float]]] = {subject.name: [] for subject in subjects}
    ends = {subject.name: "" for subject in subjects}
    for value in axis.quick if quick else axis.values:
        steps: dict[str, Step] = {}
        for subject in subjects:
            if not ends[subject.name]:
                prepared = prepare(subject, axis.shape(value))
                if isinstance(prepared, str):
                    ends[subject.name] = prepared
                else:
                    steps[subject.name] = prepared
        for name, times in zip(
            steps, take_turns([step.run for step in steps.values()], seconds=seconds), strict=True
        ):
            points[name].append((value, 1e3 * times.least))
            if times.least > TOO_LONG:
                ends[name] = f"over {TOO_LONG:g} s"
        tell(f"{axis.name} {value}")
    return [
        Line(axis.name, name, tuple(v for v, _ in row), tuple(t for _, t in row), ends[name])
        for name, row in points.items()
    ]


OTHERS = (VERMILION, GREEN, PURPLE, ORANGE)
LOOKS: dict[str, dict[str, Any]] = {
    "kan_ref, as in fit": {"color": BLUE, "marker": "o", "linewidth": 2.4, "zorder": 5},
    "kan_ref, fresh": {"color": SKY, "marker": "o", "linestyle": "--", "zorder": 4},
    "textbook": {"color": GREY, "marker": "s"},
}
MARKERS = ("^", "D", "v", "P")


def _look(subject: str, others: Sequence[str]) -> dict[str, Any]:
    if subject in LOOKS:
        return LOOKS[subject]
    place = others.index(subject) % len(OTHERS)
    return {"color": OTHERS[place], "marker": MARKERS[place]}


def _panel(ax: Any, axis: Axis, lines: Sequence[Line], others: Sequence[str]) -> None:
    for line in lines:
        if line.axis == axis.name and line.values:
            ax.plot(
                line.values, line.milliseconds, label=line.subject, **_look(line.subject, others)
            )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_title(axis.held)
    ax.set_xlabel(axis.label)
    values = sorted({value for line in lines if line.axis == axis.name for value in line.values})
    if values:
        labels = [
            f"$10^{len(str(value)) - 1}$"
            if value >= 10000 and str(value).strip("0") == "1"
            else str(value)
            for value in values
        ]
        crowded = len(values) > 8
        shown = [
            not crowded or label.startswith("$") or value in (10, 100, 1000)
            for label, value in zip(labels, values, strict=True)
        ]
        ax.set_xticks(
            values,
            labels=[label if show else "" for label, show in zip(labels, shown, strict=True)],
        )
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(numticks=12))
    ax.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)


def draw(lines: Sequence[Line]) -> Figure:
    """Draw the four panels and one legend."""
    names = list(dict.fromkeys(line.subject for line in lines if line.values))
    others = [name for name in names if name not in LOOKS]
    picture = Figure(figsize=(9.5, 7.6))
    panels = picture.subplots(2, 2, sharey=True).reshape(-1)
    for ax, axis in zip(panels, AXES, strict=True):
        _panel(ax, axis, lines, others)
    for ax in panels[::2]:
        ax.set_ylabel("CPU milliseconds")
    picture.suptitle(
        "A training step in float64 on one thread: value and gradient over the full batch",
        fontsize=11,
    )
    handles = {
        label: handle
        for ax in panels
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    picture.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(3, len(handles)),
    )
    return picture
