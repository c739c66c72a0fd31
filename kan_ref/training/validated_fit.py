"""Train on a noisy table: cross-validation chooses the architecture and the weight of the penalty.

With few or noisy samples the network that fits best predicts badly. Each architecture but the
constant is trained with the L1 penalty on edges, on a path of growing weights (`candidates`).
Candidates are all pairs of architecture and weight. Their losses on held-out samples are taken in K
folds (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd ed., section 7.10),
and the simplest candidate is chosen that is as good as the best one, (T22) of `held_out`. Within
one architecture, a stronger penalty is simpler. All folds and the last fit, on all training
samples, begin with the same initial parameters. Each fold places its grids on the samples it trains
on, and predicts beyond them as `ValidatedRun.predict` does.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.data import Data, check_data
from kan_ref.network import Network, network_values
from kan_ref.optimizers import steps_are_done
from kan_ref.training.candidates import (
    Recipe,
    check_goals,
    check_weights,
    clipped,
    constant_network,
    fewest_samples,
    fold_targets,
    initial_networks,
    reason,
    sample_range,
    usual_weights,
    with_frequencies,
)
from kan_ref.training.data_goal import LOSSES, DataGoal
from kan_ref.training.fitting import fit
from kan_ref.training.held_out import (
    best_constant,
    compare,
    held_out_parts,
    sample_losses,
    strata,
)
from kan_ref.training.history import Run

N_FOLDS = 5
MOST_FOLDED = 1000  # training samples; of more of them, one fifth is held out once
FEWEST = 5  # training samples; with fewer, standard errors mean little


@dataclass(frozen=True)
class Candidate:
    """An architecture with a weight of the penalty, and its held-out loss.

    `architecture` is "constant", "linear", "additive" or "hidden"; `penalty_weight` is infinite for
    the constant. `validation_loss` is the mean over all held-out samples (for "mse", the mean
    squared error); `excess` and `standard_error` compare it with the best candidate, (T21).
    """

    architecture: str
    penalty_weight: float
    validation_loss: float
    excess: float
    standard_error: float

    def __str__(self) -> str:
        weight = (
            f", penalty_weight {self.penalty_weight:g}" if np.isfinite(self.penalty_weight) else ""
        )
        return f"{self.architecture}{weight}: held-out loss {self.validation_loss:.3g}"


@dataclass(frozen=True, eq=False, repr=False)
class ValidatedRun(Run[Network]):
    """A finished choice by cross-validation.

    Parameters
    ----------
    network, history, stopped, interrupted, entry
        Of the last fit, on all training samples; see `Run`. `stopped` begins with the choice. For
        classes the last entry of `history` is of the network with its constants (T35).
    candidates : tuple of Candidate
        All that were compared, the simplest first.
    chosen : Candidate
        The one that was refitted.
    domain : (n_in, 2)
        Smallest and largest training input, to which `predict` clips.
    names : tuple of str, optional
        Those of the inputs in the data.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate
    domain: FloatArray
    names: tuple[str, ...] | None = None

    def predict(self, x: object) -> FloatArray:
        """Compute outputs (batch, n_out) of the network at inputs clipped to `domain`.

        Beyond the training inputs the predictions are constant, while a spline that few samples
        determine may have any value there. `history` and `candidates` are of such predictions. The
        columns of a table must be `names`, in their order.

        Raises
        ------
        ValueError, TypeError
            If x is not an array of finite numbers with n_in columns, or a table of other columns.
        """
        if self.names is not None:
            checks.same_columns("x", x, self.names)
        inputs = checks.array("x", x, ("batch", len(self.domain)))
        return network_values(self.network, clipped(inputs, self.domain))

    def __repr__(self) -> str:
        return f"ValidatedRun({self.network!r}, {self.stopped!r})"


