"""What formulas, differential equations and conversions reject: rows of the table in `refusals`.

Formulas are those of a network, and networks of formulas; conversions go to and from other libraries, SciPy and C.
"""

from dataclasses import replace

import numpy as np
import sympy
from refusals import (
    NET,
    RNG,
    SMALL_MLP,
    X,
    Y,
    bad_batches,
    counts,
    data,
    generators,
    names,
    numbers,
    places,
    refuse,
    spoiled,
)

import kan_ref as kr

FORMULAS = kr.fix_symbolic(
    kr.init_network((2, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0)),
    0,
    output=0,
    input=0,
    name="sin",
)
ALL_FORMULAS = kr.fix_symbolic(FORMULAS, 0, output=0, input=1, name="x^2")
EDGE = {"output": 0, "input": 0}
CUBE = {"f": np.cbrt, "d1": np.cbrt, "d2": np.cbrt, "d3": np.cbrt, "complexity": 3}

on_x = {
    "prune": lambda v: kr.prune(NET, v),
    "remove_nodes": lambda v: kr.remove_nodes(NET, v, 1, [0]),
    "remove_edges": lambda v: kr.remove_edges(NET, v, 0, [(0, 0)]),
    "node_scores": lambda v: kr.node_scores(NET, v),
    "suggest_symbolic": lambda v: kr.suggest_symbolic(NET, v, 0, **EDGE),
    "auto_symbolic": lambda v: kr.auto_symbolic(NET, v),
    "draw_network": lambda v: kr.draw_network(NET, v),
    "save_film": lambda v: kr.save_film([NET], v, "never.gif"),
    "recognise_constants": lambda v: kr.recognise_constants(kr.formula(ALL_FORMULAS), v),
}
for function, call in on_x.items():
    bad = bad_batches(X)
    if function == "recognise_constants":
        del bad["too wide"]  # names and samples do not fit each other then: it names the names
    refuse(function, "x", call, **bad, rows=X[:0])
given = bad_batches(X)
del given["none"]  # fix_symbolic takes None for "no samples"
refuse(
    "fix_symbolic",
    "x",
    lambda v: kr.fix_symbolic(NET, 0, **EDGE, name="sin", x=v),
    **given,
    rows=X[:0],
)

refuse(
    "fix_pattern",
    "x",
    lambda v: kr.fix_pattern(NET, [[["sin", None], [None] * 2, [None] * 2], None], v),
    **given,
    rows=X[:0],
)

on_network = {
    "prune": lambda v: kr.prune(v, X),
    "remove_nodes": lambda v: kr.remove_nodes(v, X, 1, [0]),
    "remove_edges": lambda v: kr.remove_edges(v, X, 0, [(0, 0)]),
    "node_scores": lambda v: kr.node_scores(v, X),
    "fix_symbolic": lambda v: kr.fix_symbolic(v, 0, **EDGE, name="sin"),
    "fix_pattern": lambda v: kr.fix_pattern(v, [None, None]),
    "canonical_form": lambda v: kr.canonical_form(v),
    "unfix_symbolic": lambda v: kr.unfix_symbolic(v, 0, **EDGE),
    "suggest_symbolic": lambda v: kr.suggest_symbolic(v, X, 0, **EDGE),
    "auto_symbolic": lambda v: kr.auto_symbolic(v, X),
    "lock_edges": lambda v: kr.lock_edges(v, 0, [(0, 0), (0, 1)]),
    "eliminate": lambda v: kr.eliminate(v, data()),
    "formula": lambda v: kr.formula(v),
    "draw_network": lambda v: kr.draw_network(v, X),
}
for function, call in on_network.items():
    refuse(function, "network", call, text="net", layer=NET.layers[0], none=None)

edges = {
    "fix_symbolic": lambda layer, edge: kr.fix_symbolic(NET, layer, **edge, name="sin"),
    "unfix_symbolic": lambda layer, edge: kr.unfix_symbolic(FORMULAS, layer, **edge),
    "suggest_symbolic": lambda layer, edge: kr.suggest_symbolic(NET, X, layer, **edge),
}
for function, call in edges.items():
    refuse(function, "layer", lambda v, call=call: call(v, EDGE), **places)
    refuse(function, "output", lambda v, call=call: call(0, EDGE | {"output": v}), **places)
    refuse(function, "input", lambda v, call=call: call(0, EDGE | {"input": v}), **places)
