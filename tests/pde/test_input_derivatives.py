"""Public derivatives of models by their inputs: shapes, laws, SymPy, undefined points; and derivatives of activations."""

import math
from functools import partial

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given, settings
from hypothesis import strategies as st
from jet_checks import TOLERANCE, error, fourth_order, some_case
from networks import SMOOTH_FUNCTIONS, draws, formula_network, hello_world, random_formulas, seeds
from oracles_jets import activation_value

import kan_ref as kr
from kan_ref.functions.base_function import ACTIVATION_NAMES, activation_values

RNG = np.random.default_rng
NET = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
MLP = kr.init_mlp((2, 3, 2), activation="tanh", rng=RNG(0))
X = RNG(1).uniform(-1.1, 1.1, (6, 2))
FUNCTIONS = {
    kr.input_jacobian: (2, 2),
    kr.input_hessian: (2, 2, 2),
    kr.input_laplacian: (2,),
}
every_function = for_all("function", FUNCTIONS)
models = for_all("model", [NET, MLP])


@every_function
@models
@for_all("x", [X, X[:1], X[:0], X.astype(np.float32), X.tolist(), np.asfortranarray(X), 1e6 * X])
def test_every_sample_has_finite_float64_derivatives_of_the_documented_shape(function, model, x):
    found = function(model, x)

    assert found.shape == (len(x), *FUNCTIONS[function])
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, function(model, np.array(x, dtype=float)))


@every_function
@models
def test_a_sample_has_the_derivatives_that_it_has_alone(function, model):
    together, alone = function(model, X), [function(model, X[b : b + 1])[0] for b in range(len(X))]

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12 * np.abs(together).max())


@models
def test_the_hessian_is_exactly_symmetric_and_its_trace_is_the_laplacian(model):
    hessian = kr.input_hessian(model, X)

    np.testing.assert_array_equal(hessian, hessian.swapaxes(2, 3))
    np.testing.assert_allclose(
        kr.input_laplacian(model, X), np.einsum("bopp->bo", hessian), rtol=0, atol=1e-12
    )
    assert np.abs(hessian[..., 0, 1]).max() > 1e-4


def test_the_jacobian_is_what_backward_gives_output_by_output():
    for o in range(2):
        _, caches = kr.forward(NET, X)
        dx, _ = kr.backward(NET, caches, np.tile(np.eye(2)[o], (len(X), 1)))
        np.testing.assert_allclose(kr.input_jacobian(NET, X)[:, o], dx, rtol=0, atol=1e-13)


def differences(function, x, axes):
    return np.stack([fourth_order(lambda h, e=e: function(x + h * e)) for e in axes], axis=-1)


@pytest.mark.parametrize("degree", [2, 3, 4, 5])
def test_the_hessian_is_the_difference_of_the_jacobian_and_that_of_the_values_to_1e_7(degree):
    for seed in draws(10):
        network, x, _ = some_case([degree, seed], degrees=(degree,), formulas=bool(seed % 2))
        axes = np.eye(x.shape[1])
        by_values, by_slopes = (
            differences(function, x, axes)
            for function in (network, partial(kr.input_jacobian, network))
        )

        assert error(kr.input_jacobian(network, x), by_values) <= TOLERANCE
        assert error(kr.input_hessian(network, x), by_slopes) <= TOLERANCE


# --- against SymPy


def assert_like_sympy(network, x):
    """Gradients and Hessians of the outputs, differentiated by SymPy from `formula(network)`."""
    names = sympy.symbols(f"x_1:{x.shape[1] + 1}")
    expressions = kr.formula(network, names=[str(name) for name in names])
    expressions = expressions if isinstance(expressions, tuple) else (expressions,)
    gradients = [[sympy.diff(u, p) for p in names] for u in expressions]
    hessians = [[[sympy.diff(slope, q) for q in names] for slope in row] for row in gradients]
    trees = sympy.lambdify(names, [gradients, hessians], modules="numpy", cse=True)
    rows = [trees(*point) for point in x.tolist()]
    gradient, hessian = (np.array([row[n] for row in rows], dtype=float) for n in (0, 1))

    for ours, theirs in (
        (kr.input_jacobian(network, x), gradient),
        (kr.input_hessian(network, x), hessian),
        (kr.input_laplacian(network, x), np.einsum("bopp->bo", hessian)),
    ):
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=1e-11 * max(1.0, np.abs(hessian).max())
        )


@settings(max_examples=3)  # SymPy is slow
@given(seeds, st.sampled_from([(1, 1), (2, 1), (2, 2, 1), (3, 1, 2), (2, 1, 1, 1)]))
def test_networks_of_smooth_formulas_have_the_derivatives_of_their_expression(seed, widths):
    rng = RNG(seed)
    network = random_formulas(rng, widths, names=SMOOTH_FUNCTIONS)
    sizes = np.cumsum([layer.n_params for layer in network.layers])[:-1]
    tame = 0.3 * network.theta
    for layer, part in zip(network.layers, np.split(tame, sizes), strict=True):
        part[-layer.affine.size :] = 0.5 * layer.affine.ravel()
    assert_like_sympy(network.with_theta(tame), rng.uniform(-1.0, 1.0, (3, widths[0])))


