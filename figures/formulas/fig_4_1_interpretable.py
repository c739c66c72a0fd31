"""Fig. 4.1: six small tasks, each with an interpretable network.

Liu et al. 2024, section 4.1, show one network a task. We test for every seed whether shape and functions
are those of the paper. Of each task the picture shows the first seed
that finds the paper's network (the first of all if none does). The claims are those of section 4.1.

Panel (c) goes from a number in [0, 1] to its first decimal digit: ten splines that should be bumps, the j-th over [j/10, (j+1)/10].
0.0618 becomes (1, 0, ..., 0), 0.314 becomes (0, 0, 0, 1, 0, ..., 0). The paper leaves open, and we chose before the first full run:
a [1,10] network, numbers uniform on [0, 1], least squares on the one-hot targets, and 20 intervals, two a digit.
Its optimizer works on the parameters themselves, as in the paper.

The other panels are five formulas, whose widths, edges and functions are known, and the results of `kr.discover`. What the paper leaves open: samples are uniform on the boxes below, positive ones for (b), 1000 to train and 1000 to test, without noise;
the first widths of (e) are [3,3,1]. Settings are those of `discover`, with one exception after trials: J0(20 x) oscillates too
fast for 5 intervals, so (d) begins with 20, as the documentation does.

A record holds one network, with its own formula and its own error: the network of the formula that `discover` returns. Where that
formula is no network, it is the network of symbolic edges from the paper's way, which `discover` follows first.

Panel (d) needs the Bessel function J0 as a candidate for edges; the library has only functions of SymPy and NumPy. `bessel` registers it while a context lasts:

J0' = -J1,    J0'' = (J2 - J0) / 2,    J0''' = (3 J1 - J3) / 4         (Abramowitz & Stegun, 9.1.27)
"""

import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Claim, Config, Record, all_bar, runs_of, seed_count, shape_name, spread
from figures.machine.stored_network import draw_settled, restored, stored, symbolic_network
from figures.machine.training import OPTIMIZERS
from kan_ref.checks import FloatArray, IntArray
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
    Formula("a", "xy", "xy", lambda x: x[:, 0] * x[:, 1],
            [UNIT] * 2, ("x", "y"), [2, 5, 1], [2, 2, 1], (("x",) * 4, ("x^2",) * 2)),
    Formula("b", "x/y", "x/y", lambda x: x[:, 0] / x[:, 1],
            [POSITIVE] * 2, ("x", "y"), [2, 5, 1], [2, 1, 1], (("log",) * 2, ("exp",))),
    Formula("d", "exp(J0(20x) + y^2)", "e^{J_0(20x) + y^2}", lambda x: np.exp(j0(20.0 * x[:, 0]) + x[:, 1] ** 2),
            [UNIT] * 2, ("x", "y"), [2, 5, 1], [2, 1, 1], ((BESSEL, "x^2"), ("exp",)), {"n_intervals": 20}),
    Formula("e", "tanh(5(x1^4 + x2^4 + x3^4 - 1))", "\\tanh(5(x_1^4 + x_2^4 + x_3^4 - 1))",
            lambda x: np.tanh(5.0 * ((x**4).sum(axis=1) - 1.0)),
            [UNIT] * 3, ("x_1", "x_2", "x_3"), [3, 3, 1], [3, 1, 1], (("x^4",) * 3, ("tanh",))),
    Formula("f", "sqrt((x1 - x2)^2 + (x3 - x4)^2)", "\\sqrt{(x_1 - x_2)^2 + (x_3 - x_4)^2}",
            lambda x: np.hypot(x[:, 0] - x[:, 1], x[:, 2] - x[:, 3]),
            [UNIT] * 4, ("x_1", "x_2", "x_3", "x_4"), [4, 3, 3, 1], [4, 2, 1, 1],
            (("x",) * 4, ("x^2",) * 2, ("sqrt",))),
)  # fmt: skip


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


# --- panel (c), first digits

DIGIT_PANEL = "c"
N_DIGITS = 10
HALF = 0.5  # of its height: where a bump begins
DIGIT_SETTINGS = {"n_train": 1000, "n_test": 1000, "n_intervals": 20, "smoothness_weight": 1e-8, "n_steps": 10}


def digit_config(seed: int) -> Config:
    """Return the configuration of a run."""
    return {"panel": DIGIT_PANEL, "box": [[0.0, 1.0]], "widths": [1, N_DIGITS], **DIGIT_SETTINGS, "seed": seed}


