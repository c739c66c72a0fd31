"""A Kolmogorov-Arnold network: layers one after another, one flat vector of parameters, forward and backward.

Theorem (Liu et al. 2024, eq. 2.7, and the chain rule). With layers Phi_0, ..., Phi_{L-1},

    (N1)  y    = (Phi_{L-1} o ... o Phi_0)(x),           x_{l+1} = Phi_l(x_l),  x_0 = x
    (N2)  dx_l = Phi_l's (L6) at dx_{l+1},               dx_L = dy
    (N3)  d_theta = the layers' (L3)-(L5) and (L8), each at its own dx_{l+1}, in the order of theta

theta runs layer by layer; in each layer coef, w_base, w_spline, and its formulas' a, b, c, d, in C order. The layers' arrays are
views of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.network import layer_passes
from kan_ref.network.layer import Layer, parameter_arrays, parameter_vector, with_parameters
from kan_ref.network.layer_passes import Cache
from kan_ref.network.symbolic_edges import find_undefined


@dataclass(frozen=True, eq=False)
class Network:
    """Layers that fit together, and their parameters as one read-only vector `theta` (n_params,).

    Parameters
    ----------
    layers : sequence of Layer
        At least one; each takes as many inputs as the one before has outputs.

    Raises
    ------
    ValueError, TypeError
        "layer 1 takes 3 inputs, but layer 0 has 5 outputs"
    """

    layers: tuple[Layer, ...]
    theta: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.layers, Sequence):
            raise TypeError(f"layers is {self.layers!r}, but must be a sequence of Layer")
        layers = tuple(self.layers)
        if not layers:
            raise ValueError("layers is empty, but a network needs at least one layer")
        for number, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layers[{number}] is {layer!r}, but must be a Layer")
            if number and layer.n_in != layers[number - 1].n_out:
                before = layers[number - 1].n_out
                raise ValueError(
                    f"layer {number} takes {layer.n_in} inputs, but layer {number - 1} has {before} outputs"
                )
        _fill(self, layers, np.concatenate([parameter_vector(layer) for layer in layers]))

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of nodes (n_0, ..., n_L)."""
        return (self.layers[0].n_in, *(layer.n_out for layer in self.layers))

    @property
    def n_params(self) -> int:
        """Length of theta.

        See tutorials/04_a_network.md, "the number of parameters", and tutorials/09_scaling_laws.md, "what is counted as a parameter".
        """
        return len(self.theta)

    @property
    def n_active_params(self) -> int:
        """Number of parameters on living edges."""
        return sum(
            int(layer.mask.sum()) * (layer.n_basis + 2) + layer.affine.size for layer in self.layers
        )

    def with_theta(self, theta: object) -> "Network":
        """The same network with other parameters (n_params,), copied once; the layers become views of the copy.

        Raises
        ------
        ValueError
            "theta has 149 numbers, but this network has 150"
        """
        own = check_float_array("theta", theta, ("n_params",))
        if len(own) != self.n_params:
            raise ValueError(f"theta has {len(own)} numbers, but this network has {self.n_params}")
        return replace_theta(self, own.copy())

    def __call__(self, x: object) -> FloatArray:
        """Outputs (batch, n_out) at x (batch, n_in); ValueError where a formula is not defined."""
        points = check_inputs(self, x)
        return refuse_undefined(
            self, points, predict(self, evaluate_inputs(self, points, slopes=False))
        )

    def __reduce__(self) -> tuple[type["Network"], tuple[object, ...]]:
        """Copies and pickles are built anew: read-only, with layers that are views of theta, like the original."""
        return Network, (self.layers,)

    def __repr__(self) -> str:
        intervals = ", ".join(str(layer.n_intervals) for layer in self.layers)
        degrees = sorted({layer.degree for layer in self.layers})
        degree = (
            str(degrees[0]) if len(degrees) == 1 else str([layer.degree for layer in self.layers])
        )
        formulas = sum(len(layer.symbolic) for layer in self.layers)
        dead = sum(layer.mask.size - layer.n_live for layer in self.layers)
        note = f", {formulas} symbolic edges" if formulas else ""
        note += f", {dead} dead edges" if dead else ""
        return f"Network({list(self.widths)}, n_intervals [{intervals}], degree {degree}, {self.n_params} parameters{note})"


def replace_theta(network: Network, theta: FloatArray) -> Network:
    """`network` with the parameters `theta`, taken as they are: no copy, no check; `theta` becomes read-only."""
    new = object.__new__(Network)
    _fill(new, network.layers, theta)
    return new


def _fill(network: Network, layers: Sequence[Layer], theta: FloatArray) -> None:
    theta.flags.writeable = False
    theta = (
        theta.view()
    )  # of an array that nobody holds: a view of read-only memory stays read-only
    views, start = [], 0
    for layer in layers:
        parts = []
        for array in parameter_arrays(layer):
            parts.append(theta[start : start + array.size].reshape(array.shape))
            start += array.size
        views.append(with_parameters(layer, parts))
    network.__dict__.update(layers=tuple(views), theta=theta)


def check_network(name: str, value: object) -> Network:
    """The door for networks: TypeError if `value` is none."""
    if not isinstance(value, Network):
        raise TypeError(f"{name} is {value!r}, but must be a Network")
    return value


def check_inputs(network: Network, x: object, name: str = "x") -> FloatArray:
    """The door for batches: x as float64 (batch, n_in), finite; and for the network they go through."""
    check_network("network", network)
    return check_float_array(name, x, ("batch", network.layers[0].n_in))


