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

import kan_ref
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


def tagged_lines(root: Path = ROOT) -> dict[str, Lines]:
    """Return tag -> its lines, over all modules of the package.

    Raises
    ------
    ValueError
        "kan_ref/network/layer.py: [eq:silu] is not closed"
    """
    found = {}
    for path in sorted((root / "kan_ref").rglob("*.py")):
        file, lines = (
            path.relative_to(root).as_posix(),
            path.read_text(encoding="utf-8").splitlines(),
        )
        for n, line in enumerate(lines):
            if opened := re.search(r"# \[eq:([a-z0-9-]+)\]", line):
                tag = opened[1]
                ends = [m for m in range(n, len(lines)) if f"# [/eq:{tag}]" in lines[m]]
                if not ends:
                    raise ValueError(f"{file}: [eq:{tag}] is not closed")
                found[tag] = Lines(file, n + 2, ends[0], "\n".join(lines[n + 1 : ends[0]]))
    return found


def whole_definitions(lines: Lines, names: list[str], root: Path = ROOT) -> str:
    """Return the text of top-level functions, classes and assigned names of the file of `lines`, in the given order, without docstrings and the comments that are tags.

    Raises
    ------
    ValueError
        "kan_ref/plain.py defines no forwards"
    """
    text = (root / lines.file).read_text(encoding="utf-8").splitlines()
    parts = []
    for nodes in _named_definitions(lines, names, root).values():
        part = []
        for node in nodes:
            left_out = set()
            if isinstance(node, _DOCUMENTED) and ast.get_docstring(node):
                said = node.body[0]
                after = node.body[1].lineno if isinstance(node, ast.ClassDef) else said.lineno + 1
                left_out = set(range(said.lineno, max(after, (said.end_lineno or said.lineno) + 1)))
            part += [
                text[n - 1]
                for n in range(node.lineno, (node.end_lineno or node.lineno) + 1)
                if n not in left_out and not re.match(r" *# \[/?eq:", text[n - 1])
            ]
        parts.append("\n".join(part))
    return "\n\n\n".join(parts)


def summaries(lines: Lines, names: list[str], root: Path = ROOT) -> dict[str, str]:
    """Return name -> first paragraph of the docstring, of those of the names that are functions and classes."""
    nodes = _named_definitions(lines, names, root)
    return {
        name: (ast.get_docstring(node) or "").partition("\n\n")[0]
        for name, (node, *_) in nodes.items()
        if isinstance(node, _DOCUMENTED)
    }


def _named_definitions(lines: Lines, names: list[str], root: Path) -> dict[str, list[ast.stmt]]:
    """Return name -> the top-level statements of the file of `lines` that define it: a function or class, or all assignments to it."""
    found: dict[str, list[ast.stmt]] = defaultdict(list)
    for node in ast.parse((root / lines.file).read_text(encoding="utf-8")).body:
        if isinstance(node, _DOCUMENTED):
            found[node.name].append(node)
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id].append(node)
    for name in names:
        if name not in found:
            raise ValueError(f"{lines.file} defines no {name}")
    return {name: found[name] for name in names}


def pages(root: Path = ROOT) -> dict[str, str]:
    """Return name without suffix -> text, for the tutorials, their solutions and the pages of docs, tutorials first."""
    paths = [*sorted((root / "tutorials").rglob("*.md")), *sorted((root / "docs").glob("*.md"))]
    return {
        path.relative_to(root).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in paths
    }


def places(pattern: re.Pattern[str], root: Path = ROOT) -> dict[str, list[str]]:
    """Return each match of the pattern's group -> the pages that contain it, one entry for each occurrence."""
    found = defaultdict(list)
    for page, text in pages(root).items():
        for name in pattern.findall(text):
            found[name].append(page)
    return dict(found)


