"""Training: an objective is a sum of terms, a method yields points, a run loops.

Liu et al. 2024, sections 2.2 and 2.4. One call of `fit` goes through a schedule of
grids. On each it minimises the objective (T7) of the network, by a method whose memory
ends with that grid.

    (T10)  before each grid    with another number of intervals: the first layer is
                               extended over its own [a, b], hidden grids are placed on
                               the activations
    (T11)  during each grid    at the start and after steps 5, 10, ..., 50 a hidden grid
                               that an activation has left is placed again; its curves
                               keep their values at the activations, and the method goes
                               on without its memory; the best network of the grid is
                               kept
    (T24)  held-out samples    the network of the run is that with the smallest held-out
                               loss
    (T25)                      a grid ends after n_steps / 5 steps, at least 10, without
                               a smaller one, and the run after a grid without one
                               (Goodfellow, Bengio & Courville, Deep Learning, 2016,
                               section 7.8)

A move costs no evaluation with Adam, whose next step takes the last gradient, and one
with the other methods. Their memories are dropped because results were worse with them:
of Adam that kept its moments 0.9 to 3 times the error (three functions, 100 and 400
steps, medians of 8 seeds), of Levenberg-Marquardt that kept its damping 1.0 to 2.6
times (three functions, 12 and 25 steps, medians of 40 seeds).

docs/usage.md, "How a step works", names the functions that a step calls, in order.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref import network as nets
from kan_ref.checks import FloatArray
from kan_ref.data import check_data, check_loss
from kan_ref.network import PARAMETER_NAMES, Model, Network
from kan_ref.optimizers import Point, Steps, steps_done
from kan_ref.sparsity import Penalty
from kan_ref.training.diagnose import undefined_at
from kan_ref.training.held_out import split_samples
from kan_ref.training.losses import LOSSES, MSE, Judged, Loss
from kan_ref.training.methods import LM, Adam, Method, read_method
from kan_ref.training.objective import Objective, read_penalty, trainable_places
from kan_ref.training.runs import Callback, History, Kind, Run, Step
from kan_ref.training.terms import DataTerm, SmoothTerm, values_at

if TYPE_CHECKING:
    from kan_ref.pde import Equations

CHECK_EVERY, CHECK_UNTIL = 5, 50  # (T11), the schedule of the paper's code
MOST_PROBED = 2**9  # samples whose activations hidden grids follow, with mini-batches
TEST_STEPS = 20  # steps on as many samples as the test has, for each test error
UNKNOWN = (np.nan, np.nan, np.nan)  # loss, root mean square error, accuracy

Samples = tuple[FloatArray, FloatArray]  # x (n, n_in) and targets (n, n_out)


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
    """Train a network on data or equations, on one grid or a schedule of finer ones.

    Parameters
    ----------
    network : Network, MLP or LAN
    data : Data, optional
        Or any record of its four arrays; labels (n,) for "cross_entropy". Test data are
        reported.
    equations : sequence of terms
        From `linear_term`, `value_term`, `function_term`, `equation_term`. Training
        data beside them are measurements; without any, test data are a solution.
    optimizer : str, LM, LBFGS or Adam, optional
        "lm" (the default for a sum of squares), "lbfgs" (else), "adam", or a record.
    n_steps : int
        Steps on each grid.
    loss, penalty, smoothness_weight : str, float or Penalty, float
        As in `value_and_grad`.
    grids : sequence of int, optional
        Numbers of intervals that never fall. None keeps the grids.
    update_grids : bool
        Whether hidden grids follow activations that leave them.
    trainable : sequence of str
        Which of "coef", "w_base", "w_spline", "symbolic" to train.
    validation_share : float
        0 to 0.5: the part of the training samples that is held out.
    rng : numpy.random.Generator, optional
        For mini-batches and held-out samples; without it these are spread evenly.
    callback : callable, optional
        Gets a `Step` after every step; True, or a reason as text, stops the run.
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
    >>> net = kr.best_start((2, 1, 1), data, n_intervals=3, degree=3, rng=rng)
    >>> fit(net, data, grids=(5, 10), n_steps=20).test_rmse < 1e-2
    True
    """
    checks.instance("network", network, Model, "a Network, an MLP or a LAN")
    kind = LOSSES[checks.choice("loss", loss, LOSSES)]
    weights = read_penalty(network, penalty)
    conditions = _read_equations(equations)
    samples, test = _read_data(network, data, kind, conditions)
    if rng is not None:
        checks.generator("rng", rng)
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
    if callback is not None:
        checks.function("callback", callback)
    bar = None
    if checks.flag("progress", progress):
        bar = _bar(len(plan.schedule) * plan.n_steps)
        callback = _with_bar(bar, callback)

    log, interrupted = Log(plan, test, held_out, callback), False
    try:
        network, stopped = train(network, plan, log)
    except KeyboardInterrupt:
        if not log.entries:
            raise
        network, interrupted = log.best_so_far(), True
        stopped = f"interrupted after {checks.counted(log.n_steps, 'step')}"
    finally:
        if bar is not None:
            bar.close()
    case = {"data": data, "equations": equations}
    return Run(network, History(log.entries), stopped, log.entry, interrupted, case)


def train(network: Any, plan: "Plan", log: "Log") -> tuple[Any, str]:
    """Return the trained network, and why training ended."""
    stopped, checked = "", plan.grid_checks
    # [eq:fit-schedule]
    for n_intervals in plan.schedule:
        if n_intervals is not None and n_intervals != network.n_intervals:
            network = nets.refine(network, plan.probed, n_intervals)
        log.enter_grid(network)
        objective, points = plan.method.start(plan.objective(network), plan.rng)
        steps, has_moved = Steps(points, plan.n_steps), False
        for step, point in enumerate(steps):
            network = objective.model_at(point.theta)
            log.add(point, network, objective, is_step=step > 0)
            if log.halted:
                break
            if step in checked:
                flow = None
                if plan.conditions is None and not plan.by_batches:
                    flow = objective.terms[0].known_flow(network)
                placed = nets.place_hidden_grids(
                    network, plan.probed, flow=flow, only_left=True
                )
                if placed is not network:
                    steps.moved = objective.move(placed)
                    network, has_moved = placed, True

        log.n_evaluations += point.n_evaluations
        if log.halted:
            stopped = log.halted
        elif step == plan.n_steps:
            stopped = steps_done(log.n_steps)
        else:
            stopped = steps.stopped
        network = log.leave_grid(network, has_moved)
        if log.is_over:
            break
    # [/eq:fit-schedule]
    return network, log.halted or stopped


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
    conditions: "Equations | None"
    trainable: Sequence[str]
    rng: np.random.Generator | None

    @property
    def by_batches(self) -> bool:
        """Whether every step has a mini-batch of its own."""
        return isinstance(self.method, Adam) and self.method.batch_size is not None

    @property
    def points(self) -> FloatArray:
        """The points of equations and the samples, (n, n_in), which grids follow."""
        parts: list[FloatArray] = []
        if self.conditions is not None:
            parts.append(self.conditions.points)
        if self.samples is not None:
            parts.append(self.samples[0])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def probed(self) -> FloatArray:
        """The points looked at during a run: with mini-batches few of them."""
        x = self.points
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

    @property
    def grid_checks(self) -> range:
        """The steps of a grid after which hidden grids are checked, (T11)."""
        if not self.follow:
            return range(0)
        last = min(CHECK_UNTIL, self.n_steps - 1)
        return range(0, last + 1, CHECK_EVERY)

    def check(self, network: Any) -> None:
        """Raise ValueError where parts do not fit each other or the network."""
        if self.conditions is not None:
            self.conditions.check(network)
            if self.loss is not MSE or self.by_batches or self.penalty is not None:
                raise ValueError(
                    "equations are a sum of squares of all points: no other loss, "
                    "penalty or batch_size"
                )
        name = "x_train" if self.conditions is None else "the points"
        if why := undefined_at(network, self.points, name, highest=1):
            raise ValueError(why)


class Log:
    """The entries of a run; `halted` says why it must stop, "" if it need not."""

    def __init__(
        self,
        plan: Plan,
        test: Samples | None,
        held_out: Samples | None,
        callback: Callback | None,
    ) -> None:
        self.plan, self.test, self.held_out = plan, test, held_out
        self.callback = callback
        self.started_at = time.perf_counter()
        self.entries, self.entry = list[Step](), -1
        self.halted, self.is_over, self.n_steps, self.n_evaluations = "", False, 0, 0
        # a value, its network, and its place among the entries
        self.best: tuple[float, Any, int] = (np.inf, None, 0)
        self.keeps_last = plan.by_batches and held_out is None  # values of batches vary
        # test errors take a few hundredths of the time of the steps
        self.test_every = 1
        if test is not None and not isinstance(plan.method, LM):
            n_samples = len(plan.probed)
            if isinstance(plan.method, Adam) and plan.method.batch_size is not None:
                n_samples = plan.method.batch_size
            self.test_every = -(-TEST_STEPS * len(test[0]) // n_samples)

    def enter_grid(self, network: Any) -> None:
        """Begin to count the steps of a grid."""
        self.grid = network.layers[0].n_intervals if isinstance(network, Network) else 0
        self.n_steps_before, self.first_entry = self.n_steps, len(self.entries)
        self.waited, self.best_here = -1, (np.inf, None, 0)

    def add(
        self, point: Point, network: Any, objective: Objective, *, is_step: bool
    ) -> None:
        """Write down a point, keep the best network, and call the callback."""
        self.n_steps += is_step
        n = self.n_steps - self.n_steps_before
        penalty, train = objective.judge(network, point.value)
        test = held = UNKNOWN
        if self.test and n % self.test_every == 0:
            test = self.judge(network, self.test)
        if self.held_out:
            held = self.judge(network, self.held_out)
        n_evaluations = self.n_evaluations + point.n_evaluations
        seconds = time.perf_counter() - self.started_at
        # without the network: a long run would hold every theta
        counts = self.n_steps, self.grid, penalty, n_evaluations, seconds
        entry = Step(*counts, *train, *test, *held, None)
        self.entries.append(entry)
        self.keep(held[0] if self.held_out else point.value, network)
        if self.callback is None:
            return
        if answer := self.callback(entry._replace(network=network)):
            self.halted = f"the callback asked to stop after step {self.n_steps}"
            if isinstance(answer, str):
                self.halted = answer
            self.is_over = True

    def keep(self, value: float, network: Any) -> None:
        """Keep the network with the smallest value of the run, and that of the grid."""
        if not np.isfinite(value):
            value = np.inf
        found = value, network, len(self.entries) - 1
        self.waited += 1
        # [eq:early-stopping]
        if self.keeps_last or self.best[1] is None or value < self.best[0]:
            self.best, self.waited = found, 0
        if self.held_out and self.waited >= max(10, self.plan.n_steps // 5):
            self.halted = f"no smaller held-out loss in {self.waited} steps"
        # [/eq:early-stopping]
        if self.keeps_last or self.best_here[1] is None or value < self.best_here[0]:
            self.best_here = found

    def leave_grid(self, network: Any, has_moved: bool) -> Any:
        """Return the network of a grid: the last, or the best where grids moved.

        With held-out samples it is the best of the run.
        """
        self.entry = len(self.entries) - 1
        if self.held_out:
            _, network, self.entry = self.best
            if not self.is_over:
                self.is_over, self.halted = self.entry < self.first_entry, ""
            if self.is_over and not self.halted:
                self.halted = "no smaller held-out loss on the last grid"
        elif has_moved:
            _, network, self.entry = self.best_here
        self.complete(network)
        return network

    def best_so_far(self) -> Any:
        """Return the network of an interrupted run."""
        _, network, self.entry = self.best
        self.complete(network)
        return network

    def complete(self, network: Any) -> None:
        """Write errors on all samples into the network's entry, if they are missing."""
        missing: dict[str, Samples] = {}
        if self.test is not None and np.isnan(self.entries[self.entry].test_loss):
            missing["test"] = self.test
        if self.plan.samples is not None and self.plan.by_batches:
            missing["train"] = self.plan.samples
        for part, samples in missing.items():
            names = f"{part}_loss", f"{part}_rmse", f"{part}_accuracy"
            errors: Any = dict(zip(names, self.judge(network, samples), strict=True))
            self.entries[self.entry] = self.entries[self.entry]._replace(**errors)

    def judge(self, network: Any, samples: Samples) -> Judged:
        """Return loss, root mean square error and accuracy on samples."""
        x, targets = samples
        return self.plan.loss.judge(values_at(network, x), targets)