def refuse_undefined(network: Network, x: FloatArray, y: FloatArray) -> FloatArray:
    """The outputs y at x as they are, if no formula on the way lacks a value; else ValueError that names layer, edge and sample."""
    if not any(layer.symbolic for layer in network.layers) or np.isfinite(y).all():
        return y
    for number, layer in enumerate(network.layers):
        found = find_undefined(layer.symbolic, layer.affine, x)
        if found is not None:
            edge = found.edge
            raise ValueError(
                f"x[{found.sample}] gives {edge.name} on the edge from input {edge.input} to output {edge.output} of layer {number} "
                f"the argument {found.u:.6g}, where it has no finite value"
            )
        x = layer_passes.outputs(layer, layer_passes.evaluate(layer, x, slopes=False))
    return y


def evaluate_inputs(network: Network, x: FloatArray, *, slopes: bool) -> Cache:
    """What the first layer needs of x. As long as x and the first knots stay, it serves every theta."""
    return layer_passes.evaluate(network.layers[0], x, slopes=slopes)


def predict(network: Network, inputs: Cache) -> FloatArray:
    """(N1) without anything kept for a way back; `inputs` from `evaluate_inputs`."""
    y = layer_passes.outputs(network.layers[0], inputs)
    for layer in network.layers[1:]:
        y = layer_passes.outputs(layer, layer_passes.evaluate(layer, y, slopes=False))
    return y


def activations(network: Network, inputs: Cache) -> list[FloatArray]:
    """Inputs of every layer but the first, and the outputs of the last: [(batch, n_1), ..., (batch, n_L)]."""
    values = [layer_passes.outputs(network.layers[0], inputs)]
    for layer in network.layers[1:]:
        values.append(
            layer_passes.outputs(layer, layer_passes.evaluate(layer, values[-1], slopes=False))
        )
    return values


# --- forward


def run_flow(network: Network, inputs: Cache) -> tuple[list[FloatArray], tuple[Cache, ...]]:
    """(N1) from the evaluated inputs: every layer's outputs, [(batch, n_1), ..., (batch, n_L)], and what backward needs."""
    # [eq:network-forward]
    caches = [inputs]
    flow = [layer_passes.outputs(network.layers[0], inputs)]
    for layer in network.layers[1:]:
        y, cache = layer_passes.forward(layer, flow[-1])
        flow.append(y)
        caches.append(cache)
    # [/eq:network-forward]
    return flow, tuple(caches)


def run_forward(network: Network, inputs: Cache) -> tuple[FloatArray, tuple[Cache, ...]]:
    """(N1) from the evaluated inputs; what `forward` does after its door."""
    flow, caches = run_flow(network, inputs)
    return flow[-1], caches


def forward(network: Network, x: object) -> tuple[FloatArray, tuple[Cache, ...]]:
    """Outputs of the network and what backward needs.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Finite; inside or outside the grids.

    Returns
    -------
    y : (batch, n_out)
    caches : tuple of Cache
        One a layer.

    Raises
    ------
    ValueError, TypeError
        For a wrong shape, or numbers that are not finite; where a formula is not defined.

    Notes
    -----
    Implements :eq:`network-forward`, Liu et al. 2024, eq. 2.7.
    """
    points = check_inputs(network, x)
    y, caches = run_forward(network, evaluate_inputs(network, points, slopes=True))
    return refuse_undefined(network, points, y), caches


# --- backward


def run_backward(network: Network, caches: Sequence[Cache], dy: FloatArray) -> FloatArray:
    """(N3) alone, as a flat vector in the order of theta; the first layer's inputs get no gradient."""
    # [eq:network-backward]
    pieces: list[FloatArray] = []
    for number in range(len(network.layers) - 1, -1, -1):
        layer, cache = network.layers[number], caches[number]
        grads = layer_passes.parameter_gradients(layer, cache, dy)
        pieces.insert(0, parameter_vector(grads))
        if number:
            dy = layer_passes.input_gradient(layer, cache, dy)
    # [/eq:network-backward]
    return np.concatenate(pieces)


def backward(network: Network, caches: Sequence[Cache], dy: object) -> tuple[FloatArray, Network]:
    """Gradients of a scalar R with respect to the inputs and all parameters.

    Parameters
    ----------
    network : Network
    caches : sequence of Cache
        From `forward` at the same x.
    dy : (batch, n_out)
        dR/dy.

    Returns
    -------
    dx : (batch, n_in)
    grads : Network
        The gradient lives in the space of its parameters: `grads.layers[l].coef` is d_coef of layer l, `grads.theta`
        is d_theta.

    Raises
    ------
    ValueError, TypeError
        For a wrong number of caches, a wrong shape of dy, or numbers that are not finite.

    Notes
    -----
    Implements :eq:`network-backward`. About two forward passes.
    """
    check_network("network", network)
    if not isinstance(caches, Sequence) or not all(isinstance(cache, Cache) for cache in caches):
        raise TypeError(f"caches is {caches!r}, but must be the caches that forward gave")
    if len(caches) != len(network.layers):
        raise ValueError(
            f"caches holds {len(caches)} records, but this network has {len(network.layers)} layers"
        )
    for number, (layer, cache) in enumerate(zip(network.layers, caches, strict=True)):
        if not cache.fits(layer, len(caches[0].base)):
            raise ValueError(f"caches[{number}] is {cache!r}, which does not belong to {layer!r}")
    upstream = check_float_array("dy", dy, (len(caches[0].base), network.widths[-1]))
    collected: list[FloatArray] = []
    for layer, cache in zip(reversed(network.layers), reversed(caches), strict=True):
        upstream, grads = layer_passes.backward(layer, cache, upstream)
        collected.insert(0, parameter_vector(grads))
    return upstream, replace_theta(network, np.concatenate(collected))
