"""States of other libraries: names and shapes checked, layers built, biases folded.

A state maps names such as "layers.0.grid" to arrays. It does not contain the degree, but the shapes
do: G intervals with k outer knots on both sides have G + 2 k + 1 knots and G + k B-splines, so that

    (I1)  k = n_knots - n_basis - 1,   G = n_basis - k

A node of such a library may output s y + t where ours outputs y. The scale s goes into the weights
of all edges that enter the node. The shift t goes into one edge, because the B-splines sum to 1 on
[a, b] (`constant_folding`):

    (I2)  w_base' = s w_base,   w_spline' = s w_spline,   c' = s c,   d' = s d,     y' + t = s y + t

This is exact to rounding wherever the input of that one edge lies on its grid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY
from kan_ref.network import Layer, Network, check_network, fold_constants

State = dict[str, FloatArray]


@dataclass(frozen=True, eq=False)
class LayerState:
    """The entries of one layer of a state.

    `names`: short name -> name in the state; `entries`: short name -> array_like.
    """

    number: int
    names: Mapping[str, str]
    entries: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an entry that the state has."""
        return checks.rectangular(f"state[{self.names[name]!r}]", self.entries[name]).shape

    def read(
        self, name: str, shape: Sequence[int | str], default: float | None = None
    ) -> FloatArray:
        """Return an entry as a checked float64 array; if it is missing, an array of `default`.

        Arrays of other frameworks are read by their `detach` and `cpu` and by NumPy's protocol.
        """
        if name not in self.entries and default is not None:
            return np.full(tuple(int(n) for n in shape), default)
        value = self.entries[name]
        for step in ("detach", "cpu"):
            if callable(getattr(value, step, None)):
                value = getattr(value, step)()
        return checks.array(f"state[{self.names[name]!r}]", value, shape)

    def layer(self, **parts: Any) -> Layer:
        """Return the layer with these arrays; its degree follows from their shapes, (I1).

        Errors name the layer of the state.
        """
        n_knots, n_basis = parts["knots"].shape[1], parts["coef"].shape[2]
        degree = n_knots - n_basis - 1
        if degree < 0 or n_basis - degree < 1:
            raise ValueError(
                f"state has {n_basis} B-splines on {n_knots} knots in layer {self.number}, "
                "but degree k on G intervals needs G + k of them on G + 2 k + 1 knots"
            )
        try:
            return Layer(degree=degree, **parts)
        except (ValueError, TypeError) as error:
            raise ValueError(f"state, layer {self.number}: {error}") from error


