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
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.machine.machine import Config, Figure, Record, sources
from kan_ref.files import parse_json, read_regular, replace_file

RECORD_KEYS = ("figure", "config", "seed", "results", "versions", "seconds")


class RecordError(Exception):
    """A file or a line that should hold a record and does not; nothing is changed there."""


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


def find_records(folder: Path, figure: Figure) -> tuple[dict[str, Record], list[Path]]:
    """Return all records of a figure by `config_key`, and the single files among their files.

    Raises
    ------
    RecordError
        "toy.jsonl, line 2, is not JSON: ...; correct or delete it"
    """
    found: dict[str, Record] = {}
    path = collected_path(folder, figure)
    lines = _read(path).splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        name = f"{path.name}, line {number},"
        record = _parse(line, name, figure)
        if config_key(record["config"]) in found:
            raise RecordError(f"{name} repeats the configuration of an earlier line")
        found[config_key(record["config"])] = record
    files = sorted(path.with_suffix("").glob("*.json"))
    for file in files:
        name = f"{file.parent.name}/{file.name}"
        record = _parse(_read(file), name, figure)
        if record_path(folder, figure, record["config"]) != file:
            raise RecordError(f"{name} holds another configuration than its name says")
        found[config_key(record["config"])] = record
    return found, files


def _read(path: Path) -> bytes:
    try:
        return read_regular(os.fspath(path))
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}") from None


def _parse(content: bytes, name: str, figure: Figure) -> Record:
    try:
        record: Any = parse_json(content)
    except ValueError as error:
        reason = str(error).removeprefix("it ")
        raise RecordError(f"{name} {reason}; correct or delete it") from None
    if not isinstance(record, dict) or set(record) != set(RECORD_KEYS):
        raise RecordError(f"{name} does not hold exactly {', '.join(RECORD_KEYS)}")
    if record["figure"] != figure.NAME or not isinstance(record["config"], dict):
        raise RecordError(f"{name} holds no record of figure {figure.NAME}")
    return record


def collect(folder: Path, figure: Figure) -> int:
    """Merge a figure's single files into its collected file, remove them once the collected file
    holds their records, and return their number.

    The collected file is replaced in one step and read again before anything is removed, so that
    an interruption at any moment loses no record; a second call has nothing to do. Two programs
    must not collect the same folder at the same time; runs may go on.
    """
    found, files = find_records(folder, figure)
    if not files:
        return 0
    path = collected_path(folder, figure)
    write_record(path, b"".join(record_bytes(found[key]) for key in sorted(found)))
    merged = {line.rstrip(b"\n") for line in _read(path).splitlines()}
    for file in files:
        if _read(file).rstrip(b"\n") in merged:  # a run may have written a newer one meanwhile
            file.unlink()
    return len(files)


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
    """A figure's records: `finished` in the order of its configurations, and `missing` ones."""

    figure: Figure
    finished: list[Record]
    missing: list[Task]

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
    """Look for every record that a figure is drawn from."""
    plan = Plan(figure, [], [])
    for home in sources(figure):
        found, _ = find_records(folder, home)
        for config in home.configs(full, seeds):
            path = record_path(folder, home, config)
            record = found.get(config_key(config))
            if record is None:
                plan.missing.append(Task(home.__name__, config, path, home.cost(config)))
            else:
                plan.finished.append(record)
    return plan
