"""The pages that are generated at every build: the equations, deviations, gallery.

Each is a directive without arguments.
"""

import html
import posixpath
import re
import tomllib
from collections import Counter
from typing import Any

import tree
from docutils import nodes
from pieces import link, paragraph, table, uri
from source_pages import files
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective

FILTER = (
    '<p class="equation-filter"><label for="equation-filter">Show only</label> <input type="search" '
    'id="equation-filter" placeholder="2.19, spline, adam"> <output for="equation-filter"></output></p>'
)
PHOTOGRAPHS = ("b.3",)  # not inverted on a dark page
TALL = 1.6  # height / width from which a thumbnail shows the upper part alone
RELATIVE = re.compile(r"\]\((?!/|#|\w+:)([^)]+)\)")


class EquationIndex(SphinxDirective):
    """All formulas with code: those of the paper by their numbers, then those of the implementation in the order of their pages.

    A box above them filters them by any text of a card; the index entries let the site's own search find a number of the paper, which it would skip as a word.
    """

    def run(self) -> list[nodes.Node]:
        """Return the box and a section for each group of formulas."""
        tagged, registry, formulas = tree.tagged_lines(), tree.registry(), tree.formulas()
        numbers = {tag: str(registry.get(tag, {}).get("paper", "")) for tag in tagged}
        in_order = sorted(tagged, key=list(formulas).index)
        sections: dict[str, nodes.Element] = {}
        for tag in sorted(in_order, key=lambda tag: _rank(numbers[tag])):
            title = _group(numbers[tag], formulas[tag])
            if title not in sections:
                ids = [f"equations-{nodes.make_id(title)}"]
                sections[title] = nodes.section(ids=ids, classes=["equation-group"])
                sections[title] += nodes.title(text=title)
            tests = registry.get(tag, {}).get("tests", [])
            sections[title] += self.card(tag, tagged[tag], formulas[tag], numbers[tag], tests)
        return [nodes.raw("", FILTER, format="html"), *sections.values()]

    def card(
        self, tag: str, lines: tree.Lines, formula: tree.Formula, number: str, tests: list[str]
    ) -> list[nodes.Node]:
        """Return the entries of a formula's numbers in the index, and its card."""
        here = self.env.docname
        said = f"paper: ({number})" if number[:1].isdigit() else f"paper: {number}"
        label = [" ", nodes.inline(text=said, classes=["number"])] if number else []
        latex = nodes.math_block(formula.latex, formula.latex, docname=here)
        latex.attributes |= {"number": None, "label": None, "nowrap": False, "no-wrap": False}
        page = relative_uri(f"{here}.html", f"{formula.page}.html")
        where = [
            link(_page_name(formula.page), f"{page}#code-{tag}"),
            ", ",
            link(f"{lines.file}:{lines.first}", uri(here, lines.file, lines.first)),
        ]
        for n, test in enumerate(tests):
            file, _, name = test.partition("::")
            line = tree.text_of(file).partition(f"def {name}(")[0].count("\n") + 1
            words = re.sub(r"(\d)e (\d)", r"\1e-\2", name[5:].replace("_", " "))  # 1e-14 in a name
            where += ["; " if n else ", tested by ", link(words, uri(here, file, line))]
        card = nodes.container(classes=["equation"], ids=[f"formula-{tag}"])
        card += paragraph(nodes.literal(text=tag), *label, classes=["equation-head"])
        card += [latex, paragraph(*where, classes=["equation-where"])]
        found = [one for one in number.split(", ") if one[:1].isdigit()]
        entries = [("single", one, f"formula-{tag}", "", None) for one in found]
        return [addnodes.index(entries=entries), card]


def _rank(number: str) -> tuple[int, list[int]]:
    """Return a key that sorts numbers of the paper: equations, then sections and footnotes, then formulas without a number."""
    first = [int(digits) for digits in re.findall(r"\d+", number.partition(",")[0])]
    return (2, []) if not number else (0, first) if number[0].isdigit() else (1, first)


def _group(number: str, formula: tree.Formula) -> str:
    """Return the title of the section of a formula."""
    if number:
        return f"{'Equations' if number[0].isdigit() else 'Sections and footnotes'} of the paper"
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
        """Return every box with its text, whose relative links begin at the root of the sources, and a link to its tutorial."""
        found: list[nodes.Node] = []
        for box in tree.boxes():
            text = RELATIVE.sub(rf"](/{posixpath.dirname(box.page)}/\1)", box.text)
            found += self.parse_text_to_nodes(
                f":::::{{admonition}} {box.title}\n:class: deviation\n\n{text}\n\n"
                f"From: {{ref}}`{_page_name(box.page)} <{box.label}>`\n:::::"
            )
        return found


