"""What the functions between a network and its formula refuse: rows of the table in `doors`."""

import numpy as np
import sympy
from refusals import (
    NET,
    RNG,
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
    "split_edge": lambda v: kr.split_edge(v, 0, **EDGE),
    "canonical_form": lambda v: kr.canonical_form(v),
    "unfix_symbolic": lambda v: kr.unfix_symbolic(v, 0, **EDGE),
    "suggest_symbolic": lambda v: kr.suggest_symbolic(v, X, 0, **EDGE),
    "auto_symbolic": lambda v: kr.auto_symbolic(v, X),
    "lock_edges": lambda v: kr.lock_edges(v, 0, [(0, 0), (0, 1)]),
    "unlock_edges": lambda v: kr.unlock_edges(v, 0, [(0, 0)]),
    "eliminate": lambda v: kr.eliminate(v, data()),
    "formula": lambda v: kr.formula(v),
    "draw_network": lambda v: kr.draw_network(v, X),
}
for function, call in on_network.items():
    refuse(function, "network", call, text="net", layer=NET.layers[0], none=None)

edges = {
    "fix_symbolic": lambda layer, edge: kr.fix_symbolic(NET, layer, **edge, name="sin"),
    "split_edge": lambda layer, edge: kr.split_edge(FORMULAS, layer, **edge),
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
    one=[(0, 0)],
    twice=[(0, 0), (0, 0)],
    empty=[],
    text="ab",
    number=3,
)
refuse(
    "unlock_edges",
    "places",
    lambda v: kr.unlock_edges(ALL_FORMULAS, 0, v),
    text="ab",
    number=3,
    flat=[0, 1],
)
refuse("split_edge", "edge", lambda v: kr.split_edge(FORMULAS, 0, **v), not_composed=EDGE)
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
refuse("compose", "outer", lambda v: kr.compose(v, "sin"), **names, line="x")
refuse("compose", "inner", lambda v: kr.compose("sin", v), **names, callable=np.sin)
refuse(
    "suggest_symbolic",
    "composed",
    lambda v: kr.suggest_symbolic(NET, X, 0, **EDGE, composed=v),
    text="no",
    one=1,
)
refuse("percentile_bounds", "x", kr.percentile_bounds, **bad_batches(X, columns=False), rows=X[:0])
refuse(
    "percentile_bounds",
    "percentiles",
    lambda v: kr.percentile_bounds(X, v),
    one=(50.0,),
    falling=(60.0, 40.0),
    large=(1.0, 101.0),
    text="ab",
    nan=(0.0, np.nan),
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
