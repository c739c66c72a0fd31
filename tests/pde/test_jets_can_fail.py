"""The checks of jets must detect every injected bug.

A bug is one line of the package with one change: the changed source is compiled and used in its place.
"""

import inspect
import textwrap

import numpy as np
import pytest
from jet_checks import (
    TOLERANCE,
    WIDE,
    every_kind,
    forward_error,
    gradient_errors,
    reverse_error,
    some_case,
)
from networks import WAYS, contraction_by

import kan_ref as kr
from kan_ref.functions.base_function import _tanh
from kan_ref.network import symbolic_edges
from kan_ref.pde import jet_kind, jet_layer, jet_product, jets, mlp_jets


def mutate(monkeypatch, function, right, wrong):
    """Replace `right` by `wrong` in the source of `function`, for all later calls."""
    function = inspect.unwrap(function)
    text = textwrap.dedent(inspect.getsource(function))
    assert text.count(right) == 1
    scope = dict(vars(inspect.getmodule(function)))
    exec(compile(text.replace(right, wrong), "fault", "exec"), scope)
    monkeypatch.setattr(function, "__code__", inspect.unwrap(scope[function.__name__]).__code__)


CHECKS = ("forward", "gradient", "rows", "reverse")


def network_errors(way, checks=CHECKS):
    """The largest error of each check over two networks with symbolic and masked edges, one narrow, one wide; of one check alone, up to its first no."""
    found = dict.fromkeys(checks, 0.0)
    with contraction_by(way), np.errstate(all="ignore"):
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


def perceptron_errors(activation="tanh"):
    rng = np.random.default_rng(0)
    mlp = kr.init_mlp((2, 4, 4, 2), activation=activation, rng=rng)
    mlp = mlp.with_theta(mlp.theta + 0.3 * rng.normal(size=mlp.n_params))
    x = rng.uniform(-1.0, 1.0, (6, 2))
    found = {"forward": forward_error(mlp, x), "gradient": 0.0, "rows": 0.0}
    for kind in every_kind(rng, 2, len(x)).values():
        for name, error in gradient_errors(mlp, x, kind, rng).items():
            found[name] = np.maximum(found[name], error)
    return found


def refusing(errors):
    """The checks that fail; an error that is nan fails too."""
    return {name for name, error in errors.items() if not error <= TOLERANCE}


