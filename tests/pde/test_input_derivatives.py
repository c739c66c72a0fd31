"""Derivatives of models with respect to their inputs, and jets of MLPs.

Public derivatives have shapes, laws, a comparison with SymPy, and rejected arguments. Jets of MLPs are compared with loops, with differences
and with SymPy; so are derivatives of their activations.
"""

import math
import warnings
from functools import partial

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given, settings
from hypothesis import strategies as st
from jet_checks import (
    TOLERANCE,
    error,
    every_kind,
    flow_of,
    forward_error,
    fourth_order,
    gradient_errors,
    jet_of,
    random_directions,
    some_case,
)
from networks import SMOOTH_FUNCTIONS, draws, formula_network, hello_world, random_formulas, seeds
from oracles_jets import activation_value, perceptron_derivatives

import kan_ref as kr
from kan_ref.functions.base_function import ACTIVATION_NAMES, activation_values
from kan_ref.pde import mlp_jets
from kan_ref.pde.jet_kind import directional_kind

RNG = np.random.default_rng
NET = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
SMALL_MLP = kr.init_mlp((2, 3, 2), activation="tanh", rng=RNG(0))
X = RNG(1).uniform(-1.1, 1.1, (6, 2))

SHAPES = {
    "input_jacobian": (kr.input_jacobian, (2, 2)),
    "input_hessian": (kr.input_hessian, (2, 2, 2)),
    "input_hessian_diag": (kr.input_hessian_diag, (2, 2)),
    "input_laplacian": (kr.input_laplacian, (2,)),
}
every_function = pytest.mark.parametrize("name", SHAPES)
models = pytest.mark.parametrize("model", [NET, SMALL_MLP], ids=["kan", "mlp"])
BATCHES = {
    "six samples": X,
    "one sample": X[:1],
    "none": X[:0],
    "float32": X.astype(np.float32),
    "integers": np.array([[0, 1], [-1, 0]]),
    "lists": X.tolist(),
    "Fortran order": np.asfortranarray(X),
    "far outside": np.array([[1e6, -1e6], [1e-300, 40.0]]),
}


@every_function
@models
@for_all("batch", BATCHES)
def test_every_sample_has_finite_float64_derivatives_of_the_documented_shape(name, model, batch):
    function, shape = SHAPES[name]
    x = BATCHES[batch]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = function(model, x)

    assert found.shape == (len(x), *shape)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert found.flags.c_contiguous or not found.size
    np.testing.assert_array_equal(found, function(model, np.array(x, dtype=float).reshape(-1, 2)))


@every_function
@models
def test_a_sample_has_the_derivatives_that_it_has_alone(name, model):
    function, _ = SHAPES[name]

    together, alone = (
        function(model, X),
        np.concatenate([function(model, X[b : b + 1]) for b in range(len(X))]),
    )

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12 * np.abs(together).max())


# --- laws


