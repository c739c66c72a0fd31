"""The paper's way to a formula: a network is made smaller, then its edges become symbolic.

The steps of Liu et al. 2024, section 2.5 (their fig. 2.4), made automatic:

    sparsify     train with the penalties (2.20), which weaken superfluous nodes
    prune        remove the nodes with small scores, (2.21)
    eliminate    remove nodes and edges while the held-out error allows it: `elimination`
    refine       train the remaining splines without penalty, on all training samples
    name         replace every spline by a function of the library, and train all a, b, c, d
    canonical    remove redundant parameters: `kan_ref.symbolic.canonical`

Each edge is fitted by the functions of the library as if it were alone (`rank_functions`). Where
several functions are near, the data decide by the Bayesian information criterion (Schwarz 1978) of
the whole formula on the N training samples,

    (D7)  N log(mse) + log(N) * sum over edges of (inner parameters + complexity of the function)

The search begins with the best functions of all edges and exchanges one function at a time until
no exchange lowers (D7). Only those inner parameters count that are not
redundant: none of x, one of x^2 or exp, two of sin. An mse below the rounding error of the targets
counts as that. For classes the first term is 2 N times the mean loss, minus twice the logarithm of
the likelihood.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.elimination import (
    LADDER,
    VALIDATION_SHARE,
    Search,
    fitted,
    run_elimination,
)
from kan_ref.functions import lookup
from kan_ref.network import (
    Network,
    check_network,
    check_widths,
    domain_of_samples,
    edge_samples,
    init_network,
    network_values,
    replace_layer,
    with_formula,
)
from kan_ref.sparsity import Penalty, active_edges, prune, remove
from kan_ref.symbolic import (
    AffineFit,
    Choice,
    Place,
    canonical_form,
    exchange_functions,
    price,
    rank_functions,
    with_fits,
)
from kan_ref.training import LOSSES, hold_out

SPARSIFY_STEPS = 100  # L-BFGS iterations
L1_WEIGHT, ENTROPY_WEIGHT = 1.0, 2.0  # mu_1, mu_2 of eq. 2.20: the defaults of pykan
N_STEPS = 30  # Levenberg-Marquardt steps on every grid
CLASS_LADDER = (3, 5, 10)  # labels determine fewer parameters than numbers do
NUMBER_STEPS = 60  # of a, b, c, d together
NEAR = 30.0  # a function is a rival if its misfit is below this times the best one
MOST_RIVALS, N_SIMPLEST = 4, 2  # the nearest functions, and the simplest of the near ones
MOST_TRIALS = 60  # sets of functions: of 20 edges each takes a second
ROUNDING = 1e-14  # of the targets' standard deviation: errors below it are equal
EXACT = 1e-12  # of it: the search for functions ends at errors below it
PHASE_DISTANCE = 0.1  # of a phase from a quarter period at which sin and cos are exchanged
IDLE = 1e-12  # of the standard deviation of a node: an edge that adds less adds rounding errors

Rivals = dict[Place, tuple[AffineFit, ...]]
Report = Callable[[Any], None]


class Settings(NamedTuple):
    """The arguments of `discover` for the paper's way; `deadline` on the clock `time.monotonic`."""

    functions: Sequence[str] | None = None
    penalty_weight: float = 1e-2
    smoothness_weight: float = 1e-8
    n_intervals: int = 5
    degree: int = 3
    loss: str = "mse"
    deadline: float = np.inf

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline


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


def problem_ends(data: Data) -> tuple[int, int]:
    """Return the numbers of inputs and outputs; of labels, one output for each class."""
    n_in, y = data.x_train.shape[1], data.y_train
    n_classes = 0 if data.classes is None else len(data.classes)
    largest = 0 if y.ndim == 2 else int(max(y.max(), data.y_test.max(initial=0)))
    return n_in, y.shape[1] if y.ndim == 2 else max(n_classes, 1 + largest)


