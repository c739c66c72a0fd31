"""Records on disk: one file a record during runs, one sorted file a figure once collected; and plans, which records a figure needs and has.

A record is the JSON object of one configuration: figure, configuration, seed, results, versions,
seconds. A run writes it to `records/STEM/HASH.json`, where STEM is the name of the figure's module
and HASH a hash of figure and configuration, so a configuration has to hold everything that its
results depend on. The file appears whole or not at all (`kan_ref.files.replace_file`): an
interruption costs the records in progress and no others.

`collect` merges these files into `records/STEM.jsonl`, one record a line, sorted by the JSON text
of the configuration with sorted keys. The order of the runs therefore does not show in the file,
and a new record changes one line of it. Where both places hold a configuration, the single file is
the newer one and counts. Making a plan computes nothing.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

from figures.machine.machine import Config, Figure, Record, sources
from kan_ref.files import parse_json, read_regular, replace_file

RECORD_KEYS = ("figure", "config", "seed", "results", "versions", "seconds")


def file_stem(figure: Figure) -> str:
    """Return the name that a figure's files share: that of its module."""
    return figure.__name__.rpartition(".")[2]


def config_key(config: Config) -> str:
    """Return the JSON text of a configuration with sorted keys, by which the lines of a collected
    file are sorted.
    """
    return json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False)


def collected_path(folder: Path, figure: Figure) -> Path:
    """Return where a figure's collected records belong."""
    return folder / "records" / f"{file_stem(figure)}.jsonl"


def has_records(folder: Path, figure: Figure) -> bool:
    """Return whether a folder has a file of records of a figure, whole or broken."""
    path = collected_path(folder, figure)
    return os.path.lexists(path) or any(path.with_suffix("").glob("*.json"))


def record_path(folder: Path, figure: Figure, config: Config) -> Path:
    """Return where a run writes the record of a configuration.

    Raises
    ------
    TypeError
        If JSON would change the configuration (tuples, NumPy numbers).
    """
    text = config_key({"figure": figure.NAME, "config": config})
    if json.loads(text)["config"] != config:
        raise TypeError(
            f"a configuration of figure {figure.NAME} is {config}, but must be plain data that JSON keeps: lists, no tuples"
        )
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return folder / "records" / file_stem(figure) / f"{digest}.json"


def record_bytes(record: Record) -> bytes:
    """Return a record as one line of JSON; raise ValueError for nan and infinity, which JSON does
    not have.
    """
    ordered = {key: record[key] for key in RECORD_KEYS}
    return (json.dumps(ordered, allow_nan=False) + "\n").encode()


def write_record(path: Path, content: bytes) -> None:
    """Write a file of a record atomically; its folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(os.fspath(path), content)


def read_record(path: Path, figure: Figure) -> Record:
    """Return the record in a single file.

    Raises
    ------
    ValueError
        If the file does not hold exactly one record of the figure and of the configuration that its name stands for; the
        message names the file.
    """
    name = f"{path.parent.name}/{path.name}"
    record = _parse(_content(path, name), name, figure)
    if record_path(path.parents[2], figure, record["config"]) != path:
        raise ValueError(f"{name} holds another configuration than its name says")
    return record


def _content(path: Path, name: str) -> bytes:
    """Return the content of a file; raise ValueError if it is none, or cannot be read."""
    try:
        return read_regular(os.fspath(path))
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from None


def _parse(content: bytes, name: str, figure: Figure) -> Record:
    try:
        record = parse_json(content)
    except ValueError as error:
        text = str(error)
        raise ValueError(f"{name} {text.removeprefix('it ')}") from None
    if not isinstance(record, dict) or set(record) != set(RECORD_KEYS):
        raise ValueError(f"{name} does not hold exactly {', '.join(RECORD_KEYS)}")
    for key, (holds, words) in _FORMS.items():
        if not holds(record[key]):
            raise ValueError(f"{name} holds {short(record[key])} as {key}, which must be {words}")
    if record["figure"] != figure.NAME:
        raise ValueError(f"{name} holds a record of figure {record['figure']}, not {figure.NAME}")
    if record["seed"] != record["config"].get("seed"):
        raise ValueError(f"{name} holds another seed than its configuration")
    return record


def _is_text_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "figure": (lambda value: isinstance(value, str), "text"),
    "config": (lambda value: isinstance(value, dict), "an object"),
    "seed": (lambda value: value is None or type(value) is int, "an integer or null"),
    "results": (lambda value: isinstance(value, dict | list), "an object or a list"),
    "versions": (_is_text_by_name, "an object of texts"),
    "seconds": (
        lambda value: type(value) in (int, float) and 0.0 <= value < math.inf,
        "a number from 0 on",
    ),
}


@dataclass(frozen=True)
class Found:
    """The records of a figure: `collected` ones and `single` files, both by `config_key`; a message
    for each broken line or file.
    """

    collected: dict[str, Record]
    single: dict[str, tuple[Path, Record]]
    broken_lines: list[str]
    broken_files: list[str]

    def record(self, config: Config) -> Record | None:
        """Return the record of a configuration, that of the single file first; None if there is
        none.
        """
        key = config_key(config)
        return self.single[key][1] if key in self.single else self.collected.get(key)


def find_records(folder: Path, figure: Figure) -> Found:
    """Read all records of a figure. What is broken is named in a message each, and no record is
    read from it.
    """
    found = Found({}, {}, [], [])
    path = collected_path(folder, figure)
    try:
        lines = list(_lines(path))
    except ValueError as error:
        lines = []
        found.broken_lines.append(str(error))
    for name, line in lines:
        try:
            record = _parse(line, name, figure)
            if config_key(record["config"]) in found.collected:
                raise ValueError(f"{name} repeats the configuration of an earlier line")  # noqa: TRY301
            found.collected[config_key(record["config"])] = record
        except ValueError as error:
            found.broken_lines.append(str(error))
    for file in sorted((folder / "records" / file_stem(figure)).glob("*.json")):
        try:
            record = read_record(file, figure)
            found.single[config_key(record["config"])] = (file, record)
        except ValueError as error:
            found.broken_files.append(str(error))
    return found


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a collected file, each with its name in messages; none if there is no
    file.
    """
    if os.path.lexists(path):
        lines = _content(path, path.name).splitlines()
        if not lines:
            raise ValueError(f"{path.name} is empty, but must hold records: delete it")
        for number, line in enumerate(lines, start=1):
            yield f"{path.name}, line {number},", line


