"""Made-up records of figures: as in the paper, or numbers that say what a test wants them to say.

They are of figures 3.1, 3.4, B.1, B.2, E and the cure of the U-shape; of figure 3.3; and of figures 4.3 to 4.6, in
which every claim of the paper holds and every way finds theory's edge.
"""

import copy

import numpy as np

import kan_ref as kr
from figures.equations import fig_3_3_poisson, nested_grids
from figures.equations.poisson import KAN_LBFGS, KAN_LM, KAN_LM_5, MLP_LBFGS, MLP_LM, config_of
from figures.knots import relations, signature
from figures.lans import fig_b_1_lan_training, fig_b_2_lan_examples
from figures.lans.lan_runs import stored_lan
from figures.localization import learning
from figures.localization.chains import MODELS
from figures.machine.stored_network import stored
from figures.scaling import fig_3_1_scaling
from figures.scaling.toy_scaling import n_params
from figures.splines import fig_3_4_continual_learning, fig_e_lattice, fig_u_shape_cure

FIGURES = {
    figure.NAME: figure
    for figure in (
        fig_3_1_scaling,
        fig_3_4_continual_learning,
        fig_b_1_lan_training,
        fig_b_2_lan_examples,
        fig_e_lattice,
        fig_u_shape_cure,
    )
}


def record_of(config, results):
    versions = {"python": "3", "numpy": "2", "kan_ref": "0", "machine": "x"}
    return {
        "figure": "",
        "config": config,
        "seed": config["seed"],
        "results": results,
        "versions": versions,
        "seconds": 1.0,
    }


def random_lan(widths):
    return kr.init_lan(
        widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )


def scaling(power=-4.0, scale=1.0, mlp=1e-2, full=True, seeds=2):
    """KANs fall with a power of G, -6 for degree 5 if it is -4; all MLPs have the same error."""
    records = []
    for config in fig_3_1_scaling.configs(full, seeds):
        if config["model"] == "mlp":
            size = n_params(config["widths"])
            results = {
                "spread": 1.0,
                "n_params": size,
                "train_rmse": mlp,
                "test_rmse": mlp,
                "seconds": 1.0,
                "n_steps": 10,
            }
        else:
            own = power * (config["degree"] + 1) / 4
            errors = [scale * float(grid) ** own for grid in config["grids"]]
            grids = [
                {
                    "n_intervals": grid,
                    "n_params": 3 * grid,
                    "train_rmse": error,
                    "test_rmse": error,
                    "seconds": 1.0,
                }
                for grid, error in zip(config["grids"], errors, strict=True)
            ]
            widths = [4, 2, 1, 1] if config["shape"] == "eliminated" else config["widths"]
            results = {
                "spread": 1.0,
                "grids": grids,
                "n_failed_starts": 0,
                "widths": widths,
                "edges": [[[0, 0]], [[0, 0]]],
            }
        records.append(record_of(config, results))
    return records


def peaks(kan=1e-5, free=0.3, mlp=3.0, full=True, seeds=2):
    """What is left of earlier peaks, by model."""
    records = []
    for config in fig_3_4_continual_learning.configs(full, seeds):
        error = {"kan, scales frozen": kan, "kan, scales free": free}.get(config["model"], mlp)
        phases = [
            {
                "train_rmse": 4e-6,
                "n_steps": 9,
                "worst": [error] * phase + [1e-5],
                "rmse_of_all": 1.0,
                "curve": [0.0] * fig_3_4_continual_learning.N_LINE if config["seed"] == 0 else None,
            }
            for phase in range(5)
        ]
        records.append(record_of(config, {"n_params": 205, "phases": phases}))
    return records


def lan_training(lan=1e-4, kan=1e-5, mlp=1e-3, purity=0.6, full=True, seeds=2):
    """Errors that fall to the given ones."""
    records = []
    for config in fig_b_1_lan_training.configs(full, seeds):
        last = {"lan": lan, "kan": kan}.get(config["model"], mlp)
        results = {
            "widths": [2, 5, 1],
            "n_params": 99,
            "step": [0, 10, 240],
            "test_rmse": [1.0, 0.1, last],
            "n_failed_starts": 1,
        }
        if config["model"] == "lan":
            network = stored_lan(random_lan(config["widths"]))
            results["snapshots"] = [
                {"step": step, "test_rmse": 0.5, "lan": network} for step in (0, 5, 20, 240)
            ]
            results |= {
                "purity": [purity] * 5,
                "probe": np.linspace(-1.0, 1.0, 20).reshape(10, 2).tolist(),
            }
        records.append(record_of(config, results))
    return records


def lan_examples(error=1e-3, right=0.98, purity=0.6, full=True, seeds=2):
    """Every example with the same error."""
    records = []
    for config in fig_b_2_lan_examples.configs(full, seeds):
        n_in = config["widths"][0]
        results = {
            "error": error,
            "train_error": error,
            "right": right,
            "n_params": 99,
            "n_failed_starts": 1,
            "purity": [purity] * config["widths"][1],
            "lan": stored_lan(random_lan(config["widths"])),
            "probe": np.linspace(-1.0, 1.0, 10 * n_in).reshape(10, n_in).tolist(),
        }
        records.append(record_of(config, results))
    return records


