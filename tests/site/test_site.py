"""The built site: no link or anchor is broken, nothing is fetched from elsewhere, and everything that it promises to show is there."""

import html
import posixpath
import re
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import tree
from checkout import ROOT
from site_build import COMMAND

import kan_ref as kr

ATTRIBUTE = re.compile(r'<(\w+)\b[^>]*?\s(href|src|data-src|poster)="([^"]*)"')
IDS = re.compile(r'\s(?:id|name)="([^"]+)"')


@pytest.fixture(scope="module")
def texts(site):
    """Page of the built site, relative to it -> its text."""
    return {
        path.relative_to(site.folder).as_posix(): path.read_text(encoding="utf-8")
        for path in site.folder.rglob("*.html")
    }


def own_pages(texts):
    """The pages without those of source files, which quote anything."""
    return {page: text for page, text in texts.items() if not page.startswith("source/")}


def broken_links(texts, files):
    """(page, link) of every link within the site that leads to no file or no anchor."""
    ids = {page: set(map(html.unescape, IDS.findall(text))) for page, text in texts.items()}
    found = []
    for page, text in texts.items():
        for _, _, link in set(ATTRIBUTE.findall(text)):
            parts = urlsplit(html.unescape(link))
            if parts.scheme or parts.netloc or (not parts.path and not parts.fragment):
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
                if parts.path
                else page
            )
            anchored = (
                not parts.fragment or target not in ids or unquote(parts.fragment) in ids[target]
            )
            if target not in files or not anchored:
                found.append((page, link))
    return sorted(found)


def fetched_from_elsewhere(texts):
    """(page, address) of everything that a browser would load from another place than the site; links to follow are none."""
    return sorted(
        (page, link)
        for page, text in texts.items()
        for tag, _, link in set(ATTRIBUTE.findall(text))
        if tag != "a" and re.match(r"(https?:)?//", link)
    )


def test_no_link_and_no_anchor_is_broken(site, texts):
    files = {
        path.relative_to(site.folder).as_posix()
        for path in site.folder.rglob("*")
        if path.is_file()
    }

    assert len(texts) > 100
    assert broken_links(texts, files) == []


def test_nothing_is_fetched_from_elsewhere(site, texts):
    styles = {path.name: path.read_text(encoding="utf-8") for path in site.folder.rglob("*.css")}
    scripts = {
        path.name: path.read_text(encoding="utf-8")
        for path in site.folder.rglob("*.js")
        if path.name != "tex-svg.js"
    }

    assert fetched_from_elsewhere(texts) == []
    assert [
        name for name, text in styles.items() if re.search(r"url\(['\"]?(https?:)?//|@import", text)
    ] == []
    assert [
        name
        for name, text in (scripts | own_pages(texts)).items()
        if re.search(r"//cdn|//[\w.]*(jsdelivr|unpkg|cloudflare|googleapis)", text)
    ] == []


def test_formulas_are_set_by_the_script_of_the_site(texts):
    with_formulas = [page for page, text in own_pages(texts).items() if 'class="math' in text]

    assert with_formulas
    assert [
        page
        for page in with_formulas
        if not re.search(r'<script[^>]* src="[./]*_static/tex-svg\.js', texts[page])
    ] == []


def test_the_search_knows_the_pages_and_their_words(site):
    index = (site.folder / "searchindex.js").read_text(encoding="utf-8")

    assert '"docs/faq"' in index
    assert '"blossom":' in index


def test_the_reference_has_every_public_name(texts):
    documented = {
        name
        for page, text in texts.items()
        if page.startswith("docs/api/")
        for name in IDS.findall(text)
    }
    homes = tree.homes()

    assert sorted(homes) == sorted(kr.__all__)
    assert [
        name for name, home in homes.items() if f"kan_ref.{home}.{name}" not in documented
    ] == []
    assert [name for name in kr.__all__ if f"kr.{name}<" not in texts["docs/api/index.html"]] == []


def test_the_gallery_has_every_picture_and_every_claim(texts):
    gallery = texts["docs/gallery.html"]
    plain = html.unescape(re.sub(r"<[^>]+>", "", gallery))
    rows, _ = tree.claims()

    assert [
        path.name
        for path in (ROOT / "figures" / "results").glob("*.svg")
        if f"/{path.name}" not in gallery
    ] == []
    assert [
        cell for figure in rows.values() for row in figure for cell in row if cell not in plain
    ] == []
    assert sum(map(len, rows.values())) > 100


def test_every_box_on_a_deviation_stands_on_the_page_of_deviations(texts):
    page = html.unescape(texts["docs/deviations.html"])

    assert [box.label for box in tree.boxes() if f'.html#{box.label}"' not in page] == []
    assert page.count("admonition") >= len(tree.boxes())


def test_a_box_is_found_wherever_the_words_stand():
    """Boxes are read by a pattern: a misspelt one must not slip through it."""
    written = {
        page: text.count("Paper says / we do")
        for page, text in tree.pages().items()
        if page.startswith(("tutorials/0", "tutorials/1"))
    }

    assert sum(written.values()) == len(
        [box for box in tree.boxes() if box.page.startswith("tutorials/")]
    )


def test_every_tutorial_is_offered_as_a_notebook(site):
    pages = [page for page in tree.pages() if page.startswith("tutorials/")]

    for page in pages:
        notebook = nbformat.read(
            site.folder / f"{page.replace('tutorials/', 'notebooks/', 1)}.ipynb", as_version=4
        )
        assert [cell for cell in notebook.cells if cell.get("outputs")] == []


def test_the_command_of_the_build_stands_in_the_rules_of_the_house():
    assert f".venv/bin/{COMMAND}" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


# --- the readers can fail


def test_broken_links_and_anchors_are_found():
    texts = {
        "a/b.html": '<a href="../c.html#here"></a><a href="#top"></a><img src="no.png"><a href="https://x.org/y"></a>',
        "c.html": '<p id="there">',
    }

    assert broken_links(texts, {"a/b.html", "c.html"}) == [
        ("a/b.html", "#top"),
        ("a/b.html", "../c.html#here"),
        ("a/b.html", "no.png"),
    ]
    assert broken_links({"c.html": '<p id="x"><a href="#x"><a href="../c.html">'}, {"c.html"}) == [
        ("c.html", "../c.html")
    ]


def test_what_is_fetched_from_elsewhere_is_found():
    texts = {
        "a.html": '<script async src="https://cdn.x.org/m.js"></script><link rel="x" href="//y.org/s.css"><a href="https://z.org"></a>'
    }

    assert fetched_from_elsewhere(texts) == [
        ("a.html", "//y.org/s.css"),
        ("a.html", "https://cdn.x.org/m.js"),
    ]
