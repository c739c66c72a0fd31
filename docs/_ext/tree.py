"""Read the content of the generated pages from the checkout: tagged lines, the pages that show them, boxes, packages, figures, claims.

A tag is a pair of comments, `# [eq:name]` and `# [/eq:name]`; the lines between them compute the formula of that name.
"""

import ast
import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.machine.catalog import MODULES
from figures.machine.machine import load_figure

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"^[:`]{3,} ?\{eqcode\} +(\S+)", flags=re.MULTILINE)
LABELLED = re.compile(r"^ *\$\$ *\(([^)\s]+)\) *$", flags=re.MULTILINE)
FORMULA = re.compile(
    r"^## (?P<heading>[^\n]+)$|^```.*?^```$|^\$\$ *\n(?P<formula>(?:(?!^\$\$).)*?)\n\$\$ *\((?P<label>[^)\s]+)\) *$|^\$\$ *\n.*?^\$\$[^\n]*$",
    flags=re.MULTILINE | re.DOTALL,
)
BOX = re.compile(
    r"^\((?P<label>[\w-]+)\)=\n+(?P<fence>:{3,})\{admonition\} *(?P<title>[^\n]+)\n:class: *deviation *\n(?P<text>.*?)\n(?P=fence) *$",
    flags=re.MULTILINE | re.DOTALL,
)
_DOCUMENTED = (ast.FunctionDef, ast.ClassDef)  # the definitions with a docstring


@dataclass(frozen=True)
class Lines:
    """The lines first to last of a file, counted from 1, without the tags around them; `file` is relative to the checkout."""

    file: str
    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Box:
    """A box of a tutorial on a deviation from the paper."""

    page: str
    label: str
    title: str
    text: str


@dataclass(frozen=True)
class Formula:
    """A labelled formula: the page and the heading under which it is, and its LaTeX."""

    page: str
    heading: str
    latex: str


def text_of(file: str) -> str:
    """Return the text of a file of the checkout."""
    return (ROOT / file).read_text(encoding="utf-8")


def tagged_lines(root: Path = ROOT) -> dict[str, Lines]:
    """Return tag -> its lines, over all modules of the package.

    Raises
    ------
    ValueError
        "kan_ref/network/layer.py: [eq:silu] is not closed"
    """
    found = {}
    for path in sorted((root / "kan_ref").rglob("*.py")):
        file = path.relative_to(root).as_posix()
        lines = path.read_text(encoding="utf-8").splitlines()
        for n, line in enumerate(lines):
            if opened := re.search(r"# \[eq:([a-z0-9-]+)\]", line):
                tag = opened[1]
                ends = [m for m in range(n, len(lines)) if f"# [/eq:{tag}]" in lines[m]]
                if not ends:
                    raise ValueError(f"{file}: [eq:{tag}] is not closed")
                found[tag] = Lines(file, n + 2, ends[0], "\n".join(lines[n + 1 : ends[0]]))
    return found


def whole_definitions(lines: Lines, names: list[str]) -> str:
    """Return the text of top-level functions, classes and assigned names of the file of `lines`, in the given order, without docstrings and tags.

    Raises
    ------
    ValueError
        "kan_ref/plain.py defines no forwards"
    """
    text, parts = text_of(lines.file).splitlines(), []
    for nodes in _definitions(lines.file, names).values():
        kept = []
        for node in nodes:
            left_out = range(0)
            if isinstance(node, _DOCUMENTED) and ast.get_docstring(node):
                end = node.body[0].end_lineno or 0
                left_out = range(node.body[0].lineno, end + 1 + (text[end] == ""))
            numbers = set(range(node.lineno, (node.end_lineno or 0) + 1)) - set(left_out)
            kept += [text[n - 1] for n in sorted(numbers) if "# [" not in text[n - 1]]
        parts.append("\n".join(kept))
    return "\n\n\n".join(parts)


