"""The explorer in a browser, from file://: handles dragged, sliders moved, knots inserted, files loaded, by pointer and by keyboard."""

import re
import shutil

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from networks import random_network, with_formulas
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import kan_ref as kr
from kan_ref.bspline.blossom import insert_knot
from kan_ref.io.document import json_document, network_from_plain

FOLDER = ROOT / "docs" / "explorer"
SIZES = {"desktop": (1200, 900), "phone": (360, 740)}


class Page:
    """The page in one size and one colour scheme, freshly loaded."""

    def __init__(
        self, driver, size="desktop", scheme="light", motion="reduce", folder=FOLDER, whole=True
    ):
        self.driver = driver
        width, height = SIZES[size]
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        if size == "phone":
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        else:
            driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            driver.set_window_size(width, height)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.get((folder / "index.html").as_uri())
        self.until(
            lambda: (
                self.all("#bases-plot .basis") and (self.all("#network-plot .edge") or not whole)
            )
        )

    def until(self, condition):
        WebDriverWait(self.driver, 60, poll_frequency=0.05).until(lambda _: condition())

    def run(self, code, *given):
        return self.driver.execute_script(code, *given)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, name):
        return self.one(f"#{name}").text.replace("\N{MINUS SIGN}", "-")

    def numbers(self, name):
        return [
            float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", self.text(name))
        ]

    def spline(self):
        """Knots, coefficients, degree as the page holds them."""
        return self.run(
            "const {knots, coef, degree, x} = KAN.splineState.state; return {knots, coef, degree, x};"
        )

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self):
        return self.run(
            "return document.activeElement.getAttribute('aria-label') || document.activeElement.id"
        )

    def set_slider(self, name, value):
        """By keyboard, as a reader would: Home, then steps to the right."""
        slider = self.one(f"#{name}")
        low, step = float(slider.get_attribute("min")), float(slider.get_attribute("step"))
        slider.send_keys(Keys.HOME)
        slider.send_keys(Keys.ARROW_RIGHT * round((value - low) / step))

    def middle(self, element):
        """Where the middle of an element is in the window, after it has been scrolled there."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        return self.run(
            "const b = arguments[0].getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2];",
            element,
        )

    def drag(self, element, down):
        """With the mouse, from the middle of an element, in two moves: the browser's own events, as a hand makes them."""
        x, y = self.middle(element)
        for kind, at, button in (
            ("Moved", 0, "none"),
            ("Pressed", 0, "left"),
            ("Moved", down / 2, "left"),
            ("Moved", down, "left"),
            ("Released", down, "left"),
        ):
            event = {
                "type": f"mouse{kind}",
                "x": x,
                "y": y + at,
                "button": button,
                "buttons": int(button == "left"),
                "clickCount": 1,
            }
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def load(self, path):
        before = self.text("network-name") + self.text("file-error")
        self.one("#file").send_keys(str(path))
        self.until(lambda: self.text("network-name") + self.text("file-error") != before)

    def complaints(self):
        """What the browser's console says, and the page itself."""
        return [entry["message"] for entry in self.driver.get_log("browser")] + [
            self.text("trouble")
        ] * self.one("#trouble").is_displayed()


@pytest.fixture
def page(chromium):
    shown = Page(chromium)
    yield shown
    assert shown.complaints() == []


@pytest.fixture
def phone(chromium):
    shown = Page(chromium, size="phone", scheme="dark")
    yield shown
    assert shown.complaints() == []


# --- bases and a curve


def test_sliders_change_degree_and_intervals_and_the_picture_with_them(page):
    assert (len(page.all("#bases-plot .basis")), len(page.all("#bases-plot .knot"))) == (8, 12)

    page.set_slider("degree", 2)
    page.set_slider("intervals", 7)

    assert len(page.all("#bases-plot .basis")) == 9
    assert len(page.all("#curve-plot .handle")) == 9
    assert len(page.all("#bases-plot .knot")) == 12
    assert len(page.all("#bases-plot .knot.outer")) == 4
    assert (
        page.text("count")
        == "7 intervals + degree 2 = 9 basis functions, on 12 knots, 4 of them outside [a, b]."
    )


def test_every_degree_is_drawn_with_one_interval_and_with_twelve(page):
    shapes = "return [...document.querySelectorAll('#bases-plot .basis, .curve, .slope')].map((path) => path.getAttribute('d'))"
    for degree in range(8):
        page.set_slider("degree", degree)
        for intervals in (1, 12):
            page.set_slider("intervals", intervals)

            lines = page.run(shapes)
            assert (
                len(lines) == degree + intervals + 3
            )  # the curve, its slope, and the edge in part 3
            assert all(line and "NaN" not in line for line in lines)


def test_a_dragged_handle_changes_its_coefficient_and_the_curve(page):
    before, line = page.spline(), page.one("#curve-plot .curve").get_attribute("d")
    handle = page.one(".handle[data-m='3']")

    page.drag(handle, -60)

    after = page.spline()
    scale = (
        page.run(
            "return document.querySelector('#curve-plot svg').getBoundingClientRect().height - 30"
        )
        / 4.5
    )
    assert after["coef"][3] - before["coef"][3] == pytest.approx(60 / scale, abs=0.05)
    assert [c for m, c in enumerate(after["coef"]) if m != 3] == [
        c for m, c in enumerate(before["coef"]) if m != 3
    ]
    assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(after["coef"][3], abs=1e-3)
    assert page.one("#curve-plot .curve").get_attribute("d") != line
    assert f"its coefficient is c₃ = {after['coef'][3]:.4g}" in page.text("bases-say")


def test_a_handle_dragged_out_of_the_picture_stops_at_its_limit(page):
    page.drag(page.one(".handle[data-m='4']"), 250)

    assert page.spline()["coef"][4] == -2.0


