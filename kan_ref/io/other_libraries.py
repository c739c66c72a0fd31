"""Networks of efficient-kan and jaxKAN, from their arrays and back.

Both have B-splines on the extended knot vector as ours. A layer l of efficient-kan is

    (I5)  phi_ji(x) = base_weight_ji b(x) + spline_scaler_ji sum_m spline_weight_jim B_m(x)

    layers.l.grid (n_in, n_knots)   layers.l.spline_weight (n_out, n_in, n_basis)
    layers.l.base_weight, layers.l.spline_scaler (n_out, n_in)

Without standalone scales there is no spline_scaler: it is 1. A layer "base" or "spline" of jaxKAN
0.3 is

    (I6)  y_j = sum_i (c_res_ji b(x_i) + c_spl_ji sum_m c_basis_jim B_m(x_i)) + bias_j

    layers.l.grid      (n_in, n_knots)           "base": (n_out n_in, n_knots), output by output
    layers.l.c_basis   (n_out, n_in, n_basis)    "base": (n_out n_in, n_basis)
    layers.l.c_res, layers.l.c_spl (n_out, n_in)   layers.l.bias (n_out,)

where c_res, c_spl and bias may be missing and are then 0, 1 and 0. Of each of `model.layers` the
grid is `np.asarray(layer.grid.item)`, the others are `np.asarray(layer.c_basis[...])` and so on.
"""

from collections.abc import Mapping

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import BASE_NAMES
from kan_ref.io import states
from kan_ref.network import Network

# short name -> name in the state
_EFFICIENT_KAN = {
    "knots": "layers.{}.grid",
    "coef": "layers.{}.spline_weight",
    "w_base": "layers.{}.base_weight",
    "w_spline": "layers.{}.spline_scaler",
}
_JAXKAN = {
    "knots": "layers.{}.grid",
    "coef": "layers.{}.c_basis",
    "w_base": "layers.{}.c_res",
    "w_spline": "layers.{}.c_spl",
    "bias": "layers.{}.bias",
}


def from_efficient_kan(state: object, *, base: str = "silu") -> Network:
    """Return the network of an efficient-kan model's `state_dict()`.

    Parameters
    ----------
    state : mapping of str to array_like
        Named as in the module's table; CPU tensors are arrays, too.
    base : str
        Their `base_activation`: "silu", "identity" or "zero".

    Returns
    -------
    network : Network
        All edges are active; all numbers are equal bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> again = kr.from_efficient_kan(kr.to_efficient_kan(net))
    >>> bool((again.theta == net.theta).all())
    True
    """
    return _network(state, "efficient-kan", _EFFICIENT_KAN, base)


def to_efficient_kan(network: Network) -> states.State:
    """Return a network as the state of an efficient-kan model.

    Parameters
    ----------
    network : Network
        Without symbolic edges; one base for all layers.

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; masked edges have base_weight and spline_scaler 0. It
        fits `KAN([...], grid_size=G, spline_order=k, base_activation=...)` in float64:
        `model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})`.

    Examples
    --------
    See `from_efficient_kan`.
    """
    for number, (_, constants) in enumerate(states.export_layers(network, "efficient-kan")):
        for j in np.flatnonzero(constants):
            where = f"the constant at output {j} of layer {number} of network"
            checks.fail(where, constants[j], "must be 0 in efficient-kan")
    return _state(network, "efficient-kan", _EFFICIENT_KAN)


def from_jaxkan(state: object, *, base: str = "silu") -> Network:
    """Return the network of the arrays of a jaxKAN model with layers "base" or "spline".

    Parameters
    ----------
    state : mapping of str to array_like
        Named as in the module's table. Layers "base" need `c_res`, `c_spl` or `bias`, since edges
        alone do not say how many outputs there are.
    base : str
        Their `residual`: "silu", "identity" or "zero".

    Returns
    -------
    network : Network
        Computes the same outputs to rounding: a bias becomes part of one edge, exact where its
        input lies on its grid. If all biases are 0, all numbers are equal bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> state = kr.to_jaxkan(net)
    >>> state["layers.0.bias"] += 0.5
    >>> x = np.array([[0.5, -0.25]])
    >>> (kr.from_jaxkan(state)(x) - net(x)).round(12)
    array([[0.5]])
    """
    return _network(state, "jaxKAN", _JAXKAN, base)