# --- arguments


def _read_equations(equations: Any) -> "Equations | None":
    """Return the equations, None where there are none."""
    if isinstance(equations, list | tuple) and not equations:
        return None
    from kan_ref.pde import Equations  # here: a fit of data needs no equations

    return Equations(equations)


def _read_data(
    network: Any, data: Any, loss: Loss, conditions: "Equations | None"
) -> tuple[Samples | None, Samples | None]:
    """Return the training and the test samples, None where there are none."""
    if data is None:
        if conditions is None:
            rule = "without equations= there is nothing to fit"
            raise ValueError(f"data is None, but {rule}")
        return None, None
    checked = check_data(data, least=1 if conditions is None else 0)
    check_loss(checked, loss.name)
    found: list[Samples | None] = []
    for part in ("train", "test"):
        x, y = getattr(checked, f"x_{part}"), getattr(checked, f"y_{part}")
        checks.array(f"x_{part}", x, ("n", network.widths[0]))
        targets = loss.read_targets(f"y_{part}", y, network.widths[-1])
        found.append((x, targets) if len(x) else None)
        if conditions is not None and conditions.terms[0].scales is not None:
            reach = np.maximum(1.0, np.abs(conditions.points).max(axis=0))
            if (np.abs(x) > (1.0 + 1e-9) * reach).any():
                raise ValueError(
                    f"x_{part} has units, but beside equations with scales data are "
                    "dimensionless: give scales.inputs(x) and scales.outputs(y)"
                )
    return found[0], found[1]


