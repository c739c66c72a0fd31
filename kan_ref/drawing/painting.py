"""The paper's diagrams of networks, painted with Matplotlib (Liu et al. 2024, figs. 2.4, 4.1, C.1).

Splines are black, symbolic edges red with the name of their function. An edge has the opacity (G2)
of `diagram`. A circle with a plus adds the values that enter it. Nothing here uses pyplot or
changes global state.
"""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.drawing.diagram import MOST_EDGES, Diagram, lay_out
from kan_ref.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, RED, GREY, PAPER = "#1a1a1a", "#c1121f", "#666666", "#ffffff"
LEAST_CONTRAST = 4.5  # of text (WCAG 2.2, 1.4.3)
WIRE, FRAME, CURVE = 1.0, 0.8, 1.5  # points
RING, DOT, ARM = 0.075, 0.04, 0.045  # inches: radius of a sum, of another node, half a plus
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

    Every active edge is a wire with its curve in a box, the fainter the smaller its values are. A
    note counts the edges that are too faint to see.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample. A curve is drawn over the range of its samples.
    ax : Axes, optional
        Where to draw; the layout is made for its present size, and an aspect of its box is kept. It
        must not share limits with another Axes. None makes a figure of the natural size, outside
        pyplot.
    names, output_names : sequence of str, optional
        One for each input, one for each output. None numbers them. Text between two dollar
        signs is set as a formula, as in "$\theta$"; write other dollar signs as ``\$``. Names that
        are columns of a table x are drawn as they are.
    beta : float, default 3.0
        Above 0; an edge has the opacity tanh(beta A), with A its mean magnitude on x
        (`kan_ref.edge_scores`). Below an opacity of 0.02 it cannot be seen: for values in small
        units, choose beta near 1 / A.
    title : str, optional
        Dollar signs as in `names`.
    most_edges : int, default 48
        Of a layer with more active edges only those with the largest scores are drawn, and a note
        in the diagram says so.

    Returns
    -------
    ax : Axes
        `ax.figure.savefig("network.png")` writes it. Without an `ax` of yours, a notebook shows
        the picture if this is the last value of a cell.

    Raises
    ------
    ValueError, TypeError
        For wrong arguments: "names has 3 entries, but 2 inputs need 2".

    Notes
    -----
    Masked edges are not drawn. A curve that oscillates too fast for this size fills the band
    between its smallest and its largest value. The name of a function ends in an ellipsis where its
    letters would be too small to read, and is left out where the box is too low for letters of 4
    points. A larger `ax` of yours shows more of it, and
    ``[edge.name for edge in network.layers[0].symbolic]`` are the whole names of layer 0. On a dark
    figure the diagram has a white background. Boxes are grouped by target, in the order of the
    inputs (the paper groups by source).
    """
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax is {ax!r}, but must be a Matplotlib Axes")
    if ax is not None and ax.figure is None:
        raise ValueError("ax was removed from its figure: give another Axes")
    if ax is not None and ax.name != "rectilinear":
        raise ValueError(f"ax is {ax.name}, but must be rectilinear")
    if ax is not None and shares_limits(ax):
        raise ValueError(
            "ax shares its limits with another Axes, but a diagram sets its own: make it without "
            "sharex, sharey and twins"
        )
    diagram = lay_out(
        network,
        x,
        names=names,
        output_names=output_names,
        beta=beta,
        title=title,
        most_edges=most_edges,
        space=None if ax is None else axes_space(ax),
    )
    check_formulas(diagram)
    is_own = ax is None
    if ax is None:
        ax = new_figure(diagram).add_axes((0.0, 0.0, 1.0, 1.0))
    # the user's style may save the figure with a black face
    paint(diagram, ax, needs_paper=is_own)
    if is_own:
        # pyplot does not know this figure; IPython finds the method on the object itself
        for shown in (ax, ax.figure):
            vars(shown)["_repr_png_"] = partial(png_of, ax.figure)
    return ax


def new_figure(diagram: Diagram, dpi: float = DPI) -> "Figure":
    """Return a figure of the diagram's natural size, outside pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = tuple(np.ceil(diagram.plan.size * dpi) / dpi)
    figure = Figure(figsize=size, dpi=dpi, facecolor=PAPER)
    # the Axes fill the figure: a layout engine of the user's settings would find nothing to arrange
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Any) -> tuple[bytes, dict[str, int]]:
    """Return a figure as PNG with twice its resolution, and the size at which notebooks show it.

    The user's settings, such as a black `savefig.facecolor`, have no effect on it.
    """
    stream = io.BytesIO()
    with default_style():
        figure.savefig(stream, format="png", dpi=2.0 * figure.dpi, metadata={"Software": None})
    width, height = (round(float(inches * figure.dpi)) for inches in figure.get_size_inches())
    return stream.getvalue(), {"width": width, "height": height}


def default_style() -> AbstractContextManager[None]:
    """Return a context with Matplotlib's own settings instead of the user's.

    Pictures in notebooks have a white card, on which white letters of a dark style, or letters of
    another size, could not be read.
    """
    import matplotlib.style

    return matplotlib.style.context("default")


def shares_limits(ax: "Axes") -> bool:
    """Return whether an Axes shares an axis with another one."""
    groups = ax.get_shared_x_axes(), ax.get_shared_y_axes()
    return any(len(group.get_siblings(ax)) > 1 for group in groups)


