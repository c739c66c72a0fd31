"""Check derivatives by hand against differences, along random directions.

For a network f, a random upstream gradient u and a random direction v of one kind of argument (the
inputs, or one kind of parameter of one layer),

    (L25)  <u, J v> = d/dt <u, f(argument + t v)> at t = 0    by a central difference with step h
    (L26)  <u, J v> = <J^T u, v>                              by backward, which computes J^T u

must agree. Two forward passes check all entries of J^T u at once; a wrong one passes with
probability 0. The difference is compared with the sum of the absolute terms of <J^T u, v>, plus the
rounding error of (L25), some eps |<u, f>| / h. u is scaled so that no sample's output counts for
more than 1: otherwise one far sample would hide the others. Where a curve has no continuous second
derivative within the step (a knot of multiplicity above degree - 2), (L25) is wrong by O(h) or
more; such samples are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.network.cache import Cache
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import PARAMETER_ARRAYS, evaluate, layer_outputs
from kan_ref.network.network import Network, check_inputs, forward
from kan_ref.network.network import backward as own_backward
from kan_ref.numerics import central_difference, multiply

Backward = Callable[[Network, Sequence[Cache], FloatArray], tuple[FloatArray, Network]]

_ALL = "all parameters"
_ROUNDINGS = (
    20.0  # in (L25), sums of dozens of terms: many times the worst of thousands of networks
)


@dataclass(frozen=True)
class GradientReport:
    """The largest relative error of each part over all directions.

    `errors` maps "dx", "jacobian", "d_coef of layer 0" and the like to the error; `n_samples` is
    the number of samples that counted, `n_directions` the number of directions tried for each part.
    """

    errors: dict[str, float]
    n_samples: int
    n_directions: int

    @property
    def worst(self) -> float:
        """The largest error of all parts."""
        return max(self.errors.values())

    def __str__(self) -> str:
        lines = [f"{name:24s} {error:.1e}" for name, error in self.errors.items()]
        return "\n".join(
            [f"{self.n_samples} samples, {self.n_directions} directions, relative errors", *lines]
        )


def check_gradients(
    network: Network,
    x: object,
    *,
    rng: np.random.Generator,
    n_directions: int = 3,
    step: float = 1e-6,
    tolerance: float = 1e-7,
    backward: Backward | None = None,
) -> GradientReport:
    """Check a backward pass against differences of the forward pass; raise an error if it is wrong.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample; inside and outside the grids.
    rng : numpy.random.Generator
        Draws directions.
    n_directions : int
        At least 1, for each part.
    step : float
        h of (L25).
    tolerance : float
        Largest relative error allowed.
    backward : callable, optional
        (network, caches, dy) -> (dx, grads), checked instead of `kan_ref.backward`; the per-sample
        Jacobian is left out then.

    Returns
    -------
    report : GradientReport

    Raises
    ------
    ValueError
        "d_coef of layer 1 is wrong: along a random direction backward gives 0.52, a central
        difference 0.61 (relative error 0.1, allowed 1e-07)"; or if all samples cross knots at which
        a curve is not smooth.

    Notes
    -----
    Implements :eq:`gradient-check`. It takes 2 n_directions forward passes per part.
    """
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(
            f"x has shape {points.shape}, but a gradient check needs at least one sample"
        )
    rng = check_generator("rng", rng)
    n_directions = check_integer("n_directions", n_directions, low=1)
    step, tolerance = (
        check_number("step", step, low=1e-300),
        check_number("tolerance", tolerance, low=0.0),
    )
    judged = own_backward if backward is None else backward

    errors: dict[str, float] = {}
    counted = len(points)
    y, caches = forward(network, points)
    for _ in range(n_directions):
        for part in _directions(network, points, rng):
            before, after = part.moved(network, points, -step), part.moved(network, points, step)
            smooth = _clear_of_kinks(*before, *after)
            counted = min(counted, int(smooth.sum()))
            if not smooth.any():
                raise ValueError(
                    f"x has {len(points)} samples, but all of them cross a kink of a curve within "
                    f"step {step:g}"
                )
            u = (
                rng.standard_normal(y.shape)
                * (smooth / np.maximum(1.0, np.abs(y).max(axis=1)))[:, None]
            )
            rounding = _ROUNDINGS * np.finfo(float).eps * float(np.abs(u * y).sum()) / step
            # [eq:gradient-check]
            difference = central_difference(partial(part.projected, network, points, u), step)
            dx, grads = judged(network, caches, u)
            terms = part.terms(dx, grads)
            # [/eq:gradient-check]
            scale = float(np.maximum(np.abs(terms).sum(), abs(difference)))
            _judge(errors, part.name, float(terms.sum()), difference, scale, rounding, tolerance)
            if part.name == _ALL and backward is None:
                rows = u.reshape(-1) * multiply(
                    prediction_jacobian(network.layers, caches), part.theta
                )
                _judge(
                    errors, "jacobian", float(rows.sum()), difference, scale, rounding, tolerance
                )
    return GradientReport(errors, counted, n_directions)


@dataclass(frozen=True, eq=False)
class _Part:
    """A direction (x (batch, n_in), theta (n_params,)) that is zero except in the part it names."""

    name: str
    x: FloatArray
    theta: FloatArray

    def moved(self, network: Network, x: FloatArray, t: float) -> tuple[Network, FloatArray]:
        """Return network and inputs after t times the direction."""
        return network.with_theta(network.theta + t * self.theta), x + t * self.x

    def projected(self, network: Network, x: FloatArray, u: FloatArray, t: float) -> float:
        """Compute <u, f> after t times the direction."""
        moved, points = self.moved(network, x, t)
        return float(np.vdot(u, moved(points)))

    def terms(self, dx: FloatArray, grads: Network) -> FloatArray:
        """Return the summands of <J^T u, v> in this part; nan elsewhere is ignored."""
        pulled, direction = (
            np.concatenate([dx.reshape(-1), grads.theta]),
            np.concatenate([self.x.reshape(-1), self.theta]),
        )
        moving = direction != 0.0
        return np.asarray(pulled[moving] * direction[moving])


def _directions(network: Network, x: FloatArray, rng: np.random.Generator) -> list[_Part]:
    """Draw a random direction of each part, single parts first, so that an error names its part."""
    still_x, still_theta = np.zeros(x.shape), np.zeros(network.n_params)
    parts = [_Part("dx", rng.standard_normal(x.shape), still_theta)]
    start = 0
    for layer_index, layer in enumerate(network.layers):
        for name in PARAMETER_ARRAYS.values():
            direction = still_theta.copy()
            size = getattr(layer, name).size
            if not size:
                continue
            direction[start : start + size] = rng.standard_normal(size)
            start += size
            parts.append(_Part(f"d_{name} of layer {layer_index}", still_x, direction))
    return [*parts, _Part(_ALL, still_x, rng.standard_normal(network.n_params))]


def _judge(
    errors: dict[str, float],
    name: str,
    by_backward: float,
    by_difference: float,
    scale: float,
    rounding: float,
    tolerance: float,
) -> None:
    apart = abs(by_backward - by_difference)
    error = 0.0 if scale == 0.0 else apart / scale
    if not apart <= tolerance * scale + rounding:  # true for nan too
        raise ValueError(
            f"{name} is wrong: along a random direction backward gives {by_backward:.6g}, "
            f"a central difference {by_difference:.6g} (relative error {error:.1g}, "
            f"allowed {tolerance:g})"
        )
    errors[name] = max(errors.get(name, 0.0), error)


def _clear_of_kinks(
    before: Network, x_before: FloatArray, after: Network, x_after: FloatArray
) -> NDArray[np.bool_]:
    """Return which samples cross no knot at which a curve lacks a continuous second derivative."""
    clear = np.ones(len(x_before), dtype=bool)
    for layer_before, layer_after in zip(before.layers, after.layers, strict=True):
        for i, row in enumerate(layer_before.knots):
            values, multiplicity = np.unique(row, return_counts=True)
            rough = values[multiplicity > layer_before.degree - 2]
            low, high = (
                np.minimum(x_before[:, i], x_after[:, i]),
                np.maximum(x_before[:, i], x_after[:, i]),
            )
            meets = np.searchsorted(rough, low, side="left") < np.searchsorted(
                rough, high, side="right"
            )
            clear &= ~meets | (low == high)  # a coordinate that does not move crosses nothing
        x_before = layer_outputs(layer_before, evaluate(layer_before, x_before, slopes=False))
        x_after = layer_outputs(layer_after, evaluate(layer_after, x_after, slopes=False))
    return clear
