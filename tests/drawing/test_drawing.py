"""Diagrams as Matplotlib paints them, and what notebooks show.

All of a diagram is on the Axes, letters do not overlap, films are written completely or not at all. The HTML of records is read by a parser.
"""

import base64
import io
import os
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
import sympy
from cases import for_all
from matplotlib.animation import PillowWriter
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from networks import with_formulas
from PIL import Image

import kan_ref as kr
from kan_ref.discovery import Discovery, DiscoveryStep
from kan_ref.drawing import draw_network, save_film
from kan_ref.drawing.diagram import lay_out
from kan_ref.drawing.painting import INK, RED
from kan_ref.drawing.representations import probe_points
from kan_ref.formulas import shown_formula

# --- diagrams as Matplotlib paints them: all of a diagram is on the Axes, letters do not overlap, films are written completely or not at all

RNG = np.random.default_rng


def example(widths=(2, 5, 1), *, formulas=0.0, seed=0):
    rng = RNG(seed)
    network = kr.init_network(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    return with_formulas(rng, network, share=formulas), rng.uniform(-1.0, 1.0, (50, widths[0]))


def diagram_of(network, x, title="", **options):
    return lay_out([network], x, [title], **options)[0]


def painted(ax):
    """The lines and boxes of an Axes in the order of painting: wires, frames, curves."""
    wires, curves = (item for item in ax.collections if isinstance(item, LineCollection))
    (frames,) = (item for item in ax.collections if isinstance(item, PolyCollection))
    return wires, frames, curves


def boxes_of(ax):
    """Left, bottom, right, top of the boxes in pixels."""
    return np.array([path.get_extents(ax.transData).extents for path in painted(ax)[1].get_paths()])


def pixels(figure):
    """The picture (height, width, 3), numbers from 0 to 255."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=figure.dpi)
    with Image.open(stream) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def frames(path):
    """All frames of a film, (n, height, width, 3), and their data in the file."""
    with Image.open(path) as film:
        shots, reported = [], dict(film.info)
        for number in range(film.n_frames):
            film.seek(number)
            shots.append(np.asarray(film.convert("RGB")).astype(int))
    return np.array(shots), reported


# --- one picture


def test_an_axes_shows_the_wires_boxes_curves_and_texts_of_the_diagram():
    network, x = example((12, 2), formulas=0.3)
    options = {"names": ["a long name of an input"] * 12, "beta": 2.0}
    diagram = diagram_of(network, x, "above", **options)
    plan = diagram.plan

    ax = draw_network(network, x, title="above", **options)

    wires, boxes, curves = painted(ax)
    np.testing.assert_allclose(wires.get_segments(), plan.wires)
    np.testing.assert_allclose(curves.get_segments(), diagram.curves)
    found = np.array([path.get_extents().bounds for path in boxes.get_paths()])
    np.testing.assert_allclose(found, plan.boxes[:, [0, 1, 2, 2]])
    for one, label in zip(ax.texts, plan.labels, strict=True):
        assert one.get_text() == label.text
        assert (*one.get_position(), one.get_va()) == (*label.at, label.va)
        assert (one.get_rotation(), one.get_fontsize()) == (label.angle, label.points)
        assert one.get_alpha() == label.alpha
        assert to_hex(one.get_color()) == (RED if label.role == "function" else INK)


def test_splines_are_black_and_formulas_red_as_opaque_as_the_diagram_says_over_white_boxes():
    network, x = example(formulas=0.4)
    diagram = diagram_of(network, x)
    wires, boxes, curves = painted(draw_network(network, x))

    for colors in (wires.get_color(), boxes.get_edgecolor(), curves.get_color()):
        np.testing.assert_allclose(np.asarray(colors)[:, 3], diagram.alphas)
        tones = [RED if name else INK for name in diagram.functions]
        assert [to_hex(color) for color in colors] == tones
    assert 0 < sum(name != "" for name in diagram.functions) < len(diagram.functions)
    assert {to_hex(color, keep_alpha=True) for color in boxes.get_facecolor()} == {"#ffffffff"}
    assert wires.get_zorder() < boxes.get_zorder() < curves.get_zorder()


NAMES = {
    "default": None,
    "words": ("longitudinal translation", "x", "Meridional Translation", "W_max", "0.5", "illicit"),
    "formulas": (r"$\theta_{12}$", r"$\alpha^2$", "$m_e$", r"$\dfrac{a}{b}$", "$x$\nand more", "b"),
}


@for_all("names", NAMES.values(), ids=NAMES)
@for_all("space", [None, (2.0, 3.0), (9.0, 5.0)])
def test_real_letters_overlap_nothing_and_lie_in_the_picture(names, space):
    network, x = example((6, 4), formulas=0.5)
    ax = None if space is None else Figure(figsize=space).add_axes((0.0, 0.0, 1.0, 1.0))

    ax = draw_network(network, x, ax=ax, names=names, output_names=["a", "$b$", "W" * 9, "d"], title="A\nTitle")

    texts = [text.get_window_extent() for text in ax.texts if text.get_color() != RED]
    boxes = [path.get_extents(ax.transData) for path in painted(ax)[1].get_paths()]
    for n, text in enumerate(texts):
        assert not any(text.overlaps(other) for other in [*texts[:n], *boxes])
        assert ax.figure.bbox.x0 <= text.x0 < text.x1 <= ax.figure.bbox.x1
        assert ax.figure.bbox.y0 <= text.y0 < text.y1 <= ax.figure.bbox.y1


def test_a_figure_of_its_own_has_the_natural_size_and_shows_itself_in_a_notebook():
    network, x = example()

    ax = draw_network(network, x, title="t")

    size = diagram_of(network, x, "t").plan.size
    assert (np.abs(ax.figure.get_size_inches() - size) < 0.011).all()
    assert ax.figure.axes == [ax]
    png, shown = ax._repr_png_()
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (2 * shown["width"], 2 * shown["height"])
    assert not hasattr(draw_network(network, x, ax=Figure().subplots()), "_repr_png_")


def test_sums_are_circles_with_a_plus_and_other_nodes_are_dots():
    network, x = example((2, 2, 1))
    network = kr.mask_edges(network, 0, [[1, 1], [1, 0]])
    diagram = diagram_of(network, x)

    ax = draw_network(network, x)

    picture = pixels(ax.figure)
    for at, is_sum in zip(diagram.plan.node_at, diagram.sums, strict=True):
        column, row = ax.transData.transform(at)
        around = picture[len(picture) - int(row) - 1, int(column)]
        beside = picture[len(picture) - int(row + 2) - 1, int(column + 2)]
        assert around.min() < 128
        assert (beside.min() > 200) == is_sum  # inside the circle, beside the plus
    assert diagram.sums.sum() == 2


# --- on a given Axes


def test_a_given_axes_is_used_and_returned_and_its_neighbours_stay():
    figure = Figure(figsize=(8.0, 4.0))
    left, right = figure.subplots(1, 2)

    assert draw_network(*example(), ax=right) is right
    assert (len(right.collections), len(left.collections), left.axison) == (3, 0, True)
    assert figure.axes == [left, right]


@for_all("layout", [None, "constrained", "tight"])
def test_on_a_given_axes_letters_and_lines_shrink_with_the_picture(layout):
    network, x = example((4, 9, 1))
    figure = Figure(figsize=(3.0, 2.0), layout=layout)

    ax = draw_network(network, x, ax=figure.subplots(), title="title")

    figure.draw_without_rendering()
    boxes = boxes_of(ax)
    assert (boxes[:, :2] >= 0.0).all()
    assert (boxes[:, 2:] <= figure.canvas.get_width_height()).all()
    np.testing.assert_allclose(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    (title,) = (text for text in ax.texts if text.get_text() == "title")
    assert 2.0 < title.get_fontsize() < 9.0
    assert title.get_fontsize() / 11.0 == pytest.approx(painted(ax)[2].get_linewidth()[0] / 1.5)


def test_a_small_picture_stands_in_the_middle_of_a_large_axes():
    network, x = example((1, 1))
    figure = Figure(figsize=(10.0, 6.0))

    ax = draw_network(network, x, ax=figure.add_axes((0.0, 0.0, 1.0, 1.0)))

    ((left, _, right, _),) = boxes_of(ax)
    assert (right - left) / figure.dpi == pytest.approx(0.54)
    assert (left + right) / 2 == pytest.approx(500.0, abs=0.5)


def test_a_diagram_has_a_white_background_on_a_dark_page():
    network, x = example()
    figure = Figure(figsize=(5.0, 4.0), facecolor="#000000")

    ax = draw_network(network, x, ax=figure.add_axes((0.1, 0.1, 0.8, 0.8)))
    own = draw_network(network, x).figure

    inside = ax.get_window_extent()
    shown = pixels(figure)
    assert shown[2, 2].max() == 0
    assert shown[-int(inside.y0) - 3, int(inside.x0) + 3].min() == 255
    with mpl.rc_context({"savefig.facecolor": "black"}):
        assert pixels(own)[2, 2].min() == 255


# --- odd networks


@for_all("widths", [(2, 5, 1), (30, 30), (100, 2, 30)])
def test_odd_networks_are_drawn_without_a_warning(widths):
    network, x = example(widths, formulas=0.5)
    masked = network
    for n, layer in enumerate(network.layers):
        masked = kr.mask_edges(masked, n, np.zeros_like(layer.mask))
    zero = network.with_theta(np.zeros(network.n_params))

    for case in ((network, x[:1]), (zero, x), (masked, x)):
        assert pixels(draw_network(*case).figure).size


TOUCHES = """
import sys, numpy as np, kan_ref as kr
kr.draw_network
assert "matplotlib" not in sys.modules
import matplotlib
settings = lambda: {one: matplotlib.rcParams[one] for one in matplotlib.rcParams if one != "backend"}
before, x = settings(), [[0.1, 0.2], [0.3, 0.4]]
grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0), "rng": np.random.default_rng(0)}
network = kr.init_network((2, 2, 1), **grid)
kr.draw_network(network, x).figure.savefig("a.png")
kr.save_film([network, network], x, "a.gif")
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""


