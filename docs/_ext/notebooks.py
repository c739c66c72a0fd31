"""Write each tutorial and solution also as a Jupyter notebook without outputs, with a link at the top of its page.

The file runs.json beside Sphinx's own files records how the run of each page ended: page -> {"succeeded", "runtime", "traceback"}.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx


def notebook_of(page: str) -> str:
    """Return the path of a page's notebook on the site."""
    kind = "solutions/" if "/solutions/" in page else ""
    return f"notebooks/{kind}{posixpath.basename(page)}.ipynb"


def offer(app: Sphinx, doctree: nodes.document) -> None:
    """Insert a link to the notebook under the title."""
    page = app.env.docname
    if (
        page.startswith("tutorials/")
        and doctree.children
        and isinstance(doctree.children[0], nodes.section)
    ):
        where = posixpath.relpath(notebook_of(page), posixpath.dirname(page))
        line = nodes.paragraph(
            "",
            "",
            nodes.reference("", "Download as a notebook", refuri=where, internal=True),
            classes=["notebook-link"],
        )
        doctree.children[0].insert(1, line)


def write(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Write the notebooks; yield no further pages."""
    for page in sorted(page for page in app.env.found_docs if page.startswith("tutorials/")):
        target = Path(app.outdir, notebook_of(page))
        target.parent.mkdir(parents=True, exist_ok=True)
        jupytext.write(jupytext.read(Path(app.srcdir, f"{page}.md")), target)
    yield from ()


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


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.connect("doctree-read", offer)
    app.connect("html-collect-pages", write)
    app.connect("build-finished", record_runs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
