"""Report cards: committed records are complete and agree with the page; adapters import no library on loading."""

import importlib
import os
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from cases import for_all

from kan_ref.conformance import __main__ as program
from kan_ref.conformance import cards, cards_page, cases, suite
from kan_ref.conformance.adapters import axes
from kan_ref.conformance.adapters.catalogue import ENTRIES, LEFT_OUT, Entry
from kan_ref.conformance.adapters.evidence import EVIDENCE
from kan_ref.conformance.adapters.known_defects import BEYOND, KNOWN
from kan_ref.conformance.report import notes
from kan_ref.io import storage

DOCS = Path(cases.HOME).parents[1] / "docs"
RECORDS = cards.read_records(DOCS / "report_cards.jsonl")
BY_NAME = {(record["name"], record["dtype"]): record for record in RECORDS}
FAMILY = {entry.name: entry.family for entry in ENTRIES}
CASES = {
    case.id: case
    for family in cases.families()
    for _, chosen in suite.choose(family=family)
    for case in chosen
}
ALL = for_all("record", RECORDS, ids=[f"{record['name']}-{record['dtype']}" for record in RECORDS])
BAD = ("failed", "blocked")


# --- the committed records


def test_every_entry_of_the_catalogue_has_a_card_in_each_of_its_precisions_and_there_are_no_others():
    wanted = [(entry.name, dtype) for entry in ENTRIES for dtype in entry.dtypes]

    assert [(record["name"], record["dtype"]) for record in RECORDS] == wanted


def test_the_file_is_sorted_so_that_a_new_run_changes_one_line():
    text = (DOCS / "report_cards.jsonl").read_text(encoding="utf-8")

    assert text == cards.dump(RECORDS)


def test_the_page_is_what_the_records_give():
    assert (DOCS / "report_cards.md").read_text(encoding="utf-8") == cards_page.page(RECORDS)


@ALL
def test_a_card_names_existing_cases_once_and_its_counts_add_up(record):
    named = {
        (case, status) for found in record["findings"] for status in BAD for case in found[status]
    }
    open_ones = [(case, status) for status in ("differs", "skipped") for case in record[status]]
    counted = Counter((CASES[case].topic, status in BAD) for case, status in named)

    assert len({case for case, _ in [*named, *open_ones]}) == len(named) + len(open_ones)
    own = {
        topic.name for topic in cases.load_topics() if topic.basis_family == FAMILY[record["name"]]
    }
    asked = Counter(
        c.topic for c in CASES.values() if c.since <= record["contract"] and c.topic in own
    )
    assert record["contract"] <= cases.contract_version()
    assert record["cases"] == asked.total()
    assert set(record["topics"]) == set(asked)
    for name, n_cases in asked.items():
        reported = record["topics"][name]
        assert reported["failed"] + reported["blocked"] == counted[name, True]
        assert sum(reported[status] for status in cards.COUNTS) == n_cases


