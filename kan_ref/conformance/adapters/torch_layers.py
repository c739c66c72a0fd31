"""Base class of the adapters for libraries on PyTorch: build a layer, call it, differentiate it.

A subclass defines how its layer is built (`fresh`) and where the layer keeps its arrays (`places`,
by our names, with axes `axes`). If there is no place for w_spline, coefficients are multiplied by
it and gradients of parameters are not supported. If there is no place for the mask, it must be all
ones; else the library cannot express the case: NotImplementedError. Derivatives are PyTorch's own:

    d/dx sum_b v_b = (v'_b), since v_b depends on x_b alone

so that one backward pass gives a whole column of derivatives, and a second pass differentiates
them.
"""

import io
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import (
    OURS,
    Axes,
    PlainLayer,
    array,
    gradients,
    layer_from,
    layer_to,
    require_supported,
    slope,
    tensor,
)

PARAMETERS = ("coef", "w_base", "w_spline")
GRADIENTS = tuple(f"d_{name}" for name in PARAMETERS)


class TorchAdapter:
    """A library's layer as a subject of the kit.

    Attributes
    ----------
    distribution : str
        The library's name among installed distributions.
    axes : Axes
        Its order of axes.
    any_knots : bool
        Whether it accepts any knots. If not, its layer is built with one interval [low, high] and
        uniform knots for all inputs.
    degrees : tuple of int, optional
        The degrees that it supports; None if all.
    """

    distribution: str
    axes: Axes
    any_knots = True
    degrees: tuple[int, ...] | None = None

    def __init__(self) -> None:
        import torch

        self.name, self.version = self.distribution, version(self.distribution)
        torch.set_num_threads(1)
        self.use_dtype("float64")

    def use_dtype(self, dtype: str) -> None:
        """Set PyTorch's default precision, in which the library makes its layers."""
        import torch

        torch.set_default_dtype(getattr(torch, dtype))

    # --- defined by each library

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
        """Return a layer with the library's own defaults."""
        raise NotImplementedError

    def places(self, module: Any) -> dict[str, Any]:
        """Return the tensors of a layer by our names (coef, w_base, w_spline, mask, knots)."""
        raise NotImplementedError

    def bases(self, module: Any, x: Any) -> Any:
        """Return the B-splines (n, 1, n_basis) of a layer of one input, at x (n, 1)."""
        raise NotImplementedError

    def chain(self, layers: Sequence[PlainLayer]) -> tuple[Any, list[Any]]:
        """Return a model of several layers, and its layers."""
        import torch

        modules = [self.make(layer) for layer in layers]
        return torch.nn.Sequential(*modules), modules

    # --- conversion of layers

    def make(self, layer: PlainLayer) -> Any:
        """Return the library's layer with the arrays of ours."""
        n_out, n_in, _ = np.shape(layer["coef"])
        module = self._with_knots(
            np.asarray(layer["knots"]), layer["degree"], n_in, n_out, layer["base"]
        )
        places = self.places(module)
        require_supported("mask" in places or bool((np.asarray(layer["mask"]) == 1.0).all()))
        if "w_spline" not in places:
            w_spline = np.asarray(layer["w_spline"])
            layer = {**layer, "coef": layer["coef"] * w_spline[:, :, None]}
        self.fill(places, layer)
        return module

    def fill(self, places: Mapping[str, Any], layer: PlainLayer) -> None:
        """Write the arrays of a layer into the library's tensors."""
        arrays = layer_to(self.axes, layer)
        for name, place in places.items():
            place.data.copy_(tensor(arrays[name]))

    def read(self, module: Any, degree: int, base: str) -> dict[str, Any]:
        """Return our layer from the library's."""
        arrays = {name: place.detach().numpy() for name, place in self.places(module).items()}
        n_out, n_in = self.sizes(module)
        whole = layer_to(self.axes, _ones(n_out, n_in)) | arrays
        return layer_from(self.axes, whole, n_out=n_out, n_in=n_in, degree=degree, base=base)

    def sizes(self, module: Any) -> tuple[int, int]:
        """Return n_out, n_in of a layer."""
        return module.out_features, module.in_features

    def _with_knots(self, knots: FloatArray, degree: int, n_in: int, n_out: int, base: str) -> Any:
        """Return a fresh layer of the right sizes, with the given knots if it can hold them."""
        n_intervals = knots.shape[1] - 1 - 2 * degree
        require_supported(n_intervals >= 1 and (self.degrees is None or degree in self.degrees))
        low, high = (
            (-1.0, 1.0)
            if self.any_knots
            else (float(knots[0, degree]), float(knots[0, -degree - 1]))
        )
        if not self.any_knots:
            even = low + (high - low) / n_intervals * np.arange(-degree, n_intervals + degree + 1)
            near = np.abs(knots - even) <= 8.0 * np.finfo(knots.dtype).eps * np.abs(knots).max()
            require_supported(low < high and bool(near.all()))
        return self.fresh(n_in, n_out, n_intervals, degree, low, high, base)

    # --- the protocol

    def basis(self, x: FloatArray, knots: FloatArray, degree: int) -> FloatArray:
        """Return the basis functions (n, n_basis)."""
        return array(self._bases(tensor(x), knots, degree))

    def basis_derivative(
        self, x: FloatArray, knots: FloatArray, degree: int, order: int
    ) -> FloatArray:
        """Return derivatives (n, n_basis) by autograd."""
        import torch

        points = tensor(x).requires_grad_()
        columns = []
        for column in self._bases(points, knots, degree).unbind(dim=1):
            slopes = column
            for _ in range(order):
                slopes = slope(slopes, points)
            columns.append(slopes)
        return array(torch.stack(columns, dim=1))

    def _bases(self, points: Any, knots: FloatArray, degree: int) -> Any:
        module = self._with_knots(knots[None], degree, 1, 1, "silu")
        places = self.places(module)
        if "knots" in places:
            places["knots"].data.copy_(tensor(knots).reshape(places["knots"].shape))
        return self.bases(module, points[:, None])[:, 0]

    def layer_forward(self, layer: PlainLayer, x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return self.network_forward([layer], x)

    def layer_vjp(self, layer: PlainLayer, x: FloatArray, dy: FloatArray) -> dict[str, Any]:
        """Return dx, d_coef, d_w_base, d_w_spline."""
        found = self.network_vjp([layer], x, dy)
        return {"dx": found["dx"], **found["layers"][0]}

    def network_forward(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return array(self.chain(layers)[0](tensor(x)))

    def network_vjp(
        self, layers: Sequence[PlainLayer], x: FloatArray, dy: FloatArray
    ) -> dict[str, Any]:
        """Return dx and the gradients of every layer."""
        model, modules = self.chain(layers)
        points = tensor(x).requires_grad_()
        y = model(points)
        leaves = [self.leaves(module) for module in modules]
        wanted = [points, *(leaf for part in leaves for leaf in part.values())]
        dx, *slopes = gradients(y, wanted, tensor(dy))
        rest = iter(slopes)
        found = [{name: array(next(rest)) for name in part} for part in leaves]
        by_layer = []
        for module, layer, part in zip(modules, layers, found, strict=True):
            whole = "w_spline" in self.places(module) or bool(
                (np.asarray(layer["w_spline"]) == 1.0).all()
            )
            by_layer.append(self.ours(module, part) if whole else dict.fromkeys(GRADIENTS))
        return {"dx": array(dx), "layers": by_layer}

    def leaves(self, module: Any) -> dict[str, Any]:
        """Return the parameters of a layer by our names."""
        return {name: place for name, place in self.places(module).items() if name in PARAMETERS}

    def ours(self, module: Any, slopes: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the gradients of a layer in our axes; None for an array that it does not have."""
        n_out, n_in = self.sizes(module)
        filled = layer_to(self.axes, _ones(n_out, n_in)) | dict(slopes)
        found = layer_from(self.axes, filled, n_out=n_out, n_in=n_in, degree=0, base="zero")
        return {f"d_{name}": found[name] if name in slopes else None for name in PARAMETERS}

    def input_jacobian(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return (batch, n_out, n_in) by autograd."""
        import torch

        points = tensor(x).requires_grad_()
        y = self.chain(layers)[0](points)
        return array(torch.stack([slope(column, points) for column in y.unbind(dim=1)], dim=1))

    def input_hessian_diag(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return (batch, n_out, n_in) by two passes of autograd."""
        import torch

        points = tensor(x).requires_grad_()
        rows = []
        for column in self.chain(layers)[0](points).unbind(dim=1):
            slopes = slope(column, points)
            rows.append(
                torch.stack(
                    [slope(part, points)[:, i] for i, part in enumerate(slopes.unbind(dim=1))],
                    dim=1,
                )
            )
        return array(torch.stack(rows, dim=1))

    def uniform_knots(self, low: float, high: float, n_intervals: int, degree: int) -> FloatArray:
        """Return a knot vector of a fresh layer."""
        require_supported(self.any_knots)
        return array(
            self.places(self.fresh(1, 1, n_intervals, degree, low, high, "silu"))["knots"]
        ).reshape(-1)

    def count_parameters(self, widths: Sequence[int], n_intervals: int, degree: int) -> int:
        """Return how many numbers fresh layers train."""
        require_supported(self.degrees is None or degree in self.degrees)
        total = 0
        for n_in, n_out in pairwise(widths):
            module = self.fresh(n_in, n_out, n_intervals, degree, -1.0, 1.0, "silu")
            require_supported("w_spline" in self.places(module))  # the contract counts it
            total += sum(int(one.numel()) for one in module.parameters() if one.requires_grad)
        return total

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> dict[str, Any]:
        """Return a layer before training, with the library's own defaults."""
        import torch

        require_supported(self.any_knots)
        torch.manual_seed(seed)
        return self.read(
            self.fresh(n_in, n_out, n_intervals, degree, -1.0, 1.0, "silu"), degree, "silu"
        )

    def save_load(self, layer: PlainLayer) -> dict[str, Any]:
        """Return the layer after `torch.save` and `torch.load` of its state dict."""
        import torch

        require_supported(self.any_knots)
        n_out, n_in, _ = np.shape(layer["coef"])
        file = io.BytesIO()
        torch.save(self.make(layer).state_dict(), file)
        file.seek(0)
        fresh = self._with_knots(
            np.asarray(layer["knots"]), layer["degree"], n_in, n_out, layer["base"]
        )
        fresh.load_state_dict(torch.load(file))
        return self.read(fresh, layer["degree"], layer["base"])


def _ones(n_out: int, n_in: int) -> dict[str, FloatArray]:
    """Return a layer of ones with one B-spline."""
    shapes = {"o": n_out, "i": n_in, "m": 1, "t": 2}
    return {name: np.ones([shapes[letter] for letter in letters]) for name, letters in OURS.items()}
