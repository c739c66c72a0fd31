"""Formulas as trees with trainable numbers: values, derivatives with respect to the numbers, SymPy.

A tree consists of numbers, inputs, sums, products and functions of the library. Its numbers
theta_1, theta_2, ... are counted from left to right. Let a tree T have the parts T_1, ..., T_m.
By the chain rule

    (D10)   T = T_1 + ... + T_m      dT/dtheta = dT_i/dtheta                  theta in T_i
    (D11)   T = T_1 ... T_m          dT/dtheta = prod_{q != i} T_q dT_i/dtheta
    (D12)  T = f(T_1)               dT/dtheta = f'(T_1) dT_1/dtheta

so that values and derivatives are computed together, from the inputs to the root. The numbers of
a part are consecutive, and its derivatives are a block of rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import Function, lookup

EQUAL = 0.02  # relative: numbers so near may be one


@dataclass(frozen=True)
class Number:
    """A number, which training may change unless it is `fixed`."""

    value: float
    fixed: bool = False


@dataclass(frozen=True)
class Input:
    """An input, counted from 0."""

    index: int


@dataclass(frozen=True)
class Sum:
    """A sum of trees."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Product:
    """A product of trees."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Apply:
    """A function of the library, applied to a tree."""

    function: Function
    part: "Tree"


Tree = Number | Input | Sum | Product | Apply


# --- building


def fixed(value: float) -> Number:
    """Return a number that training does not change."""
    return Number(float(value), fixed=True)


def add(*parts: Tree) -> Tree:
    """Return a sum, flat, with at most one number, without zeros."""
    flat = [q for p in parts for q in (p.parts if isinstance(p, Sum) else (p,))]
    rest: list[Tree] = [p for p in flat if not isinstance(p, Number)]
    numbers = [p for p in flat if isinstance(p, Number)]
    total = sum(p.value for p in numbers)
    is_fixed = all(p.fixed for p in numbers)
    if numbers and not (is_fixed and total == 0.0):
        rest.append(Number(total, is_fixed))
    return fixed(0.0) if not rest else rest[0] if len(rest) == 1 else Sum(tuple(rest))


def multiply(*parts: Tree) -> Tree:
    """Return a product, flat, with at most one number, without factors 1; 0 if a factor is 0."""
    flat = [q for p in parts for q in (p.parts if isinstance(p, Product) else (p,))]
    rest: list[Tree] = [p for p in flat if not isinstance(p, Number)]
    numbers = [p for p in flat if isinstance(p, Number)]
    total = float(np.prod([p.value for p in numbers])) if numbers else 1.0
    is_fixed = all(p.fixed for p in numbers)
    if is_fixed and total == 0.0:
        return fixed(0.0)
    if numbers and not (is_fixed and total == 1.0):
        rest.insert(0, Number(total, is_fixed))
    return fixed(1.0) if not rest else rest[0] if len(rest) == 1 else Product(tuple(rest))


def apply(name: str | Function, part: Tree) -> Tree:
    """Return a function of the library, applied to a tree."""
    function = lookup(name) if isinstance(name, str) else name
    if function.name == "x":
        return part
    if isinstance(part, Number) and part.fixed:
        value = float(function.f(np.array([part.value]))[0])
        if np.isfinite(value):
            return fixed(value)
    return Apply(function, part)


def affine(tree: Tree, scale: float, shift: float) -> Tree:
    """Return scale * tree + shift with trainable numbers."""
    return add(multiply(Number(scale), tree), Number(shift))


def absorbed(tree: Tree) -> Tree:
    """Return the tree without factors that the numbers of a sum can take up.

    c (a x + b) becomes a sum with the numbers c a and c b if all its terms have trainable ones.
    """
    if isinstance(tree, Apply):
        return apply(tree.function, absorbed(tree.part))
    if isinstance(tree, Sum):
        return add(*(absorbed(part) for part in tree.parts))
    if not isinstance(tree, Product):
        return tree
    flat = multiply(*(absorbed(part) for part in tree.parts))
    parts = flat.parts if isinstance(flat, Product) else (flat,)
    factor = parts[0]
    for place, part in enumerate(parts[1:], 1):
        if (
            isinstance(factor, Number)
            and isinstance(part, Sum)
            and not any(np.isnan(_trainable(term)) for term in part.parts)
        ):
            taken = add(*(multiply(factor, term) for term in part.parts))
            return multiply(*parts[1:place], taken, *parts[place + 1 :])
    return flat


def shared(tree: Tree) -> Tree:
    """Return the tree with c (u + v) for a sum c u + k v whose c and k are nearly equal in size."""
    if isinstance(tree, Apply):
        return apply(tree.function, shared(tree.part))
    if not isinstance(tree, Sum | Product):
        return tree
    parts = [shared(part) for part in tree.parts]
    if isinstance(tree, Product):
        return multiply(*parts)
    sizes = [_trainable(part) for part in parts]
    for c in sizes:
        signs = [np.sign(c * k) if abs(abs(k) - abs(c)) <= EQUAL * abs(c) else 0.0 for k in sizes]
        if np.count_nonzero(signs) > 1:
            each = list(zip(parts, signs, strict=True))
            terms = [multiply(fixed(s), *getattr(p, "parts", ())[1:]) for p, s in each if s]
            return add(multiply(Number(c), add(*terms)), *(p for p, s in each if not s))
    return add(*parts)


def _trainable(term: Tree) -> float:
    """Return the trainable number that a term is or has as its factor; nan if there is none."""
    first = term.parts[0] if isinstance(term, Product) else term
    return first.value if isinstance(first, Number) and not first.fixed else np.nan


def substitute(tree: Tree, parts: Sequence[Tree]) -> Tree:
    """Return the tree with input i replaced by `parts[i]`."""
    return mapped(tree, lambda leaf: parts[leaf.index] if isinstance(leaf, Input) else leaf)


def mapped(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """Return the tree with each leaf changed and simplified from the leaves to the root."""
    if isinstance(tree, Sum):
        return add(*(mapped(part, change) for part in tree.parts))
    if isinstance(tree, Product):
        return multiply(*(mapped(part, change) for part in tree.parts))
    if isinstance(tree, Apply):
        return apply(tree.function, mapped(tree.part, change))
    return change(tree)


# --- reading


def leaves(tree: Tree) -> Iterator[Tree]:
    """Yield numbers and inputs from left to right."""
    if isinstance(tree, Sum | Product):
        for part in tree.parts:
            yield from leaves(part)
    elif isinstance(tree, Apply):
        yield from leaves(tree.part)
    else:
        yield tree


def numbers(tree: Tree) -> FloatArray:
    """Return the trainable numbers."""
    found = [leaf.value for leaf in leaves(tree) if isinstance(leaf, Number) and not leaf.fixed]
    return np.array(found, dtype=np.float64)


def with_numbers(tree: Tree, theta: Sequence[float] | FloatArray) -> Tree:
    """Return the tree with other trainable numbers; the form stays, even where one is 0."""
    rest = iter(theta)

    def changed(node: Tree) -> Tree:
        if isinstance(node, Sum):
            return Sum(tuple(changed(part) for part in node.parts))
        if isinstance(node, Product):
            return Product(tuple(changed(part) for part in node.parts))
        if isinstance(node, Apply):
            return Apply(node.function, changed(node.part))
        if isinstance(node, Number) and not node.fixed:
            return Number(float(next(rest)))
        return node

    return changed(tree)


def with_fixed(tree: Tree, place: int, value: float) -> Tree:
    """Return the tree with its trainable number `place` fixed at a value, simplified."""
    count = iter(range(10**6))

    def change(leaf: Tree) -> Tree:
        if isinstance(leaf, Number) and not leaf.fixed and next(count) == place:
            return fixed(value)
        return leaf

    return mapped(tree, change)


def complexity(tree: Tree) -> int:
    """Count operations, functions by their complexity, inputs, and trainable numbers twice."""
    if isinstance(tree, Sum | Product):
        return len(tree.parts) - 1 + sum(complexity(part) for part in tree.parts)
    if isinstance(tree, Apply):
        return tree.function.complexity + complexity(tree.part)
    return 1 if isinstance(tree, Input) or tree.fixed else 2


# --- evaluating


def values(tree: Tree, x: FloatArray) -> FloatArray:
    """Compute the tree at x (batch, n_in); nan where it is undefined."""
    with np.errstate(all="ignore"):
        found = np.broadcast_to(_value(tree, x), len(x)).astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _value(tree: Tree, x: FloatArray) -> Any:
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Input):
        return x[:, tree.index]
    if isinstance(tree, Apply):
        return tree.function.f(np.asarray(_value(tree.part, x)))
    parts = [_value(part, x) for part in tree.parts]
    total = parts[0]
    for part in parts[1:]:
        total = total + part if isinstance(tree, Sum) else total * part
    return total


def linearize(tree: Tree, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute values (batch,) and their derivatives with respect to the numbers (batch, n)."""
    with np.errstate(all="ignore"):
        value, rows = _linearize(tree, x)
        full = np.broadcast_to(value, len(x)).astype(np.float64)
        wide = [np.broadcast_to(row, len(x)) for row in rows]
    return full, np.stack(wide, axis=1) if wide else np.zeros((len(x), 0))


def _linearize(tree: Tree, x: FloatArray) -> tuple[Any, list[Any]]:
    if isinstance(tree, Number):
        return tree.value, [] if tree.fixed else [1.0]
    if isinstance(tree, Input):
        return x[:, tree.index], []
    if isinstance(tree, Apply):
        u, inner = _linearize(tree.part, x)
        u = np.asarray(u)
        # [eq:tree-function]
        slope = tree.function.d1(u) if inner else 0.0
        return tree.function.f(u), [slope * row for row in inner]
        # [/eq:tree-function]
    pairs = [_linearize(part, x) for part in tree.parts]
    if isinstance(tree, Sum):
        # [eq:tree-sum]
        return sum(value for value, _ in pairs), [row for _, rows in pairs for row in rows]
        # [/eq:tree-sum]
    total: Any = 1.0
    found: list[Any] = []
    for i, (value, rows) in enumerate(pairs):
        total = total * value
        if rows:
            # [eq:tree-product]
            others: Any = 1.0
            for q, (other, _) in enumerate(pairs):
                others = others if q == i else others * other
            found += [others * row for row in rows]
            # [/eq:tree-product]
    return total, found
