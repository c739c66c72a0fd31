"""What every public function refuses: one table of good calls, and of the bad values of each argument.

A bad value has the exception it raises; the message names the argument, in at most 25 words.
"""

import inspect

import numpy as np
import pytest
import sympy
from cases import for_all

import kan_ref as kr

RNG = np.random.default_rng
X = np.linspace(-0.9, 0.9, 12).reshape(6, 2)
Y = X[:, :1] * X[:, 1:]
LABELS = np.array([0, 1, 2, 0, 1, 2])
KNOTS = np.linspace(-2.0, 2.0, 11)
GRID = {"n_intervals": 4, "degree": 3}
DRAWN = {**GRID, "domain": (-1.0, 1.0), "rng": RNG(0)}
NET = kr.init_network((2, 3, 1), **DRAWN)
CLASSES = kr.init_network((2, 3), **DRAWN)
MLP = kr.init_mlp((2, 3, 1), activation="tanh", rng=RNG(0))
LAN = kr.init_lan((2, 3, 1), **DRAWN)
FORMULAS = kr.init_network((2, 1), **DRAWN)
for i in (0, 1):
    FORMULAS = kr.fix_symbolic(FORMULAS, 0, output=0, input=i, name="sin")
LAYER_NAMES = ("knots", "coef", "w_base", "w_spline", "mask", "degree", "base")
LAYER = {name: getattr(NET.layers[0], name) for name in LAYER_NAMES}
LAN_NAMES = ("weights", "biases", "coefs", "knots", "degree", "base")
DATA = kr.Data(X, Y, X, Y)
U = sympy.Function("u")(*sympy.symbols("t s"))
SYMBOL = sympy.Symbol("x")
EDGE = {"layer": 0, "output": 0, "input": 0}
ONES = lambda x, u, du, d2u: (u[:, 0], np.ones((len(x), 1)), None, None)  # noqa: E731
BOWL = lambda theta: (float(theta @ theta), 2.0 * theta)  # noqa: E731
LINES = lambda theta: (theta - 1.0, np.eye(len(theta)))  # noqa: E731
CUBE = {"f": np.cbrt, "d1": np.cbrt, "d2": np.cbrt, "d3": np.cbrt, "complexity": 3}

