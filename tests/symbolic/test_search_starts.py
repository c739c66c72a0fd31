"""Grids of initial lines, and poles between samples, against loops by their definition."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.functions.library import LIBRARY
from kan_ref.functions.record import EVERYWHERE, Function, Redundancy
from kan_ref.symbolic import search_starts
from kan_ref.symbolic.inner_lines import (
    even_poles,
    holds_poles,
    line_ends,
    pole_gaps,
    simple_poles,
)
from kan_ref.symbolic.search_starts import GRIDS, coarse_starts
from kan_ref.symbolic.variable_projection import misfits

T = np.linspace(-1.0, 1.0, 101)
ALL = np.arange(101)


def own(**record):
    """A registered function, known by its record alone; it changes its sign at its singular points."""

    def f(u):
        return sum((1.0 / (u - point) for point in record.get("singular", ())), start=0.0 * u)

    return Function("own", f, *(np.sin,) * 3, **record)


def lines(grid, function, t=T, z=T):
    """The only initial lines of a grid, and their scales and shifts: u = scale t + shift."""
    (starts,) = GRIDS[grid](function, t, z, np.arange(len(t)))
    p, q = line_ends(starts.chart, starts.theta)[0].T
    return starts, 0.5 * (q - p), 0.5 * (q + p)


# --- neighbours


def drawn_starts(name):
    """Initial lines for samples with a pole, an oscillation and a curvature."""
    z = np.tan(4.0 * T + 0.1) if LIBRARY[name].singular else np.exp(T) + np.cos(7.0 * T)
    return coarse_starts(LIBRARY[name], T, z, ALL)


@for_all("name", [name for name in LIBRARY if name not in ("0", "x", "sgn")])
def test_rows_never_decrease_and_have_a_number_for_each_line(name):
    for starts in drawn_starts(name):
        assert starts.row.shape == (len(starts.theta),)
        assert starts.row[0] == 0
        assert np.all(np.diff(starts.row) >= 0)
        assert np.all(np.diff(starts.row) <= 1) or starts.chart.kind == "ends"


@for_all("name", [name for name in LIBRARY if name not in ("0", "x", "sgn")])
def test_no_line_of_a_grid_occurs_twice_and_no_line_is_constant(name):
    for starts in drawn_starts(name):
        ends = line_ends(starts.chart, starts.theta)[0]
        assert len(np.unique(ends, axis=0)) == len(ends)
        assert np.all(ends[:, 0] != ends[:, 1])


# --- both ends in a domain


def ends_of(grid, function):
    """Places of the first ends, of both ends, and bounds of the chart."""
    (starts,) = GRIDS[grid](function, T, T, ALL)
    ends = line_ends(starts.chart, starts.theta)[0]
    assert np.all(np.diff(ends[:, 0]) >= -1e-9)
    for row in np.unique(starts.row):
        first, last = ends[starts.row == row].T
        assert np.ptp(first) <= 1e-9 * np.abs(first).max()
        assert np.all(np.diff(last) > 0.0)
    return ends, (starts.chart.low, starts.chart.high)


@for_all(
    ("domain", "near"),
    [
        ((-1.0, 400.0), (-1.0, np.inf)),
        ((-400.0, 1.0), (-np.inf, 1.0)),
        ((2.0, 30.0), (2.0, np.inf)),
        ((90.0, 101.0), (90.0, np.inf)),
    ],
)
def test_ends_near_the_only_near_end_of_a_domain_are_those_of_half_a_domain_that_lie_in_it(
    domain, near
):
    ends, bounds = ends_of("near domain", own(domain=domain))
    half, _ = ends_of("domain", own(domain=near))

    in_it = ((half > domain[0]) & (half < domain[1])).all(axis=1)
    assert bounds == near
    np.testing.assert_array_equal(ends, half[in_it])


@pytest.mark.parametrize("grid", ["features", "oscillations"])
@for_all("domain", [(-10.0, 10.0), (-30.0, np.inf), (-np.inf, 12.0)])
def test_lines_of_every_scale_that_leave_the_domain_are_left_out_and_no_others(grid, domain):
    starts, _, _ = lines(grid, own(domain=domain))
    everywhere, _, _ = lines(grid, own())

    in_it = ((everywhere.theta > domain[0]) & (everywhere.theta < domain[1])).all(axis=1)
    np.testing.assert_array_equal(starts.theta, everywhere.theta[in_it])
    np.testing.assert_array_equal(starts.row, everywhere.row[in_it])


@pytest.mark.parametrize("parity", [-1, 0, 1])
def test_both_directions_of_a_line_are_tried_unless_symmetry_makes_them_one(parity):
    ends, _ = ends_of("domain", own(domain=(-1.0, 1.0), redundancy=Redundancy(parity=parity)))
    _, scale, _ = lines("features", own(redundancy=Redundancy(parity=parity)))
    n = len(np.unique(np.round(ends, 12)))

    assert len(ends) == n * (n - 1) // (2 if parity else 1)
    assert np.all(ends[:, 0] < ends[:, 1]) == (parity != 0)
    assert sorted(set(np.sign(scale))) == ([1.0] if parity else [-1.0, 1.0])
    assert (scale > 0.0).sum() == len(scale) // (1 if parity else 2)


@for_all(
    ("record", "cells"),
    [
        ({"singular": (0.0,)}, [(-np.inf, 0.0), (0.0, np.inf)]),
        ({"singular": (0.3,)}, [(-np.inf, 0.3), (0.3, np.inf)]),
        (
            {"singular": (1.0, -2.0, 3.0, -4.0)},
            [(-np.inf, -4.0), (-4.0, -2.0), (-2.0, 1.0), (1.0, 3.0), (3.0, np.inf)],
        ),
        ({"singular": (0.5,), "domain": (-1.0, 4.0)}, [(-1.0, 0.5), (0.5, 4.0)]),
        ({"singular": (3.0,), "domain": (2.0, 4.0)}, [(2.0, 3.0), (3.0, 4.0)]),
        (
            {"singular": (700.0, -900.0)},
            [(-np.inf, -900.0), (-900.0, 700.0), (700.0, np.inf)],
        ),
        (
            {"singular": tuple(range(-9, 9))},
            [(-2.0, -1.0), (-1.0, 0.0), (0.0, 1.0), (1.0, 2.0), (2.0, 3.0)],
        ),
        ({"singular": (0.2,), "redundancy": Redundancy(turn=0.5)}, [(-0.3, 0.2)]),
        ({"singular": (0.9,), "redundancy": Redundancy(turn=0.5)}, [(-0.1, 0.4)]),
    ],
)
def test_cells_lie_between_singular_points_or_ends_of_the_domain_and_one_is_enough_in_a_turn(
    record, cells
):
    found = GRIDS["cells"](own(**record), T, T, ALL)

    np.testing.assert_allclose(
        [(one.chart.low, one.chart.high) for one in found], cells, atol=1e-12
    )
    for starts, (low, high) in zip(found, cells, strict=True):
        ends = line_ends(starts.chart, starts.theta)[0]
        assert low < ends.min() < ends.max() < high


# --- poles


@pytest.mark.parametrize("frequency", [4.0, 5.0, 9.0])
def test_poles_that_repeat_lie_at_the_first_and_the_last_pole_with_as_many_missed_as_seen(
    frequency,
):
    z = np.tan(frequency * T + 0.2)
    poles = simple_poles(T, z)
    n = len(poles)

    _, scale, shift = lines("poles", LIBRARY["tan"], z=z)

    at = np.stack([scale * pole + shift for pole in (poles[0], poles[-1])])
    assert n >= 2
    np.testing.assert_allclose(np.cos(at), 0.0, atol=1e-9)
    np.testing.assert_allclose((at[1] - at[0]) / np.pi, np.arange(n - 1, 2 * n + 1), rtol=1e-9)


def test_two_singular_points_are_laid_at_the_first_and_the_last_pole_in_both_orders():
    z = 1.0 / (T - 0.311) + 1.0 / (T + 0.512)
    first, last = simple_poles(T, z)

    _, scale, shift = lines("poles", own(singular=(0.5, 2.5)), z=z)

    at = np.stack([scale * first + shift, scale * last + shift], axis=1).round(9)
    assert {(0.5, 2.5), (2.5, 0.5)} <= set(map(tuple, at.tolist()))


@for_all("order", [1, 2, 4])
def test_a_pole_without_a_change_of_sign_is_tried_at_its_place_with_every_scale(order):
    function = Function("own", lambda u: np.abs(u - 0.5) ** -order, *(np.sin,) * 3, singular=(0.5,))

    for sign in (1.0, -1.0):
        _, scale, shift = lines("poles", function, z=sign * np.abs(T - 0.311) ** -order)

        poles = (0.5 - shift) / scale
        assert np.abs(poles - 0.311).min() < 1e-4
        at_one = scale[np.isclose(poles, poles[0], rtol=1e-9)]
        scales = search_starts.POLE_SCALES
        np.testing.assert_allclose(at_one, np.r_[scales, -scales])
        assert (
            len(np.unique(poles.round(9))) == 6
        )  # three orders in the gaps on both sides of the peak


def test_data_without_poles_have_no_lines_through_poles():
    assert GRIDS["poles"](LIBRARY["tan"], T, np.sin(T), ALL) == []


# --- one inner parameter, the rest from linear least squares


def least_squares_misfits(columns, z):
    """Of z by each (n_scales, n_functions, n) and 1, by a solver of its own."""
    found = []
    for functions in columns:
        design = np.vstack([functions, np.ones(len(z))]).T
        design = design / np.linalg.norm(design, axis=0)
        found.append(np.sum((z - design @ np.linalg.lstsq(design, z, rcond=None)[0]) ** 2))
    return np.array(found)


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize("seed", range(3))
def test_every_frequency_above_the_low_ones_starts_at_its_best_phase(name, seed):
    rng = np.random.default_rng(seed)
    t = np.concatenate([[-1.0], np.sort(rng.uniform(-1.0, 1.0, 40)), [1.0]])
    z = rng.normal(size=42)
    z = z - z.mean()

    starts, omega, _ = lines("frequencies", LIBRARY[name], t, z)
    own_misfits = misfits(LIBRARY[name], starts.chart, starts.theta, t, z)

    best = starts.row == starts.row[-1]
    columns = [(np.cos(one * t), np.sin(one * t)) for one in omega[best]]
    np.testing.assert_allclose(own_misfits[best], least_squares_misfits(columns, z), rtol=1e-7)


@pytest.mark.parametrize("beta", [0.0, 0.9, -1.7])
def test_every_scale_of_cosh_starts_at_its_best_shift_and_at_one_nearer_to_the_middle(beta):
    rng = np.random.default_rng(3)
    t = np.concatenate([[-1.0], np.sort(rng.uniform(-1.0, 1.0, 40)), [1.0]])
    z = np.cosh(1.7 * t + beta) + 0.01 * rng.normal(size=42)
    z = z - z.mean()

    starts, omega, shift = lines("catenaries", LIBRARY["cosh"], t, z)
    best, nearer = (starts.row == row for row in (0, 1))
    own_misfits = misfits(LIBRARY["cosh"], starts.chart, starts.theta, t, z)[best]

    columns = [
        (np.cosh(one * t) / np.cosh(one), np.sinh(one * t) / np.cosh(one)) for one in omega[best]
    ]
    least = least_squares_misfits(columns, z)
    inside = (np.abs(shift[best]) < 5.0) & (omega[best] > 0.1)
    np.testing.assert_allclose(own_misfits[inside], least[inside], rtol=1e-5)
    assert inside.sum() > 20
    np.testing.assert_allclose(omega[best], omega[nearer], rtol=1e-9)
    np.testing.assert_allclose(
        shift[nearer], np.clip(0.5 * shift[best], -2.0, 2.0), rtol=1e-9, atol=1e-9
    )


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.05, 1.0))
def test_two_by_two_systems_are_solved_also_where_they_are_nearly_singular(one, two, scale):
    ab = scale * (1.0 - 1e-12)
    aa = bb = np.array([scale])
    matrix = np.array([[scale, ab], [ab, scale]])
    ya, yb = matrix @ [one, two]

    regular = search_starts._two_by_two(aa, 0.5 * aa, bb, ya * aa, yb * bb)
    nearly = search_starts._two_by_two(aa, np.array([ab]), bb, np.array([ya]), np.array([yb]))

    exact = np.linalg.solve([[scale, 0.5 * scale], [0.5 * scale, scale]], [ya * scale, yb * scale])
    np.testing.assert_allclose(np.ravel(regular), exact, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.ravel(nearly), [one, two], atol=1e-3)


@pytest.mark.parametrize("aa", [0.0, 1.0])
def test_singular_two_by_two_systems_give_finite_numbers(aa):
    singular = np.array([aa])

    found = search_starts._two_by_two(singular, singular, singular, singular, singular)

    assert np.isfinite(found).all()


def test_the_only_domain_without_ends_has_no_grid_of_ends():
    assert search_starts.grids_by_redundancy(own(domain=EVERYWHERE)) == ("oscillations",)


def peaked(seed):
    """Samples that grow towards a gap from both sides, apart from some exchanges; some places occur twice."""
    rng = np.random.default_rng(seed)
    n_left, n_right = rng.integers(1, 7, 2)
    sizes = [np.sort(rng.integers(1, 40, n)) for n in (n_left, n_right)]
    z = np.concatenate([sizes[0], sizes[1][::-1] * rng.choice([-1.0, 1.0])])
    for _ in range(rng.integers(0, 2)):
        i, j = rng.integers(0, len(z), 2)
        z[[i, j]] = z[[j, i]]
    steps = rng.choice([0.0, 1.0, 2.0], len(z), p=[0.1, 0.6, 0.3])
    t = np.cumsum(steps)
    return t, z, rng


def grows(t, distance, left):
    """The last samples up to `left` increase, the first ones after it decrease: three of each side, or two."""
    before = [distance[n] for n in (left - 2, left - 1, left) if n >= 0]
    after = [distance[n] for n in (left + 1, left + 2, left + 3) if n < len(distance)]
    if len(before) < 2 or len(after) < 2 or t[left] == t[left + 1]:
        return False
    return before == sorted(set(before)) and after[::-1] == sorted(set(after))


def test_a_pole_is_held_where_samples_of_both_sides_grow_towards_it():
    held = []
    for seed in range(200):
        t, z, _ = peaked(seed)
        distance = np.abs(z - np.median(z))
        inside = np.flatnonzero(np.diff(t) > 0.0)
        middles = t[inside] + 0.25 * np.diff(t)[inside]
        found = [holds_poles(t, z, np.array([pole])) for pole in middles]

        assert found == [grows(t, distance, int(left)) for left in inside]
        assert not holds_poles(t, z, np.array([t[0] - 1.0]))
        assert not holds_poles(t, z, np.array([t[-1] + 1.0]))
        assert holds_poles(t, z, middles) == all(found)
        held += found
    assert 30 < sum(held) < len(held) - 30


def test_poles_are_looked_for_on_both_sides_of_the_sample_that_is_farthest_from_the_median():
    n_gaps = []
    for seed in range(200):
        t, z, _ = peaked(seed)
        distance = np.abs(z - np.median(z))
        top = int(np.argmax(distance))

        expected = [(t[left], t[left + 1]) for left in (top - 1, top) if grows(t, distance, left)]

        assert pole_gaps(t, z) == expected
        n_gaps.append(len(expected))
    assert {0, 1} <= set(n_gaps)


def test_simple_poles_lie_where_far_samples_change_their_sign_and_grow():
    n_found = 0
    for seed in range(200):
        t, z, rng = peaked(seed)
        flat = rng.integers(-1, 2, 12)  # a median near 0 and a small median distance
        t, z = np.concatenate([t, t[-1] + 1.0 + np.arange(12)]), np.concatenate([z, flat])
        offset = z - np.median(z)
        far = 5.0 * np.median(np.abs(offset))
        expected = []
        for n in range(len(t) - 1):
            one, two = offset[n], offset[n + 1]
            is_far = one * two < 0 and abs(one) > far and abs(two) > far
            if is_far and grows(t, np.abs(offset), n):
                expected.append((one * t[n] - two * t[n + 1]) / (one - two))

        np.testing.assert_allclose(simple_poles(t, z), expected, rtol=1e-13)
        n_found += len(expected)
    assert n_found > 20


def test_even_poles_lie_in_the_gaps_beside_each_peak():
    n_peaks = []
    for seed in range(200):
        t, z, rng = peaked(seed)
        flat = rng.integers(-1, 2, 24)
        t = np.concatenate([t, t[-1] + 1.0 + np.arange(12), t + 30.0, t[-1] + 31.0 + np.arange(12)])
        z = np.concatenate([z, flat[:12], z, flat[12:]])
        offset = z - np.median(z)
        far = 5.0 * np.median(np.abs(offset))
        expected, last = [], None
        for n in range(len(t) - 1):
            one, two = offset[n], offset[n + 1]
            if one * two > 0 and min(abs(one), abs(two)) > far and grows(t, np.abs(offset), n):
                roots = [(abs(one) ** (1 / m), abs(two) ** (1 / m)) for m in (1, 2, 4)]
                poles = [(r * t[n] + s * t[n + 1]) / (r + s) for r, s in roots]
                expected = (
                    [*expected[:-1], [*expected[-1], poles]]
                    if last == n - 1
                    else [*expected, [poles]]
                )
                last = n

        found = even_poles(t, z)

        assert len(found) == len(expected)
        for peak, gaps in zip(found, expected, strict=True):
            np.testing.assert_allclose(peak, gaps, rtol=1e-13)
        n_peaks.append(len(expected))
    assert {0, 2} <= set(n_peaks)
