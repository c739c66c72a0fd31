"""Diagrams as Matplotlib paints them: all of a diagram is on the Axes, letters do not overlap, films are written completely or not at all."""

import cProfile
import io
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from matplotlib.animation import PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from networks import with_formulas
from PIL import Image

import kan_ref as kr
from kan_ref.drawing import draw_network, film, painting, save_film
from kan_ref.drawing.diagram import lay_out
from kan_ref.functions.library import LIBRARY
from kan_ref.network.symbolic_edges import SymbolicEdge


def example(widths=(2, 5, 1), *, formulas=0.0, seed=0):
    rng = np.random.default_rng(seed)
    network = kr.init_network(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    return with_formulas(rng, network, share=formulas), rng.uniform(-1.0, 1.0, (50, widths[0]))


def painted(ax):
    """The lines and boxes of an Axes in the order of painting: wires, frames, curves."""
    wires, curves, _ = (item for item in ax.collections if isinstance(item, LineCollection))
    (frames,) = (item for item in ax.collections if isinstance(item, PolyCollection))
    return wires, frames, curves


def pixels(figure):
    """The picture (height, width, 3), numbers from 0 to 255."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].astype(int)


def place(figure, diagram, at):
    """Row and column of the pixel at a point of a diagram that fills its figure."""
    x, y = np.asarray(at) / np.ceil(diagram.plan.size * 100) * 100
    height, width, _ = pixels(figure).shape
    return int(height - y * height), int(x * width)


def frames(path):
    """All frames of a film, (n, height, width, 3), and their data in the file."""
    with Image.open(path) as film:
        shots, reported = [], dict(film.info)
        for number in range(film.n_frames):
            film.seek(number)
            shots.append(np.asarray(film.convert("RGB")).astype(int))
    return np.array(shots), reported


# --- one picture


def test_the_axes_shows_the_wires_boxes_and_curves_of_the_diagram():
    network, x = example(formulas=0.3)
    diagram = lay_out(network, x)

    wires, boxes, curves = painted(draw_network(network, x))

    np.testing.assert_allclose(
        wires.get_segments(), np.concatenate([diagram.plan.wires_in, diagram.plan.wires_out])
    )
    np.testing.assert_allclose(curves.get_segments(), diagram.curves)
    found = np.array([path.get_extents().bounds for path in boxes.get_paths()])
    np.testing.assert_allclose(found, diagram.plan.boxes)


def test_splines_are_black_and_formulas_red_all_as_opaque_as_the_diagram_says():
    network, x = example(formulas=0.4)
    diagram = lay_out(network, x, beta=2.0)
    wires, boxes, curves = painted(draw_network(network, x, beta=2.0))
    n_edges = len(diagram.alphas)

    for colors in (
        wires.get_color()[:n_edges],
        wires.get_color()[n_edges:],
        boxes.get_edgecolor(),
        curves.get_color(),
    ):
        np.testing.assert_allclose(np.asarray(colors)[:, 3], diagram.alphas)
        tones = ["#c1121f" if name else "#1a1a1a" for name in diagram.functions]
        assert [to_hex(color) for color in colors] == tones
    assert "" in diagram.functions
    assert any(diagram.functions)


def test_boxes_cover_what_lies_behind_and_lie_over_the_wires():
    wires, boxes, curves = painted(draw_network(*example()))

    assert {to_hex(color) for color in boxes.get_facecolor()} == {"#ffffff"}
    assert (boxes.get_facecolor()[:, 3] == 1.0).all()
    assert wires.get_zorder() < boxes.get_zorder() < curves.get_zorder()


def test_texts_stand_where_the_diagram_says_with_its_sizes_angles_and_opacities():
    network, x = example((12, 2), formulas=0.3)
    options = {"names": ["a long name of an input"] * 12, "title": "above"}
    labels = lay_out(network, x, **options).plan.labels

    texts = draw_network(network, x, **options).texts

    assert len(texts) == len(labels) > 14
    for text, label in zip(texts, labels, strict=True):
        assert (text.get_text(), text.get_position(), text.get_rotation()) == (
            label.text,
            label.at,
            label.angle,
        )
        assert (text.get_fontsize(), text.get_va(), text.get_alpha()) == (
            label.points,
            label.anchor,
            label.opacity,
        )
        assert to_hex(text.get_color()) == ("#c1121f" if label.role == "function" else "#1a1a1a")


NAMES = {
    "default": None,
    "words": ("longitudinal translation", "x", "Meridional Translation", "W_max", "0.5", "illicit"),
    "formulas": (
        r"$\theta_{12}$",
        r"$\alpha^2$",
        "$m_e$",
        r"$\sin \omega t$",
        "$x$",
        r"$\frac{a}{b}$",
    ),
    "high": (
        r"$\sqrt{\dfrac{L}{g}}$",
        r"$\dfrac{a}{b}$",
        r"$\sum_{i=1}^{n} x_i$",
        r"$\int_0^1 f$",
        r"$\sin\cos$",
        "$x$\nand more",
    ),
}


@for_all("names", NAMES.values(), ids=NAMES)
@for_all("space", [None, (2.0, 3.0), (9.0, 5.0)])
def test_real_letters_overlap_nothing_and_lie_in_the_picture(names, space):
    network, x = example((6, 4), formulas=0.5)
    ax = None if space is None else Figure(figsize=space).add_axes((0.0, 0.0, 1.0, 1.0))

    ax = draw_network(
        network,
        x,
        ax=ax,
        names=names,
        output_names=["a", r"$\dfrac{\dfrac{b}{c}}{d}$", "W" * 9, "d"],
        title="$\\sum_{i=1}^{n} x_i$\nA Title",
    )

    figure = ax.figure
    texts = [text.get_window_extent() for text in ax.texts if text.get_color() != painting.RED]
    boxes = [path.get_extents(ax.transData) for path in painted(ax)[1].get_paths()]
    for n, text in enumerate(texts):
        assert not any(text.overlaps(other) for other in [*texts[:n], *boxes])
        assert figure.bbox.x0 <= text.x0 < text.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= text.y0 < text.y1 <= figure.bbox.y1


def test_names_of_functions_lie_in_their_boxes_and_off_the_curves():
    long = ("log(x^2)", "tanh(exp(cos))", "exp(sin(arctan(cos(x^3))))", "log(gaussian(sin))")
    functions = [*LIBRARY.values(), *(replace(LIBRARY["sin"], name=name) for name in long)]
    n = len(functions)
    network, _ = example((n, 1))
    edges = [SymbolicEdge(0, i, function, i) for i, function in enumerate(functions)]
    (layer,) = network.layers
    affine = np.tile([1.0, 0.0, 1.0, 0.0], (n, 1))
    network = kr.Network((replace(layer, mask=np.zeros((1, n)), symbolic=edges, affine=affine),))

    ax = draw_network(network, np.full((2, n), [[0.1], [0.9]]))

    texts = [text.get_window_extent() for text in ax.texts if text.get_color() == painting.RED]
    _, boxes, curves = painted(ax)
    assert len(texts) == n
    for text, box, curve in zip(texts, boxes.get_paths(), curves.get_segments(), strict=True):
        around = box.get_extents(ax.transData)
        assert around.x0 <= text.x0 < text.x1 <= around.x1
        assert text.y1 <= around.y1
        # with the room below letters, which old versions of Matplotlib measure 0.3 pixels larger
        assert text.y0 > ax.transData.transform(curve)[:, 1].max() - 3.5


def test_a_figure_of_its_own_has_the_natural_size_and_nothing_else_on_it():
    network, x = example()

    ax = draw_network(network, x, title="t")

    size = lay_out(network, x, title="t").plan.size
    assert (np.abs(ax.figure.get_size_inches() - size) < 0.011).all()
    assert ax.figure.axes == [ax]
    assert not ax.axison


def test_sums_are_circles_with_a_plus_and_other_nodes_are_dots():
    network, x = example((2, 2, 1))
    network = kr.mask_edges(network, 0, [[1, 1], [1, 0]])
    diagram = lay_out(network, x)

    figure = draw_network(network, x).figure

    picture = pixels(figure)
    off_centre = np.array([0.025, 0.025])  # inside the circle, beside the plus
    for at, is_sum in zip(diagram.plan.node_at, diagram.sums, strict=True):
        row, column = place(figure, diagram, at)
        assert picture[row - 1 : row + 2, column - 1 : column + 2].min() < 100
        assert (picture[place(figure, diagram, at + off_centre)].min() > 200) == is_sum
    assert diagram.sums.sum() == 2


def test_dead_edges_leave_no_mark():
    """A network with all edges but one masked paints as much ink as one edge does."""
    network, x = example((2, 1))
    one = kr.mask_edges(network, 0, [[0, 1]])

    wires, boxes, curves = painted(draw_network(one, x))

    assert [len(wires.get_segments()), len(boxes.get_paths()), len(curves.get_segments())] == [
        2,
        1,
        1,
    ]


# --- on a given Axes


def test_a_given_axes_is_used_and_returned_and_its_neighbours_stay():
    network, x = example()
    figure = Figure(figsize=(8.0, 4.0))
    left, right = figure.subplots(1, 2)

    assert draw_network(network, x, ax=right) is right
    assert len(right.collections) == 6
    assert len(left.collections) == 0
    assert left.axison
    assert figure.axes == [left, right]


@pytest.mark.parametrize(
    ("face", "card"),
    [
        ("#000000", True),
        ("#808080", True),  # red letters would have a contrast of 1.5
        ("#00000080", True),
        ("#ffffff", False),
        ("#fdf6e3", False),
        ("#00000000", False),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_on_a_page_on_which_it_could_not_be_read_a_diagram_has_a_white_background(
    face, card, nested
):
    network, x = example(formulas=0.5)
    figure = Figure(figsize=(5.0, 4.0), facecolor="#ffffff" if nested else face)
    home = figure.subfigures(1, 1) if nested else figure
    home.set_facecolor(face)

    ax = draw_network(network, x, ax=home.add_axes((0.1, 0.1, 0.8, 0.8)), title="title")

    FigureCanvasAgg(figure).draw()
    colours = np.asarray(figure.canvas.buffer_rgba()) / 255.0
    shown = 255.0 * (1.0 - colours[:, :, 3:] * (1.0 - colours[:, :, :3]))  # on white paper
    page = 255.0 * painting.page_colour(home)
    inside = ax.get_window_extent()
    row, column = shown.shape[0] - int(inside.y1) + 3, int(inside.x0) + 3
    np.testing.assert_allclose(shown[2, 2], page, atol=1)
    np.testing.assert_allclose(shown[row, column], [255, 255, 255] if card else page, atol=1)


def test_a_dark_subfigure_of_a_light_figure_and_the_other_way_round_are_told_apart():
    for outer, inner in (("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#000000", "none")):
        figure = Figure(facecolor=outer)
        home = figure.subfigures(1, 1)
        home.set_facecolor(inner)
        expected = outer if inner == "none" else inner
        assert to_hex(painting.page_colour(home)) == expected


def test_contrast_is_that_of_the_guidelines():
    black, white, grey = (np.full(3, part) for part in (0.0, 1.0, 119.0 / 255.0))

    assert painting.contrast(black, white) == painting.contrast(white, black) == 21.0
    assert painting.contrast(grey, white) == pytest.approx(4.48, abs=0.005)  # of #777777
    assert painting.is_readable_on(white)


def test_a_figure_of_its_own_is_white_whatever_colour_it_is_saved_with():
    """A style for dark pages sets savefig.facecolor to black."""
    figure = draw_network(*example((2, 3, 1))).figure
    stream, plain = io.BytesIO(), io.BytesIO()

    figure.savefig(plain, format="png")
    with mpl.rc_context({"savefig.facecolor": "black"}):
        figure.savefig(stream, format="png")

    assert stream.getvalue() == plain.getvalue()


def test_a_figure_of_its_own_does_not_depend_on_the_users_layout_engine():
    plain = pixels(draw_network(*example((2, 1))).figure)

    with mpl.rc_context({"figure.constrained_layout.use": True}):
        constrained = pixels(draw_network(*example((2, 1))).figure)

    np.testing.assert_array_equal(constrained, plain)


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_on_a_given_axes_letters_shrink_with_the_picture(layout):
    network, x = example((4, 9, 1))
    figure = Figure(figsize=(3.0, 2.0), layout=layout)

    ax = draw_network(network, x, ax=figure.subplots(), title="title")

    figure.draw_without_rendering()
    boxes = np.array([path.get_extents(ax.transData).bounds for path in painted(ax)[1].get_paths()])
    width, height = figure.canvas.get_width_height()
    assert (boxes[:, :2] >= 0.0).all()
    assert (boxes[:, 0] + boxes[:, 2] <= width).all()
    assert (boxes[:, 1] + boxes[:, 3] <= height).all()
    (title,) = (text for text in ax.texts if text.get_text() == "title")
    assert 2.0 < title.get_fontsize() < 9.0
    assert title.get_fontsize() / 11.0 == pytest.approx(painted(ax)[2].get_linewidth()[0] / 1.5)


@for_all(("aspect", "layout"), [(1.0, None), (0.25, "constrained"), (4.0, "tight")])
def test_on_an_axes_with_an_aspect_of_its_box_all_of_a_diagram_is_seen(aspect, layout):
    network, x = example((4, 5, 1))
    ax = Figure(figsize=(6.0, 4.0), layout=layout).subplots()
    ax.set_box_aspect(aspect)

    draw_network(network, x, ax=ax)

    ax.figure.draw_without_rendering()
    boxes = np.array(
        [path.get_extents(ax.transData).extents for path in painted(ax)[1].get_paths()]
    )
    assert (boxes[:, :2] >= ax.bbox.p0).all()
    assert (boxes[:, 2:] <= ax.bbox.p1).all()
    np.testing.assert_allclose(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    assert ax.bbox.height / ax.bbox.width == pytest.approx(aspect)


def test_a_small_picture_stands_in_the_middle_of_a_large_axes():
    network, x = example((1, 1))
    figure = Figure(figsize=(10.0, 6.0))

    ax = draw_network(network, x, ax=figure.add_axes((0.0, 0.0, 1.0, 1.0)))

    (box,) = (path.get_extents(ax.transData) for path in painted(ax)[1].get_paths())
    assert box.width / figure.dpi == pytest.approx(0.54)
    assert (box.x0 + box.x1) / 2 == pytest.approx(500.0, abs=0.5)


def test_boxes_stay_square_when_a_figure_is_resized_later():
    ax = draw_network(*example(), ax=Figure(figsize=(6.0, 4.0)).subplots())

    ax.figure.set_size_inches(3.0, 7.0)
    ax.figure.draw_without_rendering()

    for box in painted(ax)[1].get_paths():
        around = box.get_extents(ax.transData)
        assert around.width == pytest.approx(around.height)


def test_an_axes_with_logarithmic_scales_becomes_a_plain_one():
    network, x = example()
    ax = Figure().subplots()
    ax.set_xscale("log")
    ax.set_yscale("log")

    draw_network(network, x, ax=ax)

    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")


def test_a_refusal_leaves_the_axes_as_it_was():
    network, x = example()
    ax = Figure(layout="constrained").subplots()

    for bad in ({"names": ("a",)}, {"names": ("$x^$", "b")}, {"beta": -1.0}):
        with pytest.raises(ValueError, match=r"name|beta"):
            draw_network(network, x, ax=ax, **bad)
    assert ax.axison
    assert len(ax.get_children()) == len(Figure().subplots().get_children())


def removed():
    ax = Figure().subplots()
    ax.remove()
    return ax


@pytest.mark.parametrize(
    ("ax", "error", "sentence"),
    [
        ("here", TypeError, "ax is 'here', but must be a Matplotlib Axes"),
        (Figure(), TypeError, "ax is <Figure size .*, but must be a Matplotlib Axes"),
        (
            Figure().subplots(subplot_kw={"projection": "polar"}),
            ValueError,
            "ax is polar, but must be rectilinear",
        ),
        (removed(), ValueError, "^ax was removed from its figure: give another Axes$"),
        (
            Figure().add_axes((0.0, 0.0, 0.5, 0.0)),
            ValueError,
            "ax is 3.2 by 0 inches, but needs a size above 0",
        ),
        (
            Figure().subplots(1, 2, sharex=True)[1],
            ValueError,
            "ax shares its limits with another Axes, .* without sharex",
        ),
        (
            Figure().subplots(2, 1, sharey="all")[0],
            ValueError,
            "ax shares its limits with another Axes, .* without sharex, sharey",
        ),
    ],
)
def test_an_axes_that_cannot_be_drawn_on_is_refused(ax, error, sentence):
    with pytest.raises(error, match=sentence):
        draw_network(*example(), ax=ax)


@pytest.mark.parametrize(
    "options",
    [
        {"title": r"$\nosuchletter$"},
        {"names": ["$x^$", "y"]},
        {"output_names": [r"$\frac{a}$"]},
        {"title": "5 $\n$x^$"},
        {"title": "$ 5% _ $"},
    ],
)
def test_a_formula_that_cannot_be_set_is_refused_before_drawing_with_a_remedy(options):
    with pytest.raises(
        ValueError,
        match=r"^(title|name) '\$.*\$' is not a formula that Matplotlib can set: correct it, "
        r"or write dollar signs that are letters as r'\\\$'$",
    ):
        draw_network(*example(), **options)


@pytest.mark.parametrize("text", ["5 $", r"a\$b\$", r"\$ 5% _ \$", "$a$\nplain $\n$b$", "_x_", ""])
def test_dollar_signs_that_make_no_formula_are_letters(text):
    figure = draw_network(*example(), title=text, names=[text, "b"]).figure

    assert pixels(figure).min() < 100


# --- odd networks


def odd_cases():
    network, x = example()
    (row,) = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers
    pole = kr.Network(
        (
            replace(
                row,
                mask=[[0]],
                symbolic=[SymbolicEdge(0, 0, LIBRARY["1/x"], 0)],
                affine=[[1.0, 0.0, 1.0, 0.0]],
            ),
        )
    )
    return {
        "one sample": (network, x[:1]),
        "zeros": (network.with_theta(np.zeros(network.n_params)), x),
        "huge": (network.with_theta(1e60 * network.theta), x),
        "huge inputs": (network, 1e100 * x),
        "all masked": (
            kr.mask_edges(kr.mask_edges(network, 0, np.zeros((5, 2))), 1, np.zeros((1, 5))),
            x,
        ),
        "pole": (pole, [[-1.0], [1.0], [0.5]]),
        "wide": example((200, 2, 60)),
        "formulas": example((3, 3, 3, 2), formulas=1.0),
    }


@for_all("case", odd_cases().values(), ids=odd_cases())
def test_odd_networks_are_drawn_without_a_warning(case):
    buffer = io.BytesIO()

    draw_network(*case).figure.savefig(buffer)

    assert buffer.getvalue().startswith(b"\x89PNG")


def test_a_picture_takes_fewer_than_200_000_calls():  # about 80 000, a tenth of a second
    network, x = example((2, 5, 1))
    draw_network(network, x).figure.savefig(io.BytesIO())
    profile = cProfile.Profile()

    profile.runcall(lambda: draw_network(network, x).figure.savefig(io.BytesIO()))

    assert sum(entry.callcount for entry in profile.getstats()) < 200_000


def test_drawing_touches_neither_pyplot_nor_settings(tmp_path):
    code = f"""
import sys, numpy as np, kan_ref as kr
from kan_ref.drawing import draw_network, save_film
assert "matplotlib" not in sys.modules
import matplotlib
settings = lambda: {{name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}}  # asking loads pyplot
before = settings()
network = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
draw_network(network, [[0.1, 0.2], [0.3, 0.4]]).figure.savefig({str(tmp_path / "a.png")!r})
save_film([network, network], [[0.1, 0.2], [0.3, 0.4]], {str(tmp_path / "a.gif")!r})
assert settings() == before
print("matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("False\n", "")


# --- films


def states(count=3):
    network, x = example((2, 3, 1))
    return [network.with_theta(network.theta * (1.0 + n)) for n in range(count)], x


def test_a_film_has_a_frame_for_every_network_at_the_speed_asked_for_and_repeats(tmp_path):
    networks, x = states(4)

    assert save_film(networks, x, tmp_path / "a.gif", frames_per_second=4) is None

    shots, reported = frames(tmp_path / "a.gif")
    assert len(shots) == 4
    assert (reported["duration"], reported["loop"]) == (250, 0)
    assert (np.abs(np.diff(shots, axis=0)).sum(axis=(1, 2, 3)) > 0).all()


@for_all(
    ("speed", "milliseconds"), [(50, 20), (40, 30), (100 / 3, 30), (29, 30), (22, 50), (6, 170)]
)
def test_a_frame_lasts_the_nearest_number_of_hundredths_of_a_second(speed, milliseconds, tmp_path):
    networks, x = states(2)

    save_film(networks, x, tmp_path / "a.gif", frames_per_second=speed)

    assert frames(tmp_path / "a.gif")[1]["duration"] == milliseconds


def test_in_a_film_nothing_moves_but_curves_and_titles(tmp_path):
    """Frames, wires and nodes: where the first frame has the outline of a box, all others have it."""
    network, x = example((2, 3, 1))
    loud = network.with_theta(20.0 * network.theta)  # all edges opaque
    networks = [loud.with_theta(loud.theta * factor) for factor in (1.0, 2.0, 3.0)]
    diagram = lay_out(loud, x, title="1 of 3")

    save_film(networks, x, str(tmp_path / "a.GIF"))

    shots, _ = frames(tmp_path / "a.GIF")
    assert shots.shape[1:3] == tuple(np.ceil(diagram.plan.size[::-1] * 100).astype(int))
    changed = np.abs(shots - shots[0]).max(axis=(0, 3)) > 60
    height = changed.shape[0]
    allowed = np.zeros_like(changed)
    areas = [
        (left, bottom, left + side, bottom + side) for left, bottom, side, _ in diagram.plan.boxes
    ]
    areas += [label.extent for label in diagram.plan.labels if label.role == "title"]
    for left, bottom, right, top in np.array(areas) * 100:
        allowed[
            int(height - top) + 1 : int(height - bottom) - 1, int(left) + 2 : int(right) - 1
        ] = True
    assert changed.any()
    assert not (changed & ~allowed).any()


def test_steps_of_a_run_become_a_film_that_tells_step_and_error(tmp_path, monkeypatch):
    steps, titles = [], []
    data = kr.sample("exp_sin", n_train=50, n_test=10, rng=np.random.default_rng(0))
    network, _ = example((2, 2, 1))
    kr.fit(network, data, optimizer="lbfgs", n_steps=3, callback=steps.append)
    paint = film.paint

    def spy(diagram, ax):
        titles.extend(label.text for label in diagram.plan.labels if label.role == "title")
        paint(diagram, ax)

    monkeypatch.setattr(film, "paint", spy)
    save_film(steps, data.x_train, tmp_path / "a.gif")
    save_film([step.network for step in steps[:2]], data.x_train, tmp_path / "b.gif")
    save_film(steps[:2], data.x_train, tmp_path / "c.gif", titles=("first", "second"))

    reported = [f"step {n}, train RMSE {step.train_rmse:.1e}" for n, step in enumerate(steps)]
    assert titles == [*reported, "1 of 2", "2 of 2", "first", "second"]
    assert len(reported) == 4


def test_a_film_takes_any_object_with_a_network_and_counts_frames_without_a_step_or_an_error(
    tmp_path, monkeypatch
):
    networks, x = states(3)
    titles = []
    paint = film.paint

    def spy(diagram, ax):
        titles.extend(label.text for label in diagram.plan.labels if label.role == "title")
        paint(diagram, ax)

    monkeypatch.setattr(film, "paint", spy)
    frames_of = [
        SimpleNamespace(network=networks[0]),
        SimpleNamespace(network=networks[1], step=7),
        SimpleNamespace(network=networks[2], step=8, train_rmse=0.25),
    ]
    save_film(frames_of, x, tmp_path / "a.gif")

    assert titles == ["1 of 3", "2 of 3", "step 8, train RMSE 2.5e-01"]
    assert len(frames(tmp_path / "a.gif")[0]) == 3


def test_a_film_ignores_settings_that_would_change_the_size_of_a_frame(tmp_path):
    networks, x = states(2)
    with mpl.rc_context(
        {
            "savefig.bbox": "tight",
            "savefig.transparent": True,
            "savefig.dpi": 37,
            "figure.facecolor": "black",
        }
    ):
        save_film(networks, x, tmp_path / "a.gif")
    save_film(networks, x, tmp_path / "b.gif")

    np.testing.assert_array_equal(frames(tmp_path / "a.gif")[0], frames(tmp_path / "b.gif")[0])


@pytest.mark.parametrize("setting", ["constrained_layout.use", "autolayout"])
def test_a_film_is_the_same_under_a_setting_of_a_layout_engine(tmp_path, setting):
    options = {"n_intervals": 3, "degree": 3, "rng": np.random.default_rng(0)}
    network = kr.init_network((2, 1), domain=(-1.0, 1.0), **options)
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (20, 2))

    save_film([network], x, tmp_path / "plain.gif")
    with mpl.rc_context({f"figure.{setting}": True}):
        save_film([network], x, tmp_path / "set.gif")

    assert (tmp_path / "set.gif").read_bytes() == (tmp_path / "plain.gif").read_bytes()


def test_a_film_replaces_an_older_file(tmp_path):
    networks, x = states(2)
    (tmp_path / "a.gif").write_bytes(b"old")

    save_film(networks, x, tmp_path / "a.gif")

    assert len(frames(tmp_path / "a.gif")[0]) == 2
    assert os.listdir(tmp_path) == ["a.gif"]


@pytest.mark.parametrize("step", ["grab_frame", "finish", "replace"])
@pytest.mark.parametrize("fault", [OSError(28, "no space left"), KeyboardInterrupt()], ids=type)
def test_a_failed_film_leaves_the_older_file_and_nothing_beside_it(
    tmp_path, monkeypatch, step, fault
):
    networks, x = states(2)
    (tmp_path / "a.gif").write_bytes(b"old")

    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(*((os, "replace") if step == "replace" else (PillowWriter, step)), fail)
    with pytest.raises(type(fault)) as caught:
        save_film(networks, x, tmp_path / "a.gif")

    assert (tmp_path / "a.gif").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.gif"]
    assert isinstance(fault, KeyboardInterrupt) or caught.value.filename == str(tmp_path / "a.gif")


def test_a_link_is_followed(tmp_path):
    networks, x = states(1)
    (tmp_path / "real.gif").write_bytes(b"old")
    (tmp_path / "link.gif").symlink_to(tmp_path / "real.gif")

    save_film(networks, x, tmp_path / "link.gif")

    assert (tmp_path / "link.gif").is_symlink()
    assert len(frames(tmp_path / "real.gif")[0]) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path):
    networks, x = states(1)

    with pytest.raises(FileNotFoundError, match=r"a\.gif"):
        save_film(networks, x, tmp_path / "nowhere" / "a.gif")


