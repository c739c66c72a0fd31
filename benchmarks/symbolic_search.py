"""`python -m benchmarks.symbolic_search [NAME...]`: how often the function f of a curve c f(a x + b) + d is found, how exactly and how fast.

Every row draws curves over seeds, all names of the library in turn, and ranks the whole library on 1000 samples of each. The
rule by which a curve is drawn, `draw_curve`, is independent of the search: ends of the inner line where the function has its
features, any range of x, any size and sign, redrawn until the curve differs from its best line by a tenth of its standard
deviation. A name is right if its family is (sin = cos, tanh = sigmoid, arcsin = arccos, beside its pole 1/|x| = 1/x). Missed ones are listed with the misfit of
the winner and of the true name: if both equal the noise, samples cannot distinguish them. `--first-seed` moves to fresh ones.

"error" is the worst of the true name's fit, in units of the standard deviation, beyond 1e-12 and the rounding of y; "exact" counts the others.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from benchmarks import bars
from kan_ref.bspline.curve_fit import fit_curve
from kan_ref.checks import FloatArray
from kan_ref.functions.library import LIBRARY, lookup, same_family
from kan_ref.functions.record import Function
from kan_ref.program import run_program
from kan_ref.symbolic.affine_fit import AffineFit
from kan_ref.symbolic.ranking import rank_functions

N_SAMPLES = 1000
LEAST_BEND = 0.1


@dataclass(frozen=True)
class Curve:
    """A random curve: name, samples x, y (n,), and the curve without noise or spline, `clean` (n,)."""

    name: str
    x: FloatArray
    y: FloatArray
    clean: FloatArray


@dataclass(frozen=True)
class Outcome:
    """The result of the search on a curve: true name, best fit, fit of the true name, and errors in
    units of the standard deviation of y.

    `error` is the root mean square distance of the true name's fit from the curve without noise, `rounding` one unit in the last
    place of the largest y.
    """

    name: str
    best: AffineFit
    own: AffineFit
    spread: float
    error: float
    rounding: float
    seconds: float

    @property
    def right(self) -> bool:
        """Return whether the best fit is of the true name's family."""
        is_reciprocal = {self.name, self.best.name} == {"1/x", "1/|x|"}  # equal beside the pole
        return is_reciprocal or same_family(self.name, self.best.name)


def draw_ends(function: Function, rng: np.random.Generator) -> tuple[float, float]:
    """Return random values of the inner line at the ends of the data, where the function has its
    features, in no order.
    """
    low, high = function.domain
    if function.name in ("sin", "cos"):
        middle, half = rng.uniform(-np.pi, np.pi), rng.uniform(1.0, 20.0)
        return middle - half, middle + half
    if function.name == "tan":
        p, q = rng.uniform(-1.5, 1.5, 2)
    elif function.singular:
        p, q = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-1.0, 1.0, 2)
    elif np.isfinite(low) and np.isfinite(high):
        p, q = rng.uniform(low, high, 2)
    elif np.isfinite(low):
        p, q = low + 10.0 ** rng.uniform(-1.5, 1.5, 2)
    else:
        p, q = rng.uniform(-4.0, 4.0, 2)
    return float(p), float(q)


def bend(x: FloatArray, y: FloatArray) -> float:
    """Return the root mean square distance of y from its best line, relative to its standard
    deviation; 0 for a constant.
    """
    spread = float(np.std(y))
    return (
        0.0
        if spread <= 1e-12 * np.abs(y).max()
        else float(np.std(y - np.polyval(np.polyfit(x - x.mean(), y, 1), x - x.mean()))) / spread
    )


def draw_curve(name: str, rng: np.random.Generator, n: int = N_SAMPLES) -> Curve:
    """Draw samples of c f(a x + b) + d: x uniform over a width of 10^U(-0.5, 0.8) about U(-3, 3),
    |c| = 10^U(-1, 1), d = N(0, 1) |c|.
    """
    function = lookup(name)
    while True:
        middle, width = rng.uniform(-3.0, 3.0), 10.0 ** rng.uniform(-0.5, 0.8)
        x = rng.uniform(middle - 0.5 * width, middle + 0.5 * width, n)
        p, q = draw_ends(function, rng)
        c = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-1.0, 1.0)
        a = (q - p) / width
        y = c * function.f(a * (x - middle) + 0.5 * (p + q)) + rng.normal() * abs(c)
        if np.isfinite(y).all() and (name in ("0", "x") or bend(x, y) >= LEAST_BEND):
            return Curve(name, x, y, y)


def clean(name: str, rng: np.random.Generator) -> Curve:
    """Return the curve as drawn."""
    return draw_curve(name, rng)


def noisy(name: str, rng: np.random.Generator) -> Curve:
    """Return the curve with normal noise of a hundredth of its standard deviation."""
    curve = draw_curve(name, rng)
    noise = 1e-2 * (np.std(curve.clean) or 1.0) * rng.standard_normal(N_SAMPLES)
    return Curve(name, curve.x, curve.y + noise, curve.clean)


