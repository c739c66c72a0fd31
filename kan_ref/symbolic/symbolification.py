"""Symbolic fitting of spline edges: one edge with a given function, or all with the best ones.

Liu et al. 2024, section 2.5.1. The samples of an edge are its inputs x_i and its outputs
phi_ji(x_i). A function f is judged by the nearest curve c f(a x + b) + d (`affine_fit`), and
functions are ranked by (S19). Where several are nearly as good for one edge, the whole network
decides: of the candidates, beginning with the simplest, those are chosen that together bring the
outputs of the network nearest to those that it had,

    (S21)  rms over samples of  new(x) - old(x)

by exchanging one function at a time (`ranking`), until none lowers this clearly. The training
targets are not used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record
from kan_ref.functions import lookup, singular_points
from kan_ref.network import (
    Network,
    check_defined,
    check_edge_index,
    check_formula,
    check_inputs,
    check_network,
    edge_samples,
    network_values,
    replace_layer,
    values,
    with_formula,
    with_spline,
)
from kan_ref.symbolic.affine_fit import AffineFit, fit_samples, standardise
from kan_ref.symbolic.ranking import (
    Choice,
    Place,
    check_candidates,
    exchange_functions,
    price,
    rank_samples,
    with_fits,
)

IDENTITY = (1.0, 0.0, 1.0, 0.0)
MOST_RIVALS = 4  # candidates of one edge among which the network decides
CLEAR_GAIN = 0.9  # an exchange must lower (S21) at least by this factor
N_SHOWN, WIDTHS = 10, (10, 10, 10, 12, 12, 12, 12)  # rows and columns of the printed table


@dataclass(frozen=True)
class Suggestions(Record):
    """Candidates for an edge, the best first: `fits`, one for each function; prints as a table."""

    layer: int
    output: int
    input: int
    fits: tuple[AffineFit, ...]

    @property
    def best(self) -> AffineFit:
        """The best fit, which is the first."""
        return self.fits[0]

    def __len__(self) -> int:
        return len(self.fits)

    def __getitem__(self, place: int) -> AffineFit:
        return self.fits[place]

    def __repr__(self) -> str:
        edge = f"edge of layer {self.layer} from input {self.input} to output {self.output}"
        head = ("f", "1 - R^2", "rms", "a", "b", "c", "d")
        first = max([WIDTHS[0], *(len(fit.name) + 1 for fit in self.fits[:N_SHOWN])])
        widths = (first, *WIDTHS[1:])
        rows = [
            f"{edge}: c f(a x + b) + d, the best first",
            "".join(f"{name:>{width}}" for name, width in zip(head, widths, strict=True)),
        ]
        for fit in self.fits[:N_SHOWN]:
            errors = f"{fit.name:>{first}}{1.0 - fit.r2:10.1e}{fit.rms:10.1e}"
            affine = "".join(f"{number:12.4g}" for number in fit.affine)
            poles = f"  infinite at x = {fit.singular[0]:.4g}" if fit.singular else ""
            rows.append(errors + affine + poles)
        more = [f"and {len(self) - N_SHOWN} more"] if len(self) > N_SHOWN else []
        return "\n".join([*rows, *more])


@np.errstate(all="ignore")
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
    """Replace one edge by the symbolic activation c f(a x + b) + d.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        The edge l, j, i, from 0: spline, symbolic or masked.
    name : str
        Of f in `kan_ref.LIBRARY`.
    x : (batch, n_in), optional
        Inputs of the network. a, b, c, d are fitted to the edge on these samples.
    affine : (4,), optional
        a, b, c, d. Without `affine` and `x` they are 1, 0, 1, 0.

    Returns
    -------
    fixed : Network
        The edge leaves a group of locked edges; the others of the group stay locked. (Liu et al.
        2024, section 2.5.1, `fix_symbolic`.)

    Raises
    ------
    ValueError, TypeError, IndexError
        If the name is unknown, x and affine are both given, or x is given for a masked edge, which
        has no curve to fit.
    """
    check_network("network", network)
    layer_index, j, i = check_edge_index(network, layer, output, input)
    function = lookup(name)
    if x is None:
        four = IDENTITY if affine is None else tuple(checks.array("affine", affine, (4,)))
    elif affine is not None:
        raise ValueError(
            "x and affine are both given, but a, b, c, d are either fitted to x or given by affine"
        )
    else:
        _check_active(network, layer_index, j, i)
        inputs, outputs = edge_samples(network, x)[layer_index]
        four = fit_samples(function, standardise(inputs[:, i], outputs[:, j, i])).affine
    fixed = with_formula(network.layers[layer_index], j, i, function, four)
    return replace_layer(network, layer_index, fixed)


def unfix_symbolic(network: Network, layer: int, *, output: int, input: int) -> Network:
    """Replace one symbolic edge by the nearest spline on the grid of its input.

    Parameters
    ----------
    network : Network
    layer, output, input : int

    Returns
    -------
    freed : Network
        The edge has w_spline 1 and w_base 0. Outside the grid the spline decays to zero.

    Raises
    ------
    ValueError, TypeError, IndexError
        If the edge is not symbolic, or its function is undefined somewhere on the grid.
    """
    layer_index, j, i = check_edge_index(check_network("network", network), layer, output, input)
    old = network.layers[layer_index]
    edge = check_formula(network, layer_index, j, i)
    grid = old.breakpoints[i]
    points, (a, b) = np.linspace(grid[0], grid[-1], 4 * old.n_basis), old.affine[edge.row, :2]
    curve = values([replace(edge, input=0)], old.affine, points[:, None])
    poles = singular_points(edge.function, *sorted(a * grid[[0, -1]] + b))
    if poles.size or not np.isfinite(curve).all():
        at = (poles[0] - b) / a if poles.size else points[np.argmin(np.isfinite(curve[:, 0]))]
        raise ValueError(
            f"{edge.name} on the {_edge(layer_index, j, i)} is not defined at {at:.4g} of its grid"
        )
    return replace_layer(network, layer_index, with_spline(old, edge, points, curve))


@np.errstate(all="ignore")
def suggest_symbolic(
    network: Network,
    x: object,
    layer: int,
    *,
    output: int,
    input: int,
    names: Sequence[str] | None = None,
) -> Suggestions:
    """Fit every function of the library to one edge and return the fits, the best first.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Inputs of the network.
    layer, output, input : int
        The edge l, j, i, which must be active.
    names : sequence of str, optional
        Candidates; by default the whole library.

    Returns
    -------
    suggestions : Suggestions
        Ranked by an information criterion and the complexity of the functions, :eq:`rank`.

    Raises
    ------
    ValueError, TypeError, IndexError
        If the edge is masked, a name is unknown, or there is no sample.

    Notes
    -----
    Takes 0.1 to 0.3 seconds for 1000 samples. For sums, products and compositions of functions see
    `kan_ref.suggest_formulas`.
    """
    check_network("network", network)
    layer_index, j, i = check_edge_index(network, layer, output, input)
    _check_active(network, layer_index, j, i)
    inputs, outputs = edge_samples(network, x)[layer_index]
    samples = standardise(inputs[:, i], outputs[:, j, i])
    fits = rank_samples(samples, check_candidates(names))
    return Suggestions(layer_index, j, i, tuple(fits))


def _check_active(network: Network, layer_index: int, j: int, i: int) -> None:
    """Raise ValueError if the edge is masked."""
    layer = network.layers[layer_index]
    places = [(edge.output, edge.input) for edge in layer.symbolic]
    if layer.mask[j, i] == 0.0 and (j, i) not in places:
        raise ValueError(f"the {_edge(layer_index, j, i)} is masked: there is no curve to fit")


def _edge(layer_index: int, j: int, i: int) -> str:
    """Return the place of an edge in words, for messages."""
    return f"edge of layer {layer_index} from input {i} to output {j}"


# --- all edges


@np.errstate(all="ignore")
def auto_symbolic(
    network: Network, x: object, *, names: Sequence[str] | None = None, rival_score: float = 10.0
) -> Network:
    """Replace every spline edge by a symbolic activation.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Inputs of the network; no targets are needed.
    names : sequence of str, optional
        Candidates; by default the whole library.
    rival_score : float
        At least 0. Among the candidates of an edge whose score exceeds the best one by at most
        this, the outputs of the network decide, (S21).

    Returns
    -------
    symbolic : Network
        Edges that are symbolic already stay as they are.

    Raises
    ------
    ValueError, TypeError
        If there is no sample, a name is unknown, rival_score is negative, a symbolic edge is
        undefined at a sample, or each combination of candidates that was tried is.

    Notes
    -----
    Takes 0.1 to 0.3 seconds for each edge and 1000 samples.
    """
    rival_score = checks.number("rival_score", rival_score, low=0.0)
    points, functions = check_inputs(network, x), check_candidates(names)
    rivals: dict[Place, list[AffineFit]] = {}
    for layer_index, (inputs, outputs) in enumerate(edge_samples(network, points)):
        for j, i in np.argwhere(network.layers[layer_index].mask == 1.0).tolist():
            ranked = rank_samples(standardise(inputs[:, i], outputs[:, j, i]), functions)
            most = ranked[0].score + rival_score
            rivals[layer_index, j, i] = [fit for fit in ranked[:MOST_RIVALS] if fit.score <= most]
    return decide_together(network, points, rivals)


def decide_together(
    network: Network, x: FloatArray, rivals: Mapping[Place, Sequence[AffineFit]]
) -> Network:
    """Replace every edge (l, j, i) by one of its rivals, so that (S21) is low.

    An edge gets its simplest rival unless another one clearly lowers (S21).
    """
    target = network(x)

    def evaluate(choice: Choice, *_: object) -> tuple[float, Network]:
        new = with_fits(network, choice)
        y = network_values(new, x)
        error = float(np.sqrt(np.mean((y - target) ** 2)))
        return (error if np.isfinite(y).all() else np.inf), new  # a function may be undefined

    simplest = {place: min(fits, key=price) for place, fits in rivals.items()}
    error, chosen = exchange_functions(
        rivals,
        simplest,
        evaluate(simplest),
        evaluate=evaluate,
        improves=lambda new, best: new[0] < CLEAR_GAIN * best[0],
    )
    if not np.isfinite(error):
        check_defined(chosen.layers, x, network_values(chosen, x))
    return chosen