@models
def test_the_hessian_is_exactly_symmetric_and_its_diagonal_and_trace_are_the_other_functions(model):
    hessian = kr.input_hessian(model, X)

    np.testing.assert_array_equal(hessian, hessian.swapaxes(2, 3))
    np.testing.assert_allclose(
        kr.input_hessian_diag(model, X), np.einsum("bopp->bop", hessian), rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(
        kr.input_laplacian(model, X), np.einsum("bopp->bo", hessian), rtol=0, atol=1e-12
    )
    assert np.abs(hessian[..., 0, 1]).max() > 1e-4


@models
def test_the_jacobian_is_what_backward_gives_output_by_output(model):
    jacobian = kr.input_jacobian(model, X)

    if model is NET:
        for o in range(2):
            _, caches = kr.forward(model, X)
            dx, _ = kr.backward(model, caches, np.tile(np.eye(2)[o], (len(X), 1)))
            np.testing.assert_allclose(jacobian[:, o], dx, rtol=0, atol=1e-13)
    else:
        slope = 1.0 - np.tanh(X @ model.weights[0].T + model.biases[0]) ** 2
        np.testing.assert_allclose(
            jacobian,
            np.einsum("oj,bj,ji->boi", model.weights[1], slope, model.weights[0]),
            rtol=0,
            atol=1e-14,
        )


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


def test_a_network_that_knows_sin_pi_x_sin_pi_y_has_its_laplacian():
    """sin a sin b = (cos(a - b) - cos(a + b)) / 2; a node for a - b, one for a + b: Laplacian -2 pi^2 times the value."""
    inner = [(0, 0, "x", (np.pi, 0.0, 1.0, 0.0)), (0, 1, "x", (-np.pi, 0.0, 1.0, 0.0))]
    inner += [(1, 0, "x", (np.pi, 0.0, 1.0, 0.0)), (1, 1, "x", (np.pi, 0.0, 1.0, 0.0))]
    network = formula_network(
        inner,
        [(0, 0, "cos", (1.0, 0.0, 0.5, 0.0)), (0, 1, "cos", (1.0, 0.0, -0.5, 0.0))],
        widths=(2, 2, 1),
    )

    np.testing.assert_allclose(
        network(X)[:, 0], np.prod(np.sin(np.pi * X), axis=1), rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(
        kr.input_laplacian(network, X), -2.0 * np.pi**2 * network(X), rtol=0, atol=1e-12
    )


# --- against SymPy


def by_sympy(network, x):
    """Gradients and Hessians of the outputs, differentiated by SymPy from `formula(network)`."""
    names = sympy.symbols(f"x_1:{x.shape[1] + 1}")
    expressions = kr.formula(network, names=[str(name) for name in names])
    expressions = expressions if isinstance(expressions, tuple) else (expressions,)
    gradients = [[sympy.diff(u, p) for p in names] for u in expressions]
    hessians = [[[sympy.diff(slope, q) for q in names] for slope in row] for row in gradients]
    trees = sympy.lambdify(names, [gradients, hessians], modules="numpy", cse=True)
    rows = [trees(*point) for point in x.tolist()]
    return np.array([row[0] for row in rows], dtype=float), np.array(
        [row[1] for row in rows], dtype=float
    )


def assert_like_sympy(network, x):
    gradient, hessian = by_sympy(network, x)
    found = {
        "jacobian": (kr.input_jacobian(network, x), gradient),
        "hessian": (kr.input_hessian(network, x), hessian),
        "diagonal": (kr.input_hessian_diag(network, x), np.einsum("bopp->bop", hessian)),
        "laplacian": (kr.input_laplacian(network, x), np.einsum("bopp->bo", hessian)),
    }
    for name, (ours, theirs) in found.items():
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=1e-11 * max(1.0, np.abs(hessian).max()), err_msg=name
        )


@settings(max_examples=3)  # SymPy is slow
@given(seeds, st.sampled_from([(1, 1), (2, 1), (2, 2, 1), (3, 1, 2), (2, 1, 1, 1)]))
def test_networks_of_smooth_formulas_have_the_derivatives_of_their_expression(seed, widths):
    rng = RNG(seed)
    network = random_formulas(rng, widths, names=SMOOTH_FUNCTIONS)
    tame = 0.3 * network.theta
    for layer, part in zip(
        network.layers,
        np.split(tame, np.cumsum([layer.n_params for layer in network.layers])[:-1]),
        strict=True,
    ):
        part[-layer.affine.size :] = 0.5 * layer.affine.ravel()
    assert_like_sympy(network.with_theta(tame), rng.uniform(-1.0, 1.0, (3, widths[0])))


def test_the_formula_of_the_papers_first_example_has_its_derivatives():
    assert_like_sympy(hello_world(), X)


AT_HOME = {
    "sqrt": (0.2, 1.5),
    "1/sqrt": (0.2, 1.5),
    "x^1.5": (0.2, 1.5),
    "log": (0.2, 1.5),
    "1/x": (0.2, 1.5),
    "arcsin": (0.2, 0.3),
    "arctanh": (0.2, 0.3),
    "tan": (0.4, 0.1),
    "exp": (0.7, 0.1),
    "x^5": (0.7, 0.1),
}


@for_all("name", AT_HOME)
def test_a_formula_inside_another_has_the_derivatives_of_their_composition(name):
    a, b = AT_HOME[name]
    inner = [(0, 0, name, (a, b, 0.7, 0.1)), (0, 1, "sin", (0.8, 0.1, 1.0, 0.0))]
    assert_like_sympy(
        formula_network(inner, [(0, 0, "tanh", (0.5, 0.1, 2.0, 0.0))], widths=(2, 1, 1)), X
    )


# --- rejected arguments


def at_sqrt(x):
    return kr.fix_symbolic(NET, 0, output=1, input=0, name="sqrt"), np.array(x)


@every_function
def test_a_point_at_which_a_formula_has_no_value_is_refused_by_sample_and_edge(name):
    function, _ = SHAPES[name]
    network, x = at_sqrt([[0.5, 0.1], [0.2, 0.1], [-0.25, 0.1]])

    with pytest.raises(
        ValueError,
        match=r"^x\[2\] gives sqrt on the edge from input 0 to output 1 of layer 0 the argument -0\.25, where",
    ):
        function(network, x)


@every_function
def test_a_point_at_which_a_derivative_is_infinite_is_refused_by_sample_and_edge(name):
    """sqrt at 0 has a value, and no derivative."""
    function, _ = SHAPES[name]
    network, x = at_sqrt([[0.5, 0.1], [0.0, 0.1]])

    assert np.isfinite(network(x)).all()
    with pytest.raises(
        ValueError,
        match=r"^x\[1\] gives sqrt on the edge from input 0 to output 1 of layer 0 the argument 0, where its derivative has no finite value$",
    ):
        function(network, x)


# --- jets of MLPs


activations = pytest.mark.parametrize("activation", ACTIVATION_NAMES)
depths = for_all("depth", [1, 2, 3])


def example(activation, depth, seed=0, n_samples=7):
    """An MLP with biases; no sample is near a kink of relu."""
    rng = np.random.default_rng(seed)
    widths = {1: (2, 3), 2: (2, 4, 3), 3: (3, 4, 4, 2)}[depth]
    mlp = kr.init_mlp(widths, activation=activation, rng=rng)
    scale = 0.3 if activation == "sine" else 1.0  # of the first frequencies, 30
    mlp = mlp.with_theta(scale * mlp.theta + 0.3 * rng.normal(size=mlp.n_params))
    return mlp, rng.uniform(-1.0, 1.0, (n_samples, widths[0])), rng


# --- activations


@activations
@for_all("order", [1, 2, 3])
def test_a_derivative_of_an_activation_is_the_difference_of_the_one_before(activation, order):
    z = np.concatenate([np.linspace(-3.0, 3.0, 40), [-20.0, 20.0]])

    before = fourth_order(lambda h: activation_values(activation, z + h, (order - 1,))[0], h=1e-3)

    np.testing.assert_allclose(
        activation_values(activation, z, (order,))[0], before, rtol=0, atol=3e-11
    )


@for_all("activation", ["tanh", "silu", "sine", "relu"])
@for_all("order", [0, 1, 2, 3])
def test_activations_and_derivatives_are_those_of_sympy(activation, order):
    z = np.linspace(-4.0, 4.3, 23)

    truth = [activation_value(activation, float(number), order) for number in z]

    np.testing.assert_allclose(
        activation_values(activation, z, (order,))[0], truth, rtol=0, atol=1e-14
    )


def test_derivatives_of_tanh_keep_their_digits_where_it_is_nearly_constant():
    z = np.concatenate([np.geomspace(1.0, 350.0, 300), -np.geomspace(1.0, 350.0, 300)])
    bell = np.array([1.0 / math.cosh(number) ** 2 for number in z])
    truth = bell, -2.0 * np.tanh(z) * bell, bell * (6.0 * np.tanh(z) ** 2 - 2.0)

    for found, expected in zip(activation_values("tanh", z, (1, 2, 3)), truth, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0.0)


@activations
def test_orders_come_in_the_order_asked_for_and_shaped_as_the_argument(activation):
    z = np.random.default_rng(0).normal(size=(3, 4))

    third, zeroth, first = activation_values(activation, z, (3, 0, 1))

    for order, values in ((3, third), (0, zeroth), (1, first)):
        assert values.shape == z.shape
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, activation_values(activation, z, (order,))[0])


