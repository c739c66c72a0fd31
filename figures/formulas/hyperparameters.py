"""The settings of Fig. C.1, changed one at a time, and the counts of edges and nodes of a trained network.

The paper has its values in the picture alone. These are those of its code's documentation: lambda = 0.01, mu_1 = 1, mu_2 = 2, G = 5,
k = 3, L-BFGS with 20 steps of 20 iterations; row a also at lambda = 0.1, which it uses too. The degrees, and the penalty as it is
printed, are ours. Points are uniform on [-1, 1]^2, 1000 to train and 1000 to test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from figures.machine.machine import Config, Record
from kan_ref.checks import BoolArray

BASE: Config = {
    "widths": [2, 5, 1],
    "n_train": 1000,
    "n_test": 1000,
    "n_steps": 400,
    "penalty_weight": 0.01,
    "l1_weight": 1.0,
    "entropy_weight": 2.0,
    "n_intervals": 5,
    "degree": 3,
}
ACTIVE = 1e-2  # the threshold of the paper's pruning, of a mean magnitude (2.17)
AIM = 3  # active edges of the smallest network, [2,1,1]
FULL_SEEDS, QUICK_SEEDS, DRAWN = 10, 2, 3


@dataclass(frozen=True)
class Row:
    """A row of the figure: the setting `name` takes `values`, with `changes` of the base; `drawn`
    of them are shown, also in quick runs.
    """

    letter: str
    title: str
    symbol: str
    name: str
    values: tuple[float, ...]
    drawn: tuple[float, ...]
    changes: tuple[tuple[str, float], ...] = ()

    @property
    def penalty_weight(self) -> float:
        """Return lambda of the row, unless lambda is its subject."""
        return float({**BASE, **dict(self.changes)}["penalty_weight"])

    def configs(self, seed: int, *, full: bool) -> list[Config]:
        """Return one configuration for each value."""
        return [
            config_of(seed, {**dict(self.changes), self.name: value})
            for value in (self.values if full else self.drawn)
        ]


ENTROPY = Row(
    "a", "the weight of the entropy", r"\mu_2", "entropy_weight", (0.0, 2.0, 10.0), (0.0, 2.0, 10.0)
)
ENTROPY_AT_TENTH = Row(
    "a", "", r"\mu_2", "entropy_weight", (0.0, 2.0, 10.0), (), (("penalty_weight", 0.1),)
)
SEED = Row("b", "the seed", r"\mathrm{seed}", "seed", (), ())
WEIGHT = Row(
    "c",
    "the weight of the penalty",
    r"\lambda",
    "penalty_weight",
    (0.0, 0.01, 0.1, 1.0),
    (0.0, 0.01, 1.0),
)
GRID = Row("d", "the number of intervals", "G", "n_intervals", (1, 3, 5, 10, 20), (1, 5, 20))
DEGREE = Row("e", "the degree", "k", "degree", (1, 2, 3, 4, 5), (2, 3, 5))
ROWS = (ENTROPY, SEED, WEIGHT, GRID, DEGREE)


def config_of(seed: int, changes: Config) -> Config:
    """Return the configuration of a run."""
    return {"seed": seed, **BASE, **changes}


def runs_of(records: Sequence[Record], row: Row) -> dict[float, list[Record]]:
    """Return a dict from values of the row's setting to the records that otherwise have the row's
    settings; values without records are left out.
    """
    found = {}
    for value in row.values:
        same = [
            record
            for record in records
            if record["config"] == config_of(record["seed"], {**dict(row.changes), row.name: value})
        ]
        if same:
            found[value] = same
    return found


def base_runs(records: Sequence[Record]) -> list[Record]:
    """Return the records of the base, one for each seed."""
    return [record for record in records if record["config"] == config_of(record["seed"], {})]


# --- what is counted


def active(record: Record) -> list[BoolArray]:
    """Return which edges (n_out, n_in) of each layer are active."""
    return [np.array(scores) > ACTIVE for scores in record["results"]["scores"]]


def active_edges(record: Record) -> int:
    """Return the number of active edges."""
    return int(sum(layer.sum() for layer in active(record)))


def active_nodes(record: Record) -> int:
    """Return the number of hidden nodes with an active edge on both sides, (2.21)."""
    lower, upper = active(record)
    return int((lower.any(axis=1) & upper.any(axis=0)).sum())
