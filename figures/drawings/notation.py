"""The left part of Fig. 2.2: the notation of activations that flow through a network.

Liu et al. 2024, section 2.2: x_{l,i} is the value of node i of layer l, the activation function phi_{l,j,i} leads from it to node j of the next
layer, and x_{l+1,j} is the sum of phi_{l,j,i}(x_{l,i}) over i (eq. 2.5). Indices begin at 1 for nodes and at 0 for layers.
"""

from itertools import pairwise

from matplotlib.axes import Axes

from figures.machine.style import BLUE, GREY

WIDTHS = (2, 3, 1)


def draw_notation(ax: Axes) -> None:
    """Draw a [2,3,1] network whose nodes and edges carry their names."""
    ax.set_axis_off()
    ax.set_xlim(-1.15, 1.15)
    ax.set_ylim(-0.35, len(WIDTHS) - 0.6)
    nodes = [[2.0 * (i + 0.5) / n - 1.0 for i in range(n)] for n in WIDTHS]
    for level, (low, high) in enumerate(pairwise(nodes)):
        for j, x_high in enumerate(high):
            for i, x_low in enumerate(low):
                ax.plot([x_low, x_high], [level, level + 1], color="0.75", lw=1.0, zorder=1)
                # two edges cross in the middle, so the names stand nearer to their own upper node
                share = 0.62 if len(high) == 1 else 0.8
                ax.text(
                    x_low + share * (x_high - x_low),
                    level + share,
                    f"$\\phi_{{{level},{j + 1},{i + 1}}}$",
                    ha="center",
                    va="center",
                    size=10,
                    color=BLUE,
                    bbox={"fc": "white", "ec": "none", "pad": 1.0},
                    zorder=2,
                )
    for level, row in enumerate(nodes):
        for i, x in enumerate(row):
            ax.plot(x, level, "o", color="k", ms=5, zorder=3)
            right = i + 1 == len(row)
            ax.text(
                x + (0.06 if right else -0.06),
                level,
                f"$x_{{{level},{i + 1}}}$",
                ha="left" if right else "right",
                va="center",
                size=11.5,
            )
    ax.text(
        0.42,
        len(WIDTHS) - 0.95,
        "$x_{l+1,j} = \\sum_i \\phi_{l,j,i}(x_{l,i})$",
        size=12,
        color=GREY,
        va="center",
    )