def axes_space(ax: "Axes") -> tuple[float, float]:
    """Return width and height of an Axes in inches, without ticks and frame.

    The layout engine of its figure, if there is one, runs first. An aspect of the box shrinks it.
    """
    from matplotlib.transforms import TransformedBbox

    root = ax.figure.canvas.figure
    if root.get_layout_engine() is not None:
        shown, ax.axison = ax.axison, False
        try:
            root.draw_without_rendering()
        finally:
            ax.axison = shown
    place = TransformedBbox(ax.get_position(original=True), ax.figure.transSubfigure)
    width, height, aspect = place.width / root.dpi, place.height / root.dpi, ax.get_box_aspect()
    if aspect is not None:
        width, height = min(width, height / aspect), min(height, width * aspect)
    if not min(width, height) > 0.0:
        raise ValueError(f"ax is {width:g} by {height:g} inches, but needs a size above 0")
    return width, height


def check_formulas(diagram: Diagram) -> None:
    """Raise ValueError if a text holds a formula that Matplotlib cannot set."""
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    for label in diagram.plan.labels:
        for line in filter(is_math_text, label.text.split("\n")):
            try:
                MathTextParser("path").parse(line)
            except ValueError:
                raise ValueError(
                    f"{label.role} {line!r} is not a formula that Matplotlib can set: correct it, "
                    "or write dollar signs that are letters as r'\\$'"
                ) from None


def page_colour(figure: Any) -> FloatArray:
    """Return the colour (red, green, blue) behind the Axes of a figure or subfigure.

    Behind what is transparent there is paper.
    """
    from matplotlib.colors import to_rgb, to_rgba

    colour = np.array(to_rgb(PAPER))
    for face in dict.fromkeys((figure.canvas.figure, figure)):
        *own, alpha = to_rgba(face.get_facecolor())
        colour = alpha * np.array(own) + (1.0 - alpha) * colour
    return colour


def is_readable_on(colour: FloatArray) -> bool:
    """Return whether the palest text of a diagram has enough contrast on a colour (3,)."""
    from matplotlib.colors import to_rgb

    return all(
        contrast(np.array(to_rgb(ink)), colour) >= LEAST_CONTRAST for ink in (INK, RED, GREY)
    )


def contrast(first: FloatArray, second: FloatArray) -> float:
    """Return the contrast of two colours (3,), from 1 to 21 (WCAG 2.2, contrast ratio)."""
    lights = []
    for colour in (first, second):
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        lights.append(0.05 + float(linear @ (0.2126, 0.7152, 0.0722)))
    return max(lights) / min(lights)


def paint(diagram: Diagram, ax: "Axes", *, needs_paper: bool = False) -> None:
    """Paint a diagram in the middle of an Axes.

    One unit of the Axes is an inch times the scale of the plan. Its background is white on a page
    on which the diagram could not be read, and always if it `needs_paper`.
    """
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    plan, scale = diagram.plan, diagram.plan.scale
    margins = np.maximum(0.0, np.array(axes_space(ax)) / scale - plan.size) / 2.0
    ax.set_axis_off()
    ax.set_xscale("linear")
    ax.set_yscale("linear")
    ax.set_aspect("equal")
    ax.set_xlim(-margins[0], plan.size[0] + margins[0])
    ax.set_ylim(-margins[1], plan.size[1] + margins[1])
    if needs_paper or not is_readable_on(page_colour(ax.figure)):
        ax.add_patch(
            Rectangle((0.0, 0.0), 1.0, 1.0, transform=ax.transAxes, fc=PAPER, ec="none", zorder=0)
        )

    colors = np.array([to_rgba(RED if name else INK) for name in diagram.functions]).reshape(-1, 4)
    colors[:, 3] = diagram.alphas
    corners = plan.boxes[:, None, :2] + plan.boxes[:, None, 2:] * np.array(
        [[0, 0], [1, 0], [1, 1], [0, 1]]
    )
    paths = list(np.concatenate([plan.wires_in, plan.wires_out]))
    wires = LineCollection(paths, colors=np.tile(colors, (2, 1)), linewidths=WIRE * scale, zorder=1)
    frames = PolyCollection(
        corners, facecolors=PAPER, edgecolors=colors, linewidths=FRAME * scale, zorder=2
    )
    curves = LineCollection(
        list(diagram.curves), colors=colors, linewidths=CURVE * scale, zorder=3, capstyle="round"
    )
    for collection in (wires, frames, curves):
        ax.add_collection(collection, autolim=False)
    _paint_nodes(plan.node_at, diagram.sums, ax, scale)
    tones = {"name": INK, "title": INK, "note": GREY, "function": RED}
    for label in plan.labels:
        ax.text(
            *label.at,
            label.text,
            fontsize=label.points * scale,
            color=tones[label.role],
            alpha=label.opacity,
            rotation=label.angle,
            ha="center",
            va=label.anchor,
            zorder=5,
        )


def _paint_nodes(at: FloatArray, sums: BoolArray, ax: "Axes", scale: float) -> None:
    """Paint a circle with a plus for each sum, and a dot for each other node."""
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Circle

    dots = [Circle(spot, DOT) for spot in at[~sums]]
    rings = [Circle(spot, RING) for spot in at[sums]]
    plus = np.array([[[-ARM, 0.0], [ARM, 0.0]], [[0.0, -ARM], [0.0, ARM]]])
    arms = (at[sums][:, None, None, :] + plus).reshape(-1, 2, 2)
    for collection in (
        PatchCollection(dots, facecolors=INK, edgecolors="none", zorder=4),
        PatchCollection(rings, facecolors=PAPER, edgecolors=INK, linewidths=WIRE * scale, zorder=4),
        LineCollection(list(arms), colors=INK, linewidths=WIRE * scale, zorder=5),
    ):
        ax.add_collection(collection, autolim=False)


if TYPE_CHECKING:
    from matplotlib.axes import Axes