def test_coefficients_are_changed_by_keys(page):
    page.run("document.querySelector('.handle[tabindex=\"0\"]').focus()")
    start = page.spline()["coef"]

    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.focused() == "coefficient c_2"
    page.press(Keys.ARROW_UP)
    page.press(Keys.SHIFT, Keys.ARROW_DOWN)

    assert page.spline()["coef"][2] == pytest.approx(start[2] + 0.05 - 0.25, abs=1e-5)
    page.press(Keys.END)
    assert page.focused() == "coefficient c_7"
    page.press(Keys.HOME)
    assert page.focused() == "coefficient c_0"
    assert len(page.all("#curve-plot .handle[tabindex='0']")) == 1


def test_a_basis_that_is_pointed_at_shows_its_support(page):
    target = page.all("#bases-plot .basis-target")[2]
    page.run("arguments[0].dispatchEvent(new PointerEvent('pointerenter'))", target)

    assert (
        page.text("bases-say")
        == f"B₂ is nonzero between the knots t₂ = -1.4 and t₆ = 0.2; its coefficient is c₂ = {page.spline()['coef'][2]:.4g}."
    )
    assert len(page.all("#bases-plot .knot.chosen")) == 5
    assert [shape.get_attribute("data-m") for shape in page.all("#bases-plot .basis.chosen")] == [
        "2"
    ]
    page.run("arguments[0].dispatchEvent(new PointerEvent('pointerleave'))", target)
    assert page.all("#bases-plot .basis.chosen") == []


def test_the_page_says_the_values_that_kan_ref_gives_at_x(page):
    page.set_slider("at", 0.5)

    held = page.spline()
    values = kr.bspline.basis([[held["x"]]], [held["knots"]], 3)[0, 0]
    slopes = kr.bspline.basis([[held["x"]]], [held["knots"]], 3, 1)[0, 0]
    said = page.text("curve-say")
    assert f"B₄ = {values[4]:.3g}" in said
    assert said.endswith(
        f"Sum 1; curve {values @ held['coef']:.4g}, derivative {slopes @ held['coef']:.4g}."
    )


def test_an_inserted_knot_leaves_the_curve_where_it_is(page):
    before, line = page.spline(), page.one("#curve-plot .curve")
    middle = "const p = arguments[0]; return [0.1, 0.3, 0.5, 0.7, 0.9].map((s) => p.getPointAtLength(s * p.getTotalLength()).y);"
    heights = page.run(middle, line)

    page.set_slider("at", 0.3)
    page.one("#insert").click()

    after = page.spline()
    knots, coef = insert_knot(before["knots"], 3, [before["coef"]], after["x"])
    assert after["knots"] == knots.tolist()
    assert after["coef"] == coef[0].tolist()
    assert len(page.all("#bases-plot .basis")) == 9
    assert "9 coefficients instead of 8; the curve is the same" in page.text("insert-say")
    assert page.numbers("insert-say")[-1] < 1e-14
    np.testing.assert_allclose(page.run(middle, page.one("#curve-plot .curve")), heights, atol=0.3)


def test_a_knot_is_not_inserted_where_the_curve_could_break(page):
    page.set_slider("at", 0.0)
    page.one("#insert").click()
    page.one("#insert").click()
    page.one("#insert").click()

    page.one("#insert").click()

    assert "There are already 3 knots at 0" in page.text("insert-say")
    assert page.spline()["knots"].count(page.spline()["x"]) == 3
    page.set_slider("at", -2.0)
    page.one("#insert").click()
    assert "outside [a, b] = [-1, 1]" in page.text("insert-say")


def test_halving_refines_the_grid_and_start_again_undoes_all(page):
    before = page.spline()

    page.one("#halve").click()

    halved = page.spline()
    assert len(halved["coef"]) == 13
    x = np.linspace(-2.2, 2.2, 300)[:, None]
    curves = [
        kr.bspline.basis(x, [row["knots"]], 3)[:, 0] @ row["coef"] for row in (before, halved)
    ]
    np.testing.assert_allclose(curves[0], curves[1], atol=1e-14)
    page.one("#halve").click()
    page.one("#halve").click()
    assert "more than 30 intervals" in page.text("insert-say")
    page.one("#reset").click()
    assert page.spline()["coef"] == before["coef"]


def test_an_insertion_is_shown_in_motion_unless_less_motion_is_asked_for(chromium):
    moving = Page(chromium, motion="no-preference")
    watch = """
        const done = arguments[0], seen = new Set(), began = performance.now();
        const look = () => {
            seen.add(document.querySelectorAll('.handle')[5].getAttribute('transform'));
            performance.now() - began < 1500 ? requestAnimationFrame(look) : done([...seen]);
        };
        document.getElementById('insert').click();
        look();
    """
    places = moving.driver.execute_async_script(watch)
    settled = [handle.get_attribute("transform") for handle in moving.all(".handle")]
    assert len(places) > 5
    assert moving.complaints() == []

    still = Page(chromium, motion="reduce")
    assert len(still.driver.execute_async_script(watch)) == 1
    assert [handle.get_attribute("transform") for handle in still.all(".handle")] == settled
    assert still.complaints() == []


# --- an edge


def test_an_edge_is_the_sum_of_its_two_terms(page):
    page.set_slider("w-base", -1.0)
    page.set_slider("w-spline", 0.5)
    page.set_slider("edge-at", 0.62)

    x = float(page.one("#edge-at").get_property("value"))
    held = page.spline()
    spline = kr.bspline.basis([[x]], [held["knots"]], 3)[0, 0] @ held["coef"]
    assert page.numbers("edge-say")[-1] == pytest.approx(
        -x / (1.0 + np.exp(-x)) + 0.5 * spline, rel=2e-4
    )
    Select(page.one("#edge-base")).select_by_value("identity")
    assert page.numbers("edge-say")[-1] == pytest.approx(-x + 0.5 * spline, rel=2e-4)


def test_the_edge_follows_the_curve_of_part_one(page):
    before = page.one("#edge-plot .spline").get_attribute("d")

    page.drag(page.one(".handle[data-m='3']"), -40)

    assert page.one("#edge-plot .spline").get_attribute("d") != before