def test_a_place_that_takes_no_file_is_found_out_before_the_work(tmp_path, monkeypatch):
    networks, x = states(1)
    (tmp_path / "file").touch()

    def fail(*_):
        raise AssertionError("painted")

    monkeypatch.setattr(film, "paint", fail)
    with pytest.raises(NotADirectoryError):
        save_film(networks, x, tmp_path / "file" / "a.gif")


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"path": "a.mp4"}, ValueError, "path is 'a.mp4', but must end in '.gif'"),
        ({"path": 3}, TypeError, "path is 3, but must be a str or a pathlib.Path"),
        ({"path": b"a.gif"}, TypeError, "path is b'a.gif', but must be a str or a pathlib.Path"),
        ({"networks": []}, ValueError, "networks has 0 entries, but a film needs 1 to 500"),
        (
            {"networks": [states(1)[0][0]] * 501},
            ValueError,
            "networks has 501 entries, but a film needs 1 to 500",
        ),
        (
            {"networks": states(1)[0][0]},
            TypeError,
            "networks is Network.*, but must be a sequence of Network or Step",
        ),
        (
            {"networks": [states(1)[0][0], None]},
            TypeError,
            r"networks\[1\] is None, but must be a Network",
        ),
        (
            {"networks": [states(1)[0][0], example((2, 2, 1))[0]]},
            ValueError,
            r"networks\[1\] has widths \(2, 2, 1\), but networks\[0\]",
        ),
        ({"titles": ("a",)}, ValueError, r"titles is \('a',\), but must hold 2 str, one a frame"),
        ({"titles": "ab"}, ValueError, "titles is 'ab', but must hold 2 str, one a frame"),
        ({"titles": ("a", 3)}, TypeError, "title is 3, but must be a str"),
        ({"titles": ("a", "$x^$")}, ValueError, r"title '\$x\^\$' is not a formula"),
        (
            {"frames_per_second": 0},
            ValueError,
            "frames_per_second is 0, but must be between 0.1 and 50",
        ),
        (
            {"frames_per_second": "fast"},
            TypeError,
            "frames_per_second is 'fast', but must be a real number",
        ),
        (
            {"x": [[np.inf, 0.0]]},
            ValueError,
            "x contains inf at row 0, column 0, but needs finite numbers",
        ),
        ({"beta": 0.0}, ValueError, "beta is 0.0, but must be above 0"),
        ({"names": ("a",)}, ValueError, "names has 1 entries, but 2 inputs need 2"),
    ],
)
def test_a_bad_argument_is_refused_by_name_and_nothing_is_written(
    tmp_path, monkeypatch, changes, error, sentence
):
    monkeypatch.chdir(tmp_path)
    networks, x = states(2)
    settings = {"networks": networks, "x": x, "path": "a.gif"} | changes

    with pytest.raises(error, match=sentence):
        save_film(settings.pop("networks"), settings.pop("x"), settings.pop("path"), **settings)
    assert os.listdir(tmp_path) == []
