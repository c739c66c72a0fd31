"""The search for y ~ c f(a x + b) + d by variable projection: exact on clean curves, in one form, inside the domain, at every scale.

It is no worse than a second opinion. Steps are those of normal equations for one line at a time.
"""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.special import j0, j1, jv

import kan_ref as kr
from benchmarks.symbolic_search import draw_curve
from kan_ref.functions.library import LIBRARY, register_function, same_family, unregister_function
from kan_ref.functions.record import Redundancy, singular_points
from kan_ref.symbolic.affine_fit import fit_affine
from kan_ref.symbolic.canonical import canonical_affine
from kan_ref.symbolic.inner_lines import Chart, between, free_number, line_ends, line_starts
from kan_ref.symbolic.ranking import rank_functions
from kan_ref.symbolic.variable_projection import _project, _step, best_line, misfits, polish

# --- the search for y ~ c f(a x + b) + d: exact on clean curves, in one form, inside the domain, no worse than a second opinion

NAMES = tuple(name for name in LIBRARY if name not in ("0", "x"))
SEARCHED = tuple(name for name in NAMES if name != "sgn")


def curve(name, affine, x):
    """By definition."""
    a, b, c, d = affine
    return c * LIBRARY[name].f(a * x + b) + d


def points(seed=0, n=1000, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, n)


def relative(fit, y):
    """Misfit in units of the spread of y."""
    return fit.rms / np.std(y)


def line_inside(function, rng, x):
    """a, b that keep the samples well inside the domain and on one side of all singular points."""
    low, high = max(function.domain[0], -1.5), min(function.domain[1], 1.5)
    if function.singular and function.name != "tan":
        low = 0.2
    p, q = rng.uniform(low + 0.05, high - 0.05, 2)
    a = (q - p) / (x.max() - x.min())
    return a, p - a * x.min()


# --- one curve, one name for it


@for_all("name", LIBRARY)
@for_all("seed", range(6))
def test_the_canonical_form_is_the_same_curve_and_its_own_canonical_form(name, seed):
    rng, x = np.random.default_rng(seed), points(seed, 50, -2.0, 3.0)
    affine = (*line_inside(LIBRARY[name], rng, x), rng.normal(), rng.normal())

    canonical = canonical_affine(LIBRARY[name], affine)

    np.testing.assert_allclose(curve(name, canonical, x), curve(name, affine, x), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(canonical_affine(LIBRARY[name], canonical), canonical, rtol=1e-14, atol=1e-14)


@for_all(
    ("name", "affine", "canonical"),
    [
        ("sin", (-2.0, 0.5, 3.0, 1.0), (2.0, np.pi - 0.5, 3.0, 1.0)),
        ("sin", (2.0, -1e-15, 3.0, 1.0), (2.0, 0.0, 3.0, 1.0)),
        ("cos", (-2.0, 7.0, 3.0, 1.0), (2.0, 3.0 * np.pi - 7.0, -3.0, 1.0)),
        ("tan", (-1.0, 2.0, 3.0, 1.0), (1.0, np.pi - 2.0, -3.0, 1.0)),
        ("exp", (0.5, np.log(2.0), 3.0, 1.0), (0.5, 0.0, 6.0, 1.0)),
        ("log", (-4.0, 8.0, 3.0, 1.0), (-1.0, 2.0, 3.0, 1.0 + 3.0 * np.log(4.0))),
        ("x^2", (-4.0, 8.0, 3.0, 1.0), (1.0, -2.0, 48.0, 1.0)),
        ("x^3", (-2.0, 1.0, 3.0, 1.0), (1.0, -0.5, -24.0, 1.0)),
        ("1/x^3", (-2.0, 1.0, 8.0, 1.0), (1.0, -0.5, -1.0, 1.0)),
        ("sqrt", (-4.0, 8.0, 3.0, 1.0), (-1.0, 2.0, 6.0, 1.0)),
        ("abs", (-4.0, 8.0, 3.0, 1.0), (1.0, -2.0, 12.0, 1.0)),
        ("sgn", (-4.0, 8.0, 3.0, 1.0), (1.0, -2.0, -3.0, 1.0)),
        ("arccos", (-1.0, 0.5, 2.0, 1.0), (1.0, -0.5, -2.0, 1.0 + 2.0 * np.pi)),
        ("sigmoid", (-1.0, 0.5, 2.0, 1.0), (1.0, -0.5, -2.0, 3.0)),
        ("x", (2.0, 1.0, 3.0, 4.0), (1.0, 0.0, 6.0, 7.0)),
        ("0", (2.0, 1.0, 3.0, 4.0), (1.0, 0.0, 0.0, 4.0)),
        ("tanh", (0.0, 1.0, 3.0, 4.0), (0.0, 1.0, 3.0, 4.0)),
        ("exp", (1.0, -900.0, 3.0, 4.0), (1.0, -900.0, 3.0, 4.0)),
        ("x^5", (1e200, 0.0, 3.0, 4.0), (1e200, 0.0, 3.0, 4.0)),
    ],
)
def test_canonical_forms_by_hand(name, affine, canonical):
    assert canonical_affine(LIBRARY[name], affine) == pytest.approx(canonical, rel=1e-14, abs=1e-14)


# --- what is searched, and by what


@for_all("chart", [Chart("zero"), Chart("side"), Chart("scale")])
@for_all("bounds", [(-np.inf, np.inf), (-1.0, 1.0), (0.5, np.inf), (-np.inf, -0.5)])
def test_slopes_of_line_ends_are_their_central_differences(chart, bounds):
    rng = np.random.default_rng(0)

    for one, n_free in ((chart, 1), (Chart("ends", *bounds), 2)):
        theta, direction = rng.normal(size=(7, n_free)), rng.normal(size=(7, n_free))
        _, slopes = line_ends(one, theta)
        difference = (line_ends(one, theta + 1e-6 * direction)[0] - line_ends(one, theta - 1e-6 * direction)[0]) / 2e-6
        np.testing.assert_allclose(np.einsum("sek,sk->se", slopes, direction), difference, rtol=0, atol=1e-8)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-1.0, 1.0), (0.5, np.inf), (-np.inf, 4.5)])
