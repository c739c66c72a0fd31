"""What differential equations refuse: rows of the table in `doors`."""

import numpy as np
import sympy
from refusals import NET, PERCEPTRON, X, Y, bad_batches, data, numbers, refuse

import kan_ref as kr

N = len(X)
ONES = lambda x, u, du, d2u: (u[:, 0], np.ones((len(x), 1)), None, None)  # noqa: E731
TERM = kr.value_term(X, Y)
PROBLEM = kr.residual_problem([TERM])
OTHER = kr.residual_problem([kr.value_term(X[:, :1], Y)])

T, S = sympy.symbols("t s")
U = sympy.Function("u")(T, S)
SCALES = kr.Scales([(-1.0, 1.0), (-1.0, 1.0)], (0.0, 1.0))

on_x = {
    "equation_term": lambda v: kr.equation_term(U, v, unknowns=U),
    "linear_term": lambda v: kr.linear_term(v, second=[1.0, 1.0]),
    "value_term": lambda v: kr.value_term(v),
    "function_term": lambda v: kr.function_term(v, ONES),
}
for function, call in on_x.items():
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

for model in (NET, PERCEPTRON):
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
refuse("fit", "problem", lambda v: kr.fit(NET, v, n_steps=1), **{"not given": None})
