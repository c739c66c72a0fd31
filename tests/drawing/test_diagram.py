"""Diagrams as numbers: nothing overlaps, wires meet their boxes, opacities and curves are those of the network; without Matplotlib."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from hypothesis import example as also
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from networks import Frame, random_batch, random_network, seeds, symbolic_cases, with_formulas

import kan_ref as kr
from kan_ref.drawing import draw_network
from kan_ref.drawing.diagram import lay_out, lay_out_all
from kan_ref.drawing.plan import BOX, MOST_WIDTH, plan_diagram
from kan_ref.drawing.text import (
    FUNCTION_POINTS,
    LEAST_POINTS,
    caption_text,
    function_text,
    text_size,
)
from kan_ref.functions.library import LIBRARY
from kan_ref.network.symbolic_edges import SymbolicEdge

WIDTHS = [
    (1, 1),
    (2, 1, 1),
    (2, 5, 1),
    (3, 3, 3, 3, 1),
    (4, 3, 3, 1),
    (4, 9, 1),
    (1, 10),
    (17, 1, 14),
    (48, 1, 1),
    (6, 8),
]
SPACES = [None, (3.0, 3.0), (12.0, 9.0), (2.0, 6.0), (0.1, 0.1)]


def full(widths):
    """All edges of a network of these widths."""
    return [np.ones((n_out, n_in), dtype=bool) for n_in, n_out in pairwise(widths)]


def planned(drawn, names=None, **options):
    """The plan of these edges, with all inputs and outputs, and the hidden nodes that an edge touches."""
    rows = [np.ones(drawn[0].shape[1], dtype=bool)]
    rows += [below.any(axis=1) | above.any(axis=0) for below, above in pairwise(drawn)]
    rows.append(np.ones(len(drawn[-1]), dtype=bool))
    names = names or (
        [f"x{n}" for n in range(len(rows[0]))],
        [f"y{n}" for n in range(len(rows[-1]))],
    )
    return plan_diagram(drawn, [np.flatnonzero(row) for row in rows], names, **options)


@st.composite
def plans(draw):
    """(edges, plan): any edges of up to four layers, in natural size or made to fit."""
    widths = draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))
    rng, share = np.random.default_rng(draw(seeds)), draw(st.sampled_from([0.3, 0.7, 1.0]))
    drawn = [rng.random(edge.shape) < share for edge in full(widths)]
    title, note = draw(st.sampled_from(["", "a title"])), draw(st.sampled_from(["", "two\nlines"]))
    return drawn, planned(drawn, title=title, note=note, space=draw(st.sampled_from(SPACES)))


def every_plan(test):
    """The property for random edges, and for all edges of every shape that must be readable."""
    for widths in WIDTHS:
        test = also((full(widths), planned(full(widths))))(test)
    return given(plans())(test)


def touching(boxes):
    """Pairs of boxes (left, bottom, right, top) that share an inner point."""
    left, bottom, right, top = np.asarray(boxes, dtype=float).reshape(-1, 4).T
    beside = (left[:, None] >= right - 1e-9) | (right[:, None] <= left + 1e-9)
    above = (bottom[:, None] >= top - 1e-9) | (top[:, None] <= bottom + 1e-9)
    return np.argwhere(~(beside | above) & ~np.eye(len(left), dtype=bool))


def corners(plan):
    return np.concatenate([plan.boxes[:, :2], plan.boxes[:, :2] + plan.boxes[:, 2:]], axis=1)


def node(plan, row, index):
    return plan.node_at[(plan.nodes == (row, index)).all(axis=1)][0]


# --- the plan


@every_plan
def test_every_edge_has_one_box_and_every_node_one_place(case):
    drawn, plan = case

    assert [tuple(edge) for edge in plan.edges] == [
        (n, j, i) for n, layer in enumerate(drawn) for j, i in np.argwhere(layer).tolist()
    ]
    assert (
        len(np.unique(plan.nodes, axis=0))
        == len(plan.nodes)
        == len(np.unique(plan.node_at.round(6), axis=0))
    )


@every_plan
def test_no_two_boxes_overlap(case):
    _, plan = case

    assert touching(corners(plan)).tolist() == []
    assert (plan.boxes[:, 2:] > 0).all()


@every_plan
def test_boxes_lie_between_their_layers(case):
    _, plan = case

    for (layer, output, source), (_, bottom, _, top) in zip(plan.edges, corners(plan), strict=True):
        assert node(plan, layer, source)[1] + 0.1 < bottom
        assert top < node(plan, layer + 1, output)[1] - 0.1


@every_plan
def test_wires_run_from_the_source_to_the_box_and_from_the_box_to_the_target(case):
    _, plan = case

    for (layer, output, source), (left, bottom, width, height), below, above in zip(
        plan.edges, plan.boxes, plan.wires_in, plan.wires_out, strict=True
    ):
        np.testing.assert_allclose(below[0], node(plan, layer, source), atol=1e-12)
        np.testing.assert_allclose(below[-1], (left + width / 2, bottom), atol=1e-12)
        np.testing.assert_allclose(above[0], (left + width / 2, bottom + height), atol=1e-12)
        np.testing.assert_allclose(above[-1], node(plan, layer + 1, output), atol=1e-12)


@every_plan
def test_wires_cross_no_box(case):
    """Slanted parts stay above or below all boxes of the layer; upright parts pass beside them."""
    _, plan = case

    for layer in np.unique(plan.edges[:, 0]):
        here = plan.edges[:, 0] == layer
        left, bottom, right, top = corners(plan)[here].T
        assert (plan.wires_in[here, 1, 1] <= bottom.min() + 1e-9).all()
        assert (plan.wires_out[here, 1, 1] >= top.max() - 1e-9).all()
        np.testing.assert_allclose(plan.wires_in[here, 1, 0], (left + right) / 2, atol=1e-12)
        np.testing.assert_allclose(plan.wires_out[here, 1, 0], (left + right) / 2, atol=1e-12)
        aside = np.maximum(
            left - plan.wires_in[here, 2, :1], plan.wires_in[here, 2, :1] - right
        )  # of wire r from box c
        passes = (plan.wires_in[here, 1, 1, None] < top - 1e-9) & (
            plan.wires_in[here, 2, 1, None] > bottom + 1e-9
        )
        passes |= (plan.wires_out[here, 0, 1, None] < top - 1e-9) & (
            plan.wires_out[here, 1, 1, None] > bottom + 1e-9
        )
        assert (aside[passes] > 0.2 * (right - left).min()).all()


@every_plan
def test_everything_lies_in_the_picture(case):
    _, plan = case
    extents = np.concatenate(
        [corners(plan), np.tile(plan.node_at, 2), [label.extent for label in plan.labels]]
    )

    assert (extents[:, :2] >= 0.1).all()
    assert (extents[:, 2:] <= plan.size - 0.1).all()


@every_plan
def test_texts_overlap_neither_each_other_nor_nodes_nor_boxes(case):
    _, plan = case
    nodes = np.tile(plan.node_at, 2) + 0.08 * np.array([-1, -1, 1, 1])
    texts = [label.extent for label in plan.labels]

    assert not [
        pair for pair in touching([*texts, *nodes, *corners(plan)]) if min(pair) < len(texts)
    ]


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


@every_plan
def test_nodes_of_one_row_are_at_one_height_and_rows_rise(case):
    _, plan = case
    heights = [
        np.unique(plan.node_at[plan.nodes[:, 0] == row, 1].round(9))
        for row in np.unique(plan.nodes[:, 0])
    ]

    assert all(len(height) == 1 for height in heights)
    assert (np.diff(np.concatenate(heights)) > 0.7).all()


def test_slots_of_two_groups_of_two_by_hand():
    """n = 4, g = 2, e = 1/2: middles at 0.75, 1.75, 3.25, 4.25 of 5 slots of 0.68."""
    plan = planned(full((2, 2)))
    middles = plan.boxes[:, 0] + plan.boxes[:, 2] / 2

    np.testing.assert_allclose(
        middles - middles[0], 0.68 * np.array([0.0, 1.0, 2.5, 3.5]), atol=1e-12
    )
    np.testing.assert_allclose(plan.boxes[:, 2:], BOX)
    np.testing.assert_allclose(np.diff(plan.node_at[:2, 0]), 0.68 * 2.5)
    assert plan.size[0] == pytest.approx(5 * 0.68 + 0.24)


@pytest.mark.parametrize("widths", [(2, 5, 1), (4, 9, 1), (3, 3, 3, 3, 1), (4, 6)])
def test_nodes_of_a_layer_with_all_its_edges_are_evenly_spaced_about_the_middle(widths):
    plan = planned(full(widths))

    for row in range(len(widths)):
        at = plan.node_at[plan.nodes[:, 0] == row, 0]
        np.testing.assert_allclose(
            np.diff(at), np.diff(at).mean() if len(at) > 1 else [], rtol=1e-12
        )
        assert at.mean() == pytest.approx(plan.size[0] / 2)


@pytest.mark.parametrize("missing", [[], [(0, 1)], [(0, 0), (0, 3)]])
def test_boxes_of_the_only_target_stand_straight_above_their_sources(missing):
    drawn = full((2, 4, 1))
    for edge in missing:
        drawn[1][edge] = False
    plan = planned(drawn)

    last = plan.edges[:, 0] == 1
    assert last.sum() == 4 - len(missing)
    np.testing.assert_allclose(plan.wires_in[last, 0, 0], plan.wires_in[last, 1, 0], atol=1e-12)


def test_inputs_with_one_box_each_stand_straight_under_it():
    drawn = [np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool), np.ones((1, 2), dtype=bool)]
    plan = planned(drawn)

    np.testing.assert_allclose(plan.wires_in[:4, 0, 0], plan.wires_in[:4, 1, 0], atol=1e-12)


def test_inputs_whose_boxes_stand_in_another_order_are_evenly_spaced():
    plan = planned([np.array([[1, 0, 1], [0, 1, 0]], dtype=bool)])

    np.testing.assert_allclose(
        np.diff(plan.node_at[:3, 0]), 0.68 * 4 / 3
    )  # n + e g = 4 slots for 3 inputs


@every_plan
def test_wires_that_run_far_sideways_have_room_to_rise(case):
    _, plan = case

    for layer in np.unique(plan.edges[:, 0]):
        here = plan.edges[:, 0] == layer
        for slanted in (plan.wires_in[here, :2], plan.wires_out[here, 1:]):
            run, rise = np.abs(np.diff(slanted, axis=1)[:, 0]).T
            np.testing.assert_allclose(rise, np.clip(0.16 * run.max(), 0.36, 1.2), atol=1e-12)


@pytest.mark.parametrize(
    ("widths", "rows"), [((4, 3, 1), 1), ((17, 1, 14), 1), ((4, 9, 1), 2), ((30, 1), 2)]
)
def test_boxes_stand_in_two_rows_where_one_would_make_them_small(widths, rows):
    plan = planned(full(widths))
    first = plan.edges[:, 0] == 0

    assert len(np.unique(plan.boxes[first, 1].round(9))) == rows
    assert plan.boxes[first, 2].min() >= 0.37


@pytest.mark.parametrize("widths", [(4, 9, 1), (48, 1, 1), (17, 1, 14), (7, 7, 7, 7)])
def test_a_picture_is_no_wider_than_a_page(widths):
    assert planned(full(widths)).size[0] < MOST_WIDTH + 0.5


@every_plan
def test_a_plan_with_its_scale_fits_the_space_it_was_made_for(case):
    drawn, _ = case

    for space in SPACES[1:4]:
        plan = planned(drawn, space=space)
        assert (plan.size * plan.scale <= np.array(space) + 1e-9).all()
        assert plan.scale <= 1.0


def test_even_a_stamp_is_big_enough():
    plan = planned(full((2, 5, 1)), title="a title", space=(0.1, 0.1))

    assert (plan.size * plan.scale).max() == pytest.approx(0.1)


@pytest.mark.parametrize("widths", [(1, 1), (2, 5, 1), (4, 9, 1)])
def test_where_there_is_room_a_plan_keeps_its_natural_size(widths):
    plan, natural = planned(full(widths), space=(30.0, 30.0)), planned(full(widths))

    assert plan.scale == natural.scale == 1.0
    assert plan.boxes[:, 2].max() == BOX
    assert widths == (4, 9, 1) or (plan.size == natural.size).all()


def test_in_a_narrow_space_boxes_move_together_before_letters_shrink():
    plan = planned(full((2, 5, 1)), space=(3.0, 4.0))

    assert plan.size[0] < planned(full((2, 5, 1))).size[0] / 2
    assert plan.scale > 0.9
    assert plan.boxes[:, 2].min() * plan.scale > 0.28


def test_in_a_low_space_a_wide_picture_is_better_than_one_that_is_narrow_and_high():
    plan = planned(full((4, 9, 1)), space=(4.0, 2.0))

    assert plan.boxes[:, 2].min() * plan.scale > 0.1  # 0.066 in the narrow one


def test_wide_names_widen_a_small_picture_and_stand_upright_in_a_wide_one():
    """Three inches of text for each of 2 and of 12 inputs."""
    small, wide = (planned(full((n, 1)), (["m" * 22] * n, ["y"])) for n in (2, 12))

    assert {label.angle for label in small.labels} == {0.0}
    assert small.size[0] > 6.0
    assert [label.angle for label in wide.labels] == [90.0] * 12 + [0.0]
    assert wide.size[1] > planned(full((12, 1))).size[1] + 2.5


def test_a_hundred_upright_names_are_small_enough_to_keep_apart():
    plan = planned(full((100, 1)), ([f"$x_{{{n}}}$" for n in range(100)], ["y"]))

    assert {label.angle for label in plan.labels[:100]} == {90.0}
    assert touching([label.extent for label in plan.labels]).tolist() == []


def test_upright_names_are_small_enough_for_the_highest_formula():
    names = [r"$\dfrac{momentum}{velocity}$"] + ["a long name of an input"] * 44

    plan = planned(full((45, 1)), (names, ["y"]))

    upright = [label.extent for label in plan.labels if label.angle]
    assert len(upright) == 45
    assert not len(touching(upright))


def test_title_and_note_stand_above_and_below_everything():
    plan = planned(full((2, 1)), title="up", note="down")
    name, title, note = (
        [label for label in plan.labels if label.role == role] for role in ("name", "title", "note")
    )

    assert [label.text for label in (*title, *note)] == ["up", "down"]
    assert title[0].extent[1] > max(label.extent[3] for label in name)
    assert note[0].extent[3] < min(label.extent[1] for label in name)


# --- the diagram of a network


def example(widths=(2, 5, 1), *, n_samples=40, seed=0, **options):
    rng = np.random.default_rng(seed)
    network = random_network(
        rng, widths=widths, degrees=[3], **{"dead": 0.0, "silent": 0.0} | options
    )
    return network, random_batch(rng, network.layers[0], n_samples)


def one_edge(name, affine):
    """A network of one input and one output whose edge is symbolic; a sine where no name is known."""
    function = LIBRARY.get(name, replace(LIBRARY["sin"], name=name))
    (layer,) = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers
    return kr.Network(
        (
            replace(
                layer,
                mask=[[0]],
                symbolic=[SymbolicEdge(0, 0, function, 0)],
                affine=[affine],
            ),
        )
    )


def heights(diagram, edge=0):
    """A curve's heights, 0 at the bottom of its box and 1 at the top."""
    _, bottom, _, height = diagram.plan.boxes[edge]
    return (diagram.curves[edge, :, 1] - bottom) / height


