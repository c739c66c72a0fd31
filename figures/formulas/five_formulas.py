"""Five formulas with interpretable networks, and the results of `kr.discover`: panels (a), (b), (d), (e), (f) of Fig. 4.1.

Liu et al. 2024, section 4.1. Of each panel the widths, the edges and their functions are known.

What the paper leaves open: samples are uniform on the boxes below, positive ones for (b), 1000 to train and 1000 to test, without noise;
the first widths of (e) are [3,3,1]. Settings are those of `discover`, with one exception after trials: J0(20 x) oscillates too
fast for 5 intervals, so (d) begins with 20, as the documentation does.

A record holds one network, with its own formula and its own error: the network of the formula that `discover` returns. Where that
formula is no network, it is the network of symbolic edges from the paper's way, which `discover` follows first.

Panel (d) needs the Bessel function J0 as a candidate for edges; the library has only functions of SymPy and NumPy. `bessel` registers it while a context lasts:

J0' = -J1,    J0'' = (J2 - J0) / 2,    J0''' = (3 J1 - J3) / 4         (Abramowitz & Stegun, 9.1.27)
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import kan_ref as kr
from figures.machine.machine import Config, Record
from figures.machine.stored_network import stored, symbolic_network
from kan_ref.checks import FloatArray
from kan_ref.functions.library import FAMILIES, Redundancy

BESSEL = "J0"
COMPLEXITY = 4  # the same as arctan


@contextlib.contextmanager
def bessel() -> Iterator[None]:
    """Register J0 in `kr.LIBRARY` while the context lasts; if it is there already, it stays."""
    if BESSEL in kr.LIBRARY:
        yield
        return
    kr.register_function(
        BESSEL, j0, d1, d2, d3, complexity=COMPLEXITY, redundancy=Redundancy(parity=1), formula=_formula
    )
    try:
        yield
    finally:
        kr.unregister_function(BESSEL)


def j0(u: FloatArray) -> FloatArray:
    """Return J0."""
    from scipy import special  # here, because one panel of one figure needs SciPy

    return np.asarray(special.j0(u))


def d1(u: FloatArray) -> FloatArray:
    """Return the first derivative of J0."""
    from scipy import special

    return np.asarray(-special.j1(u))


def d2(u: FloatArray) -> FloatArray:
    """Return the second derivative of J0."""
    from scipy import special

    return np.asarray(0.5 * (special.jv(2, u) - special.j0(u)))


def d3(u: FloatArray) -> FloatArray:
    """Return the third derivative of J0."""
    from scipy import special

    return np.asarray(0.25 * (3.0 * special.j1(u) - special.jv(3, u)))


def _formula(u: Any) -> Any:
    import sympy

    return sympy.besselj(0, u)


SETTINGS = {"n_train": 1000, "n_test": 1000, "n_intervals": 5, "penalty_weight": 1e-2}
UNIT, POSITIVE = [-1.0, 1.0], [0.5, 2.0]
EXACT = 1e-9  # of the spread of the test values


@dataclass(frozen=True)
class Formula:
    """A panel of Fig. 4.1.

    `f`: x -> y (n,); `box` of the inputs, with their `names`; `widths` to begin with; `aim`: the widths that are right; `functions` of the
    edges that are right, layer by layer; `options`: what differs from SETTINGS.
    """

    panel: str
    plain: str
    latex: str
    f: Callable[[FloatArray], FloatArray]
    box: list[list[float]]
    names: tuple[str, ...]
    widths: list[int]
    aim: list[int]
    functions: tuple[tuple[str, ...], ...]
    options: dict[str, Any] = field(default_factory=dict)


FORMULAS = (
    Formula(
        "a",
        "xy",
        "xy",
        lambda x: x[:, 0] * x[:, 1],
        [UNIT] * 2,
        ("x", "y"),
        [2, 5, 1],
        [2, 2, 1],
        (("x",) * 4, ("x^2",) * 2),
    ),
    Formula(
        "b",
        "x/y",
        "x/y",
        lambda x: x[:, 0] / x[:, 1],
        [POSITIVE] * 2,
        ("x", "y"),
        [2, 5, 1],
        [2, 1, 1],
        (("log",) * 2, ("exp",)),
    ),
    Formula(
        "d",
        "exp(J0(20x) + y^2)",
        "e^{J_0(20x) + y^2}",
        lambda x: np.exp(j0(20.0 * x[:, 0]) + x[:, 1] ** 2),
        [UNIT] * 2,
        ("x", "y"),
        [2, 5, 1],
        [2, 1, 1],
        ((BESSEL, "x^2"), ("exp",)),
        {"n_intervals": 20},
    ),
    Formula(
        "e",
        "tanh(5(x1^4 + x2^4 + x3^4 - 1))",
        "\\tanh(5(x_1^4 + x_2^4 + x_3^4 - 1))",
        lambda x: np.tanh(5.0 * ((x**4).sum(axis=1) - 1.0)),
        [UNIT] * 3,
        ("x_1", "x_2", "x_3"),
        [3, 3, 1],
        [3, 1, 1],
        (("x^4",) * 3, ("tanh",)),
    ),
    Formula(
        "f",
        "sqrt((x1 - x2)^2 + (x3 - x4)^2)",
        "\\sqrt{(x_1 - x_2)^2 + (x_3 - x_4)^2}",
        lambda x: np.hypot(x[:, 0] - x[:, 1], x[:, 2] - x[:, 3]),
        [UNIT] * 4,
        ("x_1", "x_2", "x_3", "x_4"),
        [4, 3, 3, 1],
        [4, 2, 1, 1],
        (("x",) * 4, ("x^2",) * 2, ("sqrt",)),
    ),
)


def config_of(formula: Formula, seed: int) -> Config:
    """Return the configuration of a run; the function is given by its plain text."""
    known = {"panel": formula.panel, "formula": formula.plain, "box": formula.box, "widths": formula.widths}
    return {**known, **SETTINGS, **formula.options, "seed": seed}


def formula_of(config: Config) -> Formula:
    """Return the formula of a configuration."""
    return next(formula for formula in FORMULAS if formula.panel == config["panel"])


def sample(config: Config, n: int, rng: np.random.Generator) -> FloatArray:
    """Return random points (n, n_in) of the box."""
    low, high = np.array(config["box"]).T
    return rng.uniform(low, high, (n, len(low)))


def find(config: Config) -> dict[str, Any]:
    """Run `discover` on the samples of a seed and return its results."""
    formula, rng = formula_of(config), np.random.default_rng(config["seed"])
    x, x_test = sample(config, config["n_train"], rng), sample(config, config["n_test"], rng)
    data = kr.Data(x, formula.f(x)[:, None], x_test, formula.f(x_test)[:, None])
    options = {name: config[name] for name in ("widths", "n_intervals", "penalty_weight")}
    with bessel():
        began = time.process_time()
        found = kr.discover(data, names=formula.names, rng=rng, **options)
        seconds = time.process_time() - began
        network = symbolic_network(found)
        error = np.sqrt(np.mean((network(x_test) - data.y_test) ** 2))
        return {
            "widths": list(network.widths),
            "functions": functions_of(network),
            "error": float(error / np.std(data.y_test)),
            "formula": shortest(kr.formula(network, names=formula.names), x, formula.names),
            "network": stored(network),
            "seconds": round(seconds, 3),
        }


def functions_of(network: kr.Network) -> list[list[str]]:
    """Return the names of the symbolic edges' functions in each layer, ordered by output and input."""
    return [[edge.name for edge in layer.symbolic] for layer in network.layers]


