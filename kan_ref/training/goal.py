"""Protocols: all that training needs to know of a model, a goal and a problem.

A model is a function of x with a flat vector of parameters theta: a KAN, an MLP, a LAN. Its outputs
are computed by chunks, with memory that does not grow with the number of samples. A goal is a
number to be made small as a function of the model: a loss over data, or the residuals of
differential equations. A problem makes goals for models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Network, chunk_size, sample_numbers, sample_slices
from kan_ref.numerics import Block, NormalSums


@runtime_checkable
class Model(Protocol):
    """An immutable function of x with parameters theta (n_params,) and `widths` (n_0, ..., n_L).

    Only `with_theta` checks its arguments.
    """

    @property
    def theta(self) -> FloatArray:
        """All parameters, read-only."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of nodes; the first and the last are those of inputs and outputs."""

    @property
    def n_params(self) -> int:
        """Length of theta."""

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Numbers of parameters of its layers, in the order of theta."""

    def with_theta(self, theta: object) -> Self:
        """Return the model with other parameters, checked and copied."""

    def replace_theta(self, theta: FloatArray) -> Self:
        """Return the model on `theta` itself, which becomes read-only."""

    def prepare(self, x: FloatArray, workspaces: Sequence[Any] = ()) -> Any:
        """Evaluate what depends on x (batch, n_in) but not on theta.

        Of workspaces there is one for each layer, or none. What is prepared in them lasts until
        they are used again.
        """

    def values(self, inputs: Any) -> FloatArray:
        """Compute outputs (batch, n_out) from prepared inputs."""

    def run_flow(self, inputs: Any, workspaces: Sequence[Any] = ()) -> tuple[list[FloatArray], Any]:
        """Compute the outputs of every layer, (batch, n_out) last, and caches for `run_backward`.

        Caches of a network last until its workspaces are used again.
        """

    def run_backward(self, caches: Any, dy: FloatArray) -> FloatArray:
        """Compute dR/d theta (n_params,) from dR/dy (batch, n_out)."""

    def jacobian(self, caches: Any, scale: float) -> Sequence[Block]:
        """Compute d (scale * outputs) / d theta: blocks of rows, row b * n_out + o."""


@dataclass(eq=False)
class LastEvaluation:
    """What a goal computed at the last model that it evaluated, so that `judge` need not repeat it.

    An optimizer mostly accepts the point that it evaluated last. A mini-batch shares the record of
    the goal that it is a part of.
    """

    model: Any = None
    found: Any = None

    def at(self, model: Any) -> Any:
        """Return what was computed at the model's parameters, None if others came later."""
        known = self.model is model or (
            self.model is not None and np.array_equal(self.model.theta, model.theta)
        )
        return self.found if known else None


class Goal(Protocol):
    """A number to be made small, as a function of a model, if possible a sum of squares."""

    def value_and_grad(self, model: Any) -> tuple[float, FloatArray]:
        """Compute the value and its gradient with respect to theta."""

    def residuals(self, model: Any) -> FloatArray:
        """Compute residuals whose squares sum to the value."""

    def linearize(self, model: Any) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their Jacobian, as blocks of rows or as sums over them."""

    def judge(self, model: Any) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy (nan without classes).

        Of a model that was evaluated last, on the samples of that evaluation, at almost no cost.
        """


class Problem(Protocol):
    """Differential equations, or another source of goals that are sums of squares."""

    @property
    def points(self) -> FloatArray:
        """All points (n, n_in), which hidden grids follow."""

    @property
    def reference(self) -> tuple[FloatArray, FloatArray] | None:
        """Points and a known solution there, for test errors."""

    def with_data(self, x: FloatArray, y: FloatArray) -> "Problem":
        """Return the problem with measurements y at x as one more term."""

    def check(self, model: Any) -> None:
        """Raise an error if the problem does not fit the model."""

    def prepare(self, model: Any) -> Goal:
        """Return the goal for models with this first layer."""


def rows_at_once(model: Any, n_samples: int) -> int:
    """Return how many samples of so many a forward pass of a model takes at once."""
    numbers = (
        sample_numbers(model.layers)
        if isinstance(model, Network)
        else max(n_in * n_out for n_in, n_out in pairwise(model.widths))
    )
    return chunk_size(numbers, n_samples)


def values_at(model: Any, x: FloatArray) -> FloatArray:
    """Compute the outputs (batch, n_out) of a model at x (batch, n_in), which is not checked."""
    size = rows_at_once(model, len(x))
    if size >= len(x):
        return np.asarray(model.values(model.prepare(x)))
    parts = [model.values(model.prepare(x[rows])) for rows in sample_slices(len(x), size)]
    return np.concatenate(parts)


def deviation(values: FloatArray) -> float:
    """Return the root mean square of (n, n_out) values about their means over samples."""
    return float(np.sqrt(np.mean((values - values.mean(axis=0)) ** 2)))
