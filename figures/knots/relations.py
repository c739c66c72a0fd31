"""Relations among invariants of knots, found by telling real knots from shuffled ones, for Fig. 4.4.

Liu et al. 2024, section 4.3. As in Fig. 4.2, a [n,1,1] network g = sigma(f) with a fixed last curve sigma(u) = exp(-(a u)^2) is trained to be 1 on
real knots and 0 on knots whose invariants are permuted independently, so that f = sum_i phi_i(x_i) = 0 is a relation among the inputs whose
phi vary. The paper finds three,

    (R25) (a) signature, mu_r, lambda;    (b) V = lambda mu_i / 2, the cusp's volume;    (c) r = g_r / 2, the injectivity radius

of which (b) is an identity (twice the volume of a cusp is its area) and (c) the definition of r in our table, whose column r is computed from
g_r. The paper writes (b) with its exchanged name of mu_i. Both hold exactly, and hide (a), which holds up to an error. So each seed searches three
times: among all variables, without r, and without r and V. A variable is removed when the relation that it belongs to is known.

Variables are the 9 numbers and the signature, divided by their standard deviations and not shifted: then log V = log lambda + log mu_i + const
has logarithms as its curves. The indicators of symmetry groups are left out: the rare ones become outliers of tens of standard deviations, and the
two others exclude each other by definition, which is a relation, too.

For (b) the product is measured: the three curves become logarithms, their parameters are trained, and their factors are divided by that of log V.

What the paper leaves open: 2000 knots with at most 13 crossings to train, 1000 to test, and as many shuffled ones; of four
initializations, the one with the smallest training error after 60 iterations, then 250 more. As in Fig. 4.2 there are
3 intervals, the printed penalty has lambda = 5e-3 and mu_2 = 10, a = 3, and initial coefficients are N(0, 1). Optimizers work on the parameters
themselves, as in the paper.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import kan_ref as kr
from figures.knots.table import MOST_CROSSINGS, NUMBERS, all_knots
from figures.machine.machine import Config, Record
from figures.machine.stored_network import stored
from figures.machine.training import OPTIMIZERS, penalty_of
from kan_ref.checks import FloatArray
from kan_ref.network.initialization import COEF_SCALE

VARIABLES = (*NUMBERS, "signature")
REMOVED = ((), ("injectivity_radius",), ("injectivity_radius", "cusp_volume"))
SEARCHES = ("all variables", "without r", "without r, V")
LEAST_SHARE = 0.1  # of the largest score: a variable above belongs to the relation
LEAST_ACCURACY = 0.75  # of telling real from shuffled knots; below it there is no relation
CUSP = frozenset({"longitude", "meridian_im", "cusp_volume"})
GEODESIC = frozenset({"geodesic_re", "injectivity_radius"})
SIGNATURE = frozenset({"signature", "meridian_re"})
N_TEST = 1000
LOG_STEPS = 100


def config_of(seed: int, n_train: int = 2000, n_steps: int = 250) -> Config:
    """Return the configuration of a run."""
    network = {"n_intervals": 3, "degree": 3, "coef_scale": 1.0, "gaussian_scale": 3.0}
    training = {"n_starts": 4, "start_steps": 60, "n_steps": n_steps}
    penalty = {"penalty_weight": 5e-3, "l1_weight": 1.0, "entropy_weight": 10.0}
    return {"n_train": n_train, "n_test": N_TEST, **network, **training, **penalty, "seed": seed}


def variables_of(search: int) -> tuple[str, ...]:
    """Return the variables of a search, counted from 0."""
    return tuple(name for name in VARIABLES if name not in REMOVED[search])


def real_and_shuffled(x: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return 2 n points with their targets: 1 for the rows of x (n, n_in), which come first, 0 for those with each column permuted."""
    y = np.repeat([1.0, 0.0], len(x))[:, None]
    return np.concatenate([x, rng.permuted(x, axis=0)]), y


def sample_of(config: Config, search: int) -> kr.Data:
    """Return real and shuffled knots of a seed, scaled and not shifted; those of all searches are the same knots."""
    rng = np.random.default_rng(config["seed"])
    knots = all_knots()
    places = np.flatnonzero(knots.crossings <= MOST_CROSSINGS)
    drawn = rng.permutation(places)[: config["n_train"] + config["n_test"]]
    x = knots.chosen(drawn).inputs(variables_of(search))
    n_train = config["n_train"]
    x = x / x[:n_train].std(axis=0)
    return kr.Data(*real_and_shuffled(x[:n_train], rng), *real_and_shuffled(x[n_train:], rng))


def search_relations(config: Config) -> dict[str, Any]:
    """Search three times from a seed; return each search's scores, accuracy and network, and the logarithms of relation (b)."""
    searches = [_search(config, search) for search in range(len(REMOVED))]
    found = next((one for one in searches if inputs_of(one) == CUSP), None)
    logs = _logarithms(config, searches.index(found), found) if found is not None else None
    for one in searches:
        del one["pruned"]
    return {"searches": searches, "logarithms": logs}


