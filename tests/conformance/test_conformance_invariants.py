"""The checks of identities: correct functions pass, injected bugs are found and located."""

import copy
import json
import re

import numpy as np
import pytest
from cases import for_all
from networks import random_layer

import kan_ref as kr
from kan_ref import bspline
from kan_ref.conformance import invariants

RNG = np.random.default_rng
X = RNG(0).uniform(-0.9, 0.9, (7, 3))
ROW = kr.uniform_knots(-1.0, 1.0, 5, 3)
GRID = np.linspace(-1.0, 1.0, 21)
WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]])


def refused(sentence):
    return pytest.raises(ValueError, match=sentence)


def bases(x):
    return bspline.basis(x[:, None], ROW, 3)[:, 0]


def layer(x):
    return np.sin(2.0 * x) @ WEIGHTS.T


def layer_vjp(x, dy):
    return 2.0 * np.cos(2.0 * x) * (dy @ WEIGHTS)


def product(x):
    return x.prod(axis=1, keepdims=True)


def single(function):
    """Return a right function that computes in float32."""
    return lambda *given: function(*(np.float32(one) for one in given)).astype(np.float32)


@for_all(
    ("wrong", "sentence"),
    [
        (lambda x: np.where((x == 1.0)[:, None], 0.0, bases(x)), r"at x = 1 the .* sum to 0 \("),
        (lambda x: bases(x) * (1.0 + 1e-9), r"1\.0+1\d* \(difference 1e-09, allowed 1e-12\)$"),
        (lambda x: bases(x) * np.nan, "the answer of basis contains nan at row 0, column 0"),
        (lambda x: bases(x).T, r"the answer of basis has shape \(8, 21\), but needs shape \(21,"),
    ],
)
def test_bases_that_do_not_sum_to_1_are_refused(wrong, sentence):
    invariants.check_partition_of_unity(bases, GRID)
    with refused(sentence):
        invariants.check_partition_of_unity(wrong, GRID)


NOISE = RNG(0)


@for_all(
    ("wrong", "said"),
    [
        (lambda x: layer(x - x.mean(axis=0)), r"is \S+ in its batch and \S+ alone"),
        (lambda x: layer(x) + np.arange(len(x))[:, None] * (len(x) > 1), "alone"),
        (lambda x, memory={}: memory.setdefault(x.shape, layer(x)), "alone"),
        (lambda x: layer(x) + (x[0, 0] == X[-1, 0]) * (len(x) > 1), "in the reversed batch"),
        (lambda x: layer(x) + NOISE.normal(size=(len(x), 1)), "gives another answer in a second"),
    ],
)
def test_samples_that_see_each_other_are_found(wrong, said):
    with refused(f"^f .*{said}"):
        invariants.check_batch_independence(wrong, X)


def test_a_layer_of_the_package_adds_functions_of_one_input_and_two_layers_do_not():
    shape = {"degree": 3, "n_intervals": 4, "dead": 0.0, "silent": 0.0}
    one, two = random_layer(RNG(1), 3, 2, **shape), random_layer(RNG(2), 2, 1, **shape)

    invariants.check_separability(kr.Network((one,)), X)
    with refused("f mixes inputs"):
        invariants.check_separability(kr.Network((one, two)), X)
    with refused(r"^f mixes inputs 0 and 2: .* at sample \d, output 1 is \S+, not 0 \("):
        invariants.check_separability(lambda x: layer(x) + [[0.0, 1e-6]] * x[:, :1] * x[:, 2:], X)


def test_samples_that_can_show_nothing_are_refused():
    with refused("^x has 0 samples that differ from the next one in inputs 0 and 1, which shows nothing"):
        invariants.check_separability(product, np.full((5, 2), 0.3))
    with refused("^x has 1 distinct samples, which shows nothing: give at least 2$"):
        invariants.check_batch_independence(lambda x: x - x.mean(axis=0), np.full((5, 2), 0.3))


@for_all("seed", range(5))
def test_right_derivatives_of_both_orders_pass(seed):
    net = kr.init_network((3, 2, 2), n_intervals=4, degree=5, domain=(-1.0, 1.0), rng=RNG(seed))
    dy = RNG(seed).normal(size=(len(X), 2))
    invariants.check_gradient(layer, layer_vjp, X, rng=RNG(seed))
    invariants.check_gradient(
        lambda x: kr.backward(net, kr.forward(net, x)[1], dy)[0],
        lambda x, v: np.einsum("bj,bjpq,bq->bp", dy, kr.input_hessian(net, x), v),
        X,
        rng=RNG(seed),
    )


@for_all(
    "wrong",
    [
        lambda x, dy: 2.0 * layer_vjp(x, dy),
        lambda x, dy: 0.0 * x,
        lambda x, dy: layer_vjp(x, np.ones_like(dy)),
        lambda x, dy: layer_vjp(x, dy[:, ::-1]),
        lambda x, dy: layer_vjp(x, dy).mean(axis=0) + 0.0 * x,
        lambda x, dy: layer_vjp(x, dy) * (1.0 + 1e-4),
        lambda x, dy: layer_vjp(x[::-1], dy),
    ],
)
@for_all("place", [0.0, 1e4])
def test_a_wrong_vjp_is_found(wrong, place):
    def f(x):
        return layer(x - place)

    invariants.check_gradient(f, lambda x, dy: layer_vjp(x - place, dy), X + place, rng=RNG(0))
    with refused(r"^vjp is wrong at sample \d: .* it gives \S+, a central difference of f \S+;"):
        invariants.check_gradient(f, lambda x, dy: wrong(x - place, dy), X + place, rng=RNG(0))


