"""How a step works: the page names the functions that a step calls, in their order."""

import re

from checkout import ROOT

from benchmarks import step_lines


def test_the_page_names_exactly_the_functions_that_a_step_calls():
    page = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
    section = page.split("## How a step works")[1].split("\n## ")[0]

    named = re.findall(r"^\| `(\w+\.\w+)` \| `([\w.]+)` \|", section, re.MULTILINE)

    assert named == list(step_lines.functions_of_a_step())


def test_lines_are_counted_without_docstrings_comments_and_blank_lines():
    source = [
        "def f(x):\n",
        '    """Two\n',
        '    lines."""\n',
        "\n",
        "    # comment\n",
        "    return [\n",
        "    ]\n",
    ]

    assert step_lines.code_lines(source) == 3


def test_a_step_is_read_in_few_lines_and_modules():
    assert step_lines.main() == 0
