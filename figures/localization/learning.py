"""Mobility edges from labelled states: splines, formulas with functions set by hand, and formulas found automatically.

A network computes the logit g(x), the paper's network without its last sigmoid, and is trained by the logistic loss (T3), which is the binary
cross entropy of that sigmoid. The edge is g = 0, so g is determined up to a positive factor alone. Chains, not states, are
split into those to train, those to choose and those to test, because states of one chain are alike. All choices (initializations,
candidate functions) have the smallest loss on the chains to choose; test chains are only reported.

    splines     for the mosaic [2,1] with the identity on lambda, so that lambda = h(E); else [n,h,1], L-BFGS with the printed penalty, then
                without it and with smoothness; domains of the grids are percentiles, for energies have heavy tails
    by hand     the functions of `Model.aim`, their parameters from random values
    automatic   mosaic: each of `CANDIDATES` on the edge of E; else `kr.auto_symbolic` on the splines, then training

For the mosaic the automatic search trains every candidate, and does not compare curves: far from the edge a logit may have any large value,
and the R^2 of the curve prefers a Gaussian to 1/|E|.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from figures.localization.chains import INVERSE_MODULUS, MODELS, Model, Sample, sample_states
from figures.machine.machine import Config
from figures.machine.stored_network import stored
from kan_ref.checks import BoolArray, FloatArray

TRAIN, CHOOSE, TEST = range(3)
COUNTS = [180, 60, 60]  # chains to train, to choose, to test
N_STATES = 30  # of a chain
N_SHOWN = 900  # test states that a record keeps for its picture
DIGITS = 5  # significant ones of their numbers
PERCENTILES = (0.5, 99.5)
KAPPA_GRID, GRID = 40, 5  # intervals: 1/|E| has a pole
HIDDEN = {"GAAM": [2], "MAAM": [3, 2]}  # widths of the hidden layer, the first one for formulas
FEW = ["x", "x^2"]  # the paper's library for the GAAM
CANDIDATES = [
    "x",
    "x^2",
    "x^3",
    "1/x",
    "1/x^2",
    "exp",
    "abs",
    "sin",
    "tanh",
    "gaussian",
    INVERSE_MODULUS,
]
NAMES = {"lambda": "lam"}  # as symbols of SymPy


def config_of(model: str, seed: int, counts: Sequence[int] = COUNTS) -> Config:
    """Return the configuration of a run."""
    settings: Config = {"n_steps": 200, "n_starts": 10, "n_spline_starts": 3}
    if model not in HIDDEN:
        settings["candidates"] = CANDIDATES
    states = {"lengths": list(MODELS[model].lengths), "counts": list(counts), "n_states": N_STATES}
    return {"model": model, **states, **settings, "seed": seed}


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


# --- judging


def accuracies(g: FloatArray, sample: Sample) -> dict[str, float]:
    """Return the shares of test states that g > 0 labels as (R21) does, and as the paper's rule does at the shorter and the longer length.

    A value that is not finite counts as wrong.
    """
    test = sample.part == TEST
    found, known = g[test] > 0.0, np.isfinite(g[test])
    labels = {"growth": sample.localized, "paper": sample.paper, "paper_long": sample.paper_long}
    return {name: float(np.mean((found == label[test]) & known)) for name, label in labels.items()}


def logits(network: kr.Network, x: FloatArray) -> FloatArray:
    """Return g (batch,), nan where a function of the network is undefined."""
    try:
        return np.asarray(network(x)[:, 0])
    except ValueError:  # some state is outside the domain of a logarithm
        return np.array([_logit(network, row) for row in x])


def _logit(network: kr.Network, row: FloatArray) -> float:
    try:
        return float(network(row[None])[0, 0])
    except ValueError:
        return math.nan


def held_out_loss(network: kr.Network, sample: Sample) -> float:
    """Return the logistic loss on the chains to choose, infinite if the network is undefined at one of their states."""
    place = sample.part == CHOOSE
    g, y = logits(network, sample.x[place]), sample.localized[place]
    loss = float(np.mean(np.maximum(g, 0.0) - g * y + np.log1p(np.exp(-np.abs(g)))))
    return loss if math.isfinite(loss) else math.inf


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


def splines(
    model: Model, sample: Sample, config: Config, rng: np.random.Generator, _: object
) -> list[dict[str, Any]]:
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


def _hidden_splines(
    n_in: int, hidden: int, domain: FloatArray, data: kr.Data, rng: np.random.Generator
) -> kr.Network:
    widths = (n_in, hidden, 1)
    network = kr.init_network(widths, n_intervals=GRID, degree=3, domain=domain, rng=rng)
    network = _trained(network, data, 200, penalty_weight=1e-3)
    return _trained(network, data, 100, smoothness_weight=1e-4)


def _trained(network: kr.Network, data: kr.Data, n_steps: int, **options: Any) -> kr.Network:
    return kr.fit(
        network, data, optimizer="lbfgs", loss="logistic", n_steps=n_steps, **options
    ).network


# --- formulas


def by_hand(
    model: Model, sample: Sample, config: Config, rng: np.random.Generator, _: object
) -> dict[str, Any]:
    """Train the parameters of the functions set by hand from random values; return the formula with the smallest held-out loss."""
    data = data_of(sample)
    begun: list[tuple[float, int, kr.Network]] = []
    for _start in range(config["n_starts"]):
        network = random_formula(model, data.x_train, rng)
        if np.isfinite(network(data.x_train)).all():
            network = _trained(network, data, 60, update_grids=False)
            begun.append((held_out_loss(network, sample), len(begun), network))
    ended = [
        _trained(network, data, config["n_steps"], update_grids=False)
        for _, _, network in sorted(begun)[:2]
    ]
    return _formula_record(model, min(ended, key=lambda one: held_out_loss(one, sample)), sample)


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
            network = kr.fix_symbolic(
                network, number, output=output, input=place, name=name, affine=affine
            )
    return network


def automatic(
    model: Model,
    sample: Sample,
    config: Config,
    rng: np.random.Generator,
    results: dict[str, Any],
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


def _candidates(
    network: kr.Network, name: str, data: kr.Data, rng: np.random.Generator
) -> list[kr.Network]:
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


def coefficients(expression: Any, names: Sequence[str]) -> dict[str, float] | None:
    """Return the coefficients of a polynomial in the names by monomial, as in {"alpha*E": 1.0, "1": -2.0}; None for any other formula."""
    import sympy

    symbols = sympy.symbols(list(names))
    if not expression.is_polynomial(*symbols):
        return None
    terms = sympy.Poly(expression, *symbols).terms()
    return {
        "*".join(
            f"{name}^{power}" if power > 1 else name
            for name, power in zip(names, powers, strict=True)
            if power
        )
        or "1": float(value)
        for powers, value in terms
    }
