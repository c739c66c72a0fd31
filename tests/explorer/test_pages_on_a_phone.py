"""The pages of the site on a phone of 390 pixels: nothing is wider than the page, except what scrolls by design."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from browser_page import Page, opened
from cases import for_all
from checkout import ROOT, SHARED, build_site

PHONE = (390, 844)


def too_wide(paths):
    """Page -> what is too wide on it."""
    with opened() as browser:
        pages = {
            path: Page(browser, path.as_uri(), PHONE).call("tooWide", PHONE[0]) for path in paths
        }
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

    found = Page(chromium, path.as_uri(), PHONE).call("tooWide", PHONE[0])

    assert [kind for kind, *_ in found if kind in ("TABLE", "P", "page")] == BODIES[body]
