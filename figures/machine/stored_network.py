"""Networks in records, as plain data rounded to the precision of a picture, and their drawings."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import PlaceHolderLayoutEngine

import kan_ref as kr
from kan_ref.io.document import network_from_plain, network_to_plain
from kan_ref.network.network import Network

DIGITS = 7  # significant ones of a stored number
PLACES = 6  # decimals of a place in a picture, in units of its size
PER_AXIS = 21  # points of the lattice over which curves of two inputs are drawn


def symbolic_network(found: kr.discovery.Discovery) -> Network:
    """Return the network of the formula that `discover` found for given widths.

    Where the formula is no network, it is that of the paper's way, which comes first: its last step is "canonical".
    """
    if found.network is not None:
        return found.network
    networks = {step.name: step.network for step in found.steps}
    if (last := networks.get("canonical")) is None:
        raise ValueError("the steps have no network of symbolic edges: give `discover` the widths")
    return last


def stored(network: Network) -> dict[str, Any]:
    """Return the document of a network with rounded numbers, and without the version, which the
    record has already.
    """
    document = network_to_plain(network)
    layers = [{name: _rounded(value) for name, value in layer.items()} for layer in document["layers"]]
    return {**document, "kan_ref": "", "layers": layers}


def _rounded(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return np.array([float(f"{number:.{DIGITS}g}") for number in value.ravel()]).reshape(value.shape).tolist()


def restored(document: dict[str, Any]) -> Network:
    """Return the network of a document, for drawing; its outputs equal those of the original to
    about 6 digits.
    """
    return network_from_plain(document)


def draw_stored(ax: Axes, document: dict[str, Any], *, beta: float) -> None:
    """Draw a network f(x, y) of [-1, 1]^2 into an Axes; curves and magnitudes are those on a
    lattice of the square.
    """
    line = np.linspace(-1.0, 1.0, PER_AXIS)
    square = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    kr.draw_network(restored(document), square, ax=ax, names=("$x$", "$y$"), output_names=("$f$",), beta=beta)


def headline(row: SubFigure, text: str) -> None:
    """Write the subject of a row of panels above it on the left."""
    row.suptitle(text, fontsize=12, x=0.012, ha="left", weight="bold")


def network_panel(ax: Axes, title: str, document: dict[str, Any] | None, *, beta: float) -> Callable[[], None]:
    """Give an Axes a title alone, and return the function that draws the network there later;
    without a document it draws nothing.
    """
    ax.set_title(title, fontsize=10.5)
    ax.set_axis_off()
    return partial(draw_stored, ax, document, beta=beta) if document else lambda: None


def draw_settled(picture: Figure, drawings: Sequence[Callable[[], None]]) -> None:
    """Fix the layout, then call the drawings: the shape of a diagram depends on the space that it
    has.
    """
    picture.draw_without_rendering()
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        picture.set_layout_engine(None)  # with the setting above no engine at all, else that of the style
    _round_places(picture)
    for draw in drawings:
        draw()
    # without an engine, saving a second time would start that of the style
    picture.set_layout_engine(PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True))


def _round_places(picture: Figure | SubFigure) -> None:
    """Round all positions: the layout is solved to rounding errors that differ between runs, and
    files should not.
    """
    for part in picture.subfigs:
        corners = part.bbox_relative.get_points().round(PLACES)
        part.bbox_relative.set_points(corners)
        _round_places(part)
    for ax in picture.axes:
        ax.set_position(tuple(np.round(ax.get_position(original=True).bounds, PLACES)))
