"""Other implementations' training steps, through their public interfaces, with the parameters of our network.

They are imported when they are used. Each runs in float64 with one thread. If an implementation computes the paper's formulas, its
loss and gradient equal those of kan_ref to rounding, and `trial` checks that; `note` says what differs.
"""

import contextlib
import importlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.subjects import Step, Subject
from kan_ref.checks import FloatArray
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network


def _joined(layers: Sequence[Sequence[Any]]) -> FloatArray:
    return np.concatenate(
        [np.asarray(piece, dtype=np.float64).reshape(-1) for pieces in layers for piece in pieces]
    )


# --- on PyTorch


def _torch() -> Any:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    return torch


def _torch_step(
    model: Any, x: FloatArray, y: FloatArray, gradients: Callable[[], Sequence[Sequence[Any]]]
) -> Step:
    torch = _torch()
    points, targets = torch.tensor(x), torch.tensor(y)

    def run() -> Any:
        model.zero_grad(set_to_none=True)
        loss = torch.mean((model(points) - targets) ** 2)
        loss.backward()
        return loss

    return Step(run, lambda loss: (float(loss), _joined(gradients())))


def _fill(parameter: Any, values: FloatArray) -> None:
    torch = _torch()
    with torch.no_grad():
        parameter.copy_(torch.tensor(np.ascontiguousarray(values)))


def _pykan(mode: str, network: Network, x: FloatArray, y: FloatArray) -> Step:
    _torch()
    first = network.layers[0]
    with contextlib.redirect_stdout(io.StringIO()):
        kan = importlib.import_module("kan")
        model = kan.KAN(
            width=list(network.widths), grid=first.n_intervals, k=first.degree, auto_save=False
        )
        if mode == "symbolic off":
            model.symbolic_enabled = False
        if mode == "speed()":
            model.speed()
    for theirs, ours in zip(model.act_fun, network.layers, strict=True):  # indexed [in, out]
        _fill(theirs.grid, ours.knots)
        _fill(theirs.coef, ours.coef.swapaxes(0, 1))
        _fill(theirs.scale_base, ours.w_base.T)
        _fill(theirs.scale_sp, ours.w_spline.T)

    def gradients() -> list[list[Any]]:
        return [
            [part.coef.grad.swapaxes(0, 1), part.scale_base.grad.T, part.scale_sp.grad.T]
            for part in model.act_fun
        ]

    return _torch_step(model, x, y, gradients)


def _flashkan(network: Network, x: FloatArray, y: FloatArray) -> Step:
    torch = _torch()
    flashkan = importlib.import_module("flashkan")
    torch.compiler.reset()
    model = flashkan.KANNetwork(list(network.widths), grid_size=network.layers[0].n_intervals)
    for theirs, ours in zip(model.layers, network.layers, strict=True):
        _fill(theirs.spline_weight, ours.coef)
        _fill(theirs.base_weight, ours.w_base)

    def gradients() -> list[list[Any]]:
        return [
            [part.spline_weight.grad, part.base_weight.grad, np.full(ours.w_spline.shape, np.nan)]
            for part, ours in zip(model.layers, network.layers, strict=True)
        ]

    step = _torch_step(model, x, y, gradients)
    step.run()  # compiles
    return step


def _one_grid(network: Network) -> Network:
    """Return the network with one even grid on [-1, 1] for all inputs of all layers, and with
    w_spline multiplied into the coefficients.
    """

    def moved(layer: Layer) -> Layer:
        row = kr.uniform_knots(-1.0, 1.0, layer.n_intervals, layer.degree)
        return replace(
            layer,
            knots=np.tile(row, (layer.n_in, 1)),
            coef=layer.coef * layer.w_spline[:, :, None],
            w_spline=np.ones_like(layer.w_spline),
        )

    return Network(tuple(moved(layer) for layer in network.layers))


def _inkan(compiled: bool, network: Network, x: FloatArray, y: FloatArray) -> Step:
    torch = _torch()
    inkan = importlib.import_module("inkan")
    if compiled:
        torch.compiler.reset()  # each network is compiled separately: after eight others it would silently run uncompiled
    model = inkan.KANNetwork(
        list(network.widths), grid_size=network.layers[0].n_intervals, compile_basis=compiled
    )
    for theirs, ours in zip(model.layers, network.layers, strict=True):
        _fill(
            theirs.weight, np.concatenate([ours.coef.reshape(ours.n_out, -1), ours.w_base], axis=1)
        )

    def gradients() -> list[list[Any]]:
        pieces = []
        for theirs, ours in zip(model.layers, network.layers, strict=True):
            n_splines = ours.n_in * ours.n_basis
            slopes = theirs.weight.grad
            pieces.append(
                [slopes[:, :n_splines], slopes[:, n_splines:], np.full(ours.w_spline.shape, np.nan)]
            )
        return pieces

    step = _torch_step(model, x, y, gradients)
    if compiled:
        step.run()  # compiles
    return step


