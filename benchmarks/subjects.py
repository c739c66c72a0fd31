"""What is measured: networks from the paper's toy examples up to an image classifier, a training step of each subject, and an iteration of
Levenberg-Marquardt.

A step is the mean squared error of a network on a full batch and its gradient with respect to all parameters. kan_ref, a textbook and, in
`peers`, other implementations take it behind one interface.

The textbook's basis functions are those of `kan_ref.plain`: all of them on every knot vector, by the full recursion. "einsum" is plain as
it is. "matmul" is the version for a reader who cares about time: it takes the sums over samples, inputs and basis functions by matrix
products and computes no gradient with respect to the inputs of the first layer. A shape is compared with the faster of the two. A dense
recursion tuned for time (reciprocals of the knot differences, no derivatives in the first layer) takes 0.5 to 0.63 of it; the bars allow
for that.

One Levenberg-Marquardt iteration is: residuals and Jacobian, normal equations, one damped step, residuals at its end. kan_ref keeps the nonzero entries of the Jacobian. The comparison is the same iteration on a dense Jacobian: one matrix product
for J^T J, or J J^T if there are more parameters than samples, and `numpy.linalg.solve`.
"""

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import numpy as np

import kan_ref as kr
from benchmarks.measuring import Times, take_turns
from kan_ref import plain
from kan_ref.checks import FloatArray
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network
from kan_ref.numerics import NormalSums
from kan_ref.numerics.row_sparse import dense_form
from kan_ref.optimizers.normal_equations import normal_equations
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.objective import Objective, make_objective

DEGREE = 3


@dataclass(frozen=True)
class Shape:
    """Widths, intervals per grid, samples; `bar` is the level of `training_step` for a step: the
    ratio of ours, cached, to the textbook.
    """

    name: str
    widths: tuple[int, ...]
    n_intervals: int
    batch: int
    bar: float = math.nan

    def __str__(self) -> str:
        return (
            f"({self.name}) [{','.join(map(str, self.widths))}] G={self.n_intervals} N={self.batch}"
        )


SHAPES = (
    Shape("a", (2, 5, 1), 5, 1000, 0.26),
    Shape("b", (2, 1, 1), 100, 1000, 0.07),
    Shape("c", (4, 4, 2, 1), 20, 1000, 0.22),
    Shape("d", (100, 1, 1), 10, 1000, 0.21),
    Shape("e", (64, 64, 64, 10), 5, 1024, 0.28),
    Shape("f", (784, 64, 10), 5, 256, 0.27),
    Shape("g", (2, 1, 1), 1000, 3000, 0.005),
)
QUICK_SHAPES = SHAPES[:2]


def problem(shape: Shape, seed: int = 0) -> tuple[Network, FloatArray, FloatArray]:
    """Return a random network of the shape and a batch; its hidden grids cover the batch's
    activations, as in `fit`.
    """
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (shape.batch, shape.widths[0]))
    network = kr.init_network(
        shape.widths, n_intervals=shape.n_intervals, degree=DEGREE, domain=(-1.0, 1.0), x=x, rng=rng
    )
    return network, x, rng.standard_normal((shape.batch, shape.widths[-1]))


def mean_square_objective(model: Any, x: FloatArray, y: FloatArray) -> Objective:
    """Return the mean squared error of a model on x (batch, n_in), y (batch, n_out)."""
    return make_objective(model, DataGoal(MSE, x, y).prepare(model))


@dataclass(frozen=True)
class Step:
    """One training step of one network on one batch.

    `run` takes the step and returns whatever the implementation returns; `read` turns that into loss and gradient (n_params,) in
    the order of kan_ref's theta, nan where the implementation has no such parameter.
    """

    run: Callable[[], Any]
    read: Callable[[Any], tuple[float, FloatArray]]


def keep(network: Network) -> Network:
    """Return the network itself."""
    return network


