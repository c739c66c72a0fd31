"""Fig. 3.1: test error of KANs and MLPs against the number of parameters, for five toy functions.

Liu et al. 2024, section 3.1: KANs come near the slope that Theorem 2.1 gives, -(k + 1) = -4 for k = 3 whatever the number of inputs d;
the errors of MLPs fall slowly and reach a plateau. The dashed lines are those of the paper: -4, and -(k + 1)/d = -4/d of methods that work in d
dimensions. The claims are those of section 3.1.

The paper leaves open, and we chose: 3000 uniform points of [-1, 1]^d to train on and as many to test, the same for every model.
KANs start from the best of several short runs at G = 3, chosen on a fifth of the training data; then follows each number of intervals, with

    L-BFGS                 200 iterations a grid, as in the paper, no penalty
    Levenberg-Marquardt    30 steps a grid, smoothness weight 1e-8. For xy, whose [2,2,1] is exact in cubics, at any G, the minimum is
                           flat and a penalty would only distort the curves: 300 steps, weight 0
    degree 5               the same, smoothness weight 1e-9

and for the function of four inputs also on the shape that an elimination finds, starting from the [4,4,2,1] of the paper's list: nodes
and edges are removed as long as the error on held-out data stays below four times the smallest; then 50 steps a grid from G = 10.
The best possible error: with the curves of the exact form fitted by least squares to 20000 points, on grids with the margins of `kr.fit`,
the test RMSE at G = 50 and degree 3 is 3.0e-7; without margins it is 2.1e-7. The same function is also learnt by the [4,9,1] of two layers,
by Levenberg-Marquardt up to G = 20.

MLPs: depths 2 to 5 (layers of weights), all hidden layers of one width, 5 to 20, with tanh 50 too, from one initialization; 1800 L-BFGS
iterations, as in the paper, or 100 Levenberg-Marquardt steps, these only up to 1100 parameters. One seed each: the best of all shapes and
activations counts.

Optimizers and initializations are the paper's, without scaled variables.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, median, runs_of, seed_count, shape_name, slope, spread
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, draw_band, entry
from figures.machine.training import OPTIMIZERS, best_start, blind, rmse
from kan_ref.checks import FloatArray
from kan_ref.discovery.elimination import VALIDATION_SHARE, Search, run_elimination
from kan_ref.training import hold_out

SEEDS, SEEDS_MLP, SEEDS_TWO_LAYERS = 5, 1, 3
ACTIVATIONS, DEPTHS, WIDTHS = ("tanh", "silu", "relu"), (2, 3, 4, 5), (5, 10, 20)
WIDEST = {"tanh": 50}  # of one activation: they are most of the work
MOST_LM_PARAMS = 1100
SAMPLES = {"n_train": 3000, "n_test": 3000}
ELIMINATION = {"grids": [5, 10], "allowed": 4.0}
N_STEPS = 30  # of the elimination, on each grid
GRIDS = (3, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Toy:
    """A function: its name in `kr.TARGETS`, its formula, the paper's shape, the finest grids of
    L-BFGS and of LM.
    """

    target: str
    latex: str
    plain: str
    widths: tuple[int, ...]
    finest: tuple[int, int]


TOYS = (
    Toy("bessel", "J_0(20x)", "J0(20x)", (1, 1), (500, 500)),
    Toy("exp_sin", r"\exp(\sin(\pi x)+y^2)", "exp(sin(pi x)+y^2)", (2, 1, 1), (200, 200)),
    Toy("product", "xy", "xy", (2, 2, 1), (100, 20)),
    Toy("exp_two_sines", r"\exp(\frac{1}{2}(\sin\pi(x_1^2+x_2^2)+\sin\pi(x_3^2+x_4^2)))",
        "the 4-dimensional one", (4, 4, 2, 1), (50, 50)),
    Toy("exp_mean_sin2", r"\exp(\frac{1}{100}\sum_i\sin^2\frac{\pi x_i}{2})",
        "the 100-dimensional one", (100, 1, 1), (20, 10)),
)  # fmt: skip
DEGREE_5 = ("bessel", "exp_sin")


# --- configurations


def kan_configs(toy: Toy, seed: int, *, full: bool) -> list[Config]:
    """Return the configurations of the KANs of a function and a seed."""
    many = toy.widths[0] > 10
    common = {
        "target": toy.target,
        "model": "kan",
        **SAMPLES,
        "domain": [-1.0, 1.0],
        "n_starts": (2 if full else 1) if many else 8,
        "start_steps": 30,
    }
    exact = toy.target == "product"
    lm: Config = {"optimizer": "lm", "n_steps": 300 if exact else 30, "smoothness_weight": 0.0 if exact else 1e-8}
    lbfgs: Config = {"optimizer": "lbfgs", "n_steps": 200, "smoothness_weight": 0.0}
    paper: Config = {**common, "widths": list(toy.widths), "shape": "paper", "degree": 3, "seed": seed}
    finest = (
        toy.finest
        if full
        else (
            min(toy.finest[0], 10 if many else 100),
            min(toy.finest[1], {"product": 10, "exp_two_sines": 20, "exp_mean_sin2": 5}.get(toy.target, 100)),
        )
    )
    grids = [[grid for grid in GRIDS if grid <= most] for most in finest]
    found = [{**paper, **lbfgs, "grids": grids[0]}, {**paper, **lm, "grids": grids[1]}]
    if toy.target in DEGREE_5:
        found.append(
            {**paper, **lm, "degree": 5, "smoothness_weight": 1e-9, "grids": [grid for grid in grids[1] if grid <= 100]}
        )
    if toy.target == "exp_two_sines" and full:
        two_layers = {"widths": [4, 9, 1], "shape": "two layers", "n_starts": 4}
        if seed < SEEDS_TWO_LAYERS:
            found.append({**paper, **lm, **two_layers, "grids": [3, 5, 10, 20]})
        for degree in (3, 5):
            small = {
                "shape": "eliminated",
                "n_starts": 4,
                "n_steps": 50,
                "smoothness_weight": 1e-9,
                "elimination": ELIMINATION,
            }
            found.append({**paper, **lm, **small, "degree": degree, "grids": [10, 20, 50, 100]})
    return found


def mlp_configs(toy: Toy, seed: int, *, full: bool) -> list[Config]:
    """Return the configurations of the MLPs of a function and a seed."""
    found = []
    n_in, n_out = toy.widths[0], toy.widths[-1]
    for activation in ACTIVATIONS if full else ACTIVATIONS[:1]:
        for depth in DEPTHS if full else DEPTHS[:2]:
            for width in _widths(activation) if full else WIDTHS[:2]:
                widths = [n_in, *[width] * (depth - 1), n_out]
                common = {
                    "target": toy.target,
                    "model": "mlp",
                    **SAMPLES,
                    "activation": activation,
                    "widths": widths,
                    "seed": seed,
                }
                found.append({**common, "optimizer": "lbfgs", "n_steps": 1800 if full else 200})
                if n_params(widths) <= MOST_LM_PARAMS:
                    found.append({**common, "optimizer": "lm", "n_steps": 100 if full else 20})
    return found


def _widths(activation: str) -> tuple[int, ...]:
    return (*WIDTHS, WIDEST[activation]) if activation in WIDEST else WIDTHS


def n_params(widths: Sequence[int]) -> int:
    """Return the number of weights and biases of an MLP."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))


