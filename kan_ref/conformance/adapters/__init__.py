"""Adapters: one class for each tested implementation, with the methods of the protocol.

`reference` is kan_ref and SciPy, `torch_layers` and `pykan` are libraries on PyTorch, `jaxkan` is
one on JAX. An adapter imports its library when it is built. Here is what they have in common.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kan_ref.checks import FloatArray

Array = FloatArray
Layer = Mapping[str, Any]
Layers = Sequence[Layer]
Answer = dict[str, Any]


def needs(condition: Any) -> None:
    """Raise NotImplementedError, which skips the case, if the library cannot express it."""
    if not condition:
        raise NotImplementedError


class Adapter:
    """Methods that others give: values are derivatives of order 0, a layer is a network."""

    basis_derivative: Callable[[Array, Array, int, int], Array]
    network_forward: Callable[[Layers, Array], Array]
    network_vjp: Callable[[Layers, Array, Array], Answer]

    def basis(self, x: Array, knots: Array, degree: int) -> Array:
        """Return the basis functions (n, n_basis)."""
        return self.basis_derivative(x, knots, degree, 0)

    def layer_forward(self, layer: Layer, x: Array) -> Array:
        """Return the outputs (batch, n_out)."""
        return self.network_forward([layer], x)

    def layer_vjp(self, layer: Layer, x: Array, dy: Array) -> Answer:
        """Return dx, d_coef, d_w_base, d_w_spline."""
        found = self.network_vjp([layer], x, dy)
        return {"dx": found["dx"], **found["layers"][0]}
