"""The same curves on other knot vectors: the blossom, Boehm's and the Oslo algorithm, against exact fractions."""

from itertools import combinations

import numpy as np
import pytest
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import (
    SMOOTH_KINDS,
    coefficients,
    degrees,
    grid_ends,
    knot_arrays,
    knot_rows,
    points_anywhere,
    points_in_grid,
)
from oracles import difference, exact_blossom, exact_continued, exact_curve

from kan_ref.bspline.bases import basis, greville
from kan_ref.bspline.blossom import (
    _farthest_first,
    blossom,
    blossom_coef,
    continued_values,
    insert_knots,
)
from kan_ref.bspline.knots import breakpoints, extended_knots, uniform_knots
from kan_ref.bspline.refined_grids import (
    insert_knot,
    is_nested,
    refined_breakpoints,
    refinement_matrix,
)


@st.composite
def curves(draw, low=0, **options):
    """A degree, one knot vector and the coefficients of one curve."""
    degree = draw(degrees(low))
    row = draw(knot_rows(degree, **options))
    return degree, row, draw(coefficients((len(row) - degree - 1,)))


def values(x, row, degree, coef):
    """Curves (..., n_basis) on one knot vector at points (n,), from the basis functions."""
    return basis(np.asarray(x)[:, None], row[None], degree)[:, 0] @ np.moveaxis(coef, -1, 0)


def pieces_of(row, degree):
    """Intervals of the grid that are not empty."""
    return [g for g in range(len(row) - 2 * degree - 1) if row[degree + g] < row[degree + g + 1]]


def polar(row, degree, coef, piece, arguments):
    """`blossom` of one curve at one tuple of arguments."""
    return blossom(
        row[None], degree, coef[None, None], [[piece]], np.reshape(arguments, (1, 1, degree))
    )[0, 0, 0]


@st.composite
def curves_with_arguments(draw, low=0, beyond=1.0, **options):
    """A curve, one of its pieces, and `degree` arguments up to `beyond` widths of the grid outside it."""
    degree, row, coef = draw(curves(low, **options))
    piece = draw(st.sampled_from(pieces_of(row, degree)))
    a, b = grid_ends(row, degree)
    shares = draw(st.lists(st.floats(-beyond, 1.0 + beyond), min_size=degree, max_size=degree))
    return degree, row, coef, piece, np.array([a + share * (b - a) for share in shares])


def reach(row, degree, piece, arguments):
    """How much (B17) can amplify: the farthest argument in lengths of the piece, once per level."""
    low, high = row[degree + piece], row[degree + piece + 1]
    distances = np.maximum(np.maximum(low - arguments, arguments - high), 0.0)
    return np.prod(1.0 + 2.0 * distances / (high - low))


# --- the blossom


@given(curves_with_arguments())
def test_the_blossom_is_the_exact_polar_form(case):
    """Relative to the distance of the arguments from the piece, by which extrapolation amplifies errors."""
    degree, row, coef, piece, arguments = case

    got = polar(row, degree, coef, piece, arguments)

    exact = exact_blossom(row, degree, coef, degree + piece, arguments)
    assert difference(got, [exact])[0] <= 5e-15 * np.abs(coef).max() * reach(
        row, degree, piece, arguments
    )


@given(curves_with_arguments(), st.randoms(use_true_random=False))
def test_the_blossom_is_symmetric_in_its_arguments_bit_for_bit(case, random):
    degree, row, coef, piece, arguments = case
    shuffled = arguments.tolist()
    random.shuffle(shuffled)

    assert polar(row, degree, coef, piece, shuffled) == polar(row, degree, coef, piece, arguments)


@pytest.mark.parametrize("seed", range(5))
def test_arguments_equally_far_on_both_sides_of_the_piece_may_be_exchanged_too(seed):
    coef = np.random.default_rng(seed).normal(size=4)

    one, other = (
        polar(np.arange(-3.0, 5.0), 3, coef, 0, arguments)
        for arguments in ([1.7, 0.3, -0.7], [-0.7, 0.3, 1.7])
    )

    assert one == other


