"""The inner line of the curve nearest to samples, by variable projection: c and d are never searched.

Theorem (Golub & Pereyra 1973; Kaufman 1975). For given theta the best (c, d) of c f(u) + d is linear least squares. With g the values
f(u), centred, z the centred samples and P the projection off 1 and g,

    (V1)  c = g.z / g.g,    r = z - c g,    S = r.r
    (V2)  J_k = -c P (f'(u) du/dtheta_k)
    (V3)  step = -(J^T J + lam D)^-1 J^T r,    D = diag(J^T J)

J is Kaufman's approximation to the Jacobian of r. J^T r is exactly half the gradient of S, so stationary points are those of S, and
near a curve without misfit the steps converge quadratically (Golub & Pereyra 2003, section 2).

(V3) is solved by orthogonalising at most two columns, not by J^T J: far from its zero a power looks like a line, and digits
of the fit would be lost as the square of that resemblance. All starts of a search move at once.
"""

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import Function, singular_points
from kan_ref.symbolic.inner_lines import Chart, line_ends
from kan_ref.symbolic.search_starts import coarse_starts, holds_poles

N_COARSE = 128  # samples that choose among starts
N_TALL = 8  # of these, samples farthest from the median, which a pole may have lifted
ROUNDS = (
    (60, 6),
    (12, 10),
    (5, 20),
)  # (starts, steps): the best starts are refined on these samples, fewer and fewer of them
N_FINAL, FINAL_STEPS, N_FINE = 2, 100, 2000  # these on so many samples; the best one then on all
LITTLE, MOST_IDLE = 1e-3, 12
EPS = float(np.finfo(np.float64).eps)
State = tuple[FloatArray, ...]


def best_line(function: Function, t: FloatArray, z: FloatArray) -> tuple[float, float] | None:
    """Ends (u(-1), u(1)) of the inner line whose curve is nearest to samples.

    Parameters
    ----------
    function : Function
        Any but a constant or a line.
    t : (n,)
        Rising, from -1 to 1.
    z : (n,)
        Mean 0, root mean square 1.

    Returns
    -------
    ends : (float, float), or None
        None if f has a value on all samples for no start, or only with poles that the samples know nothing of.
    """
    some, fine = _some(t, z, N_COARSE), _some(t, z, N_FINE)
    t_some, z_some = t[some], z[some] - np.mean(z[some])
    t_fine, z_fine = t[fine], z[fine] - np.mean(z[fine])
    found: list[tuple[float, float, float]] = []
    for starts in coarse_starts(function, t, z, some):
        chart, theta = starts.chart, starts.theta
        order = _valleys(starts.row, misfits(function, chart, theta, t_some, z_some))
        for n_kept, n_steps in ROUNDS:
            theta, misfit = refine(
                function,
                chart,
                theta[order[:n_kept]],
                t_some,
                z_some,
                n_steps=n_steps,
                least_gain=1e-4,
            )
            order = np.argsort(misfit, kind="stable")
        theta, misfit = refine(
            function,
            chart,
            theta[order[:N_FINAL]],
            t_fine,
            z_fine,
            n_steps=FINAL_STEPS,
            least_gain=1e-10,
        )
        if len(fine) < len(t):
            theta, misfit = refine(
                function,
                chart,
                theta[[np.argmin(misfit)]],
                t,
                z,
                n_steps=FINAL_STEPS,
                least_gain=1e-10,
            )
        found += [
            (float(m), float(p), float(q))
            for m, (p, q) in zip(misfit, line_ends(chart, theta)[0], strict=True)
        ]
    for misfit_, p, q in sorted(found):
        if function.gauge.turn > 0.0 and abs(q - p) > function.gauge.turn * len(t):
            continue  # a turn and more from sample to sample
        poles = singular_points(function, min(p, q), max(p, q))
        if np.isfinite(misfit_) and (
            len(poles) == 0 or holds_poles(t, z, (2.0 * poles - p - q) / (q - p))
        ):
            return p, q
    return None


def _some(t: FloatArray, z: FloatArray, n_even: int) -> IntArray:
    """Places of samples spread evenly by rank, both ends among them, and of those farthest from the median."""
    even = np.linspace(0, len(t) - 1, min(n_even, len(t))).round().astype(np.intp)
    tall = np.argsort(-np.abs(z - np.median(z)), kind="stable")[:N_TALL]
    return np.unique(np.concatenate([even, tall]))


def _valleys(row: IntArray, misfit: FloatArray) -> IntArray:
    """Starts no worse than their neighbours in their own row, best first."""
    before, after = np.roll(misfit, 1), np.roll(misfit, -1)
    before[np.diff(row, prepend=-1) != 0] = np.inf
    after[np.diff(row, append=-1) != 0] = np.inf
    valleys = np.flatnonzero((misfit <= before) & (misfit <= after))
    return np.asarray(valleys[np.argsort(misfit[valleys], kind="stable")])


