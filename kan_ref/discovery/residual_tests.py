"""Test whether a residual depends on the inputs: by neighbours, and by products of polynomials.

Neighbours. A formula that is wrong by a continuous function has residuals of one sign wherever
samples are closer than that function varies. Independent noise has none of this. Join each sample
to its k nearest neighbours in standardised inputs, and let w_ij = 1 for all pairs i < j that are
joined, else 0. For independent residuals r of mean 0, whatever their distribution and however their
variance depends on the inputs, the sum over pairs has mean 0, and the square below the root is an
unbiased estimate of its variance,

    (D26)  z = sum_(i<j) w_ij r_i r_j / sqrt(sum_(i<j) w_ij r_i^2 r_j^2)

A few large residuals may dominate (D26). The signs s_i = 1 or -1 do not have this weakness. With
m = mean(s), the expectation over all orders of the signs is the null hypothesis:

    (D27)  z = (sum_(i<j) w_ij u_i u_j - mu) / sqrt(v),   u = s - m

where mu and v are the mean and variance of that sum over all N! orders, in closed form. Several
inputs have far neighbours, and an error that varies fast with one input alone is hidden. Hence each
sample is joined to the two before and after it along each input, too, and both sums are formed for
these pairs. All z are nearly normal for noise, and all have the false-alarm rate together.
Their upper tails are somewhat heavier than the normal one. In 13500 draws each of normal noise, of
t noise with 3 degrees of freedom and of exponential noise, with 2 and 5 inputs and 100 to 1000
samples, at most 4 of 10000 were called correlated. The most measured was 8 of 10000, for 50 and 100
samples of exponential noise whose size varies by a factor of 160 over the box.

Products of polynomials. Let the columns c_k, k = 1, ..., K, be products T_{m_1}(x_1) ...
T_{m_n}(x_n) of Chebyshev polynomials up to some total degree, orthonormal in the order of their
degrees. The error of a wrong formula may lie in one of them, such as x^6. Many columns that are
tested together hide it, since each of them adds to the noise. Hence each is tested alone, too:

    (D29)  t_k = sum_b c_k(x_b) r_b / sqrt(sum_b c_k(x_b)^2 r_b^2)

For independent residuals that are symmetric about 0, whatever their distribution and however their
size depends on the inputs, t_k exceeds t with a probability of at most exp(-t^2 / 2), and it is
nearly normal. The largest |t_k| is compared with the normal quantile of the false-alarm rate over
2 K. An error that depends on three inputs may be spread over many of the columns. Their sum of
squares E, and its mean and variance over all signs of the residuals, are

    (D30)  E = sum_k (sum_b c_k(x_b) r_b)^2
           mean = trace(M)
           variance = 2 (sum_kl M_kl^2 - sum_b (sum_k c_k(x_b)^2 r_b^2)^2)

with M_kl = sum_b c_k(x_b) c_l(x_b) r_b^2. E / mean is nearly chi^2 / p with
p = 2 mean^2 / variance degrees of freedom (Satterthwaite 1946), and z follows by (D18). Unlike F of
(D18), a large residual at a sample of large columns does not raise it.

Classes. Right probabilities p make the residuals y - p of each class independent, with mean 0 and
the known variance p (1 - p) in the place of r^2, whatever the formula of the logits is. Where right
probabilities are near 0 or 1 most residuals are tiny and a few are near 1, and each variance alone
gives false alarms. Of both, the one with the smaller statistic counts. These tests of all training
samples show a dropped input or a wrong form of the logits where held-out losses in pairs do not: of
400 labels only 80 are held out.
"""

from collections.abc import Callable
from itertools import combinations_with_replacement
from statistics import NormalDist

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.data import Data
from kan_ref.discovery.spare_samples import FEWEST
from kan_ref.network import Network
from kan_ref.training import LOSSES, predict_proba

