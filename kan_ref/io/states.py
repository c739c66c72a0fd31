"""States of other libraries: a table of names, one reader, one writer.

A state maps names such as "layers.0.grid" to arrays, whose shapes tell the degree:

    (I1)  k = n_knots - n_basis - 1,   G = n_basis - k

A constant at a node goes into one edge, because the B-splines sum to 1 on the grid.
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
    """One layer of a state: its entries and their names there, both by short name."""

    number: int
    names: Mapping[str, str]
    entries: Mapping[str, Any]

    def read(
        self, name: str, shape: Sequence[int | str], default: float | None = None
    ) -> FloatArray:
        """Return an entry as a checked float64 array; if it is missing, an array of `default`."""
        if name not in self.entries:
            if default is None:
                raise ValueError(f"state lacks {self.names[name]!r}")
            return np.full(tuple(int(n) for n in shape), default)
        return checks.array(f"state[{self.names[name]!r}]", self.entries[name], shape)

    def layer(self, **parts: Any) -> Layer:
        """Return the layer with these arrays; its degree follows from their shapes, (I1)."""
        n_knots, n_basis = parts["knots"].shape[1], parts["coef"].shape[2]
        degree = n_knots - n_basis - 1
        if not 0 <= degree < n_basis:
            where = f"{n_knots} knots in layer {self.number}"
            raise ValueError(f"state has {n_basis} B-splines on {where}, which fit no degree")
        parts.setdefault("mask", np.ones(parts["w_base"].shape))
        try:
            return Layer(degree=degree, **parts)
        except (ValueError, TypeError) as error:
            raise ValueError(f"state, layer {self.number}: {error}") from error


def split_state(state: object, kind: str, names: Mapping[str, str]) -> list[LayerState]:
    """Return the layers of a state of the library `kind`.

    `names` maps short names to those of the state, with "{}" for the layer. None counts as missing.
    """
    if not isinstance(state, Mapping):
        checks.fail("state", type(state), "must be a mapping of names to arrays", TypeError)
    n_layers = 0
    while names["knots"].format(n_layers) in state:
        n_layers += 1
    if n_layers == 0:
        raise ValueError(f"state lacks {names['knots'].format(0)!r}, but must be one of {kind}")
    layers = []
    for number in range(n_layers):
        full = {name: form.format(number) for name, form in names.items()}
        entries = {name: state[key] for name, key in full.items() if state.get(key) is not None}
        layers.append(LayerState(number, full, entries))
    strange = set(state).difference(*(layer.names.values() for layer in layers))
    if strange:
        name = min(map(str, strange))
        raise ValueError(f"state has {name!r}, but {n_layers} layers of {kind} have no such entry")
    return layers


def join_layers(layers: Sequence[Layer], constants: Sequence[FloatArray]) -> Network:
    """Return the network of the layers, with constants (n_out,) added to the outputs of each."""
    for number, (before, after) in enumerate(pairwise(layers)):
        if before.n_out != after.n_in:
            outputs = f"{before.n_out} outputs in layer {number}"
            raise ValueError(f"state has {outputs}, but {after.n_in} inputs in the next one")
    folded = []
    for layer, constant in zip(layers, constants, strict=True):
        ends = layer.breakpoints[:, [0, -1]].T
        folded.append(fold_constants(layer, ends, constant))
    return Network(tuple(folded))


def export_layers(network: object, kind: str) -> list[tuple[Layer, FloatArray]]:
    """Return layers without symbolic edges, and the constants (n_out,) of each, its edges "0"."""
    checked = check_network("network", network)
    bases = sorted({layer.base for layer in checked.layers} - {"zero"})
    if len(bases) > 1:
        checks.fail("the base of network", bases, f"must be one for all layers of {kind}")
    found = []
    for number, layer in enumerate(checked.layers):
        constants = np.zeros(layer.n_out)
        for edge in layer.symbolic:
            if edge.function != LIBRARY["0"]:
                where = f"from input {edge.input} to output {edge.output} of layer {number}"
                raise ValueError(
                    f"network has {edge.name!r} {where}, but {kind} needs splines: unfix_symbolic"
                )
            constants[edge.output] += layer.affine[edge.row, 3]
        w_base = layer.w_base * (layer.base != "zero")
        splines = replace(layer, w_base=w_base, symbolic=(), affine=np.empty((0, 4)))
        found.append((splines, constants))
    return found


def named_arrays(names: Mapping[str, str], number: int, arrays: Mapping[str, FloatArray]) -> State:
    """Return copies of a layer's arrays in C order, by their names in the state."""
    return {form.format(number): arrays[name].copy() for name, form in names.items()}
