"""Train on a noisy table: cross-validation chooses the architecture and the weight of the penalty.

With few or noisy samples the network that fits best predicts badly. Four architectures, ordered
from the simplest to the richest, cover the range from no dependence at all to interactions:

    constant    the mean of the targets, or the frequencies of the classes
    linear      one layer of lines
    additive    one layer of splines, y = sum_i phi_i(x_i)
    hidden      a network with hidden layers, which can represent interactions

Each but the first is trained with the L1 penalty on edges (Liu et al. 2024, eq. 2.17) on a path of
weights w_1 < w_2 < ...

    (T23)  theta_1 = minimise(w_1, theta_0),   theta_p = minimise(w_p, theta_{p-1})

from the weakest penalty to the strongest. In this order a network first uses all its edges, and
then loses those that the data do not need. In the reverse order, edges and nodes that a strong
penalty has made 0 stay near 0: the interaction in Friedman's first test function is then lost.

Candidates are all pairs of architecture and weight. Their losses on held-out samples are taken in K
folds (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd ed., section 7.10),
and the simplest candidate is chosen that is as good as the best one, (T22) of `paired_test`. Within
one architecture, a stronger penalty is simpler. All folds and the last fit, on all training
samples, begin with the same initial parameters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_ref.checks import (
    FloatArray,
    IntArray,
    check_choice,
    check_generator,
    check_integer,
    check_number,
)
from kan_ref.data import Data, DataLike, check_data
from kan_ref.network import Network, domain_of_samples, init_network, network_values
from kan_ref.training.fitting import fit
from kan_ref.training.history import Run
from kan_ref.training.objective import LOSSES, DataGoal, check_batch
from kan_ref.training.paired_test import compare
from kan_ref.training.sample_losses import (
    best_constant,
    held_out_parts,
    sample_losses,
    strata,
)

WEIGHTS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)
N_FOLDS = 5
MOST_FOLDED = 1000  # training samples; of more of them, one fifth is held out once
LARGEST_MEAN = 1.0  # absolute, of a standardised column
LEAST_STD, LARGEST_STD = 0.25, 4.0


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
class ValidatedRun(Run):
    """A finished choice by cross-validation.

    Parameters
    ----------
    network, history, stopped, interrupted
        Of the last fit, on all training samples; see `Run`. `stopped` begins with the choice.
    candidates : tuple of Candidate
        All that were compared, the simplest first.
    chosen : Candidate
        The one that was refitted.
    """

    candidates: tuple[Candidate, ...] = field(repr=False)
    chosen: Candidate

    def __repr__(self) -> str:
        return f"ValidatedRun({self.network!r}, {self.stopped!r})"


@dataclass(frozen=True)
class _Recipe:
    """Settings of all fits: the loss, weights, strictly increasing, and steps of the first."""

    loss: str
    weights: tuple[float, ...]
    n_steps: int

    def path(self, network: Network, data: Data) -> Iterator[Run]:
        """Train on the path (T23), and yield the run of each weight."""
        for place, weight in enumerate(self.weights):
            # [eq:penalty-path]
            run = fit(
                network,
                data,
                optimizer="lbfgs",
                loss=self.loss,
                n_steps=self.n_steps if place == 0 else (self.n_steps + 1) // 2,
                penalty_weight=weight,
                entropy_weight=0.0,
            )
            network = run.network
            # [/eq:penalty-path]
            yield run
            if run.interrupted:
                raise KeyboardInterrupt


def fit_validated(
    data: DataLike,
    *,
    hidden: Sequence[int] = (5,),
    n_intervals: int = 3,
    degree: int = 3,
    loss: str = "mse",
    weights: Sequence[float] = WEIGHTS,
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
    weights : sequence of float
        Above 0, strictly increasing: weights of the L1 penalty.
    n_steps : int
        L-BFGS iterations with the first weight, at least 1; half of them with each other one.
    n_folds : int, optional
        At least 2. None is 5 for up to 1000 training samples; of more, a fifth is held out once.
    rng : numpy.random.Generator
        Draws the folds, then the initial parameters.

    Returns
    -------
    run : ValidatedRun
        With `candidates`, their held-out losses, and the `chosen` one, refitted on all training
        samples.

    Raises
    ------
    ValueError, TypeError
        "x_train has mean 312 in column 3 ..., but must be standardised"; as `init_network` and
        `fit`.
    KeyboardInterrupt
        During cross-validation; in the last fit it ends the run, as in `fit`.

    Notes
    -----
    Implements :eq:`penalty-path` and :eq:`paired-differences`. It takes n_folds + 1 paths of
    n_steps (1 + (n_weights - 1) / 2) iterations for each architecture.
    """
    checked = check_data(data)
    rng = check_generator("rng", rng)
    recipe = _Recipe(
        check_choice("loss", loss, tuple(LOSSES)),
        _check_weights(weights),
        check_integer("n_steps", n_steps, low=1),
    )
    labels = checked.y_train.ndim == 1
    n_in, n_out = checked.x_train.shape[1], 1 if labels else checked.y_train.shape[1]
    if labels:
        n_out = int(checked.y_train.max()) + 1
    # lines: the identity as base function, and one basis function of degree 0 for the constant
    ends = domain_of_samples(checked.x_train)
    line = init_network(
        (n_in, n_out),
        n_intervals=1,
        degree=0,
        domain=_widened(ends),
        base="identity",
        rng=rng,
    )
    goal = check_batch(line, checked.x_train, checked.y_train, ("x_train", "y_train"), loss)
    _check_standardised(goal)
    parts = _parts(goal, n_folds, rng)
    networks = {"linear": line}
    for name, inner in {"additive": (), "hidden": tuple(hidden)}.items():
        if inner or name == "additive":
            networks[name] = init_network(
                (n_in, *inner, n_out),
                n_intervals=n_intervals,
                degree=degree,
                domain=ends,
                x=checked.x_train,
                rng=rng,
            )
    losses = np.concatenate([_held_out(checked, goal, part, networks, recipe) for part in parts])
    candidates, chosen = _choice(losses, tuple(networks), recipe.weights)
    return _refitted(checked, goal, networks, recipe, candidates, chosen)


