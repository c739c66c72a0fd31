"""From a network of splines to formulas that explain the data: names by edge, parameters and doubtful names by the data.

Every spline edge is named by the library as if it were alone (`affine_rank`). Then all parameters a, b, c, d are trained together,
and where several names came near an edge the data decide, edge by edge, by the Bayesian information criterion

    (Z1)  N log(mse) + log(N) * sum over edges of (free inner parameters + complexity of the name)          (Schwarz 1978)

of the whole formula on the N training samples, from the best names by edge or the plainest, until no exchange of one name lowers
it. Free are the inner parameters that the gauge of a function leaves: none of x, one of x^2 or exp, two of sin. An mse below the
rounding of the targets counts as that rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.functions import lookup
from kan_ref.network import (
    Network,
    edge_samples,
    network_values,
    replace_layer,
    with_formula,
)
from kan_ref.symbolic import AffineFit, price, rank_functions
from kan_ref.training import fit

Place = tuple[int, int, int]  # layer, output, input
ROUNDING = 1e-14  # of the targets' spread: errors below are equal
EXACT = 1e-12  # of the targets' spread: the search ends
NEAR = 30.0  # a name whose misfit is below this times the best's is a rival
MOST_RIVALS = 4
N_PLAIN = 2  # of the near names the plainest are rivals too
QUARTER = 0.1  # how near to a quarter turn a phase must be for another name


@dataclass(frozen=True, eq=False)
class FormulaTrial:
    """Names that were tried together: `names` by place, the trained network, its training error and (Z1)."""

    names: dict[Place, str]
    network: Network = field(repr=False)
    train_rmse: float
    score: float


@dataclass(frozen=True, eq=False)
class FormulaSearch:
    """What a search came to: `network`, all of formulas; `train_rmse`; `rivals` of every place, the best first; `trials` in order."""

    network: Network
    train_rmse: float
    rivals: dict[Place, tuple[AffineFit, ...]] = field(repr=False)
    trials: tuple[FormulaTrial, ...] = field(repr=False)


def name_edges(
    network: Network, x: FloatArray, names: Sequence[str] | None
) -> dict[Place, tuple[AffineFit, ...]]:
    """For every spline edge the functions that come near its curve on x, the best first."""
    found = {}
    for number, (layer, (inputs, outputs)) in enumerate(
        zip(network.layers, edge_samples(network, x), strict=True)
    ):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            ranked = rank_functions(inputs[:, i], outputs[:, j, i], names)
            spread = float(np.std(outputs[:, j, i]))
            most = NEAR * ranked[0].rms + ROUNDING * spread
            near = [fit for fit in ranked if fit.rms <= most] or ranked[:1]
            plain = [
                fit for fit in sorted(near, key=price)[:N_PLAIN] if fit not in near[:MOST_RIVALS]
            ]
            found[number, j, i] = (*near[:MOST_RIVALS], *plain)
    return found


def search_formula(
    network: Network,
    data: Data,
    *,
    names: Sequence[str] | None = None,
    n_steps: int = 60,
    report: Callable[[FormulaTrial], None] = lambda trial: None,
) -> FormulaSearch:
    """(Z1) for a network and its training data; a formula edge stays what it is, its parameters are trained too."""
    rivals = name_edges(network, data.x_train, names)
    spread = float(np.std(data.y_train))
    trials: list[FormulaTrial] = []

    def tried(start: Network, chosen: dict[Place, AffineFit]) -> FormulaTrial:
        if not _defined(start, data):
            return FormulaTrial(
                {place: one.name for place, one in chosen.items()}, start, np.inf, np.inf
            )
        run = fit(
            start,
            data,
            optimizer="lm",
            n_steps=n_steps,
            trainable=("symbolic",),
            update_grids=False,
        )
        if run.interrupted:
            raise KeyboardInterrupt
        left = network_values(run.network, data.x_train) - data.y_train
        rmse = float(np.sqrt(np.mean(left**2)))
        total = sum(price(fitted) for fitted in chosen.values())
        # [eq:formula-score]
        score = (
            len(left) * 2.0 * np.log(max(rmse, ROUNDING * spread, 1e-300))
            + np.log(len(left)) * total
        )
        # [/eq:formula-score]
        trial = FormulaTrial(
            {place: one.name for place, one in chosen.items()}, run.network, rmse, score
        )
        trials.append(trial)
        report(trial)
        return trial

    first = {place: fits[0] for place, fits in rivals.items()}
    plainest = {place: min(fits, key=price) for place, fits in rivals.items()}
    best, chosen = tried(_with_fits(network, first), first), first
    if best.train_rmse > EXACT * spread and plainest != first:
        other = tried(_with_fits(network, plainest), plainest)
        best, chosen = (other, plainest) if other.score < best.score else (best, chosen)
    seen = {tuple(trial.names.values()) for trial in trials}
    exchanges = [(place, fitted) for place, fits in rivals.items() for fitted in fits]
    improved = True
    while improved:
        improved = False
        for place, rival in exchanges:
            if best.train_rmse <= EXACT * spread:
                break
            exchanged = {**chosen, place: rival}
            signature = tuple(one.name for one in exchanged.values())
            if signature in seen:
                continue
            seen.add(signature)
            trial = tried(_with_fits(best.network, {place: rival}), exchanged)
            if trial.score < best.score:
                best, chosen, improved = trial, exchanged, True
    return FormulaSearch(best.network, best.train_rmse, rivals, tuple(trials))


def _defined(network: Network, data: Data) -> bool:
    """Whether all formulas have values on the training samples."""
    with np.errstate(over="ignore"):
        left = network_values(network, data.x_train) - data.y_train
        return bool(np.isfinite(np.sum(left**2)))


def sine_or_cosine(network: Network) -> Network:
    """A sine with a phase near a quarter turn is called a cosine, and the other way round; edges that are locked stay."""
    for number, layer in enumerate(network.layers):
        rows = [edge.row for edge in layer.symbolic]
        for edge in layer.symbolic:
            a, b, c, d = layer.affine[edge.row]
            shift = {"sin": -0.5 * np.pi, "cos": 0.5 * np.pi}.get(edge.name)
            if (
                shift is not None
                and rows.count(edge.row) == 1
                and abs((b + shift + 0.5 * np.pi) % np.pi - 0.5 * np.pi) < QUARTER
            ):
                other = lookup("cos" if edge.name == "sin" else "sin")
                changed = with_formula(
                    network.layers[number], edge.output, edge.input, other, (a, b + shift, c, d)
                )
                network = replace_layer(network, number, changed)
    return network


def _with_fits(network: Network, fits: dict[Place, AffineFit]) -> Network:
    for (number, j, i), one in fits.items():
        layer = with_formula(
            network.layers[number], j, i, lookup(one.name), (one.a, one.b, one.c, one.d)
        )
        network = replace_layer(network, number, layer)
    return network
