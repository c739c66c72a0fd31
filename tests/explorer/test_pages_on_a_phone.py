"""The pages of the site on a phone of 390 pixels: nothing is wider than the page, except what scrolls by design."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from checkout import ROOT, SHARED, build_site

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
# After MathJax has set the formulas, and with all that is folded opened: [what, its width, the room for it, its text] of every formula within a line that is
# wider than its line, and of every element that ends beyond the page and is in no box that scrolls sideways.
TOO_WIDE = r"""
const [width, done] = arguments; // innerWidth grows with what is too wide
const settled = (window.MathJax && MathJax.startup && MathJax.startup.promise) || Promise.resolve();
const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next)))); // the page's scripts have seen what changed
const inner = (box, style = getComputedStyle(box)) => box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
const shown = (element, box = element.getBoundingClientRect()) => box.width > 0 && box.height > 0;
const scrolls = (element) => {
  for (let box = element; box && box !== document.body; box = box.parentElement) {
    const style = getComputedStyle(box);
    if (style.position === "fixed" || (box !== element && ["auto", "scroll"].includes(style.overflowX))) return true; // fixed: a drawer outside the page
  }
  return false;
};
settled.then(drawn).then(() => document.querySelectorAll("details").forEach((one) => (one.open = true))).then(drawn).then(() => {
  const found = [];
  for (const formula of document.querySelectorAll("article mjx-container:not([display])")) {
    const line = formula.closest("p, li, td, dd, figcaption, th") || formula.parentElement;
    const own = formula.querySelector("svg").getBoundingClientRect().width;
    if (shown(formula) && own > inner(line) + 1) {
      const items = MathJax.startup.document.getMathItemsWithin(line);
      found.push(["formula", Math.round(own), Math.round(inner(line)), items.find((one) => one.typesetRoot === formula).math]);
    }
  }
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    const { left, right } = element.getBoundingClientRect();
    if (shown(element) && right > width + 1 && !scrolls(element)) {
      found.push([element.tagName, Math.round(right - left), width, element.textContent.trim().slice(0, 80)]);
    }
  }
  if (document.documentElement.scrollWidth > width) found.push(["page", document.documentElement.scrollWidth, width, ""]);
  done(found);
});
"""


def as_phone(browser):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    return browser


@pytest.fixture
def phone(chromium):
    return as_phone(chromium)


def too_wide(driver, page):
    driver.get(page.as_uri())
    return driver.execute_async_script(TOO_WIDE, PHONE["width"])


def too_wide_on(phone, pages):
    return {name: wide for name, path in pages if (wide := too_wide(phone, path))}


def test_no_formula_and_no_element_of_a_page_is_wider_than_a_phone(two_browsers, tmp_path):
    """The site that lane `site` has built, or one whose tutorials are not run."""
    folder = Path(SHARED) / "html"
    if not (SHARED and folder.exists()):
        built = build_site(ROOT, tmp_path, "-D", "nb_execution_mode=off")
        assert built.complaints == ""
        folder = built.folder
    pages = [
        (path.relative_to(folder).as_posix(), path)
        for path in sorted(folder.rglob("*.html"))
        if "source/" not in path.as_posix()
    ]

    phones = [as_phone(browser) for browser in two_browsers]
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(too_wide_on, phones, (pages[::2], pages[1::2]))

    assert len(pages) > 80
    assert one | other == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>short</p>", []),
        ("<pre style='overflow-x: auto'><code>" + "x" * 200 + "</code></pre>", []),
        ("<details><table style='width: 500px'><td>a</table></details>", ["TABLE", "page"]),
        ("<div style='overflow: hidden'><p style='width: 500px'>cut</p></div>", ["P"]),
    ],
)
def test_an_element_that_is_cut_or_widens_the_page_is_found_and_one_that_scrolls_is_not(
    phone, tmp_path, body, expected
):
    head = "<!doctype html><meta name=viewport content='width=device-width'><body>"
    (tmp_path / "page.html").write_text(head + body, encoding="utf-8")

    kinds = [kind for kind, *_ in too_wide(phone, tmp_path / "page.html")]

    assert [kind for kind in kinds if kind in ("formula", "TABLE", "P", "page")] == expected
