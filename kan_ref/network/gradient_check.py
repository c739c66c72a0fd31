"""Check a backward pass against differences of the forward pass in random directions.

For a network f, a random upstream gradient u and a random direction v of its inputs, or
of one array of its parameters,

    (L25)  <u, J v> = d/dt <u, f(argument + t v)> at t = 0
    (L26)  <u, J v> = <J^T u, v>

must agree: (L25) by central differences, (L26) by backward, which computes J^T u. Two
forward passes check all entries of J^T u at once: a wrong entry passes with probability
0, unless rounding hides it. A step of h moves inputs by about h intervals of the grid,
and parameters by h times the largest number of their array, so that units do not
matter. The difference D(h) has an error of order h^2, which Richardson's extrapolation
(4 D(h/2) - D(h)) / 3 removes. Samples at kinks do not count: there the changes by h do
not follow from those by h/2. Nor do samples that a step takes out of the domain of a
symbolic edge.

dx is the sum of a part from the base functions and one from the splines, and the larger
one hides the smaller one. So dx is checked in three networks: as it is, without
splines, without base functions.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network.layer import PARAMETER_ARRAYS, Cache
from kan_ref.network.network import Network, check_inputs, forward, network_values
from kan_ref.network.network import backward as own_backward

Backward = Callable[[Network, Sequence[Cache], FloatArray], tuple[FloatArray, Network]]
_Direction = tuple[str, Network, FloatArray, FloatArray]
# relative change of a derivative with half the step, above which there is a kink
_KINK = 1e-7
_ROUNDING = 1e-14  # of an output, relative to the size of its terms


class GradientReport(NamedTuple):
    """The largest relative error of each part, and how many samples counted for all.

    `errors` maps "dx", "d_coef of layer 0" and the like to the error over all
    directions.
    """

    errors: dict[str, float]
    n_samples: int

    @property
    def worst(self) -> float:
        """The largest error of all parts."""
        return max(self.errors.values())


def check_gradients(
    network: Network,
    x: object,
    *,
    rng: np.random.Generator,
    n_directions: int = 3,
    step: float = 1e-5,
    tolerance: float = 1e-7,
    backward: Backward | None = None,
) -> GradientReport:
    """Check a backward pass against differences of the forward pass.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample, inside or outside the grids.
    rng : numpy.random.Generator
    n_directions : int
        For each part.
    step : float
        h, from 1e-8 to 1e-2, relative to the spacing of the grid and to the size of the
        parameters.
    tolerance : float
        The largest relative error allowed.
    backward : callable, optional
        (network, caches, dy) -> (dx, grads), checked in place of `kan_ref.backward`.

    Returns
    -------
    report : GradientReport
        `report.errors` by part, `report.worst`, `report.n_samples`.

    Raises
    ------
    ValueError
        If a part is wrong: the message has its name, both derivatives, and the sum of
        the sizes of their terms, to which errors are relative. If kinks are within a
        step of every sample.

    Notes
    -----
    Implements :eq:`gradient-check`. A difference has errors of about h^2 / 6 (Taylor)
    and eps / h (rounding): the sum is smallest near h = eps^(1/3), about 1e-5.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> kr.check_gradients(net, rng.uniform(-1.0, 1.0, (20, 2)), rng=rng).worst < 1e-7
    True
    """
    x = check_inputs(network, x)
    rng = checks.generator("rng", rng)
    judged = backward or own_backward
    step = checks.number("step", step, low=1e-8, high=1e-2)
    tolerance = checks.number("tolerance", tolerance, low=1e-12)
    n_directions = checks.integer("n_directions", n_directions, low=1)
    errors: dict[str, float] = {}
    n_samples = len(x)
    for _ in range(n_directions):
        for direction in _directions(network, x, rng):
            name = direction[0]
            found, expected, scale, hidden, n = _sides(direction, x, step, rng, judged)
            error = abs(found - expected) / (scale + hidden / tolerance)
            if not error <= tolerance:  # nan is wrong, too
                raise ValueError(
                    f"{name} is wrong: along a random direction backward gives "
                    f"{found:.6g} and a central difference {expected:.6g}, of terms of "
                    f"size {scale:.2g}"
                )
            errors[name] = max(errors.get(name, 0.0), error)
            n_samples = min(n_samples, n)
    return GradientReport(errors, n_samples)


def _directions(
    network: Network, x: FloatArray, rng: np.random.Generator
) -> Iterator[_Direction]:
    """Yield random directions: a part's name, its network, how x and theta move."""
    still = np.zeros_like(x)
    fixed = np.zeros(network.n_params)
    blocks = []
    start = 0
    for number, layer in enumerate(network.layers):
        for name in PARAMETER_ARRAYS.values():
            end = start + getattr(layer, name).size
            blocks.append((name, number, slice(start, end)))
            start = end

    intervals = np.diff(network.layers[0].knots, axis=1)
    spacing = intervals.min(axis=1, where=intervals > 0.0, initial=np.inf)
    for left_out in ("none", "w_spline", "w_base"):
        theta = network.theta.copy()
        for name, _, block in blocks:
            if name == left_out:
                theta[block] = 0.0
        part = network.replace_theta(theta)
        if left_out == "none" or np.isfinite(network_values(part, x)).all():
            yield "dx", part, spacing * rng.standard_normal(x.shape), fixed

    for name, number, block in blocks:
        values = network.theta[block]
        if values.size:
            size = np.abs(values).max() or 1.0
            by_theta = fixed.copy()
            by_theta[block] = size * rng.standard_normal(values.size)
            yield f"d_{name} of layer {number}", network, still, by_theta