def test_drawing_touches_neither_pyplot_nor_settings(tmp_path):
    subprocess.run([sys.executable, "-W", "error", "-c", TOUCHES], cwd=tmp_path, check=True)


# --- films


def states(count=3):
    network, x = example((2, 3, 1))
    return [network.with_theta(network.theta * (1.0 + n)) for n in range(count)], x


def test_a_film_has_a_frame_for_every_network_at_the_speed_asked_for_and_repeats(tmp_path):
    networks, x = states(4)

    assert save_film(networks, x, tmp_path / "a.gif", frames_per_second=4) is None

    shots, reported = frames(tmp_path / "a.gif")
    size = lay_out(networks, x, [f"{n} of 4" for n in range(4)])[0].plan.size
    assert shots.shape[:3] == (4, *np.ceil(size[::-1] * 100).astype(int))
    assert (reported["duration"], reported["loop"]) == (250, 0)
    assert (np.abs(np.diff(shots, axis=0)).sum(axis=(1, 2, 3)) > 0).all()


def test_steps_tell_their_number_and_error_and_other_objects_are_counted(tmp_path, monkeypatch):
    (one, two, three), x = states(3)
    steps = [SimpleNamespace(network=one, step=8, train_rmse=0.25), SimpleNamespace(network=two)]
    shown = []

    def spy(networks, x, titles, **options):
        shown.extend(titles)
        return lay_out(networks, x, titles, **options)

    monkeypatch.setattr("kan_ref.drawing.film.lay_out", spy)
    save_film([*steps, three], x, tmp_path / "a.gif")

    assert shown == ["step 8, train RMSE 2.5e-01", "2 of 3", "3 of 3"]


