"""The built site: no link or anchor is broken, nothing is fetched from elsewhere, and everything that it promises to show is there."""

import builtins
import copy
import html
import posixpath
import re
import zipfile
from urllib.parse import unquote, urlsplit

import api_pages
import lectures
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


@pytest.fixture(scope="module")
def texts(site):
    """Page of the built site, relative to it -> its text."""
    return {
        path.relative_to(site.folder).as_posix(): path.read_text(encoding="utf-8")
        for path in site.folder.rglob("*.html")
    }


BASE64 = re.compile(r"base64,[\w+/=]+")  # of pictures in outputs: any letters follow any others


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
        if re.search(r"//cdn|//[\w.]*(jsdelivr|unpkg|cloudflare|googleapis)", BASE64.sub("", text))
    ] == []


def test_formulas_are_set_by_the_script_of_the_site(texts):
    with_formulas = [page for page, text in own_pages(texts).items() if 'class="math' in text]

    assert with_formulas
    assert [
        page
        for page in with_formulas
        if not re.search(r'<script[^>]* src="[./]*_static/tex-svg\.js', texts[page])
    ] == []


def test_no_picture_is_described_by_the_name_of_its_file(texts):
    described = {
        (page, text)
        for page, whole in texts.items()
        for text in re.findall(r'<img[^>]*? alt="([^"]*)"', whole)
    }

    assert len(described) > 60
    assert [one for one in described if re.search(r"\.(svg|png|gif)$", one[1])] == []


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


def test_docstrings_are_shown_without_marks_of_their_source(texts):
    pages = {page: text for page, text in texts.items() if page.startswith("docs/api/")}
    raw = re.compile(r":eq:`|Alias for field|&lt;(?:factory|lambda|function)|<p>[^<]*`")

    assert len(pages) > 15
    assert [(page, raw.findall(text)) for page, text in pages.items() if raw.search(text)] == []


def test_in_a_docstring_of_a_module_only_code_and_references_are_marks():
    lines = api_pages.module_text(
        """A sum |x| of a_ and a*b, with `code_` and :eq:`silu`, *perhaps*.

            (1)  x_1 = :eq:`silu` `y` * 2
            `z`    (2)

        - one_
        - two
        """
    )

    assert lines == [
        r"A sum \|x\| of a\_ and a\*b, with ``code_`` and :eq:`silu`, *perhaps*.",
        "",
        ".. code-block:: text",
        "   :class: module-text",
        "",
        "   (1)  x_1 = (silu) y * 2",
        "   z      (2)",
        "",
        r"- one\_",
        "- two",
        "",
    ]


@pytest.mark.parametrize(
    ("signature", "shown"),
    [
        ("(x, report=<function Search.<lambda>>)", "(x, report=...)"),
        ("(f=<function f at 0x7f00>, d=<factory>)", "(f=..., d=...)"),
        ("(kind=<class 'int'>, rows=slice(None, None, None))", "(kind=int, rows=:)"),
    ],
)
def test_defaults_are_shown_as_a_reader_would_write_them(signature, shown):
    assert api_pages.shorten_defaults(None, "", "", None, None, signature, "") == (shown, "")


def test_every_public_name_has_a_purpose(texts):
    page = texts["docs/api/index.html"]
    rows = re.findall(r"<tr class=[^>]*>(.*?)</tr>", page, flags=re.DOTALL)
    purposes = {
        re.sub(r"<[^>]+>", "", cells[0]).strip(): re.sub(r"<[^>]+>", "", cells[1]).strip()
        for cells in (re.findall(r"<td>(.*?)</td>", row, flags=re.DOTALL) for row in rows)
        if cells
    }

    assert purposes.keys() == {f"kr.{name}" for name in tree.homes()}
    assert [name for name, purpose in purposes.items() if not purpose.endswith(".")] == []


def test_every_place_on_the_page_of_what_is_reproduced_is_a_link(texts):
    tables = re.findall(r"<tbody>.*?</tbody>", texts["docs/reproduced.html"], flags=re.DOTALL)
    places = re.findall(r"(<a [^>]*>)?<code[^>]*>(.*?)</code>", "".join(tables), flags=re.DOTALL)

    assert len(places) > 90
    assert [text for link, text in places if not link] == []


