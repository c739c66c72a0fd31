"""Diagrams as numbers: nothing overlaps, wires meet their boxes, opacities and curves are those of the network."""

import functools
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from hypothesis import example as also
from hypothesis import given
from hypothesis import strategies as st
from networks import Frame, random_batch, random_network, seeds, symbolic_cases

import kan_ref as kr
from kan_ref.drawing.diagram import function_text, lay_out
from kan_ref.drawing.plan import BOX, MOST_WIDTH, plan_diagram, text_sizes
from kan_ref.functions.library import LIBRARY
from kan_ref.network.symbolic_edges import SymbolicEdge

RNG = np.random.default_rng
WIDTHS = [(1, 1), (2, 5, 1), (3, 3, 3, 3, 1), (4, 9, 1), (1, 10), (17, 1, 14), (48, 1, 1), (6, 8)]
SPACES = [None, (3.0, 3.0), (12.0, 9.0), (2.0, 6.0), (0.1, 0.1)]


def full(widths):
    """All edges of a network of these widths."""
    return [np.ones((n_out, n_in), dtype=bool) for n_in, n_out in pairwise(widths)]


def planned(drawn, names=None, space=None, **texts):
    """The plan of these edges, with all inputs and outputs, and the hidden nodes that an edge touches."""
    rows = [np.ones(drawn[0].shape[1], dtype=bool)]
    rows += [below.any(axis=1) | above.any(axis=0) for below, above in pairwise(drawn)]
    rows.append(np.ones(len(drawn[-1]), dtype=bool))
    names = names or tuple(
        [f"{letter}{n}" for n in range(len(row))] for letter, row in (("x", rows[0]), ("y", rows[-1]))
    )
    room = None if space is None else np.array(space)
    return plan_diagram(drawn, [np.flatnonzero(row) for row in rows], names, space=room, **texts)


@st.composite
def plans(draw):
    """(edges, plan): any edges of up to four layers, in natural size or made to fit."""
    widths = draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))
    rng, share = RNG(draw(seeds)), draw(st.sampled_from([0.3, 0.7, 1.0]))
    drawn = [rng.random(edge.shape) < share for edge in full(widths)]
    title, note = draw(st.sampled_from(["", "a title"])), draw(st.sampled_from(["", "two\nlines"]))
    return drawn, planned(drawn, title=title, note=note, space=draw(st.sampled_from(SPACES)))


@functools.cache
def readable_plans():
    return [(full(widths), planned(full(widths))) for widths in WIDTHS]


def every_plan(test):
    """The property for random edges, and for all edges of every shape that must be readable."""
    for case in readable_plans():
        test = also(case)(test)
    return given(plans())(test)


def corners(plan):
    """Left, bottom, right, top of boxes."""
    return np.concatenate([plan.boxes[:, :2], plan.boxes[:, :2] + plan.boxes[:, 2:]], axis=1)


def extents(plan):
    """Left, bottom, right, top of texts."""
    found = []
    sizes = text_sizes([label.text for label in plan.labels])
    for label, size in zip(plan.labels, sizes, strict=True):
        width, height = label.points * (size[::-1] if label.angle else size)
        x, y = label.at
        y -= height * {"bottom": 0.0, "center": 0.5, "top": 1.0}[label.va]
        found.append([x - width / 2, y, x + width / 2, y + height])
    return np.array(found).reshape(-1, 4)


def touching(areas):
    """Pairs of areas that share an inner point."""
    left, bottom, right, top = np.asarray(areas, dtype=float).reshape(-1, 4).T
    beside = (left[:, None] >= right - 1e-9) | (right[:, None] <= left + 1e-9)
    above = (bottom[:, None] >= top - 1e-9) | (top[:, None] <= bottom + 1e-9)
    return np.argwhere(~(beside | above) & ~np.eye(len(left), dtype=bool)).tolist()


def node(plan, row, index):
    return plan.node_at[(plan.nodes == (row, index)).all(axis=1)][0]


# --- the layout


