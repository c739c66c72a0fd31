"""Every tutorial and every solution runs, in a fresh kernel and an empty folder, warnings as errors, and is built as tutorials are.

The site's build is the run: it is made once, and what is asked here is how each page's run ended.
"""

import ast
import builtins
import copy
import functools
import re

import jupytext
import lectures
import numpy as np
import pytest
import tree
from cases import for_all
from checkout import ROOT, cells, small_site

TUTORIALS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tutorials").glob("*.md"))
}
SOLUTIONS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tutorials" / "solutions").glob("*.md"))
}
CELL = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def headings(text):
    """The headings of second rank, outside of fences."""
    return re.findall(
        r"^## (.+)$",
        re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL),
        flags=re.MULTILINE,
    )


def section(text, heading):
    """What stands under a heading of second rank."""
    return re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]


def faults_of_a_tutorial(name, text):
    """What a tutorial lacks, in sentences."""
    found, names = [], headings(text)
    if not names or names[0] != "Question" or names[-3:] != ["Check", "Summary", "Exercises"]:
        found.append(f"headings are {names}")
    exercises = re.findall(r"^(\d+)\. ", section(text, "Exercises"), flags=re.MULTILINE)
    if exercises != ["1", "2", "3"]:
        found.append(f"exercises are numbered {exercises}")
    if f"](solutions/{name}.md)" not in section(text, "Exercises"):
        found.append("no link to the solutions")
    codes = CELL.findall(text)
    if not codes or "np.random.default_rng(0)" not in codes[0]:
        found.append("the first cell has no generator")
    if not codes or "assert" not in codes[-1]:
        found.append("the last cell asserts nothing")
    if re.search(r"\b(In|Out)\[|get_ipython", "".join(codes)):
        found.append("a cell needs IPython, and does not run in a script")
    return found


def faults_of_solutions(name, text):
    """What a file of solutions lacks, in sentences."""
    found, wanted = [], [f"Exercise {n}" for n in (1, 2, 3)]
    if headings(text) != wanted:
        found.append(f"headings are {headings(text)}")
    found += [
        f"{heading} asserts nothing"
        for heading in wanted
        if not any("assert" in code for code in CELL.findall(section(text, heading)))
    ]
    if f"](../{name}.md)" not in text:
        found.append("no link back")
    return found


def core_of(text):
    """The page up to the first section that is optional, or to the check."""
    return re.split(r"^## (?:Optional|Check)", text, flags=re.MULTILINE)[0]


def without_options(code):
    """A cell without the lines on how it is shown."""
    return re.sub(r"\A---\n.*?^---\n", "", code, flags=re.MULTILINE | re.DOTALL)


def wide_lines(text):
    """Lines of code of more than 88 columns, which a page can show only with a scroll bar."""
    lines = [line for code in CELL.findall(text) for line in without_options(code).splitlines()]
    return [line for line in lines if len(line) > 88]


def faults_of_a_course(text):
    """What a tutorial that can be read in parts lacks, in sentences: marks, length, pictures."""
    found, codes = [], CELL.findall(text)
    optional = [name.startswith("Optional: ") for name in headings(text)][:-3]
    if optional != sorted(optional):
        found.append("a section of the core follows an optional one")
    prose = re.sub(r"^```.*?^```$", "", core_of(text), flags=re.MULTILINE | re.DOTALL)
    shown = [code for code in CELL.findall(core_of(text)) if "hide-input" not in code]
    lines = [line for code in shown for line in without_options(code).splitlines() if line]
    if len(prose.split()) > 2500 or len(lines) > 60:
        found.append(f"the core has {len(prose.split())} words, {len(lines)} lines of code")
    found += [f"a line of code has more than 88 columns: {line}" for line in wide_lines(text)]
    drawn = [code for code in codes if re.search(r"plt\.show\(|Image\(", code)]
    if not drawn:
        found.append("no picture")
    found += [
        f"a picture has no {option}"
        for option in ("caption", "alt")
        for code in drawn
        if not re.search(rf"^    {option}: (\|\n +)?(>-\n +)?\w", code, flags=re.MULTILINE)
    ]
    return found


