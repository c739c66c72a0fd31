"""The explorer in a browser, from file://: handles dragged, sliders moved, knots inserted, files loaded, by pointer and by keyboard."""

import re
import shutil

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from networks import random_network, with_formulas
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


# --- bases, a curve, an edge


def test_sliders_change_degree_and_intervals_and_the_pictures_with_them(page):
    shapes = "return [...document.querySelectorAll('#bases-plot .basis, .curve, .slope')].map((path) => path.getAttribute('d'))"
    for degree, intervals in ((3, 5), (0, 1), (0, 12), (7, 1), (7, 12), (2, 7)):
        page.set_slider("degree", degree)
        page.set_slider("intervals", intervals)

        lines = page.run(shapes)
        assert len(lines) == degree + intervals + 3  # the curve, its slope, the edge in part 3
        assert all(line and "NaN" not in line for line in lines)
        assert len(page.all("#curve-plot .handle")) == degree + intervals
        assert len(page.all("#bases-plot .knot")) == 2 * degree + intervals + 1


def test_a_coefficient_follows_mouse_and_keys_and_curve_and_edge_follow_it(page):
    def lines():
        return [
            page.one(f"#{name}").get_attribute("d")
            for name in ("curve-plot .curve", "edge-plot .spline")
        ]

    before, shown = page.spline()["coef"], lines()
    page.drag(page.one(".handle[data-m='3']"), -60)
    dragged = page.spline()["coef"]
    assert dragged[3] > before[3] + 0.3
    assert dragged[:3] + dragged[4:] == before[:3] + before[4:]
    assert all(one != other for one, other in zip(lines(), shown, strict=True))

    page.run("document.querySelector('.handle[tabindex=\"0\"]').focus()")
    page.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert page.focused() == "coefficient c_1"
    assert page.spline()["coef"][1] == pytest.approx(dragged[1] + 0.05, abs=1e-5)


def test_the_page_says_the_values_of_bases_and_edge_that_kan_ref_gives(page):
    page.set_slider("at", 0.5)
    held = page.spline()
    values, slopes = (
        kr.bspline.basis([[held["x"]]], [held["knots"]], 3, order)[0, 0] for order in (0, 1)
    )
    said = page.text("curve-say")
    assert f"B₄ = {values[4]:.3g}" in said
    assert said.endswith(
        f"Sum 1; curve {values @ held['coef']:.4g}, derivative {slopes @ held['coef']:.4g}."
    )

    for name, value in (("w-base", -1.0), ("w-spline", 0.5), ("edge-at", 0.62)):
        page.set_slider(name, value)
    x = float(page.one("#edge-at").get_property("value"))
    spline = kr.bspline.basis([[x]], [held["knots"]], 3)[0, 0] @ held["coef"]
    expected = -x / (1.0 + np.exp(-x)) + 0.5 * spline
    assert page.numbers("edge-say")[-1] == pytest.approx(expected, rel=2e-4)


def test_inserted_knots_and_halved_intervals_leave_the_curve_where_it_is(page):
    x = np.linspace(-2.2, 2.2, 300)[:, None]

    def curve(held):
        return kr.bspline.basis(x, [held["knots"]], 3)[:, 0] @ held["coef"]

    before = page.spline()
    page.set_slider("at", 0.3)
    page.one("#insert").click()
    after = page.spline()
    knots, coef = insert_knot(before["knots"], 3, [before["coef"]], after["x"])
    assert (after["knots"], after["coef"]) == (knots.tolist(), coef[0].tolist())
    page.one("#halve").click()
    halved = page.spline()
    assert len(halved["coef"]) > len(coef[0])
    np.testing.assert_allclose(curve(halved), curve(before), atol=1e-14)

    for _ in range(3):  # a fourth knot at one place could break the curve
        page.one("#insert").click()
    assert "There are already 3 knots at 0.3" in page.text("insert-say")
    page.one("#reset").click()
    assert page.spline()["coef"] == before["coef"]


# --- a network


def test_an_edge_of_the_example_is_shown_large_with_its_formulas(page):
    page.run("arguments[0].focus()", page.one("#network-plot .edge[data-edge='0,1,1']"))

    assert page.text("edge-title") == "Edge from y to hidden node 2"
    page.until(lambda: "1 - R² = " in page.text("edge-fits"))
    Select(page.one("#example")).select_by_index(2)
    page.one("#network-plot .edge[data-edge='0,0,0']").click()
    assert "sin(" in page.text("edge-facts")
    assert page.text("edge-fits") == "This edge is symbolic already."


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


