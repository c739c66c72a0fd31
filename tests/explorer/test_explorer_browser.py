"""The explorer and the site's pages in Debian's chromium by its own driver, from file://: by pointer, by finger, by keyboard; on a phone.

On a phone of 390 pixels nothing is wider than the page, except what scrolls by design.
"""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT, SHARED, build_site
from networks import random_network, with_formulas
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import kan_ref as kr
from kan_ref.bspline.blossom import insert_knot
from kan_ref.io.document import json_document, network_from_plain

# --- a browser for the tests of the explorer and of the site's pages: Debian's chromium by its own driver

FLAGS = (
    "headless no-sandbox disable-gpu disable-dev-shm-usage no-first-run disable-background-networking hide-scrollbars"
)
IN_PAGE = Path(__file__).with_name("in_page.js").read_text(encoding="utf-8")


@contextmanager
def opened():
    """A browser that is closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium, which these tests need"
    for flag in FLAGS.split():
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(60)
        yield driver
    finally:
        driver.quit()


class Page:
    """A page in a window of one size and one colour scheme, freshly loaded."""

    def __init__(self, driver, address, size=(1200, 900), scheme="light"):
        self.driver = driver
        (width, height), features = size, [{"name": "prefers-color-scheme", "value": scheme}]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.get("about:blank")
        driver.get_log("browser")  # of other pages
        driver.get(address)
        self.until(lambda: self.run("return document.readyState") == "complete")

    def until(self, condition):
        WebDriverWait(self.driver, 60, poll_frequency=0.05).until(lambda _: condition())

    def run(self, code, *given):
        return self.driver.execute_script(code, *given)

    def call(self, name, *given):
        """What a function of in_page.js returns."""
        return self.run(f"{IN_PAGE}\nreturn {name}(...arguments)", *given)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, name):
        return self.one(f"#{name}").text.replace("\N{MINUS SIGN}", "-")

    def lines(self, selector):
        """The paths of lines in pictures."""
        return [line.get_attribute("d") for line in self.all(selector)]

    def spline(self):
        """Knots, coefficients, degree and x as the explorer holds them."""
        return self.run("return {...KAN.splineState.state};")

    def set(self, name, value, event="input"):
        return self.call("setControl", name, value, event)

    def click(self, name):
        self.run("document.getElementById(arguments[0]).click()", name)

    def complaints(self):
        """What the browser's console says, and the explorer itself."""
        told = [entry["message"] for entry in self.driver.get_log("browser")]
        return told + [one.text for one in self.all("#trouble") if one.is_displayed()]


# --- the browser of the tests of a module


@pytest.fixture(scope="module")
def chromium():
    with opened() as driver:
        yield driver


# --- the explorer and the site's pages in a browser, from file://: by pointer, by finger and by keyboard; and on a phone

# --- the explorer and the scripts of the site's pages in a browser, from file://: by pointer, by finger and by keyboard

FOLDER = ROOT / "docs" / "explorer"
DESKTOP, PHONE = (1200, 900), (360, 740)
RNG = np.random.default_rng


@pytest.fixture
def explorer(chromium):
    """A function that opens the explorer at an address."""
    pages = []

    def opened(address="", **settings):
        pages.append(Page(chromium, (FOLDER / "index.html").as_uri() + address, **settings))
        return pages[-1]

    yield opened
    assert pages[-1].complaints() == []


@pytest.fixture
def page(explorer):
    return explorer()


# --- bases, a curve, an edge


def test_sliders_change_degree_and_intervals_and_the_pictures_with_them(page):
    for degree, intervals in ((3, 5), (0, 1), (0, 12), (7, 1), (7, 12)):
        page.set("degree", degree)
        page.set("intervals", intervals)

        lines = page.lines("#bases-plot .basis, #curve-plot .curve, .slope")
        assert len(lines) == degree + intervals + 2
        assert all(line and "NaN" not in line for line in lines)
        assert len(page.all("#curve-plot .handle")) == degree + intervals
        assert len(page.all("#bases-plot .knot")) == 2 * degree + intervals + 1


