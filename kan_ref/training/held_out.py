"""Held-out samples: fair splits, losses one by one, and comparisons in pairs.

A mean loss contains the noise of the samples, which is the same for all models. The
difference of two models on the same sample does not. With the losses l_b of a model and
r_b of a reference on n held-out samples, d_b = l_b - r_b has

    (T21)  excess = mean_b d_b
           standard error = std_b(d_b) / sqrt(n),    std with n - 1
    (T22)  the model is as good as the reference if excess <= standard error

This is the one-standard-error rule (Hastie, Tibshirani & Friedman, The Elements of
Statistical Learning, 2nd ed., section 7.10), for differences of pairs instead of the
losses themselves.
"""

from dataclasses import dataclass, replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.data import Data
from kan_ref.training.losses import LOSSES, MSE, Loss

NEIGHBOURS = 5


def sample_losses(
    loss: Loss, prediction: FloatArray, targets: FloatArray
) -> FloatArray:
    """Compute the losses (n,) whose mean is the loss; infinite where not finite."""
    losses = np.empty(len(prediction))
    for b in range(len(prediction)):
        losses[b], _ = loss.value_and_grad(prediction[b : b + 1], targets[b : b + 1])
    return np.where(np.isfinite(losses), losses, np.inf)


def best_constant(loss: Loss, targets: FloatArray) -> FloatArray:
    """Return the constant prediction (n_out,) with the smallest loss.

    For classes it is the logarithm of their frequencies, each with half a sample added
    (Jeffreys' prior), so that a class without samples has no log 0.
    """
    if loss is MSE:
        return np.asarray(targets.mean(axis=0))
    counts = targets.sum(axis=0) + 0.5
    others = counts.sum()
    if loss.name == "logistic":
        others = len(targets) + 1.0 - counts
    constant: FloatArray = np.log(counts / others)
    return constant


def spread_order(n: int) -> IntArray:
    """Return 0, ..., n - 1: one of each five neighbours first, then a second, ...

    The first fifth is spread evenly. Which of the five it has changes from five to five
    as if by chance, by the generator SplitMix64 (Steele, Lea & Flood 2014). So where
    samples take turns, such as weekdays or the points of a grid, a group of five or
    more is hardly ever held out whole.
    """
    b = np.arange(n)
    z = (b.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    rank = np.empty(n, dtype=np.intp)
    by_chance = np.lexsort((z, b // NEIGHBOURS))
    rank[by_chance] = b % NEIGHBOURS
    return np.lexsort((z, rank))


def strata(loss: Loss, targets: FloatArray) -> IntArray:
    """Return the class of each sample, (n,).

    It is 0 for numbers, and for several answers at once.
    """
    if loss is MSE or (loss.name == "logistic" and targets.shape[1] > 1):
        return np.zeros(len(targets), dtype=np.intp)
    _, labels = np.unique(targets, axis=0, return_inverse=True)
    return labels.reshape(-1)


def fold_order(groups: IntArray, rng: np.random.Generator | None) -> IntArray:
    """Return all samples by their strata, mixed within each.

    So every k-th sample has its share of all strata.
    """
    if rng is None:
        places = np.argsort(spread_order(len(groups)))
    else:
        places = rng.permutation(len(groups))
    return np.lexsort((places, groups))


def held_out_places(
    loss: Loss,
    targets: FloatArray,
    share: float,
    rng: np.random.Generator | None,
) -> IntArray:
    """Return the sorted places of floor(share n) held-out samples.

    Classes keep their shares. The only sample of a class is never held out.
    """
    groups = strata(loss, targets)
    order = fold_order(groups, rng)
    sizes = np.bincount(groups)
    if len(sizes) > 1:
        order = order[sizes[groups[order]] > 1]

    # held out is where the share of the samples so far passes an integer
    passed = np.floor(share * np.arange(1, len(order) + 1))
    return np.sort(order[np.diff(passed, prepend=0.0) > 0.0])


def split_samples(
    samples: tuple[FloatArray, FloatArray] | None,
    loss: Loss,
    share: float,
    rng: np.random.Generator | None,
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Return the samples (x, targets) to train on, and those held out."""
    name = "validation_share"
    if samples is None:
        checks.fail(name, share, "there are no training samples to hold out")
    x, targets = samples
    out = held_out_places(loss, targets, share, rng)
    if not len(out):
        checks.fail(name, share, f"must hold out at least one of {len(x)} samples")
    kept = np.delete(np.arange(len(x)), out)
    return (x[kept], targets[kept]), (x[out], targets[out])


def hold_out(
    data: Data, share: float, rng: np.random.Generator | None = None, loss: str = "mse"
) -> Data:
    """Split training samples: `x_train` to train on, `x_test` to compare models.

    The latter is a share of them. Where the share amounts to no sample, both parts are
    all training samples.
    """
    x = data.x_train
    y = data.y_train
    kind = LOSSES[loss]
    if kind is MSE:
        order = spread_order(len(x)) if rng is None else rng.permutation(len(x))
        out, kept = np.split(order, [int(share * len(x))])
        if rng is None:
            out.sort()
            kept.sort()
    else:
        n_out = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
        targets = kind.read_targets("y_train", y, n_out)
        out = held_out_places(kind, targets, share, rng)
        kept = np.delete(np.arange(len(x)), out)

    if not len(out):
        return replace(data, x_test=x, y_test=y)
    return replace(data, x_train=x[kept], y_train=y[kept], x_test=x[out], y_test=y[out])


@dataclass(frozen=True)
class Comparison:
    """The mean of paired differences of loss, and its standard error.

    Both are infinite if a difference is not finite.
    """

    excess: float
    standard_error: float

    @property
    def as_good(self) -> bool:
        """Whether the first model is as good as the reference, (T22)."""
        return bool(np.isfinite(self.excess)) and self.excess <= self.standard_error


def compare(losses: FloatArray, reference: FloatArray) -> Comparison:
    """Compare the losses (n,) of a model and a reference on the same samples, (T21)."""
    difference = losses - reference
    if not np.isfinite(difference).all():
        return Comparison(np.inf, np.inf)
    if len(difference) == 1:  # it has no standard error
        return Comparison(float(difference[0]), 0.0)
    # [eq:paired-differences]
    excess = float(difference.mean())
    standard_error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    # [/eq:paired-differences]
    return Comparison(excess, standard_error)
