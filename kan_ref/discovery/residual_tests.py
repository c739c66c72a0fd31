"""Does a residual depend on the inputs? Two tests, by neighbours and by products of polynomials.

Neighbours. A formula that is wrong by a continuous function has residuals of one sign wherever
samples are closer than that function varies. Join each sample to its k nearest ones in standardised
inputs, and to the two after it along each input; w_ij = 1 for joined pairs i < j, else 0. For
independent residuals r of mean 0, whatever their distribution and however their size depends on the
inputs, the sum of products has mean 0, and the square below the root estimates its variance:

    (D26)  z = sum_(i<j) w_ij r_i r_j / sqrt(sum_(i<j) w_ij r_i^2 r_j^2)

A few large residuals may dominate it. Signs s_i = 1 or -1 do not have this weakness; mu and v are
the mean and variance of their sum over all N! orders:

    (D27)  z = (sum_(i<j) w_ij u_i u_j - mu) / sqrt(v),   u = s - mean(s)

Products. Let c_1, ..., c_K be products T_{m_1}(x_1) ... T_{m_n}(x_n) of Chebyshev polynomials,
orthonormal in the order of their degrees. An error in one of them is hidden by the noise of all, so
each is tested alone; one that is spread over many is seen by all together:

    (D29)  t_k = sum_b c_k(x_b) r_b / sqrt(sum_b c_k(x_b)^2 r_b^2)
    (D30)  E = sum_k (sum_b c_k(x_b) r_b)^2,   mean = trace(M),
           variance = 2 (sum_kl M_kl^2 - sum_b (sum_k c_k(x_b)^2 r_b^2)^2)

with M_kl = sum_b c_k(x_b) c_l(x_b) r_b^2, over all signs of the residuals. E / mean is nearly
chi^2 / p with p = 2 mean^2 / variance degrees of freedom (Satterthwaite 1946), whose cube root is
nearly normal (Wilson & Hilferty 1931):

    (D18)  z = ((E / mean)^(1/3) - (1 - 2 / (9 p))) / sqrt(2 / (9 p))

Each of the two tests is made so that noise fails it about once in 10,000 times. Of 80,000 draws of
normal, t (3 degrees of freedom) and exponential noise, also of a size that varies by a factor of
160, of 28 to 1000 samples of 1, 2 and 5 inputs, 30 failed one; in no setting more than 4 of 2000.

Residuals y - p of classes have mean 0 and the known variance p (1 - p). Where p is near 0 or 1,
r^2 and the known variance each give false alarms; of both, the smaller statistic counts. Their
signs depend on p, so (D27) is left out.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from statistics import NormalDist

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.data import Data
from kan_ref.network import Network
from kan_ref.training import LOSSES, predict_proba

FEWEST, FEWEST_OF_ONE = 50, 28  # samples of several inputs and of one: with fewer nothing is tested
FALSE_ALARM = 1e-4  # of each of the two tests
SUSPECTED = 1e-2  # while an architecture is sought: an edge too many does no harm
N_NEIGHBOURS, N_ALONG = 3, 2  # along one input a third neighbour hides signs that alternate
MOST_SAMPLES = 2000  # whose neighbours are sought
MOST_DEGREE, MOST_COLUMNS = 9, 100
SAMPLES_PER_COLUMN = 8  # at least
DEPENDENT = 1e-9  # of the largest column: a smaller one depends on those before it
LEAST_SPREAD = 1e-9  # of a variance, in units of mean^2: one residual alone has none
TINY = 1e-300  # in place of 0 in a denominator


def fewest_samples(n_in: int) -> int:
    """Return with how many samples a residual is tested."""
    return FEWEST if n_in > 1 else FEWEST_OF_ONE


def structure(
    x: FloatArray,
    residual: FloatArray,
    variance: FloatArray | None = None,
    false_alarm: float = FALSE_ALARM,
) -> str:
    """Return what residuals (n,) at x (n, n_in) depend on, in words with numbers; "" if nothing.

    `variance` (n,): of the residuals of classes.
    """
    size = float(np.abs(residual).max())
    if len(x) < fewest_samples(x.shape[1]) or size == 0.0:
        return ""
    r = residual / size
    variances = [r**2] if variance is None else [r**2, variance / size**2]
    for what, found, n_tests in _tests(standardised(x), r, variances):
        clear = NormalDist().inv_cdf(1.0 - false_alarm / n_tests)
        if abs(found) > clear:
            return f"{what}, z = {found:.3g} (noise: at most {clear:.1f})"
    return ""


def _tests(
    z: FloatArray, r: FloatArray, variances: Sequence[FloatArray]
) -> Iterator[tuple[str, float, int]]:
    """Yield what is tested, its z, and how many sides and tests share the false alarms."""
    statistics = (product_statistic, sign_statistic)[: 3 - len(variances)]
    kinds = {"neighbouring samples": neighbour_pairs(z)}
    if z.shape[1] > 1:
        along = "samples that are neighbours along input"
        kinds |= {f"{along} {i}": pairs_along(column) for i, column in enumerate(z.T)}
    for kind, pairs in kinds.items():
        found = max((one(pairs, r) for one in statistics), key=abs)
        yield f"residuals of {kind} are correlated", found, 2 * len(statistics) * len(kinds)
    columns = product_columns(z)
    t, total = column_statistic(columns, r, variances), joint_statistic(columns, r, variances)
    yield "one product of polynomials explains it", t, 2 * columns.shape[1]
    yield "products of polynomials explain it", max(0.0, total), 1


def class_structure(
    data: Data, network: Network, loss: str, false_alarm: float = FALSE_ALARM
) -> str:
    """Return what residuals y - p of classes at the training samples depend on; "" if nothing."""
    targets = LOSSES[loss].read_targets("y_train", data.y_train, network.widths[-1])
    p = predict_proba(network, data.x_train, loss=loss)
    found = (
        structure(data.x_train, y - q, q * (1.0 - q), false_alarm / p.shape[1])
        for y, q in zip(targets.T, p.T, strict=True)
    )
    return next(filter(None, found), "")


def standardised(x: FloatArray) -> FloatArray:
    """Return columns in units of their standard deviation, with mean 0; a constant one is 0."""
    std = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(std > 0.0, std, 1.0))


# --- neighbours


def neighbour_pairs(z: FloatArray) -> IntArray:
    """Return the pairs (n_pairs, 2) of samples z (n, n_in) and their nearest ones, each pair once.

    Costs n^2 n_in operations, for more than 2000 samples 2000 n n_in.
    """
    n, k = len(z), N_NEIGHBOURS if z.shape[1] > 1 else N_ALONG
    rows = np.linspace(0, n - 1, min(n, MOST_SAMPLES)).astype(int)
    squares = np.sum(z**2, axis=1)
    nearest = []
    for part in np.array_split(rows, 1 + len(rows) * n // 2**22):
        distances = squares - 2.0 * (z[part] @ z.T)  # squared, but for a constant of each row
        distances[np.arange(len(part)), part] = np.inf
        nearest.append(np.argpartition(distances, k - 1, axis=1)[:, :k])
    pairs = np.stack([np.repeat(rows, k), np.vstack(nearest).ravel()], axis=1)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def pairs_along(column: FloatArray) -> IntArray:
    """Return the pairs of each sample and the two after it in the order of one input (n,)."""
    order = np.argsort(column, kind="stable")
    return np.vstack([np.stack([order[:-k], order[k:]], axis=1) for k in range(1, N_ALONG + 1)])


def product_statistic(pairs: IntArray, r: FloatArray) -> float:
    """Return z of (D26)."""
    # [eq:neighbour-products]
    products = r[pairs[:, 0]] * r[pairs[:, 1]]
    z = products.sum() / np.sqrt(max(np.sum(products**2), TINY))
    # [/eq:neighbour-products]
    return float(z)


def sign_statistic(pairs: IntArray, r: FloatArray) -> float:
    """Return z of (D27); 0 if all residuals have one sign."""
    n, n_pairs = len(r), len(pairs)
    s = np.where(r > 0.0, 1.0, -1.0)
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
    v = n_pairs * same + touching * one_shared + apart * none_shared - (n_pairs * mean) ** 2
    z = (u[pairs[:, 0]] @ u[pairs[:, 1]] - n_pairs * mean) / np.sqrt(max(v, TINY))
    # [/eq:neighbour-signs]
    return float(z) if second > 0.0 else 0.0


# --- products of polynomials


def product_columns(
    z: FloatArray, weight: FloatArray | float = 1.0, most: int = MOST_COLUMNS
) -> FloatArray:
    """Return orthonormal columns (n, K) of weighted products of polynomials of inputs z (n, n_in).

    The total degree is the largest for which there are few enough columns for the samples.
    """
    n, n_in = z.shape
    low, high = z.min(axis=0), z.max(axis=0)
    t = (2.0 * z - low - high) / np.maximum(high - low, TINY)
    powers = np.polynomial.chebyshev.chebvander(t, MOST_DEGREE)  # (n, n_in, degree + 1)
    columns = [np.ones(n)]
    for degree in range(1, MOST_DEGREE + 1):
        chosen = list(combinations_with_replacement(range(n_in), degree))
        if len(columns) + len(chosen) > min(most, n // SAMPLES_PER_COLUMN):
            break
        for inputs in chosen:
            degrees = np.bincount(inputs, minlength=n_in)
            columns.append(np.prod(powers[:, np.arange(n_in), degrees], axis=1))
    q, r = np.linalg.qr(weight * np.stack(columns, axis=1))
    sizes = np.abs(np.diag(r))
    return np.asarray(q[:, sizes > DEPENDENT * sizes.max()])


def column_statistic(columns: FloatArray, r: FloatArray, variances: Sequence[FloatArray]) -> float:
    """Return the largest |t| of (D29) for residuals r (n,) with one or two variances (n,)."""
    # [eq:residual-coefficient]
    spreads = np.stack([columns.T**2 @ one for one in variances]).max(axis=0)
    t = np.abs(columns.T @ r) / np.sqrt(np.maximum(spreads, TINY))
    # [/eq:residual-coefficient]
    return float(t.max())


def joint_statistic(columns: FloatArray, r: FloatArray, variances: Sequence[FloatArray]) -> float:
    """Return z of (D18) for the sum of squares (D30) of all columns."""
    found = []
    for one in variances:
        # [eq:residual-coefficients]
        moments = columns.T @ (one[:, None] * columns)
        mean = float(np.trace(moments))
        alone = float(np.sum((one * np.sum(columns**2, axis=1)) ** 2))
        spread = 2.0 * (float(np.sum(moments**2)) - alone)
        p = 2.0 * mean**2 / max(spread, LEAST_SPREAD * mean**2, TINY)
        ratio = float(np.sum((columns.T @ r) ** 2)) / max(mean, TINY)
        # [/eq:residual-coefficients]
        # [eq:residual-structure]
        z = (ratio ** (1.0 / 3.0) - (1.0 - 2.0 / (9.0 * p))) / np.sqrt(2.0 / (9.0 * p))
        # [/eq:residual-structure]
        found.append(float(z))
    return min(found)
