"""Configuration of the site: `.venv/bin/sphinx-build -EW --keep-going -j 2 -c docs . site` in the checkout builds it offline.

The sources are the checkout itself: tutorials, docs, and the pages in its root. The extensions in docs/_ext generate the other pages.
Pictures of the figures that are missing or outdated are drawn first.
"""

import atexit
import json
import os
import shutil
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.parallel import make_chunks

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "_ext"), str(ROOT)]

import kan_ref  # noqa: E402  from this checkout
from figures.machine.pictures import draw_outdated  # noqa: E402

project = "kan_ref"
author = copyright = "the kan_ref maintainers"
version = release = kan_ref.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "source_pages",
    "api_pages",
    "generated",
    "notebooks",
    "tutorial_text",
]
root_doc = "docs/index"
include_patterns = ["docs/**", "tutorials/**", "CHANGELOG.md", "CONTRIBUTING.md", "NOTATION.md"]
exclude_patterns = ["**/.*", "docs/explorer", "docs/_*", "kan_ref", "tests", "figures", "site"]
if (HERE / "explorer" / "index.html").exists():
    tags.add("explorer")  # type: ignore[name-defined]  # noqa: F821  Sphinx's own

# the side bar leaves out solutions, packages of the reference and appendices, to which pages link
suppress_warnings = ["toc.not_included"]

# --- text
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
smartquotes = False  # "--" and quotes are kept as written
numpydoc_show_class_members = False
default_role = "code"  # between backquotes in docstrings
autodoc_typehints = "none"  # shapes and types are in the docstrings
add_module_names = False
math_numfig = False
math_eqref_format = "eq. {number}"  # numbers such as (2.9) are the paper's

# --- tutorials run when the site is built, each in a fresh kernel and an empty folder
nb_execution_mode = "force"
nb_execution_in_temp = True
if not (ROOT / "figures" / "results" / "records").exists():
    # a source distribution has no records of the figures: what reads them is shown without outputs
    nb_execution_excludepatterns = ["**/12_paper_and_findings.md"]
nb_execution_timeout = 120
nb_execution_show_tb = True
nb_merge_streams = True
nb_output_stderr = "error"
nb_mime_priority_overrides = [("html", "image/svg+xml", 0)]
os.environ |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="kan_ref_kernel_")
atexit.register(shutil.rmtree, os.environ["IPYTHONDIR"], ignore_errors=True)
_profile = Path(os.environ["IPYTHONDIR"], "profile_default")
_profile.mkdir()
# of the kernels: warnings are errors, no history is stored, pictures are SVG
_kernel = {
    "InteractiveShellApp": {
        "exec_lines": [
            "import warnings",
            "warnings.simplefilter('error')",
            "warnings.filterwarnings('ignore', module='ipykernel')",  # the kernel's own warnings
            "warnings.filterwarnings('ignore', message='InlineBackend._figure_formats_changed')",  # Matplotlib's, about the setting below
            "del warnings",
            # a cell's output in one piece: pieces would be joined by line breaks, wherever time has cut them
            "import sys",
            "sys.stdout.flush_interval = sys.stderr.flush_interval = 600.0",
            "del sys",
        ]
    },
    "IPKernelApp": {"log_level": "ERROR"},  # it warns about a local connection
    "HistoryManager": {"enabled": False},
    "InlineBackend": {"figure_formats": ["svg"]},
}
(_profile / "ipython_kernel_config.json").write_text(json.dumps(_kernel), encoding="utf-8")

# --- look; nothing is fetched from elsewhere
html_theme = "furo"
html_title = f"kan_ref {release}"
_mathjax = "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
html_static_path = ["_static", str(distribution("sphinx-mathjax-offline").locate_file(_mathjax))]
html_extra_path = ["_root"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer", "priority": 100})]  # before MathJax: it reads text
html_copy_source = False
html_show_sphinx = False
mathjax_path = "tex-svg.js"
mathjax3_config = {"svg": {"scale": 0.95}, "options": {"enableMenu": False}}
pygments_style = "default"  # every colour has a contrast of 4.5 on its background
pygments_dark_style = "monokai"


def draw_figures(app: Sphinx) -> None:
    """Draw the figures whose pictures are missing or outdated, before the sources are read, in as many processes as the build has.

    The pictures lie in figures/results, where `python -m figures --full` draws them too, and are not in the repository. Without
    records, as in a source distribution, only those drawn from code alone appear. A site of other sources shows none.
    """
    if not ROOT.samefile(app.srcdir):
        return
    drawn = draw_outdated(ROOT / "figures" / "results", max(1, app.parallel))
    logging.getLogger(__name__).info("pictures drawn: %d", len(drawn))


def deal_pages(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Spread the pages whose code runs over the pieces of the list that Sphinx gives to its processes: a tutorial takes up to half a minute."""
    n_pieces = max(1, len(make_chunks(names, max(1, app.parallel))))
    names.sort(key=lambda name: "{code-cell}" not in env.doc2path(name).read_text("utf-8"))
    names[:] = [name for k in range(n_pieces) for name in names[k::n_pieces]]


def copy_explorer(app: Sphinx, exception: Exception | None) -> None:
    """Copy the files of the explorer into the site unchanged."""
    if exception is None and (HERE / "explorer").exists():
        shutil.copytree(HERE / "explorer", app.outdir / "docs" / "explorer", dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the build steps; called by Sphinx."""
    app.connect("builder-inited", draw_figures)
    app.connect("env-before-read-docs", deal_pages)
    app.connect("build-finished", copy_explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