@every_plan
def test_every_edge_has_one_box_and_every_node_one_place(case):
    drawn, plan = case

    assert [tuple(edge) for edge in plan.edges] == [
        (n, j, i) for n, layer in enumerate(drawn) for j, i in np.argwhere(layer).tolist()
    ]
    assert len(np.unique(plan.nodes, axis=0)) == len(plan.nodes)
    assert len(np.unique(plan.node_at.round(6), axis=0)) == len(plan.nodes)


@every_plan
def test_boxes_lie_between_their_layers_and_do_not_overlap(case):
    _, plan = case

    assert touching(corners(plan)) == []
    for (layer, output, source), (_, bottom, _, top) in zip(plan.edges, corners(plan), strict=True):
        assert node(plan, layer, source)[1] + 0.1 < bottom < top
        assert top < node(plan, layer + 1, output)[1] - 0.1


@every_plan
def test_a_wire_runs_from_its_source_through_its_box_to_its_target(case):
    _, plan = case

    for (layer, output, source), (left, bottom, right, top), wire in zip(
        plan.edges, corners(plan), plan.wires, strict=True
    ):
        np.testing.assert_allclose(wire[0], node(plan, layer, source), atol=1e-12)
        np.testing.assert_allclose(wire[1:3, 0], (left + right) / 2, atol=1e-12)
        assert wire[1, 1] <= bottom + 1e-12
        assert wire[2, 1] >= top - 1e-12
        np.testing.assert_allclose(wire[3], node(plan, layer + 1, output), atol=1e-12)


@every_plan
def test_wires_cross_no_other_box(case):
    """Slanted parts stay above or below all boxes of the layer; upright parts pass beside them."""
    _, plan = case

    for layer in np.unique(plan.edges[:, 0]):
        here = plan.edges[:, 0] == layer
        left, bottom, right, top = corners(plan)[here].T
        assert (plan.wires[here, 1, 1] <= bottom.min() + 1e-9).all()
        assert (plan.wires[here, 2, 1] >= top.max() - 1e-9).all()
        x = plan.wires[here, 1, :1]
        aside = np.maximum(left - x, x - right)[~np.eye(here.sum(), dtype=bool)]
        assert (aside > 0.2 * (right - left).min()).all()


@every_plan
def test_everything_lies_in_the_picture_and_texts_overlap_nothing(case):
    _, plan = case
    texts, nodes = extents(plan), np.tile(plan.node_at, 2) + 0.08 * np.array([-1, -1, 1, 1])

    areas = np.concatenate([texts, nodes, corners(plan)])

    assert (areas[:, :2] >= plan.extent[:2]).all()
    assert (areas[:, 2:] <= plan.extent[2:]).all()
    assert not [pair for pair in touching(areas) if min(pair) < len(texts)]


@every_plan
def test_a_node_stands_in_the_middle_above_its_boxes_which_are_in_the_order_of_their_sources(case):
    drawn, plan = case
    middles = plan.boxes[:, 0] + plan.boxes[:, 2] / 2

    for layer, edges in enumerate(drawn):
        here = plan.edges[:, 0] == layer
        assert (np.diff(middles[here]) > 0).all()  # edges are sorted by output, then input
        for output in np.flatnonzero(edges.any(axis=1)):
            own = middles[here & (plan.edges[:, 1] == output)]
            assert node(plan, layer + 1, output)[0] == pytest.approx(own.mean(), abs=1e-12)


def test_slots_of_two_groups_of_two_by_hand():
    """n = 4, g = 2, e = 1/2: middles at 0.75, 1.75, 3.25, 4.25 of 5 slots of 0.68."""
    plan = planned(full((2, 2)))
    middles = plan.boxes[:, 0] + plan.boxes[:, 2] / 2

    np.testing.assert_allclose(middles, 0.68 * np.array([0.75, 1.75, 3.25, 4.25]), atol=1e-12)
    np.testing.assert_allclose(plan.boxes[:, 2], BOX)
    assert plan.size[0] == pytest.approx(5 * 0.68 + 0.24)


