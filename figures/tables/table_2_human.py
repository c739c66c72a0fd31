"""Table 2, the human-constructed networks: built from symbolic edges and compared with the equations. No training.

Liu et al. 2024, section 3.3, gives a shape for each of 27 Feynman equations. Here are edges for each, compared
with the formulas at random points of the box. The differences are rounding errors, so the shapes are right. If an edge has a
pole inside the box, the table says so, and names a shape without it.

A network is written as formulas, node by node. The paper gives the shapes alone; the edges are ours. Two of its shapes need an edge that is singular inside the box: the exponent of
a Gaussian with a free width is -exp(log(t^2/2) - 2 log s) - log s, and log t^2 has a pole at t = 0. We found no form without the
pole: the second term -log s would need a path besides the squares of a product, and in [2,2,1,1] both nodes of the first layer
are occupied by t^2/2 + 1/s^2 and t^2/2 - 1/s^2. One more node is enough (`SMOOTH`).

Five shapes multiply by adding logarithms. They need positive variables, which their boxes have (`problem`).

`human_networks.toml` has the nodes. A layer is a list of sums, each term a function of one input: a node of a
Kolmogorov-Arnold layer is a sum of functions of one variable each (2.5). So the text of a node, such as "a + sin(t)" or "h0**2/4 - h1**2/4", determines its edges: the terms, collected by variable. A text with a term of
several variables is no node. The product is a layer of two sums and a node, x y = ((x + y)^2 - (x - y)^2) / 4.

Inputs have their own names; the nodes of each layer are h0, h1, ... to the next. Every edge is a symbolic one, c f(a x + b) + d with
a = c = 1, b = d = 0; f and its derivatives are SymPy's.
"""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, shape_name
from figures.machine.pictures import BLUE, VERMILION
from figures.tables.problem import FEYNMAN, Problem, points
from kan_ref.functions.record import EVERYWHERE, Function
from kan_ref.functions.values import OnDomain
from kan_ref.network.layer import Layer
from kan_ref.network.symbolic_edges import SymbolicEdge


@dataclass(frozen=True)
class Human:
    """A network: `layers` with the texts of the nodes; `singular`, a text that is zero where an
    edge has a pole inside the box; a `remark`.
    """

    layers: tuple[tuple[str, ...], ...]
    singular: str = ""
    remark: str = ""


def _tuples(layers: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, layers))


_ROWS = tomllib.loads(Path(__file__).with_name("human_networks.toml").read_text(encoding="utf-8"))
HUMAN = {
    name: Human(_tuples(row["layers"]), row.get("singular", ""), row.get("remark", "")) for name, row in _ROWS.items()
}
SMOOTH = {  # edges without poles, for the two that have one above
    name: Human(_tuples(row["smooth"])) for name, row in _ROWS.items() if "smooth" in row
}

Layers = Sequence[Sequence[str]]
_IDENTITY = (1.0, 0.0, 1.0, 0.0)


def exact_network(names: Sequence[str], layers: Layers) -> kr.Network:
    """Return the network whose nodes are given as texts.

    Parameters
    ----------
    names : sequence of str
        The inputs.
    layers : sequence of sequence of str
        One text a node.

    Raises
    ------
    ValueError
        "h0*h1 in node 'h0*h1 + a' depends on h0, h1, but an edge takes one variable"; a name that the layer does not have; a node
        without a variable.
    """
    built = []
    for nodes in layers:
        built.append(_layer(list(names), nodes))
        names = [f"h{number}" for number in range(len(nodes))]
    return kr.Network(tuple(built))


def edges_of(node: str, names: Sequence[str]) -> dict[int, Any]:
    """Return a dict from inputs to their terms of a node's sum, as SymPy expressions; constants go
    with the first input.
    """
    import sympy

    symbols = {name: sympy.Symbol(name) for name in names}
    edges: dict[int, Any] = {}
    constant = sympy.Integer(0)
    for term in sympy.Add.make_args(sympy.sympify(node, locals=symbols)):
        found = sorted(symbol.name for symbol in term.free_symbols)
        unknown = [name for name in found if name not in symbols]
        if unknown:
            raise ValueError(f"node {node!r} has {unknown[0]!r}, but its layer takes {', '.join(names)}")
        if len(found) > 1:
            raise ValueError(f"{term} in node {node!r} depends on {', '.join(found)}, but an edge takes one variable")
        if found:
            place = list(names).index(found[0])
            edges[place] = edges.get(place, 0) + term
        else:
            constant += term
    if not edges:
        raise ValueError(f"node {node!r} has no variable, but a node is the sum of at least one edge")
    edges[min(edges)] += constant
    return edges


def _layer(names: Sequence[str], nodes: Sequence[str]) -> Layer:
    symbolic: list[SymbolicEdge] = []
    for output, node in enumerate(nodes):
        for place, expression in edges_of(node, names).items():
            symbolic.append(SymbolicEdge(output, place, _function(expression, names[place]), len(symbolic)))
    n_in, n_out = len(names), len(nodes)
    dead = np.zeros((n_out, n_in))  # no spline anywhere
    return Layer(
        knots=np.tile(kr.uniform_knots(np.array([-1.0]), np.array([1.0]), 1, 3), (n_in, 1)),
        coef=np.zeros((n_out, n_in, 4)),
        w_base=dead,
        w_spline=dead,
        mask=dead,
        degree=3,
        symbolic=tuple(symbolic),
        affine=np.tile(_IDENTITY, (len(symbolic), 1)),
    )


