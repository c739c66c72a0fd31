"""Stale records and outdated pictures, those that are older than the figure's code; whether a sample of the records still gives the same verdicts.

A record is stale if the hash of its figure's code has changed. This says that the code is another one, not that the results are.
So of each figure's stale records three
are computed again: ordered by their time, the first, and those after a quarter and a half of them. The figure passes if every claim has the same verdict in two ways: from the sample alone, before and after, and
from all records, with the sample's old records and with the new ones. The tolerance is therefore the one that the rows of the table print. Otherwise
its records have to be computed again.

A picture is outdated if it is older, by the times of the files, than the records that it shows or a module of the figure's import closure.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.machine.catalog import all_figures
from figures.machine.computing import compute
from figures.machine.machine import Figure, Record, sources
from figures.machine.records import (
    Plan,
    Task,
    collected_path,
    config_key,
    file_stem,
    make_plan,
    record_path,
)
from figures.machine.source import import_closure, source_hash
from figures.machine.style import picture_bytes, style, write_below
from figures.machine.workers import call_in_processes
from kan_ref.files import parse_json, replace_file

SHARES = (0.0, 0.25, 0.5)  # of the stale records, by time: where the sample is taken
_NOWHERE = Path("nowhere")


@dataclass(frozen=True)
class Stale:
    """A figure's plan and its stale records, the fastest first."""

    plan: Plan
    records: list[Record]

    @property
    def sample(self) -> list[Record]:
        """The records that are computed again."""
        places = sorted({int(share * len(self.records)) for share in SHARES})
        return [self.records[place] for place in places]

    @property
    def line(self) -> str:
        """As in "4.1 25 of 30 records, a sample of 3 takes about 2 s"."""
        seconds = sum(float(record["seconds"]) for record in self.sample)
        return (
            f"{self.plan.figure.NAME} {len(self.records)} of {len(self.plan.finished)} records, "
            f"a sample of {len(self.sample)} takes about {seconds:.0f} s"
        )


def find_stale(plans: Sequence[Plan]) -> list[Stale]:
    """Return the figures that have stale records."""
    found = []
    for plan in plans:
        if not plan.finished or sources(plan.figure) != (plan.figure,):
            continue
        code = source_hash(plan.figure.__name__)
        old = [record for record in plan.finished if record["versions"].get("source") != code]
        if old:
            key = {config_key(record["config"]): float(record["seconds"]) for record in old}
            old.sort(
                key=lambda record: (key[config_key(record["config"])], config_key(record["config"]))
            )
            found.append(Stale(plan, old))
    return found


def recheck(stale: Stale) -> str:
    """Compute the sample again; return "" if all verdicts are the same, else what differs or failed."""
    figure, new = stale.plan.figure, []
    for record in stale.sample:
        config = record["config"]
        # the record is compared and not kept, so the path is that of no file
        task = Task(figure.__name__, config, record_path(_NOWHERE, figure, config), 0.0)
        outcome = compute(task)
        if outcome.failure:
            return f"{config}: {outcome.failure.strip().splitlines()[-1]}"
        new.append(parse_json(outcome.content))
    changed = {config_key(record["config"]): record for record in new}
    everything = [changed.get(config_key(one["config"]), one) for one in stale.plan.finished]
    for name, before, after in (
        ("the sample alone", stale.sample, new),
        ("all records", stale.plan.finished, everything),
    ):
        different = _different(figure, before, after)
        if different:
            return f"from {name}: {different}"
    return ""


def _different(figure: Figure, before: Sequence[Record], after: Sequence[Record]) -> str:
    """Return the first claims whose verdicts differ, as text; "" if none does."""
    old, new = (
        {claim.claim: claim.agrees for claim in figure.claims(some)} for some in (before, after)
    )
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return "; ".join(f"{name!r} was {old.get(name)}, is {new.get(name)}" for name in names[:3])


# --- pictures


def draw(plan: Plan, *endings: str) -> dict[str, bytes]:
    """Return a figure's picture in both formats, or in the given ones, by the names of its files;
    with a remark if records are missing. Nothing is written, so an error is one of the records.
    """
    with style():
        picture = plan.figure.draw(plan.finished)
        if plan.missing:
            write_below(picture, plan.lack)
        files = picture_bytes(picture, *endings)
    return {f"{file_stem(plan.figure)}.{ending}": content for ending, content in files.items()}


def is_outdated(figure: Figure, folder: Path) -> bool:
    """Return whether a figure's SVG file is missing or older than its records or its code."""
    picture = folder / f"{file_stem(figure)}.svg"
    if not picture.exists():
        return True
    shown = [*import_closure(figure.__name__).values(), Path(__file__).with_name("style.py")]
    for home in sources(figure):
        collected = collected_path(folder, home)
        shown += [collected, *collected.with_suffix("").glob("*.json")]
    drawn = picture.stat().st_mtime_ns
    return any(path.exists() and path.stat().st_mtime_ns > drawn for path in shown)


def draw_outdated(folder: Path, jobs: int) -> list[str]:
    """Draw the outdated pictures of full runs as SVG, in `jobs` processes; return the figures' names.

    Raises
    ------
    RuntimeError
        "the picture of figure 4.1 is not drawn: ..."
    """
    names = [name for name, figure in all_figures().items() if is_outdated(figure, folder)]
    calls = ((name, folder) for name in names)
    drawn = []
    for answer in call_in_processes(_draw_full, calls, jobs):
        if answer.failure:
            raise RuntimeError(
                f"the picture of figure {names[answer.place]} is not drawn: {answer.failure}"
            )
        drawn += [names[answer.place]] * bool(answer.result)
    return drawn


def _draw_full(name: str, folder: Path) -> bool:
    """Draw the picture of a full run, and return whether there are records for it."""
    plan = make_plan(all_figures()[name], folder, full=True, seeds=None)
    for file, content in draw(plan, "svg").items() if plan.drawable else ():
        replace_file(os.fspath(folder / file), content)
    return plan.drawable
