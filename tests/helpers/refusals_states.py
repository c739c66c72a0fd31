"""Arguments that conversions to and from other libraries, SciPy and C reject: rows of the table in `refusals`."""

from dataclasses import replace

import numpy as np
from refusals import NET, PERCEPTRON, names, places, refuse, spoiled
from refusals_formulas import FORMULAS

import kan_ref as kr

no_network = {"text": "net", "layer": NET.layers[0], "perceptron": PERCEPTRON, "none": None}
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
    "perceptron": PERCEPTRON,
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
