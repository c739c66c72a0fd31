"""Initialize a network: the paper's random curves, on grids that contain the data.

Liu et al. 2024, section 2.2: coefficients c ~ N(0, 0.1^2), w_spline = 1, w_base uniform
by Xavier's rule with the bound

    (L24)  |w_base| <= sqrt(6 / (n_in + n_out))

(Glorot & Bengio 2010, eq. 16). The first grid lies on the domain of the inputs, every
later one on the activations of a probe batch, with a margin (`bspline.hidden_bounds`
has the rule). Hidden activations can lie far from the domain: for inputs in [100, 110],
some around -30, others around 170.

The base function does not depend on the range of its input, and the draws do not depend
on the targets. With targets y the draws are therefore those for z = 2 (x - a)/(b - a) -
1 on the domain [a, b] and for targets of mean 0 and standard deviation 1, converted to
the units of the data:

    (L30)  first layer  coef_ji + w_base_ji c -> coef_ji,
                        0 -> w_base_ji
    (L31)  last layer   std(y) coef_ji + mean(y)/n_in -> coef_ji,
                        std(y) w_base_ji -> w_base_ji

with sum_m c_m B_m the spline nearest to the base function on [-1, 1]. On even grids the
basis functions of x on [a, b] are those of z on [-1, 1]. So the hidden activations, and
the outputs up to mean and standard deviation, do not depend on units.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref import bspline, checks
from kan_ref.checks import FloatArray
from kan_ref.functions import BASE_NAMES, base_function
from kan_ref.network.definedness import outputs_at
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network

COEF_SCALE = 0.1
N_PROBES = 1000  # points drawn in a box of inputs


@np.errstate(all="ignore")
def init_network(
    widths: Sequence[int],
    *,
    n_intervals: int,
    degree: int,
    domain: object,
    x: object = None,
    y: object = None,
    base: str = "silu",
    rng: np.random.Generator,
) -> Network:
    """Make a network with the paper's random initialization.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L): at least two numbers, each at least 1.
    n_intervals : int
        G, at least 1; the same for all layers.
    degree : int
        k, at least 0.
    domain : (2,) or (n_in, 2), or (N, n_in)
        Bounds of the inputs, low < high, for all or for each. Any other shape is
        samples: their range with 5 % of it on each side is the domain, and they serve
        as the probe batch. A range of at most 1e-9 max(1, |middle|) counts as constant:
        `kan_ref.scaled` widens it.
    x : (N, n_in), optional
        Probe batch on whose activations the hidden grids are placed, where it is not
        `domain`. Without samples 1000 points are drawn uniformly between the bounds.
    y : (N, n_out), optional
        Targets. With them the draws are made for inputs in [-1, 1] and targets of mean
        0 and standard deviation 1, and converted to the units of `domain` and y. In the
        scaled variables of `fit` most starts then lead to similar relative errors in
        all units. Without targets the draws are the paper's.
    base : str
        "silu", "identity" or "zero".
    rng : numpy.random.Generator
        Draws coef, then w_base, layer by layer; then the probe batch, if it needs one.

    Returns
    -------
    network : Network

    Notes
    -----
    Implements :eq:`initial-draws`, with y :eq:`initial-units`. See
    tutorials/02_an_edge.md, "the first coefficients", and tutorials/04_a_network.md,
    "the first hidden grids".

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    Network([2, 5, 1], n_intervals [5, 5], degree 3, 150 parameters)
    """
    sizes = check_widths(widths)
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree)
    checks.choice("base", base, BASE_NAMES)
    rng = checks.generator("rng", rng)
    low, high, probe = read_domain(domain, sizes[0])
    if x is not None:
        probe = checks.samples("x", x, ("batch", sizes[0]))

    n_basis = n_intervals + degree
    drawn = [_draw(n_in, n_out, n_basis, rng) for n_in, n_out in pairwise(sizes)]
    if y is not None:
        n_samples = "N" if probe is None else len(probe)
        targets = checks.samples("y", y, (n_samples, sizes[-1]))
        drawn = _in_units(drawn, targets, n_intervals, degree, base)
    if probe is None:
        probe = rng.uniform(low, high, (N_PROBES, sizes[0]))

    layers: list[Layer] = []
    for coef, w_base in drawn:
        if layers:
            probe = outputs_at(layers[-1], probe)
            low, high = bspline.hidden_bounds(probe, n_intervals)
        knots = bspline.uniform_knots(low, high, n_intervals, degree)
        ones = np.ones_like(w_base)
        layers.append(Layer(knots, coef, w_base, ones, ones, degree, base))
    return Network(tuple(layers))


def _draw(
    n_in: int, n_out: int, n_basis: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw coef (n_out, n_in, n_basis) and w_base (n_out, n_in) of one layer."""
    # [eq:initial-draws]
    coef = COEF_SCALE * rng.standard_normal((n_out, n_in, n_basis))
    bound = np.sqrt(6.0 / (n_in + n_out))
    w_base = rng.uniform(-bound, bound, (n_out, n_in))
    # [/eq:initial-draws]
    return coef, w_base