@given(curves_with_arguments(low=1, kinds=SMOOTH_KINDS), st.floats(-1.0, 2.0), st.data())
def test_the_blossom_is_affine_in_each_argument(case, share, data):
    degree, row, coef, piece, arguments = case
    place, (a, b) = data.draw(st.integers(0, degree - 1)), grid_ends(row, degree)

    def at(u):
        return polar(row, degree, coef, piece, np.where(np.arange(degree) == place, u, arguments))

    between, ends = at(a + share * (b - a)), (1.0 - share) * at(a) + share * at(b)

    scale = np.abs(coef).max() * reach(
        row, degree, piece, np.append(np.delete(arguments, place), [2 * a - b, 2 * b - a])
    )
    assert between == pytest.approx(ends, rel=0, abs=1e-14 * scale)


@given(curves(), st.data())
def test_the_diagonal_of_the_blossom_is_the_curve(case, data):
    degree, row, coef = case
    x = data.draw(st.sampled_from(data.draw(points_in_grid(row, degree)).tolist()))
    piece = max(g for g in pieces_of(row, degree) if row[degree + g] <= x)

    got = polar(row, degree, coef, piece, np.full(degree, x))

    assert got == pytest.approx(
        values([x], row, degree, coef)[0], rel=0, abs=5e-15 * np.abs(coef).max()
    )


@given(curves(), st.data())
def test_the_blossom_at_a_basis_s_own_inner_knots_is_its_coefficient_bit_for_bit(case, data):
    """(B19): from every piece under the basis function."""
    degree, row, coef = case
    piece = data.draw(st.sampled_from(pieces_of(row, degree)))

    for m in range(piece, piece + degree + 1):
        assert polar(row, degree, coef, piece, row[m + 1 : m + degree + 1]) == coef[m]


def test_the_polar_form_of_a_cubic_by_hand():
    """x^3 on whole knots: f(u, v, w) = u v w, so coefficient m is t_{m+1} t_{m+2} t_{m+3}."""
    row = np.arange(-3.0, 6.0)
    coef = np.array([row[m + 1] * row[m + 2] * row[m + 3] for m in range(5)])

    got = [
        polar(row, 3, coef, piece, arguments)
        for piece in range(2)
        for arguments in ([2.0, 3.0, 5.0], [-7.0, 0.5, 4.0])
    ]

    np.testing.assert_allclose(got, [30.0, -14.0, 30.0, -14.0], rtol=1e-14)


@given(
    degrees(0, 4).flatmap(
        lambda degree: st.tuples(st.just(degree), knot_arrays(degree, kinds=SMOOTH_KINDS))
    ),
    st.data(),
)
def test_outputs_inputs_and_places_of_the_blossom_do_not_mix(case, data):
    degree, rows = case
    n_in, n_new = len(rows), 3
    coef = data.draw(coefficients((2, n_in, rows.shape[1] - degree - 1)))
    piece = np.array(
        [
            data.draw(
                st.lists(st.sampled_from(pieces_of(row, degree)), min_size=n_new, max_size=n_new)
            )
            for row in rows
        ]
    )
    arguments = data.draw(coefficients((n_in, n_new, degree)))

    got = blossom(rows, degree, coef, piece, arguments)

    for j, i, n in np.ndindex(got.shape):
        assert got[j, i, n] == polar(rows[i], degree, coef[j, i], piece[i, n], arguments[i, n])


# --- the curve continued


@given(curves(), st.data())
def test_continued_values_are_exact_on_the_grid_to_5e_15(case, data):
    degree, row, coef = case
    x = data.draw(points_in_grid(row, degree))

    got = continued_values(row[None], degree, coef[None, None], x[:, None])[:, 0, 0]

    assert (
        difference(got, [exact_continued(point, row, degree, coef) for point in x]).max()
        <= 5e-15 * np.abs(coef).max()
    )


@given(curves(), st.floats(0.0, 2.0))
def test_continued_values_follow_the_end_polynomials_beyond_the_grid(case, share):
    """Relative to the distance of the point in lengths of the end piece, to the power of the degree."""
    degree, row, coef = case
    a, b = grid_ends(row, degree)
    x = np.array([a - share * (b - a), b, b + share * (b - a)])

    got = continued_values(row[None], degree, coef[None, None], x[:, None])[:, 0, 0]

    error = difference(got, [exact_continued(point, row, degree, coef) for point in x])
    pieces = pieces_of(row, degree)
    for point, piece, wrong in zip(x, (pieces[0], pieces[-1], pieces[-1]), error, strict=True):
        assert wrong <= 5e-15 * np.abs(coef).max() * reach(
            row, degree, piece, np.full(degree, point)
        )


