"""Table 2, the human-constructed networks: built from symbolic edges and compared with the equations. No training.

Liu et al. 2024, section 3.3, gives a shape for each of 27 Feynman equations. `human_networks` has edges for each; here they are compared
with the formulas at random points of the box. The differences are rounding errors, so the shapes are right. If an edge has a
pole inside the box, the table says so, and names a shape without it.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.machine.machine import Bar, Claim, Config, Record, shape_name
from figures.machine.style import BLUE, VERMILION
from figures.tables.feynman import FEYNMAN
from figures.tables.human_networks import HUMAN, SMOOTH, exact_network
from figures.tables.problem import Problem, points

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


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return 0.3


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
        ax.plot(
            max(_relative(record), LEAST_DRAWN),
            place,
            "s" if pole else "o",
            color=VERMILION if pole else BLUE,
        )
    ax.axvline(np.finfo(np.float64).eps, color="0.6", ls="--", lw=1.0, zorder=0)
    ax.set_xscale("log")
    ax.set_xlim(LEAST_DRAWN / 1.5, 1e-13)
    labels = [f"{_label(record)}  {shape_name(record['results']['widths'])}" for record in records]
    ax.set_yticks(range(len(records)), labels=labels, fontsize=9)
    ax.set_ylim(len(records) - 0.5, -0.5)
    ax.grid(axis="y", color="0.92", lw=0.8)
    ax.set_axisbelow(True)
    ax.set_xlabel("largest error / largest value; dashed: one unit in the last place")
    ax.set_title(
        "Networks of formulas against the equations (squares: an edge has a pole in the box)"
    )
    return picture


def _label(record: Record) -> str:
    return f"{record['config']['equation']}{', smooth' if record['config']['kind'] == 'smooth' else ''}"


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return one row for each equation, and one for each network that needs no pole."""
    return [
        (_claim if record["config"]["kind"] == "human" else _smooth_claim)(record)
        for record in records
    ]


def _claim(record: Record) -> Claim:
    problem, results = _problem(record["config"]), record["results"]
    made = HUMAN[problem.name]
    same = tuple(results["widths"]) == problem.shapes["human"]  # another shape is no evidence
    reason = "an edge has a pole in the box" if made.singular else ""
    bar = Bar(
        _relative(record) if same else math.inf, ROUNDING, most=True, form=".1e", reason=reason
    )
    return Claim(
        f"{problem.name}, {problem.plain}: the human-constructed shape represents it",
        shape_name(problem.shapes["human"]),
        f"{shape_name(results['widths'])} of {results['n_edges']} formulas is off by {_relative(record):.1e} of the largest value"
        + (f"; {made.remark}" if made.singular else ""),
        bar.word,
        f"{record['config']['n_points']} random points; off by, {bar.text}"
        + (f"; {made.remark}" if made.remark and not made.singular else ""),
    )


def _smooth_claim(record: Record) -> Claim:
    problem, results = _problem(record["config"]), record["results"]
    reason = "it has one node more than the paper's shape, the smallest that was found"
    bar = Bar(_relative(record), ROUNDING, most=True, form=".1e", reason=reason)
    return Claim(
        f"{problem.name}: smooth edges represent it",
        f"{shape_name(problem.shapes['human'])}, no word on edges",
        f"{shape_name(results['widths'])} of {results['n_edges']} formulas is off by {_relative(record):.1e} of the largest value",
        bar.word,
        f"{record['config']['n_points']} random points; off by, {bar.text}",
    )
