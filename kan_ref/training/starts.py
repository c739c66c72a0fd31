"""Several short runs from different initializations, and the best of them on held-out samples.

Training is not convex: on a coarse grid a random initialization often leads to a good minimum, but
not always. If one run succeeds with probability p,

    (T12)  P(all of n runs fail) = (1 - p)^n

so a few short runs on a coarse grid, where a step is cheap, make failure unlikely. The choice is
made on a held-out part of the training data; test data are never used.
"""

import functools
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record
from kan_ref.data import check_data, check_loss
from kan_ref.network import Network, check_widths, init_network, samples_as_domain
from kan_ref.training.data_goal import LOSSES
from kan_ref.training.fitting import fit
from kan_ref.training.held_out import hold_out, hold_out_classes
from kan_ref.training.history import Callback

FAILED = (
    10.0  # times the smallest error: good minima differ by less than 2, failures by more than 10
)


@dataclass(frozen=True, eq=False)
class Starts(Record):
    """The result of several runs.

    `network` is the best of them, `chosen` its place; `validation_rmse` and `train_rmse`
    (n_starts,) are errors on the held-out samples and on those trained on, for classes those of
    probabilities. `validation_loss` (n_starts,) decides: the mean squared error, or for classes the
    loss that was given.
    """

    network: Network
    chosen: int
    validation_rmse: FloatArray
    train_rmse: FloatArray
    validation_loss: FloatArray | None = None

    @property
    def n_failed(self) -> int:
        """Number of runs whose validation error is more than ten times the smallest."""
        return int((self.validation_rmse > FAILED * self.validation_rmse.min()).sum())

    def __repr__(self) -> str:
        low, high = self.validation_rmse.min(), self.validation_rmse.max()
        return (
            f"Starts({len(self.validation_rmse)} starts, validation_rmse {low:.1e} to {high:.1e}, "
            f"{self.n_failed} failed)"
        )


@np.errstate(all="ignore")
def run_starts(
    widths: Sequence[int],
    data: object,
    *,
    n_starts: int = 8,
    n_intervals: int,
    degree: int,
    domain: object = None,
    base: str = "silu",
    n_steps: int = 30,
    optimizer: str | None = None,
    loss: str = "mse",
    precondition: str | None = "auto",
    initialization: str = "data",
    smoothness_weight: float = 0.0,
    validation_share: float = 0.2,
    rng: np.random.Generator,
    callback: Callback | None = None,
) -> Starts:
    """Train briefly from several initializations, and compare the runs on held-out training data.

    Parameters
    ----------
    widths, n_intervals, degree, base
        As in `init_network`.
    data : record with x_train, y_train, x_test, y_test
        Test data are not used.
    n_starts : int
        At least 1.
    domain : (2,) or (n_in, 2), or (N, n_in), optional
        As in `init_network`; x_train if None.
    n_steps, optimizer, loss, precondition, smoothness_weight
        As in `fit`, for each run. The run with the smallest loss on the held-out samples is chosen.
        For classes, whose default optimizer is "lbfgs", give more steps: 100, for example.
    initialization : str
        "data": random networks in the units of the data, `init_network` with `y=`. "paper": the
        paper's random networks, for inputs and targets of size 1. Initial logits have the size 1.
    validation_share : float
        Between 0 and 0.5: the held-out fraction of the training samples, drawn once, on which runs
        are compared. Classes keep their shares. With 0, or where it amounts to no sample, they are
        compared on the training samples.
    rng : numpy.random.Generator
        Draws the held-out samples, then one initialization after another.
    callback : callable, optional
        As in `fit`, for each run: True stops that run.

    Returns
    -------
    starts : Starts

    Raises
    ------
    ValueError, TypeError
        As `init_network` and `fit`.
    KeyboardInterrupt
        Passed on, because the best of fewer runs was not asked for.

    Notes
    -----
    Implements :eq:`best-of-starts`. See tutorials/05_optimizers.md, "several starts".
    """
    n_starts = checks.integer("n_starts", n_starts, low=1)
    in_units = checks.choice("initialization", initialization, ("data", "paper")) == "data"
    fraction = checks.number("validation_share", validation_share, low=0.0, high=0.5)
    rng = checks.generator("rng", rng)
    checked = check_data(data, least=1)
    kind = LOSSES[checks.choice("loss", loss, tuple(LOSSES))]
    check_loss(checked, loss)
    widths = check_widths(widths)
    checks.array("x_train", checked.x_train, ("batch", widths[0]))
    targets = kind.check_targets("y_train", checked.y_train, widths[-1])
    if kind.probabilities is None:
        part = hold_out(checked, fraction, rng)
        outputs = part.y_train
    else:
        part = hold_out_classes(checked, loss, fraction, rng)
        outputs = 2.0 * kind.check_targets("y_train", part.y_train, targets.shape[1]) - 1.0
    runs = []
    for _ in range(n_starts):
        network = init_network(
            widths,
            n_intervals=n_intervals,
            degree=degree,
            domain=samples_as_domain(checked.x_train) if domain is None else domain,
            x=part.x_train,
            y=outputs if in_units else None,
            base=base,
            rng=rng,
        )
        run = fit(
            network,
            part,
            optimizer=optimizer,
            n_steps=n_steps,
            loss=loss,
            precondition=precondition,
            smoothness_weight=smoothness_weight,
            callback=callback,
        )
        if run.interrupted:
            raise KeyboardInterrupt
        runs.append(run)
    # [eq:best-of-starts]
    losses = np.array([run.history.test_loss[run.entry] for run in runs])
    chosen = int(np.argmin(losses))
    # [/eq:best-of-starts]
    validation, train = (
        np.array([getattr(run.history, f"{part}_rmse")[run.entry] for run in runs])
        for part in ("test", "train")
    )
    return Starts(runs[chosen].network, chosen, validation, train, losses)


@functools.wraps(run_starts, assigned=("__annotations__",))
def best_start(*arguments: Any, **options: Any) -> Network:
    """Return the network of the best of several short runs: `run_starts(...).network`.

    Parameters
    ----------
    widths, data, n_starts, n_intervals, degree, domain, base
        As in `run_starts`.
    n_steps, optimizer, loss, precondition, initialization, smoothness_weight
        As in `run_starts`.
    validation_share, rng, callback
        As in `run_starts`, whose rule chooses the network.

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError, TypeError, KeyboardInterrupt
        As `run_starts`.
    """
    return run_starts(*arguments, **options).network


best_start.__signature__ = inspect.signature(run_starts).replace(  # type: ignore[attr-defined]
    return_annotation=Network
)
