"""Figs. 4.5 and 4.6 and Table 5: mobility edges that are learnt from the eigenstates of quasiperiodic chains.

Liu et al. 2024, section 4.4. Fig. 4.5 has mosaic chains, kappa = 2 and 3: a [2,1] network of lambda and E with the identity on lambda has its edge
at lambda = h(E), so that the curve of E is the mobility edge.

Fig. 4.6 and Table 5 have two chains whose edges depend on three numbers, the GAAM and the MAAM. A [4,h,1] network computes the logit of "localized"
from energy, strength, a third parameter and the phase. The paper's user and network find the formula together: sparsity, then functions set by
hand, then training.

`chains` has the models and the labels. Of each kappa and model the picture shows the first seed.

The claims are those of section 4.4 on both figures and Table 5. Every share of right answers is that on test chains, under the labels of (R21) unless the row says otherwise.

How they are learnt. A network computes the logit g(x), the paper's network without its last sigmoid, and is trained by the logistic loss (T3), which is the binary
cross entropy of that sigmoid. The edge is g = 0, so g is determined up to a positive factor alone. Chains, not states, are
split into those to train, those to choose and those to test, because states of one chain are alike. All choices (initializations,
candidate functions) have the smallest loss on the chains to choose; test chains are only reported.

    splines     for the mosaic [2,1] with the identity on lambda, so that lambda = h(E); else [n,h,1], L-BFGS with the printed penalty, then
                without it and with smoothness; domains of the grids are percentiles, for energies have heavy tails
    by hand     the functions of `Model.aim`, their parameters from random values; where a hidden node has a pole, from the best of many
                random values by the training loss
    automatic   mosaic: each of `CANDIDATES` on the edge of E; else `kr.auto_symbolic` on the splines, then training

For the mosaic the automatic search trains every candidate, and does not compare curves: far from the edge a logit may have any large value,
and the R^2 of the curve prefers a Gaussian to 1/|E|. None of the candidates has two poles, as the edge 2/|E^2 - 1| of kappa = 3 has.

Of kappa = 3 the formula by hand has poles at energies that depend on the parameters. The logit is minus infinity at a pole, so a pole does not
cross a localized state during training: the loss would be infinite there. Only random values whose poles lie near |E| = 1, where all states
are extended, lead to theory's edge, and they are rare. Therefore 300 formulas are drawn, and the ten with the smallest training loss are
trained. Some seeds still have no such formula among the ten, because the loss before training also depends on the random outer parameters.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.localization.chains import (
    CHOOSE,
    INVERSE_MODULUS,
    MODELS,
    TEST,
    TRAIN,
    Model,
    Sample,
    accuracies,
    coefficients,
    held_out_loss,
    logits,
    loss_on,
    sample_states,
)
from figures.machine.machine import (
    Bar,
    Claim,
    Config,
    FigureValue,
    Record,
    median,
    runs_of,
    seed_count,
    shape_name,
    spread,
)
from figures.machine.pictures import GREEN, GREY, ORANGE, SKY, VERMILION
from figures.machine.stored_network import draw_settled, restored, stored
from kan_ref.checks import BoolArray, FloatArray

# --- mobility edges from labelled states: splines, formulas with functions set by hand, and formulas found automatically

COUNTS = [180, 60, 60]  # chains to train, to choose, to test
N_STATES = 30  # of a chain
N_SHOWN = 900  # test states that a record keeps for its picture
DIGITS = 5  # significant ones of their numbers
PERCENTILES = (0.5, 99.5)
KAPPA_GRID, GRID = 40, 5  # intervals: 1/|E| has a pole
HIDDEN = {"GAAM": [2], "MAAM": [3, 2]}  # widths of the hidden layer, the first one for formulas
N_DRAWS = 300  # random formulas, where poles depend on parameters; the best are trained
FEW = ["x", "x^2"]  # the paper's library for the GAAM
CANDIDATES = ["x", "x^2", "x^3", "1/x", "1/x^2", "exp", "abs", "sin", "tanh", "gaussian", INVERSE_MODULUS]
NAMES = {"lambda": "lam"}  # as symbols of SymPy


def config_of(model: str, seed: int, counts: Sequence[int] = COUNTS) -> Config:
    """Return the configuration of a run."""
    settings: Config = {"n_steps": 200, "n_starts": 10, "n_spline_starts": 3}
    if model not in HIDDEN:
        settings["candidates"] = CANDIDATES
    if moves_a_pole(MODELS[model]):
        settings["n_draws"] = N_DRAWS
    states = {"lengths": list(MODELS[model].lengths), "counts": list(counts), "n_states": N_STATES}
    return {"model": model, **states, **settings, "seed": seed}


def moves_a_pole(model: Model) -> bool:
    """Return whether the formula by hand has a pole at a hidden node, which training moves along the input."""
    return any(name == INVERSE_MODULUS for layer in model.aim[1:] for _, _, name in layer)


def learn(config: Config) -> dict[str, Any]:
    """Sample the states of a seed, learn their mobility edge in each way, and return accuracies on test chains, networks and formulas."""
    model, rng = MODELS[config["model"]], np.random.default_rng(config["seed"])
    began = time.process_time()
    sample = sample_states(model, config["counts"], config["n_states"], rng)
    seconds = {"states": time.process_time() - began}
    results: dict[str, Any] = {
        "localized": float(sample.localized[sample.part == TEST].mean()),
        "theory": accuracies(model.edge(sample.x), sample),
        "shown": shown(sample),
    }
    for name, way in (("splines", splines), ("hand", by_hand), ("auto", automatic)):
        began = time.process_time()
        results[name] = way(model, sample, config, rng, results)
        seconds[name] = time.process_time() - began
    results["auto"].pop("start", None)
    for one in results["splines"]:
        del one["trained"]
    return {**results, "seconds": {name: round(value, 2) for name, value in seconds.items()}}


# --- samples


def shown(sample: Sample) -> dict[str, list[Any]]:
    """Return some test states for a picture: their inputs, rounded, and labels."""
    places = np.flatnonzero(sample.part == TEST)
    places = places[:: max(1, len(places) // N_SHOWN)]
    rows = [[float(f"{value:.{DIGITS}g}") for value in sample.x[place]] for place in places]
    return {"x": rows, "localized": [int(sample.localized[place]) for place in places]}


def data_of(sample: Sample) -> kr.Data:
    """Return the chains to train, with those to choose as test data, which `fit` only reports."""
    y = sample.localized.astype(np.float64)[:, None]
    train, choose = (sample.part == part for part in (TRAIN, CHOOSE))
    return kr.Data(sample.x[train], y[train], sample.x[choose], y[choose])


# --- splines


def splines(model: Model, sample: Sample, config: Config, rng: np.random.Generator, _: object) -> list[dict[str, Any]]:
    """Train splines for each hidden width; return accuracy, loss, scores and network of each."""
    data, found = data_of(sample), []
    low, high = np.percentile(data.x_train, PERCENTILES, axis=0)
    domain = np.stack([low, high], axis=1)
    for hidden in HIDDEN.get(model.name, [0]):
        networks = []
        for _start in range(config["n_spline_starts"] if hidden else 1):
            if hidden:
                networks.append(_hidden_splines(len(model.names), hidden, domain, data, rng))
            else:
                networks.append(_height(domain, data, rng))
        network = min(networks, key=lambda one: held_out_loss(one, sample))
        found.append(
            {
                "widths": list(network.widths),
                **accuracies(logits(network, sample.x), sample),
                "loss": held_out_loss(network, sample),
                "scores": [scores.tolist() for scores in kr.edge_scores(network, data.x_train)],
                "network": stored(network),
                "trained": network,
            }
        )
    return found


def _height(domain: FloatArray, data: kr.Data, rng: np.random.Generator) -> kr.Network:
    """Return a trained [2,1] network g = c lambda + d - h(E)."""
    network = kr.init_network((2, 1), n_intervals=KAPPA_GRID, degree=3, domain=domain, rng=rng)
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="x")
    return _trained(network, data, 200, smoothness_weight=1e-6)


def _hidden_splines(n_in: int, hidden: int, domain: FloatArray, data: kr.Data, rng: np.random.Generator) -> kr.Network:
    widths = (n_in, hidden, 1)
    network = kr.init_network(widths, n_intervals=GRID, degree=3, domain=domain, rng=rng)
    network = _trained(network, data, 200, penalty=1e-3)
    return _trained(network, data, 100, smoothness_weight=1e-4)


def _trained(network: kr.Network, data: kr.Data, n_steps: int, **options: Any) -> kr.Network:
    return kr.fit(network, data, optimizer="lbfgs", loss="logistic", n_steps=n_steps, **options).network


# --- formulas


def by_hand(model: Model, sample: Sample, config: Config, rng: np.random.Generator, _: object) -> dict[str, Any]:
    """Train the parameters of the functions set by hand from random values; return the formula with the smallest held-out loss."""
    data = data_of(sample)
    begun: list[tuple[float, int, kr.Network]] = []
    for network in _formulas(model, sample, config, rng):
        if np.isfinite(network(data.x_train)).all():
            network = _trained(network, data, 60, update_grids=False)
            begun.append((held_out_loss(network, sample), len(begun), network))
    ended = [_trained(network, data, config["n_steps"], update_grids=False) for _, _, network in sorted(begun)[:2]]
    return _formula_record(model, min(ended, key=lambda one: held_out_loss(one, sample)), sample)


def _formulas(model: Model, sample: Sample, config: Config, rng: np.random.Generator) -> list[kr.Network]:
    """Return random formulas to train, of `n_draws` those with the smallest training loss."""
    n_starts: int = config["n_starts"]
    n_draws: int = config.get("n_draws", n_starts)
    x = sample.x[sample.part == TRAIN]
    drawn = [random_formula(model, x, rng) for _ in range(n_draws)]
    if len(drawn) == n_starts:
        return drawn
    losses = [loss_on(TRAIN, network, sample) for network in drawn]
    return [drawn[place] for place in np.argsort(losses, kind="stable")[:n_starts]]


def random_formula(model: Model, x: FloatArray, rng: np.random.Generator) -> kr.Network:
    """Return a network of the functions of `Model.aim` with random parameters and no other edge.

    Inner scales are those of the inputs' ranges, inner shifts 0, so that a logarithm of a positive input is defined.
    """
    widths = [len(model.names), *(1 + max(edge[0] for edge in layer) for layer in model.aim)]
    network = kr.init_network(widths, n_intervals=3, degree=3, domain=x, rng=rng)
    half = 0.5 * (x.max(axis=0) - x.min(axis=0))
    for number, layer in enumerate(model.aim):
        shape = (widths[number + 1], widths[number])
        network = kr.mask_edges(network, number, np.zeros(shape))
        for output, place, name in layer:
            scale = rng.uniform(0.5, 1.5) / (half[place] if number == 0 else 1.0)
            sign = 1.0 if name == "log" else float(rng.choice([-1.0, 1.0]))
            outer, shift = rng.normal(), rng.normal() * (name != "x")
            affine = (sign * float(scale), 0.0, float(outer), float(shift))
            network = kr.fix_symbolic(network, number, output=output, input=place, name=name, affine=affine)
    return network


def automatic(
    model: Model, sample: Sample, config: Config, rng: np.random.Generator, results: dict[str, Any]
) -> dict[str, Any]:
    """Return the formula that is found without setting functions by hand."""
    data = data_of(sample)
    network = results["splines"][0]["trained"]
    if model.name in HIDDEN:
        names = FEW if model.name == "GAAM" else None
        symbolic = kr.auto_symbolic(network, data.x_train, names=names)
        symbolic = _trained(symbolic, data, config["n_steps"], update_grids=False)
        return _formula_record(model, symbolic, sample)
    begun = [one for name in config["candidates"] for one in _candidates(network, name, data, rng)]
    best = min(begun, key=lambda one: held_out_loss(one, sample))
    return _formula_record(model, _trained(best, data, config["n_steps"]), sample)


def _candidates(network: kr.Network, name: str, data: kr.Data, rng: np.random.Generator) -> list[kr.Network]:
    """Return trained networks with a function on the edge of E: one from the curve of the spline, one from random values."""
    energy = data.x_train[:, 1]
    half = 0.5 * float(energy.max() - energy.min())
    starts: list[dict[str, Any]] = [{"x": data.x_train}]
    scale, outer, shift = rng.uniform(0.5, 1.5) / half, rng.normal(), rng.normal()
    starts.append({"affine": (float(scale), 0.0, float(outer), float(shift))})
    found = []
    for start in starts:
        try:
            one = kr.fix_symbolic(network, 0, output=0, input=1, name=name, **start)
            found.append(_trained(one, data, 60))
        except ValueError:  # undefined at some training state, so it is no candidate
            continue
    return found


def _formula_record(model: Model, network: kr.Network, sample: Sample) -> dict[str, Any]:
    g = logits(network, sample.x)
    names = [NAMES.get(name, name) for name in model.names]
    expression = kr.formula(network, names=names)
    test: BoolArray = sample.part == TEST
    return {
        "widths": list(network.widths),
        **accuracies(g, sample),
        "n_undefined": int(np.sum(~np.isfinite(g[test]))),
        "loss": held_out_loss(network, sample),
        "functions": [[edge.name for edge in layer.symbolic] for layer in network.layers],
        "formula": str(expression),
        "coefficients": coefficients(expression, names),
        "network": stored(network),
    }


# --- figs. 4.5 and 4.6 and Table 5: mobility edges that are learnt from the eigenstates of quasiperiodic chains

SEEDS, SEEDS_QUICK = 5, 1
MOSAIC = ("mosaic 2", "mosaic 3")  # kappa
CHAINS = {"GAAM": {"alpha": 0.5}, "MAAM": {"p": 1.5}}  # with the slice that is drawn
WIDTH = 0.2  # of the slice, to either side
QUICK_COUNTS = [20, 8, 12]  # chains
SYMBOLS = {"alpha": "$\\alpha$", "lambda": "$\\lambda$", "phi": "$\\varphi$"}
BETA = 3.0


@dataclass(eq=False)
class MobilityFigure(FigureValue):
    """A figure of the edges of some `models`."""

    models: Sequence[str]
    draw: Callable[[Sequence[Record]], Figure]
    claims: Callable[[Sequence[Record]], list[Claim]]

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each model and seed."""
        count = seeds or (SEEDS if full else SEEDS_QUICK)
        options: dict[str, Any] = {} if full else {"counts": QUICK_COUNTS}
        return [config_of(model, seed, **options) for model in self.models for seed in range(count)]

    def run(self, config: Config) -> dict[str, Any]:
        """Return the edges that are learnt from the states of a seed."""
        return learn(config)


