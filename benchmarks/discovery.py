"""`python -m benchmarks.discovery [NAME...] [--seeds N] [--noise S] [--samples N] [--jobs N] [--every N] [--record] [--page] [--peers]`:
which formulas `kan_ref.discover` recovers.

`discover` gets uniform samples of each formula of `formula_sets` on its box, in the units given there, and the names of the inputs. It gets
neither widths nor functions. A formula counts as found if the result agrees with it on 100,000 fresh samples without noise to 1e-9 of their
standard deviation. So many show a term that is wrong on a small part of the box alone. With noise, the root mean square error may be
4 noise / sqrt(N): four times the error of one parameter that is fitted to N noisy samples.

The program prints a line for each run, and the verdict with its numbers below each failure. Then come the counts of each collection, the
counts of the verdicts, and the failures again. The exit status is 1 if a formula with an error above 1e-9 has the verdict "exact", or if
a run ends with an error message. A formula that is not found, and is said not to be, is not an error of the program.

`--record` keeps the runs for the page docs/formulas_found.md, whose tables `--page` prints from them without a run.

`--peers [PROGRAM...]` gives the samples of each run to other programs too, as far as they are installed (`benchmarks.discovery_peers`).
`--every N` takes the 1st, (N + 1)th, ... of the chosen formulas alone.

NAME is a formula or a collection. The CPU seconds are those of one thread.
"""

import os

os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from benchmarks import discovery_page, discovery_peers
from benchmarks.formula_sets import FORMULAS, Formula
from benchmarks.measuring import run_all
from kan_ref.checks import FloatArray
from kan_ref.program import run_program

EXACT = 1e-9  # of the standard deviation of the fresh targets
N_TEST = 1000  # samples whose error `discover` reports
N_FRESH = 100_000  # samples that judge its formula
KINDS = ("exact", "within noise", "not explained", "no result")


@dataclass(frozen=True)
class Outcome:
    """The result of one run: `error` relative to the standard deviation of the fresh targets."""

    formula: Formula
    seed: int
    found: bool
    error: float
    seconds: float
    kind: str
    why: str
    text: str

    @property
    def is_wrong_claim(self) -> bool:
        """Whether a formula that is not exact is said to be, or there is none at all."""
        return self.kind == "no result" or (self.kind == "exact" and not self.error <= EXACT)

    def __str__(self) -> str:
        mark = "found" if self.found else "no"
        return (
            f"{self.formula.name:22} seed {self.seed}  {mark:5}  {self.error:8.1e}  "
            f"{self.seconds:6.1f} s  {self.kind:13}  {self.text}"
        )


def record_of(one: Outcome, noise: float, n_samples: int) -> discovery_page.Record:
    """Return a run as a record of the page."""
    return {
        "name": one.formula.name,
        "noise": noise,
        "samples": n_samples,
        "seed": one.seed,
        "found": one.found,
        "error": discovery_page.rounded(one.error),
        "seconds": round(one.seconds, 1),
        "kind": one.kind,
        "formula": discovery_page.shortened(one.text),
    }