# --- on JAX


def _jaxkan(kind: str, network: Network, x: FloatArray, y: FloatArray) -> Step:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    nnx = importlib.import_module("flax.nnx")
    library = importlib.import_module("jaxkan.models.KAN")
    first = network.layers[0]
    settings = {"k": first.degree, "G": first.n_intervals}
    model = library.KAN(list(network.widths), layer_type=kind, required_parameters=settings, seed=0)
    array = jax.numpy.asarray
    for theirs, ours in zip(model.layers, network.layers, strict=True):
        # "base" keeps a knot vector and coefficients for each edge, in the order of [out, in]
        theirs.grid.item = array(
            np.tile(ours.knots, (ours.n_out, 1)) if kind == "base" else ours.knots
        )
        theirs.c_basis.set_value(array(ours.coef.reshape(theirs.c_basis.shape)))
        theirs.c_res.set_value(array(ours.w_base))
        theirs.c_spl.set_value(array(ours.w_spline))
        theirs.bias.set_value(array(np.zeros(ours.n_out)))
    graph, parameters, rest = nnx.split(model, nnx.Param, ...)
    points, targets = array(x), array(y)

    def loss(parameters: Any, rest: Any, points: Any, targets: Any) -> Any:
        return jax.numpy.mean((nnx.merge(graph, parameters, rest)(points) - targets) ** 2)

    compiled = jax.jit(jax.value_and_grad(loss)).lower(parameters, rest, points, targets).compile()

    def read(outcome: Any) -> tuple[float, FloatArray]:
        value, slopes = outcome
        parts = [slopes["layers"][place] for place in range(len(network.layers))]
        return float(value), _joined(
            [[part[name][...] for name in ("c_basis", "c_res", "c_spl")] for part in parts]
        )

    return Step(lambda: jax.block_until_ready(compiled(parameters, rest, points, targets)), read)


# --- all of them

_SAME = "the paper's layer, as ours"
_BIAS = "a bias for each output besides"
_ONE_GRID = (
    "no w_spline; one grid on [-1, 1] for all inputs and layers, set against ours on that grid"
)
_FLOAT32_KNOTS = f"{_ONE_GRID}; its knots in float32"
_PYKAN = {"home": __name__, "package": "pykan", "needs": ("torch", "kan")}
_JAXKAN = {"home": __name__, "package": "jaxkan", "needs": ("jax", "flax", "jaxkan")}
_INKAN = {"home": __name__, "package": "inkan", "needs": ("torch", "inkan"), "nearest": _one_grid}

_FLASHKAN = {
    "home": __name__,
    "package": "flashkan",
    "needs": ("torch", "flashkan"),
    "nearest": _one_grid,
}


def _subject(
    name: str, make: Any, note: str, common: dict[str, Any], *, drawn: bool = False
) -> Subject:
    return Subject(name=name, make=make, note=note, drawn=drawn, **common)


SUBJECTS = (
    _subject(
        "pykan, default",
        partial(_pykan, "default"),
        f"{_SAME}; runs its symbolic branch too, with no symbolic edge",
        _PYKAN,
    ),
    _subject(
        "pykan, symbolic off",
        partial(_pykan, "symbolic off"),
        f"{_SAME}; its fit with lamb > 0",
        _PYKAN,
    ),
    _subject(
        "pykan, speed()",
        partial(_pykan, "speed()"),
        f"{_SAME}; its fit with lamb = 0",
        _PYKAN,
        drawn=True,
    ),
    _subject(
        "jaxkan, spline",
        partial(_jaxkan, "spline"),
        f"{_SAME}, {_BIAS}; grids set to float64 by hand; jit",
        _JAXKAN,
        drawn=True,
    ),
    _subject(
        "jaxkan, base",
        partial(_jaxkan, "base"),
        f"{_SAME}, {_BIAS}; a grid for each edge; jit",
        _JAXKAN,
    ),
    _subject("inkan, eager", partial(_inkan, False), _ONE_GRID, _INKAN, drawn=True),
    _subject("inkan, compiled", partial(_inkan, True), _ONE_GRID, _INKAN),
    _subject("flashkan, compiled", _flashkan, _FLOAT32_KNOTS, _FLASHKAN),
)
