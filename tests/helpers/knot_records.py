"""Made-up records of figures 4.3 and 4.4, in which every claim of the paper holds."""

import numpy as np

import kan_ref as kr
from figures.knots import relations, signature
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
}