@for_all("missing", [[], [1], [0, 3]])
def test_boxes_of_the_only_target_stand_straight_above_their_sources(missing):
    drawn = full((2, 4, 1))
    drawn[1][0, missing] = False
    plan = planned(drawn)

    last = plan.edges[:, 0] == 1
    assert last.sum() == 4 - len(missing)
    np.testing.assert_allclose(plan.wires[last, 0, 0], plan.wires[last, 1, 0], atol=1e-12)


def test_inputs_with_one_box_each_stand_straight_under_it():
    plan = planned([np.eye(2, dtype=bool).repeat(2, axis=1), np.ones((1, 2), dtype=bool)])

    np.testing.assert_allclose(plan.wires[:4, 0, 0], plan.wires[:4, 1, 0], atol=1e-12)


@for_all(("widths", "rows"), [((4, 3, 1), 1), ((17, 1, 14), 1), ((4, 9, 1), 2), ((30, 1), 2)])
def test_boxes_stand_in_two_rows_where_one_would_make_them_small(widths, rows):
    plan = planned(full(widths))
    first = plan.edges[:, 0] == 0

    assert len(np.unique(plan.boxes[first, 1].round(9))) == rows
    assert plan.boxes[first, 2].min() >= 0.37
    assert plan.size[0] < MOST_WIDTH + 0.5


@every_plan
def test_a_plan_with_its_scale_fits_the_space_it_was_made_for(case):
    drawn, _ = case

    for space in SPACES[1:]:
        plan = planned(drawn, space=space, title="a title")
        assert (plan.size * plan.scale <= np.array(space) + 1e-9).all()
        assert (plan.size * plan.scale).max() > 0.2 * min(space)
        assert plan.scale <= 1.0


def test_in_a_narrow_space_boxes_move_together_before_letters_shrink():
    plan, natural = planned(full((2, 5, 1)), space=(3.0, 4.0)), planned(full((2, 5, 1)))

    assert plan.size[0] < natural.size[0] / 2
    assert plan.scale > 0.9
    assert planned(full((2, 5, 1)), space=(30.0, 30.0)).scale == natural.scale == 1.0


def test_wide_names_widen_a_small_picture_and_stand_upright_in_a_wide_one():
    """Three inches of text for each of 2 and of 12 inputs."""
    small, wide = (planned(full((n, 1)), (["m" * 22] * n, ["y"])) for n in (2, 12))

    assert small.size[0] > 5.0
    assert [label.angle for label in small.labels] == [0.0] * 3
    assert [label.angle for label in wide.labels] == [90.0] * 12 + [0.0]


@for_all("names", [[f"$x_{{{n}}}$" for n in range(100)], [r"$\dfrac{momentum}{velocity}$"] * 45])
def test_upright_names_are_small_enough_to_keep_apart(names):
    assert touching(extents(planned(full((len(names), 1)), (names, ["y"])))) == []


# --- the diagram of a network


def example(widths=(2, 5, 1), *, n_samples=40, seed=0, **options):
    rng = RNG(seed)
    settings = {"dead": 0.0, "silent": 0.0} | options
    network = random_network(rng, widths=widths, degrees=[3], **settings)
    return network, random_batch(rng, network.layers[0], n_samples)


def one_edge(name, affine):
    """A network of one input and one output whose edge is symbolic."""
    grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0), "rng": RNG(0)}
    (layer,) = kr.init_network((1, 1), **grid).layers
    edges = [SymbolicEdge(0, 0, LIBRARY[name], 0)]
    return kr.Network((replace(layer, mask=[[0]], symbolic=edges, affine=[affine]),))


def diagram_of(network, x, title="", **options):
    return lay_out([network], x, [title], **options)[0]


def heights(diagram, edge=0):
    """A curve's heights, 0 at the bottom of its box and 1 at the top."""
    _, bottom, side = diagram.plan.boxes[edge]
    return (diagram.curves[edge, :, 1] - bottom) / side


def texts(diagram, role):
    return [label.text for label in diagram.plan.labels if label.role == role]


def is_active(layer):
    active = layer.mask == 1
    for edge in layer.symbolic:
        active[edge.output, edge.input] = True
    return active