def misfits(
    function: Function, chart: Chart, theta: FloatArray, t: FloatArray, z: FloatArray
) -> FloatArray:
    """S (n,) of every theta (n, n_free); infinite where f has no value on a sample."""
    with np.errstate(all="ignore"):
        return _project(function, chart, theta, t, z)[-1]


def refine(
    function: Function,
    chart: Chart,
    theta: FloatArray,
    t: FloatArray,
    z: FloatArray,
    *,
    n_steps: int,
    least_gain: float,
) -> tuple[FloatArray, FloatArray]:
    """Levenberg-Marquardt steps (V3) from every theta (n, n_free) at once: theta and S (n,) at the end.

    A start stops when a step gains less than `least_gain` of S, when `MOST_IDLE` steps on end, tried or taken, gain less than a thousandth
    each (it creeps along a valley, where a function mimics another), or when rounding is all that is left.
    """
    with np.errstate(all="ignore"):
        state = _project(function, chart, theta, t, z)
        lam, idle = np.full(len(theta), 1e-3), np.zeros(len(theta))
        alive = np.isfinite(state[-1])
        for _ in range(n_steps):
            trial = theta + _step(function, chart, theta, t, state, lam)
            new = _project(function, chart, trial, t, z)
            gained = state[-1] - new[-1]
            better = alive & (gained > 0.0)
            idle = np.where(better & (gained > LITTLE * state[-1]), 0.0, idle + 1.0)
            settled = (
                (better & (gained <= least_gain * state[-1]))
                | (idle >= MOST_IDLE)
                | (state[-1] <= (4.0 * EPS) ** 2 * len(t))
            )
            lam = np.where(better, np.maximum(0.1 * lam, 1e-15), 10.0 * lam)
            theta = np.where(better[:, None], trial, theta)
            state = tuple(
                np.where(better.reshape(-1, *[1] * (old.ndim - 1)), one, old)
                for one, old in zip(new, state, strict=True)
            )
            alive &= ~settled
            if not alive.any():
                break
    return theta, state[-1]


def _project(
    function: Function, chart: Chart, theta: FloatArray, t: FloatArray, z: FloatArray
) -> State:
    """u, g, g.g, c, r and S of (V1) for every theta."""
    ends, _ = line_ends(chart, theta)
    u = ends[:, :1] * (0.5 * (1.0 - t)) + ends[:, 1:] * (0.5 * (1.0 + t))
    # [eq:variable-projection]
    g = function.f(u)
    g = g - np.mean(g, axis=1, keepdims=True)
    size = np.einsum("sn,sn->s", g, g)
    c = (g @ z) / np.where(size > 0.0, size, 1.0)
    r = z - c[:, None] * g
    misfit = np.einsum("sn,sn->s", r, r)
    # [/eq:variable-projection]
    return u, g, size, c, r, np.where(np.isfinite(misfit), misfit, np.inf)


def _step(
    function: Function,
    chart: Chart,
    theta: FloatArray,
    t: FloatArray,
    state: State,
    lam: FloatArray,
) -> FloatArray:
    """(V3); nan where f' is not finite, which no step accepts."""
    u, g, size, c, r, _ = state
    _, slopes = line_ends(chart, theta)
    # [eq:kaufman-jacobian]
    columns = function.d1(u)[:, None] * np.einsum(
        "sek,en->skn", slopes, np.stack([0.5 * (1.0 - t), 0.5 * (1.0 + t)])
    )
    columns -= np.mean(columns, axis=2, keepdims=True)
    along = np.einsum("skn,sn->sk", columns, g) / size[:, None]
    jacobian = -c[:, None, None] * (columns - along[:, :, None] * g[:, None])
    # [/eq:kaufman-jacobian]
    length = np.sqrt(np.einsum("skn,skn->sk", jacobian, jacobian))
    length = np.where(length > 0.0, length, 1.0)
    unit = jacobian / length[:, :, None]
    # below unit columns stand rows sqrt(lam) I: damped least squares as plain ones, by Gram-Schmidt
    one = unit[:, 0]
    by_one = -np.einsum("sn,sn->s", one, r) / (1.0 + lam)
    if unit.shape[1] == 1:
        return np.asarray(by_one[:, None] / length)
    share = np.einsum("sn,sn->s", one, unit[:, 1]) / (1.0 + lam)
    rest = unit[:, 1] - share[:, None] * one
    by_two = -np.einsum("sn,sn->s", rest, r) / (
        np.einsum("sn,sn->s", rest, rest) + lam * (1.0 + share**2)
    )
    return np.stack([by_one - share * by_two, by_two], axis=1) / length
