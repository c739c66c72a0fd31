"""What notebooks show: the HTML of records, read by a parser, and formulas for reading."""

import base64
import io
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy
from cases import for_all
from PIL import Image

import kan_ref as kr
from kan_ref.discovery import Discovery, DiscoveryStep
from kan_ref.drawing.representations import probe_points
from kan_ref.formulas import shown_formula

RNG = np.random.default_rng
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
