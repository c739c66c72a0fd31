"""Write a page for each public name before the sources are read, and show its docstring.

The pages lie in docs/api beside the index, which lists the names by task, and are not in the repository.

A tag in a docstring links to its formula, or to its lines if no page shows the formula. On every page, references to equations of other pages
show the tag instead of a number.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import tree
from docutils import nodes
from pieces import link, table, uri, with_code
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

import kan_ref
import kan_ref.sklearn

ESTIMATORS = ("KANClassifier", "KANRegressor")
WORD_JOINER = "\N{WORD JOINER}"  # a sign stays with its number


def thing_of(name: str) -> Any:
    """Return what a public name of kan_ref or kan_ref.sklearn is."""
    return getattr(kan_ref.sklearn if name in ESTIMATORS else kan_ref, name)


def page_of(name: str) -> str:
    """Return the name of a public name's page: file systems may not tell `Adam` and `adam` apart."""
    return f"class-{name}" if inspect.isclass(thing_of(name)) else name


def described(name: str) -> tuple[str, str]:
    """Return the file that defines a public name, and its purpose: a docstring's first paragraph, or the comment `#:` above a variable."""
    thing = thing_of(name)
    if callable(thing):
        file = Path(inspect.getsourcefile(inspect.unwrap(thing)) or "")
        return file.relative_to(tree.ROOT).as_posix(), (inspect.getdoc(thing) or "").partition("\n\n")[0]
    for path in (tree.ROOT / "kan_ref").rglob("*.py"):
        if said := re.search(rf"^#: (.+)\n{name}\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            return path.relative_to(tree.ROOT).as_posix(), said[1]
    raise ValueError(f"{name} has no comment `#:`")


def page(name: str) -> str:
    """Return the text of the page of a public name."""
    home, (file, purpose) = f"{'sklearn.' * (name in ESTIMATORS)}{name}", described(name)
    shown = [purpose]
    if callable(thing := thing_of(name)):
        kind = "class" if inspect.isclass(thing) else "function"
        members = ["   :members:", "   :member-order: bysource"] if kind == "class" else []
        shown = ["```{eval-rst}", f".. auto{kind}:: kan_ref.{home}", *members, "```"]
    return "\n".join([f"# kr.{home}", "", *shown, "", f"Source: [{file}](../../{file})", ""])


def write_pages(app: Sphinx) -> None:
    """Write the pages if the sources have the index of the reference; those of a small site have none. A page that is the same is not written."""
    folder = Path(app.srcdir, "docs", "api")
    for name in (*kan_ref.__all__, *ESTIMATORS) if (folder / "index.md").exists() else ():
        path, text = folder / f"{page_of(name)}.md", page(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


class PublicNames(SphinxDirective):
    """A table of the public names that are its arguments, each with its purpose and a link to its page."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows: list[list[list[Any]]] = [
            [[link(nodes.literal(text=name), f"{page_of(name)}.html")], with_code(described(name)[1])]
            for name in self.arguments[0].split()
        ]
        return [table(["name", "purpose"], rows, [26, 74], "public-names")]


def escape_bars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Escape bars outside code and examples, because |x| is a norm here and not a substitution, and link tutorials."""
    for place, line in enumerate(lines):
        if ">>>" not in line:
            line = re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or "\\|", line)
            line = re.sub(r"(?<!\w)-(?=\w)", f"-{WORD_JOINER}", line.replace("->", "→"))
            lines[place] = re.sub(r"\btutorials/(\w+)\.md", r":doc:`/tutorials/\1`", line)


def skip_foreign(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """Leave out methods that scikit-learn adds to the estimators, whose docstrings cite its pages, and the fields of a NamedTuple, which its signature shows: Python describes each as an "Alias for field number"."""
    foreign = re.fullmatch(r"set_\w+_request", name)
    alias = str(getattr(thing, "__doc__", "")).startswith("Alias for field number")
    return True if foreign or alias else None


def shorten_defaults(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """Show a default that is computed, which Python calls <factory> or <function <lambda> at 0x7f...>, as three dots."""
    if not signature:
        return None
    if getattr(thing, "_is_protocol", False):
        return "", returns  # there is no call of it
    shown = re.sub(r"<factory>|<function (?:[^<>]|<\w+>)+>|<lambda>", "...", signature)
    return re.sub(r"<class '(\w+)'>", r"\1", shown).replace("slice(None, None, None)", ":"), returns


def tag_by_name(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Resolve a tag in a docstring that no page labels to a link to its lines."""
    page, lines = node["refdoc"], tree.tagged_lines().get(node["reftarget"])
    if lines is None or node.get("reftype") != "eq" or not page.startswith("docs/api/"):
        return None
    return link(nodes.literal(text=node["reftarget"]), uri(page, lines.file, lines.first))


def name_equations(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Replace the number of an equation on another page by its tag, because numbers are local to a page."""
    word = "" if page.startswith("docs/api/") else "formula "
    for node in doctree.findall(nodes.reference):
        where, _, tag = node.get("refuri", "").partition("#equation-")
        if where and tag:
            node.children = []
            node += [nodes.Text(word), nodes.literal(text=tag)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.add_directive("public-names", PublicNames)
    app.connect("builder-inited", write_pages)
    # numpydoc, at 500, reads docstrings that are escaped
    app.connect("autodoc-process-docstring", escape_bars, priority=400)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-signature", shorten_defaults)
    app.connect("missing-reference", tag_by_name)
    app.connect("doctree-resolved", name_equations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
