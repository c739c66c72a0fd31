"""The backward pass of jets against differences, and that the checks of jets detect every injected bug.

Checked are parameter gradients, rows of samples and gradients with respect to a layer's jet. A bug is one line of the package with one
change: the changed source is compiled and used in its place.
"""

import inspect
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jet_checks import (
    TOLERANCE,
    WIDE,
    error,
    every_kind,
    flow_of,
    forward_error,
    fourth_order,
    gradient_errors,
    jet_of,
    random_directions,
    reverse_error,
    some_case,
)
from networks import draws, symbolic_cases

import kan_ref as kr
from kan_ref.functions.base_function import _tanh
from kan_ref.network import symbolic_edges
from kan_ref.network.network import Network
from kan_ref.numerics.row_sparse import dense_form, multiply_transposed
from kan_ref.pde import jet_kind, jet_layer, jets, mlp_jets
from kan_ref.pde.jet_kind import operator_kind


@pytest.mark.parametrize("formulas", [False, True], ids=["splines", "formulas"])
@pytest.mark.parametrize("degrees", [[2], [3], [4], [5], [2, 3, 5], [0, 1, 3]], ids=str)
def test_gradients_and_rows_of_every_kind_of_jet_are_differences_to_1e_7(degrees, formulas):
    """Up to fifteen networks of 1 to 3 layers, each with four kinds of jet, all components weighted at random."""
    for seed in draws(15):
        network, x, rng = some_case([*degrees, seed], degrees=degrees, formulas=formulas)
        for kind in every_kind(rng, x.shape[1], len(x)).values():
            errors = gradient_errors(network, x, kind, rng)
            assert max(errors.values()) <= TOLERANCE, (seed, errors)


@pytest.mark.parametrize("seed", range(3))
def test_so_they_are_in_wide_layers(seed):
    network, x, rng = some_case(seed, widths=WIDE)
    for kind in every_kind(rng, 2, len(x)).values():
        assert max(gradient_errors(network, x, kind, rng).values()) <= TOLERANCE


@pytest.mark.parametrize("widths", [(1, 1), (3, 2), (2, 9), (4, 12)], ids=str)
@pytest.mark.parametrize("formulas", [False, True], ids=["splines", "formulas"])
def test_a_layers_gradient_by_its_jet_is_a_difference_in_the_value_the_first_and_the_second_parts(
    widths, formulas
):
    for seed in draws(5):
        network, x, rng = some_case(seed, widths=widths, formulas=formulas)
        for kind in every_kind(rng, widths[0], len(x)).values():
            assert reverse_error(network.layers[0], x, kind, rng) <= TOLERANCE


def test_every_single_derivative_agrees_with_its_own_difference():
    """One number of theta at a time: no error hides in a sum."""
    network, x, rng = some_case(11, widths=(2, 3, 2), degrees=(3,))
    kind = random_directions(rng, 2)
    flow = flow_of(network, x, kind)
    seed = rng.normal(size=flow.jet.shape)
    gradient = jets.run_jet_backward(network, flow, seed)
    moved = [
        fourth_order(
            lambda h, step=step: np.vdot(
                seed, jet_of(network.with_theta(network.theta + h * step), x, kind)
            )
        )
        for step in np.eye(network.n_params)
    ]

    assert error(gradient, np.array(moved)) <= TOLERANCE


# --- rows


@given(symbolic_cases(degrees=range(6), n_samples=st.integers(1, 4)))
def test_the_sum_of_all_rows_is_the_gradient(case):
    network, x, rng = case
    for kind in every_kind(rng, x.shape[1], len(x)).values():
        flow = flow_of(network, x, kind)
        seed = rng.normal(size=flow.jet.shape)
        gradient = jets.run_jet_backward(network, flow, seed)
        (rows,) = jets.jet_jacobian(network, flow, [seed])

        weights = rng.normal(size=len(x))
        weighted = jets.run_jet_backward(network, flow, seed * weights)
        np.testing.assert_allclose(
            multiply_transposed(rows, np.ones(len(x))),
            gradient,
            rtol=0,
            atol=1e-11 * max(1.0, np.abs(gradient).max()),
        )
        np.testing.assert_allclose(
            multiply_transposed(rows, weights),
            weighted,
            rtol=0,
            atol=1e-11 * max(1.0, np.abs(weighted).max()),
        )


