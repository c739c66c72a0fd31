"""Which parameters are trained: places in theta of the named parts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import check_choice
from kan_ref.network import PARAMETER_ARRAYS, PARAMETER_NAMES, Network


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
    names = [check_choice("trainable", name, PARAMETER_NAMES) for name in trainable]
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