def test_the_formula_of_the_papers_first_example_has_its_derivatives():
    assert_like_sympy(hello_world(), X)


AT_HOME = {
    "sqrt": (0.2, 1.5),
    "1/x": (0.2, 1.5),
    "arcsin": (0.2, 0.3),
    "tan": (0.4, 0.1),
    "exp": (0.7, 0.1),
    "x^5": (0.7, 0.1),
}


@for_all("name", AT_HOME)
def test_a_formula_inside_another_has_the_derivatives_of_their_composition(name):
    inner = [(0, 0, name, (*AT_HOME[name], 0.7, 0.1)), (0, 1, "sin", (0.8, 0.1, 1.0, 0.0))]
    outer = [(0, 0, "tanh", (0.5, 0.1, 2.0, 0.0))]
    assert_like_sympy(formula_network(inner, outer, widths=(2, 1, 1)), X)


# --- points without a value or a derivative


def with_edge(name):
    return kr.fix_symbolic(NET, 0, output=1, input=0, name=name)


@every_function
def test_a_point_at_which_a_formula_has_no_value_is_refused_by_sample_and_edge(function):
    with pytest.raises(ValueError, match=r"^x\[2\] gives sqrt on the edge from input 0 to outp"):
        function(with_edge("sqrt"), [[0.5, 0.1], [0.0, 0.1], [-0.25, 0.1]])


@for_all(
    ("function", "name"),
    [(kr.input_jacobian, "sqrt"), (kr.input_hessian, "x^1.5"), (kr.input_laplacian, "x^1.5")],
)
def test_a_point_at_which_a_derivative_is_infinite_is_refused_by_sample_and_edge(function, name):
    """At 0 sqrt has a value and no derivative, u^1.5 a first derivative and no second one."""
    network = with_edge(name)

    assert np.isfinite(network([[0.0, 0.1]])).all()
    with pytest.raises(ValueError, match=r"^x\[1\] gives .* derivative has no finite value$"):
        function(network, [[0.5, 0.1], [0.0, 0.1]])


def test_an_infinite_second_derivative_does_not_matter_to_the_first():
    network = kr.fix_symbolic(with_edge("x^1.5"), 0, output=0, input=1, name="sqrt")

    assert np.isfinite(kr.input_jacobian(network, [[0.0, 0.1]])).all()
    with pytest.raises(ValueError, match=r"^x\[1\] gives sqrt "):
        kr.input_jacobian(network, [[0.0, 0.1], [0.1, 0.0]])


@every_function
def test_models_without_jets_are_refused(function):
    lan = kr.init_lan((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    with pytest.raises(TypeError, match=r"^network is "):
        function(lan, X)


@every_function
def test_derivatives_that_overflow_are_refused(function):
    mlp = kr.init_mlp((1, 1), activation="tanh", rng=RNG(0)).with_theta([1e300, 0.0])

    with pytest.raises(ValueError, match=r"^x gives .* beyond the largest float64"):
        function(mlp, [[1e300]])


# --- activations


@for_all("activation", ACTIVATION_NAMES)
@for_all("order", [1, 2, 3])
def test_a_derivative_of_an_activation_is_the_difference_of_the_one_before(activation, order):
    z = np.concatenate([np.linspace(-3.0, 3.0, 40), [-20.0, 20.0]])

    before = fourth_order(lambda h: activation_values(activation, z + h, (order - 1,))[0], h=1e-3)

    (found,) = activation_values(activation, z, (order,))
    np.testing.assert_allclose(found, before, rtol=0, atol=3e-11)


@for_all("activation", ["tanh", "silu", "sine", "relu"])
def test_activations_and_derivatives_are_those_of_sympy(activation):
    z = np.linspace(-4.0, 4.3, 23)

    for order, found in enumerate(activation_values(activation, z, (0, 1, 2, 3))):
        truth = [activation_value(activation, float(number), order) for number in z]
        np.testing.assert_allclose(found, truth, rtol=0, atol=1e-14)


def test_derivatives_of_tanh_keep_their_digits_where_it_is_nearly_constant():
    z = np.concatenate([np.geomspace(1.0, 350.0, 300), -np.geomspace(1.0, 350.0, 300)])
    bell = np.array([1.0 / math.cosh(number) ** 2 for number in z])
    truth = bell, -2.0 * np.tanh(z) * bell, bell * (6.0 * np.tanh(z) ** 2 - 2.0)

    for found, expected in zip(activation_values("tanh", z, (1, 2, 3)), truth, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0.0)