@given(symbolic_cases(n_samples=st.integers(2, 4)))
def test_each_sample_has_the_row_that_it_has_alone(case):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    flow = flow_of(network, x, kind)
    seed = rng.normal(size=flow.jet.shape)
    (rows,) = jets.jet_jacobian(network, flow, [seed])
    alone = [
        jets.jet_jacobian(network, flow_of(network, x[b : b + 1], kind), [seed[:, :, b : b + 1]])[0]
        for b in range(len(x))
    ]

    together, apart = dense_form(rows), np.concatenate([dense_form(block) for block in alone])
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-12 * max(1.0, np.abs(apart).max()))


def test_each_seed_has_a_block_of_its_own():
    network, x, rng = some_case(5, widths=(2, 3, 2))
    flow = flow_of(network, x, random_directions(rng, 2))
    seeds = [rng.normal(size=flow.jet.shape) for _ in range(3)]

    blocks = jets.jet_jacobian(network, flow, seeds)

    assert len(blocks) == 3
    for seed, block in zip(seeds, blocks, strict=True):
        np.testing.assert_array_equal(
            dense_form(block), dense_form(jets.jet_jacobian(network, flow, [seed])[0])
        )


def test_dead_edges_have_columns_of_zeros_and_active_ones_do_not():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    x = rng.uniform(-1.2, 1.2, (9, 2))
    mask = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    network = kr.mask_edges(network, 0, mask)
    flow = flow_of(network, x, random_directions(rng, 2))
    seed = rng.normal(size=flow.jet.shape)
    rows = dense_form(jets.jet_jacobian(network, flow, [seed])[0])
    gradient = jets.run_jet_backward(network, flow, seed)

    layer = network.layers[0]
    for moved in (np.abs(rows).sum(axis=0), np.abs(gradient)):
        coef = moved[: layer.coef.size].reshape(layer.coef.shape)
        w_base, w_spline = moved[layer.coef.size : layer.n_params].reshape(2, 3, 2)
        assert not coef[mask == 0.0].any()
        assert not w_base[mask == 0.0].any()
        assert not w_spline[mask == 0.0].any()
        assert coef[mask == 1.0].any(axis=1).all()
        assert w_base[mask == 1.0].all()
        assert w_spline[mask == 1.0].all()


def test_locked_formulas_share_a_column_that_is_the_sum_of_their_own():
    rng = np.random.default_rng(0)
    apart = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for j, i in ((0, 0), (1, 1)):
        apart = kr.fix_symbolic(
            apart, 0, output=j, input=i, name="sin", affine=(1.3, 0.2, 0.7, -0.1)
        )
    locked = kr.lock_edges(apart, 0, [(0, 0), (1, 1)])
    x, kind = rng.uniform(-0.9, 0.9, (6, 2)), random_directions(rng, 2)
    seed, results = rng.normal(size=(1, kind.n_components, 6)), []
    for network in (apart, locked):
        flow = flow_of(network, x, kind)
        first = network.layers[0].n_params - network.layers[0].affine.size
        gradient = jets.run_jet_backward(network, flow, seed)[None]
        rows = np.concatenate([dense_form(jets.jet_jacobian(network, flow, [seed])[0]), gradient])
        results.append(rows[:, first : first + network.layers[0].affine.size])

    two, one = results
    assert np.abs(two[:, :4] - two[:, 4:]).max() > 0.1
    np.testing.assert_allclose(one, two[:, :4] + two[:, 4:], rtol=0, atol=1e-13 * np.abs(two).max())


def test_a_gradient_step_downhill_lowers_the_residual_of_an_equation():
    """u'' + 2 u' = sin on one network: the squared residual falls as its gradient predicts."""
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    x = np.linspace(-0.97, 0.93, 15)[:, None]
    kind = operator_kind(np.ones((1, 1)), np.full(1, 2.0))

    def loss(model):
        residual = jet_of(model, x, kind)[0, -1] - np.sin(x[:, 0])
        return np.mean(residual**2), residual

    value, residual = loss(network)
    flow = flow_of(network, x, kind)
    seed = np.zeros(flow.jet.shape)
    seed[0, -1] = 2.0 * residual / len(x)
    gradient = jets.run_jet_backward(network, flow, seed)
    step = 1e-6 * gradient

    assert (value - loss(network.with_theta(network.theta - step))[0]) / (
        gradient @ step
    ) == pytest.approx(1.0, abs=1e-3)


def test_a_network_of_one_layer_has_a_gradient_without_a_gradient_by_its_inputs():
    network, x, rng = some_case(0, widths=(3, 2))
    assert isinstance(network, Network)
    kind = random_directions(rng, 3)

    assert max(gradient_errors(network, x, kind, rng).values()) <= TOLERANCE


