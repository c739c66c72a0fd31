"""All mutants of a module, and a random choice of them.

An operator says what one mutation does to one node of a syntax tree: the node that it replaces, and its new text. Docstrings, annotations,
decorators, imports, error messages, f-strings and the texts of __repr__ are not mutated.
"""

import ast
import copy
import itertools
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

# --- what one mutation does to one node of a syntax tree: the node that it replaces, and its new text

Change = tuple[ast.AST, ast.AST | str]  # the node that is replaced, and the new node or text
Node = TypeVar("Node", bound=ast.AST)


def _both_ways(*pairs: tuple[Any, Any]) -> dict[Any, Any]:
    return {one: other for pair in pairs for one, other in (pair, pair[::-1])}


BOUNDARIES = _both_ways((ast.Lt, ast.LtE), (ast.Gt, ast.GtE))
OPPOSITES = _both_ways(
    (ast.Lt, ast.GtE), (ast.LtE, ast.Gt), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)
)
ARITHMETIC = _both_ways((ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr)) | dict.fromkeys(
    (ast.Pow, ast.FloorDiv, ast.Mod), ast.Mult
)
FUNCTIONS = _both_ways(
    *(("min", "max"), ("minimum", "maximum"), ("nanmin", "nanmax"), ("argmin", "argmax")),
    *(("floor", "ceil"), ("any", "all"), ("logical_and", "logical_or"), ("sin", "cos")),
    *(("zeros", "ones"), ("zeros_like", "ones_like")),
)
SYMMETRIC = {"min", "max", "minimum", "maximum", "fmin", "fmax", "add", "multiply"}
SYMMETRIC |= {"logical_and", "logical_or", "swapaxes", "array_equal"}
UNWRAPPED = {"abs", "sqrt", "square", "reversed", "sorted", "round"}  # f(x) becomes x
SIDES = {"left": "right", "right": "left"}
SMALL = 1e-3  # a constant below is a tolerance, which counts as tested to three orders of magnitude


def changed(node: Node, **fields: Any) -> Node:
    """Return a copy of a node with other values of some fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _comparison(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for table in (BOUNDARIES, OPPOSITES):
                if type(operator) in table:
                    ops = [*node.ops[:i], table[type(operator)](), *node.ops[i + 1 :]]
                    yield node, changed(node, ops=ops)


def _arithmetic(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield node, changed(node, op=ARITHMETIC[type(node.op)]())


def _constant(node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield node, repr(not value)
    elif isinstance(value, int):
        yield node, repr(value + 1)
    elif isinstance(value, float):
        special = {0.0: 1.0, 1.0: 0.0}
        scaled = float(f"{value * (1000.0 if value < SMALL else 2.0):.15g}")
        yield node, repr(special.get(value, scaled))


def _negation(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node, node.operand
    elif isinstance(node, ast.BoolOp):
        yield node, changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for i in range(len(node.values)):
            rest = [*node.values[:i], *node.values[i + 1 :]]
            yield node, rest[0] if len(rest) == 1 else changed(node, values=rest)


def _condition(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.If | ast.IfExp):
        yield node.test, "True"
        yield node.test, "False"
    elif isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
        yield node.test, "False"
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield test, "True"


def _statement(node: ast.AST) -> Iterator[Change]:
    """Leave out a call, an assignment to a part, an update or an exception."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "pass"
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"