@dataclass(frozen=True)
class Merged:
    """What `collect` did: the number of single files that it merged, and messages about what it
    left alone.
    """

    n_merged: int
    complaints: list[str]


def collect(folder: Path, figure: Figure) -> Merged:
    """Merge a figure's single files into its collected file, and remove them once the collected
    file holds their records.

    The collected file is replaced in one step and read again before anything is removed, so that an interruption at any
    moment loses no record; a second call has nothing to do. A broken single file stays where it is. A collected file with
    a broken line is not touched, for the line may hold a record that can be saved by hand. Two programs must not collect
    the same folder at the same time; runs may go on.
    """
    found = find_records(folder, figure)
    path = collected_path(folder, figure)
    if found.broken_lines:
        remedy = f"{path.name} is left as it is: correct or delete such lines, then collect again"
        return Merged(0, [*found.broken_lines, *found.broken_files, remedy])
    if found.single:
        wanted = found.collected | {key: record for key, (_, record) in found.single.items()}
        write_record(path, b"".join(record_bytes(wanted[key]) for key in sorted(wanted)))
        if find_records(folder, figure).collected != wanted:
            raise OSError(f"{path} does not hold the records that were written to it")
        for file, record in found.single.values():
            if read_record(file, figure) == record:  # a run may have written a newer one meanwhile
                file.unlink()
    return Merged(len(found.single), found.broken_files)


# --- plans


@dataclass(frozen=True)
class Task:
    """One record to compute: the module's full name, the configuration, the file, the expected CPU
    seconds.
    """

    module: str
    config: Config
    path: Path
    cost: float


@dataclass(frozen=True)
class Plan:
    """A figure's records: `finished` in the order of its configurations, `missing` ones, and
    `complaints` about broken ones.
    """

    figure: Figure
    finished: list[Record]
    missing: list[Task]
    complaints: list[str]

    @property
    def drawable(self) -> bool:
        """Whether there is a record, or the figure needs none."""
        return bool(self.finished) or not sources(self.figure)

    @property
    def lack(self) -> str:
        """As in "3 of 12 records are missing"; empty where none is."""
        n_missing, n_all = len(self.missing), len(self.finished) + len(self.missing)
        return (
            f"{n_missing} of {n_all} records {'are' if n_missing > 1 else 'is'} missing"
            if n_missing
            else ""
        )


def make_plan(figure: Figure, folder: Path, *, full: bool, seeds: int | None) -> Plan:
    """Look for every record that a figure is drawn from. A broken line or file is named in a message,
    and its record counts as missing.
    """
    plan = Plan(figure, [], [], [])
    for home in sources(figure):
        found = find_records(folder, home)
        broken = [*found.broken_lines, *found.broken_files]
        plan.complaints.extend(f"{message}; it is not used" for message in broken)
        for config in home.configs(full, seeds):
            path = record_path(folder, home, config)
            record = found.record(config)
            if record is None:
                plan.missing.append(Task(home.__name__, config, path, home.cost(config)))
            else:
                plan.finished.append(record)
    return plan
