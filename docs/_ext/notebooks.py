"""Write each tutorial and solution also as a Jupyter notebook with its outputs, each tutorial as slides and as an exercise sheet, with links at the top of its page.

The file runs.json beside Sphinx's own files records how the run of each page ended: page -> {"succeeded", "runtime", "traceback"}.
"""

import json
import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import tree
from docutils import nodes
from lectures import deck, sheet
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective
from tutorial_text import plain, repository

ARCHIVE, SHEETS = "notebooks/kan_ref_notebooks.zip", "notebooks/kan_ref_sheets.zip"


def notebook_of(page: str) -> str:
    """Return the path of a page's notebook on the site."""
    kind = "solutions/" if "/solutions/" in page else ""
    return f"notebooks/{kind}{posixpath.basename(page)}.ipynb"


def offer(app: Sphinx, doctree: nodes.document) -> None:
    """Insert links to the notebook and to the archive under the title."""
    page = app.env.docname
    if (
        page.startswith("tutorials/")
        and doctree.children
        and isinstance(doctree.children[0], nodes.section)
    ):
        links = [
            nodes.reference(
                "", text, internal=True, refuri=posixpath.relpath(where, posixpath.dirname(page))
            )
            for text, where in (
                ("Download as a notebook", notebook_of(page)),
                ("all notebooks in one archive", ARCHIVE),
            )
        ]
        line = nodes.paragraph(
            "", "", links[0], nodes.Text(", or "), links[1], classes=["notebook-link"]
        )
        doctree.children[0].insert(1, line)


def notebook(app: Sphinx, page: str) -> nbformat.NotebookNode:
    """Return the notebook of a page as it ran when the site was built, with its text as any viewer shows it."""
    ran = Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"
    found: nbformat.NotebookNode = nbformat.read(ran, as_version=4)
    numbers = app.env.get_domain("math").equations  # type: ignore[attr-defined]
    cells = []
    for cell in found.cells:
        cells.append(cell)
        shown, tags = cell.metadata.get("mystnb", {}), cell.metadata.get("tags", ())
        cell["metadata"] = {"jupyter": {"source_hidden": True}} if "hide-input" in tags else {}
        if cell.cell_type == "markdown":
            cell["source"] = plain(cell.source, page, numbers)
            continue
        if alternative := shown.get("image", {}).get("alt"):
            cell["metadata"]["alt"] = alternative
        if caption := shown.get("figure", {}).get("caption"):
            text = plain(" ".join(caption.split()), page, numbers)
            cells.append(nbformat.v4.new_markdown_cell(f"> {text}"))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    found["cells"] = cells
    line = f"This notebook belongs to [kan_ref]({repository()}), version {app.config.release}. To run it, install `kan_ref`."
    found.cells.insert(0, nbformat.v4.new_markdown_cell(line, id="about"))
    found["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(found)
    return found


def write(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Write notebooks, exercise sheets and slides, the same bytes for the same pages; yield no further pages."""
    pages = sorted(page for page in app.env.found_docs if page.startswith("tutorials/"))
    made = {page: notebook(app, page) for page in pages}
    write_archive(app, ARCHIVE, {notebook_of(page): made[page] for page in pages})
    tutorials = [page for page in pages if "/solutions/" not in page]
    sheets = {
        f"notebooks/sheets/{posixpath.basename(page)}.ipynb": sheet(
            made[page], made[page.replace("tutorials/", "tutorials/solutions/", 1)]
        )
        for page in tutorials
        if page.replace("tutorials/", "tutorials/solutions/", 1) in made
    }
    write_archive(app, SHEETS, sheets)
    for folder in ("slides", "thumbnails"):
        Path(app.outdir, folder).mkdir(parents=True, exist_ok=True)
    for page in tutorials:
        name = posixpath.basename(page)
        slides = Path(app.outdir, "slides", f"{name}.html")
        slides.write_text(deck(made[page], page), encoding="utf-8")
        thumbnail = Path(app.outdir, "thumbnails", f"{name}.svg")
        thumbnail.write_text(first_picture(made[page]), encoding="utf-8")
    yield from ()


def first_picture(made: nbformat.NotebookNode) -> str:
    """Return the first picture of a notebook, or an empty one if it was not run."""
    pictures = [
        output.data["image/svg+xml"]
        for cell in made.cells
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", ())
    ]
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 7 3"></svg>'
    return str(pictures[0]) if pictures else empty


def write_archive(app: Sphinx, name: str, notebooks: dict[str, nbformat.NotebookNode]) -> None:
    """Write notebooks by their paths on the site, each alone and all in one archive."""
    archive = Path(app.outdir, name)
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for path, made in notebooks.items():
            target = Path(app.outdir, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = nbformat.writes(made)
            target.write_text(text, encoding="utf-8")
            place = zipfile.ZipInfo(f"kan_ref_{path}", (1980, 1, 1, 0, 0, 0))
            place.compress_type = zipfile.ZIP_DEFLATED
            files.writestr(place, text)


def record_runs(app: Sphinx, exception: Exception | None) -> None:
    """Write runs.json with every page that was run, even if others failed."""
    runs = {
        page: NbMetadataCollector.get_exec_data(app.env, page)
        for page in sorted(app.env.found_docs)
    }
    kept = {
        page: {key: run[key] for key in ("succeeded", "runtime", "traceback")}
        for page, run in runs.items()
        if run
    }
    for run in kept.values():
        run["traceback"] = run["traceback"] and re.sub(
            r"\x1b\[[0-9;]*m", "", run["traceback"]
        )  # colours of a terminal
    (app.doctreedir / "runs.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


class Slides(SphinxDirective):
    """A list of the tutorials' slides."""

    def run(self) -> list[nodes.Node]:
        """Return the list, in the order of the tutorials."""
        shown = nodes.bullet_list()
        for path in sorted((tree.ROOT / "tutorials").glob("*.md")):
            title = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            where = relative_uri(f"{self.env.docname}.html", f"slides/{path.stem}.html")
            line = nodes.paragraph()
            line += nodes.reference(
                "", title[1] if title else path.stem, refuri=where, internal=True
            )
            shown += nodes.list_item("", line)
        return [shown]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.add_directive("slides", Slides)
    app.connect("doctree-read", offer)
    app.connect("html-collect-pages", write)
    app.connect("build-finished", record_runs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
