"""From data to a formula in one call, by two ways, with a verdict.

    search        samples are split and merged into curves of one input with names: `search`
    paper's way   a network is sparsified and pruned, and its edges become symbolic: `paper_way`

With `widths` the paper's way is first, and the search follows where its formula does not explain
the data; the formula with the better verdict is returned, of equal ones the one with the smaller
error. Test data are only reported.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data, check_data, check_loss
from kan_ref.discovery import paper_way, results
from kan_ref.discovery.classes import CLASS_LOSSES, N_HIDDEN, class_problem, judge_classes
from kan_ref.discovery.elimination import VALIDATION_SHARE
from kan_ref.discovery.fits import Fitted
from kan_ref.discovery.paper_way import Settings
from kan_ref.discovery.records import Alternative, Discovery, Report, formula_values
from kan_ref.discovery.search import Found, Search
from kan_ref.discovery.verdict import Verdict, fitted_numbers, judge
from kan_ref.formulas import check_names, formula
from kan_ref.network import Network
from kan_ref.symbolic import check_candidates
from kan_ref.training import LOSSES, Scaler, hold_out, scaled


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
        At least 10 training samples, in any units; they should fill a box of the inputs. Test data
        are only reported. Leave copies of samples out: each counts as a measurement of its own.
    widths : sequence of int, optional
        Of the first network of the paper's way, wide enough: the depth is kept, and the widths of
        the hidden layers are found.
    names : sequence of str, optional
        Of the inputs in the formula; the data's own names, else x_1, x_2, ..., by default.
    functions : sequence of str, optional
        Candidates for the edges of the paper's way; by default the whole library. The search, which
        knows all functions, is left out then.
    n_intervals, degree : int
        The intervals and the degree of the first network of the paper's way.
    penalty_weight : float
        Lambda of the sparsification; with 0, sparsification and pruning are left out.
    smoothness_weight : float
        As in `fit`.
    start : Network, optional
        A network of your own, perhaps with symbolic edges: its splines are trained and named, and
        its architecture stays.
    loss : str
        "mse"; for classes "cross_entropy", with labels (n,) of int, or "logistic", with answers 0
        and 1 (n, n_out). The formulas are then those of the logits, or one for two classes, found
        by the paper's way. Without `widths` its first network is [n_in, 5, n_out].
    seconds : float, optional
        A limit of time. When it is over, or after an interrupt, the best formula so far is judged
        and returned, and the verdict says so. A step that has begun is finished first.
    rng : numpy.random.Generator
        Draws initial parameters and reference points.
    callback : callable, optional
        Called with every step, decision and trial when it is finished.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    discovery : Discovery
        Read `verdict` before `formula`.

    Notes
    -----
    A few seconds for two inputs and 1000 samples, up to a minute for five or more. Inputs that are
    constant are left out. Liu et al. 2024, section 2.5, for the paper's way; `verdict` has the rule
    for "exact" and "within noise".

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(1.0, 2.0, (100, 2))
    >>> data = kr.Data.split(x, x[:, :1] / x[:, 1:], test_share=0.2, rng=rng)
    >>> found = discover(data, names=("x", "y"), rng=rng)
    >>> print(found.formula, found.verdict.kind)
    x/y exact
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
    ends = paper_way.problem_ends(checked)
    if loss != "cross_entropy":
        LOSSES["mse"].read_targets("y_train", checked.y_train, ends[1])
    names = tuple(check_names(names if names is not None else checked.names, ends[0]))
    checks.new_names(names, checked.names)
    if loss != "mse" and widths is None and start is None:
        widths = (ends[0], N_HIDDEN, ends[1])
    is_paper = widths is not None or start is not None
    if functions is not None and not is_paper:
        raise ValueError(
            "functions is given without widths, but the search knows all functions: give the "
            "widths of a first network, for example widths=(2, 5, 1)"
        )
    varying = np.flatnonzero(scaled(checked)[1].x_constant == 0).tolist() or [0]
    with Report(checked, callback, progress, loss, seconds) as report:
        settings = Settings(
            functions, penalty_weight, smoothness_weight, n_intervals, degree, loss, report.deadline
        )
        found: list[Discovery] = []
        if is_paper:
            first = paper_way.first_network(checked, widths, start, varying, settings, rng)
        if len(checked.x_train) < results.LEAST_SAMPLES:
            raise ValueError(
                f"data has {len(checked.x_train)} training samples, but at least "
                f"{results.LEAST_SAMPLES} are needed, a fifth of them held out: give more samples"
            )
        if is_paper:
            found.append(_by_paper(first, settings, report, names, rng, is_start=start is not None))
        is_open = start is None and functions is None and loss == "mse" and not report.late()
        if not found or (is_open and found[0].verdict.kind == "not explained"):
            found.append(_by_search(report, varying, names, rng))
        best = found[0] if len(found) == 1 else results.better(*found)
        return replace(best, verdict=replace(best.verdict, ended=report.ended))


def _by_paper(
    first: Network,
    settings: Settings,
    report: Report,
    names: tuple[str, ...],
    rng: np.random.Generator,
    *,
    is_start: bool,
) -> Discovery:
    """Return what the paper's way leads to; an interrupt ends it with the last network."""
    data, loss = report.data, settings.loss
    part = data if loss == "mse" else hold_out(data, VALIDATION_SHARE, loss=loss)
    splines = last = first
    with report.until_interrupted():
        all_steps = paper_way.steps(part, first, settings, is_start=is_start, report=report.trial)
        for name, note, last in all_steps:
            splines = splines if name in ("name", "canonical") else last
            report.step(name, note, last)
    found = last
    if any(layer.mask.any() for layer in last.layers):
        found = paper_way.finished(last, part, settings)
        report.step("name", "simplest functions for edges that have none", found)
    final = found
    if loss != "mse" and not report.late():
        with report.until_interrupted():
            final = paper_way.with_trained_numbers(found, data, settings)
            report.step("numbers", "trained on all training samples", final)
    found_formula = formula(final, names=names)
    outputs = found_formula if isinstance(found_formula, tuple) else (found_formula,)
    outputs = tuple(results.written_at(one, names, data.x_train) for one in outputs)
    expression = outputs[0] if len(outputs) == 1 else outputs
    if loss == "mse":
        verdict = judge(outputs, names, data)
    else:
        n_numbers = len(fitted_numbers(*outputs))
        verdict = Verdict(*judge_classes(part, data, (found, splines, final), n_numbers, loss, rng))
    n_in, n_out = len(names), len(outputs)
    plain = Scaler(np.zeros(n_in), np.ones(n_in), np.zeros(n_out), np.ones(n_out), None)
    return Discovery(expression, final, splines, tuple(report.steps), verdict, (), plain, names)


