"""Measurements as text."""

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from benchmarks.growth import AXES, Line
from benchmarks.race import LEVELS, Run, median_time
from benchmarks.racers import Racer
from benchmarks.subjects import SUBJECTS, LmCell, Subject
from benchmarks.trial import SAME, Cell

OURS, FRESH = SUBJECTS[0].name, SUBJECTS[1].name
SHORT = 20  # characters of a failure that stand in a cell; longer ones stand below the table

STEP_HEAD = """\
Training step: mean squared error and its gradient by all parameters, full batch, float64, one thread.
CPU milliseconds, the least of repeats taken in turns; behind it how far the median lies above.
~ too slow to repeat, taken once by itself; ! computes something else (see below)."""
ALONE_HEAD = """\
The same steps, each in a process of its own with nothing beside it: the least. With glibc such a process gives more of its freed memory
back to the system, and its next step waits for new pages."""
RATIO_HEAD = f"Times the step of {OURS!r}, in turns:"
MEMORY_HEAD = """\
Memory of a step, MiB: how far the resident set rises in a fresh process that has loaded everything and holds network and batch.
In brackets what NumPy had allocated at the most (tracemalloc). The bases that kan_ref keeps in fit count in its fresh step alone."""
SAME_HEAD = "What is computed: the largest relative error of loss and gradient against kan_ref at these shapes."
LM_HEAD = """\
Levenberg-Marquardt iteration: residuals, Jacobian, normal equations, a damped step, residuals. CPU milliseconds, in turns.
kan_ref keeps of the Jacobian what is not zero; dense: the same with all of it and numpy.linalg.solve."""
RACE_HEAD = """\
Training on 1000 samples of exp(sin(pi x) + y^2): CPU seconds until the test RMSE is at most the level, median over seeds and, in
brackets, the slowest. "-": half of the runs or more never reach it; "3/5": so many of the runs do, where some do not."""
GROWTH_HEAD = "Growth of a training step, CPU milliseconds, the least; the exponent is over the last third of the values."