def _in_units(
    drawn: list[tuple[FloatArray, FloatArray]],
    targets: FloatArray,
    n_intervals: int,
    degree: int,
    base: str,
) -> list[tuple[FloatArray, FloatArray]]:
    """Return the draws with the first layer by (L30) and the last by (L31)."""
    (coef, w_base), *others = drawn
    if base != "zero":
        z = np.linspace(-1.0, 1.0, 4 * (n_intervals + degree))
        knots = bspline.uniform_knots(-1.0, 1.0, n_intervals, degree)
        curve = base_function(base, z, (0,))[0][:, None]
        # [eq:initial-units]
        spline = bspline.fit_curve(z, curve, knots=knots[0], degree=degree)
        coef = coef + w_base[:, :, None] * spline.coef
        w_base = np.zeros_like(w_base)

    *before, (coef, w_base) = (coef, w_base), *others
    mean = targets.mean(axis=0)
    size = targets.std(axis=0)
    size[size == 0.0] = np.abs(mean)[size == 0.0]
    size[size == 0.0] = 1.0
    shift = mean / coef.shape[1]
    coef = coef * size[:, None, None] + shift[:, None, None]
    w_base = w_base * size[:, None]
    # [/eq:initial-units]
    return [*before, (coef, w_base)]


def check_widths(widths: object) -> tuple[int, ...]:
    """Return `widths` as a tuple of at least two positive ints."""
    sizes: Any = widths
    if isinstance(sizes, str) or np.ndim(sizes) != 1 or len(sizes) < 2:
        rule = "must be at least two numbers of nodes such as (2, 5, 1)"
        checks.fail("widths", sizes, rule)
    for place, n in enumerate(sizes):
        checks.integer(f"widths[{place}]", n, low=1)
    return tuple(map(int, sizes))


def read_domain(
    domain: object, n_in: int
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return bounds (n_in,), (n_in,) of the inputs, and samples (N, n_in) or None."""
    shape = checks.rectangular("domain", domain).shape
    if shape not in ((2,), (n_in, 2)):
        samples = checks.samples("domain", domain, ("N", n_in))
        return (*bspline.data_bounds(samples), samples)
    bounds = checks.array("domain", domain, shape)
    low, high = np.broadcast_to(bounds, (n_in, 2)).T.copy()
    for i in np.flatnonzero(low >= high):
        name = f"domain of input {i}"
        checks.fail(name, (low[i], high[i]), "low must be less than high")
    return low, high, None


def domain_of_samples(x: FloatArray) -> FloatArray:
    """Return the bounds (n_in, 2) of an input domain taken from samples x (N, n_in)."""
    return np.column_stack(bspline.data_bounds(x))
