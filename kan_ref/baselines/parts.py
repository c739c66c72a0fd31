"""What MLP and LAN share: checked weights and biases, and arrays as views of one vector theta."""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray, check_float_array


def check_sequences(**values: object) -> None:
    """Raise TypeError if one of the named values is not a sequence of arrays."""
    for name, value in values.items():
        if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
            raise TypeError(f"{name} is {value!r}, but must be a sequence of arrays, one per layer")


def check_weights(
    weights: Sequence[object], biases: Sequence[object]
) -> list[tuple[FloatArray, FloatArray]]:
    """Return (W_l, v_l) of each layer, with shapes (n_{l+1}, n_l) and (n_{l+1},).

    Raises
    ------
    ValueError, TypeError
        "weights[1] takes 3 inputs, but weights[0] has 5 outputs"
    """
    found: list[tuple[FloatArray, FloatArray]] = []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        matrix = check_float_array(f"weights[{number}]", weight, ("n_out", "n_in"))
        if 0 in matrix.shape:
            raise ValueError(
                f"weights[{number}] has shape {matrix.shape}, but a layer needs at least one "
                "output and one input"
            )
        if found and matrix.shape[1] != len(found[-1][0]):
            raise ValueError(
                f"weights[{number}] takes {matrix.shape[1]} inputs, "
                f"but weights[{number - 1}] has {len(found[-1][0])} outputs"
            )
        found.append((matrix, check_float_array(f"biases[{number}]", bias, (len(matrix),))))
    return found


def views_of(theta: FloatArray, shapes: Sequence[Sequence[int]]) -> list[FloatArray]:
    """Return consecutive parts of theta in these shapes; theta becomes read-only."""
    theta.flags.writeable = False
    theta = theta.view()  # stays read-only: nothing else refers to its memory
    views, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        views.append(theta[start : start + size].reshape(shape))
        start += size
    return views


def check_theta(theta: object, n_params: int) -> FloatArray:
    """Return a copy of theta (n_params,).

    Raises
    ------
    ValueError, TypeError
        "theta has 149 numbers, but this network has 150"
    """
    own = check_float_array("theta", theta, ("n_params",))
    if len(own) != n_params:
        raise ValueError(f"theta has {len(own)} numbers, but this network has {n_params}")
    return own.copy()
