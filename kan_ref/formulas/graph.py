"""Sums of functions of one variable, arranged in layers: the graph of a network of symbolic edges.

A node is a sum of terms c f(a s + b), each of one source s, an input or another node. This is one
node of a Kolmogorov-Arnold layer (Liu et al. 2024, eq. 2.5) if all sources are in the layer below
and no two terms have the same source. `Graph` arranges any such sums in layers:

- The level of an input is 0. A node has the level after the highest of its sources.
- A second term of a source, such as exp(s) in sin(s) + exp(s), becomes a node of its own. A
  quadratic p x + q x^2 becomes one term by completing the square.
- Terms of lower sources are added up in one node. Edges f(x) = x carry a node, or an input, to the
  layer where it is needed.

Equal sums, also equal up to a factor, are one node. All numbers are exact or have 30 digits until
the edges are made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY
from kan_ref.network import EdgeSpec, Network, symbolic_layer

LINE, SQUARE, ZERO = "x", "x^2", "0"
FARTHEST = 10.0  # a square is completed if that shifts its zero by at most so much: rounding


@dataclass(eq=False)
class Node:
    """An input (without parts), or a sum of terms; its `level` is the first layer that has it."""

    level: int
    parts: "dict[Term, Any]" = field(default_factory=dict)


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

    def __init__(self, n_in: int) -> None:
        import sympy

        self.zero, self.one = sympy.Integer(0), sympy.Integer(1)
        self.inputs = [Node(0) for _ in range(n_in)]
        self._nodes: dict[frozenset[tuple[Term, Any]], Node] = {}

    def input(self, place: int) -> Sum:
        """Return an input as a sum."""
        return Sum(self.zero, {self._line(self.inputs[place]): self.one})

    def apply(self, function: str, argument: Sum) -> Sum:
        """Return f(argument) as a sum of one term."""
        source, scale, shift = self.source_of(argument)
        return Sum(self.zero, {Term(function, source, scale, shift): self.one})

    def source_of(self, argument: Sum) -> tuple[Node, Any, Any]:
        """Return a node s and numbers a, b with argument = a s + b."""
        done = complete_squares(argument)
        (first, coefficient), *others = done.terms.items()
        if not others and first.function == LINE:
            return first.source, coefficient * first.scale, done.constant
        is_simple = all((other / coefficient).is_Rational for _, other in others)
        factor = coefficient
        if others and (first.function != LINE or not is_simple):  # a division would round
            factor = self.one if coefficient > 0 else -self.one
        return self.node({t: c / factor for t, c in done.terms.items()}), factor, done.constant

    def node(self, terms: dict[Term, Any]) -> Node:
        """Return the node of a sum without a constant."""
        key = frozenset(terms.items())
        if key not in self._nodes:
            parts, level = self._apart(terms)
            lower = {t: c for t, c in parts.items() if t.source.level < level - 1}
            if len(lower) > 1:
                top = Sum(0, {t: c for t, c in parts.items() if t not in lower})
                whole = top.plus(Sum(0, {self._line(self.node(lower)): self.one}))
                parts, level = self._apart(whole.terms)
            self._nodes[key] = Node(level, parts)
        return self._nodes[key]

    def _apart(self, terms: dict[Term, Any]) -> tuple[dict[Term, Any], int]:
        """Return terms of different sources that add up to a sum, and its level."""
        parts: dict[Term, Any] = {}
        sources: set[Node] = set()
        for term, coefficient in terms.items():
            part = self._line(self.node({term: self.one})) if term.source in sources else term
            sources.add(part.source)
            parts[part] = coefficient
        return parts, 1 + max(source.level for source in sources)

    def _line(self, source: Node) -> Term:
        return Term(LINE, source, self.one, self.zero)

    def network(self, outputs: Iterable[Sum], domain: FloatArray) -> Network:
        """Return the network with these outputs; `domain` (n_in, 2) bounds its inputs."""
        sums = [complete_squares(output) for output in outputs]
        tops = [self.node(output.terms) if output.terms else None for output in sums]
        depth = max([1, *(top.level for top in tops if top)])
        layers = []
        nodes: list[tuple[Node | None, Any]] = [
            (top, output.constant) for top, output in zip(tops, sums, strict=True)
        ]
        for level in range(depth, 0, -1):  # from the last layer to the first
            rows = [self._terms_at(node, level) for node, _ in nodes]
            sources = list(dict.fromkeys(term.source for row in rows for term in row))
            below = self.inputs if level == 1 else sources or self.inputs[:1]
            edges = []
            for output, (row, (_, constant)) in enumerate(zip(rows, nodes, strict=True)):
                # a constant is on the first edge of its node; alone it needs an edge that has it
                if not row:
                    row = {Term(ZERO, below[0], self.zero, self.zero): self.zero}
                for term, coefficient in row.items():
                    affine = [float(v) for v in (term.scale, term.shift, coefficient, constant)]
                    place, constant = below.index(term.source), 0
                    edges.append(EdgeSpec(output, place, LIBRARY[term.function], tuple(affine)))  # type: ignore[arg-type]
            bounds = domain if level == 1 else None
            layers.append(symbolic_layer(len(below), len(nodes), edges, bounds))
            nodes = [(source, 0) for source in below]
        return Network(tuple(reversed(layers)))

    def _terms_at(self, node: Node | None, level: int) -> dict[Term, Any]:
        """Return the terms of a node in the layer that ends at a level; above its own, x alone."""
        if node is None:
            return {}
        return node.parts if node.level == level else {self._line(node): self.one}


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