refuse("fix_symbolic", "name", lambda v: kr.fix_symbolic(NET, 0, **EDGE, name=v), **names)
refuse(
    "fix_symbolic",
    "affine",
    lambda v: kr.fix_symbolic(NET, 0, **EDGE, name="sin", affine=v),
    short=(1, 2, 3),
    nan=(1, 0, np.nan, 0),
    text="abcd",
)
refuse(
    "auto_symbolic",
    "name",
    lambda v: kr.auto_symbolic(NET, X, names=v),
    unknown=("sine",),
    numbers=(1,),
    empty=(),
)
refuse("auto_symbolic", "rival_score", lambda v: kr.auto_symbolic(NET, X, rival_score=v), **numbers)
refuse(
    "suggest_symbolic",
    "name",
    lambda v: kr.suggest_symbolic(NET, X, 0, **EDGE, names=v),
    unknown=("sine",),
    numbers=(1,),
    empty=(),
)
refuse(
    "lock_edges",
    "places",
    lambda v: kr.lock_edges(ALL_FORMULAS, 0, v),
    text="ab",
    number=3,
    flat=[0, 1],
)
refuse(
    "fix_pattern",
    "pattern",
    lambda v: kr.fix_pattern(NET, v),
    short=[None],
    text="sin",
    number=3,
    rows=[[["sin", None]], None],
    unknown=[[["sine", None], [None] * 2, [None] * 2], None],
)
refuse("fit_affine", "name", lambda v: kr.fit_affine(X[:, 0], Y[:, 0], v), **names)
refuse(
    "fit_affine",
    "x",
    lambda v: kr.fit_affine(v, Y[:, 0], "sin"),
    nan=[np.nan] * 6,
    text=["a"] * 6,
    two=X,
    none=None,
    short=X[:5, 0],
)
refuse(
    "fit_affine",
    "y",
    lambda v: kr.fit_affine(X[:, 0], v, "sin"),
    inf=[np.inf] * 6,
    two=X,
    none=None,
)
refuse(
    "suggest_formulas",
    "x",
    lambda v: kr.suggest_formulas(v, np.ones(12)),
    nan=[np.nan] * 12,
    text=["a"] * 12,
    two=X,
    none=None,
    short=np.arange(5.0),
    huge=np.full(12, 1e200),
)
refuse(
    "suggest_formulas",
    "y",
    lambda v: kr.suggest_formulas(np.arange(12.0), v),
    inf=[np.inf] * 12,
    two=X,
    none=None,
    short=np.arange(5.0),
)
refuse(
    "suggest_formulas",
    "error",
    lambda v: kr.suggest_formulas(np.arange(12.0), np.arange(12.0) ** 2, error=v),
    negative=-1.0,
    nan=np.nan,
    text="0.1",
)
refuse(
    "suggest_formulas",
    "most",
    lambda v: kr.suggest_formulas(np.arange(12.0), np.arange(12.0) ** 2, most=v),
    zero=0,
    half=0.5,
)
refuse(
    "suggest_formulas",
    "name",
    lambda v: kr.suggest_formulas(np.arange(12.0), np.arange(12.0) ** 2, name=v),
    empty="",
    space="t ",
    number=1,
)
refuse(
    "register_function",
    "name",
    lambda v: kr.register_function(v, **CUBE),
    taken="sin",
    number=3,
    empty="",
    spaces=" a ",
)
refuse(
    "register_function",
    "d1",
    lambda v: kr.register_function("new", **(CUBE | {"d1": v})),
    wrong=np.cbrt,
    number=3,
)
refuse(
    "register_function",
    "complexity",
    lambda v: kr.register_function("new", **(CUBE | {"complexity": v})),
    negative=-1,
    half=0.5,
)
refuse(
    "register_function",
    "singular",
    lambda v: kr.register_function("new", **CUBE, singular=v),
    number=0.5,
    none=None,
)
refuse(
    "register_function",
    "formula",
    lambda v: kr.register_function("new", **CUBE, formula=v),
    text="u**3",
)
refuse(
    "register_function",
    "domain",
    lambda v: kr.register_function("new", **CUBE, domain=v),
    falling=(1.0, 0.0),
    number=3,
    one=(1.0,),
)
refuse("unregister_function", "name", kr.unregister_function, **names, born="sin")
for setting in ("threshold", "edge_threshold"):
    refuse("prune", setting, lambda v, s=setting: kr.prune(NET, X, **{s: v}), **numbers)
