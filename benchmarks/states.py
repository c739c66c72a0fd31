"""`python -m benchmarks.states`: conversion of networks from other libraries' arrays and back, checked by their outputs.

For each installed library (extra `peers`), random models with all parameters drawn, biases and scales of nodes included, become
networks, and random networks become models. The error is the largest difference of outputs in units of the largest output, over
points inside the grids, and outside them if no bias was folded. Status 1 if an error is above 1e-12, or nothing is installed.
"""

import argparse
import contextlib
import importlib
import importlib.util
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.program import run_program

BAR = 1e-12
WIDTHS, N_INTERVALS, DEGREE = (2, 3, 2), 4, 3
FORMULAS = ("x", "x^2", "x^3", "sin", "cos", "exp", "tanh", "abs", "gaussian", "arctan")
Errors = Iterator[tuple[str, float]]


def random_network(rng: np.random.Generator) -> kr.Network:
    """Return a random network with hidden grids of [-60, 60], which contain all hidden values; two
    edges are masked.
    """
    layers = []
    for number, (n_in, n_out) in enumerate(pairwise(WIDTHS)):
        reach = 60.0 if number else 1.0
        mask = np.ones((n_out, n_in))
        mask[number, -1] = 0.0
        layers.append(
            kr.Layer(
                knots=np.tile(kr.uniform_knots(-reach, reach, N_INTERVALS, DEGREE), (n_in, 1)),
                coef=rng.normal(size=(n_out, n_in, N_INTERVALS + DEGREE)),
                w_base=rng.normal(size=(n_out, n_in)),
                w_spline=rng.uniform(0.5, 1.5, (n_out, n_in)),
                mask=mask,
                degree=DEGREE,
            )
        )
    return kr.Network(tuple(layers))


def _error(network: kr.Network, x: FloatArray, theirs: Any) -> float:
    y = network(x)
    return float(np.abs(np.asarray(theirs) - y).max() / np.abs(y).max())


def _points(rng: np.random.Generator, reach: float = 1.0) -> FloatArray:
    return rng.uniform(-reach, reach, (200, WIDTHS[0]))


# --- pykan


def pykan(rng: np.random.Generator) -> Errors:
    """Return errors for models with scales and biases of nodes and with symbolic edges, and for
    networks as models.
    """
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    kan = importlib.import_module("kan")

    def build() -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            return kan.KAN(width=list(WIDTHS), grid=N_INTERVALS, k=DEGREE, auto_save=False)

    def run(model: Any, x: FloatArray) -> Any:
        with torch.no_grad():
            return model(torch.tensor(x)).numpy()

    def load(model: Any, state: Any) -> None:
        model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})

    network, model = random_network(rng), build()
    load(model, kr.to_pykan(network))
    x = _points(rng, 4.0)
    yield "to_pykan", _error(network, x, run(model, x))
    yield "from_pykan", _error(kr.from_pykan(model.state_dict()), x, run(model, x))

    state, x = kr.to_pykan(network), _points(rng)
    for name, array in state.items():
        if name.startswith(("node_", "subnode_")):
            array += rng.uniform(-0.5, 0.5, array.shape)
    load(model, state)
    yield ("from_pykan, nodes scaled and shifted", _error(kr.from_pykan(model.state_dict()), x, run(model, x)))

    worst = 0.0
    for formula in FORMULAS:
        model.fix_symbolic(0, 1, 2, formula, fit_params_bool=False, verbose=False, log_history=False)
        with torch.no_grad():
            model.symbolic_fun[0].affine[2, 1] = torch.tensor(rng.uniform(-1.5, 1.5, 4))
        formulas = [part.funs_name for part in model.symbolic_fun]
        worst = max(worst, _error(kr.from_pykan(model.state_dict(), formulas=formulas), x, run(model, x)))
    yield f"from_pykan, {len(FORMULAS)} formulas, nodes scaled and shifted", worst


# --- jaxKAN


def jaxkan(rng: np.random.Generator) -> Errors:
    """Return errors for models of both kinds of layers, with biases, and for networks as models."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    library = importlib.import_module("jaxkan.models.KAN")
    network = random_network(rng)
    for kind in ("base", "spline"):
        model = library.KAN(list(WIDTHS), layer_type=kind, required_parameters={"k": DEGREE, "G": N_INTERVALS}, seed=0)
        for shift, title in ((0.0, ""), (1.0, ", biases")):
            state = kr.to_jaxkan(network, layer_type=kind)
            for number, layer in enumerate(model.layers):
                state[f"layers.{number}.bias"] += shift * rng.normal(size=state[f"layers.{number}.bias"].shape)
                for name in ("c_basis", "c_res", "c_spl", "bias"):
                    getattr(layer, name).set_value(jax.numpy.asarray(state[f"layers.{number}.{name}"]))
                layer.grid.item = jax.numpy.asarray(state[f"layers.{number}.grid"])
            x = _points(rng, 1.0 if shift else 4.0)
            theirs = np.asarray(model(x))
            if not shift:
                yield f"to_jaxkan, {kind}", _error(network, x, theirs)
            yield (f"from_jaxkan, {kind}{title}", _error(kr.from_jaxkan(_jaxkan_state(model)), x, theirs))
        fresh = library.KAN(list(WIDTHS), layer_type=kind, required_parameters={"k": DEGREE, "G": N_INTERVALS}, seed=1)
        yield (f"from_jaxkan, {kind}, as built", _error(kr.from_jaxkan(_jaxkan_state(fresh)), x, np.asarray(fresh(x))))


def _jaxkan_state(model: Any) -> dict[str, Any]:
    state: dict[str, Any] = {
        f"layers.{number}.grid": np.asarray(layer.grid.item) for number, layer in enumerate(model.layers)
    }
    for number, layer in enumerate(model.layers):
        for name in ("c_basis", "c_res", "c_spl", "bias"):
            parameter = getattr(layer, name)
            state[f"layers.{number}.{name}"] = None if parameter is None else np.asarray(parameter[...])
    return state


# --- all of them

LIBRARIES: dict[str, tuple[tuple[str, ...], Callable[[np.random.Generator], Errors]]] = {
    "pykan": (("torch", "kan"), pykan),
    "jaxkan": (("jax", "flax", "jaxkan"), jaxkan),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.states", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default %(default)s)")
    options = parser.parse_args(arguments)
    errors = []
    for package, (needs, measure) in LIBRARIES.items():
        absent = [name for name in needs if importlib.util.find_spec(name) is None]
        if absent:
            print(f"{package}: not installed: {', '.join(absent)}")
            continue
        for title, error in measure(np.random.default_rng(options.seed)):
            errors.append(error)
            print(f"{package:8s} {title:60s} {error:9.1e}{'' if error <= BAR else '   above the bar'}", flush=True)
    print(f"{len(errors)} measured, bar {BAR:g}")
    return 0 if errors and max(errors) <= BAR else 1


if __name__ == "__main__":
    run_program(main, ends_fits=True)
