"""Training of learnable activation networks for the figures, and such networks in records.

The paper leaves open, and we chose: Levenberg-Marquardt; eight short runs with 5 intervals, compared
on a held-out fifth of the training data; then finer grids. Grids are fixed during a call of `kr.fit`,
so each number of intervals is trained in rounds, and before each round the grids are placed again on
the activations of the training data.

Optimizers work on the parameters themselves (`precondition=None`), as in the paper.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config
from kan_ref.checks import FloatArray
from kan_ref.training.history import Step

SETTINGS = {
    "degree": 3,
    "grids": [5, 10, 20],
    "n_starts": 8,
    "start_steps": 60,
    "n_rounds": 3,
    "round_steps": 20,
}
VALIDATION = 0.2
DIGITS = 6  # significant ones of a stored number

Watch = Callable[[int, Any, Step], None]


def train_lan(
    config: Config, data: kr.Data, rng: np.random.Generator, watch: Watch | None = None
) -> tuple[kr.LAN, list[float]]:
    """Return the network at the end of the finest grid, and the validation errors of the
    initializations.

    `watch(step, network, entry)` is called at every step of the chosen initialization and of all that follows.
    """
    part = _set_aside(data, rng)
    starts: list[tuple[float, int, kr.LAN, list[Step]]] = []
    for _ in range(config["n_starts"]):
        lan = kr.init_lan(
            config["widths"],
            n_intervals=config["grids"][0],
            degree=config["degree"],
            domain=part.x_train,
            rng=rng,
        )
        seen: list[Step] = []
        run = kr.fit(
            lan,
            part,
            optimizer="lm",
            n_steps=config["start_steps"],
            callback=seen.append,
            precondition=None,
        )
        starts.append((float(run.history.test_rmse[-1]), len(starts), run.network, seen))
    _, _, lan, seen = min(starts, key=lambda start: start[:2])
    steps = 0
    for entry in seen:
        steps = entry.step
        if watch is not None:
            watch(steps, entry.network, entry)
    for n_intervals in config["grids"]:
        for _ in range(config["n_rounds"]):
            lan, before = kr.update_lan_grids(lan, data.x_train, n_intervals=n_intervals), steps

            def report(entry: Step, before: int = before) -> None:
                if watch is not None and entry.step:
                    watch(before + entry.step, entry.network, entry)

            run = kr.fit(
                lan,
                data,
                optimizer="lm",
                n_steps=config["round_steps"],
                callback=report,
                precondition=None,
            )
            lan, steps = run.network, before + int(run.history.step[-1])
    return lan, [start[0] for start in starts]


def _set_aside(data: kr.Data, rng: np.random.Generator) -> kr.Data:
    order = rng.permutation(len(data.x_train))
    aside, kept = np.split(order, [int(VALIDATION * len(order))])
    return kr.Data(data.x_train[kept], data.y_train[kept], data.x_train[aside], data.y_train[aside])


def purity(lan: kr.LAN, x: FloatArray) -> list[float]:
    """Return for each node of the first hidden layer the fraction of its strongest input: |w| times
    the input's standard deviation, over the sum.
    """
    strength = np.abs(lan.weights[0]) * x.std(axis=0)
    return [float(share) for share in strength.max(axis=1) / strength.sum(axis=1)]


# --- in records


def stored_lan(lan: kr.LAN) -> dict[str, Any]:
    """Return the network as plain data, rounded to the precision of a picture."""
    parts = {
        name: [_rounded(array) for array in getattr(lan, name)]
        for name in ("weights", "biases", "coefs", "knots")
    }
    return {**parts, "degree": lan.degree, "base": lan.base}


def _rounded(array: FloatArray) -> Any:
    return (
        np.array([float(f"{number:.{DIGITS}g}") for number in array.ravel()])
        .reshape(array.shape)
        .tolist()
    )


def restored_lan(document: dict[str, Any]) -> kr.LAN:
    """Return the network of a document, for drawing."""
    parts = {
        name: tuple(np.array(array) for array in document[name])
        for name in ("weights", "biases", "coefs", "knots")
    }
    return kr.LAN(**parts, degree=document["degree"], base=document["base"])


def shape_with_params(lan: kr.LAN, form: Sequence[int], most: int = 200) -> int:
    """Return the width w at which an MLP of widths `form`, where 0 means w, has about as many
    parameters as the network.
    """
    sizes = []
    for width in range(1, most):
        widths = [width if n == 0 else n for n in form]
        sizes.append(sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths)))
    return 1 + int(np.argmin(np.abs(np.array(sizes) - lan.n_params)))