N_NEIGHBOURS = 3
N_SIDES = 2  # along one input: at even distances a third neighbour hides signs that alternate
FALSE_ALARM = 1e-4  # of all tests of neighbours together, and of all columns together
CLEAR = NormalDist().inv_cdf(1.0 - FALSE_ALARM / 4.0)  # of z: two tests with two sides
MOST_SAMPLES = 2000  # whose neighbours are sought, evenly spaced among all
CHUNK = 2**22  # distances at a time
MOST_DEGREE = 9
MOST_COLUMNS = 100
SAMPLES_PER_COLUMN = 8  # at least
LEAST_SPREAD = 1e-9  # of a variance, in units of mean^2: one residual alone has none
ROUNDING = 1e-9  # of the largest column: a smaller one depends on those before it
STRUCTURE = 4.0  # of z, (D30)
SUSPECTED = 1e-2  # false-alarm rate while an architecture is sought: an edge too many does no harm
SUSPECTED_Z = 2.5  # of z, (D30), with about that rate


def neighbour_pairs(z: FloatArray, k: int = 0) -> IntArray:
    """Return the pairs (n_pairs, 2) of each sample and its k nearest ones, each pair once.

    z (n, n_in) are standardised inputs; without k it is 3, for one input 2. Costs n^2 n_in
    operations, for more than 2000 samples 2000 n n_in.
    """
    n = len(z)
    k = k or (N_NEIGHBOURS if z.shape[1] > 1 else N_SIDES)
    rows = np.unique(np.linspace(0, n - 1, min(n, MOST_SAMPLES)).astype(np.intp))
    squares = np.sum(z**2, axis=1)
    found = []
    for part in np.array_split(rows, max(1, len(rows) * n // CHUNK)):
        distances = squares - 2.0 * (z[part] @ z.T)  # and a constant for each row
        distances[np.arange(len(part)), part] = np.inf
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        found.append(np.stack([np.repeat(part, k), nearest.ravel()], axis=1))
    return np.unique(np.sort(np.vstack(found), axis=1), axis=0)


def product_statistic(pairs: IntArray, residual: FloatArray) -> float:
    """Return z of (D26)."""
    r = residual / max(float(np.abs(residual).max()), 1e-300)
    # [eq:neighbour-products]
    products = r[pairs[:, 0]] * r[pairs[:, 1]]
    z = products.sum() / max(np.sqrt(np.sum(products**2)), 1e-300)
    # [/eq:neighbour-products]
    return float(z)


def sign_statistic(pairs: IntArray, residual: FloatArray) -> float:
    """Return z of (D27); 0 if all residuals have one sign."""
    n, n_pairs = len(residual), len(pairs)
    s = np.where(residual > 0.0, 1.0, -1.0)
    # [eq:neighbour-signs]
    u = s - s.mean()
    second, fourth = float(np.sum(u**2)), float(np.sum(u**4))
    # pairs of pairs: the same one, with one sample in common, with none
    degrees = np.bincount(pairs.ravel(), minlength=n).astype(np.float64)
    touching = float(np.sum(degrees * (degrees - 1.0)))
    apart = n_pairs**2 - n_pairs - touching
    # means over all orders of u_a u_b, u_a^2 u_b^2, u_a^2 u_b u_c and u_a u_b u_c u_d
    mean = -second / (n * (n - 1.0))
    same = (second**2 - fourth) / (n * (n - 1.0))
    one_shared = (2.0 * fourth - second**2) / (n * (n - 1.0) * (n - 2.0))
    none_shared = (3.0 * second**2 - 6.0 * fourth) / (n * (n - 1.0) * (n - 2.0) * (n - 3.0))
    variance = n_pairs * same + touching * one_shared + apart * none_shared
    variance -= (n_pairs * mean) ** 2
    z = (u[pairs[:, 0]] @ u[pairs[:, 1]] - n_pairs * mean) / np.sqrt(max(variance, 1e-300))
    # [/eq:neighbour-signs]
    return float(z) if second > 0.0 else 0.0


def pairs_along(column: FloatArray) -> IntArray:
    """Return the pairs of each sample and the two after it in the order of one input (n,)."""
    order = np.argsort(column, kind="stable")
    return np.vstack([np.stack([order[:-k], order[k:]], axis=1) for k in range(1, N_SIDES + 1)])


def neighbour_statistic(z: FloatArray, residual: FloatArray) -> tuple[float, float, str]:
    """Return the largest z in size of (D26) and (D27), what noise seldom exceeds, and of what.

    z (n, n_in) and residuals (n,). A function that alternates between neighbouring samples gives a
    negative one.
    """
    kinds = {"neighbouring samples": neighbour_pairs(z)}
    if z.shape[1] > 1:
        for i, column in enumerate(z.T):
            kinds[f"samples that are neighbours along input {i}"] = pairs_along(column)
    clear = NormalDist().inv_cdf(1.0 - FALSE_ALARM / (4.0 * len(kinds)))
    found = [
        (statistic(pairs, residual), clear, kind)
        for kind, pairs in kinds.items()
        for statistic in (product_statistic, sign_statistic)
    ]
    return max(found, key=lambda one: abs(one[0]))


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


def class_residuals(data: Data, network: Network, loss: str) -> tuple[FloatArray, FloatArray]:
    """Return y - p and p (1 - p) at the training samples, (n, n_out) each."""
    targets = LOSSES[loss].read_targets("y_train", data.y_train, network.widths[-1])
    p = predict_proba(network, data.x_train, loss=loss)
    return targets - p, p * (1.0 - p)


def class_structure(data: Data, network: Network, loss: str) -> str:
    """Return what the residuals at the training samples depend on, in words with numbers.

    "" if nothing is seen, or with fewer samples than the tests need.
    """
    if len(data.x_train) < FEWEST:
        return ""
    z = standardised(data.x_train)
    residual, variance = class_residuals(data, network, loss)
    pairs, columns = neighbour_pairs(z), product_columns(z)
    statistic = max(product_statistic(pairs, column) for column in residual.T)
    if statistic > CLEAR:
        return (
            f"residuals y - p of neighbouring samples are correlated, z = {statistic:.1f}, "
            f"which right probabilities seldom raise above {CLEAR:.1f}"
        )
    outputs = list(zip(residual.T, variance.T, strict=True))
    t, clear = max(
        largest_coefficient(columns, *one, false_alarm=FALSE_ALARM / len(outputs))
        for one in outputs
    )
    if t > clear:
        return (
            "residuals y - p are correlated with one product of polynomials of the inputs, "
            f"t = {t:.1f}, which right probabilities seldom raise above {clear:.1f}"
        )
    statistic = max(joint_statistic(columns, *one) for one in outputs)
    if statistic > STRUCTURE:
        return (
            "products of polynomials of all inputs explain residuals y - p, "
            f"z = {statistic:.1f}, which right probabilities seldom raise above {STRUCTURE:g}"
        )
    return ""


def suspicion_of(data: Data, loss: str) -> Callable[[Network], bool]:
    """Return whether a network's residual at the training samples seems to depend on the inputs.

    With fewer samples than the tests need, it never seems to.
    """
    if len(data.x_train) < FEWEST:
        return lambda network: False
    columns = product_columns(standardised(data.x_train))

    def is_suspected(network: Network) -> bool:
        residual, variance = class_residuals(data, network, loss)
        for one in zip(residual.T, variance.T, strict=True):
            t, clear = largest_coefficient(columns, *one, false_alarm=SUSPECTED)
            if t > clear or joint_statistic(columns, *one) > SUSPECTED_Z:
                return True
        return False

    return is_suspected


def standardised(x: FloatArray) -> FloatArray:
    """Return columns in units of their standard deviation, with mean 0; a constant one is 0."""
    std = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(std > 0.0, std, 1.0))