def test_a_film_ignores_settings_that_would_change_its_frames(tmp_path):
    networks, x = states(2)
    settings = {"savefig.bbox": "tight", "figure.facecolor": "black", "figure.autolayout": True}
    with mpl.rc_context(settings):
        save_film(networks, x, tmp_path / "a.gif")
    save_film(networks, x, tmp_path / "b.gif")

    np.testing.assert_array_equal(frames(tmp_path / "a.gif")[0], frames(tmp_path / "b.gif")[0])


def test_a_film_replaces_an_older_file_where_a_link_leads(tmp_path):
    networks, x = states(2)
    (tmp_path / "real.gif").write_bytes(b"old")
    (tmp_path / "link.gif").symlink_to(tmp_path / "real.gif")

    save_film(networks, x, tmp_path / "link.gif")

    assert len(frames(tmp_path / "real.gif")[0]) == 2
    assert sorted(os.listdir(tmp_path)) == ["link.gif", "real.gif"]


@pytest.mark.parametrize("step", ["grab_frame", "finish", "replace"])
@pytest.mark.parametrize("fault", [OSError(28, "no space left"), KeyboardInterrupt()], ids=type)
def test_a_failed_film_leaves_the_older_file_and_nothing_beside_it(tmp_path, monkeypatch, step, fault):
    networks, x = states(2)
    (tmp_path / "a.gif").write_bytes(b"old")

    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(*((os, "replace") if step == "replace" else (PillowWriter, step)), fail)
    with pytest.raises(type(fault)):
        save_film(networks, x, tmp_path / "a.gif")

    assert (tmp_path / "a.gif").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.gif"]


