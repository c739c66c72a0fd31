"""Objectives of checked arrays, as `fit` and `value_and_grad` make them."""

from kan_ref.training.data_goal import LOSSES, DataGoal
from kan_ref.training.objective import make_objective
from kan_ref.training.penalties import PenalizedGoal


def data_objective(network, x, targets, *, loss="mse", penalty=None, inputs=None, **options):
    """The objective of a batch; `inputs` if they are prepared already."""
    goal = DataGoal(LOSSES[loss], x, targets, network.prepare(x) if inputs is None else inputs)
    return goal_objective(network, goal, x, penalty=penalty, **options)


def goal_objective(network, goal, points, *, penalty=None, **options):
    """The objective of a goal, with a penalty on edges at the points."""
    if penalty is not None:
        goal = PenalizedGoal.of(network, goal, penalty, points)
    return make_objective(network, goal, **options)
