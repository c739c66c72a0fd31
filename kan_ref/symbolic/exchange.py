"""Choose one function for each of many edges together, by exchanging one at a time.

When several functions fit an edge almost equally well, its own samples do not decide, but the
whole network does. A coordinate search over the edges exchanges the function of one edge at a
time, and keeps an exchange that improves the network, until none does. What "improves" means is
the criterion of the caller: (S21) compares with the outputs of a network of splines, the score of
`kan_ref.discovery.formula_search` with the training data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from kan_ref.functions import lookup
from kan_ref.network import Network, replace_layer, with_formula
from kan_ref.symbolic.affine_fit import AffineFit

Place = tuple[int, int, int]  # layer, output, input of an edge
Choice = dict[Place, AffineFit]
Evaluated = TypeVar("Evaluated")


def exchange_functions(
    rivals: Mapping[Place, Sequence[AffineFit]],
    choice: Choice,
    best: Evaluated,
    *,
    evaluate: Callable[[Choice, Evaluated, Place], Evaluated],
    improves: Callable[[Evaluated, Evaluated], bool],
    is_final: Callable[[Evaluated], bool] = lambda best: False,
    seen: Iterable[tuple[str, ...]] = (),
) -> Evaluated:
    """Return the best evaluation that exchanges of single functions reach.

    Parameters
    ----------
    rivals : mapping of (layer, output, input) to sequence of AffineFit
        The candidates of each edge.
    choice : dict
        One candidate for each edge, in the order of `rivals`.
    best : object
        The evaluation of `choice`.
    evaluate : callable
        (choice, best, place) -> evaluation of a choice that differs at `place` from that of `best`.
    improves : callable
        (evaluation, best) -> whether the evaluation replaces the best.
    is_final : callable
        best -> whether the search ends here.
    seen : iterable of tuple of str
        Names of other choices that have been evaluated before. None is evaluated twice.

    Returns
    -------
    best : object
    """
    tried = {_names(choice), *seen}
    improved = True
    while improved:
        improved = False
        for place, fit in [(place, fit) for place, fits in rivals.items() for fit in fits]:
            if is_final(best):
                return best
            exchanged = {**choice, place: fit}
            if _names(exchanged) in tried:
                continue
            tried.add(_names(exchanged))
            trial = evaluate(exchanged, best, place)
            if improves(trial, best):
                best, choice, improved = trial, exchanged, True
    return best


def _names(choice: Choice) -> tuple[str, ...]:
    return tuple(fit.name for fit in choice.values())


def with_fits(network: Network, choice: Mapping[Place, AffineFit]) -> Network:
    """Return the network with the edges of `choice` replaced by their fits."""
    for (layer_index, j, i), fit in choice.items():
        layer = with_formula(network.layers[layer_index], j, i, lookup(fit.name), fit.affine)
        network = replace_layer(network, layer_index, layer)
    return network
