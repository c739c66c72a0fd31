"""Tell a wrong gradient from one whose products leave the range of float64, or that is none.

The upstream gradient u of a check has any size, and products of small parameters may underflow
although outputs do not. A backward pass is linear in u. So where J^T (s u) / s depends on s, a
power of two, products of it have lost digits, and a difference of outputs cannot check them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_float_array, check_pair, shown
from kan_ref.network.cache import Cache
from kan_ref.network.layer import layer_backward
from kan_ref.network.network import Network

_LEAST_SCALE = 1e-290  # products of smaller numbers lose digits
_NEAR = (-64, 0, 64)  # powers s of 2: another backward pass may multiply in another order
_FAR = (250, 500, 1000)  # where they are finite: products that underflow with all of _NEAR
UNSEEN = 0.1  # a derivative that may be wrong by more without being seen is not checked
_LEAVE_RANGE = (
    "leave the range in which float64 has all its digits (2.2e-308 to 1.8e308): "
    "scale x, y and the parameters to size one"
)

Backward = Callable[[Network, Sequence[Cache], FloatArray], tuple[FloatArray, Network]]


@dataclass(frozen=True)
class GradientReport:
    """The largest relative error of each part over all directions.

    `errors` maps "dx", "jacobian", "d_coef of layer 0" and the like to the error, `hidden` to the
    relative error that the rounding of differences hides, in the best direction. `unchecked` names
    the parts for which this is more than 0.1: they change the outputs too little in a step.
    `n_samples` is the number of samples that counted, `n_directions` the number of directions tried
    for each part.
    """

    errors: dict[str, float] = field(hash=False)
    hidden: dict[str, float] = field(hash=False)
    n_samples: int
    n_directions: int

    @property
    def worst(self) -> float:
        """The largest error of all parts."""
        return max(self.errors.values())

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The parts that may be wrong by more than a tenth without being seen."""
        return tuple(name for name, error in self.hidden.items() if error > UNSEEN)

    def __str__(self) -> str:
        head = f"{self.n_samples} samples, {self.n_directions} directions, relative errors"
        lines = [f"{name:24s} {error:.1e}" for name, error in self.errors.items()]
        for place, name in enumerate(self.errors):
            if name in self.unchecked:
                lines[place] += (
                    f"   not checked: rounding hides errors up to {self.hidden[name]:.1g}"
                )
        return "\n".join([head, *lines])


def checked_backward(backward: Any) -> Backward:
    """Return a caller's backward pass, which raises an error unless it answers (dx, grads)."""
    if not callable(backward):
        raise TypeError(f"backward is {shown(backward)}, but must be a function")

    def checked(network: Network, caches: Sequence[Cache], dy: FloatArray) -> Any:
        dx, grads = check_pair("backward", backward(network, caches, dy), "a pair (dx, grads)")
        theta: Any = getattr(grads, "theta", None)
        if np.shape(theta) != (network.n_params,):
            raise TypeError(
                f"backward gave {shown(grads)} as grads, but needs a network whose theta is the "
                f"gradient of {network.n_params} parameters: give network.with_theta(gradient)"
            )
        rows = (len(dy), network.widths[0])
        return check_float_array("dx of backward", dx, rows, finite=False), grads

    return checked


def check_digits(name: str, difference: float, scale: float) -> None:
    """Raise ValueError if a difference of outputs is too large or too small for float64.

    `scale` is the size of the terms that are compared.
    """
    if not np.isfinite(difference) or scale < _LEAST_SCALE:
        raise ValueError(
            f"{name} cannot be checked: along a random direction the outputs change by "
            f"{difference:.3g}, so the numbers {_LEAVE_RANGE}"
        )


def check_seen(hidden: Mapping[str, float], step: float) -> None:
    """Raise ValueError if rounding hides errors of all derivatives.

    `hidden` has for each part the relative error that is hidden in the best of its directions.
    """
    if hidden and min(hidden.values()) > UNSEEN:
        name = min(hidden, key=hidden.__getitem__)
        raise ValueError(
            f"step is {step:g}, but with it the rounding error of differences hides relative "
            f"errors up to {hidden[name]:.1g} of {name}, and no smaller ones of other parts: take "
            "a step of about 1e-5, subtract the mean of each input and scale x, y and the "
            "parameters to size one, or add samples at which the outputs vary more"
        )


def disagreement(
    name: str, found: tuple[float, float], error: float, tolerance: float, keeps: bool
) -> str:
    """Return the message for a part for which backward and a difference do not agree.

    `found` are the two derivatives along a direction, `keeps` is the result of `keeps_digits`.
    """
    numbers = (
        f"along a random direction backward gives {found[0]:.6g}, "
        f"a central difference {found[1]:.6g}"
    )
    if keeps:
        return f"{name} is wrong: {numbers} (relative error {error:.1g}, allowed {tolerance:g})"
    return f"{name} cannot be checked: {numbers}, but products {_LEAVE_RANGE}"


def keeps_digits(
    network: Network,
    caches: Sequence[Cache],
    u: FloatArray,
    v: FloatArray,
    tolerance: float,
    rounding: float,
) -> bool:
    """Return whether <J^T u, v> stays the same if u has other sizes.

    J^T u is the package's own, whatever is checked: so no pass is excused by its own error.

    Parameters
    ----------
    network : Network
    caches : sequence of Cache
    u : (batch, n_out)
    v : (n_inputs + n_params,)
        A direction of the inputs, flattened, and of theta.
    tolerance, rounding : float
        Changes that count as none: relative to the sum of the absolute terms, and absolute.
    """
    near, far = (
        np.array([_terms(network, caches, u, v, power) for power in powers])
        for powers in (_NEAR, _FAR)
    )
    far = far[np.isfinite(far).all(axis=1)]
    sums = np.concatenate([near, far]).sum(axis=1)
    scale = float(np.abs(near).sum(axis=1).max())
    return bool(np.isfinite(scale) and np.ptp(sums) <= tolerance * scale + rounding)


def _terms(
    network: Network, caches: Sequence[Cache], u: FloatArray, v: FloatArray, power: int
) -> FloatArray:
    """Return the terms of <J^T (s u), v> / s, s = 2^power; not finite where numbers overflow."""
    d_layer, pieces = np.ldexp(u, power), list[FloatArray]()
    for layer, cache in zip(reversed(network.layers), reversed(caches), strict=True):
        d_layer, grads = layer_backward(layer, cache, d_layer)
        pieces[:0] = grads
    pulled = np.concatenate([piece.reshape(-1) for piece in (d_layer, *pieces)])
    moves = v != 0.0  # others may be nan
    return np.asarray(np.ldexp(pulled[moves] * v[moves], -power))
