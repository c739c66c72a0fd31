"""The built site: no link or anchor is broken, nothing is fetched from elsewhere, and every tutorial and every solution runs.

Everything that the site promises to show is there. Tutorials run in a fresh kernel and an empty folder, warnings as errors, and are built as
tutorials are: the site's build is the run, it is made once, and what is asked here is how each page's run ended.
"""

import ast
import builtins
import copy
import html
import posixpath
import re
import zipfile
from urllib.parse import unquote, urlsplit

import api_pages
import jupytext
import lectures
import nbclient
import nbformat
import pytest
import tree
import tutorial_text
from cases import for_all
from checkout import COMMAND, ROOT, cells, small_site

import kan_ref as kr
from figures.machine.catalog import all_figures
from figures.machine.records import file_stem, make_plan

# --- the built site: no link or anchor is broken, nothing is fetched from elsewhere, and everything that it promises to show is there

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
    foreign = r"url\(['\"]?(https?:)?//|@import|//cdn|//[\w.]*(jsdelivr|unpkg|cloudflare|googleapis)"
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


def test_the_reference_has_every_public_name_once_with_its_purpose_and_a_page(texts):
    pages = {page: text for page, text in texts.items() if page.startswith("docs/api/")}
    documented = {name for text in pages.values() for name in IDS.findall(text)}
    rows = re.findall(r"<tr class=[^>]*>(.*?)</tr>", pages["docs/api/index.html"], flags=re.DOTALL)
    cells = [re.sub(r"<[^>]+>", "", row).split("\n") for row in rows]
    purposes = [(name, purpose) for name, purpose, *_ in cells if name != "name"]

    assert sorted(name for name, _ in purposes) == sorted([*kr.__all__, *api_pages.ESTIMATORS])
    assert [name for name, purpose in purposes if not purpose.endswith(".")] == []
    assert {f"kan_ref.{name}" for name in kr.__all__ if callable(getattr(kr, name))} <= documented


def test_docstrings_are_shown_without_marks_of_their_source(texts):
    pages = {page: text for page, text in texts.items() if page.startswith("docs/api/")}
    raw = re.compile(r":eq:`|Alias for field|&lt;(?:factory|lambda|function)|<p>[^<]*`")

    assert len(pages) > 15
    assert [(page, raw.findall(text)) for page, text in pages.items() if raw.search(text)] == []


def test_defaults_are_shown_as_a_reader_would_write_them():
    given = "(x=<function f.<lambda>>, d=<factory>, kind=<class 'int'>, at=slice(None, None, None))"

    shown, _ = api_pages.shorten_defaults(None, "", "", None, None, given, "")

    assert shown == "(x=..., d=..., kind=int, at=:)"


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

    assert [name for name, plan in made.items() if plan.drawable and f"/{name}.svg" not in gallery] == []
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
        assert re.findall(r"^## Exercise (\d)$", markdown(made), flags=re.MULTILINE) == [*"123"], name
        assert tutorial_text.CHECKED in texts[f"tutorials/{name}.html"], name


# --- every tutorial and every solution runs, in a fresh kernel and an empty folder, warnings as errors, and is built as tutorials are

PAGES = {page[10:]: text for page, text in tree.pages().items() if page.startswith("tutorials/")}
SOLUTIONS = {name[10:]: text for name, text in PAGES.items() if name.startswith("solutions/")}
TUTORIALS = {name: text for name, text in PAGES.items() if not name.startswith("solutions/")}
FENCED = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"\A---\n.*?^---\n", flags=re.MULTILINE | re.DOTALL)  # how a cell is shown


def codes_of(text):
    """The cells of a page, with the lines on how they are shown."""
    return re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def headings(text):
    """The headings of second rank, outside of fences."""
    return re.findall(r"^## (.+)$", FENCED.sub("", text), flags=re.MULTILINE)


def section(text, heading):
    """What stands under a heading of second rank."""
    return re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]