@pytest.fixture
def mixed(tmp_path):
    """A saved network with spline edges, symbolic edges and masked edges."""
    rng = np.random.default_rng
    net = random_network(rng(2), degrees=(3,), widths=(3, 4, 2), dead=0.5)
    net = with_formulas(rng(3), net, share=0.4)
    kr.save(net, tmp_path / "mixed.json")
    return net, tmp_path / "mixed.json"


def check_mixed(page, net):
    n_symbolic = sum(len(layer.symbolic) for layer in net.layers)
    assert len(page.all("#network-plot .edge")) == sum(layer.n_active for layer in net.layers)
    assert len(page.all("#network-plot .edge.symbolic")) == n_symbolic
    found = [float(value) for value in re.findall(r"= (\S+)", page.text("outputs"))]
    middles = np.array([[row[3] / 2 + row[-4] / 2 for row in net.layers[0].knots]])
    np.testing.assert_allclose(found, net(middles)[0], rtol=5e-6)


def drop(page, name, text):
    code = """
        const transfer = new DataTransfer();
        transfer.items.add(new File([arguments[1]], arguments[0]));
        const zone = document.getElementById('network-plot');
        const details = {dataTransfer: transfer, bubbles: true, cancelable: true};
        for (const type of ['dragenter', 'dragover', 'drop']) zone.dispatchEvent(new DragEvent(type, details));
        """
    page.run(code, name, text)


def test_a_faulty_file_is_told_with_the_network_before_kept_and_a_good_one_is_drawn(
    page, mixed, tmp_path
):
    net, path = mixed
    (tmp_path / "bad.json").write_text("{]", encoding="utf-8")
    before = page.text("network-name")

    page.load(tmp_path / "bad.json")
    assert page.text("file-error").startswith(
        "bad.json holds no network that can be read: it is not JSON"
    )
    assert page.text("network-name") == before
    page.load(path)
    assert not page.one("#file-error").is_displayed()
    check_mixed(page, net)
    drop(page, "dropped.json", path.read_text(encoding="ascii"))
    page.until(lambda: "dropped.json" in page.text("network-name"))
    check_mixed(page, net)


def load_saved(page, folder, net, name="own.json"):
    kr.save(net, folder / name)
    page.load(folder / name)


def test_a_formula_that_is_not_defined_somewhere_is_told_not_hidden(page, tmp_path):
    net = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    load_saved(page, tmp_path, kr.fix_symbolic(net, 0, output=0, input=0, name="log"))

    assert page.text("outputs") == "y = not defined"
    page.set_slider("input-0", 0.5)
    assert page.numbers("outputs") == [pytest.approx(np.log(0.5), rel=1e-5)]


@for_all("domain", [(-1e-10, 1e-10), (1.7e9, 1.7e9 + 1)])
def test_curves_fill_their_boxes_in_any_unit(phone, tmp_path, domain):
    net = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=domain, rng=np.random.default_rng(0)
    )

    load_saved(phone, tmp_path, net, f"unit{domain[1]}.json")

    box, line = phone.run(
        "return ['rect', '.line'].map((name) => document.querySelector(`#network-plot .edge ${name}`).getBBox()).map(({ y, height }) => [y, y + height])"
    )
    assert box[0] <= line[0] < line[1] <= box[1]
    assert line[1] - line[0] > 0.5 * (box[1] - box[0])
    phone.until(lambda: "1 - R" in phone.text("edge-fits"))


def test_a_large_network_shows_its_strongest_edges_and_one_without_edges_says_so(page, tmp_path):
    rng = np.random.default_rng(0)
    load_saved(
        page,
        tmp_path,
        kr.init_network((60, 20, 12), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng),
    )
    assert len(page.all("#network-plot .edge")) == 96
    assert f"{60 * 20 + 20 * 12 - 96} more active edges" in page.text("network-note")

    net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    load_saved(page, tmp_path, kr.mask_edges(net, 0, np.zeros((1, 2))), "masked.json")
    assert page.text("edge-title") == "This network has no active edge"
    assert page.text("outputs") == "y = 0"


# --- training


def steps(page):
    return int(re.search(r"Step (\d+)", page.text("train-say"))[1])


def errors(page):
    return [float(number) for number in re.findall(r"RMSE (-?[\d.e-]+\d)", page.text("train-say"))]


def click(page, name):
    page.run("arguments[0].click()", page.one(f"#train-{name}"))


def train_to(page, n_steps):
    """Press the button until so many steps are done."""
    click(page, "run")
    page.until(lambda: steps(page) >= n_steps)
    click(page, "run")


def change(page, name, value, event="input"):
    """Set a control to a value, as a hand or a program does."""
    code = "const e = document.getElementById(`train-${arguments[0]}`); e.value = arguments[1]; e.dispatchEvent(new Event(arguments[2]));"
    page.run(code, name, value, event)