def summaries(lines: Lines, names: list[str]) -> dict[str, str]:
    """Return name -> first paragraph of the docstring, of those of the names that are functions and classes."""
    return {
        name: (ast.get_docstring(node) or "").partition("\n\n")[0]
        for name, (node, *_) in _definitions(lines.file, names).items()
        if isinstance(node, _DOCUMENTED)
    }


def _definitions(file: str, names: list[str]) -> dict[str, list[ast.stmt]]:
    """Return name -> the top-level statements of a file that define it: a function or class, or all assignments to it."""
    found: dict[str, list[ast.stmt]] = {name: [] for name in names}
    for node in ast.parse(text_of(file)).body:
        for name in names:
            own = node.name == name if isinstance(node, _DOCUMENTED) else False
            if isinstance(node, (ast.Assign, ast.AugAssign)):
                target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
                own = ast.unparse(target) == name
            found[name] += [node] * own
    if missing := [name for name in names if not found[name]]:
        raise ValueError(f"{file} defines no {missing[0]}")
    return found


def pages() -> dict[str, str]:
    """Return name without suffix -> text, for the tutorials, their solutions and the pages of docs, tutorials first."""
    paths = [*sorted((ROOT / "tutorials").rglob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in paths]
    return {name: text_of(f"{name}.md") for name in names}


def places(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """Return each match of the pattern's group -> the pages that contain it, one entry for each occurrence."""
    found = defaultdict(list)
    for page, text in pages().items():
        for name in pattern.findall(text):
            found[name].append(page)
    return dict(found)


def formulas() -> dict[str, Formula]:
    """Return label -> its formula, over all pages in order."""
    found = {}
    for page, text in pages().items():
        heading = ""
        for match in FORMULA.finditer(text):
            heading = match["heading"] or heading
            if match["label"]:
                found[match["label"]] = Formula(page, heading, match["formula"])
    return found


def boxes() -> list[Box]:
    """Return the boxes "Paper says / we do" of all pages in order."""
    return [
        Box(page, box["label"], box["title"], box["text"])
        for page, text in pages().items()
        for box in BOX.finditer(text)
    ]


def registry() -> dict[str, dict[str, Any]]:
    """Return tag -> {"paper": its number in the paper, if it has one; "tests": the tests that run its lines}, from docs/equations.toml."""
    return tomllib.loads(text_of("docs/equations.toml"))


def figures() -> dict[str, tuple[str, str]]:
    """Return name of a figure as in the claims -> (its module such as "splines.fig_u_shape", or a value in a module, its title), in the paper's order."""
    found = {place: load_figure(f"figures.{place}") for place in MODULES}
    return {figure.NAME: (place, figure.TITLE) for place, figure in found.items()}


def figure_file(place: str) -> str:
    """Return the file of a figure: of the module of this name, or of the module that has the value."""
    own, other = (f"figures/{name.replace('.', '/')}.py" for name in (place, place.rpartition(".")[0]))
    return own if (ROOT / own).exists() else other


def claims() -> tuple[dict[str, list[list[str]]], dict[str, str]]:
    """Return from figures/results/claims.md (figure -> its rows of claim, paper, ours, agrees?, evidence; figure -> the line on its records)."""
    table, _, below = text_of("figures/results/claims.md").partition("## Records")
    rows = defaultdict(list)
    for line in re.findall(r"^\| (?!figure \||---)(.+) \|$", table, flags=re.MULTILINE):
        figure, *cells = (cell.replace("\\|", "|") for cell in re.split(r"(?<!\\) ?\| ?", line))
        rows[figure].append(cells)
    return dict(rows), dict(re.findall(r"^- ([^:]+): (.+)$", below, flags=re.MULTILINE))


def captions() -> dict[str, str]:
    """Return name of a figure -> what to see in its picture, from docs/gallery_captions.toml."""
    return tomllib.loads(text_of("docs/gallery_captions.toml"))
