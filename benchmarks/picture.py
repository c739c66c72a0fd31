"""The picture of growth: four panels, both scales logarithmic, one line a subject."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.growth import AXES, Axis, Line
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

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
