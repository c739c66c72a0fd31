"""From samples with classes to formulas of the logits, with a verdict on held-out samples.

The paper's way (`network_search`) with a loss for classes: a network is sparsified, pruned and made
smaller, and its edges become symbolic. Two classes have one logit z, the logarithm of the odds

    (D28)  z(x) = log(p(1 | x) / p(0 | x)),     p(1 | x) = 1 / (1 + exp(-z))

and more classes one logit each, of which only the differences matter.

Labels are random even where the formula is right, so no formula of logits can be called exact. A
fifth of the samples, with each class in proportion, takes no part in the search. On them

    the losses of formula and network are compared in pairs, (T21): those of the formula may not be
    larger by more than three standard errors; and their mean must be below that of the best
    constant prediction, since a few answers that are surely wrong also raise the standard
    error

A formula may be better than a constant by chance, too, if the labels do not depend on the inputs.
Then every order of the labels of the held-out samples is as probable. The loss of a sample is
A(f) - f . t (divided by the number of answers) with its logits f and its label or answers t as 0
and 1, so only the sum S of f . t depends on the order. With R random orders of the labels, the
chance of a loss as small as that of the formula is at most

    (D38)  p = (1 + number of orders with S(order) >= S) / (R + 1)

(Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010, article 39). p <= 0.0027, the chance of
more than three standard deviations, shows that the labels depend on the formula. S itself is not
normal where a few logits are large or a class is rare. Of several answers each whose logit varies
is tested by itself. A second attempt (see below) is tested on the same samples, so that of labels
that depend on nothing up to 0.5 % are accepted.

Sparsification and pruning may remove too much, above all where labels are few. If the formula is
not explained, a second attempt makes the network smaller by elimination alone, and its formula is
returned if it is explained, or if neither is and the losses of the first are larger by more than
the standard error, (T22). No attempt begins when the time is over.

At last the numbers of the formula are trained on all training samples, and there the residuals
y - p are tested (`residual_tests`). The first test finds a poor formula of a good network, the
second finds a poor network, too. As for values, N samples with M different rows of the inputs test
p fitted numbers only if M - p >= p and N >= 50, (D32); p counts those of all formulas of the cross
entropy together, and with the logistic loss those of the output that has most.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.formula_search import with_trained_numbers
from kan_ref.discovery.network_search import NetworkSettings, search_by_network
from kan_ref.discovery.records import Discovery, Report, discovery_of_network
from kan_ref.discovery.residual_tests import FALSE_ALARM, FEWEST, class_structure
from kan_ref.discovery.trials import VALIDATION_SHARE
from kan_ref.discovery.verdict import Verdict, fitted_numbers, too_few_samples
from kan_ref.formulas import formula
from kan_ref.network import Network, network_values
from kan_ref.training import LOSSES, best_constant, compare, hold_out, sample_losses

ERRORS = 3.0  # standard errors of a gap between losses
CLASS_LOSSES = ("cross_entropy", "logistic")
N_HIDDEN = 5  # nodes of the first network
SEPARATED = 1e-3  # nats: with a smaller loss, larger logits are always better
N_STEPS = 100  # L-BFGS steps on all training samples
CONSTANT = 1e-9  # of the largest logit: logits that vary by less are constant
N_ORDERS, MOST_ORDERS = 4000, 9  # (1 + 9) / (1 + 4000) = 0.0025
NUMBERS = 2**20  # labels at once: 8 MiB


def class_problem(data: Data, loss: str) -> tuple[Data, str]:
    """Return data and loss with one logit for two classes; ValueError for one class."""
    if loss == "logistic" or data.y_train.ndim == 2:
        same = np.flatnonzero(np.atleast_1d(np.ptp(data.y_train, axis=0)) == 0)
        if same.size:
            raise ValueError(
                f"y_train has one answer alone in column {same[0]}, but a formula of its logit "
                "needs both: leave out the column, or give samples with the other answer"
            )
        return data, loss
    n_classes = 1 + int(max(data.y_train.max(), data.y_test.max(initial=0)))
    if data.classes is not None:
        n_classes = max(n_classes, len(data.classes))
    if n_classes < 2 or len(np.unique(data.y_train)) < 2:
        raise ValueError(
            "y_train has samples of one class, but a formula of logits needs at least two: "
            "give samples of another class"
        )
    absent = np.setdiff1d(np.arange(n_classes), data.y_train)
    if data.y_train.min() < 0 or absent.size:
        which = f"no sample of class {absent[0]}" if data.y_train.min() >= 0 else "negative labels"
        raise ValueError(
            f"y_train has {which}, but formulas of logits need samples of all {n_classes} classes "
            "from 0 on: number the classes that it has, as Data.split does with text, and leave "
            "out test samples of others"
        )
    if n_classes > 2:
        return data, loss
    columns = {
        name: getattr(data, name)[:, None].astype(np.float64) for name in ("y_train", "y_test")
    }
    return replace(data, **columns, classes=None), "logistic"


def search_logits(
    data: Data,
    first: Network,
    settings: NetworkSettings,
    report: Report,
    names: tuple[str, ...],
    rng: np.random.Generator,
    *,
    is_start: bool,
) -> Discovery:
    """Return the formulas of the logits; data and loss as `class_problem` returns them."""
    found, losses = _attempt(data, first, settings, report, names, rng, is_start=is_start)
    is_last = is_start or settings.penalty_weight == 0.0 or settings.is_late or report.interrupted
    if found.verdict.kind != "not explained" or is_last:
        return found
    plain = replace(settings, penalty_weight=0.0)
    other, others = report.unless_interrupted(
        lambda: _attempt(data, first, plain, report, names, rng, is_start=False),
        lambda: (found, losses),
    )
    is_better = others.mean() < losses.mean() and not compare(losses, others).as_good
    if other.verdict.kind != "not explained" or is_better:
        return other
    note = "neither attempt is explained: the first one, with the penalty, is as good"
    return replace(found, steps=(*other.steps, replace(found.steps[-1], name="choice", note=note)))


def _attempt(
    data: Data,
    first: Network,
    settings: NetworkSettings,
    report: Report,
    names: tuple[str, ...],
    rng: np.random.Generator,
    *,
    is_start: bool,
) -> tuple[Discovery, FloatArray]:
    """Return the formulas that one run of the paper's way leads to, and their held-out losses."""
    part = hold_out(data, VALIDATION_SHARE, loss=settings.loss)
    found, splines = search_by_network(part, first, settings, report, rng, is_start=is_start)
    trained: Network | None = None
    if not (settings.is_late or report.interrupted):
        trained = report.unless_interrupted(
            lambda: with_trained_numbers(found, data, settings.loss, N_STEPS, settings.deadline),
            lambda: None,
        )
    final = found if trained is None else trained

    def with_verdict() -> tuple[Discovery, FloatArray]:
        if trained is not None:
            report.step("numbers", "trained on all training samples", final)
        expression = formula(final, names=names)
        networks, n_numbers = (found, splines, final), numbers_to_test(expression, settings.loss)
        verdict = class_verdict(part, data, networks, settings.loss, n_numbers, rng=rng)
        one = discovery_of_network(expression, final, splines, report.steps, verdict, names)
        return one, _held_out_losses(part, found, settings.loss)

    return report.finished(with_verdict)