def draw_mosaic(records: Sequence[Record]) -> Figure:
    """Draw for each kappa the states with the edges, and the network of splines."""
    shown = [runs[0] for model in MOSAIC if (runs := runs_of(records, model=model))]
    picture, networks = Figure(figsize=(8.4, 4.4 * len(shown))), []
    axes = np.asarray(picture.subplots(len(shown), 2, width_ratios=(1.5, 1.0), squeeze=False), dtype=object)
    for (left, right), record in zip(axes, shown, strict=True):
        model = record["config"]["model"]
        runs = runs_of(records, model=model)
        plane(left, record, across="lambda", up="E", fixed={}, width=0.0)
        left.set(xlabel="strength $\\lambda$ of the potential", ylabel="energy $E$")
        edge = EDGES[model].replace("lambda", "\\lambda")
        left.set_title(f"$\\kappa = {model[-1]}$, ${edge}$; seed {record['seed']}")
        outside_legend(left)
        right.set_axis_off()
        right.set_title(
            f"test states right, {seed_count(runs)}\ntheory {spread(percent(runs, 'theory'), '.1f')} %\n"
            f"splines {spread(percent(runs, 'splines'), '.1f')} %\n"
            f"formula by hand {spread(percent(runs, 'hand'), '.1f')} %",
            linespacing=1.5,
        )
        networks.append(partial(_draw_splines, right, record))
    draw_settled(picture, networks)
    return picture


