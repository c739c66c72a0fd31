"""fit(problem=): every optimizer, grids, data beside equations, and the history."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from oracles_training import Linear, bits, value_by_loops

import kan_ref as kr

OPTIMIZERS = ("lm", "lbfgs", "adam")
INSIDE = np.linspace(-1.0, 1.0, 41)[:, None]
ENDS = np.array([[-1.0], [1.0]])
TEST = np.linspace(-0.97, 0.97, 50)[:, None]


def sine(x):
    return np.sin(np.pi * x)


CONDITIONS = [
    Linear(INSIDE, {"second": [1.0], "source": -(np.pi**2) * sine(INSIDE), "weight": 0.01}),
    Linear(ENDS, {"zeroth": 1.0, "source": 0.0}),
]


def problem(**options):
    """U'' = -pi^2 sin(pi x) on [-1, 1], u = 0 at both ends: u = sin(pi x)."""
    return kr.residual_problem([condition.term() for condition in CONDITIONS], **options)


def kan(widths=(1, 1), n_intervals=5, seed=0, **options):
    return kr.init_network(
        widths,
        n_intervals=n_intervals,
        domain=(-1.0, 1.0),
        rng=np.random.default_rng(seed),
        **{"degree": 4} | options,
    )


def error(model, points=TEST):
    return float(np.sqrt(np.mean((model(points) - sine(points)) ** 2)))


def columns(history):
    return {name: getattr(history, name) for name in vars(history) if name != "seconds"}


# --- it solves


@pytest.mark.long
@for_all("optimizer", OPTIMIZERS)
@for_all("widths", [(1, 1), (1, 3, 1)])
def test_every_optimizer_lowers_what_is_left_of_the_equation(optimizer, widths):
    run = kr.fit(kan(widths), problem=problem(), optimizer=optimizer, n_steps=60)

    assert run.history.train_rmse[-1] < 0.5 * run.history.train_rmse[0]
    assert error(run.network) < 0.75 * error(kan(widths))


@pytest.mark.parametrize("activation", ["tanh", "silu"])
@pytest.mark.parametrize("optimizer", ["lm", "lbfgs"])
def test_perceptrons_solve_equations_too(activation, optimizer):
    model = kr.init_mlp((1, 8, 1), activation=activation, rng=np.random.default_rng(0))

    run = kr.fit(model, problem=problem(), optimizer=optimizer, n_steps=150)

    assert error(run.network) < 0.1


def test_levenberg_marquardt_is_the_default_and_finds_the_solution():
    run = kr.fit(kan(n_intervals=20), problem=problem(), n_steps=30)

    assert error(run.network) < 1e-4
    assert bits(run.network) == bits(
        kr.fit(kan(n_intervals=20), problem=problem(), n_steps=30, optimizer="lm").network
    )


def test_finer_grids_come_nearer_to_the_solution():
    run = kr.fit(kan((1, 2, 1), 3), problem=problem(), grids=(3, 6, 12), n_steps=25)
    ends = [run.history.train_rmse[run.history.n_intervals == n][-1] for n in (3, 6, 12)]

    assert sorted(set(run.history.n_intervals.tolist())) == [3, 6, 12]
    assert [layer.n_intervals for layer in run.network.layers] == [12, 12]
    assert ends[2] < 0.2 * ends[1] < 0.2 * ends[0]
    assert error(run.network) < 1e-3


def test_hidden_grids_follow_the_points_of_all_terms():
    """The first layer's outputs leave the grid of the second: if it does not follow, its B-splines are zero there."""
    network = kan((1, 2, 1))
    far = network.with_theta(
        network.theta
        + np.r_[
            np.full(network.layers[0].coef.size, 6.0),
            np.zeros(network.n_params - network.layers[0].coef.size),
        ]
    )

    followed, left = (
        kr.fit(far, problem=problem(), n_steps=0, update_grids=update) for update in (True, False)
    )

    points = np.concatenate([INSIDE, ENDS])
    inner = kr.Network(followed.network.layers[:1])(points)
    rows = followed.network.layers[1].breakpoints
    assert (rows[:, 0] <= inner.min(axis=0)).all()
    assert (inner.max(axis=0) <= rows[:, -1]).all()
    np.testing.assert_array_equal(left.network.layers[1].knots, far.layers[1].knots)


