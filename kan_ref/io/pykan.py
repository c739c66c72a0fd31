"""A network of pykan, by the arrays of its state dict, and back.

Their layer l (pykan 0.2) has, besides switches, B-splines on the extended knot row as ours, with axes [in, out] where ours are [out, in],
formulas with axes [out, in], and after the sum over inputs two affine maps of every node:

    (U3)  phi_ji(x) = mask_ij (scale_base_ij b(x) + scale_sp_ij sum_m coef_ijm B_m(x)) + symbolic_mask_ji (c f(a x + b) + d)
    (U4)  x_{l+1,j} = node_scale_j (subnode_scale_j sum_i phi_ji(x_i) + subnode_bias_j) + node_bias_j

    act_fun.l.grid (n_in, n_knots)   act_fun.l.coef (n_in, n_out, n_basis)   act_fun.l.scale_base, .scale_sp, .mask (n_in, n_out)
    symbolic_fun.l.mask (n_out, n_in)   symbolic_fun.l.affine (n_out, n_in, 4)
    node_scale_l, node_bias_l, subnode_scale_l, subnode_bias_l (n_out,)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_choice
from kan_ref.functions import BASE_NAMES, LIBRARY
from kan_ref.io.states import (
    State,
    check_chain,
    check_sizes,
    export_layers,
    make_layer,
    read_array,
    scaled,
    split_state,
    with_constants,
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
    """The network of a pykan model's `state_dict()`.

    Parameters
    ----------
    state : mapping of str to array_like
        Arrays or CPU tensors, as in the module's table. Symbolic and node entries may be missing.
    base : str
        Their `base_fun`, which no state holds: "silu", "identity" or "zero".
    formulas : nested sequence of str, optional
        Names of functions by layer, output and input, which no state holds: `[part.funs_name for part in model.symbolic_fun]`. Needed where
        `symbolic_fun.l.mask` is 1.
    x : (batch, n_in), optional
        Samples at which folded biases must be exact. Without it they are where every input of a layer lies on its grid.

    Returns
    -------
    network : Network
        Computes what their model computes, to rounding: scales of nodes are in the weights, biases in one edge of their node. What is 1 and
        0 there leaves all numbers as they are, bit for bit.

    Raises
    ------
    ValueError, TypeError
        "state has 'biases.0.weight', which has no place in a state of pykan with 2 layers", and the like for every other fault; an edge
        that is spline and formula at once; nodes that multiply.

    Notes
    -----
    Implements :eq:`pykan-nodes`. With `affine` as they have it: a, b, c, d.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    >>> state = kr.to_pykan(net)
    >>> state["act_fun.0.coef"].shape
    (2, 1, 8)
    >>> state["node_scale_0"][0] = -2.0
    >>> x = np.array([[0.5, -0.25]])
    >>> bool(np.allclose(kr.from_pykan(state)(x), -2.0 * net(x), rtol=1e-15))
    True
    """
    check_choice("base", base, BASE_NAMES)
    parts = split_state(state, "pykan", _NAMES, _OPTIONAL)
    names = _check_formulas(formulas, len(parts))
    layers, constants, shapes = [], [], []
    for number, entry in enumerate(parts):
        layer = _read_layer(number, entry, base, names[number])
        scale, bias = _read_nodes(number, entry, layer.n_out)
        layers.append(scaled(layer, scale))
        constants.append(bias)
        shapes.append((layer.n_out, layer.n_in))
    check_chain(shapes)
    return with_constants(layers, constants, x)


def to_pykan(network: Network) -> State:
    """A network as the state of a pykan model.

    Parameters
    ----------
    network : Network
        Without formulas but constants; one base for all layers.

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; constants are in `node_bias_l`. For
        `KAN(width=[...], grid=G, k=k, base_fun=...)` of the same widths, intervals and degree, in float64:
        `model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})`.

    Raises
    ------
    ValueError, TypeError
        "network has the formula 'sin' on the edge from input 0 to output 0 of layer 1, which a state of pykan cannot say; unfix_symbolic
        makes it a spline"
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
        state |= {
            _NAMES[name].format(number): np.array(array, order="C")
            for name, array in arrays.items()
        }
    return state


