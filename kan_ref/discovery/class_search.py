"""From samples with classes to formulas of the logits, with a verdict on held-out samples.

The paper's way (`network_search`) with a loss for classes: a network is sparsified, pruned and made
smaller, and its edges become symbolic. Two classes have one logit z, the logarithm of the odds

    (D28)  z(x) = log(p(1 | x) / p(0 | x)),     p(1 | x) = 1 / (1 + exp(-z))

and more classes one logit each, of which only the differences matter.

Labels are random even where the formula is right, so no formula of logits can be called exact. A
fifth of the samples, with each class in proportion, takes no part in the search. On them

    the losses of formula and network are compared in pairs, (T21): those of the formula may not be
    larger by more than three standard errors; and their mean must be below that of the best
    constant prediction, (T20), since a few answers that are surely wrong also raise the standard
    error

Sparsification and pruning may remove too much, above all where labels are few. If the formula is
not explained, a second attempt makes the network smaller by elimination alone, and its formula is
returned if its verdict is better. None begins when the time is over.

At last the numbers of the formula are trained on all training samples, and there the residuals
y - p are tested (`residual_tests`). The first test finds a poor formula of a good network, the
second finds a poor network, too.
"""

from dataclasses import replace

import numpy as np

from kan_ref.data import Data
from kan_ref.discovery.formula_search import with_trained_numbers
from kan_ref.discovery.network_search import NetworkSettings, search_by_network
from kan_ref.discovery.records import Discovery, Report
from kan_ref.discovery.residual_tests import class_structure
from kan_ref.discovery.results import identity
from kan_ref.discovery.trials import VALIDATION_SHARE
from kan_ref.discovery.verdict import ERRORS, Verdict
from kan_ref.formulas import formula
from kan_ref.network import Network, network_values
from kan_ref.training import (
    best_constant,
    check_batch,
    compare,
    hold_out_classes,
    sample_losses,
)

CLASS_LOSSES = ("cross_entropy", "logistic")
N_HIDDEN = 5  # nodes of the first network
SEPARATED = 1e-3  # nats: with a smaller loss, larger logits are always better
N_STEPS = 100  # L-BFGS steps on all training samples


def class_problem(data: Data, loss: str) -> tuple[Data, str]:
    """Return data and loss with one logit for two classes; ValueError for one class."""
    if loss == "logistic" or data.y_train.ndim == 2:
        return data, loss
    n_classes = 1 + int(max(data.y_train.max(), data.y_test.max(initial=0)))
    if data.classes is not None:
        n_classes = max(n_classes, len(data.classes))
    if n_classes < 2 or len(np.unique(data.y_train)) < 2:
        raise ValueError(
            "y_train has samples of one class, but a formula of logits needs at least two: "
            "give samples of another class"
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
    found = _attempt(data, first, settings, report, names, rng, is_start=is_start)
    is_last = is_start or settings.penalty_weight == 0.0 or settings.is_late
    if found.verdict.kind != "not explained" or is_last:
        return found
    plain = replace(settings, penalty_weight=0.0)
    other = _attempt(data, first, plain, report, names, rng, is_start=False)
    if other.verdict.kind != "not explained":
        return other
    note = "neither attempt is explained: the first one, with the penalty"
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
) -> Discovery:
    """Return the formulas of the logits that one run of the paper's way leads to."""
    part = hold_out_classes(data, settings.loss, VALIDATION_SHARE)
    found, splines = search_by_network(part, first, settings, report, rng, is_start=is_start)
    final = found
    if not settings.is_late:
        final = with_trained_numbers(found, data, settings.loss, N_STEPS, settings.deadline)
        report.step("numbers", "trained on all training samples", final)
    verdict = class_verdict(part, data, (found, splines, final), settings.loss)
    return Discovery(
        formula(final, names=names),
        final,
        splines,
        tuple(report.steps),
        verdict,
        (),
        identity(final.widths[0], final.widths[-1]),
        names,
    )


def class_verdict(
    part: Data, data: Data, networks: tuple[Network, Network, Network], loss: str
) -> Verdict:
    """Return the verdict on a formula, from the held-out samples of `part` and all of `data`.

    `networks`: the formula and the splines, trained without the held-out samples, and the formula
    trained with them.
    """
    found, splines, final = networks
    logits = network_values(found, part.x_test)
    if not np.isfinite(logits).all() or not np.isfinite(network_values(final, data.x_train)).all():
        return Verdict("not explained", "the formula is undefined at a training sample")
    goal = check_batch(found, part.x_test, part.y_test, loss=loss)
    losses = sample_losses(goal, logits)
    others = sample_losses(goal, network_values(splines, part.x_test))
    accuracy, reference = (goal.judge_all(one)[2] for one in (found, splines))
    numbers = (
        f"on {len(part.x_test)} held-out samples the formula has accuracy {accuracy:.3f} and loss "
        f"{losses.mean():.3g}, its network of splines {reference:.3f} and {others.mean():.3g}"
    )
    gap = compare(losses, others)
    structure = class_structure(data, final, loss)
    if not gap.excess <= ERRORS * gap.standard_error:
        error = gap.standard_error
        return Verdict(
            "not explained", f"{numbers}: worse by {gap.excess:.2g} +- {error:.1g} (standard error)"
        )
    if structure:
        return Verdict("not explained", f"{numbers}; but {structure}")
    constant = best_constant(check_batch(found, part.x_train, part.y_train, loss=loss))
    least = float(sample_losses(goal, np.tile(constant, (len(logits), 1))).mean())
    if not losses.mean() < least:
        return Verdict(
            "not explained", f"{numbers}: no better than a constant prediction, with {least:.3g}"
        )
    text = f"{numbers}; residuals y - p show no structure"
    whole = check_batch(final, data.x_train, data.y_train, loss=loss)
    if whole.judge_all(final)[0] < SEPARATED:
        text += "; the formula separates the classes, so the size of its logits is not determined"
    return Verdict("within noise", text)
