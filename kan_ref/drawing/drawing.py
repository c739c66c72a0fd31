"""Networks painted with Matplotlib: the paper's diagram of one, and a film of many. Where things go is decided in `diagram`.

Liu et al. 2024, figures 2.4, 4.1 and C.1. Splines are black, formulas red with their name; an edge is as opaque as (D1) of
`diagram` says; a circle with a plus adds up what enters it. Nothing here touches pyplot or leaves global state changed.
"""

import contextlib
import os
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, check_number
from kan_ref.drawing.diagram import MOST_EDGES, Diagram, lay_out, lay_out_all
from kan_ref.network import Network
from kan_ref.training import Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, RED, GREY, PAPER = "#1a1a1a", "#c1121f", "#666666", "#ffffff"
WIRE, FRAME, CURVE = 1.0, 0.8, 1.5  # points
RING, DOT, ARM = 0.075, 0.04, 0.045  # inches: radius of a sum and of another node, half a plus
DPI = 100
MOST_FRAMES = 500  # about 1 MB each while the film is made


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
    r"""The paper's diagram of a network: inputs at the bottom, outputs on top, every living edge a wire with its curve in a box.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample. A curve is drawn over the range of its samples.
    ax : Axes, optional
        Where to draw; the layout is made for its present size. None makes a figure of the natural size, outside pyplot.
    names, output_names : sequence of str, optional
        One an input, one an output; "$\theta$" is set as a formula. None numbers them.
    beta : float, default 3.0
        Above 0; an edge has the opacity tanh(beta A), with A its mean magnitude on x (`kan_ref.edge_scores`).
    title : str, optional
    most_edges : int, default 48
        A layer with more living edges shows those with the largest scores, and a note in the picture says so.

    Returns
    -------
    ax : Axes
        `ax.figure.savefig("network.png")` writes it.

    Raises
    ------
    ValueError, TypeError
        "names has 3 entries, but 2 inputs need 2", and the like.

    Notes
    -----
    Dead edges are not drawn. Boxes stand grouped by target, in the order of the inputs (the paper groups by source).
    """
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax is {ax!r}, but must be a Matplotlib Axes")
    if ax is not None and ax.name != "rectilinear":
        raise ValueError(f"ax is {ax.name}, but must be rectilinear")
    diagram = lay_out(
        network,
        x,
        names=names,
        output_names=output_names,
        beta=beta,
        title=title,
        most_edges=most_edges,
        space=None if ax is None else _space(ax),
    )
    _check_formulas(diagram)
    if ax is None:
        ax = _new_figure(diagram).add_axes((0.0, 0.0, 1.0, 1.0))
    paint(diagram, ax)
    return ax


def _space(ax: "Axes") -> tuple[float, float]:
    """Width and height in inches that an Axes has without ticks and frame, after its figure's layout engine has run."""
    from matplotlib.transforms import TransformedBbox

    root = ax.figure.canvas.figure
    if root.get_layout_engine() is not None:
        shown, ax.axison = ax.axison, False
        try:
            root.draw_without_rendering()
        finally:
            ax.axison = shown
    place = TransformedBbox(ax.get_position(original=True), ax.figure.transSubfigure)
    width, height = place.width / root.dpi, place.height / root.dpi
    if not min(width, height) > 0.0:
        raise ValueError(f"ax is {width:g} by {height:g} inches, but needs some room")
    return width, height


