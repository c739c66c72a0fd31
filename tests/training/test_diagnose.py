"""Findings: each cause of bad results is found alone, by its subject and numbers, and a healthy run has none."""

from types import SimpleNamespace

import numpy as np
import pytest
from oracles_training import samples

import kan_ref as kr
from kan_ref.training import Adam, diagnose


def smooth(x):
    return np.sin(2.0 * x[:, :1]) + x[:, 1:]


def trained(data, *, domain=None, n_steps=20, widths=(2, 1), **options):
    rng = np.random.default_rng(0)
    shape = {"n_intervals": 3, "degree": 3, "domain": data.x_train if domain is None else domain}
    network = kr.init_network(widths, **shape, rng=rng)
    return kr.fit(network, data, n_steps=n_steps, **options)


def table(change=lambda data: None, f=smooth, **options):
    data = samples(f, 2, np.random.default_rng(0), **options)
    change(data)
    return data


def change_x(data, f):
    data.x_train, data.x_test = f(data.x_train), f(data.x_test)


def change_y(data, f):
    data.y_train, data.y_test = f(data.y_train), f(data.y_test)


def noisy(y):
    return y + np.random.default_rng(1).normal(size=y.shape)


def test_a_healthy_run_has_no_finding():
    run = trained(table(), grids=(3, 6))

    assert run.findings == []
    assert "finding" not in repr(run)


def test_units_that_did_no_harm_are_no_finding():
    data = table(lambda data: change_y(data, lambda y: 5e-3 * y))

    assert trained(data, n_steps=60).findings == []


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        (lambda d: change_y(d, lambda y: 1e-6 * noisy(y)), "units", "std of 1.*e-06"),
        (lambda d: change_y(d, lambda y: 1e3 * noisy(y)), "units", "std of 1"),
        (lambda d: change_y(d, lambda y: noisy(y) + 1e8), "units", "output 0 has mean 1e+08"),
        (
            lambda d: change_y(d, lambda y: np.hstack([50.0, 5e-3]) * noisy(np.hstack([y, y]))),
            "units",
            "output 1 varies",
        ),
    ],
    ids=["small", "large", "far from zero", "apart"],
)
def test_units_of_targets_are_found(change, about, words):
    data = table(change)
    run = trained(data, widths=(2, data.y_train.shape[1]), n_steps=5)

    assert [finding.about for finding in run.findings] == [about]
    assert all(word in run.findings[0].what for word in words.split(".*"))
    assert "kr.scaled" in run.findings[0].do
    assert "1 finding: see run.findings" in repr(run)
    assert str(run.findings[0]).startswith(about)


@pytest.mark.parametrize(
    ("means", "stds", "found"),
    [((100, 0), (1, 1), 0), ((101, 0), (1, 1), 1), ((0, 0), (60, 2), 0), ((0, 0), (62, 2), 1)],
)
def test_targets_are_judged_by_their_means_and_by_how_far_their_deviations_are_apart(
    means, stds, found
):
    x = np.linspace(-0.9, 0.9, 20).reshape(10, 2)
    y = means + np.where(np.arange(10) % 2, 1.0, -1.0)[:, None] * stds
    mlp = kr.init_mlp((2, 2), activation="tanh", rng=np.random.default_rng(0))

    assert len(diagnose(mlp, kr.Data(x, y, x, y))) == found


def test_inputs_in_other_units_than_the_grids_are_found():
    data = table(lambda data: change_x(data, lambda x: 100.0 + 50.0 * x))

    (finding,) = trained(data, domain=(-1.0, 1.0)).findings

    assert finding.about == "grids"
    assert "100% of x_train" in finding.what


def test_an_outlier_that_leaves_an_input_a_tenth_of_an_interval_is_found():
    data = table(f=lambda x: np.sin(9.0 * x[:, :1]) + x[:, 1:], n_train=100)
    data.x_train[7, 0] = 300.0

    (finding,) = trained(data).findings

    assert finding.about == "grids"
    assert "input 0" in finding.what
    assert "percentile" in finding.do


@pytest.mark.parametrize(("share", "found"), [(0.03, 1), (0.07, 0)])
def test_inputs_are_crowded_between_their_5th_and_95th_percentile(share, found):
    data = table(f=lambda x: np.sin(9.0 * x[:, :1]) + x[:, 1:], n_train=100)
    data.x_train[: int(100 * share), 0] = -300.0 - np.arange(int(100 * share))
    low = data.x_train[: int(100 * share)].copy()

    findings = trained(data).findings
    data.x_train[: int(100 * share)] = -low  # above

    assert [finding.about for finding in findings] == ["grids"] * found
    assert [finding.about for finding in trained(data).findings] == ["grids"] * found


def test_test_samples_outside_the_grids_are_found_where_they_make_the_error():
    data = table()
    data.x_test = np.vstack([data.x_test, [[3.0, 0.0], [0.0, -4.0]]])
    data.y_test = smooth(data.x_test)

    (finding,) = trained(data).findings

    assert finding.about == "grids"
    assert finding.what.startswith("2 of 42 test samples leave the grids, with 100%")
    assert "kr.coverage" in finding.do


@pytest.mark.parametrize(("error", "found"), [(2.0, 0), (20.0, 1)])
def test_test_samples_outside_are_found_where_the_error_is_above_that_of_training(error, found):
    data = table()
    network = trained(data).network
    data.y_train = network(data.x_train) + np.array([[1.0], [-1.0]]).repeat(30, axis=0)
    data.x_test[0] = [3.0, 0.0]
    data.y_test = network(data.x_test)
    data.y_test[0] += error

    assert len(diagnose(network, data)) == found


def with_formula(data, name, affine):
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 1), n_intervals=3, degree=3, domain=data.x_train, rng=rng)
    return kr.fix_symbolic(network, 0, output=0, input=0, name=name, affine=affine)


def test_an_edge_that_is_undefined_at_test_samples_is_the_only_finding():
    data = table(lambda data: change_x(data, np.abs))
    network = with_formula(data, "log", (1.0, 0.0, 1.0, 0.0))
    data.x_test[3, 0] = -1.0

    (finding,) = kr.fit(network, data, n_steps=2).findings

    assert finding.about == "undefined"
    assert "log" in finding.what
    assert "x_test" in finding.what


def test_an_error_that_rose_on_a_finer_grid_is_found():
    data = table(f=lambda x: np.sin(5.0 * x[:, :1]) * x[:, 1:] * [1.0, 0.0])
    run = trained(data, widths=(2, 2, 2), n_steps=0)
    history = SimpleNamespace(
        train_rmse=np.array([0.3, 0.1, 0.25]), n_intervals=np.array([3, 3, 6]), penalty=np.zeros(3)
    )

    (finding,) = diagnose(run.network, data, history=history)
    precise = SimpleNamespace(
        train_rmse=np.array([1e-12, 1e-7]), n_intervals=np.array([3, 6]), penalty=np.zeros(2)
    )
    assert len(diagnose(run.network, data, history=precise)) == 1
    precise.train_rmse[-1] = 1e-9  # of no importance
    assert diagnose(run.network, data, history=precise) == []
    history.train_rmse[-1] = 0.19

    assert finding.about == "schedule"
    assert "0.1" in finding.what
    assert "0.25" in finding.what
    assert diagnose(run.network, data, history=history) == []


def test_a_run_knows_its_history():
    data = table()
    network = trained(data).network

    run = kr.fit(network, data, optimizer=Adam(5.0), grids=(3, 6), n_steps=3)

    assert "schedule" in [finding.about for finding in run.findings]


def test_a_run_that_diverged_is_found_without_a_schedule_but_not_one_with_a_penalty():
    data = table()
    network = trained(data, widths=(2, 1)).network

    for penalty, found in ((None, True), (1e-3, False)):
        run = kr.fit(network, data, optimizer=Adam(50.0), n_steps=10, penalty=penalty)
        assert ("schedule" in [finding.about for finding in run.findings]) == found


@pytest.mark.parametrize(
    ("length", "size", "words"),
    [(1000.0, 1.0, "input 0 extends over 1e+03"), (1.0, 1e4, "of size")],
)
def test_equations_in_units_far_from_one_are_found(length, size, words):
    x = np.linspace(0.0, length, 50)[:, None]
    ends = x[[0, -1]]
    terms = [
        kr.linear_term(x, second=np.ones((1, 1)), source=np.full((50, 1), size)),
        kr.value_term(ends, size * np.ones((2, 1))),
    ]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, rng=np.random.default_rng(0)
    )

    findings = kr.fit(network, equations=terms, n_steps=10).findings

    assert [finding.about for finding in findings] == ["equations"] * len(findings)
    assert any(words in finding.what for finding in findings)
    assert all("kr.Scales" in finding.do for finding in findings)


