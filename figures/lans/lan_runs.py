"""Learnable activation networks of the figures: training, such networks in records, and their diagrams.

The paper leaves open, and we chose: Levenberg-Marquardt; eight short runs with 5 intervals, compared
on a held-out fifth of the training data; then finer grids. Grids are fixed during a call of `kr.fit`,
so each number of intervals is trained in rounds, and before each round the grids are placed again on
the activations of the training data.

Optimizers work on the parameters themselves, as in the paper.

A diagram has the inputs at the bottom, a box with its curve at every hidden node, and weights as lines. A line is blue where its weight is positive and orange where it is negative, and its width and opacity grow with |w| times
the standard deviation of its input, relative to the largest in its layer.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

import kan_ref as kr
from figures.machine.machine import Config
from figures.machine.pictures import BLUE, GREY, VERMILION
from kan_ref.baselines.lan import pre_activations
from kan_ref.checks import FloatArray
from kan_ref.training import Step, hold_out

SETTINGS = {"degree": 3, "grids": [5, 10, 20], "n_starts": 8, "start_steps": 60, "n_rounds": 3, "round_steps": 20}
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
    part = hold_out(data, VALIDATION, rng)
    starts: list[tuple[float, int, kr.LAN, list[Step]]] = []
    for _ in range(config["n_starts"]):
        lan = kr.init_lan(
            config["widths"], n_intervals=config["grids"][0], degree=config["degree"], domain=part.x_train, rng=rng
        )
        seen: list[Step] = []
        run = kr.fit(lan, part, optimizer="lm", n_steps=config["start_steps"], callback=seen.append)
        starts.append((run.test_rmse, len(starts), run.network, seen))
    _, _, lan, seen = min(starts, key=lambda start: start[:2])
    steps = 0
    for entry in seen:
        steps = entry.step
        if watch is not None:
            watch(steps, entry.network, entry)
    for n_intervals in config["grids"]:
        for _ in range(config["n_rounds"]):
            lan, before = kr.update_grid(lan, data.x_train, n_intervals=n_intervals), steps

            def report(entry: Step, before: int = before) -> None:
                if watch is not None and entry.step:
                    watch(before + entry.step, entry.network, entry)

            run = kr.fit(lan, data, optimizer="lm", n_steps=config["round_steps"], callback=report)
            lan, steps = run.network, before + int(run.history.step[-1])
    return lan, [start[0] for start in starts]


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
        name: [_rounded(array) for array in getattr(lan, name)] for name in ("weights", "biases", "coefs", "knots")
    }
    return {**parts, "degree": lan.degree, "base": lan.base}


def _rounded(array: FloatArray) -> Any:
    return np.array([float(f"{number:.{DIGITS}g}") for number in array.ravel()]).reshape(array.shape).tolist()


def restored_lan(document: dict[str, Any]) -> kr.LAN:
    """Return the network of a document, for drawing."""
    parts = {
        name: tuple(np.array(array) for array in document[name]) for name in ("weights", "biases", "coefs", "knots")
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


INK = "#1a1a1a"
WIDEST, FAINTEST = 2.6, 0.08  # points; opacity
BOX, TALL = (0.86, 0.5)  # a box's width relative to the space of a node; its height is at most `TALL` of a layer's
N_POINTS = 120


def draw_lan(
    ax: Axes, lan: kr.LAN, x: FloatArray, *, names: Sequence[str], output_names: Sequence[str], widest_box: float = 0.2
) -> None:
    """Draw into the unit square of an Axes; samples x (n, n_in) determine the range of the curves."""
    ax.set_axis_off()
    ax.set(xlim=(0.0, 1.0), ylim=(-0.12, 1.12))
    hidden = pre_activations(lan, x)
    flow = [x, *(lan.curves(number, z)[0] for number, z in enumerate(hidden[:-1]))]
    places = [(np.arange(width) + 0.5) / width for width in lan.widths]
    heights = np.linspace(0.0, 1.0, len(lan.widths))
    half = 0.5 * TALL * heights[1] if len(heights) > 2 else 0.0
    for number, weight in enumerate(lan.weights):
        low, high = (
            heights[level] + (half if sign > 0 else -half) * (0 < level < len(lan.rows) + 1)
            for level, sign in ((number, 1), (number + 1, -1))
        )
        _draw_weights(ax, weight * flow[number].std(axis=0), places[number], places[number + 1], low, high)
    for number, z in enumerate(hidden[:-1]):
        width = min(BOX / lan.widths[number + 1], widest_box)
        for node, center in enumerate(places[number + 1]):
            _draw_curve(ax, lan, number, node, z, (center - width / 2, heights[number + 1] - half, width, 2 * half))
    for level, some, sign in ((0, names, -1), (len(heights) - 1, output_names, 1)):
        for center, name in zip(places[level], some, strict=True):
            ax.plot(center, heights[level], "o", color=INK, ms=4, zorder=3)
            ax.text(
                center, heights[level] + sign * 0.04, name, ha="center", va="bottom" if sign > 0 else "top", fontsize=9
            )


def _draw_weights(
    ax: Axes, strength: FloatArray, sources: FloatArray, targets: FloatArray, low: float, high: float
) -> None:
    size = np.abs(strength) / max(float(np.abs(strength).max()), 1e-300)
    lines, colors, widths = [], [], []
    for j, i in np.ndindex(*strength.shape):
        lines.append(np.array([(sources[i], low), (targets[j], high)]))
        colors.append(
            to_rgba(BLUE if strength[j, i] >= 0 else VERMILION, FAINTEST + (1.0 - FAINTEST) * float(size[j, i]))
        )
        widths.append(0.4 + (WIDEST - 0.4) * size[j, i])
    ax.add_collection(LineCollection(lines, colors=colors, linewidths=widths, zorder=1))


def _draw_curve(
    ax: Axes, lan: kr.LAN, number: int, node: int, z: FloatArray, box: tuple[float, float, float, float]
) -> None:
    line = np.linspace(z[:, node].min(), z[:, node].max(), N_POINTS)
    values = lan.curves(number, np.tile(line[:, None], (1, z.shape[1])))[0][:, node]
    left, bottom, width, height = box
    ax.add_patch(Rectangle((left, bottom), width, height, facecolor="white", edgecolor=GREY, lw=0.8, zorder=2))
    scaled = (values - values.min()) / max(float(np.ptp(values)), 1e-300)
    across = left + width * (0.1 + 0.8 * np.linspace(0.0, 1.0, N_POINTS))
    ax.plot(across, bottom + height * (0.12 + 0.76 * scaled), color=INK, lw=1.3, zorder=3, solid_capstyle="round")
