"""Report cards: the committed records are complete and give the page; adapters load without their libraries."""

import importlib
import json
import re
import sys
from collections import Counter

import pytest
from cases import for_all
from checkout import ROOT

from kan_ref.conformance import cards, cases, suite
from kan_ref.conformance.cards import EVIDENCE, LIBRARIES, TABLES
from kan_ref.conformance.generate import encode
from kan_ref.conformance.report import notes

DOCS = ROOT / "docs"
RECORDS = cards.read_records(DOCS / "report_cards.jsonl")
CARDS = {(record["name"], record["dtype"]): record for record in RECORDS}
FAMILY = {library.name: library.family for library in LIBRARIES}
CASES = {case.id: case for topic in cases.load_topics() for case in topic.cases}
ALL = for_all("record", RECORDS, ids=[f"{record['name']}-{record['dtype']}" for record in RECORDS])


# --- the committed records


def test_every_library_has_a_card_in_each_of_its_precisions_and_there_are_no_others():
    assert list(CARDS) == [
        (library.name, dtype) for library in LIBRARIES for dtype in library.dtypes
    ]


def test_the_file_is_sorted_and_the_page_is_what_it_gives():
    assert (DOCS / "report_cards.jsonl").read_text(encoding="utf-8") == cards.dump(RECORDS)
    assert (DOCS / "report_cards.md").read_text(encoding="utf-8") == cards.page(RECORDS)


@ALL
def test_a_card_counts_each_case_of_its_contract_once(record):
    failed = {case for found in record["findings"] for bad in cards.BAD for case in found[bad]}
    listed = [*failed, *record["differs"], *record["skipped"]]
    own = {
        topic.name for topic in cases.load_topics() if topic.basis_family == FAMILY[record["name"]]
    }
    asked = Counter(
        case.topic
        for case in CASES.values()
        if case.since <= record["contract"] and case.topic in own
    )

    assert len(set(listed)) == len(listed)
    assert all(CASES[case].kind == "required" for case in failed)
    assert all(CASES[case].kind != "required" for case in record["differs"])
    assert {
        name: sum(counts[one] for one in cards.COUNTS) for name, counts in record["topics"].items()
    } == asked
    by_topic = Counter(CASES[case].topic for case in failed)
    for name, counts in record["topics"].items():
        assert sum(counts[bad] for bad in cards.BAD) == by_topic[name]


@ALL
def test_a_card_says_which_versions_were_tested_and_names_flags_of_the_kit(record):
    (library,) = [one for one in LIBRARIES if one.name == record["name"]]

    assert record["versions"].keys() - {"python", library.name} == set(library.distributions) - {
        library.name
    }
    assert {found["name"] for found in record["findings"]} <= set(notes())


def test_evidence_is_kept_for_defects_of_cards_alone_and_names_file_and_line():
    assert {
        (name, found["name"]) for (name, _), record in CARDS.items() for found in record["findings"]
    } >= set(EVIDENCE)
    assert [
        place
        for place, _ in EVIDENCE.values()
        if not re.fullmatch(r"\S+\.py:\d+( (and|to) \d+)?", place)
    ] == []


def test_kan_ref_and_scipy_fail_nothing_and_kan_ref_skips_gradient_descent_alone():
    assert CARDS["kan_ref", "float64"]["findings"] == CARDS["scipy", "float64"]["findings"] == []
    skipped = CARDS["kan_ref", "float64"]["skipped"]
    assert [case for case in skipped if "/gradient-" not in case and "/descent-" not in case] == []


KNOWN = [
    (name, row["case"], row.get("status", "failed"))
    for row in TABLES["known"]
    for name in row["libraries"]
]


@for_all("known", KNOWN, ids=[f"{name}-{case}" for name, case, _ in KNOWN])
def test_a_known_defect_has_the_outcome_that_is_stated(known):
    name, case, status = known

    assert case in CASES
    assert cards.case_outcome(CARDS[name, "float64"], case) == status


def test_the_page_links_flags_that_the_page_of_the_kit_explains():
    facts = re.findall(r"^### (\w+)$", (DOCS / "conformance.md").read_text(encoding="utf-8"), re.M)
    linked = set(re.findall(r"\(conformance\.md#(\w+)\)", cards.page(RECORDS)))

    assert linked
    assert linked <= {flag.lower() for flag in (*facts, *encode.FLAGS)}


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
def test_a_library_without_a_package_is_left_out_until_a_folder_that_holds_it_is_named(
    library, tmp_path, monkeypatch
):
    module, _, name = library.adapter.partition(":")
    monkeypatch.delenv(library.checkout, raising=False)
    assert f"the checkout that the variable {library.checkout} should name" in cards.missing(
        library
    )
    monkeypatch.setenv(library.checkout, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="must be the folder of a checkout"):
        getattr(importlib.import_module(module), name)()


