"""Replace the splines of a network by functions that explain the data.

Each spline edge is fitted by the functions of the library, as if it were alone (`rank_functions`).
Then all parameters a, b, c, d are trained together. Where several functions are near an edge, the
data decide by the Bayesian information criterion (Schwarz 1978) of the whole formula on the N
training samples,

    (D7)  N log(mse) + log(N) * sum over edges of (inner parameters + complexity of the function)

The search begins with the best functions of each edge or with the simplest ones, and exchanges one
function at a time until no exchange lowers (D7). Only those inner parameters count that are not
redundant: none of x, one of x^2 or exp, two of sin. An mse below the rounding error of the targets
counts as that rounding error. For classes the first term is 2 N times the mean loss, which is minus
twice the logarithm of the likelihood.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.trials import fitted
from kan_ref.functions import lookup
from kan_ref.network import (
    Network,
    edge_samples,
    network_values,
    replace_layer,
    with_formula,
)
from kan_ref.symbolic import (
    AffineFit,
    Choice,
    Place,
    exchange_functions,
    price,
    rank_functions,
    with_fits,
)
from kan_ref.training import LOSSES

ROUNDING = 1e-14  # of the targets' standard deviation: errors below it are equal
EXACT = 1e-12  # of the targets' standard deviation: the search ends at errors below it
NEAR = 30.0  # a function is a rival if its misfit is below this times the best one
SMALLEST = 1e-300  # of an rmse, for constant targets 0: log 0 is not defined
MOST_RIVALS = 4  # of the nearest functions
N_SIMPLEST = 2  # of the near functions the simplest are rivals too
PHASE_DISTANCE = 0.1  # of a phase from a quarter period at which sin and cos are exchanged


@dataclass(frozen=True, eq=False)
class FormulaTrial:
    """Functions that were tried together.

    `names` of the functions by (layer, output, input); the trained `network`; its training error
    `train_rmse`; its `score` (D7).
    """

    names: dict[Place, str]
    network: Network = field(repr=False)
    train_rmse: float
    score: float


@dataclass(frozen=True, eq=False)
class FormulaSearch:
    """The result of a search.

    `network`, all edges symbolic; its training error `train_rmse`; `rivals` of each edge, the best
    first; `trials` in their order; whether the search was `interrupted`.
    """

    network: Network
    train_rmse: float
    rivals: dict[Place, tuple[AffineFit, ...]] = field(repr=False)
    trials: tuple[FormulaTrial, ...] = field(repr=False)
    interrupted: bool = False


def rank_edges(
    network: Network, x: FloatArray, names: Sequence[str] | None, deadline: float = np.inf
) -> dict[Place, tuple[AffineFit, ...]]:
    """Return for every spline edge the functions that come near its curve on x, the best first.

    Edges that are left when the time is over become lines, or the simplest of other `names`.
    """
    found = {}
    for layer_index, (inputs, outputs) in enumerate(edge_samples(network, x)):
        for j, i in np.argwhere(network.layers[layer_index].mask == 1.0).tolist():
            allowed = _simplest(names) if time.monotonic() > deadline else names
            ranked = rank_functions(inputs[:, i], outputs[:, j, i], allowed)
            most = NEAR * ranked[0].rms + ROUNDING * float(np.std(outputs[:, j, i]))
            near = [one for one in ranked if one.rms <= most] or ranked[:1]
            simplest = sorted(near, key=price)[:N_SIMPLEST]
            near = near[:MOST_RIVALS]
            found[layer_index, j, i] = (*near, *(one for one in simplest if one not in near))
    return found


def _simplest(names: Sequence[str] | None) -> list[str]:
    """Return the name of a line if it is allowed, else that of the simplest function."""
    if names is None or "x" in names:
        return ["x"]
    return sorted(names, key=lambda name: lookup(name).complexity)[:1]


def search_formula(
    network: Network,
    data: Data,
    *,
    names: Sequence[str] | None = None,
    loss: str = "mse",
    n_steps: int = 60,
    report: Callable[[FormulaTrial], None] = lambda trial: None,
    deadline: float = np.inf,
) -> FormulaSearch:
    """Replace the spline edges of a network by the functions that minimise (D7) on training data.

    Symbolic edges keep their functions; their parameters are trained too. The first set of
    functions is always trained; after the deadline no other one is tried. An interrupt after a
    first trial ends the search with the best one so far.
    """
    rivals = rank_edges(network, data.x_train, names, deadline)
    exact = EXACT * float(np.std(data.y_train)) if loss == "mse" else EXACT
    trials: list[FormulaTrial] = []

    def trained(start: Network, choice: Choice) -> FormulaTrial:
        trial = _trained(start, choice, data, loss, n_steps)
        if np.isfinite(trial.score):
            trials.append(trial)
            report(trial)
        return trial

    first = {place: fits[0] for place, fits in rivals.items()}
    simplest = {place: min(fits, key=price) for place, fits in rivals.items()}
    try:
        best, choice = trained(with_fits(network, first), first), first
        is_late = time.monotonic() > deadline
        if best.train_rmse > exact and simplest != first and not is_late:
            other = trained(with_fits(network, simplest), simplest)
            best, choice = (other, simplest) if other.score < best.score else (best, choice)
        best = exchange_functions(
            rivals,
            choice,
            best,
            evaluate=lambda new, old, k: trained(with_fits(old.network, {k: new[k]}), new),
            improves=lambda new, old: new.score < old.score,
            is_final=lambda trial: trial.train_rmse <= exact or time.monotonic() > deadline,
            seen=[tuple(trial.names.values()) for trial in trials],
        )
    except KeyboardInterrupt:
        if not trials:
            raise
        best = min(trials, key=lambda trial: trial.score)
        return FormulaSearch(best.network, best.train_rmse, rivals, tuple(trials), True)
    return FormulaSearch(best.network, best.train_rmse, rivals, tuple(trials))


def _trained(start: Network, choice: Choice, data: Data, loss: str, n_steps: int) -> FormulaTrial:
    """Train the parameters of a symbolic network; error and score are inf if it is undefined."""
    names = {place: one.name for place, one in choice.items()}
    if not _defined(start, data):
        return FormulaTrial(names, start, np.inf, np.inf)
    network = with_trained_numbers(start, data, loss, n_steps)
    targets = LOSSES[loss].read_targets("y_train", data.y_train, network.widths[-1])
    mean, rmse, _ = LOSSES[loss].judge(network_values(network, data.x_train), targets)
    n = len(data.x_train)
    total = sum(price(one) for one in choice.values())
    if loss == "mse":
        least = max(ROUNDING * float(np.std(data.y_train)), SMALLEST)
        # [eq:formula-score]
        score = n * 2.0 * np.log(max(rmse, least)) + np.log(n) * total
        # [/eq:formula-score]
    else:
        n_answers = targets.shape[1] if loss == "logistic" else 1  # its mean is over outputs
        score = 2.0 * n * n_answers * mean + np.log(n) * total
    return FormulaTrial(names, network, rmse, score)


def with_trained_numbers(
    network: Network, data: Data, loss: str, n_steps: int, deadline: float = np.inf
) -> Network:
    """Train the parameters a, b, c, d of the symbolic edges, until the deadline at most."""
    return fitted(
        network,
        data,
        n_steps=n_steps,
        loss=loss,
        deadline=deadline,
        trainable=("symbolic",),
        update_grids=False,
    )


def _defined(network: Network, data: Data) -> bool:
    """Return whether all functions are defined on the training samples, without overflow."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.sum(network_values(network, data.x_train) ** 2)))


def sine_or_cosine(network: Network) -> Network:
    """Write a sine with a phase near a quarter period as a cosine, and the reverse.

    Locked edges stay as they are.
    """
    for layer_index, layer in enumerate(network.layers):
        rows = [edge.row for edge in layer.symbolic]
        for edge in layer.symbolic:
            a, b, c, d = layer.affine[edge.row]
            shift = {"sin": -0.5 * np.pi, "cos": 0.5 * np.pi}.get(edge.name)
            if (
                shift is not None
                and rows.count(edge.row) == 1
                and abs((b + shift + 0.5 * np.pi) % np.pi - 0.5 * np.pi) < PHASE_DISTANCE
            ):
                other = lookup("cos" if edge.name == "sin" else "sin")
                old, affine = network.layers[layer_index], (a, b + shift, c, d)
                changed = with_formula(old, edge.output, edge.input, other, affine)
                network = replace_layer(network, layer_index, changed)
    return network
