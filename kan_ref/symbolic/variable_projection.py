"""Variable projection: search the inner line alone, with c and d from linear least squares.

Theorem (Golub & Pereyra 1973; Kaufman 1975). For a given theta the best (c, d) of c f(u) + d solves
a linear least squares problem. With the centred values g of f(u), the centred samples z and the
projection P orthogonal to 1 and g,

    (S14)  c = g.z / g.g,    r = z - c g,    S = r.r
    (S15)  J_k = -c P (f'(u) du/dtheta_k)
    (S16)  step = -(J^T J + lam D)^-1 J^T r,    D = diag(J^T J)

J is Kaufman's approximation to the Jacobian of r. J^T r is exactly half the gradient of S, so the
stationary points are those of S, and where the misfit is small the steps converge quadratically
(Golub & Pereyra 2003, section 2).

(S16) is solved by orthogonalising at most two columns instead of forming J^T J: far from its zero a
power is close to a line, so the columns are nearly parallel, and J^T J would square their condition
number. All initial values of a search move at once.
"""

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import Function
from kan_ref.symbolic.inner_lines import Chart, line_ends, line_starts

N_COARSE = 128  # samples by which initial values are compared
N_FARTHEST = 8  # samples farthest from the median; always among these
ROUNDS = ((60, 6), (12, 10), (5, 20))  # (lines kept, steps), on the coarse samples
N_FINAL, N_FINE = 2, 2000  # lines refined on more samples; the best of them then on all samples
FINAL_STEPS = 100  # at most; FINAL_GAIN and MOST_IDLE end it earlier
COARSE_GAIN, FINAL_GAIN = 1e-4, 1e-10  # relative gains of S at which a line has converged
LEAST_GAIN, MOST_IDLE = 1e-3, 12  # a line stops after 12 steps that gain less than 1e-3 each
FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-15  # lam of (S16); at 1e-15 it is below rounding
EPS = float(np.finfo(np.float64).eps)
State = tuple[FloatArray, ...]


def best_line(function: Function, t: FloatArray, z: FloatArray) -> tuple[float, float] | None:
    """Return the ends (u(-1), u(1)) of the inner line whose curve is nearest to the samples.

    t (n,) is nondecreasing from -1 to 1, z (n,) has mean 0 and root mean square 1. The function is
    no constant and no line. None if each line of the search leaves the domain of f at a sample.
    """
    some, fine, turn = _subset(t, z, N_COARSE), _subset(t, z, N_FINE), function.redundancy.turn
    t_some, z_some = t[some], z[some] - np.mean(z[some])
    t_fine, z_fine = t[fine], z[fine] - np.mean(z[fine])
    found: list[tuple[float, float, float]] = []
    for starts in line_starts(function, t_some, z_some):
        chart, theta = starts.chart, starts.theta
        order = _local_minima(starts.row, misfits(function, chart, theta, t_some, z_some))
        for n_kept, n_steps in ROUNDS:
            theta = theta[order[:n_kept]]
            theta, misfit = polish(function, chart, theta, t_some, z_some, n_steps, COARSE_GAIN)
            order = np.argsort(misfit, kind="stable")
        theta = theta[order[:N_FINAL]]
        theta, misfit = polish(function, chart, theta, t_fine, z_fine, FINAL_STEPS, FINAL_GAIN)
        if len(fine) < len(t):
            best = theta[[np.argmin(misfit)]]
            theta, misfit = polish(function, chart, best, t, z, FINAL_STEPS, FINAL_GAIN)
        ends = line_ends(chart, theta)[0].tolist()
        found += [(m, p, q) for m, (p, q) in zip(misfit.tolist(), ends, strict=True)]
    # at most one turn from sample to sample: a faster wave would reach any samples
    most = turn * len(t) if turn else np.inf
    found = [one for one in found if np.isfinite(one[0]) and abs(one[2] - one[1]) <= most]
    return min(found)[1:] if found else None


