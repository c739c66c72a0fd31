"""Theorem 2.1, measured: derivatives of a spline network converge to those of the function at the rate of the theory.

Liu et al. 2024, Theorem 2.1: if f = (Phi_{L-1} o ... o Phi_0) x with (k+1)-times continuously differentiable curves, there
are splines of degree k on G intervals for each curve, with

    (R1)  || f - (Phi^G_{L-1} o ... o Phi^G_0) x ||_{C^m} <= C G^{-k-1+m}        for 0 <= m <= k
    (R2)  || g ||_{C^m} = max over |beta| <= m of sup |D^beta g|

Here f(x, y) = exp(sin(pi x) + y^2) on [-1, 1]^2 with its own curves sin(pi x), y^2 and exp, each replaced by its least-squares
spline. Derivatives of F = Phi(u), u = a(x) + b(y), follow from the chain rule with the partial Bell polynomials
B_{n,p} (Faa di Bruno's formula; Comtet, Advanced Combinatorics, section 3.4, theorem A):

    (R3)  d^i_x d^j_y F = sum_{p <= i, q <= j} Phi^(p+q)(u) B_{i,p}(a', a'', ...) B_{j,q}(b', b'', ...)
    (R4)  B_{n,p} = sum_{s=1}^{n-p+1} binom(n-1, s-1) g^(s) B_{n-s,p-1},   B_{0,0} = 1

The k-th derivatives of a spline jump at its knots; the supremum is over points between them.
"""

from collections.abc import Callable, Sequence
from math import comb, factorial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Claim, Config, Record, all_bar, slope
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, label_grids
from kan_ref.checks import FloatArray

NAME = "theorem-2.1"
TITLE = "the rates of Theorem 2.1"
DEGREES = (1, 2, 3, 4, 5)
COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, "k")
HIDDEN = (-1.1, 2.1)  # holds u = sin(pi x) + y^2, which is in [-1, 2], and the spline errors of it
PER_BASIS = 6  # points of a least-squares fit for each of its B-splines
POINTS_AT_ONCE = 20000  # basis matrices are dense
FLOOR = 1e2  # an error below so many rounding errors of its two terms says nothing about the rate
CLOSE = 0.25  # tolerance of a measured slope

Curve = Callable[[FloatArray, int], FloatArray]


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each degree."""
    grids = [4, 8, 16, 32, 64, 128, 256] if full else [4, 8, 16, 32, 64]
    return [{"degree": degree, "grids": grids, "n_points": 401 if full else 151} for degree in DEGREES]


# --- the exact curves and their derivatives


def _sine(x: FloatArray, order: int) -> FloatArray:
    return np.asarray(np.pi**order * np.sin(np.pi * x + 0.5 * np.pi * order))


def _square(x: FloatArray, order: int) -> FloatArray:
    return np.asarray([x**2, 2.0 * x, np.full_like(x, 2.0)][order] if order <= 2 else np.zeros_like(x))


def _exponential(x: FloatArray, order: int) -> FloatArray:
    return np.asarray(np.exp(x))


def spline_of(curve: Curve, low: float, high: float, n_intervals: int, degree: int) -> Curve:
    """Return the least-squares spline of a curve on an even grid over [low, high], with its
    derivatives.
    """
    knots = kr.uniform_knots(low, high, n_intervals, degree)
    points = np.linspace(low, high, PER_BASIS * (n_intervals + degree))
    coef = kr.fit_curve(points, curve(points, 0)[:, None], knots=knots[0], degree=degree).coef[0]

    def derivative(x: FloatArray, order: int) -> FloatArray:
        parts = np.array_split(x.reshape(-1, 1), -(-x.size // POINTS_AT_ONCE))
        values = [kr.bspline.basis(part, knots, degree, order)[:, 0] @ coef for part in parts]
        return np.asarray(np.concatenate(values).reshape(x.shape))

    return derivative


# --- the composition


def bell(slopes: Sequence[FloatArray], n_orders: int) -> list[list[FloatArray]]:
    """Return B_{n,p} for n, p < n_orders at derivatives g', g'', ..., (R4): `bell(...)[n][p]` is an
    array like each of `slopes`.
    """
    one, zero = np.ones_like(slopes[0]), np.zeros_like(slopes[0])
    table = [[one if n == p == 0 else zero for p in range(n_orders)] for n in range(n_orders)]
    for n in range(1, n_orders):
        for p in range(1, n + 1):
            # [eq:partial-bell]
            table[n][p] = np.sum(
                [comb(n - 1, s - 1) * slopes[s - 1] * table[n - s][p - 1] for s in range(1, n - p + 2)], axis=0
            )
            # [/eq:partial-bell]
    return table


def mixed_derivatives(
    first: Curve, second: Curve, outer: Curve, x: FloatArray, y: FloatArray, order: int
) -> dict[tuple[int, int], FloatArray]:
    """Return d^i_x d^j_y outer(first(x) + second(y)) for i + j <= order on the grid x (n,), y (m,),
    as arrays (n, m), by (R3).
    """
    u = first(x, 0)[:, None] + second(y, 0)[None, :]
    outer_values = [outer(u, r) for r in range(order + 1)]
    bells = [
        bell([curve(points, s) for s in range(1, order + 2)], order + 1) for curve, points in ((first, x), (second, y))
    ]
    derivatives = {}
    for i in range(order + 1):
        for j in range(order + 1 - i):
            total = np.zeros_like(u)
            # [eq:faa-di-bruno]
            for p in range(i + 1):
                for q in range(j + 1):
                    total += outer_values[p + q] * bells[0][i][p][:, None] * bells[1][j][q][None, :]
            # [/eq:faa-di-bruno]
            derivatives[i, j] = total
    return derivatives


def run(config: Config) -> dict[str, Any]:
    """Return C^m errors, [m][grid], and the rounding error below which they are meaningless."""
    degree = config["degree"]
    # even points, shifted so that none is a knot of any grid
    points = np.linspace(-1.0, 1.0, config["n_points"], endpoint=False) + 1.0 / (np.pi * config["n_points"])
    exact = mixed_derivatives(_sine, _square, _exponential, points, points, degree)
    sizes = [max(np.abs(exact[i, j]).max() for i, j in exact if i + j <= m) for m in range(degree + 1)]
    errors = []
    for n_intervals in config["grids"]:
        curves = [
            spline_of(curve, low, high, n_intervals, degree)
            for curve, (low, high) in ((_sine, (-1.0, 1.0)), (_square, (-1.0, 1.0)), (_exponential, HIDDEN))
        ]
        found = mixed_derivatives(curves[0], curves[1], curves[2], points, points, degree)
        worst = {beta: float(np.abs(found[beta] - exact[beta]).max()) for beta in exact}
        # [eq:c-m-norm]
        errors.append([max(value for (i, j), value in worst.items() if i + j <= m) for m in range(degree + 1)])
        # [/eq:c-m-norm]
    eps = float(np.finfo(np.float64).eps)
    floors = [
        [FLOOR * eps * (size + float(grid) ** m * factorial(m)) for grid in config["grids"]]
        for m, size in enumerate(sizes)
    ]
    return {"errors": np.array(errors).T.tolist(), "floors": floors}


def rates(record: Record) -> list[tuple[float, int]]:
    """Return slope and number of grids for each m, from the four finest grids whose error is above
    rounding.
    """
    grids, results = record["config"]["grids"], record["results"]
    found = []
    for errors, floors in zip(results["errors"], results["floors"], strict=True):
        usable = [place for place in range(len(grids)) if errors[place] > floors[place]][-4:]
        found.append((slope(grids, errors, grids[usable[0]], grids[usable[-1]]), len(usable)))
    return found


def draw(records: Sequence[Record]) -> Figure:
    """Draw a panel for each degree: measured C^m errors against G, and the lines of the theorem."""
    picture = Figure(figsize=(8.2, 10.4))
    axes = picture.subplots(3, 2)
    for ax, record in zip(axes.flat, records, strict=False):
        grids, degree = record["config"]["grids"], record["config"]["degree"]
        label_grids(ax, grids)
        ax.set_yscale("log")
        for m, ((measured, _), errors, floors) in enumerate(
            zip(rates(record), record["results"]["errors"], record["results"]["floors"], strict=True)
        ):
            above = [place for place in range(len(grids)) if errors[place] > floors[place]]
            rate, last = degree + 1 - m, above[-1]
            ax.plot(grids, errors, "o", color=COLORS[m], mfc="none", alpha=0.5)
            ax.plot(
                [grids[n] for n in above],
                [errors[n] for n in above],
                "o",
                color=COLORS[m],
                label=f"$m = {m}$:  ${measured:.2f}$",
            )
            ax.plot(
                grids, [errors[last] * (grids[last] / grid) ** rate for grid in grids], color=COLORS[m], lw=1.0, ls="--"
            )
        theory = ", ".join(f"${m - degree - 1}$" for m in range(degree + 1))
        ax.set_title(f"degree $k = {degree}$: theory {theory}")
        low, high = ax.get_ylim()
        ax.set_ylim(low * (low / high) ** (0.1 + 0.05 * degree), high)  # room for the legend
        ax.set_ylabel(r"$\|f - f_G\|_{C^m}$")
        ax.legend(title="measured slope", loc="lower left", title_fontsize=9, handlelength=1.0, labelspacing=0.3)
    for ax in axes.flat[len(records) :]:
        ax.set_axis_off()
    note = (
        r"$f(x, y) = \exp(\sin(\pi x) + y^2)$ on $[-1, 1]^2$"
        + "\nits own curves, each replaced by its\nleast-squares spline on $G$ intervals\n\n"
        "filled: above rounding; slopes over the finest four\nhollow: within rounding\n"
        r"dashed: $C\, G^{-(k+1-m)}$ through the last filled point"
    )
    axes.flat[-1].text(
        0.02, 0.9, note, transform=axes.flat[-1].transAxes, va="top", fontsize=11, color=GREY, linespacing=1.6
    )
    return picture


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return one row for each degree."""
    rows = []
    for record in records:
        degree, measured = record["config"]["degree"], rates(record)
        theory = [m - degree - 1 for m in range(degree + 1)]
        good = [value <= wanted + CLOSE for (value, _), wanted in zip(measured, theory, strict=True)]
        rows.append(
            Claim(
                f"degree {degree}: the C^m error falls as G^-(k+1-m), m = 0..{degree}",
                "Theorem 2.1: at least " + ", ".join(map(str, theory)),
                ", ".join(f"{value:.2f}" for value, _ in measured),
                all_bar(good),
                f"slopes over the {min(n for _, n in measured)} finest grids whose errors are above rounding, G up to "
                f"{record['config']['grids'][-1]}; supremum over {record['config']['n_points']}^2 points; slopes at most {CLOSE:g} above the theorem's",
            )
        )
    return rows
