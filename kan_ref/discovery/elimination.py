"""Remove nodes and edges, one at a time, while the error on held-out samples stays acceptable.

Greedy backward elimination, as for regressors (Draper & Smith, Applied Regression Analysis, 3rd
ed., section 15.2), of an architecture: a choice of nodes and edges. On one coarse grid a small
right architecture has a larger error than a rich wrong one, because nodes make up for the error of
the splines. Hence the error e of an architecture is the smallest over a ladder of grids,

    (D1)  e = min over grids G of the held-out error after training on G

the root mean square error, or for classes the mean loss. Then

    (D3)  next, the node (after the nodes, the edge) is removed whose removal changes the outputs
          least on the samples; the mean of its contribution is kept
    (D4)  of all architectures on this path, the smallest is chosen that is acceptable beside the
          one with the smallest error

The path of nodes leads down to one in each hidden layer, that of edges to the first that matters.
With the losses l_b of an architecture at n held-out samples and r_b of the other one, squared
errors or losses of classes, it is acceptable if

    (D8)  mean_b d_b <= std_b(d_b) / sqrt(n),   d_b = l_b - r_b

since the noise of a sample, which is the same for both, is no part of d_b. Errors of splines and of
training are not noise: any difference of them is significant, even one from 1e-9 s to 1e-7 s, where
s is the standard deviation of the targets. With the error r of the other architecture,

    (D9)  e <= 1.5 max(r, 1e-7 s),  if r <= tolerance s
          e <= 10 max(r, 1e-7 s),   if e was still falling fast on the last grid, and e <= s / 10

is acceptable, too. Of classes, a loss e <= tolerance is; and (D8) holds only if the residuals y - p
at the training samples have no structure (`residual_tests`), or those of the other one have some,
too: few labels are held out, and (D8) alone loses inputs with an effect.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record
from kan_ref.data import Data, check_data, check_loss
from kan_ref.discovery.residual_tests import SUSPECTED, class_structure
from kan_ref.network import Network, check_inputs, first_cause, layer_inputs, network_values
from kan_ref.sparsity import active_edges, nodes_on_paths, remove
from kan_ref.training import LBFGS, LM, LOSSES, compare, fit, hold_out, sample_losses

LADDER = (5, 10, 20, 50)
WORTH = 0.7  # a finer grid must lower the error to this fraction, or the ladder ends there
FAST = WORTH**4  # an error that a grid lowers to this fraction is still falling fast
MOST_NUMBERS = 0.6  # of the number of training samples: finer grids are not tried
VALIDATION_SHARE = 0.2  # of the samples are held out
ALLOWED, FALLING, LEAST, MOST_FALLING = 1.5, 10.0, 1e-7, 0.1  # of (D9)
MOST_EDGES = 200  # 2000 parameters on 5 intervals: a Levenberg-Marquardt step costs P^3 / 3
STEPS_FOR_ONE = 5  # L-BFGS steps for each of these, where there are more edges


@dataclass(frozen=True, eq=False)
class ArchitectureTrial:
    """An architecture that was tried: `what` in words, and its refined `network`.

    `coarse`: the network on its first grid; `error` on the held-out samples, a root mean square,
    for classes the mean loss; `losses` (n,) of these samples; `falling`: whether the error was
    still falling fast on the last grid.
    """

    what: str
    network: Network
    coarse: Network
    error: float
    losses: FloatArray
    falling: bool = False

    def __repr__(self) -> str:
        return f"{self.what}: {list(self.network.widths)}, held-out error {self.error:.2e}"


@dataclass(frozen=True, eq=False)
class Elimination(Record):
    """The smallest acceptable architecture.

    `network`, refined on the samples that were not held out; its `error` on those that were, a root
    mean square, for classes the mean loss; `least_error`, the smallest of all architectures;
    `steps`, the trials in their order. With fewer than 5 training samples none is held out.
    """

    network: Network
    error: float
    least_error: float
    steps: tuple[ArchitectureTrial, ...]

    def __repr__(self) -> str:
        tried = f"{len(self.steps)} architectures tried"
        return f"Elimination({self.network!r}, held-out error {self.error:.2e}, {tried})"


@np.errstate(all="ignore")
def eliminate(
    network: Network,
    data: object,
    *,
    tolerance: float = 1e-3,
    loss: str = "mse",
    edges: bool = True,
    n_steps: int = 30,
    grids: Sequence[int] = LADDER,
    smoothness_weight: float = 1e-8,
    callback: Callable[[ArchitectureTrial], None] | None = None,
) -> Elimination:
    """Remove nodes and edges one at a time while the held-out error stays acceptable.

    Parameters
    ----------
    network : Network
        Wide enough; trained or not. A node or an edge without which an output would have no path
        from any input stays.
    data : record with x_train, y_train, x_test, y_test
        Test data are not used. Scale inputs and targets with units by `kan_ref.scaled` first.
    tolerance : float
        At least 0, in units of the standard deviation of y_train: smaller errors are those of
        splines and training, not of noise, and may rise by half. Larger ones may rise by one
        standard error of the paired differences. Of classes, losses up to it, in nats, are as good
        as any smaller one.
    loss : str
        As in `fit`: "mse", or for classes "cross_entropy" or "logistic".
    edges : bool
        Whether edges are removed too, after the nodes: splines and symbolic edges.
    n_steps : int
        At least 1: Levenberg-Marquardt steps on every grid, or L-BFGS steps for classes. Networks
        with more than 200 edges are trained by 5 times as many steps of L-BFGS.
    grids : sequence of int
        Strictly increasing numbers of intervals on which each architecture is refined; numbers
        below the network's own are left out.
    smoothness_weight : float
        As in `fit`.
    callback : callable, optional
        Called with every `ArchitectureTrial` when it is finished.

    Returns
    -------
    elimination : Elimination
        With `.network`, `.error`, `.least_error` and the trials `.steps`. Implements
        :eq:`acceptable-removal`.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample("exp_sin", n_train=200, n_test=10, rng=rng)
    >>> network = kr.init_network((2, 2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> eliminate(network, data, grids=(5, 10), n_steps=20).network.widths
    (2, 1, 1)
    """
    checked = check_data(data, least=1)
    check_loss(checked, loss)
    checks.instance("network", network, Network)
    x = check_inputs(network, checked.x_train, "x_train")
    if why := first_cause(network.layers, layer_inputs(network.layers, x), "x_train", highest=1):
        raise ValueError(why)
    LOSSES[loss].read_targets("y_train", checked.y_train, network.widths[-1])
    every = [np.ones(width, dtype=bool) for width in network.widths]
    if not nodes_on_paths(active_edges(network), every)[-1].any():
        rule = "needs a path of active edges from an input to an output: use mask_edges"
        checks.fail("network", network, rule)
    ladder = tuple(checks.integer("a number of grids", count, low=1) for count in grids)
    if not ladder or list(ladder) != sorted(set(ladder)):
        checks.fail("grids", grids, "must be strictly increasing numbers of intervals")
    search = Search(
        hold_out(checked, VALIDATION_SHARE, loss=loss),
        checks.integer("n_steps", n_steps, low=1),
        ladder,
        checks.number("smoothness_weight", smoothness_weight, low=0.0),
        loss,
        tolerance=checks.number("tolerance", tolerance, low=0.0),
        report=checks.function("callback", callback) if callback else lambda trial: None,
    )
    return run_elimination(search, network, edges=checks.flag("edges", edges))


@dataclass(frozen=True)
class Search:
    """The samples and settings that all trials of one elimination share."""

    part: Data  # its test part are the held-out samples
    n_steps: int
    grids: tuple[int, ...]
    smoothness_weight: float
    loss: str = "mse"
    deadline: float = np.inf
    tolerance: float = 1e-3
    allowed: float = ALLOWED
    report: Callable[[ArchitectureTrial], None] = lambda trial: None

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline

    def tried(self, what: str, network: Network) -> ArchitectureTrial:
        """Train on finer and finer grids while that pays, (D1), and report the best network."""
        own = max(layer.n_intervals for layer in network.layers)
        first, *finer = [count for count in self.grids if count >= own] or [own]
        best = coarse = self._trained(network, first)
        (least, losses), falling = self._judged(best), False
        for n_intervals in finer:
            n_numbers = coarse.n_active_params * n_intervals / first
            if n_numbers > MOST_NUMBERS * len(self.part.x_train) or self.is_late:
                break
            network = self._trained(best, n_intervals)
            error, of_samples = self._judged(network)
            is_worth, falling = error < WORTH * least, error < FAST * least
            if error < least:
                best, least, losses = network, error, of_samples
            if not is_worth:
                break
        trial = ArchitectureTrial(what, best, coarse, least, losses, falling)
        self.report(trial)
        return trial

    def _trained(self, network: Network, n_intervals: int) -> Network:
        options: Any = {"smoothness_weight": self.smoothness_weight, "deadline": self.deadline}
        options |= {"loss": self.loss, "n_steps": self.n_steps}
        return fitted(network, self.part, grids=(n_intervals,), **options)

    def _judged(self, network: Network) -> tuple[float, FloatArray]:
        """Return the held-out error, inf if the network is undefined there, and the losses (n,)."""
        predicted, y = network_values(network, self.part.x_test), self.part.y_test
        if self.loss == "mse":
            losses = np.asarray(np.mean((predicted - y) ** 2, axis=1))
        else:
            targets = LOSSES[self.loss].read_targets("y_test", y, network.widths[-1])
            losses = sample_losses(LOSSES[self.loss], predicted, targets)
        error = float(np.mean(losses))
        error = error if np.isfinite(error) else np.inf
        return (float(np.sqrt(error)) if self.loss == "mse" else error), losses

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether a trial is acceptable beside a reference, by (D8) or (D9)."""
        as_good = compare(trial.losses, reference.losses).as_good
        if self.loss != "mse":
            new, old = (
                class_structure(self.part, one.network, self.loss, SUSPECTED)
                for one in (trial, reference)
            )
            as_good &= not new or bool(old)
            return as_good or trial.error <= self.tolerance
        # [eq:acceptable-removal]
        s = float(np.std(self.part.y_train, axis=0).max())
        is_exact = reference.error <= self.tolerance * s
        is_limited = trial.falling and trial.error <= MOST_FALLING * s
        factor = max(self.allowed, FALLING) if trial.falling else self.allowed
        is_near = trial.error <= factor * max(reference.error, LEAST * s)
        return as_good or ((is_exact or is_limited) and is_near)
        # [/eq:acceptable-removal]


def run_elimination(search: Search, network: Network, *, edges: bool = True) -> Elimination:
    """Remove nodes, then edges, as `eliminate` does, with validated arguments."""
    chosen = search.tried("as it is", network)
    steps = [chosen]
    for of_edges in (False, True) if edges else (False,):
        path, least = [chosen], chosen
        while not search.is_late:
            if not (found := _weakest(path[-1].coarse, search.part.x_train, of_edges)):
                break
            path.append(search.tried(*found))
            least = min(path, key=lambda trial: trial.error)
            if of_edges and not search.accepts(path[-1], least):
                break
        chosen = [one for one in path if one is least or search.accepts(one, least)][-1]
        steps += path[1:]
    least_error = min(trial.error for trial in steps)
    return Elimination(chosen.network, chosen.error, least_error, tuple(steps))


def _weakest(network: Network, x: FloatArray, of_edges: bool) -> tuple[str, Network] | None:
    """Return the removal that changes the outputs least, (D3), in words, and the smaller network.

    None if nothing can be removed.
    """
    old, least, found = network_values(network, x), np.inf, None
    for what, part in _edges(network) if of_edges else _nodes(network):
        try:
            smaller = remove(network, x, **part)
        except ValueError:  # an output is cut off, or a symbolic edge becomes undefined
            continue
        change = float(np.mean((network_values(smaller, x) - old) ** 2))
        if change < least:
            least, found = change, (what, smaller)
    return found


def _nodes(network: Network) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the hidden nodes that are not alone in their layer, as arguments of `remove`."""
    for layer, width in enumerate(network.widths[:-1]):
        for node in range(width if layer and width > 1 else 0):
            yield f"without node {node} of layer {layer}", {"nodes": {layer: [node]}}


def _edges(network: Network) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the edges that are not alone at an output or a hidden input, as for `remove`."""
    for layer, active in enumerate(active_edges(network)):
        for j, i in np.argwhere(active).tolist():
            if active[j].sum() > 1 and (layer == 0 or active[:, i].sum() > 1):
                what = f"without the edge from {i} to {j} of layer {layer}"
                yield what, {"edges": {layer: [(j, i)]}}


def fitted(
    network: Network, data: Data, *, n_steps: int, deadline: float = np.inf, **options: Any
) -> Network:
    """Train a network as `fit` does, until the deadline at most; an interrupt is raised again.

    By Levenberg-Marquardt without scaled variables, with which the constants above were measured,
    or for more than 200 edges by 5 times as many steps of L-BFGS; classes by L-BFGS.
    """
    n_edges = sum(int(active.sum()) for active in active_edges(network))
    if options.get("loss", "mse") == "mse" and "optimizer" not in options:
        options["optimizer"] = LM(scaled=False)
        if n_edges > MOST_EDGES:
            options["optimizer"], n_steps = LBFGS(scaled=False), STEPS_FOR_ONE * n_steps
    options["callback"] = lambda step: time.monotonic() > deadline
    run = fit(network, data, n_steps=n_steps, **options)
    if run.interrupted:
        raise KeyboardInterrupt
    return run.network