def formulas(root: Path = ROOT) -> dict[str, Formula]:
    """Return label -> its formula, over all pages in order."""
    found = {}
    for page, text in pages(root).items():
        heading = ""
        for match in FORMULA.finditer(text):
            heading = match["heading"] or heading
            if match["label"]:
                found[match["label"]] = Formula(page, heading, match["formula"])
    return found


def boxes(root: Path = ROOT) -> list[Box]:
    """Return the boxes "Paper says / we do" of all pages in order."""
    return [
        Box(page, box["label"], box["title"], box["text"])
        for page, text in pages(root).items()
        for box in BOX.finditer(text)
    ]


def registry(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return tag -> {"paper": its number in the paper, if it has one; "tests": the tests that run its lines}, from docs/equations.toml."""
    return tomllib.loads((root / "docs" / "equations.toml").read_text(encoding="utf-8"))


def modules_of(package: str, root: Path = ROOT) -> list[str]:
    """Return the modules of a package, such as "network.layer", in alphabetical order; for a root module its own name."""
    folder = root / "kan_ref" / package
    return (
        [
            f"{package}.{path.stem}"
            for path in sorted(folder.glob("*.py"))
            if path.stem != "__init__"
        ]
        if folder.is_dir()
        else [package]
    )


def homes(root: Path = ROOT) -> dict[str, str]:
    """Return public name -> the module that defines it, such as "network.layer"."""
    found: dict[str, str] = {}
    for package, names in vars(kan_ref)["_PUBLIC"].items():
        file = root / "kan_ref" / package / "__init__.py"
        handed: dict[str, str] = {}
        if file.exists():
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ImportFrom):
                    handed |= {
                        alias.name: str(node.module).removeprefix("kan_ref.")
                        for alias in node.names
                    }
        found |= {name: handed.get(name, package) for name in names.split()}
    return found


def definitions(module: str, root: Path = ROOT) -> dict[str, str]:
    """Return function or class of a module -> the first paragraph of its docstring in one line."""
    path = root / "kan_ref" / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        node.name: " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
        for node in nodes
        if isinstance(node, _DOCUMENTED)
    }


def comments(module: str, root: Path = ROOT) -> dict[str, str]:
    """Return variable of a module -> the comment `#:` above it."""
    path = root / "kan_ref" / f"{module.replace('.', '/')}.py"
    found = re.findall(r"^#: (.+)\n(\w+)\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: comment for comment, name in found}


def figures() -> dict[str, tuple[str, str]]:
    """Return name of a figure as in the claims -> (its module such as "splines.fig_u_shape", or a value in a module, its title), in the paper's order."""
    found = {place: load_figure(f"figures.{place}") for place in MODULES}
    return {figure.NAME: (place, figure.TITLE) for place, figure in found.items()}


def figure_file(place: str, root: Path = ROOT) -> str:
    """Return the file of a figure: of the module of this name, or of the module that has the value."""
    home, _, _ = place.rpartition(".")
    own, other = (f"figures/{name.replace('.', '/')}.py" for name in (place, home))
    return own if (root / own).exists() else other


def claims(root: Path = ROOT) -> tuple[dict[str, list[list[str]]], dict[str, str]]:
    """Return from figures/results/claims.md (figure -> its rows of claim, paper, ours, agrees?, evidence; figure -> the line on its records)."""
    rows, records = defaultdict(list), {}
    table, _, below = (
        (root / "figures" / "results" / "claims.md")
        .read_text(encoding="utf-8")
        .partition("## Records")
    )
    for line in table.splitlines():
        if line.startswith("| ") and not line.startswith(("| figure |", "| ---")):
            figure, *cells = [
                cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]
            ]
            rows[figure].append(cells)
    for line in below.splitlines():
        if match := re.match(r"- ([^:]+): (.+)", line):
            records[match[1]] = match[2]
    return dict(rows), records


def captions(root: Path = ROOT) -> dict[str, str]:
    """Return name of a figure -> what to see in its picture, from docs/gallery_captions.toml."""
    return tomllib.loads((root / "docs" / "gallery_captions.toml").read_text(encoding="utf-8"))
