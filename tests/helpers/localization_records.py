"""Made-up records of figures 4.5 and 4.6, in which every way finds theory's edge."""

import copy

import numpy as np

import kan_ref as kr
from figures.localization import learning
from figures.localization.chains import MODELS
from figures.machine.stored_network import stored

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


RECORDS = {
    "4.5": lambda: [made_up(name, seed) for name in ("mosaic 2", "mosaic 3") for seed in (0, 1)],
    "4.6": lambda: [made_up(name, seed) for name in ("GAAM", "MAAM") for seed in (0, 1)],
}
