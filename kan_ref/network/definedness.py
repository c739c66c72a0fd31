"""Where a network has no finite value or derivative: the sample, and the edge that is the cause.

Outside the domain of its function a symbolic edge is undefined, and a sum of large numbers can
exceed float64. Either makes an output nan. One look at the results tells whether this happened;
only then are the layers evaluated once more, to find the first cause.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network.chunks import outputs_at
from kan_ref.network.layer import Layer
from kan_ref.network.symbolic_edges import SymbolicEdge, derivatives

_WHAT = ("it", "its derivative", "its second derivative", "its third derivative")


def check_defined(
    layers: Sequence[Layer], x: FloatArray, y: FloatArray, name: str = "x"
) -> FloatArray:
    """Return the outputs y at the samples x, called `name`; ValueError if they are not finite."""
    if not np.isfinite(y).all():
        raise ValueError(
            undefined_values(layers, x, name) or f"{name} gives outputs beyond the largest float64"
        )
    return y


def check_derivatives(
    layers: Sequence[Layer], inputs: Iterable[FloatArray | None], *arrays: FloatArray
) -> None:
    """Raise ValueError if arrays of values and derivatives are not finite.

    `inputs` are those of each layer, as `layer_inputs` gives them; None where a layer has no
    symbolic edges.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(
            first_cause(layers, inputs, "x", highest=1)
            or "x gives derivatives beyond the largest float64: scale the network or its data"
        )


def undefined_values(layers: Sequence[Layer], x: FloatArray, name: str = "x") -> str:
    """Return which sample of x, called `name`, gives which edge no finite value; "" if none."""
    return first_cause(layers, layer_inputs(layers, x), name, highest=0)


def layer_inputs(layers: Sequence[Layer], x: FloatArray) -> Iterator[FloatArray]:
    """Yield the inputs of each layer at x, then the outputs of the last one."""
    yield x
    for layer in layers:
        with np.errstate(over="ignore", invalid="ignore"):
            x = outputs_at(layer, x)
        yield x


def first_cause(
    layers: Sequence[Layer], inputs: Iterable[FloatArray | None], name: str, *, highest: int
) -> str:
    """Return which sample is not finite first, and where; "" if none is.

    That is an edge without a value or a derivative up to the order `highest`, or an overflow.
    """
    for number, x in enumerate(inputs):
        if x is not None and not np.isfinite(x).all():
            sample, output = (int(n) for n in np.argwhere(~np.isfinite(x))[0])
            return (
                f"{name}[{sample}] gives output {output} of layer {number - 1} a value beyond the "
                "largest float64: scale the network or its data"
            )
        if x is None or number == len(layers) or not layers[number].symbolic:
            continue
        edges, affine = layers[number].symbolic, layers[number].affine
        # axes: edges, orders, samples
        bad = np.argwhere(~np.isfinite(derivatives(edges, affine, x, range(highest + 1))))
        if len(bad):
            edge, order, sample = edges[bad[0, 0]], bad[0, 1], bad[0, 2]
            scale, shift = affine[edge.row, :2]
            u = scale * x[sample, edge.input] + shift
            return f"{name}[{sample}] {undefined_edge(edge, number, u, order)}"
    return ""


def undefined_edge(edge: SymbolicEdge, layer: int, u: float, order: int = 0) -> str:
    """Return the part of the message that says where an edge is undefined."""
    return (
        f"gives {edge.name} on the edge from input {edge.input} to output {edge.output} of "
        f"layer {layer} the argument {u:.6g}, where {_WHAT[order]} has no finite value"
    )