def test_a_step_that_shows_nothing_at_the_size_of_f_is_said_to_show_nothing():
    for vjp in (layer_vjp, lambda x, dy: 0.0 * x):
        with refused("^step is 1e-06, which shows nothing: .*take a larger step"):
            invariants.check_gradient(lambda x: layer(x) + 1e9, vjp, X, rng=RNG(0))
    invariants.check_gradient(lambda x: 0.0 * x + 5.1, lambda x, dy: 0.0 * x, X, rng=RNG(0))


def test_in_float32_right_functions_pass_and_wrong_ones_are_found():
    f, vjp = single(layer), single(layer_vjp)
    invariants.check_gradient(f, vjp, X, rng=RNG(0), step=0.003, tolerance=1e-4)
    invariants.check_separability(f, X)
    invariants.check_batch_independence(f, X)
    invariants.check_same_function(f, layer, X)
    invariants.check_partition_of_unity(single(bases), GRID)
    with refused("^step is 1e-06, which shows nothing"):
        invariants.check_gradient(f, vjp, X, rng=RNG(0))
    with refused("^vjp is wrong at sample"):
        invariants.check_gradient(f, lambda x, dy: 1.1 * vjp(x, dy), X, rng=RNG(0), step=0.003)
    with refused("^f mixes inputs"):
        invariants.check_separability(single(lambda x: layer(x) + 1e-3 * product(x)), X)
    with refused("^new is another function than old"):
        invariants.check_same_function(layer, f, X)


def test_a_finer_grid_keeps_the_function_and_another_network_is_told_apart():
    net = kr.init_network((3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    invariants.check_same_function(net, kr.extend_grid(net, n_intervals=8), X)
    bump = 1e-9 * np.outer(np.arange(7) == 4, [0.0, 1.0])
    with refused(r"^new is another .*: sample 4, output 1 is \S+ of old .*\(difference 1e-09"):
        invariants.check_same_function(net, lambda x: net(x) + bump, X)


COEF = np.array([[0.1, -0.0, np.nan], [5e-324, np.inf, 1.0 / 3.0]])
EDGES = [("sin", 0, None), ("exp", 1, True)]
VALUE = {"coef": COEF, "degree": 3, "base": "silu", "edges": EDGES, "small": np.float32(0.1)}


@for_all(
    ("changes", "sentence"),
    [
        ({"coef": COEF + 0.0}, "value['coef'][0, 1] from -0.0 to 0.0"),
        ({"coef": np.nan_to_num(COEF, posinf=np.inf)}, "value['coef'][0, 2] from nan to 0.0"),
        ({"coef": COEF.astype("f4")}, "value['coef'] from ndarray of float64 (2, 3) to ndarray of"),
        ({"coef": COEF.astype("f4") * np.float64(1.0)}, "value['coef']"),
        ({"coef": COEF.T}, "value['coef'] from ndarray of float64 (2, 3) to ndarray of float64 (3"),
        ({"degree": True}, "value['degree'] from 3 to True"),
        ({"small": np.float32(0.1) + 1e-8}, "value['small']"),
        ({"edges": EDGES[:1]}, "value['edges'] from a list of 2 to a list of 1"),
        ({"edges": [*map(list, EDGES)]}, "value['edges'][0] from a tuple of 3 to a list of 3"),
        ({"extra": 1}, "value from a dict of ['base', 'coef', "),
    ],
)
def test_what_a_file_loses_is_named_and_placed(changes, sentence):
    text = {"knots": [0.1, 1.0 / 3.0], "degree": 3}
    invariants.check_round_trip(copy.deepcopy, VALUE)
    invariants.check_round_trip(lambda value: json.loads(json.dumps(value)), text)
    with refused("^round_trip changed " + re.escape(sentence)):
        invariants.check_round_trip(lambda value: value | changes, VALUE)


def test_a_round_trip_that_spoils_what_it_was_given_is_found():
    def spoil(value):
        value["coef"][0, 0] = 0.0
        return value

    with refused(re.escape("value['coef'][0, 0] from 0.1 to 0.0")):
        invariants.check_round_trip(spoil, copy.deepcopy(VALUE))


@for_all(
    ("check", "arguments", "name"),
    [
        ("check_partition_of_unity", (bases, GRID[:, None]), "x"),
        ("check_batch_independence", (WEIGHTS, X), "f"),
        ("check_separability", (layer, X[:, :1]), "x"),
        ("check_same_function", (layer, lambda x: layer(x)[:, :1], X), "the answer of new"),
        ("check_round_trip", (VALUE, VALUE), "round_trip"),
        ("check_round_trip", (copy.deepcopy, {1, 2}), "value"),
    ],
)
def test_arguments_are_refused_by_name(check, arguments, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name} (has|is|contains)"):
        getattr(invariants, check)(*arguments)
