"""What conditions and problems take and refuse: undefined values, partial derivatives, models without the derivatives of an equation."""

import re

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr
from kan_ref.pde.user_residual import check_partials, evaluate_residual

N = 9
X = np.random.default_rng(0).uniform(-0.9, 0.9, (N, 2))
ONES = lambda x, u, du, d2u: (u[:, 0], np.ones((len(x), 1)), None, None)  # noqa: E731
TERM = kr.value_term(X, 0.0)
NETWORK = kr.init_network(
    (2, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
)


def test_terms_and_references_keep_their_numbers_when_the_arrays_of_the_caller_change():
    x, u, weight, matrix = X.copy(), X.copy(), np.ones(N), np.ones((2, 2))
    term = kr.linear_term(x, second=matrix, source=u, weight=weight)
    value = kr.residual_problem([term], reference=(x, u))
    before = value.prepare(NETWORK).value(NETWORK)

    for array in (x, u, weight, matrix):
        array[...] = 7.0

    assert value.prepare(NETWORK).value(NETWORK) == before
    assert value.reference is not None
    np.testing.assert_array_equal(value.reference[0], X)
    np.testing.assert_array_equal(value.reference[1], X)


# --- values and derivatives that are not finite


@pytest.mark.parametrize(
    "call",
    [
        kr.input_jacobian,
        kr.input_hessian,
        kr.input_laplacian,
    ],
)
def test_a_value_that_is_undefined_is_reported_before_a_derivative_that_is_infinite(call):
    """sqrt at 0 has a value, and no derivative; at -1 it has none."""
    network = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="sqrt")

    with pytest.raises(ValueError, match=r"x\[1\]"):
        call(network, [[0.0], [-1.0]])
    with pytest.raises(ValueError, match=r"x\[0\].*derivative|derivative.*x\[0\]"):
        call(network, [[0.0], [0.5]])


@pytest.mark.parametrize(
    "call",
    [
        kr.input_jacobian,
        lambda network, x: kr.fit(
            network,
            kr.Data(x, x[:, :1], x, x[:, :1]),
            problem=kr.residual_problem([kr.function_term(x, ONES, order=1)]),
        ),
    ],
    ids=["input_jacobian", "term of order 1"],
)
def test_where_first_derivatives_are_wanted_no_infinite_second_one_is_reported(call):
    """u^1.5 at 0 has a first derivative and no second one, sqrt(u) at 0 has no first one."""
    network = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    for place, name in enumerate(["x^1.5", "sqrt"]):
        network = kr.fix_symbolic(network, 0, output=0, input=place, name=name)

    assert np.isfinite(kr.input_jacobian(network, [[0.0, 0.5]])).all()
    with pytest.raises(ValueError, match=r"\[1\] gives sqrt on the edge from input 1"):
        call(network, np.array([[0.0, 0.5], [0.5, 0.0]]))


@pytest.mark.parametrize(
    "call",
    [
        kr.input_hessian,
        kr.input_hessian_diag,
        kr.input_laplacian,
        lambda network, x: kr.fit(
            network,
            kr.Data(x, x[:, :1], x, x[:, :1]),
            problem=kr.residual_problem([kr.linear_term(x, second=[1.0, 1.0])]),
        ),
    ],
    ids=["input_hessian", "input_hessian_diag", "input_laplacian", "linear_term"],
)
def test_where_second_derivatives_are_wanted_an_infinite_one_is_reported(call):
    network = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="x^1.5")

    with pytest.raises(ValueError, match=r"\[1\] gives x\^1.5 on the .* its second derivative"):
        call(network, np.array([[0.5, 0.5], [0.0, 0.5]]))


def test_terms_without_a_source_a_value_or_a_weight_are_homogeneous_of_weight_1():
    def first_output(x, u, du, d2u):
        return u[:, 0], np.tile([1.0, 0.0], (len(x), 1)), None, None

    def residuals(term):
        return kr.residual_problem([term]).prepare(NETWORK).residuals(NETWORK)

    for short, whole in (
        (kr.value_term(X), kr.value_term(X, 0.0, weight=1.0)),
        (
            kr.linear_term(X, second=[1.0, 2.0], zeroth=3.0),
            kr.linear_term(
                X,
                second=np.diag([1.0, 2.0]),
                first=np.zeros(2),
                zeroth=3.0,
                source=0.0,
                weight=np.ones(N),
            ),
        ),
        (
            kr.function_term(X, first_output),
            kr.function_term(X, first_output, order=2, pairs=((0, 0), (0, 1), (1, 1)), weight=1.0),
        ),
    ):
        np.testing.assert_allclose(residuals(short), residuals(whole), rtol=1e-13, atol=1e-15)


def test_an_operator_whose_coefficients_vanish_at_some_points_is_the_sum_of_its_terms_at_all():
    matrix = np.zeros((N, 2, 2))
    matrix[::2, 0, 0], matrix[1::3, 0, 1], matrix[4, 1, 1] = 1.5, -0.7, 2.0
    prepared = kr.residual_problem([kr.linear_term(X, second=matrix)]).prepare(NETWORK)

    residuals = prepared.residuals(NETWORK)

    hessian = kr.input_hessian(NETWORK, X)
    expected = np.einsum("bpq,bopq->ob", matrix, hessian) / np.sqrt(2.0 * N)
    np.testing.assert_allclose(residuals, expected.ravel(), rtol=1e-11, atol=1e-11)


# --- answers of a user's function


def answered(*answer):
    return evaluate_residual(lambda x, u, du, d2u: answer, (X, X.copy(), None, None))


@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, 3)])
def test_integers_and_booleans_are_residuals_as_float64(shape):
    for dtype in (bool, int, np.float32):
        residual, partials = answered(
            np.ones(shape, dtype=dtype), np.ones((*shape, 2), dtype=dtype), None, None
        )
        assert residual.dtype == partials[0].dtype == np.float64
        assert partials[1:] == (None, None)


# --- how much a partial derivative may differ


def cubic(factor, wrong_points=0, n=40):
    """u^3 with its derivative times `factor` at all points, or twice it at some of them."""
    u = np.linspace(0.5, 1.5, n)[:, None]

    def function(x, u, du, d2u):
        by_u = 3.0 * factor * u**2
        by_u[:wrong_points] *= 2.0
        return u[:, 0] ** 3, by_u, None, None

    return function, (u, u.copy(), None, None)


@for_all("middle", [1e5, -1e5])
def test_rounding_of_an_unknown_far_from_0_is_no_wrong_derivative_and_hides_none(middle):
    """u = m + v is rounded by 1e-16 m; a difference of steps of 1e-6 shows this as 1e-10 m."""
    scales = kr.Scales([(-1.0, 1.0)], (middle - 1.0, middle + 1.0))
    v = np.linspace(-1.0, 1.0, 12)[:, None]

    def check(factor):
        check_partials(
            lambda x, u, du, d2u: (
                (middle + u)[:, 0] - middle,
                factor * np.ones_like(u),
                None,
                None,
            ),
            (v, v.copy(), None, None),
            "terms[0]",
            derived=True,
            scales=scales,
        )

    check(1.0)
    for wrong in (1.01, 0.99, -1.0):
        with pytest.raises(ValueError, match="the derivative that SymPy has derived gives"):
            check(wrong)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_partial_derivative_may_differ_by_a_hundred_thousandth_of_both_sides(sign):
    check_partials(*cubic(1.0 + sign * 1.8e-5), "terms[0]")
    for wrong in (3e-5, 1e-4, 1e-2):
        with pytest.raises(ValueError, match=r"terms\[0\]: by_u is wrong: at point 0"):
            check_partials(*cubic(1.0 + sign * wrong), "terms[0]")


@pytest.mark.parametrize(("n", "allowed"), [(9, 0), (10, 1), (40, 4), (49, 4), (110, 11)])
def test_one_point_in_ten_may_disagree(n, allowed):
    check_partials(*cubic(1.0, allowed, n), "terms[0]")
    with pytest.raises(ValueError, match="by_u is wrong: at point 0"):
        check_partials(*cubic(1.0, allowed + 1, n), "terms[0]")


@pytest.mark.parametrize("part", [1e-9, 1e-7])
def test_a_wrong_partial_derivative_is_found_unless_rounding_of_the_other_terms_hides_it(part):
    """Rounding of R is 1e-14 of its terms, which a difference with h = 1e-6 makes 1e-8."""

    def function(x, u, du, d2u):
        return u[:, 0] + part * du[:, 0, 0], np.ones_like(u), 3.0 * part * np.ones_like(du), None

    u = np.linspace(0.5, 1.5, 20)[:, None]
    arguments = (u, u.copy(), np.ones((20, 1, 1)), None)
    if part < 1e-8:
        check_partials(function, arguments, "terms[0]")
        return
    with pytest.raises(ValueError, match="by_du is wrong"):
        check_partials(function, arguments, "terms[0]")


UNIT_LINE = np.linspace(0.0, 1.0, 9)[:, None]
OF_ORDER = {
    1: [
        kr.linear_term(UNIT_LINE, first=[1.0], source=1.0),
        kr.function_term(
            UNIT_LINE,
            lambda x, u, du, d2u: (du[:, 0, 0] - 1.0, None, np.ones_like(du), None),
            order=1,
        ),
    ],
    2: [
        kr.linear_term(UNIT_LINE, second=[1.0], first=[1.0], source=1.0),
        kr.function_term(
            UNIT_LINE,
            lambda x, u, du, d2u: (d2u[:, 0, 0, 0] - 1.0, None, None, np.ones_like(d2u)),
        ),
    ],
}