def _call(node: ast.AST) -> Iterator[Change]:
    """Leave out a keyword, or exchange the first two arguments."""
    if not isinstance(node, ast.Call):
        return
    for i, keyword in enumerate(node.keywords):
        if keyword.arg not in (None, "strict"):  # of zip: it only raises an error
            yield node, changed(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
    args = node.args
    name = ast.unparse(node.func).rpartition(".")[2]
    if (
        len(args) > 1
        and name not in SYMMETRIC
        # max(x, low) is symmetric; x.clip(low, high) is not
        and ast.unparse(node.func) != "np.clip"
        and not any(isinstance(arg, ast.Starred) for arg in args[:2])
    ):
        yield node, changed(node, args=[args[1], args[0], *args[2:]])


def _function(node: ast.AST) -> Iterator[Change]:
    """Exchange a function for its counterpart, or leave it out."""
    if isinstance(node, ast.Call):
        name = node.func
        if isinstance(name, ast.Name) and name.id in FUNCTIONS:
            yield node, changed(node, func=changed(name, id=FUNCTIONS[name.id]))
        elif isinstance(name, ast.Attribute) and name.attr in FUNCTIONS:
            yield node, changed(node, func=changed(name, attr=FUNCTIONS[name.attr]))
        word = name.id if isinstance(name, ast.Name) else getattr(name, "attr", None)
        if word in UNWRAPPED and len(node.args) == 1:
            yield node, node.args[0]
        if word == "copy" and isinstance(name, ast.Attribute) and not node.args:
            yield node, name.value


def _axis(node: ast.AST) -> Iterator[Change]:
    """Choose another axis or side of a search, or leave out a transposition."""
    if isinstance(node, ast.keyword) and node.arg == "axis":
        yield node.value, "0" if ast.unparse(node.value) != "0" else "-1"
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node, node.value
    elif isinstance(node, ast.Constant) and node.value in SIDES:
        yield node, repr(SIDES[node.value])


def _index(node: ast.AST) -> Iterator[Change]:
    """Add one to a bound of a slice that is not a constant."""
    if isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None and not isinstance(bound, ast.Constant):
                yield bound, ast.BinOp(bound, ast.Add(), ast.Constant(1))


def _result(node: ast.AST) -> Iterator[Change]:
    falsy = ("return", "return None", "return False")
    if isinstance(node, ast.Return) and ast.unparse(node) not in falsy:
        yield node, "return None"


OPERATORS: dict[str, Callable[[ast.AST], Iterator[Change]]] = {
    "comparison": _comparison,
    "arithmetic": _arithmetic,
    "constant": _constant,
    "negation": _negation,
    "condition": _condition,
    "statement": _statement,
    "call": _call,
    "function": _function,
    "axis": _axis,
    "index": _index,
    "result": _result,
}


# --- all mutants of a module, and a random choice of them

# these have no behaviour that a test should fix, or only texts
_TEXTS = {"__repr__", "__str__", "_repr_html_", "_repr_latex_", "_repr_mimebundle_"}
_SKIPPED = (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Global, ast.Nonlocal)
_TYPING = {"cast", "TypeVar", "NewType", "NamedTuple", "ParamSpec"}
_NEEDS_BRACKETS = (ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp, ast.Lambda)
_BINDS = (ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Call)


EQUIVALENT_MUTANTS = Path(__file__).parents[1] / "equivalent_mutants.toml"


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Parameters
    ----------
    module, kind : str
        Its name with dots; a key of OPERATORS.
    line : int
        Where the changed text begins.
    original, mutated : str
        The changed lines before and after, with single blanks and without comments.
    begin, end, replacement : int, int, bytes
        The bytes of the source that are replaced, and the new ones.
    first, last : int
        The lines whose execution makes a test relevant.
    in_function : bool
        False: the lines run when the module is imported.
    """

    module: str
    kind: str
    line: int
    original: str
    mutated: str
    begin: int
    end: int
    replacement: bytes
    first: int
    last: int
    in_function: bool

    @property
    def text(self) -> tuple[str, str, str]:
        """Return what tells the mutant from others, wherever its line is: module, lines before and after."""
        return self.module, self.original, self.mutated

    def applied(self, source: str) -> str:
        """Return the source of the module with this change."""
        data = source.encode()
        return (data[: self.begin] + self.replacement + data[self.end :]).decode()


@dataclass(frozen=True)
class _Place:
    """Where a node is: the node above, and the lines of the statement that runs it."""

    parent: ast.AST
    first: int
    last: int
    in_function: bool


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_skipped(node: ast.AST, place: _Place) -> bool:
    """Return whether nothing inside this node is mutated."""
    if isinstance(node, _SKIPPED) or isinstance(place.parent, ast.Raise) or _is_docstring(node):
        return True
    if isinstance(node, ast.FunctionDef):
        return node.name in _TEXTS
    if isinstance(node, ast.keyword):
        return node.arg == "strict"  # of zip: it only raises an error
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] in _TYPING
    # every negative size of reshape is the one to be computed
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(place.parent, ast.Call)
        and getattr(place.parent.func, "attr", None) == "reshape"
    )


def _fields(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes below this one, without annotations and decorators."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child


def _place_below(node: ast.AST, child: ast.AST, place: _Place) -> _Place:
    """Return the place of a node's child."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        # default values: what the function does with them
        return _Place(node, node.body[0].lineno, node.end_lineno or node.lineno, True)
    if isinstance(child, ast.stmt):
        below = getattr(child, "body", None)
        last = max(child.lineno, below[0].lineno - 1) if below else child.end_lineno
        return _Place(node, child.lineno, last or child.lineno, place.in_function)
    return _Place(node, place.first, place.last, place.in_function)


def _walk(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    yield node, place
    for child in _fields(node):
        below = _place_below(node, child, place)
        if isinstance(node, ast.FunctionDef) and isinstance(child, ast.stmt):
            below = _place_below(ast.Module([], []), child, below)
        if not _is_skipped(child, below):
            yield from _walk(child, below)


class _Text:
    """A source text with the offsets of its nodes, which Python counts in bytes of UTF-8."""

    def __init__(self, source: str) -> None:
        self.data = source.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return the offsets of the beginning and the end of a node."""
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        begin = self.starts[node.lineno - 1] + node.col_offset
        return begin, self.starts[node.end_lineno - 1] + node.end_col_offset

    def lines(self, begin: int, end: int) -> tuple[int, int]:
        """Return the offsets of the whole lines around a text."""
        first = self.data.rfind(b"\n", 0, begin) + 1
        last = self.data.find(b"\n", end)
        return first, len(self.data) if last < 0 else last


def _changed_text(new: ast.AST | str, parent: ast.AST | None) -> str:
    """Return the text of a new node, in brackets if the node above it requires them."""
    if isinstance(new, str):
        return new
    text = ast.unparse(ast.fix_missing_locations(new))
    if isinstance(new, _NEEDS_BRACKETS) and isinstance(parent, _BINDS):
        is_argument = isinstance(parent, ast.Call) and parent.func is not new
        return text if is_argument else f"({text})"
    return text


def all_mutants(module: str, source: str) -> list[Mutant]:
    """Return every mutant of a module, in the order of their lines, each change once."""
    text, tree = _Text(source), ast.parse(source)
    found: dict[tuple[int, int, bytes], Mutant] = {}
    for node, place in _walk(tree, _Place(tree, 1, 1, False)):
        for kind, operator in OPERATORS.items():
            for target, new in operator(node):
                begin, end = text.span(target)
                parent = place.parent if target is node else node
                has_brackets = text.data[begin - 1 : begin] + text.data[end : end + 1] == b"()"
                replacement = _changed_text(new, None if has_brackets else parent).encode()
                first, last = text.lines(begin, end)
                before, after = text.data[first:begin], text.data[end:last]
                found[begin, end, replacement] = Mutant(
                    module,
                    kind,
                    text.data.count(b"\n", 0, begin) + 1,
                    _without_layout(text.data[first:last]),
                    _without_layout(before + replacement + after),
                    begin,
                    end,
                    replacement,
                    place.first,
                    place.last,
                    place.in_function,
                )
    return sorted(found.values(), key=lambda m: (m.begin, m.end, m.kind, m.replacement))


def _without_layout(text: bytes) -> str:
    lines = [re.sub(r"\s+#[^\"']*$", "", line) for line in text.decode().splitlines()]
    return " ".join(" ".join(lines).split())


def is_a_change(source: str, mutated: str) -> bool:
    """Return whether a mutated source compiles to something else than the source."""
    try:
        return ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


def draw(module: str, source: str, n: int, seed: int) -> list[Mutant]:
    """Return n mutants of a module, all if there are fewer, in the order of their lines.

    The choice depends on the seed, the module's name and its source alone.
    """
    mutants = all_mutants(module, source)
    order = random.Random(f"{seed} {module}").sample(range(len(mutants)), len(mutants))
    changes = (i for i in order if is_a_change(source, mutants[i].applied(source)))
    return [mutants[i] for i in sorted(itertools.islice(changes, n))]


def read_judged(path: Path = EQUIVALENT_MUTANTS) -> dict[tuple[str, str, str], str]:
    """Return the mutants that change nothing that a test could notice, each with the reason.

    Raises
    ------
    ValueError
        An entry has other keys than module, line, mutation and reason, or an empty one.
    """
    found, keys = {}, ("module", "line", "mutation", "reason")
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []):
        if sorted(entry) != sorted(keys) or not all(entry.values()):
            raise ValueError(f"{path.name} has the entry {entry}, but needs texts {', '.join(keys)}")
        found[entry["module"], entry["line"], entry["mutation"]] = entry["reason"]
    return found


def modules_of(root: Path, name: str) -> dict[str, Path]:
    """Return the modules of a package, or the one of this name: name with dots -> file.

    Raises
    ------
    ValueError
        There is no such module or package below `root`.
    """
    path = root.joinpath(*name.split("."))
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    if not all(file.is_file() for file in files) or not files:
        raise ValueError(f"module is {name}, but {root} has no such module or package")
    return {_dotted(root, file): file for file in files}


def _dotted(root: Path, file: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
