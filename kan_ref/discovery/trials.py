"""Judging a structure, a choice of nodes and edges, by what its splines can reach: the refined validation error.

    (G4)  e(s) = min over grids G of the validation error after training on G, never at one G: on a coarse grid a right but
          small structure looks worse than a wrong and rich one, because splines make up for nodes
    (G6)  beside the least error e of other structures e(s) is allowed up to allowed * e, and up to 10 e if it was still falling fast
          on the last grid: then the grid sets it, not the structure

Every fifth training sample is set aside and decides; test data are only reported.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.data import Data
from kan_ref.network import Network, network_values
from kan_ref.training import fit

LADDER = (5, 10, 20, 50)
WORTH = 0.7  # a finer grid goes on only if it brings the error below this share of the one before
FALLING = 10.0  # how far behind a structure may be whose error falls by more than 1 / WORTH^4 at the last grid
MOST_PARAMETERS = 0.6  # of the number of training samples: finer grids are not tried
SET_ASIDE = 5  # every fifth sample


@dataclass(frozen=True, eq=False)
class Trial:
    """One structure that was tried.

    `what` was done; `network`: refined; `validation_rmse`; `falling`: whether that error was still falling fast on the last grid;
    `kept`: whether the search went on from it.
    """

    what: str
    network: Network
    validation_rmse: float
    falling: bool = False
    kept: bool = True

    def allowed_by(self, least: float, allowed: float) -> bool:
        """(G6) against the least error."""
        # [eq:allowed-error]
        return self.validation_rmse <= (max(allowed, FALLING) if self.falling else allowed) * least
        # [/eq:allowed-error]

    def __repr__(self) -> str:
        word = "kept" if self.kept else "not kept"
        return f"{self.what}: {list(self.network.widths)}, validation_rmse {self.validation_rmse:.2e}, {word}"


@dataclass(frozen=True)
class Search:
    """What every trial of one elimination shares."""

    data: Data  # its test part are the samples set aside
    n_steps: int
    ladder: tuple[int, ...]
    smoothness_weight: float
    rng: np.random.Generator | None = None
    report: Callable[[Trial], None] = lambda trial: None

    def trained(self, network: Network, n_intervals: int) -> tuple[Network, float]:
        """The network after Levenberg-Marquardt on one grid, on its own where that is finer, and its validation error."""
        n_intervals = max(n_intervals, *(layer.n_intervals for layer in network.layers))
        options = {
            "optimizer": "lm",
            "n_steps": self.n_steps,
            "smoothness_weight": self.smoothness_weight,
        }
        run = fit(network, self.data, grids=(n_intervals,), **options)  # type: ignore[arg-type]  # a dict of mixed values
        if run.interrupted:
            raise KeyboardInterrupt
        return run.network, self.error(run.network)

    def error(self, network: Network) -> float:
        """Root mean square error on the samples set aside; infinite where a formula is not defined."""
        left = network_values(network, self.data.x_test) - self.data.y_test
        value = float(np.sqrt(np.mean(left**2)))
        return value if np.isfinite(value) else np.inf

    def refined(self, what: str, network: Network, kept: bool = True) -> Trial:
        """(G4): the best over the grids of the ladder, going on while a finer one pays."""
        best, least, falling = network, self.error(network), False
        finest = max(layer.n_intervals for layer in network.layers)
        for place, n_intervals in enumerate(
            [count for count in self.ladder if count >= finest] or [finest]
        ):
            if place and network.n_active_params * n_intervals > self.most(network):
                break
            network, error = self.trained(network, n_intervals)
            worth, falling = error < WORTH * least, error < WORTH**4 * least
            if error < least:
                best, least = network, error
            if place and not worth:
                break
        return Trial(what, best, least, falling, kept)

    def most(self, network: Network) -> float:
        """Largest number of parameters times intervals that the samples can carry."""
        return (
            MOST_PARAMETERS
            * len(self.data.x_train)
            * max(layer.n_intervals for layer in network.layers)
        )


def set_aside(data: Data) -> Data:
    """Training data with every fifth sample in the place of the test part."""
    aside = np.zeros(len(data.x_train), dtype=bool)
    aside[SET_ASIDE - 1 :: SET_ASIDE] = True
    if not aside.any():
        return Data(data.x_train, data.y_train, data.x_train, data.y_train)
    return Data(
        data.x_train[~aside], data.y_train[~aside], data.x_train[aside], data.y_train[aside]
    )
