"""Training in the explorer, under node: gradients against differences and kan_ref, Adam, refinement, pruning, names, formulas as text."""

from itertools import pairwise

import numpy as np
import pytest
from networks import random_network, with_formulas
from test_explorer import EXPLORER, ask, document, numbers, rows

import kan_ref as kr
from kan_ref.functions.library import BUILT_IN, LIBRARY
from kan_ref.optimizers import Steps

RNG = np.random.default_rng


def cases():
    """Networks of splines and of splines and formulas, with samples inside and outside their grids, where all is defined."""
    for seed in range(12):
        net = random_network(RNG(seed), degrees=range(1, 6), widths=(2, 4, 3, 2)[: 2 + seed % 3])
        if seed % 2:
            net = with_formulas(RNG(seed), net, share=0.4)
        x = RNG(50 + seed).uniform(-1.5, 1.5, (40, 2))
        with np.errstate(all="ignore"):
            x = x[np.isfinite(net(x)).all(axis=1)] if not seed % 2 else defined(net, x)
        yield net, x, RNG(90 + seed).normal(size=(len(x), net.widths[-1]))


def defined(net, x):
    kept = []
    for row in x:
        try:
            kept.append(row) if np.isfinite(net(row[None])).all() else None
        except ValueError:  # a formula has no value there
            continue
    return np.array(kept)


CASES = [case for case in cases() if len(case[1]) >= 5]


@pytest.mark.parametrize("widths", [(2, 1), (2, 5, 1), (2, 3, 3, 1)], ids=str)
def test_gradients_are_differences_to_1e_8(widths):
    (found,) = ask(("checkFresh", widths, 3))

    gradient, differences = numbers(found["gradient"]), numbers(found["differences"])
    assert len(gradient) == sum(m * n * 9 for m, n in pairwise(widths))
    assert np.abs(gradient - differences).max() <= 1e-8 * np.abs(gradient).max()


@pytest.mark.parametrize("penalty", [0.0, 0.03])
def test_value_and_gradient_are_those_of_kan_ref(penalty):
    answers = ask(*(("gradient", document(net), x, y, penalty) for net, x, y in CASES))

    assert len(CASES) >= 9
    for found, (net, x, y) in zip(answers, CASES, strict=True):
        value, gradient = kr.value_and_grad(net, x, y, penalty=penalty)
        assert found["value"] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(
            numbers(found["gradient"]), gradient, rtol=0.0, atol=1e-11 * np.abs(gradient).max()
        )


def test_fifty_steps_of_adam_are_those_of_kan_ref():
    net = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    x = RNG(1).uniform(-1.0, 1.0, (80, 2))
    y = np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)

    (found,) = ask(("adam", document(net), x, y, 50, 0.02, 0.001))

    points = kr.adam(
        lambda theta: kr.value_and_grad(net.with_theta(theta), x, y, penalty=0.001),
        net.theta,
        learning_rate=0.02,
    )
    theta = Steps(points, 50).last().theta
    np.testing.assert_allclose(numbers(found), theta, rtol=0.0, atol=1e-9)
    assert np.abs(theta - net.theta).max() > 0.1


@pytest.mark.parametrize("degree", range(1, 6))
def test_bases_of_a_column_are_those_of_one_point_at_a_time(degree):
    cases = list(rows(degree))

    answers = ask(*(("liveColumn", row, degree, x) for row, x in cases))

    for found, (row, x) in zip(answers, cases, strict=True):
        first = np.array(found["first"])
        size = len(row) - degree - 1
        for name, derivative in (("values", 0), ("slopes", 1)):
            live = numbers(found[name]).reshape(len(x), degree + 1)
            whole = np.zeros((len(x), size))
            for r in range(degree + 1):
                own = (first + r >= 0) & (first + r < size)
                whole[np.flatnonzero(own), first[own] + r] = live[own, r]
            expected = kr.bspline.basis(x[:, None], row[None], degree, derivative)[:, 0]
            np.testing.assert_allclose(
                whole, expected, rtol=0.0, atol=1e-13 * np.abs(expected).max()
            )


NAMES = sorted(BUILT_IN)


@pytest.mark.parametrize("number", range(len(NAMES)))  # "1/x" is not a name of a test
def test_every_function_of_the_library_has_its_first_derivative(number):
    name = NAMES[number]
    u = np.linspace(-3.03, 3.01, 121)
    u = u[np.isfinite(LIBRARY[name].f(u)) & np.isfinite(LIBRARY[name].d1(u))]

    (found,) = ask(("derivative", name, u))

    assert len(u) >= 15
    np.testing.assert_allclose(numbers(found), LIBRARY[name].d1(u), rtol=2e-14, atol=1e-15)