def _draw_splines(ax: Axes, record: Record) -> None:
    x = np.array(record["results"]["shown"]["x"])
    network = restored(record["results"]["splines"][0]["network"])
    kr.draw_network(network, x, ax=ax, names=("$\\lambda$", "$E$"), output_names=("$g$",), beta=BETA)


def draw_chains(records: Sequence[Record]) -> Figure:
    """Draw for each model the states of a slice with the edges; below them the network of splines and that of the formula."""
    shown = [runs[0] for model in CHAINS if (runs := runs_of(records, model=model))]
    picture, networks = Figure(figsize=(7.2, 8.2 * len(shown))), []
    parts: Any = picture.subfigures(2 * len(shown), 1, height_ratios=(1.15, 1.0) * len(shown))
    for above, below, record in zip(parts[::2], parts[1::2], shown, strict=True):
        model = record["config"]["model"]
        runs, fixed = runs_of(records, model=model), CHAINS[model]
        top = above.subplots()
        plane(top, record, across="lambda", up="E", fixed=fixed, width=WIDTH)
        top.set(xlabel="strength $\\lambda$ of the potential", ylabel="energy $E$")
        ((name, value),) = fixed.items()
        theory = spread(percent(runs, "theory"), ".1f")
        symbol = SYMBOLS.get(name, f"${name}$")
        top.set_title(f"{model}, states with {symbol} within {WIDTH:g} of {value:g}; theory {theory} % right")
        outside_legend(top)
        for ax, way in zip(below.subplots(1, 2), ("splines", "hand"), strict=True):
            results = record["results"][way]
            document = results[0] if way == "splines" else results
            kind = "splines" if way == "splines" else "functions by hand"
            ax.set_axis_off()
            ax.set_title(
                f"{kind}, {shape_name(document['widths'])}\n{spread(percent(runs, way), '.1f')} %, {seed_count(runs)}"
            )
            networks.append(partial(_draw_network, ax, record, document["network"]))
    draw_settled(picture, networks)
    return picture


