"""Injected defects of `conformance_plain`, several for each flag of the conformance kit: `conformance_defects.toml` lists them.

`benchmarks.conformance_patterns` records what they make wrong, and `test_conformance_mutants` that they are caught and named.
"""

import ast
import tomllib
from pathlib import Path

import conformance_plain

SOURCE = Path(conformance_plain.__file__).read_text(encoding="utf-8")
TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

# name: (text of conformance_plain, the text instead, the flag)
DEFECTS, VARIANTS = (
    {name: (old, new, flag) for name, flag, old, new in TABLES[kind]} for kind in ("defects", "variants")
)

# flags that are facts: the size of the errors shows them
UNSEEN = ("Float32Inside", "KnotPrecision")


def defective(old, new, source=SOURCE):
    """Return the subject with a text replaced."""
    assert old in source, old
    space = {"__name__": "mutant"}
    exec(compile(source.replace(old, new), "mutant", "exec"), space)
    return space["Plain"]()


def parts_of_source():
    """Yield (name, first line, last line, names that it uses) of each function, method and table of SOURCE."""
    for part in ast.walk(ast.parse(SOURCE)):
        if isinstance(part, ast.FunctionDef) or (isinstance(part, ast.Assign) and not part.col_offset):
            name = part.name if isinstance(part, ast.FunctionDef) else part.targets[0].id
            inside = list(ast.walk(part))
            used = {node.id for node in inside if isinstance(node, ast.Name)}
            used |= {node.attr for node in inside if isinstance(node, ast.Attribute)}
            yield name, part.lineno, part.end_lineno, used


PARTS = tuple(parts_of_source())


def changed_methods(old):
    """Return the functions and methods whose answers a change of `old` can change: those that contain or use it."""
    starts = [n for n in range(len(SOURCE)) if SOURCE.startswith(old, n)]
    letters = [n for n, letter in enumerate(old) if not letter.isspace()]
    places = {SOURCE.count("\n", 0, start + n) + 1 for start in starts for n in letters}
    found = {name for name, low, high, _ in PARTS if any(low <= at <= high for at in places)}
    while more := {name for name, _, _, used in PARTS if used & found} - found:
        found |= more
    return found
