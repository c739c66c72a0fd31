"""The paper's diagram of a network (Liu et al. 2024, figure 2.4), in a Matplotlib Axes."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from kan_ref.drawing.diagram import MOST_EDGES, lay_out
from kan_ref.drawing.painting import axes_space, check_formulas, new_figure, paint, png_of
from kan_ref.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    Every active edge is a wire with its curve in a box.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample. A curve is drawn over the range of its samples.
    ax : Axes, optional
        Where to draw; the layout is made for its present size. None makes a figure of the natural
        size, outside pyplot.
    names, output_names : sequence of str, optional
        One for each input, one for each output; "$\theta$" is set as a formula. None numbers them.
    beta : float, default 3.0
        Above 0; an edge has the opacity tanh(beta A), with A its mean magnitude on x
        (`kan_ref.edge_scores`).
    title : str, optional
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
    Masked edges are not drawn. Boxes are grouped by target, in the order of the inputs (the paper
    groups by source).
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
        space=None if ax is None else axes_space(ax),
    )
    check_formulas(diagram)
    is_own = ax is None
    if ax is None:
        ax = new_figure(diagram).add_axes((0.0, 0.0, 1.0, 1.0))
    paint(diagram, ax)
    if is_own:
        # pyplot does not know this figure; IPython finds the method on the object itself
        for shown in (ax, ax.figure):
            vars(shown)["_repr_png_"] = partial(png_of, ax.figure)
    return ax
