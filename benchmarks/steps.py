"""`python -m benchmarks.steps [NAME...] [--peers]`: a training step of kan_ref beside a textbook's and other libraries', in turns.

A step is the mean squared error of a network over the full batch and its gradient with respect to all parameters, in float64 on one
thread. "cached" is what `fit` does: the first layer's B-splines do not change between steps and are evaluated once; "fresh" evaluates
them at every step, as mini-batches and the peers do. The textbook is `kan_ref.plain`, all basis functions by the full recursion:
as it is, or with the sums as matrix products and no gradient with respect to the first layer's inputs, whichever is faster.

Cells are the least CPU milliseconds of interleaved repeats. With `--peers` those libraries on PyTorch that are installed take
the step with the same parameters: pykan after its `speed()`, and inkan and flashkan, which have one grid on [-1, 1] and no w_spline
and are set against kan_ref on that grid. "!" marks a loss or gradient that differs from kan_ref's by more than 1e-9; flashkan's knots
are float32. The bar is cached / textbook. A dense recursion tuned for time takes 0.5 to 0.63 of the textbook's; the bars allow for that.

The last rows are an accepted step of Levenberg-Marquardt at [2, 1, 1], G = 200, N = 10000, and `import kan_ref` in a fresh process, in ms.
With glibc a good part of a step of any side goes into memory: what is freed is returned to the system and requested again. With
MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ = 1073741824 in the environment it is kept, which makes wide networks faster.
"""

import contextlib
import importlib.util
import io
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks import bars
from benchmarks.bars import Verdict, above, take_turns
from kan_ref import plain
from kan_ref.checks import FloatArray
from kan_ref.network.network import Network
from kan_ref.program import run_program
from kan_ref.training import LOSSES, DataTerm, Objective

DEGREE, SAME = 3, 1e-9
Outcome = tuple[float, FloatArray]  # loss and gradient along theta; nan for what a peer has not
Step = Callable[[], Any]


@dataclass(frozen=True)
class Shape:
    """Widths, intervals per grid, samples, and the bar: cached / textbook."""

    name: str
    widths: tuple[int, ...]
    n_intervals: int
    batch: int
    bar: float = math.nan

    def __str__(self) -> str:
        widths = ",".join(map(str, self.widths))
        return f"({self.name}) [{widths}] G={self.n_intervals} N={self.batch}"


SHAPES = (
    Shape("a", (2, 5, 1), 5, 1000, 0.26),
    Shape("b", (2, 1, 1), 100, 1000, 0.07),
    Shape("c", (4, 4, 2, 1), 20, 1000, 0.22),
    Shape("d", (100, 1, 1), 10, 1000, 0.21),
    Shape("e", (64, 64, 64, 10), 5, 1024, 0.28),
    Shape("f", (784, 64, 10), 5, 256, 0.27),
    Shape("g", (2, 1, 1), 1000, 3000, 0.005),
)
OTHERS = {"lm step": 250.0, "import": 300.0}  # ms


def problem(shape: Shape, seed: int = 0) -> tuple[Network, FloatArray, FloatArray]:
    """Return a random network and a batch; its hidden grids cover the batch's activations, as in `fit`."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (shape.batch, shape.widths[0]))
    network = kr.init_network(
        shape.widths, n_intervals=shape.n_intervals, degree=DEGREE, domain=(-1.0, 1.0), x=x, rng=rng
    )
    return network, x, rng.standard_normal((shape.batch, shape.widths[-1]))


def mean_square_objective(model: Any, x: FloatArray, y: FloatArray) -> Objective:
    """Return the mean squared error of a model on x (batch, n_in), y (batch, n_out)."""
    return Objective(model, [DataTerm(LOSSES["mse"], x, y, model)])


def turns(network: Network) -> Iterator[FloatArray]:
    """Yield theta in one of two arrays by turns, read-only as optimizers give it: the model of the last array would be kept."""
    thetas = [network.theta.copy() for _ in range(2)]
    for theta in thetas:
        theta.flags.writeable = False
    return cycle(thetas)


def textbook(network: Network, x: FloatArray, y: FloatArray) -> Outcome:
    """Return loss and gradient of a network with silu and without masked edges, by matrix products on all basis functions."""
    caches = []
    for layer in network.layers:
        basis, basis_slope = plain.basis_and_slope(x, layer.knots, layer.degree)
        base, base_slope = plain.silu_and_slope(x)
        flat = basis.reshape(len(x), -1)
        weights = (layer.w_spline[:, :, None] * layer.coef).reshape(layer.n_out, -1)
        caches.append((layer, flat, basis_slope, base, base_slope, weights))
        x = base @ layer.w_base.T + flat @ weights.T
    loss, dy = float(np.mean((x - y) ** 2)), 2.0 * (x - y) / y.size
    grads: list[FloatArray] = []
    for layer, flat, basis_slope, base, base_slope, weights in reversed(caches):
        d_weights = (dy.T @ flat).reshape(layer.coef.shape)
        d_w_spline = (layer.coef * d_weights).sum(axis=2)
        grads = [layer.w_spline[:, :, None] * d_weights, dy.T @ base, d_w_spline, *grads]
        if layer is not network.layers[0]:
            d_basis = (dy @ weights).reshape(basis_slope.shape)
            spline_part = np.einsum("bim,bim->bi", d_basis, basis_slope)
            dy = (dy @ layer.w_base) * base_slope + spline_part
    return loss, np.concatenate([grad.ravel() for grad in grads])


def own_steps(network: Network, x: FloatArray, y: FloatArray) -> list[Callable[[], Outcome]]:
    """Return the textbook's two steps, the cached one and the fresh one."""
    objective, points = mean_square_objective(network, x, y), turns(network)
    term, everything = DataTerm(LOSSES["mse"], x, y, network), slice(None)

    def fresh() -> Outcome:
        again: Any = term.on_samples(everything)  # type: ignore[arg-type]
        return Objective(network, [again]).value_and_grad(next(points))

    return [
        partial(plain.value_and_grad, network.layers, x, y),
        partial(textbook, network, x, y),
        lambda: objective.value_and_grad(next(points)),
        fresh,
    ]