def test_numbers_between_bounds_have_a_free_number_and_free_numbers_stay_between_bounds(bounds):
    chart, values = Chart("ends", *bounds), np.array([0.5, 0.7, 0.999, 1.0])

    np.testing.assert_allclose(between(chart, free_number(chart, values))[0], values, rtol=1e-14)
    free, _ = between(chart, np.linspace(-50.0, 50.0, 1001))
    assert bounds[0] <= free.min()
    assert free.max() <= bounds[1]


@for_all("name", [name for name in SEARCHED if LIBRARY[name].domain != (-np.inf, np.inf) or LIBRARY[name].singular])
def test_no_start_leaves_the_domain(name):
    t = np.linspace(-1.0, 1.0, 300)

    for starts in line_starts(LIBRARY[name], t, t**3):
        assert np.isfinite(misfits(LIBRARY[name], starts.chart, starts.theta, t, t**3)).mean() > 0.95


@pytest.mark.parametrize("name", ["x^3", "sqrt", "1/x", "exp", "tanh", "arcsin", "sin"])
def test_steps_only_ever_gain_and_end_where_the_misfit_is_flat(name):
    rng, t = np.random.default_rng(0), np.linspace(-1.0, 1.0, 100)
    z = LIBRARY[name].f(0.4 * t + 0.55) + 0.01 * rng.standard_normal(100)
    z = (z - z.mean()) / z.std()
    starts = line_starts(LIBRARY[name], t, z)[0]
    misfit = misfits(LIBRARY[name], starts.chart, starts.theta, t, z)
    some = np.argsort(misfit)[:40]

    theta, after = polish(LIBRARY[name], starts.chart, starts.theta[some], t, z, n_steps=200, least_gain=1e-14)

    assert np.all(after <= misfit[some])
    best = theta[[int(np.argmin(after))]]
    for direction in np.eye(theta.shape[1]):
        below, here, above = (
            misfits(LIBRARY[name], starts.chart, best + h * direction, t, z)[0] for h in (-1e-3, 0.0, 1e-3)
        )
        assert abs(above - below) < 1e-2 * (above - 2.0 * here + below)


