"""Networks of pykan, from the arrays of a state dict and back.

In its layer l (pykan 0.2; Liu et al. 2024, arXiv 2408.10205, section 2) the first n_sum sums over
inputs are nodes, and each two neighbours u, v of the others make a node u v:

    (I3)  phi_ji(x) = mask_ij (scale_base_ij b(x) + scale_sp_ij sum_m coef_ijm B_m(x))
                      + symbolic_mask_ji (c f(a x + b) + d)
    (I4)  h_j = subnode_scale_j sum_i phi_ji(x_i) + subnode_bias_j
          x_{l+1} = node_scale (h_0, ..., h_{n_sum-1}, h_{n_sum} h_{n_sum+1}, ...) + node_bias

    act_fun.l.grid (n_in, n_knots)         act_fun.l.coef (n_in, n_out, n_basis)
    act_fun.l.scale_base, .scale_sp, .mask (n_in, n_out)
    symbolic_fun.l.mask (n_out, n_in)      symbolic_fun.l.affine (n_out, n_in, 4)
    subnode_scale_l, subnode_bias_l (n_out,)       node_scale_l, node_bias_l (n_nodes,)

A layer with products becomes three: the sums, then edges "x", then "x" and "x^2", by

    (I11)  u v = (p^2 - q^2) / (4 r),    p = r u + v,    q = r u - v.

r is a power of 2 that gives r u and v one size: the rounding error is that of p^2.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref import network as kan
from kan_ref.checks import FloatArray
from kan_ref.functions import BASE_NAMES, LIBRARY, lookup
from kan_ref.io import states
from kan_ref.network import EdgeSpec, Layer, Network, SymbolicEdge

_NODES = {"node_scale": 1.0, "node_bias": 0.0, "subnode_scale": 1.0, "subnode_bias": 0.0}
_NAMES = {
    "knots": "act_fun.{}.grid",
    **{name: f"act_fun.{{}}.{name}" for name in ("coef", "scale_base", "scale_sp", "mask")},
    "symbolic_mask": "symbolic_fun.{}.mask",
    "affine": "symbolic_fun.{}.affine",
    **{name: f"{name}_{{}}" for name in _NODES},
}
_ALIASES = {"x^0.5": "sqrt", "1/sqrt(x)": "1/sqrt", "1/x^0.5": "1/sqrt"}  # their second names


def from_pykan(
    state: object, *, base: str = "silu", formulas: Any = None, mult_arity: int = 2
) -> Network:
    """Return the network of a pykan model's `state_dict()`.

    Parameters
    ----------
    state : mapping of str to array_like
        Named as in the module's table; CPU tensors are arrays, too.
    base : str
        Their `base_fun`, not in a state: "silu", "identity" or "zero".
    formulas : nested sequence of str, optional
        Names of the symbolic functions: `[part.funs_name for part in model.symbolic_fun]`.
    mult_arity : int
        `model.mult_arity`; only nodes that multiply 2 are read.

    Returns
    -------
    network : Network
        Computes the same outputs to rounding: a bias becomes part of one edge, exact where its
        input lies on its grid. Without scales and biases all numbers are equal bit for bit. A layer
        with nodes that multiply becomes three layers.

    Notes
    -----
    Implements :eq:`pykan-nodes`, :eq:`scaled-nodes` and :eq:`product-nodes`.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 2), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> state = kr.to_pykan(net)
    >>> state |= {"node_scale_0": np.ones(1), "node_bias_0": np.zeros(1)}
    >>> product = kr.from_pykan(state)  # pykan's KAN(width=[2, [0, 1]])
    >>> x = np.array([[0.5, -0.25]])
    >>> bool(np.allclose(product(x)[0], net(x).prod(), rtol=1e-14))
    True
    """
    checks.choice("base", base, BASE_NAMES)
    if mult_arity != 2:
        checks.fail("mult_arity", mult_arity, "must be 2: other products are not read")
    layers: list[Layer] = []
    constants: list[FloatArray] = []
    for part in states.split_state(state, "pykan", _NAMES):
        layer = _read_layer(part, base, formulas)
        n_nodes = len(part.entries.get("node_scale", range(layer.n_out)))
        sizes = {"node_scale": n_nodes, "node_bias": n_nodes}
        nodes = {
            name: part.read(name, (sizes.get(name, layer.n_out),), default)
            for name, default in _NODES.items()
        }
        if n_nodes != layer.n_out:
            layers += [layer, *_products(layer, nodes)]
            constants += [np.zeros(one.n_out) for one in layers[-3:]]
            continue
        # [eq:pykan-nodes]
        scale = nodes["node_scale"] * nodes["subnode_scale"]
        bias = nodes["node_scale"] * nodes["subnode_bias"] + nodes["node_bias"]
        # [/eq:pykan-nodes]
        layers.append(_scaled(layer, scale))
        constants.append(bias)
    return states.join_layers(layers, constants)


def _read_layer(part: states.LayerState, base: str, formulas: Any) -> Layer:
    """Return a layer by (I3); `formulas` are names by layer, output and input."""
    knots = part.read("knots", ("n_in", "n_knots"))
    coef = part.read("coef", (len(knots), "n_out", "n_basis")).swapaxes(0, 1)
    n_out, n_in, _ = coef.shape
    w_base, w_spline, mask = (
        part.read(name, (n_in, n_out)).T for name in ("scale_base", "scale_sp", "mask")
    )
    symbolic_mask = part.read("symbolic_mask", (n_out, n_in), 0.0)
    edges: list[SymbolicEdge] = []
    for j, i in np.argwhere(symbolic_mask != 0.0).tolist():
        edge = f"the edge from input {i} to output {j} of layer {part.number}"
        if symbolic_mask[j, i] != 1.0 or mask[j, i] != 0.0:
            raise ValueError(f"state needs masks of 0 and 1 on {edge}, not both 1")
        try:
            name = formulas[part.number][j][i]
        except (IndexError, TypeError, KeyError):
            raise ValueError(f"formulas lacks the function of {edge}") from None
        name = checks.choice(f"formulas for {edge}", _ALIASES.get(name, name), LIBRARY)
        edges.append(SymbolicEdge(j, i, lookup(name), len(edges)))
    all_affine = part.read("affine", (n_out, n_in, 4), None if edges else 0.0)
    parts = {"knots": knots, "coef": coef, "w_base": w_base, "w_spline": w_spline, "mask": mask}
    return part.layer(**parts, base=base, symbolic=edges, affine=all_affine[kan.numbers(edges)])


def _scaled(layer: Layer, scale: FloatArray) -> Layer:
    """Return the layer with its outputs multiplied by `scale` (n_out,)."""
    affine = layer.affine.copy()
    for edge in layer.symbolic:
        affine[edge.row, 2:] *= scale[edge.output]
    # [eq:scaled-nodes]
    w_base = layer.w_base * scale[:, None]
    w_spline = layer.w_spline * scale[:, None]
    # [/eq:scaled-nodes]
    return replace(layer, w_base=w_base, w_spline=w_spline, affine=affine)


def _products(layer: Layer, nodes: dict[str, FloatArray]) -> tuple[Layer, Layer]:
    """Return the two symbolic layers that make nodes by (I4) and (I11) of a layer's sums."""
    scale, bias, inner_scale, inner_bias = (nodes[name].tolist() for name in _NODES)
    n_sums, n_nodes = layer.n_out, len(scale)
    n_plain = 2 * n_nodes - n_sums
    if not 0 <= n_plain < n_nodes:
        raise ValueError(f"state has {n_sums} sums for {n_nodes} nodes, not products of 2")

    def edge(output: int, input: int, name: str, c: float, d: float) -> EdgeSpec:
        return EdgeSpec(output, input, lookup(name), (1.0, 0.0, c, d))

    size = _sizes(layer) * np.abs(inner_scale) + np.abs(inner_bias)
    first = [edge(j, j, "x", inner_scale[j], inner_bias[j]) for j in range(n_plain)]
    last = [edge(j, j, "x", scale[j], bias[j]) for j in range(n_plain)]
    for node in range(n_plain, n_nodes):
        u = p = 2 * node - n_plain
        v = q = u + 1
        r = 2.0 ** np.round(np.log2(size[v] / size[u])) if size[u] * size[v] > 0.0 else 1.0
        # [eq:product-nodes]
        for output, sign in ((p, 1.0), (q, -1.0)):  # p = r u + v, q = r u - v
            first.append(edge(output, u, "x", r * inner_scale[u], r * inner_bias[u]))
            first.append(edge(output, v, "x", sign * inner_scale[v], sign * inner_bias[v]))
        last.append(edge(node, p, "x^2", scale[node] / (4.0 * r), bias[node]))
        last.append(edge(node, q, "x^2", -scale[node] / (4.0 * r), 0.0))
        # [/eq:product-nodes]
    return kan.symbolic_layer(n_sums, n_sums, first), kan.symbolic_layer(n_sums, n_nodes, last)