def tiny(name: str, rng: np.random.Generator) -> Curve:
    """Return the curve with amplitude 1e-5, about 0."""
    curve = draw_curve(name, rng)
    y = 1e-5 * (curve.y - np.mean(curve.y)) / (np.std(curve.y) or 1.0)
    return Curve(name, curve.x, y, y)


def remote(name: str, rng: np.random.Generator) -> Curve:
    """Return a curve over [99, 101]."""
    curve = draw_curve(name, rng)
    low, high = curve.x.min(), curve.x.max()
    return Curve(name, 99.0 + 2.0 * (curve.x - low) / (high - low), curve.y, curve.clean)


def splined(name: str, rng: np.random.Generator) -> Curve:
    """Return a cubic spline of 10 to 50 intervals fitted to the curve, plus a spline of random
    coefficients 1e-6 to 1e-4 as large.
    """
    curve = draw_curve(name, rng)
    if name == "0":
        return curve
    low, high = float(curve.x.min()), float(curve.x.max())
    knots = kr.uniform_knots(low, high, int(rng.choice([10, 20, 50])), 3)[0]
    basis = kr.bspline.basis(curve.x[:, None], knots[None], 3)[:, 0]
    coef = fit_curve(curve.x, curve.y[:, None], knots=knots, degree=3).coef[0]
    coef = coef + 10.0 ** rng.uniform(-6.0, -4.0) * np.std(curve.y) * rng.standard_normal(len(coef))
    return Curve(name, curve.x, basis @ coef, curve.clean)


def fast(name: str, rng: np.random.Generator) -> Curve:
    """Return a sine of 15 to 150 radians over half the range."""
    omega, phase = rng.uniform(15.0, 150.0), rng.uniform(-np.pi, np.pi)
    x = rng.uniform(-1.0, 1.0, N_SAMPLES)
    return Curve("sin", x, np.sin(omega * x + phase), np.sin(omega * x + phase))


Draw = Callable[[str, np.random.Generator], Curve]
# how a curve is drawn, the least share of right names, whether errors must be exact, the most median CPU seconds
CASES: dict[str, tuple[Draw, float, bool, float]] = {
    "clean": (clean, 0.98, True, 0.3),
    "noisy": (noisy, 0.95, False, np.inf),
    "tiny": (tiny, 0.98, True, np.inf),
    "remote": (remote, 0.98, False, np.inf),
    "fast": (fast, 0.98, True, np.inf),
    "splined": (splined, 0.0, False, np.inf),  # a spline is not a formula
}


def judge(curve: Curve) -> Outcome:
    """Rank the whole library on one curve."""
    began = time.process_time()
    fits = rank_functions(curve.x, curve.y)
    seconds = time.process_time() - began
    own = next(fit for fit in fits if fit.name == curve.name)
    spread = 1.0 if curve.name == "0" else float(np.std(curve.clean))
    error = float(np.sqrt(np.mean((own(curve.x) - curve.clean) ** 2))) / spread
    rounding = float(np.finfo(np.float64).eps * np.abs(curve.clean).max()) / spread
    return Outcome(curve.name, fits[0], own, spread, error, rounding, seconds)


def run_seed(case: str, seed: int) -> list[Outcome]:
    """Return the results on one curve for every name of the library."""
    rng = np.random.default_rng(seed)
    return [judge(CASES[case][0](name, rng)) for name in LIBRARY]


def limit(name: str, found: list[list[Outcome]]) -> bars.Verdict:
    """Return shares, errors and CPU seconds, and the curves with another name."""
    outcomes = [outcome for of_seed in found for outcome in of_seed]
    wrong = [outcome for outcome in outcomes if not outcome.right]
    errors = np.array([outcome.error for outcome in outcomes])
    exact = sum(outcome.error <= 1e-12 + outcome.rounding for outcome in outcomes)
    seconds, n = float(np.median([outcome.seconds for outcome in outcomes])), len(outcomes)
    _, share, needs_exact, most = CASES[name]
    cells = [f"{n - len(wrong)} of {n}", f"{np.median(errors):.1e}", f"{errors.max():.1e}"]
    notes = [
        f"{outcome.name} was called {outcome.best.name}: misfit {outcome.best.rms / outcome.spread:.3g}, "
        f"its own {outcome.own.rms / outcome.spread:.3g}"
        for outcome in wrong
    ]
    parts = (
        bars.above(len(wrong) / n, 1.0 - share, "wrong names"),
        bars.above(n - exact, 0, "errors above 1e-12:") if needs_exact else "",
        bars.above(seconds, most, "CPU s"),
    )
    return bars.Verdict([*cells, f"{exact} of {n}", f"{seconds:.2f}"], bars.missed(*parts), notes)


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    line = bars.command("symbolic_search", __doc__, seeds=6)
    line.add_argument("--first-seed", type=int, default=1000, metavar="SEED")
    options = bars.read(line, words, CASES)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    columns = ["", "right", "median error", "worst", "exact", "CPU s"]
    return bars.bar(options.names, columns, run_seed, limit, seeds=seeds, jobs=options.jobs)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
