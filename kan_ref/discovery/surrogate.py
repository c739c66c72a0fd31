"""A smooth model of the data, from which slices are taken.

Models that least squares fit (`linear_models`) are first: sums of curves and polynomials, of the
values or of a function of them. Where their error on held-out samples is not small, an unpenalised
network is trained too, on standardised samples and on finer and finer grids while that lowers the
error on held-out samples. The model with the smallest error is taken; of nearly equal ones, the
simplest. Its error is the scale of every later comparison. It need not be small: an architecture is
recognised, and the numbers are trained on the data afterwards.

A small network is a model of a residual, too: `verdict` tests by it what a formula leaves.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kan_ref.checks import ROUNDING as SAME_NUMBER
from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.elimination import MOST_EDGES, VALIDATION_SHARE, Search
from kan_ref.discovery.linear_models import ROUNDING, Model, linear_models, simplest
from kan_ref.network import (
    Network,
    domain_of_samples,
    edge_samples,
    init_network,
    network_values,
)
from kan_ref.training import LBFGS, LM, best_start, fit, hold_out

LADDER = (5, 10, 20, 40)
N_STARTS = 3
N_STEPS = 25
START_STEPS = 30
SMOOTHNESS = 1e-8
SMALL = 1e-4  # of the standard deviation of y: a model this near needs no network beside it
N_FOLDS = 5  # of a residual
RESIDUAL_STEPS = 8
RESIDUAL_SMOOTHNESS = 1e-3


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A model of the samples as a function of the user's units, with its error on held-out samples.

    `network` computes standardised values at standardised inputs. Where another `model` has a
    smaller error, that one is evaluated and the network is a coarse one.
    """

    network: Network
    x_mean: FloatArray
    x_std: FloatArray
    y_mean: float
    y_std: float
    error: float
    model: Model | None = None

    @property
    def what(self) -> str:
        """The kind of model, in words."""
        return "a network on standardized samples" if self.model is None else self.model.what

    def __call__(self, points: FloatArray) -> FloatArray:
        """Compute (batch,) at points (batch, n_in)."""
        if self.model is not None:
            return self.model.f(points)
        z = (points - self.x_mean) / self.x_std
        return np.asarray(self.y_mean + self.y_std * network_values(self.network, z)[:, 0])

    def edge_curves(self, points: FloatArray) -> list[list[tuple[FloatArray, FloatArray]]]:
        """Return inputs and outputs of every edge at the points, in the user's units, by layers.

        Only for networks of one node in each hidden layer.
        """
        z = (points - self.x_mean) / self.x_std
        found = []
        for layer, (inputs, outputs) in enumerate(edge_samples(self.network, z)):
            edges = []
            for i in range(inputs.shape[1]):
                t = points[:, i] if layer == 0 else inputs[:, i]
                v = outputs[:, 0, i]
                if layer == len(self.network.layers) - 1:
                    v = self.y_mean + self.y_std * v
                order = np.argsort(t)
                edges.append((t[order], v[order]))
            found.append(edges)
        return found