def test_the_sine_has_a_start_near_every_frequency_up_to_half_a_turn_a_sample():
    t = np.linspace(-1.0, 1.0, 101)

    for omega in (0.5, 3.0, 15.0, 80.0, 150.0):
        z = 3.0 * np.sin(omega * t + 1.0)
        (starts,) = line_starts(LIBRARY["sin"], t, z)
        best = np.argmin(misfits(LIBRARY["sin"], starts.chart, starts.theta, t, z - z.mean()))
        p, q = starts.theta[best]
        assert 0.5 * (q - p) == pytest.approx(omega, abs=0.2)


# --- exact on clean curves


@for_all(
    ("name", "affine"),
    [
        ("x", (1.0, 0.0, -2.0, 3.0)),
        ("x^2", (1.0, 0.0, 1.0, 0.0)),
        ("x^2", (1.0, -0.3, -2.0, 1.0)),
        ("exp", (1.5, 0.0, 2.0, -1.0)),
        ("sin", (np.pi, 0.0, 1.0, 0.0)),
        ("sin", (15.0, 1.0, 2.0, 0.0)),
        ("sin", (150.0, 1.0, 2.0, 0.0)),
        ("cos", (np.pi, 0.0, -1.0, 2.0)),
        ("log", (1.0, 1.5, 3.0, 1.0)),
        ("sqrt", (-1.0, 1.2, 3.0, 1.0)),
        ("tanh", (80.0, -24.0, 1.0, 0.0)),
        ("gaussian", (60.0, 18.0, 1.0, 0.0)),
        ("abs", (1.0, 0.25, -1.0, 2.0)),
        ("arctan", (5.0, 0.5, 1.0, 0.0)),
        ("1/x^2", (1.0, -1.2, 1.0, 0.0)),
    ],
)
def test_the_very_parameters_of_a_canonical_curve_come_back(name, affine):
    x = points(1)

    fit = fit_affine(x, curve(name, affine, x), name)

    assert fit.affine == pytest.approx(affine, rel=1e-11, abs=1e-11)


@for_all("scale", [1e-100, 1e-5, 1e100])
@for_all("width", [1e-100, 1e100])
def test_no_scale_of_x_or_y_is_special(scale, width):
    x = points(4, 300)
    y = np.exp(-x) + 0.01 * np.cos(40.0 * x)
    plain = fit_affine(x, y, "exp")

    fit = fit_affine(width * x, scale * y, "exp")

    assert fit.r2 == pytest.approx(plain.r2, rel=1e-12)
    assert (fit.a * width, fit.b, fit.c / scale, fit.d / scale) == pytest.approx(plain.affine, rel=1e-5)
    assert fit.rms / scale == pytest.approx(plain.rms, rel=1e-11)


@given(st.floats(-50.0, 50.0), st.floats(-50.0, 50.0), st.booleans())
def test_moving_and_mirroring_the_data_moves_and_mirrors_the_curve(right, up, mirrored):
    x = points(5, 100)
    y = np.tanh(2.0 * x + 1.0) + 0.05 * np.cos(9.0 * x)
    plain = fit_affine(x, y, "tanh")
    sign = -1.0 if mirrored else 1.0

    fit = fit_affine(sign * x + right, y + up, "tanh")

    assert fit.rms == pytest.approx(plain.rms, rel=1e-7)
    np.testing.assert_allclose(fit(sign * x + right), plain(x) + up, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "affine"),
    [
        ("sqrt", (1.0, 0.0, 1.0, 0.0)),
        ("sqrt", (-1.0, 1.0, 3.0, 1.0)),
        ("x^1.5", (1.0, 0.0, 1.0, 0.0)),
        ("arcsin", (2.0, -1.0, 1.0, 0.0)),
        ("arccos", (2.0, -1.0, -2.0, 0.0)),
        ("arcsin", (1.0, 0.0, 1.0, 0.0)),
    ],
)
def test_a_curve_whose_slope_is_infinite_at_a_sample_is_found_exactly(name, affine):
    x = np.linspace(0.0, 1.0, 201)

    fit = fit_affine(x, curve(name, affine, x), name)

    assert fit.affine == pytest.approx(affine, rel=1e-13, abs=1e-13)


