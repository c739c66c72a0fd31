"""What notebooks show for a record with a network: formula, diagram, and what `repr` gives.

IPython calls `_repr_html_` and `_repr_latex_` of the last value of a cell. The base class of all
records calls `html_of` and `latex_of`; None stands for the text alone. Records are read by their
attributes, so this module imports none of the packages that make them.
"""

import base64
import html
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.drawing.painting import draw_network, png_of
from kan_ref.formulas import latex_texts, shown_formula
from kan_ref.network import Network

N_PROBES = 200
MOST_PARAMS = 200_000  # a network with more is shown by its text
OPAQUE = 1e300  # beta: every edge of a formula is a part of it, whatever the units of its values


def html_of(record: object) -> str | None:
    """Return formula, diagram and text of a record with a network as HTML, else None."""
    network = getattr(record, "network", record)
    if not isinstance(network, Network) or network.n_params > MOST_PARAMS:
        return None
    x = probe_points(network)
    if not len(x):
        return None
    names = [checks.literal(name) for name in getattr(record, "names", ())] or None
    beta = OPAQUE if hasattr(record, "formula") else 3.0
    png, size = png_of(draw_network(network, x, names=names, beta=beta).figure)
    code = base64.b64encode(png).decode("ascii")
    latex = html.escape(_latex(record))
    formula = rf'<p class="mathjax_process">\({latex}\)</p>' if latex else ""
    return (
        f'{formula}<img alt="diagram of the network {list(network.widths)}" '
        f'width="{size["width"]}" style="max-width:100%;height:auto" '
        f'src="data:image/png;base64,{code}">'
        f"<pre>{html.escape(repr(record))}</pre>"
    )


def probe_points(network: Network) -> FloatArray:
    """Return points (n, n_in) on the grids of the inputs at which the network is defined."""
    grids = network.layers[0].breakpoints
    x = np.random.default_rng(0).uniform(grids[:, 0], grids[:, -1], (N_PROBES, len(grids)))
    with np.errstate(all="ignore"):
        defined = np.isfinite(network.values(network.prepare(x))).all(axis=1)
    return x[defined]


def latex_of(record: object) -> str | None:
    """Return the formula of a discovery as LaTeX between dollar signs, None for other records."""
    latex = _latex(record)
    return f"${latex}$" if latex else None


def _latex(record: object) -> str:
    """Return the formula of a discovery, several ones below each other; "" for other records."""
    if type(record).__name__ != "Discovery":
        return ""
    shown: Any = shown_formula(getattr(record, "formula"))  # noqa: B009
    lines = latex_texts(shown if isinstance(shown, tuple) else (shown,))
    if len(lines) > 1:
        inner = r" \\ ".join(f"& {line}" for line in lines)
        lines = (rf"\begin{{aligned}} {inner} \end{{aligned}}",)
    return rf"\displaystyle {lines[0]}"