def split_state(
    state: object, kind: str, names: Mapping[str, str], optional: Sequence[str] = ()
) -> list[LayerState]:
    """Split a state into its layers.

    Parameters
    ----------
    state : mapping of str to array_like
    kind : str
        The library of the state, for error messages.
    names : mapping
        Short name -> name in the state, with "{}" for the number of the layer. The names of "grid"
        determine how many layers there are.
    optional : sequence of str
        Short names that may be missing, or None.

    Returns
    -------
    layers : list of LayerState

    Raises
    ------
    ValueError, TypeError
        "state lacks 'act_fun.1.coef', which a state of pykan with 2 layers has"; a name that a
        state of this library does not have; something else than a mapping
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"state is a {type(state).__name__}, but must be a mapping of names such as "
            f"{names['grid'].format(0)!r} to arrays"
        )
    n_layers = 0
    while names["grid"].format(n_layers) in state:
        n_layers += 1
    if n_layers == 0:
        raise ValueError(
            f"state lacks {names['grid'].format(0)!r}, with which a state of {kind} begins"
        )
    owner = f"a state of {kind} with {n_layers} layers"
    numbered = [
        {name: form.format(number) for name, form in names.items()} for number in range(n_layers)
    ]
    known = {key for layer in numbered for key in layer.values()}
    strange = [key for key in state if key not in known]
    if strange:
        raise ValueError(f"state has {checks.shown(strange[0])}, which has no place in {owner}")
    layers = []
    for number, keys in enumerate(numbered):
        entries = {name: state[key] for name, key in keys.items() if state.get(key) is not None}
        for name, key in keys.items():
            if name not in entries and name not in optional:
                raise ValueError(f"state lacks {key!r}, which {owner} has")
        layers.append(LayerState(number, keys, entries))
    return layers


def scaled(layer: Layer, scale: FloatArray) -> Layer:
    """Return the layer with its outputs multiplied by `scale` (n_out,), (I2)."""
    if (scale == 1.0).all():
        return layer
    affine = layer.affine.copy()
    for edge in layer.symbolic:
        affine[edge.row, 2:] *= scale[edge.output]
    # [eq:scaled-nodes]
    return replace(
        layer,
        w_base=layer.w_base * scale[:, None],
        w_spline=layer.w_spline * scale[:, None],
        affine=affine,
    )
    # [/eq:scaled-nodes]


def join_layers(
    layers: Sequence[Layer],
    constants: Sequence[FloatArray] | None = None,
    x: object | None = None,
) -> Network:
    """Return the network of the layers, with constants added to their outputs.

    Parameters
    ----------
    layers : sequence of Layer
    constants : sequence of (n_out,), one for each layer, optional
    x : (batch, n_in), optional
        Samples at which the network must be exact; without it, all points on the grids.

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError, TypeError
        "state has 4 outputs in layer 0, but 3 inputs in layer 1"; wrong samples
    """
    for number, (before, after) in enumerate(pairwise(layers)):
        if before.n_out != after.n_in:
            raise ValueError(
                f"state has {before.n_out} outputs in layer {number}, "
                f"but {after.n_in} inputs in layer {number + 1}"
            )
    if constants is None:
        return Network(tuple(layers))
    flow = None
    if x is not None:
        flow = checks.array("x", x, ("batch", layers[0].n_in))
        if len(flow) == 0:
            raise ValueError(f"x has shape {flow.shape}, but needs at least one sample")
    done: list[Layer] = []
    for layer, constant in zip(layers, constants, strict=True):
        at = layer.breakpoints[:, [0, -1]].T if flow is None else flow
        done.append(fold_constants(layer, at, constant))
        if flow is not None:
            flow = Network((done[-1],))(flow)
    return Network(tuple(done))


def export_layers(network: object, kind: str) -> list[tuple[Layer, FloatArray]]:
    """Split a network into layers without symbolic edges, and the constants (n_out,) of each.

    Symbolic edges with the function "0" are the constants. w_base is 0 where the base is "zero".

    Parameters
    ----------
    network : Network
    kind : str
        The library, for error messages.

    Returns
    -------
    layers : list of (Layer, (n_out,))

    Raises
    ------
    ValueError, TypeError
        "network has the symbolic function 'sin' on the edge from input 0 to output 0 of layer 1,
        which a state of pykan cannot express: ..."; base functions that differ from layer to layer
    """
    checked = check_network("network", network)
    bases = sorted({layer.base for layer in checked.layers} - {"zero"})
    if len(bases) > 1:
        raise ValueError(
            f"network has the base functions {' and '.join(map(repr, bases))}, "
            f"but {kind} has one for all layers"
        )
    found = []
    for number, layer in enumerate(checked.layers):
        constants = np.zeros(layer.n_out)
        for edge in layer.symbolic:
            if edge.function != LIBRARY["0"]:
                raise ValueError(
                    f"network has the symbolic function {edge.name!r} on the edge from input "
                    f"{edge.input} to output {edge.output} of layer {number}, which a state of "
                    f"{kind} cannot express: unfix_symbolic makes it the nearest spline on the "
                    "grid of its input. To keep the function, call extend_grid(network, "
                    "n_intervals=60) before it, and update_grid(network, x) where "
                    "coverage(network, x) shows samples outside the grids; distance(old, new, x) "
                    "measures the change"
                )
            constants[edge.output] += layer.affine[edge.row, 3]
        w_base = layer.w_base * (layer.base != "zero")
        splines = replace(layer, w_base=w_base, symbolic=(), affine=np.empty((0, 4)))
        found.append((splines, constants))
    return found


def named_arrays(names: Mapping[str, str], number: int, arrays: Mapping[str, FloatArray]) -> State:
    """Return copies of a layer's arrays, by their names in the state."""
    return {names[name].format(number): array.copy() for name, array in arrays.items()}
