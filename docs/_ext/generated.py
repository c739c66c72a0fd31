"""The pages that are generated at every build: the equations, deviations, gallery, reference by packages.

Each is a directive without arguments, or with the names of packages as arguments.
"""

import functools
import html
import posixpath
import re
from collections import Counter
from pathlib import Path
from typing import Any

import source_pages
import tree
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.directives.other import TocTree
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective
from sphinx.util.matching import patfilter

FILTER = (
    '<p class="equation-filter"><label for="equation-filter">Show only</label> <input type="search" '
    'id="equation-filter" placeholder="2.19, spline, adam"> <output for="equation-filter"></output></p>'
)
PHOTOGRAPHS = {"b.3": ["photograph"]}  # not inverted on a dark page
TALL = 1.6  # height / width from which a thumbnail shows the upper part alone
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
    """All formulas with code: those of the paper by their numbers, then those of the implementation in the order of their pages.

    A box above them filters them by any text of a card; the index entries let the site's own search find a number of the paper, which it would skip as a word.
    """

    def run(self) -> list[nodes.Node]:
        """Return the box and a section for each group of formulas."""
        tagged, registry, formulas = tree.tagged_lines(), tree.registry(), tree.formulas()
        place = {tag: n for n, tag in enumerate(formulas)}
        order = sorted(tagged, key=lambda tag: (_number(_paper(registry, tag)), place[tag]))
        groups: dict[str, list[str]] = {}
        for tag in order:
            groups.setdefault(_group(_paper(registry, tag), formulas[tag]), []).append(tag)
        found: list[nodes.Node] = [nodes.raw("", FILTER, format="html")]
        for title, tags in groups.items():
            section = nodes.section(
                ids=[f"equations-{nodes.make_id(title)}"], classes=["equation-group"]
            )
            section += nodes.title(text=title)
            for tag in tags:
                section += self.card(tag, tagged[tag], formulas[tag], registry.get(tag, {}))
            found.append(section)
        return found

    def card(
        self, tag: str, lines: tree.Lines, formula: tree.Formula, entry: dict[str, Any]
    ) -> list[nodes.Node]:
        """Return the card of a tag, and the entry of its number in the index."""
        here, number = self.env.docname, str(entry.get("paper", ""))
        card = nodes.container(classes=["equation"], ids=[f"formula-{tag}"])
        head = nodes.paragraph(classes=["equation-head"])
        head += nodes.literal(text=tag)
        if number:
            said = f"({number})" if number[0].isdigit() else number
            head += [nodes.Text(" "), nodes.inline(text=f"paper: {said}", classes=["number"])]
        latex = nodes.math_block(formula.latex, formula.latex, docname=here)
        latex.attributes |= {"number": None, "label": None, "nowrap": False, "no-wrap": False}
        where = nodes.paragraph(classes=["equation-where"])
        page = relative_uri(f"{here}.html", f"{formula.page}.html") + f"#code-{tag}"
        code = source_pages.uri(here, lines.file, lines.first)
        where += [
            _link(_page_name(formula.page), page),
            nodes.Text(", "),
            _link(f"{lines.file}:{lines.first}", code),
        ]
        tests = entry.get("tests", [])
        if tests:
            where += nodes.Text(", tested by ")
        for test in tests:
            file, _, name = test.partition("::")
            line = next(
                n
                for n, text in enumerate(
                    (tree.ROOT / file).read_text(encoding="utf-8").splitlines(), 1
                )
                if f"def {name}(" in text
            )
            said = name.removeprefix("test_").replace("_", " ")
            said = re.sub(r"(\d)e (\d)", r"\1e-\2", said)  # 1e-14 in the name of a test
            where += [_link(said, source_pages.uri(here, file, line)), nodes.Text("; ")]
        if tests:
            where.pop()
        card += [head, latex, where]
        numbers = [one.strip() for one in number.split(",") if one.strip()[:1].isdigit()]
        entries = [("single", one, f"formula-{tag}", "", None) for one in numbers]
        return [addnodes.index(entries=entries), card] if entries else [card]


def _paper(registry: dict[str, dict[str, Any]], tag: str) -> str:
    """Return the number of a formula in the paper, or an empty text."""
    return str(registry.get(tag, {}).get("paper", ""))


def _number(paper: str) -> tuple[int, list[int]]:
    """Return a key that sorts by the first number: equations, then sections and footnotes, then formulas without a number."""
    first = [int(digits) for digits in re.findall(r"\d+", paper.partition(",")[0])]
    return (2, []) if not paper else (0, first) if paper[0].isdigit() else (1, first)


def _group(paper: str, formula: tree.Formula) -> str:
    """Return the title of the section of a formula."""
    if paper:
        kinds = ("Equations of the paper", "Sections and footnotes of the paper")
        return kinds[_number(paper)[0]]
    if formula.page.startswith("tutorials/"):
        return "Further formulas of the tutorials"
    return f"Implementation: {formula.heading}"


def _page_name(page: str) -> str:
    """Return what a link to a page is called."""
    number = re.match(r"tutorials/0?(\d+)_", page)
    return f"tutorial {number[1]}" if number else "equations of the implementation"


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
                f"From: {{ref}}`{_page_name(box.page)} <{box.label}>`",
                ":::::",
            ]
            found += self.parse_text_to_nodes("\n".join(lines))
        return found or [nodes.paragraph(text="No tutorial has a box.")]


def _absolute(folder: str, match: re.Match[str]) -> str:
    """Return a relative link of a page in `folder` as a link from the root of the sources."""
    return f"](/{posixpath.normpath(posixpath.join(folder, match[1]))})"


class Gallery(SphinxDirective):
    """Thumbnails of all figures and tutorials; then each figure with its picture, what to see in it, the paper's claims and our results."""

    def run(self) -> list[nodes.Node]:
        """Return the thumbnails, and a section for each figure that has a picture or a claim."""
        rows, records = tree.claims()
        captions = tree.captions()
        sections: list[nodes.Node] = []
        thumbnails: list[tuple[str, str, str, str]] = []
        for name, (module, title) in tree.figures().items():
            picture = f"/figures/results/{module.rpartition('.')[2]}.svg"
            pictured = (tree.ROOT / picture[1:]).exists()
            if not pictured and name not in rows:
                continue
            section = nodes.section(
                ids=[nodes.make_id(f"figure-{name}")], classes=["figure-section"]
            )
            section += nodes.title(text=f"{name}: {title}")
            if pictured:
                if name not in captions:
                    raise self.error(
                        f"docs/gallery_captions.toml does not say what to see in {name}"
                    )
                classes = ["on-white", *PHOTOGRAPHS.get(name, [])]
                section += nodes.image(uri=picture, alt=captions[name], classes=classes)
                section += nodes.paragraph(text=captions[name], classes=["picture-caption"])
                file = f"_images/{posixpath.basename(picture)}"
                shown = " ".join([*classes, *["tall"] * _is_tall(tree.ROOT / picture[1:])])
                thumbnails.append(
                    (f"#{section['ids'][0]}", f"../{file}", f"{name}: {title}", shown)
                )
            file = tree.figure_file(module)
            made = nodes.paragraph(classes=["picture-source"])
            made += [
                nodes.Text("Drawn by "),
                _link(file, source_pages.uri(self.env.docname, file)),
            ]
            sentence = ". " + records[name].removeprefix(f"{title}. ") if name in records else "."
            made += [
                nodes.strong(text=part) if place % 2 else nodes.Text(part)
                for place, part in enumerate(sentence.split("**"))
            ]
            section += made
            if name in rows:
                section += _claims(rows[name])
            sections.append(section)
        tutorials = [
            (
                relative_uri(f"{self.env.docname}.html", f"{page}.html"),
                f"../thumbnails/{posixpath.basename(page)}.svg",
                text.partition("\n# ")[2].partition("\n")[0],
                "on-white",
            )
            for page, text in tree.pages().items()
            if re.fullmatch(r"tutorials/\d+\w+", page)
        ]
        return [
            nodes.rubric(text="Figures and tables of the paper, and our own"),
            _thumbnails(thumbnails),
            nodes.rubric(text="Tutorials"),
            _thumbnails(tutorials),
            *sections,
        ]


