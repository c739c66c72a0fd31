"""pykan: `KANLayer` for basis functions and grids of single layers, `KAN` for everything else.

    coef (n_in, n_out, n_basis)   scale_base, scale_sp, mask (n_in, n_out)   grid (n_in, n_knots)

Edges are scored by `attribute`; penalties are those of `fit` with its default metric. Margins are
always 0. A model that is built or refined writes a folder `model` into the working directory, which
is therefore a temporary folder here.
"""

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.adapters.axes import (
    PYKAN,
    PlainLayer,
    array,
    base_function,
    require_supported,
    tensor,
)
from kan_ref.conformance.adapters.torch_layers import TorchAdapter

_ALONE = threading.Lock()


class Pykan(TorchAdapter):
    """`kan.KAN` and `kan.KANLayer`."""

    distribution, axes = "pykan", PYKAN

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
        from kan.KANLayer import KANLayer

        return KANLayer(
            n_in, n_out, n_intervals, degree, base_fun=base_function(base)(), grid_range=[low, high]
        )

    def places(self, module: Any) -> dict[str, Any]:
        """Return its tensors by our names."""
        weights = {"w_base": module.scale_base, "w_spline": module.scale_sp, "mask": module.mask}
        return weights | {"coef": module.coef, "knots": module.grid}

    def sizes(self, module: Any) -> tuple[int, int]:
        """Return n_out, n_in."""
        return module.out_dim, module.in_dim

    def _bases(self, points: Any, knots: FloatArray, degree: int) -> Any:
        """Return the values of B_batch, which are booleans at degree 0."""
        from kan.spline import B_batch

        return B_batch(points[:, None], tensor(knots[None]), degree)[:, 0].to(points.dtype)

    def chain(self, layers: Sequence[PlainLayer]) -> tuple[Any, list[Any]]:
        """Return a KAN, which has one base function for all layers, and its layers."""
        from kan import KAN

        (base, *others) = dict.fromkeys(layer["base"] for layer in layers)
        require_supported(not others)
        widths = [np.shape(layers[0]["coef"])[1], *(np.shape(layer["coef"])[0] for layer in layers)]
        degrees = [layer["degree"] for layer in layers]
        counts = [np.shape(layer["coef"])[2] - layer["degree"] for layer in layers]
        require_supported(min(counts) >= 1)
        same = len(set(counts)) == len(set(degrees)) == 1
        sizes = {"grid": counts[0], "k": degrees[0]} if same else {"grid": counts, "k": degrees}
        with own_folder():
            model = KAN(width=widths, **sizes, base_fun=base, auto_save=False)
        for module, layer in zip(model.act_fun, layers, strict=True):
            self.fill(self.places(module), layer)
        return model, list(model.act_fun)

    def extend_grid(self, layer: PlainLayer, x: FloatArray, n_intervals: int) -> dict[str, Any]:
        """Return the layer of the refined model, after a forward pass of the samples."""
        model, _ = self.chain([layer])
        with own_folder():
            model(tensor(x))
            return self.read(model.refine(n_intervals).act_fun[0], layer["degree"], layer["base"])

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """Return the layer after `update_grid_from_samples`; grid_eps is the blending weight."""
        require_supported(margin == 0.0)
        module = self.make(layer)
        module.grid_eps = uniform_share
        module.update_grid_from_samples(tensor(x))
        return self.read(module, layer["degree"], layer["base"])

    def penalties(self, layers: Sequence[PlainLayer], x: FloatArray) -> dict[str, float]:
        """Return l1 and entropy by `reg` with the default metric of `fit`."""
        model, _ = self.chain(layers)
        model(tensor(x))
        l1, entropy = (
            float(model.reg("edge_forward_spline_n", *weights, 0.0, 0.0))
            for weights in ((1.0, 0.0), (0.0, 1.0))
        )
        return {"l1": l1, "entropy": entropy}

    def edge_scores(self, layers: Sequence[PlainLayer], x: FloatArray) -> list[FloatArray]:
        """Return the scores of `attribute`, one array for each layer."""
        model, _ = self.chain(layers)
        model(tensor(x))
        model.attribute()
        return [array(scores) for scores in model.edge_scores]

    def prune(
        self, layers: Sequence[PlainLayer], x: FloatArray, threshold: float
    ) -> list[dict[str, Any]]:
        """Return the layers after `prune_node`."""
        model, _ = self.chain(layers)
        with own_folder():
            model(tensor(x))
            kept = model.prune_node(threshold=threshold, log_history=False)
        return [
            self.read(module, layer["degree"], layer["base"])
            for module, layer in zip(kept.act_fun, layers, strict=True)
        ]

    def fit_affine(self, x: FloatArray, y: FloatArray, name: str) -> dict[str, float]:
        """Return a, b, c, d, r2 by `fit_params`, with the default ranges of `suggest_symbolic`."""
        from kan.utils import SYMBOLIC_LIB, fit_params

        found, r2 = fit_params(tensor(x), tensor(y), SYMBOLIC_LIB[name][0], verbose=False)
        return {**dict(zip("abcd", map(float, found), strict=True)), "r2": float(r2)}

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> dict[str, Any]:
        """Return the layer of a fresh KAN."""
        from kan import KAN

        with own_folder():
            model = KAN(width=[n_in, n_out], grid=n_intervals, k=degree, seed=seed, auto_save=False)
        return self.read(model.act_fun[0], degree, "silu")

    def save_load(self, layer: PlainLayer) -> dict[str, Any]:
        """Return the layer after `saveckpt` and `loadckpt`."""
        from kan import KAN

        model, _ = self.chain([layer])
        with own_folder():
            model(tensor([[0.0] * np.shape(layer["coef"])[1]]))
            model.saveckpt("saved")
            return self.read(KAN.loadckpt("saved").act_fun[0], layer["degree"], layer["base"])


@contextlib.contextmanager
def own_folder() -> Iterator[None]:
    """Change to a temporary folder, in which pykan may create its folder `model`.

    The working directory belongs to the process, so that other threads wait.
    """
    with _ALONE, tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield
