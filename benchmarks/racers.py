"""Whole trainings on one toy function, ours and those of other libraries, each as its own documentation trains a network.

A racer takes the samples, a seed and a `watch`. It builds its network, trains it until its recipe ends, and calls
`watch(predict)` after every step or few steps, where `predict` maps points (n, 2) to values (n, 1). Training stops
when `watch` raises an error. Everything is in float64 on one thread; what a library keeps in float32 is said in the note.
inkan and flashkan are not compiled: compiling takes longer than most of these trainings.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray

WIDTHS, WIDER, MLP = (2, 1, 1), (2, 5, 1), (2, 20, 20, 1)
GRIDS, PAPERS_GRIDS = (5, 10, 20, 50), (3, 5, 10, 20, 50)
LEARNING_RATE = 1e-2  # of Adam, for all: with 1e-3 none comes below 1e-2 in the time
ENDLESS = 10**6  # steps: the clock ends these runs

Predict = Callable[[FloatArray], FloatArray]
Watch = Callable[[Predict], None]


@dataclass(frozen=True)
class Racer:
    """A way to train: its name, what it does in a few words, and the modules that it needs."""

    name: str
    race: Callable[[kr.Data, int, Watch], None]
    note: str
    needs: tuple[str, ...] = ()

    def missing(self) -> str:
        """Return the missing packages as a message; "" if nothing is missing."""
        absent = [name for name in self.needs if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""

    def load(self) -> None:
        """Import everything before the clock starts; PyTorch imports parts of itself at its first optimizer's first step."""
        for name in self.needs:
            importlib.import_module(name)
        if "torch" in self.needs:
            torch = importlib.import_module("torch")
            for method in (torch.optim.Adam, torch.optim.LBFGS):
                layer = torch.nn.Linear(1, 1)
                method(layer.parameters()).step(partial(_tiny_loss, layer, torch))


def _tiny_loss(layer: Any, torch: Any) -> Any:
    layer.zero_grad()
    loss = layer(torch.ones(1, 1)).sum() ** 2
    loss.backward()
    return loss


# --- ours


def _fit(
    widths: tuple[int, ...],
    grids: tuple[int, ...],
    n_steps: int,
    options: dict[str, Any],
    data: kr.Data,
    seed: int,
    watch: Watch,
) -> None:
    network = kr.init_network(
        widths,
        n_intervals=grids[0],
        degree=3,
        domain=(-1.0, 1.0),
        x=data.x_train,
        y=data.y_train,
        rng=np.random.default_rng(seed),
    )
    kr.fit(
        network,
        kr.Data(data.x_train, data.y_train, data.x_test[:0], data.y_test[:0]),
        grids=grids,
        n_steps=n_steps,
        callback=lambda step: watch(step.network),
        **options,
    )


# --- on PyTorch


def _torch(seed: int) -> Any:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(seed)
    return torch


def _train_module(
    build: Callable[[Any], Any], optimizer: str, data: kr.Data, seed: int, watch: Watch
) -> None:
    torch = _torch(seed)
    model = build(torch)
    x, y = torch.tensor(data.x_train), torch.tensor(data.y_train)

    def predict(points: FloatArray) -> FloatArray:
        with torch.no_grad():
            values: FloatArray = model(torch.tensor(points)).numpy()
        return values

    if optimizer == "adam":
        method = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    else:
        method = torch.optim.LBFGS(
            model.parameters(), max_iter=10, history_size=10, line_search_fn="strong_wolfe"
        )

    def loss() -> Any:
        method.zero_grad()
        value = torch.mean((model(x) - y) ** 2)
        value.backward()
        return value

    while True:
        method.step(loss)
        watch(predict)


def _mlp(torch: Any) -> Any:
    parts: list[Any] = []
    for n_in, n_out in pairwise(MLP[:-1]):
        parts += [torch.nn.Linear(n_in, n_out), torch.nn.SiLU()]
    return torch.nn.Sequential(*parts, torch.nn.Linear(MLP[-2], MLP[-1]))


def _inkan(torch: Any) -> Any:
    return importlib.import_module("inkan").KANNetwork(
        list(WIDER), grid_size=GRIDS[0], compile_basis=False
    )


def _flashkan(torch: Any) -> Any:
    torch.compiler.set_stance("force_eager")
    return importlib.import_module("flashkan").KANNetwork(list(WIDER), grid_size=GRIDS[0])