# --- runs


def learn(config: Config) -> dict[str, Any]:
    """Train one model; return its errors and sizes, for a KAN at the end of every grid."""
    rng = np.random.default_rng(config["seed"])
    data = kr.sample(config["target"], n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    return {
        "spread": float(np.std(data.y_test)),
        **(_climb if config["model"] == "kan" else _train_mlp)(config, data, rng),
    }


def _errors(model: Any, data: kr.Data, began: float) -> dict[str, float]:
    errors = {"train_rmse": rmse(model, data.x_train, data.y_train), "test_rmse": rmse(model, data.x_test, data.y_test)}
    return {**errors, "seconds": round(time.process_time() - began, 3)}


def _train_mlp(config: Config, data: kr.Data, rng: np.random.Generator) -> dict[str, Any]:
    mlp = kr.init_mlp(config["widths"], activation=config["activation"], rng=rng)
    began = time.process_time()
    run = kr.fit(mlp, blind(data), optimizer=OPTIMIZERS[config["optimizer"]], n_steps=config["n_steps"])
    return {"n_params": mlp.n_params, **_errors(run.network, data, began), "n_steps": int(run.history.step[-1])}


def _climb(config: Config, data: kr.Data, rng: np.random.Generator) -> dict[str, Any]:
    began = time.process_time()
    weight = config["smoothness_weight"]
    eliminates, grids = config["shape"] == "eliminated", []
    smooth = {"smoothness_weight": weight if eliminates else 0.0}
    network, failed = best_start(config, data, n_intervals=3, rng=rng, **smooth)
    if eliminates:
        network = _eliminated(network, data, config["elimination"], weight)
    options = {"optimizer": OPTIMIZERS[config["optimizer"]], "n_steps": config["n_steps"], "smoothness_weight": weight}
    for n_intervals in config["grids"]:
        network = kr.fit(network, blind(data), grids=(n_intervals,), **options).network
        grids.append({"n_intervals": n_intervals, "n_params": network.n_active_params, **_errors(network, data, began)})
    edges = [[[int(j), int(i)] for j, i in np.argwhere(layer.mask)] for layer in network.layers]
    return {"grids": grids, "n_failed_starts": failed, "widths": list(network.widths), "edges": edges}


def _eliminated(network: kr.Network, data: kr.Data, settings: Config, smoothness_weight: float) -> kr.Network:
    """Return the network after `kr.eliminate`, with a ratio of errors as the rule: the targets have
    no noise, and the grids of the elimination are coarse.
    """
    part, grids = hold_out(data, VALIDATION_SHARE), tuple(settings["grids"])
    search = Search(part, N_STEPS, grids, smoothness_weight, tolerance=np.inf, allowed=settings["allowed"])
    return run_elimination(search, network).network


LBFGS, LM, LM_5 = "L-BFGS", "Levenberg-Marquardt", "Levenberg-Marquardt, degree 5"
ELIMINATED, ELIMINATED_5 = f"{LM}, eliminated", f"{LM}, eliminated, degree 5"
KANS = (LBFGS, LM, LM_5, ELIMINATED, ELIMINATED_5)
TWO_LAYERS = "two layers"
MUCH, WORSE = 10.0, 2.0  # times the error
# target -> range of G over which the slope is taken: from where the curve has left the error of the first grids
SLOPE_RANGES = dict(zip([toy.target for toy in TOYS], ((20, 500), (5, 500), (3, 20), (10, 100), (3, 10)), strict=True))
BARS = {"bessel": -3.85, "exp_sin": -3.85, "exp_mean_sin2": -3.5}  # of the slope, with Levenberg-Marquardt
EXACT, FINE, FINE_GRID = 1e-8, 1e-7, 50  # errors of xy; of the 4-dimensional function at G = 50


def kind_of(record: Record) -> str:
    """Return the kind, of `KANS`, of a record."""
    config = record["config"]
    if config["shape"] == "eliminated":
        return ELIMINATED_5 if config["degree"] == 5 else ELIMINATED
    if config["shape"] == TWO_LAYERS:
        return TWO_LAYERS
    if config["optimizer"] == "lbfgs":
        return LBFGS
    return LM_5 if config["degree"] == 5 else LM


def kan_runs(records: Sequence[Record], toy: Toy, kind: str) -> list[Record]:
    """Return the records of the KANs of one kind on one function, ordered by seed."""
    found = runs_of(records, target=toy.target, model="kan")
    return [record for record in found if kind_of(record) == kind]


def numbers(runs: Sequence[Record], name: str) -> FloatArray:
    """Return one number of every grid of every run, (n_runs, n_grids)."""
    return np.array([[grid[name] for grid in record["results"]["grids"]] for record in runs], dtype=np.float64)


def mlp_medians(records: Sequence[Record], toy: Toy, optimizer: str) -> tuple[FloatArray, FloatArray]:
    """Return sizes and median test errors over seeds of all MLPs of one optimizer on one function,
    ordered by size.
    """
    errors: dict[tuple[int, str, tuple[int, ...]], list[float]] = {}
    for record in records:
        config, results = record["config"], record["results"]
        if (config["model"], config["target"], config["optimizer"]) == ("mlp", toy.target, optimizer):
            key = (int(results["n_params"]), str(config["activation"]), tuple(config["widths"]))
            errors.setdefault(key, []).append(float(results["test_rmse"]))
    keys = sorted(errors)
    return np.array([key[0] for key in keys], dtype=np.float64), np.array([np.median(errors[key]) for key in keys])


def mlp_seeds(records: Sequence[Record]) -> str:
    """Return over how many seeds `mlp_medians` are: "one seed each", or as in "medians over 3 seeds"."""
    seeds = {record["seed"] for record in records if record["config"]["model"] == "mlp"}
    return f"medians over {len(seeds)} seeds" if len(seeds) > 1 else "one seed each"


def frontier(sizes: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return those that no other one beats with at most as many parameters."""
    order = np.lexsort((errors, sizes))
    kept, lowest = [], np.inf
    for place in order:
        if errors[place] < lowest:
            kept.append(place)
            lowest = errors[place]
    return sizes[kept], errors[kept]


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each function the slopes of its KANs, the levels, and the MLPs."""
    rows = []
    for toy in TOYS:
        for kind in KANS:
            runs = kan_runs(records, toy, kind)
            if runs:
                rows += _kan_claims(toy, kind, runs)
        if kan_runs(records, toy, LM):
            rows += _mlp_claims(records, toy) + _depth_claims(records, toy)
    return rows


def _kan_claims(toy: Toy, kind: str, runs: Sequence[Record]) -> list[Claim]:
    grids = [int(grid["n_intervals"]) for grid in runs[0]["results"]["grids"]]
    errors, train, degree = (numbers(runs, "test_rmse"), numbers(runs, "train_rmse"), int(runs[0]["config"]["degree"]))
    low, high = SLOPE_RANGES[toy.target]
    high = min(high, grids[-1])
    slopes = [slope(grids, row, low, high) for row in errors]
    deviation = median([record["results"]["spread"] for record in runs])
    shapes = Counter(shape_name(record["results"]["widths"]) for record in runs)
    shape = (
        ", ".join(f"{name} {count} times" for name, count in shapes.items()) if len(shapes) > 1 else next(iter(shapes))
    )
    if "eliminated" in kind:
        edges = Counter(sum(len(layer) for layer in record["results"]["edges"]) for record in runs)
        shape += f" with {' or '.join(map(str, sorted(edges)))} edges"
    about = f"{toy.plain}, KAN {shape}, {kind}"
    last = errors[:, -1]
    at_last = [spread(values.tolist(), ".1e") for values in (last, last / deviation, train[:, -1])]
    seeds = seed_count(runs)
    evidence = f"{seeds}; G = {low} to {high}; at G = {grids[-1]} test {at_last[0]}, relative to std(y) {at_last[1]}, training {at_last[2]}"
    bar = BARS.get(toy.target, -(degree + 1) + 0.15) if kind != LM_5 else -(degree + 1) + 0.3
    middle = median(slopes)
    rows = []
    if toy.target != "product":  # exact in cubics at any G: there is no slope to have
        judged = Bar(middle, round(bar, 2), round(0.75 * bar, 2), most=True, form=".2f")
        rows.append(
            Claim(
                f"{about}: the slope is near that of Theorem 2.1",
                f"near {-(degree + 1)}" if degree == 3 else f"{-(degree + 1)} (theorem)",
                spread(slopes),
                judged,
                f"{evidence}; median of the slopes {judged.text}",
            )
        )
    if toy.target == "product":
        text = f"{evidence}; the best grid of each seed"
        rows.append(_bar_claim(f"{about}: exact in cubics, whatever G", "not asked", errors.min(axis=1), EXACT, text))
    if "eliminated" in kind and FINE_GRID in grids:
        here, paper = errors[:, grids.index(FINE_GRID)], "5.1e-07 (documentation, one run, k = 3)"
        rows.append(_bar_claim(f"{about}: test RMSE at G = {FINE_GRID}", paper, here, FINE, f"{len(runs)} seeds"))
    return rows


def _bar_claim(about: str, paper: str, errors: FloatArray, bar: float, evidence: str) -> Claim:
    judged = Bar(median(errors), bar, 10.0 * bar, most=True, form=".1e")
    return Claim(about, paper, spread(errors.tolist(), ".1e"), judged, f"{evidence}; median {judged.text}")


def _depth_claims(records: Sequence[Record], toy: Toy) -> list[Claim]:
    """Return the row on two layers against three, each at its best grid; none without runs of two."""
    two, three = (kan_runs(records, toy, kind) for kind in (TWO_LAYERS, LM))
    if not two:
        return []
    best = [numbers(runs, "test_rmse").min(axis=1) for runs in (two, three)]
    shapes = [shape_name(runs[0]["results"]["widths"]) for runs in (two, three)]
    return [
        Claim(
            f"{toy.plain}: {shapes[0]} of two layers is much worse than three layers",
            "[4,9,1] much worse than [4,2,2,1]; 2.9e-3 against 5.1e-7 (documentation)",
            f"{spread(best[0].tolist(), '.1e')} against {spread(best[1].tolist(), '.1e')} of {shapes[1]}",
            Bar(float(np.median(best[0]) / np.median(best[1])), MUCH, WORSE),
            f"{len(two)} and {len(three)} seeds; Levenberg-Marquardt, best of G up to {two[0]['config']['grids'][-1]} and "
            f"{three[0]['config']['grids'][-1]}; times the error",
        )
    ]


def _mlp_claims(records: Sequence[Record], toy: Toy) -> list[Claim]:
    rows = []
    kans = [runs for kind in (LBFGS, LM) if (runs := kan_runs(records, toy, kind))]
    best_kan = min(float(np.median(numbers(runs, "test_rmse"), axis=0).min()) for runs in kans)
    for optimizer, name in (("lbfgs", "L-BFGS"), ("lm", "Levenberg-Marquardt")):
        sizes, errors = mlp_medians(records, toy, optimizer)
        if not len(sizes):
            continue
        few, low = frontier(sizes, errors)
        found = f"best {errors.min():.1e} with {int(sizes[errors.argmin()])} parameters"
        if len(few) > 2:
            found += f", slope of the best ones {np.polyfit(np.log(few), np.log(low), 1)[0]:.2f}"
        rows.append(
            Claim(
                f"{toy.plain}, MLPs, {name}: less accurate than KANs of the paper's shape",
                "slow, plateau",
                f"{found}; KAN {best_kan:.1e}",
                Bar(float(errors.min() / best_kan), 1.0),
                f"{len(sizes)} networks, {mlp_seeds(records)}; slope against the number of parameters; times less accurate",
            )
        )
    return rows


NAME = "3.1"
TITLE = "scaling on five toy functions"
LOOKS = dict(zip(KANS, ((VERMILION, "s"), (BLUE, "o"), (GREEN, "^"), (SKY, "D"), (PURPLE, "v")), strict=True))
LOOKS[TWO_LAYERS] = ("black", "x")
LABELS = {TWO_LAYERS: "KAN [4,9,1], Levenberg-Marquardt"}
MLP_LOOKS = {"lbfgs": (ORANGE, "MLP, L-BFGS"), "lm": (GREY, "MLP, Levenberg-Marquardt")}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each function, model and seed."""
    n_kan, n_mlp = (seeds or count if full else seeds or 1 for count in (SEEDS, SEEDS_MLP))
    found = [config for toy in TOYS for seed in range(n_kan) for config in kan_configs(toy, seed, full=full)]
    return found + [config for toy in TOYS for seed in range(n_mlp) for config in mlp_configs(toy, seed, full=full)]


def run(config: Config) -> dict[str, Any]:
    """Train one model."""
    return learn(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a panel for each function, and one with the legend."""
    picture = Figure(figsize=(8.0, 10.5))
    axes = picture.subplots(3, 2).ravel()
    for ax, toy in zip(axes, TOYS, strict=False):
        _draw_toy(ax, records, toy)
    _explain(axes[-1], records)
    return picture


def _draw_toy(ax: Axes, records: Sequence[Record], toy: Toy) -> None:
    ax.set(xscale="log", yscale="log", title=f"${toy.latex}$", xlabel="number of parameters", ylabel="test RMSE")
    ax.xaxis.set_minor_formatter(NullFormatter())
    for optimizer, (color, _) in MLP_LOOKS.items():
        sizes, errors = mlp_medians(records, toy, optimizer)
        if len(sizes):
            ax.plot(sizes, errors, ".", color=color, ms=4, alpha=0.45, zorder=1)
            # a frontier may consist of one network, which a line alone would not show
            ax.plot(*frontier(sizes, errors), color=color, marker="o", ms=4, lw=1.4, zorder=2)
    floor = np.inf
    for kind in LOOKS:
        runs = kan_runs(records, toy, kind)
        if runs:
            sizes, errors = (numbers(runs, name) for name in ("n_params", "test_rmse"))
            middle = np.median(sizes, axis=0)
            draw_band(ax, middle, errors, *LOOKS[kind], zorder=4)
            floor = min(floor, float(errors.min()))
    _draw_theory(ax, records, toy)
    ax.set_ylim(max(floor / 5.0, 1e-15) if np.isfinite(floor) else None, 20.0)


def _draw_theory(ax: Axes, records: Sequence[Record], toy: Toy) -> None:
    """Draw both lines through the second grid of the Levenberg-Marquardt runs, from which on the
    curves are straight.
    """
    runs = kan_runs(records, toy, KANS[1])
    if not runs:
        return
    sizes, errors = (np.median(numbers(runs, name), axis=0) for name in ("n_params", "test_rmse"))
    at = min(3 if toy.target == "bessel" else 1, len(sizes) - 1)
    line = np.geomspace(float(sizes[at]), 1.3 * max(float(sizes[-1]), 4.0 * float(sizes[at])), 20)
    for power, color in ((-4.0, "red"), (-4.0 / toy.widths[0], "black")):
        ax.plot(line, errors[at] * (line / sizes[at]) ** power, color=color, ls=(0, (4, 2)), lw=1.0, zorder=0)


def _explain(ax: Axes, records: Sequence[Record]) -> None:
    ax.set_axis_off()
    present = [kind for kind in LOOKS if any(kan_runs(records, toy, kind) for toy in TOYS)]
    handles = [entry(LABELS.get(kind, f"KAN, {kind}"), LOOKS[kind][0], LOOKS[kind][1]) for kind in present]
    handles += [entry(label, color, ".") for color, label in MLP_LOOKS.values()]
    handles += [
        entry("slope $-(k+1) = -4$", "red", ls="--", lw=1.0),
        entry("slope $-(k+1)/d = -4/d$", "black", ls="--", lw=1.0),
    ]
    n_train = records[0]["config"]["n_train"]
    title = f"{n_train} training points for every model;\nKAN: median (band: range) over seeds;\nMLP: {mlp_seeds(records)} (dots), the best of them (line)"
    if ELIMINATED in present:
        title += ";\neliminated: the shape found by elimination"
    ax.legend(handles=handles, loc="center left", fontsize=9.5, title=title, title_fontsize=9.5, alignment="left")