def straight(degree, base="silu", widths=(1, 2, 1)):
    return kr.init_network(
        widths,
        n_intervals=3,
        degree=degree,
        domain=(0, 1),
        base=base,
        rng=np.random.default_rng(0),
    )


def fit_term(model, term):
    """Two terms, so that the number of the one in the message counts."""
    return kr.fit(model, problem=kr.residual_problem([kr.value_term(UNIT_LINE), term]), n_steps=1)


@for_all("base", ["silu", "identity", "zero"])
@for_all(("order", "degree"), [(1, 0), (2, 0), (2, 1)])
def test_splines_with_jumps_that_no_residual_shows_are_rejected(order, degree, base):
    """A staircase of degree 0 beside the identity has u' = 1 at every point, whatever its steps are."""
    for term in OF_ORDER[order]:
        with pytest.raises(
            ValueError, match=r"^terms\[1\] .* layers\[0\] has spline edges of degree"
        ):
            fit_term(straight(degree, base), term)


def test_one_layer_with_such_splines_is_enough():
    network = kr.Network([straight(degree, widths=(1, 1)).layers[0] for degree in (3, 1)])

    for term in OF_ORDER[1]:
        assert fit_term(network, term).history.step[-1] == 1
    for term in OF_ORDER[2]:
        with pytest.raises(ValueError, match=r"layers\[1\] has spline edges of degree 1"):
            fit_term(network, term)


def test_symbolic_edges_of_layers_of_low_degree_have_no_such_jumps():
    network = kr.fix_symbolic(straight(0, widths=(1, 1)), 0, output=0, input=0, name="x^2")

    for term in (*OF_ORDER[1], *OF_ORDER[2]):
        assert fit_term(network, term).history.step[-1] == 1


def test_a_layer_without_active_edges_is_rejected_for_derivatives_and_taken_for_values():
    network = kr.mask_edges(straight(3), 1, np.zeros((1, 2)))

    for term in (*OF_ORDER[1], *OF_ORDER[2]):
        with pytest.raises(
            ValueError, match=r"because layers\[1\] has no active edges: mask_edges"
        ):
            fit_term(network, term)
    fit_term(network, kr.value_term(UNIT_LINE))


@for_all("degree", [0, 1])
def test_values_and_first_derivatives_take_the_degrees_that_they_can(degree):
    for order in range(degree + 1):
        for term in OF_ORDER.get(order, [kr.value_term(UNIT_LINE, 1.0)]):
            assert fit_term(straight(degree), term).history.step[-1] == 1


def test_arrays_of_terms_and_scales_are_read_only_and_those_of_the_caller_are_not():
    given = {"x": X.copy(), "zeroth": np.ones(N), "source": np.ones((N, 1)), "weight": np.ones(N)}
    linear = kr.linear_term(**given)
    function = kr.function_term(given["x"], ONES, weight=given["weight"])
    scales = kr.Scales(domain := np.array([[0.0, 1.0]]), values := np.array([0.0, 1.0]))

    for array in (*given.values(), domain, values):
        assert array.flags.writeable
    for array in (
        *(getattr(linear, name) for name in given),
        *(getattr(function, name) for name in ("x", "weight")),
        *(scales.domain, scales.values),
    ):
        assert not array.flags.writeable
        assert not any(np.shares_memory(array, one) for one in (*given.values(), domain, values))


def test_an_mlp_that_does_not_bend_is_rejected_for_equations_of_second_order():
    model = kr.init_mlp((1, 5, 1), activation="relu", rng=np.random.default_rng(0))
    message = "terms[1] has second derivatives, but those of an MLP of activation 'relu' are 0"

    for term in OF_ORDER[2]:
        with pytest.raises(ValueError, match=re.escape(message)):
            fit_term(model, term)
    for term in OF_ORDER[1]:
        assert fit_term(model, term).history.step[-1] == 1


@pytest.mark.parametrize(("degree", "base"), [(2, "silu"), (2, "zero")])
def test_curves_that_bend_are_taken_for_equations_of_second_order(degree, base):
    x = np.linspace(0.0, 1.0, 9)[:, None]
    network = kr.init_network(
        (1, 2, 1),
        n_intervals=3,
        degree=degree,
        domain=(0, 1),
        base=base,
        rng=np.random.default_rng(0),
    )
    problem = kr.residual_problem([kr.linear_term(x, second=[1.0], source=1.0)])

    assert kr.fit(network, problem=problem, n_steps=1).history.step[-1] == 1
