"""The gradient check accepts right gradients of all kinds of networks, and names the array of every injected bug.

Every bug is a backward pass of its own, written out below; without a bug it is right, so what is rejected is the bug.
"""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from networks import random_batch, random_layer, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref.bspline import evaluation

BATCH = 7
WIDTHS = (2, 3, 3, 2)  # the middle layer is square: there a transposed matrix fits


def example(seed):
    """A network with dead edges, its grids finer in later layers; inputs inside and outside."""
    rng = np.random.default_rng(seed)
    sizes = zip(pairwise(WIDTHS), (3, 4, 6), strict=True)
    plain = {"degree": 3, "kind": "uneven", "base": "silu", "dead": 0.0, "silent": 0.0}
    layers = [
        random_layer(rng, *ends, n_intervals=n_intervals, **plain) for ends, n_intervals in sizes
    ]
    network = kr.Network(layers)
    for number, layer in enumerate(layers):
        mask = np.ones((layer.n_out, layer.n_in))
        mask[-1, 0] = 0.0
        network = kr.mask_edges(network, number, mask)
    return network, random_batch(rng, network.layers[0], BATCH), rng


def matrix(layer):
    """C as (n_out, n_in, n_basis): masked, weighted coefficients."""
    return layer.spline_matrix.reshape(layer.coef.shape)


# --- a backward pass in small pieces, each of which a fault may replace


def d_matrix(layer, cache, dy):
    return evaluation.matrix_gradient(dy, cache.bases).reshape(layer.coef.shape)


def d_coef(layer, cache, dy):
    return (layer.mask * layer.w_spline)[:, :, None] * d_matrix(layer, cache, dy)


def d_w_base(layer, cache, dy):
    return layer.mask * (dy.T @ cache.base)


def d_w_spline(layer, cache, dy):
    return layer.mask * np.sum(layer.coef * d_matrix(layer, cache, dy), axis=2)


def dx_of_base(layer, cache, dy):
    return (dy @ layer.base_matrix) * cache.base_slope


def dx_of_splines(layer, cache, dy):
    return evaluation.slope_sums(layer.spline_matrix, cache.bases, dy)


RIGHT = {
    "d_coef": d_coef,
    "d_w_base": d_w_base,
    "d_w_spline": d_w_spline,
    "dx_of_base": dx_of_base,
    "dx_of_splines": dx_of_splines,
    "order": lambda pieces: pieces,
}


def backward_with(only_layer=None, **faults):
    """A backward pass with some pieces replaced, in all layers or in one."""

    def backward(network, caches, dy):
        pieces = []
        for number in reversed(range(len(network.layers))):
            parts = RIGHT | faults if only_layer in (None, number) else RIGHT
            layer, cache = network.layers[number], caches[number]
            pieces.insert(
                0,
                [
                    parts[name](layer, cache, dy).ravel()
                    for name in ("d_coef", "d_w_base", "d_w_spline")
                ],
            )
            dy = parts["dx_of_base"](layer, cache, dy) + parts["dx_of_splines"](layer, cache, dy)
        theta = np.concatenate(
            [array for layer_pieces in (RIGHT | faults)["order"](pieces) for array in layer_pieces]
        )
        return dy, SimpleNamespace(theta=theta)  # not a network: those refuse nan

    return backward


def refused(seed=0, **faults):
    """The name of the part that the checker refuses."""
    network, x, rng = example(seed)
    with pytest.raises(
        ValueError, match=" is wrong: along a random direction backward gives"
    ) as caught:
        kr.check_gradients(network, x, rng=rng, backward=backward_with(**faults))
    return str(caught.value).partition(" is wrong")[0]


def transposed_base(layer, cache, dy):
    return (
        (dy @ layer.base_matrix.T) * cache.base_slope
        if layer.n_in == layer.n_out
        else dx_of_base(layer, cache, dy)
    )


def transposed_splines(layer, cache, dy):
    if layer.n_in != layer.n_out:
        return dx_of_splines(layer, cache, dy)
    return evaluation.slope_sums(
        matrix(layer).transpose(1, 0, 2).reshape(layer.n_out, -1), cache.bases, dy
    )


def stale_slope(layer, cache, dy):
    """Slopes of a batch before this one."""
    return (dy @ layer.base_matrix) * np.roll(cache.base_slope, 1, axis=0)


def of_one_basis_shifted(layer, cache, dy):
    return np.roll(d_coef(layer, cache, dy), 1, axis=2)


