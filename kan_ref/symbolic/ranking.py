"""The names of a library ranked by how well their curves c f(a x + b) + d explain samples.

Score (Schwarz 1978, with a price on names). A fit with k parameters and mean squared misfit m, in units of the variance of y, has

    (R1)  score = n_eff log max(m, floor) + k log n_eff + 3 complexity,    the least is the best
    (R2)  n_eff = n (2 runs / n)^2, at least 8, at most n,    floor = 1e-26 + (eps max|y| / spread)^2

where `runs` counts the pieces of equal sign of the residual of the nearest fit, samples sorted by x (Wald & Wolfowitz 1940). White
noise has n/2 runs, so that n_eff = n. The misfit between a spline and the formula behind it is smooth: its 1000 samples are the shape
of ten or twenty waves, a part of which any further parameter takes up. Without (R2) it would buy parameters, and x^2 out of a
spline would become cosh. Below the floor all fits are exact, and complexity decides.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from kan_ref.functions import LIBRARY, lookup
from kan_ref.symbolic.affine_fit import EPS, AffineFit, Samples, fit_samples, read_samples
from kan_ref.symbolic.search_starts import n_inner

# Chosen, with (R2), on 810 curves with noise of a hundredth of their spread and 810 out of splines that are off by up to 3e-3 of it:
# right names 96.9 and 92.8 %; weight 2: 96.9 and 92.3 %; with n_eff = 2 runs, 96.9 and 91.6 %.
COMPLEXITY_WEIGHT = 3.0
LEAST_NUMBER = 8.0
EXACT = 1e-26


def rank_functions(x: object, y: object, names: Iterable[str] | None = None) -> list[AffineFit]:
    """The nearest curve of every name, best first.

    Parameters
    ----------
    x, y : (n,)
        As for `fit_affine`.
    names : iterable of str, optional
        Of functions in `LIBRARY`; all of them without it.

    Returns
    -------
    fits : list of AffineFit
        By rising score (R1). A pole between samples, which `fit_affine` accepts only where they grow towards it, stands in `singular`.
        Names of one family, such as sin and cos, tie; they stand in the library's order.

    Raises
    ------
    ValueError, TypeError
        As `fit_affine`; no names at all.

    Notes
    -----
    Implements :eq:`rank`. About 0.2 s of one core for the whole library and 1000 samples. See tutorials/08_symbols.md, "ranking of names".

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 200)
    >>> [fit.name for fit in rank_functions(x, np.sin(15.0 * x), names=("x", "exp", "tanh", "sin"))][0]
    'sin'
    """
    if isinstance(names, str):
        raise TypeError(f"names is {names!r}, but must be a sequence of names, as in ({names!r},)")
    functions = [lookup(name) for name in dict.fromkeys(LIBRARY if names is None else names)]
    if not functions:
        raise ValueError("names is empty, but a ranking needs at least one name")
    samples = read_samples(x, y)
    fits = [fit_samples(function, samples) for function in functions]
    n_eff = _effective_number(samples, min(fits, key=lambda fit: fit.rms))
    # [eq:rank]
    scale = max(samples.spread, 1e-150) * samples.unit
    floor = EXACT + (EPS * float(np.abs(samples.y).max()) * samples.unit / scale) ** 2
    scored = []
    for function, fit in zip(functions, fits, strict=True):
        n_parameters = 1 if function.gauge.kind == "constant" else 2 + n_inner(function)
        price = n_parameters * np.log(n_eff) + COMPLEXITY_WEIGHT * function.complexity
        scored.append(
            replace(fit, score=float(n_eff * np.log(max((fit.rms / scale) ** 2, floor)) + price))
        )
    # [/eq:rank]
    # rounding parts the members of a family by less than a thousandth
    return sorted(scored, key=lambda fit: round(fit.score, 3))


def _effective_number(samples: Samples, fit: AffineFit) -> float:
    """(R2)."""
    order = np.argsort(samples.x, kind="stable")
    signs = np.sign((samples.unit * samples.y - fit(samples.x))[order])
    # [eq:effective-number]
    runs = 1 + int(np.count_nonzero(signs[1:] != signs[:-1]))
    return min(float(len(signs)), max(4.0 * runs**2 / len(signs), LEAST_NUMBER))
    # [/eq:effective-number]
