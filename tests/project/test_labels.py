"""Labels of formulas such as (B1) have one meaning: each is defined once, at the head of a module, and its letter is its package's.

A definition is a line of a module's docstring that begins with four blanks and the label. Read are the docstrings and comments of kan_ref and of the tests,
and the pages of docs. A test may define labels of its own in its module's docstring. Tutorials label their equations by themselves. Every tag of the package
is derived on exactly one page, with its code under it.
"""

import ast
import re
from collections import defaultdict
from functools import cache

import tree
from cases import for_all
from checkout import ROOT
from test_phrases import CODE_IN_MARKDOWN, comments, without

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
LABEL_AFTER_HASH = re.compile(rf"#.*{LABEL.pattern}")


def part_of(file):
    """Package, or root module, of a file of kan_ref; "tests"; "docs" for pages."""
    parts = file.split("/")
    if file.endswith(".md"):
        return "docs"
    return parts[1].removesuffix(".py") if parts[0] == "kan_ref" else parts[0]


@cache
def defined_in(source):
    """[(line, label)] that the docstring of a module defines."""
    if not DEFINITION.search(source):
        return []
    tree = ast.parse(source)
    first = next(iter(tree.body), None)
    if ast.get_docstring(tree) is None:
        return []
    return [
        (first.lineno + first.value.value.count("\n", 0, match.start()), match[1])
        for match in DEFINITION.finditer(first.value.value)
    ]


def cited_in(name, source):
    """[(line, label)] in the docstrings and comments of a module, or in the text of a page; definitions are among them."""
    if name.endswith(".md"):
        texts = [(1, without(CODE_IN_MARKDOWN, source))]
    else:
        if not LABEL.search(source):
            return []
        texts = docstrings(ast.parse(source))
        if LABEL_AFTER_HASH.search(
            source
        ):  # else no comment has one, and to read all tokens is slow
            texts += comments(source)
    return sorted(
        (line + text.count("\n", 0, match.start()), match[1])
        for line, text in texts
        for match in LABEL.finditer(text)
    )


def docstrings(tree):
    """(line, text) of every string that is a statement by itself."""
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [
        (value.lineno, value.value)
        for value in statements
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]


def definitions(sources):
    """Label -> ["file:line", ...] where kan_ref defines it; `sources` maps files to their texts."""
    found = defaultdict(list)
    for file, source in sources.items():
        if file.startswith("kan_ref/"):
            for line, label in defined_in(source):
                found[label].append(f"{file}:{line}")
    return found


def faults(sources):
    """Part -> what is wrong with its labels, one line each."""
    defined, found = definitions(sources), defaultdict(list)
    for file, source in sources.items():
        part, own = part_of(file), set()
        if file.endswith(".py"):
            for line, label in defined_in(source):
                if not file.startswith("kan_ref/"):
                    own.add(label)
                    continue
                letter = LETTERS.get(part)
                if label[0] != letter:
                    rule = (
                        f"labels of {part} have the letter {letter}"
                        if letter
                        else f"{part} has no labels"
                    )
                    found[part].append(f"{file}:{line}: ({label}) is defined here, but {rule}")
                if len(defined[label]) > 1:
                    found[part].append(
                        f"{file}:{line}: ({label}) is defined in {', '.join(defined[label])}: a label has one definition"
                    )
        for line, label in cited_in(file, source):
            if label not in defined and label not in own:
                found[part].append(f"{file}:{line}: ({label}) is defined at the head of no module")
    return found


def sources_of_the_project():
    paths = [
        *(ROOT / "kan_ref").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "README.md",
        ROOT / "NOTATION.md",
        ROOT / "CONTRIBUTING.md",
    ]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(paths)
    }


def test_labels_are_defined_once_have_their_packages_letter_and_lead_to_a_definition():
    found = [line for lines in faults(sources_of_the_project()).values() for line in lines]

    assert not found, f"{len(found)} faults\n" + "\n".join(found)


def test_every_package_has_a_letter_of_its_own():
    packages = {path.parent.name for path in (ROOT / "kan_ref").glob("*/__init__.py")}

    assert set(LETTERS) == packages - {
        "plain",  # the package to read first cites the paper's numbers
        "checks",  # no formulas
        "sklearn",  # nor here
    }
    assert len(set(LETTERS.values())) == len(LETTERS)