@for_all(
    ("changes", "error", "name"),
    [
        ({"path": "a.mp4"}, ValueError, "path"),
        ({"path": "nowhere/a.gif"}, FileNotFoundError, r".*nowhere/a\.gif"),
        ({"networks": []}, ValueError, "networks"),
        ({"titles": ("a",)}, ValueError, "titles"),
    ],
)
def test_a_bad_argument_of_a_film_is_refused_by_name_and_nothing_is_written(
    tmp_path, monkeypatch, changes, error, name
):
    monkeypatch.chdir(tmp_path)
    networks, x = states(2)

    with pytest.raises(error, match=f"^{name}"):
        save_film(**{"networks": networks, "x": x, "path": "a.gif"} | changes)
    assert os.listdir(tmp_path) == []


# --- what notebooks show: the HTML of records, read by a parser, and formulas for reading

X, Y = sympy.symbols("x y")
POINTS = RNG(0).uniform(-1.0, 1.0, (60, 2))
DATA = kr.Data(POINTS, POINTS[:, :1] + POINTS[:, 1:] ** 2, POINTS, POINTS[:, :1])
NET = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))


class Reader(HTMLParser):
    """Reads the tags, the texts and the pictures of a piece; raises an error if tags do not match."""

    def __init__(self, record):
        super().__init__()
        self.open, self.tags, self.text, self.images = [], set(), "", []
        self.feed(record._repr_html_())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def picture(image):
    """The picture of an img element, (height, width, 3), numbers from 0 to 255."""
    prefix, _, data = image["src"].partition(",")
    assert prefix == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as shown:
        return np.asarray(shown.convert("RGB")).astype(int)


def discovery(expression, names=("x", "y")):
    """A discovery without a search: a formula, its network and a step."""
    from kan_ref.discovery.verdict import Verdict

    outputs = expression if isinstance(expression, tuple) else (expression,)
    network = kr.from_formula(outputs, names)
    steps = (DiscoveryStep("name", "made", network, 1.25e-3, 2.5e-3),)
    scaler = kr.Scaler(np.zeros(2), np.ones(2), np.zeros(1), np.ones(1))
    verdict = Verdict("exact", ("the largest error is 1e-16",))
    return Discovery(expression, network, NET, steps, verdict, (), scaler, names)


