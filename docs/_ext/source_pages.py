"""Show every source file that a page links to as a page with numbered lines, so that the site works offline, and under an equation the lines that compute it.

A link to a source file, such as `[layer](../kan_ref/network/layer.py)`, becomes a link to the file's page. In the listings, the tag of an
equation links to the page that shows its formula. The pages omit the theme's navigation, because writing it would take longer than the rest of the build.

The directive `:::{eqcode} cox-de-boor` shows the lines of the package between the tags of that name, with their numbers. With the option
`:definitions: basis_and_slope uniform_knots` it shows these functions, classes or assigned names of the same file as a whole, so that the card can be copied
and run. Their docstrings are shown above the code: a reader who types it need not type them.
"""

import functools
import html
import re
import textwrap
from pathlib import Path
from typing import Any, ClassVar

import tree
from docutils import nodes
from docutils.parsers.rst import directives
from pieces import link, paragraph, uri, with_code
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective

KINDS = (
    "kan_ref/**/*.py tests/**/*.py figures/**/*.py benchmarks/*.py docs/_ext/*.py docs/*.py docs/*.toml "
    "docs/conformance_examples/*.* pyproject.toml LICENSE .ci/run README.md"
)
PAGE = Path(__file__).with_name("source_page.html")


@functools.cache
def files() -> list[str]:
    """Return the files that have a page, relative to the checkout."""
    found = {path for kind in KINDS.split() for path in tree.ROOT.glob(kind) if path.is_file()}
    return sorted(path.relative_to(tree.ROOT).as_posix() for path in found)


def write_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write the page of every file that a page links to. A site of other sources links to none of them."""
    if exception or app.builder.format != "html" or not tree.ROOT.samefile(app.srcdir):
        return
    page, shown = PAGE.read_text(encoding="utf-8"), tree.places(tree.SHOWN)
    highlight = app.builder.highlighter.highlight_block  # type: ignore[attr-defined]
    written = "".join(path.read_text(encoding="utf-8") for path in app.outdir.rglob("*.html"))
    linked = set(re.findall(r"source/([\w./-]+)\.html", written))
    for file in filter(linked.__contains__, files()):
        language = Path(file).suffix[1:] or "text"
        listing = highlight(tree.text_of(file), language, linespans="L")
        # names, punctuation, spaces and operators keep the colour of the text, which halves the page
        listing = re.sub(r'<span class="[npwo]">([^<]*)</span>', r"\1", listing)
        for tag in set(re.findall(r"\[eq:([a-z0-9-]+)\]", listing)) & shown.keys():
            formula = relative_uri(f"source/{file}.html", f"{shown[tag][0]}.html")
            listing = listing.replace(f"[eq:{tag}]", f'[<a href="{formula}#code-{tag}">eq:{tag}</a>]')
        target, up = app.outdir / "source" / f"{file}.html", "../" * (file.count("/") + 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = page.format(name=html.escape(file), up=up, listing=listing)
        target.write_text(text, encoding="utf-8")


def link_to_source(app: Sphinx, doctree: nodes.document) -> None:
    """Redirect links to source files to their pages, and links to the explorer into its folder."""
    page = app.env.docname
    for node in list(doctree.findall(addnodes.download_reference)):
        target = Path(app.env.relfn2path(node.get("reftarget", ""), page)[1]).resolve()
        file = target.relative_to(tree.ROOT).as_posix() if target.is_relative_to(tree.ROOT) else ""
        if file in files() or file.startswith("docs/explorer/"):
            where = uri(page, file) if file in files() else relative_uri(f"{page}.html", file)
            node.replace_self(nodes.reference("", "", *node.children, refuri=where, internal=True))


class EquationCode(SphinxDirective):
    """A card with the file, the line numbers and the lines of a tag; an unknown tag is a build error."""

    required_arguments = 1
    option_spec: ClassVar = {"definitions": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the card."""
        tag, names = self.arguments[0], self.options.get("definitions", "").split()
        tagged = tree.tagged_lines()
        if tag not in tagged:
            raise self.error(f"kan_ref has no lines between [eq:{tag}] and [/eq:{tag}]")
        lines = tagged[tag]
        self.env.note_dependency(str(tree.ROOT / lines.file))
        card = nodes.container(classes=["eqcode"], ids=[f"code-{tag}"])
        label = nodes.literal(text=tag, classes=["eqcode-tag"])
        where = uri(self.env.docname, lines.file, lines.first)
        card += paragraph(label, link(f"{lines.file}:{lines.first}", where), classes=["eqcode-head"])
        if names:
            try:
                code, said = tree.whole_definitions(lines, names), tree.summaries(lines, names)
            except ValueError as error:
                raise self.error(str(error)) from error
            for name, summary in said.items():
                parts = with_code(f"`{name}`: {summary}")
                card += paragraph(*parts, classes=["eqcode-summary"])
            card += nodes.literal_block(code, code, language="python")
        else:
            code, numbers = textwrap.dedent(lines.text), {"linenostart": lines.first}
            card += nodes.literal_block(code, code, language="python", linenos=True, highlight_args=numbers)
        return [card]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.add_directive("eqcode", EquationCode)
    app.connect("build-finished", write_pages)
    # before Sphinx collects downloads, which it does at 500
    app.connect("doctree-read", link_to_source, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
