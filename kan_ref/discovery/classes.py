"""Formulas of logits: what labels must be, and a verdict from held-out samples.

Two classes have one logit z, the logarithm of the odds, and more classes one each:

    (D28)  z(x) = log(p(1 | x) / p(0 | x)),     p(1 | x) = 1 / (1 + exp(-z))

Labels are random even where the formula is right, so no formula of logits is exact. A fifth of the
samples takes no part in the search. On them the losses of the formula may not exceed those of its
splines by more than three standard errors of their differences, (T21), and must be below those of
the best constant by more than chance. If labels do not depend on the inputs, every order of the
held-out ones is as probable. With logits f and labels t as 0 and 1, only the sum S of f . t in the
loss depends on the order. With R random orders the chance of a loss as small is at most

    (D38)  p = (1 + number of orders with S(order) >= S) / (R + 1)

(Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010, article 39), which must be 0.0027 or less,
as for three standard deviations. Of several answers each whose logit varies is tested by itself.
At last, the residuals y - p of all training samples are tested (`residual_tests`), and N samples
with M different rows test p fitted numbers only if M >= 2 p and N >= 50.
"""

from dataclasses import replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.residual_tests import FEWEST, class_structure
from kan_ref.network import Network, network_values
from kan_ref.training import LOSSES, best_constant, compare, sample_losses

CLASS_LOSSES = ("cross_entropy", "logistic")
N_HIDDEN = 5  # nodes of the first network
ERRORS = 3.0  # standard errors
SEPARATED = 1e-3  # nats: with a smaller loss, larger logits are always better
CONSTANT = 1e-9  # of the largest logit: logits that vary by less are constant
N_ORDERS, MOST_ORDERS = 4000, 9  # (1 + 9) / (1 + 4000) = 0.0025


def class_problem(data: Data, loss: str) -> tuple[Data, str]:
    """Return data and loss with one logit for two classes; ValueError for a class without samples.

    Labels are 0, 1, ...; answers are columns of 0 and 1.
    """
    y, n_classes = data.y_train, 2
    if y.ndim == 1:
        n_named = 0 if data.classes is None else len(data.classes)
        n_classes = max(2, n_named, 1 + int(max(y.max(), data.y_test.max(initial=0))))
    for column in y.reshape(len(y), -1).T:
        absent = np.setdiff1d(np.arange(n_classes), column)
        if absent.size or column.min() < 0:
            raise ValueError(
                "y_train needs samples of all classes, numbered from 0, for formulas of logits, "
                f"but has labels {checks.shown(np.unique(column).tolist())} of {n_classes} classes"
            )
    if y.ndim == 2 or n_classes > 2:
        return data, loss
    parts = {
        name: getattr(data, name)[:, None].astype(np.float64) for name in ("y_train", "y_test")
    }
    return replace(data, **parts, classes=None), "logistic"


def judge_classes(
    part: Data,
    data: Data,
    networks: tuple[Network, Network, Network],
    n_numbers: int,
    loss: str,
    rng: np.random.Generator,
) -> tuple[str, tuple[str, ...]]:
    """Return the verdict's kind and reasons, from the held-out samples of `part` and all of `data`.

    `networks`: the formula and its splines, trained without the held-out samples, and the formula
    with `n_numbers` numbers that were trained with them.
    """
    kind = LOSSES[loss]
    logits, of_splines, of_all = (
        network_values(one, x)
        for one, x in zip(networks, (part.x_test, part.x_test, data.x_train), strict=True)
    )
    if not (np.isfinite(logits).all() and np.isfinite(of_all).all()):
        return "not explained", ("the formula is undefined at a training sample",)
    kept, targets, answers = (
        kind.read_targets("y", y, of_all.shape[1])
        for y in (part.y_train, part.y_test, data.y_train)
    )
    constant = np.tile(best_constant(kind, kept), (len(logits), 1))
    losses, others, least = (
        sample_losses(kind, one, targets) for one in (logits, of_splines, constant)
    )
    said = (
        f"on {len(logits)} held-out samples the formula has accuracy "
        f"{kind.judge(logits, targets)[2]:.3f} and loss {losses.mean():.3g}, its splines have "
        f"{others.mean():.3g}, the best constant {least.mean():.3g}"
    )
    gap = compare(losses, others)
    if not gap.excess <= ERRORS * gap.standard_error:
        return "not explained", (
            f"worse than its splines by more than {ERRORS:g} standard errors",
            said,
        )
    if structure := class_structure(data, networks[2], loss):
        return "not explained", (structure, said)
    n, n_points = len(of_all), len(np.unique(data.x_train, axis=0))
    if n < FEWEST or n_points < 2 * n_numbers:
        few = f"{n} samples at {n_points} points are too few to test {n_numbers} numbers"
        return "not explained", (few, said)
    tested = [[*range(of_all.shape[1])]]
    if loss == "logistic":
        tested = [[k] for k in tested[0] if not is_constant(logits[:, [k]])] or tested
    count = max(label_orders(logits[:, one], targets[:, one], rng) for one in tested)
    orders = f"of {N_ORDERS} random orders of the labels {count} give a loss as small"
    if count > MOST_ORDERS or not losses.mean() < least.mean():
        return "not explained", (f"not clearly better than a constant: {orders}", said)
    reasons = [said, orders, "residuals y - p show no structure"]
    if kind.judge(of_all, answers)[0] < SEPARATED:
        reasons.append("the classes are separated, so the size of the logits is not determined")
    return "within noise", tuple(reasons)


def label_orders(logits: FloatArray, labels: FloatArray, rng: np.random.Generator) -> int:
    """Count the random orders of labels (n, n_out) with a loss as small as (n, n_out) logits have.

    Of `N_ORDERS`; all of them for constant logits.
    """
    if is_constant(logits):
        return N_ORDERS
    f = logits - logits.mean(axis=0)
    f /= np.abs(f).max()
    # [eq:label-order]
    sums = np.array([np.sum(f * rng.permutation(labels)) for _ in range(N_ORDERS)])
    return int(np.sum(sums >= np.sum(f * labels) - CONSTANT))  # equal sums differ by rounding
    # [/eq:label-order]


def is_constant(logits: FloatArray) -> bool:
    """Return whether logits (n, n_out) are the same for all samples."""
    return bool((np.ptp(logits, axis=0) <= CONSTANT * np.abs(logits).max(initial=0.0)).all())
