"""Planes of states with mobility edges, for Figs. 4.5 and 4.6."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from figures.localization.chains import MODELS
from figures.machine.machine import Record
from figures.machine.stored_network import restored
from figures.machine.style import GREEN, GREY, ORANGE, SKY, VERMILION
from kan_ref.checks import FloatArray

N_LINE = 201  # of the lattice on which an edge g = 0 is drawn
WAYS = {"splines": (GREEN, "-"), "hand": (VERMILION, "--")}
LABELS = {"theory": "theory", "splines": "splines", "hand": "formula, functions by hand"}


def plane(
    ax: Axes, record: Record, *, across: str, up: str, fixed: dict[str, float], width: float
) -> None:
    """Draw test states near the fixed inputs, localized ones filled, and the edges of theory, splines and formula through these inputs.

    `across` and `up` are the inputs of the axes, `fixed` the values of others, `width` how far from them a state may be.
    """
    model, results = MODELS[record["config"]["model"]], record["results"]
    x = np.array(results["shown"]["x"])
    localized = np.array(results["shown"]["localized"], dtype=bool)
    near = np.ones(len(x), dtype=bool)
    for name, value in fixed.items():
        near &= np.abs(x[:, model.names.index(name)] - value) <= width
    column, row = model.names.index(across), model.names.index(up)
    for group, color, label in (
        (near & localized, ORANGE, "localized"),
        (near & ~localized, SKY, "extended"),
    ):
        ax.plot(x[group, column], x[group, row], "o", ms=3.2, mew=0, color=color, label=label)
    low, high = np.percentile(x[:, row], (0.5, 99.5))
    ends = model.box[across]
    lines = np.meshgrid(np.linspace(*ends, N_LINE), np.linspace(low, high, N_LINE))
    points = _points(model.names, {across: lines[0], up: lines[1]}, fixed)
    values = {"theory": model.edge(points)}
    for way in WAYS:
        document = results[way][0] if way == "splines" else results[way]
        values[way] = restored(document["network"])(points)[:, 0]
    for way, (color, style) in {"theory": ("black", ":"), **WAYS}.items():
        g = np.clip(values[way].reshape(lines[0].shape), -1.0, 1.0)
        ax.contour(*lines, g, levels=[0.0], colors=[color], linestyles=[style], linewidths=1.8)
        ax.plot([], [], color=color, ls=style, label=LABELS[way])
    ax.set_xlim(*ends)
    ax.set_ylim(low, high)


def _points(
    names: tuple[str, ...], varied: dict[str, FloatArray], fixed: dict[str, float]
) -> FloatArray:
    """Return the points (batch, n_in) of a lattice; the phase, where there is one, is pi."""
    size = next(iter(varied.values())).size
    columns: list[Any] = [
        varied[name].ravel() if name in varied else np.full(size, fixed.get(name, np.pi))
        for name in names
    ]
    return np.stack(columns, axis=1)


def outside_legend(ax: Axes) -> None:
    """Write the legend under the axes."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, labelcolor=GREY)
