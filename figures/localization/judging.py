"""Accuracy and loss of a logit g(x) on a part of the chains, and the coefficients of a formula."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from figures.localization.chains import Sample
from kan_ref.checks import FloatArray

TRAIN, CHOOSE, TEST = range(3)  # parts of a sample


def accuracies(g: FloatArray, sample: Sample) -> dict[str, float]:
    """Return the shares of test states that g > 0 labels as (R21) does, and as the paper's rule does at the shorter and the longer length.

    A value that is not finite counts as wrong.
    """
    test = sample.part == TEST
    found, known = g[test] > 0.0, np.isfinite(g[test])
    labels = {"growth": sample.localized, "paper": sample.paper, "paper_long": sample.paper_long}
    return {name: float(np.mean((found == label[test]) & known)) for name, label in labels.items()}


def logits(network: kr.Network, x: FloatArray) -> FloatArray:
    """Return g (batch,), nan where a function of the network is undefined."""
    try:
        return np.asarray(network(x)[:, 0])
    except ValueError:  # some state is outside the domain of a logarithm
        return np.array([_logit(network, row) for row in x])


def _logit(network: kr.Network, row: FloatArray) -> float:
    try:
        return float(network(row[None])[0, 0])
    except ValueError:
        return math.nan


def loss_on(part: int, network: kr.Network, sample: Sample) -> float:
    """Return the logistic loss on the chains of a part, infinite if the network is undefined at one of their states."""
    place = sample.part == part
    g, y = logits(network, sample.x[place]), sample.localized[place]
    loss = float(np.mean(np.maximum(g, 0.0) - g * y + np.log1p(np.exp(-np.abs(g)))))
    return loss if math.isfinite(loss) else math.inf


def held_out_loss(network: kr.Network, sample: Sample) -> float:
    """Return `loss_on` the chains to choose."""
    return loss_on(CHOOSE, network, sample)


def coefficients(expression: Any, names: Sequence[str]) -> dict[str, float] | None:
    """Return the coefficients of a polynomial in the names by monomial, as in {"alpha*E": 1.0, "1": -2.0}; None for any other formula."""
    import sympy

    symbols = sympy.symbols(list(names))
    if not expression.is_polynomial(*symbols):
        return None
    terms = sympy.Poly(expression, *symbols).terms()
    return {
        "*".join(
            f"{name}^{power}" if power > 1 else name
            for name, power in zip(names, powers, strict=True)
            if power
        )
        or "1": float(value)
        for powers, value in terms
    }
