"""The packages of kan_ref, one row each, and the labels of formulas; checkers read every import and every label.

A module may import `checks`, its siblings, and what the packages in its row offer in their `__init__.py`. There is no circle of packages, nor
of modules inside one. An `__init__.py` only hands names on. Only programs print.
A label such as (B1) has one meaning: it is defined once, by a line of a module's docstring that begins with four blanks and the label; its
letter is its package's. Every tag of the code is derived on one page. Tutorials label their equations by themselves, and a test may define
labels of its own.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize

import tree
from cases import for_all
from checkout import ROOT

# --- the packages of kan_ref, one row each, and a checker that reads every import

PACKAGE = ROOT / "kan_ref"

# package or root module -> what it may import besides `checks`; "kan_ref" stands for the public names
MAY_IMPORT = {
    "plain": "",  # not even `checks`
    "checks": "",
    "bspline": "",
    "numerics": "",
    "functions": "numerics",
    "optimizers": "numerics",
    "network": "bspline functions numerics",
    "sparsity": "network",
    "symbolic": "network functions",
    "baselines": "network bspline functions",
    "pde": "network baselines bspline functions numerics",
    "formulas": "network functions pde",
    "training": "network sparsity optimizers numerics pde data",
    "discovery": "training sparsity symbolic formulas network functions optimizers data",
    "drawing": "network files formulas",
    "io": "network functions files version",
    "sklearn": "kan_ref",
    "conformance": "plain files program",
    "conformance.adapters.reference": "kan_ref plain",  # what a user has, and products
    "data": "",
    "targets": "data",
    "files": "",
    "program": "",
    "version": "",
    "__main__": "kan_ref program",
    "__init__": "version",
}
# package or root module -> what it may import besides NumPy, and only inside functions, so that importing kan_ref stays cheap
THIRD_PARTY = {
    "functions": "sympy",
    "formulas": "sympy",
    "training": "tqdm sympy",
    "discovery": "tqdm sympy",
    "drawing": "matplotlib",
    "io": "scipy",
    "sklearn": "sklearn matplotlib",
    "targets": "scipy",
    "conformance": "pytest scipy mpmath tqdm",
    "__main__": "matplotlib sympy tqdm",
}
ADAPTERS = "conformance.adapters."  # they import the libraries that they test
# modules that print, and import what they need when they are loaded
PROGRAMS = ("__main__", "program", "conformance.cards", "conformance.generate.__main__")
PROGRAMS = (*PROGRAMS, "conformance.__main__")
ON_LOADING = (*PROGRAMS, "sklearn.base", "sklearn.estimators", "conformance.plugin")
WITH_CODE = ("__init__", "conformance.__init__")  # public names are loaded when they are used


def name_of(path):
    """The dotted name of a module below kan_ref; a package's is that of its __init__."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def is_module(name):
    return name in FILES or f"{name}.__init__" in FILES


