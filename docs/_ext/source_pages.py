"""Show every source file of the checkout as a page with numbered lines, so that the site works offline, and under an equation the lines that compute it.

A link to a source file, such as `[layer](../kan_ref/network/layer.py)`, becomes a link to the file's page. In
the listings, the tag of an equation links to the page that shows its formula. The pages omit the theme's navigation, because writing it
would take longer than the rest of the build.

The directive `:::{eqcode} cox-de-boor` shows the lines of the package between the tags of that name, with their numbers. With the option
`:definitions: basis_and_slope uniform_knots` it shows these functions, classes or assigned names of the same file as a whole, so that the card can be copied
and run. Their docstrings are shown above the code: a reader who types it need not type them.
"""

import functools
import html
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import tree
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective
from sphinx.util.parallel import ParallelTasks, SerialTasks, parallel_available

KINDS = (
    "kan_ref/**/*.py",
    "tests/**/*.py",
    "figures/**/*.py",
    "benchmarks/*.py",
    "docs/conformance_examples/*.*",
    "docs/_ext/*.py",
    "docs/*.py",
    "docs/*.toml",
)
SINGLE = ("pyproject.toml", "LICENSE", ".ci/run", "README.md")
TAG = re.compile(r"\[eq:([a-z0-9-]+)\]")
PAGE = Path(__file__).with_name("source_page.html")
LANGUAGES = {
    ".py": "python",
    ".toml": "toml",
    ".c": "c",
    ".js": "javascript",
    ".json": "json",
    ".pyi": "python",
}


def files() -> list[str]:
    """Return the files that have a page, relative to the checkout."""
    found = {
        path.relative_to(tree.ROOT).as_posix()
        for kind in KINDS
        for path in tree.ROOT.glob(kind)
        if path.is_file()
    }
    return sorted(found | set(SINGLE))


def uri(page: str, file: str, line: int | None = None) -> str:
    """Return the link from a page of the site to the page of a file, optionally to a line."""
    return str(relative_uri(f"{page}.html", f"source/{file}.html")) + (f"#L-{line}" if line else "")


def write_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write the page of every file, in as many processes as the build has. A site of other sources links to none of them."""
    if exception is not None or app.builder.format != "html":
        return
    if not tree.ROOT.samefile(app.srcdir):
        return
    n = max(1, app.parallel) if parallel_available else 1
    tasks = ParallelTasks(n) if n > 1 else SerialTasks()
    write, found = functools.partial(_write_pages, app, tree.places(tree.SHOWN)), files()
    for first in range(n):
        tasks.add_task(write, found[first::n])
    tasks.join()


def _write_pages(app: Sphinx, shown: dict[str, list[str]], found: Sequence[str]) -> None:
    """Write the pages of some files in the colours of the theme."""
    page = PAGE.read_text(encoding="utf-8")
    highlighter = app.builder.highlighter  # type: ignore[attr-defined]
    for file in found:
        text = (tree.ROOT / file).read_text(encoding="utf-8")
        language = LANGUAGES.get(Path(file).suffix, "text")
        listing = highlighter.highlight_block(text, language, linenos="inline", linespans="L")
        listing = TAG.sub(functools.partial(_tag_link, file, shown), listing)
        target = app.outdir / "source" / f"{file}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * (file.count("/") + 1)
        target.write_text(
            page.format(name=html.escape(file), up=up, listing=listing), encoding="utf-8"
        )


def _tag_link(file: str, shown: dict[str, list[str]], match: re.Match[str]) -> str:
    """Return a tag in a listing as a link to its formula, if a page shows it."""
    tag = match[1]
    if tag not in shown:
        return match[0]
    return f'[<a href="{relative_uri(f"source/{file}.html", f"{shown[tag][0]}.html")}#code-{tag}">eq:{tag}</a>]'


def link_to_source(app: Sphinx, doctree: nodes.document) -> None:
    """Redirect links to source files to their pages, and links to the explorer into its folder."""
    page, known = app.env.docname, set(files())
    for node in list(doctree.findall(addnodes.download_reference)):
        if "reftarget" not in node:
            continue
        target = Path(app.env.relfn2path(node["reftarget"], page)[1]).resolve()
        file = target.relative_to(tree.ROOT).as_posix() if target.is_relative_to(tree.ROOT) else ""
        if file in known or file.startswith("docs/explorer/"):
            where = uri(page, file) if file in known else relative_uri(f"{page}.html", file)
            node.replace_self(nodes.reference("", "", *node.children, refuri=where, internal=True))


class EquationCode(SphinxDirective):
    """A card with the file, the line numbers and the lines of a tag; an unknown tag is a build error."""

    required_arguments = 1
    option_spec: ClassVar = {"definitions": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the card."""
        (tag,) = self.arguments
        tagged = tree.tagged_lines()
        if tag not in tagged:
            raise self.error(f"kan_ref has no lines between [eq:{tag}] and [/eq:{tag}]")
        lines = tagged[tag]
        self.env.note_dependency(str(tree.ROOT / lines.file))

        card = nodes.container(classes=["eqcode"], ids=[f"code-{tag}"])
        head = nodes.paragraph(classes=["eqcode-head"])
        head += nodes.literal(text=tag, classes=["eqcode-tag"])
        where = uri(self.env.docname, lines.file, lines.first)
        head += nodes.reference("", f"{lines.file}:{lines.first}", refuri=where, internal=True)
        if names := self.options.get("definitions", "").split():
            try:
                code = tree.whole_definitions(lines, names)
                said = tree.summaries(lines, names)
            except ValueError as error:
                raise self.error(str(error)) from error
            card += head
            card += [self._summary(name, summary) for name, summary in said.items()]
            card += nodes.literal_block(code, code, language="python")
            return [card]
        code = textwrap.dedent(lines.text)
        numbers = {"linenostart": lines.first}
        block = nodes.literal_block(
            code, code, language="python", linenos=True, highlight_args=numbers
        )
        card += [head, block]
        return [card]

    def _summary(self, name: str, summary: str) -> nodes.Node:
        """Return a line with the name and the docstring of a definition, which is plain text except for names between backquotes."""
        line = nodes.paragraph(classes=["eqcode-summary"])
        line += [nodes.literal(text=name), nodes.Text(": ")]
        for n, part in enumerate(summary.split("`")):
            line += nodes.literal(text=part) if n % 2 else nodes.Text(part)
        return line


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.add_directive("eqcode", EquationCode)
    app.connect("build-finished", write_pages)
    # before Sphinx collects downloads, which it does at 500
    app.connect("doctree-read", link_to_source, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
