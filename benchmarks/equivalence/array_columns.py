"""The columns of kan_ref, by its own functions and the calls that give other libraries' numbers, and of jaxKAN, `KAN` with layers "base" and
"spline", by public attributes and methods.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import subject
from benchmarks.equivalence.library import Library, Pair, load, places_of, watch
from kan_ref.checks import FloatArray
from kan_ref.network.layer import evaluate
from kan_ref.sparsity.penalties import PENALTY_NAMES, layer_penalty, natural_entropy


def one_layer(layer: kr.Layer) -> kr.Network:
    """Return a network of this layer alone."""
    return kr.Network((layer,))


def penalty(kind: str, layer: kr.Layer, x: FloatArray) -> Pair:
    """Return L1 and entropy of a layer by one of the package's rules."""
    part = layer_penalty(kind, layer, evaluate(layer, x, slopes=False), x, 1.0, 1.0)
    return part.l1, part.entropy


def coefficient_shares(layer: kr.Layer) -> Pair:
    """Return L1 and entropy of mean |coef|, masked edges included: `natural_entropy` of numbers
    that are not samples.
    """
    sizes = np.abs(layer.coef).mean(axis=2)
    return float(sizes.sum()), natural_entropy(sizes)[0]


class KanRef(Library):
    """The package itself."""

    name = "kan_ref"

    def versions(self) -> dict[str, str]:
        """Return the version of the checkout."""
        return {"kan_ref": kr.__version__}

    def network(self, network: kr.Network) -> kr.Network:
        """Return the network itself."""
        return network

    def values(self, model: kr.Network, x: FloatArray) -> FloatArray:
        """Return `net(x)`."""
        return model(x)

    def arrays(self, model: kr.Network) -> dict[str, Any]:
        """Return the fields of `kr.Layer`."""
        layer = model.layers[0]
        return {
            name: getattr(layer, name) for name in ("knots", "coef", "w_base", "w_spline", "mask")
        }

    def breakpoints(self, model: kr.Network) -> FloatArray:
        """Return `layer.breakpoints`."""
        return model.layers[0].breakpoints

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return `net.n_params`."""
        net = kr.init_network(
            widths,
            n_intervals=n_intervals,
            degree=degree,
            domain=(-1.0, 1.0),
            rng=np.random.default_rng(0),
        )
        return {"trainable": net.n_params, "all": net.n_params}

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return `kr.uniform_knots`, which is float64 for any input."""
        low, high = np.array(
            [subject.LOW, subject.HIGH], dtype=np.float64 if double else np.float32
        )
        return np.asarray(kr.uniform_knots(low, high, subject.N_INTERVALS, subject.DEGREE)[0])

    def masked_slope(self, model: kr.Network, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by `kr.backward`."""
        y, caches = kr.forward(model, x)
        (grads,) = kr.backward(model, caches, 2.0 * y)[1].layers
        return max(
            float(np.abs(part[edge]).max()) for part in (grads.coef, grads.w_base, grads.w_spline)
        )

    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays of `kr.init_network`."""
        rng = np.random.default_rng(seed)
        layer = kr.init_network(
            (n_in, n_out), n_intervals=n_intervals, degree=3, domain=(-1.0, 1.0), rng=rng
        ).layers[0]
        return {"w_base": layer.w_base, "w_spline": layer.w_spline, "coef": layer.coef}

    def side_effects(self) -> dict[str, Any]:
        """Watch a network from a generator that is passed in."""

        def build(widths: list[int]) -> None:
            kr.init_network(
                widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
            )

        one, other = kr.init_network(
            (4, 4, 4), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
        ).layers
        return watch(build) | {"twins": bool(np.array_equal(one.coef, other.coef))}

    def update(self, model: kr.Network, x: FloatArray) -> kr.Network:
        """Apply `kr.update_grid` with its default margin and even spacing."""
        return kr.update_grid(model, x)

    def extend(self, model: kr.Network, x: FloatArray, n_intervals: int) -> kr.Network:
        """Apply `kr.extend_grid`."""
        return kr.extend_grid(model, x, n_intervals=n_intervals)

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the solution of `numpy.linalg.lstsq`, by singular values."""
        return {"numpy.linalg.lstsq": np.asarray(np.linalg.lstsq(a, b)[0], dtype=np.float64)}

    def penalties(self, model: kr.Network, x: FloatArray) -> dict[str, Pair]:
        """Return the kinds of `kr.Penalty`, and the entropy of mean |coef|."""
        (layer,) = model.layers
        return {kind: penalty(kind, layer, x) for kind in PENALTY_NAMES} | {
            "mean |coef|": coefficient_shares(layer)
        }

    def edge_scores(self, model: kr.Network, x: FloatArray) -> dict[str, FloatArray]:
        """Return the kinds of `kr.edge_scores`."""
        return {
            kind: kr.edge_scores(model, x, kind=kind)[0] for kind in ("mean", "std", "attribution")
        }

    def prune(self, model: kr.Network, x: FloatArray) -> dict[str, tuple[list[int], kr.Network]]:
        """Apply `kr.prune` with its default rule and with the paper's."""
        pruned = {"attribution": kr.prune(model, x), "mean": kr.prune(model, x, kind="mean")}
        return {
            name: (places_of(model.layers[0].coef, smaller.layers[0].coef), smaller)
            for name, smaller in pruned.items()
        }

    def r2(self, x: FloatArray, y: FloatArray) -> float:
        """Return R2 of `kr.fit_affine`."""
        return kr.fit_affine(x, y, "sin").r2


# --- jaxKAN

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