def _read_grids(network: Any, grids: Any) -> Sequence[int | None]:
    """Return the schedule, never falling and not below the network's grids."""
    if grids is None:
        return (None,)
    if not isinstance(network, Network):
        rule = f"only the grids of a Network are refined, not of {network!r}"
        checks.fail("grids", grids, rule)
    if not np.iterable(grids):
        rule = "must be a sequence of integers such as (5, 10)"
        checks.fail("grids", grids, rule, TypeError)
    schedule = [checks.integer(f"grids[{place}]", n) for place, n in enumerate(grids)]
    finest = max(layer.n_intervals for layer in network.layers)
    steps = [later - earlier for earlier, later in pairwise([finest, *schedule])]
    if not schedule or min(steps) < 0:
        checks.fail("grids", grids, f"must not fall, and begin with {finest} or more")
    return schedule


# --- a bar


def _bar(n_steps: int) -> Any:
    """Return a bar of so many steps."""
    from tqdm import tqdm  # here: training without a bar loads nothing but NumPy

    return tqdm(total=n_steps, unit="step")


def _with_bar(bar: Any, callback: Callback | None) -> Callback:
    """Return a callback that moves the bar, too."""

    def moving(step: Step) -> bool | str | None:
        bar.set_postfix_str(f"train {step.train_rmse:.1e}", refresh=False)
        bar.update(step.step - bar.n)
        return None if callback is None else callback(step)

    return moving