def _function(expression: Any, name: str) -> Function:
    import sympy

    symbol = sympy.Symbol(name)
    f, d1, d2, d3 = (OnDomain(_values(sympy.diff(expression, symbol, order), symbol)) for order in range(4))
    return Function(str(expression), f, d1, d2, d3, EVERYWHERE, complexity=1)


def _values(expression: Any, symbol: Any) -> Any:
    import sympy

    f = sympy.lambdify(symbol, expression, "numpy")
    return lambda u: np.broadcast_to(f(u), u.shape)


NAME = "table-2-human"
TITLE = "Feynman equations as networks of formulas"
N_POINTS = 10000
ROUNDING = 1e-12  # of the largest value: a dozen operations of float64, some with cancellation
LEAST_DRAWN = 3e-17


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each equation and construction; quick runs are the same."""
    found = []
    for problem in FEYNMAN:
        for made, kind in ((HUMAN, "human"), (SMOOTH, "smooth")):
            if problem.name in made:
                layers = [list(nodes) for nodes in made[problem.name].layers]
                box = [list(bounds) for bounds in problem.box]
                config = {
                    "equation": problem.name,
                    "kind": kind,
                    "formula": problem.plain,
                    "box": box,
                    "layers": layers,
                }
                found.append({**config, "n_points": N_POINTS, "points_seed": 0})
    return found


def run(config: Config) -> dict[str, Any]:
    """Return the largest difference between network and formula, and the largest value of the
    network.
    """
    problem = _problem(config)
    network = exact_network(problem.names, config["layers"])
    x = points(problem.box, config["n_points"], np.random.default_rng(config["points_seed"]))
    y = problem.f(x)
    return {
        "widths": list(network.widths),
        "n_edges": sum(len(layer.symbolic) for layer in network.layers),
        "error": float(np.abs(network(x)[:, 0] - y).max()),
        "largest": float(np.abs(y).max()),
    }


def _problem(config: Config) -> Problem:
    return next(problem for problem in FEYNMAN if problem.name == config["equation"])


def _relative(record: Record) -> float:
    return float(record["results"]["error"] / record["results"]["largest"])


def draw(records: Sequence[Record]) -> Figure:
    """Draw a dot for each equation: the error of the network relative to the formula."""
    picture = Figure(figsize=(8.5, 1.6 + 0.26 * len(records)))
    ax = picture.subplots()
    for place, record in enumerate(records):
        pole = record["config"]["kind"] == "human" and HUMAN[record["config"]["equation"]].singular
        ax.plot(max(_relative(record), LEAST_DRAWN), place, "s" if pole else "o", color=VERMILION if pole else BLUE)
    ax.axvline(np.finfo(np.float64).eps, color="0.6", ls="--", lw=1.0, zorder=0)
    ax.set(xscale="log", xlim=(LEAST_DRAWN / 1.5, 1e-13))
    labels = [f"{_label(record)}  {shape_name(record['results']['widths'])}" for record in records]
    ax.set_yticks(range(len(records)), labels=labels, fontsize=9)
    ax.set_ylim(len(records) - 0.5, -0.5)
    ax.grid(axis="y", color="0.92", lw=0.8)
    ax.set_axisbelow(True)
    ax.set(
        xlabel="largest error / largest value; dashed: one unit in the last place",
        title="Networks of formulas against the equations (squares: an edge has a pole in the box)",
    )
    return picture


def _label(record: Record) -> str:
    return f"{record['config']['equation']}{', smooth' if record['config']['kind'] == 'smooth' else ''}"


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return one row for each equation, and one for each network that needs no pole."""
    return [(_claim if record["config"]["kind"] == "human" else _smooth_claim)(record) for record in records]


def _claim(record: Record) -> Claim:
    problem, results = _problem(record["config"]), record["results"]
    made = HUMAN[problem.name]
    same = tuple(results["widths"]) == problem.shapes["human"]  # another shape is no evidence
    reason = "an edge has a pole in the box" if made.singular else ""
    bar = Bar(_relative(record) if same else math.inf, ROUNDING, most=True, form=".1e", reason=reason)
    return Claim(
        f"{problem.name}, {problem.plain}: the human-constructed shape represents it",
        shape_name(problem.shapes["human"]),
        f"{shape_name(results['widths'])} of {results['n_edges']} formulas is off by {_relative(record):.1e} of the largest value"
        + (f"; {made.remark}" if made.singular else ""),
        bar,
        f"{record['config']['n_points']} random points; off by, {bar.text}"
        + (f"; {made.remark}" if made.remark and not made.singular else ""),
    )


def _smooth_claim(record: Record) -> Claim:
    problem, results = _problem(record["config"]), record["results"]
    reason = "it has one node more than the paper's shape, the smallest that was found"
    return Claim(
        f"{problem.name}: smooth edges represent it",
        f"{shape_name(problem.shapes['human'])}, no word on edges",
        f"{shape_name(results['widths'])} of {results['n_edges']} formulas is off by {_relative(record):.1e} of the largest value",
        Bar(_relative(record), ROUNDING, most=True, form=".1e", reason=reason),
        f"{record['config']['n_points']} random points; off by",
    )