@given(symbolic_cases(), st.floats(0.01, 100.0))
def test_edges_drawn_are_the_active_ones_with_their_opacities_and_names(case, beta):
    network, x, _ = case
    scores = kr.edge_scores(network, x)

    diagram = diagram_of(network, x, beta=beta)

    drawn = diagram.plan.edges.tolist()
    assert drawn == [
        [n, j, i] for n, layer in enumerate(network.layers) for j, i in np.argwhere(is_active(layer)).tolist()
    ]
    expected = np.array([scores[n][j, i] for n, j, i in drawn])
    np.testing.assert_allclose(diagram.alphas, np.tanh(beta * expected), rtol=1e-12)
    names = {
        (n, edge.output, edge.input): edge.name for n, layer in enumerate(network.layers) for edge in layer.symbolic
    }
    assert diagram.functions == tuple(names.get(tuple(edge), "") for edge in drawn)


@given(symbolic_cases())
def test_a_node_is_a_sum_of_several_active_edges_and_idle_hidden_nodes_are_left_out(case):
    network, x, _ = case
    active = [is_active(layer) for layer in network.layers]
    rows = [
        np.ones(network.widths[0]),
        *(a.any(axis=1) | b.any(axis=0) for a, b in pairwise(active)),
        np.ones(network.widths[-1]),
    ]

    diagram = diagram_of(network, x)

    nodes = [tuple(one) for one in diagram.plan.nodes]
    assert nodes == [(n, i) for n, row in enumerate(rows) for i in np.flatnonzero(row)]
    for (row, index), is_sum in zip(nodes, diagram.sums, strict=True):
        assert is_sum == (row > 0 and active[row - 1][index].sum() > 1)


@given(symbolic_cases(n_samples=st.integers(1, 9)))
def test_curves_keep_inside_their_boxes_and_run_from_side_to_side(case):
    network, x, _ = case

    diagram = diagram_of(network, x)

    for (left, bottom, side), curve in zip(diagram.plan.boxes, diagram.curves, strict=True):
        np.testing.assert_allclose(curve[[0, -1], 0], left + side * np.array([0.1, 0.9]))
        shown = curve[np.isfinite(curve[:, 1]), 1]
        assert len(shown)
        assert (np.abs((shown - bottom) / side - 0.5) < 0.41).all()


def test_a_curve_is_the_edges_own_over_the_range_of_its_samples_scaled_to_its_box():
    network, x = example((2, 3, 1), n_samples=400)
    inputs = [x, kr.Network(network.layers[:1])(x)]

    diagram = diagram_of(network, x)

    for edge, (n, j, i) in enumerate(diagram.plan.edges.tolist()):
        points = np.linspace(inputs[n][:, i].min(), inputs[n][:, i].max(), diagram.curves.shape[1])
        values = kr.edge_curve(network, n, output=j, input=i, x=points)
        expected = 0.1 + 0.8 * (values - values.min()) / np.ptp(values)
        np.testing.assert_allclose(heights(diagram, edge), expected, atol=1e-9)


def test_a_formula_leaves_the_upper_part_of_its_box_to_its_name():
    diagram = diagram_of(one_edge("x^2", (1.0, 0.0, 1.0, 0.0)), [[-1.0], [0.0], [1.0]])
    place = [label.role for label in diagram.plan.labels].index("function")
    left, _, right, top = corners(diagram.plan)[0]
    text = extents(diagram.plan)[place]

    assert diagram.plan.labels[place].text == "$x^{2}$"
    assert (heights(diagram).min(), heights(diagram).max()) == pytest.approx((0.1, 0.1 + 0.8 * 0.7))
    assert left < text[0] < text[2] < right
    assert diagram.curves[0, :, 1].max() - 0.03 < text[1] < text[3] < top


