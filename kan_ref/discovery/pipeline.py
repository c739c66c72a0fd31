"""From data to a formula in one call.

The five steps of Liu et al. 2024, section 2.5 (their fig. 2.4), made automatic:

    sparsify     train with the penalties (2.20), which weaken superfluous nodes
    prune        remove the nodes with small scores, (2.21)
    eliminate    remove nodes and edges while the validation error allows it: `elimination`
    refine       train the remaining network on its finest grid and on all training samples
    name         replace every edge by a function of the library, and train all parameters:
                 `formula_search`
    canonical    remove redundant parameters: `kan_ref.symbolic.canonical`

Every step is kept with its network, so that it can be drawn. Test data are only reported.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, Record, check_generator, check_integer, check_number
from kan_ref.data import Data, DataLike, check_data, check_loss, hold_out
from kan_ref.discovery.elimination import run_elimination
from kan_ref.discovery.formula_search import FormulaTrial, search_formula, sine_or_cosine
from kan_ref.discovery.trials import LADDER, VALIDATION_SHARE, ArchitectureTrial, Search, fitted
from kan_ref.formulas import check_names, formula
from kan_ref.functions import lookup
from kan_ref.network import (
    Network,
    domain_of_samples,
    init_network,
    network_values,
    undefined_values,
)
from kan_ref.sparsity import prune
from kan_ref.symbolic import canonical_form

SPARSIFY_STEPS = 100  # L-BFGS iterations
L1_WEIGHT, ENTROPY_WEIGHT = 1.0, 2.0  # mu_1, mu_2 of eq. 2.20: the defaults of pykan
ELIMINATE_STEPS = 30  # Levenberg-Marquardt steps on every grid
REFINE_STEPS = 30  # further ones on the finest grid, from trained parameters
IDLE = 1e-12  # of the standard deviation of a node: an edge that adds less adds rounding errors


@dataclass(frozen=True, eq=False)
class DiscoveryStep:
    """One step: its `name`, a `note` in words, its `network`, and the errors of the network.

    `train_rmse` is the error on all training samples, `test_rmse` on the test samples. An error is
    nan where a function is undefined at a sample; `note` says which.
    """

    name: str
    note: str
    network: Network = field(repr=False)
    train_rmse: float
    test_rmse: float

    def __repr__(self) -> str:
        errors = f"train_rmse {self.train_rmse:.2e}, test_rmse {self.test_rmse:.2e}"
        return f"{self.name:<10} {self.note}: {list(self.network.widths)}, {errors}"


@dataclass(frozen=True, eq=False)
class Discovery(Record):
    """The formula found for data, and all steps to it.

    `formula`: a SymPy expression, or a tuple of them for several outputs; `network`: the same as a
    network of symbolic edges; `splines`: the refined network before symbolic fitting; `steps`: all
    steps with their networks; `train_rmse`, `test_rmse`: the errors of `network`.
    """

    formula: Any
    network: Network
    splines: Network = field(repr=False)
    steps: tuple[DiscoveryStep, ...] = field(repr=False)

    @property
    def train_rmse(self) -> float:
        """The error of the formula on the training samples."""
        return self.steps[-1].train_rmse

    @property
    def test_rmse(self) -> float:
        """The error of the formula on the test samples."""
        return self.steps[-1].test_rmse

    def __repr__(self) -> str:
        errors = f"train_rmse {self.train_rmse:.2e}, test_rmse {self.test_rmse:.2e}"
        return f"Discovery({self.formula}, {errors})"


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
    callback: Callable[[DiscoveryStep | ArchitectureTrial | FormulaTrial], None] | None = None,
    progress: bool = False,
) -> Discovery:
    """Find a formula for data, and keep every intermediate step.

    Parameters
    ----------
    data : record with x_train, y_train, x_test, y_test
        Test data are reported only; they decide nothing. Where a function of a step is undefined at
        a test sample, its test error is nan, and its `note` says which sample and which edge.
    widths : sequence of int
        Widths of the first network, wide enough. The depth is kept; the widths of the hidden layers
        are found.
    names : sequence of str, optional
        Names of the inputs in the formula; by default the data's own, else x_1, x_2, ...
    functions : sequence of str, optional
        Candidates for the edges; by default the whole library.
    n_intervals, degree : int
        Of the first network.
    penalty_weight : float
        Lambda of the sparsification; with 0, sparsification and pruning are left out.
    allowed : float
        As in `eliminate`.
    smoothness_weight : float
        As in `fit`.
    rng : numpy.random.Generator
        Draws the initial parameters.
    callback : callable, optional
        Called with every step, and with every trial within a step, when it is finished.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    discovery : Discovery

    Raises
    ------
    ValueError, TypeError
        As `init_network`, `fit` and `eliminate`; also if a function is unknown, or `widths` does
        not begin and end with the numbers of inputs and outputs of the data.
    KeyboardInterrupt
        If the user interrupts a run.

    Notes
    -----
    Liu et al. 2024, section 2.5. Takes a few seconds for two inputs and 1000 samples.
    """
    checked = check_data(data)
    check_loss(checked, "mse")
    rng = check_generator("rng", rng)
    check_integer("n_intervals", n_intervals, low=1)
    penalty_weight = check_number("penalty_weight", penalty_weight, low=0.0)
    allowed = check_number("allowed", allowed, low=1.0)
    smoothness_weight = check_number("smoothness_weight", smoothness_weight, low=0.0)
    for name in functions or ():
        lookup(name)
    labels = check_names(checked.names if names is None else names, checked.x_train.shape[1])
    ends = (checked.x_train.shape[1], np.atleast_2d(checked.y_train).shape[1])
    if isinstance(widths, Sequence) and len(widths) > 1 and (widths[0], widths[-1]) != ends:
        raise ValueError(
            f"widths is {tuple(widths)}, but the data have {ends[0]} inputs and {ends[1]} outputs"
        )
    network = init_network(
        widths,
        n_intervals=n_intervals,
        degree=degree,
        domain=domain_of_samples(checked.x_train),
        x=checked.x_train,
        rng=rng,
    )
    with _Report(checked, callback, progress) as report:
        report.step("start", "random", network)
        if penalty_weight > 0.0:
            network = fitted(
                network,
                checked,
                optimizer="lbfgs",
                n_steps=SPARSIFY_STEPS,
                penalty_weight=penalty_weight,
                l1_weight=L1_WEIGHT,
                entropy_weight=ENTROPY_WEIGHT,
            )
            report.step("sparsify", f"L-BFGS with penalty_weight {penalty_weight:g}", network)
            network = _pruned(network, checked.x_train)
            report.step("prune", "nodes with a score below 0.01 removed", network)
        search = Search(
            hold_out(checked, VALIDATION_SHARE),
            allowed,
            ELIMINATE_STEPS,
            LADDER,
            smoothness_weight,
            rng,
            report.trial,
        )
        found = run_elimination(search, network, simple=True)
        report.step("eliminate", f"{len(found.steps)} architectures tried", found.network)
        splines = fitted(
            found.network,
            checked,
            optimizer="lm",
            n_steps=REFINE_STEPS,
            smoothness_weight=smoothness_weight,
        )
        n_refined = splines.layers[0].n_intervals
        report.step("refine", f"{n_refined} intervals, all training samples", splines)
        named = search_formula(splines, checked, names=functions, report=report.trial)
        sets = "one set" if len(named.trials) == 1 else f"{len(named.trials)} sets"
        report.step("name", f"{sets} of functions tried, parameters trained", named.network)
        final = canonical_form(sine_or_cosine(canonical_form(named.network)))
        final = _without_idle(final, checked.x_train)
        report.step("canonical", "redundant parameters in canonical form", final)
    return Discovery(formula(final, names=labels), final, splines, tuple(report.steps))


def _pruned(network: Network, x: FloatArray) -> Network:
    """Prune nodes by the paper's rule, unless that would leave an output without inputs."""
    try:
        return prune(network, x, kind="mean")
    except ValueError:
        return network


