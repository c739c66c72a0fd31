"""Tell a wrong gradient from one whose products leave the range of float64, or that is none.

The upstream gradient u of a check has any size, and products of small parameters may underflow
although outputs do not. A backward pass is linear in u. So where J^T (s u) / s depends on s, a
power of two, products of it have lost digits, and a difference of outputs cannot check them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_pair, what
from kan_ref.network.cache import Cache
from kan_ref.network.layer import layer_backward
from kan_ref.network.network import Network

_LEAST_SCALE = 1e-290  # products of smaller numbers lose digits
_NEAR = (-64, 0, 64)  # powers s of 2: another backward pass may multiply in another order
_FAR = (250, 500, 1000)  # where they are finite: products that underflow with all of _NEAR
_LEAVE_RANGE = (
    "leave the range in which float64 has all its digits (2.2e-308 to 1.8e308): "
    "scale x, y and the parameters to size one"
)

Backward = Callable[[Network, Sequence[Cache], FloatArray], tuple[FloatArray, Network]]


def checked_backward(backward: Any) -> Backward:
    """Return a caller's backward pass, with a TypeError where its answer is not a pair."""
    if not callable(backward):
        raise TypeError(f"backward is {what(backward)}, but must be a function")

    def checked(network: Network, caches: Sequence[Cache], dy: FloatArray) -> Any:
        return check_pair("backward", backward(network, caches, dy), "a pair (dx, grads)")

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
