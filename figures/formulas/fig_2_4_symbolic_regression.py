"""Fig. 2.4: symbolic regression in five steps, by hand as in the paper, and by `kr.discover`, which also finds width and functions.

Liu et al. 2024, section 2.5.2, show one run. We run the steps for every seed and report the results. The
picture shows one seed in both ways, the first whose training and pruning by hand lead to [2,1,1] (the first of all if none does).
The claims compare the statements of section 2.5.2 with the records.

The steps go from samples of exp(sin(pi x) + y^2) to the formula, on a [2,5,1] network with lambda = 1e-2:

    1  train with the penalty (2.20)       4  train a, b, c, d of c f(a x + b) + d
    2  prune, (2.21)                       5  write the formula down
    3  make the edges sin, x^2, exp

What the paper leaves open: points are uniform on [-1, 1]^2, 1000 to train and 1000 to test. G = 5, k = 3 and L-BFGS with 20 steps of
20 iterations are the documentation's, as is the entropy's weight mu_2 = 10 beside the printed mu_2 = 1; 100 steps are the default of
the paper's code. There is no training between pruning and symbolic fitting. Step 4 is Levenberg-Marquardt. Noise is on the training targets alone.

Optimizers work on the parameters themselves, as in the paper.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, all_bar, median, seed_count, shape_name, spread
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION
from figures.machine.stored_network import draw_settled, headline, network_panel, stored
from figures.machine.training import OPTIMIZERS, penalty_of
from kan_ref.network.network import Network
from kan_ref.symbolic.canonical import canonical_form

AIM = [2, 1, 1]
INPUTS = ("x", "y")
RIGHT = {(0, 0, 0): "sin", (0, 0, 1): "x^2", (1, 0, 0): "exp"}  # (layer, output, input) -> name
WRONG = {**RIGHT, (0, 0, 1): "cosh"}  # the documentation's example of a wrong guess
NOISE = 1e-2
DISCOVERED = ("sparsify", "prune", "refine", "canonical")  # steps of `discover` that are kept
Steps = list[tuple[str, Network]]


@dataclass(frozen=True)
class Way:
    """A way from data to formula: `entropy_weight` and L-BFGS iterations by hand, None and 0 for
    `discover`.
    """

    label: str
    color: str
    entropy_weight: float | None
    n_steps: int
    noise: float
    quick_seeds: int


PRINTED = Way("by hand, $\\mu_2 = 1$, 400 iterations", BLUE, 1.0, 400, 0.0, 3)
DOCUMENTED = Way("by hand, $\\mu_2 = 10$, 400 iterations", PURPLE, 10.0, 400, 0.0, 0)
LONGER = Way("by hand, $\\mu_2 = 1$, 2000 iterations", ORANGE, 1.0, 2000, 0.0, 0)
DISCOVER = Way("kr.discover", VERMILION, None, 0, 0.0, 3)
NOISY = Way("kr.discover, noise 0.01", GREEN, None, 0, NOISE, 1)
WAYS = (PRINTED, DOCUMENTED, LONGER, DISCOVER, NOISY)
BY_HAND = (PRINTED, DOCUMENTED, LONGER)
FULL_SEEDS = 20


def config_of(way: Way, seed: int) -> Config:
    """Return the configuration of a run."""
    shared = {"seed": seed, "widths": [2, 5, 1], "n_intervals": 5, "degree": 3, "n_train": 1000, "n_test": 1000}
    shared |= {"noise": way.noise, "penalty_weight": 1e-2}
    if way.entropy_weight is None:
        return {"way": "discover", **shared}
    by_hand = {
        "l1_weight": 1.0,
        "entropy_weight": way.entropy_weight,
        "n_steps": way.n_steps,
        "threshold": 1e-2,
        "affine_steps": 100,
    }
    return {"way": "by hand", **shared, **by_hand}


def way_of(config: Config) -> Way:
    """Return the way that a configuration belongs to."""
    same = ("noise", "entropy_weight", "n_steps")
    return next(way for way in WAYS if all(config_of(way, 0).get(name) == config.get(name) for name in same))


def runs_of(records: Sequence[Record], way: Way) -> list[Record]:
    """Return the records of a way."""
    return [record for record in records if way_of(record["config"]) is way]


def walk(config: Config) -> dict[str, Any]:
    """Take all steps; return their networks, the formula, the error of its parameters, and CPU
    seconds.
    """
    rng = np.random.default_rng(config["seed"])
    clean = kr.sample("exp_sin", n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    noise = config["noise"] * rng.standard_normal(clean.y_train.shape) if config["noise"] else 0.0
    data = kr.Data(clean.x_train, clean.y_train + noise, clean.x_test, clean.y_test)
    began = time.process_time()
    steps = _discover(config, data, rng) if config["way"] == "discover" else _by_hand(config, data, rng)
    seconds = round(time.process_time() - began, 3)
    last, structure = (steps[-1][1], [network for name, network in steps if name in ("prune", "refine")][-1])
    finished = steps[-1][0] == "canonical"
    return {
        "steps": [
            {"name": name, "test_rmse": _test_rmse(network, data), "network": stored(network)}
            for name, network in steps
        ],
        "widths": list(structure.widths),
        "formula": formula_text(last) if finished else None,
        "coefficient_error": coefficient_error(last),
        "wrong_rmse": _wrong_rmse(config, structure, data) if finished and config["way"] == "by hand" else None,
        "seconds": seconds,
    }


def sparsify(config: Config, data: kr.Data, rng: np.random.Generator) -> kr.Run[kr.Network]:
    """Train a network for the unit square with the penalty, which is step 1."""
    network = kr.init_network(
        config["widths"],
        n_intervals=config["n_intervals"],
        degree=config["degree"],
        domain=(-1.0, 1.0),
        x=data.x_train,
        rng=rng,
    )
    return kr.fit(network, data, optimizer=OPTIMIZERS["lbfgs"], n_steps=config["n_steps"], penalty=penalty_of(config))


def _by_hand(config: Config, data: kr.Data, rng: np.random.Generator) -> Steps:
    """Take steps 1 and 2 and, if they lead to [2,1,1] with all its edges, 3 and 4."""
    sparse = sparsify(config, data, rng).network
    pruned = kr.prune(sparse, data.x_train, threshold=config["threshold"], kind="mean")
    steps = [("sparsify", sparse), ("prune", pruned)]
    if list(pruned.widths) != AIM or not all(layer.mask.all() for layer in pruned.layers):
        return steps
    named = _name(pruned, data, RIGHT)
    return [*steps, ("name", named), ("canonical", canonical_form(_train_affine(config, named, data)))]


def _name(network: Network, data: kr.Data, names: dict[tuple[int, int, int], str]) -> Network:
    for (layer, output, source), name in names.items():
        network = kr.fix_symbolic(network, layer, output=output, input=source, name=name, x=data.x_train)
    return network


def _train_affine(config: Config, network: Network, data: kr.Data) -> Network:
    return kr.fit(network, data, optimizer=OPTIMIZERS["lm"], n_steps=config["affine_steps"]).network


def _wrong_rmse(config: Config, pruned: Network, data: kr.Data) -> float:
    return _test_rmse(_train_affine(config, _name(pruned, data, WRONG), data), data)


def _discover(config: Config, data: kr.Data, rng: np.random.Generator) -> Steps:
    """Take the five steps as `discover` does, which begins with them where it gets widths.

    Where their formula does not explain the data, `discover` goes on with slices of a network and may return another form of
    the formula, such as a product of exponentials. The figure is about the five steps, so slices are no part of it.
    """
    options = {name: config[name] for name in ("widths", "n_intervals", "degree", "penalty_weight")}
    found = kr.discover(data, rng=rng, **options)
    return [(step.name, step.network) for step in found.steps if step.name in DISCOVERED and step.network is not None]


def _test_rmse(network: Network, data: kr.Data) -> float:
    return float(np.sqrt(np.mean((network(data.x_test) - data.y_test) ** 2)))


def coefficient_error(network: Network) -> float | None:
    """Return the largest difference of a parameter of a canonical network from 1 exp(1 sin(pi x) +
    1 y^2); None if the form differs.

    Parameters that should be 0 count too: the sine's phase (as the amplitude of the cosine beside it), the square's shift, constants.
    """
    formulas = {
        (number, edge.output, edge.input): (edge.name, layer.affine[edge.row])
        for number, layer in enumerate(network.layers)
        for edge in layer.symbolic
    }
    if {place: name for place, (name, _) in formulas.items()} != RIGHT or any(
        layer.mask.any() for layer in network.layers
    ):
        return None
    sine, square, exponential = (formulas[place][1] for place in RIGHT)
    a, b, c, d = sine
    errors = [a - np.pi, c * np.cos(b) - 1.0, c * np.sin(b), d]
    a, b, c, d = square
    errors += [a**2 * c - 1.0, b / a, d]
    a, b, c, d = exponential
    errors += [a - 1.0, c * np.exp(b) - 1.0, d]
    return float(np.abs(errors).max())


def formula_text(network: Network) -> str:
    """Return LaTeX with two decimals, as the paper prints it."""
    import sympy

    expression = sympy.sympify(kr.formula(network, names=INPUTS))
    rounded = {number: round(float(number), 2) for number in expression.atoms(sympy.Float)}
    numbers = {number: sympy.Float(value, 3) if value else sympy.Integer(0) for number, value in rounded.items()}
    return str(sympy.latex(expression.xreplace(numbers)))


NAME = "2.4"
TITLE = "symbolic regression in five steps"
Drawings = list[Callable[[], None]]
BY_HAND_STEPS = {
    "sparsify": "train with the penalty",
    "prune": "prune",
    "name": "name by hand",
    "canonical": "train $a, b, c, d$",
}
DISCOVER_STEPS = {
    "sparsify": "train with the penalty",
    "prune": "prune",
    "refine": "eliminate, refine",
    "canonical": "name, train",
}
BETA = 10.0  # opacity of an edge: tanh(BETA A); with the paper's 3, its own penalty makes the lower edges pale
BELOW: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.24)}  # a legend below its panel
LEAST_DRAWN = 1e-17  # an error of 0 has no place on a logarithmic axis


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each way and seed; quick runs leave ways out."""
    counts = {way: FULL_SEEDS if full else way.quick_seeds for way in WAYS}
    return [config_of(way, seed) for way, count in counts.items() if count for seed in range(seeds or count)]