def faults_of_a_tutorial(name, text):
    """What a tutorial lacks, in words: its sections, what its first and last cell do, and marks, length and pictures of what can be read in parts."""
    names, codes, last = headings(text), codes_of(text), section(text, "Exercises")
    core = re.split(r"^## (?:Optional|Check)", text, flags=re.MULTILINE)[0]
    shown = [OPTIONS.sub("", code) for code in codes_of(core) if "hide-input" not in code]
    lines = [line for code in shown for line in code.splitlines() if line]
    drawn = [code for code in codes if re.search(r"plt\.show\(|Image\(", code)]
    options = [f"^    {option}: (\\|\n +)?(>-\n +)?\\w" for option in ("caption", "alt")]
    described = [re.search(one, code, flags=re.MULTILINE) for code in drawn for one in options]
    optional = [heading.startswith("Optional: ") for heading in names[:-3]]
    ok = {
        "sections": names[:1] == ["Question"] and names[-3:] == ["Check", "Summary", "Exercises"],
        "three exercises": re.findall(r"^(\d+)\. ", last, flags=re.MULTILINE) == ["1", "2", "3"],
        "solutions": f"](solutions/{name}.md)" in last,
        "generator": "np.random.default_rng(0)" in codes[0],
        "check": "assert" in codes[-1],
        "a script": not re.search(r"\b(In|Out)\[|get_ipython", "".join(codes)),
        "order": optional == sorted(optional),
        "length": len(FENCED.sub("", core).split()) <= 2500 and len(lines) <= 60,
        "pictures": bool(drawn) and all(described),
    }
    return [what for what, holds in ok.items() if not holds]


def faults_of_solutions(name, text):
    """What a file of solutions lacks, in words."""
    wanted = [f"Exercise {n}" for n in (1, 2, 3)]
    ok = {
        "sections": headings(text) == wanted,
        "asserts": all("assert" in "".join(codes_of(section(text, one))) for one in wanted),
        "link back": f"](../{name}.md)" in text,
    }
    return [what for what, holds in ok.items() if not holds]


def wide_lines(text):
    """Lines of code of more than 88 columns, which a page can show only with a scroll bar."""
    lines = [line for code in codes_of(text) for line in OPTIONS.sub("", code).splitlines()]
    return [line for line in lines if len(line) > 88]


@for_all("name", TUTORIALS)
def test_a_tutorial_has_its_parts_and_solutions_and_no_wide_line(name):
    assert faults_of_a_tutorial(name, TUTORIALS[name]) == []
    assert faults_of_solutions(name, SOLUTIONS[name]) == []
    assert wide_lines(TUTORIALS[name] + SOLUTIONS[name]) == []


PICTURE = "---\nmystnb:\n  figure:\n    caption: |\n      A\n  image:\n    alt: b\n---\nplt.show()"
FIRST = "import numpy as np\nrng = np.random.default_rng(0)"
GOOD = (
    cells(FIRST, PICTURE).replace("page", "page\n\n## Question")
    + "\n## Optional: more\n\n## Check\n\n```{code-cell} ipython3\nassert rng\n```\n\n"
    "## Summary\n\n## Exercises\n\n1. a\n2. b\n3. c\n\n[worked solutions](solutions/00_t.md)\n"
)
CHANGES = {
    "sections": ("## Summary", "## End"),
    "three exercises": ("3. c\n", ""),
    "solutions": ("00_t.md", "01_u.md"),
    "generator": ("default_rng(0)", "default_rng()"),
    "check": ("assert rng", "rng"),
    "a script": ("assert rng", "assert In[0]"),
    "order": ("## Check", "## Core\n\n## Check"),
    "length": ("import numpy", "x = 1\n" * 60 + "import numpy"),
    "pictures": ("alt: b", "class: c"),
}


@for_all("fault", CHANGES)
def test_a_tutorial_or_solution_without_a_part_is_found(fault):
    assert faults_of_a_tutorial("00_t", GOOD) == []
    assert faults_of_a_tutorial("00_t", GOOD.replace(*CHANGES[fault])) == [fault]
    assert faults_of_solutions("00_t", GOOD) == ["sections", "asserts", "link back"]
    assert wide_lines(GOOD.replace("rng = ", "r" * 88)) != []


def test_tutorials_0_to_9_show_whole_definitions_of_plain_and_equations_that_the_paper_numbers():
    cards = re.compile(r"^:::\{eqcode\} (\S+)\n(:definitions:)?", flags=re.MULTILINE)
    of_the_paper = {tag for tag, entry in tree.registry().items() if "paper" in entry}

    shown = {name: cards.findall(text) for name, text in TUTORIALS.items() if name < "10"}
    found = [(name, *card) for name, own in shown.items() for card in own]

    assert len(found) == 18
    for name, tag, whole in found:
        assert tag.startswith("plain-") if whole else name > "06" and tag in of_the_paper, tag


