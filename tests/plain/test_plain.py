"""kan_ref.plain, the paper by hand, computes what the package computes, passes the conformance kit, learns, and is what the tutorials build."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tree
from conformance_subjects import PlainModules
from hypothesis import given
from hypothesis import strategies as st
from networks import degrees, knot_arrays, points_anywhere, random_batch, random_layer

import kan_ref as kr
from kan_ref import plain
from kan_ref.conformance import suite
from kan_ref.conformance.cases import load_topics
from kan_ref.conformance.subjects import DirectSubject
from kan_ref.network import layer as layer_passes
from kan_ref.optimizers import Steps

TEXT = Path(plain.__file__).read_text(encoding="utf-8")
SEEDS = st.integers(0, 2**32 - 1)
WIDTHS = st.sampled_from([(2, 5, 1), (3, 4, 2), (2, 5, 3, 1)])
ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")


def assert_close(ours, theirs, bound=1e-12):
    """Equal to within `bound` of the largest entry."""
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= bound * np.abs(theirs).max()


def change_by_rounding(function, theta):
    """How much relative changes of theta by a hundred roundings move function(theta), relative to its largest entry."""
    at, rng = np.asarray(function(theta)), np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], (3, len(theta)))
    moved = max(np.abs(function(theta * (1.0 + 2e-14 * each)) - at).max() for each in signs)
    return moved / (np.abs(at).max() or 1.0)  # all edges may be masked


def random_case(seed, widths, degree):
    """A network of the package with some edges masked, its arrays as plain layers, inputs on and off the grid, and targets."""
    rng = np.random.default_rng(seed)
    options = {"n_intervals": int(rng.integers(1, 8)), "degree": degree, "domain": (-1.0, 1.0)}
    network = kr.init_network(widths, **options, rng=rng)
    network = network.with_theta(network.theta + 0.3 * rng.normal(size=network.n_params))
    for number, layer in enumerate(network.layers):
        network = kr.mask_edges(network, number, (rng.random(layer.mask.shape) < 0.8) * 1.0)
    layers = [plain.Layer(*(getattr(one, name) for name in ARRAYS)) for one in network.layers]
    x, y = rng.uniform(-2.0, 2.0, (30, widths[0])), rng.normal(size=(30, widths[-1]))
    return network, layers, x, y


# --- it computes what the package computes


@given(st.data(), degrees(0, 5))
def test_basis_functions_and_their_derivatives_agree(data, degree):
    knots = data.draw(knot_arrays(degree))
    x = np.stack([data.draw(points_anywhere(row)) for row in knots], axis=1)
    basis, basis_slope = plain.basis_and_slope(x, knots, degree)

    assert_close(basis, kr.bspline.basis(x, knots, degree))
    assert_close(basis_slope, kr.bspline.basis(x, knots, degree, derivative=1))


@given(SEEDS, degrees(0, 5), st.integers(1, 4), st.integers(1, 4))
def test_outputs_edges_and_gradients_of_a_layer_agree(seed, degree, n_in, n_out):
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, n_in, n_out, degree=degree, n_intervals=5, base="silu")
    x, dy = random_batch(rng, layer, 20), rng.normal(size=(20, n_out))

    y, cache = plain.forward(layer, x)
    dx, grads = plain.backward(layer, cache, dy)

    expected, kept = layer_passes.layer_forward(layer, x)
    expected_dx, gradient = layer_passes.layer_backward(layer, kept, dy)
    assert_close(y, expected)
    assert_close(cache[-1] * layer.mask, layer_passes.layer_edge_outputs(layer, kept))
    assert_close(dx, expected_dx)
    assert_close(*(np.concatenate([g.ravel() for g in both]) for both in (grads, gradient)))


PRODUCTS = [
    c for t in load_topics() for c in t.cases if c.method == "product_vjp" and c.inputs["layer"]["base"] == "silu"
]


@pytest.mark.parametrize("case", PRODUCTS, ids=[c.id for c in PRODUCTS])
def test_products_of_sums_have_the_values_and_gradients_of_the_vectors(case):
    layer = plain.Layer(*(case.inputs["layer"][name] for name in ARRAYS))
    x, dy = case.inputs["x"], case.inputs["dy"]

    def found(x):
        u, cache = plain.forward(layer, x)
        y, du = plain.multiply(u, case.inputs["n_products"], dy)
        return y, *plain.backward(layer, cache, du)

    y, dx, grads = found(x)
    for name, ours in zip(("y", "dx", "d_coef", "d_w_base", "d_w_spline"), (y, dx, *grads), strict=True):
        assert np.abs(ours - case.expected[name]).max(initial=0.0) <= case.tolerance[name]
    if len(x) and layer.degree > 1:
        step = 1e-6 * np.random.default_rng(0).normal(size=x.shape)
        change = (dy * (found(x + step)[0] - found(x - step)[0])).sum()
        assert change == pytest.approx(2.0 * (dx * step).sum(), rel=1e-6, abs=1e-12)


@given(SEEDS, WIDTHS, degrees(0, 5))
def test_outputs_error_and_gradient_of_a_network_agree(seed, widths, degree):
    network, layers, x, y = random_case(seed, widths, degree)

    value, gradient = plain.value_and_grad(layers, x, y)

    for ours, function in (
        (plain.predict(layers, x), lambda theta: network.with_theta(theta)(x)),
        (np.array(value), lambda theta: kr.value_and_grad(network.with_theta(theta), x, y)[0]),
        (gradient, lambda theta: kr.value_and_grad(network.with_theta(theta), x, y)[1]),
    ):
        bound = 1e-12 + change_by_rounding(function, network.theta)
        assert_close(ours, np.asarray(function(network.theta)), bound)


@pytest.mark.parametrize("degree", range(6))
def test_new_layers_knots_and_the_order_of_parameters_agree(degree):
    options = {"n_intervals": 5, "degree": degree}
    own = plain.init_network((2, 5), **options, low=-1.0, high=1.0, rng=np.random.default_rng(7))
    network = kr.init_network((2, 5), **options, domain=(-1.0, 1.0), rng=np.random.default_rng(7))

    again = plain.to_layers(network.theta, own)

    assert_close(plain.to_theta(own), network.theta)
    for name in ARRAYS:
        assert_close(getattr(again[0], name), getattr(network.layers[0], name))


@given(SEEDS, WIDTHS, degrees(0, 5))
def test_steps_of_adam_lead_to_the_same_parameters(seed, widths, degree):
    network, layers, x, y = random_case(seed, widths, degree)

    layers, _ = plain.fit(layers, x, y, n_steps=10, alpha=0.01)

    def trained(start):
        def value_and_grad(theta):
            return kr.value_and_grad(network.with_theta(theta), x, y)

        return Steps(kr.adam(value_and_grad, start, learning_rate=0.01), 10).last().theta

    bound = 1e-12 + 10.0 * change_by_rounding(trained, network.theta)
    assert_close(plain.to_theta(layers), trained(network.theta), bound)


@given(SEEDS, degrees(0, 5), st.integers(1, 8), st.sampled_from([2, 3, 5]))
def test_a_grid_extended_to_a_multiple_keeps_every_function(seed, degree, coarse, factor):
    rng = np.random.default_rng(seed)
    layers = plain.init_network((2, 3, 1), coarse, degree, -1.0, 1.0, rng)

    for old, finer in zip(layers, plain.extend_grid(layers, factor * coarse), strict=True):
        assert finer.coef.shape[2] == factor * coarse + degree
        x = rng.uniform(-1.0, 1.0, (100, len(old.knots)))
        assert_close(plain.forward(finer, x)[0], plain.forward(old, x)[0])


def test_it_passes_every_case_of_the_conformance_kit_that_it_can_answer():
    report = suite.run(DirectSubject(PlainModules()))

    assert [outcome.case.id for outcome in report.failures] == []
    assert report.n_passed > 150


# --- it learns, and finds formulas


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_three_hundred_steps_of_adam_learn_the_papers_example(seed):
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=400, n_test=400, rng=rng)
    layers = plain.init_network((2, 5, 1), 5, 3, -1.0, 1.0, rng)

    layers, errors = plain.fit(layers, data.x_train, data.y_train, n_steps=300, alpha=0.02)

    assert np.sqrt(errors[0]) > 1.0 > 20.0 * np.sqrt(errors[-1])
    assert np.sqrt(np.mean((plain.predict(layers, data.x_test) - data.y_test) ** 2)) < 0.1


@pytest.mark.parametrize("name", list(plain.LIBRARY))
def test_a_curve_is_named_after_its_function_though_its_a_and_b_nearly_compensate_each_other(name):
    x = np.linspace(0.0, 2.0, 80)  # away from 0 a change of a and one of b nearly cancel
    y = 1.5 * plain.LIBRARY[name](2.3 * x - 1.6) - 0.7

    fits = {other: plain.fit_affine(f, x, y) for other, f in plain.LIBRARY.items()}

    r2, (a, b, c, d) = fits[name]
    assert r2 > 1.0 - 1e-6
    assert np.abs(c * plain.LIBRARY[name](a * x + b) + d - y).max() < 1e-3 * np.abs(y).max()
    assert name == "x" or max(fits, key=lambda other: fits[other][0]) == name


def test_functions_that_overflow_on_a_wide_grid_are_left_out_and_a_removed_edge_has_no_name():
    (layer,) = plain.init_network((1, 2), 10, 3, 0.0, 200.0, np.random.default_rng(0))
    layer.w_base[:], layer.coef[0] = 0.0, np.exp(-0.05 * layer.knots[0, 2:-2])
    layer.mask[1] = 0.0

    decay, removed = (plain.suggest(layer, j, 0, n=40) for j in range(2))

    assert decay[0][0] > 0.99
    assert np.isfinite([[r2, *numbers] for r2, numbers, _ in decay]).all()
    assert {(r2, c, d) for r2, (_, _, c, d), _ in removed} == {(0.0, 0.0, 0.0)}
    assert layer.w_spline.all()  # an edit of the mask changes no other array


# --- the tutorials build it


def cards_of_the_tutorials(pages):
    """The code of all cards with whole definitions, in the order of the pages whose number is one of `pages`."""
    card = re.compile(r"^:::\{eqcode\} (plain-\S+)\n:definitions: (.+)$", flags=re.MULTILINE)
    tagged = tree.tagged_lines()
    return [
        tree.whole_definitions(tagged[tag], names.split())
        for page, text in tree.pages().items()
        if re.match(f"tutorials/0{pages}_", page)
        for tag, names in card.findall(text)
    ]


def test_the_cards_of_the_tutorials_are_plain_without_docstrings_and_tags():
    cards = ast.parse("\n\n\n".join(["import numpy as np", *cards_of_the_tutorials("[1-8]")]))
    whole = ast.parse(TEXT)
    for node in (whole, *whole.body):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            del node.body[0]  # its docstring

    assert sorted(map(ast.dump, cards.body)) == sorted(map(ast.dump, whole.body))


@pytest.mark.long
def test_the_cards_and_the_cell_below_them_are_a_program_of_at_most_130_lines_that_learns(tmp_path):
    page = tree.pages()["tutorials/04_a_network"]
    (training,) = re.findall(r"^```\{code-cell\} ipython3\n(def mine\(x\):\n.+?)^```$", page, re.DOTALL | re.MULTILINE)
    program = "\n\n\n".join(["import numpy as np", *cards_of_the_tutorials("[1-4]"), training])
    (tmp_path / "my_kan.py").write_text(program, encoding="utf-8")

    command = [sys.executable, "-I", "my_kan.py"]  # an empty folder, nothing but installed packages
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    n_lines, n_training = (sum(map(bool, text.split("\n"))) for text in (program, training))
    assert n_lines <= 130
    assert f"{n_training}  # the cell above has {n_training} lines" in page
    rmse, std = (float(number) for number in re.findall(r"\d+\.\d+", done.stdout))
    assert 0.003 < rmse < 0.008 < 0.3 < std < 0.6


# --- it is short, and stands by itself


def test_it_is_short_and_imports_numpy_alone():
    imports = re.findall(r"^ *(?:import|from) .*$", TEXT.partition('"""\n\n')[2], re.MULTILINE)

    assert len(TEXT.splitlines()) <= 320
    assert imports == ["import numpy as np"]


def test_every_line_of_backward_names_its_line_of_forward_in_reverse_order():
    forward = [int(n) for n in re.findall(r"# line (\d)", TEXT)]
    of_lines = ", ".join(re.findall(r"# of lines? (\d(?:, \d)*)", TEXT))
    backward = [int(n) for n in of_lines.split(", ")]

    assert backward == sorted(backward, reverse=True)
    assert sorted(set(backward)) == forward == [1, 2, 3, 4, 5]