def trained(page):
    """The page's network, from the arrays that the page holds."""
    names = ("knots", "coef", "w_base", "w_spline", "mask")
    return kr.Network(
        tuple(
            kr.Layer(
                **{name: np.array(layer[name], dtype=float) for name in names},
                degree=layer["degree"],
                base=layer["base"],
            )
            for layer in page.run("return KAN.trainingView.state.network.layers")
        )
    )


def test_training_lowers_both_errors_halving_keeps_the_function_and_start_again_goes_back(page):
    start = errors(page)
    click(page, "one")
    assert steps(page) == 1
    train_to(page, 150)
    assert max(errors(page)) < 0.2 * min(start)

    x = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    before = trained(page)(x)
    click(page, "halve")
    np.testing.assert_allclose(trained(page)(x), before, atol=1e-12)
    assert "G = 10" in page.text("train-say")
    click(page, "again")
    assert (steps(page), errors(page)) == (0, start)


def test_with_a_penalty_weak_edges_can_be_removed_and_the_rest_named(page):
    change(page, "penalty", -2)
    train_to(page, 400)
    change(page, "threshold", 0.1)
    weak = len(page.all("#train-network .edge.weak"))
    assert weak >= 1

    click(page, "prune")

    left = len(page.all("#train-network .edge"))
    assert left <= 15 - weak
    click(page, "name")
    assert len(page.all("#train-network .edge.symbolic")) == left
    change(page, "rate", -3)
    change(page, "penalty", -5)
    before = errors(page)[0]
    train_to(page, steps(page) + 200)
    assert errors(page)[0] < before


def open_at(page, address):
    """The page as a new tab shows it with this address."""
    page.driver.get("about:blank")
    page.driver.get((FOLDER / "index.html").as_uri() + "#" + address)
    page.until(lambda: page.all("#network-plot .edge"))


@for_all("target", ["sin%28x", "1/x", "", "steal%28x%29"])
def test_an_unusable_target_is_told_and_nothing_trains_until_there_is_another(page, target):
    open_at(page, f"part=training&target={target}")

    assert page.text("train-error").startswith("The target cannot be used: ")
    for name in ("one", "halve", "name", "prune", "run"):
        click(page, name)
    assert not page.one("#train-say").is_displayed()
    change(page, "own", "x + 2 y", event="change")
    assert not page.one("#train-error").is_displayed()
    train_to(page, 150)
    assert errors(page)[1] < 0.2


def test_a_network_that_gives_no_numbers_any_more_is_told(page):
    page.run("KAN.trainingView.state.network.layers[1].coef[0][0].fill(NaN)")

    click(page, "one")

    assert page.text("train-error").startswith("The error is not a number any more: ")
    click(page, "again")
    assert page.text("train-error") == ""
    assert len(errors(page)) == 2


def test_the_backward_values_of_a_sample_are_those_of_kan_ref(page):
    change(page, "sample", 7)

    rows = page.run(
        "return [...document.querySelectorAll('#train-sample-rows tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
    )

    said = {name: [float(n.replace("\N{MINUS SIGN}", "-")) for n in rest] for name, *rest in rows}
    x = np.array([[said["x"][0], said["y"][0]]])
    net = trained(page)
    error = net(x)[0, 0] - np.exp(np.sin(np.pi * x[0, 0]) + x[0, 1] ** 2)
    slopes = 2.0 * error * kr.input_jacobian(net, x)[0, 0]
    assert said["output"][1] == pytest.approx(2.0 * error, rel=2e-3, abs=2e-3)
    assert [said["x"][1], said["y"][1]] == pytest.approx(slopes.tolist(), rel=5e-3, abs=5e-3)


def test_an_address_opens_the_page_as_it_was_and_a_link_in_an_open_tab_is_followed(page):
    open_at(
        page, "part=training&target=x y&hidden=2&intervals=7&degree=2&rate=-1&penalty=-3&seed=4"
    )
    assert "[2, 2, 1], G = 7, 6 active edges" in page.text("train-say")
    page.set_slider("train-seed", 5)
    page.driver.refresh()
    page.until(lambda: page.all("#train-network .edge"))
    assert page.text("train-seed-value") == "5"

    page.run("location.hash = '#part=bases&degree=1&intervals=4&only'")
    page.until(lambda: page.text("count").startswith("4 intervals + degree 1"))
    assert not page.one("#training").is_displayed()
    page.run("history.replaceState(null, '', '#')")


# --- any screen


@for_all("scheme", ["light", "dark"])
@for_all("size", SIZES)
def test_the_page_fits_its_width_and_can_be_read(chromium, mixed, size, scheme):
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
    # level AA of the Web Content Accessibility Guidelines
    assert min(contrasts)[0] >= 4.5, min(contrasts)
    assert page.complaints() == []