def number(value: float) -> str:
    """Return a number with three digits and no exponent; "-" for nan."""
    if not math.isfinite(value):
        return "-"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:.{min(max(digits, 0), 3)}f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as aligned columns, the first to the left, the others to the right. A
    row may be short, its last cell long.
    """
    n_columns = max(map(len, rows))
    whole = [row for row in rows if len(row) == n_columns]
    widths = [max(len(row[place]) for row in whole) for place in range(n_columns)]
    widths[0] = max(len(row[0]) for row in rows)
    lines = []
    for row in rows:
        others = (
            [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
            if len(row) == n_columns
            else row[1:]
        )
        lines.append("  ".join([row[0].ljust(widths[0]), *others]).rstrip())
    return "\n".join(lines)


def by_subject(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    """Return the cells of each subject, in their order."""
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.subject, []).append(cell)
    return rows


def grid(cells: Sequence[Cell], show: Callable[[Cell], str]) -> str:
    """Return a table with a row for each subject and a column for each shape. A long failure goes
    below the table, a common one once.
    """
    rows = by_subject(cells)
    table = [["", *(f"({cell.shape.name})" for cell in next(iter(rows.values())))]]
    below = []
    for name, row in rows.items():
        if row[0].failure and all(cell.failure == row[0].failure for cell in row):
            table.append([name, row[0].failure])
            continue
        long = [cell for cell in row if len(cell.failure) > SHORT]
        below += [f"{name} at ({cell.shape.name}): {cell.failure}" for cell in long]
        table.append(
            [name, *("fails" if cell in long else cell.failure or show(cell) for cell in row)]
        )
    return "\n".join([aligned(table), *below])


def _time(cell: Cell) -> str:
    if cell.times["repeats"] == 1:
        text = f"~{number(cell.least)}"
    else:
        text = f"{number(cell.least)} +{100 * (cell.times['median'] / cell.least - 1):.0f}%"
    return text if cell.same else f"{text} !"


def _memory(cell: Cell) -> str:
    arrays = cell.trial.arrays
    return (
        number(cell.trial.resident)
        if arrays is None
        else f"{number(cell.trial.resident)} ({number(arrays)})"
    )


def alone(cell: Cell) -> float:
    """Return the milliseconds of a step in a process of its own; nan if there are none."""
    return 1e3 * cell.trial.seconds


def verdict(cells: Sequence[Cell], time: Callable[[Cell], float]) -> list[str]:
    """Return, for kan_ref's step as in `fit` and for the fresh one, at which shapes it is the
    fastest of all that compute the same.
    """
    sentences = []
    for ours in (OURS, FRESH):
        good, beaten = [], []
        for shape, group in groupby(cells, key=lambda cell: cell.shape):
            times = {cell.subject: time(cell) for cell in group if cell.same}
            if ours not in times:
                continue
            faster = {
                name: times[ours] / t
                for name, t in times.items()
                if name not in (OURS, FRESH) and t < times[ours]
            }
            good += [] if faster else [f"({shape.name})"]
            beaten += [
                f"at ({shape.name}) {name} is {ratio:.2f} times as fast"
                for name, ratio in faster.items()
            ]
        sentences.append(
            f"{ours}: fastest of all that compute the same at {' '.join(good) or 'no shape'}"
            + "".join(f"; {text}" for text in beaten)
        )
    return sentences


def step_tables(cells: Sequence[Cell], subjects: Sequence[Subject]) -> str:
    """Return times, ratios, memory, agreement, and the verdict."""
    rows = by_subject(cells)
    shapes = [cell.shape for cell in next(iter(rows.values()))]
    ours = {cell.shape: cell.least for cell in rows.get(OURS, [])}
    same = [["", "loss", "gradient"]]
    for subject in subjects:
        row = [cell for cell in rows[subject.name] if not cell.failure]
        if not row:
            same.append([subject.name, rows[subject.name][0].failure])
            continue
        errors = [
            max(cell.trial.loss_error for cell in row),
            max(cell.trial.gradient_error for cell in row),
        ]
        mark = "" if all(cell.same for cell in row) else f"   ! above {SAME:g}"
        same.append([subject.name, *(f"{error:.0e}" for error in errors), f"{subject.note}{mark}"])
    noted = aligned([row[:3] for row in same]).split("\n")
    notes = [row[3] if len(row) > 3 else "" for row in same]
    return "\n\n".join(
        [
            STEP_HEAD + "\n" + "\n".join(str(shape) for shape in shapes),
            grid(cells, _time),
            RATIO_HEAD
            + "\n"
            + grid(cells, lambda cell: number(cell.least / ours.get(cell.shape, math.nan))),
            "\n".join(verdict(cells, lambda cell: cell.least)),
            f"{ALONE_HEAD}\n{grid(cells, lambda cell: number(alone(cell)))}",
            "\n".join(verdict(cells, alone)),
            MEMORY_HEAD + "\n" + grid(cells, _memory),
            SAME_HEAD
            + "\n"
            + "\n".join(
                f"{line}   {note}".rstrip() for line, note in zip(noted, notes, strict=True)
            ),
        ]
    )


def lm_table(cells: Sequence[LmCell]) -> str:
    """Return one row for each shape."""
    rows = [["", "residuals", "parameters", "kan_ref", "dense", "dense / kan_ref"]]
    for cell in cells:
        row = [str(cell.shape), str(cell.n_residuals), str(cell.n_params)]
        if cell.ours and cell.dense:
            ours, dense = cell.ours.as_record(), cell.dense.as_record()
            row += [
                f"{number(t['least'])} +{100 * (t['median'] / t['least'] - 1):.0f}%"
                for t in (ours, dense)
            ]
            row.append(number(dense["least"] / ours["least"]))
        rows.append(
            row
            if len(row) > 3
            else [row[0], f"{row[1]} residuals, {row[2]} parameters: {cell.failure}"]
        )
    return f"{LM_HEAD}\n\n{aligned(rows)}"


def growth_tables(lines: Sequence[Line]) -> str:
    """Return one table for each axis: a row for each subject, a column for each value."""
    tables = [GROWTH_HEAD]
    for axis in AXES:
        of_axis = [line for line in lines if line.axis == axis.name]
        values = sorted({value for line in of_axis for value in line.values})
        rows = [[f"{axis.label}: {axis.held}", *map(str, values), "exponent"]]
        for line in of_axis:
            times = dict(zip(line.values, line.milliseconds, strict=True))
            if not times:
                rows.append([line.subject, line.ends])
                continue
            exponent = (
                f"{round(line.exponent, 2) + 0.0:.2f}" if math.isfinite(line.exponent) else "-"
            )
            rows.append(
                [line.subject, *(number(times.get(value, math.nan)) for value in values), exponent]
            )
        tables.append(
            aligned(rows)
            + "".join(
                f"\n{line.subject}: ends, {line.ends}"
                for line in of_axis
                if line.ends and line.values
            )
        )
    return "\n\n".join(tables)


def race_table(runs: Sequence[Run], racers: Sequence[Racer]) -> str:
    """Return one row for each racer, one column for each level of the error, and what each racer does."""
    rows = [["", *(f"{level:.0e}".replace("e-0", "e-") for level in LEVELS), "smallest error"]]
    for racer in racers:
        mine = [run for run in runs if run.racer == racer.name]
        failed = [run for run in mine if run.failure]
        if failed:
            rows.append([racer.name, failed[0].failure])
            continue
        least = [min(run.errors, default=math.inf) for run in mine]
        rows.append(
            [
                racer.name,
                *(_race_cell(mine, level) for level in LEVELS),
                f"{sorted(least)[len(least) // 2]:.1e}",
            ]
        )
    notes = "\n".join(f"{racer.name}: {racer.note}" for racer in racers)
    return f"{RACE_HEAD}\n\n{aligned(rows)}\n\n{notes}"


def _race_cell(runs: Sequence[Run], level: float) -> str:
    times = [run.time_to(level) for run in runs]
    reached = sum(map(math.isfinite, times))
    middle = median_time(runs, level)
    if not math.isfinite(middle):
        return f"- {reached}/{len(times)}" if reached else "-"
    worst = number(max(times)) if reached == len(times) else f"{reached}/{len(times)}"
    return f"{number(middle)} ({worst})"
