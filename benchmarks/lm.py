"""One Levenberg-Marquardt iteration: residuals and Jacobian, normal equations, one damped step, residuals at its end.

kan_ref keeps the nonzero entries of the Jacobian. The comparison is the same iteration on a dense Jacobian: one matrix product
for J^T J, or J J^T if there are more parameters than samples, and `numpy.linalg.solve`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measuring import Times, take_turns
from benchmarks.subjects import Shape, mean_square_objective, problem
from kan_ref.checks import FloatArray
from kan_ref.numerics import NormalSums
from kan_ref.numerics.row_sparse import dense_form
from kan_ref.optimizers.normal_equations import normal_equations
from kan_ref.training.objective import Objective

LARGEST = 2**29  # bytes of a dense Jacobian; beyond, first-order methods are the ones to use


@dataclass(frozen=True)
class LmCell:
    """An iteration at a shape: sizes, times of kan_ref and of the dense form, or the reason why it
    was left out.
    """

    shape: Shape
    n_residuals: int
    n_params: int
    ours: Times | None
    dense: Times | None
    failure: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return plain data."""
        times = {
            name: t.as_record() for name, t in (("kan_ref", self.ours), ("dense", self.dense)) if t
        }
        sizes = {"residuals": self.n_residuals, "parameters": self.n_params}
        return {"shape": self.shape.name, "failure": self.failure, **sizes, "milliseconds": times}


def iterate(objective: Objective, theta: FloatArray) -> FloatArray:
    """Return residuals after one damped step of kan_ref."""
    residuals, jacobian = objective.linearize(theta)
    assert not isinstance(jacobian, NormalSums)  # the objective is prepared
    equations = normal_equations(jacobian, residuals)
    step, _ = equations.step(1e-3 * equations.largest_square())
    return objective.residuals(theta + step)


def iterate_dense(objective: Objective, theta: FloatArray) -> FloatArray:
    """Return residuals after one damped step on a dense Jacobian."""
    residuals, jacobian = objective.linearize(theta)
    assert not isinstance(jacobian, NormalSums)
    dense = dense_form(jacobian)
    damping = 1e-3 * float(np.einsum("bi,bi->i", dense, dense).max())
    if dense.shape[1] > dense.shape[0]:
        matrix = dense @ dense.T
        matrix.reshape(-1)[:: len(matrix) + 1] += damping
        step = dense.T @ np.linalg.solve(matrix, -residuals)
    else:
        matrix = dense.T @ dense
        matrix.reshape(-1)[:: len(matrix) + 1] += damping
        step = np.linalg.solve(matrix, -(dense.T @ residuals))
    return objective.residuals(theta + step)


def measure_lm(shape: Shape, *, seconds: float) -> LmCell:
    """Return the times of an iteration of kan_ref and of the dense form, measured in turns."""
    network, x, y = problem(shape)
    n_bytes = 8 * y.size * network.n_params
    if n_bytes > LARGEST:
        return LmCell(
            shape,
            y.size,
            network.n_params,
            None,
            None,
            f"left out: a dense Jacobian has {n_bytes / 2**30:.1f} GiB",
        )
    objective, theta = mean_square_objective(network, x, y), network.theta.copy()
    ours, dense = take_turns(
        [lambda: iterate(objective, theta), lambda: iterate_dense(objective, theta)],
        seconds=seconds,
    )
    return LmCell(shape, y.size, network.n_params, ours, dense)
