"""How many samples test a formula, and how large an error they leave unseen.

Samples that determine the numbers of a formula do not test it. Samples at which all inputs of the
formula are the same determine one number together, and more of them test nothing else. Let N be the
number of samples and M that of the different points, the different rows of these inputs; M = N for
a constant, which every sample tests. Of M points, p fitted numbers leave M - p spare ones. A
formula whose residual shows nothing is called

    (D32)  exact           if M - p >= p / 2
           within noise    if M - p >= p and N >= n_0,   n_0 = 28 for one input, 50 for several

and otherwise not explained. A spare point that is met to 1e-11 gives log2(1e11) = 36 bits of
evidence. Around each number some operations are chosen to fit the samples, too: about three, of 5
bits each. Half a spare point for each number is more evidence than that.

With noise one has to see that the residual has no structure (`verdict`). With n_0 samples at least
one test of all inputs can be made: for one input that of sums of polynomials, for several those of
neighbours and products. With fewer samples a wrong formula and noise look alike. For classes the
latter are the only tests, and n_0 is 50 for one input, too.

With sigma^2 = (sum of the squared residuals) / (N - p), a formula within noise may be wrong by

    (D33)  sigma sqrt((8^2 + p) / N)

as a root mean square over the samples: by 8 standard errors along functions that were not tried,
and by one along each fitted number. A single product of polynomials is seen at about 4 standard
errors. 100 of them that share the error are seen by their joint test alone, and at z = 4 that takes
8. An error on a few hundredths of the samples may be larger: one of 16 was not seen.

Integers and fractions are chosen, so they do not count as fitted. Neither does a number that
training has brought to a multiple of 1/2 or of pi / 2, up to 1e-9 of it: no free number is so near.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray

FEWEST = 50  # samples: with fewer, the statistics of neighbours are far from normal
N_PER_COLUMN = 4  # samples, at least, for least squares of a residual
DEGREE = 6  # of the polynomials of each input in that test
UNSEEN = 8.0  # sigma / sqrt(N): a smaller error may go unnoticed
SIMPLE = 1e-9  # relative: a fitted number that is nearer to a simple one is that one
MOST_SIMPLE = 1e4  # multiples of 1/2 or of pi / 2: larger ones are near every number


def fitted_numbers(*expressions: Any) -> int:
    """Count the numbers of expressions that samples have determined, equal ones once."""
    import sympy

    return count_fitted(number for one in expressions for number in one.atoms(sympy.Float))


def count_fitted(numbers: Iterable[Any]) -> int:
    """Count the fitted ones of SymPy's numbers, those of the same size once."""
    return len({abs(float(number)) for number in numbers if is_fitted(number)})


def is_fitted(number: Any) -> bool:
    """Return whether a number is a decimal one, and none that is nearly simple."""
    value = abs(float(number))
    doubled = [2.0 * value, 2.0 * value / np.pi]
    is_simple = any(
        one < MOST_SIMPLE and round(one) > 0 and abs(one - round(one)) <= SIMPLE * one
        for one in doubled
    )
    return bool(number.is_Float) and not is_simple


def different_points(
    expression: Any, x: FloatArray, names: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return a sample of each different point, (D32), and the number of samples there, (M,) each.

    `names`: of the columns of x (n, n_in).
    """
    used = {symbol.name for symbol in expression.free_symbols}
    columns = x[:, [name in used for name in names]]
    if not columns.shape[1]:
        return np.arange(len(x)), np.ones(len(x), dtype=np.intp)
    _, samples, counts = np.unique(columns, axis=0, return_index=True, return_counts=True)
    return samples, counts


def at_points(n: int, n_points: int) -> str:
    """Return the number of samples in words, with that of different points if it is smaller."""
    return f"{n} samples" + (f" at {n_points} different points" if n_points < n else "")


def tests_exactness(n: int, n_numbers: int) -> bool:
    """Return whether n points can test an exact formula with so many fitted numbers, (D32)."""
    # [eq:spare-samples]
    return 2 * (n - n_numbers) >= n_numbers
    # [/eq:spare-samples]


def fewest_noisy(n_in: int) -> int:
    """Return n_0 of (D32)."""
    return min(FEWEST, N_PER_COLUMN * (DEGREE * n_in + 1))


def unseen_error(size: float, n: int, n_numbers: int) -> float:
    """Return (D33) for a residual with the root mean square `size` at n samples."""
    # [eq:unseen-error]
    sigma = size * np.sqrt(n / (n - n_numbers))
    return float(sigma * np.sqrt((UNSEEN**2 + n_numbers) / n))
    # [/eq:unseen-error]


def missing_samples(n: int, n_points: int, n_numbers: int, fewest: int, *, is_noisy: bool) -> str:
    """Return why n samples do not test a formula, "" if they do, (D32), with n_0 = `fewest`."""
    fitted = f"{n_numbers} fitted number{'' if n_numbers == 1 else 's'}"
    spare, samples = n_points - n_numbers, at_points(n, n_points)
    if n_numbers and spare <= 0:
        return f"{samples} determine {fitted}, so nothing tests the formula"
    if is_noisy and n < fewest:
        rule = f"at least {fewest} are needed to see that it has no structure"
        return f"there are {n} samples, but {rule}"
    if spare >= n_numbers if is_noisy else tests_exactness(n_points, n_numbers):
        return ""
    needed = n_numbers if is_noisy else -(-n_numbers // 2)
    return (
        f"{samples} determine {fitted}, so {spare} are left to test the formula, "
        f"but at least {needed} are needed"
    )
