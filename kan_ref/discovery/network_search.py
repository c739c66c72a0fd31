"""The paper's way to a formula: a network is made smaller, then its edges become symbolic.

The five steps of Liu et al. 2024, section 2.5 (their fig. 2.4), made automatic, from a given
network or from a new one with the ends of the data:

    sparsify     train with the penalties (2.20), which weaken superfluous nodes
    prune        remove the nodes with small scores, (2.21)
    eliminate    remove nodes and edges while the validation error allows it: `elimination`
    refine       train the remaining network on its finest grid and on all training samples
    name         replace every edge by a function of the library, and train all parameters:
                 `formula_search`
    canonical    remove redundant parameters: `kan_ref.symbolic.canonical`

Every step is kept with its network, so that it can be drawn.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.elimination import run_elimination
from kan_ref.discovery.formula_search import search_formula, sine_or_cosine
from kan_ref.discovery.records import Discovery, Report, discovery_of_network
from kan_ref.discovery.residual_tests import suspicion_of
from kan_ref.discovery.results import judged, written_at
from kan_ref.discovery.trials import LADDER, VALIDATION_SHARE, ClassRule, RatioRule, Search, fitted
from kan_ref.discovery.varying_inputs import Inputs
from kan_ref.formulas import formula
from kan_ref.network import (
    Network,
    check_network,
    check_widths,
    domain_of_samples,
    init_network,
)
from kan_ref.sparsity import Penalty, prune
from kan_ref.symbolic import canonical_form
from kan_ref.training import hold_out

SPARSIFY_STEPS = 100  # L-BFGS iterations
L1_WEIGHT, ENTROPY_WEIGHT = 1.0, 2.0  # mu_1, mu_2 of eq. 2.20: the defaults of pykan
ELIMINATE_STEPS = 30  # Levenberg-Marquardt steps on every grid
REFINE_STEPS = 30  # further ones on the finest grid, from trained parameters
CLASS_LADDER = (3, 5, 10)  # labels determine fewer parameters than numbers do
CLASS_TOLERANCE = 1e-3  # nats
IDLE = 1e-12  # of the standard deviation of a node: an edge that adds less adds rounding errors


def problem_ends(data: Data) -> tuple[int, int]:
    """Return the numbers of inputs and outputs; of labels, one output for each class."""
    y = data.y_train
    if y.ndim == 2:
        return data.x_train.shape[1], y.shape[1]
    n_classes = 0 if data.classes is None else len(data.classes)
    largest = int(max(y.max(), data.y_test.max(initial=0)))
    return data.x_train.shape[1], max(n_classes, largest + 1)


def first_network(
    data: Data,
    widths: Sequence[int] | None,
    start: Network | None,
    n_intervals: int,
    degree: int,
    rng: np.random.Generator,
    inputs: Inputs,
) -> Network | None:
    """Return the network of the varying inputs that the paper's way begins with.

    None where slices are first.
    """
    ends = problem_ends(data)
    if start is not None:
        if widths is not None:
            raise ValueError("widths and start are both given, but start has its own widths")
        widths = check_network("start", start).widths
    if widths is None:
        return None
    if isinstance(widths, Sequence) and len(widths) > 1 and (widths[0], widths[-1]) != ends:
        which = "widths is" if start is None else "start has widths"
        raise ValueError(
            f"{which} {tuple(widths)}, but the data have {ends[0]} inputs and {ends[1]} outputs"
            f"{' (two classes have one logit)' if (widths[-1], ends[1]) == (2, 1) else ''}"
        )
    if start is not None:
        return inputs.without_constant(start, data.x_train)
    x = inputs.columns(data.x_train)
    return init_network(
        (x.shape[1], *check_widths(widths)[1:]),
        n_intervals=n_intervals,
        degree=degree,
        domain=domain_of_samples(x),
        x=x,
        rng=rng,
    )


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of the paper's way, as the arguments of `discover`."""

    functions: Sequence[str] | None
    penalty_weight: float
    smoothness_weight: float
    allowed: float = 1.5
    loss: str = "mse"
    deadline: float = np.inf

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline


