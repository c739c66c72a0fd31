"""Make exercise sheets from the solutions: the functions of a solution become stubs, and the lines that call and judge them stay as tests.

A solution without functions becomes a place for the reader's own lines, which says what they define, and the assertions stay.
"""

import ast
import re
from collections.abc import Iterable

import nbformat

EXERCISE = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", flags=re.MULTILINE | re.DOTALL)


def exercises(tutorial: nbformat.NotebookNode) -> dict[str, str]:
    """Return number -> text of the exercises of a tutorial, whose last section lists them."""
    text = "\n\n".join(cell.source for cell in tutorial.cells if cell.cell_type == "markdown")
    listed = text.partition("\n## Exercises\n")[2].partition("\n[worked solutions]")[0]
    return {number: " ".join(line.split()) for number, line in EXERCISE.findall(listed)}


def stub(code: str) -> str:
    """Return the cell of a sheet for the cell of a solution."""
    body = ast.parse(code).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    if functions:
        return _joined(
            (node, _signature(node) if node in functions else _source(code, node)) for node in body
        )
    kept = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    tests = [node for node in body if isinstance(node, ast.Assert) or _asserts(node)]
    own = [node for node in body if node not in kept and node not in tests]
    names = ", ".join(
        sorted(_names(own, ast.Store) & _names(tests, ast.Load) - _names(tests, ast.Store))
    )
    place = f"# your code{', which defines ' + names if names else ''}\n..." if own else ""
    parts = [_joined((node, _source(code, node)) for node in nodes) for nodes in (kept, tests)]
    return "\n\n".join(part for part in (parts[0], place, parts[1]) if part)


def sheet(
    tutorial: nbformat.NotebookNode, solution: nbformat.NotebookNode
) -> nbformat.NotebookNode:
    """Return the sheet of a tutorial: its exercises, each with stubs and tests, after the cell that the solutions begin with."""
    texts = exercises(tutorial)
    title = next(
        line
        for cell in tutorial.cells
        for line in cell.source.splitlines()
        if line.startswith("# ")
    )
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(metadata=solution["metadata"])
    heading = f"# Exercises to {title.removeprefix('# ')}\n\nReplace each `...` and each `raise`. A cell that runs without an error has passed its tests. Where an exercise leaves a choice to you, the tests are for the choice of the worked solution: change their numbers to yours."
    add(made, "markdown", heading)
    number = ""
    for cell in solution.cells:
        if cell.cell_type == "markdown":
            found = re.search(r"^## Exercise (\d)", cell.source, flags=re.MULTILINE)
            if found:
                number = found[1]
                add(made, "markdown", f"## Exercise {number}\n\n{texts[number]}")
        else:
            add(made, "code", stub(cell.source) if number else cell.source)
    nbformat.validate(made)
    return made


def add(notebook: nbformat.NotebookNode, kind: str, source: str) -> None:
    """Append a cell, whose name is its place."""
    name = f"cell-{len(notebook.cells)}"
    if kind == "markdown":
        notebook.cells.append(nbformat.v4.new_markdown_cell(source, id=name))
    else:
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=name))


def _names(nodes: Iterable[ast.stmt], context: type[ast.expr_context]) -> set[str]:
    """Return the names that statements read or define."""
    return {
        name.id
        for node in nodes
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, context)
    }


def _joined(parts: Iterable[tuple[ast.stmt, str]]) -> str:
    """Return statements with the empty lines that they had between them, two around a function."""
    text, last = "", None
    for node, source in parts:
        if last is not None:
            apart = isinstance(node, ast.FunctionDef) or isinstance(last, ast.FunctionDef)
            gap = node.lineno - (last.end_lineno or last.lineno)
            text += "\n\n\n" if apart else "\n" * min(max(gap, 1), 2)
        text, last = text + source, node
    return text


def _source(code: str, node: ast.stmt) -> str:
    """Return the lines of a statement."""
    return "\n".join(code.splitlines()[node.lineno - 1 : node.end_lineno])


def _asserts(node: ast.stmt) -> bool:
    """Return whether a loop does nothing but assert."""
    return isinstance(node, ast.For) and all(isinstance(line, ast.Assert) for line in node.body)


def _signature(node: ast.FunctionDef) -> str:
    """Return a function without its body."""
    doc = ast.get_docstring(node)
    lines = [f"def {node.name}({ast.unparse(node.args)}):"]
    lines += [f'    """{doc}"""'] if doc else []
    return "\n".join([*lines, f'    raise NotImplementedError("{node.name} is your part")'])
