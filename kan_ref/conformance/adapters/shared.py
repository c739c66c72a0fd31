"""What the adapters have in common."""

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


class ByNetworks:
    """The methods of single layers, by those of networks."""

    network_forward: Callable[[Layers, Array], Array]
    network_vjp: Callable[[Layers, Array, Array], Answer]

    def layer_forward(self, layer: Layer, x: Array) -> Array:
        """Return the outputs (batch, n_out)."""
        return self.network_forward([layer], x)

    def layer_vjp(self, layer: Layer, x: Array, dy: Array) -> Answer:
        """Return dx, d_coef, d_w_base, d_w_spline."""
        found = self.network_vjp([layer], x, dy)
        return {"dx": found["dx"], **found["layers"][0]}