def save_film(
    networks: Sequence[Network | Step],
    x: object,
    path: str | os.PathLike[str],
    *,
    titles: Sequence[str] | None = None,
    frames_per_second: float = 5.0,
    names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    beta: float = 3.0,
    most_edges: int = MOST_EDGES,
) -> None:
    """An animated GIF of networks, a frame each; whatever lives in any of them has one place in all, so that nothing jumps.

    Parameters
    ----------
    networks : sequence of Network or Step
        1 to 500 of the same widths, the grids may differ. Steps are what `fit` shows its callback.
    x : (batch, n_in)
        At least one sample.
    path : str or path, ending in ".gif"
        An older file is replaced in one step at the very end; if anything fails before, it stays as it was.
    titles : sequence of str, optional
        One a frame. None tells the number of the step and its root mean square error on the training data, or counts frames.
    frames_per_second : float, default 5.0
        From 0.1 to 50.
    names, output_names : sequence of str, optional
    beta : float, default 3.0
    most_edges : int, default 48
        As in `draw_network`; judged by an edge's largest score in any frame.

    Returns
    -------
    None

    Raises
    ------
    ValueError, TypeError, OSError
        "networks[2] has widths (2, 3, 1), but networks[0] has (2, 5, 1)", and the like; no such folder, no permission, disk full.

    Notes
    -----
    About 50 ms and 1 MB of memory a frame. The steps of a run: `steps = []`, then `fit(..., callback=steps.append)`.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(name, str):
        raise TypeError(f"path is {path!r}, but must be a str or a pathlib.Path")
    if not name.lower().endswith(".gif"):
        raise ValueError(f"path is {name!r}, but must end in '.gif'")
    check_number("frames_per_second", frames_per_second, low=0.1, high=50.0)
    if not isinstance(networks, Sequence):
        raise TypeError(f"networks is {networks!r}, but must be a sequence of Network or Step")
    if not 1 <= len(networks) <= MOST_FRAMES:
        raise ValueError(
            f"networks has {len(networks)} entries, but a film needs 1 to {MOST_FRAMES}"
        )
    if titles is None:
        titles = [_frame_title(shown, n, len(networks)) for n, shown in enumerate(networks)]
    elif (
        isinstance(titles, str) or not isinstance(titles, Sequence) or len(titles) != len(networks)
    ):
        raise ValueError(f"titles is {titles!r}, but must hold {len(networks)} str, one a frame")
    states = [shown.network if isinstance(shown, Step) else shown for shown in networks]
    diagrams = lay_out_all(
        states, x, titles, names=names, output_names=output_names, beta=beta, most_edges=most_edges
    )
    for diagram in diagrams:
        _check_formulas(diagram)
    _write_film(diagrams, os.path.realpath(name), frames_per_second)


def _frame_title(shown: Network | Step, n: int, count: int) -> str:
    return (
        f"step {shown.step}, train RMSE {shown.train_rmse:.1e}"
        if isinstance(shown, Step)
        else f"{n + 1} of {count}"
    )


def _write_film(diagrams: Sequence[Diagram], target: str, frames_per_second: float) -> None:
    """All frames in the file, in one step at the end."""
    import matplotlib as mpl
    from matplotlib.animation import PillowWriter

    temporary = os.path.join(os.path.dirname(target), f".kan_ref-{secrets.token_hex(8)}.gif")
    figure = _new_figure(diagrams[0])
    writer = PillowWriter(fps=frames_per_second)  # type: ignore[arg-type]  # a float serves as well
    try:
        open(temporary, "xb").close()  # a folder that takes no file is found out before the work
        with mpl.rc_context({"savefig.bbox": None}):
            writer.setup(figure, temporary, DPI)
            for diagram in diagrams:
                figure.clear()
                paint(diagram, figure.add_axes((0.0, 0.0, 1.0, 1.0)))
                writer.grab_frame(facecolor=PAPER)
            writer.finish()
        os.replace(temporary, target)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = target
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _new_figure(diagram: Diagram, dpi: float = DPI) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=tuple(np.ceil(diagram.plan.size * dpi) / dpi), dpi=dpi, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def _check_formulas(diagram: Diagram) -> None:
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    for label in diagram.plan.labels:
        for line in filter(is_math_text, label.text.split("\n")):
            try:
                MathTextParser("path").parse(line)
            except ValueError:
                raise ValueError(
                    f"{label.role} {line!r} is no formula that Matplotlib can set"
                ) from None


def paint(diagram: Diagram, ax: "Axes") -> None:
    """A laid out network in the middle of an Axes; one unit is an inch times the scale of the plan."""
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.colors import to_rgba

    plan, scale = diagram.plan, diagram.plan.scale
    air = np.maximum(0.0, np.array(_space(ax)) / scale - plan.size) / 2.0
    ax.set_axis_off()
    ax.set_xscale("linear")
    ax.set_yscale("linear")
    ax.set_aspect("equal")
    ax.set_xlim(-air[0], plan.size[0] + air[0])
    ax.set_ylim(-air[1], plan.size[1] + air[1])

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
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Circle

    dots, rings = (
        [Circle(spot, DOT) for spot in at[~sums]],
        [Circle(spot, RING) for spot in at[sums]],
    )
    plus = np.array([[[-ARM, 0.0], [ARM, 0.0]], [[0.0, -ARM], [0.0, ARM]]])
    arms = (at[sums][:, None, None, :] + plus).reshape(-1, 2, 2)
    for collection in (
        PatchCollection(dots, facecolors=INK, edgecolors="none", zorder=4),
        PatchCollection(rings, facecolors=PAPER, edgecolors=INK, linewidths=WIRE * scale, zorder=4),
        LineCollection(list(arms), colors=INK, linewidths=WIRE * scale, zorder=5),
    ):
        ax.add_collection(collection, autolim=False)
