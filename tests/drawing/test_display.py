"""What notebooks show: HTML of records, formulas for reading, and the picture of a drawing.

tests/site builds pages with these outputs; here each piece is read by an HTML parser.
"""

import base64
import io
import struct
import subprocess
import sys
from copy import copy
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest
import sympy
from cases import for_all
from matplotlib.figure import Figure
from PIL import Image

import kan_ref as kr
from kan_ref.discovery.verdict import Verdict
from kan_ref.drawing import html_of
from kan_ref.drawing.pieces import probe_points
from kan_ref.formulas import mathml_texts, shown_formula

RNG = np.random.default_rng
X, Y = sympy.symbols("x y")
POINTS = RNG(0).uniform(-1.0, 1.0, (60, 2))
DATA = kr.Data(POINTS, POINTS[:, :1] + POINTS[:, 1:] ** 2, POINTS, POINTS[:, :1])
NET = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
RUN = kr.fit(NET, DATA, grids=(4, 8), n_steps=3)
VOID = {"img", "br", "hr"}


class Reader(HTMLParser):
    """Reads the tags, the texts and the pictures of a piece; raises an error if tags do not match."""

    def __init__(self, markup):
        super().__init__()
        self.open, self.tags, self.texts, self.images = [], set(), [], []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(self.texts)


def read(record):
    return Reader(record._repr_html_())


def discovery(expression, names=("x", "y"), notes=("made",)):
    """A discovery without a search: a formula, its network and a step."""
    from kan_ref.discovery import Discovery, DiscoveryStep

    outputs = expression if isinstance(expression, tuple) else (expression,)
    network = kr.from_formula(tuple(one.subs({X: X}) for one in outputs), names)
    steps = tuple(DiscoveryStep("name", note, network, 1.25e-3, 2.5e-3) for note in notes)
    scaler = kr.Scaler(np.zeros(2), np.ones(2), np.zeros(1), np.ones(1))
    verdict = Verdict("exact", ("the largest error is 1e-16",))
    return Discovery(expression, network, NET, steps, verdict, (), scaler, names)


def png_size(image):
    """Width and height of the picture of an img element, in pixels."""
    prefix, _, data = image["src"].partition(",")
    assert prefix == "data:image/png;base64"
    png = base64.b64decode(data)
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


# --- records


def test_a_network_is_shown_with_its_layers_and_its_picture():
    shown = read(NET)

    assert "Kolmogorov-Arnold network [2, 3, 1], 81 parameters" in shown.text
    assert "4 intervals, degree 3, [-1, 1]" in shown.text
    (image,) = shown.images
    width, height = png_size(image)
    assert image["alt"] == "diagram of a network of widths [2, 3, 1]"
    assert width == pytest.approx(2 * int(image["width"]), abs=2)  # sharp on fine screens
    assert height > 100


def test_spline_symbolic_and_masked_edges_are_counted():
    net = kr.fix_symbolic(NET, 0, output=0, input=0, name="sin")
    net = kr.mask_edges(net, 0, [[1, 0], [1, 1], [0, 1]])

    texts = read(net).texts

    place = texts.index("2 to 3")
    assert texts[place + 1 : place + 4] == ["3", "1", "2"]


def test_a_run_is_shown_with_its_errors_its_numbers_and_the_reason_why_it_stopped():
    shown = read(RUN)

    assert "Run of 6 steps" in shown.text
    assert f"{RUN.history.train_rmse[-1]:.4g}" in shown.texts
    assert f"{RUN.history.test_rmse[-1]:.4g}" in shown.texts
    assert f"Stopped: {RUN.stopped}." in shown.text
    assert len(shown.images) == 1


@for_all("options", [{}, {"validation_share": 0.25}])
def test_the_numbers_of_a_run_are_those_of_its_network(options):
    """Steps of this length overshoot, and move hidden grids."""
    run = kr.fit(NET, DATA, optimizer=kr.Adam(0.5), n_steps=12, **options)

    error = np.sqrt(np.mean((run.network(DATA.x_test) - DATA.y_test) ** 2))
    assert abs(error - run.history.test_rmse[-1]) > 0.01 * error
    assert f"{error:.4g}" in read(run).texts
    assert f"{run.history.seconds[-1]:.4g}" in read(run).texts


def test_a_run_without_a_step_and_one_of_an_mlp_are_shown_too():
    mlp = kr.fit(kr.init_mlp((2, 3, 1), activation="tanh", rng=RNG(0)), DATA, n_steps=2)

    assert read(kr.fit(NET, DATA, n_steps=0)).images == []
    assert "MLP([2, 3, 1]" in read(mlp).text


