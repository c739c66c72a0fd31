"""The figure machine: which records a figure needs, and which are there; `computing` and `cluster` compute the others.

A record is one JSON file for one configuration: figure, configuration, seed, results, versions, seconds. Its name holds a
hash of the configuration, so that everything a run depends on has to stand there. It appears in one piece or not at all:
written beside its place, then moved onto it (`os.replace` is atomic on one file system). An interruption therefore costs
the records in progress and no others. Drawing reads records and computes nothing.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kan_ref.checks import check_choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

Config = dict[str, Any]
Record = dict[str, Any]
RECORD_KEYS = ("figure", "config", "seed", "results", "versions", "seconds")


@dataclass(frozen=True)
class Claim:
    """One statement, what the paper has for it, what came out here, whether they agree ("yes", "partly", "no"), and from what."""

    claim: str
    paper: str
    ours: str
    agrees: str
    evidence: str

    def __post_init__(self) -> None:
        check_choice("agrees", self.agrees, ("yes", "partly", "no"))


class Figure(Protocol):
    """What a figure's module offers. `draw` and `claims` cope with whatever records there are, at least one: runs end early."""

    __name__: str
    NAME: str
    TITLE: str

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Configurations of all records, quick or full; `seeds` repetitions, None for the figure's own number."""
        ...

    def cost(self, config: Config) -> float:
        """CPU seconds of a record, roughly: for the time that is left, and the longest first."""
        ...

    def run(self, config: Config) -> Any:
        """Results of a configuration as plain data, from nothing but the configuration."""
        ...

    def draw(self, records: Sequence[Record]) -> "Picture":
        """The picture of the records, in the order of `configs`."""
        ...

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Rows of the table from the records; what they do not suffice for is left out."""
        ...


def file_stem(figure: Figure) -> str:
    """Name of a figure's files without folder and ending: that of its module."""
    return figure.__name__.rsplit(".", 1)[-1]


# --- records on disk


def record_path(folder: Path, figure: Figure, config: Config) -> Path:
    """Where the record of a configuration belongs; TypeError if JSON would give it back changed (tuples, NumPy numbers)."""
    text = json.dumps(
        {"figure": figure.NAME, "config": config},
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    if json.loads(text)["config"] != config:
        raise TypeError(
            f"a configuration of figure {figure.NAME} is {config}, but must be plain data that JSON keeps: lists, no tuples"
        )
    return (
        folder
        / "records"
        / f"{file_stem(figure)}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    )


def write_atomically(path: Path, content: bytes) -> None:
    """`content` under the name `path`: all of it or, whatever happens, what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp", delete=False
    ) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            os.chmod(path.parent / file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def record_bytes(record: Record) -> bytes:
    """A record as JSON, one line a key; ValueError for nan and infinity, which JSON does not have."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(record[key], allow_nan=False)}" for key in RECORD_KEYS
    ]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def read_record(path: Path, figure: Figure, config: Config) -> Record | None:
    """The finished record of a configuration, None if there is none.

    Raises
    ------
    ValueError
        The file is there but is no whole record of this configuration; the sentence says what is wrong.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from None
    if not isinstance(record, dict) or set(record) != set(RECORD_KEYS):
        raise ValueError(f"{path.name} does not hold exactly {', '.join(RECORD_KEYS)}")
    if record["figure"] != figure.NAME or record["config"] != config:
        raise ValueError(f"{path.name} holds another configuration than its name says")
    return record


# --- what there is and what is missing


@dataclass(frozen=True)
class Task:
    """One record to compute: the module's full name, the configuration, the file, the expected CPU seconds."""

    module: str
    config: Config
    path: Path
    cost: float


@dataclass(frozen=True)
class Plan:
    """A figure's records: `finished` in the order of its configurations, `missing` ones, and `complaints` about broken files."""

    figure: Figure
    finished: list[Record]
    missing: list[Task]
    complaints: list[str]

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
    """Look for every record of a figure. Broken files count as missing, with a sentence each."""
    plan = Plan(figure, [], [], [])
    for config in figure.configs(full, seeds):
        path = record_path(folder, figure, config)
        try:
            record = read_record(path, figure, config)
        except ValueError as error:
            plan.complaints.append(f"{error}; it is computed again")
            record = None
        if record is None:
            plan.missing.append(Task(figure.__name__, config, path, figure.cost(config)))
        else:
            plan.finished.append(record)
    return plan


# --- the table


def claims_table(claims: Sequence[tuple[str, Claim]], *, evidence: bool) -> str:
    """Claims of figures, (name, claim) each, as a Markdown table; the last column only where `evidence` asks for it."""
    names = ["figure", *(entry.name for entry in fields(Claim))]
    heads = [{"agrees": "agrees?"}.get(name, name) for name in names]
    rows = [
        [figure, *(getattr(claim, entry.name) for entry in fields(Claim))]
        for figure, claim in claims
    ]
    width = len(heads) if evidence else len(heads) - 1
    lines = [
        heads,
        ["---"] * len(heads),
        *([cell.replace("|", "\\|") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line[:width])} |" for line in lines) + "\n"


def provenance(records: Sequence[Record]) -> str:
    """Where numbers come from, in a sentence: how many records and seeds, CPU of what kind, versions, time."""
    made_with = sorted(
        {
            ", ".join(f"{name} {version}" for name, version in record["versions"].items())
            for record in records
        }
    )
    seeds = sorted({record["seed"] for record in records if record["seed"] is not None})
    chance = f"seeds {', '.join(map(str, seeds))}" if seeds else "no seed"
    minutes = sum(record["seconds"] for record in records) / 60.0
    number = f"{len(records)} record{'s' if len(records) > 1 else ''}"
    return f"{number}, {chance}, {minutes:.1f} minutes in all; {'; '.join(made_with)}."
