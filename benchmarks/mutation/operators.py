"""What one mutation does to one node of a syntax tree: the node that it replaces, and its new text."""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Change = tuple[ast.AST, ast.AST | str]  # the node that is replaced, and the new node or text
Node = TypeVar("Node", bound=ast.AST)


def _both_ways(*pairs: tuple[Any, Any]) -> dict[Any, Any]:
    return {one: other for pair in pairs for one, other in (pair, pair[::-1])}


BOUNDARIES = _both_ways((ast.Lt, ast.LtE), (ast.Gt, ast.GtE))
OPPOSITES = _both_ways(
    (ast.Lt, ast.GtE),
    (ast.LtE, ast.Gt),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
)
ARITHMETIC = _both_ways(
    (ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr)
) | dict.fromkeys((ast.Pow, ast.FloorDiv, ast.Mod), ast.Mult)
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
