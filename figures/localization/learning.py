"""Mobility edges from labelled states: splines, formulas with functions set by hand, and formulas found automatically.

A network computes the logit g(x), the paper's network without its last sigmoid, and is trained by the logistic loss (T3), which is the binary
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
from collections.abc import Sequence
from typing import Any

import numpy as np

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
from figures.machine.machine import Config
from figures.machine.stored_network import stored
from kan_ref.checks import BoolArray, FloatArray

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
