"""Sums of functions of one variable, arranged in layers: the graph of a network of symbolic edges.

A node is a sum of terms c f(a s + b), each of one source s, an input or another node. This is one
node of a Kolmogorov-Arnold layer (Liu et al. 2024, eq. 2.5) if all sources are in the layer below
and no two terms have the same source. `Graph` arranges any such sums in layers:

- The level of an input is 0. A sum has the level after the highest of its sources.
- Terms of lower sources are first added up in a node of their own, and edges f(x) = x carry its
  value to the layer where it is needed.
- Two terms of the same source, such as sin(s) + exp(s), need a copy of the node s. If s is an
  input, two nodes compute them, and their sum is one level later. A quadratic p x + q x^2 becomes
  one term by completing the square.

Equal sums, also equal up to a factor, are one node. All numbers are exact or have 30 digits until
the edges are made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY
from kan_ref.network import EdgeSpec, Network, symbolic_layer

LINE, SQUARE, ZERO = "x", "x^2", "0"
FARTHEST = 10.0  # a square is completed if that shifts its zero by at most so much: rounding


@dataclass(eq=False)
class Node:
    """An input (without parts), or a sum of terms; its `level` is the first layer that has it."""

    level: int
    parts: "tuple[tuple[Term, Any], ...]" = ()
    values: FloatArray | None = None  # at the probe points
    copies: "list[Node]" = field(default_factory=list)


@dataclass(frozen=True)
class Term:
    """The function f(a s + b) of a source s; `function` is its name in the library."""

    function: str
    source: Node
    scale: Any
    shift: Any


@dataclass
class Sum:
    """A constant and terms with their coefficients."""

    constant: Any
    terms: dict[Term, Any] = field(default_factory=dict)

    def plus(self, other: "Sum", factor: Any = 1) -> "Sum":
        """Return this sum plus a factor times another one."""
        terms = dict(self.terms)
        for term, coefficient in other.terms.items():
            terms[term] = terms.get(term, 0) + factor * coefficient
        left = {term: coefficient for term, coefficient in terms.items() if coefficient != 0}
        return Sum(self.constant + factor * other.constant, left)

    def times(self, factor: Any) -> "Sum":
        """Return this sum times a number."""
        terms = {term: factor * coefficient for term, coefficient in self.terms.items()}
        return Sum(factor * self.constant, terms if factor != 0 else {})


class Graph:
    """Nodes over a number of inputs, each sum once."""

    def __init__(self, probe: FloatArray) -> None:
        import sympy

        self.zero, self.one = sympy.Integer(0), sympy.Integer(1)
        self.inputs = [Node(0, values=column) for column in probe.T]
        self._nodes: dict[frozenset[tuple[Term, Any]], Node] = {}

    def input(self, place: int) -> Sum:
        """Return an input as a sum."""
        return Sum(self.zero, {Term(LINE, self.inputs[place], self.one, self.zero): self.one})

    def apply(self, function: str, argument: Sum) -> Sum:
        """Return f(argument) as a sum of one term."""
        source, scale, shift = self.source_of(argument)
        return Sum(self.zero, {Term(function, source, scale, shift): self.one})

    def source_of(self, argument: Sum) -> tuple[Node, Any, Any]:
        """Return a node s and numbers a, b with argument = a s + b."""
        done = complete_squares(argument)
        return (*self.scaled_node(done.terms), done.constant)

    def scaled_node(self, terms: dict[Term, Any]) -> tuple[Node, Any]:
        """Return a node s and a number a so that the terms add up to a s."""
        (first, coefficient), *others = terms.items()
        if not others and first.function == LINE:
            return first.source, coefficient * first.scale
        ratios = [other / coefficient for _, other in others]
        factor = coefficient
        is_simple = all(ratio.is_Rational or abs(ratio) == 1 for ratio in ratios)
        if others and (first.function != LINE or not is_simple):  # a division would round
            factor = self.one if coefficient > 0 else -self.one
        return self._node({t: c / factor for t, c in terms.items()}), factor

    def values_of(self, argument: Sum) -> FloatArray:
        """Return the values of a sum at the probe points."""
        total = np.full_like(self.inputs[0].values, float(argument.constant))
        for term, coefficient in argument.terms.items():
            total = total + float(coefficient) * self._term_values(term)
        return total

    def _term_values(self, term: Term) -> FloatArray:
        source = term.source
        if source.values is None:
            source.values = sum(
                (float(c) * self._term_values(part) for part, c in source.parts),
                np.zeros_like(self.inputs[0].values),
            )
        u = float(term.scale) * source.values + float(term.shift)
        return np.asarray(LIBRARY[term.function].f(u))

    # --- levels

    def _node(self, terms: dict[Term, Any]) -> Node:
        """Return the node of a sum without a constant."""
        key = frozenset(terms.items())
        if key not in self._nodes:
            level, parts = self._arrange(terms)
            self._nodes[key] = Node(level, tuple(parts.items()))
        return self._nodes[key]

    def _arrange(self, terms: dict[Term, Any]) -> tuple[int, dict[Term, Any]]:
        """Return the level of a sum, and terms of different sources below it that add up to it."""
        level = 1 + max(term.source.level for term in terms)
        parts = self._parts(terms, level)
        if parts is None:
            level += 1
            parts = self._parts(terms, level)
        if parts is None:
            raise AssertionError("one level more always separates terms of the same source")
        return level, parts

    def _parts(self, terms: dict[Term, Any], level: int) -> dict[Term, Any] | None:
        """Return terms of different sources below `level` that add up to a sum.

        None if an input has several terms that have to be in one layer.
        """
        parts = {t: c for t, c in terms.items() if t.source.level == level - 1}
        below = {t: c for t, c in terms.items() if t.source.level < level - 1}
        for group in self._groups(below, level - 1):
            source, scale = self.scaled_node(group)
            parts[Term(LINE, source, 1, 0)] = scale
        return self._apart(parts)

    def _apart(self, parts: dict[Term, Any]) -> dict[Term, Any] | None:
        """Return the terms with different sources: terms that share a source get copies of it.

        None if an input, which cannot be copied, has several terms.
        """
        found: dict[Term, Any] = {}
        uses: dict[int, int] = {}
        for term, coefficient in parts.items():
            source = term.source
            place = uses.setdefault(id(source), 0)
            uses[id(source)] += 1
            if place and source.level == 0:
                return None
            while len(source.copies) < place:
                source.copies.append(Node(source.level, source.parts))
            own = source.copies[place - 1] if place else source
            found[replace(term, source=own)] = coefficient
        return found

    def _groups(self, terms: dict[Term, Any], level: int) -> list[dict[Term, Any]]:
        """Return the terms in groups, each of which can be a node at a level."""
        groups: list[dict[Term, Any]] = []
        for term, coefficient in terms.items():
            for group in groups:
                if self._fits({**group, term: coefficient}, level):
                    group[term] = coefficient
                    break
            else:
                groups.append({term: coefficient})
        return groups

    def _fits(self, terms: dict[Term, Any], level: int) -> bool:
        """Return whether a sum can be a node at a level."""
        lowest = 1 + max(term.source.level for term in terms)
        return lowest < level or (lowest == level and self._parts(terms, level) is not None)


def complete_squares(argument: Sum) -> Sum:
    """Return a sum with p s + q (a s + b)^2 of one source s replaced by one square and a number."""
    terms, constant = dict(argument.terms), argument.constant
    for line, p in argument.terms.items():
        squares = [t for t in terms if t.function == SQUARE and t.source is line.source]
        if line.function != LINE or len(squares) != 1:
            continue
        (square,) = squares
        q, a, b = terms[square], square.scale, square.shift
        p = p * line.scale
        if abs(float(p / (2 * q * a**2))) <= FARTHEST:
            del terms[line], terms[square]
            terms[Term(SQUARE, line.source, a, b + p / (2 * q * a))] = q
            constant = constant - p * b / a - p**2 / (4 * q * a**2)
    return Sum(constant, terms)


# --- layers


def network_of(graph: Graph, outputs: Iterable[Sum], domain: FloatArray) -> Network:
    """Return the network whose outputs are these sums; `domain` (n_in, 2) bounds its inputs."""
    sums = [complete_squares(output) for output in outputs]
    tops = [_last_terms(graph, output, 0) for output in sums]
    depth = max([1, *(1 + term.source.level for top in tops for term in top)])
    tops = [_last_terms(graph, output, depth) for output in sums]
    rows: list[list[Node]] = [graph.inputs, *([] for _ in range(depth - 1))]
    for level in range(depth - 1, 0, -1):  # what the layer above needs
        above = tops if level == depth - 1 else [_terms_at(n, level + 1) for n in rows[level + 1]]
        needed = {id(t.source): t.source for terms in above for t in terms}
        rows[level] = list(needed.values())
    zero = {Term(ZERO, rows[-1][0], graph.zero, graph.zero): graph.zero}
    tops = [top or zero for top in tops]  # a constant output needs an edge that has it
    layers = []
    for level in range(1, depth + 1):
        is_last = level == depth
        nodes = tops if is_last else [_terms_at(node, level) for node in rows[level]]
        constants = [output.constant if is_last else 0 for output in sums] if is_last else None
        places = {id(node): place for place, node in enumerate(rows[level - 1])}
        edges = []
        for output, terms in enumerate(nodes):
            constant = constants[output] if constants else 0
            for term, coefficient in terms.items():
                affine = tuple(map(float, (term.scale, term.shift, coefficient, constant)))
                function, place = LIBRARY[term.function], places[id(term.source)]
                edges.append(EdgeSpec(output, place, function, affine))  # type: ignore[arg-type]
                constant = 0  # the first edge has it
        bounds = domain if level == 1 else None
        layers.append(symbolic_layer(len(rows[level - 1]), len(nodes), edges, bounds))
    return Network(tuple(layers))


def _last_terms(graph: Graph, output: Sum, depth: int) -> dict[Term, Any]:
    """Return terms of different sources that add up to an output of a network of this depth."""
    if not output.terms:
        return {}
    level, parts = graph._arrange(output.terms)
    if level >= depth or len(output.terms) == 1:
        return parts
    source, scale = graph.scaled_node(output.terms)
    return {Term(LINE, source, 1, 0): scale}


def _terms_at(node: Node, level: int) -> dict[Term, Any]:
    """Return the terms of a node in the layer that ends at a level; above its own it is carried."""
    return dict(node.parts) if node.level == level else {Term(LINE, node, 1, 0): 1}