def _draw_network(ax: Axes, record: Record, document: dict[str, Any]) -> None:
    x = np.array(record["results"]["shown"]["x"])
    names = [SYMBOLS.get(name, f"${name}$") for name in MODELS[record["config"]["model"]].names]
    kr.draw_network(restored(document), x, ax=ax, names=names, output_names=("$g$",), beta=BETA)


EDGES = {
    "mosaic 2": "lambda = 2/|E|",
    "mosaic 3": "lambda = 2/|E^2 - 1|",
    "GAAM": "alpha E + 2 lambda - 2 = 0",
    "MAAM": "E + exp(p) - lambda cosh p = 0",
}
PAPER_THEORY = {"GAAM": 99.2, "MAAM": 98.6}
PAPER_SPLINES = {"GAAM": 98.7, "MAAM": 98.4}  # step 1
PAPER_AUTO = {"GAAM": 99.0, "MAAM": 97.1}  # Table 5
HAND_BAR = {"mosaic 2": 98.0, "mosaic 3": 98.0, "GAAM": 98.5, "MAAM": 98.0}
BELOW = 1.0  # percent below a bar still count as "partly"
GAAM_EDGE = {"alpha*E": 1.0, "lam": 2.0, "1": -2.0}


def percent(runs: Sequence[Record], way: str, label: str = "growth", place: int = 0) -> list[float]:
    """Return the right answers in percent of each seed: "theory", "hand" and "auto", or the splines at a place of the list."""
    found = [record["results"][way] for record in runs]
    return [100.0 * float((one[place] if isinstance(one, list) else one)[label]) for one in found]


