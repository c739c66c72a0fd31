"""Fig. 0.1: MLPs and KANs side by side: theorem, formula and network of two layers, formula and network of three.

Liu et al. 2024, Figure 0.1. An MLP has a fixed activation function on each node and a weight on each edge. A KAN has a learnable function on each
edge, and its nodes add. The curves of the KANs are those of untrained networks with large coefficients.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Claim, Record
from figures.machine.machine import Figure as FigureModule
from figures.machine.machine import configs as configs
from figures.machine.machine import cost as cost
from figures.machine.machine import run as run
from figures.machine.stored_network import draw_settled
from figures.machine.style import BLUE, GREY, VERMILION

NAME = "0.1"
TITLE = "MLPs and KANs side by side"
RECORDS_OF: tuple[FigureModule, ...] = ()
SHALLOW, DEEP = (2, 3, 1), (2, 3, 2, 1)
TEXTS = {
    "MLP": (
        "universal approximation",
        r"$f(x) \approx \sum_i a_i\, \sigma(w_i \cdot x + b_i)$",
        r"$(W_2 \circ \sigma_2 \circ W_1 \circ \sigma_1 \circ W_0)(x)$",
    ),
    "KAN": (
        "Kolmogorov-Arnold representation",
        r"$f(x) = \sum_q \Phi_q\left(\sum_p \phi_{q,p}(x_p)\right)$",
        r"$(\Phi_2 \circ \Phi_1 \circ \Phi_0)(x)$",
    ),
}


def draw(records: Sequence[Record]) -> Figure:
    """Draw the two columns."""
    picture = Figure(figsize=(6.8, 7.6))
    axes = picture.subplots(4, 2, height_ratios=(0.42, 1.0, 0.16, 1.25))
    drawings = []
    for column, (name, color) in zip(axes.T, (("MLP", VERMILION), ("KAN", BLUE)), strict=True):
        theorem, shallow, deep = TEXTS[name]
        for ax in column:
            ax.set_axis_off()
        column[0].text(0.5, 0.95, name, ha="center", va="top", size=15, weight="bold", color=color)
        column[0].text(0.5, 0.5, theorem, ha="center", va="top", color=GREY)
        column[0].text(0.5, 0.1, shallow, ha="center", va="top", size=11)
        column[2].text(0.5, 0.5, deep, ha="center", va="center", size=11)
        for ax, widths in ((column[1], SHALLOW), (column[3], DEEP)):
            drawings.append(partial(_draw_mlp if name == "MLP" else _draw_kan, ax, widths))
    axes[3, 0].set_title("fixed functions on nodes,\nlearnable weights on edges", y=-0.18)
    axes[3, 1].set_title("learnable functions on edges,\nsums on nodes", y=-0.18)
    draw_settled(picture, drawings)
    return picture


def _draw_kan(ax: Axes, widths: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    network = kr.init_network(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    layers = [replace(layer, coef=8.0 * layer.coef) for layer in network.layers]
    network = kr.Network(tuple(layers))
    x = rng.uniform(-1.0, 1.0, (200, widths[0]))
    names = [f"$x_{place + 1}$" for place in range(widths[0])]
    kr.draw_network(network, x, ax=ax, names=names, output_names=("$f$",), beta=50.0)


def _draw_mlp(ax: Axes, widths: tuple[int, ...]) -> None:
    """Draw an MLP: lines for weights, and a box with the activation function on each hidden node."""
    places = [
        [((i + 1.0) / (n + 1.0), float(level)) for i in range(n)] for level, n in enumerate(widths)
    ]
    for low, high in pairwise(places):
        for x_low, y_low in low:
            for x_high, y_high in high:
                ax.plot([x_low, x_high], [y_low, y_high], color="k", lw=0.8, alpha=0.7)
    line = np.linspace(-1.0, 1.0, 41)
    for level, row in enumerate(places):
        for number, (x, y) in enumerate(row):
            if 0 < level < len(widths) - 1:
                ax.plot(x, y, "s", ms=19, mfc="white", mec="k", mew=0.9)
                ax.plot(x + 0.035 * line, y + 0.09 * np.tanh(4.0 * line), color=VERMILION, lw=1.4)
            else:
                ax.plot(x, y, "o", ms=5, color="k")
                below = level == 0
                ax.text(
                    x,
                    y + (-0.16 if below else 0.16),
                    f"$x_{number + 1}$" if below else "$f$",
                    ha="center",
                    va="top" if below else "bottom",
                )
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-0.45, len(widths) - 0.55)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return no rows: the figure has definitions alone."""
    return []