def _pykan(data: kr.Data, seed: int, watch: Watch) -> None:
    torch = _torch(seed)
    kan = importlib.import_module("kan")
    samples = {
        "train_input": torch.tensor(data.x_train),
        "train_label": torch.tensor(data.y_train),
        "test_input": torch.tensor(data.x_test),
        "test_label": torch.tensor(data.y_test),
    }
    model = kan.KAN(width=list(WIDTHS), grid=PAPERS_GRIDS[0], k=3, seed=seed, auto_save=False)

    def error() -> Any:
        watch(predict)
        return torch.tensor(0.0)

    def predict(points: FloatArray) -> FloatArray:
        with torch.no_grad():
            values: FloatArray = model(torch.tensor(points)).numpy()
        return values

    for n_intervals in PAPERS_GRIDS:
        if n_intervals != PAPERS_GRIDS[0]:
            model = model.refine(n_intervals)
            model.auto_save = False
        model.fit(
            samples,
            opt="LBFGS",
            steps=200 if n_intervals == PAPERS_GRIDS[-1] else 20,
            metrics=(error,),
        )


# --- on JAX


def _jaxkan(data: kr.Data, seed: int, watch: Watch) -> None:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    nnx = importlib.import_module("flax.nnx")
    optax = importlib.import_module("optax")
    library = importlib.import_module("jaxkan.models.KAN")
    settings = {"k": 3, "G": GRIDS[0]}
    model = library.KAN(list(WIDER), layer_type="spline", required_parameters=settings, seed=seed)
    x, y = jax.numpy.asarray(data.x_train), jax.numpy.asarray(data.y_train)
    optimizer = nnx.Optimizer(model, optax.adam(LEARNING_RATE), wrt=nnx.Param)

    def update(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        slopes = nnx.grad(lambda net: jax.numpy.mean((net(x) - y) ** 2))(model)
        optimizer.update(model, slopes)

    step = nnx.jit(update)
    values = nnx.jit(lambda model, points: model(points))

    def predict(points: FloatArray) -> FloatArray:
        return np.asarray(values(model, jax.numpy.asarray(points)))

    while True:
        step(model, optimizer, x, y)
        watch(predict)


_EVEN = "one grid on [-1, 1] for all layers, G = 5"
_ADAM = f"learning rate {LEARNING_RATE:g}"
_NESTED = f"grids {', '.join(map(str, GRIDS))}"
RACERS = (
    Racer(
        "kan_ref, LM, [2,1,1]",
        partial(_fit, WIDTHS, GRIDS, 25, {"optimizer": "lm"}),
        f"{_NESTED}, 25 steps on each",
    ),
    Racer(
        "kan_ref, LM, [2,5,1]",
        partial(_fit, WIDER, GRIDS[:3], 50, {"optimizer": "lm", "smoothness_weight": 1e-8}),
        "grids 5, 10, 20, 50 steps on each, smoothness 1e-8",
    ),
    Racer(
        "kan_ref, L-BFGS, [2,1,1]",
        partial(_fit, WIDTHS, GRIDS, 200, {"optimizer": "lbfgs"}),
        f"{_NESTED}, 200 steps on each, scaled variables",
    ),
    Racer(
        "kan_ref, plain L-BFGS, [2,1,1]",
        partial(_fit, WIDTHS, GRIDS, 200, {"optimizer": kr.LBFGS(scaled=False)}),
        f"{_NESTED}, 200 steps on each, the paper's variables",
    ),
    Racer(
        "kan_ref, Adam, [2,5,1]",
        partial(_fit, WIDER, GRIDS[:1], ENDLESS, {"optimizer": kr.Adam(LEARNING_RATE)}),
        f"G = 5, {_ADAM}",
    ),
    Racer(
        "pykan, L-BFGS, [2,1,1]",
        _pykan,
        "grids 3, 5, 10, 20, 50, 20 steps on each, 200 on the last",
        ("torch", "kan"),
    ),
    Racer(
        "jaxkan, Adam, [2,5,1]",
        _jaxkan,
        f"{_EVEN}, {_ADAM}, jit",
        ("jax", "flax", "optax", "jaxkan"),
    ),
    Racer(
        "inkan, Adam, [2,5,1]",
        partial(_train_module, _inkan, "adam"),
        f"{_EVEN}, {_ADAM}, not compiled",
        ("torch", "inkan"),
    ),
    Racer(
        "inkan, L-BFGS, [2,5,1]",
        partial(_train_module, _inkan, "lbfgs"),
        f"{_EVEN}, PyTorch's L-BFGS with strong Wolfe conditions, not compiled",
        ("torch", "inkan"),
    ),
    Racer(
        "flashkan, Adam, [2,5,1]",
        partial(_train_module, _flashkan, "adam"),
        f"{_EVEN}, its knots in float32, {_ADAM}, not compiled",
        ("torch", "flashkan"),
    ),
    Racer(
        "torch MLP, Adam",
        partial(_train_module, _mlp, "adam"),
        f"[2,20,20,1], silu, {_ADAM}",
        ("torch",),
    ),
    Racer(
        "torch MLP, L-BFGS",
        partial(_train_module, _mlp, "lbfgs"),
        "[2,20,20,1], silu, PyTorch's L-BFGS with strong Wolfe conditions",
        ("torch",),
    ),
)
