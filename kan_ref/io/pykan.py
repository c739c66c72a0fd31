"""Networks of pykan, from the arrays of a state dict and back.

Its layer l (pykan 0.2) has B-splines on the extended knot vector as ours, with axes [in, out] where
ours are [out, in], symbolic functions with axes [out, in], and after the sum over inputs two affine
maps of every node:

    (I3)  phi_ji(x) = mask_ij (scale_base_ij b(x) + scale_sp_ij sum_m coef_ijm B_m(x))
                      + symbolic_mask_ji (c f(a x + b) + d)
    (I4)  x_{l+1,j} = node_scale_j (subnode_scale_j sum_i phi_ji(x_i) + subnode_bias_j)
                      + node_bias_j

    act_fun.l.grid (n_in, n_knots)         act_fun.l.coef (n_in, n_out, n_basis)
    act_fun.l.scale_base, .scale_sp, .mask (n_in, n_out)
    symbolic_fun.l.mask (n_out, n_in)      symbolic_fun.l.affine (n_out, n_in, 4)
    node_scale_l, node_bias_l, subnode_scale_l, subnode_bias_l (n_out,)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import BASE_NAMES, LIBRARY
from kan_ref.io.states import (
    LayerState,
    State,
    export_layers,
    join_layers,
    named_arrays,
    scaled,
    split_state,
)
from kan_ref.network import Layer, Network, SymbolicEdge, numbers

_NODES = {"node_scale": 1.0, "node_bias": 0.0, "subnode_scale": 1.0, "subnode_bias": 0.0}
_NAMES = {
    **{name: f"act_fun.{{}}.{name}" for name in ("grid", "coef", "scale_base", "scale_sp", "mask")},
    "symbolic_mask": "symbolic_fun.{}.mask",
    "affine": "symbolic_fun.{}.affine",
    **{name: f"{name}_{{}}" for name in _NODES},
}
_ALIASES = {"x^0.5": "sqrt", "1/sqrt(x)": "1/sqrt", "1/x^0.5": "1/sqrt"}  # their second names
_OPTIONAL = ("symbolic_mask", "affine", *_NODES)


def from_pykan(
    state: object, *, base: str = "silu", formulas: object | None = None, x: object | None = None
) -> Network:
    """Return the network of a pykan model's `state_dict()`.

    Parameters
    ----------
    state : mapping of str to array_like
        Arrays or CPU tensors, named as in the module's table. Symbolic and node entries may be
        missing.
    base : str
        Their `base_fun`, which a state does not contain: "silu", "identity" or "zero".
    formulas : nested sequence of str, optional
        Names of the symbolic functions by layer, output and input, which a state does not contain:
        `[part.funs_name for part in model.symbolic_fun]`. Needed where `symbolic_fun.l.mask` is 1.
    x : (batch, n_in), optional
        Samples at which folded biases must be exact. Without it they are exact where every input of
        a layer lies on its grid.

    Returns
    -------
    network : Network
        Computes the same outputs to rounding: scales of nodes are multiplied into the weights, and
        a bias becomes part of one edge of its node. If all scales are 1 and all biases 0, all
        numbers are equal bit for bit.

    Raises
    ------
    ValueError, TypeError
        "state has 'biases.0.weight', which has no place in a state of pykan with 2 layers", and the
        like for every other fault; an edge that has both a spline and a symbolic function; nodes
        that multiply.

    Notes
    -----
    Implements (I3) and :eq:`pykan-nodes`. `affine` holds a, b, c, d as in pykan.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> state = kr.to_pykan(net)
    >>> state["act_fun.0.coef"].shape
    (2, 1, 8)
    >>> state["node_scale_0"][0] = -2.0
    >>> x = np.array([[0.5, -0.25]])
    >>> bool(np.allclose(kr.from_pykan(state)(x), -2.0 * net(x), rtol=1e-15))
    True
    """
    checks.choice("base", base, BASE_NAMES)
    parts = split_state(state, "pykan", _NAMES, _OPTIONAL)
    names = _check_formulas(formulas, len(parts))
    layers, constants = [], []
    for part in parts:
        layer = _read_layer(part, base, names[part.number])
        scale, bias = _read_nodes(part, layer.n_out)
        layers.append(scaled(layer, scale))
        constants.append(bias)
    return join_layers(layers, constants, x)


def to_pykan(network: Network) -> State:
    """Return a network as the state of a pykan model.

    Parameters
    ----------
    network : Network
        Without symbolic edges other than constants; one base for all layers.

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; constants are in `node_bias_l`. It fits `KAN(width=[...],
        grid=G, k=k, base_fun=...)` of the same widths, intervals and degree, in float64:
        `model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})`.

    Raises
    ------
    ValueError, TypeError
        "network has the symbolic function 'sin' on the edge from input 0 to output 0 of layer 1,
        which a state of pykan cannot express: unfix_symbolic makes it the nearest spline ..."
    """
    state: State = {}
    for number, (layer, constants) in enumerate(export_layers(network, "pykan")):
        arrays: dict[str, FloatArray] = {
            "grid": layer.knots,
            "coef": layer.coef.swapaxes(0, 1),
            "scale_base": layer.w_base.T,
            "scale_sp": layer.w_spline.T,
            "mask": layer.mask.T,
            "symbolic_mask": np.zeros_like(layer.mask),
            "affine": np.zeros((*layer.mask.shape, 4)),
            **{name: np.full(layer.n_out, value) for name, value in _NODES.items()},
            "node_bias": constants,
        }
        state |= named_arrays(_NAMES, number, arrays)
    return state


def _check_formulas(formulas: object, n_layers: int) -> Sequence[Any]:
    if formulas is None:
        return [None] * n_layers
    if isinstance(formulas, str) or not isinstance(formulas, Sequence) or len(formulas) != n_layers:
        raise ValueError(
            f"formulas is {formulas!r}, but must hold names of functions for {n_layers} layers, "
            "by output and input"
        )
    return formulas


def _read_layer(part: LayerState, base: str, names: Any) -> Layer:
    """Return a layer by (I3); `names` are its symbolic functions by output and input."""
    knots = part.read("grid", ("n_in", "n_knots"))
    coef = part.read("coef", (len(knots), "n_out", "n_basis")).swapaxes(0, 1)
    n_out, n_in, _ = coef.shape
    w_base, w_spline, mask = (
        part.read(name, (n_in, n_out)).T for name in ("scale_base", "scale_sp", "mask")
    )
    symbolic_mask = part.read("symbolic_mask", (n_out, n_in), 0.0)
    edges: list[SymbolicEdge] = []
    for j, i in np.argwhere(symbolic_mask != 0.0).tolist():
        edge = f"the edge from input {i} to output {j} of layer {part.number}"
        if symbolic_mask[j, i] != 1.0:
            raise ValueError(
                f"state has the symbolic mask {symbolic_mask[j, i]:g} on {edge}, but it must be "
                "0 or 1"
            )
        if mask[j, i] != 0.0:
            raise ValueError(
                f"state has a symbolic function and a spline on {edge}, but an edge is one of the "
                "two"
            )
        edges.append(SymbolicEdge(j, i, LIBRARY[_function_name(names, j, i, edge)], len(edges)))
    affine = np.empty((0, 4))
    if edges:
        if "affine" not in part:
            raise ValueError(
                f"state lacks {part.names['affine']!r}, but has symbolic functions in layer "
                f"{part.number}"
            )
        affine = part.read("affine", (n_out, n_in, 4))[numbers(edges)]
    return part.layer(
        knots=knots,
        coef=coef,
        w_base=w_base,
        w_spline=w_spline,
        mask=mask,
        base=base,
        symbolic=edges,
        affine=affine,
    )


def _function_name(names: Any, j: int, i: int, edge: str) -> str:
    """Return the library's name of the function on an edge."""
    if names is None:
        raise ValueError(
            f"state has a symbolic function on {edge}, whose name a state does not contain: give "
            "formulas=[part.funs_name for part in model.symbolic_fun]"
        )
    try:
        name = names[j][i]
    except (IndexError, TypeError, KeyError):
        raise ValueError(f"formulas has no name for {edge}") from None
    return checks.choice(
        f"the name in formulas for {edge}",
        _ALIASES.get(name, name) if isinstance(name, str) else name,
        tuple(LIBRARY),
    )


def _read_nodes(part: LayerState, n_out: int) -> tuple[FloatArray, FloatArray]:
    """Return scale and bias (n_out,) of the nodes, (I4)."""
    found = {}
    for name, default in _NODES.items():
        found[name] = part.read(name, ("n_nodes",) if name in part else (n_out,), default)
        if len(found[name]) != n_out:
            raise ValueError(
                f"state has {n_out} sums, but {len(found[name])} numbers as {part.names[name]!r}: "
                "nodes that multiply have no place in a network"
            )
    # [eq:pykan-nodes]
    scale = found["node_scale"] * found["subnode_scale"]
    bias = found["node_scale"] * found["subnode_bias"] + found["node_bias"]
    # [/eq:pykan-nodes]
    return scale, bias
