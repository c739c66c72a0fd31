"""From data to a formula in one call: sparsify, prune, eliminate, refine, name, train the parameters, write the formula down.

Liu et al. 2024, section 2.5, whose five steps (their fig. 2.4) these are, made to run by themselves:

    sparsify     train with the penalties (2.20), the paper's pre-filter
    prune        remove the nodes whose scores say that they are not needed, (2.21)
    eliminate    remove the nodes and edges that the data do not miss (`elimination`): this decides the width
    refine       train the structure on finer grids, on all training samples
    name         every edge a function of the library, doubtful names decided by the data (`formula_search`)
    train        all a, b, c, d together, to the rounding of the data or to their noise
    canonical    redundant parameters in their normal form (`canonical`)

Every step is kept with its network, so that each can be drawn. Test data are only reported.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.bspline import data_bounds
from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.data import Data, DataLike, check_data
from kan_ref.discovery.elimination import eliminate
from kan_ref.discovery.formula_search import FormulaTrial, search_formula, sine_or_cosine
from kan_ref.discovery.trials import Trial
from kan_ref.formulas import check_names, formula
from kan_ref.functions import lookup
from kan_ref.network import Network, init_network, network_values
from kan_ref.sparsity import prune
from kan_ref.symbolic import canonical_form
from kan_ref.training import fit

SPARSIFY_STEPS = 100
L1_WEIGHT, ENTROPY_WEIGHT = 1.0, 2.0
IDLE = 1e-12  # of the spread of a node: an edge that adds less adds rounding


@dataclass(frozen=True, eq=False)
class DiscoveryStep:
    """A network on the way: `name` of the step, `note` in words, errors on all training samples and on the test samples."""

    name: str
    note: str
    network: Network = field(repr=False)
    train_rmse: float
    test_rmse: float

    def __repr__(self) -> str:
        return f"{self.name:<10} {self.note}: {list(self.network.widths)}, train_rmse {self.train_rmse:.2e}, test_rmse {self.test_rmse:.2e}"


@dataclass(frozen=True, eq=False)
class Discovery:
    """What the data came to.

    `formula`: a SymPy expression, a tuple for several outputs; `network`: the same as a network of formulas; `splines`: the refined
    network before edges were named; `steps`: all networks on the way; `train_rmse`, `test_rmse` of `network`.
    """

    formula: Any
    network: Network
    splines: Network = field(repr=False)
    steps: tuple[DiscoveryStep, ...] = field(repr=False)

    @property
    def train_rmse(self) -> float:
        """Error of the formula on the training samples."""
        return self.steps[-1].train_rmse

    @property
    def test_rmse(self) -> float:
        """Error of the formula on the test samples."""
        return self.steps[-1].test_rmse

    def __repr__(self) -> str:
        return f"Discovery({self.formula}, train_rmse {self.train_rmse:.2e}, test_rmse {self.test_rmse:.2e})"


def discover(
    data: DataLike,
    *,
    widths: Sequence[int],
    names: Sequence[str] | None = None,
    functions: Sequence[str] | None = None,
    n_intervals: int = 5,
    degree: int = 3,
    penalty_weight: float = 1e-2,
    allowed: float = 1.5,
    smoothness_weight: float = 1e-8,
    rng: np.random.Generator,
    callback: Callable[[DiscoveryStep | Trial | FormulaTrial], None] | None = None,
    progress: bool = False,
) -> Discovery:
    """A formula for data, with everything on the way.

    Parameters
    ----------
    data : record with x_train, y_train, x_test, y_test
        Test data are reported and decide nothing.
    widths : sequence of int
        Of the network to begin with: wide enough; the depth stays, the widths of hidden layers are found.
    names : sequence of str, optional
        Of the inputs in the formula; x_1, x_2, ... without it.
    functions : sequence of str, optional
        The candidates for edges; the whole library without it.
    n_intervals, degree : int
        Of the first network.
    penalty_weight : float
        Of the sparsification; 0 leaves it and the pruning out.
    allowed : float
        As in `eliminate`.
    smoothness_weight : float
        As in `fit`.
    rng : numpy.random.Generator
        Draws initial parameters.
    callback : callable, optional
        Called with every step, and every trial on the way, as it is done.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    discovery : Discovery

    Raises
    ------
    ValueError, TypeError
        As `init_network`, `fit`, `eliminate`; an unknown function.
    KeyboardInterrupt
        Passed on.

    Notes
    -----
    Liu et al. 2024, section 2.5. A few seconds for two inputs and 1000 samples.
    """
    checked = check_data(data)
    rng = check_generator("rng", rng)
    check_integer("n_intervals", n_intervals, low=1)
    penalty_weight = check_number("penalty_weight", penalty_weight, low=0.0)
    for name in functions or ():
        lookup(name)
    labels = check_names(names, checked.x_train.shape[1])
    ends = (checked.x_train.shape[1], np.atleast_2d(checked.y_train).shape[1])
    if isinstance(widths, Sequence) and len(widths) > 1 and (widths[0], widths[-1]) != ends:
        raise ValueError(
            f"widths is {tuple(widths)}, but the data have {ends[0]} inputs and {ends[1]} outputs"
        )
    network = init_network(
        widths,
        n_intervals=n_intervals,
        degree=degree,
        domain=np.column_stack(data_bounds(checked.x_train)),
        x=checked.x_train,
        rng=rng,
    )
    with _Report(checked, callback, progress) as report:
        report.step("start", "random", network)
        if penalty_weight > 0.0:
            run = fit(
                network,
                checked,
                optimizer="lbfgs",
                n_steps=SPARSIFY_STEPS,
                penalty_weight=penalty_weight,
                l1_weight=L1_WEIGHT,
                entropy_weight=ENTROPY_WEIGHT,
            )
            _pass_interrupt(run.interrupted)
            report.step("sparsify", f"L-BFGS with penalty_weight {penalty_weight:g}", run.network)
            network = _pruned(run.network, checked.x_train)
            report.step("prune", "nodes of score below 0.01 gone", network)
        options = {"allowed": allowed, "smoothness_weight": smoothness_weight, "rng": rng}
        found = eliminate(network, checked, simple=True, callback=report.trial, **options)  # type: ignore[arg-type]  # mixed values
        report.step("eliminate", f"{len(found.steps)} structures tried", found.network)
        splines = _refined(found.network, checked, smoothness_weight)
        report.step(
            "refine", f"{splines.layers[0].n_intervals} intervals, all training samples", splines
        )
        search = search_formula(splines, checked, names=functions, report=report.trial)
        sets = "one set" if len(search.trials) == 1 else f"{len(search.trials)} sets"
        report.step("name", f"{sets} of names tried, parameters trained", search.network)
        final = _without_idle(
            canonical_form(sine_or_cosine(canonical_form(search.network))), checked.x_train
        )
        report.step("canonical", "redundant parameters in normal form", final)
    return Discovery(formula(final, names=labels), final, splines, tuple(report.steps))


def _pass_interrupt(interrupted: bool) -> None:
    if interrupted:
        raise KeyboardInterrupt


def _pruned(network: Network, x: FloatArray) -> Network:
    """Without the nodes that the paper's rule removes; as it is where the rule would leave an output without inputs."""
    try:
        return prune(network, x, kind="mean")
    except ValueError:
        return network


