"""The project stays within the numbers of size.toml; CONTRIBUTING.md says how one is raised."""

import ast
import functools
import inspect
import subprocess
import tomllib
from collections import Counter
from tokenize import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL, STRING, generate_tokens

from checkout import ROOT

import kan_ref as kr

PAGES = ("README.md", "NOTATION.md", "CONTRIBUTING.md", "docs/*.md", "tutorials/**/*.md")
BLANK = (COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# what a student reads: laid out for reading, at most 88 columns wide
TEXTBOOK = {
    "plain",
    "checks",
    "bspline",
    "functions",
    "numerics",
    "optimizers",
    "network",
    "sparsity",
    "pde",
    "training",
    "baselines",
}


@functools.cache
def counted(text):
    """Tokens and lines of Python code: without comments, docstrings and layout."""
    lines, tokens, before = set(), 0, NEWLINE
    for token in generate_tokens(iter(text.splitlines(keepends=True)).__next__):
        is_docstring = token.type == STRING and before in BLANK  # a statement by itself
        if token.type not in BLANK and not is_docstring:
            tokens += 1
            lines.update(range(token.start[0], token.end[0] + 1))
        before = token.type if token.type not in (COMMENT, NL) else before
    return tokens, len(lines)


def code_lines(text):
    """Number of lines of code of a text."""
    return counted(text)[1]


def texts(*patterns):
    """Path from the root -> text of the files that match."""
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}


def part_of(path):
    """The package or module of kan_ref to which a file belongs."""
    return path.parts[1].removesuffix(".py")


def layout(sources):
    """What the density of some modules is, and how wide they are."""
    tokens, lines = (sum(numbers) for numbers in zip(*map(counted, sources), strict=True))
    kinds = [type(node) for source in sources for node in ast.walk(ast.parse(source))]
    by_thousand = 1000.0 / lines
    return {
        "tokens": tokens,
        "tokens a line": tokens / lines,
        "comprehensions in 1000 lines": by_thousand * sum(kind in COMPREHENSIONS for kind in kinds),
        "conditional expressions in 1000 lines": by_thousand * kinds.count(ast.IfExp),
        "columns": max(len(line) for source in sources for line in source.splitlines()),
    }


def measured():
    """Return the tables of size.toml as they are now; outside of a git checkout 0 files are listed."""
    lines, tokens, modules = Counter(), Counter(), texts("kan_ref/**/*.py")
    for path, text in modules.items():
        found, n_lines = counted(text)
        lines["kan_ref"] += n_lines
        tokens["kan_ref"] += found
        tokens[f"kan_ref/{path.parts[1]}"] += found
    for folder in ("tests", "figures", "benchmarks", "docs"):
        lines[folder] = sum(map(code_lines, texts(f"{folder}/**/*.py").values()))
    lines["docs, JavaScript"] = sum(text.count("\n") for text in texts("docs/**/*.js").values())
    public = [thing for name in kr.__all__ if callable(thing := getattr(kr, name))]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=False)
    most = {"code lines of a module": max(map(code_lines, modules.values()))}
    most["lines of a module"] = max(text.count("\n") for text in modules.values())
    most["lines of plain.py"] = (ROOT / "kan_ref/plain.py").read_text(encoding="utf-8").count("\n")
    most["words of pages"] = sum(len(text.split()) for text in texts(*PAGES).values())
    most["files"], most["public names"] = listed.stdout.count(b"\n"), len(kr.__all__)
    most["parameters"] = max(len(inspect.signature(thing).parameters) for thing in public)
    most["lines of a docstring"] = max(inspect.getdoc(thing).count("\n") + 1 for thing in public)
    core = [text for path, text in modules.items() if part_of(path) in TEXTBOOK]
    plain = [text for path, text in modules.items() if part_of(path) == "plain"]
    return {"code lines": lines, "tokens": tokens, "most": most, "textbook": layout(core), "plain": layout(plain)}


def test_nothing_is_larger_than_size_toml_allows():
    allowed = tomllib.loads((ROOT / "size.toml").read_text(encoding="utf-8"))
    for table, found in measured().items():
        larger = {name: n for name, n in found.items() if n > allowed[table].get(name, 0)}
        assert (larger, allowed[table].keys() - found.keys()) == ({}, set())


def test_the_layout_of_a_module_is_counted_as_a_reader_sees_it():
    """A docstring and a comment, which do not count, and a comprehension in a conditional expression on 3 lines."""
    source = '"""Words."""\n\n# why\nx = 1\ny = [\n    n for n in x] if x else (2,\n)\n'

    assert counted(source) == (19, 4)
    found = layout([source])
    assert found["comprehensions in 1000 lines"] == found["conditional expressions in 1000 lines"] == 250.0
    assert found["columns"] == 31
