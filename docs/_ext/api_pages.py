"""Write the pages of the API reference, one for each package and one for the root modules, before the sources are read, and show the docstrings on them.

All pages have one form: a title, and the directive `package` of `generated` with the package's name. They lie in docs/api beside the
index, which lists them in the order of reading, and are not in the repository.

The docstring of a module is prose, and formulas in aligned columns. A tag links to its formula, or to its lines if no page shows the formula. On every page,
references to equations of other pages show the tag instead of a number.
"""

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import source_pages
import tree
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT_MODULES = "data targets files version"
TITLES = {
    "root": f"Root modules: {', '.join(ROOT_MODULES.split())}",
    "checks": "argument checks, and messages that name the remedy",
    "plain": "the paper by hand, in 260 lines",
    "bspline": "knot vectors, basis functions, sums, knot insertion, curve fits",
    "functions": "functions of one variable",
    "numerics": "row-sparse Jacobians, Cholesky factors, central differences",
    "optimizers": "Adam, L-BFGS, BFGS, Levenberg-Marquardt",
    "network": "layers and networks",
    "sparsity": "penalties, scores, pruning",
    "symbolic": "from a curve to c f(a x + b) + d",
    "formulas": "SymPy expressions of networks",
    "training": "losses, the objective, fit",
    "discovery": "from data to a formula",
    "baselines": "MLP and LAN",
    "pde": "derivatives with respect to the inputs, differential equations",
    "drawing": "diagrams, records in notebooks",
    "io": "files, other libraries' arrays, SciPy, C",
    "sklearn": "estimators for scikit-learn",
    "conformance": "the conformance kit",
}
TEXTS = {
    "sklearn": '`pip install "kan_ref[sklearn]"` installs scikit-learn, which only this package needs: '
    "`from kan_ref.sklearn import KANRegressor, KANClassifier`.\n\n"
}
WORD_JOINER = "\N{WORD JOINER}"  # a sign stays with its number
SKIPPED = {"conformance": "conformance.generate conformance.adapters conformance.__main__"}


def page(name: str) -> str:
    """Return the text of a package's page, or of the page `root` of the modules beside the packages."""
    title = TITLES[name] if name == "root" else f"{name}: {TITLES[name]}"
    packages = ROOT_MODULES if name == "root" else name
    skip = f":skip: {SKIPPED[name]}" if name in SKIPPED else ""
    return f"# {title}\n\n{TEXTS.get(name, '')}:::{{package}} {packages}\n{skip}\n:::\n"


def write(folder: Path, root: Path = tree.ROOT) -> None:
    """Write all pages into a folder; a page that is there and the same is not written.

    Raises
    ------
    ValueError
        "kan_ref has the packages ['waves'] without a title in docs/_ext/api_pages.py"
    """
    packages = {path.parent.name for path in (root / "kan_ref").glob("*/__init__.py")}
    if untitled := sorted(packages - TITLES.keys()):
        raise ValueError(
            f"kan_ref has the packages {untitled} without a title in docs/_ext/api_pages.py"
        )
    for name in TITLES:
        path, text = folder / f"{name}.md", page(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def write_pages(app: Sphinx) -> None:
    """Write the pages if the sources have the index of the reference; those of a small site have none."""
    folder = Path(app.srcdir, "docs", "api")
    if (folder / "index.md").exists():
        write(folder)


def show_module(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Show the docstrings of modules, and all of `plain`: prose and lists as text, and what is indented, such as formulas in columns, as written."""
    if what == "module" or name.startswith("kan_ref.plain."):
        lines[:] = module_text(str(getattr(thing, "__doc__", "") or ""))


def module_text(docstring: str) -> list[str]:
    """Return the lines of a module's docstring as reStructuredText."""
    lines: list[str] = []
    for paragraph in re.split(r"\n{2,}", inspect.cleandoc(docstring)):
        if paragraph.startswith(" "):
            written = textwrap.dedent(unmarked(paragraph)).splitlines()
            options = [".. code-block:: text", "   :class: module-text", ""]
            lines += [*options, *(f"   {line}" for line in written)]
        else:
            lines += [plain_text(line) for line in paragraph.splitlines()]
        lines.append("")
    return lines


def unmarked(paragraph: str) -> str:
    """Return indented lines without marks: a tag in brackets, code without its backquotes, what follows in the same column."""
    paragraph = re.sub(r":eq:`([^`]*)`", r"(\1)", paragraph)
    return re.sub(
        r"`([^`\n]+)`( *)",
        lambda match: match[1] + match[2] + 2 * " " * (len(match[2]) > 1),
        paragraph,
    )


def plain_text(line: str) -> str:
    """Return a line of a module's docstring in which only code in backquotes, words between asterisks and references to equations are markup."""
    pieces = re.split(r"(:eq:`[^`]*`|`+[^`]+`+|(?<![\w*])\*\w+\*(?![\w*]))", line)
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            pieces[place] = re.sub(r"([\\*_|])", r"\\\1", piece)
        elif piece.startswith("`"):
            pieces[place] = f"``{piece.strip('`')}``"
    return "".join(pieces)


def escape_bars(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Escape bars outside code and examples, because |x| is a norm here and not a substitution, and link tutorials."""
    if what != "module":
        for place, line in enumerate(lines):
            if ">>>" not in line:
                line = re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or "\\|", line)
                line = re.sub(r"(?<!\w)-(?=\w)", f"-{WORD_JOINER}", line.replace("->", "→"))
                lines[place] = re.sub(r"\btutorials/(\w+)\.md", r":doc:`/tutorials/\1`", line)


def skip_foreign(
    app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
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
    word = "" if page.startswith("docs/api/") else "formula "
    for node in doctree.findall(nodes.reference):
        where, _, tag = node.get("refuri", "").partition("#equation-")
        if where and tag:
            node.children = []
            node += [nodes.Text(word), nodes.literal(text=tag)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.connect("builder-inited", write_pages)
    app.connect(
        "autodoc-process-docstring", show_module, priority=900
    )  # after numpydoc, which does not use it
    app.connect(
        "autodoc-process-docstring", escape_bars, priority=400
    )  # before numpydoc reads it, at 500
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-signature", shorten_defaults)
    app.connect("missing-reference", tag_by_name)
    app.connect("doctree-resolved", name_equations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
