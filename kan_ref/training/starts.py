"""Several short runs from different initializations: the best on held-out samples.

Training is not convex: on a coarse grid a random initialization often leads to a good
minimum, but not always. If one run succeeds with probability p,

    (T12)  P(all of n runs fail) = (1 - p)^n

so a few short runs on a coarse grid, where a step is cheap, make failure unlikely. The
choice is made on a held-out part of the training data; test data are never used.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.data import check_data, check_loss
from kan_ref.network import Network, init_network
from kan_ref.training.fit import fit
from kan_ref.training.held_out import hold_out
from kan_ref.training.losses import LOSSES, MSE
from kan_ref.training.runs import Run


def best_start(
    widths: Sequence[int],
    data: Any,
    *,
    n_starts: int = 8,
    n_intervals: int,
    degree: int,
    domain: object = None,
    base: str = "silu",
    initialization: str = "data",
    validation_share: float = 0.2,
    n_steps: int = 30,
    rng: np.random.Generator,
    **fit_options: Any,
) -> Network:
    """Train briefly from several initializations; return the best on held-out data.

    Parameters
    ----------
    widths, n_intervals, degree, base
        As in `init_network`.
    data : Data
        Test data are not used.
    n_starts : int
        At least 1.
    domain : (2,) or (n_in, 2), or (N, n_in), optional
        As in `init_network`; x_train if None.
    initialization : str
        "data": random networks in the units of the data. "paper": the paper's random
        networks, for inputs and targets of size 1.
    validation_share : float
        0 to 0.5: the held-out fraction of the training samples, drawn once, on which
        runs are compared. With 0 they are compared on the training samples.
    n_steps : int
        Steps of each run. For classes give more: 100, for example.
    rng : numpy.random.Generator
        Draws the held-out samples, then one initialization after another.
    **fit_options
        For each run: `optimizer`, `loss`, `smoothness_weight` and others of `fit`.

    Returns
    -------
    network : Network

    Notes
    -----
    Implements :eq:`best-of-starts`. See tutorials/05_optimizers.md, "several starts".

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample("exp_sin", n_train=100, n_test=10, rng=rng)
    >>> best_start((2, 1, 1), data, n_starts=2, n_intervals=3, degree=3, rng=rng).widths
    (2, 1, 1)
    """
    n_starts = checks.integer("n_starts", n_starts, low=1)
    checks.choice("initialization", initialization, ("data", "paper"))
    share = checks.number("validation_share", validation_share, low=0.0, high=0.5)
    checked, loss = check_data(data), fit_options.get("loss", "mse")
    kind = LOSSES[checks.choice("loss", loss, LOSSES)]
    check_loss(checked, loss)
    part = hold_out(checked, share, checks.generator("rng", rng), loss)

    y: Any = part.y_train
    if kind is not MSE:  # logits of size 1 suit answers of -1 and 1
        y = 2.0 * kind.read_targets("y_train", y, widths[-1]) - 1.0
    if initialization == "paper":
        y = None
    if domain is None:
        domain = checked.x_train
    shape: dict[str, Any] = {"n_intervals": n_intervals, "degree": degree, "base": base}

    runs: list[Run[Network]] = []
    for _ in range(n_starts):
        drawn = init_network(
            widths, **shape, domain=domain, x=part.x_train, y=y, rng=rng
        )
        run = fit(drawn, part, n_steps=n_steps, rng=rng, **fit_options)
        if run.interrupted:
            raise KeyboardInterrupt
        runs.append(run)
    # [eq:best-of-starts]
    losses = [run.history.test_loss[run.entry] for run in runs]
    chosen = runs[int(np.argmin(losses))]
    # [/eq:best-of-starts]
    return chosen.network
