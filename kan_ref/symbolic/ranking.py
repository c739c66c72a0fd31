"""Rank the functions of the library for one edge, and choose one for each of many edges together.

Score (Schwarz 1978, with a penalty on complexity). A fit c f(a x + b) + d with k parameters and the
mean squared misfit m, in units of the variance of y, has

    (S19)  score = n_eff log max(m, floor) + k log n_eff + 3 complexity;  the lowest is the best
    (S20)  n_eff = n (2 runs / n)^2, at least 8, at most n
           floor = 1e-26 + (eps max|y| / std(y))^2

where `runs` counts the pieces of equal sign in the residual of the nearest fit, samples sorted by
x (Wald & Wolfowitz 1940). White noise has n/2 runs, so that n_eff = n. The misfit between a spline
and the function that it approximates is smooth: 1000 samples of it carry the information of ten or
twenty waves, and any further parameter absorbs a part of it. Without (S20) each such parameter
would pay, and x^2 learnt by a spline would be ranked below cosh. Below this bound all fits are
exact, and complexity decides.

When several functions fit an edge almost equally well, its own samples do not decide, but the
whole network does. A coordinate search over the edges exchanges the function of one edge at a
time, and keeps an exchange that improves the network, until none does. What "improves" means is
the criterion of the caller: (S21) compares with the outputs of a network of splines, the score of
`kan_ref.discovery.paper_way` with the training data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from kan_ref import checks
from kan_ref.functions import LIBRARY, Function, lookup
from kan_ref.network import Network, replace_layer, with_formula
from kan_ref.symbolic.affine_fit import (
    EPS,
    AffineFit,
    Samples,
    check_samples,
    fit_samples,
    standardise,
)
from kan_ref.symbolic.canonical import n_inner

# Chosen, with (S20), on 810 curves with noise of 1e-2 of their standard deviation and 810 splines
# with errors of up to 3e-3 of it: right names 96.9 and 92.8 %. With weight 2: 96.9 and 92.3 %;
# with n_eff = 2 runs: 96.9 and 91.6 %.
COMPLEXITY_WEIGHT = 3.0
LEAST_NUMBER = 8.0  # of n_eff: log n_eff > 2, so that a parameter always has a price
EXACT = 1e-26  # of m: (1e-13)^2, a few hundred roundings

Place = tuple[int, int, int]  # layer, output, input of an edge
Choice = dict[Place, AffineFit]
Evaluated = TypeVar("Evaluated")


def rank_functions(x: object, y: object, names: Iterable[str] | None = None) -> list[AffineFit]:
    """Fit every function of the library to samples and sort the fits by their score.

    Parameters
    ----------
    x, y : (n,)
        As for `fit_affine`.
    names : iterable of str, optional
        Of functions in `LIBRARY`; by default all of them.

    Returns
    -------
    fits : list of AffineFit
        In the order of increasing score (S19). Functions of one family, such as sin and cos, tie;
        they keep the order of the library.

    Notes
    -----
    Implements :eq:`rank`. About 0.2 s on one core for the whole library and 1000 samples. See
    tutorials/08_symbols.md, "ranking of names".

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 200)
    >>> fits = rank_functions(x, np.sin(15.0 * x), names=("x", "exp", "tanh", "sin"))
    >>> fits[0].name
    'sin'
    """
    functions = check_candidates(names)
    return rank_samples(standardise(*check_samples(x, y)), functions)


def check_candidates(names: Iterable[str] | None, argument: str = "names") -> list[Function]:
    """Return the functions called `names`, all by default; raise for unknown or no names."""
    if isinstance(names, str):
        checks.fail(argument, names, "must be a sequence of names", TypeError)
    functions = [lookup(name) for name in dict.fromkeys(LIBRARY if names is None else names)]
    if not functions:
        checks.fail(argument, names, "must have at least one name")
    return functions


def rank_samples(samples: Samples, functions: Sequence[Function]) -> list[AffineFit]:
    """Rank functions as `rank_functions` does, for validated samples."""
    fits = [fit_samples(function, samples) for function in functions]
    n_eff = _effective_number(samples, min(fits, key=lambda fit: fit.rms))
    # [eq:rank]
    scale = samples.std or 1.0
    floor = EXACT + (EPS * float(np.abs(samples.y).max()) / scale) ** 2
    scored = []
    for function, fit in zip(functions, fits, strict=True):
        n_parameters = 1 if function.redundancy.kind == "constant" else 2 + n_inner(function)
        cost = n_parameters * np.log(n_eff) + COMPLEXITY_WEIGHT * function.complexity
        misfit = max((fit.rms / scale) ** 2, floor)
        scored.append(replace(fit, score=float(n_eff * np.log(misfit) + cost)))
    # [/eq:rank]
    # rounding separates the scores of one family by less than 1e-3
    return sorted(scored, key=lambda fit: round(fit.score, 3))


def _effective_number(samples: Samples, fit: AffineFit) -> float:
    """Return n_eff of (S20) from the residual of one fit."""
    order = np.argsort(samples.x, kind="stable")
    signs = np.sign((samples.y - fit(samples.x))[order])
    # [eq:effective-number]
    runs = 1 + int(np.count_nonzero(signs[1:] != signs[:-1]))
    return min(float(len(signs)), max(4.0 * runs**2 / len(signs), LEAST_NUMBER))
    # [/eq:effective-number]


def price(fit: AffineFit) -> int:
    """Return the complexity of a fit: that of its function, and its inner parameters."""
    function = lookup(fit.name)
    return n_inner(function) + function.complexity


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

    `best` is the evaluation of `choice`, which has one of the rivals for each edge, in their order.
    `evaluate(choice, best, place)` judges a choice that differs from the best at one place. No
    choice is evaluated twice, nor one with the names `seen`.
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