# function -> arguments with which it works; [] stands for an attribute
ON_X = {"network": NET, "x": X}
GOOD = {
    # splines, layers, networks
    "uniform_knots": {"low": -1.0, "high": 1.0, **GRID},
    "fit_curve": {"x": X[:, 0], "y": Y, "knots": KNOTS, "degree": 3},
    "bspline.basis": {"x": X[:, :1], "knots": KNOTS[None], "degree": 3, "derivative": 1},
    "Layer": LAYER,
    "Network": {"layers": NET.layers},
    "init_network": {"widths": (2, 1), "base": "silu", **DRAWN},
    "forward": ON_X,
    "backward": {"network": NET, "caches": kr.forward(NET, X)[1], "dy": Y},
    "check_gradients": {**ON_X, "rng": RNG(0), "n_directions": 1, "step": 1e-5, "tolerance": 1e-6},
    "coverage": ON_X,
    "distance": {"old": NET, "new": NET, "x": X},
    "edge_curve": {"network": NET, **EDGE, "x": X[:, 0]},
    "edge_outputs": ON_X,
    "extend_grid": {**ON_X, "n_intervals": 8},
    "update_grid": {**ON_X, "uniform_share": 0.5, "margin": 0.0},
    "mask_edges": {"network": NET, "layer": 0, "mask": np.ones((3, 2))},
    "lock_edges": {"network": FORMULAS, "layer": 0, "places": [(0, 0), (0, 1)]},
    # baselines
    "init_mlp": {"widths": (2, 1), "activation": "tanh", "rng": RNG(0)},
    "init_lan": {"widths": (2, 1), "base": "silu", **DRAWN},
    "lan_from_mlp": {"mlp": MLP, "x": X, **GRID},
    "MLP": {"weights": MLP.weights, "biases": MLP.biases, "activation": "tanh"},
    "LAN": {name: getattr(LAN, name) for name in LAN_NAMES},
    # functions
    "register_function": {"name": "sin again", **CUBE},
    "unregister_function": {"name": "sin again"},
    # optimizers: generators, which check at their first point
    "adam": {"function": BOWL, "theta": np.ones(2), "beta1": 0.0, "beta2": 0.0, "epsilon": 1e-8},
    "lbfgs": {"function": BOWL, "theta": np.ones(2), "history": 1},
    "levenberg_marquardt": {"linearize": LINES, "theta": np.ones(2), "damping": 1e-3},
    # differential equations
    "input_jacobian": ON_X,
    "input_hessian": ON_X,
    "input_laplacian": ON_X,
    "linear_term": {"x": X, "second": np.ones(2), "first": np.ones(2), "zeroth": 1.0, "source": 0.0},
    "value_term": {"x": X, "y": Y, "weight": 1.0},
    "function_term": {"x": X, "function": ONES, "order": 1, "weight": 1.0},
    "Scales": {"domain": [(-1.0, 1.0), (-1.0, 1.0)], "values": (0.0, 1.0)},
    # sparsity
    "Penalty": {"weight": 1.0, "l1": 1.0, "entropy": 1.0, "kind": "paper"},
    "edge_scores": {**ON_X, "kind": "std"},
    "node_scores": {**ON_X, "kind": "std"},
    "prune": {**ON_X, "threshold": 0.0, "edge_threshold": 0.0, "inputs": False, "kind": "mean"},
    "remove": {**ON_X, "nodes": {1: [0]}, "edges": {0: [(1, 1)]}},
    # data and training
    "Data": {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y, "names": ("a", "b")},
    "Data.split": {"x": X, "y": Y, "test_share": 0.5, "rng": RNG(0)},
    "sample": {"f": "product", "n_train": 1, "n_test": 1, "noise": 0.0, "n_in": None, "rng": RNG(0)},
    "scaled": {"data": DATA},
    "Scaler": {"x_mean": [0.0], "x_scale": [1.0], "y_mean": [0.0], "y_scale": [1.0]},
    "value_and_grad": {**ON_X, "y": Y, "loss": "mse", "penalty": 0.1, "smoothness_weight": 0.1},
    "fit": {
        "network": NET,
        "data": DATA,
        "equations": (),
        "optimizer": "lbfgs",
        "n_steps": 1,
        "loss": "mse",
        "penalty": 0.1,
        "smoothness_weight": 0.1,
        "grids": (4,),
        "update_grids": True,
        "trainable": ("coef",),
        "validation_share": 0.2,
        "rng": RNG(0),
        "progress": False,
    },
    "Adam": {"learning_rate": 0.1, "batch_size": 1},
    "LBFGS": {"scaled": True, "history": 1},
    "LM": {"scaled": True, "damping": 1e-3},
    "best_start": {"widths": (2, 1), "data": DATA, "n_starts": 1, **GRID, "validation_share": 0.2, "rng": RNG(0)},
    "cross_validate": {
        "data": DATA,
        "hidden": (),
        "n_intervals": 3,
        "degree": 3,
        "loss": "mse",
        "n_folds": 2,
        "n_steps": 1,
        "rng": RNG(0),
    },
    "diagnose": {"network": NET, "data": DATA},
    "predict_proba": {"network": CLASSES, "x": X, "loss": "cross_entropy"},
    # formulas
    "fit_affine": {"x": X[:, 0], "y": Y[:, 0], "name": "sin"},
    "fix_symbolic": {"network": NET, **EDGE, "name": "sin", "affine": (1.0, 0.0, 1.0, 0.0)},
    "unfix_symbolic": {"network": FORMULAS, **EDGE},
    "suggest_symbolic": {**ON_X, **EDGE},
    "auto_symbolic": {**ON_X, "names": ("sin",), "rival_score": 0.9},
    "canonical_form": {"network": FORMULAS},
    "fix_pattern": {"network": NET, "pattern": [[["sin", None], [None] * 2, [None] * 2], None], "x": X},
    "formula": {"network": FORMULAS, "names": ("a", "b")},
    "formula_latex": {"formula_or_network": FORMULAS, "digits": 3},
    "from_formula": {"expression": SYMBOL, "names": ("x",), "domain": (-1.0, 1.0)},
    "recognise_constants": {"expression": SYMBOL, "x": X[:, :1], "names": ("x",), "tolerance": 1e-3},
    "equation_term": {"equation": U, "x": X, "weight": 1.0},
    "suggest_formulas": {"x": np.arange(12.0), "y": np.arange(12.0) ** 2, "error": 0.1, "most": 3},
    "discover": {"data": DATA, "widths": (2, 1), "seconds": 0.0, "rng": RNG(0)},
    "eliminate": {"network": NET, "data": DATA, "tolerance": 0.1, "n_steps": 1},
    # pictures, files, other libraries
    "draw_network": {**ON_X, "names": ("a", "b"), "beta": 1.0},
    "save_film": {"networks": [NET], "x": X, "path": "never.gif"},
    "save": {"network": NET, "path": "never.npz"},
    "load": {"path": "never.npz"},
    "to_c": {"network": NET, "name": "net"},
    "to_scipy": {"network": NET, **EDGE},
    "to_pykan": {"network": NET},
    "to_efficient_kan": {"network": NET},
    "to_jaxkan": {"network": NET, "layer_type": "base"},
    "from_pykan": {"state": kr.to_pykan(NET), "base": "silu"},
    "from_efficient_kan": {"state": kr.to_efficient_kan(NET), "base": "silu"},
    "from_jaxkan": {"state": kr.to_jaxkan(NET), "base": "silu"},
}
SLOW = {"best_start", "cross_validate", "discover", "eliminate"}  # only asked for what they refuse
FILES = {"save", "save_film", "load", "register_function", "unregister_function"}

