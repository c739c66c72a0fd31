"""`python -m benchmarks.class_formulas [NAME...] [--seeds N] [--record] [--page]`: formulas that `kan_ref.discover` finds for classes.

Each decision function is a formula z of the inputs. 1000 points are drawn uniformly in [-1, 1]^n, and each gets the label 1 with the
probability 1 / (1 + exp(-z)). `discover` gets points, labels and the names of the inputs, and returns a formula of z.

Three numbers judge it on 2000 fresh points: its accuracy on fresh random labels beside that of the true z, on how many points both have
the same sign, and whether it is equivalent. A formula is equivalent if its numbers, trained on the true z of 1000 points without noise from
up to six starts, reach an error of 1e-6 of the standard deviation of z: then it differs from the true one by numbers alone, which no finite
number of labels determines exactly.

`--record` keeps the runs for docs/formulas_found.md, whose summary `--page` prints from them without a run. The seconds are CPU seconds of
one thread. The exit status is 1 if a run ends with an error message.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy

import kan_ref as kr
from benchmarks.discovery_page import DOCS, PAGE
from kan_ref.checks import FloatArray
from kan_ref.files import replace_file
from kan_ref.program import run_program

# name -> (formula of the logarithm of the odds, inputs): "idle" ones are inputs that do not matter
FUNCTIONS = {
    "line": ("4*x + 3*y - 1", "xy"),
    "line, weak y": ("4*x + y", "xy"),
    "interval": ("8*(0.3 - x**2)", "x"),
    "circle": ("8*(0.5 - x**2 - y**2)", "xy"),
    "quadrants": ("8*x*y", "xy"),
    "parabola": ("8*(y - x**2)", "xy"),
    "wave": ("6*(y - 0.7*sin(3*x))", "xy"),
    "exponential": ("6*(y - exp(x) + 1)", "xy"),
    "quotient": ("10*x/(1 + 3*y**2) - 2", "xy"),
    "sphere": ("8*(1 - x**2 - y**2 - z**2)", "xyz"),
    "parabola, two idle inputs": ("8*(y - x**2)", "xyvw"),
}
N_TRAIN, N_TEST = 1000, 2000
N_STARTS, N_STEPS = 6, 100  # of the test of equivalence
NEAR = 0.5  # standard deviation by which the numbers of a start differ
EQUIVALENT = 1e-6  # of the standard deviation of z
RECORDS = DOCS / "formulas_of_classes.jsonl"
BEGIN, END = "<!-- classes -->", "<!-- end of classes -->"
MOST_TEXT = 140  # characters of a formula in a record
Record = dict[str, Any]


def logits(name: str, x: FloatArray) -> FloatArray:
    """Return the true z (n,) of a decision function at points x (n, n_in)."""
    text, inputs = FUNCTIONS[name]
    f = sympy.lambdify(list(inputs), sympy.sympify(text), "numpy")
    return np.asarray(f(*x.T), dtype=np.float64)


def samples(name: str, n: int, rng: np.random.Generator) -> tuple[FloatArray, np.ndarray]:
    """Return points (n, n_in) and random labels (n,)."""
    x = rng.uniform(-1.0, 1.0, (n, len(FUNCTIONS[name][1])))
    return x, (rng.random(n) < 1.0 / (1.0 + np.exp(-logits(name, x)))).astype(int)


def form_error(network: kr.Network, name: str, x: FloatArray) -> float:
    """Return the error of a formula's network after training on the true z, over their spread.

    The least of the runs that begin with its own numbers and near them: one run may end early.
    """
    z = logits(name, x)[:, None]
    data, rng = kr.Data(x, z, x, z), np.random.default_rng(0)
    least = np.inf
    for start in range(N_STARTS):
        layers = tuple(
            replace(layer, affine=layer.affine + NEAR * rng.standard_normal(layer.affine.shape))
            for layer in network.layers
        )
        begin = replace(network, layers=layers) if start else network
        try:
            begin(x)
        except ValueError:  # undefined at a point, such as a logarithm of a number below 0
            continue
        trained = kr.fit(
            begin, data, optimizer="lm", n_steps=N_STEPS, trainable=("symbolic",), update_grids=False
        ).network
        error = float(np.sqrt(np.mean((trained(x) - z) ** 2)) / np.std(z))
        least = min(least, error) if np.isfinite(error) else least
        if least <= EQUIVALENT:
            break
    return least


def run_one(name: str, seed: int) -> Record:
    """Return the result of `discover` on the labels of a decision function."""
    rng = np.random.default_rng(seed)
    x, labels = samples(name, N_TRAIN, rng)
    x_test, fresh = samples(name, N_TEST, rng)
    began = time.process_time()
    found = kr.discover(
        kr.Data(x, labels, x_test, fresh), names=tuple(FUNCTIONS[name][1]), loss="cross_entropy", rng=rng
    )
    seconds = time.process_time() - began
    z, true = found.predict(x_test)[:, 0], logits(name, x_test)
    assert found.network is not None  # for classes it is the formula itself
    error = form_error(found.network, name, x)
    text = str(found.formula)
    return {
        "name": name,
        "seed": seed,
        "accuracy": round(float(np.mean((z > 0.0) == (fresh == 1))), 4),
        "accuracy_of_z": round(float(np.mean((true > 0.0) == (fresh == 1))), 4),
        "same_side": round(float(np.mean((z > 0.0) == (true > 0.0))), 4),
        "equivalent": error <= EQUIVALENT,
        "form_error": float(f"{error:.1e}"),
        "seconds": round(seconds, 1),
        "kind": found.verdict.kind,
        "formula": text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 3] + "...",
    }


def read(path: Path = RECORDS) -> list[Record]:
    """Return the records; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(records: Sequence[Record], path: Path = RECORDS) -> None:
    """Add records to those of the file; a new one replaces the one of the same run."""
    names = list(FUNCTIONS)
    known = {(names.index(one["name"]), one["seed"]): one for one in [*read(path), *records]}
    lines = [json.dumps(known[place], allow_nan=False) + "\n" for place in sorted(known)]
    replace_file(os.fspath(path), "".join(lines).encode())


