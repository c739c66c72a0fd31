"""What layers, networks, their making, their checking and their inspection refuse, each in one sentence."""

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr
from kan_ref.network import editing
from kan_ref.network import layer as edges

NETWORK = kr.init_network(
    (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
)
X = np.random.default_rng(1).uniform(-1, 1, (4, 2))
Y, CACHES = kr.forward(NETWORK, X)


def with_nan(shape, *place):
    array = np.zeros(shape)
    array[place] = np.nan
    return array


# --- layers

GOOD = {
    "knots": kr.uniform_knots(-1.0, 1.0, 5, 3).repeat(2, axis=0),
    "coef": np.zeros((5, 2, 8)),
    "w_base": np.zeros((5, 2)),
    "w_spline": np.zeros((5, 2)),
    "mask": np.ones((5, 2)),
    "degree": 3,
    "base": "silu",
}
FALLING = GOOD["knots"].copy()
FALLING[1, 6] = -0.5


@for_all(
    ("kind", "wrong", "sentence"),
    [
        (
            ValueError,
            {"coef": np.zeros((5, 2, 7))},
            r"coef has shape \(5, 2, 7\), but 5 outputs, 2 inputs and n_intervals 5 \+ degree 3 need \(5, 2, 8\)",
        ),
        (
            ValueError,
            {"coef": np.zeros((2, 5, 8))},
            r"coef has shape \(2, 5, 8\), but 5 outputs, 2 inputs and n_intervals 5 \+ degree 3 need \(5, 2, 8\)",
        ),
        (
            ValueError,
            {"coef": np.zeros((5, 2))},
            r"coef has shape \(5, 2\), but needs shape \(n_out, n_in, n_basis\)",
        ),
        (
            ValueError,
            {"coef": with_nan((5, 2, 8), 3, 1, 7)},
            "coef contains nan at axis 0 3, axis 1 1, axis 2 7, but needs finite numbers",
        ),
        (
            ValueError,
            {"w_base": np.zeros((2, 5))},
            r"w_base has shape \(2, 5\), but needs shape \(n_out, 2\): give w_base\.T",
        ),
        (
            ValueError,
            {"w_base": with_nan((5, 2), 4, 1)},
            "w_base contains nan at row 4, column 1, but needs finite numbers",
        ),
        (
            TypeError,
            {"w_base": np.zeros((5, 2), complex)},
            r"w_base has dtype complex128, but needs real numbers: give w_base\.real, or the real and the imaginary part as columns",
        ),
        (
            ValueError,
            {"w_spline": np.zeros((2, 5))},
            r"w_spline has shape \(2, 5\), but needs shape \(5, 2\): give w_spline\.T",
        ),
        (
            ValueError,
            {"w_spline": with_nan((5, 2), 0, 0)},
            "w_spline contains nan at row 0, column 0, but needs finite numbers",
        ),
        (
            ValueError,
            {"mask": np.ones((2, 5))},
            r"mask has shape \(2, 5\), but needs shape \(5, 2\): give mask\.T",
        ),
        (
            ValueError,
            {"mask": [[1, 1], [1, 1], [1, 0.5], [1, 2], [1, 1]]},
            "mask is 0.5 at output 2, input 1, but every edge needs 0 or 1",
        ),
        (
            ValueError,
            {"mask": [[1, 1], [1, -1], [1, 1], [1, 2], [1, 1]]},
            "mask is -1 at output 1, input 1, but every edge needs 0 or 1",
        ),
        (
            ValueError,
            {"knots": FALLING},
            r"knots must be nondecreasing along each row; row 1 decreases from -0\.19\d* to -0\.5 at position 6",
        ),
        (
            ValueError,
            {"knots": GOOD["knots"][0]},
            r"knots has shape \(12,\), but needs shape \(n_in, n_knots\)",
        ),
        (
            ValueError,
            {"knots": GOOD["knots"][:, :7]},
            r"knots has 7 knots in a row, but degree 3 needs at least 8 \(2 degree \+ 2\)",
        ),
        (ValueError, {"degree": -1}, "degree is -1, but must be at least 0"),
        (TypeError, {"degree": 3.0}, "degree is 3.0, but must be an integer"),
        (
            ValueError,
            {"base": "sliu"},
            r"base is 'sliu', but must be one of 'silu', 'identity', 'zero' \(did you mean 'silu'\?\)",
        ),
        (TypeError, {"base": None}, "base is None, but must be one of 'silu', 'identity', 'zero'"),
        (
            ValueError,
            {name: GOOD[name][:0] for name in ("coef", "w_base", "w_spline", "mask")},
            r"w_base has shape \(0, 2\), but a layer needs at least one output and one input",
        ),
        (
            ValueError,
            {"knots": np.zeros((0, 12)), "w_base": np.zeros((5, 0))},
            r"w_base has shape \(5, 0\), but a layer needs at least one output and one input",
        ),
    ],
)
def test_a_layer_refuses_what_does_not_fit(kind, wrong, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        kr.Layer(**(GOOD | wrong))


def test_a_cache_without_slopes_refuses_a_gradient_by_x():
    layer = NETWORK.layers[0]
    cache = edges.evaluate(layer, X, slopes=False)

    with pytest.raises(
        ValueError,
        match=r"^cache holds no derivatives, but dx needs evaluate\(\.\.\., slopes=True\)$",
    ):
        edges.layer_backward(layer, cache, np.ones((4, 5)))
    with pytest.raises(
        ValueError,
        match=r"^cache holds no derivatives, but phi' needs evaluate\(\.\.\., slopes=True\)$",
    ):
        edges.edge_slopes(layer, cache)


# --- networks


@pytest.mark.parametrize(
    ("kind", "layers", "sentence"),
    [
        (ValueError, (), "layers is empty, but a network needs at least one layer"),
        (ValueError, [], "layers is empty, but a network needs at least one layer"),
        (TypeError, (NETWORK.layers[0], 3), r"layers\[1\] is 3, but must be a Layer"),
        (TypeError, 5, "layers is 5, but must be a sequence of Layer"),
        (
            TypeError,
            NETWORK.layers[0],
            r"layers is Layer\(2 -> 5, .*\), but must be a sequence of Layer",
        ),
        (ValueError, NETWORK.layers[::-1], "layer 1 takes 2 inputs, but layer 0 has 1 outputs"),
    ],
)
def test_a_network_refuses_layers_that_do_not_fit(kind, layers, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        kr.Network(layers)


@for_all(
    "reader", [NETWORK, lambda x: kr.forward(NETWORK, x), lambda x: kr.edge_outputs(NETWORK, x)]
)
@for_all(
    ("kind", "x", "sentence"),
    [
        (ValueError, np.zeros((4, 3)), r"x has shape \(4, 3\), but needs shape \(batch, 2\)"),
        (
            ValueError,
            [0.0, 1.0],
            r"x has shape \(2,\), but needs shape \(batch, 2\): give np\.asarray\(x\)\[None, :\] for one sample",
        ),
        (
            ValueError,
            with_nan((4, 2), 3, 0),
            "x contains nan at row 3, column 0, but needs finite numbers: leave such samples out",
        ),
        (
            ValueError,
            [[0.0, np.inf]],
            "x contains inf at row 0, column 1, but needs finite numbers: leave such samples out",
        ),
        (
            TypeError,
            [["a", "b"]],
            "x has dtype <U1, but needs real numbers: text has to become numbers first",
        ),
        (TypeError, None, "x is None, but needs an array of real numbers"),
        (ValueError, [[1.0, 2.0], [3.0]], "x is not a rectangular array: .*"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(reader, kind, x, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        reader(x)


@pytest.mark.parametrize(
    ("kind", "theta", "sentence"),
    [
        (ValueError, np.zeros(149), "theta has 149 numbers, but this network has 150"),
        (
            ValueError,
            np.zeros((150, 1)),
            r"theta has shape \(150, 1\), but needs shape \(n_params,\): give theta\.reshape\(-1\)",
        ),
        (
            ValueError,
            with_nan(150, 7),
            "theta contains nan at position 7, but needs finite numbers",
        ),
        (
            TypeError,
            np.zeros(150, bool),
            r"theta has dtype bool, but needs real numbers: give theta\.astype\(float\)",
        ),
    ],
)
def test_a_theta_that_does_not_fit_is_refused(kind, theta, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        NETWORK.with_theta(theta)


@pytest.mark.parametrize(
    ("caches", "dy", "sentence"),
    [
        (CACHES[:1], Y, "caches holds 1 records, but this network has 2 layers"),
        (CACHES, np.ones((3, 1)), r"dy has shape \(3, 1\), but needs shape \(4, 1\)"),
        (CACHES, np.ones((4, 2)), r"dy has shape \(4, 2\), but needs shape \(4, 1\)"),
        (CACHES, np.ones(4), r"dy has shape \(4,\), but needs shape \(4, 1\): give dy\[:, None\]"),
        (
            CACHES,
            with_nan((4, 1), 2, 0),
            "dy contains nan at row 2, column 0, but needs finite numbers",
        ),
    ],
)
def test_a_backward_pass_refuses_what_does_not_fit(caches, dy, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        kr.backward(NETWORK, caches, dy)


def test_a_backward_pass_refuses_caches_of_another_grid_degree_or_batch():
    finer = kr.init_network(
        (2, 5, 1), n_intervals=7, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    as_wide = kr.init_network(
        (2, 5, 1), n_intervals=6, degree=2, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    _, of_other_batch = kr.forward(NETWORK, X[:3])

    with pytest.raises(
        ValueError,
        match=r"^caches\[0\] is Cache\(.*\), which does not belong to Layer\(2 -> 5, n_intervals 7, .*\)$",
    ):
        kr.backward(finer, CACHES, Y)
    with pytest.raises(
        ValueError,
        match=r"^caches\[0\] is Cache\(.*\), which does not belong to Layer\(2 -> 5, n_intervals 6, degree 2, .*\)$",
    ):
        kr.backward(as_wide, CACHES, Y)
    with pytest.raises(
        ValueError,
        match=r"^caches\[1\] is Cache\(base \(3, 5\), .*\), which does not belong to Layer\(5 -> 1, .*\)$",
    ):
        kr.backward(NETWORK, (CACHES[0], of_other_batch[1]), Y)


@pytest.mark.parametrize(
    ("kind", "layer", "mask", "sentence"),
    [
        (IndexError, 2, np.ones((5, 2)), "layer is 2, but must be between 0 and 1"),
        (IndexError, -1, np.ones((5, 2)), "layer is -1, but must be between 0 and 1"),
        (TypeError, 1.0, np.ones((5, 2)), "layer is 1.0, but must be an integer"),
        (
            ValueError,
            0,
            np.ones((2, 5)),
            r"mask has shape \(2, 5\), but needs shape \(5, 2\): give mask\.T",
        ),
        (
            ValueError,
            1,
            [[1, 1, 1, 2, 1]],
            "mask is 2 at output 0, input 3, but every edge needs 0 or 1",
        ),
        (ValueError, 1, [[1, 1], [1]], "mask is not a rectangular array: .*"),
        (
            TypeError,
            1,
            [["1"] * 5],
            r"mask has dtype <U1, but needs real numbers: give np\.asarray\(mask\)\.astype\(float\)",
        ),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(kind, layer, mask, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        kr.mask_edges(NETWORK, layer, mask)


# --- new networks


def make(widths=(2, 5, 1), **options):
    return kr.init_network(
        widths,
        **(
            {"n_intervals": 5, "degree": 3, "domain": (-1.0, 1.0), "rng": np.random.default_rng(0)}
            | options
        ),
    )


@for_all(
    ("kind", "widths", "sentence"),
    [
        (ValueError, (2,), r"widths is \(2,\), but a network needs at least two numbers of nodes"),
        (ValueError, [], r"widths is \(\), but a network needs at least two numbers of nodes"),
        (ValueError, (2, 0, 1), r"widths\[1\] is 0, but must be at least 1"),
        (TypeError, (2, 5.0, 1), r"widths\[1\] is 5.0, but must be an integer"),
        (TypeError, (2, True), r"widths\[1\] is True, but must be an integer"),
        (TypeError, (2, [5, 1]), r"widths\[1\] is \[5, 1\], but must be an integer"),
        (
            TypeError,
            "251",
            r"widths is '251', but must be a sequence of integers such as \(2, 5, 1\)",
        ),
        (TypeError, 5, r"widths is 5, but must be a sequence of integers such as \(2, 5, 1\)"),
        (
            TypeError,
            {2, 5},
            r"widths is \{2, 5\}, but must be a sequence of integers such as \(2, 5, 1\)",
        ),
        (
            TypeError,
            np.array(5),
            r"widths is array\(5\), but must be a sequence of integers such as \(2, 5, 1\)",
        ),
    ],
)
def test_widths_that_are_none_are_refused(kind, widths, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        make(widths)


@for_all(
    ("kind", "wrong", "sentence"),
    [
        (ValueError, {"n_intervals": 0}, "n_intervals is 0, but must be at least 1"),
        (TypeError, {"n_intervals": 5.0}, "n_intervals is 5.0, but must be an integer"),
        (ValueError, {"degree": -1}, "degree is -1, but must be at least 0"),
        (TypeError, {"degree": "3"}, "degree is '3', but must be an integer"),
        (
            ValueError,
            {"base": "relu"},
            "base is 'relu', but must be one of 'silu', 'identity', 'zero'.*",
        ),
        (
            TypeError,
            {"rng": 0},
            r"rng is 0, but must be a numpy.random.Generator such as numpy.random.default_rng\(0\)",
        ),
        (
            ValueError,
            {"x": np.zeros((0, 2))},
            r"x has shape \(0, 2\), but a probe batch needs at least one sample",
        ),
        (
            ValueError,
            {"x": np.zeros((3, 1))},
            r"x has shape \(3, 1\), but needs shape \(batch, 2\)",
        ),
        (
            ValueError,
            {"x": with_nan((3, 2), 1, 1)},
            "x contains nan at row 1, column 1, but needs finite numbers: leave such samples out",
        ),
        (
            ValueError,
            {"domain": None},
            r"domain has shape \(\), but needs \(2,\) or \(2, 2\) for bounds, or \(N, 2\) for samples",
        ),
        (
            ValueError,
            {"domain": (-1.0, 0.0, 1.0)},
            r"domain has shape \(3,\), but needs \(2,\) or \(2, 2\) for bounds, or \(N, 2\) for samples",
        ),
        (
            ValueError,
            {"domain": np.zeros((4, 3))},
            r"domain has shape \(4, 3\), but needs \(2,\) or \(2, 2\) for bounds, or \(N, 2\) for samples",
        ),
        (ValueError, {"domain": [[0.0, 1.0], [2.0]]}, "domain is not a rectangular array: .*"),
        (
            ValueError,
            {"domain": np.zeros((0, 2))},
            r"domain has shape \(0, 2\), but samples need at least one row",
        ),
        (
            ValueError,
            {"domain": (0.0, np.nan)},
            "domain contains nan at position 1, but needs finite numbers",
        ),
        (
            ValueError,
            {"domain": [[0.0, 1.0], [-np.inf, 1.0]]},
            "domain contains -inf at row 1, column 0, but needs finite numbers",
        ),
        (
            ValueError,
            {"domain": with_nan((9, 2), 8, 0)},
            "domain contains nan at row 8, column 0, but needs finite numbers",
        ),
        (
            TypeError,
            {"domain": ("a", "b")},
            "domain has dtype <U1, but needs real numbers: text has to become numbers first",
        ),
        (
            ValueError,
            {"domain": (1.0, -1.0)},
            "domain is 1 to -1 at input 0, but low must lie below high",
        ),
        (
            ValueError,
            {"domain": [[0.0, 1.0], [2.0, 2.0]]},
            r"domain is 2 to 2 at input 1, but low must lie below high: shape \(2, 2\) is bounds, and samples of this shape are given as x=",
        ),
    ],
)
def test_a_new_network_refuses_what_does_not_fit(kind, wrong, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        make(**wrong)


def test_a_new_network_takes_its_options_by_name_alone():
    with pytest.raises(TypeError, match="by position"):
        kr.init_network((2, 1), 5, 3, (-1.0, 1.0))


# --- inspection


@for_all(
    ("kind", "layer", "where", "x", "sentence"),
    [
        (
            IndexError,
            1,
            {"output": 1, "input": 0},
            [0.0],
            "output is 1, but must be between 0 and 0",
        ),
        (
            IndexError,
            1,
            {"output": 0, "input": 5},
            [0.0],
            "input is 5, but must be between 0 and 4",
        ),
        (
            IndexError,
            0,
            {"output": -1, "input": 0},
            [0.0],
            "output is -1, but must be between 0 and 4",
        ),
        (
            IndexError,
            2,
            {"output": 0, "input": 0},
            [0.0],
            "layer is 2, but must be between 0 and 1",
        ),
        (TypeError, 0, {"output": 0.0, "input": 0}, [0.0], "output is 0.0, but must be an integer"),
        (
            ValueError,
            0,
            {"output": 0, "input": 0},
            0.5,
            r"x has shape \(\), but needs shape \(n,\)",
        ),
        (
            ValueError,
            0,
            {"output": 0, "input": 0},
            [[0.5]],
            r"x has shape \(1, 1\), but needs shape \(n,\): give np\.asarray\(x\)\.reshape\(-1\)",
        ),
        (
            ValueError,
            0,
            {"output": 0, "input": 0},
            [0.5, np.nan],
            "x contains nan at position 1, but needs finite numbers: leave such samples out",
        ),
    ],
)
def test_a_curve_that_is_not_there_is_refused(kind, layer, where, x, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        kr.edge_curve(NETWORK, layer, **where, x=x)


def test_output_and_input_of_a_curve_are_given_by_name_alone():
    with pytest.raises(TypeError, match="by position"):
        kr.edge_curve(NETWORK, 0, 0, 0, [0.0])


def test_means_over_no_samples_are_refused():
    with pytest.raises(
        ValueError, match=r"^x has shape \(0, 2\), but a mean over samples needs at least one$"
    ):
        kr.edge_scores(NETWORK, np.zeros((0, 2)))
    with pytest.raises(
        ValueError, match=r"^x has shape \(0, 2\), but a distance needs at least one sample$"
    ):
        kr.distance(NETWORK, NETWORK, np.zeros((0, 2)))


def test_the_distance_of_networks_of_other_ends_is_refused():
    with pytest.raises(ValueError, match=r"^new maps 3 inputs to 1 outputs, but old maps 2 to 1$"):
        kr.distance(NETWORK, make((3, 5, 1)), X)
    with pytest.raises(ValueError, match=r"^new maps 2 inputs to 4 outputs, but old maps 2 to 1$"):
        kr.distance(NETWORK, make((2, 5, 4)), X)


# --- the gradient check


@for_all(
    ("kind", "wrong", "sentence"),
    [
        (TypeError, {"rng": 0}, "rng is 0, but must be a numpy.random.Generator .*"),
        (ValueError, {"n_directions": 0}, "n_directions is 0, but must be at least 1"),
        (TypeError, {"n_directions": 1.0}, "n_directions is 1.0, but must be an integer"),
        (ValueError, {"step": np.nan}, "step is nan, but must be finite"),
        (
            ValueError,
            {"x": np.zeros((4, 3))},
            r"x has shape \(4, 3\), but needs shape \(batch, 2\)",
        ),
    ],
)
def test_the_gradient_check_refuses_what_does_not_fit(kind, wrong, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        kr.check_gradients(NETWORK, **({"x": X, "rng": np.random.default_rng(0)} | wrong))


def test_the_index_of_a_layer_is_an_integer_of_any_kind():
    assert editing.check_layer_index(NETWORK, np.int32(1)) == 1