def _check_formulas(formulas: object, n_layers: int) -> Sequence[Any]:
    if formulas is None:
        return [None] * n_layers
    if isinstance(formulas, str) or not isinstance(formulas, Sequence) or len(formulas) != n_layers:
        raise ValueError(
            f"formulas is {formulas!r}, but must hold names of functions for {n_layers} layers, by output and input"
        )
    return formulas


def _read_layer(number: int, entry: dict[str, Any], base: str, names: Any) -> Layer:
    """(U3)."""

    def key(name: str) -> str:
        return _NAMES[name].format(number)

    knots = read_array(key("grid"), entry["grid"], ("n_in", "n_knots"))
    n_in, n_knots = knots.shape
    coef = read_array(key("coef"), entry["coef"], (n_in, "n_out", "n_basis"))
    _, n_out, n_basis = coef.shape
    degree = check_sizes(number, n_knots, n_basis)
    w_base, w_spline, mask = (
        read_array(key(name), entry[name], (n_in, n_out)).T
        for name in ("scale_base", "scale_sp", "mask")
    )
    nowhere = np.zeros((n_out, n_in))
    symbolic_mask = read_array(
        key("symbolic_mask"), entry.get("symbolic_mask", nowhere), (n_out, n_in)
    )
    edges: list[SymbolicEdge] = []
    for j, i in np.argwhere(symbolic_mask != 0.0).tolist():
        edge = f"the edge from input {i} to output {j} of layer {number}"
        if symbolic_mask[j, i] != 1.0:
            raise ValueError(
                f"state has the symbolic mask {symbolic_mask[j, i]:g} on {edge}, but a formula is there or not: 1 or 0"
            )
        if mask[j, i] != 0.0:
            raise ValueError(
                f"state has a formula and a spline on {edge}, but an edge is one of the two"
            )
        edges.append(SymbolicEdge(j, i, LIBRARY[_name(names, j, i, edge)], len(edges)))
    affine = np.empty((0, 4))
    if edges:
        if "affine" not in entry:
            raise ValueError(f"state lacks {key('affine')!r}, but has formulas in layer {number}")
        affine = read_array(key("affine"), entry["affine"], (n_out, n_in, 4))[numbers(edges)]
    return make_layer(
        number,
        knots=knots,
        coef=coef.swapaxes(0, 1),
        w_base=w_base,
        w_spline=w_spline,
        mask=mask,
        degree=degree,
        base=base,
        symbolic=edges,
        affine=affine,
    )


def _name(names: Any, j: int, i: int, edge: str) -> str:
    if names is None:
        raise ValueError(
            f"state has a formula on {edge}, whose name it does not hold: give formulas=[part.funs_name for part in model.symbolic_fun]"
        )
    try:
        name = names[j][i]
    except (IndexError, TypeError, KeyError):
        raise ValueError(f"formulas has no name for {edge}") from None
    return check_choice(
        f"the name in formulas for {edge}",
        _ALIASES.get(name, name) if isinstance(name, str) else name,
        tuple(LIBRARY),
    )


def _read_nodes(number: int, entry: dict[str, Any], n_out: int) -> tuple[FloatArray, FloatArray]:
    """Scale and bias (n_out,) of (U4)."""
    found = {}
    for name, default in _NODES.items():
        found[name] = read_array(
            _NAMES[name].format(number), entry.get(name, np.full(n_out, default)), ("n_nodes",)
        )
        if len(found[name]) != n_out:
            raise ValueError(
                f"state has {n_out} sums, but {len(found[name])} numbers as {_NAMES[name].format(number)!r}: "
                "nodes that multiply have no place in a network"
            )
    # [eq:pykan-nodes]
    scale = found["node_scale"] * found["subnode_scale"]
    bias = found["node_scale"] * found["subnode_bias"] + found["node_bias"]
    # [/eq:pykan-nodes]
    return scale, bias
