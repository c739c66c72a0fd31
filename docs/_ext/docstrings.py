"""Show the docstrings of the package on the pages of the API reference.

The docstring of a module is text with formulas in aligned columns. A tag links to its formula, or to its lines if no page shows the formula. On every page,
references to equations of other pages show the tag instead of a number.
"""

import inspect
import re
from typing import Any

import source_pages
import tree
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def keep_columns(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Show the first paragraph of a module's docstring as text, and the rest as written, except that lines of prose are joined, so that they are broken where the page ends."""
    if what == "module":
        first, _, rest = inspect.cleandoc(str(getattr(thing, "__doc__", "") or "")).partition(
            "\n\n"
        )
        lines[:] = [" ".join(first.split()), ""]
        if rest:
            lines += [
                ".. code-block:: text",
                "   :class: module-text",
                "",
                *(f"   {line}" for line in joined(rest).splitlines()),
                "",
            ]


def joined(text: str) -> str:
    """Return a text in which each paragraph of prose is one line; what is indented, or a list, stays as it is."""
    paragraphs = re.split(r"\n{2,}", text)
    return "\n\n".join(
        one
        if re.search(r"^(?: |[-*] |\d+\. )", one, flags=re.MULTILINE)
        else " ".join(one.split("\n"))
        for one in paragraphs
    )


def escape_bars(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Escape bars outside code and examples, because |x| is a norm here and not a substitution."""
    if what != "module":
        lines[:] = [
            line
            if ">>>" in line
            else re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or "\\|", line)
            for line in lines
        ]


def skip_foreign(
    app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
    """Leave out methods that scikit-learn adds to the estimators: their docstrings cite its pages."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def tag_by_name(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Resolve a tag in a docstring that no page labels to a link to its lines."""
    tag = node["reftarget"]
    tagged = tree.tagged_lines()
    if (
        node.get("reftype") != "eq"
        or not node["refdoc"].startswith("docs/api/")
        or tag not in tagged
    ):
        return None
    uri = source_pages.uri(node["refdoc"], tagged[tag].file, tagged[tag].first)
    return nodes.reference("", "", nodes.literal(text=tag), refuri=uri, internal=True)


def name_equations(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Replace the number of an equation on another page by its tag, because numbers are local to a page."""
    for node in doctree.findall(nodes.reference):
        where, _, tag = node.get("refuri", "").partition("#equation-")
        if where and tag:
            node.children = []
            node += nodes.literal(text=tag)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.connect(
        "autodoc-process-docstring", keep_columns, priority=900
    )  # after numpydoc, which does not use it
    app.connect(
        "autodoc-process-docstring", escape_bars, priority=400
    )  # before numpydoc reads it, at 500
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("missing-reference", tag_by_name)
    app.connect("doctree-resolved", name_equations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
