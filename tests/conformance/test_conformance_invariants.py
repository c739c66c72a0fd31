"""The checks of identities: correct functions pass, injected bugs are found and located."""

import copy
import json
import re

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from networks import clear_samples, network_cases, random_layer

import kan_ref as kr
from kan_ref import bspline
from kan_ref.conformance import invariants
from kan_ref.conformance.adapters.reference import Reference

RNG = np.random.default_rng
X = RNG(0).uniform(-0.9, 0.9, (7, 3))
ROW = kr.uniform_knots(-1.0, 1.0, 5, 3)
GRID = np.linspace(-1.0, 1.0, 21)
WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]])


def refused(sentence):
    return pytest.raises(ValueError, match=sentence)


def layer(x):
    return np.sin(2.0 * x) @ WEIGHTS.T


def layer_vjp(x, dy):
    return 2.0 * np.cos(2.0 * x) * (dy @ WEIGHTS)


def layer_hvp(x, dy, v):
    return -4.0 * np.sin(2.0 * x) * (dy @ WEIGHTS) * v


def product(x):
    """Return y = x_0 x_1 x_2, whose Hessian has a zero diagonal."""
    return x.prod(axis=1, keepdims=True)


def product_hvp(x, dy, v):
    a, b, c = x.T
    zero = np.zeros_like(a)
    hessian = np.array([[zero, c, b], [c, zero, a], [b, a, zero]])
    return dy * np.einsum("pqb,bq->bp", hessian, v)


# --- partition of unity


def bases(x):
    return bspline.basis(x[:, None], ROW, 3)[:, 0]


def half_open(x):
    return np.where((x == GRID[-1])[:, None], 0.0, bases(x))


def test_bases_of_the_package_sum_to_1():
    invariants.check_partition_of_unity(bases, GRID)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            half_open,
            r"at x = 1 \(position 20\) the basis functions sum to 0, but must sum to 1 within 1e-12",
        ),
        (lambda x: bases(x)[:, 1:], r"at x = -1 \(position 0\) the basis functions sum to 0\.83"),
        (lambda x: bases(x) * (1.0 + 1e-9), r"the basis functions sum to 1\.00000000\d+, but"),
        (
            lambda x: bases(x) * np.nan,
            "the answer of basis contains nan at row 0, column 0, but needs finite numbers",
        ),
        (
            lambda x: bases(x).T,
            r"the answer of basis has shape \(8, 21\), but needs shape \(21, n_basis\)",
        ),
    ],
    ids=["open end", "a basis lost", "a scale", "nan", "transposed"],
)
def test_bases_that_do_not_sum_to_1_are_refused(wrong, sentence):
    with refused(sentence):
        invariants.check_partition_of_unity(wrong, GRID)


# --- batch independence


def stale():
    """Return a function that repeats the first answer for each shape."""
    memory = {}

    def f(x):
        return memory.setdefault(x.shape, layer(x))

    return f


def drifting():
    calls = []

    def f(x):
        calls.append(1)
        return layer(x) * (1.0 + 1e-9 * (len(calls) == 9))

    return f


@pytest.mark.parametrize(
    ("wrong", "how"),
    [
        (lambda x: layer(x - x.mean(axis=0)), "alone"),
        (lambda x: layer(x) / np.abs(layer(x)).max(), "alone"),
        (lambda x: layer(x) + np.arange(len(x))[:, None] * (len(x) > 1), "alone"),
        (stale(), "alone"),
        (drifting(), "in the reversed batch"),
    ],
    ids=["mean", "scale", "position", "stale", "drift"],
)
def test_samples_that_see_each_other_are_found(wrong, how):
    with refused(
        rf"^f depends on the batch: sample \d, output \d is \S+ in its batch of 7 and \S+ {how} \(difference \S+, allowed \S+\)$"
    ):
        invariants.check_batch_independence(wrong, X)


def test_a_function_that_changes_when_asked_again_is_found():
    calls = []

    def f(x):
        calls.append(1)
        return layer(x) + (len(calls) == len(X) + 3)

    with refused("in a second call"):
        invariants.check_batch_independence(f, X)


@given(network_cases(degrees=range(4)))
def test_networks_of_the_package_treat_samples_one_by_one(case):
    network, x, _ = case
    invariants.check_batch_independence(network, np.vstack([x, x[:1] + 0.1]))


# --- separability


def test_a_layer_of_the_package_adds_functions_of_one_input_and_two_layers_do_not():
    one = kr.Network((random_layer(RNG(1), 3, 2, degree=3, n_intervals=4, dead=0.0, silent=0.0),))
    two = kr.Network(
        (*one.layers, random_layer(RNG(2), 2, 1, degree=3, n_intervals=4, dead=0.0, silent=0.0))
    )

    invariants.check_separability(one, X)
    with refused("f mixes inputs"):
        invariants.check_separability(two, X)


