"""The arrays of `kan_ref.Data`: samples, the names of their columns, and classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks.array_remedies import as_array, number_classes
from kan_ref.checks.values import FloatArray, check_float_array, check_rectangular


def check_samples(name: str, value: object, letter: str, axes: tuple[str, str]) -> FloatArray:
    """Return `value` with two axes, or integer labels y.

    For other arrays with one axis the message shows the code that gives the right ones.
    """
    if value is None:
        again = f": hold out a part of the samples, or give {letter}_train again"
        raise TypeError(
            f"{name} is None, but needs shape ({', '.join(axes)})"
            f"{again if name.endswith('test') else ''}"
        )
    found = check_rectangular(name, value)
    if found.ndim == 1 and found.size:
        if letter == "y" and found.dtype.kind in "iu":
            return found
        raise ValueError(
            f"{name} has shape {found.shape}, but needs shape ({', '.join(axes)}); "
            f"{_second_axis(name, value, found, letter)}"
        )
    array = check_float_array(name, value, axes)
    if 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, but needs at least one row and one column"
        )
    return array


def _second_axis(name: str, value: object, found: FloatArray, letter: str) -> str:
    """Return what to write for an array with one axis: a column, or class labels."""
    code = as_array(name, value)
    if letter == "x":
        return f"for one input write {code}[:, None]"
    if found.dtype.kind not in "biuf":
        return f"for classes write {number_classes(name)}"
    whole = found.dtype.kind == "b" or np.all(found == np.round(found))
    labels = f", for class labels {code}.astype(int)" if whole else ""
    return f"for one output write {code}[:, None]{labels}"


def check_input_names(names: object, n_in: int) -> tuple[str, ...]:
    """Return names as a tuple of text, one for each input."""
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise TypeError(f"names is {names!r}, but must be a sequence of text")
    found = tuple(names)
    wrong = [name for name in found if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"names has {wrong[0]!r}, but every name must be text")
    if len(found) != n_in:
        raise ValueError(f"names has {len(found)} entries, but {n_in} inputs need {n_in}")
    return found


def check_classes(classes: object, data: Any) -> NDArray[Any]:
    """Return the classes of the labels `data.y_train` and `data.y_test` as an array.

    ValueError if they are not all different, or if a label has no class.
    """
    found = check_rectangular("classes", classes)
    if found.ndim != 1 or len(set(found.tolist())) != len(found):
        raise ValueError(f"classes is {classes!r}, but must be a list of different classes")
    if data.y_train.ndim != 1:
        raise ValueError(
            f"classes is given, but y_train has shape {data.y_train.shape}: labels of classes are "
            "integers of shape (n_train,)"
        )
    for name in ("y_train", "y_test"):
        labels = getattr(data, name)
        if labels.min() < 0 or labels.max() >= len(found):
            raise ValueError(
                f"{name} has labels {labels.min()} to {labels.max()}, but {len(found)} classes "
                f"have labels 0 to {len(found) - 1}"
            )
    return found


def listed(values: Sequence[object], most: int = 6) -> str:
    """Return values as a tuple in text, long ones shortened."""
    shown = [repr(value) for value in values]
    if len(shown) > most:
        shown = [*shown[: most - 2], "...", shown[-1]]
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 output", "2 outputs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
