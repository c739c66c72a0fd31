"""What a library can be asked. A method that is not overridden is not offered by the library itself, and the page shows a dash.

Arrays cross this border as kan_ref has them, batch first and edges [out, in]; `model` is whatever the library calls a layer or network.
"""

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import kan_ref as kr
from kan_ref.checks import FloatArray

Pair = tuple[float, float]


class Library(ABC):
    """A library of KANs, imported when it is used."""

    name: str
    modules: tuple[str, ...] = ()  # what must be installed
    packages: tuple[str, ...] = ()  # whose versions are told

    def missing(self) -> list[str]:
        """Modules that are not installed."""
        return [module for module in self.modules if importlib.util.find_spec(module) is None]

    def versions(self) -> dict[str, str]:
        """Package -> version."""
        found = {}
        for package in self.packages:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "not installed as a package"
        return found

    def session(self) -> AbstractContextManager[object]:
        """What must hold while the library is asked: its precision, a folder that it may fill."""
        return nullcontext()

    # --- the layer

    @abstractmethod
    def network(self, network: kr.Network) -> Any:
        """A model with these layers, in float64."""

    @abstractmethod
    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Outputs (batch, n_out)."""

    @abstractmethod
    def arrays(self, model: Any) -> dict[str, Any]:
        """The first layer's arrays by the library's names."""

    @abstractmethod
    def breakpoints(self, model: Any) -> FloatArray:
        """The first layer's grids, (n_in, n_intervals + 1)."""

    @abstractmethod
    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Numbers that training moves, and all that the library counts as parameters, of a new model with its default settings."""

    @abstractmethod
    def fresh_knots(self, *, double: bool) -> FloatArray:
        """The row (n_knots,) that the library builds for 5 intervals of degree 3 on [-1, 1], in float64 or as it comes."""

    @abstractmethod
    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """The largest derivative of the sum of squared outputs by a weight or coefficient of an edge (output, input)."""

    @abstractmethod
    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Arrays "w_base", "w_spline", "coef" of a new layer of degree 3 with default settings."""

    @abstractmethod
    def side_effects(self) -> dict[str, Any]:
        """What building the library's network [2, 5, 1] does beside it (`watch`); "twins": whether the layers of [4, 4, 4] start alike."""

    # --- what may be missing

    def update(self, model: Any, x: FloatArray) -> Any:
        """The model after the library's own grid update with default settings."""
        raise NotImplementedError

    def extend(self, model: Any, x: FloatArray, n_intervals: int) -> Any:
        """The model on a finer grid."""
        raise NotImplementedError

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Name of a solver that the library uses, and of others -> its solution of a c = b, (n,)."""
        raise NotImplementedError

    def penalties(self, model: Any, x: FloatArray) -> dict[str, Pair]:
        """Name -> (l1, entropy), for every rule that the library offers."""
        raise NotImplementedError

    def edge_scores(self, model: Any, x: FloatArray) -> dict[str, FloatArray]:
        """Name -> (n_out, n_in), for every rule that the library offers."""
        raise NotImplementedError

    def prune(self, model: Any, x: FloatArray) -> dict[str, tuple[list[int], Any]]:
        """Name -> hidden nodes that stay, and the smaller model, for every rule that the library offers, with its own threshold."""
        raise NotImplementedError

    def r2(self, x: FloatArray, y: FloatArray) -> float:
        """R2 of the fit c sin(a x + b) + d."""
        raise NotImplementedError

    def base_scales(self) -> dict[str, float]:
        """Setting of the scale of w_base -> standard deviation of w_base that comes out."""
        raise NotImplementedError


def load(module: str) -> Any:
    """A module of a peer."""
    return importlib.import_module(module)


def places_of(rows: FloatArray, wanted: FloatArray) -> list[int]:
    """Places in `rows` of each row of `wanted`, which are some of them bit for bit: who stayed."""
    known = [row.tobytes() for row in rows]
    return [known.index(row.tobytes()) for row in wanted]
