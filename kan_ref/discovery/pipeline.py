"""From data to a formula in one call, by two strategies, with a verdict.

    slices     the architecture is read off slices of a surrogate, and curves of one input are
               named: `slice_search`
    network    the paper's way: a network is sparsified and pruned, and its edges become symbolic:
               `network_search`

With `widths` the paper's way is first, and slices follow where its formula does not explain the
data; the formula with the better verdict is returned, of equal ones the one with the lower Bayesian
information criterion. Test data are only reported.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data, check_data, check_loss
from kan_ref.discovery.class_search import CLASS_LOSSES, N_HIDDEN, class_problem, search_logits
from kan_ref.discovery.network_search import (
    NetworkSettings,
    discover_by_network,
    first_network,
    problem_ends,
)
from kan_ref.discovery.records import Discovery, Report, beside_splines, formula_values
from kan_ref.discovery.results import (
    better,
    expression_of,
    front_of,
    judged,
    judged_between_samples,
    judged_on_inputs,
    judged_on_test,
    of_all_inputs,
    splines_of,
    written_at,
)
from kan_ref.discovery.sample_support import network_of
from kan_ref.discovery.slice_search import (
    INTERRUPTED,
    TIME_IS_OVER,
    SliceSearch,
    search_by_slices,
)
from kan_ref.discovery.varying_inputs import check_samples, inputs_of_data
from kan_ref.formulas import check_names
from kan_ref.network import Network
from kan_ref.symbolic import check_candidates
from kan_ref.training import LOSSES


@np.errstate(all="ignore")
def discover(
    data: object,
    *,
    widths: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    functions: Sequence[str] | None = None,
    n_intervals: int = 5,
    degree: int = 3,
    penalty_weight: float = 1e-2,
    smoothness_weight: float = 1e-8,
    start: Network | None = None,
    loss: str = "mse",
    seconds: float | None = None,
    rng: np.random.Generator,
    callback: Callable[[Any], None] | None = None,
    progress: bool = False,
) -> Discovery:
    """Find a formula for data, say how far it explains them, and keep every step.

    Parameters
    ----------
    data : record with x_train, y_train, x_test, y_test
        In any units, though other rounding errors may lead to another formula. Test data are
        reported only: no choice depends on them, but a formula that is undefined at a test sample
        inside the range of the training samples is not explained. An input that is constant in the
        training samples is left out of the search, and the verdict says so. It names inputs with
        fewer than 10 values, too: samples say nothing between them; and inputs that others
        determine by a line, which other formulas have in their place. Leave copies of samples out:
        they count as measurements of their own.
    widths : sequence of int, optional
        Widths of the first network of the paper's way, wide enough: the depth is kept, and the
        widths of the hidden layers are found. Without them slices of a surrogate lead to the
        formula.
    names : sequence of str, optional
        Names of the inputs in the formula; the data's own names, else x_1, x_2, ..., by default.
    functions : sequence of str, optional
        Candidates for the edges of the paper's way; by default the whole library. With them slices
        are left out, since they name curves by all functions; `widths` or `start` is then needed.
    n_intervals, degree : int
        Of the first network of the paper's way.
    penalty_weight : float
        Lambda of the sparsification; with 0, sparsification and pruning are left out.
    smoothness_weight : float
        As in `fit`.
    start : Network, optional
        A network of the user's own, perhaps with symbolic edges: its splines are trained and named,
        and its architecture stays.
    loss : str
        "mse"; or for classes "cross_entropy", with labels (n,) of int, or "logistic", with answers
        0 and 1 (n, n_out). The formulas are then those of the logits, by the paper's way: of two
        classes one, the logarithm of the odds of label 1, of more classes one each. The first
        network is [n_in, 5, n_out] without `widths`. `class_search` has the rules.
    seconds : float, optional
        A limit, of wall-clock time. When it is over, training stops, steps that have not begun are
        left out, and the best formula so far is returned: without `widths` that may be the mean,
        with them edges that have no function yet become lines. The verdict says that the time is
        over. A step that has begun is finished first, in a second or two for up to 1000 samples;
        a curve of one input is named by the candidates so far.
    rng : numpy.random.Generator
        Draws initial parameters and reference points.
    callback : callable, optional
        Called with every step, decision and trial when it is finished, until an interrupt.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    discovery : Discovery
        Read `verdict` before `formula`.

    Raises
    ------
    ValueError, TypeError
        As `init_network` and `fit`; also if there are fewer than 10 training samples, a function
        is unknown, or `widths` or `start` does not begin and end with the numbers of inputs and
        outputs.
    KeyboardInterrupt
        If the user interrupts a run before there is any formula, or a second time. A first
        interrupt after the surrogate is fitted, or after the first symbolic edges of the paper's
        way are trained, ends the search: the best formula so far is judged and returned.

    Notes
    -----
    A few seconds for two inputs and 1000 samples, up to a minute for five, one to three minutes for
    10 to 50; `seconds` limits it. Of 10 or more inputs the surrogate has at most 200 edges, and at
    most 256 splits are tested at once. They need more samples: of x_1 x_2 + sin(2 x_3) and 27 other
    inputs, 1000 samples gave the formula, 300 did not, and with 47 others 1000 did not either.

    Liu et al. 2024, section 2.5, for the paper's way. "exact" means an error of at most 1e-11 of
    the standard deviation of y at all training samples, which above 1e-13 must be like noise, or of
    the rounding errors of y, where these are at most 1e-9 of it. A formula "within noise" may be
    wrong by less than the noise shows, and the verdict says by how much. Of M different rows of the
    inputs in the formula, p fitted numbers leave M - p to test it: "exact" needs at least p / 2 of
    these, "within noise" at least p, and at least 50 samples in all, or 28 for one input.
    Classes need 50 for one input, too, and their formula must be better than a constant prediction
    on a fifth of the samples by more than chance, which of less than 100 samples few formulas are.
    """
    checked = check_data(data, least=1)
    checks.choice("loss", loss, ("mse", *CLASS_LOSSES))
    check_loss(checked, loss)
    if loss in CLASS_LOSSES:
        checked, loss = class_problem(checked, loss)
    rng = checks.generator("rng", rng)
    checks.integer("n_intervals", n_intervals, low=1)
    penalty_weight = checks.number("penalty_weight", penalty_weight, low=0.0)
    smoothness_weight = checks.number("smoothness_weight", smoothness_weight, low=0.0)
    if seconds is not None:
        seconds = checks.number("seconds", seconds, low=0.0)
    check_candidates(functions, "functions")
    ends = problem_ends(checked)
    if loss != "cross_entropy":
        LOSSES["mse"].read_targets("y_train", checked.y_train, ends[1])
    labels = tuple(check_names(names if names is not None else checked.names, ends[0]))
    checks.new_names(labels, checked.names)
    if loss != "mse" and widths is None and start is None:
        widths = (ends[0], N_HIDDEN, ends[1])
    if functions is not None and widths is None and start is None:
        raise ValueError(
            "functions is given without widths, but slices name curves by all functions: give the "
            "widths of a first network, for example widths=(2, 5, 1)"
        )
    inputs = inputs_of_data(checked.x_train)
    first = first_network(checked, widths, start, n_intervals, degree, rng, inputs)
    check_samples(checked)
    data, names = inputs.data(checked), inputs.names(labels)
    deadline = np.inf if seconds is None else time.monotonic() + seconds
    settings = NetworkSettings(
        functions, penalty_weight, smoothness_weight, loss=loss, deadline=deadline
    )
    with Report(checked, inputs, callback, progress, loss) as report:
        found: list[Discovery] = []
        if loss != "mse":
            assert first is not None
            is_start = start is not None
            one = search_logits(data, first, settings, report, names, rng, is_start=is_start)
            found.append(one)
        elif first is not None:
            found.append(discover_by_network(data, first, settings, report, names, rng, start))
        is_open = first is None or (
            loss == "mse"
            and found[0].verdict.kind == "not explained"
            and start is None
            and functions is None
        )
        is_late = first is not None and settings.is_late
        if is_open and not is_late and not report.interrupted:
            by_slices = partial(_by_slices, data, report, names, rng, deadline)
            if found:
                found += report.unless_interrupted(lambda: [by_slices()], list)
            else:
                found.append(by_slices())

        def finished() -> Discovery:
            best = found[0] if len(found) == 1 else better(found[0], found[1], data)
            if is_late or any(TIME_IS_OVER in one.verdict.why for one in found):
                best = replace(best, verdict=best.verdict.ended(TIME_IS_OVER))
            if report.interrupted:
                best = replace(best, verdict=best.verdict.ended(INTERRUPTED))
            best = judged_between_samples(judged_on_test(best, data), data)
            best = best if loss in CLASS_LOSSES else beside_splines(best, data)
            return of_all_inputs(judged_on_inputs(best, data), inputs, labels)

        return report.finished(finished)


def _by_slices(
    data: Data,
    report: Report,
    names: tuple[str, ...],
    rng: np.random.Generator,
    deadline: float,
) -> Discovery:
    """Return what slices of a surrogate lead to, one output after the other."""
    searches: list[SliceSearch] = []
    for y in data.y_train.T:
        limit = -np.inf if report.interrupted else deadline  # no other output is searched either
        search = partial(search_by_slices, data.x_train, y, names, rng, report=report.trial)
        work, now = partial(search, deadline=limit), partial(search, deadline=-np.inf)
        found = report.unless_interrupted(work, now) if searches else work()
        searches.append(found)
        report.interrupted |= found.ended == INTERRUPTED
    return report.finished(partial(_of_searches, searches, data, report, names, rng))


def _of_searches(
    searches: list[SliceSearch],
    data: Data,
    report: Report,
    names: tuple[str, ...],
    rng: np.random.Generator,
) -> Discovery:
    """Return the formulas of searches by slices, with their verdict and steps."""
    splines, scaler = splines_of(searches, data)
    models = "; ".join(dict.fromkeys(search.surrogate.what for search in searches))
    report.values(
        "surrogate",
        f"{models}, from which slices are taken",
        lambda x: np.column_stack([search.surrogate(x) for search in searches]),
        splines,
    )
    decisions = tuple(one for search in searches for one in search.decisions)
    found = [expression_of(search.best.tree, names) for search in searches]
    expressions = tuple(written_at(one, names, data.x_train) for one in found)
    expression = expressions[0] if len(expressions) == 1 else expressions

    def predict(x: FloatArray) -> FloatArray:
        return formula_values(expression, x, names)

    report.values(
        "formula",
        f"{len(decisions)} decisions, numbers trained on all samples and simplified",
        predict,
    )
    verdict = judged(data, expression, names, rng)
    ended = " ".join({search.ended for search in searches if search.ended})
    if ended:
        verdict = verdict.ended(ended)
    network, verdict = network_of(expressions, names, data, verdict)
    if network is not None:
        note = "the formula as a network of symbolic edges, with the errors of the formula"
        report.values("network", note, predict, network)
    fronts = tuple(front_of(search, data, names) for search in searches)
    return Discovery(
        expression,
        network,
        splines,
        tuple(report.steps),
        verdict,
        fronts[0] if len(fronts) == 1 else fronts,
        scaler,
        names,
        decisions,
    )
