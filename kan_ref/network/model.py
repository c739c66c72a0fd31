"""What a network, an MLP and a LAN have in common: parameters as one read-only vector theta.

Optimizers know flat vectors alone. So the arrays of a model are views of theta, in an order that
each kind of model states, and another theta makes another model. Models are immutable.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record


class Rebuilt(Record):
    """A base class of records that copies and pickles build again: checked and read-only."""

    def __reduce__(self) -> tuple[Any, ...]:
        entries = fields(self)  # type: ignore[arg-type]
        return type(self), tuple(getattr(self, entry.name) for entry in entries if entry.init)


@dataclass(frozen=True, eq=False, repr=False)
class Model(Rebuilt):
    """A base class of models; a kind of model has `views`, `prepare`, `run_flow`, `run_backward`.

    `theta` (n_params,): all parameters. `widths`: numbers of nodes (n_0, ..., n_L).
    """

    theta: FloatArray = field(init=False)
    widths: tuple[int, ...] = field(init=False)
    n_params: int = field(init=False)

    def with_theta(self, theta: object) -> Self:
        """Return the same model with other parameters (n_params,), which are copied once."""
        return self.replace_theta(checks.array("theta", theta, (self.n_params,)).copy())

    @np.errstate(all="ignore")
    def __call__(self, x: object) -> FloatArray:
        """Compute outputs (batch, n_out) at x (batch, n_in)."""
        return self.values(self.prepare(checks.array("x", x, ("batch", self.widths[0]))))

    # --- what training needs of a model; arguments are not checked

    def replace_theta(self, theta: FloatArray) -> Self:
        """Return the same model on `theta` itself, which becomes read-only."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.set_theta(theta)
        return new

    def set_theta(self, theta: FloatArray) -> None:
        """Set theta and the fields that are views of it; for a model that is being made."""
        theta.flags.writeable = False
        theta = theta.view()  # stays read-only: nothing else refers to its memory
        self.__dict__.update(self.views(theta), theta=theta, n_params=theta.size)

    def views(self, theta: FloatArray) -> dict[str, object]:
        """Return the fields whose arrays are views of theta."""
        raise NotImplementedError

    def prepare(self, x: FloatArray, workspaces: Sequence[Any] = ()) -> Any:
        """Return what the model computes from x alone, for every theta the same: here x itself."""
        return x

    def values(self, inputs: Any) -> FloatArray:
        """Compute outputs (batch, n_out) from prepared inputs."""
        flow: list[FloatArray] = self.run_flow(inputs)[0]
        return flow[-1]

    def run_flow(self, inputs: Any, workspaces: Sequence[Any] = ()) -> tuple[Any, Any]:
        """Compute the outputs of every layer, and caches that last until workspaces are reused."""
        raise NotImplementedError

    def move_grids(self, x: FloatArray, knots_at: Callable[..., FloatArray]) -> Self:
        """Return the model with grids `knots_at(activations, n_intervals, degree)`, if it has any.

        x (batch, n_in) are the samples whose activations count.
        """
        return self


def split(theta: FloatArray, shapes: Sequence[tuple[int, ...]]) -> list[FloatArray]:
    """Return consecutive parts of theta in these shapes, as views."""
    views, start = [], 0
    for shape in shapes:
        end = start + math.prod(shape)
        views.append(theta[start:end].reshape(shape))
        start = end
    return views
