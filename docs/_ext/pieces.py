"""The pieces that generated pages are made of: links, paragraphs, tables, and links to the page of a source file."""

from collections.abc import Sequence
from typing import TypeAlias

from docutils import nodes
from sphinx.util import relative_uri

Part: TypeAlias = str | nodes.Node


def uri(page: str, file: str, line: int | None = None) -> str:
    """Return the link from a page of the site to the page of a source file, optionally to a line."""
    return str(relative_uri(f"{page}.html", f"source/{file}.html")) + (f"#L-{line}" if line else "")


def link(text: Part, where: str) -> nodes.reference:
    """Return a link within the site."""
    reference = nodes.reference("", "", refuri=where, internal=True)
    reference += nodes.Text(text) if isinstance(text, str) else text
    return reference


def paragraph(*parts: Part, classes: Sequence[str] = ()) -> nodes.paragraph:
    """Return a paragraph of texts and nodes."""
    made = nodes.paragraph(classes=list(classes))
    made += [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return made


def with_code(text: str) -> list[Part]:
    """Return a text whose parts between backquotes are code."""
    return [nodes.literal(text=part) if n % 2 else part for n, part in enumerate(text.split("`"))]


def table(head: list[str], rows: list[list[list[Part]]], widths: list[int], name: str) -> nodes.table:
    """Return a table whose cells are lists of texts and nodes."""
    made = nodes.table(classes=[name])
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", _row([[text] for text in head]))
    group += nodes.tbody("", *map(_row, rows))
    made += group
    return made


def _row(cells: list[list[Part]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", paragraph(*cell)) for cell in cells))