def test_the_core_of_a_tutorial_is_short_and_its_pictures_say_what_to_see():
    assert {
        name: faults for name, text in TUTORIALS.items() if (faults := faults_of_a_course(text))
    } == {}


def test_no_line_of_code_of_a_tutorial_or_solution_has_more_than_88_columns():
    pages = TUTORIALS | {f"solutions/{name}": text for name, text in SOLUTIONS.items()}

    assert {name: lines for name, text in pages.items() if (lines := wide_lines(text))} == {}


def test_tutorials_0_to_9_show_whole_definitions_of_plain_and_equations_that_the_paper_numbers():
    cards = re.compile(r"^:::\{eqcode\} (\S+)\n(:definitions:)?", flags=re.MULTILINE)
    of_the_paper = {tag for tag, entry in tree.registry().items() if "paper" in entry}

    found = {name: cards.findall(text) for name, text in TUTORIALS.items() if name < "10"}

    assert sum(map(len, found.values())) == 17
    assert [
        (name, tag)
        for name, shown in found.items()
        for tag, whole in shown
        if not (
            (whole and tag.startswith("plain-"))
            or (name > "06" and not whole and tag in of_the_paper)
        )
    ] == []


def test_the_site_is_built_without_a_complaint(site):
    assert site.complaints == ""
    assert site.status == 0


def test_every_page_with_code_ran_to_its_end(site):
    run = {page for page, text in tree.pages().items() if "{code-cell}" in text}
    if not (ROOT / "figures" / "results" / "records").exists():
        # a source distribution has no records of the figures: these two pages are shown, not run
        run -= {page for page in run if page.endswith("12_paper_and_findings")}

    assert {
        page: ended["traceback"] for page, ended in site.runs.items() if not ended["succeeded"]
    } == {}
    assert set(site.runs) == run
    assert len(run) > len(TUTORIALS) + len(SOLUTIONS)


def test_every_tutorial_has_question_check_summary_and_three_exercises_and_asserts_its_claims():
    assert {
        name: faults
        for name, text in TUTORIALS.items()
        if (faults := faults_of_a_tutorial(name, text))
    } == {}


def test_every_tutorial_has_solutions_each_with_asserts():
    assert list(SOLUTIONS) == list(TUTORIALS)
    assert {
        name: faults
        for name, text in SOLUTIONS.items()
        if (faults := faults_of_solutions(name, text))
    } == {}


def labels_without_a_formula(text):
    """Labels such as (L3) that a page cites and neither prints nor, in the same paragraph, links to."""
    printed = set(re.findall(r"\\mathrm\{\(([A-Z]\d+)\)\}", text))
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [
        label
        for paragraph in prose.split("\n\n")
        for label in re.findall(r"\(([A-Z]\d{1,2})\)", paragraph)
        if label not in printed and "more_equations.md" not in paragraph
    ]


def test_a_page_cites_no_label_of_a_formula_that_it_does_not_print_or_link_to():
    pages = TUTORIALS | {f"solutions/{name}": text for name, text in SOLUTIONS.items()}

    assert {
        n: found for n, text in pages.items() if (found := labels_without_a_formula(text))
    } == {}
    assert labels_without_a_formula("By (S2) it is 0.\n\n$$\n\\mathrm{(S1)}\n$$") == ["S2"]


def test_no_page_keeps_outputs_or_notebooks():
    assert list((ROOT / "tutorials").rglob("*.ipynb")) == []


# --- exercise sheets

PLACE = re.compile(r"# your code(?:, which (?:defines ([\w, ]+?))?(?: and )?(?:sets (.+))?)?$")


@functools.cache
def sheet_of(name):
    """The pairs of a cell of the solutions and the sheet's cell for it, of code alone; the first pair is given."""
    tutorial, solution = (
        jupytext.reads(pages[name], fmt="md:myst") for pages in (TUTORIALS, SOLUTIONS)
    )
    made = lectures.sheet(tutorial, solution)
    solved, stubs = (
        [one.source for one in notebook.cells if one.cell_type == "code"]
        for notebook in (solution, made)
    )
    return list(zip(solved, stubs, strict=True))


