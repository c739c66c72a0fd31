"""`python -m benchmarks.discovery --peers`: other programs that find formulas, on the same samples and by the same rule as `discover`.

Each gets the settings below for all formulas, none of which was tuned on a formula here.

    Operon     genetic programming with least squares for constants (pyoperon): 5e5 evaluations, the operations and functions of FUNCTIONS
    gplearn    genetic programming with random constants: 1000 programs, 20 generations, the same functions as far as it has them
    pykan      the workflow of its documentation: a KAN [n, 5, 1] trained with a penalty, pruned, trained, `auto_symbolic`, trained

Operon computes in single precision, so an error of 1e-6 counts as found there. They search with one thread. Their CPU seconds are those of the whole process. A formula counts as found by the rule of
`benchmarks.discovery`. It is a bar for `discover`, which may use the values that its network interpolates between samples. Genetic programs
do not need a box full of samples, and find forms that no slice shows.
"""

import contextlib
import importlib
import io
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from benchmarks.formula_sets import Formula
from kan_ref.checks import FloatArray

EVALUATIONS = 500_000
FUNCTIONS = "add,sub,mul,div,constant,variable,sin,cos,exp,log,sqrt,square"
PRECISION = {
    "Operon": 1e-6
}  # its wheel computes in float32, so smaller errors cannot be asked of it
PACKAGES = {"Operon": "pyoperon", "gplearn": "gplearn", "pykan": "pykan"}
Predict = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class PeerOutcome:
    """The result of one program for one formula; `failure` is its error in a line, or ""."""

    program: str
    formula: Formula
    error: float
    seconds: float
    found: bool
    failure: str = ""

    def __str__(self) -> str:
        mark = "found" if self.found else "no"
        end = self.failure or f"{self.error:8.1e}"
        return f"    {self.program:8} {mark:5} {self.seconds:6.1f} s  {end}"


def _operon(x: FloatArray, y: FloatArray, seed: int) -> Predict:
    module = importlib.import_module("pyoperon.sklearn")
    model = module.SymbolicRegressor(
        allowed_symbols=FUNCTIONS,
        max_evaluations=EVALUATIONS,
        generations=10_000,
        optimizer_iterations=5,
        n_threads=1,
        random_state=seed,
    )
    model.fit(x, y)
    return lambda points: np.asarray(model.predict(points), dtype=np.float64).reshape(-1)


def _gplearn(x: FloatArray, y: FloatArray, seed: int) -> Predict:
    module = importlib.import_module("gplearn.genetic")
    names = ("add", "sub", "mul", "div", "sin", "cos", "log", "sqrt")
    model = module.SymbolicRegressor(
        population_size=1000, generations=20, function_set=names, n_jobs=1, random_state=seed
    )
    model.fit(x, y)
    return lambda points: np.asarray(model.predict(points), dtype=np.float64)


def _pykan(x: FloatArray, y: FloatArray, seed: int) -> Predict:
    torch, kan = importlib.import_module("torch"), importlib.import_module("kan")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    points, targets = torch.tensor(x), torch.tensor(y[:, None])
    dataset = {
        "train_input": points,
        "train_label": targets,
        "test_input": points,
        "test_label": targets,
    }
    folder = tempfile.mkdtemp()
    model = kan.KAN(width=[x.shape[1], 5, 1], grid=5, k=3, seed=seed, ckpt_path=folder)
    model.fit(dataset, opt="LBFGS", steps=50, lamb=1e-3)
    model = model.prune()
    model.fit(dataset, opt="LBFGS", steps=50)
    model.auto_symbolic()
    model.fit(dataset, opt="LBFGS", steps=50)

    def predict(at: FloatArray) -> FloatArray:
        with torch.no_grad():
            return np.asarray(model(torch.tensor(at)).numpy())[:, 0]

    return predict


PROGRAMS: dict[str, Callable[[FloatArray, FloatArray, int], Predict]] = {
    "Operon": _operon,
    "gplearn": _gplearn,
    "pykan": _pykan,
}


def installed() -> dict[str, str]:
    """Return the versions of the programs that are installed."""
    found = {}
    for program, package in PACKAGES.items():
        with contextlib.suppress(PackageNotFoundError):
            found[program] = version(package)
    return found


def run_peer(
    program: str, formula: Formula, seed: int, samples: Sequence[Any], most: float
) -> PeerOutcome:
    """Return the result of a program on x, y (n, 1), fresh x and y; found with an error of `most`."""
    x, y, x_test, y_test = samples
    began = time.process_time()
    home = os.getcwd()
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of other programs
            os.chdir(folder)  # pykan writes files
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                predicted = PROGRAMS[program](x, y[:, 0], seed)(x_test)
            os.chdir(home)
    except Exception as error:  # other programs' errors are results
        os.chdir(home)
        line = f"{type(error).__name__}: {error}".splitlines()[0][:80]
        return PeerOutcome(program, formula, np.inf, time.process_time() - began, False, line)
    seconds = time.process_time() - began
    relative = float(np.sqrt(np.mean((predicted - y_test[:, 0]) ** 2))) / float(np.std(y_test))
    return PeerOutcome(
        program, formula, relative, seconds, relative <= max(most, PRECISION.get(program, 0.0))
    )


def summary(outcomes: Sequence[PeerOutcome]) -> str:
    """Return the counts of each program as text."""
    versions = installed()
    lines = ["", "program, version, found in how many runs, median and largest CPU seconds"]
    for program in dict.fromkeys(one.program for one in outcomes):
        own = [one for one in outcomes if one.program == program]
        seconds = [one.seconds for one in own]
        count = f"{sum(one.found for one in own)} of {len(own)}"
        lines.append(
            f"{program:8} {versions[program]:10} {count:>10}  {np.median(seconds):6.1f} "
            f"{max(seconds):6.1f}"
        )
    return "\n".join(lines)
