"""Turning spline edges into formulas and back: by name, by the best of the library, or all at once.

Liu et al. 2024, section 2.5.1. An edge is known by its samples: what goes in, x_i, and what comes out, phi_ji(x_i). A candidate f is
judged by the nearest curve c f(a x + b) + d (`affine_fit`), candidates among each other by the information criterion and the
complexity of the name. Where several names are as good for an edge by itself, the network decides: beginning with the plainest, of the
ambiguous edges' candidates those are taken that together keep nearest to the network's own outputs,

    (Y1)  rms over samples of  new(x) - old(x)

found edge by edge, until no exchange comes nearer. The training targets decide nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref.bspline import fit_curve
from kan_ref.checks import FloatArray, check_float_array, check_number
from kan_ref.functions import lookup
from kan_ref.network import (
    Layer,
    Network,
    check_edge_index,
    check_formula,
    check_inputs,
    check_network,
    edge_samples,
    network_values,
    replace_layer,
    values,
    with_formula,
)
from kan_ref.symbolic.affine_fit import AffineFit, fit_affine
from kan_ref.symbolic.ranking import rank_functions
from kan_ref.symbolic.search_starts import n_inner

IDENTITY = (1.0, 0.0, 1.0, 0.0)
MOST_RIVALS = 4  # candidates of one edge that the network chooses among


@dataclass(frozen=True)
class Suggestions:
    """Candidates for an edge, the best first: `fits`, one a function; prints as a table."""

    layer: int
    output: int
    input: int
    fits: tuple[AffineFit, ...]

    @property
    def best(self) -> AffineFit:
        """The first of them."""
        return self.fits[0]

    def __len__(self) -> int:
        return len(self.fits)

    def __getitem__(self, place: int) -> AffineFit:
        return self.fits[place]

    def __repr__(self) -> str:
        head = f"edge of layer {self.layer} from input {self.input} to output {self.output}: c f(a x + b) + d, the best first"
        rows = [
            f"{'f':>10}  {'1 - R^2':>8}  {'rms':>8}  {'a':>10}  {'b':>10}  {'c':>10}  {'d':>10}"
        ]
        rows += [
            f"{fit.name:>10}  {1.0 - fit.r2:8.1e}  {fit.rms:8.1e}  {fit.a:10.4g}  {fit.b:10.4g}  {fit.c:10.4g}  {fit.d:10.4g}"
            + (f"  infinite at x = {fit.singular[0]:.4g}" if fit.singular else "")
            for fit in self.fits[:10]
        ]
        more = [f"and {len(self) - 10} more"] if len(self) > 10 else []
        return "\n".join([head, *rows, *more])


def fix_symbolic(
    network: Network,
    layer: int,
    *,
    output: int,
    input: int,
    name: str,
    x: object = None,
    affine: object = None,
) -> Network:
    """The network with one edge made the formula c f(a x + b) + d.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        The edge l, j, i, from 0: spline, formula or dead.
    name : str
        Of f in `kan_ref.LIBRARY`.
    x : (batch, n_in), optional
        Inputs of the network: a, b, c, d are fitted to the edge as it is on these samples.
    affine : (4,), optional
        a, b, c, d, taken as they are; without this and without x they are 1, 0, 1, 0.

    Returns
    -------
    fixed : Network
        A lock that the edge was in goes on without it.

    Raises
    ------
    ValueError, TypeError, IndexError
        An unknown name; both x and affine; a dead edge with x, which has nothing to be fitted to.

    Notes
    -----
    Liu et al. 2024, section 2.5.1, `fix_symbolic`.
    """
    check_network("network", network)
    layer_index, j, i = check_edge_index(network, layer, output, input)
    function = lookup(name)
    if x is None:
        four = IDENTITY if affine is None else tuple(check_float_array("affine", affine, (4,)))
    elif affine is not None:
        raise ValueError(
            "x and affine are both given, but a formula is either fitted to samples or taken as it is"
        )
    else:
        if not _is_active(network.layers[layer_index])[j, i]:
            raise ValueError(
                f"x is given, but the edge of layer {layer_index} from input {i} to output {j} is dead: there is no curve to fit"
            )
        inputs, outputs = edge_samples(network, x)[layer_index]
        fit = fit_affine(inputs[:, i], outputs[:, j, i], name)
        four = (fit.a, fit.b, fit.c, fit.d)
    return replace_layer(
        network, layer_index, with_formula(network.layers[layer_index], j, i, function, four)
    )


def unfix_symbolic(network: Network, layer: int, *, output: int, input: int) -> Network:
    """The network with one formula made a spline edge again: the spline nearest to it on the grid of its input.

    Parameters
    ----------
    network : Network
    layer, output, input : int

    Returns
    -------
    freed : Network
        w_spline is 1 and w_base 0 there. Off the grid the spline fades as all do.

    Raises
    ------
    ValueError, TypeError, IndexError
        The edge is no formula; the formula is not defined on the whole grid.
    """
    check_network("network", network)
    layer_index, j, i = check_edge_index(network, layer, output, input)
    old = network.layers[layer_index]
    edge = check_formula(network, layer_index, j, i)
    grid = old.breakpoints[i]
    points = np.linspace(grid[0], grid[-1], 4 * old.n_basis)
    curve = values([replace(edge, input=0)], old.affine, points[:, None])
    if not np.isfinite(curve).all():
        at = points[int(np.argmin(np.isfinite(curve[:, 0])))]
        raise ValueError(
            f"{edge.name} on the edge of layer {layer_index} from input {i} to output {j} is not defined at {at:.4g} of its grid"
        )
    arrays = {name: getattr(old, name).copy() for name in ("coef", "w_base", "w_spline", "mask")}
    arrays["coef"][j, i] = fit_curve(points, curve, knots=old.knots[i], degree=old.degree).coef[0]
    arrays["w_base"][j, i], arrays["w_spline"][j, i], arrays["mask"][j, i] = 0.0, 1.0, 1.0
    kept = [one for one in old.symbolic if one is not edge]
    return replace_layer(network, layer_index, replace(old, symbolic=kept, **arrays))


def suggest_symbolic(
    network: Network,
    x: object,
    layer: int,
    *,
    output: int,
    input: int,
    names: Sequence[str] | None = None,
) -> Suggestions:
    """Which functions an edge could be, the best first.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Inputs of the network.
    layer, output, input : int
        The edge l, j, i: it must live.
    names : sequence of str, optional
        Candidates; without it the whole library.

    Returns
    -------
    suggestions : Suggestions
        Ranked by the information criterion and the complexity of the name (`affine_rank`).

    Raises
    ------
    ValueError, TypeError, IndexError
        A dead edge, an unknown name, no sample.

    Notes
    -----
    0.1 to 0.3 seconds at 1000 samples.
    """
    check_network("network", network)
    layer_index, j, i = check_edge_index(network, layer, output, input)
    if not _is_active(network.layers[layer_index])[j, i]:
        raise ValueError(
            f"the edge of layer {layer_index} from input {i} to output {j} is dead: there is no curve to name"
        )
    inputs, outputs = edge_samples(network, x)[layer_index]
    return Suggestions(
        layer_index, j, i, tuple(rank_functions(inputs[:, i], outputs[:, j, i], names))
    )


def _is_active(layer: Layer) -> FloatArray:
    alive = layer.mask.copy()
    for edge in layer.symbolic:
        alive[edge.output, edge.input] = 1.0
    return alive


# --- all edges


def auto_symbolic(
    network: Network, x: object, *, names: Sequence[str] | None = None, rival_score: float = 10.0
) -> Network:
    """The network with every spline edge made a formula.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Inputs of the network; nothing else decides.
    names : sequence of str, optional
        Candidates; without it the whole library.
    rival_score : float
        At least 0: candidates whose score is no more than this behind an edge's best are left to (Y1).

    Returns
    -------
    formulas : Network
        Edges that are formulas already stay as they are.

    Raises
    ------
    ValueError, TypeError
        No sample, an unknown name.

    Notes
    -----
    Implements (Y1). 0.1 to 0.3 seconds an edge at 1000 samples.
    """
    check_network("network", network)
    rival_score = check_number("rival_score", rival_score, low=0.0)
    points = check_inputs(network, x)
    samples = edge_samples(network, points)
    rivals: dict[tuple[int, int, int], list[AffineFit]] = {}
    for layer_index, (layer, (inputs, outputs)) in enumerate(
        zip(network.layers, samples, strict=True)
    ):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            ranked = rank_functions(inputs[:, i], outputs[:, j, i], names)
            rivals[layer_index, j, i] = [
                fit for fit in ranked[:MOST_RIVALS] if fit.score <= ranked[0].score + rival_score
            ]
    return decide_together(network, points, rivals)


def price(fitted: AffineFit) -> int:
    """How much a name costs: the free inner parameters that its gauge leaves, and its complexity."""
    function = lookup(fitted.name)
    return n_inner(function) + function.complexity


def decide_together(
    network: Network, x: FloatArray, rivals: dict[tuple[int, int, int], list[AffineFit]]
) -> Network:
    """(Y1): every edge (l, j, i) gets one of its rivals, the plainest where no other brings the network's outputs clearly nearer."""
    target = network(x)

    def made(choice: dict[tuple[int, int, int], int]) -> Network:
        new = network
        for (layer_index, j, i), place in choice.items():
            fit = rivals[layer_index, j, i][place]
            new = replace_layer(
                new,
                layer_index,
                with_formula(
                    new.layers[layer_index], j, i, lookup(fit.name), (fit.a, fit.b, fit.c, fit.d)
                ),
            )
        return new

    def apart(candidate: Network) -> float:
        flow = network_values(candidate, x)  # nan where a formula is not defined
        return float(np.sqrt(np.mean((flow - target) ** 2))) if np.isfinite(flow).all() else np.inf

    choice = {
        place: int(np.argmin([price(fitted) for fitted in fits])) for place, fits in rivals.items()
    }
    best = apart(made(choice))
    improved = any(len(fits) > 1 for fits in rivals.values())
    while improved:
        improved = False
        for place, fits in rivals.items():
            for rival in range(len(fits)):
                trial = {**choice, place: rival}
                distance = apart(made(trial)) if rival != choice[place] else best
                if distance < 0.9 * best:
                    choice, best, improved = trial, distance, True
    return made(choice)
