"""The project stays within the numbers of size.toml; CONTRIBUTING.md says how one is raised."""

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


@functools.cache
def code_lines(text):
    """Number of lines of Python that are not empty, not a comment and not in a docstring."""
    lines, before = set(), NEWLINE
    for token in generate_tokens(iter(text.splitlines(keepends=True)).__next__):
        is_docstring = token.type == STRING and before in BLANK  # a statement by itself
        if token.type not in BLANK and not is_docstring:
            lines.update(range(token.start[0], token.end[0] + 1))
        before = token.type if token.type not in (COMMENT, NL) else before
    return len(lines)


def texts(*patterns):
    """Path from the root -> text of the files that match."""
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}


def measured():
    """Return the tables of size.toml as they are now; outside of a git checkout 0 files are listed."""
    lines, characters, modules = Counter(), Counter(), texts("kan_ref/**/*.py")
    for path, text in modules.items():
        for part in ("kan_ref", f"kan_ref/{path.parts[1]}"):
            lines[part] += code_lines(text)
            characters[part] += len(text)
    for folder in ("tests", "figures", "benchmarks", "docs"):
        lines[folder] = sum(map(code_lines, texts(f"{folder}/**/*.py").values()))
    lines["docs, JavaScript"] = sum(text.count("\n") for text in texts("docs/**/*.js").values())
    public = [thing for name in kr.__all__ if callable(thing := getattr(kr, name))]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=False)
    most = {"code lines of a module": max(map(code_lines, modules.values()))}
    most["words of pages"] = sum(len(text.split()) for text in texts(*PAGES).values())
    most["files"], most["public names"] = listed.stdout.count(b"\n"), len(kr.__all__)
    most["parameters"] = max(len(inspect.signature(thing).parameters) for thing in public)
    most["lines of a docstring"] = max(inspect.getdoc(thing).count("\n") + 1 for thing in public)
    return {"code lines": lines, "characters": characters, "most": most}


def test_nothing_is_larger_than_size_toml_allows():
    allowed = tomllib.loads((ROOT / "size.toml").read_text(encoding="utf-8"))
    for table, found in measured().items():
        larger = {name: n for name, n in found.items() if n > allowed[table].get(name, 0)}
        assert (larger, allowed[table].keys() - found.keys()) == ({}, set())
