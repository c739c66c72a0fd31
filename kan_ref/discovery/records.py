"""What `discover` returns: the formula, its verdict, the front of alternatives, and all steps."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record
from kan_ref.data import Data
from kan_ref.discovery.verdict import Verdict
from kan_ref.formulas import numeric_function
from kan_ref.network import Network, network_values, undefined_values
from kan_ref.training import LOSSES, Scaler


@dataclass(frozen=True, eq=False)
class DiscoveryStep:
    """One step: its `name`, a `note` in words, its `network`, and its errors.

    `network` is None where the step has a formula that is not a network yet. `train_rmse` is the
    error on all training samples, `test_rmse` on the test samples, nan without any. An error is nan
    where a function is undefined at a sample; `note` says which. For classes errors are those of
    probabilities.
    """

    name: str
    note: str
    network: Network | None
    train_rmse: float
    test_rmse: float

    def __repr__(self) -> str:
        errors = _errors(self)
        shape = "" if self.network is None else f" {list(self.network.widths)},"
        return f"{self.name:<10} {self.note}:{shape} {errors}"


@dataclass(frozen=True)
class Alternative:
    """A formula that no other one of the front beats in both error and complexity.

    `rmse` on the training samples; `complexity` counts operations, functions and numbers; `bic` is
    the Bayesian information criterion, by which the formula is chosen; lower is better.
    """

    formula: Any
    rmse: float
    complexity: int
    bic: float

    def __repr__(self) -> str:
        return f"{self.formula}: rmse {self.rmse:.2e}, complexity {self.complexity}"


@dataclass(frozen=True, eq=False)
class Discovery(Record):
    """The formula found for data, how far it explains them, and all steps to it.

    Attributes
    ----------
    formula : sympy.Expr, or tuple of sympy.Expr
        In the user's units; one for each output.
    verdict : Verdict
        `kind` is "exact", "within noise" or "not explained", `str(verdict)` gives the reason. Read
        it before the formula.
    alternatives : tuple of Alternative
        The front of error against complexity, the simplest first; for several outputs one tuple for
        each.
    network : Network or None
        The formula as a network of symbolic edges; None where that cannot be, with the reason in
        the verdict.
    splines, scaler : Network, Scaler
        A network of splines, and the maps of its units: it computes
        `scaler.inverse_y(splines(scaler.transform_x(x)))`. The paper's way names its curves. With
        slices it is that of the first output; it is a coarse one where another model is nearer to
        the samples and led to the formula, as the step "model" says.
    steps : tuple of DiscoveryStep
    decisions : tuple
        What the slices decided, in words with measured numbers; empty for the paper's way.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample(lambda x: x**2, n_in=1, n_train=50, n_test=9, rng=rng)
    >>> found = kr.discover(data, names=["r"], rng=rng)
    >>> found.formula, found.verdict.kind, found.predict([[3.0]])
    (r**2, 'exact', array([[9.]]))
    """

    formula: Any
    network: Network | None
    splines: Network
    steps: tuple[DiscoveryStep, ...]
    verdict: Verdict
    alternatives: tuple[Any, ...]
    scaler: Scaler
    names: tuple[str, ...]
    decisions: tuple[Any, ...] = ()

    @property
    def train_rmse(self) -> float:
        """The error of the formula on the training samples."""
        return self.steps[-1].train_rmse

    @property
    def test_rmse(self) -> float:
        """The error of the formula on the test samples; nan without any."""
        return self.steps[-1].test_rmse

    def predict(self, x: object) -> FloatArray:
        """Compute the formula at x (batch, n_in), as (batch, n_out); nan where it is undefined.

        The columns of a table must be `names`, in their order, if the inputs have names.

        Raises
        ------
        ValueError, TypeError
            For a wrong array; "x has the columns ('b', 'a'), but needs ('a', 'b'), the names of the
            inputs".
        """
        checks.same_columns("x", x, self.names)
        points = checks.array("x", x, ("batch", len(self.names)))
        return formula_values(self.formula, points, self.names)

    def __repr__(self) -> str:
        return f"Discovery({self.formula}, {_errors(self)}, {self.verdict.kind})"


def _errors(one: DiscoveryStep | Discovery) -> str:
    """Return the errors as text, that of the test samples only where there is one."""
    test = "" if np.isnan(one.test_rmse) else f", test_rmse {one.test_rmse:.2e}"
    return f"train_rmse {one.train_rmse:.2e}{test}"


def formula_values(formula: Any, x: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Compute a formula, or a tuple of them, at x (batch, n_in), as (batch, n_out)."""
    expressions = formula if isinstance(formula, tuple) else (formula,)
    with np.errstate(all="ignore"):
        found = np.asarray(numeric_function(expressions, names)(x), dtype=np.float64)
    return np.where(np.isfinite(found), found, np.nan)


class Report:
    """Keep the finished steps, pass them to the callback, and know when to end.

    `ended` is "", "interrupted" or "the time is over".
    """

    def __init__(
        self,
        data: Data,
        callback: Callable[[Any], None] | None,
        progress: bool,
        loss: str = "mse",
        seconds: float | None = None,
    ) -> None:
        self.data, self.callback, self.loss = data, callback, loss
        self.deadline = np.inf if seconds is None else time.monotonic() + seconds
        self.steps: list[DiscoveryStep] = []
        self.bar, self.ended = None, ""
        if progress:
            from tqdm import tqdm  # here, because only a bar needs it

            self.bar = tqdm(desc="discover", unit=" trials")

    def __enter__(self) -> "Report":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def late(self) -> bool:
        """Return whether the search has to end now."""
        if not self.ended and time.monotonic() > self.deadline:
            self.ended = "the time is over"
        return bool(self.ended)

    @contextmanager
    def until_interrupted(self) -> Iterator[None]:
        """End the work inside at a first interrupt; a second one raises KeyboardInterrupt."""
        try:
            yield
        except KeyboardInterrupt:
            if self.ended == "interrupted":
                raise
            self.ended = "interrupted"

    def trial(self, trial: Any) -> None:
        """Report a trial, a decision or a step."""
        if self.bar is not None:
            self.bar.update()
        if self.callback is not None and self.ended != "interrupted":
            self.callback(trial)

    def step(
        self,
        name: str,
        note: str,
        network: Network | None = None,
        f: Callable[[FloatArray], FloatArray] | None = None,
    ) -> None:
        """Keep and report a step, with the errors of its network, or of f (batch, n_out)."""
        kind, errors = LOSSES[self.loss], []
        for part in ("train", "test"):
            x, y = getattr(self.data, f"x_{part}"), getattr(self.data, f"y_{part}")
            predicted = f(x) if f else network_values(network, x) if network else y
            is_defined = bool(np.isfinite(predicted).all())
            errors.append(np.nan)
            if len(x) and is_defined:
                targets = kind.read_targets("y", y, predicted.shape[1])
                errors[-1] = kind.judge(predicted, targets)[1]
            elif network is not None and not is_defined:
                why = undefined_values(network.layers, x, f"x_{part}")
                note += f"; the {part} error is nan, because {why}"
        with self.until_interrupted():  # what was found is kept
            self._keep(DiscoveryStep(name, note, network, *errors))

    def _keep(self, step: DiscoveryStep) -> None:
        self.steps.append(step)
        if self.bar is not None:
            shape = "" if step.network is None else f" {list(step.network.widths)}"
            self.bar.set_postfix_str(f"{step.name}{shape}")
        self.trial(step)
