"""From a search to its record: verdicts, fronts, networks of formulas, and the better of two."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.choice import floor_of
from kan_ref.discovery.polish import SMALLEST, bic
from kan_ref.discovery.records import Alternative, Discovery, formula_values
from kan_ref.discovery.slice_search import SliceSearch
from kan_ref.discovery.tree_formula import expression_of
from kan_ref.discovery.verdict import Verdict, judge
from kan_ref.formulas import from_formula
from kan_ref.network import Network
from kan_ref.training import Scaler

KINDS = ("exact", "within noise", "not explained")


def front_of(search: SliceSearch, data: Data, names: tuple[str, ...]) -> tuple[Alternative, ...]:
    """Return the front of a search as formulas."""
    n = len(data.x_train)
    floor = floor_of(data.y_train, 0.0)
    return tuple(
        Alternative(expression_of(one.tree, names), one.rmse, one.complexity, bic(one, n, floor))
        for one in search.front
    )


def network_of(
    expressions: tuple[Any, ...], names: tuple[str, ...], data: Data, verdict: Verdict
) -> tuple[Network | None, Verdict]:
    """Return the formula as a network, or None and the verdict with the reason."""
    x = data.x_train
    try:
        box = np.column_stack([x.min(axis=0), x.max(axis=0)])
        network = from_formula(expressions, names, domain=box)
    except ValueError as error:
        return None, Verdict(verdict.kind, f"{verdict.why}; there is no network of it: {error}")
    return network, verdict


def splines_of(searches: Sequence[SliceSearch], data: Data) -> tuple[Network, Scaler]:
    """Return the surrogate and its scaler; of several outputs, the first one's."""
    one = searches[0].surrogate
    return one.network, Scaler(
        one.x_mean, one.x_std, np.array([one.y_mean]), np.array([one.y_std]), None
    )


def identity(n_in: int, n_out: int) -> Scaler:
    """Return the scaler that changes nothing."""
    return Scaler(np.zeros(n_in), np.ones(n_in), np.zeros(n_out), np.ones(n_out), None)


def judged(
    data: Data, expression: Any, names: tuple[str, ...], rng: np.random.Generator
) -> Verdict:
    """Return the verdict on a formula; of several outputs, the worst one with its number."""
    predicted = formula_values(expression, data.x_train, names)
    verdicts = [
        judge(data.x_train, data.y_train[:, j], predicted[:, j], rng)
        for j in range(data.y_train.shape[1])
    ]
    worst = max(range(len(verdicts)), key=lambda j: KINDS.index(verdicts[j].kind))
    if len(verdicts) == 1:
        return verdicts[0]
    return Verdict(verdicts[worst].kind, f"output {worst}: {verdicts[worst].why}")


def better(one: Discovery, other: Discovery, data: Data) -> Discovery:
    """Return the discovery with the better verdict, then with the lower BIC, and all steps.

    `other` has the steps of both, since it was made later.
    """

    def key(found: Discovery) -> tuple[int, float]:
        error = _error(found, data)
        n = data.y_train.size
        size = sum(_size(one) for one in _expressions(found))
        return KINDS.index(found.verdict.kind), 2.0 * n * np.log(error) + np.log(n) * size

    if key(other) <= key(one):
        return other
    note = "the formula of the paper's way is better than that of the slices"
    return replace(one, steps=(*other.steps, replace(one.steps[-1], name="choice", note=note)))


def _expressions(found: Discovery) -> tuple[Any, ...]:
    return found.formula if isinstance(found.formula, tuple) else (found.formula,)


def _size(expression: Any) -> int:
    return int(expression.count_ops()) + len(expression.atoms())


def _error(found: Discovery, data: Data) -> float:
    residual: FloatArray = found.predict(data.x_train) - data.y_train
    error = float(np.sqrt(np.mean(residual**2)))
    floor = floor_of(data.y_train, 0.0)
    return max(error, floor, SMALLEST) if np.isfinite(error) else np.inf
