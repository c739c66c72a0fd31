"""Rules of training on equations and on symbolic edges: which term or sample a message names, and that penalties add."""

from types import SimpleNamespace

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.training.smooth_fit import rmse

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
    from objectives import goal_objective

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


def test_equations_have_an_operator_with_the_entries_of_their_jacobian():
    from objectives import goal_objective

    from kan_ref.numerics.row_sparse import dense_form

    model, made = network((1, 2, 1)), problem()
    objective = goal_objective(model, made.prepare(model), made.points)
    residuals, jacobian = objective.linearize(objective.start())
    direction = np.cos(np.arange(model.n_params))

    found, operator = objective.operator(objective.start())

    np.testing.assert_array_equal(found, residuals)
    np.testing.assert_allclose(
        operator.multiply(direction), dense_form(jacobian) @ direction, rtol=1e-12
    )


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


@pytest.mark.parametrize("missing", ["points", "with_data", "check", "prepare"])
def test_what_lacks_a_part_of_a_problem_is_none(missing):
    parts = dict.fromkeys({"points", "with_data", "check", "prepare"} - {missing})

    with pytest.raises(
        TypeError, match=r"^problem is a SimpleNamespace, but must come from residual_problem$"
    ):
        kr.fit(network(), problem=SimpleNamespace(**parts))


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

    with pytest.raises(ValueError, match=rf": {place} gives sqrt") as caught:
        kr.fit(root, problem=kr.residual_problem(values))

    assert str(caught.value).count("gives sqrt") == 1
    assert ": :" not in str(caught.value)


def test_training_needs_first_derivatives_alone():
    """The second derivative of x^1.5 is infinite at 0."""
    zero = data([0.0, 0.25, 0.5, 1.0])

    run = kr.fit(network(name="x^1.5"), zero, n_steps=3)
    smooth = kr.fit_smooth(
        network(name="x^1.5"), zero, grids=(3,), weights=(0.0,), validation_share=0.25, n_steps=1,
        rng=np.random.default_rng(0),
    )  # fmt: skip

    assert run.history.step[-1] == 3
    assert np.isfinite(smooth.grids[0].rivals).all()
    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match=r"is inf, but must be finite: scale"),
    ):
        kr.fit(network(name="x^1.5"), data([0.0, 0.5], scale=1e200), n_steps=1)


def test_samples_without_a_derivative_are_named_before_fit_smooth_draws_any():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state

    with pytest.raises(
        ValueError, match=r"^x_train\[0\] gives sqrt .* its derivative has no finite"
    ):
        kr.fit_smooth(network(name="sqrt"), data([0.0, 0.5, 1.0, 0.75, 0.25]), grids=(3,), rng=rng)

    assert rng.bit_generator.state == before


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


def test_a_network_that_is_undefined_at_a_sample_is_worse_than_any_other():
    x = np.array([[0.5], [-0.5]])

    assert rmse(network(name="log"), x, x) == np.inf
    assert rmse(network(name="log"), x[:1], x[:1]) < np.inf


@pytest.mark.parametrize("weights", [3.0, "0.1", {0.0, 1e-8}, None])
def test_weights_that_are_no_sequence_are_refused(weights):
    with pytest.raises(
        TypeError,
        match=r"^weights is .*, but must be a sequence of numbers such as \(0\.0, 1e-8\)$",
    ):
        kr.fit_smooth(
            network(), data(INSIDE[:, 0]), grids=(3,), weights=weights, rng=np.random.default_rng(0)
        )


@pytest.mark.parametrize("grids", [3, "34", {3, 4}, None])
def test_grids_that_are_no_sequence_are_refused(grids):
    with pytest.raises(TypeError, match=r"^grids is .*, but must be a sequence of integers"):
        kr.fit_smooth(network(), data(INSIDE[:, 0]), grids=grids, rng=np.random.default_rng(0))