def _parts(goal: DataGoal, n_folds: int | None, rng: np.random.Generator) -> list[IntArray]:
    """Return the held-out samples of each fold; none for a single sample."""
    n = len(goal.x)
    count = min(n, N_FOLDS if n_folds is None else check_integer("n_folds", n_folds, low=2))
    parts = list(held_out_parts(strata(goal), count, rng)) if n > 1 else []
    return parts[:1] if n_folds is None and n > MOST_FOLDED else parts


def _held_out(
    data: Data,
    goal: DataGoal,
    part: IntArray,
    networks: dict[str, Network],
    recipe: _Recipe,
) -> FloatArray:
    """Return the losses (n_part, n_candidates) on one part, of networks trained on the others.

    The candidates have the order of `_names`.
    """
    kept = np.delete(np.arange(len(goal.x)), part)
    few = part[:1]  # test samples cost time and decide nothing
    inside = Data(data.x_train[kept], data.y_train[kept], data.x_train[few], data.y_train[few])
    held_out = replace(goal, x=goal.x[part], targets=goal.targets[part])
    constant = best_constant(replace(goal, x=goal.x[kept], targets=goal.targets[kept]))
    columns = [sample_losses(held_out, np.tile(constant, (len(part), 1)))]
    for network in networks.values():
        of_weights = [
            sample_losses(held_out, network_values(run.network, held_out.x))
            for run in recipe.path(network, inside)
        ]
        columns += of_weights[::-1]
    return np.column_stack(columns)