def logistic(x, u, du, d2u):
    """U' = u (1 - u)."""
    return du[:, 0, 0] - u[:, 0] * (1 - u[:, 0]), 2 * u - 1, np.ones((len(x), 1, 1)), None


@pytest.mark.parametrize(
    "model",
    [kan(n_intervals=10), kr.init_mlp((1, 6, 1), activation="tanh", rng=np.random.default_rng(0))],
    ids=["kan", "mlp"],
)
def test_an_equation_by_a_function_is_solved(model):
    terms = [kr.function_term(INSIDE, logistic, order=1), kr.value_term([[0.0]], 0.5)]

    run = kr.fit(model, problem=kr.residual_problem(terms), n_steps=60)

    assert np.abs(run.network(TEST) - 1 / (1 + np.exp(-TEST))).max() < 1e-3


def test_a_system_of_two_outputs_is_solved():
    """U_0' = pi u_1, u_1' = -pi u_0 and one value of both."""

    def rotation(x, u, du, d2u):
        by_u = np.tile([[0.0, -np.pi], [np.pi, 0.0]], (len(x), 1, 1))
        residual = du[:, :, 0] + np.stack([-np.pi * u[:, 1], np.pi * u[:, 0]], axis=1)
        return residual, by_u, np.tile(np.eye(2)[:, :, None], (len(x), 1, 1, 1)), None

    terms = [kr.function_term(INSIDE, rotation, order=1), kr.value_term([[0.0]], [[0.0, 1.0]])]
    run = kr.fit(kan((1, 2), 16), problem=kr.residual_problem(terms), n_steps=40)

    np.testing.assert_allclose(
        run.network(TEST), np.hstack([sine(TEST), np.cos(np.pi * TEST)]), atol=1e-3
    )


def test_a_network_that_solves_the_problem_stays():
    solved = kr.fix_symbolic(kan(), 0, output=0, input=0, name="sin", affine=(np.pi, 0.0, 1.0, 0.0))

    run = kr.fit(solved, problem=problem(), n_steps=5)

    assert run.history.train_rmse.max() <= 1e-13
    np.testing.assert_allclose(run.network.theta, solved.theta, rtol=0, atol=1e-13)


def test_formulas_find_their_constants_in_the_equation():
    """A sin(b x) with a and b beside pi and 1; no sample of u is given."""
    near = kr.fix_symbolic(kan(), 0, output=0, input=0, name="sin", affine=(3.0, 0.05, 0.9, 0.02))

    run = kr.fit(near, problem=problem(), n_steps=30)

    assert error(run.network) <= 1e-13


# --- data beside equations


def measurements(n=9, noise=0.0):
    x = np.linspace(-0.9, 0.9, n)[:, None]
    y = sine(x) + noise * np.random.default_rng(0).normal(size=x.shape)
    return SimpleNamespace(x_train=x, y_train=y, x_test=TEST, y_test=sine(TEST))


def test_data_beside_a_problem_are_one_more_term():
    data = measurements()
    with_term = kr.residual_problem(
        [*problem().terms, kr.value_term(data.x_train, data.y_train)], reference=(TEST, sine(TEST))
    )

    one, two = (
        kr.fit(kan(), data, problem=problem(), n_steps=5),
        kr.fit(kan(), problem=with_term, n_steps=5),
    )

    assert bits(one.network) == bits(two.network)
    for name, column in columns(one.history).items():
        np.testing.assert_array_equal(column, getattr(two.history, name))


def test_measurements_stand_in_for_boundary_conditions_that_are_not_known():
    """u'' alone leaves a straight line open; three measured values fix it."""
    equation = kr.residual_problem([CONDITIONS[0].term()])

    run = kr.fit(kan(n_intervals=20), measurements(3), problem=equation, n_steps=30)

    assert run.history.test_rmse[-1] < 1e-4


