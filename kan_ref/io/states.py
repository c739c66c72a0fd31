"""States of other libraries, layer by layer: their names taken apart, their shapes checked, their biases folded.

A state is a mapping of names to arrays, "layers.0.grid" and the like. The degree stands in no state; shapes tell it: a grid of G intervals,
continued by k knots on both sides, has G + 2 k + 1 knots and G + k B-splines, hence

    (U1)  k = n_knots - n_basis - 1,   G = n_basis - k

A node there may be s y + t where it is y here. With s in the weights of every edge that enters it, t goes into one edge, since the
B-splines sum to 1 on [a, b] (`constant_folding`):

    (U2)  w_base' = s w_base,   w_spline' = s w_spline,   c' = s c,   d' = s d,     y' + t = s y + t

exact to rounding wherever the input of that one edge lies on its grid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from reprlib import repr as short
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.network import Layer, Network, check_network, fold_constants

State = dict[str, FloatArray]


def split_state(
    state: object, kind: str, names: Mapping[str, str], optional: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The entries of each layer by our short names.

    Parameters
    ----------
    state : mapping of str to array_like
    kind : str
        Whose state it is, for the sentences.
    names : mapping
        Short name -> name in a state, "{}" where the number of the layer stands; "grid" tells how many layers there are.
    optional : sequence of str
        Short names that may be missing, or None.

    Raises
    ------
    ValueError, TypeError
        "state lacks 'act_fun.1.coef', which a state of pykan with 2 layers has"
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"state is a {type(state).__name__}, but must be a mapping of names such as {names['grid'].format(0)!r} to arrays"
        )
    n_layers = 0
    while names["grid"].format(n_layers) in state:
        n_layers += 1
    if n_layers == 0:
        raise ValueError(
            f"state lacks {names['grid'].format(0)!r}, with which a state of {kind} begins"
        )
    owner = f"a state of {kind} with {n_layers} layers"
    places: dict[str, tuple[int, str]] = {}
    for number in range(n_layers):
        places |= {name.format(number): (number, own) for own, name in names.items()}
    strange = [key for key in state if key not in places]
    if strange:
        raise ValueError(f"state has {short(strange[0])}, which has no place in {owner}")
    layers: list[dict[str, Any]] = [{} for _ in range(n_layers)]
    for key, (number, own) in places.items():
        if state.get(key) is not None:
            layers[number][own] = state[key]
        elif own not in optional:
            raise ValueError(f"state lacks {key!r}, which {owner} has")
    return layers


def read_array(key: str, value: object, shape: Sequence[int | str]) -> FloatArray:
    """An entry of a state as float64; arrays of other frameworks by NumPy's protocol, after their `detach` and `cpu`."""
    for step in ("detach", "cpu"):
        if callable(getattr(value, step, None)):
            value = getattr(value, step)()
    return check_float_array(f"state[{key!r}]", value, shape, flags=True)


def check_sizes(number: int, n_knots: int, n_basis: int) -> int:
    """The degree by (U1); ValueError where there is none."""
    degree = n_knots - n_basis - 1
    if degree < 0 or n_basis - degree < 1:
        raise ValueError(
            f"state has {n_basis} B-splines on {n_knots} knots in layer {number}, but degree k on G intervals "
            "needs G + k of them on G + 2 k + 1 knots"
        )
    return degree


def check_chain(shapes: Sequence[tuple[int, int]]) -> None:
    """That every layer (n_out, n_in) has as many inputs as the layer before has outputs."""
    for number in range(1, len(shapes)):
        n_out, n_in = shapes[number - 1][0], shapes[number][1]
        if n_out != n_in:
            raise ValueError(
                f"state has {n_out} outputs in layer {number - 1}, but {n_in} inputs in layer {number}"
            )


def make_layer(number: int, **parts: Any) -> Layer:
    """A layer of a state's arrays, whose refusals say where it comes from."""
    try:
        return Layer(**parts)
    except (ValueError, TypeError) as error:
        raise ValueError(f"state, layer {number}: {error}") from error


def scaled(layer: Layer, scale: FloatArray) -> Layer:
    """The layer whose outputs are multiplied by `scale` (n_out,): (U2)."""
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


def with_constants(
    layers: Sequence[Layer], constants: Sequence[FloatArray], x: object | None = None
) -> Network:
    """The network of layers whose outputs have constants (n_out,) added.

    Parameters
    ----------
    layers, constants : sequences of equal length
    x : (batch, n_in), optional
        Samples at which it must be exact; None stands for all points on the grids.
    """
    flow = None
    if x is not None:
        flow = check_float_array("x", x, ("batch", layers[0].n_in))
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
    """Each layer as splines alone, w_base 0 where there is no base, and the constants (n_out,) of its formulas "0".

    Raises
    ------
    ValueError, TypeError
        "network has the formula 'sin' on the edge from input 0 to output 0 of layer 1, which a state of pykan cannot say; ..."; bases that
        differ from layer to layer.
    """
    checked = check_network("network", network)
    bases = sorted({layer.base for layer in checked.layers} - {"zero"})
    if len(bases) > 1:
        raise ValueError(
            f"network has the bases {' and '.join(map(repr, bases))}, but {kind} has one for all layers"
        )
    found = []
    for number, layer in enumerate(checked.layers):
        constants = np.zeros(layer.n_out)
        for edge in layer.symbolic:
            if edge.name != "0":
                raise ValueError(
                    f"network has the formula {edge.name!r} on the edge from input {edge.input} to output {edge.output} of layer {number}, "
                    f"which a state of {kind} cannot say; unfix_symbolic makes it a spline"
                )
            constants[edge.output] += layer.affine[edge.row, 3]
        w_base = layer.w_base * (layer.base != "zero")
        found.append(
            (replace(layer, w_base=w_base, symbolic=(), affine=np.empty((0, 4))), constants)
        )
    return found
