"""Say how far a formula explains the data: exact, within noise, or not explained.

    exact            the largest residual is below 1e-11 of the spread of y: rounding errors. A
                     wrong formula was never seen below 1e-7, a right one never above 1e-13.
    within noise     nothing that was tried predicts the residual on held-out samples
    not explained    the residual has structure: a model of it predicts held-out residuals

For the last two, small networks and polynomials are trained on the residual r of four fifths of the
samples and judged on the rest, each fifth in turn. Let q be the predictions for r. Over all samples

    (D16)  gain = mean(r^2 - (r - q)^2),   its standard error = std(r^2 - (r - q)^2) / sqrt(N)

A gain of more than three standard errors means structure. Errors far below the noise cannot be
seen: a formula "within noise" may be wrong by about 3 sigma / sqrt(N).
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.network import domain_of_samples, init_network, network_values
from kan_ref.training import fit

EXACT = 1e-11  # of the spread of y
ERRORS = 3.0  # standard errors of a gain
N_FOLDS = 5
STEPS = 8
SMOOTHNESS = 1e-3


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


def judge(x: FloatArray, y: FloatArray, predicted: FloatArray, rng: np.random.Generator) -> Verdict:
    """Return the verdict on predictions (n,) for targets y (n,) at x (n, n_in)."""
    residual = y - predicted
    undefined = ~np.isfinite(residual)
    if undefined.any():
        return Verdict(
            "not explained",
            f"the formula is undefined at {int(undefined.sum())} of {len(y)} samples",
        )
    spread = float(np.std(y))
    largest = float(np.abs(residual).max())
    if largest <= max(EXACT * spread, 8.0 * np.finfo(float).eps * float(np.abs(y).max())):
        return Verdict(
            "exact",
            f"the largest error on {len(y)} samples is {largest:.1e}, "
            f"and y has a standard deviation of {spread:.2g}",
        )
    size = float(np.std(residual))
    best, standard_error, model = _largest_gain(x, residual, rng)
    share = best / float(np.mean(residual**2))
    if best > ERRORS * standard_error:
        return Verdict(
            "not explained",
            f"the residual, of size {size:.1e} ({size / spread:.1%} of y), has structure: {model} "
            f"explains {share:.0%} of its square on held-out samples, "
            f"{best / standard_error:.1f} standard errors",
        )
    return Verdict(
        "within noise",
        f"the residual, of size {size:.1e} ({size / spread:.1%} of y), shows no structure on "
        f"{len(y)} samples; errors below {ERRORS * size / np.sqrt(len(y)):.1e} cannot be seen",
    )


def _largest_gain(
    x: FloatArray, residual: FloatArray, rng: np.random.Generator
) -> tuple[float, float, str]:
    """Return the gain (D16) in the most standard errors, its standard error, and the model."""
    found = []
    folds = rng.permutation(len(residual)) % N_FOLDS
    for name, predict in _MODELS.items():
        q = np.zeros(len(residual))
        for fold in range(N_FOLDS):
            held = folds == fold
            if held.any() and (~held).sum() >= 10:
                q[held] = predict(x[~held], residual[~held], x[held], rng)
        # [eq:residual-gain]
        gains = residual**2 - (residual - q) ** 2
        gain, error = float(np.mean(gains)), float(np.std(gains)) / np.sqrt(len(gains))
        # [/eq:residual-gain]
        found.append((gain / max(error, 1e-300), gain, max(error, 1e-300), name))
    _, gain, error, name = max(found)
    return gain, error, name


def _scaled(x: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean, std = x.mean(axis=0), x.std(axis=0)
    std = np.where(std > 0.0, std, 1.0)
    return (x - mean) / std, (at - mean) / std


def _by_network(
    x: FloatArray, r: FloatArray, at: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Predict residuals by a small smooth network."""
    z, z_at = _scaled(x, at)
    size = max(float(np.std(r)), 1e-300)
    target = (r / size)[:, None]
    data = Data(z, target, z, target)
    widths = (x.shape[1], 2, 1) if x.shape[1] > 1 else (1, 1)
    network = init_network(
        widths,
        n_intervals=5,
        degree=3,
        domain=domain_of_samples(np.vstack([z, z_at])),
        x=z,
        rng=rng,
    )
    run = fit(network, data, optimizer="lm", n_steps=STEPS, smoothness_weight=SMOOTHNESS)
    return np.asarray(size * network_values(run.network, z_at)[:, 0])


def _by_quadratic(
    x: FloatArray, r: FloatArray, at: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Predict residuals by a polynomial of degree two in all inputs."""
    z, z_at = _scaled(x, at)

    def columns(points: FloatArray) -> FloatArray:
        n = points.shape[1]
        pairs = [points[:, i] * points[:, j] for i in range(n) for j in range(i, n)]
        return np.column_stack([np.ones(len(points)), points, *pairs])

    design = columns(z)
    if design.shape[1] * 4 > len(r):
        return np.zeros(len(at))
    coef = np.linalg.lstsq(design, r, rcond=None)[0]
    return np.asarray(columns(z_at) @ coef)


def _by_cubes(x: FloatArray, r: FloatArray, at: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Predict residuals by a sum of polynomials of degree six, one of each input."""
    z, z_at = _scaled(x, at)
    half = np.maximum(np.abs(z).max(axis=0), np.abs(z_at).max(axis=0))

    def columns(points: FloatArray) -> FloatArray:
        return np.hstack(
            [
                np.polynomial.chebyshev.chebvander(points[:, i] / half[i], 6)[:, 1:]
                for i in range(points.shape[1])
            ]
            + [np.ones((len(points), 1))]
        )

    design = columns(z)
    if design.shape[1] * 4 > len(r):
        return np.zeros(len(at))
    coef = np.linalg.lstsq(design, r, rcond=None)[0]
    return np.asarray(columns(z_at) @ coef)


_MODELS = {
    "a network": _by_network,
    "a quadratic function": _by_quadratic,
    "a sum of functions of the inputs": _by_cubes,
}