# --- injected bugs


def mutate(monkeypatch, function, right, wrong):
    """Replace `right` by `wrong` in the source of `function`, for all later calls."""
    function = inspect.unwrap(function)
    text = textwrap.dedent(inspect.getsource(function))
    assert text.count(right) == 1
    scope = dict(vars(inspect.getmodule(function)))
    exec(compile(text.replace(right, wrong), "fault", "exec"), scope)
    monkeypatch.setattr(function, "__code__", inspect.unwrap(scope[function.__name__]).__code__)


CHECKS = ("forward", "gradient", "rows", "reverse")


def network_errors(checks=CHECKS):
    """The largest error of each check over two networks with symbolic and masked edges, one narrow, one wide; of one check alone, up to its first no."""
    found = dict.fromkeys(checks, 0.0)
    with np.errstate(all="ignore"):
        for seed, widths in enumerate([(2, 3, 3, 2), WIDE]):
            network, x, rng = some_case(seed, degrees=(3, 4), widths=widths)
            if "forward" in checks:
                found["forward"] = np.maximum(found["forward"], forward_error(network, x))
            for kind in every_kind(rng, 2, len(x)).values():
                errors = (
                    gradient_errors(network, x, kind, rng)
                    if {"gradient", "rows"} & set(checks)
                    else {}
                )
                if "reverse" in checks:
                    errors["reverse"] = reverse_error(network.layers[0], x, kind, rng)
                for name in errors.keys() & set(checks):
                    found[name] = np.maximum(found[name], errors[name])
                if len(checks) == 1 and refusing(found):
                    return found
    return found


def mlp_errors(activation="tanh"):
    rng = np.random.default_rng(0)
    mlp = kr.init_mlp((2, 4, 4, 2), activation=activation, rng=rng)
    mlp = mlp.with_theta(mlp.theta + 0.3 * rng.normal(size=mlp.n_params))
    x = rng.uniform(-1.0, 1.0, (6, 2))
    found = {"forward": forward_error(mlp, x), "gradient": 0.0, "rows": 0.0}
    for kind in every_kind(rng, 2, len(x)).values():
        for name, largest in gradient_errors(mlp, x, kind, rng).items():
            found[name] = np.maximum(found[name], largest)
    return found


def refusing(errors):
    """The checks that fail; an error that is nan fails too."""
    return {name for name, error in errors.items() if not error <= TOLERANCE}


# name: (checks that must say no, function, right, wrong)
FAULTS = {
    "a square counts half": (
        "forward",
        jet_kind.products_of,
        "weight * first[:, p]",
        "0.5 * weight * first[:, p]",
    ),
    "products not summed up": (
        "gradient",
        jet_kind.products_of,
        "quadratic[:, s] +=",
        "quadratic[:, s] =",
    ),
    "slope for curvature": (
        "forward",
        jet_kind.chain,
        "curvature[:, None]",
        "slope[:, None]",
    ),
    "second parts not carried on": (
        "forward",
        jet_kind.chain,
        "kind.second] +=",
        "kind.second] =",
    ),
    "factor 2 missing in a product's reverse": (
        "gradient",
        jet_kind.chain_back,
        "d_first[:, q] += weight * d_second[:, s] * first[:, p]",
        "d_first[:, q] += 0.0",
    ),
    "a product's reverse with its factors swapped": (
        "gradient",
        jet_kind.chain_back,
        "d_first[:, p] += weight * d_second[:, s] * first[:, q]",
        "d_first[:, p] += weight * d_second[:, s] * first[:, p]",
    ),
    "third derivative dropped": (
        "reverse",
        jet_kind.chain_back,
        '"isb,isb->ib", by_third',
        '"isb,isb->ib", 0.0 * by_third',
    ),
    "curvature dropped in the value's reverse": (
        "reverse",
        jet_kind.chain_back,
        '"ikb,ikb->ib", by_curvature',
        '"ikb,ikb->ib", 0.0 * by_curvature',
    ),
    "phi'' for phi''' along the edges": (
        "reverse",
        jet_layer._input_sums,
        "(1, 2, 3)",
        "(1, 2, 2)",
    ),
    "mask forgotten": (
        "rows",
        jet_layer.spline_rows,
        "rows[:, :, active:] *= layer.mask[:, :, None, None]",
        "rows[:, :, active:] *= 1.0",
    ),
    "w_spline forgotten": (
        "rows",
        jet_layer.spline_rows,
        "(layer.mask * layer.w_spline)",
        "layer.mask",
    ),
    "t_2 forgotten": (
        "gradient",
        jet_kind.parameter_weights,
        'np.einsum("...sb',
        '0.0 * np.einsum("...sb',
    ),
    "t_1 of the first parts alone": (
        "rows",
        jet_kind.parameter_weights,
        "dy[..., 1:, :], jet[:, 1:]",
        "dy[..., kind.first, :], jet[:, kind.first]",
    ),
    "formula with a^2 for a": (
        "forward",
        symbolic_edges.derivatives,
        "inner_scale**order",
        "inner_scale ** (2 * order)",
    ),
    "product rule in a forgotten": (
        "gradient",
        symbolic_edges.affine_slopes,
        "by_a += outer_scale * order * inner_scale ** (order - 1) * by_c",
        "by_a += 0.0",
    ),
    "formula's reverse with a stale sample": (
        "reverse",
        jet_layer.input_gradient,
        "cache.jet[:, 0].T, (1, 2, 3)",
        "np.roll(cache.jet[:, 0].T, 1, axis=0), (1, 2, 3)",
    ),
    "a layer's gradient at the wrong upstream": (
        "gradient",
        jets.run_jet_backward,
        "jet_layer.parameter_gradients(layer, cache, d_jet)",
        "jet_layer.parameter_gradients(layer, cache, 0.5 * d_jet if number == 0 else d_jet)",
    ),
}

