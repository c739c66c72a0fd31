"""Test whether products of polynomials of all inputs explain a residual, alone or together.

Let the columns c_k, k = 1, ..., K, be products T_{m_1}(x_1) ... T_{m_n}(x_n) of Chebyshev
polynomials up to some total degree, orthonormal in the order of their degrees. The error of a wrong
formula may lie in one of them, such as x^6. Many columns that are tested together hide it, since
each of them adds to the noise. Hence each is tested alone, too:

    (D29)  t_k = sum_b c_k(x_b) r_b / sqrt(sum_b c_k(x_b)^2 r_b^2)

For independent residuals that are symmetric about 0, whatever their distribution and however their
size depends on the inputs, t_k exceeds t with a probability of at most exp(-t^2 / 2), and it is
nearly normal. The largest |t_k| is compared with the normal quantile of the false-alarm rate over
2 K.

An error that depends on three inputs may be spread over many of the columns. Their sum of squares
E, and its mean and variance over all signs of the residuals, are

    (D30)  E = sum_k (sum_b c_k(x_b) r_b)^2
           mean = trace(M)
           variance = 2 (sum_kl M_kl^2 - sum_b (sum_k c_k(x_b)^2 r_b^2)^2)

with M_kl = sum_b c_k(x_b) c_l(x_b) r_b^2. E / mean is nearly chi^2 / p with
p = 2 mean^2 / variance degrees of freedom (Satterthwaite 1946), and z follows by (D18). Unlike F of
(D18), a large residual at a sample of large columns does not raise it.

Residuals y - p of classes have the known variance p (1 - p) in the place of r^2. Where right
probabilities are near 0 or 1 most residuals are tiny and a few are near 1, and each variance alone
gives false alarms. Of both, the one with the smaller statistic counts.
"""

from itertools import combinations_with_replacement
from statistics import NormalDist

import numpy as np

from kan_ref.checks import FloatArray

FALSE_ALARM = 1e-4  # of all columns together
MOST_DEGREE = 9
MOST_COLUMNS = 100
SAMPLES_PER_COLUMN = 8  # at least
LEAST_SPREAD = 1e-9  # of a variance, in units of mean^2: one residual alone has none
ROUNDING = 1e-9  # of the largest column: a smaller one depends on those before it


def product_columns(z: FloatArray) -> FloatArray:
    """Return orthonormal columns (n, K) of products of polynomials of inputs z (n, n_in).

    The total degree is the largest for which there are few enough columns for the samples.
    """
    n, n_in = z.shape
    low, high = z.min(axis=0), z.max(axis=0)
    t = (2.0 * z - low - high) / np.where(high > low, high - low, 1.0)
    powers = [np.polynomial.chebyshev.chebvander(t[:, i], MOST_DEGREE) for i in range(n_in)]
    columns = [np.ones(n)]
    for degree in range(1, MOST_DEGREE + 1):
        chosen = list(combinations_with_replacement(range(n_in), degree))
        if len(columns) + len(chosen) > min(MOST_COLUMNS, n // SAMPLES_PER_COLUMN):
            break
        for one in chosen:
            counts = np.bincount(one, minlength=n_in)
            columns.append(np.prod([powers[i][:, counts[i]] for i in range(n_in)], axis=0))
    q, r = np.linalg.qr(np.stack(columns, axis=1))
    sizes = np.abs(np.diag(r))
    return np.asarray(q[:, sizes > ROUNDING * sizes.max()])


def largest_coefficient(
    columns: FloatArray,
    residual: FloatArray,
    variance: FloatArray | None = None,
    false_alarm: float = FALSE_ALARM,
) -> tuple[float, float]:
    """Return the largest |t| of (D29), and the bound that noise seldom exceeds.

    `variance` (n,) of the residuals, where it is known.
    """
    r, weights = _scaled(residual, variance)
    # [eq:residual-coefficient]
    sums = columns.T @ r
    variances = np.stack([weight @ columns**2 for weight in weights]).max(axis=0)
    t = np.abs(sums) / np.sqrt(np.maximum(variances, 1e-300))
    # [/eq:residual-coefficient]
    clear = NormalDist().inv_cdf(1.0 - false_alarm / (2.0 * columns.shape[1]))
    return float(t.max()), clear


def joint_statistic(
    columns: FloatArray, residual: FloatArray, variance: FloatArray | None = None
) -> float:
    """Return z of (D18) for the sum of squares (D30) of all columns."""
    r, weights = _scaled(residual, variance)
    found = []
    for weight in weights:
        # [eq:residual-coefficients]
        moments = columns.T @ (weight[:, None] * columns)
        mean = float(np.trace(moments))
        alone = float(np.sum((weight * np.sum(columns**2, axis=1)) ** 2))
        spread = 2.0 * (float(np.sum(moments**2)) - alone)
        p = 2.0 * mean**2 / max(spread, LEAST_SPREAD * mean**2, 1e-300)
        ratio = float(np.sum((columns.T @ r) ** 2)) / max(mean, 1e-300)
        # [/eq:residual-coefficients]
        found.append(normal_of_ratio(ratio, p) if p > 0.0 else 0.0)
    return min(found)


def _scaled(
    residual: FloatArray, variance: FloatArray | None
) -> tuple[FloatArray, list[FloatArray]]:
    """Return the residual in units of its largest value, and its variances: r^2, the known one."""
    size = max(float(np.abs(residual).max()), 1e-300)
    r = residual / size
    return r, [r**2] if variance is None else [r**2, variance / size**2]


def normal_of_ratio(ratio: float, p: float) -> float:
    """Return z of (D18) for a number that is chi^2 / p with p degrees of freedom for noise."""
    # [eq:residual-structure]
    z = (ratio ** (1.0 / 3.0) - (1.0 - 2.0 / (9.0 * p))) / np.sqrt(2.0 / (9.0 * p))
    # [/eq:residual-structure]
    return float(z)
