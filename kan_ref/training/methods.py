"""How `fit` minimises an objective: records of an optimizer's options, each with its
points.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import Network
from kan_ref.optimizers import Points, adam, lbfgs, levenberg_marquardt
from kan_ref.training.objective import Objective
from kan_ref.training.terms import DataTerm

Started = tuple[Objective, Points]


@dataclass(frozen=True)
class LM:
    """Levenberg-Marquardt for `fit`: sums of squares, steps of n_params^3 operations.

    Parameters
    ----------
    scaled : bool
        Whether damping measures parameters by their effect on the predictions, for a
        Network.
    damping : float
        Above 0: the first mu, in units of the largest entry of D^-1 J^T J.

    Notes
    -----
    Madsen, Nielsen & Tingleff, Methods for Non-Linear Least Squares Problems, 2004.

    Examples
    --------
    >>> LM(damping=1e-2)
    LM(scaled=True, damping=0.01)
    """

    scaled: bool = True
    damping: float = 1e-3

    def __post_init__(self) -> None:
        checks.flag("scaled", self.scaled)
        checks.number("damping", self.damping, above=0.0)

    def start(self, objective: Objective, rng: np.random.Generator | None) -> Started:
        """Return the objective and the points that lower it."""
        scaled = self.scaled and isinstance(objective.model, Network)
        metric = objective.metric(1.0) if scaled else None
        given = objective.linearize, objective.start(), objective.residuals
        return objective, levenberg_marquardt(*given, self.damping, metric)


@dataclass(frozen=True)
class LBFGS:
    """L-BFGS for `fit`, for every objective.

    Parameters
    ----------
    scaled : bool
        Whether parameters are measured by their effect on the predictions, for a
        Network without an L1 or entropy penalty. False: the plain parameters, as in the
        paper.
    history : int
        At least 1: how many steps it remembers.

    Notes
    -----
    Nocedal & Wright, Numerical Optimization, 2nd ed., Algorithm 7.5. Liu et al. 2024
    train with it.

    Examples
    --------
    >>> LBFGS(scaled=False)
    LBFGS(scaled=False, history=10)
    """

    scaled: bool = True
    history: int = 10

    def __post_init__(self) -> None:
        checks.flag("scaled", self.scaled)
        checks.integer("history", self.history, low=1)

    def start(self, objective: Objective, rng: np.random.Generator | None) -> Started:
        """Return the objective in its variables and the points that lower it."""
        penalized = any(getattr(term, "penalty", None) for term in objective.terms)
        if self.scaled and isinstance(objective.model, Network) and not penalized:
            objective = objective.in_scaled_variables()
        z = objective.start()
        return objective, lbfgs(objective.value_and_grad, z, self.history)


@dataclass(frozen=True)
class Adam:
    """Adam for `fit`, the method for mini-batches.

    Parameters
    ----------
    learning_rate : float
        Above 0: about how far every parameter moves in a step.
    batch_size : int, optional
        Samples of a step, drawn by `fit`'s rng without replacement until all have been
        used; all of them if None.

    Notes
    -----
    Kingma & Ba, ICLR 2015, Algorithm 1. With mini-batches, time and memory of a step
    depend on their size alone; training errors of `run.history` are those of the batch,
    but at the last step of a grid those of all samples.

    Examples
    --------
    >>> Adam(batch_size=256)
    Adam(learning_rate=0.01, batch_size=256)
    """

    learning_rate: float = 1e-2
    batch_size: int | None = None

    def __post_init__(self) -> None:
        checks.number("learning_rate", self.learning_rate, above=0.0)
        if self.batch_size is not None:
            checks.integer("batch_size", self.batch_size, low=1)

    def start(self, objective: Objective, rng: np.random.Generator | None) -> Started:
        """Return the objective, if asked on mini-batches, and the points."""
        if self.batch_size is not None:
            generator = checks.generator("rng", rng)
            objective = OnBatches(objective, self.batch_size, generator)
        z = objective.start()
        return objective, adam(objective.value_and_grad, z, self.learning_rate)


class OnBatches(Objective):
    """An objective whose data are a new mini-batch at every evaluation."""

    def __init__(self, whole: Objective, size: int, rng: np.random.Generator) -> None:
        super().__init__(whole.model, whole.terms, whole.free)
        self.data: DataTerm = whole.terms[0]
        self.size, self.rng = size, rng
        self.waiting: list[IntArray] = []

    def value_and_grad(self, z: FloatArray) -> tuple[float, FloatArray]:
        """Compute the objective and its gradient on the next batch."""
        if not self.waiting:
            order = self.rng.permutation(len(self.data.x))
            cuts = range(0, len(order), self.size)
            self.waiting = [order[cut : cut + self.size] for cut in cuts]
        self.terms = [self.data.on_samples(self.waiting.pop(0)), *self.terms[1:]]
        return super().value_and_grad(z)


Method = LM | LBFGS | Adam
METHODS: dict[str, Method] = {"lm": LM(), "lbfgs": LBFGS(), "adam": Adam()}


def read_method(optimizer: str | Method | None, squares: bool) -> Method:
    """Return the method of a name or record; None is LM for `squares`, else L-BFGS."""
    if optimizer is None:
        optimizer = "lm" if squares else "lbfgs"
    if isinstance(optimizer, type) and issubclass(optimizer, Method):
        rule = f"give kr.{optimizer.__name__}()"
        checks.fail("optimizer", optimizer, rule, TypeError)
    if not isinstance(optimizer, Method):
        optimizer = METHODS[checks.choice("optimizer", optimizer, METHODS)]
    if isinstance(optimizer, LM) and not squares:
        rule = "a penalty or this loss makes no sum of squares: take 'lbfgs'"
        checks.fail("optimizer", "lm", rule)
    return optimizer