# name: (checks that must say no, ways to contract in which it shows, function, right, wrong)
FAULTS = {
    "a square counts half": (
        "forward",
        WAYS,
        jet_kind.products_of,
        "weight * first[:, p]",
        "0.5 * weight * first[:, p]",
    ),
    "products not summed up": (
        "gradient",
        WAYS,
        jet_kind.products_of,
        "quadratic[:, s] +=",
        "quadratic[:, s] =",
    ),
    "slope for curvature": (
        "forward",
        WAYS,
        jet_kind.chain,
        "curvature[..., None, :]",
        "slope[..., None, :]",
    ),
    "second parts not carried on": (
        "forward",
        WAYS,
        jet_kind.chain,
        "kind.second, :] +=",
        "kind.second, :] =",
    ),
    "factor 2 missing in a product's reverse": (
        "gradient",
        WAYS,
        jet_kind.chain_back,
        "d_first[:, q] += weight * d_second[:, s] * first[:, p]",
        "d_first[:, q] += 0.0",
    ),
    "a product's reverse with its factors swapped": (
        "gradient",
        WAYS,
        jet_kind.chain_back,
        "d_first[:, p] += weight * d_second[:, s] * first[:, q]",
        "d_first[:, p] += weight * d_second[:, s] * first[:, p]",
    ),
    "third derivative dropped": (
        "reverse",
        WAYS,
        jet_kind.chain_back,
        '"isb,isb->ib", by_third',
        '"isb,isb->ib", 0.0 * by_third',
    ),
    "curvature dropped in the value's reverse": (
        "reverse",
        WAYS,
        jet_kind.chain_back,
        '"ikb,ikb->ib", by_curvature',
        '"ikb,ikb->ib", 0.0 * by_curvature',
    ),
    "phi'' for phi''' along the edges": (
        "reverse",
        ("gathered",),
        jet_layer._gathered_input_sums,
        "(1, 2, 3)",
        "(1, 2, 2)",
    ),
    "phi'' for phi''' through the product": (
        "reverse",
        ("dense",),
        jet_product.product_input_sums,
        "active.planes[order]",
        "active.planes[min(order, 2)]",
    ),
    "base function dropped through the product": (
        "gradient",
        ("dense",),
        jet_product.product_input_sums,
        "by_base[own], base[order][i]",
        "0.0 * by_base[own], base[order][i]",
    ),
    "base weights turned": (
        "gradient",
        ("dense",),
        jet_product.product_outputs,
        "layer.base_matrix @",
        "layer.base_matrix[::-1] @",
    ),
    "mask forgotten": (
        "rows",
        WAYS,
        jet_layer.spline_rows,
        "rows[:, :, active:] *= layer.mask[:, :, None, None]",
        "rows[:, :, active:] *= 1.0",
    ),
    "w_spline forgotten": (
        "rows",
        WAYS,
        jet_layer.spline_rows,
        "(layer.mask * layer.w_spline)",
        "layer.mask",
    ),
    "t_2 forgotten": (
        "gradient",
        ("gathered",),
        jet_kind.parameter_weights,
        'np.einsum("...sb',
        '0.0 * np.einsum("...sb',
    ),
    "t_1 of the first parts alone": (
        "rows",
        WAYS,
        jet_kind.parameter_weights,
        "dy[..., 1:, :], jet[:, 1:]",
        "dy[..., kind.first, :], jet[:, kind.first]",
    ),
    "formula with a^2 for a": (
        "forward",
        WAYS,
        symbolic_edges.derivatives,
        "inner_scale**order",
        "inner_scale ** (2 * order)",
    ),
    "product rule in a forgotten": (
        "gradient",
        WAYS,
        symbolic_edges.affine_slopes,
        "by_a += outer_scale * order * inner_scale ** (order - 1) * by_c",
        "by_a += 0.0",
    ),
    "formula's reverse with a stale sample": (
        "reverse",
        WAYS,
        jet_layer.input_gradient,
        "cache.jet[:, 0].T, (1, 2, 3)",
        "np.roll(cache.jet[:, 0].T, 1, axis=0), (1, 2, 3)",
    ),
    "a layer's gradient at the wrong upstream": (
        "gradient",
        WAYS,
        jets.run_jet_backward,
        "jet_layer.parameter_gradients(layer, cache, d_jet)",
        "jet_layer.parameter_gradients(layer, cache, 0.5 * d_jet if number == 0 else d_jet)",
    ),
}
SHOWN = [(name, way) for name, fault in FAULTS.items() for way in fault[1]]

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


@pytest.mark.parametrize("way", WAYS)
def test_without_a_fault_no_check_says_no(way):
    assert not refusing(network_errors(way))
    assert not refusing(perceptron_errors())


@pytest.mark.parametrize(("fault", "way"), SHOWN)
def test_a_slip_of_the_pen_is_refused_by_the_check_that_is_made_for_it(fault, way, monkeypatch):
    check, _, *slip = FAULTS[fault]
    mutate(monkeypatch, *slip)

    assert refusing(network_errors(way, [check])) == {check}


@pytest.mark.parametrize("fault", MLP_FAULTS)
def test_so_it_is_in_a_perceptron(fault, monkeypatch):
    check, *slip = MLP_FAULTS[fault]
    mutate(monkeypatch, *slip)
    if fault == "weights transposed":  # which fit in the square layer alone
        monkeypatch.setattr(
            kr, "init_mlp", lambda widths, init=kr.init_mlp, **given: init((2, 2, 2, 2), **given)
        )

    assert check in refusing(perceptron_errors())


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