def is_place(node):
    return isinstance(node, ast.Expr) and getattr(node.value, "value", None) is Ellipsis


def named(cell, node):
    """The names that a place says the reader defines, and the entries that the reader sets."""
    match = PLACE.match(cell.splitlines()[node.lineno - 2])
    names, entries = (match[1] or "").split(", "), match[2] or ""
    return {name for name in names if name}, entries


def is_to_do(cell):
    """Whether a cell has something to fill in."""
    return "is your part" in cell or any(map(is_place, ast.parse(cell).body))


def answered(solved, cell):
    """Yield what runs when a sheet's cell is filled in by the solution: whether it is the reader's, the statements, the names that the place says."""
    left = ast.parse(cell).body
    own, names = [], set()
    for node in ast.parse(solved).body:
        if not own and left and is_place(left[0]):
            names = named(cell, left.pop(0))[0]
        same = left and (
            node.name == getattr(left[0], "name", None)
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else ast.dump(node) == ast.dump(left[0])
        )
        if same:
            if own:
                yield True, own, names
            yield False, [node], set()
            left.pop(0)
            own, names = [], set()
        else:
            own.append(node)
    if own:
        yield True, own, names
    assert left == [], "the sheet has a statement that the solution has not, or in another order"


def run(nodes, names):
    exec(compile(ast.Module(nodes, []), "sheet", "exec"), names)


def fails(nodes, names):
    """Whether statements raise an error in a copy of the names."""
    kinds = (dict, list, np.ndarray, np.random.Generator)
    own = {
        name: copy.deepcopy(thing) if isinstance(thing, kinds) else thing
        for name, thing in names.items()
    }
    try:
        run(nodes, own)
    except Exception:
        return True
    return False


def place_of_own(cell):
    """The number of statements of a cell before the first one that is the reader's."""
    for number, node in enumerate(ast.parse(cell).body):
        if is_place(node) or "is your part" in ast.unparse(node):
            return number
    return None


def faults_of_a_sheet(pairs):
    """Run a sheet, filled in by the solution, and say what is wrong with it.

    The sheet's own lines see nothing of the answers but what the places name.
    """
    found, given, hidden = [], {"__name__": "sheet"}, {}
    for number, (solved, cell) in enumerate(pairs):
        has_test = number and is_to_do(cell) and "# this cell has no test" not in cell
        n_run, untouched = 0, place_of_own(cell) if has_test else None
        for is_own, nodes, names in (
            answered(solved, cell) if number else [(False, ast.parse(cell).body, set())]
        ):
            # what stands above has run already, and can take long
            if n_run == untouched:
                untouched = None
                if not fails(ast.parse(cell).body[n_run:], given | hidden):
                    found.append(f"cell {number} passes untouched")
            n_run += not is_own
            if not is_own:
                before = given.copy()
                try:
                    run(nodes, given)
                except Exception as error:
                    found.append(f"cell {number}, {ast.unparse(nodes[0])[:40]}: {error!r}")
                    return found
                for name, thing in given.items():
                    if before.get(name) is not thing:
                        hidden.pop(name, None)
                continue
            together = given | hidden
            run(nodes, together)
            for name, thing in together.items():
                if name in names:
                    given[name] = thing
                    hidden.pop(name, None)
                elif name not in given or given[name] is not thing:
                    hidden[name] = thing
        if untouched is not None:
            found.append(f"cell {number} was not tried untouched")
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_sheet_passes_with_the_answers_of_the_solution_and_no_cell_with_a_test_passes_untouched(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")

    assert faults_of_a_sheet(sheet_of(name)) == []


def cells_that_pass(cells):
    """The numbers of those cells of a sheet with tests that pass as they are, one after the other."""
    names, found = {"__name__": "sheet"}, []
    for number, cell in enumerate(cells):
        try:
            exec(cell, names)
        except Exception:
            continue
        if number and is_to_do(cell) and "# this cell has no test" not in cell:
            found.append(number)
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", SOLUTIONS)
def test_no_cell_with_a_test_passes_where_nothing_is_filled_in(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")

    assert cells_that_pass([cell for _, cell in sheet_of(name)]) == []


def count_assertions(code):
    return sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code)))