def test_relu_at_its_kink_has_the_derivatives_of_the_left():
    assert [values[0] for values in activation_values("relu", np.zeros(1), (0, 1, 2, 3))] == [
        0.0,
        0.0,
        0.0,
        0.0,
    ]


@activations
def test_activations_far_out_are_finite_without_a_warning(activation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = activation_values(activation, np.array([-1e4, -750.0, 750.0, 1e4]), (0, 1, 2, 3))

    assert np.isfinite(values).all()


# --- jets


@activations
@depths
def test_value_gradient_and_hessian_are_those_of_the_chain_rule_number_by_number(activation, depth):
    mlp, x, _ = example(activation, depth, n_samples=4)
    n = x.shape[1]

    jet = jet_of(
        mlp, x, directional_kind(np.eye(n), [(p, q) for p in range(n) for q in range(n)])
    ).transpose(2, 0, 1)

    ours = jet[..., 0], jet[..., 1 : 1 + n], jet[..., 1 + n :].reshape(*jet.shape[:2], n, n)
    for own, truth in zip(ours, perceptron_derivatives(mlp, x), strict=True):
        np.testing.assert_allclose(own, truth, rtol=0, atol=1e-12 * max(1.0, np.abs(truth).max()))


@activations
@depths
def test_first_and_second_derivatives_are_differences_to_1e_7(activation, depth):
    for seed in draws(5):
        mlp, x, _ = example(activation, depth, seed)
        assert forward_error(mlp, x) <= TOLERANCE


@activations
@depths
def test_gradients_and_rows_of_every_kind_of_jet_are_differences_to_1e_7(activation, depth):
    for seed in draws(5):
        mlp, x, rng = example(activation, depth, seed)
        for kind in every_kind(rng, x.shape[1], len(x)).values():
            assert max(gradient_errors(mlp, x, kind, rng).values()) <= TOLERANCE


@activations
def test_every_single_derivative_agrees_with_its_own_difference(activation):
    mlp, x, rng = example(activation, 3)
    kind = random_directions(rng, 3)
    flow = flow_of(mlp, x, kind)
    seed = rng.normal(size=flow.jet.shape)

    gradient = mlp_jets.run_jet_backward(mlp, flow, seed)
    moved = [
        fourth_order(
            lambda h, step=step: np.vdot(
                seed, jet_of(mlp.with_theta(mlp.theta + h * step), x, kind)
            )
        )
        for step in np.eye(mlp.n_params)
    ]

    assert error(gradient, np.array(moved)) <= TOLERANCE


@activations
@depths
def test_rows_add_up_to_the_gradient_and_each_sample_has_the_one_it_has_alone(activation, depth):
    mlp, x, rng = example(activation, depth)
    kind = random_directions(rng, x.shape[1])
    flow = flow_of(mlp, x, kind)
    seed = rng.normal(size=flow.jet.shape)

    rows, again = mlp_jets.jet_jacobian(mlp, flow, [seed, -2.0 * seed])
    alone = [
        mlp_jets.jet_jacobian(mlp, flow_of(mlp, x[b : b + 1], kind), [seed[:, :, b : b + 1]])[0][0]
        for b in range(len(x))
    ]

    size = np.abs(rows).max()
    np.testing.assert_allclose(
        rows.sum(axis=0), mlp_jets.run_jet_backward(mlp, flow, seed), rtol=0, atol=1e-12 * size
    )
    np.testing.assert_allclose(rows, alone, rtol=0, atol=1e-13 * size)
    np.testing.assert_allclose(again, -2.0 * rows, rtol=0, atol=1e-13 * size)


def test_the_reverse_leaves_flow_and_upstream_gradient_as_they_are():
    mlp, x, rng = example("tanh", 3)
    flow = flow_of(mlp, x, random_directions(rng, 3))
    seed = rng.normal(size=flow.jet.shape)
    before = seed.copy(), flow.jet.copy()

    first = mlp_jets.run_jet_backward(mlp, flow, seed)

    np.testing.assert_array_equal(mlp_jets.run_jet_backward(mlp, flow, seed), first)
    np.testing.assert_array_equal(seed, before[0])
    np.testing.assert_array_equal(flow.jet, before[1])


def test_an_empty_batch_has_an_empty_jet_a_zero_gradient_and_no_rows():
    mlp, x, rng = example("tanh", 3)
    kind = random_directions(rng, 3)
    flow = flow_of(mlp, x[:0], kind)
    seed = np.ones(flow.jet.shape)

    assert flow.jet.shape == (2, kind.n_components, 0)
    np.testing.assert_array_equal(
        mlp_jets.run_jet_backward(mlp, flow, seed), np.zeros(mlp.n_params)
    )
    assert mlp_jets.jet_jacobian(mlp, flow, [seed])[0].shape == (0, mlp.n_params)
