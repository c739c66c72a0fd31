"""The committed records: claims.md and reproduced.md follow from them, and every figure is judged and drawn from any part of them.

A source distribution comes without records; there every list of records is empty, and what needs them is not asked.
"""

import re
from functools import cache

import numpy as np
import pytest
from checkout import ROOT

import kan_ref as kr
from figures import drawn
from figures.machine.catalog import (
    KINDS,
    STATES,
    all_figures,
    counts,
    page,
    read_claims,
    read_items,
    summary,
    table_file,
)
from figures.machine.machine import sources
from figures.machine.pictures import picture_bytes, style
from figures.machine.records import config_key, make_plan, read_records, record_line, records_path

RESULTS = ROOT / "figures" / "results"
HAS_RECORDS = (RESULTS / "records").exists()
each_figure = pytest.mark.parametrize("name", all_figures())


@cache
def plan(name):
    return make_plan(all_figures()[name], RESULTS, full=True, seeds=None)


@cache
def rows():
    return read_claims([plan(name) for name in all_figures()])


# --- claims


def test_the_page_of_claims_is_what_the_records_give_byte_by_byte():
    plans = [plan(name) for name in all_figures()]

    found = table_file(plans, rows(), "python -m figures --full")

    assert not HAS_RECORDS or found == (RESULTS / "claims.md").read_bytes()
    assert not HAS_RECORDS or [one.figure.NAME for one in plans if one.missing] == []


JUDGED = re.compile(
    r"judged: (?P<value>\S+); yes: (?P<side>at most|at least) (?P<yes>[-+.e\d]+)"
    r"(?:, partly: at (?:most|least) (?P<partly>[-+.e\d]+))?(?P<reason>; no more than partly, because )?"
)


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


def test_every_verdict_follows_from_the_judged_number_of_its_row():
    wrong = [claim.claim for _, claim in rows() if recomputed(claim.cells[-1]) != claim.agrees]

    assert wrong == []
    assert len(rows()) >= 250 or not HAS_RECORDS


@each_figure
def test_any_part_of_the_records_is_judged_and_one_is_drawn_without_computing(name, monkeypatch):
    """A run that is out of time has them in any order; one record is the hardest to draw."""

    def refuse(*arguments, **settings):
        raise AssertionError("drawing must not compute")

    figure, records, rng = all_figures()[name], plan(name).finished, np.random.default_rng(0)
    n = len(records)
    for share in (1, 2, 4, 16) if n else ():
        some = sorted(rng.choice(n, -(-n // share), replace=False))
        assert isinstance(figure.claims([records[place] for place in some]), list)
    for target, attribute in ((kr.training, "fit"), (kr.training, "best_start"), (figure, "run")):
        monkeypatch.setattr(target, attribute, refuse)
    with style():
        drawn = [
            picture_bytes(figure.draw(records[:1]), "svg")["svg"] for _ in (1, 2) if records or not sources(figure)
        ]
    assert len(set(drawn)) == (1 if records or not sources(figure) else 0)
    assert all(b"<svg" in one and b"<dc:date>" not in one for one in drawn)


def test_every_branch_of_the_decision_tree_has_rows():
    records = plan("6.1").finished
    if not HAS_RECORDS:
        return

    words = [drawn.answer(branch, drawn.rows_of(records, branch)) for branch in drawn.BRANCHES]

    assert set(words) <= set(drawn.TREE_COLORS)
    (claim,) = drawn.tree_claims(records)
    agree = sum(word == branch.answers[0] for word, branch in zip(words, drawn.BRANCHES, strict=True))
    assert f"on {agree} of {len(words)} branches" in claim.ours
    assert drawn.tree_claims(records[:1]) == []


# --- records and configurations


def test_committed_records_are_sorted_and_as_the_program_writes_them():
    homes = {name: records_path(RESULTS, figure) for name, figure in all_figures().items()}
    for path in (RESULTS / "records").glob("*"):
        found = read_records(path)

        assert path.read_bytes() == b"".join(record_line(found[key]) for key in sorted(found))
        assert {homes[figure] for figure, _ in found} == {path}


@each_figure
@pytest.mark.parametrize("full", [False, True])
def test_every_configuration_has_a_key_of_its_own(name, full):
    figure = all_figures()[name]
    configs = figure.configs(full, 3)

    assert len(set(map(config_key, configs))) == len(configs)
    if configs and "seed" in configs[0]:
        assert {config["seed"] for config in configs} == {0, 1, 2}


# --- what is reproduced

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


def test_every_figure_table_and_equation_of_the_paper_is_listed_in_order():
    items = read_items()

    assert list(items) == list(KINDS)
    assert list(items["figure"]) == PAPER_FIGURES
    assert list(items["table"]) == list("123456")
    assert list(items["equation"]) == PAPER_EQUATIONS
    shown = [entry for entries in drawn.parts().values() for entry in entries]
    assert len(shown) == 32 + len(PAPER_EQUATIONS)


def test_every_item_says_where_it_is_or_why_it_is_not():
    tags = (ROOT / "docs" / "equations.toml").read_text(encoding="utf-8")
    places = set()
    for entries in read_items().values():
        for name, item in entries.items():
            assert item["status"] in STATES, name
            assert bool(item["where"]) == (item["status"] != "no"), name
            assert bool(item.get("why")) == (item["status"] != "yes"), name
            places |= set(item["where"])
    for place in places - set(all_figures()):
        is_tag = place.startswith("eq:") and f"\n[{place[3:]}]\n" in tags
        assert is_tag or (ROOT / place).is_file(), place
    assert set(all_figures()) <= places
    for _, folders in drawn.SECTIONS.values():
        assert all((ROOT / place).exists() for place in folders)


def test_the_page_of_what_is_reproduced_and_the_readme_are_those_of_the_list():
    items = read_items()

    assert (RESULTS / "reproduced.md").read_text(encoding="utf-8") == page(items)
    assert summary(items) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert sum(counts(items, "figure", "table").values()) == 32
