"""Many edges named at once, and edges with a composed function split into two layers."""

import numpy as np
import pytest
from cases import for_all
from networks import random_batch, random_network, with_formulas

import kan_ref as kr
from kan_ref.functions.library import lookup
from kan_ref.symbolic import ranking
from kan_ref.symbolic.canonical import canonical_affine


def three_layers(seed=0, share=0.5):
    """A network with splines, formulas, some of them locked, and masked edges; and samples."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, degrees=(3,), widths=(2, 3, 2, 1), kind="uniform", base="silu")
    network = with_formulas(rng, network, share=share)
    return network, rng.uniform(-1.0, 1.0, (50, 2))


def plain_network(widths=(2, 2, 1)):
    return kr.init_network(
        widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )


def kinds(network):
    """What stands on each edge: the name of a function, "spline" or "0"."""
    found = []
    for layer in network.layers:
        names = np.where(layer.mask == 1.0, "spline", "0").astype(object)
        for edge in layer.symbolic:
            names[edge.output, edge.input] = edge.name
        found.append(names.tolist())
    return found


# --- patterns


def test_a_pattern_names_edges_masks_edges_and_leaves_the_others():
    pattern = [[["sin", None], ["0", "log(x^2)"]], [["exp", "0"]]]

    fixed = kr.fix_pattern(plain_network(), pattern)

    assert kinds(fixed) == [[["sin", "spline"], ["0", "log(x^2)"]], [["exp", "0"]]]


def test_a_pattern_fits_each_edge_to_the_network_as_it_was():
    """As `fix_symbolic` on each edge of the same network does."""
    network, x = plain_network(), np.random.default_rng(1).uniform(-1.0, 1.0, (80, 2))

    fixed = kr.fix_pattern(network, [[["sin", "x^2"], ["tanh", None]], [["exp", None]]], x)

    for layer, j, i, name in [
        (0, 0, 0, "sin"),
        (0, 0, 1, "x^2"),
        (0, 1, 0, "tanh"),
        (1, 0, 0, "exp"),
    ]:
        alone = kr.fix_symbolic(network, layer, output=j, input=i, name=name, x=x).layers[layer]
        (edge,) = [e for e in fixed.layers[layer].symbolic if (e.output, e.input) == (j, i)]
        np.testing.assert_array_equal(fixed.layers[layer].affine[edge.row], alone.affine[0])


def test_a_pattern_of_none_changes_nothing_and_a_masked_edge_stays_masked():
    network, x = three_layers()

    same = kr.fix_pattern(network, [None, [[None] * 3, [None] * 3], None], x)
    some = kr.fix_pattern(network, [[["0", None], [None] * 2, [None] * 2], None, None])

    assert kinds(same) == kinds(network)
    np.testing.assert_array_equal(same.theta, network.theta)
    expected = kinds(network)
    expected[0][0][0] = "0"
    assert kinds(some) == expected


def test_without_samples_an_edge_that_has_its_function_keeps_its_parameters():
    first = kr.fix_symbolic(
        plain_network((1, 1)), 0, output=0, input=0, name="sin", affine=(2.0, 0.1, 3.0, 0.4)
    )

    assert kr.fix_pattern(first, [[["sin"]]]).layers[0].affine.tolist() == [[2.0, 0.1, 3.0, 0.4]]
    assert kr.fix_pattern(first, [[["cos"]]]).layers[0].affine.tolist() == [[1.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("pattern", "error", "sentence"),
    [
        ([None], ValueError, "pattern has 1 layer, but the network has 2 layers"),
        ([[[None] * 2], None], ValueError, r"pattern\[0\] has 1 output, but layer 0 has 2 outputs"),
        ([None, [["exp"]]], ValueError, r"pattern\[1\]\[0\] has 1 input, but layer 1 has 2 inputs"),
        ([None, [["exp", "sine"]]], ValueError, r"pattern\[1\]\[0\]\[1\]: name is 'sine', but"),
        ([None, [["exp", 3]]], TypeError, r"pattern\[1\]\[0\]\[1\]: name is 3, but must be one of"),
        (
            [None, ["exp"]],
            TypeError,
            r"pattern\[1\]\[0\] is 'exp', but must be a sequence with one",
        ),
        (
            "sin",
            TypeError,
            "pattern is 'sin', but must be a sequence with one entry for each layer",
        ),
    ],
)
def test_a_pattern_of_another_form_is_refused_with_its_place(pattern, error, sentence):
    with pytest.raises(error, match=sentence):
        kr.fix_pattern(plain_network(), pattern)


def test_a_masked_edge_has_no_curve_to_fit():
    network = kr.mask_edges(plain_network(), 1, [[1, 0]])
    pattern = [None, [["exp", "sin"]]]

    assert kinds(kr.fix_pattern(network, pattern))[1] == [["exp", "sin"]]
    with pytest.raises(ValueError, match="from input 1 to output 0 of layer 1, which is masked"):
        kr.fix_pattern(network, pattern, np.zeros((3, 2)))


# --- splitting


@for_all("seed", range(4))
@for_all("name", ["exp(sin)", "sin(tanh(x^2))"])
def test_a_split_edge_keeps_the_function_and_the_other_edges(seed, name):
    network, _ = three_layers(seed)
    x = random_batch(np.random.default_rng(seed), network.layers[0], 60)
    network = kr.fix_symbolic(
        network, 1, output=1, input=2, name=name, affine=(0.7, -0.3, 1.9, 0.25)
    )

    split = kr.split_edge(network, 1, output=1, input=2)

    outer, inner = name[:-1].split("(", 1)
    assert len(split.layers) == len(network.layers) + 1
    np.testing.assert_allclose(split(x), network(x), rtol=1e-12, atol=1e-12)
    assert {edge.name for edge in split.layers[2].symbolic} == {"x", outer}
    node = kinds(split)[1][-1] if split.widths[2] == 3 else kinds(split)[1][1]
    assert node == ["0", "0", inner]
    assert kinds(split)[1][0] == kinds(network)[1][0]


def test_a_node_that_only_the_split_edge_enters_becomes_the_inner_function():
    network = kr.fix_pattern(plain_network((2, 2)), [[["sin", "x^2"], ["0", "log(cosh)"]]])

    split = kr.split_edge(network, 0, output=1, input=1)

    assert split.widths == (2, 2, 2)
    assert kinds(split) == [[["sin", "x^2"], ["0", "cosh"]], [["x", "0"], ["0", "log"]]]


def test_the_inner_function_of_a_new_node_stands_at_the_input_of_the_edge():
    network = kr.fix_pattern(plain_network((3, 2)), [[["x^2", "log(cosh)", "0"], ["0", "0", "0"]]])

    split = kr.split_edge(network, 0, output=0, input=1)

    assert kinds(split)[0] == [["x^2", "0", "0"], ["0", "0", "0"], ["0", "cosh", "0"]]
    assert kinds(split)[1] == [["x", "0", "log"], ["0", "x", "0"]]


def test_an_edge_of_three_functions_is_split_twice():
    network = kr.fix_pattern(plain_network((1, 1)), [[["exp(sin(x^2))"]]])

    once = kr.split_edge(network, 0, output=0, input=0)
    twice = kr.split_edge(once, 0, output=0, input=0)

    assert kinds(twice) == [[["x^2"]], [["sin"]], [["exp"]]]
    assert kr.formula(twice) == kr.formula(network)


def test_locked_edges_stay_locked_but_for_the_one_that_is_split():
    network = kr.fix_pattern(plain_network((3, 1)), [[["exp(sin)"] * 3]])
    network = kr.lock_edges(network, 0, [(0, 0), (0, 1), (0, 2)])

    split = kr.split_edge(network, 0, output=0, input=1)

    assert [(edge.name, edge.row) for edge in split.layers[0].symbolic] == [
        ("exp(sin)", 0),
        ("exp(sin)", 0),
        ("sin", 1),
    ]
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (9, 3))
    np.testing.assert_allclose(split(x), network(x), rtol=1e-14)


def test_training_a_split_edge_reaches_what_one_edge_cannot():
    """log(1 + x^2) needs a shift between its two functions."""
    x = np.linspace(-2.0, 2.0, 60)[:, None]
    data = kr.Data(x, np.log(1.0 + x**2), x, np.log(1.0 + x**2))
    edge = kr.fix_pattern(plain_network((1, 1)), [[["log(x^2)"]]])

    split = kr.split_edge(edge, 0, output=0, input=0)
    shifted = kr.fix_symbolic(split, 1, output=0, input=0, name="log", affine=(1.0, 0.4, 1.0, 0.0))
    run = kr.fit(shifted, data, optimizer="lm", n_steps=60)

    assert run.history.train_rmse[-1] < 1e-12
    assert kr.fit_affine(x[:, 0], data.y_train[:, 0], "log(x^2)").rms > 1e-2


def test_an_edge_without_a_composed_function_is_not_split():
    network = kr.fix_pattern(plain_network((2, 1)), [[["sin", None]]])

    with pytest.raises(ValueError, match="is 'sin', but only a composed function can be split"):
        kr.split_edge(network, 0, output=0, input=0)
    with pytest.raises(ValueError, match="is not symbolic: fix_symbolic gives it a function"):
        kr.split_edge(network, 0, output=0, input=1)


# --- composed candidates


def test_composed_functions_are_suggested_on_request(monkeypatch):
    monkeypatch.setattr(ranking, "OUTER", ("exp", "tanh"))
    monkeypatch.setattr(ranking, "INNER", ("sin", "log", "x^2"))
    network = kr.fix_pattern(plain_network((1, 1)), [[["exp(sin)"]]])
    x = np.linspace(-1.5, 2.5, 90)[:, None]

    found = kr.suggest_symbolic(
        network, x, 0, output=0, input=0, names=("x", "sin", "exp"), composed=True
    )

    assert found.best.name == "exp(sin)"
    assert found.best.rms < 1e-12
    names = {"x", "sin", "exp", "exp(sin)", "exp(x^2)", "tanh(sin)", "tanh(log)", "tanh(x^2)"}
    assert sorted(fit.name for fit in found.fits) == sorted(names)  # exp(log) is a line
    assert "exp(sin)" in repr(found).splitlines()[2]


@pytest.mark.parametrize(
    ("name", "affine"),
    [
        ("exp(sin)", (3.0, 0.4, 1.5, -1.0)),
        ("log(x^2)", (1.0, 2.5, 0.5, 0.2)),
        ("sin(x^2)", (1.6, 0.7, -2.0, 0.3)),
        ("sin(x^2)", (5.0, 1.0, 1.0, 0.0)),
        ("sqrt(cosh)", (0.3, 0.1, 1.0, 0.0)),
        ("tanh(exp)", (-1.2, 0.1, 1.0, 0.0)),
        ("1/x(cosh)", (1.7, -0.6, 1.0, 2.0)),
        ("sqrt(log)", (1.0, 2.4, 1.0, 0.0)),
        ("arctan(sin(x^3))", (1.1, 0.2, 1.0, 0.0)),
    ],
)
def test_the_line_of_a_composed_curve_is_found(name, affine):
    a, b, c, d = affine
    x = np.random.default_rng(0).uniform(-1.0, 1.0, 200)
    y = c * lookup(name).f(a * x + b) + d

    fit = kr.fit_affine(x, y, name)

    assert fit.rms < 1e-11 * np.std(y)
    assert fit.affine == pytest.approx(canonical_affine(lookup(name), affine), rel=1e-6, abs=1e-6)


def test_no_composed_candidate_is_a_simpler_function():
    """A power, a logarithm, an exponential or a line has an edge of its own."""
    kinds_of = {name: lookup(name).redundancy.kind for name in ranking.composed_candidates()}

    assert set(kinds_of.values()) == {"free"}
    assert "log(exp)" not in kinds_of
    assert 40 <= len(kinds_of) <= 50