def first_network(
    data: Data,
    widths: Sequence[int] | None,
    start: Network | None,
    varying: Sequence[int],
    settings: Settings,
    rng: np.random.Generator,
) -> Network:
    """Return the network that the paper's way begins with; only `varying` inputs have edges."""
    if start is not None and widths is not None:
        raise ValueError("widths and start are both given, but start has its own widths")
    name, ends = ("widths" if start is None else "start.widths"), problem_ends(data)
    widths = check_widths(widths) if start is None else check_network("start", start).widths
    if (widths[0], widths[-1]) != ends:
        one = " (two classes have one logit)" if (widths[-1], ends[1]) == (2, 1) else ""
        rule = f"the data have {ends[0]} inputs and {ends[1]} outputs{one}"
        checks.fail(name, tuple(widths), rule)
    x = data.x_train
    options: Any = {"n_intervals": settings.n_intervals, "degree": settings.degree, "rng": rng}
    network = start or init_network(widths, domain=domain_of_samples(x), x=x, **options)
    active = np.argwhere(active_edges(network)[0]).tolist()
    constant = [(j, i) for j, i in active if i not in varying]
    return remove(network, x, edges={0: constant}) if constant else network


def steps(
    data: Data,
    network: Network,
    settings: Settings,
    *,
    is_start: bool = False,
    report: Report = lambda trial: None,
) -> Iterator[tuple[str, str, Network]]:
    """Yield name, note and network of each step when it is finished; `report` gets the trials.

    `is_start`: the network is the user's own, so its architecture stays. At the deadline training
    stops, and the steps that have not begun are left out; an interrupt raises KeyboardInterrupt. In
    both cases the last network is the result so far, and `finished` names what has no function yet.
    """
    common: Any = {"loss": settings.loss, "deadline": settings.deadline}
    smooth: Any = {**common, "smoothness_weight": settings.smoothness_weight}
    yield "start", "given" if is_start else "random", network
    if not is_start and settings.penalty_weight > 0.0:
        penalty = Penalty(settings.penalty_weight, L1_WEIGHT, ENTROPY_WEIGHT)
        options: Any = {"optimizer": "lbfgs", "n_steps": SPARSIFY_STEPS, "penalty": penalty}
        network = fitted(network, data, **options, **common)
        yield "sparsify", f"L-BFGS with penalty_weight {settings.penalty_weight:g}", network
        network = _pruned(network, data.x_train, kind="mean")
        yield "prune", "nodes with a score below 0.01 removed", network
    if not is_start:
        part = hold_out(data, VALIDATION_SHARE, loss=settings.loss)
        # without noise no difference is noise; a formula that lost a weak input is not explained
        grids, tolerance = (LADDER, np.inf) if settings.loss == "mse" else (CLASS_LADDER, 1e-3)
        search = Search(part, N_STEPS, grids, **smooth, tolerance=tolerance, report=report)
        found = run_elimination(search, network)
        network = found.network
        yield "eliminate", f"{len(found.steps)} architectures tried", network
    if any(layer.mask.any() for layer in network.layers) and not settings.is_late:
        network = fitted(network, data, n_steps=N_STEPS, **smooth)
        n_intervals = network.layers[0].n_intervals
        yield "refine", f"{n_intervals} intervals, all training samples", network
    trials: list[FormulaTrial] = []

    def keep(trial: FormulaTrial) -> None:
        trials.append(trial)
        report(trial)

    try:
        search_functions(network, data, settings, keep)
    finally:  # an interrupt keeps the best trial, too
        if trials:
            network = min(trials, key=lambda trial: trial.score).network
            sets = checks.counted(len(trials), "set")
            yield "name", f"{sets} of functions tried, parameters trained", network
    if trials:
        network = canonical_form(sine_or_cosine(canonical_form(network)))
        network = _pruned(network, data.x_train, threshold=0.0, edge_threshold=IDLE, kind="std")
        yield "canonical", "redundant parameters in canonical form", network


def _pruned(network: Network, x: FloatArray, **options: Any) -> Network:
    """Prune as `prune` does with these options, unless that would cut an output off."""
    try:
        return prune(network, x, **options)
    except ValueError:  # of a network that is nearly constant on x, no edge may matter
        return network


def finished(network: Network, data: Data, settings: Settings) -> Network:
    """Return the network with lines, or the simplest one of other functions, as its splines."""
    names = list(settings.functions or ["x"])
    simplest = "x" if "x" in names else min(names, key=lambda name: lookup(name).complexity)
    curves = _spline_curves(network, data.x_train)
    return with_fits(network, {place: rank_functions(*c, [simplest])[0] for place, c in curves})


def _spline_curves(
    network: Network, x: FloatArray
) -> Iterator[tuple[Place, tuple[FloatArray, FloatArray]]]:
    """Yield (layer, output, input) of each spline edge, and its inputs and outputs at x."""
    for layer_index, (inputs, outputs) in enumerate(edge_samples(network, x)):
        for j, i in np.argwhere(network.layers[layer_index].mask == 1.0).tolist():
            yield (layer_index, j, i), (inputs[:, i], outputs[:, j, i])