def summary(records: Sequence[Record]) -> str:
    """Return how many formulas are equivalent, and how good all are, in words."""
    parts = []
    for name in FUNCTIONS:
        runs = [one["equivalent"] for one in records if one["name"] == name]
        parts += [f"{name} {sum(runs)} of {len(runs)}"] if runs else []
    within = [one for one in records if one["kind"] == "within noise"]
    accuracies = [np.median([one[key] for one in records]) for key in ("accuracy", "accuracy_of_z")]
    return (
        f"Equivalent: {'; '.join(parts)}. {len(within)} of {len(records)} are called within noise, also "
        f"{sum(not one['equivalent'] for one in within)} that are not equivalent. The median accuracy on fresh labels is {accuracies[0]:.3f}, "
        f"that of the true z {accuracies[1]:.3f}; both have the same sign at {min(one['same_side'] for one in records):.1%} of the points at least."
    )


def render() -> None:
    """Write the summary into the page, between its two marks."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    page = f"{head}{BEGIN}\n\n{summary(read())}\n\n{END}{tail}"
    replace_file(os.fspath(PAGE), page.encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each run; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.class_formulas",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", help="decision functions, all without it")
    parser.add_argument("--seeds", type=int, default=1, help="default %(default)s")
    parser.add_argument("--record", action="store_true", help="keep the runs for the page")
    parser.add_argument("--page", action="store_true", help="print the page from them, no runs")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.name if name not in FUNCTIONS]
    if unknown or options.seeds < 1:
        parser.error(
            f"NAME is {unknown[0]!r}, but must be one of {', '.join(FUNCTIONS)}"
            if unknown
            else f"--seeds is {options.seeds}, but must be at least 1"
        )
    status = 0
    for name in options.name or FUNCTIONS if not options.page else ():
        for seed in range(options.seeds):
            try:
                one = run_one(name, seed)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                print(f"{name} seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
                status = 1
                continue
            print(json.dumps(one), flush=True)
            if options.record:
                write([one])
    if options.record or options.page:
        render()
    return status


if __name__ == "__main__":
    run_program(main, ends_fits=True)