T, V, K = TypeError, ValueError, (KeyError, ValueError)
BATCH = [(X * np.nan, V), (X - np.inf, V), ("a", T), (None, T), (X[None], V)]
WIDE = [*BATCH, (np.ones((6, 3)), V)]
OPTIONAL = [(value, kind) for value, kind in WIDE if value is not None]
SERIES = [([np.nan] * 6, V), (["a"] * 6, T), (None, T), (X[None], V)]
COUNT = [(0, V), (-1, V), (2.5, T), ("3", T), (True, T)]
DEGREE = [(-1, V), (0.5, T), ("3", T)]
NUMBER = [(-1.0, V), (np.nan, V), ("1", T), (np.ones(2), T)]
PLACE = [(9, (IndexError, V)), (-1, (IndexError, V)), (0.5, T), ("0", T)]
NAME = [("nonsense", K), (3, T)]
WRONG_SHAPE = [(np.ones((1, 1)), V), ("a", T), (None, T)]
FLAG = [(1, T), ("yes", T)]
MODEL = [("net", T), (NET.layers[0], T), (None, T)]
WIDTHS = [((2,), V), ((2, 0), V), ((2, 1.5), T), ("21", (T, V)), (2, (T, V))]
NAMES = [(("a",), V), (("a", "a"), V), (("a", ""), V), (("a", 1), T), (3, T)]
DATASET = [(None, T), ({"x_train": X}, T), ((X, Y), T)]
POSITIVE, SHARE, BETA = [*NUMBER, (0.0, V)], [*NUMBER, (1.1, V)], [*NUMBER, (1.0, V)]
MEAN = [(X, V), (None, T), ([np.nan], V)]
SCALE = [([0.0], V), (None, T)]
EQUATION = [*NUMBER[:3], (np.ones((6, 1)), V)]


def not_finite(model, name):
    """The arrays of a model, with nan in place of each number."""
    return [(tuple(array * np.nan for array in getattr(model, name)), V)]


