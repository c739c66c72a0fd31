"""What readers can do on a page: the explorer in a frame, and the cell that checks a tutorial's claims, which is folded.

The directive `:::{explorer} part=bases&degree=2` shows one part of the explorer in the state of that address; its text says what to try. A browser that
opens the page from a file shows it too; notebooks have a link in its place.
"""

import html
import re
from urllib.parse import quote, urlencode

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective

PARTS = {
    "bases": "basis functions and a curve",
    "edge": "an edge",
    "network": "a network",
    "training": "training",
}
CHECKED = "The claims of this page, checked"
CHECK = re.compile(
    r"(?P<before>^## Check\n(?:(?!^```).)*?^```\{code-cell\} ipython3\n)(?:---\n.*?^---\n|:tags: \[[\w, -]*\]\n\n?)?",
    flags=re.MULTILINE | re.DOTALL,
)


def read_address(text: str) -> tuple[str, str]:
    """Return (part, address) of a text such as "part=training&target=x + y", whose values the address has in their encoded form.

    Raises
    ------
    ValueError
        "the explorer has no part 'curve'; its parts are ..."
    """
    values = dict(pair.partition("=")[::2] for pair in text.split("&"))
    part = values.get("part", "")
    if part not in PARTS:
        raise ValueError(f"the explorer has no part {part!r}; its parts are {', '.join(PARTS)}")
    return part, urlencode(values, quote_via=quote)


class Explorer(SphinxDirective):
    """A part of the explorer in a frame, with the text of the directive and a link to the whole page."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the frame."""
        try:
            part, address = read_address(self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from error
        page = relative_uri(f"{self.env.docname}.html", "docs/explorer/index.html")
        box = nodes.container(classes=["explorer-box"])
        box += self.parse_content_to_nodes()
        shown = html.escape(f"{page}?{address}&only", quote=True)
        frame = f'<iframe class="explorer" title="Explorer: {PARTS[part]}" loading="lazy" src="{shown}"></iframe>'
        whole = html.escape(f"{page}?{address}", quote=True)
        line = f'<p class="explorer-link"><a href="{whole}">Open this part of the explorer alone</a></p>'
        box += nodes.raw("", frame + line, format="html")
        return [box]


def fold_check(app: Sphinx, page: str, source: list[str]) -> None:
    """Fold the last cell of a tutorial, which asserts its claims, under a line that says so."""
    if page.startswith("tutorials/") and "/solutions/" not in page:
        source[0] = folded(source[0])


def folded(text: str) -> str:
    """Return a tutorial whose cell of checks is hidden until its line is opened."""
    head = (
        "---\ntags: [hide-input]\nmystnb:\n"
        f"  code_prompt_show: {CHECKED}\n  code_prompt_hide: {CHECKED}\n---\n"
    )
    return CHECK.sub(lambda match: match["before"] + head, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; called by Sphinx."""
    app.add_directive("explorer", Explorer)
    app.connect("source-read", fold_check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