refuse("prune", "threshold", lambda v: kr.prune(NET, X, threshold=v), severing=1e9)
refuse("prune", "kind", lambda v: kr.prune(NET, X, kind=v), **names)
refuse("node_scores", "kind", lambda v: kr.node_scores(NET, X, kind=v), **names)
refuse("remove_nodes", "layer", lambda v: kr.remove_nodes(NET, X, v, [0]), **places)
refuse(
    "remove_nodes",
    "nodes",
    lambda v: kr.remove_nodes(NET, X, 1, v),
    all=[0, 1, 2],
    large=[9],
    text="01",
    number=3,
)
refuse("remove_edges", "layer", lambda v: kr.remove_edges(NET, X, v, [(0, 0)]), **places)
refuse(
    "remove_edges",
    "places",
    lambda v: kr.remove_edges(NET, X, 0, v),
    flat=[0, 1],
    text="01",
    number=3,
)
refuse(
    "eliminate",
    "tolerance",
    lambda v: kr.eliminate(NET, data(), tolerance=v),
    small=-0.5,
    **numbers,
)
refuse("eliminate", "data", lambda v: kr.eliminate(NET, v), none=None, dictionary=vars(data()))
for setting, bad in (
    ("tolerance", {"negative": -1.0}),
    ("smoothness_weight", {"negative": -1.0}),
    ("n_steps", {"zero": 0}),
    ("grids", {"empty": (), "falling": (10, 5)}),
    ("edges", {"one": 1}),
    ("simple", {"one": 1, "without rng": True}),
    ("rng", {"seed": 3}),
):
    refuse("eliminate", setting, lambda v, s=setting: kr.eliminate(NET, data(), **{s: v}), **bad)
refuse(
    "discover",
    "widths",
    lambda v: kr.discover(data(), widths=v, rng=RNG(0)),
    one=(2,),
    text="21",
    wrong=(3, 1),
)
refuse(
    "discover",
    "data",
    lambda v: kr.discover(v, widths=(2, 1), rng=RNG(0)),
    none=None,
    dictionary=vars(data()),
)
refuse("discover", "rng", lambda v: kr.discover(data(), widths=(2, 1), rng=v), **generators)
refuse(
    "discover",
    "n_intervals",
    lambda v: kr.discover(data(), widths=(2, 1), rng=RNG(0), n_intervals=v),
    **counts,
)
refuse(
    "discover",
    "name",
    lambda v: kr.discover(data(), widths=(2, 1), rng=RNG(0), functions=v),
    unknown=("sine",),
    numbers=(1,),
)
refuse(
    "discover",
    "functions",
    lambda v: kr.discover(data(), rng=RNG(0), functions=v),
    alone=("sin",),
)
refuse(
    "discover",
    "names",
    lambda v: kr.discover(data(), widths=(2, 1), rng=RNG(0), names=v),
    few=("a",),
    twice=("a", "a"),
    empty=("", "b"),
)
refuse(
    "discover",
    "start",
    lambda v: kr.discover(data(), start=v, rng=RNG(0)),
    text="net",
    widths=(2, 1),
    wrong=kr.init_network((3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0)),
)
refuse(
    "discover",
    "widths",
    lambda v: kr.discover(data(), widths=(2, 1), start=v, rng=RNG(0)),
    twice=ALL_FORMULAS,
)
for setting in ("penalty_weight", "smoothness_weight", "seconds"):
    refuse(
        "discover",
        setting,
        lambda v, s=setting: kr.discover(data(), widths=(2, 1), rng=RNG(0), **{s: v}),
        **numbers,
    )