def _without_idle(network: Network, x: FloatArray) -> Network:
    """Remove the edges whose outputs vary by rounding errors alone.

    The splines may have used them; the symbolic edges do not.
    """
    return prune(network, x, threshold=0.0, edge_threshold=IDLE, kind="std")


class _Report:
    """Keep the finished steps, pass them to the callback and count them in the progress bar."""

    def __init__(self, data: Data, callback: Callable[[Any], None] | None, progress: bool) -> None:
        self.data, self.callback, self.bar = data, callback, None
        self.steps: list[DiscoveryStep] = []
        if progress:
            from tqdm import tqdm  # here, because only a bar needs it

            self.bar = tqdm(desc="discover", unit=" networks")

    def __enter__(self) -> "_Report":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def trial(self, trial: Any) -> None:
        """Report a trial, or a step."""
        if self.bar is not None:
            self.bar.update()
        if self.callback is not None:
            self.callback(trial)

    def step(self, name: str, note: str, network: Network) -> None:
        """Keep and report a step, with the errors of its network."""
        errors = []
        for part in ("train", "test"):
            x, y = getattr(self.data, f"x_{part}"), getattr(self.data, f"y_{part}")
            residual = network_values(network, x) - y
            errors.append(float(np.sqrt(np.mean(residual**2))) if len(residual) else np.nan)
            if not np.isfinite(residual).all():
                why = undefined_values(network.layers, x, f"x_{part}")
                note += f"; the {part} error is nan, because {why}"
        self.steps.append(DiscoveryStep(name, note, network, *errors))
        if self.bar is not None:
            self.bar.set_postfix_str(f"{name} {list(network.widths)}")
        self.trial(self.steps[-1])