class Gallery(SphinxDirective):
    """Thumbnails of all figures and tutorials; then each figure with its picture, what to see in it, the paper's claims and our results."""

    def run(self) -> list[nodes.Node]:
        """Return the thumbnails, and a section for each figure that has a picture or a claim."""
        (rows, records), captions = tree.claims(), tree.captions()
        sections: list[nodes.Node] = []
        thumbnails = []
        for name, (module, title) in tree.figures().items():
            picture = f"figures/results/{module.rpartition('.')[2]}.svg"
            pictured = (tree.ROOT / picture).exists()
            if not pictured and name not in rows:
                continue
            section = nodes.section(ids=[nodes.make_id(f"figure-{name}")], classes=["figure-section"])
            section += nodes.title(text=f"{name}: {title}")
            if pictured:
                classes = ["on-white", *["photograph"] * (name in PHOTOGRAPHS)]
                section += nodes.image(uri=f"/{picture}", alt=captions[name], classes=classes)
                section += paragraph(captions[name], classes=["picture-caption"])
                shown = " ".join([*classes, *["tall"] * _is_tall(picture)])
                file = f"../_images/{posixpath.basename(picture)}"
                thumbnails.append((f"#{section['ids'][0]}", file, f"{name}: {title}", shown))
            file = tree.figure_file(module)
            said = records.get(name, "").removeprefix(f"{title}. ").split("**")
            parts = [nodes.strong(text=part) if n % 2 else part for n, part in enumerate(said)]
            source = link(file, uri(self.env.docname, file))
            section += paragraph("Drawn by ", source, ". ", *parts, classes=["picture-source"])
            section += _claims(rows[name]) if name in rows else []
            sections.append(section)
        tutorials = [
            (
                f"../{page}.html",
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


def _is_tall(picture: str) -> bool:
    """Return whether a picture of an SVG file is much taller than wide."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', tree.text_of(picture))
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
    body = [[[text] for text in row] for row in rows]
    for row, (*_, verdict, _) in zip(body, rows, strict=True):
        row[3] = [nodes.inline(text=verdict, classes=["verdict", f"verdict-{verdict}"])]
    head = ["claim", "paper", "ours", "agrees?", "evidence"]
    opening = f'<details class="folded"><summary>{html.escape(said)}</summary>'
    return [
        nodes.raw("", opening, format="html"),
        table(head, body, [26, 16, 24, 8, 26], "claims"),
        nodes.raw("", "</details>", format="html"),
    ]


def link_places(app: Sphinx, doctree: nodes.document) -> None:
    """Link each place that the page of what is reproduced names: a figure to the gallery, a tag to its formula, a file to its page."""
    page = app.env.docname
    if page != "docs/reproduced":
        return
    places = {name: f"gallery.html#{nodes.make_id(f'figure-{name}')}" for name in tree.figures()}
    for tag, formula in tree.formulas().items():
        places[tag] = f"{relative_uri(f'{page}.html', f'{formula.page}.html')}#code-{tag}"
    for name in app.env.found_docs:
        places[f"{name}.md"] = relative_uri(f"{page}.html", f"{name}.html")
    places |= {file: uri(page, file) for file in files()}
    for shown in doctree.findall(nodes.table):
        shown["classes"].append("compact")
        for place in list(shown.findall(nodes.literal)):
            if where := places.get(place.astext().removeprefix("eq:")):
                place.replace_self(link(place.deepcopy(), where))


def explain_flags(app: Sphinx, docname: str, source: list[str]) -> None:
    """Write each flag of the conformance kit, with its defect and text, where a page says so."""
    if "<!-- flags -->" in source[0]:
        data = tree.ROOT / "kan_ref" / "conformance" / "flags.toml"
        flags = tomllib.loads(data.read_text(encoding="utf-8")).items()
        parts = [f"### {flag}\n*{one['defect'][0].upper()}{one['defect'][1:]}.* {one['text']}\n" for flag, one in flags]
        source[0] = source[0].replace("<!-- flags -->", "\n".join(parts))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.add_directive("equation-index", EquationIndex)
    app.add_directive("deviations", Deviations)
    app.add_directive("gallery", Gallery)
    app.connect("source-read", explain_flags)
    app.connect("doctree-read", link_places)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
