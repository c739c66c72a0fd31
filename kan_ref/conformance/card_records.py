"""The records of the report cards, read from their file, with the form of every entry checked.

A record can be older than the vectors: it names the version of the contract that it was measured
with, and may lack topics that came later.
"""

import math
import os
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from reprlib import repr as short
from typing import Any

from kan_ref.conformance.adapters.catalogue import ENTRIES
from kan_ref.conformance.judge import BAD
from kan_ref.conformance.run_report import notes
from kan_ref.files import parse_json, read_regular

COUNTS = ("right", *BAD, "agrees", "differs", "skipped")
_TEXTS, _LISTS = ("name", "dtype", "kan_ref", "date"), ("differs", "skipped")
_NAMES = {*_TEXTS, *_LISTS, "versions", "contract", "cases", "topics", "findings"}
_FINDING = {"name", "detail", *BAD}
_REMEDY = "test the library again (`report --only NAME`), or restore the file"


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file of JSON lines, in the order of the catalogue.

    Raises
    ------
    ValueError
        "report_cards.jsonl, line 3, is not a record of a report card: it lacks 'topics'; ..."
    """
    try:
        lines = read_regular(os.fspath(path)).splitlines()
    except OSError as error:
        fault = f"{path} cannot be read ({error.strerror})"
        raise ValueError(f"{fault}; {_REMEDY}") from None
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}; {_REMEDY}") from None
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for number, line in enumerate(lines, 1):
        try:
            record = _record(line, found)
        except ValueError as error:
            where = f"{path}, line {number}, is not a record of a report card"
            raise ValueError(f"{where}: {error}; {_REMEDY}") from None
        found[record["name"], record["dtype"]] = record
    return in_order(found.values())


def _record(line: bytes, before: Container[tuple[str, str]]) -> dict[str, Any]:
    """Return the record of a line; raise ValueError with the first fault."""
    record: dict[str, Any] = parse_json(line)
    fault = next(_faults(record), None)
    if fault is None and (record["name"], record["dtype"]) in before:
        fault = f"{record['name']} {record['dtype']} has a record already"
    if fault is not None:
        raise ValueError(fault)
    return record


def in_order(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records in the order of the catalogue."""
    places = [(entry.name, dtype) for entry in ENTRIES for dtype in entry.dtypes]
    return sorted(records, key=lambda one: places.index((one["name"], one["dtype"])))


def _faults(record: Any) -> Iterator[str]:
    """Yield what is wrong with a record; only the first message is certain to be right."""
    yield from _key_faults("it", record, _NAMES)
    for key in _TEXTS:
        if not isinstance(record[key], str):
            yield f"{key} is {short(record[key])}, but must be text"
    if not any(
        record["name"] == entry.name and record["dtype"] in entry.dtypes for entry in ENTRIES
    ):
        yield f"the catalogue has no {short(record['name'])} in {short(record['dtype'])}"
    for key in ("cases", "contract"):
        if not _is_count(record[key]):
            yield f"{key} is {short(record[key])}, but must be an integer from 0 on"
    for key in _LISTS:
        if not _is_texts(record[key]):
            yield f"{key} is {short(record[key])}, but must be a list of texts"
    versions = record["versions"]
    if not isinstance(versions, Mapping) or not _is_texts(list(versions.values())):
        yield f"versions is {short(versions)}, but must be an object of texts"
    if not isinstance(record["topics"], Mapping):
        yield f"topics is {short(record['topics'])}, but must be an object"
    for topic, counts in record["topics"].items():
        yield from _key_faults(f"topic {short(topic)}", counts, {*COUNTS, "worst_error"})
        for key in COUNTS:
            if not _is_count(counts[key]):
                yield f"topic {short(topic)} has {key} {short(counts[key])}, but needs a count"
        worst = counts["worst_error"]
        if worst is not None and not (type(worst) in (int, float) and 0.0 <= worst < math.inf):
            yield f"topic {short(topic)} has worst_error {short(worst)}, but needs a number or null"
    yield from _finding_faults(record["findings"])


def _finding_faults(found: Any) -> Iterator[str]:
    if not isinstance(found, list):
        yield f"findings is {short(found)}, but must be a list"
    explained = notes()
    for one in found:
        yield from _key_faults("a finding", one, _FINDING)
        if not isinstance(one["name"], str) or one["name"] not in explained:
            yield f"a finding has name {short(one['name'])}, which is neither a flag nor a fact"
        if not isinstance(one["detail"], str):
            yield f"finding {one['name']} has detail {short(one['detail'])}, but needs text"
        for key in BAD:
            if not _is_texts(one[key]):
                yield f"finding {one['name']} has {key} {short(one[key])}, but needs texts"


def _key_faults(owner: str, value: object, names: set[str]) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{owner} is {short(value)}, but must be an object"
        return
    yield from (f"{owner} lacks {name!r}" for name in sorted(names - set(value)))
    yield from (
        f"{owner} has {short(name)}, which has no place there"
        for name in value
        if name not in names
    )


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
