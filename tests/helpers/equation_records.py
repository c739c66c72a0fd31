"""Made-up records of figure 3.3 and of the further equations: as in the paper, or as a test wants them."""

from figures.equations import equations, fig_3_3_poisson, nested_grids
from figures.equations.further_equations import EQUATIONS
from figures.equations.poisson import KAN_LBFGS, KAN_LM, KAN_LM_5, MLP_LBFGS, MLP_LM, config_of


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


def made_up(method, seed, l2, *, n_params=300, name="documentation", n_intervals=5, seconds=10.0):
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
                made_up(KAN_LM, seed, kan * (1 + 0.1 * seed), name=name),
                made_up(KAN_LBFGS, seed, 10 * kan, name=name),
            ]
            found += [
                made_up(KAN_LM_5, seed, 1e-3 * kan, n_params=360, name=name),
                made_up(MLP_LBFGS, seed, mlp, n_params=40000, name=name),
                made_up(MLP_LM, seed, 0.1 * mlp, n_params=921, name=name),
            ]
        for grid, size in ((10, 450), (20, 750)):
            found.append(
                made_up(KAN_LM, seed, kan * (5 / grid) ** 8, n_params=size, n_intervals=grid)
            )
            found.append(made_up(MLP_LBFGS, seed, 4 * mlp, n_params=1000 + grid))
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


def equation_record(name, seed, error):
    if name == equations.FORMULA:
        results = {
            "widths": [2, 2, 1],
            "named": error < 1e-9,
            "errors": [1e-4, 1e-5, error],
            "residual": error,
            "seconds": 1.0,
        }
        results["formula"] = "cos(pi*x - pi*y)/2 - cos(pi*x + pi*y)/2" if results["named"] else None
        return record_of({"equation": name, "n_steps": 60, "seed": seed}, results)
    equation = EQUATIONS[name]
    values = equation.exact(equation.mesh(equations.KEPT[len(equation.box)])).tolist()
    grids = list(equation.grids)
    errors = [error * 10.0**k for k in range(len(grids))][::-1]
    config = {"equation": name, "grids": grids, "n_steps": equation.n_steps, "seed": seed}
    return record_of(
        config,
        {"errors": errors, "residuals": errors, "n_params": 9, "seconds": 1.0, "values": values},
    )


RECORDS = {
    "3.3": lambda: poisson_records() + nested_records(),
    "equations": lambda: [
        equation_record(name, seed, 1e-7)
        for name in (*EQUATIONS, equations.FORMULA)
        for seed in (0, 1)
    ],
}
