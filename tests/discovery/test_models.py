"""Models of samples, and how functions of several inputs become simpler: quotients, splits, merges."""

import numpy as np
import sympy
from cases import for_all

from kan_ref.discovery.fits import never
from kan_ref.discovery.merges import merged
from kan_ref.discovery.models import TRANSFORMS, linear_models, model_of, network_model, simplest
from kan_ref.discovery.product_curves import product_curve
from kan_ref.discovery.quotients import quotient, quotients, simple_forms
from kan_ref.discovery.results import expression_of
from kan_ref.discovery.splits import PRICE, Surface, _misfits, find_splits, partitions
from kan_ref.discovery.trees import Input, values
from kan_ref.functions import lookup

RNG = np.random.default_rng


def sampled(f, *boxes, n=400, noise=0.0):
    """Samples of f in a box, with noise in units of their standard deviation."""
    low, high = np.array(boxes, dtype=float).T
    x = RNG(0).uniform(low, high, (n, len(boxes)))
    y = f(*x.T)
    return x, y + noise * np.std(y) * RNG(1).standard_normal(n)


# --- models


@for_all("degree", [1, 2, 3, 5])
def test_a_polynomial_of_a_degree_is_met_by_the_model_of_this_degree(degree):
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    coef = RNG(degree).uniform(0.5, 1.0, len(powers))
    x, y = sampled(
        lambda a, b: sum(c * a**i * b**j for c, (i, j) in zip(coef, powers, strict=True)),
        (-1, 1), (0, 3),
    )  # fmt: skip

    best = simplest(linear_models(x, y), 1e-13 * np.std(y))

    kind = "sum of curves" if degree == 1 else "polynomial"  # the plainer one of a line
    assert best.what == f"f as a {kind} of degree {degree}"
    assert best.n_numbers == (3 if degree == 1 else len(powers))
    np.testing.assert_allclose(best.f(x), y, atol=1e-10 * np.std(y))