def _choice(
    losses: FloatArray, names: tuple[str, ...], weights: tuple[float, ...]
) -> tuple[tuple[Candidate, ...], Candidate]:
    """Return all candidates, the simplest first, and the chosen one."""
    labels = [("constant", np.inf)]
    labels += [(name, weight) for name in names for weight in weights[::-1]]
    if not len(losses):
        only = Candidate("constant", np.inf, np.nan, np.nan, np.nan)
        return (only,), only
    means = losses.mean(axis=0)
    reference = losses[:, int(np.argmin(means))]
    candidates = []
    for place, (name, weight) in enumerate(labels):
        pair = compare(losses[:, place], reference)
        candidates.append(
            Candidate(name, weight, float(means[place]), pair.excess, pair.standard_error)
        )
    return tuple(candidates), next(one for one in candidates if one.excess <= one.standard_error)


def _refitted(
    data: Data,
    goal: DataGoal,
    networks: dict[str, Network],
    recipe: _Recipe,
    candidates: tuple[Candidate, ...],
    chosen: Candidate,
) -> ValidatedRun:
    """Train the chosen candidate on all training samples."""
    if chosen.architecture == "constant":
        network = _constant_network(networks["linear"], best_constant(goal))
        run = fit(network, data, loss=recipe.loss, n_steps=0)
    else:
        shorter = tuple(weight for weight in recipe.weights if weight <= chosen.penalty_weight)
        path = replace(recipe, weights=shorter).path(networks[chosen.architecture], data)
        run = list(path)[-1]
    compared = f"chosen of {len(candidates)}: {chosen}"
    if len(candidates) == 1:
        compared = "the constant, because one training sample cannot be held out"
    return ValidatedRun(
        run.network, run.history, f"{compared}; {run.stopped}", run.interrupted, candidates, chosen
    )


def _constant_network(line: Network, constant: FloatArray) -> Network:
    """Return the network of lines as a constant (n_out,)."""
    (layer,) = line.layers
    coef = np.broadcast_to((constant / layer.coef.shape[1])[:, None, None], layer.coef.shape)
    zero = np.zeros_like(layer.w_base)
    return Network((replace(layer, coef=coef.copy(), w_base=zero),))


def _widened(ends: FloatArray) -> FloatArray:
    """Return bounds (n_in, 2) with ten times their width on each side."""
    width = ends[:, 1:] - ends[:, :1]
    return ends + np.array([-10.0, 10.0]) * width


def _check_weights(weights: object) -> tuple[float, ...]:
    """Return `weights` as strictly increasing positive numbers."""
    if isinstance(weights, str) or not isinstance(weights, Sequence | np.ndarray):
        raise TypeError(
            f"weights is {weights!r}, but must be a sequence of numbers such as (0.001, 0.01, 0.1)"
        )
    path = tuple(
        check_number(f"weights[{place}]", weight, low=0.0) for place, weight in enumerate(weights)
    )
    if not path or path[0] == 0.0 or list(path) != sorted(set(path)):
        raise ValueError(
            f"weights is {path}, but must be strictly increasing numbers above 0, at least one"
        )
    return path


def _check_standardised(goal: DataGoal) -> None:
    """Raise ValueError where a column is far from mean 0 and standard deviation 1."""
    arrays = {"x_train": goal.x}
    if goal.loss.probabilities is None:
        arrays["y_train"] = goal.targets
    for name, array in arrays.items():
        means, stds = array.mean(axis=0), array.std(axis=0)
        constant = np.ptp(array, axis=0) == 0.0
        wrong = (np.abs(means) > LARGEST_MEAN) | (
            ~constant & ((stds < LEAST_STD) | (stds > LARGEST_STD))
        )
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(
                f"{name} has mean {means[i]:.3g} and standard deviation {stds[i]:.3g} in column "
                f"{i}, but the weights of the penalty are those for standardised columns: the mean "
                f"must lie between -1 and 1, the standard deviation between {LEAST_STD:g} and "
                f"{LARGEST_STD:g}. Subtract the mean, and divide by the standard deviation"
            )
