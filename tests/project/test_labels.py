"""Labels of formulas such as (B1) have one meaning, and every tag of the code is derived on one page.

A label is defined once, by a line of a module's docstring that begins with four blanks and the label; its letter is its package's.
Tutorials label their equations by themselves, and a test may define labels of its own.
"""

import ast
import io
import re
import tokenize

import tree
from checkout import ROOT

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
CODE_IN_MARKDOWN = re.compile(
    r"^(`{3,}).*?^\1$|`[^`]*`|\$\$.*?\$\$", flags=re.MULTILINE | re.DOTALL
)


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


def faults(sources):
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

    assert faults(texts) == []


def test_an_injected_fault_is_found():
    head = '"""Layers.\n\n    (L1)  y = W x\n"""\n'
    layer = {"kan_ref/network/layer.py": head + "x = 1  # (L1)\n"}

    assert faults(layer | {"docs/faq.md": "By (L1), see (2.5); `(Z9)` is code.\n"}) == []
    assert len(faults(layer | {"kan_ref/network/other.py": head})) == 1
    assert len(faults(layer | {"kan_ref/pde/jets.py": head.replace("L1", "L2")})) == 1
    assert len(faults(layer | {"kan_ref/pde/jets.py": "# by (L9)\n"})) == 1
    assert len(faults(layer | {"docs/faq.md": "By (L9).\n"})) == 1


TAGGED = tree.tagged_lines()
SHOWN, LABELLED = tree.places(tree.SHOWN), tree.places(tree.LABELLED)


def test_every_tag_and_its_formula_are_on_one_page_a_tutorial_or_that_of_the_implementation():
    assert {tag: SHOWN.get(tag, []) for tag in TAGGED if len(SHOWN.get(tag, [])) != 1} == {}
    assert set(SHOWN) == set(TAGGED)
    assert {tag: LABELLED.get(tag) for tag in TAGGED if LABELLED.get(tag) != SHOWN[tag]} == {}
    pages = {page for pages in SHOWN.values() for page in pages}
    assert {page for page in pages if not re.match(r"tutorials/\d", page)} == {
        "docs/more_equations"
    }


def test_every_equation_of_the_paper_that_is_carried_out_is_derived_in_a_tutorial():
    pages_of = {}
    for tag, entry in tree.registry().items():
        for number in filter(None, map(str.strip, entry.get("paper", "").split(","))):
            pages_of.setdefault(number, []).extend(SHOWN.get(tag, []))

    assert len(pages_of) > 12
    assert [n for n, pages in pages_of.items() if not any("tutorials/" in p for p in pages)] == []
