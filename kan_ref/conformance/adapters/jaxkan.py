"""jaxkan: its layers "base" (coefficients and knots for each edge) and "spline" are two adapters.

    "base":   c_basis (n_out n_in, n_basis), grid (n_out n_in, n_knots)
    "spline": c_basis (n_out, n_in, n_basis), grid (n_in, n_knots)
    both:     c_res, c_spl (n_out, n_in), bias (n_out,)

64-bit numbers are switched on in their process. The grid and weights of a fresh layer are float32
even then (`uniform_knots` shows it). Given arrays keep their precision, as do those that its own
`update_grid` computes. Its grid can be made finer only together with a move to the samples, with a
margin of 0.01.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import (
    JAXKAN_BASE,
    JAXKAN_SPLINE,
    PlainLayer,
    layer_from,
    layer_to,
    require_supported,
)

MARGIN = 0.01  # that of its update_grid
PLACES = {"coef": "c_basis", "w_base": "c_res", "w_spline": "c_spl"}


class JaxkanBase:
    """`jaxkan.layers.Spline.BaseLayer`, without its bias."""

    axes, kind = JAXKAN_BASE, "BaseLayer"

    def __init__(self) -> None:
        self.name, self.version = f"jaxkan, {self.kind}", version("jaxkan")
        self.use_dtype("float64")

    def use_dtype(self, dtype: str) -> None:
        """Set the precision by JAX's switch."""
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")
        jax.config.update("jax_disable_most_optimizations", True)  # each case is compiled again

    def fresh(self, n_in: int, n_out: int, n_intervals: int, degree: int, **settings: Any) -> Any:
        """Return a layer with the library's own defaults."""
        from jaxkan.layers import Spline

        return getattr(Spline, self.kind)(
            n_in=n_in, n_out=n_out, k=degree, G=n_intervals, add_bias=False, **settings
        )

    def make(self, layer: PlainLayer) -> Any:
        """Return a layer with the given arrays."""
        import jax
        from flax import nnx

        require_supported(bool((np.asarray(layer["mask"]) == 1.0).all()))
        n_out, n_in, n_basis = np.shape(layer["coef"])
        require_supported(n_basis > layer["degree"])
        base = {"silu": nnx.silu, "identity": nnx.identity, "zero": jax.numpy.zeros_like}[
            layer["base"]
        ]
        arrays = {name: self.array(values) for name, values in layer_to(self.axes, layer).items()}
        given = {"type": "custom", "c_basis": arrays["coef"], "c_res": arrays["w_base"]}
        module = self.fresh(
            n_in,
            n_out,
            n_basis - layer["degree"],
            layer["degree"],
            residual=base,
            init_scheme=given,
        )
        module.grid.item = arrays["knots"]
        module.c_spl.set_value(arrays["w_spline"])
        return module

    def array(self, values: Any) -> Any:
        """Return a JAX array in the precision that is switched on."""
        import jax

        return jax.numpy.asarray(values, dtype=float)

    def read(self, module: Any, degree: int, base: str) -> dict[str, Any]:
        """Return our layer from the library's."""
        n_out, n_in = module.n_out, module.n_in
        ones = layer_to(
            self.axes,
            {"coef": np.ones((n_out, n_in, 1)), "knots": np.ones((n_in, 2))} | _ones(n_out, n_in),
        )
        arrays = {ours: np.asarray(getattr(module, theirs)[...]) for ours, theirs in PLACES.items()}
        arrays |= {"knots": np.asarray(module.grid.item), "mask": ones["mask"]}
        return layer_from(self.axes, arrays, n_out=n_out, n_in=n_in, degree=degree, base=base)

    def pure(self, layers: Sequence[PlainLayer]) -> tuple[Callable[[Any, Any], Any], list[Any]]:
        """Return the network as a function of (parameters, samples), and its parameters."""
        from flax import nnx

        parts = [nnx.split(self.make(layer), nnx.Param, ...) for layer in layers]

        def chain(parameters: Any, x: Any) -> Any:
            for (graph, _, rest), mine in zip(parts, parameters, strict=True):
                x = nnx.merge(graph, mine, rest)(x)
            return x

        return chain, [part[1] for part in parts]

    # --- the contract

    def uniform_knots(self, low: float, high: float, n_intervals: int, degree: int) -> FloatArray:
        """Return a knot vector of a fresh layer."""
        row: FloatArray = np.asarray(
            self.fresh(1, 1, n_intervals, degree, grid_range=(low, high)).grid.item
        )[0]
        return row

    def basis(self, x: FloatArray, knots: FloatArray, degree: int) -> FloatArray:
        """Return the basis functions (n, n_basis)."""
        import jax

        return np.asarray(jax.jit(self._bases(knots, degree))(self.array(x)))

    def basis_derivative(
        self, x: FloatArray, knots: FloatArray, degree: int, order: int
    ) -> FloatArray:
        """Return derivatives (n, n_basis) by jacfwd."""
        import jax

        def at_point(point: Any) -> Any:
            return self._bases(knots, degree)(point[None])[0]

        slopes: Callable[[Any], Any] = at_point
        for _ in range(order):
            slopes = jax.jacfwd(slopes)
        return np.asarray(jax.jit(jax.vmap(slopes))(self.array(x)))

    def _bases(self, knots: FloatArray, degree: int) -> Callable[[Any], Any]:
        n_intervals = len(knots) - 1 - 2 * degree
        require_supported(n_intervals >= 1)
        module = self.fresh(1, 1, n_intervals, degree)
        module.grid.item = self.array(knots[None])
        return lambda x: self.by_sample(module.basis(x[:, None]))

    def by_sample(self, bases: Any) -> Any:
        """Return (n, n_basis) from the `basis` of a layer with one edge."""
        return bases[0].T

    def layer_forward(self, layer: PlainLayer, x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return self.network_forward([layer], x)

    def layer_vjp(self, layer: PlainLayer, x: FloatArray, dy: FloatArray) -> dict[str, Any]:
        """Return dx, d_coef, d_w_base, d_w_spline."""
        found = self.network_vjp([layer], x, dy)
        return {"dx": found["dx"], **found["layers"][0]}

    def network_forward(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        import jax

        chain, parameters = self.pure(layers)
        return np.asarray(jax.jit(chain)(parameters, self.array(x)))

    def network_vjp(
        self, layers: Sequence[PlainLayer], x: FloatArray, dy: FloatArray
    ) -> dict[str, Any]:
        """Return dx and the gradients of every layer, by vjp."""
        import jax

        chain, parameters = self.pure(layers)

        def pull(parameters: Any, x: Any, dy: Any) -> Any:
            return jax.vjp(chain, parameters, x)[1](dy)

        slopes, dx = jax.jit(pull)(parameters, self.array(x), self.array(dy))
        gradients = []
        for layer, mine in zip(layers, slopes, strict=True):
            n_out, n_in, _ = np.shape(layer["coef"])
            arrays = layer_to(self.axes, layer) | {
                ours: np.asarray(mine[theirs][...]) for ours, theirs in PLACES.items()
            }
            found = layer_from(self.axes, arrays, n_out=n_out, n_in=n_in, degree=0, base="zero")
            gradients.append({f"d_{name}": found[name] for name in PLACES})
        return {"dx": np.asarray(dx), "layers": gradients}

    def input_jacobian(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return (batch, n_out, n_in) by jacfwd for each sample."""
        import jax

        return np.asarray(jax.jit(jax.vmap(jax.jacfwd(self._at_sample(layers))))(self.array(x)))

    def input_hessian_diag(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return (batch, n_out, n_in) by jacfwd of jacfwd for each sample."""
        import jax

        whole = jax.jit(jax.vmap(jax.jacfwd(jax.jacfwd(self._at_sample(layers)))))(self.array(x))
        return np.asarray(jax.numpy.diagonal(whole, axis1=2, axis2=3))

    def _at_sample(self, layers: Sequence[PlainLayer]) -> Callable[[Any], Any]:
        chain, parameters = self.pure(layers)
        return lambda sample: chain(parameters, sample[None])[0]

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """Return the layer on a grid of the same number of intervals, moved to the samples."""
        require_supported(margin == MARGIN)
        module = self.make(layer)
        module.grid.grid_e = uniform_share
        module.update_grid(self.array(x), module.grid.G)
        return self.read(module, layer["degree"], layer["base"])

    def count_parameters(self, widths: Sequence[int], n_intervals: int, degree: int) -> int:
        """Return how many numbers fresh layers train."""
        import jax
        from flax import nnx

        made = [
            nnx.eval_shape(partial(self.fresh, *pair, n_intervals, degree))
            for pair in pairwise(widths)
        ]
        states = [nnx.state(module, nnx.Param) for module in made]
        return sum(int(one.size) for one in jax.tree_util.tree_leaves(states))

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> dict[str, Any]:
        """Return a layer before training."""
        return self.read(self.fresh(n_in, n_out, n_intervals, degree, seed=seed), degree, "silu")


class JaxkanSpline(JaxkanBase):
    """`jaxkan.layers.Spline.SplineLayer`, without its bias."""

    axes, kind = JAXKAN_SPLINE, "SplineLayer"

    def by_sample(self, bases: Any) -> Any:
        """Return (n, n_basis) from the `basis` of a layer with one edge."""
        return bases[:, 0]


def _ones(n_out: int, n_in: int) -> dict[str, FloatArray]:
    return {name: np.ones((n_out, n_in)) for name in ("w_base", "w_spline", "mask")}