def test_where_breakpoints_repeat_at_the_ends_the_outermost_piece_that_is_not_empty_goes_on():
    """The hats of y = 3 x on the grid 0 0 1 2 2."""
    knots = np.array([[-1.0, 0.0, 0.0, 1.0, 2.0, 2.0, 3.0]])

    got = continued_values(
        knots, 1, 3.0 * greville(knots, 1)[None], [[-1.0], [0.0], [0.5], [2.0], [4.0]]
    )

    np.testing.assert_allclose(got[:, 0, 0], [-3.0, 0.0, 1.5, 6.0, 12.0], rtol=1e-15)


@pytest.mark.parametrize("degree", range(3))
def test_at_a_breakpoint_where_the_curve_jumps_the_piece_on_its_right_counts(degree):
    """Two constants, 5 and 7, on 0 1 2 with 1 repeated degree + 1 times; the last point has the piece on its left."""
    inner = [1.0] * (degree + 1)
    knots = np.array([[-1.0] * degree + [0.0, *inner, 2.0] + [3.0] * degree])
    coef = np.repeat([5.0, 7.0], degree + 1)[None, None]

    got = continued_values(knots, degree, coef, [[0.0], [1.0], [2.0]])

    np.testing.assert_allclose(got[:, 0, 0], [5.0, 7.0, 7.0], rtol=1e-15)


def test_arguments_are_ordered_by_their_distance_from_their_own_piece(monkeypatch):
    from kan_ref.bspline import blossom as module

    seen, original = [], module._farthest_first
    monkeypatch.setattr(
        module, "_farthest_first", lambda *args: seen.append(args[1:]) or original(*args)
    )
    knots = np.array([[-1.0, 0.0, 0.5, 2.0, 3.0, 7.0], [-2.0, 0.0, 4.0, 5.0, 6.0, 8.0]])

    blossom(knots, 1, np.ones((1, 2, 4)), [[0, 1, 2], [2, 0, 1]], np.zeros((2, 3, 1)))

    ((low, high),) = seen
    np.testing.assert_array_equal(low[:, :, 0], [[0.0, 0.5, 2.0], [5.0, 0.0, 4.0]])
    np.testing.assert_array_equal(high[:, :, 0], [[0.5, 2.0, 3.0], [6.0, 4.0, 5.0]])


def test_the_farthest_arguments_come_first():
    """The piece is [0, 1]: distances 4, 3, 1, and inside it of no matter."""
    ordered = _farthest_first(
        np.array([[[0.5, -3.0, 5.0, 2.0], [1.5, -2.5, 0.25, -1.0]]]),
        np.zeros((1, 2, 1)),
        np.ones((1, 2, 1)),
    )

    np.testing.assert_array_equal(ordered, [[[5.0, -3.0, 2.0, 0.5], [-2.5, -1.0, 1.5, 0.25]]])


def test_continued_values_come_per_sample_output_and_input():
    knots = uniform_knots([0.0, 10.0], [1.0, 30.0], 2, 1)
    coef = np.array([greville(knots, 1), 2.0 * greville(knots, 1), -greville(knots, 1)])

    got = continued_values(knots, 1, coef, [[-5.0, 7.0], [0.25, 11.0]])

    np.testing.assert_allclose(
        got,
        [[[-5.0, 7.0], [-10.0, 14.0], [5.0, -7.0]], [[0.25, 11.0], [0.5, 22.0], [-0.25, -11.0]]],
        rtol=1e-15,
    )


# --- moving to other knot vectors


@for_all("degree", range(6))
@for_all(
    "grid",
    [
        pytest.param([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0], id="uniform"),
        pytest.param([-1.0, -0.9, -0.2, 0.0, 0.03, 1.0], id="uneven"),
        pytest.param([-1.0, -0.2, 0.1, 0.1, 0.4, 1.0], id="repeated"),
    ],
)
def test_from_5_to_1000_intervals_the_curve_stays_to_1e_12(degree, grid):
    """Between the breakpoints, at all of them and beside them; relative to the largest coefficient."""
    rng = np.random.default_rng(degree)
    old = extended_knots([grid], degree)
    new = extended_knots(refined_breakpoints([grid], 1000), degree)
    coef = rng.normal(size=(3, 1, 5 + degree))

    moved = blossom_coef(old, degree, coef, new)

    x = np.sort(
        np.concatenate(
            [
                rng.uniform(-1.0, 1.0, 500),
                grid[:-1],
                np.nextafter(grid[1:], -1.0),
                breakpoints(new, degree)[0, :-1],
            ]
        )
    )
    change = values(x, new[0], degree, moved[:, 0]) - values(x, old[0], degree, coef[:, 0])
    assert moved.shape == (3, 1, 1000 + degree)
    assert np.abs(change).max() <= 1e-12 * np.abs(coef).max()


