"""Initialization of a learnable activation network, and grids that follow its pre-activations.

A hidden node's grid lies on its pre-activations z for a batch, with the margin that `hidden_bounds`
gives the hidden grids of a KAN. Training moves z; curves then move to new grids like those of a KAN
(`move_coefficients` keeps the function).

    (M10)  c ~ N(0, 0.1^2);   W_l, v_l as in an MLP with the same activation (`init_mlp`)
    (M11)  c = 0: the network equals the MLP with activation b
           (Liu et al. 2024, appendix B.3: "start from a pretrained MLP")
"""

from collections.abc import Sequence

import numpy as np

from kan_ref import checks
from kan_ref.baselines.lan import LAN, LAN_BASE_NAMES, node_curve, pre_activations
from kan_ref.baselines.mlp import MLP, init_mlp
from kan_ref.bspline import hidden_bounds, move_coefficients, uniform_knots
from kan_ref.checks import FloatArray
from kan_ref.functions import ACTIVATION_NAMES
from kan_ref.network import COEF_SCALE, check_widths, read_domain


@np.errstate(all="ignore")
def init_lan(
    widths: Sequence[int],
    *,
    n_intervals: int,
    degree: int,
    domain: object,
    x: object = None,
    base: str = "silu",
    rng: np.random.Generator,
) -> LAN:
    """Make a learnable activation network with random weights and curves.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_L); the nodes of all layers between the first and the last have curves.
    n_intervals : int
        At least 1; the same for all curves.
    degree : int
        At least 0.
    domain : (2,) or (n_in, 2), or (N, n_in)
        Bounds of the inputs, low < high, for all or for each; any other shape is samples, which
        serve as the probe batch.
    x : (N, n_in), optional
        Probe batch on whose pre-activations the grids are placed. Without it and without samples
        every grid lies on [smallest low, largest high].
    base : str
        "silu", "identity", "zero", "tanh", "relu" or "sine". Weights are drawn as `init_mlp` draws
        them for that activation, and as for "tanh" where the base is not an activation.
    rng : numpy.random.Generator
        Draws all weights, then the coefficients layer by layer.

    Returns
    -------
    lan : LAN

    Raises
    ------
    ValueError, TypeError
        "widths is (2,), but a network needs at least two numbers of nodes"

    Notes
    -----
    Implements :eq:`lan-draws`. N^2 L weights and N L (G + k) coefficients for L layers of N nodes.
    """
    sizes = check_widths(widths)
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree, low=0)
    checks.choice("base", base, LAN_BASE_NAMES)
    rng = checks.generator("rng", rng)
    low, high, samples = read_domain(domain, sizes[0])
    probe = samples if x is None else checks.array("x", x, ("batch", sizes[0]))
    if probe is not None and len(probe) == 0:
        raise ValueError(f"x has shape {probe.shape}, but a probe batch needs at least one sample")
    mlp = init_mlp(sizes, activation=base if base in ACTIVATION_NAMES else "tanh", rng=rng)
    # [eq:lan-draws]
    coefs = [
        COEF_SCALE * rng.standard_normal((n_out, n_intervals + degree)) for n_out in sizes[1:-1]
    ]
    # [/eq:lan-draws]
    bounds = float(low.min()), float(high.max())
    return _on_probe(mlp, coefs, base, n_intervals, degree, probe, bounds)


@np.errstate(all="ignore")
def lan_from_mlp(mlp: MLP, x: object, *, n_intervals: int, degree: int) -> LAN:
    """Convert an MLP, trained or not, into a learnable activation network with equal outputs.

    Parameters
    ----------
    mlp : MLP
    x : (N, n_in)
        Probe batch: grids lie on its pre-activations.
    n_intervals, degree : int

    Returns
    -------
    lan : LAN
        With the MLP's activation as base function and zero coefficients.

    Raises
    ------
    ValueError, TypeError
        "mlp is None, but must be an MLP"
    """
    if not isinstance(mlp, MLP):
        raise TypeError(f"mlp is {mlp!r}, but must be an MLP")
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree, low=0)
    probe = _check_probe(x, mlp.widths[0])
    coefs = [np.zeros((n_out, n_intervals + degree)) for n_out in mlp.widths[1:-1]]
    return _on_probe(mlp, coefs, mlp.activation, n_intervals, degree, probe, (-1.0, 1.0))


