"""Write the pages of the API reference, one for each package and one for the root modules, before the sources are read, and show the docstrings on them.

All pages have one form: a title, and a section for each module with its docstrings. They lie in docs/api beside the index, which lists them in
the order of reading, and are not in the repository.

The docstring of a module is prose, and formulas in aligned columns. A tag links to its formula, or to its lines if no page shows the formula. On every page,
references to equations of other pages show the tag instead of a number.
"""

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import tree
from docutils import nodes
from pieces import link, uri
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import kan_ref

TITLES = {
    "root": "Root modules: data, targets, files, version",
    "checks": "checks: argument checks, and messages that name the remedy",
    "plain": "plain: the paper by hand, in 260 lines",
    "bspline": "bspline: knot vectors, basis functions, sums, knot insertion, curve fits",
    "functions": "functions: functions of one variable",
    "numerics": "numerics: row-sparse Jacobians, Cholesky factors, central differences",
    "optimizers": "optimizers: Adam, L-BFGS, BFGS, Levenberg-Marquardt",
    "network": "network: layers and networks",
    "sparsity": "sparsity: penalties, scores, pruning",
    "symbolic": "symbolic: from a curve to c f(a x + b) + d",
    "formulas": "formulas: SymPy expressions of networks",
    "training": "training: losses, the objective, fit",
    "discovery": "discovery: from data to a formula",
    "baselines": "baselines: MLP and LAN",
    "pde": "pde: derivatives with respect to the inputs, differential equations",
    "drawing": "drawing: diagrams, records in notebooks",
    "io": "io: files, other libraries' arrays, SciPy, C",
    "sklearn": "sklearn: estimators for scikit-learn",
    "conformance": "conformance: the conformance kit",
}
TEXTS = {
    "sklearn": '`pip install "kan_ref[sklearn]"` installs scikit-learn, which only this package needs: '
    "`from kan_ref.sklearn import KANRegressor, KANClassifier`."
}
SKIPPED = ("conformance.generate", "conformance.adapters", "conformance.__main__")
WORD_JOINER = "\N{WORD JOINER}"  # a sign stays with its number


def write_pages(app: Sphinx) -> None:
    """Write the pages if the sources have the index of the reference; those of a small site have none. A page that is the same is not written.

    Raises
    ------
    ValueError
        "kan_ref has the packages ['waves'] without a title in docs/_ext/api_pages.py"
    """
    packages = {path.parent.name for path in (tree.ROOT / "kan_ref").glob("*/__init__.py")}
    if untitled := sorted(packages - TITLES.keys()):
        message = f"kan_ref has the packages {untitled} without a title in docs/_ext/api_pages.py"
        raise ValueError(message)
    folder = Path(app.srcdir, "docs", "api")
    for name in TITLES if (folder / "index.md").exists() else ():
        path, text = folder / f"{name}.md", page(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def page(name: str) -> str:
    """Return the text of a package's page, or of the page `root` of the modules beside the packages."""
    title = TITLES[name]
    modules = title.partition(": ")[2].split(", ") if name == "root" else tree.modules_of(name)
    sections = [_section(module) for module in modules if not module.startswith(SKIPPED)]
    return "\n\n".join(filter(None, [f"# {title}", TEXTS.get(name), *sections])) + "\n"


def _section(module: str) -> str:
    """Return the text of a module's section in MyST.

    Public names that are not functions or classes are not among the members of automodule, or only if they have a docstring, so they are added by name.
    """
    names = [name for name, home in tree.homes().items() if home == module]
    data = [name for name in names if not callable(getattr(kan_ref, name))]
    text = [f"## {module}"]
    if names:
        links = [f"[`kr.{name}`](#kan_ref.{module}.{name})" for name in names]
        text += [f"Public: {', '.join(links)}."]
    body = [f".. automodule:: kan_ref.{module}", "   :members:", "   :member-order: bysource"]
    body += [f"   :exclude-members: {', '.join(data)}"] if data else []
    for name in data:
        body += ["", f".. autodata:: kan_ref.{module}.{name}", "   :no-value:"]
    return "\n\n".join([*text, "\n".join(["```{eval-rst}", *body, "```"])])


def show_docstring(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Show the docstrings of modules, and all of `plain`: prose and lists as text, and what is indented, such as formulas in columns, as written."""
    if what == "module" or name.startswith("kan_ref.plain."):
        lines[:] = module_text(str(getattr(thing, "__doc__", "") or ""))


def module_text(docstring: str) -> list[str]:
    """Return the lines of a module's docstring as reStructuredText."""
    lines: list[str] = []
    for paragraph in re.split(r"\n{2,}", inspect.cleandoc(docstring)):
        if paragraph.startswith(" "):
            written = textwrap.indent(textwrap.dedent(unmarked(paragraph)), "   ").splitlines()
            lines += [".. code-block:: text", "   :class: module-text", "", *written]
        else:
            lines += [plain_text(line) for line in paragraph.splitlines()]
        lines.append("")
    return lines


def unmarked(paragraph: str) -> str:
    """Return indented lines without marks: a tag in brackets, code without its backquotes, what follows in the same column."""
    paragraph = re.sub(r":eq:`([^`]*)`", r"(\1)", paragraph)
    return re.sub(r"`([^`\n]+)`(  +)?", lambda code: code[1] + (code[2] or "") + 2 * " " * bool(code[2]), paragraph)


def plain_text(line: str) -> str:
    """Return a line of a module's docstring in which only code in backquotes, words between asterisks and references to equations are markup."""
    pieces = re.split(r"(:eq:`[^`]*`|`+[^`]+`+|(?<![\w*])\*\w+\*(?![\w*]))", line)
    pieces[::2] = [re.sub(r"([\\*_|])", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(re.sub(r"^`+([^`]+)`+$", r"``\1``", piece) for piece in pieces)


def escape_bars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Escape bars outside code and examples, because |x| is a norm here and not a substitution, and link tutorials."""
    for place, line in enumerate(lines):
        if ">>>" not in line and what != "module":
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
    app.connect("builder-inited", write_pages)
    # numpydoc, at 500, reads docstrings that are escaped, and not those of modules
    app.connect("autodoc-process-docstring", escape_bars, priority=400)
    app.connect("autodoc-process-docstring", show_docstring, priority=900)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-signature", shorten_defaults)
    app.connect("missing-reference", tag_by_name)
    app.connect("doctree-resolved", name_equations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