@ALL
def test_a_card_says_what_was_measured_with_what(record):
    (entry,) = [entry for entry in ENTRIES if entry.name == record["name"]]

    more = {entry.name} if entry.checkout else set()
    assert set(record["versions"]) == {*entry.distributions, *more, "python"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
    assert {found["name"] for found in record["findings"]} <= set(notes())


@ALL
def test_what_differs_is_left_open_and_what_fails_is_required(record):
    failed = [case for found in record["findings"] for status in BAD for case in found[status]]

    assert all(CASES[case].kind != "required" for case in record["differs"])
    assert all(CASES[case].kind == "required" for case in failed)


def test_evidence_is_kept_for_defects_of_cards_alone():
    named = {(record["name"], found["name"]) for record in RECORDS for found in record["findings"]}

    assert set(EVIDENCE) - named == set()


def test_kan_ref_and_scipy_fail_nothing():
    for name in ("kan_ref", "scipy"):
        assert BY_NAME[name, "float64"]["findings"] == []
    skipped = BY_NAME["kan_ref", "float64"]["skipped"]  # it has no gradient descent of its own
    assert all(
        case.startswith(("optimizer_steps/gradient-", "side_effects/descent-")) for case in skipped
    )


@for_all("known", KNOWN, ids=[f"{known.name}-{known.case}" for known in KNOWN])
def test_a_known_defect_has_the_outcome_that_is_stated(known):
    assert known.case in CASES
    assert cards_page.outcome(BY_NAME[known.name, "float64"], known.case) == known.status


def test_every_library_with_a_card_of_its_own_has_a_known_defect_or_none_at_all():
    failing = {
        name
        for (name, dtype), record in BY_NAME.items()
        if dtype == "float64" and record["findings"]
    }

    assert {known.name for known in KNOWN} <= failing
    assert {name for name, _, _ in BEYOND} <= failing


def test_the_page_links_flags_that_the_other_page_explains():
    page = (DOCS / "report_cards.md").read_text(encoding="utf-8")
    flags = {
        flag.lower()
        for flag in re.findall(
            r"^### (\w+)$",
            (DOCS / "conformance.md").read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
    }
    linked = set(re.findall(r"\(conformance\.md#(\w+)\)", page))

    assert linked
    assert linked <= flags
    assert all(name in page for name, _ in LEFT_OUT)


# --- adapters without their libraries

LIBRARIES = (
    "torch",
    "efficient_kan",
    "jax",
    "flax",
    "keras",
    "kan",
    "ikan",
    "convkan",
    "ConvKAN3D",
    "deepkan",
    "inkan",
    "flashkan",
    "jaxkan",
    "fastkan",
    "ChebyKANLayer",
    "torch_relu_kan",
)


def test_adapters_are_imported_without_the_libraries_that_they_ask(monkeypatch):
    for library in LIBRARIES:
        monkeypatch.setitem(sys.modules, library, None)  # importing it raises
    for entry in ENTRIES:
        module, _, name = entry.adapter.partition(":")
        monkeypatch.delitem(sys.modules, module, raising=False)
        assert isinstance(getattr(importlib.import_module(module), name), type)


FROM_CHECKOUTS = [entry for entry in ENTRIES if entry.checkout]


@pytest.mark.parametrize("entry", FROM_CHECKOUTS, ids=[entry.name for entry in FROM_CHECKOUTS])
def test_a_library_from_a_checkout_is_left_out_until_its_folder_is_named(
    entry, tmp_path, monkeypatch
):
    module, _, name = entry.adapter.partition(":")
    monkeypatch.delenv(entry.checkout, raising=False)
    assert f"the checkout that the variable {entry.checkout} should name" in cards.missing(entry)
    monkeypatch.setenv(entry.checkout, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="must be the folder of a checkout"):
        getattr(importlib.import_module(module), name)()


def test_a_checkout_holds_its_library_at_its_root_or_below_src(tmp_path, monkeypatch):
    monkeypatch.setenv("LIBRARY", str(tmp_path))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "library.py").touch()
    assert axes.source_folder("LIBRARY", "library", "library.py") == tmp_path / "src"
    (tmp_path / "other.py").touch()
    assert axes.source_folder("LIBRARY", "library", "other.py") == tmp_path


def test_names_of_the_catalogue_are_unique_and_its_libraries_are_in_the_extra():
    text = (DOCS.parent / "pyproject.toml").read_text(encoding="utf-8")
    extra = text.partition("\npeers = [")[2].partition("\n]")[0]

    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES[2:]:
        assert all(
            f'"{name}>=' in extra for name in entry.distributions if name not in ("numpy", "keras")
        ), entry.name


def test_arrays_with_an_axis_of_groups_or_one_unknown_size_in_brackets_find_their_way_back():
    layer = {"coef": np.arange(24.0).reshape(2, 3, 4), "knots": np.arange(18.0).reshape(3, 6)}
    layer |= {
        name: np.arange(6.0).reshape(2, 3) + n
        for n, name in enumerate(("w_base", "w_spline", "mask"))
    }
    for order in (
        axes.Axes(coef="goim", weights="goi", knots="git"),
        axes.Axes(coef="(im)o", weights="io", knots="git"),
    ):
        arrays = axes.layer_to(order, layer)
        again = axes.layer_from(order, arrays, n_out=2, n_in=3, degree=1, base="silu")

        assert arrays["knots"].shape == (1, 3, 6)
        assert all(np.array_equal(again[name], layer[name]) for name in layer)


# --- measuring

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
    return lambda name: Entry(name.lower(), name, ("numpy",), f"toy_adapters:{name}", "A toy.")


def test_report_on_kan_ref_and_scipy_writes_records_like_the_committed_ones_and_their_page(
    tmp_path, capsys
):
    out = tmp_path / "cards.jsonl"

    assert program.main(["report", "--only", "kan_ref", "--only", "scipy", "--out", str(out)]) == 0

    said = capsys.readouterr().out
    found = cards.read_records(out)
    assert [record["name"] for record in found] == ["kan_ref", "scipy"]
    for record in found:
        assert record["findings"] == BY_NAME[record["name"], "float64"]["findings"]
        assert f"{record['name']} float64: " in said
    assert (tmp_path / "cards.md").read_text(encoding="utf-8") == cards_page.page(
        cards.read_records(out)
    )


def test_rendering_measures_nothing(tmp_path, monkeypatch):
    def measure(*_, **__):
        raise AssertionError("measured")

    monkeypatch.setattr(cards, "measure", measure)
    (tmp_path / "cards.jsonl").write_text(cards.dump(RECORDS[:3]), encoding="utf-8")

    assert program.main(["report", "--render", "--out", str(tmp_path / "cards.jsonl")]) == 0
    assert (tmp_path / "cards.md").read_text(encoding="utf-8") == cards_page.page(RECORDS[:3])


def test_wrong_answers_are_recorded_by_defect(toys):
    found = cards.measure(toys("Wrong"), "float32")

    assert found["dtype"] == "float32"
    assert found["topics"]["count_parameters"]["failed"] == 5
    assert sum(len(reported["failed"]) for reported in found["findings"]) == 5
    assert cards_page.outcome(found, "count_parameters/1-1-G1-k0") == "failed"
    assert cards_page.outcome(found, "knots/five-cubic") == "skipped"
    assert cards_page.totals(found) == (0, 5, 0, 0)


def test_what_cannot_be_built_or_is_late_leaves_its_record_alone(
    toys, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(cards, "ENTRIES", (toys("Slow"), toys("Unbuilt")))
    monkeypatch.setattr(
        suite,
        "choose",
        lambda **_: [(t, t.cases[:1]) for t in cases.load_topics() if t.name == "count_parameters"],
    )

    assert (
        cards.main(["--out", str(tmp_path / "a.jsonl"), "--timeout", "1", "--dtype", "float64"])
        == 1
    )
    said = capsys.readouterr().err
    assert "slow did not answer count_parameters/" in said
    assert "unbuilt cannot be tested: ImportError: no such thing" in said
    assert not (tmp_path / "a.jsonl").exists()


def test_what_is_not_installed_is_left_out_and_told_by_the_status_if_it_was_asked_for(
    tmp_path, monkeypatch, capsys
):
    absent = Entry("absent", "Absent", ("kan_ref_no_such_thing",), "nowhere:Nothing", "")
    monkeypatch.setattr(cards, "ENTRIES", (absent,))

    out = tmp_path / "cards.jsonl"
    out.write_text(cards.dump(RECORDS[:1]), encoding="utf-8")

    assert cards.main(["--out", str(out)]) == 0
    assert cards.main(["--out", str(out), "--only", "absent"]) == 1
    assert "absent is left out: kan_ref_no_such_thing is not installed" in capsys.readouterr().out


def test_a_file_that_cannot_be_finished_is_not_there(tmp_path, monkeypatch):
    def replace(*_):
        raise OSError("no")

    cards.write(tmp_path / "a.json", "whole")
    monkeypatch.setattr(storage.os, "replace", replace)
    with pytest.raises(OSError, match="no"):
        cards.write(tmp_path / "a.json", "other")

    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "whole"


@pytest.mark.parametrize("make", ["folder", "pipe", "text"])
def test_the_page_is_not_written_from_records_that_cannot_be_read(tmp_path, capsys, make):
    path = tmp_path / "cards.jsonl"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "text": lambda: path.write_text("{")}[
        make
    ]()

    status = cards.main(["--render", "--out", str(path)])

    said = capsys.readouterr().err
    assert status == 1
    assert said.startswith(str(path))
    assert said.endswith("; nothing is changed\n")
    assert said.count("\n") == 1
    assert not (tmp_path / "cards.md").exists()