@pytest.mark.parametrize(
    ("extra", "pair"),
    [
        (lambda x: 1e-6 * x[:, :1] * x[:, 2:], "0 and 2"),
        (lambda x: np.exp(x[:, 1:2] + x[:, 2:]), "1 and 2"),
        (lambda x: x.max(axis=1, keepdims=True), "0 and 1"),
        (product, "0 and 1"),
    ],
    ids=["small product", "exp of a sum", "maximum", "three"],
)
def test_inputs_that_mix_are_named(extra, pair):
    with refused(
        rf"^f mixes inputs {pair}: their mixed difference at sample \d, output 0 is \S+, but must be 0 \(allowed \S+\)$"
    ):
        invariants.check_separability(lambda x: layer(x)[:, :1] + extra(x), X)


CONSTANT = np.hstack([X[:, :1], np.full_like(X[:, 1:2], 0.3), X[:, 2:]])
IN_TURN = np.array([[0.1, 0.2], [0.1, 0.5], [0.4, 0.5], [0.4, 0.2]])  # one input at a time


@for_all(
    ("x", "pair"),
    [(np.full((5, 2), 0.3), "0 and 1"), (CONSTANT, "0 and 1"), (IN_TURN, "0 and 1")],
)
def test_samples_whose_inputs_do_not_change_together_show_no_mixture(x, pair):
    said = f"^x has 0 samples that differ from the next one in inputs {pair}, which shows nothing: "

    with refused(said):
        invariants.check_separability(lambda x: x[:, :1] * x[:, 1:2], x)


def test_equal_samples_show_no_dependence_on_the_batch():
    with refused("^x has 1 distinct samples, which shows nothing: give at least 2$"):
        invariants.check_batch_independence(lambda x: x - x.mean(axis=0), np.full((5, 2), 0.3))


# --- gradients


@pytest.mark.parametrize("seed", range(5))
def test_right_derivatives_of_both_orders_pass(seed):
    invariants.check_gradient(layer, layer_vjp, X, rng=RNG(seed))
    invariants.check_gradient(layer, layer_hvp, X, rng=RNG(seed), order=2)
    invariants.check_gradient(product, product_hvp, X, rng=RNG(seed), order=2)


@given(network_cases(degrees=range(4, 7)))
def test_derivatives_of_the_package_pass(case):
    network, x, rng = case
    x = clear_samples(network, x, distance=1e-3)
    if len(x):
        invariants.check_gradient(
            network,
            lambda x, dy: kr.backward(network, kr.forward(network, x)[1], dy)[0],
            x,
            rng=rng,
        )


@pytest.mark.parametrize("seed", range(5))
def test_second_derivatives_of_the_package_pass(seed):
    net = kr.init_network((3, 2, 2), n_intervals=4, degree=5, domain=(-1.0, 1.0), rng=RNG(seed))

    def hvp(x, dy, v):
        return np.einsum("bj,bjpq,bq->bp", dy, kr.input_hessian(net, x), v)

    invariants.check_gradient(net, hvp, X, rng=RNG(seed), order=2)


@for_all(
    "wrong",
    [
        lambda x, dy: 2.0 * layer_vjp(x, dy),
        lambda x, dy: -layer_vjp(x, dy),
        lambda x, dy: 0.0 * x,
        lambda x, dy: layer_vjp(x, np.ones_like(dy)),
        lambda x, dy: layer_vjp(x, dy[:, ::-1]),
        lambda x, dy: layer_vjp(x, dy)[:, ::-1],
        lambda x, dy: layer_vjp(x, dy).mean(axis=0) + 0.0 * x,
        lambda x, dy: layer_vjp(x, dy) * (1.0 + 1e-4),
        lambda x, dy: layer_vjp(x[::-1], dy),
    ],
    ids=[
        "twice",
        "sign",
        "zero",
        "ones",
        "outputs turned",
        "inputs turned",
        "mean",
        "a little",
        "other samples",
    ],
)
@for_all("seed", range(5))
def test_a_wrong_vjp_is_found(wrong, seed):
    with refused(
        r"^vjp is wrong at sample \d: along a random direction it gives \S+, a central difference of f \S+ \(difference \S+, allowed"
    ):
        invariants.check_gradient(layer, wrong, X, rng=RNG(seed))


