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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, Record
from kan_ref.functions import LIBRARY, lookup, singular_points
from kan_ref.network import (
    Network,
    check_defined,
    check_edge_index,
    check_formula,
    check_inputs,
    check_network,
    edge_samples,
    mask_edges,
    network_values,
    replace_layer,
    values,
    with_formula,
    with_spline,
)
from kan_ref.symbolic.affine_fit import AffineFit, Samples, fit_samples, standardise
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
N_SHOWN = 10  # rows of the printed table
ABSENT = "0"  # in a pattern


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
        shown = self.fits[:N_SHOWN]
        width = max(10, *(len(fit.name) + 1 for fit in shown))
        head = f"{'f':>{width}}{'1 - R^2':>10}{'rms':>10}"
        rows = [
            f"{_edge(self.layer, self.output, self.input)}: c f(a x + b) + d, the best first",
            head + "".join(f"{letter:>12}" for letter in "abcd"),
        ]
        for fit in shown:
            errors = f"{fit.name:>{width}}{1.0 - fit.r2:10.1e}{fit.rms:10.1e}"
            rows.append(errors + "".join(f"{number:12.4g}" for number in fit.affine))
        return "\n".join(rows + [f"and {len(self) - N_SHOWN} more"] * (len(self) > N_SHOWN))


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
        A name in `kan_ref.LIBRARY`.
    x : (batch, n_in), optional
        Inputs of the network. a, b, c, d are fitted to the edge on these samples.
    affine : (4,), optional
        a, b, c, d. Without `affine` and `x` they are 1, 0, 1, 0.

    Returns
    -------
    fixed : Network
        The edge leaves a group of locked edges; the others of the group stay locked. (Liu et al.
        2024, section 2.5.1, `fix_symbolic`.)

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> fixed = kr.fix_symbolic(net, 0, output=0, input=0, name="sin", affine=(2, 0, 3, 1))
    >>> kr.formula(fixed)
    3.0*sin(2.0*x_1) + 1
    """
    check_network("network", network)
    layer_index, j, i = check_edge_index(network, layer, output, input)
    function, old = lookup(name), network.layers[layer_index]
    if x is not None and affine is not None:
        checks.fail("affine", affine, "must be left out where x is given")
    if x is not None:
        curve = _edge_curve(edge_samples(network, x), network, (layer_index, j, i))
        affine = fit_samples(function, curve).affine
    four = IDENTITY if affine is None else tuple(checks.array("affine", affine, (4,)))
    return replace_layer(network, layer_index, with_formula(old, j, i, function, four))


@np.errstate(all="ignore")
def fix_pattern(network: Network, pattern: object, x: object = None) -> Network:
    """Replace the edges of a network by the functions that a pattern names.

    Parameters
    ----------
    network : Network
    pattern : nested sequence of str and None
        `pattern[l][j][i]` is the name of the function on the edge of layer l from input i to
        output j, of a function in `LIBRARY`. None leaves the edge as it is, and "0" masks it. None
        in the place of a whole layer leaves all of it.
    x : (batch, n_in), optional
        Inputs of the network. a, b, c, d of every edge with a name are fitted to its curve on these
        samples in the network as it was. Without x they are 1, 0, 1, 0, except that an edge that
        has the function already keeps its own.

    Returns
    -------
    fixed : Network
        Edges with a name in the pattern leave their groups of locked edges.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> fixed = kr.fix_pattern(net, [[["sin", "x^2"]], [["exp"]]])
    >>> kr.formula(fixed, names=("x", "y"))
    exp(y**2 + sin(x))
    >>> kr.formula(kr.fix_pattern(fixed, [[[None, "0"]], None]), names=("x", "y"))
    exp(sin(x))
    """
    check_network("network", network)
    samples = None if x is None else edge_samples(network, x)
    fixed = network
    for place, name in _named_places(network, pattern):
        layer_index, j, i = place
        layer = network.layers[layer_index]
        if name == ABSENT:
            mask = _active(fixed, layer_index)
            mask[j, i] = 0.0
            fixed = mask_edges(fixed, layer_index, mask)
            continue
        if samples is not None:
            affine = fit_samples(lookup(name), _edge_curve(samples, network, place)).affine
        else:
            present = {(edge.output, edge.input, edge.name): edge.row for edge in layer.symbolic}
            row = present.get((j, i, name))
            affine = IDENTITY if row is None else layer.affine[row]
        fixed = fix_symbolic(fixed, layer_index, output=j, input=i, name=name, affine=affine)
    return fixed


def _named_places(network: Network, pattern: object) -> Iterator[tuple[Place, str]]:
    """Yield the edges that a pattern names; raise if it has another shape than the network."""
    layers = _entries("pattern", pattern, len(network.layers))
    for depth, (rows, layer) in enumerate(zip(layers, network.layers, strict=True)):
        rows = [] if rows is None else _entries(f"pattern[{depth}]", rows, layer.n_out)
        for j, row in enumerate(rows):
            names = _entries(f"pattern[{depth}][{j}]", row, layer.n_in)
            for i, name in enumerate(names):
                if name is not None:
                    yield (depth, j, i), checks.choice(f"pattern[{depth}][{j}][{i}]", name, LIBRARY)


def _entries(name: str, value: Any, length: int) -> list[Any]:
    """Return a part of a pattern, which must be a sequence of this length."""
    is_sequence = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    if not is_sequence or len(value) != length:
        kind = ValueError if is_sequence or isinstance(value, str) else TypeError
        checks.fail(name, value, f"must be a sequence of length {length}", kind)
    return list(value)


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

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((1, 1), n_intervals=9, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> fixed = kr.fix_symbolic(net, 0, output=0, input=0, name="x^2")
    >>> freed = kr.unfix_symbolic(fixed, 0, output=0, input=0)
    >>> bool(abs(freed(np.array([[0.5]]))[0, 0] - 0.25) < 1e-9)
    True
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

    Notes
    -----
    Takes 0.1 to 0.2 seconds for 1000 samples. For sums, products and compositions of functions see
    `kan_ref.suggest_formulas`.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> net = kr.fix_symbolic(net, 0, output=0, input=0, name="exp")
    >>> x = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> kr.suggest_symbolic(net, x, 0, output=0, input=0, names=("x^2", "exp")).best.name
    'exp'
    """
    check_network("network", network)
    place = check_edge_index(network, layer, output, input)
    samples = _edge_curve(edge_samples(network, x), network, place)
    return Suggestions(*place, tuple(rank_samples(samples, check_candidates(names))))