@st.composite
def nested_rows(draw, degree, row):
    """A knot vector with the breakpoints of `row`, some new ones, and perhaps more on both sides of them."""
    grid = row[degree : len(row) - degree]
    a, b = grid[0], grid[-1]
    added = draw(st.lists(st.floats(0.0, 1.0).map(lambda share: a + share * (b - a)), max_size=6))
    wider = draw(st.lists(st.floats(0.05, 0.5).map(lambda share: share * (b - a)), max_size=2))
    beyond = [a - step for step in wider] + [b + step for step in wider[:1]]
    found = np.sort(np.concatenate([grid, added, beyond]))
    gaps = np.diff(found)
    assume(not ((gaps > 0.0) & (gaps < 1e-100)).any())
    return extended_knots(found[None], degree)[0]


@given(curves(), st.data())
def test_on_a_nested_row_the_curve_and_its_continuation_stay_exactly(case, data):
    """Against exact fractions of both curves, on the whole new grid; relative to the continued curve's coefficients."""
    degree, row, coef = case
    new = data.draw(nested_rows(degree, row))
    assert is_nested(breakpoints(row[None], degree), breakpoints(new[None], degree)).all()
    x = data.draw(points_in_grid(new, degree))

    moved = blossom_coef(row[None], degree, coef[None, None], new[None])[0, 0]

    ends = (pieces_of(row, degree)[0], pieces_of(row, degree)[-1])
    farthest = max(
        reach(row, degree, piece, np.full(degree, end))
        for piece, end in zip(ends, (new[1], new[-2]), strict=True)
    )
    for point in x:
        error = abs(
            exact_continued(point, new, degree, moved) - exact_continued(point, row, degree, coef)
        )
        off = point < row[degree] or point > row[len(row) - 1 - degree]
        assert float(error) <= 1e-13 * np.abs(coef).max() * (farthest if off else 1.0)


@given(curves(), st.floats(0.0, 0.9), st.floats(0.1, 1.0))
def test_on_a_narrower_row_with_the_old_breakpoints_in_its_range_the_curve_stays_there(
    case, from_share, width_share
):
    """Its outer knots may reach over old pieces that its grid does not contain; these must not be used."""
    degree, row, coef = case
    a, b = grid_ends(row, degree)
    low = a + from_share * (b - a)
    high = low + width_share * (b - low)
    new = extended_knots(
        [[low, *(t for t in row[degree : len(row) - degree] if low < t < high), high]], degree
    )

    moved = blossom_coef(row[None], degree, coef[None, None], new)[0, 0]

    for x in np.linspace(low, high, 7)[:-1]:
        change = exact_continued(x, new[0], degree, moved) - exact_continued(x, row, degree, coef)
        assert abs(float(change)) <= 1e-13 * np.abs(coef).max()


@given(curves(), st.integers(1, 3))
def test_on_its_own_row_a_curve_keeps_its_coefficients_bit_for_bit(case, n_out):
    """Those of basis functions that are nonzero on the grid; others are arbitrary."""
    degree, row, _ = case
    coef = np.random.default_rng(n_out).normal(size=(n_out, 1, len(row) - degree - 1))
    a, b = grid_ends(row, degree)
    lives = np.maximum(row[: -degree - 1], a) < np.minimum(row[degree + 1 :], b)

    moved = blossom_coef(row[None], degree, coef, row[None])

    np.testing.assert_array_equal(moved[:, :, lives], coef[:, :, lives])


def power_coef(row, degree, power):
    """Coefficients of x^power: the mean of the products of `power` inner knots (Marsden)."""
    windows = [row[m + 1 : m + degree + 1] for m in range(len(row) - degree - 1)]
    return np.array(
        [np.mean([np.prod(chosen) for chosen in combinations(window, power)]) for window in windows]
    )


