r"""Libraries with the layout of efficient-kan: itself, ikan, ConvKAN3D, convkan and Deep-KAN.

    base_weight (n_out, n_in)    spline_weight (n_out, n_in, n_basis)
    spline_scaler (n_out, n_in)  grid (n_in, n_knots)

The layers have no mask, and their grid cannot be made finer. `regularization_loss` depends on the
coefficients, not on the edges' outputs. efficient-kan itself is on no package index. It is tested
from a checkout that the environment variable EFFICIENT_KAN names:

    EFFICIENT_KAN=~/efficient-kan python -m kan_ref.conformance \
        --adapter kan_ref.conformance.adapters.efficient_kan:EfficientKanCheckout
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import (
    EFFICIENT_KAN,
    Axes,
    PlainLayer,
    base_function,
    import_from,
    source_folder,
    tensor,
)
from kan_ref.conformance.adapters.torch_layers import TorchAdapter


class EfficientKan(TorchAdapter):
    """Base class of the adapters for this layout."""

    axes = EFFICIENT_KAN

    def linear(self) -> Any:
        """Return the library's class of layers."""
        raise NotImplementedError

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
        """Return a KANLinear with the library's own defaults."""
        sizes = {"grid_size": n_intervals, "spline_order": degree, "grid_range": [low, high]}
        return self.linear()(n_in, n_out, **sizes, base_activation=base_function(base))

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        return {
            "coef": module.spline_weight,
            "w_base": module.base_weight,
            "w_spline": module.spline_scaler,
            "knots": module.grid,
        }

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of `b_splines`."""
        return module.b_splines(x)

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """Return the layer on a grid moved to the samples; grid_eps is the blending weight."""
        module = self.make(layer)
        module.grid_eps = uniform_share
        module.update_grid(self.batch(x), margin=margin)
        return self.read(module, layer["degree"], layer["base"])

    def batch(self, x: FloatArray) -> Any:
        """Return samples in the shape that `update_grid` takes."""
        return tensor(x)

    def penalties(self, layers: Sequence[PlainLayer], x: FloatArray) -> dict[str, float]:
        """Return l1 and entropy by `regularization_loss`, summed over layers.

        They depend on the coefficients alone, not on the samples.
        """
        modules = [self.make(layer) for layer in layers]
        l1 = sum(float(module.regularization_loss(1.0, 0.0)) for module in modules)
        return {
            "l1": l1,
            "entropy": sum(float(module.regularization_loss(0.0, 1.0)) for module in modules),
        }


class Ikan(EfficientKan):
    """`ikan.KAN.KANLinear`: ikan is a distribution of efficient-kan."""

    distribution = "ikan"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from ikan.KAN import KANLinear

        return KANLinear


class Convkan3d(EfficientKan):
    """`ConvKAN3D.efficient_kan.KANLinear`, which its convolutions over volumes use."""

    distribution = "ConvKAN3D"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from ConvKAN3D.efficient_kan import KANLinear

        return KANLinear


class Convkan(EfficientKan):
    """`convkan.KANLinear` with one group of channels; samples have a first axis of groups."""

    distribution = "convkan"
    axes = Axes(coef="goim", weights="goi", knots="git")

    def linear(self) -> Any:
        """Return the library's class of layers, for samples without groups."""
        from convkan import KANLinear

        class OneGroup(KANLinear):  # type: ignore[misc]
            """The layer on samples without groups."""

            def forward(self, x: Any) -> Any:
                return super().forward(x[None])[0]

        return OneGroup

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of `b_splines`."""
        return module.b_splines(x[None])[0]

    def batch(self, x: FloatArray) -> Any:
        """Return samples with the axis of groups."""
        return tensor(x)[None]


class EfficientKanCheckout(EfficientKan):
    """`efficient_kan.KANLinear` of the checkout."""

    distribution = "torch"  # the checkout itself need not be installed

    def __init__(self) -> None:
        folder = source_folder("EFFICIENT_KAN", "efficient-kan", "efficient_kan/kan.py")
        super().__init__()
        import_from(folder)
        self.name, self.version = "efficient-kan", "checkout"

    def linear(self) -> Any:
        """Return the library's class of layers."""
        from efficient_kan import KANLinear

        return KANLinear


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
