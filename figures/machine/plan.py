"""Plans: which records a figure needs, and which of them there are. Making one computes nothing."""

from dataclasses import dataclass
from pathlib import Path

from figures.machine.derived import sources
from figures.machine.machine import Config, Figure, Record
from figures.machine.records import find_records, record_path


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