def first_digit(x: FloatArray) -> IntArray:
    """Return the first digit (n,) of numbers (n, 1) in [0, 1)."""
    return np.floor(N_DIGITS * x[:, 0]).astype(np.int_)


def learn_digits(config: Config) -> dict[str, Any]:
    """Train a network from a seed; return the positions of its curves' bumps."""
    rng = np.random.default_rng(config["seed"])
    low, high = config["box"][0]
    x, x_test = (rng.uniform(low, high, (config[count], 1)) for count in ("n_train", "n_test"))
    one_hot = np.eye(N_DIGITS)
    data = kr.Data(x, one_hot[first_digit(x)], x_test, one_hot[first_digit(x_test)])
    began = time.process_time()
    network = kr.init_network(
        config["widths"], n_intervals=config["n_intervals"], degree=3, domain=config["box"], rng=rng
    )
    options = {"n_steps": config["n_steps"], "smoothness_weight": config["smoothness_weight"]}
    network = kr.fit(network, data, optimizer=OPTIMIZERS["lm"], **options).network
    seconds = time.process_time() - began
    return {
        **bumps(network),
        "accuracy": float(np.mean(np.argmax(network(x_test), axis=1) == first_digit(x_test))),
        "network": stored(network),
        "seconds": round(seconds, 3),
    }


def bumps(network: kr.Network) -> dict[str, list[float]]:
    """Return for each digit's curve the position of its peak, and the ends of the region above half
    its height.
    """
    line = np.linspace(0.0, 1.0, 2001)
    curves = network(line[:, None])
    tall = curves > HALF * curves.max(axis=0)
    found = {
        "peaks": curves.argmax(axis=0),
        "left": tall.argmax(axis=0),
        "right": len(line) - 1 - tall[::-1].argmax(axis=0),
    }
    return {name: [float(line[place]) for place in places] for name, places in found.items()}


def located(record: Record) -> list[bool]:
    """Return for each digit whether its curve peaks over it, and exceeds half its height there
    alone, within half a digit.
    """
    peaks, left, right = (np.array(record["results"][name]) for name in ("peaks", "left", "right"))
    low, high = np.arange(N_DIGITS) / N_DIGITS, (np.arange(N_DIGITS) + 1.0) / N_DIGITS
    near = 0.5 / N_DIGITS
    return [bool(one) for one in (peaks >= low) & (peaks <= high) & (left >= low - near) & (right <= high + near)]


# --- the figure

NAME = "4.1"
TITLE = "six networks that can be read"
SEEDS, SEEDS_QUICK = 5, 1
N_DRAWN = 301  # samples for the ranges of curves and the magnitudes
BETA = 15.0  # of opacity: not 3, because edges that remain after pruning should be readable
PANELS = sorted([*(formula.panel for formula in FORMULAS), DIGIT_PANEL])


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each panel and seed."""
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    found = [config_of(formula, seed) for formula in FORMULAS for seed in range(count)]
    found += [digit_config(seed) for seed in range(count)]
    return sorted(found, key=lambda config: (config["panel"], config["seed"]))


def run(config: Config) -> dict[str, Any]:
    """Return the network of a panel and a seed, and the formula found in it."""
    return learn_digits(config) if config["panel"] == DIGIT_PANEL else find(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a network for each panel, with the number of seeds that find the paper's network."""
    picture, networks = Figure(figsize=(8.4, 10.6)), []
    for ax, panel in zip(picture.subplots(3, 2).ravel(), PANELS, strict=True):
        ax.set_axis_off()
        runs = runs_of(records, panel=panel)
        if runs:
            good = [record for record in runs if shows(record)]
            shown = (good or runs)[0]
            count = f"{len(good)} of {seed_count(runs)}"
            of_digits = panel == DIGIT_PANEL
            ax.set_title((_digits_title if of_digits else _formula_title)(shown, count), linespacing=1.7)
            networks.append(partial(_draw_digits if of_digits else _draw_formula, ax, shown))
    draw_settled(picture, networks)
    return picture


def _formula_title(record: Record, count: str) -> str:
    config, results, formula = record["config"], record["results"], formula_of(record["config"])
    text = re.sub(r"\\frac{(\w+)}{(\w+)}", r"\1/\2", results["formula"])  # in one line
    read = f"${text}$" if right_functions(record) else "another formula"
    change = f"{shape_name(config['widths'])} $\\to$ {shape_name(results['widths'])}"
    return f"({formula.panel})  ${formula.latex}$\n{change}, functions found in {count}\nread off: {read}"