def is_active(layer):
    active = layer.mask == 1
    for edge in layer.symbolic:
        active[edge.output, edge.input] = True
    return active


@given(symbolic_cases(), st.floats(0.01, 100.0))
def test_edges_drawn_are_the_active_ones_with_their_scores_opacities_and_names(case, beta):
    network, x, _ = case
    scores = kr.edge_scores(network, x)

    diagram = lay_out(network, x, beta=beta)

    assert [tuple(edge) for edge in diagram.plan.edges] == [
        (n, j, i)
        for n, layer in enumerate(network.layers)
        for j, i in np.argwhere(is_active(layer)).tolist()
    ]
    expected = np.array([scores[n][j, i] for n, j, i in diagram.plan.edges])
    np.testing.assert_array_equal(diagram.scores, expected)
    np.testing.assert_allclose(diagram.alphas, np.tanh(beta * expected), rtol=1e-15)
    names = {
        (n, edge.output, edge.input): edge.name
        for n, layer in enumerate(network.layers)
        for edge in layer.symbolic
    }
    assert diagram.functions == tuple(
        names.get(tuple(edge), "") for edge in diagram.plan.edges.tolist()
    )


@given(symbolic_cases())
def test_a_node_is_a_sum_where_more_than_one_active_edge_enters(case):
    network, x, _ = case

    diagram = lay_out(network, x)

    for (row, index), is_sum in zip(diagram.plan.nodes, diagram.sums, strict=True):
        assert is_sum == (row > 0 and is_active(network.layers[row - 1])[index].sum() > 1)