def test_an_unknown_coefficient_is_found_from_measurements():
    """An inverse problem, u'' = -k u with k = pi^2 unknown: the second output is k, a constant by its own equation."""

    def oscillator(x, u, du, d2u):
        by_u = np.stack([np.stack([u[:, 1], u[:, 0]], axis=1), np.zeros_like(u)], axis=1) / 10
        by_du, by_d2u = np.zeros((len(x), 2, 2, 1)), np.zeros((len(x), 2, 2, 1, 1))
        by_du[:, 1, 1] = 1.0
        by_d2u[:, 0, 0] = 0.1
        return (
            np.stack([(d2u[:, 0, 0, 0] + u[:, 0] * u[:, 1]) / 10, du[:, 1, 0]], axis=1),
            by_u,
            by_du,
            by_d2u,
        )

    def measured(x, u, du, d2u):
        return u[:, 0] - sine(x[:, 0]), np.tile([1.0, 0.0], (len(x), 1)), None, None

    terms = [kr.function_term(INSIDE, oscillator), kr.function_term(INSIDE[::4], measured, order=0)]
    run = kr.fit(kan((1, 2), 12, degree=5), problem=kr.residual_problem(terms), n_steps=60)

    np.testing.assert_allclose(run.network(TEST)[:, 1], np.pi**2, rtol=1e-4)


# --- the history


def test_the_training_error_is_the_root_of_the_weighted_mean_squares():
    seen = []

    history = kr.fit(
        kan((1, 2, 1)), problem=problem(), n_steps=4, grids=(5, 8), callback=seen.append
    ).history

    assert len(seen) == len(history.step) == 10
    for place, step in enumerate(seen):
        assert (
            history.train_loss[place]
            == step.train_loss
            == pytest.approx(value_by_loops(step.network, CONDITIONS), rel=1e-9)
        )
        assert (
            history.train_rmse[place]
            == step.train_rmse
            == pytest.approx(np.sqrt(step.train_loss), rel=1e-14)
        )
    assert np.isnan(history.train_accuracy).all()


def test_test_errors_are_taken_at_the_reference():
    run = kr.fit(kan(), problem=problem(reference=(TEST, sine(TEST))), n_steps=3)

    assert run.history.test_rmse[-1] == pytest.approx(error(run.network), rel=1e-12)
    assert run.history.test_loss[-1] == pytest.approx(error(run.network) ** 2, rel=1e-12)
    assert ", test_rmse " in repr(run)


def test_test_data_go_before_the_reference():
    data = measurements()
    data.y_test = data.y_test + 1.0

    run = kr.fit(kan(), data, problem=problem(reference=(TEST, sine(TEST))), n_steps=3)

    assert run.history.test_rmse[-1] == pytest.approx(
        np.sqrt(np.mean((run.network(TEST) - data.y_test) ** 2)), rel=1e-12
    )


def test_of_data_without_test_samples_the_reference_is_the_test():
    data = measurements()
    data.x_test, data.y_test = data.x_test[:0], data.y_test[:0]

    for options in ({}, {"reference": (TEST, sine(TEST))}):
        run = kr.fit(kan(), data, problem=problem(**options), n_steps=3)

        errors = run.network(TEST) - sine(TEST) if options else np.array([np.nan])
        np.testing.assert_allclose(run.test_rmse, np.sqrt(np.mean(errors**2)), rtol=1e-12)


def test_without_a_known_solution_test_errors_are_nan_and_are_not_printed():
    run = kr.fit(kan(), problem=problem(), n_steps=3)

    assert np.isnan(run.history.test_rmse).all()
    assert np.isnan(run.history.test_loss).all()
    assert "nan" not in repr(run)
    assert "test" not in repr(run)


def test_the_reference_decides_nothing():
    one, two = (
        kr.fit(kan((1, 2, 1)), problem=problem(**options), n_steps=8)
        for options in ({}, {"reference": (3 * TEST, TEST)})
    )

    assert bits(one.network) == bits(two.network)
    # of the samples only the second run says whether they leave the grids
    assert two.stopped.startswith(one.stopped)