# --- a network


def test_the_example_is_drawn_and_an_edge_that_is_focused_is_shown_large(page):
    assert len(page.all("#network-plot .edge")) == 15
    edge = page.one("#network-plot .edge[data-edge='0,1,1']")

    page.run("arguments[0].focus()", edge)

    assert page.text("edge-title") == "Edge from y to hidden node 2"
    assert "spline edge" in page.text("edge-facts")
    page.until(lambda: "1 - R² = " in page.text("edge-fits"))
    assert "kan_ref.suggest_symbolic" in page.text("edge-fits-note")
    assert edge.get_attribute("aria-pressed") == "true"
    page.press(Keys.ARROW_UP)
    assert page.focused().startswith("edge from hidden node ")
    assert page.text("edge-title").endswith(" to f")
    assert len(page.all("#network-plot .edge[tabindex='0']")) == 1


def test_pointing_at_an_edge_shows_it(page):
    edge = page.one("#network-plot .edge[data-edge='0,2,0']")
    page.run("arguments[0].scrollIntoView({block: 'center'})", edge)

    ActionChains(page.driver).move_to_element(edge).perform()

    page.until(lambda: page.text("edge-title") == "Edge from x to hidden node 3")


def test_input_sliders_give_the_values_of_kan_ref(page):
    Select(page.one("#example")).select_by_index(1)
    document = page.run("return JSON.stringify(KAN.examples[1].document)")
    net = network_from_plain(json_document(document.encode()))

    for name, value in (("input-0", 0.35), ("input-1", -0.8)):
        page.set_slider(name, value)

    x = [float(page.one(f"#input-{i}").get_property("value")) for i in (0, 1)]
    assert page.numbers("outputs") == [pytest.approx(net([x])[0, 0], rel=2e-6)]
    page.set_slider("input-0", 1.2)
    assert "outside its grid" in page.text("outside")


def test_the_formulas_of_the_last_example_are_written_out(page):
    Select(page.one("#example")).select_by_index(2)

    page.one("#network-plot .edge[data-edge='0,0,0']").click()

    assert "φ(x) = -0.999545 sin(" in page.text("edge-facts") or "sin(3.14159 x" in page.text(
        "edge-facts"
    )
    assert page.text("edge-fits") == "This edge is symbolic already."
    assert "3 of them symbolic" in page.text("network-name")


@pytest.fixture
def mixed(tmp_path):
    """A saved network with spline edges, symbolic edges and masked edges."""
    net = with_formulas(
        np.random.default_rng(3),
        random_network(np.random.default_rng(2), degrees=(3,), widths=(3, 4, 2), dead=0.5),
        share=0.4,
    )
    kr.save(net, tmp_path / "mixed.json")
    return net, tmp_path / "mixed.json"


def check_mixed(page, net):
    alive = sum(layer.n_active for layer in net.layers)
    assert (
        f"mixed.json: [3, 4, 2], {alive} active edges, {sum(len(layer.symbolic) for layer in net.layers)} of them"
        in page.text("network-name")
    )
    assert len(page.all("#network-plot .edge")) == alive
    assert len(page.all("#network-plot .edge.symbolic")) == sum(
        len(layer.symbolic) for layer in net.layers
    )
    assert f"{20 - alive} masked edges are not drawn." in page.text("network-note")
    x = [[float(page.one(f"#input-{i}").get_property("value")) for i in range(3)]]
    found = [float(value) for value in re.findall(r"= (\S+)", page.text("outputs"))]
    middles = np.array([[row[3] / 2 + row[-4] / 2 for row in net.layers[0].knots]])
    np.testing.assert_allclose(found, net(middles)[0], rtol=5e-6)
    np.testing.assert_allclose(x, middles, atol=0.02)


def test_a_file_is_loaded_drawn_and_evaluated(page, mixed):
    net, path = mixed

    page.load(path)

    check_mixed(page, net)
    spline = next(
        edge for edge in page.all("#network-plot .edge") if "spline" in edge.get_attribute("class")
    )
    page.run("arguments[0].focus()", spline)
    page.until(lambda: "1 - R² = " in page.text("edge-fits"))
    assert "A coarse search on this page" in page.text("edge-fits-note")


def drop(page, name, text):
    page.run(
        """
        const transfer = new DataTransfer();
        transfer.items.add(new File([arguments[1]], arguments[0]));
        const zone = document.getElementById('network-plot');
        const details = {dataTransfer: transfer, bubbles: true, cancelable: true};
        for (const type of ['dragenter', 'dragover', 'drop']) zone.dispatchEvent(new DragEvent(type, details));
        """,
        name,
        text,
    )


def test_a_file_is_loaded_by_dropping_it(page, mixed):
    net, path = mixed

    drop(page, "mixed.json", path.read_text(encoding="ascii"))

    page.until(lambda: "mixed.json" in page.text("network-name"))
    check_mixed(page, net)
    assert "dropping" not in page.one("#network").get_attribute("class")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("{]", "it is not JSON"),
        (
            '{"format": "kan_ref network", "version": 4, "kan_ref": "9"}',
            'it has format version 4, by kan_ref "9", but this page reads versions 1 to 3',
        ),
        ("PK\x03\x04", "it is an .npz archive"),
    ],
)
def test_a_faulty_file_is_told_and_the_network_before_stays(page, tmp_path, text, sentence):
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    before = page.text("network-name")

    page.load(tmp_path / "bad.json")

    reported = page.one("#file-error")
    assert reported.is_displayed()
    assert reported.text.startswith(f"bad.json holds no network that can be read: {sentence}")
    assert reported.text.endswith("The previous network is still shown.")
    assert page.text("network-name") == before
    assert len(page.all("#network-plot .edge")) == 15


