"""The pages that are generated at every build: index of the equations, deviations, gallery, reference by packages.

Each is a directive without arguments, or with the names of packages as arguments.
"""

import functools
import posixpath
import re
from typing import Any

import source_pages
import tree
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.directives.other import TocTree
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective
from sphinx.util.matching import patfilter

RELATIVE = re.compile(r"\]\((?!/|#|\w+:)([^)]+)\)")
Cell = str | list[nodes.Node]


def table_of(
    head: list[str], rows: list[list[Cell]], widths: list[int], *classes: str
) -> nodes.table:
    """Return a table whose cells are texts or lists of nodes."""
    table = nodes.table(classes=list(classes))
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=width) for width in widths]
    top, body = nodes.thead(), nodes.tbody()
    top += _row(list(head))
    body += [_row(row) for row in rows]
    group += [top, body]
    table += group
    return table


def _row(cells: list[Cell] | list[str]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        paragraph = nodes.paragraph()
        paragraph += [nodes.Text(cell)] if isinstance(cell, str) else cell
        row += nodes.entry("", paragraph)
    return row


class EquationIndex(SphinxDirective):
    """A table with one row for each tag: equation, number in the paper, code, tests, page."""

    def run(self) -> list[nodes.Node]:
        """Return the table, ordered by page, then by file."""
        tagged, shown, registry = tree.tagged_lines(), tree.places(tree.SHOWN), tree.registry()
        order = sorted(
            tagged,
            key=lambda tag: (*_place(shown.get(tag, [])), tagged[tag].file, tagged[tag].first),
        )
        rows: list[list[Cell]] = [
            self.row(tag, tagged[tag], shown.get(tag, []), registry.get(tag, {})) for tag in order
        ]
        return [
            table_of(
                ["equation", "paper", "code", "tests", "page"],
                rows,
                [22, 8, 24, 34, 12],
                "equation-index",
            )
        ]

    def row(
        self, tag: str, lines: tree.Lines, pages: list[str], entry: dict[str, Any]
    ) -> list[Cell]:
        """Return the row of a tag."""
        here = self.env.docname
        code: list[nodes.Node] = [
            _link(
                f"{lines.file.removeprefix('kan_ref/')}:{lines.first}",
                source_pages.uri(here, lines.file, lines.first),
            )
        ]
        tests = []
        for test in entry.get("tests", []):
            file, _, name = test.partition("::")
            line = next(
                n
                for n, text in enumerate(
                    (tree.ROOT / file).read_text(encoding="utf-8").splitlines(), 1
                )
                if f"def {name}(" in text
            )
            tests += [
                _link(
                    name.removeprefix("test_").replace("_", " "), source_pages.uri(here, file, line)
                ),
                nodes.Text("; "),
            ]
        where = [
            _link(
                posixpath.basename(page)[:2] if page.startswith("tutorials/") else "I",
                relative_uri(f"{here}.html", f"{page}.html") + f"#code-{tag}",
            )
            for page in pages
        ]
        return [
            [nodes.literal(text=tag)],
            str(entry.get("paper", "")),
            code,
            list(tests[:-1]),
            list(where),
        ]


def _place(pages: list[str]) -> tuple[bool, str]:
    """Return a key that sorts tutorials before the other page, and both before tags without a page."""
    return not (pages and pages[0].startswith("tutorials/")), pages[0] if pages else "~"


class Deviations(SphinxDirective):
    """All boxes "Paper says / we do", with links to their tutorials."""

    def run(self) -> list[nodes.Node]:
        """Return every box with its text and a link to its tutorial."""
        found: list[nodes.Node] = []
        for box in tree.boxes():
            text = RELATIVE.sub(functools.partial(_absolute, posixpath.dirname(box.page)), box.text)
            lines = [
                f":::::{{admonition}} {box.title}",
                ":class: deviation",
                "",
                *text.splitlines(),
                "",
                f"From: {{ref}}`{box.page} <{box.label}>`",
                ":::::",
            ]
            found += self.parse_text_to_nodes("\n".join(lines))
        return found or [nodes.paragraph(text="No tutorial has a box.")]


def _absolute(folder: str, match: re.Match[str]) -> str:
    """Return a relative link of a page in `folder` as a link from the root of the sources."""
    return f"](/{posixpath.normpath(posixpath.join(folder, match[1]))})"


class Gallery(SphinxDirective):
    """Every picture of figures/results with the paper's claims and our results."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each figure that has a picture or a claim."""
        rows, records = tree.claims()
        found: list[nodes.Node] = []
        for name, (module, title) in tree.figures().items():
            picture = f"/figures/results/{module.rpartition('.')[2]}.svg"
            pictured = (tree.ROOT / picture[1:]).exists()
            if not pictured and name not in rows:
                continue
            section = nodes.section(
                ids=[f"figure-{nodes.make_id(name)}"], classes=["figure-section"]
            )
            section += nodes.title(text=f"{name}: {title}")
            if pictured:
                section += nodes.image(
                    uri=picture, alt=f"figure {name}: {title}", classes=["on-white"]
                )
            file = f"figures/{module.replace('.', '/')}.py"
            made = nodes.paragraph(
                "", "Drawn by ", _link(file, source_pages.uri(self.env.docname, file))
            )
            told = ". " + records[name].removeprefix(f"{title}. ") if name in records else "."
            made += [
                nodes.strong(text=part) if place % 2 else nodes.Text(part)
                for place, part in enumerate(told.split("**"))
            ]
            section += made
            if name in rows:
                body = [
                    [
                        cell(text)
                        for cell, text in zip(
                            (_text, _text, _text, _verdict, _text), row, strict=True
                        )
                    ]
                    for row in rows[name]
                ]
                section += table_of(
                    ["claim", "paper", "ours", "agrees?", "evidence"],
                    body,
                    [26, 16, 24, 8, 26],
                    "claims",
                )
            found.append(section)
        return found


class Package(SphinxDirective):
    """The modules of the given packages, with their docstrings, functions and records; option `skip` omits modules by prefix."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"skip": directives.unchanged}  # noqa: RUF012  docutils' own form

    def run(self) -> list[nodes.Node]:
        """Return a section for each module."""
        found: list[nodes.Node] = []
        homes, skip = tree.homes(), tuple(self.options.get("skip", "").split())
        for package in self.arguments[0].split():
            for module in tree.modules_of(package):
                if not skip or not module.startswith(skip):
                    names = [name for name, home in homes.items() if home == module]
                    found += self.parse_text_to_nodes(
                        _module_section(module, names), allow_section_headings=True
                    )
        return found


def _module_section(module: str, names: list[str]) -> str:
    """Return the text of a module's section in MyST.

    Public names that are not functions or classes are not among the members of automodule, or only if they have a docstring, so they are added by name.
    """
    text = [f"## {module}"]
    if names:
        text += [
            "Public: "
            + ", ".join(f"[`kr.{name}`](#kan_ref.{module}.{name})" for name in names)
            + "."
        ]
    body = [f".. automodule:: kan_ref.{module}", "   :members:", "   :member-order: bysource"]
    data = sorted(set(names) - tree.definitions(module).keys())
    if data:  # those with a docstring would be members too
        body.append(f"   :exclude-members: {', '.join(data)}")
    for name in data:
        body += ["", f".. autodata:: kan_ref.{module}.{name}", "   :no-value:"]
    return "\n\n".join([*text, "\n".join(["```{eval-rst}", *body, "```"])])


class PublicNames(SphinxDirective):
    """Every public name with the first line of its docstring, linked to its entry."""

    def run(self) -> list[nodes.Node]:
        """Return the table in alphabetical order."""
        rows: list[list[Cell]] = []
        for name, module in sorted(tree.homes().items(), key=lambda item: item[0].lower()):
            page = module.split(".")[0] if "." in module else "root"
            link = nodes.reference(
                "",
                "",
                nodes.literal(text=f"kr.{name}"),
                refuri=f"{page}.html#kan_ref.{module}.{name}",
            )
            rows.append([[link], tree.definitions(module).get(name, ""), module])
        return [table_of(["name", "purpose", "module"], rows, [24, 56, 20], "public-names")]


class PagesOf(TocTree):
    """A toctree of patterns that omits those without a page, because Sphinx warns about them and has no option to switch that off."""

    content: StringList

    def run(self) -> list[nodes.Node]:
        """Return the toctree of the patterns with pages, or nothing if there are none."""
        pages = sorted(self.env.found_docs)
        folder = posixpath.dirname(self.env.docname)
        kept = [
            line
            for line in self.content
            if patfilter(pages, posixpath.normpath(posixpath.join("/", folder, line)).lstrip("/"))
        ]
        self.content = StringList(kept, "pages-of")
        self.options["glob"] = None
        return super().run() if kept else []


def _link(text: str, where: str) -> nodes.reference:
    return nodes.reference("", text, refuri=where, internal=True)


def _text(text: str) -> Cell:
    return text


def _verdict(text: str) -> Cell:
    return [nodes.inline(text=text, classes=["verdict", f"verdict-{nodes.make_id(text)}"])]


DIRECTIVES = {
    "equation-index": EquationIndex,
    "deviations": Deviations,
    "gallery": Gallery,
    "package": Package,
    "public-names": PublicNames,
    "pages-of": PagesOf,
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
