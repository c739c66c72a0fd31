"""keras-efficient-kan on Keras' PyTorch backend, without its options layer norm and bias.

The paper's layer has neither. spline_weight (n_in * n_basis, n_out), base_weight (n_in, n_out),
grid (1, n_in, n_knots); there is no w_spline and no mask.
"""

import os
import tempfile
from typing import Any

import numpy as np

from kan_ref.conformance.adapters.axes import Axes, PlainLayer, require_supported
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
