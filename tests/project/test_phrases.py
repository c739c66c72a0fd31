"""The prose of the project uses the field's terms: no phrase of phrases.toml is in the documents, docstrings, comments or messages.

Read are README.md, NOTATION.md, CONTRIBUTING.md, CHANGELOG.md, docs/**/*.md, the tutorials with their solutions, and the docstrings, comments and messages of kan_ref and of the site's own code.
Not read: code in Markdown (blocks and backticks), formulas, targets of links, identifiers; docs/report_cards.md, which is printed from records and from
strings of kan_ref/conformance that are read there; figures/results/claims.md, which is not yet revised.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from cases import for_all
from checkout import ROOT

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
