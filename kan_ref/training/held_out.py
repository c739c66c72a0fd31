"""Held-out samples: their losses one by one, fair splits, comparisons in pairs, and early stopping.

A loss over data is a mean over samples; `sample_losses` has its terms. The constant prediction that
minimises it is the mean of the targets, or the logarithm of the classes' frequencies f_c. A class
that the samples lack would have log 0, so frequencies are taken with half a sample of each class
added,

    (T20)  f_c = (n_c + 1/2) / (n + C/2)

which is Jeffreys' prior for the C classes.

A mean loss contains the noise of the samples, which is the same for all models. The difference of
two models on the same sample does not contain it. With the losses l_b of a model and r_b of a
reference on n held-out samples, d_b = l_b - r_b has

    (T21)  excess = mean_b d_b,   standard error = std_b(d_b) / sqrt(n),   std with n - 1
    (T22)  the model is as good as the reference if excess <= standard error

This is the one-standard-error rule (Hastie, Tibshirani & Friedman, The Elements of Statistical
Learning, 2nd ed., section 7.10), for differences of pairs instead of the losses themselves.

For early stopping a part of the training samples is held out of the objective (Goodfellow, Bengio &
Courville, Deep Learning, 2016, section 7.8). With its loss v_s after step s,

    (T24)  the network of the run is that of the step s with the smallest v_s, over all grids
    (T25)  a grid ends when `patience` steps in a row have brought no smaller v_s

On the next grid the count starts again, because a finer grid can represent more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray, counted
from kan_ref.data import Data
from kan_ref.training.data_goal import LOSSES, DataGoal
from kan_ref.training.fit_arguments import undefined_at

LARGEST_SHARE = 0.5
NEIGHBOURS = 5


def sample_losses(goal: DataGoal, prediction: FloatArray) -> FloatArray:
    """Compute the losses (batch,) of predictions (batch, n_out), whose mean is the goal's loss.

    The loss of a sample whose prediction is not finite is infinite.
    """
    losses = np.array(
        [
            goal.loss.value_and_grad(prediction[b : b + 1], goal.targets[b : b + 1])[0]
            for b in range(len(prediction))
        ]
    )
    return np.where(np.isfinite(losses), losses, np.inf)


def best_constant(goal: DataGoal) -> FloatArray:
    """Return the constant prediction (n_out,) with the smallest loss, (T20) for classes."""
    if goal.loss.probabilities is None:
        return np.asarray(goal.targets.mean(axis=0))
    n = len(goal.targets)
    counts = goal.targets.sum(axis=0) + 0.5
    others = n + 1.0 - counts if goal.loss.name == "logistic" else counts.sum()
    constant: FloatArray = np.log(counts / others)
    return constant


def strata(goal: DataGoal) -> IntArray:
    """Return the stratum of each sample: its class, or its answer.

    All samples are in stratum 0 for numbers, and for several answers, whose patterns may be rare.
    """
    one_answer = goal.loss.name == "logistic" and goal.targets.shape[1] == 1
    if goal.loss.probabilities is None or not (goal.loss.name == "cross_entropy" or one_answer):
        return np.zeros(len(goal.targets), dtype=np.intp)
    return np.unique(goal.targets, axis=0, return_inverse=True)[1].reshape(-1)


def spread_order(n: int) -> IntArray:
    """Return 0, ..., n - 1 with one of five neighbours first, then the second of each five, ...

    The first fifth is spread evenly. Which of the five it has changes from five to five as if by
    chance, by the generator SplitMix64 (Steele, Lea & Flood 2014). So where samples take turns,
    such as weekdays or the points of a grid, a group of five or more is hardly ever held out whole.
    """
    b = np.arange(n)
    z = (b.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    rank = np.empty(n, dtype=np.intp)
    rank[np.lexsort((z, b // NEIGHBOURS))] = b % NEIGHBOURS
    return np.lexsort((z, rank))


def hold_out(data: Data, share: float, rng: np.random.Generator | None = None) -> Data:
    """Split training samples: `x_train` to train on, `x_test`, a share of them, to compare models.

    The held-out samples are drawn by `rng`; without it they are the first by `spread_order`. Where
    the share amounts to no sample, both parts are all training samples.
    """
    n = len(data.x_train)
    n_out = int(share * n)
    if n_out == 0:
        return replace(data, x_test=data.x_train, y_test=data.y_train)
    order = spread_order(n) if rng is None else rng.permutation(n)
    out, kept = order[:n_out], order[n_out:]
    if rng is None:
        out, kept = np.sort(out), np.sort(kept)
    return replace(
        data,
        x_train=data.x_train[kept],
        y_train=data.y_train[kept],
        x_test=data.x_train[out],
        y_test=data.y_train[out],
    )


def mixed_order(groups: IntArray, rng: np.random.Generator | None) -> IntArray:
    """Return all samples in order of their strata, mixed within each.

    Without `rng` to mix them, sample b has the place of the fractional part of b times the golden
    ratio. These are spread evenly, also over rows and columns of most rectangular grids.
    """
    n = len(groups)
    golden = 0.5 * (1.0 + np.sqrt(5.0))
    places = np.arange(n) * golden % 1.0 if rng is None else rng.permutation(n)
    return np.lexsort((places, groups))


def held_out_parts(
    groups: IntArray, n_folds: int, rng: np.random.Generator | None
) -> Iterator[IntArray]:
    """Yield the samples (n_held_out,) held out in each fold; each sample is in one fold.

    The strata of each part have their shares of the whole, up to one sample.
    """
    order = mixed_order(groups, rng)
    for fold in range(n_folds):
        yield np.sort(order[fold::n_folds])


@dataclass(frozen=True)
class Comparison:
    """The mean of paired differences of loss, and its standard error; inf if one is not finite."""

    excess: float
    standard_error: float

    @property
    def as_good(self) -> bool:
        """Whether the first model is as good as the reference, (T22)."""
        return bool(np.isfinite(self.excess)) and self.excess <= self.standard_error


def compare(losses: FloatArray, reference: FloatArray) -> Comparison:
    """Compare the losses (n,) of a model with those of a reference on the same samples, (T21).

    One sample has no standard error: then it is 0, and only a model without excess is as good.
    """
    difference = losses - reference
    if not np.isfinite(difference).all():
        return Comparison(np.inf, np.inf)
    if len(difference) == 1:
        return Comparison(float(difference[0]), 0.0)
    # [eq:paired-differences]
    excess = float(difference.mean())
    standard_error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    # [/eq:paired-differences]
    return Comparison(excess, standard_error)


@dataclass
class Validation:
    """The loss on held-out samples during a run.

    `best` is the network with the smallest loss so far, of step `best_step`; `improved` says
    whether it is of the grid that was entered last. `waited` counts the steps since. Of `n_judged`
    losses `n_undefined` are nan, the first as `cause` says, if a sample of `x_train` is it.
    """

    goal: DataGoal
    patience: int | None
    x_train: FloatArray | None = None
    best: Any = None
    best_step: int = 0
    least: tuple[float, float] = (np.inf, np.inf)  # loss and root mean square error
    waited: int = 0
    improved: bool = False
    n_judged: int = 0
    n_undefined: int = 0
    cause: str = ""

    def enter_grid(self, model: Any, *, by_chunks: bool = False) -> None:
        """Prepare for models with this first layer, and start the count again.

        Held-out samples evaluated `by_chunks` need no memory between the steps.
        """
        if not by_chunks:
            self.goal = self.goal.prepare(model)
        self.waited, self.improved = -1, False  # the network at the start of the grid is not a step

    def judge(self, model: Any, step: int) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy of a model, and keep the best."""
        judged = self.goal.judge_all(model)
        self.waited += 1
        self.n_judged += 1
        if np.isnan(judged[0]):
            self.n_undefined += 1
            if self.n_undefined == 1 and self.x_train is not None:
                # those trained on are defined after each step, so the sample is a held-out one
                why = undefined_at(model, self.x_train, "x_train")
                self.cause = f", that of step {step} because {why}" if why else ""
        loss = judged[0] if np.isfinite(judged[0]) else np.inf
        # [eq:early-stopping]
        if self.best is None or loss < self.least[0]:
            self.best, self.best_step, self.least = model, step, (loss, judged[1])
            self.waited, self.improved = 0, True
        # [/eq:early-stopping]
        return judged

    @property
    def idle(self) -> str:
        """Why the grid ends, (T25); "" while it does not."""
        if self.patience is None or self.waited < self.patience:
            return ""
        steps = "1 step" if self.patience == 1 else f"{self.patience} steps in a row"
        return f"no smaller held-out loss in {steps} (patience)"

    def note(self) -> str:
        """Return which network the run returns, as the end of `stopped`."""
        classes = self.goal.loss.probabilities is not None
        error = f"loss {self.least[0]:.3g}" if classes else f"rmse {self.least[1]:.3g}"
        nan = f"; held-out losses that are nan: {self.n_undefined} of {self.n_judged}{self.cause}"
        return (
            f"; the network is that of step {self.best_step}, with the smallest held-out loss: "
            f"{error} on {counted(len(self.goal.x), 'sample')}{nan if self.n_undefined else ''}"
        )