@for_all("name", SOLUTIONS)
def test_a_sheet_has_all_assertions_and_a_cell_without_one_says_so(name):
    for solved, cell in sheet_of(name)[1:]:
        assert count_assertions(cell) == count_assertions(solved)
        assert ("# this cell has no test" in cell) == (not count_assertions(cell))


@for_all("name", SOLUTIONS)
def test_every_name_that_a_sheet_reads_is_defined_there_or_named_by_a_place(name):
    defined = set(dir(builtins))
    for _, cell in sheet_of(name):
        body = ast.parse(cell).body
        parts = [part for node in body for part in ast.walk(node)]
        defined |= {part.arg for part in parts if isinstance(part, ast.arg)}
        defined |= {
            part.name
            for part in parts
            if isinstance(part, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and part.name
        }
        defined |= {
            (one.asname or one.name).split(".")[0]
            for part in parts
            if isinstance(part, ast.Import | ast.ImportFrom)
            for one in part.names
        }
        for node in filter(is_place, body):
            defined |= named(cell, node)[0]
        names = [part for part in parts if isinstance(part, ast.Name)]
        defined |= {part.id for part in names if isinstance(part.ctx, ast.Store)}
        assert {part.id for part in names} <= defined


# --- the runner and the readers can fail


GIVEN = ("n = 3", "n = 3")


@for_all(
    ("pairs", "found"),
    [
        ([("a = n\nassert a == 3", "# your code, which defines a\n...\n\nassert a == 3")], []),
        (
            [("a = n\nassert a == 3", "# your code\n...\n\nassert a == 3")],
            ["cell 1, assert a == 3: NameError(\"name 'a' is not defined\")"],
        ),
        (
            [("a = n\nassert n == 3", "# your code, which defines a\n...\n\nassert n == 3")],
            ["cell 1 passes untouched"],
        ),
        ([("a = n", "# your code\n...")], ["cell 1 passes untouched"]),
        ([("a = n", "# this cell has no test\n# your code\n...")], []),
        (
            [
                ("a = n", "# this cell has no test\n# your code\n..."),
                ("b = a\nassert a == b", "# your code, which defines b\n...\n\nassert a == b"),
            ],
            ["cell 2, assert a == b: NameError(\"name 'a' is not defined\")"],
        ),
    ],
)
def test_a_sheet_that_asks_too_little_or_names_too_little_is_found(pairs, found):
    assert faults_of_a_sheet([GIVEN, *pairs]) == found


def test_a_cell_that_passes_by_a_name_of_another_exercise_is_found():
    kept = "def f():\n    raise NotImplementedError('f is your part')\n\n\nn = 1\nassert f() == n"

    assert cells_that_pass(["", kept, "# your code, which defines n\n...\n\nassert n"]) == [2]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    pages = {
        "good": cells("import os\nassert os.listdir() == []\nopen('trace', 'w').close()"),
        "good_too": cells("import os\nassert os.listdir() == []"),
        "wrong": cells("assert 1 + 1 == 3"),
        "warns": cells("import warnings\nwarnings.warn('old', DeprecationWarning)"),
        "complains": cells("import sys\nprint('trouble', file=sys.stderr)"),
        "untagged": "# A page\n\n:::{eqcode} no-such-tag\n:::\n",
        "dangling": "# A page\n\nSee {eq}`no-such-label` and [nothing](no_such_page.md).\n",
    }
    return small_site(tmp_path_factory.mktemp("made_up"), pages)


def test_a_failing_cell_and_a_warning_fail_their_pages_alone(made_up):
    assert made_up.status != 0
    assert [page for page, run in made_up.runs.items() if not run["succeeded"]] == [
        "tutorials/warns",
        "tutorials/wrong",
    ]
    assert {"tutorials/good", "tutorials/good_too"} < set(made_up.runs)
    assert "AssertionError" in made_up.runs["tutorials/wrong"]["traceback"]
    assert "DeprecationWarning: old" in made_up.runs["tutorials/warns"]["traceback"]


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("complains", "stderr was found in the cell outputs"),
        (
            "untagged",
            r"kan_ref has no lines between \[eq:no-such-tag\] and \[/eq:no-such-tag\]",
        ),
        ("dangling", "equation not found: no-such-label"),
        ("dangling", "no_such_page.md"),
    ],
)
def test_the_build_complains_of(made_up, page, complaint):
    assert re.search(rf"{page}\.md.*{complaint}", made_up.complaints)


