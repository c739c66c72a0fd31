"""Rules and corner cases of training: which term or sample a message names, grids that move far, breakpoints that repeat, two samples."""

from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from networks import data_objective, random_batch, random_network
from oracles_training import bits, covered_network, growing, samples

import kan_ref as kr
from kan_ref import __main__ as demonstration
from kan_ref.bspline.curve_fit import move_coefficients
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network
from kan_ref.network.refinement import place_hidden_grids
from kan_ref.training.penalties import Smoothness

INSIDE, ENDS = np.linspace(-1.0, 1.0, 9)[:, None], np.array([[-1.0], [1.0]])


def network(widths=(1, 1), name=None, *, layer=0, affine=(1.0, 0.0, 1.0, 0.0)):
    made = kr.init_network(
        widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    if name is None:
        return made
    return kr.fix_symbolic(made, layer, output=0, input=0, name=name, affine=affine)


def data(x_train, x_test=(0.25, 0.5), scale=1.0):
    x, x_test = (np.array(values)[:, None] for values in (x_train, x_test))
    return SimpleNamespace(
        x_train=x, y_train=np.full(x.shape, scale), x_test=x_test, y_test=x_test + 1.0
    )


def problem(inside=INSIDE, **options):
    equation = kr.linear_term(inside, second=[1.0], source=np.ones(inside.shape))
    return kr.residual_problem([equation, kr.value_term(ENDS, 0.0)], **options)


@pytest.mark.parametrize("widths", [(1, 1), (1, 2, 1), (1, 2, 2, 1)])
def test_for_equations_the_penalty_adds_to_value_and_gradient_at_any_depth(widths):
    from networks import goal_objective

    from kan_ref.sparsity import PenaltyWeights

    model, made = network(widths), problem()
    goal = made.prepare(model)
    plain = goal_objective(model, goal, made.points)
    both = goal_objective(model, goal, made.points, penalty=PenaltyWeights(0.5, 1.0, 2.0, "paper"))
    own = model(made.points)

    value, gradient = both.value_and_grad(both.start())
    of_equations = plain.value_and_grad(plain.start())
    of_penalty = kr.value_and_grad(  # without a loss: the targets are the network's own values
        model, made.points, own, penalty_weight=0.5, entropy_weight=2.0
    )

    assert value == pytest.approx(of_equations[0] + of_penalty[0], rel=1e-12)
    size = np.abs(gradient).max()
    np.testing.assert_allclose(gradient, of_equations[1] + of_penalty[1], rtol=0, atol=1e-12 * size)


def test_a_problem_may_have_a_reference_data_both_or_neither():
    measured = data([0.25, 0.5, 0.75], [0.1, 0.2])
    reference = (INSIDE, np.zeros(INSIDE.shape))
    model = network()

    def error(x, y):
        return float(np.sqrt(np.mean((model(x) - y) ** 2)))

    for options, beside, expected in (
        ({}, None, np.nan),
        ({"reference": reference}, None, error(*reference)),
        ({}, measured, error(measured.x_test, measured.y_test)),
        ({"reference": reference}, measured, error(measured.x_test, measured.y_test)),
    ):
        run = kr.fit(model, beside, problem=problem(**options), n_steps=0)

        np.testing.assert_allclose(run.history.test_rmse, [expected], rtol=1e-12)


def test_measurements_beside_a_problem_are_checked_as_data_are():
    made = problem(INSIDE[5:])

    with pytest.raises(TypeError, match=r"^data is a int without attribute x_train"):
        kr.fit(network(), 3, problem=made)
    with pytest.raises(ValueError, match=r"^y_train has shape \(2,\)"):
        kr.fit(
            network(),
            SimpleNamespace(
                x_train=ENDS, y_train=np.zeros(2), x_test=ENDS, y_test=np.zeros((2, 1))
            ),
            problem=made,
        )
    with pytest.raises(ValueError, match=r"^x_train\[1\] gives log .* the argument -0\.5, where"):
        kr.fit(
            network(name="log"),
            data([0.25, -0.5]),
            problem=kr.residual_problem([kr.value_term(np.array([[0.5]]), 0.0)]),
        )


PARTS = ("points", "reference", "with_data", "check", "prepare")


@for_all("missing", PARTS)
def test_what_lacks_a_part_of_a_problem_is_none(missing):
    parts = dict.fromkeys(name for name in PARTS if name != missing)

    with pytest.raises(
        TypeError,
        match=rf"^problem is a SimpleNamespace without {missing}, but must come from "
        rf"residual_problem, or have {', '.join(PARTS)}$",
    ):
        kr.fit(network(), problem=SimpleNamespace(**parts))


def with_parts(whole, names):
    """The named members of a record and no others, as a class of one's own has them."""
    return SimpleNamespace(**{name: getattr(whole, name) for name in names})


def test_an_error_at_the_start_of_a_problem_of_one_s_own_is_passed_on_as_it_is():
    """A goal needs no terms whose derivatives could be named."""
    made = kr.residual_problem([kr.value_term(INSIDE)])
    own = with_parts(made, [name for name in PARTS if name != "prepare"])
    names = ("value_and_grad", "residuals", "linearize", "judge")
    own.prepare = lambda model: with_parts(made.prepare(model), names)
    edge = network(name="sqrt", affine=(1.0, 1.0, 1.0, 0.0))  # no derivative at the first point

    found = []
    for one in (made, own):
        with pytest.raises(ValueError, match="but needs finite numbers") as error:
            kr.fit(edge, problem=one)
        found.append(str(error.value))

    assert found[0].startswith(f"{found[1]}; terms[0].x[0] gives sqrt")
    assert kr.fit(network(), problem=own, n_steps=3).stopped == "3 steps are done"


@pytest.mark.parametrize(
    ("terms", "place"),
    [
        ((-INSIDE[6:], INSIDE, ENDS), r"terms\[0\]\.x\[2\]"),
        ((INSIDE[1:], ENDS), r"terms\[1\]\.x\[0\]"),
    ],
)
def test_of_several_terms_the_first_one_without_a_derivative_is_named_alone(terms, place):
    root = network(name="sqrt", affine=(1.0, 1.0, 1.0, 0.0))
    values = [kr.value_term(points, 1.0) for points in terms]

    with pytest.raises(ValueError, match=rf"; {place} gives sqrt") as caught:
        kr.fit(root, problem=kr.residual_problem(values))

    assert str(caught.value).count("gives sqrt") == 1
    assert ": :" not in str(caught.value)


def test_training_needs_first_derivatives_alone():
    """The second derivative of x^1.5 is infinite at 0."""
    zero = data([0.0, 0.25, 0.5, 1.0])

    run = kr.fit(network(name="x^1.5"), zero, n_steps=3)

    assert run.history.step[-1] == 3


def test_test_samples_need_values_and_no_derivatives():
    """The derivative of the square root is infinite at 0."""
    defined = kr.fit(network(name="sqrt"), data([0.25, 0.5], [0.0, 0.5]), n_steps=0)
    undefined = kr.fit(network(name="sqrt"), data([0.25, 0.5], [-1.0, 0.5]), n_steps=0)

    assert np.isfinite(defined.history.test_rmse).all()
    assert "test error" not in defined.stopped
    assert np.isnan(undefined.history.test_rmse).all()
    assert "; the test error is nan, because x_test[0] gives sqrt" in undefined.stopped


@pytest.mark.parametrize("layer", [0, 1])
def test_a_symbolic_edge_of_any_layer_is_checked(layer):
    log = network((1, 1, 1), "log", layer=layer, affine=(0.0, -1.0, 1.0, 0.0))

    with pytest.raises(
        ValueError, match=rf"x_train\[0\] gives log .* of layer {layer} the argument -1"
    ):
        kr.fit(log, data([0.25, 0.5]))


@pytest.mark.parametrize("grids", [3, "34", {3, 4}])
def test_grids_that_are_no_sequence_are_refused(grids):
    with pytest.raises(TypeError, match=r"^grids is .*, but must be a sequence of integers"):
        kr.fit(network(), data(INSIDE[:, 0]), grids=grids)


@for_all("share", [0.0, 0.5, 1.0])
@for_all("margin", [0.0, 1.0])
@for_all("factor", [10.0, 1e2, 1e4, 1e12])
def test_update_follows_data_that_went_far_away(factor, margin, share):
    """Where they are the splines are zero by then; what a grid so much coarser cannot bend stays below some per cent."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (200, 2))
    network = covered_network(rng, (2, 3, 1), degree=3, n_intervals=5, x=x)

    updated = kr.update_grid(network, factor * x, uniform_share=share, margin=margin)

    assert kr.distance(network, updated, factor * x).rms <= 0.1 * np.abs(network(factor * x)).max()


def test_a_hidden_grid_much_too_narrow_moves_without_an_explosion():
    """Inputs in [0, 0.01] and no probe batch: hidden grids lie there too, and the activations a hundred times as wide."""
    rng = np.random.default_rng(3)
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(0.0, 0.01), rng=rng)
    x = rng.uniform(0, 0.01, (300, 2))

    placed = place_hidden_grids(network, x)

    assert kr.distance(network, placed, x).max <= 2.0 * np.abs(network(x)).max()


def test_bases_without_points_keep_their_coefficients_bit_for_bit():
    row, start = kr.uniform_knots(-1.0, 1.0, 5, 4)[0], np.random.default_rng(4).normal(size=(1, 9))
    x = np.linspace(-0.15, 0.95, 50)

    fit = kr.fit_curve(x, np.sin(x)[:, None], knots=row, degree=4, start=start)

    assert fit.unsupported == (0, 1)
    assert fit.coef[0, :2].tobytes() == start[0, :2].tobytes()


def test_far_beyond_the_old_grid_a_moved_curve_is_held_instead_of_growing():
    row, new = kr.uniform_knots(-1.0, 1.0, 5, 3), kr.uniform_knots(-1e6, 1e6, 8, 3)
    coef = np.random.default_rng(0).normal(size=(1, 1, 8))

    moved = move_coefficients(row, 3, coef, new)

    assert np.abs(moved).max() <= 1e3 * np.abs(coef).max()


@for_all("degree", range(1, 5))
@for_all("times", [2, 3])
def test_polynomials_cost_nothing_where_breakpoints_repeat(degree, times):
    grid = np.array([0.0, 0.25, *[0.5] * times, 0.75, 1.0])
    h = 1.0 / (len(grid) - 1)
    row = np.concatenate([-h * np.arange(degree, 0, -1), grid, 1.0 + h * np.arange(1, degree + 1)])
    coef = np.prod(
        [row[1 + q : len(row) - degree + q] for q in range(degree)], axis=0
    )  # the polar form of x^k at t_{m+1..m+k}
    one = np.ones((1, 1))
    network = Network((Layer(row[None], coef[None, None], 0.0 * one, one, one, degree),))

    jumps = Smoothness.of(network, 1.0).residuals(network)

    x = np.linspace(0.0, 1.0, 21)[:, None]
    np.testing.assert_allclose(network(x), x**degree, rtol=0, atol=1e-13)
    assert np.abs(jumps).max() <= 1e-12


def test_an_empty_batch_has_no_rows():
    network = random_network(np.random.default_rng(6), widths=(3, 4, 2), degrees=[3])

    rows = prediction_jacobian(network.layers, kr.forward(network, np.zeros((0, 3)))[1])

    assert rows.values.shape == (0, 3 * 4 * 6 + 4 * 6)


def test_two_objectives_are_compared_by_identity():
    network = random_network(np.random.default_rng(0), widths=(2, 1), degrees=[3])
    x = random_batch(np.random.default_rng(1), network.layers[0], 4)
    one, other = (data_objective(network, x, x[:, :1], smoothness_weight=1.0) for _ in range(2))

    assert one == one
    assert one != other
    assert one.smoothness != other.smoothness


def test_a_callback_that_stops_where_a_grid_would_move_has_the_last_word():
    network, data = growing(0)
    seen = []

    def stop(step):
        seen.append(step)
        return step.step == 5

    run = kr.fit(network, data, n_steps=20, callback=stop)

    assert run.history.step.tolist() == [0, 1, 2, 3, 4, 5]
    assert bits(run.network) == bits(seen[-1].network)


def test_one_step_is_no_plural():
    network, data = growing(0)

    def interrupt(step):
        if step.step == 1:
            raise KeyboardInterrupt

    assert (
        kr.fit(network, data, callback=interrupt).stopped
        == "interrupted after 1 step: this is the best network so far"
    )


def test_a_flat_list_is_refused_like_a_flat_array():
    network, data = growing(0)

    with pytest.raises(
        ValueError,
        match=r"^y has shape \(60,\), but needs shape \(batch, n_out\): give y\[:, None\] for one output, or",
    ):
        kr.value_and_grad(network, data.x_train, data.y_train[:, 0].tolist())


def test_two_samples_of_two_features_are_samples_and_no_bounds():
    """An array of shape (2, 2) given as domain is bounds, but training inputs are never that."""
    x = np.array([[0.0, 1.0], [5.0, 6.0]])
    data = SimpleNamespace(x_train=x, y_train=x[:, :1], x_test=x, y_test=x[:, :1])

    network = kr.best_start(
        (2, 1), data, n_starts=1, n_intervals=3, degree=3, n_steps=0, rng=np.random.default_rng(0)
    )

    np.testing.assert_allclose(
        network.layers[0].breakpoints[:, [0, -1]], [[-0.25, 5.25], [0.75, 6.25]], rtol=1e-14
    )


def test_two_falling_samples_are_no_reason_to_refuse():
    data = samples(lambda x: x[:, :1], 2, np.random.default_rng(0))
    data.x_train, data.y_train = np.array([[1.0, 0.0], [0.5, 0.7]]), np.zeros((2, 1))

    kr.run_starts(
        (2, 1), data, n_starts=1, n_intervals=3, degree=3, n_steps=0, rng=np.random.default_rng(0)
    )


def test_test_errors_beyond_float64_leave_a_run_and_its_reason_as_they_are():
    """One test sample lies outside the grid, where errors that overflow say nothing of the grid."""
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    data = samples(np.sin, 1, rng)
    data.x_test[0], data.y_test[0] = 3.0, 1e200

    run = kr.fit(network, data, n_steps=3)

    assert run.stopped == "3 steps are done"
    assert np.isinf(run.history.test_rmse).all()


def test_one_sample_outside_the_grid_is_enough_for_a_note_and_many_as_good_as_the_others_are_not():
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    data = samples(np.sin, 1, rng)
    data.x_test[0], data.y_test[0] = 3.0, 100.0
    noise = samples(np.sin, 1, rng)
    noise.x_test, noise.y_test = 3.0 * noise.x_test, 100.0 * rng.choice([-1.0, 1.0], (40, 1))

    one, many = (kr.fit(network, record, n_steps=3) for record in (data, noise))

    assert "; of 40 samples of x_test 1 leaves the grids, with 100% of" in one.stopped
    assert np.mean(np.abs(noise.x_test) > 1.0) > 0.6
    assert "the grids" not in many.stopped


@pytest.mark.parametrize(("noise", "noted"), [(1.5, False), (0.5, True)])
def test_a_test_error_below_that_of_training_needs_no_reason(noise, noted):
    rng = np.random.default_rng(0)
    made = network((1, 1))
    x, later = np.linspace(-1.0, 1.0, 40)[:, None], np.linspace(-0.9, 1.1, 41)[:, None]
    y = made(x) + noise * rng.choice([-1.0, 1.0], (40, 1))
    errors = np.where(later > 1.0, 4.0, 0.1)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(1.0, rel=0.3)

    run = kr.fit(made, kr.Data(x, y, later, made(later) + errors), n_steps=0)

    assert ("leave the grids" in run.stopped) is noted


@for_all("widths", [(1, 1), (1, 2, 2)])
def test_test_samples_that_all_lie_outside_are_compared_with_the_training_error(widths):
    made, rng = network(widths), np.random.default_rng(0)
    x, later = np.linspace(-1.0, 1.0, 40)[:, None], np.linspace(1.5, 2.0, 7)[:, None]

    def stopped(later, error, noise=0.0):
        y = made(x) + noise * rng.choice([-1.0, 1.0], (40, widths[-1]))
        record = kr.Data(x, y, later, made(later) + error)
        return kr.fit(made, record, n_steps=0).stopped

    small = 1e-3 * float(made(later).std())

    assert "; of 7 samples of x_test 7 leave the grids, with 100% of" in stopped(later, 10.0)
    assert "; of 1 sample of x_test 1 leaves the grids, with 100% of" in stopped(later[:1], 10.0)
    for untroubled in (stopped(later, 10.0, noise=5.0), stopped(later, small), stopped(later, 0.0)):
        assert "the grids" not in untroubled


@pytest.mark.parametrize("name", ["missing/ladder.png", ".", "ladder.xyz", "ladder"])
def test_a_picture_that_cannot_be_written_is_refused_before_anything_runs(
    name, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demonstration, "find", None)

    with pytest.raises(SystemExit) as stopped:
        demonstration.main(["--picture", name])

    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert f"--picture is {name}" in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []
