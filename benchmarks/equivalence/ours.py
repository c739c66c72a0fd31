"""kan_ref's column, by its own functions, and the calls that give other libraries' numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import subject
from benchmarks.equivalence.library import Library, Pair, places_of, watch
from kan_ref.checks import FloatArray
from kan_ref.network.layer import evaluate
from kan_ref.sparsity.penalties import PENALTY_NAMES, layer_penalty, natural_entropy


def one_layer(layer: kr.Layer) -> kr.Network:
    """Return a network of this layer alone."""
    return kr.Network((layer,))


def penalty(kind: str, layer: kr.Layer, x: FloatArray) -> Pair:
    """Return L1 and entropy of a layer by one of the package's rules."""
    part = layer_penalty(kind, layer, evaluate(layer, x, slopes=False), x, 1.0, 1.0)
    return part.l1, part.entropy


def coefficient_shares(layer: kr.Layer) -> Pair:
    """Return L1 and entropy of mean |coef|, masked edges included: `natural_entropy` of numbers
    that are not samples.
    """
    sizes = np.abs(layer.coef).mean(axis=2)
    return float(sizes.sum()), natural_entropy(sizes)[0]


class KanRef(Library):
    """The package itself."""

    name = "kan_ref"

    def versions(self) -> dict[str, str]:
        """Return the version of the checkout."""
        return {"kan_ref": kr.__version__}

    def network(self, network: kr.Network) -> kr.Network:
        """Return the network itself."""
        return network

    def values(self, model: kr.Network, x: FloatArray) -> FloatArray:
        """Return `net(x)`."""
        return model(x)

    def arrays(self, model: kr.Network) -> dict[str, Any]:
        """Return the fields of `kr.Layer`."""
        layer = model.layers[0]
        return {
            name: getattr(layer, name) for name in ("knots", "coef", "w_base", "w_spline", "mask")
        }

    def breakpoints(self, model: kr.Network) -> FloatArray:
        """Return `layer.breakpoints`."""
        return model.layers[0].breakpoints

    def counts(self, widths: Sequence[int], n_intervals: int, degree: int) -> dict[str, int]:
        """Return `net.n_params`."""
        net = kr.init_network(
            widths,
            n_intervals=n_intervals,
            degree=degree,
            domain=(-1.0, 1.0),
            rng=np.random.default_rng(0),
        )
        return {"trainable": net.n_params, "all": net.n_params}

    def fresh_knots(self, *, double: bool) -> FloatArray:
        """Return `kr.uniform_knots`, which is float64 for any input."""
        low, high = np.array(
            [subject.LOW, subject.HIGH], dtype=np.float64 if double else np.float32
        )
        return np.asarray(kr.uniform_knots(low, high, subject.N_INTERVALS, subject.DEGREE)[0])

    def masked_slope(self, model: kr.Network, x: FloatArray, edge: tuple[int, int]) -> float:
        """Return the derivative by `kr.backward`."""
        y, caches = kr.forward(model, x)
        (grads,) = kr.backward(model, caches, 2.0 * y)[1].layers
        return max(
            float(np.abs(part[edge]).max()) for part in (grads.coef, grads.w_base, grads.w_spline)
        )

    def initial(self, n_in: int, n_out: int, n_intervals: int, seed: int) -> dict[str, FloatArray]:
        """Return the arrays of `kr.init_network`."""
        rng = np.random.default_rng(seed)
        layer = kr.init_network(
            (n_in, n_out), n_intervals=n_intervals, degree=3, domain=(-1.0, 1.0), rng=rng
        ).layers[0]
        return {"w_base": layer.w_base, "w_spline": layer.w_spline, "coef": layer.coef}

    def side_effects(self) -> dict[str, Any]:
        """Watch a network from a generator that is passed in."""

        def build(widths: list[int]) -> None:
            kr.init_network(
                widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
            )

        one, other = kr.init_network(
            (4, 4, 4), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
        ).layers
        return watch(build) | {"twins": bool(np.array_equal(one.coef, other.coef))}

    def update(self, model: kr.Network, x: FloatArray) -> kr.Network:
        """Apply `kr.update_grid` with its default margin and even spacing."""
        return kr.update_grid(model, x)

    def extend(self, model: kr.Network, x: FloatArray, n_intervals: int) -> kr.Network:
        """Apply `kr.extend_grid`."""
        return kr.extend_grid(model, x, n_intervals=n_intervals)

    def least_squares(self, a: FloatArray, b: FloatArray) -> dict[str, FloatArray]:
        """Return the solution of `numpy.linalg.lstsq`, by singular values."""
        return {"numpy.linalg.lstsq": np.asarray(np.linalg.lstsq(a, b)[0], dtype=np.float64)}

    def penalties(self, model: kr.Network, x: FloatArray) -> dict[str, Pair]:
        """Return the kinds of `fit(penalty=...)`, and the entropy of mean |coef|."""
        (layer,) = model.layers
        return {kind: penalty(kind, layer, x) for kind in PENALTY_NAMES} | {
            "mean |coef|": coefficient_shares(layer)
        }

    def edge_scores(self, model: kr.Network, x: FloatArray) -> dict[str, FloatArray]:
        """Return the kinds of `kr.edge_scores`."""
        return {
            kind: kr.edge_scores(model, x, kind=kind)[0] for kind in ("mean", "std", "attribution")
        }

    def prune(self, model: kr.Network, x: FloatArray) -> dict[str, tuple[list[int], kr.Network]]:
        """Apply `kr.prune` with its default rule and with the paper's."""
        pruned = {"attribution": kr.prune(model, x), "mean": kr.prune(model, x, kind="mean")}
        return {
            name: (places_of(model.layers[0].coef, smaller.layers[0].coef), smaller)
            for name, smaller in pruned.items()
        }

    def r2(self, x: FloatArray, y: FloatArray) -> float:
        """Return R2 of `kr.fit_affine`."""
        return kr.fit_affine(x, y, "sin").r2