def test_a_run_says_when_most_points_of_a_problem_and_its_data_are_outside_the_grids_of_the_inputs():
    small = kr.init_network(
        (1, 1), n_intervals=5, degree=4, domain=(-0.1, 0.1), rng=np.random.default_rng(0)
    )
    measured = problem().with_data(TEST, sine(TEST))
    n_far = int((np.abs(TEST) > 0.1).sum())

    for one, count in ((problem(), "39 of 43"), (measured, f"{39 + n_far} of {43 + len(TEST)}")):
        run = kr.fit(small, problem=one, n_steps=3)

        assert f"; {count} points of the problem lie outside the grids of the inp" in run.stopped
        assert run.stopped.endswith("start from init_network(..., domain=) with their range")
        assert "outside" not in kr.fit(kan(), problem=one, n_steps=3).stopped


@for_all("order", [1, 2])
@for_all("place", ["short", "not short", "not long", "long"])
def test_a_run_says_when_inputs_of_equations_extend_over_a_range_far_from_one(order, place):
    short = {1: 0.01, 2: 0.1}[order]
    lengths = {"short": 0.9 * short, "not short": 1.1 * short, "not long": 90.0, "long": 110.0}
    length = lengths[place]
    t = length * np.linspace(0.0, 1.0, 6)[:, None]
    points = np.hstack([np.full_like(t, 7.0), t + 30.0])  # one input stays where it is
    along = {1: {"first": [0.0, 1.0]}, 2: {"second": [0.0, 1.0]}}[order]
    terms = [kr.linear_term(points, zeroth=1.0, **along), kr.value_term(points[:1], 1.0)]
    start = kr.init_network(
        (2, 1),
        n_intervals=3,
        degree=3,
        domain=[(6.0, 8.0), (30.0, 30.0 + length)],
        rng=np.random.default_rng(0),
    )

    def stopped(terms, **options):
        return kr.fit(start, problem=kr.residual_problem(terms, **options), n_steps=0).stopped

    noted = place in ("short", "long")
    for reason in (stopped(terms), stopped(terms, reference=(points, t + 5.0))):
        assert (
            f"; the points of the problem extend over {length:.3g} in input 1" in reason
        ) is noted
        assert ("scales=kr.Scales(" in reason) is noted
    assert "extend" not in stopped(terms, reference=(points, start(points)))  # the solution
    assert "extend" not in stopped(terms[1:])  # values have no derivatives


@for_all("optimizer", ["lm", "lbfgs", "adam"])
@for_all("large", [False, True])
def test_a_run_says_when_values_or_residuals_of_equations_are_of_a_size_far_from_one(
    optimizer, large
):
    most = 300.0 if optimizer.startswith("lm") else 100.0

    def stopped(size, value=0.0):
        size = size if large else 1.0 / size
        start = kan()
        theta = start.theta.copy()
        weights = slice(start.layers[0].coef.size, None)  # the outputs are linear in them
        theta[weights] *= size / np.sqrt(np.mean(start(INSIDE) ** 2))
        start = start.with_theta(theta)
        terms = [kr.linear_term(INSIDE, zeroth=1.0, source=value * start(INSIDE), weight=1e-9)]
        known = {"reference": (INSIDE, start(INSIDE))} if value else {}
        given = kr.residual_problem(terms, **known)
        return kr.fit(start, problem=given, n_steps=0, optimizer=optimizer).stopped

    assert "; the values or residuals of the problem are of size " in stopped(1.1 * most)
    assert "scales=kr.Scales(" in stopped(1.1 * most)
    assert "of size" not in stopped(0.9 * most)
    assert "of size" not in stopped(1.1 * most, value=1.0)  # the solution


