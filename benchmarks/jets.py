"""`python -m benchmarks.jets [NAME...]`: cost of derivatives with respect to the inputs, relative to a plain step of the same network on one thread.

A plain step is value and gradient of the mean squared error, the first layer's B-splines evaluated once, as `fit` does. A jet step is value
and gradient of mean (Laplacian u - f)^2: forward and backward pass, the first layer's part prepared once. Times are the smallest CPU
milliseconds of interleaved repeats. "lm" is one Levenberg-Marquardt iteration on a Poisson problem, 900 interior rows and 400 boundary
rows; "peak" the memory of a jet step in MiB, and in units of batch x width x (degree + 1) x n_components numbers.

Bars of the networks with one hidden layer: 6 times the plain step, 50 ms for an iteration. As in `benchmarks.steps` a good part of
the time goes into memory that glibc returns to the system and requests again.
"""

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

import kan_ref as kr
from benchmarks import bars
from benchmarks.bars import Verdict, above, missed, take_turns
from benchmarks.steps import mean_square_objective
from kan_ref.checks import FloatArray
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.network import Network
from kan_ref.numerics import normal_sums
from kan_ref.optimizers.levenberg_marquardt import damped_step
from kan_ref.pde import jets
from kan_ref.pde.jet_kind import JetKind, operator_kind
from kan_ref.program import run_program

LAPLACIAN = operator_kind(np.eye(2), np.zeros(2))


@dataclass(frozen=True)
class Case:
    """A network of two inputs and its batch; `bar`: the largest ratio of a jet step to a plain step."""

    widths: tuple[int, ...]
    degree: int
    bar: float = np.inf
    n_intervals: int = 5
    n_samples: int = 900


NAMED = {
    "[2,10,1] k=3": Case((2, 10, 1), 3, 6.0),
    "[2,10,1] k=5": Case((2, 10, 1), 5, 6.0),
    "[2,10,10,1] k=3": Case((2, 10, 10, 1), 3),
    "[2,10,10,1] k=5": Case((2, 10, 10, 1), 5),
}
MOST_LM = 50.0  # ms


def problem(case: Case) -> tuple[Network, FloatArray, FloatArray]:
    """Return a random network with hidden grids on the batch's activations, x (batch, 2) and f
    (batch,).
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (case.n_samples, 2))
    network = kr.init_network(
        case.widths, n_intervals=case.n_intervals, degree=case.degree, domain=(-1.0, 1.0), x=x, rng=rng
    )
    return network, x, rng.standard_normal(case.n_samples)


def jet_step(network: Network, x: FloatArray, f: FloatArray) -> Callable[[], tuple[float, FloatArray]]:
    """Return value and gradient of mean (Laplacian u - f)^2."""
    inputs = jets.prepare_jet(network, x, LAPLACIAN)

    def step() -> tuple[float, FloatArray]:
        jet, caches = jets.run_jet_forward(network, inputs)
        residual = jet[0, -1] - f
        d_jet = np.zeros(jet.shape)
        d_jet[0, -1] = 2.0 / len(x) * residual
        return float(np.mean(residual**2)), jets.run_jet_backward(network, caches, d_jet)

    return step


def lm_iteration(case: Case) -> Callable[[], FloatArray]:
    """Return the seconds of a Levenberg-Marquardt step on Laplacian u = f at 900 points and u = 0
    at 400 on the boundary: linearize, J^T J, solve.
    """
    network, x, f = problem(case)
    side = np.linspace(-1.0, 1.0, 100)
    edge = np.concatenate([np.column_stack(pair) for pair in ((side, -1.0 + 0 * side), (side, 1.0 + 0 * side))])
    border = np.concatenate([edge, edge[:, ::-1]])
    inner, outer = (jets.prepare_jet(network, x, LAPLACIAN), network.prepare(border))
    seed = _last_part(LAPLACIAN, len(x))

    def step() -> FloatArray:
        jet, inside = jets.run_jet_forward(network, inner)
        on_border, caches = network.run_flow(outer)
        residuals = np.concatenate([jet[0, -1] - f, on_border[-1][:, 0]])
        sums = normal_sums(
            [jets.jet_jacobian(network, inside, seed), prediction_jacobian(network.layers, caches)], residuals
        )
        damping = np.full(network.n_params, 1e-3 * sums.matrix.diagonal().max())
        return damped_step(sums, damping)[0]

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


def measure(seconds: float, name: str, seed: int) -> Verdict:
    """Return the row of a case, from about so many CPU seconds for each step."""
    case = NAMED[name]
    network, x, f = problem(case)
    objective, theta = mean_square_objective(network, x, f[:, None]), network.theta.copy()
    steps = [lambda: objective.value_and_grad(theta), jet_step(network, x, f), lm_iteration(case)]
    plain, jet, lm = (1e3 * one for one in take_turns(steps, seconds=seconds, repeats=5))
    memory = peak(case)
    cells = [f"{plain:.2f}", f"{jet:.2f}", f"{jet / plain:.2f}", f"{lm:.1f}"]
    cells += [f"{memory / 2**20:.2f}", f"{memory / unit(case):.2f}"]
    most = MOST_LM if np.isfinite(case.bar) else np.inf
    return Verdict(cells, missed(above(jet / plain, case.bar, "ratio"), above(lm, most, "lm")))


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    line = bars.command("jets", __doc__)
    line.add_argument("--seconds", type=float, default=1.5, help="CPU seconds a step (1.5)")
    options = bars.read(line, words, NAMED)
    columns = ["ms", "plain", "jet", "ratio", "lm", "peak", "units"]
    ask = partial(measure, options.seconds)
    return bars.bar(options.names, columns, ask, lambda _, found: found[0])


if __name__ == "__main__":
    run_program(main, ends_fits=True)
