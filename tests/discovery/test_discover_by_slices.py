"""`discover` without widths: formulas, verdicts, limits, decisions, a network to go on from."""

import numpy as np
import pytest
import sympy

import kan_ref as kr

RNG = np.random.default_rng


def data_of(f, n_in=2, box=(-1.0, 1.0), n=300, noise=0.0, seed=0):
    rng = RNG(seed)
    low, high = np.broadcast_to(np.array(box, dtype=float), (n_in, 2)).T
    x, x_test = (rng.uniform(low, high, (n, n_in)) for _ in range(2))
    y, y_test = (np.asarray(f(*points.T)).reshape(n, -1) for points in (x, x_test))
    return kr.Data(x, y + noise * y.std(axis=0) * rng.standard_normal(y.shape), x_test, y_test)


def relative_error(found, data):
    return np.sqrt(np.mean((found.predict(data.x_test) - data.y_test) ** 2)) / np.std(data.y_test)


FORMULAS = [
    ("x/(y**2 + 1)", lambda x, y: x / (1 + y**2), 2, (-1.0, 1.0)),
    (None, lambda x: 3 * np.exp(-0.2 * x) * np.cos(2 * x), 1, (0.0, 8.0)),
]


@pytest.mark.parametrize(("text", "f", "n_in", "box"), FORMULAS)
def test_a_formula_is_found_without_widths_and_called_exact(text, f, n_in, box):
    data = data_of(f, n_in, box)

    found = kr.discover(data, names=("x", "y", "z")[:n_in], rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10
    if text is not None:
        assert sympy.simplify(found.formula - sympy.sympify(text)) == 0
    assert found.alternatives[-1].rmse < 1e-10 * np.std(data.y_train)
    complexities = [one.complexity for one in found.alternatives]
    errors = [one.rmse for one in found.alternatives]
    assert complexities == sorted(complexities)
    assert errors == sorted(errors, reverse=True)
    surrogate = found.scaler.inverse_y(found.splines(found.scaler.transform_x(data.x_test)))
    assert np.std(surrogate - data.y_test) < 0.05 * np.std(data.y_test)
    if found.network is not None:
        np.testing.assert_allclose(
            found.network(data.x_test), found.predict(data.x_test), rtol=0, atol=1e-9
        )


def test_a_limit_of_time_gives_the_best_formula_so_far_and_says_so():
    data = data_of(lambda x, y: np.sin(7 * x * y + x**3) * np.exp(np.sin(4 * y - x)), n=200)

    found = kr.discover(data, rng=RNG(0), seconds=0.0)

    assert found.verdict.kind == "not explained"
    assert "the time is over" in found.verdict.why
    assert np.isfinite(found.train_rmse)


def test_an_interrupt_gives_the_best_formula_so_far(monkeypatch):
    data = data_of(lambda x, y: x * np.exp(y), n=300)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("kan_ref.discovery.slice_search.best_fits", interrupt)
    found = kr.discover(data, rng=RNG(0))
    two = kr.Data(data.x_train, np.tile(data.y_train, 2), data.x_test, np.tile(data.y_test, 2))
    both = kr.discover(two, rng=RNG(0))

    assert len(both.decisions) == len(found.decisions)  # the second output is not searched
    assert "interrupted" in found.verdict.why
    assert found.verdict.kind == "not explained"
    np.testing.assert_allclose(found.predict(data.x_test), data.y_train.mean(), rtol=1e-12)


def test_decisions_say_what_was_compared_with_numbers():
    seen = []
    data = data_of(lambda x, y: np.sin(3 * x) * (2 + y**2), n=500)

    found = kr.discover(data, names=("x", "y"), rng=RNG(0), callback=seen.append)

    assert any("product" in str(one) for one in found.decisions)
    assert [one for one in seen if one in found.decisions] == list(found.decisions)
    assert [step.name for step in found.steps][:2] == ["surrogate", "formula"]


def test_a_network_of_ones_own_keeps_its_architecture():
    data = data_of(lambda x, y: np.exp(np.sin(np.pi * x) + y**2), n=800)
    start = kr.best_start((2, 1, 1), data, n_intervals=5, degree=3, rng=RNG(0))
    start = kr.fix_symbolic(start, 1, output=0, input=0, name="exp", x=data.x_train)

    found = kr.discover(data, start=start, names=("x", "y"), rng=RNG(0))

    assert found.network.widths == (2, 1, 1)
    assert found.verdict.kind == "exact"
    assert [step.name for step in found.steps] == ["start", "refine", "name", "canonical"]


def test_slices_follow_where_the_papers_way_does_not_explain_the_data():
    data = data_of(lambda x, y: np.log(1 + x**2 + y**2), n=600)

    found = kr.discover(data, widths=(2, 1, 1), names=("x", "y"), rng=RNG(0), penalty_weight=0.0)

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10


def test_values_over_three_hundred_powers_of_ten_end_no_search():
    x = RNG(0).uniform(-300.0, 340.0, (60, 1))  # squares of candidates overflow

    found = kr.discover(kr.Data(x, np.exp(x), x, np.exp(x)), names=("x",), rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert str(found.formula) == "exp(x)"


def test_constant_targets_are_exact_on_the_way_of_the_paper():
    x = RNG(0).uniform(-1.0, 1.0, (30, 1))
    y = np.full((30, 1), 0.1)

    found = kr.discover(kr.Data(x, y, x, y), widths=(1, 1), rng=RNG(0))

    assert found.verdict.kind == "exact"


@pytest.mark.parametrize(
    ("n", "scale", "message"),
    [(9, 1.0, "9 training samples, but at least 10"), (30, 1e-200, "range of at least 1e-140")],
)
def test_samples_that_no_formula_can_be_compared_on_are_refused(n, scale, message):
    x = RNG(0).uniform(0.0, 1.0, (n, 1))
    y = scale * x**2

    with pytest.raises(ValueError, match=message):
        kr.discover(kr.Data(x, y, x, y), rng=RNG(0))