def labels_without_a_formula(text):
    """Labels such as (L3) that a page cites and neither prints nor, in the same paragraph, links to."""
    printed = set(re.findall(r"\\mathrm\{\(([A-Z]\d+)\)\}", text))
    paragraphs = FENCED.sub("", text).split("\n\n")
    paragraphs = [one for one in paragraphs if "more_equations.md" not in one]
    cited = re.findall(r"\(([A-Z]\d{1,2})\)", "\n\n".join(paragraphs))
    return [label for label in cited if label not in printed]


def test_a_page_cites_no_label_of_a_formula_that_it_does_not_print_or_link_to():
    assert labels_without_a_formula("By (S2) it is 0.\n\n$$\n\\mathrm{(S1)}\n$$") == ["S2"]
    found = {name: labels_without_a_formula(text) for name, text in PAGES.items()}
    assert {name: labels for name, labels in found.items() if labels} == {}


# --- the build


def test_the_site_is_built_without_a_complaint_and_every_page_with_code_ran_to_its_end(site):
    run = {page for page, text in tree.pages().items() if "{code-cell}" in text}
    if not (ROOT / "figures" / "results" / "records").exists():
        # a source distribution has no records of the figures: these two pages are shown, not run
        run -= {page for page in run if page.endswith("12_paper_and_findings")}

    assert (site.complaints, site.status) == ("", 0)
    assert [page for page, ended in site.runs.items() if not ended["succeeded"]] == []
    assert set(site.runs) == run
    assert len(run) > len(PAGES)
    assert list((ROOT / "tutorials").rglob("*.ipynb")) == []


def test_pages_that_fail_warn_or_point_nowhere_are_complained_of_and_others_are_not(tmp_path):
    pages = {
        "good": cells("import os\nassert os.listdir() == []\nopen('trace', 'w').close()"),
        "wrong": cells("assert 1 + 1 == 3"),
        "warns": cells("import warnings\nwarnings.warn('old', DeprecationWarning)"),
        "complains": cells("import sys\nprint('trouble', file=sys.stderr)"),
        "untagged": "# A page\n\n:::{eqcode} no-such-tag\n:::\n",
        "dangling": "# A page\n\nSee {eq}`no-such-label` and [nothing](no_such_page.md).\n",
    }

    built = small_site(tmp_path, pages)

    failed = {page[10:]: run for page, run in built.runs.items() if not run["succeeded"]}
    assert built.status != 0
    assert list(failed) == ["warns", "wrong"]
    assert "AssertionError" in failed["wrong"]["traceback"]
    assert "DeprecationWarning: old" in failed["warns"]["traceback"]
    for complaint in (
        "complains.md.*stderr was found in the cell outputs",
        r"untagged.md.*kan_ref has no lines between \[eq:no-such-tag\]",
        "dangling.md.*equation not found: no-such-label",
    ):
        assert re.search(complaint, built.complaints), complaint


# --- exercise sheets

PLACE = re.compile(r"# your code, which defines ([\w, ]+?)(?: and sets|$)", flags=re.MULTILINE)


def sheet_of(name):
    """The cells of code of a sheet, and the cells of the solutions that they are made from; the first one is given."""
    pages = [jupytext.reads(own[name], fmt="md:myst") for own in (TUTORIALS, SOLUTIONS)]
    notebooks = (lectures.sheet(*pages), pages[1])
    return [[cell.source for cell in one.cells if cell.cell_type == "code"] for one in notebooks]


@for_all("name", SOLUTIONS)
def test_a_sheet_has_all_assertions_and_defines_or_names_all_that_it_reads(name):
    defined = set(dir(builtins))
    for number, (cell, solved) in enumerate(zip(*sheet_of(name), strict=True)):
        nodes = [[*ast.walk(ast.parse(code))] for code in (cell, solved)]
        kept, wanted = (sum(isinstance(one, ast.Assert) for one in own) for own in nodes)
        assert kept == wanted
        assert ("# this cell has no test" in cell) == (number > 0 and not kept)
        reads, stores = lectures._names(cell)
        defined |= stores | set(", ".join(PLACE.findall(cell)).split(", "))
        assert reads <= defined


