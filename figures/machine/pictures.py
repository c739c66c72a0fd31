"""Pictures of figures, drawn where they are missing or outdated.

A picture is outdated if it is older, by the times of the files, than the records that it shows, the
code of the figures or that of the drawings.
"""

import os
from pathlib import Path

from figures.machine.catalog import all_figures
from figures.machine.machine import Figure, sources
from figures.machine.records import Plan, file_stem, make_plan, records_path
from figures.machine.style import picture_bytes, style, write_below
from figures.machine.workers import call_in_processes
from kan_ref.files import replace_file

ROOT = Path(__file__).parents[2]
CODE = (ROOT / "figures", ROOT / "kan_ref" / "drawing")


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
    """Return whether a figure's SVG file is missing or older than its records or the code."""
    picture = folder / f"{file_stem(figure)}.svg"
    if not picture.exists():
        return True
    shown = [path for code in CODE for path in code.rglob("*") if path.suffix in (".py", ".toml")]
    shown += [records_path(folder, home) for home in sources(figure)]
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
    drawn = []
    for answer in call_in_processes(_draw_full, ((name, folder) for name in names), jobs):
        if answer.failure:
            raise RuntimeError(f"the picture of figure {names[answer.place]} is not drawn: {answer.failure}")
        drawn += [names[answer.place]] * bool(answer.result)
    return drawn


def _draw_full(name: str, folder: Path) -> bool:
    """Draw the picture of a full run, and return whether there are records for it."""
    plan = make_plan(all_figures()[name], folder, full=True, seeds=None)
    for file, content in draw(plan, "svg").items() if plan.drawable else ():
        replace_file(os.fspath(folder / file), content)
    return plan.drawable