def imports(source):
    """Yield (dotted name, whether it is imported on loading); a name from a module counts as below it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            of = "." * getattr(node, "level", 0) + (getattr(node, "module", None) or "")
            for alias in node.names:
                yield f"{of}.{alias.name}" if of else alias.name, node in tree.body


# package -> the names that its __init__.py hands on
HANDED_ON = {
    name.removesuffix(".__init__"): {item.rpartition(".")[2] for item, _ in imports(path.read_text(encoding="utf-8"))}
    for name, path in FILES.items()
    if name.endswith(".__init__")
}


def of_package(name):
    """(package, module inside it or "") of a dotted name that begins with kan_ref; public names are of package "kan_ref"."""
    top, inner, *deeper = [*name.split(".")[1:], "", ""]
    if not is_module(top):
        return "kan_ref", ""
    handed_on = inner in HANDED_ON.get(top, ()) and not deeper[0]
    return top, inner if is_module(f"{top}.{inner}") and not handed_on else ""


def faults(module, source):
    """What is wrong with a module of this name that has this source text."""
    own = module.split(".")[0]
    row = MAY_IMPORT.get(module, MAY_IMPORT[own]).split() + ["checks"] * (own != "plain")
    for name, on_loading in imports(source):
        top = name.split(".")[0]
        if top == "kan_ref":
            package, inner = of_package(name)
            if package == own:
                if not inner and not module.endswith("__init__"):
                    yield f"{module} imports its own package, not a sibling"
            elif package not in row or inner:
                yield f"{module} may not import {name}"
        elif top in sys.stdlib_module_names or (top == "numpy" and module != "__init__"):
            continue
        elif top not in THIRD_PARTY.get(own, "").split() and not module.startswith(ADAPTERS):
            yield f"{module} may not import {name}"
        elif on_loading and module not in ON_LOADING and not module.startswith(ADAPTERS):
            yield f"{module} imports {top} on loading"
    body = ast.parse(source).body[1:]
    hands_on = all(isinstance(node, ast.ImportFrom) for node in body)
    if module.endswith("__init__") and module not in WITH_CODE and not hands_on:
        yield f"{module} does more than hand names on"
    if "print(" in source and module not in PROGRAMS:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                yield f"{module} prints"


def circle(arrows):
    """Names of which each needs another one of them; `arrows`: name -> the names that it needs."""
    left = dict(arrows)
    while free := [name for name in left if not any(other in left for other in left[name])]:
        left = {name: others for name, others in left.items() if name not in free}
    return sorted(left)


@for_all("module", FILES)
def test_a_module_imports_siblings_and_what_the_packages_of_its_row_offer(module):
    assert list(faults(module, FILES[module].read_text(encoding="utf-8"))) == []


def test_neither_packages_nor_the_modules_of_one_import_each_other_in_a_circle():
    inside = {
        module: {".".join(of_package(name)) for name, loading in imports(path.read_text(encoding="utf-8")) if loading}
        for module, path in FILES.items()
    }

    assert circle({name: row.split() for name, row in MAY_IMPORT.items()}) == []
    assert circle({name: others & FILES.keys() for name, others in inside.items()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def test_training_loads_only_the_packages_that_it_uses():
    code = "import sys, kan_ref.training; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages = {name.split(".")[1] for name in loaded.stdout.split() if name.startswith("kan_ref.")}

    used = "bspline checks data functions network numerics optimizers sparsity training version"
    assert packages == set(used.split())


@for_all(
    ("module", "source"),
    [
        ("network.layer", "from kan_ref.training import fit"),
        ("network.layer", "def f():\n    import kan_ref.training"),
        ("network.layer", "from kan_ref import fit"),
        ("network.layer", "from kan_ref.bspline.knots import check_knots"),
        ("network.layer", "from kan_ref.network import Network"),
        ("network.layer", "from .cache import Cache"),
        ("network.layer", "import torch"),
        ("plain", "from kan_ref.checks import FloatArray"),
        ("targets", "from scipy.special import j0"),
        ("network.layer", "print(1)"),
        ("network.__init__", '"""Layers."""\nLAYERS = ()'),
        ("__init__", "import numpy"),
    ],
)
def test_an_injected_fault_is_found(module, source):
    assert len(list(faults(module, source))) == 1


# --- labels of formulas such as (B1) have one meaning, and every tag of the code is derived on one page

LETTERS = {
    "bspline": "B",
    "functions": "F",
    "numerics": "N",
    "optimizers": "O",
    "network": "L",
    "sparsity": "P",
    "symbolic": "S",
    "formulas": "E",
    "training": "T",
    "discovery": "D",
    "baselines": "M",
    "pde": "J",
    "drawing": "G",
    "io": "I",
    "conformance": "C",
}
DEFINITION = re.compile(r"^    \(([A-Z]\d{1,2})\)(?=  )", flags=re.MULTILINE)
LABEL = re.compile(r"(?<!\w)\(([A-Z]\d{1,2})\)")
CODE_IN_MARKDOWN = re.compile(r"^(`{3,}).*?^\1$|`[^`]*`|\$\$.*?\$\$", flags=re.MULTILINE | re.DOTALL)


def defined_in(source):
    """Labels that the docstring of a module defines."""
    if not DEFINITION.search(source):
        return []
    return DEFINITION.findall(ast.get_docstring(ast.parse(source), clean=False) or "")


def cited_in(name, source):
    """Labels in the docstrings and comments of a module, or in the text of a page."""
    if not LABEL.search(source):
        return set()
    if name.endswith(".md"):
        return set(LABEL.findall(CODE_IN_MARKDOWN.sub("", source)))
    nodes = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Expr)]
    words = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    words += [token.string for token in tokens if token.type == tokenize.COMMENT]
    return {label for text in words for label in LABEL.findall(text)}


def label_faults(sources):
    """What is wrong with the labels of files, given as name -> text."""
    home, found = {}, []
    for name, source in sources.items():
        for label in defined_in(source) if name.startswith("kan_ref/") else ():
            if label in home:
                found.append(f"({label}) is defined in {home[label]} and in {name}")
            if label[0] != LETTERS.get(name.split("/")[1]):
                found.append(f"{name} may not define ({label})")
            home[label] = name
    for name, source in sources.items():
        own = defined_in(source) if name.startswith("tests/") else ()
        unknown = cited_in(name, source) - home.keys() - set(own)
        found += [f"{name} cites ({label}), which no module defines" for label in unknown]
    return found


def test_labels_are_defined_once_have_their_packages_letter_and_lead_to_a_definition():
    paths = [path for part in ("kan_ref", "tests") for path in (ROOT / part).rglob("*.py")]
    paths += [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("[A-Z]*.md")]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}

    assert label_faults(texts) == []


def test_an_injected_fault_of_labels_is_found():
    head = '"""Layers.\n\n    (L1)  y = W x\n"""\n'
    layer = {"kan_ref/network/layer.py": head + "x = 1  # (L1)\n"}

    assert label_faults(layer | {"docs/faq.md": "By (L1), see (2.5); `(Z9)` is code.\n"}) == []
    assert len(label_faults(layer | {"kan_ref/network/other.py": head})) == 1
    assert len(label_faults(layer | {"kan_ref/pde/jets.py": head.replace("L1", "L2")})) == 1
    assert len(label_faults(layer | {"kan_ref/pde/jets.py": "# by (L9)\n"})) == 1
    assert len(label_faults(layer | {"docs/faq.md": "By (L9).\n"})) == 1


TAGGED = tree.tagged_lines()
SHOWN, LABELLED = tree.places(tree.SHOWN), tree.places(tree.LABELLED)


def test_every_tag_and_its_formula_are_on_one_page_a_tutorial_or_that_of_the_implementation():
    assert {tag: SHOWN.get(tag, []) for tag in TAGGED if len(SHOWN.get(tag, [])) != 1} == {}
    assert set(SHOWN) == set(TAGGED)
    assert {tag: LABELLED.get(tag) for tag in TAGGED if LABELLED.get(tag) != SHOWN[tag]} == {}
    pages = {page for pages in SHOWN.values() for page in pages}
    assert {page for page in pages if not re.match(r"tutorials/\d", page)} == {"docs/more_equations"}


def test_every_equation_of_the_paper_that_is_carried_out_is_derived_in_a_tutorial():
    pages_of = {}
    for tag, entry in tree.registry().items():
        for number in filter(None, map(str.strip, entry.get("paper", "").split(","))):
            pages_of.setdefault(number, []).extend(SHOWN.get(tag, []))

    assert len(pages_of) > 12
    assert [n for n, pages in pages_of.items() if not any("tutorials/" in p for p in pages)] == []
