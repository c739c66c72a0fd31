"""The wording of the project: labels of formulas such as (B1) have one meaning, and no phrase of phrases.toml is in the prose.

Labels. Each is defined once, at the head of a module, and its letter is its package's. A definition is a line of a module's docstring that begins with four
blanks and the label. Read are the docstrings and comments of kan_ref and of the tests, and the pages of docs. A test may define labels of its own in its
module's docstring. Tutorials label their equations by themselves. Every tag of the package is derived on exactly one page, with its code under it.

Phrases. Read are README.md, NOTATION.md, CONTRIBUTING.md, CHANGELOG.md, docs/**/*.md, the tutorials with their solutions, and the docstrings, comments and messages of kan_ref and of the site's own code.
Not read: code in Markdown (blocks and backticks), formulas, targets of links, identifiers; docs/report_cards.md, which is printed from records and from
strings of kan_ref/conformance that are read there; figures/results/claims.md, which is not yet revised.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
import tree
from cases import for_all
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


# --- phrases


PHRASES = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))[
    "phrase"
]
PATTERNS = [
    (re.compile(phrase["find"].replace(" ", r"\s+"), flags=re.IGNORECASE), phrase["write"])
    for phrase in PHRASES
]
DOCUMENTS = sorted(
    [ROOT / name for name in ("README.md", "NOTATION.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    + [path for path in (ROOT / "docs").rglob("*.md") if path.name != "report_cards.md"]
    + [*(ROOT / "tutorials").rglob("[01][0-9]_*.md")]
)
CODE_IN_TEXT = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", flags=re.DOTALL)
CODE_IN_MARKDOWN = (
    re.compile(r"\A---\n.*?^---$", flags=re.MULTILINE | re.DOTALL),
    re.compile(
        r"^ *(`{3,}|~{3,})(?!\{toctree|\{pages-of).*?^ *\1 *$", flags=re.MULTILINE | re.DOTALL
    ),
    re.compile(r"^ *\$\$.*?\$\$( \([\w-]+\)$)?", flags=re.MULTILINE | re.DOTALL),
    re.compile(r"^:{3,}\{eqcode\} \S+$", flags=re.MULTILINE),
    CODE_IN_TEXT,
    re.compile(r"\$[^$\n]+\$"),
    re.compile(r"<!--.*?-->", flags=re.DOTALL),
    re.compile(r"\]\([^)\n]*\)"),
    re.compile(r"https?://\S+"),
    re.compile(r"^\([\w-]+\)=$", flags=re.MULTILINE),
    re.compile(r"^:{3,}\{explorer\}.*$", flags=re.MULTILINE),  # an address
)
TAG = re.compile(r"\[/?eq:[\w-]+\]")
CODE_IN_STRINGS = (
    CODE_IN_TEXT,
    TAG,
    re.compile(r"^ *(>>>|\.\.\. ).*$", flags=re.MULTILINE),
    re.compile(r"^ *\w+(, \w+)* : .*$", flags=re.MULTILINE),  # a parameter and its type
)
CODE_IN_COMMENTS = (CODE_IN_TEXT, TAG)
TEXT_OF_A_PROGRAM = re.compile(r"\w\(.*[;{]$|^ *\}", flags=re.MULTILINE)  # lines of C


def without(patterns, text):
    """The text with everything that a pattern matches replaced by blanks, line by line."""
    for pattern in patterns:
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return text


def prose_of_markdown(source):
    """[(first line, text)] of a Markdown document."""
    return [(1, without(CODE_IN_MARKDOWN, source))]


def prose_of_python(source):
    """[(first line, text)] of the docstrings, messages and blocks of comments of a module; a string without a blank is no message."""
    found = [
        (line, without(CODE_IN_STRINGS, text))
        for line, text in strings(ast.parse(source))
        if re.search(r"\w\s+\w", text) and not TEXT_OF_A_PROGRAM.search(text)
    ]
    return found + [(line, without(CODE_IN_COMMENTS, text)) for line, text in comments(source)]


def strings(tree):
    """(line, value) of every string; of an f-string its constant parts together, with 0 for each value."""
    inside = set()
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node)}
            parts = (
                str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values
            )
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def comments(source):
    """(first line, text) of every block of comments on neighbouring lines."""
    blocks = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, text = token.start[0], token.string.lstrip("#")
            if blocks and line == blocks[-1][0] + blocks[-1][1].count("\n") + 1:
                blocks[-1] = (blocks[-1][0], f"{blocks[-1][1]}\n{text}")
            else:
                blocks.append((line, text))
    return blocks


def findings(name, source):
    """One line for each phrase that is found: file:line, the phrase, what to write instead; in the order of the lines."""
    prose = prose_of_markdown if name.endswith(".md") else prose_of_python
    found = [
        (first + text.count("\n", 0, match.start()), " ".join(match[0].split()), remedy)
        for first, text in prose(source)
        for pattern, remedy in PATTERNS
        for match in pattern.finditer(text)
    ]
    return [f'{name}:{line}: "{phrase}", write: {remedy}' for line, phrase, remedy in sorted(found)]


def findings_in(paths):
    return [
        line
        for path in paths
        for line in findings(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]


def parts_of_the_code():
    """Package or root module of kan_ref -> its files; and the code of the site."""
    parts = defaultdict(list)
    for path in sorted((ROOT / "kan_ref").rglob("*.py")):
        parts[path.relative_to(ROOT / "kan_ref").parts[0].removesuffix(".py")].append(path)
    parts["site"] = sorted([*(ROOT / "docs" / "_ext").glob("*.py"), *(ROOT / "docs").glob("*.py")])
    return parts


PARTS = parts_of_the_code()


@for_all("path", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS])
def test_a_document_has_no_phrase_of_the_list(path):
    found = findings_in([path])

    assert not found, f"{len(found)} phrases\n" + "\n".join(found)


@pytest.mark.parametrize("part", PARTS)
def test_docstrings_comments_and_messages_have_no_phrase_of_the_list(part):
    found = findings_in(PARTS[part])

    assert not found, f"{len(found)} phrases\n" + "\n".join(found)


# --- the list and its reader can fail


def test_the_list_is_long_and_every_phrase_has_a_remedy():
    assert len(PHRASES) > 40
    assert all(phrase["write"] for phrase in PHRASES)
    assert all(set(phrase) <= {"find", "write", "example", "but"} for phrase in PHRASES)


@for_all("phrase", PHRASES, ids=[phrase["example"] for phrase in PHRASES])
def test_a_phrase_is_found_in_its_example_and_not_in_what_it_must_let_through(phrase):
    pattern = re.compile(phrase["find"].replace(" ", r"\s+"), flags=re.IGNORECASE)

    assert pattern.search(phrase["example"])
    for allowed in phrase.get("but", []):
        assert not pattern.search(without(CODE_IN_MARKDOWN, allowed)), allowed


PLACES = {
    "text": ("a.md", "# Title\n\nOne knot row.\n", 3),
    "heading": ("a.md", "# The knot row\n", 1),
    "table": ("a.md", "| a | b |\n|---|---|\n| 1 | knot row |\n", 3),
    "list": ("a.md", "- one\n- **knot row**\n", 2),
    "text of a link": ("a.md", "See [the knot row](knots.md).\n", 1),
    "box": ("a.md", ":::{note}\nA knot row.\n:::\n", 2),
    "over a line break": ("a.md", "One knot\nrow.\n", 1),
    "after code": ("a.md", "```python\nx = 1\n```\n\nA `knot` knot row.\n", 5),
    "module docstring": ("a.py", '"""Knots.\n\nA knot row.\n"""\n', 3),
    "docstring of a function": ("a.py", 'def f():\n    """Return a knot row."""\n', 2),
    "docstring of a method": (
        "a.py",
        'class A:\n    """A."""\n\n    def f(self):\n        """F.\n\n        A knot row.\n        """\n',
        7,
    ),
    "comment": ("a.py", "x = 1  # the knot row\n", 1),
    "comment over two lines": ("a.py", "x = 1\n# one knot\n# row\n", 2),
    "message": ("a.py", 'def f(x):\n    raise ValueError("no knot row")\n', 2),
    "message with values": (
        "a.py",
        'def f(x):\n    raise ValueError(f"{x} is not a knot row {x}")\n',
        2,
    ),
    "message in pieces": ("a.py", 'def f(x):\n    raise ValueError("no knot "\n    "row")\n', 2),
    "string of a table": ("a.py", 'NOTES = {"A": "the knot row"}\n', 1),
}


@for_all(("name", "source", "line"), PLACES.values(), ids=PLACES)
def test_a_phrase_is_found_with_file_line_and_remedy(name, source, line):
    assert findings(name, source) == [f'{name}:{line}: "knot row", write: knot vector']


@for_all(
    ("name", "source"),
    [
        ("a.md", "```python\nknot row\n```\n"),
        ("a.md", "````text\n```\nknot row\n```\n````\n"),
        ("a.md", "Write `knot row` here and ``a knot row`` there.\n"),
        ("a.md", "[knots](knot row)\n"),
        ("a.md", "---\ntitle: knot row\n---\n"),
        ("a.md", "$$\n\\text{knot row}\n$$ (live-bases)\n"),
        ("a.md", ":::{eqcode} live-bases\n:::\n"),
        ("a.md", "The $knot row$.\n"),
        ("a.md", "<!-- knot row -->\n"),
        ("a.py", "knot_row = live = floor = 1\n"),
        ("a.py", "def fade(knot_row):\n    return knot_row.alive\n"),
        ("a.py", 'def f():\n    """Return `knot row`."""\n'),
        ("a.py", 'def f():\n    """Return.\n\n    >>> knot row\n    """\n'),
        ("a.py", 'x = numpy.einsum("bases", y["live"])\n'),
        ("a.py", "x = np.floor(y)  # `np.floor`, not `floor door`\n"),
        ("a.py", "# [eq:live-bases]\nx = 1\n# [/eq:live-bases]\n"),
        ("a.py", 'def f():\n    """Return.\n\n    slopes, gauge : array of doors\n    """\n'),
        ("a.py", 'C = "for (m = 0; m < 4; m++) {\\n    live[m] = floor;\\n}\\n"\n'),
    ],
)
def test_code_formulas_and_identifiers_are_let_through(name, source):
    assert findings(name, source) == []


def test_every_package_and_the_site_are_read():
    assert {"bspline", "network", "conformance", "checks", "site"} <= PARTS.keys()
    assert len(DOCUMENTS) > 25
    assert all(len(prose_of_python(path.read_text(encoding="utf-8"))) for path in PARTS["network"])