def test_equations_that_a_known_solution_confirms_are_no_finding():
    x = np.linspace(0.0, 1000.0, 50)[:, None]
    terms = [kr.value_term(x, np.sin(x / 300.0)), kr.linear_term(x, first=np.ones(1), source=0.0)]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, rng=np.random.default_rng(0)
    )
    known = SimpleNamespace(x_train=x[:0], y_train=x[:0], x_test=x, y_test=network(x))

    assert diagnose(network, known, terms) == []
    known.y_test = network(x) + 0.02 * np.std(network(x))
    assert {finding.about for finding in diagnose(network, known, terms)} == {"equations"}
    known.y_test = network(x) + 0.005 * np.std(network(x))
    assert diagnose(network, known, terms) == []


@pytest.mark.parametrize(
    ("length", "order", "found"),
    [
        *[(99.0, 2, False), (101.0, 2, True), (0.11, 2, False), (0.09, 2, True)],
        *[(0.011, 1, False), (0.009, 1, True), (1e-4, 0, False), (1e4, 0, False)],
    ],
)
def test_lengths_count_by_the_order_of_derivatives(length, order, found):
    x = np.linspace(0.0, length, 50)[:, None]
    parts = [{"zeroth": 1.0}, {"first": np.ones(1)}, {"second": np.ones((1, 1))}][order]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, base="zero", rng=np.random.default_rng(0)
    ).with_theta(np.r_[np.ones(7), 0.0, 1.0])

    findings = diagnose(network, equations=[kr.linear_term(x, source=0.0, **parts)])

    assert [finding.what[:7] for finding in findings] == ["input 0"] * found


def test_a_solution_that_is_zero_and_met_is_no_finding():
    x = np.linspace(0.0, 1.0, 50)[:, None]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, base="zero", rng=np.random.default_rng(0)
    ).with_theta(np.zeros(9))
    known = SimpleNamespace(x_train=x[:0], y_train=x[:0], x_test=x, y_test=0.0 * x)

    assert diagnose(network, known, [kr.value_term(x, x)]) == []


@pytest.mark.parametrize(("size", "found"), [(290.0, 0), (310.0, 1), (1 / 290, 0), (1 / 310, 1)])
def test_unknowns_are_judged_by_their_root_mean_square(size, found):
    x = np.linspace(0.0, 1.0, 50)[:, None]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, base="zero", rng=np.random.default_rng(0)
    )
    network = network.with_theta(np.r_[size * np.ones(7), 0.0, 1.0])
    known = SimpleNamespace(x_train=x[:0], y_train=x[:0], x_test=x, y_test=2.0 * network(x))

    findings = diagnose(network, equations=[kr.value_term(x, x)])

    assert [finding.about for finding in findings] == ["equations"] * found
    by_solution = diagnose(network, known, [kr.value_term(x, x)])  # its size, if it is known
    assert len(by_solution) == (not 1 / 300 <= 2.0 * size <= 300)


@pytest.mark.parametrize(("n_outside", "found"), [(25, 0), (26, 1), (50, 1)])
def test_points_of_equations_are_found_of_which_more_than_half_lie_outside_the_grids(
    n_outside, found
):
    x = np.linspace(0.0, 1.0, 50)[:, None]
    domain = (n_outside / 50, 2.0)
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=domain, rng=np.random.default_rng(0)
    )

    findings = diagnose(network, equations=[kr.value_term(x, x)])

    assert [finding.about for finding in findings] == ["grids"] * found
    assert all("points of equations" in finding.what for finding in findings)


def test_classes_and_models_without_grids_have_findings_of_their_own_kind_alone():
    data = table()
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))
    assert diagnose(mlp, data) == []
    assert diagnose(mlp) == []
    far = table(lambda data: change_y(data, lambda y: y + 1e8))
    assert [finding.about for finding in diagnose(mlp, far)] == ["units"]

    data.y_train, data.y_test = (y[:, 0] > 0 for y in (data.y_train, data.y_test))
    data.y_train, data.y_test = data.y_train.astype(int), data.y_test.astype(int)
    assert trained(data, widths=(2, 2), loss="cross_entropy").findings == []
    (finding,) = trained(
        data, widths=(2, 2), loss="cross_entropy", domain=(50.0, 60.0), n_steps=2
    ).findings
    assert finding.about == "grids"


def test_logits_are_not_compared_with_answers_of_0_and_1():
    data = table(lambda data: change_y(data, lambda y: (y > 0.0) * 1.0))
    data.x_test[0] = [5.0, -5.0]

    assert trained(data, loss="logistic", n_steps=40).findings == []
