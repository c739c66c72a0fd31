"""Pieces of HTML for notebooks: texts, tables, and pictures of networks and of the errors of a run.

Every text is escaped, and every piece is readable on light and dark pages. Text and lines take the
colour of the page, so they need no background. Pictures are black on white; each has a white card
of its own. Styles are written beside the element that has them, since pages that show notebooks
remove style sheets.
"""

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.drawing.painting import default_style, draw_network, png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_PROBES = 200
MOST_EDGES = 20000  # a network with more is described without a picture
_CURVES = (  # attribute of the history, name in the legend, colour
    ("train_rmse", "training", "#1a1a1a"),
    ("validation_rmse", "validation", "#1f6feb"),
    ("test_rmse", "test", "#c1121f"),
)

_TABLE = "border-collapse:collapse;margin:0.4em 0;text-align:left"
_CELL = "padding:0.15em 0.9em 0.15em 0;text-align:left;vertical-align:top;background:transparent"
_HEAD = f"{_CELL};font-weight:600;border-bottom:1px solid currentColor"
_CARD = "display:inline-block;background:#ffffff;border-radius:6px;padding:6px;margin:0.4em 0"
# pages that typeset formulas leave these elements alone: a name may contain dollar signs
_NO_FORMULAS = 'class="tex2jax_ignore mathjax_ignore"'


def text(value: object) -> str:
    """Return a value as escaped text."""
    return html.escape(str(value))


def paragraph(content: object) -> str:
    """Return a paragraph of escaped text."""
    return f'<p {_NO_FORMULAS} style="margin:0.3em 0">{text(content)}</p>'


def title(content: object) -> str:
    """Return a line of bold escaped text."""
    return f'<p {_NO_FORMULAS} style="margin:0.3em 0"><strong>{text(content)}</strong></p>'


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table of escaped texts; an empty head is left out."""
    parts = [f'<table {_NO_FORMULAS} style="{_TABLE}">']
    if head:
        cells = "".join(f'<th style="{_HEAD}">{text(one)}</th>' for one in head)
        parts.append(f"<thead><tr>{cells}</tr></thead>")
    parts.append("<tbody>")
    for row in rows:
        cells = "".join(f'<td style="{_CELL}">{text(one)}</td>' for one in row)
        parts.append(f'<tr style="background:transparent">{cells}</tr>')
    return "".join([*parts, "</tbody></table>"])


def picture(png: bytes, width: float, description: str) -> str:
    """Return a PNG picture on a white card, with a width in pixels of the page."""
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<div style="{_CARD}"><img alt="{text(description)}" width="{width:.0f}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}"></div>'
    )


def formula(mathml: str, plain: object) -> str:
    """Return a formula as MathML, which is not escaped again, with its text below for copying."""
    return (
        f'<div style="overflow-x:auto;margin:0.4em 0;font-size:1.25em">{mathml}</div>'
        f'<p {_NO_FORMULAS} style="margin:0.3em 0"><code>{text(plain)}</code></p>'
    )


def block(parts: Sequence[str]) -> str:
    """Return several pieces as one."""
    return f"<div>{''.join(parts)}</div>"


def short(value: float) -> str:
    """Return a number with four significant digits."""
    return f"{value:.4g}"


def network_picture(network: Any, names: Sequence[str] = (), beta: float = 3.0) -> str:
    """Return the diagram of a network over the grids of its inputs, or the reason why not.

    `beta` as in `draw_network`.
    """
    labels = [checks.literal(name) for name in names] or None
    n_edges = sum(layer.mask.size for layer in network.layers)
    if n_edges > MOST_EDGES:
        return paragraph(
            f"No picture: {n_edges} edges are more than {MOST_EDGES}. "
            "kr.draw_network(network, x) draws the strongest ones."
        )
    x = probe_points(network)
    if not len(x):
        return paragraph(
            "No picture: the network is undefined on the grids of its inputs. "
            "kr.draw_network(network, x) draws it over samples x."
        )
    try:
        with default_style():
            ax = draw_network(network, x, names=labels, beta=beta)
    except ValueError as error:  # a text or value that cannot be drawn: the reason is shown
        return paragraph(f"No picture: {error}.")
    return _card(ax, f"diagram of a network of widths {list(network.widths)}")


def probe_points(network: Any) -> FloatArray:
    """Return points on the grids of the inputs at which the network is defined, (n, n_in).

    The points fill the grids evenly and are the same in every call.
    """
    grids = network.layers[0].breakpoints
    n_in = len(grids)
    # additive recurrence with the powers of the root of r^(n_in + 1) = r + 1
    root = 1.5
    for _ in range(50):
        root = (1.0 + root) ** (1.0 / (n_in + 1.0))
    steps = root ** -np.arange(1.0, n_in + 1.0)
    unit = (np.arange(1.0, N_PROBES + 1.0)[:, None] * steps) % 1.0
    low, high = grids[:, 0], grids[:, -1]
    x: FloatArray = (1.0 - unit) * low + unit * high
    with np.errstate(all="ignore"):
        defined = np.isfinite(network.values(network.prepare(x))).all(axis=1)
    inside: FloatArray = x[defined]
    return inside


def error_picture(history: Any) -> str:
    """Return the errors of a run over its steps, "" if there is nothing to draw."""
    curves = [
        (np.asarray(getattr(history, name)), label, colour)
        for name, label, colour in _CURVES
        if hasattr(history, name)
    ]
    step = np.asarray(history.step)
    shown = [curve for curve in curves if (np.isfinite(curve[0]) & (curve[0] > 0.0)).sum() > 1]
    if not shown:
        return ""
    with default_style():
        return _card(_error_axes(history, step, shown), "errors over the steps of a run")


def _error_axes(
    history: Any, step: FloatArray, shown: Sequence[tuple[FloatArray, str, str]]
) -> "Axes":
    """Return the Axes of a new figure with curves (values, label, colour)."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(4.6, 2.5), dpi=100, facecolor="#ffffff", layout="constrained")
    ax = figure.subplots()
    for values, label, colour in shown:
        taken = ~np.isnan(values)  # test errors are not taken at every step
        drawn = np.where(values > 0.0, values, np.nan)[taken]  # a logarithmic axis has no zero
        ax.plot(step[taken], drawn, color=colour, lw=1.4, label=label)
    for place in np.flatnonzero(np.diff(history.n_intervals)) + 1:
        ax.axvline(step[place], color="#999999", lw=0.8, ls=":", zorder=0)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("step")
    ax.set_ylabel("RMSE")
    ax.grid(axis="y", color="#e6e6e6", lw=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(frameon=False, fontsize=9)
    return ax


def _card(ax: "Axes", description: str) -> str:
    png, size = png_of(ax.figure)
    return picture(png, size["width"], description)