@np.errstate(all="ignore")
def _sides(
    direction: _Direction,
    x: FloatArray,
    step: float,
    rng: np.random.Generator,
    backward: Backward,
) -> tuple[float, float, float, float, int]:
    """Return <J^T u, v>, <u, J v>, their scale, what rounding hides, and n_samples."""
    _, network, by_x, by_theta = direction
    # steps that float64 takes exactly
    by_x = ((x + step / 2.0 * by_x) - x) / (step / 2.0)
    y, caches = forward(network, x)
    # of the terms of each output
    size = np.abs(y) + np.abs(network.theta).max(initial=1e-100)

    def at(h: float) -> FloatArray:
        moved = network.replace_theta(network.theta + h * by_theta)
        return np.asarray(network_values(moved, x + h * by_x) / size)

    # [eq:gradient-check]
    above = at(step)
    below = at(-step)
    near_above = at(step / 2.0)
    near_below = at(-step / 2.0)
    whole = above - below  # 2 h D(h)
    half = near_above - near_below  # h D(h/2)

    # a sample at a kink does not count
    odd = whole - 2.0 * half  # of order h^3
    even = above + below - 4.0 * (near_above + near_below) + 6.0 * y / size  # h^4
    largest = np.abs(whole).max(initial=0.0, where=np.isfinite(whole))
    allowed = _KINK * largest + _ROUNDING
    smooth = (np.maximum(np.abs(odd), np.abs(even)) <= allowed).all(axis=1)

    u = smooth[:, None] * rng.standard_normal(y.shape)
    change = np.where(u == 0.0, 0.0, 8.0 * half - whole)
    expected = float((u * change).sum()) / (6.0 * step)
    dx, grads = backward(network, caches, u / size)
    v = np.concatenate([by_x.ravel(), by_theta])
    terms = np.concatenate([dx.ravel(), grads.theta]) * v
    terms = terms[v != 0.0]
    # [/eq:gradient-check]
    if not smooth.any():
        raise ValueError(
            f"x has {len(x)} samples, but none away from kinks and ends of domains"
        )
    scale = max(float(np.abs(terms).sum()), abs(expected))
    hidden = _ROUNDING * float(np.linalg.norm(u)) / (2.0 * step)
    return float(terms.sum()), expected, scale, hidden, int(smooth.sum())