def run(config: Config) -> dict[str, Any]:
    """Go from the data to the formula, by the way of the configuration."""
    return walk(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the steps of one seed by hand and by `discover`; below, the results of all seeds. Ways
    without records are left out.
    """
    by_hand, discovered = runs_of(records, PRINTED), runs_of(records, DISCOVER)
    shown = next((record for record in by_hand if record["results"]["formula"]), by_hand[0] if by_hand else None)
    same_seed = [record for record in discovered if shown and record["seed"] == shown["seed"]]
    picture = Figure(figsize=(9.6, 10.0))
    rows: Any = picture.subfigures(
        3, 1, height_ratios=(1.0, 1.0, 1.3)
    )  # Any: an array, for the type checker perhaps one alone
    drawings: Drawings = []
    if shown:
        done = f"{sum(record['results']['formula'] is not None for record in by_hand)} of {len(by_hand)} seeds come to the formula"
        drawings += _draw_steps(
            rows[0], shown, BY_HAND_STEPS, f"By hand, as in the paper: {done}; seed {shown['seed']}"
        )
    if discovered:
        found = (same_seed or discovered)[0]
        right = f"{sum(record['results']['coefficient_error'] is not None for record in discovered)} of {len(discovered)} seeds"
        drawings += _draw_steps(
            rows[1], found, DISCOVER_STEPS, f"kr.discover: {right} come to the formula; seed {found['seed']}"
        )
    left, right = rows[2].subplots(1, 2)
    _draw_widths(left, records)
    _draw_errors(right, records)
    draw_settled(picture, drawings)
    return picture


def _draw_steps(row: SubFigure, record: Record, titles: dict[str, str], text: str) -> Drawings:
    """Draw a row without its networks, and return the functions that draw these."""
    headline(row, text)
    axes, results = row.subplots(1, 5), record["results"]
    steps = {step["name"]: step for step in results["steps"]}
    drawings: Drawings = []
    for number, (ax, (name, title)) in enumerate(zip(axes[:4], titles.items(), strict=True), start=1):
        step = steps.get(name)
        error = f"test RMSE {step['test_rmse']:.0e}" if step else "not reached"
        drawings.append(network_panel(ax, f"{number}  {title}\n{error}", step and step["network"], beta=BETA))
    ax = axes[4]
    ax.set_axis_off()
    ax.set_title("5  write the formula\n", fontsize=10.5)
    if results["formula"] is None:
        ax.text(
            0.5,
            0.5,
            f"pruning leaves {shape_name(results['widths'])}:\nthe names are for [2,1,1]",
            ha="center",
            color=GREY,
        )
        return drawings
    ax.text(0.5, 0.55, f"${results['formula']}$", ha="center", fontsize=12.5)
    if results["coefficient_error"] is not None:
        ax.text(
            0.5, 0.3, f"off 1, 1, $\\pi$, 1 by\n{results['coefficient_error']:.0e} at most", ha="center", color=GREY
        )
    return drawings


def _draw_widths(ax: Axes, records: Sequence[Record]) -> None:
    runs = {way: runs_of(records, way) for way in WAYS if way is not NOISY and runs_of(records, way)}
    if not runs:
        ax.set_axis_off()
        return
    width, widths = 0.8 / len(runs), range(1, 6)
    for place, (way, some) in enumerate(runs.items()):
        hidden = [record["results"]["widths"][1] for record in some]
        counts = [hidden.count(n) for n in widths]
        at = np.array(widths) + (place - (len(runs) - 1) / 2) * width
        bars = ax.bar(
            at,
            [count / len(some) for count in counts],
            width,
            color=way.color,
            label=f"{way.label} ({len(some)} seeds)",
        )
        ax.bar_label(bars, [str(count or "") for count in counts], fontsize=9, color=GREY, padding=1)
    ax.set_ylim(0.0, 1.1)
    ax.set_xticks(widths)
    ax.set(xlabel="hidden nodes that are left", ylabel="share of seeds", title="which width is found")
    ax.legend(**BELOW)


def _draw_errors(ax: Axes, records: Sequence[Record]) -> None:
    ax.set_yscale("log")
    for place, way in enumerate(WAYS):
        some = runs_of(records, way)
        right = [record for record in some if record["results"]["coefficient_error"] is not None]
        errors = [max(record["results"]["coefficient_error"], LEAST_DRAWN) for record in right]
        if some:
            seeds = [record["seed"] + 0.12 * (place - 2) for record in right]  # beside each other
            ax.plot(seeds, errors, "o", color=way.color, alpha=0.85, label=f"{way.label}: {len(right)} of {len(some)}")
    ax.axhline(MOST_ERROR, color=GREY, ls="--", lw=1.0)
    ax.set_ylim(LEAST_DRAWN / 2.0, 1e4)
    seeds = sorted({record["seed"] for record in records})
    ax.set_xticks(seeds[::5])
    ax.set_xticks(seeds, minor=True)
    ax.set(
        xlim=(seeds[0] - 0.5, seeds[-1] + 0.5),
        xlabel="seed",
        ylabel="worst error of a coefficient",
        title="seeds that come to the right form",
    )
    ax.legend(**BELOW)


# --- claims

MOST_ERROR = 1e-12  # of a coefficient of the exact formula
MOST_NOISY_ERROR = NOISE  # with a thousand samples the error should be below the noise
MOST_SECONDS = 5.0
FIRST_ROW = "training with the penalty and pruning leave one hidden node"


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return rows for each way by hand, its last steps, and the results of `discover` on the same
    seeds. Rows without records are left out.
    """
    ways = [way for way in BY_HAND if runs_of(records, way)]
    rows = [_width_claim(runs_of(records, way), way) for way in ways]
    finished = [record for way in ways for record in runs_of(records, way) if record["results"]["formula"] is not None]
    if finished:
        rows += [_hand_claim(finished), _guess_claim(finished)]
    found, noisy = runs_of(records, DISCOVER), runs_of(records, NOISY)
    if found:
        rows += [_discover_claim(found), _seconds_claim(found)]
    return [*rows, _noise_claim(noisy)] if noisy else rows


def _of_all(good: Sequence[bool]) -> str:
    return f"{sum(good)} of {len(good)}"


def _errors(records: Sequence[Record]) -> list[float]:
    errors = [record["results"]["coefficient_error"] for record in records]
    return [error for error in errors if error is not None]


def _width_claim(runs: Sequence[Record], way: Way) -> Claim:
    widths = [record["results"]["widths"] for record in runs]
    shapes = sorted(widths)
    counts = [
        f"{shape_name(shape)} in {widths.count(shape)}"
        for place, shape in enumerate(shapes)
        if shape not in shapes[:place]
    ]
    config, bar = runs[0]["config"], all_bar([shape == AIM for shape in widths])
    return Claim(
        f"{FIRST_ROW} (mu_2 = {way.entropy_weight:g}, {way.n_steps} iterations)",
        "[2,1,1] in the run that is shown",
        f"{', '.join(counts)} of {len(runs)} seeds",
        bar,
        f"{seed_count(runs)}; lambda = {config['penalty_weight']:g}, mu_1 = {config['l1_weight']:g}, the printed penalty, "
        f"threshold {config['threshold']:g}; {np.median([record['results']['seconds'] for record in runs]):.1f} CPU s a seed; seeds that reach it",
    )


def _hand_claim(finished: Sequence[Record]) -> Claim:
    errors, rmse = (_errors(finished), [record["results"]["steps"][-1]["test_rmse"] for record in finished])
    good = [error <= MOST_ERROR for error in errors] + [False] * (len(finished) - len(errors))
    return Claim(
        "with the right functions set by hand, the parameters train to machine precision",
        "machine precision (documentation: RMSE 1e-10)",
        f"{_of_all(good)} runs that reach [2,1,1]; test RMSE {spread(rmse, '.0e')}, worst coefficient off by {max(errors):.0e}",
        all_bar(good),
        f"all ways by hand together; off by at most {MOST_ERROR:g} from 1, 1, pi, 1; runs",
    )


def _guess_claim(finished: Sequence[Record]) -> Claim:
    wrong = [record["results"]["wrong_rmse"] for record in finished]
    right = [record["results"]["steps"][-1]["test_rmse"] for record in finished]
    return Claim(
        "a wrong guess, cosh for y^2, shows in the error",
        "RMSE stalls at about 1.3e-3 (documentation)",
        f"test RMSE {spread(wrong, '.1e')}",
        all_bar([bad > 1e6 * good for bad, good in zip(wrong, right, strict=True)]),
        f"{len(finished)} runs that reach [2,1,1], {finished[0]['config']['affine_steps']} Levenberg-Marquardt steps; "
        f"shows: a million times the error of the right functions; runs",
    )


def _discover_claim(found: Sequence[Record]) -> Claim:
    errors = _errors(found)
    good = [error <= MOST_ERROR for error in errors] + [False] * (len(found) - len(errors))
    worst, bar = f"; worst coefficient off by {max(errors):.0e}" if errors else "", all_bar(good)
    return Claim(
        "the data lead to the formula and to nothing else, width and functions found automatically (kr.discover)",
        "one run, width from pruning, functions by hand: 1.0 e^{1.0 y^2 + 1.0 sin(3.14 x)}",
        f"exact in {_of_all(good)} seeds{worst}",
        bar,
        f"{seed_count(found)}; exact: [2,1,1], sin, x^2, exp, and every parameter within {MOST_ERROR:g} of 1, 1, pi, 1 or of 0; seeds",
    )


def _seconds_claim(found: Sequence[Record]) -> Claim:
    seconds = [record["results"]["seconds"] for record in found]
    return Claim(
        "from data to formula in seconds (kr.discover)",
        "no number",
        f"{spread(seconds, '.1f')} CPU s",
        Bar(median(seconds), MOST_SECONDS, most=True, form=".1f"),
        f"{seed_count(found)}, one thread; median in CPU s",
    )


def _noise_claim(noisy: Sequence[Record]) -> Claim:
    errors = _errors(noisy)
    good = [error <= MOST_NOISY_ERROR for error in errors] + [False] * (len(noisy) - len(errors))
    bar = all_bar(good)
    return Claim(
        f"noise {NOISE:g} on f leaves the form as it is (five steps of kr.discover)",
        "not tried",
        f"right form in {len(errors)} of {len(noisy)} seeds"
        + (f"; worst coefficient of a seed off by {spread(errors, '.1e')}" if errors else ""),
        bar,
        f"{seed_count(noisy)}; every parameter within {MOST_NOISY_ERROR:g}; seeds, {bar.text}"
        + ("" if len(noisy) >= FULL_SEEDS else f"; the full run takes {FULL_SEEDS} seeds"),
    )
