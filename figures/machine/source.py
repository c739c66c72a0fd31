"""A hash of the code that a figure's results depend on, without comments and docstrings.

The import closure of a module is the module itself and all modules of its own top-level package, of
`figures` and of `kan_ref` that it imports, directly or through others, anywhere in its text
(imports for type checkers alone apart). An import through a package counts only the modules that
the imported names come from: `kr.fit` is the module that defines `fit`, not all of `kan_ref`. A
package that is used as a value, as in `getattr(kr, name)`, counts with all its modules.

Each module enters the hash as its syntax tree without string statements (docstrings), line numbers
and empty fields. Comments and formatting are not part of such a tree, and it is the same in every
Python that the project supports.
"""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

FOLLOWED = ("figures", "kan_ref")
PREFIX = "closure-"  # older records have 12 digits of a hash over all files of kan_ref, without it
_SILENT = ("ctx", "kind", "type_comment", "type_ignores")  # fields that say nothing about the code


@functools.cache
def source_hash(module: str) -> str:
    """Return the hash of a module's import closure, by the module's full name; it stays the same
    for the whole process.
    """
    digest = hashlib.sha256()
    for name, path in sorted(import_closure(module).items()):
        digest.update(f"{name}\n{_parsed(name, path).code}\n".encode())
    return PREFIX + digest.hexdigest()[:12]


def import_closure(module: str) -> dict[str, Path]:
    """Return the modules of an import closure: full name -> file."""
    followed = {*FOLLOWED, module.partition(".")[0]}
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        for name, path in _modules_of(waiting.pop()):
            if name not in found:
                found[name] = path
                imports = _parsed(name, path).imports
                waiting += [target for target in imports if target.partition(".")[0] in followed]
    return found


@functools.cache
def _modules_of(target: str) -> list[tuple[str, Path]]:
    """Return the modules, with their files, that define a dotted name such as
    "kan_ref.network.Layer".
    """
    name, *rest = target.split(".")
    while True:
        path = _file_of(name)
        if path is None:
            raise ImportError(f"{target} is imported, but {name} has no source file")
        if path.name != "__init__.py":
            return [(name, path)]
        if not rest or rest[0] == "*":
            return _all_modules(name, path.parent)
        part, *rest = rest
        inner_name = f"{name}.{part}"
        home = _exports(name, path).get(part, inner_name)
        # a name that the package takes from its own module of that name ends in this module in any case
        if not f"{home}.".startswith(f"{inner_name}."):
            return _modules_of(".".join([home, *rest]))
        if _file_of(inner_name) is None:  # defined in the package's __init__.py itself
            return [(name, path)]
        name = inner_name


def _all_modules(package: str, folder: Path) -> list[tuple[str, Path]]:
    """Return all modules of a package, with their files."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found.append((".".join([package, *(part for part in parts if part != "__init__")]), path))
    return found


@functools.cache
def _file_of(name: str) -> Path | None:
    """Return the file of a module, of a package its __init__.py; None if there is none."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    if not isinstance(spec, ModuleSpec) or spec.origin is None:
        return None
    origin = Path(spec.origin)
    base = (origin.parent if origin.name == "__init__.py" else origin.with_suffix("")).joinpath(
        *rest
    )
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def _exports(package: str, init: Path) -> dict[str, str]:
    """Return the names that a package hands on: name -> dotted target. A stub beside it lists those
    that load lazily.
    """
    found: dict[str, str] = {}
    for path in (init, init.with_suffix(".pyi")):
        if path.is_file():
            found |= _parsed(package, path).bound
    return found


# --- one module


@dataclass(frozen=True)
class _Parsed:
    """A module's code as text, the dotted names that it imports or uses of what it imports, and
    local name -> target.
    """

    code: str
    imports: frozenset[str]
    bound: dict[str, str]


@functools.cache
def _parsed(name: str, path: Path) -> _Parsed:
    """Parse a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    bound: dict[str, str] = {}
    imports: set[str] = set()
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                bound[alias.asname or top] = alias.name if alias.asname else top
                if "." in alias.name and not alias.asname:
                    imports.add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            home = importlib.util.resolve_name(relative, package)
            bound |= {alias.asname or alias.name: f"{home}.{alias.name}" for alias in node.names}
    used = set(_uses(tree, bound))
    imports |= {".".join([bound[name], *chain]) for name, *chain in used}
    imports |= {bound[name] for name in bound.keys() - {name for name, *_ in used}}
    return _Parsed(_canonical(tree), frozenset(imports), bound)


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes of a tree but those under `if TYPE_CHECKING:`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _uses(node: ast.AST, names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield each use of the names with the attributes that follow: `kr.bspline.basis(x)` is ("kr",
    "bspline", "basis").
    """
    chain: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        chain.insert(0, inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        if inner.id in names:
            yield (inner.id, *chain)
        return
    for child in ast.iter_child_nodes(inner):
        yield from _uses(child, names)


def _canonical(value: Any) -> str:
    """Return a syntax tree as text, without string statements and without fields that are empty."""
    if isinstance(value, ast.AST):
        fields = (
            f"{name}={_canonical(field)}"
            for name, field in ast.iter_fields(value)
            if name not in _SILENT and field is not None and field != []
        )
        return f"{type(value).__name__}({','.join(fields)})"
    if isinstance(value, list):
        return f"[{','.join(_canonical(entry) for entry in value if not _is_prose(entry))}]"
    return repr(value)


def _is_prose(node: Any) -> bool:
    """Return whether a node is a statement that consists of a string alone."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
