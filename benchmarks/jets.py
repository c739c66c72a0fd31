"""`python -m benchmarks.jets`: cost of derivatives with respect to the inputs, relative to a plain step of the same network on one thread.

A plain step is value and gradient of the mean squared error, the first layer's B-splines evaluated once, as `fit` does. A jet step is value
and gradient of mean (Laplacian u - f)^2: forward and backward pass, the first layer's part prepared once. Times are the smallest CPU
milliseconds of interleaved repeats. The program also measures one Levenberg-Marquardt iteration on a Poisson problem, 900 interior rows and 400
boundary rows, and the memory of a jet step.

As in `training_step` a good part of the time goes into memory that glibc returns to the system and requests again; `--keep-memory`
shows the steps without that.
"""

import argparse
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# one thread, set before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import kan_ref as kr
from benchmarks.measuring import take_turns
from benchmarks.subjects import mean_square_objective
from kan_ref.checks import FloatArray
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.network import Network
from kan_ref.optimizers.normal_equations import normal_equations
from kan_ref.pde import jets
from kan_ref.pde.jet_kind import JetKind, operator_kind
from kan_ref.program import given_number, run_program

ROOT = Path(__file__).parents[1]
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}
LAPLACIAN = operator_kind(np.eye(2), np.zeros(2))


@dataclass(frozen=True)
class Case:
    """A network of two inputs and its batch; `bar`: the largest allowed ratio of a jet step to a
    plain step.
    """

    widths: tuple[int, ...]
    degree: int
    bar: float = float("nan")
    n_intervals: int = 5
    n_samples: int = 900


CASES = (
    Case((2, 10, 1), 3, 6.0),
    Case((2, 10, 1), 5, 6.0),
    Case((2, 10, 10, 1), 3),
    Case((2, 10, 10, 1), 5),
)


def problem(case: Case) -> tuple[Network, FloatArray, FloatArray]:
    """Return a random network with hidden grids on the batch's activations, x (batch, 2) and f
    (batch,).
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (case.n_samples, 2))
    network = kr.init_network(
        case.widths,
        n_intervals=case.n_intervals,
        degree=case.degree,
        domain=(-1.0, 1.0),
        x=x,
        rng=rng,
    )
    return network, x, rng.standard_normal(case.n_samples)


def jet_step(
    network: Network, x: FloatArray, f: FloatArray
) -> Callable[[], tuple[float, FloatArray]]:
    """Return value and gradient of mean (Laplacian u - f)^2."""
    inputs = jets.prepare_jet(network, x, LAPLACIAN)

    def step() -> tuple[float, FloatArray]:
        flow = jets.run_jet_forward(network, inputs)
        residual = flow.jet[0, -1] - f
        d_jet = np.zeros(flow.jet.shape)
        d_jet[0, -1] = 2.0 / len(x) * residual
        return float(np.mean(residual**2)), jets.run_jet_backward(network, flow, d_jet)

    return step


def compare(case: Case, seconds: float) -> str:
    """Return the row of a case, from about so many CPU seconds for each step."""
    network, x, f = problem(case)
    objective, theta = mean_square_objective(network, x, f[:, None]), network.theta.copy()
    turns = take_turns(
        [lambda: objective.value_and_grad(theta), jet_step(network, x, f)],
        seconds=seconds,
        repeats=5,
    )
    plain, jet = (1e3 * times.least for times in turns)
    return f"{list(case.widths)!s:16s} {case.degree:3d} {case.n_samples:6d} {plain:9.2f} {jet:9.2f} {jet / plain:7.2f} {case.bar:6.1f}"


def lm_iteration(case: Case) -> Callable[[], FloatArray]:
    """Return the seconds of a Levenberg-Marquardt step on Laplacian u = f at 900 points and u = 0
    at 400 on the boundary: linearize, J^T J, solve.
    """
    network, x, f = problem(case)
    side = np.linspace(-1.0, 1.0, 100)
    edge = np.concatenate(
        [np.column_stack(pair) for pair in ((side, -1.0 + 0 * side), (side, 1.0 + 0 * side))]
    )
    border = np.concatenate([edge, edge[:, ::-1]])
    inner, outer = (
        jets.prepare_jet(network, x, LAPLACIAN),
        network.prepare(border),
    )
    seed = _last_part(LAPLACIAN, len(x))

    def step() -> FloatArray:
        flow = jets.run_jet_forward(network, inner)
        on_border, caches = network.run_flow(outer)
        residuals = np.concatenate([flow.jet[0, -1] - f, on_border[-1][:, 0]])
        equations = normal_equations(
            [
                *jets.jet_jacobian(network, flow, [seed]),
                prediction_jacobian(network.layers, caches),
            ],
            residuals,
        )
        found, _ = equations.step(1e-3 * equations.largest_square())
        return found

    return step


def _last_part(kind: JetKind, n_samples: int) -> FloatArray:
    seed = np.zeros((1, kind.n_components, n_samples))
    seed[0, -1] = 1.0
    return seed


def peak(case: Case) -> int:
    """Return the largest number of bytes in arrays during a jet step, beyond those prepared once."""
    step = jet_step(*problem(case))
    step()
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def unit(case: Case) -> int:
    """Bytes of batch x hidden width x (degree + 1) x n_components numbers, summed over the layers other than the first."""
    return 8 * case.n_samples * sum(case.widths[1:-1]) * (case.degree + 1) * LAPLACIAN.n_components


def memory_rows() -> list[str]:
    """Return the peak memory as batch, width and grid grow one by one."""
    cases = [Case((2, 10, 10, 1), 3, n_samples=n) for n in (450, 900, 1800, 3600)]
    cases += [Case((2, width, width, 1), 3) for width in (5, 20, 40)]
    cases += [Case((2, 10, 10, 1), 3, n_intervals=n) for n in (20, 40, 80, 320)]
    return [
        f"{list(case.widths)!s:16s} {case.n_intervals:5d} {case.n_samples:6d} {peak(case) / 2**20:9.2f} {peak(case) / unit(case):7.2f}"
        for case in cases
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jets",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds",
        type=given_number(),
        default=1.5,
        metavar="S",
        help="CPU seconds for each step (default %(default)s)",
    )
    parser.add_argument(
        "--keep-memory", action="store_true", help="have glibc keep what is freed (see above)"
    )
    options = parser.parse_args(arguments)
    if options.keep_memory and not KEEP_MEMORY.items() <= os.environ.items():
        again = [
            sys.executable,
            "-m",
            "benchmarks.jets",
            "--keep-memory",
            f"--seconds={options.seconds}",
        ]
        return subprocess.run(again, cwd=ROOT, env=os.environ | KEEP_MEMORY, check=False).returncode
    print("widths             k      N  plain ms    jet ms   ratio    bar")
    for case in CASES:
        print(compare(case, options.seconds), flush=True)
    for case in CASES[:2]:
        (times,) = take_turns([lm_iteration(case)], seconds=options.seconds, repeats=5)
        sizes = f"{list(case.widths)}, k = {case.degree}, 1300 points"
        print(
            f"Levenberg-Marquardt iteration, {sizes}: least {times.least:.4f} s, median {times.median:.4f} s (bar 0.05 s)"
        )
    print(
        "\nmemory of a jet step, k = 3; unit: batch x width x (degree + 1) x n_components numbers"
    )
    print("widths               G      N  peak MiB   units")
    for row in memory_rows():
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