def _is_tall(picture: Path) -> bool:
    """Return whether a picture of an SVG file is much taller than wide."""
    with picture.open(encoding="utf-8") as file:
        size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', file.read(2000))
    return size is not None and float(size[2]) > TALL * float(size[1])


def _thumbnails(shown: list[tuple[str, str, str, str]]) -> nodes.raw:
    """Return a grid of (where a picture leads, its file, its title, its classes)."""
    figures = [
        f'<a href="{where}"><img class="{classes}" loading="lazy" src="{file}" alt="">'
        f"<span>{html.escape(title)}</span></a>"
        for where, file, title, classes in shown
    ]
    return nodes.raw("", f'<div class="thumbnails">{"".join(figures)}</div>', format="html")


def _claims(rows: list[list[str]]) -> list[nodes.Node]:
    """Return the table of a figure's claims, folded under a line that counts the verdicts."""
    counted = Counter(row[3] for row in rows)
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in counted.items())
    said = f"{len(rows)} claim{'s' * (len(rows) > 1)} of the paper and our results: {verdicts}"
    cells = (_text, _text, _text, _verdict, _text)
    body = [[cell(text) for cell, text in zip(cells, row, strict=True)] for row in rows]
    head = ["claim", "paper", "ours", "agrees?", "evidence"]
    opening = f'<details class="folded"><summary>{html.escape(said)}</summary>'
    return [
        nodes.raw("", opening, format="html"),
        table_of(head, body, [26, 16, 24, 8, 26], "claims"),
        nodes.raw("", "</details>", format="html"),
    ]


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
            purpose = tree.definitions(module).get(name) or tree.comments(module)[name]
            rows.append([[link], _with_code(purpose), module])
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


def link_places(app: Sphinx, doctree: nodes.document) -> None:
    """Link each place that the page of what is reproduced names: a figure to the gallery, a tag to its formula, a file to its page."""
    page = app.env.docname
    if page != "docs/reproduced":
        return
    figures, formulas, files = tree.figures(), tree.formulas(), set(source_pages.files())
    for table in doctree.findall(nodes.table):
        table["classes"].append("compact")
    for entry in doctree.findall(nodes.entry):
        for place in list(entry.findall(nodes.literal)):
            text = place.astext()
            tag = text.removeprefix("eq:")
            if text in figures:
                where = f"gallery.html#{nodes.make_id(f'figure-{text}')}"
            elif tag in formulas:
                shown = relative_uri(f"{page}.html", f"{formulas[tag].page}.html")
                where = f"{shown}#code-{tag}"
            elif text in files:
                where = source_pages.uri(page, text)
            elif text.endswith(".md"):
                where = relative_uri(f"{page}.html", f"{text.removesuffix('.md')}.html")
            else:
                continue
            place.replace_self(
                nodes.reference("", "", place.deepcopy(), refuri=where, internal=True)
            )


def _link(text: str, where: str) -> nodes.reference:
    return nodes.reference("", text, refuri=where, internal=True)


def _text(text: str) -> Cell:
    return text


def _with_code(text: str) -> list[nodes.Node]:
    """Return a text whose parts between backticks are code."""
    return [
        nodes.literal(text=part) if place % 2 else nodes.Text(part)
        for place, part in enumerate(text.split("`"))
        if part
    ]


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
    app.connect("doctree-read", link_places)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