@for_all("seed", range(20))
def test_the_zero_of_a_root_is_the_very_sample_where_it_lies_and_no_sample_is_lost_to_rounding(seed):
    rng = np.random.default_rng(seed)
    low, width = rng.uniform(-3.0, 3.0), 10.0 ** rng.uniform(-2.0, 2.0)
    x = np.linspace(low, low + width, 41)
    root = fit_affine(x, np.sqrt(np.maximum(3.7 * (x - x[0]), 0.0)), "sqrt")
    arc = fit_affine(x, np.arcsin(np.linspace(-1.0, 1.0, 41)), "arcsin")

    assert root.b == -x[0]
    assert root.rms < 1e-14 * root(x).max()
    assert arc.rms < 1e-7


# --- with noise


@pytest.mark.long
@for_all("name", SEARCHED)
def test_no_second_opinion_that_starts_from_the_truth_is_nearer(name):
    rng = np.random.default_rng(6)
    drawn = draw_curve(name, rng, 300)
    y = drawn.y + 0.02 * np.std(drawn.y) * rng.standard_normal(300)
    truth = fit_affine(drawn.x, drawn.y, name)

    def residual(affine):
        return np.nan_to_num((y - curve(name, affine, drawn.x)) / np.std(y), nan=1e3)

    other = least_squares(
        residual, truth.affine, x_scale=np.abs(truth.affine) + 1e-3, xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    ours = fit_affine(drawn.x, y, name)

    assert relative(ours, y) <= np.sqrt(2.0 * other.cost / 300) * (1.0 + 1e-7)


@given(
    st.lists(st.tuples(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0)), min_size=1, max_size=12),
    st.sampled_from(["sqrt", "log", "1/x", "1/x^4", "1/sqrt", "arcsin", "arctanh", "tan", "x^1.5", "gaussian", "sgn"]),
)
def test_whatever_the_samples_the_curve_has_a_value_on_all_of_them_and_is_no_worse_than_their_mean(samples, name):
    x, y = np.array(samples).T

    fit = fit_affine(x, y, name)

    assert np.isfinite([*fit.affine, fit.r2, fit.rms]).all()
    assert np.isfinite(fit(x)).all()
    assert fit.rms <= np.std(y) * (1.0 + 1e-12) + 1e-14


# --- r2, constants


@for_all("name", [name for name in SEARCHED if LIBRARY[name].singular])
def test_no_curve_has_a_pole_between_samples(name):
    x = np.linspace(-1.0, 1.0, 100)
    for y in (1.0 / (x - 0.005), 1.0 / np.abs(x - 0.005), np.tan(3.0 * x)):
        fit = fit_affine(x, y, name)
        u = np.sort(fit.a * np.array([-1.0, 1.0]) + fit.b)
        assert singular_points(LIBRARY[name], *u).size == 0


def test_a_step_lies_between_the_samples_where_it_saves_most():
    rng, x = np.random.default_rng(3), np.sort(points(3, 60))
    y = np.where(x > 0.2, 1.0, -2.0) + 0.5 * rng.standard_normal(60)
    splits = [np.sum((y[:k] - y[:k].mean()) ** 2) + np.sum((y[k:] - y[k:].mean()) ** 2) for k in range(1, 60)]

    fit = fit_affine(x, y, "sgn")

    assert 60.0 * fit.rms**2 == pytest.approx(min(splits))


@pytest.mark.parametrize(
    ("x", "y", "error"),
    [([0.0, 1.0], [1.0], ValueError), ([0.0, np.nan], [1.0, 2.0], ValueError), ([], [], ValueError)],
)
def test_samples_that_do_not_match_or_are_not_finite_are_refused(x, y, error):
    with pytest.raises(error):
        fit_affine(x, y, "exp")


def test_r2_has_no_scale_and_can_be_low():
    x, rng = points(7, 500), np.random.default_rng(7)
    y = np.sin(3.0 * x) + rng.standard_normal(500)

    fits = [fit_affine(x, scale * y, "sin") for scale in (1e-8, 1.0, 1e8)]

    assert fits[0].r2 == pytest.approx(1.0 - np.sum((y - fits[1](x)) ** 2) / np.sum((y - y.mean()) ** 2), rel=1e-9)
    assert 0.1 < fits[0].r2 < 0.9
    assert [fit.r2 for fit in fits] == pytest.approx([fits[0].r2] * 3, rel=1e-10)