@given(degrees(), st.integers(0, 7), st.data())
def test_a_polynomial_moves_to_any_row_nested_or_not(degree, power, data):
    """A polynomial common to all pieces: its blossom is the same on every piece, wherever the breakpoints lie."""
    power = min(power, degree)
    old, new = (
        row / np.abs(row).max()
        for row in (data.draw(knot_rows(degree, kinds=("uniform",))) for _ in range(2))
    )

    moved = blossom_coef(old[None], degree, power_coef(old, degree, power)[None, None], new[None])[
        0, 0
    ]

    ends = pieces_of(old, degree)[0], pieces_of(old, degree)[-1]
    farthest = sum(
        reach(old, degree, piece, np.full(degree, end)) for piece in ends for end in (-1.0, 1.0)
    )
    np.testing.assert_allclose(moved, power_coef(new, degree, power), rtol=0, atol=1e-13 * farthest)


def test_a_coefficient_between_two_old_pieces_comes_from_the_one_under_the_middle_of_its_basis():
    """|x| on -1 0 1, moved to knots without a breakpoint at 0: hats at -0.6 and 0.2 each take one side."""
    old = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    new = np.array([[-1.4, -0.6, 0.2, 1.0, 1.8]])

    moved = blossom_coef(old, 1, [[[1.0, 0.0, 1.0]]], new)

    np.testing.assert_allclose(moved, [[[0.6, 0.2, 1.0]]], rtol=1e-15)


def test_a_basis_that_reaches_into_the_grid_by_one_ulp_sees_the_piece_there():
    """Degree 0 on 0 1 2: the new pieces are [1 - ulp, 1) and [1, 2), and the middle of the first rounds to 1."""
    below = np.nextafter(1.0, 0.0)

    moved = blossom_coef([[0.0, 1.0, 2.0]], 0, [[[5.0, 7.0]]], [[below, 1.0, 2.0]])

    np.testing.assert_array_equal(moved, [[[5.0, 7.0]]])


@given(
    degrees(0, 5).flatmap(
        lambda degree: st.tuples(st.just(degree), knot_arrays(degree, kinds=SMOOTH_KINDS))
    ),
    st.data(),
)
def test_curves_of_many_outputs_and_inputs_move_as_each_by_itself(case, data):
    degree, rows = case
    coef = data.draw(coefficients((2, len(rows), rows.shape[1] - degree - 1)))
    new = extended_knots(refined_breakpoints(breakpoints(rows, degree), 7), degree)

    moved = blossom_coef(rows, degree, coef, new)

    for j, i in np.ndindex(2, len(rows)):
        np.testing.assert_array_equal(
            moved[j, i],
            blossom_coef(rows[i : i + 1], degree, coef[j : j + 1, i : i + 1], new[i : i + 1])[0, 0],
        )


# --- Boehm, Oslo, and all three


@given(curves(), st.data())
def test_one_knot_more_changes_the_curve_nowhere_on_the_row_and_off_it(case, data):
    """Also where the curve decays outside [a, b]; exact fractions of both. At a jump the right limit counts."""
    degree, row, coef = case
    t = data.draw(
        st.sampled_from(
            [
                *row.tolist(),
                *data.draw(points_in_grid(row, degree)).tolist(),
                0.5 * (row[0] + row[-1]),
            ]
        )
    )

    longer, (moved,) = insert_knot(row, degree, coef[None], t)

    assert longer.tolist() == sorted([*row.tolist(), t])
    for x in data.draw(points_anywhere(row)):
        change = exact_curve(x, longer, degree, moved) - exact_curve(x, row, degree, coef)
        assert abs(float(change)) <= 5e-15 * np.abs(coef).max()


def more_knots(row, low, high):
    """Up to five places in [low, high], some of them where knots are."""
    share = st.floats(0.0, 1.0).filter(lambda share: share == 0.0 or share > 1e-100)
    between = share.map(lambda share: low + share * (high - low))
    knots = [t for t in row.tolist() if low <= t <= high]
    return st.lists(
        st.one_of(between, st.sampled_from([low, *knots])).filter(lambda t: low <= t <= high),
        max_size=5,
    )