@np.errstate(all="ignore")
def _sizes(layer: Layer) -> FloatArray:
    """Return the sum of the edges' largest values on the grids, for each output."""
    values = np.abs(kan.layer_edge_outputs(layer, kan.evaluate(layer, layer.breakpoints.T)))
    values[~np.isfinite(values)] = 0.0
    size: FloatArray = values.max(axis=0).sum(axis=1)
    return size


def to_pykan(network: Network) -> states.State:
    """Return a network as the state of a pykan model.

    Parameters
    ----------
    network : Network
        Without symbolic edges other than constants; one base for all layers.

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; constants are in `node_bias_l`. It fits `KAN(width=[...],
        grid=G, k=k, base_fun=...)` in float64:
        `model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})`.

    Examples
    --------
    See `from_pykan`.
    """
    state: states.State = {}
    for number, (layer, constants) in enumerate(states.export_layers(network, "pykan")):
        none = np.zeros((layer.n_out, layer.n_in))
        arrays = {
            "knots": layer.knots,
            "coef": layer.coef.swapaxes(0, 1),
            "scale_base": layer.w_base.T,
            "scale_sp": layer.w_spline.T,
            "mask": layer.mask.T,
            "symbolic_mask": none,
            "affine": np.zeros((*none.shape, 4)),
        }
        arrays |= {name: np.full(layer.n_out, value) for name, value in _NODES.items()}
        state |= states.named_arrays(_NAMES, number, arrays | {"node_bias": constants})
    return state
