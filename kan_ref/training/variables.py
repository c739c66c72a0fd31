"""The optimizer's variables: which parameters are trained, and in units of their effect.

With J = d residuals / d theta on all samples (for losses that are not sums of squares, of the
predictions), for each parameter p of a layer

    (T15)  d_p = sum_b J_bp^2
    (T16)  D_p = max(d_p, share * median)

where the median is that of the nonzero d of the layer, and D_p is this median for parameters that
influence no sample. Levenberg-Marquardt takes D with share 1 as the metric of its damping
(Marquardt, SIAM J. Appl. Math. 11, 1963). The other optimizers see variables z,

    (T17)  theta_p = s_p z_p,    s_p = D_p^(-1/2) up to a common factor

with the gradient s_p d value / d theta_p. All keep D during their run, which ends when a grid
changes: with another D at every point, Levenberg-Marquardt ended in poor minima on [4,4,2,1].
A unit step in any z_p then changes the predictions by about as much as in any other. For L-BFGS
this is an initial inverse Hessian D^-1. Neighbouring coefficients have similar d, but a layer far
from the outputs has a small one, and a base weight on inputs around 300 one of size 10^5.

The share keeps coefficients that few samples determine from large steps. For z it is n_params /
n_rows, limited to 0.01 ... 1: with few samples for each parameter, more of the coefficients are
poorly determined. s_p is rounded to a power of two, so that theta and z are converted without
rounding errors, and their median is 1, so that first steps are about as long as without scaling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import PARAMETER_ARRAYS, PARAMETER_NAMES, Network
from kan_ref.numerics import column_squares

LEAST_SHARE = 0.01
_CHUNK_NUMBERS = 2**19  # of the largest arrays, at once


@dataclass(frozen=True, eq=False)
class LayerMetric:
    """The D of (T16) from the squared column norms of a Jacobian.

    `sizes`: the number of trained parameters of each layer, consecutive parts of theta. `share`: of
    the median of a layer, the least entry.
    """

    sizes: tuple[int, ...]
    share: float

    def __call__(self, squares: FloatArray) -> FloatArray:
        """Return the diagonal of D, all above 0, for the d of (T15), at least 0."""
        metric, start = np.ones(len(squares)), 0
        for size in self.sizes:
            part = slice(start, start + size)
            own, start = squares[part], start + size
            support = (own > 0.0) & np.isfinite(own)
            if support.any():
                # [eq:layer-metric]
                median = np.median(own[support])
                metric[part] = np.where(support, np.maximum(own, self.share * median), median)
                # [/eq:layer-metric]
        return metric


def layer_metric(model: Any, free: NDArray[np.bool_] | None, share: float) -> LayerMetric:
    """Return the metric of a model's trained parameters."""
    sizes = model.layer_sizes
    if free is not None:
        ends = np.cumsum(sizes)[:-1]
        sizes = tuple(int(part.sum()) for part in np.split(free, ends))
    return LayerMetric(sizes, share)


def parameter_scale(model: Any, goal: Any, free: NDArray[np.bool_] | None) -> FloatArray:
    """Return the s of (T17), (n_free,), powers of two.

    Parameters
    ----------
    model : Network, MLP or LAN
    goal : Goal
        A loss over data, or equations with a linearization; then J is that of its residuals.
    free : (n_params,) of bool, or None
        Which parameters are trained; None where all are.

    Notes
    -----
    Implements :eq:`scaled-variables`. For data about n_out backward passes, by chunks of samples.
    """
    n_rows, squares = (
        _data_squares(model, goal) if hasattr(goal, "targets") else _squares(model, goal)
    )
    squares = squares if free is None else squares[free]
    share = float(np.clip(len(squares) / n_rows, LEAST_SHARE, 1.0))
    metric = layer_metric(model, free, share)(squares)
    # [eq:scaled-variables]
    doublings = np.round(-0.5 * np.log2(metric))
    doublings -= np.sort(doublings)[len(doublings) // 2]
    # [/eq:scaled-variables]
    scale: FloatArray = np.ldexp(1.0, doublings.astype(np.intc))
    return scale


def _data_squares(model: Any, goal: Any) -> tuple[int, FloatArray]:
    """Return the number of rows and the d of (T15) for a loss over data, (n_params,)."""
    largest = max(max(n_out, model.widths[-1]) * n_in for n_in, n_out in pairwise(model.widths))
    chunk, n_samples = max(1, _CHUNK_NUMBERS // largest), len(goal.x)
    total = np.zeros(model.n_params)
    for start in range(0, n_samples, chunk):
        part = (
            goal.on_samples(model, slice(start, start + chunk))
            if chunk < n_samples or goal.inputs is None
            else goal
        )
        total += column_squares(model.jacobian(model.run_flow(part.inputs)[1], 1.0))
    return goal.targets.size, total


def _squares(model: Any, goal: Any) -> tuple[int, FloatArray]:
    """Return the number of rows and the d of (T15) for a goal with residuals."""
    residuals, jacobian = goal.linearize(model)
    return residuals.size, column_squares(jacobian)


def trainable_places(model: Any, trainable: Sequence[str]) -> NDArray[np.bool_] | None:
    """Return (n_params,) flags of the named parts of theta; None where that is all of them.

    Raises
    ------
    ValueError, TypeError
        For an unknown name, a repeated one, or none at all; for a part of an MLP or LAN; for
        "symbolic" without symbolic edges.
    """
    if isinstance(trainable, str) or not isinstance(trainable, Sequence):
        raise TypeError(
            f"trainable is {trainable!r}, but must be a sequence of names such as "
            "('coef', 'w_base')"
        )
    names = [checks.choice("trainable", name, PARAMETER_NAMES) for name in trainable]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"trainable is {tuple(names)}, but needs at least one name, each once")
    if len(names) == len(PARAMETER_NAMES):
        return None
    if not isinstance(model, Network):
        raise TypeError(
            f"trainable is {tuple(names)}, but the parameters of {model!r} have no such parts: "
            "all of them are trained together"
        )
    chosen = [
        np.full(getattr(layer, array).size, name in names)
        for layer in model.layers
        for name, array in PARAMETER_ARRAYS.items()
    ]
    places = np.concatenate(chosen)
    if not places.any():
        raise ValueError(f"trainable is {tuple(names)}, but {model!r} has no symbolic edges")
    return None if places.all() else places
