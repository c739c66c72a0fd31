"""Constant inputs are left out of a search, and every result has them again.

Samples in which an input is constant do not determine how the outputs depend on it: any function of
it is a constant there. `discover` searches a formula of the other inputs. What it reports and
returns takes all inputs, and no edge from a constant one is active.

Too few samples are rejected before a search.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_ref.checks import ROUNDING, FloatArray
from kan_ref.data import Data
from kan_ref.discovery.elimination import ArchitectureTrial
from kan_ref.discovery.paper_way import FormulaTrial
from kan_ref.network import Layer, Network, domain_of_samples
from kan_ref.training import Scaler

LEAST_SAMPLES = 10  # two of them are held out


def check_samples(data: Data) -> None:
    """Raise ValueError if there are too few training samples to hold some out."""
    if len(data.x_train) < LEAST_SAMPLES:
        raise ValueError(
            f"data has {len(data.x_train)} training samples, but at least {LEAST_SAMPLES} are "
            "needed, since a fifth of them is held out to compare formulas: give more samples"
        )


@dataclass(frozen=True, eq=False)
class Inputs:
    """All inputs of the data, and which of them vary.

    `varying`: the inputs that are searched, those that vary or the first one if none does;
    `values` (n_in,): the middle of the samples of each input.
    """

    varying: tuple[int, ...]
    values: FloatArray

    @property
    def left_out(self) -> tuple[int, ...]:
        """The indices of the inputs that are left out."""
        return tuple(i for i in range(len(self.values)) if i not in self.varying)

    def columns(self, x: FloatArray) -> FloatArray:
        """Return the columns of x (batch, n_in) that vary."""
        return x[:, list(self.varying)] if self.left_out else x

    def names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the inputs that vary."""
        return tuple(names[i] for i in self.varying)

    def data(self, data: Data) -> Data:
        """Return the data without constant inputs."""
        if not self.left_out:
            return data
        names = None if data.names is None else self.names(data.names)
        parts = {name: self.columns(getattr(data, name)) for name in ("x_train", "x_test")}
        return replace(data, **parts, names=names)

    def network(self, network: Network) -> Network:
        """Return a network of the varying inputs as one of all inputs."""
        if not self.left_out:
            return network
        first, *others = network.layers
        return Network((self._layer(first), *others))

    def _layer(self, layer: Layer) -> Layer:
        """Return a first layer with a masked edge from each constant input to each output."""
        places, n_in, degree = list(self.varying), len(self.values), layer.degree
        low, high = domain_of_samples(self.values[None, :]).T
        steps = np.arange(-degree, layer.n_intervals + degree + 1) / layer.n_intervals
        knots = low[:, None] + steps * (high - low)[:, None]
        knots[places] = layer.knots
        arrays = {"knots": knots}
        for name in ("coef", "w_base", "w_spline", "mask"):
            old = getattr(layer, name)
            arrays[name] = np.zeros((layer.n_out, n_in, *old.shape[2:]))
            arrays[name][:, places] = old
        edges = tuple(replace(edge, input=places[edge.input]) for edge in layer.symbolic)
        return replace(layer, **arrays, symbolic=edges)

    def scaler(self, scaler: Scaler) -> Scaler:
        """Return a scaler of all inputs, which does not change the constant ones."""
        if not self.left_out:
            return scaler
        mean, scale = np.zeros(len(self.values)), np.ones(len(self.values))
        mean[list(self.varying)], scale[list(self.varying)] = scaler.x_mean, scaler.x_scale
        return replace(scaler, x_mean=mean, x_scale=scale, x_constant=None)

    def trial(self, trial: Any) -> Any:
        """Return a trial of a network of the varying inputs as one of all inputs."""
        if not self.left_out or not isinstance(trial, ArchitectureTrial | FormulaTrial):
            return trial
        trial = replace(trial, network=self.network(trial.network))
        if isinstance(trial, ArchitectureTrial):
            return replace(trial, coarse=self.network(trial.coarse))
        names = {
            (layer, j, i if layer else self.varying[i]): name
            for (layer, j, i), name in trial.names.items()
        }
        return replace(trial, names=names)


def inputs_of_data(x: FloatArray) -> Inputs:
    """Return which inputs of training samples x (n, n_in) vary by more than rounding errors."""
    low, high = x.min(axis=0), x.max(axis=0)
    with np.errstate(all="ignore"):
        varies = high - low > ROUNDING * np.maximum(-low, high)
    varying = tuple(np.flatnonzero(varies).tolist())
    return Inputs(varying or (0,), np.where(high == low, low, 0.5 * low + 0.5 * high))
