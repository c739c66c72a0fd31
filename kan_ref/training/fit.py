"""Training: an objective is a sum of terms, a method yields points, and a run is a loop over them.

Liu et al. 2024, sections 2.2 and 2.4. One call of `fit` goes through a schedule of grids. On each
it minimises the objective (T7) of the network, by a method whose memory ends with that grid.

    (T10)  before each grid    with another number of intervals: the first layer is extended over
                               its own [a, b], hidden grids are placed on the activations
    (T11)  during each grid    at the start and after steps 5, 10, ..., 50 a hidden grid that an
                               activation has left is placed again, and the method starts again
                               with the steps that are left; the best network of the grid is kept
    (T24)  held-out samples    the network of the run is that with the smallest held-out loss
    (T25)                      a grid ends after n_steps / 5 steps, at least 10, without a smaller
                               one, and the run after a grid without one (Goodfellow, Bengio &
                               Courville, Deep Learning, 2016, section 7.8)

How a step works, with Adam and the mean squared error: `Steps` asks `adam` for its next point;
`Objective.value_and_grad` makes the model of its theta and asks each term; `DataTerm` runs the
model forward (`Network.run_flow`, for each layer `evaluate` and `layer_outputs`), takes the loss,
and runs it backward (`Network.run_backward`); `Log.add` writes the numbers down.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import check_data, check_loss
from kan_ref.network import (
    PARAMETER_NAMES,
    Model,
    Network,
    layer_inputs,
    place_hidden_grids,
    refine,
    sample_slices,
)
from kan_ref.optimizers import Steps
from kan_ref.pde import Equations
from kan_ref.sparsity import Penalty
from kan_ref.training.diagnose import undefined_at
from kan_ref.training.held_out import split_samples
from kan_ref.training.log import Log, Samples
from kan_ref.training.losses import LOSSES, MSE, Loss
from kan_ref.training.methods import Adam, Method, read_method
from kan_ref.training.objective import Objective, read_penalty, trainable_places
from kan_ref.training.runs import Callback, History, Kind, Run
from kan_ref.training.terms import MOST_ENTRIES, DataTerm, SmoothTerm

CHECK_EVERY, CHECK_UNTIL = 5, 50  # (T11), the schedule of the paper's code
MOST_PROBED = 2**14  # samples whose activations hidden grids follow, with mini-batches


@np.errstate(all="ignore")
def fit(
    network: Kind,
    data: Any = None,
    *,
    equations: Sequence[Any] = (),
    optimizer: str | Method | None = None,
    n_steps: int = 100,
    loss: str = "mse",
    penalty: float | Penalty | None = None,
    smoothness_weight: float = 0.0,
    grids: Sequence[int] | None = None,
    update_grids: bool = True,
    trainable: Sequence[str] = PARAMETER_NAMES,
    validation_share: float = 0.0,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    progress: bool = False,
) -> Run[Kind]:
    """Train a network on data or differential equations, on one grid or a schedule of finer ones.

    Parameters
    ----------
    network : Network, MLP or LAN
    data : Data, optional
        Or any record with x_train, y_train, x_test, y_test: y (n, n_out), or labels (n,) for
        "cross_entropy". Test data are only reported.
    equations : sequence of terms
        From `linear_term`, `value_term`, `function_term`, `equation_term`. Training data beside
        them are measurements; data without training rows hold a known solution as test data.
    optimizer : str, LM, LBFGS or Adam, optional
        "lm" (the default for a sum of squares), "lbfgs" (else) or "adam", or a record of options.
    n_steps : int
        Steps on each grid.
    loss : str
        "mse", "cross_entropy" or "logistic".
    penalty, smoothness_weight : float or Penalty, float
        As in `value_and_grad`.
    grids : sequence of int, optional
        Numbers of intervals that never fall. None keeps the grids.
    update_grids : bool
        Whether hidden grids follow activations that leave them, (T11).
    trainable : sequence of str
        Which of "coef", "w_base", "w_spline", "symbolic" to train.
    validation_share : float
        0 to 0.5: the part of the training samples that is held out, (T24) and (T25).
    rng : numpy.random.Generator, optional
        Draws mini-batches and held-out samples; without it these are spread evenly.
    callback : callable, optional
        Gets a `Step` after every step, with its network; True stops the run.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    run : Run
        On KeyboardInterrupt with the best network so far.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample("exp_sin", n_train=200, n_test=100, rng=rng)
    >>> net = kr.best_start((2, 1, 1), data, n_starts=3, n_intervals=3, degree=3, rng=rng)
    >>> fit(net, data, grids=(5, 10), n_steps=20).test_rmse < 1e-2
    True
    """
    checks.instance("network", network, Model, "a Network, an MLP or a LAN")
    kind = LOSSES[checks.choice("loss", loss, LOSSES)]
    weights = read_penalty(network, penalty)
    conditions = Equations(equations) if len(equations) else None
    samples, test = _read_data(network, data, kind, conditions)
    held_out = None
    if checks.number("validation_share", validation_share, low=0.0, high=0.5) > 0.0:
        samples, held_out = split_samples(samples, kind, validation_share, rng)
    plan = Plan(
        read_method(optimizer, squares=kind is MSE and weights is None),
        checks.integer("n_steps", n_steps),
        _read_grids(network, grids),
        checks.flag("update_grids", update_grids) and isinstance(network, Network),
        kind,
        samples,
        weights,
        checks.number("smoothness_weight", smoothness_weight, low=0.0),
        conditions,
        trainable,
        rng,
    )
    plan.check(network)
    log = Log(plan, test, held_out, callback, checks.flag("progress", progress))
    interrupted = False
    try:
        network, stopped = train(network, plan, log)
    except KeyboardInterrupt:
        if not log.entries:
            raise
        network, interrupted = log.best_so_far(), True
        stopped = f"interrupted after {checks.counted(log.n_steps, 'step')}"
    finally:
        log.close()
    case = {"data": data, "equations": equations}
    return Run(network, History(log.entries), stopped, log.entry, interrupted, case)


def train(network: Any, plan: "Plan", log: Log) -> tuple[Any, str]:
    """Return the trained network, and why training ended."""
    stopped = ""
    # [eq:fit-schedule]
    for n_intervals in plan.schedule:
        if n_intervals is not None and n_intervals != network.n_intervals:
            network = refine(network, plan.points, n_intervals)
        log.enter_grid()
        done, moved, left = 0, False, True
        while left:
            if plan.follow and leaves_grids(network, plan.points):
                network = place_hidden_grids(network, plan.points)
            objective, points = plan.method.start(plan.objective(network), plan.rng)
            steps, step, left = Steps(points, plan.n_steps - done), 0, False
            for step, point in enumerate(steps):
                network = objective.model_at(point.theta)
                if step or not moved:
                    log.add(point, network, objective, is_step=step > 0)
                if log.halted:
                    break
                if step and plan.checks_grids(done + step) and leaves_grids(network, plan.points):
                    left = moved = True
                    break
            done += step
            log.leave_method()
        stopped = log.halted or (f"{log.n_steps} steps are done" * (done == plan.n_steps))
        network, stopped = log.leave_grid(network, moved), stopped or steps.stopped
        if log.is_over:
            break
    # [/eq:fit-schedule]
    return network, stopped


def leaves_grids(network: Network, x: FloatArray) -> bool:
    """Return whether an activation of samples x lies outside [a, b] of the layer that takes it."""
    chunks = sample_slices(len(x), max(256, MOST_ENTRIES // network.n_params))
    flows = (list(layer_inputs(network.layers, x[rows]))[1:] for rows in chunks)
    return any(map(network.left_grids, flows))


class Plan(NamedTuple):
    """What `fit` was asked to do, its arguments checked."""

    method: Method
    n_steps: int
    schedule: Sequence[int | None]
    follow: bool
    loss: Loss
    samples: Samples | None
    penalty: Penalty | None
    smoothness_weight: float
    conditions: Equations | None
    trainable: Sequence[str]
    rng: np.random.Generator | None

    @property
    def by_batches(self) -> bool:
        """Whether every step has a mini-batch of its own."""
        return isinstance(self.method, Adam) and self.method.batch_size is not None

    @property
    def points(self) -> FloatArray:
        """The samples or points (n, n_in) whose activations hidden grids follow."""
        x = self.samples[0] if self.samples else cast("Equations", self.conditions).points
        # with mini-batches some of them, so that the time of a step does not grow with all
        return x[:: -(-len(x) // MOST_PROBED)] if self.by_batches else x

    def objective(self, network: Any) -> Objective:
        """Return the sum of terms for the grids of a network."""
        terms: list[Any] = []
        if self.samples is not None:
            terms.append(DataTerm(self.loss, *self.samples, network, self.penalty))
        if self.smoothness_weight > 0.0:
            terms.append(SmoothTerm(self.smoothness_weight, network))
        if self.conditions is not None:
            terms.append(self.conditions.prepare(network))
        return Objective(network, terms, trainable_places(network, self.trainable))

    def checks_grids(self, step: int) -> bool:
        """Return whether hidden grids are checked after a step of a grid, (T11)."""
        last = min(CHECK_UNTIL, self.n_steps - 1)
        return self.follow and step % CHECK_EVERY == 0 and step <= last

    def check(self, network: Any) -> None:
        """Raise ValueError where parts do not fit each other or the network."""
        trainable_places(network, self.trainable)
        if self.conditions is not None:
            self.conditions.check(network)
            if self.loss is not MSE or self.by_batches or self.penalty is not None:
                raise ValueError(
                    "equations are a sum of squares over all points: leave out loss, penalty and "
                    "batch_size"
                )
        if why := undefined_at(network, self.points, "x_train"):
            raise ValueError(why)


# --- arguments


def _read_data(
    network: Any, data: Any, loss: Loss, conditions: Equations | None
) -> tuple[Samples | None, Samples | None]:
    """Return the training and the test samples, None where there are none."""
    if data is None:
        if conditions is None:
            raise ValueError("data is None, but without equations= there is nothing to fit")
        return None, None
    checked = check_data(data, least=1 if conditions is None else 0)
    check_loss(checked, loss.name)
    found: list[Samples | None] = []
    for part in ("train", "test"):
        x, y = getattr(checked, f"x_{part}"), getattr(checked, f"y_{part}")
        checks.array(f"x_{part}", x, ("n", network.widths[0]))
        targets = loss.read_targets(f"y_{part}", y, network.widths[-1])
        found.append((x, targets) if len(x) else None)
    return found[0], found[1]


def _read_grids(network: Any, grids: Any) -> Sequence[int | None]:
    """Return the schedule for a network, never falling and none of it below the network's grids."""
    if grids is None:
        return (None,)
    if not isinstance(network, Network):
        checks.fail("grids", grids, f"only the grids of a Network are refined, not of {network!r}")
    schedule = [checks.integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids)]
    finest = max(layer.n_intervals for layer in network.layers)
    if not schedule or any(later < earlier for earlier, later in pairwise([finest, *schedule])):
        checks.fail("grids", grids, f"must not fall, and begin with {finest} or more")
    return schedule
