"""Compare two models by their losses on the same held-out samples.

A mean loss contains the noise of the samples, which is the same for all models. The difference of
two models on the same sample does not contain it. With the losses l_b of a model and r_b of a
reference on n held-out samples, d_b = l_b - r_b has

    (T21)  excess = mean_b d_b,   standard error = std_b(d_b) / sqrt(n),   std with n - 1
    (T22)  the model is as good as the reference if excess <= standard error

This is the one-standard-error rule (Hastie, Tibshirani & Friedman, The Elements of Statistical
Learning, 2nd ed., section 7.10), for differences of pairs instead of the losses themselves.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray


@dataclass(frozen=True)
class Comparison:
    """The mean of paired differences of loss, and its standard error; inf if one is not finite."""

    excess: float
    standard_error: float

    @property
    def as_good(self) -> bool:
        """Whether the first model is as good as the reference, (T22)."""
        return bool(np.isfinite(self.excess)) and self.excess <= self.standard_error


def compare(losses: FloatArray, reference: FloatArray) -> Comparison:
    """Compare the losses (n,) of a model with those of a reference on the same samples, (T21).

    One sample has no standard error: then it is 0, and only a model without excess is as good.
    """
    difference = losses - reference
    if not np.isfinite(difference).all():
        return Comparison(np.inf, np.inf)
    if len(difference) == 1:
        return Comparison(float(difference[0]), 0.0)
    # [eq:paired-differences]
    excess = float(difference.mean())
    standard_error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
    # [/eq:paired-differences]
    return Comparison(excess, standard_error)