def test_a_tutorial_without_its_parts_is_refused():
    good = (
        "# T\n\n## Question\n\n## Code\n\n"
        + cells("import numpy as np\nrng = np.random.default_rng(0)").partition("\n\n")[2]
    )
    good += "\n## Check\n\n" + cells("assert rng").partition("\n\n")[2]
    good += "\n## Summary\n\n## Exercises\n\n1. a\n2. b\n3. c\n\n[worked solutions](solutions/00_t.md)\n"

    assert faults_of_a_tutorial("00_t", good) == []
    assert faults_of_a_tutorial("01_u", good) == ["no link to the solutions"]
    assert faults_of_a_tutorial("00_t", good.replace("3. c\n", "")) == [
        "exercises are numbered ['1', '2']"
    ]
    assert faults_of_a_tutorial("00_t", good.replace("assert ", "print")) == [
        "the last cell asserts nothing"
    ]
    assert faults_of_a_tutorial("00_t", good.replace("## Summary", "## End")) == [
        "headings are ['Question', 'Code', 'Check', 'End', 'Exercises']"
    ]
    assert faults_of_a_tutorial("00_t", good.replace("default_rng(0)", "default_rng()")) == [
        "the first cell has no generator"
    ]
    assert faults_of_a_tutorial("00_t", good.replace("assert ", "assert In[0], ")) == [
        "a cell needs IPython, and does not run in a script"
    ]


def test_a_course_with_a_long_core_a_wide_line_or_a_bare_picture_is_refused():
    picture = (
        "---\nmystnb:\n  figure:\n    caption: |\n      A\n  image:\n    alt: b\n---\nplt.show()"
    )
    good = (
        cells("x = 1", picture).replace("# A page", "# A page\n\n## Question")
        + "\n## Optional: more\n\n## Check\n\n## Summary\n\n## Exercises\n"
    )
    many, wide = "\n".join(["x = 1"] * 61), f"x = {'1' * 85}"

    assert faults_of_a_course(good) == []
    assert faults_of_a_course(good.replace("x = 1", many)) == [
        "the core has 5 words, 62 lines of code"
    ]
    assert faults_of_a_course(good.replace("x = 1", f"---\ntags: [hide-input]\n---\n{many}")) == []
    assert faults_of_a_course(good.replace("# Question", f"# Question\n\n{'a ' * 2500}")) == [
        "the core has 2505 words, 2 lines of code"
    ]
    assert faults_of_a_course(good.replace("x = 1", wide)) == [
        f"a line of code has more than 88 columns: {wide}"
    ]
    assert faults_of_a_course(good.replace("caption", "title")) == ["a picture has no caption"]
    assert faults_of_a_course(good.replace("alt: b", "class: c")) == ["a picture has no alt"]
    assert faults_of_a_course(good.replace("plt.show()", "plt.close()")) == ["no picture"]
    assert faults_of_a_course(good.replace("## Check", "## Core\n\n## Check")) == [
        "a section of the core follows an optional one"
    ]


def test_solutions_without_their_parts_are_refused():
    good = "# S\n\n[back](../00_t.md)\n" + "".join(
        f"\n## Exercise {n}\n\n" + cells("assert 1").partition("\n\n")[2] for n in (1, 2, 3)
    )

    assert faults_of_solutions("00_t", good) == []
    assert faults_of_solutions("01_u", good) == ["no link back"]
    assert faults_of_solutions("00_t", good.replace("Exercise 2", "Exercise two")) == [
        "headings are ['Exercise 1', 'Exercise two', 'Exercise 3']",
        "Exercise 2 asserts nothing",
    ]
