"""Give many edges their functions at once by a pattern.

A pattern of names, by layer, output and input, states what is known of a formula: which edges are
which functions, which are absent, and which are still to be learnt. Every curve is fitted to the
samples of the network as it was, so that the order of the edges does not matter.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import Function, lookup
from kan_ref.network import (
    Layer,
    Network,
    check_network,
    edge_samples,
    mask_edges,
    replace_layer,
    with_formula,
)
from kan_ref.symbolic.affine_fit import fit_samples, standardise

IDENTITY = (1.0, 0.0, 1.0, 0.0)
ABSENT = "0"


@np.errstate(all="ignore")
def fix_pattern(network: Network, pattern: object, x: object = None) -> Network:
    """Replace the edges of a network by the functions that a pattern names.

    Parameters
    ----------
    network : Network
    pattern : nested sequence of str and None
        `pattern[l][j][i]` is the name of the function on the edge of layer l from input i to
        output j, of a function in `LIBRARY`. None leaves the edge as it is, and "0" masks it. None
        in the place of a whole layer leaves all of it.
    x : (batch, n_in), optional
        Inputs of the network. a, b, c, d of every edge with a name in the pattern are fitted to its
        curve on these samples. Without x they are 1, 0, 1, 0, except that an edge that has the
        function already keeps its own.

    Returns
    -------
    fixed : Network
        Edges with a name in the pattern leave their groups of locked edges.

    Raises
    ------
    ValueError, TypeError
        "pattern has 1 layer, but the network has 2"; a layer of another shape; an unknown name,
        with its place; a masked edge that is named while x is given, since it has no curve to fit;
        x that is not a batch of inputs.

    Notes
    -----
    Takes a few milliseconds for each edge that is fitted. `fix_symbolic` does one edge.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> fixed = kr.fix_pattern(net, [[["sin", "x^2"]], [["exp"]]])
    >>> kr.formula(fixed, names=("x", "y"))
    exp(y**2 + sin(x))
    >>> kr.formula(kr.fix_pattern(fixed, [[[None, "0"]], None]), names=("x", "y"))
    exp(sin(x))
    """
    check_network("network", network)
    named = _checked_pattern(network, pattern)
    samples = None if x is None else edge_samples(network, x)
    fixed = network
    for number, functions in enumerate(named):
        layer = network.layers[number]
        new = layer
        for (j, i), function in functions.items():
            if function is None:
                continue
            if samples is None:
                affine: Sequence[float] = _present_affine(layer, j, i, function)
            else:
                _check_curve(layer, number, j, i)
                inputs, outputs = samples[number]
                affine = fit_samples(function, standardise(inputs[:, i], outputs[:, j, i])).affine
            new = with_formula(new, j, i, function, affine)
        fixed = replace_layer(fixed, number, new)
        absent = [place for place, function in functions.items() if function is None]
        if absent:
            mask = _active(new)
            mask[tuple(np.array(absent).T)] = 0.0
            fixed = mask_edges(fixed, number, mask)
    return fixed


def _checked_pattern(
    network: Network, pattern: object
) -> list[dict[tuple[int, int], Function | None]]:
    """Return the functions by (output, input) for each layer; None stands for an absent edge."""
    layers = _checked_sequence("pattern", pattern, len(network.layers), "the network", "layer")
    found = []
    for number, (rows, layer) in enumerate(zip(layers, network.layers, strict=True)):
        functions: dict[tuple[int, int], Function | None] = {}
        if rows is not None:
            place = f"pattern[{number}]"
            rows = _checked_sequence(place, rows, layer.n_out, f"layer {number}", "output")
            for j, row in enumerate(rows):
                where = f"{place}[{j}]"
                row = _checked_sequence(where, row, layer.n_in, f"layer {number}", "input")
                for i, name in enumerate(row):
                    if name is not None:
                        functions[j, i] = _function(f"{where}[{i}]", name)
        found.append(functions)
    return found


def _checked_sequence(
    name: str, value: object, length: int, owner: str, what: str
) -> Sequence[object]:
    """Return a part of a pattern that must have one entry for each layer, output or input."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise TypeError(
            f"{name} is {value!r}, but must be a sequence with one entry for each {what} of {owner}"
        )
    if len(value) != length:
        few, many = (f"{n} {what}{'' if n == 1 else 's'}" for n in (len(value), length))
        raise ValueError(f"{name} has {few}, but {owner} has {many}")
    return list(value)


def _function(place: str, name: object) -> Function | None:
    """Return the function called `name`, None for an absent edge."""
    if name == ABSENT:
        return None
    try:
        return lookup(name)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{place}: {error}") from None


def _active(layer: Layer) -> FloatArray:
    """Return 1 on spline and symbolic edges, 0 on masked ones, (n_out, n_in)."""
    active = layer.mask.copy()
    for edge in layer.symbolic:
        active[edge.output, edge.input] = 1.0
    return active


def _check_curve(layer: Layer, number: int, j: int, i: int) -> None:
    """Raise ValueError if an edge is masked."""
    if _active(layer)[j, i] == 0.0:
        raise ValueError(
            f"pattern names a function on the edge from input {i} to output {j} of layer {number}, "
            "which is masked: there is no curve to fit, so give no x, or None in its place"
        )


def _present_affine(layer: Layer, j: int, i: int, function: Function) -> Sequence[float]:
    """Return a, b, c, d of an edge that has the function already, else those of f(x) itself."""
    for edge in layer.symbolic:
        if (edge.output, edge.input) == (j, i) and edge.function == function:
            return [float(number) for number in layer.affine[edge.row]]
    return IDENTITY
