"""The records of the report cards, read from their files, with the form of every entry checked."""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from reprlib import repr as short
from typing import Any

from kan_ref.conformance.adapters.catalogue import ENTRIES
from kan_ref.conformance.cases import load_topics
from kan_ref.conformance.suite import notes
from kan_ref.files import parse_json, read_regular

BAD = ("failed", "blocked")
COUNTS = ("passed", *BAD, "differs", "skipped")
_TEXTS, _LISTS, _TABLES = (
    ("name", "dtype", "kan_ref", "date"),
    ("differs", "skipped"),
    ("versions",),
)
_NAMES = {*_TEXTS, *_LISTS, *_TABLES, "contract", "cases", "topics", "defects"}
_REMEDY = "test the library again (`report --only NAME`), or restore the file"


def read_records(folder: Path) -> list[dict[str, Any]]:
    """Return all records of a folder, in the order of the catalogue.

    Raises
    ------
    ValueError
        "pykan-float64.json is no record: it lacks 'topics'; test the library again ..."
    """
    names = [f"{entry.name}-{dtype}.json" for entry in ENTRIES for dtype in entry.dtypes]
    return [read_record(folder / name) for name in names if os.path.lexists(folder / name)]


def read_record(path: Path) -> dict[str, Any]:
    """Return the record in a file; raise ValueError with the file's name for every fault."""
    try:
        found = parse_json(read_regular(os.fspath(path)))
        if isinstance(found, dict):  # records of the first contract do not state it
            found = {"contract": 1, **found}
        fault = next(_faults(found, path.stem), None)
    except OSError as error:
        fault = f"it cannot be read ({error.strerror})"
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        raise ValueError(f"{path} is no record of a report card: {fault}; {_REMEDY}")
    record: dict[str, Any] = found
    return record


def _faults(record: Any, name: str) -> Iterator[str]:
    """Yield what is wrong with a record; only the first message is certain to be right."""
    yield from _key_faults("it", record, _NAMES)
    for key in _TEXTS:
        if not isinstance(record[key], str):
            yield f"{key} is {short(record[key])}, but must be text"
    if f"{record['name']}-{record['dtype']}" != name:
        yield "it is the record of another library or precision"
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
    known = {topic.name for topic in load_topics()}
    yield from (
        f"topics has {short(name)}, which is no topic"
        for name in record["topics"]
        if name not in known
    )
    for topic, counts in record["topics"].items():
        yield from _key_faults(f"topic {topic}", counts, {*COUNTS, "worst_error"})
        for key in COUNTS:
            if not _is_count(counts[key]):
                yield f"topic {topic} has {key} {short(counts[key])}, but needs a whole number"
        worst = counts["worst_error"]
        if worst is not None and not (type(worst) in (int, float) and 0.0 <= worst < math.inf):
            yield f"topic {topic} has worst_error {short(worst)}, but needs a number or null"
    if not isinstance(record["defects"], Mapping):
        yield f"defects is {short(record['defects'])}, but must be an object"
    explained = notes()
    for flag, found in record["defects"].items():
        if flag not in explained:
            yield f"defects has {short(flag)}, which is no flag of a case"
        yield from _key_faults(f"defect {flag}", found, set(BAD))
        for key in BAD:
            if not _is_texts(found[key]):
                yield f"defect {flag} has {key} {short(found[key])}, but needs a list of texts"


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
