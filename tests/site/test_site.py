"""The built site: no link or anchor is broken, nothing is fetched from elsewhere, and everything that it promises to show is there."""

import copy
import html
import posixpath
import re
import zipfile
from urllib.parse import unquote, urlsplit

import api_pages
import nbclient
import nbformat
import pytest
import tree
import tutorial_text
from checkout import COMMAND, ROOT

import kan_ref as kr
from figures.machine.catalog import all_figures
from figures.machine.records import file_stem, make_plan

ATTRIBUTE = re.compile(r'<(\w+)\b[^>]*?\s(href|src|data-src|poster)="([^"]*)"')
IDS = re.compile(r'\s(?:id|name)="([^"]+)"')
RESULTS = ROOT / "figures" / "results"
BASE64 = re.compile(r"base64,[\w+/=]+")  # of pictures in outputs: any letters follow any others


@pytest.fixture(scope="module")
def texts(site):
    """Page of the built site, relative to it -> its text."""
    paths = {path.relative_to(site.folder).as_posix(): path for path in site.folder.rglob("*.html")}
    return {page: path.read_text(encoding="utf-8") for page, path in paths.items()}


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
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            path = posixpath.join(posixpath.dirname(page), unquote(parts.path))
            target = posixpath.normpath(path) if parts.path else page
            anchor = unquote(parts.fragment)
            if target not in files or (anchor and anchor not in ids.get(target, {anchor})):
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
    paths = [path for path in site.folder.rglob("*") if path.is_file()]

    assert len(texts) > 100
    assert broken_links(texts, {path.relative_to(site.folder).as_posix() for path in paths}) == []


def test_nothing_is_fetched_from_elsewhere(site, texts):
    foreign = (
        r"url\(['\"]?(https?:)?//|@import|//cdn|//[\w.]*(jsdelivr|unpkg|cloudflare|googleapis)"
    )
    paths = [*site.folder.rglob("*.css"), *site.folder.rglob("*.js")]
    loaded = own_pages(texts) | {path.name: path.read_text(encoding="utf-8") for path in paths}
    del loaded["tex-svg.js"]

    assert fetched_from_elsewhere(texts) == []
    assert [name for name, text in loaded.items() if re.search(foreign, BASE64.sub("", text))] == []


def test_links_that_are_broken_and_what_is_fetched_from_elsewhere_are_found():
    linked = {
        "a/b.html": '<a href="../c.html#here"></a><a href="#top"></a><img src="no.png"><a href="https://x.org/y"></a>',
        "c.html": '<p id="there"><a href="a/b.html">',
    }
    fetching = '<script async src="https://cdn.x.org/m.js"></script><link rel="x" href="//y.org/s.css"><a href="https://z.org"></a>'

    broken = [link for _, link in broken_links(linked, {"a/b.html", "c.html"})]
    assert broken == ["#top", "../c.html#here", "no.png"]
    found = fetched_from_elsewhere({"a.html": fetching})
    assert [address for _, address in found] == ["//y.org/s.css", "https://cdn.x.org/m.js"]


def test_formulas_are_set_by_the_script_of_the_site_and_pictures_are_described(texts):
    script = re.compile(r'<script[^>]* src="[./]*_static/tex-svg\.js')
    with_formulas = {page for page, text in own_pages(texts).items() if 'class="math' in text}
    described = re.findall(r'<img[^>]*? alt="([^"]*)"', "".join(texts.values()))

    assert with_formulas
    assert [page for page in with_formulas if not script.search(texts[page])] == []
    assert len(described) > 60
    assert [text for text in described if re.search(r"\.(svg|png|gif)$", text)] == []


def test_the_search_knows_pages_words_and_the_numbers_of_the_paper(site, texts):
    index = (site.folder / "searchindex.js").read_text(encoding="utf-8")
    numbers = re.findall(r"paper: \((\d+\.\d+)", texts["docs/equations.html"])

    assert '"docs/faq"' in index
    assert '"blossom":' in index
    assert len(numbers) > 12
    assert numbers == sorted(numbers, key=lambda number: int(number.partition(".")[2]))
    assert [number for number in numbers if f'"{number}":[[' not in index] == []


# --- the reference


def test_the_reference_has_every_public_name_with_its_purpose(texts):
    pages = {page: text for page, text in texts.items() if page.startswith("docs/api/")}
    documented = {name for text in pages.values() for name in IDS.findall(text)}
    homes = tree.homes()
    rows = re.findall(r"<tr class=[^>]*>(.*?)</tr>", pages["docs/api/index.html"], flags=re.DOTALL)
    plain = [re.sub(r"<[^>]+>", "", row).split("\n") for row in rows]
    purposes = {cells[0].strip(): cells[1].strip() for cells in plain if cells[0].startswith("kr.")}

    assert sorted(homes) == sorted(kr.__all__)
    assert {f"kan_ref.{home}.{name}" for name, home in homes.items()} <= documented
    assert purposes.keys() == {f"kr.{name}" for name in homes}
    assert [name for name, purpose in purposes.items() if not purpose.endswith(".")] == []


