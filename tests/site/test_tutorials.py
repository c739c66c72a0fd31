"""Every tutorial and every solution runs, in a fresh kernel and an empty folder, warnings as errors, and is built as tutorials are.

The site's build is the run: it is made once, and what is asked here is how each page's run ended.
"""

import re

import pytest
import tree
from checkout import ROOT
from site_build import cells, small_site

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


def test_no_page_keeps_outputs_or_notebooks():
    assert list((ROOT / "tutorials").rglob("*.ipynb")) == []


# --- the runner and the readers can fail


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