MLP_FAULTS = {
    "bias on every part": (
        "forward",
        mlp_jets.run_jet_forward,
        "z[:, 0] += bias[:, None]",
        "z += bias[:, None, None]",
    ),
    "third derivative of tanh without its 3": (
        "gradient",
        _tanh,
        "(1.0 - 3.0 * t**2)",
        "(1.0 - t**2)",
    ),
    "second derivative of tanh without its 2": (
        "forward",
        _tanh,
        "-2.0 * t * slope",
        "-t * slope",
    ),
    "weights transposed": ("gradient", mlp_jets._pull_back, "weight.T @", "weight @"),
    "gradient of the value alone": (
        "gradient",
        mlp_jets.run_jet_backward,
        "d_jet.reshape(len(d_jet), -1) @ entered.reshape(len(entered), -1).T",
        "d_jet[:, 0] @ entered[:, 0].T",
    ),
    "rows of the value alone": (
        "rows",
        mlp_jets._rows_of,
        '"jkb,ikb->jib", d_jet, flow.inputs[number]',
        '"jb,ib->jib", d_jet[:, 0], flow.inputs[number][:, 0]',
    ),
}


def test_without_a_fault_no_check_says_no():
    assert not refusing(network_errors())
    assert not refusing(mlp_errors())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_slip_of_the_pen_is_refused_by_the_check_that_is_made_for_it(fault, monkeypatch):
    check, *slip = FAULTS[fault]
    mutate(monkeypatch, *slip)

    assert refusing(network_errors([check])) == {check}


@pytest.mark.parametrize("fault", MLP_FAULTS)
def test_so_it_is_in_an_mlp(fault, monkeypatch):
    check, *slip = MLP_FAULTS[fault]
    mutate(monkeypatch, *slip)
    if fault == "weights transposed":  # which fit in the square layer alone
        monkeypatch.setattr(
            kr, "init_mlp", lambda widths, init=kr.init_mlp, **given: init((2, 2, 2, 2), **given)
        )

    assert check in refusing(mlp_errors())


def test_a_slip_in_an_operator_shows_against_gradient_and_hessian(monkeypatch):
    network, x, rng = some_case(0, degrees=(3,), widths=(2, 3, 1), formulas=False)
    matrix, drift = rng.normal(size=(2, 2)), rng.normal(size=2)

    def difference():
        kind = jet_kind.operator_kind(matrix, drift)
        whole = jets.predict_jet(network, jets.prepare_jet(network, x, kind))[0, -1]
        terms = (
            np.einsum("pq,bpq->b", matrix, kr.input_hessian(network, x)[:, 0])
            + kr.input_jacobian(network, x)[:, 0] @ drift
        )
        return np.abs(whole - terms).max() / np.abs(terms).max()

    slips = {
        "np.atleast_2d(first).T[None]": "0.0 * np.atleast_2d(first).T[None]",
        "(0.5 if other == place else 1.0)": "1.0",
        "matrix + matrix.swapaxes(1, 2)": "2.0 * matrix",
    }
    assert difference() <= 1e-12
    for right, wrong in slips.items():
        with monkeypatch.context() as patch:
            mutate(patch, jet_kind.operator_kind, right, wrong)
            assert difference() > 1e-3