def test_a_coefficient_follows_mouse_and_keys_and_curve_and_edge_follow_it(page):
    lines = "#curve-plot .curve, #edge-plot .spline"
    before, shown = page.spline()["coef"], page.lines(lines)
    x, y = page.call("middleOf", page.one(".handle[data-m='3']"))
    for kind, down in (("Pressed", 0), ("Moved", -30), ("Moved", -60), ("Released", -60)):
        event = {"type": f"mouse{kind}", "x": x, "y": y + down, "button": "left", "clickCount": 1}
        page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event | {"buttons": 1})
    dragged = page.spline()["coef"]
    assert dragged[3] > before[3] + 0.3
    assert dragged[:3] + dragged[4:] == before[:3] + before[4:]
    assert set(page.lines(lines)).isdisjoint(shown)

    page.run("document.querySelector('.handle[tabindex=\"0\"]').focus()")
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_UP):
        page.driver.switch_to.active_element.send_keys(key)
    assert page.spline()["coef"][1] == pytest.approx(dragged[1] + 0.05, abs=1e-5)


def test_the_page_says_the_values_of_bases_and_edge_that_kan_ref_gives(page):
    page.set("at", 0.5)
    held = page.spline()
    row, coef = [held["knots"]], held["coef"]
    values, slopes = (kr.bspline.basis([[held["x"]]], row, 3, n)[0, 0] for n in (0, 1))
    assert f"B₄ = {values[4]:.3g}" in page.text("curve-say")
    said = f"Sum 1; curve {values @ coef:.4g}, derivative {slopes @ coef:.4g}."
    assert page.text("curve-say").endswith(said)

    page.set("w-base", -1.0)
    page.set("w-spline", 0.5)
    x = page.set("edge-at", 0.62)
    expected = -x / (1.0 + np.exp(-x)) + 0.5 * kr.bspline.basis([[x]], row, 3)[0, 0] @ coef
    assert float(page.text("edge-say").split(" = ")[-1]) == pytest.approx(expected, rel=2e-4)


def test_inserted_knots_and_halved_intervals_leave_the_curve_where_it_is(page):
    def curve(held):
        x = np.linspace(-2.2, 2.2, 300)[:, None]
        return kr.bspline.basis(x, [held["knots"]], 3)[:, 0] @ held["coef"]

    before = page.spline()
    page.click("insert")
    after = page.spline()
    knots, coef = insert_knot(before["knots"], 3, [before["coef"]], after["x"])
    assert (after["knots"], after["coef"]) == (knots.tolist(), coef[0].tolist())
    page.click("halve")
    assert len(page.spline()["coef"]) == len(coef[0]) + 6
    np.testing.assert_allclose(curve(page.spline()), curve(before), atol=1e-14)

    for _ in range(3):  # a fourth knot at one place could break the curve
        page.click("insert")
    assert "There are already 3 knots at 0.3" in page.text("insert-say")


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
    text = page.run("return JSON.stringify(KAN.examples[1].document)")

    x = [page.set("input-0", 1.2), page.set("input-1", -0.8)]

    expected = network_from_plain(json_document(text.encode()))([x])[0, 0]
    assert float(page.text("outputs")[3:]) == pytest.approx(expected, rel=5e-6)
    assert "outside its grid" in page.text("outside")


def load(page, path, net=None):
    """Choose a file by hand, after a network was saved in it."""
    if net is not None:
        kr.save(net, path)
    page.one("#file").send_keys(str(path))
    page.until(lambda: path.name in page.text("network-name") + page.text("file-error"))


def test_a_faulty_file_keeps_the_network_and_a_good_one_is_drawn_chosen_or_dropped(page, tmp_path):
    net = random_network(RNG(2), degrees=(3,), widths=(3, 4, 2), dead=0.5)
    net = with_formulas(RNG(3), net, share=0.4)
    bad, good = tmp_path / "bad.json", tmp_path / "mixed.json"
    bad.write_text("{]", encoding="utf-8")
    before = page.text("network-name")

    load(page, bad)
    assert "bad.json holds no network that can be read: it is not" in page.text("file-error")
    assert page.text("network-name") == before
    load(page, good, net)
    assert not page.one("#file-error").is_displayed()
    page.call("dropFile", good.read_text(encoding="ascii"))
    page.until(lambda: "dropped.json" in page.text("network-name"))

    n_symbolic = sum(len(layer.symbolic) for layer in net.layers)
    assert len(page.all("#network-plot .edge")) == sum(layer.n_active for layer in net.layers)
    assert len(page.all("#network-plot .edge.symbolic")) == n_symbolic
    assert len(re.findall(r"= -?\d", page.text("outputs"))) == 2