def fit_surrogate(
    x: FloatArray,
    y: FloatArray,
    rng: np.random.Generator,
    *,
    n_hidden: int | None = None,
    deadline: float = np.inf,
) -> Surrogate:
    """Train a surrogate on samples x (n, n_in), y (n,); `n_hidden` nodes, 2 n_in + 1 by default.

    One input gets a single edge. Of 10 or more inputs there are fewer nodes by default, such that
    the network has at most 200 edges: a step of training costs the third power of their number, and
    more parameters than samples give a worse model. Training stops at the deadline.
    """
    n_in = x.shape[1]
    x_mean, x_std = x.mean(axis=0), x.std(axis=0)
    y_mean, y_std = float(y.mean()), float(y.std())
    x_std = np.where(x_std > 0.0, x_std, 1.0)
    y_std = y_std if y_std > 0.0 else 1.0
    z, t = (x - x_mean) / x_std, ((y - y_mean) / y_std)[:, None]
    models = linear_models(x, y, deadline=deadline) if n_hidden is None else []
    least = min((model.error for model in models), default=np.inf)
    is_small = least <= SMALL * y_std
    held = hold_out(Data(z, t, z, t), VALIDATION_SHARE)
    if n_hidden is None:
        n_hidden = min(n_in + 1 if is_small else 2 * n_in + 1, max(1, MOST_EDGES // (n_in + 1)))
        hidden: tuple[int, ...] = (n_hidden,) if n_in > 1 else ()
    else:
        hidden = (n_hidden,)
    ladder = LADDER[:1] if is_small and hidden else LADDER
    n_steps = N_STEPS // 2 if is_small else N_STEPS
    search = Search(held, n_steps, ladder, SMOOTHNESS, deadline=deadline)
    widths = (n_in, *hidden, 1)
    is_wide = sum(a * b for a, b in pairwise(widths)) > MOST_EDGES
    start = best_start(
        widths,
        held,
        n_starts=1 if is_small else N_STARTS,
        n_intervals=LADDER[0],
        degree=3,
        rng=rng,
        callback=lambda step: time.monotonic() > deadline,
        optimizer=LBFGS() if is_wide else LM(),
        n_steps=5 * START_STEPS if is_wide else START_STEPS,
    )
    trial = search.tried("surrogate", start)
    found = Surrogate(trial.network, x_mean, x_std, y_mean, y_std, y_std * trial.error)
    best = simplest([*models, Model("a network", found, found.error)], ROUNDING * y_std)
    return found if best.f is found else replace(found, error=best.error, model=best)


def slice_error(
    surrogate: Surrogate,
    x: FloatArray,
    y: FloatArray,
    rng: np.random.Generator,
    deadline: float = np.inf,
) -> float:
    """Estimate the error of the surrogate itself, without the noise of y.

    Two models of its kind are fitted on disjoint halves of the samples. Their mean differs from the
    truth by about half of what they differ from each other.
    """
    order = rng.permutation(len(x))
    halves = order[: len(x) // 2], order[len(x) // 2 :]
    one, other = (_of_the_same_kind(surrogate, x[half], y[half], rng, deadline) for half in halves)
    return float(0.5 * np.sqrt(np.mean((one(x) - other(x)) ** 2)))


def _of_the_same_kind(
    surrogate: Surrogate, x: FloatArray, y: FloatArray, rng: np.random.Generator, deadline: float
) -> Callable[[FloatArray], FloatArray]:
    if surrogate.model is not None:
        models = linear_models(x, y, deadline=deadline)
        if models:
            return simplest(models).f
    hidden = surrogate.network.widths[1] if len(surrogate.network.widths) > 2 else None
    return fit_surrogate(x, y, rng, n_hidden=hidden, deadline=deadline)


def held_out_gain(
    x: FloatArray, residual: FloatArray, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the gain (D19) of a small network on held-out residuals, and its standard error."""
    q = np.zeros(len(residual))
    folds = rng.permutation(len(residual)) % N_FOLDS
    for fold in range(N_FOLDS):
        held = folds == fold
        if held.any() and (~held).sum() >= 10:
            q[held] = _residual_at(x[~held], residual[~held], x[held], rng)
    # [eq:residual-gain]
    gains = residual**2 - (residual - q) ** 2
    gain, error = float(np.mean(gains)), float(np.std(gains)) / np.sqrt(len(gains))
    # [/eq:residual-gain]
    return gain, max(error, 1e-300)


def _scaled(x: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean, std = x.mean(axis=0), x.std(axis=0)
    std = np.where(std > 0.0, std, 1.0)
    return (x - mean) / std, (at - mean) / std


def _residual_at(
    x: FloatArray, r: FloatArray, at: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Predict residuals by a small smooth network."""
    z, z_at = _scaled(x, at)
    size = float(np.std(r))
    if size <= SAME_NUMBER * float(np.abs(r).max()):  # the same number at all samples
        return np.full(len(at), r.mean())
    target = (r / size)[:, None]
    data = Data(z, target, z, target)
    widths = (x.shape[1], 2, 1) if x.shape[1] > 1 else (1, 1)
    network = init_network(
        widths,
        n_intervals=5,
        degree=3,
        domain=domain_of_samples(np.vstack([z, z_at])),
        x=z,
        rng=rng,
    )
    run = fit(network, data, n_steps=RESIDUAL_STEPS, smoothness_weight=RESIDUAL_SMOOTHNESS)
    if run.interrupted:
        raise KeyboardInterrupt
    return np.asarray(size * network_values(run.network, z_at)[:, 0])
