"""The interface to a library, what building its network does besides (to global generators, files, the caller's list), and functions shared by the
libraries on PyTorch.

A method that is not overridden means that the library has no such thing; the page shows a dash. Arrays have kan_ref's axes, batch first and
edges [out, in]; `model` is the library's own object for a layer or network.
"""

import contextlib
import importlib
import importlib.util
import io
import random
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray

Pair = tuple[float, float]


class Library(ABC):
    """A library of KANs, imported when it is used."""

    name: str
    modules: tuple[str, ...] = ()  # what must be installed
    packages: tuple[str, ...] = ()  # whose versions are reported

    def missing(self) -> list[str]:
        """Return the modules that are not installed."""
        return [module for module in self.modules if importlib.util.find_spec(module) is None]

    def versions(self) -> dict[str, str]:
        """Return package -> version."""
        found = {}
        for package in self.packages:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "not installed as a package"
        return found

    def session(self) -> AbstractContextManager[object]:
        """Set up what the measurements need: the precision, a folder for files."""
        return nullcontext()

    # --- the layer

    @abstractmethod
    def network(self, network: kr.Network) -> Any:
        """Return a model with these layers, in float64."""

    @abstractmethod
    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Return outputs (batch, n_out)."""

    @abstractmethod
    def arrays(self, model: Any) -> dict[str, Any]:
        """Return the first layer's arrays by the library's names."""

    @abstractmethod
    def breakpoints(self, model: Any) -> FloatArray:
        """Return the first layer's grids, (n_in, n_intervals + 1)."""

    @abstractmethod
    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return, for a new model with default settings, the numbers that training changes, and all
        that the library counts as parameters.
        """

    @abstractmethod
    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return the knot vector (n_knots,) that the library builds for 5 intervals of degree 3 on
        [-1, 1], in float64 or by default.
        """

    @abstractmethod
    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the largest derivative of the sum of squared outputs with respect to a weight or
        coefficient of an edge (output, input).
        """

    @abstractmethod
    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays "w_base", "w_spline", "coef" of a new layer of degree 3 with default
        settings.
        """

    @abstractmethod
    def side_effects(self) -> dict[str, Any]:
        """Return the side effects of building the library's network [2, 5, 1] (`watch`); "twins":
        whether the layers of [4, 4, 4] are equal.
        """

    # --- what may be missing

    def update(self, model: Any, x: FloatArray) -> Any:
        """Return the model after the library's own grid update with default settings."""
        raise NotImplementedError

    def extend(self, model: Any, x: FloatArray, n_intervals: int) -> Any:
        """Return the model on a finer grid."""
        raise NotImplementedError

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the name of the library's solver, and of others -> its solution of a c = b, (n,)."""
        raise NotImplementedError

    def penalties(self, model: Any, x: FloatArray) -> dict[str, Pair]:
        """Return name -> (l1, entropy), for every rule of the library."""
        raise NotImplementedError

    def edge_scores(self, model: Any, x: FloatArray) -> dict[str, FloatArray]:
        """Return name -> (n_out, n_in), for every rule of the library."""
        raise NotImplementedError

    def prune(self, model: Any, x: FloatArray) -> dict[str, tuple[list[int], Any]]:
        """Return name -> hidden nodes that stay, and the smaller model, for every rule of the
        library with its own threshold.
        """
        raise NotImplementedError

    def r2(self, x: FloatArray, y: FloatArray) -> float:
        """Return R2 of the fit c sin(a x + b) + d."""
        raise NotImplementedError

    def base_scales(self) -> dict[str, float]:
        """Return setting of the scale of w_base -> standard deviation of w_base."""
        raise NotImplementedError


def load(module: str) -> Any:
    """Return a module of a peer."""
    return importlib.import_module(module)


def places_of(rows: FloatArray, wanted: FloatArray) -> list[int]:
    """Return the position in `rows` of each row of `wanted`, which are some of them bit for bit."""
    known = [row.tobytes() for row in rows]
    return [known.index(row.tobytes()) for row in wanted]


def _numpy_seed(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002  the global generator is what is watched


def _numpy_state() -> Hashable:
    name, keys, *rest = np.random.get_state()  # noqa: NPY002  the global generator is what is watched
    return name, np.asarray(keys).tobytes(), *map(str, rest)


def _torch_state() -> Hashable:
    return bytes(sys.modules["torch"].get_rng_state().numpy().tobytes())


def watch(build: Callable[[list[int]], object]) -> dict[str, Any]:
    """Call `build` with the widths [2, 5, 1] twice, each time with other seeds of the global
    generators and in an empty folder.

    Returns
    -------
    found : dict
        "generators": name -> "untouched", "drawn from" or "reset", the last if both calls leave the same state. "files": what lies in
        the folder afterwards. "widths": the list afterwards.
    """
    generators: dict[str, tuple[Callable[[int], object], Callable[[], Hashable]]] = {
        "random": (random.seed, random.getstate),
        "numpy.random": (_numpy_seed, _numpy_state),
    }
    if "torch" in sys.modules:
        generators["torch"] = (sys.modules["torch"].manual_seed, _torch_state)
    before, after = [], []
    for seed in (11, 12):
        for start, _ in generators.values():
            start(seed)
        before.append({name: state() for name, (_, state) in generators.items()})
        widths = [2, 5, 1]
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            build(widths)
            files = sorted(
                path.relative_to(folder).as_posix()
                for path in Path(folder).rglob("*")
                if path.is_file()
            )
        after.append({name: state() for name, (_, state) in generators.items()})
    found = {}
    for name in generators:
        if all(late[name] == early[name] for early, late in zip(before, after, strict=True)):
            found[name] = "untouched"
        else:
            found[name] = "reset" if after[0][name] == after[1][name] else "drawn from"
    return {"generators": found, "files": files, "widths": widths}


# --- libraries on PyTorch


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
