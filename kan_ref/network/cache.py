"""What a layer's forward pass keeps for its backward pass, and the gradients that this returns."""

from dataclasses import dataclass
from typing import NamedTuple

from kan_ref.bspline import Bases
from kan_ref.bspline import Workspace as Workspace
from kan_ref.checks import FloatArray


@dataclass(frozen=True)
class Cache:
    """Values of the forward pass that the backward pass needs.

    `bases`: the basis functions at the batch. `base`, `base_slope` (batch, n_in): b(x), b'(x).
    `x` (batch, n_in) is kept only for symbolic edges. Where no gradient with respect to x is needed
    (a first layer in training) `base_slope` is None.
    """

    bases: Bases
    base: FloatArray
    base_slope: FloatArray | None
    x: FloatArray | None = None

    @property
    def inputs(self) -> FloatArray:
        """The layer's inputs x; ValueError if none were kept (no symbolic edges)."""
        if self.x is None:
            raise ValueError(
                "cache holds no x, but symbolic edges need the cache of their own forward pass"
            )
        return self.x

    def __repr__(self) -> str:
        slope = "None" if self.base_slope is None else str(self.base_slope.shape)
        return f"Cache(base {self.base.shape}, base_slope {slope}, {self.bases!r})"


# outputs of every layer, and the caches of every layer
Flow = tuple[list[FloatArray], tuple[Cache, ...]]


class Gradients(NamedTuple):
    """dR/d coef, ...: each has the shape of its parameter; in the order of theta."""

    coef: FloatArray
    w_base: FloatArray
    w_spline: FloatArray
    affine: FloatArray


def new_workspaces(n_layers: int) -> list[Workspace]:
    """Return memory for the basis functions of so many layers, to be used again at every step."""
    return [Workspace() for _ in range(n_layers)]
