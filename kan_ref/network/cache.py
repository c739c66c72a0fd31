"""What a layer's forward pass keeps for its backward pass, and the gradients that this returns."""

from dataclasses import dataclass
from typing import NamedTuple

from kan_ref.bspline import Bases, Workspace
from kan_ref.checks import FloatArray


@dataclass(frozen=True)
class Cache:
    """Values of the forward pass that the backward pass needs.

    `inputs` (batch, n_in); `bases`, the basis functions there; `base`, `base_slope` (batch, n_in):
    b(x), b'(x). Where no gradient with respect to x is needed (a first layer in training)
    `base_slope` is None.
    """

    inputs: FloatArray
    bases: Bases
    base: FloatArray
    base_slope: FloatArray | None

    @property
    def slopes(self) -> FloatArray:
        """The derivatives b'(x); ValueError if none were computed."""
        if self.base_slope is None:
            raise ValueError("cache holds no derivatives: they need evaluate(..., slopes=True)")
        return self.base_slope

    def __repr__(self) -> str:
        return f"Cache(inputs {self.inputs.shape}, {self.bases!r})"


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