refuse("formula", "layer 0", kr.formula, splines=NET)
refuse(
    "formula",
    "names",
    lambda v: kr.formula(ALL_FORMULAS, names=v),
    few=("a",),
    twice=("a", "a"),
    empty=("", "b"),
    numbers=(1, 2),
)
refuse("formula_latex", "digits", lambda v: kr.formula_latex(ALL_FORMULAS, digits=v), **counts)
refuse(
    "recognise_constants",
    "tolerance",
    lambda v: kr.recognise_constants(kr.formula(ALL_FORMULAS), X, tolerance=v),
    **numbers,
)
refuse("draw_network", "names", lambda v: kr.draw_network(NET, X, names=v), few=("a",), number=3)
refuse("draw_network", "beta", lambda v: kr.draw_network(NET, X, beta=v), zero=0.0, **numbers)
refuse(
    "save_film", "path", lambda v: kr.save_film([NET], X, v), number=3, none=None, ending="film.mp4"
)
refuse(
    "save_film",
    "networks",
    lambda v: kr.save_film(v, X, "never.gif"),
    empty=[],
    text="ab",
    number=3,
    none=None,
)

SYMBOL = sympy.Symbol("x")
refuse(
    "from_formula",
    "expression",
    lambda v: kr.from_formula(v, ("x",)),
    text="x",
    number=1.0,
    none=None,
    empty=(),
    **{"a floor": sympy.floor(SYMBOL), "another symbol": sympy.Symbol("y")},
)
refuse("from_formula", "names", lambda v: kr.from_formula(SYMBOL, v), text="x", twice=("x", "x"))
refuse(
    "from_formula",
    "domain",
    lambda v: kr.from_formula(SYMBOL, ("x",), domain=v),
    turned=(1.0, 0.0),
    samples=np.ones((5, 1)),
    text="a",
    nan=(0.0, np.nan),
)


# --- differential equations


N = len(X)
ONES = lambda x, u, du, d2u: (u[:, 0], np.ones((len(x), 1)), None, None)  # noqa: E731
TERM = kr.value_term(X, Y)
PROBLEM = kr.residual_problem([TERM])
OTHER = kr.residual_problem([kr.value_term(X[:, :1], Y)])

T, S = sympy.symbols("t s")
U = sympy.Function("u")(T, S)
SCALES = kr.Scales([(-1.0, 1.0), (-1.0, 1.0)], (0.0, 1.0))

equations_on_x = {
    "equation_term": lambda v: kr.equation_term(U, v, unknowns=U),
    "linear_term": lambda v: kr.linear_term(v, second=[1.0, 1.0]),
    "value_term": lambda v: kr.value_term(v),
    "function_term": lambda v: kr.function_term(v, ONES),
}
for function, call in equations_on_x.items():
    bad = bad_batches(X)
    if function != "equation_term":
        del bad["too wide"]  # any number of variables will do
    refuse(function, "x", call, **bad, rows=X[:0], columns=X[:, :0], number=1.0)

weights = numbers | {
    "column": np.ones((N, 1)),
    "short": np.ones(N - 1),
    "one negative": np.arange(N) - 1.0,
    "none": None,
}
refuse("linear_term", "weight", lambda v: kr.linear_term(X, zeroth=1.0, weight=v), **weights)
refuse("equation_term", "weight", lambda v: kr.equation_term(U, X, weight=v), **weights)
refuse(
    "equation_term",
    "equation",
    lambda v: kr.equation_term(v, X),
    text="u",
    number=1.0,
    none=None,
    **{"a relation": T > S, "an order of three": U.diff(T, 3), "a symbol": U - sympy.Symbol("k")},
)
bounds = {"text": "ab", "none": None, "nan": [(0.0, np.nan)], "turned": [(1.0, 0.0)], "empty": []}
refuse("Scales", "domain", lambda v: kr.Scales(v, (0.0, 1.0)), **bounds, flat=(0.0, 1.0))
refuse("Scales", "values", lambda v: kr.Scales([(0.0, 1.0)], v), **bounds, flat=(0.0, 1.0, 2.0))
refuse("value_term", "weight", lambda v: kr.value_term(X, weight=v), **weights)
refuse("function_term", "weight", lambda v: kr.function_term(X, ONES, weight=v), **weights)

