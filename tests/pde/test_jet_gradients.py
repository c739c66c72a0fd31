"""The backward pass of jets: parameter gradients, rows of samples and gradients with respect to a layer's jet, against differences."""

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
    fourth_order,
    gradient_errors,
    jet_of,
    random_directions,
    reverse_error,
    some_case,
)
from networks import WAYS, contraction_by, draws, symbolic_cases

import kan_ref as kr
from kan_ref.network.network import Network
from kan_ref.numerics.row_sparse import dense_form, multiply_transposed
from kan_ref.pde import jet_layer, jet_product, jets
from kan_ref.pde.jet_kind import operator_kind

ways = st.sampled_from(WAYS)
way_by_way = pytest.mark.parametrize("way", WAYS)


@way_by_way
@pytest.mark.parametrize("formulas", [False, True], ids=["splines", "formulas"])
@pytest.mark.parametrize("degrees", [[2], [3], [4], [5], [2, 3, 5], [0, 1, 3]], ids=str)
def test_gradients_and_rows_of_every_kind_of_jet_are_differences_to_1e_7(degrees, formulas, way):
    """Up to fifteen networks of 1 to 3 layers, each with four kinds of jet, all components weighted at random."""
    with contraction_by(way):
        for seed in draws(15):
            network, x, rng = some_case([*degrees, seed], degrees=degrees, formulas=formulas)
            for kind in every_kind(rng, x.shape[1], len(x)).values():
                errors = gradient_errors(network, x, kind, rng)
                assert max(errors.values()) <= TOLERANCE, (seed, errors)


@way_by_way
@pytest.mark.parametrize("seed", range(3))
def test_so_they_are_in_wide_layers_which_pull_back_by_one_matrix_product(seed, way):
    with contraction_by(way):
        network, x, rng = some_case(seed, widths=WIDE)
        for kind in every_kind(rng, 2, len(x)).values():
            assert max(gradient_errors(network, x, kind, rng).values()) <= TOLERANCE


@way_by_way
@pytest.mark.parametrize("widths", [(1, 1), (3, 2), (2, 9), (4, 12)], ids=str)
@pytest.mark.parametrize("formulas", [False, True], ids=["splines", "formulas"])
def test_a_layers_gradient_by_its_jet_is_a_difference_in_the_value_the_first_and_the_second_parts(
    widths, formulas, way
):
    with contraction_by(way):
        for seed in draws(5):
            network, x, rng = some_case(seed, widths=widths, formulas=formulas)
            for kind in every_kind(rng, widths[0], len(x)).values():
                assert reverse_error(network.layers[0], x, kind, rng) <= TOLERANCE


def test_the_two_ways_to_pull_back_through_splines_agree_to_rounding():
    network, x, rng = some_case(0, widths=WIDE)
    for kind in every_kind(rng, 2, len(x)).values():
        for layer in network.layers:
            with contraction_by("dense"):
                inputs = np.broadcast_to(
                    rng.normal(size=(layer.n_in, kind.n_components, 1)),
                    (layer.n_in, kind.n_components, len(x)),
                ).copy()
                cache = jet_layer.evaluate(layer, inputs, kind)
            dy = rng.normal(size=(layer.n_out, kind.n_components, len(x)))

            sums = zip(
                jet_layer._gathered_input_sums(layer, cache, dy),
                jet_product.product_input_sums(layer, kind, cache.active, cache.base, dy),
                strict=True,
            )

            for one, other in sums:
                np.testing.assert_allclose(
                    one, other, rtol=0, atol=1e-12 * max(1.0, np.abs(one).max(initial=0.0))
                )


@way_by_way
def test_a_layer_takes_products_or_gathered_sums_in_all_three_passes(way, monkeypatch):
    """Three layers: three times outputs and gradients of weights, twice a gradient with respect to the jet."""
    taken = []
    for kind in ("gathered", "product"):
        for name in (f"{kind}_outputs", f"{kind}_input_sums", f"{kind}_matrix_gradients"):
            own = f"_{name}" if kind == "gathered" else name
            right = getattr(jet_layer, own)
            monkeypatch.setattr(
                jet_layer,
                own,
                lambda *given, name=name, right=right: taken.append(name) or right(*given),
            )
    network, x, _ = some_case(0, widths=WIDE)
    with contraction_by(way):
        flow = flow_of(network, x, operator_kind(np.eye(2), np.zeros(2)))
        jets.run_jet_backward(network, flow, flow.jet)

    kind = "product" if way == "dense" else "gathered"
    backward = [f"{kind}_matrix_gradients", f"{kind}_input_sums"]
    assert taken == 3 * [f"{kind}_outputs"] + 2 * backward + backward[:1]


@way_by_way
def test_every_single_derivative_agrees_with_its_own_difference(way):
    """One number of theta at a time: no error hides in a sum."""
    network, x, rng = some_case(11, widths=(2, 3, 2), degrees=(3,))
    kind = random_directions(rng, 2)
    with contraction_by(way):
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


@given(symbolic_cases(degrees=range(6), n_samples=st.integers(1, 4)), ways)
def test_the_sum_of_all_rows_is_the_gradient(case, way):
    network, x, rng = case
    for kind in every_kind(rng, x.shape[1], len(x)).values():
        with contraction_by(way):
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


@given(symbolic_cases(n_samples=st.integers(2, 4)), ways)
def test_each_sample_has_the_row_that_it_has_alone(case, way):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    with contraction_by(way):
        flow = flow_of(network, x, kind)
        seed = rng.normal(size=flow.jet.shape)
        (rows,) = jets.jet_jacobian(network, flow, [seed])
        alone = [
            jets.jet_jacobian(
                network, flow_of(network, x[b : b + 1], kind), [seed[:, :, b : b + 1]]
            )[0]
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


@way_by_way
def test_dead_edges_have_columns_of_zeros_and_active_ones_do_not(way):
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    x = rng.uniform(-1.2, 1.2, (9, 2))
    mask = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    network = kr.mask_edges(network, 0, mask)
    with contraction_by(way):
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


@way_by_way
def test_locked_formulas_share_a_column_that_is_the_sum_of_their_own(way):
    rng = np.random.default_rng(0)
    apart = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for j, i in ((0, 0), (1, 1)):
        apart = kr.fix_symbolic(
            apart, 0, output=j, input=i, name="sin", affine=(1.3, 0.2, 0.7, -0.1)
        )
    locked = kr.lock_edges(apart, 0, [(0, 0), (1, 1)])
    x, kind = rng.uniform(-0.9, 0.9, (6, 2)), random_directions(rng, 2)
    seed, results = rng.normal(size=(1, kind.n_components, 6)), []
    with contraction_by(way):
        for network in (apart, locked):
            flow = flow_of(network, x, kind)
            first = network.layers[0].n_params - network.layers[0].affine.size
            gradient = jets.run_jet_backward(network, flow, seed)[None]
            rows = np.concatenate(
                [dense_form(jets.jet_jacobian(network, flow, [seed])[0]), gradient]
            )
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
