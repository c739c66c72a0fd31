"""Values at many samples, by chunks, and where they are not finite: the sample, and the edge.

A batch is evaluated at once as long as the arrays of a layer hold at most 2^22 numbers (32 MiB). A
larger one is evaluated by chunks of about 2^20 numbers (8 MiB), so that memory does not grow with
the batch, but of at least 256 samples, because matrix products are slow with fewer.

Outside the domain of its function a symbolic edge is undefined, and a sum of large numbers can
exceed float64. Either makes an output nan. One look at the results tells whether this happened;
only then are the layers evaluated once more, to find the first cause.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import domain_rule
from kan_ref.network.layer import Layer, evaluate, layer_outputs
from kan_ref.network.symbolic_edges import SymbolicEdge, derivatives

_AT_ONCE, _NUMBERS, _FEWEST = 2**22, 2**20, 256

_WHAT = ("it", "its derivative", "its second derivative", "its third derivative")


def chunk_size(numbers_of_a_sample: int, n_samples: int) -> int:
    """Return how many samples are evaluated at once, at least 1.

    `numbers_of_a_sample` counts the entries of one sample in the arrays of a forward pass.

    Examples
    --------
    >>> chunk_size(100, 1000), chunk_size(100, 100000)
    (1000, 10485)
    """
    if numbers_of_a_sample * n_samples <= _AT_ONCE:
        return max(1, n_samples)
    return max(_FEWEST, _NUMBERS // numbers_of_a_sample)


def sample_slices(n_samples: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` samples that cover all of them in order."""
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def sample_numbers(layers: Sequence[Layer]) -> int:
    """Return how many numbers a forward pass needs for a sample: those of its largest layer."""
    # the scattered basis functions, and the nonzero ones with their derivatives and places
    return max(
        layer.n_in * (layer.n_basis + 3 * layer.degree + 5) + layer.n_out for layer in layers
    )


def outputs_at(layer: Layer, x: FloatArray) -> FloatArray:
    """Compute the outputs (batch, n_out) of a layer at x (batch, n_in), a large batch by chunks."""
    size = chunk_size(sample_numbers([layer]), len(x))
    if size >= len(x):
        return layer_outputs(layer, evaluate(layer, x, slopes=False))
    y = np.empty((layer.n_out, len(x))).T  # batch last in memory
    for rows in sample_slices(len(x), size):
        y[rows] = layer_outputs(layer, evaluate(layer, x[rows], slopes=False))
    return y


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


def has_limits(layers: Sequence[Layer]) -> bool:
    """Return whether the function of a symbolic edge is undefined at some arguments."""
    functions = [edge.function for layer in layers for edge in layer.symbolic]
    return any(domain_rule(function) != "every u" for function in functions)


def undefined_values(layers: Sequence[Layer], x: FloatArray, name: str = "x") -> str:
    """Return which sample of x, called `name`, gives which edge no finite value; "" if none."""
    return first_cause(layers, layer_inputs(layers, x), name, highest=0)


def layer_inputs(layers: Sequence[Layer], x: FloatArray) -> Iterator[FloatArray]:
    """Yield the inputs of each layer at x, then the outputs of the last one."""
    yield x
    for layer in layers:
        with np.errstate(all="ignore"):
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