coefficients = {
    "text": "1",
    "nan": np.full(2, np.nan),
    "complex": np.ones(2) + 1j,
    "short": np.ones(1),
    "long": np.ones(3),
    "number": 1.0,
}
refuse(
    "linear_term",
    "second",
    lambda v: kr.linear_term(X, second=v),
    **coefficients,
    wide=np.ones((2, 3)),
    points=np.ones((N - 1, 2, 2)),
    ragged=[[1.0], [1.0, 2.0]],
    inf=np.full((N, 2, 2), np.inf),
)
refuse(
    "linear_term",
    "first",
    lambda v: kr.linear_term(X, first=v),
    **coefficients,
    points=np.ones((N - 1, 2)),
    turned=np.ones((2, N)),
)
zeroth = {
    "text": "1",
    "nan": np.nan,
    "short": np.ones(N - 1),
    "column": np.ones((N, 1)),
    "true": True,
    "complex": 1j,
}
refuse(
    "linear_term",
    "zeroth",
    lambda v: kr.linear_term(X, zeroth=v),
    **zeroth,
    **{"or anything": None},
)
targets = {
    "nan": np.nan,
    "text": "1",
    "flat": Y[:, 0],
    "short": Y[:3],
    "none": None,
    "three axes": Y[None],
    "complex": Y + 1j,
}
refuse("linear_term", "source", lambda v: kr.linear_term(X, zeroth=1.0, source=v), **targets)
refuse("value_term", "y", lambda v: kr.value_term(X, v), **targets)

refuse(
    "function_term",
    "function",
    lambda v: kr.function_term(X, v),
    number=3,
    text="u'' = 0",
    none=None,
    term=TERM,
    array=X,
)
refuse(
    "function_term",
    "order",
    lambda v: kr.function_term(X, ONES, order=v),
    negative=-1,
    three=3,
    half=0.5,
    text="2",
    none=None,
    true=True,
)
refuse(
    "function_term",
    "pairs",
    lambda v: kr.function_term(X, ONES, pairs=v),
    empty=(),
    text="00",
    number=0,
    flat=(0, 1),
    triple=((0, 0, 1),),
    large=((0, 2),),
    negative=((-1, 0),),
    half=((0, 0.5),),
    twice=((0, 1), (1, 0)),
    things=(0, (0, 1)),
    array=np.zeros((2, 2, 2)),
)
refuse(
    "function_term", "pairs", lambda v: kr.function_term(X, ONES, order=1, pairs=v), order=((0, 0),)
)

refuse(
    "residual_problem",
    "terms",
    kr.residual_problem,
    empty=[],
    term=TERM,
    text="terms",
    number=3,
    array=np.ones((3, 3)),
    none=None,
    things=[TERM, "u = 0"],
    problem=[PROBLEM],
    variables=[TERM, kr.value_term([[0.0]])],
)
refuse(
    "residual_problem",
    "weight",
    lambda v: kr.residual_problem([kr.value_term(X, weight=v)]),
    zero=0.0,
)
refuse(
    "residual_problem",
    "reference",
    lambda v: kr.residual_problem([TERM], reference=v),
    array=X,
    three=(X, Y, Y),
    text="xy",
    flat=(X, Y[:, 0]),
    nan=(X * np.nan, Y),
    short=(X, Y[:3]),
    rows=(X[:0], Y[:0]),
    wide=(np.ones((N, 3)), Y),
    none=(None, Y),
)

