"""Powers of single inputs that are factors of a function, for samples without noise.

Many laws are a product of powers and of a function g of fewer inputs,

    (D31)   f(x) = x_i^p g(other inputs),   so that   x_i f_i / f = p   at all points

where f_i is the derivative with respect to x_i. Dividing the samples by the power leaves a problem
with fewer inputs, for which models of higher degree can be fitted. The exponent p is the median of
x_i f_i / f for a model of the samples. A wrong power shows on held-out samples: the error of models
of g, times the power, must be at most 0.8 of that of models of f with all inputs.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.linear_models import linear_models
from kan_ref.discovery.trees import Input, Tree, apply, multiply

MOST_POINTS = 200
STEP = 0.02  # of the standard deviation of an input, for central differences
ROUND = 0.15  # an exponent is this near to an integer or a half
MOST_EXPONENT = 6.0
GAIN = 0.8  # of the error with one input more: noise alone would leave it nearly as it is

Values = Callable[[FloatArray], FloatArray]


def power_factors(f: Values, x: FloatArray, y: FloatArray) -> tuple[dict[int, float], float]:
    """Return the exponents of inputs whose powers are factors of samples x (n, n_in), y (n,).

    `f` computes values near to y at points (batch, n_in). At least one input has no power. Also
    returned is the error of a model of the other inputs times the powers, on held-out samples.
    """
    found: dict[int, float] = {}
    models = linear_models(x, y)
    least = min((model.error for model in models), default=np.inf)
    rest = list(range(x.shape[1]))
    weight = np.ones(len(y))
    while len(rest) > 1:
        trials = []
        for place, exponent in _exponents(f, x[:, rest]):
            others = [k for k in rest if k != rest[place]]
            factor = weight * x[:, rest[place]] ** exponent
            if np.isfinite(factor).all() and np.abs(factor).min() > 0.0:
                trials += [
                    (model.error, rest[place], exponent, factor, model)
                    for model in linear_models(x[:, others], y / factor, factor)
                ]
        if not trials:
            break
        error, chosen, exponent, factor, model = min(trials, key=lambda trial: trial[0])
        if not error <= GAIN * least:
            break
        found[chosen] = exponent
        rest.remove(chosen)
        least, weight, f = error, factor, model.f
    return found, least


def _exponents(f: Values, x: FloatArray) -> Iterator[tuple[int, float]]:
    """Yield inputs with exponents that they may have: 1, and the one that x_i f_i / f is near."""
    size = np.abs(f(x))
    points = x[size >= np.median(size)][:MOST_POINTS]  # relative errors of f are small there
    for i in range(x.shape[1]):
        step = np.zeros(x.shape[1])
        step[i] = STEP * float(x[:, i].std())
        with np.errstate(all="ignore"):
            # [eq:power-factor]
            slope = (f(points + step) - f(points - step)) / (2.0 * step[i])
            p = float(np.median(points[:, i] * slope / f(points)))
            # [/eq:power-factor]
        near = float(np.round(2.0 * p) / 2.0) if np.isfinite(p) else 0.0
        is_near = abs(p - near) <= ROUND and 0.0 < abs(near) <= MOST_EXPONENT
        is_defined = near.is_integer() or x[:, i].min() > 0.0
        for exponent in dict.fromkeys([1.0, near] if is_near and is_defined else [1.0]):
            yield i, exponent


def product_of_powers(exponents: dict[int, float]) -> Tree:
    """Return the product of powers of the inputs as a tree."""
    return multiply(*(power_of_input(i, p) for i, p in exponents.items()))


def power_of_input(place: int, exponent: float) -> Tree:
    """Return a power of an input, with an integer or a half as the exponent, as a tree."""
    whole, half = divmod(abs(exponent), 1.0)
    parts: list[Tree] = [Input(place)] * int(whole)
    name = {1.0: "x", 2.0: "x^2", 3.0: "x^3", 4.0: "x^4", 5.0: "x^5"}.get(whole)
    if name is not None:
        parts = [apply(name, Input(place))]
    if half:
        parts.append(apply("sqrt", Input(place)))
    tree = multiply(*parts)
    return apply("1/x", tree) if exponent < 0.0 else tree


def without_powers(
    x: FloatArray, y: FloatArray, exponents: dict[int, float]
) -> tuple[FloatArray, FloatArray, Sequence[int]]:
    """Return the inputs without powers, y divided by the powers, and the places of those inputs."""
    rest = [i for i in range(x.shape[1]) if i not in exponents]
    factor = np.ones(len(y))
    for i, exponent in exponents.items():
        factor = factor * x[:, i] ** exponent
    return x[:, rest], y / factor, rest
