"""What a run writes down after every step, and which network it keeps."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import Network
from kan_ref.optimizers import Point
from kan_ref.training.methods import LM, Adam
from kan_ref.training.objective import Objective
from kan_ref.training.runs import Callback, Step
from kan_ref.training.terms import values_at

if TYPE_CHECKING:
    from kan_ref.training.fit import Plan

Samples = tuple[FloatArray, FloatArray]  # x (n, n_in) and targets (n, n_out)
Best = tuple[float, Any, int]  # a value, its network, and its place among the entries
TEST_STEPS = 20  # steps on as many samples as the test has, for each test error
UNKNOWN = (np.nan, np.nan, np.nan)  # loss, root mean square error, accuracy


class Log:
    """The entries of a run. `halted` says why the method must stop, "" while it need not."""

    def __init__(
        self,
        plan: "Plan",
        test: Samples | None,
        held_out: Samples | None,
        callback: Callback | None,
        progress: bool,
    ) -> None:
        self.plan, self.test, self.held_out = plan, test, held_out
        self.callback = None if callback is None else checks.function("callback", callback)
        self.bar = _bar(len(plan.schedule) * plan.n_steps) if progress else None
        self.began, self.entries, self.entry = time.perf_counter(), list[Step](), -1
        self.halted, self.is_over, self.n_steps, self.waited = "", False, 0, 0
        self.evaluations = self.evaluations_before = 0
        self.best: Best = (np.inf, None, 0)
        # test errors take a few hundredths of the time of the steps
        batch = plan.method.batch_size if isinstance(plan.method, Adam) else None
        n_of_step = batch or len(plan.points)
        rare = test is not None and not isinstance(plan.method, LM)
        self.test_every = -(-TEST_STEPS * len(test[0]) // n_of_step) if rare and test else 1

    def enter_grid(self) -> None:
        """Begin to count the steps of a grid."""
        self.begun, self.first_entry = self.n_steps, len(self.entries)
        self.waited, self.best_here = -1, (np.inf, None, 0)

    def add(self, point: Point, network: Any, objective: Objective, *, is_step: bool) -> None:
        """Write down a point of a method, keep the best network, and call the callback."""
        self.n_steps += is_step
        self.evaluations = self.evaluations_before + point.n_evaluations
        penalty, loss = objective.added(network), point.value
        train = max(loss - penalty, 0.0), np.sqrt(max(loss - penalty, 0.0)), np.nan
        if objective.is_data:
            train = objective.terms[0].judge(network)
        n = self.n_steps - self.begun
        tested = n % self.test_every == 0 or n == self.plan.n_steps
        test = self.judge(network, self.test) if tested else UNKNOWN
        held = self.judge(network, self.held_out)
        grid = network.layers[0].n_intervals if isinstance(network, Network) else 0
        self.entries.append(
            Step(
                step=self.n_steps,
                n_intervals=grid,
                penalty=penalty,
                n_evaluations=self.evaluations,
                seconds=time.perf_counter() - self.began,
                network=None,  # a long run would hold every theta
                **_named("train", train),
                **_named("test", test),
                **_named("validation", held),
            )
        )
        self._keep(point.value if self.held_out is None else held[0], network)
        if self.bar is not None:
            self.bar.set_postfix_str(f"train {train[1]:.1e}", refresh=False)
            self.bar.update(int(is_step))
        if self.callback is not None and self.callback(self.entries[-1]._replace(network=network)):
            self.halted = f"the callback asked to stop after step {self.n_steps}"
            self.is_over = True

    def _keep(self, value: float, network: Any) -> None:
        """Keep the network with the smallest value; with mini-batches, whose values vary, each."""
        found = value if np.isfinite(value) else np.inf, network, len(self.entries) - 1
        every = self.plan.by_batches and self.held_out is None
        if every or self.best_here[1] is None or found[0] < self.best_here[0]:
            self.best_here = found
        self.waited += 1
        # [eq:early-stopping]
        if every or self.best[1] is None or found[0] < self.best[0]:
            self.best, self.waited = found, 0
        if self.held_out is not None and self.waited >= max(10, self.plan.n_steps // 5):
            self.halted = f"no smaller held-out loss in {self.waited} steps"
        # [/eq:early-stopping]

    def leave_method(self) -> None:
        """Add the evaluations of a method that has ended."""
        self.evaluations_before = self.evaluations

    def leave_grid(self, network: Any, moved: bool) -> Any:
        """Return the network with which a grid ends: the last, or the best where grids moved."""
        self.entry = len(self.entries) - 1
        if self.plan.by_batches:  # the last training error is that of all samples
            self.fill("train", self.judge(network, self.plan.samples))
        if self.held_out is not None:
            _, network, self.entry = self.best
            self.is_over |= self.entry < self.first_entry
            self.halted = "" if not self.is_over else self.halted
        elif moved:
            _, network, self.entry = self.best_here
        self.fill("test", self.judge(network, self.test))
        return network

    def best_so_far(self) -> Any:
        """Return the network of an interrupted run."""
        _, network, self.entry = self.best
        self.fill("test", self.judge(network, self.test))
        return network

    def judge(self, network: Any, samples: Samples | None) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy on samples, nan without them."""
        if samples is None:
            return UNKNOWN
        x, targets = samples
        return self.plan.loss.judge(values_at(network, x), targets)

    def fill(self, part: str, judged: tuple[float, float, float]) -> None:
        """Write errors into the entry of the network."""
        self.entries[self.entry] = self.entries[self.entry]._replace(**_named(part, judged))

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()


def _named(part: str, judged: tuple[float, float, float]) -> dict[str, Any]:
    """Return loss, root mean square error and accuracy by their names in a `Step`."""
    return dict(zip((f"{part}_loss", f"{part}_rmse", f"{part}_accuracy"), judged, strict=True))


def _bar(n_steps: int) -> Any:
    """Return a bar of so many steps."""
    from tqdm import tqdm  # here, so that training without a bar loads nothing but NumPy

    return tqdm(total=n_steps, unit="step")
