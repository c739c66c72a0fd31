"""kan_ref.plain, the paper by hand, computes what the package computes; and it stays short and free of everything but NumPy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tree
from hypothesis import given
from hypothesis import strategies as st
from networks import degrees, knot_arrays, points_anywhere, random_batch, random_layer

import kan_ref as kr
from kan_ref import plain
from kan_ref.conformance import suite
from kan_ref.conformance.subjects import DirectSubject
from kan_ref.network import layer as layer_passes
from kan_ref.numerics import central_difference
from kan_ref.plain.symbols import LIBRARY

FOLDER = Path(plain.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))
SEEDS = st.integers(0, 2**32 - 1)
WIDTHS = st.sampled_from([(2, 5, 1), (3, 4, 2), (2, 5, 3, 1)])


def assert_close(ours, theirs, bound):
    """Equal to within `bound` of the largest entry."""
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= bound * np.abs(theirs).max()


def change_by_rounding(function, theta):
    """How much rounding may move function(theta), relative to its largest entry.

    An output of a layer is a sum of at most 5 (5 + 2) products, here or in the backward pass, whose 35 roundings of 1.1e-16 are as much
    as relative changes of the parameters by 10 times 4e-16 (backward error analysis); a network may amplify them.
    """
    at, rng = np.asarray(function(theta)), np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], (3, len(theta)))
    moved = max(np.abs(function(theta * (1.0 + 4e-16 * each)) - at).max() for each in signs)
    return 10.0 * moved / (np.abs(at).max() or 1.0)  # all edges may be masked


def random_case(seed, widths, degree):
    """A network of the package with some edges masked, inputs on and off the grid, and targets."""
    rng = np.random.default_rng(seed)
    n_intervals = int(rng.integers(1, 8))
    network = kr.init_network(
        widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
    )
    network = network.with_theta(network.theta + 0.3 * rng.normal(size=network.n_params))
    for number, layer in enumerate(network.layers):
        kept = rng.random(layer.mask.shape) < 0.8
        network = kr.mask_edges(network, number, kept.astype(float))
    return network, rng.uniform(-2.0, 2.0, (30, widths[0])), rng.normal(size=(30, widths[-1]))


def plain_network(network):
    """The layers of a network of the package as plain ones."""
    names = ("knots", "coef", "w_base", "w_spline", "mask")
    return [plain.Layer(*(getattr(layer, name) for name in names)) for layer in network.layers]


# --- it computes what the package computes


@given(st.data(), degrees(0, 5))
def test_basis_functions_and_their_derivatives_are_the_same_bits(data, degree):
    knots = data.draw(knot_arrays(degree))
    x = np.stack([data.draw(points_anywhere(row)) for row in knots], axis=1)

    basis, basis_slope = plain.basis_and_slope(x, knots, degree)

    np.testing.assert_array_equal(basis, kr.bspline.basis(x, knots, degree))
    np.testing.assert_array_equal(basis_slope, kr.bspline.basis(x, knots, degree, derivative=1))


@pytest.mark.parametrize("degree", range(6))
def test_knots_are_the_same(degree):
    low, high = np.array([-1.0, 0.25]), np.array([1.0, 0.75])

    knots = plain.uniform_knots(low, high, 7, degree)

    assert_close(knots, kr.uniform_knots(low, high, 7, degree), 1e-15)


@given(SEEDS, degrees(0, 5), st.integers(1, 4), st.integers(1, 4))
def test_outputs_edges_and_gradients_of_a_layer_are_the_same(seed, degree, n_in, n_out):
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, n_in, n_out, degree=degree, n_intervals=5, base="silu")
    x, dy = random_batch(rng, layer, 20), rng.normal(size=(20, n_out))

    y, cache = plain.forward(layer, x)
    dx, grads = plain.backward(layer, cache, dy)

    expected, kept = layer_passes.layer_forward(layer, x)
    expected_dx, gradient = layer_passes.layer_backward(layer, kept, dy)
    assert_close(y, expected, 1e-14)
    assert_close(cache[-1] * layer.mask, layer_passes.layer_edge_outputs(layer, kept), 1e-14)
    assert_close(dx, expected_dx, 1e-14)
    assert_close(*(np.concatenate([g.ravel() for g in both]) for both in (grads, gradient)), 1e-14)


@given(SEEDS, WIDTHS, degrees(0, 5))
def test_outputs_value_and_gradient_of_a_network_are_the_same(seed, widths, degree):
    network, x, y = random_case(seed, widths, degree)
    layers = plain_network(network)

    value, gradient = plain.value_and_grad(layers, x, y)

    ours = (plain.predict(layers, x), np.array(value), gradient)
    functions = (
        lambda theta: network.with_theta(theta)(x),
        lambda theta: np.array(kr.value_and_grad(network.with_theta(theta), x, y)[0]),
        lambda theta: kr.value_and_grad(network.with_theta(theta), x, y)[1],
    )
    for mine, function in zip(ours, functions, strict=True):
        bound = 1e-14 + change_by_rounding(function, network.theta)
        assert_close(mine, function(network.theta), bound)


@given(SEEDS, WIDTHS, degrees(2, 5))
def test_the_gradient_is_the_derivative_of_the_error(seed, widths, degree):
    network, x, y = random_case(seed, widths, degree)
    layers, direction = (
        plain_network(network),
        np.random.default_rng(seed).normal(size=network.n_params),
    )

    def error(t):
        return plain.value_and_grad(plain.to_layers(network.theta + t * direction, layers), x, y)[0]

    terms = plain.value_and_grad(layers, x, y)[1] * direction
    assert abs(central_difference(error) - terms.sum()) <= 1e-6 * np.abs(terms).sum()


@given(SEEDS, WIDTHS, degrees(0, 5))
def test_theta_has_the_same_order_and_leads_back_to_the_same_layers(seed, widths, degree):
    network, _, _ = random_case(seed, widths, degree)

    layers = plain.to_layers(network.theta, plain_network(network))

    assert plain.to_theta(layers).tobytes() == network.theta.tobytes()
    for ours, layer in zip(layers, network.layers, strict=True):
        assert ours.degree == layer.degree
        for name in ("knots", "coef", "w_base", "w_spline", "mask"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(layer, name))


@pytest.mark.parametrize("widths", [(2, 5, 1), (3, 4, 2), (2, 5, 3, 1)])
def test_a_new_network_has_the_same_random_numbers(widths):
    options = {"n_intervals": 5, "degree": 3}

    layers = plain.init_network(widths, **options, low=-1.0, high=1.0, rng=np.random.default_rng(7))

    network = kr.init_network(widths, **options, domain=(-1.0, 1.0), rng=np.random.default_rng(7))
    assert plain.to_theta(layers).tobytes() == network.theta.tobytes()
    assert_close(layers[0].knots, network.layers[0].knots, 1e-15)
    # hidden grids: plain leaves them on [low, high], the package puts them where activations are
    for ours in layers[1:]:
        on_the_box = kr.uniform_knots(np.full(len(ours.knots), -1.0), 1.0, **options)
        assert_close(ours.knots, on_the_box, 1e-15)


@given(SEEDS, WIDTHS, degrees(0, 5))
def test_fifty_steps_of_adam_lead_to_the_same_parameters(seed, widths, degree):
    network, x, y = random_case(seed, widths, degree)

    layers, values = plain.fit(plain_network(network), x, y, n_steps=50, alpha=0.01)

    def value_and_grad(theta):
        return kr.value_and_grad(network.with_theta(theta), x, y)

    expected, nearby = (
        kr.adam(value_and_grad, start, n_steps=50, learning_rate=0.01).theta
        for start in (network.theta, network.theta * (1.0 + 4e-16))
    )
    assert values[0] == pytest.approx(value_and_grad(network.theta)[0], rel=1e-14)
    assert len(values) == 50
    # rare networks amplify rounding, as they amplify a change of the start by two units in the last place
    grown = np.abs(nearby - expected).max() / np.abs(expected).max()
    assert_close(plain.to_theta(layers), expected, 1e-13 + 1e3 * max(0.0, grown - 1e-14))


def test_arrays_of_a_layer_are_its_own_and_edits_in_place_change_nothing_else():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1.0, 1.0, (20, 2)), rng.normal(size=(20, 1))

    def networks():
        start = plain.init_network((2, 3, 1), 4, 3, -1.0, 1.0, np.random.default_rng(0))
        theta = plain.to_theta(start)
        trained, _ = plain.fit(start, x, y, n_steps=2)
        return start, plain.to_layers(theta, start), trained, plain.extend_grid(start, 8)

    arrays = [
        (name, getattr(layer, name))
        for layers in networks()
        for layer in layers
        for name in ("knots", "coef", "w_base", "w_spline", "mask")
    ]
    shared = [
        (one, other)
        for n, (one, first) in enumerate(arrays)
        for other, second in arrays[:n]
        if np.shares_memory(first, second)
    ]
    assert shared == []


@given(SEEDS, degrees(0, 5), st.integers(1, 8), st.sampled_from([2, 3, 5]))
def test_a_grid_extended_to_a_multiple_keeps_every_spline_on_the_grid(seed, degree, coarse, factor):
    rng = np.random.default_rng(seed)
    layers = plain.init_network((2, 3, 1), coarse, degree, -1.0, 1.0, rng)
    network = kr.Network(tuple(package_layer(layer) for layer in layers))

    finer = plain.extend_grid(layers, factor * coarse)

    expected = kr.extend_grid(network, n_intervals=factor * coarse)
    for ours, theirs, old in zip(finer, expected.layers, layers, strict=True):
        assert ours.coef.shape == theirs.coef.shape
        a, b = old.knots[:, degree], old.knots[:, -degree - 1]
        x = rng.uniform(a, b, (100, old.knots.shape[0]))
        assert_close(plain.forward(ours, x)[0], kr.Network((theirs,))(x), 1e-12)
        assert_close(plain.forward(ours, x)[0], plain.forward(old, x)[0], 1e-12)


def package_layer(layer):
    """A layer of the package with the arrays of a plain one."""
    return kr.Layer(layer.knots, layer.coef, layer.w_base, layer.w_spline, layer.mask, layer.degree)


# --- it is right by answers from exact arithmetic, which come from neither of them


def plain_layers(layers):
    """Layers given as dicts; plain has no base function but silu."""
    if any(layer["base"] != "silu" for layer in layers):
        raise NotImplementedError
    names = ("knots", "coef", "w_base", "w_spline", "mask")
    return [plain.Layer(*(layer[name] for name in names)) for layer in layers]


class Plain:
    """An adapter for the conformance kit."""

    name = "kan_ref.plain"

    def uniform_knots(self, low, high, n_intervals, degree):
        return plain.uniform_knots(np.array([low]), np.array([high]), n_intervals, degree)[0]

    def basis(self, x, knots, degree):
        return self.basis_derivative(x, knots, degree, 0)

    def basis_derivative(self, x, knots, degree, order):
        if order > 1:
            raise NotImplementedError
        return plain.basis_and_slope(x[:, None], knots[None], degree)[order][:, 0]

    def layer_forward(self, layer, x):
        return self.network_forward([layer], x)

    def layer_vjp(self, layer, x, dy):
        (layer,) = plain_layers([layer])
        dx, grads = plain.backward(layer, plain.forward(layer, x)[1], dy)
        return {"dx": dx} | dict(zip(("d_coef", "d_w_base", "d_w_spline"), grads, strict=True))

    def network_forward(self, layers, x):
        return plain.predict(plain_layers(layers), x)


def test_it_passes_every_case_of_the_conformance_kit_that_it_can_answer():
    report = suite.run(DirectSubject(Plain()))

    assert [outcome.case.id for outcome in report.failures] == []
    assert report.n_passed > 150


# --- it learns, and finds formulas


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_three_hundred_steps_of_adam_learn_the_papers_example(seed):
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=400, n_test=400, rng=rng)
    layers = plain.init_network((2, 5, 1), 5, 3, -1.0, 1.0, rng)

    layers, values = plain.fit(layers, data.x_train, data.y_train, n_steps=300, alpha=0.02)

    test_error = np.sqrt(np.mean((plain.predict(layers, data.x_test) - data.y_test) ** 2))
    assert np.sqrt(values[0]) > 1.0
    assert np.sqrt(values[-1]) < 0.05
    assert test_error < 0.1


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("sin", lambda x: 1.5 * np.sin(2.3 * x + 0.4) - 0.7),
        ("exp", lambda x: 2.0 * np.exp(1.7 * x) - 1.0),
        ("x^2", lambda x: 3.0 * (x + 0.3) ** 2),
        ("tanh", lambda x: np.tanh(4.0 * x + 1.0)),
        ("gaussian", lambda x: np.exp(-((3.0 * x) ** 2))),
        ("abs", lambda x: 2.0 * np.abs(x - 0.1)),
        ("x^3", lambda x: (2.0 * x - 1.0) ** 3),
    ],
)
def test_a_sampled_curve_gets_the_name_of_its_function(name, curve):
    x = np.linspace(-1.0, 1.0, 200)
    fits = {other: plain.fit_affine(f, x, curve(x)) for other, f in LIBRARY.items()}

    r2, (a, b, c, d) = fits[name]

    assert max(fits, key=lambda other: fits[other][0]) == name
    assert r2 > 0.999
    assert np.abs(c * LIBRARY[name](a * x + b) + d - curve(x)).max() < 1e-2


@pytest.mark.parametrize("name", ["gaussian", "tanh", "sin"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_search_follows_a_ridge_on_which_a_and_b_compensate_each_other(name, seed):
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, 2.0, 80)  # a change of a and one of b nearly cancel away from 0
    a, b = rng.uniform(1.0, 4.0), rng.uniform(-3.0, 0.0)

    r2, _ = plain.fit_affine(LIBRARY[name], x, LIBRARY[name](a * x + b))

    assert 1.0 - r2 < 1e-6


@pytest.mark.parametrize(("name", "curve"), [("sin", lambda x: np.sin(3.0 * x)), ("exp", np.exp)])
def test_an_edge_that_learned_a_function_is_named_after_it(name, curve):
    (layer,) = plain.init_network((2, 3), 10, 3, -1.0, 1.0, np.random.default_rng(0))
    x = np.linspace(-1.0, 1.0, 300)
    silu, _ = plain.silu_and_slope(x)
    spline = curve(x) - layer.w_base[2, 1] * silu
    layer.coef[2, 1] = kr.fit_curve(x, spline[:, None], knots=layer.knots[1], degree=3).coef[0]

    best, *others = plain.suggest(layer, 2, 1)

    assert best[2] == name
    assert best[0] > 0.999
    assert len(others) == len(LIBRARY) - 1
    assert all(best[0] > other[0] for other in others)


@pytest.mark.parametrize("end", [36.0, 200.0])
def test_functions_that_overflow_on_a_wide_grid_are_ranked_below_those_that_fit(end):
    rng = np.random.default_rng(0)
    (layer,) = plain.init_network((1, 2), 10, 3, 0.0, end, rng)
    layer.w_base[0], layer.coef[1], layer.w_base[1] = 0.0, 0.0, 0.0  # the second edge is constant
    x = np.linspace(0.0, end, 200)
    curve = np.exp(-0.05 * x)[:, None]
    layer.coef[0] = kr.fit_curve(x, curve, knots=layer.knots[0], degree=3).coef[0]

    of_decay, of_a_constant = (plain.suggest(layer, j, 0, n=40) for j in range(2))

    scores = [r2 for r2, _, _ in of_decay]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.999
    assert np.isfinite([[r2, *numbers] for r2, numbers, _ in of_decay + of_a_constant]).all()
    assert {r2 for r2, _, _ in of_a_constant} == {0.0}


def test_no_function_explains_the_curve_of_a_removed_edge():
    layers = plain.init_network((2, 2), 5, 3, -1.0, 1.0, np.random.default_rng(0))
    layers[0].mask[1, 0] = 0.0

    suggestions = plain.suggest(layers[0], 1, 0)

    assert {r2 for r2, _, _ in suggestions} == {0.0}
    assert {(c, d) for _, (_, _, c, d), _ in suggestions} == {(0.0, 0.0)}


def test_the_sizes_of_edges_in_tutorial_7_are_the_scores_of_the_package_with_removed_edges_too():
    page = tree.pages()["tutorials/07_sparsification"]
    (code,) = re.findall(r"^def sizes_of\(.+?\n\n\n", page, re.DOTALL | re.MULTILINE)
    written = {"plain": plain}
    exec(code, written)
    network, x, _ = random_case(3, (2, 5, 3, 1), 3)
    assert any((layer.mask == 0.0).any() for layer in network.layers)

    for own, scores in zip(
        written["sizes_of"](network, x), kr.edge_scores(network, x), strict=True
    ):
        np.testing.assert_allclose(own, scores, rtol=1e-12, atol=0.0)


# --- the tutorials build it


def cards_of_the_tutorials(pages="[1-4]"):
    """The code of all cards with whole definitions, in the order of the pages whose number is one of `pages`."""
    card = re.compile(r"^:::\{eqcode\} (plain-\S+)\n:definitions: (.+)$", flags=re.MULTILINE)
    tagged = tree.tagged_lines()
    return [
        tree.whole_definitions(tagged[tag], names.split())
        for page, text in tree.pages().items()
        if re.match(f"tutorials/0{pages}_", page)
        for tag, names in card.findall(text)
    ]


def test_the_cards_of_tutorials_1_to_4_one_after_another_are_the_program_that_plain_is():
    written = {}
    exec("\n\n\n".join(["import numpy as np", *cards_of_the_tutorials()]), written)
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    y = np.sin(3.0 * x[:, :1]) * x[:, 1:]

    def learned(kan):
        layers = kan["init_network"]((2, 3, 1), 5, 3, -1.0, 1.0, np.random.default_rng(1))
        layers, values = kan["fit"](layers, x, y, n_steps=20)
        return kan["to_theta"](layers).tobytes(), values, kan["predict"](layers, x).tobytes()

    assert learned(written) == learned(vars(plain))


@pytest.mark.long
def test_the_cards_and_the_cell_below_them_are_a_program_of_at_most_90_lines_that_learns(tmp_path):
    page = tree.pages()["tutorials/04_a_network"]
    (training,) = re.findall(
        r"^```\{code-cell\} ipython3\n(def mine\(x\):\n.+?)^```$", page, re.DOTALL | re.MULTILINE
    )
    program = "\n\n\n".join(["import numpy as np", *cards_of_the_tutorials(), training])
    (tmp_path / "my_kan.py").write_text(program, encoding="utf-8")

    command = [sys.executable, "-I", "my_kan.py"]  # an empty folder, nothing but installed packages
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert sum(bool(line.strip()) for line in program.splitlines()) <= 90
    n_lines = sum(bool(line.strip()) for line in training.splitlines())
    assert f"{n_lines}  # the cell above has {n_lines} lines" in page
    assert re.findall(r"^import .*|^from .*", program, re.MULTILINE) == ["import numpy as np"]
    rmse, std = (float(number) for number in re.findall(r"\d+\.\d+", done.stdout))
    assert 0.003 < rmse < 0.008
    assert 0.3 < std < 0.6
    assert not done.stderr


def test_the_cards_of_tutorials_1_to_4_then_6_and_8_extend_grids_and_suggest_functions():
    written = {}
    exec("\n\n\n".join(["import numpy as np", *cards_of_the_tutorials("[1-8]")]), written)

    def suggested(kan):
        layers = kan["init_network"]((1, 1), 2, 3, -1.0, 1.0, np.random.default_rng(1))
        return kan["suggest"](kan["extend_grid"](layers, 4)[0], 0, 0, n=20)

    assert suggested(written) == suggested(vars(plain))


def test_a_card_says_above_its_code_what_the_code_alone_leaves_out():
    lines = tree.tagged_lines()["plain-forward"]

    said = tree.summaries(lines, ["Layer", "forward"])
    code = tree.whole_definitions(lines, ["Layer", "forward"])

    assert list(said) == ["Layer", "forward"]
    assert all(len(text) > 20 for text in said.values())
    assert '"""' not in code
    assert code.startswith("class Layer:\n    def __init__(")


