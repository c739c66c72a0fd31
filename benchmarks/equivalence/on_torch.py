"""Functions shared by the libraries on PyTorch."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.equivalence.library import load
from kan_ref.checks import FloatArray


@contextlib.contextmanager
def precision(name: str = "float64") -> Iterator[None]:
    """Set the type of new tensors while the context lasts."""
    torch = load("torch")
    torch.set_num_threads(1)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def tensor(array: FloatArray) -> Any:
    """Return a float64 tensor with its own memory."""
    return load("torch").tensor(np.ascontiguousarray(array))


def numbers(of: Any) -> FloatArray:
    """Return a tensor as a float64 array with its own memory."""
    return np.array(of.detach().numpy(), dtype=np.float64)


def fill(model: Any, state: Mapping[str, FloatArray]) -> None:
    """Set a module's state from arrays, by `load_state_dict`."""
    model.load_state_dict({name: tensor(array) for name, array in state.items()})


def outputs(model: Any, x: FloatArray) -> FloatArray:
    """Return `model(x)` without a graph."""
    with load("torch").no_grad():
        return numbers(model(tensor(x)))


def count(model: Any) -> dict[str, int]:
    """Return the numbers of parameters of a module: those that training changes, and all."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return {
        "trainable": sum(size for size, moves in sizes if moves),
        "all": sum(size for size, _ in sizes),
    }


def slopes(model: Any, x: FloatArray, parameters: Sequence[Any]) -> list[FloatArray]:
    """Return derivatives of the sum of squared outputs with respect to some parameters."""
    model.zero_grad(set_to_none=True)
    (model(tensor(x)) ** 2).sum().backward()
    return [numbers(parameter.grad) for parameter in parameters]


def least_squares(a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
    """Solve by `torch.linalg.lstsq` as pykan and efficient-kan call it, without a driver, and with
    one by singular values.
    """
    solve, arguments = load("torch").linalg.lstsq, (tensor(a), tensor(b[:, None]))
    found = {
        "torch.linalg.lstsq": solve(*arguments),
        "torch.linalg.lstsq, driver gelsd": solve(*arguments, driver="gelsd"),
    }
    return {name: numbers(one.solution)[:, 0] for name, one in found.items()}