def with_nan(layer, cache, dy):
    gradient = d_coef(layer, cache, dy)
    gradient[0, 0, 0] = np.nan
    return gradient


def tripled(layer, cache, dy):
    return 3.0 * d_coef(layer, cache, dy)


def means(layer, cache, dy):
    return d_coef(layer, cache, dy) / BATCH


def from_weighted_coefficients(layer, cache, dy):
    return layer.mask * np.sum(matrix(layer) * d_matrix(layer, cache, dy), axis=2)


FAULTS = {
    "transposed base weights in dx": ("dx", {"dx_of_base": transposed_base}),
    "transposed spline weights in dx": ("dx", {"dx_of_splines": transposed_splines}),
    "base term dropped from dx": ("dx", {"dx_of_base": lambda layer, cache, dy: 0.0}),
    "splines dropped from dx": ("dx", {"dx_of_splines": lambda layer, cache, dy: 0.0}),
    "stale base slope": ("dx", {"dx_of_base": stale_slope}),
    "base slope forgotten": ("dx", {"dx_of_base": lambda layer, cache, dy: dy @ layer.base_matrix}),
    "sign of the base in dx": ("dx", {"dx_of_base": lambda *given: -dx_of_base(*given)}),
    "mask missing in dx": (
        "dx",
        {"dx_of_base": lambda layer, cache, dy: (dy @ layer.w_base) * cache.base_slope},
    ),
    "w_base not trained": (
        "d_w_base of layer 1",
        {"d_w_base": lambda *given: 0.0 * d_w_base(*given), "only_layer": 1},
    ),
    "mask missing in d_w_base": (
        "d_w_base of layer 0",
        {"d_w_base": lambda layer, cache, dy: dy.T @ cache.base},
    ),
    "w_base fed with slopes": (
        "d_w_base of layer 0",
        {"d_w_base": lambda layer, cache, dy: layer.mask * (dy.T @ cache.base_slope)},
    ),
    "mask missing in d_coef": (
        "d_coef of layer 0",
        {
            "d_coef": lambda layer, cache, dy: (
                layer.w_spline[:, :, None] * d_matrix(layer, cache, dy)
            )
        },
    ),
    "w_spline forgotten in d_coef": (
        "d_coef of layer 2",
        {
            "d_coef": lambda layer, cache, dy: layer.mask[:, :, None] * d_matrix(layer, cache, dy),
            "only_layer": 2,
        },
    ),
    "w_spline applied twice in d_coef": (
        "d_coef of layer 0",
        {"d_coef": lambda layer, cache, dy: layer.w_spline[:, :, None] * d_coef(layer, cache, dy)},
    ),
    "one basis shifted in d_coef": (
        "d_coef of layer 1",
        {"d_coef": of_one_basis_shifted, "only_layer": 1},
    ),
    "mean over the batch in d_coef": ("d_coef of layer 0", {"d_coef": means}),
    "mask missing in d_w_spline": (
        "d_w_spline of layer 0",
        {
            "d_w_spline": lambda layer, cache, dy: np.sum(
                layer.coef * d_matrix(layer, cache, dy), axis=2
            )
        },
    ),
    "d_w_spline from C instead of coef": (
        "d_w_spline of layer 0",
        {"d_w_spline": from_weighted_coefficients},
    ),
    "w_base and w_spline swapped in theta": (
        "d_w_base of layer 0",
        {"order": lambda pieces: [[coef, w_spline, w_base] for coef, w_base, w_spline in pieces]},
    ),
    "layers swapped in theta": ("d_coef of layer 0", {"order": lambda pieces: pieces[::-1]}),
    "nan in d_coef": ("d_coef of layer 1", {"d_coef": with_nan, "only_layer": 1}),
    "nan in dx": (
        "dx",
        {"dx_of_base": lambda *given: np.nan * dx_of_base(*given), "only_layer": 0},
    ),
}


# --- right gradients are accepted