@np.errstate(all="ignore")
def fit_validated(
    data: object,
    *,
    hidden: Sequence[int] = (5,),
    n_intervals: int = 3,
    degree: int = 3,
    loss: str = "mse",
    weights: Sequence[float] | None = None,
    n_steps: int = 100,
    n_folds: int | None = None,
    rng: np.random.Generator,
) -> ValidatedRun:
    """Train a network on a noisy table, of an architecture and penalty chosen by cross-validation.

    Parameters
    ----------
    data : record with x_train, y_train, x_test, y_test
        Standardised: every column of x, and of y for "mse", with mean 0 and standard deviation 1.
        Test data are only reported.
    hidden : sequence of int
        Widths of the hidden layers of the richest architecture; () leaves it out.
    n_intervals, degree : int
        Of the spline edges.
    loss : str
        "mse", "cross_entropy" or "logistic".
    weights : sequence of float, optional
        Above 0, strictly increasing: weights of the L1 penalty. None is 0.001, 0.003, 0.01, 0.03,
        0.1, 0.3, 1; with fewer than 100 training samples 0.001, 0.01, 0.1, 1, because so few do
        not tell neighbouring weights apart.
    n_steps : int
        Most L-BFGS iterations with the first weight, at least 1; half of them with each other one.
        A fit ends before when 10 iterations have lowered the objective by less than 0.1 %.
    n_folds : int, optional
        From 2 to the number of training samples. None is 5 for up to 1000 of them; of more, a fifth
        is held out once.
    rng : numpy.random.Generator
        Draws the folds, and the initial parameters, which are the same for all of them.

    Returns
    -------
    run : ValidatedRun
        With `candidates`, their held-out losses, and the `chosen` one, refitted on all training
        samples. Use `run.predict`, which clips inputs to the range of the training inputs.

    Raises
    ------
    ValueError, TypeError
        "x_train has mean 312 in column 3 ..., but must be standardised"; as `init_network` and
        `fit`.
    KeyboardInterrupt
        During cross-validation. In the last fit it ends the run, as in `fit`; before the chosen
        weight, `stopped` says with which smaller one the network was trained.

    Notes
    -----
    With fewer than 5 training samples the constant is returned. An architecture is compared where
    every fold trains on enough samples for it: at least n_intervals + degree, the number of basis
    functions of a spline, for the additive one, and as many for each input for the hidden one. With
    fewer samples not even the sum of curves is determined, and interactions less.

    For classes each trained network gets constants, (T35) of `candidates`: the mean probability of
    a class on the samples trained on is the class's frequency, which the penalty would change.

    The L1 penalty has no derivative at 0, so that rounding decides where an iteration leads. On one
    machine results repeat bit for bit, but data that differ in the last digit give other ones. For
    six tables of 120 samples of 4 inputs, relative changes of y by 1e-15 to 3e-15 changed
    predictions by 0.02 to 0.16 standard deviations of y (root mean square; single ones by up to
    1.7), in 4 of 18 fits the chosen weight, and errors, 0.22 to 0.58, by up to 6 %, once 19 %.

    Implements :eq:`penalty-path` and :eq:`paired-differences`. It takes n_folds + 1 paths of
    at most n_steps (1 + (n_weights - 1) / 2) iterations for each architecture.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 2)).clip(-2.0, 2.0)
    >>> y = x[:, :1] + 0.3 * rng.standard_normal((60, 1))
    >>> data = Data(x[:40], y[:40], x[40:], y[40:])
    >>> fit_validated(data, weights=(0.01, 0.1), n_steps=20, rng=rng).chosen.architecture
    'linear'
    """
    checked = check_data(data, least=1)
    rng = checks.generator("rng", rng)
    hidden = tuple(hidden)
    hidden = [checks.integer(f"hidden[{place}]", n, low=1) for place, n in enumerate(hidden)]
    labels = checked.y_train.ndim == 1
    n_out = int(checked.y_train.max()) + 1 if labels else checked.y_train.shape[1]
    before = copy.deepcopy(rng)  # each fold draws the same parameters
    shape = {"n_intervals": n_intervals, "degree": degree}
    recipe = Recipe(
        checks.choice("loss", loss, tuple(LOSSES)),
        usual_weights(len(checked.x_train)) if weights is None else check_weights(weights),
        checks.integer("n_steps", n_steps, low=1),
        lambda x: initial_networks(x, n_out, hidden, **shape, rng=copy.deepcopy(before)),
    )
    networks = recipe.initial(checked.x_train)
    goal = check_goals(networks["linear"], checked, recipe.loss)
    parts = _parts(goal, n_folds, rng)
    fewest = len(goal.x) - max(map(len, parts), default=0)  # samples that a fold trains on
    n_in = checked.x_train.shape[1]
    names = tuple(n for n in networks if fewest >= fewest_samples(n, n_intervals + degree, n_in))
    losses = [_held_out(checked, goal, part, recipe, names) for part in parts]
    candidates, chosen = _choice(losses, names, recipe.weights)
    return _refitted(checked, goal, networks, recipe, candidates, chosen)


def _parts(goal: DataGoal, n_folds: int | None, rng: np.random.Generator) -> list[IntArray]:
    """Return the held-out samples of each fold; none where there are too few samples."""
    n = len(goal.x)
    count = N_FOLDS if n_folds is None else checks.integer("n_folds", n_folds, low=2)
    if n < FEWEST:
        return []
    if count > n:
        raise ValueError(
            f"n_folds is {count}, but there are {n} training samples, and each fold holds at least "
            f"one of them out: give at most {n}, such as 5"
        )
    parts = list(held_out_parts(strata(goal), count, rng))
    return parts[:1] if n_folds is None and n > MOST_FOLDED else parts


def _held_out(
    data: Data, goal: DataGoal, part: IntArray, recipe: Recipe, names: tuple[str, ...]
) -> FloatArray:
    """Return the losses (n_part, n_candidates) on one part, of networks trained on the others.

    Grids are placed on the others alone, so that held-out samples beyond them count like new ones.
    """
    kept = np.delete(np.arange(len(goal.x)), part)
    few = part[:1]  # test samples cost time and decide nothing
    y, goal = fold_targets(data, goal, kept)
    inside = Data(data.x_train[kept], y[kept], data.x_train[few], y[few])
    nearest = clipped(goal.x[part], sample_range(inside.x_train))
    held_out = replace(goal, x=nearest, targets=goal.targets[part])
    goal = replace(goal, x=goal.x[kept], targets=goal.targets[kept])
    columns = [sample_losses(held_out, np.tile(best_constant(goal), (len(part), 1)))]
    networks = recipe.initial(inside.x_train)
    for name in names:
        of_weights = []
        for run in recipe.path(networks[name], inside):
            if run.interrupted:
                raise KeyboardInterrupt
            network = with_frequencies(run.network, goal)
            of_weights.append(sample_losses(held_out, network_values(network, held_out.x)))
        columns += of_weights[::-1]
    return np.column_stack(columns)


def _choice(
    parts: list[FloatArray], names: tuple[str, ...], weights: tuple[float, ...]
) -> tuple[tuple[Candidate, ...], Candidate]:
    """Return all candidates, the simplest first, and the chosen one."""
    labels = [("constant", np.inf), *((name, w) for name in names for w in weights[::-1])]
    if not parts:
        only = Candidate("constant", np.inf, np.nan, np.nan, np.nan)
        return (only,), only
    losses = np.concatenate(parts)
    means = losses.mean(axis=0)
    reference = losses[:, int(np.argmin(means))]
    pairs = [compare(losses[:, place], reference) for place in range(len(labels))]
    candidates = [
        Candidate(*label, float(mean), pair.excess, pair.standard_error)
        for label, mean, pair in zip(labels, means, pairs, strict=True)
    ]
    return tuple(candidates), candidates[[pair.as_good for pair in pairs].index(True)]


def _refitted(
    data: Data,
    goal: DataGoal,
    networks: dict[str, Network],
    recipe: Recipe,
    candidates: tuple[Candidate, ...],
    chosen: Candidate,
) -> ValidatedRun:
    """Train the chosen candidate on all training samples."""
    domain = sample_range(data.x_train)
    data = replace(data, x_test=clipped(data.x_test, domain))
    if chosen.architecture == "constant":
        network = constant_network(networks["linear"], best_constant(goal))
        run = fit(network, data, loss=recipe.loss, n_steps=0)
        run = replace(run, stopped=steps_are_done(0))  # that it is constant needs no note
    else:
        shorter = tuple(weight for weight in recipe.weights if weight <= chosen.penalty_weight)
        run = replace(recipe, weights=shorter).last(networks[chosen.architecture], data, goal)
    compared = f"chosen of {len(candidates)}: {chosen}"
    if len(candidates) == 1:
        compared = f"the constant, because fewer than {FEWEST} training samples cannot be compared"
    stopped = f"{compared}; {reason(run.stopped, data.names)}"
    of_run = run.network, run.history, stopped, run.interrupted, run.entry
    return ValidatedRun(*of_run, candidates, chosen, domain, data.names)