def _subset(t: FloatArray, z: FloatArray, n_even: int) -> IntArray:
    """Return indices of samples spread evenly by rank, and of those farthest from the median."""
    even = np.linspace(0, len(t) - 1, min(n_even, len(t))).round().astype(np.intp)
    farthest = np.argsort(-np.abs(z - np.median(z)), kind="stable")[:N_FARTHEST]
    return np.unique(np.concatenate([even, farthest]))


def _local_minima(row: IntArray, misfit: FloatArray) -> IntArray:
    """Return the indices of lines no worse than their neighbours in their row, best first."""
    before, after = np.roll(misfit, 1), np.roll(misfit, -1)
    before[np.diff(row, prepend=-1) != 0] = np.inf
    after[np.diff(row, append=-1) != 0] = np.inf
    minima = np.flatnonzero((misfit <= before) & (misfit <= after))
    return np.asarray(minima[np.argsort(misfit[minima], kind="stable")])


def misfits(
    function: Function, chart: Chart, theta: FloatArray, t: FloatArray, z: FloatArray
) -> FloatArray:
    """Return S (n,) of every theta (n, n_free); infinite where f is undefined at a sample."""
    with np.errstate(all="ignore"):
        return _project(function, chart, theta, t, z)[-1]


def polish(
    function: Function,
    chart: Chart,
    theta: FloatArray,
    t: FloatArray,
    z: FloatArray,
    n_steps: int,
    least_gain: float,
) -> tuple[FloatArray, FloatArray]:
    """Take Levenberg-Marquardt steps (S16) from every theta (n, n_free) at once.

    lam begins at `FIRST_DAMPING`. It is divided by 10 after a step that lowers S, at most to
    `LEAST_DAMPING`, and multiplied by 10 after any other step, which is not taken.

    A line stops when a step gains less than `least_gain` of S, when `MOST_IDLE` steps in a row,
    taken or rejected, gain less than `LEAST_GAIN` each (a narrow valley, where one function
    imitates another), or when S is at the level of rounding. Returns theta and S (n,) at the end.
    """
    with np.errstate(all="ignore"):
        state = _project(function, chart, theta, t, z)
        lam, idle = np.full(len(theta), FIRST_DAMPING), np.zeros(len(theta))
        active = np.isfinite(state[-1])
        for _ in range(n_steps):
            trial = theta + _step(function, chart, theta, t, state, lam)
            new = _project(function, chart, trial, t, z)
            gained = state[-1] - new[-1]
            better = active & (gained > 0.0)
            idle = np.where(better & (gained > LEAST_GAIN * state[-1]), 0.0, idle + 1.0)
            settled = (
                (better & (gained <= least_gain * state[-1]))
                | (idle >= MOST_IDLE)
                | (state[-1] <= (4.0 * EPS) ** 2 * len(t))
            )
            lam = np.where(better, np.maximum(0.1 * lam, LEAST_DAMPING), 10.0 * lam)
            theta = np.where(better[:, None], trial, theta)
            state = tuple(
                np.where(better.reshape(-1, *[1] * (old.ndim - 1)), one, old)
                for one, old in zip(new, state, strict=True)
            )
            active &= ~settled
            if not active.any():
                break
    return theta, state[-1]


def _project(
    function: Function, chart: Chart, theta: FloatArray, t: FloatArray, z: FloatArray
) -> State:
    """Return u, g, g.g, c, r and S of (S14) for every theta."""
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
    """Return the steps (S16); NaN, which `polish` rejects, where f' is not finite."""
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
    # damped least squares is plain least squares with the rows sqrt(lam) I below the unit columns
    one = unit[:, 0]
    of_one = -np.einsum("sn,sn->s", one, r) / (1.0 + lam)
    if unit.shape[1] == 1:
        return np.asarray(of_one[:, None] / length)
    overlap = np.einsum("sn,sn->s", one, unit[:, 1]) / (1.0 + lam)
    rest = unit[:, 1] - overlap[:, None] * one
    of_two = -np.einsum("sn,sn->s", rest, r) / (
        np.einsum("sn,sn->s", rest, rest) + lam * (1.0 + overlap**2)
    )
    return np.stack([of_one - overlap * of_two, of_two], axis=1) / length
