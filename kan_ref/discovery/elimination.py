"""Eliminate nodes and edges one at a time while the refined validation error stays acceptable.

Greedy backward elimination, as for regressors (Draper & Smith, Applied Regression Analysis, 3rd
ed., section 15.2), with two changes:

    (D3)  next, the node (then the edge) is removed whose removal changes the outputs least on the
          samples; the mean of its contribution is kept
    (D4)  of all architectures down to the smallest one, the smallest is chosen that is
          acceptable beside the one with the smallest refined error, (D8) or (D9) of `trials`
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import ROUNDING, FloatArray, Record
from kan_ref.data import check_data, check_loss
from kan_ref.discovery.residual_tests import SUSPECTED, class_structure
from kan_ref.discovery.simplification import output_change, remove_spare_edges, simplify
from kan_ref.discovery.trials import (
    LADDER,
    VALIDATION_SHARE,
    ArchitectureTrial,
    ClassRule,
    PairedRule,
    Rule,
    Search,
)
from kan_ref.network import (
    Network,
    check_inputs,
    first_cause,
    layer_inputs,
    numbers,
    replace_layer,
)
from kan_ref.sparsity import active_edges, nodes_on_paths, remove
from kan_ref.training import LOSSES, best_start, hold_out

N_FRESH = 4  # new initializations of each width
FRESH_INTERVALS = 3  # of their first grid


@dataclass(frozen=True, eq=False)
class Elimination(Record):
    """The smallest acceptable architecture.

    `network`, refined on the samples that were not held out; its `validation_rmse` on those that
    were; `least_rmse`, the smallest of all architectures; `steps`, the trials in their order. The
    errors are in units of y. Those of an output with smaller targets than another are multiplied by
    the power of two that makes the standard deviations alike. For classes both errors are those of
    probabilities, and `validation_loss`, else None, is the mean loss on the held-out samples. With
    fewer than 5 training samples none is held out, and all of these are on the training samples.
    """

    network: Network
    validation_rmse: float
    least_rmse: float
    steps: tuple[ArchitectureTrial, ...]
    validation_loss: float | None = None

    def __repr__(self) -> str:
        error = f"validation_rmse {self.validation_rmse:.2e}"
        if self.validation_loss is not None:
            error = f"validation_loss {self.validation_loss:.2e}"
        return f"Elimination({self.network!r}, {error}, {len(self.steps)} architectures tried)"


@np.errstate(all="ignore")
def eliminate(
    network: Network,
    data: object,
    *,
    tolerance: float = 1e-3,
    loss: str = "mse",
    edges: bool = True,
    simple: bool = False,
    n_steps: int = 30,
    grids: Sequence[int] = LADDER,
    smoothness_weight: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callable[[ArchitectureTrial], None] | None = None,
) -> Elimination:
    """Remove nodes and edges one at a time while the validation error stays acceptable.

    Parameters
    ----------
    network : Network
        Wide enough; trained or not. Edges may be masked. A node or an edge without which an output
        would have no path from any input stays.
    data : record with x_train, y_train, x_test, y_test
        Test data are not used. Units of y have no influence: training and comparisons multiply each
        output by the power of two that brings the standard deviation of its targets near 1, by one
        power for all outputs if those of locked edges differ. It is from 2^-200 to 2^200 = 1.6e60.
        Where a mean is far larger than the standard deviation, or inputs have units, scale the data
        with `kan_ref.scaled` first.
    tolerance : float
        At least 0, in units of the standard deviation of y_train: smaller validation errors are
        those of splines and training, not of noise, and may rise by half, (D9). Larger ones may
        rise by one standard error of the paired differences on the held-out samples, (D8). For
        classes it is in nats: losses up to it are as good as any smaller one.
    loss : str
        As in `fit`: "mse", or for classes "cross_entropy" or "logistic". Architectures of classes
        are compared by their losses.
    edges : bool
        Whether edges are removed too, after the nodes: splines and symbolic edges.
    simple : bool
        Whether all edges of a layer may become lines or squares, where the error allows; needs
        `rng`.
    n_steps : int
        Levenberg-Marquardt steps on every grid, for classes L-BFGS steps, at least 1. Networks with
        more than 200 edges are trained by 5 times as many steps of L-BFGS.
    grids : sequence of int
        Strictly increasing numbers of intervals on which each architecture is refined. Grids only
        get finer: numbers below the network's own are left out, and if all are, its grid stays.
        Nodes are removed on the first grid. The result may have more intervals: where a removed
        part leaves a constant that no edge can hold on its grid, a grid gets further knots, (L23)
        of `kan_ref.network`.
    smoothness_weight : float
        As in `fit`.
    rng : numpy.random.Generator, optional
        With it, every width is also tried from new initializations, because a pruned network may be
        in a poor local minimum.
    callback : callable, optional
        Called with every `ArchitectureTrial` when it is finished.

    Returns
    -------
    elimination : Elimination

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range ("tolerance is -1.0, but must be at least 0"), `simple` is True
        without `rng`, `fit` rejects the data, a symbolic edge has no finite value or derivative
        at a training sample, or no path of active edges leads from an input to an output.
    KeyboardInterrupt
        If the user interrupts a run.

    Notes
    -----
    Implements :eq:`acceptable-removal`. Each architecture costs ten to a hundred
    Levenberg-Marquardt steps: seconds in all for two to four inputs and 1000 samples.
    """
    checked = check_data(data, least=1)
    check_loss(checked, loss)
    checks.instance("network", network, Network)
    x = check_inputs(network, checked.x_train, "x_train")
    inputs = layer_inputs(network.layers, x)
    if why := first_cause(network.layers, inputs, "x_train", highest=1):
        raise ValueError(why)
    tolerance = checks.number("tolerance", tolerance, low=0.0)
    LOSSES[loss].read_targets("y_train", checked.y_train, network.widths[-1])
    every = [np.ones(width, dtype=bool) for width in network.widths]
    if not nodes_on_paths(active_edges(network), every)[-1].any():
        raise ValueError(
            "network has no path of active edges from an input to an output, but needs at least "
            "one: activate edges with mask_edges"
        )
    factors, unit, steps = np.ones(network.widths[-1]), 1.0, list[ArchitectureTrial]()
    part = hold_out(checked, VALIDATION_SHARE, loss=loss)
    rule: Rule
    if loss == "mse":
        factors, unit = output_factors(network, checked.y_train)
        part = replace(part, y_train=factors * part.y_train, y_test=factors * part.y_test)
        rule = PairedRule(tolerance, float(np.std(factors * checked.y_train, axis=0).max()))
    else:
        draws = rng or np.random.default_rng(0)
        rule = ClassRule(
            tolerance, lambda network: bool(class_structure(part, network, loss, draws, SUSPECTED))
        )

    def report(trial: ArchitectureTrial) -> None:
        found = multiply_outputs(trial.network, 1.0 / factors)
        steps.append(replace(trial, network=found, validation_rmse=trial.validation_rmse / unit))
        if callback is not None:
            callback(steps[-1])

    search = Search(
        part,
        rule,
        checks.integer("n_steps", n_steps, low=1),
        tuple(checks.integer("a number of grids", count, low=1) for count in grids),
        checks.number("smoothness_weight", smoothness_weight, low=0.0),
        None if rng is None else checks.generator("rng", rng),
        report,
        loss,
    )
    if not search.ladder or list(search.ladder) != sorted(set(search.ladder)):
        raise ValueError(
            f"grids is {tuple(grids)}, but must be strictly increasing numbers of intervals, "
            "at least one"
        )
    if checks.flag("simple", simple) and rng is None:
        raise ValueError(
            "simple is True, but simple layers are trained from random initializations, "
            "which need rng"
        )
    # outputs that are not trained may be nearer to the multiplied targets as they are
    start = min(network, multiply_outputs(network, factors), key=search.error)
    found = run_elimination(search, start, edges=checks.flag("edges", edges), simple=simple)
    return replace(
        found,
        network=multiply_outputs(found.network, 1.0 / factors),
        validation_rmse=found.validation_rmse / unit,
        least_rmse=found.least_rmse / unit,
        steps=tuple(steps),
    )


def multiply_outputs(network: Network, factors: FloatArray) -> Network:
    """Return the network whose output j is `factors[j]` times as large.

    Edges of the last layer with the same parameters need the same factor.
    """
    last = network.layers[-1]
    affine, rows = last.affine.copy(), [edge.row for edge in last.symbolic]
    affine[rows, 2:] = last.affine[rows, 2:] * factors[numbers(last.symbolic)[0], None]
    coef, w_base = factors[:, None, None] * last.coef, factors[:, None] * last.w_base
    last = replace(last, coef=coef, w_base=w_base, affine=affine)
    return replace_layer(network, len(network.layers) - 1, last)


def output_factors(network: Network, y: FloatArray) -> tuple[FloatArray, float]:
    """Return powers of two (n_out,) that bring standard deviations of targets near 1, and the unit.

    The unit is the factor of the output with the largest standard deviation. An output that is
    constant up to rounding has it too. All have it where locked edges would need different ones.
    """
    sizes = np.abs(y).max(axis=0)
    deviations = np.std(y / np.where(sizes > 0.0, sizes, 1.0), axis=0)
    deviations = np.where(deviations > ROUNDING, sizes * deviations, 0.0)
    largest = float(deviations.max())
    sizes = np.where(deviations > 0.0, deviations, largest if largest > 0.0 else 1.0)
    factors = np.exp2(-np.round(np.log2(sizes)))
    unit = float(factors.min())
    of_rows: dict[int, float] = {}
    for edge in network.layers[-1].symbolic:
        if of_rows.setdefault(edge.row, factors[edge.output]) != factors[edge.output]:
            return np.full_like(factors, unit), unit
    return factors, unit


def run_elimination(
    search: Search, network: Network, *, edges: bool = True, simple: bool = False
) -> Elimination:
    """Eliminate nodes and edges as `eliminate` does, with validated arguments."""
    path = remove_all_nodes(search, network)
    chosen, coarse = choose(path, search.rule)
    steps = [trial for trial, _ in path]
    if edges:
        chosen, more = remove_spare_edges(search, chosen, coarse)
        steps += more
    if simple:
        chosen, more = simplify(search, chosen)
        steps += more
    least = min(trial.validation_rmse for trial in steps)
    found = chosen.network, chosen.validation_rmse, least, tuple(steps)
    return Elimination(*found, chosen.validation_loss)


def choose(
    path: Sequence[tuple[ArchitectureTrial, Network]], rule: Rule
) -> tuple[ArchitectureTrial, Network]:
    """Return the last, smallest architecture of the path that is acceptable, (D4)."""
    least = min((trial for trial, _ in path), key=lambda trial: trial.error)
    return [found for found in path if found[0] is least or rule.accepts(found[0], least)][-1]


def remove_all_nodes(search: Search, network: Network) -> list[tuple[ArchitectureTrial, Network]]:
    """Remove one node after the other, while no output is cut off.

    Return the trial of each architecture in between, with its network on the coarse grid.
    """
    coarse, path, what = network, [], "as it is"
    while True:
        coarse, error = search.trained(coarse, search.ladder[0])
        coarse = _fresh_if_better(search, coarse, error)
        trial = search.refined(what, coarse)
        search.report(trial)
        path.append((trial, coarse))
        weakest = _weakest_node(coarse, search.data.x_train)
        if weakest is None or search.is_late:
            return path
        what = f"without node {weakest[1]} of layer {weakest[0]}"
        coarse = remove(coarse, search.data.x_train, nodes={weakest[0]: [weakest[1]]})


def _fresh_if_better(search: Search, coarse: Network, error: float) -> Network:
    """Return the better of a network and a new one of its widths, unless an edge is masked."""
    is_masked = any((layer.mask == 0.0).any() for layer in coarse.layers)
    if search.rng is None or search.is_late or is_masked:
        return coarse
    first = coarse.layers[0]
    is_coarse = first.n_intervals <= search.ladder[0]
    n_edges = sum(layer.mask.size for layer in coarse.layers)
    start = best_start(
        coarse.widths,
        search.data,
        n_starts=N_FRESH,
        n_intervals=FRESH_INTERVALS if is_coarse else first.n_intervals,
        degree=first.degree,
        domain=first.breakpoints[:, [0, -1]],
        base=first.base,
        loss=search.loss,
        initialization="paper" if search.loss == "mse" else "data",
        smoothness_weight=search.smoothness_weight,
        rng=search.rng,
        **search.training_options(n_edges),
    )
    fresh, new = search.trained(start, search.ladder[0])
    return fresh if new < error else coarse


def _weakest_node(network: Network, x: FloatArray) -> tuple[int, int] | None:
    """Return (layer, node) of the hidden node whose removal changes the outputs least, (D3).

    None if each hidden layer has one node, or no node can be removed.
    """
    old, best, found = network(x), np.inf, None
    for layer_index, width in enumerate(network.widths[:-1]):
        for node in range(width if layer_index and width > 1 else 0):
            try:
                smaller = remove(network, x, nodes={layer_index: [node]})
            except ValueError:  # an output is cut off, or a symbolic edge is undefined
                continue
            change = output_change(old, smaller, x)
            if change < best:
                best, found = change, (layer_index, node)
    return found
