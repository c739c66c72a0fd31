"""Pieces of HTML: every text is escaped, and every piece is readable on light and dark pages.

Text and lines take the colour of the page, so they need no background. Pictures are black on white;
each has a white card of its own. Styles are written beside the element that has them, since
pages that show notebooks remove style sheets.
"""

import base64
import html
from collections.abc import Sequence

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
