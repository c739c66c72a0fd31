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
from pieces import link, paragraph
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tutorial_text import plain, repository

ARCHIVE, SHEETS = "notebooks/kan_ref_notebooks.zip", "notebooks/kan_ref_sheets.zip"


def notebook_of(page: str) -> str:
    """Return the path of a page's notebook on the site."""
    return f"{page.replace('tutorials/', 'notebooks/', 1)}.ipynb"


def offer(app: Sphinx, doctree: nodes.document) -> None:
    """Insert links to the notebook and to the archive under the title."""
    page = app.env.docname
    if page.startswith("tutorials/"):
        up = "../" * page.count("/")
        own = link("Download as a notebook", up + notebook_of(page))
        every = link("all notebooks in one archive", up + ARCHIVE)
        for title in list(doctree.findall(nodes.title))[:1]:
            title.parent.insert(1, paragraph(own, ", or ", every, classes=["notebook-link"]))


def notebook(app: Sphinx, page: str) -> nbformat.NotebookNode:
    """Return the notebook of a page as it ran when the site was built, with its text as any viewer shows it."""
    ran = Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"
    found: nbformat.NotebookNode = nbformat.read(ran, as_version=4)
    numbers = app.env.get_domain("math").equations  # type: ignore[attr-defined]
    line = f"This notebook belongs to [kan_ref]({repository()}), version {app.config.release}. To run it, install `kan_ref`."
    cells = [nbformat.v4.new_markdown_cell(line)]
    for cell in found.cells:
        cells.append(cell)
        shown, tags = cell.metadata.get("mystnb", {}), cell.metadata.get("tags", ())
        cell["metadata"] = {"jupyter": {"source_hidden": True}} if "hide-input" in tags else {}
        if cell.cell_type == "markdown":
            cell["source"] = plain(cell.source, page, numbers)
        if alternative := shown.get("image", {}).get("alt"):
            cell["metadata"]["alt"] = alternative
        if caption := shown.get("figure", {}).get("caption"):
            text = plain(" ".join(caption.split()), page, numbers)
            cells.append(nbformat.v4.new_markdown_cell(f"> {text}"))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    found["cells"] = cells
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
    sheets = {}
    for page in pages:
        name, solution = posixpath.basename(page), page.replace("/", "/solutions/", 1)
        if "/solutions/" not in page:
            write_text(app, f"slides/{name}.html", deck(made[page], page))
            write_text(app, f"thumbnails/{name}.svg", first_picture(made[page]))
        if solution in made:
            sheets[f"notebooks/sheets/{name}.ipynb"] = sheet(made[page], made[solution])
    write_archive(app, SHEETS, sheets)
    yield from ()


def first_picture(made: nbformat.NotebookNode) -> str:
    """Return the first picture of a notebook, or an empty one if it was not run."""
    outputs = [output for cell in made.cells for output in cell.get("outputs", ())]
    pictures = [output.get("data", {}).get("image/svg+xml") for output in outputs]
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 7 3"></svg>'
    return str(next(filter(None, pictures), empty))


def write_text(app: Sphinx, name: str, text: str) -> None:
    """Write a file of the site."""
    path = Path(app.outdir, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_archive(app: Sphinx, name: str, notebooks: dict[str, nbformat.NotebookNode]) -> None:
    """Write notebooks by their paths on the site, each alone and all in one archive."""
    write_text(app, name, "")  # its folder
    with zipfile.ZipFile(Path(app.outdir, name), "w") as files:
        for path, made in notebooks.items():
            text = nbformat.writes(made)
            write_text(app, path, text)
            place = zipfile.ZipInfo(f"kan_ref_{path}", (1980, 1, 1, 0, 0, 0))
            files.writestr(place, text, zipfile.ZIP_DEFLATED)


def record_runs(app: Sphinx, exception: Exception | None) -> None:
    """Write runs.json with every page that was run, even if others failed."""
    kept = {}
    for page in sorted(app.env.found_docs):
        if run := NbMetadataCollector.get_exec_data(app.env, page):
            traceback = re.sub(r"\x1b\[[0-9;]*m", "", run["traceback"] or "")  # colours
            kept[page] = {"succeeded": run["succeeded"], "runtime": run["runtime"], "traceback": traceback}
    (app.doctreedir / "runs.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


class Slides(SphinxDirective):
    """A list of the tutorials' slides."""

    def run(self) -> list[nodes.Node]:
        """Return the list, in the order of the tutorials."""
        shown = nodes.bullet_list()
        for page, text in tree.pages().items():
            if re.fullmatch(r"tutorials/\w+", page):
                title = text.partition("\n# ")[2].partition("\n")[0]
                where = f"../slides/{posixpath.basename(page)}.html"
                shown += nodes.list_item("", paragraph(link(title, where)))
        return [shown]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.add_directive("slides", Slides)
    app.connect("doctree-read", offer)
    app.connect("html-collect-pages", write)
    app.connect("build-finished", record_runs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