def test_docstrings_are_shown_without_marks_of_their_source(texts):
    pages = {page: text for page, text in texts.items() if page.startswith("docs/api/")}
    raw = re.compile(r":eq:`|Alias for field|&lt;(?:factory|lambda|function)|<p>[^<]*`")

    assert len(pages) > 15
    assert [(page, raw.findall(text)) for page, text in pages.items() if raw.search(text)] == []


def test_in_a_docstring_of_a_module_only_code_and_references_are_marks():
    written = """A sum |x| of a_ and a*b, with `code_` and :eq:`silu`, *perhaps*.

            (1)  x_1 = :eq:`silu` `y` * 2
            `z`    (2)

        - one_
        """

    shown = "\n".join(api_pages.module_text(written))

    assert r"A sum \|x\| of a\_ and a\*b, with ``code_`` and :eq:`silu`, *perhaps*." in shown
    assert (
        "   :class: module-text\n\n   (1)  x_1 = (silu) y * 2\n   z      (2)\n\n- one\\_" in shown
    )


def test_defaults_are_shown_as_a_reader_would_write_them():
    given = "(x=<function f.<lambda>>, d=<factory>, kind=<class 'int'>, at=slice(None, None, None))"

    shown, _ = api_pages.shorten_defaults(None, "", "", None, None, given, "")

    assert shown == "(x=..., d=..., kind=int, at=:)"


def test_a_package_without_a_title_is_named(monkeypatch):
    monkeypatch.delitem(api_pages.TITLES, "io")

    with pytest.raises(ValueError, match=r"\['io'\] without a title in docs/_ext/api_pages"):
        api_pages.write_pages(None)


# --- generated pages


def test_every_place_on_the_page_of_what_is_reproduced_is_a_link(texts):
    tables = re.findall(r"<tbody>.*?</tbody>", texts["docs/reproduced.html"], flags=re.DOTALL)
    places = re.findall(r"(<a [^>]*>)?<code[^>]*>(.*?)</code>", "".join(tables), flags=re.DOTALL)

    assert len(places) > 90
    assert [text for link, text in places if not link] == []


def test_the_gallery_has_every_picture_with_what_to_see_and_every_claim(texts):
    gallery = html.unescape(texts["docs/gallery.html"])
    plain = html.unescape(re.sub(r"<[^>]+>", "", texts["docs/gallery.html"]))
    claims = [cell for rows in tree.claims()[0].values() for row in rows for cell in row]
    figures = {file_stem(figure): figure for figure in all_figures().values()}
    made = {name: make_plan(one, RESULTS, full=True, seeds=None) for name, one in figures.items()}
    captions = tree.captions()

    assert [
        name for name, plan in made.items() if plan.drawable and f"/{name}.svg" not in gallery
    ] == []
    assert len(claims) > 500
    assert [cell for cell in claims if cell not in plain] == []
    assert captions.keys() == tree.figures().keys()
    shown = [f'alt="{text}"' in gallery and f">{text}</p>" in gallery for text in captions.values()]
    assert all(shown)


def test_the_page_of_equations_shows_every_formula(texts):
    page, formulas = html.unescape(texts["docs/equations.html"]), tree.formulas()
    shown = re.findall(r'id="formula-([\w-]+)"', page)

    assert sorted(shown) == sorted(tree.tagged_lines())
    assert [tag for tag in shown if formulas[tag].latex.split("\n")[0] not in page] == []


def test_every_box_on_a_deviation_stands_on_the_page_of_deviations(texts):
    page, boxes = html.unescape(texts["docs/deviations.html"]), tree.boxes()
    written = "".join(text for name, text in tree.pages().items() if name.startswith("tutorials/"))

    assert [box.label for box in boxes if f'.html#{box.label}"' not in page] == []
    # boxes are read by a pattern: a misspelt one must not slip through it
    found = sum(box.page.startswith("tutorials/") for box in boxes)
    assert found == len(re.findall(r"\{admonition\} .*Paper says / we do", written)) > 5


def test_pages_with_a_part_of_the_explorer_load_it_late_and_link_to_the_whole(texts):
    for page in (texts["tutorials/01_b_splines.html"], texts["tutorials/04_a_network.html"]):
        frames = re.findall(r'<iframe class="explorer"[^>]*>', page)
        assert frames
        assert all('loading="lazy"' in frame and "&amp;only" in frame for frame in frames)
        assert page.count('class="explorer-link"') == len(frames)


