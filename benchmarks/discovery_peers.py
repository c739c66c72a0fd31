"""`python -m benchmarks.discovery --peers`: other programs that find formulas, on the same samples and by the same rule as `discover`.

Each gets the settings below for all formulas, none of which was tuned on a formula here.

    Operon     genetic programming with least squares for constants (pyoperon): 5e5 evaluations, the operations and functions of FUNCTIONS
    gplearn    genetic programming with random constants: 1000 programs, 20 generations, the same functions as far as it has them
    pykan      the workflow of its first example: a KAN [n, 5, 1] with 3 intervals, trained with a penalty, pruned, trained, refined to 10
               intervals, trained, `auto_symbolic` with the functions of LIBRARY, trained; 50 steps each time

They search with one thread, and their CPU seconds are those of the whole process. A formula counts as found by the rule of
`benchmarks.discovery`. Operon computes in single precision, so an error of 1e-6 counts as found there. `discover` may use the values that its
network interpolates between samples. Genetic programs do not need a box full of samples, and find forms that no slice shows.
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

import kan_ref
from benchmarks.discovery_page import Record, rounded, shortened
from benchmarks.formula_sets import Formula
from kan_ref.checks import FloatArray

EVALUATIONS = 500_000
FUNCTIONS = "add,sub,mul,div,constant,variable,sin,cos,exp,log,sqrt,square"
PRECISION = {"Operon": 1e-6}  # its wheel computes in float32, whose rounding is 6e-8
LIBRARY = ("x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs")
PACKAGES = {"Operon": "pyoperon", "gplearn": "gplearn", "pykan": "pykan"}
Predict = Callable[[FloatArray], FloatArray]
Found = tuple[Predict, str]  # the formula as a function, and as text


@dataclass(frozen=True)
class PeerOutcome:
    """The result of one program for one formula, with its text; `failure` is its error in a line, or ""."""

    program: str
    formula: Formula
    seed: int
    error: float
    seconds: float
    found: bool
    text: str = ""
    failure: str = ""

    def __str__(self) -> str:
        mark = "found" if self.found else "no"
        end = self.failure or f"{self.error:8.1e}  {self.text}"
        return f"    {self.program:8} {mark:5} {self.seconds:6.1f} s  {end}"


def _operon(x: FloatArray, y: FloatArray, seed: int) -> Found:
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
    text = model.get_model_string(model.model_, precision=8)
    return lambda points: np.asarray(model.predict(points), dtype=np.float64).reshape(-1), text


def _gplearn(x: FloatArray, y: FloatArray, seed: int) -> Found:
    module = importlib.import_module("gplearn.genetic")
    names = ("add", "sub", "mul", "div", "sin", "cos", "log", "sqrt")
    model = module.SymbolicRegressor(
        population_size=1000, generations=20, function_set=names, n_jobs=1, random_state=seed
    )
    model.fit(x, y)
    text = str(model._program)
    return lambda points: np.asarray(model.predict(points), dtype=np.float64), text


def _pykan(x: FloatArray, y: FloatArray, seed: int) -> Found:
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
    model = kan.KAN(width=[x.shape[1], 5, 1], grid=3, k=3, seed=seed, ckpt_path=folder)
    model.fit(dataset, opt="LBFGS", steps=50, lamb=1e-3)
    model = model.prune()
    model.fit(dataset, opt="LBFGS", steps=50)
    model = model.refine(10)
    model.fit(dataset, opt="LBFGS", steps=50)
    model.auto_symbolic(lib=list(LIBRARY))
    model.fit(dataset, opt="LBFGS", steps=50)

    def predict(at: FloatArray) -> FloatArray:
        with torch.no_grad():
            return np.asarray(model(torch.tensor(at)).numpy())[:, 0]

    return predict, str(model.symbolic_formula()[0][0])


PROGRAMS: dict[str, Callable[[FloatArray, FloatArray, int], Found]] = {
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
                predict, text = PROGRAMS[program](x, y[:, 0], seed)
                predicted = predict(x_test)
            os.chdir(home)
    except Exception as error:  # other programs' errors are results
        os.chdir(home)
        line = f"{type(error).__name__}: {error}".splitlines()[0][:80]
        seconds = time.process_time() - began
        return PeerOutcome(program, formula, seed, np.inf, seconds, False, failure=line)
    seconds = time.process_time() - began
    relative = float(np.sqrt(np.mean((predicted - y_test[:, 0]) ** 2))) / float(np.std(y_test))
    most = max(most, PRECISION.get(program, 0.0))
    return PeerOutcome(program, formula, seed, relative, seconds, relative <= most, text)


def records(own: Sequence[Record], others: Sequence[PeerOutcome]) -> list[Record]:
    """Return the runs of `discover`, from their records, and those of other programs on the same samples, as records."""
    versions = installed() | {"kan_ref": kan_ref.__version__}
    ours = [
        {"program": "kan_ref", "version": versions["kan_ref"]}
        | {key: run[key] for key in ("name", "seed", "found", "error", "seconds", "formula")}
        for run in own
    ]
    return ours + [
        {
            "program": one.program,
            "version": versions[one.program],
            "name": one.formula.name,
            "seed": one.seed,
            "found": one.found,
            "error": rounded(one.error),
            "seconds": round(one.seconds, 1),
            "formula": shortened(one.failure or one.text),
        }
        for one in others
    ]


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
