"""`python -m benchmarks [NAME...]`: time and memory of a training step, and their growth.

step    time, memory and agreement of a step at seven shapes: kan_ref, a textbook form and, with --peers, other libraries
lm      one Levenberg-Marquardt iteration
growth  time of a step against the grid, the width, the depth and the batch, as a picture
race    CPU seconds of whole trainings until the test error is small enough, as a table and a picture
"""

import os

# before NumPy and anything else loads, and for the processes started here: one thread for every library
os.environ.update(
    dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        "1",
    )
)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import peers
from benchmarks.growth import AXES, Line, along, draw
from benchmarks.measuring import origin, sentence
from benchmarks.race import as_record, run_races
from benchmarks.race import draw as draw_race
from benchmarks.racers import RACERS, Racer
from benchmarks.subjects import QUICK_SHAPES, SHAPES, SUBJECTS, Subject, measure_lm
from benchmarks.tables import growth_tables, lm_table, race_table, step_tables
from benchmarks.trial import Cell, compare
from figures.machine.style import FORMATS, picture_bytes, style
from kan_ref.files import replace_file
from kan_ref.program import check_output, run_program

ROOT = Path(__file__).parents[1]
PARTS = ("step", "lm", "growth", "race")
DRAWN = ("growth", "race")
BAR: Any = {
    "bar_format": "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left{postfix}",
    "disable": None,  # no bar where standard error is no terminal
}


@dataclass(frozen=True)
class Effort:
    """CPU seconds for each repeated step, LM iteration, point of growth and training; seeds of trainings."""

    step: float
    lm: float
    growth: float
    race: float
    seeds: int


FULL, QUICK = Effort(0.6, 0.6, 0.1, 30.0, 5), Effort(0.03, 0.03, 0.005, 0.5, 1)


def run_step(subjects: Sequence[Subject], *, quick: bool) -> tuple[str, Any]:
    """Return text and record of the part "step"."""
    shapes, effort = (QUICK_SHAPES, QUICK) if quick else (SHAPES, FULL)
    cells: list[Cell] = []
    with tqdm(total=len(shapes) * (len(subjects) + 1), **BAR, desc="step") as bar:

        def tell(what: str) -> None:
            bar.set_postfix_str(what)
            bar.update()

        for shape in shapes:
            cells += compare(shape, subjects, seconds=effort.step, tell=tell)
    return step_tables(cells, subjects), [cell.as_record() for cell in cells]


def run_lm(*, quick: bool) -> tuple[str, Any]:
    """Return text and record of the part "lm"."""
    shapes, effort = (QUICK_SHAPES, QUICK) if quick else (SHAPES, FULL)
    cells = [measure_lm(shape, seconds=effort.lm) for shape in tqdm(shapes, **BAR, desc="lm")]
    return lm_table(cells), [cell.as_record() for cell in cells]


def run_growth(subjects: Sequence[Subject], *, quick: bool, out: Path) -> tuple[str, Any]:
    """Return text and record of the part "growth", and write the picture."""
    lines: list[Line] = []
    effort = QUICK if quick else FULL
    with tqdm(
        total=sum(len(axis.quick if quick else axis.values) for axis in AXES),
        **BAR,
        desc="growth",
    ) as bar:

        def tell(what: str) -> None:
            bar.set_postfix_str(what)
            bar.update()

        for axis in AXES:
            lines += along(axis, subjects, quick=quick, seconds=effort.growth, tell=tell)
    with style():
        for ending, content in picture_bytes(draw(lines)).items():
            replace_file(os.fspath(out / f"growth.{ending}"), content)
    return growth_tables(lines), [line.as_record() for line in lines]


def run_race(racers: Sequence[Racer], *, quick: bool, out: Path) -> tuple[str, Any]:
    """Return text and record of the part "race", and write the picture."""
    effort = QUICK if quick else FULL
    with tqdm(total=len(racers) * effort.seeds, **BAR, desc="race") as bar:

        def tell(what: str) -> None:
            bar.set_postfix_str(what)
            bar.update()

        runs = run_races(racers, seeds=effort.seeds, limit=effort.race, tell=tell)
    with style():
        for ending, content in picture_bytes(draw_race(runs)).items():
            replace_file(os.fspath(out / f"race.{ending}"), content)
    return race_table(runs, racers), as_record(runs)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; a wrong one ends the program with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(PARTS)}; all without a name"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two shapes, few values, few repeats: seconds instead of minutes",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="measure pykan, jaxkan, inkan, flashkan and a PyTorch MLP too (about half an hour; pip install '.[peers]')",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        metavar="DIR",
        help="default build/benchmarks",
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in PARTS]:
        parser.error(f"NAME is {unknown[0]!r}, but must be one of {', '.join(PARTS)}")
    for part in options.names or PARTS:
        for ending in ("json", *(FORMATS if part in DRAWN else ())):
            check_output(parser, "--out", options.out / f"{part}.{ending}", makes_folder=True)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return the exit status."""
    options = parse(arguments)
    subjects = (*SUBJECTS, *peers.SUBJECTS) if options.peers else SUBJECTS
    racers = [racer for racer in RACERS if options.peers or not racer.needs]
    source = origin(peers=options.peers)
    print(sentence(source))
    if not options.peers:
        print(
            "other libraries are left out; --peers measures pykan, jaxkan, inkan and flashkan in the same run"
        )
    for package, reason in dict.fromkeys(
        (subject.package, subject.missing()) for subject in subjects
    ):
        if reason:
            print(f"{package} is left out, {reason}: pip install '.[peers]'")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = (
            folder  # compiled in the trial, used again when steps are timed in turns
        )
        for part in PARTS:
            if options.names and part not in options.names:
                continue
            if part == "step":
                text, record = run_step(subjects, quick=options.quick)
            elif part == "lm":
                text, record = run_lm(quick=options.quick)
            elif part == "race":
                text, record = run_race(racers, quick=options.quick, out=options.out)
            else:
                drawn = [subject for subject in subjects if subject.drawn]
                text, record = run_growth(drawn, quick=options.quick, out=options.out)
            print(f"\n{text}", flush=True)
            content = json.dumps(
                {**source, "part": part, "quick": options.quick, "results": record},
                indent=1,
                allow_nan=False,
            )
            replace_file(os.fspath(options.out / f"{part}.json"), f"{content}\n".encode())
    print(f"\nwrote {options.out}")
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