def test_distributions_of_other_libraries_are_in_the_extra():
    extra = (
        (ROOT / "pyproject.toml")
        .read_text(encoding="utf-8")
        .partition("\npeers = [")[2]
        .partition("\n]")[0]
    )
    needed = {name for library in LIBRARIES[2:] for name in library.distributions} - {
        "numpy",
        "keras",
    }

    assert {name for name in needed if f'"{name}>=' not in extra} == set()


# --- the program

TOYS = """
import time


class Wrong:
    name, version = "wrong", "1"
    dtype = None

    def use_dtype(self, dtype):
        self.dtype = dtype

    def count_parameters(self, widths, n_intervals, degree):
        if self.dtype is None:
            raise AssertionError("use_dtype comes first")
        return 1


class Slow(Wrong):
    def count_parameters(self, widths, n_intervals, degree):
        time.sleep(60.0)


class Unbuilt:
    def __init__(self):
        raise ImportError("no such thing")
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    (tmp_path / "toy_adapters.py").write_text(TOYS)
    monkeypatch.chdir(tmp_path)
    chosen = [
        (topic, topic.cases) for topic in cases.load_topics() if topic.name == "count_parameters"
    ]
    monkeypatch.setattr(suite, "choose", lambda **_: chosen)

    def install(*names):
        made = [
            cards.Library(name.lower(), name, f"toy_adapters:{name}", ["numpy"], "A toy.")
            for name in names
        ]
        monkeypatch.setattr(cards, "LIBRARIES", made)

    return install


def test_report_on_kan_ref_and_scipy_gives_the_committed_findings_and_the_page(tmp_path):
    assert cards.main(["--only", "kan_ref", "--only", "scipy", "--out", str(tmp_path)]) == 0

    found = cards.read_records(tmp_path / "report_cards.jsonl")
    committed = [CARDS[name, "float64"] for name in ("kan_ref", "scipy")]
    for key in ("name", "cases", "findings", "differs", "skipped"):
        assert [record[key] for record in found] == [record[key] for record in committed]
    assert (tmp_path / "report_cards.md").read_text(encoding="utf-8") == cards.page(found)


def test_wrong_answers_are_recorded_by_topic_and_case(toys, tmp_path):
    toys("Wrong")

    assert cards.main(["--out", str(tmp_path), "--dtype", "float32"]) == 0
    (found,) = cards.read_records(tmp_path / "report_cards.jsonl")
    assert found["dtype"] == "float32"
    assert found["topics"]["count_parameters"]["failed"] == 5
    assert cards.case_outcome(found, "count_parameters/1-1-G1-k0") == "failed"
    assert cards.totals(found) == (0, 5, 0, 0)


def test_what_is_late_cannot_be_built_or_is_absent_gets_no_record(toys, tmp_path, capsys):
    toys("Slow", "Unbuilt")
    assert cards.main(["--out", str(tmp_path), "--timeout", "1", "--dtype", "float64"]) == 1
    said = capsys.readouterr().err
    assert "slow did not answer" in said
    assert "unbuilt cannot be tested" in said
    assert "ImportError: no such thing" in said
    cards.LIBRARIES[:] = [
        cards.Library("absent", "Absent", "nowhere:Nothing", ["kan_ref_no_such_thing"], "")
    ]
    assert cards.main(["--out", str(tmp_path), "--only", "absent"]) == 1
    assert "absent is left out: kan_ref_no_such_thing is not installed" in capsys.readouterr().out
    assert not (tmp_path / "report_cards.jsonl").exists()


@for_all("damaged", ['{"name": ', json.dumps({"name": "nobody", "dtype": "float64"})])
def test_records_that_cannot_be_read_are_left_as_they_are(tmp_path, capsys, damaged):
    (tmp_path / "report_cards.jsonl").write_text(damaged)

    assert cards.main(["--render", "--out", str(tmp_path)]) == 1
    assert "has a line that is not a record" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["report_cards.jsonl"]
    assert (tmp_path / "report_cards.jsonl").read_text() == damaged