def samples_of(
    formula: Formula, noise: float, n_samples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return x, noisy y, and x and y of the test samples without noise."""
    x, y = formula.samples(n_samples, rng)
    x_test, y_test = formula.samples(N_TEST, rng)
    return x, y + noise * float(np.std(y)) * rng.standard_normal(y.shape), x_test, y_test


def fresh_samples(formula: Formula, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return x and y without noise that judge the results of a seed, of all programs alike."""
    return formula.samples(N_FRESH, np.random.default_rng([seed, N_FRESH]))


def run_peers(
    formula: Formula, seed: int, noise: float, n_samples: int, programs: Sequence[str]
) -> list[discovery_peers.PeerOutcome]:
    """Return the results of other programs on the samples of `run_one`."""
    x, y, *_ = samples_of(formula, noise, n_samples, np.random.default_rng(seed))
    samples = x, y, *fresh_samples(formula, seed)
    most = max(EXACT, 4.0 * noise / n_samples**0.5)
    return [discovery_peers.run_peer(program, formula, seed, samples, most) for program in programs]


def run_one(formula: Formula, seed: int, noise: float, n_samples: int) -> Outcome:
    """Return the result of `discover` on samples whose noise is in units of the targets' spread."""
    rng = np.random.default_rng(seed)
    x, noisy, x_test, y_test = samples_of(formula, noise, n_samples, rng)
    began = time.process_time()
    try:
        found = kr.discover(kr.Data(x, noisy, x_test, y_test), names=formula.names, rng=rng)
    except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
        seconds = time.process_time() - began
        why = f"{type(error).__name__}: {error}"
        return Outcome(formula, seed, False, np.inf, seconds, "no result", why, "")
    seconds = time.process_time() - began
    x_fresh, y_fresh = fresh_samples(formula, seed)
    residual = found.predict(x_fresh) - y_fresh
    relative = float(np.sqrt(np.mean(residual**2))) / float(np.std(y_fresh))
    most = max(EXACT, 4.0 * noise / n_samples**0.5)
    return Outcome(
        formula,
        seed,
        relative <= most,  # False where the formula is undefined at a fresh sample
        relative,
        seconds,
        found.verdict.kind,
        found.verdict.why,
        str(found.formula),
    )


def chosen(names: Sequence[str]) -> list[Formula]:
    """Return the formulas with these names or of these collections; without names, all.

    Raises
    ------
    ValueError
        If a name is neither.
    """
    known = {formula.name for formula in FORMULAS} | {formula.collection for formula in FORMULAS}
    for name in names:
        if name not in known:
            raise ValueError(
                f"NAME is {name!r}, but must be a formula or a collection: "
                f"{', '.join(sorted(known))}"
            )
    return [
        formula
        for formula in FORMULAS
        if not names or formula.name in names or formula.collection in names
    ]


def report(outcomes: Sequence[Outcome]) -> str:
    """Return the counts of collections and verdicts, and every failure, as text."""
    lines = ["", "collection, found in how many runs, median and largest CPU seconds"]
    for collection in dict.fromkeys(one.formula.collection for one in outcomes):
        part = [one for one in outcomes if one.formula.collection == collection]
        lines.append(f"{collection:32} {_counts(part)}")
    lines.append(f"{'all':32} {_counts(outcomes)}")
    lines += ["", "verdict, runs, of these found"]
    kinds, right = (
        Counter(one.kind for one in outcomes if one.found >= least) for least in (False, True)
    )
    lines += [f"{kind:32} {kinds[kind]:4} {right[kind]:4}" for kind in KINDS if kinds[kind]]
    failures = [one for one in outcomes if not one.found]
    lines += ["", f"not found: {len(failures)} of {len(outcomes)} runs"]
    lines += [_explained(one) for one in failures]
    wrong = [one for one in outcomes if one.is_wrong_claim]
    if wrong:
        lines += ["", f'called "exact" with an error above {EXACT:g}, or without a result:']
        lines += [f"  {one.formula.name} seed {one.seed}" for one in wrong]
    return "\n".join(lines)


def _counts(outcomes: Sequence[Outcome]) -> str:
    seconds = [one.seconds for one in outcomes]
    count = f"{sum(one.found for one in outcomes)} of {len(outcomes)}"
    return f"{count:>10}  {np.median(seconds):6.1f} {max(seconds):6.1f}"


def _explained(one: Outcome) -> str:
    return f"{one}\n    {one.why}\n    should be {one.formula.text} on {one.formula.box}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each run, and the counts; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.discovery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", help="formulas or collections, all without it")
    parser.add_argument("--seeds", type=int, default=1, help="default %(default)s")
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="standard deviation, in units of that of the formula (default %(default)s)",
    )
    parser.add_argument(
        "--samples", type=int, default=1000, help="training samples (default %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only every Nth formula")
    parser.add_argument(
        "--peers", nargs="*", choices=tuple(discovery_peers.PROGRAMS), help="other programs too"
    )
    parser.add_argument("--record", action="store_true", help="keep the runs for the page")
    parser.add_argument("--page", action="store_true", help="print the page from them, no runs")
    options = parser.parse_args(arguments)
    if (
        options.every < 1
        or options.seeds < 1
        or options.samples < 20
        or not 0.0 <= options.noise < np.inf
    ):
        parser.error(
            f"--seeds is {options.seeds}, --every {options.every}, --samples {options.samples} "
            f"and --noise {options.noise:g}, but they must be at least 1, 1, 20 and 0"
        )
    if options.page:
        discovery_page.render()
        return 0
    try:
        formulas = chosen(options.name)[:: options.every]
    except ValueError as error:
        parser.error(str(error))
    outcomes: list[Outcome] = []
    others: list[discovery_peers.PeerOutcome] = []
    programs: list[str] = []
    if options.peers is not None:
        known = discovery_peers.installed()
        programs = [name for name in options.peers or discovery_peers.PROGRAMS if name in known]
        if options.record and (options.noise, options.samples) != (0.0, 1000):
            parser.error("--record --peers is for 1000 samples without noise")
        if not programs:
            parser.error('--peers: none is installed; pip install -e ".[peers]"')
    status = 0
    for formula in formulas:
        tasks = [(formula, seed, options.noise, options.samples) for seed in range(options.seeds)]
        try:
            runs = run_all(run_one, tasks, options.jobs)
        except RuntimeError as failure:  # it costs its lines and no others
            print(f"{formula.name}: {failure}", file=sys.stderr, flush=True)
            status = 1
            continue
        for one in runs:
            print(one if one.found else _explained(one), flush=True)
        outcomes += runs
        for seed in range(options.seeds if programs else 0):
            for other in run_peers(formula, seed, options.noise, options.samples, programs):
                print(other, flush=True)
                others.append(other)
        if options.record:
            rows = [record_of(one, options.noise, options.samples) for one in runs]
            discovery_page.write(rows)
            if programs:
                beside = [one for one in others if one.formula == formula]
                discovery_page.write_peers(discovery_peers.records(rows, beside))
    if outcomes:
        print(report(outcomes))
        if others:
            print(discovery_peers.summary(others))
        if options.record:
            discovery_page.render()
    return 1 if any(one.is_wrong_claim for one in outcomes) else status


if __name__ == "__main__":
    run_program(main, ends_fits=True)