def test_a_run_of_errors_that_are_zero_or_nan_has_a_picture_of_the_others():
    history = copy(RUN.history)
    history.train_rmse = np.zeros_like(history.train_rmse)
    history.test_rmse = np.full_like(history.test_rmse, np.nan)

    assert read(replace(RUN, history=history)).images == []


def test_the_findings_of_a_run_are_listed_after_the_reason_why_it_stopped():
    far = replace(DATA, y_train=1e8 + DATA.y_train)
    run = kr.fit(NET, far, n_steps=0)

    shown = read(run).texts

    assert len(run.findings) > 0
    place = shown.index(f"Stopped: {run.stopped}.") + 1
    assert shown[place : place + len(run.findings)] == [str(one) for one in run.findings]


def test_a_discovery_is_shown_with_formula_steps_and_picture():
    shown = read(discovery(sympy.exp(1.5 * X) + Y**2, notes=("random", "trained")))

    assert {"math", "table", "img"} <= shown.tags
    assert "y**2 + exp(1.5*x)" in shown.text
    assert "random" in shown.text
    assert "trained" in shown.text
    assert "0.00125" in shown.texts


def test_verdict_alternatives_and_a_missing_network_are_shown():
    @dataclass
    class Discovery:
        formula: object = X
        network: object = None
        steps: tuple = ()
        verdict: str = "not explained: the error is 3 times the noise"
        alternatives: tuple = (SimpleNamespace(formula=1.23456789 * X, rmse=0.5, complexity=3),)

    shown = Reader(html_of(Discovery()))

    assert "not explained: the error is 3 times the noise" in shown.text
    assert "1.2346*x" in shown.texts
    assert shown.images == []


def test_alternatives_of_several_outputs_are_a_table_for_each_output_that_has_some():
    fronts = [
        tuple(SimpleNamespace(formula=n * X, rmse=0.5, complexity=n) for n in numbers)
        for numbers in ((2, 3), (), (5,))
    ]

    shown = read(replace(discovery((X, Y, X + Y)), alternatives=tuple(fronts)))

    titles = [place for place, one in enumerate(shown.texts) if one.startswith("Alternatives")]
    assert [shown.texts[place] for place in titles] == [
        "Alternatives for output 1",
        "Alternatives for output 3",
    ]
    cells = [[shown.texts.index(f"{n}*x") for n in (2, 3)], [shown.texts.index("5*x")]]
    assert titles[0] < min(cells[0]) < max(cells[0]) < titles[1] < min(cells[1])


def test_candidates_for_an_edge_are_a_table():
    suggestions = kr.suggest_symbolic(NET, POINTS, 0, output=0, input=0)

    shown = read(suggestions)

    assert f"{suggestions.best.rms:.1e}" in shown.texts
    assert f"and {len(suggestions) - 10} more" in shown.texts


@pytest.mark.parametrize("record", [DATA, NET.layers[0]], ids=["Data", "Layer"])
def test_other_records_are_shown_by_their_text(record):
    assert record._repr_html_() is None
    assert record._repr_latex_() is None


def test_a_discovery_has_its_formula_as_latex():
    assert discovery(X**2 * 1.5)._repr_latex_() == r"$\displaystyle 1.5 x^{2}$"
    several = discovery((X, Y))._repr_latex_()
    assert several == r"$\displaystyle \begin{aligned} & x \\ & y \end{aligned}$"


NAMES = ("<script>alert(1)</script>", 'a&b" onload="x', "50%", "$x^$", "lambda", "</math>")


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_and_never_markup(name):
    symbol = sympy.Symbol(name)
    expression = sympy.exp(symbol) + sympy.Function(name)(symbol)
    found = replace(discovery(X + Y), formula=expression)
    found = replace(found, steps=(replace(found.steps[0], note=name),), names=(name, "y"))

    shown = read(found)

    assert "script" not in shown.tags
    assert sum(name in one for one in shown.texts) >= 2  # in the formula's text and in the table
    assert len(shown.images) == 1
    assert not any("onload" in key for image in shown.images for key in image)


# --- pictures


def test_a_discovery_in_tiny_units_has_a_picture_whose_edges_can_be_seen():
    found = discovery(1e-19 * X + 1e-25 * Y**2)

    (image,) = read(found).images

    with Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2]))) as picture:
        red, green, _ = np.moveaxis(np.asarray(picture.convert("RGB")).astype(int), 2, 0)
    rows = np.flatnonzero((red - green > 100).any(axis=1))  # of symbolic edges
    assert np.ptp(rows) > 0.5 * len(red)


def test_a_network_that_is_undefined_on_its_grids_has_the_reason_in_place_of_a_picture():
    net = kr.fix_symbolic(NET, 0, output=0, input=0, name="log", affine=(1.0, -5.0, 1.0, 0.0))

    shown = read(net)

    assert shown.images == []
    assert "No picture: the network is undefined on the grids of its inputs" in shown.text


