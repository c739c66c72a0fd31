"""pykan: `KANLayer` for basis functions and grids of single layers, `KAN` for everything else.

    coef (n_in, n_out, n_basis)   scale_base, scale_sp, mask (n_in, n_out)   grid (n_in, n_knots)

Edges are scored by `attribute`; penalties are those of `fit` with its default metric. Margins are
always 0. A model that is built or refined writes a folder `model` into the working directory, which
is therefore a temporary folder here.
"""

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from kan_ref.conformance.adapters import Answer, Array, Layer, Layers, needs
from kan_ref.conformance.adapters.torch_layers import SUMS, TorchLayers, array, tensor

_ALONE = threading.RLock()


class Pykan(TorchLayers):
    """`kan.KAN` and `kan.KANLayer`."""

    distribution, library = "pykan", "kan.KANLayer:KANLayer"
    coef, w_base, w_spline, mask = "coef", "scale_base", "scale_sp", "mask"
    knots, base_option = "grid", "base_fun"

    def base_function(self, base: str) -> Any:
        """Return a module."""
        return super().base_function(base)()

    def view(self, module: Any, name: str, theirs: Any) -> Any:
        """Return a tensor with our axes."""
        return theirs if name == "knots" else theirs.transpose(0, 1)

    def bases_at(self, points: Any, knots: Array, degree: int) -> Any:
        """Return the values of B_batch, which are booleans at degree 0."""
        from kan.spline import B_batch

        return B_batch(points[:, None], tensor(knots[None]), degree)[:, 0].to(points.dtype)

    def chain(self, layers: Layers) -> tuple[Any, list[Any]]:
        """Return a KAN, which has one base function for all layers, and its layers."""
        from kan import KAN

        (base, *others) = dict.fromkeys(layer["base"] for layer in layers)
        needs(not others)
        shapes = [np.shape(layer["coef"]) for layer in layers]
        degrees = [layer["degree"] for layer in layers]
        counts = [shape[2] - degree for shape, degree in zip(shapes, degrees, strict=True)]
        needs(min(counts) >= 1)
        same = len(set(counts)) == len(set(degrees)) == 1
        sizes = {"grid": counts[0], "k": degrees[0]} if same else {"grid": counts, "k": degrees}
        widths = [shapes[0][1], *(shape[0] for shape in shapes)]
        with own_folder():
            model = KAN(width=widths, **sizes, base_fun=base, auto_save=False)
        for module, layer in zip(model.act_fun, layers, strict=True):
            self.fill(module, layer)
        return model, list(model.act_fun)

    def called(self, layers: Layers, x: Array) -> Any:
        """Return a KAN after a forward pass of the samples."""
        model, _ = self.chain(layers)
        model(tensor(x))
        return model

    def extend_grid(self, layer: Layer, x: Array, n_intervals: int) -> Answer:
        """Return the layer of the refined model."""
        with own_folder():
            module = self.called([layer], x).refine(n_intervals).act_fun[0]
        return self.read(module, layer["degree"], layer["base"])

    def update_grid(self, layer: Layer, x: Array, share: float, margin: float) -> Answer:
        """Return the layer after `update_grid_from_samples`; grid_eps is the blending weight."""
        needs(margin == 0.0)
        module = self.make(layer)
        module.grid_eps = share
        module.update_grid_from_samples(tensor(x))
        return self.read(module, layer["degree"], layer["base"])

    def penalties(self, layers: Layers, x: Array) -> dict[str, float]:
        """Return l1 and entropy by `reg` with the default metric of `fit`."""
        reg = self.called(layers, x).reg
        metric = "edge_forward_spline_n"
        return {name: float(reg(metric, *pair, 0.0, 0.0)) for name, pair in SUMS.items()}

    def edge_scores(self, layers: Layers, x: Array) -> list[Array]:
        """Return the scores of `attribute`, one array for each layer."""
        model = self.called(layers, x)
        model.attribute()
        return [array(scores) for scores in model.edge_scores]

    def prune(self, layers: Layers, x: Array, threshold: float) -> list[Answer]:
        """Return the layers after `prune_node`."""
        with own_folder():
            kept = self.called(layers, x).prune_node(threshold=threshold, log_history=False)
        pairs = zip(kept.act_fun, layers, strict=True)
        return [self.read(module, layer["degree"], layer["base"]) for module, layer in pairs]

    def fit_affine(self, x: Array, y: Array, name: str) -> dict[str, float]:
        """Return a, b, c, d, r2 by `fit_params`, with the default ranges of `suggest_symbolic`."""
        from kan.utils import SYMBOLIC_LIB, fit_params

        found, r2 = fit_params(tensor(x), tensor(y), SYMBOLIC_LIB[name][0], verbose=False)
        return {**dict(zip("abcd", map(float, found), strict=True)), "r2": float(r2)}

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> Answer:
        """Return the layer of a fresh KAN."""
        from kan import KAN

        with own_folder():
            model = KAN(width=[n_in, n_out], grid=n_intervals, k=degree, seed=seed, auto_save=False)
        return self.read(model.act_fun[0], degree, "silu")

    def save_load(self, layer: Layer) -> Answer:
        """Return the layer after `saveckpt` and `loadckpt`."""
        from kan import KAN

        with own_folder():
            self.called([layer], np.zeros((1, len(layer["knots"])))).saveckpt("saved")
            return self.read(KAN.loadckpt("saved").act_fun[0], layer["degree"], layer["base"])


@contextlib.contextmanager
def own_folder() -> Iterator[None]:
    """Change to a temporary folder, in which pykan may create its folder `model`.

    The working directory belongs to the process, so that other threads wait.
    """
    with _ALONE, tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield
