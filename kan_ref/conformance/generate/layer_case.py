"""One case about a layer: its outputs, or its vector-Jacobian products.

Layers and samples have short binary numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import Collector, layer_vjp
from kan_ref.conformance.generate.encode import array, case, dice, layer_array
from kan_ref.conformance.generate.exact import (
    Layer,
    forward,
    forward_scale,
    sizes,
)
from kan_ref.conformance.generate.layer_readings import (
    filled,
)

VALUES = 1e-13  # of the largest sum of absolute terms
Case = dict[str, Any]
Rows = Sequence[Sequence[float]]


def make_layer(
    seed: str, n_out: int, n_in: int, knots: Sequence[Sequence[float]], degree: int, **changes: Any
) -> Layer:
    """Return a layer whose numbers are short in binary, with the given changes."""
    n_basis = len(knots[0]) - degree - 1
    drawn = dice(seed, n_out * n_in * (n_basis + 2), low=-2.0, high=2.0, steps=256)

    def take(*shape: int) -> Any:
        return [take(*shape[1:]) for _ in range(shape[0])] if shape else drawn.pop()

    layer = {
        "knots": [list(row) for row in knots],
        "coef": take(n_out, n_in, n_basis),
        "w_base": take(n_out, n_in),
        "w_spline": take(n_out, n_in),
        "mask": filled(1.0, n_out, n_in),
        "degree": degree,
        "base": "silu",
    }
    return layer | changes


def points(seed: str, n: int, n_in: int, low: float = -1.0, high: float = 1.0) -> list[list[float]]:
    """Return (n, n_in) samples strictly between low and high."""
    drawn = dice(seed, n * n_in, low=low, high=high)
    return [drawn[b * n_in : (b + 1) * n_in] for b in range(n)]


def value_case(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    *,
    kind: str = "required",
    since: int = 1,
) -> Case:
    """Return the case of layer_forward(layer, x) at the samples x (batch, n_in)."""
    n_out, n_in, _ = sizes(layer)
    right = forward(layer, x)
    arguments = {"layer": layer_array(layer), "x": array(x, [len(x), n_in])}
    tolerance = {"y": VALUES * float(forward_scale(layer, x)) or VALUES}
    return case(
        name,
        "layer_forward",
        flags,
        arguments,
        {"y": array(right, [len(x), n_out])},
        tolerance,
        kind=kind,
        since=since,
    )


GRADIENTS = 2e-13  # of the largest sum of absolute terms


def encode_sums(
    found: Mapping[str, Collector], names: Sequence[str] | None = None, prefix: str = ""
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return arrays and tolerances of sums.

    An array without terms must be 0 within the tolerance of 1.
    """
    chosen = list(found) if names is None else list(names)
    arrays = {prefix + name: array(found[name].nested(), found[name].shape) for name in chosen}
    return arrays, {
        prefix + name: GRADIENTS * float(found[name].scale()) or GRADIENTS for name in chosen
    }


def vjp_case(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    dy: Rows,
    *,
    kind: str = "required",
    since: int = 1,
) -> Case:
    """Return the case of layer_vjp(layer, x, dy)."""
    n_out, n_in, _ = sizes(layer)
    found = layer_vjp(layer, x, dy)
    expected, tolerance = encode_sums(found)
    arguments = {
        "layer": layer_array(layer),
        "x": array(x, [len(x), n_in]),
        "dy": array(dy, [len(x), n_out]),
    }
    return case(
        name,
        "layer_vjp",
        flags,
        arguments,
        expected,
        tolerance,
        kind=kind,
        since=since,
    )
