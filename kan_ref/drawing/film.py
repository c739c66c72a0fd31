"""Films: animated GIFs of several networks in one layout."""

import os
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

from kan_ref import checks
from kan_ref.drawing.diagram import MOST_EDGES, Diagram, lay_out_all
from kan_ref.drawing.painting import DPI, PAPER, check_formulas, new_figure, paint
from kan_ref.files import replacing
from kan_ref.network import Network

MOST_FRAMES = 500  # about 1 MB each while the film is made


class Frame(Protocol):
    """An object with a network, such as a step of `fit`.

    Its `step` and `train_rmse`, if it has them, become a title.
    """

    @property
    def network(self) -> Network:
        """The network that the frame shows."""


def save_film(
    networks: Sequence[Network | Frame],
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
    """Write an animated GIF of networks, with a frame for each.

    An edge that is active in any of the networks has the same place in all frames, so that nothing
    jumps.

    Parameters
    ----------
    networks : sequence of Network or Step
        1 to 500 of the same widths; the grids may differ. A Step, which `fit` passes to its
        callback, is any object with a `network`.
    x : (batch, n_in)
        At least one sample.
    path : str or path, ending in ".gif"
        An older file is replaced in one step at the very end; after an error it is as before.
    titles : sequence of str, optional
        One for each frame. None shows the number of the step and its root mean square error on the
        training data, or counts frames. Dollar signs as in `draw_network`.
    frames_per_second : float, default 5.0
        From 0.1 to 50. A frame of a GIF lasts whole hundredths of a second. The nearest number of
        them is written: with 40 a frame lasts 0.03 s instead of 0.025 s.
    names, output_names : sequence of str, optional
    beta : float, default 3.0
    most_edges : int, default 48
        As in `draw_network`; compared by an edge's largest score in any frame.

    Returns
    -------
    None

    Raises
    ------
    ValueError, TypeError
        For wrong arguments: "networks[2] has widths (2, 3, 1), but networks[0] has (2, 5, 1)".
    OSError
        If the folder does not exist, permission is missing, or the disk is full.

    Notes
    -----
    About 50 ms and 1 MB of memory for each frame. The steps of a run: `steps = []`, then
    `fit(..., callback=steps.append)`.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(name, str):
        raise TypeError(f"path is {path!r}, but must be a str or a pathlib.Path")
    if not name.lower().endswith(".gif"):
        raise ValueError(f"path is {name!r}, but must end in '.gif'")
    checks.number("frames_per_second", frames_per_second, low=0.1, high=50.0)
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
    states: list[Any] = [getattr(shown, "network", shown) for shown in networks]
    diagrams = lay_out_all(
        states, x, titles, names=names, output_names=output_names, beta=beta, most_edges=most_edges
    )
    for diagram in diagrams:
        check_formulas(diagram)
    _write_film(diagrams, name, frames_per_second)


def _frame_title(shown: object, n: int, count: int) -> str:
    """Return the number and error of a step, or the number of the frame."""
    step, error = getattr(shown, "step", None), getattr(shown, "train_rmse", None)
    if step is None or error is None:
        return f"{n + 1} of {count}"
    return f"step {step}, train RMSE {error:.1e}"


def _write_film(diagrams: Sequence[Diagram], name: str, frames_per_second: float) -> None:
    """Write all frames to a file; an older file of that name is replaced at the end."""
    import matplotlib as mpl
    from matplotlib.animation import PillowWriter

    figure = new_figure(diagrams[0])
    # a GIF has whole hundredths of a second; the writer would cut off the rest
    speed = Fraction(100, int(100.0 / frames_per_second + 0.5))
    writer = PillowWriter(fps=speed)  # type: ignore[arg-type]  # any number works
    with replacing(name, ".gif") as temporary, mpl.rc_context({"savefig.bbox": None}):
        writer.setup(figure, temporary, DPI)
        for diagram in diagrams:
            figure.clear()  # which takes a layout engine from the user's settings
            figure.set_layout_engine("none")
            paint(diagram, figure.add_axes((0.0, 0.0, 1.0, 1.0)))
            writer.grab_frame(facecolor=PAPER)
        writer.finish()
