"""Networks of efficient-kan, from the arrays of a state dict and back.

Its layer l has B-splines on the extended knot vector as ours, and the same order of axes:

    (I5)  phi_ji(x) = base_weight_ji b(x) + spline_scaler_ji sum_m spline_weight_jim B_m(x)

    layers.l.grid (n_in, n_knots)   layers.l.spline_weight (n_out, n_in, n_basis)
    layers.l.base_weight, layers.l.spline_scaler (n_out, n_in)

It has no mask and no symbolic edges. Without standalone scales there is no spline_scaler: it is 1.
Libraries that adopted the layer have the same state.
"""

import numpy as np

from kan_ref.checks import check_choice
from kan_ref.functions import BASE_NAMES
from kan_ref.io.states import State, export_layers, join_layers, named_arrays, split_state
from kan_ref.network import Network

_NAMES = {
    name: f"layers.{{}}.{name}"
    for name in ("grid", "spline_weight", "base_weight", "spline_scaler")
}


def from_efficient_kan(state: object, *, base: str = "silu") -> Network:
    """Return the network of an efficient-kan model's `state_dict()`.

    Parameters
    ----------
    state : mapping of str to array_like
        Arrays or CPU tensors, named as in the module's table. `spline_scaler` may be missing.
    base : str
        Their `base_activation`, which a state does not contain: "silu", "identity" or "zero".

    Returns
    -------
    network : Network
        All edges are active; all numbers are equal bit for bit.

    Raises
    ------
    ValueError, TypeError
        "state lacks 'layers.0.grid', with which a state of efficient-kan begins", and the like for
        every other fault.

    Notes
    -----
    Implements (I5).

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
    check_choice("base", base, BASE_NAMES)
    layers = []
    for part in split_state(state, "efficient-kan", _NAMES, ("spline_scaler",)):
        knots = part.read("grid", ("n_in", "n_knots"))
        coef = part.read("spline_weight", ("n_out", len(knots), "n_basis"))
        shape = coef.shape[:2]
        layers.append(
            part.layer(
                knots=knots,
                coef=coef,
                w_base=part.read("base_weight", shape),
                w_spline=part.read("spline_scaler", shape, 1.0),
                mask=np.ones(shape),
                base=base,
            )
        )
    return join_layers(layers)


def to_efficient_kan(network: Network) -> State:
    """Return a network as the state of an efficient-kan model.

    Parameters
    ----------
    network : Network
        Without symbolic edges; one base for all layers.

    Returns
    -------
    state : dict of str to ndarray
        All entries of the module's table; masked edges have base_weight and spline_scaler 0. It
        fits `KAN([...], grid_size=G, spline_order=k, base_activation=...)` of the same widths,
        intervals and degree, in float64; load it by
        `model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})`.

    Raises
    ------
    ValueError, TypeError
        "network has the constant 0.5 at output 0 of layer 1, for which a state of efficient-kan has
        no place"
    """
    state: State = {}
    for number, (layer, constants) in enumerate(export_layers(network, "efficient-kan")):
        if constants.any():
            j = int(np.flatnonzero(constants)[0])
            where = f"at output {j} of layer {number}"
            raise ValueError(
                f"network has the constant {constants[j]:g} {where}, "
                "for which a state of efficient-kan has no place"
            )
        arrays = {
            "grid": layer.knots,
            "spline_weight": layer.coef,
            "base_weight": layer.w_base * layer.mask,
            "spline_scaler": layer.w_spline * layer.mask,
        }
        state |= named_arrays(_NAMES, number, arrays)
    return state