def test_a_card_shows_every_statement_that_assigns_a_name_it_lists():
    lines = tree.tagged_lines()["plain-affine"]

    code = tree.whole_definitions(lines, ["LIBRARY", "suggest"])

    assert code.count("\nLIBRARY |= {") == code.startswith("LIBRARY = {") == 1
    assert "\n\n\ndef suggest(" in code
    assert list(tree.summaries(lines, ["LIBRARY", "suggest"])) == ["suggest"]


def test_a_card_of_a_definition_that_is_not_there_is_an_error():
    lines = tree.tagged_lines()["plain-forward"]

    with pytest.raises(ValueError, match=r"kan_ref/plain/layer.py defines no forwards"):
        tree.whole_definitions(lines, ["forwards"])


# --- it is short, and stands by itself


def test_it_is_short():
    lines = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}

    assert sorted(lines) == [
        *("__init__.py", "bases.py", "grids.py", "layer.py", "network.py", "symbols.py", "train.py")
    ]
    assert sum(lines.values()) <= 260
    assert sum(lines[f"{name}.py"] for name in ("bases", "layer", "network", "train")) <= 190


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_imports_numpy_and_itself_alone(file):
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)

    assert all(name == "numpy" or name.startswith("kan_ref.plain.") for name in found), found


def test_every_line_of_backward_names_its_line_of_forward_in_reverse_order():
    text = (FOLDER / "layer.py").read_text(encoding="utf-8")

    forward = [int(n) for n in re.findall(r"# line (\d)", text)]
    of_lines = re.findall(r"# of lines? (\d(?:, \d)*)", text)
    backward = [int(n) for numbers in of_lines for n in numbers.split(", ")]

    assert forward == sorted(set(forward))
    assert backward == sorted(backward, reverse=True)
    assert set(backward) == set(forward)