def _search(config: Config, search: int) -> dict[str, Any]:
    data = sample_of(config, search)
    rng = np.random.default_rng([config["seed"], search])
    began = time.process_time()
    settings: dict[str, Any] = {
        "optimizer": OPTIMIZERS["lbfgs"],
        "penalty": penalty_of(config),
        "trainable": ("coef", "w_base", "w_spline"),
    }
    starts = [
        kr.fit(_start(config, data.x_train, rng), data, n_steps=config["start_steps"], **settings)
        for _ in range(config["n_starts"])
    ]
    best = min(starts, key=lambda run: run.train_rmse)
    run = kr.fit(best.network, data, n_steps=config["n_steps"], **settings)
    scores = kr.edge_scores(run.network, data.x_train, kind="std")[0][0]
    network = kr.prune(
        run.network,
        data.x_train,
        threshold=0.0,
        edge_threshold=LEAST_SHARE * scores.max(),
        kind="std",
    )
    return {
        "variables": list(variables_of(search)),
        "shares": (scores / scores.max()).tolist(),
        "accuracy": _accuracy(network, data),
        "network": stored(network),
        "pruned": network,
        "seconds": round(time.process_time() - began, 2),
    }


def _start(config: Config, x: FloatArray, rng: np.random.Generator) -> kr.Network:
    """Return a random network with the fixed last curve."""
    network = kr.init_network(
        (x.shape[1], 1, 1),
        n_intervals=config["n_intervals"],
        degree=config["degree"],
        domain=x,
        rng=rng,
    )
    first, last = network.layers
    wider = replace(first, coef=first.coef * config["coef_scale"] / COEF_SCALE)
    affine = (config["gaussian_scale"], 0.0, 1.0, 0.0)
    return kr.fix_symbolic(
        kr.Network((wider, last)), 1, output=0, input=0, name="gaussian", affine=affine
    )


def _accuracy(network: kr.Network, data: kr.Data) -> float:
    return float(np.mean((network(data.x_test) > 0.5) == (data.y_test > 0.5)))


def _logarithms(config: Config, search: int, found: dict[str, Any]) -> dict[str, Any]:
    """Return the factors of the logarithms of (b) relative to that of log V, their shifts b / a, and the accuracy on the training knots.

    Each curve becomes c log(x) + d by least squares, then c log(a x + b) + d of all curves are trained together.
    """
    data, network = sample_of(config, search), found["pruned"]
    places = {name: place for place, name in enumerate(variables_of(search)) if name in CUSP}
    curves = kr.edge_outputs(network, data.x_train)[0][:, 0]
    for place in places.values():
        c, d = np.polyfit(np.log(data.x_train[:, place]), curves[:, place], 1).tolist()
        affine = (1.0, 0.0, c, d)
        network = kr.fix_symbolic(network, 0, output=0, input=place, name="log", affine=affine)
    settings: dict[str, Any] = {"optimizer": "lm", "trainable": ("symbolic",)}
    trained = kr.fit(network, data, n_steps=LOG_STEPS, **settings).network
    layer = trained.layers[0]
    rows = {edge.input: layer.affine[edge.row].tolist() for edge in layer.symbolic}
    scale = rows[places["cusp_volume"]][2]
    g = trained(data.x_train)
    return {
        "factors": {name: rows[place][2] / scale for name, place in places.items()},
        "shifts": {name: rows[place][1] / rows[place][0] for name, place in places.items()},
        "accuracy": float(np.mean((g > 0.5) == (data.y_train > 0.5))),
    }


def inputs_of(search: dict[str, Any]) -> frozenset[str]:
    """Return the variables of the relation that a search has found, none if its network does not tell the knots apart."""
    if search["accuracy"] < LEAST_ACCURACY:
        return frozenset()
    pairs = zip(search["variables"], search["shares"], strict=True)
    return frozenset(name for name, share in pairs if share > LEAST_SHARE)


def relation_of(search: dict[str, Any]) -> str:
    """Return "a", "b" or "c" of (R25), "none", or "another". (a) may have further variables, as in the paper, (b) and (c) may not."""
    inputs = inputs_of(search)
    if not inputs:
        return "none"
    if inputs == CUSP:
        return "b"
    if inputs == GEODESIC:
        return "c"
    return "a" if inputs >= SIGNATURE else "another"


def first_with(records: Sequence[Record], relation: str) -> tuple[Record, int] | None:
    """Return the first record that finds a relation, and the number of its search; None if there is none."""
    for record in sorted(records, key=lambda one: int(one["seed"])):
        for number, search in enumerate(record["results"]["searches"]):
            if relation_of(search) == relation:
                return record, number
    return None
