"""A network of jaxKAN, by the arrays of its layers "base" or "spline", and back.

Their layer l (jaxKAN 0.3) has B-splines on the extended knot row as ours, a weight each for spline and residual, and a bias:

    (U6)  y_j = sum_i (c_res_ji b(x_i) + c_spl_ji sum_m c_basis_jim B_m(x_i)) + bias_j

    layers.l.grid      (n_in, n_knots)           "base": (n_out n_in, n_knots), output by output; `layer.grid.item`, which is no parameter
    layers.l.c_basis   (n_out, n_in, n_basis)    "base": (n_out n_in, n_basis)
    layers.l.c_res, layers.l.c_spl (n_out, n_in)   layers.l.bias (n_out,)

Without a residual there is no c_res: it is 0; without external weights no c_spl: it is 1; without a bias it is 0. A model's arrays are

    {f"layers.{l}.{name}": None if (p := getattr(layer, name)) is None else np.asarray(p[...])
     for l, layer in enumerate(model.layers) for name in ("c_basis", "c_res", "c_spl", "bias")}
    | {f"layers.{l}.grid": np.asarray(layer.grid.item) for l, layer in enumerate(model.layers)}
"""

from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_rectangular
from kan_ref.functions import BASE_NAMES
from kan_ref.io.states import (
    State,
    check_chain,
    check_sizes,
    export_layers,
    make_layer,
    read_array,
    split_state,
    with_constants,
)
from kan_ref.network import Layer, Network

LAYER_TYPES = ("base", "spline")
_NAMES = {name: f"layers.{{}}.{name}" for name in ("grid", "c_basis", "c_res", "c_spl", "bias")}


def from_jaxkan(state: object, *, base: str = "silu", x: object | None = None) -> Network:
    """The network of the arrays of a jaxKAN model, of layers "base" or "spline".

    Parameters
    ----------
    state : mapping of str to array_like
        As in the module's table; `c_res`, `c_spl` and `bias` may be missing, or None.
    base : str
        Their `residual`, which no state holds: "silu", "identity" or "zero".
    x : (batch, n_in), optional
        Samples at which folded biases must be exact. Without it they are where every input of a layer lies on its grid.

    Returns
    -------
    network : Network
        Computes what their model computes, to rounding: a bias is in one edge of its output. Biases 0 leave all numbers as they are,
        bit for bit.

    Raises
    ------
    ValueError, TypeError
        "state has rows of knots for input 1 of layer 0 that differ between outputs, but a layer has one row for each input", and the like
        for every other fault.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    >>> state = kr.to_jaxkan(net, layer_type="base")
    >>> state["layers.0.c_basis"].shape
    (2, 8)
    >>> state["layers.0.bias"] += 0.5
    >>> x = np.array([[0.5, -0.25]])
    >>> bool(np.allclose(kr.from_jaxkan(state)(x), net(x) + 0.5, rtol=1e-14))
    True
    """
    check_choice("base", base, BASE_NAMES)
    layers, constants = [], []
    for number, entry in enumerate(
        split_state(state, "jaxKAN", _NAMES, ("c_res", "c_spl", "bias"))
    ):
        layer = _read_layer(number, entry, base)
        layers.append(layer)
        constants.append(
            read_array(
                _NAMES["bias"].format(number),
                entry.get("bias", np.zeros(layer.n_out)),
                (layer.n_out,),
            )
        )
    check_chain([(layer.n_out, layer.n_in) for layer in layers])
    return with_constants(layers, constants, x)


def to_jaxkan(network: Network, *, layer_type: str = "base") -> State:
    """A network as arrays of a jaxKAN model.

    Parameters
    ----------
    network : Network
        Without formulas but constants; one base for all layers.
    layer_type : str
        "base", with a row of knots for every edge, or "spline".

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; constants are in `bias`, dead edges have c_res and c_spl 0. They go into
        `KAN([...], layer_type=..., required_parameters={"k": k, "G": G})` of the same widths, intervals and degree, by
        `layer.c_basis.set_value(...)` and so on, the grid by `layer.grid.item = ...`.

    Raises
    ------
    ValueError, TypeError
        "layer_type is 'chebyshev', but must be one of 'base', 'spline'"
    """
    check_choice("layer_type", layer_type, LAYER_TYPES)
    state: State = {}
    for number, (layer, constants) in enumerate(export_layers(network, "jaxKAN")):
        by_edge = layer_type == "base"
        arrays = {
            "grid": np.tile(layer.knots, (layer.n_out, 1)) if by_edge else layer.knots,
            "c_basis": layer.coef.reshape(-1, layer.n_basis) if by_edge else layer.coef,
            "c_res": layer.w_base * layer.mask,
            "c_spl": layer.w_spline * layer.mask,
            "bias": constants,
        }
        state |= {_NAMES[name].format(number): array.copy() for name, array in arrays.items()}
    return state


def _read_layer(number: int, entry: dict[str, Any], base: str) -> Layer:
    """(U6) without the bias."""
    key = {name: form.format(number) for name, form in _NAMES.items()}
    knots = read_array(key["grid"], entry["grid"], ("n_rows", "n_knots"))
    if check_rectangular(f"state[{key['c_basis']!r}]", entry["c_basis"]).ndim == 2:
        knots, coef = _by_edge(number, knots, entry, key)
    else:
        coef = read_array(key["c_basis"], entry["c_basis"], ("n_out", len(knots), "n_basis"))
    n_out, n_in, n_basis = coef.shape
    weights = {
        name: entry.get(name, np.full((n_out, n_in), default))
        for name, default in (("c_res", 0.0), ("c_spl", 1.0))
    }
    return make_layer(
        number,
        knots=knots,
        coef=coef,
        w_base=read_array(key["c_res"], weights["c_res"], (n_out, n_in)),
        w_spline=read_array(key["c_spl"], weights["c_spl"], (n_out, n_in)),
        mask=np.ones((n_out, n_in)),
        degree=check_sizes(number, knots.shape[1], n_basis),
        base=base,
    )


def _by_edge(
    number: int, knots: FloatArray, entry: dict[str, Any], key: dict[str, str]
) -> tuple[FloatArray, FloatArray]:
    """Knots (n_in, n_knots) and coefficients (n_out, n_in, n_basis) of a layer that has both for every edge."""
    told = [
        check_rectangular(f"state[{key[name]!r}]", entry[name]).shape[:1]
        for name in ("c_res", "c_spl", "bias")
        if name in entry
    ]
    n_edges = len(knots)
    n_out = told[0][0] if told and told[0] else 0
    if n_out == 0 or n_edges % n_out:
        raise ValueError(
            f"state has {n_edges} edges in layer {number}, but the outputs in c_res, c_spl or bias must divide them"
        )
    n_in = n_edges // n_out
    rows = knots.reshape(n_out, n_in, -1)
    differing = np.argwhere((rows != rows[:1]).any(axis=(0, 2)))
    if len(differing):
        raise ValueError(
            f"state has rows of knots for input {int(differing[0, 0])} of layer {number} that differ between outputs, "
            "but a layer has one row for each input"
        )
    coef = read_array(key["c_basis"], entry["c_basis"], (n_edges, "n_basis"))
    return rows[0], coef.reshape(n_out, n_in, -1)