def _draw_formula(ax: Axes, record: Record) -> None:
    config = record["config"]
    names = [f"${name}$" for name in formula_of(config).names]
    x = sample(config, N_DRAWN, np.random.default_rng(config["seed"]))
    with bessel():
        kr.draw_network(restored(record["results"]["network"]), x, ax=ax, names=names, output_names=("$f$",), beta=BETA)
    ax.set_anchor("N")  # directly below the title


def _digits_title(record: Record, count: str) -> str:
    right = f"{100.0 * record['results']['accuracy']:.1f} % of test numbers right"
    return f"({DIGIT_PANEL})  first decimal digit of $x$\n{shape_name(record['config']['widths'])}, bumps found in {count}\n{right}"


def _draw_digits(ax: Axes, record: Record) -> None:
    names = [str(digit) for digit in range(N_DIGITS)]
    x = np.linspace(0.0, 1.0, N_DRAWN)[:, None]
    kr.draw_network(restored(record["results"]["network"]), x, ax=ax, names=("$x$",), output_names=names, beta=BETA)


# --- claims

# panel -> what its picture in the paper has, in words
SHOWN = {
    "a": "lines and squares, 2xy = (x+y)^2 - (x^2+y^2)",
    "b": "logarithms and an exponential, exp(log x - log y)",
    "d": "J0, a square and an exponential",
    "e": "quartics and a hyperbolic tangent",
    "f": "lines, squares and a square root",
}


def shows(record: Record) -> bool:
    """Return whether a network has the properties of the paper's."""
    return all(located(record)) if record["config"]["panel"] == DIGIT_PANEL else right_functions(record)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return two rows for each formula, on shape with functions and on exactness, and one for the
    digits.
    """
    rows = {formula.panel: _formula_claims(formula, runs_of(records, panel=formula.panel)) for formula in FORMULAS}
    rows[DIGIT_PANEL] = _digit_claims(runs_of(records, panel=DIGIT_PANEL))
    return [claim for panel in sorted(rows) for claim in rows[panel]]


def _of_all(good: Sequence[bool]) -> str:
    return f"{sum(good)} of {len(good)}"


def _formula_claims(formula: Formula, runs: Sequence[Record]) -> list[Claim]:
    if not runs:
        return []
    shapes, functions = ([right_shape(record) for record in runs], [right_functions(record) for record in runs])
    exactly = [exact(record) for record in runs]
    errors, seconds = ([float(record["results"][name]) for record in runs] for name in ("error", "seconds"))
    about = f"({formula.panel}) {formula.plain}"
    others = Counter(_in_words(record) for record, good in zip(runs, functions, strict=True) if not good)
    read, same = all_bar(functions), all_bar(exactly)
    rest = "".join(f"; instead {what} in {count}" for what, count in others.items())
    return [
        Claim(
            f"{about}: the network can be read",
            f"{shape_name(formula.widths)} to {shape_name(formula.aim)}; {SHOWN[formula.panel]}",
            f"shape and number of edges in {_of_all(shapes)}, with these functions in {_of_all(functions)} seeds",
            read,
            f"{seed_count(runs)}; kr.discover, which does more than the paper's recipe (figure 2.4), {spread(seconds, '.1f')} CPU s{rest}; seeds",
        ),
        Claim(
            f"{about}: the formula is exact",
            "not asked",
            f"{_of_all(exactly)} seeds; relative test error {spread(errors, '.0e')}",
            same,
            f"{seed_count(runs)}; exact: root mean square error at most {EXACT:g} of std(y); seeds",
        ),
    ]


def _in_words(record: Record) -> str:
    results = record["results"]
    return f"{shape_name(results['widths'])} with {' / '.join(', '.join(layer) for layer in results['functions'])}"


def _digit_claims(runs: Sequence[Record]) -> list[Claim]:
    if not runs:
        return []
    by_seed = [located(record) for record in runs]
    digits = [good for one in by_seed for good in one]
    accuracy, seconds = ([float(record["results"][name]) for record in runs] for name in ("accuracy", "seconds"))
    return [
        Claim(
            f"({DIGIT_PANEL}) first digit: activations are bumps at the digits",
            "bumps around the digits",
            f"all ten in {_of_all([all(one) for one in by_seed])} seeds, {_of_all(digits)} curves; "
            f"right digits on test numbers {spread([100.0 * share for share in accuracy], '.1f')} %",
            all_bar(digits),
            f"{seed_count(runs)}; bump: peak over the digit, above half its height only there, give or take half a digit; "
            f"{spread(seconds, '.2f')} CPU s; curves",
        )
    ]