def test_an_address_of_the_explorer_is_encoded_and_its_part_must_exist():
    part, address = tutorial_text.read_address("part=training&target=x + y^2&rate=-2")

    assert (part, address) == ("training", "part=training&target=x%20%2B%20y%5E2&rate=-2")
    with pytest.raises(ValueError, match=r"no part 'curve'; its parts are bases, edge"):
        tutorial_text.read_address("part=curve")


def test_only_the_cell_under_check_is_folded():
    fence = "```{code-cell} ipython3\n"
    above = f"## A\n\n{fence}x = 1\n```\n\n## Check\n\n{fence}"

    for head in ("", ":tags: [hide-input]\n\n", "---\ntags: [hide-input]\n---\n"):
        folded = tutorial_text.folded(f"{above}{head}assert x\n```\n")

        assert folded.startswith(f"{above}---\n")
        assert folded.count(f"code_prompt_show: {tutorial_text.CHECKED}\n") == 1
        assert folded.endswith("---\nassert x\n```\n")


def test_the_command_of_the_build_stands_in_the_rules_of_the_house():
    assert f".venv/bin/{COMMAND}" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


# --- notebooks, sheets and slides


def archive(site, name):
    """Name in an archive -> notebook."""
    with zipfile.ZipFile(site.folder / "notebooks" / f"kan_ref_{name}.zip") as files:
        return {name: nbformat.reads(files.read(name), 4) for name in files.namelist()}


@pytest.fixture(scope="module")
def notebooks(site):
    return archive(site, "notebooks")


def markdown(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_every_tutorial_is_offered_as_a_notebook_alone_and_in_the_archive(site, notebooks):
    pages = [page for page in tree.pages() if page.startswith("tutorials/")]
    names = [page.replace("tutorials/", "notebooks/", 1) + ".ipynb" for page in pages]

    assert sorted(notebooks) == sorted(f"kan_ref_{name}" for name in names)
    assert all((site.folder / name).is_file() for name in names)


def test_a_notebook_quotes_code_and_shows_no_directive_or_reference_of_the_site(notebooks):
    raw = re.compile(r"^:{3,}|\{\w+\}`|^\([\w-]+\)=$|^\$\$ *\([^)]*\)$|^```\{", flags=re.MULTILINE)
    quoted = markdown(notebooks["kan_ref_notebooks/01_b_splines.ipynb"])

    assert "\ndef uniform_knots(" in quoted
    assert [name for name, notebook in notebooks.items() if raw.search(markdown(notebook))] == []


def test_links_of_notebooks_lead_into_the_archive_or_to_the_repository(notebooks):
    formula = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", flags=re.DOTALL)
    for name, notebook in notebooks.items():
        for link in re.findall(r"\]\(([^)\s#]+)", formula.sub("", markdown(notebook))):
            if "/blob/main/" in link:
                assert (ROOT / link.partition("/blob/main/")[2]).exists(), (name, link)
            elif not re.match(r"https?://", link):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
                assert target in notebooks, (name, link)


def outputs_of(cell):
    """What a cell prints, and the kinds of its pictures, whose bytes depend on fonts and clocks; in one piece or several, which depends on the time."""
    printed = "".join(output.get("text", "") for output in cell.outputs)
    kinds = {kind.partition("/")[0] for one in cell.outputs for kind in one.get("data", ())}
    return printed, kinds


def test_a_notebook_gives_its_outputs_again_in_an_empty_folder(notebooks, tmp_path):
    """One of them; the build has run all their pages already, from the same text."""
    given = notebooks["kan_ref_notebooks/00_one_edge_by_hand.ipynb"]
    resources = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(copy.deepcopy(given), timeout=120, resources=resources)

    pairs = zip(given.cells, client.execute().cells, strict=True)
    for one, other in [pair for pair in pairs if pair[0].cell_type == "code"]:
        assert outputs_of(one) == outputs_of(other)


def test_every_tutorial_has_slides_and_a_sheet_and_its_check_is_folded(site, texts):
    names = [page[10:] for page in tree.pages() if re.fullmatch(r"tutorials/\d\w+", page)]
    sheets = archive(site, "sheets")

    assert len(names) >= 13
    for name in names:
        slides = texts[f"slides/{name}.html"]
        assert slides.count("<section>") >= 5, name
        assert slides.count("<img ") >= 1 or name.startswith("12_"), name
        made = sheets[f"kan_ref_notebooks/sheets/{name}.ipynb"]
        assert re.findall(r"^## Exercise (\d)$", markdown(made), flags=re.MULTILINE) == [*"123"], (
            name
        )
        assert tutorial_text.CHECKED in texts[f"tutorials/{name}.html"], name
