"""The loss of every single sample, the best constant prediction, and samples split by strata.

A loss of `class_losses` or the mean squared error is a mean over samples; here are its terms. The
constant that minimises it is the mean of the targets, or the logarithm of the classes' frequencies
f_c. A class that the samples lack would have log 0, so frequencies are taken with half a sample of
each class added,

    (T20)  f_c = (n_c + 1/2) / (n + C/2)

which is Jeffreys' prior for the C classes.
"""

from collections.abc import Iterator

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.training.data_goal import DataGoal


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


def mixed_order(groups: IntArray, rng: np.random.Generator | None) -> IntArray:
    """Return all samples in order of their strata, mixed within each.

    Without `rng` to mix them, sample b has the place of the fractional part of b times the golden
    ratio. These are spread evenly and follow no period of the samples, such as that of a
    rectangular grid.
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
