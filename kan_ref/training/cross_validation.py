"""A noisy table: cross-validation chooses the architecture and the penalty.

With few or noisy samples the network that fits best predicts badly. The architectures
are

    constant    the mean of the targets, or the frequencies of the classes
    linear      one layer of lines
    additive    one layer of splines, y = sum_i phi_i(x_i)
    hidden      a network with hidden layers, which can represent interactions

The lines are a network of one layer, too: the identity is its base function, and one
basis function of degree 0, which is 1 far beyond the samples, gives the constant. Each
but the constant is trained with the L1 penalty on edges (Liu et al. 2024, eq. 2.17) of
weights w_1 < w_2 < ..., and each fit begins where the one before has ended:

    (T23)  theta_1 = minimise(w_1, theta_0),   theta_p = minimise(w_p, theta_{p-1})

So a network first uses all its edges, and then loses those that the data do not need.
In the reverse order edges that a strong penalty has made 0 stay near 0. Losses on
held-out samples are taken in K folds (Hastie, Tibshirani & Friedman, The Elements of
Statistical Learning, 2nd ed., section 7.10), and the simplest candidate that is as good
as the best one, (T22), is chosen. Within one architecture, a stronger penalty is
simpler. All folds begin with the same initial parameters; each places its grids on the
samples it trains on, and clips the others to their range.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.data import Data, check_data
from kan_ref.network import Network, domain_of_samples, init_network
from kan_ref.sparsity import Penalty
from kan_ref.training.fit import fit
from kan_ref.training.held_out import (
    best_constant,
    compare,
    fold_order,
    sample_losses,
    strata,
)
from kan_ref.training.losses import LOSSES, MSE, Loss
from kan_ref.training.runs import Run, Step
from kan_ref.training.terms import values_at

WEIGHTS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
# training samples; fewer do not tell neighbouring weights apart: every other one
FEW = 100
FEWEST = 5  # training samples; with fewer, standard errors mean little
MOST_FOLDED = 1000  # training samples; of more of them, one fifth is held out once
# times the width of the samples: how far the constant of the lines reaches
WIDER = 10.0
WINDOW, SETTLED = 10, 1e-3  # steps, and the relative fall of the objective over them


@dataclass(frozen=True)
class Candidate:
    """An architecture with a weight of the penalty, and its loss.

    The weight is infinite for the constant. `validation_loss` is the mean over all
    held-out samples; `excess` and `standard_error` compare it with the best candidate,
    (T21).
    """

    architecture: str
    penalty_weight: float
    validation_loss: float
    excess: float
    standard_error: float

    @property
    def as_good(self) -> bool:
        """Whether it is as good as the best one, (T22), or the only one."""
        is_only_one = np.isnan(self.excess)
        return bool(is_only_one or self.excess <= self.standard_error < np.inf)

    def __str__(self) -> str:
        what = self.architecture
        if np.isfinite(self.penalty_weight):
            what += f", penalty {self.penalty_weight:g}"
        return f"{what}: held-out loss {self.validation_loss:.3g}"


@dataclass(frozen=True, eq=False, repr=False)
class ValidatedRun(Run[Network]):
    """The run of the chosen candidate on all training samples, with all candidates.

    `domain` (n_in, 2): the smallest and the largest training inputs.
    """

    candidates: tuple[Candidate, ...] = ()
    chosen: Candidate | None = None
    domain: FloatArray | None = None
    names: tuple[str, ...] | None = None

    def predict(self, x: object) -> FloatArray:
        """Compute outputs (batch, n_out) at inputs clipped to `domain`.

        Beyond the training inputs a spline that few samples determine may have any
        value.
        """
        assert self.domain is not None
        if self.names is not None:
            checks.same_columns("x", x, self.names)
        points = checks.array("x", x, ("batch", len(self.domain)))
        return self.network(_clipped(points, self.domain))

    def __repr__(self) -> str:
        chosen = f"chosen of {len(self.candidates)}: {self.chosen}"
        return f"ValidatedRun({self.network!r}, {chosen})"


@np.errstate(all="ignore")
def cross_validate(
    data: Any,
    *,
    hidden: Sequence[int] = (5,),
    n_intervals: int = 3,
    degree: int = 3,
    loss: str = "mse",
    weights: Sequence[float] | None = None,
    n_steps: int = 100,
    n_folds: int | None = None,
    rng: np.random.Generator,
) -> ValidatedRun:
    """Train a network on a noisy table, chosen by cross-validation.

    What is chosen is its architecture and the weight of its penalty.

    Parameters
    ----------
    data : Data
        Standardized, as from `scaled`. Test data are only reported.
    hidden : sequence of int
        Widths of the hidden layers of the richest architecture; () leaves it out.
    n_intervals, degree : int
        Of the spline edges.
    loss : str
        "mse", "cross_entropy" or "logistic".
    weights : sequence of float, optional
        Above 0, increasing: weights of the L1 penalty. None is 0.001, 0.003, 0.01, ...,
        1, with fewer than 100 training samples 0.001, 0.01, 0.1, 1.
    n_steps : int
        At most, of L-BFGS with the first weight; half as many with each of the others.
    n_folds : int, optional
        At least 2. None is 5; of more than 1000 samples one fifth is held out once.
    rng : numpy.random.Generator
        Draws the folds and the initial parameters.

    Returns
    -------
    run : ValidatedRun
        A `Run` with `candidates`, the `chosen` one, and `predict(x)`, which clips x to
        the range of the training inputs. With fewer than 5 training samples it is the
        constant.

    Notes
    -----
    Implements :eq:`penalty-path` and :eq:`paired-differences`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 2)).clip(-2.0, 2.0)
    >>> y = x[:, :1] + 0.3 * rng.standard_normal((60, 1))
    >>> data = Data(x[:40], y[:40], x[40:], y[40:])
    >>> run = cross_validate(data, weights=(0.01, 0.1), n_steps=20, rng=rng)
    >>> run.chosen.architecture
    'linear'
    """
    checked = check_data(data, least=1)
    kind = LOSSES[checks.choice("loss", loss, LOSSES)]
    rng = checks.generator("rng", rng)
    x, y = checked.x_train, checked.y_train
    n_out = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
    targets = kind.read_targets("y_train", y, n_out)

    given = weights
    if weights is None:
        given = WEIGHTS if len(x) >= FEW else WEIGHTS[::2]
    path = checks.array("weights", given, ("n_weights",)).tolist()
    if not path or (np.diff(path, prepend=0.0) <= 0.0).any():
        checks.fail("weights", given, "must be increasing numbers above 0")
    checks.integer("n_steps", n_steps, low=1)
    checks.integer("n_intervals", n_intervals, low=1)
    checks.integer("degree", degree)
    if isinstance(hidden, str) or not np.iterable(hidden):
        rule = "must be a sequence of integers such as (5,)"
        checks.fail("hidden", hidden, rule, TypeError)
    hidden = [checks.integer(f"hidden[{i}]", n, low=1) for i, n in enumerate(hidden)]

    # a fold trains on at least as many samples as an architecture has coefficients
    draws = copy.deepcopy(rng)
    initial = partial(_initial_networks, n_out, hidden, n_intervals, degree, draws)
    parts = _folds(strata(kind, targets), n_folds, rng)
    fewest = len(x) - max(map(len, parts), default=0)
    n_basis = n_intervals + degree
    needed = {"linear": 0, "additive": n_basis, "hidden": x.shape[1] * n_basis}
    networks = initial(x)
    names = [name for name in networks if fewest >= needed[name]]

    labels = [("constant", np.inf), *itertools.product(names, path[::-1])]
    losses = [
        _fold_losses(checked, kind, targets, part, initial, names, path, n_steps)
        for part in parts
    ]
    candidates = _compare(labels, losses)
    chosen = next(one for one in candidates if one.as_good)

    domain = _range(x)
    case = replace(checked, x_test=_clipped(checked.x_test, domain))
    if chosen.architecture == "constant":
        constant = _constant(networks["linear"], kind, targets)
        run = fit(constant, case, loss=loss, n_steps=0)
    else:
        path = [weight for weight in path if weight <= chosen.penalty_weight]
        *_, run = _path(networks[chosen.architecture], case, loss, path, n_steps)
    of_run = run.network, run.history, run.stopped, run.entry, run.interrupted, run.case
    return ValidatedRun(*of_run, tuple(candidates), chosen, domain, checked.names)


def _initial_networks(
    n_out: int,
    hidden: Sequence[int],
    n_intervals: int,
    degree: int,
    begin: Any,
    x: FloatArray,
) -> dict[str, Network]:
    """Return the networks "linear", "additive", and "hidden" unless it is empty."""
    rng = copy.deepcopy(begin)  # each fold draws the same parameters
    n_in = x.shape[1]
    ends = domain_of_samples(x)
    wide = ends + WIDER * np.array([-1.0, 1.0]) * (ends[:, 1:] - ends[:, :1])
    lines: dict[str, Any] = {"n_intervals": 1, "degree": 0, "domain": wide}
    curves: dict[str, Any] = {"n_intervals": n_intervals, "degree": degree}
    curves |= {"domain": ends, "x": x}
    linear = init_network((n_in, n_out), **lines, base="identity", rng=rng)
    networks = {"linear": linear}
    networks["additive"] = init_network((n_in, n_out), **curves, rng=rng)
    if len(hidden):
        networks["hidden"] = init_network((n_in, *hidden, n_out), **curves, rng=rng)
    return networks


def _constant(line: Network, loss: Loss, targets: FloatArray) -> Network:
    """Return the network of lines as the best constant, divided among its inputs."""
    (layer,) = line.layers
    each = best_constant(loss, targets) / layer.n_in
    coef = np.broadcast_to(each[:, None, None], layer.coef.shape)
    return Network((replace(layer, coef=coef, w_base=np.zeros_like(layer.w_base)),))


def _folds(
    groups: IntArray, n_folds: int | None, rng: np.random.Generator
) -> list[IntArray]:
    """Return the samples held out in each fold, in which strata keep their shares."""
    n = len(groups)
    if n < FEWEST:
        return []
    count = 5 if n_folds is None else checks.integer("n_folds", n_folds, low=2, high=n)
    order = fold_order(groups, rng)
    parts = [np.sort(order[fold::count]) for fold in range(count)]
    if n_folds is None and n > MOST_FOLDED:
        return parts[:1]
    return parts


def _fold_losses(
    data: Data,
    loss: Loss,
    targets: FloatArray,
    part: IntArray,
    initial: Callable[[FloatArray], dict[str, Network]],
    names: Sequence[str],
    weights: Sequence[float],
    n_steps: int,
) -> FloatArray:
    """Return losses (n_part, n_candidates) on a part, after training on the others."""
    kept = np.delete(np.arange(len(targets)), part)
    x, y = data.x_train, data.y_train
    # a network that a penalty has shrunk to 0 predicts the mean of those kept
    if loss is MSE:
        y = targets = targets - targets[kept].mean(axis=0)
    inside = Data(x[kept], y[kept], x[:0], y[:0])
    points = _clipped(x[part], _range(x[kept]))
    aim = targets[part]

    constant = np.tile(best_constant(loss, targets[kept]), (len(part), 1))
    columns = [sample_losses(loss, constant, aim)]
    networks = initial(x[kept])
    for name in names:
        of_weights = []
        for run in _path(networks[name], inside, loss.name, weights, n_steps):
            if run.interrupted:
                raise KeyboardInterrupt
            of_weights.append(sample_losses(loss, values_at(run.network, points), aim))
        columns += of_weights[::-1]
    return np.column_stack(columns)


def _path(
    network: Network, data: Data, loss: str, weights: Sequence[float], n_steps: int
) -> Iterator[Run[Network]]:
    """Train on the path (T23), and yield each run; an interrupted one ends it."""
    options: dict[str, Any] = {"loss": loss, "optimizer": "lbfgs"}
    steps = n_steps
    for weight in weights:
        # [eq:penalty-path]
        penalty = Penalty(weight, entropy=0.0)
        run = fit(
            network,
            data,
            **options,
            penalty=penalty,
            n_steps=steps,
            callback=_Settled(),
        )
        network = run.network
        # [/eq:penalty-path]
        yield run
        if run.interrupted:
            return
        steps = (n_steps + 1) // 2


class _Settled:
    """A callback that ends a fit after WINDOW steps with too little gain."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def __call__(self, step: Step) -> str:
        """Return why the fit may end, or "".

        Gains as small as these do not decide between candidates.
        """
        self.values.append(step.train_loss + step.penalty)
        if len(self.values) <= WINDOW:
            return ""
        last = self.values[-1]
        fall = self.values[-1 - WINDOW] - last
        return "the objective settled" if fall <= SETTLED * last else ""


def _compare(
    labels: Sequence[tuple[str, float]], parts: list[FloatArray]
) -> list[Candidate]:
    """Return all candidates, the simplest first, compared with the best one."""
    if not parts:
        return [Candidate("constant", np.inf, np.nan, np.nan, np.nan)]
    losses = np.concatenate(parts)
    means = losses.mean(axis=0)
    best = losses[:, int(np.argmin(means))]

    candidates = []
    for label, mean, column in zip(labels, means, losses.T, strict=True):
        pair = compare(column, best)
        found = float(mean), pair.excess, pair.standard_error
        candidates.append(Candidate(*label, *found))
    return candidates


def _range(x: FloatArray) -> FloatArray:
    """Return the smallest and the largest value of each column, (n_in, 2)."""
    return np.stack([x.min(axis=0), x.max(axis=0)], axis=1)


def _clipped(x: FloatArray, domain: FloatArray) -> FloatArray:
    """Return the nearest inputs within the domain (n_in, 2)."""
    return np.clip(x, domain[:, 0], domain[:, 1])
