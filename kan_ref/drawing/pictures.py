"""Pictures for representations in notebooks: networks, and the errors of a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.drawing import markup
from kan_ref.drawing.drawing import draw_network
from kan_ref.drawing.painting import png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_PROBES = 200
MOST_EDGES = 20000  # a network with more is described without a picture
_CURVES = (  # attribute of the history, name in the legend, colour
    ("train_rmse", "training", "#1a1a1a"),
    ("validation_rmse", "validation", "#1f6feb"),
    ("test_rmse", "test", "#c1121f"),
)


def network_picture(network: Any, names: Sequence[str] = ()) -> str:
    """Return the diagram of a network over the grids of its inputs, or the reason why not."""
    labels = [name.replace("$", r"\$") for name in names] or None  # a name is text, no formula
    n_edges = sum(layer.mask.size for layer in network.layers)
    if n_edges > MOST_EDGES:
        return markup.paragraph(
            f"No picture: {n_edges} edges are more than {MOST_EDGES}. "
            "kr.draw_network(network, x) draws the strongest ones."
        )
    x = probe_points(network)
    if not len(x):
        return markup.paragraph(
            "No picture: the network is undefined on the grids of its inputs. "
            "kr.draw_network(network, x) draws it over samples x."
        )
    try:
        ax = draw_network(network, x, names=labels)
    except ValueError as error:  # a text or value that cannot be drawn: the reason is shown
        return markup.paragraph(f"No picture: {error}.")
    return _card(ax, f"diagram of a network of widths {list(network.widths)}")


def probe_points(network: Any) -> FloatArray:
    """Return points on the grids of the inputs at which the network is defined, (n, n_in).

    The points fill the grids evenly and are the same in every call.
    """
    grids = network.layers[0].breakpoints
    n_in = len(grids)
    # additive recurrence with the powers of the root of r^(n_in + 1) = r + 1
    root = 1.5
    for _ in range(50):
        root = (1.0 + root) ** (1.0 / (n_in + 1.0))
    steps = root ** -np.arange(1.0, n_in + 1.0)
    unit = (np.arange(1.0, N_PROBES + 1.0)[:, None] * steps) % 1.0
    low, high = grids[:, 0], grids[:, -1]
    x: FloatArray = (1.0 - unit) * low + unit * high
    with np.errstate(all="ignore"):
        defined = np.isfinite(network.values(network.prepare(x))).all(axis=1)
    inside: FloatArray = x[defined]
    return inside


def error_picture(history: Any) -> str:
    """Return the errors of a run over its steps, "" if there is nothing to draw."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    curves = [
        (np.asarray(getattr(history, name)), label, colour)
        for name, label, colour in _CURVES
        if hasattr(history, name)
    ]
    step = np.asarray(history.step)
    shown = [curve for curve in curves if (np.isfinite(curve[0]) & (curve[0] > 0.0)).sum() > 1]
    if not shown:
        return ""
    figure = Figure(figsize=(4.6, 2.5), dpi=100, facecolor="#ffffff", layout="constrained")
    ax = figure.subplots()
    for values, label, colour in shown:
        taken = ~np.isnan(values)  # test errors are not taken at every step
        drawn = np.where(values > 0.0, values, np.nan)[taken]  # a logarithmic axis has no zero
        ax.plot(step[taken], drawn, color=colour, lw=1.4, label=label)
    for place in np.flatnonzero(np.diff(history.n_intervals)) + 1:
        ax.axvline(step[place], color="#999999", lw=0.8, ls=":", zorder=0)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("step")
    ax.set_ylabel("RMSE")
    ax.grid(axis="y", color="#e6e6e6", lw=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(frameon=False, fontsize=9)
    return _card(ax, "errors over the steps of a run")


def _card(ax: "Axes", description: str) -> str:
    png, size = png_of(ax.figure)
    return markup.picture(png, size["width"], description)