def _by_search(
    report: Report, varying: Sequence[int], names: tuple[str, ...], rng: np.random.Generator
) -> Discovery:
    """Return what the search in the varying inputs leads to, one output after the other."""
    data = report.data
    x, used = data.x_train[:, varying], tuple(names[i] for i in varying)
    found: list[Found] = []
    search = Search(rng, report.late, report.trial)
    for y in data.y_train.T:
        found.append(search.formula(x, y, used))
        report.ended = search.ended or report.ended
    models = "; ".join(dict.fromkeys(one.model.what for one in found))

    def modelled(x: FloatArray) -> FloatArray:
        return np.column_stack([one.model.f(x[:, varying]) for one in found])

    assert found[0].splines is not None
    splines = results.of_all_inputs(found[0].splines, varying, len(names))
    _, scaler = scaled(Data(data.x_train, data.y_train[:, :1], data.x_test, data.y_test[:, :1]))
    report.step("model", f"{models}, from which slices are taken", splines, modelled)
    formulas = tuple(results.expression_of(one.best.tree, used, x) for one in found)
    expression = formulas[0] if len(formulas) == 1 else formulas

    def predict(x: FloatArray) -> FloatArray:
        return formula_values(expression, x, names)

    note = f"{len(search.decisions)} decisions, numbers trained on all samples and simplified"
    report.step("formula", note, None, predict)

    def alternative(one: Fitted, of: Found) -> Alternative:
        return Alternative(
            results.expression_of(one.tree, used), one.rmse, one.complexity, of.bic(one)
        )

    fronts = tuple(tuple(alternative(one, each) for one in each.front) for each in found)
    others = [[alternative(one, each) for one in each.others] for each in found]
    verdict = judge(formulas, names, data, others=others)
    network, verdict = results.network_of(formulas, names, data, verdict)
    if network is not None:
        report.step("network", "the formula as a network of symbolic edges", network, predict)
    return Discovery(
        expression,
        network,
        splines,
        tuple(report.steps),
        verdict,
        fronts[0] if len(fronts) == 1 else fronts,
        scaler,
        names,
        tuple(search.decisions),
    )