def claims_of(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on each model that has records: theory, splines, formulas, and what is asked of this model alone."""
    return [claim for model in EDGES for claim in _claims(model, runs_of(records, model=model))]


def _claims(model: str, runs: Sequence[Record]) -> list[Claim]:
    if not runs:
        return []
    rows = [_theory_claim(model, runs), _spline_claim(model, runs)]
    rows += [_formula_claim(model, runs, way) for way in ("hand", "auto")]
    if model == "mosaic 2":
        rows += [_constant_claim(runs, "hand"), _constant_claim(runs, "auto")]
    if model == "GAAM":
        rows.append(_proportional_claim(runs))
    if model == "MAAM":
        rows.append(_width_claim(runs))
    if model in PAPER_THEORY:
        rows.append(_phase_claim(model, runs))
    return rows


def _evidence(runs: Sequence[Record]) -> str:
    config = runs[0]["config"]
    train, choose, test = config["counts"]
    seeds = seed_count(runs)
    return (
        f"{seeds}; {test} test chains, {train} to train, {choose} to choose, {config['n_states']} states each; "
        f"lengths {' and '.join(map(str, config['lengths']))}"
    )


def _theory_claim(model: str, runs: Sequence[Record]) -> Claim:
    ours, paper = percent(runs, "theory"), PAPER_THEORY.get(model)
    others = ", ".join(
        f"{spread(percent(runs, 'theory', label), '.1f')} % at the {length} length"
        for label, length in (("paper", "shorter"), ("paper_long", "longer"))
    )
    return Claim(
        f"{model}: theory's edge {EDGES[model]} separates localized from extended states",
        f"{paper} %" if paper else "drawn",
        f"{spread(ours, '.1f')} %; by the paper's rule D_N < 1/2 {others}",
        Bar(median(ours), paper or 98.0, (paper or 98.0) - BELOW, form=".1f"),
        f"{_evidence(runs)}; percent",
    )


def _spline_claim(model: str, runs: Sequence[Record]) -> Claim:
    ours, theory = percent(runs, "splines"), percent(runs, "theory")
    paper = PAPER_SPLINES.get(model)
    level = paper or round(median(theory) - BELOW, 1)
    bar = Bar(median(ours), level, level - BELOW, form=".1f")
    shape = shape_name(runs[0]["results"]["splines"][0]["widths"])
    asked = "" if paper else f"; the bar is {BELOW:g} below theory's"
    return Claim(
        f"{model}: splines learn the edge, logit {shape}",
        f"{paper} % (step 1)" if paper else "drawn",
        f"{spread(ours, '.1f')} %; theory {np.median(theory):.1f} %; by the paper's rule {spread(percent(runs, 'splines', 'paper'), '.1f')} %",
        bar,
        f"{_evidence(runs)}; percent, {bar.text}{asked}",
    )


def _formula_claim(model: str, runs: Sequence[Record], way: str) -> Claim:
    ours, theory = percent(runs, way), percent(runs, "theory")
    paper = PAPER_AUTO.get(model)
    level = HAND_BAR[model] if way == "hand" or paper is None else paper
    bar = Bar(median(ours), level, level - BELOW, form=".1f")
    n_undefined = sum(int(record["results"][way]["n_undefined"]) for record in runs)
    chosen = runs[0]["results"][way]
    functions = " / ".join(", ".join(layer) for layer in chosen["functions"])
    kind = "functions set by hand" if way == "hand" else "functions found automatically"
    stated = f"{paper} % (Table 5)" if paper and way == "auto" else "not stated"
    note = ""
    config = runs[0]["config"]
    if way == "hand" and "n_draws" in config:
        note = f"; trained from the {config['n_starts']} of {config['n_draws']} random values with the smallest training loss"
    if way == "auto" and model == "mosaic 3":
        note = "; no function of the list has two poles, as the edge has"
    return Claim(
        f"{model}: a formula gives the edge, {kind}",
        stated,
        f"{spread(ours, '.1f')} %; theory {np.median(theory):.1f} %",
        bar,
        f"{_evidence(runs)}; {functions} in seed {runs[0]['seed']}; percent, {bar.text}{note}"
        + (f"; undefined at {n_undefined} states, which count as wrong" if n_undefined else ""),
    )


def inverse_edge(record: Record, way: str) -> tuple[float, float, float] | None:
    """Return (c, s, t) of a mosaic formula lambda = c/|E + s| + t; None where its function of E is another one."""
    document = record["results"][way]
    if document["functions"] != [["x", INVERSE_MODULUS]]:
        return None
    affine = restored(document["network"]).layers[0].affine
    (a, b, c, d), (inner, shift, outer, constant) = affine.tolist()
    scale = a * c  # of lambda
    total = b * c + d + constant
    return -outer / (abs(inner) * scale), shift / inner, -total / scale


def _constant_claim(runs: Sequence[Record], way: str) -> Claim:
    edges = [inverse_edge(record, way) for record in runs]
    found = [edge for edge in edges if edge is not None]
    off = [abs(100.0 * (edge[0] / 2.0 - 1.0)) for edge in found]
    reason = f"{len(runs) - len(found)} of {len(runs)} seeds find another function" if len(found) < len(runs) else ""
    kind = "by hand" if way == "hand" else "automatic"
    evidence = (
        f"c = {spread([edge[0] for edge in found], '.3f')}, s = {spread([edge[1] for edge in found], '.3f')}, "
        f"t = {spread([edge[2] for edge in found], '.3f')}"
        if found
        else "another function of E"
    )
    return Claim(
        f"mosaic 2: the formula is lambda = c/|E + s| + t with c = 2 and s = t = 0, {kind}",
        "lambda = 2/|E| (theory)",
        evidence,
        Bar(median(off) if off else 100.0, 3.0, 10.0, most=True, form=".2f", reason=reason),
        f"{_evidence(runs)}; percent by which c is off",
    )


def proportional_error(record: Record) -> float:
    """Return the largest deviation of the GAAM formula by hand from alpha E + 2 lambda - 2, over all its coefficients, after division by
    that of alpha E.
    """
    found = record["results"]["hand"]["coefficients"]
    scale = float(found.get("alpha*E", 0.0))
    if scale == 0.0:
        return float("inf")
    return max(abs(float(found.get(name, 0.0)) / scale - GAAM_EDGE.get(name, 0.0)) for name in {*found, *GAAM_EDGE})


def _proportional_claim(runs: Sequence[Record]) -> Claim:
    off = [proportional_error(record) for record in runs]
    found = runs[0]["results"]["hand"]["coefficients"]
    scale = found.get("alpha*E", 0.0) or 1.0
    formula = " + ".join(f"{value / scale:.3f} {name}" for name, value in found.items() if name != "1")
    return Claim(
        "GAAM: the formula by hand is proportional to alpha E + 2 lambda - 2",
        "1.52 E^2 + 21.06 alpha E + 0.66 E + 3.55 alpha^2 + 0.91 alpha + 45.13 lambda - 54.45 (Table 5)",
        f"largest deviation of a coefficient {spread(off, '.3f')}; seed {runs[0]['seed']}: {formula} + {found.get('1', 0.0) / scale:.3f}",
        Bar(median(off), 0.05, 0.15, most=True, form=".3f"),
        f"{_evidence(runs)}; divided by the coefficient of alpha E; deviation",
    )


def _width_claim(runs: Sequence[Record]) -> Claim:
    ours = percent(runs, "splines", place=1)
    return Claim(
        "MAAM: two hidden nodes are not enough, logit [4,2,1]",
        "about 75 %",
        f"{spread(ours, '.1f')} %; three hidden nodes {spread(percent(runs, 'splines'), '.1f')} %",
        Bar(median(ours), 80.0, 90.0, most=True, form=".1f"),
        f"{_evidence(runs)}; percent",
    )


def phase_share(record: Record) -> float:
    """Return the largest score of an edge of phi in the first layer of the splines, relative to the largest of the layer."""
    scores = np.array(record["results"]["splines"][0]["scores"][0])
    return float(scores[:, -1].max() / scores.max())


def _phase_claim(model: str, runs: Sequence[Record]) -> Claim:
    ours = [phase_share(record) for record in runs]
    return Claim(
        f"{model}: the phase phi does not matter",
        "irrelevant",
        f"score of its strongest edge {spread(ours, '.2f')} of the largest of the layer",
        Bar(median(ours), 0.1, 0.3, most=True, form=".2f"),
        f"{_evidence(runs)}; splines {shape_name(runs[0]['results']['splines'][0]['widths'])}; share",
    )


# --- planes of states

N_LINE = 201  # of the lattice on which an edge g = 0 is drawn
WAYS = {"splines": (GREEN, "-"), "hand": (VERMILION, "--")}
LABELS = {"theory": "theory", "splines": "splines", "hand": "formula, functions by hand"}


def plane(ax: Axes, record: Record, *, across: str, up: str, fixed: dict[str, float], width: float) -> None:
    """Draw test states near the fixed inputs, localized ones filled, and the edges of theory, splines and formula through these inputs.

    `across` and `up` are the inputs of the axes, `fixed` the values of others, `width` how far from them a state may be.
    """
    model, results = MODELS[record["config"]["model"]], record["results"]
    x = np.array(results["shown"]["x"])
    localized = np.array(results["shown"]["localized"], dtype=bool)
    near = np.ones(len(x), dtype=bool)
    for name, value in fixed.items():
        near &= np.abs(x[:, model.names.index(name)] - value) <= width
    column, row = model.names.index(across), model.names.index(up)
    for group, color, label in ((near & localized, ORANGE, "localized"), (near & ~localized, SKY, "extended")):
        ax.plot(x[group, column], x[group, row], "o", ms=3.2, mew=0, color=color, label=label)
    low, high = np.percentile(x[:, row], (0.5, 99.5))
    ends = model.box[across]
    lines = np.meshgrid(np.linspace(*ends, N_LINE), np.linspace(low, high, N_LINE))
    points = _points(model.names, {across: lines[0], up: lines[1]}, fixed)
    values = {"theory": model.edge(points)}
    for way in WAYS:
        document = results[way][0] if way == "splines" else results[way]
        values[way] = restored(document["network"])(points)[:, 0]
    for way, (color, style) in {"theory": ("black", ":"), **WAYS}.items():
        g = np.clip(values[way].reshape(lines[0].shape), -1.0, 1.0)
        ax.contour(*lines, g, levels=[0.0], colors=[color], linestyles=[style], linewidths=1.8)
        ax.plot([], [], color=color, ls=style, label=LABELS[way])
    ax.set_xlim(*ends)
    ax.set_ylim(low, high)


def _points(names: tuple[str, ...], varied: dict[str, FloatArray], fixed: dict[str, float]) -> FloatArray:
    """Return the points (batch, n_in) of a lattice; the phase, where there is one, is pi."""
    size = next(iter(varied.values())).size
    columns: list[Any] = [
        varied[name].ravel() if name in varied else np.full(size, fixed.get(name, np.pi)) for name in names
    ]
    return np.stack(columns, axis=1)


def outside_legend(ax: Axes) -> None:
    """Write the legend under the axes."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, labelcolor=GREY)


# --- the figures

fig_4_5_mosaic = MobilityFigure(
    f"{__name__}.fig_4_5_mosaic", "4.5", "mobility edges of mosaic chains", MOSAIC, draw_mosaic, claims_of
)
TABLE_5 = "mobility edges of GAAM and MAAM, Table 5"
fig_4_6_gaam_maam = MobilityFigure(
    f"{__name__}.fig_4_6_gaam_maam", "4.6", TABLE_5, tuple(CHAINS), draw_chains, claims_of
)
