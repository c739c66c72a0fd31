"""jaxKAN's columns: `KAN` with layers "base" and "spline", by public attributes and methods."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import subject
from benchmarks.equivalence.library import Library, load, watch
from kan_ref.checks import FloatArray

NAMES = ("c_basis", "c_res", "c_spl", "bias")


class JaxKan(Library):
    """jaxKAN with layers of one kind."""

    modules = ("jax", "flax", "jaxkan")
    packages = ("jaxkan", "jax", "flax")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.name = f"jaxKAN {kind}"

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Set float64 as the default of JAX."""
        with _precision(double=True):
            yield

    def _new(self, widths: Sequence[int], n_intervals: int, degree: int, seed: int = 42) -> Any:
        settings = {"k": degree, "G": n_intervals}
        return load("jaxkan.models.KAN").KAN(
            list(widths), layer_type=self.kind, required_parameters=settings, seed=seed
        )

    def network(self, network: kr.Network) -> Any:
        """Return a model, by `set_value` of all parameters and of `grid.item`: as built they are
        float32.
        """
        first = network.layers[0]
        model, array = (
            self._new(network.widths, first.n_intervals, first.degree),
            load("jax.numpy").asarray,
        )
        state = kr.to_jaxkan(network, layer_type=self.kind)
        for number, layer in enumerate(model.layers):
            for name in NAMES:
                getattr(layer, name).set_value(array(state[f"layers.{number}.{name}"]))
            layer.grid.item = array(state[f"layers.{number}.grid"])
        return model

    def values(self, model: Any, x: FloatArray) -> FloatArray:
        """Return `model(x)`."""
        return np.asarray(model(load("jax.numpy").asarray(x)), dtype=np.float64)

    def arrays(self, model: Any) -> dict[str, Any]:
        """Return the arrays of `layers[0]`."""
        layer = model.layers[0]
        return {"grid.item": layer.grid.item} | {name: getattr(layer, name)[...] for name in NAMES}

    def breakpoints(self, model: Any) -> FloatArray:
        """Return the inner part of `layers[0].grid.item`; with a knot vector for each edge, those
        of output 0.
        """
        layer = model.layers[0]
        rows = np.asarray(layer.grid.item, dtype=np.float64)[: layer.n_in]
        return rows[:, layer.k : rows.shape[1] - layer.k]

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return the counts of `nnx.state(model, nnx.Param)`; knots are not parameters."""
        nnx, model = load("flax.nnx"), self._new(widths, n_intervals, degree)
        total = sum(
            int(np.size(leaf)) for leaf in load("jax").tree.leaves(nnx.state(model, nnx.Param))
        )
        return {"trainable": total, "all": total}

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return the knots that `KAN` builds, with jax_enable_x64 or without."""
        with _precision(double=double):
            model = self._new((1, 1), subject.N_INTERVALS, subject.DEGREE)
            return np.asarray(model.layers[0].grid.item[0], dtype=np.float64)

    def masked_slope(self, model: Any, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by automatic differentiation."""
        nnx, jnp = load("flax.nnx"), load("jax.numpy")
        gradients = nnx.grad(lambda one: jnp.sum(one(jnp.asarray(x)) ** 2))(model)
        parts = [
            np.asarray(gradients["layers"][0][name][...]) for name in ("c_basis", "c_res", "c_spl")
        ]
        n_out, n_in = parts[1].shape
        parts[0] = parts[0].reshape(n_out, n_in, -1)
        return max(float(np.abs(part[edge]).max()) for part in parts)

    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays of `KAN(seed=...)`."""
        layer = self._new((n_in, n_out), n_intervals, 3, seed).layers[0]
        found = {"w_base": layer.c_res, "w_spline": layer.c_spl, "coef": layer.c_basis}
        arrays = {name: np.asarray(part[...], dtype=np.float64) for name, part in found.items()}
        return arrays | {"coef": arrays["coef"].reshape(n_out, n_in, -1)}

    def side_effects(self) -> dict[str, Any]:
        """Watch `KAN([2, 5, 1])`."""

        def build(widths: list[int]) -> None:
            load("jaxkan.models.KAN").KAN(
                widths, layer_type=self.kind, required_parameters={"k": 3, "G": 3}
            )

        one, other = self._new((4, 4, 4), 3, 3).layers
        return watch(build) | {"twins": bool(np.array_equal(one.c_basis[...], other.c_basis[...]))}

    def update(self, model: Any, x: FloatArray) -> Any:
        """Apply `update_grids` with the present number of intervals, in place."""
        return self.extend(model, x, model.layers[0].grid.G)

    def extend(self, model: Any, x: FloatArray, n_intervals: int) -> Any:
        """Apply `update_grids`, in place; it moves the grid too."""
        model.update_grids(load("jax.numpy").asarray(x), n_intervals)
        return model


@contextlib.contextmanager
def _precision(*, double: bool) -> Iterator[None]:
    config = load("jax").config
    before = config.jax_enable_x64
    config.update("jax_enable_x64", double)
    try:
        yield
    finally:
        config.update("jax_enable_x64", before)
