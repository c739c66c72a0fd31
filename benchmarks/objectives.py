"""The objective that `fit` minimises, for a batch of numbers."""

from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.objective import Objective, make_objective


def mean_square_objective(model: Any, x: FloatArray, y: FloatArray) -> Objective:
    """Return the mean squared error of a model on x (batch, n_in), y (batch, n_out)."""
    return make_objective(model, DataGoal(MSE, x, y).prepare(model))
