"""Records on disk, JSON lines in a file for each folder of figures; and plans, which records a figure needs and has.

A record is the JSON object of one configuration: figure, configuration, seed, results, versions with the commit of the
code, seconds. The configuration has to hold everything that the results depend on. `records/FOLDER.jsonl` has the
records of the figures in `figures/FOLDER`, one a line, sorted by figure and by the JSON text of the configuration. The
order of the runs therefore does not show in the file, and a new record changes one line of it. The file is replaced whole
(`kan_ref.files.replace_file`): an interruption costs the records in progress and no others. Two programs must not
compute figures of one folder into the same place at the same time. Making a plan computes nothing.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.machine.machine import Config, Figure, Record, sources
from kan_ref.files import parse_json, replace_file

RECORD_KEYS = ("figure", "config", "seed", "results", "versions", "seconds")


class RecordError(Exception):
    """A line that should hold a record and does not; nothing is changed there."""


def file_stem(figure: Figure) -> str:
    """Return the name that a figure's files share: that of its module."""
    return figure.__name__.rpartition(".")[2]


def config_key(config: Config) -> str:
    """Return the JSON text of a configuration with sorted keys, by which the lines of a file are sorted.

    Raises
    ------
    TypeError
        If JSON would change the configuration (tuples, NumPy numbers).
    """
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if json.loads(text) != config:
        raise TypeError(f"config is {config}, but must be plain data that JSON keeps: lists, no tuples")
    return text


def records_path(folder: Path, figure: Figure) -> Path:
    """Return where a figure's records are, beside those of the other figures of its folder."""
    return folder / "records" / f"{figure.__name__.removeprefix('figures.').split('.')[0]}.jsonl"


def record_line(record: Record) -> bytes:
    """Return a record as one line of JSON; raise ValueError for nan and infinity, which JSON does not have."""
    ordered = {key: record[key] for key in RECORD_KEYS}
    return (json.dumps(ordered, allow_nan=False) + "\n").encode()


def read_records(path: Path) -> dict[tuple[str, str], Record]:
    """Return the records of a file by their figure's name and `config_key`; none if there is no file.

    Raises
    ------
    RecordError
        "toy.jsonl, line 2, is no record: ...; correct or delete it"
    """
    found: dict[tuple[str, str], Record] = {}
    for number, line in enumerate(path.read_bytes().splitlines() if path.exists() else [], 1):
        name = f"{path.name}, line {number},"
        try:
            record: Any = parse_json(line)
            key = (str(record["figure"]), config_key(record["config"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"{name} is no record: {error}; correct or delete it") from None
        if set(record) != set(RECORD_KEYS) or key in found:
            keys = ", ".join(RECORD_KEYS)
            raise RecordError(f"{name} has other keys than {keys}, or repeats an earlier line")
        found[key] = record
    return found


def add_record(path: Path, record: Record) -> None:
    """Add a record to a file, in the place of an earlier one of its figure and configuration."""
    found = {**read_records(path), (record["figure"], config_key(record["config"])): record}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(os.fspath(path), b"".join(record_line(found[key]) for key in sorted(found)))


# --- plans


@dataclass(frozen=True)
class Task:
    """One record to compute: the module's full name, the configuration, the file, the expected CPU seconds."""

    module: str
    config: Config
    path: Path


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
        are = "are" if n_missing > 1 else "is"
        return f"{n_missing} of {n_all} records {are} missing" if n_missing else ""


def make_plan(figure: Figure, folder: Path, *, full: bool, seeds: int | None) -> Plan:
    """Look for every record that a figure is drawn from."""
    plan = Plan(figure, [], [])
    for home in sources(figure):
        path = records_path(folder, home)
        found = read_records(path)
        for config in home.configs(full, seeds):
            record = found.get((home.NAME, config_key(config)))
            if record is None:
                plan.missing.append(Task(home.__name__, config, path))
            else:
                plan.finished.append(record)
    return plan
