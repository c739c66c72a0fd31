"""Networks with symbolic edges that are undefined at samples of a fit, in words.

During training an optimizer undoes a step to parameters without a finite objective. So training
begins and ends where all edges are defined on the training samples. On test samples they need not
be: then test errors are nan, and the run says so.
"""

from typing import Any, cast

from kan_ref.network import Network, check_defined, first_cause, layer_inputs, network_values
from kan_ref.training.objective import DataGoal, Objective


def check_start(model: Any, train: DataGoal) -> None:
    """Raise ValueError where a symbolic edge is undefined at a training sample."""
    if _has_symbolic_edges(model):
        check_defined(model.layers, train.x, network_values(model, train.x), "x_train")


def note_on_derivatives(objective: Objective) -> str:
    """Return where a symbolic edge has no derivative at the samples of training; "" if nowhere."""
    model, goal = objective.model, cast(Any, objective.goal)
    if not _has_symbolic_edges(model):
        return ""
    is_loss = hasattr(getattr(goal, "goal", goal), "targets")
    # equations contain derivatives of second order themselves
    name, highest = ("x_train", 1) if is_loss else ("points", 3)
    why = first_cause(model.layers, layer_inputs(model.layers, goal.x), name, highest=highest)
    return f": {why}" if why else ""


def note_on_test(model: Any, test: DataGoal | None, name: str) -> str:
    """Return what to add to the reason of a run's end if test samples are undefined, else ""."""
    if test is None or not _has_symbolic_edges(model):
        return ""
    why = first_cause(model.layers, layer_inputs(model.layers, test.x), name, highest=0)
    return f"; the test error is nan, because {why}" if why else ""


def _has_symbolic_edges(model: Any) -> bool:
    return isinstance(model, Network) and any(layer.symbolic for layer in model.layers)
