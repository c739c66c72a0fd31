"""Fig. 2.2: the notation of a network, and a spline curve as a sum of scaled B-splines, and the same curve on a finer grid.

Liu et al. 2024, section 2.4: the grid t_0 = a, ..., t_G = b with k more knots on both sides, t_{-k}, ..., t_{G+k}, carries
G + k B-splines; B_i is nonzero on [t_{-k+i}, t_{i+1}] alone, i = 0, ..., G + k - 1. Eq. (2.16) finds the coefficients on a
finer grid by least squares; where the finer grid keeps the old points, knot insertion finds them exactly.

The left part shows the notation of activations that flow through a network (section 2.2): x_{l,i} is the value of node i of layer l, the activation function phi_{l,j,i} leads from it to node j of the next
layer, and x_{l+1,j} is the sum of phi_{l,j,i}(x_{l,i}) over i (eq. 2.5). Indices begin at 1 for nodes and at 0 for layers.
"""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, all_bar
from figures.machine.pictures import BLUE, GREY
from kan_ref.bspline.curve_fit import move_coefficients
from kan_ref.bspline.knots import extended_knots, refined_breakpoints
from kan_ref.checks import FloatArray

NAME = "2.2"
TITLE = "B-splines on a coarse and a fine grid"
ROUNDING = 1e-13


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return the only configuration; nothing in it depends on chance."""
    return [
        {
            "degree": 3,
            "domain": [-1.0, 1.0],
            "n_intervals": 5,
            "finer": 10,
            "coef": [0.3, 0.9, 0.55, -0.35, -0.75, 0.1, 0.95, 0.6],
            "n_points": 501,
            "n_samples": 200,
        }
    ]


def run(config: Config) -> dict[str, Any]:
    """Return both knot vectors with all B-splines on them, the coefficients found in two ways, and
    their differences.
    """
    degree, (low, high) = config["degree"], config["domain"]
    coarse = kr.uniform_knots(low, high, config["n_intervals"], degree)
    fine = extended_knots(refined_breakpoints(coarse[:, degree:-degree], config["finer"]), degree)
    coef = np.array(config["coef"])
    inserted = move_coefficients(coarse, degree, coef[None, None], fine)[0, 0]
    samples = np.linspace(low, high, config["n_samples"])
    values = kr.bspline.basis(samples[:, None], coarse, degree)[:, 0] @ coef
    fitted = kr.fit_curve(samples, values[:, None], knots=fine[0], degree=degree).coef[0]

    points = np.linspace(coarse[0, 0], coarse[0, -1], config["n_points"])
    grids, curves = [], []
    for knots, coefficients in ((coarse, coef), (fine, inserted)):
        basis = kr.bspline.basis(points[:, None], knots, degree)[:, 0]
        outside = [
            np.abs(column[(points <= knots[0, m]) | (points >= knots[0, m + degree + 1])]).max(initial=0.0)
            for m, column in enumerate(basis.T)
        ]
        curves.append(basis @ coefficients)
        grids.append(
            {
                "knots": knots[0].tolist(),
                "scaled_bases": [[float(f"{value:.6g}") for value in row] for row in (basis * coefficients).T],
                "n_basis": basis.shape[1],
                "outside_support": float(max(outside)),
            }
        )
    inside = (points >= low) & (points <= high)
    return {
        "points": [float(f"{value:.6g}") for value in points],
        "grids": grids,
        "difference_of_curves": float(np.abs(curves[0] - curves[1])[inside].max()),
        "difference_of_coefficients": float(np.abs(inserted - fitted).max()),
    }


def draw(records: Sequence[Record]) -> Figure:
    """Draw the notation; below it the coarse grid, then the fine one: knots, scaled B-splines, and the
    curve that is their sum.
    """
    config, results = records[0]["config"], records[0]["results"]
    picture = Figure(figsize=(7.6, 9.2))
    halves: Any = picture.subfigures(2, 1, height_ratios=(1.0, 1.95))
    above, below = halves
    draw_notation(above.subplots())
    axes = below.subplots(2, 1, sharex=True, sharey=True)
    for ax, grid in zip(axes, results["grids"], strict=True):
        _draw_grid(ax, np.array(results["points"]), grid, config["degree"])
    axes[1].set_xlabel("$x$")
    return picture


def _draw_grid(ax: Axes, points: FloatArray, grid: dict[str, Any], degree: int) -> None:
    knots, scaled = np.array(grid["knots"]), np.array(grid["scaled_bases"])
    n_intervals = len(knots) - 2 * degree - 1
    a, b = knots[degree], knots[-degree - 1]
    inside = (points >= a) & (points <= b)
    curve = scaled.sum(axis=0)
    ax.axvspan(a, b, color="0.955", lw=0)
    ax.axhline(0.0, color="0.7", lw=0.8)
    for values in scaled:
        live = values != 0
        ax.plot(points[live], values[live], lw=1.3)
    row = (points >= knots[0]) & (points <= knots[-1])
    ax.plot(points[row], curve[row], color="k", lw=1.4, ls=":")
    ax.plot(points[inside], curve[inside], color="k", lw=2.6)
    floor, last = -0.8, len(knots) - 1
    named = range(len(knots)) if n_intervals <= 6 else (0, degree, degree + 1, last - degree - 1, last - degree, last)
    for place, knot in enumerate(knots):
        outer = place < degree or place > last - degree
        color, size, width = (GREY, 9, 1.2) if outer else ("k", 13, 1.8)
        ax.plot(knot, floor, "|", color=color, ms=size, mew=width, clip_on=False)
        if place in named:
            ax.text(knot, floor - 0.1, f"$t_{{{place - degree}}}$", ha="center", va="top", color=color, fontsize=10)
    splines = f"degree $k = {degree}$: $G + k = {len(scaled)}$ scaled B-splines and their sum"
    ax.set(title=f"$G = {n_intervals}$ intervals, {splines}", ylim=(floor, 0.95))
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0, pad=22)
    ax.set_ylabel("$c_i B_i(x)$ and their sum")
    for middle, text in ((a + b, "$[a, b]$"), (knots[0] + a, "decay"), (b + knots[-1], "decay")):
        ax.text(0.5 * middle, 0.93, text, ha="center", va="top", color=GREY)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return rows on the number and the support of the B-splines, and on the curve on the finer
    grid.
    """
    config, results = records[0]["config"], records[0]["results"]
    degree = config["degree"]
    counts = [(grid["n_basis"], len(grid["knots"]) - 2 * degree - 1) for grid in results["grids"]]
    outside = max(grid["outside_support"] for grid in results["grids"])
    kept, found = results["difference_of_curves"], results["difference_of_coefficients"]
    return [
        Claim(
            "a grid of G intervals carries G + k B-splines",
            "G + k",
            ", ".join(f"{n} at G = {g}" for n, g in counts),
            all_bar([n == g + degree for n, g in counts]),
            f"k = {degree}, columns of the design matrix; grids",
        ),
        Claim(
            "B_i is nonzero only on [t_{-k+i}, t_{i+1}]",
            "0 outside",
            "exactly 0 outside" if outside == 0.0 else f"up to {outside:.0e} outside",
            Bar(outside, 0.0, most=True, form=".0e"),
            f"{config['n_points']} points of the whole knot vector, both grids; largest value outside",
        ),
        Claim(
            "the fine grid represents the curve of the coarse grid too",
            "least squares (2.16)",
            f"kept to {kept:.0e} on [a, b]; (2.16) gives the coefficients of knot insertion to {found:.0e}",
            Bar(max(kept, found), ROUNDING, most=True, form=".0e"),
            f"G = {counts[0][1]} to {counts[1][1]}, (2.16) on {config['n_samples']} even samples; larger difference",
        ),
    ]


