"""Every tutorial and every solution runs, in a fresh kernel and an empty folder, warnings as errors, and is built as tutorials are.

The site's build is the run: it is made once, and what is asked here is how each page's run ended.
"""

import ast
import builtins
import re

import jupytext
import lectures
import pytest
import tree
from cases import for_all
from checkout import ROOT, cells, small_site

PAGES = {page[10:]: text for page, text in tree.pages().items() if page.startswith("tutorials/")}
SOLUTIONS = {name[10:]: text for name, text in PAGES.items() if name.startswith("solutions/")}
TUTORIALS = {name: text for name, text in PAGES.items() if not name.startswith("solutions/")}
FENCED = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"\A---\n.*?^---\n", flags=re.MULTILINE | re.DOTALL)  # how a cell is shown


def codes_of(text):
    """The cells of a page, with the lines on how they are shown."""
    return re.findall(
        r"^```\{code-cell\} ipython3\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL
    )


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

    assert len(found) == 17
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
        "# your code, which defines squares and sets table[n]\n...\n\n"
        f"{loop}\n# your code, which defines total\n..."
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
    assert points("A", facts) == [
        "1. A fact. It holds for every number. So it does.",
        "2. Another. Yes.",
    ]
    assert points("Exercises", "1. Do it.\n2. Do it\n   again.") == ["Do it.", "Do it again."]
