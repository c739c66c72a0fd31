"""jaxkan, on JAX: its layers "base" and "spline", without their bias.

    "base"      c_basis (n_out n_in, n_basis), grid (n_out n_in, n_knots): knots of each edge
    "spline"    c_basis (n_out, n_in, n_basis), grid (n_in, n_knots)
    both        c_res, c_spl (n_out, n_in)

The grid and weights of a fresh layer are float32 even if 64-bit numbers are switched on, as here;
given arrays keep their precision. A grid is made finer only together with a move to the samples,
whose margin is 0.01. Derivatives are those of JAX.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref.conformance.adapters import Adapter, Answer, Array, Layer, Layers, needs

PLACES = {"coef": "c_basis", "w_base": "c_res", "w_spline": "c_spl"}
Function = Callable[..., Any]


def jax_array(values: Any) -> Any:
    """Return a JAX array in the precision that is switched on."""
    import jax

    return jax.numpy.asarray(values, dtype=float)


def compiled(function: Function, *given: Any) -> Array:
    """Return the numbers of a compiled function."""
    import jax

    return np.asarray(jax.jit(function)(*given))


def derivative(function: Function, order: int) -> Function:
    """Return a derivative of a function of one sample, as a function of many samples."""
    import jax

    for _ in range(order):
        function = jax.jacfwd(function)
    found: Function = jax.vmap(function)
    return found


class JaxkanSpline(Adapter):
    """`jaxkan.layers.Spline.SplineLayer`."""

    kind = "SplineLayer"

    def __init__(self) -> None:
        from jaxkan.layers import Spline

        self.name, self.version = f"jaxkan, {self.kind}", version("jaxkan")
        self.layer = getattr(Spline, self.kind)  # loaded at once: else each case would fail
        self.use_dtype("float64")

    def use_dtype(self, dtype: str) -> None:
        """Set the precision by JAX's switch."""
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")
        jax.config.update("jax_disable_most_optimizations", True)  # each case is compiled again

    def by_sample(self, bases: Any) -> Any:
        """Return (n, n_basis) from the `basis` of a layer with one edge."""
        return bases[:, 0]

    def fresh(self, n_in: int, n_out: int, n_intervals: int, degree: int, **settings: Any) -> Any:
        """Return a layer with the library's own defaults."""
        sizes = {"n_in": n_in, "n_out": n_out, "k": degree, "G": n_intervals}
        return self.layer(**sizes, add_bias=False, **settings)

    def make(self, layer: Layer) -> Any:
        """Return a layer with the given arrays; where edges are one axis, each has its knots."""
        import jax
        from flax import nnx

        n_out, n_in, n_basis = np.shape(layer["coef"])
        n_intervals = n_basis - layer["degree"]
        needs(np.all(layer["mask"] == 1.0) and n_intervals > 0)
        bases = {"silu": nnx.silu, "identity": nnx.identity, "zero": jax.numpy.zeros_like}
        sizes = (n_in, n_out, n_intervals, layer["degree"])
        module = self.fresh(*sizes, residual=bases[layer["base"]])
        for name, place in PLACES.items():
            parameter = getattr(module, place)
            parameter.set_value(jax_array(layer[name]).reshape(parameter.shape))
        n_copies = len(module.grid.item) // n_in
        module.grid.item = jax_array(np.tile(layer["knots"], (n_copies, 1)))
        return module

    def read(self, module: Any, degree: int, base: str) -> Answer:
        """Return our layer from the library's."""
        n_out, n_in = module.n_out, module.n_in
        arrays = {ours: np.asarray(getattr(module, place)[...]) for ours, place in PLACES.items()}
        arrays["coef"] = arrays["coef"].reshape(n_out, n_in, -1)
        arrays |= {"knots": np.asarray(module.grid.item)[:n_in], "mask": np.ones((n_out, n_in))}
        return {**arrays, "degree": degree, "base": base}

    def pure(self, layers: Layers) -> tuple[Function, list[Any]]:
        """Return the network as a function of (parameters, samples), and its parameters."""
        from flax import nnx

        parts = [nnx.split(self.make(layer), nnx.Param, ...) for layer in layers]

        def chain(parameters: Any, x: Any) -> Any:
            for (graph, _, rest), mine in zip(parts, parameters, strict=True):
                x = nnx.merge(graph, mine, rest)(x)
            return x

        return chain, [part[1] for part in parts]

    def uniform_knots(self, low: float, high: float, n_intervals: int, degree: int) -> Array:
        """Return a knot vector of a fresh layer."""
        grid = self.fresh(1, 1, n_intervals, degree, grid_range=(low, high)).grid
        return np.asarray(grid.item[0])

    def basis(self, x: Array, knots: Array, degree: int) -> Array:
        """Return the basis functions (n, n_basis)."""
        return compiled(self.bases(knots, degree), jax_array(x))

    def basis_derivative(self, x: Array, knots: Array, degree: int, order: int) -> Array:
        """Return derivatives (n, n_basis) by jacfwd."""
        bases = self.bases(knots, degree)
        return compiled(derivative(lambda point: bases(point[None])[0], order), jax_array(x))

    def bases(self, knots: Array, degree: int) -> Function:
        """Return the B-splines (n, n_basis) as a function of samples (n,)."""
        n_intervals = len(knots) - 1 - 2 * degree
        needs(n_intervals >= 1)
        module = self.fresh(1, 1, n_intervals, degree)
        module.grid.item = jax_array(knots[None])
        return lambda x: self.by_sample(module.basis(x[:, None]))

    def network_forward(self, layers: Layers, x: Array) -> Array:
        """Return the outputs (batch, n_out)."""
        chain, parameters = self.pure(layers)
        return compiled(chain, parameters, jax_array(x))

    def network_vjp(self, layers: Layers, x: Array, dy: Array) -> Answer:
        """Return dx and the gradients of every layer, by vjp."""
        import jax

        chain, parameters = self.pure(layers)

        def pull(parameters: Any, x: Any, dy: Any) -> Any:
            return jax.vjp(chain, parameters, x)[1](dy)

        slopes, dx = jax.jit(pull)(parameters, jax_array(x), jax_array(dy))
        found: list[Answer] = [{} for _ in layers]
        for layer, mine, answer in zip(layers, slopes, found, strict=True):
            for name, place in PLACES.items():
                theirs = np.asarray(mine[place][...])
                answer[f"d_{name}"] = theirs.reshape(np.shape(layer[name]))
        return {"dx": np.asarray(dx), "layers": found}

    def input_jacobian(self, layers: Layers, x: Array) -> Array:
        """Return (batch, n_out, n_in) by jacfwd for each sample."""
        return self.slopes(layers, x, 1)

    def input_hessian_diag(self, layers: Layers, x: Array) -> Array:
        """Return (batch, n_out, n_in) by jacfwd of jacfwd for each sample."""
        return np.diagonal(self.slopes(layers, x, 2), axis1=2, axis2=3)

    def slopes(self, layers: Layers, x: Array, order: int) -> Array:
        """Return all derivatives of an order, (batch, n_out, n_in, ...)."""
        chain, parameters = self.pure(layers)
        slopes = derivative(lambda sample: chain(parameters, sample[None])[0], order)
        return compiled(slopes, jax_array(x))

    def update_grid(self, layer: Layer, x: Array, share: float, margin: float) -> Answer:
        """Return the layer on a grid of as many intervals, moved to the samples."""
        needs(margin == 0.01)  # that of its update_grid
        module = self.make(layer)
        module.grid.grid_e = share
        module.update_grid(jax_array(x), module.grid.G)
        return self.read(module, layer["degree"], layer["base"])

    def count_parameters(self, widths: Sequence[int], n_intervals: int, degree: int) -> int:
        """Return how many numbers fresh layers train."""
        import jax
        from flax import nnx

        makes = [partial(self.fresh, *pair, n_intervals, degree) for pair in pairwise(widths)]
        states = [nnx.state(nnx.eval_shape(make), nnx.Param) for make in makes]
        return sum(int(one.size) for one in jax.tree_util.tree_leaves(states))

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> Answer:
        """Return a layer before training."""
        return self.read(self.fresh(n_in, n_out, n_intervals, degree, seed=seed), degree, "silu")


class JaxkanBase(JaxkanSpline):
    """`jaxkan.layers.Spline.BaseLayer`."""

    kind = "BaseLayer"

    def by_sample(self, bases: Any) -> Any:
        """Return (n, n_basis) from the `basis` of a layer with one edge."""
        return bases[0].T
