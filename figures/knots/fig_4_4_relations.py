"""Fig. 4.4: three relations among invariants of knots, found by unsupervised learning.

Liu et al. 2024, section 4.3. `table` has the origin of the data. The picture shows for each relation the first seed
that finds it, and below how much each variable matters to each seed. The claims are those of section 4.3 about Fig. 4.4.

Relations are found by telling real knots from shuffled ones. As in Fig. 4.2, a [n,1,1] network g = sigma(f) with a fixed last curve sigma(u) = exp(-(a u)^2) is trained to be 1 on
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
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.formulas.fig_4_2_unsupervised import LEAST_SHARE, accuracy, pruned, start
from figures.knots.table import MOST_CROSSINGS, NUMBERS, SYMBOLS, all_knots
from figures.machine.machine import Bar, Claim, Config, Record, median, spread
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE, VERMILION
from figures.machine.stored_network import draw_settled, restored, stored
from figures.machine.training import OPTIMIZERS, penalty_of
from kan_ref.checks import FloatArray

VARIABLES = (*NUMBERS, "signature")
REMOVED = ((), ("injectivity_radius",), ("injectivity_radius", "cusp_volume"))
SEARCHES = ("all variables", "without r", "without r, V")
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


def run(config: Config) -> dict[str, Any]:
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
        kr.fit(start(config, data.x_train, rng), data, n_steps=config["start_steps"], **settings)
        for _ in range(config["n_starts"])
    ]
    best = min(starts, key=lambda run: run.train_rmse)
    run = kr.fit(best.network, data, n_steps=config["n_steps"], **settings)
    scores, network = pruned(run.network, data.x_train)
    return {
        "variables": list(variables_of(search)),
        "shares": (scores / scores.max()).tolist(),
        "accuracy": accuracy(network, data),
        "network": stored(network),
        "pruned": network,
        "seconds": round(time.process_time() - began, 2),
    }


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


NAME = "4.4"
TITLE = "relations among invariants of knots found unsupervised"
SEEDS, SEEDS_QUICK = 10, 1
QUICK = {"n_train": 600, "n_steps": 100}
COLORS = {"a": BLUE, "b": VERMILION, "c": GREEN, "another": ORANGE, "none": GREY}
TITLES = {
    "a": "(a) signature\n$\\sigma$, $\\mu_r$, …",
    "b": "(b) cusp volume\n$V = \\lambda \\mu_i / 2$",
    "c": "(c) shortest geodesic\n$r = g_r / 2$",
}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each seed."""
    options = {} if full else QUICK
    return [config_of(seed, **options) for seed in range(seeds or (SEEDS if full else SEEDS_QUICK))]


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a network for each relation, and the variables that each seed uses in each search."""
    picture = Figure(figsize=(7.4, 8.2))
    top, bottom = np.asarray(picture.subfigures(2, 1, height_ratios=(1.0, 1.05)), dtype=object)
    networks = []
    for ax, relation in zip(top.subplots(1, 3), TITLES, strict=True):
        ax.set_axis_off()
        place = first_with(records, relation)
        seed = f"seed {place[0]['seed']}" if place else "found by no seed"
        ax.set_title(f"{TITLES[relation]}\n{seed}", color=COLORS[relation], linespacing=1.4)
        if place:
            networks.append(partial(_draw_network, ax, *place))
    panels = np.asarray(bottom.subplots(1, len(SEARCHES), sharey=True), dtype=object)
    for search, ax in enumerate(panels):
        _draw_shares(ax, records, search)
    panels[0].set_yticks(range(len(VARIABLES)), labels=[SYMBOLS[name] for name in VARIABLES])
    bottom.supxlabel("seed; yellow: other variables, grey: no relation", fontsize=10.5)
    draw_settled(picture, networks)
    return picture


def _draw_network(ax: Axes, record: Record, search: int) -> None:
    names = [SYMBOLS[name] for name in variables_of(search)]
    kr.draw_network(
        restored(record["results"]["searches"][search]["network"]),
        sample_of(record["config"], search).x_train,
        ax=ax,
        names=names,
        output_names=("real?",),
    )


def _draw_shares(ax: Axes, records: Sequence[Record], search: int) -> None:
    """Draw the scores of each seed as squares, the darker the larger, in the colour of the relation that it finds."""
    ordered = sorted(records, key=lambda record: int(record["seed"]))
    for column, record in enumerate(ordered):
        results = record["results"]["searches"][search]
        color = COLORS[relation_of(results)]
        for name, share in zip(results["variables"], results["shares"], strict=True):
            row = VARIABLES.index(name)
            ax.bar(column, -0.86, 0.86, row + 0.43, color=color, alpha=float(share), lw=0)
            ax.bar(column, -0.86, 0.86, row + 0.43, fill=False, ec="0.85", lw=0.6)
    ax.set(xlim=(-0.6, len(ordered) - 0.4), ylim=(len(VARIABLES) - 0.4, -0.6))
    ax.set_xticks(range(len(ordered)), labels=[str(record["seed"]) for record in ordered])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    wanted = {place: relation for relation, place in PLACE.items()}.get(search)
    n_found = sum(relation_of(record["results"]["searches"][search]) == wanted for record in ordered)
    count = f"\n({wanted}) in {n_found} of {len(ordered)}" if wanted else "\n"
    ax.set_title(f"{SEARCHES[search]}{count}", fontsize=10)


# --- claims

PLACE = {"c": 0, "b": 1, "a": 2}  # the search for a relation: what hides it is removed
WHAT = {"a": "(a) signature, mu_r, lambda", "b": "(b) V = lambda mu_i / 2", "c": "(c) r = g_r / 2"}
PAPER = {
    "a": "one of three clusters of 200 networks, with two more variables",
    "b": "one of three clusters of 200 networks",
    "c": "one of three clusters of 200 networks",
}
ENOUGH, SOME = 0.8, 0.5  # of the seeds


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return a row for each relation, and one for the logarithms of (b)."""
    rows = [_relation_claim(records, relation) for relation in ("a", "b", "c")]
    if any(record["results"]["logarithms"] for record in records):
        rows.append(_logarithm_claim(records))
    return rows


