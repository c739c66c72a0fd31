"""Deep-KAN: the layout of efficient-kan under other names; its knots are not part of its state."""

from collections.abc import Sequence
from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import EFFICIENT_KAN, PlainLayer
from kan_ref.conformance.adapters.torch_layers import TorchAdapter
from kan_ref.conformance.adapters.torch_tensors import base_function, tensor


class DeepKan(TorchAdapter):
    """`deepkan.SplineLinearLayer`, and `DeepKAN` for its penalties."""

    distribution = "Deep-KAN"
    axes = EFFICIENT_KAN

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
        """Return a layer; `num_knots` is its number of intervals."""
        from deepkan import SplineLinearLayer

        return SplineLinearLayer(
            n_in, n_out, n_intervals, degree, activation=base_function(base), grid_range=[low, high]
        )

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        weights = {
            "coef": module.spline_weights,
            "w_base": module.base_weights,
            "w_spline": module.spline_scales,
        }
        return weights | {"knots": module.knots}

    def sizes(self, module: Any) -> tuple[int, int]:
        """Return n_out, n_in."""
        return module.output_dim, module.input_dim

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values that its forward pass and its `_update_knots` use."""
        return module._compute_b_splines(x)

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """Return the layer on a grid moved to the samples.

        `DeepKAN(...)(x, update_knots=True)` calls this method; grid_epsilon is the blending weight.
        """
        module = self.make(layer)
        module.grid_epsilon = uniform_share
        module._update_knots(tensor(x), margin=margin)
        return self.read(module, layer["degree"], layer["base"])

    def penalties(self, layers: Sequence[PlainLayer], x: FloatArray) -> dict[str, float]:
        """Return l1 and entropy by `DeepKAN.regularization_loss`."""
        import torch
        from deepkan import DeepKAN

        modules = [self.make(layer) for layer in layers]
        model = DeepKAN(modules[0].input_dim, [module.output_dim for module in modules])
        model.layers = torch.nn.ModuleList(modules)
        return {
            "l1": float(model.regularization_loss(1.0, 0.0)),
            "entropy": float(model.regularization_loss(0.0, 1.0)),
        }