def cells_that_pass(cells):
    """The numbers of those cells of a sheet with tests that pass as they are, one after the other."""
    names, found = {"__name__": "sheet"}, []
    for number, cell in enumerate(cells):
        has_test = "is your part" in cell or "# your code" in cell
        has_test &= "# this cell has no test" not in cell
        try:
            exec(cell, names)
            found += [number] * has_test
        except Exception:
            continue
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", SOLUTIONS)
def test_no_cell_with_a_test_passes_where_nothing_is_filled_in(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")

    assert cells_that_pass(sheet_of(name)[0]) == []


def test_a_cell_that_passes_by_a_name_of_another_exercise_is_found():
    kept = "def f():\n    raise NotImplementedError('f is your part')\n\n\nn = 1\nassert f() == n"

    assert cells_that_pass(["", kept, "# your code, which defines n\n...\n\nassert n"]) == [2]


def test_a_stub_keeps_the_tests_and_not_the_answers_of_functions_and_methods():
    solution = (
        'def one():\n    """Return 1."""\n    return 1\n\n\nclass A(dict):\n    n = 2\n\n'
        "    def two(self, *, k=1):\n        return 2 * k\n\n\na = A()\nassert (one(), a.two()) == (1, 2)"
    )

    made = lectures.stub(solution)

    assert "return" not in made.replace('"""Return 1."""', "")
    assert '    """Return 1."""\n    raise' in made
    assert "    n = 2\n\n    def two(self, *, k=1):\n        raise" in made
    assert made.endswith("a = A()\nassert (one(), a.two()) == (1, 2)")
    with pytest.raises(NotImplementedError, match="one is your part"):
        exec(made, {})


def test_a_place_names_what_tests_below_it_read_also_in_other_cells_and_in_loops():
    needed = {"total", "table"}
    loop = "for k, square in enumerate(squares):\n    root = square**0.5\n    assert root == k\n"
    lines = f"n = 3\nsquares = [k**2 for k in range(n)]\ntable[n] = 9\n{loop}total = sum(squares)"

    assert lectures.stub(lines, needed) == (
        f"# your code, which defines squares and sets table[n]\n...\n\n{loop}\n# your code, which defines total\n..."
    )
    assert needed - set(dir(builtins)) == {"table"}
    assert lectures.stub("n = 3") == "# this cell has no test\n# your code\n..."


# --- slides


def points(heading, text):
    """What a slide lists, without marks."""
    left = lectures.slide(heading, text, "").partition('class="notes"')[0]
    return [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<li>(.*?)</li>", left)]


def test_a_slide_shows_how_paragraphs_begin_formulas_and_the_picture_and_keeps_the_rest_as_notes():
    text = (
        "One claim, which is long enough to stand alone. Its proof.\n\n$$\nx = 1\n\\tag{3}\n$$\n\nwhere x is one.\n\n"
        "(A remark.)\n\nAs follows,\n\n4. the rest of a list.\n\nA short one. With its proof.\n\n"
        "Another claim with $y_1 < 2$, of some length. Its proof.\n\nThe next cell shows it."
    )

    shown, _, notes = lectures.slide("A $k$", text, "<img>").partition('class="notes"')

    assert all(shown.count(part) == 1 for part in ("\\(k\\)", "\\[x = 1\\]", "<img>"))
    assert "Its proof." in notes
    assert points("A", text) == [
        "One claim, which is long enough to stand alone.",
        "A short one. With its proof.",
        "Another claim with \\(y_1 &lt; 2\\), of some length.",
    ]


def test_a_slide_shows_the_items_of_a_list_facts_with_their_numbers_and_exercises_as_a_whole():
    facts = "**1. A fact.** *It holds for every number.* So it does.\n\n**2. Another.** Yes."
    assert points("A", "- One is first. It is.\n- Two.") == ["One is first. It is.", "Two."]
    assert points("A", facts) == ["1. A fact. It holds for every number. So it does.", "2. Another. Yes."]
    assert points("Exercises", "1. Do it.\n2. Do it\n   again.") == ["Do it.", "Do it again."]