@for_all(
    ("f", "wrong"),
    [
        (layer, lambda x, dy, v: 0.0 * x),
        (layer, lambda x, dy, v: 0.5 * layer_hvp(x, dy, v)),
        (layer, lambda x, dy, v: layer_vjp(x, dy) * v),
        (layer, lambda x, dy, v: layer_hvp(x, dy, v) * (1.0 + 1e-3)),
        (product, lambda x, dy, v: 0.0 * x),
        (product, lambda x, dy, v: product_hvp(x, dy, v)[:, ::-1]),
    ],
    ids=["zero", "half", "first", "a little", "diagonal alone", "turned"],
)
@for_all("seed", range(5))
def test_a_wrong_second_derivative_is_found(f, wrong, seed):
    with refused("^vjp is wrong at sample"):
        invariants.check_gradient(f, wrong, X, rng=RNG(seed), order=2)


@for_all("place", [0.0, 1e4, 1e6, 3e7, -1e6])
@for_all("scale", [1.0, 1.1, 0.3])
def test_exact_gradients_of_large_inputs_pass(place, scale):
    def f(x):
        return np.sin(scale * x - scale * place) @ WEIGHTS.T

    def vjp(x, dy):
        return scale * np.cos(scale * x - scale * place) * (dy @ WEIGHTS)

    for seed in range(5):
        invariants.check_gradient(f, vjp, X + place, rng=RNG(seed))
        with refused("^vjp is wrong at sample"):
            invariants.check_gradient(f, lambda x, dy: 0.5 * vjp(x, dy), X + place, rng=RNG(seed))


@for_all("vjp", [layer_vjp, lambda x, dy: 0.0 * x])
@for_all("seed", range(5))
def test_a_step_that_shows_nothing_at_this_size_of_f_is_said_to_show_nothing(vjp, seed):
    sentence = r"^step is \S+, which shows nothing: with \|f\| up to \S+ and \|x\| up to \S+ the"
    with refused(sentence):
        invariants.check_gradient(lambda x: layer(x) + 1e9, vjp, X, rng=RNG(seed))
    with refused(sentence):
        hvp = layer_hvp if vjp is layer_vjp else lambda x, dy, v: 0.0 * x
        invariants.check_gradient(lambda x: layer(x) + 1e7, hvp, X, rng=RNG(seed), order=2)


def test_a_step_below_the_distance_of_numbers_is_said_to_show_nothing():
    f, vjp = (lambda x: 2.0 * (x - 1e11)), lambda x, dy: 2.0 * dy
    for samples in (X, X[:1]):
        with refused(r"^step is 1e-06, which shows nothing: .*take a larger step"):
            invariants.check_gradient(f, vjp, samples + 1e11, rng=RNG(0))
    invariants.check_gradient(f, vjp, X + 1e11, rng=RNG(0), step=0.1)


def single(function):
    """Return a right function that computes in float32."""
    return lambda *given: function(*(np.float32(one) for one in given)).astype(np.float32)


def test_right_functions_in_float32_are_not_called_wrong():
    for seed in range(5):
        with refused(r"^step is 1e-06, which shows nothing: .*take a larger step"):
            invariants.check_gradient(single(layer), single(layer_vjp), X, rng=RNG(seed))
        invariants.check_gradient(single(layer), single(layer_vjp), X, rng=RNG(seed), step=0.003)
    invariants.check_separability(single(layer), X)
    invariants.check_batch_independence(single(layer), X)
    invariants.check_same_function(single(layer), layer, X)
    invariants.check_partition_of_unity(single(bases), GRID)


def test_wrong_functions_in_float32_are_found():
    def wrong(x, dy):
        return 1.1 * single(layer_vjp)(x, dy)

    def mixed(x):
        return layer(x) + 1e-3 * np.prod(x, axis=1, keepdims=True)

    with refused("^vjp is wrong at sample"):
        invariants.check_gradient(single(layer), wrong, X, rng=RNG(0), step=0.003)
    with refused("^f mixes inputs"):
        invariants.check_separability(single(mixed), X)
    with refused("^f mixes inputs"):  # a tolerance that is given stays as it is
        invariants.check_separability(single(layer), X, tolerance=1e-12)
    with refused("^f depends on the batch"):
        invariants.check_batch_independence(single(lambda x: layer(x - x.mean(axis=0))), X)
    with refused("^new is another function than old"):
        invariants.check_same_function(layer, single(layer), X)


def test_a_step_that_is_too_large_for_a_steep_function_is_in_the_message():
    def f(x):
        return layer(1e6 * x)

    def vjp(x, dy):
        return 1e6 * layer_vjp(1e6 * x, dy)

    with refused(r": correct it, or take a smaller step than 1e-06 if f is steep$"):
        invariants.check_gradient(f, vjp, 1e-6 * X, rng=RNG(0))
    invariants.check_gradient(f, vjp, 1e-6 * X, rng=RNG(0), step=1e-12)