# --- peers: each returns a model and, for each layer, the gradients in the order of theta


def on_one_grid(network: Network) -> Network:
    """Return the network with one even grid on [-1, 1] for all inputs and layers, and w_spline multiplied into the coefficients."""
    moved = [
        replace(
            layer,
            knots=np.tile(kr.uniform_knots(-1.0, 1.0, layer.n_intervals, layer.degree), (layer.n_in, 1)),
            coef=layer.coef * layer.w_spline[:, :, None],
            w_spline=np.ones_like(layer.w_spline),
        )
        for layer in network.layers
    ]
    return Network(tuple(moved))


def fill(parameter: Any, values: FloatArray) -> None:
    """Set a parameter or buffer of PyTorch."""
    torch = importlib.import_module("torch")
    with torch.no_grad():
        parameter.copy_(torch.tensor(np.ascontiguousarray(values)))


def pykan(network: Network) -> tuple[Any, Callable[[], Any]]:
    """Return pykan's model after `speed()`; its arrays are [in, out]."""
    first = network.layers[0]
    with contextlib.redirect_stdout(io.StringIO()):
        kan = importlib.import_module("kan")
        model = kan.KAN(width=list(network.widths), grid=first.n_intervals, k=first.degree, auto_save=False)
        model.speed()
    for theirs, ours in zip(model.act_fun, network.layers, strict=True):
        fill(theirs.grid, ours.knots)
        fill(theirs.coef, ours.coef.swapaxes(0, 1))
        fill(theirs.scale_base, ours.w_base.T)
        fill(theirs.scale_sp, ours.w_spline.T)
    return model, lambda: [
        part.grad.swapaxes(0, 1) for layer in model.act_fun for part in (layer.coef, layer.scale_base, layer.scale_sp)
    ]


def flashkan(network: Network) -> tuple[Any, Callable[[], Any]]:
    """Return flashkan's model, which compiles itself."""
    importlib.import_module("torch").compiler.reset()
    model = importlib.import_module("flashkan").KANNetwork(
        list(network.widths), grid_size=network.layers[0].n_intervals
    )
    pairs = list(zip(model.layers, network.layers, strict=True))
    for theirs, ours in pairs:
        fill(theirs.spline_weight, ours.coef)
        fill(theirs.base_weight, ours.w_base)
    return model, lambda: [
        part
        for theirs, ours in pairs
        for part in (theirs.spline_weight.grad, theirs.base_weight.grad, np.nan * ours.w_spline)
    ]


def inkan(network: Network) -> tuple[Any, Callable[[], Any]]:
    """Return inkan's model, not compiled; a layer has one matrix of all weights."""
    model = importlib.import_module("inkan").KANNetwork(
        list(network.widths), grid_size=network.layers[0].n_intervals, compile_basis=False
    )
    pairs = list(zip(model.layers, network.layers, strict=True))
    for theirs, ours in pairs:
        flat = ours.coef.reshape(ours.n_out, -1)
        fill(theirs.weight, np.concatenate([flat, ours.w_base], axis=1))
    return model, lambda: [
        part
        for theirs, ours in pairs
        for part in (*theirs.weight.grad.split([ours.n_in * ours.n_basis, ours.n_in], 1), np.nan * ours.w_spline)
    ]  # fmt: skip


