"""Wide inputs and powers of inputs: models, splits and formulas."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.discovery.curves import name_curve
from kan_ref.discovery.linear_models import linear_models, simplest
from kan_ref.discovery.quotients import (
    power_factors,
    power_of_input,
    product_of_powers,
    without_powers,
)
from kan_ref.discovery.trees import values

RNG = np.random.default_rng
R = 8.314462618


def sampled(f, *box, n=1000, seed=0):
    low, high = np.array(box).T
    x = RNG(seed).uniform(low, high, (n, len(low)))
    return x, f(*x.T)


def test_logarithms_of_inputs_that_span_decades_are_columns_of_a_model():
    x, y = sampled(lambda t, c, d: t * np.log(c / d), (275, 350), (1e-3, 1), (1e-3, 1))

    models = linear_models(x, y)

    best = simplest(models)
    assert "logarithms" in best.what
    assert best.error <= 1e-12 * np.std(y)
    plain = [one for one in models if "logarithms" not in one.what]
    assert len(plain) == 2
    assert min(one.error for one in plain) > 1e-4 * np.std(y)
    np.testing.assert_allclose(best.f(x), y, rtol=1e-10, atol=1e-10 * np.std(y))


def test_inputs_of_a_narrow_range_or_any_sign_have_no_logarithm():
    x, y = sampled(lambda a, b: np.exp(a) / b, (-1, 1), (1.0, 4.0))

    assert not any("logarithms" in one.what for one in linear_models(x, y))


def test_weights_multiply_the_error_of_each_sample():
    x, y = sampled(lambda a, b: np.sin(9.0 * a) + b, (-1, 1), (0.0, 1.0), n=120)
    weight = np.ones(len(y))

    one = [model.error for model in linear_models(x, y, weight)]
    three = [model.error for model in linear_models(x, y, -3.0 * weight)]

    assert one == [model.error for model in linear_models(x, y)]
    np.testing.assert_allclose(three, 3.0 * np.array(one), rtol=1e-9)


@pytest.mark.parametrize(
    ("f", "box", "exponents"),
    [
        (
            lambda a, b, c: a**2 * np.sqrt(b) * np.sin(5.0 * c),
            [(0.1, 2), (0.1, 2), (0, 2)],
            {0: 2.0, 1: 0.5},
        ),
        (
            lambda a, e, t: a * np.exp(-e / (R * t)),
            [(1e10, 1e13), (4e4, 1e5), (280, 500)],
            {0: 1.0},
        ),
        (lambda a, b: np.sin(4.0 * a * b) / a, [(0.5, 3), (-1, 1)], {}),
    ],
)
def test_powers_that_are_factors_are_found_and_no_others(f, box, exponents):
    x, y = sampled(f, *box)

    best = simplest(linear_models(x, y))

    found, error = power_factors(best.f, x, y)

    assert found == exponents
    assert error < 0.8 * best.error if exponents else error >= best.error / 1.05


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_reason_to_split_off_a_power(seed):
    x, y = sampled(lambda a, b, c: np.exp(a) + b * c, (0.5, 3), (0.5, 3), (0.5, 3), seed=seed)
    noisy = y + 0.1 * np.std(y) * RNG(seed).standard_normal(len(y))

    found, _ = power_factors(simplest(linear_models(x, noisy)).f, x, noisy)

    assert found == {}


def test_a_product_without_its_powers_is_the_rest():
    x, y = sampled(lambda a, b, c: np.cos(b) * a**3 / np.sqrt(c), (1, 2), (0, 1), (1, 4), n=20)
    exponents = {0: 3.0, 2: -0.5}

    others, quotient, places = without_powers(x, y, exponents)

    assert list(places) == [1]
    np.testing.assert_array_equal(others, x[:, 1:2])
    np.testing.assert_allclose(quotient, np.cos(x[:, 1]), rtol=1e-14)
    np.testing.assert_allclose(values(product_of_powers(exponents), x) * quotient, y, rtol=1e-14)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 5.0, 6.0, 0.5, 2.5, -1.0, -0.5, -3.0])
def test_a_power_as_a_tree_has_the_values_of_the_power(exponent):
    x = RNG(0).uniform(0.5, 2.0, (9, 2))

    np.testing.assert_allclose(
        values(power_of_input(1, exponent), x), x[:, 1] ** exponent, rtol=1e-14
    )


@pytest.mark.parametrize(
    "f", [lambda h: 101325.0 * (1.0 - h / 44330.0) ** 5.2559, lambda h: -((h + 500.0) ** -1.7)]
)
def test_a_curve_that_is_any_power_of_a_line_has_that_name(f):
    x = np.linspace(0.0, 11000.0, 200)

    best = name_curve(x, f(x), error=0.0, is_whole=True)[0]

    assert best.rmse <= 1e-12 * np.std(f(x))
    assert best.complexity <= 20


@pytest.mark.parametrize(
    ("f", "box"),
    [
        (lambda a, e, t: a * np.exp(-e / (R * t)), [(1e10, 1e13), (4e4, 1e5), (280, 500)]),
        (
            lambda e, t, c, d: e + R * t / 192970.66424 * np.log(c / d),
            [(-1, 1), (275, 350), (1e-3, 1), (1e-3, 1)],
        ),
        (
            lambda i, j, k, s, v: v * s / (k * (1.0 + i / j) + s),
            [(0, 20), (1, 10), (0.5, 5), (0.1, 20), (1, 10)],
        ),
    ],
    ids=["Arrhenius", "Nernst", "competitive inhibition"],
)
def test_laws_with_wide_inputs_or_a_power_as_a_factor_are_found(f, box):
    x, y = sampled(f, *box)

    found = kr.discover(kr.Data(x, y[:, None], x, y[:, None]), rng=RNG(0))

    assert found.verdict.kind == "exact"
    new, truth = sampled(f, *box, seed=1)
    error = np.sqrt(np.mean((found.predict(new)[:, 0] - truth) ** 2))
    assert error <= 1e-9 * np.std(truth)
