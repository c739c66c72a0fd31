"""Report cards: the committed page follows from the records, names confirmed defects alone, and blames no library for this machine."""

import copy
import importlib
import json
import re
import sys
import tomllib
from collections import Counter

import pytest
from cases import for_all
from checkout import ROOT

from kan_ref.conformance import cards, cases, suite
from kan_ref.conformance.cards import LIBRARIES, TABLES

DOCS = ROOT / "docs"
CARDS = cards.read_cards(DOCS / "report_cards.jsonl")
FAMILY = {library.name: library.family for library in LIBRARIES}
CASES = {case.id: case for topic in cases.load_topics() for case in topic.cases}
PLACES = [(name, place, row.get("case", "")) for row in TABLES["defect"] for name, place in row["at"].items()]


# --- the committed records, and the page


def test_every_library_has_a_card_in_each_of_its_precisions_and_the_files_follow_from_them():
    assert CARDS.keys() == {(library.name, dtype) for library in LIBRARIES for dtype in library.dtypes}
    assert (DOCS / "report_cards.jsonl").read_text(encoding="utf-8") == cards.dump(CARDS)
    assert (DOCS / "report_cards.md").read_text(encoding="utf-8") == cards.page(CARDS)


@for_all("record", CARDS.values(), ids=["-".join(key) for key in CARDS])
def test_a_card_counts_each_case_once_and_names_versions(record):
    (library,) = [one for one in LIBRARIES if one.name == record["name"]]
    own = {topic.name for topic in cases.load_topics() if topic.basis_family == library.family}
    failed = {case for found in record["findings"] for case in found["cases"]}
    topics = record["topics"]

    assert {topic: sum(counts.values()) for topic, counts in topics.items()} == Counter(
        case.topic for case in CASES.values() if case.since <= record["contract"] and case.topic in own
    )
    assert Counter(CASES[case].topic for case in failed) == Counter(
        {topic: counts["wrong"] for topic, counts in topics.items() if counts["wrong"]}
    )
    assert record["versions"].keys() >= {*library.distributions, "python"}


def test_kan_ref_and_scipy_fail_nothing():
    assert [CARDS[name, "float64"]["findings"] for name in ("kan_ref", "scipy")] == [[], []]


@for_all("read", PLACES, ids=[f"{name}-{place}" for name, place, _ in PLACES])
def test_a_defect_that_was_read_names_file_and_line_and_a_case_that_fails_of_it(read):
    name, place, case = read

    assert re.fullmatch(r"\S+\.py:\d+( (and|to) \d+)?", place)
    assert not case or cards.fails(CARDS[name, "float64"], case)
    assert f"`{place}`" in cards.page(CARDS)


def test_flags_are_named_where_the_source_was_read_alone():
    page = cards.page(CARDS)
    links = re.findall(r"^- \[\w+\]\(conformance\.md#(\w+)\)", page, re.M)

    assert set(links) == {row["flag"].lower() for row in TABLES["defect"] if "flag" in row}
    flags = tomllib.loads((cases.HOME / "flags.toml").read_text(encoding="utf-8"))
    assert set(links) <= {flag.lower() for flag in flags}


def test_a_defect_whose_case_passes_is_not_named():
    mended = copy.deepcopy(CARDS)
    mended["chebykan", "float64"]["findings"] = []

    assert "ChebyshevEnds" in cards.page(CARDS)
    assert "ChebyshevEnds" not in cards.page(mended)


# --- adapters without their libraries


def test_adapters_load_without_the_libraries_that_they_ask(monkeypatch):
    libraries = "torch jax flax keras kan ikan convkan ConvKAN3D deepkan inkan flashkan jaxkan"
    for library in [*libraries.split(), "keras_efficient_kan", "efficient_kan", "fastkan"]:
        monkeypatch.setitem(sys.modules, library, None)  # importing it raises
    for library in LIBRARIES:
        module, _, name = library.adapter.partition(":")
        monkeypatch.delitem(sys.modules, module, raising=False)
        assert isinstance(getattr(importlib.import_module(module), name), type)