PEERS: dict[str, tuple[str, Any, Callable[[Network], Network]]] = {
    "pykan": ("kan", pykan, lambda network: network),
    "inkan": ("inkan", inkan, on_one_grid),
    "flashkan": ("flashkan", flashkan, on_one_grid),
}


def installed() -> list[str]:
    """Return the peers that can be imported."""
    found = importlib.util.find_spec
    return [name for name, (module, *_) in PEERS.items() if found("torch") and found(module)]


def peer_step(name: str, network: Network, x: FloatArray, y: FloatArray) -> tuple[Step, str]:
    """Return a peer's step, and "!" if it does not compute kan_ref's loss and gradient."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    _, make, nearest = PEERS[name]
    near = nearest(network)
    model, gradients = make(near)
    points, targets = torch.tensor(x), torch.tensor(y)

    def step() -> Any:
        model.zero_grad(set_to_none=True)
        loss = torch.mean((model(points) - targets) ** 2)
        loss.backward()
        return loss

    value, (ours, d_theta) = step().item(), kr.value_and_grad(near, x, y)
    theirs = np.concatenate([np.asarray(part, dtype=float).ravel() for part in gradients()])
    apart = np.nanmax(np.abs(theirs - d_theta)) / np.abs(d_theta).max()
    return step, "" if apart <= SAME and abs(value / ours - 1.0) <= SAME else "!"


# --- the table


def shape_row(shape: Shape, peers: Sequence[str], seconds: float) -> Verdict:
    """Return the row of a shape."""
    network, x, y = problem(shape)
    steps: list[Step] = list(own_steps(network, x, y))
    marks = []
    for name in peers:
        try:
            step, mark = peer_step(name, network, x, y)
        except Exception as error:  # whatever a peer raises goes into the table
            step, mark = lambda: None, f" {type(error).__name__}"
        steps.append(step)
        marks.append(mark)
    one, other, cached, fresh, *theirs = (1e3 * least for least in take_turns(steps, seconds=seconds, repeats=5))
    book = min(one, other)
    cells = [f"{book:.2f}", f"{cached:.3f}", f"{fresh:.3f}", f"{cached / book:.3f}"]
    cells += [f"{fresh / book:.3f}", f"{shape.bar:g}"]
    cells += [f"{time:.3f}{mark}" for time, mark in zip(theirs, marks, strict=True)]
    return Verdict(cells, above(cached / book, shape.bar, "cached/book"))


def lm_milliseconds() -> float:
    """Return the median of ten accepted Levenberg-Marquardt steps at [2, 1, 1], G = 200, N = 10000, recording included."""
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=10000, n_test=1000, rng=rng)
    network = kr.init_network((2, 1, 1), n_intervals=200, degree=3, domain=(-1.0, 1.0), x=data.x_train, rng=rng)
    stamps: list[float] = []
    add: Any = lambda step: stamps.append(time.process_time())  # noqa: E731
    kr.fit(network, data, optimizer="lm", n_steps=10, update_grids=False, callback=add)
    return 1e3 * float(np.median(np.diff(stamps)))


def import_milliseconds() -> float:
    """Return the least of three imports, each in a fresh process."""
    code = "import time; t = time.perf_counter(); import kan_ref; print(time.perf_counter() - t)"
    runs = [subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(3)]
    return 1e3 * min(map(float, runs))


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    line = bars.command("steps", __doc__)
    line.add_argument("--peers", action="store_true", help="other libraries, where installed")
    line.add_argument("--seconds", type=float, default=1.5, help="CPU seconds a step (1.5)")
    shapes = {shape.name: shape for shape in SHAPES}
    options = bars.read(line, words, [*shapes, *OTHERS])
    peers = installed() if options.peers else []
    if options.peers:
        print("not installed:", *(set(PEERS) - set(peers) or ["none"]))

    def measure(name: str, seed: int) -> Verdict:
        if name in shapes:
            return shape_row(shapes[name], peers, options.seconds)
        found = lm_milliseconds() if name == "lm step" else import_milliseconds()
        cells = ["", f"{found:.1f}", "", "", "", f"{OTHERS[name]:g}", *("" for _ in peers)]
        return Verdict(cells, above(found, OTHERS[name], "ms"))

    print(*(str(shapes[name]) for name in options.names if name in shapes), sep="\n")
    columns = ["ms", "textbook", "cached", "fresh", "cached/book", "fresh/book", "at most", *peers]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # each run compiles anew
        return bars.bar(options.names, columns, measure, lambda _, found: found[0])


if __name__ == "__main__":
    run_program(main, ends_fits=True)