def test_a_good_file_after_a_bad_one_takes_the_complaint_away(page, tmp_path, mixed):
    (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
    page.load(tmp_path / "bad.json")

    page.load(mixed[1])

    assert not page.one("#file-error").is_displayed()
    check_mixed(page, mixed[0])


def test_a_formula_that_is_not_defined_somewhere_is_told_not_hidden(page, tmp_path):
    net = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    kr.save(kr.fix_symbolic(net, 0, output=0, input=0, name="log"), tmp_path / "log.json")

    page.load(tmp_path / "log.json")

    assert page.text("outputs") == "y = not defined"
    page.set_slider("input-0", 0.5)
    assert page.numbers("outputs") == [pytest.approx(np.log(0.5), rel=1e-5)]


UNITS = [(-1e-10, 1e-10), (1.7e9, 1.7e9 + 1), (-3e-19, 1e-19), (2e100, 3e100)]


@for_all("domain", UNITS, ids=str)
def test_curves_fill_their_boxes_and_numbers_their_lines_in_any_unit(phone, tmp_path, domain):
    for seed in range(2):
        net = kr.init_network(
            (1, 1), n_intervals=4, degree=3, domain=domain, rng=np.random.default_rng(seed)
        )
        kr.save(net, tmp_path / f"unit{seed}.json")
        phone.load(tmp_path / f"unit{seed}.json")

        box, line = phone.run(
            "return ['rect', '.line'].map((name) => document.querySelector(`#network-plot .edge ${name}`).getBBox()).map(({ x, y, width, height }) => [x, y, x + width, y + height])"
        )
        assert line[0] >= box[0]
        assert line[1] >= box[1]
        assert line[2] <= box[2]
        assert line[3] <= box[3]
        assert line[3] - line[1] > 0.5 * (box[3] - box[1])
        phone.until(lambda: phone.text("edge-fits") != "…")
        assert "1 - R" in phone.text("edge-fits")
        ticks = phone.run(
            "return [...document.querySelectorAll('#edge-curve .axes text')].map((e) => e.textContent + e.getAttribute('text-anchor'))"
        )
        assert len(set(ticks)) == len(ticks) >= 4
        assert phone.run("return document.documentElement.scrollWidth <= innerWidth")
        slider, shown = phone.one("#input-0"), set()
        for _ in range(4):
            slider.send_keys(Keys.ARROW_RIGHT)
            shown.add(phone.text("input-0-value"))
        assert len(shown) == 4


@for_all("limit", [8e307, 8.9e307, 1e200], ids=str)
def test_curves_on_the_widest_grids_are_drawn(page, tmp_path, limit):
    rng = np.random.default_rng(2)
    net = kr.init_network((2, 2, 1), n_intervals=3, degree=0, domain=(-limit, limit), rng=rng)
    kr.save(net, tmp_path / f"wide{limit}.json")

    page.load(tmp_path / f"wide{limit}.json")

    page.until(lambda: page.text("edge-fits") != "…")
    paths = page.run(
        "return [...document.querySelectorAll('#network-plot .line, #edge-curve .curve')].map((e) => e.getAttribute('d'))"
    )
    assert len(paths) >= 5
    assert all(path.count("L") > 40 for path in paths)
    assert not re.search(
        "Infinity|NaN", page.run("return document.getElementById('network').innerHTML")
    )
    assert page.complaints() == []


def test_a_symbolic_edge_with_small_numbers_is_written_and_drawn_as_it_is(page, tmp_path):
    net = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(0, 1), rng=np.random.default_rng(1)
    )
    net = kr.fix_symbolic(net, 0, output=0, input=0, name="sin", affine=(3, 0, 1.6e-19, 0))
    kr.save(net, tmp_path / "charge.json")

    page.load(tmp_path / "charge.json")

    assert "1.6000e-19 sin(3 x)" in page.text("edge-facts")
    assert page.text("outputs") == f"y = {1.6e-19 * np.sin(1.5):.4e}"
    line = page.run(
        "const { height } = document.querySelector('#edge-curve .curve').getBBox(); return height"
    )
    assert line > 100


def test_names_in_boxes_can_be_read_and_stay_in_their_boxes(phone, tmp_path):
    net = kr.init_network(
        (2, 3, 1), n_intervals=3, degree=3, domain=(0.1, 1), rng=np.random.default_rng(0)
    )
    net = kr.fix_pattern(
        net,
        [[["gaussian", "1/sqrt"], ["x^2", "logcosh"], ["exp", None]], [["sigmoid", "arctan", "x"]]],
    )
    kr.save(net, tmp_path / "long.json")

    phone.load(tmp_path / "long.json")

    shown = phone.run(
        """return [...document.querySelectorAll('#network-plot .edge text')].map((text) => {
            const [a, b] = [text.getBBox(), text.parentNode.querySelector('rect').getBBox()];
            return [text.textContent, parseFloat(getComputedStyle(text).fontSize), a.x - b.x, b.x + b.width - a.x - a.width];
        })"""
    )
    assert len(shown) == 8
    assert min(size for _, size, _, _ in shown) >= 8.0
    assert min(side for *_, left, right in shown for side in (left, right)) >= 0.0
    names = [name for name, *_ in shown]
    assert {"gaussian", "logcosh", "arctan", "x", "x²", "1/√"} <= set(names)


