"""Values at many samples, by chunks, and where they are not finite: the sample, and the
edge.

Samples are evaluated so many at once that the arrays of a layer hold some 2^22 numbers
(32 MiB), so that memory does not grow with the batch.

Outside the domain of its function a symbolic edge is undefined, and a sum of large
numbers can exceed float64. Either makes an output nan. One look at the results tells
whether this happened; only then are the layers evaluated once more, to find the first
cause.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import domain_rule
from kan_ref.network.layer import Layer, evaluate, layer_outputs
from kan_ref.network.symbolic_edges import derivatives

_AT_ONCE = 2**22  # numbers
_BEYOND = "beyond the largest float64: scale the network or its data"
_WHAT = ("it", "its derivative", "its second derivative", "its third derivative")


def chunk_size(numbers_of_a_sample: int, n_samples: int) -> int:
    """Return how many samples are evaluated at once, of arrays with so many numbers of
    each.
    """
    return min(max(1, n_samples), max(1, _AT_ONCE // numbers_of_a_sample))


def sample_slices(n_samples: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` samples that cover all of them in order."""
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def sample_numbers(layers: Sequence[Layer]) -> int:
    """Return how many numbers a forward pass needs for a sample: those of its largest
    layer.
    """
    # the scattered basis functions, and the nonzero ones with their derivatives and
    # places
    return max(
        layer.n_in * (layer.n_basis + 3 * layer.degree + 5) + layer.n_out
        for layer in layers
    )


def outputs_at(layer: Layer, x: FloatArray) -> FloatArray:
    """Compute the outputs (batch, n_out) of a layer at x (batch, n_in), by chunks."""
    y = np.empty((layer.n_out, len(x))).T  # batch last in memory
    for rows in sample_slices(len(x), chunk_size(sample_numbers([layer]), len(x))):
        y[rows] = layer_outputs(layer, evaluate(layer, x[rows], slopes=False))
    return y


def layer_inputs(layers: Sequence[Layer], x: FloatArray) -> Iterator[FloatArray]:
    """Yield the inputs of each layer at x, then the outputs of the last one."""
    yield x
    for layer in layers:
        with np.errstate(all="ignore"):
            x = outputs_at(layer, x)
        yield x


def check_defined(
    layers: Sequence[Layer], x: FloatArray, y: FloatArray, name: str = "x"
) -> FloatArray:
    """Return the outputs y at the samples x, called `name`; ValueError if they are not
    finite.
    """
    if not np.isfinite(y).all():
        raise ValueError(
            undefined_values(layers, x, name) or f"{name} gives outputs {_BEYOND}"
        )
    return y


def check_derivatives(
    layers: Sequence[Layer], inputs: Iterable[FloatArray], *arrays: FloatArray
) -> None:
    """Raise ValueError if derivatives are not finite; `inputs` are those of each layer.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        why = first_cause(layers, inputs, "x", highest=1)
        raise ValueError(why or f"x gives derivatives {_BEYOND}")


def has_limits(layers: Sequence[Layer]) -> bool:
    """Return whether the function of a symbolic edge is undefined at some arguments."""
    functions = [edge.function for layer in layers for edge in layer.symbolic]
    return any(domain_rule(function) != "every u" for function in functions)


def undefined_values(layers: Sequence[Layer], x: FloatArray, name: str = "x") -> str:
    """Return which sample of x, called `name`, gives which edge no finite value; "" if
    none.
    """
    return first_cause(layers, layer_inputs(layers, x), name, highest=0)


def first_cause(
    layers: Sequence[Layer], inputs: Iterable[FloatArray], name: str, *, highest: int
) -> str:
    """Return which sample is not finite first, and where; "" if none is.

    That is an edge without a value or a derivative up to the order `highest`, or an
    overflow. `inputs` are those of each layer, and perhaps the outputs of the last one.
    """
    for number, x in enumerate(inputs):
        for n, output in np.argwhere(~np.isfinite(x)):
            return f"{name}[{n}] gives output {output} of layer {number - 1} a value {_BEYOND}"
        if number == len(layers):
            break
        edges, affine = layers[number].symbolic, layers[number].affine
        curves = derivatives(
            edges, affine, x, range(highest + 1)
        )  # (n_edges, n_orders, batch)
        for place, order, n in np.argwhere(~np.isfinite(curves)):
            edge = edges[place]
            u = affine[edge.row, 0] * x[n, edge.input] + affine[edge.row, 1]
            return (
                f"{name}[{n}] gives {edge.name} on the edge from input {edge.input} to output "
                f"{edge.output} of layer {number} the argument {u:.6g}, where {_WHAT[order]} "
                "has no finite value"
            )
    return ""