@given(symbolic_cases())
def test_hidden_nodes_without_edges_are_left_out_inputs_and_outputs_never(case):
    network, x, _ = case
    active = [is_active(layer) for layer in network.layers]
    rows = [
        np.ones(network.widths[0]),
        *(a.any(axis=1) | b.any(axis=0) for a, b in pairwise(active)),
        np.ones(network.widths[-1]),
    ]

    shown = lay_out(network, x).plan.nodes

    assert [tuple(node) for node in shown] == [
        (n, i) for n, row in enumerate(rows) for i in np.flatnonzero(row)
    ]


@given(symbolic_cases(n_samples=st.integers(1, 9)))
def test_curves_keep_inside_their_boxes_and_run_from_side_to_side(case):
    network, x, _ = case

    diagram = lay_out(network, x)

    for (left, bottom, width, height), curve in zip(
        diagram.plan.boxes, diagram.curves, strict=True
    ):
        np.testing.assert_allclose(curve[[0, -1], 0], left + width * np.array([0.1, 0.9]))
        heights = curve[
            np.isfinite(curve[:, 1]), 1
        ]  # values far beyond those of the samples are cut off
        assert len(heights)
        assert (heights > bottom + 0.09 * height).all()
        assert (heights < bottom + 0.91 * height).all()