def test_on_a_phone_a_handle_is_dragged_with_a_finger_and_every_control_has_a_name(phone):
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
    broken = "globalThis.KAN.examples = [{document: {}}];"
    (tmp_path / "explorer" / "example.js").write_text(broken, encoding="utf-8")

    page = Page(chromium, folder=tmp_path / "explorer", whole=False)

    assert page.text("trouble").startswith("This page has an error: ")
    page.set_slider("degree", 2)
    assert len(page.all("#bases-plot .basis")) == 7
    page.complaints()  # of this page alone


# --- the scripts of the site's pages


SITE_PAGE = r"""<!doctype html><html lang="en" data-theme="dark"><head><meta name="viewport" content="width=device-width">
<script defer src="site.js"></script></head>
<body data-theme="dark"><article><h1>Page</h1>
<p class="equation-filter"><input type="search" id="equation-filter"> <output></output></p>
<section class="equation-group" id="one"><div class="equation" id="a">spline paper: (2.1) <pre>B_m</pre></div></section>
<section class="equation-group" id="two"><div class="equation" id="b">adam paper: (2.10)</div><div class="equation" id="c">spline sum</div></section>
<div class="highlight" id="code"><pre><span class="linenos">1</span>x = 1
</pre></div>
<div class="highlight" id="example"><pre><span class="gp">&gt;&gt;&gt; </span>1 + 1
<span class="go">2</span>
</pre></div>
<section id="kept"><h2>Kept</h2><p>text</p></section>
<section id="optional-more"><h2>Optional: more</h2><p id="inside">text</p></section>
<iframe class="explorer" src="explorer/index.html?part=bases&degree=1&intervals=4&only"></iframe>
</article></body></html>"""


@pytest.fixture
def site_page(chromium, tmp_path):
    """A function that opens a page of the site's scripts, so wide and at a place of it."""
    shutil.copytree(FOLDER, tmp_path / "explorer")
    shutil.copy(ROOT / "docs" / "_static" / "site.js", tmp_path)
    (tmp_path / "page.html").write_text(SITE_PAGE, encoding="utf-8")
    features = [{"name": "prefers-color-scheme", "value": "light"}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def opened(width=1200, place=""):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.get("about:blank")
        chromium.get_log("browser")  # of other pages
        chromium.get((tmp_path / "page.html").as_uri() + place)
        ready = "return document.readyState === 'complete'"
        WebDriverWait(chromium, 60).until(lambda driver: driver.execute_script(ready))
        return chromium

    yield opened
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_box_filters_equations_by_words_and_by_whole_numbers(site_page):
    page = site_page()
    box, shown = page.find_element(By.ID, "equation-filter"), {}
    for text in ("", "SPLINE", "2.1", "2.10", "spline b_m", "nothing"):
        box.clear()
        box.send_keys(text + " ")
        shown[text] = page.execute_script(
            "return [...document.querySelectorAll('.equation, .equation-group')].filter((one) => !one.hidden).map((one) => one.id).join('')"
        )

    right = {"": "oneatwobc", "SPLINE": "oneatwoc", "2.1": "onea", "2.10": "twob"}
    assert shown == right | {"spline b_m": "onea", "nothing": ""}


def test_buttons_copy_code_without_numbers_prompts_and_outputs(site_page):
    code = "return ['code', 'example'].map((id) => codeOf(document.getElementById(id)))"

    assert site_page().execute_script(code) == ["x = 1\n", "1 + 1\n"]


def test_a_part_in_a_frame_is_alone_with_its_state_and_the_colours_of_the_page(site_page):
    page = site_page()
    frame = page.find_element(By.TAG_NAME, "iframe")
    WebDriverWait(page, 60).until(lambda _: frame.get_attribute("style"))
    page.switch_to.frame(frame)
    root = page.find_element(By.TAG_NAME, "html")
    WebDriverWait(page, 60).until(lambda _: root.get_attribute("data-theme"))
    count = len(page.find_elements(By.CSS_SELECTOR, "#bases-plot .basis"))
    others = page.find_element(By.ID, "edge").is_displayed()
    paper = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    page.switch_to.default_content()

    assert (count, others, paper) == (5, False, "rgb(20, 23, 27)")
    assert [entry["message"] for entry in page.get_log("browser")] == []


def test_an_optional_section_is_closed_until_a_click_or_a_link_opens_it(site_page):
    def is_open(place):
        return site_page(390, place).find_element(By.ID, "inside").is_displayed()

    found = {place: is_open(place) for place in ("", "#inside", "#optional-more", "#kept")}
    page = site_page(390)
    page.find_element(By.TAG_NAME, "summary").click()

    assert found == {"": False, "#inside": True, "#optional-more": True, "#kept": False}
    assert page.find_element(By.ID, "inside").is_displayed()