def test_the_name_of_every_function_fits_in_its_box():
    n = len(LIBRARY)
    grid = {"n_intervals": 2, "degree": 3, "domain": (0.1, 0.9), "rng": RNG(0)}
    (layer,) = kr.init_network((n, 1), **grid).layers
    edges = [SymbolicEdge(0, i, function, i) for i, function in enumerate(LIBRARY.values())]
    affine = np.tile([1.0, 0.0, 1.0, 0.0], (n, 1))
    network = kr.Network((replace(layer, mask=np.zeros((1, n)), symbolic=edges, affine=affine),))

    plan = diagram_of(network, np.full((2, n), [[0.1], [0.9]]), most_edges=n).plan

    names = [label.role == "function" for label in plan.labels]
    around, boxes = extents(plan)[names], corners(plan)
    assert sum(names) == n
    assert (around[:, :2] >= boxes[:, :2]).all()
    assert (around[:, 2:] <= boxes[:, 2:]).all()


def test_a_name_fades_with_its_edge_but_later():
    diagram = diagram_of(one_edge("x", (1.0, 0.0, 0.01, 0.0)), [[-1.0], [1.0]])
    (alpha,) = (label.alpha for label in diagram.plan.labels if label.role == "function")

    assert alpha == pytest.approx(np.sqrt(np.tanh(0.03)))


def test_functions_are_named_as_in_a_formula():
    shown = {"x": "$x$", "1/x^5": "$1/x^{5}$", "1/sqrt": r"$1/\sqrt{x}$", "J0": "J0"}

    assert {name: function_text(name) for name in shown} == shown


@for_all("value", [0.0, 2.5, -1e100, 1e-100])
def test_one_sample_and_a_constant_give_a_level_curve_in_the_middle(value):
    knots, coef = kr.uniform_knots(-1.0, 1.0, 4, 3), np.full((1, 1, 7), value)
    level = kr.Network((kr.Layer(knots, coef, [[0.0]], [[1.0]], [[1.0]], 3),))

    for network, x in ((level, [[-0.9], [0.1], [0.9]]), (example((1, 1))[0], [[0.3]])):
        np.testing.assert_allclose(heights(diagram_of(network, x)), 0.5)


@for_all("size", [1e-100, 1e100])
def test_tiny_and_huge_curves_have_the_same_shape(size):
    x = np.linspace(-1.0, 1.0, 50)[:, None]
    shown, expected = (diagram_of(one_edge("sin", (3.0, 0.0, c, 0.0)), x) for c in (size, 1.0))

    np.testing.assert_allclose(heights(shown), heights(expected), atol=1e-12)


def test_nothing_is_drawn_beside_a_pole_between_two_samples():
    """1/x between -1 and 1 at the samples: as far as -3 and 3 it is drawn."""
    diagram = diagram_of(one_edge("1/x", (1.0, 0.0, 1.0, 0.0)), [[-1.0], [-1.5], [1.5], [1.0]])
    x = np.linspace(-1.5, 1.5, diagram.curves.shape[1])

    np.testing.assert_array_equal(np.isnan(heights(diagram)), np.abs(x) < 1.0 / 3.0)


def test_a_note_counts_the_edges_that_are_too_faint_to_see():
    network, x = example((3, 2, 1), seed=1)
    layer = network.layers[0]
    small = replace(layer, w_base=1e-19 * layer.w_base, coef=1e-19 * layer.coef)
    faint = kr.Network((small, *network.layers[1:]))

    assert texts(diagram_of(network, x), "note") == []
    (note,) = texts(diagram_of(faint, x, most_edges=4), "note")
    assert note == "layer 0: the 4 strongest of 6 edges\n4 edges are too faint to see"
    assert texts(diagram_of(faint, x, beta=1e19), "note") == []


def test_a_wide_layer_shows_its_strongest_active_edges_and_says_so():
    network, x = example((30, 2, 1))
    network = kr.mask_edges(network, 0, np.ones((2, 1)) * (np.arange(30) % 3 > 0))
    scores = kr.edge_scores(network, x)[0]

    diagram = diagram_of(network, x, most_edges=10)

    first = diagram.plan.edges[diagram.plan.edges[:, 0] == 0]
    strongest = np.argwhere(scores >= np.sort(scores, axis=None)[-10])
    np.testing.assert_array_equal(first[:, 1:], strongest)
    assert texts(diagram, "note") == ["layer 0: the 10 strongest of 40 edges"]
    shown = diagram.plan.nodes[diagram.plan.nodes[:, 0] == 0, 1]
    assert shown.tolist() == sorted(set(strongest[:, 1]))
    assert diagram.sums[-1]