def to_jaxkan(network: Network, *, layer_type: str = "base") -> states.State:
    """Return a network as the arrays of a jaxKAN model.

    Parameters
    ----------
    network : Network
        Without symbolic edges other than constants; one base for all layers.
    layer_type : str
        "base", with a knot vector for every edge, or "spline".

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; constants are in `bias`, masked edges have c_res and
        c_spl 0. They fit `KAN([...], layer_type=..., required_parameters={"k": k, "G": G})`: set
        them by `layer.c_basis.set_value(...)` and so on, the grid by `layer.grid.item = ...`.

    Examples
    --------
    See `from_jaxkan`.
    """
    checks.choice("layer_type", layer_type, ("base", "spline"))
    return _state(network, "jaxKAN", _JAXKAN, by_edge=layer_type == "base")


def _network(state: object, kind: str, names: Mapping[str, str], base: str) -> Network:
    """Return the network of a state by (I5) or (I6)."""
    checks.choice("base", base, BASE_NAMES)
    layers, constants = [], []
    for part in states.split_state(state, kind, names):
        if np.ndim(part.entries["coef"]) == 2:
            knots, coef = _split_edges(part)
        else:
            knots = part.read("knots", ("n_in", "n_knots"))
            coef = part.read("coef", ("n_out", len(knots), "n_basis"))
        w_base = part.read("w_base", coef.shape[:2], 0.0 if names is _JAXKAN else None)
        arrays = {"w_base": w_base, "w_spline": part.read("w_spline", coef.shape[:2], 1.0)}
        layers.append(part.layer(knots=knots, coef=coef, base=base, **arrays))
        constants.append(part.read("bias", coef.shape[:1], 0.0))
    return states.join_layers(layers, constants)


def _split_edges(part: states.LayerState) -> tuple[FloatArray, FloatArray]:
    """Return knots (n_in, n_knots) and coef (n_out, n_in, n_basis) of a layer "base" of jaxKAN."""
    knots = part.read("knots", ("n_edges", "n_knots"))
    coef = part.read("coef", (len(knots), "n_basis"))
    sized = [part.entries[name] for name in ("w_base", "w_spline", "bias") if name in part.entries]
    n_out = len(sized[0]) if sized else 0
    if n_out == 0 or len(knots) % n_out:
        raise ValueError(
            f"state has {len(knots)} edges in layer {part.number}, of an unknown number of outputs:"
            f" give {part.names['bias']!r}"
        )
    by_output = knots.reshape(n_out, -1, knots.shape[1])
    if (by_output != by_output[0]).any():
        raise ValueError(f"state has knots in layer {part.number} that differ between outputs")
    return by_output[0], coef.reshape(*by_output.shape[:2], -1)


def _state(
    network: object, kind: str, names: Mapping[str, str], *, by_edge: bool = False
) -> states.State:
    """Return the state of a network, with the knots of every edge or of every input."""
    state: states.State = {}
    for number, (layer, constants) in enumerate(states.export_layers(network, kind)):
        arrays = {
            "knots": np.tile(layer.knots, (layer.n_out, 1)) if by_edge else layer.knots,
            "coef": layer.coef.reshape(-1, layer.n_basis) if by_edge else layer.coef,
            "w_base": layer.w_base * layer.mask,
            "w_spline": layer.w_spline * layer.mask,
            "bias": constants,
        }
        state |= states.named_arrays(names, number, arrays)
    return state