# --- functions for all edges


def rank_edges(network: Network, x: FloatArray, settings: Settings) -> Rivals:
    """Return for every spline edge the functions that come near its curve on x, the best first.

    The simplest of them are rivals, too. When the time is over, the other edges are left out.
    """
    found: Rivals = {}
    for place, (t, curve) in _spline_curves(network, x):
        if settings.is_late:
            break
        ranked = rank_functions(t, curve, settings.functions)
        most = NEAR * ranked[0].rms + ROUNDING * float(np.std(curve))
        near = [one for one in ranked if one.rms <= most] or ranked[:1]
        found[place] = tuple(
            dict.fromkeys([*near[:MOST_RIVALS], *sorted(near, key=price)[:N_SIMPLEST]])
        )
    return found


def search_functions(network: Network, data: Data, settings: Settings, keep: Report) -> None:
    """Search the functions of the spline edges that minimise (D7), and keep each trial.

    Symbolic edges keep their functions, and their numbers are trained, too.
    """
    exact = EXACT * (float(np.std(data.y_train)) if settings.loss == "mse" else 1.0)
    rivals, n_left = rank_edges(network, data.x_train, settings), MOST_TRIALS
    if settings.is_late:
        return

    def tried(start: Network, choice: Choice, changed: Choice) -> FormulaTrial:
        nonlocal n_left
        n_left -= 1
        trial = _trained(with_fits(start, changed), choice, data, settings)
        if np.isfinite(trial.score):
            keep(trial)
        return trial

    choice = {place: fits[0] for place, fits in rivals.items()}
    exchange_functions(
        rivals,
        choice,
        tried(network, choice, choice),
        evaluate=lambda new, old, place: tried(old.network, new, {place: new[place]}),
        improves=lambda new, old: new.score < old.score,
        is_final=lambda best: best.train_rmse <= exact or n_left == 0 or settings.is_late,
    )


def _trained(network: Network, choice: Choice, data: Data, settings: Settings) -> FormulaTrial:
    """Train the numbers of a symbolic network; error and score are inf if it is undefined."""
    names, loss = {place: one.name for place, one in choice.items()}, LOSSES[settings.loss]
    if not np.isfinite(np.sum(network_values(network, data.x_train) ** 2)):
        return FormulaTrial(names, network, np.inf, np.inf)
    network = with_trained_numbers(network, data, settings)
    targets = loss.read_targets("y_train", data.y_train, network.widths[-1])
    mean, rmse, _ = loss.judge(network_values(network, data.x_train), targets)
    n, least = len(data.x_train), ROUNDING * float(np.std(data.y_train))
    # [eq:formula-score]
    if settings.loss == "mse":
        misfit = 2.0 * n * np.log(max(rmse, least, 1e-300))
    else:  # the logistic loss is a mean over outputs
        misfit = 2.0 * n * mean * (targets.shape[1] if settings.loss == "logistic" else 1)
    score = misfit + np.log(n) * sum(price(one) for one in choice.values())
    # [/eq:formula-score]
    return FormulaTrial(names, network, rmse, float(score))


def with_trained_numbers(network: Network, data: Data, settings: Settings) -> Network:
    """Train the parameters a, b, c, d of the symbolic edges, until the deadline at most."""
    options: Any = {"trainable": ("symbolic",), "update_grids": False, "loss": settings.loss}
    return fitted(network, data, n_steps=NUMBER_STEPS, deadline=settings.deadline, **options)


def sine_or_cosine(network: Network) -> Network:
    """Write a sine with a phase near a quarter period as a cosine, and the reverse."""
    for index, layer in enumerate(network.layers):
        rows = [edge.row for edge in layer.symbolic]
        for edge in layer.symbolic:
            a, b, c, d = layer.affine[edge.row]
            other, turn = ("sin", 0.5 * np.pi) if edge.name == "cos" else ("cos", -0.5 * np.pi)
            is_wave = edge.name in ("sin", "cos") and rows.count(edge.row) == 1
            if is_wave and abs(np.sin(b + turn)) < PHASE_DISTANCE:
                at, affine = (edge.output, edge.input), (a, b + turn, c, d)
                changed = with_formula(network.layers[index], *at, lookup(other), affine)
                network = replace_layer(network, index, changed)
    return network
