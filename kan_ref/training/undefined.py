"""Networks with symbolic edges that are undefined at samples of a fit, in words.

During training an optimizer undoes a step to parameters without a finite objective. So training
begins and ends where all edges are defined on the training samples. On test samples they need not
be: then test errors are nan, and the run says so.
"""

from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.network import Network, first_cause, layer_inputs
from kan_ref.training.data_goal import DataGoal
from kan_ref.training.objective import Objective


def check_start(model: Any, x_train: FloatArray, *, highest: int = 0) -> None:
    """Raise ValueError where a symbolic edge is undefined at a training sample.

    So is an edge without a derivative up to the order `highest`.
    """
    why = _cause(model, x_train, "x_train", highest)
    if why:
        raise ValueError(why)


def note_on_derivatives(objective: Objective) -> str:
    """Return where a symbolic edge has no derivative at the samples of training; "" if nowhere."""
    goal: Any = objective.goal
    goal = getattr(goal, "goal", goal)  # without the penalty
    if hasattr(goal, "targets"):
        causes = [_cause(objective.model, goal.x, "x_train", 1)]
    else:  # equations contain derivatives of second order themselves
        causes = [
            _cause(objective.model, term.x, f"terms[{place}].x", 3)
            for place, term in enumerate(goal.terms)
        ]
    return "".join(f": {why}" for why in [why for why in causes if why][:1])


def note_on_test(model: Any, test: DataGoal | None, name: str) -> str:
    """Return what to add to the reason of a run's end if test samples are undefined, else ""."""
    why = "" if test is None else _cause(model, test.x, name, 0)
    return f"; the test error is nan, because {why}" if why else ""


def _cause(model: Any, x: FloatArray, name: str, highest: int) -> str:
    """Return the first symbolic edge that is undefined at x, (n, n_in); "" if there is none."""
    if not isinstance(model, Network) or not any(layer.symbolic for layer in model.layers):
        return ""
    return first_cause(model.layers, layer_inputs(model.layers, x), name, highest=highest)