@dataclass(frozen=True)
class Subject:
    """An implementation in one of its modes.

    `make` builds its step for a network and a batch. `home` is the module whose SUBJECTS holds it, so that another process finds
    it by name. `needs` lists the modules that must be importable, `package` the package that has them; `note` says what it does
    differently; `nearest` turns a network into one that it can represent; `drawn` says whether its growth is measured.
    """

    name: str
    home: str
    make: Callable[[Network, FloatArray, FloatArray], Step]
    note: str
    needs: tuple[str, ...] = ()
    package: str = ""
    nearest: Callable[[Network], Network] = keep
    drawn: bool = True

    def step(self, network: Network, x: FloatArray, y: FloatArray) -> Step:
        """Return the step for the nearest network that the subject can represent."""
        return self.make(self.nearest(network), x, y)

    def missing(self) -> str:
        """Return the missing packages as a message; "" if nothing is missing."""
        absent = [name for name in self.needs if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""


# --- NumPy

Contraction = Literal["matmul", "einsum"]
CONTRACTIONS: tuple[Contraction, ...] = get_args(Contraction)


def textbook_forward(layer: Layer, x: FloatArray) -> tuple[FloatArray, Any]:
    """Return the outputs (batch, n_out) of a layer without masked edges, and the arrays that `textbook_backward` needs."""
    basis, basis_slope = plain.basis_and_slope(x, layer.knots, layer.degree)
    base, base_slope = plain.silu_and_slope(x)
    flat_basis = basis.reshape(len(x), -1)
    weights = (layer.w_spline[:, :, None] * layer.coef).reshape(layer.n_out, -1)
    y: FloatArray = base @ layer.w_base.T + flat_basis @ weights.T
    return y, (flat_basis, basis_slope, base, base_slope, weights)


def textbook_backward(
    layer: Layer, cache: Any, dy: FloatArray, *, first: bool
) -> tuple[FloatArray, list[FloatArray]]:
    """Return dx (batch, n_in), for the first layer dy instead, and [d_coef, d_w_base, d_w_spline]."""
    flat_basis, basis_slope, base, base_slope, weights = cache
    d_weights = (dy.T @ flat_basis).reshape(layer.coef.shape)
    d_w_spline = (layer.coef * d_weights).sum(axis=2)
    grads = [layer.w_spline[:, :, None] * d_weights, dy.T @ base, d_w_spline]
    if first:
        return dy, grads
    d_basis = (dy @ weights).reshape(basis_slope.shape)
    dx = (dy @ layer.w_base) * base_slope + np.einsum("bim,bim->bi", d_basis, basis_slope)
    return dx, grads


def textbook_step(
    network: Network, x: FloatArray, y: FloatArray, contraction: Contraction = "matmul"
) -> tuple[float, FloatArray]:
    """Return the mean squared error of a network with silu and without masked edges, and its gradient along theta."""
    if contraction == "einsum":
        value, gradient = plain.value_and_grad(network.layers, x, y)
        return float(value), gradient
    caches: list[Any] = []
    for layer in network.layers:
        x, cache = textbook_forward(layer, x)
        caches.append(cache)
    dx = 2.0 * (x - y) / y.size
    grads: list[FloatArray] = []
    for number in reversed(range(len(caches))):
        dx, of_layer = textbook_backward(
            network.layers[number], caches[number], dx, first=number == 0
        )
        grads = of_layer + grads
    return float(np.mean((x - y) ** 2)), np.concatenate([grad.ravel() for grad in grads])


def _as_is(outcome: tuple[float, FloatArray]) -> tuple[float, FloatArray]:
    return outcome


def point(network: Network) -> FloatArray:
    """Return theta as optimizers give it: read-only, so that the network need not copy it."""
    theta = network.theta.copy()
    theta.flags.writeable = False
    return theta


def _as_in_fit(network: Network, x: FloatArray, y: FloatArray) -> Step:
    objective, theta = mean_square_objective(network, x, y), point(network)
    return Step(lambda: objective.value_and_grad(theta), _as_is)


def _fresh(network: Network, x: FloatArray, y: FloatArray) -> Step:
    objective, theta = make_objective(network, DataGoal(MSE, x, y)), point(network)
    return Step(lambda: objective.on_samples(slice(None)).value_and_grad(theta), _as_is)


def _textbook(network: Network, x: FloatArray, y: FloatArray) -> Step:
    ways = [partial(textbook_step, network, x, y, contraction) for contraction in CONTRACTIONS]
    times = take_turns(ways, seconds=0.01)
    return Step(ways[int(np.argmin([of_way.least for of_way in times]))], _as_is)


SUBJECTS = (
    Subject(
        "kan_ref, as in fit",
        __name__,
        _as_in_fit,
        "the first layer's B-splines are kept from step to step: the full batch does not change",
    ),
    Subject(
        "kan_ref, fresh",
        __name__,
        _fresh,
        "evaluates the first layer's B-splines at every step, as mini-batches and the peers do",
    ),
    Subject(
        "textbook",
        __name__,
        _textbook,
        "dense arrays in NumPy, contracted by einsum or one matrix product, whichever is faster",
    ),
)


# --- Levenberg-Marquardt

LARGEST = 2**29  # bytes of a dense Jacobian; beyond, first-order methods are the ones to use


@dataclass(frozen=True)
class LmCell:
    """An iteration at a shape: sizes, times of kan_ref and of the dense form, or the reason why it
    was left out.
    """

    shape: Shape
    n_residuals: int
    n_params: int
    ours: Times | None
    dense: Times | None
    failure: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return plain data."""
        times = {
            name: t.as_record() for name, t in (("kan_ref", self.ours), ("dense", self.dense)) if t
        }
        sizes = {"residuals": self.n_residuals, "parameters": self.n_params}
        return {"shape": self.shape.name, "failure": self.failure, **sizes, "milliseconds": times}


def iterate(objective: Objective, theta: FloatArray) -> FloatArray:
    """Return residuals after one damped step of kan_ref."""
    residuals, jacobian = objective.linearize(theta)
    assert not isinstance(jacobian, NormalSums)  # the objective is prepared
    equations = normal_equations(jacobian, residuals)
    step, _ = equations.step(1e-3 * equations.largest_square())
    return objective.residuals(theta + step)


def iterate_dense(objective: Objective, theta: FloatArray) -> FloatArray:
    """Return residuals after one damped step on a dense Jacobian."""
    residuals, jacobian = objective.linearize(theta)
    assert not isinstance(jacobian, NormalSums)
    dense = dense_form(jacobian)
    damping = 1e-3 * float(np.einsum("bi,bi->i", dense, dense).max())
    if dense.shape[1] > dense.shape[0]:
        matrix = dense @ dense.T
        matrix.reshape(-1)[:: len(matrix) + 1] += damping
        step = dense.T @ np.linalg.solve(matrix, -residuals)
    else:
        matrix = dense.T @ dense
        matrix.reshape(-1)[:: len(matrix) + 1] += damping
        step = np.linalg.solve(matrix, -(dense.T @ residuals))
    return objective.residuals(theta + step)


def measure_lm(shape: Shape, *, seconds: float) -> LmCell:
    """Return the times of an iteration of kan_ref and of the dense form, measured in turns."""
    network, x, y = problem(shape)
    n_bytes = 8 * y.size * network.n_params
    if n_bytes > LARGEST:
        return LmCell(
            shape,
            y.size,
            network.n_params,
            None,
            None,
            f"left out: a dense Jacobian has {n_bytes / 2**30:.1f} GiB",
        )
    objective, theta = mean_square_objective(network, x, y), network.theta.copy()
    ours, dense = take_turns(
        [lambda: iterate(objective, theta), lambda: iterate_dense(objective, theta)],
        seconds=seconds,
    )
    return LmCell(shape, y.size, network.n_params, ours, dense)
