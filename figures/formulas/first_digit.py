"""From a number in [0, 1] to its first decimal digit: ten splines that should be bumps, the j-th over [j/10, (j+1)/10].

Liu et al. 2024, section 4.1, panel (c) of Fig. 4.1: 0.0618 becomes (1, 0, ..., 0), 0.314 becomes (0, 0, 0, 1, 0, ..., 0). The
paper leaves open, and we chose before the first full run: a [1,10] network, numbers uniform on [0, 1], least squares on the one-hot targets, and
20 intervals, two a digit.

Optimizers work on the parameters themselves (`precondition=None`), as in the paper.
"""

import time
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config, Record
from figures.machine.stored_network import stored
from kan_ref.checks import FloatArray, IntArray

PANEL = "c"
N_DIGITS = 10
HALF = 0.5  # of its height: where a bump begins
SECONDS = 0.2
SETTINGS = {
    "n_train": 1000,
    "n_test": 1000,
    "n_intervals": 20,
    "smoothness_weight": 1e-8,
    "n_steps": 10,
}


def config_of(seed: int) -> Config:
    """Return the configuration of a run."""
    return {"panel": PANEL, "box": [[0.0, 1.0]], "widths": [1, N_DIGITS], **SETTINGS, "seed": seed}


def first_digit(x: FloatArray) -> IntArray:
    """Return the first digit (n,) of numbers (n, 1) in [0, 1)."""
    return np.floor(N_DIGITS * x[:, 0]).astype(np.int_)


def learn(config: Config) -> dict[str, Any]:
    """Train a network from a seed; return the positions of its curves' bumps."""
    rng = np.random.default_rng(config["seed"])
    low, high = config["box"][0]
    x, x_test = (rng.uniform(low, high, (config[count], 1)) for count in ("n_train", "n_test"))
    one_hot = np.eye(N_DIGITS)
    data = kr.Data(x, one_hot[first_digit(x)], x_test, one_hot[first_digit(x_test)])
    began = time.process_time()
    network = kr.init_network(
        config["widths"], n_intervals=config["n_intervals"], degree=3, domain=config["box"], rng=rng
    )
    options = {"n_steps": config["n_steps"], "smoothness_weight": config["smoothness_weight"]}
    network = kr.fit(network, data, optimizer="lm", **options, precondition=None).network
    seconds = time.process_time() - began
    return {
        **bumps(network),
        "accuracy": float(np.mean(np.argmax(network(x_test), axis=1) == first_digit(x_test))),
        "network": stored(network),
        "seconds": round(seconds, 3),
    }


def bumps(network: kr.Network) -> dict[str, list[float]]:
    """Return for each digit's curve the position of its peak, and the ends of the region above half
    its height.
    """
    line = np.linspace(0.0, 1.0, 2001)
    curves = network(line[:, None])
    tall = curves > HALF * curves.max(axis=0)
    found = {
        "peaks": curves.argmax(axis=0),
        "left": tall.argmax(axis=0),
        "right": len(line) - 1 - tall[::-1].argmax(axis=0),
    }
    return {name: [float(line[place]) for place in places] for name, places in found.items()}


def located(record: Record) -> list[bool]:
    """Return for each digit whether its curve peaks over it, and exceeds half its height there
    alone, within half a digit.
    """
    peaks, left, right = (np.array(record["results"][name]) for name in ("peaks", "left", "right"))
    low, high = np.arange(N_DIGITS) / N_DIGITS, (np.arange(N_DIGITS) + 1.0) / N_DIGITS
    near = 0.5 / N_DIGITS
    return [
        bool(one)
        for one in (peaks >= low) & (peaks <= high) & (left >= low - near) & (right <= high + near)
    ]
