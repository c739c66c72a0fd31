"""Initialize a network: the paper's random curves, on grids that contain the data.

Liu et al. 2024, section 2.2: coefficients c ~ N(0, 0.1^2), w_spline = 1, w_base uniform by Xavier's
rule with the bound

    (L24)  |w_base| <= sqrt(6 / (n_in + n_out))

(Glorot & Bengio 2010, eq. 16). The first grid lies on the domain of the inputs, every later one
on the activations of a probe batch, with a margin (`bspline.hidden_bounds` has the rule). Hidden
activations can lie far from the domain: for inputs in [100, 110], some around -30, others around
170.

The base function does not depend on the range of its input, and the draws do not depend on the
targets. With targets y the draws are therefore those for z = 2 (x - a)/(b - a) - 1 on the domain
[a, b] and for targets of mean 0 and standard deviation 1, converted to the units of the data:

    (L30)  first layer   coef_ji + w_base_ji c -> coef_ji,  0 -> w_base_ji,
                         with sum_m c_m B_m the spline nearest to the base function on [-1, 1]
    (L31)  last layer    std(y) coef_ji + mean(y)/n_in -> coef_ji,  std(y) w_base_ji -> w_base_ji

On even grids the basis functions of x on [a, b] are those of z on [-1, 1]. So the hidden
activations, and the outputs up to mean and standard deviation, do not depend on units.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np

from kan_ref import checks
from kan_ref.bspline import data_bounds, fit_curve, hidden_bounds, uniform_knots
from kan_ref.checks import FloatArray
from kan_ref.functions import BASE_NAMES, base_function
from kan_ref.network.layer import Layer, evaluate, layer_outputs
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
    """Make a network with the paper's random initialization, with `y` in the units of the data.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L): at least two numbers, each at least 1.
    n_intervals : int
        G, at least 1; the same for all layers.
    degree : int
        k, at least 0.
    domain : (2,) or (n_in, 2), or (N, n_in)
        Bounds of the inputs, low < high, for all or for each. Any other shape is samples: their
        range with 5 % of it on each side is the domain, and they serve as the probe batch. A range
        of at most 1e-9 max(1, |middle|) counts as constant, (B15): `kan_ref.scaled` widens it. Two
        samples of two inputs have the shape of bounds, and are read as bounds: give their bounds
        here, and the samples as `x`.
    x : (N, n_in), optional
        Probe batch on whose activations the hidden grids are placed. Without it and without
        samples 1000 points are drawn uniformly between the bounds.
    y : (N, n_out), optional
        Targets. With them the draws are those for inputs in [-1, 1] and targets of mean 0 and
        standard deviation 1, converted to the units of `domain` and y by (L30) and (L31). In the
        scaled variables of `fit` most starts then lead to similar relative errors in all units in
        which no input counts as constant. Adam, with steps of one length, and other optimizers in
        plain variables need data of size one, and several outputs need similar sizes.
        Without targets the draws are the paper's.
    base : str
        "silu", "identity" or "zero".
    rng : numpy.random.Generator
        Draws coef, then w_base, layer by layer; then the probe batch, if it needs one.

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError, TypeError
        "widths is (2,), but a network needs at least two numbers of nodes"

    Notes
    -----
    Implements :eq:`initial-draws`, with y :eq:`initial-units`. See tutorials/02_an_edge.md, "the
    first coefficients", and tutorials/04_a_network.md, "the first hidden grids".
    """
    sizes = check_widths(widths)
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree, low=0)
    checks.choice("base", base, BASE_NAMES)
    rng = checks.generator("rng", rng)
    low, high, samples = read_domain(domain, sizes[0])
    probe = samples if x is None else checks.array("x", x, ("batch", sizes[0]))
    if probe is not None and len(probe) == 0:
        raise ValueError(f"x has shape {probe.shape}, but a probe batch needs at least one sample")

    targets = None if y is None else _check_targets(y, sizes[-1], probe)

    drawn = [_draw(n_in, n_out, n_intervals + degree, rng) for n_in, n_out in pairwise(sizes)]
    if targets is not None:
        drawn = _in_units(drawn, targets, n_intervals, degree, base)
    knots = uniform_knots(low, high, n_intervals, degree)  # raises before points are drawn
    if probe is None and len(drawn) > 1:
        probe = rng.uniform(low, high, (N_PROBES, sizes[0]))
    layers: list[Layer] = []
    for coef, w_base in drawn:
        if layers and probe is not None:
            probe = layer_outputs(layers[-1], evaluate(layers[-1], probe, slopes=False))
            knots = uniform_knots(*hidden_bounds(probe, n_intervals), n_intervals, degree)
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


def _check_targets(y: object, n_out: int, probe: FloatArray | None) -> FloatArray:
    """Return the targets (N, n_out), as many as there are samples, at least one."""
    targets = checks.array("y", y, ("N", n_out))
    if len(targets) == 0 or (probe is not None and len(targets) != len(probe)):
        rows = "at least one sample" if probe is None else f"the {len(probe)} of the samples x"
        raise ValueError(f"y has {len(targets)} rows, but needs {rows}")
    return targets


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
        knots = uniform_knots(-1.0, 1.0, n_intervals, degree)
        curve = base_function(base, z, (0,))[0][:, None]
        # [eq:initial-units]
        coef = coef + w_base[:, :, None] * fit_curve(z, curve, knots=knots[0], degree=degree).coef
        w_base = np.zeros_like(w_base)
    *before, (last_coef, last_w_base) = (coef, w_base), *others
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    size = np.where(deviation > 0.0, deviation, np.where(mean != 0.0, np.abs(mean), 1.0))
    n_in = last_coef.shape[1]
    last_coef = last_coef * size[:, None, None] + (mean / n_in)[:, None, None]
    last_w_base = last_w_base * size[:, None]
    # [/eq:initial-units]
    return [*before, (last_coef, last_w_base)]


def check_widths(widths: object) -> tuple[int, ...]:
    """Return `widths` as a tuple of at least two positive ints."""
    flat = (
        widths.ndim == 1
        if isinstance(widths, np.ndarray)
        else isinstance(widths, Sequence) and not isinstance(widths, str)
    )
    if not flat:
        raise TypeError(
            f"widths is {widths!r}, but must be a sequence of integers such as (2, 5, 1)"
        )
    sizes = tuple(
        checks.integer(f"widths[{place}]", n, low=1)
        for place, n in enumerate(cast("Sequence[object]", widths))
    )
    if len(sizes) < 2:
        raise ValueError(f"widths is {sizes}, but a network needs at least two numbers of nodes")
    return sizes


def read_domain(domain: object, n_in: int) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return bounds (n_in,), (n_in,) of the inputs, and the samples (N, n_in), if there are any."""
    array = checks.rectangular("domain", domain)
    if array.shape in ((2,), (n_in, 2)):
        bounds = np.broadcast_to(checks.array("domain", array, array.shape), (n_in, 2))
        wrong = np.flatnonzero(bounds[:, 0] >= bounds[:, 1])
        if wrong.size:
            low, high = bounds[wrong[0]]
            remedy = ": shape (2, 2) is bounds, and samples of this shape are given as x="
            raise ValueError(
                f"domain is {low:g} to {high:g} at input {wrong[0]}, but low must lie below high"
                f"{remedy if array.shape == (2, 2) else ''}"
            )
        return bounds[:, 0].copy(), bounds[:, 1].copy(), None
    if array.ndim != 2 or array.shape[1] != n_in:
        raise ValueError(
            f"domain has shape {array.shape}, but needs (2,) or ({n_in}, 2) for bounds, "
            f"or (N, {n_in}) for samples"
        )
    samples = checks.array("domain", array, ("N", n_in))
    if len(samples) == 0:
        raise ValueError(f"domain has shape {array.shape}, but samples need at least one row")
    return (*data_bounds(samples), samples)


def samples_as_domain(x: FloatArray) -> FloatArray:
    """Return samples x (N, n_in) in a form that `read_domain` takes for samples.

    Two samples of two inputs have the shape of bounds, so their bounds are returned instead.
    """
    return domain_of_samples(x) if x.shape == (2, 2) else x


def domain_of_samples(x: FloatArray) -> FloatArray:
    """Return the bounds (n_in, 2) of an input domain taken from samples x (N, n_in)."""
    return np.column_stack(data_bounds(x))
