"""Made-up records of figures 4.3 to 4.6, in which every claim of the paper holds and every way finds theory's edge."""

import copy

import numpy as np

import kan_ref as kr
from figures.knots import relations, signature
from figures.localization import learning
from figures.localization.chains import MODELS
from figures.machine.stored_network import stored

ACCURACY = {"all": 0.82, "three": 0.8, "mu_r": 0.66, "mu_i": 0.45, "two hidden": 0.85, "mlp": 0.8, "A": 0.85, "B": 0.7, "C": 0.75, "D": 0.86}  # fmt: skip
RELATIONS = {
    0: {"geodesic_re": 1.0, "injectivity_radius": 0.9},
    1: {"longitude": 1.0, "meridian_im": 0.9, "cusp_volume": 0.8},
    2: {"signature": 1.0, "meridian_re": 0.9, "longitude": 0.3},
}


def record_of(config, results):
    record = {"figure": "", "config": config, "seed": config["seed"], "results": results}
    return {**record, "versions": {}, "seconds": 1.0}


def random_network(widths):
    rng = np.random.default_rng(0)
    return kr.init_network(widths, n_intervals=3, degree=3, domain=(0.5, 2.0), rng=rng)


def made_up_signature(task, seed=0):
    """A record of figure 4.3."""
    model = signature.TASKS[task]
    widths = [len(model.inputs), *model.hidden, 10 if model.kind in ("kan", "mlp") else 1]
    results = {"widths": widths, "n_params": 50, "accuracy": ACCURACY[task], "most_common": 0.3}
    if model.kind == "kan":
        scores = np.where(
            np.isin(model.inputs, ("meridian_re", "longitude", "cusp_volume")), 0.5, 0.1
        )
        scores[model.inputs.index("meridian_re") if "meridian_re" in model.inputs else 0] = 1.0
        results |= {"scores": scores.tolist(), "network": stored(random_network(widths))}
    if model.kind in ("rule", "formula"):
        results |= {
            "r2": 0.95,
            "r2_slope": 0.99,
            "p": 0.42,
            "q": 0.0,
            "functions": [["sin"], ["x"]],
        }
    return record_of(signature.config_of(task, seed), results)


def made_up_relations(seed=0):
    """A record of figure 4.4."""
    config, searches = relations.config_of(seed), []
    for search, shares in RELATIONS.items():
        names = relations.variables_of(search)
        network = random_network((len(names), 1, 1))
        network = kr.fix_symbolic(
            network, 1, output=0, input=0, name="gaussian", affine=(3.0, 0.0, 1.0, 0.0)
        )
        searches.append(
            {
                "variables": list(names),
                "shares": [shares.get(name, 0.02) for name in names],
                "accuracy": 0.9,
                "network": stored(network),
                "seconds": 1.0,
            }
        )
    logs = {
        "factors": {"cusp_volume": 1.0, "longitude": -1.001, "meridian_im": -0.999},
        "shifts": dict.fromkeys(relations.CUSP, 0.0),
        "accuracy": 0.95,
    }
    return record_of(config, {"searches": searches, "logarithms": logs})


RECORDS = {
    "4.3": lambda: [made_up_signature(task, seed) for task in signature.TASKS for seed in (0, 1)],
    "4.4": lambda: [made_up_relations(seed) for seed in (0, 1)],
    "4.5": lambda: [made_up(name, seed) for name in ("mosaic 2", "mosaic 3") for seed in (0, 1)],
    "4.6": lambda: [made_up(name, seed) for name in ("GAAM", "MAAM") for seed in (0, 1)],
}


ONE = (1.0, 0.0, 1.0, 0.0)


def truth(name):
    """Theory's edge as a network of the functions that the figure sets by hand."""
    minus = (1.0, 0.0, -1.0, 0.0)
    affine = {
        "mosaic 2": [[ONE, (1.0, 0.0, -2.0, 0.0)]],
        "mosaic 3": [[ONE, (1.0, 0.0, 1.0, -1.0)], [ONE, (1.0, 0.0, -2.0, 0.0)]],
        # alpha E = ((alpha + E)^2 - alpha^2 - E^2) / 2
        "GAAM": [[ONE, ONE, ONE, ONE, (1.0, 0.0, -4.0, 4.0)], [(1.0, 0.0, 0.5, 0.0), (1.0, 0.0, -0.5, 0.0)]],
        "MAAM": [[ONE, ONE, ONE, ONE], [ONE, minus]],
    }[name]  # fmt: skip
    model = MODELS[name]
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 2.0, (50, len(model.names)))
    network = learning.random_formula(model, x, rng)
    for number, layer in enumerate(model.aim):
        for (output, place, function), numbers in zip(layer, affine[number], strict=True):
            network = kr.fix_symbolic(
                network, number, output=output, input=place, name=function, affine=numbers
            )
    return network


def made_up(name, seed=0, **changes):
    """A record in which every way finds theory's edge."""
    model = MODELS[name]
    right = {"growth": 0.995, "paper": 0.99, "paper_long": 0.995}
    x = np.random.default_rng(seed).uniform(0.5, 2.0, (40, len(model.names)))
    network = truth(name)
    formula = {
        "widths": list(network.widths),
        **right,
        "n_undefined": 0,
        "loss": 0.1,
        "functions": [[edge.name for edge in layer.symbolic] for layer in network.layers],
        "formula": "",
        "coefficients": {"alpha*E": 10.0, "lam": 20.1, "1": -20.0, "E^2": 0.1},
        "network": stored(network),
    }
    scores = [[[1.0, 1.0, 1.0, 0.05]] * 2] if "phi" in model.names else [[[1.0, 1.0]]]
    n_in = len(model.names)
    trained = kr.init_network(
        (n_in, 1), n_intervals=3, degree=3, domain=(0.5, 2.0), rng=np.random.default_rng(seed)
    )
    one = {"widths": [n_in, 1], **right, "loss": 0.1, "scores": scores, "network": stored(trained)}
    few = {**one, "growth": 0.75}
    results = {
        "localized": 0.5,
        "theory": right,
        "shown": {"x": x.tolist(), "localized": [int(g > 0) for g in model.edge(x)]},
        "splines": [one, few] if name == "MAAM" else [one],
        "hand": formula,
        "auto": copy.deepcopy(formula),
        "seconds": {"states": 1.0},
    }
    record = {"figure": "", "config": learning.config_of(name, seed), "seed": seed}
    return {**record, "results": {**results, **changes}, "versions": {}, "seconds": 1.0}