def found(records: Sequence[Record], search: int) -> list[str]:
    """Return the relation that a search finds in each record, "another" and "none" among them."""
    return [relation_of(record["results"]["searches"][search]) for record in records]


def _relation_claim(records: Sequence[Record], relation: str) -> Claim:
    n, place = len(records), PLACE[relation]
    counts = [found(records, search).count(relation) for search in range(len(SEARCHES))]
    searches = [record["results"]["searches"][place] for record in records]
    right = [100.0 * one["accuracy"] for one in searches if relation_of(one) == relation]
    examples = f"; these tell {spread(right, '.1f')} % of real and shuffled test knots apart" if right else ""
    if relation == "a" and right:
        with_longitude = sum("longitude" in inputs_of(one) for one in searches if relation_of(one) == relation)
        examples += f"; lambda is in {with_longitude} of them"
    others = ", ".join(f"{count} {name}" for name, count in zip(SEARCHES, counts, strict=True))
    note = {
        "a": "signature and mu_r with any others",
        "b": "these three variables alone",
        "c": "these two variables alone; true by construction, because r is computed from g_r",
    }[relation]
    return Claim(
        f"training without supervision finds {WHAT[relation]}",
        PAPER[relation],
        f"by {counts[place]} of {n} seeds, searching {SEARCHES[place]}{examples}",
        Bar(counts[place], ENOUGH * n, SOME * n),
        f"{n} seeds; {note}; a variable counts above {LEAST_SHARE:g} of the largest score, a relation from {100 * LEAST_ACCURACY:.0f} % right answers on; "
        f"seeds by search: {others}; seeds",
    )


def _logarithm_claim(records: Sequence[Record]) -> Claim:
    logs = [logs for record in records if (logs := record["results"]["logarithms"])]
    factors = {name: [-float(one["factors"][name]) for one in logs] for name in ("longitude", "meridian_im")}
    off = [100.0 * max(abs(factors[name][place] - 1.0) for name in factors) for place in range(len(logs))]
    return Claim(
        "(b) is a product: log V = p log lambda + q log mu_i + const with p = q = 1",
        "curves like logarithms",
        f"p = {spread(factors['longitude'], '.3f')}, q = {spread(factors['meridian_im'], '.3f')}",
        Bar(median(off), 2.0, 10.0, most=True, form=".2f"),
        f"{len(logs)} of {len(records)} seeds, those that find (b); curves c log(a x + b) + d, all trained; "
        f"percent by which p or q is off",
    )