@for_all("name", LIBRARY)
@for_all("value", [3.3, 0.0, -1e-7])
def test_a_constant_is_reproduced_by_every_function_with_c_zero(name, value):
    x = points(8, 50, -5.0, 40.0)

    fit = fit_affine(x, np.full(50, value), name)

    assert fit.c == 0.0
    assert (fit.d, fit.r2) == (pytest.approx(value, rel=1e-15), 1.0)
    assert np.isfinite(LIBRARY[name].f(fit.a * x + fit.b)).all()


# --- poles


# --- functions of one's own


@pytest.fixture(params=[None, Redundancy(parity=1)])
def bessel(request):
    """J0 as users register it."""
    slopes = (lambda u: -j1(u), lambda u: 0.5 * (jv(2, u) - j0(u)), lambda u: 0.25 * (3.0 * j1(u) - jv(3, u)))
    yield register_function("J0", j0, *slopes, complexity=3, redundancy=request.param)
    unregister_function("J0")


@pytest.mark.long
@pytest.mark.usefixtures("bessel")
@pytest.mark.parametrize("affine", [(20.0, 0.0, 1.0, 0.0), (12.0, 3.0, 2.0, -1.0), (35.0, 4.0, 1.0, 0.0)])
def test_a_registered_function_that_oscillates_is_found(affine):
    x = points(12, 500)
    y = affine[2] * j0(affine[0] * x + affine[1]) + affine[3]

    assert relative(fit_affine(x, y, "J0"), y) <= 1e-12
    assert rank_functions(x, y, ("x", "sin", "J0", "gaussian"))[0].name == "J0"


# --- the ranking


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "n_intervals", "size"),
    [("x^2", 10, 1e-5), ("sin", 10, 1e-3), ("exp", 20, 1e-5), ("x^3", 20, 1e-5), ("x", 20, 1e-6)],
)
def test_curves_out_of_a_spline_get_the_name_of_what_it_approximates(name, n_intervals, size):
    """A smooth misfit is not noise: x^2 would become cosh, whose extra parameter takes up a part of it."""
    rng, x = np.random.default_rng(23), points(23)
    clean = LIBRARY[name].f(3.0 * x if name == "sin" else x)
    knots = kr.uniform_knots(-1.0, 1.0, n_intervals, 3)
    basis = kr.bspline.basis(x[:, None], np.atleast_2d(knots), 3)[:, 0]
    coef = np.linalg.lstsq(basis, clean, rcond=None)[0] + size * np.std(clean) * rng.standard_normal(basis.shape[1])

    fits = rank_functions(x, basis @ coef)

    assert same_family(fits[0].name, name)
    assert fits[0].rms > 0.1 * size * np.std(clean)


def test_the_score_by_hand():
    """Two samples up, two down: the line's residual has 4 runs, so that n_eff is n = 4, and misfit 4/5 of the variance."""
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, -1.0, 1.0, -1.0])

    line, constant = rank_functions(x, y, ["x", "0"])[::-1]
    (line, constant) = (line, constant) if line.name == "x" else (constant, line)

    assert line.score == pytest.approx(4.0 * np.log(0.8) + 2.0 * np.log(4.0) + 3.0)
    assert constant.score == pytest.approx(4.0 * np.log(1.0) + 1.0 * np.log(4.0))


# --- the door


def test_the_order_of_samples_does_not_matter():
    x = points(29, 200)
    y, order = np.exp(x) + 0.1 * x**2, np.random.default_rng(29).permutation(200)

    assert fit_affine(x, y, "exp").affine == pytest.approx(fit_affine(x[order], y[order], "exp").affine, rel=1e-9)


# --- the search for an affine fit by variable projection, and its results at every scale and place of the samples

CHARTS = {
    "x^2": Chart("zero"),
    "exp": Chart("scale"),
    "tanh": Chart("ends"),
    "sin": Chart("ends"),
    "sqrt": Chart("ends", 0.0, np.inf),
    "arcsin": Chart("ends", -1.0, 1.0),
}


def standard(z):
    return (z - z.mean()) / z.std()