def discover_by_network(
    data: Data,
    first: Network,
    settings: NetworkSettings,
    report: Report,
    names: tuple[str, ...],
    rng: np.random.Generator,
    start: Network | None,
) -> Discovery:
    """Return what the paper's way leads to for values; `start` is the user's own network."""
    final, splines = search_by_network(
        data, first, settings, report, rng, is_start=start is not None
    )

    def with_verdict() -> Discovery:
        found = formula(final, names=names)
        outputs = found if isinstance(found, tuple) else (found,)
        outputs = tuple(written_at(one, names, data.x_train) for one in outputs)
        expression = outputs[0] if len(outputs) == 1 else outputs
        verdict = judged(data, expression, names, rng)
        return discovery_of_network(expression, final, splines, report.steps, verdict, names)

    return report.finished(with_verdict)


def search_by_network(
    data: Data,
    network: Network,
    settings: NetworkSettings,
    report: Report,
    rng: np.random.Generator,
    *,
    is_start: bool,
) -> tuple[Network, Network]:
    """Return the network of symbolic edges that the paper's way leads to, and its splines before.

    `is_start`: the network is the user's own, so it is neither sparsified nor made smaller. At the
    deadline, training stops, and the steps before the formula that have not begun are left out. An
    interrupt before a first set of functions is trained raises KeyboardInterrupt; a later one ends
    the search with the best set so far.
    """
    report.step("start", "given" if is_start else "random", network)
    if not is_start:
        network = _smaller(data, network, settings, report, rng)
    splines = network
    if any(layer.mask.any() for layer in network.layers) and not settings.is_late:
        splines = fitted(
            network,
            data,
            n_steps=REFINE_STEPS,
            loss=settings.loss,
            deadline=settings.deadline,
            smoothness_weight=settings.smoothness_weight,
        )
        n_refined = splines.layers[0].n_intervals
        report.step("refine", f"{n_refined} intervals, all training samples", splines)
    named = search_formula(
        splines,
        data,
        names=settings.functions,
        loss=settings.loss,
        report=report.trial,
        deadline=settings.deadline,
    )
    report.interrupted |= named.interrupted
    sets = "one set" if len(named.trials) == 1 else f"{len(named.trials)} sets"

    def in_canonical_form() -> Network:
        report.step("name", f"{sets} of functions tried, parameters trained", named.network)
        final = canonical_form(sine_or_cosine(canonical_form(named.network)))
        final = _without_idle(final, data.x_train)
        report.step("canonical", "redundant parameters in canonical form", final)
        return final

    return report.finished(in_canonical_form), splines


def _smaller(
    data: Data,
    network: Network,
    settings: NetworkSettings,
    report: Report,
    rng: np.random.Generator,
) -> Network:
    """Sparsify, prune and eliminate."""
    if settings.penalty_weight > 0.0:
        network = fitted(
            network,
            data,
            optimizer="lbfgs",
            n_steps=SPARSIFY_STEPS,
            loss=settings.loss,
            deadline=settings.deadline,
            penalty=Penalty(settings.penalty_weight, L1_WEIGHT, ENTROPY_WEIGHT),
        )
        weight = f"{settings.penalty_weight:g}"
        report.step("sparsify", f"L-BFGS with penalty_weight {weight}", network)
        network = _pruned(network, data.x_train, kind="mean")
        report.step("prune", "nodes with a score below 0.01 removed", network)
    is_plain = settings.loss == "mse"
    part = hold_out(data, VALIDATION_SHARE, loss=settings.loss)
    search = Search(
        part,
        RatioRule(settings.allowed)
        if is_plain
        else ClassRule(CLASS_TOLERANCE, suspicion_of(part, settings.loss)),
        ELIMINATE_STEPS,
        LADDER if is_plain else CLASS_LADDER,
        settings.smoothness_weight,
        rng,
        report.trial,
        settings.loss,
        settings.deadline,
    )
    found = run_elimination(search, network, simple=True)
    report.step("eliminate", f"{len(found.steps)} architectures tried", found.network)
    return found.network


def _pruned(network: Network, x: FloatArray, **options: Any) -> Network:
    """Prune as `prune` does with these options, unless no path from an input to an output is left.

    Of a network that is nearly constant on x, no edge may be significant.
    """
    try:
        return prune(network, x, **options)
    except ValueError:
        return network


def _without_idle(network: Network, x: FloatArray) -> Network:
    """Remove the edges whose outputs vary by rounding errors alone.

    The splines may have used them; the symbolic edges do not.
    """
    return _pruned(network, x, threshold=0.0, edge_threshold=IDLE, kind="std")