def _edge_curve(
    samples: Sequence[tuple[FloatArray, FloatArray]], network: Network, place: Place
) -> Samples:
    """Return the samples of one edge's curve; raise ValueError if it is masked."""
    layer_index, j, i = place
    if _active(network, layer_index)[j, i] == 0.0:
        raise ValueError(f"the {_edge(*place)} is masked: there is no curve to fit")
    inputs, outputs = samples[layer_index]
    return standardise(inputs[:, i], outputs[:, j, i])


def _active(network: Network, layer_index: int) -> FloatArray:
    """Return 1 on spline and symbolic edges of a layer, 0 on masked ones, (n_out, n_in)."""
    active = network.layers[layer_index].mask.copy()
    for edge in network.layers[layer_index].symbolic:
        active[edge.output, edge.input] = 1.0
    return active


def _edge(layer_index: int, j: int, i: int) -> str:
    """Return the place of an edge in words."""
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
        At least 0. Among candidates of an edge whose scores are this near to the best one, the
        outputs of the network decide.

    Returns
    -------
    symbolic : Network
        Edges that are symbolic already stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((1, 1), n_intervals=9, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> net = kr.fix_symbolic(net, 0, output=0, input=0, name="exp")
    >>> spline = kr.unfix_symbolic(net, 0, output=0, input=0)
    >>> symbolic = kr.auto_symbolic(spline, np.linspace(-1.0, 1.0, 50)[:, None])
    >>> symbolic.layers[0].symbolic[0].name
    'exp'
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