def lattice(fresh=100.0, extended=1.0, full=True, seeds=2):
    """Errors fall until G = n, where they rise by a factor."""
    records = []
    for config in fig_e_lattice.configs(full, seeds):
        factor = fresh if config["way"] == "fresh" and config["points"] == "lattice" else extended
        grids = []
        for grid in config["grids"]:
            error = float(grid) ** -3 * (factor if grid >= config["n_side"] else 1.0)
            grids.append({"n_intervals": grid, "train_rmse": error, "test_rmse": error})
        records.append(record_of(config, {"grids": grids}))
    return records


def cure(paper=100.0, cured=1.0, full=True, seeds=2):
    """Errors fall to G = 20, then rise by a factor."""
    records = []
    for config in fig_u_shape_cure.configs(full, seeds):
        factor = paper if config["way"] == "paper" else cured
        grids = []
        for grid in config["grids"]:
            error = min(grid, 20) ** -4.0 * (factor if grid > 20 else 1.0)
            weight = 1e-8 if config["way"] == "chosen" and grid < 100 else None
            grids.append(
                {"n_intervals": grid, "weight": weight, "train_rmse": error, "test_rmse": error}
            )
        records.append(record_of(config, {"grids": grids, "seconds": 1.0}))
    return records


# --- differential equations


def made_up_poisson(
    method, seed, l2, *, n_params=300, name="documentation", n_intervals=5, seconds=10.0
):
    shape = (
        {"activation": "tanh"}
        if method.model == "mlp"
        else {"n_intervals": n_intervals, "degree": method.degree}
    )
    widths = fig_3_3_poisson.DEEP if method.model == "mlp" else [2, 10, 1]
    curve = {
        "step": [0, 1, 100],
        "l2": [0.25, 0.1, l2],
        "h1": [5.0, 2.0, 100 * l2],
        "loss": [1.0, 0.1, l2],
        "seconds": [0.0, 0.1, seconds],
    }
    numbers = {
        "n_params": n_params,
        "l2": l2,
        "h1": 100 * l2,
        "loss": l2,
        "seconds": seconds,
        "n_steps": 100,
        "stopped": "",
        "curve": curve,
    }
    return record_of(
        config_of(name, method.model, widths, method.optimizer, method.n_steps, seed, **shape),
        numbers,
    )


def poisson_records(mlp=2e-5, kan=1e-7):
    found = []
    for seed in (0, 1, 2):
        for name in ("paper", "documentation"):
            found += [
                made_up_poisson(KAN_LM, seed, kan * (1 + 0.1 * seed), name=name),
                made_up_poisson(KAN_LBFGS, seed, 10 * kan, name=name),
            ]
            found += [
                made_up_poisson(KAN_LM_5, seed, 1e-3 * kan, n_params=360, name=name),
                made_up_poisson(MLP_LBFGS, seed, mlp, n_params=40000, name=name),
                made_up_poisson(MLP_LM, seed, 0.1 * mlp, n_params=921, name=name),
            ]
        for grid, size in ((10, 450), (20, 750)):
            found.append(
                made_up_poisson(
                    KAN_LM, seed, kan * (5 / grid) ** 8, n_params=size, n_intervals=grid
                )
            )
            found.append(made_up_poisson(MLP_LBFGS, seed, 4 * mlp, n_params=1000 + grid))
    return found


def nested_records(error=1e-6, exponent=2.0, seconds=1.0):
    """Errors (L2) and residuals that fall as powers of G, from `error` at the first grid."""
    found = []
    for config in nested_grids.configs(True, 3):
        ratios = [grid / config["grids"][0] for grid in config["grids"]]
        l2 = [
            1e-2 ** (config["degree"] - 3) * error * ratio ** (-2 * exponent - 4)
            for ratio in ratios
        ]
        results = {
            "n_params": [30 * (grid + 5) for grid in config["grids"]],
            "l2": l2,
            "h1": [100 * value for value in l2],
            "residual": [1e-2 * ratio**-exponent for ratio in ratios],
            "seconds": [seconds * ratio for ratio in ratios],
        }
        found.append(record_of(config, results))
    return found


# --- knots and mobility edges


ACCURACY = {"all": 0.82, "three": 0.8, "mu_r": 0.66, "mu_i": 0.45, "two hidden": 0.85, "mlp": 0.8, "A": 0.85, "B": 0.7, "C": 0.75, "D": 0.86}  # fmt: skip
RELATIONS = {
    0: {"geodesic_re": 1.0, "injectivity_radius": 0.9},
    1: {"longitude": 1.0, "meridian_im": 0.9, "cusp_volume": 0.8},
    2: {"signature": 1.0, "meridian_re": 0.9, "longitude": 0.3},
}


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


def made_up_localization(name, seed=0, **changes):
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
    return record_of(learning.config_of(name, seed), {**results, **changes})


RECORDS = {
    "u-shape-cure": cure,
    "3.1": scaling,
    "3.4": peaks,
    "b.1": lan_training,
    "b.2": lan_examples,
    "e": lattice,
    "3.3": lambda: poisson_records() + nested_records(),
    "4.3": lambda: [made_up_signature(task, seed) for task in signature.TASKS for seed in (0, 1)],
    "4.4": lambda: [made_up_relations(seed) for seed in (0, 1)],
    "4.5": lambda: [
        made_up_localization(name, seed) for name in ("mosaic 2", "mosaic 3") for seed in (0, 1)
    ],
    "4.6": lambda: [
        made_up_localization(name, seed) for name in ("GAAM", "MAAM") for seed in (0, 1)
    ],
}