def read_validation(
    source: Any, share: object, patience: object, rng: np.random.Generator | None
) -> tuple[Any, Validation | None]:
    """Return the goal on the samples to train on, and the held-out part; None if share is 0."""
    fraction = checks.number("validation_share", share, low=0.0, high=LARGEST_SHARE)
    steps = None if patience is None else checks.integer("patience", patience, low=1)
    if fraction == 0.0:
        if steps is not None:
            raise ValueError(
                f"patience is {steps}, but without held-out samples there is no loss to wait for: "
                "give validation_share=0.2 too"
            )
        return source, None
    if not isinstance(source, DataGoal):
        raise ValueError(  # noqa: TRY004  # the type is right, a combination is not
            f"validation_share is {fraction:g}, but the points of a problem of differential "
            "equations are not samples that can be held out: leave it at 0"
        )
    kept, held_out = split_goal(source, fraction, rng)
    if not len(held_out.x):
        larger = _held_out(source, LARGEST_SHARE, None).any()
        raise ValueError(
            f"validation_share is {fraction:g}, but of {counted(len(source.x), 'training sample')} "
            "it must hold out at least one: give "
            f"{f'a larger share, at most {LARGEST_SHARE:g}, or ' if larger else ''}more samples"
        )
    return kept, Validation(held_out, steps, source.x)