@given(curves(), st.data())
def test_the_oslo_matrix_is_knot_after_knot_by_boehm_on_the_whole_row(case, data):
    degree, row, coef = case
    added = data.draw(more_knots(row, row[0], row[-1]))
    new, one_by_one = row, coef[None]
    for t in added:
        new, one_by_one = insert_knot(new, degree, one_by_one, t)

    at_once = refinement_matrix(row, degree, new) @ coef

    # a basis over an empty support is zero, whatever its coefficient
    lives = new[: -degree - 1] < new[degree + 1 :]
    np.testing.assert_allclose(
        at_once[lives], one_by_one[0, lives], rtol=0, atol=5e-15 * np.abs(coef).max()
    )


@given(curves(), st.data())
def test_the_blossom_of_all_pieces_is_the_oslo_algorithm_for_knots_added_anywhere(case, data):
    """Outer intervals are pieces too, so the curve is kept outside [a, b]."""
    degree, row, coef = case
    new = np.sort(np.concatenate([row, data.draw(more_knots(row, row[0], row[-1]))]))

    by_blossom = insert_knots(row[None], degree, coef[None, None], new[None])[0, 0]
    by_oslo = refinement_matrix(row, degree, new) @ coef

    lives = new[: -degree - 1] < new[degree + 1 :]
    np.testing.assert_allclose(
        by_blossom[lives], by_oslo[lives], rtol=0, atol=1e-13 * np.abs(coef).max()
    )


@given(curves(), st.data())
def test_blossom_boehm_and_oslo_agree_where_knots_are_added_inside_the_grid(case, data):
    degree, row, coef = case
    a, b = grid_ends(row, degree)
    # at 0 the next number would be nearer than knots may lie
    low, high = max(np.nextafter(a, b), a + 1e-100), min(np.nextafter(b, a), b - 1e-100)
    added = data.draw(more_knots(row, low, high))
    new, one_by_one = row, coef[None]
    for t in added:
        new, one_by_one = insert_knot(new, degree, one_by_one, t)

    by_blossom = blossom_coef(row[None], degree, coef[None, None], new[None])[0, 0]
    by_oslo = refinement_matrix(row, degree, new) @ coef

    lives = np.maximum(new[: -degree - 1], a) < np.minimum(new[degree + 1 :], b)
    np.testing.assert_allclose(
        by_blossom[lives], one_by_one[0, lives], rtol=0, atol=1e-13 * np.abs(coef).max()
    )
    np.testing.assert_allclose(
        by_blossom[lives], by_oslo[lives], rtol=0, atol=1e-13 * np.abs(coef).max()
    )


@given(curves(), st.data())
def test_rows_of_the_oslo_matrix_are_not_negative_and_sum_to_1_inside(case, data):
    degree, row, _ = case
    a, b = grid_ends(row, degree)
    new = np.sort(np.concatenate([row, data.draw(more_knots(row, row[0], row[-1]))]))

    matrix = refinement_matrix(row, degree, new)

    inside = (
        (new[: -degree - 1] >= a)
        & (new[degree + 1 :] <= b)
        & (new[: -degree - 1] < new[degree + 1 :])
    )
    assert matrix.min() >= 0.0
    np.testing.assert_allclose(matrix[inside].sum(axis=1), 1.0, rtol=0, atol=1e-14)


