"""Films: animated GIFs of several networks in one layout."""

import os
from collections.abc import Sequence
from typing import Any

from kan_ref import checks
from kan_ref.drawing.diagram import MOST_EDGES, lay_out
from kan_ref.drawing.painting import DPI, new_figure, paint
from kan_ref.files import replacing


def save_film(
    networks: Sequence[Any],
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

    An edge that is active in any of the networks has the same place in all frames.

    Parameters
    ----------
    networks : sequence of Network or Step
        At least one, all of the same widths; the grids may differ. A Step, which `fit` passes to
        its callback, is any object with a `network`.
    x : (batch, n_in)
        At least one sample.
    path : str or path, ending in ".gif"
        An older file is replaced at the very end; after an error it is as before.
    titles : sequence of str, optional
        One for each frame. None shows the number of the step and its training error, or counts
        frames.
    frames_per_second : float, default 5.0
        From 0.1 to 50. A GIF has whole hundredths of a second.
    names, output_names, beta, most_edges
        As in `draw_network`.

    Returns
    -------
    None

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample("exp_sin", n_train=50, n_test=50, rng=rng)
    >>> net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=data.x_train, rng=rng)
    >>> steps = []
    >>> run = kr.fit(net, data, n_steps=3, callback=steps.append)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kr.save_film(steps, data.x_train, f"{folder}/run.gif")
    """
    import matplotlib as mpl
    from matplotlib.animation import PillowWriter

    if not isinstance(path, str | os.PathLike):
        checks.fail("path", path, "must be a str or a path", TypeError)
    if not isinstance(networks, Sequence):
        checks.fail("networks", networks, "must be a sequence of Network or Step", TypeError)
    name = str(os.fspath(path))
    if not name.lower().endswith(".gif"):
        checks.fail("path", name, "must end in '.gif'")
    speed = checks.number("frames_per_second", frames_per_second, low=0.1, high=50.0)
    n = len(networks)
    if not n:
        checks.fail("networks", networks, "must hold at least one network")
    if titles is None:
        titles = [_title(shown, place + 1, n) for place, shown in enumerate(networks)]
    if isinstance(titles, str) or len(titles) != n:
        checks.fail("titles", titles, f"must hold {n} str, one for each frame")
    diagrams = lay_out(
        [getattr(shown, "network", shown) for shown in networks],
        x,
        [checks.instance(f"titles[{place}]", one, str) for place, one in enumerate(titles)],
        names=names,
        output_names=output_names,
        beta=beta,
        most_edges=most_edges,
    )
    writer, figure = PillowWriter(fps=speed), new_figure(diagrams[0])  # type: ignore[arg-type]
    with replacing(name, ".gif") as temporary, mpl.rc_context({"savefig.bbox": None}):
        writer.setup(figure, temporary, DPI)
        for diagram in diagrams:
            figure.clear()
            paint(diagram, figure.add_axes((0.0, 0.0, 1.0, 1.0)))
            writer.grab_frame()
        writer.finish()


def _title(shown: Any, place: int, n: int) -> str:
    """Return the number and error of a step, or the number of the frame."""
    is_step = hasattr(shown, "step") and hasattr(shown, "train_rmse")
    return f"step {shown.step}, train RMSE {shown.train_rmse:.1e}" if is_step else f"{place} of {n}"
