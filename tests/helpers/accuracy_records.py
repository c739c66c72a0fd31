"""Made-up records of the figures 3.1, 3.4, B.1, B.2, E and the cure of the U-shape: numbers that say what a test wants them to say."""

import numpy as np

import kan_ref as kr
from figures.lans import fig_b_1_lan_training, fig_b_2_lan_examples
from figures.lans.lan_runs import stored_lan
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


RECORDS = {
    "u-shape-cure": cure,
    "3.1": scaling,
    "3.4": peaks,
    "b.1": lan_training,
    "b.2": lan_examples,
    "e": lattice,
}
