"""Layers on PyTorch without w_spline and mask: inkan, flashkan and keras-efficient-kan.

    inkan                 weight (n_out, n_in * n_basis + n_in): for each output the coefficients of
                          all inputs, then the base weights; one uniform grid for all inputs
    flashkan              one uniform grid for all inputs; a layer of any degree can be requested,
                          but the cubic is computed
    keras-efficient-kan   spline_weight (n_in * n_basis, n_out), base_weight (n_in, n_out),
                          grid (1, n_in, n_knots)

keras-efficient-kan runs on Keras' PyTorch backend, without its options layer norm and bias, which
the paper's layer does not have.
"""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import (
    EFFICIENT_KAN,
    Axes,
    PlainLayer,
    base_function,
    require_supported,
)
from kan_ref.conformance.adapters.torch_layers import TorchAdapter


class KerasEfficientKan(TorchAdapter):
    """`keras_efficient_kan.KANLinear`."""

    distribution = "keras-efficient-kan"
    axes = Axes(coef="(im)o", weights="io", knots="git")
    use_layernorm = False

    def use_dtype(self, dtype: str) -> None:
        """Set the default precision of PyTorch and of Keras."""
        os.environ["KERAS_BACKEND"] = "torch"
        import keras

        super().use_dtype(dtype)
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)

    def fresh(
        self,
        n_in: int,
        n_out: int,
        n_intervals: int,
        degree: int,
        low: float,
        high: float,
        base: str,
    ) -> Any:
        """Return a KANLinear, built for n_in inputs."""
        from keras_efficient_kan import KANLinear

        require_supported(base == "silu")
        sizes = {"grid_size": n_intervals, "spline_order": degree, "grid_range": [low, high]}
        module = KANLinear(
            n_out, **sizes, base_activation="silu", use_bias=False, use_layernorm=self.use_layernorm
        )
        module.build((None, n_in))
        return module

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        return {
            "coef": module.spline_weight.value,
            "w_base": module.base_weight.value,
            "knots": module.grid.value,
        }

    def sizes(self, module: Any) -> tuple[int, int]:
        """Return n_out, n_in."""
        return module.units, module.in_features

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of `b_splines` for its one input."""
        return module.b_splines(x)[:, None]

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> dict[str, Any]:
        """Return a layer before training. Keras draws with a generator of its own."""
        import keras

        keras.utils.set_random_seed(seed)
        return super().initial_layer(n_in, n_out, n_intervals, degree, seed)

    def save_load(self, layer: PlainLayer) -> dict[str, Any]:
        """Return the layer after `save_weights` and `load_weights` of a model with one layer."""
        import keras

        n_out, n_in, _ = np.shape(layer["coef"])
        require_supported(bool((np.asarray(layer["w_spline"]) == 1.0).all()))
        empty = self._with_knots(
            np.asarray(layer["knots"]), layer["degree"], n_in, n_out, layer["base"]
        )
        full, fresh = (
            keras.Sequential([keras.Input((n_in,)), module]) for module in (self.make(layer), empty)
        )
        with tempfile.TemporaryDirectory() as folder:
            full.save_weights(f"{folder}/layer.weights.h5")
            fresh.load_weights(f"{folder}/layer.weights.h5")
        return self.read(empty, layer["degree"], layer["base"])


class KerasEfficientKanNormed(KerasEfficientKan):
    """The layer with its default options: a layer norm of its inputs."""

    use_layernorm = True


class Inkan(TorchAdapter):
    """`inkan.KANLayer` without compilation, as its documentation says for second derivatives."""

    distribution = "inkan"
    axes = EFFICIENT_KAN
    any_knots, degrees = False, (3,)

    def fresh(
        self,
        n_in: int,
        n_out: int,
        n_intervals: int,
        degree: int,
        low: float,
        high: float,
        base: str,
    ) -> Any:
        """Return a KANLayer."""
        from inkan import KANLayer

        return KANLayer(
            n_in,
            n_out,
            n_intervals,
            degree,
            base_activation=base_function(base),
            grid_range=(low, high),
            compile_basis=False,
        )

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names; both are views of `weight`."""
        return {"coef": module.spline_weight, "w_base": module.base_weight}

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of the function that its forward pass calls."""
        from inkan.basis import bspline_basis_local_eager

        return bspline_basis_local_eager(x, module.grid_starts, module.inv_h, module.n_bases)

    def leaves(self, module: Any) -> dict[str, Any]:
        """Return the matrix of all weights."""
        return {"weight": module.weight}

    def ours(self, module: Any, slopes: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the gradient of the matrix, split into those of coef and w_base."""
        n_splines = module.in_features * module.n_bases
        coef, w_base = slopes["weight"][:, :n_splines], slopes["weight"][:, n_splines:]
        return {
            "d_coef": coef.reshape(module.spline_weight.shape),
            "d_w_base": w_base,
            "d_w_spline": None,
        }


class Flashkan(TorchAdapter):
    """`flashkan.KANLayer`, without compilation.

    To compile a layer for each shape takes longer than a case may take.
    """

    distribution = "flashkan"
    axes = EFFICIENT_KAN
    any_knots = False

    def __init__(self) -> None:
        import torch

        super().__init__()
        torch.compiler.set_stance("force_eager")

    def fresh(
        self,
        n_in: int,
        n_out: int,
        n_intervals: int,
        degree: int,
        low: float,
        high: float,
        base: str,
    ) -> Any:
        """Return a KANLayer."""
        from flashkan import KANLayer

        return KANLayer(
            n_in,
            n_out,
            n_intervals,
            degree,
            base_activation=base_function(base),
            grid_range=(low, high),
        )

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        return {"coef": module.spline_weight, "w_base": module.base_weight}

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of the function that its forward pass calls."""
        from flashkan.basis import bspline_basis

        return bspline_basis(x, module.grid_starts, module.inv_h)