@for_all(
    "equation",
    [
        lambda c: kr.linear_term(INSIDE, second=[c], first=[0.1 * c]),
        lambda c: kr.linear_term(INSIDE, second=[0.1 * c], first=np.full((len(INSIDE), 1), c)),
        lambda c: kr.linear_term(INSIDE, zeroth=c),
        lambda c: kr.linear_term(INSIDE, first=[1.0], weight=c**2),
        lambda c: kr.function_term(
            INSIDE,
            lambda x, u, du, d2u: (c * (d2u[:, 0, 0, 0] - u[:, 0]), -c * u**0, None, c * d2u**0),
        ),
    ],
)
def test_a_run_says_when_the_coefficients_of_an_equation_are_small_beside_those_of_others(equation):
    """For 8.85e-12 u'' = -rho the residual was 8.5e-11, and the solution wrong by all its size."""

    def stopped(c, other=1.0, **options):
        terms = [equation(c), kr.value_term([[-1.0], [1.0]], 1.0, weight=other**2)]
        return kr.fit(kan(), problem=kr.residual_problem(terms, **options), n_steps=0).stopped

    for c in (9e-12, 1e-6, 1e-3):
        assert f"; a residual of terms[0] changes by {c:.2g}, weights included" in stopped(c)
    for c, other in ((1.1e-3, 1.0), (1e-6, 1e-6), (1e-6, 0.0)):
        assert "influence" not in stopped(c, other)
    assert "influence" not in stopped(1e-6, reference=(INSIDE, kan()(INSIDE)))  # the solution


@for_all("size", [1e-3, 1e-9])
def test_a_run_that_errs_by_more_than_zero_has_the_size_of_its_data(size):
    """The values of a network that is not trained enough are of size 1, whatever the equations state."""

    def stopped(source=size, value=size, **options):
        terms = [
            kr.linear_term(INSIDE, second=[2.0], source=2.0 * source),
            kr.value_term([[-1.0], [1.0]], value, weight=0.01),
        ]
        problem = kr.residual_problem(terms, **options)
        return kr.fit(kan(), problem=problem, n_steps=0, optimizer="lbfgs").stopped

    assert f"; the values or residuals of the problem are of size {size:.2g}, but" in stopped()
    assert f"problem are of size {size:.2g}, but" in stopped(source=0.0)
    for one in ({"value": 1.0}, {"source": 1.0}):
        assert "of size" not in stopped(**one)
    assert "of size" not in stopped(reference=(INSIDE, np.ones((len(INSIDE), 1))))


# --- terms with and without scales


SECONDS = kr.Scales(domain=[(0.0, 10.0)], values=(0.0, 1.0))


def decay(times=(0.0, 2.0, 10.0), scales=SECONDS):
    """U' = -u / 3, at some times in seconds."""
    t = sympy.symbols("t")
    u = sympy.Function("u")(t)
    return kr.equation_term(u.diff(t) + u / 3, np.array(times)[:, None], scales=scales)


def test_terms_with_different_scales_are_rejected_and_with_equal_ones_are_not():
    same = kr.Scales(domain=[(0.0, 10.0)], values=[(0.0, 1.0)])
    kr.residual_problem([decay(), decay(scales=same)])

    for domain, values in (((0.0, 9.0), (0.0, 1.0)), ((0.0, 10.0), (0.0, 2.0))):
        other = kr.Scales(domain=[domain], values=values)
        with pytest.raises(ValueError, match=r"^terms\[1\] has Scales.* the same scales"):
            kr.residual_problem([decay(), decay(scales=other)])


@for_all("reach", [1.0, 1.4])
def test_points_beside_terms_with_scales_must_lie_where_their_points_do(reach):
    scaled = decay(times=(0.0, 5.0 + 5.0 * reach))
    inside, outside = (np.array([[0.0], [-factor * reach]]) for factor in (1.0, 1.01))

    def made(x, place):
        y = np.ones_like(x)
        if place == "reference":
            return kr.residual_problem([scaled], reference=(x, y))
        if place == "data":
            return kr.residual_problem([scaled]).with_data(x, y)
        return kr.residual_problem([kr.value_term(x, y), scaled])

    for place, name in (
        ("reference", r"reference\[0\]"),
        ("data", "x of the data"),
        ("terms", r"terms\[0\].x"),
    ):
        made(inside, place)
        with pytest.raises(
            ValueError, match=f"^{name} has .* from -{reach:g} to {reach:g} .*Scales"
        ):
            made(outside, place)