def split_goal(
    goal: DataGoal, share: float, rng: np.random.Generator | None
) -> tuple[DataGoal, DataGoal]:
    """Return the goals of the samples to train on, and of floor(share * n) held-out samples.

    Classes keep their shares, up to one sample; the only sample of a class is never held out. The
    order of the samples stays.
    """
    out = _held_out(goal, share, rng)
    kept, held_out = (
        replace(goal, x=goal.x[part], targets=goal.targets[part]) for part in (~out, out)
    )
    return kept, held_out


def hold_out_classes(
    data: Data, loss: str, share: float, rng: np.random.Generator | None = None
) -> Data:
    """Split training samples as `hold_out` does; classes keep their shares, as in `split_goal`.

    `loss` is one of classes, and y_train has labels or answers for it.
    """
    y = data.y_train
    n_out = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
    targets = LOSSES[loss].check_targets("y_train", y, n_out)
    out = _held_out(DataGoal(LOSSES[loss], data.x_train, targets), share, rng)
    if not out.any():
        return replace(data, x_test=data.x_train, y_test=data.y_train)
    x = data.x_train
    return replace(data, x_train=x[~out], y_train=y[~out], x_test=x[out], y_test=y[out])


def _held_out(goal: DataGoal, share: float, rng: np.random.Generator | None) -> NDArray[np.bool_]:
    """Return which of the samples (n,) are held out."""
    groups = strata(goal)
    n, sizes = len(goal.x), np.bincount(groups)
    order = mixed_order(groups, rng)
    order = order[sizes[groups[order]] > 1] if len(sizes) > 1 else order
    # every time that share * (position + 1) passes an integer
    passed = np.floor(share * np.arange(1, len(order) + 1))
    out = np.zeros(n, dtype=np.bool_)
    out[order[np.diff(passed, prepend=0.0) > 0.0]] = True
    return out
