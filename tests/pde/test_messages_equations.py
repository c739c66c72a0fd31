"""Messages of conditions, problems and derivatives: each wrong argument is named with what came and what is needed."""

import re
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr
from kan_ref.functions.record import Function
from kan_ref.network.symbolic_edges import SymbolicEdge
from kan_ref.pde import user_residual
from kan_ref.pde.input_derivatives import check_jet
from kan_ref.pde.jet_kind import value_kind
from kan_ref.pde.user_residual import check_partials, evaluate_residual

N = 9
X = np.random.default_rng(0).uniform(-0.9, 0.9, (N, 2))
ONES = lambda x, u, du, d2u: (u[:, 0], np.ones((len(x), 1)), None, None)  # noqa: E731
TERM = kr.value_term(X, 0.0)
LINE = kr.value_term(X[:, :1], 0.0)
NETWORK = kr.init_network(
    (2, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
)
RIGHT = NETWORK.with_theta(NETWORK.theta + 0.1)


def second(value):
    return lambda: kr.linear_term(X, second=value)


def pairs(value, order=2):
    return lambda: kr.function_term(X, ONES, order=order, pairs=value)


def problem(terms, reference=None):
    return lambda: kr.residual_problem(terms, reference=reference)


REJECTED = {
    "no coefficient": (lambda: kr.linear_term(X), "linear_term needs second, first or zeroth"),
    "coefficients of 0": (
        lambda: kr.linear_term(X, second=[0.0, 0.0], first=np.zeros((N, 2)), zeroth=0.0),
        "^second, first and zeroth have only numbers 0, so no training can change the residual: give",
    ),
    "second wide": (
        second(np.ones((3, 3))),
        r"second has shape \(3, 3\), but must be of shape \(2,\), \(2, 2\) or \(9, 2, 2\)",
    ),
    "second of other points": (second(np.ones((8, 2, 2))), r"\(2, 2\) or \(9, 2, 2\)"),
    "second long": (second(np.ones(3)), r"second has shape \(3,\), but must be of shape \(2,\)"),
    "first turned": (
        lambda: kr.linear_term(X, first=np.ones((2, 9))),
        r"first has shape \(2, 9\), but must be of shape \(2,\) or \(9, 2\)",
    ),
    "zeroth long": (
        lambda: kr.linear_term(X, zeroth=np.ones(8)),
        r"zeroth has shape \(8,\), but must be a number or of shape \(9,\)",
    ),
    "source flat": (
        lambda: kr.linear_term(X, zeroth=1.0, source=np.ones(9)),
        r"source has shape \(9,\), but must be a number or of shape \(9, n_out\)",
    ),
    "value short": (
        lambda: kr.value_term(X, np.ones((8, 1))),
        r"y has shape \(8, 1\), but must be a number or of shape \(9, n_out\)",
    ),
    "points without variables": (lambda: kr.value_term(X[:, :0]), r"x has shape \(9, 0\)"),
    "no points": (lambda: kr.value_term(X[:0]), r"x has shape \(0, 2\), but needs at least one"),
    "weight negative": (
        lambda: kr.value_term(X, weight=[1.0, 0.0, -0.5, 1.0, -2.0, 1.0, 1.0, 1.0, 1.0]),
        "weight is -2 at point 4, but must be at least 0",
    ),
    "function": (
        lambda: kr.function_term(X, 3),
        "function is a int, but must be a function of x, u, du, d2u",
    ),
    "order": (lambda: kr.function_term(X, ONES, order=3), "order is 3"),
    "pairs of order 1": (
        pairs(((0, 0),), order=1),
        "pairs is given, but with order 1 there are no second derivatives",
    ),
    "pairs empty": (pairs(()), "pairs is empty, but must be a sequence of pairs"),
    "pairs empty array": (pairs(np.zeros((0, 2), dtype=int)), "pairs is empty"),
    "pairs a number": (pairs(5), "pairs is a int, but must be a sequence of pairs"),
    "pairs a text": (pairs("01"), "pairs is a str, but must be a sequence of pairs"),
    "pairs flat": (pairs((0, 1)), r"pairs\[0\] is not a pair of inputs"),
    "pairs triple": (pairs(((0, 1), (0, 0, 1))), r"pairs\[1\] is not a pair of inputs"),
    "pairs beyond": (
        pairs(((0, 1), (0, 2))),
        r"an input in pairs\[1\] is 2, but must be between 0 and 1",
    ),
    "pairs below": (pairs(((-1, 0),)), r"an input in pairs\[0\] is -1, but must be between 0"),
    "pairs twice": (
        pairs(((0, 1), (1, 1), (1, 0))),
        r"pairs\[2\] is \(0, 1\) in some order, but that pair is there already",
    ),
    "terms a text": (problem("term"), "terms is a str, but must be a sequence of terms"),
    "terms a term": (problem(TERM), "terms is a LinearTerm, but must be a sequence of terms"),
    "terms empty": (problem([]), "terms is empty, but a problem needs at least one term"),
    "terms of another kind": (problem([TERM, ONES]), r"terms\[1\] is a function, but must come"),
    "terms of other variables": (
        problem([TERM, LINE]),
        r"terms\[1\] has 1 variable, but terms\[0\] has 2: give all terms points with the same number",
    ),
    "data of other variables": (
        lambda: kr.residual_problem([TERM]).with_data(X[:, :1], X),
        r"terms\[1\] has 1 variable, but terms\[0\] has 2: give all terms points with the same number",
    ),
    "no weight": (
        problem([kr.value_term(X, weight=0.0), kr.value_term(X, weight=np.zeros(N))]),
        "every weight of every term is 0, but a problem needs one above",
    ),
    "reference an array": (problem([TERM], X), "reference is a ndarray, but must be a pair"),
    "reference a number": (problem([TERM], 3), "reference is a int, but must be a pair"),
    "reference of three": (
        problem([TERM], (X, X, X)),
        r"reference is a tuple of length 3, but must be a pair \(x, u\): points x \(n, 2\) and",
    ),
    "reference of other variables": (problem([TERM], (X[:, :1], X)), r"reference\[0\] has shape"),
    "reference flat": (problem([TERM], (X, X[:, 0])), r"reference\[1\] has shape"),
    "reference short": (
        problem([TERM], (X, X[:5])),
        "reference has 9 points and 5 values, but needs one value a point, at least one",
    ),
    "reference empty": (problem([TERM], (X[:0], X[:0])), "reference has 0 points and 0 values"),
    "problem of other variables": (
        lambda: kr.residual_problem([LINE]).check(NETWORK),
        "problem has 1 variable, but the model takes 2 inputs: give every term points x with one",
    ),
    "reference of other outputs": (
        lambda: kr.residual_problem([TERM], reference=(X, X[:, :1])).check(NETWORK),
        r"reference\[1\] has 1 column, but the model has 2 outputs: give one column for each output",
    ),
    "source of other outputs": (
        lambda: kr.residual_problem([TERM, kr.value_term(X, X[:, :1])]).check(NETWORK),
        r"terms\[1\] gives values for 1 output, but the model has 2 outputs: give y or source the shape",
    ),
    "model": (
        lambda: kr.input_jacobian(3, X),
        "network is 3, but derivatives with respect to the inputs need a Network or an MLP",
    ),
}


@for_all("name", REJECTED)
def test_a_wrong_argument_is_named_with_what_came_and_what_is_needed(name):
    call, message = REJECTED[name]

    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        call()


def test_one_term_with_a_weight_is_enough_and_one_point_with_a_weight_too():
    one = np.eye(N)[3]

    problem_ = kr.residual_problem(
        [kr.value_term(X, weight=0.0), kr.value_term(X, weight=one)], reference=(X[:1], X[:1])
    )

    problem_.check(NETWORK)
    assert problem_.n_in == 2
    assert problem_.points.shape == (2 * N, 2)


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


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_pair_of_arrays_is_a_reference_as_list_and_as_tuple(kind):
    assert kr.residual_problem([TERM], reference=kind([X, X])).reference is not None


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


def network_of_curves(first, second):
    """Two symbolic edges into one output, from input 0 and from input 1."""
    network = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    layer = network.layers[0]
    symbolic = [SymbolicEdge(0, place, one, place) for place, one in enumerate([first, second])]
    affine = np.tile([1.0, 0.0, 1.0, 0.0], (2, 1))
    return kr.Network((replace(layer, mask=np.zeros((1, 2)), symbolic=symbolic, affine=affine),))


POWER = Function(
    "u^2.5",
    lambda u: u**2.5,
    lambda u: 2.5 * u**1.5,
    lambda u: 3.75 * u**0.5,
    lambda u: 1.875 / u**0.5,
)
AT_0_AND_1 = np.array([[0.0, 0.5], [0.5, 0.0]])


@pytest.mark.parametrize(
    "call",
    [
        kr.input_hessian,
        lambda network, x: kr.fit(
            network,
            kr.Data(x, x[:, :1], x, x[:, :1]),
            problem=kr.residual_problem([kr.linear_term(x, second=[1.0, 1.0])]),
        ),
    ],
    ids=["input_hessian", "linear_term"],
)
def test_where_second_derivatives_are_wanted_no_infinite_third_one_is_reported(call):
    network = network_of_curves(POWER, kr.LIBRARY["x^1.5"])

    with pytest.raises(ValueError, match=r"\[1\] gives x\^1.5 on the edge from input 1"):
        call(network, AT_0_AND_1)


@pytest.mark.parametrize("call", [kr.input_jacobian, kr.input_hessian])
def test_an_undefined_value_of_any_edge_is_reported_before_an_infinite_derivative(call):
    """sqrt has no derivative at the first sample, and log no value at the second."""
    network = network_of_curves(kr.LIBRARY["sqrt"], kr.LIBRARY["log"])

    with pytest.raises(ValueError, match=r"x\[1\] gives log on the edge from input 1"):
        call(network, AT_0_AND_1)


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


def test_the_kind_of_a_value_alone_has_no_derivatives():
    kind = value_kind(3)

    assert (kind.n_in, kind.n_first, kind.n_second, kind.n_components) == (3, 0, 0, 1)


def test_an_operator_whose_coefficients_vanish_at_some_points_is_the_sum_of_its_terms_at_all():
    matrix = np.zeros((N, 2, 2))
    matrix[::2, 0, 0], matrix[1::3, 0, 1], matrix[4, 1, 1] = 1.5, -0.7, 2.0
    prepared = kr.residual_problem([kr.linear_term(X, second=matrix)]).prepare(NETWORK)

    residuals = prepared.residuals(NETWORK)

    hessian = kr.input_hessian(NETWORK, X)
    expected = np.einsum("bpq,bopq->ob", matrix, hessian) / np.sqrt(2.0 * N)
    np.testing.assert_allclose(residuals, expected.ravel(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("output", "sample"), [(0, 2), (1, 0), (1, 3)])
def test_a_number_that_overflows_is_reported_with_its_sample_and_its_output(output, sample):
    jet = np.ones((2, 3, 4))
    jet[output, 1, sample] = np.inf

    with pytest.raises(ValueError, match=rf"x\[{sample}\] gives output {output} a value or"):
        check_jet(NETWORK, X[:4], jet, highest=2)


# --- answers of a user's function


def answered(*answer):
    return evaluate_residual(lambda x, u, du, d2u: answer, (X, X.copy(), None, None))


@for_all(
    ("answer", "message"),
    [
        ((np.ones(N - 1), None, None, None), r"residual has shape \(8,\), but 9 points need"),
        ((np.ones((N, 0)), None, None, None), r"residual has shape \(9, 0\), but 9 points need"),
        ((np.ones((N, 1, 1)), None, None, None), r"residual has shape \(9, 1, 1\)"),
        ((np.float64(1.0), None, None, None), r"residual has shape \(\)"),
        ((np.ones(N) * 1j, None, None, None), "residual has dtype complex128, but needs real"),
        (
            (np.ones(N), np.ones((N, 3)), None, None),
            r"by_u has shape \(9, 3\), but residual \(9,\)",
        ),
        ((np.ones(N), np.array(["a"]), None, None), "by_u has dtype <U1, but needs real numbers"),
        (
            (np.ones(N), None, np.ones((N, 2, 2)), None),
            "by_du is given, but this term has no such derivatives: its order is too low",
        ),
        ((np.ones(N), None, None), "function returned 3 items, but must return"),
        ((np.ones(N), None, None, None, None), "function returned 5 items, but must return"),
    ],
)
def test_an_answer_that_does_not_fit_is_named_with_its_shape(answer, message):
    with pytest.raises((ValueError, TypeError), match=message):
        answered(*answer)


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


@for_all("returned", [np.float32, np.float64])
def test_a_residual_with_the_digits_of_float32_is_reported_as_such(returned):
    """Its differences are multiples of 1e-7 / h, or 0: right partial derivatives were called wrong."""
    u = np.random.default_rng(0).uniform(0.5, 1.5, (20, 1))

    def function(x, u, du, d2u):
        small = u.astype(np.float32)
        return (small[:, 0] ** 3).astype(returned), 3.0 * small**2, None, None

    message = "^terms: by_u cannot be checked, because .* of float32 .*: compute it in float64$"
    with pytest.raises(ValueError, match=message):
        check_partials(function, (u, u.copy(), None, None), "terms")


@for_all("residual", [np.sign, np.zeros_like, lambda u: 0.5 * np.floor(u + 0.3) + 1e300 * u])
def test_wrong_derivatives_of_residuals_in_float64_are_not_put_down_to_float32(residual):
    u = np.linspace(0.5, 1.5, 17)[:, None]  # numbers of float32, too, but not after a step

    with pytest.raises(ValueError, match="by_u is wrong"):
        check_partials(
            lambda x, u, du, d2u: (residual(u)[:, 0], np.ones_like(u), None, None),
            (u, u.copy(), None, None),
            "terms",
        )


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


def test_steps_are_so_small_that_the_curvature_of_the_residual_does_not_count():
    """A central difference of exp(30 u) with h = 1e-6 has an error of 1e-10 of its value."""

    def function(x, u, du, d2u):
        value = np.exp(30.0 * u)
        return value[:, 0], 30.0 * value, None, None

    u = np.linspace(0.5, 1.5, 20)[:, None]

    check_partials(function, (u, u.copy(), None, None), "terms[0]")


def test_directions_of_differences_have_the_size_of_each_component_and_are_symmetric_in_d2u():
    rng = np.random.default_rng(0)
    sizes = np.array([1e-6, 1.0, 1e5, 0.0])
    u = rng.normal(size=(30, 4)) * sizes
    d2u = rng.normal(size=(30, 2, 3, 3))

    direction = user_residual._direction(u)
    of_hessian = user_residual._direction(d2u + d2u.swapaxes(2, 3))

    rms = np.sqrt(np.mean(u**2, axis=0))
    relative = direction / np.where(rms > 0.0, rms, 1.0)
    np.testing.assert_allclose(relative, np.cos(1.0 + 2.3 * np.arange(120)).reshape(30, 4))
    np.testing.assert_array_equal(of_hessian, of_hessian.swapaxes(2, 3))
    assert len(np.unique(np.round(relative, 9))) == 120


@pytest.mark.parametrize("axes", [(4,), (4, 2), (4, 2, 2)])
@pytest.mark.parametrize("residuals", [(), (3,)])
def test_changes_along_a_direction_are_sums_over_the_components_of_each_point(axes, residuals):
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(7, *axes))
    partial = rng.normal(size=(7, *residuals, *axes))

    along = user_residual._along(partial, direction)

    expected = [
        np.tensordot(partial[b], direction[b], axes=len(axes)).reshape(residuals) for b in range(7)
    ]
    np.testing.assert_allclose(along, expected, rtol=1e-12)
    assert along.shape == (7, *residuals)


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
@for_all(("order", "degree", "jump"), [(1, 0, "values"), (2, 0, "values"), (2, 1, "first deriv")])
def test_splines_with_jumps_that_no_residual_shows_are_rejected(order, degree, jump, base):
    """A staircase of degree 0 beside the identity has u' = 1 at every point, whatever its steps are."""
    message = (
        rf"^terms\[1\] has derivatives of order {order}, but layers\[0\] has spline edges of "
        rf"degree {degree}: their {jump}.* jump at the knots.*give degree 3 or more(, or.*)?$"
    )
    for term in OF_ORDER[order]:
        with pytest.raises(ValueError, match=message):
            fit_term(straight(degree, base), term)


def with_breakpoints(degree, *inner):
    """Return a network of one spline edge on [0, 1] with these breakpoints inside and repeated ends."""
    knots = np.array([[0.0] * (degree + 1) + list(inner) + [1.0] * (degree + 1)])
    coef = np.ones((1, 1, len(inner) + degree + 1))
    one = np.ones((1, 1))
    return kr.Network((kr.Layer(knots, coef, one, one, one, degree, "silu"),))


@for_all(("order", "degree", "most"), [(1, 1, 1), (1, 3, 3), (2, 2, 1), (2, 3, 2), (2, 5, 4)])
def test_repeated_breakpoints_with_jumps_that_no_residual_shows_are_rejected(order, degree, most):
    """A breakpoint that occurs m times leaves degree - m continuous derivatives; ends may repeat."""
    model = with_breakpoints(degree, 0.2, *[0.5] * (most + 1), 0.8)
    message = (
        rf"^terms\[1\] has derivatives of order {order}, but layers\[0\] has a breakpoint that occurs "
        rf"{most + 1} times: splines of degree {degree} jump there.* {most} times? at most$"
    )
    for term in OF_ORDER[order]:
        with pytest.raises(ValueError, match=message):
            fit_term(model, term)
        fit_term(with_breakpoints(degree, 0.2, *[0.5] * most, 0.8), term)
    fit_term(model, kr.value_term(UNIT_LINE))


@for_all(
    ("model", "lower", "unused"),
    [
        (straight(0), 0, "derivatives"),
        (straight(1), 1, "second derivatives"),
        (kr.mask_edges(straight(3), 1, np.zeros((1, 2))), 0, "derivatives"),
        (
            kr.init_mlp((1, 2, 1), activation="relu", rng=np.random.default_rng(0)),
            1,
            "second deriv",
        ),
    ],
)
def test_a_function_that_uses_no_derivatives_gets_the_order_that_a_model_has_as_a_remedy(
    model, lower, unused
):
    """The default of function_term is order=2, which only the function's author can lower."""
    message = rf", or function_term\(order={lower}\) where the function uses no {unused}"
    with pytest.raises(ValueError, match=message):
        fit_term(model, kr.function_term(UNIT_LINE, ONES))
    fit_term(model, kr.function_term(UNIT_LINE, ONES, order=lower))


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


@for_all(("function", "degree"), [("sgn", 0), ("abs", 1), ("sin(abs)", 1), ("abs(sgn)", 0)])
def test_functions_that_jump_are_rejected_like_splines_that_do(function, degree):
    """u'' = 0 is 0 at all points but 0 for u = |x|, and so is u' = 0 for u = sgn x."""
    network = kr.fix_symbolic(straight(3, widths=(1, 1)), 0, output=0, input=0, name=function)
    jumps = ("values", "first derivatives")[degree]

    for order in (1, 2):
        for term in OF_ORDER[order]:
            if order <= degree:
                kr.residual_problem([term]).check(network)
                continue
            message = (
                f"terms[0] has derivatives of order {order}, but layers[0] has the function "
                f"{function!r} from input 0 to output 0: its {jumps} jump, which residuals at "
                "points do not show, so give the edge another function by fix_symbolic, or a "
                "spline by unfix_symbolic"
            )
            with pytest.raises(ValueError, match=re.escape(message)):
                kr.residual_problem([term]).check(network)
    kr.residual_problem([kr.value_term(UNIT_LINE, 1.0)]).check(network)


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


def test_an_operator_of_coefficients_0_has_order_0():
    assert kr.linear_term(UNIT_LINE, second=[0.0], first=[0.0], zeroth=1.0).kind.order == 0


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