def test_a_package_without_a_title_is_named_and_pages_that_are_there_stay(tmp_path):
    api_pages.write(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.md")}
    api_pages.write(tmp_path)

    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert {path.stem for path in written} == api_pages.TITLES.keys()
    assert "# io: files" in (tmp_path / "io.md").read_text(encoding="utf-8")
    (tmp_path / "kan_ref" / "waves").mkdir(parents=True)
    (tmp_path / "kan_ref" / "waves" / "__init__.py").touch()
    with pytest.raises(ValueError, match=r"\['waves'\] without a title in docs/_ext/api_pages"):
        api_pages.write(tmp_path, tmp_path)


def test_the_gallery_has_every_picture_and_every_claim(texts):
    gallery = texts["docs/gallery.html"]
    plain = html.unescape(re.sub(r"<[^>]+>", "", gallery))
    rows, _ = tree.claims()
    folder = ROOT / "figures" / "results"
    drawn = [
        f"{file_stem(figure)}.svg"
        for figure in all_figures().values()
        if make_plan(figure, folder, full=True, seeds=None).drawable
    ]

    assert [name for name in drawn if f"/{name}" not in gallery] == []
    assert [
        cell for figure in rows.values() for row in figure for cell in row if cell not in plain
    ] == []
    assert sum(map(len, rows.values())) > 100


def test_every_picture_of_the_gallery_says_what_to_see_below_it_and_to_a_screen_reader(texts):
    gallery = html.unescape(texts["docs/gallery.html"])
    captions = tree.captions()

    assert [
        name
        for name, caption in captions.items()
        if f'alt="{caption}"' not in gallery or f">{caption}</p>" not in gallery
    ] == []
    assert captions.keys() == tree.figures().keys()
    assert all(caption.endswith(".") and len(caption) > 60 for caption in captions.values())


def test_the_page_of_equations_shows_every_formula_and_the_search_finds_numbers_of_the_paper(
    site, texts
):
    page = html.unescape(texts["docs/equations.html"])
    formulas = tree.formulas()
    index = (site.folder / "searchindex.js").read_text(encoding="utf-8")

    shown = re.findall(r'id="formula-([\w-]+)"', page)
    assert sorted(shown) == sorted(tree.tagged_lines())
    assert [tag for tag in shown if formulas[tag].latex.split("\n")[0] not in page] == []
    numbers = re.findall(r"paper: \((\d+\.\d+)", page)
    assert numbers == sorted(numbers, key=lambda number: int(number.partition(".")[2]))
    assert len(numbers) > 12
    assert [number for number in numbers if f'"{number}":[[' not in index] == []


def test_pages_with_a_part_of_the_explorer_load_it_late_and_link_to_the_whole(texts):
    framed = {
        page: re.findall(r'<iframe class="explorer"[^>]*>', text)
        for page, text in texts.items()
        if page.startswith("tutorials/") and 'class="explorer"' in text
    }

    assert {"tutorials/01_b_splines.html", "tutorials/04_a_network.html"} <= set(framed)
    for page, frames in framed.items():
        assert all('loading="lazy"' in frame and "&amp;only" in frame for frame in frames)
        assert texts[page].count('class="explorer-link"') == len(frames)


def test_the_cell_that_checks_the_claims_of_a_tutorial_is_folded(texts):
    pages = [page for page in texts if re.fullmatch(r"tutorials/\d\w+\.html", page)]

    assert len(pages) >= 14
    assert [page for page in pages if texts[page].count(tutorial_text.CHECKED) < 1] == []


def test_an_address_of_the_explorer_is_encoded_and_its_part_must_exist():
    part, address = tutorial_text.read_address("part=training&target=x + y^2&rate=-2")

    assert part == "training"
    assert address == "part=training&target=x%20%2B%20y%5E2&rate=-2"
    with pytest.raises(ValueError, match=r"no part 'curve'; its parts are bases, edge"):
        tutorial_text.read_address("part=curve")


@pytest.mark.parametrize("head", ["", ":tags: [hide-input]\n\n", "---\ntags: [hide-input]\n---\n"])
def test_only_the_cell_under_check_gets_the_line_that_opens_it(head):
    fence = "```{code-cell} ipython3\n"
    text = f"## A\n\n{fence}x = 1\n```\n\n## Check\n\n{fence}{head}assert x\n```\n\n## Summary\n"

    folded = tutorial_text.folded(text)

    assert folded.startswith(f"## A\n\n{fence}x = 1\n```\n\n## Check\n\n{fence}---\n")
    assert folded.count(f"code_prompt_show: {tutorial_text.CHECKED}\n") == 1
    assert folded.endswith("---\nassert x\n```\n\n## Summary\n")


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


@pytest.fixture(scope="module")
def notebooks(site):
    """Name in the archive -> notebook."""
    with zipfile.ZipFile(site.folder / "notebooks" / "kan_ref_notebooks.zip") as archive:
        return {name: nbformat.reads(archive.read(name), 4) for name in archive.namelist()}


def outputs_of(cell):
    """What a cell shows, by kind; pictures without their bytes and format, which depend on fonts, clocks and settings of the kernel.

    A kernel sends what is printed in one piece or in several, which depends on the time.
    """
    shown = []
    for output in cell.outputs:
        what = output.get("text") or sorted(
            {kind.partition("/")[0] for kind in output.get("data", ())}
        )
        if shown and output.output_type == shown[-1][0] == "stream":
            shown[-1] = ("stream", shown[-1][1] + what)
        else:
            shown.append((output.output_type, what))
    return shown


def test_every_tutorial_is_offered_as_a_notebook_alone_and_in_the_archive(site, notebooks):
    pages = [page for page in tree.pages() if page.startswith("tutorials/")]

    names = [page.replace("tutorials/", "notebooks/", 1) + ".ipynb" for page in pages]
    assert sorted(notebooks) == sorted(f"kan_ref_{name}" for name in names)
    assert all((site.folder / name).is_file() for name in names)
    assert [
        name
        for name, notebook in notebooks.items()
        if not any(cell.get("outputs") for cell in notebook.cells) and "solutions" not in name
    ] == []


def test_quoted_code_of_a_notebook_is_the_code_itself_a_whole_definition_where_the_page_shows_one():
    quoted = tutorial_text.plain(
        ":::{eqcode} symbolic-parameters\n:::\n", "tutorials/08_symbols", {}
    )
    whole = ":::{eqcode} plain-knots\n:definitions: uniform_knots\n:::\n"

    assert "by_c[:] = by_u[order](u)\n" in quoted
    assert "\ndef uniform_knots(" in tutorial_text.plain(whole, "tutorials/01_b_splines", {})


def test_no_notebook_shows_a_directive_or_a_reference_of_the_site(notebooks):
    raw = re.compile(r"^:{3,}|\{\w+\}`|^\([\w-]+\)=$|^\$\$ *\([^)]*\)$|^```\{", flags=re.MULTILINE)

    assert {
        name: found
        for name, notebook in notebooks.items()
        if (
            found := [
                match[0]
                for cell in notebook.cells
                if cell.cell_type == "markdown"
                for match in raw.finditer(cell.source)
            ]
        )
    } == {}


def test_links_of_notebooks_lead_into_the_archive_or_to_the_repository(notebooks):
    lost = []
    for name, notebook in notebooks.items():
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        for link in re.findall(
            r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", "", text, flags=re.DOTALL)
        ):
            path = link.partition("#")[0]
            if path and not re.match(r"https?://", link):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
                lost += [(name, link)] * (target not in notebooks)
            elif "/blob/main/" in link:
                lost += [(name, link)] * (not (ROOT / path.partition("/blob/main/")[2]).exists())

    assert lost == []


@pytest.mark.parametrize("page", ["00_one_edge_by_hand", "solutions/03_a_layer"])
def test_a_notebook_of_the_archive_gives_its_outputs_again_in_an_empty_folder(
    page, notebooks, tmp_path
):
    """Two of them; `.venv/bin/pytest tests/site` has run all their pages already, from the same text."""
    given = notebooks[f"kan_ref_notebooks/{page}.ipynb"]
    again = nbclient.NotebookClient(
        copy.deepcopy(given), timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    pairs = zip(given.cells, again.cells, strict=True)
    assert [
        (outputs_of(one), outputs_of(other))
        for one, other in pairs
        if one.cell_type == "code" and outputs_of(one) != outputs_of(other)
    ] == []


def test_every_tutorial_has_slides_and_a_sheet(site):
    names = [page for page in tree.pages() if re.fullmatch(r"tutorials/\d\w+", page)]
    with zipfile.ZipFile(site.folder / "notebooks" / "kan_ref_sheets.zip") as archive:
        made = {name: nbformat.reads(archive.read(name), 4) for name in archive.namelist()}

    assert len(names) >= 13
    for name in names:
        base = posixpath.basename(name)
        slides = (site.folder / "slides" / f"{base}.html").read_text(encoding="utf-8")
        assert slides.count("<section>") >= 5, name
        assert slides.count("<img ") >= 1 or "12_" in name, name
        cells = made[f"kan_ref_notebooks/sheets/{base}.ipynb"].cells
        headings = [cell.source.splitlines()[0] for cell in cells if cell.cell_type == "markdown"]
        assert headings[1:] == ["## Exercise 1", "## Exercise 2", "## Exercise 3"], name
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        assert "assert" in code, name
        assert "is your part" in code or "# your code" in code, name


def test_a_stub_keeps_the_tests_and_not_the_answer():
    solution = 'import math\n\n\ndef double(x):\n    """Return 2 x."""\n    return 2 * x\n\n\nassert double(2) == 4'
    lines = "n = 3\nsquares = [k**2 for k in range(n)]\n\nassert squares == [0, 1, 4]"

    stubs = [lectures.stub(solution), lectures.stub(lines)]

    with pytest.raises(NotImplementedError, match="double is your part"):
        exec(stubs[0], {})
    exec(stubs[0].replace('raise NotImplementedError("double is your part")', "return 2 * x"), {})
    assert '"""Return 2 x."""' in stubs[0]
    assert stubs[1] == "# your code, which defines squares\n...\n\nassert squares == [0, 1, 4]"


def test_methods_of_a_class_beside_functions_are_stubs_too():
    solution = (
        "def one():\n    return 1\n\n\nclass A(dict):\n    n = 2\n\n    def two(self, *, k=1):\n"
        '        """Return 2.\n\n        Always.\n        """\n        return 2 * k\n\n'
        "    def three(self):\n        return 3\n\n\na = A()\nassert (a.n, a.two()) == (2, 2)"
    )

    made = lectures.stub(solution)

    assert "return 1" not in made
    assert "return 2" not in made
    assert "return 3" not in made
    assert '        """Return 2.\n\n        Always."""\n' in made
    assert made.count("    n = 2\n\n    def two(self, *, k=1):\n") == 1
    with pytest.raises(NotImplementedError, match="two is your part"):
        exec(made, {})


def test_a_place_names_what_tests_below_it_read_also_in_other_cells_and_in_loops():
    needed = {"total", "table"}
    lines = (
        "n = 3\nsquares = [k**2 for k in range(n)]\ntable[n], other = 9, 1\n"
        "for k, square in enumerate(squares):\n    root = square**0.5\n    assert root == k\n"
        "total = sum(squares)\nprint(total)"
    )

    assert lectures.stub(lines, needed) == (
        "# your code, which defines squares and sets table[n]\n...\n\n"
        "for k, square in enumerate(squares):\n    root = square**0.5\n    assert root == k\n\n"
        "# your code, which defines total\n..."
    )
    assert {name for name in needed if name not in dir(builtins)} == {"table"}


def test_a_cell_without_a_test_says_so():
    assert lectures.stub("n = 3") == "# this cell has no test\n# your code\n..."
    assert lectures.stub("def f():\n    return 1\n\n\nf()").startswith(
        "# this cell has no test\ndef f():"
    )
    assert lectures.stub("a = 1\nnp.testing.assert_equal(a, 1)", set()) == (
        "# your code, which defines a\n...\n\nnp.testing.assert_equal(a, 1)"
    )


def test_a_slide_shows_claims_formulas_and_the_picture_and_keeps_the_rest_as_notes():
    claim = "One claim, which is long enough to stand alone"
    text = (
        f"{claim}. Its proof.\n\n$$\nx = 1\n\\tag{{3}}\n$$\n\nwhere x is one.\n\n(A remark.)\n\nAs follows,\n\n"
        "4. the rest of a list.\n\nA short one. With its proof.\n\nAnother claim with $y_1 < 2$, of some length. Its proof."
    )

    shown = re.sub(
        r"</?(span|div class=.math)[^>]*>",
        "",
        lectures.slide("A $k$", text, "<img>", 2, lectures.markdown()),
    )

    assert "<h2>A \\(k\\)</h2>" in shown
    points = re.findall(r"<li>(.*?)</li>", shown.partition('class="notes"')[0])
    assert points == [
        f"{claim}.",
        "A short one. With its proof.",
        "Another claim with \\(y_1 &lt; 2\\), of some length.",
    ]
    assert "\\[x = 1\\]" in shown.partition('class="notes"')[0]
    assert shown.count("<img>") == 1
    assert "Its proof." in shown.partition('class="notes"')[2]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        (
            "- One is first. It is.\n- Two.\n\nNext: [more](more.md), or not.",
            ["One is first. It is.", "Two."],
        ),
        ("1. Do it.\n2. Do it again.\n\n[worked solutions](more.md)", ["Do it.", "Do it again."]),
        (
            "**1. A fact.** *It holds for every number.* So it does.\n\n**2. Another.** Yes.\n\nSee eq. (2). Now.\n\nThe next cell shows it.",
            ["1. A fact. It holds for every number.", "2. Another. Yes.", "See eq. (2). Now."],
        ),
    ],
)
def test_a_slide_shows_the_items_of_a_list_and_facts_with_their_numbers(text, points):
    made = lectures.slide("A", text, "", 2, lectures.markdown())
    shown = re.findall(r"<li>(.*?)</li>", made.partition('<div class="notes">')[0])

    assert [re.sub(r"<[^>]+>", "", one) for one in shown] == points


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