def start(widths):
    return kr.init_network(widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(0))


def test_what_is_undefined_left_out_or_without_edges_is_told(page, tmp_path):
    named = kr.fix_symbolic(start((1, 1)), 0, output=0, input=0, name="log")
    load(page, tmp_path / "log.json", named)
    assert page.text("outputs") == "y = not defined"

    load(page, tmp_path / "large.json", start((60, 20, 12)))
    assert len(page.all("#network-plot .edge")) == 96
    assert f"{60 * 20 + 20 * 12 - 96} more active edges" in page.text("network-note")

    load(page, tmp_path / "masked.json", kr.mask_edges(start((2, 1)), 0, np.zeros((1, 2))))
    assert page.text("edge-title") == "This network has no active edge"
    assert page.text("outputs") == "y = 0"


# --- training


def steps(page):
    return int(re.search(r"Step (\d+)", page.text("train-say"))[1])


def errors(page):
    return [float(number) for number in re.findall(r"RMSE (-?[\d.e-]+\d)", page.text("train-say"))]


def train_to(page, n_steps):
    """Press the button until so many steps are done."""
    page.click("train-run")
    page.until(lambda: steps(page) >= n_steps)
    page.click("train-run")


def test_training_lowers_both_errors_halving_keeps_the_function_and_start_again_goes_back(page):
    begun = errors(page)
    page.click("train-one")
    assert steps(page) == 1
    train_to(page, 150)
    trained = errors(page)
    assert max(trained) < 0.2 * min(begun)

    page.click("train-halve")
    assert errors(page) == trained
    assert "G = 10" in page.text("train-say")
    page.click("train-again")
    assert (steps(page), errors(page)) == (0, begun)


def test_with_a_penalty_weak_edges_can_be_removed_and_the_rest_named(page):
    page.set("train-penalty", -2)
    train_to(page, 400)
    page.set("train-threshold", 0.1)
    weak = len(page.all("#train-network .edge.weak"))
    page.click("train-prune")
    left = len(page.all("#train-network .edge"))
    page.click("train-name")

    assert 1 <= weak <= 15 - left
    assert len(page.all("#train-network .edge.symbolic")) == left
    assert "Named: " in page.text("train-names")


@for_all("target", ["sin%28x", "1/%28x-x%29"])
def test_an_unusable_target_is_told_and_nothing_trains_until_there_is_another(explorer, target):
    page = explorer(f"#part=training&target={target}")

    assert page.text("train-error").startswith("The target cannot be used: ")
    assert not page.one("#train-run").is_enabled()
    page.set("train-own", "x + 2 y", "change")
    assert not page.one("#train-error").is_displayed()
    train_to(page, 150)
    assert errors(page)[1] < 0.2


def test_an_address_opens_the_page_as_it_was_and_a_link_in_an_open_tab_is_followed(explorer):
    address = "#part=training&target=x y&hidden=2&intervals=7&degree=2&rate=-1&penalty=-3&seed=4"
    page = explorer(address)
    assert "[2, 2, 1], G = 7, 6 active edges" in page.text("train-say")
    page.set("train-seed", 5)
    page.driver.refresh()
    page.until(lambda: page.all("#train-network .edge"))
    assert page.text("train-seed-value") == "5"

    page.run("location.hash = '#part=bases&degree=1&intervals=4&only'")
    page.until(lambda: page.text("count").startswith("4 intervals + degree 1"))
    assert not page.one("#training").is_displayed()


# --- any screen, and a part that fails


@for_all("scheme", ["light", "dark"])
@for_all("size", [DESKTOP, PHONE])
def test_the_page_fits_its_width_can_be_read_and_every_control_has_a_name(explorer, size, scheme):
    page = explorer(size=size, scheme=scheme)

    contrasts, controls = page.call("contrasts"), page.call("controls")
    assert page.run("return document.documentElement.scrollWidth") <= size[0]
    assert len(contrasts) > 40
    # level AA of the Web Content Accessibility Guidelines
    assert min(contrasts)[0] >= 4.5, min(contrasts)
    assert all(name for name, _ in controls)
    assert size == DESKTOP or min(height for _, height in controls) >= 24.0


