"""A network of efficient-kan, by the arrays of its state dict, and back.

Their layer l has B-splines on the extended knot row as ours, in our order of axes, no mask and no names:

    (U5)  phi_ji(x) = base_weight_ji b(x) + spline_scaler_ji sum_m spline_weight_jim B_m(x)

    layers.l.grid (n_in, n_knots)   layers.l.spline_weight (n_out, n_in, n_basis)
    layers.l.base_weight, layers.l.spline_scaler (n_out, n_in)

Without standalone scales there is no spline_scaler: it is 1. Libraries that took the layer over have the same state.
"""

import numpy as np

from kan_ref.checks import check_choice
from kan_ref.functions import BASE_NAMES
from kan_ref.io.states import (
    State,
    check_chain,
    check_sizes,
    export_layers,
    make_layer,
    read_array,
    split_state,
)
from kan_ref.network import Network

_NAMES = {
    name: f"layers.{{}}.{name}"
    for name in ("grid", "spline_weight", "base_weight", "spline_scaler")
}


def from_efficient_kan(state: object, *, base: str = "silu") -> Network:
    """The network of an efficient-kan model's `state_dict()`.

    Parameters
    ----------
    state : mapping of str to array_like
        Arrays or CPU tensors, as in the module's table. `spline_scaler` may be missing.
    base : str
        Their `base_activation`, which no state holds: "silu", "identity" or "zero".

    Returns
    -------
    network : Network
        Every edge lives; all numbers are theirs, bit for bit.

    Raises
    ------
    ValueError, TypeError
        "state lacks 'layers.0.grid', with which a state of efficient-kan begins", and the like for every other fault.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    >>> again = kr.from_efficient_kan(kr.to_efficient_kan(net))
    >>> bool((again.theta == net.theta).all())
    True
    """
    check_choice("base", base, BASE_NAMES)
    layers = []
    for number, entry in enumerate(split_state(state, "efficient-kan", _NAMES, ("spline_scaler",))):
        key = {name: form.format(number) for name, form in _NAMES.items()}
        knots = read_array(key["grid"], entry["grid"], ("n_in", "n_knots"))
        coef = read_array(
            key["spline_weight"], entry["spline_weight"], ("n_out", len(knots), "n_basis")
        )
        n_out, n_in, n_basis = coef.shape
        scaler = entry.get("spline_scaler", np.ones((n_out, n_in)))
        layers.append(
            make_layer(
                number,
                knots=knots,
                coef=coef,
                w_base=read_array(key["base_weight"], entry["base_weight"], (n_out, n_in)),
                w_spline=read_array(key["spline_scaler"], scaler, (n_out, n_in)),
                mask=np.ones((n_out, n_in)),
                degree=check_sizes(number, knots.shape[1], n_basis),
                base=base,
            )
        )
    check_chain([(layer.n_out, layer.n_in) for layer in layers])
    return Network(tuple(layers))


def to_efficient_kan(network: Network) -> State:
    """A network as the state of an efficient-kan model.

    Parameters
    ----------
    network : Network
        Without formulas; one base for all layers.

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; dead edges have base_weight and spline_scaler 0. For
        `KAN([...], grid_size=G, spline_order=k, base_activation=...)` of the same widths, intervals and degree, in float64:
        `model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})`.

    Raises
    ------
    ValueError, TypeError
        "network has the constant 0.5 at output 0 of layer 1, but a state of efficient-kan has no place for it"
    """
    state: State = {}
    for number, (layer, constants) in enumerate(export_layers(network, "efficient-kan")):
        if constants.any():
            j = int(np.flatnonzero(constants)[0])
            where = f"at output {j} of layer {number}"
            raise ValueError(
                f"network has the constant {constants[j]:g} {where}, for which a state of efficient-kan has no place"
            )
        arrays = {
            "grid": layer.knots,
            "spline_weight": layer.coef,
            "base_weight": layer.w_base * layer.mask,
            "spline_scaler": layer.w_spline * layer.mask,
        }
        state |= {_NAMES[name].format(number): array.copy() for name, array in arrays.items()}
    return state