# --- records


@for_all("record", [NET, kr.fit(NET, DATA, n_steps=2), discovery(X + Y**2)], ids=lambda one: "")
def test_a_record_with_a_network_is_shown_by_its_diagram_and_its_text(record):
    network = getattr(record, "network", record)

    shown = Reader(record)

    (image,) = shown.images
    assert repr(record) in shown.text
    assert str(list(network.widths)) in image["alt"]
    height, width, _ = picture(image).shape
    assert width == pytest.approx(2 * int(image["width"]), abs=2)  # sharp on fine screens
    assert height > 100
    assert record._repr_html_() == record._repr_html_()


def test_records_without_a_network_that_can_be_drawn_are_shown_by_their_text():
    undefined = kr.fix_symbolic(NET, 0, output=0, input=0, name="log", affine=(1.0, -5.0, 1.0, 0.0))
    large = kr.init_network((400, 101), n_intervals=2, degree=2, domain=(-1.0, 1.0), rng=RNG(0))
    suggestions = kr.suggest_symbolic(NET, POINTS, 0, output=0, input=0)
    found = replace(discovery(X), network=None)

    for record in (DATA, NET.layers[0], suggestions, undefined, large, found):
        assert record._repr_html_() is None
    assert found._repr_latex_() == r"$\displaystyle x$"


def test_the_formula_of_a_discovery_is_typeset_with_five_digits():
    found = discovery(sympy.exp(1.23456789 * X) + 1.5 * Y**2)

    latex = found._repr_latex_()

    assert "1.2346 x" in latex
    assert r"1.5 y^{2}" in latex
    assert rf"\({latex[1:-1]}\)" in Reader(found).text
    several = discovery((X, Y))._repr_latex_()
    assert several == r"$\displaystyle \begin{aligned} & x \\ & y \end{aligned}$"
    assert NET._repr_latex_() is None


@for_all("name", ["<script>alert(1)</script>", 'a&b" onload="x', "50%", "$x^$", "</pre>"])
def test_names_are_text_and_never_markup(name):
    found = replace(discovery(X + Y), formula=sympy.exp(sympy.Symbol(name)), names=(name, "y"))

    shown = Reader(found)

    assert shown.tags == {"p", "img", "pre"}
    assert name in shown.text
    assert set(shown.images[0]) == {"alt", "width", "style", "src"}


def test_a_discovery_in_tiny_units_has_a_picture_whose_edges_can_be_seen():
    (image,) = Reader(discovery(1e-19 * X + 1e-25 * Y**2)).images

    red, green, _ = np.moveaxis(picture(image), 2, 0)
    rows = np.flatnonzero((red - green > 100).any(axis=1))  # of symbolic edges
    assert np.ptp(rows) > 0.5 * len(red)


def test_a_network_that_is_defined_in_a_part_of_its_grids_is_drawn_there():
    net = kr.fix_symbolic(NET, 0, output=0, input=0, name="log")

    x = probe_points(net)

    assert (x[:, 0] > 0.0).all()
    assert np.isfinite(net(x)).all()
    assert len(Reader(net).images) == 1


def test_records_load_drawing_when_they_are_shown_and_not_before():
    code = "import sys, kan_ref as kr; kr.Network; kr.fit; print('kan_ref.drawing' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


# --- formulas for reading


@for_all(
    ("expression", "shown"),
    [
        ("sin(3.14159265*x) + 4.4e-17", "sin(3.1416*x) + 4.4e-17"),
        ("0.9999999999999998*x + 2.0", "x + 2"),
        ("x*(1e-9 + y)", "x*(y + 1.0e-9)"),
        ("x**2.0/3", "x**2/3"),
        ("123456.7*x", "1.2346e+5*x"),
    ],
)
def test_numbers_are_shown_with_five_digits_and_every_term_is_shown(expression, shown):
    assert str(shown_formula(sympy.sympify(expression))) == shown