# --- names


def test_names_go_to_their_nodes_in_order():
    network, x = example((3, 2))

    plan = diagram_of(network, x, names=np.array(["a", "b", "c"]), output_names=["u", "v"]).plan

    for text, place in {"a": (0, 0), "b": (0, 1), "c": (0, 2), "u": (1, 0), "v": (1, 1)}.items():
        (label,) = (label for label in plan.labels if label.text == text)
        at = node(plan, *place)
        assert label.at[0] == pytest.approx(at[0])
        assert (label.at[1] < at[1]) == (place[0] == 0)


def test_without_names_inputs_are_x_and_outputs_y():
    assert texts(diagram_of(*example((1, 1))), "name") == ["$x$", "$y$"]
    assert texts(diagram_of(*example((2, 1))), "name") == ["$x_{1}$", "$x_{2}$", "$y$"]


def test_names_that_are_the_columns_of_a_table_in_another_order_are_refused():
    network, x = example((3, 2))
    table = Frame.of("abc", x)

    assert diagram_of(network, table, names=("a", "b", "c"))
    with pytest.raises(ValueError, match="names"):
        diagram_of(network, table, names=("b", "a", "c"))


@for_all("options", [{"names": ("a",)}, {"output_names": ()}, {"beta": 0.0}, {"most_edges": 0}])
def test_a_bad_argument_is_refused_by_name(options):
    with pytest.raises(ValueError, match=f"^{next(iter(options))} "):
        diagram_of(*example(), **options)


# --- many networks in one layout


def test_an_edge_keeps_its_place_in_all_frames_and_is_drawn_where_it_is_active():
    """One edge is masked in the first, another in the second, a third in all."""
    network, x = example((2, 3, 1))
    masks = [[[0, 1], [1, 1], [1, 0]], [[1, 1], [1, 0], [1, 0]], [[1, 1], [1, 1], [1, 0]]]
    networks = [network.with_theta(network.theta * (n + 1)) for n in range(3)]
    networks = [kr.mask_edges(one, 0, mask) for one, mask in zip(networks, masks, strict=True)]
    titles, places = ["a", "a longer title", "b"], {}

    diagrams = lay_out(networks, x, titles)

    assert [texts(one, "title") for one in diagrams] == [[title] for title in titles]
    for network, diagram in zip(networks, diagrams, strict=True):
        alone, plan = diagram_of(network, x), diagram.plan
        np.testing.assert_array_equal(plan.extent, diagrams[0].plan.extent)
        np.testing.assert_array_equal(plan.edges, alone.plan.edges)
        np.testing.assert_array_equal(diagram.alphas, alone.alphas)
        for n, (edge, box) in enumerate(zip(plan.edges.tolist(), plan.boxes, strict=True)):
            np.testing.assert_array_equal(places.setdefault(tuple(edge), box), box)
            np.testing.assert_allclose(heights(diagram, n), heights(alone, n), atol=1e-12)
    assert len(places) == 5 + 3


def test_the_strongest_edges_of_a_film_are_those_strong_in_any_frame():
    network, x = example((6, 1))
    weak, *_, strong = np.argsort(kr.edge_scores(network, x)[0][0])

    for order in ((weak, strong), (strong, weak)):
        frames = [kr.mask_edges(network, 0, np.eye(6)[[i]]) for i in order]
        diagrams = lay_out(frames, x, ["", ""], most_edges=1)
        assert [i for one in diagrams for i in one.plan.edges[:, 2]] == [strong]


def test_networks_of_other_widths_are_refused_by_number():
    with pytest.raises(ValueError, match=r"^networks\[1\] "):
        lay_out([example((2, 3, 1))[0], example((2, 1))[0]], example()[1], ["", ""])
