"""Training: an optimizer on a flat vector, finer grids, hidden grids that follow activations.

Liu et al. 2024, sections 2.2 and 2.4. One call of `fit` goes through a schedule of grids. On each
it minimises the objective of the network by an optimizer, whose memory ends with that grid.

    (T10)  before each grid    with another number of intervals: the first layer is extended over
                               its own [a, b], hidden grids are placed on the activations
    (T11)  during each grid    at the start and after steps 5, 10, ..., 50 a hidden grid that an
                               activation has left is placed again, and the optimizer starts again
                               with the steps that are left; the best network of the grid is kept

With mini-batches (T11) looks at the batch of the step and moves grids by a part of the samples, but
at the last of its checks by all of them: a pass over all samples at each check would take most of
the time of the run. Losses of batches differ by chance, so the last network is kept.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from kan_ref import checks
from kan_ref.data import check_data, check_loss
from kan_ref.network import PARAMETER_NAMES, Network, refine
from kan_ref.training.data_goal import DataGoal, check_batch, check_model, check_penalty, check_test
from kan_ref.training.fit_arguments import (
    check_grids,
    check_start,
    interval_of_tests,
    note_on_problem,
    note_on_schedule,
    note_on_test,
    read_problem,
)
from kan_ref.training.goal import Problem
from kan_ref.training.held_out import read_validation
from kan_ref.training.history import Callback, Kind, Run
from kan_ref.training.notes import (
    note_on_grids,
    note_on_inputs,
    note_on_outputs,
    note_on_units,
)
from kan_ref.training.one_grid import Recorder, train_on_grid
from kan_ref.training.settings import read_settings


@np.errstate(all="ignore")
def fit(
    network: Kind,
    data: object = None,
    *,
    optimizer: str | None = None,
    n_steps: int = 100,
    loss: str = "mse",
    penalty_weight: float = 0.0,
    l1_weight: float = 1.0,
    entropy_weight: float = 1.0,
    penalty: str = "paper",
    smoothness_weight: float = 0.0,
    grids: Sequence[int] | None = None,
    update_grids: bool = True,
    trainable: Sequence[str] = PARAMETER_NAMES,
    precondition: str | None = "auto",
    learning_rate: float | None = None,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
    validation_share: float = 0.0,
    patience: int | None = None,
    problem: Problem | None = None,
    test_every: int | None = None,
    callback: Callback | None = None,
    progress: bool = False,
) -> Run[Kind]:
    """Train a network on data or differential equations, on one grid or a schedule of finer ones.

    Parameters
    ----------
    network : Network, MLP or LAN
    data : record with x_train, y_train, x_test, y_test
        y (n, n_out), or class labels (n,) of int for "cross_entropy". Test data are only reported.
        None only with `problem`.
    optimizer : str, optional
        "lm" (Levenberg-Marquardt), "lbfgs" or "adam". None is "lm", or "lbfgs" where the objective
        is not a sum of squares.
    n_steps : int
        Steps on each grid, 0 allowed; for "adam" with mini-batches, updates.
    loss : str
        "mse", "cross_entropy" or "logistic".
    penalty_weight, l1_weight, entropy_weight, penalty, smoothness_weight
        As in `value_and_grad`.
    grids : sequence of int, optional
        Numbers of intervals, never falling, none below the network's. None keeps the grid. Time to
        place hidden grids grows with the third power of the number, memory with the second: from 5
        to 1200 intervals [2, 3, 1] took 2.5 s and 70 MiB, to 2400 27 s and 265 MiB. Above 16384
        less the degree they are not refined.
    update_grids : bool
        Whether hidden grids follow activations that have left them, (T11). In either case they are
        placed again at each change of the number of intervals, (T10), where the loss can jump.
    trainable : sequence of str
        Which of "coef", "w_base", "w_spline", "symbolic" (a, b, c, d of symbolic edges) to train.
    precondition : str, or None
        "jacobian": scaled variables, see `training.variables`; not with an L1 or entropy
        penalty, nor for "adam". None: the plain parameters, as in the paper. "auto" is "jacobian"
        for a Network with "lm" or "lbfgs" and without such a penalty, else None.
    learning_rate, batch_size : float, int, optional
        For "adam": above 0, 1e-2 if None; samples per update, all of them if None.
    rng : numpy.random.Generator, optional
        Draws held-out samples, then mini-batches; needed with `batch_size` alone. Without it,
        held-out samples are spread evenly over the order of the training samples.
    validation_share : float
        0 to 0.5: the part of the training samples that is held out of training. The network with
        the smallest loss on them, over all grids, is returned, (T24). Classes keep their shares.
    patience : int, optional
        At least 1, with `validation_share`: a grid ends after as many steps in a row without a
        smaller held-out loss, and the run ends after a grid without one. None ends neither.
    problem : ResidualProblem, optional
        Differential equations, from `residual_problem`. Training data are then measurements: one
        more term of weight 1, dimensionless where terms have scales. Test errors are taken at the
        test data, or else at the problem's reference; without both they are nan.
    test_every : int, optional
        At least 1: test errors are taken at the first and the last step of each grid, and at every
        step whose number on the grid is a multiple of this; elsewhere they are nan. None is 1 for
        "lm", and for others 20 times the number of test samples for each sample of a
        step, rounded up. So they take a few hundredths of the time.
    callback : callable, optional
        Called with a `Step` after every step and at the start of every grid; True stops the run.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    run : Run
        On KeyboardInterrupt with the best network so far, with mini-batches the last one; `stopped`
        says so. Where a symbolic edge is undefined at a test sample or a held-out one, the errors
        on all of these samples are nan, and `stopped` says which edge it is.
        So it does where test samples outside the grids have most of the squared test error, more
        than ten times that of the others (or of training, if all are outside) in the mean, and the
        test error is above that of training, where most points of training lie outside, where an
        input of equations of order m extends over 100 or more, or 100^(-1/m) or less, where the
        network's values, or data of linear equations that it satisfies worse than 0, are of a size
        far from 1, where coefficients and weights make a residual depend 1000 times less on the
        unknowns than another, where only some of the conditions have scales, and where the training
        error ends above twice the smallest one on a coarser grid ("mse" without penalties and
        held-out samples). Where sizes of targets may have made the training error large, as noise
        can too, it names `kr.scaled`.

    Raises
    ------
    ValueError, TypeError
        "grids is (10, 5), but must not fall"; for data, as `value_and_grad`; for a problem, if a
        user's partial derivatives are wrong, or if the degree of a layer's splines is below the
        order of the derivatives; where a symbolic edge is undefined at a training sample at the
        start. Later, steps to such parameters are undone.

    Notes
    -----
    Implements :eq:`fit-schedule`. With scaled variables, gradient norms in `stopped` are those with
    respect to z; Levenberg-Marquardt gets their scales from its own equations, other optimizers by
    about n_out backward passes at the start of each grid. The training error of a step is that of
    the optimizer's own evaluation. Test errors cost a forward pass over the test samples each, and
    held-out samples one at every step. With mini-batches, time and memory of a step depend on the
    size of the batch alone: its training error and penalty are those of the batch, but at the first
    and the last step of a grid the training error is that of all samples. With a symbolic edge
    whose function is not defined everywhere a step takes a forward pass over all samples, too, so
    that a step to parameters without a value at any of them is undone. Hidden grids that move by
    all samples, at the start and at the last check, take memory that grows with their number: 60
    to 160 MiB for 200,000 samples and 5 to 16 hidden nodes. "lm" stores the Jacobian of a loss over
    data up to 4 million numbers. Beyond them it adds up J^T J over chunks of samples if there are
    as many numbers in y as parameters.
    """
    check_model("network", network)
    settings = read_settings(
        network,
        optimizer=optimizer,
        n_steps=n_steps,
        loss=loss,
        penalty=check_penalty(penalty, penalty_weight, l1_weight, entropy_weight),
        smoothness_weight=smoothness_weight,
        update_grids=update_grids,
        trainable=trainable,
        precondition=precondition,
        learning_rate=learning_rate,
        batch_size=batch_size,
        rng=rng,
    )
    schedule: Sequence[int | None] = (None,) if grids is None else check_grids(network, grids)
    source, test = _read_goal(network, data, problem, loss, batch_size)
    source, validation = read_validation(source, validation_share, patience, settings.rng)
    bar = len(schedule) * settings.n_steps if checks.flag("progress", progress) else None
    recorder = Recorder(
        test,
        callback,
        n_steps=bar,
        validation=validation,
        test_every=interval_of_tests(settings, test_every, len(source.points), test),
        batches=settings.batch_size is not None,
    )
    first = network
    stopped, interrupted = "", False
    try:
        # [eq:fit-schedule]
        for n_intervals in schedule:
            if isinstance(network, Network) and n_intervals not in (None, network.n_intervals):
                try:
                    network = cast("Kind", refine(network, source.points, int(n_intervals)))
                except ValueError as error:
                    if recorder.best is None:
                        raise
                    stopped += f"; not refined to {n_intervals} intervals, because {error}"
                    break
            network, stopped = train_on_grid(network, source, settings, recorder)
            exhausted = recorder.halted and validation is not None and not validation.improved
            if recorder.asked or exhausted:
                break
        # [/eq:fit-schedule]
    except KeyboardInterrupt:
        interrupted = True
        best = recorder.best if validation is None else validation.best
        network = network if best is None else best
        steps = "1 step" if recorder.n_steps == 1 else f"{recorder.n_steps} steps"
        which = "last network" if recorder.batches else "best network so far"
        stopped = f"interrupted after {steps}"
        stopped += f": this is the {which}" if validation is None else ""
        recorder.leave_grid()
        if validation is None and best is not None:
            step = recorder.choose(recorder.best_entry, best)
            stopped += f", {step}" if step else ""
    finally:
        recorder.close()
    if validation is not None and validation.best is not None:
        stopped += validation.note()
        recorder.choose(recorder.entry_held, validation.best)
    history = recorder.history()
    samples = "reference x" if data is None or not len(cast(Any, data).x_test) else "x_test"
    rmse = float(history.train_rmse[recorder.entry]) if len(history.step) else np.inf
    stopped += note_on_test(network, test, samples)
    if len(history.step):
        units = note_on_units(first, source, rmse, scaled=settings.scaled)
        stopped += units or note_on_outputs(network, source, scaled=settings.scaled)
    stopped += note_on_grids(network, test, samples, rmse if problem is None else 0.0)
    if len(history.step):
        errors = (rmse, float(history.test_rmse[recorder.entry]))
        is_lm = settings.optimizer == "lm"
        stopped += note_on_problem(network, source, errors, test, least_squares=is_lm)
        stopped += note_on_inputs(network, source, rmse)
        if validation is None and settings.penalty is None and not settings.smoothness_weight:
            stopped += note_on_schedule(history, recorder.entry, source)
    return Run(network, history, stopped, interrupted, recorder.entry)


def _read_goal(
    network: Any, data: object, problem: object, loss: str, batch_size: object
) -> tuple[DataGoal | Problem, DataGoal | None]:
    """Return what is to be made small, a loss over data or a problem, and the test data."""
    if hasattr(data, "with_data"):
        raise TypeError(
            f"data is {data!r}, but needs samples: a problem is given as fit(network, problem=...)"
        )
    if problem is not None:
        return read_problem(network, data, problem, loss, batch_size)
    if data is None:
        raise TypeError(
            "data is None, but fit needs data, or a problem= of differential equations from "
            "residual_problem, or both"
        )
    samples = check_data(data, least=1)
    check_loss(samples, loss)
    train = check_batch(network, samples.x_train, samples.y_train, ("x_train", "y_train"), loss)
    check_start(network, train.x)
    return train, check_test(network, samples, loss)