def _held_out_losses(part: Data, network: Network, loss: str) -> FloatArray:
    """Compute the losses (n,) at the held-out samples."""
    targets = LOSSES[loss].read_targets("y_test", part.y_test, network.widths[-1])
    return sample_losses(LOSSES[loss], network_values(network, part.x_test), targets)


def label_orders(logits: FloatArray, labels: FloatArray, rng: np.random.Generator) -> int:
    """Count the random orders of labels (n, n_out) with a loss as small as (n, n_out) logits have.

    Of `N_ORDERS`; all of them for constant logits.
    """
    if is_constant(logits):
        return N_ORDERS
    f = logits - logits.mean(axis=0)
    f, n = f / np.abs(f).max(), len(f)
    count, at_once = 0, max(1, NUMBERS // f.size)
    for first in range(0, N_ORDERS, at_once):
        rows = np.tile(np.arange(n), (min(at_once, N_ORDERS - first), 1))
        orders = rng.permuted(rows, axis=1)
        # [eq:label-order]
        sums = np.einsum("bk,rbk->r", f, labels[orders])
        # equal sums differ by rounding
        count += int(np.sum(sums >= np.sum(f * labels) - CONSTANT))
        # [/eq:label-order]
    return count


def is_constant(logits: FloatArray) -> bool:
    """Return whether logits (n, n_out) are the same for all samples."""
    varies = np.abs(logits - logits.mean(axis=0)).max(initial=0.0)
    return bool(varies <= CONSTANT * np.abs(logits).max(initial=0.0))


def numbers_to_test(expression: Any, loss: str) -> int:
    """Count the fitted numbers of formulas that the same labels or answers determine."""
    outputs = expression if isinstance(expression, tuple) else (expression,)
    if loss == "cross_entropy":
        return len(fitted_numbers(*outputs))
    return max(len(fitted_numbers(one)) for one in outputs)


def class_verdict(
    part: Data,
    data: Data,
    networks: tuple[Network, Network, Network],
    loss: str,
    n_numbers: int = 0,
    *,
    rng: np.random.Generator,
) -> Verdict:
    """Return the verdict on a formula, from the held-out samples of `part` and all of `data`.

    `networks`: the formula and the splines, trained without the held-out samples, and the formula
    trained with them; `n_numbers`: how many fitted numbers the samples have to test.
    """
    found, splines, final = networks
    kind = LOSSES[loss]
    logits, of_splines = (network_values(one, part.x_test) for one in (found, splines))
    of_all = network_values(final, data.x_train)
    if not np.isfinite(logits).all() or not np.isfinite(of_all).all():
        return Verdict("not explained", ("the formula is undefined at a training sample",))
    n, n_out = of_all.shape
    kept, targets, answers = (
        kind.read_targets("y", y, n_out) for y in (part.y_train, part.y_test, data.y_train)
    )
    losses, others = (sample_losses(kind, one, targets) for one in (logits, of_splines))
    accuracy, reference = (kind.judge(one, targets)[2] for one in (logits, of_splines))
    numbers = (
        f"on {len(part.x_test)} held-out samples the formula has accuracy {accuracy:.3f} and loss "
        f"{losses.mean():.3g}, its network of splines {reference:.3f} and {others.mean():.3g}"
    )
    gap = compare(losses, others)
    structure = class_structure(data, final, loss, rng, FALSE_ALARM)
    if not gap.excess <= ERRORS * gap.standard_error:
        why = f"{numbers}: worse by {gap.excess:.2g} +- {gap.standard_error:.1g} (standard error)"
        return Verdict("not explained", (why,))
    if structure:
        return Verdict("not explained", (f"residuals y - p have structure: {structure}", numbers))
    constant = np.tile(best_constant(kind, kept), (len(logits), 1))
    least = float(sample_losses(kind, constant, targets).mean())
    if not losses.mean() < least:
        return Verdict(
            "not explained", (f"{numbers}: no better than a constant prediction, with {least:.3g}",)
        )
    n_points = len(np.unique(data.x_train, axis=0))
    missing = too_few_samples(n, n_points, n_numbers, FEWEST, "within noise")
    if missing:
        return Verdict("not explained", (missing, numbers))
    tested = [range(n_out)] if loss == "cross_entropy" else [range(k, k + 1) for k in range(n_out)]
    counts = [label_orders(logits[:, one], targets[:, one], rng) for one in tested]
    varying = [k for k, one in enumerate(tested) if not is_constant(logits[:, one])]
    worst = max(varying, key=lambda k: counts[k], default=0)
    count, output = counts[worst], f" of output {worst}" if len(tested) > 1 else ""
    chance = (
        f"than a constant prediction, with {least:.3g}: of {N_ORDERS} random orders of the labels"
        f"{output} {count} give a loss as small"
    )
    if count > MOST_ORDERS:
        return Verdict(
            "not explained",
            (f"{numbers}: not clearly better {chance}, but at most {MOST_ORDERS} may",),
        )
    samples = f"{n} samples at {n_points} different points, of {n_numbers} fitted numbers"
    reasons = [numbers, f"better {chance}", f"residuals y - p show no structure on {samples}"]
    if kind.judge(of_all, answers)[0] < SEPARATED:
        reasons.append("the classes are separated, so the size of its logits is not determined")
    return Verdict("within noise", tuple(reasons))
