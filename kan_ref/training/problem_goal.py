"""A problem of differential equations as what `fit` makes small, with data beside it or not."""

from kan_ref.data import DataLike, check_arrays
from kan_ref.training.data_goal import DataGoal, check_batch
from kan_ref.training.goal import Model, Problem
from kan_ref.training.undefined import check_start


def check_problem(value: object, model: Model, loss: str) -> Problem:
    """Return `value` if it is a problem that fits the model, else raise an error."""
    for name in ("points", "with_data", "check", "prepare"):
        if not hasattr(value, name):
            kind = type(value).__name__
            raise TypeError(f"problem is a {kind}, but must come from residual_problem")
    if loss != "mse":
        raise ValueError(
            f"loss is {loss!r}, but a problem of differential equations is a sum of squares: "
            "leave it at 'mse'"
        )
    problem: Problem = value  # type: ignore[assignment]  # its methods were looked for
    problem.check(model)
    return problem


def read_problem(
    network: Model, data: DataLike | None, problem: object, loss: str, batch_size: object
) -> tuple[Problem, DataGoal | None]:
    """Return the problem, with training data as one more term, and the test data or reference."""
    checked, test = check_problem(problem, network, loss), None
    if batch_size is not None:
        raise ValueError(
            f"batch_size is {batch_size}, but a problem of differential equations needs all its "
            "points at every step"
        )
    if checked.reference is not None:
        test = check_batch(network, *checked.reference, ("reference x", "reference u"))
    if data is not None:
        check_arrays(data)
        train = check_batch(network, data.x_train, data.y_train, ("x_train", "y_train"))
        check_start(network, train.x)
        test = check_batch(network, data.x_test, data.y_test, ("x_test", "y_test"))
        checked = checked.with_data(train.x, train.targets)
    return checked, test