def test_a_run_says_which_term_has_no_scales_beside_others():
    value, plain = kr.value_term([[0.0]], 1.0), decay(times=[0.5], scales=None)

    def stopped(terms, **options):
        return kr.fit(kan(), problem=kr.residual_problem(terms, **options), n_steps=0).stopped

    for one in (value, plain):
        assert "; terms[1], at 1 point, has no scales, but other" in stopped([decay(), one])
        assert "has no scales" in stopped([one, decay()])
        assert "no scales" not in stopped([one])
    assert "no scales" not in stopped([decay(), decay(times=[1.0])])
    known = np.array([[0.0], [0.5]])
    wrong, right = (known, known), (known, kan()(known))
    assert "; the points of the test errors have no scales" in stopped([decay()], reference=wrong)
    assert "no scales" not in stopped([decay()], reference=right)


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs"])
def test_on_one_grid_the_objective_never_rises(optimizer):
    history = kr.fit(
        kan((1, 2, 1)),
        problem=problem(),
        optimizer=optimizer,
        n_steps=25,
        update_grids=False,
        smoothness_weight=1e-6,
    ).history

    total = history.train_loss + history.penalty
    assert len(total) > 10
    assert (history.penalty > 0).all()
    assert (np.diff(total) <= 1e-15 * total[:-1]).all()


def test_penalties_on_edges_are_part_of_what_is_made_small():
    plain, sparse = (
        kr.fit(
            kan((1, 3, 1)), problem=problem(), optimizer="lbfgs", n_steps=40, penalty_weight=weight
        )
        for weight in (0.0, 0.1)
    )

    sums = [
        sum(scores.sum() for scores in kr.edge_scores(run.network, INSIDE))
        for run in (plain, sparse)
    ]
    assert (sparse.history.penalty > 0).all()
    assert sums[1] < 0.7 * sums[0]


def test_only_trainable_parameters_move():
    start = kan((1, 2, 1))

    run = kr.fit(start, problem=problem(), trainable=("coef",), n_steps=5, update_grids=False)

    for old, new in zip(start.layers, run.network.layers, strict=True):
        np.testing.assert_array_equal(new.w_base, old.w_base)
        np.testing.assert_array_equal(new.w_spline, old.w_spline)
        assert (new.coef != old.coef).any()


# --- the same as with data


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
def test_two_runs_give_the_same_bits(optimizer):
    runs = [
        kr.fit(kan((1, 2, 1)), problem=problem(), optimizer=optimizer, n_steps=8, grids=(5, 8))
        for _ in range(2)
    ]

    assert bits(runs[0].network) == bits(runs[1].network)
    for name, column in columns(runs[0].history).items():
        np.testing.assert_array_equal(column, getattr(runs[1].history, name))


def test_a_length_is_judged_by_the_order_of_the_derivatives_in_its_own_input():
    points = np.linspace(0.0, 1.0, 8)[:, None] * [0.05, 1.0]

    def stopped(*terms):
        start = kr.init_network(
            (2, 1), n_intervals=3, degree=3, domain=points, rng=np.random.default_rng(0)
        )
        return kr.fit(start, problem=kr.residual_problem(terms), n_steps=0).stopped

    assert "extend over" not in stopped(
        kr.linear_term(points, first=[1.0, 0.0], second=[0.0, -1.0]), kr.value_term(points, 1.0)
    )
    assert "extend over 0.05 in input 0" in stopped(
        kr.linear_term(points, second=[-1.0, -1.0]), kr.value_term(points, 1.0)
    )


def test_test_data_in_units_beside_terms_with_scales_are_an_error():
    t = sympy.Symbol("t")
    u, times = sympy.Function("u")(t), np.linspace(0.0, 10.0, 30)[:, None]
    scales = kr.Scales(domain=[(0.0, 10.0)], values=(0.0, 1.0))
    problem = kr.residual_problem([kr.equation_term(u.diff(t) + u, times, scales=scales)])
    start = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    known, xi = np.exp(-times), scales.inputs(times)

    with pytest.raises(ValueError, match=r"x of the data has 1\.03448 in input 0, but beside"):
        kr.fit(start, kr.Data(xi, known, times, known), problem=problem, n_steps=0)
