"""jaxkan's layers of other basis functions: `RBFLayer`, `ChebyshevLayer` and `FourierLayer`.

    RBFLayer         c_basis (n_out, n_in, n_basis); exp(-((x - c) / s)^2 / 2), s = width / sqrt 2
    ChebyshevLayer   c_basis (n_out, n_in, degree + 1); polynomials of tanh x alone
    FourierLayer     c_cos, c_sin (n_out, n_in, n_frequencies)

All without bias and residual function. 64-bit numbers are switched on in their process.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import require_supported

Family = Mapping[str, Any]


class JaxkanFamilies:
    """jaxkan's layers, Chebyshev polynomials in the given flavor: "default" or "modified"."""

    flavor = "default"

    def __init__(self) -> None:
        self.name, self.version = f"jaxkan, {self.flavor} polynomials", version("jaxkan")
        self.use_dtype("float64")

    def use_dtype(self, dtype: str) -> None:
        """Set the precision by JAX's switch."""
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")
        jax.config.update("jax_disable_most_optimizations", True)  # each case is compiled again

    def family_basis(self, family: Family, x: FloatArray, order: int) -> FloatArray:
        """Return the basis functions, or derivatives of them by jacfwd, (n, n_basis)."""
        import jax

        module, points = self._layer(family, 1, 1), _array(x)

        def at_point(point: Any) -> Any:
            found = module.basis(point[None, None])
            return jax.numpy.concatenate(found, -1)[0, 0] if _fourier(family) else found[0, 0]

        function: Callable[[Any], Any] = at_point
        for _ in range(order):
            function = jax.jacfwd(function)
        return np.asarray(jax.vmap(function)(points))

    def family_forward(self, family: Family, coef: FloatArray, x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return np.asarray(self._chain(family, coef)(_array(coef), _array(x)))

    def family_vjp(
        self, family: Family, coef: FloatArray, x: FloatArray, dy: FloatArray
    ) -> dict[str, FloatArray]:
        """Return dx and d_coef, by vjp."""
        import jax

        pull = jax.vjp(self._chain(family, coef), _array(coef), _array(x))[1]
        d_coef, dx = pull(_array(dy))
        return {"dx": np.asarray(dx), "d_coef": np.asarray(d_coef)}

    def _chain(self, family: Family, coef: FloatArray) -> Callable[[Any, Any], Any]:
        """Return the layer as a function of (coefficients, samples)."""
        n_out, n_in, n_basis = np.shape(coef)

        def outputs(coef: Any, x: Any) -> Any:
            module = self._layer(family, n_in, n_out)
            if _fourier(family):
                module.c_cos.set_value(coef[:, :, : n_basis // 2])
                module.c_sin.set_value(coef[:, :, n_basis // 2 :])
            else:
                module.c_basis.set_value(coef)
            return module(x)

        return outputs

    def _layer(self, family: Family, n_in: int, n_out: int) -> Any:
        from jaxkan.layers import RBF, Chebyshev, Fourier

        sizes = {"n_in": n_in, "n_out": n_out, "add_bias": False}
        if _fourier(family):
            return Fourier.FourierLayer(D=family["n_frequencies"], **sizes)
        if family["family"] == "chebyshev":
            require_supported(family["argument"] == "tanh")
            return Chebyshev.ChebyshevLayer(D=family["degree"], flavor=self.flavor, **sizes)
        require_supported(family["family"] == "gaussian")
        kernel = {"type": "gaussian", "std": family["width"] / np.sqrt(2.0)}
        module = RBF.RBFLayer(D=len(family["centres"]), kernel=kernel, **sizes)
        module.grid.item = _array(np.tile(family["centres"], (n_in, 1)))
        return module


class JaxkanModified(JaxkanFamilies):
    """`JaxkanFamilies` with Chebyshev polynomials by their recursion."""

    flavor = "modified"


def _fourier(family: Family) -> bool:
    return bool(family["family"] == "fourier")


def _array(values: Any) -> Any:
    """Return a JAX array in the precision that is switched on."""
    import jax

    return jax.numpy.asarray(values, dtype=float)
