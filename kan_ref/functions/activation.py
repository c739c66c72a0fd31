"""The activations of an MLP, with their first three derivatives.

    (F6)  t = tanh z:    t' = 1 - t^2,    t'' = -2 t t',    t''' = -2 t' (1 - 3 t^2)
    (F7)  relu z = max(z, 0):    relu' = 1 where z > 0, else 0;    relu'' = relu''' = 0
    (F8)  sin' = cos,    sin'' = -sin,    sin''' = -cos

and silu, (F1)-(F4) of `base_function`. (F6): differentiate t' = 1 - t^2. The derivatives of relu at
0 are left limits.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions.base_function import base_function

ACTIVATION_NAMES = ("tanh", "relu", "silu", "sine")


def activation_values(
    name: str, z: FloatArray, derivatives: Sequence[int] = (0,)
) -> tuple[FloatArray, ...]:
    """Evaluate an activation, or its derivatives, at each number of `z`.

    Parameters
    ----------
    name : str
        One of `ACTIVATION_NAMES`; the MLP's constructor has checked it.
    z : ndarray of float64, any shape
    derivatives : sequence of int
        Orders, each between 0 and 3.

    Returns
    -------
    values : tuple of arrays shaped as z

    Notes
    -----
    Implements :eq:`tanh-derivatives`.
    """
    if name == "tanh":
        return _tanh(z, derivatives)
    if name == "silu":
        return base_function("silu", z, derivatives)
    if name == "relu":
        return tuple(
            np.maximum(z, 0.0)
            if order == 0
            else np.asarray((z > 0.0) & (order == 1), dtype=np.float64)
            for order in derivatives
        )
    return tuple(
        (-1.0 if order > 1 else 1.0) * (np.cos(z) if order % 2 else np.sin(z))
        for order in derivatives
    )


def _tanh(z: FloatArray, derivatives: Sequence[int]) -> tuple[FloatArray, ...]:
    """Evaluate tanh or its derivatives, (F6)."""
    # [eq:tanh-derivatives]
    t = np.tanh(z)
    slope = 1.0 - t**2
    values = []
    for order in derivatives:
        if order == 0:
            values.append(t)
        elif order == 1:
            values.append(slope)
        elif order == 2:
            values.append(-2.0 * t * slope)
        else:
            values.append(-2.0 * slope * (1.0 - 3.0 * t**2))
    # [/eq:tanh-derivatives]
    return tuple(values)
