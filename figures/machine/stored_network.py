"""Networks in records, as plain data rounded to what a picture shows, and how such networks get into a picture."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import PlaceHolderLayoutEngine

import kan_ref as kr
from kan_ref.io.document import holds_numbers, network_from_plain, network_to_plain
from kan_ref.network.network import Network

DIGITS = 7  # significant ones of a stored number
PLACES = 6  # decimals of a place in a picture, in units of its size
PER_AXIS = 21  # points of the lattice over which curves of two inputs are drawn


def stored(network: Network) -> dict[str, Any]:
    """The document of a network, without the version that wrote it, which stands in the record already."""
    document = network_to_plain(network)
    layers = [
        {name: _rounded(value) for name, value in layer.items()} for layer in document["layers"]
    ]
    return {**document, "kan_ref": "", "layers": layers}


def _rounded(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return (
        np.array([float(f"{number:.{DIGITS}g}") for number in value.ravel()])
        .reshape(value.shape)
        .tolist()
    )


def restored(document: dict[str, Any]) -> Network:
    """The network of a document, to be drawn: its outputs are those of the one that was stored to about 6 digits."""
    layers = [
        {
            name: np.array(value, dtype=np.float64) if holds_numbers(name, value) else value
            for name, value in layer.items()
        }
        for layer in document["layers"]
    ]
    return network_from_plain({**document, "layers": layers})


def draw_stored(ax: Axes, document: dict[str, Any], *, beta: float) -> None:
    """A network f(x, y) on [-1, 1]^2 in an Axes, its curves and magnitudes those on a lattice of the square."""
    line = np.linspace(-1.0, 1.0, PER_AXIS)
    square = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    kr.draw_network(
        restored(document), square, ax=ax, names=("$x$", "$y$"), output_names=("$f$",), beta=beta
    )


def headline(row: SubFigure, text: str) -> None:
    """What a row of panels is about, above it on the left."""
    row.suptitle(text, fontsize=12, x=0.012, ha="left", weight="bold")


def network_panel(
    ax: Axes, title: str, document: dict[str, Any] | None, *, beta: float
) -> Callable[[], None]:
    """An Axes with nothing but a title, and what draws the network there once all else stands: nothing without a document."""
    ax.set_title(title, fontsize=10.5)
    ax.set_axis_off()
    return partial(draw_stored, ax, document, beta=beta) if document else lambda: None


def draw_settled(picture: Figure, drawings: Sequence[Callable[[], None]]) -> None:
    """Call the drawings once everything else stands, and let nothing move after that: a diagram is made for the room that it finds."""
    picture.draw_without_rendering()
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        picture.set_layout_engine(None)  # with the setting above none at all, else the style's
    _round_places(picture)
    for draw in drawings:
        draw()
    # where there is no engine at all, saving a second time would start the one of the style
    picture.set_layout_engine(
        PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True)
    )


def _round_places(picture: Figure | SubFigure) -> None:
    """The layout is solved to rounding, by another path each time; files are to be the same byte by byte."""
    for part in picture.subfigs:
        corners = part.bbox_relative.get_points().round(PLACES)
        part.bbox_relative.set_points(corners)
        _round_places(part)
    for ax in picture.axes:
        ax.set_position(tuple(np.round(ax.get_position(original=True).bounds, PLACES)))