@given(seeds)
def test_random_networks_are_right(seed):
    """Uneven and repeated knots, dead edges, symbolic edges, samples outside the grids."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=(2, 3, 2), degrees=[1, 2, 3, 4])
    network = with_formulas(rng, network, share=0.2)

    assert (
        kr.check_gradients(network, random_batch(rng, network.layers[0], 8), rng=rng).worst <= 1e-7
    )


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_units_of_the_inputs_do_not_matter(size):
    rng = np.random.default_rng(0)
    network = kr.init_network(
        (2, 3, 2), n_intervals=4, degree=3, domain=(-size, size), rng=rng, base="identity"
    )
    x = rng.uniform(-size, size, (15, 2))

    assert kr.check_gradients(network, x, rng=rng).worst <= 1e-7
    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(
            network,
            x,
            rng=rng,
            backward=lambda *given: (1.001 * kr.backward(*given)[0], kr.backward(*given)[1]),
        )


def test_without_active_edges_there_is_no_error():
    network, x, rng = example(0)
    for number, layer in enumerate(network.layers):
        network = kr.mask_edges(network, number, np.zeros_like(layer.mask))

    assert kr.check_gradients(network, x, rng=rng).worst == 0.0


X = sympy.Symbol("x")


@pytest.mark.parametrize("formula", [sympy.Abs(X) + X**2, sympy.sign(X) + X, sympy.sqrt(X)])
def test_samples_at_kinks_jumps_and_ends_of_domains_do_not_count(formula):
    network = kr.from_formula(formula, ("x",), domain=(0, 1))
    x = np.r_[np.linspace(0.1, 0.9, 40), 1e-7, 3e-7][:, None]

    report = kr.check_gradients(network, x, rng=np.random.default_rng(0))

    assert report.worst <= 1e-7
    assert report.n_samples == 40
    with pytest.raises(ValueError, match="x has 1 samples, but none away from kinks"):
        kr.check_gradients(network, x[-2:-1], rng=np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(5))
def test_the_backward_pass_of_this_file_is_right_without_a_bug(seed):
    network, x, rng = example(seed)

    report = kr.check_gradients(network, x, rng=rng, backward=backward_with())

    assert report.n_samples >= BATCH - 2  # others may lie at a knot
    assert report.worst == max(report.errors.values()) <= 1e-7
    assert len(report.errors) == 1 + 3 * 3


# --- wrong ones are named


@for_all("seed", range(2))
@for_all("fault", FAULTS)
def test_an_injected_bug_is_refused_by_the_name_of_its_array(fault, seed):
    part, faults = FAULTS[fault]

    assert refused(seed, **faults) == part


@pytest.mark.parametrize(
    "piece", ["d_coef", "d_w_base", "d_w_spline", "dx_of_base", "dx_of_splines"]
)
def test_an_error_of_a_hundred_thousandth_is_refused_and_one_of_a_billionth_is_not(piece):
    network, x, rng = example(0)
    nearly = backward_with(**{piece: lambda *given: (1.0 + 1e-9) * RIGHT[piece](*given)})

    assert refused(**{piece: lambda *given: (1.0 + 1e-5) * RIGHT[piece](*given)})
    kr.check_gradients(network, x, rng=rng, backward=nearly)


def test_the_tolerance_decides_and_the_report_keeps_the_largest_error():
    network, x, rng = example(0)
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    report = kr.check_gradients(network, x, rng=rng, backward=slightly_wrong, tolerance=1e-3)

    assert 1e-6 < report.errors["d_coef of layer 0"] <= report.worst < 1e-3


def test_a_step_that_is_too_long_is_refused():
    network, x, rng = example(0)

    with pytest.raises(ValueError, match=r"is wrong|none away from kinks"):
        kr.check_gradients(network, x, rng=rng, step=0.01)


def test_a_sample_far_away_does_not_hide_a_bug_that_shows_in_the_others():
    network, x, rng = example(0)
    x = np.vstack([x, np.full((1, WIDTHS[0]), 1e6)])
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    assert kr.check_gradients(network, x, rng=rng).worst <= 1e-7
    with pytest.raises(ValueError, match="d_coef of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=slightly_wrong)


def test_a_refusal_says_both_derivatives():
    network, x, rng = example(0)
    tripled = backward_with(d_coef=lambda *given: 3.0 * d_coef(*given))

    with pytest.raises(ValueError, match="d_coef of layer 0 is wrong") as refusal:
        kr.check_gradients(network, x, rng=rng, backward=tripled)

    words = str(refusal.value).replace(",", "").split()
    found, expected = (float(words[words.index(word) + 1]) for word in ("gives", "difference"))
    assert found == pytest.approx(3.0 * expected, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "name"), [({"step": 0.0}, "step"), ({"n_directions": 0}, "n_directions")]
)
def test_wrong_options_are_refused_by_name(options, name):
    network, x, rng = example(0)

    with pytest.raises(ValueError, match=name):
        kr.check_gradients(network, x, rng=rng, **options)
    with pytest.raises(ValueError, match="x has 0 samples"):
        kr.check_gradients(network, x[:0], rng=rng)
