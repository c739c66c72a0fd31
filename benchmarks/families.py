"""`python -m benchmarks.families [--seconds S] [--jobs N]`: what each family of `discover`'s search brings.

SRBench's 116 formulas without noise (1000 samples, seed 0) are searched for S CPU seconds (10) by the whole search, and those that it
finds again with each family left out. A formula is found if its error on the samples is at most 1e-9 of their standard deviation.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.bars import run_all
from benchmarks.srbench import problems
from kan_ref.discovery import merges, models, names, quotients, search, splits
from kan_ref.discovery.trees import values
from kan_ref.program import run_program


def _nothing(*_: Any) -> Iterator[Any]:
    """Stand for a generator that is left out."""
    return iter(())


def _no_affine(*arrays: Any, whole: Any = splits._misfits) -> Iterator[Any]:
    return (one for one in whole(*arrays) if one[0] != "affine")


def _short(x: Any, y: Any, floor: float, more: int, whole: Any = names._stages) -> Any:
    return whole(x, y, floor, 1)


def _one_column(columns: Any, z: Any, grows: bool, whole: Any = names._of_unit_columns) -> Any:
    return (one for one in whole(columns, z, grows) if len(one[1]) == 1)


PLAIN = models.TRANSFORMS[:1]
FAMILIES: dict[str, list[tuple[Any, str, Any]]] = {
    "": [],
    "simple forms": [(search, "simple_forms", _nothing)],
    "quotients of polynomials": [(search, "quotients", _nothing)],
    "splits, all": [(search, "find_splits", lambda *_: [])],
    "splits: affine": [(splits, "_misfits", _no_affine)],
    "transforms of y": [(module, "TRANSFORMS", PLAIN) for module in (models, splits, quotients)],
    "merges: powers of several inputs": [(merges, "_scalings", _nothing)],
    "merges: a power of one input": [(merges, "_powers", _nothing)],
    "merges: pairs": [(merges, "_pairs", _nothing)],
    "curves of a product": [(search, "product_curve", lambda *_: None)],
    "names: quotients": [(names, "rational_curves", _nothing)],
    "names: a power beside a curve": [(names, "_stages", _short)],
    "names: several columns": [(names, "_of_unit_columns", _one_column)],
}


def is_found(family: str, name: str, seconds: float) -> bool:
    """Return whether the search without a family finds SRBench's formula `name`."""
    problem = next(one for one in problems() if one.name == name)
    rng = np.random.default_rng(0)
    x, y = problem.samples(1000, 0.0, rng)
    end = time.process_time() + seconds
    with ExitStack() as stack, np.errstate(all="ignore"):
        for module, what, instead in FAMILIES[family]:
            stack.enter_context(mock.patch.object(module, what, instead))
        run = search.Search(rng, lambda: time.process_time() > end)
        best = run.formula(x, y[:, 0], problem.inputs).best.tree
        return bool(np.sqrt(np.mean((values(best, x) - y[:, 0]) ** 2)) <= 1e-9 * y.std())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row of a table for each family, as soon as it is known."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.families", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    found = [one.name for one in problems() if one.collection != "Strogatz"]
    print("| left out | found | lost |\n| --- | --- | --- |")
    for family in FAMILIES:
        tasks = [(family, name, options.seconds) for name in found]
        hits = dict(zip(found, run_all(is_found, tasks, options.jobs), strict=True))
        lost = [name for name in found if family and not hits[name]]
        print(f"| {family or 'nothing'} | {sum(hits.values())} | {', '.join(lost)} |", flush=True)
        found = found if family else [name for name in found if hits[name]]
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