# argument -> its bad values, in every function that has it; below for one function alone
BAD = {
    **dict.fromkeys(("x", "x_train", "x_test"), WIDE),
    **dict.fromkeys(("y_train", "y_test", "dy", "y"), BATCH),
    **dict.fromkeys(("network", "old", "new", "mlp"), MODEL),
    **dict.fromkeys(("n_intervals", "n_directions", "n_train", "n_test", "n_starts"), COUNT),
    **dict.fromkeys(("history", "batch_size", "digits", "most"), COUNT),
    **dict.fromkeys(("degree", "derivative"), DEGREE),
    **dict.fromkeys(("layer", "output", "input"), PLACE),
    **dict.fromkeys(("threshold", "edge_threshold", "l1", "entropy", "noise", "margin"), NUMBER),
    **dict.fromkeys(("smoothness_weight", "test_share", "beta", "seconds", "tolerance"), NUMBER),
    **dict.fromkeys(("rival_score", "weight"), NUMBER),
    **dict.fromkeys(("learning_rate", "damping", "epsilon"), POSITIVE),
    **dict.fromkeys(("uniform_share", "validation_share"), SHARE),
    "step": [*NUMBER, (0.1, V)],
    **dict.fromkeys(("base", "loss", "kind", "activation", "name", "optimizer"), NAME),
    **dict.fromkeys(("inputs", "update_grids", "progress", "scaled"), FLAG),
    "layers": [((), V)],
    "networks": [((), V)],
    "rng": [(0, T), (None, T)],
    "widths": WIDTHS,
    "names": NAMES,
    "data": DATASET,
    "penalty": NUMBER[:3],
    "theta": [([np.nan], V), ("a", T), (np.ones((2, 2)), V)],
    "knots": [(KNOTS * np.nan, V), ("a", T), (None, T)],
    "domain": [((1.0, 1.0), V), ((np.nan, 1.0), V), (("a", "b"), T), (None, (T, V))],
    "state": [("model.pt", T), ({}, V), ({3: np.zeros(3)}, (T, V))],
    "n_steps": [(-1, V), (2.5, T), ("3", T)],
    "n_folds": [(1, V), (7, V), (2.5, T), ("5", T)],
    "path": [(3, T), (None, T), ("net.txt", V)],
    "grids": [((8, 5), V), ((), V), ("58", T), ((4.5,), T)],
    "trainable": [(("knots",), V), ((), V), ("coef", T), (3, T)],
    "hidden": [(5, T), ("5", T), ((0,), V)],
    "equations": [([3], T), ("u = 0", T)],
    "mask": [(np.ones((2, 3)), V), (np.full((3, 2), 0.5), V), ("mask", T), (None, T)],
    "places": [("ab", T)],
    "caches": [(kr.forward(NET, X)[1][:1], (T, V)), ("ab", (T, V))],
    "nodes": [({1: [9]}, V), ({9: [0]}, V), ({1: [0, 1, 2]}, V), ({1: 0}, T), ({1: "0"}, T), ([0], T)],
    "edges": [({0: [(0, 9)]}, V), ({9: [(0, 0)]}, V), ({0: [0]}, T), ({0: [(0.5, 0)]}, T), ([0], T)],
    "order": [(-1, V), (3, V), (0.5, T)],
    "function": [(3, T), (None, T)],
    "second": [(np.full(2, np.nan), V), (np.ones(3), V), ("1", (T, V))],
    "first": [(np.full(2, np.nan), V), (np.ones(3), V), ("1", (T, V))],
    "zeroth": [(np.nan, V), (np.ones(5), V), ("1", T)],
    "source": [(np.nan, V), (np.ones((5, 1)), V), ("1", T)],
    "values": [((1.0, 1.0), V), (None, T)],
    "affine": [((1, 2, 3), V), ((1, 0, np.nan, 0), V), ("abcd", T)],
    "pattern": [([None], V), (3, T)],
    "equation": [("u", T), (1.0, (T, V)), (None, T)],
    "expression": [("x", T), (None, T), (sympy.floor(SYMBOL), V)],
    "error": [(-1.0, V), (np.nan, V), ("0.1", T)],
    "complexity": [(-1, V), (0.5, T)],
    "low": [(1.0, V), (np.nan, V), ("a", T)],
    "high": [(np.inf, V), ("a", T)],
    **dict.fromkeys(("x_mean", "y_mean"), MEAN),
    **dict.fromkeys(("x_scale", "y_scale"), SCALE),
    "f": NAME,
    "linearize": [(3, T)],
    "layer_type": NAME,
    **dict.fromkeys(("coef", "w_base", "w_spline"), WRONG_SHAPE),
}
ALONE = {
    "Layer.mask": [(LAYER["mask"] / 2.0, V), (LAYER["mask"].T, V), ("a", T)],
    "Layer.knots": [(LAYER["knots"][:, ::-1], V), (LAYER["knots"][:, :6], V), (LAYER["knots"] * np.nan, V), ("a", T)],
    **{f"MLP.{name}": not_finite(MLP, name) for name in ("weights", "biases")},
    **{f"LAN.{name}": not_finite(LAN, name) for name in LAN_NAMES[:4]},
    "Penalty.kind": [("coef", V), (3, T)],
    "check_gradients.x": [*WIDE, (X[:0], V)],
    "distance.x": [*WIDE, (X[:0], V)],
    "prune.x": [*WIDE, (X[:0], V)],
    "prune.threshold": [*NUMBER, (1e9, V)],
    "edge_curve.x": SERIES,
    "fit_curve.x": SERIES,
    "fit_affine.x": SERIES,
    "fit_affine.y": SERIES,
    "suggest_formulas.x": SERIES,
    "suggest_formulas.y": SERIES,
    "bspline.basis.x": BATCH,
    "linear_term.x": BATCH,
    "value_term.x": BATCH,
    "function_term.x": BATCH,
    "recognise_constants.x": BATCH,
    "Data.x_train": BATCH,
    "Data.y_test": [*BATCH, (LABELS, V)],
    "Data.split.x": BATCH,
    "Data.split.y": BATCH[:2],
    "Data.split.test_share": [*NUMBER, (1.5, V)],
    "scaled.data": [*DATASET, (kr.Data(X[:0], Y[:0], X, Y), V)],
    "fit.data": [*DATASET[1:], (kr.Data(X[:0], Y[:0], X, Y), V)],
    "fit.rng": [(0, T)],
    "diagnose.data": DATASET[1:],
    "fit.optimizer": [("newton", V), (3, T), (kr.Adam, T)],
    "update_grid.network": MODEL[::2],
    **dict.fromkeys(("adam.beta1", "adam.beta2"), BETA),
    "cross_validate.n_steps": COUNT,
    "sample.n_in": [(2, T)],
    "Scales.domain": [([(1.0, 1.0)], V), ("ab", T), (None, T)],
    "unregister_function.name": [("nonsense", K), (3, T), ("sin", V)],
    "register_function.name": [("sin", V), (3, T), ("", V)],
    "register_function.f": [(3, T)],
    "register_function.d1": [(np.sin, V), (3, T)],
    "suggest_symbolic.names": [(("sine",), K), ((1,), T), ((), V)],
    "auto_symbolic.names": [(("sine",), K), ((1,), T), ((), V)],
    "from_formula.names": [("x", T), (("x", "x"), V)],
    "recognise_constants.names": [(("a", "a"), V)],
    "to_c.name": [("", V), (3, T), ("2kan", V)],
    "from_formula.domain": [((1.0, 0.0), V), ((0.0, np.nan), V), ("a", (T, V))],
    "equation_term.weight": EQUATION,
    "value_term.weight": EQUATION,
    "function_term.weight": EQUATION,
    "extend_grid.x": OPTIONAL,
    "fix_pattern.x": OPTIONAL,
    "draw_network.names": [(("a",), V)],
    "recognise_constants.expression": [("x", T), (None, T)],
    "backward.dy": [*BATCH, (Y[:3], V)],
    "value_and_grad.y": [*BATCH, (Y[:, 0], V), (Y[:3], V)],
    "discover.widths": [((2,), V), ((3, 1), V), ("21", (T, V))],
}
# what a message says in the place of a name
SAID = {"Network.layers": "layer", "auto_symbolic.names": "name", "distance.old": ""}