@np.errstate(all="ignore")
def update_lan_grids(lan: LAN, x: object, *, n_intervals: int | None = None) -> LAN:
    """Move the curves' grids to the pre-activations of a batch; keep the function.

    Parameters
    ----------
    lan : LAN
    x : (batch, n_in)
        At least one sample.
    n_intervals : int, optional
        For finer grids, at least the number that every curve has; without it they keep theirs.

    Returns
    -------
    updated : LAN
        With even grids that reach beyond the pre-activations by 1 / n_intervals or 5 % of their
        range, whichever is more, on each side.

    Raises
    ------
    ValueError, TypeError
        "lan is None, but must be a LAN"; "n_intervals is 4, but the curves of hidden layer 0 have 5
        already and a grid is only made finer"; for x, as `lan(x)`.

    Notes
    -----
    Layers move one after another, each at the pre-activations that the moved layers before it give.
    The function changes where the new grids cannot represent the old curves.
    """
    if not isinstance(lan, LAN):
        raise TypeError(f"lan is {lan!r}, but must be a LAN")
    samples = _check_probe(x, lan.widths[0])
    count = None if n_intervals is None else checks.integer("n_intervals", n_intervals, low=1)
    for number, row in enumerate(lan.rows):
        if count is not None and count < row.n_basis - lan.degree:
            raise ValueError(
                f"n_intervals is {count}, but the curves of hidden layer {number} have "
                f"{row.n_basis - lan.degree} already and a grid is only made finer"
            )
    for number, row in enumerate(lan.rows):
        z = pre_activations(lan, samples)[number]
        intervals = row.n_basis - lan.degree if count is None else count
        knots = uniform_knots(*hidden_bounds(z, intervals), intervals, lan.degree)
        # to the spline code it is a layer with one output and one edge per node
        coef = move_coefficients(row.knots, lan.degree, lan.coefs[number][None], knots, z)[0]
        coefs, rows = list(lan.coefs), list(lan.knots)
        coefs[number], rows[number] = coef, knots
        lan = LAN(lan.weights, lan.biases, tuple(coefs), tuple(rows), lan.degree, lan.base)
    return lan


def _check_probe(x: object, n_in: int) -> FloatArray:
    """Return x as a batch of at least one sample."""
    samples = checks.array("x", x, ("batch", n_in))
    if len(samples) == 0:
        raise ValueError(
            f"x has shape {samples.shape}, but placing a grid needs at least one sample"
        )
    return samples


def _on_probe(
    mlp: MLP,
    coefs: Sequence[FloatArray],
    base: str,
    n_intervals: int,
    degree: int,
    probe: FloatArray | None,
    bounds: tuple[float, float],
) -> LAN:
    """Return the LAN with grids on the probe batch's pre-activations, or on `bounds`."""
    knots: list[FloatArray] = []
    for number, coef in enumerate(coefs):
        low, high = np.full(len(coef), bounds[0]), np.full(len(coef), bounds[1])
        if probe is not None:
            z = probe @ mlp.weights[number].T + mlp.biases[number]
            low, high = hidden_bounds(z, n_intervals)
        knots.append(uniform_knots(low, high, n_intervals, degree))
        if probe is not None:
            so_far = LAN(
                mlp.weights[: number + 2],
                mlp.biases[: number + 2],
                tuple(coefs[: number + 1]),
                tuple(knots),
                degree,
                base,
            )
            probe = node_curve(so_far, number, z, slopes=False)[0]
    return LAN(mlp.weights, mlp.biases, tuple(coefs), tuple(knots), degree, base)