@for_all("library", [library for library in LIBRARIES if library.checkout])
def test_a_checkout_is_left_out_until_a_folder_that_holds_it_is_named(library, tmp_path, monkeypatch):
    module, _, name = library.adapter.partition(":")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv(library.checkout, raising=False)
    assert library.checkout in cards.missing(library)[0]
    monkeypatch.setenv(library.checkout, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="must be the folder of a checkout"):
        getattr(importlib.import_module(module), name)()


def test_distributions_of_other_libraries_are_in_the_extra():
    extra = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\npeers = [")[2].partition("\n]")[0]
    needed = {name for library in LIBRARIES[2:] for name in library.distributions} - {"numpy", "keras"}

    assert {name for name in needed if f'"{name}>=' not in extra} == set()


# --- the program

TOYS = """
import time
class Wrong:
    def count_parameters(self, widths, n_intervals, degree):
        return 1
class Slow:
    def count_parameters(self, widths, n_intervals, degree):
        time.sleep(60.0)
class Unbuilt:
    def __init__(self):
        raise ImportError("no such thing")
class Lacking:
    def count_parameters(self, widths, n_intervals, degree):
        import kan_ref_no_such_thing
"""


@pytest.fixture
def report(tmp_path, monkeypatch):
    (tmp_path / "toy_adapters.py").write_text(TOYS)
    monkeypatch.chdir(tmp_path)
    chosen = [(topic, topic.cases) for topic in cases.load_topics() if topic.name == "count_parameters"]
    monkeypatch.setattr(suite, "choose", lambda **_: chosen)

    def run(name, distribution="numpy"):
        toy = cards.Library(name, f"toy_adapters:{name}", [distribution], "A toy.", "Toys", ("float64",))
        monkeypatch.setattr(cards, "LIBRARIES", [toy])
        return cards.main(["--out", str(tmp_path), "--only", name])

    return run


def test_report_on_kan_ref_and_scipy_gives_the_committed_findings_and_the_page(tmp_path):
    assert cards.main(["--only", "kan_ref", "--only", "scipy", "--out", str(tmp_path)]) == 0

    found = cards.read_cards(tmp_path / "report_cards.jsonl")
    for key, card in found.items():
        assert (card["topics"], card["findings"]) == (CARDS[key]["topics"], CARDS[key]["findings"])
    assert (tmp_path / "report_cards.md").read_text(encoding="utf-8") == cards.page(found)


def test_wrong_answers_are_counted_by_topic(report, tmp_path):
    assert report("Wrong") == 0

    card = cards.read_cards(tmp_path / "report_cards.jsonl")["Wrong", "float64"]
    assert card["topics"]["count_parameters"]["wrong"] == 5
    assert cards.fails(card, "count_parameters/1-1-G1-k0")


@for_all("toy", ["Slow", "Unbuilt", "Lacking", "Wrong"])
def test_what_may_be_due_to_this_machine_gets_no_record(report, tmp_path, monkeypatch, capsys, toy):
    monkeypatch.setattr(cards, "PATIENCE", 0.5)

    assert report(toy, "kan_ref_no_such_thing" if toy == "Wrong" else "numpy") == 1
    printed = "".join(capsys.readouterr())
    assert re.search(f"{toy} (cannot be tested: .*(no answer|Error)|is left out: kan_ref_no)", printed)
    assert not (tmp_path / "report_cards.jsonl").exists()


@for_all("damaged", ['{"name": ', json.dumps({"name": "nobody", "dtype": "float64"})])
def test_records_that_cannot_be_read_are_left_as_they_are(tmp_path, capsys, damaged):
    (tmp_path / "report_cards.jsonl").write_text(damaged)

    assert cards.main(["--render", "--out", str(tmp_path)]) == 1
    assert "has a line that is not a record" in capsys.readouterr().err
    assert (tmp_path / "report_cards.jsonl").read_text() == damaged