def function_called(name):
    found = kr
    for part in name.split("."):
        found = getattr(found, part)
    return found


def called(name, arguments):
    """Call a public function; a generator is asked for its first point."""
    answer = function_called(name)(**arguments)
    return next(answer) if inspect.isgenerator(answer) else answer


ROWS = {
    f"{name}.{argument}: {place}": (name, argument, value, kind)
    for name, arguments in GOOD.items()
    for argument in arguments
    for place, (value, kind) in enumerate(ALONE.get(f"{name}.{argument}", BAD.get(argument, ())))
}


@for_all("row", ROWS)
def test_a_bad_value_is_refused_in_25_words_that_name_its_argument(row):
    name, argument, value, kind = ROWS[row]

    with pytest.raises(kind) as refusal:
        called(name, GOOD[name] | {argument: value})

    message = str(refusal.value)
    assert SAID.get(f"{name}.{argument}", argument) in message, message
    assert len(message.split()) <= 25, message


@for_all("name", sorted(GOOD.keys() - SLOW - FILES))
def test_the_good_calls_of_the_table_are_good(name):
    called(name, GOOD[name])


def test_the_table_has_every_public_function():
    assert set(kr.__all__) - GOOD.keys() == {"Discovery", "Finding", "LIBRARY", "Run", "TARGETS", "Verdict"}


def test_a_data_set_in_the_place_of_an_array_is_named_with_the_remedy():
    for name in ("Data", "Data.split"):
        first = next(iter(GOOD[name]))
        with pytest.raises(TypeError, match=rf"^{first} is Data.* such as its x_train$"):
            called(name, GOOD[name] | {first: DATA})


# samples that are odd, but allowed
FAR = np.array([[1e6, -1e6], [1e-100, 0.0], [-1e12, 3.0]])
ODD = [X[:0], X[:1], np.repeat(X[:1], 6, axis=0), [[0, 1], [1, -1]], X.astype(np.float32), FAR, X.tolist()]


@for_all("x", ODD)
@for_all("model", [NET, MLP, LAN])
def test_a_model_has_a_finite_float64_answer_for_each_odd_sample(x, model):
    y = model(x)

    assert y.shape == (len(x), 1)
    assert y.dtype == np.float64
    assert np.isfinite(y).all()


@for_all("x", [x for x in ODD[1:] if x is not FAR])
@for_all("optimizer", ["lm", "lbfgs", "adam"])
def test_fit_on_odd_samples_ends_with_a_network_that_is_no_worse(x, optimizer):
    y = np.arange(float(len(x)))[:, None] % 2

    run = kr.fit(NET, kr.Data(x, y, x, y), optimizer=optimizer, n_steps=4, grids=(4, 6))

    assert np.isfinite(run.network.theta).all()
    assert np.mean((run.network(x) - y) ** 2) <= np.mean((NET(x) - y) ** 2)
