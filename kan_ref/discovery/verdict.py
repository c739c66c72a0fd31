"""Say how far a formula explains the data: exact, within noise, or not explained.

    exact            the largest residual is below 1e-11 of the standard deviation of y: rounding
                     errors. Above 1e-13 the residuals must be like noise, or within the rounding
                     errors of the formula (D35), since quotients of polynomials may come that near
                     to another curve. No formula is exact where rounding errors of y, of 8 eps
                     times its largest value, are above 1e-9 of its standard deviation.
    within noise     nothing that was tried explains the residual. A constant is within noise, too,
                     where y varies too fast for the samples to show it.
    not explained    the residual has structure

Whether a residual has structure is tested in four ways. With p columns, such as polynomials of the
inputs, least squares explain a part E of the sum of squares R of N residuals. For noise alone
F = E (N - p) / ((R - E) p) is nearly chi^2 / p with p degrees of freedom. By Wilson & Hilferty
(1931) its cube root is nearly normal,

    (D18)  z = (F^(1/3) - (1 - 2 / (9 p))) / sqrt(2 / (9 p))

and z > 4 shows that the residual has structure. Neighbouring samples have similar residuals where
the formula is wrong by a continuous function, also by one that varies too fast for such columns.
Products of polynomials of all inputs are tested alone, since many columns hide one term, and
together (both in `residual_tests`). A small network finds curves that no such columns follow
(`surrogate`): it is trained on four fifths of the samples and judged on the rest, each fifth in
turn. Let q be its predictions for the residuals r. Over all samples

    (D19)  gain = mean(r^2 - (r - q)^2),   its standard error = std(r^2 - (r - q)^2) / sqrt(N)

and a gain of more than three standard errors shows that the residual has structure.

The first two verdicts need more different points than fitted numbers, (D32), and a formula
"within noise" may have an error that cannot be seen, (D33): `spare_samples`. Each number must
matter at enough samples, (D34), and the formula has rounding errors, (D35): `sample_support`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.residual_tests import (
    joint_statistic,
    largest_coefficient,
    neighbour_statistic,
    normal_of_ratio,
    product_columns,
    standardised,
)
from kan_ref.discovery.spare_samples import (
    DEGREE,
    FEWEST,
    N_PER_COLUMN,
    at_points,
    fewest_noisy,
    missing_samples,
    unseen_error,
)
from kan_ref.discovery.surrogate import held_out_gain

EXACT = 1e-11  # of the standard deviation of y
ROUNDED = 1e-13  # of it: smaller residuals are rounding errors, whatever they depend on
MOST_EXACT = 1e-9  # of it: where rounding errors of y are larger, no formula is called exact
ERRORS = 3.0  # standard errors of a gain
STRUCTURE = 4.0  # of z, (D18)


@dataclass(frozen=True)
class Verdict:
    """How far a formula explains the data.

    `kind` is "exact", "within noise" or "not explained"; `why` gives the numbers. `str` begins with
    the kind.
    """

    kind: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"

    def ended(self, reason: str) -> "Verdict":
        """Return the verdict with the reason why the search ended early, which it has once."""
        return self if reason in self.why else Verdict(self.kind, f"{self.why} ({reason})")


def judge(
    x: FloatArray,
    y: FloatArray,
    predicted: FloatArray,
    rng: np.random.Generator,
    n_numbers: int = 0,
    rounding: Callable[[], FloatArray] | None = None,
    n_points: int | None = None,
) -> Verdict:
    """Return the verdict on predictions (n,) for targets y (n,) at x (n, n_in).

    `n_numbers`: how many numbers of the formula were fitted to these samples; `rounding`: returns
    its rounding errors (n,), (D35); `n_points`: at how many different values of the formula's
    inputs the samples are, n by default.
    """
    residual, n, fewest = y - predicted, len(y), fewest_noisy(x.shape[1])
    n_points = n if n_points is None else n_points
    samples = at_points(n, n_points)
    undefined = ~np.isfinite(residual)
    if undefined.any():
        why = f"the formula is undefined at {int(undefined.sum())} of {n} samples"
        return Verdict("not explained", why)
    largest = float(np.abs(residual).max())
    rounded: FloatArray | float = allowed_error(y, ROUNDED)
    if rounding is not None and rounded < largest <= allowed_error(y):
        rounded = np.maximum(rounded, rounding())
    is_rounded = bool((np.abs(residual) <= rounded).all())
    found = "" if is_rounded else _structure(x, residual, rng)
    coarse, rounding_of_y = "", 8.0 * resolution(y)
    if rounding_of_y > MOST_EXACT * _unit(y):
        coarse = (
            f"; y has rounding errors of {rounding_of_y:.1e}, more than {MOST_EXACT:g} of its "
            "standard deviation, so no formula is exact"
        )
    if largest <= allowed_error(y) and not found and not coarse:
        text = (
            f"the largest error on {samples} is {largest:.1e}, "
            f"and y has a standard deviation of {float(np.std(y)):.2g}"
        )
        missing = missing_samples(n, n_points, n_numbers, fewest, is_noisy=False)
        return Verdict("not explained", f"{missing}; {text}") if missing else Verdict("exact", text)
    size = float(np.std(residual))
    ratio = size / _unit(y)
    of_y = f"{ratio:.1%}" if ratio >= 1e-3 else f"{ratio:.0e}"
    share = f"the residual, of size {size:.1e} ({of_y} of y)"
    if found:
        return Verdict("not explained", f"{share}, has structure: {found}")
    missing = missing_samples(n, n_points, n_numbers, fewest, is_noisy=True)
    if missing:
        return Verdict("not explained", f"{share}, shows no structure; {missing}")
    taken = f", of which {n_numbers} determine fitted numbers" if n_numbers else ""
    unseen = max(unseen_error(size, n, n_numbers), resolution(y))
    if np.ptp(predicted) == 0.0:
        why = (
            f"the formula is a constant, and y looks like noise on {samples}{taken}: it does not "
            "depend on the inputs, or varies too fast for so many samples; a slow dependence with "
            f"a root mean square below {unseen:.1e} cannot be seen either{coarse}"
        )
        return Verdict("within noise", why)
    why = (
        f"{share}, shows no structure on {samples}{taken}; an error with a root mean square below "
        f"{unseen:.1e} cannot be seen{coarse}"
    )
    return Verdict("within noise", why)


def allowed_error(y: FloatArray, share: float = EXACT) -> float:
    """Return the largest residual of an exact formula: this share of y, or its rounding errors."""
    return min(max(share * _unit(y), 8.0 * resolution(y)), MOST_EXACT * _unit(y))


def resolution(y: FloatArray) -> float:
    """Return the distance of float64 numbers of the size of y, up to which its values are right."""
    return float(np.finfo(float).eps * np.abs(y).max())


def _unit(y: FloatArray) -> float:
    """Return the standard deviation, of a constant y its size."""
    if np.ptp(y) > 0.0:  # of equal numbers the computed deviation need not be 0
        return max(float(np.std(y)), 1e-300)
    return max(float(np.abs(y).max()), 1e-300)


def is_like_noise(
    x: FloatArray, y: FloatArray, predicted: FloatArray, rng: np.random.Generator, n_numbers: int
) -> bool:
    """Return whether y - predicted (n,) at x (n, n_in) has no structure that a test finds.

    With few samples few tests are made. With fewer than two for each fitted number it is False.
    """
    residual = y - predicted
    if 2 * n_numbers > len(y) or not np.isfinite(residual).all():
        return False
    return not _structure(x, residual, rng)


def _structure(x: FloatArray, residual: FloatArray, rng: np.random.Generator) -> str:
    """Return what explains the residual, in words with numbers; "" if nothing does."""
    z = standardised(x)
    pairs = ("polynomials of degree 7 to 9 of the input", "products of two inputs")[x.shape[1] > 1]
    for name, columns in (
        ("sums of polynomials of the inputs", _one_by_one(z)),
        (pairs, _pairs(z)),
        ("local means", _local(z)),
    ):
        if columns.shape[1] * N_PER_COLUMN <= len(residual):
            statistic, share = explained(columns, residual)
            if statistic > STRUCTURE:
                return f"{name} explain {share:.1%} of its square, z = {statistic:.3g}"
    if len(residual) >= FEWEST:
        statistic, clear, kind = neighbour_statistic(z, residual)
        if abs(statistic) > clear:
            return (
                f"residuals of {kind} are correlated, "
                f"z = {statistic:.3g}, whose size noise seldom raises above {clear:.1f}"
            )
        columns = product_columns(z)
        t, clear = largest_coefficient(columns, residual)
        if t > clear:
            return (
                "one product of polynomials of the inputs is correlated with it, "
                f"t = {t:.3g}, which noise seldom raises above {clear:.1f}"
            )
        statistic = joint_statistic(columns, residual)
        if statistic > STRUCTURE:
            return f"products of polynomials of all inputs explain it, z = {statistic:.3g}"
    gain, error = held_out_gain(x, residual, rng)
    if gain > ERRORS * error:
        share = gain / float(np.mean(residual**2))
        return (
            f"a network explains {share:.1%} of its square on held-out samples, "
            f"{gain / error:.1f} standard errors"
        )
    return ""


def explained(columns: FloatArray, residual: FloatArray) -> tuple[float, float]:
    """Return z of (D18) for columns (n, p) and a residual (n,), and the share E / R."""
    basis, singular, _ = np.linalg.svd(columns, full_matrices=False)
    basis = basis[:, singular > 1e-9 * singular[0]]
    p, n = basis.shape[1], len(residual)
    part = float(np.sum((basis.T @ residual) ** 2))
    rest = max(float(residual @ residual) - part, 1e-300)
    ratio = part * (n - p) / (rest * p)
    return normal_of_ratio(ratio, p), part / (part + rest)


def _one_by_one(z: FloatArray) -> FloatArray:
    """Return Chebyshev polynomials of degree 1 to `DEGREE` of each input, and 1."""
    t = z / np.maximum(np.abs(z).max(axis=0), 1e-300)
    columns = [
        np.polynomial.chebyshev.chebvander(t[:, i], DEGREE)[:, 1:] for i in range(t.shape[1])
    ]
    return np.hstack([*columns, np.ones((len(z), 1))])


def _pairs(z: FloatArray) -> FloatArray:
    """Return products of polynomials of degree 1 to 3 of two inputs, of one input degree 7 to 9."""
    t = z / np.maximum(np.abs(z).max(axis=0), 1e-300)
    powers = [np.polynomial.chebyshev.chebvander(t[:, i], 9)[:, 1:] for i in range(t.shape[1])]
    if len(powers) == 1:
        return np.asarray(powers[0][:, 6:])
    n = 3 if len(powers) < 4 else 2
    return np.hstack(
        [
            powers[i][:, a : a + 1] * powers[j][:, :n]
            for i in range(len(powers))
            for j in range(i)
            for a in range(n)
        ]
    )


def _local(z: FloatArray) -> FloatArray:
    """Return indicators of cells of equal count in the first two principal inputs."""
    n = len(z)
    k = max(2, min(6, int((n / 40) ** 0.5)))
    order = [np.argsort(np.argsort(z[:, i])) * k // n for i in range(min(2, z.shape[1]))]
    cell = order[0] if len(order) == 1 else order[0] * k + order[1]
    return np.asarray((cell[:, None] == np.unique(cell)[None, :]).astype(np.float64))