def test_halved_intervals_are_those_of_kan_ref_and_keep_the_function():
    net = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(4))

    (layers,) = ask(("halve", document(net)))

    expected = kr.extend_grid(net, n_intervals=10)
    for found, layer in zip(layers, expected.layers, strict=True):
        assert found["nIntervals"] == 10
        np.testing.assert_allclose(numbers(found["knots"]), layer.knots, rtol=0.0, atol=1e-14)
        np.testing.assert_allclose(numbers(found["coef"]), layer.coef, rtol=0.0, atol=1e-14)


def test_weak_edges_go_and_with_them_edges_that_lead_nowhere():
    net = kr.init_network((2, 3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(5))
    scores = [[[0.5, 0.01], [0.02, 0.01], [0.3, 0.4]], [[0.6, 0.7, 0.001]]]

    (first, last) = ask(("pruned", document(net), scores, 0.1))[0]

    # node 1 has no edge in, so its edge out goes; node 2 has no edge out, so its edges in go
    assert first["mask"] == [[1, 0], [0, 0], [0, 0]]
    assert last["mask"] == [[1, 0, 0]]


def test_named_edges_compute_the_same_function():
    net = kr.init_network((2, 1), n_intervals=10, degree=3, domain=(-1.0, 1.0), rng=RNG(6))
    x = RNG(7).uniform(-1.0, 1.0, (300, 2))
    y = np.sin(3.0 * x[:, :1]) + np.exp(x[:, 1:])
    net = kr.fit(net, kr.Data(x, y, x, y), n_steps=30).network

    (found,) = ask(("named", document(net), x))

    assert found["names"] == ["sin", "exp"]
    assert np.sqrt(np.mean((numbers(found["outputs"]) - y) ** 2)) < 2e-3


def test_a_new_network_starts_as_the_paper_says_and_its_seed_decides_it():
    (one, again, other) = ask(
        ("fresh", [30, 20], 5, 3, 1), ("fresh", [30, 20], 5, 3, 1), ("fresh", [30, 20], 5, 3, 2)
    )

    (layer,) = one
    coef, w_base = numbers(layer["coef"]), numbers(layer["w_base"])
    bound = np.sqrt(6.0 / 50.0)
    assert one == again != other
    assert coef.std() == pytest.approx(0.1, rel=0.03)
    assert abs(coef.mean()) < 0.005
    assert np.abs(w_base).max() <= bound
    assert w_base.std() == pytest.approx(bound / np.sqrt(3.0), rel=0.1)
    assert (numbers(layer["w_spline"]) == 1.0).all()


def test_random_numbers_are_uniform_and_normal():
    (drawn,) = ask(("draws", 7, 4000))

    uniform, normal = numbers(drawn["uniform"]), numbers(drawn["normal"])
    assert np.abs(np.sort(uniform) - np.linspace(0.0, 1.0, 4000)).max() < 0.03  # Kolmogorov: 0.0257
    assert normal.mean() == pytest.approx(0.0, abs=0.06)
    assert normal.std() == pytest.approx(1.0, rel=0.05)
    assert (normal**4).mean() == pytest.approx(3.0, rel=0.2)


EXPRESSIONS = {
    "exp(sin(pi x) + y^2)": lambda x, y: np.exp(np.sin(np.pi * x) + y**2),
    "-x^2": lambda x, y: -(x**2),
    "-x**2 * y**-1": lambda x, y: -(x**2) / y,
    "2x y": lambda x, y: 2.0 * x * y,
    "x/y/2": lambda x, y: x / y / 2.0,
    "2^-x": lambda x, y: 2.0**-x,
    "2^3^x": lambda x, y: 2.0 ** (3.0**x),
    "1 - x - y": lambda x, y: 1.0 - x - y,
    "1/(1+25x\N{SUPERSCRIPT TWO})": lambda x, y: 1.0 / (1.0 + 25.0 * x**2),
    "3e-1 (x + 1)(y + 2)": lambda x, y: 0.3 * (x + 1.0) * (y + 2.0),
    "abs(x) + gaussian(2 y)": lambda x, y: np.abs(x) + np.exp(-4.0 * y**2),
}


@pytest.mark.parametrize("text", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_a_formula_as_text_has_the_values_that_are_meant(text):
    points = RNG(8).uniform(0.1, 1.0, (20, 2))

    (found,) = ask(("expression", text, points))

    np.testing.assert_allclose(numbers(found), EXPRESSIONS[text](*points.T), rtol=1e-14)


def test_after_halving_the_error_rises_and_is_smaller_within_100_steps():
    (errors,) = ask(("errorsAroundHalving", 6, 80, 100))
    page = (EXPLORER / "index.html").read_text(encoding="utf-8")

    assert max(errors) > 1.2 * errors[0]
    assert errors[100] < errors[0]
    assert "the error rises at first" in " ".join(page.split())