def test_a_network_that_is_defined_in_a_part_of_its_grids_is_drawn_there():
    net = kr.fix_symbolic(NET, 0, output=0, input=0, name="log")

    assert (probe_points(net)[:, 0] > 0.0).all()
    assert len(read(net).images) == 1


def test_a_large_network_is_described_without_a_picture():
    net = kr.init_network((200, 101), n_intervals=1, degree=1, domain=(-1.0, 1.0), rng=RNG(0))

    assert "No picture: 20200 edges are more than 20000" in read(net).text


def test_probe_points_fill_the_grids_of_all_inputs():
    net = kr.init_network(
        (3, 1), n_intervals=3, degree=2, domain=[(0, 1), (10, 20), (-1e6, 1e6)], rng=RNG(0)
    )
    x = (probe_points(net) - [0, 10, -1e6]) / [1, 10, 2e6]

    assert (x >= 0.0).all()
    assert (x <= 1.0).all()
    for column in x.T:
        assert np.histogram(column, bins=10, range=(0, 1))[0].min() >= 15


def test_the_same_record_gives_the_same_html():
    assert NET._repr_html_() == NET._repr_html_()


def test_a_drawing_without_an_axes_of_ones_own_shows_itself_in_a_notebook():
    ax = kr.draw_network(NET, POINTS)

    png, size = ax._repr_png_()
    assert struct.unpack(">II", png[16:24]) == (2 * size["width"], 2 * size["height"])
    assert ax.figure._repr_png_()[0] == png


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {**mpl.style.library["dark_background"]},
        {"font.size": 24.0, "lines.linewidth": 8.0, "font.family": ["serif"], "axes.grid": True},
        {"savefig.bbox": "tight", "savefig.transparent": True, "figure.autolayout": True},
    ],
    ids=["dark", "large", "saving"],
)
def test_pictures_in_a_notebook_do_not_depend_on_the_users_style(settings):
    """They stand on a white card: white letters, and lines of another width, could not be read there."""
    drawn = kr.draw_network(NET, POINTS)
    expected = [RUN._repr_html_(), NET._repr_html_(), drawn._repr_png_()]

    with mpl.rc_context(settings):
        before = dict(mpl.rcParams)
        assert [RUN._repr_html_(), NET._repr_html_(), drawn._repr_png_()] == expected
        assert dict(mpl.rcParams) == before


def test_a_drawing_in_an_axes_of_ones_own_leaves_it_as_it_is():
    ax = Figure().subplots()

    assert not hasattr(kr.draw_network(NET, POINTS, ax=ax), "_repr_png_")


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
        ("6.12345678e-44*exp(0.05*x) + 3.0", "6.1235e-44*exp(0.05*x) + 3"),  # of size 1 at 2000
        ("x*(1e-9 + y)", "x*(y + 1.0e-9)"),
        ("1e-20*x", "1.0e-20*x"),
        ("x**2.0/3", "x**2/3"),
        ("123456.7*x", "1.2346e+5*x"),
        ("pi*x + 1e-3", "pi*x + 0.001"),
    ],
)
def test_numbers_are_shown_with_five_digits_and_every_term_is_shown(expression, shown):
    assert str(shown_formula(sympy.sympify(expression))) == shown


def test_what_is_shown_has_the_values_of_the_formula_to_its_digits():
    rng = RNG(0)
    c = [sympy.Float(repr(float(value))) for value in rng.normal(size=4)]
    expression = c[0] * sympy.sin(c[1] * X + c[2]) + c[3] * Y**2

    shown = shown_formula(expression, digits=5)

    at = {X: 0.3, Y: -0.7}
    assert float(shown.subs(at)) == pytest.approx(float(expression.subs(at)), abs=1e-4)
    assert shown != expression


def test_several_formulas_are_shown_as_several():
    assert shown_formula((1.0 * X, 2.00000001 * Y)) == (X, 2 * Y)


@pytest.mark.parametrize(
    ("symbol", "markup"),
    [
        ("x", "<mi>x</mi>"),
        ("x_10", "<msub><mi>x</mi><mn>10</mn></msub>"),
        ("alpha", "<mi>&#945;</mi>"),
        ("speed", "<mtext>speed</mtext>"),
        ("x__2", "<mtext>x__2</mtext>"),
        ("a<b", "<mtext>a&lt;b</mtext>"),
    ],
)
def test_a_name_is_a_letter_with_a_subscript_or_upright_text(symbol, markup):
    (found,) = mathml_texts([sympy.Symbol(symbol)])

    assert found == f'<math displaystyle="true">{markup}</math>'
