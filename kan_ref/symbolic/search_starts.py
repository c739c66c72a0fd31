"""Where the search for y ~ c f(a x + b) + d begins: coarse grids suited to the data's range, function by function.

For most functions the grids are laid in the charts of `affine_chart`. Two have three linear parameters at every scale omega, so
that one dimension is enough: for the sine those of cos(omega t), sin(omega t) and 1, from the sums

    (P1)  sum_n e^(i omega t_n),  sum_n z_n e^(i omega t_n)

(Lomb 1976; Scargle 1982, with a free constant), which for all omega of a uniform grid are one matrix product, because
e^(i (omega_1 + omega_2) t) is a product; for cosh those of cosh(omega t), sinh(omega t) and 1.
"""

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import BUILT_IN, EVERYWHERE, Function, singular_points
from kan_ref.symbolic.inner_lines import Chart, Starts, free_number

N_RISING = 3
TALL = 5.0


def n_inner(function: Function) -> int:
    """How many inner parameters the gauge leaves: none of a constant or a line, one of a power, log or exp, two of the others."""
    return {"constant": 0, "line": 0, "power": 1, "log": 1, "exp": 1}.get(function.gauge.kind, 2)


def coarse_starts(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[Starts]:
    """Starts for the search of one function.

    Parameters
    ----------
    function : Function
        Any but a constant or a line.
    t : (n,)
        Rising, from -1 to 1.
    z : (n,)
    some : (m,) of int
        Samples that starts are judged by.

    Returns
    -------
    starts : list of Starts
        One entry a chart; some hundred starts together, some thousand for a registered function.
    """
    gauge = function.gauge
    if gauge.kind in ("power", "log"):
        if function.domain == EVERYWHERE and not function.singular:
            return [_circle()]
        return [_side(), *(_poles(gap) for gap in (pole_gaps(t, z) if function.singular else ()))]
    if gauge.kind == "exp":
        scales = np.geomspace(0.02, 200.0, 60)
        return [_one_row(Chart("scale"), np.concatenate([-scales[::-1], scales])[:, None])]
    if function.name in ("sin", "cos"):
        return [_waves(t[some], z[some], shift=0.0 if function.name == "sin" else 0.5 * np.pi)]
    if function.name == "cosh":
        return [_catenaries(t[some], z[some])]
    if function.singular:
        return [
            _pairs_of_ends(function, *_cell(function)),
            *_through_poles(function, simple_poles(t, z)),
        ]
    if function.domain != EVERYWHERE:
        return [_pairs_of_ends(function, *function.domain)]
    return [_plane(function)]


def pole_gaps(t: FloatArray, z: FloatArray) -> list[tuple[float, float]]:
    """Gaps between neighbouring samples where a pole may hide: next to the sample farthest from the median, if the data grow there."""
    tall = np.abs(z - np.median(z))
    top = int(np.argmax(tall))
    return [
        (float(t[left]), float(t[left + 1])) for left in (top - 1, top) if _rises(t, tall, left)
    ]


def simple_poles(t: FloatArray, z: FloatArray) -> FloatArray:
    """Places, rising, of the poles that the samples show by growing on both sides to five times their median, with a change of sign.

    Beside a pole of first order y is near c / (t - tau), so that its two neighbours give

        (P2)  tau = (z_left t_left - z_right t_right) / (z_left - z_right)
    """
    offset = z - np.median(z)
    tall = np.abs(offset)
    least = TALL * float(np.median(tall))
    left = np.flatnonzero(
        (offset[:-1] * offset[1:] < 0.0) & (np.minimum(tall[:-1], tall[1:]) > least)
    )
    left = left[np.array([_rises(t, tall, int(place)) for place in left], dtype=bool)]
    # [eq:simple-pole]
    return np.asarray(
        (offset[left] * t[left] - offset[left + 1] * t[left + 1])
        / (offset[left] - offset[left + 1])
    )
    # [/eq:simple-pole]


def holds_poles(t: FloatArray, z: FloatArray, poles: FloatArray) -> bool:
    """Whether the data grow towards every one of these places, from both sides: noise and outliers hide no pole."""
    tall = np.abs(z - np.median(z))
    return all(_rises(t, tall, int(left)) for left in np.searchsorted(t, poles) - 1)


def _rises(t: FloatArray, tall: FloatArray, left: int) -> bool:
    """Whether `tall` grows towards the gap between the samples `left` and `left` + 1, over the nearest two or three of each side."""
    before, after = (
        tall[max(left + 1 - N_RISING, 0) : max(left + 1, 0)],
        tall[left + 1 : left + 1 + N_RISING],
    )
    if len(before) < 2 or len(after) < 2 or t[left] == t[left + 1]:
        return False
    return bool(np.all(np.diff(before) > 0.0) and np.all(np.diff(after) < 0.0))


def _one_row(chart: Chart, theta: FloatArray) -> Starts:
    return Starts(chart, theta, np.zeros(len(theta), dtype=np.intp))


def _circle() -> Starts:
    """(S2): zeros of u amid the data, and beyond them at growing distances."""
    beyond = 1.0 + np.geomspace(1e-4, 300.0, 45)
    zeros = np.concatenate([-beyond[::-1], np.linspace(-1.0, 1.0, 81), beyond])
    return _one_row(Chart("circle"), np.arctan2(1.0, -zeros)[:, None])


def _side() -> Starts:
    """(S3): zeros of u at growing distances beyond the data."""
    slopes = 1.0 / (1.0 + np.geomspace(1e-4, 300.0, 45))
    return _one_row(Chart("side"), np.arcsin(np.concatenate([-slopes, slopes[::-1]]))[:, None])


def _shares(n: int) -> FloatArray:
    """Places in a gap as shares of it: most of them near its ends, for the nearest sample outweighs all others."""
    near = np.geomspace(1e-5, 0.5, n)
    return np.concatenate([near, 1.0 - near[-2::-1]])


def _poles(gap: tuple[float, float]) -> Starts:
    """(S4)."""
    return _one_row(Chart("gap", *gap), np.arcsin(2.0 * _shares(12) - 1.0)[:, None])


def _cell(function: Function) -> tuple[float, float]:
    """The interval between two neighbouring singular points that lies around 0, or what there is of it."""
    low, high = function.domain
    reach = 4.0 * (function.gauge.turn or max(1.0, *(abs(point) for point in function.singular)))
    points = singular_points(function, -reach, reach)
    return float(max([low, *points[points <= 0.0]])), float(min([high, *points[points > 0.0]]))


def _from_ends(chart: Chart, first: FloatArray, last: FloatArray, row: IntArray) -> Starts:
    return Starts(
        chart, np.stack([free_number(chart, first), free_number(chart, last)], axis=1), row
    )


def _pairs_of_ends(function: Function, low: float, high: float) -> Starts:
    """(S6): ends on a grid that thickens towards finite walls."""
    if np.isfinite(low) and np.isfinite(high):
        share = np.array([1e-4, 2e-3, 0.01, 0.03, 0.08, 0.16, 0.27, 0.39])
        places = low + (high - low) * np.concatenate([share, [0.5], 1.0 - share[::-1]])
    else:
        distances = np.geomspace(1e-3, 100.0, 24)
        places = (
            low + distances
            if np.isfinite(low)
            else high - distances[::-1]
            if np.isfinite(high)
            else np.arcsinh(distances)
        )
    first, last = (ends.ravel() for ends in np.meshgrid(places, places, indexing="ij"))
    chosen = first < last if function.gauge.parity else first != last
    return _from_ends(
        Chart("ends", low, high),
        first[chosen],
        last[chosen],
        np.searchsorted(places, first[chosen]),
    )


def _plane(function: Function) -> Starts:
    """(S6) for a function that lives everywhere: every scale, and shifts so that something of |u| < 6 falls on the data.

    The library's own have one feature, of size 1, so scales may grow by 30 %. Of registered ones nothing is known, and they may
    oscillate: then u moves by 0.7 or less at the ends of the data, from one start to the next.
    """
    one_feature = function.name in BUILT_IN
    alpha = (
        np.geomspace(0.05, 60.0, 28)
        if one_feature
        else np.concatenate([np.geomspace(0.05, 0.7, 6), np.arange(1.4, 42.0, 0.7)])
    )
    lines: list[FloatArray] = []
    rows: list[IntArray] = []
    for sign in (1.0,) if function.gauge.parity else (1.0, -1.0):
        for scale in alpha:
            reach = scale + 6.0
            beta = np.linspace(-reach, reach, 2 * int(reach / 0.7) + 3)
            lines.append(np.stack([beta - sign * scale, beta + sign * scale], axis=1))
            rows.append(np.full(len(beta), len(rows), dtype=np.intp))
    return Starts(Chart("ends"), np.concatenate(lines), np.concatenate(rows))


def _through_poles(function: Function, poles: FloatArray) -> list[Starts]:
    """(S6) with a singular point of the function at the first of the poles: at every scale, or, if it repeats, with another at the last."""
    if len(poles) == 0:
        return []
    turn = function.gauge.turn
    scales = np.concatenate([np.geomspace(0.05, 1.0, 12), np.arange(1.2, 40.0, 0.3)])
    if len(poles) > 1 and turn > 0.0:
        # a pole may have been missed where no sample came near it
        scales = turn * np.arange(len(poles) - 1, 2 * len(poles) + 1) / (poles[-1] - poles[0])
    sides = np.array([poles[0] + 1.0, poles[0] - 1.0])
    lines = [point - np.outer(scales, sides) for point in function.singular]
    return [Starts(Chart("ends"), np.concatenate(lines), np.arange(len(lines) * len(scales)))]


def _waves(t: FloatArray, z: FloatArray, shift: float) -> Starts:
    """(P1): the sine's frequencies up to the samples' own, at each the best phase; low ones, which are nearly parabolas, at every phase."""
    z = z - np.mean(z)
    n, step, most = len(t), 0.3, 0.5 * np.pi * (len(np.unique(t)) - 1)
    root = int(np.clip(np.ceil(np.sqrt(most / step)), 2, 60))
    # [eq:periodogram]
    coarse, fine = (
        np.exp(1j * np.outer(omega, t))
        for omega in (step * root * np.arange(2 * root), step * np.arange(root))
    )
    sums, moments = (coarse @ fine.T).ravel(), ((coarse[:root] * z) @ fine.T).ravel()
    # [/eq:periodogram]
    omega = step * np.arange(root**2)
    first, double = sums[: root**2], sums[::2]
    cos_cos, sin_sin = (
        0.5 * (n + double.real) - first.real**2 / n,
        0.5 * (n - double.real) - first.imag**2 / n,
    )
    cos_sin = 0.5 * double.imag - first.real * first.imag / n
    by_cos, by_sin = _two_by_two(cos_cos, cos_sin, sin_sin, moments.real, moments.imag)
    phase = (
        np.concatenate([np.tile(np.pi * np.arange(8) / 8.0, 4), np.arctan2(by_cos, by_sin)[1:]])
        - shift
    )
    omega = np.concatenate([np.array([0.02, 0.05, 0.1, 0.2]).repeat(8), omega[1:]])
    row = np.concatenate([np.arange(4).repeat(8), np.full(root**2 - 1, 4)])
    return Starts(Chart("ends"), np.stack([phase - omega, phase + omega], axis=1), row)


def _catenaries(t: FloatArray, z: FloatArray) -> Starts:
    """A cosh(omega t) + B sinh(omega t) is c cosh(omega t + beta) with tanh beta = B/A; where |B| > |A|, beta is far."""
    z, omega = z - np.mean(z), np.geomspace(0.01, 100.0, 100)
    even, odd = (part(np.outer(omega, t)) / np.cosh(omega)[:, None] for part in (np.cosh, np.sinh))
    even, odd = (part - part.mean(axis=1, keepdims=True) for part in (even, odd))
    even_even, even_odd, odd_odd = (
        np.einsum("sn,sn->s", one, two) for one, two in ((even, even), (even, odd), (odd, odd))
    )
    by_even, by_odd = _two_by_two(even_even, even_odd, odd_odd, even @ z, odd @ z)
    ratio = by_odd / np.where(by_even == 0.0, 1e-300, by_even)
    beta = np.arctanh(np.clip(ratio, -1.0 + 1e-9, 1.0 - 1e-9))
    beta, omega = np.concatenate([beta, np.clip(0.5 * beta, -2.0, 2.0)]), np.tile(omega, 2)
    return Starts(
        Chart("ends"), np.stack([beta - omega, beta + omega], axis=1), np.arange(2).repeat(100)
    )


def _two_by_two(
    aa: FloatArray, ab: FloatArray, bb: FloatArray, ya: FloatArray, yb: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Solutions of many symmetric two by two systems; coarse where one is nearly singular."""
    determinant = np.maximum(aa * bb - ab**2, 1e-14 * aa * bb + 1e-300)
    return (bb * ya - ab * yb) / determinant, (aa * yb - ab * ya) / determinant