def test_a_part_that_fails_is_told_and_the_others_work_on(chromium, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "explorer")
    broken = "globalThis.KAN.examples = [{document: {}}];"
    (tmp_path / "explorer" / "example.js").write_text(broken, encoding="utf-8")

    page = Page(chromium, (tmp_path / "explorer" / "index.html").as_uri())

    assert page.text("trouble").startswith("This page has an error: ")
    page.set("degree", 2)
    assert len(page.all("#bases-plot .basis")) == 7


# --- the scripts of the site's pages


@pytest.fixture
def site_page(chromium, tmp_path):
    """A function that opens a page with the site's script, at a place of it."""
    shutil.copytree(FOLDER, tmp_path / "explorer")
    shutil.copy(ROOT / "docs" / "_static" / "site.js", tmp_path)
    shutil.copy(ROOT / "tests" / "explorer" / "site_page.html", tmp_path)
    return lambda place="": Page(chromium, (tmp_path / "site_page.html").as_uri() + place)


def test_the_box_filters_equations_by_words_and_by_whole_numbers(site_page):
    page, cards = site_page(), ".equation, .equation-group"
    right = {"": "one a two b c", "SPLINE": "one a two c", "2.1": "one a", "2.10": "two b"}

    for text, shown in (right | {"spline b_m": "one a"}).items():
        page.set("equation-filter", text)
        found = [card.get_attribute("id") for card in page.all(cards) if card.is_displayed()]
        assert " ".join(found) == shown


def test_code_is_copied_without_numbers_prompts_and_outputs(site_page):
    code = "return ['code', 'example'].map((id) => codeOf(document.getElementById(id)))"

    assert site_page().run(code) == ["x = 1\n", "1 + 1\n"]


def test_a_part_in_a_frame_is_alone_with_its_state_and_the_colours_of_the_page(site_page):
    page = site_page()
    frame = page.one("iframe")
    page.until(lambda: frame.get_attribute("style"))
    page.driver.switch_to.frame(frame)
    page.until(lambda: page.one("html").get_attribute("data-theme") == "dark")

    assert len(page.all("#bases-plot .basis")) == 5
    assert not page.one("#edge").is_displayed()
    page.driver.switch_to.default_content()
    assert page.complaints() == []


def test_an_optional_section_is_closed_until_a_click_or_a_link_opens_it(site_page):
    for place in ("#inside", "#optional-more"):
        assert site_page(place).one("#inside").is_displayed()
    page = site_page("#kept")
    assert not page.one("#inside").is_displayed()
    page.one("summary").click()
    assert page.one("#inside").is_displayed()


# --- the pages of the site on a phone of 390 pixels: nothing is wider than the page, except what scrolls by design

PHONE_SIZE = (390, 844)


def too_wide(paths):
    """Page -> what is too wide on it."""
    with opened() as browser:
        pages = {path: Page(browser, path.as_uri(), PHONE_SIZE).call("tooWide", PHONE_SIZE[0]) for path in paths}
    return {path: found for path, found in pages.items() if found}


def test_no_formula_and_no_element_of_a_page_is_wider_than_a_phone(tmp_path):
    """The site that lane `site` has built, or one whose tutorials are not run."""
    folder = Path(SHARED) / "html"
    if not (SHARED and folder.exists()):
        built = build_site(ROOT, tmp_path, "-D", "nb_execution_mode=off")
        assert built.complaints == ""
        folder = built.folder
    paths = [path for path in sorted(folder.rglob("*.html")) if "source" not in path.parts]

    assert len(paths) > 80
    # most of the time goes into setting their formulas, on one core for each browser
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(too_wide, (paths[::2], paths[1::2]))) == [{}, {}]


BODIES = {
    f"<pre style='overflow-x: auto'>{'x' * 200}</pre>": [],
    "<details><table style='width: 500px'><td>a</table></details>": ["TABLE", "page"],
    "<div style='overflow: hidden'><p style='width: 500px'>cut</p></div>": ["P"],
}


@for_all("body", BODIES)
def test_an_element_that_is_cut_or_widens_the_page_is_found(chromium, tmp_path, body):
    head = "<!doctype html><meta name=viewport content='width=device-width'><body>"
    path = tmp_path / "page.html"
    path.write_text(head + body, encoding="utf-8")

    found = Page(chromium, path.as_uri(), PHONE_SIZE).call("tooWide", PHONE_SIZE[0])

    assert [kind for kind, *_ in found if kind in ("TABLE", "P", "page")] == BODIES[body]