# --- the checker can fail

HEAD = '"""Layers.\n\n    (L1)  y = W x\n    (L2)  dx = dy W\n"""\n'


def test_labels_with_one_definition_pass_and_may_be_cited_anywhere():
    sources = {
        "kan_ref/network/layer.py": HEAD + "x = 1  # (L1)\n",
        "kan_ref/pde/jets.py": '"""Jets, (L1) and (L2)."""\n',
        "docs/faq.md": "By (L1)-(L2), see (2.5); `(Z9)` is code.\n",
        "tests/test_own.py": '"""Own.\n\n    (X1)  z = 1\n"""\n# (X1)\nf(X2)\n',
    }

    assert faults(sources) == {}


@for_all(
    ("file", "source", "message"),
    [
        (
            "kan_ref/network/other.py",
            '"""Other.\n\n    (L1)  z\n"""\n',
            "other.py:3: (L1) is defined in kan_ref/network/layer.py:3, kan_ref/network/other.py:3",
        ),
        (
            "kan_ref/pde/jets.py",
            '"""Jets.\n\n    (L3)  z\n"""\n',
            "jets.py:3: (L3) is defined here, but labels of pde have the letter J",
        ),
        (
            "kan_ref/checks.py",
            '"""Checks.\n\n    (K1)  z\n"""\n',
            "checks.py:3: (K1) is defined here, but checks has no labels",
        ),
        ("kan_ref/plain/network.py", '"""Plain.\n\n    (L3)  z\n"""\n', "but plain has no labels"),
        (
            "kan_ref/network/other.py",
            'def f():\n    """Return y.\n\n    By (L9).\n    """\n',
            "other.py:4: (L9) is defined at the head of no module",
        ),
        ("kan_ref/network/other.py", "x = 1\n# by (L9)\n", "other.py:2: (L9) is defined"),
        (
            "tests/network/test_a.py",
            '"""By (L9)."""\n',
            "test_a.py:1: (L9) is defined at the head of no module",
        ),
        (
            "docs/faq.md",
            "First.\n\nBy (L9).\n",
            "docs/faq.md:3: (L9) is defined at the head of no module",
        ),
    ],
)
def test_an_injected_fault_is_found(file, source, message):
    found = faults({"kan_ref/network/layer.py": HEAD, file: source})

    assert message in "\n".join(found[part_of(file)])


def test_a_line_in_the_docstring_of_a_function_defines_nothing():
    source = '"""Layers."""\n\n\ndef f():\n    """Return y.\n\n    (L1)  y\n    """\n'

    assert defined_in(source) == []
    assert cited_in("a.py", source) == [(7, "L1")]


TAGGED = tree.tagged_lines()
SHOWN, LABELLED = tree.places(tree.SHOWN), tree.places(tree.LABELLED)


def test_every_tag_is_shown_on_exactly_one_page_a_tutorial_or_the_page_of_the_implementation():
    assert {tag: SHOWN.get(tag, []) for tag in TAGGED if len(SHOWN.get(tag, [])) != 1} == {}
    assert set(SHOWN) == set(TAGGED)
    assert {
        page for pages in SHOWN.values() for page in pages if not page.startswith("tutorials/")
    } == {"docs/more_equations"}
    assert [page for pages in SHOWN.values() for page in pages if "/solutions/" in page] == []


def test_every_tag_labels_its_formula_on_the_page_that_shows_its_code():
    assert {
        tag: (LABELLED.get(tag), SHOWN.get(tag))
        for tag in TAGGED
        if LABELLED.get(tag) != SHOWN.get(tag)
    } == {}


def test_every_equation_of_the_paper_that_is_carried_out_is_derived_in_a_tutorial():
    pages_of = {}
    for tag, entry in tree.registry().items():
        for number in entry.get("paper", "").split(","):
            pages_of.setdefault(number.strip(), []).extend(SHOWN.get(tag, []))

    assert len(pages_of) > 12
    assert [
        number
        for number, pages in pages_of.items()
        if number and not any(page.startswith("tutorials/") for page in pages)
    ] == []
