"""The gradient checker is shown wrong gradients and must refuse each, naming the part that is wrong.

Every fault is a backward pass of its own, written out below; without a fault it is right, so what is refused is the fault.
"""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from networks import random_batch, random_layer

import kan_ref as kr
from kan_ref.bspline import evaluation
from kan_ref.network import gradient_check
from kan_ref.numerics.row_sparse import RowSparse

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
        ValueError, match=" is wrong: along a random direction backward gives "
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


# --- laws


@pytest.mark.parametrize("seed", range(5))
def test_the_backward_pass_of_this_file_is_accepted_as_long_as_it_has_no_fault(seed):
    network, x, rng = example(seed)

    report = kr.check_gradients(network, x, rng=rng, backward=backward_with())

    assert "jacobian" not in report.errors  # that is the package's own, not the judged one's
    assert report.n_samples == BATCH


@for_all("seed", range(2))
@for_all("fault", FAULTS)
def test_a_planted_fault_is_refused_by_the_name_of_its_part(fault, seed):
    part, faults = FAULTS[fault]

    assert refused(seed, **faults) == part


@pytest.mark.parametrize(
    "piece", ["d_coef", "d_w_base", "d_w_spline", "dx_of_base", "dx_of_splines"]
)
def test_a_fault_of_a_hundred_thousandth_is_refused_and_one_of_a_billionth_is_not(piece):
    network, x, rng = example(0)

    assert refused(**{piece: lambda *given: (1.0 + 1e-5) * RIGHT[piece](*given)})
    kr.check_gradients(
        network,
        x,
        rng=rng,
        backward=backward_with(**{piece: lambda *given: (1.0 + 1e-9) * RIGHT[piece](*given)}),
    )


def test_the_tolerance_decides():
    network, x, rng = example(0)
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    report = kr.check_gradients(network, x, rng=rng, backward=slightly_wrong, tolerance=1e-3)

    assert 1e-6 < report.worst < 1e-3


def test_the_report_keeps_the_largest_error_of_all_directions():
    network, x, rng = example(0)
    right, slightly_wrong = (
        backward_with(),
        backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given)),
    )
    calls = []

    def wrong_along_the_first_direction(*given):
        calls.append(1)
        return (
            slightly_wrong(*given) if len(calls) <= len(calls_of_one_direction) else right(*given)
        )

    calls_of_one_direction = [
        *("dx", "dx without splines", "dx without base functions"),
        "all parameters",
        *(f"d_{name} of layer {n}" for n in range(3) for name in ("coef", "w_base", "w_spline")),
    ]
    report = kr.check_gradients(
        network,
        x,
        rng=rng,
        n_directions=3,
        backward=wrong_along_the_first_direction,
        tolerance=1e-3,
    )

    assert len(calls) == 3 * len(calls_of_one_direction)
    assert report.errors["d_coef of layer 0"] > 1e-6


def test_a_large_step_is_refused_because_the_difference_is_wrong_then():
    network, x, rng = example(0)

    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, x, rng=rng, step=1e-1)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e300])
def test_a_sample_far_away_does_not_hide_a_fault_that_shows_in_the_others(size):
    network, x, rng = example(0)
    with_far_sample = np.vstack([x, np.full((1, WIDTHS[0]), size)])
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    assert kr.check_gradients(network, with_far_sample, rng=rng).worst <= 1e-7
    with pytest.raises(ValueError, match="d_coef of layer 0 is wrong"):
        kr.check_gradients(network, with_far_sample, rng=rng, backward=slightly_wrong)


@pytest.mark.parametrize(
    "fault",
    [
        lambda rows: RowSparse(rows.columns, rows.values * 1.0001, rows.n_columns),
        lambda rows: RowSparse(rows.columns[::-1].copy(), rows.values, rows.n_columns),
        lambda rows: RowSparse(rows.columns, rows.values[::-1].copy(), rows.n_columns),
        lambda rows: RowSparse((rows.columns + 1) % rows.n_columns, rows.values, rows.n_columns),
        lambda rows: RowSparse(
            rows.columns, rows.values * np.where(rows.columns == 3, np.nan, 1.0), rows.n_columns
        ),
    ],
    ids=["scaled", "rows of columns reversed", "rows of values reversed", "shifted by one", "nan"],
)
def test_a_wrong_jacobian_is_refused_by_name(fault, monkeypatch):
    network, x, rng = example(0)
    right = gradient_check.prediction_jacobian
    monkeypatch.setattr(
        gradient_check, "prediction_jacobian", lambda layers, caches: fault(right(layers, caches))
    )

    with pytest.raises(ValueError, match=r"^jacobian is wrong: along a random direction"):
        kr.check_gradients(network, x, rng=rng)


def test_a_refusal_of_nan_says_that_the_error_is_nan():
    network, x, rng = example(0)

    with pytest.raises(
        ValueError,
        match=r"^d_coef of layer 0 is wrong: .* backward gives nan, .* \(relative error nan, allowed 1e-07\)$",
    ):
        kr.check_gradients(network, x, rng=rng, backward=backward_with(d_coef=with_nan))


def test_a_refusal_says_both_numbers_the_error_and_what_was_allowed():
    network, x, _ = example(0)

    number = r"-?[0-9.e+-]+"
    sentence = (
        rf"^d_coef of layer 0 is wrong: along a random direction backward gives {number}, a central difference {number} "
        rf"\(relative error {number}, allowed 1e-07\)$"
    )
    with pytest.raises(ValueError, match=sentence):
        kr.check_gradients(
            network, x, rng=np.random.default_rng(1), backward=backward_with(d_coef=means)
        )