def shortest(expression: Any, x: FloatArray, names: Sequence[str]) -> str:
    """Return the LaTeX of a formula with exact constants, expanded or not, whichever has fewer
    operations.
    """
    import sympy

    forms = [kr.recognise_constants(form, x, names=names).expression for form in (expression, sympy.expand(expression))]
    return str(kr.formula_latex(min(forms, key=sympy.count_ops), digits=3))


# --- what is right


def right_shape(record: Record) -> bool:
    """Return whether widths and numbers of edges are those of the panel."""
    formula, results = formula_of(record["config"]), record["results"]
    counts = [len(layer) for layer in results["functions"]]
    return bool(results["widths"] == formula.aim and counts == [len(layer) for layer in formula.functions])


def right_functions(record: Record) -> bool:
    """Return whether shape and functions, layer by layer, are those of the panel; sine counts as
    cosine, and the like.
    """
    layers = zip(record["results"]["functions"], formula_of(record["config"]).functions, strict=False)
    return right_shape(record) and all(
        sorted(map(_family, found)) == sorted(map(_family, wanted)) for found, wanted in layers
    )


def _family(name: str) -> str:
    return next((family[0] for family in FAMILIES if name in family), name)


def exact(record: Record) -> bool:
    """Return whether test values agree up to rounding."""
    return bool(record["results"]["error"] <= EXACT)