@for_all("transform", TRANSFORMS)
def test_a_transform_its_slope_and_its_inverse_belong_together(transform):
    low, high = np.clip(transform.domain, -1.4, 1.4)
    f = np.linspace(low, high, 52)[1:-1]
    f = f[f > 0.0] if transform.inverse == "sqrt" else f  # of a square, the positive root

    difference = (transform.g(f + 1e-6) - transform.g(f - 1e-6)) / 2e-6
    np.testing.assert_allclose(np.ravel(transform.slope(f)), difference, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(lookup(transform.inverse).f(transform.g(f)), f, rtol=1e-12)
    assert transform.is_defined(1.0, f)


@for_all("what, f", [
    ("f^2 of f as a polynomial of degree 2", lambda a, b: np.hypot(a - b, 1.0 + a)),
    ("log of f as a sum of curves of degree 2", lambda a, b: np.exp(a**2 - b)),
    ("1/f of f as a sum of curves of degree 1", lambda a, b: 1.0 / (3.0 + a - 2.0 * b)),
])  # fmt: skip
def test_the_transform_after_which_a_function_is_plain_is_chosen(what, f):
    x, y = sampled(f, (-1, 1), (0.1, 1))

    best = simplest(linear_models(x, y), 1e-13 * np.std(y))

    assert best.what == what
    assert best.error < 1e-12


def test_noise_leads_to_the_simplest_model_whose_error_is_that_of_the_noise():
    x, y = sampled(lambda a, b: a + b**2, (-1, 1), (-1, 1), n=1000, noise=0.1)

    best = simplest(linear_models(x, y), 0.0)

    assert best.what.startswith("f as a sum of curves of degree")
    assert 0.08 < best.error / np.std(y) < 0.12


@for_all("n, n_in", [(6, 5), (20, 30), (40, 31), (40, 32)])
def test_models_have_at_most_as_many_columns_as_samples_to_train_on(n, n_in):
    x, y = sampled(lambda *x: np.sin(x[0]), *[(-1, 1)] * n_in, n=n)

    models = linear_models(x, y)

    assert bool(models) == (1 + n_in <= n - n // 5)
    assert all(np.isfinite(one.f(x)).all() for one in models)


def test_weights_multiply_the_error_of_each_sample():
    x, y = sampled(lambda a, b: np.sin(9.0 * a) + b, (-1, 1), (0, 1), n=120)

    one, four = (
        [model.error for model in linear_models(x, y, weight * np.ones(len(y)))]
        for weight in (1.0, -4.0)
    )

    assert four == [4.0 * error for error in one]  # a power of 2 changes no rounding


def test_a_network_is_a_model_in_the_units_of_the_samples():
    x, y = sampled(lambda a, b: 1e6 * np.tanh(a * b / 100.0), (0, 30), (0, 10))

    model, network, scaler = network_model(x, y, RNG(0), is_coarse=False)

    assert model.error < 0.01 * np.std(y)
    np.testing.assert_allclose(
        model.f(x), scaler.inverse_y(network(scaler.transform_x(x)))[:, 0], rtol=1e-12
    )
    assert network.widths == (2, 5, 1)
    near, *_ = model_of(x, x[:, 0] - x[:, 1], RNG(0), is_part=True)
    assert near.what == "f as a sum of curves of degree 1"


# --- quotients and simple forms


@for_all("text", ["(x**2*y - 1)/(y**2 + x + 5)", "sqrt((x + 2)/(y + 3))", "x*y - 3*x + 1/2"])
def test_a_quotient_of_polynomials_is_found_with_its_coefficients(text):
    true, symbols = sympy.sympify(text), sympy.symbols("x y")
    x, y = sampled(sympy.lambdify(symbols, true), (-1, 1), (-1, 1))

    best = min(quotients(x, y), key=lambda tree: len(str(tree)))

    found = sympy.nsimplify(expression_of(best, "xy"), rational=True, tolerance=1e-7)
    assert sympy.simplify(found - true) == 0


@for_all("f", [np.exp, np.cos, lambda x: np.exp(np.sin(x))])
def test_a_smooth_function_is_no_quotient_although_quotients_come_near_it(f):
    x, y = sampled(f, (-1, 1))

    assert quotient(x, y) is None


def test_a_quotient_of_one_input_may_have_the_degree_five():
    x, y = sampled(lambda x: (x**5 - 3.0 * x + 1.0) / (x**2 + 2.0), (-1, 1))

    np.testing.assert_allclose(values(quotient(x, y), x), y, atol=1e-12)


def test_a_quotient_is_found_although_the_first_samples_lie_on_a_line():
    x = np.stack(np.meshgrid(np.arange(1.0, 6.0), np.linspace(1, 2, 100), indexing="ij"), -1)
    x = x.reshape(500, 2)
    y = 20.0 - x[:, 0] - x[:, 0] * x[:, 1] / (1.0 + 0.5 * x[:, 0] ** 2)

    np.testing.assert_allclose(values(quotient(x, y), x), y, atol=1e-10)


def test_a_polynomial_beside_a_curve_of_a_product_of_lines_is_found():
    x, y = sampled(
        lambda x, y: 2.0 * x * y - y**2 + np.cos((x - 2.0) * (y + 1.0)), (-2, 3), (-2, 2)
    )

    inner, places, curve, misfit = product_curve(x, y)

    assert misfit < 1e-8
    np.testing.assert_allclose(values(inner, x), (x[:, 0] - 2.0) * (x[:, 1] + 1.0), atol=1e-6)
    line = np.polynomial.Polynomial.fit(places, curve - np.cos(places), 1)  # P takes up lines in h
    np.testing.assert_allclose(curve - np.cos(places), line(places), atol=1e-5)
    assert product_curve(x[:199], y[:199]) is None


@for_all("text", ["3*x - 2*y", "x*y**2 + 4", "7*x**2/sqrt(y)"])
def test_a_line_a_polynomial_and_a_product_of_powers_are_found_at_once(text):
    true, symbols = sympy.sympify(text), sympy.symbols("x y")
    x, y = sampled(sympy.lambdify(symbols, true), (1, 2), (1, 3))

    best = min(simple_forms(x, y), key=lambda tree: np.abs(values(tree, x) - y).max())

    found = sympy.nsimplify(expression_of(best, "xy"), rational=True, tolerance=1e-9)
    assert sympy.simplify(found - true) == 0


# --- splits


def surface(f, n_in, box=(-1.0, 1.0), error=1e-9):
    return Surface(lambda x: f(*x.T), RNG(3).uniform(*box, (300, n_in)), error)


@for_all("kind, f", [
    ("sum", lambda s, t: np.exp(s) + np.sin(t)),
    ("product", lambda s, t: (np.exp(s) + 1.0) * np.sin(t) + 0.7),
    ("affine", lambda s, t: np.exp(s) + np.cos(3.0 * s) * np.sin(t)),
])  # fmt: skip
def test_the_misfit_of_a_split_is_zero_for_functions_that_split_so_and_large_for_others(kind, f):
    s, t = RNG(0).uniform(-1.0, 1.0, (2, 50))
    s0, t0, t1 = 0.3, -0.2, 0.8

    def found(f):
        slices = f(s, t), f(s, t0), f(s0, t), f(s, t1), f(s0, t0), f(s0, t1)
        return {name: (k, misfit) for name, k, misfit in _misfits(*slices)}  # the last: any offset

    assert found(f)[kind][1] < 1e-13
    assert found(lambda s, t: np.sin(3.0 * s * t + s))[kind][1] > 0.05
    if kind == "product":
        np.testing.assert_allclose(found(f)[kind][0], 0.7, rtol=1e-10)


SPLITS = [
    ("sum", "f", ((0,), (1,)), lambda x, y: np.exp(x) + np.sin(3 * y)),
    ("product", "f", ((0,), (1,)), lambda x, y: np.exp(x) * (2 + np.sin(3 * y)) + 1.5),
    ("affine", "f", ((0,), (1,)), lambda x, y: np.sin(4 * x) + np.exp(x) * np.cos(y)),
    ("affine", "f", ((1,), (0,)), lambda x, y: np.sin(4 * y) + np.exp(y) * np.cos(x)),
    ("product", "log", ((0,), (1,)), lambda x, y: (1.5 + x) ** (2.0 + y)),
    ("sum", "1/f", ((0,), (1,)), lambda x, y: 1 / (3 + x**2 + np.sin(2 * y))),
    ("sum", "f^2", ((0,), (1,)), lambda x, y: -np.sqrt(3 + x**2 + np.sin(2 * y))),
    ("product", "sin", ((0,), (1,)), lambda x, y: np.arcsin(0.9 * np.cos(x) * np.sin(y))),
    ("sum", "1/f^2", ((0,), (1,)), lambda x, y: 1 / np.sqrt(3 + x**2 + np.sin(2 * y))),
    ("sum", "arctanh", ((0,), (1,)), lambda x, y: np.tanh(x**2 - np.sin(2 * y))),
    ("product", "logit", ((0,), (1,)), lambda x, y: 1 / (1 + (x + 2) ** -(y + 2))),
    ("product", "f", ((0, 2), (1,)), lambda x, y, z: np.sin(x + z**2) * np.exp(y)),
    ("sum", "f", ((0,), (1, 2)), lambda x, y, z: x**3 + np.sin(y * z + y)),
]  # fmt: skip


@for_all("kind, transform, parts, f", SPLITS)
def test_a_split_is_recognised_and_its_parts_give_the_function_again(kind, transform, parts, f):
    whole = surface(f, sum(map(len, parts)))

    best = find_splits(whole, RNG(0), never)[0]

    assert (best.kind, best.transform.name, (best.one, best.other)) == (kind, transform, parts)
    assert best.misfit < 1e-9
    # the parts in place of inputs: input k stands for the values of part k at all points
    x, surfaces = whole.points, best.parts(whole)
    inner = np.column_stack([part.f(x[:, list(places)]) for part, places in surfaces])
    tree = best.whole(whole, [Input(k) for k in range(len(surfaces))])
    np.testing.assert_allclose(values(tree, inner), whole.f(x), rtol=1e-7)


def test_no_split_of_a_function_that_has_none_is_near():
    found = find_splits(surface(lambda x, y: np.sin(3 * x * y + x), 2), RNG(0), never)

    assert min(split.misfit for split in found) > 0.1
    assert [one.rank for one in found] == sorted(one.rank for one in found)
    assert {one.kind for one in found} <= set(PRICE)


@for_all("n, smaller, count", [
    (2, 1, 1), (3, 1, 3), (5, 2, 15), (9, 4, 255), (12, 2, 78), (50, 1, 50),
])  # fmt: skip
def test_each_split_of_the_inputs_is_visited_once_of_many_inputs_those_with_small_parts(
    n, smaller, count
):
    found = list(partitions(n))

    assert len(found) == len(set(found)) == count
    assert max(min(len(one), len(other)) for one, other in found) == smaller
    assert all(sorted((*one, *other)) == list(range(n)) for one, other in found)


# --- merges


MERGES = [
    ("a power as a factor", lambda x, y: x**2 * np.exp(np.sin(y)), [(0.5, 2), (0, 2)], 1),
    ("a quotient", lambda x, y: np.sin(3 * x / y), [(1, 2), (1, 3)], 1),
    ("a product and a factor", lambda x, y: x * np.tanh(x * y), [(0.3, 2), (0.3, 2)], 1),
    ("a difference", lambda x, y: np.exp(-((x - 2 * y) ** 2)), [(-1, 1), (-1, 1)], 1),
    ("squares", lambda x, y: np.cos(x**2 + y**2), [(0.5, 1.5), (0.5, 1.5)], 1),
    ("a product of two", lambda x, y, z: np.exp(-x * y) * np.cos(3 * z), [(0.2, 1)] * 3, 2),
]


@for_all("what, f, boxes, n_inner", MERGES)
def test_a_symmetry_leaves_fewer_inputs_and_the_same_values(what, f, boxes, n_inner):
    x, y = sampled(f, *boxes, n=200)

    found = merged(lambda points: f(*points.T), x, y, np.inf, never)

    assert found.columns.shape[1] == n_inner
    assert found.error <= 1e-3 * np.std(y)
    inner = np.column_stack([values(tree, x) for tree in found.inputs])
    np.testing.assert_allclose(found.columns, inner, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.weight, values(found.before, x), rtol=1e-12)
    model = found.weight * found.model.f(found.columns)
    assert np.sqrt(np.mean((model - y) ** 2)) <= 1e-3 * np.std(y)


def test_what_a_symmetry_leaves_does_not_change_with_the_scale():
    """(D36): the inputs of g have the same values at x_i s^{a_i}, and the factor becomes s^c times as large."""

    def f(x, y, z):
        return y**2 * np.sin(x * y) * np.exp(z / y)

    x, y = sampled(f, (0.5, 2), (0.5, 2), (0.5, 2))
    found = merged(lambda points: f(*points.T), x, y, np.inf, never)
    moved = x * 1.7 ** np.array([-1.0, 1.0, 1.0])

    for tree in found.inputs:
        np.testing.assert_allclose(values(tree, moved), values(tree, x), rtol=1e-12)
    np.testing.assert_allclose(values(found.before, moved), 1.7**2 * found.weight, rtol=1e-12)


@for_all(
    "f", [lambda x, y: np.sin(2 * x) + y**3 + 1.0, lambda x, y: np.exp(x) / (3.0 + np.cos(3 * y))]
)
def test_no_symmetry_is_claimed_where_there_is_none(f):
    x, y = sampled(f, (-1, 1), (-1, 1))

    assert merged(lambda points: f(*points.T), x, y, np.inf, never) is None


def test_noise_is_no_reason_to_divide_by_a_power():
    x, y = sampled(lambda a, b, c: np.exp(a) + b * c, *[(0.5, 3)] * 3, noise=0.1)
    model = simplest(linear_models(x, y), 0.0)

    assert merged(model.f, x, y, 0.0, never) is None