def test_a_curve_is_the_edges_own_over_the_range_of_its_samples_scaled_to_its_box():
    network, x = example((2, 3, 1))
    inputs = [x, kr.Network(network.layers[:1])(x)]

    diagram = lay_out(network, x)

    for edge, (n, j, i) in enumerate(diagram.plan.edges.tolist()):
        points = np.linspace(inputs[n][:, i].min(), inputs[n][:, i].max(), diagram.curves.shape[1])
        values = kr.edge_curve(network, n, output=j, input=i, x=points)
        np.testing.assert_allclose(
            heights(diagram, edge), 0.1 + 0.8 * (values - values.min()) / np.ptp(values), atol=1e-9
        )


def test_a_formula_leaves_the_upper_part_of_its_box_to_its_name():
    diagram = lay_out(one_edge("x^2", (1.0, 0.0, 1.0, 0.0)), [[-1.0], [1.0]])
    (caption,) = (label for label in diagram.plan.labels if label.role == "function")
    left, bottom, width, height = diagram.plan.boxes[0]

    assert (heights(diagram).min(), heights(diagram).max()) == pytest.approx((0.1, 0.1 + 0.8 * 0.7))
    assert caption.text == "$x^{2}$"
    assert caption.extent[1] > diagram.curves[0, :, 1].max() - 0.03
    assert caption.extent[3] < bottom + height
    assert left < caption.extent[0]
    assert caption.extent[2] < left + width


@for_all("name", sorted(LIBRARY))
@for_all("n_in", [1, 48])
def test_the_name_of_every_function_fits_in_its_box(name, n_in):
    network = kr.init_network(
        (n_in, 1), n_intervals=2, degree=3, domain=(0.1, 0.9), rng=np.random.default_rng(0)
    )
    edge = SymbolicEdge(0, 0, LIBRARY[name], 0)
    layer = replace(
        network.layers[0],
        mask=[[0.0] + [1.0] * (n_in - 1)],
        symbolic=[edge],
        affine=[[1.0, 0.0, 1.0, 0.0]],
    )

    diagram = lay_out(kr.Network((layer,)), np.full((2, n_in), [[0.1], [0.9]]))
    (caption,) = (label for label in diagram.plan.labels if label.role == "function")

    assert caption.extent[0] >= diagram.plan.boxes[0, 0]
    assert caption.extent[2] <= diagram.plan.boxes[0, :3:2].sum()
    assert caption.points / 72 <= 0.3 * 0.8 * diagram.plan.boxes[0, 3] + 1e-9


@for_all("name", ["exp(sin(arctan(cos(x^3))))", "log(gaussian(sin))", "gaussian", "tanh(exp(cos))"])
@for_all("space", [None, (1.2, 1.2), (0.6, 4.0)])
def test_letters_of_a_name_are_large_enough_to_read_and_the_rest_of_it_is_an_ellipsis(name, space):
    diagram = lay_out(one_edge(name, (1.0, 0.0, 1.0, 0.0)), [[0.1], [0.9]], space=space)
    (caption,) = (label for label in diagram.plan.labels if label.role == "function")
    left, _, width, height = diagram.plan.boxes[0]
    highest = min(FUNCTION_POINTS, 72.0 * 0.3 * 0.8 * height)  # of letters above the curve

    assert caption.points >= min(LEAST_POINTS / diagram.plan.scale, highest) - 1e-9
    assert left <= caption.extent[0] < caption.extent[2] <= left + width
    assert name.startswith(caption.text.removesuffix("\u2026"))
    assert (caption.text == name) == (not caption.text.endswith("\u2026"))
    if space is None:
        assert (caption.text == name) == (name == "gaussian")