for model in (NET, SMALL_MLP):
    kind = type(model).__name__
    refuse(
        "fit",
        "problem",
        lambda v, model=model: kr.fit(model, problem=v, n_steps=1),
        **{
            f"{name} {kind}": value
            for name, value in {
                "term": TERM,
                "terms": [TERM],
                "text": "u = 0",
                "array": X,
                "variables": OTHER,
            }.items()
        },
    )
    wide = kr.residual_problem([TERM], reference=(X, np.hstack([Y, Y])))
    refuse(
        "fit",
        "reference",
        lambda v, model=model: kr.fit(model, problem=v, n_steps=1),
        **{f"outputs {kind}": wide},
    )
    wide = kr.residual_problem([TERM, kr.value_term(X, np.hstack([Y, Y]))])
    refuse(
        "fit",
        "terms[1]",
        lambda v, model=model: kr.fit(model, problem=v, n_steps=1),
        **{f"outputs {kind}": wide},
    )
refuse(
    "fit",
    "loss",
    lambda v: kr.fit(NET, problem=PROBLEM, loss=v, n_steps=1),
    **{"of classes beside a problem": "cross_entropy"},
)
refuse(
    "fit",
    "x_train",
    lambda v: kr.fit(NET, data(x_train=v), problem=PROBLEM, n_steps=1),
    **{"nan beside a problem": X * np.nan},
)
refuse("fit", "data", lambda v: kr.fit(NET, v, n_steps=1), problem=PROBLEM)
refuse(
    "fit",
    "batch_size",
    lambda v: kr.fit(NET, problem=PROBLEM, optimizer="adam", batch_size=v, rng=RNG(0)),
    **{"beside a problem": 5},
)
refuse(
    "fit",
    "optimizer",
    lambda v: kr.fit(NET, problem=PROBLEM, optimizer=v, penalty_weight=0.1),
    **{"least squares of a problem with a penalty": "lm"},
)
refuse(
    "fit",
    "network",
    lambda v: kr.fit(v, problem=PROBLEM, penalty_weight=0.1),
    **{"mlp with a problem and a penalty": SMALL_MLP},
)
refuse("fit", "problem", lambda v: kr.fit(NET, v, n_steps=1), **{"not given": None})


# --- conversions


no_network = {"text": "net", "layer": NET.layers[0], "mlp": SMALL_MLP, "none": None}
two_bases = kr.Network((NET.layers[0], replace(NET.layers[1], base="identity")))
constant = kr.fix_symbolic(NET, 1, output=0, input=0, name="0", affine=(1.0, 0.0, 1.0, 0.5))
LIBRARIES = {
    "pykan": (kr.from_pykan, kr.to_pykan, "act_fun.0.coef", "act_fun.1.grid"),
    "efficient_kan": (
        kr.from_efficient_kan,
        kr.to_efficient_kan,
        "layers.0.spline_weight",
        "layers.1.grid",
    ),
    "jaxkan": (kr.from_jaxkan, kr.to_jaxkan, "layers.0.c_basis", "layers.1.grid"),
}


def without(state, key):
    return {name: array for name, array in state.items() if name != key}


for library, (from_state, to_state, coef, grid) in LIBRARIES.items():
    state = to_state(NET)
    refuse(f"to_{library}", "network", to_state, **no_network, formula=FORMULAS, bases=two_bases)
    refuse(f"from_{library}", "base", lambda v, f=from_state, s=state: f(s, base=v), **names)
    refuse(
        f"from_{library}",
        "state",
        from_state,
        text="model.pt",
        none=None,
        number=3,
        arrays=list(state.values()),
        empty={},
        lacking=without(state, coef),
        strange={**state, "biases.0.weight": np.zeros(3)},
        unnamed={**state, 3: np.zeros(3)},
        nan={**state, coef: spoiled(state[coef], np.nan)},
        inf={**state, grid: spoiled(state[grid], np.inf)},
        words={**state, coef: np.full(state[coef].shape, "a")},
        complex={**state, coef: state[coef] + 1j},
        ragged={**state, coef: [[1.0], [1.0, 2.0]]},
        flat={**state, coef: state[coef].reshape(-1)},
        falling={**state, grid: state[grid][:, ::-1]},
        many={**state, coef: np.concatenate([state[coef]] * 2, axis=-1)},
        few={**state, coef: state[coef][..., :2]},
        middle=without(state, grid),
    )