def test_derivatives_that_are_0_pass_although_the_difference_has_rounding_errors():
    zeros = [lambda x, dy: 0.0 * x, lambda x, dy, v: 0.0 * x]
    for constant in (lambda x: 0.0 * x + 5.1, lambda x: x - x.sum(axis=1, keepdims=True) * 0.0 - x):
        invariants.check_gradient(constant, zeros[0], X, rng=RNG(0))
    for samples in (X, 100.0 * X, X[:1]):
        invariants.check_gradient(lambda x: x @ WEIGHTS.T, zeros[1], samples, rng=RNG(0), order=2)


def test_inputs_rounded_to_float32_are_found():
    def f(x):
        return layer(np.float32(x).astype(float))

    invariants.check_gradient(layer, layer_vjp, X, rng=RNG(0))
    with refused("^vjp is wrong at sample"):
        invariants.check_gradient(f, layer_vjp, X, rng=RNG(0))


# --- the same function


def test_a_finer_grid_keeps_the_function_and_another_network_is_told_apart():
    net = kr.init_network((3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    invariants.check_same_function(net, kr.extend_grid(net, n_intervals=8), X)
    with refused(
        r"^new is another function than old: sample 4, output 1 is \S+ of old and \S+ of new \(difference 1e-09, allowed"
    ):
        invariants.check_same_function(
            net, lambda x: net(x) + 1e-9 * np.outer(np.arange(7) == 4, [0.0, 1.0]), X
        )


def test_weights_in_float32_are_found_by_three_times_the_weights():
    one = random_layer(RNG(1), 3, 2, degree=3, n_intervals=4)
    names = ("knots", "coef", "w_base", "w_spline", "mask")
    layer = {name: np.asarray(getattr(one, name), float) for name in names}
    layer |= {"degree": 3, "base": "silu"}
    weights = {name: RNG(2).normal(size=(2, 3)) for name in ("w_base", "w_spline")}

    def right(times, x):
        scaled = {name: times * weight for name, weight in weights.items()}
        return Reference().layer_forward({**layer, **scaled}, x)

    def rounded(times, x):
        scaled = {name: (times * weight).astype(np.float32) for name, weight in weights.items()}
        return Reference().layer_forward({**layer, **scaled}, x)

    invariants.check_same_function(lambda x: 3.0 * right(1.0, x), lambda x: right(3.0, x), X)
    with refused("^new is another function than old: "):
        invariants.check_same_function(
            lambda x: 3.0 * rounded(1.0, x), lambda x: rounded(3.0, x), X
        )


# --- round trip


VALUE = {
    "coef": np.array([[0.1, -0.0, np.nan], [5e-324, np.inf, 1.0 / 3.0]]),
    "mask": np.ones((2, 3)),
    "degree": 3,
    "base": "silu",
    "scale": 0.1,
    "edges": [("sin", 0, None), ("exp", 1, True)],
    "small": np.float32(0.1),
}


def changed(**changes):
    return lambda value: copy.deepcopy(value) | changes


def test_copies_json_and_the_files_of_the_package_lose_nothing():
    layer = {"knots": [0.1, 1.0 / 3.0], "degree": 3, "base": "silu"}
    plain = {
        name: getattr(random_layer(RNG(0), 2, 3, degree=3, n_intervals=4), name)
        for name in ("knots", "coef", "w_base", "w_spline")
    }
    plain |= {"mask": np.ones((3, 2)), "degree": 3, "base": "silu"}

    invariants.check_round_trip(copy.deepcopy, VALUE)
    invariants.check_round_trip(lambda value: json.loads(json.dumps(value)), layer)
    invariants.check_round_trip(Reference().save_load, plain)


@for_all(
    ("wrong", "sentence"),
    [
        (changed(coef=VALUE["coef"] + 0.0), "value['coef'][0, 1] from -0.0 to 0.0"),
        (
            changed(coef=np.nan_to_num(VALUE["coef"], posinf=np.inf)),
            "value['coef'][0, 2] from nan to 0.0",
        ),
        (
            changed(coef=VALUE["coef"].astype(np.float32)),
            "value['coef'] from ndarray of float64 (2, 3) to ndarray of float32 (2, 3)",
        ),
        (
            changed(coef=VALUE["coef"].astype(np.float32).astype(float)),
            "value['coef'][0, 0] from 0.1 to 0.10000000149011612",
        ),
        (
            changed(mask=np.ones((3, 2))),
            "value['mask'] from ndarray of float64 (2, 3) to ndarray of float64 (3, 2)",
        ),
        (
            changed(mask=np.ones((2, 3)).tolist()),
            "value['mask'] from ndarray of float64 (2, 3) to list of float64 (2, 3)",
        ),
        (changed(degree=3.0), "value['degree'] from 3 to 3.0"),
        (changed(degree=True), "value['degree'] from 3 to True"),
        (changed(scale=0.1 + 2e-17), "value['scale'] from 0.1 to 0.10000000000000002"),
        (changed(base="identity"), "value['base'] from 'silu' to 'identity'"),
        (changed(edges=VALUE["edges"][:1]), "value['edges'] from list"),
        (
            changed(edges=[list(edge) for edge in VALUE["edges"]]),
            "value['edges'][0] from tuple to list",
        ),
        (
            changed(edges=[VALUE["edges"][0], ("exp", 1, False)]),
            "value['edges'][1][2] from True to False",
        ),
        (changed(extra=1), "value from the keys ['base', 'coef', "),
        (
            lambda value: {key: item for key, item in value.items() if key != "mask"},
            "value from the keys ['base', 'coef', ",
        ),
        (lambda value: list(value), "to a list"),
        (lambda value: None, "to a NoneType"),
    ],
)
def test_what_a_file_loses_is_named_and_placed(wrong, sentence):
    with refused(re.escape(sentence)) as refusal:
        invariants.check_round_trip(wrong, VALUE)

    assert str(refusal.value).startswith("round_trip changed value")


def test_a_round_trip_that_spoils_what_it_was_given_is_found():
    def spoil(value):
        value["mask"][0, 0] = 0.0
        return value

    with refused(re.escape("value['mask'][0, 0] from 1.0 to 0.0")):
        invariants.check_round_trip(spoil, copy.deepcopy(VALUE))


# --- the door


def call(checker, **changes):
    arguments = {
        "check_partition_of_unity": {"basis": bases, "x": GRID},
        "check_batch_independence": {"f": layer, "x": X},
        "check_separability": {"f": layer, "x": X},
        "check_gradient": {"f": layer, "vjp": layer_vjp, "x": X, "rng": RNG(0)},
        "check_same_function": {"old": layer, "new": layer, "x": X},
        "check_round_trip": {"round_trip": copy.deepcopy, "value": VALUE},
    }[checker]
    return getattr(invariants, checker)(**arguments | changes)


OWN = [
    name
    for name, thing in vars(invariants).items()
    if getattr(thing, "__module__", "").startswith("kan_ref.conformance.")
]
CHECKERS = sorted(name for name in OWN if name.startswith("check_"))


def test_each_checker_passes_what_the_refusals_below_begin_with():
    assert [call(checker) for checker in CHECKERS] == [None] * 6


@for_all(
    ("checker", "argument", "value"),
    [
        *(
            (checker, "x", value)
            for checker in CHECKERS
            if checker != "check_round_trip"
            for value in (X * np.nan, "x", X[:0], None, X[None])
        ),
        *(
            (checker, "tolerance", value)
            for checker in CHECKERS
            if checker != "check_round_trip"
            for value in (-1.0, np.nan, "1")
        ),
        ("check_partition_of_unity", "basis", 3),
        ("check_batch_independence", "f", WEIGHTS),
        ("check_batch_independence", "x", X[:1]),
        ("check_batch_independence", "f", lambda x: layer(x)[:, 0]),
        ("check_batch_independence", "f", lambda x: layer(x)[:, :0]),
        ("check_batch_independence", "f", lambda x: layer(x).astype(str)),
        ("check_separability", "x", X[:, :1]),
        ("check_separability", "f", lambda x: None),
        ("check_gradient", "vjp", lambda x, dy: dy),
        ("check_gradient", "vjp", None),
        ("check_gradient", "rng", 0),
        ("check_gradient", "order", 3),
        ("check_gradient", "n_directions", 0),
        ("check_gradient", "step", 0.0),
        ("check_same_function", "new", lambda x: layer(x)[:, :1]),
        ("check_same_function", "old", "layer"),
        ("check_round_trip", "round_trip", VALUE),
        ("check_round_trip", "value", {1, 2}),
        ("check_round_trip", "value", np.array([None])),
    ],
)
def test_the_door_refuses_by_name(checker, argument, value):
    with pytest.raises(
        (ValueError, TypeError), match=rf"(^|\b){argument}\b.*(has|is|contains|needs|must)"
    ) as refusal:
        call(checker, **{argument: value})

    assert "\n" not in str(refusal.value)
