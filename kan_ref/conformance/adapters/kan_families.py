r"""Layers of other basis functions: FastKAN, ChebyKAN and ReLU-KAN on PyTorch, and jaxkan's.

From checkouts, which environment variables name:

    FAST_KAN    github.com/ZiyaoLi/fast-kan       Gaussians on even centres, family gaussian
    CHEBY_KAN   github.com/SynodicMonth/ChebyKAN  polynomials of tanh x, family chebyshev
    RELU_KAN    github.com/quiqi/relu_kan         supports of one width, family relu

    FAST_KAN=~/fast-kan python -m kan_ref.conformance --family gaussian \
        --adapter kan_ref.conformance.adapters.kan_families:FastKan

Their basis functions are those of a layer with one input, whose outputs have one coefficient 1
each. jaxkan's layers, all without bias and residual function:

    RBFLayer         c_basis (n_out, n_in, n_basis); exp(-((x - c) / s)^2 / 2), s = width / sqrt 2
    ChebyshevLayer   c_basis (n_out, n_in, degree + 1); polynomials of tanh x alone
    FourierLayer     c_cos, c_sin (n_out, n_in, n_frequencies)

Derivatives are those of PyTorch and JAX. 64-bit numbers of JAX are switched on in its process.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import (
    array,
    gradients,
    import_from,
    pack,
    require_supported,
    slope,
    source_folder,
    tensor,
    unpack,
)

Family = Mapping[str, Any]


class TorchFamilies:
    """A library's layer as a subject of the topics of a family.

    Attributes
    ----------
    name, variable, file : str
        Of the library, its checkout's environment variable, and a file of the checkout.
    axes : str
        Axes of its coefficients, as in `axes`.
    """

    name: str
    variable: str
    file: str
    axes: str
    version = "checkout"

    def __init__(self) -> None:
        import_from(source_folder(self.variable, self.name, self.file))
        import torch

        torch.set_num_threads(1)
        self.use_dtype("float64")

    def use_dtype(self, dtype: str) -> None:
        """Set PyTorch's default precision, in which the library makes its layers."""
        import torch

        torch.set_default_dtype(getattr(torch, dtype))

    # --- defined by each library

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a layer with the family's basis functions and without further terms."""
        raise NotImplementedError

    def place(self, module: Any) -> Any:
        """Return the tensor of coefficients of a layer."""
        raise NotImplementedError

    def call(self, module: Any, x: Any) -> Any:
        """Return the outputs (batch, n_out) of a layer."""
        return module(x)

    # --- the protocol

    def family_basis(self, family: Family, x: FloatArray, order: int) -> FloatArray:
        """Return the basis functions or derivatives of them, (n, n_basis)."""
        import torch

        points = tensor(x)[:, None].requires_grad_()
        n_basis = self._size(family)
        columns = list(self._outputs(family, np.eye(n_basis)[:, None], points)[1].unbind(dim=1))
        for _ in range(order):
            columns = [slope(column, points)[:, 0] for column in columns]
        return array(torch.stack(columns, dim=1))

    def family_forward(self, family: Family, coef: FloatArray, x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return array(self._outputs(family, coef, tensor(x))[1])

    def family_vjp(
        self, family: Family, coef: FloatArray, x: FloatArray, dy: FloatArray
    ) -> dict[str, FloatArray]:
        """Return dx and d_coef."""
        points = tensor(x).requires_grad_()
        module, y = self._outputs(family, coef, points)
        dx, d_coef = gradients(y, [points, self.place(module)], tensor(dy))
        n_out, n_in, _ = np.shape(coef)
        ours = unpack(self._grouped(array(d_coef)), self.axes, "oim", sizes={"o": n_out, "i": n_in})
        return {"dx": array(dx), "d_coef": ours}

    def _outputs(self, family: Family, coef: FloatArray, x: Any) -> tuple[Any, Any]:
        n_out, n_in, _ = np.shape(coef)
        module = self.fresh(family, n_in, n_out)
        place = self.place(module)
        place.data.copy_(tensor(pack(coef, "oim", self.axes)).reshape(place.shape))
        return module, self.call(module, x)

    def _grouped(self, theirs: FloatArray) -> FloatArray:
        """Return coefficients in `axes`, where a library stores them in more axes."""
        n_axes = 2 if "(" in self.axes else 3
        return theirs.reshape(*theirs.shape[: n_axes - 1], -1)

    def _size(self, family: Family) -> int:
        if family["family"] == "chebyshev":
            return int(family["degree"]) + 1
        return len(family["centres"] if family["family"] == "gaussian" else family["starts"])


class FastKan(TorchFamilies):
    """`fastkan.FastKANLayer` without layer norm and base function, its centres replaced."""

    name, variable, file, axes = "fast-kan", "FAST_KAN", "fastkan/fastkan.py", "o(im)"

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a FastKANLayer."""
        from fastkan import FastKANLayer

        require_supported(family["family"] == "gaussian")
        options = {"use_layernorm": False, "use_base_update": False}
        module = FastKANLayer(n_in, n_out, num_grids=len(family["centres"]), **options)
        module.rbf.grid.data = tensor(family["centres"])
        module.rbf.denominator = family["width"]
        return module

    def place(self, module: Any) -> Any:
        """Return the weight of its linear map."""
        return module.spline_linear.weight


class ChebyKan(TorchFamilies):
    """`ChebyKANLayer`, whose polynomials are of tanh x."""

    name, variable, file, axes = "ChebyKAN", "CHEBY_KAN", "ChebyKANLayer.py", "iom"

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a ChebyKANLayer."""
        from ChebyKANLayer import ChebyKANLayer

        require_supported(family["family"] == "chebyshev" and family["argument"] == "tanh")
        return ChebyKANLayer(n_in, n_out, family["degree"])

    def place(self, module: Any) -> Any:
        """Return its coefficients."""
        return module.cheby_coeffs


class ReluKan(TorchFamilies):
    """`ReLUKANLayer` with its bias set to 0 and its supports replaced by those of the case.

    It has one factor for all functions, so that their supports must have one width, (k + 1) / g.
    """

    name, variable, file, axes = "ReLU-KAN", "RELU_KAN", "torch_relu_kan.py", "o(im)"

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a ReLUKANLayer with (k + 1) / g equal to the width."""
        from torch_relu_kan import ReLUKANLayer

        require_supported(family["family"] == "relu")
        starts, ends = np.asarray(family["starts"]), np.asarray(family["ends"])
        width = float(ends[0] - starts[0])
        require_supported(bool((ends - starts == width).all()))
        k, g = _sizes(width, len(starts))
        module = ReLUKANLayer(n_in, g, k, n_out)
        module.phase_low.data = tensor(np.tile(starts, (n_in, 1)))
        module.phase_height.data = tensor(np.tile(ends, (n_in, 1)))
        module.equal_size_conv.bias.data.zero_()
        return module

    def place(self, module: Any) -> Any:
        """Return the weight of its convolution, (n_out, 1, g + k, n_in), read as "o(im)"."""
        return module.equal_size_conv.weight

    def call(self, module: Any, x: Any) -> Any:
        """Return the outputs; its samples are (batch, n_in, 1)."""
        return module(x[:, :, None])[:, :, 0]


def _sizes(width: float, n_basis: int) -> tuple[int, int]:
    """Return k and g with (k + 1) / g = width and g + k = n_basis."""
    for k in range(n_basis):
        g = n_basis - k
        if (k + 1) / g == width:
            return k, g
    raise NotImplementedError


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

        module, points = self._layer(family, 1, 1), _jax_array(x)

        def at_point(point: Any) -> Any:
            found = module.basis(point[None, None])
            return jax.numpy.concatenate(found, -1)[0, 0] if _fourier(family) else found[0, 0]

        function: Callable[[Any], Any] = at_point
        for _ in range(order):
            function = jax.jacfwd(function)
        return np.asarray(jax.vmap(function)(points))

    def family_forward(self, family: Family, coef: FloatArray, x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return np.asarray(self._chain(family, coef)(_jax_array(coef), _jax_array(x)))

    def family_vjp(
        self, family: Family, coef: FloatArray, x: FloatArray, dy: FloatArray
    ) -> dict[str, FloatArray]:
        """Return dx and d_coef, by vjp."""
        import jax

        pull = jax.vjp(self._chain(family, coef), _jax_array(coef), _jax_array(x))[1]
        d_coef, dx = pull(_jax_array(dy))
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
        module.grid.item = _jax_array(np.tile(family["centres"], (n_in, 1)))
        return module


class JaxkanModified(JaxkanFamilies):
    """`JaxkanFamilies` with Chebyshev polynomials by their recursion."""

    flavor = "modified"


def _fourier(family: Family) -> bool:
    return bool(family["family"] == "fourier")


def _jax_array(values: Any) -> Any:
    """Return a JAX array in the precision that is switched on."""
    import jax

    return jax.numpy.asarray(values, dtype=float)