def _without_idle(network: Network, x: FloatArray) -> Network:
    """Without edges whose outputs vary by rounding alone; splines may have asked for them, the formula does not."""
    return prune(network, x, threshold=0.0, edge_threshold=IDLE, kind="std")


def _refined(network: Network, data: Data, smoothness_weight: float) -> Network:
    """Trained on all samples on the grids that it has."""
    run = fit(network, data, optimizer="lm", n_steps=30, smoothness_weight=smoothness_weight)
    _pass_interrupt(run.interrupted)
    return run.network  # type: ignore[no-any-return]  # a Network, as what was given


class _Report:
    """Steps as they are done: kept, told to the callback, counted by the bar."""

    def __init__(self, data: Data, callback: Callable[[Any], None] | None, progress: bool) -> None:
        self.data, self.callback, self.steps = data, callback, []  # type: tuple[Data, Any, list[DiscoveryStep]]
        self.bar = None
        if progress:
            from tqdm import tqdm  # here, because only a bar needs it

            self.bar = tqdm(desc="discover", unit=" networks")

    def __enter__(self) -> "_Report":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def trial(self, trial: Any) -> None:
        if self.bar is not None:
            self.bar.update()
        if self.callback is not None:
            self.callback(trial)

    def step(self, name: str, note: str, network: Network) -> None:
        errors = []
        for x, y in ((self.data.x_train, self.data.y_train), (self.data.x_test, self.data.y_test)):
            left = network_values(network, x) - y
            errors.append(float(np.sqrt(np.mean(left**2))) if len(left) else np.nan)
        self.steps.append(DiscoveryStep(name, note, network, *errors))
        if self.bar is not None:
            self.bar.set_postfix_str(f"{name} {list(network.widths)}")
        self.trial(self.steps[-1])
