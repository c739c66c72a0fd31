"""Verdicts follow from the numbers in their own row, and the page of what is reproduced is complete and true."""

import functools
import re

import pytest
from checkout import ROOT

from figures.machine.catalog import all_figures
from figures.machine.machine import Bar, sources
from figures.machine.records import find_records, make_plan
from figures.machine.reproduced import KINDS, STATES, counts, page, read_items, summary

RESULTS = ROOT / "figures" / "results"
JUDGED = re.compile(
    r"judged: (?P<value>\S+); yes: (?P<side>at most|at least) (?P<yes>[-+.e\d]+)"
    r"(?:, partly: at (?:most|least) (?P<partly>[-+.e\d]+))?(?P<reason>; no more than partly, because )?"
)
PAPER_FIGURES = [
    "0.1",
    "2.1",
    "2.2",
    "2.3",
    "2.4",
    "3.1",
    "3.2",
    "3.3",
    "3.4",
    "4.1",
    "4.2",
    "4.3",
    "4.4",
    "4.5",
    "4.6",
    "6.1",
    "B.1",
    "B.2",
    "B.3",
    "C.1",
    "D.1",
    "D.2",
    "D.3",
    "E.1",
    "F.1",
    "F.2",
]
PAPER_EQUATIONS = ["1.1", *(f"2.{n}" for n in range(1, 22)), "3.1", "3.2", "4.1", "4.2", "4.3"]


def recomputed(text):
    """The verdict that the printed number and bars give; None where a row has no judged number."""
    found = JUDGED.search(text)
    if found is None:
        return None
    value, most = float(found["value"]), found["side"] == "at most"

    def holds(bar):
        return value <= float(bar) if most else value >= float(bar)

    if holds(found["yes"]):
        return "partly" if found["reason"] else "yes"
    return "partly" if found["partly"] and holds(found["partly"]) else "no"


@functools.cache
def committed_claims():
    found = []
    for figure in all_figures().values():
        known = make_plan(figure, RESULTS, full=True, seeds=None).finished
        if known:
            found += [(figure.NAME, claim) for claim in figure.claims(known)]
    return found


@pytest.mark.parametrize("most", [False, True])
@pytest.mark.parametrize("reason", ["", "of a cause"])
@pytest.mark.parametrize("partly", [None, 2.0])
@pytest.mark.parametrize("value", [0.5, 0.9996, 1.0, 1.004, 1.006, 1.5, 1.995, 2.0, 2.1, 9.0])
def test_a_bar_prints_all_that_its_word_follows_from(value, partly, reason, most):
    bar = Bar(value, 1.0 if most or partly is None else 9.0, partly, most, reason=reason)

    assert recomputed(f"seeds; {bar.text}") == bar.word


def test_a_bar_gives_each_word():
    assert [Bar(value, 100.0, 10.0).word for value in (100.0, 99.96, 99.9, 10.0, 9.9)] == [
        "yes",
        "yes",
        "partly",
        "partly",
        "no",
    ]
    assert Bar(100.0, 100.0, reason="x").word == "partly"
    assert [Bar(value, 1.0, most=True).word for value in (1.0, 1.1)] == ["yes", "no"]


def test_verdicts_of_committed_records_follow_from_the_judged_numbers_of_their_rows():
    rows = [(name, claim, recomputed(claim.evidence)) for name, claim in committed_claims()]

    assert [claim.claim for _, claim, word in rows if word != claim.agrees] == []
    assert len(rows) >= 250 or not (RESULTS / "records").exists()  # a source distribution has none


def test_the_committed_page_of_claims_has_these_verdicts():
    text = (RESULTS / "claims.md").read_text(encoding="utf-8")
    for _, claim in committed_claims():
        cells = [claim.claim.replace("|", "\\|"), claim.agrees, claim.evidence.replace("|", "\\|")]
        assert f"| {cells[1]} | {cells[2]} |" in text, claim.claim


# --- what is reproduced


def test_every_figure_table_and_equation_of_the_paper_is_listed_in_order():
    items = read_items()

    assert list(items) == list(KINDS)
    assert list(items["figure"]) == PAPER_FIGURES
    assert list(items["table"]) == list("123456")
    assert list(items["equation"]) == PAPER_EQUATIONS
    assert len(items["claim"]) >= 25


def test_every_item_says_where_it_is_or_why_it_is_not():
    for kind, entries in read_items().items():
        for name, item in entries.items():
            assert item["status"] in STATES, name
            assert bool(item["where"]) == (item["status"] != "no"), name
            assert bool(item.get("why")) == (item["status"] != "yes"), name
            assert set(item) <= {"what", "status", "where", "why"}, name
            assert ("what" in item) == (kind != "claim"), name


def test_every_place_exists():
    tags = (ROOT / "docs" / "equations.toml").read_text(encoding="utf-8")
    for entries in read_items().values():
        for name, item in entries.items():
            for place in item["where"]:
                if place.startswith("eq:"):
                    assert f"\n[{place[3:]}]\n" in tags, (name, place)
                else:
                    assert place in all_figures() or (ROOT / place).is_file(), (name, place)


def test_every_figure_of_the_program_is_in_the_list_or_is_ours():
    named = {
        place
        for entries in read_items().values()
        for item in entries.values()
        for place in item["where"]
    }
    ours = {"equations"}  # further differential equations
    assert set(all_figures()) - named == ours


def test_the_committed_page_and_the_readme_are_those_of_the_list():
    items = read_items()

    assert (RESULTS / "reproduced.md").read_text(encoding="utf-8") == page(items)
    assert summary(items) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert sum(counts(items, "figure", "table").values()) == 32


def test_a_figure_without_records_is_not_called_reproduced():
    named = {
        place
        for entries in read_items().values()
        for item in entries.values()
        for place in item["where"]
    }
    if not (RESULTS / "records").exists():  # a source distribution comes without them
        return
    assert [
        name
        for name in named & set(all_figures())
        if not all(find_records(RESULTS, home).collected for home in sources(all_figures()[name]))
    ] == []