def test_a_network_too_large_to_draw_shows_its_strongest_edges_and_says_so(page, tmp_path):
    net = kr.init_network(
        (60, 20, 12), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    kr.save(net, tmp_path / "wide.json")

    page.load(tmp_path / "wide.json")

    assert len(page.all("#network-plot .edge")) == 96
    assert f"{60 * 20 + 20 * 12 - 96} more active edges, with smaller scores" in page.text(
        "network-note"
    )
    assert len(page.all("#inputs input")) == 16
    assert "The other 44 inputs are set" in page.text("inputs")
    assert page.run("return document.documentElement.scrollWidth") <= 1200


def test_a_network_of_masked_edges_is_no_blank_page(page, tmp_path):
    net = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    kr.save(kr.mask_edges(net, 0, np.zeros((1, 2))), tmp_path / "dead.json")

    page.load(tmp_path / "dead.json")

    assert page.text("edge-title") == "This network has no active edge"
    assert page.text("outputs") == "y = 0"
    assert page.text("network-note") == "2 masked edges are not drawn."


# --- training


def steps(page):
    return int(re.search(r"Step (\d+)", page.text("train-say"))[1])


def errors(page):
    return [float(number) for number in re.findall(r"RMSE (-?[\d.e-]+\d)", page.text("train-say"))]


def train_to(page, n_steps):
    """Press the button until so many steps are done."""
    page.run("arguments[0].click()", page.one("#train-run"))
    page.until(lambda: steps(page) >= n_steps)
    page.run("arguments[0].click()", page.one("#train-run"))


def click(page, name):
    page.run("arguments[0].click()", page.one(f"#{name}"))


def change(page, name, value, event="input"):
    """Set a control to a value, as a hand or a program does."""
    code = "const e = document.getElementById(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event(arguments[2]));"
    page.run(code, name, value, event)


def outputs_of_the_trained(page, points):
    """Of the page's network, by kan_ref, from the arrays that the page holds."""
    held = page.run("return KAN.trainingView.state.network.layers")
    layers = [
        kr.Layer(
            **{name: np.array(layer[name], dtype=float) for name in ("knots", "coef")},
            **{name: np.array(layer[name], dtype=float) for name in ("w_base", "w_spline", "mask")},
            degree=layer["degree"],
            base=layer["base"],
        )
        for layer in held
    ]
    return kr.Network(tuple(layers))(points)


def test_training_lowers_both_errors_and_halving_keeps_the_function(page):
    start = errors(page)
    assert steps(page) == 0

    train_to(page, 150)

    assert max(errors(page)) < 0.2 * min(start)
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    before, error = outputs_of_the_trained(page, points), errors(page)
    click(page, "train-halve")
    np.testing.assert_allclose(outputs_of_the_trained(page, points), before, atol=1e-12)
    assert errors(page) == error
    assert "G = 10" in page.text("train-say")


def test_one_step_is_one_step_and_start_again_goes_back(page):
    first = errors(page)

    click(page, "train-one")

    assert steps(page) == 1
    assert errors(page)[0] < first[0]
    click(page, "train-again")
    assert (steps(page), errors(page)) == (0, first)


def test_with_a_penalty_weak_edges_can_be_removed_and_the_rest_named(page):
    page.run(
        "const e = document.getElementById('train-penalty'); e.value = -2; e.dispatchEvent(new Event('input'))"
    )
    train_to(page, 400)
    page.run(
        "const e = document.getElementById('train-threshold'); e.value = 0.1; e.dispatchEvent(new Event('input'))"
    )
    weak = len(page.all("#train-network .edge.weak"))
    assert page.text("train-prune") == f"Remove {weak} weak edge{'' if weak == 1 else 's'}"
    assert weak >= 1

    click(page, "train-prune")

    left = len(page.all("#train-network .edge"))
    assert left <= 15 - weak
    assert f"{left} active edges" in page.text("train-say")
    click(page, "train-name")
    assert len(page.all("#train-network .edge.symbolic")) == left
    assert page.text("train-names").startswith("Named: ")
    assert "smaller learning rate" in page.text("train-names")
    page.run(
        "for (const [name, value] of [['rate', -3], ['penalty', -5]]) { const e = document.getElementById(`train-${name}`); e.value = value; e.dispatchEvent(new Event('input')); }"
    )
    before = errors(page)[0]
    train_to(page, steps(page) + 200)
    assert errors(page)[0] < before


def test_a_formula_of_ones_own_is_learned_and_what_is_none_is_told(page):
    Select(page.one("#train-target")).select_by_value("own")
    field = page.one("#train-own")
    assert field.is_displayed()
    field.clear()
    field.send_keys("x + 2 y", Keys.TAB)
    train_to(page, 150)
    assert errors(page)[1] < 0.2

    field.clear()
    field.send_keys("log(x)", Keys.TAB)

    reported = page.one("#train-error")
    assert reported.is_displayed()
    assert "The target cannot be used: at x = " in reported.text
    field.clear()
    field.send_keys("steal(x)", Keys.TAB)
    assert '"steal" is not known' in reported.text


def open_at(page, address):
    """The page as a new tab shows it with this address."""
    page.driver.get("about:blank")
    page.driver.get((FOLDER / "index.html").as_uri() + "#" + address)
    page.until(lambda: page.all("#network-plot .edge"))


UNUSABLE = ["sin%28x", "1/x", "sqrt%28x%29", "", "x" * 250]


@for_all("target", UNUSABLE, ids=["syntax", "pole", "root", "empty", "long"])
def test_an_address_with_an_unusable_target_shows_the_reason_alone(page, target):
    open_at(page, f"part=training&target={target}")

    assert page.text("train-error").startswith("The target cannot be used: ")
    assert not page.one("#train-say").is_displayed()
    assert not page.one("#train-network").is_displayed()
    for name in ("train-one", "train-halve", "train-name", "train-prune", "train-run"):
        click(page, name)
    change(page, "train-threshold", 0.1)
    change(page, "train-sample", 3)
    page.driver.set_window_size(700, 900)
    assert page.complaints() == []
    assert page.text("train-error").startswith("The target cannot be used: ")
    change(page, "train-own", "x y", event="change")
    assert not page.one("#train-error").is_displayed()
    assert page.text("train-say").startswith("Step 0: ")
    click(page, "train-one")
    assert steps(page) == 1


def test_after_an_unusable_formula_nothing_trains_until_there_is_a_target_again(page):
    open_at(page, "part=training&target=x+y")
    change(page, "train-target", "own", event="change")
    change(page, "train-own", "sin(x", event="change")
    change(page, "train-hidden", 2)

    assert not page.one("#train-run").is_enabled()
    assert page.text("train-error").startswith("The target cannot be used: ")
    change(page, "train-target", "x y", event="change")
    assert "[2, 2, 1]" in page.text("train-say")
    assert page.one("#train-run").is_enabled()
    assert page.text("train-error") == ""


@for_all("layer", [0, 1], ids=["first", "last"])
def test_a_network_that_gives_no_numbers_any_more_is_told_and_still_drawn(page, layer):
    open_at(page, "part=training&target=x+y&hidden=2")
    page.run(f"KAN.trainingView.state.network.layers[{layer}].coef[0][0].fill(NaN)")

    click(page, "train-one")

    assert page.text("train-error").startswith("The error is not a number any more: ")
    assert "training RMSE not defined" in page.text("train-say")
    for name in ("train-halve", "train-name", "train-prune", "train-run"):
        click(page, name)
    change(page, "train-sample", 3)
    assert page.complaints() == []
    click(page, "train-again")
    assert page.text("train-error") == ""
    assert len(errors(page)) == 2


def test_a_step_after_which_the_error_is_not_a_number_is_told_at_once(page):
    open_at(page, "part=training&target=x+y&hidden=2")
    page.run(
        "const { state } = KAN.trainingView; const own = state.step;"
        "state.step = (...given) => { const found = own(...given); state.network.layers[1].w_base[0][0] = NaN; return found; };"
    )

    click(page, "train-one")

    assert page.text("train-error").startswith("The error is not a number any more: ")


def test_training_for_hours_keeps_a_bounded_history_with_its_peaks(page):
    page.run(
        "KAN.trainingView.state.history = Array.from({ length: 130000 }, (_, n) => ({ steps: n, train: n === 70001 ? 50 : 0.1, test: n === 40004 ? 0.001 : 0.2 }))"
    )

    for _ in range(8):
        click(page, "train-one")

    history = page.run("return KAN.trainingView.state.history")
    assert len(history) <= 2001
    assert max(row["train"] for row in history) == 50
    assert min(row["test"] for row in history) == 0.001
    assert history[0]["steps"] == 0
    assert errors(page) == [
        pytest.approx(history[-1][name], rel=0.01) for name in ("train", "test")
    ]


def test_the_backward_values_of_a_sample_are_those_of_kan_ref(page):
    page.run(
        "const e = document.getElementById('train-sample'); e.value = 7; e.dispatchEvent(new Event('input'))"
    )

    rows = page.run(
        "return [...document.querySelectorAll('#train-sample-rows tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
    )

    said = {name: [float(n.replace("\N{MINUS SIGN}", "-")) for n in rest] for name, *rest in rows}
    x = np.array([[said["x"][0], said["y"][0]]])
    value = outputs_of_the_trained(page, x)[0, 0]
    target = np.exp(np.sin(np.pi * x[0, 0]) + x[0, 1] ** 2)
    assert said["output"] == [
        pytest.approx(value, abs=2e-3),
        pytest.approx(2.0 * (value - target), rel=2e-3, abs=2e-3),
    ]
    h = 1e-5
    for name, step in (("x", [h, 0.0]), ("y", [0.0, h])):
        sides = [
            (outputs_of_the_trained(page, x + sign * np.array(step))[0, 0] - target) ** 2
            for sign in (1, -1)
        ]
        assert said[name][1] == pytest.approx((sides[0] - sides[1]) / (2.0 * h), rel=5e-3, abs=5e-3)


def test_the_address_opens_the_page_as_it_was(page):
    page.run(
        "location.hash = '#part=training&target=x y&hidden=2&intervals=7&degree=2&rate=-1&penalty=-3&seed=4'"
    )
    page.driver.refresh()
    page.until(lambda: page.all("#train-network .edge"))

    assert page.text("train-say").startswith("Step 0: ")
    assert "[2, 2, 1], G = 7, 6 active edges" in page.text("train-say")
    first = errors(page)
    page.set_slider("train-seed", 5)
    assert errors(page) != first
    assert "seed=5" in page.run("return location.hash")
    page.driver.refresh()
    page.until(lambda: page.all("#train-network .edge"))
    assert page.text("train-seed-value") == "5"
    page.run("history.replaceState(null, '', '#')")


def test_a_link_that_is_opened_in_an_open_tab_is_followed(page):
    open_at(page, "part=training&target=x+y&hidden=2&seed=7")
    click(page, "train-one")

    page.driver.get(
        (FOLDER / "index.html").as_uri() + "#part=training&target=sin(x)+%2B+y&degree=2"
    )

    page.until(lambda: page.text("train-say").startswith("Step 0: "))
    assert "[2, 5, 1], G = 5, 15 active edges" in page.text("train-say")
    shown = [
        page.one(f"#train-{name}").get_attribute("value") for name in ("own", "degree", "seed")
    ]
    assert shown == ["sin(x) + y", "2", "1"]
    page.driver.get((FOLDER / "index.html").as_uri() + "#part=bases&degree=1&intervals=4&only")
    page.until(lambda: page.text("count").startswith("4 intervals + degree 1"))
    assert not page.one("#training").is_displayed()
    page.driver.get((FOLDER / "index.html").as_uri() + "#part=training&target=1/x")
    page.until(lambda: page.one("#train-error").is_displayed())
    page.run("location.hash = '#edge'")
    page.run("location.hash = '#part=nothing%22'")
    assert page.text("count").startswith("4 intervals + degree 1")
    page.run("history.replaceState(null, '', '#')")


def test_alone_in_a_frame_the_other_parts_are_hidden(page):
    page.run("location.hash = '#part=training&only'")
    page.driver.refresh()
    page.until(lambda: page.all("#train-network .edge"))

    shown = page.run(
        "return [...document.querySelectorAll('section')].filter((e) => e.offsetParent !== null).map((e) => e.id)"
    )
    assert shown == ["training"]
    page.run("history.replaceState(null, '', '#')")


# --- any screen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_its_width_and_can_be_read(chromium, size, scheme, mixed):
    page = Page(chromium, size=size, scheme=scheme)
    page.load(mixed[1])

    assert page.run("return document.documentElement.scrollWidth") <= SIZES[size][0]
    luminance = """
        const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const mean = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
        const light = (colour) => mean(colour.match(/[\\d.]+/g).map(Number));
        const own = (e) => getComputedStyle(e).backgroundColor;
        const paper = (e) => own(e) === 'rgba(0, 0, 0, 0)' ? paper(e.parentElement) : own(e);
        const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        return [...document.querySelectorAll('p, h1, h2, h3, h4, label, output, a, dt, dd, li, button, select')]
            .filter((e) => e.offsetParent).map((e) => [contrast(light(getComputedStyle(e).color), light(paper(e))), e.id || e.tagName]);
    """
    contrasts = page.run(luminance)
    assert len(contrasts) > 40
    assert min(contrasts)[0] >= 4.5, min(
        contrasts
    )  # the level AA of the Web Content Accessibility Guidelines
    background = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert page.complaints() == []


def test_on_a_phone_a_handle_is_dragged_with_a_finger(phone):
    handle = phone.one(".handle[data-m='2']")
    x, y = phone.middle(handle)
    before = phone.spline()["coef"][2]

    for kind, down in (
        ("touchStart", 0),
        ("touchMove", -15),
        ("touchMove", -30),
        ("touchEnd", None),
    ):
        points = [] if down is None else [{"x": x, "y": y + down}]
        phone.driver.execute_cdp_cmd(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
        )

    assert phone.spline()["coef"][2] > before + 0.3


def test_everything_that_can_be_used_has_a_name_and_a_finger_has_room(phone):
    names = phone.run(
        """return [...document.querySelectorAll('input, select, button, [role=slider], [role=button]')].filter((e) => !e.closest('[hidden]')).map((e) => [
            (e.getAttribute('aria-label') || (e.labels && [...e.labels].map((l) => l.textContent).join(' ')) || e.textContent).trim(),
            e.getBoundingClientRect().height])"""
    )
    assert len(names) > 30
    assert all(name for name, _ in names)
    assert min(height for _, height in names) >= 24.0


def test_a_part_that_fails_is_told_and_the_others_work_on(chromium, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "explorer")
    (tmp_path / "explorer" / "example.js").write_text(
        "globalThis.KAN.examples = [{document: {}}];", encoding="utf-8"
    )

    page = Page(chromium, folder=tmp_path / "explorer", whole=False)

    assert (
        page.text("trouble") == "This page has an error: it does not say format 'kan_ref network'"
    )
    assert any("it does not say format" in line for line in page.complaints())
    page.set_slider("degree", 2)
    assert len(page.all("#bases-plot .basis")) == 7
    page.set_slider("w-base", -1.0)
    assert "-1 ·" in page.text("edge-say").replace("(", "").replace(")", "")


# --- the script of the site's pages

SITE_PAGE = """<!doctype html><html lang="en"><body data-theme="dark"><article>
<p class="equation-filter"><input type="search" id="equation-filter"> <output></output></p>
<section class="equation-group" id="one"><div class="equation" id="a">spline paper: (2.1) <pre>B_m</pre></div></section>
<section class="equation-group" id="two"><div class="equation" id="b">adam paper: (2.10)</div><div class="equation" id="c">spline sum</div></section>
<div class="highlight" id="code"><pre><span class="linenos">1</span>x = 1\n<span class="linenos">2</span>y = 2\n</pre></div>
<div class="highlight" id="example"><pre><span class="gp">&gt;&gt;&gt; </span>1 + 1\n<span class="go">2</span>\n</pre></div>
<div class="cell_output"><div class="highlight" id="output"><pre>3</pre></div></div>
<iframe class="explorer" src="explorer/index.html?part=bases&degree=1&intervals=4&only"></iframe>
</article><script src="site.js"></script></body></html>"""


@pytest.fixture
def site_page(chromium, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "explorer")
    shutil.copy(ROOT / "docs" / "_static" / "site.js", tmp_path)
    (tmp_path / "page.html").write_text(SITE_PAGE, encoding="utf-8")
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    features = [{"name": "prefers-color-scheme", "value": "light"}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    chromium.get_log("browser")  # of other pages
    chromium.get((tmp_path / "page.html").as_uri())
    return chromium


def test_the_box_filters_equations_by_words_and_by_whole_numbers(site_page):
    box = site_page.find_element(By.ID, "equation-filter")
    shown = {}
    for text in ("", "SPLINE", "2.1", "2.10", "spline b_m", "nothing"):
        box.clear()
        box.send_keys(text + " ")
        shown[text] = site_page.execute_script(
            "return [...document.querySelectorAll('.equation, .equation-group')].filter((one) => !one.hidden).map((one) => one.id).join('')"
        )

    assert shown == {
        "": "oneatwobc",
        "SPLINE": "oneatwoc",
        "2.1": "onea",
        "2.10": "twob",
        "spline b_m": "onea",
        "nothing": "",
    }
    assert site_page.find_element(By.TAG_NAME, "output").text == "0 of 3 formulas"


def test_buttons_copy_code_without_numbers_prompts_and_outputs(site_page):
    copied = site_page.execute_script(
        "return ['code', 'example'].map((id) => codeOf(document.getElementById(id)))"
    )

    assert copied == ["x = 1\ny = 2\n", "1 + 1\n"]
    assert len(site_page.find_elements(By.CSS_SELECTOR, ".copy-code")) == 2
    assert not site_page.find_elements(By.CSS_SELECTOR, "#output .copy-code")


def test_a_part_in_a_frame_has_its_state_its_whole_height_and_the_colours_of_the_page(site_page):
    frame = site_page.find_element(By.TAG_NAME, "iframe")
    WebDriverWait(site_page, 60).until(lambda _: frame.get_attribute("style"))
    site_page.switch_to.frame(frame)
    root = site_page.find_element(By.TAG_NAME, "html")
    WebDriverWait(site_page, 60).until(lambda _: root.get_attribute("data-theme"))
    count = len(site_page.find_elements(By.CSS_SELECTOR, "#bases-plot .basis"))
    shows_others = site_page.find_element(By.ID, "edge").is_displayed()
    overflow = site_page.execute_script(
        "return document.documentElement.scrollHeight - innerHeight"
    )
    paper = site_page.execute_script("return getComputedStyle(document.body).backgroundColor")
    site_page.switch_to.default_content()

    assert count == 5
    assert not shows_others
    assert overflow <= 1
    assert paper == "rgb(20, 23, 27)"  # dark, as the page around it
    assert [entry["message"] for entry in site_page.get_log("browser")] == []


# --- sections that can be left out


@pytest.fixture
def optional_page(chromium, tmp_path):
    """A function that opens a page with an optional section, of some width, at a place of it."""
    shutil.copy(ROOT / "docs" / "_static" / "site.js", tmp_path)
    (tmp_path / "page.html").write_text(
        '<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width">'
        '<script defer src="site.js"></script></head>'
        "<body><article><h1>Page</h1><section id='kept'><h2>Kept</h2><p>text</p></section>"
        "<section id='optional-more'><h2>Optional: more</h2><p id='inside'>text</p></section></article></body></html>",
        encoding="utf-8",
    )

    def opened(width, place=""):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.get("about:blank")
        chromium.get((tmp_path / "page.html").as_uri() + place)
        return chromium

    yield opened
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_optional_section_is_closed_until_a_click_or_a_link_opens_it(optional_page):
    page = optional_page(390)
    inside = page.find_element(By.ID, "inside")
    kept = page.find_element(By.CSS_SELECTOR, "#kept p")
    closed = [kept.is_displayed(), inside.is_displayed()]
    page.find_element(By.TAG_NAME, "summary").click()
    clicked = inside.is_displayed()
    linked = {
        place: optional_page(390, place).find_element(By.ID, "inside").is_displayed()
        for place in ("#inside", "#optional-more", "#kept")
    }

    assert closed == [True, False]
    assert clicked
    assert linked == {"#inside": True, "#optional-more": True, "#kept": False}


# --- what is kept together, and pictures on a phone

BOX = "<span style='display: inline-block; width: 80px; height: 10px'></span>"
KEPT = f"""<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"><style>{{style}}</style></head><body><article>
<p id="line">words (<span class="math">{BOX}</span>). More <code class="literal"><span class="pre">--option</span></code></p><table><tr><td>1e-3</td><td>a-b</td></tr></table>
<div class="cell_output"><figure><img id="wide" alt="a plot" src="wide.svg"><figcaption>text</figcaption></figure><img id="small" alt="a plot" src="small.svg"></div>
</article><script src="site.js"></script></body></html>"""


@pytest.fixture
def kept_page(chromium, tmp_path):
    """A function that opens a page of a formula in brackets and of pictures, with some width."""
    static = ROOT / "docs" / "_static"
    shutil.copy(static / "site.js", tmp_path)
    style = (static / "site.css").read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(KEPT.replace("{style}", style), encoding="utf-8")
    for name, width in (("wide", 900), ("small", 400)):
        picture = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="90"/>'
        (tmp_path / f"{name}.svg").write_text(picture, encoding="utf-8")

    def opened(width):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.get("about:blank")
        chromium.get((tmp_path / "page.html").as_uri())
        return chromium

    yield opened
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_brackets_and_full_stops_stay_on_the_line_of_their_formula(kept_page):
    page = kept_page(1200)
    text = page.find_element(By.ID, "line").text
    heights = page.execute_script("""
    const [line, kept] = [document.getElementById("line"), document.querySelector(".with-mark")];
    return Array.from({ length: 120 }, (_, n) => {
      line.style.width = `${100 + n}px`;
      return Math.round(kept.getBoundingClientRect().height);
    });
    """)
    alone = page.execute_script(
        "return [...document.querySelectorAll('.pre, td')].map((one) => one.style.whiteSpace)"
    )

    assert text == "words (). More --option"
    assert max(heights) < 30  # one line
    assert alone == ["nowrap", "nowrap", ""]


def test_a_wide_picture_scrolls_on_a_phone_instead_of_becoming_too_small_to_read(kept_page):
    widths = """return ["wide", "small"].map((id) => Math.round(document.getElementById(id).getBoundingClientRect().width))
      .concat(document.documentElement.scrollWidth, document.querySelectorAll(".picture-room").length)"""

    assert kept_page(1200).execute_script(widths)[2:] == [1200, 0]
    wide, small, page, rooms = kept_page(390).execute_script(widths)
    assert wide >= 0.62 * 900
    assert small <= 390
    assert page == 390
    assert rooms == 1


def test_a_phone_that_is_turned_has_no_hint_at_a_picture_that_it_shows_as_a_whole(kept_page):
    def shown(page):
        return page.execute_script(
            "return [...document.querySelectorAll('.picture-hint')].map((one) => one.checkVisibility())"
        )

    page = kept_page(390)
    upright = shown(page)
    metrics = {"width": 1000, "height": 390, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    WebDriverWait(page, 5).until(lambda page: shown(page) == [False])

    assert upright == [True]


def test_the_page_of_results_has_a_field_with_the_words_that_were_looked_for(chromium, tmp_path):
    shutil.copy(ROOT / "docs" / "_static" / "site.js", tmp_path)
    field = '<form class="sidebar-search-container" action="page.html"><input name="q"></form>'
    page = f'<!doctype html><body><aside hidden>{field}</aside><article><div id="search-results"></div></article>'
    (tmp_path / "page.html").write_text(f"{page}<script src=site.js></script>", encoding="utf-8")

    chromium.get(f"{(tmp_path / 'page.html').as_uri()}?q=two+words")
    own = chromium.find_element(By.CSS_SELECTOR, "article input")
    found = own.is_displayed(), own.get_attribute("value")
    own.clear()
    own.send_keys("knots", Keys.ENTER)
    WebDriverWait(chromium, 5).until(lambda page: page.current_url.endswith("?q=knots"))

    assert found == (True, "two words")
