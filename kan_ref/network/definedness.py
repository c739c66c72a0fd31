"""Values at many samples, by chunks, and which sample and edge have no finite one.

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
    """Return how many samples are evaluated at once, of so many numbers each."""
    return min(max(1, n_samples), max(1, _AT_ONCE // numbers_of_a_sample))


def sample_slices(n_samples: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` samples that cover all of them in order."""
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def sample_numbers(layers: Sequence[Layer]) -> int:
    """Return how many numbers the largest layer needs for a sample, at most."""
    most = 0
    for layer in layers:
        # scattered basis functions, and the nonzero ones, their derivatives and places
        of_an_input = layer.n_basis + 3 * layer.degree + 5
        most = max(most, layer.n_in * of_an_input + layer.n_out)
    return most


def outputs_at(layer: Layer, x: FloatArray) -> FloatArray:
    """Compute the outputs (batch, n_out) of a layer at x (batch, n_in), by chunks."""
    y = np.empty((layer.n_out, len(x))).T  # batch last in memory
    size = chunk_size(sample_numbers([layer]), len(x))
    for rows in sample_slices(len(x), size):
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
    """Return the outputs y at the samples x, called `name`, if they are finite.

    Otherwise raise ValueError.
    """
    if not np.isfinite(y).all():
        why = undefined_values(layers, x, name)
        raise ValueError(why or f"{name} gives outputs {_BEYOND}")
    return y


def check_derivatives(
    layers: Sequence[Layer], inputs: Iterable[FloatArray], *arrays: FloatArray
) -> None:
    """Raise ValueError if derivatives at each layer's `inputs` are not finite."""
    if not all(np.isfinite(array).all() for array in arrays):
        why = first_cause(layers, inputs, "x", highest=1)
        raise ValueError(why or f"x gives derivatives {_BEYOND}")


def has_limits(layers: Sequence[Layer]) -> bool:
    """Return whether the function of a symbolic edge is undefined at some arguments."""
    for layer in layers:
        for edge in layer.symbolic:
            if domain_rule(edge.function) != "every u":
                return True
    return False


def undefined_values(layers: Sequence[Layer], x: FloatArray, name: str = "x") -> str:
    """Return which sample of x gives which edge no finite value, "" if none does."""
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
            return (
                f"{name}[{n}] gives output {output} of layer {number - 1} "
                f"a value {_BEYOND}"
            )
        if number == len(layers):
            break

        edges = layers[number].symbolic
        affine = layers[number].affine
        curves = derivatives(edges, affine, x, range(highest + 1))
        for place, order, n in np.argwhere(~np.isfinite(curves)):
            edge = edges[place]
            inner_scale, inner_shift, *_ = affine[edge.row]
            u = inner_scale * x[n, edge.input] + inner_shift
            return (
                f"{name}[{n}] gives {edge.name} on the edge from input {edge.input} "
                f"to output {edge.output} of layer {number} the argument {u:.6g}, "
                f"where {_WHAT[order]} has no finite value"
            )
    return ""
