"""The paper's diagrams of networks, painted with Matplotlib (Liu et al. 2024, figs. 2.4, 4.1, C.1).

Splines are black, symbolic edges red with the name of their function. A circle with a plus adds the
values that enter it. Nothing here uses pyplot or changes global state.
"""

import io
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.drawing.diagram import MOST_EDGES, Diagram, lay_out
from kan_ref.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, RED, GREY, PAPER = "#1a1a1a", "#c1121f", "#666666", "#ffffff"
TONES = {"name": INK, "title": INK, "note": GREY, "function": RED}
WIRE, FRAME, CURVE = 1.0, 0.8, 1.5  # points
RING, DOT, PLUS = 10.8, 4.8, 6.5  # points: width of a sum, of another node, of a plus
DPI = 100


def draw_network(
    network: Network,
    x: object,
    *,
    ax: "Axes | None" = None,
    names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    beta: float = 3.0,
    title: str | None = None,
    most_edges: int = MOST_EDGES,
) -> "Axes":
    r"""Draw the paper's diagram of a network: inputs at the bottom, outputs at the top.

    Parameters
    ----------
    network : Network
        Its masked edges are not drawn.
    x : (batch, n_in)
        At least one sample. A curve is drawn over the range of its samples.
    ax : Axes, optional
        Where to draw; the layout is made for its present size. None makes a figure of the natural
        size, which a notebook shows if this is the last value of a cell.
    names, output_names : sequence of str, optional
        One for each input, one for each output; None numbers them. Text between two dollar signs is
        set as a formula, as in "$\theta$"; write other dollar signs as ``\$``.
    beta : float, default 3.0
        Above 0; an edge has the opacity tanh(beta A), with A its mean magnitude on x
        (`kan_ref.edge_scores`). Below an opacity of 0.02 it cannot be seen, and a note counts such
        edges: for values in small units, choose beta near 1 / A.
    title : str, optional
    most_edges : int, default 48
        Of a layer with more active edges only those with the largest scores are drawn, and a note
        says so.

    Returns
    -------
    ax : Axes
        `ax.figure.savefig("network.png")` writes it.

    Notes
    -----
    Implements :eq:`edge-opacity`, :eq:`row-of-slots`.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> ax = kr.draw_network(net, rng.uniform(-1.0, 1.0, (50, 2)), names=("a", "b"))
    >>> [text.get_text() for text in ax.texts]
    ['a', 'b', '$y$']
    """
    from matplotlib.axes import Axes

    space = None if ax is None else space_of(checks.instance("ax", ax, Axes, "a Matplotlib Axes"))
    (diagram,) = lay_out(
        [network],
        x,
        ["" if title is None else checks.instance("title", title, str)],
        names=names,
        output_names=output_names,
        beta=beta,
        most_edges=most_edges,
        space=space,
    )
    if ax is not None:
        paint(diagram, ax)
        return ax
    own = new_figure(diagram).add_axes((0.0, 0.0, 1.0, 1.0))
    paint(diagram, own)
    for shown in (own, own.figure):  # IPython finds the method on the object itself
        vars(shown)["_repr_png_"] = partial(png_of, own.figure)
    return own


def new_figure(diagram: Diagram) -> "Figure":
    """Return a figure of the diagram's natural size in whole pixels, outside pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = np.ceil(diagram.plan.size * DPI) / DPI
    figure = Figure(figsize=tuple(size), dpi=DPI, facecolor=PAPER)
    figure.set_layout_engine("none")  # whatever the user's settings are
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Any) -> tuple[bytes, dict[str, int]]:
    """Return a figure as PNG with twice its resolution, and the size at which notebooks show it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=2.0 * figure.dpi, metadata={"Software": None})
    width, height = (round(float(inches * figure.dpi)) for inches in figure.get_size_inches())
    return stream.getvalue(), {"width": width, "height": height}


def space_of(ax: "Axes") -> FloatArray:
    """Return width and height of an Axes in inches, without ticks and frame.

    The layout engine of its figure, if there is one, runs first.
    """
    ax.set_axis_off()
    figure = ax.figure.canvas.figure
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
    return np.array(ax.bbox.size) / figure.dpi


def paint(diagram: Diagram, ax: "Axes") -> None:
    """Paint a diagram in the middle of an Axes, whose unit becomes an inch of the plan."""
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    plan, scale = diagram.plan, diagram.plan.scale
    space = np.array(ax.bbox.size) / ax.figure.dpi / scale
    margins = np.maximum(0.0, space - plan.size) / 2.0
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(plan.extent[0] - margins[0], plan.extent[2] + margins[0])
    ax.set_ylim(plan.extent[1] - margins[1], plan.extent[3] + margins[1])
    card: Any = {"transform": ax.transAxes, "facecolor": PAPER, "edgecolor": "none", "zorder": 0}
    ax.add_patch(Rectangle((0.0, 0.0), 1.0, 1.0, **card))

    colors = np.array([to_rgba(RED if name else INK) for name in diagram.functions]).reshape(-1, 4)
    colors[:, 3] = diagram.alphas
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    corners = plan.boxes[:, None, :2] + plan.boxes[:, None, 2:] * square
    curve: Any = {"linewidths": CURVE * scale, "zorder": 3, "capstyle": "round"}
    for collection in (
        LineCollection(list(plan.wires), colors=colors, linewidths=WIRE * scale, zorder=1),
        PolyCollection(
            corners, facecolors=PAPER, edgecolors=colors, linewidths=FRAME * scale, zorder=2
        ),
        LineCollection(list(diagram.curves), colors=colors, **curve),
    ):
        ax.add_collection(collection, autolim=False)
    sums = plan.node_at[diagram.sums].T
    edge: Any = {"markeredgecolor": INK, "markeredgewidth": WIRE * scale, "linestyle": "none"}
    for at, marker, size, face, zorder in (
        (plan.node_at[~diagram.sums].T, "o", DOT, INK, 4),
        (sums, "o", RING, PAPER, 4),
        (sums, "+", PLUS, INK, 5),
    ):
        marks: Any = {"markersize": size * scale, "markerfacecolor": face, "zorder": zorder}
        ax.plot(*at, marker=marker, **marks, **edge)
    for label in plan.labels:
        ax.text(
            *label.at,
            label.text,
            fontsize=label.points * scale,
            color=TONES[label.role],
            alpha=label.alpha,
            rotation=label.angle,
            ha="center",
            va=label.va,
            zorder=5,
        )