refuse("to_efficient_kan", "network", kr.to_efficient_kan, constant=constant)
refuse(
    "to_jaxkan", "layer_type", lambda v: kr.to_jaxkan(NET, layer_type=v), **names, other="chebyshev"
)

pykan, jaxkan = kr.to_pykan(NET), kr.to_jaxkan(NET)
formula = {**pykan, "symbolic_fun.0.mask": np.eye(3, 2), "act_fun.0.mask": 1.0 - np.eye(2, 3)}
refuse(
    "from_pykan",
    "state",
    kr.from_pykan,
    formula=formula,
    both={**formula, "act_fun.0.mask": np.ones((2, 3))},
    half={**pykan, "act_fun.0.mask": np.full((2, 3), 0.5)},
    multiplication={**pykan, **{name: np.concatenate([pykan[name]] * 2, axis=0) for name in pykan if "act_fun.1" in name},
                    "symbolic_fun.1.mask": np.zeros((1, 6)), "symbolic_fun.1.affine": np.zeros((1, 6, 4))},
    scales={**pykan, "node_scale_0": np.ones(2)},
)  # fmt: skip
sines = [[["sin", "sin"]] * 3] * 2
refuse(
    "from_pykan",
    "formulas",
    lambda v: kr.from_pykan(formula, formulas=v),
    text="sin",
    number=3,
    few=sines[:1],
    empty=[[], []],
    unknown=[[["sine", "sin"]] * 3] * 2,
    nothing=[[[None, "sin"]] * 3] * 2,
)
refuse(
    "from_pykan",
    "affine",
    lambda v: kr.from_pykan(v, formulas=sines),
    lacking=without(formula, "symbolic_fun.0.affine"),
)
refuse(
    "from_pykan",
    "mask",
    lambda v: kr.from_pykan(v, formulas=sines),
    half={**formula, "symbolic_fun.0.mask": 0.5 * np.eye(3, 2)},
)
differing = jaxkan["layers.0.grid"].copy()
differing[-1] *= 2.0
refuse(
    "from_jaxkan",
    "state",
    kr.from_jaxkan,
    rows={**jaxkan, "layers.0.grid": differing},
    edges={
        name: array for name, array in jaxkan.items() if name.split(".")[-1] in ("grid", "c_basis")
    },
    divided={**jaxkan, "layers.0.c_res": np.ones((4, 2))},
)
for function, call in (
    ("from_pykan", lambda v: kr.from_pykan(pykan, x=v)),
    ("from_jaxkan", lambda v: kr.from_jaxkan(jaxkan, x=v)),
):
    refuse(
        function,
        "x",
        call,
        empty=np.zeros((0, 2)),
        flat=np.zeros(2),
        wide=np.zeros((3, 3)),
        nan=np.full((2, 2), np.nan),
        text="x",
    )


other = {
    "text": "net",
    "layer": NET.layers[0],
    "layers": NET.layers,
    "mlp": SMALL_MLP,
    "none": None,
}
refuse("to_scipy", "network", lambda v: kr.to_scipy(v, 0, output=0, input=0), **other)
refuse("to_scipy", "layer", lambda v: kr.to_scipy(NET, v, output=0, input=0), **places)
refuse("to_scipy", "output", lambda v: kr.to_scipy(NET, 0, output=v, input=0), **places)
refuse("to_scipy", "input", lambda v: kr.to_scipy(NET, 0, output=0, input=v), **places)
refuse("to_scipy", "'sin'", lambda v: kr.to_scipy(v, 0, output=0, input=0), formula=FORMULAS)

refuse("to_c", "network", kr.to_c, **other)
refuse(
    "to_c",
    "name",
    lambda v: kr.to_c(NET, name=v),
    empty="",
    number=3,
    none=None,
    bytes=b"kan",
    array=np.ones(2),
    space="my kan",
    digit="2kan",
    dash="my-kan",
    dot="kan.c",
    underscore="_kan",
    letters="größe",
    long="k" * 32,
    line="kan\n",
    keyword="double",
    program="main",
    mathematics="tanh",
    single="sqrtf",
    macro="NAN",
    constant="M_PI",
    library="printf",
    later="alignas",
    defined="linux",
)