def test_a_larger_ax_shows_more_of_a_name_and_the_network_has_the_whole_one():
    """As the docstring of draw_network says."""
    whole = "log(cosh(sqrt(exp)))"
    network = one_edge(whole, (1.0, 0.0, 1.0, 0.0))
    shown = []
    for inches in (0.5, 1.0, 2.0, 4.0):
        ax = Figure(figsize=(inches, inches)).add_axes((0.0, 0.0, 1.0, 1.0))
        draw_network(network, [[-1.0], [1.0]], ax=ax)
        shown += [text.get_text() for text in ax.texts if text.get_text().startswith("log")]
        assert len(shown) == (1.0, 2.0, 4.0).index(inches) + 1 if inches > 0.5 else not shown

    assert len(shown[0]) < len(shown[1]) < len(shown[2]) < len(whole)
    assert [edge.name for edge in network.layers[0].symbolic] == [whole]


def test_a_name_is_cut_off_between_letters_and_never_to_nothing():
    wide = 8 * "m"

    assert caption_text(wide, text_size(wide, 5.0)[0], 5.0) == wide
    assert caption_text(wide, text_size("mmmm", 5.0)[0], 5.0) == "mmm\u2026"
    assert caption_text("a$b$c$d$", text_size("aaaa", 5.0)[0], 5.0) == "a\\$\u2026"
    assert caption_text(wide, 0.0, 5.0) == "m\u2026"
    assert caption_text("x^2", 0.0, 5.0) == "x\u2026"
    assert caption_text("x", 0.0, 5.0) == "$x$"


def test_a_name_fades_with_its_edge_but_later():
    diagram = lay_out(one_edge("x", (1.0, 0.0, 0.01, 0.0)), [[-1.0], [1.0]])
    (caption,) = (label for label in diagram.plan.labels if label.role == "function")

    assert caption.opacity == pytest.approx(np.sqrt(np.tanh(0.03)))


@pytest.mark.parametrize("x", [[[0.3]], [[0.3], [0.3]]])
def test_one_sample_gives_a_level_curve_in_the_middle(x):
    network, _ = example((1, 1))

    np.testing.assert_allclose(heights(lay_out(network, x)), 0.5)


@pytest.mark.parametrize("value", [0.0, 2.5, -1e100, 1e-100])
def test_a_constant_edge_is_level(value):
    coef = np.full((1, 1, 7), value)
    network = kr.Network(
        (kr.Layer(kr.uniform_knots(-1.0, 1.0, 4, 3), coef, [[0.0]], [[1.0]], [[1.0]], 3),)
    )

    np.testing.assert_allclose(heights(lay_out(network, [[-0.9], [0.1], [0.9]])), 0.5)


@pytest.mark.parametrize("size", [1e-100, 1e100])
def test_tiny_and_huge_curves_have_the_same_shape(size):
    def diagram(size):
        return lay_out(one_edge("sin", (3.0, 0.0, size, 0.0)), np.linspace(-1.0, 1.0, 50)[:, None])

    np.testing.assert_allclose(heights(diagram(size)), heights(diagram(1.0)), atol=1e-12)
    assert diagram(size).alphas == pytest.approx(min(1.0, size))


def test_a_note_counts_the_edges_that_are_too_faint_to_see():
    network, x = example((3, 2, 1), seed=1)

    def notes(factors, **options):
        small = [
            replace(layer, w_base=factor * layer.w_base, coef=factor * layer.coef)
            for layer, factor in zip(network.layers, factors, strict=True)
        ]
        labels = lay_out(kr.Network(tuple(small)), x, **options).plan.labels
        return [label.text for label in labels if label.role == "note"]

    assert notes((1.0, 1.0)) == []
    assert notes((1e-19, 1.0), most_edges=4) == [
        "layer 0: the 4 strongest of 6 edges\n4 edges are too faint to see"
    ]
    assert notes((1e-19, 1.0), beta=1e19) == []
    shown = lay_out(one_edge("x", (1.0, 0.0, 0.006, 0.0)), [[1.0]]).plan.labels
    assert [label.text for label in shown if label.role == "note"] == ["1 edge is too faint to see"]


def test_a_film_counts_the_edges_that_are_faint_in_every_frame():
    frames = [one_edge("x", (1.0, 0.0, scale, 0.0)) for scale in (1e-9, 1.0)]

    both, alone = lay_out_all(frames, [[1.0]], [None] * 2), [lay_out(frames[0], [[1.0]])]

    for diagrams, n_notes in ((both, 0), (alone, 1)):
        for diagram in diagrams:
            assert [label.role for label in diagram.plan.labels].count("note") == n_notes


def test_a_pole_between_two_samples_is_cut_at_the_range_of_the_samples():
    """1/x between samples -1 and 1: range -1 to 1 at the samples, so all in between is out of the box."""
    diagram = lay_out(one_edge("1/x", (1.0, 0.0, 1.0, 0.0)), [[-1.0], [-0.5], [0.5], [1.0]])
    x = np.linspace(-1.0, 1.0, diagram.curves.shape[1])

    np.testing.assert_array_equal(np.isnan(heights(diagram)), np.abs(x) < 0.5)
    np.testing.assert_allclose(np.nanmax(heights(diagram)), 0.1 + 0.8 * 0.7)


