"""The methods by which Fig. 3.3 solves Poisson's equation, and the records of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from figures.machine.machine import Record
from figures.machine.style import BLUE, GREEN, ORANGE, PURPLE, VERMILION
from figures.machine.summary import shape_name
from kan_ref.checks import FloatArray


@dataclass(frozen=True)
class Method:
    """A kind of model (`degree` 0 for MLPs) with an optimizer and its steps, on the paper's many
    points and on fewer ones.

    `scales`: whether it is run at several sizes.
    """

    model: str
    degree: int
    optimizer: str
    n_steps: int
    paper_steps: int
    quick_steps: int
    scales: bool
    color: str
    dash: str
    marker: str

    def label(self, record: Record) -> str:
        """Return the method's name in a legend."""
        shape, optimizer = (
            shape_name(record["config"]["widths"]),
            {"lm": "LM", "lbfgs": "L-BFGS"}[self.optimizer],
        )
        if self.model == "mlp":
            return f"MLP {shape} tanh, {optimizer}"
        return f"KAN {shape}, k = {self.degree}, {optimizer}"


KAN_LM = Method("kan", 3, "lm", 100, 100, 100, True, BLUE, "-", "o")
KAN_LM_5 = Method("kan", 5, "lm", 100, 100, 100, True, GREEN, "-", "s")
KAN_LBFGS = Method("kan", 3, "lbfgs", 1000, 1000, 250, False, PURPLE, "--", "v")
MLP_LM = Method("mlp", 0, "lm", 100, 100, 100, True, ORANGE, "-", "D")
MLP_LBFGS = Method("mlp", 0, "lbfgs", 500, 250, 250, True, VERMILION, "--", "^")
METHODS = (KAN_LM, KAN_LM_5, KAN_LBFGS, MLP_LM, MLP_LBFGS)
HEADLINE_GRID = 5


def method_of(record: Record) -> Method:
    """Return the method that a record was computed with."""
    config = record["config"]
    key = (config["model"], config.get("degree", 0), config["optimizer"])
    return next(
        method for method in METHODS if (method.model, method.degree, method.optimizer) == key
    )


def runs_of(records: Sequence[Record], method: Method, *, headline: bool = False) -> list[Record]:
    """Return the records of a method, ordered by seed; with `headline` only those of [2,10,1] at G
    = 5, or of the largest MLP.
    """
    found = [record for record in records if method_of(record) is method]
    if headline and method.model == "kan":
        found = [record for record in found if record["config"]["n_intervals"] == HEADLINE_GRID]
    elif headline and found:
        largest = max(record["results"]["n_params"] for record in found)
        found = [record for record in found if record["results"]["n_params"] == largest]
    return sorted(found, key=lambda record: int(record["seed"]))


def spread_of(
    runs: Sequence[Record], key: str
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return steps, and smallest, median and largest error of the runs. A run that has ended keeps
    its last error.
    """
    steps = sorted({step for run in runs for step in run["results"]["curve"]["step"]})
    curves = []
    for run in runs:
        own = np.array(run["results"]["curve"]["step"]), np.array(run["results"]["curve"][key])
        curves.append(own[1][np.searchsorted(own[0], steps, side="right") - 1])
    table = np.array(curves)
    return (
        np.array(steps, dtype=np.float64),
        table.min(axis=0),
        np.median(table, axis=0),
        table.max(axis=0),
    )