def test_inserting_into_a_quadratic_by_hand():
    """Knots 0 .. 5, new knot 2.5 in [2, 3): alpha_1 = 3/4, alpha_2 = 1/4, and coefficients 0 beyond the knot vector."""
    row, moved = insert_knot(np.arange(6.0), 2, [[8.0, 4.0, 16.0]], 2.5)

    np.testing.assert_array_equal(row, [0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(moved, [[8.0, 0.25 * 8 + 0.75 * 4, 0.75 * 4 + 0.25 * 16, 16.0]])


# --- rejected arguments

KNOTS, COEF = np.arange(6.0)[None], np.ones((1, 1, 3))
EMPTY_PIECE = np.array([[0.0, 1.0, 2.0, 2.0, 3.0, 4.0]])


NONE = np.zeros((1, 1, 2))


@for_all(
    ("arguments", "kind", "sentence"),
    [
        (
            (KNOTS, 2, np.ones((1, 1, 4)), [[0]], NONE),
            ValueError,
            r"coef has shape \(1, 1, 4\), but needs shape \(n_out, 1, 3\)",
        ),
        (
            (KNOTS, 2, COEF, [[0]], np.zeros((1, 1, 3))),
            ValueError,
            r"arguments has shape \(1, 1, 3\), but needs shape \(1, 1, 2\)",
        ),
        ((KNOTS, 2, COEF, [[0.0]], NONE), TypeError, "piece has dtype float64, but needs integers"),
        (
            (KNOTS, 2, COEF, [0], NONE),
            ValueError,
            r"piece has shape \(1,\), but needs shape \(1, n_new\)",
        ),
        (
            (KNOTS, 2, COEF, [[0], [0]], NONE),
            ValueError,
            r"piece has shape \(2, 1\), but needs shape \(1, n_new\)",
        ),
        (
            (KNOTS, 2, COEF, [[1]], NONE),
            ValueError,
            "piece is 1 at row 0, column 0, but the grid has 1 intervals, 0 to 0",
        ),
        (
            (KNOTS, 2, COEF, [[-1]], NONE),
            ValueError,
            "piece is -1 at row 0, column 0, but the grid has 1 intervals",
        ),
        (
            (EMPTY_PIECE, 1, np.ones((1, 1, 4)), [[1]], [[[0.5]]]),
            ValueError,
            "piece is 1 at row 0, column 0, but that interval is empty",
        ),
        ((KNOTS, 2, COEF, [[0]], [[[np.nan, 0.0]]]), ValueError, "arguments contains nan"),
        (
            (KNOTS[:, ::-1], 2, COEF, [[0]], NONE),
            ValueError,
            "knots must be nondecreasing along each row",
        ),
        ((KNOTS, -1, COEF, [[0]], NONE), ValueError, "degree is -1, but must be at least 0"),
    ],
)
def test_what_has_no_polar_form_is_refused(arguments, kind, sentence):
    with pytest.raises(kind, match=sentence):
        blossom(*arguments)


@for_all(
    ("function", "arguments", "sentence"),
    [
        (
            continued_values,
            (KNOTS, 2, COEF, [[1.0, 2.0]]),
            r"x has shape \(1, 2\), but needs shape \(batch, 1\)",
        ),
        (
            continued_values,
            (KNOTS, 3, COEF, [[1.0]]),
            "knots has 6 knots in a row, but degree 3 needs at least 8",
        ),
        (
            blossom_coef,
            (KNOTS, 2, COEF, KNOTS[:, :5]),
            "new_knots has 5 knots in a row, but degree 2 needs at least 6",
        ),
        (
            blossom_coef,
            (KNOTS, 2, COEF, np.repeat(KNOTS, 2, axis=0)),
            "new_knots has 2 rows, but knots has 1",
        ),
        (insert_knot, (KNOTS[0], 2, COEF[0], 5.5), "t is 5.5, but must be between 0 and 5"),
        (
            insert_knot,
            (KNOTS[0], 2, COEF[0, :, :2], 0.5),
            r"coef has shape \(1, 2\), but needs shape \(n_curves, 3\)",
        ),
        (insert_knot, (KNOTS, 2, COEF[0], 0.5), "knots has shape"),
        (
            refinement_matrix,
            (KNOTS[0], 2, np.arange(0.0, 6.0, 0.75)),
            "new_knots has 1.0 0 times, but knots has it 1 times",
        ),
        (
            refinement_matrix,
            ([0.0, 1.0, 1.0, 2.0], 0, [0.0, 1.0, 2.0]),
            "new_knots has 1.0 1 times, but knots has it 2",
        ),
        (refinement_matrix, (KNOTS[0], 2, KNOTS), "new_knots has shape"),
        (
            insert_knots,
            (KNOTS, 2, COEF, np.arange(0.0, 6.0, 0.75)[None]),
            "new_knots has 1.0 0 times, but knots has it 1 times, in row 0: every knot must stay",
        ),
        (
            insert_knots,
            (KNOTS[[0, 0]], 2, COEF[:, [0, 0]], np.stack([np.append(KNOTS, 5.0), [*range(6), 7]])),
            "new_knots reaches from 0.0 to 7.0 in row 1, but must not reach beyond knots, from 0.0",
        ),
        (
            insert_knots,
            (KNOTS, 2, COEF[:, :, :2], KNOTS),
            r"coef has shape \(1, 1, 2\), but needs shape \(n_out, 1, 3\)",
        ),
        (insert_knots, (KNOTS, 2, COEF, KNOTS[[0, 0]]), "new_knots has 2 rows, but knots has 1"),
    ],
)
def test_curves_and_rows_that_do_not_fit_are_refused(function, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        function(*arguments)