def test_where_a_formula_is_not_defined_between_samples_nothing_is_drawn():
    """The middle of the grid is 0 exactly."""
    diagram = lay_out(one_edge("1/x", (1.0, 0.0, 1.0, 0.0)), [[-1.0], [1.0], [-0.01], [0.01]])

    assert np.isnan(heights(diagram)[diagram.curves.shape[1] // 2])
    assert np.isfinite(heights(diagram)[[0, -1]]).all()


def test_a_level_formula_too_has_gaps_where_it_is_not_defined():
    level = heights(lay_out(one_edge("1/x", (1.0, 0.0, 0.0, 2.0)), [[-1.0], [1.0]]))

    assert np.flatnonzero(np.isnan(level)).tolist() == [len(level) // 2]
    assert np.ptp(level[np.isfinite(level)]) == 0.0


def test_a_curve_that_its_few_samples_do_not_show_is_drawn_whole():
    """x^2 at -1 and 1 is the same number twice; the curve between them is not a pole."""
    diagram = lay_out(one_edge("x^2", (1.0, 0.0, 1.0, 0.0)), [[-1.0], [1.0]])

    assert np.isfinite(diagram.curves).all()


@for_all("frequency", [20.0, 41.3, 128.0 * np.pi, 400.0, 402.0, 2048.0 * np.pi, 1e5, 1e9])
def test_a_fast_oscillation_is_never_shown_as_a_slow_one(frequency):
    """It turns as often as it is, or fills the middle of the box in each tenth of its width."""
    x = np.linspace(-1.0, 1.0, 50)[:, None]
    curve = (heights(lay_out(one_edge("sin", (frequency, 0.3, 1.0, 0.0)), x)) - 0.1) / 0.56

    turns = (np.diff(curve)[1:] * np.diff(curve)[:-1] < 0.0).sum()
    tenths = np.array_split(curve, 10)
    is_band = all(tenth.min() < 0.1 and tenth.max() > 0.9 for tenth in tenths)

    assert turns == pytest.approx(2.0 * frequency / np.pi, abs=1.0) or is_band


@for_all("function", ["x", "x^2", "sqrt", "exp", "sin", "tanh", "abs"])
def test_a_slow_curve_has_few_points_at_even_places(function):
    (curve,) = lay_out(one_edge(function, (2.0, 2.0, 1.0, 0.0)), [[-1.0], [1.0]]).curves

    assert len(curve) == 129
    np.testing.assert_allclose(np.diff(curve[:, 0]), np.ptp(curve[:, 0]) / 128)


# --- names


def test_names_go_to_their_nodes_in_order():
    network, x = example((3, 2))

    diagram = lay_out(network, x, names=np.array(["a", "b", "c"]), output_names=["u", "v"])

    plan = diagram.plan
    for text, place in {"a": (0, 0), "b": (0, 1), "c": (0, 2), "u": (1, 0), "v": (1, 1)}.items():
        (label,) = (label for label in plan.labels if label.text == text)
        at = node(plan, *place)
        assert label.at[0] == pytest.approx(at[0])
        assert (label.at[1] < at[1]) == (place[0] == 0)


def test_names_that_are_the_columns_of_a_table_in_another_order_are_reported():
    network, x = example((3, 2))
    table = Frame.of("abc", x)

    for names in (("a", "b", "c"), ("$a$", "$b$", "$c$")):
        assert lay_out(network, table, names=names).plan.labels
    with pytest.raises(ValueError, match=r"^names is \('b', 'a', 'c'\), but the columns are"):
        lay_out(network, table, names=("b", "a", "c"))


def test_names_that_are_columns_of_a_table_begin_no_formula_and_others_do():
    network, x = example((3, 2))
    columns = ("cost ($), tax ($)", "$c$", "d")
    names, shown = (*columns[:2], "$d$"), (r"cost (\$), tax (\$)", r"\$c\$", "$d$")

    of_a_table = lay_out(network, Frame.of(columns, x), names=names)

    # as if these had been written by hand: the layout has their sizes, too
    assert of_a_table.plan.labels == lay_out(network, x, names=shown).plan.labels
    assert {*shown} <= {label.text for label in of_a_table.plan.labels}
    broken = Frame.of((" cost ($),\ntax ($)", *columns[1:]), x)
    assert lay_out(network, broken, names=names).plan.labels == of_a_table.plan.labels


@pytest.mark.parametrize(
    ("widths", "texts"),
    [((1, 1), ["$x$", "$y$"]), ((2, 3), ["$x_{1}$", "$x_{2}$", "$y_{1}$", "$y_{2}$", "$y_{3}$"])],
)
def test_without_names_inputs_are_x_and_outputs_y(widths, texts):
    assert [label.text for label in lay_out(*example(widths)).plan.labels] == texts


@for_all(
    ("name", "text"),
    [
        ("x", "$x$"),
        ("x^2", "$x^{2}$"),
        ("1/x^5", "$1/x^{5}$"),
        ("x^1.5", "$x^{1.5}$"),
        ("1/sqrt", r"$1/\sqrt{x}$"),
        ("J0", "J0"),
        ("exp", "exp"),
        ("a$b$", r"a\$b\$"),
        ("$x^{$", r"\$x^{\$"),
    ],
)
def test_functions_are_named_as_in_a_formula(name, text):
    assert function_text(name) == text


def test_the_size_of_a_text_counts_lines_and_letters():
    assert text_size("ab\nabcd\na", 10.0) == pytest.approx(
        (2 * text_size("ab", 10.0)[0], 3 * text_size("ab", 10.0)[1])
    )
    assert text_size("mm", 20.0)[0] == 2 * text_size("mm", 10.0)[0] > 2 * text_size("ii", 10.0)[0]
    assert text_size("", 10.0)[0] == 0.0


def test_the_size_of_a_formula_is_that_of_its_fractions_roots_and_words():
    plain = text_size("$x$", 10.0)

    assert text_size(r"$\sin$", 10.0)[0] > 2.0 * plain[0]
    assert text_size(r"$\dfrac{a}{b}$", 10.0)[1] > 1.4 * plain[1]
    assert text_size(r"$\sqrt{\dfrac{L}{g}}$", 10.0)[1] > text_size(r"$\dfrac{L}{g}$", 10.0)[1]
    assert text_size("$x^$", 10.0) == text_size("0x^0", 10.0)  # no formula: its letters are counted
    two = text_size("$\\dfrac{a}{b}$\n$x$", 10.0)
    assert two[1] == pytest.approx(text_size(r"$\dfrac{a}{b}$", 10.0)[1] + plain[1])


# --- wide layers


def test_a_wide_layer_shows_its_strongest_edges_and_says_so():
    network, x = example((30, 2, 1))
    scores = kr.edge_scores(network, x)[0]

    diagram = lay_out(network, x, most_edges=10)

    first = diagram.plan.edges[diagram.plan.edges[:, 0] == 0]
    strongest = np.argwhere(scores >= np.sort(scores, axis=None)[-10])
    np.testing.assert_array_equal(first[:, 1:], strongest)
    assert [label.text for label in diagram.plan.labels if label.role == "note"] == [
        "layer 0: the 10 strongest of 60 edges"
    ]
    assert sorted(diagram.plan.nodes[diagram.plan.nodes[:, 0] == 0, 1]) == sorted(
        set(strongest[:, 1])
    )
    assert (diagram.plan.edges[:, 0] == 1).sum() == 2


def test_dead_edges_are_not_counted_against_the_limit():
    network, x = example((30, 1))
    masked = kr.mask_edges(network, 0, np.arange(30)[None] % 3 == 0)

    diagram = lay_out(masked, x, most_edges=10)

    assert diagram.plan.edges[:, 2].tolist() == list(range(0, 30, 3))
    assert not [label for label in diagram.plan.labels if label.role == "note"]


def test_a_masked_edge_is_never_shown_for_an_active_one_that_is_zero():
    network, x = example((30, 1))
    masked = kr.mask_edges(
        network.with_theta(np.zeros(network.n_params)), 0, np.arange(30)[None] >= 15
    )

    assert lay_out(masked, x, most_edges=10).plan.edges[:, 2].tolist() == list(range(15, 25))


def test_nothing_at_all_can_be_laid_out():
    network, x = example((60, 60))

    diagram = lay_out(kr.mask_edges(network, 0, np.zeros((60, 60))), x)

    assert len(diagram.plan.edges) == len(diagram.plan.nodes) == 0
    assert (diagram.plan.size > 0).all()


def test_a_sum_counts_edges_that_are_not_shown():
    network, x = example((30, 1))

    assert lay_out(network, x, most_edges=1).sums.tolist() == [False, True]


# --- many networks in one layout


def film_of_three(title=None):
    """The same shape three times, with other parameters; one edge masked in the first, another in the second, a third in all."""
    network, x = example((2, 3, 1))
    masks = [[[0, 1], [1, 1], [1, 0]], [[1, 1], [1, 0], [1, 0]], [[1, 1], [1, 1], [1, 0]]]
    networks = [
        kr.mask_edges(network.with_theta(network.theta * (n + 1)), 0, mask)
        for n, mask in enumerate(masks)
    ]
    return networks, x, lay_out_all(networks, x, title or ["a", "a longer title", "b"])


def test_an_edge_keeps_its_place_in_all_frames_and_is_drawn_where_it_lives():
    networks, _, diagrams = film_of_three()
    places = {}

    for network, diagram in zip(networks, diagrams, strict=True):
        assert len(diagram.plan.edges) == sum(int(layer.mask.sum()) for layer in network.layers)
        for edge, box in zip(diagram.plan.edges.tolist(), diagram.plan.boxes, strict=True):
            np.testing.assert_array_equal(places.setdefault(tuple(edge), box), box)
    assert len(places) == 5 + 3


def test_frames_have_one_size_one_set_of_nodes_and_their_own_titles():
    _, _, diagrams = film_of_three()

    for diagram in diagrams[1:]:
        np.testing.assert_array_equal(diagram.plan.size, diagrams[0].plan.size)
        np.testing.assert_array_equal(diagram.plan.node_at, diagrams[0].plan.node_at)
    titles = [
        [label.text for label in diagram.plan.labels if label.role == "title"]
        for diagram in diagrams
    ]
    assert titles == [["a"], ["a longer title"], ["b"]]


@pytest.mark.parametrize("high", ["a\nb\nc\nd", r"$\sqrt{\dfrac{\dfrac{a}{b}}{c}}$"])
def test_frames_have_room_for_the_widest_and_the_highest_title(high):
    titles = [high, "w" * 80, None]

    for diagram in film_of_three(titles)[2]:
        for label in diagram.plan.labels:
            assert min(label.extent) > 0.0
            assert label.extent[2] < diagram.plan.size[0]
            assert label.extent[3] < diagram.plan.size[1]


def test_a_frame_shows_its_own_network_as_it_would_be_shown_alone():
    networks, x, diagrams = film_of_three()

    for network, diagram in zip(networks, diagrams, strict=True):
        alone = lay_out(network, x)
        np.testing.assert_array_equal(diagram.plan.edges, alone.plan.edges)
        np.testing.assert_array_equal(diagram.alphas, alone.alphas)
        for edge in range(len(diagram.curves)):
            np.testing.assert_allclose(heights(diagram, edge), heights(alone, edge), atol=1e-12)


def test_the_strongest_edges_of_a_film_are_those_strong_in_any_frame():
    network, x = example((6, 1))
    (layer,) = network.layers
    loud = [
        kr.Network((replace(layer, w_base=layer.w_base * f, w_spline=layer.w_spline * f),))
        for f in np.eye(6)[[4, 1]] * 1e3 + 1e-3
    ]

    diagrams = lay_out_all(loud, x, [None, None], most_edges=2)

    assert [diagram.plan.edges[:, 2].tolist() for diagram in diagrams] == [[1, 4], [1, 4]]


# --- input validation

NET, X = example((2, 3, 1))


@for_all(
    ("changes", "error", "sentence"),
    [
        ({"network": None}, TypeError, "network is None, but must be a Network"),
        (
            {"x": np.zeros((0, 2))},
            ValueError,
            r"x has shape \(0, 2\), but curves over samples need at least one",
        ),
        (
            {"x": [[0.1, np.nan]]},
            ValueError,
            "x contains nan at row 0, column 1, but needs finite numbers",
        ),
        ({"x": [[0.1]]}, ValueError, r"x has shape \(1, 1\), but needs shape \(batch, 2\)"),
        ({"names": ("a", "b", "c")}, ValueError, "names has 3 entries, but 2 inputs need 2"),
        ({"output_names": ()}, ValueError, "output_names has 0 entries, but 1 outputs need 1"),
        ({"names": "ab"}, TypeError, "names is 'ab', but must be a sequence of 2 str"),
        ({"names": ("a", 2)}, TypeError, r"names is \('a', 2\), but must be a sequence of 2 str"),
        ({"output_names": 7}, TypeError, "output_names is 7, but must be a sequence of 1 str"),
        (
            {"names": {"a", "b"}},
            TypeError,
            "but must be a sequence of 2 str",
        ),
        ({"beta": 0}, ValueError, "beta is 0, but must be above 0"),
        ({"beta": -1.0}, ValueError, "beta is -1.0, but must be above 0"),
        ({"beta": np.nan}, ValueError, "beta is nan, but must be finite"),
        ({"beta": "3"}, TypeError, "beta is '3', but must be a real number"),
        ({"title": 5}, TypeError, "title is 5, but must be a str"),
        (
            {"names": ("a", "b\ud800c")},
            ValueError,
            r"names\[1\] is 'b\\ud800c', but '\\ud800' is half of a surrogate pair and no character: "
            "write the whole character, or decode",
        ),
        ({"output_names": ("\udfff",)}, ValueError, r"output_names\[0\] is '\\udfff', but"),
        ({"title": "$\udc00$"}, ValueError, r"title is '\$\\udc00\$', but '\\udc00' is half of"),
        ({"most_edges": 0}, ValueError, "most_edges is 0, but must be at least 1"),
        (
            {"space": (0.0, 3.0)},
            ValueError,
            r"space is \(0.0, 3.0\), but must be a width and a height above 0",
        ),
    ],
)
def test_a_bad_argument_is_refused_by_name(changes, error, sentence):
    settings = {"network": NET, "x": X} | changes

    with pytest.raises(error, match=sentence):
        lay_out(settings.pop("network"), settings.pop("x"), **settings)


def test_networks_of_other_widths_are_refused_by_number():
    other, _ = example((2, 1))

    with pytest.raises(
        ValueError, match=r"networks\[1\] has widths \(2, 1\), but networks\[0\] has \(2, 3, 1\)"
    ):
        lay_out_all([NET, other], X, [None, None])
    with pytest.raises(TypeError, match=r"networks\[0\] is 3, but must be a Network"):
        lay_out_all([3, NET], X, [None, None])


def test_numbers_that_overflow_on_the_way_are_refused_without_a_warning():
    with pytest.raises(ValueError, match=r"x\[0\] gives output 0 of layer 0 a value beyond"):
        lay_out(NET.with_theta(np.full(NET.n_params, 1e308)), X)


def test_a_sample_outside_the_domain_of_a_formula_is_refused():
    with pytest.raises(ValueError, match=r"x\[1\] gives log"):
        lay_out(one_edge("log", (1.0, 0.0, 1.0, 0.0)), [[1.0], [-1.0]])


def test_locked_edges_are_each_drawn():
    network = with_formulas(np.random.default_rng(0), NET, share=1.0, locked=1.0)
    assert all(len(layer.affine) == 1 for layer in network.layers)

    diagram = lay_out(network, X)

    assert [len(set(diagram.functions[:6])), len(set(diagram.functions[6:]))] == [1, 1]
    assert len(diagram.functions) == 9