def problem(name, seed, n=40, noise=0.05, n_lines=6):
    """Samples of a curve with noise, and lines that are not far from it."""
    rng = np.random.default_rng(seed)
    t = np.concatenate([[-1.0], np.sort(rng.uniform(-1.0, 1.0, n - 2)), [1.0]])
    chart = CHARTS[name]
    n_free = 2 if chart.kind == "ends" else 1
    truth = rng.uniform(0.3, 1.2, (1, n_free)) * [1.0, -1.0][:n_free]
    p, q = line_ends(chart, truth)[0][0]
    z = LIBRARY[name].f(0.5 * p * (1.0 - t) + 0.5 * q * (1.0 + t))
    z = standard(standard(z) + noise * rng.standard_normal(n))
    return chart, truth + rng.uniform(-0.4, 0.4, (n_lines, n_free)), t, z


# --- one line at a time, with normal equations


def one_state(function, chart, theta, t, z):
    """u, centred f(u), c, residual and its sum of squares: (S14) by a solver of its own."""
    p, q = line_ends(chart, theta[None])[0][0]
    u = p * (1.0 - t) / 2.0 + q * (1.0 + t) / 2.0
    g = function.f(u) - function.f(u).mean()
    c = float(np.linalg.lstsq(g[:, None], z, rcond=None)[0][0])
    return u, g, c, z - c * g, float(np.sum((z - c * g) ** 2))


def one_step(function, chart, theta, t, z, lam):
    """(S15) and (S16), as they stand."""
    u, g, c, r, _ = one_state(function, chart, theta, t, z)
    slopes = line_ends(chart, theta[None])[1][0]
    columns = []
    for by_p, by_q in slopes.T:
        column = function.d1(u) * (by_p * (1.0 - t) / 2.0 + by_q * (1.0 + t) / 2.0)
        design = np.stack([np.ones_like(t), g], axis=1)
        columns.append(-c * (column - design @ np.linalg.lstsq(design, column, rcond=None)[0]))
    jacobian = np.stack(columns, axis=1)
    square = jacobian.T @ jacobian
    return -np.linalg.solve(square + lam * np.diag(np.diag(square)), jacobian.T @ r)


@for_all("name", CHARTS)
@for_all("lam", [1e-3, 0.5, 30.0])
def test_steps_are_those_of_the_damped_normal_equations(name, lam):
    chart, theta, t, z = problem(name, 0)
    state = _project(LIBRARY[name], chart, theta, t, z)

    steps = _step(LIBRARY[name], chart, theta, t, state, np.full(len(theta), lam))

    expected = [one_step(LIBRARY[name], chart, one, t, z, lam) for one in theta]
    np.testing.assert_allclose(steps, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", CHARTS)
def test_the_state_of_a_line_is_the_best_multiple_of_its_centred_curve(name):
    chart, theta, t, z = problem(name, 1)

    u, g, size, c, r, misfit = _project(LIBRARY[name], chart, theta, t, z)

    for n, one in enumerate(theta):
        expected = one_state(LIBRARY[name], chart, one, t, z)
        for own, other in zip((u[n], g[n], c[n], r[n], misfit[n]), expected, strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-12)
        assert size[n] == pytest.approx(g[n] @ g[n])
    np.testing.assert_array_equal(misfits(LIBRARY[name], chart, theta, t, z), misfit)


# --- the best line


def random_samples(seed, n):
    rng = np.random.default_rng(seed)
    t = np.concatenate([[-1.0], np.sort(rng.uniform(-1.0, 1.0, n - 2)), [1.0]])
    return t, rng


@for_all("n", [60, 300, 2500])
@for_all("name", ["exp", "tanh", "gaussian", "x^3"])
def test_the_best_line_is_stationary_on_all_samples_to_1e_6(name, n):
    t, rng = random_samples(7, n)
    z = standard(LIBRARY[name].f(1.3 * t + 0.4) + 0.1 * rng.standard_normal(n))

    p, q = best_line(LIBRARY[name], t, z)

    u = p * (1.0 - t) / 2.0 + q * (1.0 + t) / 2.0
    design = np.stack([LIBRARY[name].f(u), np.ones(n)], axis=1)
    (c, _), *_ = np.linalg.lstsq(design, z, rcond=None)
    rest = z - design @ np.linalg.lstsq(design, z, rcond=None)[0]
    for change in (t, np.ones(n)):
        column = c * LIBRARY[name].d1(u) * change
        assert abs(rest @ column) < 2e-6 * np.linalg.norm(rest) * np.linalg.norm(column)