# --- notation

WIDTHS = (2, 3, 1)


def draw_notation(ax: Axes) -> None:
    """Draw a [2,3,1] network whose nodes and edges carry their names."""
    ax.set_axis_off()
    ax.set(xlim=(-1.15, 1.15), ylim=(-0.35, len(WIDTHS) - 0.6))
    nodes = [[2.0 * (i + 0.5) / n - 1.0 for i in range(n)] for n in WIDTHS]
    label: dict[str, Any] = {"size": 10, "color": BLUE, "bbox": {"fc": "white", "ec": "none", "pad": 1.0}, "zorder": 2}
    for level, (low, high) in enumerate(pairwise(nodes)):
        # two edges cross in the middle, so the names stand nearer to their own upper node
        share = 0.62 if len(high) == 1 else 0.8
        for (j, x_high), (i, x_low) in product(enumerate(high, 1), enumerate(low, 1)):
            ax.plot([x_low, x_high], [level, level + 1], color="0.75", lw=1.0, zorder=1)
            at = x_low + share * (x_high - x_low)
            ax.text(at, level + share, f"$\\phi_{{{level},{j},{i}}}$", ha="center", va="center", **label)
    for level, row in enumerate(nodes):
        for i, x in enumerate(row, 1):
            ax.plot(x, level, "o", color="k", ms=5, zorder=3)
            off, side = (0.06, "left") if i == len(row) else (-0.06, "right")
            ax.text(x + off, level, f"$x_{{{level},{i}}}$", ha=side, va="center", size=11.5)
    ax.text(0.42, len(WIDTHS) - 0.95, "$x_{l+1,j} = \\sum_i \\phi_{l,j,i}(x_{l,i})$", size=12, color=GREY, va="center")
