"""`kan_ref.discover` as a method of SRBench: copied as experiment/methods/kan_ref/regressor.py of cavalab/srbench, it can be submitted.

SRBench's experiment sets `max_time` and `random_state`, calls `fit` and `predict`, and judges the text that `model` returns, a formula in the
names of the columns. In units of the samples, without SRBench's scaling, a law keeps its constants.
"""

from typing import Any, Self

import numpy as np
import sympy
from sklearn.base import BaseEstimator, RegressorMixin

import kan_ref as kr


class FormulaRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor whose predictions are those of the formula, found within max_time seconds."""

    def __init__(self, max_time: float = 60.0, random_state: int | None = None) -> None:
        self.max_time = max_time
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's name
        """Find a formula for samples X (n, n_in), y (n,), and keep `discovery_` with its verdict."""
        x, targets = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
        self.mean_ = float(targets.mean())
        data = kr.Data(x, targets[:, None], x[:0], targets[:0, None])
        rng = np.random.default_rng(self.random_state)
        self.discovery_ = kr.discover(data, seconds=self.max_time, rng=rng)
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Compute the formula; where it is undefined, the mean of y."""
        values = self.discovery_.predict(np.asarray(X, dtype=np.float64))[:, 0]
        return np.where(np.isnan(values), self.mean_, values)


def model(est: FormulaRegressor, X: Any = None) -> str:  # noqa: N803
    """Return the formula with the names of X's columns, without X with x_1, x_2, ...; pi in decimals, as SRBench rounds it."""
    formula, names = est.discovery_.formula, est.discovery_.names
    columns = dict(zip(names, names if X is None else X.columns, strict=True))
    new = {one: sympy.Symbol(str(columns[one.name])) for one in formula.free_symbols}
    return str(formula.xreplace(new).subs(sympy.pi, sympy.pi.evalf(17)))


def complexity(est: FormulaRegressor) -> int:
    """Return the number of nodes of the formula."""
    return sum(1 for _ in sympy.preorder_traversal(est.discovery_.formula))


est = FormulaRegressor()
eval_kwargs = {"scale_x": False, "scale_y": False, "max_train_samples": 1000, "test_params": {"max_time": 10.0}}  # fmt: skip
