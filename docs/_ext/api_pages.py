"""Write the pages of the API reference, one for each package and one for the root modules, before the sources are read.

All pages have one form: a title, and the directive `package` of `generated` with the package's name. They lie in docs/api beside the
index, which lists them in the order of reading, and are not in the repository.
"""

from pathlib import Path
from typing import Any

import tree
from sphinx.application import Sphinx

ROOT_MODULES = "data targets files version"
TITLES = {
    "root": f"Root modules: {', '.join(ROOT_MODULES.split())}",
    "checks": "argument checks, and messages that name the remedy",
    "plain": "the paper by hand, in about 250 lines",
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


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
