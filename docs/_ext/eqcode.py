"""The directive `:::{eqcode} cox-de-boor`: show under an equation the lines of the package that compute it, with their numbers.

With the option `:definitions: basis_and_slope uniform_knots` it shows these functions or classes of the same file as a whole, so that the card can be copied
and run. Their docstrings are shown above the code: a reader who types it need not type them.
"""

import textwrap
from typing import Any, ClassVar

import source_pages
import tree
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


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
        uri = source_pages.uri(self.env.docname, lines.file, lines.first)
        head += nodes.reference("", f"{lines.file}:{lines.first}", refuri=uri, internal=True)
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
    return {"parallel_read_safe": True, "parallel_write_safe": True}
