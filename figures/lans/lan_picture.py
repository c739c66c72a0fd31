"""A learnable activation network as a diagram: inputs at the bottom, a box with its curve at every hidden node, weights as lines.

A line is blue where its weight is positive and orange where it is negative, and its width and opacity grow with |w| times
the standard deviation of its input, relative to the largest in its layer.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

import kan_ref as kr
from figures.machine.style import BLUE, GREY, VERMILION
from kan_ref.baselines.lan import node_curve, pre_activations
from kan_ref.checks import FloatArray

INK = "#1a1a1a"
WIDEST, FAINTEST = 2.6, 0.08  # points; opacity
BOX, TALL = (
    0.86,
    0.5,
)  # a box's width relative to the space of a node; its height is at most `TALL` of a layer's
N_POINTS = 120


def draw_lan(
    ax: Axes,
    lan: kr.LAN,
    x: FloatArray,
    *,
    names: Sequence[str],
    output_names: Sequence[str],
    widest_box: float = 0.2,
) -> None:
    """Draw into the unit square of an Axes; samples x (n, n_in) determine the range of the curves."""
    ax.set_axis_off()
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-0.12, 1.12)
    hidden = pre_activations(lan, x)
    flow = [
        x,
        *(node_curve(lan, number, z, slopes=False)[0] for number, z in enumerate(hidden[:-1])),
    ]
    places = [(np.arange(width) + 0.5) / width for width in lan.widths]
    heights = np.linspace(0.0, 1.0, len(lan.widths))
    half = 0.5 * TALL * heights[1] if len(heights) > 2 else 0.0
    for number, weight in enumerate(lan.weights):
        low, high = (
            heights[level] + (half if sign > 0 else -half) * (0 < level < len(lan.rows) + 1)
            for level, sign in ((number, 1), (number + 1, -1))
        )
        _draw_weights(
            ax, weight * flow[number].std(axis=0), places[number], places[number + 1], low, high
        )
    for number, z in enumerate(hidden[:-1]):
        width = min(BOX / lan.widths[number + 1], widest_box)
        for node, center in enumerate(places[number + 1]):
            _draw_curve(
                ax,
                lan,
                number,
                node,
                z,
                (center - width / 2, heights[number + 1] - half, width, 2 * half),
            )
    for level, some, sign in ((0, names, -1), (len(heights) - 1, output_names, 1)):
        for center, name in zip(places[level], some, strict=True):
            ax.plot(center, heights[level], "o", color=INK, ms=4, zorder=3)
            ax.text(
                center,
                heights[level] + sign * 0.04,
                name,
                ha="center",
                va="bottom" if sign > 0 else "top",
                fontsize=9,
            )


def _draw_weights(
    ax: Axes,
    strength: FloatArray,
    sources: FloatArray,
    targets: FloatArray,
    low: float,
    high: float,
) -> None:
    size = np.abs(strength) / max(float(np.abs(strength).max()), 1e-300)
    lines, colors, widths = [], [], []
    for j, i in np.ndindex(*strength.shape):
        lines.append(np.array([(sources[i], low), (targets[j], high)]))
        colors.append(
            to_rgba(
                BLUE if strength[j, i] >= 0 else VERMILION,
                FAINTEST + (1.0 - FAINTEST) * float(size[j, i]),
            )
        )
        widths.append(0.4 + (WIDEST - 0.4) * size[j, i])
    ax.add_collection(LineCollection(lines, colors=colors, linewidths=widths, zorder=1))


def _draw_curve(
    ax: Axes,
    lan: kr.LAN,
    number: int,
    node: int,
    z: FloatArray,
    box: tuple[float, float, float, float],
) -> None:
    line = np.linspace(z[:, node].min(), z[:, node].max(), N_POINTS)
    values = node_curve(lan, number, np.tile(line[:, None], (1, z.shape[1])), slopes=False)[0][
        :, node
    ]
    left, bottom, width, height = box
    ax.add_patch(
        Rectangle(
            (left, bottom), width, height, facecolor="white", edgecolor=GREY, lw=0.8, zorder=2
        )
    )
    scaled = (values - values.min()) / max(float(np.ptp(values)), 1e-300)
    across = left + width * (0.1 + 0.8 * np.linspace(0.0, 1.0, N_POINTS))
    ax.plot(
        across,
        bottom + height * (0.12 + 0.76 * scaled),
        color=INK,
        lw=1.3,
        zorder=3,
        solid_capstyle="round",
    )
